//! MATCH_RECOGNIZE, and row patterns in window frames.

use std::collections::HashSet;
use std::rc::Rc;

use super::name::{canonical, dotted};
use super::pushed::Terms;
use super::recursion::Nested;
use super::relation::Relation;
use super::scope::{Field, Scope, folded};
use super::value::{Cx, Labels};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Reason;
use crate::core::sql::token::Span;
use crate::core::sql::tree::walk::Visitor;
use crate::core::sql::tree::{
    Expr, ExprKind, FrameBoundKind, FrameUnit, Ident, MatchRecognize, Measure, PatternQuantifier, RowPattern, RowsPerMatch,
    SkipTo, Subset, VariableDefinition, WindowFrame,
};
use crate::core::sql::types::Type;

/// The pattern variables of a pattern and of its subsets.
pub(super) fn labels(subsets: &[Subset], pattern: Option<&RowPattern>, in_window: bool) -> Rc<Labels> {
    let mut names = HashSet::new();
    if let Some(pattern) = pattern {
        variables(pattern, &mut names);
    }
    names.extend(subsets.iter().map(|subset| canonical(&subset.name)));
    Rc::new(Labels { names, in_window })
}

fn variables(pattern: &RowPattern, into: &mut HashSet<String>) {
    match pattern {
        RowPattern::Variable(name) => {
            into.insert(canonical(name));
        }
        RowPattern::Empty(_) | RowPattern::Anchor(..) => {}
        RowPattern::Permute(parts, _) | RowPattern::Sequence(parts) | RowPattern::Choice(parts) => {
            parts.iter().for_each(|part| variables(part, into));
        }
        RowPattern::Excluded(inner, _) => variables(inner, into),
        RowPattern::Repeated { pattern, .. } => variables(pattern, into),
    }
}

/// The first part of a pattern that `wanted` accepts.
fn part<'t>(pattern: &'t RowPattern, wanted: &dyn Fn(&RowPattern) -> Option<Span>) -> Option<Span> {
    wanted(pattern).or_else(|| match pattern {
        RowPattern::Variable(_) | RowPattern::Empty(_) | RowPattern::Anchor(..) => None,
        RowPattern::Permute(parts, _) | RowPattern::Sequence(parts) | RowPattern::Choice(parts) => {
            parts.iter().find_map(|inner| part(inner, wanted))
        }
        RowPattern::Excluded(inner, _) => part(inner, wanted),
        RowPattern::Repeated { pattern, .. } => part(pattern, wanted),
    })
}

/// The first token of a pattern, parentheses left aside.
pub(super) fn first_token(pattern: &RowPattern) -> u32 {
    match pattern {
        RowPattern::Variable(name) => name.token,
        RowPattern::Empty(span) | RowPattern::Anchor(_, span) | RowPattern::Permute(_, span) | RowPattern::Excluded(_, span) => {
            span.first
        }
        RowPattern::Repeated { span, .. } => span.first,
        RowPattern::Sequence(parts) | RowPattern::Choice(parts) => parts.first().map_or(0, first_token),
    }
}

fn quantifiers(pattern: &RowPattern) -> Outcome<()> {
    match pattern {
        RowPattern::Variable(_) | RowPattern::Empty(_) | RowPattern::Anchor(..) => Ok(()),
        RowPattern::Permute(parts, _) | RowPattern::Sequence(parts) | RowPattern::Choice(parts) => {
            parts.iter().try_for_each(quantifiers)
        }
        RowPattern::Excluded(inner, _) => quantifiers(inner),
        RowPattern::Repeated { pattern, quantifier, span } => {
            quantifiers(pattern)?;
            let PatternQuantifier { at_least, at_most, .. } = quantifier;
            let limit = i64::from(i32::MAX);
            let at = Span::at(span.last);
            let least = at_least.parse::<i64>().unwrap_or(i64::MAX);
            let most = at_most.as_ref().map(|most| most.parse::<i64>().unwrap_or(i64::MAX));
            if least > limit || most.is_some_and(|most| most < 1 || most > limit) {
                return Err(refusal("NUMERIC_VALUE_OUT_OF_RANGE", at, "the bounds of a quantifier are out of range"));
            }
            if most.is_some_and(|most| least > most) {
                return Err(refusal("INVALID_RANGE", at, "the lower bound of a quantifier exceeds the upper one"));
            }
            Ok(())
        }
    }
}

/// What SUBSET, DEFINE and AFTER MATCH say of pattern variables.
fn clauses(
    measures: &[Measure],
    subsets: &[Subset],
    definitions: &[VariableDefinition],
    pattern: &RowPattern,
    skip: Option<&SkipTo>,
) -> Outcome<()> {
    let mut primary = HashSet::new();
    variables(pattern, &mut primary);
    let invalid = |name: &Ident, message: &str| Err(refusal("INVALID_LABEL", name.span(), format!("{}: {message}", name.text)));
    let mut unions = HashSet::new();
    for subset in subsets {
        if primary.contains(&canonical(&subset.name)) {
            return invalid(&subset.name, "a subset cannot have the name of a pattern variable");
        }
        if !unions.insert(canonical(&subset.name)) {
            return invalid(&subset.name, "this subset is given twice");
        }
        if let Some(other) = subset.variables.iter().find(|name| !primary.contains(&canonical(name))) {
            return invalid(other, "is no pattern variable");
        }
    }
    let mut defined = HashSet::new();
    for definition in definitions {
        if !primary.contains(&canonical(&definition.name)) {
            return invalid(&definition.name, "is no pattern variable");
        }
        if !defined.insert(canonical(&definition.name)) {
            return invalid(&definition.name, "this pattern variable is defined twice");
        }
        let runs_final = |inner: &Expr| matches!(&inner.kind, ExprKind::Call(call) if call.running == Some(false));
        if let Some(inner) = super::walk::find(&definition.condition, &runs_final) {
            return Err(refusal("INVALID_PROCESSING_MODE", inner.span, "FINAL is not supported in DEFINE"));
        }
    }
    quantifiers(pattern)?;
    skipping(skip, &primary, &unions)?;
    // No row pattern stands inside another, in a subquery neither.
    let exprs = measures.iter().map(|measure| &measure.expr).chain(definitions.iter().map(|definition| &definition.condition));
    for expr in exprs {
        let mut nested = Nested::default();
        nested.expr(expr);
        if let Some(at) = nested.pattern {
            let message = "row pattern recognition cannot stand inside another";
            return Err(refusal("NESTED_ROW_PATTERN_RECOGNITION", at, message));
        }
    }
    Ok(())
}

/// AFTER MATCH SKIP TO names a pattern variable.
fn skipping(skip: Option<&SkipTo>, primary: &HashSet<String>, unions: &HashSet<String>) -> Outcome<()> {
    match skip {
        Some(SkipTo::First(name) | SkipTo::Last(name))
            if !primary.contains(&canonical(name)) && !unions.contains(&canonical(name)) =>
        {
            Err(refusal("INVALID_LABEL", name.span(), format!("{}: is no pattern variable", name.text)))
        }
        _ => Ok(()),
    }
}

impl Resolver<'_> {
    /// `relation MATCH_RECOGNIZE (…)`, with its alias.
    pub(super) fn match_recognize(&mut self, matched: &MatchRecognize, span: Span, scope: &Rc<Scope>) -> Outcome<Relation> {
        let input = self.relation(&matched.relation, scope)?;
        let mut names = HashSet::new();
        for field in input.fields.iter() {
            if let Some(name) = &field.name
                && !names.insert(name.to_uppercase())
            {
                let message = format!("the input of MATCH_RECOGNIZE has two columns {name}");
                return Err(refusal("AMBIGUOUS_NAME", matched.relation.span, message));
            }
        }
        let cx = self.cx(&input.scope);
        let mut partition = Vec::new();
        for expr in &matched.partition_by {
            let field = input_field(expr, &input.scope)?;
            let value = self.value(expr, &cx)?;
            if !value.kind.is_comparable() {
                return Err(refusal("TYPE_MISMATCH", expr.span, format!("PARTITION BY cannot be applied to {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::Pattern, expr.span);
            partition.push(field);
        }
        let mut order = Vec::new();
        for item in &matched.order_by {
            let field = input_field(&item.expr, &input.scope)?;
            let value = self.value(&item.expr, &cx)?;
            if !value.kind.is_orderable() {
                return Err(refusal("TYPE_MISMATCH", item.span, format!("ORDER BY cannot be applied to {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::Pattern, item.expr.span);
            order.push(field);
        }
        clauses(&matched.measures, &matched.subsets, &matched.definitions, &matched.pattern, matched.skip.as_ref())?;
        if matched.search.is_some() {
            // The word stands before `PATTERN (`.
            let at = Span::at(first_token(&matched.pattern).saturating_sub(3));
            return Err(refusal("NOT_SUPPORTED", at, "INITIAL and SEEK are not for MATCH_RECOGNIZE"));
        }
        let rows = matched.rows.unwrap_or(RowsPerMatch::One);
        if rows == RowsPerMatch::AllWithUnmatched {
            let excluded = |pattern: &RowPattern| match pattern {
                RowPattern::Excluded(_, span) => Some(*span),
                _ => None,
            };
            if let Some(at) = part(&matched.pattern, &excluded) {
                return Err(refusal("INVALID_ROW_PATTERN", at, "WITH UNMATCHED ROWS rules exclusions out"));
            }
        }
        let labels = labels(&matched.subsets, Some(&matched.pattern), false);
        let inner = Cx { correlated: false, pattern: Some(labels), ..cx };
        self.definitions(&matched.definitions, &inner)?;
        let measures = self.measures(&matched.measures, &inner)?;

        let one = rows == RowsPerMatch::One;
        let mut fields: Vec<Field> = Vec::new();
        let visible = |field: &Field| Field { alias: None, hidden: false, terms: Terms::default(), ..field.clone() };
        let taken: Vec<u32> = partition.iter().chain(if one { &[][..] } else { &order }).map(|(index, _)| *index).collect();
        fields.extend(partition.iter().map(|(_, field)| visible(field)));
        if !one {
            fields.extend(order.iter().map(|(_, field)| visible(field)));
        }
        fields.extend(measures);
        if !one {
            for (index, field) in (0u32..).zip(input.fields.iter()) {
                if !taken.contains(&index) {
                    fields.push(Field { alias: None, terms: Terms::default(), ..field.as_ref().clone() });
                }
            }
        }
        if fields.is_empty() {
            return Err(refusal("TABLE_HAS_NO_COLUMNS", span, "MATCH_RECOGNIZE gives no columns"));
        }
        let relation = self.relation_of(scope, fields, false);
        match &matched.alias {
            Some(alias) => self.aliased(relation, alias, matched.columns.as_deref(), span, scope),
            None => Ok(relation),
        }
    }

    fn definitions<'t>(&mut self, definitions: &'t [VariableDefinition], cx: &Cx<'t>) -> Outcome<()> {
        for definition in definitions {
            let expr = &definition.condition;
            self.no_windows(expr)?;
            let value = self.value(expr, cx)?;
            if value.kind != Type::Boolean {
                return Err(refusal("TYPE_MISMATCH", expr.span, format!("DEFINE needs a condition, but this is {}", value.kind)));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::Pattern, expr.span);
        }
        Ok(())
    }

    fn measures<'t>(&mut self, measures: &'t [Measure], cx: &Cx<'t>) -> Outcome<Vec<Field>> {
        let mut fields = Vec::with_capacity(measures.len());
        for measure in measures {
            self.no_windows(&measure.expr)?;
            let value = self.value(&measure.expr, cx)?;
            let flow = self.settle(&value);
            fields.push(Field::computed(Some(measure.name.text.as_ref().into()), value.kind, flow));
        }
        Ok(fields)
    }

    /// The row pattern of a window frame.
    pub(super) fn frame_pattern<'t>(&mut self, frame: &'t WindowFrame, cx: &Cx<'t>) -> Outcome<()> {
        let Some(pattern) = &frame.pattern else {
            let at = if !frame.measures.is_empty() {
                Some(frame.span)
            } else if let Some(skip) = &frame.skip {
                Some(match skip {
                    SkipTo::NextRow(span) | SkipTo::PastLastRow(span) => *span,
                    SkipTo::First(name) | SkipTo::Last(name) => name.span(),
                })
            } else if frame.search.is_some() {
                Some(frame.span)
            } else if let Some(subset) = frame.subsets.first() {
                Some(subset.name.span())
            } else {
                frame.definitions.first().map(|definition| definition.span)
            };
            return match at {
                Some(at) => Err(refusal("MISSING_ROW_PATTERN", at, "this needs a PATTERN")),
                None => Ok(()),
            };
        };
        if frame.definitions.is_empty() {
            return Err(refusal("MISSING_VARIABLE_DEFINITIONS", frame.span, "a PATTERN needs DEFINE"));
        }
        if frame.unit != FrameUnit::Rows || frame.start.kind != FrameBoundKind::CurrentRow || frame.end.is_none() {
            let message = "a PATTERN needs a frame of ROWS BETWEEN CURRENT ROW AND …";
            return Err(refusal("INVALID_WINDOW_FRAME", frame.span, message));
        }
        clauses(&frame.measures, &frame.subsets, &frame.definitions, pattern, frame.skip.as_ref())?;
        let anchor = |pattern: &RowPattern| match pattern {
            RowPattern::Anchor(_, span) => Some(*span),
            _ => None,
        };
        if let Some(at) = part(pattern, &anchor) {
            return Err(refusal("INVALID_ROW_PATTERN", at, "'^' and '$' are not for windows"));
        }
        let inner = Cx { pattern: Some(labels(&frame.subsets, Some(pattern), true)), correlated: false, ..cx.clone() };
        self.definitions(&frame.definitions, &inner)?;
        self.measures(&frame.measures, &inner)?;
        Ok(())
    }
}

/// The input column that PARTITION BY or ORDER BY of MATCH_RECOGNIZE names.
fn input_field(expr: &Expr, scope: &Rc<Scope>) -> Outcome<(u32, Rc<Field>)> {
    let ExprKind::Name(parts) = &expr.kind else {
        return Err(refusal("INVALID_COLUMN_REFERENCE", expr.span, "only columns of the input may stand here"));
    };
    let found = scope
        .resolve(&folded(parts))
        .map_err(|_| refusal("AMBIGUOUS_NAME", expr.span, format!("column '{}' is ambiguous", dotted(parts))))?;
    found
        .filter(|found| found.local)
        .map(|found| (found.index, found.field))
        .ok_or_else(|| refusal("COLUMN_NOT_FOUND", expr.span, format!("column {} is not in the input", dotted(parts))))
}
