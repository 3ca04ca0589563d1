//! Writing `catalog.yaml`.

use std::fmt::Write as _;

use super::read::FORMATS;
use super::{Catalog, Column, DataCatalog, Partition, Table};

/// The catalog as a file that [`super::read_catalog`] reads back. Strings are written as JSON has them, which YAML reads too. Each
/// line of `remarks` becomes a comment at the top.
pub fn write_catalog(catalog: &Catalog, remarks: &[String]) -> String {
    let mut out = String::new();
    for remark in remarks {
        let _ = writeln!(out, "# {}", crate::core::text::visible(remark));
    }
    let own = catalog.catalogs.get(&catalog.name);
    let _ = writeln!(out, "catalog: v1\nname: {}", quoted(&catalog.name));
    if let Some(taken_at) = own.and_then(|own| own.taken_at) {
        let _ = writeln!(out, "taken_at: {taken_at}");
    }
    if let Some(own) = own {
        tables(&mut out, own, "");
    }
    let mut others = catalog.catalogs.iter().filter(|(name, _)| **name != catalog.name).peekable();
    if others.peek().is_some() {
        out.push_str("catalogs:\n");
    }
    for (name, facts) in others {
        let _ = writeln!(out, "  {}:", quoted(name));
        tables(&mut out, facts, "    ");
    }
    out
}

fn tables(out: &mut String, facts: &DataCatalog, indent: &str) {
    if facts.tables.is_empty() {
        let _ = writeln!(out, "{indent}tables: {{}}");
        return;
    }
    let _ = writeln!(out, "{indent}tables:");
    for (name, facts) in &facts.tables {
        let _ = writeln!(out, "{indent}  {}:", quoted(name));
        table(out, facts, &format!("{indent}    "));
    }
}

fn table(out: &mut String, table: &Table, indent: &str) {
    if let Some((word, _)) = table.format.and_then(|format| FORMATS.iter().find(|(_, known)| *known == format)) {
        let _ = writeln!(out, "{indent}format: {word}");
    }
    if let Some(location) = &table.location {
        let _ = writeln!(out, "{indent}location: {}", quoted(location));
    }
    if let Some(view) = &table.view {
        let _ = writeln!(out, "{indent}view: {}", quoted(view));
    }
    columns(out, "columns", &table.columns, indent);
    if !table.partition_keys.is_empty() {
        columns(out, "partition_keys", &table.partition_keys, indent);
    }
    let Some(partitions) = &table.partitions else { return };
    if partitions.is_empty() {
        let _ = writeln!(out, "{indent}partitions: []");
        return;
    }
    let _ = writeln!(out, "{indent}partitions:");
    for one in partitions {
        partition(out, one, indent);
    }
}

fn columns(out: &mut String, key: &str, columns: &[Column], indent: &str) {
    if columns.is_empty() {
        let _ = writeln!(out, "{indent}{key}: []");
        return;
    }
    let _ = writeln!(out, "{indent}{key}:");
    for column in columns {
        let _ = write!(out, "{indent}  - {{ name: {}, type: {}", quoted(&column.name), quoted(&column.column_type));
        if !column.tags.value.is_empty() {
            let tags: Vec<String> = column.tags.value.iter().map(|tag| quoted(tag)).collect();
            let _ = write!(out, ", tags: [{}]", tags.join(", "));
        }
        out.push_str(" }\n");
    }
}

fn partition(out: &mut String, partition: &Partition, indent: &str) {
    let values: Vec<String> =
        partition.values.iter().map(|value| value.as_deref().map_or_else(|| "null".to_owned(), quoted)).collect();
    let _ = write!(out, "{indent}  - {{ values: [{}]", values.join(", "));
    if let Some(location) = &partition.location {
        let _ = write!(out, ", location: {}", quoted(location));
    }
    for (key, number) in [("files", partition.files), ("bytes", partition.bytes.map(|bytes| bytes.0)), ("rows", partition.rows)] {
        if let Some(number) = number {
            let _ = write!(out, ", {key}: {number}");
        }
    }
    if !partition.column_bytes.is_empty() {
        let each: Vec<String> =
            partition.column_bytes.iter().map(|(name, bytes)| format!("{}: {}", quoted(name), bytes.0)).collect();
        let _ = write!(out, ", column_bytes: {{ {} }}", each.join(", "));
    }
    out.push_str(" }\n");
}

/// As JSON has it, in ASCII: YAML's printable characters are fewer than JSON's.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::catalog::read_catalog;

    const YAML: &str = r#"
catalog: v1
name: lake
taken_at: 2026-11-20T08:00:00Z
tables:
  web.logs:
    format: parquet
    location: s3://b/logs/
    columns: [{ name: a, type: bigint }, { name: who, type: "row(ssn varchar)", tags: [pii, x] }]
    partition_keys: [{ name: day, type: varchar }]
    partitions:
      - { values: ['2026/11/01'], files: 4, bytes: 9, rows: 2, column_bytes: { a: 5, who: 4 } }
      - { values: [null], location: 's3://b/else where/' }
  web.odd: { location: s3://b/odd/, columns: [], partitions: [] }
  web.view: { view: "SELECT \"a\" -- x\n FROM logs", columns: [{ name: a, type: bigint }] }
catalogs:
  tpch: { tables: { tiny.nation: { columns: [{ name: n, type: varchar }] } } }
"#;

    /// Without the places at which things were written.
    fn bare(mut catalog: Catalog) -> Catalog {
        for table in catalog.catalogs.values_mut().flat_map(|facts| facts.tables.values_mut()) {
            table.place = None;
            for column in table.columns.iter_mut().chain(&mut table.partition_keys) {
                column.tags.set_in = None;
            }
        }
        catalog
    }

    #[test]
    fn what_is_written_is_read() {
        let first = read_catalog("a.yaml", YAML.as_bytes(), "").whole().unwrap();
        let text = write_catalog(&first, &["Taken from\nproduction".to_owned()]);
        assert!(text.starts_with("# Taken from"), "{text}");
        let second = read_catalog("b.yaml", text.as_bytes(), "").whole().unwrap();
        assert_eq!(bare(second), bare(first));
    }

    proptest! {
        #[test]
        fn any_text_survives(value in "\\PC{0,12}", place in "[\\x20-\\x7e]{1,12}") {
            let mut catalog = read_catalog("a.yaml", YAML.as_bytes(), "").whole().unwrap();
            let table = catalog.catalogs.get_mut("lake").unwrap().tables.get_mut("web.logs").unwrap();
            table.location = Some(format!("s3://b/{place}"));
            table.partitions = Some(vec![Partition { values: vec![Some(value)], ..Partition::default() }]);
            let text = write_catalog(&catalog, &[]);
            let again = read_catalog("b.yaml", text.as_bytes(), "").whole().unwrap();
            prop_assert_eq!(bare(again), bare(catalog));
        }
    }
}
