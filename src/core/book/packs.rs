//! Compliance packs: shipped lists of tags by column name, and the rules that a book with them requires.

use std::sync::Arc;

use super::read::{guardrails, tags, version};
use super::reading::{Fields, Reading, entries};
use super::yaml::{Limits, parse};
use super::{AttributeTags, Classification, ColumnTags, Guardrails, Problem};

/// The packs by name.
pub(in crate::core) const NAMES: [&str; 3] = ["gdpr", "hipaa", "pci"];

/// The text of a pack.
pub(in crate::core) fn pack(name: &str) -> Option<&'static str> {
    match name {
        "gdpr" => Some(include_str!("packs/gdpr.yaml")),
        "hipaa" => Some(include_str!("packs/hipaa.yaml")),
        "pci" => Some(include_str!("packs/pci.yaml")),
        _ => None,
    }
}

/// Adds a pack to a book: its tags, its blocked tags, and its levels where the book is lower. The places of what it adds name
/// the pack's file. Gives the problems of the pack itself, which a test keeps at none.
pub(in crate::core) fn apply(name: &str, classification: &mut Classification, rules: &mut Guardrails) -> Vec<Problem> {
    let Some(text) = pack(name) else { return Vec::new() };
    let file: Arc<str> = Arc::from(format!("packs/{name}.yaml"));
    let mut reading = Reading::new(Arc::clone(&file), text.as_bytes());
    let root = match parse(&file, text.as_bytes(), Limits::WRITTEN) {
        Ok(root) => root,
        Err(problem) => return vec![*problem],
    };
    let Some(fields) = Fields::of(&mut reading, &root, "the pack", &["pack", "guardrails", "names"]) else {
        return reading.finish();
    };
    version(&mut reading, &fields, "pack");
    if let Some(node) = fields.get("names") {
        for (pattern, key, value) in entries(&mut reading, node, "`names`").unwrap_or_default() {
            let tags = tags(&mut reading, value, pattern);
            // A column, and a field of one, three levels down.
            for parts in ["*.*.", "*.*.*.", "*.*.*.*.", "*.*.*.*.*."] {
                let pattern = format!("{parts}{pattern}");
                classification.columns.push(ColumnTags { pattern, tags: tags.clone(), place: key.place.clone() });
            }
            let (table, attribute) = ("*".to_owned(), pattern.to_owned());
            classification.attributes.push(AttributeTags { table, attribute, tags, place: key.place.clone() });
        }
    }
    let Some(node) = fields.get("guardrails") else { return reading.finish() };
    let wanted = guardrails(&mut reading, node, &Guardrails::default(), false);
    let tags = &mut rules.blocked_tags;
    tags.set_in = tags.set_in.take().or_else(|| wanted.blocked_tags.set_in.clone());
    for tag in wanted.blocked_tags.value {
        if !tags.value.contains(&tag) {
            tags.value.push(tag);
        }
    }
    for (rule, level) in wanted.levels {
        if rules.level(rule).value < level.value {
            rules.levels.insert(rule, level);
        }
    }
    reading.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::{Level, Rule};

    #[test]
    fn packs_are_sound_and_tighten() {
        for name in NAMES {
            let (mut classification, mut rules) = (Classification::default(), Guardrails::default());
            assert_eq!(apply(name, &mut classification, &mut rules), []);
            assert!(classification.columns.len() > 20, "{name}");
            assert_eq!(rules.level(Rule::SelectStar).value, Level::Block);
            assert_eq!(rules.level(Rule::SelectStar).set_in().unwrap(), format!("packs/{name}.yaml:5"));
            assert_eq!(rules.blocked_tags.value.len(), 1);
        }
    }
}
