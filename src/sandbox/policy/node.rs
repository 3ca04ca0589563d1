//! JSON that remembers a repeated name: `serde_json::Value` keeps the last one, and a reader that keeps the first would then see
//! another policy.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value as policies have them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A string.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it prints.
    Number(String),
    /// `null`.
    Null,
    /// An array.
    List(Vec<Node>),
    /// An object, in its order; every name occurs once.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A scalar as text, as policies may write `true` for `"true"`.
    pub(super) fn scalar(&self) -> Option<String> {
        match self {
            Node::Text(text) | Node::Number(text) => Some(text.clone()),
            Node::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// One scalar or a list of them.
    pub(super) fn scalars(&self) -> Option<Vec<String>> {
        match self {
            Node::List(items) => items.iter().map(Node::scalar).collect(),
            other => other.scalar().map(|text| vec![text]),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Node>()? {
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("the name {name} occurs twice")));
            }
            entries.push((name, value));
        }
        Ok(Node::Map(entries))
    }
}
