//! JSON text by Trino's simple JSON paths: `$.a.b[0]["c d"]`.

use serde_json::Value;

/// The scalar at `path` as text; `None` if it is not there, not a scalar, null, or `text` is not JSON.
pub(super) fn extract_scalar(text: &str, path: &str) -> Result<Option<String>, String> {
    let steps = steps(path).ok_or_else(|| format!("Invalid JSON path: '{path}'"))?;
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Ok(None) };
    let found = steps.iter().try_fold(&value, |value, step| match step {
        Step::Name(name) => value.get(name.as_str()),
        Step::Index(index) => value.get(*index),
    });
    Ok(match found {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(flag)) => Some(flag.to_string()),
        _ => None,
    })
}

/// The length of a JSON array; `None` if `text` is none.
pub(super) fn array_length(text: &str) -> Option<i64> {
    match serde_json::from_str(text).ok()? {
        Value::Array(items) => i64::try_from(items.len()).ok(),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, tail) = tail.split_at(end);
            if name.is_empty() || name.contains(['*', '?', '(']) {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = tail;
        } else {
            let (inner, tail) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = |q: char| inner.strip_prefix(q).and_then(|s| s.strip_suffix(q));
            steps.push(match quoted('"').or_else(|| quoted('\'')) {
                Some(name) => Step::Name(name.to_owned()),
                None => Step::Index(inner.parse().ok()?),
            });
            rest = tail;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_scalars() {
        let text = r#"{"a":{"b c":[1,{"d":"x"}]},"n":null,"t":true,"f":1.5}"#;
        for (path, want) in [
            ("$.a[\"b c\"][1].d", Some("x")),
            ("$['a']['b c'][0]", Some("1")),
            ("$.t", Some("true")),
            ("$.f", Some("1.5")),
            ("$.n", None),
            ("$.a", None),
            ("$.missing.x", None),
            ("$.a[\"b c\"][9]", None),
        ] {
            assert_eq!(extract_scalar(text, path).unwrap().as_deref(), want, "{path}");
        }
        assert_eq!(extract_scalar("not json", "$.a").unwrap(), None);
        assert!(extract_scalar(text, "a.b").is_err());
        assert!(extract_scalar(text, "$..a").is_err());
        assert_eq!(array_length("[1, 2]"), Some(2));
        assert_eq!(array_length("{}"), None);
    }
}
