//! `select-star`: `*` over a table reads columns that nobody asked for, and more of them when the table grows. Level: warn unless
//! the book says otherwise.

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::SelectStar);
    if level.value == Level::Off {
        return;
    }
    for star in case.analysis.stars.iter().filter(|star| star.of_table && !star.in_exists) {
        let written = case.source(star.span);
        let message =
            format!("`{}` reads {} columns; name those that are needed", crate::core::text::visible(written), star.columns.len());
        findings.push(Finding::new(Rule::SelectStar, level.value, message).set_in(level.set_in()).at(case.places, star.span));
    }
}
