//! Queries.

use super::super::token::Span;
use super::{Expr, Ident, QualifiedName, Relation, WindowSpecification};

/// A query: WITH, body, ORDER BY, OFFSET, LIMIT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// WITH.
    pub with: Option<With>,
    /// What it selects. If it is [`QueryBody::Select`], ORDER BY sees the columns of its FROM too; else only its output.
    pub body: QueryBody,
    /// ORDER BY; empty if there is none.
    pub order_by: Vec<SortItem>,
    /// OFFSET.
    pub offset: Option<RowCount>,
    /// LIMIT or FETCH.
    pub limit: Option<Limit>,
    /// All its tokens, without the parentheses around it.
    pub span: Span,
}

/// WITH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct With {
    /// RECURSIVE.
    pub recursive: bool,
    /// The named queries, in order; never empty.
    pub queries: Vec<NamedQuery>,
    /// From WITH to the last query.
    pub span: Span,
}

/// `name (a, b) AS (query)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    /// Its name.
    pub name: Ident,
    /// Column aliases.
    pub columns: Option<Vec<Ident>>,
    /// The query.
    pub query: Query,
    /// All of it.
    pub span: Span,
}

/// What a query selects, before ORDER BY and LIMIT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryBody {
    /// SELECT.
    Select(Box<Select>),
    /// `TABLE t`: all columns of t.
    Table(QualifiedName),
    /// VALUES: one expression a row; [`super::ExprKind::Row`] is a row of several columns.
    Values(Vec<Expr>, Span),
    /// A query in parentheses, with its own ORDER BY and LIMIT (never WITH).
    Parenthesized(Box<Query>),
    /// UNION, EXCEPT, INTERSECT.
    SetOperation(Box<SetOperation>),
}

/// A chain of set operations of one precedence, left to right: UNION and EXCEPT mixed, or INTERSECT alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOperation {
    /// The leftmost operand.
    pub first: QueryBody,
    /// The others, each applied to the result so far; never empty.
    pub rest: Vec<SetStep>,
    /// All of it.
    pub span: Span,
}

/// One step of a chain of set operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetStep {
    /// Which.
    pub op: SetOperator,
    /// ALL; DISTINCT is what happens otherwise.
    pub all: bool,
    /// CORRESPONDING, with the columns after BY (empty without BY). Newer than Athena engine v3.
    pub corresponding: Option<Vec<Ident>>,
    /// The right operand.
    pub right: QueryBody,
    /// From the operator's word to the end of the right operand.
    pub span: Span,
}

/// UNION, EXCEPT, INTERSECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// UNION.
    Union,
    /// EXCEPT.
    Except,
    /// INTERSECT.
    Intersect,
}

/// SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: bool,
    /// What is selected; never empty.
    pub items: Vec<SelectItem>,
    /// FROM, the parts between commas; empty without FROM. Later parts see earlier ones in LATERAL and UNNEST.
    pub from: Vec<Relation>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Option<GroupBy>,
    /// HAVING.
    pub having: Option<Expr>,
    /// WINDOW.
    pub windows: Vec<WindowDefinition>,
    /// All of it.
    pub span: Span,
}

/// One item of a SELECT list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// An expression.
    Expr {
        /// What is computed.
        expr: Expr,
        /// Its name, with or without AS.
        alias: Option<Ident>,
        /// All of it, parentheses and alias included.
        span: Span,
    },
    /// `*`.
    All(Span),
    /// `t.*`, or the fields of a row: `CAST(x AS ROW(…)).* AS (a, b)`. Which of the two `a.*` is, scopes decide.
    AllFrom {
        /// What stands before `.*`.
        base: Expr,
        /// Names for the columns.
        aliases: Option<Vec<Ident>>,
        /// All of it.
        span: Span,
    },
}

/// GROUP BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBy {
    /// DISTINCT: equal grouping sets count once.
    pub distinct: bool,
    /// The elements; their product is the list of grouping sets.
    pub elements: Vec<GroupingElement>,
    /// From GROUP to the last element.
    pub span: Span,
}

/// One element of GROUP BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupingElement {
    /// `a`, `1`, `(a, b)`, `()`: one grouping set.
    Set(Vec<Expr>, Span),
    /// `ROLLUP (…)`.
    Rollup(Vec<Vec<Expr>>, Span),
    /// `CUBE (…)`.
    Cube(Vec<Vec<Expr>>, Span),
    /// `GROUPING SETS (…)`.
    Sets(Vec<Vec<Expr>>, Span),
    /// `AUTO`: all that is not aggregated. Newer than Athena engine v3.
    Auto(Span),
}

/// `w AS (PARTITION BY …)` of WINDOW.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowDefinition {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub window: WindowSpecification,
    /// All of it.
    pub span: Span,
}

/// One expression of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortItem {
    /// What is ordered by.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (true) or NULLS LAST (false).
    pub nulls_first: Option<bool>,
    /// All of it.
    pub span: Span,
}

/// LIMIT or FETCH FIRST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// LIMIT ALL: no limit.
    All(Span),
    /// LIMIT n, and the whole clause.
    Rows(RowCount, Span),
    /// FETCH FIRST n ROWS ONLY, or WITH TIES; one row if there is no number.
    Fetch {
        /// How many.
        rows: Option<RowCount>,
        /// WITH TIES.
        with_ties: bool,
        /// From FETCH to the end.
        span: Span,
    },
}

/// The number of LIMIT, OFFSET and FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowCount {
    /// What it is.
    pub kind: RowCountKind,
    /// Its tokens.
    pub span: Span,
}

/// The number of LIMIT, OFFSET and FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowCountKind {
    /// An integer as written, underscores removed.
    Number(Box<str>),
    /// `?`.
    Placeholder,
    /// A typed parameter that has no value yet.
    Parameter(Ident),
}
