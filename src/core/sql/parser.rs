//! Trino's read grammar, by recursive descent.
//!
//! Facts are those of SqlBase.g4, the newest published grammar; what engine v3 of Athena lacks is read all the same and listed in
//! [`Parsed::newer`]. Where the grammar has two readings, ANTLR takes the first alternative that reaches the end; each place where
//! that matters says how it is decided here. Nothing is tried twice but for a type or two, so time is linear.

mod call;
mod expr;
mod json;
mod match_recognize;
mod number;
mod predicate;
mod primary;
mod query;
mod relation;
mod routine;
mod select;
mod special;
mod statement;
mod strings;
mod table_function;
mod types;
mod window;

use std::collections::BTreeMap;

use super::keyword::Keyword;
use super::lexer::lex;
use super::syntax_error::{Reason, SyntaxError};
use super::token::{Span, Symbol, TokenIx, TokenKind, Tokens};
use super::tree::{Expr, Ident, QualifiedName, Statement};

/// How deep expressions, queries, relations, types and patterns may nest together. Trees that people write stay below 60. A debug
/// build needs about 22 KB of stack for a level, so that a thread with the usual 2 MB holds them all.
pub const MAX_DEPTH: u32 = 72;

/// A statement that was read.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Its text and tokens.
    pub tokens: Tokens,
    /// What it says.
    pub statement: Statement,
    /// Constructs in it that engine v3 of Athena lacks, in the order of reading.
    pub newer: Vec<Newer>,
    /// The colons that start a parameter, in the order of reading; the name is the next token.
    pub parameters: Vec<TokenIx>,
}

/// A construct of the newest grammar that engine v3 of Athena lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newer {
    /// Its name: `JSON_TABLE`, `inline function`.
    pub what: &'static str,
    /// Where it stands.
    pub span: Span,
}

/// What `:name` stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Declared {
    /// One value, not known yet.
    One,
    /// A list, not known yet; only `IN :name`.
    Many,
    /// One value: the literal takes the parameter's place in the tree.
    Value(Expr),
    /// A list: the literals take the parameter's place in `IN`.
    Values(Vec<Expr>),
}

/// The declared parameters of a statement by name. `:x` is a parameter only if `x` is here; otherwise `:` is what the grammar says.
pub type Parameters = BTreeMap<String, Declared>;

/// Reads one statement without parameters.
///
/// # Errors
/// Text that Trino's lexer or parser refuses, or that this one refuses for safety.
pub fn parse(sql: &str) -> Result<Parsed, SyntaxError> {
    parse_with(sql, &Parameters::new())
}

/// Reads one statement with declared parameters. One semicolon may end it: people write it, and it is never sent, since what is
/// sent is made from the tokens of the tree.
///
/// # Errors
/// Text that Trino's lexer or parser refuses, or that this one refuses for safety.
pub fn parse_with(sql: &str, parameters: &Parameters) -> Result<Parsed, SyntaxError> {
    parse_tokens(lex(sql)?, parameters)
}

/// Reads one statement from its tokens, as [`parse_with`] does.
///
/// # Errors
/// As [`parse_with`], but for those of the lexer.
pub fn parse_tokens(tokens: Tokens, parameters: &Parameters) -> Result<Parsed, SyntaxError> {
    let mut parser = Parser::new(&tokens, parameters);
    let statement = parser.whole_statement().map_err(|error| parser.furthest(error))?;
    let (newer, parameters) = (parser.newer, parser.used);
    Ok(Parsed { tokens, statement, newer, parameters })
}

/// Reads one expression and nothing else.
///
/// # Errors
/// As [`parse_with`].
pub fn parse_expression(text: &str) -> Result<Expr, SyntaxError> {
    let tokens = lex(text)?;
    let parameters = Parameters::new();
    let mut parser = Parser::new(&tokens, &parameters);
    let expr = parser.expr().and_then(|expr| parser.end().map(|()| expr));
    expr.map_err(|error| parser.furthest(error))
}

/// Boxed, so that results stay small on the stack.
type Res<T> = Result<T, Box<SyntaxError>>;

struct Parser<'a> {
    tokens: &'a Tokens,
    parameters: &'a Parameters,
    at: TokenIx,
    depth: u32,
    newer: Vec<Newer>,
    /// The colons of parameters.
    used: Vec<TokenIx>,
    /// The error that got furthest, of those that were given up for another reading.
    given_up: Option<Box<SyntaxError>>,
    /// Within NEAREST, where MATCH starts a clause.
    in_nearest: bool,
}

impl<'a> Parser<'a> {
    fn new(tokens: &'a Tokens, parameters: &'a Parameters) -> Self {
        Self { tokens, parameters, at: 0, depth: 0, newer: Vec::new(), used: Vec::new(), given_up: None, in_nearest: false }
    }

    fn kind(&self) -> TokenKind {
        self.kind_at(0)
    }

    fn kind_at(&self, ahead: u32) -> TokenKind {
        self.tokens.get(self.at + ahead).kind
    }

    /// The token before the current one.
    fn previous(&self) -> TokenIx {
        self.at.saturating_sub(1)
    }

    /// From `first` to the token before the current one.
    fn span_from(&self, first: TokenIx) -> Span {
        Span::new(first, self.previous().max(first))
    }

    fn advance(&mut self) -> TokenIx {
        let at = self.at;
        self.at += 1;
        at
    }

    fn at_symbol(&self, symbol: Symbol) -> bool {
        self.kind() == TokenKind::Symbol(symbol)
    }

    fn symbol_at(&self, ahead: u32, symbol: Symbol) -> bool {
        self.kind_at(ahead) == TokenKind::Symbol(symbol)
    }

    fn at_word(&self, word: Keyword) -> bool {
        self.kind() == TokenKind::Word(word)
    }

    fn word_at(&self, ahead: u32, word: Keyword) -> bool {
        self.kind_at(ahead) == TokenKind::Word(word)
    }

    /// Whether the next tokens are these words.
    fn at_words(&self, words: &[Keyword]) -> bool {
        words.iter().zip(0..).all(|(word, ahead)| self.word_at(ahead, *word))
    }

    fn take_symbol(&mut self, symbol: Symbol) -> bool {
        let found = self.at_symbol(symbol);
        self.at += u32::from(found);
        found
    }

    fn take_word(&mut self, word: Keyword) -> bool {
        let found = self.at_word(word);
        self.at += u32::from(found);
        found
    }

    /// Takes all of these words or none.
    fn take_words(&mut self, words: &[Keyword]) -> bool {
        let found = self.at_words(words);
        if found {
            self.at += u32::try_from(words.len()).unwrap_or(0);
        }
        found
    }

    fn expect_symbol(&mut self, symbol: Symbol, expected: &'static str) -> Res<TokenIx> {
        if self.at_symbol(symbol) { Ok(self.advance()) } else { Err(self.unexpected(expected)) }
    }

    fn open(&mut self) -> Res<TokenIx> {
        self.expect_symbol(Symbol::LeftParen, "'('")
    }

    fn close(&mut self) -> Res<TokenIx> {
        self.expect_symbol(Symbol::RightParen, "')'")
    }

    fn expect_word(&mut self, word: Keyword) -> Res<TokenIx> {
        if self.at_word(word) { Ok(self.advance()) } else { Err(self.unexpected(word.text())) }
    }

    fn expect_words(&mut self, words: &[Keyword]) -> Res<()> {
        for word in words {
            self.expect_word(*word)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Res<()> {
        if self.kind() == TokenKind::End { Ok(()) } else { Err(self.unexpected("<EOF>")) }
    }

    /// The error that the current token cannot stand here.
    fn unexpected(&self, expected: &'static str) -> Box<SyntaxError> {
        let found = Box::from(self.tokens.written(self.at));
        self.error_at(self.at, Reason::Unexpected { found, expected })
    }

    fn error_at(&self, token: TokenIx, reason: Reason) -> Box<SyntaxError> {
        Box::new(SyntaxError::at(self.tokens.text(), self.tokens.get(token).start as usize, reason))
    }

    fn refused<T>(&self, token: TokenIx, why: &'static str) -> Res<T> {
        Err(self.error_at(token, Reason::Refused(why)))
    }

    /// Of an error and those given up, the one furthest on: there the server's parser stopped too.
    #[allow(clippy::boxed_local, reason = "errors travel boxed; this is where one is taken out")]
    fn furthest(&mut self, error: Box<SyntaxError>) -> SyntaxError {
        match self.given_up.take() {
            Some(other) if other.byte > error.byte && error.reason != Reason::TooDeep => *other,
            _ => *error,
        }
    }

    /// Tries one reading; if it fails, everything is as before.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Res<T>) -> Option<T> {
        let (at, newer, used) = (self.at, self.newer.len(), self.used.len());
        match read(self) {
            Ok(value) => Some(value),
            Err(error) => {
                self.at = at;
                self.newer.truncate(newer);
                self.used.truncate(used);
                if self.given_up.as_ref().is_none_or(|other| other.byte <= error.byte) {
                    self.given_up = Some(error);
                }
                None
            }
        }
    }

    /// One level deeper.
    fn nest<T>(&mut self, read: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error_at(self.at, Reason::TooDeep));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Notes a construct that engine v3 of Athena lacks.
    fn note_newer(&mut self, what: &'static str, span: Span) {
        self.newer.push(Newer { what, span });
    }

    /// Items with commas between them, at least one.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Res<T>) -> Res<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(Symbol::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Whether a token may be an identifier, also one that the server's parser then refuses.
    fn is_name(kind: TokenKind) -> bool {
        match kind {
            TokenKind::Name | TokenKind::QuotedName | TokenKind::BackquotedName | TokenKind::DigitName => true,
            TokenKind::Word(word) => !word.is_reserved(),
            _ => false,
        }
    }

    fn at_name(&self) -> bool {
        Self::is_name(self.kind())
    }

    fn name_at(&self, ahead: u32) -> bool {
        Self::is_name(self.kind_at(ahead))
    }

    /// An identifier.
    fn ident(&mut self) -> Res<Ident> {
        if !self.at_name() {
            return Err(self.unexpected("<identifier>"));
        }
        let token = self.at;
        let written = self.tokens.written(token);
        let (text, quoted) = match self.kind() {
            TokenKind::QuotedName => {
                let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
                if inner.is_empty() {
                    return self.refused(token, "Zero-length delimited identifier not allowed");
                }
                let text = if inner.contains('"') { inner.replace("\"\"", "\"").into() } else { Box::from(inner) };
                (text, true)
            }
            TokenKind::BackquotedName => {
                return self.refused(token, "backquoted identifiers are not supported; use double quotes to quote identifiers");
            }
            TokenKind::DigitName => {
                return self
                    .refused(token, "identifiers must not start with a digit; surround the identifier with double quotes");
            }
            _ => (Box::from(written), false),
        };
        self.advance();
        Ok(Ident { text, quoted, token })
    }

    /// `a.b.c`.
    fn qualified_name(&mut self) -> Res<QualifiedName> {
        let first = self.at;
        let mut parts = vec![self.ident()?];
        while self.take_symbol(Symbol::Dot) {
            parts.push(self.ident()?);
        }
        Ok(QualifiedName { parts, span: self.span_from(first) })
    }

    /// `(a, b)`: names of columns.
    fn column_names(&mut self) -> Res<Vec<Ident>> {
        self.open()?;
        let names = self.list(Self::ident)?;
        self.close()?;
        Ok(names)
    }

    /// The declared parameter that stands here: a colon and, right after it, a declared name.
    fn parameter(&self) -> Option<&'a Declared> {
        if !self.at_symbol(Symbol::Colon) || self.tokens.get(self.at).end != self.tokens.get(self.at + 1).start {
            return None;
        }
        match self.kind_at(1) {
            TokenKind::Name | TokenKind::Word(_) => self.parameters.get(self.tokens.written(self.at + 1)),
            _ => None,
        }
    }

    /// Takes the two tokens of a parameter.
    fn parameter_name(&mut self) -> Ident {
        let token = self.at + 1;
        self.used.push(self.at);
        self.at += 2;
        Ident { text: Box::from(self.tokens.written(token)), quoted: false, token }
    }
}

#[cfg(test)]
mod tests;
