//! Rows: only the window that is seen is made.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, inset};
use super::{facts, step};
use crate::core::plan::PlanAction;
use crate::core::run::command::Kind;
use crate::core::run::event::StepOutcome;
use crate::core::run::state::{ExecutionState, StepStatus};
use crate::tui::rich::Rich;
use crate::tui::state::{Run, Table};
use crate::tui::theme::{Glyphs, Role};

pub(super) fn draw(run: &Run, id: &str, execution: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let table = match run.tables.get(execution) {
        Some(Ok(table)) => table,
        Some(Err(refusal)) => {
            step::head(run, id, Rich::of(Role::Busy, "rows"), canvas, area);
            // What is only awaited is no error.
            if refusal.kind == Kind::Temporary {
                return canvas.line(inset(below(area, 2)), area.y + 2, &Rich::of(Role::Busy, &refusal.message));
            }
            let lines = super::pick::facts_of_refusal(refusal, width.saturating_sub(2));
            return canvas.lines(inset(below(area, 2)), &lines, 0);
        }
        None => return,
    };
    let sorted = table.sorted.and_then(|(column, falling)| {
        let name = &table.rows.columns.get(column)?.name;
        let arrow = if falling { canvas.glyphs().down } else { canvas.glyphs().up };
        Some(Rich::of(Role::Muted, "sorted by ").add(Role::Text, name).add(Role::Text, &format!(" {arrow} ")))
    });
    let title = title(run, id, execution, table, canvas.glyphs());
    // At 80 columns the numbers need the line; the order moves below them when both do not fit.
    let right = sorted.unwrap_or_default();
    let mut y = area.y;
    if title.width() + right.width() < width {
        canvas.both(area, y, title, &right);
    } else {
        let mut lines = title.wrap(width, 2);
        if !right.is_empty() {
            lines.push(Rich::of(Role::Text, " ").join(right));
        }
        for line in lines {
            canvas.line(area, y, &line);
            y += 1;
        }
        y = y.saturating_sub(1);
    }
    for line in remarks(run, id, width) {
        canvas.line(area, y + 1, &line);
        y += 1;
    }
    let body = below(area, y + 1 - area.y);
    if table.is_empty() {
        return canvas.line(inset(body), body.y, &Rich::of(Role::Muted, "No rows."));
    }
    grid(table, canvas, body);
}

/// `50 rows · 82 MB read, expected 82 MB · 3.1 s · $0.0004`.
fn title(run: &Run, id: &str, execution: &str, table: &Table, glyphs: &Glyphs) -> Rich {
    let dot = format!(" {} ", glyphs.dot);
    let count = match table.len() {
        1 => " 1 row".to_owned(),
        count => format!(" {count} rows"),
    };
    let mut line = Rich::of(Role::Heading, &count);
    if table.rows.truncated {
        line = line.add(Role::Warn, ", TRUNCATED: there were more");
    }
    let Some(execution) = run.state.execution(execution) else { return line };
    let plan = run.state.request_by_id(&execution.request).and_then(|request| request.plan.step(id)).map(|step| &step.action);
    if let ExecutionState::Finished { cost, elapsed, .. } | ExecutionState::Stopped { cost, elapsed, .. } = &execution.state {
        line = line.add(Role::Muted, &dot).add(Role::Text, &step::cost_words(execution, *cost));
        match plan {
            Some(PlanAction::Athena(plan)) => {
                line = line.add(Role::Muted, &format!(", expected {}", facts::bytes(plan.estimate.map(|b| b.expected))));
                line = line.add(Role::Muted, &dot).add(Role::Text, &step::seconds(*elapsed));
                if let Some(money) = price(plan, *cost) {
                    line = line.add(Role::Muted, &dot).add(Role::Text, &money);
                }
            }
            Some(PlanAction::Dynamodb(plan)) => {
                line = line.add(Role::Muted, &format!(", expected {}", facts::read_units(plan.estimate.map(|b| b.expected))));
                line = line.add(Role::Muted, &dot).add(Role::Text, &step::seconds(*elapsed));
            }
            _ => {}
        }
    }
    line
}

/// What was read, at the price that the plan's own estimate had; `None` where that cannot be told.
fn price(plan: &crate::core::plan::AthenaPlan, cost: Option<u64>) -> Option<String> {
    Some(facts::cost(Some(crate::tui::summary::plan_price(plan, cost?)?), plan.currency.as_deref()))
}

/// That the step failed although it has rows, or what was captured.
fn remarks(run: &Run, id: &str, width: usize) -> Vec<Rich> {
    let mut lines = Vec::new();
    if let Some(StepStatus::Finished { outcome, reason }) = run.state.steps.get(id).map(|step| &step.status)
        && *outcome != StepOutcome::Done
    {
        let (role, word, _) = step::word_of(&StepStatus::Finished { outcome: *outcome, reason: None });
        let reason = reason.clone().unwrap_or_default();
        lines.extend(Rich::of(Role::Text, " ").add(role, word).add(Role::Text, &format!(": {reason}")).wrap(width, 2));
    }
    if let Some(walked) = run.step(id) {
        let taken: Vec<String> = walked
            .capture
            .keys()
            .filter_map(|name| {
                let value = run.state.captures.get(name.as_str())?;
                Some(format!("{name} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            })
            .collect();
        if !taken.is_empty() {
            lines.extend(Rich::of(Role::Muted, " captured ").add(Role::Text, &taken.join(", ")).wrap(width, 2));
        }
    }
    lines
}

fn grid(table: &Table, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(1);
    let height = usize::from(area.height.saturating_sub(1));
    let (top, left) = (table.top(height), table.left(width));
    let glyphs = canvas.glyphs();
    let mut head = Rich::of(Role::Text, " ");
    for (at, column) in table.rows.columns.iter().enumerate().skip(left) {
        if at > left {
            head = head.add(Role::Rule, &format!(" {} ", glyphs.bar));
        }
        let role = if at == table.at.1 { Role::Selected } else { Role::Head };
        head = head.join(aligned(table, at, Rich::of(role, &column.name), glyphs));
        if head.width() > width {
            break;
        }
    }
    canvas.line(area, area.y, &head);
    for (position, y) in (top..table.len()).zip(area.y + 1..area.bottom()) {
        let mut line = Rich::of(Role::Text, " ");
        for (at, cell) in table.row(position).iter().enumerate().skip(left) {
            if at > left {
                line = line.add(Role::Rule, &format!(" {} ", glyphs.bar));
            }
            let selected = table.at == (position, at);
            let role = if selected { Role::Selected } else { Role::Text };
            let text = match cell {
                None => Rich::of(if selected { Role::Selected } else { Role::Null }, glyphs.null),
                Some(text) => Rich::of(role, clip(text)),
            };
            let cell = aligned(table, at, text, glyphs);
            line = line.join(if selected { cell.in_role(Role::Selected) } else { cell });
            if line.width() > width {
                break;
            }
        }
        canvas.line(area, y, &line);
    }
}

/// Numbers to the right, everything else to the left.
fn aligned(table: &Table, column: usize, text: Rich, glyphs: &Glyphs) -> Rich {
    let width = table.widths.get(column).copied().unwrap_or(1);
    match table.numeric.get(column) {
        Some(true) => text.right(width, glyphs.ellipsis),
        _ => text.left(width, glyphs.ellipsis),
    }
}

/// The part of a cell that can be seen at all: a cell may hold megabytes.
fn clip(text: &str) -> &str {
    let mut end = text.len().min(512);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
