//! Expressions and templates: MiniJinja with fuel, over given values alone.

use crate::core::book::Place;

/// An expression of a runbook (`when`, `expect`, `from`), known to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As written.
    pub source: String,
    /// Where.
    pub place: Place,
}

/// Prose or a DynamoDB value with `{{ name }}`, known to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As written.
    pub source: String,
    /// Where.
    pub place: Place,
}
