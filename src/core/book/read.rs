//! Reading `tollgate.yaml`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::reading::{Fields, Reading, entries, said};
use super::yaml::{Limits, Node};
use super::{Approvals, Book, Classification, Durations, GroupName, Guardrails, PersonName, Placed, Problem, TargetName};
use crate::core::text::{Untrusted, visible};
use crate::core::units::Millis;

mod approvals;
mod classification;
mod guardrails;
mod target;

pub(in crate::core) use approvals::count;
pub(in crate::core) use classification::tags;
pub(in crate::core) use guardrails::guardrails;
#[cfg(test)]
pub(in crate::core) use {
    approvals::KEYS as APPROVAL_KEYS,
    classification::KEYS as CLASSIFICATION_KEYS,
    guardrails::{ATHENA_KEYS as ATHENA_LIMIT_KEYS, DYNAMODB_KEYS as DYNAMODB_LIMIT_KEYS, KEYS as GUARDRAIL_KEYS},
    target::{ATHENA_KEYS as TARGET_ATHENA_KEYS, KEYS as TARGET_KEYS, PRICE_KEYS},
};

/// Keys of `tollgate.yaml`.
pub(in crate::core) const KEYS: &[&str] = &[
    "tollgate",
    "name",
    "timezone",
    "store",
    "catalog",
    "groups",
    "identities",
    "targets",
    "classification",
    "guardrails",
    "approvals",
    "duration",
    "incidents",
];

/// What could be read of a file, and every problem found in it.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// As much as could be read; complete only where no problem is an error. `None` where nothing could be made of it.
    pub value: Option<T>,
    /// Problems in the order of the file.
    pub problems: Vec<Problem>,
}

impl<T> Read<T> {
    /// The value, if nothing is wrong with it.
    ///
    /// # Errors
    /// The problems, of which at least one is an error.
    pub fn whole(self) -> Result<T, Vec<Problem>> {
        match self.value {
            Some(value) if !self.problems.iter().any(Problem::is_error) => Ok(value),
            _ => Err(self.problems),
        }
    }
}

/// Reads `tollgate.yaml` from its bytes. `file` is its name relative to the folder, for places and messages.
pub fn read_book(file: &str, bytes: &[u8]) -> Read<Book> {
    let file: Arc<str> = Arc::from(file);
    let mut reading = Reading::new(Arc::clone(&file), bytes);
    let value = match super::yaml::parse(&file, bytes, Limits::WRITTEN) {
        Ok(root) => book(&mut reading, &root),
        Err(problem) => {
            reading.push(*problem);
            None
        }
    };
    Read { value, problems: reading.finish() }
}

fn book(reading: &mut Reading, root: &Node) -> Option<Book> {
    let fields = Fields::of(reading, root, "the book", KEYS)?;
    version(reading, &fields, "tollgate");
    let name = fields.need(reading, "name", "the book").and_then(|node| reading.text(node, "`name`"));
    let timezone = fields.get("timezone").and_then(|node| timezone(reading, node)).unwrap_or_else(|| "UTC".to_owned());
    let store = fields.get("store").and_then(|node| reading.text(node, "`store`"));
    let catalog = fields.get("catalog").map(|node| catalogs(reading, node)).unwrap_or_default();
    let groups = fields.get("groups").map(|node| groups(reading, node)).unwrap_or_default();
    let identities = fields.get("identities").map(|node| identities(reading, node, &groups)).unwrap_or_default();
    let targets = fields.get("targets").map(|node| targets(reading, node)).unwrap_or_default();
    let mut classification =
        fields.get("classification").map_or_else(Classification::default, |node| classification::classification(reading, node));
    let mut guardrails = fields
        .get("guardrails")
        .map_or_else(Guardrails::default, |node| guardrails(reading, node, &Guardrails::default(), false));
    for pack in classification.packs.clone() {
        for problem in super::packs::apply(&pack, &mut classification, &mut guardrails) {
            reading.push(problem);
        }
    }
    let approvals = fields.get("approvals").map_or_else(Approvals::default, |node| approvals::approvals(reading, node, &groups));
    let duration = fields.get("duration").map_or_else(Durations::default, |node| durations(reading, node));
    let incidents = fields.get("incidents").and_then(|node| {
        let fields = Fields::of(reading, node, "`incidents`", &["file"])?;
        let file = fields.need(reading, "file", "`incidents`")?;
        reading.placed(file, "`file`")
    });
    Some(Book {
        file: Arc::clone(&reading.file),
        name: Untrusted::new(name.unwrap_or_default()),
        timezone,
        store,
        catalog,
        groups,
        identities,
        targets,
        classification,
        guardrails,
        approvals,
        duration,
        incidents,
    })
}

/// Checks the first key, which says what a file is and how it is to be read.
pub(in crate::core) fn version(reading: &mut Reading, fields: &Fields<'_>, key: &str) {
    let Some(node) = fields.need(reading, key, "the file") else { return };
    if node.scalar().is_none_or(|scalar| scalar.text != "v1") {
        let message = format!("`{key}` is {}; this program reads v1", said(node));
        reading.wrong(&node.place, message, format!("write `{key}: v1`, or use the tollgate that this file was written for"));
    }
}

fn timezone(reading: &mut Reading, node: &Node) -> Option<String> {
    let name = reading.text(node, "`timezone`")?;
    if jiff::tz::TimeZone::get(&name).is_ok() {
        return Some(name);
    }
    let message = format!("`timezone`: `{}` is not a time zone", visible(&name));
    reading.wrong(&node.place, message, "use an IANA name such as UTC or Europe/Berlin");
    None
}

fn catalogs(reading: &mut Reading, node: &Node) -> Vec<Placed<String>> {
    let files = reading.texts(node, "`catalog`");
    for file in &files {
        let rest = file.strip_prefix("${sandbox}/").unwrap_or(file);
        if rest.contains("${") {
            let message = format!("`{}` holds a variable that does not exist", visible(file));
            reading.wrong(&file.place, message, "`${sandbox}/` at the beginning is the only one");
        }
    }
    files
}

fn groups(reading: &mut Reading, node: &Node) -> IndexMap<GroupName, Vec<PersonName>> {
    let mut groups = IndexMap::new();
    for (name, key, value) in entries(reading, node, "`groups`").unwrap_or_default() {
        let what = format!("group `{}`", visible(name));
        let mut people: Vec<PersonName> = Vec::new();
        for person in reading.texts(value, &what) {
            if people.iter().any(|known| *known == person.as_str()) {
                reading.wrong(&person.place, format!("`{}` is twice in {what}", visible(&person)), "keep one of them");
            } else {
                people.push(PersonName(person.value));
            }
        }
        if people.is_empty() {
            reading.wrong(&key.place, format!("{what} has nobody in it"), format!("write {}: [ana, max]", visible(name)));
        }
        groups.insert(GroupName::from(name), people);
    }
    groups
}

/// One name must not stand for two people: whose vote would it be?
fn identities(
    reading: &mut Reading,
    node: &Node,
    groups: &IndexMap<GroupName, Vec<PersonName>>,
) -> IndexMap<PersonName, Vec<String>> {
    let mut identities: IndexMap<PersonName, Vec<String>> = IndexMap::new();
    let pairs = entries(reading, node, "`identities`").unwrap_or_default();
    for (person, _, value) in &pairs {
        let mut names = Vec::new();
        for other in reading.texts(value, &format!("the names of `{}`", visible(person))) {
            let taken = pairs.iter().map(|(name, _, _)| *name).any(|name| name != *person && name == other.as_str())
                || groups.values().flatten().any(|name| *name != **person && *name == other.as_str())
                || identities.values().flatten().any(|name| *name == *other);
            if taken {
                let message = format!("`{}` is somebody else's name already", visible(&other));
                reading.wrong(&other.place, message, "give each name to one person");
            } else {
                names.push(other.value);
            }
        }
        identities.insert(PersonName::from(*person), names);
    }
    identities
}

fn targets(reading: &mut Reading, node: &Node) -> IndexMap<TargetName, super::Target> {
    let pairs = entries(reading, node, "`targets`").unwrap_or_default();
    let read = pairs.into_iter().filter_map(|(name, key, value)| target::target(reading, name, key, value));
    read.map(|target| (target.name.value.clone(), target)).collect()
}

fn durations(reading: &mut Reading, node: &Node) -> Durations {
    let mut durations = Durations::default();
    let Some(fields) = Fields::of(reading, node, "`duration`", &["default", "max"]) else { return durations };
    let mut read = |key: &str| {
        let node = fields.get(key)?;
        let duration = reading.duration(node, &format!("`{key}`"))?;
        if duration < Durations::LEAST || duration > LONGEST {
            let fix = format!("write a duration from {} to {LONGEST}", Durations::LEAST);
            reading.wrong(&node.place, format!("`{key}` is {duration}"), fix);
            return None;
        }
        Some(duration)
    };
    if let Some(max) = read("max") {
        durations.max = max;
        durations.default = durations.default.min(max);
    }
    if let Some(default) = read("default") {
        if default > durations.max {
            let place = fields.key("default").unwrap_or(fields.place);
            let message = format!("`default` is {default}, above `max` {}", durations.max);
            reading.wrong(place, message, "raise `max`, or lower `default`");
        }
        durations.default = default.min(durations.max);
    }
    durations
}

/// The longest session that STS gives to a role: 12 hours. A grant mints again within its time, but a longer one would no
/// longer be short-lived access.
const LONGEST: Millis = Millis::from_mins(12 * 60);
