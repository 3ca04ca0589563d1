//! What the world owes a run now, given the keys that this process holds. Stable ids keep an effect from being done twice.

use std::collections::BTreeMap;

use crate::core::run::apply::serves;
use crate::core::run::event::{ExecutionOutcome, MintPurpose, Service, StopReason};
use crate::core::run::expiry;
use crate::core::run::state::{Access, Execution, ExecutionState, RunState, StepStatus};
use crate::core::units::{Millis, Timestamp};

/// A driver sends an unanswered start again only this long after its intent (DESIGN §4.6).
pub const RESEND_WITHIN: Millis = Millis::from_mins(2);
/// Keys with less than this left are not used for another call.
const KEYS_MARGIN: Millis = Millis::from_secs(20);

/// What this process holds and knows beside the journal.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// The epoch that this process drives with; `None` while it only reads.
    pub epoch: Option<u64>,
    /// Keys by mint id: purpose and expiry.
    pub keys: BTreeMap<String, (MintPurpose, Timestamp)>,
    /// The step whose execution was accepted in this process and is not intended yet.
    pub pending: Option<String>,
    /// Bytes (or thousandths of a read unit) that the running execution is known to have read.
    pub progress: Option<u64>,
    /// The execution, with the service's id, that was started and whose start the journal could not take.
    pub started: Option<(String, String)>,
    /// Executions whose end is known and noted, but not journaled yet: nothing more is owed to them.
    pub noted: Vec<String>,
    /// Executions whose rows cannot be had any more.
    pub rows_lost: Vec<String>,
    /// The terminal is gone and its grace is over.
    pub abandoned: bool,
    /// The journal cannot be written: stop what runs, start nothing.
    pub journal_lost: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Get keys.
    Mint(MintPurpose),
    /// Journal the request for the pending step, then start it.
    Intend(String),
    /// Start, or start again with the same token.
    Start(String),
    /// Find an execution whose start was never acknowledged, by its marker.
    Recover(String),
    /// Ask how it stands.
    Poll(String),
    /// Stop it.
    Stop(String, StopReason),
    /// Fetch its rows into the spool.
    Fetch(String),
    /// Evaluate `expect` and `capture` of this step.
    Evaluate(String),
    /// Forget keys.
    DropKeys(String, &'static str),
}

impl Effect {
    /// A stable id: two effects with the same id are the same effect.
    pub fn id(&self) -> String {
        match self {
            Self::Mint(MintPurpose::Step(step)) => format!("mint/step/{step}"),
            Self::Mint(MintPurpose::Look) => "mint/look".to_owned(),
            Self::Mint(MintPurpose::Janitor(execution)) => format!("mint/janitor/{execution}"),
            Self::Intend(step) => format!("intend/{step}"),
            Self::Start(execution) => format!("start/{execution}"),
            Self::Recover(execution) => format!("recover/{execution}"),
            Self::Poll(execution) => format!("poll/{execution}"),
            Self::Stop(execution, _) => format!("stop/{execution}"),
            Self::Fetch(execution) => format!("fetch/{execution}"),
            Self::Evaluate(step) => format!("evaluate/{step}"),
            Self::DropKeys(mint, _) => format!("drop/{mint}"),
        }
    }
}

/// What is owed now, and when to look again even if nothing happens.
pub fn effects(state: &RunState, held: &Held, now: Timestamp) -> (Vec<Effect>, Option<Timestamp>) {
    let wake = expiry::next_change(state, now);
    let mut owed = Vec::new();
    let driving = held.epoch.is_some_and(|epoch| epoch == state.epoch) && state.corrupt.is_none();
    owed.extend(drops(state, held, driving, now));
    if !driving {
        return (owed, wake);
    }
    if let Some(execution) = state.open_execution() {
        owed.extend(for_open(state, execution, held, now));
        return (owed, wake);
    }
    if let Some(step) = &held.pending {
        owed.extend(for_pending(state, step, held, now));
    }
    owed.extend(for_ended(state, held, now));
    (owed, wake)
}

/// Why a running execution must be stopped now, if it must.
pub fn must_stop(state: &RunState, execution: &Execution, held: &Held, now: Timestamp) -> Option<StopReason> {
    if execution.stop_asked.is_some() {
        return Some(StopReason::Asked);
    }
    let request = state.request_by_id(&execution.request);
    match request.map(|r| &r.access) {
        Some(Access::Active { deadline, .. }) if now < deadline.minus(expiry::STOP_BEFORE) => {}
        Some(Access::Ended { reason, .. }) if reason.starts_with("revoked") => return Some(StopReason::Revoked),
        _ => return Some(StopReason::Deadline),
    }
    if held.abandoned || held.journal_lost {
        return Some(StopReason::Terminal);
    }
    let read = held.progress.unwrap_or(0);
    if read > execution.ceiling {
        return Some(StopReason::Ceiling);
    }
    if let Some(request) = request {
        let others = crate::core::run::decide::charged(state, &request.id, execution.service).saturating_sub(execution.reserved);
        let budget = match execution.service {
            Service::Athena => request.plan.budget.bytes,
            Service::Dynamodb => request.plan.budget.read_units,
        };
        if others.saturating_add(read) > budget {
            return Some(StopReason::Budget);
        }
    }
    None
}

fn drops(state: &RunState, held: &Held, driving: bool, now: Timestamp) -> Vec<Effect> {
    let open = state.open_execution();
    held.keys
        .iter()
        .filter_map(|(mint, (purpose, expires))| {
            let reason = if !driving {
                "this terminal does not drive the run any more"
            } else if *expires <= now {
                "they expired"
            } else {
                match purpose {
                    MintPurpose::Janitor(execution) => {
                        if open.is_some_and(|open| open.id == *execution) {
                            return None;
                        }
                        "what they were for is done"
                    }
                    MintPurpose::Look => return None,
                    MintPurpose::Step(step) => {
                        let access = state.active().is_some_and(|(_, deadline)| now < deadline);
                        let in_use = state.steps.get(step).is_some_and(|s| s.status == StepStatus::Entered);
                        if !access {
                            "access is over"
                        } else if in_use {
                            return None;
                        } else {
                            "their step is done"
                        }
                    }
                }
            };
            Some(Effect::DropKeys(mint.clone(), reason))
        })
        .collect()
}

fn for_open(state: &RunState, execution: &Execution, held: &Held, now: Timestamp) -> Vec<Effect> {
    let id = execution.id.clone();
    if held.noted.contains(&id) {
        return Vec::new();
    }
    let live = state.active().is_some_and(|(request, deadline)| request.id == execution.request && now < deadline);
    if execution.service == Service::Dynamodb {
        return for_read(state, execution, held, now, live);
    }
    let janitor = has_keys(held, now, |purpose| matches!(purpose, MintPurpose::Janitor(e) if *e == execution.id));
    let own = live && has_keys(held, now, |purpose| serves(purpose, &execution.step));
    let usable = own || janitor;
    let mint = if live { MintPurpose::Step(execution.step.clone()) } else { MintPurpose::Janitor(id.clone()) };
    let stop = must_stop(state, execution, held, now);
    let started = held.started.as_ref().is_some_and(|(started, _)| *started == id);
    match execution.state {
        // What was started is stopped, whether or not the journal knows that it was.
        ExecutionState::Intended if started => match (usable, stop) {
            (false, _) => vec![Effect::Mint(MintPurpose::Janitor(id))],
            (true, Some(reason)) => vec![Effect::Stop(id, reason)],
            (true, None) => Vec::new(),
        },
        ExecutionState::Intended => {
            let fresh = live && stop.is_none() && now.since(execution.intended_at) < RESEND_WITHIN;
            // Only a janitor's policy may list; only the step's own may start.
            match (fresh, own, janitor) {
                (true, true, _) => vec![Effect::Start(id)],
                (true, false, _) => vec![Effect::Mint(mint)],
                (false, _, true) => vec![Effect::Recover(id)],
                (false, _, false) => vec![Effect::Mint(MintPurpose::Janitor(id))],
            }
        }
        ExecutionState::Running => match (usable, stop) {
            (false, Some(_)) => vec![Effect::Mint(MintPurpose::Janitor(id))],
            (false, None) => vec![Effect::Mint(mint)],
            (true, Some(reason)) => vec![Effect::Stop(id, reason)],
            (true, None) => vec![Effect::Poll(id)],
        },
        _ => Vec::new(),
    }
}

/// A read of DynamoDB is one call: it cannot be asked about, stopped or found, and has no token that would make sending it again the
/// same read. Only the process that meant it sends it, and waits for its end; nobody else can tell.
fn for_read(state: &RunState, execution: &Execution, held: &Held, now: Timestamp, live: bool) -> Vec<Effect> {
    let id = execution.id.clone();
    let late = now.since(execution.intended_at) >= RESEND_WITHIN;
    if execution.epoch != state.epoch || late {
        return vec![Effect::Recover(id)];
    }
    if execution.state != ExecutionState::Intended || !live || must_stop(state, execution, held, now).is_some() {
        return Vec::new();
    }
    if has_keys(held, now, |purpose| serves(purpose, &execution.step)) {
        vec![Effect::Start(id)]
    } else {
        vec![Effect::Mint(MintPurpose::Step(execution.step.clone()))]
    }
}

fn for_pending(state: &RunState, step: &str, held: &Held, now: Timestamp) -> Vec<Effect> {
    let live = state.active().is_some_and(|(_, deadline)| now < deadline.minus(expiry::STOP_BEFORE));
    if !live || state.cursor.as_deref() != Some(step) {
        return Vec::new();
    }
    if has_keys(held, now, |purpose| serves(purpose, step)) {
        vec![Effect::Intend(step.to_owned())]
    } else {
        vec![Effect::Mint(MintPurpose::Step(step.to_owned()))]
    }
}

/// The step at the cursor whose execution succeeded: rows, then expectation and captures.
fn for_ended(state: &RunState, held: &Held, now: Timestamp) -> Vec<Effect> {
    let Some(step) = state.cursor.as_ref() else { return Vec::new() };
    if !state.steps.get(step).is_some_and(|s| s.status == StepStatus::Entered) {
        return Vec::new();
    }
    let Some(execution) = state.current_execution_of(step) else { return Vec::new() };
    if !matches!(execution.state, ExecutionState::Finished { outcome: ExecutionOutcome::Succeeded, .. }) {
        return Vec::new();
    }
    if held.pending.is_some() {
        return Vec::new();
    }
    if execution.rows.is_some() || held.rows_lost.contains(&execution.id) {
        return vec![Effect::Evaluate(step.clone())];
    }
    let live = state.active().is_some_and(|(_, deadline)| now < deadline);
    if !live {
        return vec![Effect::Evaluate(step.clone())];
    }
    if has_keys(held, now, |purpose| serves(purpose, step)) {
        vec![Effect::Fetch(execution.id.clone())]
    } else {
        vec![Effect::Mint(MintPurpose::Step(step.clone()))]
    }
}

fn has_keys(held: &Held, now: Timestamp, fits: impl Fn(&MintPurpose) -> bool) -> bool {
    held.keys.values().any(|(purpose, expires)| fits(purpose) && now.plus(KEYS_MARGIN) < *expires)
}
