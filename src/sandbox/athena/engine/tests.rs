//! Statements over the tiny data set: what they give, read, and how they fail.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use futures_util::StreamExt;
use tokio::sync::watch;

use super::*;
use crate::sandbox::api::{Authorizer, Principal, Progress};
use crate::sandbox::athena::meter::Stopped;
use crate::sandbox::athena::pace::Pace;
use crate::sandbox::athena::statement::Kind;
use crate::sandbox::athena::text::{self, Style, type_name};
use crate::sandbox::clock::Clock;
use crate::sandbox::dataset::{self, Scale, ids};

mod estimates;

/// One data set for all tests of this process.
static LAKE: LazyLock<Arc<Lake>> = LazyLock::new(|| {
    let root: PathBuf = tempfile::tempdir().unwrap().keep();
    let (sender, _receiver) = watch::channel(Progress::default());
    Arc::new(dataset::generate(&root, &Scale::TINY, "2026-11-20T08:00:00Z".parse().unwrap(), &sender).unwrap())
});

pub(super) struct Answer {
    pub(super) columns: Vec<(String, String)>,
    pub(super) rows: Vec<Vec<Option<String>>>,
    pub(super) scanned: u64,
    pub(super) expected: u64,
}

fn unrestricted() -> Authorizer {
    let principal =
        Principal { arn: "arn:aws:iam::123456789012:root".to_owned(), account: "123456789012".to_owned(), session: None };
    Authorizer::new(principal, None, Clock::system())
}

fn run_limited(sql: &str, limit: Option<u64>) -> Result<Answer, (Failure, Option<Stopped>)> {
    run_in("web", sql, limit)
}

fn run_in(database: &str, sql: &str, limit: Option<u64>) -> Result<Answer, (Failure, Option<Stopped>)> {
    let (database, sql) = (database.to_owned(), sql.to_owned());
    // As the service does: the planner needs a large stack in a debug build.
    std::thread::Builder::new()
        .stack_size(32 << 20)
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let statement = Statement::read(&sql).unwrap();
                let Kind::Query(query) = &statement.kind else { panic!("{sql}") };
                let engine = Engine::new().unwrap();
                let meter = Arc::new(Meter::new(unrestricted(), limit, Pace::Off));
                let planned = engine.plan(&statement, query, &database, &LAKE, &meter).await.map_err(|f| (f, None))?;
                let mut stream = planned.start().unwrap();
                let mut rows = Vec::new();
                while let Some(batch) = stream.next().await {
                    let batch = batch.map_err(|e| (Planned::failure(&e), meter.stopped()))?;
                    for row in 0..batch.num_rows() {
                        rows.push(batch.columns().iter().map(|c| text::value(c, row, Style::Result)).collect());
                    }
                }
                Ok(Answer {
                    columns: planned.columns.iter().map(|(name, ty)| (name.clone(), type_name(ty))).collect(),
                    rows,
                    scanned: meter.scanned(),
                    expected: planned.expected_bytes,
                })
            })
        })
        .unwrap()
        .join()
        .unwrap()
}

pub(super) fn run(sql: &str) -> Answer {
    run_limited(sql, None).unwrap_or_else(|(failure, _)| panic!("{sql}: {failure}"))
}

fn fails(sql: &str) -> String {
    match run_limited(sql, None) {
        Ok(_) => panic!("{sql} works"),
        Err((failure, _)) => failure.reason(),
    }
}

/// The single row, joined by `|`, with NULL as ∅.
fn row(sql: &str) -> String {
    let answer = run(sql);
    assert_eq!(answer.rows.len(), 1, "{sql}");
    answer.rows[0].iter().map(|v| v.clone().unwrap_or_else(|| "∅".to_owned())).collect::<Vec<_>>().join("|")
}

#[test]
fn counts_come_from_the_files() {
    assert_eq!(row("SELECT count(*) FROM alb_logs"), "3300");
    assert_eq!(row("SELECT count(*) FROM web.alb_logs WHERE day = '2026/11/20'"), "1500");
    assert_eq!(row(r#"SELECT COUNT(*) FROM "AwsDataCatalog"."Web"."ALB_LOGS" WHERE DAY < '2026/11/19'"#), "300");
    assert_eq!(row("SELECT count(*), count(DISTINCT day) FROM alb_logs"), "3300|3");
    assert_eq!(row("SELECT count(*) FROM shop.customers"), ids::CUSTOMERS.to_string());
    assert_eq!(row("SELECT count(*) FROM security.cloudtrail_logs WHERE day LIKE '2026/11/%'"), "660");
}

#[test]
fn a_partition_and_a_column_is_all_that_is_read() {
    let alb = LAKE.table("web", "alb_logs").unwrap();
    let today = alb.partitions.last().unwrap();
    let bytes = |name: &str| today.column_bytes.iter().find(|c| c.0 == name).unwrap().1;
    let answer = run("SELECT merchant FROM alb_logs WHERE day = '2026/11/20'");
    assert_eq!(answer.scanned, bytes("merchant"));
    assert_eq!(answer.expected, answer.scanned);
    let answer =
        run("SELECT merchant, count_if(elb_status_code = 502) FROM alb_logs WHERE day >= '2026/11/20' GROUP BY merchant");
    assert_eq!(answer.scanned, bytes("merchant") + bytes("elb_status_code"));
    assert_eq!(run("SELECT count(*) FROM alb_logs").scanned, 0);
    assert_eq!(run("SELECT day, count(*) FROM alb_logs GROUP BY day").scanned, 0);
    assert_eq!(run("SELECT merchant FROM alb_logs WHERE day = '2026/11/20' AND day = '2026/11/19'").scanned, 0);
    // A function of the partition key prunes too.
    let answer = run("SELECT merchant FROM alb_logs WHERE date_parse(day, '%Y/%m/%d') = DATE '2026-11-20'");
    assert_eq!(answer.scanned, bytes("merchant"));
    // Row groups are pruned by their statistics: rows are in order of time.
    let answer = run("SELECT merchant FROM alb_logs WHERE day = '2026/11/20' AND time < '2026-11-20T02:00:00'");
    assert!(answer.scanned < answer.expected, "{} of {}", answer.scanned, answer.expected);
}

#[test]
fn the_limit_stops_at_the_limit() {
    let (_, stopped) = run_limited("SELECT * FROM alb_logs", Some(50_000)).err().unwrap();
    assert_eq!(stopped, Some(Stopped::Limit));
}

#[test]
fn the_incident_shows() {
    let sql = "SELECT order_id, merchant, count(*) AS hits FROM alb_logs WHERE day = '2026/11/20' AND elb_status_code = 502 \
               AND order_id IS NOT NULL GROUP BY order_id, merchant ORDER BY hits DESC LIMIT 50\n-- tollgate 01J/2/1";
    let answer = run(sql);
    let today = dataset::Day::from_partition("2026/11/20").unwrap();
    assert_eq!(answer.rows[0][0].as_deref(), Some(ids::order(today, 0).id.as_str()));
    assert_eq!(answer.rows[0][1].as_deref(), Some(ids::INCIDENT_MERCHANT));
    let by_merchant =
        run("SELECT merchant, count_if(elb_status_code = 502) AS bad, count(*) FROM alb_logs WHERE day = '2026/11/20' \
                           GROUP BY merchant ORDER BY bad DESC LIMIT 2");
    assert_eq!(by_merchant.rows[0][0].as_deref(), Some(ids::INCIDENT_MERCHANT));
    let quiet = row("SELECT count_if(elb_status_code = 502) FROM alb_logs WHERE day = '2026/11/18'");
    assert!(quiet.parse::<u32>().unwrap() < 5);
    // Every order that fails repeatedly has an item in DynamoDB.
    let keyed: std::collections::HashSet<String> = ids::keyed_orders(today).map(|o| o.id).collect();
    for row in answer.rows.iter().filter(|row| row[2].as_deref() != Some("1")) {
        assert!(keyed.contains(row[0].as_deref().unwrap()), "{row:?}");
    }
    // And orders join with customers.
    let joined = run("SELECT c.tier, count(*) FROM shop.orders o JOIN shop.customers c ON o.customer_id = c.customer_id \
                      WHERE o.day = '2026/11/20' GROUP BY 1 ORDER BY 1");
    assert_eq!(joined.rows.iter().map(|r| r[1].as_deref().unwrap().parse::<u32>().unwrap()).sum::<u32>(), 120);
}

#[test]
fn names_of_outputs_are_athenas() {
    let names = |sql: &str| run(sql).columns.into_iter().map(|c| c.0).collect::<Vec<_>>();
    assert_eq!(
        names("SELECT count(*), 1 AS Total, merchant, max(merchant) FROM alb_logs GROUP BY merchant LIMIT 1"),
        ["_col0", "Total", "merchant", "_col3"]
    );
    assert_eq!(
        names(r#"SELECT day AS "The Day", day, day, 1, 1 FROM alb_logs LIMIT 1"#),
        ["The Day", "day", "day", "_col3", "_col4"]
    );
    assert_eq!(names("SELECT count(*) AS hits FROM alb_logs UNION ALL SELECT 1 ORDER BY hits"), ["hits"]);
    assert_eq!(names("SELECT * FROM shop.orders LIMIT 1").last().unwrap(), "day");
    assert_eq!(names("SELECT o.* FROM shop.orders o LIMIT 1").len(), 11);
    assert_eq!(names("WITH t AS (SELECT 1 AS a) SELECT a + 1 FROM t"), ["_col0"]);
}

#[test]
fn types_are_trinos() {
    let types = |sql: &str| run(sql).columns.into_iter().map(|c| c.1).collect::<Vec<_>>();
    assert_eq!(
        types(
            "SELECT order_id, amount, created_at, items, day, sum(amount) OVER (), avg(items) OVER () FROM shop.orders LIMIT 1"
        ),
        ["varchar", "decimal(12,2)", "timestamp(3)", "integer", "varchar", "decimal(22,2)", "double"]
    );
    assert_eq!(
        types("SELECT count(*), avg(amount), amount / 2, 1.5, DATE '2026-11-20', now() FROM shop.orders GROUP BY amount LIMIT 1")
            [..5],
        ["bigint", "decimal(12,2)", "decimal(12,2)", "double", "date"]
    );
    assert_eq!(types("SELECT useridentity FROM security.cloudtrail_logs LIMIT 1")[0][..17], *"row(type varchar,");
}

#[test]
fn functions_mean_what_they_mean_in_athena() {
    for (expression, want) in [
        // Time.
        ("date_diff('minute', TIMESTAMP '2026-11-20 10:00:00', TIMESTAMP '2026-11-20 11:30:59')", "90"),
        ("date_add('day', -3, DATE '2026-11-02')", "2026-10-30"),
        ("date_add('hour', 5, TIMESTAMP '2026-11-20 22:00:00')", "2026-11-21 03:00:00.000"),
        ("date_trunc('hour', TIMESTAMP '2026-11-20 13:52:07')", "2026-11-20 13:00:00.000"),
        ("date_trunc('month', DATE '2026-11-20')", "2026-11-01"),
        ("from_iso8601_timestamp('2026-11-20T13:52:07.123Z')", "2026-11-20 13:52:07.123 UTC"),
        ("hour(from_iso8601_timestamp('2026-11-20T13:52:07Z'))", "13"),
        ("date_format(TIMESTAMP '2026-11-20 13:52:07', '%Y/%m/%d %H:%i')", "2026/11/20 13:52"),
        ("date_parse('2026/11/20', '%Y/%m/%d')", "2026-11-20 00:00:00.000"),
        ("day_of_week(DATE '2026-11-20')", "5"),
        ("EXTRACT(YEAR FROM DATE '2026-11-20')", "2026"),
        ("to_unixtime(TIMESTAMP '1970-01-01 00:01:00')", "60.0"),
        ("from_unixtime(60)", "1970-01-01 00:01:00.000 UTC"),
        ("date('2026-11-20')", "2026-11-20"),
        ("DATE '2026-11-20' + INTERVAL '1' DAY", "2026-11-21"),
        ("CAST(DATE '2026-11-20' AS timestamp)", "2026-11-20 00:00:00.000"),
        ("CAST(TIMESTAMP '2026-11-20 10:00:00' AS varchar)", "2026-11-20 10:00:00.000"),
        ("to_iso8601(DATE '2026-11-20')", "2026-11-20"),
        // Text.
        ("regexp_like('GET /v2/merchants/acme', '/merchants/[a-z]+')", "true"),
        ("regexp_extract('ord=ord_1 x', 'ord_([0-9]+)')", "ord_1"),
        ("regexp_extract('ord=ord_1 x', 'ord_([0-9]+)', 1)", "1"),
        ("regexp_extract('nothing', 'ord_')", "∅"),
        ("regexp_replace('a1b2', '([a-z])([0-9])', '$2$1')", "1a2b"),
        ("substr('abcdef', -2)", "ef"),
        ("substring('abcdef', 2, 3)", "bcd"),
        ("substring('abcdef' FROM 2 FOR 2)", "bc"),
        ("split_part('a/b/c', '/', 4)", "∅"),
        ("concat('a', NULL, 'b')", "∅"),
        ("'a' || 'b'", "ab"),
        ("length('Köln')", "4"),
        ("strpos('abcabc', 'c')", "3"),
        ("lpad('7', 3, '0')", "007"),
        ("upper(trim('  x '))", "X"),
        ("replace('a-b', '-')", "ab"),
        ("json_extract_scalar('{\"a\":{\"b\":[1,\"x\"]}}', '$.a.b[1]')", "x"),
        ("url_extract_path('https://api.shop.example:443/v2/x?page=1')", "/v2/x"),
        ("url_extract_parameter('https://h/x?page=1&q=a%20b', 'q')", "a b"),
        // Numbers.
        ("7 / 2", "3"),
        ("7 % 4", "3"),
        ("mod(7, 4)", "3"),
        ("round(2.345, 2)", "2.35"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("CAST(2.5 AS integer)", "3"),
        ("CAST('12' AS bigint) + 1", "13"),
        ("TRY_CAST('x' AS integer)", "∅"),
        ("CAST(12.5 AS varchar)", "1.25E1"),
        ("CAST(true AS varchar)", "true"),
        ("CAST(123 AS varchar(2))", "12"),
        ("greatest(1, 3, 2)", "3"),
        ("greatest(1, NULL)", "∅"),
        ("abs(-3)", "3"),
        ("power(2, 10)", "1024.0"),
        // Conditions.
        ("if(1 > 2, 'a', 'b')", "b"),
        ("if(1 > 2, 'a')", "∅"),
        ("coalesce(NULL, 'x')", "x"),
        ("nullif(1, 1)", "∅"),
        ("CASE WHEN 1 = 1 THEN 'y' ELSE 'n' END", "y"),
        // Arrays.
        ("cardinality(ARRAY[1, 2, 3])", "3"),
        ("contains(ARRAY['a', 'b'], 'b')", "true"),
        ("ARRAY[1, 2]", "[1, 2]"),
        ("array_join(ARRAY['a', 'b'], ',')", "a,b"),
    ] {
        assert_eq!(row(&format!("SELECT {expression}")), want, "{expression}");
    }
}

#[test]
fn aggregates_mean_what_they_mean_in_athena() {
    let values = "(VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, NULL)) AS t (n, s)";
    for (expression, want) in [
        ("count_if(n > 2)", "2"),
        ("count(*) FILTER (WHERE s = 'a')", "2"),
        ("sum(n)", "10"),
        ("avg(n)", "2.5"),
        ("max_by(s, n)", "∅"),
        ("min_by(s, n)", "a"),
        ("bool_or(n > 3)", "true"),
        ("approx_distinct(s)", "2"),
        ("count(DISTINCT s)", "2"),
        ("sum(if(s = 'a', 1, 0))", "2"),
    ] {
        assert_eq!(row(&format!("SELECT {expression} FROM {values}")), want, "{expression}");
    }
    let percentiles = row(
        "SELECT approx_percentile(target_processing_time, 0.5), approx_percentile(target_processing_time, 0.99), \
                           cardinality(approx_percentile(target_processing_time, ARRAY[0.5, 0.95])) FROM alb_logs WHERE target_processing_time >= 0",
    );
    let parts: Vec<&str> = percentiles.split('|').collect();
    assert!(parts[0].parse::<f64>().unwrap() < parts[1].parse::<f64>().unwrap());
    assert_eq!(parts[2], "2");
}

#[test]
fn nulls_come_last() {
    let order = |by: &str| {
        run(&format!("SELECT n FROM (VALUES (1), (NULL), (2)) AS t (n) ORDER BY n {by}"))
            .rows
            .into_iter()
            .map(|r| r[0].clone().unwrap_or_else(|| "∅".to_owned()))
            .collect::<String>()
    };
    assert_eq!(order(""), "12∅");
    assert_eq!(order("DESC"), "21∅");
    assert_eq!(order("NULLS FIRST"), "∅12");
}

#[test]
fn the_information_schema_has_trinos_names() {
    assert_eq!(
        row("SELECT data_type, ordinal_position, extra_info FROM information_schema.columns WHERE table_schema = 'web' AND \
             table_name = 'alb_logs' AND column_name = 'day'"),
        "varchar|37|partition key"
    );
    assert_eq!(row("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'shop'"), "2");
    assert_eq!(row("SELECT count(*) FROM information_schema.schemata"), "5");
}

#[test]
fn mistakes_are_told_as_athena_tells_them() {
    let mut wrong = Vec::new();
    for (sql, want) in [
        (
            "SELECT x FROM alb_logs",
            "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved or requester is not authorized to access requested resources",
        ),
        ("SELECT merchant\nFROM alb_logs l\nWHERE l.nope = 1", "COLUMN_NOT_FOUND: line 3:7: Column 'l.nope' cannot be resolved"),
        (
            "SELECT merchant, count(*) FROM alb_logs",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'merchant' must be an aggregate expression or appear in GROUP BY clause",
        ),
        ("SELECT nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
        ("SELECT arrow_cast(1, 'Int8')", "FUNCTION_NOT_FOUND: line 1:8: Function 'arrow_cast' not registered"),
        (
            "SELECT map_agg(day, day) FROM alb_logs",
            "NOT_SUPPORTED: line 1:8: the sandbox's engine does not have the function map_agg; Athena does",
        ),
        (
            "SELECT listagg(day, ',') WITHIN GROUP (ORDER BY day) FROM alb_logs",
            "NOT_SUPPORTED: line 1:8: the sandbox's engine does not have the function listagg",
        ),
        (
            "SELECT 1 FROM alb_logs WHERE elb_status_code = '502'",
            "TYPE_MISMATCH: line 1:30: Cannot apply operator: integer = varchar",
        ),
        (
            "SELECT 1 FROM alb_logs WHERE day = DATE '2026-11-20'",
            "TYPE_MISMATCH: line 1:30: Cannot apply operator: varchar = date",
        ),
        ("SELECT 1 FROM alb_logs WHERE elb_status_code IN ('a')", "TYPE_MISMATCH"),
        ("SELECT merchant + 1 FROM alb_logs", "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar + bigint"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT CAST(merchant AS integer) FROM alb_logs WHERE merchant IS NOT NULL", "INVALID_CAST_ARGUMENT"),
        ("SELECT CAST(1 AS text)", "TYPE_NOT_FOUND: line 1:13: Unknown type: text"),
        ("SELECT CAST('{}' AS json)", "NOT_SUPPORTED: line 1:13: the sandbox's engine does not have the type json"),
        ("SELECT 1::varchar", "SYNTAX_ERROR: line 1:8: Athena has no '::'"),
        ("SELECT * FROM alb_logs CROSS JOIN UNNEST(ARRAY[1]) AS t (x)", "NOT_SUPPORTED"),
        ("SELECT transform(ARRAY[1], x -> x + 1)", ""),
        (
            "SELECT day FROM alb_logs a JOIN shop.orders b ON a.order_id = b.order_id",
            "AMBIGUOUS_NAME: line 1:8: Column 'day' is ambiguous",
        ),
        ("SELECT date_diff('fortnight', now(), now())", "INVALID_FUNCTION_ARGUMENT: 'fortnight' is not a valid Timestamp field"),
        ("SELECT date_add(1, 2, 3)", "FUNCTION_NOT_FOUND: Unexpected parameters"),
        ("SELECT upper(count(*)) OVER () FROM alb_logs", "FUNCTION_NOT_AGGREGATE"),
        ("SELECT 1 UNION SELECT 1, 2", "TYPE_MISMATCH"),
    ] {
        if let Err(refusal) = Statement::read(sql) {
            assert!(want.is_empty(), "{sql}: {refusal}");
            continue;
        }
        let told = fails(sql);
        if !told.starts_with(want) {
            wrong.push(format!("{sql}\n told {told}\n want {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn named_tables_are_known_before_planning() {
    let engine = Engine::new().unwrap();
    let statement = Statement::read(
        "WITH t AS (SELECT * FROM Orders) SELECT * FROM t, web.alb_logs WHERE 1 IN (SELECT 1 FROM awsdatacatalog.shop.customers)",
    )
    .unwrap();
    let Kind::Query(query) = &statement.kind else { panic!() };
    let mut named: Vec<String> = engine
        .tables(query, "awsdatacatalog", "shop")
        .unwrap()
        .into_iter()
        .map(|n| format!("{}.{}.{}@{}", n.catalog, n.database, n.table, n.at.column))
        .collect();
    named.sort();
    assert_eq!(named, ["awsdatacatalog.shop.customers@90", "awsdatacatalog.shop.orders@26", "awsdatacatalog.web.alb_logs@51"]);
}
