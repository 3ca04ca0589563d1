//! The shipped book's limits: with its defaults every runbook is allowed; with wide inputs one is warned of and one is blocked.

use std::path::Path;

use indexmap::IndexMap;
use tollgate::adapters::books;
use tollgate::core::catalog::{Catalog, Partition};
use tollgate::core::guard::{Rule, Verdict};
use tollgate::core::plan::build::Making;
use tollgate::core::plan::{Endpoint, Person, Plan};
use tollgate::core::runbook::{ParamValue, Today};
use tollgate::core::units::{Bytes, Timestamp};
use tollgate::engine::ports::{Facts, Shelf};

/// When the plans are made.
const NOW: &str = "2026-11-20T14:00:00Z";

pub(crate) fn shelf() -> Shelf {
    let loaded = books::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")).unwrap();
    let shown: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    loaded.shelf.unwrap_or_else(|| panic!("{}", shown.join("\n")))
}

/// The facts that the book brings along.
pub(crate) fn own_facts() -> Facts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/catalog.yaml");
    books::facts(&[path]).unwrap()
}

/// Facts as the sandbox writes them: 60 days, of which the last few are large. The large ones are the shipped catalog's one day.
#[cfg(feature = "sandbox")]
fn sandbox_facts() -> Facts {
    use tollgate::sandbox::dataset::Scale;

    let scale = Scale::SHIPPED;
    let mut facts = own_facts();
    let today: jiff::civil::Date = "2026-11-20".parse().unwrap();
    let Catalog { catalogs, .. } = &mut facts.catalog;
    for (name, table) in &mut catalogs[0].tables {
        table.taken_at = Some("2026-11-20T13:59:00Z".parse().unwrap());
        let Some(large) = table.partitions.as_ref().and_then(|list| list.first()).cloned() else { panic!("{name} has no sizes") };
        if table.partition_keys.is_empty() {
            continue;
        }
        let (recent, old) = match name.as_str() {
            "web.alb_logs" => (scale.alb_recent, scale.alb_old),
            "security.cloudtrail_logs" => (scale.trail_recent, scale.trail_old),
            _ => (scale.orders, scale.orders),
        };
        let day = |back: u32| -> Partition {
            let date = today.checked_sub(jiff::Span::new().days(i64::from(back))).unwrap();
            let share = |bytes: Bytes| match back < scale.recent_days {
                true => bytes,
                false => Bytes(bytes.0 * u64::from(old) / u64::from(recent)),
            };
            Partition {
                values: vec![Some(date.strftime("%Y/%m/%d").to_string())],
                bytes: large.bytes.map(share),
                column_bytes: large.column_bytes.iter().map(|(name, bytes)| (name.clone(), share(*bytes))).collect(),
                ..large.clone()
            }
        };
        table.partitions = Some((0..scale.days).map(day).collect());
    }
    facts
}

pub(crate) fn plan(shelf: &Shelf, facts: &Facts, runbook: &str, given: &[(&str, &str)]) -> Plan {
    let shelved = &shelf.runbooks[runbook];
    let now: Timestamp = NOW.parse().unwrap();
    let today = Today::at(now, &shelf.book.timezone);
    let mut inputs: IndexMap<String, ParamValue> = IndexMap::new();
    for (name, input) in &shelved.runbook.inputs {
        let text = given.iter().find(|(given, _)| *given == name.as_str()).map(|(_, text)| (*text).to_owned());
        if let Some(text) = text.or_else(|| input.default.as_ref().map(|default| default.value.clone())) {
            inputs.insert(name.to_string(), input.param_type.parse(&text, &today).unwrap());
        }
    }
    let making = Making {
        runbook: &shelved.runbook,
        runbook_sha256: &shelved.sha256,
        book: &shelf.book,
        book_sha256: &shelf.book_sha256,
        book_commit: None,
        book_dirty: false,
        catalog: &facts.catalog,
        facts_sha256: &facts.sha256,
        cutoffs: None,
        inputs: &inputs,
        open_inputs: false,
        captured: &IndexMap::new(),
        fixes: &IndexMap::new(),
        walk_from: shelved.runbook.steps.first().unwrap().id.as_str(),
        request: "01J00000000000000000000000",
        run: "01J00000000000000000000000",
        requester: &Person { name: "ana".to_owned(), uid: 1000, arn: None },
        reason: "a test",
        incident: Some("INC-1"),
        duration: None,
        endpoint: &Endpoint::Sandbox,
        now,
        approved: None,
    };
    making.plan().unwrap_or_else(|refusal| panic!("{runbook}: {}", refusal.message))
}

fn said(plan: &Plan) -> Vec<String> {
    plan.steps.iter().flat_map(|step| step.findings()).chain(&plan.findings).map(|finding| finding.message.clone()).collect()
}

fn limits_show(facts: &Facts) {
    let shelf = shelf();
    for id in shelf.runbooks.keys() {
        let plan = plan(&shelf, facts, id, &[]);
        assert_eq!(plan.verdict(), Verdict::Allow, "{id} with its defaults: {:?}", said(&plan));
    }
    let warned = plan(&shelf, facts, "slow-endpoints", &[("since", "-7d")]);
    assert_eq!(warned.verdict(), Verdict::Warn, "{:?}", said(&warned));
    assert!(warned.step("now").unwrap().findings().iter().any(|finding| finding.rule == Rule::MaxScan));
    let blocked = plan(&shelf, facts, "access-key-usage", &[("since", "-30d")]);
    assert_eq!(blocked.verdict(), Verdict::Block, "{:?}", said(&blocked));
    let finding = &blocked.step("holder").unwrap().findings()[0];
    assert_eq!(finding.rule, Rule::MaxScan);
    let set_in = finding.set_in.as_ref().unwrap().to_string();
    assert!(set_in.starts_with("access-key-usage.yaml:"), "the finding says where its limit is set: {set_in}");
}

/// Where no sandbox ever ran, as in CI.
#[test]
fn limits_show_with_the_books_own_facts() {
    limits_show(&own_facts());
}

#[cfg(feature = "sandbox")]
#[test]
fn limits_show_with_the_sandboxs_facts() {
    limits_show(&sandbox_facts());
}

/// Nothing that a step of the shipped book reads is blocked, and nothing is estimated by luck.
#[test]
fn every_estimate_of_the_shipped_book_is_known() {
    let (shelf, facts) = (shelf(), own_facts());
    for id in shelf.runbooks.keys() {
        for step in &plan(&shelf, &facts, id, &[]).steps {
            if let tollgate::core::plan::PlanAction::Athena(athena) = &step.action {
                let estimate = athena.estimate.unwrap_or_else(|| panic!("{id}/{}: {}", step.id, athena.estimate_why));
                assert!(estimate.expected > 0 && estimate.high <= athena.ceiling, "{id}/{}: {estimate:?}", step.id);
                assert!(athena.ceiling <= athena.hard_stop);
            }
        }
    }
}
