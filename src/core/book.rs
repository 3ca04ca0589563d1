//! The book: `tollgate.yaml` with targets, groups, classification and limits, and every problem found while loading.

use std::sync::Arc;

use indexmap::IndexMap;

mod approvals;
mod classification;
mod guardrails;
mod name;
mod place;
mod problem;
mod target;

pub use approvals::{Approvals, Durations, EscalationLevel};
pub use classification::{AttributeTags, Classification, ColumnTags};
pub use guardrails::{AthenaLimits, ColumnName, DynamodbLimits, Guardrails, NameRules, StatementKind};
pub use name::{GroupName, ParamName, PersonName, RunbookId, StepId, TargetName};
pub use place::{Place, Placed, Setting};
pub use problem::{Problem, Severity};
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
