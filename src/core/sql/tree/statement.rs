//! Statements.

use super::super::kind::StatementKind;
use super::super::token::Span;
use super::{Expr, Ident, InlineFunction, QualifiedName, Query, Text};

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// SELECT, WITH, VALUES, TABLE.
    Query(Box<RootQuery>),
    /// SHOW.
    Show(Box<Show>),
    /// DESCRIBE, DESC.
    Describe(Describe),
    /// EXPLAIN, also ANALYZE.
    Explain(Box<Explain>),
    /// Anything else: named, not read.
    Other(Other),
}

impl Statement {
    /// What kind of statement it is.
    pub fn kind(&self) -> StatementKind {
        match self {
            Self::Query(_) => StatementKind::Select,
            Self::Show(show) => match show.what {
                ShowKind::Stats(_) | ShowKind::StatsFor(_) => StatementKind::ShowStats,
                _ => StatementKind::Show,
            },
            Self::Describe(_) => StatementKind::Describe,
            Self::Explain(explain) if explain.analyze => StatementKind::ExplainAnalyze,
            Self::Explain(_) => StatementKind::Explain,
            Self::Other(other) => other.kind,
        }
    }
}

/// A statement that is recognised by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its kind.
    pub kind: StatementKind,
    /// The words by which it was known.
    pub span: Span,
}

/// A query as a statement: session properties and inline functions may precede it (both newer than Athena engine v3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootQuery {
    /// `WITH SESSION a.b = 1`.
    pub session: Vec<SessionProperty>,
    /// `WITH FUNCTION f(x bigint) RETURNS bigint …`.
    pub functions: Vec<InlineFunction>,
    /// The query.
    pub query: Query,
}

/// One property of WITH SESSION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionProperty {
    /// Its name.
    pub name: QualifiedName,
    /// Its value, a constant.
    pub value: Expr,
}

/// SHOW.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// What is shown.
    pub what: ShowKind,
    /// The whole statement.
    pub span: Span,
}

/// What SHOW shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowKind {
    /// SHOW TABLES, also VIEWS (Athena).
    Tables {
        /// VIEWS, else TABLES.
        views: bool,
        /// FROM or IN.
        schema: Option<QualifiedName>,
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW SCHEMAS, also DATABASES (Athena).
    Schemas {
        /// FROM or IN.
        catalog: Option<Ident>,
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW CATALOGS.
    Catalogs {
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW COLUMNS FROM.
    Columns {
        /// The table.
        table: QualifiedName,
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW CREATE TABLE, VIEW, SCHEMA, MATERIALIZED VIEW, FUNCTION: the text of its definition.
    Create {
        /// What the name names.
        object: CreateObject,
        /// The name.
        name: QualifiedName,
    },
    /// SHOW STATS FOR a table.
    Stats(QualifiedName),
    /// SHOW STATS FOR (query).
    StatsFor(Box<RootQuery>),
    /// SHOW PARTITIONS (Athena): the values of the partition keys.
    Partitions(QualifiedName),
    /// SHOW TBLPROPERTIES (Athena).
    Properties {
        /// The table.
        table: QualifiedName,
        /// One property.
        property: Option<Text>,
    },
    /// SHOW FUNCTIONS.
    Functions {
        /// FROM or IN.
        schema: Option<QualifiedName>,
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW SESSION.
    Session {
        /// LIKE.
        like: Option<Pattern>,
    },
    /// SHOW ROLES, CURRENT ROLES, ROLE GRANTS.
    Roles {
        /// FROM or IN.
        catalog: Option<Ident>,
    },
    /// SHOW GRANTS.
    Grants {
        /// ON.
        object: Option<QualifiedName>,
    },
    /// SHOW BRANCHES FROM TABLE.
    Branches(QualifiedName),
}

/// LIKE 'pattern' ESCAPE 'x' of SHOW.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern.
    pub pattern: Text,
    /// The escape character.
    pub escape: Option<Text>,
}

/// What SHOW CREATE names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateObject {
    /// TABLE.
    Table,
    /// VIEW.
    View,
    /// SCHEMA.
    Schema,
    /// MATERIALIZED VIEW.
    MaterializedView,
    /// FUNCTION.
    Function,
}

/// DESCRIBE of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Describe {
    /// The table.
    pub table: QualifiedName,
    /// The whole statement.
    pub span: Span,
}

/// EXPLAIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explain {
    /// ANALYZE: the statement is run.
    pub analyze: bool,
    /// VERBOSE, with ANALYZE only.
    pub verbose: bool,
    /// FORMAT and TYPE, upper case, in order.
    pub options: Vec<ExplainOption>,
    /// What is explained; any statement.
    pub statement: Statement,
    /// The whole statement.
    pub span: Span,
}

/// One option of EXPLAIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainOption {
    /// FORMAT TEXT.
    Text,
    /// FORMAT GRAPHVIZ.
    Graphviz,
    /// FORMAT JSON.
    Json,
    /// TYPE LOGICAL.
    Logical,
    /// TYPE DISTRIBUTED.
    Distributed,
    /// TYPE VALIDATE.
    Validate,
    /// TYPE IO.
    Io,
}
