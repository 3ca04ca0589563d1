//! Literals.

use super::super::token::Span;
use super::Ident;

/// A literal. Its text is as Trino's own tree has it: quotes and escapes resolved, numbers as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// An integer: decimal, `0x`, `0o` or `0b`, with its sign if it had one, underscores removed. Bigint or integer by size.
    Integer(Box<str>),
    /// `1.5`, `.5`, `1.`: a decimal, with its sign, underscores removed.
    Decimal(Box<str>),
    /// `1e3`: a double, with its sign.
    Double(Box<str>),
    /// `'…'` or `U&'…'`: varchar of its length.
    String(Box<str>),
    /// `X'…'`.
    Binary(Box<[u8]>),
    /// `DATE '2026-11-01'`, `ipaddress '10.0.0.1'`: any type name before a string.
    Typed {
        /// The type's name (a word of the type language, not a column).
        type_name: Ident,
        /// The text between the quotes, not yet checked.
        text: Box<str>,
    },
    /// `DOUBLE PRECISION '1.5'`.
    DoublePrecision(Box<str>),
    /// `INTERVAL '2' DAY`.
    Interval(IntervalLiteral),
}

/// `INTERVAL -'1-2' YEAR TO MONTH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntervalLiteral {
    /// A minus stood before the string.
    pub negative: bool,
    /// The text between the quotes, not yet checked.
    pub text: Box<str>,
    /// Its fields.
    pub fields: IntervalFields,
}

/// `DAY`, `DAY TO SECOND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntervalFields {
    /// The first field.
    pub from: IntervalField,
    /// The field after TO.
    pub to: Option<IntervalField>,
    /// The number in parentheses after the first field, 0 if there is none. Newer than Athena engine v3.
    pub precision: u32,
    /// The number in parentheses after SECOND for its fraction, 0 if there is none. Newer than Athena engine v3.
    pub fraction: u32,
}

/// A field of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntervalField {
    /// YEAR.
    Year,
    /// MONTH.
    Month,
    /// DAY.
    Day,
    /// HOUR.
    Hour,
    /// MINUTE.
    Minute,
    /// SECOND.
    Second,
}

/// A string where the grammar wants a string and nothing else (a JSON path, a LIKE pattern of SHOW).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, quotes and escapes resolved.
    pub text: Box<str>,
    /// Its tokens (`U&'…' UESCAPE '…'` has several).
    pub span: Span,
}

/// The value of an integer literal without underscores; none if it does not fit a bigint, which the server refuses.
pub fn integer_value(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        _ => (10, digits),
    };
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}
