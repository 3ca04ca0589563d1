//! Where aggregates, windows and grouping operations may stand.

use super::walk::find;
use super::{Outcome, Resolver, refusal};
use crate::core::sql::functions::{self, Function, FunctionKind};
use crate::core::sql::tree::{Call, Expr, ExprKind, QualifiedName};

/// The function that a name means: one part, or `system.builtin.f`.
pub(super) fn function_named(name: &QualifiedName) -> Option<&'static Function> {
    match name.parts.as_slice() {
        [only] => functions::function(&only.folded()),
        [catalog, schema, last] if catalog.is("system") && schema.is("builtin") => functions::function(&last.folded()),
        _ => None,
    }
}

pub(super) fn is_aggregate_name(name: &QualifiedName) -> bool {
    function_named(name).is_some_and(|function| function.kind == FunctionKind::Aggregate)
}

/// A call that aggregates, as far as its form tells: also any call with FILTER or ORDER BY.
pub(super) fn is_aggregate(call: &Call) -> bool {
    call.over.is_none() && (is_aggregate_name(&call.name) || call.filter.is_some() || !call.order_by.is_empty())
}

/// An expression that aggregates by itself.
pub(super) fn aggregates(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => is_aggregate(call),
        ExprKind::ListAgg(call) => call.over.is_none(),
        _ => false,
    }
}

/// An expression over a window.
pub(super) fn has_window(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => call.over.is_some(),
        ExprKind::ListAgg(call) => call.over.is_some(),
        ExprKind::Measure { .. } => true,
        _ => false,
    }
}

/// A call of a function that only windows have, with or without OVER.
pub(super) fn is_window_function(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call)
        if function_named(&call.name).is_some_and(|function| function.kind == FunctionKind::Window))
}

impl Resolver<'_> {
    /// Refuses aggregates, windows and grouping operations where only scalars may stand.
    pub(super) fn no_aggregates(&mut self, expr: &Expr, clause: &str) -> Outcome<()> {
        let wrong = |inner: &Expr| {
            aggregates(inner) || has_window(inner) || is_window_function(inner) || matches!(inner.kind, ExprKind::Grouping(_))
        };
        match find(expr, &wrong) {
            None => Ok(()),
            Some(_) => Err(refusal(
                "EXPRESSION_NOT_SCALAR",
                expr.span,
                format!("{clause} cannot contain aggregates, window functions or grouping operations"),
            )),
        }
    }
}
