//! `hidden-read`: what tells values of a blocked column without naming it: metadata tables such as `"t$files"` (lowest and highest
//! values of columns), `$path` and `$partition` where a partition key is blocked, and table functions that pass a text on to
//! another system (`TABLE(system.query(…))`).

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};
use crate::core::sql::analysis::TableKind;

/// Hidden columns that hold values of partition keys.
const TELLING: [&str; 2] = ["$path", "$partition"];

/// Table functions whose arguments and results the analysis follows.
const FOLLOWED: [&str; 2] = ["sequence", "exclude_columns"];

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::HiddenRead);
    if level.value == Level::Off {
        return;
    }
    for table in case.analysis.tables.iter().filter(|table| table.kind == TableKind::Metadata) {
        let blocked = case.ground.blocked_behind(&table.catalog, &table.schema, &table.name);
        if let Some(first) = blocked.first() {
            let name = case.table_name(table);
            let message = format!("{name} tells values of its table's columns, and `{}` is blocked there", first.path.join("."));
            let mut finding = Finding::new(Rule::HiddenRead, level.value, message).about(&name);
            finding.set_in = first.set_in.clone();
            findings.push(finding.at_some(case.places, table.places.first().copied()));
        }
    }
    for column in case.analysis.columns.iter().filter(|column| column.hidden && column.read) {
        if !column.path.first().is_some_and(|name| TELLING.contains(&name.as_str())) {
            continue;
        }
        let Some(used) = case.table(column.table) else { continue };
        let Some(table) = case.session.table(used) else { continue };
        let blocked = case.ground.blocked(&used.catalog, &used.schema, &used.name);
        let key = blocked.iter().find(|b| table.partition_keys.iter().any(|key| b.path.first() == Some(&key.name)));
        if let Some(key) = key {
            let name = format!("{}.{}", case.table_name(used), column.path.join("."));
            let message = format!("{name} holds the value of partition key `{}`, which is blocked", key.path.join("."));
            let mut finding = Finding::new(Rule::HiddenRead, level.value, message).about(&name);
            finding.set_in = key.set_in.clone();
            findings.push(finding.at_some(case.places, column.places.first().map(|place| place.span)));
        }
    }
    for function in case.analysis.table_functions.iter().filter(|function| !FOLLOWED.contains(&function.name.as_str())) {
        let name = crate::core::text::visible(&function.name);
        let message = format!("nobody here can say what table function {name} reads");
        findings.push(
            Finding::new(Rule::HiddenRead, level.value, message)
                .about(name.as_ref())
                .set_in(level.set_in())
                .at(case.places, function.span),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn metadata_that_tells_values() {
        check(
            "hidden-read",
            "",
            &[
                ("SELECT id FROM logs", &[]),
                ("SELECT \"$path\" FROM logs", &["block web.logs.$path 1:8"]),
                ("SELECT \"$path\" FROM shop.customers", &[]),
                ("SELECT \"$file_size\" FROM logs", &[]),
                ("TABLE logs", &[]),
                ("SELECT * FROM \"logs$partitions\"", &["block web.logs$partitions 1:15"]),
                ("SELECT * FROM shop.\"customers$files\"", &["block shop.customers$files 1:15"]),
                ("SELECT * FROM shop.\"orders$files\"", &[]),
                ("SELECT * FROM TABLE(sequence(1, 3))", &[]),
            ],
        );
    }
}
