//! Tokens and where they stand.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keyword::Keyword;

/// Index of a token in its statement; comments and blanks are no tokens.
pub type TokenIx = u32;

/// The tokens of one node: from `first` to `last`, both included, and the one at which the server points when it rejects the node.
///
/// Any two spans are equal: trees compare by what they say, not by where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The node's first token.
    pub first: TokenIx,
    /// The node's last token.
    pub last: TokenIx,
    /// The token whose line and column Trino gives as the node's location: an operator for a comparison, NOT or the predicate's
    /// word for BETWEEN, IN, LIKE and IS, `||`, `AT`; the first token for everything else.
    pub point: TokenIx,
}

impl Span {
    /// A span that Trino locates at its first token.
    pub fn new(first: TokenIx, last: TokenIx) -> Self {
        Self { first, last, point: first }
    }

    /// One token.
    pub fn at(token: TokenIx) -> Self {
        Self::new(token, token)
    }

    /// The same tokens, located at `point`.
    pub fn pointing(self, point: TokenIx) -> Self {
        Self { point, ..self }
    }

    /// From the first token of this to the last of `end`.
    pub fn to(self, end: Span) -> Self {
        Self { last: end.last, ..self }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An unquoted identifier that is no keyword.
    Name,
    /// A word of the grammar; an identifier too unless it is reserved.
    Word(Keyword),
    /// `"…"`: an identifier.
    QuotedName,
    /// `` `…` ``: known to the server's lexer, refused by its parser.
    BackquotedName,
    /// `1x`: known to the server's lexer, refused by its parser.
    DigitName,
    /// `'…'`.
    String,
    /// `U&'…'`.
    UnicodeString,
    /// `X'…'`.
    Binary,
    /// `$$…$$`: the body of a function in another language.
    Foreign,
    /// `12`, `1_000`, `0xff`, `0o17`, `0b01`.
    Integer,
    /// `1.5`, `1.`, `.5`.
    Decimal,
    /// `1e3`.
    Double,
    /// An operator or a separator.
    Symbol(Symbol),
    /// What no rule of the server's lexer takes: a lone quote, `#`, `é` outside of quotes.
    Unrecognized,
    /// The end of the statement.
    End,
}

/// Operators and separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the sign it is named after")]
pub enum Symbol {
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    /// `{-`
    LeftBraceMinus,
    /// `-}`
    MinusRightBrace,
    Comma,
    Dot,
    Semicolon,
    Colon,
    DoubleColon,
    Question,
    Equal,
    /// `<>` and `!=`
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Asterisk,
    Slash,
    Percent,
    /// `||`
    Concat,
    /// `|`
    Bar,
    /// `->`
    Arrow,
    /// `=>`
    FatArrow,
    Caret,
    Dollar,
    At,
}

/// One token: its kind and its bytes in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Byte offset of its first byte.
    pub start: u32,
    /// Byte offset after its last byte.
    pub end: u32,
}

/// A place in a text as Trino counts: lines from 1, ended by LF; columns from 1, in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in code points.
    pub column: u32,
}

/// A statement's text and its tokens; the last token is [`TokenKind::End`].
#[derive(Debug, Clone)]
pub struct Tokens {
    text: Arc<str>,
    tokens: Vec<Token>,
}

impl Tokens {
    /// `tokens` of `text`; the lexer alone makes them.
    pub(super) fn new(text: Arc<str>, tokens: Vec<Token>) -> Self {
        Self { text, tokens }
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All tokens, the end included.
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// The token at `index`; the end for anything beyond.
    pub fn get(&self, index: TokenIx) -> Token {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.tokens.get(index as usize).copied().unwrap_or(Token { kind: TokenKind::End, start: end, end })
    }

    /// The bytes of a token as written.
    pub fn written(&self, index: TokenIx) -> &str {
        let token = self.get(index);
        self.text.get(token.start as usize..token.end as usize).unwrap_or("")
    }

    /// The byte range of a node.
    pub fn bytes(&self, span: Span) -> std::ops::Range<usize> {
        self.get(span.first).start as usize..self.get(span.last).end as usize
    }

    /// The text of a node as written, comments and all.
    pub fn source(&self, span: Span) -> &str {
        self.text.get(self.bytes(span)).unwrap_or("")
    }

    /// Where a byte stands. Counts from the start of the text.
    pub fn position(&self, byte: usize) -> Position {
        position(&self.text, byte)
    }

    /// Where the server points when it rejects the node.
    pub fn location(&self, span: Span) -> Position {
        self.position(self.get(span.point).start as usize)
    }

    /// Where the node starts and where it ends (the column after its last character).
    pub fn extent(&self, span: Span) -> (Position, Position) {
        let bytes = self.bytes(span);
        (self.position(bytes.start), self.position(bytes.end))
    }
}

/// Where byte `byte` of `text` stands.
pub fn position(text: &str, byte: usize) -> Position {
    let mut end = byte.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}
