//! The system's clocks, and how far the services' clocks are from them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::core::units::{Millis, Timestamp};
use crate::engine::ports::Clock;

/// How far the services were ahead of this host at their latest answer. Shared by whoever hears them and the clock.
#[derive(Debug, Default)]
pub struct Skew(Mutex<Option<Heard>>);

/// The latest answer.
#[derive(Debug, Clone, Copy)]
struct Heard {
    /// How far the service was ahead.
    skew: i64,
    /// This host's wall clock when it came.
    wall: Timestamp,
    /// The time since boot when it came.
    boot: Millis,
}

impl Skew {
    /// Notes an answer whose `Date` header said `date` and that came at `now` by this host's clock. A `Date` has whole seconds,
    /// so the service's time lay within the second that it names: within it, the skew is taken as none.
    pub fn note(&self, date: Timestamp, now: Timestamp) {
        let ahead = date.0.saturating_sub(now.0);
        let skew = if ahead > 0 { ahead } else { ahead.saturating_add(999).min(0) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Heard { skew, wall: now, boot: since_boot() });
    }

    /// Milliseconds that the services were ahead at the latest answer; `None` before any.
    pub fn get(&self) -> Option<i64> {
        self.heard().map(|heard| heard.skew)
    }

    /// Milliseconds that the services are ahead of a wall clock that reads `wall` now, `boot` after the machine started: a wall
    /// clock that was set since the latest answer is seen through.
    fn now(&self, wall: Timestamp, boot: Millis) -> Option<i64> {
        let heard = self.heard()?;
        let expected = heard.wall.plus(Millis(boot.0.saturating_sub(heard.boot.0)));
        // Reading two clocks one after the other is not exact; a second is no jump.
        let jump = expected.0.saturating_sub(wall.0);
        Some(if jump.abs() < 1000 { heard.skew } else { heard.skew.saturating_add(jump) })
    }

    fn heard(&self) -> Option<Heard> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This host's clock.
#[derive(Debug, Clone, Default)]
pub struct SystemClock {
    skew: Arc<Skew>,
}

impl SystemClock {
    /// This host's clock, told of the services' by `skew`.
    pub fn new(skew: Arc<Skew>) -> Self {
        Self { skew }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall_clock()
    }

    fn boot(&self) -> Millis {
        since_boot()
    }

    fn skew_ms(&self) -> Option<i64> {
        self.skew.now(wall_clock(), since_boot())
    }
}

/// Time since boot, sleep included.
fn since_boot() -> Millis {
    // On Linux the monotonic clock stops while the machine sleeps; elsewhere it does not, and has no other name.
    #[cfg(target_os = "linux")]
    let time = clock_gettime(ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let time = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    Millis(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
}

/// Wall-clock time, UTC. A clock set before 1970 reads as 1970.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_says_nothing_within_its_second() {
        let skew = Skew::default();
        assert_eq!(skew.get(), None);
        for (date, now, expected) in [
            (10_000, 10_000, 0),
            (10_000, 10_999, 0),
            (10_000, 11_000, -1),
            (10_000, 9_999, 1),
            (10_000, 5_000, 5_000),
            (10_000, 3_600_000 + 10_000, -3_600_000 + 999),
            (i64::MAX, i64::MIN + 1, i64::MAX),
        ] {
            skew.note(Timestamp(date), Timestamp(now));
            assert_eq!(skew.get(), Some(expected), "{date} at {now}");
        }
    }

    #[test]
    fn a_clock_that_was_set_since_is_seen_through() {
        let skew = Skew::default();
        let start = Timestamp(1_000_000_000);
        skew.note(start, start);
        let boot = skew.heard().unwrap().boot;
        let later = |ms: u64| Millis(boot.0 + ms);
        for (wall, elapsed, expected) in [
            (5_000, 5_000, 0),
            // Set back by an hour, forward by a day, and a second more or less is no jump.
            (-3_595_000, 5_000, 3_600_000),
            (86_405_000, 5_000, -86_400_000),
            (5_900, 5_000, 0),
            (4_100, 5_000, 0),
        ] {
            assert_eq!(skew.now(Timestamp(start.0 + wall), later(elapsed)), Some(expected), "{wall}");
        }
    }

    #[test]
    fn the_boot_clock_goes_forward() {
        let clock = SystemClock::default();
        let (first, second) = (clock.boot(), clock.boot());
        assert!(first.0 > 0 && second >= first);
        assert!(clock.now() > "2024-01-01T00:00:00Z".parse().unwrap());
    }
}
