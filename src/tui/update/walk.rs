//! The open run: what keys ask of it, and what its picture needs.

use super::{perform, say};
use crate::core::guard::Verdict;
use crate::core::plan::OnDisconnect;
use crate::core::run::Command;
use crate::tui::desk::Ballot;
use crate::tui::msg::{Ask, Effect};
use crate::tui::state::{List, Loading, Overlay, Prompt, PromptFor, Screen, Stage, State, Tone};

/// Asks the run, one thing at a time.
fn ask(state: &mut State, asks: Vec<Ask>, effects: &mut Vec<Effect>) {
    let Some(run) = &mut state.run else { return };
    if let Some(by) = run.read_only.clone() {
        return say(state, Tone::Warn, format!("{by} drives this run now; here it can only be read."));
    }
    if run.gone {
        return say(state, Tone::Warn, "The session of this run has ended; open it again from the list of runs.");
    }
    if run.asking {
        return;
    }
    run.asking = true;
    effects.push(Effect::Ask(asks));
}

/// Enter on an approval: the clock starts, the first step is entered.
pub(super) fn start(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(run) = &mut state.run {
        run.focus = None;
    }
    ask(state, vec![Ask::Command(Command::StartAccess), Ask::Advance], effects);
}

/// Enter: to the next step's preview, never through it.
pub(super) fn go_on(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.wall();
    let Some(run) = &mut state.run else { return };
    let stage = run.stage(now);
    if let Stage::Note(_) = stage {
        leave_step(run, &stage);
        return ask(state, vec![Ask::Command(Command::Acknowledge), Ask::Advance], effects);
    }
    leave_step(run, &stage);
    let closed = run.state.is_closed() || run.state.finished.is_some();
    let entered = run.cursor_state().is_some_and(|step| step.status == crate::core::run::StepStatus::Entered);
    if closed || entered {
        return;
    }
    if run.has_access(now) {
        ask(state, vec![Ask::Advance], effects);
    }
}

/// The picture follows the cursor; Esc comes back.
fn leave_step(run: &mut crate::tui::state::Run, stage: &Stage) {
    if let Some(step) = stage.step() {
        run.trail.retain(|other| other != step);
        run.trail.push(step.to_owned());
    }
    run.focus = None;
    run.scroll = 0;
}

/// Esc in the walk: to the step before, then to the first screen. The run goes on.
pub(super) fn back(state: &mut State, _: &mut Vec<Effect>) {
    let now = state.wall();
    if let Some(run) = &mut state.run {
        let here = run.stage(now).step().map(str::to_owned);
        while let Some(step) = run.trail.pop() {
            if Some(&step) != here.as_ref() {
                run.focus = Some(step);
                run.scroll = 0;
                return;
            }
        }
        run.focus = None;
        let id = short(&run.state.id);
        if !run.state.is_closed() {
            say(state, Tone::Info, format!("Run …{id} stays open; r lists the runs, q leaves."));
        }
    }
    state.screens.truncate(1);
}

/// The last four characters of an id, as screens show it.
fn short(id: &str) -> String {
    id.get(id.len().saturating_sub(4)..).unwrap_or(id).to_owned()
}

/// Opens the list of steps at the one on screen.
pub(super) fn steps(state: &mut State) {
    let now = state.wall();
    let Some(run) = &state.run else { return };
    let shown = run.stage(now).step().map(str::to_owned).or_else(|| run.state.cursor.clone());
    let at = shown.and_then(|step| run.state.steps.get_index_of(step.as_str())).unwrap_or(0);
    state.overlays.push(Overlay::Steps(List::at(at)));
}

/// Shows the selected step, if there is something to see of it.
pub(super) fn show_step(state: &mut State, list: List) {
    let Some(run) = &mut state.run else { return };
    let at = list.selected(run.state.steps.len());
    let Some((id, step)) = run.state.steps.get_index(at) else { return };
    if step.status == crate::core::run::StepStatus::Pending && run.state.cursor.as_ref() != Some(id) {
        return say(state, Tone::Info, "The walk has not come to this step yet.");
    }
    run.focus = (run.state.cursor.as_ref() != Some(id)).then(|| id.clone());
    run.scroll = 0;
}

/// Answers a confirm.
pub(super) fn answer(state: &mut State, yes: bool, effects: &mut Vec<Effect>) {
    let now = state.wall();
    if let Some(run) = &mut state.run {
        let stage = run.stage(now);
        leave_step(run, &stage);
    }
    ask(state, vec![Ask::Command(Command::Answer { yes }), Ask::Advance], effects);
}

/// Makes a choice.
pub(super) fn choose(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.wall();
    let Some(run) = &mut state.run else { return };
    let Some(options) = run.options.ready() else { return };
    let Some(option) = options.get(run.choice.selected(options.len())) else { return };
    match option.values.clone() {
        Ok(values) => {
            let stage = run.stage(now);
            leave_step(run, &stage);
            ask(state, vec![Ask::Command(Command::Choose { values }), Ask::Advance], effects);
        }
        Err(why) => say(state, Tone::Error, format!("This cannot be chosen: {why}.")),
    }
}

/// Looks again at the step before its execution.
pub(super) fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let now = state.wall();
    let Some(run) = &mut state.run else { return };
    if let Stage::Preview(step) = run.stage(now) {
        run.preview = Loading::Pending(ticket);
        run.preview_of.clone_from(&step);
        effects.push(Effect::Preview(ticket, step));
    }
}

/// `r`: runs what is shown; a warning wants the word first.
pub(super) fn run(state: &mut State, effects: &mut Vec<Effect>) {
    match runnable(state) {
        Ok(Verdict::Warn) => state.overlays.push(Overlay::Prompt(Prompt::new(PromptFor::Run))),
        Ok(_) => execute(state, false, effects),
        Err(why) => say(state, Tone::Warn, why),
    }
}

/// The verdict of the step on screen, if it may run at all.
pub(crate) fn runnable(state: &State) -> Result<Verdict, String> {
    let now = state.wall();
    let run = state.run.as_ref().ok_or("There is no run.")?;
    let Stage::Preview(step) = run.stage(now) else { return Err("There is nothing to run here.".to_owned()) };
    if run.read_only.is_some() || run.gone {
        return Err("This run can only be read here.".to_owned());
    }
    let Some((request, deadline)) = run.state.active().filter(|(_, deadline)| now < *deadline) else {
        return Err("There is no access now; `a` asks again.".to_owned());
    };
    // With less than a minute left nothing is started (DESIGN §4.4).
    if deadline.since(now).0 < 60_000 {
        return Err("With less than a minute left nothing is started; `a` asks again.".to_owned());
    }
    if let Some(why) = &request.voided {
        return Err(format!("The approval is void: {why}; `a` asks again."));
    }
    let preview = run.preview.ready().ok_or("The statement is still being looked at.")?;
    if preview.step != step {
        return Err("The statement is still being looked at.".to_owned());
    }
    if preview.check.voids.is_some() {
        return Err("This is not what was approved; `a` asks again.".to_owned());
    }
    match preview.check.verdict.as_str() {
        "block" => Err("A guardrail blocks this statement.".to_owned()),
        "allow" if preview.check.warnings.is_empty() => Ok(Verdict::Allow),
        // Anything that is not a clean allow wants the word.
        _ => Ok(Verdict::Warn),
    }
}

/// Executes the step at the cursor, its warnings accepted by the word.
pub(super) fn execute(state: &mut State, accepted: bool, effects: &mut Vec<Effect>) {
    if let Err(why) = runnable(state) {
        return say(state, Tone::Warn, why);
    }
    let now = state.wall();
    if let Some(run) = &mut state.run {
        // The result stays on screen when the cursor goes on.
        run.focus = run.stage(now).step().map(str::to_owned);
    }
    let mut asks = Vec::new();
    if accepted {
        asks.push(Ask::Command(Command::AcceptWarning));
    }
    asks.push(Ask::Execute);
    ask(state, asks, effects);
}

/// `:close`: ends the access and the run.
pub(super) fn close(state: &mut State, effects: &mut Vec<Effect>) {
    if super::keys::is_querying(state) {
        return say(state, Tone::Warn, "A query runs; stop it first.");
    }
    ask(state, vec![Ask::Command(Command::Close { reason: "closed by the operator".to_owned() })], effects);
    if let Some(run) = &mut state.run {
        run.focus = None;
    }
}

/// Whether a running query may be left running.
pub(crate) fn may_keep(state: &State) -> bool {
    let active = state.run.as_ref().and_then(|run| run.state.active());
    active.is_some_and(|(request, _)| request.plan.on_disconnect == OnDisconnect::Keep)
}

/// `v`: the request as its first reviewer sees it (sandbox only).
pub(super) fn see(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(reviewer) = sandbox_reviewer(state) else {
        return say(state, Tone::Info, "Seeing it as a reviewer exists only in the sandbox.");
    };
    perform::ask_inbox(state, Some(reviewer), effects);
}

/// As whom the sandbox can review the waiting request.
pub(crate) fn sandbox_reviewer(state: &State) -> Option<String> {
    let request = state.run.as_ref()?.state.request()?;
    let waits = request.access == crate::core::run::Access::Waiting;
    if !waits || request.plan.target.endpoint != crate::core::plan::Endpoint::Sandbox {
        return None;
    }
    let voted = |name: &&String| request.votes.iter().any(|vote| vote.by.name == **name);
    request.plan.approval.reviewers.iter().find(|name| !voted(name)).cloned()
}

/// Approves, if `digits` are the first four (or more) of the plan.
pub(super) fn approve(state: &mut State, digits: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(Screen::Review(review)) = state.screens.last() else { return Ok(()) };
    let request = review.pending.state.request_by_id(&review.pending.request).ok_or("the request is gone")?;
    if !request.digest.begins_with(digits, 4) {
        return Err("these are not the first four digits of this plan".to_owned());
    }
    vote(state, true, String::new(), effects);
    Ok(())
}

/// Casts a vote on the request on screen.
pub(super) fn vote(state: &mut State, approve: bool, comment: String, effects: &mut Vec<Effect>) {
    let Some(Screen::Review(review)) = state.screens.last_mut() else { return };
    let Some(request) = review.pending.state.request_by_id(&review.pending.request) else { return };
    review.voting = true;
    effects.push(Effect::Vote(Ballot {
        run: review.pending.state.id.clone(),
        request: request.id.clone(),
        digest: request.digest.clone(),
        approve,
        comment,
        as_name: review.as_name.clone(),
    }));
}

/// Asks for what the picture needs and nobody has asked for yet.
pub(super) fn want(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.wall();
    if !matches!(state.screens.last(), Some(Screen::Run)) {
        return;
    }
    let Some(run) = &mut state.run else { return };
    if run.gone {
        return;
    }
    let stage = run.stage(now);
    if let Some(step) = stage.step()
        && !run.prose.contains_key(step)
        && run.step(step).is_some()
    {
        // An empty text until it comes, so that it is asked for once.
        run.prose.insert(step.to_owned(), Ok(String::new()));
        effects.push(Effect::Prose(step.to_owned()));
    }
    match stage {
        Stage::Preview(step) => {
            let stale = run.preview_of != step || matches!(run.preview, Loading::Not);
            if stale && run.has_access(now) && run.read_only.is_none() {
                state.tickets += 1;
                let ticket = crate::tui::msg::Ticket(state.tickets);
                run.preview = Loading::Pending(ticket);
                run.preview_of.clone_from(&step);
                effects.push(Effect::Preview(ticket, step));
            }
        }
        Stage::Choose(_) => {
            if matches!(run.options, Loading::Not) {
                state.tickets += 1;
                let ticket = crate::tui::msg::Ticket(state.tickets);
                run.options = Loading::Pending(ticket);
                run.choice = List::default();
                effects.push(Effect::Options(ticket));
            }
        }
        Stage::Results(_, execution) if !run.tables.contains_key(&execution) => {
            let asked = crate::core::run::command::Refusal::new(crate::core::run::command::Kind::Temporary, "Reading the rows.");
            run.tables.insert(execution.clone(), Err(asked));
            effects.push(Effect::Rows(execution));
        }
        _ => {}
    }
}
