//! Databases, tables and partitions as Glue's API has them.

use serde_json::{Map, Value, json};

use crate::core::units::Timestamp;
use crate::sandbox::dataset::lake::{LakeTable, Partition};
use crate::sandbox::dataset::schema::{Column, Table};
use crate::sandbox::dataset::trino::TrinoType;

/// What every answer repeats.
pub(super) struct Place<'a> {
    /// Twelve digits.
    pub(super) account: &'a str,
    /// When the data was looked at.
    pub(super) taken_at: Timestamp,
}

impl Place<'_> {
    /// Seconds since 1970, with a fraction, as JSON 1.1 has times.
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of this century have 41 bits")]
    fn time(&self) -> Value {
        json!(self.taken_at.0 as f64 / 1000.0)
    }

    /// `Database`.
    pub(super) fn database(&self, name: &str) -> Value {
        json!({ "Name": name, "CreateTime": self.time(), "CatalogId": self.account })
    }

    /// `Table`.
    pub(super) fn table(&self, lake: &LakeTable) -> Value {
        let table = lake.table;
        let mut parameters = json!({ "EXTERNAL": "TRUE", "classification": "parquet" });
        if let ([partition], Some(parameters)) = (lake.partitions.as_slice(), parameters.as_object_mut())
            && table.partition_keys.is_empty()
        {
            parameters.extend(statistics(partition));
        }
        json!({
            "Name": table.name,
            "DatabaseName": table.database,
            "CatalogId": self.account,
            "CreateTime": self.time(),
            "UpdateTime": self.time(),
            "Retention": 0,
            "StorageDescriptor": storage(table, table.location(), true),
            "PartitionKeys": columns(table.partition_keys),
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "IsRegisteredWithLakeFormation": false,
            "VersionId": "0",
        })
    }

    /// `Partition`.
    pub(super) fn partition(&self, table: &Table, partition: &Partition, with_columns: bool) -> Value {
        let folder = partition.day.map(|day| format!("{}/", day.folder())).unwrap_or_default();
        let values: Vec<String> = partition.day.iter().map(ToString::to_string).collect();
        json!({
            "Values": values,
            "DatabaseName": table.database,
            "TableName": table.name,
            "CatalogId": self.account,
            "CreationTime": self.time(),
            "StorageDescriptor": storage(table, format!("{}{folder}", table.location()), with_columns),
            "Parameters": statistics(partition),
        })
    }
}

/// Hive's own statistics: what ANALYZE and Spark write.
fn statistics(partition: &Partition) -> Map<String, Value> {
    let number = |name: &str, value: u64| (name.to_owned(), Value::from(value.to_string()));
    Map::from_iter([
        number("numFiles", u64::try_from(partition.files.len()).unwrap_or(u64::MAX)),
        number("numRows", partition.rows()),
        number("totalSize", partition.bytes()),
    ])
}

fn storage(table: &Table, location: String, with_columns: bool) -> Value {
    let mut storage = json!({
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "Compressed": false,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "Parameters": { "serialization.format": "1" },
        },
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": false,
    });
    if let (true, Some(members)) = (with_columns, storage.as_object_mut()) {
        members.insert("Columns".to_owned(), columns(table.columns));
    }
    storage
}

fn columns(columns: &[Column]) -> Value {
    let one = |column: &Column| {
        let hive = TrinoType::parse(column.trino).map_or_else(|| column.trino.to_owned(), |ty| ty.to_hive());
        json!({ "Name": column.name, "Type": hive })
    };
    columns.iter().map(one).collect()
}
