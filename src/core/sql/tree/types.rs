//! Types as written in CAST and its kin.

use super::super::token::Span;
use super::{Ident, IntervalFields};

/// A type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// What it is.
    pub kind: TypeKind,
    /// Its tokens.
    pub span: Span,
}

/// The shapes of a type. Names in it are words of the type language, never columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// `ROW(a integer, varchar)`.
    Row(Vec<RowTypeField>),
    /// `INTERVAL DAY TO SECOND`.
    Interval(IntervalFields),
    /// `TIME(3) WITH TIME ZONE`, `TIMESTAMP`.
    DateTime {
        /// TIMESTAMP, else TIME.
        timestamp: bool,
        /// In parentheses; 3 if absent.
        precision: Option<Box<TypeParameter>>,
        /// WITH TIME ZONE.
        zoned: bool,
    },
    /// `DOUBLE PRECISION`.
    DoublePrecision,
    /// `integer ARRAY`, `ARRAY<integer>`; `ARRAY(integer)` is [`TypeKind::Generic`].
    Array(Box<TypeName>),
    /// `MAP<varchar, integer>`; `MAP(varchar, integer)` is [`TypeKind::Generic`].
    Map(Box<TypeName>, Box<TypeName>),
    /// `varchar(10)`, `decimal(10, 2)`, `array(row(a integer))`, `map(varchar, integer)`, `bigint`.
    Generic {
        /// The type's name.
        name: Ident,
        /// In parentheses; empty if there are none.
        parameters: Vec<TypeParameter>,
    },
}

/// A field of a row type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTypeField {
    /// Its name, if it has one.
    pub name: Option<Ident>,
    /// Its type.
    pub type_name: TypeName,
}

/// What may stand in the parentheses of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeParameter {
    /// A number, as written.
    Number(Box<str>, Span),
    /// A type.
    Type(TypeName),
}
