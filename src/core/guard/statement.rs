//! Reading a statement with its parameters: what the author wrote becomes the tree of what would be sent.
//!
//! Everything is judged on the finished statement. Its places are told in the author's text, and beside that in the finished one,
//! which is what screens show.

use super::judge::unanalysed;
use super::{Finding, Judgement, Level, Param, Params, Position, Rule, Span, World};
use crate::core::runbook::ParamType;
use crate::core::sql::kind::{StatementKind, kind_of};
use crate::core::sql::lexer::lex;
use crate::core::sql::literal::{BindError, Binding, Bindings, bind, render};
use crate::core::sql::parser::Parsed;
use crate::core::sql::syntax_error::SyntaxError;
use crate::core::sql::token::{self, Symbol, TokenIx, TokenKind, Tokens};
use crate::core::sql::types::Type;
use crate::core::sql::world::Session;

/// A statement that was read.
pub(super) struct Read {
    /// The finished statement.
    pub(super) parsed: Parsed,
    /// Where its nodes stand.
    pub(super) places: Places,
    /// Types of its holes.
    holes: Vec<(String, Type)>,
}

/// Where the nodes of the finished statement stand, in it and in the author's text.
pub(super) struct Places {
    /// The finished statement.
    sent: Tokens,
    /// The author's text.
    written: Tokens,
    /// For each token of the finished statement the first and last of the author's that it comes from; `None` where the two have
    /// the same tokens.
    map: Option<Vec<(TokenIx, TokenIx)>>,
}

impl Places {
    /// The tokens of the author's text.
    pub(super) fn written(&self) -> &Tokens {
        &self.written
    }

    /// A node's tokens in the author's text.
    pub(super) fn in_written(&self, span: token::Span) -> token::Span {
        let at = |token: TokenIx| match &self.map {
            Some(map) => map.get(token as usize).copied().unwrap_or((token, token)),
            None => (token, token),
        };
        token::Span { first: at(span.first).0, last: at(span.last).1, point: at(span.point).0 }
    }

    /// Where a node stands in the author's text.
    pub(super) fn span(&self, span: token::Span) -> Span {
        extent(&self.written, self.in_written(span))
    }

    /// Where it stands in what is sent, if that is another text.
    pub(super) fn sent(&self, span: token::Span) -> Option<Span> {
        (self.sent.text() != self.written.text()).then(|| extent(&self.sent, span))
    }

    /// From where the server would point to the end of a node.
    pub(super) fn pointed(&self, span: token::Span) -> Span {
        let written = self.in_written(span);
        let point = position(self.written.location(written));
        Span { start: point, end: extent(&self.written, written).end.max(point) }
    }
}

/// Why a statement was not read.
pub(super) struct Refused {
    kind: StatementKind,
    finding: Finding,
}

impl Refused {
    fn syntax(kind: StatementKind, error: &SyntaxError) -> Self {
        let start = position(error.position);
        let end = Position { line: start.line, column: start.column.saturating_add(1) };
        let mut finding = Finding::new(Rule::NotAnalysed, Level::Block, error.reason.to_string()).coded("SYNTAX_ERROR");
        finding.span = Some(Span { start, end });
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

    /// What would be sent.
    pub(super) fn canonical(&self) -> &str {
        self.parsed.tokens.text()
    }
}

/// Reads a statement. `:name` is a parameter where `params` has the name.
pub(super) fn read(sql: &str, params: &Params) -> Result<Read, Box<Refused>> {
    let mut bindings = Bindings::new();
    let mut holes = Vec::new();
    for (name, param) in params {
        let binding = match param {
            Param::Value(value) => Binding::Value(value.literal()),
            Param::Hole(hole) => {
                holes.push((name.clone(), hole_type(hole)));
                if matches!(hole, ParamType::List { .. }) { Binding::Holes } else { Binding::Hole }
            }
        };
        bindings.insert(name.clone(), binding);
    }
    let bound = bind(sql, &bindings).map_err(|error| {
        let kind = lex(sql).map_or(StatementKind::Unknown, |tokens| kind_of(&tokens, 0));
        Box::new(match error {
            BindError::Template(error) => Refused::syntax(kind, &error),
            // The place would be one of the finished statement, which nobody has seen.
            other => {
                Refused { kind, finding: Finding::new(Rule::NotAnalysed, Level::Block, other.to_string()).coded("SYNTAX_ERROR") }
            }
        })
    })?;
    let has_values = bindings.values().any(|binding| matches!(binding, Binding::Value(_)));
    let map = has_values.then(|| aligned(&bound.template, &bound.finished.tokens, &bindings));
    let places = Places { sent: bound.finished.tokens.clone(), written: bound.template.tokens, map };
    Ok(Read { parsed: bound.finished, places, holes })
}

/// For each token of the finished statement, the template's tokens that it comes from.
fn aligned(template: &Parsed, finished: &Tokens, bindings: &Bindings) -> Vec<(TokenIx, TokenIx)> {
    let mut map = Vec::with_capacity(finished.all().len());
    let mut from: TokenIx = 0;
    while map.len() < finished.all().len() {
        let value = template.parameters.binary_search(&from).ok().and_then(|_| bindings.get(template.tokens.written(from + 1)));
        match value {
            Some(Binding::Value(value)) => {
                let at = TokenIx::try_from(map.len()).unwrap_or(TokenIx::MAX);
                let length = if finished.get(at).kind == TokenKind::Symbol(Symbol::LeftParen) {
                    // A list, or a literal that was put in parentheses: no literal holds any itself.
                    let close = (at..)
                        .find(|at| matches!(finished.get(*at).kind, TokenKind::Symbol(Symbol::RightParen) | TokenKind::End));
                    close.map_or(1, |close| (close - at + 1) as usize)
                } else {
                    let text = render(value).unwrap_or_default();
                    lex(&text).map_or(1, |tokens| tokens.all().len().saturating_sub(1)).max(1)
                };
                map.extend(std::iter::repeat_n((from, from + 1), length));
                from += 2;
            }
            _ => {
                map.push((from, from));
                from += 1;
            }
        }
    }
    map
}

/// `unsupported`: constructs that Trino's newest grammar has and engine v3 of Athena lacks.
pub(super) fn newer(read: &Read) -> Vec<Finding> {
    let find = |newer: &crate::core::sql::parser::Newer| {
        Finding::new(Rule::Unsupported, Level::Block, format!("Athena engine v3 has no {}", newer.what))
            .coded("NOT_SUPPORTED")
            .about(newer.what)
            .at(&read.places, newer.span)
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

/// From a node's first character to just after its last.
fn extent(tokens: &Tokens, span: token::Span) -> Span {
    let (start, end) = tokens.extent(span);
    Span { start: position(start), end: position(end) }
}

fn position(position: token::Position) -> Position {
    Position { line: position.line, column: position.column }
}
