//! Evaluating the runbook's expressions on what the run knows: `when`, `expect`, captures, choices, prose. The engine evaluates,
//! the result is journaled, and nobody evaluates it again.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::plan::build::typed;
use crate::core::run::RunState;
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::event::StepOutcome;
use crate::core::run::state::{ExecutionState, StepStatus, Walk};
use crate::core::runbook::{Choose, ParamType, ParamValue, Scope, Step, StepKind, StepResult, Template, result_rows};
use crate::engine::desk::ChoiceOption;
use crate::engine::ports::Rows;

/// The most options that a choice offers; more would not be read.
const OPTIONS: usize = 200;

/// The value of the `when` of the step at the cursor; `None` where it has none.
pub fn condition(state: &RunState) -> Result<Option<bool>, Refusal> {
    let (walk, step) = at_cursor(state)?;
    let Some(when) = &step.when else { return Ok(None) };
    let holds = when.holds(&scope(state, walk));
    holds.map(Some).map_err(|why| Refusal::new(Kind::Failed, format!("step {}: {why}", step.id)))
}

/// `expect` and captures of a step whose execution has ended.
pub fn after(state: &RunState, step: &str, rows: Option<&Rows>) -> Result<(Option<bool>, IndexMap<String, Value>), String> {
    let walk = state.walk.as_ref().ok_or("a run without its walk")?;
    let step = walk.runbook.step(step).ok_or("the step is gone from the frozen runbook")?;
    if step.expect.is_none() && step.capture.is_empty() {
        return Ok((None, IndexMap::new()));
    }
    let rows = rows.ok_or("its rows are gone, and its expectation and captures need them")?;
    let mut scope = scope(state, walk);
    let count = u64::try_from(rows.rows.len()).unwrap_or(u64::MAX);
    scope.own = Some(StepResult { row_count: Some(count), outcome: "done".to_owned(), rows: Some(Arc::new(json_rows(rows))) });
    let expect = match &step.expect {
        Some(expect) => Some(expect.holds(&scope).map_err(|why| format!("expect: {why}"))?),
        None => None,
    };
    if expect == Some(false) {
        return Ok((expect, IndexMap::new()));
    }
    let mut captures = IndexMap::new();
    for (name, capture) in &step.capture {
        let value = capture.from.value(&scope).map_err(|why| format!("capture `{name}`: {why}"))?;
        captures.insert(name.to_string(), fit(name, capture.param_type.as_ref(), &value)?);
    }
    Ok((expect, captures))
}

/// `value` in the canonical JSON of its declared type; without a type it is text for prose.
fn fit(name: &str, kind: Option<&ParamType>, value: &Value) -> Result<Value, String> {
    let Some(kind) = kind else { return Ok(value.clone()) };
    if value.is_null() {
        return Err(format!("`{name}` is NULL, and it needs a value"));
    }
    kind.from_json(value).map(|value| value.to_json()).map_err(|why| format!("`{name}` does not fit its type: {why}"))
}

/// What may be chosen at the step at the cursor, from the rows that its `from` names.
pub fn options(state: &RunState, mut rows_of: impl FnMut(&str) -> Option<Arc<Rows>>) -> Result<Vec<ChoiceOption>, Refusal> {
    let (walk, step) = at_cursor(state)?;
    let StepKind::Choose(choose) = &step.kind else {
        return Err(Refusal::new(Kind::Failed, format!("step {} is not a choice", step.id)));
    };
    let mut scope = scope(state, walk);
    for (id, result) in &mut scope.steps {
        // Reading a spool file back costs; only steps that `from` can mean are read.
        if !choose.from.source.contains(id.as_str()) {
            continue;
        }
        let rows = state.last_execution_of(id).and_then(|execution| rows_of(&execution.id));
        result.rows = rows.map(|rows| Arc::new(json_rows(&rows)));
    }
    let failed = |why: String| {
        Refusal::new(Kind::Failed, format!("step {}: {why}", step.id))
            .hint("its rows may be gone: their step did not run, or the run is old")
    };
    let Value::Array(items) = choose.from.value(&scope).map_err(|why| failed(why.to_string()))? else {
        return Err(failed("`from` is not a list".to_owned()));
    };
    Ok(items.iter().take(OPTIONS).map(|item| option(choose, item)).collect())
}

fn option(choose: &Choose, item: &Value) -> ChoiceOption {
    let values = choose
        .into
        .iter()
        .map(|(name, picked)| Ok((name.to_string(), fit(name, picked.param_type.as_ref(), &field(item, &picked.column))?)))
        .collect();
    ChoiceOption { label: text(&field(item, &choose.label)), values }
}

fn field(item: &Value, name: &str) -> Value {
    match item {
        Value::Object(map) => map.get(name).cloned().unwrap_or(Value::Null),
        other => other.clone(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "∅".to_owned(),
        other => other.to_string(),
    }
}

/// The prose of a step: its note, its question or its prompt, with the run's values in it.
pub fn prose(state: &RunState, step: &str) -> Result<String, Refusal> {
    let walk = state.walk.as_ref().ok_or_else(|| Refusal::new(Kind::Bug, "a run without its walk"))?;
    let step = walk.step(step)?;
    let scope = scope(state, walk);
    let asked = match &step.kind {
        StepKind::Confirm(confirm) => Some(&confirm.question),
        StepKind::Choose(choose) => Some(&choose.prompt),
        _ => None,
    };
    // A template that cannot be rendered is shown as written: prose must never stop a walk.
    let render = |template: &Template| template.render(&scope).unwrap_or_else(|_| template.source.clone());
    let parts: Vec<String> = step.note.iter().chain(asked).map(|part| render(part).trim_end().to_owned()).collect();
    Ok(parts.join("\n\n"))
}

fn at_cursor(state: &RunState) -> Result<(&Walk, &Step), Refusal> {
    let walk = state.walk.as_ref().ok_or_else(|| Refusal::new(Kind::Bug, "a run without its walk"))?;
    let cursor = state.cursor.as_deref().ok_or_else(|| Refusal::new(Kind::Failed, "the walk is at its end"))?;
    Ok((walk, walk.step(cursor)?))
}

/// Inputs, captures, and what earlier steps left.
fn scope(state: &RunState, walk: &Walk) -> Scope {
    let named = |values: &IndexMap<String, Value>| -> IndexMap<String, ParamValue> { typed(&walk.runbook, values) };
    let mut scope = Scope::default();
    scope.inputs.extend(named(&state.inputs).into_iter().map(|(name, value)| (name.into(), value)));
    scope.captures.extend(named(&state.captures).into_iter().map(|(name, value)| (name.into(), value)));
    for (name, value) in &state.captures {
        // A capture without a type is text for prose.
        if walk.runbook.param_type(name).is_none() {
            scope.captures.insert(name.as_str().into(), ParamValue::String(text(value)));
        }
    }
    for (id, step) in &state.steps {
        let outcome = match &step.status {
            StepStatus::Pending | StepStatus::Entered => "pending",
            StepStatus::Skipped { .. } => "skipped",
            StepStatus::Finished { outcome, .. } => match outcome {
                StepOutcome::Done => "done",
                StepOutcome::Failed => "failed",
                StepOutcome::Stopped => "stopped",
                StepOutcome::Declined => "declined",
            },
        };
        let succeeded = state.last_execution_of(id).is_some_and(|e| matches!(e.state, ExecutionState::Finished { .. }));
        // A step that ran nothing has no rows: zero, so that `row_count == 0` says what it seems to say.
        let row_count = Some(step.row_count.filter(|_| succeeded).unwrap_or(0));
        scope.steps.insert(id.as_str().into(), StepResult { row_count, outcome: outcome.to_owned(), rows: None });
    }
    scope
}

fn json_rows(rows: &Rows) -> Value {
    let columns: Vec<(&str, &str)> = rows.columns.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    result_rows(&columns, &rows.rows)
}
