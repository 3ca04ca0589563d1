//! The countdown: what it says, how loudly, and when it says something else.

use crate::core::run::state::{Access, RunState};
use crate::core::units::{Millis, Timestamp};

/// From here on it is bold.
const SOON: Millis = Millis::from_mins(10);
/// From here on it is reversed.
const LAST: Millis = Millis::from_mins(2);
/// While a query runs, from here on it counts to the moment when queries are stopped.
const QUERIES_FROM: Millis = Millis::from_secs(90);
/// The engine stops running queries this long before the end (DESIGN §4.5).
const QUERIES_STOP: Millis = Millis::from_secs(30);

/// What access the run has, for the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Countdown {
    /// None.
    None,
    /// Asked for since.
    Asked(Timestamp),
    /// Approved; to be started before.
    Approved(Timestamp),
    /// Until the deadline.
    Left {
        /// The deadline.
        deadline: Timestamp,
        /// Whether a query runs.
        querying: bool,
    },
    /// It ended then.
    Ended(Timestamp),
}

/// How loudly it is shown. A bell and a notice mark each step up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Plain.
    Calm,
    /// Under ten minutes: bold.
    Soon,
    /// Under two minutes: reversed.
    Last,
    /// After the end: reversed.
    Over,
}

impl Countdown {
    /// What `state` has at `now`.
    pub fn of(state: &RunState, now: Timestamp) -> Self {
        if let Some((_, deadline)) = state.active() {
            if now >= deadline {
                return Self::Ended(deadline);
            }
            return Self::Left { deadline, querying: state.open_execution().is_some() };
        }
        match state.request().map(|request| (&request.access, request.sent_at)) {
            Some((Access::Waiting, sent_at)) => Self::Asked(sent_at),
            Some((Access::Approved { use_by, .. }, _)) if now < *use_by => Self::Approved(*use_by),
            // An end before its time is not counted from the deadline that was.
            Some((Access::Ended { at, deadline, .. }, _)) if !state.is_closed() => Self::Ended(*at.min(deadline)),
            _ => Self::None,
        }
    }

    /// How loudly.
    pub fn urgency(self, now: Timestamp) -> Urgency {
        match self {
            Self::Left { deadline, .. } => match deadline.since(now) {
                left if left < LAST => Urgency::Last,
                left if left < SOON => Urgency::Soon,
                _ => Urgency::Calm,
            },
            Self::Ended(_) => Urgency::Over,
            Self::None | Self::Asked(_) | Self::Approved(_) => Urgency::Calm,
        }
    }

    /// The words; `narrow` leaves out what can be missed.
    pub fn words(self, now: Timestamp, narrow: bool) -> String {
        match self {
            Self::None => "no access".to_owned(),
            Self::Asked(since) => format!("asked {}", clock(now.since(since))),
            Self::Approved(use_by) if narrow => format!("start within {}", clock(use_by.since(now))),
            Self::Approved(use_by) => format!("approved, start within {}", clock(use_by.since(now))),
            Self::Left { deadline, querying } => {
                let left = deadline.since(now);
                if querying && left < QUERIES_FROM && left >= QUERIES_STOP {
                    format!("queries stop {}", clock(Millis(left.0 - QUERIES_STOP.0)))
                } else if left < LAST {
                    format!("ENDS {}", clock(left))
                } else {
                    format!("left {}", clock(left))
                }
            }
            Self::Ended(at) => format!("ENDED {} ago", clock(now.since(at))),
        }
    }

    /// How long until the words change; `None` when they do not.
    pub fn next(self, now: Timestamp) -> Option<Millis> {
        let down = |end: Timestamp| Some(Millis(end.since(now).0 % 1000 + 1));
        let up = |start: Timestamp| Some(Millis(1000 - now.since(start).0 % 1000));
        match self {
            Self::None => None,
            Self::Asked(since) => up(since),
            Self::Ended(at) => up(at),
            Self::Approved(use_by) => down(use_by),
            Self::Left { deadline, .. } => down(deadline),
        }
    }

    /// The one line that goes with a bell when `urgency` is reached.
    pub fn notice(self, urgency: Urgency) -> Option<&'static str> {
        match urgency {
            Urgency::Calm => None,
            Urgency::Soon => Some("Access ends in less than ten minutes; `a` asks again for the remaining steps."),
            Urgency::Last => Some("Access ends in less than two minutes; running queries are stopped 30 s before."),
            Urgency::Over => Some("Access has ended and the keys are gone; fetched rows stay readable, `a` asks again."),
        }
    }
}

/// Minutes and seconds: `03:12`, `75:00`.
pub fn clock(time: Millis) -> String {
    format!("{:02}:{:02}", time.0 / 60_000, time.0 / 1000 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(millis: u64, querying: bool) -> (String, Urgency, Option<Millis>) {
        let countdown = Countdown::Left { deadline: Timestamp(10_000_000), querying };
        let now = Timestamp(10_000_000).minus(Millis(millis));
        (countdown.words(now, false), countdown.urgency(now), countdown.next(now))
    }

    #[test]
    fn every_form_and_threshold() {
        for (millis, querying, words, urgency) in [
            (872_000, false, "left 14:32", Urgency::Calm),
            (600_000, false, "left 10:00", Urgency::Calm),
            (599_999, false, "left 09:59", Urgency::Soon),
            (120_000, false, "left 02:00", Urgency::Soon),
            (119_999, false, "ENDS 01:59", Urgency::Last),
            (119_000, true, "ENDS 01:59", Urgency::Last),
            (90_000, true, "ENDS 01:30", Urgency::Last),
            (89_999, true, "queries stop 00:59", Urgency::Last),
            (51_000, true, "queries stop 00:21", Urgency::Last),
            (51_000, false, "ENDS 00:51", Urgency::Last),
            (30_000, true, "queries stop 00:00", Urgency::Last),
            (29_999, true, "ENDS 00:29", Urgency::Last),
            (999, true, "ENDS 00:00", Urgency::Last),
            (4_500_000, false, "left 75:00", Urgency::Calm),
        ] {
            let (shown, how, _) = left(millis, querying);
            assert_eq!((shown.as_str(), how), (words, urgency), "{millis} {querying}");
        }
        let ended = Countdown::Ended(Timestamp(0));
        assert_eq!(ended.words(Timestamp(41_000), false), "ENDED 00:41 ago");
        assert_eq!(ended.urgency(Timestamp(41_000)), Urgency::Over);
        assert_eq!(Countdown::Asked(Timestamp(0)).words(Timestamp(192_000), false), "asked 03:12");
        let approved = Countdown::Approved(Timestamp(760_000));
        assert_eq!(approved.words(Timestamp(0), false), "approved, start within 12:40");
        assert_eq!(approved.words(Timestamp(0), true), "start within 12:40");
        assert_eq!(Countdown::None.words(Timestamp(0), false), "no access");
    }

    #[test]
    fn the_next_change_is_never_missed() {
        for millis in [1, 999, 1000, 1001, 50_000, 90_000, 90_001, 120_000, 599_999, 600_000] {
            let (before, _, next) = left(millis, true);
            let wait = next.unwrap().0;
            assert!((1..=1000).contains(&wait));
            if millis > wait {
                assert_ne!(left(millis - wait, true).0, before, "{millis}");
                assert_eq!(left(millis - wait + 1, true).0, before, "{millis}");
            }
        }
        let asked = Countdown::Asked(Timestamp(0));
        assert_eq!(asked.next(Timestamp(1_200)), Some(Millis(800)));
    }
}
