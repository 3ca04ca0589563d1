//! Drift: what differs between a step as approved and the same step made again now.

use std::collections::BTreeSet;

use crate::core::plan::{Plan, PlanAction, PlanStep};
use crate::core::run::event::{DriftField, Voids};
use crate::core::units::{Bytes, ReadUnits};

/// Differences in what binds the whole plan; any of them voids the approval.
pub fn of_plan(approved: &Plan, now: &Plan) -> Vec<DriftField> {
    let mut fields = Vec::new();
    let mut compare = |field: &str, a: String, b: String| {
        if a != b {
            fields.push(DriftField { field: field.to_owned(), approved: a, now: b });
        }
    };
    compare("request", approved.request.clone(), now.request.clone());
    compare("run", approved.run.clone(), now.run.clone());
    compare("runbook", approved.runbook.sha256.clone(), now.runbook.sha256.clone());
    compare("runbook.id", approved.runbook.id.clone(), now.runbook.id.clone());
    compare("runbook.title", approved.runbook.title.clone(), now.runbook.title.clone());
    compare("book", approved.book.sha256.clone(), now.book.sha256.clone());
    compare("book.name", approved.book.name.clone(), now.book.name.clone());
    compare("book.commit", json(&(&approved.book.commit, approved.book.dirty)), json(&(&now.book.commit, now.book.dirty)));
    compare("target", json(&approved.target), json(&now.target));
    compare("inputs", json(&approved.inputs), json(&now.inputs));
    compare("approval", json(&approved.approval), json(&now.approval));
    compare("requester", json(&approved.requester), json(&now.requester));
    compare("reason", approved.reason_sha256.clone(), now.reason_sha256.clone());
    compare("incident", json(&approved.incident), json(&now.incident));
    compare("duration", approved.duration_ms.to_string(), now.duration_ms.to_string());
    compare("use_within", approved.use_within_ms.to_string(), now.use_within_ms.to_string());
    compare("budget", json(&approved.budget), json(&now.budget));
    compare("steps", walk(approved), walk(now));
    compare("on_disconnect", json(&approved.on_disconnect), json(&now.on_disconnect));
    compare("guard_version", approved.guard_version.to_string(), now.guard_version.to_string());
    fields
}

/// Differences of one step, and how far they reach: a cost above the ceiling voids the step, anything else the approval for the
/// rest. A new estimate below the ceiling, other facts, or another number of partitions is no drift.
pub fn of_step(approved: &PlanStep, now: &PlanStep) -> (Vec<DriftField>, Option<Voids>) {
    let mut fields = Vec::new();
    let mut costs = Vec::new();
    let at = |field: &str| format!("steps.{}.{field}", approved.id);
    let mut compare = |field: &str, a: String, b: String| {
        if a != b {
            fields.push(DriftField { field: at(field), approved: a, now: b });
        }
    };
    match (&approved.action, &now.action) {
        (PlanAction::Athena(a), PlanAction::Athena(b)) => {
            compare("sql", a.sql.clone(), b.sql.clone());
            compare("holes", json(&a.holes), json(&b.holes));
            compare("workgroup", a.workgroup.clone(), b.workgroup.clone());
            compare("hard_stop", a.hard_stop.to_string(), b.hard_stop.to_string());
            compare("ceiling", a.ceiling.to_string(), b.ceiling.to_string());
            compare("max_scan", a.max_scan.to_string(), b.max_scan.to_string());
            compare("max_executions", a.max_executions.to_string(), b.max_executions.to_string());
            compare("currency", json(&a.currency), json(&b.currency));
            compare("catalog", a.catalog.clone(), b.catalog.clone());
            compare("database", a.database.clone(), b.database.clone());
            compare("output", a.output.clone(), b.output.clone());
            compare("reads", reads(&a.reads), reads(&b.reads));
            compare("policy", a.policy.clone(), b.policy.clone());
            if let Some(expected) = b.estimate.map(|e| e.expected).filter(|expected| *expected > a.ceiling) {
                costs.push((Bytes(a.ceiling).to_string(), Bytes(expected).to_string()));
            }
            if b.estimate.is_none() && a.estimate.is_some() {
                costs.push((Bytes(a.ceiling).to_string(), "unknown".to_owned()));
            }
        }
        (PlanAction::Dynamodb(a), PlanAction::Dynamodb(b)) => {
            compare("request", json(&a.request), json(&b.request));
            compare("ceiling", a.ceiling.to_string(), b.ceiling.to_string());
            compare("holes", json(&a.holes), json(&b.holes));
            compare("max_executions", a.max_executions.to_string(), b.max_executions.to_string());
            compare("currency", json(&a.currency), json(&b.currency));
            compare("policy", a.policy.clone(), b.policy.clone());
            if let Some(expected) = b.estimate.map(|e| e.expected).filter(|expected| *expected > a.ceiling) {
                costs.push((ReadUnits(a.ceiling).to_string(), ReadUnits(expected).to_string()));
            }
        }
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => {}
        (a, b) => compare("action", json(a), json(b)),
    }
    if !fields.is_empty() {
        return (fields, Some(Voids::Approval));
    }
    let costs: Vec<DriftField> =
        costs.into_iter().map(|(approved, now)| DriftField { field: at("ceiling"), approved, now }).collect();
    let voids = (!costs.is_empty()).then_some(Voids::Step);
    (costs, voids)
}

/// The workgroup as approved against what the service says now: a changed cutoff, an unenforced or a disabled workgroup is drift.
pub fn of_workgroup(step: &str, approved: (&str, u64), now: &Result<u64, String>) -> Option<DriftField> {
    let (name, cutoff) = approved;
    let found = match now {
        Ok(found) if *found == cutoff => return None,
        Ok(found) => format!("{name}, cutoff {}", Bytes(*found)),
        Err(why) => format!("{name}: {why}"),
    };
    Some(DriftField {
        field: format!("steps.{step}.hard_stop"),
        approved: format!("{name}, cutoff {}", Bytes(cutoff)),
        now: found,
    })
}

/// The steps in their order, with their titles and conditions.
fn walk(plan: &Plan) -> String {
    let steps: Vec<String> = plan.steps.iter().map(|step| json(&(&step.id, &step.title, &step.when))).collect();
    steps.join(" ")
}

/// Tables and columns, without the number of partitions, which changes with the facts.
fn reads(reads: &[crate::core::guard::TableRead]) -> String {
    let set: BTreeSet<String> = reads.iter().map(|read| format!("{}({})", read.table, read.columns.join(" "))).collect();
    set.into_iter().collect::<Vec<_>>().join(" ")
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
