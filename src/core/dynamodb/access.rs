//! Access paths of GetItem and Query, and the read units they cost.
//!
//! Sources: DynamoDB developer guide, "Read consumption" and "Querying": a read unit is 4 KB strongly consistent, half of it
//! eventually; GetItem rounds its item up, Query the sum of what it *evaluates*, once a page; projection and filter save nothing.

use super::facts::{IndexFacts, Key, KeyAttribute, KeyKind, TableFacts};
use super::filter::Filter;
use crate::core::estimate::Bounds;
use crate::core::guard::Rule;
use crate::core::runbook::{DynamodbStep, GetItem, ItemValue, Query};

/// Bytes of one read unit.
const BLOCK: u64 = 4096;
/// The largest item (DynamoDB quotas).
pub const MOST_ITEM: u64 = 400 * 1024;
/// A page ends with the item that reaches this.
pub const PAGE: u64 = 1 << 20;

/// How a step reads its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// In words: `Query on orders by pk, 1 page expected`.
    pub path: String,
    /// Thousandths of a read unit; `None` when unknown.
    pub units: Option<Bounds>,
    /// What the numbers rest on.
    pub why: String,
    /// What the service would refuse, and what reads too much.
    pub errors: Vec<AccessError>,
}

/// The type of a value that a step gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Given {
    /// One that a key may have.
    Key(KeyKind),
    /// A boolean, which no key may have.
    Boolean,
}

/// A reason why a step cannot run as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessError {
    /// The rule that reports it.
    pub rule: Rule,
    /// What and why, in plain words.
    pub message: String,
    /// The attribute or index.
    pub subject: Option<String>,
}

/// The access path of a step. `facts` are the table's, if the catalog has them; `kind` gives the type of a key value (`None`: any);
/// `filter` is the step's filter, already read.
pub fn access(
    step: &DynamodbStep,
    facts: Option<&TableFacts>,
    kind: &dyn Fn(&ItemValue) -> Option<Given>,
    filter: Option<&Filter>,
) -> Access {
    match step {
        DynamodbStep::Get(get) => get_item(get, facts, kind),
        DynamodbStep::Query(query) => self::query(query, facts, kind, filter),
    }
}

fn error(rule: Rule, subject: Option<&str>, message: String) -> AccessError {
    AccessError { rule, message, subject: subject.map(str::to_owned) }
}

fn blocks(bytes: u64, consistent: bool) -> u64 {
    bytes.div_ceil(BLOCK).max(1).saturating_mul(if consistent { 1000 } else { 500 })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(crate::core::text::visible).collect::<Vec<_>>().join(", ")
}

fn get_item(get: &GetItem, facts: Option<&TableFacts>, kind: &dyn Fn(&ItemValue) -> Option<Given>) -> Access {
    let table = crate::core::text::visible(&get.table);
    let mut errors = Vec::new();
    if let Some(facts) = facts {
        let wanted: Vec<&KeyAttribute> = std::iter::once(&facts.key.partition).chain(&facts.key.sort).collect();
        for attribute in &wanted {
            match get.key.get(&attribute.name) {
                Some(value) => errors.extend(wrong_kind(attribute, value, kind)),
                None => errors.push(error(
                    Rule::PartitionKey,
                    Some(&attribute.name),
                    format!("the key of {table} is ({}), and `{}` has no value", listed(facts.key.names()), attribute.name),
                )),
            }
        }
        for name in get.key.keys().filter(|name| wanted.iter().all(|attribute| attribute.name != **name)) {
            let name = crate::core::text::visible(name);
            errors.push(error(
                Rule::PartitionKey,
                Some(&name),
                format!("`{name}` is not in the key of {table}, which is ({})", listed(facts.key.names())),
            ));
        }
    }
    let mean = facts.and_then(TableFacts::mean_item);
    let units = Bounds::new(
        blocks(1, get.consistent),
        blocks(mean.unwrap_or(1).min(MOST_ITEM), get.consistent),
        blocks(MOST_ITEM, get.consistent),
    );
    let why = match mean {
        Some(mean) => format!("one item, {} on average, at most 400 KB", crate::core::units::Bytes(mean)),
        None => "one item of unknown size, at most 400 KB".to_owned(),
    };
    Access {
        path: format!("GetItem on {table} by {}", listed(get.key.keys().map(String::as_str))),
        units: Some(units),
        why,
        errors,
    }
}

fn wrong_kind(attribute: &KeyAttribute, value: &ItemValue, kind: &dyn Fn(&ItemValue) -> Option<Given>) -> Option<AccessError> {
    let given = kind(value)?;
    (given != Given::Key(attribute.kind)).then(|| {
        let given = match given {
            Given::Key(kind) => kind.word(),
            Given::Boolean => "a boolean",
        };
        let message = format!("`{}` is {} in the table's key, and the step gives {given}", attribute.name, attribute.kind.word());
        error(Rule::TypeMismatch, Some(&attribute.name), message)
    })
}

fn query(
    query: &Query,
    facts: Option<&TableFacts>,
    kind: &dyn Fn(&ItemValue) -> Option<Given>,
    filter: Option<&Filter>,
) -> Access {
    let table = crate::core::text::visible(&query.table);
    let mut errors = Vec::new();
    let index = match (&query.index, facts) {
        (Some(name), Some(facts)) => {
            let found = facts.indexes.get(name.as_str());
            if found.is_none() {
                let known = listed(facts.indexes.keys().map(String::as_str));
                let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {known}") };
                let message = format!("{table} has no index `{}`; {known}", crate::core::text::visible(name));
                errors.push(error(Rule::Index, Some(name), message));
            }
            found
        }
        _ => None,
    };
    let key = match (&query.index, facts) {
        (None, Some(facts)) => Some(&facts.key),
        _ => index.map(|index| &index.key),
    };
    if query.key.is_empty() {
        let message = format!("without a partition key it would read all of {table}");
        errors.push(error(Rule::FullScan, None, message));
    }
    if let Some(key) = key {
        check_key(query, key, kind, &mut errors);
    }
    if let (Some(facts), Some(index)) = (facts, index) {
        check_index(query, facts, index, filter, &mut errors);
    }
    if let (Some(key), Some(filter)) = (key, filter) {
        for path in &filter.paths {
            if let Some(name) = path.0.first().filter(|name| key.names().any(|key| key == name.as_str())) {
                let message = format!("`{name}` is a key: DynamoDB takes it as the step's `key` or `sort`, never in a filter");
                errors.push(error(Rule::PartitionKey, Some(name), message));
            }
        }
    }
    let by = query.key.keys().map(String::as_str).chain(query.sort.iter().map(|sort| sort.attribute.as_str()));
    let on = match &query.index {
        Some(name) => format!("{table} index {}", crate::core::text::visible(name)),
        None => table.to_string(),
    };
    let (units, why, pages) = cost(query, facts, index);
    let pages =
        pages.map_or_else(|| "pages unknown".to_owned(), |n| format!("{n} page{} expected", if n == 1 { "" } else { "s" }));
    Access { path: format!("Query on {on} by {}, {pages}", listed(by)), units, why, errors }
}

fn check_key(query: &Query, key: &Key, kind: &dyn Fn(&ItemValue) -> Option<Given>, errors: &mut Vec<AccessError>) {
    match query.key.get(&key.partition.name) {
        Some(value) => errors.extend(wrong_kind(&key.partition, value, kind)),
        None if query.key.is_empty() => {}
        None => errors.push(error(
            Rule::PartitionKey,
            Some(&key.partition.name),
            format!("the partition key is `{}`, and it has no value", crate::core::text::visible(&key.partition.name)),
        )),
    }
    for name in query.key.keys().filter(|name| **name != key.partition.name) {
        let name = crate::core::text::visible(name);
        let way = match &key.sort {
            Some(sort) if sort.name == *name => "; a condition on the sort key stands under `sort`",
            _ => "",
        };
        errors.push(error(Rule::PartitionKey, Some(&name), format!("`{name}` is not the partition key{way}")));
    }
    if let Some(sort) = &query.sort {
        match &key.sort {
            Some(attribute) if attribute.name == sort.attribute => {
                errors.extend(sort.values.iter().find_map(|value| wrong_kind(attribute, value, kind)));
            }
            Some(attribute) => errors.push(error(
                Rule::PartitionKey,
                Some(&sort.attribute),
                format!("the sort key is `{}`", crate::core::text::visible(&attribute.name)),
            )),
            None => errors.push(error(Rule::PartitionKey, Some(&sort.attribute), "there is no sort key here".to_owned())),
        }
    }
}

fn check_index(query: &Query, facts: &TableFacts, index: &IndexFacts, filter: Option<&Filter>, errors: &mut Vec<AccessError>) {
    if query.consistent && !index.local {
        errors.push(error(Rule::Index, None, "a global index has no strongly consistent reads".to_owned()));
    }
    let projected = query.project.iter().map(|path| path.split(['.', '[']).next().unwrap_or_default());
    let filtered = filter.iter().flat_map(|filter| &filter.paths).filter_map(|path| path.0.first().map(String::as_str));
    for name in projected.filter(|_| !index.local).chain(filtered) {
        if !index.holds(&facts.key, name) && errors.iter().all(|error| error.subject.as_deref() != Some(name)) {
            let message =
                format!("`{}` is not in the index, and the service refuses to fetch it", crate::core::text::visible(name));
            errors.push(error(Rule::Index, Some(name), message));
        }
    }
}

/// Units, why, and the pages expected.
fn cost(query: &Query, facts: Option<&TableFacts>, index: Option<&IndexFacts>) -> (Option<Bounds>, String, Option<u64>) {
    let (mean, total) = match (&query.index, index) {
        (Some(_), Some(index)) => (index.mean_item(), index.bytes),
        (Some(_), None) => (None, None),
        (None, _) => (facts.and_then(TableFacts::mean_item), facts.and_then(|facts| facts.bytes)),
    };
    // A new table says 0 for hours.
    let total = total.map(|bytes| bytes.0).filter(|bytes| *bytes > 0);
    // Only without a filter does the limit bound what is evaluated.
    let limit = query.limit.filter(|_| query.filter.is_none()).map(u64::from);
    // What a local index lacks is fetched from the table, item by item.
    let fetched = match (index, facts) {
        (Some(index), Some(facts)) if index.local => {
            query.project.is_empty() && index.projection != super::Projection::All
                || query.project.iter().any(|path| !index.holds(&facts.key, path.split(['.', '[']).next().unwrap_or_default()))
        }
        _ => false,
    };
    let units = |bytes: u64, items: Option<u64>, item: u64| {
        let own = blocks(bytes, query.consistent).saturating_add((bytes / PAGE).saturating_mul(500));
        let more = if fetched { items.unwrap_or(0).saturating_mul(blocks(item, query.consistent)) } else { 0 };
        own.saturating_add(more)
    };
    let low = blocks(1, query.consistent);
    let most = match (limit, total) {
        (Some(limit), Some(total)) => Some(total.min(limit.saturating_mul(MOST_ITEM))),
        (Some(limit), None) => Some(limit.saturating_mul(MOST_ITEM)),
        (None, total) => total,
    };
    let Some(most) = most else {
        return (None, "the catalog does not say how large it is, and there is no limit".to_owned(), None);
    };
    // The service's sizes are up to six hours old; a tenth more covers what came since.
    let most = if limit.is_none() { most.saturating_add(most / 10) } else { most };
    let high_items = limit.or_else(|| mean.map(|mean| most / mean.max(1)));
    if fetched && high_items.is_none() {
        return (None, "each item is fetched from the table, and nobody knows how many there are".to_owned(), None);
    }
    let expected = match (limit, mean) {
        (Some(limit), mean) => limit.saturating_mul(mean.unwrap_or(BLOCK)).min(most),
        (None, _) => PAGE.min(most),
    };
    let expected_items = limit.or_else(|| mean.map(|mean| expected / mean.max(1)));
    let bounds = Bounds::new(low, units(expected, expected_items, mean.unwrap_or(BLOCK)), units(most, high_items, MOST_ITEM));
    let why = match (limit, mean) {
        (Some(limit), Some(mean)) => format!("at most {limit} items of {} on average", crate::core::units::Bytes(mean)),
        (Some(limit), None) => format!("at most {limit} items, taken as 4 KB each"),
        (None, _) if most <= PAGE => "no limit: at most all of it, which is one page".to_owned(),
        (None, _) => "no limit: one page expected, at most all of it".to_owned(),
    };
    (Some(bounds), why, Some(expected.div_ceil(PAGE).max(1)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::book::{Place, Placed};
    use crate::core::dynamodb::{Projection, parse_filter};
    use crate::core::runbook::{Sort, SortOperator};
    use crate::core::units::Bytes;

    fn placed<T>(value: T) -> Placed<T> {
        Placed { value, place: Place { file: Arc::from("x.yaml"), line: 1, column: 1, width: 1 } }
    }

    fn attribute(name: &str) -> KeyAttribute {
        KeyAttribute { name: name.into(), kind: KeyKind::String }
    }

    fn orders() -> TableFacts {
        let index = |local: bool, projection: Projection| IndexFacts {
            key: Key { partition: attribute(if local { "pk" } else { "state" }), sort: Some(attribute("updated_at")) },
            projection,
            local,
            items: Some(1000),
            bytes: Some(Bytes(100_000)),
        };
        TableFacts {
            key: Key { partition: attribute("pk"), sort: Some(attribute("sk")) },
            items: Some(10_000),
            bytes: Some(Bytes(5_000_000)),
            attributes: vec![],
            complete: false,
            indexes: [
                ("by-state".to_owned(), index(false, Projection::Include(vec!["lock_owner".into()]))),
                ("recent".to_owned(), index(true, Projection::Keys)),
            ]
            .into_iter()
            .collect(),
            taken_at: None,
            place: None,
        }
    }

    fn get(key: &[&str], consistent: bool) -> DynamodbStep {
        let key = key.iter().map(|name| ((*name).to_owned(), ItemValue::Bool(true))).collect();
        DynamodbStep::Get(GetItem { table: placed("orders".into()), key, project: vec![], consistent })
    }

    fn query(edit: impl Fn(&mut Query)) -> DynamodbStep {
        let mut query = Query {
            table: placed("orders".into()),
            index: None,
            key: [("pk".to_owned(), ItemValue::Bool(true))].into_iter().collect(),
            sort: None,
            filter: None,
            params: vec![],
            project: vec![placed("pk".into())],
            limit: None,
            descending: false,
            consistent: false,
        };
        edit(&mut query);
        DynamodbStep::Query(query)
    }

    fn judged(step: &DynamodbStep) -> Access {
        let filter = match step {
            DynamodbStep::Query(query) => query.filter.as_ref().map(|text| parse_filter(text).unwrap()),
            DynamodbStep::Get(_) => None,
        };
        access(step, Some(&orders()), &|_| Some(Given::Key(KeyKind::String)), filter.as_ref())
    }

    #[test]
    fn paths_are_said_in_words() {
        assert_eq!(judged(&get(&["pk", "sk"], false)).path, "GetItem on orders by pk, sk");
        assert_eq!(judged(&query(|_| ())).path, "Query on orders by pk, 1 page expected");
    }

    #[test]
    fn get_rounds_one_item_up() {
        assert_eq!(judged(&get(&["pk", "sk"], false)).units, Some(Bounds { low: 500, expected: 500, high: 50_000 }));
        assert_eq!(judged(&get(&["pk", "sk"], true)).units, Some(Bounds { low: 1000, expected: 1000, high: 100_000 }));
    }

    #[test]
    fn queries_cost_what_they_evaluate() {
        // 500 bytes an item on average.
        let limited = judged(&query(|q| q.limit = Some(100)));
        assert_eq!(limited.units.map(|b| (b.low, b.expected)), Some((500, 6_500)));
        // A filter saves nothing, so the limit bounds nothing.
        let filtered = judged(&query(|q| {
            q.limit = Some(100);
            q.filter = Some(placed("state = 'x'".into()));
        }));
        assert_eq!(filtered.units, judged(&query(|_| ())).units);
        assert!(filtered.units.unwrap().high >= 5_000_000 / 4096 * 500);
        // Fetching 10 items through a local index that holds keys only: half a unit for the index, half a unit each.
        let fetching = judged(&query(|q| {
            q.index = Some(placed("recent".into()));
            q.limit = Some(10);
            q.project = vec![placed("card".into())];
        }));
        assert_eq!(fetching.units.map(|b| b.expected), Some(500 + 10 * 500));
        let unknown = access(&query(|_| ()), None, &|_| None, None);
        assert_eq!(unknown.units, None);
    }

    #[test]
    fn what_the_service_refuses_is_an_error() {
        let sort = |attribute: &str| {
            Some(Sort { attribute: attribute.into(), operator: SortOperator::Equal, values: vec![ItemValue::Bool(true)] })
        };
        let cases = [
            (get(&["pk"], false), vec![Rule::PartitionKey]),
            (get(&["pk", "sk", "x"], false), vec![Rule::PartitionKey]),
            (query(|q| q.key.clear()), vec![Rule::FullScan]),
            (query(|q| q.sort = sort("updated_at")), vec![Rule::PartitionKey]),
            (query(|q| q.sort = sort("sk")), vec![]),
            (query(|q| q.index = Some(placed("nope".into()))), vec![Rule::Index]),
            (query(|q| q.index = Some(placed("by-state".into()))), vec![Rule::PartitionKey, Rule::PartitionKey]),
            (query(|q| q.filter = Some(placed("pk = 'x'".into()))), vec![Rule::PartitionKey]),
            (
                query(|q| {
                    q.index = Some(placed("by-state".into()));
                    q.key = [("state".to_owned(), ItemValue::Bool(true))].into_iter().collect();
                    q.project = vec![placed("card".into()), placed("lock_owner".into()), placed("sk".into())];
                    q.consistent = true;
                }),
                vec![Rule::Index, Rule::Index],
            ),
        ];
        for (step, rules) in cases {
            let found: Vec<Rule> = judged(&step).errors.iter().map(|error| error.rule).collect();
            assert_eq!(found, rules, "{step:?}");
        }
        let numbers = access(&get(&["pk", "sk"], false), Some(&orders()), &|_| Some(Given::Key(KeyKind::Number)), None);
        assert_eq!(numbers.errors.iter().map(|e| e.rule).collect::<Vec<_>>(), [Rule::TypeMismatch; 2]);
    }
}
