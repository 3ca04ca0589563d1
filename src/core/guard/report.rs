//! What a statement reads, gives and filters on, as a judgement lists it.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::case::table_name;
use super::{OutputColumn, PartitionsMatched, TableRead, World};
use crate::core::sql::analysis::{Analysis, ColumnId, ColumnUse};

/// Tables with the columns read of them, in the order of first mention.
pub(super) fn reads(world: &World<'_>, analysis: &Analysis, partitions: &IndexMap<u32, PartitionsMatched>) -> Vec<TableRead> {
    analysis
        .tables
        .iter()
        .zip(0u32..)
        .map(|(table, id)| {
            let columns: BTreeSet<String> = analysis
                .columns
                .iter()
                .filter(|column| column.table.0 == id && column.read)
                .map(|column| column.path.join("."))
                .collect();
            TableRead {
                table: table_name(world, table),
                columns: columns.into_iter().collect(),
                partitions: partitions.get(&id).copied(),
            }
        })
        .collect()
}

/// Output columns with what flows into them.
pub(super) fn output(world: &World<'_>, analysis: &Analysis) -> Vec<OutputColumn> {
    analysis
        .output
        .iter()
        .map(|output| {
            let sources: BTreeSet<String> =
                output.sources.iter().filter_map(|source| column_name(world, analysis, source.column)).collect();
            OutputColumn {
                name: output.name.clone(),
                kind: Some(output.kind.to_string()),
                sources: sources.into_iter().collect(),
            }
        })
        .collect()
}

/// Columns that influence the result without flowing into it.
pub(super) fn filters_on(world: &World<'_>, analysis: &Analysis) -> Vec<String> {
    let flowing: BTreeSet<ColumnId> =
        analysis.output.iter().flat_map(|output| &output.sources).map(|source| source.column).collect();
    let names: BTreeSet<String> = analysis
        .influences
        .iter()
        .filter(|influence| !flowing.contains(&influence.column))
        .filter_map(|influence| column_name(world, analysis, influence.column))
        .collect();
    names.into_iter().collect()
}

fn column_name(world: &World<'_>, analysis: &Analysis, id: ColumnId) -> Option<String> {
    let column: &ColumnUse = analysis.columns.get(usize::try_from(id.0).ok()?)?;
    let table = analysis.tables.get(usize::try_from(column.table.0).ok()?)?;
    Some(format!("{}.{}", table_name(world, table), column.path.join(".")))
}
