//! Strings: `'…'`, `U&'…' UESCAPE '…'`, `X'…'`.

use super::super::keyword::Keyword;
use super::super::token::{TokenIx, TokenKind};
use super::super::tree::Text;
use super::{Parser, Res};

impl Parser<'_> {
    /// `string` of the grammar.
    pub(super) fn string(&mut self) -> Res<Text> {
        let first = self.at;
        let text = match self.kind() {
            TokenKind::String => {
                let token = self.advance();
                unquote(self.tokens.written(token))
            }
            TokenKind::UnicodeString => {
                let token = self.advance();
                let escape = if self.take_word(Keyword::Uescape) { self.escape_character()? } else { '\\' };
                let written = self.tokens.written(token).get(2..).unwrap_or("");
                match unescape(&unquote(written), escape) {
                    Ok(text) => text.into(),
                    Err(why) => return self.refused(first, why),
                }
            }
            _ => return Err(self.unexpected("<string>")),
        };
        Ok(Text { text, span: self.span_from(first) })
    }

    fn escape_character(&mut self) -> Res<char> {
        let token = self.at;
        if self.kind() != TokenKind::String {
            return Err(self.unexpected("<string>"));
        }
        self.advance();
        let text = unquote(self.tokens.written(token));
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) => self.refused(token, "Empty Unicode escape character"),
            (_, Some(_)) => self.refused(token, "Invalid Unicode escape character: more than one character"),
            (Some(c), None) if c.is_ascii_hexdigit() || c.is_whitespace() || matches!(c, '\'' | '"' | '+') => {
                self.refused(token, "Invalid Unicode escape character")
            }
            (Some(c), None) => Ok(c),
        }
    }

    /// `X'…'`: pairs of hexadecimal digits, blanks between them allowed.
    pub(super) fn binary(&mut self) -> Res<Box<[u8]>> {
        let token: TokenIx = self.advance();
        let written = self.tokens.written(token);
        let inner = written.get(2..written.len().saturating_sub(1)).unwrap_or("");
        let mut digits = Vec::with_capacity(inner.len());
        for c in inner.chars().filter(|c| !c.is_whitespace()) {
            match c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
                Some(digit) => digits.push(digit),
                None => return self.refused(token, "Binary literal can only contain hexadecimal digits"),
            }
        }
        if digits.len() % 2 != 0 {
            return self.refused(token, "Binary literal must contain an even number of digits");
        }
        Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
    }
}

/// The text between quotes, doubled quotes made one.
fn unquote(written: &str) -> Box<str> {
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
    if inner.contains('\'') { inner.replace("''", "'").into() } else { inner.into() }
}

/// The text of a `U&'…'`: `\0041`, `\+01F600`, `\\`.
fn unescape(text: &str, escape: char) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != escape {
            out.push(c);
            continue;
        }
        let digits = match chars.peek() {
            Some(next) if *next == escape => {
                chars.next();
                out.push(escape);
                continue;
            }
            Some('+') => {
                chars.next();
                6
            }
            _ => 4,
        };
        let mut code = 0;
        for _ in 0..digits {
            let Some(next) = chars.next() else { return Err("Incomplete escape sequence") };
            let Some(digit) = next.to_digit(16) else { return Err("Invalid hexadecimal digit") };
            code = code << 4 | digit;
        }
        match char::from_u32(code) {
            Some(c) => out.push(c),
            None => return Err("Invalid escaped character"),
        }
    }
    Ok(out)
}
