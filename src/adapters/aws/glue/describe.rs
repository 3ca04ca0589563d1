//! A table of Glue as catalog facts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{GlueColumn, GlueTable};
use crate::core::book::Setting;
use crate::core::catalog::hive::{format, sizes, trino_type};
use crate::core::catalog::{Column, Format, Partition, Table};

/// Presto's and Athena's views begin so; what follows is base64 of JSON (Trino, `ViewReaderUtil`).
const VIEW: &str = "/* Presto View: ";

/// A table as Glue describes it.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its database, lower case.
    pub database: String,
    /// Its name, lower case.
    pub name: String,
    /// What is known of it, without partitions.
    pub facts: Table,
    /// How its files are found.
    pub layout: Layout,
    /// The table's own parameters: projection and the like.
    pub parameters: BTreeMap<String, String>,
    /// What is to be said of it, in words.
    pub notices: Vec<String>,
}

/// How a table's files are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// In the folders of its partitions, or its own.
    Folders,
    /// By metadata of its own, which is not read here: the name of the format.
    Own(&'static str),
    /// It has none.
    View,
    /// Not in S3.
    Elsewhere,
}

impl GlueTable {
    /// This table as facts.
    pub(super) fn described(self) -> Described {
        let parameters = self.parameters.unwrap_or_default();
        let storage = self.storage_descriptor.unwrap_or_default();
        let input = storage.input_format.as_deref().unwrap_or_default();
        let serde = storage.serde_info.and_then(|info| info.serialization_library).unwrap_or_default();
        let parameter = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let mut notices = Vec::new();
        let is_view = self.table_type.as_deref() == Some("VIRTUAL_VIEW");
        let location = storage.location.filter(|location| !is_view && !location.is_empty()).map(|location| place(&location));
        let layout = if is_view {
            Layout::View
        } else if let Some(format) = own_metadata(&parameters, input) {
            Layout::Own(format)
        } else if location.as_deref().is_some_and(|location| location.starts_with("s3://")) {
            Layout::Folders
        } else {
            Layout::Elsewhere
        };
        let iceberg = layout == Layout::Own("Iceberg");
        let mut column = |column: &GlueColumn| {
            let hive = column.r#type.as_deref().unwrap_or_default();
            let column_type = trino_type(hive, iceberg).unwrap_or_else(|| {
                notices.push(format!("column {} has the type {hive}, which Athena does not read", column.name));
                hive.to_owned()
            });
            Column { name: column.name.to_lowercase(), column_type, tags: Setting::default() }
        };
        let mut columns: Vec<Column> = storage.columns.unwrap_or_default().iter().map(&mut column).collect();
        let partition_keys: Vec<Column> = self.partition_keys.unwrap_or_default().iter().map(&mut column).collect();
        let view = is_view.then(|| self.view_original_text.unwrap_or_default()).map(|text| match presto_view(&text) {
            Some((sql, known)) => {
                if !known.is_empty() {
                    columns = known;
                }
                sql
            }
            None => text,
        });
        let format = match layout {
            Layout::Own("Iceberg") => Some(Format::Iceberg),
            Layout::Folders | Layout::Own(_) => format(input, &serde, parameter("classification")),
            Layout::View | Layout::Elsewhere => None,
        };
        let facts = Table {
            format,
            location,
            base: String::new(),
            columns,
            partition_keys,
            partitions: None,
            view,
            taken_at: None,
            listed_at: None,
            place: None,
        };
        let (database, name) = (self.database_name.to_lowercase(), self.name.to_lowercase());
        Described { database, name, facts, layout, parameters, notices }
    }
}

impl Described {
    /// `db.table`
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// The sizes that somebody wrote of the table as a whole, as the one partition of a table without keys.
    pub fn statistics(&self) -> Partition {
        let sizes = sizes(&self.parameters);
        Partition { files: sizes.files, bytes: sizes.bytes, rows: sizes.rows, ..Partition::default() }
    }
}

/// Formats whose files are not those of their folders: the folder holds older versions too, or only lists of files.
fn own_metadata(parameters: &BTreeMap<String, String>, input: &str) -> Option<&'static str> {
    let says = |name: &str, word: &str| parameters.get(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    if says("table_type", "iceberg") {
        Some("Iceberg")
    } else if says("table_type", "delta") || says("spark.sql.sources.provider", "delta") {
        Some("Delta Lake")
    } else if says("spark.sql.sources.provider", "hudi") || input.contains("hudi") || input.contains("Hoodie") {
        Some("Hudi")
    } else if input.ends_with("SymlinkTextInputFormat") {
        Some("a list of links")
    } else {
        None
    }
}

/// The statement and the columns of a view that Athena or Presto made.
fn presto_view(text: &str) -> Option<(String, Vec<Column>)> {
    let encoded = text.trim().strip_prefix(VIEW)?.strip_suffix("*/")?.trim();
    let json: Value = serde_json::from_slice(&aws_smithy_types::base64::decode(encoded).ok()?).ok()?;
    let sql = json.get("originalSql")?.as_str()?.to_owned();
    let column = |column: &Value| {
        let text = |name: &str| column.get(name).and_then(Value::as_str);
        Some(Column { name: text("name")?.to_lowercase(), column_type: text("type")?.to_owned(), tags: Setting::default() })
    };
    let columns = json.get("columns").and_then(Value::as_array).map(|columns| columns.iter().filter_map(column).collect());
    Some((sql, columns.unwrap_or_default()))
}

/// A location in one form: Hadoop's names of S3 are S3.
pub(super) fn place(location: &str) -> String {
    ["s3a://", "s3n://"]
        .iter()
        .find_map(|scheme| location.strip_prefix(scheme))
        .map_or_else(|| location.to_owned(), |rest| format!("s3://{rest}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(table: Value) -> Described {
        serde_json::from_value::<GlueTable>(table).unwrap().described()
    }

    #[test]
    fn a_table_of_files() {
        let table = described(json!({
            "Name": "Logs", "DatabaseName": "Web", "TableType": "EXTERNAL_TABLE",
            "Parameters": { "classification": "parquet", "totalSize": "70", "numFiles": "2" },
            "PartitionKeys": [{ "Name": "Day", "Type": "string" }],
            "StorageDescriptor": {
                "Location": "s3a://lake/web/logs",
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "Columns": [{ "Name": "Id", "Type": "bigint" }, { "Name": "odd", "Type": "uniontype<int,string>" }],
            },
        }));
        assert_eq!((table.full_name().as_str(), table.layout), ("web.logs", Layout::Folders));
        assert_eq!(table.facts.location.as_deref(), Some("s3://lake/web/logs"));
        assert_eq!(table.facts.format, Some(Format::Parquet));
        assert_eq!(table.facts.columns[0].column_type, "bigint");
        assert_eq!(table.facts.partition_keys[0].name, "day");
        assert!(table.notices[0].contains("uniontype"), "{:?}", table.notices);
        assert_eq!(table.statistics().bytes.map(|bytes| bytes.0), Some(70));
    }

    #[test]
    fn formats_with_metadata_of_their_own_are_not_folders() {
        for (table, layout) in [
            (json!({ "Parameters": { "table_type": "ICEBERG" } }), Layout::Own("Iceberg")),
            (json!({ "Parameters": { "spark.sql.sources.provider": "delta" } }), Layout::Own("Delta Lake")),
            (
                json!({ "StorageDescriptor": { "InputFormat": "org.apache.hudi.hadoop.HoodieParquetInputFormat" } }),
                Layout::Own("Hudi"),
            ),
            (
                json!({ "StorageDescriptor": { "InputFormat": "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat" } }),
                Layout::Own("a list of links"),
            ),
            (json!({ "StorageDescriptor": { "Location": "arn:aws:dynamodb:eu-central-1:1:table/x" } }), Layout::Elsewhere),
            (json!({}), Layout::Elsewhere),
        ] {
            assert_eq!(described(table.clone()).layout, layout, "{table}");
        }
        assert_eq!(described(json!({ "Parameters": { "table_type": "ICEBERG" } })).facts.format, Some(Format::Iceberg));
    }

    #[test]
    fn views_are_unpacked() {
        let packed = json!({ "originalSql": "SELECT id FROM web.logs", "catalog": "awsdatacatalog", "schema": "web",
            "columns": [{ "name": "id", "type": "bigint" }] });
        let text = format!("/* Presto View: {} */", aws_smithy_types::base64::encode(packed.to_string()));
        let view = described(json!({
            "Name": "v", "DatabaseName": "web", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": text,
            "StorageDescriptor": { "Location": "", "Columns": [{ "Name": "id", "Type": "string" }] },
        }));
        assert_eq!(view.facts.view.as_deref(), Some("SELECT id FROM web.logs"));
        assert_eq!(view.facts.columns[0].column_type, "bigint");
        assert_eq!((view.layout, view.facts.location), (Layout::View, None));
        let hive = described(json!({ "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "select `id` from logs" }));
        assert_eq!(hive.facts.view.as_deref(), Some("select `id` from logs"));
    }
}
