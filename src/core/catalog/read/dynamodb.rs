//! Reading the `dynamodb:` section of a catalog file.

use indexmap::IndexMap;

use crate::core::book::reading::{Fields, Reading, entries, said};
use crate::core::book::yaml::{Node, Value};
use crate::core::book::{Setting, tags};
use crate::core::dynamodb::{AttributeFacts, IndexFacts, Key, KeyAttribute, KeyKind, Projection, TableFacts};
use crate::core::text::visible;
use crate::core::units::{Bytes, Timestamp};

/// Keys of a table.
pub(in crate::core) const TABLE_KEYS: &[&str] = &["key", "items", "bytes", "attributes", "complete", "indexes"];
/// Keys of an index.
pub(in crate::core) const INDEX_KEYS: &[&str] = &["key", "projection", "local", "items", "bytes"];
/// Keys of an attribute.
pub(in crate::core) const ATTRIBUTE_KEYS: &[&str] = &["name", "tags"];

const KINDS: [(&str, KeyKind); 3] = [("S", KeyKind::String), ("N", KeyKind::Number), ("B", KeyKind::Binary)];

pub(super) fn tables(reading: &mut Reading, node: &Node, taken_at: Option<Timestamp>) -> IndexMap<String, TableFacts> {
    let mut tables = IndexMap::new();
    for (name, key_node, value) in entries(reading, node, "`dynamodb`").unwrap_or_default() {
        let what = format!("table `{}`", visible(name));
        let Some(fields) = Fields::of(reading, value, &what, TABLE_KEYS) else { continue };
        let Some(key) = fields.need(reading, "key", &what).and_then(|node| key(reading, node)) else { continue };
        let facts = TableFacts {
            key,
            items: number(reading, &fields, "items"),
            bytes: number(reading, &fields, "bytes").map(Bytes),
            attributes: fields.get("attributes").map(|node| attributes(reading, node)).unwrap_or_default(),
            complete: fields.get("complete").and_then(|node| reading.yes(node, "`complete`")).unwrap_or(false),
            indexes: fields.get("indexes").map(|node| indexes(reading, node)).unwrap_or_default(),
            taken_at,
            place: Some(key_node.place.clone()),
        };
        tables.insert(name.to_owned(), facts);
    }
    tables
}

fn number(reading: &mut Reading, fields: &Fields<'_>, key: &str) -> Option<u64> {
    let node = fields.get(key)?;
    reading.whole(node, &format!("`{key}`"), 0, u64::MAX)
}

/// `{ pk: S, sk: S }`: the partition key first.
fn key(reading: &mut Reading, node: &Node) -> Option<Key> {
    let mut attributes = Vec::new();
    for (name, _, value) in entries(reading, node, "`key`")? {
        let kind = reading.word(value, &format!("the type of `{}`", visible(name)), &KINDS)?;
        attributes.push(KeyAttribute { name: name.to_owned(), kind });
    }
    let count = attributes.len();
    let mut attributes = attributes.into_iter();
    match (attributes.next(), attributes.next(), count) {
        (Some(partition), sort, 1..=2) => Some(Key { partition, sort }),
        _ => {
            let message = format!("`key` has {count} attributes; a key has one or two");
            reading.wrong(&node.place, message, "write the partition key, then the sort key: { pk: S, sk: S }");
            None
        }
    }
}

fn attributes(reading: &mut Reading, node: &Node) -> Vec<AttributeFacts> {
    let mut attributes = Vec::new();
    for item in reading.list(node, "`attributes`").unwrap_or_default() {
        let Some(fields) = Fields::of(reading, item, "an attribute", ATTRIBUTE_KEYS) else { continue };
        let Some(name) = fields.need(reading, "name", "the attribute").and_then(|node| reading.text(node, "`name`")) else {
            continue;
        };
        let tags = match fields.get("tags") {
            Some(node) if node.value != Value::List(Vec::new()) => {
                Setting { value: tags(reading, node, &name), set_in: Some(node.place.clone()) }
            }
            _ => Setting::default(),
        };
        attributes.push(AttributeFacts { name, tags });
    }
    attributes
}

fn indexes(reading: &mut Reading, node: &Node) -> IndexMap<String, IndexFacts> {
    let mut indexes = IndexMap::new();
    for (name, _, value) in entries(reading, node, "`indexes`").unwrap_or_default() {
        let what = format!("index `{}`", visible(name));
        let Some(fields) = Fields::of(reading, value, &what, INDEX_KEYS) else { continue };
        let Some(key) = fields.need(reading, "key", &what).and_then(|node| key(reading, node)) else { continue };
        let facts = IndexFacts {
            key,
            projection: fields.get("projection").map(|node| projection(reading, node)).unwrap_or_default(),
            local: fields.get("local").and_then(|node| reading.yes(node, "`local`")).unwrap_or(false),
            items: number(reading, &fields, "items"),
            bytes: number(reading, &fields, "bytes").map(Bytes),
        };
        indexes.insert(name.to_owned(), facts);
    }
    indexes
}

/// `all`, `keys`, or the attributes that are held besides the keys.
fn projection(reading: &mut Reading, node: &Node) -> Projection {
    if matches!(node.value, Value::List(_)) {
        return Projection::Include(reading.texts(node, "`projection`").into_iter().map(|name| name.value).collect());
    }
    match node.scalar().map(|scalar| scalar.text.as_str()) {
        Some("all") => Projection::All,
        Some("keys") => Projection::Keys,
        _ => {
            let message = format!("`projection` is {}", said(node));
            reading.wrong(&node.place, message, "it is all, keys, or a list of attributes");
            Projection::Keys
        }
    }
}
