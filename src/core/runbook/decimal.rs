//! Decimal numbers, exact.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A decimal number of up to 38 digits, as Trino's `decimal` has them. Two numbers are equal only if they have the same number
/// of digits after the point (`1.0` is not `1.00`: their SQL types differ); [`Decimal::compare`] goes by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    unscaled: i128,
    scale: u8,
}

/// Digits at most (Trino: `DECIMAL` precision up to 38).
pub(super) const MAX_DIGITS: usize = 38;

impl Decimal {
    /// Digits after the point.
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// By value.
    pub fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        // 38 digits times up to 10³⁸ needs more than 128 bits, so whole and fraction are compared apart.
        let (a, b) = (self.parts(scale), other.parts(scale));
        a.cmp(&b)
    }

    /// Whole part rounded down, and what is left in units of 10^-scale.
    fn parts(self, scale: u8) -> (i128, i128) {
        let unit = 10_i128.pow(u32::from(self.scale));
        let (whole, rest) = (self.unscaled.div_euclid(unit), self.unscaled.rem_euclid(unit));
        // `rest` < 10^self.scale, so that this stays below 10^scale ≤ 10^38 < 2^127.
        (whole, rest * 10_i128.pow(u32::from(scale - self.scale)))
    }
}

impl FromStr for Decimal {
    type Err = String;

    /// Reads `12`, `-0.50`, `+3.1`. No exponent, no digit grouping.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{}` is not a decimal number such as 12.50", crate::core::text::visible(text));
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or("")),
            Some(b'+') => (false, text.get(1..).unwrap_or("")),
            _ => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(bad()),
            None => (digits, ""),
        };
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) {
            return Err(bad());
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() + fraction.len() > MAX_DIGITS {
            return Err(format!("`{text}` has more than {MAX_DIGITS} digits"));
        }
        let unscaled: i128 = format!("0{whole}{fraction}").parse().map_err(|_| bad())?;
        let scale = u8::try_from(fraction.len()).map_err(|_| bad())?;
        Ok(Self { unscaled: if negative { -unscaled } else { unscaled }, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = self.unscaled.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// Text, or a JSON integer. Other JSON numbers are refused: they went through a float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(i64),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
            Written::Whole(number) => Ok(Self { unscaled: i128::from(number), scale: 0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_shows() {
        for (text, shown) in
            [("12", "12"), ("-0.50", "-0.50"), ("+3.1", "3.1"), ("007.10", "7.10"), ("0.0", "0.0"), ("-12.345", "-12.345")]
        {
            assert_eq!(of(text).to_string(), shown);
        }
        for text in ["", "-", ".", "1.", ".5", "1e3", "1,000", "١", "1 ", "--1", "9".repeat(39).as_str()] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn compares_by_value() {
        assert_eq!(of("1.0").compare(of("1.00")), Ordering::Equal);
        assert_eq!(of("-0.5").compare(of("-0.49")), Ordering::Less);
        let (long, tiny) = ("9".repeat(38), format!("0.{}1", "0".repeat(36)));
        assert_eq!(of(&long).compare(of(&tiny)), Ordering::Greater);
        assert_eq!(of(&format!("-{long}")).compare(of(&tiny)), Ordering::Less);
    }
}
