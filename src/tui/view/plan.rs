//! A plan: its steps in a list, the selected one below. The request and the review show the same.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::canvas::{Canvas, below};
use super::{facts, sql};
use crate::core::estimate::Evidence;
use crate::core::guard::{OutputColumn, TableRead};
use crate::core::plan::{
    AthenaPlan, DynamodbOperation, DynamodbPlan, DynamodbRequest, DynamodbValue, Part, Plan, PlanAction, PlanStep,
};
use crate::core::units::{Bytes, Micros, ReadUnits};
use crate::tui::rich::Rich;
use crate::tui::state::PlanPane;
use crate::tui::theme::{Glyphs, Role};

/// Narrower lists leave out what is read.
const TARGET_FROM: usize = 70;

/// Draws the list and, below a rule, the selected step.
pub(super) fn draw(plan: &Plan, digest: &str, pane: &PlanPane, canvas: &mut Canvas<'_>, area: Rect) {
    let right = Rich::of(Role::Muted, &format!("book {} {} {} ", plan.book.version(), canvas.glyphs().dot, plan.target.name));
    let count = format!("  {} steps", plan.steps.len());
    let left = Rich::of(Role::Text, " Plan ").add(Role::Strong, digest).add(Role::Muted, &count);
    canvas.both(area, area.y, left, &right);
    let rows = rows(plan, usize::from(area.width), canvas.glyphs());
    // The statement is what matters: the list takes at most half.
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).min((area.height / 2).saturating_sub(1)).max(1);
    canvas.list(Rect { height: height.min(area.height.saturating_sub(1)), ..below(area, 1) }, pane.list, &rows);
    let mut y = area.y + 1 + height;
    for line in sums(plan, usize::from(area.width)) {
        canvas.line(area, y, &line);
        y += 1;
    }
    canvas.rule(area, y.min(area.bottom()));
    let rest = below(area, y + 1 - area.y);
    if let Some(step) = plan.steps.get(pane.selected(plan)) {
        canvas.scrolled(rest, &detail(step, usize::from(rest.width), canvas.glyphs()), pane.scroll);
    }
}

/// The steps, their columns as wide as what stands in them.
fn rows(plan: &Plan, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let widest = |of: &dyn Fn(&PlanStep) -> usize, most: usize| plan.steps.iter().map(of).max().unwrap_or(0).min(most);
    let verdict = |step: &PlanStep| step.verdict().map_or((Role::Muted, glyphs.none), facts::verdict);
    let number = plan.steps.len().to_string().len();
    let columns = [
        widest(&|step| verdict(step).1.width(), 5),
        widest(&|step| Rich::plain(&step.id).width(), 14),
        widest(&|step| kind(step).0.width(), 8),
        widest(&|step| Rich::plain(&kind(step).1).width(), 26),
        widest(&|step| facts::expects(step).map_or(0, |(expects, _)| expects.width()), 12),
        widest(&|step| facts::expects(step).map_or(0, |(_, ceiling)| ceiling.width()), 12),
    ];
    let [verdict_width, id_width, kind_width, what_width, expects_width, ceiling_width] = columns;
    let line = |(at, step): (usize, &PlanStep)| {
        let (role, word) = verdict(step);
        let mut line = Rich::of(role, word)
            .left(verdict_width + 1, "")
            .add(Role::Text, &format!("{at:>number$} "))
            .join(Rich::plain(&step.id).left(id_width + 1, glyphs.ellipsis));
        let (kind, what) = kind(step);
        line = line.join(Rich::of(Role::Muted, kind).left(kind_width + 1, ""));
        if width >= TARGET_FROM {
            line = line.join(Rich::plain(&what).left(what_width + 1, glyphs.ellipsis));
        }
        if let Some((expects, ceiling)) = facts::expects(step) {
            line = line.add(Role::Muted, "expects ").join(Rich::plain(&expects).right(expects_width, ""));
            line = line.add(Role::Muted, "  ceiling ").join(Rich::plain(&ceiling).right(ceiling_width, ""));
        }
        if is_open(step) {
            line = line.add(Role::SqlHole, " open");
        }
        if let Some(when) = &step.when {
            line = line.add(Role::Muted, " if ").add(Role::Text, when);
        }
        line
    };
    (1..).zip(&plan.steps).map(line).collect()
}

/// What kind of step it is, and what it reads.
fn kind(step: &PlanStep) -> (&'static str, String) {
    match &step.action {
        PlanAction::Note => ("note", String::new()),
        PlanAction::Confirm => ("confirm", String::new()),
        PlanAction::Choose => ("choose", String::new()),
        PlanAction::Athena(plan) => {
            let tables: Vec<&str> = plan.reads.iter().map(|read| read.table.as_str()).collect();
            ("athena", tables.join(" "))
        }
        PlanAction::Dynamodb(plan) => ("dynamodb", format!("{} {}", plan.request.table, operation(&plan.request))),
    }
}

fn operation(request: &DynamodbRequest) -> &'static str {
    match request.operation {
        DynamodbOperation::Get => "get",
        DynamodbOperation::Query => "query",
    }
}

fn is_open(step: &PlanStep) -> bool {
    match &step.action {
        PlanAction::Athena(plan) => !plan.holes.is_empty(),
        PlanAction::Dynamodb(plan) => !plan.holes.is_empty(),
        _ => false,
    }
}

/// What the whole run expects and may cost, and findings about the plan as a whole.
fn sums(plan: &Plan, width: usize) -> Vec<Rich> {
    let athena: Vec<&AthenaPlan> = plan.steps.iter().filter_map(athena).collect();
    let expected: Option<u64> = athena.iter().map(|plan| plan.estimate.map(|bounds| bounds.expected)).sum();
    let costs: Option<u64> = athena.iter().map(|plan| plan.cost.map(|bounds| bounds.expected)).sum();
    let currency = athena.iter().find_map(|plan| plan.currency.as_deref());
    let mut line = Rich::of(Role::Muted, " sum   expects ").add(Role::Text, &facts::bytes(expected));
    line = line.add(Role::Text, &format!("  {}", facts::cost(costs, currency)));
    line = line.add(Role::Muted, "   budget ").add(Role::Text, &Bytes(plan.budget.bytes).to_string());
    if plan.budget.read_units > 0 {
        line = line.add(Role::Text, &format!(" and {}", ReadUnits(plan.budget.read_units)));
    }
    line = line.join(hard_stops(plan));
    let mut lines = line.wrap(width, 7);
    for finding in &plan.findings {
        lines.extend(sql::finding_lines(finding, 1, width));
    }
    lines
}

/// `hard stop 1 GB, step 5: 50 GB`: the commonest, and the steps that differ.
fn hard_stops(plan: &Plan) -> Rich {
    let stops: Vec<(usize, u64)> = (1..).zip(&plan.steps).filter_map(|(n, step)| Some((n, athena(step)?.hard_stop))).collect();
    let Some(usual) = stops.iter().map(|(_, stop)| *stop).min() else { return Rich::new() };
    let mut line = Rich::of(Role::Muted, "   hard stop ").add(Role::Text, &Bytes(usual).to_string());
    for (number, stop) in stops.iter().filter(|(_, stop)| *stop != usual) {
        line = line.add(Role::Text, &format!(", step {number}: {}", Bytes(*stop)));
    }
    line
}

fn athena(step: &PlanStep) -> Option<&AthenaPlan> {
    match &step.action {
        PlanAction::Athena(plan) => Some(plan),
        _ => None,
    }
}

/// Everything about one step.
fn detail(step: &PlanStep, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let mut lines = match &step.action {
        PlanAction::Note => vec![Rich::of(Role::Muted, " Prose only; nothing is executed.")],
        PlanAction::Confirm => vec![Rich::of(Role::Muted, " A question to the operator; nothing is executed.")],
        PlanAction::Choose => vec![Rich::of(Role::Muted, " A choice by the operator; nothing is executed.")],
        PlanAction::Athena(plan) => {
            let holes = sql::parameters(plan.holes.iter());
            let mut lines = sql::statement(&plan.sql, &plan.findings, &holes, width, false, glyphs);
            lines.extend(reads(&plan.reads, width, glyphs));
            lines.extend(output(&plan.output_columns, width, glyphs));
            lines.extend(rests_on(plan, width, glyphs));
            lines.extend(holes_lines(plan.holes.iter().map(|(name, hole)| (name.as_str(), hole)), width));
            lines.extend(where_lines(plan, width, glyphs));
            lines
        }
        PlanAction::Dynamodb(plan) => {
            let mut lines = dynamodb(plan, width, glyphs);
            lines.extend(holes_lines(plan.holes.iter().map(|(name, hole)| (name.as_str(), hole)), width));
            lines
        }
    };
    if let Some(when) = &step.when {
        lines.extend(facts::labelled_wrapped("when", 5, Rich::plain(when), width));
    }
    lines
}

/// `reads web.alb_logs: day merchant · 1 of 60 days`.
pub(super) fn reads(reads: &[TableRead], width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    reads
        .iter()
        .flat_map(|read| {
            let mut line = Rich::of(Role::Strong, &read.table).add(Role::Text, "  ").add(Role::Text, &read.columns.join(" "));
            if let Some(partitions) = read.partitions {
                let text = format!(" {} {} of {} partitions", glyphs.dot, partitions.matched, partitions.total);
                line = line.add(Role::Muted, &text);
            }
            facts::labelled_wrapped("reads", 5, line, width)
        })
        .collect()
}

/// `out   order_id ← alb_logs.order_id`.
pub(super) fn output(columns: &[OutputColumn], width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    if columns.is_empty() {
        return Vec::new();
    }
    let mut line = Rich::new();
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            line = line.add(Role::Muted, &format!(" {} ", glyphs.dot));
        }
        line = line.add(Role::Text, column.name.as_deref().unwrap_or("(unnamed)"));
        if !column.sources.is_empty() {
            line = line.add(Role::Muted, &format!(" {} {}", glyphs.from, column.sources.join(" ")));
        }
    }
    facts::labelled_wrapped("out", 5, line, width)
}

fn rests_on(plan: &AthenaPlan, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let mut line = Rich::plain(&facts::evidence(plan.evidence, plan.facts_age_s));
    if !plan.estimate_why.is_empty() {
        line = line.add(Role::Muted, &format!(" {} ", glyphs.dot)).add(Role::Text, &plan.estimate_why);
    }
    if let (Some(bounds), true) = (plan.estimate, plan.evidence != Evidence::Unknown) {
        line = line.add(Role::Muted, &format!(" {} {}", glyphs.dot, facts::spread(bounds, |bytes| Bytes(bytes).to_string())));
    }
    facts::labelled_wrapped("rests", 5, line, width)
}

fn where_lines(plan: &AthenaPlan, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let dot = format!(" {} ", glyphs.dot);
    let line = Rich::plain(&format!("{}.{}", plan.catalog, plan.database))
        .add(Role::Muted, &dot)
        .add(Role::Text, &format!("workgroup {}", plan.workgroup))
        .add(Role::Muted, &dot)
        .add(Role::Text, &format!("ceiling {}, hard stop {}", Bytes(plan.ceiling), Bytes(plan.hard_stop)))
        .add(Role::Muted, &dot)
        .add(Role::Text, &plan.output);
    let mut lines = facts::labelled_wrapped("runs", 5, line, width);
    if plan.max_executions > 1 {
        lines.push(facts::labelled("", 5, Rich::plain(&format!("at most {} times", plan.max_executions))));
    }
    lines
}

/// Values that earlier steps will give.
fn holes_lines<'a>(holes: impl Iterator<Item = (&'a str, &'a crate::core::plan::Hole)>, width: usize) -> Vec<Rich> {
    holes
        .flat_map(|(name, hole)| {
            let kind = serde_json::to_string(&hole.kind).unwrap_or_default();
            let line = Rich::of(Role::SqlHole, name)
                .add(Role::Text, &format!(" from step {}, ", hole.filled_by))
                .add(Role::Muted, &kind);
            facts::labelled_wrapped("open", 5, line, width)
        })
        .collect()
}

/// A DynamoDB read: the path, what is bound, what comes back, what it costs.
pub(super) fn dynamodb(plan: &DynamodbPlan, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    let request = &plan.request;
    let mut lines = Rich::of(Role::Text, " ").add(Role::Strong, &plan.access_path).wrap(width, 1);
    let mut fact = |label: &str, value: Rich| lines.extend(facts::labelled_wrapped(label, 7, value, width));
    let on = request.index.as_ref().map_or_else(|| request.table.clone(), |index| format!("{} index {index}", request.table));
    fact("table", Rich::plain(&on));
    for (name, value) in &request.key {
        fact("key", Rich::of(Role::SqlName, name).add(Role::Text, " = ").join(value_of(value)));
    }
    if let Some(sort) = &request.sort {
        let mut line = Rich::of(Role::SqlName, &sort.name).add(Role::Text, &format!(" {} ", sort.operator));
        for (at, value) in sort.values.iter().enumerate() {
            line = line.add(Role::Text, if at > 0 { " and " } else { "" }).join(value_of(value));
        }
        fact("sort", line);
    }
    if let Some(filter) = &request.filter {
        let mut line = Rich::plain(&filter.expression);
        for (name, value) in &filter.values {
            line = line.add(Role::Muted, &format!("  {name} = ")).join(value_of(value));
        }
        for (name, attribute) in &filter.names {
            line = line.add(Role::Muted, &format!("  {name} is {attribute}"));
        }
        fact("filter", line);
        fact("", Rich::of(Role::Muted, "a filter saves no read units: it drops items after they were read"));
    }
    let project = if request.project.is_empty() { "all attributes".to_owned() } else { request.project.join(" ") };
    fact("returns", Rich::plain(&project));
    if let Some(limit) = request.limit {
        fact("limit", Rich::plain(&format!("{limit} items")));
    }
    let expected = plan.estimate.map(|bounds| bounds.expected);
    let mut cost = Rich::plain(&facts::read_units(expected))
        .add(Role::Muted, "  ceiling ")
        .add(Role::Text, &ReadUnits(plan.ceiling).to_string());
    if let Some(price) = plan.cost {
        cost = cost.add(Role::Text, &format!("  {}", Micros(price.expected)));
    }
    if request.consistent {
        cost = cost.add(Role::Muted, &format!(" {} strongly consistent: twice the units", glyphs.dot));
    }
    fact("expects", cost);
    if !plan.estimate_why.is_empty() && plan.estimate_why != plan.access_path {
        fact("", Rich::of(Role::Muted, &plan.estimate_why));
    }
    for finding in &plan.findings {
        lines.extend(sql::finding_lines(finding, 1, width));
    }
    lines
}

/// A value as DynamoDB types it; what an earlier step gives is shown as a hole.
fn value_of(value: &DynamodbValue) -> Rich {
    match value {
        DynamodbValue::S(text) => Rich::of(Role::SqlString, &format!("\"{text}\"")),
        DynamodbValue::N(number) => Rich::of(Role::SqlNumber, number),
        DynamodbValue::Bool(yes) => Rich::of(Role::SqlKeyword, &yes.to_string()),
        DynamodbValue::Hole(name) => Rich::of(Role::SqlHole, &format!("{{{{ {name} }}}}")),
        DynamodbValue::Open(parts) => {
            let mut line = Rich::of(Role::SqlString, "\"");
            for part in parts {
                line = match part {
                    Part::Text(text) => line.add(Role::SqlString, text),
                    Part::Hole(name) => line.add(Role::SqlHole, &format!("{{{{ {name} }}}}")),
                };
            }
            line.add(Role::SqlString, "\"")
        }
    }
}
