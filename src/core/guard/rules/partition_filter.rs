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
