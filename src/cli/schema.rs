//! `schema`: the JSON Schemas that editors and other programs use.

use super::args::SchemaOf;
use super::error::{Error, ExitKind};
use super::show;
use crate::core::book::schema::{BOOK, CATALOG, RUNBOOK};
use crate::core::{guard, plan, run};

/// Prints one.
pub(super) fn print(of: SchemaOf) -> Result<(), Error> {
    let text = text(of).map_err(|error| Error::new(ExitKind::Bug, "the schema cannot be written").because(&error))?;
    show::data(text.trim_end())
}

fn text(of: SchemaOf) -> Result<String, serde_json::Error> {
    let schema = match of {
        SchemaOf::Runbook => return Ok(RUNBOOK.to_owned()),
        SchemaOf::Book => return Ok(BOOK.to_owned()),
        SchemaOf::Catalog => return Ok(CATALOG.to_owned()),
        SchemaOf::Guard => guard::schema(),
        SchemaOf::Plan => plan::schema::schema(),
        SchemaOf::Event => run::schema::schema(),
    };
    serde_json::to_string_pretty(&schema)
}
