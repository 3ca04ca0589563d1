//! The lines that stay on the normal screen when the app has ended.

use crate::core::plan::PlanAction;
use crate::core::run::RunState;
use crate::core::run::event::Service;
use crate::core::run::state::{Access, Execution, ExecutionState, StepStatus};
use crate::core::text::visible;
use crate::core::units::{Bytes, Micros, Millis, ReadUnits, Timestamp};

/// What a run came to, in lines that hold nothing a terminal could obey.
pub fn lines(state: &RunState) -> Vec<String> {
    let runbook = state.walk.as_ref().map_or("run", |walk| walk.runbook.id.as_str());
    let mut lines = vec![format!("{runbook} {}", what_happened(state))];
    if let Some(approval) = approval(state) {
        lines.push(approval);
    }
    let digest = state.request().map(|request| format!("  plan {}", request.digest.short().replace(' ', ""))).unwrap_or_default();
    let short = short(&state.id);
    let next =
        if state.is_closed() { format!("see: tollgate runs show {short}") } else { format!("go on: tollgate resume {short}") };
    lines.push(format!("run …{short}  {} events{digest}  {next}", state.seq));
    lines.into_iter().map(|line| visible(&line).into_owned()).collect()
}

fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(4)..).unwrap_or(id)
}

/// `closed: 5 steps run, 2 skipped, 392 MB read ($0.0020), 14 min.`
fn what_happened(state: &RunState) -> String {
    let count = |wanted: fn(&StepStatus) -> bool| state.steps.values().filter(|step| wanted(&step.status)).count();
    let done = count(|status| matches!(status, StepStatus::Finished { .. }));
    let skipped = count(|status| matches!(status, StepStatus::Skipped { .. }));
    let steps = |n: usize| if n == 1 { "1 step".to_owned() } else { format!("{n} steps") };
    let mut parts = vec![format!("{} run", steps(done))];
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    let (bytes, units) = (read(state, Service::Athena), read(state, Service::Dynamodb));
    if bytes > 0 {
        let money = money(state).map(|micros| format!(" ({})", Micros(micros))).unwrap_or_default();
        parts.push(format!("{} read{money}", Bytes(bytes)));
    }
    if units > 0 {
        parts.push(format!("{} read", ReadUnits(units)));
    }
    parts.push(minutes(state.newest_at.since(state.created_at)));
    let word = match (&state.closed, state.open_execution()) {
        (Some(_), _) => "closed",
        (None, Some(_)) => "left with a query running",
        (None, None) => "left open",
    };
    format!("{word}: {}.", parts.join(", "))
}

fn minutes(time: Millis) -> String {
    if time.0 < 60_000 { format!("{} s", time.0 / 1000) } else { format!("{} min", time.0 / 60_000) }
}

fn read(state: &RunState, service: Service) -> u64 {
    state.executions.iter().filter(|execution| execution.service == service).filter_map(cost).fold(0, u64::saturating_add)
}

fn cost(execution: &Execution) -> Option<u64> {
    match &execution.state {
        ExecutionState::Finished { cost, .. } | ExecutionState::Stopped { cost, .. } => *cost,
        _ => None,
    }
}

/// What the bytes read cost at the price in the plan, in dollars; `None` when no price, or another currency, is known.
fn money(state: &RunState) -> Option<u64> {
    let mut sum = 0_u64;
    for execution in state.executions.iter().filter(|execution| execution.service == Service::Athena) {
        let Some(bytes) = cost(execution) else { continue };
        let step = state.request_by_id(&execution.request)?.plan.step(&execution.step)?;
        let PlanAction::Athena(plan) = &step.action else { continue };
        if plan.currency.as_deref() != Some("USD") {
            return None;
        }
        sum = sum.saturating_add(plan_price(plan, bytes)?);
    }
    Some(sum)
}

/// What `bytes` cost at the rate that the plan's own estimate and cost stand in: Athena bills at least 10 MB, in whole megabytes.
pub(crate) fn plan_price(plan: &crate::core::plan::AthenaPlan, bytes: u64) -> Option<u64> {
    let (estimate, money) = (plan.estimate?, plan.cost?);
    let billed = |bytes: u64| Bytes(bytes.max(crate::core::estimate::ATHENA_MINIMUM)).ceil_mb().0;
    let micros = u128::from(money.high) * u128::from(billed(bytes)) / u128::from(billed(estimate.high).max(1));
    u64::try_from(micros).ok()
}

/// `approved by lea: "go". Rights ended 14:32:00Z.`
fn approval(state: &RunState) -> Option<String> {
    let request = state.request()?;
    let comments: Vec<String> = request
        .votes
        .iter()
        .filter(|vote| vote.approve)
        .map(
            |vote| if vote.comment.is_empty() { vote.by.name.clone() } else { format!("{}: \"{}\"", vote.by.name, vote.comment) },
        )
        .collect();
    Some(match &request.access {
        Access::Ended { at, .. } => format!("approved by {}. Rights ended {}.", comments.join(", "), clock(*at)),
        Access::Active { deadline, .. } => format!("approved by {}. Rights end {}.", comments.join(", "), clock(*deadline)),
        Access::Approved { use_by, .. } => {
            format!("approved by {}, not started; to be started before {}.", comments.join(", "), clock(*use_by))
        }
        Access::Denied { by } => format!("denied by {by}. Nothing was executed under this request."),
        Access::Lapsed { unused: true } => "approved, but not used in time.".to_owned(),
        Access::Lapsed { unused: false } => "nobody answered in time.".to_owned(),
        Access::Cancelled => "the request was cancelled.".to_owned(),
        Access::Waiting => "still waiting for approval.".to_owned(),
    })
}

fn clock(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |at| at.strftime("%H:%M:%SZ").to_string())
}
