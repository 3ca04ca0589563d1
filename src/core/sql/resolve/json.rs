//! SQL/JSON functions and JSON_TABLE.

use std::collections::HashSet;
use std::rc::Rc;

use super::expression::must_be;
use super::flow::{Flow, Sources};
use super::name::canonical;
use super::relation::Relation;
use super::scope::{Field, Scope};
use super::special::type_at;
use super::value::{Cx, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::coercion::casts;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    Expr, Ident, JsonCall, JsonFormat, JsonPath, JsonReturning, JsonTable, JsonTableColumn, JsonValueBehavior, JsonValueExpr,
};
use crate::core::sql::types::Type;

impl Resolver<'_> {
    pub(super) fn json<'t>(&mut self, call: &'t JsonCall, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let name = match call {
            JsonCall::Exists { .. } => "json_exists",
            JsonCall::Value { .. } => "json_value",
            JsonCall::Query { .. } => "json_query",
            JsonCall::Object { .. } => "json_object",
            JsonCall::Array { .. } => "json_array",
        };
        self.called(name, Span::at(span.first));
        let mut values = Vec::new();
        let kind = match call {
            JsonCall::Exists { path, .. } => {
                self.json_path(path, &mut values, cx)?;
                Type::Boolean
            }
            JsonCall::Value { path, returning, on_empty, on_error } => {
                self.json_path(path, &mut values, cx)?;
                let kind = match returning {
                    Some(name) => type_at(name, span)?,
                    None => Type::VARCHAR,
                };
                let scalar = kind.is_text() || kind.is_numeric() || kind == Type::Boolean || kind.is_datetime();
                if !scalar || matches!(kind, Type::IntervalDay | Type::IntervalYear) {
                    return Err(refusal("TYPE_MISMATCH", span, format!("JSON_VALUE cannot return {kind}")));
                }
                for default in [on_empty, on_error].into_iter().flatten() {
                    self.json_default(default, &kind, &mut values, cx)?;
                }
                kind
            }
            JsonCall::Query { path, returning, .. } => {
                self.json_path(path, &mut values, cx)?;
                json_output(returning.as_ref(), span)?
            }
            JsonCall::Object { members, returning, .. } => {
                for member in members {
                    let key = self.value(&member.key, cx)?;
                    if !key.kind.is_text() {
                        return Err(refusal("INVALID_FUNCTION_ARGUMENT", member.key.span, "the keys of JSON_OBJECT are strings"));
                    }
                    values.push(key);
                    self.json_member(&member.value, &mut values, cx)?;
                }
                json_output(returning.as_ref(), span)?
            }
            JsonCall::Array { elements, returning, .. } => {
                for element in elements {
                    self.json_member(element, &mut values, cx)?;
                }
                json_output(returning.as_ref(), span)?
            }
        };
        let mut key = key_of(name, values.iter().map(|value| value.key));
        if let JsonCall::Exists { path, .. } | JsonCall::Value { path, .. } | JsonCall::Query { path, .. } = call {
            key = mix(key, text_key(&path.path.text));
        }
        key = mix(key, text_key(&kind.to_string()));
        let all: Vec<&Value> = values.iter().collect();
        Ok(self.computed(kind, key, &all))
    }

    /// The document, and what is passed to the path.
    fn json_path<'t>(&mut self, path: &'t JsonPath, values: &mut Vec<Value>, cx: &Cx<'t>) -> Outcome<()> {
        self.json_input(&path.input, values, cx)?;
        let mut known = HashSet::new();
        for argument in &path.passing {
            if !known.insert(canonical(&argument.name)) {
                let message = format!("the JSON path parameter {} is passed twice", argument.name.text);
                return Err(refusal("DUPLICATE_PARAMETER_NAME", argument.name.span(), message));
            }
            self.json_member(&argument.value, values, cx)?;
        }
        Ok(())
    }

    fn json_input<'t>(&mut self, input: &'t JsonValueExpr, values: &mut Vec<Value>, cx: &Cx<'t>) -> Outcome<()> {
        let value = self.value(&input.expr, cx)?;
        let fits = match input.format {
            None | Some(JsonFormat::Json) => value.kind.is_text() || matches!(value.kind, Type::Varbinary | Type::Unknown),
            Some(_) => matches!(value.kind, Type::Varbinary | Type::Unknown),
        };
        if !fits {
            let message = format!("a JSON document is a string or varbinary, but this is {}", value.kind);
            return Err(refusal("TYPE_MISMATCH", input.expr.span, message));
        }
        values.push(value);
        Ok(())
    }

    /// A value that goes into JSON: JSON text with FORMAT JSON, else a scalar.
    fn json_member<'t>(&mut self, member: &'t JsonValueExpr, values: &mut Vec<Value>, cx: &Cx<'t>) -> Outcome<()> {
        if member.format.is_some() {
            return self.json_input(member, values, cx);
        }
        let value = self.value(&member.expr, cx)?;
        let known = value.kind.is_text()
            || value.kind.is_numeric()
            || value.kind.is_datetime()
            || matches!(value.kind, Type::Boolean | Type::Unknown | Type::Json | Type::Uuid | Type::IpAddress);
        if !known && !casts(&value.kind, &Type::VARCHAR) {
            return Err(refusal("NOT_SUPPORTED", member.expr.span, format!("{} cannot go into JSON", value.kind)));
        }
        values.push(value);
        Ok(())
    }

    fn json_default<'t>(
        &mut self,
        behavior: &'t JsonValueBehavior,
        kind: &Type,
        values: &mut Vec<Value>,
        cx: &Cx<'t>,
    ) -> Outcome<()> {
        if let JsonValueBehavior::Default(expr) = behavior {
            let expr: &'t Expr = expr;
            let value = self.value(expr, cx)?;
            must_be(&value.kind, kind, expr.span, "the default of JSON_VALUE")?;
            values.push(value);
        }
        Ok(())
    }

    /// JSON_TABLE: every column is made of the document.
    pub(super) fn json_table(&mut self, table: &JsonTable, span: Span, scope: &Rc<Scope>) -> Outcome<Relation> {
        let inner = self.scope_in(scope, Rc::from([]));
        let cx = self.cx(&inner);
        self.no_aggregates(&table.path.input.expr, "JSON_TABLE")?;
        for argument in &table.path.passing {
            self.no_aggregates(&argument.value.expr, "JSON_TABLE")?;
        }
        let mut values = Vec::new();
        self.json_path(&table.path, &mut values, &cx)?;
        let sets: Vec<Sources> = values.iter().map(|value| self.sources(value)).collect();
        let sources = Sources::union(&sets);
        self.influence(sources.clone(), Reason::Rows, table.path.input.expr.span);
        let mut names = HashSet::new();
        names.extend(table.path.name.as_ref().map(canonical));
        let mut fields = Vec::new();
        self.json_columns(&table.columns, &sources, &mut names, &mut fields, span, &cx)?;
        Ok(self.relation_of(scope, fields, false))
    }

    fn json_columns<'t>(
        &mut self,
        columns: &'t [JsonTableColumn],
        sources: &Sources,
        names: &mut HashSet<String>,
        fields: &mut Vec<Field>,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<()> {
        for column in columns {
            match column {
                JsonTableColumn::Ordinality(name) => {
                    unique(names, name)?;
                    fields.push(Field::computed(Some(canonical(name).into()), Type::Bigint, Flow::default()));
                }
                JsonTableColumn::Value { name, type_name, on_empty, on_error, .. } => {
                    unique(names, name)?;
                    let kind = type_at(type_name, span)?;
                    let mut values = Vec::new();
                    for default in [on_empty, on_error].into_iter().flatten() {
                        self.json_default(default, &kind, &mut values, cx)?;
                    }
                    let mut sets: Vec<Sources> = values.iter().map(|value| self.sources(value)).collect();
                    sets.push(sources.clone());
                    fields.push(Field::computed(Some(canonical(name).into()), kind, Flow::of(Sources::union(&sets))));
                }
                JsonTableColumn::Query { name, type_name, .. } => {
                    unique(names, name)?;
                    let kind = type_at(type_name, span)?;
                    fields.push(Field::computed(Some(canonical(name).into()), kind, Flow::of(sources.clone())));
                }
                JsonTableColumn::Nested { name, columns, .. } => {
                    if let Some(name) = name {
                        unique(names, name)?;
                    }
                    self.json_columns(columns, sources, names, fields, span, cx)?;
                }
            }
        }
        Ok(())
    }
}

fn unique(names: &mut HashSet<String>, name: &Ident) -> Outcome<()> {
    if names.insert(canonical(name)) {
        return Ok(());
    }
    let message = "the names of columns and paths in JSON_TABLE must differ";
    Err(refusal("DUPLICATE_COLUMN_OR_PATH_NAME", name.span(), message))
}

/// The type of a function that gives JSON text.
fn json_output(returning: Option<&JsonReturning>, span: Span) -> Outcome<Type> {
    let Some(returning) = returning else { return Ok(Type::VARCHAR) };
    let kind = type_at(&returning.type_name, span)?;
    let fits = match returning.format {
        None | Some(JsonFormat::Json) => kind.is_text() || kind == Type::Varbinary,
        Some(_) => kind == Type::Varbinary,
    };
    if fits { Ok(kind) } else { Err(refusal("TYPE_MISMATCH", span, format!("JSON cannot be returned as {kind}"))) }
}
