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
