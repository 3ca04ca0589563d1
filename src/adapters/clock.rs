//! The system's clocks, and how far the services' clocks are from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::core::units::{Millis, Timestamp};
use crate::engine::ports::Clock;

/// How far the services were ahead of this host at their latest answer. Shared by whoever hears them and the clock.
#[derive(Debug)]
pub struct Skew(AtomicI64);

impl Skew {
    /// Stands for "no answer yet"; no clock is wrong by 292 million years.
    const UNKNOWN: i64 = i64::MIN;

    /// Notes an answer whose `Date` header said `date` and that came at `now` by this host's clock. A `Date` has whole seconds,
    /// so the service's time lay within the second that it names: within it, the skew is taken as none.
    pub fn note(&self, date: Timestamp, now: Timestamp) {
        let ahead = date.0.saturating_sub(now.0);
        let skew = if ahead > 0 { ahead } else { ahead.saturating_add(999).min(0) };
        self.0.store(skew, Ordering::Relaxed);
    }

    /// Milliseconds that the services are ahead; `None` before any answer.
    pub fn get(&self) -> Option<i64> {
        let skew = self.0.load(Ordering::Relaxed);
        (skew != Self::UNKNOWN).then_some(skew)
    }
}

impl Default for Skew {
    fn default() -> Self {
        Self(AtomicI64::new(Self::UNKNOWN))
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
        // On Linux the monotonic clock stops while the machine sleeps; elsewhere it does not, and has no other name.
        #[cfg(target_os = "linux")]
        let time = clock_gettime(ClockId::Boottime);
        #[cfg(not(target_os = "linux"))]
        let time = clock_gettime(ClockId::Monotonic);
        let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
        Millis(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
    }

    fn skew_ms(&self) -> Option<i64> {
        self.skew.get()
    }
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
    fn the_boot_clock_goes_forward() {
        let clock = SystemClock::default();
        let (first, second) = (clock.boot(), clock.boot());
        assert!(first.0 > 0 && second >= first);
        assert!(clock.now() > "2024-01-01T00:00:00Z".parse().unwrap());
    }
}
