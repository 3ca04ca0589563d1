//! The expressions inside an expression, without those of subqueries, in the server's order.

use crate::core::sql::tree::{
    AccessStep, Arguments, Expr, ExprKind, FrameBoundKind, JsonCall, JsonPath, JsonValueBehavior, Over, Test, WindowFrame,
    WindowSpecification,
};

/// Calls `with` for every expression directly inside `expr`.
pub(super) fn children<'t>(expr: &'t Expr, with: &mut dyn FnMut(&'t Expr)) {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Placeholder
        | ExprKind::Parameter(_)
        | ExprKind::Name(_)
        | ExprKind::Subquery(_)
        | ExprKind::Exists(_)
        | ExprKind::Unique(_)
        | ExprKind::Current { .. }
        | ExprKind::CaseOperand
        | ExprKind::Grouping(_) => {}
        ExprKind::Access { base, steps } => {
            with(base);
            for step in steps {
                match step {
                    AccessStep::Field(_) => {}
                    AccessStep::Index(index, _) => with(index),
                    AccessStep::Method(_, arguments) => arguments.iter().for_each(&mut *with),
                }
            }
        }
        ExprKind::Chain { first, rest } => {
            with(first);
            rest.iter().for_each(|link| with(&link.right));
        }
        ExprKind::Unary { operand, .. } => with(operand),
        ExprKind::NamedArgument { value, .. } => with(value),
        ExprKind::Not(inner) => with(inner),
        ExprKind::Logical { terms, .. } => terms.iter().for_each(&mut *with),
        ExprKind::Comparison { left, right, .. } => {
            with(left);
            with(right);
        }
        ExprKind::Quantified { value, .. } => with(value),
        ExprKind::Predicate { value, test, .. } => {
            with(value);
            match test.as_ref() {
                Test::Between { low, high, .. } => {
                    with(low);
                    with(high);
                }
                Test::InList(list) => list.iter().for_each(&mut *with),
                Test::Like { pattern, escape } => {
                    with(pattern);
                    escape.iter().for_each(&mut *with);
                }
                Test::DistinctFrom(other) => with(other),
                Test::InQuery(_) | Test::Match(_) | Test::Null | Test::Truth(_) => {}
            }
        }
        ExprKind::AtTimeZone { value, .. } => with(value),
        ExprKind::Lambda { body, .. } => with(body),
        ExprKind::Call(call) => {
            if let Arguments::List(arguments) = &call.arguments {
                arguments.iter().for_each(&mut *with);
            }
            call.order_by.iter().for_each(|item| with(&item.expr));
            call.over.iter().for_each(|over| over_children(over, with));
            call.filter.iter().for_each(&mut *with);
        }
        ExprKind::ListAgg(call) => {
            with(&call.value);
            call.order_by.iter().for_each(|item| with(&item.expr));
            call.over.iter().for_each(|over| over_children(over, with));
            call.filter.iter().for_each(&mut *with);
        }
        ExprKind::Measure { over, .. } => over_children(over, with),
        ExprKind::Row(fields) => fields.iter().for_each(|field| with(&field.value)),
        ExprKind::Array(elements) => elements.iter().for_each(&mut *with),
        ExprKind::Case { operand, branches, otherwise } => {
            operand.iter().for_each(|operand| with(operand));
            for branch in branches {
                with(&branch.condition);
                with(&branch.result);
            }
            otherwise.iter().for_each(|otherwise| with(otherwise));
        }
        ExprKind::Cast { value, .. } => with(value),
        ExprKind::Trim { characters, source, .. } => {
            with(source);
            characters.iter().for_each(|characters| with(characters));
        }
        ExprKind::Substring { source, from, length } => {
            with(source);
            with(from);
            length.iter().for_each(|length| with(length));
        }
        ExprKind::Overlay { source, replacement, from, length } => {
            with(source);
            with(replacement);
            with(from);
            length.iter().for_each(|length| with(length));
        }
        ExprKind::Normalize { source, .. } | ExprKind::Extract { source, .. } => with(source),
        ExprKind::Position { needle, haystack } => {
            with(haystack);
            with(needle);
        }
        ExprKind::Json(call) => json_children(call, with),
        ExprKind::StaticCall(call) => call.arguments.iter().for_each(with),
    }
}

fn json_children<'t>(call: &'t JsonCall, with: &mut dyn FnMut(&'t Expr)) {
    match call {
        JsonCall::Exists { path, .. } | JsonCall::Query { path, .. } => path_children(path, with),
        JsonCall::Value { path, on_empty, on_error, .. } => {
            path_children(path, with);
            for behavior in [on_empty, on_error].into_iter().flatten() {
                if let JsonValueBehavior::Default(default) = behavior {
                    with(default);
                }
            }
        }
        JsonCall::Object { members, .. } => {
            for member in members {
                with(&member.key);
                with(&member.value.expr);
            }
        }
        JsonCall::Array { elements, .. } => elements.iter().for_each(|element| with(&element.expr)),
    }
}

/// The expressions of a JSON path invocation.
pub(super) fn path_children<'t>(path: &'t JsonPath, with: &mut dyn FnMut(&'t Expr)) {
    with(&path.input.expr);
    path.passing.iter().for_each(|argument| with(&argument.value.expr));
}

fn over_children<'t>(over: &'t Over, with: &mut dyn FnMut(&'t Expr)) {
    if let Over::Inline(window) = over {
        window_children(window, with);
    }
}

/// The expressions of a window.
pub(super) fn window_children<'t>(window: &'t WindowSpecification, with: &mut dyn FnMut(&'t Expr)) {
    window.partition_by.iter().for_each(&mut *with);
    window.order_by.iter().for_each(|item| with(&item.expr));
    window.frame.iter().for_each(|frame| frame_children(frame, with));
}

/// The expressions of a frame.
pub(super) fn frame_children<'t>(frame: &'t WindowFrame, with: &mut dyn FnMut(&'t Expr)) {
    for bound in std::iter::once(&frame.start).chain(&frame.end) {
        if let FrameBoundKind::Preceding(value) | FrameBoundKind::Following(value) = &bound.kind {
            with(value);
        }
    }
    frame.measures.iter().for_each(|measure| with(&measure.expr));
    frame.definitions.iter().for_each(|definition| with(&definition.condition));
}

/// The first expression inside `expr`, itself included, innermost first, that `wanted` accepts.
pub(super) fn find<'t>(expr: &'t Expr, wanted: &dyn Fn(&Expr) -> bool) -> Option<&'t Expr> {
    let mut found = None;
    children(expr, &mut |child| {
        if found.is_none() {
            found = find(child, wanted);
        }
    });
    found.or_else(|| wanted(expr).then_some(expr))
}

/// Every expression inside `expr`, itself included, innermost first, that `wanted` accepts.
pub(super) fn find_all<'t>(expr: &'t Expr, wanted: &dyn Fn(&Expr) -> bool, into: &mut Vec<&'t Expr>) {
    children(expr, &mut |child| find_all(child, wanted, into));
    if wanted(expr) {
        into.push(expr);
    }
}
