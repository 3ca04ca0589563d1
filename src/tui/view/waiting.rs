//! Waiting for votes, the approval, and what refused it.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::facts;
use crate::core::run::state::{Access, Request};
use crate::core::units::{Millis, Timestamp};
use crate::tui::countdown::clock;
use crate::tui::rich::Rich;
use crate::tui::state::{Run, State};
use crate::tui::theme::Role;

pub(super) fn draw(state: &State, run: &Run, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(request) = run.state.request() else { return };
    let now = state.wall();
    let width = usize::from(area.width);
    let host = request.by.host.as_str();
    let right = Rich::of(Role::Muted, &format!("request {}{} on {host} ", canvas.glyphs().ellipsis, facts::short(&request.id)));
    let mut lines = Vec::new();
    let zone = facts::zone(state);
    match &request.access {
        Access::Approved { use_by, by } => {
            canvas.both(area, area.y, Rich::of(Role::Ok, " APPROVED").add(Role::Text, &format!(" by {}", by.join(", "))), &right);
            lines.push(Rich::plain("   Enter starts the access; only then the clock runs."));
            lines.push(Rich::plain(&format!("   It lasts {}.", Millis(request.plan.duration_ms))));
            lines.push(Rich::plain(&format!("   Not started, it lapses in {}.", clock(use_by.since(now)))));
        }
        _ => {
            canvas.both(area, area.y, Rich::of(Role::Busy, " Waiting for approval"), &right);
            let rule = &request.plan.approval;
            let asked =
                format!("asked {}, {} ago", facts::time_of_day(request.sent_at, &zone), clock(now.since(request.sent_at)));
            let needs = format!("   needs {}: {}", facts::approvers(rule), rule.reviewers.join(", "));
            lines.extend(Rich::plain(&needs).wrap(width, 5));
            lines.extend(Rich::plain(&format!("   {asked}")).wrap(width, 5));
            lines.extend(Rich::plain(&format!("   {}", timers(request, now))).wrap(width, 5));
        }
    }
    lines.extend(votes(request, state, width));
    lines.push(Rich::of(Role::Rule, &canvas.glyphs().rule.repeat(width)));
    if request.access == Access::Waiting {
        let command = format!("tollgate requests show {}", facts::short(&request.id));
        lines.extend(facts::labelled_wrapped("They run", 10, Rich::of(Role::Strong, &command), width));
    }
    lines.extend(facts::labelled_wrapped("For chat", 10, Rich::plain(&for_chat(request)), width));
    lines.extend(facts::labelled_wrapped("Reason", 10, Rich::plain(&request.reason), width));
    let target = format!("{} in {}", request.plan.target.name, request.plan.target.region);
    lines.extend(facts::labelled_wrapped("Runs on", 10, Rich::plain(&target), width));
    canvas.scrolled(Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, &lines, run.scroll);
}

/// One line to paste into a channel: no statement, no data.
fn for_chat(request: &Request) -> String {
    let incident = request.incident.as_deref().map(|incident| format!(" for {incident}")).unwrap_or_default();
    let digest = request.digest.short();
    format!("{} asks to run \"{}\"{incident} (plan {digest})", request.by.name, request.plan.runbook.title)
}

/// When it escalates and lapses.
fn timers(request: &Request, now: Timestamp) -> String {
    let rule = &request.plan.approval;
    let due = |after: u64| request.sent_at.plus(Millis(after));
    let lapses = format!("lapses in {}", clock(due(rule.lapse_ms).since(now)));
    match rule.escalation.get(request.escalated as usize) {
        Some(level) => format!("escalates to {} in {}   {lapses}", level.to.join(", "), clock(due(level.after_ms).since(now))),
        None if request.escalated > 0 => {
            let groups = rule.escalation.iter().take(request.escalated as usize).flat_map(|level| level.to.clone());
            format!("escalated to {}   {lapses}", groups.collect::<Vec<_>>().join(", "))
        }
        None => lapses,
    }
}

fn votes(request: &Request, state: &State, width: usize) -> Vec<Rich> {
    if request.votes.is_empty() {
        return vec![Rich::of(Role::Muted, "   no votes yet")];
    }
    let zone = facts::zone(state);
    request
        .votes
        .iter()
        .flat_map(|vote| {
            let (role, word) = if vote.approve { (Role::Ok, "approves") } else { (Role::Block, "denies") };
            let mut line = Rich::of(Role::Text, "   ").add(Role::Strong, &vote.by.name).add(Role::Text, " ").add(role, word);
            line = line.add(Role::Muted, &format!(" {}", facts::time_of_day(vote.at, &zone)));
            if !vote.comment.is_empty() {
                line = line.add(Role::Text, &format!(": \"{}\"", vote.comment));
            }
            line.wrap(width, 5)
        })
        .collect()
}

/// Denied, lapsed, cancelled.
pub(super) fn refused(state: &State, run: &Run, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(request) = run.state.request() else { return };
    let width = usize::from(area.width);
    let head = match &request.access {
        Access::Denied { by } => Rich::of(Role::Block, " DENIED").add(Role::Text, &format!(" by {by}")),
        Access::Lapsed { unused: true } => Rich::of(Role::Warn, " LAPSED").add(Role::Text, ": the approval was not used in time"),
        Access::Lapsed { unused: false } => Rich::of(Role::Warn, " LAPSED").add(Role::Text, ": nobody answered in time"),
        _ => Rich::of(Role::Muted, " CANCELLED"),
    };
    let mut lines = head.wrap(width, 1);
    lines.extend(votes(request, state, width));
    lines.push(Rich::new());
    lines.extend(Rich::plain(" Nothing was executed. a asks again, :close closes the run.").wrap(width, 1));
    canvas.scrolled(area, &lines, run.scroll);
}
