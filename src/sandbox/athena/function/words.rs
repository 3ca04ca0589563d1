//! Text, regular expression, URL and JSON functions.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use percent_encoding::percent_decode_str;
use regex::Regex;

use super::column::{at, collect_strings, integers, is_text, is_whole, rows, string_at, strings};
use super::json;
use super::shim::{Shim, Types};

/// The functions of this file.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        Shim::udf("tg_regexp_like", two(&DataType::Boolean), regexp_like),
        Shim::udf("tg_regexp_extract", extract_types, regexp_extract),
        Shim::udf("tg_regexp_replace", replace_types, regexp_replace),
        Shim::udf("tg_regexp_count", two(&DataType::Int64), regexp_count),
        Shim::udf("tg_substr", substr_types, substr),
        Shim::udf("tg_split_part", split_part_types, split_part),
        Shim::udf("tg_json_extract_scalar", two(&DataType::Utf8), json_extract_scalar),
        Shim::udf("tg_json_array_length", one(&DataType::Int64), json_array_length),
        Shim::udf("tg_url_extract_host", one(&DataType::Utf8), |args, _| url(args, |url| url.host.map(str::to_owned))),
        Shim::udf("tg_url_extract_path", one(&DataType::Utf8), |args, _| url(args, |url| decoded(url.path))),
        Shim::udf("tg_url_extract_query", one(&DataType::Utf8), |args, _| url(args, |url| url.query.map(str::to_owned))),
        Shim::udf("tg_url_extract_parameter", two(&DataType::Utf8), url_parameter),
        Shim::udf("tg_url_decode", one(&DataType::Utf8), |args, _| {
            let texts = strings(args, 0)?;
            collect_strings(
                (0..rows(args)).map(|row| Ok(string_at(texts, row).and_then(|text| decoded(&text.replace('+', " "))))),
            )
        }),
    ]
}

type Choose = fn(&[DataType]) -> Result<Types, String>;

/// One varchar; results are few types, so each has its own function.
fn one(result: &DataType) -> Choose {
    fn choose(given: &[DataType], result: DataType) -> Result<Types, String> {
        match given {
            [text] if is_text(text) => Ok((vec![DataType::Utf8], result)),
            _ => Err("one varchar".to_owned()),
        }
    }
    match result {
        DataType::Int64 => |given| choose(given, DataType::Int64),
        _ => |given| choose(given, DataType::Utf8),
    }
}

/// Two varchars.
fn two(result: &DataType) -> Choose {
    fn choose(given: &[DataType], result: DataType) -> Result<Types, String> {
        match given {
            [a, b] if is_text(a) && is_text(b) => Ok((vec![DataType::Utf8; 2], result)),
            _ => Err("two varchars".to_owned()),
        }
    }
    match result {
        DataType::Boolean => |given| choose(given, DataType::Boolean),
        DataType::Int64 => |given| choose(given, DataType::Int64),
        _ => |given| choose(given, DataType::Utf8),
    }
}

/// The compiled pattern of the last row: it is nearly always the same in all rows.
#[derive(Default)]
struct Pattern(Option<(String, Regex)>);

impl Pattern {
    fn get(&mut self, text: &str) -> Result<&Regex, String> {
        if self.0.as_ref().is_none_or(|(last, _)| last != text) {
            let regex = Regex::new(text).map_err(|error| {
                if text.contains("(?=") || text.contains("(?!") || text.contains("(?<") {
                    format!("the sandbox's regular expressions have no look-around or back references; Athena's do: {text}")
                } else {
                    format!("invalid regular expression '{text}': {error}")
                }
            })?;
            self.0 = Some((text.to_owned(), regex));
        }
        self.0.as_ref().map(|(_, regex)| regex).ok_or_else(|| "no pattern".to_owned())
    }
}

fn regexp_like(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, patterns) = (strings(args, 0)?, strings(args, 1)?);
    let mut pattern = Pattern::default();
    let found = (0..rows(args)).map(|row| match (string_at(texts, row), string_at(patterns, row)) {
        (Some(text), Some(of)) => Ok(Some(pattern.get(of)?.is_match(text))),
        _ => Ok(None),
    });
    Ok(Arc::new(found.collect::<Result<BooleanArray, String>>()?))
}

fn regexp_count(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, patterns) = (strings(args, 0)?, strings(args, 1)?);
    let mut pattern = Pattern::default();
    let found = (0..rows(args)).map(|row| match (string_at(texts, row), string_at(patterns, row)) {
        (Some(text), Some(of)) => Ok(Some(i64::try_from(pattern.get(of)?.find_iter(text).count()).unwrap_or(i64::MAX))),
        _ => Ok(None),
    });
    Ok(Arc::new(found.collect::<Result<Int64Array, String>>()?))
}

fn extract_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text, pattern] if is_text(text) && is_text(pattern) => Ok((vec![DataType::Utf8; 2], DataType::Utf8)),
        [text, pattern, group] if is_text(text) && is_text(pattern) && is_whole(group) => {
            Ok((vec![DataType::Utf8, DataType::Utf8, DataType::Int64], DataType::Utf8))
        }
        _ => Err("regexp_extract(varchar, varchar[, bigint])".to_owned()),
    }
}

fn regexp_extract(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, patterns) = (strings(args, 0)?, strings(args, 1)?);
    let groups = if args.len() > 2 { Some(integers(args, 2)?) } else { None };
    let mut pattern = Pattern::default();
    collect_strings((0..rows(args)).map(|row| {
        let group = groups.map_or(Some(0), |groups| at(groups, row));
        let (Some(text), Some(of), Some(group)) = (string_at(texts, row), string_at(patterns, row), group) else {
            return Ok(None);
        };
        let regex = pattern.get(of)?;
        let index = usize::try_from(group).ok().filter(|index| *index < regex.captures_len());
        let index =
            index.ok_or_else(|| format!("Pattern has {} groups. Cannot access group {group}", regex.captures_len() - 1))?;
        Ok(regex.captures(text).and_then(|found| found.get(index).map(|part| part.as_str().to_owned())))
    }))
}

fn replace_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [a, b] if is_text(a) && is_text(b) => Ok((vec![DataType::Utf8; 2], DataType::Utf8)),
        [a, b, c] if is_text(a) && is_text(b) && is_text(c) => Ok((vec![DataType::Utf8; 3], DataType::Utf8)),
        _ => Err("regexp_replace(varchar, varchar[, varchar])".to_owned()),
    }
}

fn regexp_replace(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, patterns) = (strings(args, 0)?, strings(args, 1)?);
    let with = if args.len() > 2 { Some(strings(args, 2)?) } else { None };
    let mut pattern = Pattern::default();
    collect_strings((0..rows(args)).map(|row| {
        let with = with.map_or(Some(""), |with| string_at(with, row));
        let (Some(text), Some(of), Some(with)) = (string_at(texts, row), string_at(patterns, row), with) else { return Ok(None) };
        Ok(Some(pattern.get(of)?.replace_all(text, replacement(with)).into_owned()))
    }))
}

/// Trino's `$1`, `${name}` and `\$`, as the regex crate writes them: there `$1x` would be the group named `1x`.
fn replacement(with: &str) -> String {
    let mut out = String::with_capacity(with.len() + 4);
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            '$' if chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("${");
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    out.push(digit);
                }
                out.push('}');
            }
            other => out.push(other),
        }
    }
    out
}

fn substr_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text, start] if is_text(text) && is_whole(start) => Ok((vec![DataType::Utf8, DataType::Int64], DataType::Utf8)),
        [text, start, length] if is_text(text) && is_whole(start) && is_whole(length) => {
            Ok((vec![DataType::Utf8, DataType::Int64, DataType::Int64], DataType::Utf8))
        }
        _ => Err("substr(varchar, bigint[, bigint])".to_owned()),
    }
}

/// From 1; a negative start counts from the end; 0 and what lies outside give the empty string.
fn substr(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, starts) = (strings(args, 0)?, integers(args, 1)?);
    let lengths = if args.len() > 2 { Some(integers(args, 2)?) } else { None };
    collect_strings((0..rows(args)).map(|row| {
        let length = lengths.map_or(Some(i64::MAX), |lengths| at(lengths, row));
        let (Some(text), Some(start), Some(length)) = (string_at(texts, row), at(starts, row), length) else { return Ok(None) };
        let skip = match start {
            1.. => usize::try_from(start - 1).ok(),
            0 => None,
            _ => text.chars().count().checked_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let (Some(skip), Ok(take)) = (skip, usize::try_from(length)) else { return Ok(Some(String::new())) };
        Ok::<_, String>(Some(text.chars().skip(skip).take(take).collect()))
    }))
}

fn split_part_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text, by, index] if is_text(text) && is_text(by) && is_whole(index) => {
            Ok((vec![DataType::Utf8, DataType::Utf8, DataType::Int64], DataType::Utf8))
        }
        _ => Err("split_part(varchar, varchar, bigint)".to_owned()),
    }
}

/// Beyond the last part it is NULL, not empty.
fn split_part(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, by, indices) = (strings(args, 0)?, strings(args, 1)?, integers(args, 2)?);
    collect_strings((0..rows(args)).map(|row| {
        let (Some(text), Some(by), Some(index)) = (string_at(texts, row), string_at(by, row), at(indices, row)) else {
            return Ok(None);
        };
        let index = usize::try_from(index).ok().and_then(|i| i.checked_sub(1)).ok_or("Index must be greater than zero")?;
        if by.is_empty() {
            return Ok(text.chars().nth(index).map(String::from));
        }
        Ok::<_, String>(text.split(by).nth(index).map(str::to_owned))
    }))
}

fn json_extract_scalar(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, paths) = (strings(args, 0)?, strings(args, 1)?);
    collect_strings((0..rows(args)).map(|row| match (string_at(texts, row), string_at(paths, row)) {
        (Some(text), Some(path)) => json::extract_scalar(text, path),
        _ => Ok(None),
    }))
}

fn json_array_length(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let texts = strings(args, 0)?;
    Ok(Arc::new((0..rows(args)).map(|row| string_at(texts, row).and_then(json::array_length)).collect::<Int64Array>()))
}

/// The parts of a URL that the log functions ask for.
struct Url<'a> {
    host: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.contains(char::is_whitespace) {
            return None;
        }
        let text = text.split('#').next()?;
        let (rest, query) = match text.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (text, None),
        };
        let (host, path) = match rest.split_once("://") {
            Some((_, rest)) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = authority.rsplit('@').next().unwrap_or(authority);
                (Some(host.split(':').next().unwrap_or(host)), path)
            }
            None => (None, rest),
        };
        Some(Self { host: host.filter(|h| !h.is_empty()), path, query })
    }
}

fn url(args: &[ArrayRef], part: impl Fn(Url<'_>) -> Option<String>) -> Result<ArrayRef, String> {
    let texts = strings(args, 0)?;
    collect_strings((0..rows(args)).map(|row| Ok(string_at(texts, row).and_then(Url::parse).and_then(&part))))
}

fn url_parameter(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (texts, names) = (strings(args, 0)?, strings(args, 1)?);
    collect_strings((0..rows(args)).map(|row| {
        let (Some(text), Some(name)) = (string_at(texts, row), string_at(names, row)) else { return Ok(None) };
        let query = Url::parse(text).and_then(|url| url.query);
        Ok::<_, String>(query.and_then(|query| {
            query.split('&').find_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(key).as_deref() == Some(name)).then(|| decoded(value)).flatten()
            })
        }))
    }))
}

fn decoded(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_mean_the_same() {
        let regex = Regex::new("(a)(b)").unwrap();
        for (with, want) in [("$2$1", "ba"), ("$1x", "ax"), (r"\$1", "$1"), ("-", "-"), (r"\\", r"\")] {
            assert_eq!(regex.replace_all("ab", replacement(with)), want, "{with}");
        }
    }

    #[test]
    fn urls_have_parts() {
        let url = Url::parse("https://u@api.shop.example:443/v2/a%20b?q=1&r=%2F#top").unwrap();
        assert_eq!((url.host, url.path, url.query), (Some("api.shop.example"), "/v2/a%20b", Some("q=1&r=%2F")));
        assert!(Url::parse("not a url").is_none());
    }
}
