//! Guardrails as written: which tags are blocked, how far each rule goes, and the limits.

use indexmap::IndexMap;

use super::{Placed, Setting};
use crate::core::guard::{Level, Rule};
use crate::core::units::{Bytes, Micros};

/// The guardrails that hold: the book's, or the book's as a runbook tightened them. Every value knows where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrails {
    /// Columns and attributes with one of these tags are blocked; lower case.
    pub blocked_tags: Setting<Vec<String>>,
    /// Blocked columns that only influence the result.
    pub influence: Setting<Level>,
    /// Whether `count(blocked)` is blocked; allowed by default (CONTRACTS §4).
    pub count_of_blocked: Setting<bool>,
    /// Levels that were set; ask [`Guardrails::level`] for the one that holds.
    pub levels: IndexMap<Rule, Setting<Level>>,
    /// Limits of Athena statements.
    pub athena: AthenaLimits,
    /// Limits of DynamoDB reads.
    pub dynamodb: DynamodbLimits,
}

/// Limits of Athena statements. `None` means no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AthenaLimits {
    /// `expected` above this blocks.
    pub max_scan: Setting<Option<Bytes>>,
    /// `expected` above this warns.
    pub warn_scan: Setting<Option<Bytes>>,
    /// The sum of ceilings of a run.
    pub max_run_scan: Setting<Option<Bytes>>,
    /// Cost of one statement, in millionths of the price's currency.
    pub max_cost: Setting<Option<Micros>>,
    /// Whether the outermost query needs a LIMIT. It raises rule `limit` to block.
    pub require_limit: Setting<bool>,
    /// What an unknown estimate does: [`Level::Block`] or [`Level::Warn`].
    pub unknown_estimate: Setting<Level>,
    /// Partition columns (`db.table.column`) without a predicate on which the table may not be read.
    pub require_partition: Vec<Placed<ColumnName>>,
    /// Tables that may and may not be read.
    pub tables: NameRules,
    /// Functions that may and may not be called.
    pub functions: NameRules,
    /// Kinds of statements that may run.
    pub statements: Setting<Vec<StatementKind>>,
}

/// `db.table.column`, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// `db.table`, or `catalog.db.table`.
    pub table: String,
    /// The column.
    pub column: String,
}

/// Names allowed and denied, with `*` and `?`; an empty `allow` means all. Denial wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameRules {
    /// Where an `allow` list was written it must match; a runbook's list comes on top of the book's, so each list must match.
    pub allow: Vec<Vec<Placed<String>>>,
    /// None of these may match.
    pub deny: Vec<Placed<String>>,
}

/// A kind of statement that a book may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// SELECT, WITH, VALUES, TABLE.
    Select,
    /// SHOW …
    Show,
    /// DESCRIBE …
    Describe,
    /// EXPLAIN, never EXPLAIN ANALYZE, which executes.
    Explain,
}

/// Limits of DynamoDB reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamodbLimits {
    /// Read units of one step, whole units.
    pub max_read_units: Setting<Option<u64>>,
    /// What a full scan does; block by default.
    pub scan: Setting<Level>,
    /// What a write does; block by default, and nothing else until writes exist.
    pub writes: Setting<Level>,
}

impl Guardrails {
    /// The level of `rule` that holds, and where it was set.
    pub fn level(&self, rule: Rule) -> Setting<Level> {
        self.levels.get(&rule).cloned().unwrap_or_else(|| Setting::default_of(rule.default_level()))
    }
}

impl Default for Guardrails {
    /// What holds where a book says nothing (CONTRACTS §4): no tag is blocked, no limit.
    fn default() -> Self {
        Self {
            blocked_tags: Setting::default(),
            influence: Setting::default_of(Level::Block),
            count_of_blocked: Setting::default_of(false),
            levels: IndexMap::new(),
            athena: AthenaLimits::default(),
            dynamodb: DynamodbLimits {
                max_read_units: Setting::default(),
                scan: Setting::default_of(Level::Block),
                writes: Setting::default_of(Level::Block),
            },
        }
    }
}

impl Default for AthenaLimits {
    fn default() -> Self {
        Self {
            max_scan: Setting::default(),
            warn_scan: Setting::default(),
            max_run_scan: Setting::default(),
            max_cost: Setting::default(),
            require_limit: Setting::default(),
            unknown_estimate: Setting::default_of(Level::Block),
            require_partition: Vec::new(),
            tables: NameRules::default(),
            functions: NameRules::default(),
            statements: Setting::default_of(vec![StatementKind::Select]),
        }
    }
}
