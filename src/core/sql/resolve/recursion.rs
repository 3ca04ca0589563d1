//! Recursive WITH queries: an anchor, UNION, and a step that refers to what was found so far.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::flow::{Flow, Sources};
use super::pushed::Terms;
use super::query::column_aliases;
use super::scope::{Field, Scope};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::{ColumnId, Reason};
use crate::core::sql::coercion::coerces;
use crate::core::sql::token::Span;
use crate::core::sql::tree::walk::{Visitor, walk_body, walk_query, walk_relation};
use crate::core::sql::tree::{
    JoinKind, NamedQuery, QualifiedName, Query, QueryBody, Relation, RelationKind, RowPattern, Select, SetOperation, SetOperator,
};

/// So often the server reads the step of a recursion at most (`max_recursion_depth`).
const ROUNDS: u32 = 10;

/// Stands for a scan in the atoms that mean "what the recursion found so far".
const SO_FAR: u32 = u32::MAX;

/// References to a WITH query by its name, where nothing shadows it.
struct References<'n> {
    name: &'n str,
    found: Vec<*const QualifiedName>,
    spans: Vec<Span>,
}

impl Visitor for References<'_> {
    fn query(&mut self, query: &Query) {
        let shadowed = query.with.as_ref().is_some_and(|with| with.queries.iter().any(|named| named.name.folded() == self.name));
        if !shadowed {
            walk_query(self, query);
        }
    }

    fn body(&mut self, body: &QueryBody) {
        let before = self.spans.len();
        walk_body(self, body);
        // The server points at the word TABLE.
        if let (QueryBody::Table(name), Some(span)) = (body, self.spans.get_mut(before)) {
            *span = Span::new(name.span.first.saturating_sub(1), name.span.last);
        }
    }

    fn table(&mut self, name: &QualifiedName) {
        if let [only] = name.parts.as_slice()
            && only.folded() == self.name
        {
            self.found.push(std::ptr::from_ref(name));
            self.spans.push(name.span);
        }
    }
}

fn references_in(name: &str, walk: impl FnOnce(&mut References<'_>)) -> References<'_> {
    let mut references = References { name, found: Vec::new(), spans: Vec::new() };
    walk(&mut references);
    references
}

/// Looks for what may not stand inside a recursive query.
#[derive(Default)]
pub(super) struct Nested {
    recursive: Option<Span>,
    pub(super) pattern: Option<Span>,
}

impl Visitor for Nested {
    fn query(&mut self, query: &Query) {
        if let Some(with) = query.with.as_ref().filter(|with| with.recursive) {
            self.recursive.get_or_insert(with.span);
        }
        walk_query(self, query);
    }

    fn relation(&mut self, relation: &Relation) {
        if matches!(relation.kind, RelationKind::Match(_)) {
            self.pattern.get_or_insert(relation.span);
        }
        walk_relation(self, relation);
    }

    fn pattern(&mut self, pattern: &RowPattern) {
        self.pattern.get_or_insert(Span::at(super::pattern::first_token(pattern)));
    }
}

type Recursive = (Vec<Field>, Vec<(Range<u32>, u32)>);

impl Resolver<'_> {
    /// A recursive query; `None` if it only could have been one, and is resolved like any other.
    pub(super) fn recursive_query(&mut self, named: &NamedQuery, scope: &Rc<Scope>) -> Outcome<Option<Recursive>> {
        let mut nested = Nested::default();
        walk_query(&mut nested, &named.query);
        if let Some(at) = nested.pattern {
            let message = "a recursive query cannot contain row pattern recognition";
            return Err(refusal("NESTED_ROW_PATTERN_RECOGNITION", at, message));
        }
        let Some(columns) = &named.columns else {
            let message = "a recursive WITH query must name its columns";
            return Err(refusal("MISSING_COLUMN_ALIASES", Span::at(named.span.first), message));
        };
        if let Some(at) = nested.recursive {
            return Err(refusal("NESTED_RECURSIVE", at, "a recursive query cannot contain another"));
        }
        let name = named.name.folded();
        let wrong = |at: Span, message: &str| Err(refusal("INVALID_RECURSIVE_REFERENCE", at, message));
        let plain = || {
            let all = references_in(&name, |visitor| visitor.query(&named.query));
            match all.spans.first() {
                Some(at) => wrong(*at, "a recursive reference is not allowed here").map(|()| None),
                None => Ok(None),
            }
        };
        let QueryBody::SetOperation(operation) = &named.query.body else { return plain() };
        let Some((last, before)) = operation.rest.split_last().filter(|(last, _)| last.op == SetOperator::Union) else {
            return plain();
        };
        let anchors = references_in(&name, |visitor| {
            visitor.body(&operation.first);
            before.iter().for_each(|step| visitor.body(&step.right));
        });
        if let Some(at) = anchors.spans.first() {
            return wrong(*at, "the base of a recursive query cannot refer to it").map(|()| None);
        }
        let steps = references_in(&name, |visitor| visitor.body(&last.right));
        if let Some(at) = steps.spans.get(1) {
            return wrong(*at, "the step of a recursive query can refer to it only once").map(|()| None);
        }
        let (Some(reference), Some(at)) = (steps.found.first().copied(), steps.spans.first().copied()) else { return plain() };
        let Some(select) = step_select(&last.right)? else {
            return wrong(at, "a recursive reference must stand in FROM of the step").map(|()| None);
        };
        let in_from = references_in(&name, |visitor| select.from.iter().for_each(|part| visitor.relation(part)));
        if in_from.found.is_empty() {
            return wrong(at, "a recursive reference must stand in FROM of the step").map(|()| None);
        }
        immediate(&named.query)?;
        for part in &select.from {
            from_clause(part, &name)?;
        }

        let anchor = self.set_operation_before(operation, scope)?;
        let visible: Vec<Rc<Field>> = anchor.fields.iter().filter(|field| !field.hidden).cloned().collect();
        column_aliases(columns, visible.len())?;
        let alias: Rc<[Box<str>]> = Rc::from([name.clone().into_boxed_str()]);
        let fields: Vec<Field> = visible
            .iter()
            .zip(columns)
            .map(|(field, column)| Field {
                alias: Some(Rc::clone(&alias)),
                name: Some(column.text.as_ref().into()),
                column: None,
                place: None,
                terms: Terms::default(),
                ..field.as_ref().clone()
            })
            .collect();
        // What the step sees: the anchor's columns, each with a mark for what earlier rounds added.
        let marks: Vec<u32> = (0..fields.len()).map(|_| self.so_far()).collect();
        let seen = fields
            .iter()
            .zip(&marks)
            .map(|(field, mark)| {
                let sources = Sources::union([&field.flow.sources(), &Sources::one(*mark)]);
                Field { flow: Flow::of(sources), ..field.clone() }
            })
            .collect();
        self.recursive.insert(reference.addr(), seen);
        let (first_scan, first_influence, _) = self.begin_template();
        let step = self.body(&last.right, scope)?;
        let rounds = first_scan..self.scan_count();
        let stepped: Vec<Rc<Field>> = step.fields.iter().filter(|field| !field.hidden).cloned().collect();
        let step_at = Span::at(body_start(&last.right));
        if stepped.len() != fields.len() {
            let message = format!("the base of the recursion gives {} columns, its step {}", fields.len(), stepped.len());
            return Err(refusal("TYPE_MISMATCH", step_at, message));
        }
        for (field, step) in fields.iter().zip(&stepped) {
            if !coerces(&step.kind, &field.kind) {
                let message = format!("the base of the recursion gives {}, its step {}", field.kind, step.kind);
                return Err(refusal("TYPE_MISMATCH", step_at, message));
            }
        }
        let solved = self.solve(&fields, &stepped, &marks);
        let by_mark: HashMap<u32, &Sources> = marks.iter().map(|mark| mark >> 1).zip(&solved).collect();
        let mut replace = |atom: u32, out: &mut Vec<u32>| match by_mark.get(&(atom >> 1)) {
            Some(sources) => out.extend(sources.as_slice().iter().map(|inner| inner | (atom & 1))),
            None => out.push(atom),
        };
        for influence in self.influences.iter_mut().skip(first_influence) {
            influence.sources = influence.sources.replaced(&mut replace);
        }
        if !last.all {
            // Rounds end when nothing new comes, and what is new all columns tell.
            self.influence(Sources::union(&solved), Reason::Distinct, Span::at(last.span.first));
        }
        let fields = fields.into_iter().zip(solved).map(|(field, sources)| Field { flow: Flow::of(sources), ..field }).collect();
        Ok(Some((fields, vec![(rounds, ROUNDS)])))
    }

    /// A new atom that stands for what a recursion found so far in one column.
    fn so_far(&mut self) -> u32 {
        let index = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        self.atom(SO_FAR, ColumnId(index))
    }

    /// What flows into each column in the end: of the anchor, and of the step over all rounds.
    fn solve(&mut self, anchor: &[Field], step: &[Rc<Field>], marks: &[u32]) -> Vec<Sources> {
        let mut solved: Vec<Sources> = anchor.iter().map(|field| field.flow.sources()).collect();
        let steps: Vec<Sources> = step.iter().map(|field| field.flow.sources()).collect();
        loop {
            let mut changed = false;
            for index in 0..solved.len() {
                let Some(own) = steps.get(index) else { continue };
                let more = own.replaced(&mut |atom, out| match marks.iter().position(|mark| mark >> 1 == atom >> 1) {
                    Some(column) => {
                        let inner = solved.get(column).map(Sources::as_slice).unwrap_or_default();
                        out.extend(inner.iter().map(|inner| inner | (atom & 1)));
                    }
                    None => out.push(atom),
                });
                let Some(slot) = solved.get_mut(index) else { continue };
                let all = Sources::union([&*slot, &more]);
                if all.as_slice() != slot.as_slice() {
                    *slot = all;
                    changed = true;
                }
            }
            if !changed {
                return solved;
            }
        }
    }
}

/// The SELECT that the step of a recursion is, in parentheses or not.
fn step_select(body: &QueryBody) -> Outcome<Option<&Select>> {
    let mut body = body;
    loop {
        match body {
            QueryBody::Parenthesized(query) => {
                if query.limit.is_some() {
                    return Err(refusal("INVALID_LIMIT_CLAUSE", limit_at(query), "the step of a recursion cannot have LIMIT"));
                }
                body = &query.body;
            }
            QueryBody::Select(select) if !select.from.is_empty() => return Ok(Some(select)),
            _ => return Ok(None),
        }
    }
}

/// The first token of a query's body.
fn body_start(body: &QueryBody) -> u32 {
    match body {
        QueryBody::Select(select) => select.span.first,
        QueryBody::Table(name) => name.span.first.saturating_sub(1),
        QueryBody::Values(_, span) => span.first,
        QueryBody::Parenthesized(query) => query.span.first.saturating_sub(1),
        QueryBody::SetOperation(operation) => operation.span.first,
    }
}

/// Where LIMIT or FETCH stands.
fn limit_at(query: &Query) -> Span {
    use crate::core::sql::tree::Limit;
    match &query.limit {
        Some(Limit::All(span) | Limit::Fetch { span, .. } | Limit::Rows(_, span)) => *span,
        None => query.span,
    }
}

/// What a recursive query cannot have right inside it.
fn immediate(query: &Query) -> Outcome<()> {
    if let Some(with) = &query.with {
        return Err(refusal("NOT_SUPPORTED", with.span, "a recursive query cannot begin with WITH"));
    }
    if let Some(item) = query.order_by.first() {
        let at = Span::at(item.span.first.saturating_sub(2));
        return Err(refusal("NOT_SUPPORTED", at, "a recursive query cannot have ORDER BY"));
    }
    if let Some(offset) = &query.offset {
        let at = Span::at(offset.span.first.saturating_sub(1));
        return Err(refusal("NOT_SUPPORTED", at, "a recursive query cannot have OFFSET"));
    }
    if query.limit.is_some() {
        return Err(refusal("INVALID_LIMIT_CLAUSE", limit_at(query), "a recursive query cannot have LIMIT"));
    }
    Ok(())
}

/// Where in FROM a recursive reference may not stand.
struct FromClause<'n> {
    name: &'n str,
    stop: Option<super::Stop>,
}

impl FromClause<'_> {
    fn refuse(&mut self, found: &References<'_>, message: &str) {
        if let (Some(at), None) = (found.spans.first(), &self.stop) {
            self.stop = Some(refusal("INVALID_RECURSIVE_REFERENCE", *at, message));
        }
    }
}

impl Visitor for FromClause<'_> {
    fn relation(&mut self, relation: &Relation) {
        if let RelationKind::Joined { first, joins } = &relation.kind {
            for (index, join) in joins.iter().enumerate() {
                if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
                    let left = references_in(self.name, |visitor| {
                        visitor.relation(first);
                        joins.iter().take(index).for_each(|join| visitor.relation(&join.right));
                    });
                    self.refuse(&left, "a recursive reference cannot stand on the left of this join");
                }
                if matches!(join.kind, JoinKind::Left | JoinKind::Full) {
                    let right = references_in(self.name, |visitor| visitor.relation(&join.right));
                    self.refuse(&right, "a recursive reference cannot stand on the right of this join");
                }
            }
        }
        walk_relation(self, relation);
    }

    fn body(&mut self, body: &QueryBody) {
        if let QueryBody::SetOperation(operation) = body {
            self.set_operation(operation);
        }
        walk_body(self, body);
    }
}

impl FromClause<'_> {
    fn set_operation(&mut self, operation: &SetOperation) {
        for (index, step) in operation.rest.iter().enumerate() {
            let left = references_in(self.name, |visitor| {
                visitor.body(&operation.first);
                operation.rest.iter().take(index).for_each(|step| visitor.body(&step.right));
            });
            let right = references_in(self.name, |visitor| visitor.body(&step.right));
            match step.op {
                SetOperator::Intersect if step.all => {
                    self.refuse(&left, "a recursive reference cannot stand in INTERSECT ALL");
                    self.refuse(&right, "a recursive reference cannot stand in INTERSECT ALL");
                }
                SetOperator::Except => {
                    self.refuse(&right, "a recursive reference cannot stand on the right of EXCEPT");
                    if step.all {
                        self.refuse(&left, "a recursive reference cannot stand in EXCEPT ALL");
                    }
                }
                _ => {}
            }
        }
    }
}

fn from_clause(relation: &Relation, name: &str) -> Outcome<()> {
    let mut clause = FromClause { name, stop: None };
    clause.relation(relation);
    match clause.stop {
        Some(stop) => Err(stop),
        None => Ok(()),
    }
}
