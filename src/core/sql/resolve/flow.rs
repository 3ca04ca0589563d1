//! What flows into a value: sets of source columns, and the shape by which a part of a value keeps only its own sources.

use std::rc::Rc;

use crate::core::sql::analysis::ColumnId;
use crate::core::sql::types::Type;

/// A column of one scan, with a mark if only its count arrives; index into the resolver's atoms, doubled, plus one if counted.
pub(super) type Atom = u32;

/// A set of atoms, sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sources(Option<Rc<[Atom]>>);

impl Sources {
    pub(super) fn one(atom: Atom) -> Self {
        Self(Some(Rc::from([atom])))
    }

    pub(super) fn from_vec(mut atoms: Vec<Atom>) -> Self {
        if atoms.is_empty() {
            return Self(None);
        }
        atoms.sort_unstable();
        atoms.dedup();
        Self(Some(atoms.into()))
    }

    pub(super) fn as_slice(&self) -> &[Atom] {
        self.0.as_deref().unwrap_or_default()
    }

    fn is(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(a), Some(b)) if Rc::ptr_eq(a, b))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All sets in one.
    pub(super) fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut only: Option<&Self> = None;
        let mut all = Vec::new();
        for set in sets {
            if set.is_empty() {
                continue;
            }
            match only {
                None if all.is_empty() => only = Some(set),
                Some(first) if first.is(set) => {}
                _ => {
                    if let Some(first) = only.take() {
                        all.extend_from_slice(first.as_slice());
                    }
                    all.extend_from_slice(set.as_slice());
                }
            }
        }
        match only {
            Some(only) => only.clone(),
            None => Self::from_vec(all),
        }
    }

    /// Every atom replaced by what `with` gives for it.
    pub(super) fn replaced(&self, with: &mut dyn FnMut(Atom, &mut Vec<Atom>)) -> Self {
        let mut out = Vec::with_capacity(self.as_slice().len());
        for atom in self.as_slice() {
            with(*atom, &mut out);
        }
        Self::from_vec(out)
    }

    /// The same atoms, all counted.
    pub(super) fn counted(&self) -> Self {
        Self::from_vec(self.as_slice().iter().map(|atom| atom | 1).collect())
    }
}

/// What flows into a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// The parts.
    pub(super) shape: Shape,
    /// What flows into all of it, besides the parts.
    pub(super) extra: Sources,
}

/// The parts of a value, as far as they are told apart.
#[derive(Debug, Clone, Default)]
pub(super) enum Shape {
    /// Not told apart: everything is in `extra`.
    #[default]
    Whole,
    /// Exactly this column of this scan (or elements of it), which has this type there.
    Column { scan: u32, column: ColumnId, kind: Type, atom: Atom },
    /// A row: what flows into each field.
    Row(Rc<[Flow]>),
    /// An array: what flows into its elements.
    Array(Rc<Flow>),
    /// A map: what flows into keys, and into values.
    Map(Rc<(Flow, Flow)>),
}

impl Flow {
    pub(super) fn of(extra: Sources) -> Self {
        Self { shape: Shape::Whole, extra }
    }

    /// Everything that flows into any part.
    pub(super) fn sources(&self) -> Sources {
        match &self.shape {
            Shape::Whole => self.extra.clone(),
            Shape::Column { atom, .. } if self.extra.is_empty() => Sources::one(*atom),
            _ => {
                let mut atoms = Vec::new();
                self.collect(&mut atoms);
                Sources::from_vec(atoms)
            }
        }
    }

    fn collect(&self, into: &mut Vec<Atom>) {
        into.extend_from_slice(self.extra.as_slice());
        match &self.shape {
            Shape::Whole => {}
            Shape::Column { atom, .. } => into.push(*atom),
            Shape::Row(fields) => fields.iter().for_each(|field| field.collect(into)),
            Shape::Array(element) => element.collect(into),
            Shape::Map(entry) => {
                entry.0.collect(into);
                entry.1.collect(into);
            }
        }
    }

    /// The same with more that flows into all of it.
    pub(super) fn and(&self, more: &Sources) -> Self {
        if more.is_empty() {
            return self.clone();
        }
        Self { shape: self.shape.clone(), extra: Sources::union([&self.extra, more]) }
    }

    /// An element of an array, or the value of a map.
    pub(super) fn element(&self) -> Self {
        match &self.shape {
            Shape::Array(element) => element.and(&self.extra),
            Shape::Map(entry) => entry.1.and(&self.extra),
            Shape::Column { scan, column, kind, atom } => {
                let kind = match kind {
                    Type::Array(element) => element.as_ref().clone(),
                    Type::Map(entry) => entry.1.clone(),
                    _ => return Self::of(self.sources()),
                };
                Self { shape: Shape::Column { scan: *scan, column: *column, kind, atom: *atom }, extra: self.extra.clone() }
            }
            _ => Self::of(self.sources()),
        }
    }

    /// The keys of a map.
    pub(super) fn key(&self) -> Self {
        match &self.shape {
            Shape::Map(entry) => entry.0.and(&self.extra),
            _ => Self::of(self.sources()),
        }
    }

    /// Every set of atoms in it, changed.
    pub(super) fn replaced(&self, with: &mut dyn FnMut(Atom, &mut Vec<Atom>), scan: &dyn Fn(u32) -> Option<u32>) -> Self {
        let extra = self.extra.replaced(with);
        let shape = match &self.shape {
            Shape::Whole => Shape::Whole,
            Shape::Column { scan: old, column, kind, atom } => {
                let mut atoms = Vec::new();
                with(*atom, &mut atoms);
                match (scan(*old), atoms.as_slice()) {
                    (Some(new), [atom]) => Shape::Column { scan: new, column: *column, kind: kind.clone(), atom: *atom },
                    (None, [same]) if same == atom => self.shape.clone(),
                    _ => return Self::of(Sources::union([&extra, &Sources::from_vec(atoms)])),
                }
            }
            Shape::Row(fields) => Shape::Row(fields.iter().map(|field| field.replaced(with, scan)).collect()),
            Shape::Array(element) => Shape::Array(Rc::new(element.replaced(with, scan))),
            Shape::Map(entry) => Shape::Map(Rc::new((entry.0.replaced(with, scan), entry.1.replaced(with, scan)))),
        };
        Self { shape, extra }
    }

    /// What flows into a value that is one or the other.
    pub(super) fn either(&self, other: &Self) -> Self {
        if let (Shape::Row(a), Shape::Row(b)) = (&self.shape, &other.shape)
            && a.len() == b.len()
        {
            let fields = a.iter().zip(b.iter()).map(|(a, b)| a.either(b)).collect();
            return Self { shape: Shape::Row(fields), extra: Sources::union([&self.extra, &other.extra]) };
        }
        if let (Shape::Array(a), Shape::Array(b)) = (&self.shape, &other.shape) {
            return Self { shape: Shape::Array(Rc::new(a.either(b))), extra: Sources::union([&self.extra, &other.extra]) };
        }
        let (a, b) = (self.sources(), other.sources());
        if b.is_empty() {
            return self.clone();
        }
        if a.is_empty() {
            return other.clone();
        }
        Self::of(Sources::union([&a, &b]))
    }
}
