//! Statements as a whole, and what was found out about them, put together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::ids::IdMap;
use super::pushed::{Node, Reach};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::{Analysis, ColumnId, Influence, Output, Reason, Scan, Source, TableKind};
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Explain, Limit, QualifiedName, Query, QueryBody, RootQuery, RowCountKind, ShowKind, Statement};
use crate::core::sql::types::Type;

/// The most predicates that equalities may add.
const INFERRED: usize = 1_000;

impl Resolver<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Outcome<Analysis> {
        match statement {
            Statement::Query(root) => self.root(root),
            Statement::Explain(explain) => self.explain(explain),
            Statement::Describe(describe) => self.about(&describe.table),
            Statement::Show(show) => match &show.what {
                ShowKind::Columns { table, .. }
                | ShowKind::Stats(table)
                | ShowKind::Partitions(table)
                | ShowKind::Properties { table, .. }
                | ShowKind::Branches(table) => self.about(table),
                ShowKind::StatsFor(root) => self.root(root),
                _ => Ok(self.finish(&[])),
            },
            Statement::Other(other) => {
                Err(refusal("NOT_SUPPORTED", other.span, format!("{} statements are known by name only", other.kind)))
            }
        }
    }

    fn explain(&mut self, explain: &Explain) -> Outcome<Analysis> {
        let mut analysis = self.statement(&explain.statement)?;
        analysis.output =
            vec![Output { name: Some("Query Plan".to_owned()), kind: Type::VARCHAR, sources: Vec::new(), span: None }];
        Ok(analysis)
    }

    /// A statement about one table, of which it reads no column.
    fn about(&mut self, name: &QualifiedName) -> Outcome<Analysis> {
        let full = self.full_name(name)?;
        let kind = match self.world.table(&full.catalog, &full.schema, &full.name) {
            Some(table) if table.view.is_some() => TableKind::View,
            Some(_) => TableKind::Table,
            None if self.world.table_about(&full.catalog, &full.schema, &full.name).is_some() => TableKind::Metadata,
            None => return Err(refusal("TABLE_NOT_FOUND", name.span, format!("table '{full}' does not exist"))),
        };
        self.named_table(&full, kind, name.span);
        Ok(self.finish(&[]))
    }

    fn root(&mut self, root: &RootQuery) -> Outcome<Analysis> {
        if let Some(function) = root.functions.first() {
            return Err(super::expression::newer(function.span, "an inline function"));
        }
        if let Some(property) = root.session.first() {
            return Err(super::expression::newer(property.name.span, "WITH SESSION"));
        }
        let relation = self.whole_query(&root.query)?;
        self.outermost(&root.query);
        self.outermost.one_row = relation.one_row;
        let fields: Vec<_> = relation.fields.iter().filter(|field| !field.hidden).cloned().collect();
        Ok(self.finish(&fields))
    }

    fn outermost(&mut self, query: &Query) {
        // Parentheses around the whole say nothing.
        let mut query = query;
        while let (true, None, None, QueryBody::Parenthesized(inner)) =
            (query.order_by.is_empty(), &query.limit, &query.offset, &query.body)
        {
            query = inner;
        }
        if let (Some(first), Some(last)) = (query.order_by.first(), query.order_by.last()) {
            self.outermost.order_by = Some(Span::new(first.span.first.saturating_sub(2), last.span.last));
        }
        self.outermost.limit = query.limit.as_ref().map(|limit| match limit {
            Limit::All(span) => (*span, None),
            Limit::Rows(rows, span) => {
                let count = match &rows.kind {
                    RowCountKind::Number(text) => text.parse().ok(),
                    RowCountKind::Placeholder | RowCountKind::Parameter(_) => None,
                };
                (*span, count)
            }
            Limit::Fetch { rows, span, .. } => {
                let count = match rows.as_ref().map(|rows| &rows.kind) {
                    None => Some(1),
                    Some(RowCountKind::Number(text)) => text.parse().ok(),
                    Some(_) => None,
                };
                (*span, count)
            }
        });
    }

    /// Everything that was found out.
    fn finish(&mut self, fields: &[Rc<super::scope::Field>]) -> Analysis {
        for (column, span, how, via) in std::mem::take(&mut self.at_least) {
            self.read_unless_a_field_is(column, span, how, via);
        }
        let spans = std::mem::take(&mut self.output_spans);
        let mut needed: IdMap<u32, BTreeSet<ColumnId>> = IdMap::default();
        let mut output = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let sources = field.flow.sources();
            let mut found: BTreeSet<Source> = BTreeSet::new();
            for atom in sources.as_slice() {
                let Some((scan, column)) = self.atoms.get((atom >> 1) as usize).copied() else { continue };
                needed.entry(scan).or_default().insert(column);
                found.insert(Source { column, counted: atom & 1 == 1 });
            }
            // A column that arrives itself does not also arrive counted.
            let whole: HashSet<ColumnId> = found.iter().filter(|source| !source.counted).map(|source| source.column).collect();
            found.retain(|source| !source.counted || !whole.contains(&source.column));
            output.push(Output {
                name: field.name.as_ref().map(ToString::to_string),
                kind: field.kind.clone(),
                sources: found.into_iter().collect(),
                span: spans.get(index).copied(),
            });
        }
        let mut influences = Vec::new();
        let mut known: HashSet<(ColumnId, Reason, bool, u32, u32)> = HashSet::new();
        for influence in std::mem::take(&mut self.influences) {
            for atom in influence.sources.as_slice() {
                let Some((scan, column)) = self.atoms.get((atom >> 1) as usize).copied() else { continue };
                if !influence.idle {
                    needed.entry(scan).or_default().insert(column);
                }
                let counted = atom & 1 == 1;
                if known.insert((column, influence.reason, counted, influence.span.first, influence.span.last)) {
                    influences.push(Influence { column, reason: influence.reason, counted, span: influence.span });
                }
            }
        }
        self.infer();
        let mut scans = Vec::new();
        for (index, scan) in (0u32..).zip(std::mem::take(&mut self.scans)) {
            if scan.live {
                scans.push(Scan {
                    table: scan.table,
                    columns: needed.remove(&index).unwrap_or_default().into_iter().collect(),
                    conjuncts: scan.conjuncts.iter().map(|node| node.term()).collect(),
                    place: scan.place,
                    limited: scan.limited,
                    versioned: scan.versioned,
                    single: scan.single,
                    sampled: scan.sampled,
                });
            }
        }
        Analysis {
            tables: std::mem::take(&mut self.tables),
            columns: std::mem::take(&mut self.columns),
            output,
            influences,
            functions: std::mem::take(&mut self.functions),
            table_functions: std::mem::take(&mut self.table_functions),
            cross_joins: std::mem::take(&mut self.cross_joins),
            stars: std::mem::take(&mut self.stars),
            scans,
            folds: self.folds,
            outermost: std::mem::take(&mut self.outermost),
        }
    }

    fn read_unless_a_field_is(
        &mut self,
        column: ColumnId,
        span: Span,
        how: crate::core::sql::analysis::How,
        via: Option<crate::core::sql::analysis::TableId>,
    ) {
        let Some(own) = self.columns.get(column.0 as usize) else { return };
        let (table, path) = (own.table, own.path.clone());
        let read = self.columns.iter().any(|other| other.read && other.table == table && other.path.starts_with(&path));
        if !read && let Some(own) = self.columns.get_mut(column.0 as usize) {
            own.read = true;
            own.places.push(crate::core::sql::analysis::ColumnPlace { span, how, via });
        }
    }

    /// What holds for a column holds for those that joins say are equal to it.
    fn infer(&mut self) {
        if self.equalities.is_empty() {
            return;
        }
        let mut by_column: HashMap<(u32, String), Vec<Rc<Node>>> = HashMap::new();
        for equality in &self.equalities {
            if let Some((scan, name)) = equality.from.as_column()
                && matches!(equality.to.reach(), Reach::One(_))
            {
                by_column.entry((scan, name.to_owned())).or_default().push(Rc::clone(&equality.to));
            }
        }
        let mut work: Vec<(u32, Rc<Node>)> = Vec::new();
        for (index, scan) in (0u32..).zip(&self.scans) {
            work.extend(scan.conjuncts.iter().map(|node| (index, Rc::clone(node))));
        }
        let mut added = 0;
        while let Some((scan, node)) = work.pop() {
            let Some(column) = node.first_column().map(str::to_owned) else { continue };
            if !node.only(scan, &column) {
                continue;
            }
            for target in by_column.get(&(scan, column.clone())).into_iter().flatten() {
                let Reach::One(other) = target.reach() else { continue };
                let moved = node.with(target);
                if added >= INFERRED {
                    return;
                }
                if let Some(record) = self.scans.get_mut(other as usize) {
                    let known = moved.term();
                    if record.conjuncts.iter().any(|old| old.term() == known) {
                        continue;
                    }
                    record.conjuncts.push(Rc::clone(&moved));
                    added += 1;
                    work.push((other, moved));
                }
            }
        }
    }
}
