//! Catalog facts: tables, columns, partitions, file facts. Facts only; adapters fetch them.

use std::sync::Arc;

use indexmap::IndexMap;

pub mod file;
pub mod hive;
pub mod place;
pub mod projection;
pub(in crate::core) mod read;
pub mod tally;
mod write;

pub use read::read_catalog;
pub use write::write_catalog;

use crate::core::book::{Place, Setting};
use crate::core::units::{Bytes, Timestamp};

/// What is known about the tables of one or more data catalogs. Names are lower case throughout: they compare without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The data catalog of two-part names (`awsdatacatalog`), of the first file.
    pub name: String,
    /// Data catalogs by name; the first file's comes first.
    pub catalogs: IndexMap<String, DataCatalog>,
    /// DynamoDB tables by name; case matters. The section is described at [`crate::core::dynamodb::TableFacts`].
    pub dynamodb: IndexMap<String, crate::core::dynamodb::TableFacts>,
}

/// One data catalog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataCatalog {
    /// When its facts were taken; the newest of the files that name it.
    pub taken_at: Option<Timestamp>,
    /// Tables by `db.table`.
    pub tables: IndexMap<String, Table>,
}

/// One table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// How its files are written; `None` for a view or where nothing is said.
    pub format: Option<Format>,
    /// Where they are: `s3://…`, `file:///…`, or relative to [`Table::base`].
    pub location: Option<String>,
    /// Folder of the catalog file, for a relative location.
    pub base: String,
    /// Columns in the files, in order. Hive's partition keys are apart.
    pub columns: Vec<Column>,
    /// Columns in the path, in order.
    pub partition_keys: Vec<Column>,
    /// Partitions; `None` where sizes are unknown. A table without keys has one with no values.
    pub partitions: Option<Vec<Partition>>,
    /// The text of a view.
    pub view: Option<String>,
    /// When these facts were taken.
    pub taken_at: Option<Timestamp>,
    /// When all of its folder was listed, if somebody did: its partitions are complete as of then.
    pub listed_at: Option<Timestamp>,
    /// Where it was written.
    pub place: Option<Place>,
}

/// How a table's files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Separated values.
    Csv,
    /// One JSON object a line.
    Json,
    /// Apache Iceberg.
    Iceberg,
    /// Lines of text.
    Text,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Lower case.
    pub name: String,
    /// Trino's type as written: `varchar`, `row(ssn varchar, age integer)`.
    pub column_type: String,
    /// Tags, lower case, with where they were written.
    pub tags: Setting<Vec<String>>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partition {
    /// One value a key, in the keys' order; `None` is Hive's default partition (NULL).
    pub values: Vec<Option<String>>,
    /// Where its files are, if not at Hive's path below the table.
    pub location: Option<String>,
    /// How many files.
    pub files: Option<u64>,
    /// All files together.
    pub bytes: Option<Bytes>,
    /// Rows.
    pub rows: Option<u64>,
    /// Bytes by column, lower case, as stored (compressed).
    pub column_bytes: IndexMap<String, Bytes>,
    /// Its files, if somebody looked; no catalog file says them.
    pub objects: Option<Arc<file::Listing>>,
}

impl Catalog {
    /// Adds the facts of a later file: its tables win over those of the same name, and the first file's name stays.
    pub fn merge(&mut self, later: Self) {
        if self.name.is_empty() {
            self.name = later.name;
        }
        for (name, facts) in later.catalogs {
            let known = self.catalogs.entry(name).or_default();
            known.taken_at = known.taken_at.max(facts.taken_at);
            known.tables.extend(facts.tables);
        }
        self.dynamodb.extend(later.dynamodb);
    }

    /// The table of `catalog` (`None`: the default one) and `db.table`; case does not matter.
    pub fn table(&self, catalog: Option<&str>, name: &str) -> Option<&Table> {
        let catalog = catalog.unwrap_or(&self.name).to_lowercase();
        self.catalogs.get(&catalog)?.tables.get(&name.to_lowercase())
    }
}

impl Table {
    /// Columns in the order of `SELECT *`: those in the files, then partition keys.
    pub fn all_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(&self.partition_keys)
    }

    /// The column or partition key of this name; case does not matter.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let name = name.to_lowercase();
        self.all_columns().find(|column| column.name == name)
    }
}
