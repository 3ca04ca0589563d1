//! Which files an estimate would like to know: those of the partitions that a statement reads.

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
    /// Adds what was found of a table's files.
    pub fn attach(&mut self, need: &Need, found: Arc<Listing>) {
        let table = self.catalogs.get_mut(&need.catalog).and_then(|data| data.tables.get_mut(&need.table));
        let Some(table) = table else { return };
        match &need.values {
            Some(values) => {
                let partitions = table.partitions.get_or_insert_default();
                match partitions.iter_mut().find(|partition| partition.values == *values) {
                    Some(partition) => partition.objects = Some(found),
                    None => partitions.push(Partition { values: values.clone(), objects: Some(found), ..Partition::default() }),
                }
            }
            // A folder that cannot be listed proves nothing.
            None if found.failure.is_some() => {}
            None => census(table, &found),
        }
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
    let known: std::collections::HashSet<Vec<Option<String>>> =
        partitions.iter().map(|partition| partition.values.clone()).collect();
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
