//! Expressions: one arm for each kind, the work in the files beside.

use std::rc::Rc;

use super::flow::{Flow, Shape, Sources};
use super::name::dotted;
use super::pushed::Terms;
use super::value::{Cx, Fact, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::coercion::{coerces, common_type};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Expr, ExprKind, RowField, WhenClause};
use crate::core::sql::types::Type;

impl Resolver<'_> {
    /// Resolves an expression.
    pub(super) fn value<'t>(&mut self, expr: &'t Expr, cx: &Cx<'t>) -> Outcome<Value> {
        self.spend(1)?;
        if let ExprKind::Name(parts) = &expr.kind {
            return self.name(expr, parts, cx);
        }
        let start = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        let value = self.value_of(expr, cx)?;
        let end = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        self.facts.insert(
            Self::address(expr),
            Fact { key: value.key, column: None, lambda: false, kind: value.kind.clone(), references: (start, end) },
        );
        Ok(value)
    }

    fn value_of<'t>(&mut self, expr: &'t Expr, cx: &Cx<'t>) -> Outcome<Value> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Name(parts) => self.name(expr, parts, cx),
            ExprKind::Literal(literal) => super::literal::value(literal, span),
            ExprKind::Placeholder => {
                Err(refusal("INVALID_PARAMETER_USAGE", span, "'?' has no value here; use a typed parameter"))
            }
            ExprKind::Parameter(name) => self.parameter(name),
            ExprKind::Access { base, steps } => self.access(base, steps, span, cx),
            ExprKind::Chain { first, rest } => self.chain(first, rest, cx),
            ExprKind::Unary { minus, operand } => self.unary(*minus, operand, span, cx),
            ExprKind::Not(term) => {
                let value = self.boolean(term, "the operand of NOT", cx)?;
                let terms = Terms::apply("not", &[&value.terms], &Type::Boolean, true);
                let key = key_of("not", [value.key]);
                Ok(self.computed(Type::Boolean, key, &[&value]).with_terms(terms))
            }
            ExprKind::Logical { or, terms } => self.logical(*or, terms, cx),
            ExprKind::Comparison { op, left, right } => self.comparison(*op, left, right, span, cx),
            ExprKind::Quantified { op, value, query, .. } => self.quantified(*op, value, query, span, cx),
            ExprKind::Predicate { value, negated, test } => self.predicate(value, *negated, test, span, cx),
            ExprKind::AtTimeZone { value, zones } => self.at_time_zone(value, zones, cx),
            ExprKind::Lambda { body, .. } => {
                self.no_aggregates(body, "a lambda")?;
                Err(refusal("TYPE_MISMATCH", span, "a lambda can only be the argument of a function"))
            }
            ExprKind::Call(call) => self.call(expr, call, cx),
            ExprKind::ListAgg(call) => self.list_agg(call, span, cx),
            ExprKind::Measure { name, over } => self.measure(name, over, span, cx),
            ExprKind::Row(fields) => self.row(fields, cx),
            ExprKind::Array(elements) => self.array(elements, cx),
            ExprKind::Subquery(query) => self.scalar_subquery(query, span, cx),
            ExprKind::Exists(query) => self.exists(query, span, cx),
            ExprKind::Unique(_) => Err(newer(span, "UNIQUE")),
            ExprKind::Case { operand, branches, otherwise } => self.case(operand.as_deref(), branches, otherwise.as_deref(), cx),
            ExprKind::Cast { value, type_name, safe } => self.cast(value, type_name, *safe, span, cx),
            ExprKind::Current { what, precision } => self.current(*what, precision.as_deref(), span),
            ExprKind::Trim { side, characters, source } => self.trim(*side, characters.as_deref(), source, cx),
            ExprKind::Substring { source, from, length } => {
                let arguments: Vec<&Expr> =
                    [Some(source.as_ref()), Some(from.as_ref()), length.as_deref()].into_iter().flatten().collect();
                self.builtin("substr", &arguments, span, cx)
            }
            ExprKind::Overlay { .. } => Err(newer(span, "OVERLAY")),
            ExprKind::Normalize { source, form } => self.normalize(source, *form, span, cx),
            ExprKind::Extract { field, source } => self.extract(field, source, cx),
            ExprKind::Position { needle, haystack } => {
                // The server's tree has the arguments turned round.
                self.builtin("strpos", &[haystack, needle], span, cx)
            }
            ExprKind::Grouping(columns) => self.grouping(columns, span, cx),
            ExprKind::Json(call) => self.json(call, span, cx),
            ExprKind::StaticCall(_) => Err(newer(span, "a static method")),
            ExprKind::CaseOperand => Err(newer(span, "a comparison in WHEN")),
            ExprKind::NamedArgument { .. } => Err(newer(span, "a named argument")),
        }
    }

    /// An expression that must be a condition; errors stand at the expression.
    pub(super) fn boolean<'t>(&mut self, expr: &'t Expr, what: &str, cx: &Cx<'t>) -> Outcome<Value> {
        let value = self.value(expr, cx)?;
        must_be(&value.kind, &Type::Boolean, expr.span, what)?;
        Ok(value)
    }

    fn parameter(&mut self, name: &crate::core::sql::tree::Ident) -> Outcome<Value> {
        let kind =
            self.session.parameters.iter().find(|(known, _)| known.as_str() == name.text.as_ref()).map(|(_, kind)| kind.clone());
        let Some(kind) = kind else {
            return Err(refusal(
                "INVALID_PARAMETER_USAGE",
                name.span(),
                format!("the parameter ':{}' is not declared", name.text),
            ));
        };
        let key = key_of("parameter", [text_key(&name.text)]);
        let terms = Terms::parameter(name.text.to_string(), kind.clone());
        Ok(Value::new(kind, key).with_terms(terms))
    }

    /// The values and their common type; the server points at the first expression of the type that does not fit.
    pub(super) fn single_type<'t>(&mut self, exprs: &[&'t Expr], what: &str, cx: &Cx<'t>) -> Outcome<(Type, Vec<Value>)> {
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            values.push(self.value(expr, cx)?);
        }
        // Types in the order in which they first appear, each with its first expression.
        let mut kinds: Vec<(&Type, Span)> = Vec::new();
        for (value, expr) in values.iter().zip(exprs) {
            if !kinds.iter().any(|(kind, _)| **kind == value.kind) {
                kinds.push((&value.kind, expr.span));
                self.spend(u32::try_from(kinds.len()).unwrap_or(u32::MAX))?;
            }
        }
        let mut common = Type::Unknown;
        for (kind, span) in &kinds {
            common = common_type(&common, kind)
                .ok_or_else(|| refusal("TYPE_MISMATCH", *span, format!("{what} have no common type: {common} and {kind}")))?;
        }
        if let Some((kind, span)) = kinds.iter().find(|(kind, _)| !coerces(kind, &common)) {
            return Err(refusal("TYPE_MISMATCH", *span, format!("{what} have no common type: {common} and {kind}")));
        }
        Ok((common, values))
    }

    fn row<'t>(&mut self, fields: &'t [RowField], cx: &Cx<'t>) -> Outcome<Value> {
        let mut kinds = Vec::with_capacity(fields.len());
        let mut parts = Vec::with_capacity(fields.len());
        let mut terms = Vec::with_capacity(fields.len());
        let mut key = text_key("row");
        for field in fields {
            if let Some(name) = &field.name {
                return Err(newer(name.span(), "a field name in ROW"));
            }
            let value = self.value(&field.value, cx)?;
            parts.push(self.settle(&value));
            key = mix(key, value.key);
            kinds.push(value.kind);
            terms.push(value.terms);
        }
        let mut value = Value::new(Type::anonymous_row(kinds), key);
        value.terms = Terms::apply("row", &terms.iter().collect::<Vec<_>>(), &value.kind, true);
        value.flow = Flow { shape: Shape::Row(parts.into()), extra: Sources::default() };
        Ok(value)
    }

    fn array<'t>(&mut self, elements: &'t [Expr], cx: &Cx<'t>) -> Outcome<Value> {
        let elements: Vec<&Expr> = elements.iter().collect();
        let (kind, values) = self.single_type(&elements, "the elements of an array", cx)?;
        let key = key_of("array", values.iter().map(|value| value.key));
        let mut flow: Option<Flow> = None;
        for value in &values {
            let one = self.settle(value);
            flow = Some(flow.map_or_else(|| one.clone(), |flow| flow.either(&one)));
        }
        let terms: Vec<&Terms> = values.iter().map(|value| &value.terms).collect();
        let terms = Terms::apply("array", &terms, &Type::array(kind.clone()), true);
        let mut value = Value::new(Type::array(kind), key).with_terms(terms);
        value.flow = Flow { shape: Shape::Array(Rc::new(flow.unwrap_or_default())), extra: Sources::default() };
        Ok(value)
    }

    fn case<'t>(
        &mut self,
        operand: Option<&'t Expr>,
        branches: &'t [WhenClause],
        otherwise: Option<&'t Expr>,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let mut conditions = Vec::new();
        if let Some(operand) = operand {
            let value = self.value(operand, cx)?;
            let mut common = value.kind.clone();
            conditions.push(value);
            for branch in branches {
                let value = self.value(&branch.condition, cx)?;
                common = common_type(&common, &value.kind).ok_or_else(|| {
                    let message = format!("CASE compares {common} with {}", value.kind);
                    refusal("TYPE_MISMATCH", branch.condition.span, message)
                })?;
                conditions.push(value);
            }
        } else {
            for branch in branches {
                conditions.push(self.boolean(&branch.condition, "a condition of CASE", cx)?);
            }
        }
        let results: Vec<&Expr> = branches.iter().map(|branch| &branch.result).chain(otherwise).collect();
        let (kind, results) = self.single_type(&results, "the results of CASE", cx)?;
        let key = key_of("case", conditions.iter().chain(&results).map(|value| value.key));
        // A constant operand may meet a constant.
        self.folds |= match conditions.split_first() {
            Some((first, _)) if operand.is_some() => first.terms.is_constant(),
            _ => conditions.iter().any(|condition| condition.terms.is_constant()),
        };
        let terms = case_terms(operand.is_some(), branches.len(), &conditions, &results, &kind);
        let all: Vec<&Value> = conditions.iter().chain(&results).collect();
        Ok(self.computed(kind, key, &all).with_terms(terms))
    }
}

/// CASE as pairs of condition and result; `CASE x WHEN y` becomes `x = y`.
fn case_terms(has_operand: bool, branches: usize, conditions: &[Value], results: &[Value], kind: &Type) -> Terms {
    let mut parts: Vec<Terms> = Vec::new();
    let (operand, tests) = match conditions.split_first() {
        Some((operand, tests)) if has_operand => (Some(operand), tests),
        _ => (None, conditions),
    };
    for (test, result) in tests.iter().zip(results) {
        parts.push(match operand {
            Some(operand) => Terms::apply("=", &[&operand.terms, &test.terms], &Type::Boolean, true),
            None => test.terms.clone(),
        });
        parts.push(result.terms.clone());
    }
    if let Some(otherwise) = results.get(branches) {
        parts.push(otherwise.terms.clone());
    }
    let parts: Vec<&Terms> = parts.iter().collect();
    Terms::apply("case", &parts, kind, true)
}

/// Refuses a value that is not taken where `wanted` is asked for.
pub(super) fn must_be(kind: &Type, wanted: &Type, span: Span, what: &str) -> Outcome<()> {
    if kind == wanted || coerces(kind, wanted) {
        Ok(())
    } else {
        Err(refusal("TYPE_MISMATCH", span, format!("{what} must be {wanted}, but is {kind}")))
    }
}

/// A refusal of what Athena engine v3 lacks.
pub(super) fn newer(span: Span, what: &str) -> super::Stop {
    refusal("NOT_SUPPORTED", span, format!("{what} is not supported by Athena engine version 3"))
}

/// A name of several parts as an expression's message shows it.
pub(super) fn qualified(name: &crate::core::sql::tree::QualifiedName) -> String {
    dotted(&name.parts)
}
