//! The first screen.

use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use super::canvas::{Canvas, below, inset};
use super::facts;
use crate::core::runbook::Runbook;
use crate::tui::desk::Library;
use crate::tui::rich::{Rich, marked, prose};
use crate::tui::state::{Loading, Pick, Picked, State};
use crate::tui::theme::Role;

/// Narrower screens have no reading pane.
const PANE_FROM: u16 = 64;
const ID_WIDTH: usize = 18;

pub(super) fn draw(state: &State, pick: &Pick, canvas: &mut Canvas<'_>, area: Rect) {
    let library = match &state.library {
        Loading::Not | Loading::Pending(_) => {
            return canvas.line(inset(area), area.y, &Rich::of(Role::Muted, "Reading the book."));
        }
        Loading::Failed(refusal) => {
            let lines = facts_of_refusal(refusal, usize::from(area.width) - 2);
            return canvas.lines(inset(area), &lines, 0);
        }
        Loading::Ready(library) => library,
    };
    let shown = pick.shown(library);
    let wide = area.width >= PANE_FROM;
    let list_width = if wide { area.width / 2 + 1 } else { area.width };
    let list = Rect { width: list_width, ..area };
    head(pick, library, shown.len(), canvas, list);
    let rows: Vec<Rich> = shown.iter().map(row).collect();
    if rows.is_empty() {
        let text =
            if library.runbooks.is_empty() { "This book has no runbook." } else { "No runbook matches; esc clears the filter." };
        let lines = Rich::of(Role::Muted, text).wrap(usize::from(list.width).saturating_sub(2), 0);
        canvas.lines(inset(below(list, 1)), &lines, 0);
    }
    canvas.list(below(list, 1), pick.list, &rows);
    if wide {
        canvas.bar(area.x + list_width, area.y, area.height);
        let pane = Rect { x: area.x + list_width + 2, width: area.width - list_width - 3, ..area };
        if let Some(picked) = shown.get(pick.list.selected(shown.len())) {
            canvas.scrolled(pane, &reading(state, &picked.runbook, usize::from(pane.width)), pick.scroll);
        }
    }
}

fn head(pick: &Pick, library: &Library, shown: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let errors = library.problems.iter().filter(|problem| problem.is_error()).count();
    let mut right = Rich::new();
    if errors > 0 {
        right.push(Role::Block, &format!("{errors} problems "));
    }
    right.push(Role::Muted, &format!("{shown} of {}", library.runbooks.len()));
    let room = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 4);
    let left = match (pick.typing, pick.filter.is_empty()) {
        (true, _) => {
            let (text, cursor) = pick.filter.window(Role::FieldFocus, usize::from(room));
            canvas.cursor = Some(Position { x: area.x + 2 + u16::try_from(cursor).unwrap_or(0), y: area.y });
            Rich::of(Role::Key, " /").join(text)
        }
        (false, false) => Rich::of(Role::Key, " /").add(Role::Text, pick.filter.text()),
        (false, true) => Rich::of(Role::Heading, " Runbooks"),
    };
    canvas.both(area, area.y, left, &right);
}

fn row(picked: &Picked) -> Rich {
    let id: &str = &picked.runbook.id;
    let mut line = Rich::of(Role::Text, " ");
    for (at, c) in id.chars().enumerate() {
        let role = if picked.hits.contains(&at) { Role::Match } else { Role::Strong };
        line.push(role, c.encode_utf8(&mut [0; 4]));
    }
    let gap = ID_WIDTH.saturating_sub(id.width()).max(1);
    line.add(Role::Text, &" ".repeat(gap)).add(Role::Text, picked.runbook.title.raw())
}

/// The reading pane: what the runbook is for and what it does, step by step.
fn reading(state: &State, runbook: &Runbook, width: usize) -> Vec<Rich> {
    let join = |words: &[crate::core::text::Untrusted]| words.iter().map(|word| word.raw()).collect::<Vec<_>>().join(" ");
    let mut lines = Rich::of(Role::Heading, runbook.title.raw()).wrap(width, 0);
    let keepers = [join(&runbook.owners), join(&runbook.tags)];
    let keepers: Vec<&str> = keepers.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    if !keepers.is_empty() {
        lines.extend(Rich::of(Role::Muted, &keepers.join(" · ")).wrap(width, 0));
    }
    lines.extend(prose(Role::Text, runbook.summary.raw(), width));
    lines.push(Rich::new());
    let fact = |label: &str, value: Rich| facts::labelled_wrapped(label, 9, value, width).into_iter().map(trim_start);
    let inputs: Vec<String> =
        runbook.inputs.values().map(|input| format!("{}{}", input.name, if input.optional { "?" } else { "" })).collect();
    let inputs = if inputs.is_empty() { "nothing".to_owned() } else { inputs.join(", ") };
    lines.extend(fact("asks for", Rich::plain(&inputs)));
    let access = &runbook.access;
    lines.extend(fact("runs on", Rich::plain(&format!("{}, {}", access.target.value, access.duration))));
    let groups: Vec<String> = access.from.iter().map(ToString::to_string).collect();
    lines.extend(fact("approved", Rich::plain(&format!("by {} of {}", access.need, groups.join(", ")))));
    lines.extend(fact(&steps_label(runbook), Rich::plain(&kinds(runbook))));
    lines.extend(fact("last run", last_run(state, runbook)));
    for (number, step) in (1..).zip(&runbook.steps) {
        lines.push(Rich::new());
        let title = Rich::of(Role::Muted, &format!("{number} ")).add(Role::Strong, step.title.raw());
        lines.extend(title.add(Role::Muted, &format!("  {}", step.kind.word())).wrap(width, 2));
        if let Some(note) = &step.note {
            lines.extend(marked(&note.source, width));
        }
    }
    lines
}

fn trim_start(line: Rich) -> Rich {
    // The labels of this pane stand at its edge.
    let mut pieces = line.pieces().iter();
    let mut out = Rich::new();
    if let Some(first) = pieces.next() {
        out.push(first.role, first.text().strip_prefix(' ').unwrap_or(first.text()));
    }
    for piece in pieces {
        out.push(piece.role, piece.text());
    }
    out
}

fn steps_label(runbook: &Runbook) -> String {
    match runbook.steps.len() {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    }
}

/// `3 athena 1 dynamodb 2 ask`.
fn kinds(runbook: &Runbook) -> String {
    let count = |words: &[&str]| runbook.steps.iter().filter(|step| words.contains(&step.kind.word())).count();
    [("athena", &["athena"][..]), ("dynamodb", &["dynamodb"]), ("ask", &["confirm", "choose"]), ("note", &["note"])]
        .iter()
        .map(|(word, kinds)| (count(kinds), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn last_run(state: &State, runbook: &Runbook) -> Rich {
    let Loading::Ready(runs) = &state.runs else { return Rich::of(Role::Muted, "not known yet") };
    let same = |run: &&crate::engine::desk::RunSummary| run.state.walk.as_ref().is_some_and(|walk| walk.runbook.id == runbook.id);
    match runs.iter().filter(same).max_by_key(|run| run.state.created_at) {
        None => Rich::of(Role::Muted, "never"),
        Some(run) => {
            let when = facts::day_and_time(run.state.created_at, state.wall(), &facts::zone(state));
            let how = if run.state.is_closed() { "closed" } else { "open" };
            Rich::plain(&format!("{when}, {how}"))
        }
    }
}

/// A refusal that fills a screen: what happened, and what to do.
pub(super) fn facts_of_refusal(refusal: &crate::core::run::command::Refusal, width: usize) -> Vec<Rich> {
    let mut lines = Rich::of(Role::Block, "error: ").add(Role::Text, &refusal.message).wrap(width, 2);
    if let Some(hint) = &refusal.hint {
        lines.extend(Rich::of(Role::Muted, "hint: ").add(Role::Text, hint).wrap(width, 2));
    }
    lines
}
