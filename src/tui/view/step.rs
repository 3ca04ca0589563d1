//! Steps that execute nothing, steps ahead, and how a step ended.

use ratatui::layout::Rect;

use super::canvas::{Canvas, inset};
use super::facts;
use crate::core::run::decide::stop_words;
use crate::core::run::event::StepOutcome;
use crate::core::run::state::{Execution, ExecutionState, StepStatus};
use crate::core::units::{Bytes, Millis, ReadUnits};
use crate::tui::rich::{Rich, marked, prose};
use crate::tui::state::{Run, State};
use crate::tui::theme::Role;

/// The step's number and title, and a word at the right.
pub(super) fn head(run: &Run, id: &str, word: Rich, canvas: &mut Canvas<'_>, area: Rect) {
    let number = run.number(id).map(|(at, of)| format!(" {at} of {of}  ")).unwrap_or_default();
    let title = run.step(id).map_or(id, |step| step.title.raw());
    canvas.both(area, area.y, Rich::of(Role::Muted, &number).add(Role::Heading, title), &word.add(Role::Text, " "));
}

/// The step's prose as far as it has come.
pub(super) fn prose_of(run: &Run, id: &str, width: usize) -> Vec<Rich> {
    match run.prose.get(id) {
        Some(Ok(text)) if !text.is_empty() => marked(text, width),
        Some(Err(refusal)) => super::pick::facts_of_refusal(refusal, width),
        _ => Vec::new(),
    }
}

pub(super) fn note(run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    head(run, id, Rich::of(Role::Muted, "note"), canvas, area);
    let body = inset(super::canvas::below(area, 2));
    canvas.scrolled(body, &prose_of(run, id, usize::from(body.width)), run.scroll);
}

pub(super) fn confirm(run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    head(run, id, Rich::of(Role::Busy, "QUESTION"), canvas, area);
    let body = inset(super::canvas::below(area, 2));
    let mut lines = prose_of(run, id, usize::from(body.width));
    lines.push(Rich::new());
    lines.push(Rich::of(Role::Key, "y").add(Role::Text, " yes   ").add(Role::Key, "n").add(Role::Text, " no"));
    canvas.scrolled(body, &lines, run.scroll);
}

pub(super) fn ahead(state: &State, run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    head(run, id, Rich::of(Role::Muted, "next"), canvas, area);
    let body = inset(super::canvas::below(area, 2));
    let width = usize::from(body.width);
    let mut lines = prose_of(run, id, width);
    lines.push(Rich::new());
    let text = if run.has_access(state.wall()) {
        "Enter goes on to this step; nothing runs yet."
    } else {
        "There is no access now; a asks again for the remaining steps."
    };
    lines.extend(Rich::of(Role::Muted, text).wrap(width, 0));
    canvas.scrolled(body, &lines, run.scroll);
}

/// A step that is over and has no rows.
pub(super) fn outcome(run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let status = run.state.steps.get(id).map(|step| step.status.clone()).unwrap_or_default();
    let (role, word, reason) = word_of(&status);
    head(run, id, Rich::of(role, word), canvas, area);
    let body = inset(super::canvas::below(area, 2));
    let width = usize::from(body.width);
    let mut lines = Vec::new();
    if let Some(reason) = reason {
        lines.extend(prose(Role::Text, &reason, width));
    }
    if let Some(answer) = run.state.steps.get(id).and_then(|step| step.answer) {
        lines.extend(prose_of(run, id, width));
        lines.push(Rich::of(Role::Muted, "answered ").add(Role::Strong, if answer { "yes" } else { "no" }));
    } else {
        let chosen: Vec<String> = chosen(run, id);
        if !chosen.is_empty() {
            lines.push(Rich::of(Role::Muted, "chosen ").add(Role::Strong, &chosen.join(", ")));
        }
        lines.extend(prose_of(run, id, width));
    }
    if let Some(execution) = run.state.last_execution_of(id) {
        lines.push(Rich::new());
        lines.extend(execution_lines(execution, width));
    }
    canvas.scrolled(body, &lines, run.scroll);
}

fn chosen(run: &Run, id: &str) -> Vec<String> {
    let Some(step) = run.step(id) else { return Vec::new() };
    match &step.kind {
        crate::core::runbook::StepKind::Choose(choose) => choose
            .into
            .keys()
            .filter_map(|name| {
                let value = run.state.captures.get(name.as_str())?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some(format!("{name} = {text}"))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// How a step stands, in a word, with its reason.
pub(super) fn word_of(status: &StepStatus) -> (Role, &'static str, Option<String>) {
    match status {
        StepStatus::Pending => (Role::Muted, "ahead", None),
        StepStatus::Entered => (Role::Busy, "now", None),
        StepStatus::Skipped { reason } => (Role::Muted, "skipped", Some(reason.clone())),
        StepStatus::Finished { outcome, reason } => {
            let (role, word) = match outcome {
                StepOutcome::Done => (Role::Ok, "done"),
                StepOutcome::Failed => (Role::Block, "FAILED"),
                StepOutcome::Stopped => (Role::Warn, "STOPPED"),
                StepOutcome::Declined => (Role::Warn, "no"),
            };
            (role, word, reason.clone())
        }
    }
}

/// What became of an execution.
pub(super) fn execution_lines(execution: &Execution, width: usize) -> Vec<Rich> {
    let spent = |cost: Option<u64>| cost_words(execution, cost);
    let mut lines = match &execution.state {
        ExecutionState::Intended => vec![Rich::plain("intended, not known to be started")],
        ExecutionState::Running => vec![Rich::plain("running")],
        ExecutionState::Finished { cost, elapsed, error, .. } => {
            let mut lines = vec![Rich::plain(&format!("{}, {}", spent(*cost), seconds(*elapsed)))];
            if let Some(error) = error {
                lines.extend(
                    Rich::of(Role::Block, &error.code).add(Role::Text, ": ").add(Role::Text, &error.message).wrap(width, 2),
                );
            }
            lines
        }
        ExecutionState::Stopped { reason, cost, elapsed } => {
            let text = format!("{} after {}, {}", stop_words(*reason), seconds(*elapsed), spent(*cost));
            Rich::plain(&text).wrap(width, 2)
        }
        ExecutionState::Indeterminate { reason } => {
            Rich::of(Role::Block, "nobody can tell whether it ran: ").add(Role::Text, reason).wrap(width, 2)
        }
    };
    if let Some(id) = &execution.query_id {
        lines.extend(Rich::of(Role::Muted, "query ").add(Role::Muted, id).wrap(width, 2));
    }
    lines
}

/// `82 MB read`, `1 RU read`, or that it was not told.
pub(super) fn cost_words(execution: &Execution, cost: Option<u64>) -> String {
    match (cost, execution.service) {
        (None, _) => "not told how much was read".to_owned(),
        (Some(cost), crate::core::run::event::Service::Athena) => format!("{} read", Bytes(cost)),
        (Some(cost), crate::core::run::event::Service::Dynamodb) => format!("{} read", ReadUnits(cost)),
    }
}

/// `3.1 s`, `2m5s`.
pub(super) fn seconds(time: Millis) -> String {
    if time.0 < 60_000 { format!("{}.{} s", time.0 / 1000, time.0 / 100 % 10) } else { Millis(time.0 / 1000 * 1000).to_string() }
}

/// The answer of a confirm or choice, for the list of steps.
pub(super) fn answer_of(run: &Run, id: &str) -> Option<String> {
    if let Some(answer) = run.state.steps.get(id)?.answer {
        return Some(if answer { "yes".to_owned() } else { "no".to_owned() });
    }
    let chosen = chosen(run, id);
    if !chosen.is_empty() {
        return Some(chosen.join(", "));
    }
    let rows = run.state.last_execution_of(id)?.rows.as_ref()?;
    Some(match rows.rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    })
}

/// What the frame of a step's estimate says: used by preview and running.
pub(super) fn expected_words(expected: Option<u64>, service: crate::core::run::event::Service) -> String {
    match service {
        crate::core::run::event::Service::Athena => facts::bytes(expected),
        crate::core::run::event::Service::Dynamodb => facts::read_units(expected),
    }
}
