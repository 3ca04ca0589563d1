//! DynamoDB: dynoxide behind the door's signatures and session policies.

mod access;
mod dispatch;
mod engine;
mod expression;
mod seed;

use std::path::Path;

use async_trait::async_trait;
use dynoxide::Database;
use serde_json::{Value, json};

use super::api::{ApiError, Authorizer, Caller, JsonService};
use super::dataset::ids::Order;
use access::{Place, TableKeys};
use engine::Engine;

/// The service.
#[derive(Clone)]
pub struct DynamoDb {
    engine: Engine,
    prefix: String,
}

impl DynamoDb {
    /// Opens the tables at `path`, a file that is made where it is missing.
    ///
    /// # Errors
    /// The database's own words.
    pub fn open(path: &Path, account: &str, region: &str) -> Result<Self, String> {
        Ok(Self { engine: Engine::open(path)?, prefix: format!("arn:aws:dynamodb:{region}:{account}") })
    }

    /// Makes the table `orders` and puts those of `orders` into it that are not there yet. Items that exist stay as they are.
    ///
    /// # Errors
    /// What the database refused.
    pub async fn seed(&self, orders: impl IntoIterator<Item = Order>) -> Result<(), ApiError> {
        let orders: Vec<Order> = orders.into_iter().collect();
        self.engine.run(move |database| seed::orders(database, &orders)).await
    }
}

#[async_trait]
impl JsonService for DynamoDb {
    async fn call(&self, operation: &str, body: Value, caller: Caller) -> Result<Value, ApiError> {
        let (operation, prefix) = (operation.to_owned(), self.prefix.clone());
        self.engine
            .run(move |database| {
                if caller.authorizer.is_restricted() {
                    authorize(&operation, &body, database, prefix, &caller.authorizer)?;
                }
                dispatch::call(database, &operation, body)
            })
            .await
    }

    fn busy(&self) -> bool {
        false
    }
}

/// Asks for everything that the request needs before anything of it is done.
fn authorize(
    operation: &str,
    body: &Value,
    database: &Database,
    prefix: String,
    authorizer: &Authorizer,
) -> Result<(), ApiError> {
    let keys = |table: &str| table_keys(database, table);
    let table = format!("{prefix}:table/{}", body.get("TableName").and_then(Value::as_str).unwrap_or("*"));
    let place = Place { prefix, keys: &keys };
    match access::checks(operation, body, &place) {
        Ok(checks) if checks.is_empty() => Ok(()),
        Ok(checks) => checks.iter().try_for_each(|check| authorizer.check(&check.action, &check.resource, &check.context)),
        Err(unclear) => {
            let why = format!("because the sandbox cannot judge {} under a session policy", unclear.why);
            Err(authorizer.refusal(&unclear.action, &table, &why))
        }
    }
}

fn table_keys(database: &Database, table: &str) -> Option<TableKeys> {
    let description = dispatch::call(database, "DescribeTable", json!({ "TableName": table })).ok()?;
    let table = description.get("Table")?;
    let keys = |of: &Value| -> Option<Vec<String>> {
        let mut schema: Vec<&Value> = of.get("KeySchema")?.as_array()?.iter().collect();
        schema.sort_by_key(|key| key.get("KeyType").and_then(Value::as_str) != Some("HASH"));
        schema.iter().map(|key| key.get("AttributeName").and_then(Value::as_str).map(str::to_owned)).collect()
    };
    let mut indexes = std::collections::HashMap::new();
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        for index in table.get(kind).and_then(Value::as_array).into_iter().flatten() {
            indexes.insert(index.get("IndexName")?.as_str()?.to_owned(), keys(index)?);
        }
    }
    Some(TableKeys { table: keys(table)?, indexes })
}

#[cfg(test)]
mod tests;
