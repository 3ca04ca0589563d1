//! What a statement does, known by its first words. Only reads are parsed further; everything else is named and blocked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a statement, as the book's `statements` list and the guard's `statement` key name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatementKind {
    /// SELECT, WITH, VALUES, TABLE: a query.
    Select,
    /// SHOW … about names: tables, schemas, columns, functions, partitions.
    Show,
    /// SHOW STATS, which shows the lowest and highest values of columns.
    ShowStats,
    /// DESCRIBE or DESC of a table.
    Describe,
    /// DESCRIBE INPUT or OUTPUT of a prepared statement.
    DescribePrepared,
    /// EXPLAIN without ANALYZE: plans, reads nothing.
    Explain,
    /// EXPLAIN ANALYZE, which runs the statement.
    ExplainAnalyze,
    /// CREATE TABLE … AS: writes the result of a query.
    Ctas,
    /// CREATE, ALTER, DROP, COMMENT, TRUNCATE, RENAME and the like.
    Ddl,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// UNLOAD: writes the result of a query to files.
    Unload,
    /// PREPARE.
    Prepare,
    /// EXECUTE, with or without IMMEDIATE.
    Execute,
    /// DEALLOCATE PREPARE.
    Deallocate,
    /// MSCK REPAIR TABLE.
    Msck,
    /// VACUUM and OPTIMIZE of Athena's Iceberg tables.
    Maintain,
    /// ANALYZE: collects statistics by reading a table.
    Analyze,
    /// CALL of a procedure.
    Call,
    /// GRANT, REVOKE, DENY.
    Grant,
    /// SET and RESET of session, role, path and time zone; USE.
    Session,
    /// START TRANSACTION, COMMIT, ROLLBACK.
    Transaction,
    /// REFRESH MATERIALIZED VIEW.
    Refresh,
    /// USING EXTERNAL FUNCTION …: sends values to a Lambda function.
    ExternalFunction,
    /// More than one statement.
    Several,
    /// Nothing but blanks and comments.
    Empty,
    /// None of the above.
    Unknown,
}

impl StatementKind {
    /// The name in JSON, in the book and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Show => "show",
            Self::ShowStats => "show-stats",
            Self::Describe => "describe",
            Self::DescribePrepared => "describe-prepared",
            Self::Explain => "explain",
            Self::ExplainAnalyze => "explain-analyze",
            Self::Ctas => "ctas",
            Self::Ddl => "ddl",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Merge => "merge",
            Self::Unload => "unload",
            Self::Prepare => "prepare",
            Self::Execute => "execute",
            Self::Deallocate => "deallocate",
            Self::Msck => "msck",
            Self::Maintain => "maintain",
            Self::Analyze => "analyze",
            Self::Call => "call",
            Self::Grant => "grant",
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Refresh => "refresh",
            Self::ExternalFunction => "external-function",
            Self::Several => "several",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a book may allow this kind at all (`guardrails.athena.statements`).
    pub fn may_be_allowed(self) -> bool {
        matches!(self, Self::Select | Self::Show | Self::Describe | Self::Explain)
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
