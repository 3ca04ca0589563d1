//! Templates: text with `{{ name }}`. Only names stand between the braces, so that a hole has a type and nothing is computed.

use super::{ExpressionError, ItemValue, ParamType, ParamValue, Scope};
use crate::core::book::Place;
use crate::core::plan::DynamodbValue;
use crate::core::text::visible;

/// Prose, or a DynamoDB value, with `{{ name }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As written.
    pub source: String,
    /// Its parts in order.
    pub parts: Vec<Part>,
    /// Where.
    pub place: Place,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stands as it is.
    Text(String),
    /// A path: `name`, `inputs.name`, `steps.id.row_count`, `steps.id.outcome`.
    Name(String),
}

impl Template {
    /// Takes a template apart.
    ///
    /// # Errors
    /// What is wrong with it, in plain words.
    pub fn new(source: &str, place: Place) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(open) = rest.find("{{") {
            let (before, tail) = rest.split_at(open);
            let Some(close) = tail.find("}}") else { return Err("`{{` is not closed".to_owned()) };
            let (hole, after) = (tail.get(2..close).unwrap_or(""), tail.get(close + 2..).unwrap_or(""));
            let path = hole.trim();
            if !is_path(path) {
                return Err(format!("`{{{{{}}}}}` is not a name", visible(hole)));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(path.to_owned()));
            rest = after;
        }
        if rest.contains("{%") || source.contains("{%") {
            return Err("`{%` is not read here; only `{{ name }}` is".to_owned());
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { source: source.to_owned(), parts, place })
    }

    /// The paths it names, in order, with repetitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(path) => Some(path.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with its values.
    ///
    /// # Errors
    /// [`ExpressionError::Undefined`], where a value is not there.
    pub fn render(&self, scope: &Scope) -> Result<String, ExpressionError> {
        let mut text = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Name(path) => match scope.text(path) {
                    Some(value) => text.push_str(&value),
                    None => {
                        let source_text = visible(&self.source).chars().take(80).collect();
                        let reason = format!("`{}`", visible(path));
                        return Err(ExpressionError::Undefined { source_text, reason });
                    }
                },
            }
        }
        Ok(text)
    }
}

impl ItemValue {
    /// The paths it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let template = match self {
            Self::Text(template) => Some(template),
            Self::Number(_) | Self::Bool(_) => None,
        };
        template.into_iter().flat_map(Template::names)
    }

    /// The name of the one hole that is the whole value: it keeps the type of its input or capture.
    pub fn lone_name(&self) -> Option<&str> {
        match self {
            Self::Text(template) => match template.parts.as_slice() {
                [Part::Name(path)] => Some(path.strip_prefix("inputs.").unwrap_or(path)),
                _ => None,
            },
            Self::Number(_) | Self::Bool(_) => None,
        }
    }

    /// The value with what it names filled in: a lone `{{ name }}` of an int or decimal is a number, of a bool a boolean,
    /// everything else is a string.
    ///
    /// # Errors
    /// [`ExpressionError::Undefined`], where a value is not there.
    pub fn resolve(&self, scope: &Scope) -> Result<DynamodbValue, ExpressionError> {
        let template = match self {
            Self::Text(template) => template,
            Self::Number(number) => return Ok(DynamodbValue::N(number.clone())),
            Self::Bool(yes) => return Ok(DynamodbValue::Bool(*yes)),
        };
        match self.lone_name().and_then(|name| scope.param(name)) {
            Some(value) => Ok(value.dynamodb()),
            None => Ok(DynamodbValue::S(template.render(scope)?)),
        }
    }
}

impl ParamValue {
    /// What the value is to DynamoDB. A list has no counterpart in keys and is its text.
    pub fn dynamodb(&self) -> DynamodbValue {
        match self {
            Self::Int(_) | Self::Decimal(_) => DynamodbValue::N(self.text()),
            Self::Bool(yes) => DynamodbValue::Bool(*yes),
            other => DynamodbValue::S(other.text()),
        }
    }
}

impl ParamType {
    /// Whether values of this type are text to DynamoDB, and may stand within other text.
    pub fn is_single(&self) -> bool {
        !matches!(self, Self::List { .. })
    }
}

fn is_path(path: &str) -> bool {
    let mut parts = path.split('.');
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    parts.clone().count() <= 3 && parts.all(word)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(source: &str) -> Result<Template, String> {
        Template::new(source, Place { file: Arc::from("t.yaml"), line: 1, column: 1, width: 1 })
    }

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.inputs.insert("n".into(), ParamValue::Int(7));
        scope.captures.insert("worst".into(), ParamValue::String("{{ n }} ord".into()));
        scope
    }

    #[test]
    fn values_are_pasted_once() {
        assert_eq!(of("ORDER#{{ worst }}/{{n}}{{ inputs.n }}").unwrap().render(&scope()).unwrap(), "ORDER#{{ n }} ord/77");
        assert_eq!(of("").unwrap().render(&scope()).unwrap(), "");
        assert!(of("{{ absent }}").unwrap().render(&scope()).is_err());
    }

    #[test]
    fn only_names_stand_between_braces() {
        for source in ["{{ a | upper }}", "{{ }}", "{{ a", "{{ a.b.c.d }}", "{% if a %}", "{{ 1 + 1 }}", "x {{ 'a' }}"] {
            assert!(of(source).is_err(), "{source}");
        }
    }

    #[test]
    fn a_lone_hole_keeps_its_type() {
        let value = |source: &str| ItemValue::Text(of(source).unwrap()).resolve(&scope()).unwrap();
        assert_eq!(value("{{ n }}"), DynamodbValue::N("7".into()));
        assert_eq!(value("N{{ n }}"), DynamodbValue::S("N7".into()));
    }
}
