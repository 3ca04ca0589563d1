//! Calendar arithmetic on milliseconds since 1970, as Trino's date functions have it. Pure.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Unit};

/// A unit of `date_add`, `date_diff` and `date_trunc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Part {
    /// Reads a unit's name; Trino takes any case.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "millisecond" => Self::Millisecond,
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return Err(format!("'{text}' is not a valid Timestamp field")),
        })
    }

    /// Its length in milliseconds; `None` for months and longer.
    fn millis(self) -> Option<i64> {
        Some(match self {
            Self::Millisecond => 1,
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
            Self::Week => 604_800_000,
            Self::Month | Self::Quarter | Self::Year => return None,
        })
    }

    /// Months in it; 0 for shorter ones.
    fn months(self) -> i64 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
            _ => 0,
        }
    }
}

fn date_time(ms: i64) -> Option<DateTime> {
    Some(jiff::Timestamp::from_millisecond(ms).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime())
}

fn millis(at: DateTime) -> Option<i64> {
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// `ms` moved by `n` units. The day of the month is kept, or is the month's last. `None` when out of range.
pub(super) fn add(part: Part, n: i64, ms: i64) -> Option<i64> {
    match part.millis() {
        Some(unit) => ms.checked_add(n.checked_mul(unit)?),
        None => millis(date_time(ms)?.checked_add(Span::new().try_months(n.checked_mul(part.months())?).ok()?).ok()?),
    }
}

/// Whole units from `from` to `to`, towards zero.
pub(super) fn difference(part: Part, from: i64, to: i64) -> Option<i64> {
    match part.millis() {
        Some(unit) => Some(to.checked_sub(from)? / unit),
        None => {
            let span = date_time(from)?.until((Unit::Month, date_time(to)?)).ok()?;
            Some(i64::from(span.get_months()) / part.months())
        }
    }
}

/// The start of the unit that `ms` lies in. Weeks begin on Monday.
pub(super) fn truncate(part: Part, ms: i64) -> Option<i64> {
    match part {
        Part::Week => {
            let day = ms.div_euclid(86_400_000);
            // 1970-01-01 was a Thursday.
            Some((day - (day + 3).rem_euclid(7)) * 86_400_000)
        }
        Part::Month | Part::Quarter | Part::Year => {
            let date = date_time(ms)?.date();
            let month = match part {
                Part::Month => date.month(),
                Part::Quarter => (date.month() - 1) / 3 * 3 + 1,
                _ => 1,
            };
            millis(Date::new(date.year(), month, 1).ok()?.to_datetime(jiff::civil::Time::midnight()))
        }
        _ => part.millis().map(|unit| ms.div_euclid(unit) * unit),
    }
}

/// A field of `ms`, by Trino's function name.
pub(super) fn field(name: &str, ms: i64) -> Option<i64> {
    let at = date_time(ms)?;
    let date = at.date();
    Some(match name {
        "year" => i64::from(date.year()),
        "quarter" => i64::from((date.month() - 1) / 3 + 1),
        "month" => i64::from(date.month()),
        "week" => i64::from(date.iso_week_date().week()),
        "year_of_week" => i64::from(date.iso_week_date().year()),
        "day" => i64::from(date.day()),
        "day_of_week" => i64::from(date.weekday().to_monday_one_offset()),
        "day_of_year" => i64::from(date.day_of_year()),
        "hour" => i64::from(at.hour()),
        "minute" => i64::from(at.minute()),
        "second" => i64::from(at.second()),
        "millisecond" => ms.rem_euclid(1000),
        _ => return None,
    })
}

/// Reads ISO 8601 as `from_iso8601_timestamp` does: a date, perhaps a time, perhaps a zone (UTC if none).
pub(super) fn from_iso8601(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let number = |part: Option<&str>, digits: usize| {
        let part = part?;
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i16>().ok()).flatten()
    };
    let year = number(parts.next(), 4)?;
    let month = i8::try_from(number(parts.next(), 2)?).ok()?;
    let day = i8::try_from(number(parts.next(), 2)?).ok()?;
    let midnight = millis(Date::new(year, month, day).ok()?.to_datetime(jiff::civil::Time::midnight()))?;
    let Some(time) = time else { return Some(midnight) };
    let (clock, offset) = split_offset(time)?;
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => (clock, fraction),
        Some(_) => return None,
        None => (clock, ""),
    };
    let mut parts = clock.split(':');
    let mut next = |most: i64, required: bool| -> Option<i64> {
        match parts.next() {
            None if !required => Some(0),
            part => number(part, 2).map(i64::from).filter(|n| *n <= most),
        }
    };
    let (hour, minute, second) = (next(23, true)?, next(59, false)?, next(59, false)?);
    if parts.next().is_some() {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(midnight + hour * 3_600_000 + minute * 60_000 + second * 1000 + thousandths.parse::<i64>().ok()? - offset)
}

/// Splits off `Z` or `+02:00`; the offset in milliseconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let digits: String = zone.chars().skip(1).filter(char::is_ascii_digit).collect();
    let (hours, minutes): (i64, i64) = match digits.len() {
        2 => (digits.parse().ok()?, 0),
        4 => (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?),
        _ => return None,
    };
    let offset = (hours * 60 + minutes) * 60_000;
    Some((clock, if zone.starts_with('-') { -offset } else { offset }))
}

/// Writes `ms` by a MySQL format, as `date_format` does.
pub(super) fn format_mysql(format: &str, ms: i64) -> Result<String, String> {
    let at = date_time(ms).ok_or("a time outside the calendar")?;
    let mut out = String::with_capacity(24);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(spec) = chars.next() else { break };
        let strftime = match spec {
            'a' => "%a",
            'b' => "%b",
            'c' => "%-m",
            'd' => "%d",
            'e' => "%-d",
            'f' => {
                out.push_str(&format!("{:03}000", ms.rem_euclid(1000)));
                continue;
            }
            'H' => "%H",
            'h' | 'I' => "%I",
            'i' => "%M",
            'j' => "%j",
            'k' => "%-H",
            'l' => "%-I",
            'M' => "%B",
            'm' => "%m",
            'p' => "%p",
            'r' => "%I:%M:%S %p",
            'S' | 's' => "%S",
            'T' => "%H:%M:%S",
            'v' => "%V",
            'W' => "%A",
            'x' => "%G",
            'Y' => "%Y",
            'y' => "%y",
            '%' => "%%",
            'D' | 'U' | 'u' | 'V' | 'w' | 'X' => return Err(format!("%{spec} not supported in date format string")),
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(&at.strftime(strftime).to_string());
    }
    Ok(out)
}

/// Reads text by a MySQL format, as `date_parse` does: numbers only, what is not given is that of 1970-01-01.
pub(super) fn parse_mysql(format: &str, text: &str) -> Result<i64, String> {
    let invalid = || format!("Invalid format: \"{text}\"");
    let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut thousandth) =
        (1970_i16, 1_i8, 1_i8, 0_i8, 0_i8, 0_i8, 0_i64);
    let mut rest = text;
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            rest = rest.strip_prefix(c).ok_or_else(invalid)?;
            continue;
        }
        let Some(spec) = chars.next() else { break };
        if spec == 'T' {
            for (n, field) in [&mut hour, &mut minute, &mut second].into_iter().enumerate() {
                if n > 0 {
                    rest = rest.strip_prefix(':').ok_or_else(invalid)?;
                }
                *field = take(&mut rest, 2).and_then(|n| i8::try_from(n).ok()).ok_or_else(invalid)?;
            }
            continue;
        }
        let most = match spec {
            'Y' => 4,
            'f' => 9,
            'm' | 'c' | 'd' | 'e' | 'H' | 'k' | 'i' | 'S' | 's' | 'y' => 2,
            '%' => {
                rest = rest.strip_prefix('%').ok_or_else(invalid)?;
                continue;
            }
            other => return Err(format!("the sandbox's date_parse has no %{other}; Athena's may")),
        };
        let before = rest;
        let number = take(&mut rest, most).ok_or_else(invalid)?;
        let small = i8::try_from(number).unwrap_or(i8::MAX);
        match spec {
            'Y' => year = i16::try_from(number).map_err(|_| invalid())?,
            'y' => year = i16::try_from(if number < 70 { 2000 + number } else { 1900 + number }).map_err(|_| invalid())?,
            'm' | 'c' => month = small,
            'd' | 'e' => day = small,
            'H' | 'k' => hour = small,
            'i' => minute = small,
            'f' => {
                let digits: String = before.chars().take_while(char::is_ascii_digit).chain("000".chars()).take(3).collect();
                thousandth = digits.parse().map_err(|_| invalid())?;
            }
            _ => second = small,
        }
    }
    if !rest.is_empty() {
        return Err(format!("{} is malformed at \"{rest}\"", invalid()));
    }
    let at = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| invalid())?;
    millis(at).map(|ms| ms + thousandth).ok_or_else(invalid)
}

fn take(rest: &mut &str, most: usize) -> Option<i64> {
    let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, tail) = rest.split_at(digits);
    *rest = tail;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        from_iso8601(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn iso_text_is_read() {
        assert_eq!(ms("1970-01-01"), 0);
        assert_eq!(ms("2026-11-20T13:52:07.123456Z"), 1_795_182_727_123);
        assert_eq!(ms("2026-11-20T13:52:07+02:00"), ms("2026-11-20T11:52:07Z"));
        assert_eq!(ms("2026-11-20T13:52-0130"), ms("2026-11-20T15:22:00Z"));
        assert_eq!(ms("2026-11-20T13"), ms("2026-11-20T13:00:00"));
        for bad in ["", "2026", "2026-13-01", "2026-11-20T", "2026-11-20T25:00", "2026-11-20 10:00:00", "2026-11-20T10:00:00.Z"] {
            assert_eq!(from_iso8601(bad), None, "{bad}");
        }
    }

    #[test]
    fn units_add_and_differ() {
        // What Trino's documentation of these functions gives.
        assert_eq!(add(Part::Second, 86, ms("2020-03-01")), Some(ms("2020-03-01T00:01:26")));
        assert_eq!(add(Part::Month, -1, ms("2020-03-31")), Some(ms("2020-02-29")));
        assert_eq!(add(Part::Quarter, 1, ms("2020-11-30")), Some(ms("2021-02-28")));
        assert_eq!(difference(Part::Second, ms("2020-03-01"), ms("2020-03-02")), Some(86_400));
        assert_eq!(difference(Part::Month, ms("2020-01-31"), ms("2020-02-29")), Some(0));
        assert_eq!(difference(Part::Year, ms("2020-06-01"), ms("2018-05-31")), Some(-2));
        assert_eq!(difference(Part::Day, ms("2020-03-02T10:00"), ms("2020-03-01T11:00")), Some(0));
        assert_eq!(add(Part::Year, i64::MAX, 0), None);
    }

    #[test]
    fn units_truncate() {
        for (part, want) in [
            (Part::Second, "2001-08-22T03:04:05"),
            (Part::Minute, "2001-08-22T03:04:00"),
            (Part::Hour, "2001-08-22T03:00:00"),
            (Part::Day, "2001-08-22"),
            (Part::Week, "2001-08-20"),
            (Part::Month, "2001-08-01"),
            (Part::Quarter, "2001-07-01"),
            (Part::Year, "2001-01-01"),
        ] {
            assert_eq!(truncate(part, ms("2001-08-22T03:04:05.321")), Some(ms(want)), "{part:?}");
        }
        assert_eq!(truncate(Part::Week, -1), Some(ms("1969-12-29")));
    }

    #[test]
    fn mysql_formats_go_both_ways() {
        let at = ms("2026-11-05T03:04:05.678");
        assert_eq!(format_mysql("%Y/%m/%d %H:%i:%s.%f %e %a %%", at).unwrap(), "2026/11/05 03:04:05.678000 5 Thu %");
        assert!(format_mysql("%D", at).is_err());
        assert_eq!(parse_mysql("%Y-%m-%d %T", "2026-11-05 03:04:05").unwrap(), ms("2026-11-05T03:04:05"));
        assert_eq!(parse_mysql("%d.%m.%y", "5.11.26").unwrap(), ms("2026-11-05"));
        assert!(parse_mysql("%Y-%m-%d", "2026-11-05x").unwrap_err().contains("malformed at"));
        assert!(parse_mysql("%Y-%m-%d", "2026-13-05").is_err());
    }

    #[test]
    fn fields_are_trinos() {
        let at = ms("2026-11-22T13:52:07.123");
        for (name, want) in
            [("year", 2026), ("quarter", 4), ("day_of_week", 7), ("day_of_year", 326), ("week", 47), ("millisecond", 123)]
        {
            assert_eq!(field(name, at), Some(want), "{name}");
        }
    }
}
