//! The book: `tollgate.yaml` with targets, groups, classification and limits, and every problem found while loading.

use std::sync::Arc;

use indexmap::IndexMap;

mod approvals;
mod classification;
mod guardrails;
mod load;
mod name;
mod packs;
mod place;
mod problem;
pub(in crate::core) mod read;
pub(in crate::core) mod reading;
pub mod schema;
mod target;
pub(in crate::core) mod yaml;

pub use approvals::{Approvals, Durations, EscalationLevel};
pub use classification::{AttributeTags, Classification, ColumnTags};
pub use guardrails::{AthenaLimits, ColumnName, DynamodbLimits, Guardrails, NameRules, StatementKind};
pub use load::{
    BOOK_FILE, BookSource, CatalogFile, LoadedBook, LoadedRunbook, SourceFile, Version, catalogs_of, is_catalog, is_runbook,
    load, load_files,
};
pub use name::{GroupName, ParamName, PersonName, RunbookId, StepId, TargetName};
pub use place::{Place, Placed, Setting};
pub use problem::{Problem, Severity};
pub use read::{Read, read_book};
pub(in crate::core) use read::{count, guardrails, tags, version};
pub use target::{AthenaTarget, Look, Price, Target, WorkGroup};

use crate::core::text::Untrusted;

/// What `tollgate.yaml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// The file it was read from, relative to the folder: `tollgate.yaml`.
    pub file: Arc<str>,
    /// The book's name.
    pub name: Untrusted,
    /// IANA name of the time zone in which `today` is meant; `UTC` where nothing is written.
    pub timezone: String,
    /// A shared journal; `None` is the private one.
    pub store: Option<String>,
    /// Catalog files, relative to the folder; may begin with `${sandbox}/`. Later ones win.
    pub catalog: Vec<Placed<String>>,
    /// Groups of people.
    pub groups: IndexMap<GroupName, Vec<PersonName>>,
    /// Other names of the same person: ARNs, login names, addresses.
    pub identities: IndexMap<PersonName, Vec<String>>,
    /// Targets by name.
    pub targets: IndexMap<TargetName, Target>,
    /// Tags on columns and attributes.
    pub classification: Classification,
    /// Guardrails; a runbook may only tighten them.
    pub guardrails: Guardrails,
    /// Approval rule.
    pub approvals: Approvals,
    /// How long grants last.
    pub duration: Durations,
    /// File of known incidents, relative to the folder; `None`: incident ids are only recorded.
    pub incidents: Option<Placed<String>>,
}

impl Book {
    /// The distinct people of these groups, in the order of the groups.
    pub fn people<'a>(&'a self, groups: impl IntoIterator<Item = &'a GroupName>) -> Vec<&'a PersonName> {
        people(&self.groups, groups)
    }

    /// The one name of a person who is known by `name`: the name itself, or the person whose `identities` list it.
    pub fn person(&self, name: &str) -> Option<&PersonName> {
        let listed = self.identities.iter().find(|(person, names)| **person == *name || names.iter().any(|other| other == name));
        match listed {
            Some((person, _)) => Some(person),
            None => self.groups.values().flatten().find(|person| **person == *name),
        }
    }
}

fn people<'a>(
    groups: &'a IndexMap<GroupName, Vec<PersonName>>,
    names: impl IntoIterator<Item = &'a GroupName>,
) -> Vec<&'a PersonName> {
    let mut people: Vec<&PersonName> = Vec::new();
    for person in names.into_iter().filter_map(|name| groups.get(name)).flatten() {
        if !people.contains(&person) {
            people.push(person);
        }
    }
    people
}
