//! SARIF 2.1.0: findings as code review tools read them. Written piece by piece, so that a batch needs no memory.

use std::io::Write;

use serde_json::{Value, json};

use crate::core::guard::{Finding, Level, Rule, Span};

/// The schema that the log names.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A log being written.
pub struct SarifLog<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct SarifResult(Value);

impl<'a> SarifLog<'a> {
    /// Writes the head: the tool and its rules.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(out: &'a mut dyn Write) -> std::io::Result<Self> {
        let rules: Vec<Value> = Rule::ALL
            .iter()
            .map(|rule| json!({"id": rule.name(), "defaultConfiguration": {"level": level(rule.default_level())}}))
            .collect();
        let driver = json!({"name": "tollgate", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
        // SARIF counts columns in characters only if told so; the default would be UTF-16 units.
        write!(
            out,
            r#"{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{"tool":{{"driver":{driver}}},"columnKind":"unicodeCodePoints","results":["#
        )?;
        Ok(Self { out, first: true })
    }

    /// Writes one result.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn push(&mut self, result: &SarifResult) -> std::io::Result<()> {
        if !std::mem::replace(&mut self.first, false) {
            self.out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *self.out, &result.0)?;
        Ok(())
    }

    /// Writes the end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn end(self) -> std::io::Result<()> {
        writeln!(self.out, "]}}]}}")
    }
}

impl SarifResult {
    /// A finding in `file`. In a batch, `line` is the line and the id: spans within a statement mean nothing there, so they go into
    /// the message.
    pub fn of(finding: &Finding, file: &str, line: Option<(u32, &Value)>) -> Self {
        let (region, message) = match (line, finding.span) {
            (None, Some(span)) => (Some(region(span)), finding.message.clone()),
            (None, None) => (None, finding.message.clone()),
            (Some((number, id)), span) => {
                let at = span.map_or_else(String::new, |span| format!(" at {}:{}", span.start.line, span.start.column));
                (Some(json!({"startLine": number})), format!("{id}{at}: {}", finding.message))
            }
        };
        let mut result = Self::new(finding.rule.name(), finding.level, &message, file, region);
        let mut properties = serde_json::Map::new();
        for (key, value) in [("subject", &finding.subject), ("code", &finding.code), ("set_in", &finding.set_in)] {
            if let Some(value) = value {
                properties.insert(key.to_owned(), Value::String(value.clone()));
            }
        }
        if let Some(fix) = &finding.fix {
            properties.insert("fix".to_owned(), json!({"title": fix.title, "sql": fix.sql}));
        }
        if let (Value::Object(object), false) = (&mut result.0, properties.is_empty()) {
            object.insert("properties".to_owned(), Value::Object(properties));
        }
        result
    }

    /// A result of any rule.
    pub fn new(rule: &str, at: Level, message: &str, file: &str, region: Option<Value>) -> Self {
        let mut location = json!({"artifactLocation": {"uri": uri(file)}});
        if let (Some(region), Value::Object(location)) = (region, &mut location) {
            location.insert("region".to_owned(), region);
        }
        let mut result = json!({
            "ruleId": rule,
            "level": level(at),
            "message": {"text": crate::core::text::visible(message)},
            "locations": [{"physicalLocation": location}],
        });
        let index = Rule::ALL.iter().position(|known| known.name() == rule);
        if let (Some(index), Value::Object(result)) = (index, &mut result) {
            result.insert("ruleIndex".to_owned(), json!(index));
        }
        Self(result)
    }

    /// A line of a batch that could not be read.
    pub(super) fn bad_line(message: &str, file: &str, number: u32) -> Self {
        Self::new("bad-line", Level::Block, message, file, Some(json!({"startLine": number})))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Off => "none",
        Level::Warn => "warning",
        Level::Block => "error",
    }
}

fn region(span: Span) -> Value {
    json!({
        "startLine": span.start.line, "startColumn": span.start.column,
        "endLine": span.end.line, "endColumn": span.end.column,
    })
}

/// A file's name as a URI reference: everything but path characters percent-encoded.
fn uri(file: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(file, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::Position;

    #[test]
    fn a_log_is_one_json_object() {
        let mut bytes = Vec::new();
        let mut log = SarifLog::begin(&mut bytes).unwrap();
        let at = |column| Position { line: 1, column };
        let mut finding = Finding::new(Rule::BlockedColumn, Level::Block, "bad\u{1b}[31m");
        finding.span = Some(Span { start: at(8), end: at(15) });
        finding.subject = Some("shop.customers.email".into());
        log.push(&SarifResult::of(&finding, "sql/my file.sql", None)).unwrap();
        log.push(&SarifResult::of(&finding, "batch.jsonl", Some((7, &json!("q1"))))).unwrap();
        log.end().unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let results = json["runs"][0]["results"].as_array().unwrap();
        assert_eq!(json["version"], "2.1.0");
        assert_eq!(results[0]["level"], "error");
        assert_eq!(results[0]["message"]["text"], "bad␛[31m");
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "sql/my%20file.sql");
        assert_eq!(place["region"], json!({"startLine": 1, "startColumn": 8, "endLine": 1, "endColumn": 15}));
        let rules = json["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        let index = usize::try_from(results[0]["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], "blocked-column");
        assert_eq!(results[1]["locations"][0]["physicalLocation"]["region"]["startLine"], 7);
    }
}
