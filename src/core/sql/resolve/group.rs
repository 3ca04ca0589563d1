//! GROUP BY, and whether everything else is constant within a group (`AggregationAnalyzer` in Trino's sources).

use std::collections::HashSet;

use super::check::{aggregates, has_window, is_aggregate_name};
use super::literal::integer;
use super::name::canonical;
use super::relation::Relation;
use super::select::{Item, any_aggregates, grouped_besides};
use super::value::{Cx, FieldId, key_of, text_key};
use super::walk::{children, find, find_all};
use super::{Outcome, Resolver, placeless, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    Arguments, Call, Expr, ExprKind, FrameBoundKind, GroupingElement, Literal, Over, Query, Select, SelectItem, Test,
    WindowSpecification,
};

/// The most grouping sets that Trino takes (`max_grouping_sets`).
const GROUPING_SETS: usize = 2048;

/// What rows are grouped by.
#[derive(Debug, Default)]
pub(super) struct Groups<'t> {
    keys: HashSet<u64>,
    fields: HashSet<FieldId>,
    exprs: Vec<&'t Expr>,
    /// Whether there is one grouping set, so that every group shares all the values.
    pub(super) is_simple: bool,
}

impl Groups<'_> {
    pub(super) fn has(&self, item: &Item<'_>) -> bool {
        self.keys.contains(&item.key) || item.field.is_some_and(|field| self.fields.contains(&field))
    }
}

/// What a check of grouping works with.
struct Check<'a, 't> {
    groups: &'a Groups<'t>,
    /// The relation of FROM.
    source: u32,
    /// In ORDER BY: the relation of the output.
    output: Option<u32>,
}

impl Resolver<'_> {
    pub(super) fn group_by<'t>(
        &mut self,
        select: &'t Select,
        items: &[Item<'t>],
        source: &Relation,
        cx: &Cx<'t>,
    ) -> Outcome<Groups<'t>> {
        let mut groups = Groups { is_simple: true, ..Groups::default() };
        let Some(clause) = &select.group_by else { return Ok(groups) };
        let cx = Cx { windows: None, ..cx.clone() };
        self.count_sets(&clause.elements, clause.span)?;
        let start = Span::at(select.span.first);
        for element in &clause.elements {
            match element {
                GroupingElement::Set(exprs, _) => {
                    for expr in exprs {
                        self.group_key(expr, items, &mut groups, &cx, start)?;
                    }
                }
                GroupingElement::Rollup(sets, _) | GroupingElement::Cube(sets, _) | GroupingElement::Sets(sets, _) => {
                    groups.is_simple = false;
                    for expr in sets.iter().flatten() {
                        let value = self.value(expr, &cx)?;
                        let whole = matches!(&expr.kind, ExprKind::Name(parts)
                            if self.facts.get(&Self::address(expr)).and_then(|fact| fact.column).is_some_and(|(_, count)| count == parts.len()));
                        let Some(field) = value.column.filter(|_| whole) else {
                            let message = "grouping sets can only name columns";
                            return Err(refusal("INVALID_COLUMN_REFERENCE", expr.span, message));
                        };
                        if !value.kind.is_comparable() {
                            return Err(refusal("TYPE_MISMATCH", start, format!("GROUP BY cannot be applied to {}", value.kind)));
                        }
                        let sources = self.sources(&value);
                        self.influence(sources, Reason::GroupBy, expr.span);
                        groups.fields.insert(field);
                        groups.keys.insert(value.key);
                    }
                }
                GroupingElement::Auto(span) => return Err(super::expression::newer(*span, "GROUP BY AUTO")),
            }
        }
        let _ = source;
        Ok(groups)
    }

    fn count_sets(&mut self, elements: &[GroupingElement], span: Span) -> Outcome<()> {
        let mut product = 1usize;
        for element in elements {
            let own = match element {
                GroupingElement::Set(..) | GroupingElement::Auto(_) => 1,
                GroupingElement::Cube(sets, _) => {
                    1usize.checked_shl(u32::try_from(sets.len()).unwrap_or(u32::MAX)).unwrap_or(usize::MAX)
                }
                GroupingElement::Rollup(sets, _) => sets.len() + 1,
                GroupingElement::Sets(sets, _) => sets.len(),
            };
            product = product.saturating_mul(own);
        }
        if product > GROUPING_SETS {
            let message = format!("GROUP BY has more than {GROUPING_SETS} grouping sets");
            return Err(refusal("TOO_MANY_GROUPING_SETS", span, message));
        }
        Ok(())
    }

    fn group_key<'t>(
        &mut self,
        expr: &'t Expr,
        items: &[Item<'t>],
        groups: &mut Groups<'t>,
        cx: &Cx<'t>,
        start: Span,
    ) -> Outcome<()> {
        if let ExprKind::Literal(Literal::Integer(text)) = &expr.kind {
            let item = integer(text)
                .and_then(|number| usize::try_from(number).ok())
                .and_then(|number| number.checked_sub(1))
                .and_then(|index| items.get(index))
                .ok_or_else(|| {
                    refusal("INVALID_COLUMN_REFERENCE", expr.span, format!("GROUP BY position {text} is not in select list"))
                })?;
            if let Some(inner) = item.expr {
                self.no_aggregates(inner, "GROUP BY")?;
                groups.exprs.push(inner);
                if let Some((field, _)) = self.whole_column(inner) {
                    groups.fields.insert(field);
                }
            }
            groups.fields.extend(item.field);
            groups.keys.insert(item.key);
            if !item.kind.is_comparable() {
                return Err(refusal("TYPE_MISMATCH", start, format!("GROUP BY cannot be applied to {}", item.kind)));
            }
            let sources = item.flow.sources();
            self.influence(sources, Reason::GroupBy, expr.span);
            return Ok(());
        }
        self.no_aggregates(expr, "GROUP BY")?;
        let value = self.value(expr, cx)?;
        if !value.kind.is_comparable() {
            return Err(refusal("TYPE_MISMATCH", start, format!("GROUP BY cannot be applied to {}", value.kind)));
        }
        let sources = self.sources(&value);
        self.influence(sources, Reason::GroupBy, expr.span);
        groups.keys.insert(value.key);
        if let Some((field, _)) = self.whole_column(expr) {
            groups.fields.insert(field);
        }
        groups.exprs.push(expr);
        Ok(())
    }

    /// The column that an expression is, if it is nothing more.
    fn whole_column(&self, expr: &Expr) -> Option<(FieldId, usize)> {
        let ExprKind::Name(parts) = &expr.kind else { return None };
        self.facts.get(&Self::address(expr)).and_then(|fact| fact.column).filter(|(_, count)| *count == parts.len())
    }

    /// Checks that what a grouped SELECT says is constant within each group; tells whether it is grouped.
    #[allow(clippy::too_many_arguments, reason = "all parts of one SELECT")]
    pub(super) fn aggregations<'t>(
        &mut self,
        select: &'t Select,
        items: &[Item<'t>],
        groups: &Groups<'t>,
        order: &[&'t Expr],
        source: &Relation,
        output: u32,
        start: Span,
    ) -> Outcome<bool> {
        let listed: Vec<&Expr> = select
            .items
            .iter()
            .filter_map(|item| match item {
                SelectItem::Expr { expr, .. } | SelectItem::AllFrom { base: expr, .. } => Some(expr),
                SelectItem::All(_) => None,
            })
            .collect();
        let besides = grouped_besides(select);
        let groups_by = |expr: &Expr| matches!(expr.kind, ExprKind::Grouping(_));
        if select.group_by.is_none() && listed.iter().chain(&besides).chain(order).any(|expr| find(expr, &groups_by).is_some()) {
            return Err(refusal("MISSING_GROUP_BY", start, "GROUPING needs GROUP BY"));
        }
        let grouped = select.group_by.is_some()
            || select.having.is_some()
            || any_aggregates(listed.iter().copied())
            || any_aggregates(order.iter().copied());
        if !grouped {
            return Ok(false);
        }
        let check = Check { groups, source: source.scope.relation, output: None };
        let mut row: Option<&Expr> = None;
        for item in items {
            match (item.expr, item.field) {
                (None, Some(field)) if !groups.fields.contains(&field) => {
                    let name = item.name.as_deref().unwrap_or("?");
                    return Err(placeless("EXPRESSION_NOT_AGGREGATE", format!("column '{name}' is not in GROUP BY")));
                }
                // All columns of `row.*` have the row as their expression.
                (Some(expr), _) if row.is_none_or(|known| !std::ptr::eq(known, expr)) => {
                    self.constant(expr, &check)?;
                    row = Some(expr);
                }
                _ => {}
            }
        }
        for expr in besides {
            self.constant(expr, &check)?;
        }
        let check = Check { output: Some(output), ..check };
        for expr in order {
            if !matches!(expr.kind, ExprKind::Literal(Literal::Integer(_))) {
                self.constant(expr, &check)?;
            }
        }
        Ok(true)
    }

    fn constant(&mut self, expr: &Expr, check: &Check<'_, '_>) -> Outcome<()> {
        if self.is_constant(expr, check)? {
            Ok(())
        } else {
            let message = "this must be an aggregate or appear in GROUP BY";
            Err(refusal("EXPRESSION_NOT_AGGREGATE", expr.span, message))
        }
    }

    /// Whether anything inside refers to a relation.
    fn refers_to(&self, expr: &Expr, relation: u32) -> bool {
        self.facts.get(&Self::address(expr)).is_some_and(|fact| {
            let (from, to) = fact.references;
            self.references
                .get(from as usize..to as usize)
                .is_some_and(|references| references.iter().any(|reference| reference.field.0 == relation))
        })
    }

    fn is_constant(&mut self, expr: &Expr, check: &Check<'_, '_>) -> Outcome<bool> {
        self.spend(1)?;
        let grouped = self.facts.get(&Self::address(expr)).is_some_and(|fact| check.groups.keys.contains(&fact.key));
        if grouped && check.output.is_none_or(|output| !self.refers_to(expr, output)) {
            return Ok(true);
        }
        if let ExprKind::Predicate { value, test, .. } = &expr.kind
            && let Test::InQuery(query) = test.as_ref()
        {
            return Ok(self.is_constant(value, check)? && self.subquery_is_constant(expr, query, check)?);
        }
        match &expr.kind {
            ExprKind::Name(parts) => {
                let Some(fact) = self.facts.get(&Self::address(expr)) else { return Ok(false) };
                let Some((field, count)) = fact.column else { return Ok(false) };
                if fact.lambda || field.0 != check.source || check.groups.fields.contains(&field) {
                    return Ok(true);
                }
                // A field of a row that is grouped by, or of a field of one.
                let mut key = key_of("column", [u64::from(field.0), u64::from(field.1)]);
                for part in parts.iter().skip(count) {
                    if check.groups.keys.contains(&key) {
                        return Ok(true);
                    }
                    key = key_of(".", [key, text_key(&canonical(part))]);
                }
                Ok(false)
            }
            ExprKind::Subquery(query) | ExprKind::Exists(query) => self.subquery_is_constant(expr, query, check),
            ExprKind::Quantified { value, query, .. } => {
                Ok(self.is_constant(value, check)? && self.subquery_is_constant(expr, query, check)?)
            }
            ExprKind::Call(call) => self.call_is_constant(expr, call, check),
            ExprKind::ListAgg(call) => {
                self.no_nesting(expr, std::iter::once(&call.value))?;
                if check.output.is_some() {
                    let inner =
                        std::iter::once(&call.value).chain(call.order_by.iter().map(|item| &item.expr)).chain(&call.filter);
                    self.no_output(inner, check)?;
                }
                Ok(true)
            }
            ExprKind::Measure { over, .. } => {
                if let Over::Inline(window) = over.as_ref() {
                    self.window_is_constant(window, check)?;
                }
                Ok(true)
            }
            ExprKind::Grouping(columns) => {
                for column in columns {
                    let field = self.facts.get(&Self::address(column)).and_then(|fact| fact.column);
                    let whole = field.filter(|(_, count)| *count == column.parts.len()).map(|(field, _)| field);
                    if !whole.is_some_and(|field| check.groups.fields.contains(&field)) {
                        let message = "the arguments of GROUPING must be columns of GROUP BY";
                        return Err(refusal("INVALID_ARGUMENTS", expr.span, message));
                    }
                }
                Ok(true)
            }
            ExprKind::Chain { first, rest } => {
                // Any beginning of the chain may be what is grouped by.
                let keys: Option<Vec<u64>> = std::iter::once(first.as_ref())
                    .chain(rest.iter().map(|link| &link.right))
                    .map(|part| self.facts.get(&Self::address(part)).map(|fact| fact.key))
                    .collect();
                let mut from = 0;
                if let Some((mut key, rights)) =
                    keys.as_deref().and_then(|keys| keys.split_first().map(|(first, rest)| (*first, rest)))
                {
                    for (index, (link, right)) in rest.iter().zip(rights).enumerate() {
                        key = key_of(super::operator::symbol(link.op), [key, *right]);
                        if check.groups.keys.contains(&key) {
                            from = index + 1;
                        }
                    }
                }
                if from == 0 && !self.is_constant(first, check)? {
                    return Ok(false);
                }
                for link in rest.iter().skip(from) {
                    if !self.is_constant(&link.right, check)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => {
                let mut inner = Vec::new();
                children(expr, &mut |child| inner.push(child));
                for child in inner {
                    if !self.is_constant(child, check)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// A subquery may name columns of FROM only if they are grouped by.
    fn subquery_is_constant(&mut self, expr: &Expr, query: &Query, check: &Check<'_, '_>) -> Outcome<bool> {
        if check.groups.exprs.contains(&expr) {
            return Ok(true);
        }
        let Some(fact) = self.facts.get(&Self::address(query)) else { return Ok(true) };
        let (from, to) = fact.references;
        let free = self.references.get(from as usize..to as usize).and_then(|references| {
            references.iter().find(|reference| {
                reference.field.0 == check.source && !reference.lambda && !check.groups.fields.contains(&reference.field)
            })
        });
        match free {
            Some(reference) => {
                let message = "a subquery can only use what appears in GROUP BY";
                Err(refusal("EXPRESSION_NOT_AGGREGATE", reference.span, message))
            }
            None => Ok(true),
        }
    }

    fn call_is_constant(&mut self, expr: &Expr, call: &Call, check: &Check<'_, '_>) -> Outcome<bool> {
        let arguments: &[Expr] = match &call.arguments {
            Arguments::List(arguments) => arguments,
            Arguments::Star { .. } => &[],
        };
        if is_aggregate_name(&call.name) {
            if call.over.is_none() {
                self.no_nesting(expr, arguments)?;
                if call.distinct {
                    self.distinct_order(call, arguments)?;
                }
                if check.output.is_some() {
                    let inner = call.order_by.iter().map(|item| &item.expr).chain(arguments).chain(&call.filter);
                    self.no_output(inner, check)?;
                }
                return Ok(true);
            }
        } else if call.filter.is_some() {
            return Err(refusal("FUNCTION_NOT_AGGREGATE", expr.span, "FILTER is only for aggregates"));
        } else if !call.order_by.is_empty() {
            return Err(refusal("FUNCTION_NOT_AGGREGATE", expr.span, "ORDER BY is only for aggregates"));
        }
        if let Some(Over::Inline(window)) = &call.over {
            self.window_is_constant(window, check)?;
        }
        for argument in arguments {
            if !self.is_constant(argument, check)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Inside an aggregate there is no other, and no window.
    fn no_nesting<'e>(&mut self, expr: &Expr, arguments: impl IntoIterator<Item = &'e Expr>) -> Outcome<()> {
        let (mut inner, mut windows) = (Vec::new(), Vec::new());
        for argument in arguments {
            find_all(argument, &aggregates, &mut inner);
            find_all(argument, &has_window, &mut windows);
        }
        if !inner.is_empty() {
            return Err(refusal("NESTED_AGGREGATION", expr.span, "an aggregate cannot contain another"));
        }
        if !windows.is_empty() {
            return Err(refusal("NESTED_WINDOW", expr.span, "an aggregate cannot contain a window function"));
        }
        Ok(())
    }

    /// With DISTINCT, an aggregate is ordered by its arguments.
    fn distinct_order(&mut self, call: &Call, arguments: &[Expr]) -> Outcome<()> {
        let fields: Vec<FieldId> =
            arguments.iter().filter_map(|argument| self.whole_column(argument)).map(|(field, _)| field).collect();
        for item in &call.order_by {
            let same =
                arguments.contains(&item.expr) || self.whole_column(&item.expr).is_some_and(|(field, _)| fields.contains(&field));
            if !same {
                let message = "with DISTINCT, an aggregate can only be ordered by its arguments";
                return Err(refusal("EXPRESSION_NOT_IN_DISTINCT", item.expr.span, message));
            }
        }
        Ok(())
    }

    /// An aggregate in ORDER BY is over the rows of FROM: it cannot name output columns.
    fn no_output<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>, check: &Check<'_, '_>) -> Outcome<()> {
        let Some(output) = check.output else { return Ok(()) };
        for expr in exprs {
            let Some(fact) = self.facts.get(&Self::address(expr)) else { continue };
            let (from, to) = fact.references;
            let found = self
                .references
                .get(from as usize..to as usize)
                .and_then(|references| references.iter().find(|reference| reference.field.0 == output));
            if let Some(reference) = found {
                let message = "an aggregate in ORDER BY cannot name output columns";
                return Err(refusal("COLUMN_NOT_FOUND", reference.span, message));
            }
        }
        Ok(())
    }

    fn window_is_constant(&mut self, window: &WindowSpecification, check: &Check<'_, '_>) -> Outcome<()> {
        let ordered = window.order_by.iter().map(|item| &item.expr);
        for expr in window.partition_by.iter().chain(ordered) {
            self.constant(expr, check)?;
        }
        if let Some(frame) = &window.frame {
            for bound in std::iter::once(&frame.start).chain(&frame.end) {
                if let FrameBoundKind::Preceding(value) | FrameBoundKind::Following(value) = &bound.kind {
                    self.constant(value, check)?;
                }
            }
            for (expr, span) in frame
                .measures
                .iter()
                .map(|measure| (&measure.expr, measure.span))
                .chain(frame.definitions.iter().map(|definition| (&definition.condition, definition.span)))
            {
                if !self.is_constant(expr, check)? {
                    let message = "this must be an aggregate or appear in GROUP BY";
                    return Err(refusal("EXPRESSION_NOT_AGGREGATE", span, message));
                }
            }
        }
        Ok(())
    }
}
