//! Values in terms of scanned columns, by which a predicate reaches the scan that it concerns, as the server's optimizer pushes it down:
//! through derived tables, WITH queries, views, UNION, inner joins, and the keys of groups and windows.

use std::rc::Rc;
use std::sync::Arc;

use crate::core::sql::analysis::{Constant, Term};
use crate::core::sql::types::Type;

/// Larger expressions are not pushed down.
const SIZE: u32 = 400;

/// What a value is in terms of scanned columns; nothing if that is unknown, or if predicates on it cannot be pushed down.
///
/// A value that comes from a UNION has one term for each branch.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms(Held);

#[derive(Debug, Clone, Default)]
enum Held {
    #[default]
    Unknown,
    /// A column as it is scanned: most columns of a table are never asked for more.
    Column {
        scan: u32,
        name: Arc<str>,
        kind: Type,
    },
    Known(Rc<Branches>),
}

#[derive(Debug)]
struct Branches {
    /// Whose branches they are, if there is more than one: only values of one UNION have branches that belong together.
    group: u32,
    /// Whether the value may be NULL because an outer join found no row.
    nullable: bool,
    branches: Vec<Option<Rc<Node>>>,
}

/// An expression over scanned columns.
#[derive(Debug)]
pub(super) struct Node {
    kind: Type,
    size: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    Column { scan: u32, name: Arc<str> },
    Constant(Constant),
    Parameter(String),
    Apply { name: Rc<str>, arguments: Vec<Rc<Node>>, deterministic: bool },
}

impl Branches {
    fn one(node: Node) -> Self {
        Self { group: 0, nullable: false, branches: vec![Some(Rc::new(node))] }
    }
}

impl Terms {
    pub(super) fn column(scan: u32, name: Arc<str>, kind: Type) -> Self {
        Self(Held::Column { scan, name, kind })
    }

    fn known(&self) -> Option<Rc<Branches>> {
        match &self.0 {
            Held::Unknown => None,
            Held::Column { scan, name, kind } => {
                let what = What::Column { scan: *scan, name: Arc::clone(name) };
                Some(Rc::new(Branches::one(Node { kind: kind.clone(), size: 1, what })))
            }
            Held::Known(branches) => Some(Rc::clone(branches)),
        }
    }

    fn of(branches: Branches) -> Self {
        Self(Held::Known(Rc::new(branches)))
    }

    pub(super) fn constant(value: Constant, kind: Type) -> Self {
        Self::single(Node { kind, size: 1, what: What::Constant(value) })
    }

    /// The one value of a subquery that does not depend on the row: [`Term::LOOKED_UP`].
    pub(super) fn looked_up(kind: &Type) -> Self {
        Self::apply(Term::LOOKED_UP, &[], kind, false)
    }

    pub(super) fn parameter(name: String, kind: Type) -> Self {
        Self::single(Node { kind, size: 1, what: What::Parameter(name) })
    }

    fn single(node: Node) -> Self {
        Self::of(Branches::one(node))
    }

    /// Whether it is a constant as written.
    pub(super) fn is_constant(&self) -> bool {
        self.node().is_some_and(|node| matches!(node.what, What::Constant(_)))
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self.0, Held::Unknown)
    }

    /// A function or operator applied to these values.
    pub(super) fn apply(name: &str, arguments: &[&Self], kind: &Type, deterministic: bool) -> Self {
        let mut inner = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let Some(branches) = argument.known() else { return Self::default() };
            inner.push(branches);
        }
        let count = inner.iter().map(|branches| branches.branches.len()).max().unwrap_or(1);
        let mut group = 0;
        for branches in inner.iter().filter(|branches| branches.branches.len() > 1) {
            if group != 0 && group != branches.group {
                return Self::default();
            }
            group = branches.group;
        }
        let name: Rc<str> = name.into();
        let branches = (0..count)
            .map(|index| {
                let arguments = inner
                    .iter()
                    .map(|branches| {
                        let index = if branches.branches.len() == 1 { 0 } else { index };
                        branches.branches.get(index).and_then(Option::as_ref).map(Rc::clone)
                    })
                    .collect::<Option<Vec<_>>>()?;
                let size = arguments.iter().map(|node| node.size).sum::<u32>().saturating_add(1);
                (size <= SIZE).then(|| {
                    let what = What::Apply { name: Rc::clone(&name), arguments, deterministic };
                    Rc::new(Node { kind: kind.clone(), size, what })
                })
            })
            .collect();
        Self::of(Branches { group, nullable: inner.iter().any(|branches| branches.nullable), branches })
    }

    /// A field of a row: known where the row is a column, or a field of one, itself. A field that is named with a dot is left alone.
    pub(super) fn field(&self, name: &str, kind: &Type) -> Self {
        let Some(inner) = self.known().filter(|_| !name.contains('.')) else { return Self::default() };
        let field = |node: &Rc<Node>| match &node.what {
            What::Column { scan, name: column } if !column.starts_with('$') => {
                let name = format!("{column}.{}", name.to_lowercase()).into();
                Some(Rc::new(Node { kind: kind.clone(), size: 1, what: What::Column { scan: *scan, name } }))
            }
            _ => None,
        };
        let branches: Vec<_> = inner.branches.iter().map(|node| node.as_ref().and_then(field)).collect();
        if branches.iter().all(Option::is_none) {
            return Self::default();
        }
        Self::of(Branches { group: inner.group, nullable: inner.nullable, branches })
    }

    /// The same value on the side of an outer join that may have no row.
    pub(super) fn nullable(&self) -> Self {
        match self.known() {
            Some(inner) => Self::of(Branches { group: inner.group, nullable: true, branches: inner.branches.clone() }),
            None => Self::default(),
        }
    }

    /// The value of a column of a UNION: the branches of all its inputs. `group` is the UNION's own.
    pub(super) fn union(group: u32, inputs: &[(&Self, usize)]) -> Self {
        let mut branches = Vec::new();
        let mut nullable = false;
        for (input, count) in inputs {
            match &input.known() {
                Some(inner) if inner.branches.len() == *count => {
                    nullable |= inner.nullable;
                    branches.extend(inner.branches.iter().cloned());
                }
                Some(inner) if inner.branches.len() == 1 => {
                    nullable |= inner.nullable;
                    branches.extend(std::iter::repeat_n(inner.branches.first().cloned().flatten(), *count));
                }
                _ => branches.extend(std::iter::repeat_n(None, *count)),
            }
        }
        if branches.iter().all(Option::is_none) {
            return Self::default();
        }
        Self::of(Branches { group, nullable, branches })
    }

    /// How many branches it has, and whose they are.
    pub(super) fn branches(&self) -> (usize, u32) {
        match &self.0 {
            Held::Known(inner) => (inner.branches.len(), inner.group),
            Held::Unknown | Held::Column { .. } => (1, 0),
        }
    }

    /// The same over other scans.
    pub(super) fn over(&self, scan: &dyn Fn(u32) -> Option<u32>, group: &mut dyn FnMut(u32) -> u32) -> Self {
        let inner = match &self.0 {
            Held::Unknown => return Self::default(),
            Held::Column { scan: old, name, kind } => {
                return Self::column(scan(*old).unwrap_or(*old), Arc::clone(name), kind.clone());
            }
            Held::Known(inner) => inner,
        };
        let branches = inner.branches.iter().map(|node| node.as_ref().map(|node| node.over(scan))).collect();
        let group = if inner.branches.len() > 1 { group(inner.group) } else { inner.group };
        Self::of(Branches { group, nullable: inner.nullable, branches })
    }

    /// The conjuncts that reach a scan from this predicate, which holds for every row: each with its scan.
    pub(super) fn conjuncts(&self, into: &mut Vec<(u32, Rc<Node>)>) {
        let Some(inner) = self.known() else { return };
        for node in inner.branches.iter().flatten() {
            if inner.nullable && !node.rejects_null() {
                continue;
            }
            if let Reach::One(scan) = node.reach() {
                into.push((scan, Rc::clone(node)));
            }
        }
    }

    /// Its only branch.
    pub(super) fn node(&self) -> Option<Rc<Node>> {
        match self.known()?.branches.as_slice() {
            [node] => node.clone(),
            _ => None,
        }
    }

    /// Whether it is about that one scan.
    pub(super) fn is_of(&self, scan: u32) -> bool {
        match &self.0 {
            Held::Unknown => false,
            Held::Column { scan: own, .. } => *own == scan,
            Held::Known(_) => self.node().is_some_and(|node| node.reach() == Reach::One(scan)),
        }
    }
}

/// Which scans an expression is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    None,
    One(u32),
    Several,
}

impl Node {
    pub(super) fn reach(&self) -> Reach {
        match &self.what {
            What::Column { scan, .. } => Reach::One(*scan),
            What::Constant(_) | What::Parameter(_) => Reach::None,
            What::Apply { arguments, .. } => {
                arguments.iter().fold(Reach::None, |reach, argument| match (reach, argument.reach()) {
                    (reach, Reach::None) => reach,
                    (Reach::None, reach) => reach,
                    (Reach::One(a), Reach::One(b)) if a == b => reach,
                    _ => Reach::Several,
                })
            }
        }
    }

    /// The two sides, if it is `a = b`.
    pub(super) fn equality(&self) -> Option<(&Rc<Node>, &Rc<Node>)> {
        match &self.what {
            What::Apply { name, arguments, .. } if name.as_ref() == "=" => match arguments.as_slice() {
                [a, b] => Some((a, b)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The column of a scan that it is.
    pub(super) fn as_column(&self) -> Option<(u32, &str)> {
        match &self.what {
            What::Column { scan, name } => Some((*scan, name)),
            _ => None,
        }
    }

    /// The first column in it.
    pub(super) fn first_column(&self) -> Option<&str> {
        match &self.what {
            What::Column { name, .. } => Some(name),
            What::Constant(_) | What::Parameter(_) => None,
            What::Apply { arguments, .. } => arguments.iter().find_map(|argument| argument.first_column()),
        }
    }

    /// Whether it speaks of that column and no other.
    pub(super) fn only(&self, scan: u32, column: &str) -> bool {
        match &self.what {
            What::Column { scan: own, name } => *own == scan && name.as_ref() == column,
            What::Constant(_) | What::Parameter(_) => true,
            What::Apply { arguments, .. } => arguments.iter().all(|argument| argument.only(scan, column)),
        }
    }

    /// The same with a node in place of every column.
    pub(super) fn with(self: &Rc<Self>, column: &Rc<Self>) -> Rc<Self> {
        match &self.what {
            What::Column { .. } => Rc::clone(column),
            What::Constant(_) | What::Parameter(_) => Rc::clone(self),
            What::Apply { name, arguments, deterministic } => Rc::new(Self {
                kind: self.kind.clone(),
                size: self.size,
                what: What::Apply {
                    name: Rc::clone(name),
                    arguments: arguments.iter().map(|argument| argument.with(column)).collect(),
                    deterministic: *deterministic,
                },
            }),
        }
    }

    pub(super) fn over(self: &Rc<Self>, scan: &dyn Fn(u32) -> Option<u32>) -> Rc<Self> {
        match &self.what {
            What::Column { scan: old, name } => match scan(*old) {
                Some(new) => {
                    Rc::new(Self { kind: self.kind.clone(), size: 1, what: What::Column { scan: new, name: Arc::clone(name) } })
                }
                None => Rc::clone(self),
            },
            What::Constant(_) | What::Parameter(_) => Rc::clone(self),
            What::Apply { name, arguments, deterministic } => Rc::new(Self {
                kind: self.kind.clone(),
                size: self.size,
                what: What::Apply {
                    name: Rc::clone(name),
                    arguments: arguments.iter().map(|argument| argument.over(scan)).collect(),
                    deterministic: *deterministic,
                },
            }),
        }
    }

    /// Whether the predicate is never true where its columns are NULL, so that an outer join under it is an inner one.
    fn rejects_null(&self) -> bool {
        let What::Apply { name, arguments, .. } = &self.what else { return matches!(self.what, What::Column { .. }) };
        match name.as_ref() {
            "and" => arguments.iter().any(|argument| argument.rejects_null()),
            "or" => arguments.iter().all(|argument| argument.rejects_null()),
            "=" | "<>" | "<" | "<=" | ">" | ">=" | "between" | "like" => arguments.iter().any(|argument| argument.null_of_null()),
            "in" => arguments.first().is_some_and(|argument| argument.null_of_null()),
            "not" => arguments.first().is_some_and(|argument| match &argument.what {
                What::Apply { name, arguments, .. } => match name.as_ref() {
                    "=" | "<>" | "<" | "<=" | ">" | ">=" | "between" | "like" => {
                        arguments.iter().any(|argument| argument.null_of_null())
                    }
                    "in" => arguments.first().is_some_and(|argument| argument.null_of_null()),
                    "is null" => arguments.first().is_some_and(|argument| argument.null_of_null()),
                    _ => false,
                },
                _ => false,
            }),
            _ => false,
        }
    }

    /// Whether it is NULL where its columns are, and has one.
    fn null_of_null(&self) -> bool {
        match &self.what {
            What::Column { .. } => true,
            What::Constant(_) | What::Parameter(_) => false,
            What::Apply { name, arguments, .. } => match name.as_ref() {
                "+" | "-" | "*" | "/" | "%" | "-x" | "cast" | "||" | "substr" | "substring" | "date" | "lower" | "upper"
                | "trim" | "date_trunc" | "date_parse" | "date_format" | "year" | "month" | "day" | "from_iso8601_date" => {
                    arguments.iter().any(|argument| argument.null_of_null())
                }
                _ => false,
            },
        }
    }

    /// The same as the rules and the estimate take it.
    pub(super) fn term(&self) -> Term {
        let kind = self.kind.clone();
        match &self.what {
            What::Column { name, .. } => Term::Column { name: name.to_string(), kind },
            What::Constant(value) => Term::Constant { value: value.clone(), kind },
            What::Parameter(name) => Term::Parameter { name: name.clone(), kind },
            What::Apply { name, arguments, deterministic } => Term::Apply {
                name: name.to_string(),
                arguments: arguments.iter().map(|argument| argument.term()).collect(),
                kind,
                deterministic: *deterministic,
            },
        }
    }
}
