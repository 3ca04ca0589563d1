//! Reading and resolving statements: those of the shipped book, and with `TOLLGATE_CORPORA` those of TPC-DS there.
//!
//!     cargo bench --bench resolve
//!     TOLLGATE_CORPORA=…/corpora cargo bench --bench resolve
//!
//! Before the benchmarks the time of each statement by itself is printed as percentiles: the median of 51 runs for each.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a benchmark stops where it cannot go on"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::Value;
use tollgate::core::sql::parser::{Declared, Parameters, parse_with};
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, StoredView, World, WorldColumn, WorldTable};

/// A statement and where it stands.
struct Case {
    name: String,
    sql: String,
    session: Session,
    parameters: Parameters,
}

impl Case {
    fn run(&self, world: &World) {
        let parsed = parse_with(black_box(&self.sql), &self.parameters).expect("it parses");
        let analysis = analyse(&parsed.statement, world, &self.session).expect("it resolves");
        black_box(analysis);
    }

    /// The median of many runs.
    fn median(&self, world: &World) -> Duration {
        let mut times: Vec<Duration> = (0..51)
            .map(|_| {
                let begun = Instant::now();
                self.run(world);
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[times.len() / 2]
    }
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn add(world: &mut World, path: &Path) {
    let catalog = yaml(path);
    let name = catalog["name"].as_str().unwrap();
    for (table, facts) in catalog["tables"].as_object().unwrap() {
        let (schema, table) = table.split_once('.').unwrap();
        let columns = |key: &str| -> Vec<WorldColumn> {
            let list = facts[key].as_array().cloned().unwrap_or_default();
            let column = |column: &Value| WorldColumn {
                name: column["name"].as_str().unwrap().to_lowercase().into(),
                kind: Type::parse(column["type"].as_str().unwrap()),
            };
            list.iter().map(column).collect()
        };
        let keys = columns("partition_keys");
        let partition_keys = keys.len();
        let mut all = columns("columns");
        all.extend(keys);
        let view = facts["view"].as_str().map(StoredView::new);
        world.add_table(name, schema, table, WorldTable { columns: all, partition_keys, view });
    }
}

/// The statements of the shipped book, their parameters not known yet.
fn book() -> (World, Vec<Case>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let mut world = World::new();
    add(&mut world, &folder.join("catalog.yaml"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let runbook = yaml(&file);
        let Some(id) = runbook["runbook"].as_str().and(runbook["id"].as_str()) else { continue };
        let mut declared: Vec<(String, Type)> = Vec::new();
        let mut declare = |list: &Value| {
            for (name, about) in list.as_object().into_iter().flatten() {
                let kind = if about["type"] == "int" { Type::Bigint } else { Type::VARCHAR };
                declared.push((name.clone(), kind));
            }
        };
        declare(&runbook["inputs"]);
        let steps = runbook["steps"].as_array().unwrap();
        for step in steps {
            declare(&step["capture"]);
            declare(&step["choose"]["into"]);
        }
        for step in steps {
            let Some(sql) = step["athena"]["sql"].as_str() else { continue };
            cases.push(Case {
                name: format!("{id}/{}", step["id"].as_str().unwrap_or_default()),
                sql: sql.to_owned(),
                session: Session {
                    catalog: "awsdatacatalog".to_owned(),
                    schema: step["athena"]["database"].as_str().map(str::to_owned),
                    parameters: declared.clone(),
                },
                parameters: declared.iter().map(|(name, _)| (name.clone(), Declared::One)).collect(),
            });
        }
    }
    (world, cases)
}

/// The TPC-DS statements of the corpora.
fn tpcds() -> Option<(World, Vec<Case>)> {
    let folder = PathBuf::from(std::env::var_os("TOLLGATE_CORPORA")?);
    let mut world = World::new();
    add(&mut world, &folder.join("catalogs/tpcds.yaml"));
    let text = std::fs::read_to_string(folder.join("analyzed.jsonl")).unwrap();
    let cases = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["catalog"] == "tpcds" && row["id"].as_str().is_some_and(|id| id.contains("tpcds")))
        .map(|row| Case {
            name: row["id"].as_str().unwrap().to_owned(),
            sql: row["sql"].as_str().unwrap().to_owned(),
            session: Session {
                catalog: "tpcds".to_owned(),
                schema: row["database"].as_str().map(str::to_owned),
                parameters: Vec::new(),
            },
            parameters: Parameters::new(),
        })
        .collect();
    Some((world, cases))
}

fn percentiles(title: &str, world: &World, cases: &[Case]) {
    let mut times: Vec<(Duration, &str)> = cases.iter().map(|case| (case.median(world), case.name.as_str())).collect();
    times.sort_unstable();
    let at = |share: usize| times[((times.len() - 1) * share).div_ceil(100)].0;
    let (slowest, name) = times[times.len() - 1];
    eprintln!(
        "{title}: {} statements, median {:?}, p90 {:?}, p99 {:?}, slowest {slowest:?} ({name})",
        times.len(),
        at(50),
        at(90),
        at(99)
    );
}

fn resolve(criterion: &mut Criterion) {
    let (world, cases) = book();
    percentiles("the shipped book", &world, &cases);
    let mut group = criterion.benchmark_group("book");
    for case in &cases {
        group.bench_function(&case.name, |bencher| bencher.iter(|| case.run(&world)));
    }
    group.finish();
    let Some((world, cases)) = tpcds() else {
        eprintln!("TOLLGATE_CORPORA is not set: TPC-DS is left out");
        return;
    };
    percentiles("TPC-DS", &world, &cases);
    criterion.bench_function("tpcds/all", |bencher| bencher.iter(|| cases.iter().for_each(|case| case.run(&world))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = resolve
}
criterion_main!(benches);
