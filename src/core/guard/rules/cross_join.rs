//! `cross-join`: a join that pairs every row with every row. Level: warn unless the book says otherwise.

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::CrossJoin);
    if level.value == Level::Off {
        return;
    }
    for span in &case.analysis.cross_joins {
        let message =
            "this join pairs every row of one side with every row of the other; compare a column of both in ON or WHERE";
        findings.push(Finding::new(Rule::CrossJoin, level.value, message).set_in(level.set_in()).at(case.places, *span));
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn every_pair_without_a_condition() {
        check(
            "cross-join",
            "",
            &[
                ("SELECT 1 FROM logs a JOIN logs b ON a.id = b.id", &[]),
                ("SELECT 1 FROM logs a, logs b WHERE a.id = b.id", &[]),
                ("SELECT 1 FROM logs a, shop.orders b WHERE a.day = '2026/11/19'", &["warn 1:23"]),
                ("SELECT 1 FROM logs a CROSS JOIN shop.orders b", &["warn 1:22"]),
                ("SELECT x FROM shop.customers CROSS JOIN UNNEST(cards) AS t(n, x)", &[]),
                ("SELECT 1 FROM logs a CROSS JOIN (SELECT max(id) m FROM shop.orders) b", &[]),
            ],
        );
        check("cross-join", "  levels: { cross-join: block }\n", &[("SELECT 1 FROM logs a, shop.orders b", &["block 1:23"])]);
        check("cross-join", "  levels: { cross-join: off }\n", &[("SELECT 1 FROM logs a, shop.orders b", &[])]);
    }
}
