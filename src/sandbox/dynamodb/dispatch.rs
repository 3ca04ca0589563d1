//! From the wire's JSON to dynoxide's typed calls and back. Its own HTTP server does the same, but a second port without
//! signatures would be a way around the door.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::sandbox::api::ApiError;

/// The longest PartiQL statement (DynamoDB's limit), since dynoxide reads it by recursion.
const STATEMENT_LIMIT: usize = 8_192;

/// Answers one operation.
///
/// # Errors
/// DynamoDB's error, with the service's full type name as its code.
pub(super) fn call(database: &Database, operation: &str, body: Value) -> Result<Value, ApiError> {
    let db = database;
    match operation {
        "BatchExecuteStatement" => statement(operation, body, |r| db.batch_execute_statement(r)),
        "BatchGetItem" => answer(operation, body, |r| db.batch_get_item(r)),
        "BatchWriteItem" => answer(operation, body, |r| db.batch_write_item(r)),
        "CreateTable" => answer(operation, body, |r| db.create_table(r)),
        "DeleteItem" => answer(operation, body, |r| db.delete_item(r)),
        "DeleteTable" => answer(operation, body, |r| db.delete_table(r)),
        "DescribeTable" => answer(operation, body, |r| db.describe_table(r)),
        "DescribeTimeToLive" => answer(operation, body, |r| db.describe_time_to_live(r)),
        "ExecuteStatement" => statement(operation, body, |r| db.execute_statement(r)),
        "ExecuteTransaction" => statement(operation, body, |r| db.execute_transaction(r)),
        "GetItem" => answer(operation, body, |r| db.get_item(r)),
        "ListTables" => answer(operation, body, |r| db.list_tables(r)),
        "ListTagsOfResource" => answer(operation, body, |r| db.list_tags_of_resource(r)),
        "PutItem" => answer(operation, body, |r| db.put_item(r)),
        "Query" => answer(operation, body, |r| db.query(r)),
        "Scan" => answer(operation, body, |r| db.scan(r)),
        "TagResource" => answer(operation, body, |r| db.tag_resource(r)),
        "TransactGetItems" => answer(operation, body, |r| db.transact_get_items(r)),
        "TransactWriteItems" => answer(operation, body, |r| db.transact_write_items(r)),
        "UntagResource" => answer(operation, body, |r| db.untag_resource(r)),
        "UpdateItem" => answer(operation, body, |r| db.update_item(r)),
        "UpdateTable" => answer(operation, body, |r| db.update_table(r)),
        "UpdateTimeToLive" => answer(operation, body, |r| db.update_time_to_live(r)),
        other => {
            let error = ApiError::unknown_operation(other);
            Err(ApiError { code: "com.amazon.coral.service#UnknownOperationException".to_owned(), ..error })
        }
    }
}

fn statement<I: DeserializeOwned, O: Serialize>(
    operation: &str,
    body: Value,
    call: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<Value, ApiError> {
    if longest_statement(&body) > STATEMENT_LIMIT {
        let message = format!(
            "1 validation error detected: Value at 'statement' failed to satisfy constraint: Member must have length less than \
             or equal to {STATEMENT_LIMIT}"
        );
        return Err(validation(message));
    }
    answer(operation, body, call)
}

fn longest_statement(body: &Value) -> usize {
    let of = |value: &Value| value.get("Statement").and_then(Value::as_str).map_or(0, str::len);
    let nested = ["Statements", "TransactStatements"].iter().filter_map(|name| body.get(*name)?.as_array()).flatten();
    nested.map(of).chain([of(body)]).max().unwrap_or(0)
}

fn answer<I: DeserializeOwned, O: Serialize>(
    operation: &str,
    body: Value,
    call: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<Value, ApiError> {
    let request = serde_json::from_value(body).map_err(|error| unreadable(operation, &error.to_string()))?;
    let response = call(request).map_err(|error| refused(operation, &error))?;
    serde_json::to_value(&response)
        .map_err(|error| ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", error.to_string()))
}

/// dynoxide's error as the service sends it.
fn refused(operation: &str, error: &DynoxideError) -> ApiError {
    let mut members: Map<String, Value> = serde_json::from_str(&error.to_json()).unwrap_or_default();
    members.remove("__type");
    let message = members.remove("message").or_else(|| members.remove("Message"));
    let message = message.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
    let message = match error {
        DynoxideError::EnvelopedValidation(_) => enveloped(operation, &message),
        _ => message,
    };
    ApiError { extra: Box::new(members), ..ApiError::new(error.status_code(), error.error_type(), message) }
}

/// A request that dynoxide's readers refused: they mark how the service would call it.
fn unreadable(operation: &str, message: &str) -> ApiError {
    let strip = |marker| message.strip_prefix(marker);
    if let Some(words) = strip("VALIDATION_REQUEST:") {
        validation(enveloped(operation, words))
    } else if let Some(words) = strip("VALIDATION:").or_else(|| strip("VALIDATION_AS_READ:")) {
        validation(words.to_owned())
    } else {
        let words = strip("SERIALIZATION:").or_else(|| strip("SERIALIZATION_AS_READ:")).unwrap_or(message);
        let is_missing = ["missing field", "unknown variant", "invalid type: null"].iter().any(|part| words.contains(part));
        if is_missing || words.contains("Supplied AttributeValue") {
            return validation(words.to_owned());
        }
        ApiError::new(400, "com.amazon.coral.service#SerializationException", words)
    }
}

fn validation(message: String) -> ApiError {
    ApiError::new(400, "com.amazon.coral.validate#ValidationException", message)
}

/// DynamoDB counts this family of errors on single writes, and tells it bare elsewhere.
fn enveloped(operation: &str, words: &str) -> String {
    if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") {
        format!("1 validation error detected: {words}")
    } else {
        words.to_owned()
    }
}
