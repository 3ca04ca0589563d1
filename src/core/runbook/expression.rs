//! Expressions: MiniJinja with fuel, over given values alone.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, filters, tests as checks};

use super::Scope;
use crate::core::book::Place;
use crate::core::text::visible;

/// An expression of a runbook (`when`, `expect`, `from`), known to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As written.
    pub source: String,
    /// Where.
    pub place: Place,
}

/// Why an expression or template has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is not an expression.
    #[error("`{source_text}` is not an expression: {reason}")]
    Syntax {
        /// As written, escaped.
        source_text: String,
        /// The parser's words.
        reason: String,
    },
    /// It uses a value that is not there: a step that did not run, a row that does not exist.
    #[error("`{source_text}` uses a value that is not there: {reason}")]
    Undefined {
        /// As written, escaped.
        source_text: String,
        /// What is missing.
        reason: String,
    },
    /// It took too long.
    #[error("`{source_text}` takes more than {FUEL} steps to evaluate")]
    Fuel {
        /// As written, escaped.
        source_text: String,
    },
    /// It failed otherwise.
    #[error("`{source_text}` cannot be evaluated: {reason}")]
    Failed {
        /// As written, escaped.
        source_text: String,
        /// Why.
        reason: String,
    },
    /// A condition that is neither true nor false.
    #[error("`{source_text}` is {value}, neither true nor false")]
    NotBoolean {
        /// As written, escaped.
        source_text: String,
        /// What it is.
        value: String,
    },
}

/// Instructions that one evaluation may take.
const FUEL: u64 = 100_000;
/// Bytes of one expression.
pub(in crate::core) const MAX_SOURCE: usize = 2_048;

impl Expression {
    /// Takes an expression that compiles.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`], where it does not, or is longer than 2,048 bytes.
    pub fn new(source: &str, place: Place) -> Result<Self, ExpressionError> {
        let expression = Self { source: source.trim().to_owned(), place };
        if source.len() > MAX_SOURCE {
            return Err(expression.syntax(format!("it is longer than {MAX_SOURCE} bytes")));
        }
        let environment = environment();
        match environment.compile_expression(&expression.source) {
            Ok(_) => {
                // Filters are looked up when they are applied; an unknown one must not wait for an incident.
                let unknown = named_filters(&expression.source).find(|name| !FILTERS.contains(&name.as_str()));
                match unknown {
                    Some(name) => Err(expression.syntax(format!("there is no filter `{}`", visible(&name)))),
                    None => Ok(expression),
                }
            }
            Err(error) => Err(expression.syntax(reason(&error))),
        }
    }

    /// Names and paths that it uses: `inputs.day`, `steps.errors.row_count`, `worst`.
    pub fn variables(&self) -> BTreeSet<String> {
        let environment = environment();
        match environment.compile_expression(&self.source) {
            Ok(compiled) => compiled.undeclared_variables(true).into_iter().collect(),
            Err(_) => BTreeSet::new(),
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// [`ExpressionError`]; an undefined value is an error, except in `is defined`.
    pub fn value(&self, scope: &Scope) -> Result<serde_json::Value, ExpressionError> {
        let value = self.evaluate(scope)?;
        if value.is_undefined() {
            return Err(ExpressionError::Undefined { source_text: self.shown(), reason: "nothing".to_owned() });
        }
        serde_json::to_value(&value)
            .map_err(|error| ExpressionError::Failed { source_text: self.shown(), reason: error.to_string() })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// [`ExpressionError`]; a value other than true and false is an error, too.
    pub fn holds(&self, scope: &Scope) -> Result<bool, ExpressionError> {
        match self.value(scope)? {
            serde_json::Value::Bool(yes) => Ok(yes),
            other => {
                let text = other.to_string();
                let value: String = visible(&text).chars().take(40).collect();
                Err(ExpressionError::NotBoolean { source_text: self.shown(), value })
            }
        }
    }

    fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let environment = environment();
        let compiled = environment.compile_expression(&self.source).map_err(|error| self.syntax(reason(&error)))?;
        compiled.eval(scope.context()).map_err(|error| {
            let source_text = self.shown();
            match error.kind() {
                ErrorKind::OutOfFuel => ExpressionError::Fuel { source_text },
                ErrorKind::UndefinedError => ExpressionError::Undefined { source_text, reason: reason(&error) },
                _ => ExpressionError::Failed { source_text, reason: reason(&error) },
            }
        })
    }

    fn syntax(&self, reason: String) -> ExpressionError {
        ExpressionError::Syntax { source_text: self.shown(), reason }
    }

    fn shown(&self) -> String {
        let text: String = self.source.chars().take(80).collect();
        let dots = if text.len() < self.source.len() { "…" } else { "" };
        format!("{}{dots}", visible(&text))
    }

    /// Whether this holding proves that the input is there: one of its top-level `and` parts is `inputs.<name> is defined`.
    pub fn proves(&self, name: &str) -> bool {
        let Some(parts) = conjuncts(&self.source) else { return false };
        let wanted = format!("inputs.{name} is defined");
        parts.iter().any(|part| {
            let words: Vec<&str> = part.split_whitespace().collect();
            words.join(" ") == wanted
        })
    }
}

impl Expression {
    /// Whether every use of the input only asks if it is there: `inputs.<name> is defined`, `is not defined`, `is undefined`.
    pub fn only_asks_for(&self, name: &str) -> bool {
        let wanted = format!("inputs.{name}");
        let words: Vec<&str> = tokens(&self.source).filter(|token| !token.trim().is_empty()).collect();
        let mut uses = words.iter().enumerate().filter(|(_, word)| **word == wanted);
        uses.all(|(at, _)| {
            let after = words.get(at + 1..).unwrap_or_default();
            matches!(after, ["is", "defined" | "undefined", ..] | ["is", "not", "defined" | "undefined", ..])
        })
    }
}

/// The parts of a top-level conjunction; `None` where another operator binds looser than `and` does.
fn conjuncts(source: &str) -> Option<Vec<String>> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0_i32);
    let mut quote: Option<char> = None;
    for token in tokens(source) {
        match token {
            "or" | "if" | "else" | "|" if depth == 0 && quote.is_none() => return None,
            "and" if depth == 0 && quote.is_none() => parts.push(std::mem::take(&mut part)),
            _ => {
                for c in token.chars() {
                    match (quote, c) {
                        (None, '(' | '[' | '{') => depth += 1,
                        (None, ')' | ']' | '}') => depth -= 1,
                        (None, '\'' | '"') => quote = Some(c),
                        (Some(open), c) if c == open => quote = None,
                        _ => {}
                    }
                }
                part.push_str(token);
            }
        }
    }
    parts.push(part);
    Some(parts)
}

/// Words, and what lies between them, in order; nothing is left out.
fn tokens(source: &str) -> impl Iterator<Item = &str> {
    let mut rest = source;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = if word(first) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, tail) = rest.split_at(end);
        rest = tail;
        Some(token)
    })
}

/// Names after `|`, outside of quotes.
fn named_filters(source: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    let (mut quote, mut piped): (Option<char>, bool) = (None, false);
    for token in tokens(source) {
        let first = token.chars().next().unwrap_or(' ');
        match quote {
            Some(open) if first == open => quote = None,
            Some(_) => {}
            None if first == '\'' || first == '"' => quote = Some(first),
            None if first == '|' => piped = true,
            None if first.is_whitespace() => {}
            None => {
                if piped {
                    names.push(token.to_owned());
                }
                piped = false;
            }
        }
    }
    names.into_iter()
}

/// MiniJinja's message in one line, without its own name for the input.
fn reason(error: &minijinja::Error) -> String {
    let detail = error.detail().map(str::to_owned);
    let text = detail.unwrap_or_else(|| error.kind().to_string());
    visible(text.lines().next().unwrap_or_default()).into_owned()
}

/// Filters that only look: no formatting, no repetition, nothing that could grow a value.
const FILTERS: &[&str] = &[
    "abs", "count", "default", "first", "float", "int", "last", "length", "lower", "max", "min", "round", "sum", "trim",
    "unique", "upper",
];

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(64);
    environment.add_filter("abs", filters::abs);
    environment.add_filter("count", filters::length);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("float", filters::float);
    environment.add_filter("int", filters::int);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("max", filters::max);
    environment.add_filter("min", filters::min);
    environment.add_filter("round", filters::round);
    environment.add_filter("sum", filters::sum);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("unique", filters::unique);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", checks::is_defined);
    environment.add_test("undefined", checks::is_undefined);
    environment.add_test("none", checks::is_none);
    environment.add_test("number", checks::is_number);
    environment.add_test("string", checks::is_string);
    environment.add_test("in", checks::is_in);
    environment.add_test("true", checks::is_true);
    environment.add_test("false", checks::is_false);
    environment.add_test("startingwith", checks::is_startingwith);
    environment.add_test("endingwith", checks::is_endingwith);
    environment
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::core::runbook::{ParamValue, StepResult};

    fn of(source: &str) -> Result<Expression, ExpressionError> {
        Expression::new(source, Place { file: Arc::from("t.yaml"), line: 1, column: 1, width: 1 })
    }

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.inputs.insert("status".into(), ParamValue::Int(502));
        scope.captures.insert("worst".into(), ParamValue::String("ord_7".into()));
        let rows = json!([{ "order_id": "ord_7", "hits": 412 }, { "order_id": null, "hits": 37 }]);
        let result = StepResult { row_count: Some(2), outcome: "done".into(), rows: Some(Arc::new(rows)) };
        scope.steps.insert("errors".into(), result.clone());
        scope.own = Some(result);
        scope
    }

    #[test]
    fn values() {
        for (source, value) in [
            ("row_count > 0", json!(true)),
            ("rows[0].order_id", json!("ord_7")),
            ("rows[0].hits * 2 >= inputs.status", json!(true)),
            ("steps.errors.row_count == 0", json!(false)),
            ("inputs.order_id is defined", json!(false)),
            ("inputs.order_id is defined and inputs.order_id == 'x'", json!(false)),
            ("worst | upper", json!("ORD_7")),
            ("rows[1].order_id is none", json!(true)),
            ("'ord' in worst and outcome == 'done'", json!(true)),
            ("rows | length", json!(2)),
        ] {
            assert_eq!(of(source).unwrap().value(&scope()).unwrap(), value, "{source}");
        }
        assert_eq!(of("steps.errors.rows").unwrap().value(&scope()).unwrap()[1]["hits"], json!(37));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for source in ["inputs.order_id == 'x'", "rows[5].order_id", "steps.other.row_count == 0", "nope", "rows[0].nope == 1"] {
            let error = of(source).unwrap().value(&scope()).unwrap_err();
            assert!(matches!(error, ExpressionError::Undefined { .. }), "{source}: {error:?}");
        }
        assert!(matches!(of("row_count").unwrap().holds(&scope()), Err(ExpressionError::NotBoolean { .. })));
    }

    #[test]
    fn what_does_not_compile_is_refused() {
        for source in ["", "row_count >", "a b", "{{ a }}", "worst | format(1)", "worst|indent(9999999)", &"a+".repeat(2000)] {
            assert!(matches!(of(source), Err(ExpressionError::Syntax { .. })), "{source}");
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        for source in ["'a' * 1000000000", "[1] * 1000000000 | length", "range(100000)", "10 ** 100000", "debug()"] {
            if let Ok(expression) = of(source) {
                let value = expression.value(&scope());
                assert!(value.is_err(), "{source}");
            }
        }
    }

    #[test]
    fn variables_are_paths() {
        let names = of("inputs.day == 'x' and steps.errors.row_count > worst").unwrap().variables();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["inputs.day", "steps.errors.row_count", "worst"]);
    }

    #[test]
    fn proofs_are_conjunctions() {
        for (source, proved) in [
            ("inputs.order_id is defined", true),
            ("inputs.order_id  is\ndefined and row_count > 0", true),
            ("row_count > 0 and inputs.order_id is defined", true),
            ("inputs.order_id is defined or true", false),
            ("not inputs.order_id is defined", false),
            ("inputs.order_id is not defined", false),
            ("inputs.order is defined", false),
            ("(inputs.order_id is defined or true) and true", false),
            ("'x and inputs.order_id is defined and y' == ''", false),
            ("true == inputs.order_id is defined", false),
        ] {
            assert_eq!(of(source).unwrap().proves("order_id"), proved, "{source}");
        }
    }

    #[test]
    fn asking_is_not_using() {
        for (source, asks) in [
            ("inputs.order_id is not defined and row_count > 0", true),
            ("not (inputs.order_id is defined)", true),
            ("inputs.order_id is defined and inputs.order_id == 'x'", false),
            ("inputs.order_id == 'inputs.order_id is defined'", false),
        ] {
            assert_eq!(of(source).unwrap().only_asks_for("order_id"), asks, "{source}");
        }
    }

    proptest! {
        #[test]
        fn evaluation_never_panics(source in "(inputs|rows|worst|\\.|\\[|\\]|\\(|\\)|\\||[0-9]|'|and|or|not|is|in| |==|\\*|-){0,24}") {
            if let Ok(expression) = of(&source) {
                let _ = expression.value(&scope());
                let _ = expression.variables();
                let _ = expression.proves("order_id");
            }
        }
    }
}
