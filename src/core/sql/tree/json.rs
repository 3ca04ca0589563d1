//! SQL/JSON functions and JSON_TABLE.

use super::super::token::Span;
use super::{Expr, Ident, Text, TypeName};

/// `input FORMAT JSON, 'path' AS name PASSING x AS y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    /// The document.
    pub input: JsonValueExpr,
    /// The path.
    pub path: Text,
    /// The path's name (JSON_TABLE).
    pub name: Option<Ident>,
    /// PASSING: values for the path's variables.
    pub passing: Vec<JsonArgument>,
}

/// An expression with FORMAT JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonValueExpr {
    /// The expression.
    pub expr: Expr,
    /// FORMAT JSON.
    pub format: Option<JsonFormat>,
}

/// FORMAT JSON ENCODING ….
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFormat {
    /// No ENCODING.
    Json,
    /// ENCODING UTF8.
    Utf8,
    /// ENCODING UTF16.
    Utf16,
    /// ENCODING UTF32.
    Utf32,
}

/// `x AS y` of PASSING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonArgument {
    /// The value.
    pub value: JsonValueExpr,
    /// The path's variable.
    pub name: Ident,
}

/// RETURNING type FORMAT JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonReturning {
    /// The type.
    pub type_name: TypeName,
    /// FORMAT JSON.
    pub format: Option<JsonFormat>,
}

/// A call of a SQL/JSON function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonCall {
    /// JSON_EXISTS.
    Exists {
        /// Where it looks.
        path: JsonPath,
        /// ON ERROR.
        on_error: Option<JsonExistsOnError>,
    },
    /// JSON_VALUE.
    Value {
        /// Where it looks.
        path: JsonPath,
        /// RETURNING.
        returning: Option<TypeName>,
        /// ON EMPTY.
        on_empty: Option<JsonValueBehavior>,
        /// ON ERROR.
        on_error: Option<JsonValueBehavior>,
    },
    /// JSON_QUERY.
    Query {
        /// Where it looks.
        path: JsonPath,
        /// RETURNING.
        returning: Option<JsonReturning>,
        /// Wrapper, quotes, ON EMPTY, ON ERROR.
        options: JsonQueryOptions,
    },
    /// JSON_OBJECT.
    Object {
        /// The members: key and value.
        members: Vec<JsonMember>,
        /// ABSENT ON NULL (true), NULL ON NULL (false).
        absent_on_null: Option<bool>,
        /// WITH UNIQUE KEYS (true), WITHOUT UNIQUE KEYS (false).
        unique_keys: Option<bool>,
        /// RETURNING.
        returning: Option<JsonReturning>,
    },
    /// JSON_ARRAY.
    Array {
        /// The elements.
        elements: Vec<JsonValueExpr>,
        /// ABSENT ON NULL (true), NULL ON NULL (false).
        absent_on_null: Option<bool>,
        /// RETURNING.
        returning: Option<JsonReturning>,
    },
}

/// A member of JSON_OBJECT: `KEY k VALUE v`, `k VALUE v`, `k : v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonMember {
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: JsonValueExpr,
}

/// What JSON_EXISTS gives on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonExistsOnError {
    /// TRUE.
    True,
    /// FALSE.
    False,
    /// UNKNOWN.
    Unknown,
    /// ERROR.
    Error,
}

/// What JSON_VALUE gives on an empty result or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonValueBehavior {
    /// ERROR.
    Error,
    /// NULL.
    Null,
    /// DEFAULT expression.
    Default(Box<Expr>),
}

/// What JSON_QUERY gives on an empty result or an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonQueryBehavior {
    /// ERROR.
    Error,
    /// NULL.
    Null,
    /// EMPTY ARRAY.
    EmptyArray,
    /// EMPTY OBJECT.
    EmptyObject,
}

/// Wrapper, quotes, ON EMPTY, ON ERROR of JSON_QUERY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonQueryOptions {
    /// WITHOUT, WITH CONDITIONAL, WITH UNCONDITIONAL WRAPPER.
    pub wrapper: Option<JsonWrapper>,
    /// KEEP QUOTES (true), OMIT QUOTES (false).
    pub keep_quotes: Option<bool>,
    /// ON SCALAR STRING.
    pub on_scalar_string: bool,
    /// ON EMPTY.
    pub on_empty: Option<JsonQueryBehavior>,
    /// ON ERROR.
    pub on_error: Option<JsonQueryBehavior>,
}

/// Whether JSON_QUERY wraps its result in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonWrapper {
    /// WITHOUT WRAPPER.
    Without,
    /// WITH CONDITIONAL WRAPPER.
    Conditional,
    /// WITH UNCONDITIONAL WRAPPER, WITH WRAPPER.
    Unconditional,
}

/// JSON_TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonTable {
    /// The document and the rows' path.
    pub path: JsonPath,
    /// COLUMNS; never empty.
    pub columns: Vec<JsonTableColumn>,
    /// PLAN: the names of paths in it; how they are combined changes rows, not columns.
    pub plan: Option<JsonPlan>,
    /// ERROR ON ERROR (true), EMPTY ON ERROR (false).
    pub error_on_error: Option<bool>,
}

/// A column of JSON_TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonTableColumn {
    /// `n FOR ORDINALITY`.
    Ordinality(Ident),
    /// `a varchar PATH '…' DEFAULT x ON EMPTY`.
    Value {
        /// Its name.
        name: Ident,
        /// Its type.
        type_name: TypeName,
        /// PATH; the name if absent.
        path: Option<Text>,
        /// ON EMPTY.
        on_empty: Option<JsonValueBehavior>,
        /// ON ERROR.
        on_error: Option<JsonValueBehavior>,
    },
    /// `a varchar FORMAT JSON PATH '…' WITH WRAPPER`.
    Query {
        /// Its name.
        name: Ident,
        /// Its type.
        type_name: TypeName,
        /// FORMAT JSON.
        format: JsonFormat,
        /// PATH; the name if absent.
        path: Option<Text>,
        /// Wrapper, quotes, ON EMPTY, ON ERROR.
        options: JsonQueryOptions,
    },
    /// `NESTED PATH '…' AS p COLUMNS (…)`.
    Nested {
        /// The path.
        path: Text,
        /// Its name.
        name: Option<Ident>,
        /// The columns; never empty.
        columns: Vec<JsonTableColumn>,
    },
}

/// PLAN of JSON_TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonPlan {
    /// PLAN DEFAULT (…).
    Default {
        /// INNER (true), OUTER (false).
        inner: Option<bool>,
        /// CROSS (true), UNION (false).
        cross: Option<bool>,
    },
    /// PLAN (…): the path names in it, in order.
    Specific {
        /// The names.
        names: Vec<Ident>,
        /// All of it.
        span: Span,
    },
}
