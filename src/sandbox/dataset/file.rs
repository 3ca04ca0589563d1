//! Writes one partition.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::lake::{file_name, prefix};
use super::recipe::{FOOTER_KEY, Kind, Recipe};
use super::schema::Table;
use super::trino::TrinoType;
use super::{alb, orders, trail};

/// Why the sandbox's data could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A folder or file could not be made, for example since the disk is full.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The Parquet writer failed; a full disk ends up here too.
    #[error("cannot write the Parquet file {path}")]
    Parquet {
        /// Which.
        path: PathBuf,
        /// What it said.
        #[source]
        source: ParquetError,
    },
    /// The rows do not fit their table: a defect of the generator.
    #[error("the rows of {table} do not fit its columns")]
    Rows {
        /// Which table.
        table: String,
        /// What Arrow said.
        #[source]
        source: ArrowError,
    },
    /// What was just written is not what was meant: somebody else writes to the same folder.
    #[error("{path} changed while it was written; does another sandbox use this folder?")]
    Changed {
        /// The partition's folder.
        path: PathBuf,
    },
}

impl DatasetError {
    /// The error and its causes in one line, for a progress display.
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// The Arrow schema of a table's files.
pub fn file_schema(table: &Table) -> SchemaRef {
    let fields = table.columns.iter().filter_map(|column| {
        let ty = TrinoType::parse(column.trino)?;
        Some(Field::new(column.name, ty.to_arrow(), true))
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// Makes the files of one partition, over what is there.
pub(super) fn write(root: &Path, recipe: Recipe) -> Result<(), DatasetError> {
    let table = recipe.kind.table();
    let folder = root.join(prefix(table, recipe.day));
    fs::create_dir_all(&folder).map_err(|source| DatasetError::Write { path: folder.clone(), source })?;
    clear(&folder)?;
    let rows = Rows::new(recipe);
    let per_file = recipe.rows.div_ceil(recipe.files.max(1));
    for index in 0..recipe.files {
        let end = (per_file * (index + 1)).min(recipe.rows);
        let name = file_name(index);
        // Under its own name only when whole, so that a killed start leaves nothing that looks finished.
        let making = folder.join(format!(".making-{name}"));
        write_file(&making, &rows, per_file * index..end)?;
        let path = folder.join(name);
        fs::rename(&making, &path).map_err(|source| DatasetError::Write { path, source })?;
    }
    Ok(())
}

/// Removes our own files of a partition, the highest number first, so that what is left after a crash is never whole.
pub(super) fn clear(folder: &Path) -> Result<(), DatasetError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut ours: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let name = name.strip_prefix(".making-").unwrap_or(&name);
            name.starts_with("part-") && name.ends_with(".parquet")
        })
        .map(|entry| entry.path())
        .collect();
    ours.sort_unstable_by(|a, b| b.cmp(a));
    for path in ours {
        fs::remove_file(&path).map_err(|source| DatasetError::Write { path, source })?;
    }
    Ok(())
}

fn write_file(path: &Path, rows: &Rows, range: std::ops::Range<u32>) -> Result<(), DatasetError> {
    let recipe = rows.recipe;
    let failed = |source| DatasetError::Parquet { path: path.to_owned(), source };
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(recipe.group as usize))
        // Row groups are pruned by their statistics, pages are not: what a query reads is then the sum of its column chunks,
        // as it is for Athena on Hive tables.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by("tollgate sandbox".to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(FOOTER_KEY.to_owned(), recipe.to_string())]))
        .build();
    let file = File::create(path).map_err(|source| DatasetError::Write { path: path.to_owned(), source })?;
    let file = io::BufWriter::with_capacity(1 << 20, file);
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&rows.schema), Some(properties)).map_err(failed)?;
    let mut start = range.start;
    while start < range.end {
        let end = start.saturating_add(recipe.group).min(range.end);
        let batch =
            rows.batch(start..end).map_err(|source| DatasetError::Rows { table: recipe.kind.table().full_name(), source })?;
        writer.write(&batch).map_err(failed)?;
        start = end;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

/// The rows of one partition.
struct Rows {
    recipe: Recipe,
    schema: SchemaRef,
    prepared: Prepared,
}

/// What a generator computes once for a partition.
enum Prepared {
    Alb(alb::Generator),
    Orders(orders::Orders),
    Nothing,
}

impl Rows {
    fn new(recipe: Recipe) -> Self {
        let schema = file_schema(recipe.kind.table());
        let prepared = match (recipe.kind, recipe.day) {
            (Kind::Alb, Some(day)) => Prepared::Alb(alb::Generator::new(recipe, day, Arc::clone(&schema))),
            (Kind::Orders, Some(day)) => Prepared::Orders(orders::Orders::new(recipe, day, Arc::clone(&schema))),
            _ => Prepared::Nothing,
        };
        Self { recipe, schema, prepared }
    }

    fn batch(&self, rows: std::ops::Range<u32>) -> Result<RecordBatch, ArrowError> {
        match (&self.prepared, self.recipe.day) {
            (Prepared::Alb(generator), _) => generator.batch(rows),
            (Prepared::Orders(orders), _) => orders.batch(rows),
            (Prepared::Nothing, Some(day)) => trail::batch(&self.recipe, day, &self.schema, rows),
            (Prepared::Nothing, None) => orders::customers(&self.schema, rows),
        }
    }
}
