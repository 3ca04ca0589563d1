//! `schema`: the JSON Schemas that editors and other programs use.

use super::args::SchemaOf;
use super::error::{Error, ExitKind};
use super::show;

/// Prints one.
pub fn print(of: SchemaOf) -> Result<(), Error> {
    let schema = match of {
        SchemaOf::Runbook => todo(),
        SchemaOf::Book => todo(),
        SchemaOf::Catalog => todo(),
        SchemaOf::Guard => crate::core::guard::schema(),
        SchemaOf::Plan => todo(),
        SchemaOf::Event => todo(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?;
    show::data(&text)
}
fn todo() -> serde_json::Value {
    serde_json::Value::Null
}
