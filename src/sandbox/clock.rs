//! The sandbox's clock: the machine's, shifted by what a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::units::{Millis, Timestamp};

/// The service's time. Clones share one shift, so that a test can move the time of a running sandbox.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    shift_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's own time.
    pub fn system() -> Self {
        Self::default()
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let machine = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp(machine.saturating_add(self.shift_ms.load(Ordering::Relaxed)))
    }

    /// Sets how far this clock runs ahead of the machine's (negative: behind), in milliseconds.
    pub fn set_shift(&self, ms: i64) {
        self.shift_ms.store(ms, Ordering::Relaxed);
    }

    /// Moves this clock forward.
    pub fn advance(&self, by: Millis) {
        self.shift_ms.fetch_add(i64::try_from(by.0).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_shift() {
        let clock = Clock::system();
        let other = clock.clone();
        let before = other.now();
        clock.advance(Millis::from_mins(60));
        assert!(other.now().since(before) >= Millis::from_mins(60));
        clock.set_shift(-3_600_000);
        assert!(before.since(other.now()) > Millis::from_mins(59));
    }
}
