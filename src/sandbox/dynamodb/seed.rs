//! What the table `orders` holds: one META item for each order that the logs of the last days are about, a LOCK item beside
//! those in work, and the EVENT items of what happened to it.

use std::collections::HashMap;

use dynoxide::types::AttributeValue;
use dynoxide::{Database, ImportOptions};
use serde_json::{Value, json};

use super::dispatch;
use crate::core::units::{Millis, Timestamp};
use crate::sandbox::api::ApiError;
use crate::sandbox::dataset::ids::{GONE_HOST, Order, customer_id};

/// The table.
const TABLE: &str = "orders";

type Item = HashMap<String, AttributeValue>;

/// Makes the table where it is missing, and puts in the orders that are not there.
///
/// # Errors
/// What the database refused.
pub(super) fn orders(database: &Database, orders: &[Order]) -> Result<(), ApiError> {
    let tables = dispatch::call(database, "ListTables", json!({}))?;
    let is_there = |name: &Value| name.as_str() == Some(TABLE);
    if !tables.get("TableNames").and_then(Value::as_array).is_some_and(|names| names.iter().any(is_there)) {
        dispatch::call(database, "CreateTable", definition())?;
    }
    let mut items = Vec::new();
    for order in orders {
        let key = json!({"pk": {"S": format!("ORDER#{}", order.id)}, "sk": {"S": "META"}});
        let request = json!({"TableName": TABLE, "Key": key, "ProjectionExpression": "pk"});
        if dispatch::call(database, "GetItem", request)?.get("Item").is_none() {
            items.extend(of_order(order));
        }
    }
    let imported = database.import_items(TABLE, items, ImportOptions { record_streams: false, set_cached_at: false });
    imported.map(drop).map_err(|error| ApiError::internal(format!("cannot fill the table {TABLE}: {error}")))
}

fn definition() -> Value {
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "merchant", "AttributeType": "S"},
            {"AttributeName": "updated_at", "AttributeType": "S"}
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_merchant",
            "KeySchema": [{"AttributeName": "merchant", "KeyType": "HASH"}, {"AttributeName": "updated_at", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "total"]}
        }]
    })
}

fn of_order(order: &Order) -> Vec<Item> {
    let pk = format!("ORDER#{}", order.id);
    let total = format!("{}.{:02}", order.cents / 100, order.cents % 100);
    let mut meta = item(&[
        ("pk", text(&pk)),
        ("sk", text("META")),
        ("state", text(order.status)),
        ("merchant", text(order.merchant)),
        ("customer_id", text(&customer_id(order.customer))),
        ("currency", text(order.currency)),
        ("created_at", time(order.created_at)),
        ("updated_at", time(order.updated_at)),
        ("total", AttributeValue::N(total)),
        ("card", AttributeValue::M(item(&[("brand", text("visa")), ("last4", text(&order.card))]))),
    ]);
    let placed = event(&pk, order.created_at, "placed", "shop-web");
    if !order.is_stuck {
        return vec![meta, placed, event(&pk, order.updated_at, order.status, "order-worker")];
    }
    meta.insert("lock_owner".to_owned(), text(GONE_HOST));
    let lock = item(&[
        ("pk", text(&pk)),
        ("sk", text("LOCK")),
        ("lock_owner", text(GONE_HOST)),
        ("locked_at", time(order.updated_at)),
        // A lock outlives its lease only when its owner died: nobody renewed or removed it.
        ("lease_until", time(order.updated_at.plus(Millis::from_secs(30)))),
    ]);
    vec![meta, placed, lock, event(&pk, order.updated_at, "payment_started", GONE_HOST)]
}

fn event(pk: &str, at: Timestamp, kind: &str, host: &str) -> Item {
    item(&[("pk", text(pk)), ("sk", text(&format!("EVENT#{at}"))), ("kind", text(kind)), ("host", text(host)), ("at", time(at))])
}

fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn time(at: Timestamp) -> AttributeValue {
    AttributeValue::S(at.to_string())
}
