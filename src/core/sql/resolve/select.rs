//! SELECT.

use std::collections::HashSet;
use std::rc::Rc;

use super::check::{aggregates, function_named, has_window, is_window_function};
use super::flow::{Flow, Sources};
use super::group::Groups;
use super::name::canonical;
use super::pushed::{Reach, Terms};
use super::query::Tail;
use super::relation::Relation;
use super::scope::{Field, Scope};
use super::value::{Cx, FieldId};
use super::walk::{find, find_all, window_children};
use super::window::{Windows, window_of};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::functions::FunctionKind;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Call, Expr, ExprKind, Over, Select, SelectItem};
use crate::core::sql::types::Type;

/// One output column of a SELECT.
#[derive(Debug, Clone)]
pub(super) struct Item<'t> {
    pub(super) name: Option<Rc<str>>,
    /// Compares like the alias or the name it stands under, for ORDER BY of SELECT DISTINCT.
    pub(super) label: Option<String>,
    pub(super) kind: Type,
    pub(super) flow: Flow,
    pub(super) terms: Terms,
    pub(super) key: u64,
    /// What computes it; for a star of a row, the row.
    pub(super) expr: Option<&'t Expr>,
    /// The column that a star stands for.
    pub(super) field: Option<FieldId>,
    pub(super) span: Span,
}

/// Functions that cannot have a frame.
const NO_FRAME: [&str; 8] = ["lead", "lag", "ntile", "rank", "dense_rank", "percent_rank", "cume_dist", "row_number"];

/// Functions that may ignore NULL.
const VALUE_FUNCTIONS: [&str; 5] = ["lead", "lag", "first_value", "last_value", "nth_value"];

impl Resolver<'_> {
    pub(super) fn select<'t>(&mut self, select: &'t Select, tail: Option<Tail<'t>>, scope: &Rc<Scope>) -> Outcome<Relation> {
        let tail = tail.unwrap_or(Tail { order_by: &[], offset: None, limit: None });
        let start = Span::at(select.span.first);
        let mut pairs = Vec::new();
        let first_scan = self.scans.len();
        let source = self.from(&select.from, scope, &mut pairs)?;
        let scans = first_scan..self.scans.len();
        let outer_partitions = std::mem::take(&mut self.partitions);
        let plain = self.cx(&source.scope);
        let windows = Rc::new(self.windows(&select.windows, &plain)?);
        let cx = plain.clone().with_windows(&windows);
        self.partitions.clear();
        resolve_windows(select, &tail, &windows)?;

        if let Some(filter) = &select.filter {
            self.filter(filter, scans, &plain)?;
        }
        self.report_crosses(pairs);

        let items = self.items(select, &source, &cx)?;
        if select.distinct {
            let compared: Vec<Sources> = items.iter().map(|item| item.flow.sources()).collect();
            self.influence(Sources::union(&compared), Reason::Distinct, Span::at(select.span.first.saturating_add(1)));
        }
        let groups = self.group_by(select, &items, &source, &cx)?;
        if let Some(having) = &select.having {
            self.having(having, &cx)?;
        }

        // Output, then ORDER BY, which sees output and FROM.
        let one_row = select.from.is_empty();
        let output: Vec<Field> = items
            .iter()
            .map(|item| Field {
                terms: item.terms.clone(),
                ..Field::computed(item.name.clone(), item.kind.clone(), item.flow.clone())
            })
            .collect();
        let mut relation = self.relation_of(scope, output, one_row);
        relation.stream = source.stream.clone();
        let order_scope = Rc::new(Scope {
            parent: Some(Rc::clone(&source.scope)),
            boundary: false,
            relation: relation.scope.relation,
            fields: Rc::clone(&relation.fields),
            named: Vec::new(),
            lambda: false,
        });
        let order_cx = Cx { scope: order_scope, ..cx.clone() };
        let all_rows = self.depth > 0 && tail.limit.is_none() && tail.offset.is_none();
        let outer = std::mem::replace(&mut self.idle_order, all_rows);
        for item in tail.order_by {
            self.query_start = select.span.first;
            self.sort_key(item, relation.fields.len(), &relation.fields, &order_cx)?;
        }
        self.idle_order = outer;
        self.row_counts(tail.offset, tail.limit, tail.order_by.is_empty())?;

        let order_exprs: Vec<&Expr> = tail.order_by.iter().map(|item| &item.expr).collect();
        let aggregated = self.aggregations(select, &items, &groups, &order_exprs, &source, relation.scope.relation, start)?;
        self.check_windows(&items, &order_exprs, &cx, start)?;
        if select.distinct && !tail.order_by.is_empty() {
            self.check_distinct(&items, &order_exprs, start)?;
        }

        relation.one_row |= aggregated && select.group_by.is_none();
        self.keep_terms(&mut relation, &items, aggregated.then_some(&groups));
        if aggregated && select.group_by.is_none() {
            relation.fields = relation.fields.iter().map(single).collect();
        }
        if aggregated || select.distinct || !self.partitions.is_empty() || !tail.order_by.is_empty() {
            relation.stream.clear();
        }
        self.partitions = outer_partitions;
        if tail.limit.is_some() || tail.offset.is_some() {
            relation = self.limited(relation, tail.limit, tail.order_by.is_empty());
        }
        if self.depth == 0 && self.output_spans.is_empty() {
            self.output_spans = items.iter().map(|item| item.span).collect();
        }
        Ok(relation)
    }

    /// WHERE. A condition without columns holds for every scan of FROM: where it is false none of them is read.
    fn filter<'t>(&mut self, filter: &'t Expr, scans: std::ops::Range<usize>, cx: &Cx<'t>) -> Outcome<()> {
        self.no_aggregates(filter, "WHERE")?;
        let mut conjuncts = Vec::new();
        self.conjuncts(filter, cx, &mut conjuncts)?;
        if let [only] = conjuncts.as_slice()
            && !matches!(only.value.kind, Type::Boolean | Type::Unknown)
        {
            let message = format!("WHERE must be boolean, but is {}", only.value.kind);
            return Err(refusal("TYPE_MISMATCH", filter.span, message));
        }
        for conjunct in &conjuncts {
            self.connect(&conjunct.leaves);
            let sources = self.sources(&conjunct.value);
            self.influence(sources, Reason::Where, conjunct.span);
            self.push_down(&conjunct.value);
            if let Some(constant) = conjunct.value.terms.node().filter(|node| node.reach() == Reach::None) {
                let all = self.scans.iter_mut().skip(scans.start).take(scans.len());
                all.for_each(|scan| scan.conjuncts.push(Rc::clone(&constant)));
            }
            self.equate_both(&conjunct.value);
        }
        Ok(())
    }

    fn having<'t>(&mut self, having: &'t Expr, cx: &Cx<'t>) -> Outcome<()> {
        let windowed = |expr: &Expr| has_window(expr) || is_window_function(expr);
        if let Some(inner) = find(having, &windowed) {
            return Err(refusal("NESTED_WINDOW", inner.span, "HAVING cannot contain window functions"));
        }
        let value = self.value(having, cx)?;
        if !matches!(value.kind, Type::Boolean | Type::Unknown) {
            return Err(refusal("TYPE_MISMATCH", having.span, format!("HAVING must be boolean, but is {}", value.kind)));
        }
        let sources = self.sources(&value);
        self.influence(sources, Reason::Having, having.span);
        Ok(())
    }

    fn items<'t>(&mut self, select: &'t Select, source: &Relation, cx: &Cx<'t>) -> Outcome<Vec<Item<'t>>> {
        let mut items = Vec::with_capacity(select.items.len());
        let start = Span::at(select.span.first);
        for item in &select.items {
            let first = items.len();
            match item {
                SelectItem::All(span) => self.star(*span, select, source, &mut items)?,
                SelectItem::AllFrom { base, aliases, span } => {
                    self.star_of(base, aliases.as_deref(), *span, select, cx, source, &mut items)?;
                }
                SelectItem::Expr { expr, alias, .. } => {
                    let value = self.value(expr, cx)?;
                    let flow = self.settle(&value);
                    let own = match &expr.kind {
                        ExprKind::Name(parts) => parts.last(),
                        _ => None,
                    };
                    let named = alias.as_ref().or(own);
                    items.push(Item {
                        name: named.map(|name| name.text.as_ref().into()),
                        label: named.map(canonical),
                        kind: value.kind,
                        flow,
                        terms: value.terms,
                        key: value.key,
                        expr: Some(expr),
                        field: None,
                        span: expr.span,
                    });
                }
            }
            if select.distinct
                && let Some(item) = items.iter().skip(first).find(|item| !item.kind.is_comparable())
            {
                return Err(refusal("TYPE_MISMATCH", start, format!("DISTINCT cannot be applied to {}", item.kind)));
            }
        }
        Ok(items)
    }

    /// What window functions may and must have.
    fn check_windows<'t>(&mut self, items: &[Item<'t>], order: &[&'t Expr], cx: &Cx<'t>, start: Span) -> Outcome<()> {
        let outputs: Vec<&Expr> = items.iter().filter_map(|item| item.expr).collect();
        for exprs in [outputs.as_slice(), order] {
            for expr in exprs {
                let bare = |inner: &Expr| {
                    matches!(&inner.kind, ExprKind::Call(call) if call.over.is_none()
                        && function_named(&call.name).is_some_and(|function| function.kind == FunctionKind::Window))
                };
                if let Some(inner) = find(expr, &bare) {
                    return Err(refusal("MISSING_OVER", inner.span, "a window function needs OVER"));
                }
            }
            let mut calls = Vec::new();
            exprs.iter().for_each(|expr| find_all(expr, &has_window, &mut calls));
            for inner in calls {
                if let ExprKind::Call(call) = &inner.kind
                    && let Some(over) = &call.over
                {
                    self.check_window(call, over, inner.span, cx, start)?;
                }
            }
        }
        Ok(())
    }

    fn check_window<'t>(&mut self, call: &'t Call, over: &'t Over, span: Span, cx: &Cx<'t>, start: Span) -> Outcome<()> {
        if call.filter.is_some() {
            return Err(refusal("NOT_SUPPORTED", start, "FILTER is not supported for window functions"));
        }
        let mut nested = None;
        if let crate::core::sql::tree::Arguments::List(arguments) = &call.arguments {
            for expr in arguments.iter().chain(call.order_by.iter().map(|item| &item.expr)) {
                nested = nested.or_else(|| find(expr, &has_window));
            }
        }
        if let Some(inner) = nested {
            return Err(refusal("NESTED_WINDOW", inner.span, "a window function cannot contain another"));
        }
        let window = window_of(over, cx.windows.as_deref())?;
        let name = call.name.text().to_lowercase();
        if matches!(name.as_str(), "lag" | "lead") && window.order.is_empty() {
            let at = match over {
                Over::Named(name) => name.span(),
                Over::Inline(specification) => specification.span,
            };
            return Err(refusal("MISSING_ORDER_BY", at, format!("{name} needs ORDER BY in its window")));
        }
        if NO_FRAME.contains(&name.as_str())
            && let Some(frame) = window.frame
        {
            return Err(refusal("INVALID_WINDOW_FRAME", frame.span, format!("{name} cannot have a frame")));
        }
        if !VALUE_FUNCTIONS.contains(&name.as_str()) && call.ignore_nulls.is_some() {
            return Err(refusal("NULL_TREATMENT_NOT_ALLOWED", span, format!("{name} cannot ignore or respect NULL")));
        }
        let kind = function_named(&call.name).map(|function| function.kind);
        match kind {
            Some(FunctionKind::Aggregate) => Ok(()),
            Some(FunctionKind::Window) if call.distinct => {
                Err(refusal("NOT_SUPPORTED", start, "only aggregates can have DISTINCT over a window"))
            }
            Some(FunctionKind::Window) if !call.order_by.is_empty() => {
                Err(refusal("NOT_SUPPORTED", span, "only aggregates can have ORDER BY over a window"))
            }
            Some(FunctionKind::Window) => Ok(()),
            _ => Err(refusal("FUNCTION_NOT_WINDOW", start, format!("{name} is no window function"))),
        }
    }

    /// With DISTINCT, ORDER BY may only name what is selected.
    fn check_distinct(&mut self, items: &[Item<'_>], order: &[&Expr], start: Span) -> Outcome<()> {
        let labels: HashSet<&str> = items.iter().filter_map(|item| item.label.as_deref()).collect();
        let keys: HashSet<u64> = items.iter().map(|item| item.key).collect();
        for expr in order {
            let selected = match &expr.kind {
                ExprKind::Literal(crate::core::sql::tree::Literal::Integer(_)) => true,
                ExprKind::Name(parts) => match parts.as_slice() {
                    [only] => labels.contains(canonical(only).as_str()) || self.has_key(expr, &keys),
                    _ => self.has_key(expr, &keys),
                },
                _ => self.has_key(expr, &keys),
            };
            if !selected {
                let message = "with SELECT DISTINCT, ORDER BY can only name what is selected";
                return Err(refusal("EXPRESSION_NOT_IN_DISTINCT", start, message));
            }
        }
        for expr in order {
            let random = |inner: &Expr| matches!(&inner.kind, ExprKind::Call(call) if function_named(&call.name).is_some_and(|function| !function.deterministic));
            if find(expr, &random).is_some() {
                let message = "with SELECT DISTINCT, ORDER BY must be deterministic";
                return Err(refusal("EXPRESSION_NOT_IN_DISTINCT", expr.span, message));
            }
        }
        Ok(())
    }

    fn has_key(&self, expr: &Expr, keys: &HashSet<u64>) -> bool {
        self.facts.get(&Self::address(expr)).is_some_and(|fact| keys.contains(&fact.key))
    }

    /// Predicates on the output go through to the input only where a whole group or window shares the value.
    fn keep_terms(&mut self, relation: &mut Relation, items: &[Item<'_>], groups: Option<&Groups<'_>>) {
        if groups.is_none() && self.partitions.is_empty() {
            return;
        }
        let kept = |item: &Item<'_>| {
            groups.is_none_or(|groups| groups.is_simple && groups.has(item))
                && self.partitions.iter().all(|keys| keys.contains(&item.key))
        };
        let fields: Rc<[Rc<Field>]> =
            relation
                .fields
                .iter()
                .zip(items)
                .map(|(field, item)| {
                    if kept(item) {
                        Rc::clone(field)
                    } else {
                        Rc::new(Field { terms: Terms::default(), ..field.as_ref().clone() })
                    }
                })
                .collect();
        relation.fields = fields;
    }
}

/// A column of a relation of one row: a value that is known once the row is.
fn single(field: &Rc<Field>) -> Rc<Field> {
    if field.terms.is_known() {
        return Rc::clone(field);
    }
    Rc::new(Field { terms: Terms::looked_up(&field.kind), ..field.as_ref().clone() })
}

/// Every named window that the select list and ORDER BY refer to must exist, before anything in them is looked at.
fn resolve_windows<'t>(select: &'t Select, tail: &Tail<'t>, windows: &Windows<'t>) -> Outcome<()> {
    let mut exprs: Vec<&Expr> = Vec::new();
    for item in &select.items {
        match item {
            SelectItem::Expr { expr, .. } | SelectItem::AllFrom { base: expr, .. } => exprs.push(expr),
            SelectItem::All(_) => {}
        }
    }
    exprs.extend(tail.order_by.iter().map(|item| &item.expr));
    let mut calls = Vec::new();
    exprs.iter().for_each(|expr| find_all(expr, &has_window, &mut calls));
    for call in calls {
        let over = match &call.kind {
            ExprKind::Call(call) => call.over.as_ref(),
            ExprKind::Measure { over, .. } => Some(over.as_ref()),
            _ => None,
        };
        if let Some(over) = over {
            window_of(over, Some(windows))?;
        }
    }
    Ok(())
}

/// The expressions that must be constant within a group besides the select list: those of WINDOW and HAVING.
pub(super) fn grouped_besides(select: &Select) -> Vec<&Expr> {
    let mut exprs: Vec<&Expr> = select.having.iter().collect();
    for definition in &select.windows {
        window_children(&definition.window, &mut |expr| exprs.push(expr));
    }
    exprs
}

/// Whether any of the expressions aggregates.
pub(super) fn any_aggregates<'t>(exprs: impl IntoIterator<Item = &'t Expr>) -> bool {
    exprs.into_iter().any(|expr| find(expr, &aggregates).is_some())
}
