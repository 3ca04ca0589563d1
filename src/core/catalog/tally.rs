//! Adding a listing up: which objects belong to which partition of a table, and how much they are. Object by object, so that a bucket
//! of any size fits.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::hive;
use super::projection::Projected;
use super::{Partition, Table};
use crate::core::units::Bytes;

/// How objects find their partition.
#[derive(Debug)]
enum Rule {
    /// By the location of the partitions that the catalog has; those below none are not read by anybody.
    Known(HashMap<String, Vec<Option<String>>>),
    /// By `key=value` in their path.
    Hive { root: String, keys: Vec<String> },
    /// By what the table projects.
    Projected(Box<Projected>),
    /// All of them are the table.
    Whole { root: String },
}

/// A partition being added up.
#[derive(Debug, Default)]
struct Sum {
    location: Option<String>,
    files: u64,
    bytes: u64,
}

/// What a listing adds up to so far.
#[derive(Debug)]
pub struct Tally {
    rule: Rule,
    sums: IndexMap<Vec<Option<String>>, Sum>,
    /// Files that belong to no partition, with their bytes.
    strays: (u64, u64),
}

impl Tally {
    /// For partitions whose locations are known: those of `partitions`, at their own location or at Hive's path.
    pub fn known(table: &Table, partitions: &[Partition]) -> Self {
        let mut sums = IndexMap::with_capacity(partitions.len());
        let mut places = HashMap::with_capacity(partitions.len());
        for partition in partitions {
            let Some(location) = location(table, partition) else { continue };
            places.insert(location, partition.values.clone());
            sums.insert(partition.values.clone(), Sum { location: partition.location.clone(), ..Sum::default() });
        }
        Self { rule: Rule::Known(places), sums, strays: (0, 0) }
    }

    /// For a table of whose partitions nothing is known but the names of their keys; without keys everything is one partition.
    pub fn found(table: &Table) -> Self {
        let root = folder(table.location.as_deref().unwrap_or_default());
        let keys: Vec<String> = table.partition_keys.iter().map(|key| key.name.clone()).collect();
        let rule = if keys.is_empty() { Rule::Whole { root } } else { Rule::Hive { root, keys } };
        let mut sums = IndexMap::new();
        if table.partition_keys.is_empty() {
            sums.insert(Vec::new(), Sum::default());
        }
        Self { rule, sums, strays: (0, 0) }
    }

    /// For a table whose partitions are projected. Only those that hold files are told.
    pub fn projected(projected: Projected) -> Self {
        Self { rule: Rule::Projected(Box::new(projected)), sums: IndexMap::new(), strays: (0, 0) }
    }

    /// Counts an object by its address, `s3://bucket/key`. Folders' own markers and what Hive takes for the work of writers (names
    /// that begin with `_` or `.`) are no data.
    pub fn add(&mut self, address: &str, bytes: u64) {
        if address.ends_with('/') {
            return;
        }
        let found = match &self.rule {
            Rule::Known(places) => {
                // The longest location that the address begins with, a folder at a time.
                let ends = address.rmatch_indices('/').map(|(at, _)| at + 1);
                let mut hits = ends.filter_map(|end| Some((places.get(address.get(..end)?)?, end)));
                hits.next().map(|(values, end)| (values.clone(), None, end))
            }
            Rule::Hive { root, keys } => address.strip_prefix(root.as_str()).and_then(|path| {
                let names: Vec<&str> = keys.iter().map(String::as_str).collect();
                let (values, length) = hive::read_path(path, &names)?;
                let end = root.len() + length;
                // A path that is not what Hive would write must be kept as it is.
                let own = hive::partition_path(names.into_iter().zip(values.iter().map(Option::as_deref)));
                let location =
                    (path.get(..length) != Some(own.as_str())).then(|| address.get(..end).unwrap_or_default().to_owned());
                Some((values, location, end))
            }),
            Rule::Projected(projected) => projected.partition_of(address).map(|(values, location)| {
                let end = location.len();
                (values.into_iter().map(Some).collect(), Some(location), end)
            }),
            Rule::Whole { root } => address.starts_with(root.as_str()).then(|| (Vec::new(), None, root.len())),
        };
        let Some((values, location, end)) = found else {
            self.strays = (self.strays.0 + 1, self.strays.1.saturating_add(bytes));
            return;
        };
        if address.get(end..).unwrap_or_default().split('/').any(|name| name.starts_with(['_', '.'])) {
            return;
        }
        let sum = self.sums.entry(values).or_insert_with(|| Sum { location, ..Sum::default() });
        sum.files += 1;
        sum.bytes = sum.bytes.saturating_add(bytes);
    }

    /// The partitions, those of the catalog in its order, others in the order of the listing; with the number of files that belong
    /// to none and their bytes.
    pub fn finish(self) -> (Vec<Partition>, (u64, u64)) {
        let one = |(values, sum): (Vec<Option<String>>, Sum)| Partition {
            values,
            location: sum.location,
            files: Some(sum.files),
            bytes: Some(Bytes(sum.bytes)),
            ..Partition::default()
        };
        (self.sums.into_iter().map(one).collect(), self.strays)
    }
}

/// Where a partition's files are, as a folder: its own location, or Hive's path below the table's.
pub fn location(table: &Table, partition: &Partition) -> Option<String> {
    if let Some(own) = &partition.location {
        return Some(folder(own));
    }
    let keys = table.partition_keys.iter().map(|key| key.name.as_str());
    let path = hive::partition_path(keys.zip(partition.values.iter().map(Option::as_deref)));
    Some(folder(table.location.as_deref()?) + &path)
}

fn folder(location: &str) -> String {
    if location.ends_with('/') { location.to_owned() } else { format!("{location}/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::catalog::read_catalog;

    const YAML: &str = "catalog: v1
name: lake
tables:
  web.logs:
    location: s3://b/logs
    columns: [{ name: a, type: bigint }]
    partition_keys: [{ name: day, type: varchar }, { name: region, type: varchar }]
    partitions:
      - { values: ['2026/11/01', null] }
      - { values: ['2026/11/02', eu], location: 's3://other/x' }
  web.plain:
    location: s3://b/plain/
    columns: [{ name: a, type: bigint }]
";

    fn table(name: &str) -> Table {
        read_catalog("c.yaml", YAML.as_bytes(), "").whole().unwrap().table(None, name).unwrap().clone()
    }

    fn shown(partitions: &[Partition]) -> Vec<String> {
        let one = |p: &Partition| {
            let values: Vec<&str> = p.values.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
            let place = p.location.as_deref().unwrap_or("-");
            format!("{} {} {} {place}", values.join("|"), p.files.unwrap(), p.bytes.unwrap().0)
        };
        partitions.iter().map(one).collect()
    }

    #[test]
    fn known_partitions_take_what_lies_at_their_location() {
        let table = table("web.logs");
        let mut tally = Tally::known(&table, table.partitions.as_deref().unwrap());
        for (address, bytes) in [
            ("s3://b/logs/day=2026%2F11%2F01/region=__HIVE_DEFAULT_PARTITION__/a", 5),
            ("s3://b/logs/day=2026%2F11%2F01/region=__HIVE_DEFAULT_PARTITION__/deep/b", 6),
            ("s3://b/logs/day=2026%2F11%2F01/region=__HIVE_DEFAULT_PARTITION__/_SUCCESS", 100),
            ("s3://b/logs/day=2026%2F11%2F01/region=__HIVE_DEFAULT_PARTITION__/", 0),
            ("s3://b/logs/day=2026%2F11%2F02/region=eu/a", 7),
            ("s3://other/x/a", 0),
            ("s3://other/xy/a", 8),
        ] {
            tally.add(address, bytes);
        }
        let (partitions, strays) = tally.finish();
        assert_eq!(shown(&partitions), ["2026/11/01|NULL 2 11 -", "2026/11/02|eu 1 0 s3://other/x"]);
        assert_eq!(strays, (2, 15));
    }

    #[test]
    fn paths_name_partitions_that_no_catalog_has() {
        let mut tally = Tally::found(&table("web.logs"));
        for (address, bytes) in [
            ("s3://b/logs/day=2026%2F11%2F03/region=eu/a", 1),
            ("s3://b/logs/day=2026%2f11%2f04/region=eu/a", 2),
            ("s3://b/logs/day=2026%2F11%2F03/region=eu/b", 3),
            ("s3://b/logs/day=2026%2F11%2F03/region=eu/.b.crc", 3),
            ("s3://b/logs/day=2026%2F11%2F03/a", 4),
            ("s3://b/logs2/day=1/region=2/a", 5),
        ] {
            tally.add(address, bytes);
        }
        let (partitions, strays) = tally.finish();
        let odd = "2026/11/04|eu 1 2 s3://b/logs/day=2026%2f11%2f04/region=eu/";
        assert_eq!(shown(&partitions), ["2026/11/03|eu 2 4 -", odd]);
        assert_eq!(strays, (2, 9));
    }

    #[test]
    fn a_table_without_keys_is_one_partition_even_when_it_is_empty() {
        let mut tally = Tally::found(&table("web.plain"));
        assert_eq!(shown(&Tally::found(&table("web.plain")).finish().0), [" 0 0 -"]);
        tally.add("s3://b/plain/a", 4);
        tally.add("s3://b/plain/_temporary/0/a", 4);
        assert_eq!(shown(&tally.finish().0), [" 1 4 -"]);
    }
}
