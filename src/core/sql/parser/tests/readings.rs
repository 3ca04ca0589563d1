//! Where the grammar has two readings, and what each form becomes.

use super::*;

fn kind(text: &str) -> ExprKind {
    expression(text).kind
}

#[test]
fn precedence_is_trinos() {
    for (left, right) in [
        ("a OR b AND c", "a OR (b AND c)"),
        ("NOT a AND b", "(NOT a) AND b"),
        ("NOT a = b", "NOT (a = b)"),
        ("NOT NOT a OR b", "(NOT (NOT a)) OR b"),
        ("a || b + c", "a || (b + c)"),
        ("a || -b * c", "a || ((-b) * c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a) - (b) - (c)"),
        ("-a * b", "(-a) * b"),
        ("-a AT TIME ZONE 'UTC'", "-(a AT TIME ZONE 'UTC')"),
        ("-a[1]", "-(a[1])"),
        ("a + b = c * d AND e", "((a + b) = (c * d)) AND e"),
        ("a BETWEEN b AND c AND d", "(a BETWEEN b AND c) AND d"),
        ("a LIKE b || c ESCAPE d", "a LIKE (b || c) ESCAPE d"),
        ("a IS NOT DISTINCT FROM b + c OR d", "(a IS NOT DISTINCT FROM (b + c)) OR d"),
        ("x -> x + 1 > 2", "x -> ((x + 1) > 2)"),
        ("CASE a WHEN b THEN c ELSE d END + 1", "(CASE a WHEN b THEN c ELSE d END) + 1"),
        ("((a))", "a"),
        ("(a).b.c", "a.b.c"),
    ] {
        assert_eq!(expression(left), expression(right), "{left}");
    }
    assert_ne!(expression("a - (b - c)"), expression("a - b - c"));
    assert_ne!(expression("(a OR b) AND c"), expression("a OR b AND c"));
}

#[test]
fn a_minus_before_a_number_belongs_to_it() {
    assert_eq!(kind("-1"), ExprKind::Literal(Literal::Integer("-1".into())));
    assert_eq!(kind("- 1.5"), ExprKind::Literal(Literal::Decimal("-1.5".into())));
    assert_eq!(kind("-9223372036854775808"), ExprKind::Literal(Literal::Integer("-9223372036854775808".into())));
    assert!(matches!(kind("-(1)"), ExprKind::Unary { minus: true, .. }));
    assert!(matches!(kind("+1"), ExprKind::Unary { minus: false, .. }));
    assert!(matches!(kind("a -1"), ExprKind::Chain { .. }));
}

#[test]
fn literals_are_read_as_trino_reads_them() {
    let string = |text: &str| ExprKind::Literal(Literal::String(text.into()));
    assert_eq!(kind(r"'it''s \n'"), string(r"it's \n"));
    assert_eq!(kind(r"U&'\0041\+000042\\'"), string(r"AB\"));
    assert_eq!(kind("U&'#0041#0042' UESCAPE '#'"), string("AB"));
    assert_eq!(kind("X'0a Ff'"), ExprKind::Literal(Literal::Binary(Box::from([0x0a, 0xff]))));
    assert_eq!(kind("1_000"), ExprKind::Literal(Literal::Integer("1000".into())));
    assert_eq!(kind("0x_Ff"), ExprKind::Literal(Literal::Integer("0xFf".into())));
    assert_eq!(kind("1."), ExprKind::Literal(Literal::Decimal("1.".into())));
    assert_eq!(kind(".5E-3"), ExprKind::Literal(Literal::Double(".5E-3".into())));
    assert!(matches!(kind("ipaddress '10.0.0.1'"), ExprKind::Literal(Literal::Typed { .. })));
    assert!(matches!(kind("interval 'x'"), ExprKind::Literal(Literal::Typed { .. })), "no field: a type's literal");
    assert!(matches!(kind("interval - '1-2' year to month"), ExprKind::Literal(Literal::Interval(_))));
    assert!(matches!(kind("interval - x"), ExprKind::Chain { .. }), "a column called interval");
    assert_eq!(kind("double precision '1'"), ExprKind::Literal(Literal::DoublePrecision("1".into())));
    assert_eq!(integer_value("0x7f"), Some(127));
    assert_eq!(integer_value("-0b11"), Some(-3));
    assert_eq!(integer_value("9223372036854775808"), None);
}

#[test]
fn words_are_names_where_the_grammar_lets_them() {
    // Each is one column of that name.
    for word in ["user", "date", "interval", "array", "row", "position", "if", "all", "values_", "key", "leading", "over"] {
        assert!(matches!(kind(word), ExprKind::Name(_)), "{word}");
    }
    let alias = |sql: &str| match select(sql).items.pop() {
        Some(SelectItem::Expr { alias, .. }) => alias.map(|name| name.text.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(alias("SELECT a limit").as_deref(), Some("limit"));
    assert_eq!(alias("SELECT a limit LIMIT 5").as_deref(), Some("limit"));
    assert_eq!(alias("SELECT a LIMIT 5"), None);
    assert_eq!(alias("SELECT a LIMIT ALL"), None);
    assert_eq!(alias("SELECT count(*) over").as_deref(), Some("over"));
    assert_eq!(alias("SELECT lag(a) ignore").as_deref(), Some("ignore"));
    assert_eq!(alias("SELECT sum(a) filter").as_deref(), Some("filter"));
    assert_eq!(alias("SELECT a at").as_deref(), Some("at"));
    assert_eq!(alias("SELECT a match").as_deref(), Some("match"));
    let from = |sql: &str| select(sql).from.into_iter().map(|relation| relation.kind).collect::<Vec<_>>();
    assert!(matches!(from("SELECT 1 FROM people offset, people x").as_slice(), [RelationKind::Aliased { .. }, _]));
    assert!(matches!(from("SELECT 1 FROM people OFFSET 2").as_slice(), [RelationKind::Table { .. }]));
    assert!(matches!(from("SELECT 1 FROM t tablesample").as_slice(), [RelationKind::Aliased { .. }]));
    assert!(matches!(from("SELECT 1 FROM t TABLESAMPLE SYSTEM (10)").as_slice(), [RelationKind::Sampled { .. }]));
    assert!(matches!(from("SELECT 1 FROM t match_recognize (a, b)").as_slice(), [RelationKind::Aliased { .. }]));
    assert!(matches!(from("SELECT 1 FROM lateral").as_slice(), [RelationKind::Table { .. }]));
    assert_eq!(select("SELECT ALL FROM t").items.len(), 1);
    assert!(!select("SELECT ALL x FROM t").distinct);
}

#[test]
fn parentheses_hold_what_follows_tells() {
    assert!(matches!(kind("(SELECT 1)"), ExprKind::Subquery(_)));
    assert!(matches!(kind("((SELECT 1) UNION (SELECT 2))"), ExprKind::Subquery(_)));
    assert!(matches!(kind("((SELECT 1) LIMIT 1)"), ExprKind::Subquery(_)));
    assert!(matches!(kind("((SELECT 1) + 1)"), ExprKind::Chain { .. }));
    assert!(matches!(kind("(((SELECT 1)) UNION SELECT 2)"), ExprKind::Subquery(_)));
    assert!(matches!(kind("((WITH x AS (SELECT 1) SELECT 1))"), ExprKind::Subquery(_)));
    assert!(matches!(kind("((SELECT 1), 2)"), ExprKind::Row(_)));
    assert!(matches!(kind("(a, b) -> a"), ExprKind::Lambda { .. }));
    assert!(matches!(kind("() -> 1"), ExprKind::Lambda { .. }));
    assert!(matches!(kind("(a, b)"), ExprKind::Row(_)));
    let from = |sql: &str| select(sql).from.pop().unwrap().kind;
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1))"), RelationKind::Subquery(_)));
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1) UNION SELECT 2)"), RelationKind::Subquery(_)));
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1) x)"), RelationKind::Aliased { .. }));
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1) limit)"), RelationKind::Aliased { .. }));
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1) LIMIT 1)"), RelationKind::Subquery(_)));
    assert!(matches!(from("SELECT 1 FROM ((SELECT 1) CROSS JOIN t)"), RelationKind::Joined { .. }));
    assert!(matches!(from("SELECT 1 FROM (TABLE t)"), RelationKind::Subquery(_)));
    assert!(matches!(from("SELECT 1 FROM (TABLE (f(1)))"), RelationKind::TableFunction(_)));
}

#[test]
fn lists_and_quantifiers_prefer_expressions() {
    let test = |text: &str| match kind(text) {
        ExprKind::Predicate { test, .. } => *test,
        other => panic!("{other:?}"),
    };
    assert!(matches!(test("a IN (SELECT 1)"), Test::InQuery(_)));
    assert!(matches!(test("a IN ((SELECT 1))"), Test::InList(_)));
    assert!(matches!(test("a IN ((SELECT 1) UNION (SELECT 2))"), Test::InQuery(_)));
    assert!(matches!(test("a IN ((SELECT 1), 2)"), Test::InList(_)));
    assert!(matches!(kind("a = ALL (SELECT 1)"), ExprKind::Quantified { all: true, .. }));
    assert!(matches!(kind("a = SOME (VALUES 1)"), ExprKind::Quantified { all: false, .. }));
    assert!(matches!(kind("a = ANY ((SELECT 1) UNION (SELECT 2))"), ExprKind::Quantified { .. }));
    for call in ["a = ALL ((SELECT 1))", "a = any(x)", "a = ANY ((SELECT 1) + 1, 2)"] {
        let ExprKind::Comparison { right, .. } = kind(call) else { panic!("{call}") };
        assert!(matches!(right.kind, ExprKind::Call(_)), "{call}");
    }
}

#[test]
fn special_calls_and_plain_ones() {
    assert!(matches!(kind("position(a IN b)"), ExprKind::Position { .. }));
    assert!(matches!(kind("position(a IN (b))"), ExprKind::Position { .. }));
    assert!(matches!(kind("position(a, b)"), ExprKind::Call(_)));
    assert!(matches!(kind("substring(a FROM 1)"), ExprKind::Substring { .. }));
    assert!(matches!(kind("substring(a, 1) || b"), ExprKind::Chain { .. }));
    assert!(matches!(kind("substring(a + 1 > 2, b)"), ExprKind::Call(_)));
    assert!(matches!(kind("try_cast(a AS bigint)"), ExprKind::Cast { safe: true, .. }));
    assert!(matches!(kind("try_cast(a)"), ExprKind::Call(_)));
    assert!(matches!(kind("trim(leading)"), ExprKind::Trim { side: None, .. }));
    assert!(matches!(kind("trim(leading, 'x')"), ExprKind::Trim { side: None, characters: Some(_), .. }));
    assert!(matches!(kind("trim(LEADING FROM a)"), ExprKind::Trim { side: Some(_), characters: None, .. }));
    assert!(matches!(kind("trim('x' FROM a)"), ExprKind::Trim { side: None, characters: Some(_), .. }));
    assert!(matches!(kind("trim(both(a))"), ExprKind::Trim { side: None, .. }));
    assert!(matches!(kind("row(1)"), ExprKind::Row(_)));
    assert!(matches!(kind("row()"), ExprKind::Call(_)));
    assert!(matches!(kind("array [1]"), ExprKind::Array(_)));
    assert!(matches!(kind("array(1)"), ExprKind::Call(_)));
    assert!(matches!(kind("f(a)[1].b"), ExprKind::Access { .. }));
    assert!(matches!(kind("a.b.f(x)"), ExprKind::Call(_)));
    assert!(matches!(kind("m OVER w"), ExprKind::Measure { .. }));
    assert!(matches!(kind("RUNNING LAST(a.b)"), ExprKind::Call(_)));
    assert!(matches!(kind("running(a)"), ExprKind::Call(_)));
}

#[test]
fn json_keys_and_colons() {
    for (left, right) in [
        ("json_object('k' : a)", "json_object(KEY 'k' VALUE a)"),
        ("json_object(key : a)", "json_object(key VALUE a)"),
        ("json_object(KEY key VALUE a)", "json_object(key VALUE a)"),
        ("json_object(KEY (key) VALUE a)", "json_object(key VALUE a)"),
    ] {
        assert_eq!(expression(left), expression(right), "{left}");
    }
    assert!(matches!(kind("json_object(key VALUE value)"), ExprKind::Json(_)));
    assert!(matches!(kind("json_object()"), ExprKind::Json(_)));
}

#[test]
fn grouping_sets_are_lists_of_expressions() {
    let sets = |sql: &str| match select(sql).group_by.unwrap().elements.remove(0) {
        GroupingElement::Set(set, _) => vec![set.len()],
        GroupingElement::Rollup(sets, _) | GroupingElement::Cube(sets, _) | GroupingElement::Sets(sets, _) => {
            sets.iter().map(Vec::len).collect()
        }
        GroupingElement::Auto(_) => vec![],
    };
    assert_eq!(sets("SELECT 1 FROM t GROUP BY (a, b)"), [2]);
    assert_eq!(sets("SELECT 1 FROM t GROUP BY ()"), [0]);
    assert_eq!(sets("SELECT 1 FROM t GROUP BY ((a, b))"), [1], "a row");
    assert_eq!(sets("SELECT 1 FROM t GROUP BY (a, b) IN (c)"), [1]);
    assert_eq!(sets("SELECT 1 FROM t GROUP BY ROW(a, b)"), [1]);
    assert_eq!(sets("SELECT 1 FROM t GROUP BY ROLLUP (a, (b, c), ())"), [1, 2, 0]);
    assert_eq!(sets("SELECT 1 FROM t GROUP BY GROUPING SETS ((), a, (a, b))"), [0, 1, 2]);
    assert!(select("SELECT 1 FROM t GROUP BY DISTINCT ROLLUP (a)").group_by.unwrap().distinct);
}

#[test]
fn joins_nest_to_the_right_only_when_written_so() {
    let joins = |sql: &str| match select(sql).from.remove(0).kind {
        RelationKind::Joined { joins, .. } => joins.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(joins("SELECT 1 FROM a JOIN b ON x JOIN c ON y"), 2);
    assert_eq!(joins("SELECT 1 FROM a JOIN b JOIN c ON x ON y"), 1);
    assert_eq!(joins("SELECT 1 FROM a CROSS JOIN b NATURAL LEFT JOIN c FULL OUTER JOIN d USING (e)"), 3);
}

#[test]
fn set_operations_chain_by_precedence() {
    let QueryBody::SetOperation(operation) = query("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT SELECT 4").body else {
        panic!("no set operation")
    };
    let ops: Vec<_> = operation.rest.iter().map(|step| (step.op, step.all)).collect();
    assert_eq!(ops, [(SetOperator::Union, true), (SetOperator::Except, false)]);
    assert!(matches!(operation.rest[0].right, QueryBody::SetOperation(_)));
}

#[test]
fn windows_are_named_or_written() {
    let base = |text: &str| match kind(text) {
        ExprKind::Call(call) => match call.over {
            Some(Over::Inline(window)) => (window.base.map(|name| name.text.to_string()), window.frame.is_some()),
            Some(Over::Named(name)) => (Some(name.text.to_string()), false),
            None => panic!("{text}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(base("f(a) OVER (PARTITION BY b)"), (None, false));
    assert_eq!(base("f(a) OVER (partition)"), (Some("partition".into()), false));
    assert_eq!(base("f(a) OVER (rows)"), (Some("rows".into()), false));
    assert_eq!(base("f(a) OVER (ROWS 1 PRECEDING)"), (None, true));
    assert_eq!(base("f(a) OVER (rows ROWS UNBOUNDED PRECEDING)"), (Some("rows".into()), true));
    assert_eq!(base("f(a) OVER (w ORDER BY b)"), (Some("w".into()), false));
    assert_eq!(base("f(a) OVER (ORDER BY b RANGE BETWEEN CURRENT ROW AND INTERVAL '1' DAY FOLLOWING)"), (None, true));
    assert_eq!(base("f(a) OVER w"), (Some("w".into()), false));
}

#[test]
fn types_are_trees() {
    let type_of = |text: &str| match kind(&format!("CAST(x AS {text})")) {
        ExprKind::Cast { type_name, .. } => type_name.kind,
        other => panic!("{other:?}"),
    };
    let row = |text: &str| match type_of(text) {
        TypeKind::Row(fields) => fields.into_iter().map(|field| field.name.map(|name| name.text.to_string())).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let names = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(row("ROW(a int, b decimal(10,2))"), names(&["a", "b"]));
    assert_eq!(row("row(bigint, varchar(3))"), [None, None]);
    assert_eq!(row("row(double precision)"), [None], "a type, not a field called double");
    assert_eq!(row("row(timestamp timestamp(3) with time zone, x array(row(y date)))"), names(&["timestamp", "x"]));
    assert_eq!(row("row(x interval day to second)"), names(&["x"]));
    assert!(matches!(type_of("timestamp(3) with time zone"), TypeKind::DateTime { timestamp: true, zoned: true, .. }));
    assert!(matches!(type_of("time without time zone"), TypeKind::DateTime { timestamp: false, zoned: false, .. }));
    assert!(matches!(type_of("array<map<varchar, row(a bigint)>>"), TypeKind::Array(_)));
    assert!(matches!(type_of("bigint array"), TypeKind::Array(_)));
    assert!(matches!(type_of("map(varchar, array(bigint))"), TypeKind::Generic { .. }));
}

#[test]
fn tables_within_table_functions_are_relations() {
    let sql =
        "SELECT * FROM TABLE(f(input => TABLE(db.people) PARTITION BY a KEEP WHEN EMPTY ORDER BY b, 1, DESCRIPTOR(c bigint)))";
    let RelationKind::TableFunction(function) = select(sql).from.remove(0).kind else { panic!("no table function") };
    assert!(matches!(function.arguments[0].value, TableArgumentValue::Table(_)));
    assert!(matches!(function.arguments[1].value, TableArgumentValue::Expr(_)));
    assert!(matches!(function.arguments[2].value, TableArgumentValue::Descriptor(Some(_))));
}

#[test]
fn every_name_is_reached_by_the_walk() {
    for sql in [
        "WITH a (b) AS (SELECT c AS d, e.*, (f).* AS (g, h) FROM i.j k (l, m)) TABLE n",
        "SELECT o(p, q.r[s].t, u -> v, (w, x) -> y), z ORDER BY a, b",
        "SELECT a FROM b JOIN c USING (d) JOIN e ON f CROSS JOIN UNNEST(g, h) AS i (j) TABLESAMPLE SYSTEM (k)",
        "SELECT sum(a ORDER BY b) FILTER (WHERE c) OVER (d PARTITION BY e ORDER BY f ROWS g PRECEDING), h OVER i FROM j WINDOW k AS (l)",
        "SELECT CAST(a AS row(b c, d array(e))), x '1', current_date, extract(f FROM g), trim(h FROM i), position(j IN k)",
        "SELECT substring(a FROM b FOR c), normalize(d, NFC), grouping(e.f, g), listagg(h, ',') WITHIN GROUP (ORDER BY i) FILTER (WHERE j)",
        "SELECT CASE a WHEN b THEN c ELSE d END, e BETWEEN f AND g, h IN (i, j), k LIKE l ESCAPE m, n IS DISTINCT FROM o, NOT p, -q",
        "SELECT a = ALL (SELECT b), EXISTS (SELECT c), (SELECT d), ARRAY[e], ROW(f), g AT TIME ZONE 'UTC', h || i + j",
        "SELECT json_object(KEY a VALUE b, c : d RETURNING e), json_array(f), json_exists(g, '$' PASSING h AS i)",
        "SELECT json_value(a, '$' RETURNING b DEFAULT c ON EMPTY DEFAULT d ON ERROR), json_query(e, '$' RETURNING f)",
        "SELECT * FROM JSON_TABLE(a, '$' AS b COLUMNS (c FOR ORDINALITY, d e PATH '$', f g FORMAT JSON, NESTED '$' AS h COLUMNS (i j)) PLAN (b OUTER h))",
        "SELECT * FROM TABLE(a.b(c => TABLE(d) e (f) PARTITION BY g ORDER BY h, i => DESCRIPTOR(j k), l COPARTITION (m, n)))",
        "SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY b ORDER BY c MEASURES d AS e AFTER MATCH SKIP TO FIRST f PATTERN ((g h | i)+ {- j -} PERMUTE(k, l)) SUBSET m = (n, o) DEFINE p AS q) r (s)",
        "SELECT * FROM a FOR TIMESTAMP AS OF b, LATERAL (SELECT c), NEAREST (FROM d WHERE e MATCH f)",
        "SELECT a GROUP BY b, (c, d), ROLLUP (e, (f, g)), CUBE (h), GROUPING SETS ((i), ()) HAVING j",
        "WITH SESSION a.b = c WITH FUNCTION d(e f) RETURNS g LANGUAGE h BEGIN DECLARE i, j k DEFAULT l; SET m = n; IF o THEN LEAVE p; ELSE ITERATE q; END IF; r: WHILE s DO RETURN t; END WHILE; END SELECT u",
        "SELECT a::b(c), d[1].e(f), g(h => i), ROW(j AS k), overlay(l PLACING m FROM n FOR o), p MATCH (SELECT q), UNIQUE (SELECT r)",
        "SELECT a UNION CORRESPONDING BY (b) SELECT c",
        "EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) SELECT a FROM b",
        "SHOW COLUMNS FROM a.b.c",
        "DESCRIBE a.b",
    ] {
        assert_eq!(missed(sql), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn what_athena_lacks_is_read_and_noted() {
    let newer = |sql: &str| parse(sql).unwrap().newer.iter().map(|newer| newer.what).collect::<Vec<_>>();
    assert_eq!(newer("SELECT * FROM JSON_TABLE(a, '$' COLUMNS (b bigint))"), ["JSON_TABLE"]);
    assert_eq!(newer("WITH SESSION a = 1 SELECT 1"), ["inline session"]);
    assert_eq!(newer("WITH FUNCTION f() RETURNS bigint RETURN 1 SELECT f()"), ["inline function"]);
    assert_eq!(newer("SELECT 1 UNION ALL CORRESPONDING SELECT 1"), ["CORRESPONDING"]);
    assert_eq!(newer("SELECT a FROM t GROUP BY AUTO"), ["GROUP BY AUTO"]);
    assert_eq!(newer("SELECT a IS TRUE"), ["IS TRUE"]);
    assert_eq!(newer("SELECT [1]"), ["array without ARRAY"]);
    assert_eq!(newer("SELECT varchar::chr(65)"), ["static method call"]);
    assert_eq!(newer("SELECT CASE a WHEN > 5 THEN 1 END"), ["CASE WHEN predicate"]);
    assert_eq!(newer("SELECT INTERVAL '90' DAY (3)"), ["interval precision"]);
    assert_eq!(newer("SELECT a AT TIME ZONE 'UTC', listagg(b) WITHIN GROUP (ORDER BY c)"), Vec::<&str>::new());
    // A reading that was given up leaves nothing behind.
    assert_eq!(newer("SELECT CAST(a AS row(interval day(3)))"), ["interval precision"]);
}

#[test]
fn statements_have_kinds() {
    use crate::core::sql::kind::StatementKind as Kind;
    for (sql, kind) in [
        ("SELECT 1", Kind::Select),
        ("(SELECT 1)", Kind::Select),
        ("values 1", Kind::Select),
        ("TABLE t", Kind::Select),
        ("WITH session AS (SELECT 1) SELECT 1", Kind::Select),
        ("WITH function (a) AS (SELECT 1) SELECT 1", Kind::Select),
        ("SELECT 1;", Kind::Select),
        ("SELECT 1 ; -- done", Kind::Select),
        ("SELECT 1; SELECT 2", Kind::Several),
        ("SELECT 1;;", Kind::Several),
        ("DROP TABLE t", Kind::Ddl),
        ("INSERT INTO t SELECT 1; SELECT 1", Kind::Several),
        ("CREATE FUNCTION f() RETURNS bigint BEGIN RETURN 1; END", Kind::Ddl),
        ("SHOW TABLES IN a LIKE '%' ESCAPE '$'", Kind::Show),
        ("SHOW PARTITIONS a.b", Kind::Show),
        ("SHOW STATS FOR (SELECT 1)", Kind::ShowStats),
        ("SHOW STATS FOR t", Kind::ShowStats),
        ("DESC a.b", Kind::Describe),
        ("DESCRIBE output", Kind::Describe),
        ("DESCRIBE OUTPUT q", Kind::DescribePrepared),
        ("EXPLAIN SELECT 1", Kind::Explain),
        ("EXPLAIN (SELECT 1)", Kind::Explain),
        ("EXPLAIN (TYPE IO) INSERT INTO t SELECT 1", Kind::Explain),
        ("EXPLAIN ANALYZE VERBOSE SELECT 1", Kind::ExplainAnalyze),
        ("create or replace table t with (x = 1) as select 1", Kind::Ctas),
        ("CREATE TABLE t AS (SELECT 1) WITH NO DATA", Kind::Ctas),
        ("CREATE TABLE t (a bigint)", Kind::Ddl),
        ("CREATE EXTERNAL TABLE `t` (`a` string)", Kind::Ddl),
        ("CREATE VIEW v AS SELECT 1", Kind::Ddl),
        ("UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'PARQUET')", Kind::Unload),
        ("PREPARE p FROM SELECT 1", Kind::Prepare),
        ("EXECUTE IMMEDIATE 'SELECT 1'", Kind::Execute),
        ("MSCK REPAIR TABLE t", Kind::Msck),
        ("USING EXTERNAL FUNCTION f(a varchar) RETURNS varchar LAMBDA 'x' SELECT f('a')", Kind::ExternalFunction),
        ("VACUUM t", Kind::Maintain),
        ("USE a.b", Kind::Session),
        ("MERGE INTO t USING s ON a WHEN MATCHED THEN DELETE", Kind::Merge),
        ("CALL system.f()", Kind::Call),
        ("COMMIT", Kind::Transaction),
        ("REFRESH MATERIALIZED VIEW v", Kind::Refresh),
    ] {
        assert_eq!(statement(sql).kind(), kind, "{sql}");
    }
}
