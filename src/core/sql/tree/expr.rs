//! Expressions.

use super::super::token::Span;
use super::{Ident, IntervalLiteral, JsonCall, Literal, Over, QualifiedName, Query, SortItem, Text, TypeName};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its tokens, without parentheses around it.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// `?`: a value that comes with the request.
    Placeholder,
    /// `:name`: a declared typed parameter that has no value yet.
    Parameter(Ident),
    /// `a`, `a.b.c`: a column, a field of one, a pattern variable's column, a lambda argument; scopes decide. Never empty.
    Name(Vec<Ident>),
    /// Steps into a value that is not reached by names alone: `a[1].b`, `f(x).y`. If `base` is a name, the first step is an index.
    Access {
        /// What is stepped into.
        base: Box<Expr>,
        /// The steps, in order; never empty.
        steps: Vec<AccessStep>,
    },
    /// A chain of arithmetic of one precedence, or of `||`, left to right.
    Chain {
        /// The leftmost operand.
        first: Box<Expr>,
        /// The others, each applied to the result so far; never empty.
        rest: Vec<Link>,
    },
    /// `-x`, `+x`.
    Unary {
        /// Minus, else plus.
        minus: bool,
        /// The operand.
        operand: Box<Expr>,
    },
    /// NOT.
    Not(Box<Expr>),
    /// AND or OR of two or more terms.
    Logical {
        /// OR, else AND.
        or: bool,
        /// The terms, in order.
        terms: Vec<Expr>,
    },
    /// `a = b`; the span points at the operator.
    Comparison {
        /// Which.
        op: ComparisonOperator,
        /// The left side.
        left: Box<Expr>,
        /// The right side.
        right: Box<Expr>,
    },
    /// `a = ANY (query)`; the span points at the operator.
    Quantified {
        /// Which.
        op: ComparisonOperator,
        /// ALL, else ANY or SOME.
        all: bool,
        /// The left side.
        value: Box<Expr>,
        /// The right side.
        query: Box<Query>,
    },
    /// `a BETWEEN b AND c`, `a IN (…)`, `a LIKE b`, `a IS …`; the span points at NOT or the predicate's first word.
    Predicate {
        /// What is tested.
        value: Box<Expr>,
        /// NOT (also IS NOT).
        negated: bool,
        /// The test.
        test: Box<Test>,
    },
    /// `x AT TIME ZONE z`, once or more; the span points at the last AT.
    AtTimeZone {
        /// The time.
        value: Box<Expr>,
        /// The zones, in order; never empty.
        zones: Vec<TimeZone>,
    },
    /// `x -> f(x)`, `(x, y) -> x + y`.
    Lambda {
        /// Its arguments.
        arguments: Vec<Ident>,
        /// Its body.
        body: Box<Expr>,
    },
    /// A call of a function.
    Call(Box<Call>),
    /// LISTAGG.
    ListAgg(Box<ListAgg>),
    /// `m OVER w`: a measure of a window's row pattern.
    Measure {
        /// Its name.
        name: Ident,
        /// The window.
        over: Box<Over>,
    },
    /// `(a, b)`, `ROW(a, b)`.
    Row(Vec<RowField>),
    /// `ARRAY[a, b]`.
    Array(Vec<Expr>),
    /// `(query)` as a value.
    Subquery(Box<Query>),
    /// `EXISTS (query)`.
    Exists(Box<Query>),
    /// `UNIQUE (query)`. Newer than Athena engine v3.
    Unique(Box<Query>),
    /// CASE.
    Case {
        /// `CASE x`.
        operand: Option<Box<Expr>>,
        /// WHEN … THEN …; never empty.
        branches: Vec<WhenClause>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// CAST, TRY_CAST.
    Cast {
        /// What is cast.
        value: Box<Expr>,
        /// To what.
        type_name: Box<TypeName>,
        /// TRY_CAST.
        safe: bool,
    },
    /// `CURRENT_DATE`, `CURRENT_TIMESTAMP(3)` and so on.
    Current {
        /// Which.
        what: Current,
        /// In parentheses, as written.
        precision: Option<Box<str>>,
    },
    /// TRIM.
    Trim {
        /// LEADING, TRAILING, BOTH; BOTH if absent.
        side: Option<TrimSide>,
        /// What is trimmed off.
        characters: Option<Box<Expr>>,
        /// From what.
        source: Box<Expr>,
    },
    /// `SUBSTRING(x FROM 1 FOR 2)`; with commas it is a [`ExprKind::Call`].
    Substring {
        /// From what.
        source: Box<Expr>,
        /// FROM.
        from: Box<Expr>,
        /// FOR.
        length: Option<Box<Expr>>,
    },
    /// `OVERLAY(x PLACING y FROM 1 FOR 2)`. Newer than Athena engine v3.
    Overlay {
        /// Into what.
        source: Box<Expr>,
        /// PLACING.
        replacement: Box<Expr>,
        /// FROM.
        from: Box<Expr>,
        /// FOR.
        length: Option<Box<Expr>>,
    },
    /// `NORMALIZE(x, NFC)`.
    Normalize {
        /// What is normalized.
        source: Box<Expr>,
        /// NFC if absent.
        form: Option<NormalForm>,
    },
    /// `EXTRACT(YEAR FROM x)`.
    Extract {
        /// The field's name; not a column.
        field: Ident,
        /// From what.
        source: Box<Expr>,
    },
    /// `POSITION(x IN y)`; with a comma it is a [`ExprKind::Call`].
    Position {
        /// What is looked for.
        needle: Box<Expr>,
        /// Where.
        haystack: Box<Expr>,
    },
    /// What CASE compares, as the left side of `WHEN > 5`; stands only there. Newer than Athena engine v3.
    CaseOperand,
    /// `name => value`, as an argument of a call only. Newer than Athena engine v3.
    NamedArgument {
        /// The parameter's name.
        name: Ident,
        /// Its value.
        value: Box<Expr>,
    },
    /// `GROUPING(a, b.c)`: names of grouping columns.
    Grouping(Vec<QualifiedName>),
    /// JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY.
    Json(Box<JsonCall>),
    /// `varchar::chr(65)`. Newer than Athena engine v3.
    StaticCall(Box<StaticCall>),
}

/// `varchar::chr(65)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticCall {
    /// The type.
    pub type_name: QualifiedName,
    /// The method.
    pub method: Ident,
    /// The arguments.
    pub arguments: Vec<Expr>,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessStep {
    /// `.name`.
    Field(Ident),
    /// `[index]`, with its brackets.
    Index(Expr, Span),
    /// `.name(…)`. Newer than Athena engine v3.
    Method(Ident, Vec<Expr>),
}

/// One operator of a chain and what stands right of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub op: BinaryOperator,
    /// The operator's token: there the server points.
    pub at: Span,
    /// The right side.
    pub right: Expr,
}

/// Operators of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulus,
    /// `||`.
    Concat,
}

/// Operators of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComparisonOperator {
    /// `=`.
    Equal,
    /// `<>`, `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// The test of a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// BETWEEN.
    Between {
        /// SYMMETRIC. Newer than Athena engine v3.
        symmetric: bool,
        /// The lower bound.
        low: Expr,
        /// The upper bound.
        high: Expr,
    },
    /// IN (a, b); `IN :p` of a list parameter without a value is one [`ExprKind::Parameter`].
    InList(Vec<Expr>),
    /// IN (query).
    InQuery(Box<Query>),
    /// LIKE.
    Like {
        /// The pattern.
        pattern: Expr,
        /// ESCAPE.
        escape: Option<Expr>,
    },
    /// IS NULL.
    Null,
    /// IS TRUE, IS FALSE (`Some`), IS UNKNOWN (`None`). Newer than Athena engine v3.
    Truth(Option<bool>),
    /// IS DISTINCT FROM.
    DistinctFrom(Expr),
    /// MATCH (query). Newer than Athena engine v3.
    Match(Box<Query>),
}

/// What follows AT TIME ZONE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeZone {
    /// A string.
    Name(Text),
    /// An interval.
    Offset(IntervalLiteral, Span),
    /// AT LOCAL. Newer than Athena engine v3.
    Local(Span),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: QualifiedName,
    /// RUNNING (true), FINAL (false), of pattern recognition.
    pub running: Option<bool>,
    /// DISTINCT.
    pub distinct: bool,
    /// The arguments.
    pub arguments: Arguments,
    /// ORDER BY within the parentheses.
    pub order_by: Vec<SortItem>,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// IGNORE NULLS (true), RESPECT NULLS (false).
    pub ignore_nulls: Option<bool>,
    /// OVER.
    pub over: Option<Over>,
}

/// The arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// `(a, b)`.
    List(Vec<Expr>),
    /// `(*)`, `(t.*)`.
    Star {
        /// The relation or pattern variable before `.*`.
        label: Option<Ident>,
        /// The star.
        span: Span,
    },
}

/// LISTAGG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAgg {
    /// DISTINCT.
    pub distinct: bool,
    /// What is joined.
    pub value: Expr,
    /// The separator.
    pub separator: Option<Text>,
    /// ON OVERFLOW.
    pub overflow: Option<ListAggOverflow>,
    /// WITHIN GROUP (ORDER BY …); never empty.
    pub order_by: Vec<SortItem>,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// OVER. Newer than Athena engine v3.
    pub over: Option<Over>,
}

/// ON OVERFLOW of LISTAGG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListAggOverflow {
    /// ERROR.
    Error,
    /// TRUNCATE '…' WITH COUNT (true), WITHOUT COUNT (false).
    Truncate(Option<Text>, bool),
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowField {
    /// Its value.
    pub value: Expr,
    /// Its name: `ROW(1 AS a)`. Newer than Athena engine v3.
    pub name: Option<Ident>,
}

/// WHEN … THEN ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhenClause {
    /// The condition, or what the operand is compared with.
    pub condition: Expr,
    /// The result.
    pub result: Expr,
}

/// Values that the session gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Current {
    /// CURRENT_DATE.
    Date,
    /// CURRENT_TIME.
    Time,
    /// CURRENT_TIMESTAMP.
    Timestamp,
    /// LOCALTIME.
    LocalTime,
    /// LOCALTIMESTAMP.
    LocalTimestamp,
    /// CURRENT_USER.
    User,
    /// CURRENT_CATALOG.
    Catalog,
    /// CURRENT_SCHEMA.
    Schema,
    /// CURRENT_PATH.
    Path,
}

/// Which side TRIM trims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrimSide {
    /// LEADING.
    Leading,
    /// TRAILING.
    Trailing,
    /// BOTH.
    Both,
}

/// Unicode normal forms of NORMALIZE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormalForm {
    /// NFD.
    Nfd,
    /// NFC.
    Nfc,
    /// NFKD.
    Nfkd,
    /// NFKC.
    Nfkc,
}
