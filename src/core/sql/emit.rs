//! The text that is sent: made from the very tokens that were parsed, never from the text as it came.
//!
//! Comments are dropped. Between two tokens there is nothing if there was nothing, a line break and the next line's indentation if
//! there was a line break outside of comments, else one space. Semicolons at the end are dropped. The result gives the same tokens
//! again, and itself when it is emitted again.

use super::token::{Symbol, TokenIx, TokenKind, Tokens};

/// The canonical text of a statement.
pub fn emit(tokens: &Tokens) -> String {
    emit_with(tokens, |_| None)
}

/// What takes the place of some tokens.
pub(super) struct Replacement {
    /// The text.
    pub(super) text: String,
    /// How many tokens it replaces; at least one.
    pub(super) tokens: u32,
}

/// The canonical text of a statement, some tokens replaced. A replacement never touches a word or a number on either side.
pub(super) fn emit_with(tokens: &Tokens, replace: impl Fn(TokenIx) -> Option<Replacement>) -> String {
    let mut out = String::with_capacity(tokens.text().len());
    let mut index = 0;
    let mut replaced = false;
    let length = length(tokens);
    while index < length {
        let replacement = replace(index);
        if index > 0 {
            let gap = gap(tokens, index);
            if gap.is_empty() && (replaced || replacement.is_some()) && touches(tokens, index, replaced) {
                out.push(' ');
            }
            out.push_str(&gap);
        }
        replaced = replacement.is_some();
        match replacement {
            Some(replacement) => {
                out.push_str(&replacement.text);
                index += replacement.tokens.max(1);
            }
            None => {
                out.push_str(tokens.written(index));
                index += 1;
            }
        }
    }
    out
}

/// How many tokens are left without the end and the semicolons before it.
fn length(tokens: &Tokens) -> TokenIx {
    let kept = |kind: TokenKind| !matches!(kind, TokenKind::End | TokenKind::Symbol(Symbol::Semicolon));
    let last = tokens.all().iter().rposition(|token| kept(token.kind));
    last.map_or(0, |last| TokenIx::try_from(last + 1).unwrap_or(TokenIx::MAX))
}

/// Whether a replacement on one side of the gap before `index` could join the token on the other side.
fn touches(tokens: &Tokens, index: TokenIx, replaced_before: bool) -> bool {
    let other = if replaced_before { index } else { index - 1 };
    !matches!(tokens.get(other).kind, TokenKind::Symbol(_))
}

/// What stands between a token and the one before it, in canonical form.
fn gap(tokens: &Tokens, index: TokenIx) -> String {
    let from = tokens.get(index - 1).end as usize;
    let to = tokens.get(index).start as usize;
    let text = tokens.text().get(from..to).unwrap_or(" ");
    if text.is_empty() {
        return String::new();
    }
    let mut line = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '-' => rest.find('\n').unwrap_or(rest.len()),
            '/' => rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |close| close + 4),
            '\n' => {
                line = Some(String::new());
                1
            }
            _ => {
                if let (Some(indent), ' ' | '\t') = (&mut line, c) {
                    indent.push(c);
                }
                c.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or("");
    }
    line.map_or_else(|| " ".to_owned(), |indent| format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sql::lexer::lex;

    fn emitted(text: &str) -> String {
        emit(&lex(text).unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    fn shapes(text: &str) -> Vec<(TokenKind, String)> {
        let tokens = lex(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (0..).zip(tokens.all()).map(|(index, token)| (token.kind, tokens.written(index).to_owned())).collect()
    }

    #[test]
    fn lines_stay_and_comments_go() {
        for (text, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("  SELECT   1 ;  -- done\n", "SELECT 1"),
            ("SELECT a, -- first\n  b\nFROM t", "SELECT a,\n  b\nFROM t"),
            ("SELECT a/**/b", "SELECT a b"),
            ("SELECT a /* x\n y */ b", "SELECT a b"),
            ("SELECT a\n\n-- note\n\n\tb", "SELECT a\n\tb"),
            ("SELECT a\r\n  FROM t", "SELECT a\n  FROM t"),
            ("SELECT a --\n/* b */ c", "SELECT a\n c"),
            ("SELECT a /*/ \n */ b", "SELECT a b"),
            ("/* */SELECT'a  b'", "SELECT'a  b'"),
            ("SELECT f(a,b)*-1", "SELECT f(a,b)*-1"),
            ("", ""),
            ("-- nothing", ""),
        ] {
            assert_eq!(emitted(text), expected, "{text:?}");
        }
    }

    /// Parts of which random texts are made: tokens that could join, comments that could open or close.
    const PARTS: &[&str] = &[
        "a", "1", ".", "-", "/", "*", "--c\n", "/*c*/", " ", "\n", "\r\n", "\t", "'x'", "''", "\"q\"", "e5", "x", "U&", "u",
        "&'", "0", "_", "|", "=", ">", "<", "!=", ":", "?", "{", "}", "(", ")", ";", "$", "[", "]", "é", "-- --\n", "/* -- */",
        "--/*\n", "'--'", "'/*'", "/*/", "*/",
    ];

    proptest::proptest! {
        #[test]
        fn the_tokens_stay_the_same(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..30)) {
            let text = parts.concat();
            // Semicolons at the end are dropped, nothing else.
            let mut before = shapes(&text);
            while before.len() > 1 && before[before.len() - 2].1 == ";" {
                before.remove(before.len() - 2);
            }
            let out = emitted(&text);
            let unrecognized = before.iter().any(|(kind, _)| *kind == TokenKind::Unrecognized);
            if !unrecognized {
                proptest::prop_assert_eq!(&shapes(&out), &before, "{:?} {:?}", text, out);
                proptest::prop_assert_eq!(&emitted(&out), &out);
            }
        }
    }
}
