//! Which commands work now: the hint bar, the help and the palette show only these.

use crate::core::run::Access;
use crate::tui::keymap::{Row, Verb};
use crate::tui::state::{Loading, Overlay, PaletteItem, Screen, Stage, State, Table};
use crate::tui::update::{has_fix, may_keep, runnable, sandbox_reviewer};
use crate::tui::{fuzzy, key::Key};

/// Whether `verb` would do something on the face that is on top.
pub fn is_live(state: &State, verb: Verb) -> bool {
    let now = state.wall();
    let run = state.run.as_ref();
    let table = || -> Option<&Table> {
        match run?.stage(now) {
            Stage::Results(_, execution) => run?.table(&execution),
            _ => None,
        }
    };
    let drives = || run.is_some_and(|run| run.read_only.is_none() && !run.gone);
    match verb {
        Verb::Run => runnable(state).is_ok(),
        Verb::Look => drives() && run.is_some_and(|run| run.has_access(now)),
        Verb::Again => drives() && run.is_some_and(|run| run.may_ask_again(now) || has_drifted(state)),
        Verb::Fix => has_fix(state),
        Verb::See => sandbox_reviewer(state).is_some(),
        Verb::Start => {
            let approved =
                |run: &crate::tui::state::Run| matches!(run.state.request().map(|r| &r.access), Some(Access::Approved { .. }));
            drives() && run.is_some_and(approved)
        }
        Verb::KeepAndLeave => may_keep(state),
        Verb::Problems => state.library.ready().is_some_and(|library| !library.problems.is_empty()),
        Verb::NextHit | Verb::PrevHit => table().is_some_and(|table| table.search.is_some()),
        Verb::Sort | Verb::Search | Verb::Cell | Verb::Export => table().is_some_and(|table| !table.is_empty()),
        Verb::GoOn => drives() && run.is_some_and(|run| !matches!(run.stage(now), Stage::Ahead(_)) || run.has_access(now)),
        Verb::Yes | Verb::No | Verb::Stop | Verb::Note | Verb::Close | Verb::Cancel => {
            drives() && run.is_some_and(|run| !run.state.is_closed())
        }
        Verb::Pick => drives() && run.is_some_and(|run| run.options.ready().is_some_and(|options| !options.is_empty())),
        Verb::Steps => run.is_some_and(|run| !run.state.steps.is_empty()),
        Verb::Values => matches!(state.screens.last(), Some(Screen::Inputs(inputs)) if !inputs.choices().is_empty()),
        Verb::Approve | Verb::Deny => match state.screens.last() {
            Some(Screen::Review(review)) => review.pending.may_not.is_none() && !review.voting,
            _ => false,
        },
        Verb::Open => can_open(state),
        _ => true,
    }
}

fn can_open(state: &State) -> bool {
    match (state.overlays.last(), state.screens.last()) {
        (Some(_), _) => true,
        (None, Some(Screen::Pick(pick))) => state.library.ready().is_some_and(|library| pick.selected(library).is_some()),
        (None, Some(Screen::Runs(_))) => state.runs.ready().is_some_and(|runs| !runs.is_empty()),
        (None, Some(Screen::Inbox(_))) => state.inbox.ready().is_some_and(|inbox| !inbox.is_empty()),
        _ => false,
    }
}

fn has_drifted(state: &State) -> bool {
    let preview = state.run.as_ref().and_then(|run| run.preview.ready());
    preview.is_some_and(|preview| preview.check.voids.is_some())
}

/// The hint bar: keys that work now, with what they do.
pub fn hints(state: &State) -> Vec<(Key, &'static str)> {
    let face = state.face();
    state
        .keymap
        .rows_of(face)
        .filter(|(row, _)| !row.label.is_empty() && is_live(state, row.verb))
        .map(|(row, key)| (key, label(state, row)))
        .collect()
}

/// What a key does here, where that is more than the table can say.
fn label(state: &State, row: &'static Row) -> &'static str {
    match (row.verb, state.overlays.last(), state.screens.last()) {
        (Verb::Accept, None, Some(Screen::Request(request))) if request.focus == crate::tui::state::RequestFocus::Duration => {
            "send"
        }
        (Verb::Accept, None, Some(Screen::Inputs(inputs))) if inputs.focus + 1 >= inputs.fields.len() => "plan",
        (Verb::Accept, Some(Overlay::Palette { .. } | Overlay::Prompt(_)), _) => "do it",
        _ => row.label,
    }
}

/// Everything that works on the face below the help, with its keys.
pub fn help(state: &State, filter: &str) -> Vec<(Key, &'static str)> {
    let face = state.overlays.iter().rev().nth(1).map_or_else(|| state.screen_face(), Overlay::face);
    state
        .keymap
        .rows_of(face)
        .filter(|(row, _)| is_live(state, row.verb))
        .map(|(row, key)| (key, row.help))
        .filter(|(key, help)| fuzzy::score(filter, &format!("{key} {help}")).is_some())
        .collect()
}

/// What the palette offers, best first.
pub fn palette(state: &State, filter: &str) -> Vec<PaletteItem> {
    let face = state.screen_face();
    let mut items: Vec<(String, PaletteItem)> = Vec::new();
    let keyed = state.keymap.rows_of(face).map(|(row, _)| row);
    for row in keyed.chain(state.keymap.keyless(face)) {
        let moves = row.label.is_empty() && !row.keys.is_empty();
        let item = PaletteItem::Verb(row.verb);
        if !moves && row.verb != Verb::Palette && is_live(state, row.verb) && !items.iter().any(|(_, other)| *other == item) {
            items.push((row.verb.name().to_owned(), item));
        }
    }
    if let Some(Stage::Results(_, execution)) = state.run.as_ref().map(|run| run.stage(state.wall()))
        && let Some(table) = state.run.as_ref().and_then(|run| run.table(&execution))
    {
        for (at, column) in table.rows.columns.iter().enumerate() {
            items.push((column.name.clone(), PaletteItem::Column(at, column.name.clone())));
        }
    }
    if let Some(library) = state.library.ready() {
        for runbook in &library.runbooks {
            items.push((runbook.id.to_string(), PaletteItem::Runbook(runbook.id.to_string())));
        }
    }
    if let Loading::Ready(runs) = &state.runs {
        for run in runs.iter().filter(|run| run.mine) {
            items.push((run.state.id.clone(), PaletteItem::Run(run.state.id.clone())));
        }
    }
    for theme in &state.seat.themes {
        items.push((format!("theme {theme}"), PaletteItem::Theme(theme.clone())));
    }
    let mut found: Vec<(i32, PaletteItem)> =
        items.into_iter().filter_map(|(name, item)| Some((fuzzy::score(filter, &name)?.0, item))).collect();
    if !filter.trim().is_empty() {
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    found.into_iter().map(|(_, item)| item).collect()
}
