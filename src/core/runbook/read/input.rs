//! Reading inputs and types.

use super::super::parse::check_form;
use super::super::{Decimal, Input, ParamType, Pattern, Today};
use crate::core::book::reading::{Fields, Reading, said};
use crate::core::book::yaml::{Node, Shape, Value};
use crate::core::book::{ParamName, Placed};
use crate::core::text::{Untrusted, visible};
use crate::core::units::Timestamp;

/// Keys of an input.
pub(in crate::core) const KEYS: &[&str] = &["type", "as", "min", "max", "pattern", "values", "of", "default", "optional", "help"];

/// The words of types, with the keys that each takes.
pub(in crate::core) const TYPES: &[(&str, &[&str])] = &[
    ("int", &["min", "max"]),
    ("decimal", &["min", "max"]),
    ("bool", &[]),
    ("date", &["as"]),
    ("timestamp", &["as"]),
    ("uuid", &[]),
    ("enum", &["values"]),
    ("string", &["pattern", "max"]),
    ("list", &["of", "max"]),
];

pub(super) fn input(reading: &mut Reading, name: ParamName, key: &Node, node: &Node) -> Option<Input> {
    let what = format!("input `{name}`");
    let fields = Fields::of(reading, node, &what, KEYS)?;
    let param_type = param_type(reading, &fields, &what)?;
    let optional = fields.get("optional").and_then(|node| reading.yes(node, "`optional`")).unwrap_or(false);
    let default = fields.get("default").and_then(|node| default(reading, node, &param_type));
    if let (true, Some(place)) = (optional && fields.get("default").is_some(), fields.key("optional")) {
        let message = format!("{what} has a default, so it is never left out");
        reading.wrong(place, message, "keep `optional` or `default`");
    }
    let help = fields.get("help").and_then(|node| reading.text(node, "`help`")).unwrap_or_default();
    Some(Input { name, param_type, default, optional, help: Untrusted::new(help), place: key.place.clone() })
}

/// The type of a mapping that has a `type` key; other keys of `fields` are not looked at.
pub(super) fn param_type(reading: &mut Reading, fields: &Fields<'_>, what: &str) -> Option<ParamType> {
    let node = fields.need(reading, "type", what)?;
    let words: Vec<(&str, &str)> = TYPES.iter().map(|(word, _)| (*word, *word)).collect();
    let word = reading.word(node, "`type`", &words)?;
    let takes = TYPES.iter().find(|(name, _)| *name == word).map_or(&[][..], |(_, keys)| *keys);
    let before = reading.count();
    for (_, keys) in TYPES {
        for key in *keys {
            if let (false, Some(place)) = (takes.contains(key), fields.key(key)) {
                let fits: Vec<&str> = TYPES.iter().filter(|(_, keys)| keys.contains(key)).map(|(word, _)| *word).collect();
                let message = format!("`{key}` is for {}, not for {word}", fits.join(" and "));
                // A key may belong to several types; it is reported once.
                if reading.count() == before || !reading.has(place) {
                    reading.wrong(place, message, "remove it, or change the type");
                }
            }
        }
    }
    match word {
        "int" => {
            let (min, max) = (whole(reading, fields, "min"), whole(reading, fields, "max"));
            ordered(reading, fields, min.zip(max).is_none_or(|(min, max)| min <= max));
            Some(ParamType::Int { min, max })
        }
        "decimal" => {
            let (min, max) = (decimal(reading, fields, "min"), decimal(reading, fields, "max"));
            ordered(reading, fields, min.zip(max).is_none_or(|(min, max)| min.compare(max).is_le()));
            Some(ParamType::Decimal { min, max })
        }
        "bool" => Some(ParamType::Bool),
        "date" => Some(ParamType::Date { form: form(reading, fields, false) }),
        "timestamp" => Some(ParamType::Timestamp { form: form(reading, fields, true) }),
        "uuid" => Some(ParamType::Uuid),
        "enum" => values(reading, fields, what).map(|values| ParamType::Enum { values }),
        "string" => {
            let max = fields.get("max").and_then(|node| reading.whole(node, "`max`", 1, 65_536));
            let pattern = fields.get("pattern").and_then(|node| pattern(reading, node));
            Some(ParamType::String { pattern, max: max.and_then(|max| u32::try_from(max).ok()) })
        }
        _ => {
            let max = fields.get("max").and_then(|node| reading.whole(node, "`max`", 1, 1_000));
            let of = fields.need(reading, "of", what).and_then(|node| of(reading, node))?;
            Some(ParamType::List { of: Box::new(of), max: max.and_then(|max| u32::try_from(max).ok()) })
        }
    }
}

fn whole(reading: &mut Reading, fields: &Fields<'_>, key: &str) -> Option<i64> {
    let node = fields.get(key)?;
    let number = node.scalar().filter(|scalar| scalar.shape == Shape::Whole).and_then(|scalar| scalar.text.parse().ok());
    if number.is_none() {
        reading.wrong(&node.place, format!("`{key}` is {}", said(node)), "write a whole number of 64 bits, without quotes");
    }
    number
}

fn decimal(reading: &mut Reading, fields: &Fields<'_>, key: &str) -> Option<Decimal> {
    let node = fields.get(key)?;
    let number = node.scalar().and_then(|scalar| scalar.text.parse().ok());
    if number.is_none() {
        reading.wrong(&node.place, format!("`{key}` is {}", said(node)), "write a decimal number such as 12.50");
    }
    number
}

fn ordered(reading: &mut Reading, fields: &Fields<'_>, in_order: bool) {
    if let (false, Some(place)) = (in_order, fields.key("min")) {
        reading.wrong(place, "`min` is above `max`", "swap them");
    }
}

fn form(reading: &mut Reading, fields: &Fields<'_>, time: bool) -> Option<String> {
    let node = fields.get("as")?;
    let form = reading.text(node, "`as`")?;
    match check_form(&form, time) {
        Ok(()) => Some(form),
        Err(reason) => {
            let example = if time { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y/%m/%d" };
            reading.wrong(&node.place, format!("`as`: `{}` {reason}", visible(&form)), format!("write it as in \"{example}\""));
            None
        }
    }
}

fn values(reading: &mut Reading, fields: &Fields<'_>, what: &str) -> Option<Vec<String>> {
    let node = fields.need(reading, "values", what)?;
    let mut values: Vec<String> = Vec::new();
    for value in reading.texts(node, "`values`") {
        if values.contains(&value.value) {
            reading.wrong(&value.place, format!("`{}` is twice in `values`", visible(&value)), "keep one of them");
        } else {
            values.push(value.value);
        }
    }
    if values.is_empty() && matches!(&node.value, Value::List(_)) {
        reading.wrong(&node.place, "`values` is empty", "write the words: [open, closed]");
    }
    (!values.is_empty()).then_some(values)
}

fn pattern(reading: &mut Reading, node: &Node) -> Option<Pattern> {
    let text = reading.text(node, "`pattern`")?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(reason) => {
            let message = format!("`pattern` is not a regular expression: {}", visible(&reason));
            reading.wrong(&node.place, message, "in YAML, patterns are safest in single quotes");
            None
        }
    }
}

/// `of: int`, or `of: { type: int, min: 400 }`.
fn of(reading: &mut Reading, node: &Node) -> Option<ParamType> {
    if let Value::Map(_) = &node.value {
        let fields = Fields::of(reading, node, "`of`", &["type", "as", "min", "max", "pattern", "values"])?;
        let of = param_type(reading, &fields, "`of`")?;
        return Some(of).filter(|of| !matches!(of, ParamType::List { .. }));
    }
    let text = reading.text(node, "`of`")?;
    match ParamType::from_word(&text) {
        Some(of) if !matches!(of, ParamType::List { .. }) => Some(of),
        _ => {
            let message = format!("`of` is {}", said(node));
            let words: Vec<&str> =
                TYPES.iter().map(|(word, _)| *word).filter(|word| *word != "list" && *word != "enum").collect();
            reading.wrong(&node.place, message, format!("it is one of {}, or a mapping with a `type`", words.join(", ")));
            None
        }
    }
}

/// The default as text; a list becomes JSON, so that its values keep their commas.
fn default(reading: &mut Reading, node: &Node, param_type: &ParamType) -> Option<Placed<String>> {
    let text = match &node.value {
        Value::List(_) => {
            let items: Vec<String> = reading.texts(node, "`default`").into_iter().map(|item| item.value).collect();
            serde_json::Value::from(items).to_string()
        }
        _ => reading.scalar(node, "`default`")?.text.clone(),
    };
    // Any day will do: whether a default is of its type does not depend on it.
    if let Err(reason) = param_type.parse(&text, &Today::at(Timestamp(0), "UTC")) {
        let message = format!("`default` is not a value of type {}: {reason}", param_type.word());
        reading.wrong(&node.place, message, "change the default, or the type");
        return None;
    }
    Some(Placed { value: text, place: node.place.clone() })
}
