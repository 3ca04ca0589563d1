//! Queries inside expressions.

use super::flow::{Flow, Shape, Sources};
use super::pushed::Terms;
use super::relation::Relation;
use super::scope::Field;
use super::value::{Cx, Fact, Value, key_of};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::coercion::common_type;
use crate::core::sql::token::Span;
use crate::core::sql::tree::Query;
use crate::core::sql::types::{RowField, Type};

impl Resolver<'_> {
    /// A query inside an expression; the references made in it are kept apart from those beside it.
    fn subquery<'t>(&mut self, query: &'t Query, cx: &Cx<'t>) -> Outcome<Relation> {
        let start = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        let relation = self.query_in(query, &cx.scope, cx.correlated)?;
        let end = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        let address = Self::address(query);
        let fact = Fact { key: address as u64, column: None, lambda: false, kind: Type::Unknown, references: (start, end) };
        self.facts.insert(address, fact);
        Ok(relation)
    }

    /// The visible columns of a query inside an expression, as a row.
    fn subquery_row<'t>(&mut self, query: &'t Query, span: Span, cx: &Cx<'t>) -> Outcome<(Type, Vec<Flow>)> {
        if cx.in_lambda {
            return Err(refusal("NOT_SUPPORTED", span, "a lambda cannot contain a subquery"));
        }
        // The row of the expression can be seen from inside, as that of an outer query.
        let relation = self.subquery(query, cx)?;
        let visible: Vec<&Field> = relation.fields.iter().map(AsRef::as_ref).filter(|field| !field.hidden).collect();
        let fields =
            visible.iter().map(|field| RowField { name: field.name.as_deref().map(Into::into), kind: field.kind.clone() });
        Ok((Type::Row(fields.collect()), visible.iter().map(|field| field.flow.clone()).collect()))
    }

    /// `(query)` as a value.
    pub(super) fn scalar_subquery<'t>(&mut self, query: &'t Query, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let (before, first) = (self.outward, self.scans.len());
        let (kind, mut flows) = self.subquery_row(query, span, cx)?;
        let alone = self.outward == before;
        self.scans.iter_mut().skip(first).for_each(|scan| scan.single |= alone);
        let key = key_of("subquery", [Self::address(query) as u64]);
        if let (Type::Row(fields), 1) = (&kind, flows.len())
            && let (Some(field), Some(flow)) = (fields.first(), flows.pop())
        {
            let mut value = Value::new(field.kind.clone(), key);
            value.flow = flow;
            if alone {
                value.terms = Terms::looked_up(&field.kind);
            }
            return Ok(value);
        }
        let mut value = Value::new(kind, key);
        value.flow = Flow { shape: Shape::Row(flows.into()), extra: Sources::default() };
        Ok(value)
    }

    /// `EXISTS (query)`: its rows count, not their columns.
    pub(super) fn exists<'t>(&mut self, query: &'t Query, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        if cx.in_lambda {
            return Err(refusal("NOT_SUPPORTED", span, "a lambda cannot contain a subquery"));
        }
        let before = std::mem::replace(&mut self.in_exists, true);
        let relation = self.subquery(query, cx);
        self.in_exists = before;
        let _ = relation?;
        Ok(Value::new(Type::Boolean, key_of("exists", [Self::address(query) as u64])))
    }

    /// The right side of IN and of quantified comparisons: the common type, and the value that stands for the query.
    pub(super) fn predicate_subquery<'t>(
        &mut self,
        value: &Value,
        query: &'t Query,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<(Type, Value)> {
        let left = match &value.kind {
            Type::Row(_) | Type::Unknown => value.kind.clone(),
            kind => Type::anonymous_row([kind.clone()]),
        };
        let (right, flows) = self.subquery_row(query, query.span, cx)?;
        let common = common_type(&left, &right).ok_or_else(|| {
            refusal(
                "TYPE_MISMATCH",
                span,
                format!("the value and the result of the subquery are of different types: {left} and {right}"),
            )
        })?;
        let mut inner = Value::new(right, key_of("subquery", [Self::address(query) as u64]));
        inner.flow = Flow { shape: Shape::Row(flows.into()), extra: Sources::default() };
        Ok((common, inner))
    }
}
