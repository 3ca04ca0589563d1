//! Statements that mean harm to the reader: deep, long, broken, binary. Each ends soon, in an error or an answer, never in a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tollgate::core::sql::analysis::Analysis;
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, World, WorldColumn, WorldTable};

/// Far more than any of these takes in a debug build on a busy machine; without a bound they would take hours.
const LONG: Duration = Duration::from_secs(60);

fn world() -> World {
    let column = |(name, kind): (&str, &str)| WorldColumn { name: name.into(), kind: Type::parse(kind) };
    let mut world = World::new();
    let columns = [("a", "bigint"), ("b", "varchar"), ("r", "row(f varchar, g bigint)"), ("l", "array(bigint)")];
    world.add_table("m", "s", "t", WorldTable::new(columns.into_iter().map(column).collect()));
    world
}

fn judged(sql: &str) -> Result<Analysis, String> {
    let parsed = parse(sql).map_err(|error| error.reason.to_string())?;
    let session = Session { catalog: "m".to_owned(), schema: Some("s".to_owned()), parameters: Vec::new() };
    analyse(&parsed.statement, &world(), &session).map_err(|error| format!("{} {}", error.code, error.message))
}

/// Judges on a stack of the usual size of a thread, and tells how long it took.
fn timed(sql: String) -> (Result<Analysis, String>, Duration) {
    let begun = Instant::now();
    let result = std::thread::spawn(move || judged(&sql)).join().expect("no panic");
    (result, begun.elapsed())
}

/// Statements that nest so deep, one for each way to nest.
fn deep(levels: usize) -> Vec<String> {
    let nested = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(levels), close.repeat(levels));
    vec![
        format!("SELECT {}", nested("(", "1", ")")),
        nested("(", "SELECT 1", ")"),
        format!("SELECT {}", nested("(SELECT ", "1", ")")),
        format!("SELECT * FROM {}", nested("(SELECT * FROM ", "t", ") AS x")),
        format!("SELECT * FROM {}", nested("(", "t", ")")),
        format!("SELECT * FROM {}", nested("LATERAL (SELECT * FROM ", "t", ") AS x")),
        format!("SELECT a FROM t WHERE {}", nested("a IN (SELECT a FROM t WHERE ", "TRUE", ")")),
        format!("SELECT a FROM t WHERE {}", nested("EXISTS (SELECT a FROM t WHERE ", "TRUE", ")")),
        format!("SELECT {}1", "- ".repeat(levels)),
        format!("SELECT {}TRUE", "NOT ".repeat(levels)),
        format!("SELECT {}", nested("abs(", "1", ")")),
        format!("SELECT {}", nested("max(1) OVER (ORDER BY ", "1", ")")),
        format!("SELECT {}", nested("ARRAY[", "1", "]")),
        format!("SELECT {}", nested("ROW(", "1", ")")),
        format!("SELECT {}", nested("CASE WHEN TRUE THEN ", "1", " END")),
        format!("SELECT {}", nested("CASE ", "1", " WHEN 1 THEN 1 END")),
        format!("SELECT {}", nested("CAST(", "1", " AS bigint)")),
        format!("SELECT {}", nested("transform(ARRAY[1], x -> ", "x", ")[1]")),
        format!("SELECT CAST(NULL AS {})", nested("array(", "bigint", ")")),
        format!("SELECT CAST(NULL AS {})", nested("row(f ", "bigint", ")")),
        format!("SELECT {}1", "x -> ".repeat(levels)),
        format!("SELECT a{} FROM t", "[1]".repeat(levels)),
        format!("SELECT r{} FROM t", ".f".repeat(levels)),
        format!("{}SELECT 1{}", "WITH x AS (".repeat(levels), ") SELECT 1".repeat(levels)),
        format!("SELECT * FROM {}", nested("(t CROSS JOIN ", "t", ")")),
        format!("SELECT * FROM {}", nested("(SELECT 1 UNION ALL SELECT * FROM ", "t", ") AS x")),
        format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({}) DEFINE A AS TRUE)", nested("(", "A", ")")),
        format!("SELECT a FROM t WHERE {}", nested("(a = 1 OR (a = 2 AND ", "TRUE", "))")),
        format!("EXPLAIN {}SELECT 1", "EXPLAIN ".repeat(levels)),
    ]
}

#[test]
fn ten_thousand_levels_are_refused_at_once() {
    for sql in deep(10_000) {
        let head: String = sql.chars().take(60).collect();
        let (result, took) = timed(sql);
        assert!(result.is_err(), "{head} …");
        assert!(took < LONG, "{head} … took {took:?}");
    }
}

#[test]
fn what_is_just_not_too_deep_fits_on_the_stack() {
    for levels in [10, 20, 30, 50, 65, 95, 130, 195] {
        for sql in deep(levels) {
            // The answer does not matter, only that there is one.
            let _ = timed(sql);
        }
    }
}

#[test]
fn long_chains_are_read_or_refused_soon() {
    let statements = [
        format!("SELECT 1{}", " + 1".repeat(10_000)),
        format!("SELECT 'a'{}", " || 'a'".repeat(10_000)),
        format!("SELECT a FROM t WHERE a = 1{}", " OR a = 1".repeat(10_000)),
        format!("SELECT a FROM t WHERE a IN (1{})", ", 1".repeat(10_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(10_000)),
        format!("SELECT 1{}", " UNION SELECT a FROM t".repeat(3_000)),
        format!("SELECT t.a FROM t{}", ", t AS x".repeat(3_000)),
        format!("SELECT *{} FROM t", ", *".repeat(10_000)),
        format!("VALUES 1{}", ", 1".repeat(100_000)),
        format!("SELECT 1 AS x{}", ", 1 AS x".repeat(50_000)),
        format!("SELECT '{}'", "x".repeat(10_000_000)),
        format!("SELECT 1 /*{}*/", "x".repeat(10_000_000)),
        format!("SELECT {}", "x".repeat(10_000_000)),
        " ".repeat(10_000_000),
    ];
    for sql in statements {
        let head: String = sql.chars().take(60).collect();
        let (_, took) = timed(sql);
        assert!(took < LONG, "{head} … took {took:?}");
    }
}

#[test]
fn what_doubles_at_each_step_is_refused() {
    // Each WITH query takes the one before it twice: 2^40 scans, or as many columns.
    let mut scans = "WITH q0 AS (SELECT a FROM t)".to_owned();
    let mut columns = "WITH q0 AS (SELECT a, b FROM t)".to_owned();
    for step in 1..40 {
        scans.push_str(&format!(", q{step} AS (SELECT x.a FROM q{0} AS x JOIN q{0} AS y ON x.a = y.a)", step - 1));
        columns.push_str(&format!(", q{step} AS (SELECT x.*, y.* FROM q{0} AS x CROSS JOIN q{0} AS y)", step - 1));
    }
    let row: String = (0..40).fold("1".to_owned(), |row, _| if row.len() < 100_000 { format!("ROW({row}, {row})") } else { row });
    for sql in [format!("{scans} SELECT a FROM q39"), format!("{columns} SELECT count(*) FROM q39"), format!("SELECT {row}")] {
        let head: String = sql.chars().take(60).collect();
        let (_, took) = timed(sql);
        assert!(took < LONG, "{head} … took {took:?}");
    }
    assert!(timed(format!("{scans} SELECT a FROM q39")).0.is_err());
}

#[test]
fn broken_text_is_refused() {
    for sql in [
        "",
        ";",
        "SELECT 'a",
        "SELECT \"a",
        "SELECT /* a",
        "SELECT 1 /*/",
        "SELECT X'0'",
        "SELECT U&'\\00g0'",
        "SELECT 1\0",
        "SELECT '\0'",
        "SELECT 1 -- a\rFROM t",
        "SELECT \u{202e}a FROM t",
        "SELECT a\u{200b} FROM t",
        "SELECT a FROM t\u{feff}",
        "SELECT \u{a0}1",
        "SELECT `a` FROM t",
        "SELECT a FROM t; SELECT 1",
        "SELECT a # b",
        "SELECT a FROM t WHERE a = $1",
        "\u{1b}[31mSELECT 1",
    ] {
        assert!(judged(sql).is_err(), "{sql:?}");
    }
}

/// Pieces that statements are made of.
const PIECES: [&str; 64] = [
    "SELECT",
    "FROM",
    "t",
    "a",
    "b",
    "r",
    "l",
    "*",
    ",",
    "(",
    ")",
    "AS",
    "x",
    ".",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "=",
    "<",
    "+",
    "-",
    "||",
    "1",
    "'s'",
    "NULL",
    "AND",
    "OR",
    "NOT",
    "IN",
    "EXISTS",
    "JOIN",
    "ON",
    "USING",
    "LEFT",
    "CROSS JOIN",
    "UNION",
    "EXCEPT",
    "WITH",
    "RECURSIVE",
    "VALUES",
    "TABLE",
    "UNNEST",
    "LATERAL",
    "[",
    "]",
    "->",
    "count",
    "sum",
    "OVER",
    "PARTITION BY",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "CAST",
    "bigint",
    "ROW",
    "LIMIT",
    "DISTINCT",
    "transform",
    "ARRAY",
    "MATCH_RECOGNIZE",
    "PATTERN",
];

/// Whether all that an analysis points at is there.
fn holds_together(analysis: &Analysis) -> bool {
    let known = |id: u32| (id as usize) < analysis.columns.len();
    analysis.columns.iter().all(|column| (column.table.0 as usize) < analysis.tables.len() && !column.path.is_empty())
        && analysis.output.iter().flat_map(|output| &output.sources).all(|source| known(source.column.0))
        && analysis.influences.iter().all(|influence| known(influence.column.0))
        && analysis.scans.iter().flat_map(|scan| &scan.columns).all(|column| known(column.0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_without_panic(text in ".{0,60}") {
        if let Ok(analysis) = judged(&text) {
            prop_assert!(holds_together(&analysis));
        }
    }

    #[test]
    fn any_words_are_judged_without_panic(words in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        let text = format!("SELECT {}", words.join(" "));
        if let Ok(analysis) = judged(&text) {
            prop_assert!(holds_together(&analysis));
        }
    }

    #[test]
    fn damaged_statements_are_judged_without_panic(
        which in 0usize..8,
        at in any::<prop::sample::Index>(),
        length in 0usize..12,
        with in prop::sample::select(&PIECES[..]),
    ) {
        let whole = [
            "SELECT a, count(*) FROM t WHERE b LIKE 'x%' GROUP BY a HAVING sum(a) > 1 ORDER BY 2 LIMIT 3",
            "WITH w(x, y) AS (SELECT a, b FROM t) SELECT x, transform(ARRAY[y], v -> v || y) FROM w JOIN t ON x = t.a",
            "SELECT r.f, (r).g, l[1] FROM t CROSS JOIN UNNEST(l) WITH ORDINALITY AS u(e, n)",
            "SELECT max(b) OVER (PARTITION BY a ORDER BY b ROWS 2 PRECEDING) FROM t UNION ALL SELECT CASE a WHEN 1 THEN b END FROM t",
            "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES A.a AS m PATTERN (A+ B?) DEFINE B AS a > PREV(a)) AS m",
            "SELECT json_value(b, 'lax $.a' DEFAULT 'none' ON EMPTY), CAST(ROW(a, b) AS ROW(p bigint, q varchar)).q FROM t",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i, EXISTS (SELECT * FROM t WHERE a = i) FROM n",
            "SELECT grouping(a), max(b) FILTER (WHERE a > 1) FROM t GROUP BY GROUPING SETS ((a), ()) ORDER BY 1 OFFSET 1 ROWS FETCH FIRST 2 ROWS ONLY",
        ][which];
        prop_assert!(judged(whole).is_ok(), "{:?}", judged(whole));
        let start = at.index(whole.len());
        let end = (start + length).min(whole.len());
        let damaged = format!("{} {with} {}", &whole[..start], &whole[end..]);
        if let Ok(analysis) = judged(&damaged) {
            prop_assert!(holds_together(&analysis));
        }
    }
}
