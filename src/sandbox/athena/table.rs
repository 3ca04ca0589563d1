//! The sandbox's tables as the engine sees them: partitions known beforehand, files read through the query's meter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::reader::{Key, Readers};
use crate::sandbox::dataset::file_schema;
use crate::sandbox::dataset::lake::{Lake, LakeTable, Partition};

/// A table for one query.
#[derive(Debug)]
pub(super) struct LakeProvider {
    lake: Arc<Lake>,
    /// Index in [`Lake::tables`].
    index: usize,
    readers: Arc<Readers>,
    /// Bytes that the query's scans will read at most, summed over its tables.
    expected: Arc<AtomicU64>,
    schema: TableSchema,
}

impl LakeProvider {
    pub(super) fn new(lake: Arc<Lake>, index: usize, readers: Arc<Readers>, expected: Arc<AtomicU64>) -> Option<Self> {
        let table = lake.tables.get(index)?.table;
        let keys: Fields = table.partition_keys.iter().map(|key| Field::new(key.name, DataType::Utf8, false)).collect();
        let schema = TableSchema::builder(file_schema(table)).with_table_partition_cols(keys).build();
        Some(Self { lake, index, readers, expected, schema })
    }

    fn table(&self) -> Option<&LakeTable> {
        self.lake.tables.get(self.index)
    }

    /// Whether a filter can be judged for a whole partition.
    fn prunes(&self, filter: &Expr) -> bool {
        let keys: Vec<&str> = self.schema.table_partition_cols().iter().map(|field| field.name().as_str()).collect();
        !keys.is_empty()
            && !filter.column_refs().is_empty()
            && !filter.contains_outer()
            && !has_subquery(filter)
            && !filter.is_volatile()
            && expr_applicable_for_cols(&keys, filter)
    }

    /// The partitions for which all of `filters` hold.
    fn surviving(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&Partition>> {
        let Some(table) = self.table() else { return Ok(Vec::new()) };
        let filters: Vec<Expr> = filters.iter().filter(|filter| self.prunes(filter)).cloned().collect();
        let Some(filter) = conjunction(filters) else { return Ok(table.partitions.iter().collect()) };
        let keys = Schema::new(self.schema.table_partition_cols().clone());
        let days: StringArray = table.partitions.iter().map(|p| p.day.map(|day| day.to_string())).collect();
        let batch = RecordBatch::try_new(Arc::new(keys.clone()), vec![Arc::new(days) as ArrayRef])?;
        let filter = state.create_physical_expr(filter, &DFSchema::try_from(keys)?)?;
        let matched = filter.evaluate(&batch)?.into_array(batch.num_rows())?;
        let matched = matched.as_boolean();
        Ok(table.partitions.iter().zip(matched.iter()).filter(|(_, hit)| *hit == Some(true)).map(|(p, _)| p).collect())
    }

    /// Bytes of the projected columns' chunks.
    fn bytes(&self, partitions: &[&Partition], projection: Option<&Vec<usize>>) -> u64 {
        partitions
            .iter()
            .flat_map(|p| p.column_bytes.iter().enumerate())
            .filter(|(index, _)| projection.is_none_or(|wanted| wanted.contains(index)))
            .map(|(_, (_, bytes))| bytes)
            .sum()
    }
}

fn has_subquery(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expr.exists(|e| Ok(matches!(e, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_))))
        .unwrap_or(true)
}

#[async_trait]
impl TableProvider for LakeProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions = self.surviving(state, filters)?;
        let bytes = self.bytes(&partitions, projection);
        self.expected.fetch_add(bytes, Ordering::Relaxed);
        let groups = groups(&partitions, state.config().target_partitions());
        if groups.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema().project(columns)?),
                None => self.schema(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let rows: u64 = partitions.iter().map(|p| p.rows()).sum();
        let mut statistics = Statistics::new_unknown(self.schema().as_ref());
        statistics.num_rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
        let source = ParquetSource::new(self.schema.clone())
            .with_parquet_file_reader_factory(Arc::clone(&self.readers) as Arc<_>)
            .with_enable_page_index(false);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| {
                if self.prunes(filter) {
                    TableProviderFilterPushDown::Exact
                } else {
                    // Row groups are pruned by it; rows are filtered above.
                    TableProviderFilterPushDown::Inexact
                }
            })
            .collect())
    }
}

/// Deals the partitions' files out to `count` groups, which are read at the same time.
fn groups(partitions: &[&Partition], count: usize) -> Vec<FileGroup> {
    let files: Vec<PartitionedFile> = partitions
        .iter()
        .flat_map(|partition| {
            let values: Vec<ScalarValue> =
                partition.day.map(|day| ScalarValue::Utf8(Some(day.to_string()))).into_iter().collect();
            partition.files.iter().map(move |file| {
                PartitionedFile::new(file.key.clone(), file.bytes)
                    .with_partition_values(values.clone())
                    .with_extension(Key(file.key.clone()))
            })
        })
        .collect();
    if files.is_empty() {
        return Vec::new();
    }
    let each = files.len().div_ceil(count.max(1));
    files.chunks(each).map(|files| FileGroup::new(files.to_vec())).collect()
}
