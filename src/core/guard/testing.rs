//! A small world for the rules' tables of tests.

use super::{Finding, Ground, Judgement, Level, Param, Params, World, judge_sql_on};
use crate::core::book::{Book, read_book};
use crate::core::catalog::{Catalog, read_catalog};
use crate::core::estimate::ScanModel;
use crate::core::runbook::{ParamType, Today};
use crate::core::units::{Micros, Timestamp};

/// Twelve o'clock on the last day that the catalog has.
pub(super) const NOW: Timestamp = Timestamp(1_795_176_000_000);

const CATALOG: &str = "\
catalog: v1
name: lake
taken_at: 2026-11-20T08:00:00Z
tables:
  web.logs:
    format: parquet
    columns:
      - { name: id, type: bigint }
      - { name: path, type: varchar }
      - { name: status, type: integer }
      - { name: client_ip, type: varchar, tags: [network] }
    partition_keys: [{ name: day, type: varchar }, { name: country, type: varchar }]
    partitions:
      - { values: ['2026/11/17', de], files: 1, bytes: 100000000, rows: 1000, column_bytes: { id: 10000000, path: 60000000, status: 10000000, client_ip: 20000000 } }
      - { values: ['2026/11/18', de], files: 1, bytes: 100000000, rows: 1000, column_bytes: { id: 10000000, path: 60000000, status: 10000000, client_ip: 20000000 } }
      - { values: ['2026/11/19', de], files: 1, bytes: 100000000, rows: 1000, column_bytes: { id: 10000000, path: 60000000, status: 10000000, client_ip: 20000000 } }
  shop.customers:
    format: parquet
    columns:
      - { name: id, type: bigint }
      - { name: email, type: varchar, tags: [pii] }
      - { name: city, type: varchar }
      - { name: profile, type: \"row(ssn varchar, age integer)\" }
      - { name: cards, type: \"array(row(number varchar, kind varchar))\" }
    partition_keys: []
    partitions:
      - { values: [], files: 1, bytes: 1000000, rows: 1000, column_bytes: { id: 100000, email: 400000, city: 100000, profile: 200000, cards: 200000 } }
  shop.orders:
    format: iceberg
    columns:
      - { name: id, type: bigint }
      - { name: customer_id, type: bigint }
      - { name: total, type: \"decimal(12,2)\" }
  shop.contacts:
    view: SELECT id, email FROM shop.customers
    columns: [{ name: id, type: bigint }, { name: email, type: varchar }]
";

const BOOK: &str = "\
tollgate: v1
name: shop
timezone: UTC
classification:
  columns:
    shop.customers.profile.ssn: [pii]
    shop.customers.cards.number: [financial]
    web.logs.country: [place]
guardrails:
  blocked_tags: [pii, financial, place]
";

/// Judges against the small world; `rules` are lines of the book's `guardrails`, each indented by two.
pub(super) fn judge_with(rules: &str, sql: &str, params: &Params) -> Judgement {
    let text = format!("{BOOK}{rules}");
    let book: Book =
        read_book("tollgate.yaml", text.as_bytes()).whole().unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
    let catalog: Catalog =
        read_catalog("catalog.yaml", CATALOG.as_bytes(), "").whole().unwrap_or_else(|problems| panic!("{problems:?}"));
    let price = crate::core::book::Price { athena_tb: Some(Micros(5_000_000)), ..Default::default() };
    let world = World {
        catalog: &catalog,
        catalog_name: "lake",
        guardrails: &book.guardrails,
        classification: &book.classification,
        price: Some(&price),
        model: ScanModel::Chunks,
        now: NOW,
        second_opinion: true,
    };
    judge_sql_on(&Ground::new(&world), &world, sql, Some("web"), params)
}

/// The same without parameters.
pub(super) fn judge(rules: &str, sql: &str) -> Judgement {
    judge_with(rules, sql, &Params::new())
}

/// `day` as text, `ids` as a list, `n` as a hole.
pub(super) fn params() -> Params {
    let value = |kind: &ParamType, text: &str| {
        Param::Value(kind.parse(text, &Today::at(NOW, "UTC")).unwrap_or_else(|error| panic!("{text}: {error}")))
    };
    let day = ParamType::Date { form: Some("%Y/%m/%d".to_owned()) };
    let int = ParamType::Int { min: None, max: None };
    let ids = ParamType::List { of: Box::new(int.clone()), max: None };
    [("day".to_owned(), value(&day, "2026-11-19")), ("ids".to_owned(), value(&ids, "1, 2")), ("n".to_owned(), Param::Hole(int))]
        .into_iter()
        .collect()
}

/// One line a finding: level, rule, subject, why, place.
pub(super) fn lines(judgement: &Judgement, rule: &str) -> Vec<String> {
    judgement.findings.iter().filter(|finding| finding.rule.name() == rule).map(line).collect()
}

fn line(finding: &Finding) -> String {
    let mut out = if finding.level == Level::Block { "block".to_owned() } else { "warn".to_owned() };
    if let Some(code) = &finding.code {
        out += &format!(" {code}");
    }
    if let Some(subject) = &finding.subject {
        out += &format!(" {subject}");
    }
    if let Some(why) = finding.why {
        out += &format!(" {}", format!("{why:?}").to_lowercase());
    }
    if let Some(span) = finding.span {
        out += &format!(" {}:{}", span.start.line, span.start.column);
    }
    out
}

/// Checks a table of statements, each with the lines that one rule gives.
pub(super) fn check(rule: &str, rules: &str, table: &[(&str, &[&str])]) {
    for (sql, expected) in table {
        let judgement = judge(rules, sql);
        assert_eq!(lines(&judgement, rule), *expected, "{sql}\n{:?}", judgement.findings);
    }
}
