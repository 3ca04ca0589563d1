//! Typed holes: parameters whose value is not known yet. A statement with holes is judged over every value that they may take.

use std::collections::BTreeMap;

use super::value::{Number, Value};
use crate::core::guard::{Param, Params};
use crate::core::runbook::ParamType;

/// Holes of few values are tried value by value, up to this many combinations.
const MOST_COMBINATIONS: usize = 256;

/// Whether a hole of this type may be filled with `value`. Where that is not sure, it may.
pub(super) fn admits(hole: &ParamType, value: &Value) -> bool {
    match (hole, value) {
        (ParamType::Int { min, max }, Value::Number(number)) => number.to_whole().is_some_and(|whole| {
            min.is_none_or(|min| whole >= i128::from(min)) && max.is_none_or(|max| whole <= i128::from(max))
        }),
        (ParamType::Decimal { min, max }, Value::Number(number)) => {
            let bound = |text: String| Number::parse(&text).map(Value::Number);
            let value = Value::Number(*number);
            let above = min.as_ref().and_then(|min| value.order(&bound(min.to_string())?)).is_none_or(|order| order.is_ge());
            let below = max.as_ref().and_then(|max| value.order(&bound(max.to_string())?)).is_none_or(|order| order.is_le());
            above && below
        }
        (ParamType::Date { form: Some(form) } | ParamType::Timestamp { form: Some(form) }, Value::Text(text)) => {
            written_by(form, text)
        }
        (ParamType::Enum { values }, Value::Text(text)) => values.contains(text),
        (ParamType::String { pattern, max }, Value::Text(text)) => {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
                && max.is_none_or(|max| text.chars().count() <= usize::try_from(max).unwrap_or(usize::MAX))
        }
        (ParamType::Uuid, Value::Text(text)) => text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'),
        (ParamType::List { of, .. }, value) => admits(of, value),
        _ => true,
    }
}

/// Whether `text` is what `form` (strftime) writes for some time.
fn written_by(form: &str, text: &str) -> bool {
    let Ok(parsed) = jiff::fmt::strtime::parse(form, text) else { return false };
    let time = parsed.to_datetime().ok().or_else(|| Some(parsed.to_date().ok()?.to_datetime(jiff::civil::Time::midnight())));
    // A form that leaves out the day cannot be read back into a time; then any text of its shape may come.
    time.is_none_or(|time| {
        let mut again = String::new();
        std::fmt::Write::write_fmt(&mut again, format_args!("{}", time.strftime(form))).is_ok() && again == text
    })
}

/// Every combination of values of the holes that have few; at least one, perhaps empty, combination.
pub(super) fn combinations(params: &Params) -> Vec<BTreeMap<&str, Value>> {
    let mut all = vec![BTreeMap::new()];
    for (name, param) in params {
        let values: Vec<Value> = match param {
            Param::Hole(ParamType::Enum { values }) => values.iter().map(Value::text).collect(),
            Param::Hole(ParamType::Bool) => vec![Value::Boolean(false), Value::Boolean(true)],
            _ => continue,
        };
        if values.is_empty() || all.len().saturating_mul(values.len()) > MOST_COMBINATIONS {
            continue;
        }
        all = all
            .into_iter()
            .flat_map(|base| {
                values.iter().map(move |value| {
                    let mut with = base.clone();
                    with.insert(name.as_str(), value.clone());
                    with
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_admit_by_type() {
        let day = ParamType::Date { form: Some("%Y/%m/%d".into()) };
        let status = ParamType::Int { min: Some(400), max: Some(599) };
        let region = ParamType::Enum { values: vec!["eu".into(), "us".into()] };
        let cases = [
            (&day, Value::text("2026/11/20"), true),
            (&day, Value::text("2026/13/20"), false),
            (&day, Value::text("2026-11-20"), false),
            (&day, Value::text("2026/1/2"), false),
            (&status, Value::whole(400), true),
            (&status, Value::whole(600), false),
            (&region, Value::text("eu"), true),
            (&region, Value::text("EU"), false),
        ];
        for (hole, value, wanted) in cases {
            assert_eq!(admits(hole, &value), wanted, "{hole:?} {value:?}");
        }
    }

    #[test]
    fn enums_are_tried_one_by_one() {
        let mut params = Params::new();
        params.insert("region".into(), Param::Hole(ParamType::Enum { values: vec!["eu".into(), "us".into()] }));
        params.insert("flag".into(), Param::Hole(ParamType::Bool));
        params.insert("day".into(), Param::Hole(ParamType::Date { form: None }));
        assert_eq!(combinations(&params).len(), 4);
        assert_eq!(combinations(&Params::new()).len(), 1);
    }
}
