//! What lies on disk: tables, partitions, files and their sizes, as their own footers tell.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::day::Day;
use super::recipe::FOOTER_KEY;
use super::schema::{self, Table};
use crate::core::units::Timestamp;

/// All tables with their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lake {
    /// The data folder; a file's key is its path below it.
    pub root: PathBuf,
    /// When the files were looked at.
    pub taken_at: Timestamp,
    /// In the order of [`schema::TABLES`].
    pub tables: Vec<LakeTable>,
}

/// A table with its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeTable {
    /// Names and columns.
    pub table: &'static Table,
    /// Oldest first. A table without partition keys has one, without a day.
    pub partitions: Vec<Partition>,
}

/// The files of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The value of the partition key `day`; `None` in a table without partitions.
    pub day: Option<Day>,
    /// By name.
    pub files: Vec<LakeFile>,
    /// Compressed bytes of each column's chunks, in the order of the columns.
    pub column_bytes: Vec<(String, u64)>,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeFile {
    /// The key in [`schema::LAKE_BUCKET`], which is also the path below [`Lake::root`]: `web/alb_logs/day=2026%2F11%2F20/part-00000.parquet`.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

impl Lake {
    /// The table of that database and name, lower case.
    pub fn table(&self, database: &str, name: &str) -> Option<&LakeTable> {
        self.tables.iter().find(|t| t.table.database == database && t.table.name == name)
    }

    /// The databases, sorted.
    pub fn databases(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.tables.iter().map(|t| t.table.database).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().flat_map(|t| &t.partitions).map(Partition::bytes).sum()
    }
}

impl Partition {
    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }

    /// Rows of its files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }
}

/// The key prefix of a partition: the table's, and the day's folder.
pub(super) fn prefix(table: &Table, day: Option<Day>) -> String {
    match day {
        Some(day) => format!("{}{}/", table.prefix(), day.folder()),
        None => table.prefix(),
    }
}

/// The name of a partition's file number `index`.
pub(super) fn file_name(index: u32) -> String {
    format!("part-{index:05}.parquet")
}

/// Looks at the files of a partition. `None` unless there are exactly `files`, each whole, and each made by the same recipe;
/// the recipe is returned with it.
pub(super) fn look(root: &Path, table: &'static Table, day: Option<Day>, files: u32) -> Option<(Partition, String)> {
    let prefix = prefix(table, day);
    let mut partition = Partition {
        day,
        files: Vec::new(),
        column_bytes: table.columns.iter().map(|column| (column.name.to_owned(), 0)).collect(),
    };
    let mut recipe: Option<String> = None;
    for index in 0..files {
        let key = format!("{prefix}{}", file_name(index));
        let (bytes, footer) = footer(&root.join(&key))?;
        let found = recipe_of(&footer)?;
        if recipe.as_ref().is_some_and(|first| *first != found) {
            return None;
        }
        recipe = Some(found);
        for chunk in footer.row_groups().iter().flat_map(parquet::file::metadata::RowGroupMetaData::columns) {
            let name = chunk.column_path().parts().first()?;
            let (_, sum) = partition.column_bytes.iter_mut().find(|(column, _)| column == name)?;
            *sum += u64::try_from(chunk.compressed_size()).ok()?;
        }
        let rows = u64::try_from(footer.file_metadata().num_rows()).ok()?;
        partition.files.push(LakeFile { key, bytes, rows });
    }
    // One file more: made by another recipe, which was being replaced.
    (!root.join(prefix + &file_name(files)).exists()).then_some((partition, recipe?))
}

/// How many files of ours lie in a partition, whole or not.
pub(super) fn count(root: &Path, table: &Table, day: Option<Day>) -> u32 {
    let folder = root.join(prefix(table, day));
    (0..).take_while(|index| folder.join(file_name(*index)).exists()).count().try_into().unwrap_or(u32::MAX)
}

fn footer(path: &Path) -> Option<(u64, ParquetMetaData)> {
    let file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    Some((bytes, ParquetMetaDataReader::new().parse_and_finish(&file).ok()?))
}

fn recipe_of(footer: &ParquetMetaData) -> Option<String> {
    let pairs = footer.file_metadata().key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == FOOTER_KEY)?.value.clone()
}

/// The tables' files belong to [`schema::LAKE_BUCKET`]; a key as `s3://` names it.
pub fn s3_uri(key: &str) -> String {
    format!("s3://{}/{key}", schema::LAKE_BUCKET)
}
