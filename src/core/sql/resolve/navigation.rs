//! Functions that only row patterns have: FIRST, LAST, PREV, NEXT, CLASSIFIER, MATCH_NUMBER.

use super::check::{aggregates, has_window};
use super::literal::integer;
use super::name::canonical;
use super::value::{Cx, Value, key_of, mix};
use super::walk::{find, find_all};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Arguments, Call, Expr, ExprKind, Literal};
use crate::core::sql::types::Type;

/// The function of row patterns that a call means.
fn pattern_function(call: &Call) -> Option<&'static str> {
    let [name] = call.name.parts.as_slice() else { return None };
    if name.quoted {
        return None;
    }
    ["first", "last", "prev", "next", "classifier", "match_number"].into_iter().find(|known| name.is(known))
}

fn is_pattern_call(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call) if pattern_function(call).is_some())
}

fn navigates(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call) if matches!(pattern_function(call), Some("first" | "last" | "prev" | "next")))
}

impl Resolver<'_> {
    /// A call of such a function; `None` if it is another.
    pub(super) fn navigation<'t>(&mut self, expr: &'t Expr, call: &'t Call, cx: &Cx<'t>) -> Outcome<Option<Value>> {
        let (Some(name), Some(labels)) = (pattern_function(call), cx.pattern.clone()) else { return Ok(None) };
        let span = expr.span;
        if call.over.is_some() || call.filter.is_some() || !call.order_by.is_empty() || call.distinct {
            let message = format!("{name} takes neither OVER, FILTER, ORDER BY nor DISTINCT");
            return Err(refusal("INVALID_PATTERN_RECOGNITION_FUNCTION", span, message));
        }
        if call.running.is_some() && !matches!(name, "first" | "last") {
            return Err(refusal("INVALID_PROCESSING_MODE", span, format!("RUNNING and FINAL are not for {name}")));
        }
        let arguments: &[Expr] = match &call.arguments {
            Arguments::List(arguments) => arguments,
            Arguments::Star { .. } => &[],
        };
        self.called(name, call.name.span);
        match (name, arguments) {
            ("match_number", _) if labels.in_window => {
                Err(refusal("INVALID_PATTERN_RECOGNITION_FUNCTION", span, "MATCH_NUMBER is not for windows"))
            }
            ("match_number", []) => Ok(Some(Value::new(Type::Bigint, key_of(name, [])))),
            ("classifier", []) => Ok(Some(Value::new(Type::VARCHAR, key_of(name, [])))),
            ("classifier", [only]) => match &only.kind {
                ExprKind::Name(parts) => match parts.as_slice() {
                    [label] if labels.names.contains(&canonical(label)) => Ok(Some(Value::new(Type::VARCHAR, key_of(name, [])))),
                    [label] => {
                        Err(refusal("INVALID_FUNCTION_ARGUMENT", only.span, format!("{} is no pattern variable", label.text)))
                    }
                    _ => Err(refusal("TYPE_MISMATCH", only.span, "CLASSIFIER takes a pattern variable")),
                },
                _ => Err(refusal("TYPE_MISMATCH", only.span, "CLASSIFIER takes a pattern variable")),
            },
            ("first" | "last" | "prev" | "next", [value, offset @ ..]) if offset.len() <= 1 => {
                if let Some(offset) = offset.first() {
                    let number = match &offset.kind {
                        ExprKind::Literal(Literal::Integer(text)) => integer(text),
                        _ => None,
                    };
                    let Some(number) = number else {
                        return Err(refusal(
                            "INVALID_FUNCTION_ARGUMENT",
                            span,
                            format!("the second argument of {name} must be a number"),
                        ));
                    };
                    if !(0..=i64::from(i32::MAX)).contains(&number) {
                        return Err(refusal("NUMERIC_VALUE_OUT_OF_RANGE", span, format!("{number} is out of range for {name}")));
                    }
                }
                self.no_nested_aggregates(arguments)?;
                nesting(name, value)?;
                let inner = self.value(value, cx)?;
                self.label_needed(name, value, span, cx)?;
                let key = mix(key_of(name, [inner.key]), Self::address(call) as u64);
                Ok(Some(self.computed(inner.kind.clone(), key, &[&inner])))
            }
            _ => Err(refusal("INVALID_FUNCTION_ARGUMENT", span, format!("{name} does not take {} arguments", arguments.len()))),
        }
    }

    /// A navigation must be about some row: it names a column or CLASSIFIER, all of one pattern variable.
    fn label_needed<'t>(&mut self, name: &str, value: &'t Expr, span: Span, cx: &Cx<'t>) -> Outcome<()> {
        let found = self.labels_in(value, cx);
        match found.len() {
            0 => Err(refusal("INVALID_ARGUMENTS", span, format!("{name} must name at least one column, or CLASSIFIER()"))),
            1 => Ok(()),
            _ => Err(refusal("INVALID_ARGUMENTS", span, format!("all pattern variables inside {name} must be the same"))),
        }
    }

    /// The pattern variables by which columns are named inside an expression; `None` stands for a column without one.
    fn labels_in<'t>(&self, expr: &'t Expr, cx: &Cx<'t>) -> Vec<Option<String>> {
        let mut names = Vec::new();
        find_all(expr, &|inner| matches!(inner.kind, ExprKind::Name(_)) || is_pattern_call(inner), &mut names);
        let mut found: Vec<Option<String>> = Vec::new();
        let mut add = |label: Option<String>| {
            if !found.contains(&label) {
                found.push(label);
            }
        };
        for inner in names {
            match &inner.kind {
                ExprKind::Name(parts) if self.facts.contains_key(&Self::address(inner)) => {
                    let label = match parts.as_slice() {
                        [label, _, ..] => Some(canonical(label))
                            .filter(|label| cx.pattern.as_ref().is_some_and(|labels| labels.names.contains(label))),
                        _ => None,
                    };
                    add(label);
                }
                ExprKind::Call(call) if pattern_function(call) == Some("classifier") => {
                    let label = match &call.arguments {
                        Arguments::List(arguments) => arguments.first().and_then(|argument| match &argument.kind {
                            ExprKind::Name(parts) => parts.first().map(canonical),
                            _ => None,
                        }),
                        Arguments::Star { .. } => None,
                    };
                    add(label);
                }
                _ => {}
            }
        }
        found
    }

    fn no_nested_aggregates(&mut self, arguments: &[Expr]) -> Outcome<()> {
        let nested = arguments.iter().find_map(|argument| find(argument, &|inner| aggregates(inner)));
        match nested {
            Some(nested) => Err(refusal("NESTED_AGGREGATION", nested.span, "an aggregate cannot be nested here")),
            None => Ok(()),
        }
    }

    /// What an aggregate may not have inside a row pattern.
    pub(super) fn pattern_aggregate(&mut self, call: &Call, span: Span) -> Outcome<()> {
        if call.over.is_some() {
            return Err(refusal("NESTED_WINDOW", span, "an aggregate in a row pattern cannot have OVER"));
        }
        if call.filter.is_some() || !call.order_by.is_empty() || call.distinct {
            let message = "an aggregate in a row pattern takes neither FILTER, ORDER BY nor DISTINCT";
            return Err(refusal("NOT_SUPPORTED", span, message));
        }
        let Arguments::List(arguments) = &call.arguments else { return Ok(()) };
        self.no_nested_aggregates(arguments)?;
        let nested = arguments.iter().find_map(|argument| find(argument, &navigates));
        match nested {
            Some(nested) => {
                Err(refusal("INVALID_NAVIGATION_NESTING", nested.span, "a navigation cannot stand inside an aggregate"))
            }
            None => Ok(()),
        }
    }

    /// `x IN (query)` inside a row pattern: `x` may not depend on pattern variables.
    pub(super) fn in_query_of_pattern<'t>(&mut self, tested: &'t Expr, cx: &Cx<'t>) -> Outcome<()> {
        let labelled = |inner: &Expr| match &inner.kind {
            ExprKind::Name(parts) => match parts.as_slice() {
                [label, _, ..] => cx.pattern.as_ref().is_some_and(|labels| labels.names.contains(&canonical(label))),
                _ => false,
            },
            _ => is_pattern_call(inner),
        };
        match find(tested, &labelled) {
            Some(inner) => Err(refusal("NOT_SUPPORTED", inner.span, "IN with a query cannot depend on pattern variables")),
            None => Ok(()),
        }
    }

    /// Windows and measures may not stand inside a row pattern.
    pub(super) fn no_windows(&mut self, expr: &Expr) -> Outcome<()> {
        match find(expr, &has_window) {
            Some(inner) => Err(refusal("NESTED_WINDOW", inner.span, "a row pattern cannot contain window functions")),
            None => Ok(()),
        }
    }
}

/// FIRST and LAST may stand directly inside PREV and NEXT, nothing else nests.
fn nesting(name: &str, value: &Expr) -> Outcome<()> {
    let mut nested = Vec::new();
    find_all(value, &navigates, &mut nested);
    let wrong = |inner: &Expr| Err(refusal("INVALID_NAVIGATION_NESTING", inner.span, format!("this cannot stand inside {name}")));
    match nested.as_slice() {
        [] => Ok(()),
        [first, ..] if matches!(name, "first" | "last") => wrong(first),
        [_, second, ..] => wrong(second),
        [only] => {
            let inner = match &only.kind {
                ExprKind::Call(call) => pattern_function(call),
                _ => None,
            };
            if matches!(inner, Some("prev" | "next")) || !std::ptr::eq(*only, value) { wrong(only) } else { Ok(()) }
        }
    }
}
