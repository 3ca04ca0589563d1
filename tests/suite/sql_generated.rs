//! Random queries whose lineage is known because they are made with it. What we say of each must be just that; and, run in DataFusion
//! on small random tables, changing the values of one column must change nothing that we say does not depend on it.
//!
//! `PROPTEST_CASES=100000 cargo test --test runner sql_generated` tries more of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use tollgate::core::sql::analysis::{Analysis, ColumnId};
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, World, WorldColumn, WorldTable};

/// Types of the small schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

/// The tables: names, and columns with their types.
const TABLES: [(&str, &[(&str, Kind)]); 2] = [
    ("p", &[("id", Kind::Number), ("secret", Kind::Number), ("city", Kind::Text), ("note", Kind::Text)]),
    ("q", &[("id", Kind::Number), ("secret", Kind::Text), ("amount", Kind::Number), ("city", Kind::Text)]),
];

/// Few, so that the same name means different things at different places.
const NAMES: [&str; 6] = ["id", "secret", "city", "note", "amount", "x"];

/// Columns of tables, `p.secret`.
type Set = BTreeSet<String>;

/// A column that can be named.
#[derive(Debug, Clone)]
struct Column {
    qualifier: String,
    name: String,
    kind: Kind,
    flow: Set,
}

/// An expression and what flows into it.
struct Expression {
    sql: String,
    flow: Set,
}

/// A query and what flows into each of its columns.
#[derive(Debug, Clone)]
struct Generated {
    sql: String,
    columns: Vec<(String, Kind, Set)>,
}

/// A WITH query in reach.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    query: Generated,
    influences: Set,
}

/// Makes queries out of a list of choices; once the list is used up every choice is the simplest.
struct Maker<'a> {
    choices: &'a [u16],
    influences: Set,
    aliases: usize,
    named: Vec<Named>,
    /// Whether only what DataFusion runs too is made.
    runs: bool,
}

impl<'a> Maker<'a> {
    fn new(choices: &'a [u16], runs: bool) -> Self {
        Self { choices, influences: Set::new(), aliases: 0, named: Vec::new(), runs }
    }

    /// A choice among `count`.
    fn pick(&mut self, count: usize) -> usize {
        match self.choices.split_first() {
            Some((first, rest)) => {
                self.choices = rest;
                usize::from(*first) % count
            }
            None => 0,
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    /// So many different names.
    fn names(&mut self, count: usize) -> Vec<String> {
        let mut free: Vec<&str> = NAMES.to_vec();
        (0..count)
            .map(|_| {
                let index = self.pick(free.len());
                free.remove(index).to_owned()
            })
            .collect()
    }

    fn query(&mut self, depth: usize, wanted: Option<&[Kind]>) -> Generated {
        if depth == 0 {
            return self.select(0, wanted);
        }
        match self.pick(8) {
            5 => self.set_operation(depth - 1, wanted),
            6 => self.with(depth - 1, wanted),
            7 => self.ordered(depth - 1, wanted),
            _ => self.select(depth - 1, wanted),
        }
    }

    fn set_operation(&mut self, depth: usize, wanted: Option<&[Kind]>) -> Generated {
        let left = self.query(depth, wanted);
        let kinds: Vec<Kind> = left.columns.iter().map(|column| column.1).collect();
        let right = self.query(depth, Some(&kinds));
        let operator = ["UNION ALL", "UNION", "INTERSECT", "EXCEPT"][self.pick(4)];
        if operator != "UNION ALL" {
            for (_, _, flow) in left.columns.iter().chain(&right.columns) {
                self.influences.extend(flow.iter().cloned());
            }
        }
        let mut columns = left.columns;
        if operator != "EXCEPT" {
            for (column, (_, _, flow)) in columns.iter_mut().zip(right.columns) {
                column.2.extend(flow);
            }
        }
        // A WITH query cannot stand in parentheses of its own there.
        let (a, b) = (self.alias(), self.alias());
        let sql = format!("SELECT * FROM ({}) AS {a} {operator} (SELECT * FROM ({}) AS {b})", left.sql, right.sql);
        Generated { sql, columns }
    }

    fn with(&mut self, depth: usize, wanted: Option<&[Kind]>) -> Generated {
        let before = std::mem::take(&mut self.influences);
        let mut query = self.query(depth, None);
        let influences = std::mem::replace(&mut self.influences, before);
        // Often the name of a table, which it shadows.
        let name = ["w", "p", "q"][self.pick(3)].to_owned();
        let mut head = name.clone();
        if self.pick(2) == 1 {
            let names = self.names(query.columns.len());
            let _ = write!(head, "({})", names.join(", "));
            for (column, name) in query.columns.iter_mut().zip(names) {
                column.0 = name;
            }
        }
        let text = query.sql.clone();
        self.named.push(Named { name, query, influences });
        let body = self.select(depth, wanted);
        self.named.pop();
        Generated { sql: format!("WITH {head} AS ({text}) {}", body.sql), columns: body.columns }
    }

    fn ordered(&mut self, depth: usize, wanted: Option<&[Kind]>) -> Generated {
        let inner = self.query(depth, wanted);
        let alias = self.alias();
        let keys: Vec<String> = (1..=inner.columns.len()).map(|position| position.to_string()).collect();
        for (_, _, flow) in &inner.columns {
            self.influences.extend(flow.iter().cloned());
        }
        let limit = self.pick(3) + 1;
        let sql = format!("SELECT * FROM ({}) AS {alias} ORDER BY {} LIMIT {limit}", inner.sql, keys.join(", "));
        Generated { sql, columns: inner.columns }
    }

    /// A relation of FROM: its text and its columns.
    fn from(&mut self, depth: usize) -> (String, Vec<Column>) {
        if depth == 0 {
            return self.table();
        }
        match self.pick(8) {
            3 => self.derived(depth - 1),
            4..=6 => self.join(depth - 1),
            7 if !self.runs => self.unnest(depth - 1),
            _ => self.table(),
        }
    }

    fn table(&mut self) -> (String, Vec<Column>) {
        let alias = self.alias();
        let choice = self.pick(TABLES.len() + self.named.len());
        if let Some(named) = choice.checked_sub(TABLES.len()).and_then(|index| self.named.get(index).cloned()) {
            // The innermost of the name.
            let Some(meant) = self.named.iter().rev().find(|other| other.name == named.name).cloned() else {
                return (String::new(), Vec::new());
            };
            self.influences.extend(meant.influences.iter().cloned());
            return self.under(&format!("{} AS {alias}", meant.name), &alias, meant.query.columns);
        }
        let (table, columns) = TABLES[choice.min(TABLES.len() - 1)];
        let columns =
            columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind, Set::from([format!("{table}.{name}")]))).collect();
        // With its schema, so that no WITH query is meant.
        self.under(&format!("s.{table} AS {alias}"), &alias, columns)
    }

    /// Columns under an alias, perhaps renamed.
    fn under(&mut self, sql: &str, alias: &str, mut columns: Vec<(String, Kind, Set)>) -> (String, Vec<Column>) {
        let mut sql = sql.to_owned();
        if self.pick(4) == 3 {
            let names = self.names(columns.len());
            let _ = write!(sql, "({})", names.join(", "));
            for (column, name) in columns.iter_mut().zip(names) {
                column.0 = name;
            }
        }
        let columns =
            columns.into_iter().map(|(name, kind, flow)| Column { qualifier: alias.to_owned(), name, kind, flow }).collect();
        (sql, columns)
    }

    fn derived(&mut self, depth: usize) -> (String, Vec<Column>) {
        let query = self.query(depth, None);
        let alias = self.alias();
        self.under(&format!("({}) AS {alias}", query.sql), &alias, query.columns)
    }

    fn join(&mut self, depth: usize) -> (String, Vec<Column>) {
        let (left_sql, left) = self.from(depth);
        let (right_sql, right) = self.table();
        let kind = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][self.pick(4)];
        let shared: Vec<(Column, Column)> = left
            .iter()
            .filter(|column| left.iter().filter(|other| other.name == column.name).count() == 1)
            .filter_map(|column| {
                right
                    .iter()
                    .find(|other| other.name == column.name && other.kind == column.kind)
                    .map(|other| (column.clone(), other.clone()))
            })
            .collect();
        match self.pick(4) {
            0 => {
                let all: Vec<Column> = left.iter().chain(&right).cloned().collect();
                (format!("{left_sql} CROSS JOIN {right_sql}"), all)
            }
            1 if !shared.is_empty() => {
                let (a, b) = shared[self.pick(shared.len())].clone();
                let mut flow = a.flow.clone();
                flow.extend(b.flow.iter().cloned());
                self.influences.extend(flow.iter().cloned());
                let mut columns = vec![Column { qualifier: String::new(), name: a.name.clone(), kind: a.kind, flow }];
                let rest = |column: &&Column| column.name != a.name;
                columns.extend(left.iter().filter(rest).cloned());
                columns.extend(right.iter().filter(rest).cloned());
                (format!("{left_sql} {kind} {right_sql} USING ({})", a.name), columns)
            }
            _ => {
                let all: Vec<Column> = left.iter().chain(&right).cloned().collect();
                let a = self.column_among(&left, &all, Kind::Number);
                let b = self.column_among(&right, &all, Kind::Number);
                self.influences.extend(a.flow.into_iter().chain(b.flow));
                (format!("{left_sql} {kind} {right_sql} ON {} = {}", a.sql, b.sql), all)
            }
        }
    }

    fn unnest(&mut self, depth: usize) -> (String, Vec<Column>) {
        let (sql, mut columns) = self.from(depth);
        let alias = self.alias();
        let (a, b) = (self.expression(Kind::Number, &columns, 0), self.expression(Kind::Number, &columns, 0));
        let c = self.expression(Kind::Text, &columns, 0);
        let name = self.names(3);
        let mut first = a.flow.clone();
        first.extend(b.flow.iter().cloned());
        self.influences.extend(first.iter().cloned());
        self.influences.extend(c.flow.iter().cloned());
        let text = format!(
            "{sql} CROSS JOIN UNNEST(ARRAY[{}, {}], ARRAY[{}]) WITH ORDINALITY AS {alias}({})",
            a.sql,
            b.sql,
            c.sql,
            name.join(", ")
        );
        let flows = [(Kind::Number, first), (Kind::Text, c.flow), (Kind::Number, Set::new())];
        for (name, (kind, flow)) in name.into_iter().zip(flows) {
            columns.push(Column { qualifier: alias.clone(), name, kind, flow });
        }
        (text, columns)
    }

    fn select(&mut self, depth: usize, wanted: Option<&[Kind]>) -> Generated {
        let (from, columns) = self.from(depth);
        let kinds: Vec<Kind> = match wanted {
            Some(kinds) => kinds.to_vec(),
            None => {
                let count = self.pick(3) + 1;
                (0..count).map(|_| [Kind::Number, Kind::Text][self.pick(2)]).collect()
            }
        };
        let mut filter = String::new();
        if self.pick(3) == 2 {
            let condition = self.condition(&columns, 1);
            self.influences.extend(condition.flow);
            filter = format!(" WHERE {}", condition.sql);
        }
        match self.pick(6) {
            3 => self.grouped(&from, &filter, &columns, &kinds),
            4 => self.windowed(&from, &filter, &columns, &kinds),
            shape => {
                let items: Vec<Expression> =
                    kinds.iter().map(|kind| self.expression(*kind, &columns, depth.min(1) + 1)).collect();
                let distinct = if shape == 5 {
                    for item in &items {
                        self.influences.extend(item.flow.iter().cloned());
                    }
                    "DISTINCT "
                } else {
                    ""
                };
                self.selected(distinct, items, &kinds, &format!(" FROM {from}{filter}"))
            }
        }
    }

    fn selected(&mut self, distinct: &str, items: Vec<Expression>, kinds: &[Kind], rest: &str) -> Generated {
        let names = self.names(items.len());
        let list: Vec<String> = items.iter().zip(&names).map(|(item, name)| format!("{} AS {name}", item.sql)).collect();
        let columns = names.into_iter().zip(kinds).zip(items).map(|((name, kind), item)| (name, *kind, item.flow)).collect();
        Generated { sql: format!("SELECT {distinct}{}{rest}", list.join(", ")), columns }
    }

    fn grouped(&mut self, from: &str, filter: &str, columns: &[Column], kinds: &[Kind]) -> Generated {
        let count = self.pick(3);
        let keys: Vec<(Kind, Expression)> = (0..count)
            .map(|_| {
                let kind = [Kind::Number, Kind::Text][self.pick(2)];
                (kind, self.column(columns, kind))
            })
            .filter(|(_, key)| key.sql.contains(|c: char| c.is_ascii_lowercase()) && !key.sql.starts_with('\''))
            .collect();
        let items = kinds.iter().map(|kind| self.aggregate(*kind, columns, &keys)).collect();
        let mut rest = format!(" FROM {from}{filter}");
        if !keys.is_empty() {
            let list: Vec<&str> = keys.iter().map(|(_, key)| key.sql.as_str()).collect();
            let _ = write!(rest, " GROUP BY {}", list.join(", "));
            for (_, key) in &keys {
                self.influences.extend(key.flow.iter().cloned());
            }
        }
        if self.pick(3) == 2 {
            let value = self.aggregate(Kind::Number, columns, &[]);
            self.influences.extend(value.flow);
            let _ = write!(rest, " HAVING {} > 1", value.sql);
        }
        self.selected("", items, kinds, &rest)
    }

    fn aggregate(&mut self, kind: Kind, columns: &[Column], keys: &[(Kind, Expression)]) -> Expression {
        if let Some((_, key)) = keys.iter().find(|(own, _)| *own == kind)
            && self.pick(2) == 0
        {
            return Expression { sql: key.sql.clone(), flow: key.flow.clone() };
        }
        let (call, argument) = match (kind, self.pick(5)) {
            (Kind::Number, 0) => return Expression { sql: "count(*)".to_owned(), flow: Set::new() },
            (Kind::Number, 1) => ("sum(", self.expression(Kind::Number, columns, 0)),
            (Kind::Number, 2) => ("count(", self.expression(Kind::Text, columns, 0)),
            (Kind::Number, 3) => ("count(DISTINCT ", self.expression(Kind::Text, columns, 0)),
            (_, 4) => ("min(", self.expression(kind, columns, 0)),
            _ => ("max(", self.expression(kind, columns, 0)),
        };
        Expression { sql: format!("{call}{})", argument.sql), flow: argument.flow }
    }

    fn windowed(&mut self, from: &str, filter: &str, columns: &[Column], kinds: &[Kind]) -> Generated {
        let items = kinds
            .iter()
            .map(|kind| {
                let by = self.column(columns, Kind::Text);
                let order = self.column(columns, Kind::Number);
                // A constant order is none to Trino, and an error to DataFusion in some frames.
                let partition = format!("PARTITION BY {}", by.sql);
                self.influences.extend(by.flow);
                let (call, window, flow) = match (*kind, self.pick(3)) {
                    (Kind::Number, 0) => {
                        self.influences.extend(order.flow);
                        ("rank()".to_owned(), format!("{partition} ORDER BY {}", order.sql), Set::new())
                    }
                    (Kind::Number, 1) => ("count(*)".to_owned(), partition, Set::new()),
                    _ => {
                        let value = self.expression(*kind, columns, 0);
                        (format!("max({})", value.sql), partition, value.flow)
                    }
                };
                Expression { sql: format!("{call} OVER ({window})"), flow }
            })
            .collect();
        self.selected("", items, kinds, &format!(" FROM {from}{filter}"))
    }

    /// A column of a type, or a constant where there is none.
    fn column(&mut self, columns: &[Column], kind: Kind) -> Expression {
        self.column_among(columns, columns, kind)
    }

    /// One of `columns`, where all of `visible` can be named.
    fn column_among(&mut self, columns: &[Column], visible: &[Column], kind: Kind) -> Expression {
        let alone = |column: &Column| visible.iter().filter(|other| other.name == column.name).count() == 1;
        let of_kind: Vec<&Column> =
            columns.iter().filter(|column| column.kind == kind && (!column.qualifier.is_empty() || alone(column))).collect();
        if of_kind.is_empty() {
            let sql = if kind == Kind::Number { "7" } else { "'k'" };
            return Expression { sql: sql.to_owned(), flow: Set::new() };
        }
        let column = of_kind[self.pick(of_kind.len())];
        let bare = column.qualifier.is_empty() || (alone(column) && self.pick(2) == 1);
        let sql = if bare { column.name.clone() } else { format!("{}.{}", column.qualifier, column.name) };
        Expression { sql, flow: column.flow.clone() }
    }

    fn expression(&mut self, kind: Kind, columns: &[Column], depth: usize) -> Expression {
        if depth == 0 {
            return self.column(columns, kind);
        }
        let choice = self.pick(if self.runs { 9 } else { 13 });
        let two =
            |maker: &mut Self, kind| (maker.expression(kind, columns, depth - 1), maker.expression(kind, columns, depth - 1));
        let both =
            |sql: String, a: Expression, b: Expression| Expression { sql, flow: a.flow.into_iter().chain(b.flow).collect() };
        match (choice, kind) {
            (3, Kind::Number) => {
                let (a, b) = two(self, kind);
                both(format!("({} + {})", a.sql, b.sql), a, b)
            }
            (3, Kind::Text) => {
                let (a, b) = two(self, kind);
                both(format!("({} || {})", a.sql, b.sql), a, b)
            }
            (4, _) => {
                let (a, b) = two(self, kind);
                both(format!("coalesce({}, {})", a.sql, b.sql), a, b)
            }
            (5, _) => {
                let condition = self.condition(columns, depth - 1);
                let (a, b) = two(self, kind);
                let mut flow = condition.flow;
                flow.extend(a.flow.into_iter().chain(b.flow));
                Expression { sql: format!("CASE WHEN {} THEN {} ELSE {} END", condition.sql, a.sql, b.sql), flow }
            }
            (6, Kind::Number) => {
                let inner = self.expression(Kind::Text, columns, depth - 1);
                Expression { sql: format!("CAST(length({}) AS bigint)", inner.sql), flow: inner.flow }
            }
            (6, Kind::Text) => {
                let inner = self.expression(Kind::Number, columns, depth - 1);
                Expression { sql: format!("CAST({} AS varchar)", inner.sql), flow: inner.flow }
            }
            (7, _) => {
                let query = self.query(depth - 1, Some(&[kind]));
                let alias = self.alias();
                let sql = format!("(SELECT max({alias}.{}) FROM ({}) AS {alias})", query.columns[0].0, query.sql);
                Expression { sql, flow: query.columns[0].2.clone() }
            }
            (8, _) => {
                let (a, b) = two(self, kind);
                both(format!("nullif({}, {})", a.sql, b.sql), a, b)
            }
            (9, _) => {
                let (a, b) = two(self, kind);
                Expression { sql: format!("ROW({}, {})[2]", a.sql, b.sql), flow: b.flow }
            }
            (10, _) => {
                let (a, b) = (self.expression(Kind::Number, columns, depth - 1), self.expression(Kind::Text, columns, depth - 1));
                let (field, flow) = if kind == Kind::Number { ("n", a.flow) } else { ("t", b.flow) };
                Expression { sql: format!("CAST(ROW({}, {}) AS ROW(n bigint, t varchar)).{field}", a.sql, b.sql), flow }
            }
            (11, _) => {
                // The argument shadows a column of its name.
                let (a, b) = (self.expression(kind, columns, depth - 1), self.column(columns, kind));
                let argument = NAMES[self.pick(NAMES.len())];
                if self.pick(2) == 0 {
                    Expression { sql: format!("transform(ARRAY[{}], {argument} -> {argument})[1]", a.sql), flow: a.flow }
                } else {
                    let whole = b.sql.contains(argument);
                    let other = if whole { "v_" } else { argument };
                    both(format!("transform(ARRAY[{}], {other} -> coalesce({}, {other}))[1]", a.sql, b.sql), a, b)
                }
            }
            (12, _) => {
                let (a, b) = two(self, kind);
                let condition = self.condition(columns, depth - 1);
                let mut flow = condition.flow;
                flow.extend(a.flow.into_iter().chain(b.flow));
                Expression { sql: format!("if({}, {}, {})", condition.sql, a.sql, b.sql), flow }
            }
            _ => self.column(columns, kind),
        }
    }

    fn condition(&mut self, columns: &[Column], depth: usize) -> Expression {
        let kind = [Kind::Number, Kind::Text][self.pick(2)];
        let choice = self.pick(if depth == 0 { 4 } else { 9 });
        let a = self.expression(kind, columns, 0);
        match choice {
            1 => {
                let b = self.expression(kind, columns, 0);
                let flow = a.flow.into_iter().chain(b.flow).collect();
                Expression { sql: format!("{} < {}", a.sql, b.sql), flow }
            }
            2 => Expression { sql: format!("{} IS NULL", a.sql), flow: a.flow },
            3 => {
                let b = self.expression(kind, columns, 0);
                let flow = a.flow.into_iter().chain(b.flow).collect();
                Expression { sql: format!("{} IS DISTINCT FROM {}", a.sql, b.sql), flow }
            }
            4 | 5 => {
                let (x, y) = (self.condition(columns, depth - 1), self.condition(columns, depth - 1));
                let word = if choice == 4 { "AND" } else { "OR" };
                let flow = x.flow.into_iter().chain(y.flow).collect();
                Expression { sql: format!("({} {word} {})", x.sql, y.sql), flow }
            }
            6 => {
                let inner = self.condition(columns, depth - 1);
                Expression { sql: format!("NOT ({})", inner.sql), flow: inner.flow }
            }
            7 => {
                let query = self.query(depth - 1, Some(&[kind]));
                let flow = a.flow.into_iter().chain(query.columns[0].2.clone()).collect();
                Expression { sql: format!("{} IN ({})", a.sql, query.sql), flow }
            }
            8 => {
                // The outer column is not taken for one of the inner query: it is compared outside.
                let query = self.query(depth - 1, None);
                let alias = self.alias();
                Expression { sql: format!("EXISTS (SELECT 1 FROM ({}) AS {alias})", query.sql), flow: Set::new() }
            }
            _ => {
                let b = self.expression(kind, columns, 0);
                let flow = a.flow.into_iter().chain(b.flow).collect();
                Expression { sql: format!("{} = {}", a.sql, b.sql), flow }
            }
        }
    }
}

fn world() -> World {
    let mut world = World::new();
    for (name, columns) in TABLES {
        let columns = columns
            .iter()
            .map(|(name, kind)| WorldColumn {
                name: (*name).into(),
                kind: Some(if *kind == Kind::Number { Type::Bigint } else { Type::VARCHAR }),
            })
            .collect();
        world.add_table("main", "s", name, WorldTable::new(columns));
    }
    world
}

fn analysed(world: &World, sql: &str) -> Result<Analysis, String> {
    let parsed = parse(sql).map_err(|error| error.reason.to_string())?;
    let session = Session { catalog: "main".to_owned(), schema: Some("s".to_owned()), parameters: Vec::new() };
    analyse(&parsed.statement, world, &session).map_err(|error| format!("{} {}", error.code, error.message))
}

fn name_of(analysis: &Analysis, id: ColumnId) -> String {
    let column = &analysis.columns[id.0 as usize];
    format!("{}.{}", analysis.tables[column.table.0 as usize].name, column.path.join("."))
}

/// What we say flows into each output column, and what influences.
fn said(analysis: &Analysis) -> (Vec<Set>, Set) {
    let flows: Vec<Set> = analysis
        .output
        .iter()
        .map(|output| output.sources.iter().map(|source| name_of(analysis, source.column)).collect())
        .collect();
    (flows, analysis.influences.iter().map(|influence| name_of(analysis, influence.column)).collect())
}

fn choices() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..160)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn lineage_is_what_the_query_was_made_with(choices in choices()) {
        let mut maker = Maker::new(&choices, false);
        let query = maker.query(3, None);
        let analysis = analysed(&world(), &query.sql).map_err(|error| TestCaseError::fail(format!("{error}\n{}", query.sql)))?;
        let (flows, influences) = said(&analysis);
        let expected: Vec<Set> = query.columns.iter().map(|column| column.2.clone()).collect();
        prop_assert_eq!(&flows, &expected, "flows of {}", &query.sql);
        prop_assert_eq!(influences, maker.influences, "influences of {}", &query.sql);
        let names: Vec<String> = analysis.output.iter().map(|output| output.name.clone().unwrap_or_default()).collect();
        let given: Vec<String> = query.columns.iter().map(|column| column.0.clone()).collect();
        prop_assert_eq!(names, given, "names of {}", &query.sql);
    }
}

/// Runs the generated queries. Trino is not at hand in the tests; DataFusion reads this part of the language alike.
#[cfg(feature = "sandbox")]
mod executed {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::arrow::util::display::array_value_to_string;
    use datafusion::datasource::MemTable;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    /// Values of each column, by name: small numbers, `-1` for NULL.
    type Data = BTreeMap<String, Vec<i8>>;

    /// A few rows for each table.
    fn data() -> impl Strategy<Value = Data> {
        let columns: Vec<String> =
            TABLES.iter().flat_map(|(table, columns)| columns.iter().map(move |(name, _)| format!("{table}.{name}"))).collect();
        prop::collection::vec(prop::collection::vec(-1i8..4, 5), columns.len())
            .prop_map(move |values| columns.iter().cloned().zip(values).collect())
    }

    fn context(data: &Data) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(1).with_default_catalog_and_schema("main", "s");
        let context = SessionContext::new_with_config(config);
        for (table, columns) in TABLES {
            let mut fields = Vec::new();
            let mut arrays: Vec<ArrayRef> = Vec::new();
            for (name, kind) in columns {
                let values = &data[&format!("{table}.{name}")];
                let known = values.iter().map(|value| (*value >= 0).then_some(*value));
                match kind {
                    Kind::Number => {
                        fields.push(Field::new(*name, DataType::Int64, true));
                        arrays.push(Arc::new(Int64Array::from_iter(known.map(|value| value.map(i64::from)))));
                    }
                    Kind::Text => {
                        fields.push(Field::new(*name, DataType::Utf8, true));
                        let texts = known
                            .map(|value| value.map(|number| "abcd".split_at(usize::from(number.unsigned_abs())).0.to_owned()));
                        arrays.push(Arc::new(StringArray::from_iter(texts)));
                    }
                }
            }
            let schema = Arc::new(Schema::new(fields));
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
            context.register_table(table, Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap())).unwrap();
        }
        context
    }

    /// The rows, each value as text.
    async fn rows(context: &SessionContext, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let frame = context.sql(sql).await.map_err(|error| error.to_string())?;
        let batches = frame.collect().await.map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| {
                    if column.is_null(row) {
                        "NULL".to_owned()
                    } else {
                        format!("={}", array_value_to_string(column, row).unwrap())
                    }
                });
                rows.push(cells.collect());
            }
        }
        Ok(rows)
    }

    /// Only these columns of the rows, as a bag.
    fn kept(rows: &[Vec<String>], keep: &[usize]) -> Vec<Vec<String>> {
        let mut kept: Vec<Vec<String>> = rows.iter().map(|row| keep.iter().map(|index| row[*index].clone()).collect()).collect();
        kept.sort();
        kept
    }

    /// Tells whether DataFusion ran the query, and how many columns were changed without effect.
    async fn differs(query: &str, before: &Data, after: &Data) -> Result<Option<usize>, String> {
        let analysis = analysed(&world(), query)?;
        let (flows, influences) = said(&analysis);
        let Ok(base) = rows(&context(before), query).await else { return Ok(None) };
        let mut tried = 0;
        for column in before.keys() {
            let decides = influences.contains(column);
            let keep: Vec<usize> = (0..flows.len()).filter(|index| !flows[*index].contains(column)).collect();
            let named = analysis.tables.iter().any(|table| column.starts_with(&format!("{}.", table.name)));
            if decides || !named {
                continue;
            }
            let mut changed = before.clone();
            changed.insert(column.clone(), after[column].clone());
            let Ok(other) = rows(&context(&changed), query).await else { continue };
            tried += 1;
            if kept(&base, &keep) != kept(&other, &keep) {
                return Err(format!("{column} changes columns {keep:?}, {flows:?}\n{base:?}\n{other:?}\n{before:?}"));
            }
        }
        Ok(Some(tried))
    }

    #[test]
    fn columns_that_do_not_flow_or_influence_change_nothing() {
        use proptest::test_runner::{Config, TestRunner};

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cases = Config::default().cases.max(300);
        let counts = std::cell::Cell::new((0, 0, 0));
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&(choices(), data(), data()), |(choices, before, after)| {
            let query = Maker::new(&choices, true).query(2, None);
            let tried = runtime
                .block_on(differs(&query.sql, &before, &after))
                .map_err(|error| TestCaseError::fail(format!("{error}\n{}", query.sql)))?;
            let (all, ran, changed) = counts.get();
            counts.set((all + 1, ran + usize::from(tried.is_some()), changed + tried.unwrap_or_default()));
            Ok(())
        });
        let (all, ran, changed) = counts.get();
        eprintln!("{ran} of {all} queries run, {changed} columns changed");
        if let Err(error) = outcome {
            panic!("{error}");
        }
        assert!(ran * 10 >= all * 8, "{ran} of {all} queries run");
        assert!(changed > all, "{changed} columns changed over {all} queries");
    }
}
