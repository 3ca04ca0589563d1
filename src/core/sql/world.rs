//! What statements can name: the tables of one or several data catalogs, prepared for resolution.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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
    /// The stored statement of a view.
    pub view: Option<String>,
    /// What hidden columns it has besides: `$path` and the like.
    pub hidden: Vec<WorldColumn>,
}

/// A column as resolution needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldColumn {
    /// Lower case.
    pub name: Arc<str>,
    /// Its type; `None` if the catalog's type could not be read. A statement that touches such a column is not analysed.
    pub kind: Option<Type>,
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

    /// The table, if there is one; names are lower case.
    pub fn table(&self, catalog: &str, schema: &str, name: &str) -> Option<&Arc<WorldTable>> {
        self.catalogs.get(catalog)?.tables.get(schema)?.get(name)
    }
}
