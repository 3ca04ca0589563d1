//! The form of inputs and the request.

use std::sync::Arc;

use indexmap::IndexMap;

use super::say;
use crate::core::guard::Verdict;
use crate::core::runbook::{Runbook, Today};
use crate::engine::desk::Planned;
use crate::tui::msg::{Ask, Effect};
use crate::tui::state::{Inputs, List, Loading, Overlay, PlanPane, Request, RequestFocus, Screen, Stage, State, Tone};

/// Opens the form of a runbook; one without inputs goes straight to its plan.
pub(super) fn inputs(state: &mut State, runbook: Arc<Runbook>, effects: &mut Vec<Effect>) {
    let timezone = state.library.ready().and_then(|library| library.book.as_ref()).map_or("UTC", |book| book.timezone.as_str());
    let today = Today::at(state.wall(), timezone);
    if runbook.inputs.is_empty() {
        return request(state, Request::new(runbook, IndexMap::new(), None), effects);
    }
    state.screens.push(Screen::Inputs(Box::new(Inputs::new(runbook, today))));
}

/// Enter on the last field.
pub(super) fn finish_inputs(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Inputs(inputs)) = state.screens.last_mut() else { return };
    inputs.tried = true;
    match inputs.values() {
        Err(at) => inputs.focus = at,
        Ok(values) => {
            let asked = Request::new(Arc::clone(&inputs.runbook), values, None);
            request(state, asked, effects);
        }
    }
}

fn request(state: &mut State, request: Request, effects: &mut Vec<Effect>) {
    state.screens.push(Screen::Request(Box::new(request)));
    plan(state, effects);
}

/// Asks for the plan of what is typed, unless it is there already.
fn plan(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
    let now = request.made_of_now();
    let failed = matches!(request.planned, Loading::Failed(_));
    if request.made_of.as_ref() == Some(&now) && !failed {
        return;
    }
    request.made_of = Some(now);
    request.planned = Loading::Pending(ticket);
    effects.push(Effect::Plan(ticket, Box::new(request.draft())));
}

/// A plan came.
pub(super) fn planned(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
    let Some(planned) = request.planned.ready().cloned() else {
        request.send_next = false;
        return;
    };
    let same = request.shown.as_ref().is_some_and(|shown| says_the_same(shown, &planned));
    if request.shown.is_none() {
        request.pane = PlanPane::at_worst(&planned.plan);
        // Nothing that is typed can send a blocked plan.
        if planned.plan.verdict() == Verdict::Block {
            request.focus = RequestFocus::Plan;
        }
    }
    request.shown = Some(Arc::clone(&planned));
    if !std::mem::take(&mut request.send_next) {
        return;
    }
    if same && planned.plan.verdict() != Verdict::Block {
        create(state, planned, effects);
    } else {
        say(state, Tone::Warn, "The plan has changed; read it, then press enter again.");
    }
}

/// Whether what will run and what it may cost is the same: only reason, incident and the like differ.
fn says_the_same(shown: &Planned, planned: &Planned) -> bool {
    let (a, b) = (&shown.plan, &planned.plan);
    let steps = a.steps.iter().map(strip_ids).eq(b.steps.iter().map(strip_ids));
    steps && a.target == b.target && a.budget == b.budget && a.approval == b.approval && a.verdict() == b.verdict()
}

/// A step without what carries the run's own id: each plan has its own until it is sent.
fn strip_ids(step: &crate::core::plan::PlanStep) -> crate::core::plan::PlanStep {
    use crate::core::plan::PlanAction;
    let mut step = step.clone();
    match &mut step.action {
        PlanAction::Athena(plan) => {
            plan.output.clear();
            plan.policy.clear();
            plan.facts_age_s = None;
        }
        PlanAction::Dynamodb(plan) => plan.policy.clear(),
        PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => {}
    }
    step
}

/// Enter on the last field of the request.
pub(super) fn send(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
    if request.sending.is_some() {
        return;
    }
    request.tried = true;
    if let Some((focus, why)) = request.missing() {
        request.focus = focus;
        return say(state, Tone::Warn, format!("It cannot be sent: {why}."));
    }
    if request.shown.as_ref().is_some_and(|planned| planned.plan.verdict() == Verdict::Block) {
        request.focus = RequestFocus::Plan;
        if let Some(planned) = &request.shown {
            request.pane = PlanPane::at_worst(&planned.plan);
        }
        return say(state, Tone::Error, "A blocked plan cannot be sent; the finding says why and what to do.");
    }
    let current = request.made_of.as_ref() == Some(&request.made_of_now());
    match request.planned.ready().cloned() {
        Some(planned) if current => create(state, planned, effects),
        _ => {
            request.send_next = true;
            plan(state, effects);
        }
    }
}

fn create(state: &mut State, planned: Arc<Planned>, effects: &mut Vec<Effect>) {
    if super::keys::is_querying(state)
        && !matches!(state.screens.last(), Some(Screen::Request(request)) if request.again.is_some())
    {
        return say(state, Tone::Warn, "A query runs in the open run; stop it or wait for it first.");
    }
    let ticket = state.ticket();
    let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
    request.sending = Some(ticket);
    if request.again.is_some() {
        let fixes = request.fixes.iter().map(|(step, (title, sql))| {
            let (step, title, sql) = (step.clone(), title.clone(), sql.clone());
            Ask::Command(crate::core::run::Command::Fix { step, title, sql })
        });
        let ask = Ask::Command(crate::core::run::Command::Request {
            plan: Box::new(planned.plan.clone()),
            reason: request.draft().reason,
            walk_from: planned.walk_from.clone(),
        });
        effects.push(Effect::Ask(fixes.chain([ask]).collect()));
        return;
    }
    let draft = Box::new(request.draft());
    if state.run.take().is_some() {
        effects.push(Effect::Leave("another run was created".to_owned()));
    }
    state.opening = Some(ticket);
    effects.push(Effect::Create(ticket, draft, planned));
}

/// Tab and its like.
pub(super) fn next_field(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    match state.screens.last_mut() {
        Some(Screen::Inputs(inputs)) => {
            let count = inputs.fields.len();
            inputs.focus = (inputs.focus + count).saturating_add_signed(by) % count.max(1);
        }
        Some(Screen::Request(request)) => {
            let all = RequestFocus::ALL;
            let at = all.iter().position(|focus| *focus == request.focus).unwrap_or(0);
            if let Some(next) = all.get((at + all.len()).saturating_add_signed(by) % all.len()) {
                request.focus = *next;
            }
            // What was typed is part of the plan. A duration that is none keeps the plan that is shown.
            if request.duration().is_ok() {
                plan(state, effects);
            }
        }
        _ => {}
    }
}

/// Lists what the field may be.
pub(super) fn values(state: &mut State) {
    let Some(Screen::Inputs(inputs)) = state.screens.last() else { return };
    let values = inputs.choices();
    if values.is_empty() {
        return say(state, Tone::Info, "This field has no list of values; its help says what it takes.");
    }
    let current = inputs.focused().map(|(field, _)| field.field.text().to_owned()).unwrap_or_default();
    let at = values.iter().position(|value| *value == current).unwrap_or(0);
    state.overlays.push(Overlay::Values { list: List::at(at), values });
}

/// Takes a value from the list.
pub(super) fn set_value(state: &mut State, value: &str) {
    if let Some(Screen::Inputs(inputs)) = state.screens.last_mut() {
        let focus = inputs.focus;
        if let Some(field) = inputs.fields.get_mut(focus) {
            field.field.set(value);
        }
        inputs.judge();
    }
}

/// Offers the inputs of the newest run of this runbook.
pub(super) fn last_run(state: &mut State) {
    let runs = state.runs.ready().cloned();
    let Some(Screen::Inputs(inputs)) = state.screens.last_mut() else { return };
    let id = inputs.runbook.id.clone();
    let same =
        |run: &&crate::engine::desk::RunSummary| run.mine && run.state.walk.as_ref().is_some_and(|walk| walk.runbook.id == id);
    let newest = runs.as_ref().and_then(|runs| runs.iter().filter(same).max_by_key(|run| run.state.created_at));
    match newest {
        Some(run) => inputs.take_from(&run.state),
        None => say(state, Tone::Info, "There is no earlier run of this runbook."),
    }
}

/// Applies the first fix that the selected step's findings offer; before an execution that means asking again.
pub(super) fn fix(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.wall();
    if let Some(Screen::Run) = state.screens.last() {
        let Some(run) = &state.run else { return };
        let Stage::Preview(step) = run.stage(now) else { return };
        let planned = run.state.active().and_then(|(request, _)| request.plan.step(&step));
        let looked = run.preview.ready().map(|preview| &preview.now);
        let offered = looked.or(planned).and_then(offered);
        match offered {
            Some((title, sql)) => again_with(state, IndexMap::from([(step, (title, sql))]), effects),
            None => say(state, Tone::Info, "No fix is offered for this step."),
        }
        return;
    }
    let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
    let step = request.shown.as_ref().and_then(|planned| planned.plan.steps.get(request.pane.selected(&planned.plan)));
    match step.and_then(|step| offered(step).map(|fix| (step.id.clone(), fix))) {
        Some((step, fix)) => {
            request.fixes.insert(step, fix);
            plan(state, effects);
        }
        None => say(state, Tone::Info, "No fix is offered for this step."),
    }
}

/// Whether the step on screen has a fix that can be applied.
pub(crate) fn has_fix(state: &State) -> bool {
    let step = match state.screens.last() {
        Some(Screen::Request(request)) => {
            let shown = request.shown.as_ref();
            shown.and_then(|planned| planned.plan.steps.get(request.pane.selected(&planned.plan)))
        }
        Some(Screen::Run) => state.run.as_ref().and_then(|run| run.preview.ready()).map(|preview| &preview.now),
        _ => None,
    };
    step.is_some_and(|step| offered(step).is_some())
}

fn offered(step: &crate::core::plan::PlanStep) -> Option<(String, String)> {
    step.findings().iter().find_map(|finding| finding.fix.as_ref()).map(|fix| (fix.title.clone(), fix.sql.clone()))
}

/// `a`: asks again for the remaining steps.
pub(super) fn again(state: &mut State, effects: &mut Vec<Effect>) {
    again_with(state, IndexMap::new(), effects);
}

fn again_with(state: &mut State, fixes: IndexMap<String, (String, String)>, effects: &mut Vec<Effect>) {
    let now = state.wall();
    let Some(run) = &state.run else { return };
    if fixes.is_empty() && !run.may_ask_again(now) {
        let why = if run.is_waiting_besides() {
            "The run waits for an answer already."
        } else if run.state.is_closed() || run.state.rest_from().is_none() {
            "Nothing is left to ask for."
        } else {
            "There is time left; asking again is possible from ten minutes before the end."
        };
        return say(state, Tone::Info, why);
    }
    let Some(walk) = &run.state.walk else { return };
    let mut asked = Request::new(Arc::new(walk.runbook.clone()), IndexMap::new(), Some(run.state.id.clone()));
    if let Some(last) = run.state.request() {
        asked.reason.set(last.reason.clone());
        asked.incident.set(last.incident.clone().unwrap_or_default());
    }
    asked.fixes = fixes;
    request(state, asked, effects);
}
