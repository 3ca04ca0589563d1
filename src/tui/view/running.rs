//! During an execution.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below};
use super::{facts, sql, step};
use crate::core::plan::PlanAction;
use crate::core::run::event::Service;
use crate::core::sql::parser::Parameters;
use crate::core::units::{Bytes, ReadUnits};
use crate::tui::rich::Rich;
use crate::tui::state::{Run, State};
use crate::tui::theme::Role;

pub(super) fn draw(state: &State, run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let Some(execution) = run.state.last_execution_of(id) else { return };
    let since = execution.started_at.unwrap_or(execution.intended_at);
    let elapsed = format!("{} s", state.wall().since(since).0 / 1000);
    let polled = run.polled.as_ref().filter(|polled| polled.execution == execution.id);
    let word = match (execution.is_open(), &execution.stop_asked, execution.started_at) {
        (false, ..) => "FETCHING".to_owned(),
        (true, Some(_), _) => format!("STOPPING {elapsed}"),
        (true, None, None) => format!("STARTING {elapsed}"),
        (true, None, Some(_)) => match polled.map(|polled| polled.phase.as_str()) {
            Some("queued") => format!("QUEUED {elapsed}"),
            _ => format!("RUNNING {elapsed}"),
        },
    };
    step::head(run, id, Rich::of(Role::Busy, &word), canvas, area);
    let plan = run.state.request_by_id(&execution.request).and_then(|request| request.plan.step(id));
    let hard_stop = match plan.map(|step| &step.action) {
        Some(PlanAction::Athena(plan)) => Some(plan.hard_stop),
        _ => None,
    };
    let ceiling = step::expected_words(Some(execution.ceiling), execution.service);
    let read = match (execution.service, polled.and_then(|polled| polled.bytes), hard_stop) {
        (Service::Athena, Some(bytes), _) => Rich::plain(&format!("{} of {ceiling} ceiling", Bytes(bytes))),
        (Service::Athena, None, Some(stop)) => Rich::plain(&format!("bytes not reported; hard stop {}", Bytes(stop))),
        (Service::Athena, None, None) => Rich::plain("bytes not reported"),
        (Service::Dynamodb, ..) => Rich::plain(&format!("at most {}", ReadUnits(execution.ceiling))),
    };
    let mut lines = vec![facts::labelled("read", 5, read)];
    if let Some((expects, _)) = plan.and_then(facts::expects) {
        lines.push(facts::labelled("plan", 5, Rich::of(Role::Muted, "expected ").add(Role::Text, &expects)));
    }
    if let Some(query) = &execution.query_id {
        lines.extend(facts::labelled_wrapped("query", 5, Rich::of(Role::Muted, query), width));
    }
    lines.push(Rich::new());
    match execution.service {
        Service::Athena => {
            lines.extend(sql::statement(&execution.statement, &[], &Parameters::new(), width, true, canvas.glyphs()))
        }
        Service::Dynamodb => {
            if let Some(PlanAction::Dynamodb(plan)) = plan.map(|step| &step.action) {
                lines.extend(super::plan::dynamodb(plan, width, canvas.glyphs()));
            }
        }
    }
    canvas.scrolled(below(area, 1), &lines, run.scroll);
}
