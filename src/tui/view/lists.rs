//! Problems, runs, inbox.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, inset};
use super::facts;
use super::pick::facts_of_refusal;
use crate::core::book::{Problem, Severity};
use crate::core::run::state::Access;
use crate::engine::desk::RunSummary;
use crate::tui::countdown::clock;
use crate::tui::rich::Rich;
use crate::tui::state::{List, Loading, State};
use crate::tui::theme::Role;

pub(super) fn problems(state: &State, list: List, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(library) = state.library.ready() else { return };
    let count = library.problems.len();
    let head = match count {
        0 => "No problems.".to_owned(),
        1 => "One problem".to_owned(),
        count => format!("{count} problems"),
    };
    canvas.line(inset(area), area.y, &Rich::of(Role::Heading, &head));
    let rows: Vec<Rich> = library.problems.iter().map(problem_row).collect();
    let height = u16::try_from(count).unwrap_or(u16::MAX).min(area.height / 2);
    canvas.list(Rect { height, ..below(area, 1) }, list, &rows);
    let pane = inset(below(area, height + 2));
    canvas.rule(area, area.y + height + 1);
    if let Some(problem) = library.problems.get(list.selected(count)) {
        canvas.lines(pane, &problem_lines(problem, usize::from(pane.width), canvas.glyphs().underline), 0);
    }
}

fn place(problem: &Problem) -> String {
    if problem.line == 0 { problem.file.clone() } else { format!("{}:{}:{}", problem.file, problem.line, problem.column) }
}

fn problem_row(problem: &Problem) -> Rich {
    let (role, word) = match problem.severity {
        Severity::Error => (Role::Block, "error "),
        Severity::Notice => (Role::Info, "notice"),
    };
    Rich::of(Role::Text, " ")
        .add(role, word)
        .add(Role::Text, " ")
        .add(Role::Strong, &place(problem))
        .add(Role::Text, "  ")
        .add(Role::Text, &problem.message)
}

fn problem_lines(problem: &Problem, width: usize, underline: &str) -> Vec<Rich> {
    let mut lines =
        Rich::of(Role::Strong, &place(problem)).add(Role::Text, ": ").add(Role::Text, &problem.message).wrap(width, 2);
    if !problem.snippet.is_empty() {
        let gutter = problem.line.to_string();
        lines.push(Rich::of(Role::Muted, &format!("  {gutter} | ")).add(Role::Text, &problem.snippet));
        let (lead, mark) = problem.mark;
        let marks = underline.repeat((mark as usize).clamp(1, width));
        let lead = " ".repeat(gutter.len() + 2 + lead as usize);
        lines.push(Rich::of(Role::Muted, &format!("  {lead} ")).add(Role::Block, &format!(" {marks}")));
    }
    if let Some(fix) = &problem.fix {
        lines.extend(Rich::of(Role::Ok, "fix: ").add(Role::Text, fix).wrap(width, 2));
    }
    lines
}

pub(super) fn runs(state: &State, list: List, canvas: &mut Canvas<'_>, area: Rect) {
    let runs = match &state.runs {
        Loading::Not | Loading::Pending(_) => {
            return canvas.line(inset(area), area.y, &Rich::of(Role::Muted, "Reading the journal."));
        }
        Loading::Failed(refusal) => return canvas.lines(inset(area), &facts_of_refusal(refusal, usize::from(area.width) - 2), 0),
        Loading::Ready(runs) => runs,
    };
    if runs.is_empty() {
        return canvas.line(inset(area), area.y, &Rich::of(Role::Muted, "There is no run yet."));
    }
    let zone = facts::zone(state);
    let rows: Vec<Rich> = runs
        .iter()
        .map(|run| {
            let (role, word) = standing(run, state);
            let who = run.state.operator.as_ref().map_or("", |operator| operator.name.as_str());
            let title = run.state.walk.as_ref().map_or("", |walk| walk.runbook.id.as_str());
            let when = facts::day_and_time(run.state.created_at, state.wall(), &zone);
            Rich::of(Role::Muted, &format!(" …{} ", facts::short(&run.state.id)))
                .join(Rich::of(role, &word).left(22, "…"))
                .add(Role::Text, " ")
                .join(Rich::plain(title).left(18, "…"))
                .add(Role::Text, " ")
                .join(Rich::plain(who).left(8, "…"))
                .add(Role::Muted, &format!(" {when}"))
        })
        .collect();
    canvas.line(inset(area), area.y, &Rich::of(Role::Heading, "Runs"));
    canvas.list(below(area, 1), list, &rows);
}

/// How a run stands, in a word or two.
pub(super) fn standing(run: &RunSummary, state: &State) -> (Role, String) {
    let now = state.wall();
    if run.state.corrupt.is_some() {
        return (Role::Block, "BROKEN JOURNAL".to_owned());
    }
    match run.state.open_execution() {
        Some(_) if run.driven => return (Role::Busy, "RUNNING".to_owned()),
        Some(_) => return (Role::Block, "ORPHAN QUERY".to_owned()),
        None => {}
    }
    if run.state.is_closed() {
        return (Role::Muted, "closed".to_owned());
    }
    if let Some((_, deadline)) = run.state.active().filter(|(_, deadline)| now < *deadline) {
        let left = format!("access, left {}", clock(deadline.since(now)));
        return (Role::Ok, if run.driven { format!("{left} *") } else { left });
    }
    match run.state.request().map(|request| &request.access) {
        Some(Access::Waiting) => (Role::Busy, "waiting for approval".to_owned()),
        Some(Access::Approved { use_by, .. }) if now < *use_by => (Role::Ok, "approved".to_owned()),
        Some(Access::Denied { .. }) => (Role::Block, "denied".to_owned()),
        Some(Access::Cancelled) => (Role::Muted, "cancelled".to_owned()),
        Some(Access::Lapsed { .. } | Access::Approved { .. }) => (Role::Warn, "lapsed".to_owned()),
        Some(Access::Active { .. } | Access::Ended { .. }) => (Role::Warn, "access ended".to_owned()),
        None => (Role::Muted, "not asked".to_owned()),
    }
}

pub(super) fn inbox(state: &State, list: List, canvas: &mut Canvas<'_>, area: Rect) {
    let inbox = match &state.inbox {
        Loading::Not | Loading::Pending(_) => {
            return canvas.line(inset(area), area.y, &Rich::of(Role::Muted, "Reading the journal."));
        }
        Loading::Failed(refusal) => return canvas.lines(inset(area), &facts_of_refusal(refusal, usize::from(area.width) - 2), 0),
        Loading::Ready(inbox) => inbox,
    };
    if inbox.is_empty() {
        return canvas.line(inset(area), area.y, &Rich::of(Role::Muted, "No request waits for your vote."));
    }
    let rows: Vec<Rich> = inbox
        .iter()
        .filter_map(|pending| {
            let request = pending.state.request_by_id(&pending.request)?;
            let waited = clock(state.wall().since(request.sent_at));
            let incident = request.incident.as_deref().unwrap_or("no incident");
            Some(
                Rich::of(Role::Muted, &format!(" …{} ", facts::short(&request.id)))
                    .join(Rich::plain(&request.by.name).left(10, "…"))
                    .add(Role::Text, " ")
                    .join(Rich::of(Role::Strong, &request.plan.runbook.title).left(26, "…"))
                    .add(Role::Text, &format!(" {incident} "))
                    .add(Role::Muted, &format!("{waited} ago ")),
            )
        })
        .collect();
    canvas.line(inset(area), area.y, &Rich::of(Role::Heading, "Requests that wait for your vote"));
    canvas.list(below(area, 1), list, &rows);
}
