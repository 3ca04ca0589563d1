//! What lies over a screen.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, below, inset};
use super::{facts, steps};
use crate::core::plan::{OnDisconnect, PlanAction};
use crate::core::units::Bytes;
use crate::tui::live;
use crate::tui::rich::{Rich, prose};
use crate::tui::state::{Asked, Overlay, PaletteItem, Prompt, PromptFor, Stage, State};
use crate::tui::theme::Role;

/// Draws the overlay on top.
pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(overlay) = state.overlays.last() else { return };
    match overlay {
        Overlay::Help { field, list } => {
            let inner = sheet(canvas, area, "Keys that work here");
            filter(canvas, inner, field);
            let entries = live::help(state, field.text());
            let rows: Vec<Rich> = entries
                .iter()
                .map(|(key, help)| {
                    Rich::of(Role::Text, " ").join(Rich::of(Role::Key, &key.to_string()).left(10, "")).add(Role::Text, help)
                })
                .collect();
            canvas.list(below(inner, 1), *list, &rows);
            if let Some(why) = &state.seat.unenforced {
                let line = Rich::of(Role::Unenforced, "UNENFORCED ").add(Role::Text, why);
                canvas.line(
                    inner,
                    inner.bottom().saturating_sub(1),
                    &line.cut(usize::from(inner.width), canvas.glyphs().ellipsis),
                );
            }
        }
        Overlay::Palette { field, list } => {
            let inner = sheet(canvas, area, "Command, runbook, run, column");
            filter(canvas, inner, field);
            let rows: Vec<Rich> = live::palette(state, field.text()).iter().map(|item| palette_row(state, item)).collect();
            canvas.list(below(inner, 1), *list, &rows);
        }
        Overlay::Prompt(asked) => prompt(asked, canvas, area),
        Overlay::Asked(asked) => question(state, asked, canvas, area),
        Overlay::Cell { scroll } => cell(state, *scroll, canvas, area),
        Overlay::Steps(list) => {
            let inner = sheet(canvas, area, "Steps");
            if let Some(run) = &state.run {
                let rows = steps::lines(run, None, usize::from(inner.width), canvas.glyphs());
                canvas.list(inner, *list, &rows);
            }
        }
        Overlay::Values { list, values } => {
            let inner = sheet(canvas, area, "Values");
            let rows: Vec<Rich> = values.iter().map(|value| Rich::of(Role::Text, " ").add(Role::Text, value)).collect();
            canvas.list(inner, *list, &rows);
        }
    }
}

/// An empty area with a title over the whole screen; gives what is inside.
fn sheet(canvas: &mut Canvas<'_>, area: Rect, title: &str) -> Rect {
    canvas.clear(area);
    canvas.line(inset(area), area.y, &Rich::of(Role::Heading, title));
    inset(below(area, 1))
}

/// An empty area of `height` lines at the bottom of the screen, so that what it asks about stays in view above.
fn foot(canvas: &mut Canvas<'_>, area: Rect, height: u16) -> Rect {
    let height = (height + 1).min(area.height);
    let foot = Rect { y: area.bottom() - height, height, ..area };
    canvas.clear(foot);
    canvas.rule(foot, foot.y);
    inset(below(foot, 1))
}

fn filter(canvas: &mut Canvas<'_>, area: Rect, field: &crate::tui::field::Field) {
    let (text, cursor) = field.window(Role::FieldFocus, usize::from(area.width).saturating_sub(3));
    canvas.line(area, area.y, &Rich::of(Role::Key, "> ").join(text));
    canvas.cursor = Some(Position { x: area.x + 2 + u16::try_from(cursor).unwrap_or(0), y: area.y });
}

fn palette_row(state: &State, item: &PaletteItem) -> Rich {
    let line = |name: &str, what: &str| {
        Rich::of(Role::Text, " ").join(Rich::of(Role::Strong, name).left(24, "…")).add(Role::Muted, what)
    };
    match item {
        PaletteItem::Verb(verb) => {
            let row = crate::tui::keymap::TABLE.iter().find(|row| row.verb == *verb && row.faces.contains(&state.screen_face()));
            line(verb.name(), row.map_or("", |row| row.help))
        }
        PaletteItem::Runbook(id) => line(id, "runbook"),
        PaletteItem::Run(id) => {
            let run = state.runs.ready().and_then(|runs| runs.iter().find(|run| run.state.id == *id));
            let what = run.map(|run| {
                let (_, standing) = super::lists::standing(run, state);
                let runbook = run.state.walk.as_ref().map_or("", |walk| walk.runbook.id.as_str());
                format!("run of {runbook}, {standing}")
            });
            line(&format!("…{}", facts::short(id)), &what.unwrap_or_else(|| "run".to_owned()))
        }
        PaletteItem::Column(_, name) => line(name, "column"),
        PaletteItem::Theme(name) => line(name, "theme"),
    }
}

fn prompt(prompt: &Prompt, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(2);
    let (label, about): (&str, Rich) = match prompt.what {
        PromptFor::Run => (
            "run",
            Rich::of(Role::Warn, "This statement has a warning. Type the word ")
                .add(Role::Strong, "run")
                .add(Role::Warn, " to run it all the same."),
        ),
        PromptFor::Approve => ("digits", Rich::plain("To approve, type the first four digits of the plan you have read.")),
        PromptFor::Deny => ("comment", Rich::plain("Why is it denied? The requester reads this.")),
        PromptFor::Note => ("note", Rich::plain("A note for the journal; everybody who reads the run reads it.")),
        PromptFor::Search => ("search", Rich::plain("Searches all cells, without regard to case.")),
    };
    let about = about.wrap(width, 0);
    let lines = u16::try_from(about.len()).unwrap_or(1);
    let inner = foot(canvas, area, lines + 2);
    canvas.lines(Rect { height: lines, ..inner }, &about, 0);
    let y = inner.y + lines;
    canvas.line(inner, y, &Rich::of(Role::FieldName, label));
    let x = inner.x + u16::try_from(label.len()).unwrap_or(0) + 1;
    canvas.field(&prompt.field, Position { x, y }, inner.width.saturating_sub(x - inner.x + 2), true);
    if let Some(error) = &prompt.error {
        canvas.line(inner, y + 1, &Rich::of(Role::FieldError, error));
    }
}

fn question(state: &State, asked: &Asked, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(2);
    let text = match asked {
        Asked::Leave { suspend } => leave_words(state, *suspend),
        Asked::Cancel => vec![Rich::plain("Cancel this request? Votes that were cast are lost; the journal keeps them.")],
        Asked::Take(run) => vec![Rich::plain(&format!(
            "Another terminal drives run …{}. Take it over? That terminal then only reads.",
            facts::short(run)
        ))],
        Asked::Export => vec![Rich::plain("Write all rows of this step to a new file that only you can read?")],
    };
    let lines: Vec<Rich> = text.into_iter().flat_map(|line| line.wrap(width, 0)).collect();
    let height = u16::try_from(lines.len()).unwrap_or(1);
    let inner = foot(canvas, area, height + 1);
    canvas.lines(inner, &lines, 0);
}

/// What leaving does to the query that runs.
fn leave_words(state: &State, suspend: bool) -> Vec<Rich> {
    let what = if suspend { "suspending" } else { "leaving" };
    let mut lines = vec![Rich::of(Role::Warn, "A query is running.").add(Role::Text, &format!(" Before {what}: stop it?"))];
    let Some(run) = &state.run else { return lines };
    let Some(open) = run.state.open_execution() else { return lines };
    let request = run.state.request_by_id(&open.request);
    if request.is_some_and(|request| request.plan.on_disconnect == OnDisconnect::Keep) {
        let stop = request.and_then(|request| request.plan.step(&open.step)).and_then(|step| match &step.action {
            PlanAction::Athena(plan) => Some(plan.hard_stop),
            _ => None,
        });
        let stop = stop.map(|stop| format!(": hard stop {}", Bytes(stop))).unwrap_or_default();
        lines.push(Rich::plain(&format!(
            "Left running, nobody watches{stop}; whoever comes next stops it past its ceiling or deadline."
        )));
    }
    lines
}

fn cell(state: &State, scroll: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(run) = &state.run else { return };
    let Stage::Results(_, execution) = run.stage(state.wall()) else { return };
    let Some(table) = run.table(&execution) else { return };
    let kind = table.rows.columns.get(table.at.1).map_or("", |column| column.kind.as_str());
    canvas.clear(area);
    let head =
        Rich::of(Role::Heading, table.column()).add(Role::Muted, &format!("  {kind}  row {} of {}", table.at.0 + 1, table.len()));
    canvas.line(inset(area), area.y, &head);
    let inner = inset(below(area, 2));
    let lines = match table.cell() {
        None => Vec::new(),
        Some(None) => vec![Rich::of(Role::Null, &format!("{} NULL", canvas.glyphs().null))],
        Some(Some("")) => vec![Rich::of(Role::Muted, "(empty text)")],
        Some(Some(text)) => prose(Role::Text, clip(text), usize::from(inner.width)),
    };
    canvas.scrolled(inner, &lines, scroll);
}

/// A cell of megabytes is not wrapped whole at each frame; an export has it all.
fn clip(text: &str) -> &str {
    let mut end = text.len().min(64 << 10);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
