//! A clock that never goes back while this process lives: what a deadline was measured from cannot be moved by setting the wall
//! clock (DESIGN §4.12).

use std::sync::{Arc, Mutex, PoisonError};

use crate::core::units::{Millis, Timestamp};
use crate::engine::ports::Clock;

/// The wall clock as it was first read, carried on by the time since boot. A wall clock that is ahead of that is followed, one
/// that was set back is not: access then ends no later than it was to end.
pub struct SteadyClock {
    inner: Arc<dyn Clock>,
    anchor: Mutex<(Timestamp, Millis)>,
}

impl SteadyClock {
    /// Over this clock, from now on.
    pub fn new(inner: Arc<dyn Clock>) -> Self {
        let anchor = Mutex::new((inner.now(), inner.boot()));
        Self { inner, anchor }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let (wall, boot) = (self.inner.now(), self.inner.boot());
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let carried = anchor.0.plus(Millis(boot.0.saturating_sub(anchor.1.0)));
        let now = wall.max(carried);
        *anchor = (now, boot);
        now
    }

    fn boot(&self) -> Millis {
        self.inner.boot()
    }

    fn skew_ms(&self) -> Option<i64> {
        let (now, wall) = (self.now(), self.inner.now());
        self.inner.skew_ms().map(|skew| skew.saturating_add(wall.0.saturating_sub(now.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Hands {
        wall: AtomicI64,
        boot: AtomicI64,
        skew: AtomicI64,
    }

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp(self.wall.load(Ordering::Relaxed))
        }

        fn boot(&self) -> Millis {
            Millis(u64::try_from(self.boot.load(Ordering::Relaxed)).unwrap_or(0))
        }

        fn skew_ms(&self) -> Option<i64> {
            Some(self.skew.load(Ordering::Relaxed))
        }
    }

    const HOUR: i64 = 3_600_000;
    const START: i64 = 1_000 * HOUR;

    #[test]
    fn jumps_never_give_time_back() {
        // (what happens to the wall clock, to the time since boot; how far the steady clock has come from its start)
        let table: &[(&str, &[(i64, i64, i64)])] = &[
            ("time goes by", &[(1_000, 1_000, 1_000), (500, 500, 1_500)]),
            ("set back an hour", &[(1_000, 1_000, 1_000), (-HOUR, 0, 1_000), (5_000, 5_000, 6_000)]),
            ("set back a day, twice", &[(-24 * HOUR, 0, 0), (-24 * HOUR, 10, 10), (1_000, 1_000, 1_010)]),
            ("set forward an hour", &[(HOUR, 0, HOUR), (1_000, 1_000, HOUR + 1_000)]),
            ("set forward, then put right", &[(HOUR, 0, HOUR), (-HOUR, 0, HOUR), (1_000, 1_000, HOUR + 1_000)]),
            ("the machine slept ten minutes", &[(600_000, 600_000, 600_000)]),
            ("it slept, and woke with an old clock", &[(0, 600_000, 600_000)]),
            ("slewed slower than the boot clock", &[(990, 1_000, 1_000), (990, 1_000, 2_000)]),
        ];
        for (what, moves) in table {
            let hands = Arc::new(Hands::default());
            hands.wall.store(START, Ordering::Relaxed);
            let steady = SteadyClock::new(hands.clone());
            for (wall, boot, expected) in *moves {
                hands.wall.fetch_add(*wall, Ordering::Relaxed);
                hands.boot.fetch_add(*boot, Ordering::Relaxed);
                assert_eq!(steady.now().0 - START, *expected, "{what}");
            }
        }
    }

    #[test]
    fn the_services_are_compared_with_what_is_used() {
        let hands = Arc::new(Hands::default());
        hands.wall.store(START, Ordering::Relaxed);
        let steady = SteadyClock::new(hands.clone());
        assert_eq!(steady.skew_ms(), Some(0));
        // The wall is set back an hour and the services say so: the steady clock never followed and agrees with them.
        hands.wall.fetch_add(-HOUR, Ordering::Relaxed);
        hands.skew.store(HOUR, Ordering::Relaxed);
        assert_eq!(steady.skew_ms(), Some(0));
    }
}
