//! Guardrails: rules give findings, findings give a verdict. The types here are the JSON of `tollgate guard`, which other
//! programs rely on.

use serde::{Deserialize, Serialize};

use crate::core::estimate::{ReadCost, Scan};

/// What a book says should happen when a rule finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule is not run.
    Off,
    /// Shown; running wants a typed word.
    Warn,
    /// The statement does not run.
    Block,
}

/// The strictest of a statement's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing found, or nothing above `off`.
    Allow,
    /// At least one warning.
    Warn,
    /// At least one block.
    Block,
}

/// The rules, by the names that books and reports use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation; each rule's file says what it means")]
pub enum Rule {
    NotAnalysed,
    Unsupported,
    StatementKind,
    BlockedColumn,
    BlockedTable,
    Function,
    PartitionFilter,
    MaxScan,
    MaxCost,
    CrossJoin,
    SelectStar,
    Limit,
    OrderWithoutLimit,
    TypeMismatch,
    HiddenRead,
    SecondOpinion,
    ServicePlan,
    RunBudget,
    HardStop,
    SessionPolicy,
    NoReviewer,
    FullScan,
    PartitionKey,
    Index,
    BlockedAttribute,
    Projection,
    MaxReadUnits,
    Write,
}

impl Rule {
    /// Every rule, in the order of reports.
    pub const ALL: [Self; 28] = [
        Self::NotAnalysed,
        Self::Unsupported,
        Self::StatementKind,
        Self::BlockedColumn,
        Self::BlockedTable,
        Self::Function,
        Self::PartitionFilter,
        Self::MaxScan,
        Self::MaxCost,
        Self::CrossJoin,
        Self::SelectStar,
        Self::Limit,
        Self::OrderWithoutLimit,
        Self::TypeMismatch,
        Self::HiddenRead,
        Self::SecondOpinion,
        Self::ServicePlan,
        Self::RunBudget,
        Self::HardStop,
        Self::SessionPolicy,
        Self::NoReviewer,
        Self::FullScan,
        Self::PartitionKey,
        Self::Index,
        Self::BlockedAttribute,
        Self::Projection,
        Self::MaxReadUnits,
        Self::Write,
    ];

    /// The name as written in books and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAnalysed => "not-analysed",
            Self::Unsupported => "unsupported",
            Self::StatementKind => "statement-kind",
            Self::BlockedColumn => "blocked-column",
            Self::BlockedTable => "blocked-table",
            Self::Function => "function",
            Self::PartitionFilter => "partition-filter",
            Self::MaxScan => "max-scan",
            Self::MaxCost => "max-cost",
            Self::CrossJoin => "cross-join",
            Self::SelectStar => "select-star",
            Self::Limit => "limit",
            Self::OrderWithoutLimit => "order-without-limit",
            Self::TypeMismatch => "type-mismatch",
            Self::HiddenRead => "hidden-read",
            Self::SecondOpinion => "second-opinion",
            Self::ServicePlan => "service-plan",
            Self::RunBudget => "run-budget",
            Self::HardStop => "hard-stop",
            Self::SessionPolicy => "session-policy",
            Self::NoReviewer => "no-reviewer",
            Self::FullScan => "full-scan",
            Self::PartitionKey => "partition-key",
            Self::Index => "index",
            Self::BlockedAttribute => "blocked-attribute",
            Self::Projection => "projection",
            Self::MaxReadUnits => "max-read-units",
            Self::Write => "write",
        }
    }

    /// The level where a book says nothing (CONTRACTS §4).
    pub fn default_level(self) -> Level {
        match self {
            Self::SelectStar | Self::CrossJoin | Self::OrderWithoutLimit | Self::Projection => Level::Warn,
            Self::Limit => Level::Off,
            _ => Level::Block,
        }
    }
}

/// A position in a statement: line from 1, column from 1, counted in characters as Trino counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A stretch of a statement; `end` is the position after the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Just after it.
    pub end: Position,
}

/// How a blocked column is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Its values reach an output column.
    Flows,
    /// It changes which rows come, or their order or grouping.
    Influences,
}

/// A rewrite that removes a finding; it was judged again before being offered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, as a button says it.
    pub title: String,
    /// The whole statement after it.
    pub sql: String,
}

/// One rule's remark on a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How strict the book is about it.
    pub level: Level,
    /// Trino's error name, for `not-analysed`, `unsupported` and `type-mismatch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was found, in plain words.
    pub message: String,
    /// What it is about: a column, a table, a function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// For blocked columns: flows or influences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// `file:line` where the rule, limit or tag was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_in: Option<String>,
    /// Where in the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// A way out, if one is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Finding {
    /// A finding with only rule, level and message.
    pub fn new(rule: Rule, level: Level, message: impl Into<String>) -> Self {
        Self { rule, level, code: None, message: message.into(), subject: None, why: None, set_in: None, span: None, fix: None }
    }
}

/// A table that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableRead {
    /// `db.table`, or three parts for another data catalog.
    pub table: String,
    /// Every column named, expanded or compared; sorted, lower case; a struct field is `profile.ssn`.
    pub columns: Vec<String>,
    /// How many partitions the statement's predicates leave; absent when the table has none or they are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsMatched>,
}

/// Partitions left by pruning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartitionsMatched {
    /// Left.
    pub matched: u64,
    /// In all.
    pub total: u64,
}

/// One output column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutputColumn {
    /// Its name; `None` where the server invents one.
    pub name: Option<String>,
    /// Its Trino type, where it was inferred.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The columns whose values flow into it, as `db.table.column`.
    pub sources: Vec<String>,
}

/// Dollars (or the price's currency), as floats for programs that read the JSON; the plan holds integers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// At least.
    pub low: f64,
    /// Best guess.
    pub expected: f64,
    /// At most.
    pub high: f64,
    /// ISO 4217 code.
    pub currency: String,
}

/// Everything the guard says of one statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The strictest finding.
    pub verdict: Verdict,
    /// Kind of statement: `select`, `show`, `insert`, `dynamodb-get`, …
    pub statement: String,
    /// Whether it was read and resolved completely.
    pub analysed: bool,
    /// Remarks, in the order of their place in the statement.
    pub findings: Vec<Finding>,
    /// Tables and columns read.
    pub reads: Vec<TableRead>,
    /// Output columns with their sources.
    pub output: Vec<OutputColumn>,
    /// Columns that influence without flowing.
    pub filters_on: Vec<String>,
    /// Bytes, for SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// Read units, for DynamoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadCost>,
    /// Money, where a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The statement as it would be sent: re-emitted from its own tokens, comments dropped. Absent when it was not analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
}

impl Judgement {
    /// The verdict that `findings` give.
    pub fn verdict_of(findings: &[Finding]) -> Verdict {
        findings.iter().fold(Verdict::Allow, |verdict, finding| {
            verdict.max(match finding.level {
                Level::Off => Verdict::Allow,
                Level::Warn => Verdict::Warn,
                Level::Block => Verdict::Block,
            })
        })
    }
}
