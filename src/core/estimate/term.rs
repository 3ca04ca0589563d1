//! Evaluates a [`Term`] over one partition: what is known of it before anything is read.

use std::cmp::Ordering;

use crate::core::sql::analysis::{Constant, Term};
use crate::core::sql::types::Type;

use super::cast::{Target, cast, parse_date, parse_timestamp};
use super::function::{Clock, call, interval};
use super::value::{Arithmetic, Number, Value, and, not, or};

/// What is known while a term is evaluated.
pub(super) trait Known {
    /// The value of a column: of a partition key, else `None`.
    fn column(&self, name: &str) -> Option<Value>;

    /// The value of a parameter, if it has just one.
    fn parameter(&self, name: &str) -> Option<Value>;

    /// Whether a parameter that has no single value could be `value`.
    fn admits(&self, name: &str, value: &Value) -> bool;

    /// The clock of the session.
    fn clock(&self) -> Option<Clock>;
}

/// The most nesting that is evaluated; deeper terms are unknown.
const DEPTH: u32 = 200;

/// The value of `term`; `None` if it cannot surely be told.
pub(super) fn evaluate(term: &Term, known: &dyn Known) -> Option<Value> {
    step(term, known, DEPTH)
}

/// Whether a partition can be left out: a conjunct is surely not true for all its rows.
pub(super) fn excludes(conjunct: &Term, known: &dyn Known) -> bool {
    matches!(evaluate(conjunct, known), Some(Value::Boolean(false) | Value::Null))
}

fn step(term: &Term, known: &dyn Known, depth: u32) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match term {
        Term::Column { name, .. } => known.column(name),
        Term::Constant { value, kind } => constant(value, kind),
        Term::Parameter { name, .. } => known.parameter(name),
        Term::Apply { name, arguments, kind, deterministic } => {
            let value = |index: usize| step(arguments.get(index)?, known, depth);
            let compare = |wanted: fn(Ordering) -> bool| value(0)?.compared(&value(1)?, wanted);
            let compute = |operator: Arithmetic| value(0)?.combined(operator, &value(1)?);
            match name.as_str() {
                "and" => arguments.iter().map(|a| step(a, known, depth)).reduce(and)?,
                "or" => arguments.iter().map(|a| step(a, known, depth)).reduce(or)?,
                "not" => not(value(0)),
                "=" => equal(arguments.first()?, arguments.get(1)?, known, depth),
                "<>" => not(equal(arguments.first()?, arguments.get(1)?, known, depth)),
                "<" => compare(Ordering::is_lt),
                "<=" => compare(Ordering::is_le),
                ">" => compare(Ordering::is_gt),
                ">=" => compare(Ordering::is_ge),
                "is distinct from" => Some(Value::Boolean(value(0)?.distinct(&value(1)?)?)),
                "is null" => Some(Value::Boolean(value(0)?.is_null())),
                "in" => {
                    let (first, rest) = arguments.split_first()?;
                    rest.iter().map(|item| equal(first, item, known, depth)).reduce(or)?
                }
                "between" => {
                    let (low, high) = (value(1), value(2));
                    let middle = value(0)?;
                    let above = low.and_then(|low| middle.compared(&low, Ordering::is_ge));
                    let below = high.and_then(|high| middle.compared(&high, Ordering::is_le));
                    and(above, below)
                }
                "like" => like(arguments, known, depth),
                "+" => compute(Arithmetic::Add),
                "-" => compute(Arithmetic::Subtract),
                "*" => compute(Arithmetic::Multiply),
                "/" => compute(Arithmetic::Divide),
                "%" => compute(Arithmetic::Modulus),
                "||" => call("concat", &[value(0)?, value(1)?], None),
                "-x" => value(0)?.negated(),
                "cast" => cast(&value(0)?, Target::of(kind)?),
                // A failed cast is NULL here, but a cast that is unknown need not have failed.
                "try_cast" => cast(&value(0)?, Target::of(kind)?),
                "case" | "if" => case(arguments, known, depth),
                "coalesce" => coalesce(arguments, known, depth),
                "row" => Some(Value::Row(arguments.iter().map(|a| step(a, known, depth)).collect())),
                "[]" | "at time zone" => None,
                _ if *deterministic || CLOCKS.contains(&name.as_str()) => {
                    let values: Option<Vec<Value>> = arguments.iter().map(|a| step(a, known, depth)).collect();
                    call(name, &values?, known.clock())
                }
                _ => None,
            }
        }
    }
}

/// Functions that are not deterministic but whose value at the time of the estimate is known.
const CLOCKS: [&str; 4] = ["current_date", "current_timestamp", "now", "localtimestamp"];

/// `left = right`, where one side may be a parameter that is known by its type only.
fn equal(left: &Term, right: &Term, known: &dyn Known, depth: u32) -> Option<Value> {
    let (a, b) = (step(left, known, depth), step(right, known, depth));
    match (left, a, right, b) {
        (_, Some(a), _, Some(b)) => a.equals(&b),
        (Term::Parameter { name, .. }, None, _, Some(value)) | (_, Some(value), Term::Parameter { name, .. }, None) => {
            if value.is_null() {
                return Some(Value::Null);
            }
            (!known.admits(name, &value)).then_some(Value::Boolean(false))
        }
        _ => None,
    }
}

/// Pairs of condition and result, then the default. A condition that is unknown makes the whole unknown, unless all results that
/// remain possible agree.
fn case(arguments: &[Term], known: &dyn Known, depth: u32) -> Option<Value> {
    let mut possible: Vec<Option<Value>> = Vec::new();
    let mut rest = arguments;
    loop {
        match rest {
            [condition, result, tail @ ..] => {
                match step(condition, known, depth) {
                    Some(Value::Boolean(true)) => {
                        possible.push(step(result, known, depth));
                        break;
                    }
                    Some(_) => {}
                    None => possible.push(step(result, known, depth)),
                }
                rest = tail;
            }
            [default] => {
                possible.push(step(default, known, depth));
                break;
            }
            [] => {
                possible.push(Some(Value::Null));
                break;
            }
        }
    }
    let (first, others) = possible.split_first()?;
    others.iter().all(|other| other == first).then(|| first.clone())?
}

fn coalesce(arguments: &[Term], known: &dyn Known, depth: u32) -> Option<Value> {
    for argument in arguments {
        match step(argument, known, depth) {
            Some(Value::Null) => {}
            other => return other,
        }
    }
    Some(Value::Null)
}

fn like(arguments: &[Term], known: &dyn Known, depth: u32) -> Option<Value> {
    let value = step(arguments.first()?, known, depth)?;
    let pattern = step(arguments.get(1)?, known, depth)?;
    let escape = match arguments.get(2) {
        Some(escape) => match step(escape, known, depth)? {
            Value::Text(text) => {
                let mut chars = text.chars();
                let only = chars.next()?;
                if chars.next().is_some() {
                    return None;
                }
                Some(only)
            }
            _ => return None,
        },
        None => None,
    };
    if value.is_null() || pattern.is_null() {
        return Some(Value::Null);
    }
    let (value, pattern) = (value.as_text()?, tokens(pattern.as_text()?, escape)?);
    Some(Value::Boolean(matches(&value.chars().collect::<Vec<_>>(), &pattern)))
}

#[derive(Clone, Copy, PartialEq)]
enum Wild {
    Any,
    One,
    Exactly(char),
}

fn tokens(pattern: &str, escape: Option<char>) -> Option<Vec<Wild>> {
    let mut out = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            c if Some(c) == escape => {
                let next = chars.next()?;
                // Only the wildcards and the escape itself may be escaped.
                if next != '%' && next != '_' && Some(next) != escape {
                    return None;
                }
                Wild::Exactly(next)
            }
            '%' => Wild::Any,
            '_' => Wild::One,
            c => Wild::Exactly(c),
        });
    }
    Some(out)
}

/// Greedy matching with one point to return to, which is enough for LIKE: time is length × pattern.
fn matches(text: &[char], pattern: &[Wild]) -> bool {
    let (mut at, mut token) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(token) {
            Some(Wild::Any) => {
                retry = Some((token + 1, at));
                token += 1;
            }
            Some(Wild::One) => (at, token) = (at + 1, token + 1),
            Some(Wild::Exactly(c)) if text.get(at) == Some(c) => (at, token) = (at + 1, token + 1),
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                (at, token) = (from + 1, after);
            }
        }
    }
    pattern.get(token..).is_some_and(|rest| rest.iter().all(|t| *t == Wild::Any))
}

/// The value of a literal.
fn constant(value: &Constant, kind: &Type) -> Option<Value> {
    match value {
        Constant::Null => Some(Value::Null),
        Constant::Boolean(b) => Some(Value::Boolean(*b)),
        Constant::Number(digits) => Number::parse(digits).map(Value::Number),
        Constant::Float(digits) => digits.parse().ok().map(Value::Double),
        Constant::Text(text) => match kind {
            Type::Varchar(_) => Some(Value::text(text)),
            Type::Date => parse_date(text.trim()).map(Value::Date),
            Type::Timestamp(_) => parse_timestamp(text.trim()).map(Value::Timestamp),
            Type::Decimal(..) => Number::parse(text).map(Value::Number),
            Type::Boolean | Type::Tinyint | Type::Smallint | Type::Integer | Type::Bigint | Type::Double => {
                cast(&Value::text(text), Target::of(kind)?)
            }
            _ => None,
        },
        Constant::Binary(_) => None,
        Constant::Interval { negative, text, unit } => {
            let amount: i64 = text.trim().parse().ok()?;
            interval(unit, if *negative { amount.checked_neg()? } else { amount })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Partition(&'static str);

    impl Known for Partition {
        fn column(&self, name: &str) -> Option<Value> {
            (name == "day").then(|| Value::text(self.0))
        }

        fn parameter(&self, name: &str) -> Option<Value> {
            (name == "known").then(|| Value::text("2026/11/20"))
        }

        fn admits(&self, _: &str, value: &Value) -> bool {
            value.as_text().is_some_and(|text| text.starts_with("2026/11/"))
        }

        fn clock(&self) -> Option<Clock> {
            Clock::at("2026-11-20T14:30:00Z".parse().unwrap())
        }
    }

    fn column(name: &str) -> Term {
        Term::Column { name: name.to_owned(), kind: Type::VARCHAR }
    }

    fn text(value: &str) -> Term {
        Term::Constant { value: Constant::Text(value.to_owned()), kind: Type::VARCHAR }
    }

    fn parameter(name: &str) -> Term {
        Term::Parameter { name: name.to_owned(), kind: Type::VARCHAR }
    }

    fn apply(name: &str, arguments: Vec<Term>) -> Term {
        Term::Apply { name: name.to_owned(), arguments, kind: Type::Boolean, deterministic: !CLOCKS.contains(&name) }
    }

    #[test]
    fn predicates_decide_on_partitions() {
        let day = || column("day");
        let other = || column("status");
        let week_ago = || {
            apply(
                "date_format",
                vec![
                    apply(
                        "-",
                        vec![
                            apply("current_date", vec![]),
                            Term::Constant {
                                value: Constant::Interval { negative: false, text: "7".into(), unit: "day".into() },
                                kind: Type::IntervalDay,
                            },
                        ],
                    ),
                    text("%Y/%m/%d"),
                ],
            )
        };
        let cases = [
            (apply("=", vec![day(), text("2026/11/20")]), "2026/11/20", false),
            (apply("=", vec![day(), text("2026/11/20")]), "2026/11/19", true),
            (apply("=", vec![day(), day()]), "2026/11/19", false),
            (apply("=", vec![other(), text("5")]), "2026/11/19", false),
            (apply("or", vec![apply("=", vec![day(), text("x")]), apply("=", vec![other(), text("5")])]), "2026/11/19", false),
            (apply("and", vec![apply("=", vec![day(), text("x")]), apply("=", vec![other(), text("5")])]), "2026/11/19", true),
            (apply("between", vec![day(), text("2026/11/14"), text("2026/11/20")]), "2026/11/13", true),
            (apply("between", vec![day(), text("2026/11/14"), other()]), "2026/11/13", true),
            (apply("between", vec![day(), text("2026/11/14"), other()]), "2026/11/15", false),
            (apply("in", vec![day(), text("a"), text("b")]), "c", true),
            (apply("in", vec![day(), text("a"), other()]), "c", false),
            (apply("like", vec![day(), text("2026/11/%")]), "2026/10/01", true),
            (apply("like", vec![day(), text("2026/1_/%1")]), "2026/10/01", false),
            (apply(">=", vec![day(), week_ago()]), "2026/11/12", true),
            (apply(">=", vec![day(), week_ago()]), "2026/11/13", false),
            (apply("=", vec![apply("substr", vec![day(), text("x")]), text("2026")]), "2025/11/12", false),
            (apply("=", vec![day(), parameter("known")]), "2026/11/19", true),
            (apply("=", vec![day(), parameter("hole")]), "2026/11/19", false),
            (apply("=", vec![day(), parameter("hole")]), "2025/11/19", true),
            (apply("<>", vec![day(), parameter("hole")]), "2026/11/19", false),
            (apply("is null", vec![day()]), "2026/11/19", true),
            (apply("random", vec![]), "2026/11/19", false),
            (
                apply(
                    "case",
                    vec![
                        apply("=", vec![other(), text("1")]),
                        apply("=", vec![day(), text("a")]),
                        apply("=", vec![day(), text("b")]),
                    ],
                ),
                "c",
                true,
            ),
        ];
        for (term, partition, excluded) in cases {
            assert_eq!(excludes(&term, &Partition(partition)), excluded, "{term:?} on {partition}");
        }
    }

    #[test]
    fn like_is_linear() {
        let text: Vec<char> = "a".repeat(2000).chars().collect();
        let pattern = tokens(&"%a".repeat(200), None).unwrap();
        assert!(matches(&text, &pattern));
        let pattern = tokens(&("%a".repeat(200) + "b"), None).unwrap();
        assert!(!matches(&text, &pattern));
        assert_eq!(tokens("a!b", Some('!')).map(|t| t.len()), None);
    }
}
