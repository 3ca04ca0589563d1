//! Joins, and what their conditions compare.

use std::rc::Rc;

use super::pushed::{Node, Reach};
use super::relation::{Relation, is_lateral};
use super::scope::{Field, Scope};
use super::value::{Value, key_of};
use super::{Equality, Outcome, Resolver, refusal};
use crate::core::sql::analysis::{How, Reason};
use crate::core::sql::coercion::common_type;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{self, Expr, ExprKind, Ident, Join, JoinCriteria, JoinKind, RelationKind};
use crate::core::sql::types::Type;

/// A term of a chain of ANDs.
#[derive(Debug)]
pub(super) struct Conjunct {
    pub(super) value: Value,
    pub(super) span: Span,
    /// The relations of FROM that it names.
    pub(super) leaves: Vec<u32>,
}

/// Two sides of a join; whether something compares them is known when WHERE has been read.
#[derive(Debug)]
pub(super) struct Pair {
    left: Vec<u32>,
    right: Vec<u32>,
    span: Span,
}

fn distinct(leaves: &[u32]) -> Vec<u32> {
    let mut all = leaves.to_vec();
    all.sort_unstable();
    all.dedup();
    all
}

impl Resolver<'_> {
    pub(super) fn new_leaf(&mut self) -> u32 {
        let leaf = u32::try_from(self.leaf_parents.len()).unwrap_or(u32::MAX);
        self.leaf_parents.push(leaf);
        leaf
    }

    fn leaf_root(&mut self, leaf: u32) -> u32 {
        let mut root = leaf;
        while let Some(parent) = self.leaf_parents.get(root as usize).copied()
            && parent != root
        {
            root = parent;
        }
        if let Some(slot) = self.leaf_parents.get_mut(leaf as usize) {
            *slot = root;
        }
        root
    }

    /// Notes that something compares these relations.
    pub(super) fn connect(&mut self, leaves: &[u32]) {
        for pair in leaves.windows(2) {
            if let [a, b] = pair {
                let (a, b) = (self.leaf_root(*a), self.leaf_root(*b));
                if let Some(slot) = self.leaf_parents.get_mut(a as usize) {
                    *slot = b;
                }
            }
        }
    }

    /// The relations of FROM that were named since `start`.
    pub(super) fn leaves_since(&self, start: usize) -> Vec<u32> {
        let leaves: Vec<u32> = self
            .references_since(start)
            .iter()
            .filter_map(|reference| self.leaf_map.get(&reference.field.0)?.get(reference.field.1 as usize).copied())
            .collect();
        distinct(&leaves)
    }

    /// Joins that nothing makes more than a pairing of all rows.
    pub(super) fn report_crosses(&mut self, pairs: Vec<Pair>) {
        for pair in pairs {
            let right: Vec<u32> = pair.right.iter().map(|leaf| self.leaf_root(*leaf)).collect();
            let met = pair.left.iter().any(|leaf| right.contains(&self.leaf_root(*leaf)));
            if !met {
                let span = self.place(pair.span);
                self.cross_joins.push(span);
            }
        }
    }

    /// Splits a condition into its conjuncts, resolving each.
    pub(super) fn conjuncts<'t>(&mut self, expr: &'t Expr, cx: &super::value::Cx<'t>, into: &mut Vec<Conjunct>) -> Outcome<()> {
        if let ExprKind::Logical { or: false, terms } = &expr.kind {
            for term in terms {
                self.conjuncts(term, cx, into)?;
                if let Some(last) = into.last() {
                    super::expression::must_be(&last.value.kind, &Type::Boolean, term.span, "a term of AND")?;
                }
            }
            return Ok(());
        }
        let start = self.references.len();
        let value = self.value(expr, cx)?;
        let leaves = self.leaves_since(start);
        into.push(Conjunct { value, span: expr.span, leaves });
        Ok(())
    }

    /// FROM: the parts between commas, joined from the left.
    pub(super) fn from(&mut self, parts: &[tree::Relation], scope: &Rc<Scope>, pairs: &mut Vec<Pair>) -> Outcome<Relation> {
        let mut parts = parts.iter();
        let Some(first) = parts.next() else {
            let fields: Rc<[Rc<Field>]> = Rc::from([]);
            let mut relation = self.relation_with(scope, fields, Rc::from([]), true);
            relation.one_row = true;
            return Ok(relation);
        };
        let outer = std::mem::take(&mut self.pairs);
        let mut left = self.relation(first, scope)?;
        for part in parts {
            left = self.join(left, part, JoinKind::Cross, None, [part.span, part.span], scope)?;
        }
        pairs.extend(std::mem::replace(&mut self.pairs, outer));
        Ok(left)
    }

    pub(super) fn joined<'t>(&mut self, first: &'t tree::Relation, joins: &'t [Join], scope: &Rc<Scope>) -> Outcome<Relation> {
        if joins.iter().any(|join| matches!(join.criteria, Some(JoinCriteria::Natural))) {
            return Err(refusal("NOT_SUPPORTED", Span::at(first.span.first), "NATURAL JOIN is not supported"));
        }
        let mut left = self.relation(first, scope)?;
        for join in joins {
            left =
                self.join(left, &join.right, join.kind, join.criteria.as_ref(), [Span::at(first.span.first), join.span], scope)?;
        }
        Ok(left)
    }

    fn join<'t>(
        &mut self,
        left: Relation,
        right: &'t tree::Relation,
        kind: JoinKind,
        criteria: Option<&'t JoinCriteria>,
        [start, span]: [Span; 2],
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        let lateral = is_lateral(right);
        let before = self.references.len();
        let right_relation = self.relation(right, if lateral { &left.scope } else { scope })?;
        if lateral {
            self.lateral(&left, right, kind, criteria, start, before)?;
        }
        self.spend(u32::try_from(left.fields.len() + right_relation.fields.len()).unwrap_or(u32::MAX) / 8)?;
        if !lateral && !left.one_row && !right_relation.one_row {
            self.pairs.push(Pair { left: distinct(&left.leaves), right: distinct(&right_relation.leaves), span });
        }
        if let Some(JoinCriteria::Using(columns)) = criteria {
            return self.join_using(&left, &right_relation, kind, columns, scope);
        }
        let (left_null, right_null) = match kind {
            JoinKind::Cross | JoinKind::Inner => (false, false),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
        };
        let sides = |null_left: bool, null_right: bool| -> Rc<[Rc<Field>]> {
            let left = left.fields.iter().map(move |field| nullable(field, null_left));
            left.chain(right_relation.fields.iter().map(move |field| nullable(field, null_right))).collect()
        };
        let leaves: Rc<[u32]> = left.leaves.iter().chain(right_relation.leaves.iter()).copied().collect();
        let one_row = left.one_row && right_relation.one_row;
        // Inside ON both sides have their rows.
        let mut output = self.relation_with(scope, sides(false, false), Rc::clone(&leaves), one_row);
        if let Some(JoinCriteria::On(condition)) = criteria {
            self.no_aggregates(condition, "the condition of a join")?;
            let mut cx = self.cx(&output.scope);
            cx.correlated &= matches!(kind, JoinKind::Inner | JoinKind::Cross);
            let mut conjuncts = Vec::new();
            self.conjuncts(condition, &cx, &mut conjuncts)?;
            if let [only] = conjuncts.as_slice()
                && !matches!(only.value.kind, Type::Boolean | Type::Unknown)
            {
                let message = format!("the condition of a join must be boolean, but is {}", only.value.kind);
                return Err(refusal("TYPE_MISMATCH", condition.span, message));
            }
            let right_leaves = distinct(&right_relation.leaves);
            for conjunct in &conjuncts {
                self.connect(&conjunct.leaves);
                let sources = self.sources(&conjunct.value);
                self.influence(sources, Reason::Join, conjunct.span);
                let on_right = conjunct.leaves.iter().filter(|leaf| right_leaves.contains(leaf)).count();
                let (only_right, only_left) = (on_right == conjunct.leaves.len(), on_right == 0);
                let reaches = match kind {
                    JoinKind::Cross | JoinKind::Inner => true,
                    JoinKind::Left => only_right,
                    JoinKind::Right => only_left,
                    JoinKind::Full => false,
                };
                if reaches && !conjunct.leaves.is_empty() {
                    self.push_down(&conjunct.value);
                }
                self.equate(&conjunct.value, kind, &left, &right_relation);
            }
        }
        if left_null || right_null {
            let mut fields = sides(left_null, right_null);
            std::mem::swap(&mut output.fields, &mut fields);
            output = self.relation_with(scope, Rc::clone(&output.fields), leaves, one_row);
        }
        Ok(output)
    }

    /// What the server asks of joins with UNNEST, LATERAL and JSON_TABLE.
    fn lateral<'t>(
        &mut self,
        left: &Relation,
        right: &'t tree::Relation,
        kind: JoinKind,
        criteria: Option<&'t JoinCriteria>,
        start: Span,
        before: usize,
    ) -> Outcome<()> {
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            let reference =
                self.references_since(before).iter().find(|reference| reference.field.0 == left.scope.relation).copied();
            if let Some(reference) = reference {
                let message = "a lateral reference is not allowed in RIGHT and FULL JOIN";
                return Err(refusal("INVALID_COLUMN_REFERENCE", reference.span, message));
            }
        }
        let mut inner = right;
        while let RelationKind::Aliased { relation, .. } = &inner.kind {
            inner = relation;
        }
        let what = match &inner.kind {
            RelationKind::Unnest { .. } => Some("UNNEST"),
            RelationKind::JsonTable(_) => Some("JSON_TABLE"),
            _ => None,
        };
        let on_true = match criteria {
            None => true,
            Some(JoinCriteria::On(condition)) => matches!(condition.kind, ExprKind::Literal(tree::Literal::Boolean(true))),
            Some(_) => false,
        };
        let at = match criteria {
            Some(JoinCriteria::On(condition)) => condition.span,
            _ => start,
        };
        match what {
            Some(what) if !on_true => Err(refusal("NOT_SUPPORTED", at, format!("a join with {what} takes only ON TRUE"))),
            None if kind == JoinKind::Full && !(criteria.is_some() && on_true) => {
                Err(refusal("NOT_SUPPORTED", at, "FULL JOIN with LATERAL takes only ON TRUE"))
            }
            _ => Ok(()),
        }
    }

    /// Remembers `a = b` between two scans, by which a predicate on one side holds for the other.
    fn equate(&mut self, value: &Value, kind: JoinKind, left: &Relation, right: &Relation) {
        let Some(node) = value.terms.node() else { return };
        let Some((a, b)) = node.equality() else { return };
        let of = |node: &Node, relation: &Relation| match node.reach() {
            Reach::One(scan) => relation.fields.iter().any(|field| field.terms.is_of(scan)),
            _ => false,
        };
        let (l, r) = if of(a, left) && of(b, right) {
            (a, b)
        } else if of(b, left) && of(a, right) {
            (b, a)
        } else {
            return;
        };
        if matches!(kind, JoinKind::Cross | JoinKind::Inner | JoinKind::Left) {
            self.equalities.push(Equality { from: Rc::clone(l), to: Rc::clone(r) });
        }
        if matches!(kind, JoinKind::Cross | JoinKind::Inner | JoinKind::Right) {
            self.equalities.push(Equality { from: Rc::clone(r), to: Rc::clone(l) });
        }
    }

    /// `a = b` of WHERE: both ways.
    pub(super) fn equate_both(&mut self, value: &Value) {
        let Some(node) = value.terms.node() else { return };
        let Some((a, b)) = node.equality() else { return };
        if let (Reach::One(first), Reach::One(second)) = (a.reach(), b.reach())
            && first != second
        {
            self.equalities.push(Equality { from: Rc::clone(a), to: Rc::clone(b) });
            self.equalities.push(Equality { from: Rc::clone(b), to: Rc::clone(a) });
        }
    }

    /// Hands a predicate that holds for every row to the scans that it concerns.
    pub(super) fn push_down(&mut self, value: &Value) {
        let mut found = Vec::new();
        value.terms.conjuncts(&mut found);
        for (scan, node) in found {
            if let Some(scan) = self.scans.get_mut(scan as usize) {
                scan.conjuncts.push(node);
            }
        }
    }

    fn join_using(
        &mut self,
        left: &Relation,
        right: &Relation,
        kind: JoinKind,
        columns: &[Ident],
        scope: &Rc<Scope>,
    ) -> Outcome<Relation> {
        let mut fields: Vec<Rc<Field>> = Vec::new();
        let mut leaves = Vec::new();
        let (mut left_taken, mut right_taken) = (Vec::new(), Vec::new());
        let mut seen: Vec<&Ident> = Vec::new();
        for column in columns {
            if seen.contains(&column) {
                let message = format!("column '{}' stands in USING more than once", column.text);
                return Err(refusal("DUPLICATE_COLUMN_NAME", column.span(), message));
            }
            seen.push(column);
            let name = [column.folded().into_boxed_str()];
            let find = |relation: &Relation, side: &str| {
                let found = relation
                    .scope
                    .resolve(&name)
                    .map_err(|_| refusal("AMBIGUOUS_NAME", column.span(), format!("column '{}' is ambiguous", column.text)))?;
                found.ok_or_else(|| {
                    refusal(
                        "COLUMN_NOT_FOUND",
                        column.span(),
                        format!("column '{}' is missing from the {side} side of the join", column.text),
                    )
                })
            };
            let (l, r) = (find(left, "left")?, find(right, "right")?);
            let common = common_type(&l.field.kind, &r.field.kind).filter(Type::is_comparable).ok_or_else(|| {
                let message =
                    format!("column '{}' is {} on the left side and {} on the right", column.text, l.field.kind, r.field.kind);
                refusal("TYPE_MISMATCH", column.span(), message)
            })?;
            for found in [&l, &r] {
                if let Some(read) = found.field.column {
                    self.read(read, column.span(), How::Using);
                }
                self.influence(found.field.flow.sources(), Reason::Join, column.span());
            }
            let pair = [leaf_at(left, l.index), leaf_at(right, r.index)];
            if let [Some(a), Some(b)] = pair {
                self.connect(&[a, b]);
            }
            let compared = Value {
                terms: super::pushed::Terms::apply("=", &[&l.field.terms, &r.field.terms], &Type::Boolean, true),
                ..Value::new(Type::Boolean, key_of("=", []))
            };
            self.equate(&compared, kind, left, right);
            let terms = match kind {
                JoinKind::Cross | JoinKind::Inner | JoinKind::Left => l.field.terms.clone(),
                JoinKind::Right => r.field.terms.clone(),
                JoinKind::Full => super::pushed::Terms::default(),
            };
            let mut field = Field::computed(Some(column.text.as_ref().into()), common, l.field.flow.either(&r.field.flow));
            field.terms = terms;
            fields.push(Rc::new(field));
            leaves.push(pair[0].unwrap_or_default());
            left_taken.push(l.index);
            right_taken.push(r.index);
        }
        let (left_null, right_null) =
            (matches!(kind, JoinKind::Right | JoinKind::Full), matches!(kind, JoinKind::Left | JoinKind::Full));
        for (relation, taken, null) in [(left, &left_taken, left_null), (right, &right_taken, right_null)] {
            for ((index, field), leaf) in (0u32..).zip(relation.fields.iter()).zip(relation.leaves.iter()) {
                if !taken.contains(&index) {
                    fields.push(nullable(field, null));
                    leaves.push(*leaf);
                }
            }
        }
        Ok(self.relation_with(scope, fields.into(), leaves.into(), left.one_row && right.one_row))
    }
}

fn leaf_at(relation: &Relation, index: u32) -> Option<u32> {
    relation.leaves.get(index as usize).copied()
}

/// The field on the side of an outer join that may have no row.
fn nullable(field: &Rc<Field>, null: bool) -> Rc<Field> {
    if !null || !field.terms.is_known() {
        return Rc::clone(field);
    }
    Rc::new(Field { terms: field.terms.nullable(), ..field.as_ref().clone() })
}
