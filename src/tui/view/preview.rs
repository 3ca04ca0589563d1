//! Before an execution: what will run, what it may cost, and what the guardrails say of it.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below};
use super::{facts, plan, review, sql, step};
use crate::core::guard::Verdict;
use crate::core::plan::{AthenaPlan, PlanAction, PlanStep};
use crate::core::run::event::{ExecutionOutcome, Voids};
use crate::core::run::state::ExecutionState;
use crate::core::units::Bytes;
use crate::engine::desk::Preview;
use crate::tui::rich::Rich;
use crate::tui::state::{Loading, Run, State};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::update::runnable;

const GAUGE: usize = 30;

pub(super) fn draw(state: &State, run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let looked = run.preview.ready().filter(|preview| preview.step == id);
    let planned = run.state.active().or(None).and_then(|(request, _)| request.plan.step(id));
    let planned = planned.or_else(|| run.state.request().and_then(|request| request.plan.step(id)));
    let Some(shown) = looked.map(|preview| &preview.now).or(planned) else {
        step::head(run, id, Rich::of(Role::Block, "NOT IN THE PLAN"), canvas, area);
        return;
    };
    head(run, id, shown, looked.map(AsRef::as_ref), canvas, area);
    let width = usize::from(area.width);
    let glyphs = canvas.glyphs();
    let mut top = notes(state, run, id, width);
    if let Some(preview) = looked {
        top.extend(drift(preview, width));
    }
    let (mut body, foot) = match &shown.action {
        PlanAction::Athena(plan) => {
            let holes = sql::parameters(plan.holes.iter());
            (sql::statement(&plan.sql, &plan.findings, &holes, width, true, glyphs), athena_foot(plan, width, glyphs))
        }
        PlanAction::Dynamodb(plan) => (plan::dynamodb(plan, width, glyphs), Vec::new()),
        PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => (Vec::new(), Vec::new()),
    };
    top.append(&mut body);
    let prose = step::prose_of(run, id, width.saturating_sub(2));
    if !prose.is_empty() {
        top.push(Rich::new());
        top.extend(prose.into_iter().map(|line| Rich::of(Role::Text, " ").join(line)));
    }
    // The cost stays in view; the statement scrolls above it.
    let foot_height = u16::try_from(foot.len()).unwrap_or(u16::MAX).min(area.height / 2);
    let upper = Rect { height: area.height.saturating_sub(1 + foot_height + u16::from(foot_height > 0)), ..below(area, 1) };
    canvas.scrolled(upper, &top, run.scroll);
    if foot_height > 0 {
        canvas.rule(area, upper.bottom());
        canvas.lines(Rect { y: upper.bottom() + 1, height: foot_height, ..area }, &foot, 0);
    }
}

fn head(run: &Run, id: &str, shown: &PlanStep, looked: Option<&Preview>, canvas: &mut Canvas<'_>, area: Rect) {
    let expects = facts::expects(shown).map(|(expects, _)| format!("expects {expects}   ")).unwrap_or_default();
    let (role, word) = match (&run.preview, looked) {
        (Loading::Failed(_), _) => (Role::Block, "NOT LOOKED AT"),
        (_, None) if run.preview.is_pending() => (Role::Busy, "LOOKING"),
        (_, None) => (Role::Muted, "AS PLANNED"),
        (_, Some(preview)) if preview.check.voids.is_some() => (Role::Block, "DRIFT"),
        (_, Some(_)) => facts::verdict(shown.verdict().unwrap_or(Verdict::Block)),
    };
    step::head(run, id, Rich::of(Role::Text, &expects).add(role, word), canvas, area);
}

/// Why it cannot run, what became of the last attempt.
fn notes(state: &State, run: &Run, id: &str, width: usize) -> Vec<Rich> {
    let mut lines = Vec::new();
    if let Loading::Failed(refusal) = &run.preview {
        lines.extend(super::pick::facts_of_refusal(refusal, width.saturating_sub(1)));
    }
    if let Some(execution) = run.state.last_execution_of(id)
        && let ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, error: Some(error), .. } = &execution.state
    {
        let line = Rich::of(Role::Warn, " the last attempt was not sent: ")
            .add(Role::Text, &format!("{}: {}", error.code, error.message));
        lines.extend(line.wrap(width, 2));
    }
    if let (Err(why), false) = (runnable(state), run.preview.is_pending()) {
        lines.extend(Rich::of(Role::Block, " cannot run: ").add(Role::Text, &why).wrap(width, 2));
    }
    lines
}

/// What differs from what was approved.
fn drift(preview: &Preview, width: usize) -> Vec<Rich> {
    if preview.check.drift.is_empty() {
        return Vec::new();
    }
    let reach = match preview.check.voids {
        Some(Voids::Step) => "Its cost rose above the approved ceiling; this step is void.",
        Some(Voids::Approval) => "This is not what was approved; the approval is void for the rest.",
        None => "Something differs from the plan, within what was approved.",
    };
    let mut lines = Rich::of(Role::Warn, &format!(" {reach}")).wrap(width, 1);
    for field in &preview.check.drift {
        lines.extend(Rich::of(Role::Text, "   ").join(review::difference(field)).wrap(width, 5));
    }
    lines.push(Rich::new());
    lines
}

fn athena_foot(plan: &AthenaPlan, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let mut lines = vec![gauge(plan, width, glyphs)];
    let dot = format!(" {} ", glyphs.dot);
    let mut why = Rich::plain(&plan.estimate_why);
    why = why.add(Role::Muted, &format!("{dot}{}", facts::evidence(plan.evidence, plan.facts_age_s)));
    lines.extend(facts::labelled_wrapped("", 5, why, width));
    let cost = plan.cost.map(|bounds| bounds.expected);
    let line = Rich::plain(&facts::cost(cost, plan.currency.as_deref()))
        .add(Role::Muted, "      ceiling ")
        .add(Role::Text, &Bytes(plan.ceiling).to_string())
        .add(Role::Muted, "      hard stop ")
        .add(Role::Text, &format!("{} ({})", Bytes(plan.hard_stop), plan.workgroup));
    lines.extend(facts::labelled_wrapped("cost", 5, line, width));
    lines.extend(plan::reads(&plan.reads, width, glyphs));
    lines.extend(plan::output(&plan.output_columns, width, glyphs));
    lines
}

/// `scan  █████░░░░ 310 MB of 2 GB     low 290 MB high 310 MB`.
fn gauge(plan: &AthenaPlan, width: usize, glyphs: &Glyphs) -> Rich {
    let label = Rich::of(Role::Muted, " scan  ");
    let Some(bounds) = plan.estimate else {
        return label
            .add(Role::Warn, "unknown")
            .add(Role::Text, &format!(" of {}, stopped at {}", Bytes(plan.max_scan), Bytes(plan.ceiling)));
    };
    let length = GAUGE.min(width.saturating_sub(30)).max(4);
    let limit = plan.max_scan.max(1);
    let cells =
        |bytes: u64| usize::try_from(u128::from(bytes) * length as u128 / u128::from(limit)).unwrap_or(length).min(length);
    // Something is read: an empty gauge would say nothing is.
    let full = cells(bounds.expected).max(usize::from(bounds.expected > 0));
    let role = match plan.verdict {
        Verdict::Allow => Role::GaugeOk,
        Verdict::Warn => Role::GaugeWarn,
        Verdict::Block => Role::GaugeBlock,
    };
    label
        .add(role, &glyphs.full.repeat(full))
        .add(Role::GaugeRest, &glyphs.rest.repeat(length - full))
        .add(Role::Text, &format!(" {} of {}", Bytes(bounds.expected), Bytes(plan.max_scan)))
        .add(Role::Muted, &format!("   {}", facts::spread(bounds, |bytes| Bytes(bytes).to_string())))
}
