//! One UTC day, as a partition names it.

use std::fmt;

use jiff::civil::Date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::core::units::Timestamp;

/// Milliseconds of a day.
pub const DAY_MILLIS: i64 = 86_400_000;

/// What Hive leaves alone in a partition's path; `/` in a value becomes `%2F`.
const HIVE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A UTC day, as days since 1970-01-01. Shown as the partition value: `2026/11/20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The day that `at` lies in.
    pub fn of(at: Timestamp) -> Self {
        Self(i32::try_from(at.0.div_euclid(DAY_MILLIS)).unwrap_or(0))
    }

    /// Reads a partition value such as `2026/11/20`.
    pub fn from_partition(value: &str) -> Option<Self> {
        let date = Date::strptime("%Y/%m/%d", value).ok()?;
        let day = Self::of(Timestamp(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond()));
        // `2026/1/2` would be another partition than `2026/01/02`.
        (day.to_string() == value).then_some(day)
    }

    /// The day `days` earlier.
    pub fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub_unsigned(days))
    }

    /// How many days later `today` is; `None` if this day is later than `today`.
    pub fn age(self, today: Self) -> Option<u32> {
        u32::try_from(today.0.checked_sub(self.0)?).ok()
    }

    /// Its first millisecond.
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * DAY_MILLIS)
    }

    /// The folder of this partition as Hive writes it: `day=2026%2F11%2F20`.
    pub fn folder(self) -> String {
        format!("day={}", utf8_percent_encode(&self.to_string(), HIVE))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.start().0) {
            Ok(at) => {
                let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
                write!(f, "{:04}/{:02}/{:02}", date.year(), date.month(), date.day())
            }
            // Outside the years jiff knows; no clock says so.
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_partitions_and_folders() {
        let day = Day::of("2026-11-20T23:59:59Z".parse().unwrap());
        assert_eq!(day.to_string(), "2026/11/20");
        assert_eq!(day.folder(), "day=2026%2F11%2F20");
        assert_eq!(Day::from_partition("2026/11/20"), Some(day));
        assert_eq!(Day::from_partition("2026/1/2"), None);
        assert_eq!(Day::from_partition("soon"), None);
        assert_eq!(day.minus(20).to_string(), "2026/10/31");
        assert_eq!(day.minus(3).age(day), Some(3));
        assert_eq!(day.age(day.minus(1)), None);
    }
}
