//! Condition operators and keys: exactly those that tollgate's own session policies use.

use crate::core::units::Timestamp;

use super::context::Context;
use super::pattern::{self, Pattern};

/// One `operator: { key: values }` of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    key: String,
    quantifier: Quantifier,
    test: Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// The key has one value.
    Single,
    /// Every value of the request; true where there is none (IAM, "multivalued context keys").
    All,
    /// At least one value of the request; false where there is none.
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Equals(Vec<String>),
    Like(Vec<Pattern>),
    IsAbsent(bool),
    After(Vec<Timestamp>),
    Before(Vec<Timestamp>),
    Is(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    Date,
    Bool,
}

/// The keys the sandbox can fill in or receive from its services, in lower case.
const KEYS: [(&str, Kind); 10] = [
    ("aws:calledvia", Kind::Texts),
    ("aws:currenttime", Kind::Date),
    ("dynamodb:attributes", Kind::Texts),
    ("dynamodb:enclosingoperation", Kind::Text),
    ("dynamodb:fulltablescan", Kind::Bool),
    ("dynamodb:leadingkeys", Kind::Texts),
    ("dynamodb:returnconsumedcapacity", Kind::Text),
    ("dynamodb:returnvalues", Kind::Text),
    ("dynamodb:select", Kind::Text),
    ("s3:prefix", Kind::Text),
];

impl Condition {
    /// Reads one condition.
    ///
    /// # Errors
    /// What of it the sandbox does not know, as a phrase.
    pub(super) fn parse(operator: &str, key: &str, values: &[String], variables: bool) -> Result<Self, String> {
        let lower = key.to_ascii_lowercase();
        let Some((_, kind)) = KEYS.iter().find(|(name, _)| *name == lower) else {
            return Err(format!("condition key {key}"));
        };
        let (quantifier, base) = match operator.split_once(':') {
            None => (Quantifier::Single, operator),
            Some(("ForAllValues", base)) => (Quantifier::All, base),
            Some(("ForAnyValue", base)) => (Quantifier::Any, base),
            Some(_) => return Err(format!("condition operator {operator}")),
        };
        let mismatch = || format!("condition operator {operator} on {key}");
        let test = match base {
            "Null" if quantifier == Quantifier::Single => Test::IsAbsent(flag(values).ok_or_else(mismatch)?),
            "StringEquals" if matches!(kind, Kind::Text | Kind::Texts) => {
                Test::Equals(values.iter().map(|v| pattern::plain(v, variables)).collect::<Result<_, _>>()?)
            }
            "StringLike" if matches!(kind, Kind::Text | Kind::Texts) => {
                Test::Like(values.iter().map(|v| Pattern::parse(v, variables)).collect::<Result<_, _>>()?)
            }
            "DateGreaterThan" if *kind == Kind::Date => Test::After(dates(values)?),
            "DateLessThan" if *kind == Kind::Date => Test::Before(dates(values)?),
            "Bool" if *kind == Kind::Bool => Test::Is(flag(values).ok_or_else(mismatch)?),
            "StringEquals" | "StringLike" | "DateGreaterThan" | "DateLessThan" | "Bool" => return Err(mismatch()),
            _ => return Err(format!("condition operator {operator}")),
        };
        // A set operator on a key with one value, or the reverse, is defined by IAM only loosely.
        let set = quantifier != Quantifier::Single;
        if !matches!(test, Test::IsAbsent(_)) && set != (*kind == Kind::Texts) {
            return Err(mismatch());
        }
        Ok(Self { key: lower, quantifier, test })
    }

    /// Whether the request meets this condition.
    pub(super) fn holds(&self, context: &Context, now: Timestamp) -> bool {
        let values = context.values(&self.key);
        match &self.test {
            Test::IsAbsent(absent) => (values.is_none() && self.key != "aws:currenttime") == *absent,
            Test::After(limits) => limits.iter().any(|limit| now > *limit),
            Test::Before(limits) => limits.iter().any(|limit| now < *limit),
            test => {
                let one = |value: &String| match test {
                    Test::Equals(wanted) => wanted.contains(value),
                    Test::Like(wanted) => wanted.iter().any(|pattern| pattern.matches(value)),
                    Test::Is(wanted) => value.eq_ignore_ascii_case(if *wanted { "true" } else { "false" }),
                    _ => false,
                };
                match (self.quantifier, values) {
                    (Quantifier::All, values) => values.unwrap_or_default().iter().all(one),
                    (Quantifier::Any, values) => values.unwrap_or_default().iter().any(one),
                    (Quantifier::Single, Some([value])) => one(value),
                    (Quantifier::Single, _) => false,
                }
            }
        }
    }
}

/// `true` or `false`, once.
fn flag(values: &[String]) -> Option<bool> {
    match values {
        [value] if value.eq_ignore_ascii_case("true") => Some(true),
        [value] if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// ISO 8601 with a zone, or epoch seconds, as IAM's date operators take them.
fn dates(values: &[String]) -> Result<Vec<Timestamp>, String> {
    values
        .iter()
        .map(|value| {
            let epoch = value.parse::<i64>().ok().and_then(|s| s.checked_mul(1000)).map(Timestamp);
            epoch.or_else(|| value.parse().ok()).ok_or_else(|| format!("date {value}"))
        })
        .collect()
}
