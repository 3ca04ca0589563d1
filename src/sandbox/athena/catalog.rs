//! The data catalog as the engine asks for it: databases, tables, `information_schema`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider};
use datafusion::common::Result;
use datafusion::datasource::{MemTable, TableProvider};

use super::reader::Readers;
use super::table::LakeProvider;
use crate::sandbox::dataset::lake::Lake;
use crate::sandbox::dataset::schema::CATALOG;

/// The database that every account has, empty here.
pub(super) const DEFAULT_DATABASE: &str = "default";

/// The schema that describes the others.
pub(super) const INFORMATION_SCHEMA: &str = "information_schema";

/// The databases, `default` among them, sorted.
pub(super) fn databases(lake: &Lake) -> Vec<&'static str> {
    let mut names = lake.databases();
    names.push(DEFAULT_DATABASE);
    names.sort_unstable();
    names
}

/// The catalog for one query.
pub(super) fn provider(lake: &Arc<Lake>, readers: &Arc<Readers>, expected: &Arc<AtomicU64>) -> Result<Arc<dyn CatalogProvider>> {
    let catalog = MemoryCatalogProvider::new();
    for database in databases(lake) {
        let tables = lake
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| table.table.database == database)
            .filter_map(|(index, table)| {
                let provider = LakeProvider::new(Arc::clone(lake), index, Arc::clone(readers), Arc::clone(expected))?;
                Some((table.table.name.to_owned(), Arc::new(provider) as Arc<dyn TableProvider>))
            })
            .collect();
        catalog.register_schema(database, Arc::new(Database { tables }))?;
    }
    catalog.register_schema(INFORMATION_SCHEMA, Arc::new(Database { tables: information_schema(lake)? }))?;
    Ok(Arc::new(catalog))
}

/// A database's tables by name.
#[derive(Debug)]
struct Database {
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

#[async_trait]
impl SchemaProvider for Database {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.tables.get(name).cloned())
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }
}

fn information_schema(lake: &Lake) -> Result<BTreeMap<String, Arc<dyn TableProvider>>> {
    let catalog = CATALOG.to_lowercase();
    let mut schemata = Vec::new();
    for database in databases(lake).into_iter().chain([INFORMATION_SCHEMA]) {
        schemata.push(vec![Some(catalog.clone()), Some(database.to_owned())]);
    }
    let tables = lake
        .tables
        .iter()
        .map(|t| {
            let names = [catalog.as_str(), t.table.database, t.table.name, "BASE TABLE"];
            names.into_iter().map(|name| Some(name.to_owned())).collect()
        })
        .collect();
    let mut columns = Vec::new();
    let mut positions = Vec::new();
    for table in &lake.tables {
        let all = table.table.columns.iter().chain(table.table.partition_keys);
        for (position, column) in (1_i64..).zip(all) {
            let is_key = table.table.partition_keys.contains(column);
            columns.push(vec![
                Some(catalog.clone()),
                Some(table.table.database.to_owned()),
                Some(table.table.name.to_owned()),
                Some(column.name.to_owned()),
                None,
                Some("YES".to_owned()),
                Some(column.trino.to_owned()),
                None,
                is_key.then(|| "partition key".to_owned()),
            ]);
            positions.push(position);
        }
    }
    Ok(BTreeMap::from([
        ("schemata".to_owned(), texts(&["catalog_name", "schema_name"], schemata, None)?),
        ("tables".to_owned(), texts(&["table_catalog", "table_schema", "table_name", "table_type"], tables, None)?),
        (
            "columns".to_owned(),
            texts(
                &[
                    "table_catalog",
                    "table_schema",
                    "table_name",
                    "column_name",
                    "column_default",
                    "is_nullable",
                    "data_type",
                    "comment",
                    "extra_info",
                ],
                columns,
                Some((4, "ordinal_position", positions)),
            )?,
        ),
    ]))
}

/// A table of varchars, with one bigint column put in at a position.
fn texts(
    names: &[&str],
    rows: Vec<Vec<Option<String>>>,
    number: Option<(usize, &str, Vec<i64>)>,
) -> Result<Arc<dyn TableProvider>> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        fields.push(Field::new(*name, DataType::Utf8, true));
        let column: StringArray = rows.iter().map(|row| row.get(index).cloned().flatten()).collect();
        arrays.push(Arc::new(column));
    }
    if let Some((at, name, values)) = number {
        fields.insert(at, Field::new(name, DataType::Int64, true));
        arrays.insert(at, Arc::new(Int64Array::from(values)));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}
