//! What each part of a statement is, for the screen.
//!
//! Where the statement can be read, the tree tells what a word is: `date` may be a column and `limit` an alias. Where it cannot,
//! reserved words are keywords and the rest is guessed, so that a half-written statement has colours too.

use std::ops::Range;

use super::lexer::lex;
use super::parser::{Parameters, Parsed, parse_tokens};
use super::token::{Symbol, TokenIx, TokenKind, Tokens};
use super::tree::walk::{Visitor, walk_name, walk_statement};
use super::tree::{Ident, QualifiedName};

/// What a part of a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A word of the grammar.
    Keyword,
    /// A string or a binary literal, its prefix included.
    String,
    /// A number.
    Number,
    /// A name: of a column, a table, an alias, a type, a field.
    Identifier,
    /// The name of a function that is called.
    Function,
    /// An operator or a separator.
    Operator,
    /// `:name` of a declared parameter.
    Parameter,
    /// A comment; it is never sent.
    Comment,
    /// What the server's lexer does not know, and all after it.
    Unknown,
}

/// A part of a statement and what it is. Blanks are in no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its bytes.
    pub bytes: Range<usize>,
    /// What it is.
    pub role: Role,
}

/// The parts of `sql`, in order, without overlap.
pub fn highlight(sql: &str, parameters: &Parameters) -> Vec<Mark> {
    let Ok(tokens) = lex(sql) else {
        return vec![Mark { bytes: 0..sql.len(), role: Role::Unknown }];
    };
    let mut roles: Vec<Role> = (0..).zip(tokens.all()).map(|(index, _)| guess(&tokens, index)).collect();
    if let Ok(parsed) = parse_tokens(tokens.clone(), parameters) {
        settle(&parsed, &mut roles);
    }
    marks(&tokens, &roles)
}

/// The role of a token by itself and its neighbours.
fn guess(tokens: &Tokens, index: TokenIx) -> Role {
    let symbol = |at: TokenIx, symbol| tokens.get(at).kind == TokenKind::Symbol(symbol);
    match tokens.get(index).kind {
        TokenKind::String | TokenKind::UnicodeString | TokenKind::Binary | TokenKind::Foreign => Role::String,
        TokenKind::Integer | TokenKind::Decimal | TokenKind::Double => Role::Number,
        TokenKind::Symbol(_) | TokenKind::End => Role::Operator,
        TokenKind::Unrecognized => Role::Unknown,
        TokenKind::Word(word) if word.is_reserved() => Role::Keyword,
        _ if symbol(index + 1, Symbol::LeftParen) => Role::Function,
        TokenKind::Word(_) if !symbol(index + 1, Symbol::Dot) && (index == 0 || !symbol(index - 1, Symbol::Dot)) => Role::Keyword,
        _ => Role::Identifier,
    }
}

/// Corrects the roles of words by what the tree says they are.
fn settle(parsed: &Parsed, roles: &mut [Role]) {
    for (token, role) in parsed.tokens.all().iter().zip(roles.iter_mut()) {
        // A word that the tree does not name is the grammar's.
        if matches!(token.kind, TokenKind::Word(_)) && *role != Role::Keyword {
            *role = Role::Keyword;
        }
    }
    let mut names = Names { roles };
    walk_statement(&mut names, &parsed.statement);
    for colon in &parsed.parameters {
        names.set(*colon, Role::Parameter);
        names.set(colon + 1, Role::Parameter);
    }
}

struct Names<'a> {
    roles: &'a mut [Role],
}

impl Names<'_> {
    fn set(&mut self, token: TokenIx, role: Role) {
        if let Some(slot) = self.roles.get_mut(token as usize) {
            *slot = role;
        }
    }
}

impl Visitor for Names<'_> {
    fn ident(&mut self, ident: &Ident) {
        self.set(ident.token, Role::Identifier);
    }

    fn function(&mut self, name: &QualifiedName) {
        walk_name(self, name);
        if let Some(last) = name.parts.last() {
            self.set(last.token, Role::Function);
        }
    }

    fn table_function(&mut self, name: &QualifiedName) {
        self.function(name);
    }
}

/// Tokens with their roles, and the comments between them.
fn marks(tokens: &Tokens, roles: &[Role]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::with_capacity(roles.len());
    let mut end = 0;
    for (token, role) in tokens.all().iter().zip(roles) {
        let bytes = token.start as usize..token.end as usize;
        comments(tokens.text(), end..bytes.start, &mut marks);
        end = bytes.end;
        match role {
            Role::Unknown => {
                marks.push(Mark { bytes: bytes.start..tokens.text().len(), role: Role::Unknown });
                return marks;
            }
            // The two tokens of a parameter are one part.
            Role::Parameter if marks.last().is_some_and(|last| last.role == Role::Parameter && last.bytes.end == bytes.start) => {
                if let Some(last) = marks.last_mut() {
                    last.bytes.end = bytes.end;
                }
            }
            _ if bytes.is_empty() => {}
            role => marks.push(Mark { bytes, role: *role }),
        }
    }
    marks
}

/// The comments of a gap between tokens; a line comment ends before its line break.
fn comments(text: &str, gap: Range<usize>, marks: &mut Vec<Mark>) {
    let Range { start: mut at, end } = gap;
    while let Some(rest) = text.get(at..end).filter(|rest| !rest.is_empty()) {
        let length = if rest.starts_with("--") {
            rest.find('\n')
                .map_or(rest.len(), |line| line - usize::from(rest.get(..line).is_some_and(|line| line.ends_with('\r'))))
        } else if rest.starts_with("/*") {
            rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |close| close + 4)
        } else {
            at += 1;
            continue;
        };
        marks.push(Mark { bytes: at..at + length, role: Role::Comment });
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sql::parser::Declared;

    fn roles(sql: &str) -> Vec<(&str, Role)> {
        let parameters = Parameters::from([("day".to_owned(), Declared::One)]);
        highlight(sql, &parameters).into_iter().map(|mark| (&sql[mark.bytes], mark.role)).collect()
    }

    #[test]
    fn the_tree_tells_what_a_word_is() {
        use Role::*;
        assert_eq!(
            roles("SELECT date, count(*) limit FROM a.b -- x\r\nWHERE d = :day LIMIT 5;"),
            [
                ("SELECT", Keyword),
                ("date", Identifier),
                (",", Operator),
                ("count", Function),
                ("(", Operator),
                ("*", Operator),
                (")", Operator),
                ("limit", Identifier),
                ("FROM", Keyword),
                ("a", Identifier),
                (".", Operator),
                ("b", Identifier),
                ("-- x", Comment),
                ("WHERE", Keyword),
                ("d", Identifier),
                ("=", Operator),
                (":day", Parameter),
                ("LIMIT", Keyword),
                ("5", Number),
                (";", Operator),
            ]
        );
        assert_eq!(
            roles("SELECT CAST(a AS date), DATE '2026-01-01', u&'x' /* c */"),
            [
                ("SELECT", Keyword),
                ("CAST", Keyword),
                ("(", Operator),
                ("a", Identifier),
                ("AS", Keyword),
                ("date", Identifier),
                (")", Operator),
                (",", Operator),
                ("DATE", Identifier),
                ("'2026-01-01'", String),
                (",", Operator),
                ("u&'x'", String),
                ("/* c */", Comment),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_has_roles_too() {
        use Role::*;
        assert_eq!(
            roles("SELECT f(a, FROM"),
            [("SELECT", Keyword), ("f", Function), ("(", Operator), ("a", Identifier), (",", Operator), ("FROM", Keyword),]
        );
        assert_eq!(roles("SELECT 'open -- x"), [("SELECT", Keyword), ("'open -- x", Unknown)]);
        assert_eq!(roles("SELECT \u{1b}"), [("SELECT \u{1b}", Unknown)]);
        assert_eq!(roles(""), []);
    }

    proptest::proptest! {
        #[test]
        fn parts_are_in_order_and_only_blanks_are_left(sql in "[ -~\\n]{0,80}|\\PC{0,40}") {
            let mut end = 0;
            for mark in highlight(&sql, &Parameters::new()) {
                proptest::prop_assert!(mark.bytes.start >= end && mark.bytes.end > mark.bytes.start);
                proptest::prop_assert!(sql[end..mark.bytes.start].chars().all(char::is_whitespace));
                end = mark.bytes.end;
            }
            proptest::prop_assert!(sql[end..].chars().all(char::is_whitespace));
        }
    }
}
