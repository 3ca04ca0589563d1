//! What the engine answered and told.

use std::sync::Arc;

use super::{forms, perform, refuse, say, tell};
use crate::core::run::event::EventBody;
use crate::core::run::state::Access;
use crate::core::run::{Event, RunState};
use crate::engine::desk::{RunSummary, Update};
use crate::tui::msg::{Effect, What};
use crate::tui::state::{Loading, Notice, Run, Screen, Stage, State, Table, Tone};

/// Takes an answer.
pub(super) fn answer(state: &mut State, what: What, effects: &mut Vec<Effect>) {
    match what {
        What::Library(Ok(library)) => {
            state.seat.name.clone_from(&library.me);
            let broken = library.book.is_none() || (library.runbooks.is_empty() && !library.problems.is_empty());
            state.library = Loading::Ready(Arc::new(library));
            // A book that cannot be used opens on its problems.
            if broken && state.screens.len() == 1 {
                state.screens.push(Screen::Problems(Default::default()));
            }
        }
        What::Library(Err(refusal)) => state.library = Loading::Failed(refusal),
        What::Progress(progress) => state.progress = progress,
        What::Runs(Ok(runs)) => {
            let runs = Arc::new(sorted(runs));
            state.runs = Loading::Ready(runs);
        }
        What::Runs(Err(refusal)) => state.runs = Loading::Failed(refusal),
        What::Planned(ticket, answer) => {
            let Some(Screen::Request(request)) = state.screens.last_mut() else { return };
            if request.planned.answer(ticket, answer) {
                for text in request.planned.ready().map(|planned| planned.notices.clone()).unwrap_or_default() {
                    say(state, Tone::Info, text);
                }
                forms::planned(state, effects);
            }
        }
        What::Opened(ticket, answer) => opened(state, ticket, answer),
        What::Inbox(ticket, answer) => inbox(state, ticket, answer),
        What::Voted(answer) => voted(state, answer, effects),
        What::Update(update) => told(state, *update, effects),
        What::SessionEnded => {
            if let Some(run) = &mut state.run {
                run.gone = true;
                run.asking = false;
                run.busy = None;
            }
            if state.exiting {
                effects.push(Effect::Exit);
            }
        }
        What::Done(answer) => done(state, answer),
        What::Preview(ticket, step, answer) => {
            if let Some(run) = &mut state.run
                && run.preview_of == step
            {
                run.preview.answer(ticket, answer);
            }
        }
        What::Prose(step, answer) => {
            if let Some(run) = &mut state.run {
                run.prose.insert(step, answer);
            }
        }
        What::Options(ticket, answer) => {
            if let Some(run) = &mut state.run {
                run.options.answer(ticket, answer);
            }
        }
        What::Rows(execution, answer) => rows(state, execution, answer),
        What::Exported(Ok(path)) => say(state, Tone::Info, format!("Written to {path}; only you can read it.")),
        What::Exported(Err(refusal)) => refuse(state, refusal),
        What::Themed(Ok(name)) => say(state, Tone::Info, format!("Theme {name}.")),
        What::Themed(Err(why)) => say(state, Tone::Error, why),
        // The rest never gets here: `update` takes it itself.
        What::Key(_) | What::Paste(_) | What::Resized { .. } | What::Tick | What::Shown | What::Resumed => {}
    }
}

/// Orphaned, waiting and mine first, then the newest.
fn sorted(mut runs: Vec<RunSummary>) -> Vec<RunSummary> {
    runs.sort_by_key(|run| {
        let orphaned = run.state.open_execution().is_some() && !run.driven;
        let waiting =
            matches!(run.state.request().map(|request| &request.access), Some(Access::Waiting | Access::Approved { .. }));
        let rank = match (orphaned, run.mine, run.state.is_closed()) {
            (true, _, _) => 0,
            (_, true, false) if waiting => 1,
            (_, true, false) => 2,
            (_, false, false) => 3,
            (_, true, true) => 4,
            (_, false, true) => 5,
        };
        (rank, std::cmp::Reverse(run.state.created_at))
    });
    runs
}

fn opened(state: &mut State, ticket: crate::tui::msg::Ticket, answer: Result<String, crate::core::run::command::Refusal>) {
    if state.opening != Some(ticket) {
        return;
    }
    // The screen changes with the first update, which has the state to show.
    if let Err(refusal) = answer {
        state.opening = None;
        if let Some(Screen::Request(request)) = state.screens.last_mut() {
            request.sending = None;
        }
        refuse(state, refusal);
    }
}

fn inbox(
    state: &mut State,
    ticket: crate::tui::msg::Ticket,
    answer: Result<Vec<crate::tui::desk::Pending>, crate::core::run::command::Refusal>,
) {
    if !state.inbox.answer(ticket, answer.map(Arc::new)) {
        return;
    }
    // Asked from the waiting screen: it is this request that is to be seen.
    let here = matches!(state.screens.last(), Some(Screen::Run));
    let wanted = state.run.as_ref().and_then(|run| run.state.request()).map(|request| request.id.clone());
    let as_name = super::walk::sandbox_reviewer(state);
    if let (true, Some(wanted), Some(_)) = (here, wanted, &as_name) {
        let found = state.inbox.ready().and_then(|inbox| inbox.iter().find(|pending| pending.request == wanted).cloned());
        match (found, &state.inbox) {
            (Some(pending), _) => perform::review(state, pending, as_name),
            (None, Loading::Failed(refusal)) => refuse(state, refusal.clone()),
            (None, _) => say(state, Tone::Info, "The request is not waiting any more."),
        }
    }
}

fn voted(state: &mut State, answer: Result<(), crate::core::run::command::Refusal>, effects: &mut Vec<Effect>) {
    let Some(Screen::Review(review)) = state.screens.last_mut() else { return };
    if !std::mem::take(&mut review.voting) {
        return;
    }
    match answer {
        Ok(()) => {
            let seen_as = review.as_name.clone();
            state.screens.pop();
            match seen_as {
                Some(name) => say(state, Tone::Info, format!("Voted as {name}; this is {} again.", state.seat.name)),
                None => {
                    say(state, Tone::Info, "The vote is in the journal.");
                    perform::ask_inbox(state, None, effects);
                }
            }
        }
        Err(refusal) => refuse(state, refusal),
    }
}

fn done(state: &mut State, answer: Result<(), crate::core::run::command::Refusal>) {
    let sending = matches!(state.screens.last(), Some(Screen::Request(request)) if request.sending.is_some());
    if let Some(run) = &mut state.run {
        run.asking = false;
        // What was looked at may be another thing now.
        if answer.is_err() {
            run.preview = Loading::Not;
        }
    }
    if sending {
        if let Some(Screen::Request(request)) = state.screens.last_mut() {
            request.sending = None;
        }
        if answer.is_ok() {
            state.screens.pop();
            if let Some(run) = &mut state.run {
                run.focus = None;
            }
            say(state, Tone::Info, "The request was sent; the old grant stays until it ends.");
        }
    }
    if let Err(refusal) = answer {
        refuse(state, refusal);
    }
}

fn rows(
    state: &mut State,
    execution: String,
    answer: Result<Arc<crate::engine::ports::Rows>, crate::core::run::command::Refusal>,
) {
    if let Some(run) = &mut state.run {
        // Rows never change; a table that is there keeps its place and order.
        if run.table(&execution).is_none() {
            run.tables.insert(execution, answer.map(Table::new));
        }
    }
}

/// The run tells something.
fn told(state: &mut State, update: Update, effects: &mut Vec<Effect>) {
    match update {
        Update::State { state: now, events } => moved(state, now, &events, effects),
        Update::Progress { execution, phase, bytes } => {
            if let Some(run) = &mut state.run {
                run.polled = Some(crate::tui::state::Polled { execution, phase, bytes });
            }
        }
        Update::Rows { execution, rows: fetched } => rows(state, execution, Ok(fetched)),
        Update::Busy(words) => {
            if let Some(run) = &mut state.run {
                run.busy = words;
            }
        }
        Update::Notice(refusal) => refuse(state, refusal),
        Update::ReadOnly { by } => {
            if let Some(run) = &mut state.run {
                run.read_only = Some(by.clone());
            }
            say(state, Tone::Warn, format!("{by} drives this run now; here it can only be read."));
        }
    }
}

/// The run's state is another.
fn moved(state: &mut State, now: Arc<RunState>, events: &[Event], effects: &mut Vec<Effect>) {
    let open = state.run.as_ref().is_some_and(|run| run.state.id == now.id);
    if !open {
        state.opening = None;
        state.run = Some(Run::new(now));
        state.screens.truncate(1);
        state.screens.push(Screen::Run);
        return;
    }
    let wall = state.wall();
    let Some(run) = &mut state.run else { return };
    let (cursor, before) = (run.state.cursor.clone(), run.stage(wall));
    run.state = Arc::clone(&now);
    if now.cursor != cursor {
        run.options = Loading::Not;
        run.preview = Loading::Not;
        run.scroll = 0;
    }
    // A step that is entered anew is looked at anew, and says anew what it says.
    for event in events {
        if let EventBody::ExecutionStopped { .. } = &event.body {
            // What was being done was stopping it.
            run.busy = None;
        }
        if let EventBody::StepEntered { step, .. } = &event.body {
            run.prose.shift_remove(step);
            run.preview = Loading::Not;
            run.options = Loading::Not;
        }
    }
    let after = run.stage(wall);
    if before != after {
        run.scroll = 0;
    }
    if now.open_execution().is_none() {
        run.polled = None;
    }
    // A query that began elsewhere, or before a resume, is what there is to see.
    if let Some(running) = now.open_execution()
        && run.focus.as_ref() != Some(&running.step)
        && matches!(before, Stage::Preview(_) | Stage::Ahead(_))
    {
        run.focus = Some(running.step.clone());
    }
    if state.exiting && now.open_execution().is_none() {
        return perform::exit(state, "stopped the query and left", effects);
    }
    let mine = now.operator.as_ref().map(|operator| operator.name.clone());
    for event in events {
        announce(state, event, mine.as_deref(), effects);
    }
    if now.is_closed() && !state.ended.iter().any(|ended| ended.id == now.id) {
        state.ended.push(now);
    }
}

/// What an event is worth a line or a bell.
fn announce(state: &mut State, event: &Event, mine: Option<&str>, effects: &mut Vec<Effect>) {
    let by = &event.actor.name;
    let (at, now) = (state.now.steady, state.wall());
    // While the old grant lets the walk go on, enter goes on with it.
    let besides = state.run.as_ref().is_some_and(|run| run.has_access(now) && run.state.finished.is_none());
    let mut line = |tone, text: String| tell(state, Notice { tone, text, hint: None, at });
    match &event.body {
        EventBody::VoteCast { approve, comment, .. } if Some(by.as_str()) != mine => {
            let word = if *approve { "approves" } else { "denies" };
            let said = if comment.is_empty() { String::new() } else { format!(": \"{comment}\"") };
            line(Tone::Info, format!("{by} {word}{said}"));
        }
        EventBody::RequestApproved { by, .. } => {
            effects.push(Effect::Bell);
            let key = if besides { "S" } else { "enter" };
            line(Tone::Info, format!("Approved by {}; {key} starts access, and only then the clock runs.", by.join(", ")));
        }
        EventBody::RequestDenied { by, .. } => {
            effects.push(Effect::Bell);
            line(Tone::Alarm, format!("Denied by {by}."));
        }
        EventBody::RequestEscalated { to, .. } => line(Tone::Info, format!("Escalated to {}.", to.join(", "))),
        EventBody::RequestLapsed { unused, .. } => {
            effects.push(Effect::Bell);
            let why = if *unused { "The approval was not used in time" } else { "Nobody answered in time" };
            line(Tone::Warn, format!("{why}; `a` asks again."));
        }
        EventBody::StepSkipped { step, reason, .. } => line(Tone::Info, format!("Skipped {step}: {reason}.")),
        EventBody::AccessRevoked { by, .. } => {
            effects.push(Effect::Bell);
            line(Tone::Alarm, format!("Access was revoked by {by}; running queries are being stopped."));
        }
        EventBody::ExecutionIndeterminate { reason, .. } => {
            line(Tone::Error, format!("Nobody can tell whether it ran: {reason}"))
        }
        EventBody::MintFailed { error, .. } => line(Tone::Error, format!("No keys: {}: {}", error.code, error.message)),
        EventBody::ClockCorrected { skew_ms, source } => {
            line(Tone::Warn, format!("The clock here differs from {source}'s by {} s.", skew_ms / 1000));
        }
        _ => {}
    }
}
