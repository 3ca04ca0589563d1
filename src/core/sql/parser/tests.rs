//! Tables of readings, refusals and places, and the limits.

use super::*;
use crate::core::sql::tree::walk::{Visitor, walk_statement};
use crate::core::sql::tree::*;

mod limits;
mod readings;
mod refusals;

/// The expression of `SELECT x`.
fn expression(text: &str) -> Expr {
    parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn statement(sql: &str) -> Statement {
    parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).statement
}

/// The query of a statement.
fn query(sql: &str) -> Query {
    match statement(sql) {
        Statement::Query(root) => root.query,
        other => panic!("{sql}: {other:?}"),
    }
}

fn select(sql: &str) -> Select {
    match query(sql).body {
        QueryBody::Select(select) => *select,
        other => panic!("{sql}: {other:?}"),
    }
}

/// Every identifier of a tree by token.
#[derive(Default)]
struct Idents(Vec<TokenIx>);

impl Visitor for Idents {
    fn ident(&mut self, ident: &Ident) {
        self.0.push(ident.token);
    }
}

/// The tokens of names that the walk does not reach.
fn missed(sql: &str) -> Vec<String> {
    let parsed = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut idents = Idents::default();
    walk_statement(&mut idents, &parsed.statement);
    (0..)
        .zip(parsed.tokens.all())
        .filter(|(index, token)| matches!(token.kind, TokenKind::Name | TokenKind::QuotedName) && !idents.0.contains(index))
        .map(|(index, _)| parsed.tokens.written(index).to_owned())
        .collect()
}
