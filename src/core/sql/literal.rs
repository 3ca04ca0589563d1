//! Typed parameters: values become canonical literals, put in the place of `:name` by tokens, never by pasting text; then the
//! finished statement is read again, and its tree must be the template's with the literals in it.

use std::collections::BTreeMap;

use super::emit::{Replacement, emit_with};
use super::lexer::{MAX_BYTES, lex};
use super::parser::{Declared, Parameters, Parsed, parse_expression, parse_tokens, parse_with};
use super::syntax_error::{Reason, SyntaxError};
use super::token::{Symbol, TokenIx, TokenKind, Tokens};
use super::tree::{Expr, Literal};
use crate::core::runbook::SqlLiteral;
use crate::core::text::visible;

/// What the parameters of a statement stand for, by name. A `:name` that is not here is no parameter.
pub type Bindings = BTreeMap<String, Binding>;

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// A value; [`SqlLiteral::List`] stands only in `IN :name`.
    Value(SqlLiteral),
    /// One value that is not known yet: `:name` stays.
    Hole,
    /// A list that is not known yet: `IN :name` stays.
    Holes,
}

/// A statement with its parameters bound.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The template as the author wrote it: its tokens, and its tree with the literals in the parameters' places. Spans of those
    /// literals point into their own texts: do not take places from them.
    pub template: Parsed,
    /// The finished statement, read again: what will be sent, word by word. Its text is canonical.
    pub finished: Parsed,
}

impl Bound {
    /// What will be sent (its holes are still `:name`).
    pub fn sql(&self) -> &str {
        self.finished.tokens.text()
    }
}

/// Why parameters could not be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The template is no statement.
    #[error(transparent)]
    Template(SyntaxError),
    /// A value has no literal.
    #[error("parameter {name} has no literal: {why}")]
    Value {
        /// The parameter.
        name: String,
        /// Why.
        why: String,
    },
    /// The finished statement cannot be read: it is too long, or a literal cannot stand where its parameter stands.
    #[error("with the values put in, the statement cannot be read: {0}")]
    Finished(SyntaxError),
    /// The finished statement says something else than the template.
    #[error("with the values put in, the statement would say something else; it is refused")]
    Changed,
}

/// Binds the parameters of a template.
///
/// # Errors
/// A template that is no statement, a value without a literal, or a finished statement that does not say what the template says.
pub fn bind(sql: &str, bindings: &Bindings) -> Result<Bound, BindError> {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut declared = Parameters::new();
    let mut holes = Parameters::new();
    for (name, binding) in bindings {
        let stands_for = match binding {
            Binding::Hole | Binding::Holes => {
                let hole = if *binding == Binding::Hole { Declared::One } else { Declared::Many };
                holes.insert(name.clone(), hole.clone());
                hole
            }
            Binding::Value(value) => {
                let failed = |why| BindError::Value { name: name.clone(), why };
                texts.insert(name, render(value).map_err(failed)?);
                declared_value(value).map_err(failed)?
            }
        };
        declared.insert(name.clone(), stands_for);
    }
    let tokens = lex(sql).map_err(BindError::Template)?;
    check_length(&tokens, &texts)?;
    let template = parse_tokens(tokens, &declared).map_err(BindError::Template)?;
    let finished = emit_with(&template.tokens, |index| replacement(&template, index, &texts));
    let finished = parse_with(&finished, &holes).map_err(BindError::Finished)?;
    if finished.statement != template.statement {
        return Err(BindError::Changed);
    }
    Ok(Bound { template, finished })
}

/// Refuses what would become too long before any copy of a value is made: a long value may stand in many places.
fn check_length(tokens: &Tokens, texts: &BTreeMap<&str, String>) -> Result<(), BindError> {
    let colons = (0..).zip(tokens.all()).filter(|(_, token)| token.kind == TokenKind::Symbol(Symbol::Colon));
    let values = colons.filter_map(|(index, _): (TokenIx, _)| texts.get(tokens.written(index + 1)));
    let bytes = values.fold(0usize, |sum, text| sum.saturating_add(text.len()));
    if bytes > MAX_BYTES {
        return Err(BindError::Finished(SyntaxError::at("", 0, Reason::TooLong(bytes))));
    }
    Ok(())
}

fn declared_value(value: &SqlLiteral) -> Result<Declared, String> {
    match value {
        SqlLiteral::List(items) => items.iter().map(literal_expr).collect::<Result<_, _>>().map(Declared::Values),
        one => literal_expr(one).map(Declared::Value),
    }
}

/// The node that the parser must find again.
fn literal_expr(value: &SqlLiteral) -> Result<Expr, String> {
    let text = render(value)?;
    let expr = parse_expression(&text).map_err(|error| error.to_string())?;
    match (&expr.kind, value) {
        // The text is the value's whole text, whatever it holds.
        (super::tree::ExprKind::Literal(Literal::String(text)), SqlLiteral::Varchar(value)) if **text == **value => Ok(expr),
        (_, SqlLiteral::Varchar(_)) => Err("its literal does not say the same".to_owned()),
        (super::tree::ExprKind::Literal(_), _) => Ok(expr),
        _ => Err("it is no literal".to_owned()),
    }
}

/// The canonical literal of a value. One value has one text.
///
/// # Errors
/// Text with control characters other than tab and LF, an empty list, a list in a list.
pub fn render(value: &SqlLiteral) -> Result<String, String> {
    Ok(match value {
        SqlLiteral::Varchar(text) => quoted(text)?,
        SqlLiteral::Integer(number) => number.to_string(),
        SqlLiteral::Decimal(text) => format!("DECIMAL {}", quoted(text)?),
        SqlLiteral::Boolean(yes) => yes.to_string(),
        SqlLiteral::Date(text) => format!("DATE {}", quoted(text)?),
        SqlLiteral::Timestamp(text) => format!("TIMESTAMP {}", quoted(text)?),
        SqlLiteral::Uuid(text) => format!("UUID {}", quoted(text)?),
        SqlLiteral::List(items) if items.is_empty() => return Err("the list is empty".to_owned()),
        SqlLiteral::List(items) => {
            let mut out = String::from("(");
            for item in items {
                if matches!(item, SqlLiteral::List(_)) {
                    return Err("a list cannot hold a list".to_owned());
                }
                if out.len() > 1 {
                    out.push_str(", ");
                }
                out.push_str(&render(item)?);
            }
            out.push(')');
            out
        }
    })
}

/// `'…'`: a quote is doubled, and nothing else means anything within quotes.
fn quoted(text: &str) -> Result<String, String> {
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
        return Err(format!("it holds the control character {}", visible(&c.to_string())));
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

/// The literal that takes the place of the parameter whose colon is at a token.
fn replacement(template: &Parsed, index: TokenIx, texts: &BTreeMap<&str, String>) -> Option<Replacement> {
    let tokens = &template.tokens;
    if tokens.get(index).kind != TokenKind::Symbol(Symbol::Colon) || template.parameters.binary_search(&index).is_err() {
        return None;
    }
    let text = texts.get(tokens.written(index + 1))?;
    let before = index.checked_sub(1).map(|before| tokens.get(before).kind);
    let after = tokens.get(index + 2).kind;
    // A number after a minus would become part of another number, or start a comment; one before a dot, too.
    let alone = !matches!(before, Some(TokenKind::Symbol(Symbol::Minus)))
        && !matches!(after, TokenKind::Symbol(Symbol::Dot | Symbol::LeftBracket | Symbol::DoubleColon));
    let text = if alone || text.starts_with('(') { text.clone() } else { format!("({text})") };
    Some(Replacement { text, tokens: 2 })
}

#[cfg(test)]
mod tests;
