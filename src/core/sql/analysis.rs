//! What a statement reads, gives and depends on: the result of resolution, which the rules, the estimate and the preview work from.
//!
//! Flow and influence: a column *flows* into an output column when its values can be told from that column's values; it *influences*
//! the result when it decides which rows come, how they are ordered or grouped. A condition of CASE or IF inside an output column
//! flows. A column may do both, or neither (a column of a subquery that nothing takes).

use std::fmt;

use crate::core::sql::token::Span;
use crate::core::sql::types::Type;

/// Index into [`Analysis::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

/// Index into [`Analysis::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

/// Everything that resolution found out about one statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Every table, view and system table named, in the order of first mention; those that only a view's text names too.
    pub tables: Vec<TableUse>,
    /// Every column of those tables that is named, expanded, compared, or that flows or influences; a struct field is an entry of
    /// its own.
    pub columns: Vec<ColumnUse>,
    /// The output columns in order.
    pub output: Vec<Output>,
    /// Columns that decide on rows, order or grouping. A column may stand here several times, once for each reason and place.
    pub influences: Vec<Influence>,
    /// Functions called, in the order of the text; operators are not listed, `CAST` neither.
    pub functions: Vec<FunctionUse>,
    /// Functions in FROM: `TABLE(f(…))`.
    pub table_functions: Vec<FunctionUse>,
    /// Joins that pair every row with every row: CROSS JOIN, a comma, or a condition that compares nothing of one side with anything
    /// of the other. UNNEST, LATERAL and one-row sides (VALUES of one row, an ungrouped aggregate) are not among them, nor is
    /// a pair which WHERE compares.
    pub cross_joins: Vec<Span>,
    /// Each `*`, `t.*` and `row.*` of a select list, with what it stands for.
    pub stars: Vec<Star>,
    /// Each reading of a table that an execution does, one by one: a table named twice, or in a WITH query that is used twice, is
    /// scanned twice; one in a WITH query that nobody uses is not scanned.
    pub scans: Vec<Scan>,
    /// Whether a constant decides on a CASE, IF or COALESCE: then the server may drop what it never gives, and read less than `scans` say.
    pub folds: bool,
    /// What the outermost query says of order and size.
    pub outermost: Outermost,
}

/// A table or view that the statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// Data catalog, lower case.
    pub catalog: String,
    /// Schema (database), lower case.
    pub schema: String,
    /// Table name, lower case.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// Where it is named. A table that only a view's text names has the places where the view is named.
    pub places: Vec<Span>,
    /// The outermost view through which it is read, where the statement does not name it itself.
    pub via: Option<TableId>,
}

/// Kinds of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// Data.
    Table,
    /// A stored statement.
    View,
    /// `information_schema` of a catalog.
    InformationSchema,
    /// A table about a table, such as `"t$partitions"`; its columns may hold values of the table itself.
    Metadata,
}

/// A column, or a struct field of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// Whose.
    pub table: TableId,
    /// The column, then the struct fields on the way, lower case: `["profile", "ssn"]`. Elements of arrays and values of maps
    /// are passed through: `contacts[1].phone` is `["contacts", "phone"]`.
    pub path: Vec<String>,
    /// A hidden column such as `$path`.
    pub hidden: bool,
    /// Whether the statement, or a view that it reads, names or expands it: what `reads` lists. Entries without it only flow or
    /// influence, as the fields do that a derived table hands on inside their parent.
    pub read: bool,
    /// Where.
    pub places: Vec<ColumnPlace>,
}

/// One use of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnPlace {
    /// The identifier, or the star or USING name; for a use inside a view's text, where the view is named.
    pub span: Span,
    /// How it comes to stand there.
    pub how: How,
    /// The outermost view inside whose text it is used.
    pub via: Option<TableId>,
}

/// How a column comes to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// It is named.
    Named,
    /// A star stands for it (also `TABLE t`).
    Star,
    /// A join compares it by USING.
    Using,
}

/// An output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name as written; `None` where the server invents one.
    pub name: Option<String>,
    /// Its type.
    pub kind: Type,
    /// What flows into it, sorted by column, each once.
    pub sources: Vec<Source>,
    /// The select item of the outermost query (its first branch, in a set operation) that gives it; several outputs of a star share one.
    pub span: Option<Span>,
}

/// A column that flows into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Which.
    pub column: ColumnId,
    /// True if only a count of the bare column arrives: `count(c)`, `count(DISTINCT c)`, `approx_distinct(c)`.
    pub counted: bool,
}

/// A column that decides on rows, order or grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Influence {
    /// Which.
    pub column: ColumnId,
    /// By what.
    pub reason: Reason,
    /// True if only a count of the bare column decides: `HAVING count(c) > 1`.
    pub counted: bool,
    /// The predicate, key or USING name; for one inside a view's text, where the view is named.
    pub span: Span,
}

/// How a column influences a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Reason {
    Where,
    Join,
    GroupBy,
    Having,
    OrderBy,
    /// PARTITION BY, ORDER BY or frame of a window.
    Window,
    /// FILTER (WHERE …) of an aggregate.
    Filter,
    /// DISTINCT, and UNION without ALL: what they compare decides how many rows come.
    Distinct,
    /// Both sides of INTERSECT and EXCEPT.
    SetOperation,
    /// PARTITION BY, ORDER BY and DEFINE of MATCH_RECOGNIZE.
    Pattern,
    /// An argument of a table function, JSON_TABLE or UNNEST that decides how many rows come.
    Rows,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Where => "WHERE",
            Self::Join => "a join",
            Self::GroupBy => "GROUP BY",
            Self::Having => "HAVING",
            Self::OrderBy => "ORDER BY",
            Self::Window => "a window",
            Self::Filter => "FILTER",
            Self::Distinct => "DISTINCT",
            Self::SetOperation => "a set operation",
            Self::Pattern => "MATCH_RECOGNIZE",
            Self::Rows => "a table function",
        })
    }
}

/// A function called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUse {
    /// Its name as written, lower case; table functions of a connector in three parts.
    pub name: String,
    /// The name in the call.
    pub span: Span,
    /// Whether a view's text calls it (then `span` is where the view is named).
    pub via: Option<TableId>,
}

/// A star in a select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// `*`, with what stands before it.
    pub span: Span,
    /// What it stands for: `(qualifier, name)` of each column, or `None` where a column has no name. Enough to write the names
    /// instead, if they resolve.
    pub columns: Vec<Option<(Option<String>, String)>>,
    /// Whether it stands in the outermost query's select list.
    pub outermost: bool,
    /// Whether columns of tables are among them (a star over a subquery with named columns reads nothing more).
    pub of_table: bool,
    /// Whether it is the whole list of an EXISTS, whose columns nobody takes.
    pub in_exists: bool,
}

/// One reading of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Of which table; never a view.
    pub table: TableId,
    /// The columns and fields whose data the execution needs: those that flow, influence or are computed with. Sorted; empty for
    /// `count(*)`.
    pub columns: Vec<ColumnId>,
    /// Predicates that every row must satisfy which the execution takes from this scan, as far as they concern this table alone.
    /// All of them hold together. Sound for pruning: a partition on which one of them is false or unknown gives no rows.
    pub conjuncts: Vec<Term>,
    /// Where the table is named; for one in a view's text, where the view is named.
    pub place: Span,
    /// Whether the number of rows taken may stop early: LIMIT without ORDER BY above it, with nothing between that needs all rows.
    pub limited: Option<u64>,
    /// `FOR VERSION AS OF` or `FOR TIMESTAMP AS OF`: the snapshot read is not the current one.
    pub versioned: bool,
    /// Whether it stands in a subquery that gives one value, whatever the row: the server runs such a one once, even where it is written
    /// twice.
    pub single: bool,
    /// Whether TABLESAMPLE SYSTEM stands above it, which takes some parts of the files and leaves others.
    pub sampled: bool,
}

/// An expression over the columns of one scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A column of the scanned table, lower case.
    Column {
        /// Its name; with the struct fields on the way, parted by dots, where it is one of those: `profile.age`.
        name: String,
        /// Its type.
        kind: Type,
    },
    /// A constant.
    Constant {
        /// Its value.
        value: Constant,
        /// Its type.
        kind: Type,
    },
    /// A typed parameter whose value is not known yet.
    Parameter {
        /// Its name.
        name: String,
        /// Its type.
        kind: Type,
    },
    /// A function or operator applied. Operators have the names of [`Term::OPERATORS`]; casts are `cast` and `try_cast` with one argument,
    /// to `kind`. Arguments are coerced to a common type where the operator asks for it (no `cast` is put in).
    Apply {
        /// Lower case.
        name: String,
        /// In order.
        arguments: Vec<Term>,
        /// The result's type.
        kind: Type,
        /// False for functions that may give another value each time, or depend on the session (`random`, `now`).
        deterministic: bool,
    },
}

impl Term {
    /// The name in [`Term::Apply`], without arguments, of the one value of a subquery that does not depend on the row: it is known when the
    /// subquery has run, and not before.
    pub const LOOKED_UP: &'static str = "(query)";

    /// The operators' names in [`Term::Apply`]. `and`, `or`, `coalesce` and `in` (value first) take any number; `between` value, low, high;
    /// `like` value, pattern and perhaps escape; `case` pairs of condition and result, then the default if there is one; `if` likewise;
    /// `is null`, `not` and `-x` one; `[]` base and index.
    pub const OPERATORS: [&'static str; 27] = [
        "and",
        "or",
        "not",
        "=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        "is distinct from",
        "is null",
        "in",
        "between",
        "like",
        "+",
        "-",
        "*",
        "/",
        "%",
        "||",
        "-x",
        "[]",
        "case",
        "if",
        "coalesce",
        "nullif",
        "at time zone",
    ];

    /// Its type.
    pub fn kind(&self) -> &Type {
        match self {
            Self::Column { kind, .. } | Self::Constant { kind, .. } | Self::Parameter { kind, .. } | Self::Apply { kind, .. } => {
                kind
            }
        }
    }
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// NULL.
    Null,
    /// TRUE, FALSE.
    Boolean(bool),
    /// Whole numbers and decimals, digits as written without signs and underscores: `12`, `1.50`.
    Number(String),
    /// DOUBLE and REAL, as written: `1e3`.
    Float(String),
    /// Strings, and the text of typed literals (`DATE '2026-11-20'`, `TIMESTAMP '…'`, `DECIMAL '1'`): the type says which.
    Text(String),
    /// `X'…'`.
    Binary(Vec<u8>),
    /// `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '3' DAY`: sign, text, and the unit words lower case: `day`, `year to month`.
    Interval {
        /// With a minus before the text.
        negative: bool,
        /// Between the quotes.
        text: String,
        /// `day`, `hour`, `year to month`, …
        unit: String,
    },
}

/// What the outermost query says of order and size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outermost {
    /// The ORDER BY clause.
    pub order_by: Option<Span>,
    /// LIMIT or FETCH FIRST, with its number; `None` inside for a parameter or `LIMIT ALL`.
    pub limit: Option<(Span, Option<u64>)>,
    /// Whether it gives one row by its form: aggregates without GROUP BY, VALUES of one row, no FROM.
    pub one_row: bool,
}

/// Why a statement was not analysed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AnalysisError {
    /// Trino's error name, such as `COLUMN_NOT_FOUND`.
    pub code: &'static str,
    /// In plain words, near Trino's own.
    pub message: String,
    /// Where the server would point; `None` where it gives no place.
    pub span: Option<Span>,
}
