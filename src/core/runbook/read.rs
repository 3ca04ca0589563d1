//! Reading a runbook.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Access, Runbook};
use crate::core::book::reading::{Fields, Reading, entries};
use crate::core::book::yaml::{Limits, Node};
use crate::core::book::{Book, Guardrails, ParamName, Read, RunbookId, guardrails, version};
use crate::core::text::{Untrusted, visible};

mod access;
mod dynamodb;
mod input;
mod step;

/// Keys of a runbook.
pub(in crate::core) const KEYS: &[&str] =
    &["runbook", "id", "title", "summary", "owners", "tags", "inputs", "access", "guardrails", "steps"];

pub use dynamodb::read_dynamodb;
#[cfg(test)]
pub(in crate::core) use {
    access::{APPROVAL_KEYS, KEYS as ACCESS_KEYS},
    dynamodb::{GET_KEYS, QUERY_KEYS},
    input::{KEYS as INPUT_KEYS, TYPES},
    step::{ATHENA_KEYS, CAPTURE_KEYS, CHOOSE_KEYS, KEYS as STEP_KEYS, PICKED_KEYS},
};

/// Reads a runbook from its bytes. `file` is its name relative to the folder. Without a book, nothing is checked that would
/// need one: the value is then only good for its structure.
pub fn read_runbook(file: &str, bytes: &[u8], book: Option<&Book>) -> Read<Runbook> {
    let file: Arc<str> = Arc::from(file);
    let mut reading = Reading::new(Arc::clone(&file), bytes);
    let value = match crate::core::book::yaml::parse(&file, bytes, Limits::WRITTEN) {
        Ok(root) => runbook(&mut reading, &root, book),
        Err(problem) => {
            reading.push(*problem);
            None
        }
    };
    Read { value, problems: reading.finish() }
}

fn runbook(reading: &mut Reading, root: &Node, book: Option<&Book>) -> Option<Runbook> {
    let fields = Fields::of(reading, root, "the runbook", KEYS)?;
    version(reading, &fields, "runbook");
    let id = fields.need(reading, "id", "the runbook").and_then(|node| id(reading, node));
    let title = fields.need(reading, "title", "the runbook").and_then(|node| reading.text(node, "`title`"));
    let summary = fields.get("summary").and_then(|node| reading.text(node, "`summary`"));
    let mut words = |key: &str| -> Vec<Untrusted> {
        let texts = fields.get(key).map(|node| reading.texts(node, &format!("`{key}`"))).unwrap_or_default();
        texts.into_iter().map(|text| Untrusted::new(text.value)).collect()
    };
    let (owners, tags) = (words("owners"), words("tags"));
    let inputs = fields.get("inputs").map(|node| inputs(reading, node)).unwrap_or_default();
    let access = fields.need(reading, "access", "the runbook").and_then(|node| access::access(reading, node, book));
    let base = book.map_or_else(Guardrails::default, |book| book.guardrails.clone());
    let guardrails = match fields.get("guardrails") {
        Some(node) => guardrails(reading, node, &base, book.is_some()),
        None => base,
    };
    let steps = fields.need(reading, "steps", "the runbook").map(|node| step::steps(reading, node)).unwrap_or_default();
    let mut runbook = Runbook {
        id: id.unwrap_or_default(),
        file: Arc::clone(&reading.file),
        title: Untrusted::new(title.unwrap_or_default()),
        summary: Untrusted::new(summary.unwrap_or_default()),
        owners,
        tags,
        inputs,
        access: access.unwrap_or_else(Access::nowhere),
        guardrails,
        steps,
    };
    super::check::check(reading, &mut runbook, book);
    Some(runbook)
}

/// `[a-z0-9-]{1,64}`, equal to the file's stem.
fn id(reading: &mut Reading, node: &Node) -> Option<RunbookId> {
    let text = reading.text(node, "`id`")?;
    if text.len() > 64 || !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        let message = format!("`id` is `{}`", visible(&text));
        reading.wrong(&node.place, message, "an id is 1 to 64 of a-z, 0-9 and `-`");
        return None;
    }
    let name = reading.file.rsplit('/').next().unwrap_or("").to_owned();
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(&name);
    if stem != text {
        let message = format!("`id` is `{text}`, but the file is `{}`", visible(&name));
        reading.wrong(&node.place, message, format!("write `id: {}`, or rename the file to {text}.yaml", visible(stem)));
    }
    Some(RunbookId(text))
}

fn inputs(reading: &mut Reading, node: &Node) -> IndexMap<ParamName, super::Input> {
    let pairs = entries(reading, node, "`inputs`").unwrap_or_default();
    let read = pairs.into_iter().filter_map(|(name, key, value)| {
        let name = param_name(reading, name, key)?;
        input::input(reading, name, key, value)
    });
    read.map(|input| (input.name.clone(), input)).collect()
}

/// Names that expressions use for something else, and words of their language.
const TAKEN: [&str; 19] = [
    "inputs",
    "steps",
    "rows",
    "row_count",
    "outcome",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "true",
    "false",
    "none",
    "loop",
    "self",
    "True",
    "False",
];

/// `orderId` and `Order-ID` as `order_id`.
fn snake(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        let starts_word =
            c.is_ascii_uppercase() && words.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit());
        if starts_word {
            words.push('_');
        }
        words.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    let words = words.trim_start_matches(|c: char| !c.is_ascii_lowercase()).chars().take(64).collect::<String>();
    if words.is_empty() { "value".to_owned() } else { words }
}

/// `[a-z][a-z0-9_]{0,63}`, and no word of expressions.
fn param_name(reading: &mut Reading, name: &str, key: &Node) -> Option<ParamName> {
    let good = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        let message =
            format!("`{}` is not a name; names are 1 to 64 of a-z, 0-9 and `_`, and begin with a letter", visible(name));
        reading.wrong(&key.place, message, format!("write, for example, `{}`", snake(name)));
        return None;
    }
    if TAKEN.contains(&name) {
        reading.wrong(&key.place, format!("`{name}` is a word of expressions"), "choose another name");
        return None;
    }
    Some(ParamName::from(name))
}
