//! Values of every type in every place, and strings that try to get out.

use super::*;
use crate::core::sql::kind::StatementKind;
use crate::core::sql::tree::ExprKind;
use crate::core::sql::tree::walk::{Visitor, walk_expr, walk_statement};

fn bindings(values: &[(&str, SqlLiteral)]) -> Bindings {
    values.iter().map(|(name, value)| ((*name).to_owned(), Binding::Value(value.clone()))).collect()
}

fn finished(sql: &str, values: &[(&str, SqlLiteral)]) -> Result<String, BindError> {
    bind(sql, &bindings(values)).map(|bound| bound.sql().to_owned())
}

fn text(text: &str) -> SqlLiteral {
    SqlLiteral::Varchar(text.to_owned())
}

#[test]
fn literals_are_canonical() {
    for (value, expected) in [
        (text("it's"), "'it''s'"),
        (text(r"\'"), r"'\'''"),
        (text(""), "''"),
        (text("a\nb\tc"), "'a\nb\tc'"),
        (SqlLiteral::Integer(502), "502"),
        (SqlLiteral::Integer(i64::MIN), "-9223372036854775808"),
        (SqlLiteral::Decimal("12.50".into()), "DECIMAL '12.50'"),
        (SqlLiteral::Boolean(true), "true"),
        (SqlLiteral::Date("2026-11-20".into()), "DATE '2026-11-20'"),
        (SqlLiteral::Timestamp("2026-11-20 14:00:00.000".into()), "TIMESTAMP '2026-11-20 14:00:00.000'"),
        (SqlLiteral::Uuid("12151fd2-7586-11e9-8f9e-2a86e4085a59".into()), "UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'"),
        (SqlLiteral::List(vec![SqlLiteral::Integer(200), SqlLiteral::Integer(-1)]), "(200, -1)"),
    ] {
        assert_eq!(render(&value).as_deref(), Ok(expected));
    }
    for bad in [
        text("a\0b"),
        text("\r\n"),
        text("\u{1b}[2J"),
        text("\u{85}"),
        SqlLiteral::List(vec![]),
        SqlLiteral::List(vec![SqlLiteral::List(vec![SqlLiteral::Integer(1)])]),
    ] {
        assert!(render(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn literals_stand_where_parameters_stood() {
    let five = || ("n", SqlLiteral::Integer(5));
    let minus = || ("n", SqlLiteral::Integer(-5));
    let list = || ("l", SqlLiteral::List(vec![text("a"), text("b")]));
    for (sql, value, expected) in [
        ("SELECT a FROM t\n  WHERE n = :n -- five\n", five(), "SELECT a FROM t\n  WHERE n = 5"),
        ("SELECT:n", five(), "SELECT 5"),
        ("SELECT a=:n", minus(), "SELECT a=-5"),
        ("SELECT a-:n", minus(), "SELECT a-(-5)"),
        ("SELECT -:n", five(), "SELECT -(5)"),
        ("SELECT - :n, :n[1], :n.x", five(), "SELECT - (5), (5)[1], (5).x"),
        ("SELECT f(:n,:n)", five(), "SELECT f(5,5)"),
        ("SELECT a LIMIT :n", five(), "SELECT a LIMIT 5"),
        ("SELECT a OFFSET :n ROWS FETCH FIRST:n ROWS ONLY", five(), "SELECT a OFFSET 5 ROWS FETCH FIRST 5 ROWS ONLY"),
        ("SELECT a IN :l, a NOT IN:l", list(), "SELECT a IN ('a', 'b'), a NOT IN ('a', 'b')"),
        ("SELECT json_object('k' : :n), ':n'", five(), "SELECT json_object('k' : 5), ':n'"),
        ("SELECT json_object('k' :n)", five(), "SELECT json_object('k' :n)"),
        ("SELECT varchar::n(1)", five(), "SELECT varchar::n(1)"),
        ("SELECT :n AT TIME ZONE 'UTC' /* x */;", five(), "SELECT 5 AT TIME ZONE 'UTC'"),
    ] {
        assert_eq!(finished(sql, &[value]).as_deref(), Ok(expected), "{sql}");
    }
}

#[test]
fn what_is_no_place_for_a_literal_is_refused() {
    let cases: &[(&str, SqlLiteral)] = &[
        ("SELECT a IN :x", SqlLiteral::Integer(1)),
        ("SELECT a IN (:x)", SqlLiteral::List(vec![SqlLiteral::Integer(1)])),
        ("SELECT :x", SqlLiteral::List(vec![SqlLiteral::Integer(1)])),
        ("SELECT a LIMIT :x", SqlLiteral::Integer(-1)),
        ("SELECT a LIMIT :x", text("1")),
        ("SELECT DATE :x", text("2026-01-01")),
        ("SELECT INTERVAL :x DAY", text("1")),
        ("SELECT a FROM :x", text("t")),
        ("SELECT a AS :x", text("b")),
        ("SELECT a.:x", text("b")),
        ("SELECT : x", text("b")),
        ("SELECT ':x' :x", text("b")),
        ("SELECT :y", text("undeclared")),
        ("SELECT 'a' AT TIME ZONE :x", text("UTC")),
        ("SELECT x'00' U&:x", text("a")),
    ];
    for (sql, value) in cases {
        assert!(finished(sql, &[("x", value.clone())]).is_err(), "{sql}");
    }
    let long = text(&"x".repeat(300_000));
    assert!(finished("SELECT :x", &[("x", long)]).is_err());
    let many = format!("SELECT :x{}", ", :x".repeat(60_000));
    assert!(matches!(finished(&many, &[("x", text(&"x".repeat(100_000)))]), Err(BindError::Finished(_))));
    assert!(finished(&many, &[("x", text(""))]).is_ok());
}

#[test]
fn holes_stay() {
    let mut bindings = bindings(&[("a", SqlLiteral::Integer(1))]);
    bindings.insert("b".to_owned(), Binding::Hole);
    bindings.insert("c".to_owned(), Binding::Holes);
    let bound = bind("SELECT :a, :b WHERE d IN :c LIMIT :b", &bindings).unwrap();
    assert_eq!(bound.sql(), "SELECT 1, :b WHERE d IN :c LIMIT :b");
    assert_eq!(bound.finished.statement.kind(), StatementKind::Select);
}

/// Small, fast and repeatable (xorshift, G. Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    fn text(&mut self) -> String {
        (0..self.roll(8)).map(|_| *self.pick(HOSTILE)).collect()
    }

    fn value(&mut self) -> SqlLiteral {
        match self.roll(10) {
            0 => SqlLiteral::Integer(*self.pick(&[0, 1, -1, i64::MAX, i64::MIN, 2_147_483_648])),
            1 => SqlLiteral::Integer(self.0 as i64),
            2 => SqlLiteral::Decimal(format!("{}.{}", self.0 as i32, self.roll(1000))),
            3 => SqlLiteral::Boolean(self.roll(2) == 0),
            4 => SqlLiteral::Date(format!("2026-{:02}-{:02}", 1 + self.roll(12), 1 + self.roll(28))),
            5 => SqlLiteral::Timestamp(format!("2026-01-{:02} 00:00:00.{:03}", 1 + self.roll(28), self.roll(1000))),
            _ => SqlLiteral::Varchar(self.text()),
        }
    }
}

/// What gets out of quotes somewhere.
const HOSTILE: &[&str] = &[
    "'",
    "''",
    "'''",
    "\\",
    "\\'",
    "\"",
    "`",
    "--",
    "-- ",
    "/*",
    "*/",
    "/* */",
    "\n",
    "\t",
    ";",
    "; DROP TABLE t",
    " OR 1=1",
    "') OR ('1'='1",
    ":n",
    ":day",
    "?",
    "$$",
    "U&'",
    "X'",
    "\\u0027",
    "\\0027",
    "%27",
    "＇",
    "ʼ",
    "’",
    "é",
    "漢",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "😀",
    "a",
    "b",
    "{{ x }}",
    "${y}",
    "#",
    "0",
    " ",
    "UESCAPE '!'",
    "e5",
    ".",
    "-",
    "(",
    ")",
    ",",
    "\u{301}",
    "\u{a0}",
    "NULL",
    "SELECT ssn FROM people",
];

/// Places for parameters `p` and `q`.
const TEMPLATES: &[&str] = &[
    "SELECT a FROM t WHERE b = :p AND c <> :q",
    "SELECT:p,:q||'x'FROM t -- it's\n",
    "SELECT f(:p, x -> :q) FROM t WHERE a LIKE :p ESCAPE :q",
    "SELECT a-:p, - :q, :p + :q /* ' */ FROM t",
    "SELECT CASE WHEN :p = :q THEN :p ELSE :q END, a BETWEEN :p AND :q, (:p, :q)",
    "WITH x AS (VALUES (:p, ':q'), (:q, \":p\")) SELECT * FROM x WHERE a IN (:p, :q) AND :p IS NOT NULL",
    "SELECT json_object(:p : :q), ARRAY[:p, :q][1], CAST(:p AS varchar)",
];

/// Every literal of a tree, in order.
#[derive(Default)]
struct Literals(Vec<Literal>);

impl Visitor for Literals {
    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Literal(literal) = &expr.kind {
            self.0.push(literal.clone());
        }
        walk_expr(self, expr);
    }
}

#[test]
fn no_value_gets_out_of_its_literal() {
    let cases = std::env::var("TOLLGATE_LITERAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100_000usize);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for case in 0..cases {
        let sql = *dice.pick(TEMPLATES);
        let (p, q) = (dice.value(), dice.value());
        let values = [("p", p.clone()), ("q", q.clone())];
        let bound = bind(sql, &bindings(&values)).unwrap_or_else(|error| panic!("case {case}: {sql} {values:?}: {error}"));
        // The tree is that of the template with holes, but for the literals: bind compared it with the literals in their places.
        // Here the values themselves are looked for in what was read again.
        let mut literals = Literals::default();
        walk_statement(&mut literals, &bound.finished.statement);
        for value in [&p, &q] {
            if let SqlLiteral::Varchar(text) = value {
                let found = literals.0.iter().any(|literal| matches!(literal, Literal::String(found) if **found == **text));
                assert!(found, "case {case}: {sql} {values:?}: {}", bound.sql());
            }
        }
    }
}

#[test]
fn lists_of_hostile_values_stay_lists() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for _ in 0..2_000 {
        let items: Vec<SqlLiteral> = (0..=dice.roll(5)).map(|_| dice.value()).collect();
        let count = items.len();
        let bound = bind("SELECT a FROM t WHERE b NOT IN :p AND c", &bindings(&[("p", SqlLiteral::List(items))])).unwrap();
        let mut literals = Literals::default();
        walk_statement(&mut literals, &bound.finished.statement);
        assert_eq!(literals.0.len(), count, "{}", bound.sql());
    }
}
