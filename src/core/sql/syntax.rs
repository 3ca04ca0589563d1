//! What a statement names, without any catalog: the answer of `tollgate guard --syntax`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::kind::{StatementKind, kind_of};
use super::lexer::lex;
use super::parser::{Parameters, Parsed, parse_tokens};
use super::syntax_error::SyntaxError;
use super::token::{Span, Tokens};
use super::tree::walk::{Visitor, walk_expr, walk_name, walk_named_query, walk_query_after_with, walk_statement};
use super::tree::{Expr, ExprKind, QualifiedName, Query, RootQuery};

/// The answer of `--syntax` for one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Syntax {
    /// It was read.
    Parsed(Names),
    /// It was not.
    Failed(Failure),
}

/// What a statement names, each list sorted, without doubles, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Names {
    /// Always true.
    pub parsed: bool,
    /// What it does.
    pub statement: StatementKind,
    /// Names of relations, without references to WITH queries.
    pub tables: Vec<String>,
    /// Bare column references: of `t.a` it is `t`, since only a catalog tells what that is.
    pub columns: Vec<String>,
    /// Names of functions that are called.
    pub functions: Vec<String>,
    /// Names of table functions: `TABLE(f(…))`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table_functions: Vec<String>,
    /// Constructs that engine v3 of Athena lacks: read here, `unsupported` when judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newer: Vec<String>,
}

/// Why a statement was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// Always false.
    pub parsed: bool,
    /// What its first words say it does.
    pub statement: StatementKind,
    /// What is wrong.
    pub error: FailureError,
}

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FailureError {
    /// `SYNTAX_ERROR`, or `NOT_SUPPORTED` for a statement that is known by name and not read.
    pub code: String,
    /// In words.
    pub message: String,
    /// From 1.
    pub line: u32,
    /// From 1, in code points.
    pub column: u32,
}

/// Reads a statement and says what it names.
pub fn syntax(sql: &str) -> Syntax {
    syntax_with(sql, &Parameters::new())
}

/// As [`syntax`], with declared parameters.
pub fn syntax_with(sql: &str, parameters: &Parameters) -> Syntax {
    let tokens = match lex(sql) {
        Ok(tokens) => tokens,
        Err(error) => return failed(StatementKind::Unknown, "SYNTAX_ERROR", &error),
    };
    let kind = kind_of(&tokens, 0);
    let start = tokens.position(tokens.get(0).start as usize);
    match parse_tokens(tokens, parameters) {
        Ok(parsed) if is_read(parsed.statement.kind()) => Syntax::Parsed(names(&parsed)),
        Ok(parsed) => {
            let statement = parsed.statement.kind();
            Syntax::Failed(Failure {
                parsed: false,
                statement,
                error: FailureError {
                    code: "NOT_SUPPORTED".to_owned(),
                    message: format!("{statement} statements are known by name only and never run"),
                    line: start.line,
                    column: start.column,
                },
            })
        }
        Err(error) => failed(kind, "SYNTAX_ERROR", &error),
    }
}

/// Whether statements of this kind are read whole.
fn is_read(kind: StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Select
            | StatementKind::Show
            | StatementKind::ShowStats
            | StatementKind::Describe
            | StatementKind::Explain
            | StatementKind::ExplainAnalyze
    )
}

fn failed(statement: StatementKind, code: &str, error: &SyntaxError) -> Syntax {
    Syntax::Failed(Failure {
        parsed: false,
        statement,
        error: FailureError {
            code: code.to_owned(),
            message: error.reason.to_string(),
            line: error.position.line,
            column: error.position.column,
        },
    })
}

/// What a statement that was read names.
pub fn names(parsed: &Parsed) -> Names {
    let mut collector = Collector { tokens: &parsed.tokens, scope: Vec::new(), found: Found::default() };
    walk_statement(&mut collector, &parsed.statement);
    let Found { tables, columns, functions, table_functions } = collector.found;
    let newer: BTreeSet<String> = parsed.newer.iter().map(|newer| newer.what.to_owned()).collect();
    Names {
        parsed: true,
        statement: parsed.statement.kind(),
        tables: tables.into_iter().collect(),
        columns: columns.into_iter().collect(),
        functions: functions.into_iter().collect(),
        table_functions: table_functions.into_iter().collect(),
        newer: newer.into_iter().collect(),
    }
}

#[derive(Default)]
struct Found {
    tables: BTreeSet<String>,
    columns: BTreeSet<String>,
    functions: BTreeSet<String>,
    table_functions: BTreeSet<String>,
}

struct Collector<'a> {
    tokens: &'a Tokens,
    /// Names of the WITH queries in sight, lower case, innermost last.
    scope: Vec<String>,
    found: Found,
}

impl Collector<'_> {
    /// A name as written: its tokens without what stands between them.
    fn written(&self, span: Span) -> String {
        (span.first..=span.last).map(|token| self.tokens.written(token)).collect()
    }
}

impl Visitor for Collector<'_> {
    fn root_query(&mut self, root: &RootQuery) {
        super::tree::walk::walk_root_query(self, root);
    }

    fn query(&mut self, query: &Query) {
        let outer = self.scope.len();
        if let Some(with) = &query.with {
            for named in &with.queries {
                // A query sees those before it; itself only with RECURSIVE.
                if with.recursive {
                    self.scope.push(named.name.folded());
                    walk_named_query(self, named);
                } else {
                    walk_named_query(self, named);
                    self.scope.push(named.name.folded());
                }
            }
        }
        walk_query_after_with(self, query);
        self.scope.truncate(outer);
    }

    fn table(&mut self, name: &QualifiedName) {
        let reference = match name.parts.as_slice() {
            [only] => self.scope.contains(&only.folded()),
            _ => false,
        };
        if !reference {
            let written = self.written(name.span);
            self.found.tables.insert(written);
        }
        walk_name(self, name);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Name(parts) = &expr.kind
            && let Some(first) = parts.first()
        {
            let written = self.tokens.written(first.token).to_owned();
            self.found.columns.insert(written);
        }
        walk_expr(self, expr);
    }

    fn function(&mut self, name: &QualifiedName) {
        let written = self.written(name.span);
        self.found.functions.insert(written);
    }

    fn table_function(&mut self, name: &QualifiedName) {
        let written = self.written(name.span);
        self.found.table_functions.insert(written);
    }
}
