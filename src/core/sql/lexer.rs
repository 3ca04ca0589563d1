//! Trino's lexer: the rules of SqlBase.g4, longest match first, and nothing else.
//!
//! No backslash escapes, comments do not nest, `"x"` is an identifier, `` `x` `` and `1x` are tokens that the parser refuses.
//! What Trino's lexer does not know becomes [`TokenKind::Unrecognized`], and the parser stops there.
//! Refused before parsing, because a reader would not see what the server sees: control characters other than tab, LF and CR LF,
//! a CR without LF, and outside of string literals every character that [`crate::core::text::is_hidden`] names.

use std::sync::Arc;

use super::keyword::Keyword;
use super::syntax_error::{Reason, SyntaxError};
use super::token::{Symbol, Token, TokenKind, Tokens};
use crate::core::text::is_hidden;

/// The longest statement, in bytes: Athena's quota for a query string, which cannot be raised.
pub const MAX_BYTES: usize = 262_144;

/// The tokens of `text`, without comments and blanks.
///
/// # Errors
/// Too long a text, or characters that are refused everywhere.
pub fn lex(text: &str) -> Result<Tokens, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError { reason: Reason::TooLong(text.len()), position: super::token::position("", 0), byte: 0 });
    }
    check_controls(text)?;
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, comment_open: true };
    let mut tokens = Vec::with_capacity(text.len() / 5 + 2);
    loop {
        lexer.skip_trivia()?;
        let start = lexer.at;
        let kind = lexer.next()?;
        tokens.push(Token { kind, start: offset(start), end: offset(lexer.at) });
        match kind {
            TokenKind::End => break,
            // Nothing after it can change that the parser stops here.
            TokenKind::Unrecognized => {
                tokens.push(Token { kind: TokenKind::End, start: offset(text.len()), end: offset(text.len()) });
                break;
            }
            _ => {}
        }
    }
    Ok(Tokens::new(Arc::from(text), tokens))
}

/// Lengths are at most [`MAX_BYTES`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Control characters are refused wherever they stand, in literals too.
fn check_controls(text: &str) -> Result<(), SyntaxError> {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\t' | b'\n' | 0x20..=0x7e | 0x80..=0xc1 | 0xc3..=0xff => {}
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {}
            b'\r' => return Err(SyntaxError::at(text, at, Reason::CarriageReturn)),
            // 0xc2 starts U+0080 to U+00BF, and the controls among them end at U+009F.
            0xc2 => {
                if let Some(low @ 0x80..=0x9f) = bytes.get(at + 1) {
                    return Err(SyntaxError::at(text, at, Reason::Control(char::from(*low))));
                }
            }
            control => return Err(SyntaxError::at(text, at, Reason::Control(char::from(*control)))),
        }
    }
    Ok(())
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether a `*/` may still follow: once none was found there is none, and `/*` is a slash and an asterisk.
    comment_open: bool,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Blanks and comments.
    fn skip_trivia(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'-') if self.peek(1) == Some(b'-') => {
                    let end = self.find(self.at, b"\n").unwrap_or(self.bytes.len());
                    self.check_hidden(self.at, end)?;
                    self.at = end;
                }
                Some(b'/') if self.peek(1) == Some(b'*') && self.comment_open => match self.find(self.at + 2, b"*/") {
                    Some(close) => {
                        self.check_hidden(self.at, close)?;
                        self.at = close + 2;
                    }
                    None => self.comment_open = false,
                },
                _ => return Ok(()),
            }
        }
    }

    /// Refuses characters that cannot be seen between two offsets.
    fn check_hidden(&self, from: usize, to: usize) -> Result<(), SyntaxError> {
        let part = self.text.get(from..to).unwrap_or("");
        if part.is_ascii() {
            return Ok(());
        }
        // Control characters were refused before, or are tab, LF and CR LF.
        match part.char_indices().find(|(_, c)| is_hidden(*c) && !c.is_control()) {
            Some((at, c)) => Err(SyntaxError::at(self.text, from + at, Reason::Hidden(c))),
            None => Ok(()),
        }
    }

    /// The offset of `what` at or after `from`.
    fn find(&self, from: usize, what: &[u8]) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        rest.windows(what.len()).position(|window| window == what).map(|found| from + found)
    }

    /// The end of a quoted token that opens at `open`, a doubled quote being part of it.
    fn closing(&self, open: usize, quote: u8) -> Option<usize> {
        let mut at = open + 1;
        loop {
            at = self.find(at, &[quote])?;
            if self.bytes.get(at + 1) != Some(&quote) {
                return Some(at + 1);
            }
            at += 2;
        }
    }

    fn next(&mut self) -> Result<TokenKind, SyntaxError> {
        let Some(byte) = self.peek(0) else { return Ok(TokenKind::End) };
        match byte {
            b'\'' => Ok(self.quoted(0, TokenKind::String)),
            b'"' | b'`' => {
                let start = self.at;
                let kind = if byte == b'"' { TokenKind::QuotedName } else { TokenKind::BackquotedName };
                let kind = self.quoted(0, kind);
                self.check_hidden(start, self.at)?;
                Ok(kind)
            }
            b'u' | b'U'
                if self.peek(1) == Some(b'&') && self.peek(2) == Some(b'\'') && self.closing(self.at + 2, b'\'').is_some() =>
            {
                Ok(self.quoted(2, TokenKind::UnicodeString))
            }
            b'x' | b'X' if self.peek(1) == Some(b'\'') => match self.find(self.at + 2, b"'") {
                Some(close) => {
                    self.at = close + 1;
                    Ok(TokenKind::Binary)
                }
                None => Ok(self.word()),
            },
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Ok(self.word()),
            b'0'..=b'9' => Ok(self.number()),
            b'.' if matches!(self.peek(1), Some(b'0'..=b'9')) => Ok(self.number()),
            b'$' if self.peek(1) == Some(b'$') => match self.find(self.at + 2, b"$$") {
                Some(close) => {
                    self.at = close + 2;
                    Ok(TokenKind::Foreign)
                }
                None => Ok(self.symbol(byte)),
            },
            0x80.. => {
                let c = self.text.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or('\u{fffd}');
                self.check_hidden(self.at, self.at + c.len_utf8())?;
                self.at += c.len_utf8();
                Ok(TokenKind::Unrecognized)
            }
            _ => Ok(self.symbol(byte)),
        }
    }

    /// A token in quotes, `skip` bytes after the current one; a lone quote is unrecognized.
    fn quoted(&mut self, skip: usize, kind: TokenKind) -> TokenKind {
        let open = self.at + skip;
        let quote = self.bytes.get(open).copied().unwrap_or(b'\'');
        match self.closing(open, quote) {
            Some(end) => {
                self.at = end;
                kind
            }
            None => {
                self.at += 1;
                TokenKind::Unrecognized
            }
        }
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        while matches!(self.peek(0), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_')) {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or("");
        Keyword::of(word).map_or(TokenKind::Name, TokenKind::Word)
    }

    /// Numbers and `1x`: whatever rule takes the most; of equal length, the number.
    fn number(&mut self) -> TokenKind {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let integer = integer(rest);
        let whole = underscored(rest, u8::is_ascii_digit);
        let decimal = match rest.get(whole) {
            Some(b'.') => {
                let fraction = underscored(rest.get(whole + 1..).unwrap_or(&[]), u8::is_ascii_digit);
                if whole == 0 && fraction == 0 { 0 } else { whole + 1 + fraction }
            }
            _ => 0,
        };
        let double = double(rest);
        let name = match rest.first() {
            Some(b'0'..=b'9') => run(rest, |b| b.is_ascii_alphanumeric() || *b == b'_'),
            _ => 0,
        };
        let (length, kind) = [
            (integer, TokenKind::Integer),
            (decimal, TokenKind::Decimal),
            (double, TokenKind::Double),
            (name, TokenKind::DigitName),
        ]
        .into_iter()
        .fold((0, TokenKind::Unrecognized), |best, next| if next.0 > best.0 { next } else { best });
        self.at += length.max(1);
        kind
    }

    fn symbol(&mut self, byte: u8) -> TokenKind {
        let (symbol, length) = match (byte, self.peek(1)) {
            (b'(', _) => (Symbol::LeftParen, 1),
            (b')', _) => (Symbol::RightParen, 1),
            (b'[', _) => (Symbol::LeftBracket, 1),
            (b']', _) => (Symbol::RightBracket, 1),
            (b'{', Some(b'-')) => (Symbol::LeftBraceMinus, 2),
            (b'{', _) => (Symbol::LeftBrace, 1),
            (b'}', _) => (Symbol::RightBrace, 1),
            (b',', _) => (Symbol::Comma, 1),
            (b'.', _) => (Symbol::Dot, 1),
            (b';', _) => (Symbol::Semicolon, 1),
            (b':', Some(b':')) => (Symbol::DoubleColon, 2),
            (b':', _) => (Symbol::Colon, 1),
            (b'?', _) => (Symbol::Question, 1),
            (b'=', Some(b'>')) => (Symbol::FatArrow, 2),
            (b'=', _) => (Symbol::Equal, 1),
            (b'<', Some(b'>')) | (b'!', Some(b'=')) => (Symbol::NotEqual, 2),
            (b'<', Some(b'=')) => (Symbol::LessOrEqual, 2),
            (b'<', _) => (Symbol::Less, 1),
            (b'>', Some(b'=')) => (Symbol::GreaterOrEqual, 2),
            (b'>', _) => (Symbol::Greater, 1),
            (b'+', _) => (Symbol::Plus, 1),
            (b'-', Some(b'>')) => (Symbol::Arrow, 2),
            (b'-', Some(b'}')) => (Symbol::MinusRightBrace, 2),
            (b'-', _) => (Symbol::Minus, 1),
            (b'*', _) => (Symbol::Asterisk, 1),
            (b'/', _) => (Symbol::Slash, 1),
            (b'%', _) => (Symbol::Percent, 1),
            (b'|', Some(b'|')) => (Symbol::Concat, 2),
            (b'|', _) => (Symbol::Bar, 1),
            (b'^', _) => (Symbol::Caret, 1),
            (b'$', _) => (Symbol::Dollar, 1),
            (b'@', _) => (Symbol::At, 1),
            _ => {
                self.at += 1;
                return TokenKind::Unrecognized;
            }
        };
        self.at += length;
        TokenKind::Symbol(symbol)
    }
}

/// How many leading bytes `matches` takes.
fn run(bytes: &[u8], matches: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|b| matches(b)).count()
}

/// The length of digits with single underscores between them: `DIGIT ('_'? DIGIT)*`.
fn underscored(bytes: &[u8], digit: impl Fn(&u8) -> bool) -> usize {
    let mut at = 0;
    loop {
        let skip = usize::from(at > 0 && bytes.get(at) == Some(&b'_'));
        match bytes.get(at + skip) {
            Some(b) if digit(b) => at += skip + 1,
            _ => return at,
        }
    }
}

/// The length of an integer: decimal, or `0x`, `0o`, `0b` with digits that may each follow an underscore.
fn integer(bytes: &[u8]) -> usize {
    let prefixed = |digit: fn(&u8) -> bool| {
        let mut at = 2;
        loop {
            let skip = usize::from(bytes.get(at) == Some(&b'_'));
            match bytes.get(at + skip) {
                Some(b) if digit(b) => at += skip + 1,
                _ => return if at > 2 { at } else { 0 },
            }
        }
    };
    let based = match bytes {
        [b'0', b'x' | b'X', ..] => prefixed(u8::is_ascii_hexdigit),
        [b'0', b'o' | b'O', ..] => prefixed(|b| matches!(b, b'0'..=b'7')),
        [b'0', b'b' | b'B', ..] => prefixed(|b| matches!(b, b'0' | b'1')),
        _ => 0,
    };
    based.max(underscored(bytes, u8::is_ascii_digit))
}

/// The length of `1e3`, `1.5e-3`, `.5E+3`; 0 if there is no exponent. No underscores here.
fn double(bytes: &[u8]) -> usize {
    let whole = run(bytes, u8::is_ascii_digit);
    let mut at = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = run(bytes.get(at + 1..).unwrap_or(&[]), u8::is_ascii_digit);
        if whole == 0 && fraction == 0 {
            return 0;
        }
        at += 1 + fraction;
    }
    if at == 0 || !matches!(bytes.get(at), Some(b'e' | b'E')) {
        return 0;
    }
    at += 1;
    if matches!(bytes.get(at), Some(b'+' | b'-')) {
        at += 1;
    }
    let digits = run(bytes.get(at..).unwrap_or(&[]), u8::is_ascii_digit);
    if digits == 0 { 0 } else { at + digits }
}

#[cfg(test)]
mod tests;
