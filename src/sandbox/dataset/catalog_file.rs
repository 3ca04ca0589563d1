//! Writes `catalog.yaml`: the facts on which plans and estimates rest, without looking at a file.

use std::fmt::Write as _;
use std::fs;

use super::file::DatasetError;
use super::lake::{Lake, LakeTable, Partition};
use super::schema::{CATALOG, Column};

/// The file's name in the data folder; the shipped book names it `${sandbox}/catalog.yaml`.
pub const FILE_NAME: &str = "catalog.yaml";

/// Writes the catalog beside the data, at once: a reader sees the old one or the new one.
pub(super) fn write(lake: &Lake) -> Result<(), DatasetError> {
    let path = lake.root.join(FILE_NAME);
    let making = lake.root.join(format!(".making-{FILE_NAME}"));
    let failed = |source| DatasetError::Write { path: path.clone(), source };
    fs::write(&making, render(lake)).map_err(failed)?;
    fs::rename(&making, &path).map_err(failed)
}

/// The catalog as YAML. Strings are written as JSON has them, which YAML reads too.
pub(super) fn render(lake: &Lake) -> String {
    let mut out = String::with_capacity(1 << 17);
    out.push_str("# Written by the sandbox when its data is complete. Do not edit: the next start writes it anew.\n");
    let _ = writeln!(out, "catalog: v1\nname: {}\ntaken_at: {}\ntables:", CATALOG.to_lowercase(), lake.taken_at);
    for table in &lake.tables {
        write_table(&mut out, table);
    }
    out
}

fn write_table(out: &mut String, lake: &LakeTable) {
    let table = lake.table;
    let _ = writeln!(out, "  {}:\n    format: parquet\n    location: {}\n    columns:", table.full_name(), table.location());
    for column in table.columns {
        write_column(out, column);
    }
    if !table.partition_keys.is_empty() {
        out.push_str("    partition_keys:\n");
        for column in table.partition_keys {
            write_column(out, column);
        }
    }
    out.push_str("    partitions:\n");
    for partition in &lake.partitions {
        write_partition(out, partition);
    }
}

fn write_column(out: &mut String, column: &Column) {
    let _ = write!(out, "      - {{ name: {}, type: {}", quoted(column.name), quoted(column.trino));
    if !column.tags.is_empty() {
        let tags: Vec<String> = column.tags.iter().map(|tag| quoted(tag)).collect();
        let _ = write!(out, ", tags: [{}]", tags.join(", "));
    }
    out.push_str(" }\n");
}

fn write_partition(out: &mut String, partition: &Partition) {
    let values = partition.day.map(|day| quoted(&day.to_string())).unwrap_or_default();
    let _ = write!(
        out,
        "      - {{ values: [{values}], files: {}, bytes: {}, rows: {}, column_bytes: {{ ",
        partition.files.len(),
        partition.bytes(),
        partition.rows()
    );
    for (index, (column, bytes)) in partition.column_bytes.iter().enumerate() {
        let _ = write!(out, "{}{}: {bytes}", if index > 0 { ", " } else { "" }, quoted(column));
    }
    out.push_str(" } }\n");
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
