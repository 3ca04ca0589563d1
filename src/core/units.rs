//! Units with their own types: bytes, read units, money, durations, points in time. Integers only, so that a plan's canonical
//! form never depends on how a float prints.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A unit that could not be read, with the reason in plain words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub String);

/// Bytes, shown with decimal prefixes (1 kB = 1,000 bytes), as Athena bills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// One decimal megabyte.
    pub const MB: u64 = 1_000_000;

    /// This amount rounded up to whole megabytes, saturating.
    pub fn ceil_mb(self) -> Self {
        Self(self.0.div_ceil(Self::MB).saturating_mul(Self::MB))
    }
}

impl fmt::Display for Bytes {
    /// Three significant digits and a decimal unit: `0 B`, `999 B`, `82 MB`, `1.21 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
        let mut unit = 0;
        let mut scale: u64 = 1;
        // Step up while three digits would round to 1000 of this unit.
        while unit + 1 < UNITS.len() && (self.0 as u128) * 2 >= (scale as u128) * 1999 {
            scale = scale.saturating_mul(1000);
            unit += 1;
        }
        if unit == 0 {
            return write!(f, "{} B", self.0);
        }
        let hundredths = ((self.0 as u128) * 100 + (scale as u128) / 2) / (scale as u128);
        let text = match hundredths {
            h if h < 1_000 => format!("{}.{:02}", h / 100, h % 100),
            h if h < 10_000 => {
                let tenths = (h + 5) / 10;
                format!("{}.{}", tenths / 10, tenths % 10)
            }
            h => format!("{}", (h + 50) / 100),
        };
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        write!(f, "{text} {}", UNITS[unit])
    }
}

impl FromStr for Bytes {
    type Err = UnitError;

    /// Reads `2 GB`, `200MB`, `1.5 TB`, `10 MiB`. A number without a unit is refused: nobody knows what it meant.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = split_unit(text)?;
        let scale: u128 = match unit {
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "PB" => 1_000_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            "" => return Err(UnitError(format!("`{text}` has no unit; write for example `{text} MB`"))),
            other => return Err(UnitError(format!("`{other}` is not a size; use B, kB, MB, GB, TB or KiB, MiB, GiB, TiB"))),
        };
        let value = scaled(number, scale).ok_or_else(|| UnitError(format!("`{text}` is not a size")))?;
        Ok(Self(value))
    }
}

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// From whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1000)
    }

    /// From whole minutes.
    pub const fn from_mins(mins: u64) -> Self {
        Self(mins * 60_000)
    }
}

impl fmt::Display for Millis {
    /// As a person writes it: `15m`, `1h30m`, `45s`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 1000 {
            return write!(f, "{}ms", self.0);
        }
        let (d, h, m, s) = (self.0 / 86_400_000, self.0 / 3_600_000 % 24, self.0 / 60_000 % 60, self.0 / 1000 % 60);
        for (n, unit) in [(d, "d"), (h, "h"), (m, "m"), (s, "s")] {
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Millis {
    type Err = UnitError;

    /// Reads `15m`, `1h30m`, `90s`, `2d`, `250ms`. A number without a unit is refused.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError(format!("`{text}` is not a duration; write for example `15m`, `90s` or `1h30m`"));
        let mut rest = text.trim();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(|| UnitError(format!("`{text}` has no unit; write for example `{rest}m`")))?;
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            let tail = rest[digits..].trim_start();
            let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let scale = match &tail[..end] {
                "ms" => 1,
                "s" => 1000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(bad()),
            };
            total = number.checked_mul(scale).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
            rest = tail[end..].trim_start();
        }
        Ok(Self(total))
    }
}

/// Millionths of a currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl fmt::Display for Micros {
    /// Dollars with as many digits as say something: `$0.0016`, `$1.25`, `$310`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        match self.0 {
            0 => f.write_str("$0"),
            n if n < 100 => write!(f, "$0.{part:06}"),
            n if n < 100_000 => write!(f, "$0.{:04}", (part + 50) / 100),
            n if n < 100_000_000 => {
                let cents = (n + 5_000) / 10_000;
                write!(f, "${}.{:02}", cents / 100, cents % 100)
            }
            _ => write!(f, "${whole}"),
        }
    }
}

/// Thousandths of a DynamoDB read unit (RRU/RCU): half units exist, since an eventually consistent read costs 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReadUnits(pub u64);

impl ReadUnits {
    /// From whole read units.
    pub const fn whole(units: u64) -> Self {
        Self(units * 1000)
    }
}

impl fmt::Display for ReadUnits {
    /// `1 RU`, `0.5 RU`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        if part == 0 {
            write!(f, "{whole} RU")
        } else {
            let text = format!("{part:03}");
            write!(f, "{whole}.{} RU", text.trim_end_matches('0'))
        }
    }
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Serialised as RFC 3339 UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This point `by` later, saturating.
    pub fn plus(self, by: Millis) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.0).unwrap_or(i64::MAX)))
    }

    /// This point `by` earlier, saturating.
    pub fn minus(self, by: Millis) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.0).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` until this point; zero if it is not later.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            // Outside the years jiff knows; only corrupt input gets here, and it must still be printable.
            Err(_) => write!(f, "@{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let time: jiff::Timestamp =
            text.parse().map_err(|_| UnitError(format!("`{text}` is not an RFC 3339 time such as 2026-11-20T08:00:00Z")))?;
        Ok(Self(time.as_millisecond()))
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "RFC 3339, UTC, milliseconds",
            "type": "string",
            "format": "date-time",
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn split_unit(text: &str) -> Result<(&str, &str), UnitError> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    if end == 0 {
        return Err(UnitError(format!("`{text}` does not begin with a number")));
    }
    Ok((&text[..end], text[end..].trim()))
}

/// `number` (decimal text) times `scale`, rounded down; `None` when malformed or too large.
fn scaled(number: &str, scale: u128) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 12 || number.matches('.').count() > 1 {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let part = part.checked_mul(scale)? / 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    u64::try_from(whole.checked_mul(scale)?.checked_add(part)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_show_three_digits() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (82_000_000, "82 MB"),
            (1_210_000_000, "1.21 GB"),
            (999_600, "1 MB"),
            (310_000_000, "310 MB"),
            (12_340_000, "12.3 MB"),
            (100_500_000, "101 MB"),
        ] {
            assert_eq!(Bytes(n).to_string(), text, "{n}");
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!("2 GB".parse::<Bytes>().unwrap(), Bytes(2_000_000_000));
        assert_eq!("1.5MB".parse::<Bytes>().unwrap(), Bytes(1_500_000));
        assert!("2".parse::<Bytes>().unwrap_err().0.contains("no unit"));
        assert!("GB".parse::<Bytes>().is_err());
        assert!("99999999999999999999 GB".parse::<Bytes>().is_err());
    }

    #[test]
    fn durations_round_trip() {
        for text in ["15m", "1h30m", "45s", "2d", "250ms"] {
            assert_eq!(text.parse::<Millis>().unwrap().to_string(), text);
        }
        assert!("15".parse::<Millis>().unwrap_err().0.contains("no unit"));
        assert!("15 parsecs".parse::<Millis>().is_err());
    }

    #[test]
    fn time_has_milliseconds() {
        let t: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        assert_eq!(t.to_string(), "2026-11-20T08:00:00.000Z");
        assert_eq!(serde_json::to_string(&t).unwrap(), "\"2026-11-20T08:00:00.000Z\"");
    }

    #[test]
    fn money_says_something() {
        for (n, text) in
            [(0, "$0"), (42, "$0.000042"), (1_600, "$0.0016"), (6_100, "$0.0061"), (1_250_000, "$1.25"), (310_000_000, "$310")]
        {
            assert_eq!(Micros(n).to_string(), text);
        }
    }
}
