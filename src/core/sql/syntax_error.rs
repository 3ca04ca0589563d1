//! Why a text is no statement.

use std::fmt;

use super::token::{Position, position};
use crate::core::text::visible;

/// Why a text is no statement, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}:{}: {}", position.line, position.column, reason)]
pub struct SyntaxError {
    /// What is wrong.
    pub reason: Reason,
    /// Where, as the server counts.
    pub position: Position,
    /// The same place as a byte offset.
    pub byte: usize,
}

impl SyntaxError {
    /// An error at byte `byte` of `text`.
    pub fn at(text: &str, byte: usize, reason: Reason) -> Self {
        Self { reason, position: position(text, byte), byte }
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A token that cannot stand where it stands.
    Unexpected {
        /// The token as written; empty at the end.
        found: Box<str>,
        /// What could have stood there.
        expected: &'static str,
    },
    /// Longer than Athena takes, in bytes.
    TooLong(usize),
    /// Nested deeper than the limit.
    TooDeep,
    /// A control character other than tab, LF and CR LF.
    Control(char),
    /// A carriage return that no LF follows: Trino ends a line comment there, people do not see it.
    CarriageReturn,
    /// A character that cannot be seen, outside of a string literal.
    Hidden(char),
    /// Anything else that the server's parser refuses, in its words.
    Refused(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, expected } if found.is_empty() => {
                write!(f, "mismatched input '<EOF>'. Expecting: {expected}")
            }
            Self::Unexpected { found, expected } => write!(f, "mismatched input '{}'. Expecting: {expected}", visible(found)),
            Self::TooLong(bytes) => {
                write!(f, "the statement has {bytes} bytes; Athena takes at most {} in UTF-8", super::lexer::MAX_BYTES)
            }
            Self::TooDeep => write!(f, "the statement is nested deeper than {} levels", super::parser::MAX_DEPTH),
            Self::Control(c) => write!(f, "control character {} is not allowed; remove it", visible(&c.to_string())),
            Self::CarriageReturn => {
                f.write_str("carriage return without a line feed is not allowed: it would end a comment unseen; use LF or CR LF")
            }
            Self::Hidden(c) => {
                write!(f, "invisible character {} is allowed in string literals only; remove it", visible(&c.to_string()))
            }
            Self::Refused(why) => f.write_str(why),
        }
    }
}
