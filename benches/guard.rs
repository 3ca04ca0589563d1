//! How long judging takes: parse, resolution, lineage and rules; and the same with the second opinion.
//!
//! `cargo bench --bench guard` takes a few statements of its own. With `TOLLGATE_CORPORA` it takes the TPC-DS statements of that
//! folder as well, and says mean and percentiles over single statements.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::Criterion;
use serde_json::Value;
use tollgate::core::book::{Classification, Guardrails};
use tollgate::core::catalog::{Catalog, read_catalog};
use tollgate::core::estimate::ScanModel;
use tollgate::core::guard::{Ground, Params, World, judge_sql_on};
use tollgate::core::units::Timestamp;

const CATALOG: &str = "catalog: v1\nname: lake\ntaken_at: 2026-11-20T08:00:00Z\ntables:\n  web.logs:\n    format: parquet\n    columns:\n      - { name: id, type: bigint }\n      - { name: path, type: varchar }\n      - { name: status, type: integer }\n      - { name: client_ip, type: varchar, tags: [pii] }\n    partition_keys: [{ name: day, type: varchar }]\n";

const OWN: [&str; 3] = [
    "SELECT path, count(*) AS hits FROM logs WHERE day = '2026/11/19' AND status = 502 GROUP BY path ORDER BY hits DESC LIMIT 50",
    "WITH slow AS (SELECT * FROM logs WHERE day BETWEEN '2026/11/01' AND '2026/11/19') SELECT s.path, approx_percentile(s.status, 0.99) FROM slow s JOIN logs l ON l.id = s.id AND l.day = s.day GROUP BY 1",
    "SELECT path, rank() OVER (PARTITION BY status ORDER BY id DESC) r FROM logs WHERE day = '2026/11/19' AND client_ip LIKE '10.%'",
];

/// A world of its own for each set of statements.
struct Set {
    name: &'static str,
    catalog: Catalog,
    catalog_name: String,
    statements: Vec<(String, Option<String>)>,
}

impl Set {
    fn own() -> Self {
        let catalog = read_catalog("catalog.yaml", CATALOG.as_bytes(), "").whole().unwrap();
        let statements = OWN.iter().map(|sql| ((*sql).to_owned(), Some("web".to_owned()))).collect();
        Self { name: "own", catalog, catalog_name: "lake".to_owned(), statements }
    }

    fn tpcds(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("catalogs/tpcds.yaml")).unwrap();
        let catalog = read_catalog("tpcds.yaml", text.as_bytes(), "").whole().unwrap();
        let rows = std::fs::read_to_string(folder.join("analyzed.jsonl")).unwrap();
        let of = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let statements = rows
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|row| of(row, "id").starts_with("tpcds:"))
            .map(|row| (of(&row, "sql"), row["database"].as_str().map(str::to_owned)))
            .collect();
        Self { name: "tpcds", catalog, catalog_name: "tpcds".to_owned(), statements }
    }
}

fn judge_all(set: &Set, second_opinion: bool, mut each: impl FnMut(Duration)) {
    let (guardrails, classification) = (Guardrails::default(), Classification::default());
    let world = World {
        catalog: &set.catalog,
        catalog_name: &set.catalog_name,
        guardrails: &guardrails,
        classification: &classification,
        price: None,
        model: ScanModel::Chunks,
        now: Timestamp(1_795_176_000_000),
        second_opinion,
    };
    let ground = Ground::new(&world);
    for (sql, database) in &set.statements {
        let begun = Instant::now();
        black_box(judge_sql_on(&ground, &world, sql, database.as_deref(), &Params::new()));
        each(begun.elapsed());
    }
}

fn main() {
    let mut sets = vec![Set::own()];
    if let Some(folder) = std::env::var_os("TOLLGATE_CORPORA").map(PathBuf::from) {
        sets.push(Set::tpcds(&folder));
    }
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    for set in &sets {
        for (what, second_opinion) in [("guard", false), ("guard and second opinion", true)] {
            let mut times: Vec<Duration> = Vec::new();
            for _ in 0..20 {
                judge_all(set, second_opinion, |time| times.push(time));
            }
            times.sort();
            let at = |share: usize| times[(times.len() - 1) * share / 100];
            let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
            eprintln!(
                "{} ({} statements), {what}: mean {mean:?}, median {:?}, p99 {:?}, most {:?}",
                set.name,
                set.statements.len(),
                at(50),
                at(99),
                at(100)
            );
            criterion.bench_function(&format!("{}/{what}", set.name), |bencher| {
                bencher.iter(|| judge_all(set, second_opinion, |_| ()));
            });
        }
    }
    criterion.final_summary();
}
