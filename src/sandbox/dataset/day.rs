//! One UTC day, as a partition names it.

use std::fmt;

use jiff::civil::Date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

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

    /// Appends the day as ISO 8601 has it: `2026-11-20`.
    pub(super) fn write_iso(self, to: &mut String) {
        let (year, month, day) = self.civil();
        super::column::put(to, format_args!("{year:04}-{month:02}-{day:02}"));
    }

    /// Year, month and day of the month. Howard Hinnant's `civil_from_days`: a million rows call it, so it does not go through
    /// a calendar library.
    fn civil(self) -> (i64, i64, i64) {
        let days = i64::from(self.0) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// Reads a partition's folder name, as [`Day::folder`] writes it.
    pub fn from_folder(name: &str) -> Option<Self> {
        let value = percent_decode_str(name.strip_prefix("day=")?).decode_utf8().ok()?;
        Self::from_partition(&value).filter(|day| day.folder() == name)
    }

    /// The folder of this partition as Hive writes it: `day=2026%2F11%2F20`.
    pub fn folder(self) -> String {
        format!("day={}", utf8_percent_encode(&self.to_string(), HIVE))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}/{month:02}/{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_jiffs() {
        for number in (-20_000..60_000).step_by(37) {
            let date = jiff::Timestamp::from_millisecond(Day(number).start().0).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
            assert_eq!(Day(number).to_string(), date.strftime("%Y/%m/%d").to_string());
        }
    }

    #[test]
    fn days_have_partitions_and_folders() {
        let day = Day::of("2026-11-20T23:59:59Z".parse().unwrap());
        assert_eq!(day.to_string(), "2026/11/20");
        assert_eq!(day.folder(), "day=2026%2F11%2F20");
        assert_eq!(Day::from_partition("2026/11/20"), Some(day));
        assert_eq!(Day::from_partition("2026/1/2"), None);
        assert_eq!(Day::from_partition("soon"), None);
        assert_eq!(Day::from_folder("day=2026%2F11%2F20"), Some(day));
        assert_eq!(Day::from_folder("day=2026-11-20"), None);
        assert_eq!(day.minus(20).to_string(), "2026/10/31");
        assert_eq!(day.minus(3).age(day), Some(3));
        assert_eq!(day.age(day.minus(1)), None);
    }
}
