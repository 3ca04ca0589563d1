//! What statements can name: the tables of one or several data catalogs, prepared for resolution.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock};

use crate::core::sql::parser::{Parsed, parse};
use crate::core::sql::syntax_error::SyntaxError;
use crate::core::sql::types::Type;

/// The tables that statements can name. Made once from catalogs, used for many statements; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct World {
    catalogs: HashMap<String, DataCatalog>,
}

#[derive(Debug, Clone, Default)]
struct DataCatalog {
    schemas: HashSet<String>,
    tables: HashMap<String, HashMap<String, Arc<WorldTable>>>,
}

/// A table or view as resolution needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldTable {
    /// Its columns, partition keys last, as `SELECT *` gives them. Names are lower case.
    pub columns: Vec<WorldColumn>,
    /// How many of them, the last ones, are partition keys.
    pub partition_keys: usize,
    /// The stored statement of a view.
    pub view: Option<StoredView>,
}

/// The stored statement of a view, read when it is first needed.
#[derive(Debug, Clone)]
pub struct StoredView {
    text: Arc<str>,
    parsed: Arc<OnceLock<Result<Parsed, SyntaxError>>>,
}

impl StoredView {
    /// A view of this text.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), parsed: Arc::default() }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for StoredView {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for StoredView {}

/// A column as resolution needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldColumn {
    /// Lower case.
    pub name: Arc<str>,
    /// Its type; `None` if the catalog's type could not be read. A statement that touches such a column is not analysed.
    pub kind: Option<Type>,
}

impl WorldTable {
    /// A table of these columns.
    pub fn new(columns: Vec<WorldColumn>) -> Self {
        Self { columns, partition_keys: 0, view: None }
    }

    /// The view's statement as a tree.
    ///
    /// # Errors
    /// Why its text cannot be read.
    pub(crate) fn parsed_view(&self) -> Result<&Parsed, SyntaxError> {
        static EMPTY: LazyLock<Result<Parsed, SyntaxError>> = LazyLock::new(|| parse(""));
        let parsed = match &self.view {
            Some(view) => view.parsed.get_or_init(|| parse(&view.text)),
            None => &EMPTY,
        };
        parsed.as_ref().map_err(Clone::clone)
    }
}

/// The tables of `information_schema`, as Trino 476 lists them.
fn information_schema() -> &'static HashMap<&'static str, Arc<WorldTable>> {
    static TABLES: LazyLock<HashMap<&'static str, Arc<WorldTable>>> = LazyLock::new(|| {
        let tables: [(&str, &[&str]); 8] = [
            ("applicable_roles", &["grantee", "grantee_type", "role_name", "is_grantable"]),
            (
                "columns",
                &[
                    "table_catalog",
                    "table_schema",
                    "table_name",
                    "column_name",
                    "ordinal_position",
                    "column_default",
                    "is_nullable",
                    "data_type",
                ],
            ),
            ("enabled_roles", &["role_name"]),
            ("roles", &["role_name"]),
            ("schemata", &["catalog_name", "schema_name"]),
            (
                "table_privileges",
                &[
                    "grantor",
                    "grantor_type",
                    "grantee",
                    "grantee_type",
                    "table_catalog",
                    "table_schema",
                    "table_name",
                    "privilege_type",
                    "is_grantable",
                    "with_hierarchy",
                ],
            ),
            ("tables", &["table_catalog", "table_schema", "table_name", "table_type"]),
            ("views", &["table_catalog", "table_schema", "table_name", "view_definition"]),
        ];
        let column = |name: &&str| {
            let kind = if *name == "ordinal_position" { Type::Bigint } else { Type::VARCHAR };
            WorldColumn { name: (*name).into(), kind: Some(kind) }
        };
        tables
            .into_iter()
            .map(|(name, columns)| (name, Arc::new(WorldTable::new(columns.iter().map(column).collect()))))
            .collect()
    });
    &TABLES
}

/// Columns that every table of files has beside those that `*` gives.
pub(crate) fn hidden_columns() -> &'static [WorldColumn] {
    static HIDDEN: LazyLock<Vec<WorldColumn>> = LazyLock::new(|| {
        [
            ("$path", Type::VARCHAR),
            ("$file_size", Type::Bigint),
            ("$file_modified_time", Type::TimestampTz(3)),
            ("$partition", Type::VARCHAR),
            ("$bucket", Type::Integer),
        ]
        .into_iter()
        .map(|(name, kind)| WorldColumn { name: name.into(), kind: Some(kind) })
        .collect()
    });
    &HIDDEN
}

/// Where a statement stands: what its short names mean.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The data catalog of one- and two-part names.
    pub catalog: String,
    /// The schema (database) of one-part names.
    pub schema: Option<String>,
    /// The types of the typed parameters (`:name`) that are not rendered yet.
    pub parameters: Vec<(String, Type)>,
}

impl World {
    /// No catalogs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a data catalog by name, even if it has no tables.
    pub fn add_catalog(&mut self, catalog: &str) {
        self.catalogs.entry(catalog.to_lowercase()).or_default();
    }

    /// Adds a schema, even if it has no tables.
    pub fn add_schema(&mut self, catalog: &str, schema: &str) {
        self.catalogs.entry(catalog.to_lowercase()).or_default().schemas.insert(schema.to_lowercase());
    }

    /// Adds a table; a later one of the same name replaces an earlier one.
    pub fn add_table(&mut self, catalog: &str, schema: &str, name: &str, table: WorldTable) {
        self.add_schema(catalog, schema);
        let catalog = self.catalogs.entry(catalog.to_lowercase()).or_default();
        catalog.tables.entry(schema.to_lowercase()).or_default().insert(name.to_lowercase(), Arc::new(table));
    }

    /// Whether there is such a data catalog; the name is lower case. `system` is there on every server.
    pub fn has_catalog(&self, catalog: &str) -> bool {
        self.catalogs.contains_key(catalog)
    }

    /// Whether there is such a schema; names are lower case. Every catalog has `information_schema`.
    pub fn has_schema(&self, catalog: &str, schema: &str) -> bool {
        self.catalogs.get(catalog).is_some_and(|found| schema == "information_schema" || found.schemas.contains(schema))
    }

    /// The table, if there is one; names are lower case. Every catalog has the tables of `information_schema`.
    pub fn table(&self, catalog: &str, schema: &str, name: &str) -> Option<&Arc<WorldTable>> {
        let given = self.catalogs.get(catalog)?.tables.get(schema).and_then(|tables| tables.get(name));
        given.or_else(|| if schema == "information_schema" { information_schema().get(name) } else { None })
    }

    /// The table about a table that a name such as `t$partitions` means, with the columns that Hive and Iceberg tables have there.
    pub(crate) fn table_about(&self, catalog: &str, schema: &str, name: &str) -> Option<WorldTable> {
        let (base, about) = name.split_once('$')?;
        let table = self.table(catalog, schema, base).filter(|table| table.view.is_none())?;
        let columns: Vec<(&str, &str)> = match about {
            "partitions" => {
                let keys = table.columns.len().checked_sub(table.partition_keys)?;
                return Some(WorldTable::new(table.columns.get(keys..)?.to_vec())).filter(|table| !table.columns.is_empty());
            }
            "history" => vec![
                ("made_current_at", "timestamp(3) with time zone"),
                ("snapshot_id", "bigint"),
                ("parent_id", "bigint"),
                ("is_current_ancestor", "boolean"),
            ],
            "snapshots" => vec![
                ("committed_at", "timestamp(3) with time zone"),
                ("snapshot_id", "bigint"),
                ("parent_id", "bigint"),
                ("operation", "varchar"),
                ("manifest_list", "varchar"),
                ("summary", "map(varchar, varchar)"),
            ],
            "files" => vec![
                ("content", "integer"),
                ("file_path", "varchar"),
                ("file_format", "varchar"),
                ("record_count", "bigint"),
                ("file_size_in_bytes", "bigint"),
                ("column_sizes", "map(integer, bigint)"),
                ("value_counts", "map(integer, bigint)"),
                ("null_value_counts", "map(integer, bigint)"),
                ("nan_value_counts", "map(integer, bigint)"),
                ("lower_bounds", "map(integer, varchar)"),
                ("upper_bounds", "map(integer, varchar)"),
                ("key_metadata", "varbinary"),
                ("split_offsets", "array(bigint)"),
                ("equality_ids", "array(integer)"),
            ],
            "manifests" => vec![
                ("path", "varchar"),
                ("length", "bigint"),
                ("partition_spec_id", "integer"),
                ("added_snapshot_id", "bigint"),
                ("added_data_files_count", "integer"),
                ("added_rows_count", "bigint"),
                ("existing_data_files_count", "integer"),
                ("existing_rows_count", "bigint"),
                ("deleted_data_files_count", "integer"),
                ("deleted_rows_count", "bigint"),
                (
                    "partition_summaries",
                    "array(row(contains_null boolean, contains_nan boolean, lower_bound varchar, upper_bound varchar))",
                ),
            ],
            "refs" => vec![
                ("name", "varchar"),
                ("type", "varchar"),
                ("snapshot_id", "bigint"),
                ("max_reference_age_in_ms", "bigint"),
                ("min_snapshots_to_keep", "integer"),
                ("max_snapshot_age_in_ms", "bigint"),
            ],
            _ => return None,
        };
        let column = |(name, kind): (&str, &str)| WorldColumn { name: name.into(), kind: Type::parse(kind) };
        Some(WorldTable::new(columns.into_iter().map(column).collect()))
    }
}
