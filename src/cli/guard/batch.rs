//! Batches: JSON Lines in, one line each out, in order, in constant memory.

use std::io::{BufRead, Read as _, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{GuardArgs, GuardError, GuardFormat, SarifLog, SarifResult, Setting, exit, param};
use crate::core::guard::{Ground, Params};
use crate::core::sql::syntax::{Syntax, syntax as read_syntax};

/// Lines longer than this are bad: the longest statement, each of its bytes escaped, and room for the rest.
const MOST_LINE: usize = 4 << 20;

/// One line of a batch. Keys that it does not know are left alone.
struct Line {
    id: Value,
    sql: String,
    catalog: Option<String>,
    database: Option<String>,
    params: Option<Map<String, Value>>,
}

/// A line that is not one, with its id as far as there is one.
struct BadLine {
    id: Value,
    message: String,
}

/// Judges a batch: 2 if a line was bad, else 4 if a statement is blocked, else 0.
pub(super) fn judge(
    args: &GuardArgs,
    setting: &mut Setting,
    given: &Params,
    file: &str,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<u8, GuardError> {
    let ground = Ground::new(&setting.world(&setting.catalog_name));
    let mut sink = match args.format {
        GuardFormat::Sarif => Sink::Sarif(SarifLog::begin(out)?),
        GuardFormat::Text | GuardFormat::Json => Sink::Lines(out),
    };
    let (mut bad, mut worst) = (false, 0);
    for_each(input, &mut |number, line| {
        let judged = line.and_then(|line| {
            let mut params = given.clone();
            if let Some(own) = &line.params {
                params.extend(param::params(own).map_err(|message| BadLine { id: line.id.clone(), message })?);
            }
            let name = line.catalog.as_ref().map_or_else(|| setting.catalog_name.clone(), |name| name.to_lowercase());
            let database = line.database.as_deref().or(args.database.as_deref());
            let judgement = setting.judge(&ground, &name, &line.sql, database, &params);
            Ok((line.id, judgement))
        });
        match (judged, &mut sink) {
            (Ok((id, judgement)), sink) => {
                worst = worst.max(exit(&judgement));
                match sink {
                    Sink::Lines(out) => write(*out, &WithId { id: &id, rest: &judgement }),
                    Sink::Sarif(log) => judgement
                        .findings
                        .iter()
                        .try_for_each(|finding| log.push(&SarifResult::of(finding, file, Some((number, &id))))),
                }
            }
            (Err(line), sink) => {
                bad = true;
                match sink {
                    Sink::Lines(out) => error(*out, &line),
                    Sink::Sarif(log) => log.push(&SarifResult::bad_line(&line.message, file, number)),
                }
            }
        }
    })?;
    if let Sink::Sarif(log) = sink {
        log.end()?;
    }
    Ok(if bad { 2 } else { worst })
}

/// Where results go.
enum Sink<'a> {
    Lines(&'a mut dyn Write),
    Sarif(SarifLog<'a>),
}

/// Reads a batch only: 2 if a line was bad, else 1 if a statement was not read, else 0.
pub(super) fn syntax(input: &mut dyn BufRead, out: &mut dyn Write) -> Result<u8, GuardError> {
    let (mut bad, mut unread) = (false, false);
    for_each(input, &mut |_, line| match line {
        Ok(line) => {
            let syntax = read_syntax(&line.sql);
            unread |= !matches!(syntax, Syntax::Parsed(_));
            write(out, &WithId { id: &line.id, rest: &syntax })
        }
        Err(line) => {
            bad = true;
            error(out, &line)
        }
    })?;
    Ok(if bad { 2 } else { u8::from(unread) })
}

#[derive(Serialize)]
struct WithId<'a, T> {
    id: &'a Value,
    #[serde(flatten)]
    rest: &'a T,
}

fn write<T: Serialize>(out: &mut dyn Write, value: &T) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

fn error(out: &mut dyn Write, line: &BadLine) -> std::io::Result<()> {
    write(out, &json!({"id": line.id, "error": {"kind": "usage", "message": line.message, "causes": [], "hints": []}}))
}

/// Gives every line that is not blank to `act`, with its number.
fn for_each(
    input: &mut dyn BufRead,
    act: &mut dyn FnMut(u32, Result<Line, BadLine>) -> std::io::Result<()>,
) -> Result<(), GuardError> {
    let mut bytes = Vec::new();
    let mut number: u32 = 0;
    loop {
        bytes.clear();
        let most = u64::try_from(MOST_LINE).unwrap_or(u64::MAX);
        let length = (&mut *input).take(most).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        number = number.saturating_add(1);
        let whole = bytes.last() == Some(&b'\n') || length < MOST_LINE;
        if !whole {
            skip_line(input)?;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let line = if whole {
            parse(&bytes)
        } else {
            Err(BadLine { id: Value::Null, message: format!("line {number} has more than {MOST_LINE} bytes") })
        };
        act(number, line)?;
    }
}

fn skip_line(input: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Line, BadLine> {
    let bad = |id: &Value, message: String| BadLine { id: id.clone(), message };
    let object: Value =
        serde_json::from_slice(bytes).map_err(|error| bad(&Value::Null, format!("the line is not JSON: {error}")))?;
    let Value::Object(mut object) = object else {
        return Err(bad(&Value::Null, "the line is not an object".to_owned()));
    };
    let id = object.remove("id").unwrap_or(Value::Null);
    let mut text = |key: &str| match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(&id, format!("`{key}` is not a text"))),
    };
    let (sql, catalog, database) = (text("sql")?, text("catalog")?, text("database")?);
    let sql = sql.ok_or_else(|| bad(&id, "`sql` is missing".to_owned()))?;
    let params = match object.remove("params") {
        None | Some(Value::Null) => None,
        Some(Value::Object(params)) => Some(params),
        Some(_) => return Err(bad(&id, "`params` is not an object".to_owned())),
    };
    Ok(Line { id, sql, catalog, database, params })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Result<String, String>> {
        let mut found = Vec::new();
        for_each(&mut std::io::BufReader::with_capacity(16, input), &mut |_, line| {
            found.push(line.map(|line| line.sql).map_err(|bad| bad.message));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_bad_line_is_one_bad_line() {
        let long = format!("{{\"sql\":\"{}\"}}\n{{\"sql\":\"b\"}}\n", "x".repeat(MOST_LINE));
        let found = lines(long.as_bytes());
        assert_eq!(found.len(), 2);
        assert!(found[0].is_err());
        assert_eq!(found[1], Ok("b".to_owned()));
        let found = lines(b"{\"sql\":\"a\"}\n\n[1]\n{\"id\":1}\n{\"sql\":5}\n{\"sql\":\"\xff\"}\n{\"sql\":\"z\"}");
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, false, false, true]);
    }
}
