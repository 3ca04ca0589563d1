//! Exporting rows: CSV or JSON Lines, as bytes.

use serde_json::{Map, Value};

use crate::engine::ports::Rows;
use crate::engine::session::ExportFormat;

/// Rows that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The CSV writer refused.
    #[error("csv")]
    Csv(#[from] csv::Error),
    /// The JSON writer refused.
    #[error("json")]
    Json(#[from] serde_json::Error),
}

/// Rows as a file's bytes.
pub fn bytes(rows: &Rows, format: ExportFormat) -> Result<Vec<u8>, ExportError> {
    match format {
        ExportFormat::Csv => as_csv(rows),
        ExportFormat::JsonLines => json_lines(rows).map_err(ExportError::Json),
    }
}

/// One JSON object a line, NULL as null.
pub fn json_lines(rows: &Rows) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    for row in &rows.rows {
        let cells = rows.columns.iter().zip(row);
        let object: Map<String, Value> =
            cells.map(|(column, cell)| (column.name.clone(), cell.clone().map_or(Value::Null, Value::String))).collect();
        serde_json::to_writer(&mut out, &object)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// RFC 4180 with a header; NULL is an empty unquoted cell, an empty string a quoted one.
fn as_csv(rows: &Rows) -> Result<Vec<u8>, ExportError> {
    let mut out = Vec::new();
    let header: Vec<Option<String>> = rows.columns.iter().map(|column| Some(column.name.clone())).collect();
    for row in std::iter::once(&header).chain(&rows.rows) {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if let Some(text) = cell {
                write_cell(&mut out, text)?;
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}

fn write_cell(out: &mut Vec<u8>, text: &str) -> Result<(), ExportError> {
    // A spreadsheet runs a cell that begins so; the apostrophe makes it text (OWASP, CSV injection).
    let text = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') if text.parse::<f64>().is_err() => format!("'{text}"),
        _ => text.to_owned(),
    };
    let mut writer = csv::WriterBuilder::new().quote_style(quote_style(&text)).from_writer(Vec::new());
    writer.write_record([&text])?;
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    out.extend_from_slice(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
    Ok(())
}

fn quote_style(text: &str) -> csv::QuoteStyle {
    if text.is_empty() { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ports::RowColumn;

    fn rows() -> Rows {
        let column = |name: &str| RowColumn { name: name.into(), kind: "varchar".into() };
        Rows {
            columns: vec![column("a"), column("b")],
            rows: vec![
                vec![Some("x,\"y\"".into()), None],
                vec![Some(String::new()), Some("=cmd()".into())],
                vec![Some("-12.5".into()), Some("line\nbreak".into())],
            ],
            truncated: false,
        }
    }

    #[test]
    fn csv_tells_null_from_empty_and_disarms_formulas() {
        let text = String::from_utf8(bytes(&rows(), ExportFormat::Csv).unwrap()).unwrap();
        assert_eq!(text, "a,b\r\n\"x,\"\"y\"\"\",\r\n\"\",'=cmd()\r\n-12.5,\"line\nbreak\"\r\n");
    }

    #[test]
    fn json_lines_have_null() {
        let text = String::from_utf8(bytes(&rows(), ExportFormat::JsonLines).unwrap()).unwrap();
        assert_eq!(text.lines().next().unwrap(), r#"{"a":"x,\"y\"","b":null}"#);
    }
}
