//! What the engine reads lies inside what the model `chunks` says, for every statement of the shipped book: from the catalog alone, and
//! from the files' footers.

use std::path::Path;

use super::{LAKE, run_in};
use crate::adapters::clock::SystemClock;
use crate::adapters::objects::LocalObjects;
use crate::core::book::{Classification, Guardrails, read_book};
use crate::core::catalog::{Catalog, read_catalog};
use crate::core::estimate::{Bounds, ScanModel};
use crate::core::guard::{Ground, Param, Params, World, judge_sql_on, needs};
use crate::core::runbook::{ParamType, ParamValue, StepKind, read_runbook};
use crate::engine::ports::{Depth, Objects as _, Place};
use crate::sandbox::dataset::{CATALOG_FILE, Day, ids, schema::LAKE_BUCKET};

/// A value of the type, such that statements find something where that is easy.
fn value(kind: &ParamType) -> ParamValue {
    let at = LAKE.taken_at;
    match kind {
        ParamType::Int { min, max } => ParamValue::Int(502.clamp(min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX))),
        ParamType::Decimal { .. } => panic!("no shipped runbook has one"),
        ParamType::Bool => ParamValue::Bool(true),
        ParamType::Date { form } => ParamValue::Date { date: "2026-11-20".parse().unwrap(), form: form.clone() },
        ParamType::Timestamp { form } => ParamValue::Timestamp { at, form: form.clone() },
        ParamType::Uuid => ParamValue::Uuid("00000000-0000-4000-8000-000000000000".into()),
        ParamType::Enum { values } => ParamValue::Enum(values[0].clone()),
        ParamType::String { .. } => ParamValue::String(ids::order(Day::from_partition("2026/11/20").unwrap(), 0).id),
        ParamType::List { of, .. } => ParamValue::List(vec![value(of)]),
    }
}

struct Case {
    what: String,
    sql: String,
    database: Option<String>,
    params: Params,
}

fn shipped() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let book = read_book("tollgate.yaml", &std::fs::read(folder.join("tollgate.yaml")).unwrap()).whole().unwrap();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["tollgate.yaml", "catalog.yaml"].contains(&name.as_str()) || !name.ends_with(".yaml") {
            continue;
        }
        let runbook = read_runbook(&name, &std::fs::read(&path).unwrap(), Some(&book)).whole().unwrap();
        let mut params: Params =
            runbook.inputs.iter().map(|(name, input)| (name.to_string(), Param::Value(value(&input.param_type)))).collect();
        for step in &runbook.steps {
            let known = |(name, kind): (String, Option<&ParamType>)| Some((name, Param::Value(value(kind?))));
            params.extend(step.capture.iter().map(|(name, c)| (name.to_string(), c.param_type.as_ref())).filter_map(known));
            if let StepKind::Choose(choose) = &step.kind {
                params.extend(choose.into.iter().map(|(name, p)| (name.to_string(), p.param_type.as_ref())).filter_map(known));
            }
        }
        for step in &runbook.steps {
            if let StepKind::Athena(athena) = &step.kind {
                cases.push(Case {
                    what: format!("{name} {}", step.id),
                    sql: athena.sql.value.clone(),
                    database: athena.database.clone(),
                    params: params.clone(),
                });
            }
        }
    }
    cases
}

fn estimate(catalog: &Catalog, case: &Case, footers: bool) -> (Bounds, String) {
    let (guardrails, classification) = (Guardrails::default(), Classification::default());
    let mut catalog = catalog.clone();
    let name = catalog.name.clone();
    let facts = catalog.clone();
    let world = World {
        catalog: &facts,
        catalog_name: &name,
        guardrails: &guardrails,
        classification: &classification,
        price: None,
        model: ScanModel::Chunks,
        now: LAKE.taken_at,
        second_opinion: false,
    };
    let ground = Ground::new(&world);
    let database = case.database.as_deref();
    if footers {
        let root = format!("file://{}/", LAKE.root.display());
        let needs = needs(&ground, &world, &case.sql, database, &case.params);
        assert!(!needs.is_empty(), "{}", case.what);
        let places: Vec<Place> = needs
            .iter()
            .map(|(need, _)| Place {
                location: need.location.replace(&format!("s3://{LAKE_BUCKET}/"), &root).replace('%', "%25"),
                base: String::new(),
                format: need.format,
                depth: Depth::Footers,
            })
            .collect();
        let found = LocalObjects::new(SystemClock::default()).look(&places);
        assert!(found.iter().all(|listing| listing.failure.is_none() && !listing.files.is_empty()), "{}: {found:?}", case.what);
        catalog.attach(needs.into_iter().map(|(need, _)| need).zip(found));
    }
    let world = World { catalog: &catalog, ..world };
    let judgement = judge_sql_on(&ground, &world, &case.sql, database, &case.params);
    let scan = judgement.scan.unwrap();
    let bytes = scan.bytes.unwrap_or_else(|| panic!("{}: {} {:?}", case.what, scan.why, judgement.findings));
    (bytes, judgement.canonical.unwrap())
}

#[test]
fn shipped_statements_read_what_the_estimate_says() {
    let bytes = std::fs::read(LAKE.root.join(CATALOG_FILE)).unwrap();
    let catalog = read_catalog(CATALOG_FILE, &bytes, "").whole().unwrap();
    let cases = shipped();
    assert!(cases.len() >= 5, "{} statements", cases.len());
    for case in &cases {
        for footers in [false, true] {
            let (bounds, sql) = estimate(&catalog, case, footers);
            let database = case.database.as_deref().unwrap_or("default");
            let read = run_in(database, &sql, None).unwrap_or_else(|(failure, _)| panic!("{}: {failure}", case.what)).scanned;
            assert!(bounds.low <= read && read <= bounds.high, "{}: {read} is not in {bounds:?} (footers: {footers})", case.what);
        }
    }
}
