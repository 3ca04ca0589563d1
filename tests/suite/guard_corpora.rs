//! The guard over statements that `TOLLGATE_CORPORA` names: attacks, lineage, false blocks, the second opinion. The statements are
//! not part of the repository; without that variable these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tollgate::core::book::{Book, ColumnTags, Guardrails, Place, read_book};
use tollgate::core::catalog::{Catalog, read_catalog};
use tollgate::core::estimate::ScanModel;
use tollgate::core::guard::{Finding, Ground, Judgement, Params, Rule, Verdict, Why, World, judge_sql_on};
use tollgate::core::units::Timestamp;

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("TOLLGATE_CORPORA is not set: its statements are left out");
    }
    folder
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn catalog(folder: &Path, names: &[&str]) -> Catalog {
    let mut all: Option<Catalog> = None;
    for name in names {
        let text = read(&folder.join("catalogs").join(format!("{name}.yaml")));
        let catalog = read_catalog(name, text.as_bytes(), "").whole().unwrap_or_else(|problems| panic!("{problems:?}"));
        match &mut all {
            Some(all) => all.merge(catalog),
            None => all = Some(catalog),
        }
    }
    all.unwrap()
}

fn people_book(folder: &Path) -> Book {
    let text = read(&folder.join("catalogs/people-book/tollgate.yaml"));
    read_book("tollgate.yaml", text.as_bytes()).whole().unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn world<'a>(catalog: &'a Catalog, book: &'a Book, catalog_name: &'a str) -> World<'a> {
    World {
        catalog,
        catalog_name,
        guardrails: &book.guardrails,
        classification: &book.classification,
        price: None,
        model: ScanModel::Chunks,
        now: Timestamp(1_795_176_000_000),
        second_opinion: true,
    }
}

fn judge(catalog: &Catalog, book: &Book, catalog_name: &str, sql: &str, database: Option<&str>) -> Judgement {
    let world = world(catalog, book, catalog_name);
    judge_sql_on(&Ground::new(&world), &world, sql, database, &Params::new())
}

fn array(path: &Path) -> Vec<Value> {
    let value: Value = serde_json::from_str(&read(path)).unwrap();
    value.get("cases").unwrap_or(&value).as_array().unwrap().clone()
}

fn lines(path: &Path) -> Vec<Value> {
    read(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_default()
}

#[test]
fn every_attack_is_blocked_and_most_are_analysed() {
    let Some(folder) = corpora() else { return };
    let (catalog, book) = (catalog(&folder, &["people-wide"]), people_book(&folder));
    let attacks = array(&folder.join("attacks.json"));
    let mut analysed = 0;
    for attack in &attacks {
        let judgement = judge(&catalog, &book, "awsdatacatalog", text(attack, "sql"), Some("db"));
        assert_eq!(judgement.verdict, Verdict::Block, "{attack}");
        if judgement.analysed {
            analysed += 1;
            assert!(judgement.findings.iter().any(|finding| finding.rule == Rule::BlockedColumn), "{attack}: {judgement:?}");
        }
    }
    eprintln!("attacks: {} blocked, {analysed} of them analysed", attacks.len());
    assert!(analysed * 4 >= attacks.len() * 3, "{analysed}");
}

#[test]
fn lineage_is_exact() {
    let Some(folder) = corpora() else { return };
    let (catalog, book) = (catalog(&folder, &["people"]), people_book(&folder));
    let cases = array(&folder.join("lineage.json"));
    for case in &cases {
        let judgement = judge(&catalog, &book, "awsdatacatalog", text(case, "sql"), Some("db"));
        if case["out"].is_null() {
            assert_eq!(judgement.verdict, Verdict::Block, "{case}");
            continue;
        }
        assert!(judgement.analysed, "{case}: {judgement:?}");
        let column = "db.people.ssn";
        let out: Vec<Value> = (0..judgement.output.len())
            .filter(|index| judgement.output[*index].sources.iter().any(|source| source == column))
            .map(Value::from)
            .collect();
        assert_eq!(Value::from(out.clone()), case["out"], "{case}");
        let said = |why: Why| {
            let about = |finding: &&Finding| finding.rule == Rule::BlockedColumn && finding.subject.as_deref() == Some(column);
            judgement.findings.iter().filter(about).any(|finding| finding.why == Some(why))
        };
        assert_eq!(said(Why::Influences), case["infer"] == true, "{case}: {:?}", judgement.findings);
        assert_eq!(said(Why::Flows), !out.is_empty(), "{case}");
    }
    eprintln!("lineage: {} exact", cases.len());
}

const CATALOGS: [&str; 6] = ["tpch", "tpcds", "system", "lake", "tests", "tpchstd"];

/// Every column that a statement does not read is tagged: none of them may block it.
#[test]
fn no_column_blocks_that_is_not_read() {
    let Some(folder) = corpora() else { return };
    let catalog = catalog(&folder, &CATALOGS);
    let place = Place { file: "book".into(), line: 1, column: 1, width: 1 };
    let (mut statements, mut tags) = (0, 0);
    for row in lines(&folder.join("analyzed.jsonl")) {
        if text(&row, "catalog") != "tpcds" || row["newer"] == true {
            continue;
        }
        let mut book = people_book(&folder);
        book.guardrails = Guardrails::default();
        book.classification.columns.clear();
        let plain = judge(&catalog, &book, "tpcds", text(&row, "sql"), row["database"].as_str());
        if !plain.analysed {
            panic!("{}: {:?}", text(&row, "id"), plain.findings);
        }
        let read: BTreeMap<&str, BTreeSet<&str>> =
            plain.reads.iter().map(|read| (read.table.as_str(), read.columns.iter().map(String::as_str).collect())).collect();
        if read.is_empty() {
            continue;
        }
        book.guardrails.blocked_tags.value = vec!["secret".to_owned()];
        let data = &catalog.catalogs["tpcds"];
        for (name, table) in &data.tables {
            for column in table.all_columns().filter(|c| !read.get(name.as_str()).is_some_and(|r| r.contains(c.name.as_str()))) {
                let pattern = format!("tpcds.{name}.{}", column.name);
                book.classification.columns.push(ColumnTags { pattern, tags: vec!["secret".to_owned()], place: place.clone() });
                tags += 1;
            }
        }
        let judgement = judge(&catalog, &book, "tpcds", text(&row, "sql"), row["database"].as_str());
        let blocks: Vec<&Finding> = judgement
            .findings
            .iter()
            .filter(|finding| matches!(finding.rule, Rule::BlockedColumn | Rule::HiddenRead | Rule::SecondOpinion))
            .collect();
        assert!(blocks.is_empty(), "{}: {blocks:?}", text(&row, "id"));
        statements += 1;
    }
    eprintln!("false blocks: none in {statements} TPC-DS statements with {tags} columns tagged that they do not read");
    assert!(statements > 90);
}

#[test]
fn the_second_opinion_blocks_no_real_read() {
    let Some(folder) = corpora() else { return };
    let catalog = catalog(&folder, &CATALOGS);
    let mut book = people_book(&folder);
    book.guardrails = Guardrails::default();
    book.classification.columns.clear();
    let real: BTreeSet<String> = lines(&folder.join("reads-real.jsonl")).iter().map(|row| text(row, "id").to_owned()).collect();
    let (mut asked, mut others) = (0, 0);
    let ground = Ground::new(&world(&catalog, &book, "tpch"));
    for row in lines(&folder.join("analyzed.jsonl")) {
        let world = world(&catalog, &book, text(&row, "catalog"));
        let judgement = judge_sql_on(&ground, &world, text(&row, "sql"), row["database"].as_str(), &Params::new());
        let blocks: Vec<&Finding> = judgement.findings.iter().filter(|finding| finding.rule == Rule::SecondOpinion).collect();
        assert!(blocks.is_empty(), "{}: {blocks:?}", text(&row, "id"));
        if real.contains(text(&row, "id")) {
            assert!(judgement.analysed || row["newer"] == true, "{}: {:?}", text(&row, "id"), judgement.findings);
            asked += 1;
        } else {
            others += 1;
        }
    }
    eprintln!("second opinion: no block in {asked} real reads and {others} others");
}
