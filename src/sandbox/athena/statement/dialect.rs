//! What the parser shall accept: as little beyond Trino's grammar as its switches allow.

use datafusion::sql::sqlparser::dialect::Dialect;

/// Trino's lexical rules and the constructs that both Trino and the engine have.
#[derive(Debug)]
pub(crate) struct Trino;

impl Dialect for Trino {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn identifier_quote_style(&self, _: &str) -> Option<char> {
        Some('"')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_ascii_alphanumeric() || ch == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_subquery_as_function_arg(&self) -> bool {
        false
    }

    fn supports_explain_with_utility_options(&self) -> bool {
        true
    }

    // `INTERVAL '1' DAY`: the unit is not optional.
    fn require_interval_qualifier(&self) -> bool {
        true
    }
}
