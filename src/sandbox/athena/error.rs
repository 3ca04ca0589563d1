//! Why an execution failed, in Athena's words where they are known.

use datafusion::sql::sqlparser::tokenizer::Location;
use serde::{Deserialize, Serialize};

/// A failed execution's reason. `AthenaError` and `StateChangeReason` are made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.reason())]
pub(super) struct Failure {
    /// Trino's error name, which begins the reason: `COLUMN_NOT_FOUND`. Empty for Athena's own words.
    pub(super) code: String,
    /// What happened.
    pub(super) message: String,
    /// Line and column, from 1.
    pub(super) place: Option<(u64, u64)>,
    /// Whose fault.
    pub(super) category: Category,
}

/// `AthenaError.ErrorCategory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Category {
    /// 1: the service's; worth trying again.
    System,
    /// 2: the statement's or the caller's. (3, neither, is never given here.)
    User,
}

impl Failure {
    /// A mistake in the statement.
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), place: None, category: Category::User }
    }

    /// Athena's own words, without a code in front.
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self::new("", message)
    }

    /// Something that broke in the sandbox.
    pub(super) fn system(message: impl Into<String>) -> Self {
        Self { category: Category::System, ..Self::new("GENERIC_INTERNAL_ERROR", message) }
    }

    /// Something that Athena has and the sandbox's engine does not.
    pub(super) fn not_here(what: &str) -> Self {
        Self::new("NOT_SUPPORTED", format!("the sandbox's engine does not have {what}; Athena does"))
    }

    /// With a place in the statement; line 0 means that it is not known.
    pub(super) fn at(mut self, place: Location) -> Self {
        self.place = (place.line > 0).then_some((place.line, place.column));
        self
    }

    /// `StateChangeReason`: `COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved …`.
    pub(super) fn reason(&self) -> String {
        let code = if self.code.is_empty() { String::new() } else { format!("{}: ", self.code) };
        let place = self.place.map(|(line, column)| format!("line {line}:{column}: ")).unwrap_or_default();
        format!("{code}{place}{}", self.message)
    }

    /// `AthenaError.ErrorCategory`.
    pub(super) fn error_category(&self) -> i32 {
        match self.category {
            Category::System => 1,
            Category::User => 2,
        }
    }

    /// `AthenaError.ErrorType`: the numbers that Athena was seen to give for these names; 1000 ("user error") for the others,
    /// 200 ("query engine had an internal error") for what is the service's fault.
    pub(super) fn error_type(&self) -> i32 {
        if self.category == Category::System {
            return 200;
        }
        match self.code.as_str() {
            "DIVISION_BY_ZERO" => 1001,
            "TYPE_MISMATCH" => 1002,
            "COLUMN_NOT_FOUND" => 1006,
            "INVALID_CAST_ARGUMENT" => 1100,
            "NOT_SUPPORTED" => 1200,
            "TABLE_NOT_FOUND" | "SCHEMA_NOT_FOUND" => 1301,
            "FUNCTION_NOT_FOUND" => 1303,
            _ => 1000,
        }
    }
}
