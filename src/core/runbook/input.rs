//! Inputs, and the types of parameters.

use serde::{Deserialize, Serialize};

use super::{Decimal, Pattern};
use crate::core::book::{ParamName, Place, Placed};
use crate::core::text::Untrusted;

/// One input of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: ParamName,
    /// Its type.
    pub param_type: ParamType,
    /// The default as text, to be read with [`ParamType::parse`] (it may be `today`).
    pub default: Option<Placed<String>>,
    /// Whether it may be left out.
    pub optional: bool,
    /// A line of help.
    pub help: Untrusted,
    /// Where it was written.
    pub place: Place,
}

/// The type of an input, capture or choice. Serialised as the keys of an input: `{"type":"int","min":400,"max":599}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum ParamType {
    /// A 64-bit integer.
    Int {
        /// Least value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// Greatest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// A decimal number of up to 38 digits (Trino's limit).
    Decimal {
        /// Least value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        min: Option<Decimal>,
        /// Greatest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        max: Option<Decimal>,
    },
    /// `true` or `false`.
    Bool,
    /// A day.
    Date {
        /// Makes it text: rendered by this `strftime` form as a varchar, as string partition keys need it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        form: Option<String>,
    },
    /// A point in time, UTC, milliseconds.
    Timestamp {
        /// Makes it text: rendered by this `strftime` form as a varchar.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        form: Option<String>,
    },
    /// A UUID.
    Uuid,
    /// One of a few words.
    Enum {
        /// The words, at least one.
        values: Vec<String>,
    },
    /// Text.
    String {
        /// A pattern that the whole text must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        pattern: Option<Pattern>,
        /// Characters at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u32>,
    },
    /// Several of one type, at least one; stands in `IN :name`.
    List {
        /// The type of each; not a list.
        of: Box<Self>,
        /// How many at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u32>,
    },
}

impl ParamType {
    /// The word of the type: `int`, `decimal`, `bool`, `date`, `timestamp`, `uuid`, `enum`, `string`, `list`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Int { .. } => "int",
            Self::Decimal { .. } => "decimal",
            Self::Bool => "bool",
            Self::Date { .. } => "date",
            Self::Timestamp { .. } => "timestamp",
            Self::Uuid => "uuid",
            Self::Enum { .. } => "enum",
            Self::String { .. } => "string",
            Self::List { .. } => "list",
        }
    }
}
