//! Narrows a range of days until the scan is within its limit: "From 2026/11/17 it would be 178 MB".

use super::{Draft, replaced};
use crate::core::estimate::periods_between;
use crate::core::guard::case::Case;
use crate::core::guard::{Judgement, Rule};
use crate::core::sql::tree::{ComparisonOperator, Expr, ExprKind, Literal, QueryBody, RootQuery, Test};
use crate::core::units::Bytes;

/// The statement with the latest change that helps: the lower bound of a range of days moved up as little as possible.
pub(super) fn later_start(case: &Case<'_>, root: &RootQuery, judge: &dyn Fn(&str) -> Judgement) -> Option<(Draft, Judgement)> {
    let QueryBody::Select(select) = &root.query.body else { return None };
    let limits = &case.world.guardrails.athena;
    let expected = case.scan.bytes?.expected;
    // The strictest limit that is passed: below it the finding is gone.
    let limit = [limits.warn_scan.value, limits.max_scan.value].into_iter().flatten().filter(|limit| expected > limit.0).min()?;
    let terms: Vec<&Expr> = match &select.filter.as_ref()?.kind {
        ExprKind::Logical { or: false, terms } => terms.iter().collect(),
        _ => select.filter.iter().collect(),
    };
    let (bound, until) = terms.into_iter().find_map(range)?;
    let ExprKind::Literal(Literal::String(from)) = &bound.kind else { return None };
    let tables = case.analysis.scans.iter().filter_map(|scan| case.session.table(case.table(scan.table)?));
    let later =
        tables.filter_map(|table| periods_between(case.session, table, from, until.as_deref())).find(|all| !all.is_empty())?;
    let attempt = |index: usize| {
        let start = later.get(index)?;
        let sql = replaced(case, bound.span, &format!("'{}'", start.replace('\'', "''")))?;
        let after = judge(&sql);
        let fits = after.scan.as_ref().and_then(|scan| scan.bytes).is_some_and(|bytes| bytes.expected <= limit.0);
        Some((start, sql, after, fits))
    };
    // The later the start the less is read, so the first that fits is found by halving.
    let (mut low, mut high) = (0, later.len().checked_sub(1)?);
    if !attempt(high)?.3 {
        return None;
    }
    while low < high {
        let middle = low.midpoint(high);
        if attempt(middle)?.3 { high = middle } else { low = middle + 1 }
    }
    let (start, sql, after, _) = attempt(high)?;
    let gone = after.findings.iter().all(|finding| finding.rule != Rule::MaxScan);
    let bytes = Bytes(after.scan.as_ref()?.bytes?.expected);
    let title = format!("From {} it would be {bytes}", crate::core::text::visible(start));
    (gone && after.analysed).then_some((Draft { rule: Rule::MaxScan, title, sql }, after))
}

/// The lower bound of a range, and the text of its upper bound if it has one.
fn range(term: &Expr) -> Option<(&Expr, Option<String>)> {
    match &term.kind {
        ExprKind::Comparison { op: ComparisonOperator::GreaterOrEqual, right, .. } => Some((right, None)),
        ExprKind::Comparison { op: ComparisonOperator::LessOrEqual, left, .. }
            if matches!(left.kind, ExprKind::Literal(Literal::String(_))) =>
        {
            Some((left, None))
        }
        ExprKind::Predicate { negated: false, test, .. } => match test.as_ref() {
            Test::Between { low, high, .. } => {
                let until = match &high.kind {
                    ExprKind::Literal(Literal::String(text)) => Some(text.to_string()),
                    _ => None,
                };
                Some((low, until))
            }
            _ => None,
        },
        _ => None,
    }
}
