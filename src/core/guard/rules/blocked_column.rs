//! `blocked-column`: a column with a blocked tag may not flow into an output column, nor decide on rows, order or grouping:
//! `WHERE ssn LIKE '1%'` tells an ssn digit by digit. A parent that holds a blocked field counts as the field.
//!
//! Keys: `blocked_tags`, `influence` (block, warn, allow), `count_of_blocked` (allow, block). The rule itself cannot be lowered.

use std::collections::BTreeSet;

use crate::core::guard::case::Case;
use crate::core::guard::ground::Blocked;
use crate::core::guard::{Finding, Level, Rule, Why};
use crate::core::sql::analysis::{ColumnId, ColumnUse, TableKind};
use crate::core::sql::token::Span;

/// The most places that are shown of one column.
const MOST_PLACES: usize = 20;

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.world.guardrails.blocked_tags.value.is_empty() {
        return;
    }
    let counted_too = case.world.guardrails.count_of_blocked.value;
    let mut flowing: BTreeSet<ColumnId> = BTreeSet::new();
    for source in case.analysis.output.iter().flat_map(|output| &output.sources) {
        if counted_too || !source.counted {
            flowing.insert(source.column);
        }
    }
    let influence = &case.world.guardrails.influence;
    for (index, column) in case.analysis.columns.iter().enumerate() {
        let Ok(id) = u32::try_from(index).map(ColumnId) else { continue };
        for blocked in case.blocked(column) {
            if flowing.contains(&id) {
                flows(case, id, column, blocked, findings);
            }
            if influence.value > Level::Off {
                influences(case, id, column, blocked, influence.value, findings);
            }
            unexplained(case, id, column, blocked, findings);
        }
    }
}

fn flows(case: &Case<'_>, id: ColumnId, column: &ColumnUse, blocked: &Blocked, findings: &mut Vec<Finding>) {
    let influencing = |span: Span| {
        case.analysis.influences.iter().any(|i| i.column == id && i.span.first <= span.first && span.last <= i.span.last)
    };
    let mut places: Vec<Span> = column.places.iter().map(|place| place.span).filter(|span| !influencing(*span)).collect();
    if places.is_empty() {
        let into = case.analysis.output.iter().find(|output| output.sources.iter().any(|source| source.column == id));
        places.extend(into.and_then(|output| output.span).or_else(|| column.places.first().map(|place| place.span)));
    }
    let outputs: Vec<String> = case
        .analysis
        .output
        .iter()
        .enumerate()
        .filter(|(_, output)| output.sources.iter().any(|source| source.column == id))
        .map(|(index, output)| match &output.name {
            Some(name) => format!("`{}`", crate::core::text::visible(name)),
            None => format!("{}", index + 1),
        })
        .collect();
    let message = format!("{} and flows into output column {}", described(case, column, blocked), listed(&outputs));
    push(case, column, blocked, &places, Why::Flows, Level::Block, &message, findings);
}

fn influences(case: &Case<'_>, id: ColumnId, column: &ColumnUse, blocked: &Blocked, level: Level, findings: &mut Vec<Finding>) {
    let counted_too = case.world.guardrails.count_of_blocked.value;
    for influence in case.analysis.influences.iter().filter(|i| i.column == id && (counted_too || !i.counted)) {
        let message = format!(
            "{}, and {} uses it: what comes back would tell its values",
            described(case, column, blocked),
            influence.reason
        );
        push(case, column, blocked, &[influence.span], Why::Influences, level, &message, findings);
    }
}

/// A tagged column of a view that is read, where lineage speaks of the base tables only: whether it flows is not known, so it does.
fn unexplained(case: &Case<'_>, id: ColumnId, column: &ColumnUse, blocked: &Blocked, findings: &mut Vec<Finding>) {
    let is_view = case.table(column.table).is_some_and(|table| table.kind == TableKind::View);
    let explained = case.analysis.output.iter().any(|output| output.sources.iter().any(|source| source.column == id))
        || case.analysis.influences.iter().any(|influence| influence.column == id);
    if is_view && column.read && !explained {
        let places: Vec<Span> = column.places.iter().map(|place| place.span).collect();
        let message = described(case, column, blocked);
        push(case, column, blocked, &places, Why::Flows, Level::Block, &message, findings);
    }
}

fn described(case: &Case<'_>, column: &ColumnUse, blocked: &Blocked) -> String {
    let path = blocked.path.join(".");
    let tags = listed(&blocked.tags);
    let table = case.table(column.table).map(|table| case.table_name(table)).unwrap_or_default();
    if column.path.len() < blocked.path.len() {
        format!("{table}.{} holds `{path}`, which is tagged {tags}", column.path.join("."))
    } else {
        format!("{table}.{path} is tagged {tags}")
    }
}

#[allow(clippy::too_many_arguments, reason = "one finding has that many parts")]
fn push(
    case: &Case<'_>,
    column: &ColumnUse,
    blocked: &Blocked,
    places: &[Span],
    why: Why,
    level: Level,
    message: &str,
    findings: &mut Vec<Finding>,
) {
    let table = case.table(column.table).map(|table| case.table_name(table)).unwrap_or_default();
    let subject = format!("{table}.{}", blocked.path.join("."));
    let mut push = |span: Option<Span>| {
        let mut finding = Finding::new(Rule::BlockedColumn, level, message).about(&subject).set_in(blocked.set_in.clone());
        finding.why = Some(why);
        finding = finding.at_some(case.places, span);
        if !findings.iter().any(|known| {
            known.rule == finding.rule
                && known.subject == finding.subject
                && known.why == finding.why
                && known.span == finding.span
        }) {
            findings.push(finding);
        }
    };
    if places.is_empty() {
        push(None);
    }
    for place in places.iter().take(MOST_PLACES) {
        push(Some(*place));
    }
}

fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
