//! Operators, comparisons, predicates, and steps into arrays, maps and rows.

use super::expression::{must_be, newer};
use super::pushed::Terms;
use super::value::{Cx, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, placeless, refusal};
use crate::core::sql::coercion::common_type;
use crate::core::sql::functions::{self, Argument, Unbound};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{AccessStep, BinaryOperator, ComparisonOperator, Expr, ExprKind, Link, Literal, Test, TimeZone};
use crate::core::sql::types::Type;

/// An operator's name in terms and keys.
pub(super) fn symbol(op: BinaryOperator) -> &'static str {
    match op {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulus => "%",
        BinaryOperator::Concat => "||",
    }
}

fn comparison_symbol(op: ComparisonOperator) -> &'static str {
    match op {
        ComparisonOperator::Equal => "=",
        ComparisonOperator::NotEqual => "<>",
        ComparisonOperator::Less => "<",
        ComparisonOperator::LessOrEqual => "<=",
        ComparisonOperator::Greater => ">",
        ComparisonOperator::GreaterOrEqual => ">=",
    }
}

fn is_ordering(op: ComparisonOperator) -> bool {
    !matches!(op, ComparisonOperator::Equal | ComparisonOperator::NotEqual)
}

/// So many results of operators are remembered.
const OPERATORS: usize = 64;

/// The type of an operator's result; the server gives no place where several meanings fit equally.
pub(super) fn operator(name: &str, kinds: &[Type], span: Span) -> Outcome<Type> {
    functions::operator(name, kinds).map(|bound| bound.result).map_err(|error| match error {
        Unbound::Ambiguous => {
            placeless("AMBIGUOUS_FUNCTION_CALL", format!("'{name}' could mean several things here: add a cast"))
        }
        Unbound::NoType => placeless("TYPE_NOT_FOUND", format!("the result of '{name}' has no type")),
        Unbound::NotFound | Unbound::Lambda(()) => {
            let kinds = kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            refusal("TYPE_MISMATCH", span, format!("'{name}' cannot be applied to {kinds}"))
        }
    })
}

impl Resolver<'_> {
    /// The type of a binary operator's result. A statement asks the same few again and again.
    fn binary(&mut self, name: &'static str, left: Type, right: &Type, span: Span) -> Outcome<Type> {
        let known = self.operators.iter().find(|known| known.0 == name && known.1 == left && known.2 == *right);
        if let Some(known) = known {
            return Ok(known.3.clone());
        }
        let kinds = [left, right.clone()];
        let result = operator(name, &kinds, span)?;
        if self.operators.len() < OPERATORS {
            let [left, right] = kinds;
            self.operators.push((name, left, right, result.clone()));
        }
        Ok(result)
    }

    pub(super) fn chain<'t>(&mut self, first: &'t Expr, rest: &'t [Link], cx: &Cx<'t>) -> Outcome<Value> {
        let first = self.value(first, cx)?;
        let (mut kind, mut key, mut terms) = (first.kind.clone(), first.key, first.terms.clone());
        let mut all = vec![first];
        for link in rest {
            let right = self.value(&link.right, cx)?;
            let name = symbol(link.op);
            kind = if link.op == BinaryOperator::Concat {
                self.concat(&kind, &right.kind, link.at)?
            } else {
                self.binary(name, kind, &right.kind, link.at)?
            };
            key = key_of(name, [key, right.key]);
            terms = Terms::apply(name, &[&terms, &right.terms], &kind, true);
            all.push(right);
        }
        let all: Vec<&Value> = all.iter().collect();
        Ok(self.computed(kind, key, &all).with_terms(terms))
    }

    /// `a || b` is a call of `concat`.
    fn concat(&mut self, left: &Type, right: &Type, at: Span) -> Outcome<Type> {
        let arguments = [Argument::Value(left.clone()), Argument::Value(right.clone())];
        let bound = match functions::function("concat") {
            Some(concat) => concat.bind::<()>(&arguments, &mut |_, _| Err(())),
            None => Err(Unbound::NotFound),
        };
        bound.map(|bound| bound.result).map_err(|error| match error {
            Unbound::Ambiguous => refusal("AMBIGUOUS_FUNCTION_CALL", at, "'||' could mean several things here: add a cast"),
            Unbound::NoType => refusal("TYPE_NOT_FOUND", at, "the result of '||' has no type"),
            Unbound::NotFound | Unbound::Lambda(()) => {
                refusal("FUNCTION_NOT_FOUND", at, format!("'||' cannot be applied to {left} and {right}"))
            }
        })
    }

    pub(super) fn unary<'t>(&mut self, minus: bool, operand: &'t Expr, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let value = self.value(operand, cx)?;
        let kind = if minus {
            operator("-x", std::slice::from_ref(&value.kind), span)?
        } else if value.kind.is_integer() || matches!(value.kind, Type::Double | Type::Real) {
            value.kind.clone()
        } else {
            return Err(refusal("TYPE_MISMATCH", span, format!("'+' cannot be applied to {}", value.kind)));
        };
        let (key, terms) = if minus {
            (key_of("-x", [value.key]), Terms::apply("-x", &[&value.terms], &kind, true))
        } else {
            (key_of("+x", [value.key]), value.terms.clone())
        };
        Ok(self.computed(kind, key, &[&value]).with_terms(terms))
    }

    pub(super) fn logical<'t>(&mut self, or: bool, terms: &'t [Expr], cx: &Cx<'t>) -> Outcome<Value> {
        let name = if or { "or" } else { "and" };
        let mut values = Vec::with_capacity(terms.len());
        for term in terms {
            values.push(self.boolean(term, "a term of AND or OR", cx)?);
        }
        let key = key_of(name, values.iter().map(|value| value.key));
        let parts: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
        let pushed = Terms::apply(name, &parts, &Type::Boolean, true);
        let all: Vec<&Value> = values.iter().collect();
        Ok(self.computed(Type::Boolean, key, &all).with_terms(pushed))
    }

    pub(super) fn comparison<'t>(
        &mut self,
        op: ComparisonOperator,
        left: &'t Expr,
        right: &'t Expr,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let left = self.value(left, cx)?;
        let right = self.value(right, cx)?;
        let name = comparison_symbol(op);
        compared(&left.kind, &right.kind, is_ordering(op), name, span)?;
        let terms = Terms::apply(name, &[&left.terms, &right.terms], &Type::Boolean, true);
        let key = key_of(name, [left.key, right.key]);
        Ok(self.computed(Type::Boolean, key, &[&left, &right]).with_terms(terms))
    }

    pub(super) fn quantified<'t>(
        &mut self,
        op: ComparisonOperator,
        value: &'t Expr,
        query: &'t crate::core::sql::tree::Query,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let value = self.value(value, cx)?;
        let (common, inner) = self.predicate_subquery(&value, query, span, cx)?;
        if is_ordering(op) && !common.is_orderable() || !common.is_comparable() {
            return Err(refusal("TYPE_MISMATCH", span, format!("values of {common} cannot be compared")));
        }
        let key = key_of("quantified", [value.key, Self::address(query) as u64]);
        Ok(self.computed(Type::Boolean, key, &[&value, &inner]))
    }

    pub(super) fn predicate<'t>(
        &mut self,
        tested: &'t Expr,
        negated: bool,
        test: &'t Test,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let (name, all, terms) = match test {
            Test::Between { symmetric: true, .. } => return Err(newer(span, "BETWEEN SYMMETRIC")),
            Test::Between { low, high, .. } => {
                let values = [self.value(tested, cx)?, self.value(low, cx)?, self.value(high, cx)?];
                let [value, low, high] = &values;
                common_type(&value.kind, &low.kind)
                    .and_then(|common| common_type(&common, &high.kind))
                    .filter(Type::is_orderable)
                    .ok_or_else(|| {
                        let message = format!("{} cannot be BETWEEN {} and {}", value.kind, low.kind, high.kind);
                        refusal("TYPE_MISMATCH", span, message)
                    })?;
                let terms = Terms::apply("between", &[&value.terms, &low.terms, &high.terms], &Type::Boolean, true);
                ("between", values.into(), terms)
            }
            Test::InList(list) => {
                let values = match list.as_slice() {
                    [only @ Expr { kind: ExprKind::Parameter(_), .. }] => self.in_parameter(tested, only, cx)?,
                    _ => {
                        let exprs: Vec<&Expr> = std::iter::once(tested).chain(list).collect();
                        self.single_type(&exprs, "the value and the list of IN", cx)?.1
                    }
                };
                let parts: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
                let terms = Terms::apply("in", &parts, &Type::Boolean, true);
                ("in", values, terms)
            }
            Test::InQuery(query) => {
                if cx.pattern.is_some() {
                    self.in_query_of_pattern(tested, cx)?;
                }
                let value = self.value(tested, cx)?;
                let (_, inner) = self.predicate_subquery(&value, query, span, cx)?;
                ("in query", vec![value, inner], Terms::default())
            }
            Test::Like { pattern, escape } => {
                let mut values = vec![self.value(tested, cx)?];
                if let Some(value) = values.first().filter(|value| !value.kind.is_text()) {
                    must_be(&value.kind, &Type::VARCHAR, tested.span, "the left side of LIKE")?;
                }
                for (expr, what) in [(Some(pattern), "the pattern of LIKE"), (escape.as_ref(), "the escape of LIKE")] {
                    let Some(expr) = expr else { continue };
                    let value = self.value(expr, cx)?;
                    if !matches!(value.kind, Type::Varchar(_)) {
                        must_be(&value.kind, &Type::VARCHAR, expr.span, what)?;
                    }
                    values.push(value);
                }
                let parts: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
                let terms = Terms::apply("like", &parts, &Type::Boolean, true);
                ("like", values, terms)
            }
            Test::Null => {
                let value = self.value(tested, cx)?;
                let terms = Terms::apply("is null", &[&value.terms], &Type::Boolean, true);
                ("is null", vec![value], terms)
            }
            Test::DistinctFrom(other) => {
                let values = vec![self.value(tested, cx)?, self.value(other, cx)?];
                if let [left, right] = values.as_slice() {
                    compared(&left.kind, &right.kind, false, "IS DISTINCT FROM", span)?;
                }
                let parts: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
                let terms = Terms::apply("is distinct from", &parts, &Type::Boolean, true);
                ("is distinct from", values, terms)
            }
            Test::Truth(_) => return Err(newer(span, "IS TRUE")),
            Test::Match(_) => return Err(newer(span, "MATCH")),
        };
        let mut key = key_of(name, all.iter().map(|value| value.key));
        if let Test::InQuery(query) = test {
            key = mix(key, Self::address(query.as_ref()) as u64);
        }
        let (key, terms) =
            if negated { (key_of("not", [key]), Terms::apply("not", &[&terms], &Type::Boolean, true)) } else { (key, terms) };
        let all: Vec<&Value> = all.iter().collect();
        Ok(self.computed(Type::Boolean, key, &all).with_terms(terms))
    }

    /// `x IN :p`, where `p` is a list whose values are not known yet.
    fn in_parameter<'t>(&mut self, tested: &'t Expr, list: &'t Expr, cx: &Cx<'t>) -> Outcome<Vec<Value>> {
        let value = self.value(tested, cx)?;
        let mut list_value = self.value(list, cx)?;
        if let Type::Array(element) = &list_value.kind {
            list_value.kind = element.as_ref().clone();
        }
        if common_type(&value.kind, &list_value.kind).is_none() {
            let message = format!("{} cannot be IN a list of {}", value.kind, list_value.kind);
            return Err(refusal("TYPE_MISMATCH", list.span, message));
        }
        Ok(vec![value, list_value])
    }

    pub(super) fn access<'t>(&mut self, base: &'t Expr, steps: &'t [AccessStep], span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let start = Span::at(span.first);
        let mut value = self.value(base, cx)?;
        let mut at = base.span;
        for step in steps {
            value = match step {
                AccessStep::Field(name) => self.field_named(value, name, at, &|| name.text.to_string())?,
                AccessStep::Method(name, _) => return Err(newer(name.span(), "a method")),
                AccessStep::Index(index, _) => self.index(value, index, start, cx)?,
            };
            at = start;
        }
        Ok(value)
    }

    fn index<'t>(&mut self, base: Value, index: &'t Expr, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        if let Type::Row(fields) = &base.kind {
            let ExprKind::Literal(Literal::Integer(text)) = &index.kind else {
                return Err(refusal("EXPRESSION_NOT_CONSTANT", index.span, "the index into a row must be a constant"));
            };
            let count = fields.len();
            let place = self.value(index, cx)?;
            if place.kind != Type::Integer {
                return Err(refusal(
                    "TYPE_MISMATCH",
                    index.span,
                    format!("the index into a row must be integer, but is {}", place.kind),
                ));
            }
            let number = super::literal::integer(text).unwrap_or_default();
            let Some(position) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < count) else {
                return Err(refusal(
                    "INVALID_FUNCTION_ARGUMENT",
                    index.span,
                    format!("a row of {count} fields has no field {number}"),
                ));
            };
            let key = key_of("[]", [base.key, place.key]);
            let mut value = self.row_field(base, position);
            value.key = key;
            return Ok(value);
        }
        let place = self.value(index, cx)?;
        let kind = operator("[]", &[base.kind.clone(), place.kind.clone()], span)?;
        Ok(self.element(base, &place, kind))
    }

    /// The element of an array or map at an index: the collection itself is not read as a whole.
    pub(super) fn element(&mut self, base: Value, index: &Value, kind: Type) -> Value {
        let terms = Terms::apply("[]", &[&base.terms, &index.terms], &kind, true);
        let more = self.sources(index);
        let key = key_of("[]", [base.key, index.key]);
        Value { kind, flow: base.flow.element().and(&more), read: base.read, key, terms, column: None }
    }

    pub(super) fn at_time_zone<'t>(&mut self, value: &'t Expr, zones: &'t [TimeZone], cx: &Cx<'t>) -> Outcome<Value> {
        let at = value.span;
        let value = self.value(value, cx)?;
        let (mut kind, mut key) = (value.kind.clone(), value.key);
        let mut terms = value.terms.clone();
        for zone in zones {
            let zone_terms = match zone {
                TimeZone::Name(text) => {
                    key = mix(key_of("at time zone", [key]), text_key(&text.text));
                    Terms::constant(
                        crate::core::sql::analysis::Constant::Text(text.text.to_string()),
                        Type::varchar(text.text.chars().count() as u64),
                    )
                }
                TimeZone::Offset(interval, span) => {
                    let _ = super::literal::interval(interval, *span)?;
                    key = mix(key_of("at time zone", [key]), text_key(&interval.text));
                    Terms::default()
                }
                TimeZone::Local(span) => return Err(newer(*span, "AT LOCAL")),
            };
            kind = match kind {
                Type::Time(p) | Type::TimeTz(p) => Type::TimeTz(p),
                Type::Timestamp(p) | Type::TimestampTz(p) => Type::TimestampTz(p),
                _ => return Err(refusal("TYPE_MISMATCH", at, format!("AT TIME ZONE cannot be applied to {kind}"))),
            };
            terms = Terms::apply("at time zone", &[&terms, &zone_terms], &kind, true);
        }
        Ok(self.computed(kind, key, &[&value]).with_terms(terms))
    }
}

/// Refuses a comparison of types that cannot be compared.
pub(super) fn compared(left: &Type, right: &Type, ordering: bool, name: &str, span: Span) -> Outcome<()> {
    common_type(left, right)
        .filter(|common| if ordering { common.is_orderable() } else { common.is_comparable() })
        .map(|_| ())
        .ok_or_else(|| refusal("TYPE_MISMATCH", span, format!("'{name}' cannot be applied to {left} and {right}")))
}
