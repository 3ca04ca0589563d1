//! What an operator waits for between typing an input and seeing the plan: a statement judged over a table of 100,000 partitions, the
//! catalog in memory (the aim is 300 ms); and what comes before it once: reading the file, adding up a listing of 200,000 files.

#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::expect_used, reason = "a bench that cannot start has nothing to measure")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::core::book::{Classification, Guardrails};
use tollgate::core::catalog::tally::{Tally, location};
use tollgate::core::catalog::{Catalog, Table, read_catalog};
use tollgate::core::estimate::ScanModel;
use tollgate::core::guard::{Ground, Params, World, judge_sql_on};

/// 2,000 days of 50 regions.
const DAYS: i32 = 2_000;
const REGIONS: i32 = 50;

fn yaml() -> String {
    let mut out = String::from(
        "catalog: v1\nname: lake\ntaken_at: 2026-11-20T08:00:00Z\ntables:\n  web.logs:\n    format: parquet\n    \
         location: s3://lake/logs/\n    columns: [{ name: a, type: bigint }, { name: b, type: varchar }]\n    \
         partition_keys: [{ name: day, type: varchar }, { name: region, type: varchar }]\n    partitions:\n",
    );
    let first = jiff::civil::date(2021, 5, 31);
    for day in 0..DAYS {
        let day = first.saturating_add(jiff::Span::new().days(day)).strftime("%Y/%m/%d").to_string();
        for region in 0..REGIONS {
            let _ = writeln!(
                out,
                "      - {{ values: [\"{day}\", \"r{region:02}\"], files: 2, bytes: {}, rows: 5000, column_bytes: {{ a: 400000, b: 500000 }} }}",
                1_000_000 + region
            );
        }
    }
    out
}

fn table(catalog: &Catalog) -> &Table {
    catalog.table(None, "web.logs").expect("the table is there")
}

fn planning(criterion: &mut Criterion) {
    let yaml = yaml();
    let catalog = read_catalog("catalog.yaml", yaml.as_bytes(), "").whole().expect("the catalog is whole");
    let (guardrails, classification) = (Guardrails::default(), Classification::default());
    let world = World {
        catalog: &catalog,
        catalog_name: &catalog.name,
        guardrails: &guardrails,
        classification: &classification,
        price: None,
        model: ScanModel::Chunks,
        now: "2026-11-20T09:00:00Z".parse().expect("a moment"),
        second_opinion: true,
    };
    let ground = Ground::new(&world);
    let mut group = criterion.benchmark_group("100,000 partitions");
    group.sample_size(10);
    for (name, condition) in [
        ("one day", "day = '2026/11/01' AND region IN ('r01', 'r02')"),
        ("a month", "day BETWEEN '2026/10/01' AND '2026/10/31'"),
        ("a function of the key", "date_parse(day, '%Y/%m/%d') >= date '2026-11-01'"),
        ("all of them", "b = 'x'"),
    ] {
        let sql = format!("SELECT a FROM logs WHERE {condition}");
        group.bench_function(format!("judge: {name}"), |bencher| {
            bencher.iter(|| judge_sql_on(black_box(&ground), &world, &sql, Some("web"), &Params::new()));
        });
    }
    group.bench_function("read catalog.yaml", |bencher| {
        bencher.iter(|| read_catalog("catalog.yaml", black_box(yaml.as_bytes()), ""));
    });
    let known = table(&catalog).partitions.clone().unwrap_or_default();
    let places: Vec<String> = known.iter().filter_map(|partition| location(table(&catalog), partition)).collect();
    group.bench_function("add up 200,000 files", |bencher| {
        bencher.iter(|| {
            let mut tally = Tally::known(table(&catalog), &known);
            for place in &places {
                for file in ["part-00000.parquet", "part-00001.parquet"] {
                    tally.add(&format!("{place}{file}"), 500_000);
                }
            }
            black_box(tally.finish())
        });
    });
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
