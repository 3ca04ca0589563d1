//! Values of parameters.

use std::fmt;

use jiff::civil::Date;

use super::Decimal;
use crate::core::units::Timestamp;

/// A value that has the type of its input, capture or choice. It carries all that rendering needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A 64-bit integer.
    Int(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// True or false.
    Bool(bool),
    /// A day; `form` as [`super::ParamType::Date`] has it.
    Date {
        /// The day.
        date: Date,
        /// `strftime` form; where there is one the value is text.
        form: Option<String>,
    },
    /// A point in time; `form` as [`super::ParamType::Timestamp`] has it.
    Timestamp {
        /// The time.
        at: Timestamp,
        /// `strftime` form; where there is one the value is text.
        form: Option<String>,
    },
    /// A UUID, lower case with hyphens.
    Uuid(String),
    /// One of the words of an enum.
    Enum(String),
    /// Text.
    String(String),
    /// Several, not empty, all of one type.
    List(Vec<Self>),
}

/// What a value is in SQL; `core::sql` renders it canonically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlLiteral {
    /// `'…'`
    Varchar(String),
    /// `502`
    Integer(i64),
    /// `DECIMAL '12.50'`
    Decimal(String),
    /// `true`
    Boolean(bool),
    /// `DATE '2026-11-20'`
    Date(String),
    /// `TIMESTAMP '2026-11-20 14:00:00.000'`
    Timestamp(String),
    /// `UUID '…'`
    Uuid(String),
    /// `(…, …)`, the right side of IN.
    List(Vec<Self>),
}

/// A value that a type does not admit, in plain words: `600 is above 599`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

impl fmt::Display for ParamValue {
    /// As text, for `{{ name }}` and screens: dates by their form, lists with commas. Not escaped for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl ParamValue {
    /// The value as text: dates and times by their form, lists with `, ` between.
    pub fn text(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::Date { date, form: None } => date.to_string(),
            Self::Date { date, form: Some(form) } => formatted(&date.strftime(form)),
            Self::Timestamp { at, form: None } => at.to_string(),
            Self::Timestamp { at, form: Some(form) } => utc(*at).map_or_else(String::new, |time| formatted(&time.strftime(form))),
            Self::Uuid(text) | Self::Enum(text) | Self::String(text) => text.clone(),
            Self::List(values) => values.iter().map(Self::text).collect::<Vec<_>>().join(", "),
        }
    }

    /// What the value is in SQL.
    pub fn literal(&self) -> SqlLiteral {
        match self {
            Self::Int(number) => SqlLiteral::Integer(*number),
            Self::Decimal(number) => SqlLiteral::Decimal(number.to_string()),
            Self::Bool(yes) => SqlLiteral::Boolean(*yes),
            Self::Date { date, form: None } => SqlLiteral::Date(date.to_string()),
            Self::Timestamp { at, form: None } => SqlLiteral::Timestamp(
                utc(*at).map_or_else(String::new, |time| formatted(&time.strftime("%Y-%m-%d %H:%M:%S%.3f"))),
            ),
            Self::Date { form: Some(_), .. } | Self::Timestamp { form: Some(_), .. } => SqlLiteral::Varchar(self.text()),
            Self::Uuid(text) => SqlLiteral::Uuid(text.clone()),
            Self::Enum(text) | Self::String(text) => SqlLiteral::Varchar(text.clone()),
            Self::List(values) => SqlLiteral::List(values.iter().map(Self::literal).collect()),
        }
    }
}

/// The civil time in UTC; `None` outside the years −9999 to 9999, which no value that was read has.
pub(super) fn utc(at: Timestamp) -> Option<jiff::civil::DateTime> {
    let time = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(time))
}

/// `Display` of jiff's formatter fails on a bad form; forms are checked when the book is read.
pub(super) fn formatted(display: &jiff::fmt::strtime::Display<'_>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    match write!(text, "{display}") {
        Ok(()) => text,
        Err(_) => String::new(),
    }
}
