//! `service-plan`: what the service's own plan scans must be among what we say that the statement reads. Asked by
//! `EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON)`, which reads no data; where a target has `service_plan: on`. It may only add refusals:
//! the plan comes after optimisation, and what it left out may still be read by the statement.
//!
//! The form was taken from a Trino 476 server: fragments by number, each a tree of nodes; a scan has `descriptor.table`
//! (`catalog:schema:table`), and in `details` one line a column, `symbol := handle`. Handles are written by connectors, each in its
//! own way; one that is not known here is a refusal.

use serde_json::Value;

use super::{Finding, Level, Rule, TableRead};
use crate::core::text::visible;

/// A plan's deepest node, and its most nodes: more is refused.
const MOST_DEPTH: usize = 500;
const MOST_NODES: usize = 20_000;

/// One table that the service's plan scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceScan {
    /// `catalog.schema.table`, lower case.
    pub table: String,
    /// Columns; fields of structs as `profile.ssn`. Lower case.
    pub columns: Vec<String>,
}

/// A plan that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServicePlanError(String);

/// The prefix that asks for the plan of a statement.
pub const EXPLAIN: &str = "EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON)\n";

/// Who wrote a plan, and so its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanForm {
    /// Athena: JSON.
    Trino,
    /// The sandbox: DataFusion's logical plan, one node a line.
    Sandbox,
}

/// Compares the service's plan with what we say is read. `reads` are a judgement's, `catalog` is the data catalog of its two-part
/// names, `database` that of one-part names in the sandbox's plans. What cannot be read or compared blocks.
pub fn compare_service_plan(plan: &str, form: PlanForm, reads: &[TableRead], catalog: &str, database: &str) -> Vec<Finding> {
    let block = |message: String| Finding::new(Rule::ServicePlan, Level::Block, message);
    let scans = match form {
        PlanForm::Trino => service_scans(plan),
        PlanForm::Sandbox => sandbox_scans(plan, catalog, database),
    };
    let scans = match scans {
        Ok(scans) => scans,
        Err(error) => return vec![block(format!("the service's own plan cannot be compared: {error}"))],
    };
    let mut findings = Vec::new();
    for scan in scans {
        let own = reads.iter().find(|read| full_name(&read.table, catalog) == scan.table);
        let Some(own) = own else {
            let table = visible(&scan.table).into_owned();
            findings.push(block(format!("the service's own plan reads table {table}, and ours does not")).about(table));
            continue;
        };
        for column in &scan.columns {
            if !own.columns.iter().any(|known| covers(known, column)) {
                let column = visible(&format!("{}.{column}", own.table)).into_owned();
                findings.push(block(format!("the service's own plan reads column {column}, and ours does not")).about(column));
            }
        }
    }
    findings
}

/// Whether what we say is read, `known`, is the service's `column`: the same, a field of it, or a parent that holds it.
fn covers(known: &str, column: &str) -> bool {
    known.split('.').zip(column.split('.')).all(|(a, b)| a == b)
}

fn full_name(table: &str, catalog: &str) -> String {
    let parts = table.split('.').count();
    if parts > 2 { table.to_lowercase() } else { format!("{}.{table}", catalog.to_lowercase()) }
}

/// The scans of a plan in JSON.
///
/// # Errors
/// Text that is no such plan, and handles that are not known.
pub fn service_scans(plan: &str) -> Result<Vec<ServiceScan>, ServicePlanError> {
    let error = |what: &str| ServicePlanError(what.to_owned());
    let plan: Value = serde_json::from_str(plan).map_err(|_| error("it is not JSON"))?;
    let fragments = plan.as_object().filter(|map| !map.is_empty()).ok_or_else(|| error("it has no fragments"))?;
    // A plan of one fragment may come without its number.
    let mut open: Vec<(&Value, usize)> =
        if fragments.contains_key("name") { vec![(&plan, 0)] } else { fragments.values().map(|node| (node, 0)).collect() };
    let mut scans = Vec::new();
    let mut count = 0usize;
    while let Some((node, depth)) = open.pop() {
        count += 1;
        if depth > MOST_DEPTH || count > MOST_NODES {
            return Err(error("it is too large"));
        }
        let name = node.get("name").and_then(Value::as_str).ok_or_else(|| error("a node has no name"))?;
        let table = node.pointer("/descriptor/table").and_then(Value::as_str);
        match table {
            Some(table) => scans.push(scan(node, table)?),
            None if name.contains("Scan") || name.starts_with("Index") => {
                return Err(ServicePlanError(format!("{} names no table", visible(name))));
            }
            None => {}
        }
        let children = node.get("children").and_then(Value::as_array);
        open.extend(children.into_iter().flatten().map(|child| (child, depth + 1)));
    }
    Ok(scans)
}

/// The scans of DataFusion's logical plan: `TableScan: alb_logs projection=[order_id, day], …`.
fn sandbox_scans(plan: &str, catalog: &str, database: &str) -> Result<Vec<ServiceScan>, ServicePlanError> {
    if plan.trim().is_empty() {
        return Err(ServicePlanError("it is empty".to_owned()));
    }
    let lines = plan.lines().filter_map(|line| line.trim_start().strip_prefix("TableScan: "));
    lines
        .map(|scan| {
            let unknown = || ServicePlanError(format!("{} is not understood", visible(scan)));
            let (table, rest) = scan.split_once(" projection=[").ok_or_else(unknown)?;
            let (columns, _) = rest.split_once(']').ok_or_else(unknown)?;
            let parts: Vec<&str> = table.split('.').collect();
            let table = match parts.as_slice() {
                [table] => format!("{catalog}.{database}.{table}"),
                [database, table] => format!("{catalog}.{database}.{table}"),
                [_, _, _] => table.to_owned(),
                _ => return Err(unknown()),
            };
            let columns = columns.split(", ").filter(|column| !column.is_empty()).map(str::to_lowercase).collect();
            Ok(ServiceScan { table: table.to_lowercase(), columns })
        })
        .collect()
}

fn scan(node: &Value, table: &str) -> Result<ServiceScan, ServicePlanError> {
    let name = table_name(table).ok_or_else(|| ServicePlanError(format!("table {} is not understood", visible(table))))?;
    let mut columns = Vec::new();
    for detail in node.get("details").and_then(Value::as_array).into_iter().flatten() {
        let detail = detail.as_str().ok_or_else(|| ServicePlanError("a detail is no text".to_owned()))?;
        // Lines without `:=` are constraints on partition keys, which every scan of a partitioned table has.
        let Some((_, handle)) = detail.split_once(" := ") else { continue };
        match column(handle) {
            Handle::Column(column) => columns.push(column),
            Handle::Expression => {}
            Handle::Unknown => return Err(ServicePlanError(format!("column {} is not understood", visible(handle)))),
        }
    }
    columns.sort();
    columns.dedup();
    Ok(ServiceScan { table: name, columns })
}

/// `catalog:schema:table`, or `catalog:schema.table` as metadata tables have it.
fn table_name(handle: &str) -> Option<String> {
    let (catalog, rest) = handle.split_once(':')?;
    if let Some(inner) = rest.strip_prefix("InformationSchemaTableHandle[") {
        let table = inner.split(", ").find_map(|part| part.strip_prefix("table="))?;
        return Some(format!("{catalog}.information_schema.{table}").to_lowercase());
    }
    let (schema, table) = rest.split_once(':').or_else(|| rest.split_once('.'))?;
    // Anything behind the table's name is said of the scan, not of another table.
    let table = table.split([' ', ':']).next()?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['[', '{', '=', '(']);
    let all = [catalog, schema, table].into_iter().all(plain);
    all.then(|| format!("{catalog}.{schema}.{table}").to_lowercase())
}

enum Handle {
    Column(String),
    /// A computed value: its inputs have lines of their own.
    Expression,
    Unknown,
}

/// What stands behind `:=`.
fn column(handle: &str) -> Handle {
    let named = |name: &str| Handle::Column(name.replace('#', ".").to_lowercase());
    // Hive: `profile#ssn:string:REGULAR`.
    if let Some((rest, "REGULAR" | "PARTITION_KEY" | "SYNTHESIZED")) = handle.rsplit_once(':') {
        return rest.split_once(':').map_or(Handle::Unknown, |(name, _)| named(name));
    }
    if let Some(inner) = handle.strip_prefix("InformationSchemaColumnHandle[columnName=") {
        return inner.strip_suffix(']').map_or(Handle::Unknown, named);
    }
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '#'));
    match handle.split_once(':') {
        // Iceberg: `1:order_id:varchar`.
        Some((id, rest)) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => match rest.split_once(':') {
            Some((name, _)) => named(name),
            None => Handle::Unknown,
        },
        // Others: `tpch:name`.
        Some((connector, name)) if word(connector) && word(name) => named(name),
        // A metadata table's column stands alone, and so does a symbol that is passed on: then it has its own line as well.
        None if word(handle) => named(handle),
        // A function, a cast, an operator, a text: computed.
        _ if handle.contains(['(', '\'', ' ']) => Handle::Expression,
        _ => Handle::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan of one scan under an output, as the server writes it.
    fn plan(table: &str, details: &[&str]) -> String {
        serde_json::json!({
            "0": {"id": "1", "name": "Output", "descriptor": {}, "outputs": [], "details": [], "children": [
                {"id": "2", "name": "ScanFilterProject", "descriptor": {"table": table, "filterPredicate": ""},
                 "outputs": [], "details": details, "children": []}]},
            "1": {"id": "3", "name": "RemoteSource", "descriptor": {"sourceFragmentIds": "[1]"}, "details": [], "children": []}
        })
        .to_string()
    }

    fn read(table: &str, columns: &[&str]) -> TableRead {
        TableRead { table: table.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), partitions: None }
    }

    #[test]
    fn handles_of_connectors_are_read() {
        for (table, detail, expected) in [
            ("lake:web:logs", "order_id_5 := order_id:string:REGULAR", "lake.web.logs(order_id)"),
            ("lake:web:logs", "profile_ssn := profile#ssn:string:REGULAR", "lake.web.logs(profile.ssn)"),
            ("lake:web:logs", "path_4 := $path:string:SYNTHESIZED", "lake.web.logs($path)"),
            ("lake:web:logs", "p := p:struct<a:string,b:decimal(3,2)>:REGULAR", "lake.web.logs(p)"),
            ("lake:web:logs", "day:string:PARTITION_KEY", "lake.web.logs()"),
            ("lake:web:logs", "    :: [[2026/11/20]]", "lake.web.logs()"),
            ("lake:web:logs", "u := upper(order_id_5)", "lake.web.logs()"),
            ("ice:web:Logs", "a := 1:Order_Id:varchar", "ice.web.logs(order_id)"),
            ("tpch:tiny:nation", "name := tpch:name", "tpch.tiny.nation(name)"),
            ("lake:web.logs$partitions", "day := day", "lake.web.logs$partitions(day)"),
            (
                "lake:InformationSchemaTableHandle[catalogName=lake, table=TABLES, prefixes=[lake.*.*], limit=OptionalLong.empty]",
                "table_name := InformationSchemaColumnHandle[columnName=table_name]",
                "lake.information_schema.tables(table_name)",
            ),
        ] {
            let scans = service_scans(&plan(table, &[detail])).unwrap();
            let shown: Vec<String> = scans.iter().map(|scan| format!("{}({})", scan.table, scan.columns.join(" "))).collect();
            assert_eq!(shown, [expected], "{table} {detail}");
        }
    }

    #[test]
    fn more_than_we_know_blocks() {
        let reads = [read("web.logs", &["order_id", "profile.ssn"]), read("other.db.t", &["a"])];
        for (table, details, expected) in [
            ("awsdatacatalog:web:logs", &["a := order_id:string:REGULAR"][..], None),
            ("awsdatacatalog:web:logs", &["a := profile#ssn:string:REGULAR"], None),
            ("awsdatacatalog:web:logs", &["a := profile:struct<ssn:string>:REGULAR"], None),
            ("other:db:t", &["a := 1:a:varchar"], None),
            ("awsdatacatalog:web:logs", &["a := profile#age:int:REGULAR"], Some("column web.logs.profile.age")),
            ("awsdatacatalog:web:logs", &["a := ssn:string:REGULAR"], Some("column web.logs.ssn")),
            ("awsdatacatalog:web:hidden", &[], Some("table awsdatacatalog.web.hidden")),
            ("other:web:logs", &[], Some("table other.web.logs")),
            ("awsdatacatalog:web:logs", &["a := ColumnHandle{order_id}"], Some("not understood")),
            ("HiveTableHandle{schemaName=web}", &[], Some("not understood")),
        ] {
            let findings = compare_service_plan(&plan(table, details), PlanForm::Trino, &reads, "AwsDataCatalog", "web");
            match expected {
                None => assert_eq!(findings, [], "{table} {details:?}"),
                Some(part) => {
                    assert_eq!(findings.len(), 1, "{table} {details:?}");
                    assert!(findings[0].message.contains(part), "{}", findings[0].message);
                    assert_eq!((findings[0].rule, findings[0].level), (Rule::ServicePlan, Level::Block));
                }
            }
        }
    }

    #[test]
    fn the_sandbox_says_what_it_scans() {
        let reads = [read("web.logs", &["order_id", "day"]), read("shop.orders", &["id"])];
        for (plan, expected) in [
            ("Sort: hits DESC\n  TableScan: logs projection=[order_id, day], full_filters=[logs.day = Utf8(\"x\")]", 0),
            ("TableScan: shop.orders projection=[id]\nTableScan: awsdatacatalog.web.logs projection=[]", 0),
            ("EmptyRelation", 0),
            ("TableScan: orders projection=[id]", 1),
            ("TableScan: logs projection=[order_id, ssn]", 1),
            ("TableScan: logs", 1),
            ("", 1),
        ] {
            let findings = compare_service_plan(plan, PlanForm::Sandbox, &reads, "awsdatacatalog", "web");
            assert_eq!(findings.len(), expected, "{plan}: {findings:?}");
        }
    }

    #[test]
    fn what_is_no_plan_blocks() {
        let deep = format!("{}1{}", r#"{"name":"x","children":["#.repeat(600), "]}".repeat(600));
        for text in ["", "{}", "[]", "null", "Fragment 0 [SINGLE]", r#"{"0":{}}"#, r#"{"0":{"name":"TableScan"}}"#, &deep] {
            assert_eq!(compare_service_plan(text, PlanForm::Trino, &[], "c", "d").len(), 1, "{text:.60}");
        }
    }
}
