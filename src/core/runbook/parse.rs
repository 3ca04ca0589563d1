//! Reading values: from text that people type, and from the JSON of events and results.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde_json::Value;

use super::{Decimal, ParamType, ParamValue, ValueError};
use crate::core::book::reading::nearest;
use crate::core::text::visible;
use crate::core::units::{Millis, Timestamp};

/// Characters of a string without a `max`; statements have an end (Athena: 262,144 bytes), and so have screens.
const MAX_STRING: u32 = 1024;
/// Values of a list without a `max`.
const MAX_LIST: u32 = 100;

/// What `today` and `now` are.
#[derive(Debug, Clone)]
pub struct Today {
    now: Timestamp,
    zone: TimeZone,
}

impl Today {
    /// The day it is at `now` in the book's time zone; an unknown zone is UTC (books with one do not load).
    pub fn at(now: Timestamp, timezone: &str) -> Self {
        Self { now, zone: TimeZone::get(timezone).unwrap_or(TimeZone::UTC) }
    }

    /// The day.
    pub fn date(&self) -> Date {
        let now = jiff::Timestamp::from_millisecond(self.now.0).unwrap_or_default();
        self.zone.to_datetime(now).date()
    }

    /// A civil time in the zone as a point in time; a time that a clock change skips or repeats is taken as it was before.
    fn point(&self, civil: DateTime) -> Option<Timestamp> {
        let time = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        Some(Timestamp(time.as_millisecond()))
    }
}

fn fail<T>(reason: impl Into<String>) -> Result<T, ValueError> {
    Err(ValueError(reason.into()))
}

/// `text` for a message: visible, and not longer than a line.
fn shown(text: &str) -> String {
    let text = visible(text);
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

impl ParamType {
    /// Reads what a person typed or a runbook has as default: `502`, `today`, `-3d`, `a, b, c`.
    ///
    /// # Errors
    /// Why it is not a value of this type, in plain words: `600 is above 599`.
    pub fn parse(&self, text: &str, today: &Today) -> Result<ParamValue, ValueError> {
        let trimmed = text.trim();
        if trimmed.is_empty() && !matches!(self, Self::String { .. }) {
            return fail("a value is needed");
        }
        match self {
            Self::Int { .. } => self.int(trimmed),
            Self::Decimal { .. } => self.decimal(trimmed),
            Self::Bool => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "yes" => Ok(ParamValue::Bool(true)),
                "false" | "no" => Ok(ParamValue::Bool(false)),
                _ => fail(format!("{} is neither true nor false", shown(trimmed))),
            },
            Self::Date { form } => {
                let date = relative_date(trimmed, today).map_or_else(|| date(trimmed, form.as_deref()), Ok)?;
                Ok(ParamValue::Date { date, form: form.clone() })
            }
            Self::Timestamp { form } => {
                let at = relative_time(trimmed, today).map_or_else(|| time(trimmed, form.as_deref(), today), Ok)?;
                Ok(ParamValue::Timestamp { at, form: form.clone() })
            }
            Self::Uuid => uuid(trimmed),
            Self::Enum { values } => one_of(trimmed, values),
            Self::String { .. } => self.string(text),
            Self::List { of, .. } => {
                let parts = list_parts(trimmed)?;
                let values = parts.iter().map(|part| of.parse(part, today)).collect::<Result<Vec<_>, _>>()?;
                self.list(values)
            }
        }
    }

    /// Reads the JSON of an event, of a batch's `params`, or of a result's cell: numbers may be text, nothing is relative.
    ///
    /// # Errors
    /// Why it is not a value of this type, in plain words.
    pub fn from_json(&self, value: &Value) -> Result<ParamValue, ValueError> {
        let utc = Today { now: Timestamp(0), zone: TimeZone::UTC };
        match (self, value) {
            (Self::List { of, .. }, Value::Array(items)) => {
                let values = items.iter().map(|item| of.from_json(item)).collect::<Result<Vec<_>, _>>()?;
                self.list(values)
            }
            (Self::List { .. }, _) => fail("a list is needed"),
            (_, Value::Null) => fail("there is no value (NULL)"),
            (Self::Date { form }, Value::String(text)) => {
                Ok(ParamValue::Date { date: date(text, form.as_deref())?, form: form.clone() })
            }
            (Self::Timestamp { form }, Value::String(text)) => {
                Ok(ParamValue::Timestamp { at: time(text, form.as_deref(), &utc)?, form: form.clone() })
            }
            (Self::Bool, Value::Bool(yes)) => Ok(ParamValue::Bool(*yes)),
            (Self::Int { .. } | Self::Decimal { .. } | Self::String { .. } | Self::Enum { .. }, Value::Number(number)) => {
                self.parse(&number.to_string(), &utc)
            }
            (_, Value::String(text)) => self.parse(text, &utc),
            (_, Value::Array(_)) => fail("a list is not a single value"),
            (_, Value::Object(_)) => fail("a row or object is not a single value"),
            (_, Value::Bool(_) | Value::Number(_)) => fail(format!("{value} is not of type {}", self.word())),
        }
    }

    /// The type that a bare word names, as in `--param day:date=…`: `int`, `list(int)`; `None` for an unknown word and for
    /// `enum`, which needs its values.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        if let Some(of) = word.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')')) {
            let of = Self::from_word(of)?;
            return (!matches!(of, Self::List { .. })).then(|| Self::List { of: Box::new(of), max: None });
        }
        Some(match word {
            "int" => Self::Int { min: None, max: None },
            "decimal" => Self::Decimal { min: None, max: None },
            "bool" => Self::Bool,
            "date" => Self::Date { form: None },
            "timestamp" => Self::Timestamp { form: None },
            "uuid" => Self::Uuid,
            "string" => Self::String { pattern: None, max: None },
            _ => return None,
        })
    }

    /// Whether a value has this type; values that were read by it have.
    ///
    /// # Errors
    /// Why not, in plain words.
    pub fn check(&self, value: &ParamValue) -> Result<(), ValueError> {
        let again = self.from_json(&value.to_json())?;
        if again == *value { Ok(()) } else { fail(format!("{} is not of type {}", shown(&value.text()), self.word())) }
    }

    fn int(&self, text: &str) -> Result<ParamValue, ValueError> {
        let Self::Int { min, max } = self else { return fail("not an int") };
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return fail(format!("{} is not a whole number", shown(text)));
        }
        let Ok(number) = text.parse::<i64>() else { return fail(format!("{} is beyond 64 bits", shown(text))) };
        match (min, max) {
            (Some(min), _) if number < *min => fail(format!("{number} is below {min}")),
            (_, Some(max)) if number > *max => fail(format!("{number} is above {max}")),
            _ => Ok(ParamValue::Int(number)),
        }
    }

    fn decimal(&self, text: &str) -> Result<ParamValue, ValueError> {
        let Self::Decimal { min, max } = self else { return fail("not a decimal") };
        let number: Decimal = text.parse().map_err(|reason: String| ValueError(reason.replace('`', "")))?;
        match (min, max) {
            (Some(min), _) if number.compare(*min).is_lt() => fail(format!("{number} is below {min}")),
            (_, Some(max)) if number.compare(*max).is_gt() => fail(format!("{number} is above {max}")),
            _ => Ok(ParamValue::Decimal(number)),
        }
    }

    fn string(&self, text: &str) -> Result<ParamValue, ValueError> {
        let Self::String { pattern, max } = self else { return fail("not a string") };
        let (length, max) = (text.chars().count(), max.unwrap_or(MAX_STRING));
        if length > max as usize {
            return fail(format!("{length} characters are more than {max}"));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return fail(format!("it holds a control character (U+{:04X})", control as u32));
        }
        match pattern {
            Some(pattern) if !pattern.matches(text) => {
                let text = if text.is_empty() { "an empty text".to_owned() } else { shown(text) };
                fail(format!("{text} does not match {}", visible(pattern.as_str())))
            }
            _ => Ok(ParamValue::String(text.to_owned())),
        }
    }

    fn list(&self, values: Vec<ParamValue>) -> Result<ParamValue, ValueError> {
        let Self::List { max, .. } = self else { return fail("not a list") };
        let max = max.unwrap_or(MAX_LIST);
        match values.len() {
            0 => fail("at least one value is needed"),
            n if n > max as usize => fail(format!("{n} values are more than {max}")),
            _ => Ok(ParamValue::List(values)),
        }
    }
}

/// `a, b` or `["a", "b"]`; JSON lets values hold commas.
fn list_parts(text: &str) -> Result<Vec<String>, ValueError> {
    if !text.starts_with('[') {
        return Ok(text.split(',').map(|part| part.trim().to_owned()).collect());
    }
    let items: Vec<Value> =
        serde_json::from_str(text).map_err(|_| ValueError("the list is not JSON such as [\"a\", \"b\"]".to_owned()))?;
    let parts = items.into_iter().map(|item| match item {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(item.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => fail("the list holds something that is not a single value"),
    });
    parts.collect()
}

fn one_of(text: &str, values: &[String]) -> Result<ParamValue, ValueError> {
    if values.iter().any(|value| value == text) {
        return Ok(ParamValue::Enum(text.to_owned()));
    }
    let near = nearest(text, values.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean {}?", visible(near))).unwrap_or_default();
    fail(format!("{} is none of {}{hint}", shown(text), visible(&values.join(", "))))
}

fn uuid(text: &str) -> Result<ParamValue, ValueError> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths != [8, 4, 4, 4, 12] || !parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit())) {
        return fail(format!("{} is not a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e", shown(text)));
    }
    Ok(ParamValue::Uuid(text.to_ascii_lowercase()))
}

/// `today`, `yesterday`, `tomorrow`, `-3d`, `+1d`.
fn relative_date(text: &str, today: &Today) -> Option<Date> {
    let days = match text.to_ascii_lowercase().as_str() {
        "today" | "now" => 0,
        "yesterday" => -1,
        "tomorrow" => 1,
        other if other.starts_with(['-', '+']) => other.strip_suffix('d')?.parse::<i32>().ok()?,
        _ => return None,
    };
    today.date().checked_add(Span::new().try_days(days).ok()?).ok()
}

/// `now`, `today` (its midnight), `yesterday`, `-15m`, `-3h`, `-2d`, `+1h30m`.
fn relative_time(text: &str, today: &Today) -> Option<Timestamp> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "now" => Some(today.now),
        "today" => today.point(today.date().to_datetime(jiff::civil::Time::midnight())),
        "yesterday" => today.point(today.date().checked_sub(1.day()).ok()?.to_datetime(jiff::civil::Time::midnight())),
        _ => {
            let (sign, length) = (lower.get(..1)?, lower.get(1..)?);
            let length: Millis = length.parse().ok()?;
            let at = match sign {
                "-" => today.now.minus(length),
                "+" => today.now.plus(length),
                _ => return None,
            };
            (YEAR_0..YEAR_10000).contains(&at.0).then_some(at)
        }
    }
}

/// ISO 8601, or the form itself.
fn date(text: &str, form: Option<&str>) -> Result<Date, ValueError> {
    let iso = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    let written = || form.and_then(|form| Date::strptime(form, text).ok());
    match iso.or_else(written) {
        Some(date) if (0..=9999).contains(&date.year()) => Ok(date),
        Some(_) => fail(format!("{} is not a day of the years 0 to 9999", shown(text))),
        None => fail(format!("{} is not a day such as 2026-11-20, today or -3d", shown(text))),
    }
}

/// RFC 3339 with an offset; without one, a time in the book's zone; or the form itself, in UTC.
fn time(text: &str, form: Option<&str>, today: &Today) -> Result<Timestamp, ValueError> {
    let point = text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()));
    let civil = || text.parse::<DateTime>().ok().and_then(|civil| today.point(civil));
    let written = || {
        let civil = DateTime::strptime(form?, text).ok()?;
        Some(Timestamp(TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond()))
    };
    match point.or_else(civil).or_else(written) {
        Some(at) if (YEAR_0..YEAR_10000).contains(&at.0) => Ok(at),
        Some(_) => fail(format!("{} is not a time of the years 0 to 9999", shown(text))),
        None => fail(format!("{} is not a time such as 2026-11-20T14:00:00Z, now or -3h", shown(text))),
    }
}

/// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z in milliseconds.
const YEAR_0: i64 = -62_167_219_200_000;
const YEAR_10000: i64 = 253_402_300_800_000;

impl ParamValue {
    /// Canonical JSON for events: numbers as numbers where every reader keeps them exact, else as text; days and times in
    /// ISO 8601 whatever their form.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Int(number) if number.unsigned_abs() < 1 << 53 => Value::from(*number),
            Self::Int(number) => Value::from(number.to_string()),
            Self::Decimal(number) => Value::from(number.to_string()),
            Self::Bool(yes) => Value::from(*yes),
            Self::Date { date, .. } => Value::from(date.to_string()),
            Self::Timestamp { at, .. } => Value::from(at.to_string()),
            Self::Uuid(text) | Self::Enum(text) | Self::String(text) => Value::from(text.clone()),
            Self::List(values) => Value::Array(values.iter().map(Self::to_json).collect()),
        }
    }
}

/// Checks a `strftime` form of a date or timestamp by writing one with it.
///
/// # Errors
/// What is wrong, in plain words.
pub(super) fn check_form(form: &str, time: bool) -> Result<(), String> {
    use std::fmt::Write as _;
    let sample = jiff::civil::date(2026, 11, 20).at(14, 2, 11, 0);
    let mut text = String::new();
    let written = if time { write!(text, "{}", sample.strftime(form)) } else { write!(text, "{}", sample.date().strftime(form)) };
    let kind = if time { "time" } else { "day" };
    match written {
        Err(_) => Err(format!("is not a form that a {kind} can be written in")),
        Ok(()) if text == form => Err(format!("holds nothing of the {kind}")),
        Ok(()) if text.chars().any(char::is_control) => Err("holds a control character".to_owned()),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> Today {
        Today::at("2026-11-20T23:30:00Z".parse().unwrap(), "UTC")
    }

    fn of(json: &str) -> ParamType {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_and_their_forms() {
        let day = r#"{"type":"date","as":"%Y/%m/%d"}"#;
        for (param_type, text, shown) in [
            (r#"{"type":"int","min":400,"max":599}"#, " 502 ", "502"),
            (r#"{"type":"int"}"#, "-9223372036854775808", "-9223372036854775808"),
            (r#"{"type":"decimal","min":"0.5"}"#, "0.50", "0.50"),
            (r#"{"type":"bool"}"#, "Yes", "true"),
            (r#"{"type":"date"}"#, "today", "2026-11-20"),
            (day, "yesterday", "2026/11/19"),
            (day, "-3d", "2026/11/17"),
            (day, "2026-02-28", "2026/02/28"),
            (day, "2026/02/28", "2026/02/28"),
            (r#"{"type":"timestamp"}"#, "-1h30m", "2026-11-20T22:00:00.000Z"),
            (r#"{"type":"timestamp"}"#, "2026-11-20 14:00", "2026-11-20T14:00:00.000Z"),
            (r#"{"type":"timestamp","as":"%Y-%m-%dT%H:%M:%SZ"}"#, "2026-11-20T15:00:00+01:00", "2026-11-20T14:00:00Z"),
            (r#"{"type":"uuid"}"#, "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            (r#"{"type":"enum","values":["a","b"]}"#, "b", "b"),
            (r#"{"type":"string","pattern":"ord_[0-9]+"}"#, "ord_7", "ord_7"),
            (r#"{"type":"list","of":{"type":"int"}}"#, "200, 502", "200, 502"),
            (r#"{"type":"list","of":{"type":"string"}}"#, r#"["a,b", "c"]"#, "a,b, c"),
        ] {
            let param_type = of(param_type);
            let value = param_type.parse(text, &today()).unwrap();
            assert_eq!(value.text(), shown, "{text}");
            assert_eq!(param_type.from_json(&value.to_json()).unwrap(), value, "{text}");
            param_type.check(&value).unwrap();
        }
    }

    #[test]
    fn reasons_are_plain() {
        for (param_type, text, reason) in [
            (r#"{"type":"int","min":400,"max":599}"#, "600", "600 is above 599"),
            (r#"{"type":"int","min":400,"max":599}"#, "399", "399 is below 400"),
            (r#"{"type":"int"}"#, "4o2", "4o2 is not a whole number"),
            (r#"{"type":"int"}"#, "٥", "٥ is not a whole number"),
            (r#"{"type":"int"}"#, "9223372036854775808", "9223372036854775808 is beyond 64 bits"),
            (r#"{"type":"int"}"#, "", "a value is needed"),
            (r#"{"type":"decimal","max":1}"#, "1.01", "1.01 is above 1"),
            (r#"{"type":"decimal"}"#, "1e9", "1e9 is not a decimal number such as 12.50"),
            (r#"{"type":"bool"}"#, "maybe", "maybe is neither true nor false"),
            (r#"{"type":"date"}"#, "2026-02-30", "2026-02-30 is not a day such as 2026-11-20, today or -3d"),
            (r#"{"type":"timestamp"}"#, "-9999999d", "-9999999d is not a time such as 2026-11-20T14:00:00Z, now or -3h"),
            (r#"{"type":"timestamp"}"#, "noon", "noon is not a time such as 2026-11-20T14:00:00Z, now or -3h"),
            (r#"{"type":"uuid"}"#, "x", "x is not a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e"),
            (r#"{"type":"enum","values":["open","closed"]}"#, "close", "close is none of open, closed; did you mean closed?"),
            (r#"{"type":"string","pattern":"ord_[0-9]+"}"#, "ord_7'", "ord_7' does not match ord_[0-9]+"),
            (r#"{"type":"string","max":3}"#, "four", "4 characters are more than 3"),
            (r#"{"type":"string"}"#, "a\u{1b}[2J", "it holds a control character (U+001B)"),
            (r#"{"type":"list","of":{"type":"int"}}"#, "[]", "at least one value is needed"),
            (r#"{"type":"list","of":{"type":"int"},"max":2}"#, "1,2,3", "3 values are more than 2"),
            (r#"{"type":"list","of":{"type":"int"}}"#, "1,,3", "a value is needed"),
        ] {
            assert_eq!(of(param_type).parse(text, &today()).unwrap_err().0, reason, "{text}");
        }
    }

    #[test]
    fn today_is_the_books() {
        let berlin = Today::at("2026-11-20T23:30:00Z".parse().unwrap(), "Europe/Berlin");
        assert_eq!(ParamType::Date { form: None }.parse("today", &berlin).unwrap().text(), "2026-11-21");
        let midnight = ParamType::Timestamp { form: None }.parse("today", &berlin).unwrap();
        assert_eq!(midnight.text(), "2026-11-20T23:00:00.000Z");
    }

    #[test]
    fn words_name_types() {
        assert_eq!(ParamType::from_word("list(int)").unwrap(), of(r#"{"type":"list","of":{"type":"int"}}"#));
        assert_eq!(ParamType::from_word("date").unwrap(), of(r#"{"type":"date"}"#));
        assert!(ParamType::from_word("enum").is_none());
        assert!(ParamType::from_word("list(list(int))").is_none());
    }

    #[test]
    fn forms_are_checked() {
        assert!(check_form("%Y/%m/%d", false).is_ok());
        assert!(check_form("%Y/%m/%d %H", true).is_ok());
        for form in ["plain", "%Q!", "%H:%M", "%", "%Y\n"] {
            assert!(check_form(form, false).is_err(), "{form}");
        }
    }

    proptest! {
        /// What was read is read again from its JSON, and is what it was.
        #[test]
        fn json_round_trips(text in "\\PC{0,12}", number in any::<i64>(), days in -9_000_i32..9_000) {
            for (param_type, text) in [
                (ParamType::String { pattern: None, max: None }, text),
                (ParamType::Int { min: None, max: None }, number.to_string()),
                (ParamType::Date { form: Some("%Y/%m/%d".into()) }, format!("{days:+}d")),
                (ParamType::Timestamp { form: None }, format!("-{}d", days.unsigned_abs())),
            ] {
                let value = param_type.parse(&text, &today()).unwrap();
                prop_assert_eq!(param_type.from_json(&value.to_json()).unwrap(), value);
            }
        }

        /// No text makes reading panic, and what a pattern admits has no other characters.
        #[test]
        fn hostile_text(text in "\\PC*|.*") {
            let pattern: ParamType = of(r#"{"type":"string","pattern":"[a-z]{1,8}"}"#);
            if let Ok(value) = pattern.parse(&text, &today()) {
                prop_assert!(value.text().bytes().all(|b| b.is_ascii_lowercase()));
            }
            for word in ["int", "decimal", "bool", "date", "timestamp", "uuid", "list(string)"] {
                let _ = ParamType::from_word(word).unwrap().parse(&text, &today());
            }
        }
    }
}
