//! Which files an estimate would like to know: those of the partitions that a statement reads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::partitions::kept;
use super::scan::Session;
use crate::core::catalog::file::{File, Listing};
use crate::core::catalog::place::{DEFAULT_PARTITION, location, unescaped};
use crate::core::catalog::{Catalog, Format, Partition, Table};
use crate::core::sql::analysis::{Analysis, TableKind};

/// A place whose files an estimate would like to know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Need {
    /// Data catalog.
    pub catalog: String,
    /// `db.table`.
    pub table: String,
    /// The partition's values; `None`: the whole table, to learn which partitions it has.
    pub values: Option<Vec<Option<String>>>,
    /// Where the files are.
    pub location: String,
    /// Folder of the catalog file, for a relative location.
    pub base: String,
    /// How they are written.
    pub format: Option<Format>,
}

/// The partitions that a statement reads whose files nobody has looked at, each once. Views and tables without a location need nothing.
pub fn needs(session: &Session<'_>, analysis: &Analysis) -> Vec<Need> {
    let mut needs: IndexSet<Need> = IndexSet::new();
    for scan in &analysis.scans {
        let used = analysis.tables.get(usize::try_from(scan.table.0).unwrap_or(usize::MAX));
        let Some(used) = used.filter(|used| used.kind == TableKind::Table && !scan.versioned) else { continue };
        let Some(table) = session.table(used) else { continue };
        let need = |values: Option<Vec<Option<String>>>, location: String| Need {
            catalog: used.catalog.to_lowercase(),
            table: format!("{}.{}", used.schema, used.name).to_lowercase(),
            values,
            location,
            base: table.base.clone(),
            format: table.format,
        };
        // A table without keys is one partition, whether the catalog says so or not.
        let whole = (table.partition_keys.is_empty() && table.partitions.is_none()).then(Partition::default);
        let (kept, census) = kept(session, table, &scan.conjuncts);
        for partition in kept.into_iter().chain(&whole).filter(|partition| partition.objects.is_none()) {
            if let Some(location) = location(table, partition) {
                needs.insert(need(Some(partition.values.clone()), location));
            }
        }
        if let Some(location) = table.location.clone().filter(|_| census) {
            needs.insert(need(None, location));
        }
    }
    needs.into_iter().collect()
}

impl Catalog {
    /// Adds what was found of tables' files, each with its need.
    pub fn attach(&mut self, found: impl IntoIterator<Item = (Need, Arc<Listing>)>) {
        let mut by_table: IndexMap<(String, String), Vec<(Need, Arc<Listing>)>> = IndexMap::new();
        for (need, listing) in found {
            by_table.entry((need.catalog.clone(), need.table.clone())).or_default().push((need, listing));
        }
        for ((catalog, name), found) in by_table {
            if let Some(table) = self.catalogs.get_mut(&catalog).and_then(|data| data.tables.get_mut(&name)) {
                attach(table, found);
            }
        }
    }
}

fn attach(table: &mut Table, found: Vec<(Need, Arc<Listing>)>) {
    let (parts, whole): (Vec<_>, Vec<_>) = found.into_iter().partition(|(need, _)| need.values.is_some());
    let mut parts: HashMap<Vec<Option<String>>, Arc<Listing>> =
        parts.into_iter().filter_map(|(need, listing)| Some((need.values?, listing))).collect();
    if !parts.is_empty() {
        let partitions = table.partitions.get_or_insert_default();
        for partition in partitions.iter_mut() {
            if let Some(listing) = parts.remove(&partition.values) {
                partition.objects = Some(listing);
            }
        }
        // A table without keys whose catalog says no sizes.
        partitions.extend(parts.into_iter().map(|(values, listing)| Partition {
            values,
            objects: Some(listing),
            ..Partition::default()
        }));
    }
    // A folder that cannot be listed proves nothing.
    for (_, listing) in whole.iter().filter(|(_, listing)| listing.failure.is_none()) {
        census(table, listing);
    }
}

/// Learns from a listing of the whole table which partitions it has: those that the catalog lacks are added with their files.
fn census(table: &mut Table, found: &Listing) {
    let mut new: IndexMap<Vec<Option<String>>, Vec<File>> = IndexMap::new();
    for file in &found.files {
        let Some((values, name)) = placed(table, &file.name) else { continue };
        new.entry(values).or_default().push(File { name, ..file.clone() });
    }
    let partitions = table.partitions.get_or_insert_default();
    let known: HashSet<Vec<Option<String>>> = partitions.iter().map(|partition| partition.values.clone()).collect();
    partitions.extend(new.into_iter().filter(|(values, _)| !known.contains(values)).map(|(values, files)| {
        let listing = Listing { taken_at: found.taken_at, files, failure: None };
        Partition { values, objects: Some(Arc::new(listing)), ..Partition::default() }
    }));
    table.listed_at = found.taken_at;
}

/// The partition that a file of a Hive-style path belongs to, and its name there.
fn placed(table: &Table, path: &str) -> Option<(Vec<Option<String>>, String)> {
    let mut rest = path;
    let mut values = Vec::with_capacity(table.partition_keys.len());
    for key in &table.partition_keys {
        let (folder, after) = rest.split_once('/')?;
        let (name, value) = folder.split_once('=')?;
        if !name.eq_ignore_ascii_case(&key.name) {
            return None;
        }
        values.push((value != DEFAULT_PARTITION).then(|| unescaped(value)));
        rest = after;
    }
    Some((values, rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::catalog::file::Content;
    use crate::core::catalog::read_catalog;
    use crate::core::units::Timestamp;

    const CATALOG: &str = "
catalog: v1
name: lake
tables:
  web.logs:
    format: csv
    location: logs/
    columns: [{ name: a, type: bigint }]
    partition_keys: [{ name: day, type: varchar }, { name: region, type: varchar }]
    partitions:
      - { values: ['2026/11/01', eu], bytes: 7 }
      - { values: ['2026/11/01', null], bytes: 8 }
  web.plain:
    format: csv
    location: plain/
    columns: [{ name: a, type: bigint }]
";

    fn need(table: &str, values: Option<&[Option<&str>]>) -> Need {
        Need {
            catalog: "lake".into(),
            table: table.into(),
            values: values.map(|values| values.iter().map(|v| v.map(str::to_owned)).collect()),
            location: String::new(),
            base: String::new(),
            format: None,
        }
    }

    fn listing(names: &[&str]) -> Arc<Listing> {
        let files = names.iter().map(|name| File { name: (*name).to_owned(), bytes: 5, content: Content::Unread });
        Arc::new(Listing { taken_at: Some(Timestamp(9)), files: files.collect(), failure: None })
    }

    #[test]
    fn what_is_found_belongs_to_its_partition() {
        let mut catalog = read_catalog("c.yaml", CATALOG.as_bytes(), "").whole().unwrap();
        let whole =
            listing(&["day=2026%2F11%2F01/region=eu/f", "day=2026%2F11%2F02/region=us/f", "day=2026%2F11%2F02/region=us/g", "x"]);
        catalog.attach([
            (need("web.logs", Some(&[Some("2026/11/01"), None])), listing(&["f"])),
            (need("web.logs", None), whole),
            (need("web.plain", Some(&[])), listing(&["f", "g"])),
            (need("web.gone", None), listing(&[])),
        ]);
        let logs = catalog.table(None, "web.logs").unwrap();
        let found: Vec<_> = logs
            .partitions
            .iter()
            .flatten()
            .map(|p| (p.values.clone(), p.objects.as_ref().map(|listing| listing.files.len())))
            .collect();
        let values = |day: &str, region: Option<&str>| vec![Some(day.to_owned()), region.map(str::to_owned)];
        assert_eq!(
            found,
            [
                (values("2026/11/01", Some("eu")), None),
                (values("2026/11/01", None), Some(1)),
                (values("2026/11/02", Some("us")), Some(2)),
            ]
        );
        assert_eq!(logs.listed_at, Some(Timestamp(9)));
        let plain = catalog.table(None, "web.plain").unwrap();
        assert_eq!(plain.partitions.as_ref().map(|p| p.len()), Some(1));
        assert_eq!(plain.partitions.as_ref().unwrap()[0].objects.as_ref().unwrap().bytes(), 10);
    }
}
