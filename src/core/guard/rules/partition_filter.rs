//! `partition-filter`: a table may be read only with a predicate that really leaves out partitions. `day = day` does not, nor does
//! one under OR with another column, nor one that every partition satisfies.
//!
//! Key: `athena.require_partition`, a list of `db.table.column`; a book's and a runbook's lists add up. A column that is no
//! partition key of its table can never be satisfied, and the message says so.

use crate::core::estimate::restricts;
use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::PartitionFilter).value;
    if level == Level::Off {
        return;
    }
    for required in &case.world.guardrails.athena.require_partition {
        for scan in &case.analysis.scans {
            let Some(used) = case.table(scan.table) else { continue };
            let local = case.table_name(used);
            let full = format!("{}.{}.{}", used.catalog, used.schema, used.name);
            if required.value.table != local && required.value.table != full {
                continue;
            }
            let column = &required.value.column;
            let table = case.session.table(used);
            let is_key = table.is_some_and(|table| table.partition_keys.iter().any(|key| key.name == *column));
            if table.is_some_and(|table| restricts(case.session, table, &scan.conjuncts, column)) {
                continue;
            }
            let message = if is_key {
                format!("{local} may only be read with a predicate on `{column}` that leaves out partitions")
            } else {
                format!("{local} may only be read with a predicate on `{column}`, but that is no partition key in the catalog")
            };
            let finding = Finding::new(Rule::PartitionFilter, level, message).about(format!("{local}.{column}"));
            findings.push(finding.set_in(Some(required.place.to_string())).at(case.places, scan.place));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::{check, judge, judge_with, lines, params};

    const RULES: &str = "  athena: { require_partition: [web.logs.day] }\n";

    #[test]
    fn only_what_leaves_out_partitions_counts() {
        let block: &[&str] = &["block web.logs.day 1:16"];
        check(
            "partition-filter",
            RULES,
            &[
                ("SELECT id FROM logs", block),
                ("SELECT id FROM logs WHERE day = '2026/11/19'", &[]),
                ("SELECT id FROM logs WHERE day > '2026/11/18'", &[]),
                ("SELECT id FROM logs WHERE day BETWEEN '2026/11/18' AND '2026/11/18'", &[]),
                ("SELECT id FROM logs WHERE day IN ('2026/11/18', '2026/11/19')", &[]),
                ("SELECT id FROM logs WHERE day LIKE '2026/11/18%'", &[]),
                ("SELECT id FROM logs WHERE substr(day, 1, 10) = '2026/11/18'", &[]),
                ("SELECT id FROM logs WHERE date_parse(day, '%Y/%m/%d') > timestamp '2026-11-18 00:00:00'", &[]),
                ("SELECT id FROM logs WHERE NOT day < '2026/11/19'", &[]),
                ("SELECT id FROM logs WHERE day = day", block),
                ("SELECT id FROM logs WHERE day >= '2000/01/01'", block),
                ("SELECT id FROM logs WHERE day LIKE '%'", block),
                ("SELECT id FROM logs WHERE day = '2026/11/19' OR status = 500", block),
                ("SELECT id FROM logs WHERE day = path", block),
                ("SELECT id FROM logs WHERE country = 'de'", block),
                ("SELECT id FROM logs WHERE day IS NOT NULL", block),
                ("SELECT id FROM shop.orders", &[]),
            ],
        );
        check(
            "partition-filter",
            RULES,
            &[
                ("SELECT a.id FROM logs a JOIN logs b ON a.id = b.id WHERE a.day = '2026/11/19'", &["block web.logs.day 1:30"]),
                ("SELECT a.id FROM logs a JOIN logs b ON a.id = b.id AND a.day = b.day WHERE a.day = '2026/11/19'", &[]),
                ("WITH l AS (SELECT * FROM logs) SELECT id FROM l WHERE day = '2026/11/19'", &[]),
            ],
        );
    }

    #[test]
    fn parameters_count_and_places_are_the_authors() {
        let judgement = judge_with(RULES, "SELECT id FROM logs WHERE day = :day", &params());
        assert_eq!(lines(&judgement, "partition-filter"), Vec::<String>::new());
        assert_eq!(judgement.canonical.as_deref(), Some("SELECT id FROM logs WHERE day = '2026/11/19'"));
        let judgement = judge_with(RULES, "SELECT :ids FROM logs", &params());
        assert!(!judgement.analysed);
        let judgement = judge_with(RULES, "SELECT id\nFROM logs WHERE id IN :ids AND :n = id AND id = idd", &params());
        let finding = &judgement.findings[0];
        assert_eq!(finding.span.unwrap().start.column, 49, "{finding:?}");
        assert_eq!(finding.sent_span.unwrap().start.column, 51, "{finding:?}");
    }

    #[test]
    fn the_newest_partition_is_offered() {
        for (sql, expected) in [
            ("SELECT id FROM logs", "SELECT id FROM logs WHERE day = '2026/11/19'"),
            (
                "SELECT l.id FROM (logs) l -- all\nWHERE (status = 500 OR status = 502)\nLIMIT 5",
                "SELECT l.id FROM (logs) l -- all\nWHERE day = '2026/11/19' AND ((status = 500 OR status = 502))\nLIMIT 5",
            ),
            (
                "SELECT 1 FROM shop.orders o JOIN logs ON logs.id = o.id",
                "SELECT 1 FROM shop.orders o JOIN logs ON logs.id = o.id WHERE logs.day = '2026/11/19'",
            ),
        ] {
            let judgement = judge(RULES, sql);
            let finding = judgement.findings.iter().find(|finding| finding.rule.name() == "partition-filter").unwrap();
            assert_eq!(finding.fix.as_ref().map(|fix| fix.sql.as_str()), Some(expected));
        }
    }
}
