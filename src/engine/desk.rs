//! The engine's counter: the types with which frontends ask and are told. Both frontends use these and nothing else.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::core::plan::{Plan, PlanDigest};
use crate::core::run::command::Refusal;
use crate::core::run::{Event, RunState};
use crate::core::runbook::ParamValue;
use crate::core::units::{Millis, Timestamp};
use crate::engine::ports::Rows;

/// What the operator wants to ask for, before it is a plan.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Runbook id.
    pub runbook: String,
    /// Values by input name; absent ones are optional inputs left out.
    pub inputs: IndexMap<String, ParamValue>,
    /// Why; may still be empty while the plan is only looked at.
    pub reason: String,
    /// The incident, if any.
    pub incident: Option<String>,
    /// How long; `None` is the runbook's.
    pub duration: Option<Millis>,
    /// Statements replaced by fixes the operator applied, by step.
    pub fixes: IndexMap<String, String>,
    /// For asking again: the run whose remaining steps are meant. Inputs, walk and captures come from there.
    pub again: Option<String>,
}

/// A plan as it would be asked for, with what the request form needs.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Its digest.
    pub digest: PlanDigest,
    /// The step that the grant starts at.
    pub walk_from: String,
    /// Notices made while planning: catalog files skipped, facts missing.
    pub notices: Vec<String>,
}

/// What a session tells its frontend.
#[derive(Debug, Clone)]
pub enum Update {
    /// Events were appended, by anybody; here is the state after them.
    State {
        /// The state now.
        state: Arc<RunState>,
        /// What was appended since the last update.
        events: Vec<Event>,
    },
    /// The running query, as last polled.
    Progress {
        /// Which execution.
        execution: String,
        /// `queued` or `running`, in the service's words.
        phase: String,
        /// Bytes so far, where the service reports them.
        bytes: Option<u64>,
    },
    /// Rows are readable.
    Rows {
        /// Which execution.
        execution: String,
        /// The rows.
        rows: Arc<Rows>,
    },
    /// What is being done that takes a while, in words, or `None` when nothing is.
    Busy(Option<String>),
    /// Something went wrong that no command asked for.
    Notice(Refusal),
    /// Another terminal took the run; this session only reads from now on.
    ReadOnly {
        /// Who and where.
        by: String,
    },
}

/// What the look before an execution found, for the preview.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The step.
    pub step: String,
    /// The plan's step with holes filled and the estimate made again.
    pub now: crate::core::plan::PlanStep,
    /// What `Execute` will be decided on.
    pub check: crate::core::run::command::Check,
}

/// A run in a list.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// The folded state.
    pub state: Arc<RunState>,
    /// Whether this person created it.
    pub mine: bool,
    /// Whether a process with a live lease drives it.
    pub driven: bool,
    /// When the list was made.
    pub at: Timestamp,
}

/// One thing that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceOption {
    /// How it is shown, untrusted.
    pub label: String,
    /// The values that choosing it gives, by name; an error says which value does not fit its type.
    pub values: Result<IndexMap<String, serde_json::Value>, String>,
}
