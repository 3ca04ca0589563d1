//! How long the estimate of one statement takes over many partitions and many files.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::core::book::{Classification, Guardrails};
use tollgate::core::catalog::file::{Bound, Chunk, Content, File, Group, Listing, Parquet};
use tollgate::core::catalog::{Catalog, read_catalog};
use tollgate::core::estimate::ScanModel;
use tollgate::core::guard::{Ground, Params, World, judge_sql_on, needs};

const STATEMENT: &str =
    "SELECT a, count(*) AS n FROM logs WHERE day BETWEEN '2024-03-01' AND '2024-03-07' AND b < 500 GROUP BY a";

/// A table with so many partitions: days from 2024 on, each with as many regions as it takes.
fn catalog(partitions: usize) -> Catalog {
    let mut yaml = "catalog: v1\nname: lake\ntaken_at: 2026-11-20T08:00:00Z\ntables:\n  web.logs:\n    format: parquet\n    \
                    location: logs/\n    columns: [{ name: a, type: bigint }, { name: b, type: bigint }]\n    \
                    partition_keys: [{ name: day, type: varchar }, { name: region, type: varchar }]\n    partitions:\n"
        .to_owned();
    let regions = partitions.div_ceil(1000);
    let start: jiff::civil::Date = "2024-01-01".parse().unwrap();
    for index in 0..partitions {
        let day = start.checked_add(jiff::Span::new().days(i64::try_from(index / regions).unwrap())).unwrap();
        let _ = writeln!(
            yaml,
            "      - {{ values: ['{day}', 'r{}'], files: 1, bytes: 1000000, column_bytes: {{ a: 1000, b: 2000 }} }}",
            index % regions
        );
    }
    read_catalog("catalog.yaml", yaml.as_bytes(), "").whole().unwrap()
}

/// So many files of 64 MB, each with eight row groups.
fn listing(files: usize) -> Arc<Listing> {
    let group = |number: u64| Group {
        rows: 100_000,
        chunks: (0..2)
            .map(|column| Chunk {
                start: 4 + number * 8_000_000 + column * 4_000_000,
                bytes: 4_000_000,
                dictionary: Some(1000),
                all_dictionary: true,
                values: 100_000,
                nulls: Some(0),
                range: Some((
                    Bound::Whole(i64::try_from(number).unwrap() * 100),
                    Bound::Whole(i64::try_from(number).unwrap() * 100 + 99),
                )),
                ..Chunk::default()
            })
            .collect(),
    };
    let parquet =
        Arc::new(Parquet { footer: 900, leaves: vec![vec!["a".into()], vec!["b".into()]], groups: (0..8).map(group).collect() });
    let file =
        |n: usize| File { name: format!("{n}.parquet"), bytes: 64_000_912, content: Content::Parquet(Arc::clone(&parquet)) };
    Arc::new(Listing { taken_at: None, files: (0..files).map(file).collect(), failure: None })
}

fn world<'a>(catalog: &'a Catalog, guardrails: &'a Guardrails, classification: &'a Classification) -> World<'a> {
    World {
        catalog,
        catalog_name: "lake",
        guardrails,
        classification,
        price: None,
        model: ScanModel::Trino,
        now: "2026-11-20T14:00:00Z".parse().unwrap(),
        second_opinion: false,
    }
}

fn benches(criterion: &mut Criterion) {
    let (guardrails, classification, params) = (Guardrails::default(), Classification::default(), Params::new());
    for partitions in [1_000, 100_000] {
        let catalog = catalog(partitions);
        let made = world(&catalog, &guardrails, &classification);
        let ground = Ground::new(&made);
        criterion.bench_function(&format!("estimate over {partitions} partitions"), |bencher| {
            bencher.iter(|| judge_sql_on(&ground, &made, black_box(STATEMENT), Some("web"), &params).scan);
        });
    }
    let mut catalog = catalog(1_000);
    {
        let copy = catalog.clone();
        let made = world(&copy, &guardrails, &classification);
        let ground = Ground::new(&made);
        let needs = needs(&ground, &made, STATEMENT, Some("web"), &params);
        let each = listing(10_000 / needs.len().max(1));
        catalog.attach(needs.into_iter().map(|(need, _)| (need, Arc::clone(&each))));
    }
    let made = world(&catalog, &guardrails, &classification);
    let ground = Ground::new(&made);
    criterion.bench_function("estimate over 10000 files", |bencher| {
        bencher.iter(|| judge_sql_on(&ground, &made, black_box(STATEMENT), Some("web"), &params).scan);
    });
}

criterion_group! { name = all; config = Criterion::default().sample_size(10); targets = benches }
criterion_main!(all);
