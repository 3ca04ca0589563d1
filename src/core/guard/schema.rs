//! The JSON Schema of what `tollgate guard --format json` writes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Judgement;
use crate::core::sql::syntax::Syntax;

/// One result: an object, or a line of a batch's output.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "tollgate guard")]
#[allow(dead_code, clippy::large_enum_variant, reason = "only its schema is used")]
enum Output {
    /// What the guard says of a statement.
    Judged(WithId<Judgement>),
    /// What `--syntax` says of a statement.
    Read(WithId<Syntax>),
    /// A line of a batch that could not be used; the batch goes on, and ends with exit code 2.
    Bad(BadLine),
}

/// In a batch, the line's `id` comes first.
#[derive(Serialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct WithId<T> {
    /// The line's `id`, as it was given; only in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    #[serde(flatten)]
    rest: T,
}

/// A bad line.
#[derive(Serialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct BadLine {
    /// The line's `id`, or null where there is none.
    id: serde_json::Value,
    /// What is wrong.
    error: BadLineError,
}

#[derive(Serialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct BadLineError {
    /// `usage`.
    kind: String,
    /// In plain words.
    message: String,
    /// Empty.
    causes: Vec<String>,
    /// Empty.
    hints: Vec<String>,
}

/// The JSON Schema (draft 2020-12) of one result.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Output>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_what_the_contract_names() {
        let schema = schema();
        let text = schema.to_string();
        for key in
            ["verdict", "findings", "filters_on", "other_model_expected", "set_in", "blocked-column", "partitions", "newer"]
        {
            assert!(text.contains(&format!("\"{key}\"")), "{key}");
        }
        let scan = &schema["$defs"]["Scan"];
        let required = scan["required"].as_array().unwrap();
        assert!(required.iter().any(|key| key == "expected"), "{scan}");
        assert_eq!(scan["properties"]["expected"]["type"], serde_json::json!(["integer", "null"]));
    }
}
