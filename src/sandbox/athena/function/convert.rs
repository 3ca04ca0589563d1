//! Casts whose results differ from the engine's own.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::super::text::{self, Style};
use super::column::{collect_strings, rows};
use super::shim::{Shim, Types};

/// The functions of this file.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![Shim::udf(TO_VARCHAR, types, to_varchar)]
}

/// `CAST(x AS varchar)` for what is no text.
pub(in crate::sandbox::athena) const TO_VARCHAR: &str = "tg_to_varchar";

fn types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [of] => Ok((vec![of.clone()], DataType::Utf8)),
        _ => Err("one argument".to_owned()),
    }
}

fn to_varchar(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let array = args.first().ok_or("no argument")?;
    collect_strings((0..rows(args)).map(|row| Ok(text::value(array, row, Style::Cast))))
}
