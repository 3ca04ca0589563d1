//! Queries: WITH, set operations, VALUES, ORDER BY and LIMIT around them.

use std::collections::HashSet;
use std::rc::Rc;

use super::flow::{Flow, Shape, Sources};
use super::literal::integer;
use super::pushed::Terms;
use super::relation::{Relation, all_sources};
use super::scope::{Field, Named, Scope};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::coercion::common_type;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    Expr, ExprKind, Ident, Limit, Literal, Query, QueryBody, RowCount, RowCountKind, SetOperation, SetOperator, SetStep,
    SortItem, With,
};
use crate::core::sql::types::Type;

impl Resolver<'_> {
    /// A query that sees nothing outside itself: the statement, or a view's text.
    pub(super) fn whole_query(&mut self, query: &Query) -> Outcome<Relation> {
        let nothing = Rc::new(Scope {
            parent: None,
            boundary: false,
            relation: self.next_relation(),
            fields: Rc::from([]),
            named: Vec::new(),
            lambda: false,
        });
        self.query(query, &nothing)
    }

    /// A query inside another, whose scope it sees from behind a boundary.
    pub(super) fn query_in(&mut self, query: &Query, outer: &Rc<Scope>, correlated: bool) -> Outcome<Relation> {
        let scope = Rc::new(Scope {
            parent: Some(Rc::clone(outer)),
            boundary: true,
            relation: self.next_relation(),
            fields: Rc::from([]),
            named: Vec::new(),
            lambda: false,
        });
        let before = std::mem::replace(&mut self.correlated, correlated);
        let partitions = std::mem::take(&mut self.partitions);
        self.depth += 1;
        let relation = self.query(query, &scope);
        self.depth -= 1;
        self.partitions = partitions;
        self.correlated = before;
        relation
    }

    /// A query whose names mean what `scope` says.
    pub(super) fn query(&mut self, query: &Query, scope: &Rc<Scope>) -> Outcome<Relation> {
        self.spend(1)?;
        let scope = match &query.with {
            Some(with) => self.with(with, scope)?,
            None => Rc::clone(scope),
        };
        if let QueryBody::Select(select) = &query.body {
            // ORDER BY of a SELECT sees the columns of its FROM too.
            let tail = Tail { order_by: &query.order_by, offset: query.offset.as_ref(), limit: query.limit.as_ref() };
            return self.select(select, Some(tail), &scope);
        }
        let mut relation = self.body(&query.body, &scope)?;
        if !query.order_by.is_empty() {
            let all_rows = self.depth > 0 && query.limit.is_none() && query.offset.is_none();
            let outer = std::mem::replace(&mut self.idle_order, all_rows);
            self.order_by_output(&query.order_by, &relation)?;
            self.idle_order = outer;
        }
        self.row_counts(query.offset.as_ref(), query.limit.as_ref(), query.order_by.is_empty())?;
        if query.limit.is_some() || query.offset.is_some() {
            relation = self.limited(relation, query.limit.as_ref(), query.order_by.is_empty());
        }
        Ok(relation)
    }

    /// What a query selects, without its ORDER BY and LIMIT.
    pub(super) fn body(&mut self, body: &QueryBody, scope: &Rc<Scope>) -> Outcome<Relation> {
        match body {
            QueryBody::Select(select) => self.select(select, None, scope),
            QueryBody::Table(name) => self.table_body(name, scope),
            QueryBody::Values(rows, span) => self.values(rows, *span, scope),
            QueryBody::Parenthesized(query) => self.derived(query, scope),
            QueryBody::SetOperation(operation) => self.set_operation(operation, scope),
        }
    }

    fn with(&mut self, with: &With, scope: &Rc<Scope>) -> Outcome<Rc<Scope>> {
        let mut current = self.scope_in(scope, Rc::from([]));
        let mut known = HashSet::new();
        for named in &with.queries {
            let name = named.name.folded();
            if known.contains(&name) {
                let message = format!("the WITH query '{name}' is given more than once");
                return Err(refusal("DUPLICATE_NAMED_QUERY", named.span, message));
            }
            let begin = self.begin_template();
            self.depth += 1;
            let recursive = if with.recursive { self.recursive_query(named, &current)? } else { None };
            let resolved = match recursive {
                Some((fields, rounds)) => {
                    let mut template = self.end_template(begin);
                    template.rounds = rounds;
                    Named { fields, template, one_row: false }
                }
                None => {
                    let relation = self.query_in(&named.query, &current, self.correlated)?;
                    let visible: Vec<&Rc<Field>> = relation.fields.iter().filter(|field| !field.hidden).collect();
                    if let Some(columns) = &named.columns {
                        column_aliases(columns, visible.len())?;
                    }
                    let fields = visible
                        .iter()
                        .enumerate()
                        .map(|(index, field)| {
                            let name = match &named.columns {
                                Some(columns) => columns.get(index).map(|column| column.text.as_ref().into()),
                                None => field.name.clone(),
                            };
                            Field { name, hidden: false, ..field.as_ref().clone() }
                        })
                        .collect();
                    let template = self.end_template(begin);
                    Named { fields, template, one_row: relation.one_row }
                }
            };
            self.depth -= 1;
            known.insert(name.clone());
            // Each query sees those before it.
            current = Rc::new(Scope {
                parent: Some(Rc::clone(&current)),
                boundary: false,
                relation: self.next_relation(),
                fields: Rc::from([]),
                named: vec![(name, Rc::new(resolved))],
                lambda: false,
            });
        }
        Ok(current)
    }

    fn values(&mut self, rows: &[Expr], span: Span, scope: &Rc<Scope>) -> Outcome<Relation> {
        let inner = self.scope_in(scope, Rc::from([]));
        let cx = self.cx(&inner);
        let mut kinds: Vec<Type> = Vec::with_capacity(rows.len());
        let mut flows: Vec<Vec<Sources>> = Vec::new();
        for row in rows {
            let value = self.value(row, &cx)?;
            let flow = self.settle(&value);
            let parts: Vec<Sources> = match (&value.kind, &flow.shape) {
                (Type::Row(_), Shape::Row(parts)) => {
                    parts.iter().map(|part| Sources::union([&part.sources(), &flow.extra])).collect()
                }
                (Type::Row(fields), _) => fields.iter().map(|_| flow.sources()).collect(),
                _ => vec![flow.sources()],
            };
            for (index, part) in parts.into_iter().enumerate() {
                if flows.len() <= index {
                    flows.push(Vec::new());
                }
                if let Some(column) = flows.get_mut(index)
                    && !part.is_empty()
                {
                    column.push(part);
                }
            }
            kinds.push(match value.kind {
                Type::Row(_) => value.kind,
                kind => Type::anonymous_row([kind]),
            });
        }
        let mut kinds = kinds.into_iter();
        let mut common = kinds.next().unwrap_or_default();
        let width = common.parameters().len();
        for kind in kinds {
            if kind.parameters().len() != width {
                return Err(refusal("TYPE_MISMATCH", span, "the rows of VALUES are of different widths"));
            }
            if kind != common {
                common = common_type(&kind, &common).ok_or_else(|| {
                    refusal("TYPE_MISMATCH", span, format!("the rows of VALUES are of different types: {common} and {kind}"))
                })?;
            }
        }
        let Type::Row(columns) = &common else { return Err(refusal("TYPE_MISMATCH", span, "VALUES gives no columns")) };
        let fields = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let sources = flows.get(index).map(Sources::union).unwrap_or_default();
                Field::computed(None, column.kind.clone(), Flow::of(sources))
            })
            .collect();
        Ok(self.relation_of(scope, fields, rows.len() == 1))
    }

    fn set_operation(&mut self, operation: &SetOperation, scope: &Rc<Scope>) -> Outcome<Relation> {
        self.set_steps(operation, operation.rest.len(), scope)
    }

    /// All but the last step: the anchor of a recursion.
    pub(super) fn set_operation_before(&mut self, operation: &SetOperation, scope: &Rc<Scope>) -> Outcome<Relation> {
        self.set_steps(operation, operation.rest.len().saturating_sub(1), scope)
    }

    fn set_steps(&mut self, operation: &SetOperation, count: usize, scope: &Rc<Scope>) -> Outcome<Relation> {
        let mut left = self.body(&operation.first, scope)?;
        for step in operation.rest.iter().take(count) {
            if let Some(columns) = &step.corresponding {
                let at = columns.first().map_or(step.span, Ident::span);
                return Err(super::expression::newer(at, "CORRESPONDING"));
            }
            let right = self.body(&step.right, scope)?;
            left = self.set_step(&left, &right, step, scope)?;
        }
        Ok(left)
    }

    fn set_step(&mut self, left: &Relation, right: &Relation, step: &SetStep, scope: &Rc<Scope>) -> Outcome<Relation> {
        let at = Span::at(step.span.first);
        let name = match step.op {
            SetOperator::Union => "UNION",
            SetOperator::Except => "EXCEPT",
            SetOperator::Intersect => "INTERSECT",
        };
        let visible =
            |relation: &Relation| -> Vec<Rc<Field>> { relation.fields.iter().filter(|field| !field.hidden).cloned().collect() };
        let (a, b) = (visible(left), visible(right));
        if a.len() != b.len() {
            let message = format!("the queries of {name} give different numbers of columns: {} and {}", a.len(), b.len());
            return Err(refusal("TYPE_MISMATCH", at, message));
        }
        let mut kinds = Vec::with_capacity(a.len());
        for (index, (a, b)) in a.iter().zip(&b).enumerate() {
            kinds.push(common_type(&a.kind, &b.kind).ok_or_else(|| {
                let message = format!("column {} of {name} is {} and {}", index + 1, a.kind, b.kind);
                refusal("TYPE_MISMATCH", at, message)
            })?);
        }
        if !(step.op == SetOperator::Union && step.all)
            && let Some(kind) = kinds.iter().find(|kind| !kind.is_comparable())
        {
            return Err(refusal("TYPE_MISMATCH", at, format!("{name} cannot compare values of {kind}")));
        }
        if !(step.op == SetOperator::Union && step.all) {
            // Which rows are left depends on all columns of both sides.
            let sources = Sources::union([&all_sources(&a), &all_sources(&b)]);
            let reason = if step.op == SetOperator::Union { Reason::Distinct } else { Reason::SetOperation };
            self.influence(sources, reason, at);
        }
        // One count of branches for all columns of a side, or their terms do not belong together.
        let width = |fields: &[Rc<Field>]| {
            let mut count = (1, 0);
            for field in fields {
                let own = field.terms.branches();
                if own.0 > 1 {
                    if count.0 > 1 && count != own {
                        return None;
                    }
                    count = own;
                }
            }
            Some(count.0)
        };
        let counts = width(&a).zip(width(&b)).filter(|(a, b)| a + b <= 256);
        let group = self.next_group();
        let fields = a
            .iter()
            .zip(&b)
            .zip(kinds)
            .map(|((a, b), kind)| {
                let flow = if step.op == SetOperator::Except { a.flow.clone() } else { a.flow.either(&b.flow) };
                let terms = match (step.op, counts) {
                    (SetOperator::Except, _) => a.terms.clone(),
                    // A predicate on the result holds for the rows of each side.
                    (_, Some((left, right))) => Terms::union(group, &[(&a.terms, left), (&b.terms, right)]),
                    (_, None) => Terms::default(),
                };
                Field { kind, flow, terms, column: None, place: None, hidden: false, ..a.as_ref().clone() }
            })
            .collect();
        let mut relation = self.relation_of(scope, fields, false);
        if step.op == SetOperator::Union && step.all {
            relation.stream = left.stream.iter().chain(&right.stream).copied().collect();
        }
        Ok(relation)
    }

    /// ORDER BY of a query that is no SELECT: it sees the output only.
    fn order_by_output(&mut self, items: &[SortItem], relation: &Relation) -> Outcome<()> {
        let cx = self.cx(&relation.scope);
        let visible = relation.fields.iter().filter(|field| !field.hidden).count();
        for item in items {
            self.sort_key(item, visible, &relation.fields, &cx)?;
        }
        Ok(())
    }

    /// One key of ORDER BY; `fields` are those that positions count.
    pub(super) fn sort_key<'t>(
        &mut self,
        item: &'t SortItem,
        visible: usize,
        fields: &[Rc<Field>],
        cx: &super::value::Cx<'t>,
    ) -> Outcome<()> {
        let expr = &item.expr;
        let (kind, sources) = if let ExprKind::Literal(Literal::Integer(text)) = &expr.kind {
            let field = integer(text)
                .and_then(|number| usize::try_from(number).ok())
                .and_then(|number| number.checked_sub(1))
                .filter(|index| *index < visible)
                .and_then(|index| fields.get(index))
                .ok_or_else(|| {
                    refusal("INVALID_COLUMN_REFERENCE", expr.span, format!("ORDER BY position {text} is not in select list"))
                })?;
            (field.kind.clone(), field.flow.sources())
        } else {
            let value = self.value(expr, cx)?;
            let sources = self.sources(&value);
            (value.kind, sources)
        };
        if !kind.is_orderable() {
            // The server points at the query, whose first token the caller knows.
            return Err(refusal("TYPE_MISMATCH", Span::at(self.query_start), format!("ORDER BY cannot be applied to {kind}")));
        }
        self.influence(sources, Reason::OrderBy, expr.span);
        Ok(())
    }

    /// The numbers of OFFSET and LIMIT.
    pub(super) fn row_counts(&mut self, offset: Option<&RowCount>, limit: Option<&Limit>, unordered: bool) -> Outcome<()> {
        if let Some(offset) = offset {
            self.row_count(offset)?;
        }
        match limit {
            Some(Limit::Rows(rows, _)) => {
                self.row_count(rows)?;
            }
            Some(Limit::Fetch { rows, with_ties, span }) => {
                if let Some(rows) = rows
                    && self.row_count(rows)? == Some(0)
                {
                    return Err(refusal("NUMERIC_VALUE_OUT_OF_RANGE", *span, "FETCH FIRST needs a positive number"));
                }
                if *with_ties && unordered {
                    return Err(refusal("MISSING_ORDER_BY", *span, "FETCH FIRST WITH TIES needs ORDER BY"));
                }
            }
            Some(Limit::All(_)) | None => {}
        }
        Ok(())
    }

    fn row_count(&mut self, rows: &RowCount) -> Outcome<Option<u64>> {
        match &rows.kind {
            RowCountKind::Number(text) => integer(text)
                .and_then(|number| u64::try_from(number).ok())
                .map(Some)
                .ok_or_else(|| refusal("SYNTAX_ERROR", rows.span, format!("invalid number of rows: {text}"))),
            RowCountKind::Placeholder => {
                Err(refusal("INVALID_PARAMETER_USAGE", rows.span, "'?' has no value here; use a typed parameter"))
            }
            RowCountKind::Parameter(name) => {
                let declared = self.session.parameters.iter().find(|(known, _)| known.as_str() == name.text.as_ref());
                match declared {
                    Some((_, kind)) if kind.is_integer() => Ok(None),
                    Some((_, kind)) => Err(refusal("TYPE_MISMATCH", rows.span, format!("a number of rows cannot be {kind}"))),
                    None => Err(refusal(
                        "INVALID_PARAMETER_USAGE",
                        rows.span,
                        format!("the parameter ':{}' is not declared", name.text),
                    )),
                }
            }
        }
    }

    /// A relation of which only some rows are taken: what is above says nothing of the rows below.
    pub(super) fn limited(&mut self, relation: Relation, limit: Option<&Limit>, unordered: bool) -> Relation {
        let rows = match limit {
            Some(Limit::Rows(rows, _)) => self.row_count(rows).ok().flatten(),
            Some(Limit::Fetch { rows: None, .. }) => Some(1),
            Some(Limit::Fetch { rows: Some(rows), .. }) => self.row_count(rows).ok().flatten(),
            Some(Limit::All(_)) | None => None,
        };
        if let (Some(rows), true) = (rows, unordered) {
            for scan in &relation.stream {
                if let Some(scan) = self.scans.get_mut(*scan as usize) {
                    scan.limited = Some(scan.limited.map_or(rows, |known| known.min(rows)));
                }
            }
        }
        let one_row = relation.one_row || rows.is_some_and(|rows| rows <= 1);
        Relation { one_row, ..self.stopped(relation) }
    }
}

/// ORDER BY, OFFSET and LIMIT after a SELECT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail<'t> {
    pub(super) order_by: &'t [SortItem],
    pub(super) offset: Option<&'t RowCount>,
    pub(super) limit: Option<&'t Limit>,
}

/// Checks the column names of a WITH query.
pub(super) fn column_aliases(columns: &[Ident], width: usize) -> Outcome<()> {
    if columns.len() != width {
        let at = columns.first().map_or(Span::at(0), Ident::span);
        let message = format!("{} column names are given, but the query gives {width} columns", columns.len());
        return Err(refusal("MISMATCHED_COLUMN_ALIASES", at, message));
    }
    let mut seen = HashSet::new();
    for column in columns {
        if !seen.insert(column.folded()) {
            let message = format!("column name '{}' is given more than once", column.text);
            return Err(refusal("DUPLICATE_COLUMN_NAME", column.span(), message));
        }
    }
    Ok(())
}
