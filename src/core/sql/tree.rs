//! The tree of a statement: what it says, with the tokens that say it.
//!
//! - Every name is an [`Ident`], which knows its token; a resolver can therefore account for every identifier token.
//! - Two trees are equal if they say the same, wherever it stands ([`Span`] is no part of equality).
//! - No chain (`a + b + c`, `x JOIN y JOIN z`, `a.b.c`, UNION) nests: chains are lists. A tree is therefore no deeper than the
//!   parser's nesting limit times a small constant, and walking it by recursion is safe.
//! - Redundant parentheses are gone, as in Trino's own tree.
//! - Where Trino's grammar has two readings the parser has chosen Trino's; none is left to the reader of the tree.

mod expr;
mod json;
mod literal;
mod pattern;
mod query;
mod relation;
mod routine;
mod statement;
mod types;
pub mod walk;

use super::token::{Span, TokenIx};
pub use expr::*;
pub use json::*;
pub use literal::*;
pub use pattern::*;
pub use query::*;
pub use relation::*;
pub use routine::*;
pub use statement::*;
pub use types::*;

/// A name as written: one identifier token (or a keyword token that Trino takes as an identifier).
#[derive(Debug, Clone)]
pub struct Ident {
    /// The text without quotes, `""` made one quote, case kept.
    pub text: Box<str>,
    /// Whether it stood in double quotes. Trino compares without case all the same.
    pub quoted: bool,
    /// Its token.
    pub token: TokenIx,
}

impl Ident {
    /// The form by which Trino compares names: lower case, quoted or not.
    pub fn folded(&self) -> String {
        if self.text.is_ascii() { self.text.to_ascii_lowercase() } else { self.text.to_lowercase() }
    }

    /// Whether it is `name`, compared as Trino compares; `name` is ASCII.
    pub fn is(&self, name: &str) -> bool {
        self.text.eq_ignore_ascii_case(name)
    }

    /// Its one token.
    pub fn span(&self) -> Span {
        Span::at(self.token)
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.quoted == other.quoted && self.text == other.text
    }
}

impl Eq for Ident {}

/// A name of one or more parts, `catalog.schema.table` and the like. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualifiedName {
    /// The parts, left to right; at least one.
    pub parts: Vec<Ident>,
    /// From the first part to the last.
    pub span: Span,
}

impl QualifiedName {
    /// The parts joined by dots, without quotes, case kept.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&part.text);
        }
        out
    }
}
