//! Deterministic functions that are evaluated per partition, as the server does when it prunes. A name or a shape that is not
//! here gives `None`: the partition is kept.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Weekday};

use super::cast::{Target, cast, parse_date};
use super::value::{Arithmetic, Value};

/// What the server's clock would say: `now()` and its relatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// The moment of the estimate, in UTC: the zone of Athena's sessions.
    pub(super) now: DateTime,
}

impl Clock {
    /// The clock at `now`; `None` outside the years that a date can hold.
    pub(super) fn at(now: crate::core::units::Timestamp) -> Option<Self> {
        let time = jiff::Timestamp::from_millisecond(now.0).ok()?;
        Some(Self { now: time.to_zoned(jiff::tz::TimeZone::UTC).datetime() })
    }

    /// `current_date`.
    pub(super) fn today(self) -> Date {
        self.now.date()
    }
}

/// Calls `name` (lower case) with arguments that are all known.
pub(super) fn call(name: &str, args: &[Value], clock: Option<Clock>) -> Option<Value> {
    // These look at NULL themselves; all others give NULL for NULL.
    match name {
        "coalesce" => return Some(args.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null)),
        "nullif" => {
            let [a, b] = args else { return None };
            return Some(if a.equals(b)? == Value::Boolean(true) { Value::Null } else { a.clone() });
        }
        "if" => {
            let (condition, then, otherwise) = match args {
                [condition, then] => (condition, then, &Value::Null),
                [condition, then, otherwise] => (condition, then, otherwise),
                _ => return None,
            };
            return Some(if *condition == Value::Boolean(true) { then } else { otherwise }.clone());
        }
        // An error inside is already unknown, so what arrives here did not fail.
        "try" => return args.first().cloned(),
        _ => {}
    }
    if args.iter().any(Value::is_null) {
        return Some(Value::Null);
    }
    text(name, args).or_else(|| time(name, args, clock)).or_else(|| math(name, args))
}

fn text(name: &str, args: &[Value]) -> Option<Value> {
    let strings: Option<Vec<&str>> = args.iter().map(Value::as_text).collect();
    let number = |i: usize| args.get(i)?.as_whole();
    match (name, strings.as_deref(), args) {
        ("concat", Some(parts), _) => Some(Value::text(parts.concat())),
        // Case mapping beyond ASCII differs between libraries.
        ("lower", Some([s]), _) if s.is_ascii() => Some(Value::text(s.to_ascii_lowercase())),
        ("upper", Some([s]), _) if s.is_ascii() => Some(Value::text(s.to_ascii_uppercase())),
        ("length", Some([s]), _) => Some(Value::whole(i128::try_from(s.chars().count()).ok()?)),
        ("trim", Some([s]), _) if s.is_ascii() => Some(Value::text(s.trim_matches(' '))),
        ("ltrim", Some([s]), _) if s.is_ascii() => Some(Value::text(s.trim_start_matches(' '))),
        ("rtrim", Some([s]), _) if s.is_ascii() => Some(Value::text(s.trim_end_matches(' '))),
        ("reverse", Some([s]), _) => Some(Value::text(s.chars().rev().collect::<String>())),
        ("replace", Some([s, from]), _) if !from.is_empty() => Some(Value::text(s.replace(from, ""))),
        ("replace", Some([s, from, to]), _) if !from.is_empty() => Some(Value::text(s.replace(from, to))),
        ("strpos", Some([s, part]), _) => {
            let at = s.find(part).map_or(0, |at| s.get(..at).map_or(0, |head| head.chars().count() + 1));
            Some(Value::whole(i128::try_from(at).ok()?))
        }
        ("starts_with", Some([s, prefix]), _) => Some(Value::Boolean(s.starts_with(prefix))),
        ("regexp_like", Some([s, pattern]), _) => regexp_like(s, pattern),
        ("substr" | "substring", _, [Value::Text(s), _]) => substring(s, number(1)?, None),
        ("substr" | "substring", _, [Value::Text(s), _, _]) => substring(s, number(1)?, Some(number(2)?)),
        ("split_part", _, [Value::Text(s), Value::Text(by), _]) if !by.is_empty() => {
            let index = usize::try_from(number(2)?).ok()?.checked_sub(1)?;
            Some(s.split(by.as_str()).nth(index).map_or(Value::Null, Value::text))
        }
        ("lpad", _, [Value::Text(s), _, Value::Text(pad)]) => padded(s, number(1)?, pad, true),
        ("rpad", _, [Value::Text(s), _, Value::Text(pad)]) => padded(s, number(1)?, pad, false),
        _ => None,
    }
}

fn substring(s: &str, start: i128, length: Option<i128>) -> Option<Value> {
    let count = i128::try_from(s.chars().count()).ok()?;
    // Positions count from 1, negative ones from the end, 0 is nowhere.
    let from = match start {
        0 => return Some(Value::text("")),
        start if start > 0 => start - 1,
        start => count + start,
    };
    let length = length.unwrap_or(count);
    if from < 0 || from >= count || length <= 0 {
        return Some(Value::text(""));
    }
    let (from, length) = (usize::try_from(from).ok()?, usize::try_from(length.min(count)).ok()?);
    Some(Value::text(s.chars().skip(from).take(length).collect::<String>()))
}

fn padded(s: &str, size: i128, pad: &str, left: bool) -> Option<Value> {
    let size = usize::try_from(size).ok().filter(|n| *n <= 1000)?;
    let count = s.chars().count();
    if pad.is_empty() {
        return None;
    }
    if count >= size {
        return Some(Value::text(s.chars().take(size).collect::<String>()));
    }
    let fill: String = pad.chars().cycle().take(size - count).collect();
    Some(Value::text(if left { format!("{fill}{s}") } else { format!("{s}{fill}") }))
}

/// Only patterns that mean the same in every engine: the server's is Joni with Java's syntax.
fn regexp_like(s: &str, pattern: &str) -> Option<Value> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/^$.-_|()+*?[]=, ".contains(c);
    if !pattern.chars().all(plain) || pattern.contains("(?") || pattern.contains("[[") || s.contains(['\n', '\r']) {
        return None;
    }
    let regex = regex::RegexBuilder::new(pattern).size_limit(1 << 18).build().ok()?;
    Some(Value::Boolean(regex.is_match(s)))
}

fn math(name: &str, args: &[Value]) -> Option<Value> {
    let extreme = |wanted: Ordering| {
        args.iter()
            .skip(1)
            .try_fold(args.first()?.clone(), |best, value| Some(if value.order(&best)? == wanted { value.clone() } else { best }))
    };
    match (name, args) {
        ("abs", [value @ Value::Number(n)]) => {
            if n.unscaled < 0 {
                value.negated()
            } else {
                Some(value.clone())
            }
        }
        ("mod", [a, b]) => a.combined(Arithmetic::Modulus, b),
        ("greatest", _) => extreme(Ordering::Greater),
        ("least", _) => extreme(Ordering::Less),
        _ => None,
    }
}

fn time(name: &str, args: &[Value], clock: Option<Clock>) -> Option<Value> {
    let whole = |n: i64| Some(Value::whole(i128::from(n)));
    match (name, args) {
        ("current_date", []) => Some(Value::Date(clock?.today())),
        ("now" | "current_timestamp", []) => Some(Value::Instant(clock?.now)),
        ("localtimestamp", []) => Some(Value::Timestamp(clock?.now)),
        ("date", [value]) => cast(value, Target::Date),
        ("from_iso8601_date", [Value::Text(s)]) => Some(Value::Date(parse_date(s)?)),
        ("date_parse", [Value::Text(s), Value::Text(format)]) => Some(Value::Timestamp(parse_by(s, &mysql(format)?)?)),
        ("parse_datetime", [Value::Text(s), Value::Text(format)]) => Some(Value::Instant(parse_by(s, &joda(format)?)?)),
        ("date_format", [value, Value::Text(format)]) => format_by(moment(value)?, &mysql(format)?),
        ("format_datetime", [value, Value::Text(format)]) => format_by(moment(value)?, &joda(format)?),
        ("to_iso8601" | "date_to_string", [Value::Date(date)]) => Some(Value::text(date.to_string())),
        ("date_trunc", [Value::Text(unit), value]) => truncated(unit, value),
        ("date_add", [Value::Text(unit), amount, value]) => {
            value.later(&interval(unit, i64::try_from(amount.as_whole()?).ok()?)?, 1)
        }
        ("date_diff", [Value::Text(unit), from, to]) => difference(unit, moment(from)?, moment(to)?),
        ("year", [value]) => whole(i64::from(moment(value)?.year())),
        ("quarter", [value]) => whole(i64::from((moment(value)?.month() - 1) / 3 + 1)),
        ("month", [value]) => whole(i64::from(moment(value)?.month())),
        ("day" | "day_of_month", [value]) => whole(i64::from(moment(value)?.day())),
        ("hour", [Value::Timestamp(time) | Value::Instant(time)]) => whole(i64::from(time.hour())),
        ("minute", [Value::Timestamp(time) | Value::Instant(time)]) => whole(i64::from(time.minute())),
        ("second", [Value::Timestamp(time) | Value::Instant(time)]) => whole(i64::from(time.second())),
        ("day_of_week" | "dow", [value]) => whole(i64::from(moment(value)?.weekday().to_monday_one_offset())),
        ("day_of_year" | "doy", [value]) => whole(i64::from(moment(value)?.day_of_year())),
        ("week" | "week_of_year", [value]) => whole(i64::from(moment(value)?.date().iso_week_date().week())),
        ("year_of_week" | "yow", [value]) => whole(i64::from(moment(value)?.date().iso_week_date().year())),
        ("last_day_of_month", [value]) => Some(Value::Date(moment(value)?.date().last_of_month())),
        ("from_unixtime", [value]) => {
            let seconds = i64::try_from(value.as_whole()?).ok()?;
            let time = jiff::Timestamp::from_second(seconds).ok()?;
            Some(Value::Instant(time.to_zoned(jiff::tz::TimeZone::UTC).datetime()))
        }
        _ => None,
    }
}

fn moment(value: &Value) -> Option<DateTime> {
    match value {
        Value::Date(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
        Value::Timestamp(time) | Value::Instant(time) => Some(*time),
        _ => None,
    }
}

/// `amount` of a unit as an interval value; also what `INTERVAL '7' DAY` is.
pub(super) fn interval(unit: &str, amount: i64) -> Option<Value> {
    let micros = |each: i64| Some(Value::Days(amount.checked_mul(each)?));
    let months = |each: i64| Some(Value::Months(i32::try_from(amount.checked_mul(each)?).ok()?));
    match unit.to_ascii_lowercase().as_str() {
        "millisecond" => micros(1_000),
        "second" => micros(1_000_000),
        "minute" => micros(60_000_000),
        "hour" => micros(3_600_000_000),
        "day" => micros(86_400_000_000),
        "week" => micros(7 * 86_400_000_000),
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        _ => None,
    }
}

fn truncated(unit: &str, value: &Value) -> Option<Value> {
    let time = moment(value)?;
    let date = time.date();
    let midnight = jiff::civil::Time::midnight();
    let with = |date: Date| Some(date.to_datetime(midnight));
    let result = match unit.to_ascii_lowercase().as_str() {
        "year" => with(date.first_of_year()),
        "quarter" => with(Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok()?),
        "month" => with(date.first_of_month()),
        "week" => with(if date.weekday() == Weekday::Monday { date } else { date.nth_weekday(-1, Weekday::Monday).ok()? }),
        "day" => with(date),
        "hour" => Some(date.to_datetime(jiff::civil::Time::new(time.hour(), 0, 0, 0).ok()?)),
        "minute" => Some(date.to_datetime(jiff::civil::Time::new(time.hour(), time.minute(), 0, 0).ok()?)),
        _ => None,
    }?;
    Some(match value {
        Value::Date(_) if result.time() == midnight => Value::Date(result.date()),
        Value::Timestamp(_) => Value::Timestamp(result),
        Value::Instant(_) => Value::Instant(result),
        _ => return None,
    })
}

/// Whole units between two moments, towards zero.
fn difference(unit: &str, from: DateTime, to: DateTime) -> Option<Value> {
    let unit = match unit.to_ascii_lowercase().as_str() {
        "second" => jiff::Unit::Second,
        "minute" => jiff::Unit::Minute,
        "hour" => jiff::Unit::Hour,
        "day" => jiff::Unit::Day,
        "week" => jiff::Unit::Week,
        "month" => jiff::Unit::Month,
        "year" => jiff::Unit::Year,
        _ => return None,
    };
    let span = from.until((unit, to)).ok()?;
    let count = match unit {
        jiff::Unit::Second => span.get_seconds(),
        jiff::Unit::Minute => span.get_minutes(),
        jiff::Unit::Hour => i64::from(span.get_hours()),
        jiff::Unit::Day => i64::from(span.get_days()),
        jiff::Unit::Week => i64::from(span.get_weeks()),
        jiff::Unit::Month => i64::from(span.get_months()),
        _ => i64::from(span.get_years()),
    };
    Some(Value::whole(i128::from(count)))
}

/// One piece of a date format.
#[derive(Debug, PartialEq)]
enum Piece {
    Literal(char),
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// MySQL's formats, as `date_format` and `date_parse` read them.
fn mysql(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            pieces.push(Piece::Literal(c));
            continue;
        }
        match chars.next()? {
            'Y' => pieces.push(Piece::Year),
            'm' => pieces.push(Piece::Month),
            'd' => pieces.push(Piece::Day),
            'H' => pieces.push(Piece::Hour),
            'i' => pieces.push(Piece::Minute),
            's' | 'S' => pieces.push(Piece::Second),
            'T' => pieces.extend([Piece::Hour, Piece::Literal(':'), Piece::Minute, Piece::Literal(':'), Piece::Second]),
            '%' => pieces.push(Piece::Literal('%')),
            _ => return None,
        }
    }
    Some(pieces)
}

/// Joda's formats, as `format_datetime` and `parse_datetime` read them: only the padded fields.
fn joda(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(c).len();
        let (head, tail) = rest.split_at(run);
        match head {
            "yyyy" | "YYYY" | "y" => pieces.push(Piece::Year),
            "MM" => pieces.push(Piece::Month),
            "dd" => pieces.push(Piece::Day),
            "HH" => pieces.push(Piece::Hour),
            "mm" => pieces.push(Piece::Minute),
            "ss" => pieces.push(Piece::Second),
            "'" => {
                let (quoted, after) = tail.split_once('\'')?;
                pieces.extend(quoted.chars().map(Piece::Literal));
                rest = after;
                continue;
            }
            other if !c.is_ascii_alphabetic() && c != '\'' => pieces.extend(other.chars().map(Piece::Literal)),
            _ => return None,
        }
        rest = tail;
    }
    Some(pieces)
}

fn format_by(time: DateTime, pieces: &[Piece]) -> Option<Value> {
    let year = u16::try_from(time.year()).ok().filter(|year| (1000..=9999).contains(year))?;
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(c) => out.push(*c),
            Piece::Year => out.push_str(&format!("{year:04}")),
            Piece::Month => out.push_str(&format!("{:02}", time.month())),
            Piece::Day => out.push_str(&format!("{:02}", time.day())),
            Piece::Hour => out.push_str(&format!("{:02}", time.hour())),
            Piece::Minute => out.push_str(&format!("{:02}", time.minute())),
            Piece::Second => out.push_str(&format!("{:02}", time.second())),
        }
    }
    Some(Value::Text(out))
}

/// Reads `text` by fields of fixed width; the server is more lenient, and where it would be the answer is unknown.
fn parse_by(text: &str, pieces: &[Piece]) -> Option<DateTime> {
    let mut rest = text;
    let mut fields = [1970i16, 1, 1, 0, 0, 0];
    for piece in pieces {
        let (slot, width) = match piece {
            Piece::Literal(c) => {
                rest = rest.strip_prefix(*c)?;
                continue;
            }
            Piece::Year => (0, 4),
            Piece::Month => (1, 2),
            Piece::Day => (2, 2),
            Piece::Hour => (3, 2),
            Piece::Minute => (4, 2),
            Piece::Second => (5, 2),
        };
        let digits = rest.get(..width).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        *fields.get_mut(slot)? = digits.parse().ok()?;
        rest = rest.get(width..)?;
    }
    if !rest.is_empty() {
        return None;
    }
    let [year, month, day, hour, minute, second] = fields;
    let small = |n: i16| i8::try_from(n).ok();
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Option<Clock> {
        Clock::at("2026-11-20T14:30:00Z".parse().unwrap())
    }

    fn t(text: &str) -> Value {
        Value::text(text)
    }

    fn n(value: i128) -> Value {
        Value::whole(value)
    }

    fn d(text: &str) -> Value {
        Value::Date(text.parse().unwrap())
    }

    #[test]
    fn functions() {
        let now = || Value::Instant("2026-11-20T14:30:00".parse().unwrap());
        let cases: Vec<(&str, Vec<Value>, Option<Value>)> = vec![
            ("concat", vec![t("2026"), t("/"), t("11")], Some(t("2026/11"))),
            ("substr", vec![t("2026/11/20"), n(1), n(7)], Some(t("2026/11"))),
            ("substr", vec![t("2026/11/20"), n(-2)], Some(t("20"))),
            ("substr", vec![t("abc"), n(0)], Some(t(""))),
            ("substr", vec![t("abc"), n(-4)], Some(t(""))),
            ("substr", vec![t("abc"), n(2), n(99)], Some(t("bc"))),
            ("upper", vec![t("ß")], None),
            ("lpad", vec![t("7"), n(2), t("0")], Some(t("07"))),
            ("lpad", vec![t("777"), n(2), t("0")], Some(t("77"))),
            ("replace", vec![t("2026-11"), t("-"), t("/")], Some(t("2026/11"))),
            ("split_part", vec![t("a/b/c"), t("/"), n(3)], Some(t("c"))),
            ("split_part", vec![t("a/b/c"), t("/"), n(4)], Some(Value::Null)),
            ("strpos", vec![t("äbc"), t("c")], Some(n(3))),
            ("regexp_like", vec![t("2026/11/20"), t("^2026/1[12]")], Some(Value::Boolean(true))),
            ("regexp_like", vec![t("x"), t("\\p{Lu}")], None),
            ("coalesce", vec![Value::Null, t("a")], Some(t("a"))),
            ("lower", vec![Value::Null], Some(Value::Null)),
            ("date", vec![t("2026-11-20")], Some(d("2026-11-20"))),
            ("date_parse", vec![t("2026/11/20"), t("%Y/%m/%d")], Some(Value::Timestamp("2026-11-20T00:00:00".parse().unwrap()))),
            ("date_parse", vec![t("2026/13/20"), t("%Y/%m/%d")], None),
            ("date_format", vec![d("2026-11-05"), t("%Y/%m/%d")], Some(t("2026/11/05"))),
            ("date_format", vec![d("2026-11-05"), t("%M")], None),
            ("format_datetime", vec![d("2026-11-05"), t("yyyy/MM/dd")], Some(t("2026/11/05"))),
            ("format_datetime", vec![now(), t("yyyyMMdd'T'HH")], Some(t("20261120T14"))),
            ("date_trunc", vec![t("week"), d("2026-11-20")], Some(d("2026-11-16"))),
            ("date_trunc", vec![t("week"), d("2026-11-16")], Some(d("2026-11-16"))),
            ("date_trunc", vec![t("month"), d("2026-11-20")], Some(d("2026-11-01"))),
            ("date_add", vec![t("day"), n(-7), d("2026-11-20")], Some(d("2026-11-13"))),
            ("date_add", vec![t("month"), n(1), d("2026-01-31")], Some(d("2026-02-28"))),
            ("date_diff", vec![t("day"), d("2026-11-01"), d("2026-11-20")], Some(n(19))),
            ("date_diff", vec![t("month"), d("2026-01-31"), d("2026-02-28")], Some(n(0))),
            ("year", vec![d("2026-11-20")], Some(n(2026))),
            ("day_of_week", vec![d("2026-11-22")], Some(n(7))),
            ("current_date", vec![], Some(d("2026-11-20"))),
            ("random", vec![], None),
            ("greatest", vec![n(1), n(3), n(2)], Some(n(3))),
            ("nullif", vec![n(1), n(1)], Some(Value::Null)),
            ("if", vec![Value::Null, n(1), n(2)], Some(n(2))),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(call(name, &args, clock()), wanted, "{name} {args:?}");
        }
    }
}
