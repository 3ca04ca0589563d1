//! What stands in FROM.

use super::super::token::Span;
use super::{Expr, Ident, JsonTable, MatchRecognize, QualifiedName, Query, SortItem, TypeName};

/// A relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// What it is.
    pub kind: RelationKind,
    /// All of it, without parentheses around it.
    pub span: Span,
}

/// The kinds of relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelationKind {
    /// A table, a view or a WITH query.
    Table {
        /// Its name.
        name: QualifiedName,
        /// FOR TIMESTAMP AS OF, FOR VERSION AS OF.
        version: Option<QueryPeriod>,
    },
    /// `(query)`.
    Subquery(Box<Query>),
    /// `LATERAL (query)`: sees the relations to its left.
    Lateral(Box<Query>),
    /// `UNNEST(a, b) WITH ORDINALITY`: sees the relations to its left.
    Unnest {
        /// Arrays, maps, arrays of rows; never empty.
        exprs: Vec<Expr>,
        /// WITH ORDINALITY: one more column, the position.
        ordinality: bool,
    },
    /// `TABLE(f(…))`.
    TableFunction(Box<TableFunction>),
    /// `JSON_TABLE(…)`: sees the relations to its left.
    JsonTable(Box<JsonTable>),
    /// `NEAREST (FROM … WHERE … MATCH …)`. Newer than Athena engine v3.
    Nearest(Box<Nearest>),
    /// `relation AS alias (a, b)`.
    Aliased {
        /// What is named.
        relation: Box<Relation>,
        /// Its new name.
        alias: Ident,
        /// New names of its columns.
        columns: Option<Vec<Ident>>,
    },
    /// `relation MATCH_RECOGNIZE (…) AS alias (a, b)`.
    Match(Box<MatchRecognize>),
    /// `relation TABLESAMPLE SYSTEM (10)`.
    Sampled {
        /// What is sampled.
        relation: Box<Relation>,
        /// SYSTEM, else BERNOULLI.
        system: bool,
        /// A constant.
        percentage: Expr,
    },
    /// A chain of joins, left to right.
    Joined {
        /// The leftmost relation.
        first: Box<Relation>,
        /// The joins, each with the result so far; never empty.
        joins: Vec<Join>,
    },
}

/// One join of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// CROSS, INNER, LEFT, RIGHT, FULL.
    pub kind: JoinKind,
    /// NATURAL, ON or USING; none only for CROSS.
    pub criteria: Option<JoinCriteria>,
    /// The right side.
    pub right: Relation,
    /// From the first word of the join to the end of its criteria.
    pub span: Span,
}

/// The kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// CROSS JOIN.
    Cross,
    /// JOIN, INNER JOIN.
    Inner,
    /// LEFT JOIN.
    Left,
    /// RIGHT JOIN.
    Right,
    /// FULL JOIN.
    Full,
}

/// What a join joins by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinCriteria {
    /// ON.
    On(Expr),
    /// USING: each column is read on both sides.
    Using(Vec<Ident>),
    /// NATURAL: all columns of equal name. The server refuses it.
    Natural,
}

/// `FOR TIMESTAMP AS OF x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryPeriod {
    /// FOR VERSION, else FOR TIMESTAMP.
    pub version: bool,
    /// A constant.
    pub end: Box<Expr>,
    /// From FOR to the end.
    pub span: Span,
}

/// `NEAREST (FROM relation WHERE … MATCH …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// FROM.
    pub relation: Relation,
    /// WHERE.
    pub filter: Option<Expr>,
    /// MATCH.
    pub condition: Expr,
}

/// A call of a table function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFunction {
    /// The function's name.
    pub name: QualifiedName,
    /// Its arguments.
    pub arguments: Vec<TableArgument>,
    /// COPARTITION: names of table arguments, at least two a group.
    pub copartition: Vec<Vec<QualifiedName>>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// One argument of a table function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableArgument {
    /// `name =>`.
    pub name: Option<Ident>,
    /// The value.
    pub value: TableArgumentValue,
    /// All of it.
    pub span: Span,
}

/// The value of an argument of a table function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableArgumentValue {
    /// `TABLE(…)`: a relation.
    Table(Box<TableInput>),
    /// `DESCRIPTOR(a, b bigint)`: names of columns, with or without types; `None` for CAST(NULL AS DESCRIPTOR).
    Descriptor(Option<Vec<DescriptorField>>),
    /// An expression.
    Expr(Expr),
}

/// `TABLE(t) AS x PARTITION BY … KEEP WHEN EMPTY ORDER BY …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInput {
    /// A [`RelationKind::Table`] or [`RelationKind::Subquery`], aliased or not.
    pub relation: Relation,
    /// PARTITION BY; `Some(vec![])` for `PARTITION BY ()`.
    pub partition_by: Option<Vec<Expr>>,
    /// PRUNE WHEN EMPTY (true), KEEP WHEN EMPTY (false).
    pub prune_when_empty: Option<bool>,
    /// ORDER BY.
    pub order_by: Vec<SortItem>,
}

/// A field of DESCRIPTOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorField {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub type_name: Option<TypeName>,
}
