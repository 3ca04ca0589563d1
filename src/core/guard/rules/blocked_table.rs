//! `blocked-table`: tables that the book does not let anybody read, or that are not on its list. Tables behind views count too.
//!
//! Keys: `athena.tables.deny`, `athena.tables.allow`: names as `db.table` or `catalog.db.table`, with `*` and `?` inside each
//! part. An empty `allow` means all; a runbook's list comes on top of the book's. The rule cannot be lowered.

use crate::core::book::Placed;
use crate::core::guard::case::Case;
use crate::core::guard::glob::matches_parts;
use crate::core::guard::{Finding, Level, Rule};
use crate::core::sql::analysis::TableUse;

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let rules = &case.world.guardrails.athena.tables;
    for table in &case.analysis.tables {
        let name = case.table_name(table);
        let denied = rules.deny.iter().find(|pattern| matches(case, pattern, table));
        let missing = rules.allow.iter().find(|list| !list.iter().any(|pattern| matches(case, pattern, table)));
        let (why, set_in) = match (denied, missing) {
            (Some(pattern), _) => {
                (format!("the book denies `{}`", crate::core::text::visible(pattern)), Some(pattern.place.to_string()))
            }
            (None, Some(list)) => {
                ("it is not on the list of allowed tables".to_owned(), list.first().map(|pattern| pattern.place.to_string()))
            }
            (None, None) => continue,
        };
        let via = table.via.and_then(|id| case.table(id)).map(|view| format!(" (read by view {})", case.table_name(view)));
        let message = format!("{name}{} may not be read: {why}", via.unwrap_or_default());
        let finding = Finding::new(Rule::BlockedTable, Level::Block, message).about(&name).set_in(set_in);
        findings.push(finding.at_some(case.places, table.places.first().copied()));
    }
}

fn matches(case: &Case<'_>, pattern: &Placed<String>, table: &TableUse) -> bool {
    let parts = [table.catalog.as_str(), table.schema.as_str(), table.name.as_str()];
    let local = table.catalog.eq_ignore_ascii_case(case.world.catalog_name);
    pattern.value == "*"
        || matches_parts(pattern, parts.iter().copied())
        // Two parts mean the usual data catalog.
        || (local && matches_parts(pattern, parts.iter().skip(1).copied().collect::<Vec<_>>().into_iter()))
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::{check, judge, lines};

    #[test]
    fn lists_of_tables_hold_behind_views_too() {
        check(
            "blocked-table",
            "  athena: { tables: { deny: [\"shop.c*\"] } }\n",
            &[
                ("SELECT id FROM logs", &[]),
                ("SELECT id FROM shop.orders", &[]),
                ("SELECT city FROM shop.customers", &["block shop.customers 1:18"]),
                ("SELECT id FROM LAKE.Shop.Customers c", &["block shop.customers 1:16"]),
                ("SELECT id FROM shop.contacts", &["block shop.contacts 1:16", "block shop.customers 1:16"]),
            ],
        );
        check(
            "blocked-table",
            "  athena: { tables: { allow: [lake.web.logs, shop.orders] } }\n",
            &[
                ("SELECT id FROM logs", &[]),
                ("SELECT o.id FROM shop.orders o, shop.customers c WHERE o.customer_id = c.id", &["block shop.customers 1:33"]),
            ],
        );
    }

    #[test]
    fn nobody_can_lower_it() {
        let rules = "  levels: { select-star: off }\n  athena: { tables: { deny: [\"*\"] } }\n";
        assert_eq!(lines(&judge(rules, "SELECT id FROM logs"), "blocked-table"), ["block web.logs 1:16"]);
    }
}
