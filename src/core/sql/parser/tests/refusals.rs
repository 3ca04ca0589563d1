//! What is refused, and where.

use super::*;

/// The line and column of a refusal.
fn place(sql: &str) -> (u32, u32) {
    match parse(sql) {
        Err(error) => (error.position.line, error.position.column),
        Ok(parsed) => panic!("{sql}: {:?}", parsed.statement),
    }
}

#[test]
fn places_are_the_servers() {
    for (sql, line, column) in PLACES {
        assert_eq!(place(sql), (*line, *column), "{sql}");
    }
}

/// Statements with the place that a Trino 476 server gives.
const PLACES: &[(&str, u32, u32)] = &[
    ("", 1, 1),
    ("SELECT", 1, 7),
    ("SELECT *\nFROM x\nWHERE from", 3, 7),
    ("SELECT * FROM 'oops'", 1, 15),
    ("SELECT a FROM t WHERE a = b = c", 1, 29),
    ("SELECT a FROM t LIMIT 1 OFFSET 2", 1, 25),
    ("SELECT 1 + A.*", 1, 13),
    ("SELECT ssn IS JSON FROM people", 1, 15),
    ("SELECT `a` FROM t", 1, 8),
    ("SELECT 1x FROM t", 1, 8),
    ("SELECT \"\" FROM t", 1, 8),
    ("SELECT a, FROM t", 1, 11),
    ("SELECT é FROM t", 1, 8),
    ("SELECT 'é', # FROM t", 1, 13),
    ("SELECT 'abc", 1, 8),
    ("SELECT 1 /* open", 1, 11),
    ("SELECT f(a b) FROM t", 1, 12),
    ("SELECT a FROM t JOIN u", 1, 23),
    ("SELECT CASE a END", 1, 15),
    ("SELECT CAST(a AS bigint FROM t", 1, 25),
    ("SELECT x'0g'", 1, 8),
    ("SELECT U&'\\00'", 1, 8),
    ("SELECT a FROM t GROUP BY", 1, 25),
    ("SELECT a FROM t ORDER a", 1, 23),
    ("SELECT * FROM t WHERE a IN ()", 1, 29),
    ("SELECT 99999999999999999999", 1, 8),
    ("foo", 1, 1),
];

#[test]
fn what_a_reader_cannot_see_is_refused() {
    let reason = |sql: &str| parse(sql).unwrap_err().reason;
    assert_eq!(reason("SELECT city -- note\r, ssn FROM people"), Reason::CarriageReturn);
    assert_eq!(reason("SELECT 'a\rb'"), Reason::CarriageReturn);
    assert_eq!(reason("SELECT 1 -- \u{b}\n"), Reason::Control('\u{b}'));
    assert_eq!(reason("SELECT '\0'"), Reason::Control('\0'));
    assert_eq!(reason("SELECT '\u{85}'"), Reason::Control('\u{85}'));
    assert_eq!(reason("SELECT 1 -- \u{202e}\n"), Reason::Hidden('\u{202e}'));
    assert_eq!(reason("SELECT \"a\u{200b}\""), Reason::Hidden('\u{200b}'));
    assert_eq!(reason("SELECT 1 /* \u{feff} */"), Reason::Hidden('\u{feff}'));
    assert_eq!(reason("\u{feff}SELECT 1"), Reason::Hidden('\u{feff}'));
    assert!(parse("SELECT '\u{202e}', U&'\u{200b}'\r\n\t-- é\r\nFROM t").is_ok());
}

#[test]
fn what_is_too_long_is_refused() {
    let sql = format!("SELECT '{}'", "x".repeat(10 << 20));
    assert_eq!(parse(&sql).unwrap_err().reason, Reason::TooLong(sql.len()));
    assert!(parse(&format!("SELECT '{}'", "x".repeat(crate::core::sql::lexer::MAX_BYTES - 9))).is_ok());
}

#[test]
fn the_known_ways_around_are_seen() {
    // Each hides the column `ssn` from some parser.
    for sql in [
        r"SELECT '\' , ssn , ' FROM people -- ' FROM people",
        "SELECT city /* /* */ , ssn FROM people -- */ FROM people",
        "SELECT json_object('k' : ssn) FROM people",
        "SELECT 4 //* x */ 2, ssn FROM people",
        "SELECT city FROM people JOIN accounts USING (ssn)",
        "WITH t AS (SELECT ssn FROM people) TABLE t",
        "SELECT * FROM people p CROSS JOIN LATERAL (VALUES p.ssn, p.city) t(v)",
    ] {
        let parsed = parse(sql).unwrap();
        let mut idents = Idents::default();
        walk_statement(&mut idents, &parsed.statement);
        assert!(idents.0.iter().any(|token| parsed.tokens.written(*token) == "ssn"), "{sql}");
    }
    for sql in ["SELECT city # x\n, ssn FROM people", "SELECT city; SELECT ssn"] {
        assert!(parse(sql).is_err() || matches!(statement(sql), Statement::Other(_)), "{sql}");
    }
}

#[test]
fn messages_show_what_was_found() {
    let message = |sql: &str| parse(sql).unwrap_err().to_string();
    assert_eq!(message("SELECT a FROM t WHERE"), "line 1:22: mismatched input '<EOF>'. Expecting: <expression>");
    assert_eq!(message("SELECT a FROM t WHERE )"), "line 1:23: mismatched input ')'. Expecting: <expression>");
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,60}|[ -~\\n]{0,200}") {
        let _ = parse(&text);
        let _ = crate::core::sql::syntax::syntax(&text);
    }

    #[test]
    fn nothing_panics_on_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..60)) {
        let _ = parse(&words.join(" "));
    }
}

/// Words and signs of which random statements are made.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "(",
    ")",
    ",",
    ".",
    "*",
    "a",
    "b",
    "\"c\"",
    "1",
    "'x'",
    "=",
    "<",
    "+",
    "-",
    "||",
    "->",
    "=>",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "LIKE",
    "IS",
    "NULL",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "CAST",
    "AS",
    "row",
    "array",
    "[",
    "]",
    "UNION",
    "ALL",
    "VALUES",
    "TABLE",
    "WITH",
    "JOIN",
    "ON",
    "USING",
    "UNNEST",
    "LATERAL",
    "OVER",
    "PARTITION",
    "ROWS",
    "interval",
    "DAY",
    "date",
    "timestamp",
    "AT",
    "TIME",
    "ZONE",
    "json_object",
    "KEY",
    "VALUE",
    ":",
    "?",
    "trim",
    "leading",
    "position",
    "substring",
    "EXPLAIN",
    "SHOW",
    ";",
    "match_recognize",
    "PATTERN",
    "DEFINE",
    "{-",
    "-}",
    "LIMIT",
    "offset",
    "listagg",
    "EXISTS",
    "ANY",
    "GROUPING",
    "SETS",
    "ROLLUP",
    "FOR",
    "TABLESAMPLE",
    "SYSTEM",
    "x -> x",
    "::",
];
