//! Calls of functions.

use super::check::{function_named, is_aggregate_name};
use super::expression::{must_be, newer, qualified};
use super::flow::{Flow, Shape, Sources};
use super::lambda::Argument;
use super::pushed::Terms;
use super::value::{Cx, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, Stop, placeless, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::coercion::{coerces, common_type};
use crate::core::sql::functions::{Argument as Formal, Bound, FunctionKind, Unbound};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Arguments, Call, Expr, ExprKind, ListAgg, ListAggOverflow};
use crate::core::sql::types::Type;

/// Functions that Trino calls deterministic although the session's moment or zone decides what they give.
const OF_SESSION: [&str; 6] = ["now", "current_date", "current_timezone", "current_groups", "from_unixtime", "date"];

/// Functions of which only the count of a bare column arrives.
const COUNTS: [&str; 2] = ["count", "approx_distinct"];

impl Resolver<'_> {
    pub(super) fn call<'t>(&mut self, expr: &'t Expr, call: &'t Call, cx: &Cx<'t>) -> Outcome<Value> {
        let span = expr.span;
        if let ([name], Arguments::List(arguments)) = (call.name.parts.as_slice(), &call.arguments) {
            let lower = name.folded();
            if matches!(lower.as_str(), "if" | "nullif" | "coalesce" | "try" | "format") {
                if call.over.is_some()
                    || call.distinct
                    || call.filter.is_some()
                    || call.ignore_nulls.is_some()
                    || call.running.is_some()
                    || !call.order_by.is_empty()
                {
                    return Err(refusal("SYNTAX_ERROR", span, format!("'{lower}' takes only arguments")));
                }
                self.called(&lower, name.span());
                return self.form(&lower, arguments, span, cx);
            }
        }
        let aggregate = is_aggregate_name(&call.name);
        if let Arguments::Star { label: Some(label), span } = &call.arguments {
            let counts = cx.pattern.is_some() && aggregate && call.name.parts.last().is_some_and(|name| name.is("count"));
            if !counts {
                let message = format!("'{}.*' can only be the argument of count in a row pattern", label.text);
                return Err(refusal("INVALID_FUNCTION_ARGUMENT", *span, message));
            }
        }
        if cx.pattern.is_some() {
            if let Some(value) = self.navigation(expr, call, cx)? {
                return Ok(value);
            }
            if aggregate {
                self.pattern_aggregate(call, span)?;
            }
        }
        if let Some(running) = call.running
            && !(cx.pattern.is_some() && aggregate)
        {
            let message =
                format!("{} is only for FIRST, LAST and aggregates of a row pattern", if running { "RUNNING" } else { "FINAL" });
            return Err(refusal("INVALID_PROCESSING_MODE", span, message));
        }
        if let Some(over) = &call.over {
            self.window_of_call(over, cx)?;
        } else if call.distinct && !aggregate {
            return Err(refusal("FUNCTION_NOT_AGGREGATE", span, "DISTINCT is only for aggregates"));
        }
        if let Some(filter) = &call.filter {
            let value = self.value(filter, cx)?;
            must_be(&value.kind, &Type::Boolean, filter.span, "FILTER")?;
            let sources = self.sources(&value);
            self.influence(sources, Reason::Filter, filter.span);
        }
        let arguments: &'t [Expr] = match &call.arguments {
            Arguments::List(arguments) => arguments,
            Arguments::Star { label, .. } => {
                if let (Some(label), Some(labels)) = (label, &cx.pattern)
                    && !labels.names.contains(&super::name::canonical(label))
                {
                    let message = format!("{} is no pattern variable", label.text);
                    return Err(refusal("INVALID_FUNCTION_ARGUMENT", label.span(), message));
                }
                &[]
            }
        };
        let mut given: Vec<Argument<'t>> = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(match &argument.kind {
                ExprKind::Lambda { arguments, body } => Argument::Lambda { expr: argument, names: arguments, body, flow: None },
                _ => Argument::Value(self.value(argument, cx)?),
            });
        }
        let name = qualified(&call.name).to_lowercase();
        let simple = call.name.parts.last().map(crate::core::sql::tree::Ident::folded).unwrap_or_default();
        let bound = self.bind(call, &simple, &mut given, span, cx)?;
        self.called(if function_named(&call.name).is_some() { &simple } else { &name }, call.name.span);
        if given.len() > 127 {
            return Err(refusal("TOO_MANY_ARGUMENTS", span, format!("too many arguments for {name}")));
        }
        for item in &call.order_by {
            let value = self.value(&item.expr, cx)?;
            if !value.kind.is_orderable() {
                return Err(refusal("TYPE_MISMATCH", span, format!("ORDER BY cannot be applied to {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::OrderBy, item.expr.span);
        }
        for ((argument, wanted), expr) in given.iter().zip(&bound.arguments).zip(arguments) {
            if call.distinct && !wanted.is_comparable() {
                return Err(refusal("TYPE_MISMATCH", span, format!("DISTINCT cannot be applied to {wanted}")));
            }
            if let Argument::Value(value) = argument {
                must_be(&value.kind, wanted, expr.span, &format!("an argument of {name}"))?;
            }
        }
        let function = function_named(&call.name);
        let plain = function.is_some_and(|function| function.kind == FunctionKind::Scalar) && call.over.is_none();
        let deterministic = function.is_some_and(|function| function.deterministic);
        let mut key = key_of(&simple, given.iter().map(Argument::key));
        if !deterministic {
            key = mix(key, Self::address(expr) as u64);
        }
        for (mark, set) in
            [(1, call.distinct), (2, call.filter.is_some()), (3, call.over.is_some()), (4, !call.order_by.is_empty())]
        {
            if set {
                key = mix(key, mark);
            }
        }
        for part in call.filter.iter().chain(call.order_by.iter().map(|item| &item.expr)) {
            key = mix(key, self.facts.get(&Self::address(part)).map_or(0, |fact| fact.key));
        }
        if let Some(over) = &call.over {
            key = mix(key, Self::address(over) as u64);
        }
        let terms: Option<Vec<&Terms>> = given.iter().map(Argument::terms).collect();
        let terms = match terms {
            Some(terms) if plain => {
                let deterministic = deterministic && !OF_SESSION[..4].contains(&simple.as_str());
                Terms::apply(&simple, &terms, &bound.result, deterministic)
            }
            _ => Terms::default(),
        };
        let counted = COUNTS.contains(&simple.as_str())
            && call.over.is_none()
            && matches!(arguments, [Expr { kind: ExprKind::Name(_), .. }, ..]);
        let mut value = self.result(&simple, given, bound.result);
        if counted {
            value.flow = Flow::of(value.flow.sources().counted());
        }
        value.key = key;
        value.terms = terms;
        Ok(value)
    }

    /// Which overload the call means; lambdas are resolved on the way.
    fn bind<'t>(&mut self, call: &'t Call, name: &str, given: &mut Vec<Argument<'t>>, span: Span, cx: &Cx<'t>) -> Outcome<Bound> {
        let Some(function) = function_named(&call.name) else {
            return Err(refusal("FUNCTION_NOT_FOUND", span, format!("function '{}' not registered", qualified(&call.name))));
        };
        let formal: Vec<Formal> = given.iter().map(Argument::formal).collect();
        let bound = function.bind(&formal, &mut |index, kinds| self.lambda_type(name, given, index, kinds, cx));
        bound.map_err(|error| match error {
            Unbound::Lambda(stop) => stop,
            other => unbound(other, name, &formal, span),
        })
    }

    /// A function of the server's own that the grammar writes in another way.
    pub(super) fn builtin<'t>(&mut self, name: &str, arguments: &[&'t Expr], span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.value(argument, cx)?);
        }
        self.apply_builtin(name, values, Some(span))
    }

    /// The same with values. Without a span the server gives no place for its errors.
    pub(super) fn apply_builtin(&mut self, name: &str, values: Vec<Value>, span: Option<Span>) -> Outcome<Value> {
        let formal: Vec<Formal> = values.iter().map(|value| Formal::Value(value.kind.clone())).collect();
        let bound = match crate::core::sql::functions::function(name) {
            Some(function) => {
                function.bind::<Stop>(&formal, &mut |_, _| Err(placeless("TYPE_MISMATCH", "no lambda is taken here")))
            }
            None => Err(Unbound::NotFound),
        };
        let bound = bound.map_err(|error| {
            let mut stop = unbound(error, name, &formal, span.unwrap_or(Span::at(0)));
            if span.is_none() {
                stop.span = None;
            }
            stop
        })?;
        let key = key_of(name, values.iter().map(|value| value.key));
        let terms: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
        let terms = Terms::apply(name, &terms, &bound.result, true);
        let all: Vec<&Value> = values.iter().collect();
        Ok(self.computed(bound.result, key, &all).with_terms(terms))
    }

    /// IF, NULLIF, COALESCE, TRY and FORMAT, which look like functions.
    fn form<'t>(&mut self, name: &str, arguments: &'t [Expr], span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let wrong = || refusal("SYNTAX_ERROR", span, format!("'{name}' does not take {} arguments", arguments.len()));
        match (name, arguments) {
            ("if", [condition, rest @ ..]) if matches!(rest.len(), 1 | 2) => {
                let condition = self.boolean(condition, "the condition of IF", cx)?;
                let mut values = vec![condition];
                for expr in rest {
                    values.push(self.value(expr, cx)?);
                }
                let kind = match values.as_slice() {
                    [_, yes, no] => common_type(&yes.kind, &no.kind)
                        .filter(|common| coerces(&yes.kind, common) && coerces(&no.kind, common))
                        .ok_or_else(|| {
                            refusal(
                                "TYPE_MISMATCH",
                                span,
                                format!("the results of IF have no common type: {} and {}", yes.kind, no.kind),
                            )
                        })?,
                    [_, yes] => yes.kind.clone(),
                    _ => return Err(wrong()),
                };
                Ok(self.combined("if", kind, &values))
            }
            ("nullif", [first, second]) => {
                let values = [self.value(first, cx)?, self.value(second, cx)?];
                let [first, second] = &values;
                if common_type(&first.kind, &second.kind).is_none() {
                    let message = format!("NULLIF cannot compare {} with {}", first.kind, second.kind);
                    return Err(refusal("TYPE_MISMATCH", span, message));
                }
                Ok(self.combined("nullif", first.kind.clone(), &values))
            }
            ("coalesce", [_, _, ..]) => {
                let exprs: Vec<&Expr> = arguments.iter().collect();
                let (kind, values) = self.single_type(&exprs, "the operands of COALESCE", cx)?;
                Ok(self.combined("coalesce", kind, &values))
            }
            ("try", [only]) => {
                if cx.pattern.is_some() {
                    return Err(refusal("NOT_SUPPORTED", span, "TRY is not supported in a row pattern"));
                }
                let value = self.value(only, cx)?;
                let terms = Terms::apply("try", &[&value.terms], &value.kind, true);
                let key = key_of("try", [value.key]);
                Ok(Value { key, terms, column: None, ..value })
            }
            ("format", [first, _, ..]) => {
                let mut values = Vec::with_capacity(arguments.len());
                for expr in arguments {
                    values.push(self.value(expr, cx)?);
                }
                if let Some(value) = values.first().filter(|value| !matches!(value.kind, Type::Varchar(_))) {
                    let message = format!("the first argument of format must be varchar, but is {}", value.kind);
                    return Err(refusal("TYPE_MISMATCH", first.span, message));
                }
                Ok(self.combined("format", Type::VARCHAR, &values))
            }
            _ => Err(wrong()),
        }
    }

    fn combined(&mut self, name: &str, kind: Type, values: &[Value]) -> Value {
        let key = key_of(name, values.iter().map(|value| value.key));
        self.folds |= matches!(name, "if" | "coalesce") && values.first().is_some_and(|first| first.terms.is_constant());
        let terms: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
        let terms = Terms::apply(name, &terms, &kind, true);
        let all: Vec<&Value> = values.iter().collect();
        self.computed(kind, key, &all).with_terms(terms)
    }

    pub(super) fn list_agg<'t>(&mut self, call: &'t ListAgg, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        if call.over.is_some() {
            return Err(newer(span, "LISTAGG with OVER"));
        }
        if let Some(filter) = &call.filter {
            let value = self.value(filter, cx)?;
            must_be(&value.kind, &Type::Boolean, filter.span, "FILTER")?;
            let sources = self.sources(&value);
            self.influence(sources, Reason::Filter, filter.span);
        }
        let value = self.value(&call.value, cx)?;
        if !matches!(value.kind, Type::Varchar(_)) {
            let message = format!("LISTAGG joins varchar, but this is {}", value.kind);
            return Err(refusal("TYPE_MISMATCH", span, message));
        }
        self.called("listagg", Span::at(span.first));
        for item in &call.order_by {
            let value = self.value(&item.expr, cx)?;
            if !value.kind.is_orderable() {
                return Err(refusal("TYPE_MISMATCH", span, format!("ORDER BY cannot be applied to {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::OrderBy, item.expr.span);
        }
        let mut key = mix(key_of("listagg", [value.key]), u64::from(call.distinct));
        if let Some(separator) = &call.separator {
            key = mix(key, text_key(&separator.text));
        }
        if let Some(ListAggOverflow::Truncate(text, count)) = &call.overflow {
            key = mix(key, text.as_ref().map_or(0, |text| text_key(&text.text)));
            key = mix(key, 1 + u64::from(*count));
        }
        for part in call.filter.iter().chain(call.order_by.iter().map(|item| &item.expr)) {
            key = mix(key, self.facts.get(&Self::address(part)).map_or(0, |fact| fact.key));
        }
        Ok(self.computed(Type::VARCHAR, key, &[&value]))
    }

    /// What a function gives: which arguments flow into which part of its result.
    fn result(&mut self, name: &str, given: Vec<Argument<'_>>, kind: Type) -> Value {
        let mut out = Value::new(kind, 0);
        let through = |given: &[Argument<'_>]| -> Option<(Value, Vec<Sources>)> {
            let (first, rest) = given.split_first()?;
            let Argument::Value(first) = first else { return None };
            Some((first.clone(), rest.iter().map(Argument::flat).collect()))
        };
        match name {
            // An element, or some elements: the array is not read as a whole.
            "element_at" | "filter" | "map_filter" | "slice" | "reverse" | "shuffle" | "trim_array" | "map_values" => {
                for argument in given.iter().skip(1) {
                    self.settle_argument(argument);
                }
                if let Some((first, rest)) = through(&given) {
                    let more = Sources::union(&rest);
                    let flow = match name {
                        "element_at" => first.flow.element(),
                        "map_values" => Flow { shape: Shape::Array(first.flow.element().into()), extra: Sources::default() },
                        _ => first.flow.clone(),
                    };
                    out.flow = flow.and(&more);
                    out.read = first.read;
                    return out;
                }
            }
            _ => {}
        }
        let lambdas: Vec<Flow> = given.iter().filter_map(Argument::lambda_flow).collect();
        if !lambdas.is_empty() {
            // What the elements contribute, the body of the lambda says.
            self.settle_unused(&given);
            let body = lambdas.first().cloned().unwrap_or_default();
            out.flow = match name {
                "transform" | "zip_with" => Flow { shape: Shape::Array(body.into()), extra: Sources::default() },
                "transform_values" => {
                    let keys = given.first().and_then(Argument::value).map(|value| value.flow.key()).unwrap_or_default();
                    Flow { shape: Shape::Map((keys, body).into()), extra: Sources::default() }
                }
                "transform_keys" => {
                    let values = given.first().and_then(Argument::value).map(|value| value.flow.element()).unwrap_or_default();
                    given.iter().for_each(|argument| self.settle_argument(argument));
                    Flow { shape: Shape::Map((body, values).into()), extra: Sources::default() }
                }
                "any_match" | "all_match" | "none_match" => Flow::of(body.sources()),
                _ => {
                    given.iter().for_each(|argument| self.settle_argument(argument));
                    let sets: Vec<Sources> = given.iter().map(Argument::flat).collect();
                    Flow::of(Sources::union(&sets))
                }
            };
            return out;
        }
        let flows: Vec<Flow> = given.iter().filter_map(Argument::value).map(|value| self.settle(value)).collect();
        let part = |index: usize| flows.get(index).cloned().unwrap_or_default();
        let sets: Vec<Sources> = flows.iter().skip(1).map(Flow::sources).collect();
        let rest = Sources::union(&sets);
        out.flow = match name {
            "arbitrary" | "any_value" | "first_value" | "last_value" | "nth_value" | "array_distinct" => part(0).and(&rest),
            "lag" | "lead" | "max_by" | "min_by" if !matches!(out.kind, Type::Array(_)) => part(0).and(&rest),
            "array_agg" | "repeat" => Flow { shape: Shape::Array(part(0).into()), extra: rest },
            "map_agg" => Flow { shape: Shape::Map((part(0), part(1)).into()), extra: Sources::default() },
            "map" if flows.len() == 2 => {
                Flow { shape: Shape::Map((part(0).element(), part(1).element()).into()), extra: Sources::default() }
            }
            "zip" => {
                let fields = flows.iter().map(Flow::element).collect();
                Flow {
                    shape: Shape::Array(Flow { shape: Shape::Row(fields), extra: Sources::default() }.into()),
                    extra: Sources::default(),
                }
            }
            "flatten" => Flow { shape: Shape::Array(part(0).element().element().into()), extra: Sources::default() },
            _ => {
                let sets: Vec<Sources> = flows.iter().map(Flow::sources).collect();
                Flow::of(Sources::union(&sets))
            }
        };
        out
    }
}

fn unbound<E>(error: Unbound<E>, name: &str, formal: &[Formal], span: Span) -> Stop {
    let kinds = formal
        .iter()
        .map(|argument| match argument {
            Formal::Value(kind) => kind.to_string(),
            Formal::Lambda => "lambda".to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ");
    match error {
        Unbound::Ambiguous => {
            refusal("AMBIGUOUS_FUNCTION_CALL", span, format!("{name}({kinds}) could mean several functions: add a cast"))
        }
        Unbound::NoType => refusal("TYPE_NOT_FOUND", span, format!("the result of {name}({kinds}) has no type")),
        Unbound::NotFound | Unbound::Lambda(_) => {
            refusal("FUNCTION_NOT_FOUND", span, format!("there is no function {name}({kinds})"))
        }
    }
}
