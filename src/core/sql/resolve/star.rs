//! `*`, `t.*` and `row.*`.

use std::rc::Rc;

use super::flow::Flow;
use super::pushed::Terms;
use super::relation::Relation;
use super::scope::{Field, Scope, folded};
use super::select::Item;
use super::value::{Cx, FieldId, key_of};
use super::{Outcome, Resolver, placeless, refusal};
use crate::core::sql::analysis::{How, Star};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Expr, ExprKind, Ident, Select};
use crate::core::sql::types::Type;

/// What `a.b.*` is about.
enum Basis {
    /// The columns of a relation, in this scope.
    Table(Rc<Scope>),
    /// A row.
    Field,
}

impl Resolver<'_> {
    /// `*`.
    pub(super) fn star<'t>(
        &mut self,
        span: Span,
        select: &'t Select,
        source: &Relation,
        items: &mut Vec<Item<'t>>,
    ) -> Outcome<()> {
        let visible: Vec<(u32, Rc<Field>)> = (0u32..)
            .zip(source.fields.iter())
            .filter(|(_, field)| !field.hidden)
            .map(|(index, field)| (index, Rc::clone(field)))
            .collect();
        if visible.is_empty() {
            let message = if select.from.is_empty() { "SELECT * needs FROM" } else { "SELECT * from a relation without columns" };
            return Err(refusal("COLUMN_NOT_FOUND", span, message));
        }
        self.expand(&visible, source.scope.relation, None, span, true, items)
    }

    /// `base.*`.
    #[allow(clippy::too_many_arguments, reason = "all parts of one select item")]
    pub(super) fn star_of<'t>(
        &mut self,
        base: &'t Expr,
        aliases: Option<&'t [Ident]>,
        span: Span,
        select: &'t Select,
        cx: &Cx<'t>,
        source: &Relation,
        items: &mut Vec<Item<'t>>,
    ) -> Outcome<()> {
        if let ExprKind::Name(parts) = &base.kind {
            let prefix = folded(parts);
            let basis = self.basis(&prefix, &source.scope, span)?;
            let Some(basis) = basis else {
                let message = format!("there is no relation or row {}", super::name::dotted(parts));
                return Err(refusal("TABLE_NOT_FOUND", span, message));
            };
            if let Basis::Table(scope) = basis {
                let fields: Vec<(u32, Rc<Field>)> = (0u32..)
                    .zip(scope.fields.iter())
                    .filter(|(_, field)| !field.hidden && field.matches_prefix(&prefix))
                    .map(|(index, field)| (index, Rc::clone(field)))
                    .collect();
                if fields.is_empty() {
                    return Err(refusal("COLUMN_NOT_FOUND", span, "SELECT * from a relation without columns"));
                }
                let local = source.scope.local_scopes().any(|local| local.relation == scope.relation);
                if !local && fields.iter().any(|(_, field)| field.name.is_none()) {
                    let message = "SELECT * from a relation of an outer query needs names for all its columns";
                    return Err(refusal("NOT_SUPPORTED", Span::at(select.span.first), message));
                }
                if !local && !self.correlated {
                    return Err(refusal("NOT_SUPPORTED", span, "a column of an outer query is not allowed here"));
                }
                return self.expand(&fields, scope.relation, aliases, span, local, items);
            }
        }
        let value = self.value(base, cx)?;
        let Type::Row(fields) = value.kind.clone() else {
            return Err(refusal(
                "TYPE_MISMATCH",
                Span::at(select.span.first),
                format!("'.*' needs a row, but this is {}", value.kind),
            ));
        };
        names_fit(aliases, fields.len())?;
        let mut columns = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let part = self.row_field(value.clone(), index);
            let flow = self.settle(&part);
            let name: Option<Rc<str>> = match aliases.and_then(|aliases| aliases.get(index)) {
                Some(alias) => Some(alias.text.as_ref().into()),
                None => field.name.as_deref().map(Into::into),
            };
            columns.push(name.as_ref().map(|name| (None, name.to_string())));
            items.push(item(name, field.kind.clone(), flow, key_of("[]", [value.key, index as u64]), span, Some(base), None));
        }
        self.noted(span, columns, value.read.is_some());
        Ok(())
    }

    /// Whether `a.b` before `.*` is a relation or a row, looking outwards.
    fn basis(&mut self, prefix: &[Box<str>], scope: &Rc<Scope>, span: Span) -> Outcome<Option<Basis>> {
        let mut current = scope;
        loop {
            let table = (prefix.len() <= 3)
                .then(|| {
                    current
                        .local_scopes()
                        .find(|scope| scope.fields.iter().any(|field| field.alias.is_some() && field.matches_prefix(prefix)))
                })
                .flatten();
            let row = match prefix {
                [table, column, ..] => current.local_scopes().any(|scope| {
                    scope.fields.iter().any(|field| {
                        field.alias.is_some()
                            && field.matches_prefix(std::slice::from_ref(table))
                            && field.name.as_deref() == Some(column.as_ref())
                            && matches!(field.kind, Type::Row(_))
                    })
                }),
                _ => false,
            };
            match (table, row) {
                (Some(_), true) => return Err(refusal("AMBIGUOUS_NAME", span, "this is both a relation and a row")),
                (Some(scope), false) => return Ok(Some(Basis::Table(Rc::clone(scope)))),
                (None, true) => return Ok(Some(Basis::Field)),
                (None, false) => {}
            }
            match current.outer() {
                Some(outer) => current = outer,
                None => return Ok(None),
            }
        }
    }

    fn expand<'t>(
        &mut self,
        fields: &[(u32, Rc<Field>)],
        relation: u32,
        aliases: Option<&[Ident]>,
        span: Span,
        local: bool,
        items: &mut Vec<Item<'t>>,
    ) -> Outcome<()> {
        names_fit(aliases, fields.len())?;
        self.spend(u32::try_from(fields.len()).unwrap_or(u32::MAX))?;
        let mut columns = Vec::with_capacity(fields.len());
        let mut of_table = false;
        for (position, (index, field)) in fields.iter().enumerate() {
            if let Some(column) = field.column {
                of_table = true;
                self.read(column, field.place.unwrap_or(span), How::Star);
            }
            let id: FieldId = (relation, *index);
            self.references.push(super::value::Reference { field: id, span, lambda: false });
            let name: Option<Rc<str>> = match aliases.and_then(|aliases| aliases.get(position)) {
                Some(alias) => Some(alias.text.as_ref().into()),
                None => field.name.clone(),
            };
            columns.push(
                field
                    .name
                    .as_ref()
                    .map(|name| (field.alias.as_ref().and_then(|alias| alias.last()).map(ToString::to_string), name.to_string())),
            );
            let key = key_of("column", [u64::from(id.0), u64::from(id.1)]);
            let mut item = item(name, field.kind.clone(), field.flow.clone(), key, span, None, Some(id));
            if local {
                item.terms = field.terms.clone();
            } else {
                // A column of an outer query is constant here.
                item.field = None;
            }
            items.push(item);
        }
        self.noted(span, columns, of_table);
        Ok(())
    }

    fn noted(&mut self, span: Span, columns: Vec<Option<(Option<String>, String)>>, of_table: bool) {
        if self.views.is_empty() {
            self.stars.push(Star { span, columns, outermost: self.depth == 0, of_table, in_exists: self.in_exists });
        }
    }
}

fn item<'t>(
    name: Option<Rc<str>>,
    kind: Type,
    flow: Flow,
    key: u64,
    span: Span,
    expr: Option<&'t Expr>,
    field: Option<FieldId>,
) -> Item<'t> {
    // Names that a star brings compare as if written without quotes.
    let label = name.as_ref().map(|name| name.to_uppercase());
    Item { name, label, kind, flow, terms: Terms::default(), key, expr, field, span }
}

fn names_fit(aliases: Option<&[Ident]>, width: usize) -> Outcome<()> {
    match aliases {
        Some(aliases) if aliases.len() != width => {
            let message = format!("{} names are given for {width} columns", aliases.len());
            Err(match aliases.first() {
                Some(first) => refusal("MISMATCHED_COLUMN_ALIASES", first.span(), message),
                None => placeless("MISMATCHED_COLUMN_ALIASES", message),
            })
        }
        _ => Ok(()),
    }
}
