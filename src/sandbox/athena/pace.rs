//! How long queries take. Local files are read in milliseconds; a query that a person cannot watch or stop teaches nothing.

use std::time::Duration;

/// The pace of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As fast as the machine is, for tests.
    Off,
    /// Two to ten seconds, by what is read.
    #[default]
    Watchable,
}

/// What is read in a second beyond the first two: the whole of the sandbox's data would take ten.
const BYTES_PER_SECOND: u64 = 10_000_000;
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(10);

/// How long a statement that reads no files takes.
const UTILITY: Duration = Duration::from_millis(300);

impl Pace {
    /// How long reading `bytes` shall take.
    pub(super) fn reading(self, bytes: u64) -> Duration {
        match self {
            Self::Off => Duration::ZERO,
            Self::Watchable if bytes == 0 => Duration::ZERO,
            Self::Watchable => (SHORTEST + Duration::from_millis(bytes / (BYTES_PER_SECOND / 1000))).min(LONGEST),
        }
    }

    /// How long an execution lasts at least, if it was expected to read `bytes`.
    pub(super) fn at_least(self, bytes: u64) -> Duration {
        match self {
            Self::Off => Duration::ZERO,
            Self::Watchable if bytes == 0 => UTILITY,
            Self::Watchable => SHORTEST,
        }
    }

    /// How long an execution is QUEUED.
    pub(super) fn queueing(self) -> Duration {
        match self {
            Self::Off => Duration::ZERO,
            Self::Watchable => Duration::from_millis(150),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_last_two_to_ten_seconds() {
        let pace = Pace::Watchable;
        assert_eq!(pace.reading(1_000_000), Duration::from_millis(2_100));
        assert_eq!(pace.reading(50_000_000), Duration::from_secs(7));
        assert_eq!(pace.reading(250_000_000), Duration::from_secs(10));
        assert_eq!(pace.reading(0), Duration::ZERO);
        assert_eq!(Pace::Off.reading(u64::MAX), Duration::ZERO);
    }
}
