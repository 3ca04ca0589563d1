//! What a request needs to be allowed: its action, the table or index, and the condition keys that IAM has for it.
//!
//! Only the operations and members listed here are understood; a request with anything else is denied to a session that has a
//! policy. Sources: the service authorization reference for DynamoDB, and "Using IAM policy conditions for fine-grained access
//! control" in its developer guide. Where a request would return all attributes, `dynamodb:Attributes` holds `*` besides, which
//! no list of names allows: AWS does not tell what it puts there.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::expression::{self, Kind};
use crate::sandbox::policy::Context;

/// One question to the authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// `dynamodb:GetItem`.
    pub action: String,
    /// The table's or index's ARN.
    pub resource: String,
    /// The request's condition keys.
    pub context: Context,
}

/// A request that the sandbox cannot judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear {
    /// The action it would need.
    pub action: String,
    /// Why, as a phrase.
    pub why: String,
}

/// A table's key attributes, the partition key first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableKeys {
    /// The table's own.
    pub table: Vec<String>,
    /// Those of each index.
    pub indexes: HashMap<String, Vec<String>>,
}

/// Where a request arrived, and what is known there.
pub(super) struct Place<'a> {
    /// `arn:aws:dynamodb:REGION:ACCOUNT`.
    pub prefix: String,
    /// The keys of a table, if there is one of that name.
    pub keys: &'a dyn Fn(&str) -> Option<TableKeys>,
}

type Object = Map<String, Value>;
type Outcome<T> = Result<T, String>;

/// What `operation` with this body needs.
///
/// # Errors
/// [`Unclear`]: an operation, a member or an expression that is not understood.
pub(super) fn checks(operation: &str, body: &Value, place: &Place<'_>) -> Result<Vec<Check>, Unclear> {
    let unclear = |why| Unclear { action: format!("dynamodb:{operation}"), why };
    let Value::Object(body) = body else { return Err(unclear("a body that is no object".to_owned())) };
    read(operation, body, place).map_err(unclear)
}

fn read(operation: &str, body: &Object, place: &Place<'_>) -> Outcome<Vec<Check>> {
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => Ok(vec![Part::of(body, place, operation, None)?.item()?]),
        "Query" | "Scan" => Ok(vec![Part::of(body, place, operation, None)?.page()?]),
        "BatchGetItem" => batch_get(body, place),
        "BatchWriteItem" => batch_write(body, place),
        "TransactGetItems" | "TransactWriteItems" => transaction(operation, body, place),
        "DescribeTable" | "DescribeTimeToLive" => {
            let part = Part::of(body, place, operation, None)?;
            Ok(vec![part.check(Context::new())?])
        }
        "ListTables" => {
            known(body, &["ExclusiveStartTableName", "Limit"])?;
            Ok(vec![Check { action: "dynamodb:ListTables".to_owned(), resource: "*".to_owned(), context: Context::new() }])
        }
        other => Err(format!("the operation {other}")),
    }
}

fn batch_get(body: &Object, place: &Place<'_>) -> Outcome<Vec<Check>> {
    known(body, &["RequestItems", "ReturnConsumedCapacity"])?;
    let tables = object(body, "RequestItems")?.ok_or("a batch without RequestItems")?;
    let mut checks = Vec::new();
    for (table, request) in tables {
        let Value::Object(request) = request else { return Err("a batch that is no object".to_owned()) };
        let mut request = request.clone();
        request.insert("TableName".to_owned(), Value::String(table.clone()));
        copy(body, &mut request, "ReturnConsumedCapacity");
        checks.push(Part::of(&request, place, "BatchGetItem", None)?.item()?);
    }
    Ok(checks)
}

fn batch_write(body: &Object, place: &Place<'_>) -> Outcome<Vec<Check>> {
    known(body, &["RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"])?;
    let tables = object(body, "RequestItems")?.ok_or("a batch without RequestItems")?;
    let mut checks = Vec::new();
    for (table, requests) in tables {
        let Value::Array(requests) = requests else { return Err("a batch that is no list".to_owned()) };
        for request in requests {
            let (kind, inner) = single(request)?;
            if !matches!(kind, "PutRequest" | "DeleteRequest") {
                return Err(format!("the member {kind}"));
            }
            let mut inner = inner.clone();
            inner.insert("TableName".to_owned(), Value::String(table.clone()));
            copy(body, &mut inner, "ReturnConsumedCapacity");
            checks.push(Part::of(&inner, place, "BatchWriteItem", None)?.item()?);
        }
    }
    Ok(checks)
}

fn transaction(operation: &str, body: &Object, place: &Place<'_>) -> Outcome<Vec<Check>> {
    known(body, &["TransactItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ClientRequestToken"])?;
    let Some(Value::Array(items)) = body.get("TransactItems") else { return Err("a transaction without items".to_owned()) };
    let mut checks = Vec::new();
    for item in items {
        let (kind, inner) = single(item)?;
        let action = match (operation, kind) {
            ("TransactGetItems", "Get") => "GetItem",
            ("TransactWriteItems", "Put") => "PutItem",
            ("TransactWriteItems", "Update") => "UpdateItem",
            ("TransactWriteItems", "Delete") => "DeleteItem",
            ("TransactWriteItems", "ConditionCheck") => "ConditionCheckItem",
            _ => return Err(format!("the member {kind}")),
        };
        let mut inner = inner.clone();
        copy(body, &mut inner, "ReturnConsumedCapacity");
        checks.push(Part::of(&inner, place, action, Some(operation))?.item()?);
    }
    Ok(checks)
}

/// One table's part of a request.
struct Part<'a> {
    body: &'a Object,
    action: &'a str,
    enclosing: Option<&'a str>,
    prefix: &'a str,
    table: &'a str,
    index: Option<&'a str>,
    keys: TableKeys,
    names: Object,
}

impl<'a> Part<'a> {
    fn of(body: &'a Object, place: &'a Place<'_>, action: &'a str, enclosing: Option<&'a str>) -> Outcome<Self> {
        known(body, members(action))?;
        let table = text(body, "TableName")?.ok_or("a request without a table")?;
        let index = text(body, "IndexName")?;
        if !is_name(table) || index.is_some_and(|index| !is_name(index)) {
            return Err("a table or index that is not given by its name".to_owned());
        }
        let names = object(body, "ExpressionAttributeNames")?.cloned().unwrap_or_default();
        let keys = (place.keys)(table).unwrap_or_default();
        Ok(Self { body, action, enclosing, prefix: &place.prefix, table, index, keys, names })
    }

    fn check(&self, context: Context) -> Outcome<Check> {
        let index = self.index.map_or_else(String::new, |index| format!("/index/{index}"));
        let mut context = context;
        for (key, member) in [
            ("dynamodb:ReturnConsumedCapacity", "ReturnConsumedCapacity"),
            ("dynamodb:ReturnValues", "ReturnValues"),
            ("dynamodb:Select", "Select"),
        ] {
            context = context.with(key, text(self.body, member)?);
        }
        context = context.with("dynamodb:EnclosingOperation", self.enclosing);
        Ok(Check {
            action: format!("dynamodb:{}", self.action),
            resource: format!("{}:table/{}{index}", self.prefix, self.table),
            context,
        })
    }

    /// A request for items by their keys.
    fn item(&self) -> Outcome<Check> {
        let mut attributes = self.expressions()?;
        let mut leading = Vec::new();
        let mut keyed: Vec<&Object> = Vec::new();
        keyed.extend(object(self.body, "Key")?);
        keyed.extend(object(self.body, "Item")?);
        match self.body.get("Keys") {
            None => {}
            Some(Value::Array(keys)) => {
                for key in keys {
                    let Value::Object(key) = key else { return Err("a key that is no object".to_owned()) };
                    keyed.push(key);
                }
            }
            Some(_) => return Err("keys that are no list".to_owned()),
        }
        for key in keyed {
            attributes.extend(key.keys().cloned());
            if let Some(value) = self.keys.table.first().and_then(|name| key.get(name)) {
                leading.push(scalar(value)?);
            } else {
                return Err("an item without its partition key".to_owned());
            }
        }
        let reads = matches!(self.action, "GetItem" | "BatchGetItem");
        let shows_old = text(self.body, "ReturnValuesOnConditionCheckFailure")? == Some("ALL_OLD");
        if (reads && !self.body.contains_key("ProjectionExpression")) || shows_old {
            attributes.insert("*".to_owned());
        }
        self.check(Context::new().with("dynamodb:LeadingKeys", leading).with("dynamodb:Attributes", attributes))
    }

    /// A Query or Scan: a page of items, whose last key the answer tells.
    fn page(&self) -> Outcome<Check> {
        let mut attributes = self.expressions()?;
        let own = match self.index {
            None => Some(&self.keys.table),
            Some(index) => self.keys.indexes.get(index),
        };
        attributes.extend(self.keys.table.iter().chain(own.into_iter().flatten()).cloned());
        attributes.extend(object(self.body, "ExclusiveStartKey")?.into_iter().flat_map(|key| key.keys().cloned()));
        let selects = text(self.body, "Select")?;
        if !self.body.contains_key("ProjectionExpression") && selects != Some("COUNT") {
            attributes.insert("*".to_owned());
        }
        let mut context = Context::new().with("dynamodb:Attributes", attributes);
        if let (Some(condition), Some(key)) = (text(self.body, "KeyConditionExpression")?, own.and_then(|keys| keys.first())) {
            let values = object(self.body, "ExpressionAttributeValues")?;
            let placeholder = expression::equal_value(condition, key, &self.names)?;
            if let Some(value) = placeholder.and_then(|placeholder| values.and_then(|values| values.get(&placeholder))) {
                context = context.with("dynamodb:LeadingKeys", [scalar(value)?]);
            }
        }
        self.check(context)
    }

    fn expressions(&self) -> Outcome<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for (member, kind) in [
            ("ProjectionExpression", Kind::Projection),
            ("KeyConditionExpression", Kind::Condition),
            ("FilterExpression", Kind::Condition),
            ("ConditionExpression", Kind::Condition),
            ("UpdateExpression", Kind::Update),
        ] {
            if let Some(text) = text(self.body, member)? {
                found.extend(expression::attributes(kind, text, &self.names)?);
            }
        }
        Ok(found)
    }
}

/// The members that an action's request may have; the older ones (AttributesToGet, KeyConditions, Expected, …) are not
/// understood.
fn members(action: &str) -> &'static [&'static str] {
    match action {
        "GetItem" | "BatchGetItem" => &[
            "TableName",
            "Key",
            "Keys",
            "ConsistentRead",
            "ProjectionExpression",
            "ExpressionAttributeNames",
            "ReturnConsumedCapacity",
        ],
        "Query" | "Scan" => &[
            "TableName",
            "IndexName",
            "KeyConditionExpression",
            "FilterExpression",
            "ProjectionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ScanIndexForward",
            "Limit",
            "ExclusiveStartKey",
            "Select",
            "ConsistentRead",
            "ReturnConsumedCapacity",
            "Segment",
            "TotalSegments",
        ],
        "PutItem" | "UpdateItem" | "DeleteItem" | "ConditionCheckItem" | "BatchWriteItem" => &[
            "TableName",
            "Key",
            "Item",
            "ConditionExpression",
            "UpdateExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValues",
            "ReturnValuesOnConditionCheckFailure",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ],
        _ => &["TableName"],
    }
}

fn known(body: &Object, members: &[&str]) -> Outcome<()> {
    match body.keys().find(|name| !members.contains(&name.as_str())) {
        Some(name) => Err(format!("the member {name}")),
        None => Ok(()),
    }
}

fn copy(from: &Object, to: &mut Object, member: &str) {
    if let Some(value) = from.get(member) {
        to.insert(member.to_owned(), value.clone());
    }
}

fn text<'a>(body: &'a Object, member: &str) -> Outcome<Option<&'a str>> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{member} that is no string")),
    }
}

fn object<'a>(body: &'a Object, member: &str) -> Outcome<Option<&'a Object>> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("{member} that is no object")),
    }
}

/// The one member of an object and its object.
fn single(value: &Value) -> Outcome<(&str, &Object)> {
    let Value::Object(object) = value else { return Err("an item that is no object".to_owned()) };
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((name, Value::Object(inner))), None) => Ok((name, inner)),
        _ => Err("an item with more than one action".to_owned()),
    }
}

/// A key value as `dynamodb:LeadingKeys` holds it: the string, the number or the base64 text as sent.
fn scalar(value: &Value) -> Outcome<String> {
    let Value::Object(typed) = value else { return Err("a value without a type".to_owned()) };
    let mut members = typed.iter();
    match (members.next(), members.next()) {
        (Some((kind, Value::String(text))), None) if matches!(kind.as_str(), "S" | "N" | "B") => Ok(text.clone()),
        _ => Err("a key value of another type than string, number or binary".to_owned()),
    }
}

/// A name, not an ARN (which DynamoDB takes there too).
fn is_name(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests;
