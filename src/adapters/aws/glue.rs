//! Glue's data catalog: databases, tables, partitions. JSON 1.1 over the wire; only reads.

mod describe;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use describe::{Described, Layout};

use super::config::{Aws, Call};
use super::wire::{Answer, Ask, domain};
use crate::core::catalog::Partition;
use crate::core::catalog::hive::sizes;
use crate::core::plan::PlanTarget;
use crate::engine::ports::{Rights, ServiceError};

/// Pages that one list is followed: 1,000,000 partitions.
const MOST_PAGES: usize = 1_000;

/// `Table` of the API reference, as far as it is used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GlueTable {
    pub(super) name: String,
    pub(super) database_name: String,
    pub(super) table_type: Option<String>,
    pub(super) view_original_text: Option<String>,
    pub(super) partition_keys: Option<Vec<GlueColumn>>,
    pub(super) storage_descriptor: Option<Storage>,
    pub(super) parameters: Option<BTreeMap<String, String>>,
}

/// `StorageDescriptor`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Storage {
    pub(super) columns: Option<Vec<GlueColumn>>,
    pub(super) location: Option<String>,
    pub(super) input_format: Option<String>,
    pub(super) serde_info: Option<SerdeInfo>,
}

/// `SerDeInfo`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SerdeInfo {
    pub(super) serialization_library: Option<String>,
}

/// `Column`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GlueColumn {
    pub(super) name: String,
    pub(super) r#type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Databases {
    #[serde(default)]
    database_list: Vec<GlueColumn>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tables {
    #[serde(default)]
    table_list: Vec<GlueTable>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneTable {
    table: GlueTable,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Partitions {
    #[serde(default)]
    partitions: Vec<GluePartition>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GluePartition {
    #[serde(default)]
    values: Vec<String>,
    storage_descriptor: Option<Storage>,
    parameters: Option<BTreeMap<String, String>>,
}

impl Aws {
    /// The names of all databases.
    ///
    /// # Errors
    /// As Glue answers.
    pub async fn databases(&self, target: &PlanTarget, rights: Rights<'_>) -> Result<Vec<String>, ServiceError> {
        let call = self.call(target, rights).await?;
        let mut names = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let asked = self.glue(&call, target, "GetDatabases", json!({ "MaxResults": 100, "NextToken": next })).await;
            let page: Databases = self.learn(&call, asked).await?;
            names.extend(page.database_list.into_iter().map(|database| database.name));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(names);
            }
        }
        Err(endless("databases"))
    }

    /// The tables of a database.
    ///
    /// # Errors
    /// As Glue answers.
    pub async fn tables(&self, target: &PlanTarget, rights: Rights<'_>, database: &str) -> Result<Vec<Described>, ServiceError> {
        let call = self.call(target, rights).await?;
        let mut tables = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let body = json!({ "DatabaseName": database, "MaxResults": 100, "NextToken": next });
            let page: Tables = self.glue(&call, target, "GetTables", body).await?;
            tables.extend(page.table_list.into_iter().map(GlueTable::described));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(tables);
            }
        }
        Err(endless("tables"))
    }

    /// One table; `None` where there is none of that name.
    ///
    /// # Errors
    /// As Glue answers.
    pub async fn table(
        &self,
        target: &PlanTarget,
        rights: Rights<'_>,
        database: &str,
        name: &str,
    ) -> Result<Option<Described>, ServiceError> {
        let call = self.call(target, rights).await?;
        let body = json!({ "DatabaseName": database, "Name": name });
        match self.glue::<OneTable>(&call, target, "GetTable", body).await {
            Ok(found) => Ok(Some(found.table.described())),
            Err(ServiceError::Refused(failure)) if failure.code == "EntityNotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The partitions of a table that satisfy `expression` (all without one), with the sizes that somebody wrote of them.
    ///
    /// # Errors
    /// As Glue answers.
    pub async fn partitions(
        &self,
        target: &PlanTarget,
        rights: Rights<'_>,
        table: &Described,
        expression: Option<&str>,
    ) -> Result<Vec<Partition>, ServiceError> {
        let call = self.call(target, rights).await?;
        let mut partitions = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let body = json!({
                "DatabaseName": table.database, "TableName": table.name, "Expression": expression,
                "ExcludeColumnSchema": true, "MaxResults": 1000, "NextToken": next,
            });
            let page: Partitions = self.glue(&call, target, "GetPartitions", body).await?;
            partitions.extend(page.partitions.into_iter().map(|partition| partition.facts(table)));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(partitions);
            }
        }
        Err(endless("partitions"))
    }

    async fn glue<T: DeserializeOwned>(
        &self,
        call: &Call,
        target: &PlanTarget,
        operation: &str,
        body: Value,
    ) -> Result<T, ServiceError> {
        let region = call.place.region();
        let own = || format!("https://glue.{region}.{}", domain(region));
        let url = call.place.url().map_or_else(own, |url| url.trim_end_matches('/').to_owned());
        // Absent is not the same as null to every server; and the catalog is the target's account's.
        let Value::Object(mut members) = body else { return Err(ServiceError::NoAnswer("no request".to_owned())) };
        members.retain(|_, value| !value.is_null());
        members.insert("CatalogId".to_owned(), Value::from(target.account.clone()));
        let ask = Ask {
            service: "glue",
            region: region.to_owned(),
            method: "POST",
            url: format!("{url}/"),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("AWSGlue.{operation}")),
            ],
            body: Value::Object(members).to_string(),
        };
        let answer = self.ask(call, &ask, named).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| ServiceError::NoAnswer(format!("Glue's answer to {operation} cannot be read: {error}")))
    }
}

fn endless(what: &str) -> ServiceError {
    ServiceError::Temporary(format!("Glue's list of {what} has more than {MOST_PAGES} pages; name a database or a table"))
}

/// The name of a JSON service's error (`com.amazon…#EntityNotFoundException`), and its words.
fn named(answer: &Answer) -> (Option<String>, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = answer.header("x-amzn-errortype").map(str::to_owned).or_else(|| text("__type")).or_else(|| text("code"));
    let code = code.map(|code| {
        let name = code.rsplit('#').next().unwrap_or_default();
        name.split(':').next().unwrap_or_default().to_owned()
    });
    (code.filter(|code| !code.is_empty()), text("message").or_else(|| text("Message")).unwrap_or_default())
}

impl GluePartition {
    fn facts(self, table: &Described) -> Partition {
        let sizes = sizes(&self.parameters.unwrap_or_default());
        let null = crate::core::catalog::hive::DEFAULT_PARTITION;
        let partition = Partition {
            values: self.values.into_iter().map(|value| (value != null).then_some(value)).collect(),
            location: None,
            files: sizes.files,
            bytes: sizes.bytes,
            rows: sizes.rows,
            ..Partition::default()
        };
        let location = self.storage_descriptor.and_then(|storage| storage.location).map(|location| describe::place(&location));
        // Hive's own path need not be written down.
        let usual = crate::core::catalog::tally::location(&table.facts, &partition);
        let location = location.filter(|location| {
            usual.as_deref().is_none_or(|usual| usual.trim_end_matches('/') != location.trim_end_matches('/'))
        });
        Partition { location, ..partition }
    }
}
