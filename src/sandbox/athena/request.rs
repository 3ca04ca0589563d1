//! Requests as the protocol has them, checked as the service's model says.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::statement::LONGEST;
use crate::sandbox::api::ApiError;

/// `StartQueryExecution`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    pub(super) query_string: Option<String>,
    pub(super) client_request_token: Option<String>,
    pub(super) query_execution_context: Option<Context>,
    pub(super) result_configuration: Option<Output>,
    pub(super) work_group: Option<String>,
    #[serde(default)]
    pub(super) execution_parameters: Vec<String>,
}

/// `QueryExecutionContext`
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Context {
    pub(super) database: Option<String>,
    pub(super) catalog: Option<String>,
}

/// `ResultConfiguration`
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub(super) output_location: Option<String>,
}

/// Anything with the id of an execution, and paging.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    pub(super) query_execution_id: Option<String>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<i64>,
    pub(super) query_result_type: Option<String>,
}

/// `BatchGetQueryExecution`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch {
    #[serde(default)]
    pub(super) query_execution_ids: Vec<String>,
}

/// Lists: workgroups, executions, databases, tables.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    pub(super) work_group: Option<String>,
    pub(super) catalog_name: Option<String>,
    pub(super) database_name: Option<String>,
    pub(super) table_name: Option<String>,
    pub(super) expression: Option<String>,
    pub(super) name: Option<String>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<i64>,
}

/// Reads a request's body.
pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    // A body may be empty.
    let body = if body.is_null() { Value::Object(serde_json::Map::new()) } else { body };
    serde_json::from_value(body).map_err(|error| ApiError::new(400, "SerializationException", error.to_string()))
}

/// `InvalidRequestException` with its `AthenaErrorCode`.
pub(super) fn invalid(code: &str, message: impl Into<String>) -> ApiError {
    let mut error = ApiError::new(400, "InvalidRequestException", message);
    for name in ["AthenaErrorCode", "ErrorCode"] {
        error.extra.insert(name.to_owned(), Value::from(code));
    }
    error
}

/// The most common one.
pub(super) fn invalid_input(message: impl Into<String>) -> ApiError {
    invalid("INVALID_INPUT", message)
}

/// What the model refuses, in the words of its validation.
pub(super) fn constraint(member: &str, constraint: &str) -> ApiError {
    invalid_input(format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"))
}

/// A required text.
pub(super) fn required(member: &str, value: Option<String>) -> Result<String, ApiError> {
    value.ok_or_else(|| constraint(member, "Member must not be null"))
}

impl Start {
    /// The statement.
    pub(super) fn query(&self) -> Result<&str, ApiError> {
        let query = self.query_string.as_deref().ok_or_else(|| constraint("queryString", "Member must not be null"))?;
        if query.is_empty() {
            return Err(constraint("queryString", "Member must have length greater than or equal to 1"));
        }
        if query.len() > LONGEST {
            return Err(constraint("queryString", &format!("Member must have length less than or equal to {LONGEST}")));
        }
        Ok(query)
    }

    /// The token that makes a repeated request the same one.
    pub(super) fn token(&self) -> Result<&str, ApiError> {
        let token = self.client_request_token.as_deref().ok_or_else(|| invalid_input("clientRequestToken is null or empty"))?;
        match token.chars().count() {
            ..32 => Err(constraint("clientRequestToken", "Member must have length greater than or equal to 32")),
            129.. => Err(constraint("clientRequestToken", "Member must have length less than or equal to 128")),
            _ => Ok(token),
        }
    }
}

/// A page size within the model's range.
pub(super) fn page_size(given: Option<i64>, least: i64, most: i64) -> Result<usize, ApiError> {
    match given {
        None => Ok(usize::try_from(most).unwrap_or(50)),
        Some(n) if n < least => {
            Err(constraint("maxResults", &format!("Member must have value greater than or equal to {least}")))
        }
        Some(n) if n > most => Err(constraint("maxResults", &format!("Member must have value less than or equal to {most}"))),
        // 0 means the service's own choice where the model allows it.
        Some(0) => Ok(usize::try_from(most).unwrap_or(50)),
        Some(n) => Ok(usize::try_from(n).unwrap_or(50)),
    }
}

/// One page of a list that fits in memory, and the token of the next.
pub(super) fn page<T>(all: Vec<T>, token: Option<&str>, size: usize) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start = match token {
        None => 0,
        Some(token) => token.parse::<usize>().ok().filter(|start| *start < all.len()).ok_or_else(bad_token)?,
    };
    let next = (start + size < all.len()).then(|| (start + size).to_string());
    Ok((all.into_iter().skip(start).take(size).collect(), next))
}

/// A token that this service did not give.
pub(super) fn bad_token() -> ApiError {
    invalid_input("Malformed nextToken")
}
