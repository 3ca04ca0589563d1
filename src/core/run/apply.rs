//! Folding: one event into the state. Total and deterministic; an event that does not fit the state marks the run corrupt
//! instead of being guessed at, and a corrupt run refuses every command.

use indexmap::IndexMap;

use crate::core::plan::PlanDigest;
use crate::core::run::event::{Event, EventBody, ExecutionOutcome, MintPurpose, Next, Service, Voids};
use crate::core::run::state::{
    Access, Driver, Execution, ExecutionState, FetchedRows, Mint, MintState, Request, RunState, StepState, StepStatus, Vote, Walk,
};
use crate::core::units::Millis;

/// Folds one event.
pub fn apply(state: &mut RunState, event: &Event) {
    if state.corrupt.is_some() {
        return;
    }
    if let Err(reason) = fold(state, event) {
        state.corrupt = Some(format!("event {} ({}): {reason}", event.seq, event.body.kind()));
    }
    state.seq = event.seq;
    state.head.clone_from(&event.hash);
    state.newest_at = state.newest_at.max(event.at);
}

/// Folds a whole run.
pub fn fold_all<'a>(events: impl IntoIterator<Item = &'a Event>) -> RunState {
    let mut state = RunState::default();
    for event in events {
        apply(&mut state, event);
    }
    state
}

fn fold(state: &mut RunState, event: &Event) -> Result<(), String> {
    if event.seq != state.seq + 1 {
        return Err(format!("follows event {}", state.seq));
    }
    if state.seq > 0 && event.run != state.id {
        return Err(format!("belongs to run {}", event.run));
    }
    match &event.body {
        EventBody::RunCreated {
            runbook,
            runbook_yaml,
            runbook_sha256,
            book_yaml,
            book_sha256,
            book_commit,
            book_dirty,
            inputs,
            ..
        } => {
            state.id.clone_from(&event.run);
            state.operator = Some(event.actor.clone());
            state.created_at = event.at;
            state.inputs.clone_from(inputs);
            let walk =
                Walk::thaw(runbook, runbook_yaml, runbook_sha256, book_yaml, book_sha256, book_commit.clone(), *book_dirty)?;
            state.steps = walk.runbook.steps.iter().map(|step| (step.id.to_string(), StepState::default())).collect();
            state.walk = Some(walk);
        }
        EventBody::RequestSent { request, digest, plan, reason, incident, walk_from } => {
            state.requests.push(Request {
                id: request.clone(),
                digest: PlanDigest(digest.clone()),
                plan: (**plan).clone(),
                reason: reason.clone(),
                incident: incident.clone(),
                walk_from: walk_from.clone(),
                sent_at: event.at,
                by: event.actor.clone(),
                votes: Vec::new(),
                escalated: 0,
                access: Access::Waiting,
                voided: None,
                voided_steps: Vec::new(),
            });
        }
        EventBody::RequestEscalated { request, level, .. } => request_mut(state, request)?.escalated = *level,
        EventBody::RequestLapsed { request, unused } => {
            request_mut(state, request)?.access = Access::Lapsed { unused: *unused };
        }
        EventBody::RequestCancelled { request } => request_mut(state, request)?.access = Access::Cancelled,
        EventBody::RequestApproved { request, by, use_by, .. } => {
            request_mut(state, request)?.access = Access::Approved { use_by: *use_by, by: by.clone() };
        }
        EventBody::RequestDenied { request, by } => request_mut(state, request)?.access = Access::Denied { by: by.clone() },
        EventBody::VoteCast { request, approve, comment, .. } => {
            let vote = Vote { by: event.actor.clone(), at: event.at, approve: *approve, comment: comment.clone() };
            request_mut(state, request)?.votes.push(vote);
        }
        EventBody::AccessStarted { request, deadline } => start_access(state, request, event, *deadline)?,
        EventBody::MintIntended { mint, request, purpose, epoch, .. } => state.mints.push(Mint {
            id: mint.clone(),
            request: request.clone(),
            purpose: purpose.clone(),
            epoch: *epoch,
            intended_at: event.at,
            state: MintState::Intended,
        }),
        EventBody::MintIssued { mint, access_key_id, expires } => {
            mint_mut(state, mint)?.state = MintState::Issued { access_key_id: access_key_id.clone(), expires: *expires };
        }
        EventBody::MintFailed { mint, error } => mint_mut(state, mint)?.state = MintState::Failed(error.clone()),
        EventBody::MintUnknown { mint, .. } => mint_mut(state, mint)?.state = MintState::Unknown,
        EventBody::KeysDropped { mint, .. } => mint_mut(state, mint)?.state = MintState::Dropped,
        EventBody::StepEntered { step, visit } => {
            let entered = step_mut(state, step)?;
            entered.visits = *visit;
            entered.status = StepStatus::Entered;
            entered.accepted.clear();
            entered.current = None;
            entered.drift = None;
            state.cursor = Some(step.clone());
            state.finished = None;
        }
        EventBody::StepSkipped { step, reason, next } => {
            step_mut(state, step)?.status = StepStatus::Skipped { reason: reason.clone() };
            advance(state, next)?;
        }
        EventBody::StepFinished { step, outcome, reason, next } => {
            step_mut(state, step)?.status = StepStatus::Finished { outcome: *outcome, reason: reason.clone() };
            advance(state, next)?;
        }
        EventBody::ConfirmAnswered { step, yes } => step_mut(state, step)?.answer = Some(*yes),
        EventBody::ChoiceMade { step, values } | EventBody::CaptureTaken { step, values } => {
            step_mut(state, step)?;
            merge(&mut state.captures, values);
        }
        EventBody::WarningAccepted { step, rules } => step_mut(state, step)?.accepted.clone_from(rules),
        EventBody::ExecutionIntended {
            execution,
            request,
            step,
            attempt,
            epoch,
            token,
            service,
            statement,
            ceiling,
            reserved,
        } => {
            if let Some(open) = state.open_execution() {
                return Err(format!("execution {} is not over", open.id));
            }
            let executing = step_mut(state, step)?;
            executing.executions += 1;
            executing.current = Some(execution.clone());
            state.executions.push(Execution {
                id: execution.clone(),
                request: request.clone(),
                step: step.clone(),
                attempt: *attempt,
                epoch: *epoch,
                token: token.clone(),
                service: *service,
                statement: statement.clone(),
                ceiling: *ceiling,
                reserved: *reserved,
                intended_at: event.at,
                query_id: None,
                started_at: None,
                stop_asked: None,
                state: ExecutionState::Intended,
                rows: None,
            });
        }
        EventBody::ExecutionStarted { execution, query_id, .. } => {
            let execution = execution_mut(state, execution)?;
            execution.query_id = Some(query_id.clone());
            execution.started_at = Some(event.at);
            execution.state = ExecutionState::Running;
        }
        EventBody::ExecutionFinished { execution, outcome, cost, elapsed_ms, error, .. } => {
            let ended =
                ExecutionState::Finished { outcome: *outcome, cost: *cost, elapsed: Millis(*elapsed_ms), error: error.clone() };
            let charge = if *outcome == ExecutionOutcome::NotSent { Some(0) } else { *cost };
            end_execution(state, execution, ended, charge)?;
            if *outcome == ExecutionOutcome::NotSent {
                let step = state.execution(execution).map(|e| e.step.clone()).unwrap_or_default();
                let step = step_mut(state, &step)?;
                step.executions = step.executions.saturating_sub(1);
                step.current = None;
            }
        }
        EventBody::ExecutionStopped { execution, reason, cost, elapsed_ms, .. } => {
            let ended = ExecutionState::Stopped { reason: *reason, cost: *cost, elapsed: Millis(*elapsed_ms) };
            end_execution(state, execution, ended, *cost)?;
        }
        EventBody::ExecutionIndeterminate { execution, reason } => {
            end_execution(state, execution, ExecutionState::Indeterminate { reason: reason.clone() }, None)?;
        }
        EventBody::RowsFetched { execution, rows, truncated, columns, sha256, .. } => {
            let fetched = FetchedRows { rows: *rows, columns: columns.clone(), truncated: *truncated, sha256: sha256.clone() };
            let done = execution_mut(state, execution)?;
            done.rows = Some(fetched);
            let step = done.step.clone();
            step_mut(state, &step)?.row_count = Some(*rows);
        }
        EventBody::DriftFound { step, voids, .. } => {
            step_mut(state, step)?.drift = Some(*voids);
            let reason = format!("step {step} no longer matches what was approved");
            if let Some(request) = state.requests.iter_mut().rev().find(|r| matches!(r.access, Access::Active { .. })) {
                match voids {
                    Voids::Approval => request.voided = Some(reason),
                    Voids::Step => request.voided_steps.push(step.clone()),
                }
            }
        }
        EventBody::StopAsked { execution, why } => {
            let id = execution.clone().or_else(|| state.open_execution().map(|e| e.id.clone()));
            if let Some(id) = id {
                execution_mut(state, &id)?.stop_asked = Some(why.clone());
            }
        }
        EventBody::NoteAdded { text } => state.notes.push((event.at, text.clone())),
        EventBody::ExportWritten { .. } => state.exports += 1,
        EventBody::DriverTaken { epoch, pid, host, .. } => {
            if *epoch != state.epoch + 1 {
                return Err(format!("takes epoch {epoch} after {}", state.epoch));
            }
            // A new driver cannot know keys that an earlier process held.
            for mint in &mut state.mints {
                if matches!(mint.state, MintState::Intended | MintState::Issued { .. }) && mint.epoch < *epoch {
                    mint.state = MintState::Unknown;
                }
            }
            state.epoch = *epoch;
            let person = event.actor.person();
            state.driver = Some(Driver { epoch: *epoch, pid: *pid, host: host.clone(), person, since: event.at });
        }
        EventBody::DriverLeft { epoch, .. } => {
            if state.driver.as_ref().is_some_and(|driver| driver.epoch == *epoch) {
                state.driver = None;
            }
        }
        EventBody::AccessEnded { request, reason } => end_access(state, request, event, reason)?,
        EventBody::AccessRevoked { request, by } => end_access(state, request, event, &format!("revoked by {by}"))?,
        EventBody::RunClosed { reason } | EventBody::RunCancelled { reason } => {
            state.closed = Some((event.at, reason.clone()));
        }
        EventBody::FixApplied { step, sql, .. } => {
            step_mut(state, step)?;
            state.fixed.insert(step.clone(), sql.clone());
        }
        EventBody::EstimateMade { .. } | EventBody::IdentitySwitched { .. } | EventBody::ClockCorrected { .. } => {}
    }
    Ok(())
}

fn start_access(state: &mut RunState, id: &str, event: &Event, deadline: crate::core::units::Timestamp) -> Result<(), String> {
    // The clock of a second grant starts when it is used; the first ends with it.
    for request in &mut state.requests {
        if let Access::Active { deadline, .. } = request.access {
            request.access = Access::Ended { at: event.at, deadline, reason: "a new grant was started".to_owned() };
        }
    }
    let request = request_mut(state, id)?;
    request.access = Access::Active { started: event.at, deadline };
    let from = request.walk_from.clone();
    if !state.steps.contains_key(&from) {
        return Err(format!("starts at unknown step {from}"));
    }
    // A step that was only previewed under the old grant stays entered; a finished or failed one is reached again.
    if (state.cursor.as_deref() != Some(from.as_str()) || state.finished.is_some())
        && let Some(step) = state.steps.get_mut(&from)
    {
        step.status = StepStatus::Pending;
    }
    state.cursor = Some(from);
    state.finished = None;
    Ok(())
}

fn end_access(state: &mut RunState, id: &str, event: &Event, reason: &str) -> Result<(), String> {
    let request = request_mut(state, id)?;
    let deadline = match request.access {
        Access::Active { deadline, .. } => deadline,
        _ => event.at,
    };
    request.access = Access::Ended { at: event.at, deadline, reason: reason.to_owned() };
    Ok(())
}

fn advance(state: &mut RunState, next: &Next) -> Result<(), String> {
    match next {
        Next::Step(step) => {
            let target = step_mut(state, step)?;
            if !matches!(target.status, StepStatus::Pending) {
                target.status = StepStatus::Pending;
            }
            state.cursor = Some(step.clone());
        }
        Next::End | Next::Stop => {
            if *next == Next::End {
                state.cursor = None;
            }
            state.finished = Some(next.clone());
        }
    }
    Ok(())
}

fn end_execution(state: &mut RunState, id: &str, ended: ExecutionState, cost: Option<u64>) -> Result<(), String> {
    let execution = execution_mut(state, id)?;
    if !execution.is_open() {
        return Err(format!("execution {id} is over already"));
    }
    execution.state = ended;
    let (service, charge) = (execution.service, cost.unwrap_or(execution.reserved));
    match service {
        Service::Athena => state.spent_bytes = state.spent_bytes.saturating_add(charge),
        Service::Dynamodb => state.spent_read_units = state.spent_read_units.saturating_add(charge),
    }
    Ok(())
}

fn merge(captures: &mut IndexMap<String, serde_json::Value>, values: &IndexMap<String, serde_json::Value>) {
    for (name, value) in values {
        captures.insert(name.clone(), value.clone());
    }
}

fn request_mut<'a>(state: &'a mut RunState, id: &str) -> Result<&'a mut Request, String> {
    state.requests.iter_mut().find(|request| request.id == id).ok_or_else(|| format!("names unknown request {id}"))
}

fn mint_mut<'a>(state: &'a mut RunState, id: &str) -> Result<&'a mut Mint, String> {
    state.mints.iter_mut().find(|mint| mint.id == id).ok_or_else(|| format!("names unknown mint {id}"))
}

fn step_mut<'a>(state: &'a mut RunState, id: &str) -> Result<&'a mut StepState, String> {
    state.steps.get_mut(id).ok_or_else(|| format!("names unknown step {id}"))
}

fn execution_mut<'a>(state: &'a mut RunState, id: &str) -> Result<&'a mut Execution, String> {
    state.executions.iter_mut().find(|execution| execution.id == id).ok_or_else(|| format!("names unknown execution {id}"))
}

/// Whether a mint with this purpose serves that step.
pub(crate) fn serves(purpose: &MintPurpose, step: &str) -> bool {
    matches!(purpose, MintPurpose::Step(id) if id == step)
}
