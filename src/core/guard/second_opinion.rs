//! `second-opinion`: sqlparser reads what would be sent, too. A table or column that it sees and we do not blocks; what it cannot
//! read says nothing. It may only add refusals: it misreads Trino's dialect in many places, and is nobody's only eye.
//!
//! By names, not by places: a relation that it sees must be one of ours or a WITH query; a name in an expression that is a column
//! of a table we read must be among the columns we read, or be defined in the statement (an alias, an argument of a lambda, a type).

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident as TheirIdent, ObjectName, Query as TheirQuery, SetExpr, visit_expressions, visit_relations};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::case::Case;
use super::{Finding, Level, Rule};
use crate::core::sql::tree::walk::{Visitor, walk_body, walk_expr, walk_statement};
use crate::core::sql::tree::{Expr as OurExpr, ExprKind, Ident, QualifiedName, QueryBody, Statement};

/// sqlparser's trees nest where ours have lists, and are dropped by recursion: longer chains than this are not shown to it.
const MOST_LINKS: usize = 1000;

/// Asks sqlparser about `canonical`, which is what would be sent for `case`.
pub(super) fn check(case: &Case<'_>, canonical: &str, findings: &mut Vec<Finding>) {
    let ours = Ours::of(case.statement);
    if ours.longest > MOST_LINKS {
        return;
    }
    let Ok(theirs) = Parser::parse_sql(&GenericDialect {}, canonical) else { return };
    let mut seen = Theirs::default();
    seen.look(&theirs);
    let known_tables: HashSet<&str> = case.analysis.tables.iter().map(|table| table.name.as_str()).collect();
    let mut unseen_tables: Vec<&String> =
        seen.tables.iter().filter(|name| !known_tables.contains(name.as_str()) && !ours.tables.contains(*name)).collect();
    unseen_tables.sort();
    let read: HashSet<&str> = case.analysis.columns.iter().flat_map(|column| column.path.iter().map(String::as_str)).collect();
    let could_be: HashSet<&str> = case
        .analysis
        .tables
        .iter()
        .filter_map(|used| case.session.table(used))
        .flat_map(|table| table.all_columns().map(|column| column.name.as_str()))
        .collect();
    let mut unseen_columns: Vec<&String> = seen
        .names
        .iter()
        .filter(|name| could_be.contains(name.as_str()) && !read.contains(name.as_str()) && !ours.defined.contains(*name))
        .collect();
    unseen_columns.sort();
    for (kind, name) in
        unseen_tables.into_iter().map(|name| ("table", name)).chain(unseen_columns.into_iter().map(|name| ("column", name)))
    {
        let name = crate::core::text::visible(name);
        let message = format!("another parser sees {kind} `{name}` here, and ours does not: nobody can say what this reads");
        findings.push(Finding::new(Rule::SecondOpinion, Level::Block, message).about(name.as_ref()));
    }
}

/// Names in our tree.
#[derive(Default)]
struct Ours {
    /// Relations, WITH queries among them, by their last part.
    tables: HashSet<String>,
    /// Identifiers that are no reference: aliases, arguments, types, fields, functions.
    defined: HashSet<String>,
    /// The longest chain of operators, joins or set operations.
    longest: usize,
}

impl Ours {
    fn of(statement: &Statement) -> Self {
        let mut ours = Self::default();
        walk_statement(&mut ours, statement);
        ours
    }
}

impl Visitor for Ours {
    fn table(&mut self, name: &QualifiedName) {
        self.tables.extend(name.parts.last().map(Ident::folded));
    }

    fn body(&mut self, body: &QueryBody) {
        if let QueryBody::SetOperation(chain) = body {
            self.longest = self.longest.max(chain.rest.len());
        }
        walk_body(self, body);
    }

    fn expr(&mut self, expr: &OurExpr) {
        match &expr.kind {
            ExprKind::Name(_) => return,
            ExprKind::Chain { rest, .. } => self.longest = self.longest.max(rest.len()),
            ExprKind::Logical { terms, .. } => self.longest = self.longest.max(terms.len()),
            _ => {}
        }
        walk_expr(self, expr);
    }

    fn ident(&mut self, ident: &Ident) {
        self.defined.insert(ident.folded());
    }
}

/// Names in sqlparser's tree.
#[derive(Default)]
struct Theirs {
    tables: HashSet<String>,
    names: HashSet<String>,
}

impl Theirs {
    fn look(&mut self, statements: &Vec<sqlparser::ast::Statement>) {
        let _: ControlFlow<()> = visit_relations(statements, |name: &ObjectName| {
            let last = name.0.last().and_then(|part| part.as_ident());
            self.tables.extend(last.map(|ident| ident.value.to_lowercase()));
            ControlFlow::Continue(())
        });
        let mut names = HashSet::new();
        let mut add = |ident: &TheirIdent| {
            names.insert(ident.value.to_lowercase());
        };
        let _: ControlFlow<()> = visit_expressions(statements, |expr: &Expr| {
            match expr {
                Expr::Identifier(ident) => add(ident),
                Expr::CompoundIdentifier(parts) => parts.iter().for_each(&mut add),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        self.names.extend(names);
        for statement in statements {
            if let sqlparser::ast::Statement::Query(query) = statement {
                self.bare_tables(query);
            }
        }
    }

    /// `TABLE t`, which its own visitor does not report.
    fn bare_tables(&mut self, query: &TheirQuery) {
        let mut bodies: Vec<&SetExpr> = vec![&query.body];
        bodies.extend(query.with.iter().flat_map(|with| with.cte_tables.iter().map(|cte| cte.query.body.as_ref())));
        while let Some(body) = bodies.pop() {
            match body {
                SetExpr::Table(table) => self.tables.extend(table.table_name.as_ref().map(|name| name.to_lowercase())),
                SetExpr::SetOperation { left, right, .. } => bodies.extend([left.as_ref(), right.as_ref()]),
                SetExpr::Query(query) => bodies.push(&query.body),
                _ => {}
            }
        }
    }
}
