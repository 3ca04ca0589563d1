//! A request as its reviewer reads it: from the stored plan, everything escaped.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below};
use super::{facts, plan};
use crate::core::guard::Rule;
use crate::core::plan::PlanStep;
use crate::core::run::event::DriftField;
use crate::core::units::Millis;
use crate::tui::countdown::clock;
use crate::tui::rich::Rich;
use crate::tui::state::{Review, State};
use crate::tui::theme::Role;

pub(super) fn draw(state: &State, review: &Review, canvas: &mut Canvas<'_>, area: Rect) {
    let pending = &review.pending;
    let Some(request) = pending.state.request_by_id(&pending.request) else { return };
    let width = usize::from(area.width);
    let now = state.wall();
    let mut lines = Vec::new();
    let asks = Rich::of(Role::Text, " ").add(Role::Strong, &request.by.name).add(
        Role::Text,
        &format!(
            " asks from {}, {} ago, for {}",
            request.by.host,
            clock(now.since(request.sent_at)),
            Millis(request.plan.duration_ms)
        ),
    );
    lines.extend(asks.wrap(width, 3));
    lines.extend(facts::labelled_wrapped("reason", 8, Rich::plain(&request.reason), width));
    let incident = match (&request.incident, &pending.incident) {
        (Some(id), Some(state)) => format!("{id}: {state}"),
        (Some(id), None) => format!("{id} (only recorded: the book has no source of incidents)"),
        (None, _) => "none".to_owned(),
    };
    lines.extend(facts::labelled_wrapped("incident", 8, Rich::plain(&incident), width));
    lines.extend(changes(review, width));
    lines.extend(facts::labelled_wrapped("touches", 8, blocked(&request.plan.steps), width));
    if let Some(why) = &pending.may_not {
        lines.extend(Rich::of(Role::Block, " Your vote would not count: ").add(Role::Text, why).wrap(width, 3));
    }
    if review.voting {
        lines.push(Rich::of(Role::Busy, " voting"));
    }
    // The plan is what is approved: it always keeps the larger part.
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
    canvas.lines(Rect { height, ..area }, &lines, 0);
    canvas.rule(area, area.y + height);
    plan::draw(&request.plan, &request.digest.short(), &review.pane, canvas, below(area, height + 1));
}

/// What differs from the last approved plan, and from the reviewer's own book.
fn changes(review: &Review, width: usize) -> Vec<Rich> {
    let pending = &review.pending;
    let since = match &pending.since_last {
        None => vec![Rich::of(Role::Muted, "first plan of this runbook")],
        Some(fields) if fields.is_empty() => vec![Rich::of(Role::Ok, "same as the last approved plan")],
        Some(fields) => fields.iter().map(difference).collect(),
    };
    let mut lines: Vec<Rich> = Vec::new();
    for (at, line) in since.into_iter().enumerate() {
        lines.extend(facts::labelled_wrapped(if at == 0 { "changed" } else { "" }, 8, line, width));
    }
    for (at, text) in pending.book_differs.iter().enumerate() {
        let label = if at == 0 { "my book" } else { "" };
        lines.extend(facts::labelled_wrapped(label, 8, Rich::of(Role::Warn, "differs: ").add(Role::Text, text), width));
    }
    lines
}

/// One field as a difference: what was, what is.
pub(super) fn difference(field: &DriftField) -> Rich {
    Rich::of(Role::Strong, &field.field)
        .add(Role::Text, ": ")
        .add(Role::Muted, "was ")
        .add(Role::Text, &field.approved)
        .add(Role::Muted, ", is ")
        .add(Role::Warn, &field.now)
}

/// Blocked columns that the plan touches. None, or it could not have been sent; warnings are named.
fn blocked(steps: &[PlanStep]) -> Rich {
    let is_about_columns = |rule: Rule| matches!(rule, Rule::BlockedColumn | Rule::BlockedAttribute | Rule::BlockedTable);
    let subjects: Vec<String> = steps
        .iter()
        .flat_map(PlanStep::findings)
        .filter(|finding| is_about_columns(finding.rule))
        .map(|finding| finding.subject.clone().unwrap_or_else(|| finding.message.clone()))
        .collect();
    match subjects.is_empty() {
        true => Rich::of(Role::Ok, "no blocked column"),
        false => Rich::of(Role::Warn, "blocked columns ").add(Role::Text, &subjects.join(", ")),
    }
}
