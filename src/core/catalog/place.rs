//! Where the files of a partition are.

use std::fmt::Write as _;

use super::{Partition, Table};

/// Hive's name of the partition whose value is NULL.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The location of a partition's files: its own, or Hive's path below the table's. `None` where the table has no location.
pub fn location(table: &Table, partition: &Partition) -> Option<String> {
    if let Some(own) = &partition.location {
        return Some(own.clone());
    }
    let mut place = table.location.clone()?;
    for (key, value) in table.partition_keys.iter().zip(&partition.values) {
        if !place.is_empty() && !place.ends_with('/') {
            place.push('/');
        }
        escape(&key.name, &mut place);
        place.push('=');
        escape(value.as_deref().unwrap_or(DEFAULT_PARTITION), &mut place);
    }
    Some(place)
}

/// Hive's escaping of names and values in paths (`FileUtils.escapePathName` of Apache Hive).
fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            let _ = write!(into, "%{:02X}", u32::from(c));
        } else {
            into.push(c);
        }
    }
}

/// A value as it was before Hive's escaping.
pub fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::catalog::read_catalog;

    #[test]
    fn partitions_lie_below_their_table() {
        let yaml = br"
catalog: v1
name: lake
tables:
  web.logs:
    location: s3://b/logs
    columns: [{ name: a, type: bigint }]
    partition_keys: [{ name: day, type: varchar }, { name: region, type: varchar }]
    partitions:
      - { values: ['2026/11/01', null] }
      - { values: ['2026/11/02', eu], location: 's3://other/x/' }
";
        let catalog = read_catalog("c.yaml", yaml, "").whole().unwrap();
        let table = catalog.table(None, "web.logs").unwrap();
        let places: Vec<_> = table.partitions.iter().flatten().map(|p| location(table, p).unwrap()).collect();
        assert_eq!(places, ["s3://b/logs/day=2026%2F11%2F01/region=__HIVE_DEFAULT_PARTITION__", "s3://other/x/"]);
    }
}
