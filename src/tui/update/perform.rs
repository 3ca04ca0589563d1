//! What verbs do.

use super::{forms, keys, say, walk};
use crate::core::run::Command;
use crate::engine::session::ExportFormat;
use crate::tui::keymap::Verb;
use crate::tui::live;
use crate::tui::msg::{Ask, Effect};
use crate::tui::state::{
    Asked, Hit, List, Loading, Overlay, PaletteItem, PlanPane, Prompt, PromptFor, RequestFocus, Review, Screen, Stage, State,
    Table, Tone,
};

/// Lines that a page moves; the panes differ in height, and a page that is too short loses nothing.
const PAGE: isize = 10;

/// Does what `verb` asks for.
pub(super) fn perform(state: &mut State, verb: Verb, effects: &mut Vec<Effect>) {
    match verb {
        Verb::Up => step(state, -1, 0),
        Verb::Down => step(state, 1, 0),
        Verb::Left => step(state, 0, -1),
        Verb::Right => step(state, 0, 1),
        Verb::PageUp => page(state, -PAGE),
        Verb::PageDown => page(state, PAGE),
        Verb::Top => page(state, isize::MIN / 2),
        Verb::Bottom => page(state, isize::MAX / 2),
        Verb::Back => back(state, effects),
        Verb::Leave => leave(state, effects),
        Verb::Help => state.overlays.push(Overlay::Help { field: Default::default(), list: List::default() }),
        Verb::Palette => state.overlays.push(Overlay::Palette { field: Default::default(), list: List::default() }),
        Verb::Open => open(state, effects),
        Verb::Accept => accept(state, effects),
        Verb::Filter => {
            if let Some(Screen::Pick(pick)) = state.screens.last_mut() {
                pick.typing = true;
            }
        }
        Verb::Problems => state.screens.push(Screen::Problems(List::default())),
        Verb::Runs => {
            state.screens.push(Screen::Runs(List::default()));
            ask_runs(state, effects);
        }
        Verb::Inbox => {
            state.screens.push(Screen::Inbox(List::default()));
            ask_inbox(state, None, effects);
        }
        Verb::NextField => forms::next_field(state, 1, effects),
        Verb::PrevField => forms::next_field(state, -1, effects),
        Verb::Values => forms::values(state),
        Verb::LastRun => forms::last_run(state),
        Verb::Fix => forms::fix(state, effects),
        Verb::See => walk::see(state, effects),
        Verb::Start => walk::start(state, effects),
        Verb::GoOn => walk::go_on(state, effects),
        Verb::Finish => leave(state, effects),
        Verb::Pick => walk::choose(state, effects),
        Verb::Yes => walk::answer(state, true, effects),
        Verb::No => walk::answer(state, false, effects),
        Verb::Run => walk::run(state, effects),
        Verb::Look => walk::look(state, effects),
        Verb::Stop => keys::stop_now(state, effects),
        Verb::Again => forms::again(state, effects),
        Verb::Cancel => state.overlays.push(Overlay::Asked(Asked::Cancel)),
        Verb::Approve => state.overlays.push(Overlay::Prompt(Prompt::new(PromptFor::Approve))),
        Verb::Deny => state.overlays.push(Overlay::Prompt(Prompt::new(PromptFor::Deny))),
        Verb::Note => state.overlays.push(Overlay::Prompt(Prompt::new(PromptFor::Note))),
        Verb::Search => state.overlays.push(Overlay::Prompt(Prompt::new(PromptFor::Search))),
        Verb::NextHit => find(state, true, false),
        Verb::PrevHit => find(state, false, false),
        Verb::Sort => with_table(state, Table::sort),
        Verb::Cell => {
            let now = state.wall();
            if state.run.as_mut().and_then(|run| run.table_on_screen(now)).is_some_and(|table| table.cell().is_some()) {
                state.overlays.push(Overlay::Cell { scroll: 0 });
            }
        }
        Verb::Export => state.overlays.push(Overlay::Asked(Asked::Export)),
        Verb::Csv => export(state, ExportFormat::Csv, effects),
        Verb::JsonLines => export(state, ExportFormat::JsonLines, effects),
        Verb::Steps => walk::steps(state),
        Verb::Close => walk::close(state, effects),
        Verb::StopAndLeave => stop_and_leave(state, effects),
        Verb::KeepAndLeave => keep_and_leave(state, effects),
        Verb::Confirmed => confirmed(state, effects),
    }
}

/// Asks for the list of runs.
pub(super) fn ask_runs(state: &mut State, effects: &mut Vec<Effect>) {
    if state.runs.ready().is_none() {
        state.runs = Loading::Pending(state.ticket());
    }
    effects.push(Effect::Runs);
}

pub(super) fn ask_inbox(state: &mut State, as_name: Option<String>, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    state.inbox = Loading::Pending(ticket);
    effects.push(Effect::Inbox { ticket, as_name });
}

/// Leaves, unless a query runs: then it asks.
pub(super) fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    // Asked to leave while a stop is awaited: it is not awaited any longer.
    if keys::is_querying(state) && !state.exiting {
        if !state.overlays.iter().any(|overlay| matches!(overlay, Overlay::Asked(Asked::Leave { .. }))) {
            state.overlays.push(Overlay::Asked(Asked::Leave { suspend: false }));
        }
        return;
    }
    exit(state, "left the terminal", effects);
}

pub(super) fn exit(state: &mut State, reason: &str, effects: &mut Vec<Effect>) {
    state.exiting = true;
    if state.run.is_some() {
        effects.push(Effect::Leave(reason.to_owned()));
    }
    effects.push(Effect::Exit);
}

fn stop_and_leave(state: &mut State, effects: &mut Vec<Effect>) {
    let suspend = matches!(state.overlays.pop(), Some(Overlay::Asked(Asked::Leave { suspend: true })));
    keys::stop_now(state, effects);
    if suspend {
        effects.push(Effect::Suspend);
    } else {
        // The app ends when the stop is known; until then it shows it.
        state.exiting = true;
    }
}

fn keep_and_leave(state: &mut State, effects: &mut Vec<Effect>) {
    if !walk::may_keep(state) {
        return say(state, Tone::Warn, "This runbook does not leave queries running: `on_disconnect` is stop.");
    }
    match state.overlays.pop() {
        Some(Overlay::Asked(Asked::Leave { suspend: true })) => effects.push(Effect::Suspend),
        _ => exit(state, "left the query running", effects),
    }
}

fn confirmed(state: &mut State, effects: &mut Vec<Effect>) {
    match state.overlays.pop() {
        Some(Overlay::Asked(Asked::Cancel)) => {
            let request = state.run.as_ref().and_then(|run| run.state.request().map(|request| request.id.clone()));
            if let Some(request) = request {
                effects.push(Effect::Ask(vec![Ask::Command(Command::Cancel { request })]));
            }
        }
        Some(Overlay::Asked(Asked::Take(run))) => open_run(state, run, true, effects),
        _ => {}
    }
}

fn export(state: &mut State, format: ExportFormat, effects: &mut Vec<Effect>) {
    state.overlays.pop();
    let now = state.wall();
    if let Some(Stage::Results(_, execution)) = state.run.as_ref().map(|run| run.stage(now)) {
        effects.push(Effect::Export(execution, format));
    }
}

fn with_table(state: &mut State, change: impl FnOnce(&mut Table)) {
    let now = state.wall();
    if let Some(table) = state.run.as_mut().and_then(|run| run.table_on_screen(now)) {
        change(table);
    }
}

fn find(state: &mut State, forward: bool, from_here: bool) {
    let mut found = None;
    with_table(state, |table| found = table.search.clone().map(|text| (table.find(forward, from_here), text)));
    match found {
        None => say(state, Tone::Info, "Nothing was searched yet; press / and type."),
        Some((Hit::Nowhere, text)) => say(state, Tone::Warn, format!("No cell holds `{text}`.")),
        Some((Hit::Wrapped, _)) => say(state, Tone::Info, "Started over at the other end."),
        Some((Hit::Found, _)) => {}
    }
}

/// Moves a selection or scrolls what has none.
fn step(state: &mut State, rows: isize, columns: isize) {
    let reach = state.reach;
    let items = match state.overlays.last() {
        Some(Overlay::Palette { field, .. }) => live::palette(state, field.text()).len(),
        _ => 0,
    };
    let steps = state.run.as_ref().map_or(0, |run| run.state.steps.len());
    if let Some(overlay) = state.overlays.last_mut() {
        match overlay {
            Overlay::Help { list, .. } => list.step(rows, usize::MAX),
            Overlay::Palette { list, .. } => list.step(rows, items),
            Overlay::Steps(list) => list.step(rows, steps),
            Overlay::Values { list, values } => list.step(rows, values.len()),
            Overlay::Cell { scroll } => *scroll = scroll.saturating_add_signed(rows).min(reach),
            Overlay::Prompt(_) | Overlay::Asked(_) => {}
        }
        return;
    }
    let now = state.wall();
    let runs = state.runs.ready().map_or(0, |runs| runs.len());
    let inbox = state.inbox.ready().map_or(0, |inbox| inbox.len());
    let library = state.library.ready().cloned();
    match state.screens.last_mut() {
        Some(Screen::Pick(pick)) => {
            let length = library.map_or(0, |library| pick.shown(&library).len());
            pick.list.step(rows, length);
            pick.scroll = 0;
        }
        Some(Screen::Problems(list)) => list.step(rows, library.map_or(0, |library| library.problems.len())),
        Some(Screen::Runs(list)) => list.step(rows, runs),
        Some(Screen::Inbox(list)) => list.step(rows, inbox),
        Some(Screen::Review(review)) => {
            if let Some(request) = review.pending.state.request_by_id(&review.pending.request) {
                review.pane.step(rows, &request.plan);
            }
        }
        Some(Screen::Request(request)) => {
            if let Some(planned) = &request.shown {
                request.pane.step(rows, &planned.plan);
            }
        }
        Some(Screen::Inputs(_)) | None => {}
        Some(Screen::Run) => {
            let Some(run) = &mut state.run else { return };
            let options = run.options.ready().map_or(0, Vec::len);
            match run.stage(now) {
                Stage::Choose(_) => run.choice.step(rows, options),
                Stage::Results(..) => {
                    if let Some(table) = run.table_on_screen(now) {
                        table.step(rows, columns);
                    }
                }
                _ => run.scroll = run.scroll.saturating_add_signed(rows).min(reach),
            }
        }
    }
}

/// A page: of the selection, or of the pane below it.
fn page(state: &mut State, by: isize) {
    let reach = state.reach;
    if state.overlays.is_empty() {
        match state.screens.last_mut() {
            Some(Screen::Review(review)) => return review.pane.page(by, reach),
            Some(Screen::Request(request)) => return request.pane.page(by, reach),
            // Without a reading pane a page is one of the list.
            Some(Screen::Pick(pick)) if reach > 0 => {
                pick.scroll = pick.scroll.saturating_add_signed(by).min(reach);
                return;
            }
            _ => {}
        }
    }
    step(state, by, 0);
}

/// Esc: what lies over the screen goes, then the screen. Nothing ends.
fn back(state: &mut State, effects: &mut Vec<Effect>) {
    if state.overlays.pop().is_some() {
        return;
    }
    match state.screens.last_mut() {
        Some(Screen::Pick(pick)) => {
            pick.filter.clear();
            pick.typing = false;
        }
        Some(Screen::Run) => walk::back(state, effects),
        _ => {
            if state.screens.len() > 1 {
                state.screens.pop();
            }
        }
    }
}

/// Enter on a list.
fn open(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(Overlay::Steps(list)) = state.overlays.last() {
        let list = *list;
        state.overlays.pop();
        return walk::show_step(state, list);
    }
    match state.screens.last() {
        Some(Screen::Pick(pick)) => {
            let picked = state.library.ready().and_then(|library| pick.selected(library));
            match picked {
                Some(runbook) => forms::inputs(state, runbook, effects),
                None => say(state, Tone::Info, "No runbook is selected."),
            }
        }
        Some(Screen::Runs(list)) => {
            let runs = state.runs.ready().cloned();
            let Some(run) = runs.as_ref().and_then(|runs| runs.get(list.selected(runs.len()))) else { return };
            let (id, mine, driven) = (run.state.id.clone(), run.mine, run.driven);
            if state.run.as_ref().is_some_and(|open| open.state.id == id && !open.gone) {
                state.screens.truncate(1);
                state.screens.push(Screen::Run);
            } else if !mine {
                say(state, Tone::Warn, "This run is somebody else's; only they can walk it.");
            } else if driven {
                state.overlays.push(Overlay::Asked(Asked::Take(id)));
            } else {
                open_run(state, id, false, effects);
            }
        }
        Some(Screen::Inbox(list)) => {
            let pending = state.inbox.ready().and_then(|inbox| inbox.get(list.selected(inbox.len())).cloned());
            if let Some(pending) = pending {
                review(state, pending, None);
            }
        }
        _ => {}
    }
}

/// Shows a request as its reviewer reads it.
pub(super) fn review(state: &mut State, pending: crate::tui::desk::Pending, as_name: Option<String>) {
    let request = pending.state.request_by_id(&pending.request);
    let pane = request.map_or_else(PlanPane::default, |request| PlanPane::at_worst(&request.plan));
    state.screens.push(Screen::Review(Box::new(Review { pending, as_name, pane, voting: false })));
}

/// Opens a run, leaving the one that is open.
pub(super) fn open_run(state: &mut State, run: String, takeover: bool, effects: &mut Vec<Effect>) {
    if keys::is_querying(state) {
        return say(state, Tone::Warn, "A query runs in the open run; stop it or wait for it first.");
    }
    if state.run.take().is_some() {
        effects.push(Effect::Leave("another run was opened".to_owned()));
    }
    let ticket = state.ticket();
    state.opening = Some(ticket);
    effects.push(Effect::Open { ticket, run: Some(run), takeover });
}

/// Enter where something is typed.
fn accept(state: &mut State, effects: &mut Vec<Effect>) {
    match state.overlays.pop() {
        Some(Overlay::Prompt(prompt)) => return accept_prompt(state, prompt, effects),
        Some(Overlay::Palette { field, list }) => {
            let items = live::palette(state, field.text());
            if let Some(item) = items.get(list.selected(items.len())).cloned() {
                take_item(state, item, effects);
            }
            return;
        }
        Some(Overlay::Values { list, values }) => {
            if let Some(value) = values.get(list.selected(values.len())) {
                forms::set_value(state, value);
            }
            return;
        }
        Some(_) => return,
        None => {}
    }
    match state.screens.last_mut() {
        Some(Screen::Pick(pick)) => pick.typing = false,
        Some(Screen::Inputs(inputs)) => {
            if inputs.focus + 1 < inputs.fields.len() {
                inputs.focus += 1;
            } else {
                forms::finish_inputs(state, effects);
            }
        }
        Some(Screen::Request(request)) => match request.focus {
            RequestFocus::Duration => forms::send(state, effects),
            _ => forms::next_field(state, 1, effects),
        },
        _ => {}
    }
}

fn take_item(state: &mut State, item: PaletteItem, effects: &mut Vec<Effect>) {
    match item {
        PaletteItem::Verb(verb) => perform(state, verb, effects),
        PaletteItem::Runbook(id) => {
            let runbook = state.library.ready().and_then(|library| library.runbooks.iter().find(|book| book.id == *id).cloned());
            if let Some(runbook) = runbook {
                state.screens.truncate(1);
                forms::inputs(state, runbook, effects);
            }
        }
        PaletteItem::Run(id) => {
            let driven = state.runs.ready().is_some_and(|runs| runs.iter().any(|run| run.state.id == id && run.driven));
            if state.run.as_ref().is_some_and(|open| open.state.id == id) {
                state.screens.truncate(1);
                state.screens.push(Screen::Run);
            } else if driven {
                state.overlays.push(Overlay::Asked(Asked::Take(id)));
            } else {
                open_run(state, id, false, effects);
            }
        }
        PaletteItem::Column(column, _) => with_table(state, |table| table.go_to_column(column)),
        PaletteItem::Theme(name) => effects.push(Effect::Theme(name)),
    }
}

fn accept_prompt(state: &mut State, mut prompt: Prompt, effects: &mut Vec<Effect>) {
    let text = prompt.field.text().trim().to_owned();
    let error = match prompt.what {
        PromptFor::Run if text != "run" => Some("type the word run, or press esc".to_owned()),
        PromptFor::Run => {
            walk::execute(state, true, effects);
            None
        }
        PromptFor::Approve => walk::approve(state, &text, effects).err(),
        PromptFor::Deny if text.is_empty() => Some("a denial needs a comment".to_owned()),
        PromptFor::Deny => {
            walk::vote(state, false, text, effects);
            None
        }
        PromptFor::Note if text.is_empty() => Some("an empty note says nothing".to_owned()),
        PromptFor::Note => {
            effects.push(Effect::Ask(vec![Ask::Command(Command::Note { text })]));
            say(state, Tone::Info, "The note is in the journal.");
            None
        }
        PromptFor::Search => {
            with_table(state, |table| table.search = (!text.is_empty()).then_some(text));
            find(state, true, true);
            None
        }
    };
    if error.is_some() {
        prompt.error = error;
        state.overlays.push(Overlay::Prompt(prompt));
    }
}
