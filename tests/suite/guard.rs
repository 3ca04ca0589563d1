//! `tollgate guard` as a program sees it: exit codes, batches, SARIF, hostile input; and what holds for every statement.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser as _;
use serde_json::{Value, json};
use tollgate::cli::guard::{Around, GuardArgs, GuardError, run};
use tollgate::core::units::Timestamp;

/// Noon of the day after the newest partition.
const NOW: Timestamp = Timestamp(1_795_176_000_000);

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: GuardArgs,
}

/// A folder with a book and a catalog.
fn world() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("tollgate.yaml"),
        "tollgate: v1\nname: shop\ntimezone: UTC\ncatalog: [catalog.yaml]\nguardrails:\n  blocked_tags: [pii]\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("catalog.yaml"),
        "catalog: v1\nname: lake\ntaken_at: 2026-11-20T08:00:00Z\ntables:\n  shop.customers:\n    format: parquet\n    columns:\n      - { name: id, type: bigint }\n      - { name: email, type: varchar, tags: [pii] }\n      - { name: city, type: varchar }\n      - { name: profile, type: \"row(phone varchar, age integer)\" }\n      - { name: tags, type: \"array(varchar)\" }\n  shop.orders:\n    format: parquet\n    columns:\n      - { name: id, type: bigint }\n      - { name: customer_id, type: bigint }\n      - { name: total, type: double }\n    partition_keys: [{ name: day, type: varchar }]\n    partitions:\n      - { values: ['2026/11/19'], files: 1, bytes: 1000, rows: 10 }\n",
    )
    .unwrap();
    folder
}

struct Outcome {
    code: Result<u8, String>,
    stdout: String,
}

impl Outcome {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn guard_in(folder: &Path, words: &[&str], stdin: &[u8]) -> Outcome {
    let args = ["guard", "--database", "shop"].into_iter().chain(words.iter().copied());
    let cli = Cli::parse_from(args);
    let facts = |dir: &Path, _: &tollgate::core::book::Book| -> Vec<PathBuf> { vec![dir.join("catalog.yaml")] };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut input = stdin;
    let around = Around { facts: &facts, remote: &|_| None, endpoint: None };
    let code = run(&cli.args, Some(folder), &around, NOW, &mut input, &mut stdout, &mut stderr);
    let code = code.map_err(|error: GuardError| error.to_string());
    Outcome { code, stdout: String::from_utf8(stdout).unwrap() }
}

fn guard(words: &[&str], stdin: &[u8]) -> Outcome {
    let folder = world();
    guard_in(folder.path(), words, stdin)
}

fn judged(sql: &str) -> Value {
    guard(&["--sql", "-", "--format", "json"], sql.as_bytes()).json()
}

#[test]
fn the_exit_code_says_the_verdict() {
    for (sql, code, verdict) in [
        ("SELECT id FROM customers", 0, "allow"),
        ("SELECT * FROM orders", 0, "warn"),
        ("SELECT email FROM customers", 4, "block"),
        ("SELECT nothing FROM customers", 4, "block"),
        ("DROP TABLE customers", 4, "block"),
    ] {
        let outcome = guard(&["--sql", "-", "--format", "json"], sql.as_bytes());
        assert_eq!(outcome.code, Ok(code), "{sql}");
        assert_eq!(outcome.json()["verdict"], verdict, "{sql}");
    }
    assert!(guard(&["--sql", "/nowhere/at/all.sql"], b"").code.is_err());
    assert!(guard(&["--sql", "-", "--param", "day"], b"SELECT 1").code.is_err());
}

#[test]
fn a_judgement_says_what_the_contract_names() {
    let judgement = judged(
        "SELECT c.email AS contact, o.total\nFROM customers c\nJOIN orders o ON o.customer_id = c.id\nWHERE o.day = '2026/11/19'",
    );
    let finding = &judgement["findings"][0];
    assert_eq!(finding["rule"], "blocked-column");
    assert_eq!(finding["subject"], "shop.customers.email");
    assert_eq!(finding["why"], "flows");
    assert_eq!(finding["span"], json!({"start": {"line": 1, "column": 8}, "end": {"line": 1, "column": 15}}));
    assert!(finding["set_in"].as_str().unwrap().ends_with("catalog.yaml:9"), "{finding}");
    assert_eq!(
        finding["fix"]["sql"],
        "SELECT o.total\nFROM customers c\nJOIN orders o ON o.customer_id = c.id\nWHERE o.day = '2026/11/19'"
    );
    assert_eq!(judgement["reads"][0], json!({"table": "shop.customers", "columns": ["email", "id"]}));
    assert_eq!(judgement["reads"][1]["columns"], json!(["customer_id", "day", "total"]));
    assert_eq!(judgement["reads"][1]["partitions"]["matched"], 1);
    assert_eq!(judgement["output"][0], json!({"name": "contact", "type": "varchar", "sources": ["shop.customers.email"]}));
    assert_eq!(judgement["filters_on"], json!(["shop.customers.id", "shop.orders.customer_id", "shop.orders.day"]));
}

#[test]
fn a_batch_goes_on_after_a_bad_line() {
    let batch = concat!(
        "{\"id\": 1, \"sql\": \"SELECT id FROM customers\"}\n",
        "{\"id\": \"two\", \"sql\": \"SELECT email FROM customers\"}\n",
        "{\"id\": 3}\n",
        "not json\n",
        "{\"id\": 5, \"sql\": \"SELECT id FROM orders WHERE day = :day\", \"params\": {\"day\": {\"type\": \"date\", \"as\": \"%Y/%m/%d\", \"value\": \"2026-11-19\"}}}\n",
    );
    let outcome = guard(&["--sql", "-", "--format", "json"], batch.as_bytes());
    assert_eq!(outcome.code, Ok(2));
    let lines = outcome.lines();
    let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
    assert_eq!(ids, [&json!(1), &json!("two"), &json!(3), &Value::Null, &json!(5)]);
    let verdicts: Vec<&Value> = lines.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, [&json!("allow"), &json!("block"), &Value::Null, &Value::Null, &json!("allow")]);
    assert_eq!(lines[4]["canonical"], "SELECT id FROM orders WHERE day = '2026/11/19'");
}

#[test]
fn syntax_needs_no_catalog() {
    let outcome = guard(&["--sql", "-", "--syntax"], b"SELECT a.x, count(*) FROM b.c a");
    assert_eq!(outcome.code, Ok(0));
    let read = outcome.json();
    assert_eq!((&read["parsed"], &read["tables"], &read["functions"]), (&json!(true), &json!(["b.c"]), &json!(["count"])));
    let outcome = guard(&["--sql", "-", "--syntax"], b"SELECT\n FROM");
    assert_eq!(outcome.code, Ok(1));
    assert_eq!(outcome.json()["error"]["line"], 2);
}

/// What the schema of SARIF 2.1.0 requires of the parts that we write.
fn assert_sarif(log: &Value) {
    let object = |value: &Value, keys: &[&str], known: &[&str]| {
        let map = value.as_object().unwrap_or_else(|| panic!("{value}"));
        for key in keys {
            assert!(map.contains_key(*key), "{key} is missing: {value}");
        }
        for key in map.keys() {
            assert!(keys.contains(&key.as_str()) || known.contains(&key.as_str()), "{key}: {value}");
        }
    };
    let level = |value: &Value| ["none", "note", "warning", "error"].contains(&value.as_str().unwrap());
    object(log, &["version", "runs"], &["$schema"]);
    assert_eq!(log["version"], "2.1.0");
    for run in log["runs"].as_array().unwrap() {
        object(run, &["tool", "results"], &["columnKind"]);
        assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
        object(&run["tool"], &["driver"], &[]);
        object(&run["tool"]["driver"], &["name"], &["version", "rules"]);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for rule in rules {
            object(rule, &["id"], &["defaultConfiguration"]);
            assert!(level(&rule["defaultConfiguration"]["level"]));
        }
        for result in run["results"].as_array().unwrap() {
            object(result, &["message"], &["ruleId", "ruleIndex", "level", "locations", "properties"]);
            object(&result["message"], &["text"], &[]);
            assert!(level(&result["level"]));
            if let Some(index) = result.get("ruleIndex") {
                assert_eq!(rules[usize::try_from(index.as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
            }
            for location in result["locations"].as_array().unwrap() {
                object(location, &["physicalLocation"], &[]);
                let place = &location["physicalLocation"];
                object(place, &["artifactLocation"], &["region"]);
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.is_empty() && uri.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)), "{uri}");
                if let Some(region) = place.get("region") {
                    object(region, &["startLine"], &["startColumn", "endLine", "endColumn"]);
                    assert!(
                        region.as_object().unwrap().values().all(|number| number.as_u64().is_some_and(|n| n >= 1)),
                        "{region}"
                    );
                }
            }
        }
    }
}

#[test]
fn sarif_is_as_its_schema_wants_it() {
    for sql in ["SELECT id FROM customers", "SELECT *, 'é' FROM customers\nWHERE email = 'x'", "SELECT\u{1b}", "DROP TABLE x", ""]
    {
        let outcome = guard(&["--sql", "-", "--format", "sarif"], sql.as_bytes());
        assert_sarif(&outcome.json());
    }
    let batch = "{\"id\": 1, \"sql\": \"SELECT email FROM customers\"}\n{\"id\": \"<\\u001b>\"}\n{}\n";
    let log = guard(&["--sql", "-", "--format", "sarif"], batch.as_bytes()).json();
    assert_sarif(&log);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 3);
}

#[test]
fn hostile_input_ends_soon_and_is_never_allowed() {
    let deep =
        |open: &str, middle: &str, close: &str, count: usize| format!("{}{middle}{}", open.repeat(count), close.repeat(count));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("10 MB of text", vec![b'x'; 10_000_000]),
        ("10 MB of parentheses", vec![b'('; 10_000_000]),
        ("a long list", format!("SELECT id FROM customers WHERE id IN (1{})", ", 1".repeat(3_000_000)).into_bytes()),
        ("deep parentheses", format!("SELECT {}", deep("(", "1", ")", 10_000)).into_bytes()),
        ("deep subqueries", format!("SELECT * FROM {}", deep("(SELECT * FROM ", "customers", ")", 10_000)).into_bytes()),
        ("deep NOT", format!("SELECT {} true", "NOT ".repeat(50_000)).into_bytes()),
        ("deep minus", format!("SELECT {}1", "- ".repeat(50_000)).into_bytes()),
        ("deep CASE", format!("SELECT {}", deep("CASE WHEN true THEN ", "1", " END", 10_000)).into_bytes()),
        ("deep arrays", format!("SELECT {}", deep("ARRAY[", "1", "]", 10_000)).into_bytes()),
        ("deep types", format!("SELECT CAST(1 AS {})", deep("array(", "bigint", ")", 10_000)).into_bytes()),
        ("deep lambdas", format!("SELECT transform(tags, {} 1) FROM customers", "x -> ".repeat(10_000)).into_bytes()),
        ("deep WITH", format!("{} SELECT 1 {}", "WITH a AS (".repeat(5_000), ") SELECT 1".repeat(5_000)).into_bytes()),
        ("NUL", b"SELECT id\0 FROM customers".to_vec()),
        ("an escape sequence", b"SELECT id FROM customers -- \x1b[2J".to_vec()),
        ("a lone CR", b"SELECT city -- note\r, email FROM customers".to_vec()),
        ("bidi", "SELECT id FROM customers -- \u{202e}".as_bytes().to_vec()),
        ("zero width", "SELECT id\u{200b} FROM customers".as_bytes().to_vec()),
        ("a BOM", "\u{feff}SELECT id FROM customers".as_bytes().to_vec()),
        ("bytes", (0u8..=255).collect()),
        ("an open string", b"SELECT 'id FROM customers".to_vec()),
        ("an open comment", b"SELECT id /* FROM customers".to_vec()),
        ("an open name", b"SELECT \"id FROM customers".to_vec()),
        ("nothing", Vec::new()),
        ("two statements", b"SELECT id FROM customers; SELECT email FROM customers".to_vec()),
    ];
    // As the program's own threads have it; a debug build needs more of it than a release.
    let work = std::thread::Builder::new().stack_size(8 * 1024 * 1024).spawn(move || {
        for (what, input) in cases {
            let begun = Instant::now();
            let outcome = guard(&["--sql", "-", "--format", "json"], &input);
            let took = begun.elapsed();
            match &outcome.code {
                // Not read at all: no text, or longer than a statement can be.
                Err(_) => assert_eq!(outcome.stdout, "", "{what}"),
                Ok(code) => {
                    assert_eq!(*code, 4, "{what}: {}", outcome.stdout);
                    assert_eq!(outcome.json()["verdict"], "block", "{what}");
                }
            }
            assert!(took < Duration::from_secs(20), "{what} took {took:?}");
        }
    });
    work.unwrap().join().unwrap();
}

/// Statements that are taken apart and put together anew.
const SEEDS: [&str; 8] = [
    "SELECT id, city FROM customers WHERE city = 'a' ORDER BY id LIMIT 3",
    "SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.day = '2026/11/19'",
    "WITH t(a, b) AS (SELECT id, email FROM customers) SELECT b FROM t UNION SELECT city FROM customers",
    "SELECT city, count(*) FILTER (WHERE email LIKE 'a%') OVER (PARTITION BY city) FROM customers GROUP BY city",
    "SELECT x FROM customers CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(x, n) WHERE n < 3",
    "SELECT transform(tags, t -> t || email), profile.age FROM customers",
    "SELECT * FROM (SELECT DISTINCT city, profile FROM customers) s CROSS JOIN LATERAL (VALUES s.city) v(w)",
    "SELECT CASE WHEN id IN (SELECT customer_id FROM orders) THEN 1 END FROM customers -- who",
];

fn pieces() -> Vec<String> {
    let mut all: Vec<String> = SEEDS.iter().flat_map(|seed| seed.split(' ').map(str::to_owned)).collect();
    all.sort();
    all.dedup();
    all
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever is made of pieces of statements: no panic; what would be sent is judged as what was written; a fix takes its finding away.
    #[test]
    fn what_is_sent_is_judged_like_what_is_written(
        seed in 0..SEEDS.len(),
        edits in proptest::collection::vec((0usize..40, 0usize..3, 0usize..200), 0..4),
    ) {
        let pieces = pieces();
        let mut words: Vec<String> = SEEDS[seed].split(' ').map(str::to_owned).collect();
        for (at, what, piece) in edits {
            let at = at % words.len();
            match what {
                0 => { words.remove(at); }
                1 => words[at] = pieces[piece % pieces.len()].clone(),
                _ => words.insert(at, pieces[piece % pieces.len()].clone()),
            }
            if words.is_empty() {
                words.push("SELECT".to_owned());
            }
        }
        let sql = words.join(" \n");
        let first = judged(&sql);
        if let Some(canonical) = first["canonical"].as_str() {
            let second = judged(canonical);
            for key in ["verdict", "analysed", "reads", "output", "filters_on", "canonical"] {
                proptest::prop_assert_eq!(&first[key], &second[key], "{}: {}", key, sql);
            }
        }
        for finding in first["findings"].as_array().unwrap() {
            if let Some(fix) = finding["fix"]["sql"].as_str() {
                let after = judged(fix);
                let left = after["findings"].as_array().unwrap().iter().any(|found| found["rule"] == finding["rule"]);
                proptest::prop_assert!(!left, "{} became {}", sql, fix);
            }
        }
    }
}
