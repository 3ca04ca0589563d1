//! Reading classification.

use super::super::reading::{Fields, Reading, entries};
use super::super::yaml::Node;
use super::super::{AttributeTags, Classification, ColumnTags, packs};
use crate::core::text::visible;

/// Keys of `classification`.
pub(in crate::core) const KEYS: &[&str] = &["columns", "attributes", "packs"];

pub(super) fn classification(reading: &mut Reading, node: &Node) -> Classification {
    let Some(fields) = Fields::of(reading, node, "`classification`", KEYS) else { return Classification::default() };
    let columns = fields.get("columns").map(|node| columns(reading, node)).unwrap_or_default();
    let attributes = fields.get("attributes").map(|node| attributes(reading, node)).unwrap_or_default();
    let packs = fields.get("packs").map(|node| reading.texts(node, "`packs`")).unwrap_or_default();
    for pack in &packs {
        if packs::pack(pack).is_none() {
            let message = format!("there is no pack `{}`", visible(pack));
            reading.unknown(&pack.place, message, packs::NAMES.iter().copied(), pack);
        }
    }
    Classification { columns, attributes, packs }
}

fn columns(reading: &mut Reading, node: &Node) -> Vec<ColumnTags> {
    let mut columns = Vec::new();
    for (pattern, key, value) in entries(reading, node, "`columns`").unwrap_or_default() {
        if pattern.split('.').count() < 3 || pattern.split('.').any(str::is_empty) {
            let message = format!("`{}` names no column", visible(pattern));
            reading.wrong(&key.place, message, "write database.table.column; each part may hold `*` and `?`");
            continue;
        }
        let tags = tags(reading, value, pattern);
        columns.push(ColumnTags { pattern: pattern.to_lowercase(), tags, place: key.place.clone() });
    }
    columns
}

fn attributes(reading: &mut Reading, node: &Node) -> Vec<AttributeTags> {
    let mut attributes = Vec::new();
    for (pattern, key, value) in entries(reading, node, "`attributes`").unwrap_or_default() {
        // DynamoDB's names are told apart by case, and table names may hold a dot: the last table part is the first here.
        let Some((table, attribute)) = pattern.split_once('.').filter(|(table, name)| !table.is_empty() && !name.is_empty())
        else {
            let message = format!("`{}` names no attribute", visible(pattern));
            reading.wrong(&key.place, message, "write table.attribute; each part may hold `*` and `?`");
            continue;
        };
        let tags = tags(reading, value, pattern);
        attributes.push(AttributeTags {
            table: table.to_owned(),
            attribute: attribute.to_owned(),
            tags,
            place: key.place.clone(),
        });
    }
    attributes
}

/// A list of tags, lower case, at least one.
pub(in crate::core) fn tags(reading: &mut Reading, node: &Node, of: &str) -> Vec<String> {
    let what = format!("the tags of `{}`", visible(of));
    let before = reading.count();
    let written = reading.texts(node, &what);
    let mut tags = Vec::new();
    for tag in &written {
        let good = tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'));
        if good {
            tags.push(tag.to_lowercase());
        } else {
            let message = format!("`{}` is not a tag", visible(tag));
            reading.wrong(&tag.place, message, "tags are letters, digits, `-` and `_`");
        }
    }
    if written.is_empty() && reading.count() == before {
        reading.wrong(&node.place, format!("{what} are an empty list"), "write at least one, or remove the line");
    }
    tags
}
