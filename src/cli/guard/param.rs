//! Typed parameters of the command line and of a batch.

use serde_json::{Map, Value};

use crate::core::guard::{Param, Params};
use crate::core::runbook::{ParamType, Today};

/// Reads `day:date=2026-11-20`, `statuses:list(int)=200,502`.
///
/// # Errors
/// What is wrong, in plain words.
pub fn param(text: &str, today: &Today) -> Result<(String, Param), String> {
    let (declared, value) = text.split_once('=').ok_or("write NAME:TYPE=VALUE, such as day:date=2026-11-20")?;
    let (name, word) = declared.split_once(':').ok_or("the type is missing; write NAME:TYPE=VALUE")?;
    let name = is_name(name.trim())?;
    if word.trim() == "enum" {
        return Err("an enum needs its values, which only a batch can give; use string here".to_owned());
    }
    let kind = ParamType::from_word(word)
        .ok_or("the type is none of int, decimal, bool, date, timestamp, uuid, string, list(…) of one of them")?;
    let value = kind.parse(value, today).map_err(|error| error.0)?;
    Ok((name, Param::Value(value)))
}

/// Reads a batch line's `params`: `{"day": {"type":"date","value":"2026-11-20","as":"%Y/%m/%d"}}`, with any key of an input. One
/// without a `value` is a hole: the statement is judged over every value of its type.
///
/// # Errors
/// What is wrong, in plain words.
pub(super) fn params(object: &Map<String, Value>) -> Result<Params, String> {
    let mut params = Params::new();
    for (name, declared) in object {
        let name = is_name(name)?;
        let of = |why: String| format!("parameter {name}: {why}");
        let Value::Object(declared) = declared else { return Err(of("an object with `type` is needed".to_owned())) };
        let mut kind = declared.clone();
        let value = kind.remove("value");
        // What an input may say besides its type.
        for key in ["default", "optional", "help"] {
            kind.remove(key);
        }
        let kind: ParamType = serde_json::from_value(Value::Object(list_of(kind)?)).map_err(|error| of(error.to_string()))?;
        let param = match value {
            Some(value) => Param::Value(kind.from_json(&value).map_err(|error| of(error.0))?),
            None => Param::Hole(kind),
        };
        params.insert(name, param);
    }
    Ok(params)
}

/// `"of": "int"`, as an input writes it, is `"of": {"type": "int"}`; `"type": "list(int)"` is understood, too.
fn list_of(mut kind: Map<String, Value>) -> Result<Map<String, Value>, String> {
    if let Some(Value::String(word)) = kind.get("type")
        && let Some(of) = word.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')'))
    {
        let of = Value::String(of.to_owned());
        kind.insert("type".to_owned(), Value::String("list".to_owned()));
        kind.insert("of".to_owned(), of);
    }
    if let Some(Value::String(word)) = kind.get("of") {
        let of = ParamType::from_word(word).ok_or_else(|| format!("`{word}` is no type"))?;
        kind.insert("of".to_owned(), serde_json::to_value(of).map_err(|error| error.to_string())?);
    }
    Ok(kind)
}

/// The name of a parameter: what the lexer takes for one after a colon.
fn is_name(name: &str) -> Result<String, String> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(name.to_owned())
    } else {
        Err(format!("`{}` is not a name", crate::core::text::visible(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::runbook::ParamValue;

    fn today() -> Today {
        Today::at("2026-11-20T12:00:00Z".parse().unwrap(), "UTC")
    }

    #[test]
    fn command_line_parameters() {
        let read = |text: &str| param(text, &today());
        assert_eq!(read("n:int=502"), Ok(("n".into(), Param::Value(ParamValue::Int(502)))));
        assert_eq!(read("s:string=a=b:c"), Ok(("s".into(), Param::Value(ParamValue::String("a=b:c".into())))));
        let list = ParamValue::List(vec![ParamValue::Int(200), ParamValue::Int(502)]);
        assert_eq!(read("l:list(int)=200,502"), Ok(("l".into(), Param::Value(list))));
        for bad in ["n", "n=5", "n:int", "n:int=x", "1n:int=5", "n:enum=a", "n:list(list(int))=1", "n;--:int=1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn batch_parameters() {
        let read = |json: Value| params(json.as_object().unwrap());
        let day =
            read(serde_json::json!({"day": {"type": "date", "value": "2026-11-20", "as": "%Y/%m/%d", "help": "UTC"}})).unwrap();
        assert!(matches!(day.get("day"), Some(Param::Value(ParamValue::Date { form: Some(form), .. })) if form == "%Y/%m/%d"));
        let list = read(serde_json::json!({"l": {"type": "list", "of": "int", "value": [200, 502]}})).unwrap();
        assert!(matches!(list.get("l"), Some(Param::Value(ParamValue::List(items))) if items.len() == 2));
        let list = read(serde_json::json!({"l": {"type": "list(int)", "value": [200]}})).unwrap();
        assert!(matches!(list.get("l"), Some(Param::Value(ParamValue::List(_)))));
        let hole = read(serde_json::json!({"s": {"type": "int", "min": 400, "max": 599}})).unwrap();
        assert!(matches!(hole.get("s"), Some(Param::Hole(ParamType::Int { .. }))));
        for bad in [
            serde_json::json!({"s": {"type": "int", "min": 400, "value": 1}}),
            serde_json::json!({"s": 5}),
            serde_json::json!({"s": {"type": "integer", "value": 5}}),
            serde_json::json!({"s": {"type": "int", "value": 5, "surprise": 1}}),
            serde_json::json!({"s'": {"type": "int", "value": 5}}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
