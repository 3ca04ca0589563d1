//! What a statement does, known by its first words. Only reads are parsed further; everything else is named and blocked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::keyword::Keyword;
use super::token::{Symbol, TokenIx, TokenKind, Tokens};

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

/// The kind of the statement that starts at token `at`, by its first words alone. A query may still turn out to be none.
pub fn kind_of(tokens: &Tokens, at: TokenIx) -> StatementKind {
    let word = |ahead: u32| match tokens.get(at + ahead).kind {
        TokenKind::Word(word) => Some(word),
        _ => None,
    };
    let Some(first) = word(0) else {
        return match tokens.get(at).kind {
            TokenKind::End => StatementKind::Empty,
            TokenKind::Symbol(Symbol::LeftParen) => StatementKind::Select,
            _ => StatementKind::Unknown,
        };
    };
    match first {
        Keyword::Select | Keyword::With | Keyword::Values | Keyword::Table => StatementKind::Select,
        Keyword::Show if word(1) == Some(Keyword::Stats) => StatementKind::ShowStats,
        Keyword::Show => StatementKind::Show,
        Keyword::Describe | Keyword::Desc if prepared(tokens, at) => StatementKind::DescribePrepared,
        Keyword::Describe | Keyword::Desc => StatementKind::Describe,
        Keyword::Explain if word(1) == Some(Keyword::Analyze) => StatementKind::ExplainAnalyze,
        Keyword::Explain => StatementKind::Explain,
        Keyword::Create if writes_query(tokens, at) => StatementKind::Ctas,
        Keyword::Create | Keyword::Alter | Keyword::Drop | Keyword::Comment | Keyword::Truncate => StatementKind::Ddl,
        Keyword::Insert => StatementKind::Insert,
        Keyword::Update => StatementKind::Update,
        Keyword::Delete => StatementKind::Delete,
        Keyword::Merge => StatementKind::Merge,
        Keyword::Unload => StatementKind::Unload,
        Keyword::Prepare => StatementKind::Prepare,
        Keyword::Execute => StatementKind::Execute,
        Keyword::Deallocate => StatementKind::Deallocate,
        Keyword::Msck => StatementKind::Msck,
        Keyword::Vacuum | Keyword::Optimize => StatementKind::Maintain,
        Keyword::Analyze => StatementKind::Analyze,
        Keyword::Call => StatementKind::Call,
        Keyword::Grant | Keyword::Revoke | Keyword::Deny => StatementKind::Grant,
        Keyword::Set | Keyword::Reset | Keyword::Use => StatementKind::Session,
        Keyword::Start | Keyword::Commit | Keyword::Rollback => StatementKind::Transaction,
        Keyword::Refresh => StatementKind::Refresh,
        Keyword::Using => StatementKind::ExternalFunction,
        _ => StatementKind::Unknown,
    }
}

/// DESCRIBE INPUT x, DESCRIBE OUTPUT x; a table may be called `input` too.
fn prepared(tokens: &Tokens, at: TokenIx) -> bool {
    matches!(tokens.get(at + 1).kind, TokenKind::Word(Keyword::Input | Keyword::Output))
        && !matches!(tokens.get(at + 2).kind, TokenKind::End | TokenKind::Symbol(Symbol::Dot | Symbol::Semicolon))
}

/// CREATE TABLE … AS query.
fn writes_query(tokens: &Tokens, at: TokenIx) -> bool {
    let kind = |ahead: u32| tokens.get(at + ahead).kind;
    let replace = kind(1) == TokenKind::Word(Keyword::Or);
    if kind(if replace { 3 } else { 1 }) != TokenKind::Word(Keyword::Table) {
        return false;
    }
    (0..).map(kind).take_while(|kind| *kind != TokenKind::End).zip(1..).any(|(this, next)| {
        this == TokenKind::Word(Keyword::As)
            && matches!(
                kind(next),
                TokenKind::Symbol(Symbol::LeftParen)
                    | TokenKind::Word(Keyword::Select | Keyword::With | Keyword::Values | Keyword::Table)
            )
    })
}
