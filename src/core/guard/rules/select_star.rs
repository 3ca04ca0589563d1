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

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::{check, judge};

    #[test]
    fn stars_over_tables() {
        check(
            "select-star",
            "",
            &[
                ("SELECT * FROM logs", &["warn 1:8"]),
                ("SELECT l.* FROM logs l", &["warn 1:8"]),
                ("SELECT * FROM (SELECT id FROM logs)", &[]),
                ("SELECT count(*) FROM logs", &[]),
                ("SELECT 1 FROM shop.orders o WHERE EXISTS (SELECT * FROM logs l WHERE l.id = o.id)", &[]),
                ("SELECT * FROM (VALUES 1) t(a)", &[]),
            ],
        );
    }

    #[test]
    fn the_names_are_offered() {
        let fix = |sql: &str| judge("", sql).findings.into_iter().find_map(|finding| finding.fix).map(|fix| fix.sql);
        assert_eq!(fix("SELECT * FROM shop.orders").as_deref(), Some("SELECT id, customer_id, total FROM shop.orders"));
        // Of blocked columns only the others.
        assert_eq!(
            fix("SELECT c.*, 1 AS one FROM shop.customers c").as_deref(),
            Some("SELECT id, city, 1 AS one FROM shop.customers c")
        );
        assert_eq!(fix("SELECT email FROM shop.customers"), None);
        assert_eq!(fix("SELECT id, /* who */ email FROM shop.customers").as_deref(), Some("SELECT id FROM shop.customers"));
    }
}
