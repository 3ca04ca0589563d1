//! `order-without-limit`: sorting a whole result runs on one node and serves nobody who reads the first page. Level: warn unless
//! the book says otherwise.

use super::limit::has_limit;
use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::OrderWithoutLimit);
    let Some(order) = case.analysis.outermost.order_by.filter(|_| level.value > Level::Off) else { return };
    if case.analysis.outermost.one_row || has_limit(case) {
        return;
    }
    let message = "ORDER BY without LIMIT sorts the whole result on one node; add a LIMIT";
    findings.push(Finding::new(Rule::OrderWithoutLimit, level.value, message).set_in(level.set_in()).at(case.places, order));
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn a_whole_result_is_sorted() {
        check(
            "order-without-limit",
            "",
            &[
                ("SELECT id FROM logs ORDER BY id", &["warn 1:21"]),
                ("SELECT id FROM logs ORDER BY id LIMIT 5", &[]),
                ("SELECT id FROM (SELECT id FROM logs ORDER BY id)", &[]),
                ("SELECT count(*) FROM logs ORDER BY 1", &[]),
            ],
        );
    }
}
