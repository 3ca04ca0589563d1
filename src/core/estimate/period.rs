//! Partitions by time: which days (or months) a table's partition keys name, so that facts taken at one moment are not mistaken
//! for what is there at another (DESIGN §4.3).

use jiff::civil::{Date, DateTime};

use super::cast::parse_date;
use crate::core::catalog::{Partition, Table};
use crate::core::sql::types::Type;

/// How the keys of a table name a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    keys: Keys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// One key.
    One { key: usize, form: Form },
    /// A key each for year and month, and perhaps day.
    Apart { year: usize, month: usize, day: Option<usize>, padded: bool },
}

/// How one key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `2026-11-20`, also of type `date`.
    Dashes,
    /// `2026/11/20`
    Slashes,
    /// `20261120`
    Plain,
    /// `2026-11`
    MonthDashes,
    /// `2026/11`
    MonthSlashes,
}

impl Form {
    const ALL: [Self; 5] = [Self::Dashes, Self::Slashes, Self::Plain, Self::MonthDashes, Self::MonthSlashes];

    fn read(self, text: &str) -> Option<Period> {
        let dashed = |text: &str| parse_date(text).map(Period::day);
        match self {
            Self::Dashes => dashed(text),
            Self::Slashes => (!text.contains('-')).then(|| dashed(&text.replace('/', "-")))?,
            Self::Plain => {
                let (year, month, day) = (text.get(..4)?, text.get(4..6)?, text.get(6..)?);
                (text.len() == 8).then(|| dashed(&format!("{year}-{month}-{day}")))?
            }
            Self::MonthDashes => parse_date(&format!("{text}-01")).map(Period::month),
            Self::MonthSlashes => {
                (!text.contains('-')).then(|| parse_date(&format!("{}-01", text.replace('/', "-"))))?.map(Period::month)
            }
        }
    }

    fn write(self, period: Period) -> String {
        let (year, month, day) = (period.start.year(), period.start.month(), period.start.day());
        match self {
            Self::Dashes => format!("{year:04}-{month:02}-{day:02}"),
            Self::Slashes => format!("{year:04}/{month:02}/{day:02}"),
            Self::Plain => format!("{year:04}{month:02}{day:02}"),
            Self::MonthDashes => format!("{year:04}-{month:02}"),
            Self::MonthSlashes => format!("{year:04}/{month:02}"),
        }
    }
}

/// A day or a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Period {
    start: Date,
    month: bool,
}

impl Period {
    fn day(start: Date) -> Self {
        Self { start, month: false }
    }

    fn month(of: Date) -> Self {
        Self { start: of.first_of_month(), month: true }
    }

    /// The period after this one; `None` at the end of time.
    pub(super) fn next(self) -> Option<Self> {
        let span = if self.month { jiff::Span::new().months(1) } else { jiff::Span::new().days(1) };
        Some(Self { start: self.start.checked_add(span).ok()?, month: self.month })
    }

    /// Whether all of it lies before `moment` (UTC).
    pub(super) fn is_over(self, moment: DateTime) -> bool {
        self.next().is_some_and(|next| next.start.to_datetime(jiff::civil::Time::midnight()) <= moment)
    }
}

impl Calendar {
    /// The calendar of a table; `None` if its keys name no time, as far as its partitions show.
    pub(super) fn of(table: &Table, partitions: &[Partition]) -> Option<Self> {
        Self::apart(table, partitions).or_else(|| Self::one(table, partitions))
    }

    fn one(table: &Table, partitions: &[Partition]) -> Option<Self> {
        (0..table.partition_keys.len()).find_map(|key| {
            let values: Option<Vec<&str>> = some_values(partitions, key);
            let values = values.filter(|values| !values.is_empty())?;
            let form = Form::ALL.into_iter().find(|form| values.iter().all(|value| form.read(value).is_some()))?;
            Some(Self { keys: Keys::One { key, form } })
        })
    }

    fn apart(table: &Table, partitions: &[Partition]) -> Option<Self> {
        let named = |names: &[&str]| table.partition_keys.iter().position(|key| names.contains(&key.name.as_str()));
        let (year, month) = (named(&["year", "yyyy", "y"])?, named(&["month", "mm", "m"])?);
        let day = named(&["day", "dd", "d"]);
        let text =
            |key: usize| table.partition_keys.get(key).and_then(|k| Type::parse(&k.column_type)).is_some_and(|t| t.is_text());
        let padded = text(month) && some_values(partitions, month)?.iter().all(|value| value.len() == 2);
        let calendar = Self { keys: Keys::Apart { year, month, day, padded } };
        let mut readable = partitions.iter().filter(|p| p.values.iter().all(Option::is_some)).peekable();
        readable.peek()?;
        readable.all(|partition| calendar.period(partition).is_some()).then_some(calendar)
    }

    /// The positions of the keys that name the time.
    pub(super) fn keys(self) -> Vec<usize> {
        match self.keys {
            Keys::One { key, .. } => vec![key],
            Keys::Apart { year, month, day, .. } => [Some(year), Some(month), day].into_iter().flatten().collect(),
        }
    }

    /// When a partition is.
    pub(super) fn period(self, partition: &Partition) -> Option<Period> {
        let value = |key: usize| partition.values.get(key)?.as_deref();
        match self.keys {
            Keys::One { key, form } => form.read(value(key)?),
            Keys::Apart { year, month, day, .. } => {
                let number = |key: usize| value(key)?.parse::<i16>().ok();
                let small = |key: usize| i8::try_from(number(key)?).ok();
                let date = Date::new(number(year)?, small(month)?, day.map_or(Some(1), small)?).ok()?;
                Some(if day.is_some() { Period::day(date) } else { Period::month(date) })
            }
        }
    }

    /// The period that holds `moment`.
    pub(super) fn period_at(self, moment: DateTime) -> Period {
        if self.counts_months() { Period::month(moment.date()) } else { Period::day(moment.date()) }
    }

    /// The period that a constant of a predicate names, if it is written as the key is.
    pub(super) fn period_named(self, text: &str) -> Option<Period> {
        match self.keys {
            Keys::One { form, .. } => form.read(text).or_else(|| Form::Dashes.read(text)),
            Keys::Apart { .. } => None,
        }
    }

    /// How a period is written, where one key holds it.
    pub(super) fn written(self, period: Period) -> Option<String> {
        match self.keys {
            Keys::One { form, .. } => Some(form.write(period)),
            Keys::Apart { .. } => None,
        }
    }

    /// The values of a partition at `period`, the other keys as in `like`.
    pub(super) fn values_at(self, period: Period, like: &[Option<String>]) -> Vec<Option<String>> {
        let mut values = like.to_vec();
        let mut set = |key: usize, value: String| {
            if let Some(slot) = values.get_mut(key) {
                *slot = Some(value);
            }
        };
        match self.keys {
            Keys::One { key, form } => set(key, form.write(period)),
            Keys::Apart { year, month, day, padded } => {
                let two = |n: i8| if padded { format!("{n:02}") } else { n.to_string() };
                set(year, period.start.year().to_string());
                set(month, two(period.start.month()));
                if let Some(day) = day {
                    set(day, two(period.start.day()));
                }
            }
        }
        values
    }

    /// `days` or `months`, as a person calls the partitions; `None` if other keys split them further.
    pub(super) fn word(self, keys: usize) -> Option<&'static str> {
        (self.keys().len() == keys).then_some(if self.counts_months() { "months" } else { "days" })
    }

    fn counts_months(self) -> bool {
        match self.keys {
            Keys::One { form, .. } => matches!(form, Form::MonthDashes | Form::MonthSlashes),
            Keys::Apart { day, .. } => day.is_none(),
        }
    }
}

/// The values of one key that are not NULL; `None` if a partition has too few values.
fn some_values(partitions: &[Partition], key: usize) -> Option<Vec<&str>> {
    let values: Option<Vec<Option<&str>>> = partitions.iter().map(|p| p.values.get(key).map(Option::as_deref)).collect();
    Some(values?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::book::Setting;
    use crate::core::catalog::Column;

    fn table(keys: &[(&str, &str)], values: &[&[&str]]) -> (Table, Vec<Partition>) {
        let column = |(name, kind): &(&str, &str)| Column {
            name: (*name).to_owned(),
            column_type: (*kind).to_owned(),
            tags: Setting::default(),
        };
        let partitions: Vec<Partition> = values
            .iter()
            .map(|values| Partition { values: values.iter().map(|v| Some((*v).to_owned())).collect(), ..Partition::default() })
            .collect();
        let table = Table {
            format: None,
            location: None,
            base: String::new(),
            columns: vec![],
            partition_keys: keys.iter().map(column).collect(),
            partitions: None,
            view: None,
            taken_at: None,
            listed_at: None,
            place: None,
        };
        (table, partitions)
    }

    #[test]
    fn calendars_are_found_and_round_trip() {
        let cases: &[(&[(&str, &str)], &[&str], Option<&str>)] = &[
            (&[("day", "varchar")], &["2026/11/20"], Some("days")),
            (&[("day", "date")], &["2026-11-20"], Some("days")),
            (&[("dt", "varchar")], &["20261120"], Some("days")),
            (&[("month", "varchar")], &["2026-11"], Some("months")),
            (&[("year", "varchar"), ("month", "varchar"), ("day", "varchar")], &["2026", "03", "07"], Some("days")),
            (&[("year", "integer"), ("month", "integer")], &["2026", "3"], Some("months")),
            (&[("region", "varchar")], &["eu-central-1"], None),
            (&[("k", "integer")], &["12"], None),
        ];
        for (keys, values, word) in cases {
            let (table, partitions) = table(keys, &[values]);
            let calendar = Calendar::of(&table, &partitions);
            assert_eq!(calendar.and_then(|c| c.word(keys.len())), *word, "{values:?}");
            if let Some(calendar) = calendar {
                let period = calendar.period(&partitions[0]).unwrap();
                assert_eq!(calendar.values_at(period, &vec![None; keys.len()]), partitions[0].values, "{values:?}");
            }
        }
    }

    #[test]
    fn a_day_is_over_at_midnight() {
        let (table, partitions) = table(&[("day", "varchar")], &[&["2026/11/20"]]);
        let calendar = Calendar::of(&table, &partitions).unwrap();
        let day = calendar.period(&partitions[0]).unwrap();
        assert!(!day.is_over("2026-11-20T23:59:59".parse().unwrap()));
        assert!(day.is_over("2026-11-21T00:00:00".parse().unwrap()));
        assert_eq!(calendar.period_at("2026-11-20T10:00:00".parse().unwrap()), day);
    }
}
