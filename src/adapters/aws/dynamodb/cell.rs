//! Items as rows: the projected attributes in their order, nested values as JSON, numbers as the text they are stored as.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Item;
use super::expression::steps;
use crate::core::plan::DynamodbRequest;
use crate::engine::ports::{FetchLimits, RowColumn, Rows};

/// Items being taken, up to limits.
pub(super) struct Table {
    project: Vec<String>,
    /// Shown first where everything is asked for.
    keys: Vec<String>,
    limits: FetchLimits,
    items: Vec<Item>,
    bytes: usize,
    truncated: bool,
}

impl Table {
    pub(super) fn new(request: &DynamodbRequest, limits: FetchLimits) -> Self {
        let keys = request.key.keys().cloned().chain(request.sort.iter().map(|sort| sort.name.clone())).collect();
        Self { project: request.project.clone(), keys, limits, items: Vec::new(), bytes: 0, truncated: false }
    }

    /// Takes an item, if there is room.
    pub(super) fn push(&mut self, item: Item) {
        let bytes: usize = item.values().filter_map(cell).map(|text| text.len()).sum();
        if self.items.len() >= self.limits.rows || self.bytes.saturating_add(bytes) > self.limits.bytes {
            self.truncated = true;
        } else if !self.truncated {
            self.bytes += bytes;
            self.items.push(item);
        }
    }

    /// How many items were taken.
    pub(super) fn taken(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no more room.
    pub(super) fn full(&self) -> bool {
        self.truncated
    }

    /// There is more that is not taken.
    pub(super) fn cut(&mut self) {
        self.truncated = true;
    }

    pub(super) fn rows(&self) -> Rows {
        let mut names = self.project.clone();
        if names.is_empty() {
            names.clone_from(&self.keys);
            let others: BTreeSet<&String> =
                self.items.iter().flat_map(|item| item.keys()).filter(|name| !self.keys.contains(name)).collect();
            names.extend(others.into_iter().cloned());
        }
        let whole = self.project.is_empty();
        let find = |item: &Item, name: &str| -> Option<AttributeValue> {
            // With everything asked for, a column is an attribute, whatever its name looks like.
            if whole { item.get(name).cloned() } else { at(item, name) }
        };
        let mut columns: Vec<RowColumn> =
            names.iter().map(|name| RowColumn { name: name.clone(), kind: String::new() }).collect();
        let mut rows = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let mut row = Vec::with_capacity(columns.len());
            for column in &mut columns {
                let found = find(item, &column.name);
                if let Some(kind) = found.as_ref().and_then(kind) {
                    if column.kind.is_empty() {
                        column.kind = kind.to_owned();
                    } else if column.kind != kind {
                        column.kind = "mixed".to_owned();
                    }
                }
                row.push(found.as_ref().and_then(cell));
            }
            rows.push(row);
        }
        Rows { columns, rows, truncated: self.truncated }
    }
}

/// What a projected path gives of an item. A projected list element comes alone in its list, whatever its index was.
fn at(item: &Item, path: &str) -> Option<AttributeValue> {
    let mut steps = steps(path)?.into_iter();
    let (name, index) = steps.next()?;
    let mut found = element(item.get(name)?, index);
    for (name, index) in steps {
        found = match found {
            AttributeValue::M(map) => element(map.get(name)?, index),
            _ => return None,
        };
    }
    Some(found)
}

fn element(value: &AttributeValue, index: &str) -> AttributeValue {
    let mut found = value;
    for _ in index.matches('[') {
        match found {
            AttributeValue::L(items) => match items.as_slice() {
                [one] => found = one,
                _ => break,
            },
            _ => break,
        }
    }
    found.clone()
}

/// DynamoDB's name of a value's type; `None` for NULL, which is of any.
fn kind(value: &AttributeValue) -> Option<&'static str> {
    Some(match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::B(_) => "B",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::L(_) => "L",
        AttributeValue::M(_) => "M",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
        _ => return None,
    })
}

/// A cell's text; `None` for NULL.
fn cell(value: &AttributeValue) -> Option<String> {
    Some(match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        AttributeValue::Bool(bool) => bool.to_string(),
        AttributeValue::B(bytes) => base64(bytes.as_ref()),
        AttributeValue::Null(_) => return None,
        nested => {
            let mut out = String::new();
            json(nested, &mut out);
            out
        }
    })
}

/// A nested value as JSON. Numbers stay as they are stored, to the last digit; map keys and set members are sorted.
fn json(value: &AttributeValue, out: &mut String) {
    match value {
        AttributeValue::S(text) => quoted(text, out),
        AttributeValue::N(number) => out.push_str(number),
        AttributeValue::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        AttributeValue::B(bytes) => quoted(&base64(bytes.as_ref()), out),
        AttributeValue::L(items) => list(items.iter(), out, json),
        AttributeValue::Ss(items) => list(sorted(items).into_iter(), out, |item, out| quoted(item, out)),
        AttributeValue::Ns(items) => list(sorted(items).into_iter(), out, |item, out| out.push_str(item)),
        AttributeValue::Bs(items) => {
            let texts: Vec<String> = items.iter().map(|bytes| base64(bytes.as_ref())).collect();
            list(sorted(&texts).into_iter(), out, |item, out| quoted(item, out));
        }
        AttributeValue::M(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quoted(name, out);
                out.push(':');
                if let Some(value) = map.get(name) {
                    json(value, out);
                }
            }
            out.push('}');
        }
        _ => out.push_str("null"),
    }
}

fn list<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn sorted(items: &[String]) -> Vec<&String> {
    let mut items: Vec<&String> = items.iter().collect();
    items.sort();
    items
}

fn quoted(text: &str, out: &mut String) {
    // Through `Display` of a JSON value: writing to a string cannot fail.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

/// RFC 4648 §4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = usize::try_from(group >> (18 - 6 * place) & 63).ok().and_then(|digit| DIGITS.get(digit));
            out.push(digit.filter(|_| place <= chunk.len()).map_or('=', |digit| char::from(*digit)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;
    use crate::core::plan::{DynamodbOperation, DynamodbValue};

    fn request(project: &[&str]) -> DynamodbRequest {
        DynamodbRequest {
            operation: DynamodbOperation::Get,
            table: "orders".into(),
            index: None,
            key: [("pk".to_owned(), DynamodbValue::S("x".into()))].into_iter().collect(),
            sort: None,
            filter: None,
            project: project.iter().map(|path| (*path).to_owned()).collect(),
            limit: None,
            descending: false,
            consistent: false,
        }
    }

    fn item(pairs: &[(&str, AttributeValue)]) -> Item {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    type Shown = (Vec<(String, String)>, Vec<Vec<Option<String>>>);

    fn table(project: &[&str], items: &[Item]) -> Shown {
        let mut table = Table::new(&request(project), FetchLimits::default());
        for item in items {
            table.push(item.clone());
        }
        let rows = table.rows();
        (rows.columns.into_iter().map(|column| (column.name, column.kind)).collect(), rows.rows)
    }

    #[test]
    fn columns_are_as_projected() {
        let items = [
            item(&[("b", AttributeValue::N("1E+2".into())), ("pk", s(""))]),
            item(&[("b", AttributeValue::Null(true)), ("pk", s("y")), ("a", AttributeValue::Bool(false))]),
        ];
        let (columns, rows) = table(&["pk", "b", "gone"], &items);
        assert_eq!(columns, [("pk", "S"), ("b", "N"), ("gone", "")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(rows[0], [Some("".into()), Some("1E+2".into()), None]);
        assert_eq!(rows[1], [Some("y".into()), None, None]);

        let (columns, _) = table(&[], &items);
        assert_eq!(columns.iter().map(|column| column.0.as_str()).collect::<Vec<_>>(), ["pk", "a", "b"]);
        let mixed = [item(&[("pk", s("x"))]), item(&[("pk", AttributeValue::N("1".into()))])];
        assert_eq!(table(&["pk"], &mixed).0[0].1, "mixed");
    }

    #[test]
    fn paths_lead_into_documents() {
        let profile = AttributeValue::M(HashMap::from([("city".to_owned(), s("Ulm"))]));
        let tags = AttributeValue::L(vec![s("third")]);
        let items = [item(&[("profile", profile), ("tags", tags), ("dotted.name", s("z"))])];
        let (_, rows) = table(&["profile.city", "tags[2]", "profile", "profile.city.x"], &items);
        assert_eq!(rows[0], [Some("Ulm".into()), Some("third".into()), Some("{\"city\":\"Ulm\"}".into()), None]);
        let (columns, rows) = table(&[], &items);
        let dotted = columns.iter().position(|column| column.0 == "dotted.name").unwrap();
        assert_eq!(rows[0][dotted], Some("z".into()));
    }

    #[test]
    fn nested_values_are_json_to_the_last_digit() {
        let number = "3.14159265358979323846264338327950288419";
        let value = AttributeValue::M(HashMap::from([
            ("n".to_owned(), AttributeValue::N(number.into())),
            ("b\"".to_owned(), AttributeValue::B(Blob::new(b"\xff\x00".to_vec()))),
            ("l".to_owned(), AttributeValue::L(vec![AttributeValue::Null(true), AttributeValue::Bool(true), s("\u{1b}[m")])),
            ("s".to_owned(), AttributeValue::Ss(vec!["b".into(), "a".into()])),
            ("ns".to_owned(), AttributeValue::Ns(vec!["2".into(), "10".into()])),
        ]));
        let text = cell(&value).unwrap();
        assert_eq!(
            text,
            format!("{{\"b\\\"\":\"/wA=\",\"l\":[null,true,\"\\u001b[m\"],\"n\":{number},\"ns\":[10,2],\"s\":[\"a\",\"b\"]}}")
        );
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn base64_is_the_standards() {
        // RFC 4648 §10.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn limits_cut_and_say_so() {
        let mut table = Table::new(&request(&["pk"]), FetchLimits { rows: 9, bytes: 5 });
        for text in ["abc", "de", "f", ""] {
            table.push(item(&[("pk", s(text))]));
        }
        assert!(table.full() && table.rows().truncated);
        assert_eq!(table.taken(), 2, "nothing after the first that did not fit");
    }
}
