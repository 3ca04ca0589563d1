//! Our estimates against what a real Trino server counted. The measured queries and their tables are not part of this repository:
//! `TOLLGATE_GROUND_TRUTH` names their folder (`catalog.yaml`, `queries.jsonl`, `tables/`); without it these tests say so and pass.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use tollgate::adapters::clock::SystemClock;
use tollgate::adapters::objects::LocalObjects;
use tollgate::core::book::{Classification, Guardrails};
use tollgate::core::catalog::{Catalog, read_catalog};
use tollgate::core::estimate::{Bounds, Evidence, ScanModel};
use tollgate::core::guard::{Ground, Params, World, judge_sql_on, needs};
use tollgate::engine::ports::{Clock as _, Depth, Objects as _, Place};

/// Errors are relative to the truth, or to this where that is smaller.
const FLOOR: u64 = 64 << 10;
/// Kinds whose predicates stand on columns of the files.
const FILTERED: [&str; 5] = ["filter", "rowgroup", "partition+filter", "join", "subquery"];

struct Measured {
    inside: usize,
    exact: usize,
    near: usize,
    count: usize,
    ratios: Vec<f64>,
}

struct Desk {
    catalog: Catalog,
    objects: LocalObjects<SystemClock>,
}

impl Desk {
    fn new(folder: &std::path::Path) -> Self {
        let bytes = std::fs::read(folder.join("catalog.yaml")).unwrap();
        let catalog = read_catalog("catalog.yaml", &bytes, &folder.to_string_lossy()).whole().unwrap();
        Self { catalog, objects: LocalObjects::new(SystemClock::default()) }
    }

    fn estimate(&mut self, sql: &str, model: ScanModel) -> (Option<Bounds>, Evidence, String) {
        let (guardrails, classification, params) = (Guardrails::default(), Classification::default(), Params::new());
        let name = self.catalog.name.clone();
        let catalog = self.catalog.clone();
        let world = World {
            catalog: &catalog,
            catalog_name: &name,
            guardrails: &guardrails,
            classification: &classification,
            price: None,
            model,
            now: SystemClock::default().now(),
            second_opinion: false,
        };
        let ground = Ground::new(&world);
        let needs = needs(&ground, &world, sql, Some("gt"), &params);
        let places: Vec<Place> = needs
            .iter()
            .map(|(need, _)| Place {
                location: need.location.clone(),
                base: need.base.clone(),
                format: need.format,
                depth: Depth::Footers,
            })
            .collect();
        self.catalog.attach(needs.into_iter().map(|(need, _)| need).zip(self.objects.look(&places)));
        let world = World { catalog: &self.catalog, ..world };
        let judgement = judge_sql_on(&ground, &world, sql, Some("gt"), &params);
        let why = judgement.findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
        judgement.scan.map_or((None, Evidence::Unknown, why.clone()), |scan| (scan.bytes, scan.evidence, scan.why))
    }
}

#[test]
#[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
fn the_trino_model_says_what_a_server_counted() {
    let Some(folder) = std::env::var_os("TOLLGATE_GROUND_TRUTH").map(PathBuf::from) else {
        eprintln!("TOLLGATE_GROUND_TRUTH is not set: the measured queries are left out");
        return;
    };
    let mut desk = Desk::new(&folder);
    let mut kinds: BTreeMap<String, Measured> = BTreeMap::new();
    let mut outside = Vec::new();
    for line in std::fs::read_to_string(folder.join("queries.jsonl")).unwrap().lines() {
        let query: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| query[key].as_str().unwrap().to_owned();
        let total = query["total"].as_u64().unwrap();
        let (least, most) = (query["min"].as_u64().unwrap_or(total), query["max"].as_u64().unwrap_or(total));
        let (bytes, _, why) = desk.estimate(&text("sql"), ScanModel::Trino);
        let kind = kinds.entry(text("kind")).or_insert(Measured { inside: 0, exact: 0, near: 0, count: 0, ratios: vec![] });
        kind.count += 1;
        let Some(bytes) = bytes else {
            outside.push(format!("{}: unknown ({why})", text("id")));
            continue;
        };
        if bytes.low <= least && most <= bytes.high {
            kind.inside += 1;
        } else {
            outside.push(format!("{}: {least}..{most} is not in {bytes:?}", text("id")));
        }
        kind.exact += usize::from(bytes.expected == total);
        kind.near += usize::from(bytes.expected.abs_diff(total) * 100 <= 12 * total.max(FLOOR));
        if bytes.low > 0 {
            kind.ratios.push(bytes.high as f64 / bytes.low as f64);
        }
    }
    println!("{:18} {:>5} {:>7} {:>7} {:>7} {:>9}", "kind", "n", "inside", "exact", "±12 %", "high/low");
    for (name, kind) in &mut kinds {
        kind.ratios.sort_by(f64::total_cmp);
        let median = kind.ratios.get(kind.ratios.len() / 2).copied();
        let median = median.map_or("-".to_owned(), |median| format!("{median:.2}"));
        println!("{name:18} {:>5} {:>7} {:>7} {:>7} {median:>9}", kind.count, kind.inside, kind.exact, kind.near);
    }
    let sum = |filtered: bool, of: fn(&Measured) -> usize| -> usize {
        kinds
            .iter()
            .filter(|(name, _)| FILTERED.contains(&name.as_str()) == filtered && *name != "limit")
            .map(|(_, m)| of(m))
            .sum()
    };
    for line in &outside {
        println!("outside: {line}");
    }
    assert!(outside.is_empty(), "{} of the queries read what was not inside the bounds", outside.len());
    assert!(sum(false, |m| m.exact) * 100 >= 98 * sum(false, |m| m.count), "exact without predicates on columns of the files");
    assert!(sum(true, |m| m.exact) * 100 >= 75 * sum(true, |m| m.count), "exact with predicates");
    assert!(sum(true, |m| m.near) * 100 >= 85 * sum(true, |m| m.count), "within 12 % with predicates");
}

const SHOP: &str = "
catalog: v1
name: lake
taken_at: 2026-11-20T08:00:00Z
tables:
  gt.t:
    format: parquet
    columns: [{ name: a, type: varchar }, { name: b, type: varchar }, { name: p, type: 'row(x bigint, y bigint)' }]
    partition_keys: [{ name: region, type: varchar }]
    partitions:
      - { values: [eu], files: 1, bytes: 1000, column_bytes: { a: 100, b: 200, p: 50, p.x: 20, p.y: 30 } }
      - { values: [us], files: 1, bytes: 1000, column_bytes: { a: 100, b: 200, p: 50, p.x: 20, p.y: 30 } }
      - { values: [null], files: 1, bytes: 1000, column_bytes: { a: 100, b: 200, p: 50, p.x: 20, p.y: 30 } }
  gt.v:
    view: SELECT a, b FROM gt.t WHERE region = 'eu'
    columns: [{ name: a, type: varchar }, { name: b, type: varchar }]
";

#[test]
fn statements_read_what_they_need() {
    let catalog = read_catalog("catalog.yaml", SHOP.as_bytes(), "").whole().unwrap();
    let mut desk = Desk { catalog, objects: LocalObjects::new(SystemClock::default()) };
    let cases = [
        ("SELECT a FROM t", (300, 300, 300)),
        ("SELECT count(*) FROM t", (0, 0, 0)),
        ("SELECT region FROM t", (0, 0, 0)),
        ("SELECT p.x FROM t", (60, 60, 60)),
        ("SELECT p FROM t", (150, 150, 150)),
        ("SELECT a FROM t WHERE region = 'eu' OR region IS NULL", (200, 200, 200)),
        ("SELECT a FROM t WHERE b = 'x'", (0, 900, 900)),
        ("SELECT a FROM t WHERE false", (0, 0, 0)),
        ("SELECT a FROM t WHERE true OR b = 'x'", (300, 300, 300)),
        ("SELECT a FROM t LIMIT 0", (0, 0, 0)),
        ("SELECT a FROM t LIMIT 5", (0, 300, 300)),
        ("SELECT a FROM t ORDER BY a LIMIT 5", (300, 300, 300)),
        ("SELECT a FROM (SELECT a, b FROM t ORDER BY b)", (300, 300, 300)),
        ("SELECT x FROM (SELECT a AS x, upper(b) AS y FROM t)", (300, 300, 300)),
        ("SELECT a FROM v", (100, 100, 100)),
        ("WITH q AS (SELECT a FROM t) SELECT * FROM q UNION ALL SELECT * FROM q", (600, 600, 600)),
        ("WITH q AS (SELECT b FROM t) SELECT a FROM t", (300, 300, 300)),
        ("SELECT l.a FROM t AS l JOIN t AS r ON l.a = r.a", (0, 600, 600)),
        // A tuple is known as a whole or not at all.
        ("SELECT a FROM t WHERE (region, p.x) IN (('eu', 1))", (0, 360, 360)),
        ("SELECT a FROM t WHERE (region, region) IN (('eu', 'eu'))", (100, 100, 100)),
        // What a subquery gives may leave out partitions, at run time.
        ("SELECT a FROM t WHERE region = (SELECT max(region) FROM t)", (0, 300, 300)),
    ];
    for (sql, (low, expected, high)) in cases {
        let (bytes, _, why) = desk.estimate(sql, ScanModel::Chunks);
        assert_eq!(bytes, Some(Bounds { low, expected, high }), "{sql}: {why}");
    }
}
