//! Reading DynamoDB steps.

use std::sync::Arc;

use indexmap::IndexMap;

use super::super::{DynamodbStep, GetItem, ItemValue, Query, Sort, SortOperator};
use super::step::template;
use crate::core::book::reading::{Fields, Reading, entries, said};
use crate::core::book::yaml::{Limits, Node, Shape, Value, parse};
use crate::core::book::{Place, Placed, Read};
use crate::core::text::visible;

/// Keys of `get`.
pub(in crate::core) const GET_KEYS: &[&str] = &["table", "key", "project", "consistent"];
/// Keys of `query`.
pub(in crate::core) const QUERY_KEYS: &[&str] =
    &["table", "index", "key", "sort", "filter", "project", "limit", "descending", "consistent"];

/// Operations that exist in DynamoDB and not here.
const OTHERS: [&str; 10] =
    ["scan", "put", "update", "delete", "batch_get", "batch_write", "transact_get", "transact_write", "partiql", "execute"];

/// Reads a DynamoDB step that stands alone, as `tollgate guard --dynamodb` takes it: `{ get: … }` or `{ query: … }`, YAML or JSON.
pub fn read_dynamodb(file: &str, bytes: &[u8]) -> Read<DynamodbStep> {
    let file: Arc<str> = Arc::from(file);
    let mut reading = Reading::new(Arc::clone(&file), bytes);
    let value = match parse(&file, bytes, Limits::WRITTEN) {
        Ok(root) => dynamodb(&mut reading, &root),
        Err(problem) => {
            reading.push(*problem);
            None
        }
    };
    Read { value, problems: reading.finish() }
}

/// Reads what a step's `dynamodb` key holds: `{ get: … }` or `{ query: … }`.
pub(in crate::core) fn dynamodb(reading: &mut Reading, node: &Node) -> Option<DynamodbStep> {
    let pairs = entries(reading, node, "`dynamodb`")?;
    if let Some((name, key, _)) = pairs.iter().find(|(name, _, _)| OTHERS.contains(name)) {
        let message = format!("`{name}` is not an operation of runbooks");
        reading.wrong(&key.place, message, "read with `get` or `query`");
        return None;
    }
    let fields = Fields::of(reading, node, "`dynamodb`", &["get", "query"])?;
    match (fields.get("get"), fields.get("query")) {
        (Some(node), None) => get(reading, node).map(DynamodbStep::Get),
        (None, Some(node)) => query(reading, node).map(DynamodbStep::Query),
        (Some(_), Some(_)) => {
            let place = fields.key("query").unwrap_or(fields.place);
            reading.wrong(place, "`dynamodb` has both `get` and `query`", "make two steps of it");
            None
        }
        (None, None) => {
            if pairs.is_empty() {
                reading.wrong(&node.place, "`dynamodb` does nothing", "give it `get` or `query`");
            }
            None
        }
    }
}

fn get(reading: &mut Reading, node: &Node) -> Option<GetItem> {
    let fields = Fields::of(reading, node, "`get`", GET_KEYS)?;
    let table = fields.need(reading, "table", "`get`").and_then(|node| reading.placed(node, "`table`"));
    let key = fields.need(reading, "key", "`get`").and_then(|node| key(reading, node));
    let project = project(reading, &fields);
    let consistent = yes(reading, &fields, "consistent");
    Some(GetItem { table: table?, key: key?, project, consistent })
}

fn query(reading: &mut Reading, node: &Node) -> Option<Query> {
    let fields = Fields::of(reading, node, "`query`", QUERY_KEYS)?;
    let table = fields.need(reading, "table", "`query`").and_then(|node| reading.placed(node, "`table`"));
    let index = fields.get("index").and_then(|node| reading.placed(node, "`index`"));
    let key = fields.need(reading, "key", "`query`").and_then(|node| key(reading, node));
    let sort = fields.get("sort").and_then(|node| sort(reading, node));
    let filter = fields.get("filter").and_then(|node| reading.placed(node, "`filter`"));
    if let Some(filter) = &filter
        && filter.contains("{{")
    {
        let place = reading.find(&filter.place, "{{").unwrap_or_else(|| filter.place.clone());
        reading.wrong(&place, "`{{ }}` does not stand in a filter", "write a typed parameter, `:name`");
    }
    let limit = fields.get("limit").and_then(|node| reading.whole(node, "`limit`", 1, 10_000));
    let consistent = yes(reading, &fields, "consistent");
    Some(Query {
        table: table?,
        index,
        key: key?,
        sort,
        filter,
        params: Vec::new(),
        project: project(reading, &fields),
        limit: limit.and_then(|limit| u32::try_from(limit).ok()),
        descending: yes(reading, &fields, "descending"),
        consistent,
    })
}

fn yes(reading: &mut Reading, fields: &Fields<'_>, key: &str) -> bool {
    fields.get(key).and_then(|node| reading.yes(node, &format!("`{key}`"))).unwrap_or(false)
}

fn project(reading: &mut Reading, fields: &Fields<'_>) -> Vec<Placed<String>> {
    fields.get("project").map(|node| reading.texts(node, "`project`")).unwrap_or_default()
}

fn key(reading: &mut Reading, node: &Node) -> Option<IndexMap<String, ItemValue>> {
    let pairs = entries(reading, node, "`key`")?;
    let mut key = IndexMap::new();
    for (name, _, node) in pairs {
        let value = value(reading, node, &format!("`{}`", visible(name)))?;
        key.insert(name.to_owned(), value);
    }
    if key.is_empty() {
        reading.wrong(&node.place, "`key` is empty", "write the key's attributes and their values");
        return None;
    }
    Some(key)
}

fn value(reading: &mut Reading, node: &Node, what: &str) -> Option<ItemValue> {
    let scalar = reading.scalar(node, what)?;
    match scalar.shape {
        Shape::Text => template(reading, node, what).map(ItemValue::Text),
        Shape::Bool => Some(ItemValue::Bool(scalar.text.eq_ignore_ascii_case("true"))),
        Shape::Whole | Shape::Real => match scalar.text.parse::<super::super::Decimal>() {
            Ok(number) => Some(ItemValue::Number(number.to_string())),
            Err(_) => {
                reading.wrong(&node.place, format!("{what} is {}", said(node)), "quote it, or write a decimal number");
                None
            }
        },
    }
}

/// `{ created_at: { between: [a, b] } }`.
fn sort(reading: &mut Reading, node: &Node) -> Option<Sort> {
    let pairs = entries(reading, node, "`sort`")?;
    let (attribute, _, condition) = one(reading, &pairs, &node.place, "`sort`", "attribute")?;
    let pairs = entries(reading, condition, "the condition of `sort`")?;
    let (word, key, operand) = one(reading, &pairs, &condition.place, "the condition of `sort`", "comparison")?;
    let Some((_, operator)) = SortOperator::ALL.into_iter().find(|(name, _)| *name == word) else {
        let message = format!("`{}` is not a comparison of sort keys", visible(word));
        reading.unknown(&key.place, message, SortOperator::ALL.iter().map(|(name, _)| *name), word);
        return None;
    };
    let nodes: Vec<&Node> = match &operand.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![operand],
    };
    let wanted = if operator == SortOperator::Between { 2 } else { 1 };
    if nodes.len() != wanted {
        let message = format!("`{word}` takes {wanted} value{}, not {}", if wanted == 1 { "" } else { "s" }, nodes.len());
        let fix = if wanted == 2 { "write [least, most]" } else { "write one value" };
        reading.wrong(&operand.place, message, fix);
        return None;
    }
    let values = nodes.into_iter().map(|node| value(reading, node, &format!("`{word}`"))).collect::<Option<Vec<_>>>()?;
    Some(Sort { attribute: attribute.to_owned(), operator, values })
}

fn one<'n>(
    reading: &mut Reading,
    pairs: &[(&'n str, &'n Node, &'n Node)],
    place: &Place,
    what: &str,
    of: &str,
) -> Option<(&'n str, &'n Node, &'n Node)> {
    match pairs {
        [pair] => Some(*pair),
        _ => {
            reading.wrong(place, format!("{what} has {} {of}s, not one", pairs.len()), "write { created_at: { ge: \"2026\" } }");
            None
        }
    }
}
