//! `limit`: the outermost query needs a LIMIT (or FETCH FIRST). Off unless the book says `athena.require_limit: true` (then it
//! blocks) or sets a level. A result that is one row by its form needs none.

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};
use crate::core::sql::tree::{Limit, Statement};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut level = case.level(Rule::Limit);
    let required = &case.world.guardrails.athena.require_limit;
    if required.value {
        level = crate::core::book::Setting { value: Level::Block, set_in: required.set_in.clone() };
    }
    if level.value == Level::Off || case.analysis.outermost.one_row || has_limit(case) {
        return;
    }
    let message = "the outermost query has no LIMIT; say how many rows are needed";
    findings.push(Finding::new(Rule::Limit, level.value, message).set_in(level.set_in()));
}

/// Whether the outermost query bounds its rows. `LIMIT ALL` does not.
pub(super) fn has_limit(case: &Case<'_>) -> bool {
    match case.statement {
        Statement::Query(root) => matches!(root.query.limit, Some(Limit::Rows(..) | Limit::Fetch { .. })),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn the_outermost_query_bounds_its_rows() {
        let table: &[(&str, &[&str])] = &[
            ("SELECT id FROM logs", &["block"]),
            ("SELECT id FROM logs LIMIT 10", &[]),
            ("SELECT id FROM logs FETCH FIRST 10 ROWS ONLY", &[]),
            ("SELECT id FROM logs LIMIT ALL", &["block"]),
            ("SELECT id FROM (SELECT id FROM logs LIMIT 10)", &["block"]),
            ("WITH a AS (SELECT id FROM logs) SELECT id FROM a LIMIT 10", &[]),
            ("SELECT count(*) FROM logs", &[]),
            ("SELECT count(*) FROM logs GROUP BY day", &["block"]),
            ("VALUES 1", &[]),
            ("SELECT 1", &[]),
        ];
        check("limit", "  athena: { require_limit: true }\n", table);
        check("limit", "  levels: { limit: warn }\n", &[("SELECT id FROM logs", &["warn"])]);
        check("limit", "", &[("SELECT id FROM logs", &[])]);
    }
}
