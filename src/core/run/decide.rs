//! Deciding: a command becomes events, or a refusal with a reason. Pure; the engine journals the events before anything happens.

use crate::core::access::{self, Standing};
use crate::core::estimate::Evidence;
use crate::core::guard::Verdict;
use crate::core::plan::{Endpoint, Person, Plan, PlanAction, PlanDigest, PlanStep};
use crate::core::run::command::{Check, Command, Kind, Refusal};
use crate::core::run::event::{Actor, EventBody, ExecutionOutcome, MintPurpose, Next, Service, StepOutcome, StopReason};
use crate::core::run::expiry;
use crate::core::run::state::{Access, Execution, ExecutionState, MintState, Request, RunState, StepStatus, Walk};
use crate::core::run::walk;
use crate::core::runbook::StepKind;
use crate::core::units::{Bytes, Millis, ReadUnits, Timestamp};

/// What `command` makes of `state`. Events that time caused must have been applied first ([`expiry::due`]).
pub fn decide(state: &RunState, command: &Command, actor: &Actor, now: Timestamp) -> Result<Vec<EventBody>, Refusal> {
    if let Some(reason) = &state.corrupt {
        return Err(Refusal::new(Kind::Failed, format!("the journal of this run cannot be followed: {reason}"))
            .hint("`tollgate runs verify` says which event is wrong; nothing was done"));
    }
    if state.is_closed() && !after_closing(command) {
        return Err(Refusal::new(Kind::Failed, "this run is closed").hint("start a new one with `tollgate run`"));
    }
    match command {
        Command::Request { plan, reason, walk_from } => request(state, plan, reason, walk_from, actor),
        Command::Fix { step, title, sql } => {
            Ok(vec![EventBody::FixApplied { step: step.clone(), title: title.clone(), sql: sql.clone() }])
        }
        Command::Cancel { request } => cancel(state, request, actor),
        Command::Vote { request, digest, approve, comment } => vote(state, request, digest, *approve, comment, actor, now),
        Command::StartAccess => start_access(state, now),
        Command::Enter { when } => enter(state, *when),
        Command::Acknowledge => acknowledge(state),
        Command::Answer { yes } => answer(state, *yes),
        Command::Choose { values } => {
            let step = at_cursor(state, |kind| matches!(kind, StepKind::Choose(_)), "a choice")?;
            let mut events = vec![EventBody::ChoiceMade { step: step.clone(), values: values.clone() }];
            events.extend(finish(state, &step, StepOutcome::Done, None)?);
            Ok(events)
        }
        Command::AcceptWarning => accept_warning(state),
        Command::Execute { check } => execute(state, check, now),
        Command::Stop { why } => Ok(match state.open_execution() {
            Some(open) if open.stop_asked.is_none() => {
                vec![EventBody::StopAsked { execution: Some(open.id.clone()), why: why.clone() }]
            }
            _ => Vec::new(),
        }),
        Command::Close { reason } => close(state, reason),
        Command::Note { text } => Ok(vec![EventBody::NoteAdded { text: text.clone() }]),
        Command::Exported { execution, format, file, rows, sha256 } => Ok(vec![EventBody::ExportWritten {
            execution: execution.clone(),
            format: format.clone(),
            file: file.clone(),
            rows: *rows,
            sha256: sha256.clone(),
        }]),
        Command::SwitchIdentity { to } => switch_identity(state, to, actor),
        Command::Revoke => match state.active() {
            Some((request, _)) => Ok(vec![EventBody::AccessRevoked { request: request.id.clone(), by: actor.name.clone() }]),
            None => Ok(Vec::new()),
        },
        Command::Drive { pid, host, takeover } => drive(state, *pid, host, *takeover, actor),
        Command::Leave { reason } => Ok(match &state.driver {
            Some(driver) => vec![EventBody::DriverLeft { epoch: driver.epoch, reason: reason.clone() }],
            None => Vec::new(),
        }),
        Command::Mint { mint, purpose, session_name, policy_sha256 } => {
            mint_intended(state, mint, purpose, session_name, policy_sha256, now)
        }
        Command::Minted { mint, access_key_id, expires } => {
            pending_mint(state, mint)?;
            Ok(vec![EventBody::MintIssued { mint: mint.clone(), access_key_id: access_key_id.clone(), expires: *expires }])
        }
        Command::MintFailed { mint, error } => {
            pending_mint(state, mint)?;
            Ok(vec![EventBody::MintFailed { mint: mint.clone(), error: error.clone() }])
        }
        Command::MintUnknown { mint, reason } => {
            pending_mint(state, mint)?;
            Ok(vec![EventBody::MintUnknown { mint: mint.clone(), reason: reason.clone() }])
        }
        Command::Intend { execution, token, statement } => intend(state, execution, token, statement, now),
        Command::Started { execution, query_id, adopted } => {
            open(state, execution)?;
            Ok(vec![EventBody::ExecutionStarted {
                execution: execution.clone(),
                query_id: query_id.clone(),
                adopted: *adopted,
                happened_at: None,
            }])
        }
        Command::Finished { execution, outcome, cost, elapsed_ms, error } => {
            let step = open(state, execution)?.step.clone();
            let mut events = vec![EventBody::ExecutionFinished {
                execution: execution.clone(),
                outcome: *outcome,
                cost: *cost,
                elapsed_ms: *elapsed_ms,
                error: error.clone(),
                happened_at: None,
            }];
            if *outcome == ExecutionOutcome::Failed {
                let reason = error.as_ref().map(|e| format!("{}: {}", e.code, e.message));
                events.extend(finish(state, &step, StepOutcome::Failed, reason)?);
            }
            Ok(events)
        }
        Command::Stopped { execution, reason, cost, elapsed_ms } => {
            let step = open(state, execution)?.step.clone();
            let stopped = EventBody::ExecutionStopped {
                execution: execution.clone(),
                reason: *reason,
                cost: *cost,
                elapsed_ms: *elapsed_ms,
                happened_at: None,
            };
            Ok(vec![
                stopped,
                EventBody::StepFinished {
                    step,
                    outcome: StepOutcome::Stopped,
                    reason: Some(stop_words(*reason).to_owned()),
                    next: Next::Stop,
                },
            ])
        }
        Command::Indeterminate { execution, reason } => {
            let step = open(state, execution)?.step.clone();
            Ok(vec![
                EventBody::ExecutionIndeterminate { execution: execution.clone(), reason: reason.clone() },
                EventBody::StepFinished { step, outcome: StepOutcome::Failed, reason: Some(reason.clone()), next: Next::Stop },
            ])
        }
        Command::Fetched { execution, rows, bytes, truncated, columns, sha256 } => Ok(vec![EventBody::RowsFetched {
            execution: execution.clone(),
            rows: *rows,
            bytes: *bytes,
            truncated: *truncated,
            columns: columns.clone(),
            sha256: sha256.clone(),
        }]),
        Command::Evaluated { step, expect, captures } => evaluated(state, step, *expect, captures),
        Command::Dropped { mint, reason } => match state.mints.iter().find(|m| m.id == *mint) {
            Some(found) if matches!(found.state, MintState::Issued { .. }) => {
                Ok(vec![EventBody::KeysDropped { mint: mint.clone(), reason: reason.clone(), happened_at: None }])
            }
            _ => Ok(Vec::new()),
        },
        Command::ClockCorrected { skew_ms, source } => {
            Ok(vec![EventBody::ClockCorrected { skew_ms: *skew_ms, source: source.clone() }])
        }
    }
}

/// What may still be said of a run that is closed: what the world did, what was exported, that the driver went.
fn after_closing(command: &Command) -> bool {
    matches!(command, Command::Dropped { .. } | Command::Exported { .. } | Command::Leave { .. } | Command::Note { .. })
}

fn request(state: &RunState, plan: &Plan, reason: &str, walk_from: &str, actor: &Actor) -> Result<Vec<EventBody>, Refusal> {
    if let Some(open) = state.requests.iter().find(|r| matches!(r.access, Access::Waiting | Access::Approved { .. })) {
        return Err(Refusal::new(Kind::Failed, format!("request {} is still open", open.id))
            .hint(format!("cancel it first: `tollgate requests cancel {}`", open.id)));
    }
    if reason.trim().is_empty() {
        return Err(Refusal::new(Kind::Usage, "a request needs a reason").hint("say in one line why you need to look"));
    }
    if plan.reason_sha256 != walk::sha256_hex(reason.as_bytes()) {
        return Err(Refusal::new(Kind::Bug, "the plan was made for another reason"));
    }
    if plan.requester != actor.person() {
        return Err(Refusal::new(Kind::Bug, "the plan was made for another person"));
    }
    if plan.verdict() == Verdict::Block {
        let finding = plan
            .findings
            .iter()
            .chain(plan.steps.iter().flat_map(PlanStep::findings))
            .find(|f| f.level == crate::core::guard::Level::Block);
        let why = finding.map_or_else(String::new, |f| format!(": {}", f.message));
        return Err(Refusal::new(Kind::Blocked, format!("the plan is blocked and cannot be sent{why}"))
            .hint("`tollgate plan` shows each finding with the place where its rule is set"));
    }
    if !state.steps.contains_key(walk_from) {
        return Err(Refusal::new(Kind::Bug, format!("the walk has no step `{walk_from}`")));
    }
    let digest = plan.digest().map_err(|e| Refusal::new(Kind::Bug, e.to_string()))?;
    Ok(vec![EventBody::RequestSent {
        request: plan.request.clone(),
        digest: digest.0,
        plan: Box::new(plan.clone()),
        reason: reason.to_owned(),
        incident: plan.incident.clone(),
        walk_from: walk_from.to_owned(),
    }])
}

fn cancel(state: &RunState, id: &str, actor: &Actor) -> Result<Vec<EventBody>, Refusal> {
    let request = known(state, id)?;
    if !matches!(request.access, Access::Waiting | Access::Approved { .. }) {
        return Err(Refusal::new(Kind::Failed, format!("request {id} is not open any more")));
    }
    if request.by.name != actor.name {
        return Err(Refusal::new(Kind::Access, format!("request {id} is {}'s; only they can cancel it", request.by.name))
            .hint("deny it instead, with a comment"));
    }
    Ok(vec![EventBody::RequestCancelled { request: id.to_owned() }])
}

fn vote(
    state: &RunState,
    id: &str,
    digest: &PlanDigest,
    approve: bool,
    comment: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<EventBody>, Refusal> {
    let request = known(state, id)?;
    if request.access != Access::Waiting {
        return Err(Refusal::new(Kind::Access, format!("request {id} is not waiting for votes any more")));
    }
    // The stored plan is what runs, so its own digest counts, not the one written beside it.
    let actual = request.plan.digest().map_err(|e| Refusal::new(Kind::Failed, e.to_string()))?;
    if actual != request.digest {
        return Err(Refusal::new(Kind::Failed, format!("the stored plan of request {id} does not match its digest"))
            .hint("somebody changed the store; `tollgate runs verify` says where"));
    }
    if *digest != actual {
        return Err(Refusal::new(Kind::Access, "the vote names another plan than the one that waits")
            .hint(format!("read it again: `tollgate requests show {id}`")));
    }
    if !approve && comment.trim().is_empty() {
        return Err(Refusal::new(Kind::Usage, "a denial needs a comment").hint("say why with `--comment`"));
    }
    let walk = frozen(state)?;
    let sandbox = request.plan.target.endpoint == Endpoint::Sandbox;
    let (rule, by, voter) = (&request.plan.approval, request.by.person(), actor.person());
    let cast: Vec<(Person, bool)> = request.votes.iter().map(|vote| (vote.by.person(), vote.approve)).collect();
    access::may_vote(rule, &walk.book, &by, &voter, request.escalated, sandbox)
        .and_then(|()| access::votes_first(&walk.book, &voter, cast.iter().map(|(person, _)| person), sandbox))
        .map_err(|why| Refusal::new(Kind::Access, format!("this vote does not count: {why}")))?;
    let mut events =
        vec![EventBody::VoteCast { request: id.to_owned(), digest: digest.0.clone(), approve, comment: comment.to_owned() }];
    let all = cast.iter().map(|(person, approves)| (person, *approves)).chain([(&voter, approve)]);
    match access::standing(rule, &walk.book, &by, all, request.escalated, sandbox) {
        Standing::Open { .. } => {}
        Standing::Denied(by) => events.push(EventBody::RequestDenied { request: id.to_owned(), by }),
        Standing::Approved(by) => events.push(EventBody::RequestApproved {
            request: id.to_owned(),
            digest: digest.0.clone(),
            by,
            use_by: now.plus(Millis(request.plan.use_within_ms)),
        }),
    }
    Ok(events)
}

fn start_access(state: &RunState, now: Timestamp) -> Result<Vec<EventBody>, Refusal> {
    let Some(request) = state.request() else {
        return Err(Refusal::new(Kind::Failed, "access was not asked for"));
    };
    match &request.access {
        Access::Approved { .. } => {}
        Access::Waiting => {
            return Err(Refusal::new(Kind::Access, "the request is not approved yet"));
        }
        Access::Active { .. } => return Ok(Vec::new()),
        Access::Denied { by } => return Err(Refusal::new(Kind::Access, format!("the request was denied by {by}"))),
        Access::Lapsed { .. } => {
            return Err(Refusal::new(Kind::Access, "the request has lapsed").hint("ask again"));
        }
        Access::Cancelled => return Err(Refusal::new(Kind::Access, "the request was cancelled").hint("ask again")),
        Access::Ended { .. } => return Err(Refusal::new(Kind::Access, "access has ended").hint("ask again")),
    }
    if let Some(open) = state.open_execution() {
        return Err(Refusal::new(Kind::Failed, format!("step {} still runs under the old grant", open.step))
            .hint("wait for it, or stop it first"));
    }
    let deadline = now.plus(Millis(request.plan.duration_ms));
    Ok(vec![EventBody::AccessStarted { request: request.id.clone(), deadline }])
}

fn enter(state: &RunState, when: Option<bool>) -> Result<Vec<EventBody>, Refusal> {
    if state.active().is_none() && !state.requests.iter().any(|r| matches!(r.access, Access::Ended { .. })) {
        return Err(Refusal::new(Kind::Access, "access was not started"));
    }
    let walk = frozen(state)?;
    let Some(id) = state.cursor.clone() else {
        return Err(Refusal::new(Kind::Failed, "the walk is at its end"));
    };
    let step = walk.step(&id)?;
    let current = state.steps.get(&id).ok_or_else(|| Refusal::new(Kind::Bug, format!("no state for step `{id}`")))?;
    if current.status == StepStatus::Entered {
        return Ok(Vec::new());
    }
    if let Some(condition) = &step.when {
        let value = when.ok_or_else(|| Refusal::new(Kind::Bug, format!("`when` of step `{id}` was not evaluated")))?;
        if !value {
            let next = walk.following(&id);
            let mut events = vec![EventBody::StepSkipped {
                step: id,
                reason: format!("when: {} is false", condition.source),
                next: next.clone(),
            }];
            events.extend(closing(state, &next));
            return Ok(events);
        }
    }
    Ok(vec![EventBody::StepEntered { step: id, visit: current.visits + 1 }])
}

fn acknowledge(state: &RunState) -> Result<Vec<EventBody>, Refusal> {
    let step = at_cursor(state, |kind| matches!(kind, StepKind::Note), "a note")?;
    finish(state, &step, StepOutcome::Done, None)
}

fn answer(state: &RunState, yes: bool) -> Result<Vec<EventBody>, Refusal> {
    let step = at_cursor(state, |kind| matches!(kind, StepKind::Confirm(_)), "a question")?;
    let mut events = vec![EventBody::ConfirmAnswered { step: step.clone(), yes }];
    let outcome = if yes { StepOutcome::Done } else { StepOutcome::Declined };
    events.extend(finish(state, &step, outcome, None)?);
    Ok(events)
}

fn accept_warning(state: &RunState) -> Result<Vec<EventBody>, Refusal> {
    let step = at_cursor(state, StepKind::executes, "a statement")?;
    let planned = planned(state, &step)?;
    let rules = walk::warnings(planned.findings());
    Ok(vec![EventBody::WarningAccepted { step, rules }])
}

fn execute(state: &RunState, check: &Check, now: Timestamp) -> Result<Vec<EventBody>, Refusal> {
    let step = at_cursor(state, StepKind::executes, "a statement")?;
    let (request, deadline) = granted(state, now)?;
    if deadline.since(now) < expiry::LAST_START {
        return Err(Refusal::new(Kind::Access, "less than a minute of access is left: nothing is started any more")
            .hint("ask again for the remaining steps"));
    }
    if let Some(open) = state.open_execution() {
        return Err(Refusal::new(Kind::Failed, format!("step {} is still running", open.step)));
    }
    may_run(state, request, &step)?;
    let status = state.steps.get(&step).ok_or_else(|| Refusal::new(Kind::Bug, "a step without state"))?;
    let made = EventBody::EstimateMade {
        step: step.clone(),
        low: check.low,
        expected: check.expected,
        high: check.high,
        evidence: check.evidence.clone(),
        verdict: check.verdict.clone(),
    };
    if let Some(voids) = check.voids {
        return Ok(vec![made, EventBody::DriftFound { step, fields: check.drift.clone(), voids }]);
    }
    if check.verdict == "block" {
        return Err(Refusal::new(Kind::Blocked, format!("step {step} is blocked by a guardrail")));
    }
    if let Some(rule) = check.warnings.iter().find(|rule| !status.accepted.contains(rule)) {
        return Err(Refusal::new(Kind::Blocked, format!("step {step} has a warning that was not accepted: {rule}"))
            .hint(format!("read it, then type `run`; without a terminal: --accept-warn {step}")));
    }
    Ok(vec![made])
}

/// Whether the grant still covers one more execution of this step: not voided, not used up, within the budget.
fn may_run(state: &RunState, request: &Request, step: &str) -> Result<(), Refusal> {
    if let Some(reason) = &request.voided {
        return Err(Refusal::new(Kind::Blocked, format!("the approval is void: {reason}")).hint("ask again"));
    }
    if request.voided_steps.iter().any(|voided| voided == step) {
        return Err(Refusal::new(Kind::Blocked, "this step's cost rose above its approved ceiling").hint("ask again"));
    }
    let planned = planned(state, step)?;
    let done = state.executions.iter().filter(|e| e.request == request.id && e.step == step && counts(e)).count();
    if done >= planned.max_executions() as usize {
        return Err(Refusal::new(Kind::Blocked, format!("step {step} may run {} and has", times(planned.max_executions())))
            .hint("ask again, if it must run once more"));
    }
    let (spent, budget, ceiling, words) = match &planned.action {
        PlanAction::Athena(plan) => {
            let spent = charged(state, &request.id, Service::Athena);
            (spent, request.plan.budget.bytes, plan.ceiling, Bytes(request.plan.budget.bytes).to_string())
        }
        PlanAction::Dynamodb(plan) => {
            let spent = charged(state, &request.id, Service::Dynamodb);
            (spent, request.plan.budget.read_units, plan.ceiling, ReadUnits(request.plan.budget.read_units).to_string())
        }
        _ => return Err(Refusal::new(Kind::Bug, "a step that executes nothing")),
    };
    if spent.saturating_add(ceiling) > budget {
        return Err(Refusal::new(Kind::Blocked, format!("this step could pass the run's budget of {words}")).hint("ask again"));
    }
    Ok(())
}

fn intend(state: &RunState, execution: &str, token: &str, statement: &str, now: Timestamp) -> Result<Vec<EventBody>, Refusal> {
    let step = at_cursor(state, StepKind::executes, "a statement")?;
    let (request, deadline) = granted(state, now)?;
    if deadline.since(now) < expiry::STOP_BEFORE {
        return Err(Refusal::new(Kind::Access, "access ends too soon to start anything").hint("ask again"));
    }
    if let Some(open) = state.open_execution() {
        return Err(Refusal::new(Kind::Bug, format!("execution {} is not over", open.id)));
    }
    let planned = planned(state, &step)?;
    may_run(state, request, &step)?;
    let (service, ceiling) = match &planned.action {
        PlanAction::Athena(plan) => (Service::Athena, plan.ceiling),
        PlanAction::Dynamodb(plan) => (Service::Dynamodb, plan.ceiling),
        _ => return Err(Refusal::new(Kind::Bug, "a step that executes nothing")),
    };
    let attempt = state.executions.iter().filter(|e| e.step == step).count() + 1;
    Ok(vec![EventBody::ExecutionIntended {
        execution: execution.to_owned(),
        request: request.id.clone(),
        step,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        epoch: state.epoch,
        token: token.to_owned(),
        service,
        statement: statement.to_owned(),
        ceiling,
        reserved: ceiling,
    }])
}

fn evaluated(
    state: &RunState,
    step: &str,
    expect: Option<bool>,
    captures: &Result<indexmap::IndexMap<String, serde_json::Value>, String>,
) -> Result<Vec<EventBody>, Refusal> {
    let entered = state.steps.get(step).is_some_and(|s| s.status == StepStatus::Entered);
    if !entered || state.cursor.as_deref() != Some(step) {
        return Err(Refusal::new(Kind::Bug, format!("step {step} is not the one the walk stands at")));
    }
    if expect == Some(false) {
        return finish(state, step, StepOutcome::Failed, Some("its expectation is not met".to_owned()));
    }
    match captures {
        Err(reason) => finish(state, step, StepOutcome::Failed, Some(reason.clone())),
        Ok(values) => {
            let mut events = Vec::new();
            if !values.is_empty() {
                events.push(EventBody::CaptureTaken { step: step.to_owned(), values: values.clone() });
            }
            events.extend(finish(state, step, StepOutcome::Done, None)?);
            Ok(events)
        }
    }
}

fn close(state: &RunState, reason: &str) -> Result<Vec<EventBody>, Refusal> {
    if let Some(open) = state.open_execution() {
        return Err(Refusal::new(Kind::Failed, format!("step {} is still running", open.step)).hint("stop it first"));
    }
    let mut events = Vec::new();
    let mut used = false;
    for request in &state.requests {
        match request.access {
            Access::Waiting | Access::Approved { .. } => {
                events.push(EventBody::RequestCancelled { request: request.id.clone() });
            }
            Access::Active { .. } => {
                used = true;
                events.push(EventBody::AccessEnded { request: request.id.clone(), reason: reason.to_owned() });
            }
            Access::Ended { .. } => used = true,
            _ => {}
        }
    }
    let reason = reason.to_owned();
    events.push(if used { EventBody::RunClosed { reason } } else { EventBody::RunCancelled { reason } });
    Ok(events)
}

fn switch_identity(state: &RunState, to: &str, actor: &Actor) -> Result<Vec<EventBody>, Refusal> {
    let sandbox = state.request().is_some_and(|r| r.plan.target.endpoint == Endpoint::Sandbox);
    if !sandbox {
        return Err(Refusal::new(Kind::Access, "acting as somebody else exists only in the sandbox"));
    }
    Ok(vec![EventBody::IdentitySwitched { from: actor.name.clone(), to: to.to_owned() }])
}

fn drive(state: &RunState, pid: u32, host: &str, takeover: bool, actor: &Actor) -> Result<Vec<EventBody>, Refusal> {
    let operator = state.operator.as_ref().ok_or_else(|| Refusal::new(Kind::Bug, "a run without its first event"))?;
    if operator.name != actor.name {
        return Err(Refusal::new(Kind::Access, format!("this run is {}'s; only they can drive it", operator.name)));
    }
    Ok(vec![EventBody::DriverTaken { epoch: state.epoch + 1, pid, host: host.to_owned(), takeover }])
}

fn mint_intended(
    state: &RunState,
    mint: &str,
    purpose: &MintPurpose,
    session_name: &str,
    policy_sha256: &str,
    now: Timestamp,
) -> Result<Vec<EventBody>, Refusal> {
    let request = match purpose {
        MintPurpose::Janitor(execution) => {
            let execution = open(state, execution)?;
            execution.request.clone()
        }
        MintPurpose::Step(_) | MintPurpose::Look => granted(state, now)?.0.id.clone(),
    };
    Ok(vec![EventBody::MintIntended {
        mint: mint.to_owned(),
        request,
        purpose: purpose.clone(),
        session_name: session_name.to_owned(),
        policy_sha256: policy_sha256.to_owned(),
        epoch: state.epoch,
    }])
}

/// Finishes `step`, and with the last step ends access and run.
fn finish(state: &RunState, step: &str, outcome: StepOutcome, reason: Option<String>) -> Result<Vec<EventBody>, Refusal> {
    let walk = frozen(state)?;
    let (next, reason) = walk.after(state, step, outcome, reason)?;
    let mut events = vec![EventBody::StepFinished { step: step.to_owned(), outcome, reason, next: next.clone() }];
    events.extend(closing(state, &next));
    Ok(events)
}

/// The last step ends the access.
fn closing(state: &RunState, next: &Next) -> Vec<EventBody> {
    if *next != Next::End {
        return Vec::new();
    }
    let reason = "the walk is done".to_owned();
    let mut events = Vec::new();
    if let Some((request, _)) = state.active() {
        events.push(EventBody::AccessEnded { request: request.id.clone(), reason: reason.clone() });
    }
    events.push(EventBody::RunClosed { reason });
    events
}

fn frozen(state: &RunState) -> Result<&Walk, Refusal> {
    state.walk.as_ref().ok_or_else(|| Refusal::new(Kind::Failed, "this run has no first event"))
}

fn known<'a>(state: &'a RunState, id: &str) -> Result<&'a Request, Refusal> {
    state.request_by_id(id).ok_or_else(|| Refusal::new(Kind::Failed, format!("there is no request {id} in this run")))
}

fn granted(state: &RunState, now: Timestamp) -> Result<(&Request, Timestamp), Refusal> {
    match state.active() {
        Some((request, deadline)) if now < deadline => Ok((request, deadline)),
        _ => Err(Refusal::new(Kind::Access, "there is no access now").hint("ask for the remaining steps again")),
    }
}

fn at_cursor(state: &RunState, fits: impl Fn(&StepKind) -> bool, what: &str) -> Result<String, Refusal> {
    let walk = frozen(state)?;
    let Some(id) = state.cursor.clone() else {
        return Err(Refusal::new(Kind::Failed, "the walk is at its end"));
    };
    if !state.steps.get(&id).is_some_and(|step| step.status == StepStatus::Entered) {
        return Err(Refusal::new(Kind::Failed, format!("step {id} was not entered")));
    }
    if !fits(&walk.step(&id)?.kind) {
        return Err(Refusal::new(Kind::Failed, format!("step {id} is not {what}")));
    }
    Ok(id)
}

fn planned<'a>(state: &'a RunState, step: &str) -> Result<&'a PlanStep, Refusal> {
    state
        .active()
        .and_then(|(request, _)| request.plan.step(step))
        .ok_or_else(|| Refusal::new(Kind::Access, format!("step {step} is not in the approved plan")))
}

fn open<'a>(state: &'a RunState, id: &str) -> Result<&'a Execution, Refusal> {
    match state.execution(id) {
        Some(execution) if execution.is_open() => Ok(execution),
        _ => Err(Refusal::new(Kind::Failed, format!("execution {id} is over"))),
    }
}

fn pending_mint(state: &RunState, id: &str) -> Result<(), Refusal> {
    match state.mints.iter().find(|mint| mint.id == id) {
        Some(mint) if mint.state == MintState::Intended && mint.epoch == state.epoch => Ok(()),
        _ => Err(Refusal::new(Kind::Access, "this mint belongs to an earlier driver; its keys are not used")),
    }
}

/// Whether an execution uses up one of the step's allowed executions.
fn counts(execution: &Execution) -> bool {
    !matches!(execution.state, ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, .. })
}

/// What the grant of `request` was charged for `service` so far.
pub(crate) fn charged(state: &RunState, request: &str, service: Service) -> u64 {
    state
        .executions
        .iter()
        .filter(|e| e.request == request && e.service == service)
        .map(|e| match &e.state {
            ExecutionState::Intended | ExecutionState::Running | ExecutionState::Indeterminate { .. } => e.reserved,
            ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, .. } => 0,
            ExecutionState::Finished { cost, .. } | ExecutionState::Stopped { cost, .. } => cost.unwrap_or(e.reserved),
        })
        .fold(0, u64::saturating_add)
}

fn times(n: u32) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

/// The reason of a stop, in words.
pub fn stop_words(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Asked => "stopped on request",
        StopReason::Ceiling => "stopped at the approved ceiling",
        StopReason::Budget => "stopped at the run's budget",
        StopReason::Deadline => "stopped because access ended",
        StopReason::Revoked => "stopped because access was revoked",
        StopReason::Terminal => "stopped because its terminal was gone",
        StopReason::HardStop => "stopped by the workgroup's cutoff",
        StopReason::Orphan => "found running without a driver, and stopped",
    }
}

/// The word for an evidence class, as journaled.
pub fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Manifest => "manifest",
        Evidence::Footers => "footers",
        Evidence::Listed => "listed",
        Evidence::Catalog => "catalog",
        Evidence::History => "history",
        Evidence::Unknown => "unknown",
    }
}
