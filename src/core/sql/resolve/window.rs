//! Windows: named ones and those written in place.

use std::collections::{HashMap, HashSet};

use super::check::has_window;
use super::name::canonical;
use super::operator::operator;
use super::value::{Cx, Value, key_of};
use super::walk::{find, frame_children};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::coercion::coerces;
use crate::core::sql::functions;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    Expr, FrameBoundKind, FrameUnit, Ident, Over, SortItem, WindowDefinition, WindowFrame, WindowSpecification,
};
use crate::core::sql::types::Type;

/// A window with what it takes over from the one that it builds on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'t> {
    pub(super) partition: &'t [Expr],
    pub(super) order: &'t [SortItem],
    pub(super) frame: Option<&'t WindowFrame>,
    inherits_partition: bool,
    inherits_order: bool,
    inherits_frame: bool,
}

/// The windows of WINDOW by name.
pub(super) type Windows<'t> = HashMap<String, Window<'t>>;

/// The window that OVER means.
pub(super) fn window_of<'t>(over: &'t Over, windows: Option<&Windows<'t>>) -> Outcome<Window<'t>> {
    match over {
        Over::Named(name) => {
            let base = base(name, windows)?;
            Ok(Window {
                inherits_partition: !base.partition.is_empty(),
                inherits_order: !base.order.is_empty(),
                inherits_frame: base.frame.is_some(),
                ..base
            })
        }
        Over::Inline(specification) => specified(specification, windows),
    }
}

fn base<'t>(name: &Ident, windows: Option<&Windows<'t>>) -> Outcome<Window<'t>> {
    windows
        .and_then(|windows| windows.get(&canonical(name)))
        .copied()
        .ok_or_else(|| refusal("INVALID_WINDOW_REFERENCE", name.span(), format!("there is no window named {}", name.text)))
}

/// The window that a specification gives.
fn specified<'t>(specification: &'t WindowSpecification, windows: Option<&Windows<'t>>) -> Outcome<Window<'t>> {
    let own = Window {
        partition: &specification.partition_by,
        order: &specification.order_by,
        frame: specification.frame.as_deref(),
        inherits_partition: false,
        inherits_order: false,
        inherits_frame: false,
    };
    let Some(name) = &specification.base else { return Ok(own) };
    let base = base(name, windows)?;
    if let Some(first) = own.partition.first() {
        return Err(refusal("INVALID_PARTITION_BY", first.span, "a window that builds on another cannot say PARTITION BY"));
    }
    if let Some(first) = own.order.first()
        && !base.order.is_empty()
    {
        // The server points at ORDER, two words before the first key.
        let at = Span::at(first.span.first.saturating_sub(2));
        return Err(refusal("INVALID_ORDER_BY", at, "the window that this one builds on says ORDER BY already"));
    }
    if base.frame.is_some() {
        return Err(refusal("INVALID_WINDOW_REFERENCE", name.span(), "a window with a frame cannot be built on"));
    }
    let inherits_order = own.order.is_empty() && !base.order.is_empty();
    Ok(Window {
        partition: base.partition,
        order: if inherits_order { base.order } else { own.order },
        inherits_partition: !base.partition.is_empty(),
        inherits_order,
        ..own
    })
}

impl Resolver<'_> {
    /// WINDOW: every window is resolved once, even if nothing uses it.
    pub(super) fn windows<'t>(&mut self, definitions: &'t [WindowDefinition], cx: &Cx<'t>) -> Outcome<Windows<'t>> {
        let mut windows = Windows::new();
        for definition in definitions {
            let name = canonical(&definition.name);
            if windows.contains_key(&name) {
                let message = format!("WINDOW {} is given more than once", definition.name.text);
                return Err(refusal("DUPLICATE_WINDOW_NAME", definition.span, message));
            }
            let window = specified(&definition.window, Some(&windows))?;
            self.window(&window, definition.window.span, cx)?;
            windows.insert(name, window);
        }
        Ok(windows)
    }

    /// The window of a call; its partition keys are noted for pushing predicates down.
    pub(super) fn window_of_call<'t>(&mut self, over: &'t Over, cx: &Cx<'t>) -> Outcome<()> {
        let window = window_of(over, cx.windows.as_deref())?;
        let span = match over {
            Over::Named(name) => name.span(),
            Over::Inline(specification) => specification.span,
        };
        self.window(&window, span, cx)?;
        let keys: HashSet<u64> =
            window.partition.iter().filter_map(|expr| self.facts.get(&Self::address(expr)).map(|fact| fact.key)).collect();
        self.partitions.push(keys);
        Ok(())
    }

    /// Resolves what a window says itself.
    fn window<'t>(&mut self, window: &Window<'t>, span: Span, cx: &Cx<'t>) -> Outcome<()> {
        let mut nested: Option<&Expr> = None;
        let mut look = |expr: &'t Expr| {
            if nested.is_none() {
                nested = find(expr, &has_window);
            }
        };
        if !window.inherits_partition {
            window.partition.iter().for_each(&mut look);
        }
        if !window.inherits_order {
            window.order.iter().for_each(|item| look(&item.expr));
        }
        if let Some(frame) = window.frame.filter(|_| !window.inherits_frame) {
            frame_children(frame, &mut look);
        }
        if let Some(nested) = nested {
            return Err(refusal("NESTED_WINDOW", nested.span, "a window cannot contain a window function"));
        }
        if !window.inherits_partition {
            for expr in window.partition {
                let value = self.value(expr, cx)?;
                if !value.kind.is_comparable() {
                    return Err(refusal("TYPE_MISMATCH", expr.span, format!("PARTITION BY cannot be applied to {}", value.kind)));
                }
                let sources = self.sources(&value);
                self.influence(sources, Reason::Window, expr.span);
            }
        }
        let mut order_kind = None;
        for item in window.order {
            if window.inherits_order {
                order_kind = self.facts.get(&Self::address(&item.expr)).map(|fact| fact.kind.clone());
                continue;
            }
            let value = self.value(&item.expr, cx)?;
            if !value.kind.is_orderable() {
                return Err(refusal("TYPE_MISMATCH", item.span, format!("ORDER BY cannot be applied to {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::Window, item.expr.span);
            order_kind = Some(value.kind);
        }
        match window.frame.filter(|_| !window.inherits_frame) {
            Some(frame) => self.frame(frame, window, order_kind, span, cx),
            None => Ok(()),
        }
    }

    fn frame<'t>(
        &mut self,
        frame: &'t WindowFrame,
        window: &Window<'t>,
        order_kind: Option<Type>,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<()> {
        self.frame_pattern(frame, cx)?;
        let start = &frame.start.kind;
        let end = frame.end.as_ref().map_or(&FrameBoundKind::CurrentRow, |end| &end.kind);
        let invalid = |message: &str| Err(refusal("INVALID_WINDOW_FRAME", frame.span, message));
        match (start, end) {
            (FrameBoundKind::UnboundedFollowing, _) => return invalid("a frame cannot start at UNBOUNDED FOLLOWING"),
            (_, FrameBoundKind::UnboundedPreceding) => return invalid("a frame cannot end at UNBOUNDED PRECEDING"),
            (FrameBoundKind::CurrentRow, FrameBoundKind::Preceding(_)) => {
                return invalid("a frame from CURRENT ROW cannot end with PRECEDING");
            }
            (FrameBoundKind::Following(_), FrameBoundKind::Preceding(_)) => {
                return invalid("a frame from FOLLOWING cannot end with PRECEDING");
            }
            (FrameBoundKind::Following(_), FrameBoundKind::CurrentRow) => {
                return invalid("a frame from FOLLOWING cannot end at CURRENT ROW");
            }
            _ => {}
        }
        for bound in std::iter::once(&frame.start).chain(&frame.end) {
            let (value, preceding) = match &bound.kind {
                FrameBoundKind::Preceding(value) => (value, true),
                FrameBoundKind::Following(value) => (value, false),
                _ => continue,
            };
            if frame.unit == FrameUnit::Range {
                self.range_offset(value, preceding, window, order_kind.as_ref(), span, cx)?;
                continue;
            }
            if frame.unit == FrameUnit::Groups && window.order.is_empty() {
                return Err(refusal("MISSING_ORDER_BY", span, "a frame of GROUPS needs ORDER BY"));
            }
            let offset = self.value(value, cx)?;
            if !offset.kind.is_whole() {
                let message = format!("the offset of a frame must be a whole number, but is {}", offset.kind);
                return Err(refusal("TYPE_MISMATCH", value.span, message));
            }
            let sources = self.sources(&offset);
            self.influence(sources, Reason::Window, value.span);
        }
        Ok(())
    }

    fn range_offset<'t>(
        &mut self,
        value: &'t Expr,
        preceding: bool,
        window: &Window<'t>,
        order_kind: Option<&Type>,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<()> {
        let Some(first) = window.order.first() else {
            return Err(refusal("MISSING_ORDER_BY", span, "a frame of RANGE needs ORDER BY"));
        };
        if window.order.len() != 1 {
            let at = Span::at(first.span.first.saturating_sub(2));
            return Err(refusal("INVALID_ORDER_BY", at, "a frame of RANGE needs one sort key"));
        }
        let key_kind = order_kind.cloned().unwrap_or_default();
        let mismatch =
            |at: Span, offset: &Type| refusal("TYPE_MISMATCH", at, format!("a frame of RANGE cannot add {offset} to {key_kind}"));
        if !key_kind.is_numeric() && !key_kind.is_datetime() {
            return Err(mismatch(first.expr.span, &Type::Unknown));
        }
        let offset = self.value(value, cx)?;
        let fits = if key_kind.is_numeric() {
            offset.kind.is_numeric()
        } else {
            matches!(offset.kind, Type::IntervalDay | Type::IntervalYear)
        };
        if !fits {
            return Err(mismatch(value.span, &offset.kind));
        }
        let symbol = if preceding != first.descending { "-" } else { "+" };
        let Ok(bound) = functions::operator(symbol, &[key_kind.clone(), offset.kind.clone()]) else {
            return Err(mismatch(value.span, &offset.kind));
        };
        let wanted = bound.arguments.first().cloned().unwrap_or_default();
        if !coerces(&key_kind, &wanted) || !coerces(&key_kind, &bound.result) {
            return Err(mismatch(first.expr.span, &offset.kind));
        }
        // The operator is resolved again with the place of the offset, as the server does.
        operator(symbol, &[key_kind.clone(), offset.kind.clone()], value.span)?;
        let sources = self.sources(&offset);
        self.influence(sources, Reason::Window, value.span);
        Ok(())
    }

    /// `m OVER w`: a measure of the row pattern of a window.
    pub(super) fn measure<'t>(&mut self, name: &'t Ident, over: &'t Over, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let window = window_of(over, cx.windows.as_deref())?;
        let missing = || refusal("INVALID_WINDOW_MEASURE", span, format!("the window has no measure {}", name.text));
        let frame = window.frame.ok_or_else(missing)?;
        let wanted = canonical(name);
        let mut matching = frame.measures.iter().filter(|measure| canonical(&measure.name) == wanted);
        let measure = matching.next().ok_or_else(missing)?;
        if matching.next().is_some() {
            return Err(refusal("AMBIGUOUS_NAME", span, format!("the measure {} is given more than once", name.text)));
        }
        self.window_of_call(over, cx)?;
        let labels = super::pattern::labels(&frame.subsets, frame.pattern.as_ref(), true);
        let inner = Cx { pattern: Some(labels), ..cx.clone() };
        let value = self.value(&measure.expr, &inner)?;
        let key = key_of("measure", [value.key, Self::address(over) as u64]);
        Ok(self.computed(value.kind.clone(), key, &[&value]))
    }
}
