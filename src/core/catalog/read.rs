//! Reading `catalog.yaml`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Catalog, Column, DataCatalog, Format, Partition, Table};
use crate::core::book::reading::{Fields, Reading, entries, said};
use crate::core::book::yaml::{Limits, Node, Value};
use crate::core::book::{Read, Setting, tags, version};
use crate::core::text::visible;
use crate::core::units::{Bytes, Timestamp};

mod dynamodb;

#[cfg(test)]
pub(in crate::core) use dynamodb::{ATTRIBUTE_KEYS, INDEX_KEYS, TABLE_KEYS as DYNAMODB_TABLE_KEYS};

/// Keys of a catalog file.
pub(in crate::core) const KEYS: &[&str] = &["catalog", "name", "taken_at", "tables", "catalogs", "dynamodb"];
/// Keys of a table.
pub(in crate::core) const TABLE_KEYS: &[&str] = &["format", "location", "columns", "partition_keys", "partitions", "view"];
/// Keys of a column.
pub(in crate::core) const COLUMN_KEYS: &[&str] = &["name", "type", "tags"];
/// Keys of a partition.
pub(in crate::core) const PARTITION_KEYS: &[&str] = &["values", "location", "files", "bytes", "rows", "column_bytes"];
/// Words of formats.
pub(in crate::core) const FORMATS: [(&str, Format); 6] = [
    ("parquet", Format::Parquet),
    ("orc", Format::Orc),
    ("csv", Format::Csv),
    ("json", Format::Json),
    ("iceberg", Format::Iceberg),
    ("text", Format::Text),
];

/// Reads a catalog file from its bytes. `base` is the folder that its relative locations are meant from.
pub fn read_catalog(file: &str, bytes: &[u8], base: &str) -> Read<Catalog> {
    let file: Arc<str> = Arc::from(file);
    let mut reading = Reading::new(Arc::clone(&file), bytes);
    let value = match crate::core::book::yaml::parse(&file, bytes, Limits::FACTS) {
        Ok(root) => catalog(&mut reading, &root, base),
        Err(problem) => {
            reading.push(*problem);
            None
        }
    };
    Read { value, problems: reading.finish() }
}

fn catalog(reading: &mut Reading, root: &Node, base: &str) -> Option<Catalog> {
    let fields = Fields::of(reading, root, "the catalog", KEYS)?;
    version(reading, &fields, "catalog");
    let name = fields.need(reading, "name", "the catalog").and_then(|node| reading.text(node, "`name`")).unwrap_or_default();
    let name = name.to_lowercase();
    let taken_at = fields.get("taken_at").and_then(|node| time(reading, node));
    let own = fields.get("tables").map(|node| tables(reading, node, base, taken_at)).unwrap_or_default();
    let mut catalogs = IndexMap::from([(name.clone(), DataCatalog { taken_at, tables: own })]);
    if let Some(node) = fields.get("catalogs") {
        for (name, key, value) in entries(reading, node, "`catalogs`").unwrap_or_default() {
            let what = format!("data catalog `{}`", visible(name));
            let Some(fields) = Fields::of(reading, value, &what, &["tables"]) else { continue };
            let tables = fields.need(reading, "tables", &what).map(|node| tables(reading, node, base, taken_at));
            let facts = DataCatalog { taken_at, tables: tables.unwrap_or_default() };
            if catalogs.insert(name.to_lowercase(), facts).is_some() {
                let message = format!("{what} is described twice; names compare without case");
                reading.wrong(&key.place, message, "keep one of them");
            }
        }
    }
    let dynamodb = fields.get("dynamodb").map(|node| dynamodb::tables(reading, node, taken_at)).unwrap_or_default();
    Some(Catalog { name, catalogs, dynamodb })
}

fn time(reading: &mut Reading, node: &Node) -> Option<Timestamp> {
    let text = reading.text(node, "`taken_at`")?;
    match text.parse() {
        Ok(time) => Some(time),
        Err(reason) => {
            let message = format!("`taken_at`: {}", visible(&format!("{reason}")));
            reading.wrong(&node.place, message, "write when the facts were taken, in UTC");
            None
        }
    }
}

fn tables(reading: &mut Reading, node: &Node, base: &str, taken_at: Option<Timestamp>) -> IndexMap<String, Table> {
    let mut tables = IndexMap::new();
    for (name, key, value) in entries(reading, node, "`tables`").unwrap_or_default() {
        if name.split('.').count() != 2 || name.split('.').any(str::is_empty) {
            let message = format!("`{}` is not the name of a table", visible(name));
            reading.wrong(&key.place, message, "write database.table; other data catalogs go below `catalogs`");
            continue;
        }
        let Some(mut table) = table(reading, name, key, value, base) else { continue };
        table.taken_at = taken_at;
        if tables.insert(name.to_lowercase(), table).is_some() {
            let message = format!("table `{}` is described twice; names compare without case", visible(name));
            reading.wrong(&key.place, message, "keep one of them");
        }
    }
    tables
}

fn table(reading: &mut Reading, name: &str, key: &Node, node: &Node, base: &str) -> Option<Table> {
    let what = format!("table `{}`", visible(name));
    let fields = Fields::of(reading, node, &what, TABLE_KEYS)?;
    let columns = fields.need(reading, "columns", &what).map(|node| columns(reading, node, "`columns`")).unwrap_or_default();
    let partition_keys = fields.get("partition_keys").map(|node| columns_of_keys(reading, node)).unwrap_or_default();
    let mut seen: Vec<&str> = Vec::new();
    for column in columns.iter().chain(&partition_keys) {
        if seen.contains(&column.name.as_str()) {
            let message = format!("{what} has column `{}` twice", visible(&column.name));
            reading.wrong(&key.place, message, "keep one of them; names compare without case");
        }
        seen.push(&column.name);
    }
    let view = fields.get("view").and_then(|node| reading.text(node, "`view`"));
    if let (Some(_), Some(place)) = (&view, fields.key("partitions").or_else(|| fields.key("location"))) {
        reading.wrong(place, format!("{what} is a view, which has no files"), "remove it, or remove `view`");
    }
    let partitions = fields.get("partitions").and_then(|node| partitions(reading, node, &what, partition_keys.len()));
    Some(Table {
        format: fields.get("format").and_then(|node| reading.word(node, "`format`", &FORMATS)),
        location: fields.get("location").and_then(|node| reading.text(node, "`location`")),
        base: base.to_owned(),
        columns,
        partition_keys,
        partitions,
        view,
        taken_at: None,
        listed_at: None,
        place: Some(key.place.clone()),
    })
}

fn columns_of_keys(reading: &mut Reading, node: &Node) -> Vec<Column> {
    columns(reading, node, "`partition_keys`")
}

fn columns(reading: &mut Reading, node: &Node, what: &str) -> Vec<Column> {
    let mut columns = Vec::new();
    for item in reading.list(node, what).unwrap_or_default() {
        let Some(fields) = Fields::of(reading, item, "a column", COLUMN_KEYS) else { continue };
        let name = fields.need(reading, "name", "the column").and_then(|node| reading.text(node, "`name`"));
        let column_type = fields.need(reading, "type", "the column").and_then(|node| reading.text(node, "`type`"));
        let (Some(name), Some(column_type)) = (name, column_type) else { continue };
        let tags = match fields.get("tags") {
            Some(node) if node.value == Value::List(Vec::new()) => Setting::default(),
            Some(node) => Setting { value: tags(reading, node, &name), set_in: Some(node.place.clone()) },
            None => Setting::default(),
        };
        columns.push(Column { name: name.to_lowercase(), column_type, tags });
    }
    columns
}

fn partitions(reading: &mut Reading, node: &Node, what: &str, keys: usize) -> Option<Vec<Partition>> {
    let items = reading.list(node, "`partitions`")?;
    let mut partitions = Vec::with_capacity(items.len());
    for item in items {
        let Some(fields) = Fields::of(reading, item, "a partition", PARTITION_KEYS) else { continue };
        let values = match fields.get("values") {
            Some(node) => values(reading, node),
            None => Vec::new(),
        };
        if values.len() != keys {
            let message = format!("the partition has {} values, {what} has {keys} partition keys", values.len());
            reading.wrong(fields.place, message, "write one value for each key, in their order");
            continue;
        }
        let mut number = |key: &str| {
            let node = fields.get(key)?;
            reading.whole(node, &format!("`{key}`"), 0, u64::MAX)
        };
        let (files, bytes, rows) = (number("files"), number("bytes"), number("rows"));
        let column_bytes = fields.get("column_bytes").map(|node| column_bytes(reading, node)).unwrap_or_default();
        partitions.push(Partition {
            values,
            location: fields.get("location").and_then(|node| reading.text(node, "`location`")),
            files,
            bytes: bytes.map(Bytes),
            rows,
            column_bytes,
            objects: None,
        });
    }
    Some(partitions)
}

/// Values as written; nothing (`null`) is Hive's default partition.
fn values(reading: &mut Reading, node: &Node) -> Vec<Option<String>> {
    let items = reading.list(node, "`values`").unwrap_or_default();
    let value = |item: &Node, reading: &mut Reading| match &item.value {
        Value::Null => None,
        _ => reading.scalar(item, "a value of the partition").map(|scalar| scalar.text.clone()),
    };
    items.iter().map(|item| value(item, reading)).collect()
}

fn column_bytes(reading: &mut Reading, node: &Node) -> IndexMap<String, Bytes> {
    let mut bytes = IndexMap::new();
    for (name, _, value) in entries(reading, node, "`column_bytes`").unwrap_or_default() {
        let number = value.scalar().and_then(|scalar| scalar.text.parse().ok());
        match number {
            Some(number) => {
                bytes.insert(name.to_lowercase(), Bytes(number));
            }
            None => {
                let message = format!("`{}` is {}", visible(name), said(value));
                reading.wrong(&value.place, message, "write a number of bytes");
            }
        }
    }
    bytes
}
