//! Scopes and fields, and how a name finds one (`Scope`, `RelationType` and `Field` in Trino's sources).

use std::rc::Rc;

use super::flow::Flow;
use super::pushed::Terms;
use crate::core::sql::analysis::ColumnId;
use crate::core::sql::token::Span;
use crate::core::sql::tree::Ident;
use crate::core::sql::types::Type;

/// A column of a relation.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The relation's name in lower case, catalog and schema before it; none for the columns of a subquery without an alias.
    pub(super) alias: Option<Rc<[Box<str>]>>,
    /// As written.
    pub(super) name: Option<Rc<str>>,
    pub(super) kind: Type,
    pub(super) hidden: bool,
    /// What flows into it.
    pub(super) flow: Flow,
    /// The column of a table that it is: naming it reads that.
    pub(super) column: Option<ColumnId>,
    /// Where that reading stands, if not where the field is named: for an argument of a lambda the array that it comes from.
    pub(super) place: Option<Span>,
    /// What it is in terms of scanned columns, where predicates on it can be pushed down.
    pub(super) terms: Terms,
}

/// A field found by name.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) field: Rc<Field>,
    /// The relation it belongs to, and its index there: together its identity.
    pub(super) relation: u32,
    pub(super) index: u32,
    /// Whether it was found without leaving the query.
    pub(super) local: bool,
    /// Whether it is an argument of a lambda.
    pub(super) lambda: bool,
}

/// More than one field has the name.
#[derive(Debug)]
pub(super) struct Ambiguous;

/// What a name may mean at some place.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) parent: Option<Rc<Scope>>,
    /// Whether the parent belongs to an outer query.
    pub(super) boundary: bool,
    /// Identity of the relation.
    pub(super) relation: u32,
    pub(super) fields: Rc<[Rc<Field>]>,
    /// WITH queries that begin to be visible here.
    pub(super) named: Vec<(String, Rc<Named>)>,
    /// Whether the fields are arguments of a lambda.
    pub(super) lambda: bool,
}

/// A WITH query once it has been resolved.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) fields: Vec<Field>,
    pub(super) template: super::template::Template,
    pub(super) one_row: bool,
}

/// Compares names as Java's `equalsIgnoreCase` does, character by character.
#[inline]
pub(super) fn same_name(a: &str, b: &str) -> bool {
    // Most names differ, and most of those at once: an ASCII byte at the start or end is a character of its own.
    let differ = |a: Option<&u8>, b: Option<&u8>| match (a, b) {
        (Some(a), Some(b)) => a.is_ascii() && b.is_ascii() && !a.eq_ignore_ascii_case(b),
        (a, b) => a != b,
    };
    let (first, second) = (a.as_bytes(), b.as_bytes());
    !differ(first.last(), second.last()) && !differ(first.first(), second.first()) && same_characters(a, b)
}

fn same_characters(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    let fold = |c: char| {
        let one = |mut chars: std::char::ToUppercase| chars.next().filter(|_| chars.next().is_none());
        let upper = one(c.to_uppercase()).unwrap_or(c);
        let mut lower = upper.to_lowercase();
        lower.next().filter(|_| lower.next().is_none()).unwrap_or(upper)
    };
    a.chars().map(fold).eq(b.chars().map(fold))
}

impl Field {
    /// Whether the field's relation is meant by `prefix`, its last parts.
    pub(super) fn matches_prefix(&self, prefix: &[Box<str>]) -> bool {
        prefix.is_empty() || self.alias.as_ref().is_some_and(|alias| alias.ends_with(prefix))
    }

    fn resolves(&self, prefix: &[Box<str>], name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| same_name(own, name)) && self.matches_prefix(prefix)
    }
}

/// The parts of a name in lower case.
pub(super) fn folded(parts: &[Ident]) -> Vec<Box<str>> {
    parts.iter().map(|part| part.folded().into_boxed_str()).collect()
}

impl Scope {
    /// The field that a name of these parts (lower case) means, looking outwards; `None` if there is none.
    ///
    /// A scope where a shorter part of the name is a column ends the search: the rest are fields of a row.
    pub(super) fn resolve(self: &Rc<Self>, parts: &[Box<str>]) -> Result<Option<Found>, Ambiguous> {
        let Some((name, prefix)) = parts.split_last() else { return Ok(None) };
        let mut local = true;
        let mut scope = self;
        loop {
            let mut found: Option<(usize, &Rc<Field>)> = None;
            for (index, field) in scope.fields.iter().enumerate() {
                if field.resolves(prefix, name) && found.replace((index, field)).is_some() {
                    return Err(Ambiguous);
                }
            }
            if let Some((index, field)) = found {
                return Ok(Some(Found {
                    field: Rc::clone(field),
                    relation: scope.relation,
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    local,
                    lambda: scope.lambda,
                }));
            }
            if scope.has_column(parts) {
                return Ok(None);
            }
            local &= !scope.boundary;
            match &scope.parent {
                Some(parent) => scope = parent,
                None => return Ok(None),
            }
        }
    }

    /// Whether some shorter part of the name is a column of this very scope.
    fn has_column(&self, parts: &[Box<str>]) -> bool {
        (1..parts.len()).any(|end| {
            parts
                .get(..end)
                .and_then(<[_]>::split_last)
                .is_some_and(|(name, prefix)| self.fields.iter().any(|field| field.resolves(prefix, name)))
        })
    }

    /// Whether some shorter part of the name is a column, here or further out.
    pub(super) fn is_column_reference(self: &Rc<Self>, parts: &[Box<str>]) -> bool {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if current.has_column(parts) {
                return true;
            }
            scope = current.parent.as_ref();
        }
        false
    }

    /// The WITH query of this name (lower case), looking outwards.
    pub(super) fn named(self: &Rc<Self>, name: &str) -> Option<Rc<Named>> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Some((_, named)) = current.named.iter().rev().find(|(known, _)| known == name) {
                return Some(Rc::clone(named));
            }
            scope = current.parent.as_ref();
        }
        None
    }

    /// The scopes of this query, from here outwards.
    pub(super) fn local_scopes(self: &Rc<Self>) -> impl Iterator<Item = &Rc<Self>> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let current = next?;
            next = if current.boundary { None } else { current.parent.as_ref() };
            Some(current)
        })
    }

    /// The scope of the outer query, if there is one.
    pub(super) fn outer(self: &Rc<Self>) -> Option<&Rc<Self>> {
        let mut scope = self;
        loop {
            if scope.boundary {
                return scope.parent.as_ref();
            }
            scope = scope.parent.as_ref()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn names_compare_as_in_java() {
        assert!(same_name("SSN", "ssn"));
        assert!(same_name("ſsn", "SSN"), "long s is an S to Java");
        assert!(same_name("\u{212a}ey", "key"), "the Kelvin sign is a K");
        assert!(same_name("straße", "STRAßE"));
        assert!(!same_name("strasse", "straße"));
        assert!(!same_name("a", "ab"));
        assert!(!same_name("aé", "aè"));
        assert!(same_name("É", "é"));
        assert!(same_name("", "") && !same_name("", "a"));
    }
}
