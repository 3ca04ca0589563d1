//! Bounded depth, stack, time.

use super::*;

/// Runs in a thread with the 2 MB of stack that Rust's threads and tokio's workers have.
fn on_a_worker<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

/// `open` and `close`, nested around a core.
const NESTED: &[(&str, &str, &str)] = &[
    ("SELECT ", "1", ""),
    ("(", "1", ")"),
    ("((", "1", "))"),
    ("(a + ", "1", ")"),
    ("(1 * (2, ", "1", "))"),
    ("f(", "1", ")"),
    ("f(x -> ", "1", ")"),
    ("x -> ", "1", ""),
    ("- ", "x", ""),
    ("NOT ", "x", ""),
    ("(SELECT ", "1", ")"),
    ("(SELECT a FROM t WHERE x IN (", "1", "))"),
    ("(SELECT a FROM (", "SELECT 1", "))"),
    ("EXISTS (SELECT 1 WHERE ", "x", ")"),
    ("CASE WHEN ", "1", " THEN 2 END"),
    ("CASE ", "1", " WHEN 1 THEN 2 END"),
    ("CASE x WHEN 1 THEN 2 ELSE ", "1", " END"),
    ("CAST(", "1", " AS bigint)"),
    ("TRY_CAST(", "1", " AS bigint)"),
    ("ARRAY[", "1", "]"),
    ("a[", "1", "]"),
    ("x BETWEEN 1 AND (", "1", ")"),
    ("x LIKE (", "1", ")"),
    ("position(", "x", " IN y)"),
    ("substring(", "x", " FROM 1)"),
    ("trim(LEADING 'x' FROM ", "x", ")"),
    ("trim(leading(", "x", "))"),
    ("listagg(", "x", ", ',') WITHIN GROUP (ORDER BY y)"),
    ("sum(x) FILTER (WHERE ", "y", ")"),
    ("sum(x) OVER (PARTITION BY ", "y", ")"),
    ("json_object('k' : ", "y", ")"),
    ("json_value(", "y", ", 'lax $')"),
    ("x = ALL ((", "SELECT 1", "))"),
    ("ROW(", "1", ")"),
];

/// The same for whole statements.
const STATEMENTS: &[(&str, &str, &str, &str, &str)] = &[
    ("SELECT * FROM ", "(", "t", ")", ""),
    ("SELECT * FROM ", "(", "SELECT 1", ")", ""),
    ("SELECT * FROM ", "(a JOIN ", "t", " ON x)", ""),
    ("SELECT * FROM ", "a JOIN ", "t", " ON x", ""),
    ("SELECT * FROM ", "LATERAL (SELECT * FROM ", "t", ")", ""),
    ("", "(", "SELECT 1", ")", ""),
    ("", "(SELECT 1 UNION ", "SELECT 2", ")", ""),
    ("", "WITH x AS (", "SELECT 2", ") SELECT 1", ""),
    ("", "EXPLAIN ", "SELECT 1", "", ""),
    ("SELECT CAST(x AS ", "array(", "bigint", ")", ")"),
    ("SELECT CAST(x AS ", "row(a ", "bigint", ")", ")"),
    ("SELECT CAST(x AS ", "row(", "bigint", ")", ")"),
    ("SELECT CAST(x AS ", "row(row(a ", "bigint", "))", ")"),
    ("SELECT CAST(x AS ", "array<", "bigint", ">", ")"),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "(", "a", ")", ") DEFINE a AS x)"),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "{- ", "a", " -}", ") DEFINE a AS x)"),
    ("SELECT * FROM TABLE(f(", "TABLE(SELECT * FROM TABLE(g(", "1", ")))", "))"),
    ("SELECT * FROM JSON_TABLE(x, 'lax $' COLUMNS (", "NESTED 'lax $' COLUMNS (", "a bigint", ")", "))"),
    ("SELECT * FROM JSON_TABLE(x, 'lax $' COLUMNS (a bigint) PLAN (", "(", "a", " CROSS b)", " CROSS c))"),
    ("WITH FUNCTION f() RETURNS bigint ", "BEGIN ", "RETURN 1", "; END", " SELECT 1"),
    ("SELECT a FROM t GROUP BY ", "(", "a", ")", ""),
    ("SELECT * FROM NEAREST (FROM ", "NEAREST (FROM ", "t", " MATCH x)", " MATCH x)"),
    ("VALUES ", "(", "1", ")", ""),
];

fn texts(depth: usize) -> Vec<String> {
    let nest = |open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
    let expressions = NESTED.iter().skip(1).map(|(open, core, close)| format!("SELECT {}", nest(open, core, close)));
    let statements =
        STATEMENTS.iter().map(|(before, open, core, close, after)| format!("{before}{}{after}", nest(open, core, close)));
    expressions.chain(statements).collect()
}

#[test]
fn people_may_nest_deep_enough() {
    on_a_worker(|| {
        for sql in texts(18) {
            assert!(parse(&sql).is_ok(), "{sql}: {}", parse(&sql).unwrap_err());
        }
    });
}

#[test]
fn the_limit_is_reached_before_the_stack_ends() {
    on_a_worker(|| {
        for depth in [MAX_DEPTH as usize / 2 - 5, MAX_DEPTH as usize, 10_000] {
            for sql in texts(depth) {
                let Ok(parsed) = parse(&sql) else { continue };
                // What was read can also be compared, copied, walked and dropped.
                assert_eq!(parsed.clone().statement, parsed.statement);
                let mut idents = Idents::default();
                walk_statement(&mut idents, &parsed.statement);
            }
        }
    });
}

#[test]
fn too_deep_is_said() {
    let sql = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let error = parse(&sql).unwrap_err();
    assert_eq!(error.reason, Reason::TooDeep);
    assert!(error.to_string().contains("160 levels"), "{error}");
    // Unbalanced as well.
    assert_eq!(parse(&format!("SELECT {}", "(".repeat(100_000))).unwrap_err().reason, Reason::TooDeep);
    assert_eq!(parse(&format!("SELECT CAST(x AS {}", "row(a ".repeat(30_000))).unwrap_err().reason, Reason::TooDeep);
}

#[test]
fn long_chains_are_flat() {
    let chains = [
        ("SELECT 1", " + 1", 60_000),
        ("SELECT a", " || b", 50_000),
        ("SELECT a", " AND b", 40_000),
        ("SELECT a", ".b", 100_000),
        ("SELECT a", "[1]", 80_000),
        ("SELECT a", " AT TIME ZONE 'UTC'", 13_000),
        ("SELECT 1", " UNION ALL SELECT 1", 13_000),
        ("SELECT 1 FROM t", " CROSS JOIN t", 20_000),
        ("SELECT 1 FROM t", " JOIN t ON x", 20_000),
        ("SELECT 1", ", 1", 80_000),
        ("SELECT CASE", " WHEN 1 THEN 2", 18_000),
    ];
    on_a_worker(move || {
        for (start, more, count) in chains {
            let mut sql = start.to_owned() + &more.repeat(count);
            if start.ends_with("CASE") {
                sql.push_str(" END");
            }
            let parsed = parse(&sql).unwrap_or_else(|error| panic!("{start}{more}: {error}"));
            assert_eq!(parsed.clone().statement, parsed.statement);
        }
    });
}

#[test]
fn array_suffixes_end() {
    assert!(parse("SELECT CAST(x AS bigint ARRAY ARRAY ARRAY[3])").is_ok());
    let sql = format!("SELECT CAST(x AS bigint{})", " ARRAY".repeat(10_000));
    assert_eq!(parse(&sql).unwrap_err().reason, Reason::TooDeep);
}

#[test]
fn hostile_shapes_take_linear_time() {
    // Each would take more than the age of the universe with a reading tried twice at every level.
    let shapes = [
        "SELECT ".to_owned() + &"trim(leading(".repeat(90),
        "SELECT ".to_owned() + &"((x) + (".repeat(60),
        "SELECT * FROM ".to_owned() + &"((a JOIN ".repeat(60),
        "SELECT CAST(x AS ".to_owned() + &"row(a row(row(".repeat(60),
        "SELECT x = ALL ((".to_owned() + &"SELECT x = ALL ((".repeat(60),
        "SELECT ".to_owned() + &"position(substring(try_cast(".repeat(60),
        "SELECT ".to_owned() + &"json_object(KEY ".repeat(150),
        "SELECT ".to_owned() + &"/* ".repeat(60_000),
        "SELECT ".to_owned() + &"$$ $ ".repeat(50_000),
        "SELECT ".to_owned() + &"trim(".repeat(190) + &"x, ".repeat(80_000),
    ];
    for sql in shapes {
        assert!(parse(&sql).is_err());
    }
}
