//! What stands in FROM.

use std::rc::Rc;

use super::flow::{Flow, Shape, Sources};
use super::pushed::Terms;
use super::scope::{Field, Scope};
use super::value::{Cx, Value};
use super::walk::find;
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::{ColumnId, How, Reason};
use crate::core::sql::coercion::coerces;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{self, Expr, ExprKind, Ident, Literal, Query, RelationKind};
use crate::core::sql::types::Type;

/// A relation that has been resolved.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) fields: Rc<[Rc<Field>]>,
    /// Its scope: its fields, then what the place where it stands can see.
    pub(super) scope: Rc<Scope>,
    /// Whether it gives at most one row by its form.
    pub(super) one_row: bool,
    /// For each field the relation of FROM that it comes from; joins tell by it what their conditions compare.
    pub(super) leaves: Rc<[u32]>,
    /// The scans whose rows come out of it one by one, so that a LIMIT above stops them early.
    pub(super) stream: Vec<u32>,
    /// For a table function: how many of the fields are its own, not passed through.
    pub(super) proper: Option<usize>,
}

impl Field {
    /// A column that is computed.
    pub(super) fn computed(name: Option<Rc<str>>, kind: Type, flow: Flow) -> Self {
        Self { alias: None, name, kind, hidden: false, flow, column: None, place: None, terms: Terms::default() }
    }
}

/// Whether a relation sees those to its left.
pub(super) fn is_lateral(relation: &tree::Relation) -> bool {
    match &relation.kind {
        RelationKind::Aliased { relation, .. } => is_lateral(relation),
        RelationKind::Unnest { .. } | RelationKind::Lateral(_) | RelationKind::JsonTable(_) => true,
        _ => false,
    }
}

impl Resolver<'_> {
    /// A place where names mean what `scope` says, in the query being resolved.
    pub(super) fn cx<'t>(&self, scope: &Rc<Scope>) -> Cx<'t> {
        Cx { correlated: self.correlated, ..Cx::new(scope) }
    }

    /// A scope inside `parent`.
    pub(super) fn scope_in(&mut self, parent: &Rc<Scope>, fields: Rc<[Rc<Field>]>) -> Rc<Scope> {
        Rc::new(Scope {
            parent: Some(Rc::clone(parent)),
            boundary: false,
            relation: self.next_relation(),
            fields,
            named: Vec::new(),
            lambda: false,
        })
    }

    /// A relation of these fields, standing where `scope` is.
    pub(super) fn relation_of(&mut self, scope: &Rc<Scope>, fields: Vec<Field>, one_row: bool) -> Relation {
        let leaf = self.new_leaf();
        let leaves = vec![leaf; fields.len()].into();
        self.relation_with(scope, fields.into_iter().map(Rc::new).collect(), leaves, one_row)
    }

    pub(super) fn relation_with(
        &mut self,
        scope: &Rc<Scope>,
        fields: Rc<[Rc<Field>]>,
        leaves: Rc<[u32]>,
        one_row: bool,
    ) -> Relation {
        let scope = self.scope_in(scope, Rc::clone(&fields));
        self.leaf_map.insert(scope.relation, Rc::clone(&leaves));
        Relation { fields, scope, one_row, leaves, stream: Vec::new(), proper: None }
    }

    pub(super) fn relation(&mut self, relation: &tree::Relation, scope: &Rc<Scope>) -> Outcome<Relation> {
        self.spend(1)?;
        let span = relation.span;
        match &relation.kind {
            RelationKind::Table { name, version } => self.table(name, version.as_ref(), None, span, scope),
            RelationKind::Subquery(query) | RelationKind::Lateral(query) => self.derived(query, scope),
            RelationKind::Unnest { exprs, ordinality } => self.unnest(exprs, *ordinality, scope),
            RelationKind::TableFunction(function) => self.table_function(function, scope),
            RelationKind::JsonTable(table) => self.json_table(table, span, scope),
            RelationKind::Nearest(_) => Err(super::expression::newer(span, "NEAREST")),
            RelationKind::Aliased { relation: inner, alias, columns: None }
                if let RelationKind::Table { name, version } = &inner.kind =>
            {
                self.table(name, version.as_ref(), Some(alias), inner.span, scope)
            }
            RelationKind::Aliased { relation: inner, alias, columns } => {
                let inner = self.relation(inner, scope)?;
                self.aliased(inner, alias, columns.as_deref(), span, scope)
            }
            RelationKind::Match(matched) => self.match_recognize(matched, span, scope),
            RelationKind::Sampled { relation: inner, percentage, system } => {
                self.percentage(percentage)?;
                let first = self.scans.len();
                let mut inner = self.relation(inner, scope)?;
                self.scans.iter_mut().skip(first).for_each(|scan| scan.sampled |= *system);
                if inner.proper.is_some_and(|proper| proper < inner.fields.len()) {
                    return Err(refusal("INVALID_TABLE_FUNCTION_INVOCATION", span, "a table function cannot be sampled"));
                }
                // A sample of the rows is not what a predicate below it would leave.
                inner.fields = inner
                    .fields
                    .iter()
                    .map(|field| Rc::new(Field { terms: Terms::default(), ..field.as_ref().clone() }))
                    .collect();
                let leaves = Rc::clone(&inner.leaves);
                Ok(self.relation_with(scope, inner.fields, leaves, inner.one_row))
            }
            RelationKind::Joined { first, joins } => self.joined(first, joins, scope),
        }
    }

    /// `(query)` in FROM.
    pub(super) fn derived(&mut self, query: &Query, scope: &Rc<Scope>) -> Outcome<Relation> {
        let inner = self.query_in(query, scope, true)?;
        let fields: Vec<Field> = inner.fields.iter().map(|field| field.as_ref().clone()).collect();
        let mut relation = self.relation_of(scope, fields, inner.one_row);
        relation.stream = inner.stream;
        Ok(relation)
    }

    /// `relation AS alias (a, b)`.
    pub(super) fn aliased(
        &mut self,
        inner: Relation,
        alias: &Ident,
        columns: Option<&[Ident]>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        let named: Rc<[Box<str>]> = Rc::from([alias.folded().into_boxed_str()]);
        let renamed =
            |field: &Field, name: Option<Rc<str>>| Rc::new(Field { alias: Some(Rc::clone(&named)), name, ..field.clone() });
        let proper = inner.proper.unwrap_or(inner.fields.len());
        let own = inner.fields.get(..proper).unwrap_or_default();
        let visible = own.iter().filter(|field| !field.hidden).count();
        if let Some(columns) = columns
            && columns.len() != visible
        {
            let message = format!("{} has {visible} columns, but {} names are given", alias.text, columns.len());
            return Err(refusal("MISMATCHED_COLUMN_ALIASES", span, message));
        }
        let mut fields = Vec::with_capacity(inner.fields.len());
        let mut leaves = Vec::with_capacity(inner.fields.len());
        let mut names = columns.map(<[Ident]>::iter);
        for (field, leaf) in own.iter().zip(inner.leaves.iter()) {
            match &mut names {
                None => fields.push(renamed(field, field.name.clone())),
                // Hidden columns are gone once columns are named.
                Some(_) if field.hidden => continue,
                Some(names) => fields.push(renamed(field, names.next().map(|name| name.text.as_ref().into()))),
            }
            leaves.push(*leaf);
        }
        for (field, leaf) in inner.fields.iter().zip(inner.leaves.iter()).skip(proper) {
            fields.push(Rc::clone(field));
            leaves.push(*leaf);
        }
        let mut relation = self.relation_with(scope, fields.into(), leaves.into(), inner.one_row);
        relation.stream = inner.stream;
        Ok(relation)
    }

    /// UNNEST: an array gives a column, or one for each field of its rows; a map gives two.
    fn unnest(&mut self, exprs: &[Expr], ordinality: bool, scope: &Rc<Scope>) -> Outcome<Relation> {
        // The expressions see the relations to the left, which `scope` is of.
        let inner = self.scope_in(scope, Rc::from([]));
        let cx = self.cx(&inner);
        let mut fields = Vec::new();
        for expr in exprs {
            self.no_aggregates(expr, "UNNEST")?;
            let value = self.value(expr, &cx)?;
            // How many elements there are decides on the rows.
            let sources = match (&value.flow.shape, value.read.is_some() || value.column.is_some()) {
                (Shape::Column { .. }, true) => value.flow.sources().counted(),
                _ => value.flow.sources(),
            };
            self.influence(sources, Reason::Rows, expr.span);
            match value.kind.clone() {
                Type::Array(element) => {
                    let element = Value {
                        kind: element.as_ref().clone(),
                        flow: value.flow.element(),
                        read: value.read,
                        key: value.key,
                        terms: Terms::default(),
                        column: None,
                    };
                    if let Type::Row(parts) = &element.kind.clone() {
                        self.read_at_least(&element);
                        for (index, part) in parts.iter().enumerate() {
                            let part_value = self.row_field(element.clone(), index);
                            fields.push(lazy(part.name.as_deref().map(Into::into), part_value));
                        }
                    } else {
                        let flow = self.settle(&element);
                        fields.push(Field::computed(None, element.kind, flow));
                    }
                }
                Type::Map(entry) => {
                    let flow = self.settle(&value);
                    fields.push(Field::computed(None, entry.0.clone(), flow.key()));
                    fields.push(Field::computed(None, entry.1.clone(), flow.element()));
                }
                other => {
                    let mut stop =
                        refusal("INVALID_FUNCTION_ARGUMENT", expr.span, format!("UNNEST cannot be applied to {other}"));
                    stop.span = None;
                    return Err(stop);
                }
            }
        }
        if ordinality {
            fields.push(Field::computed(None, Type::Bigint, Flow::default()));
        }
        Ok(self.relation_of(scope, fields, false))
    }

    /// The percentage of TABLESAMPLE: a constant.
    fn percentage(&mut self, expr: &Expr) -> Outcome<()> {
        if find(expr, &|inner| matches!(inner.kind, ExprKind::Name(_))).is_some() {
            return Err(refusal("EXPRESSION_NOT_CONSTANT", expr.span, "the percentage of a sample cannot name columns"));
        }
        let nothing = Rc::new(Scope {
            parent: None,
            boundary: false,
            relation: self.next_relation(),
            fields: Rc::from([]),
            named: Vec::new(),
            lambda: false,
        });
        let value = self.value(expr, &Cx::new(&nothing))?;
        if !coerces(&value.kind, &Type::Double) {
            return Err(refusal("TYPE_MISMATCH", expr.span, "the percentage of a sample must be a number"));
        }
        if value.kind == Type::Unknown {
            return Err(refusal("INVALID_ARGUMENTS", expr.span, "the percentage of a sample cannot be NULL"));
        }
        if let ExprKind::Literal(Literal::Integer(text) | Literal::Decimal(text) | Literal::Double(text)) = &expr.kind
            && let Ok(number) = text.parse::<f64>()
            && !(0.0..=100.0).contains(&number)
        {
            return Err(refusal("NUMERIC_VALUE_OUT_OF_RANGE", expr.span, "the percentage of a sample must be from 0 to 100"));
        }
        Ok(())
    }

    /// Notes that at least the column itself is read, if in the end none of its fields is.
    fn read_at_least(&mut self, value: &Value) {
        if let Some((column, span, how)) = value.read {
            self.at_least.push((column, self.place(span), how, self.views.first().copied()));
        }
    }
}

/// A column that is read only where it is named.
fn lazy(name: Option<Rc<str>>, value: Value) -> Field {
    let (column, place): (Option<ColumnId>, Option<Span>) = match value.read {
        Some((column, span, How::Named | How::Star | How::Using)) => (Some(column), Some(span)),
        None => (None, None),
    };
    Field { alias: None, name, kind: value.kind, hidden: false, flow: value.flow, column, place, terms: Terms::default() }
}

/// All fields with no term: nothing is pushed down through what made them.
pub(super) fn barrier(fields: &[Rc<Field>]) -> Rc<[Rc<Field>]> {
    fields.iter().map(|field| Rc::new(Field { terms: Terms::default(), ..field.as_ref().clone() })).collect()
}

/// Everything that flows into any of these fields.
pub(super) fn all_sources(fields: &[Rc<Field>]) -> Sources {
    let sets: Vec<Sources> = fields.iter().map(|field| field.flow.sources()).collect();
    Sources::union(&sets)
}
