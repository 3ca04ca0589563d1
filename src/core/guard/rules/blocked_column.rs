//! `blocked-column`: a column with a blocked tag may not flow into an output column, nor decide on rows, order or grouping:
//! `WHERE ssn LIKE '1%'` tells an ssn digit by digit. A parent that holds a blocked field counts as the field.
//!
//! Keys: `blocked_tags`, `influence` (block, warn, allow), `count_of_blocked` (allow, block). The rule itself cannot be lowered.

use std::collections::BTreeSet;

use crate::core::guard::case::Case;
use crate::core::guard::ground::Blocked;
use crate::core::guard::{Finding, Level, Rule, Why};
use crate::core::sql::analysis::{ColumnId, ColumnUse, Reason, TableKind};
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
                influences(case, id, column, blocked, (influence.value, flowing.contains(&id)), findings);
            }
            unexplained(case, id, column, blocked, findings);
        }
    }
}

fn flows(case: &Case<'_>, id: ColumnId, column: &ColumnUse, blocked: &Blocked, findings: &mut Vec<Finding>) {
    let influencing = |span: Span| {
        case.analysis.influences.iter().any(|i| i.column == id && i.span.first <= span.first && span.last <= i.span.last)
    };
    let direct = column.places.iter().filter(|place| place.via.is_none()).map(|place| place.span);
    let mut places: Vec<Span> = direct.filter(|span| !influencing(*span)).collect();
    // Inside a view's text there is no place to show: what it flows into is.
    if places.is_empty() || column.places.iter().any(|place| place.via.is_some()) {
        let into = case.analysis.output.iter().filter(|output| output.sources.iter().any(|source| source.column == id));
        places.extend(into.filter_map(|output| output.span));
    }
    if places.is_empty() {
        places.extend(column.places.first().map(|place| place.span));
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

fn influences(
    case: &Case<'_>,
    id: ColumnId,
    column: &ColumnUse,
    blocked: &Blocked,
    (level, flows): (Level, bool),
    findings: &mut Vec<Finding>,
) {
    let counted_too = case.world.guardrails.count_of_blocked.value;
    // Whoever sees the values sees how many there are and which are equal: that needs no finding of its own.
    let told = |reason: Reason| flows && matches!(reason, Reason::Distinct | Reason::Rows);
    for influence in case.analysis.influences.iter().filter(|i| i.column == id && (counted_too || !i.counted)) {
        if told(influence.reason) {
            continue;
        }
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

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::{check, judge, lines};

    #[test]
    fn what_flows_and_what_influences() {
        check(
            "blocked-column",
            "",
            &[
                ("SELECT id, city FROM shop.customers", &[]),
                ("SELECT id, email FROM shop.customers", &["block shop.customers.email flows 1:12"]),
                ("SELECT id FROM shop.customers WHERE email LIKE 'a%'", &["block shop.customers.email influences 1:37"]),
                ("SELECT id FROM shop.customers ORDER BY email", &["block shop.customers.email influences 1:40"]),
                (
                    "SELECT city FROM (SELECT DISTINCT city, email FROM shop.customers)",
                    &["block shop.customers.email influences 1:26"],
                ),
                (
                    "SELECT count(*) FROM (SELECT email FROM shop.customers UNION SELECT path FROM logs)",
                    &["block shop.customers.email influences 1:56"],
                ),
                ("SELECT count(*) FROM (SELECT email FROM shop.customers UNION ALL SELECT path FROM logs)", &[]),
                ("SELECT count(email) FROM shop.customers", &[]),
                ("SELECT count(nullif(email, 'a')) FROM shop.customers", &["block shop.customers.email flows 1:21"]),
                ("SELECT email FROM shop.contacts", &["block shop.customers.email flows 1:8"]),
                (
                    "WITH c(a, b) AS (SELECT id, email FROM shop.customers) SELECT b FROM c",
                    &["block shop.customers.email flows 1:29"],
                ),
                ("SELECT email AS id, city AS email FROM shop.customers", &["block shop.customers.email flows 1:8"]),
                ("SELECT id AS email FROM shop.customers", &[]),
                ("SELECT DISTINCT email FROM shop.customers", &["block shop.customers.email flows 1:17"]),
                ("SELECT profile.age FROM shop.customers", &[]),
                ("SELECT profile.ssn FROM shop.customers", &["block shop.customers.profile.ssn flows 1:8"]),
                ("SELECT profile FROM shop.customers", &["block shop.customers.profile.ssn flows 1:8"]),
                ("SELECT cards[1].kind FROM shop.customers", &[]),
                ("SELECT cards[1].number FROM shop.customers", &["block shop.customers.cards.number flows 1:8"]),
                ("SELECT n FROM shop.customers, UNNEST(cards) AS t(n, k)", &["block shop.customers.cards.number flows 1:38"]),
                ("SELECT k FROM shop.customers, UNNEST(cards) AS t(n, k)", &[]),
                ("SELECT transform(cards, email -> email.kind) FROM shop.customers", &[]),
                ("SELECT transform(ARRAY[1], x -> email) FROM shop.customers", &["block shop.customers.email flows 1:33"]),
                ("SELECT client_ip FROM logs", &[]),
            ],
        );
    }

    #[test]
    fn the_book_chooses_about_influence_and_counts() {
        let sql = "SELECT count(email) FROM shop.customers WHERE email IS NOT NULL";
        for (rules, expected) in [
            ("", &["block shop.customers.email influences 1:47"][..]),
            ("  influence: warn\n", &["warn shop.customers.email influences 1:47"]),
            ("  influence: allow\n", &[]),
            ("  influence: allow\n  count_of_blocked: block\n", &["block shop.customers.email flows 1:14"]),
        ] {
            assert_eq!(lines(&judge(rules, sql), "blocked-column"), expected, "{rules}");
        }
    }

    #[test]
    fn a_finding_says_where_its_tag_was_set() {
        let judgement = judge("", "SELECT email, profile.ssn FROM shop.customers");
        let places: Vec<Option<&str>> = judgement.findings.iter().map(|finding| finding.set_in.as_deref()).collect();
        assert_eq!(places, [Some("catalog.yaml:21"), Some("tollgate.yaml:6")]);
    }
}
