//! The JSON Schema of what `tollgate plan --format json` writes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::{Plan, PlanDigest};

/// A plan with its digest. The digest is SHA-256 over `tollgate-plan-v1`, a line feed, and the RFC 8785 form of `plan`.
#[derive(JsonSchema)]
#[schemars(title = "tollgate plan")]
#[allow(dead_code, reason = "only its schema is used")]
struct Output {
    /// 64 hex digits; votes name it.
    digest: PlanDigest,
    /// Exactly what will run.
    plan: Plan,
}

/// The JSON Schema (draft 2020-12) of the output of `plan`.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Output>().to_value()
}
