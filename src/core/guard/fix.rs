//! Fixes: rewrites that remove a finding. Each is judged again before it is offered; one that leaves its finding, or brings another
//! block, is not.
//!
//! A rewrite changes the text as the author wrote it, so that parameters and comments stay.

use super::case::Case;
use super::{Finding, Fix, Judgement, Level, Rule};
use crate::core::sql::analysis::Star;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    ExprKind, GroupingElement, Literal, QueryBody, RelationKind, RootQuery, Select, SelectItem, Statement,
};

mod partition;
mod range;

/// A rewrite that was not yet proved.
struct Draft {
    /// The finding that it should remove.
    rule: Rule,
    title: String,
    sql: String,
}

/// Offers fixes for the findings of `case`, each proved by `judge`.
pub(super) fn offer(case: &Case<'_>, findings: &mut [Finding], judge: &dyn Fn(&str) -> Judgement) {
    let Statement::Query(root) = case.statement else { return };
    let mut drafts = Vec::new();
    if has(findings, Rule::BlockedColumn) {
        drafts.extend(without_blocked(case, root));
    }
    if has(findings, Rule::SelectStar) {
        drafts.extend(names_for_star(case, root));
    }
    if has(findings, Rule::PartitionFilter) {
        drafts.extend(partition::newest(case, root));
    }
    for draft in drafts {
        let after = judge(&draft.sql);
        if after.analysed && !worse(findings, &after.findings, draft.rule) {
            attach(findings, draft, &after);
        }
    }
    if has(findings, Rule::MaxScan)
        && let Some((draft, after)) = range::later_start(case, root, judge)
    {
        attach(findings, draft, &after);
    }
}

fn has(findings: &[Finding], rule: Rule) -> bool {
    findings.iter().any(|finding| finding.rule == rule)
}

/// `after` is the judgement of the draft.
fn attach(findings: &mut [Finding], draft: Draft, after: &Judgement) {
    let fix = Fix { title: draft.title, sql: draft.sql, scan: after.scan.as_ref().and_then(|scan| scan.bytes) };
    for finding in findings.iter_mut().filter(|finding| finding.rule == draft.rule && finding.fix.is_none()) {
        finding.fix = Some(fix.clone());
    }
}

/// Whether `after` still has the finding, or blocks for a reason that `before` did not have.
fn worse(before: &[Finding], after: &[Finding], rule: Rule) -> bool {
    has(after, rule) || after.iter().any(|finding| finding.level == Level::Block && !has(before, finding.rule))
}

/// The outermost SELECT, if dropping or naming columns in it changes nothing else: no set operation, no DISTINCT, no reference to
/// columns by their position.
fn outermost(root: &RootQuery) -> Option<&Select> {
    let QueryBody::Select(select) = &root.query.body else { return None };
    let by_position = |expr: &crate::core::sql::tree::Expr| matches!(expr.kind, ExprKind::Literal(Literal::Integer(_)));
    let grouped = select.group_by.iter().flat_map(|group| &group.elements).any(|element| match element {
        GroupingElement::Set(exprs, _) => exprs.iter().any(by_position),
        GroupingElement::Rollup(sets, _) | GroupingElement::Cube(sets, _) | GroupingElement::Sets(sets, _) => {
            sets.iter().flatten().any(by_position)
        }
        GroupingElement::Auto(_) => true,
    });
    let ordered = root.query.order_by.iter().any(|item| by_position(&item.expr));
    (!select.distinct && !grouped && !ordered).then_some(select)
}

/// Drops what a blocked column flows into; writes the other columns of a star.
fn without_blocked(case: &Case<'_>, root: &RootQuery) -> Option<Draft> {
    let select = outermost(root)?;
    let is_blocked = |index: usize| is_blocked(case, index);
    let mut kept: Vec<String> = Vec::new();
    let alone = is_alone(select);
    let (mut next, mut dropped) = (0, 0);
    for item in &select.items {
        let span = item_span(item);
        match star_of(case, item) {
            Some(star) => {
                let blocked: Vec<bool> = (next..next + star.columns.len()).map(is_blocked).collect();
                next += star.columns.len();
                if blocked.contains(&true) {
                    dropped += blocked.iter().filter(|blocked| **blocked).count();
                    let names = star.columns.iter().zip(&blocked).filter(|(_, blocked)| !**blocked);
                    kept.extend(names.map(|(column, _)| written(column, alone)).collect::<Option<Vec<_>>>()?);
                } else {
                    kept.push(case.source(span).to_owned());
                }
            }
            None => {
                if is_blocked(next) {
                    dropped += 1;
                } else {
                    kept.push(case.source(span).to_owned());
                }
                next += 1;
            }
        }
    }
    if kept.is_empty() || dropped == 0 || next != case.analysis.output.len() {
        return None;
    }
    let title = if dropped == 1 { "Drop the column".to_owned() } else { format!("Drop the {dropped} columns") };
    Some(Draft { rule: Rule::BlockedColumn, title, sql: with_items(case, select, &kept)? })
}

/// Whether a blocked column flows into an output column.
fn is_blocked(case: &Case<'_>, output: usize) -> bool {
    let counted_too = case.world.guardrails.count_of_blocked.value;
    case.analysis.output.get(output).is_some_and(|output| {
        output
            .sources
            .iter()
            .filter(|source| counted_too || !source.counted)
            .any(|source| case.column(source.column).is_some_and(|column| case.blocked(column).next().is_some()))
    })
}

/// Writes the names that a star stands for. Where it stands for blocked columns nobody should be offered their names.
fn names_for_star(case: &Case<'_>, root: &RootQuery) -> Option<Draft> {
    let QueryBody::Select(select) = &root.query.body else { return None };
    let mut items = Vec::new();
    let mut next = 0;
    let alone = is_alone(select);
    for item in &select.items {
        match star_of(case, item) {
            Some(star) => {
                if (next..next + star.columns.len()).any(|index| is_blocked(case, index)) {
                    return None;
                }
                next += star.columns.len();
                items.extend(star.columns.iter().map(|column| written(column, alone)).collect::<Option<Vec<_>>>()?);
            }
            None => {
                next += 1;
                items.push(case.source(item_span(item)).to_owned());
            }
        }
    }
    Some(Draft { rule: Rule::SelectStar, title: "Name the columns".to_owned(), sql: with_items(case, select, &items)? })
}

/// Whether FROM has one relation alone, so that no column's name can mean two.
fn is_alone(select: &Select) -> bool {
    matches!(select.from.as_slice(), [relation] if !matches!(relation.kind, RelationKind::Joined { .. }))
}

/// The statement with another select list.
fn with_items(case: &Case<'_>, select: &Select, items: &[String]) -> Option<String> {
    let span = item_span(select.items.first()?).to(item_span(select.items.last()?));
    replaced(case, span, &items.join(", "))
}

/// The statement with a node's text replaced.
fn replaced(case: &Case<'_>, span: Span, by: &str) -> Option<String> {
    let bytes = case.written().bytes(case.places.in_written(span));
    let text = case.written().text();
    Some(format!("{}{by}{}", text.get(..bytes.start)?, text.get(bytes.end..)?))
}

/// The tokens of a select item, alias included.
fn item_span(item: &SelectItem) -> Span {
    match item {
        SelectItem::Expr { span, .. } | SelectItem::All(span) | SelectItem::AllFrom { span, .. } => *span,
    }
}

fn star_of<'a>(case: &Case<'a>, item: &SelectItem) -> Option<&'a Star> {
    let span = match item {
        SelectItem::All(span) | SelectItem::AllFrom { span, .. } => *span,
        SelectItem::Expr { .. } => return None,
    };
    case.analysis.stars.iter().find(|star| star.outermost && star.span.first == span.first)
}

/// A column as a statement names it, without its relation where that is `alone`; `None` where it has no name.
fn written(column: &Option<(Option<String>, String)>, alone: bool) -> Option<String> {
    let (qualifier, name) = column.as_ref()?;
    let name = quoted(name);
    Some(match qualifier {
        Some(qualifier) if !alone => format!("{}.{name}", quoted(qualifier)),
        _ => name,
    })
}

/// A name with quotes where it needs them: quoting never changes what a name names.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !crate::core::sql::keyword::Keyword::of(name).is_some_and(crate::core::sql::keyword::Keyword::is_reserved);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
