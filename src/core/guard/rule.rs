//! The closed list of rules.

use serde::{Deserialize, Serialize};

use super::Level;

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
