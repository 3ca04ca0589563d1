//! Names resolved as Trino resolves them, with types, and with what flows where.
//!
//! The order in which a statement is walked is the server's (`StatementAnalyzer`, `ExpressionAnalyzer`, `AggregationAnalyzer` in its
//! sources), so that of several mistakes the same one is reported, at the same place. What is not understood is an error, never a guess.

mod call;
mod check;
mod expression;
mod finish;
mod flow;
mod group;
mod ids;
mod join;
mod json;
mod lambda;
mod literal;
mod name;
mod navigation;
mod operator;
mod pattern;
mod pushed;
mod query;
mod recursion;
mod relation;
mod scope;
mod select;
mod special;
mod star;
mod subquery;
mod table;
mod table_function;
mod template;
mod value;
mod walk;
mod window;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::core::sql::analysis::{
    Analysis, AnalysisError, ColumnId, ColumnPlace, ColumnUse, FunctionUse, How, Outermost, Star, TableId, TableUse,
};
use crate::core::sql::token::Span;
use crate::core::sql::tree::Statement;
use crate::core::sql::types::Type;
use crate::core::sql::world::{Session, World};

use ids::IdMap;
use pushed::Node;
use scope::Field;
use template::Influencing;

/// So much work one statement may make, in rough units of one node, field or scan. A statement over it is not analysed; the largest
/// of the TPC-DS statements makes about a hundredth of it.
const BUDGET: u32 = 3_000_000;

/// The most scans of one statement. WITH queries that refer to one another can double at each step.
const SCANS: usize = 20_000;

/// Why resolution stopped; boxed, as it is rare and large.
type Stop = Box<AnalysisError>;
type Outcome<T> = Result<T, Stop>;

/// Resolves every name of `statement` against `world` and works out what it reads, gives and depends on.
///
/// # Errors
/// What the server would refuse at analysis, and what we do not understand well enough to vouch for.
pub fn analyse(statement: &Statement, world: &World, session: &Session) -> Result<Analysis, AnalysisError> {
    let mut resolver = Resolver::new(world, session);
    resolver.statement(statement).map_err(|stop| *stop)
}

/// A refusal.
fn refusal(code: &'static str, span: Span, message: impl Into<String>) -> Stop {
    Box::new(AnalysisError { code, message: message.into(), span: Some(span) })
}

/// A refusal for which the server gives no place.
fn placeless(code: &'static str, message: impl Into<String>) -> Stop {
    Box::new(AnalysisError { code, message: message.into(), span: None })
}

/// The state of one resolution.
struct Resolver<'w> {
    world: &'w World,
    /// What short names mean: the statement's own, or a view's.
    catalog: String,
    schema: Option<String>,
    session: &'w Session,
    /// The views inside whose text we are, outermost first.
    views: Vec<TableId>,
    /// Where the outermost of them is named.
    view_place: Option<Span>,
    tables: Vec<TableUse>,
    table_index: HashMap<(String, String, String), TableId>,
    columns: Vec<ColumnUse>,
    /// Columns of views, and fields of rows, by their path.
    column_index: HashMap<(TableId, Vec<String>), ColumnId>,
    /// The columns of each base table with their names, hidden ones last.
    base_columns: IdMap<u32, Rc<[(ColumnId, Rc<str>)]>>,
    scans: Vec<ScanRecord>,
    /// Columns of scans.
    atoms: Vec<(u32, ColumnId)>,
    atom_index: IdMap<(u32, ColumnId), u32>,
    influences: Vec<Influencing>,
    functions: Vec<FunctionUse>,
    table_functions: Vec<FunctionUse>,
    cross_joins: Vec<Span>,
    stars: Vec<Star>,
    outermost: Outermost,
    /// What is known of expressions once they are resolved, by their address in the tree.
    facts: IdMap<usize, value::Fact>,
    /// Columns referred to, in the order of resolution.
    references: Vec<value::Reference>,
    /// Fields of the anchor of a recursive query, for the reference to it (by the address of its name).
    recursive: HashMap<usize, Vec<Field>>,
    /// What joins and WHERE say is equal.
    equalities: Vec<Equality>,
    /// The partition keys of the window functions of the SELECT being resolved.
    partitions: Vec<HashSet<u64>>,
    /// The relations of FROM, each with one that it is connected to.
    leaf_parents: Vec<u32>,
    /// By relation, which of them each field comes from.
    leaf_map: IdMap<u32, Rc<[u32]>>,
    /// The joins of the FROM being resolved.
    pairs: Vec<join::Pair>,
    /// Columns that are read as a whole if none of their fields is.
    at_least: Vec<(ColumnId, Span, How, Option<TableId>)>,
    /// Results of operators by their name and the types of both sides.
    operators: Vec<(&'static str, Type, Type, Type)>,
    /// The select items of the outermost query.
    output_spans: Vec<Span>,
    /// Whether columns of outer queries may be named in the query being resolved.
    correlated: bool,
    /// Whether the order being resolved decides on nothing: that of a subquery of which all rows are taken.
    idle_order: bool,
    /// References to columns of outer queries so far.
    outward: u32,
    /// Whether a constant decides on a CASE, IF or COALESCE.
    folds: bool,
    /// The first token of the query being resolved.
    query_start: u32,
    spent: u32,
    next_relation: u32,
    next_group: u32,
    /// Depth of subqueries; 0 is the outermost query.
    depth: u32,
    /// Whether the query being resolved is the argument of EXISTS, whose columns nobody takes.
    in_exists: bool,
}

/// `from = to` between two scans: a predicate on `from` holds for `to`.
#[derive(Debug, Clone)]
struct Equality {
    from: Rc<Node>,
    to: Rc<Node>,
}

/// One reading of a table.
#[derive(Debug, Clone)]
struct ScanRecord {
    table: TableId,
    conjuncts: Vec<Rc<Node>>,
    place: Span,
    /// False for patterns, of which references to WITH queries make copies.
    live: bool,
    limited: Option<u64>,
    versioned: bool,
    single: bool,
    sampled: bool,
}

impl<'w> Resolver<'w> {
    fn new(world: &'w World, session: &'w Session) -> Self {
        Self {
            world,
            catalog: session.catalog.to_lowercase(),
            schema: session.schema.as_ref().map(|schema| schema.to_lowercase()),
            session,
            views: Vec::new(),
            view_place: None,
            tables: Vec::new(),
            table_index: HashMap::new(),
            columns: Vec::new(),
            column_index: HashMap::new(),
            base_columns: IdMap::default(),
            scans: Vec::new(),
            atoms: Vec::new(),
            atom_index: IdMap::default(),
            influences: Vec::new(),
            functions: Vec::new(),
            table_functions: Vec::new(),
            cross_joins: Vec::new(),
            stars: Vec::new(),
            outermost: Outermost::default(),
            facts: IdMap::default(),
            references: Vec::new(),
            recursive: HashMap::new(),
            equalities: Vec::new(),
            partitions: Vec::new(),
            leaf_parents: Vec::new(),
            leaf_map: IdMap::default(),
            pairs: Vec::new(),
            at_least: Vec::new(),
            operators: Vec::new(),
            output_spans: Vec::new(),
            idle_order: false,
            outward: 0,
            folds: false,
            correlated: true,
            query_start: 0,
            spent: 0,
            next_relation: 0,
            next_group: 0,
            depth: 0,
            in_exists: false,
        }
    }

    /// Counts work, and stops a statement that makes too much of it.
    fn spend(&mut self, units: u32) -> Outcome<()> {
        self.spent = self.spent.saturating_add(units);
        if self.spent > BUDGET || self.scans.len() > SCANS {
            return Err(placeless("QUERY_HAS_TOO_MANY_STAGES", "the statement is too large to be analysed"));
        }
        Ok(())
    }

    fn scan_count(&self) -> u32 {
        u32::try_from(self.scans.len()).unwrap_or(u32::MAX)
    }

    fn next_relation(&mut self) -> u32 {
        self.next_relation += 1;
        self.next_relation
    }

    fn next_group(&mut self) -> u32 {
        self.next_group += 1;
        self.next_group
    }

    /// Where something stands for the reader of the statement: inside a view's text, where the view is named.
    fn place(&self, span: Span) -> Span {
        self.view_place.unwrap_or(span)
    }

    /// The atom of a column of a scan.
    fn atom(&mut self, scan: u32, column: ColumnId) -> u32 {
        let next = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX) << 1;
        *self.atom_index.entry((scan, column)).or_insert_with(|| {
            self.atoms.push((scan, column));
            next
        })
    }

    /// The entry of a column or field, made if it is new.
    fn column(&mut self, table: TableId, path: Vec<String>, hidden: bool) -> ColumnId {
        let next = ColumnId(u32::try_from(self.columns.len()).unwrap_or(u32::MAX));
        match self.column_index.entry((table, path)) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let path = new.key().1.clone();
                self.columns.push(ColumnUse { table, path, hidden, read: false, places: Vec::new() });
                *new.insert(next)
            }
        }
    }

    /// The entry of a field of a column.
    fn field_of(&mut self, column: ColumnId, field: &str) -> ColumnId {
        let Some(parent) = self.columns.get(column.0 as usize) else { return column };
        let (table, hidden) = (parent.table, parent.hidden);
        let mut path = parent.path.clone();
        path.push(field.to_lowercase());
        self.column(table, path, hidden)
    }

    /// Notes that a column is read at a place.
    fn read(&mut self, column: ColumnId, span: Span, how: How) {
        let span = self.place(span);
        let via = self.views.first().copied();
        if let Some(column) = self.columns.get_mut(column.0 as usize) {
            column.read = true;
            let known = column.places.iter().any(|place| {
                place.how == how && place.via == via && (place.span.first, place.span.last) == (span.first, span.last)
            });
            if !known {
                column.places.push(ColumnPlace { span, how, via });
            }
        }
    }

    /// Notes that a function is called.
    fn called(&mut self, name: &str, span: Span) {
        let span = self.place(span);
        let via = self.views.first().copied();
        let known = self
            .functions
            .iter()
            .rev()
            .take(64)
            .any(|function| function.name == name && function.via == via && function.span.first == span.first);
        if !known {
            self.functions.push(FunctionUse { name: name.to_owned(), span, via });
        }
    }
}
