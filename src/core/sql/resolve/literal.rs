//! Literals: their types, and whether their text is one of the type.

use super::pushed::Terms;
use super::value::{Value, key_of, mix, text_key};
use super::{Outcome, refusal};
use crate::core::sql::analysis::Constant;
use crate::core::sql::coercion::casts;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{IntervalField, IntervalFields, IntervalLiteral, Literal, integer_value};
use crate::core::sql::types::Type;

/// The number that an integer literal is; `None` beyond bigint.
pub(super) fn integer(text: &str) -> Option<i64> {
    integer_value(text)
}

/// A literal's value.
pub(super) fn value(literal: &Literal, span: Span) -> Outcome<Value> {
    let constant = |value: Constant, kind: Type, text: &str| {
        let key = mix(key_of("literal", [text_key(text)]), text_key(&kind.to_string()));
        Value::new(kind.clone(), key).with_terms(Terms::constant(value, kind))
    };
    let invalid = |kind: &str, text: &str| refusal("INVALID_LITERAL", span, format!("'{text}' is not a valid {kind} literal"));
    Ok(match literal {
        Literal::Null => constant(Constant::Null, Type::Unknown, "null"),
        Literal::Boolean(value) => constant(Constant::Boolean(*value), Type::Boolean, if *value { "true" } else { "false" }),
        Literal::Integer(text) => {
            let number =
                integer(text).ok_or_else(|| refusal("SYNTAX_ERROR", span, format!("invalid numeric literal: {text}")))?;
            let kind = if i32::try_from(number).is_ok() { Type::Integer } else { Type::Bigint };
            let text = number.to_string();
            constant(Constant::Number(text.clone()), kind, &text)
        }
        Literal::Decimal(text) => {
            let kind = decimal(text).ok_or_else(|| invalid("DECIMAL", text))?;
            constant(Constant::Number(text.to_string()), kind, text)
        }
        Literal::Double(text) => constant(Constant::Float(text.to_string()), Type::Double, text),
        Literal::String(text) => {
            let kind = Type::varchar(text.chars().count() as u64);
            constant(Constant::Text(text.to_string()), kind, text)
        }
        Literal::Binary(bytes) => {
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            constant(Constant::Binary(bytes.to_vec()), Type::Varbinary, &text)
        }
        Literal::DoublePrecision(text) => {
            text.trim().parse::<f64>().map_err(|_| invalid("DOUBLE", text))?;
            constant(Constant::Text(text.to_string()), Type::Double, text)
        }
        Literal::Typed { type_name, text } => {
            let name = type_name.text.to_lowercase();
            let kind = match name.as_str() {
                "char" => Type::Char(u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX).min(65_536)),
                "decimal" => decimal(text).ok_or_else(|| invalid("DECIMAL", text))?,
                "time" => time(text).ok_or_else(|| invalid("TIME", text))?,
                "timestamp" => timestamp(text).ok_or_else(|| invalid("TIMESTAMP", text))?,
                _ => {
                    let kind = Type::named(&name, &[])
                        .ok_or_else(|| refusal("TYPE_NOT_FOUND", span, format!("unknown type: {}", type_name.text)))?;
                    if kind != Type::Json && !casts(&Type::VARCHAR, &kind) {
                        return Err(refusal("INVALID_LITERAL", span, format!("there are no literals of {kind}")));
                    }
                    if !fits(&kind, text) {
                        return Err(invalid(&kind.to_string().to_uppercase(), text));
                    }
                    kind
                }
            };
            constant(Constant::Text(text.to_string()), kind, text)
        }
        Literal::Interval(interval) => self::interval(interval, span)?,
    })
}

/// An interval's value.
pub(super) fn interval(literal: &IntervalLiteral, span: Span) -> Outcome<Value> {
    let IntervalFields { from, to, .. } = literal.fields;
    let year_month = matches!(from, IntervalField::Year | IntervalField::Month);
    let kind = if year_month { Type::IntervalYear } else { Type::IntervalDay };
    let valid = match to {
        Some(to) if to == from => interval_text(&literal.text, from, from),
        Some(to) => interval_text(&literal.text, from, to),
        None => interval_text(&literal.text, from, from),
    };
    if !valid {
        return Err(refusal("INVALID_LITERAL", span, format!("'{}' is not a valid INTERVAL literal", literal.text)));
    }
    let word = |field: IntervalField| match field {
        IntervalField::Year => "year",
        IntervalField::Month => "month",
        IntervalField::Day => "day",
        IntervalField::Hour => "hour",
        IntervalField::Minute => "minute",
        IntervalField::Second => "second",
    };
    let unit = to.map_or_else(|| word(from).to_owned(), |to| format!("{} to {}", word(from), word(to)));
    let mut key = mix(key_of("interval", [text_key(&literal.text)]), text_key(&unit));
    if literal.negative {
        key = mix(key, 1);
    }
    let value = Constant::Interval { negative: literal.negative, text: literal.text.to_string(), unit };
    Ok(Value::new(kind.clone(), key).with_terms(Terms::constant(value, kind)))
}

/// Whether the text is an interval of these fields: `1-2`, `1 02:03:04.5`, `12`.
fn interval_text(text: &str, from: IntervalField, to: IntervalField) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let order = |field: IntervalField| match field {
        IntervalField::Year => 0,
        IntervalField::Month => 1,
        IntervalField::Day => 2,
        IntervalField::Hour => 3,
        IntervalField::Minute => 4,
        IntervalField::Second => 5,
    };
    let (first, last) = (order(from), order(to));
    if first > last || (first < 2) != (last < 2) {
        return false;
    }
    let mut rest = text;
    for field in first..=last {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return false;
        }
        rest = rest.get(digits..).unwrap_or_default();
        if field == 5
            && let Some(fraction) = rest.strip_prefix('.')
        {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        if field < last {
            let separator = match field {
                0 => '-',
                2 => ' ',
                _ => ':',
            };
            match rest.strip_prefix(separator) {
                Some(after) => rest = after,
                // Trailing fields may be missing.
                None => return rest.is_empty() && field >= 2,
            }
        }
    }
    rest.is_empty()
}

/// The type of a decimal literal by its digits; leading zeros do not count.
fn decimal(text: &str) -> Option<Type> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || digits == "." || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let precision = (whole.len() + fraction.len()).max(1);
    if precision > 38 {
        return None;
    }
    Some(Type::Decimal(u8::try_from(precision).ok()?, u8::try_from(fraction.len()).ok()?))
}

/// Whether a text is a literal of the type, as the server's casts read it. Types not listed take any text.
fn fits(kind: &Type, text: &str) -> bool {
    let trimmed = text.trim();
    match kind {
        Type::Date => {
            let mut reader = Digits(trimmed);
            reader.sign();
            reader.date().is_some() && reader.0.is_empty()
        }
        Type::Boolean => matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "t" | "f" | "1" | "0"),
        Type::Tinyint => text.parse::<i8>().is_ok(),
        Type::Smallint => text.parse::<i16>().is_ok(),
        Type::Integer => text.parse::<i32>().is_ok(),
        Type::Bigint => text.parse::<i64>().is_ok(),
        Type::Real | Type::Double => trimmed.parse::<f64>().is_ok(),
        Type::Uuid => {
            let parts: Vec<&str> = text.split('-').collect();
            parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
                && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        Type::IpAddress => text.parse::<std::net::IpAddr>().is_ok(),
        Type::Json => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
        _ => true,
    }
}

/// Reads numbers off a text.
struct Digits<'a>(&'a str);

impl Digits<'_> {
    fn sign(&mut self) {
        self.0 = self.0.strip_prefix(['-', '+']).unwrap_or(self.0);
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.len() - self.0.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, rest) = self.0.split_at_checked(count.min(most))?;
        if digits.len() < least {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    fn symbol(&mut self, symbol: char) -> Option<()> {
        self.0.strip_prefix(symbol).map(|rest| self.0 = rest)
    }

    /// `2026-11-20`; the day must exist.
    fn date(&mut self) -> Option<()> {
        let year = self.number(4, 9)?;
        self.symbol('-')?;
        let month = self.number(1, 2)?;
        self.symbol('-')?;
        let day = self.number(1, 2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=last).contains(&day).then_some(())
    }

    /// `10:20`, `10:20:30.123`: the number of digits after the point.
    fn time(&mut self) -> Option<u8> {
        let hour = self.number(1, 2)?;
        self.symbol(':')?;
        let minute = self.number(1, 2)?;
        if hour > 23 || minute > 59 {
            return None;
        }
        if self.symbol(':').is_none() {
            return Some(0);
        }
        if self.number(1, 2)? > 59 {
            return None;
        }
        if self.symbol('.').is_none() {
            return Some(0);
        }
        let before = self.0.len();
        self.0 = self.0.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = u8::try_from(before - self.0.len()).ok()?;
        (1..=12).contains(&digits).then_some(digits)
    }

    /// `+02:00`.
    fn offset(&mut self) -> Option<()> {
        self.0 = self.0.trim_start();
        if !self.0.starts_with(['+', '-']) {
            return None;
        }
        self.sign();
        let hours = self.number(1, 2)?;
        self.symbol(':')?;
        let minutes = self.number(1, 2)?;
        (hours <= 14 && minutes <= 59).then_some(())
    }
}

fn time(text: &str) -> Option<Type> {
    let mut reader = Digits(text);
    let digits = reader.time()?;
    if reader.0.is_empty() {
        return Some(Type::Time(digits));
    }
    reader.offset()?;
    reader.0.is_empty().then_some(Type::TimeTz(digits))
}

fn timestamp(text: &str) -> Option<Type> {
    let mut reader = Digits(text);
    reader.sign();
    reader.date()?;
    if reader.0.is_empty() {
        return Some(Type::Timestamp(0));
    }
    reader.symbol(' ')?;
    let mut digits = 0;
    if reader.0.starts_with(|c: char| c.is_ascii_digit()) {
        digits = reader.time()?;
    }
    let zone = reader.0.trim();
    if zone.is_empty() {
        return Some(Type::Timestamp(digits));
    }
    is_zone(zone).then_some(Type::TimestampTz(digits))
}

/// Whether a text has the form of a time zone: an offset, or a name of letters, digits and `/_+-`.
fn is_zone(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix(['+', '-']) {
        let mut reader = Digits(text);
        return (reader.offset().is_some() && reader.0.is_empty())
            || (matches!(digits.len(), 1 | 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    }
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-:".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_servers_types() {
        for (text, kind) in [
            ("1.50", "decimal(3,2)"),
            ("0.5", "decimal(1,1)"),
            ("00.0", "decimal(1,1)"),
            ("1.", "decimal(1,0)"),
            (".05", "decimal(2,2)"),
        ] {
            assert_eq!(decimal(text).map(|kind| kind.to_string()).as_deref(), Some(kind), "{text}");
        }
        assert_eq!(decimal(&"1".repeat(39)), None);
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("0xff"), Some(255));
    }

    #[test]
    fn moments_have_the_servers_types() {
        let cases = [
            ("2026-11-20", Some("timestamp(0)")),
            ("2026-11-20 10:20:30.123", Some("timestamp(3)")),
            ("2026-11-20 10:20 UTC", Some("timestamp(0) with time zone")),
            ("2026-11-20 10:20:30.123456 America/New_York", Some("timestamp(6) with time zone")),
            ("2026-02-30 10:20", None),
            ("2026-11-20T10:20:30", None),
            ("2026-11-20 25:00", None),
        ];
        for (text, kind) in cases {
            assert_eq!(timestamp(text).map(|kind| kind.to_string()).as_deref(), kind, "{text}");
        }
        assert_eq!(time("10:20:30.5").map(|kind| kind.to_string()).as_deref(), Some("time(1)"));
        assert_eq!(time("10:20+02:00").map(|kind| kind.to_string()).as_deref(), Some("time(0) with time zone"));
        assert!(fits(&Type::Date, "2026-11-20") && !fits(&Type::Date, "2026-13-01") && !fits(&Type::Date, "x"));
    }

    #[test]
    fn intervals_are_checked() {
        use IntervalField::{Day, Hour, Minute, Month, Second, Year};
        for (text, from, to, valid) in [
            ("2", Day, Day, true),
            ("-2", Day, Day, true),
            ("1-2", Year, Month, true),
            ("1 02:03:04.5", Day, Second, true),
            ("02:03", Hour, Minute, true),
            ("1.5", Second, Second, true),
            ("x", Day, Day, false),
            ("1", Day, Year, false),
            ("1-x", Year, Month, false),
        ] {
            assert_eq!(interval_text(text, from, to), valid, "{text}");
        }
    }
}
