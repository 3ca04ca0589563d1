//! Windows, MATCH_RECOGNIZE and row patterns.

use super::super::token::Span;
use super::{Expr, Ident, Relation, SortItem};

/// `OVER w` or `OVER (…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// A window of WINDOW.
    Named(Ident),
    /// A window written in place.
    Inline(WindowSpecification),
}

/// `(w PARTITION BY … ORDER BY … ROWS …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSpecification {
    /// The window that it builds on.
    pub base: Option<Ident>,
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortItem>,
    /// The frame.
    pub frame: Option<Box<WindowFrame>>,
    /// What stands in the parentheses; the closing one if it is empty.
    pub span: Span,
}

/// A window frame, with or without a row pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowFrame {
    /// MEASURES.
    pub measures: Vec<Measure>,
    /// ROWS, RANGE or GROUPS.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends: with BETWEEN.
    pub end: Option<FrameBound>,
    /// AFTER MATCH.
    pub skip: Option<SkipTo>,
    /// INITIAL or SEEK.
    pub search: Option<PatternSearch>,
    /// PATTERN.
    pub pattern: Option<RowPattern>,
    /// SUBSET.
    pub subsets: Vec<Subset>,
    /// DEFINE.
    pub definitions: Vec<VariableDefinition>,
    /// All of it.
    pub span: Span,
}

/// What a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnit {
    /// ROWS.
    Rows,
    /// RANGE.
    Range,
    /// GROUPS.
    Groups,
}

/// One end of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameBound {
    /// What it is.
    pub kind: FrameBoundKind,
    /// All of it.
    pub span: Span,
}

/// One end of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameBoundKind {
    /// UNBOUNDED PRECEDING.
    UnboundedPreceding,
    /// UNBOUNDED FOLLOWING.
    UnboundedFollowing,
    /// CURRENT ROW.
    CurrentRow,
    /// n PRECEDING.
    Preceding(Expr),
    /// n FOLLOWING.
    Following(Expr),
}

/// `relation MATCH_RECOGNIZE (…) AS alias (a, b)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRecognize {
    /// The input.
    pub relation: Relation,
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortItem>,
    /// MEASURES.
    pub measures: Vec<Measure>,
    /// ONE ROW PER MATCH and so on.
    pub rows: Option<RowsPerMatch>,
    /// AFTER MATCH.
    pub skip: Option<SkipTo>,
    /// INITIAL or SEEK.
    pub search: Option<PatternSearch>,
    /// PATTERN.
    pub pattern: RowPattern,
    /// SUBSET.
    pub subsets: Vec<Subset>,
    /// DEFINE; never empty.
    pub definitions: Vec<VariableDefinition>,
    /// The name of the result.
    pub alias: Option<Ident>,
    /// New names of its columns.
    pub columns: Option<Vec<Ident>>,
}

/// `expression AS name` of MEASURES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// What is computed. Names in it may be pattern variables.
    pub expr: Expr,
    /// The name of the output column.
    pub name: Ident,
    /// All of it.
    pub span: Span,
}

/// How many rows a match gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsPerMatch {
    /// ONE ROW PER MATCH: partition columns and measures.
    One,
    /// ALL ROWS PER MATCH: all input columns and measures.
    All,
    /// ALL ROWS PER MATCH SHOW EMPTY MATCHES.
    AllShowEmpty,
    /// ALL ROWS PER MATCH OMIT EMPTY MATCHES.
    AllOmitEmpty,
    /// ALL ROWS PER MATCH WITH UNMATCHED ROWS.
    AllWithUnmatched,
}

/// AFTER MATCH SKIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipTo {
    /// TO NEXT ROW.
    NextRow(Span),
    /// PAST LAST ROW.
    PastLastRow(Span),
    /// TO FIRST variable.
    First(Ident),
    /// TO LAST variable, also TO variable.
    Last(Ident),
}

/// Where a pattern is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternSearch {
    /// INITIAL.
    Initial,
    /// SEEK.
    Seek,
}

/// `U = (A, B)` of SUBSET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subset {
    /// The union variable.
    pub name: Ident,
    /// The pattern variables in it; never empty.
    pub variables: Vec<Ident>,
}

/// `A AS condition` of DEFINE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableDefinition {
    /// The pattern variable.
    pub name: Ident,
    /// Its condition. Names in it may be pattern variables.
    pub condition: Expr,
    /// All of it.
    pub span: Span,
}

/// A row pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowPattern {
    /// A pattern variable.
    Variable(Ident),
    /// `()`.
    Empty(Span),
    /// `^` (true), `$` (false).
    Anchor(bool, Span),
    /// `PERMUTE (A, B)`.
    Permute(Vec<RowPattern>, Span),
    /// `{- A -}`.
    Excluded(Box<RowPattern>, Span),
    /// `A B C`.
    Sequence(Vec<RowPattern>),
    /// `A | B | C`.
    Choice(Vec<RowPattern>),
    /// `A*`, `A+?`, `A{2,3}`.
    Repeated {
        /// What is repeated.
        pattern: Box<RowPattern>,
        /// How often.
        quantifier: PatternQuantifier,
        /// All of it.
        span: Span,
    },
}

/// How often a row pattern is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternQuantifier {
    /// At least so often, as written; `0` for `*` and `?`, `1` for `+`.
    pub at_least: Box<str>,
    /// At most so often, as written; none for `*` and `+`.
    pub at_most: Option<Box<str>>,
    /// A `?` after it: as few as possible.
    pub reluctant: bool,
}
