//! Names in expressions: columns, fields of rows, pattern variables.

use super::pushed::Terms;
use super::scope::{Ambiguous, Found, folded, same_name};
use super::value::{Cx, Fact, Reference, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::How;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{Expr, Ident};
use crate::core::sql::types::Type;

/// A name as a message shows it.
pub(super) fn dotted(parts: &[Ident]) -> String {
    parts.iter().map(|part| part.text.as_ref()).collect::<Vec<_>>().join(".")
}

/// The form by which Trino compares names where quotes count: pattern variables, windows, fields in GROUP BY.
pub(super) fn canonical(name: &Ident) -> String {
    if name.quoted { name.text.to_string() } else { name.text.to_uppercase() }
}

impl Resolver<'_> {
    /// A name: the longest run of its parts that is a column, then fields of a row.
    pub(super) fn name(&mut self, expr: &Expr, parts: &[Ident], cx: &Cx<'_>) -> Outcome<Value> {
        let span = expr.span;
        if let (Some(labels), [first, rest @ ..]) = (&cx.pattern, parts)
            && !rest.is_empty()
        {
            let unresolved = || refusal("COLUMN_NOT_FOUND", span, format!("column '{}' cannot be resolved", dotted(parts)));
            if rest.len() > 1 || !labels.names.contains(&canonical(first)) {
                return Err(unresolved());
            }
            let found = self.lookup(cx, rest, span)?.ok_or_else(unresolved)?;
            let key = text_key(&canonical(first));
            let mut value = self.found(expr, found, parts.len(), cx)?;
            value.key = mix(value.key, key);
            return Ok(value);
        }
        let lower = folded(parts);
        for count in (1..=parts.len()).rev() {
            let (Some(own), Some(lower)) = (parts.get(..count), lower.get(..count)) else { continue };
            if let Some(found) = self.lookup_folded(cx, lower, own, span)? {
                let value = self.found(expr, found, count, cx)?;
                return self.fields(expr, value, parts, count);
            }
            if count == 1 || !cx.scope.is_column_reference(lower) {
                let message = format!("column '{}' cannot be resolved", dotted(own));
                return Err(refusal("COLUMN_NOT_FOUND", span, message));
            }
        }
        Err(refusal("COLUMN_NOT_FOUND", span, "an empty name"))
    }

    fn lookup(&mut self, cx: &Cx<'_>, parts: &[Ident], span: Span) -> Outcome<Option<Found>> {
        self.lookup_folded(cx, &folded(parts), parts, span)
    }

    fn lookup_folded(&mut self, cx: &Cx<'_>, lower: &[Box<str>], parts: &[Ident], span: Span) -> Outcome<Option<Found>> {
        cx.scope
            .resolve(lower)
            .map_err(|Ambiguous| refusal("AMBIGUOUS_NAME", span, format!("column '{}' is ambiguous", dotted(parts))))
    }

    /// The value of a column that was found for the first `count` parts of the name.
    fn found(&mut self, expr: &Expr, found: Found, count: usize, cx: &Cx<'_>) -> Outcome<Value> {
        let span = expr.span;
        if !found.local && !cx.correlated {
            let message = "a column of an outer query is not allowed here";
            return Err(refusal("NOT_SUPPORTED", span, message));
        }
        if !found.local {
            self.outward = self.outward.saturating_add(1);
        }
        let id = (found.relation, found.index);
        let start = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        self.references.push(Reference { field: id, span, lambda: found.lambda });
        let field = &found.field;
        // Lambdas that say the same are the same, whatever scopes they were resolved in.
        let key = match &field.name {
            Some(name) if found.lambda => key_of("lambda argument", [text_key(name)]),
            _ => key_of("column", [u64::from(id.0), u64::from(id.1)]),
        };
        self.facts.insert(
            Self::address(expr),
            Fact {
                key,
                column: Some((id, count)),
                lambda: found.lambda,
                kind: field.kind.clone(),
                references: (start, start + 1),
            },
        );
        let read = field.column.map(|column| (column, field.place.unwrap_or(span), How::Named));
        Ok(Value {
            kind: field.kind.clone(),
            flow: field.flow.clone(),
            read,
            key,
            terms: if found.local && !found.lambda { field.terms.clone() } else { Terms::default() },
            column: Some(id),
        })
    }

    /// The fields that the parts after `count` name.
    fn fields(&mut self, expr: &Expr, mut value: Value, parts: &[Ident], count: usize) -> Outcome<Value> {
        let Some(rest) = parts.get(count..).filter(|rest| !rest.is_empty()) else { return Ok(value) };
        for (index, part) in rest.iter().enumerate() {
            let named = || dotted(parts.get(..=count + index).unwrap_or(parts));
            value = self.field_named(value, part, expr.span, &named)?;
        }
        if let Some(fact) = self.facts.get_mut(&Self::address(expr)) {
            fact.key = value.key;
            fact.kind = value.kind.clone();
        }
        Ok(value)
    }

    /// `value.part`.
    pub(super) fn field_named(&mut self, value: Value, part: &Ident, base: Span, named: &dyn Fn() -> String) -> Outcome<Value> {
        let Type::Row(fields) = &value.kind else {
            let message = format!("'{}': what stands before the dot is not a row but {}", named(), value.kind);
            return Err(refusal("TYPE_MISMATCH", base, message));
        };
        let mut matching = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.name.as_ref().is_some_and(|name| same_name(name, &part.text)))
            .map(|(index, _)| index);
        let index = matching
            .next()
            .ok_or_else(|| refusal("INVALID_COLUMN_REFERENCE", base, format!("column reference '{}' is invalid", named())))?;
        if matching.next().is_some() {
            let message = format!("ambiguous row field reference: {}", part.text);
            return Err(refusal("AMBIGUOUS_NAME", part.span(), message));
        }
        let key = key_of(".", [value.key, text_key(&canonical(part))]);
        let mut value = self.row_field(value, index);
        value.key = key;
        Ok(value)
    }
}
