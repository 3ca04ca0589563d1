//! Reads a statement: one, reading only, in a dialect as narrow as Trino's.

mod dialect;

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{self, Expr, SetExpr, Statement as Ast, Visit, Visitor};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

pub(super) use dialect::Trino;

/// The longest statement in bytes, as Athena's quota has it.
pub(super) const LONGEST: usize = 262_144;

/// More tokens than any statement of a person, few enough that no recursion over them exhausts a stack.
const MOST_TOKENS: usize = 20_000;

/// How deep expressions and queries may nest. The planner recurses through them with large frames.
const DEEPEST: usize = 400;

/// How deep parentheses may nest while parsing.
const PARSER_DEPTH: usize = 120;

/// A statement that may be planned.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// What it is.
    pub(super) kind: Kind,
    /// How quoted identifiers were spelled, by where they stand; the tree has them in lower case.
    pub(super) spelled: HashMap<Location, String>,
}

/// What a statement does.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A query.
    Query(Box<ast::Query>),
    /// The plan of a query, which is not run.
    Explain(Box<ast::Query>),
    /// `SHOW TABLES [IN database]`
    ShowTables(Option<String>),
    /// `SHOW DATABASES`, `SHOW SCHEMAS`
    ShowDatabases,
    /// `SHOW COLUMNS IN table`
    ShowColumns(Vec<String>),
    /// `SHOW PARTITIONS table`
    ShowPartitions(Vec<String>),
    /// `DESCRIBE table`
    Describe(Vec<String>),
}

impl Kind {
    /// `StatementType` and `SubstatementType` of an execution.
    pub(super) fn types(&self) -> (&'static str, &'static str) {
        match self {
            Self::Query(_) => ("DML", "SELECT"),
            Self::Explain(_) => ("DML", "EXPLAIN"),
            Self::ShowTables(_) => ("UTILITY", "SHOW_TABLES"),
            Self::ShowDatabases => ("UTILITY", "SHOW_DATABASES"),
            Self::ShowColumns(_) => ("UTILITY", "SHOW_COLUMNS"),
            Self::ShowPartitions(_) => ("UTILITY", "SHOW_PARTITIONS"),
            Self::Describe(_) => ("UTILITY", "DESCRIBE_TABLE"),
        }
    }
}

/// Why a statement is refused before it becomes an execution. The text is what the client sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) String);

impl Statement {
    /// Reads `sql`.
    ///
    /// # Errors
    /// What Athena refuses at once with `InvalidRequestException`: text that is no statement, or several; and what would write.
    pub(super) fn read(sql: &str) -> Result<Self, Malformed> {
        let mut tokens = Tokenizer::new(&Trino, sql)
            .tokenize_with_location()
            .map_err(|e| Malformed(format!("line {}:{}: {}", e.location.line, e.location.column, e.message)))?;
        if tokens.len() > MOST_TOKENS {
            return Err(Malformed(format!(
                "the sandbox's engine reads statements of up to {MOST_TOKENS} tokens; this one has {}",
                tokens.len()
            )));
        }
        let spelled = fold_quoted(&mut tokens);
        if let Some(name) = writes(&tokens) {
            return Err(Malformed(format!(
                "Queries of this type are not supported: {name}. The sandbox only reads; Athena would run it."
            )));
        }
        if let Some(name) = show_partitions(&tokens) {
            return Ok(Self { kind: Kind::ShowPartitions(name), spelled });
        }
        let end = tokens.last().map_or(Location { line: 1, column: 1 }, |token| token.span.end);
        let statements = Parser::new(&Trino)
            .with_recursion_limit(PARSER_DEPTH)
            .with_tokens_with_locations(tokens)
            .parse_statements()
            .map_err(|error| malformed(&error, end))?;
        let mut statements = statements.into_iter();
        let statement = match (statements.next(), statements.next()) {
            (Some(only), None) => only,
            (None, _) => return Err(Malformed("line 1:1: mismatched input '<EOF>'. Expecting a query".to_owned())),
            (Some(_), Some(_)) => {
                return Err(Malformed(format!("Only one sql statement is allowed. Got: {}", sql.trim())));
            }
        };
        if let ControlFlow::Break(refusal) = statement.visit(&mut Depth::default()) {
            return Err(refusal);
        }
        Ok(Self { kind: kind(statement)?, spelled })
    }
}

/// Lower-cases quoted identifiers, since Trino compares them without case too, and remembers how they were spelled.
fn fold_quoted(tokens: &mut [TokenWithSpan]) -> HashMap<Location, String> {
    let mut spelled = HashMap::new();
    for token in tokens {
        let start = token.span.start;
        if let Token::Word(word) = &mut token.token
            && word.quote_style.is_some()
        {
            let lower = word.value.to_lowercase();
            if lower != word.value {
                spelled.insert(start, std::mem::replace(&mut word.value, lower));
            }
        }
    }
    spelled
}

/// The first word of a statement that does something else than read.
fn writes(tokens: &[TokenWithSpan]) -> Option<String> {
    let mut words = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).map(|t| match &t.token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    });
    let first = words.next()?;
    const OTHERS: [&str; 24] = [
        "ALTER",
        "ANALYZE",
        "CALL",
        "COMMIT",
        "COPY",
        "CREATE",
        "DEALLOCATE",
        "DELETE",
        "DENY",
        "DROP",
        "EXECUTE",
        "GRANT",
        "INSERT",
        "MERGE",
        "MSCK",
        "OPTIMIZE",
        "PREPARE",
        "REVOKE",
        "ROLLBACK",
        "SET",
        "START",
        "TRUNCATE",
        "UNLOAD",
        "UPDATE",
    ];
    match first.as_str() {
        "EXPLAIN" if words.next().as_deref() == Some("ANALYZE") => Some("EXPLAIN ANALYZE".to_owned()),
        "VACUUM" | "USE" | "USING" | "REFRESH" | "RESET" | "ATTACH" | "LOAD" | "PRAGMA" => Some(first),
        other if OTHERS.contains(&other) => Some(first),
        _ => None,
    }
}

/// `SHOW PARTITIONS a.b`, which the parser takes for a variable.
fn show_partitions(tokens: &[TokenWithSpan]) -> Option<Vec<String>> {
    let mut tokens = tokens.iter().map(|t| &t.token).filter(|t| !matches!(t, Token::Whitespace(_)));
    let mut word = |expected: &str| matches!(tokens.next(), Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(expected));
    if !(word("SHOW") && word("PARTITIONS")) {
        return None;
    }
    let mut name = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Word(part)) => name.push(part.value.to_lowercase()),
            _ => return None,
        }
        match tokens.next() {
            Some(Token::Period) => {}
            None | Some(Token::SemiColon | Token::EOF) => return Some(name),
            Some(_) => return None,
        }
    }
}

fn kind(statement: Ast) -> Result<Kind, Malformed> {
    let unsupported = |what: &str| {
        Err(Malformed(format!("Queries of this type are not supported: {what}. The sandbox only reads; Athena may run it.")))
    };
    match statement {
        Ast::Query(query) => {
            reads_only(&query)?;
            Ok(Kind::Query(query))
        }
        Ast::Explain { analyze: false, statement, .. } => match *statement {
            Ast::Query(query) => {
                reads_only(&query)?;
                Ok(Kind::Explain(query))
            }
            _ => unsupported("EXPLAIN of a statement that is no query"),
        },
        Ast::ExplainTable { table_name, .. } => Ok(Kind::Describe(name_parts(&table_name))),
        Ast::ShowDatabases { .. } | Ast::ShowSchemas { .. } => Ok(Kind::ShowDatabases),
        Ast::ShowTables { show_options, .. } => Ok(Kind::ShowTables(
            show_options.show_in.and_then(|show_in| show_in.parent_name).and_then(|name| name_parts(&name).pop()),
        )),
        Ast::ShowColumns { show_options, .. } => {
            match show_options.show_in.and_then(|show_in| show_in.parent_name).map(|name| name_parts(&name)) {
                Some(name) => Ok(Kind::ShowColumns(name)),
                None => Err(Malformed("SHOW COLUMNS needs a table: SHOW COLUMNS IN database.table".to_owned())),
            }
        }
        other => {
            let text = other.to_string();
            unsupported(text.split_whitespace().next().unwrap_or("this statement"))
        }
    }
}

/// The parts of a name, lower case.
pub(super) fn name_parts(name: &ast::ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).collect()
}

/// Refuses what the parser accepts inside a query and Trino does not have: writing CTEs, locks, dialects' own clauses.
fn reads_only(query: &ast::Query) -> Result<(), Malformed> {
    match query.visit(&mut Clauses) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Finds clauses that are not Trino's.
struct Clauses;

impl Visitor for Clauses {
    type Break = Malformed;

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<Malformed> {
        let foreign = !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        if foreign || !set_reads_only(&query.body) {
            return ControlFlow::Break(Malformed("mismatched input: Athena's queries have no such clause".to_owned()));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<Malformed> {
        let foreign = [
            (matches!(select.distinct, Some(ast::Distinct::On(_))), "DISTINCT ON"),
            (select.top.is_some(), "TOP"),
            (select.into.is_some(), "INTO"),
            (select.exclude.is_some(), "EXCLUDE"),
            (!select.lateral_views.is_empty(), "LATERAL VIEW"),
            (select.prewhere.is_some(), "PREWHERE"),
            (select.qualify.is_some(), "QUALIFY"),
            (!select.cluster_by.is_empty(), "CLUSTER BY"),
            (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
            (!select.sort_by.is_empty(), "SORT BY"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
            (matches!(select.group_by, ast::GroupByExpr::All(_)), "GROUP BY ALL"),
        ];
        match foreign.into_iter().find(|(has, _)| *has) {
            Some((_, clause)) => {
                let at = select.select_token.0.span.start;
                ControlFlow::Break(Malformed(format!("line {}:{}: mismatched input: Athena has no {clause}", at.line, at.column)))
            }
            None => ControlFlow::Continue(()),
        }
    }
}

fn set_reads_only(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => true,
        SetExpr::SetOperation { left, right, .. } => set_reads_only(left) && set_reads_only(right),
        _ => false,
    }
}

/// Measures how deep a tree is.
#[derive(Default)]
struct Depth(usize);

impl Depth {
    fn down(&mut self) -> ControlFlow<Malformed> {
        self.0 += 1;
        if self.0 > DEEPEST {
            return ControlFlow::Break(Malformed(format!("the sandbox's engine reads expressions up to {DEEPEST} levels deep")));
        }
        ControlFlow::Continue(())
    }

    fn up(&mut self) -> ControlFlow<Malformed> {
        self.0 -= 1;
        ControlFlow::Continue(())
    }
}

impl Visitor for Depth {
    type Break = Malformed;

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Malformed> {
        self.down()
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Malformed> {
        self.up()
    }

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<Malformed> {
        self.down()
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<Malformed> {
        self.up()
    }
}

/// The parser's error in the shape of Athena's: `line 1:8: mismatched input 'FORM'. Expecting: …`.
/// `end` is where the text ends: the parser gives no place for that.
fn malformed(error: &ParserError, end: Location) -> Malformed {
    let (ParserError::ParserError(text) | ParserError::TokenizerError(text)) = error else {
        return Malformed("the statement is nested too deeply for the sandbox's engine".to_owned());
    };
    let (what, line, column) = match text.rsplit_once(" at Line: ") {
        Some((what, place)) => {
            let (line, column) = place.split_once(", Column: ").unwrap_or((place, "1"));
            (what, line.trim().to_owned(), column.trim().to_owned())
        }
        None => (text.as_str(), end.line.to_string(), end.column.to_string()),
    };
    let what = match what.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, found)) => {
            let found = if found == "EOF" { "<EOF>" } else { found };
            format!("mismatched input '{found}'. Expecting: {expected}")
        }
        None => what.to_owned(),
    };
    Malformed(format!("line {line}:{column}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sql: &str) -> String {
        match Statement::read(sql) {
            Ok(statement) => panic!("{sql}: {statement:?}"),
            Err(refusal) => refusal.0,
        }
    }

    #[test]
    fn queries_are_read() {
        for sql in [
            "SELECT 1",
            "select a from t where b = 'x' -- comment\n-- tollgate 01J/2/1",
            "WITH a AS (SELECT 1 AS x) SELECT * FROM a ORDER BY 1 LIMIT 5;",
            "VALUES (1, 2), (3, 4)",
            "SELECT count(*) FILTER (WHERE x > 1) FROM t GROUP BY ROLLUP (a, b)",
            "SELECT CAST(x AS row(a integer, b varchar)) FROM t",
            "SELECT TRY_CAST(x AS double), DATE '2026-11-20', INTERVAL '1' DAY, ARRAY[1, 2][1] FROM t",
            "SELECT x FROM t OFFSET 2 LIMIT 1",
            "SELECT x FROM t FETCH FIRST 3 ROWS ONLY",
            "SELECT sum(x) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t",
        ] {
            assert!(matches!(Statement::read(sql).unwrap().kind, Kind::Query(_)), "{sql}");
        }
    }

    #[test]
    fn what_writes_or_is_not_one_statement_is_refused() {
        for (sql, part) in [
            ("INSERT INTO t VALUES (1)", "not supported: INSERT"),
            ("  create table t as select 1", "not supported: CREATE"),
            ("DROP TABLE t", "not supported: DROP"),
            ("UNLOAD (SELECT 1) TO 's3://x/'", "not supported: UNLOAD"),
            ("MSCK REPAIR TABLE t", "not supported: MSCK"),
            ("COPY t TO '/tmp/x'", "not supported: COPY"),
            ("SET x = 1", "not supported: SET"),
            ("EXPLAIN ANALYZE SELECT 1", "not supported: EXPLAIN ANALYZE"),
            ("PREPARE p FROM SELECT 1", "not supported: PREPARE"),
            ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
            ("SELECT 1; DROP TABLE t", "Only one sql statement is allowed"),
            ("", "mismatched input '<EOF>'"),
            ("-- nothing", "mismatched input '<EOF>'"),
            ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
            ("SELECT a FORM t", "line 1:15: mismatched input 't'"),
            ("SELECT\n  a FROM", "line 2:9: mismatched input '<EOF>'"),
            ("SELECT 'open", "line 1:8: Unterminated string literal"),
            ("WITH x AS (DELETE FROM t) SELECT 1", "no such clause"),
            ("SELECT 1 INTO t2", "no INTO"),
            ("SELECT a FROM t QUALIFY row_number() OVER () = 1", "no QUALIFY"),
            ("SELECT `a` FROM t", "line 1:8"),
        ] {
            assert!(refusal(sql).contains(part), "{sql}: {}", refusal(sql));
        }
    }

    #[test]
    fn utility_statements_are_known() {
        assert!(matches!(Statement::read("SHOW TABLES IN Web").unwrap().kind, Kind::ShowTables(Some(db)) if db == "web"));
        assert!(matches!(Statement::read("SHOW DATABASES").unwrap().kind, Kind::ShowDatabases));
        assert!(
            matches!(Statement::read("DESCRIBE web.alb_logs").unwrap().kind, Kind::Describe(name) if name == ["web", "alb_logs"])
        );
        assert!(
            matches!(Statement::read("show partitions web.Alb_Logs;").unwrap().kind, Kind::ShowPartitions(name) if name == ["web", "alb_logs"])
        );
        assert!(matches!(Statement::read("SHOW COLUMNS IN web.alb_logs").unwrap().kind, Kind::ShowColumns(_)));
        assert!(matches!(Statement::read("EXPLAIN SELECT 1").unwrap().kind, Kind::Explain(_)));
    }

    #[test]
    fn deep_and_long_statements_end_in_words() {
        // As deep as it gets, on a small stack: a service thread has a larger one.
        let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(refusal(&deep).contains("too deeply"));
        let chain = format!("SELECT 1{}", " + 1".repeat(2_000));
        assert!(refusal(&chain).contains("levels deep"));
        let list = format!("SELECT 1 WHERE 1 IN (1{})", ", 1".repeat(30_000));
        assert!(refusal(&list).contains("tokens"));
    }

    #[test]
    fn quoted_names_fold_and_are_remembered() {
        let statement = Statement::read(r#"SELECT "Order_ID" AS "Order" FROM "Web"."ALB_Logs""#).unwrap();
        let Kind::Query(query) = &statement.kind else { panic!() };
        assert_eq!(query.to_string(), r#"SELECT "order_id" AS "order" FROM "web"."alb_logs""#);
        let mut spelled: Vec<&str> = statement.spelled.values().map(String::as_str).collect();
        spelled.sort_unstable();
        assert_eq!(spelled, ["ALB_Logs", "Order", "Order_ID", "Web"]);
    }
}
