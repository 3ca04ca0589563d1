//! What expressions and templates see.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::ParamValue;
use crate::core::book::{ParamName, StepId};

/// Values at one point of the walk. Only what is put here can be seen.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Inputs that were given.
    pub inputs: IndexMap<ParamName, ParamValue>,
    /// Captures and choices made so far.
    pub captures: IndexMap<ParamName, ParamValue>,
    /// Earlier steps.
    pub steps: IndexMap<StepId, StepResult>,
    /// The step's own result, for `expect` and `capture`: then `row_count`, `rows` and `outcome` stand bare.
    pub own: Option<StepResult>,
}

/// What a step left.
#[derive(Debug, Clone, Default)]
pub struct StepResult {
    /// Rows that were fetched; `None` where the step fetched none because it did not run.
    pub row_count: Option<u64>,
    /// How it ended, as the journal says it.
    pub outcome: String,
    /// A list of objects by column; `None` where rows are not to be seen here.
    pub rows: Option<Arc<Value>>,
}

impl StepResult {
    fn json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        if let Some(count) = self.row_count {
            map.insert("row_count".to_owned(), Value::from(count));
        }
        if let Some(rows) = &self.rows {
            map.insert("rows".to_owned(), Value::clone(rows));
        }
        map.insert("outcome".to_owned(), Value::from(self.outcome.clone()));
        map
    }
}

impl Scope {
    /// The value of an input, capture or choice.
    pub fn param(&self, name: &str) -> Option<&ParamValue> {
        self.inputs.get(name).or_else(|| self.captures.get(name))
    }

    /// What MiniJinja sees: `inputs`, `steps`, captures, and the step's own result.
    pub(super) fn context(&self) -> minijinja::Value {
        let mut root = Map::new();
        for (name, value) in &self.captures {
            root.insert(name.to_string(), comparable(value));
        }
        let inputs = self.inputs.iter().map(|(name, value)| (name.to_string(), comparable(value))).collect();
        root.insert("inputs".to_owned(), Value::Object(inputs));
        let steps = self.steps.iter().map(|(id, result)| (id.to_string(), Value::Object(result.json()))).collect();
        root.insert("steps".to_owned(), Value::Object(steps));
        if let Some(own) = &self.own {
            root.extend(own.json());
        }
        minijinja::Value::from(minijinja::value::Serde(Value::Object(root)))
    }

    /// The text of a path in a template: `name`, `inputs.name`, `steps.id.row_count`.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('.').collect();
        match parts.as_slice() {
            [name] => self.param(name).map(ParamValue::text),
            ["inputs", name] => self.inputs.get(*name).map(ParamValue::text),
            ["steps", id, "row_count"] => self.steps.get(*id)?.row_count.map(|count| count.to_string()),
            ["steps", id, "outcome"] => Some(self.steps.get(*id)?.outcome.clone()),
            _ => None,
        }
    }
}

/// A value that compares as people expect: numbers as numbers, dates by their form.
fn comparable(value: &ParamValue) -> Value {
    match value {
        ParamValue::Int(number) => Value::from(*number),
        ParamValue::Decimal(number) => {
            let text = number.to_string();
            text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or(Value::String(text), Value::Number)
        }
        ParamValue::Bool(yes) => Value::from(*yes),
        ParamValue::List(values) => Value::Array(values.iter().map(comparable).collect()),
        other => Value::from(other.text()),
    }
}

/// Rows for expressions, from cells as services render them: numbers of numeric columns as numbers, NULL as `none`.
///
/// `columns` gives name and the service's type name, in order; a cell that is no number stays text.
pub fn result_rows(columns: &[(&str, &str)], rows: &[Vec<Option<String>>]) -> Value {
    let row = |cells: &Vec<Option<String>>| {
        let pairs = columns.iter().zip(cells).map(|((name, kind), cell)| ((*name).to_owned(), cell_value(kind, cell.as_deref())));
        Value::Object(pairs.collect())
    };
    Value::Array(rows.iter().map(row).collect())
}

fn cell_value(kind: &str, cell: Option<&str>) -> Value {
    let Some(text) = cell else { return Value::Null };
    let base = kind.split(['(', ' ']).next().unwrap_or(kind).to_ascii_lowercase();
    match base.as_str() {
        "tinyint" | "smallint" | "int" | "integer" | "bigint" | "n" => {
            text.parse::<i64>().map_or_else(|_| number(text), Value::from)
        }
        "real" | "float" | "double" | "decimal" => number(text),
        "boolean" | "bool" => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

fn number(text: &str) -> Value {
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(|| Value::from(text), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_get_their_types() {
        let columns = [("n", "bigint"), ("d", "decimal(12,2)"), ("t", "varchar"), ("b", "boolean"), ("x", "double")];
        let cell = |text: &str| Some(text.to_owned());
        let rows = [vec![cell("412"), cell("1.50"), cell("412"), cell("true"), cell("NaN")], vec![None; 5]];
        assert_eq!(
            result_rows(&columns, &rows),
            json!([{ "n": 412, "d": 1.5, "t": "412", "b": true, "x": "NaN" }, { "n": null, "d": null, "t": null, "b": null, "x": null }])
        );
    }
}
