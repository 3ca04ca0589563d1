//! Reading a statement with its parameters: what the author wrote becomes a tree and the text that would be sent.

use std::collections::BTreeMap;

use super::case::extent;
use super::judge::unanalysed;
use super::{Finding, Judgement, Level, Param, Params, Position, Rule, Span, World};
use crate::core::runbook::{ParamType, SqlLiteral};
use crate::core::sql::kind::{StatementKind, kind_of};
use crate::core::sql::lexer::lex;
use crate::core::sql::parser::{Declared, Parameters, Parsed, parse_expression, parse_tokens};
use crate::core::sql::syntax_error::SyntaxError;
use crate::core::sql::token::{Symbol, TokenKind};
use crate::core::sql::types::Type;
use crate::core::sql::world::Session;

/// A statement that was read.
pub(super) struct Read {
    /// Its tokens and tree.
    pub(super) parsed: Parsed,
    /// What would be sent.
    pub(super) canonical: String,
    /// Types of its holes.
    holes: Vec<(String, Type)>,
}

/// Why a statement was not read.
pub(super) struct Refused {
    kind: StatementKind,
    finding: Finding,
}

impl Refused {
    fn syntax(kind: StatementKind, error: &SyntaxError) -> Self {
        let at = Position { line: error.position.line, column: error.position.column };
        let end = Position { line: at.line, column: at.column.saturating_add(1) };
        let message = error.reason.to_string();
        let finding = Finding::new(Rule::NotAnalysed, Level::Block, message).coded("SYNTAX_ERROR").at(Span { start: at, end });
        Self { kind, finding }
    }

    /// The judgement of it.
    pub(super) fn judgement(self, world: &World<'_>) -> Judgement {
        unanalysed(world, self.kind, vec![self.finding])
    }
}

impl Read {
    /// What its short names mean.
    pub(super) fn names(&self, world: &World<'_>, database: Option<&str>) -> Session {
        Session {
            catalog: world.catalog_name.to_lowercase(),
            schema: database.map(str::to_lowercase),
            parameters: self.holes.clone(),
        }
    }
}

/// Reads a statement. `:name` is a parameter where `params` has the name.
pub(super) fn read(sql: &str, params: &Params) -> Result<Read, Refused> {
    let mut declared = Parameters::new();
    let mut holes = Vec::new();
    let mut texts = BTreeMap::new();
    for (name, param) in params {
        let stands_for = match param {
            Param::Hole(hole) => {
                holes.push((name.clone(), hole_type(hole)));
                if matches!(hole, ParamType::List { .. }) { Declared::Many } else { Declared::One }
            }
            Param::Value(value) => {
                texts.insert(name.as_str(), rendered(&value.literal()));
                match value.literal() {
                    SqlLiteral::List(items) => {
                        Declared::Values(items.iter().filter_map(|item| parse_expression(&rendered(item)).ok()).collect())
                    }
                    one => match parse_expression(&rendered(&one)) {
                        Ok(expr) => Declared::Value(expr),
                        Err(_) => Declared::One,
                    },
                }
            }
        };
        declared.insert(name.clone(), stands_for);
    }
    let tokens = lex(sql).map_err(|error| Refused::syntax(StatementKind::Unknown, &error))?;
    let kind = kind_of(&tokens, 0);
    let parsed = parse_tokens(tokens, &declared).map_err(|error| Refused::syntax(kind, &error))?;
    let canonical = emitted(&parsed, &texts);
    Ok(Read { parsed, canonical, holes })
}

fn rendered(literal: &SqlLiteral) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match literal {
        SqlLiteral::Varchar(text) => quoted(text),
        SqlLiteral::Integer(n) => n.to_string(),
        SqlLiteral::Decimal(text) => format!("DECIMAL {}", quoted(text)),
        SqlLiteral::Boolean(b) => b.to_string(),
        SqlLiteral::Date(text) => format!("DATE {}", quoted(text)),
        SqlLiteral::Timestamp(text) => format!("TIMESTAMP {}", quoted(text)),
        SqlLiteral::Uuid(text) => format!("UUID {}", quoted(text)),
        SqlLiteral::List(items) => format!("({})", items.iter().map(rendered).collect::<Vec<_>>().join(", ")),
    }
}

fn emitted(parsed: &Parsed, texts: &BTreeMap<&str, String>) -> String {
    let tokens = &parsed.tokens;
    let mut out = String::new();
    let mut at = 0;
    while tokens.get(at).kind != TokenKind::End {
        if tokens.get(at).kind == TokenKind::Symbol(Symbol::Semicolon) {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let value =
            (tokens.get(at).kind == TokenKind::Symbol(Symbol::Colon)).then(|| texts.get(tokens.written(at + 1))).flatten();
        match value {
            Some(text) => {
                out.push_str(text);
                at += 2;
            }
            None => {
                out.push_str(tokens.written(at));
                at += 1;
            }
        }
    }
    out
}

/// `unsupported`: constructs that Trino's newest grammar has and engine v3 of Athena lacks.
pub(super) fn newer(read: &Read) -> Vec<Finding> {
    let find = |newer: &crate::core::sql::parser::Newer| {
        Finding::new(Rule::Unsupported, Level::Block, format!("Athena engine v3 has no {}", newer.what))
            .coded("NOT_SUPPORTED")
            .about(newer.what)
            .at(extent(&read.parsed.tokens, newer.span))
    };
    read.parsed.newer.iter().map(find).collect()
}

/// The type that a hole has in SQL: that of its literals.
fn hole_type(hole: &ParamType) -> Type {
    match hole {
        ParamType::Int { min, max } => {
            let small = |bound: &Option<i64>| bound.is_some_and(|bound| i32::try_from(bound).is_ok());
            if small(min) && small(max) { Type::Integer } else { Type::Bigint }
        }
        ParamType::Decimal { .. } => Type::Decimal(38, 10),
        ParamType::Bool => Type::Boolean,
        ParamType::Date { form: None } => Type::Date,
        ParamType::Timestamp { form: None } => Type::Timestamp(3),
        ParamType::Date { form: Some(_) } | ParamType::Timestamp { form: Some(_) } => Type::VARCHAR,
        ParamType::Uuid => Type::Uuid,
        ParamType::Enum { .. } | ParamType::String { .. } => Type::VARCHAR,
        ParamType::List { of, .. } => hole_type(of),
    }
}
