//! The form of a runbook's inputs: every field is judged as it is typed.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::book::ParamName;
use crate::core::run::RunState;
use crate::core::runbook::{Input, ParamType, ParamValue, Runbook, Today};
use crate::tui::field::Field;

/// The form.
#[derive(Debug)]
pub struct Inputs {
    /// Whose inputs.
    pub runbook: Arc<Runbook>,
    /// What `today` means.
    pub today: Today,
    /// Fields, in the runbook's order.
    pub fields: Vec<InputField>,
    /// The field that takes the keys.
    pub focus: usize,
    /// Going on was tried: empty fields say that they are missing.
    pub tried: bool,
}

/// One input.
#[derive(Debug)]
pub struct InputField {
    /// Its name.
    pub name: ParamName,
    /// What is typed.
    pub field: Field,
    /// What it means, or why it is no value; `Ok(None)` is an optional input left out.
    pub value: Result<Option<ParamValue>, String>,
}

impl Inputs {
    /// The form with the defaults in it.
    pub fn new(runbook: Arc<Runbook>, today: Today) -> Self {
        let fields = runbook
            .inputs
            .values()
            .map(|input| InputField {
                name: input.name.clone(),
                field: Field::of(input.default.as_ref().map(|default| default.value.clone()).unwrap_or_default()),
                value: Ok(None),
            })
            .collect();
        let mut inputs = Self { runbook, today, fields, focus: 0, tried: false };
        inputs.judge_all();
        inputs
    }

    /// The field in focus with its input.
    pub fn focused(&self) -> Option<(&InputField, &Input)> {
        let field = self.fields.get(self.focus)?;
        Some((field, self.runbook.inputs.get(field.name.as_str())?))
    }

    /// Judges the field in focus anew.
    pub fn judge(&mut self) {
        let (runbook, today) = (Arc::clone(&self.runbook), self.today.clone());
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.judge(&runbook, &today);
        }
    }

    fn judge_all(&mut self) {
        let (runbook, today) = (Arc::clone(&self.runbook), self.today.clone());
        self.fields.iter_mut().for_each(|field| field.judge(&runbook, &today));
    }

    /// The values, or the first field that has none.
    pub fn values(&self) -> Result<IndexMap<String, ParamValue>, usize> {
        let mut values = IndexMap::new();
        for (at, field) in self.fields.iter().enumerate() {
            match &field.value {
                Ok(Some(value)) => {
                    values.insert(field.name.to_string(), value.clone());
                }
                Ok(None) => {}
                Err(_) => return Err(at),
            }
        }
        Ok(values)
    }

    /// Takes over the inputs of an earlier run, as far as there are such inputs.
    pub fn take_from(&mut self, run: &RunState) {
        for field in &mut self.fields {
            if let Some(value) = run.inputs.get(field.name.as_str()) {
                field.field.set(as_typed(value));
            }
        }
        self.judge_all();
    }

    /// What the field in focus may be, where that is a short list.
    pub fn choices(&self) -> Vec<String> {
        self.focused().map_or_else(Vec::new, |(_, input)| choices(&input.param_type))
    }
}

impl InputField {
    fn judge(&mut self, runbook: &Runbook, today: &Today) {
        let Some(input) = runbook.inputs.get(self.name.as_str()) else { return };
        let text = self.field.text().trim();
        self.value = match (text.is_empty(), input.optional) {
            (true, true) => Ok(None),
            (true, false) => Err("is missing".to_owned()),
            (false, _) => input.param_type.parse(text, today).map(Some).map_err(|error| error.0),
        };
    }
}

/// Words that a type is limited to, or that it knows besides values.
fn choices(param_type: &ParamType) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match param_type {
        ParamType::Enum { values } => values.clone(),
        ParamType::Bool => words(&["true", "false"]),
        ParamType::Date { .. } => words(&["today", "yesterday", "-3d", "-7d"]),
        _ => Vec::new(),
    }
}

/// A journaled value as a person would type it.
fn as_typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(as_typed).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
