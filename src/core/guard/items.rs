//! Judging DynamoDB reads.

use std::collections::BTreeSet;

use super::glob::matches_part;
use super::judge::level_of;
use super::{Cost, Finding, Judgement, Level, OutputColumn, Param, Params, Rule, TableRead, Verdict, Why, World};
use crate::core::dynamodb::{Access, Filter, Given, KeyKind, TableFacts, access, parse_filter};
use crate::core::estimate::{Bounds, ReadCost};
use crate::core::runbook::{DynamodbStep, ItemValue, ParamType, ParamValue};
use crate::core::text::visible;
use crate::core::units::ReadUnits;

/// Judges one DynamoDB read with its parameters. Never fails: what cannot be read is a finding that blocks.
///
/// Blocked attributes work by an allow-list: items have no schema, so a read that does not name its attributes may return any, and
/// is blocked on a table where anything may be blocked, unless the catalog declares every attribute (`complete: true`).
pub fn judge_dynamodb(world: &World<'_>, step: &DynamodbStep, params: &Params) -> Judgement {
    let parts = Parts::of(step);
    let facts = world.catalog.dynamodb.get(parts.table);
    let mut findings = Vec::new();
    let filter = match parts.filter.map(parse_filter).transpose() {
        Ok(filter) => filter,
        Err(error) => {
            let message = format!("the filter cannot be read: {error} (character {})", error.column);
            findings.push(Finding::new(Rule::NotAnalysed, Level::Block, message).coded("SYNTAX_ERROR"));
            None
        }
    };
    let analysed = findings.is_empty();
    let kind = |value: &ItemValue| given(value, params);
    let access = access(step, facts, &kind, filter.as_ref());
    for error in &access.errors {
        let level = match error.rule {
            Rule::FullScan => world.guardrails.dynamodb.scan.clone(),
            rule => level_of(world, rule),
        };
        let mut finding = Finding::new(error.rule, level.value, error.message.clone()).set_in(level.set_in());
        finding.subject = error.subject.as_ref().map(|subject| format!("{}.{}", visible(parts.table), visible(subject)));
        if error.rule == Rule::TypeMismatch {
            finding = finding.coded("TYPE_MISMATCH");
        }
        findings.push(finding);
    }
    let blocked = Blocked::of(world, parts.table, facts);
    blocked_attributes(world, &parts, facts, filter.as_ref(), &blocked, &mut findings);
    projection(world, &parts, &mut findings);
    max_read_units(world, &access, &mut findings);
    findings.retain(|finding| finding.level > Level::Off);
    let cost = cost(world, access.units);
    Judgement {
        verdict: Judgement::verdict_of(&findings).max(if analysed { Verdict::Allow } else { Verdict::Block }),
        statement: parts.operation.to_owned(),
        analysed,
        findings,
        reads: vec![TableRead {
            table: parts.table.to_owned(),
            columns: parts.attributes(facts, filter.as_ref()),
            partitions: None,
        }],
        output: parts
            .project
            .iter()
            .map(|path| OutputColumn {
                name: Some((*path).to_owned()),
                kind: None,
                sources: vec![format!("{}.{path}", parts.table)],
            })
            .collect(),
        filters_on: filter.iter().flat_map(|f| &f.paths).map(|path| format!("{}.{}", parts.table, path.0.join("."))).collect(),
        scan: None,
        read: Some(ReadCost { units: access.units, path: access.path, why: access.why }),
        cost,
        canonical: None,
    }
}

/// What both operations have.
struct Parts<'a> {
    operation: &'static str,
    table: &'a str,
    index: Option<&'a str>,
    /// Attributes that are given a value: keys and the sort condition.
    keys: Vec<&'a str>,
    filter: Option<&'a str>,
    project: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(step: &'a DynamodbStep) -> Self {
        match step {
            DynamodbStep::Get(get) => Self {
                operation: "dynamodb-get",
                table: &get.table,
                index: None,
                keys: get.key.keys().map(String::as_str).collect(),
                filter: None,
                project: get.project.iter().map(|path| path.value.as_str()).collect(),
            },
            DynamodbStep::Query(query) => Self {
                operation: "dynamodb-query",
                table: &query.table,
                index: query.index.as_ref().map(|index| index.value.as_str()),
                keys: query.key.keys().map(String::as_str).chain(query.sort.iter().map(|sort| sort.attribute.as_str())).collect(),
                filter: query.filter.as_ref().map(|filter| filter.value.as_str()),
                project: query.project.iter().map(|path| path.value.as_str()).collect(),
            },
        }
    }

    /// Every attribute that the step names, and the keys that its pages are found by; sorted.
    fn attributes(&self, facts: Option<&TableFacts>, filter: Option<&Filter>) -> Vec<String> {
        let mut all: BTreeSet<String> = self.project.iter().chain(&self.keys).map(|name| (*name).to_owned()).collect();
        all.extend(filter.iter().flat_map(|filter| &filter.paths).map(|path| path.0.join(".")));
        all.extend(facts.iter().flat_map(|facts| facts.key.names().map(str::to_owned)));
        let index = facts.and_then(|facts| facts.indexes.get(self.index?));
        all.extend(index.iter().flat_map(|index| index.key.names().map(str::to_owned)));
        all.into_iter().collect()
    }
}

/// The type of a value as DynamoDB sees it.
fn given(value: &ItemValue, params: &Params) -> Option<Given> {
    match value {
        ItemValue::Number(_) => Some(Given::Key(KeyKind::Number)),
        ItemValue::Bool(_) => Some(Given::Boolean),
        ItemValue::Text(_) => Some(match value.lone_name().and_then(|name| params.get(name)) {
            Some(
                Param::Value(ParamValue::Int(_) | ParamValue::Decimal(_))
                | Param::Hole(ParamType::Int { .. } | ParamType::Decimal { .. }),
            ) => Given::Key(KeyKind::Number),
            Some(Param::Value(ParamValue::Bool(_)) | Param::Hole(ParamType::Bool)) => Given::Boolean,
            _ => Given::Key(KeyKind::String),
        }),
    }
}

/// Patterns of blocked attributes of one table.
struct Blocked {
    paths: Vec<BlockedPath>,
}

struct BlockedPath {
    /// Parts of the pattern.
    parts: Vec<String>,
    tags: Vec<String>,
    set_in: Option<String>,
}

impl Blocked {
    fn of(world: &World<'_>, table: &str, facts: Option<&TableFacts>) -> Self {
        let blocked = &world.guardrails.blocked_tags.value;
        let wanted = |tags: &[String]| tags.iter().filter(|tag| blocked.contains(tag)).cloned().collect::<Vec<_>>();
        let split = |path: &str| path.split('.').map(str::to_owned).collect();
        let mut paths: Vec<BlockedPath> = world
            .classification
            .attributes
            .iter()
            .filter(|pattern| matches_part(&pattern.table, table))
            .map(|p| BlockedPath { parts: split(&p.attribute), tags: wanted(&p.tags), set_in: Some(p.place.to_string()) })
            .collect();
        paths.extend(facts.iter().flat_map(|facts| &facts.attributes).map(|attribute| BlockedPath {
            parts: vec![attribute.name.clone()],
            tags: wanted(&attribute.tags.value),
            set_in: attribute.tags.set_in(),
        }));
        paths.retain(|path| !path.tags.is_empty());
        Self { paths }
    }

    /// The pattern that reading `path` touches: the attribute, something inside it, or a map that holds it.
    fn touched(&self, path: &str) -> Option<&BlockedPath> {
        let plain: Vec<&str> = path.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
        self.paths.iter().find(|blocked| blocked.parts.iter().zip(&plain).all(|(pattern, part)| matches_part(pattern, part)))
    }
}

/// `blocked-attribute`.
fn blocked_attributes(
    world: &World<'_>,
    parts: &Parts<'_>,
    facts: Option<&TableFacts>,
    filter: Option<&Filter>,
    blocked: &Blocked,
    findings: &mut Vec<Finding>,
) {
    let table = visible(parts.table);
    let mut push = |path: &str, why: Why, level: Level, blocked: &BlockedPath| {
        let tags = blocked.tags.join(" and ");
        let path = visible(path);
        let message = match why {
            Why::Flows => format!("{table}.{path} is tagged {tags} and would be returned"),
            Why::Influences => format!("{table}.{path} is tagged {tags}, and a condition on it tells its values"),
        };
        let mut finding = Finding::new(Rule::BlockedAttribute, level, message).about(format!("{table}.{path}"));
        finding.set_in = blocked.set_in.clone();
        finding.why = Some(why);
        findings.push(finding);
    };
    for path in &parts.project {
        if let Some(blocked) = blocked.touched(path) {
            push(path, Why::Flows, Level::Block, blocked);
        }
    }
    let influence = world.guardrails.influence.value;
    let filtered: Vec<String> = filter.iter().flat_map(|filter| &filter.paths).map(|path| path.0.join(".")).collect();
    for path in parts.keys.iter().copied().chain(filtered.iter().map(String::as_str)) {
        if let Some(blocked) = blocked.touched(path) {
            push(path, Why::Influences, influence, blocked);
        }
    }
    if !parts.project.is_empty() {
        return;
    }
    let declared = |facts: &&TableFacts| facts.complete;
    let Some(facts) = facts.filter(declared) else {
        if let Some(first) = blocked.paths.first() {
            let message = format!(
                "the read names no attributes, so it may return `{}`, which is tagged {}; list what is needed under `project`",
                visible(&first.parts.join(".")),
                first.tags.join(" and ")
            );
            let mut finding = Finding::new(Rule::BlockedAttribute, Level::Block, message).about(table.as_ref());
            finding.set_in = first.set_in.clone();
            finding.why = Some(Why::Flows);
            findings.push(finding);
        }
        return;
    };
    let keys = facts.key.names().chain(facts.indexes.values().flat_map(|index| index.key.names()));
    let all: BTreeSet<&str> = facts.attributes.iter().map(|a| a.name.as_str()).chain(keys).collect();
    for name in all {
        if let Some(blocked) = blocked.touched(name) {
            push(name, Why::Flows, Level::Block, blocked);
        }
    }
}

/// `projection`: a read that names no attributes returns whole items. Level: warn unless the book says otherwise.
fn projection(world: &World<'_>, parts: &Parts<'_>, findings: &mut Vec<Finding>) {
    let level = level_of(world, Rule::Projection);
    if parts.project.is_empty() && level.value > Level::Off {
        let message = format!("the read returns whole items of {}; list what is needed under `project`", visible(parts.table));
        findings.push(
            Finding::new(Rule::Projection, level.value, message).about(visible(parts.table).as_ref()).set_in(level.set_in()),
        );
    }
}

/// `max-read-units`: as `max-scan`, for `dynamodb.max_read_units`.
fn max_read_units(world: &World<'_>, access: &Access, findings: &mut Vec<Finding>) {
    let limit = &world.guardrails.dynamodb.max_read_units;
    let level = level_of(world, Rule::MaxReadUnits).value;
    let Some(max) = limit.value.map(ReadUnits::whole).filter(|_| level > Level::Off) else { return };
    let (level, message) = match access.units {
        None => {
            let unknown = world.guardrails.athena.unknown_estimate.value;
            (unknown.min(level), format!("nobody knows how much this would read: {}", access.why))
        }
        Some(units) if units.expected > max.0 => {
            (level, format!("{} expected is above the limit of {max} ({})", ReadUnits(units.expected), access.why))
        }
        Some(units) if units.high > max.0 => {
            let (expected, high) = (ReadUnits(units.expected), ReadUnits(units.high));
            (
                Level::Warn.min(level),
                format!("{expected} is expected, but it may be {high}, above the limit of {max} ({})", access.why),
            )
        }
        Some(_) => return,
    };
    findings.push(Finding::new(Rule::MaxReadUnits, level, message).set_in(limit.set_in()));
}

fn cost(world: &World<'_>, units: Option<Bounds>) -> Option<Cost> {
    let price = world.price?;
    let per_million = price.dynamodb_read_million?.0;
    // Thousandths of a unit, millionths of the currency per million units.
    let money = |units: u64| {
        let micros = (u128::from(units) * u128::from(per_million)).div_ceil(1_000_000_000);
        u64::try_from(micros).unwrap_or(u64::MAX)
    };
    let micros = units.map(|b| Bounds { low: money(b.low), expected: money(b.expected), high: money(b.high) });
    Some(Cost { micros, currency: price.currency.clone() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indexmap::IndexMap;

    use super::*;
    use crate::core::book::{AttributeTags, Classification, Guardrails, Place, Placed, Price, Setting};
    use crate::core::catalog::Catalog;
    use crate::core::dynamodb::{AttributeFacts, Key, KeyAttribute};
    use crate::core::estimate::ScanModel;
    use crate::core::runbook::{GetItem, Query};
    use crate::core::units::{Bytes, Micros, Timestamp};

    fn place(line: u32) -> Place {
        Place { file: Arc::from("tollgate.yaml"), line, column: 1, width: 1 }
    }

    fn placed<T>(value: T) -> Placed<T> {
        Placed { value, place: place(1) }
    }

    fn names(names: &[&str]) -> Vec<Placed<String>> {
        names.iter().map(|name| placed((*name).to_owned())).collect()
    }

    fn facts(complete: bool, attributes: &[&str]) -> TableFacts {
        let key = |name: &str| KeyAttribute { name: name.into(), kind: KeyKind::String };
        TableFacts {
            key: Key { partition: key("pk"), sort: Some(key("sk")) },
            items: Some(1000),
            bytes: Some(Bytes(500_000)),
            attributes: attributes.iter().map(|name| AttributeFacts { name: (*name).into(), tags: Setting::default() }).collect(),
            complete,
            indexes: IndexMap::new(),
            taken_at: None,
            place: None,
        }
    }

    fn get(project: &[&str]) -> DynamodbStep {
        let key = ["pk", "sk"].map(|name| (name.to_owned(), ItemValue::Number("1".into()))).into_iter().collect();
        DynamodbStep::Get(GetItem { table: placed("orders".into()), key, project: names(project), consistent: false })
    }

    fn query(project: &[&str], filter: Option<&str>, limit: Option<u32>) -> DynamodbStep {
        DynamodbStep::Query(Query {
            table: placed("orders".into()),
            index: None,
            key: [("pk".to_owned(), ItemValue::Number("1".into()))].into_iter().collect(),
            sort: None,
            filter: filter.map(|text| placed(text.to_owned())),
            params: vec![],
            project: names(project),
            limit,
            descending: false,
            consistent: false,
        })
    }

    /// The findings as `rule level why`.
    fn judged(
        step: &DynamodbStep,
        facts: Option<TableFacts>,
        blocked: &[&str],
        edit: impl Fn(&mut Guardrails),
    ) -> (Judgement, Vec<String>) {
        let mut guardrails = Guardrails::default();
        guardrails.blocked_tags.value = vec!["financial".into()];
        edit(&mut guardrails);
        let attributes = blocked
            .iter()
            .map(|attribute| AttributeTags {
                table: "ord*".into(),
                attribute: (*attribute).into(),
                tags: vec!["financial".into()],
                place: place(31),
            })
            .collect();
        let classification = Classification { attributes, ..Classification::default() };
        let mut catalog = Catalog::default();
        if let Some(mut facts) = facts {
            // The steps above give numbers.
            facts.key.partition.kind = KeyKind::Number;
            facts.key.sort.iter_mut().for_each(|key| key.kind = KeyKind::Number);
            catalog.dynamodb.insert("orders".into(), facts);
        }
        let price = Price { dynamodb_read_million: Some(Micros(125_000)), currency: "USD".into(), ..Price::default() };
        let world = World {
            catalog: &catalog,
            catalog_name: "awsdatacatalog",
            guardrails: &guardrails,
            classification: &classification,
            price: Some(&price),
            model: ScanModel::Chunks,
            now: Timestamp(0),
            second_opinion: true,
        };
        let judgement = judge_dynamodb(&world, step, &Params::new());
        let findings = judgement
            .findings
            .iter()
            .map(|f| format!("{} {:?}{}", f.rule.name(), f.level, f.why.map_or(String::new(), |why| format!(" {why:?}"))))
            .collect();
        (judgement, findings)
    }

    #[test]
    fn attributes_are_an_allow_list() {
        let flows = "blocked-attribute Block Flows".to_owned();
        let influences = "blocked-attribute Block Influences".to_owned();
        let projection = "projection Warn".to_owned();
        let cases: Vec<(DynamodbStep, Option<TableFacts>, Vec<&str>, Vec<String>)> = vec![
            (get(&["pk", "state"]), None, vec!["card"], vec![]),
            (get(&["pk", "card"]), None, vec!["card"], vec![flows.clone()]),
            // A map that holds it, and something inside it.
            (get(&["card"]), None, vec!["card.number"], vec![flows.clone()]),
            (get(&["card.number"]), None, vec!["card"], vec![flows.clone()]),
            (get(&["cards[0].number"]), None, vec!["cards.number"], vec![flows.clone()]),
            (get(&["card.brand"]), None, vec!["card.number"], vec![]),
            // Nothing named: anything may come.
            (get(&[]), None, vec!["card"], vec![flows.clone(), projection.clone()]),
            (get(&[]), Some(facts(false, &["state"])), vec!["card"], vec![flows.clone(), projection.clone()]),
            (get(&[]), Some(facts(true, &["state"])), vec!["card"], vec![projection.clone()]),
            (get(&[]), Some(facts(true, &["state", "card"])), vec!["card"], vec![flows.clone(), projection.clone()]),
            (get(&[]), None, vec![], vec![projection]),
            // Conditions tell values.
            (query(&["state"], Some("card = 'x'"), None), None, vec!["card"], vec![influences.clone()]),
            (query(&["state"], Some("size(card.number) > 3"), None), None, vec!["card"], vec![influences.clone()]),
            (query(&["state"], None, None), None, vec!["p?"], vec![influences]),
        ];
        for (step, facts, blocked, wanted) in cases {
            assert_eq!(judged(&step, facts, &blocked, |_| ()).1, wanted, "{step:?} with {blocked:?}");
        }
    }

    #[test]
    fn read_units_have_a_limit() {
        let limit = |units: u64| move |g: &mut Guardrails| g.dynamodb.max_read_units.value = Some(units);
        let all = || Some(facts(false, &[]));
        let cases = [
            (get(&["pk"]), all(), 50, vec![]),
            (get(&["pk"]), all(), 1, vec!["max-read-units Warn"]),
            (query(&["pk"], None, None), all(), 1000, vec![]),
            (query(&["pk"], None, None), all(), 10, vec!["max-read-units Block"]),
            (query(&["pk"], None, Some(20)), None, 5, vec!["max-read-units Block"]),
            (query(&["pk"], None, None), None, 1000, vec!["max-read-units Block"]),
        ];
        for (step, facts, units, wanted) in cases {
            assert_eq!(judged(&step, facts, &[], limit(units)).1, wanted, "{step:?} at {units}");
        }
    }

    #[test]
    fn a_judgement_says_path_units_and_money() {
        let (judgement, _) = judged(&get(&["pk", "state"]), Some(facts(false, &[])), &[], |_| ());
        let json = serde_json::to_value(&judgement).unwrap();
        assert_eq!(json["verdict"], "allow");
        assert_eq!(json["statement"], "dynamodb-get");
        assert_eq!(json["read"]["path"], "GetItem on orders by pk, sk");
        assert_eq!(json["read"]["expected"], 500);
        assert_eq!(json["reads"][0]["columns"], serde_json::json!(["pk", "sk", "state"]));
        // Half a unit at 0.125 a million, rounded up to a millionth.
        assert_eq!(judgement.cost.unwrap().micros, Some(Bounds { low: 1, expected: 1, high: 7 }));
    }

    #[test]
    fn a_filter_that_cannot_be_read_blocks() {
        let (judgement, findings) = judged(&query(&["pk"], Some("state = "), None), None, &[], |_| ());
        assert_eq!(findings, ["not-analysed Block"]);
        assert_eq!((judgement.verdict, judgement.analysed), (Verdict::Block, false));
    }
}
