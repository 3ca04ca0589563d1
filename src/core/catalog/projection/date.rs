//! Keys of type `date`: a range, a Java date format, a step.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};

use super::{ProjectionError, invalid, two};
use crate::core::units::Timestamp;

/// A key of dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dates {
    /// `projection.day`
    property: String,
    least: Bound,
    most: Bound,
    format: Pattern,
    step: i64,
    unit: Unit,
    /// How the partition's own value is written, where it is not as the location has it: keys of type `date` and `timestamp`.
    shown: Option<Pattern>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    At(DateTime),
    /// So many units after (or before) now.
    Now(i64, Unit),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Millis,
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

impl Unit {
    /// `DAY` or `DAYS`, whatever the case.
    fn read(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase();
        Some(match word.strip_suffix('S').unwrap_or(&word) {
            "MILLI" => Self::Millis,
            "SECOND" => Self::Seconds,
            "MINUTE" => Self::Minutes,
            "HOUR" => Self::Hours,
            "DAY" => Self::Days,
            "WEEK" => Self::Weeks,
            "MONTH" => Self::Months,
            "YEAR" => Self::Years,
            _ => return None,
        })
    }

    fn times(self, count: i64) -> Option<Span> {
        match self {
            Self::Millis => Span::new().try_milliseconds(count),
            Self::Seconds => Span::new().try_seconds(count),
            Self::Minutes => Span::new().try_minutes(count),
            Self::Hours => Span::new().try_hours(count),
            Self::Days => Span::new().try_days(count),
            Self::Weeks => Span::new().try_weeks(count),
            Self::Months => Span::new().try_months(count),
            Self::Years => Span::new().try_years(count),
        }
        .ok()
    }
}

impl Dates {
    pub(super) fn read(
        key: &str,
        key_type: &str,
        range: &str,
        format: &str,
        step: Option<i64>,
        unit: Option<&str>,
    ) -> Result<Self, ProjectionError> {
        let property = format!("projection.{key}");
        let pattern = Pattern::read(format).ok_or_else(|| {
            invalid(&format!("{property}.format"), format, "only letters of years to milliseconds are understood")
        })?;
        let named = format!("{property}.range");
        let wrong = |why: &str| invalid(&named, range, why);
        let (least, most) = two(range).ok_or_else(|| wrong("it must be two dates with a comma between"))?;
        let bound = |text: &str| {
            Bound::read(text, &pattern).ok_or_else(|| wrong("its dates must be in the key's format, or begin with NOW"))
        };
        let (least, most) = (bound(least)?, bound(most)?);
        if let (Bound::At(least), Bound::At(most)) = (least, most)
            && least > most
        {
            return Err(wrong("it begins after its end"));
        }
        let unit = match unit {
            Some(word) => {
                let property = format!("{property}.interval.unit");
                Unit::read(word).ok_or_else(|| {
                    invalid(&property, word, "it must be YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS or MILLIS")
                })?
            }
            // Only where the format's own precision says it (user guide: "single-day or single-month precision").
            None => match pattern.precision() {
                precision @ (Unit::Days | Unit::Months) => precision,
                Unit::Years => Unit::Months,
                _ => return Err(ProjectionError::Missing(format!("{property}.interval.unit"))),
            },
        };
        let shown = match key_type.split('(').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "date" => Pattern::read("yyyy-MM-dd"),
            "timestamp" => Pattern::read("yyyy-MM-dd HH:mm:ss.SSS"),
            _ => None,
        };
        Ok(Self { property, least, most, format: pattern, step: step.unwrap_or(1), unit, shown })
    }

    /// The dates at `now` as locations have them, with the partition's own value; `None` where there are more than `most`.
    #[allow(clippy::type_complexity, reason = "pairs of texts")]
    pub(super) fn values(&self, now: Timestamp, most: usize) -> Result<Option<Vec<(String, String)>>, ProjectionError> {
        let unreachable = || invalid(&format!("{}.range", self.property), "NOW", "it leads out of the calendar");
        let end = self.cut(self.most.at(now).ok_or_else(unreachable)?).ok_or_else(unreachable)?;
        let mut at = self.cut(self.least.at(now).ok_or_else(unreachable)?).ok_or_else(unreachable)?;
        let step = self.unit.times(self.step).ok_or_else(unreachable)?;
        let mut values = Vec::new();
        while at <= end {
            if values.len() == most {
                return Ok(None);
            }
            let place = self.format.write(at);
            let value = self.shown.as_ref().map_or_else(|| place.clone(), |shown| shown.write(at));
            values.push((place, value));
            let Ok(next) = at.checked_add(step) else { break };
            at = next;
        }
        Ok(Some(values))
    }

    /// A bound with what the format does not hold cut off.
    fn cut(&self, at: DateTime) -> Option<DateTime> {
        self.format.parse(&self.format.write(at))
    }
}

impl Bound {
    /// A date in the key's format; or `NOW`, `NOW-3YEARS`, `NOW + 1 MONTH`.
    fn read(text: &str, format: &Pattern) -> Option<Self> {
        if let Some(rest) = text.trim().strip_prefix("NOW") {
            let rest = rest.trim();
            if rest.is_empty() {
                return Some(Self::Now(0, Unit::Seconds));
            }
            let (sign, rest) = match rest.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, rest.strip_prefix('+')?),
            };
            let rest = rest.trim_start();
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (count, unit) = rest.split_at(digits);
            let unit = Unit::read(unit).filter(|unit| *unit != Unit::Millis)?;
            return Some(Self::Now(sign * count.parse::<i64>().ok()?, unit));
        }
        format.parse(text).map(Self::At)
    }

    fn at(self, now: Timestamp) -> Option<DateTime> {
        match self {
            Self::At(at) => Some(at),
            Self::Now(count, unit) => {
                // Athena's dates are in UTC.
                let now = TimeZone::UTC.to_datetime(jiff::Timestamp::from_millisecond(now.0).ok()?);
                now.checked_add(unit.times(count)?).ok()
            }
        }
    }
}

/// A `java.time` pattern, as far as partitions use them: years to milliseconds in numbers, months by name, texts in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    /// A field and how many letters it has.
    Field(Field, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Fraction,
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Pattern {
    fn read(text: &str) -> Option<Self> {
        let mut items: Vec<Item> = Vec::new();
        let mut chars = text.chars().peekable();
        let literal = |items: &mut Vec<Item>, c: char| match items.last_mut() {
            Some(Item::Text(text)) => text.push(c),
            _ => items.push(Item::Text(c.to_string())),
        };
        while let Some(c) = chars.next() {
            if c == '\'' {
                // Two quotes are one; else all up to the next quote.
                if chars.next_if_eq(&'\'').is_some() {
                    literal(&mut items, '\'');
                    continue;
                }
                loop {
                    match chars.next()? {
                        '\'' if chars.next_if_eq(&'\'').is_none() => break,
                        c => literal(&mut items, c),
                    }
                }
                continue;
            }
            if !c.is_ascii_alphabetic() {
                // Reserved or optional sections.
                if "[]{}#".contains(c) {
                    return None;
                }
                literal(&mut items, c);
                continue;
            }
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            let field = match (c, count) {
                ('y' | 'u', 2 | 4) => Field::Year,
                ('M' | 'L', 1..=4) => Field::Month,
                ('d', 1..=2) => Field::Day,
                ('D', 3) => Field::DayOfYear,
                ('H', 1..=2) => Field::Hour,
                ('m', 1..=2) => Field::Minute,
                ('s', 1..=2) => Field::Second,
                ('S', 1..=3) => Field::Fraction,
                _ => return None,
            };
            items.push(Item::Field(field, count));
        }
        let has = |field: Field| items.iter().any(|item| matches!(item, Item::Field(found, _) if *found == field));
        has(Field::Year).then_some(Self(items))
    }

    /// The smallest unit in it.
    fn precision(&self) -> Unit {
        let unit = |item: &Item| match item {
            Item::Text(_) => None,
            Item::Field(field, _) => Some(match field {
                Field::Year => Unit::Years,
                Field::Month => Unit::Months,
                Field::Day | Field::DayOfYear => Unit::Days,
                Field::Hour => Unit::Hours,
                Field::Minute => Unit::Minutes,
                Field::Second => Unit::Seconds,
                Field::Fraction => Unit::Millis,
            }),
        };
        self.0.iter().filter_map(unit).min().unwrap_or(Unit::Years)
    }

    fn write(&self, at: DateTime) -> String {
        let mut out = String::new();
        for item in &self.0 {
            let (field, count) = match item {
                Item::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Item::Field(field, count) => (*field, *count),
            };
            let month = || usize::try_from(at.month() - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default();
            let number = match field {
                Field::Month if count == 4 => {
                    out.push_str(month());
                    continue;
                }
                Field::Month if count == 3 => {
                    out.push_str(month().get(..3).unwrap_or_default());
                    continue;
                }
                Field::Year if count == 2 => i64::from(at.year()).rem_euclid(100),
                Field::Year => i64::from(at.year()),
                Field::Month => i64::from(at.month()),
                Field::Day => i64::from(at.day()),
                Field::DayOfYear => i64::from(at.day_of_year()),
                Field::Hour => i64::from(at.hour()),
                Field::Minute => i64::from(at.minute()),
                Field::Second => i64::from(at.second()),
                Field::Fraction => {
                    let millis = format!("{:03}", at.millisecond());
                    out.push_str(millis.get(..count).unwrap_or_default());
                    continue;
                }
            };
            out.push_str(&format!("{number:0count$}"));
        }
        out
    }

    fn parse(&self, text: &str) -> Option<DateTime> {
        let mut rest = text;
        let (mut year, mut month, mut day, mut of_year) = (None, 1, 1, None);
        let (mut hour, mut minute, mut second, mut nanos) = (0, 0, 0, 0);
        for item in &self.0 {
            let (field, count) = match item {
                Item::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Item::Field(field, count) => (*field, *count),
            };
            if field == Field::Month && count >= 3 {
                let names = (1_i8..)
                    .zip(MONTHS)
                    .map(|(number, name)| (number, if count == 3 { name.get(..3).unwrap_or(name) } else { name }));
                let (number, name) = names.into_iter().find(|(_, name)| rest.starts_with(name))?;
                (month, rest) = (number, rest.get(name.len()..)?);
                continue;
            }
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            // One letter takes what there is; more letters are so many digits.
            let width = if count == 1 && field != Field::Fraction { digits.min(2) } else { count };
            if width == 0 || digits < width {
                return None;
            }
            let (number, tail) = rest.split_at_checked(width)?;
            rest = tail;
            let number: i32 = number.parse().ok()?;
            let small = || i8::try_from(number).ok();
            match field {
                // Java's two-digit years are of this century.
                Field::Year => year = i16::try_from(if count == 2 { 2000 + number } else { number }).ok(),
                Field::Month => month = small()?,
                Field::Day => day = small()?,
                Field::DayOfYear => of_year = Some(number),
                Field::Hour => hour = small()?,
                Field::Minute => minute = small()?,
                Field::Second => second = small()?,
                Field::Fraction => nanos = number * 10_i32.pow(9 - u32::try_from(count).ok()?),
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let made = DateTime::new(year?, month, day, hour, minute, second, nanos).ok()?;
        match of_year {
            None => Some(made),
            Some(of_year) => made.checked_add((of_year - 1).days()).ok().filter(|at| Some(at.year()) == year),
        }
    }
}
