//! Casts of [`Value`]s, as far as partition predicates use them. Anything that the server would refuse, round or pad gives
//! `None`: the partition is kept.

use jiff::civil::{Date, DateTime};

use super::value::{Number, Value};
use crate::core::sql::types::Type;

/// What a value can be cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// `boolean`
    Boolean,
    /// An integer type with its bounds.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// `decimal(p, s)`: the scale.
    Decimal(u8),
    /// `double`
    Double,
    /// `varchar` or `varchar(n)`: the length, if there is one.
    Text(Option<usize>),
    /// `date`
    Date,
    /// `timestamp` or `timestamp(p)` without zone.
    Timestamp,
    /// `timestamp with time zone`
    Instant,
}

impl Target {
    /// The target for a type; `None`: a type left out here.
    pub(super) fn of(kind: &Type) -> Option<Self> {
        let integer = |min, max| Some(Self::Integer { min, max });
        match kind {
            Type::Boolean => Some(Self::Boolean),
            Type::Tinyint => integer(i64::from(i8::MIN), i64::from(i8::MAX)),
            Type::Smallint => integer(i64::from(i16::MIN), i64::from(i16::MAX)),
            Type::Integer => integer(i64::from(i32::MIN), i64::from(i32::MAX)),
            Type::Bigint => integer(i64::MIN, i64::MAX),
            Type::Decimal(_, scale) => Some(Self::Decimal(*scale)),
            Type::Double => Some(Self::Double),
            Type::Varchar(None) => Some(Self::Text(None)),
            Type::Varchar(Some(length)) => Some(Self::Text(Some(usize::try_from(*length).ok()?))),
            Type::Date => Some(Self::Date),
            Type::Timestamp(_) => Some(Self::Timestamp),
            Type::TimestampTz(_) => Some(Self::Instant),
            _ => None,
        }
    }
}

/// `CAST(value AS target)`.
pub(super) fn cast(value: &Value, target: Target) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    match target {
        Target::Boolean => match value {
            Value::Boolean(_) => Some(value.clone()),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Some(Value::Boolean(true)),
                "false" | "f" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
            _ => None,
        },
        Target::Integer { min, max } => {
            let whole = match value {
                Value::Number(number) => number.to_whole()?,
                Value::Text(text) => whole_text(text)?,
                Value::Boolean(b) => i128::from(*b),
                _ => return None,
            };
            (i128::from(min)..=i128::from(max)).contains(&whole).then(|| Value::whole(whole))
        }
        Target::Decimal(scale) => {
            let number = match value {
                Value::Number(number) => *number,
                Value::Text(text) => Number::parse(text)?,
                _ => return None,
            };
            // Rounding is left out: a longer fraction is unknown.
            let factor = 10i128.checked_pow(u32::from(scale.checked_sub(number.scale)?))?;
            Some(Value::Number(Number { unscaled: number.unscaled.checked_mul(factor)?, scale }))
        }
        Target::Double => match value {
            Value::Double(_) => Some(value.clone()),
            Value::Number(number) => Some(Value::Double(number.to_f64())),
            Value::Text(text) => Some(Value::Double(Number::parse(text)?.to_f64())),
            _ => None,
        },
        Target::Text(length) => {
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Boolean(b) => b.to_string(),
                Value::Date(date) => date.to_string(),
                Value::Number(number) if number.scale == 0 => number.unscaled.to_string(),
                _ => return None,
            };
            match length {
                Some(length) if text.chars().count() > length => match value {
                    // Only text is cut; a number that does not fit is an error.
                    Value::Text(_) => Some(Value::Text(text.chars().take(length).collect())),
                    _ => None,
                },
                _ => Some(Value::Text(text)),
            }
        }
        Target::Date => match value {
            Value::Date(_) => Some(value.clone()),
            Value::Timestamp(time) | Value::Instant(time) => Some(Value::Date(time.date())),
            Value::Text(text) => Some(Value::Date(parse_date(text.trim())?)),
            _ => None,
        },
        Target::Timestamp => match value {
            Value::Timestamp(_) => Some(value.clone()),
            Value::Instant(time) => Some(Value::Timestamp(*time)),
            Value::Date(date) => Some(Value::Timestamp(date.to_datetime(jiff::civil::Time::midnight()))),
            Value::Text(text) => Some(Value::Timestamp(parse_timestamp(text.trim())?)),
            _ => None,
        },
        Target::Instant => match value {
            Value::Instant(_) => Some(value.clone()),
            Value::Timestamp(time) => Some(Value::Instant(*time)),
            Value::Date(date) => Some(Value::Instant(date.to_datetime(jiff::civil::Time::midnight()))),
            _ => None,
        },
    }
}

fn whole_text(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 19 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Reads `2026-11-20`, nothing shorter and nothing longer.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i16>().ok()).flatten();
    Date::new(number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?).ok()
}

/// Reads `2026-11-20`, `2026-11-20 08:00`, `2026-11-20 08:00:00.123`; a zone is left out.
pub(super) fn parse_timestamp(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let date = parse_date(date)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.split(':');
    let mut two = || {
        let part = parts.next()?;
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i8>().ok()).flatten()
    };
    let (hour, minute) = (two()?, two()?);
    let second = if clock.len() > 5 { two()? } else { 0 };
    if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: i32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    Some(date.to_datetime(jiff::civil::Time::new(hour, minute, second, nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts() {
        let date = || Value::Date(Date::constant(2026, 11, 20));
        let cases = [
            (Value::text("2026-11-20"), "date", Some(date())),
            (Value::text("2026/11/20"), "date", None),
            (Value::text("2026-1-2"), "date", None),
            (date(), "varchar", Some(Value::text("2026-11-20"))),
            (date(), "varchar(4)", None),
            (Value::text("2026/11/20"), "varchar(7)", Some(Value::text("2026/11"))),
            (Value::text("007"), "integer", Some(Value::whole(7))),
            (Value::text(" 7"), "bigint", None),
            (Value::whole(300), "tinyint", None),
            (Value::whole(7), "varchar", Some(Value::text("7"))),
            (Value::text("1.5"), "decimal(4,2)", Some(Value::Number(Number { unscaled: 150, scale: 2 }))),
            (Value::text("1.555"), "decimal(4,2)", None),
            (Value::text("2026-11-20 08:30:00.5"), "timestamp(3)", {
                Some(Value::Timestamp("2026-11-20T08:30:00.5".parse().unwrap()))
            }),
            (date(), "timestamp with time zone", Some(Value::Instant("2026-11-20T00:00:00".parse().unwrap()))),
            (Value::Null, "date", Some(Value::Null)),
        ];
        for (value, target, wanted) in cases {
            assert_eq!(Type::parse(target).and_then(|kind| cast(&value, Target::of(&kind)?)), wanted, "{value:?} as {target}");
        }
        for left_out in ["char(3)", "row(a integer)", "array(varchar)", "json", "time", "varbinary"] {
            assert_eq!(Type::parse(left_out).and_then(|kind| Target::of(&kind)), None, "{left_out}");
        }
    }
}
