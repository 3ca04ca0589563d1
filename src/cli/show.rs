//! Showing: sentences on stderr, data on stdout, tables, plans, summaries. Everything from outside goes through the one door.

use std::borrow::Cow;
use std::io::Write;

use unicode_width::UnicodeWidthStr as _;

use super::args::Global;
use super::error::{Error, ExitKind};
use super::walk::cost_words;
use crate::core::guard::{Finding, Level, Verdict};
use crate::core::plan::{Plan, PlanAction, PlanStep};
use crate::core::run::decide::{evidence_word, stop_words};
use crate::core::run::event::{EventBody, ExecutionOutcome};
use crate::core::run::{Access, ExecutionState, RunState, StepStatus};
use crate::core::text::visible;
use crate::core::units::{Bytes, Micros, Millis, ReadUnits, Timestamp};
use crate::engine::ports::Rows;

/// The widest cell of a text table; `--format json` and exports have the whole.
const CELL: usize = 60;

/// Writes one line of data to stdout. A closed pipe is success: the reader has what it wanted.
pub(super) fn data(line: &str) -> Result<(), Error> {
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::new(ExitKind::Failed, format!("stdout cannot be written: {error}"))),
    }
}

/// Writes one line of narration to stderr.
pub(super) fn say(line: &str) {
    // Narration that nobody can read is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// `tollgate … WORD` with the options of this call that lead to the same book, store and person, as a shell reads it.
pub(super) fn command_line(global: &Global, word: &str) -> String {
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let options = [
        ("--book", path(&global.book)),
        ("--state-dir", path(&global.state_dir)),
        ("--store", path(&global.store)),
        ("--as", global.act_as.clone()),
        ("--endpoint-url", global.endpoint_url.clone()),
    ];
    let mut line = "tollgate".to_owned();
    for (name, value) in options {
        if let Some(value) = value {
            line.push_str(&format!(" {name} {}", quoted(&value)));
        }
    }
    line.push(' ');
    line.push_str(word);
    line
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The end of an id, as people type it.
pub(super) fn short_id(id: &str) -> String {
    let count = id.chars().count();
    id.chars().skip(count.saturating_sub(4)).collect()
}

/// Rows as an aligned table; NULL is ∅, empty is empty.
pub(super) fn table(rows: &Rows) -> Result<(), Error> {
    let clip = |text: Cow<'_, str>| -> String {
        if text.width() <= CELL {
            return text.into_owned();
        }
        let mut cut = String::new();
        for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(text.as_ref(), true) {
            if cut.width() + grapheme.width() >= CELL {
                break;
            }
            cut.push_str(grapheme);
        }
        cut.push('…');
        cut
    };
    let header: Vec<String> = rows.columns.iter().map(|column| clip(visible(&column.name))).collect();
    let cells: Vec<Vec<String>> = rows
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.as_deref().map_or_else(|| "∅".to_owned(), |text| clip(visible(text)))).collect())
        .collect();
    let mut widths: Vec<usize> = header.iter().map(|text| text.width()).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |row: &[String]| -> String {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    data(&line(&header))?;
    for row in &cells {
        data(&line(row))?;
    }
    if rows.truncated {
        say(&format!("only the first {} rows were fetched; there are more", rows.rows.len()));
    }
    Ok(())
}

/// The sentence for an event; `None` for those that only a machine reads.
pub(super) fn sentence(body: &EventBody, state: &RunState) -> Option<String> {
    let v = |text: &str| visible(text).into_owned();
    Some(match body {
        EventBody::RequestSent { request, plan, .. } => {
            let who = format!("{} of {}", plan.approval.need, plan.approval.from.join(", "));
            format!(
                "asked for access: request {} waits for {who} ({})",
                short_id(request),
                v(&plan.approval.reviewers.join(", "))
            )
        }
        EventBody::RequestEscalated { to, .. } => format!("escalated to {}", to.join(", ")),
        EventBody::RequestLapsed { .. } => "the request has lapsed".to_owned(),
        EventBody::RequestCancelled { .. } => "the request was cancelled".to_owned(),
        EventBody::VoteCast { approve, comment, .. } => {
            let word = if *approve { "for" } else { "against" };
            format!("a vote {word}{}", if comment.is_empty() { String::new() } else { format!(": {}", v(comment)) })
        }
        EventBody::RequestApproved { by, .. } => format!("approved by {}", v(&by.join(", "))),
        EventBody::RequestDenied { by, .. } => format!("denied by {}", v(by)),
        EventBody::AccessStarted { deadline, .. } => format!("access until {deadline}"),
        EventBody::StepEntered { step, .. } => format!("step {step}: {}", title(state, step)),
        EventBody::StepSkipped { step, reason, .. } => format!("step {step} skipped: {}", v(reason)),
        EventBody::StepFinished { step, reason: Some(reason), .. } => format!("step {step} ended: {}", v(reason)),
        EventBody::ExecutionStarted { query_id, adopted, .. } => {
            format!("{} {}", if *adopted { "found the running query" } else { "running" }, v(query_id))
        }
        EventBody::ExecutionFinished { execution, outcome, cost, elapsed_ms, error, .. } => {
            let plan = state.execution(execution).and_then(|e| state.request_by_id(&e.request)?.plan.step(&e.step));
            let cost = cost_words(plan.map(|step| &step.action), *cost);
            match outcome {
                ExecutionOutcome::Succeeded => format!("done: {cost} read in {}", seconds(*elapsed_ms)),
                _ => {
                    let why = error.as_ref().map_or_else(String::new, |e| format!(": {}: {}", v(&e.code), v(&e.message)));
                    format!("failed{why}")
                }
            }
        }
        EventBody::ExecutionStopped { reason, cost, .. } => {
            format!(
                "{}, {}",
                stop_words(*reason),
                cost.map_or_else(|| "cost not reported".to_owned(), |c| format!("{} read", Bytes(c)))
            )
        }
        EventBody::ExecutionIndeterminate { reason, .. } => format!("INDETERMINATE: {}", v(reason)),
        EventBody::CaptureTaken { values, .. } | EventBody::ChoiceMade { values, .. } => {
            let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {}", v(&value.to_string()))).collect();
            pairs.join(", ")
        }
        EventBody::DriftFound { fields, .. } => {
            let fields: Vec<String> =
                fields.iter().map(|f| format!("{}: approved {}, now {}", f.field, v(&f.approved), v(&f.now))).collect();
            format!("this is not what was approved: {}", fields.join("; "))
        }
        EventBody::AccessEnded { reason, .. } => format!("access ended: {}", v(reason)),
        EventBody::AccessRevoked { by, .. } => format!("access revoked by {}", v(by)),
        EventBody::ClockCorrected { skew_ms, .. } => format!("the clock was corrected by {skew_ms} ms"),
        _ => return None,
    })
}

fn title(state: &RunState, step: &str) -> String {
    let walk = state.walk.as_ref().and_then(|walk| walk.runbook.step(step));
    walk.map_or_else(String::new, |step| step.title.visible().into_owned())
}

/// A plan for reading, line by line.
pub(super) fn plan_lines(plan: &Plan, digest: &str, state: Option<&RunState>) -> Vec<String> {
    let v = |text: &str| visible(text).into_owned();
    let mut lines = vec![
        format!("plan     {digest}"),
        format!("runbook  {} ({})", v(&plan.runbook.title), plan.runbook.id),
        format!("book     {} {}", v(&plan.book.name), plan.book.version()),
        format!("target   {} · account {} · {} · {}", plan.target.name, plan.target.account, plan.target.region, endpoint(plan)),
        format!("asks     {} for {}", v(&plan.requester.name), Millis(plan.duration_ms)),
    ];
    if let Some(request) = state.and_then(|state| state.request_by_id(&plan.request)) {
        lines.push(format!("reason   {}", v(&request.reason)));
    }
    if let Some(incident) = &plan.incident {
        lines.push(format!("incident {}", v(incident)));
    }
    for (name, value) in &plan.inputs {
        lines.push(format!("input    {name} = {}", v(value)));
    }
    for step in &plan.steps {
        lines.push(String::new());
        lines.extend(step_lines(step));
    }
    lines.push(String::new());
    let mut sum = format!("budget   {}", Bytes(plan.budget.bytes));
    if plan.budget.read_units > 0 {
        sum.push_str(&format!(" and {}", ReadUnits(plan.budget.read_units)));
    }
    lines.push(sum);
    lines.push(format!(
        "approval {} of {}: {}",
        plan.approval.need,
        plan.approval.from.join(", "),
        v(&plan.approval.reviewers.join(", "))
    ));
    lines.extend(plan.findings.iter().flat_map(finding_lines));
    lines.push(format!("verdict  {}", verdict(plan.verdict())));
    lines
}

fn endpoint(plan: &Plan) -> String {
    match &plan.target.endpoint {
        crate::core::plan::Endpoint::Aws => "AWS".to_owned(),
        crate::core::plan::Endpoint::Sandbox => "sandbox".to_owned(),
        crate::core::plan::Endpoint::Url(url) => format!("→ {}", visible(url)),
    }
}

/// One step of a plan for reading.
pub(super) fn step_lines(step: &PlanStep) -> Vec<String> {
    let v = |text: &str| visible(text).into_owned();
    let word = step.verdict().map_or("·", verdict);
    let mut head = format!("{word:<5} {} — {}", step.id, v(&step.title));
    if let Some(when) = &step.when {
        head.push_str(&format!("  (if {})", v(when)));
    }
    let mut lines = vec![head];
    match &step.action {
        PlanAction::Athena(plan) => {
            lines.extend(plan.sql.lines().map(|line| format!("      {}", v(line))));
            for read in &plan.reads {
                let parts = read.partitions.map_or_else(String::new, |p| format!(" · {} of {} partitions", p.matched, p.total));
                lines.push(format!("      reads {}: {}{parts}", v(&read.table), v(&read.columns.join(" "))));
            }
            let expects = plan.estimate.map_or_else(
                || "unknown".to_owned(),
                |e| format!("{} (low {}, high {})", Bytes(e.expected), Bytes(e.low), Bytes(e.high)),
            );
            let cost = plan.cost.map_or_else(String::new, |c| format!(" · {}", Micros(c.expected)));
            lines.push(format!("      expects {expects}{cost} · {} · {}", evidence_word(plan.evidence), v(&plan.estimate_why)));
            lines.push(format!(
                "      ceiling {} · hard stop {} ({}) · {}",
                Bytes(plan.ceiling),
                Bytes(plan.hard_stop),
                plan.workgroup,
                if plan.holes.is_empty() { "closed" } else { "open" }
            ));
        }
        PlanAction::Dynamodb(plan) => {
            lines.push(format!("      {}", v(&plan.access_path)));
            let request = serde_json::to_string(&plan.request).unwrap_or_default();
            lines.push(format!("      {}", v(&request)));
            let expects = plan.estimate.map_or_else(|| "unknown".to_owned(), |e| ReadUnits(e.expected).to_string());
            let open = if plan.holes.is_empty() { "closed" } else { "open" };
            lines.push(format!("      expects {expects} · ceiling {} · {open}", ReadUnits(plan.ceiling)));
        }
        PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => {}
    }
    lines.extend(step.findings().iter().flat_map(finding_lines));
    lines
}

fn finding_lines(finding: &Finding) -> Vec<String> {
    let word = match finding.level {
        Level::Block => "BLOCK",
        Level::Warn => "WARN",
        Level::Off => return Vec::new(),
    };
    let at = finding.span.map_or_else(String::new, |span| format!(" at {}:{}", span.start.line, span.start.column));
    let set = finding.set_in.as_ref().map_or_else(String::new, |place| format!(" (set in {})", visible(place)));
    let mut lines = vec![format!("      {word} {}{at}: {}{set}", finding.rule.name(), visible(&finding.message))];
    if let Some(fix) = &finding.fix {
        lines.push(format!("           fix: {}", visible(&fix.title)));
    }
    lines
}

/// The word of a verdict.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "OK",
        Verdict::Warn => "WARN",
        Verdict::Block => "BLOCK",
    }
}

/// The word for how a run stands.
pub(super) fn standing(state: &RunState, driven: bool) -> String {
    if let Some((_, reason)) = &state.closed {
        return format!("closed ({})", visible(reason));
    }
    if let Some(open) = state.open_execution() {
        let who = if driven { "running" } else { "ORPHANED" };
        return format!("{who}: step {}", open.step);
    }
    match state.request().map(|request| &request.access) {
        None => "new".to_owned(),
        Some(Access::Waiting) => "waiting for votes".to_owned(),
        Some(Access::Approved { use_by, .. }) => format!("approved, start before {use_by}"),
        Some(Access::Active { deadline, .. }) => format!("access until {deadline}"),
        Some(Access::Denied { by }) => format!("denied by {}", visible(by)),
        Some(Access::Lapsed { .. }) => "lapsed".to_owned(),
        Some(Access::Cancelled) => "cancelled".to_owned(),
        Some(Access::Ended { at, .. }) => format!("access ended {at}"),
    }
}

/// What a closed run came to, for the normal screen (SCREENS §8).
pub(super) fn summary(state: &RunState) -> String {
    let count = |want: fn(&StepStatus) -> bool| state.steps.values().filter(|step| want(&step.status)).count();
    let ran = count(|status| matches!(status, StepStatus::Finished { .. }));
    let skipped = count(|status| matches!(status, StepStatus::Skipped { .. }));
    let runbook = state.walk.as_ref().map_or_else(String::new, |walk| walk.runbook.id.to_string());
    let mut read = Bytes(state.spent_bytes).to_string();
    if let Some(price) = price(state) {
        read.push_str(&format!(" ({price})"));
    }
    if state.spent_read_units > 0 {
        read.push_str(&format!(" and {}", ReadUnits(state.spent_read_units)));
    }
    let (closed_at, _) = state.closed.clone().unwrap_or((state.newest_at, String::new()));
    let took = closed_at.since(state.created_at);
    let mut lines = vec![format!("{runbook} closed: {ran} steps run, {skipped} skipped, {read} read, {took}.")];
    if let Some(request) = state.request() {
        let comments: Vec<String> = request
            .votes
            .iter()
            .filter(|vote| vote.approve)
            .map(|vote| match vote.comment.is_empty() {
                true => visible(&vote.by.name).into_owned(),
                false => format!("{}: \"{}\"", visible(&vote.by.name), visible(&vote.comment)),
            })
            .collect();
        let ended = match &request.access {
            Access::Ended { at, .. } => format!(" Rights ended {}.", clock(*at)),
            _ => String::new(),
        };
        if !comments.is_empty() {
            lines.push(format!("approved by {}.{ended}", comments.join(", ")));
        }
    }
    let plan = state.request().map_or_else(String::new, |r| r.digest.0.chars().take(12).collect());
    let id = short_id(&state.id);
    lines.push(format!("run …{id}  {} events  plan {plan}  see: tollgate runs show {id}", state.seq));
    lines.join("\n")
}

/// What the run's Athena steps cost, where a price is known.
fn price(state: &RunState) -> Option<Micros> {
    let request = state.request()?;
    let target = state.walk.as_ref()?.book.targets.get(request.plan.target.name.as_str())?;
    let per_tb = target.price.athena_tb?;
    let cost = state.executions.iter().filter(|e| e.service == crate::core::run::event::Service::Athena).filter_map(|e| match &e
        .state
    {
        ExecutionState::Finished { cost: Some(cost), .. } | ExecutionState::Stopped { cost: Some(cost), .. } => Some(*cost),
        _ => None,
    });
    Some(Micros(cost.map(|bytes| crate::core::estimate::athena_cost(bytes, per_tb).0).sum()))
}

fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..19).map_or(text.clone(), |time| format!("{time}Z"))
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
