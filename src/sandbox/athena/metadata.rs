//! Data catalogs, databases and tables, as far as Athena's own API shows them.

use datafusion::sql::sqlparser::tokenizer::Location;
use regex::Regex;
use serde_json::{Value, json};

use super::access::Access;
use super::catalog;
use super::engine::Named;
use super::error::Failure;
use super::request::{self, List, invalid_input, required};
use super::service::{Shared, with_token};
use super::workgroup::seconds;
use crate::core::units::Timestamp;
use crate::sandbox::api::{ApiError, Caller, Context};
use crate::sandbox::dataset::LakeState;
use crate::sandbox::dataset::lake::{Lake, LakeTable};
use crate::sandbox::dataset::schema::{CATALOG, Column};
use crate::sandbox::dataset::trino::TrinoType;

/// Answers one of the metadata operations.
pub(super) fn call(shared: &Shared, operation: &str, body: Value, caller: &Caller) -> Result<Value, ApiError> {
    let known = ["GetTableMetadata", "ListTableMetadata", "GetDatabase", "ListDatabases", "GetDataCatalog", "ListDataCatalogs"];
    if !known.contains(&operation) {
        return Err(ApiError::unknown_operation(operation));
    }
    let request: List = request::read(body)?;
    let action = format!("athena:{operation}");
    if operation == "ListDataCatalogs" {
        caller.authorizer.check(&action, "*", &Context::new())?;
        return Ok(json!({ "DataCatalogsSummary": [{ "CatalogName": CATALOG, "Type": "GLUE" }] }));
    }
    let name = if operation == "GetDataCatalog" { request.name.clone() } else { request.catalog_name.clone() };
    let name = required("catalogName", name)?;
    let arn = format!("arn:aws:athena:{}:{}:datacatalog/{name}", shared.config.region, caller.principal.account);
    caller.authorizer.check(&action, &arn, &Context::new())?;
    if !name.eq_ignore_ascii_case(CATALOG) {
        return Err(invalid_input(format!("DataCatalog {name} was not found")));
    }
    if operation == "GetDataCatalog" {
        return Ok(json!({ "DataCatalog": { "Name": CATALOG, "Type": "GLUE", "Parameters": {} } }));
    }
    let lake = match &*shared.lake.borrow() {
        LakeState::Ready(lake) => std::sync::Arc::clone(lake),
        LakeState::Making => return Err(unavailable("the sandbox's data is still being made; ask again in some seconds")),
        LakeState::Failed(why) => return Err(unavailable(&format!("the sandbox's data could not be made: {why}"))),
    };
    let access = Access::new(caller.authorizer.clone(), &shared.config.region, &caller.principal.account);
    match operation {
        "ListDatabases" => databases(&request, &lake, &access),
        "GetDatabase" => {
            let name = required("databaseName", request.database_name)?.to_lowercase();
            access.database(&name).map_err(denied)?;
            if !catalog::databases(&lake).contains(&name.as_str()) {
                return Err(not_found(&format!("Database {name} not found.")));
            }
            Ok(json!({ "Database": { "Name": name } }))
        }
        "ListTableMetadata" => tables(&request, &lake, &access),
        _ => table(request, &lake, &access),
    }
}

fn databases(request: &List, lake: &Lake, access: &Access) -> Result<Value, ApiError> {
    access.databases().map_err(denied)?;
    let size = request::page_size(request.max_results, 1, 50)?;
    let all = catalog::databases(lake).into_iter().map(|name| json!({ "Name": name })).collect();
    let (page, next) = request::page(all, request.next_token.as_deref(), size)?;
    Ok(with_token(json!({ "DatabaseList": page }), next))
}

fn tables(request: &List, lake: &Lake, access: &Access) -> Result<Value, ApiError> {
    let database = required("databaseName", request.database_name.clone())?.to_lowercase();
    access.database(&database).map_err(denied)?;
    if !catalog::databases(lake).contains(&database.as_str()) {
        return Err(not_found(&format!("Database {database} not found.")));
    }
    let size = request::page_size(request.max_results, 1, 50)?;
    let wanted = match &request.expression {
        None => None,
        Some(text) => {
            Some(Regex::new(&format!("^(?:{text})$")).map_err(|_| invalid_input(format!("Invalid expression: {text}")))?)
        }
    };
    let all = lake
        .tables
        .iter()
        .filter(|t| t.table.database == database && wanted.as_ref().is_none_or(|regex| regex.is_match(t.table.name)))
        .map(|t| show(t, lake.taken_at))
        .collect();
    let (page, next) = request::page(all, request.next_token.as_deref(), size)?;
    Ok(with_token(json!({ "TableMetadataList": page }), next))
}

fn table(request: List, lake: &Lake, access: &Access) -> Result<Value, ApiError> {
    let database = required("databaseName", request.database_name)?.to_lowercase();
    let name = required("tableName", request.table_name)?.to_lowercase();
    let at = Location { line: 0, column: 0 };
    let named = Named { catalog: CATALOG.to_lowercase(), database: database.clone(), table: name.clone(), at };
    access.table(&named).map_err(denied)?;
    let table = lake.table(&database, &name).ok_or_else(|| not_found(&format!("Table {name} not found.")))?;
    Ok(json!({ "TableMetadata": show(table, lake.taken_at) }))
}

fn show(table: &LakeTable, taken_at: Timestamp) -> Value {
    let column = |column: &Column| {
        let hive = TrinoType::parse(column.trino).map_or_else(|| column.trino.to_owned(), |ty| ty.to_hive());
        json!({ "Name": column.name, "Type": hive })
    };
    json!({
        "Name": table.table.name,
        "CreateTime": seconds(taken_at),
        "TableType": "EXTERNAL_TABLE",
        "Columns": table.table.columns.iter().map(column).collect::<Vec<_>>(),
        "PartitionKeys": table.table.partition_keys.iter().map(column).collect::<Vec<_>>(),
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "parquet",
            "has_encrypted_data": "false",
            "inputformat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "location": table.table.location(),
            "outputformat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "serde.serialization.lib": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        },
    })
}

/// Glue's refusal, as this API passes it on.
fn denied(failure: Failure) -> ApiError {
    ApiError::new(400, "MetadataException", failure.message)
}

fn not_found(what: &str) -> ApiError {
    ApiError::new(
        400,
        "MetadataException",
        format!("{what} (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException)"),
    )
}

fn unavailable(why: &str) -> ApiError {
    ApiError::new(400, "MetadataException", why)
}
