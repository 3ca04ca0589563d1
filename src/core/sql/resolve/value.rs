//! Values of expressions: their types, what flows into them, and how two of them are known to be the same.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Resolver;
use super::flow::{Flow, Shape, Sources};
use super::pushed::Terms;
use super::scope::Scope;
use super::window::Window;
use crate::core::sql::analysis::{ColumnId, How};
use crate::core::sql::token::Span;
use crate::core::sql::types::Type;

/// A column by the relation that it belongs to and its index there.
pub(super) type FieldId = (u32, u32);

/// What an expression gives.
#[derive(Debug, Clone)]
#[must_use = "a column that is named must be noted as read: settle it"]
pub(super) struct Value {
    pub(super) kind: Type,
    pub(super) flow: Flow,
    /// The column or field of a table that it is, not yet noted as read: what is read may be a field of it only.
    pub(super) read: Option<(ColumnId, Span, How)>,
    /// Equal for expressions that say the same.
    pub(super) key: u64,
    pub(super) terms: Terms,
    /// The column of a relation that it is.
    pub(super) column: Option<FieldId>,
}

impl Value {
    pub(super) fn new(kind: Type, key: u64) -> Self {
        Self { kind, flow: Flow::default(), read: None, key, terms: Terms::default(), column: None }
    }

    pub(super) fn flowing(mut self, sources: Sources) -> Self {
        self.flow = Flow::of(sources);
        self
    }

    pub(super) fn with_terms(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }
}

/// What stays known of an expression after it is resolved.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) key: u64,
    /// For a name: the column that its first parts mean, and how many parts that are.
    pub(super) column: Option<(FieldId, usize)>,
    /// Whether that is an argument of a lambda.
    pub(super) lambda: bool,
    pub(super) kind: Type,
    /// The references made inside it, as a range of the resolver's list.
    pub(super) references: (u32, u32),
}

/// A column that was referred to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub(super) field: FieldId,
    pub(super) span: Span,
    pub(super) lambda: bool,
}

/// Where an expression stands.
#[derive(Debug, Clone)]
pub(super) struct Cx<'t> {
    pub(super) scope: Rc<Scope>,
    /// Whether columns of outer queries may be named.
    pub(super) correlated: bool,
    pub(super) in_lambda: bool,
    /// Inside MEASURES or DEFINE: the pattern variables.
    pub(super) pattern: Option<Rc<Labels>>,
    /// The named windows of the query.
    pub(super) windows: Option<Rc<HashMap<String, Window<'t>>>>,
}

/// The pattern variables of a row pattern.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) names: HashSet<String>,
    /// The pattern belongs to a window.
    pub(super) in_window: bool,
}

impl<'t> Cx<'t> {
    pub(super) fn new(scope: &Rc<Scope>) -> Self {
        Self { scope: Rc::clone(scope), correlated: true, in_lambda: false, pattern: None, windows: None }
    }

    pub(super) fn with_windows(mut self, windows: &Rc<HashMap<String, Window<'t>>>) -> Self {
        self.windows = Some(Rc::clone(windows));
        self
    }
}

/// Mixes a word into a key.
pub(super) fn mix(key: u64, word: u64) -> u64 {
    (key.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_add(0x632b_e59b_d9b4_e019)
}

/// The key of a text.
pub(super) fn text_key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |key, byte| (key ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The key of an operator or function over keys.
pub(super) fn key_of(what: &str, parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(text_key(what), mix)
}

impl Resolver<'_> {
    /// Notes that the value is read as a whole; gives what flows into it.
    pub(super) fn settle(&mut self, value: &Value) -> Flow {
        if let Some((column, span, how)) = value.read {
            self.read(column, span, how);
        }
        value.flow.clone()
    }

    /// The same, as a flat set.
    pub(super) fn sources(&mut self, value: &Value) -> Sources {
        self.settle(value).sources()
    }

    /// A value computed from others, all of which flow into it.
    pub(super) fn computed(&mut self, kind: Type, key: u64, from: &[&Value]) -> Value {
        let sets: Vec<Sources> = from.iter().map(|value| self.sources(value)).collect();
        Value::new(kind, key).flowing(Sources::union(&sets))
    }

    /// The field at `index` of a row.
    pub(super) fn row_field(&mut self, value: Value, index: usize) -> Value {
        let Type::Row(fields) = &value.kind else { return value };
        let Some(field) = fields.get(index).cloned() else { return value };
        let key = key_of("field", [value.key, index as u64]);
        let mut read = value.read;
        let flow = match &value.flow.shape {
            Shape::Row(parts) => match parts.get(index) {
                Some(part) => part.and(&value.flow.extra),
                None => Flow::of(value.flow.sources()),
            },
            Shape::Column { scan, column, kind: Type::Row(own), .. } => match own.get(index) {
                Some(own) if own.name.is_some() => {
                    let (scan, column) = (*scan, *column);
                    let name = own.name.as_deref().unwrap_or_default();
                    let column = self.field_of(column, name);
                    if let Some((reading, _, _)) = &mut read {
                        *reading = self.field_of(*reading, name);
                    }
                    let atom = self.atom(scan, column);
                    Flow { shape: Shape::Column { scan, column, kind: own.kind.clone(), atom }, extra: value.flow.extra.clone() }
                }
                _ => Flow::of(value.flow.sources()),
            },
            _ => Flow::of(value.flow.sources()),
        };
        let terms = field.name.as_deref().map(|name| value.terms.field(name, &field.kind)).unwrap_or_default();
        Value { kind: field.kind, flow, read, key, terms, column: None }
    }

    /// The address of a node of the tree, by which facts are kept.
    pub(super) fn address<T>(node: &T) -> usize {
        std::ptr::from_ref(node).addr()
    }
}
