//! WITH queries: resolved once, scanned once for each reference.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::flow::Sources;
use super::scope::{Field, Named};
use super::{Equality, Resolver, Stop};
use crate::core::sql::analysis::Reason;
use crate::core::sql::token::Span;

/// A column's influence, before it is known whether it counts.
#[derive(Debug, Clone)]
pub(super) struct Influencing {
    pub(super) sources: Sources,
    pub(super) reason: Reason,
    pub(super) span: Span,
    /// Whether no execution needs the columns for it: the order of a subquery of which all rows are taken.
    pub(super) idle: bool,
}

/// What one reference to a WITH query brings with it.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// The scans of its text. They are patterns: every reference has copies of its own.
    pub(super) scans: Range<u32>,
    pub(super) influences: Vec<Influencing>,
    /// What its joins say is equal.
    pub(super) equalities: Range<usize>,
    /// So often each reference reads them: a recursive query reads its step once for each round.
    pub(super) rounds: Vec<(Range<u32>, u32)>,
}

impl Resolver<'_> {
    /// Begins a text that is resolved once and referred to later.
    pub(super) fn begin_template(&mut self) -> (u32, usize, usize) {
        (self.scan_count(), self.influences.len(), self.equalities.len())
    }

    /// Takes what was found since `begin` out of the statement; references put it back.
    pub(super) fn end_template(&mut self, begin: (u32, usize, usize)) -> Template {
        let scans = begin.0..self.scan_count();
        for scan in self.scans.iter_mut().skip(scans.start as usize) {
            scan.live = false;
        }
        let influences = self.influences.split_off(begin.1.min(self.influences.len()));
        Template { scans, influences, equalities: begin.2..self.equalities.len(), rounds: Vec::new() }
    }

    /// The fields of one reference to `named`, over scans of its own.
    pub(super) fn instantiate(&mut self, named: &Rc<Named>) -> Result<Vec<Field>, Stop> {
        let template = &named.template;
        let start = template.scans.start;
        let count = template.scans.end.saturating_sub(start);
        self.spend(count.saturating_add(1))?;
        let first = self.scan_count();
        for index in template.scans.clone() {
            self.copy_scan(index, start, first, count)?;
        }
        for (range, rounds) in &template.rounds {
            for _ in 1..*rounds {
                for index in range.clone() {
                    self.copy_scan(index, start, first, count)?;
                }
            }
        }
        let scan = move |old: u32| old.checked_sub(start).filter(|offset| *offset < count).map(|offset| first + offset);
        let mut groups: HashMap<u32, u32> = HashMap::new();
        let mut fields = Vec::with_capacity(named.fields.len());
        for field in &named.fields {
            self.spend(1)?;
            let mut field = field.clone();
            if count > 0 {
                field.flow = field.flow.replaced(&mut |atom, out| out.push(self.moved(atom, &scan)), &scan);
                let mut group = |old: u32| *groups.entry(old).or_insert_with(|| self.next_group());
                field.terms = field.terms.over(&scan, &mut group);
            }
            fields.push(field);
        }
        for index in template.equalities.clone() {
            self.spend(1)?;
            if let Some(equality) = self.equalities.get(index) {
                let copy = Equality { from: equality.from.over(&scan), to: equality.to.over(&scan) };
                self.equalities.push(copy);
            }
        }
        for influence in &template.influences {
            self.spend(1)?;
            let sources = influence.sources.replaced(&mut |atom, out| out.push(self.moved(atom, &scan)));
            self.influences.push(Influencing { sources, ..influence.clone() });
        }
        Ok(fields)
    }

    fn copy_scan(&mut self, index: u32, start: u32, first: u32, count: u32) -> Result<(), Stop> {
        self.spend(1)?;
        let Some(pattern) = self.scans.get(index as usize) else { return Ok(()) };
        let mut copy = pattern.clone();
        copy.live = true;
        let scan = |old: u32| old.checked_sub(start).filter(|offset| *offset < count).map(|offset| first + offset);
        copy.conjuncts = copy.conjuncts.iter().map(|node| node.over(&scan)).collect();
        self.scans.push(copy);
        Ok(())
    }

    /// The atom of the same column in the scan that `scan` gives for its own.
    fn moved(&mut self, atom: u32, scan: &dyn Fn(u32) -> Option<u32>) -> u32 {
        let Some((old, column)) = self.atoms.get((atom >> 1) as usize).copied() else { return atom };
        match scan(old) {
            Some(new) => self.atom(new, column) | (atom & 1),
            None => atom,
        }
    }
}
