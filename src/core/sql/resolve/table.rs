//! Tables, views, WITH queries and system tables by name.

use std::rc::Rc;
use std::sync::Arc;

use super::flow::{Flow, Shape, Sources};
use super::pushed::Terms;
use super::relation::{Relation, barrier};
use super::scope::{Field, Scope};
use super::value::Cx;
use super::{Outcome, Resolver, ScanRecord, placeless, refusal};
use crate::core::sql::analysis::{ColumnId, ColumnUse, Reason, TableId, TableKind, TableUse};
use crate::core::sql::coercion::coerces;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Ident, QualifiedName, QueryPeriod, Statement};
use crate::core::sql::types::Type;
use crate::core::sql::world::{WorldColumn, WorldTable, hidden_columns};

/// So deep may views refer to views.
const VIEWS: usize = 32;

/// The parts of a table's full name, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FullName {
    pub(super) catalog: String,
    pub(super) schema: String,
    pub(super) name: String,
}

impl std::fmt::Display for FullName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.catalog, self.schema, self.name)
    }
}

impl Resolver<'_> {
    /// The full name that a name means here.
    pub(super) fn full_name(&self, name: &QualifiedName) -> Outcome<FullName> {
        let schema = || {
            self.schema
                .clone()
                .ok_or_else(|| refusal("MISSING_SCHEMA_NAME", name.span, "the statement has no database to find its tables in"))
        };
        match name.parts.as_slice() {
            [table] => Ok(FullName { catalog: self.catalog.clone(), schema: schema()?, name: table.folded() }),
            [schema, table] => Ok(FullName { catalog: self.catalog.clone(), schema: schema.folded(), name: table.folded() }),
            [catalog, schema, table] => Ok(FullName { catalog: catalog.folded(), schema: schema.folded(), name: table.folded() }),
            _ => Err(placeless("SYNTAX_ERROR", format!("too many dots in table name: {}", name.text()))),
        }
    }

    /// A name in FROM.
    pub(super) fn table<'t>(
        &mut self,
        name: &'t QualifiedName,
        version: Option<&'t QueryPeriod>,
        renamed: Option<&Ident>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        self.spend(1)?;
        let alias = |parts: &[Ident]| -> Rc<[Box<str>]> {
            match renamed {
                Some(alias) => Rc::from([alias.folded().into_boxed_str()]),
                None => parts.iter().map(|part| part.folded().into_boxed_str()).collect(),
            }
        };
        if let [only] = name.parts.as_slice() {
            let lower = only.folded();
            if let Some(named) = scope.named(&lower) {
                let alias = alias(&name.parts);
                let fields = self.instantiate(&named)?.into_iter().map(|field| Field { alias: Some(Rc::clone(&alias)), ..field });
                return Ok(self.relation_of(scope, fields.collect(), named.one_row));
            }
            if let Some(mut fields) = self.recursive.get(&Self::address(name)).cloned() {
                let alias = alias(&name.parts);
                fields.iter_mut().for_each(|field| field.alias = Some(Rc::clone(&alias)));
                return Ok(self.relation_of(scope, fields, false));
            }
        }
        let full = self.full_name(name)?;
        let world = self.world;
        if let Some(table) = world.table(&full.catalog, &full.schema, &full.name) {
            if table.view.is_some() {
                return self.view(&full, table, alias(&name.parts), span, scope);
            }
            return self.base_table(&full, table, version, alias(&name.parts), span, scope);
        }
        if let Some(table) = world.table_about(&full.catalog, &full.schema, &full.name) {
            return self.base_table(&full, &table, version, alias(&name.parts), span, scope);
        }
        if !world.has_catalog(&full.catalog) {
            return Err(refusal("CATALOG_NOT_FOUND", span, format!("catalog '{}' not found", full.catalog)));
        }
        if !world.has_schema(&full.catalog, &full.schema) {
            return Err(refusal("SCHEMA_NOT_FOUND", span, format!("schema '{}' does not exist", full.schema)));
        }
        Err(refusal("TABLE_NOT_FOUND", span, format!("table '{full}' does not exist")))
    }

    /// The entry of a table; `place` is noted.
    pub(super) fn named_table(&mut self, full: &FullName, kind: TableKind, span: Span) -> TableId {
        let key = (full.catalog.clone(), full.schema.clone(), full.name.clone());
        let place = self.place(span);
        let via = self.views.first().copied();
        let next = TableId(u32::try_from(self.tables.len()).unwrap_or(u32::MAX));
        let id = *self.table_index.entry(key).or_insert(next);
        if id == next {
            self.tables.push(TableUse {
                catalog: full.catalog.clone(),
                schema: full.schema.clone(),
                name: full.name.clone(),
                kind,
                places: Vec::new(),
                via,
            });
        }
        if let Some(table) = self.tables.get_mut(id.0 as usize) {
            if via.is_none() {
                table.via = None;
            }
            if !table.places.iter().any(|known| (known.first, known.last) == (place.first, place.last)) {
                table.places.push(place);
            }
        }
        id
    }

    fn base_table<'t>(
        &mut self,
        full: &FullName,
        table: &WorldTable,
        version: Option<&'t QueryPeriod>,
        alias: Rc<[Box<str>]>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        if let Some(version) = version {
            let cx: Cx<'t> = self.cx(scope);
            let value = self.value(&version.end, &cx)?;
            let _ = self.settle(&value);
            if value.kind == Type::Unknown {
                return Err(refusal("INVALID_ARGUMENTS", version.span, "the version cannot be NULL"));
            }
            if !version.version && !matches!(value.kind, Type::Date | Type::Timestamp(_) | Type::TimestampTz(_)) {
                let message = format!("FOR TIMESTAMP needs a timestamp or a date, but this is {}", value.kind);
                return Err(refusal("TYPE_MISMATCH", version.span, message));
            }
        }
        let kind = if full.schema == "information_schema" {
            TableKind::InformationSchema
        } else if full.name.contains('$') {
            TableKind::Metadata
        } else {
            TableKind::Table
        };
        let id = self.named_table(full, kind, span);
        let scan = self.scan_count();
        let place = self.place(span);
        self.scans.push(ScanRecord {
            table: id,
            conjuncts: Vec::new(),
            place,
            live: true,
            limited: None,
            single: false,
            sampled: false,
            versioned: version.is_some(),
        });
        let hidden = if kind == TableKind::Table { hidden_columns() } else { &[] };
        let mut fields = Vec::with_capacity(table.columns.len() + hidden.len());
        self.spend(u32::try_from(table.columns.len()).unwrap_or(u32::MAX) / 4)?;
        let columns = table.columns.iter().map(|column| (column, false)).chain(hidden.iter().map(|column| (column, true)));
        let entries = self.base_columns(id, table, hidden);
        for ((column, hidden), (entry, name)) in columns.zip(entries.iter()) {
            // A type that we cannot read fits nowhere: the column can be named, not computed with.
            let kind = column.kind.clone().unwrap_or(Type::Opaque("unreadable"));
            let entry = *entry;
            let atom = self.atom(scan, entry);
            fields.push(Field {
                alias: Some(Rc::clone(&alias)),
                name: Some(Rc::clone(name)),
                kind: kind.clone(),
                hidden,
                flow: Flow { shape: Shape::Column { scan, column: entry, kind: kind.clone(), atom }, extra: Sources::default() },
                column: Some(entry),
                place: None,
                terms: Terms::column(scan, Arc::clone(&column.name), kind),
            });
        }
        let mut relation = self.relation_of(scope, fields, false);
        relation.stream = vec![scan];
        Ok(relation)
    }

    /// The columns of a table, made where it is named first.
    fn base_columns(&mut self, id: TableId, table: &WorldTable, hidden: &[WorldColumn]) -> Rc<[(ColumnId, Rc<str>)]> {
        if let Some(known) = self.base_columns.get(&id.0) {
            return Rc::clone(known);
        }
        let both = table.columns.iter().map(|column| (column, false)).chain(hidden.iter().map(|column| (column, true)));
        let made: Rc<[(ColumnId, Rc<str>)]> = both
            .map(|(column, hidden)| {
                let entry = ColumnId(u32::try_from(self.columns.len()).unwrap_or(u32::MAX));
                let path = vec![column.name.to_string()];
                self.columns.push(ColumnUse { table: id, path, hidden, read: false, places: Vec::new() });
                (entry, column.name.as_ref().into())
            })
            .collect();
        self.base_columns.insert(id.0, Rc::clone(&made));
        made
    }

    /// A view: its text, resolved where it is named; then its columns as its definition declares them.
    fn view(
        &mut self,
        full: &FullName,
        table: &Arc<WorldTable>,
        alias: Rc<[Box<str>]>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        let id = self.named_table(full, TableKind::View, span);
        if self.views.contains(&id) || self.views.len() >= VIEWS {
            return Err(refusal("VIEW_IS_RECURSIVE", span, format!("the view '{full}' refers to itself")));
        }
        let invalid =
            |message: String| refusal("INVALID_VIEW", span, format!("the stored view '{full}' cannot be analysed: {message}"));
        let parsed = table.parsed_view().map_err(|error| invalid(error.to_string()))?;
        let Statement::Query(root) = &parsed.statement else {
            return Err(invalid("it is not a query".to_owned()));
        };
        if !root.functions.is_empty() || !root.session.is_empty() {
            return Err(refusal("NOT_SUPPORTED", span, format!("the view '{full}' contains inline functions")));
        }
        // Inside, names mean what they meant where the view was made, and nothing outside is seen.
        let place = self.place(span);
        let catalog = std::mem::replace(&mut self.catalog, full.catalog.clone());
        let schema = self.schema.replace(full.schema.clone());
        let outer_place = self.view_place.replace(place);
        let in_exists = std::mem::replace(&mut self.in_exists, false);
        let correlated = std::mem::replace(&mut self.correlated, true);
        let windows = std::mem::take(&mut self.partitions);
        self.views.push(id);
        self.depth += 1;
        let relation = self.whole_query(&root.query);
        self.depth -= 1;
        self.views.pop();
        self.partitions = windows;
        self.correlated = correlated;
        self.in_exists = in_exists;
        self.view_place = outer_place;
        self.schema = schema;
        self.catalog = catalog;
        let relation = relation.map_err(|stop| {
            if stop.code == "QUERY_HAS_TOO_MANY_STAGES" { stop } else { invalid(format!("{}: {}", stop.code, stop.message)) }
        })?;

        let visible: Vec<&Rc<Field>> = relation.fields.iter().filter(|field| !field.hidden).collect();
        if visible.len() != table.columns.len() {
            let message = format!("the view '{full}' declares {} columns, but gives {}", table.columns.len(), visible.len());
            return Err(refusal("VIEW_IS_STALE", span, message));
        }
        let mut fields = Vec::with_capacity(visible.len());
        for (declared, field) in table.columns.iter().zip(visible) {
            let given = field.name.as_deref().unwrap_or_default();
            let Some(kind) = declared.kind.clone() else {
                return Err(invalid(format!("the type of column '{}' cannot be read", declared.name)));
            };
            if !super::scope::same_name(given, &declared.name) || !coerces(&field.kind, &kind) {
                let message = format!("the view '{full}' declares {} {kind}, but gives {given} {}", declared.name, field.kind);
                return Err(refusal("VIEW_IS_STALE", span, message));
            }
            let entry = self.column(id, vec![declared.name.to_string()], false);
            let same = field.kind == kind;
            fields.push(Field {
                alias: Some(Rc::clone(&alias)),
                name: Some(declared.name.as_ref().into()),
                flow: field.flow.clone(),
                terms: if same { field.terms.clone() } else { Terms::apply("cast", &[&field.terms], &kind, true) },
                kind,
                hidden: false,
                column: Some(entry),
                place: None,
            });
        }
        let mut out = self.relation_of(scope, fields, relation.one_row);
        out.stream = relation.stream;
        Ok(out)
    }

    /// Notes that a set of columns decides on the result.
    pub(super) fn influence(&mut self, sources: Sources, reason: Reason, span: Span) {
        if !sources.is_empty() {
            let span = self.place(span);
            self.influences.push(super::template::Influencing { sources, reason, span, idle: self.idle_order });
        }
    }

    /// `TABLE t` as a query: all columns, hidden ones too.
    pub(super) fn table_body(&mut self, name: &QualifiedName, scope: &Rc<Scope>) -> Outcome<Relation> {
        // The server points at TABLE.
        let at = Span::new(name.span.first.saturating_sub(1), name.span.last);
        let relation = self.table(name, None, None, at, scope)?;
        for field in relation.fields.iter().filter(|field| !field.hidden) {
            if let Some(column) = field.column {
                self.read(column, name.span, crate::core::sql::analysis::How::Star);
            }
        }
        Ok(relation)
    }

    /// The same relation, through which nothing is pushed down.
    pub(super) fn stopped(&mut self, relation: Relation) -> Relation {
        Relation { fields: barrier(&relation.fields), ..relation }
    }
}
