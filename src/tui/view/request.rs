//! The plan before it is asked.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, inset};
use super::pick::facts_of_refusal;
use super::{facts, plan};
use crate::core::guard::Verdict;
use crate::tui::rich::Rich;
use crate::tui::state::{Loading, Request, RequestFocus, State};
use crate::tui::theme::Role;

/// Rule, reason, incident and duration, and what is missing.
const FIELDS: u16 = 4;
/// The three fields side by side need this; below they stand under each other.
const BESIDE: u16 = 60;

pub(super) fn draw(state: &State, request: &Request, canvas: &mut Canvas<'_>, area: Rect) {
    let fields = if area.width >= BESIDE { FIELDS } else { FIELDS + 1 }.min(area.height / 2);
    let above = Rect { height: area.height - fields, ..area };
    match (&request.shown, &request.planned) {
        (_, Loading::Failed(refusal)) => canvas.lines(inset(above), &facts_of_refusal(refusal, usize::from(area.width) - 2), 0),
        (Some(planned), _) => plan::draw(&planned.plan, &planned.digest.short(), &request.pane, canvas, above),
        (None, _) => canvas.line(inset(above), above.y, &Rich::of(Role::Busy, "Planning: resolving, judging, estimating.")),
    }
    let below = Rect { y: above.bottom(), height: fields, ..area };
    canvas.rule(below, below.y);
    form(state, request, canvas, Rect { y: below.y + 1, height: fields.saturating_sub(1), ..below });
}

fn form(state: &State, request: &Request, canvas: &mut Canvas<'_>, area: Rect) {
    let focus = |wanted: RequestFocus| request.focus == wanted && state.overlays.is_empty();
    let name = |canvas: &mut Canvas<'_>, x: u16, y: u16, text: &str| {
        canvas.line(Rect { x, width: area.width.saturating_sub(x - area.x), ..area }, y, &Rich::of(Role::FieldName, text));
    };
    let y = area.y;
    name(canvas, area.x + 1, y, "reason");
    canvas.field(&request.reason, Position { x: area.x + 10, y }, area.width.saturating_sub(13), focus(RequestFocus::Reason));
    if area.width >= BESIDE {
        name(canvas, area.x + 1, y + 1, "incident");
        canvas.field(&request.incident, Position { x: area.x + 10, y: y + 1 }, 12, focus(RequestFocus::Incident));
        name(canvas, area.x + 26, y + 1, "duration");
        canvas.field(&request.duration, Position { x: area.x + 35, y: y + 1 }, 6, focus(RequestFocus::Duration));
        if let Some(planned) = &request.shown {
            let text = format!("approved by {}", facts::approvers(&planned.plan.approval));
            name(canvas, area.x + 45, y + 1, &text);
        }
        canvas.line(area, y + 2, &remark(request));
        return;
    }
    name(canvas, area.x + 1, y + 1, "incident");
    canvas.field(&request.incident, Position { x: area.x + 10, y: y + 1 }, 12, focus(RequestFocus::Incident));
    name(canvas, area.x + 1, y + 2, "duration");
    canvas.field(&request.duration, Position { x: area.x + 10, y: y + 2 }, 6, focus(RequestFocus::Duration));
    canvas.line(area, y + 3, &remark(request));
}

/// What keeps it from being sent, or what is going on.
fn remark(request: &Request) -> Rich {
    if request.sending.is_some() {
        return Rich::of(Role::Busy, " sending");
    }
    if request.planned.is_pending() {
        return Rich::of(Role::Busy, " planning");
    }
    if request.shown.as_ref().is_some_and(|planned| planned.plan.verdict() == Verdict::Block) {
        return Rich::of(Role::Block, " BLOCKED").add(Role::Text, ": this plan cannot be sent");
    }
    match request.missing() {
        Some((_, why)) if request.tried => Rich::of(Role::FieldError, &format!(" {why}")),
        Some((_, why)) => Rich::of(Role::Muted, &format!(" {why}")),
        None => Rich::of(Role::Muted, " enter in the last field sends it"),
    }
}
