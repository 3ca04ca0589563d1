//! The JSON Schema of one journal event, as `tollgate run --format json` prints it.

use schemars::generate::SchemaSettings;

use super::event::Event;

/// The JSON Schema (draft 2020-12) of an event.
pub fn schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Event>();
    schema.insert("title".to_owned(), "tollgate event".into());
    schema.to_value()
}
