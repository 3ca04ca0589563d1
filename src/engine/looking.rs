//! Looking: making a plan on current facts, before a request and again before each execution.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::book::Book;
use crate::core::guard::Verdict;
use crate::core::plan::build::{Cutoffs, Making, typed};
use crate::core::plan::{Endpoint, Plan, PlanAction, PlanStep, PlanTarget, drift};
use crate::core::run::command::{Check, Kind, Refusal};
use crate::core::run::decide::evidence_word;
use crate::core::run::event::Voids;
use crate::core::run::{RunState, walk};
use crate::core::runbook::ParamValue;
use crate::core::units::Timestamp;
use crate::engine::Ports;
use crate::engine::desk::Preview;
use crate::engine::ports::{Rights, ServiceError};

/// Inputs, captures and choices of a run by name.
pub fn values(state: &RunState) -> IndexMap<String, Value> {
    let mut values = state.inputs.clone();
    for (name, value) in &state.captures {
        values.insert(name.clone(), value.clone());
    }
    values
}

/// The target as plans hold it.
pub fn plan_target(book: &Book, name: &str, endpoint: Option<&Endpoint>) -> Result<PlanTarget, Refusal> {
    let target = book
        .targets
        .get(name)
        .ok_or_else(|| Refusal::new(Kind::Usage, format!("the book has no target `{}`", crate::core::text::visible(name))))?;
    Ok(PlanTarget {
        name: name.to_owned(),
        account: target.account.clone(),
        region: target.region.clone(),
        role: target.role.clone(),
        external_id: target.external_id.clone(),
        endpoint: endpoint.unwrap_or(&target.endpoint).clone(),
        source_identity: target.source_identity,
    })
}

/// Asks GetWorkGroup for every workgroup of a target.
pub async fn cutoffs(ports: &Ports, book: &Book, target: &PlanTarget) -> Result<Cutoffs, Refusal> {
    let mut found = BTreeMap::new();
    let groups = book.targets.get(target.name.as_str()).and_then(|t| t.athena.as_ref()).map(|a| a.workgroups.as_slice());
    for group in groups.unwrap_or_default() {
        let name = &group.name.value;
        let answer = ports.warehouse.workgroup(target, Rights::Own, name).await;
        found.insert(name.clone(), usable(answer)?);
    }
    Ok(found)
}

fn usable(answer: Result<crate::engine::ports::WorkgroupFacts, ServiceError>) -> Result<Result<u64, String>, Refusal> {
    Ok(match answer {
        Ok(facts) if !facts.enabled => Err("it is disabled".to_owned()),
        Ok(facts) => facts.cutoff.ok_or_else(|| "it has no BytesScannedCutoffPerQuery".to_owned()),
        Err(ServiceError::Refused(failure)) => Err(format!("{}: {}", failure.code, failure.message)),
        Err(error) => return Err(service_refusal(error)),
    })
}

/// A service's error as a refusal.
pub fn service_refusal(error: ServiceError) -> Refusal {
    match error {
        ServiceError::Refused(failure) => {
            Refusal::new(Kind::Access, format!("the service refused: {}: {}", failure.code, failure.message))
        }
        ServiceError::NoAnswer(what) => {
            Refusal::new(Kind::Temporary, format!("the service did not answer: {what}")).hint("try again")
        }
        ServiceError::Temporary(what) => Refusal::new(Kind::Temporary, what).hint("try again"),
        ServiceError::NoCredentials { message, hint } => Refusal::new(Kind::Access, message).hint(hint),
    }
}

/// Makes the step at the cursor again, with its holes filled, on the frozen walk and current facts; compares it with the plan.
pub async fn look(ports: Arc<Ports>, state: Arc<RunState>, now: Timestamp) -> Result<Preview, Refusal> {
    let gone = || Refusal::new(Kind::Access, "there is no access now").hint("ask again for the remaining steps");
    let (request, _) = state.active().ok_or_else(gone)?;
    let frozen = state.walk.as_ref().ok_or_else(|| Refusal::new(Kind::Bug, "a run without its walk"))?;
    let step = state.cursor.as_deref().ok_or_else(|| Refusal::new(Kind::Failed, "the walk is at its end"))?;
    let approved =
        request.plan.step(step).ok_or_else(|| Refusal::new(Kind::Access, format!("step {step} is not in the approved plan")))?;
    let digest = request.plan.digest().map_err(|error| Refusal::new(Kind::Failed, error.to_string()))?;
    if digest != request.digest {
        return Err(Refusal::new(Kind::Failed, "the stored plan does not match its digest")
            .hint("somebody changed the store; `tollgate runs verify` says where"));
    }
    let facts = ports.facts.load(&frozen.book, &frozen.book_sha256)?;
    let inputs = typed(&frozen.runbook, &state.inputs);
    let captured = typed(&frozen.runbook, &state.captures);
    let target = &request.plan.target;
    let making = Making {
        runbook: &frozen.runbook,
        runbook_sha256: &frozen.runbook_sha256,
        book: &frozen.book,
        book_sha256: &frozen.book_sha256,
        book_commit: frozen.book_commit.as_deref(),
        book_dirty: frozen.book_dirty,
        catalog: &facts.catalog,
        facts_sha256: &facts.sha256,
        cutoffs: None,
        inputs: &inputs,
        open_inputs: false,
        captured: &IndexMap::new(),
        fixes: &fixes(&request.plan, &state),
        walk_from: &request.walk_from,
        request: &request.id,
        run: &state.id,
        requester: &request.plan.requester,
        reason: &request.reason,
        incident: request.incident.as_deref(),
        duration: Some(crate::core::units::Millis(request.plan.duration_ms)),
        endpoint: &target.endpoint,
        now,
        approved: Some(&request.plan),
    };
    // First as it was approved, holes open: what differs there is drift. Then with the holes filled: that is what runs.
    let again = making.plan()?;
    let mut fields = drift::of_plan(&request.plan, &again);
    let mut voids = (!fields.is_empty()).then_some(Voids::Approval);
    if let Some(made) = again.step(step) {
        let (step_fields, reach) = drift::of_step(approved, made);
        fields.extend(step_fields);
        voids = voids.or(reach);
    }
    if let PlanAction::Athena(plan) = &approved.action {
        let answer = usable(ports.warehouse.workgroup(target, Rights::Own, &plan.workgroup).await)?;
        if let Some(field) = drift::of_workgroup(step, (&plan.workgroup, plan.hard_stop), &answer) {
            fields.push(field);
            voids = Some(Voids::Approval);
        }
    }
    let filled = Making { captured: &captured, ..making }.plan()?;
    let made = filled.step(step).cloned().ok_or_else(|| Refusal::new(Kind::Bug, "the step is gone from its own plan"))?;
    if voids.is_none()
        && let (fields_now, Some(reach @ Voids::Step)) = drift::of_step(&bare(approved, &made), &made)
    {
        fields.extend(fields_now);
        voids = Some(reach);
    }
    let check = check(&made, fields, voids);
    Ok(Preview { step: step.to_owned(), now: made, check })
}

/// The approved step with the filled step's statement, so that only costs are compared.
fn bare(approved: &PlanStep, made: &PlanStep) -> PlanStep {
    let mut step = made.clone();
    match (&mut step.action, &approved.action) {
        (PlanAction::Athena(mine), PlanAction::Athena(theirs)) => {
            mine.ceiling = theirs.ceiling;
            mine.estimate = theirs.estimate;
        }
        (PlanAction::Dynamodb(mine), PlanAction::Dynamodb(theirs)) => mine.ceiling = theirs.ceiling,
        _ => {}
    }
    step
}

fn check(step: &PlanStep, drift: Vec<crate::core::run::event::DriftField>, voids: Option<Voids>) -> Check {
    let (estimate, evidence) = match &step.action {
        PlanAction::Athena(plan) => (plan.estimate, evidence_word(plan.evidence).to_owned()),
        PlanAction::Dynamodb(plan) => (plan.estimate, "catalog".to_owned()),
        _ => (None, "unknown".to_owned()),
    };
    let verdict = match step.verdict() {
        Some(Verdict::Block) => "block",
        Some(Verdict::Warn) => "warn",
        _ => "allow",
    };
    Check {
        low: estimate.map(|e| e.low),
        expected: estimate.map(|e| e.expected),
        high: estimate.map(|e| e.high),
        evidence,
        verdict: verdict.to_owned(),
        warnings: walk::warnings(step.findings()),
        drift,
        voids,
    }
}

/// Statements that a fix replaced before the request: those that differ from what the runbook alone gives are in the stored plan.
fn fixes(plan: &Plan, state: &RunState) -> IndexMap<String, String> {
    let mut fixes = IndexMap::new();
    for (step, sql) in &state.fixed {
        if plan.step(step).is_some() {
            fixes.insert(step.clone(), sql.clone());
        }
    }
    fixes
}

/// Typed values as journaled JSON.
pub fn journaled(values: &IndexMap<String, ParamValue>) -> IndexMap<String, Value> {
    values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}
