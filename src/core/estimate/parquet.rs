//! What is read of one Parquet file whose footer is known. Each rule is in docs/estimates.md with its measurement.

use super::Bounds;
use super::domain::{Domain, Overlap};
use super::held::{of_chunk, of_page};
use super::model::{SMALL_FILE, Splits, TAIL, Wanted};
use super::ranges::{Fetch, MERGE_GAP, MERGE_LENGTH, Wish, fetched, fetches};
use crate::core::catalog::file::{Chunk, Group, Parquet};

/// Rows of the largest page that the reader hands on (`parquet.max-read-block-row-count`).
const MOST_PAGE_ROWS: u64 = 8192;

/// A scan on one file: the leaves that it wants, and those that its predicates name.
struct Lens<'a> {
    file: &'a Parquet,
    wanted: &'a Wanted,
    leaves: Vec<usize>,
    filters: Vec<(usize, &'a Domain)>,
    /// Leaves that any predicate on the rows names.
    asked: Vec<usize>,
    /// Leaves by which the scan may be filtered at run time, and those for which a single value is looked up then.
    soft: Vec<usize>,
    paid: Vec<usize>,
    /// Leaves that are certainly wanted.
    sure: Vec<usize>,
}

/// Rows of a group from one up to, but without, another.
type Rows = (u64, u64);

/// A row group that statistics leave.
struct Left<'a> {
    number: usize,
    group: &'a Group,
    /// Whether a look into a dictionary or Bloom filter may still leave it out.
    may_go: bool,
    /// Bytes of those looks.
    looks: u64,
    /// Rows that the page index leaves; `None`: all.
    rows: Option<Vec<Rows>>,
    /// Bytes of the page index read.
    index: u64,
}

/// What Trino's reader fetches of a file.
pub(super) fn trino(bytes: u64, file: &Parquet, wanted: &Wanted, splits: &Splits) -> Bounds {
    let lens = Lens::new(file, wanted);
    wanted.added(splits.cut(bytes).into_iter().map(|(from, to)| lens.split(bytes, from, to)))
}

/// The chunks of the wanted columns in the row groups that statistics leave.
pub(super) fn chunks(file: &Parquet, wanted: &Wanted) -> Bounds {
    let lens = Lens::new(file, wanted);
    let of = |group: &Group| lens.chunks(group).fold(0u64, |sum, chunk| sum.saturating_add(chunk.bytes));
    let all = file.groups.iter().fold(0u64, |sum, group| sum.saturating_add(of(group)));
    let left =
        file.groups.iter().filter(|group| lens.verdict(group).is_some()).fold(0u64, |sum, group| sum.saturating_add(of(group)));
    Bounds::new(if wanted.filters() { 0 } else { left }, left, all)
}

impl<'a> Lens<'a> {
    fn new(file: &'a Parquet, wanted: &'a Wanted) -> Self {
        let below = |path: &[String], leaf: &[String]| leaf.len() >= path.len() && leaf.iter().zip(path).all(|(a, b)| a == b);
        let leaf = |path: &str| {
            let parts: Vec<&str> = path.split('.').collect();
            file.leaves.iter().position(|leaf| leaf.len() == parts.len() && leaf.iter().zip(&parts).all(|(a, b)| a == b))
        };
        let any = |paths: &[Vec<String>]| {
            (0..file.leaves.len())
                .filter(|i| file.leaves.get(*i).is_some_and(|leaf| paths.iter().any(|p| below(p, leaf))))
                .collect()
        };
        Self {
            file,
            wanted,
            leaves: any(&wanted.paths),
            filters: wanted.domains.iter().filter_map(|(column, domain)| Some((leaf(column)?, domain))).collect(),
            asked: any(&wanted.asked),
            soft: any(&wanted.soft),
            paid: any(&wanted.paid),
            sure: any(&wanted.sure),
        }
    }

    fn chunks<'b>(&'b self, group: &'b Group) -> impl Iterator<Item = &'b Chunk> {
        self.leaves.iter().filter_map(|leaf| group.chunks.get(*leaf))
    }

    /// The columns that statistics leave in doubt; `None` where one of them rules the group out.
    fn verdict(&self, group: &Group) -> Option<Vec<(usize, &'a Domain)>> {
        if group.rows == 0 {
            return None;
        }
        let mut candidates = Vec::new();
        for (leaf, domain) in &self.filters {
            let Some(chunk) = group.chunks.get(*leaf) else { continue };
            match of_chunk(domain, chunk) {
                Overlap::None => return None,
                Overlap::Some => candidates.push((*leaf, *domain)),
                Overlap::All => {}
            }
        }
        Some(candidates)
    }

    fn left(&self, number: usize, group: &'a Group) -> Option<Left<'a>> {
        let candidates = self.verdict(group)?;
        let (mut looks, mut may_go) = (0u64, false);
        for (leaf, domain) in &candidates {
            let Some(chunk) = group.chunks.get(*leaf) else { continue };
            if let Some(bloom) = chunk.bloom.filter(|_| domain.is_discrete()) {
                looks = looks.saturating_add(bloom);
                may_go = true;
            }
            if let Some(dictionary) = chunk.dictionary.filter(|_| chunk.all_dictionary) {
                looks = looks.saturating_add(dictionary);
                may_go = true;
            }
        }
        for chunk in self.paid.iter().filter_map(|leaf| group.chunks.get(*leaf)) {
            // One value, or another set of them, is hardly ever all that a chunk holds.
            let one = chunk.range.as_ref().is_some_and(|(min, max)| min == max);
            looks = looks.saturating_add(chunk.dictionary.filter(|_| chunk.all_dictionary && !one).unwrap_or(0));
        }
        let (rows, index) = self.paged(group);
        Some(Left { number, group, may_go, looks, rows, index })
    }

    /// The rows that the page index leaves, and the bytes of the index that are read for it.
    fn paged(&self, group: &Group) -> (Option<Vec<Rows>>, u64) {
        let mut left: Option<Vec<Rows>> = None;
        let mut column_indexes = Vec::new();
        for (leaf, domain) in &self.filters {
            let Some(pages) = group.chunks.get(*leaf).and_then(|chunk| chunk.pages.as_ref()) else { continue };
            column_indexes.push(pages.column_index);
            let ends = pages.pages.iter().skip(1).map(|page| page.first_row).chain([group.rows]);
            let own: Vec<Rows> = pages
                .pages
                .iter()
                .zip(ends)
                .filter(|(page, _)| of_page(domain, page) != Overlap::None)
                .map(|(page, end)| (page.first_row, end))
                .collect();
            left = Some(match left {
                Some(left) => both(&left, &own),
                None => own,
            });
        }
        if left.is_none() {
            return (None, 0);
        }
        let offsets = self.chunks(group).filter_map(|chunk| chunk.pages.as_ref()).map(|pages| pages.offset_index);
        let index = fetched(column_indexes.into_iter()).saturating_add(fetched(offsets));
        (left, index)
    }

    fn split(&self, bytes: u64, from: u64, to: u64) -> Bounds {
        let groups = self.file.groups.iter().enumerate().filter(|(_, group)| {
            let start = group.chunks.first().map_or(0, |chunk| chunk.start);
            (from..to).contains(&start)
        });
        let left: Vec<Left<'a>> = groups.filter_map(|(number, group)| self.left(number, group)).collect();
        if left.iter().all(|left| left.rows_left() == 0) {
            return Bounds::exact(0);
        }
        let doubt = self.wanted.lent || (self.wanted.opaque && !self.asked.is_empty());
        let certain = !doubt && left.iter().any(|left| !left.may_go && left.rows_left() > 0);
        if bytes <= SMALL_FILE {
            return Bounds::new(if certain { bytes } else { 0 }, bytes, bytes);
        }
        let again = if self.file.footer + 8 > TAIL { self.file.footer + 8 } else { 0 };
        let footer = TAIL + again;
        let sum = |of: fn(&Left<'_>) -> u64| left.iter().fold(0u64, |sum, left| sum.saturating_add(of(left)));
        let looks = sum(|left| left.looks);
        let index = sum(|left| left.index);
        let wishes: Vec<Wish<(usize, usize)>> = left.iter().flat_map(|left| self.wishes(left)).collect();
        let fetches = fetches(wishes);
        let total = |keep: &dyn Fn(&Fetch<(usize, usize)>) -> bool| {
            fetches.iter().filter(|fetch| keep(fetch)).fold(0u64, |sum, fetch| sum.saturating_add(fetch.bytes))
        };
        let expected = footer.saturating_add(looks).saturating_add(index).saturating_add(total(&|_| true));
        let last = last_page(&left);
        // What is first wanted in the last page of a scan that filters or computes is read, but not counted.
        let lost = |fetch: &Fetch<(usize, usize)>| fetch.of.iter().all(|(group, _)| Some(*group) == last);
        let low = if !certain {
            0
        } else if self.wanted.filters() {
            let certain = |group: usize| left.iter().any(|left| left.number == group && !left.may_go);
            let of = |leaf: usize| total(&|fetch| !lost(fetch) && fetch.of.iter().any(|(g, l)| *l == leaf && certain(*g)));
            let least = self.asked.iter().map(|leaf| of(*leaf)).min().unwrap_or(0);
            footer.saturating_add(if self.wanted.opaque { 0 } else { least })
        } else {
            // A LIMIT may have enough with the first group.
            let first = left.first().map(|left| left.number).filter(|_| self.wanted.limited);
            let begun =
                |fetch: &Fetch<(usize, usize)>| first.is_none_or(|first| fetch.of.iter().any(|(group, _)| *group == first));
            // Without the doubtful columns less may lie between the others.
            let few = (self.sure.len() < self.leaves.len()).then(|| {
                let wishes = left.iter().flat_map(|left| self.wishes(left)).filter(|wish| self.sure.contains(&wish.of.1));
                self::fetches(wishes.collect())
            });
            let read = few.as_deref().unwrap_or(&fetches).iter().filter(|fetch| !lost(fetch) && begun(fetch));
            // Long chunks are fetched piece by piece, as far as rows are taken.
            let piece = if self.wanted.limited { MERGE_LENGTH } else { u64::MAX };
            footer.saturating_add(read.fold(0, |sum, fetch| sum.saturating_add(fetch.bytes.min(piece))))
        };
        // Groups that go at run time take their gaps along, but may leave others that were too long to be read before.
        let regrouped = if certain || fetches.len() < 2 { 0 } else { MERGE_GAP.saturating_mul(fetches.len() as u64 - 1) };
        let most = footer.saturating_add(looks).saturating_add(index).saturating_add(to - from).max(expected);
        let high = expected.saturating_add(regrouped).min(most).saturating_add(self.slack(&left));
        Bounds::new(low, expected, high)
    }

    /// What may be read besides: dictionaries, Bloom filters and page indexes of the columns that filter at run time.
    fn slack(&self, left: &[Left<'_>]) -> u64 {
        let mut slack = 0u64;
        for left in left {
            let mut paged = false;
            for chunk in self.soft.iter().filter_map(|leaf| left.group.chunks.get(*leaf)) {
                let looks = chunk.dictionary.unwrap_or(0).saturating_add(chunk.bloom.unwrap_or(0));
                slack = slack.saturating_add(looks);
                if let Some(pages) = &chunk.pages {
                    paged = true;
                    slack = slack.saturating_add(pages.column_index.1);
                }
            }
            if paged {
                let offsets = self.chunks(left.group).filter_map(|chunk| chunk.pages.as_ref()).map(|pages| pages.offset_index);
                slack = slack.saturating_add(fetched(offsets));
            }
        }
        slack
    }

    fn wishes(&self, left: &Left<'_>) -> Vec<Wish<(usize, usize)>> {
        let mut wishes = Vec::new();
        for leaf in &self.leaves {
            let Some(chunk) = left.group.chunks.get(*leaf) else { continue };
            let of = (left.number, *leaf);
            match (&left.rows, &chunk.pages) {
                (Some(rows), Some(pages)) if left.rows_left() < left.group.rows => {
                    if let Some(bytes) = chunk.dictionary {
                        wishes.push(Wish { start: chunk.start, bytes, of });
                    }
                    let ends = pages.pages.iter().skip(1).map(|page| page.first_row).chain([left.group.rows]);
                    for (page, end) in pages.pages.iter().zip(ends) {
                        if rows.iter().any(|(a, b)| page.first_row < *b && *a < end) {
                            wishes.push(Wish { start: page.start, bytes: page.bytes, of });
                        }
                    }
                }
                (Some(_), _) if left.rows_left() == 0 => {}
                _ => wishes.push(Wish { start: chunk.start, bytes: chunk.bytes, of }),
            }
        }
        wishes
    }
}

impl Left<'_> {
    fn rows_left(&self) -> u64 {
        self.rows.as_ref().map_or(self.group.rows, |rows| rows.iter().map(|(from, to)| to.saturating_sub(*from)).sum())
    }
}

/// The rows that both leave.
fn both(a: &[Rows], b: &[Rows]) -> Vec<Rows> {
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    pairs.filter(|(from, to)| from < to).collect()
}

/// The group that the last page of a split belongs to, if that page is all of the group. Pages have 1, 2, 4 … 8192 rows and do not
/// cross groups.
fn last_page(left: &[Left<'_>]) -> Option<usize> {
    let mut next = 1u64;
    let mut whole = None;
    for left in left.iter().filter(|left| left.rows_left() > 0) {
        let mut rest = left.rows_left();
        whole = (rest <= next).then_some(left.number);
        // After the pages have grown to their most, their number is all that changes.
        while rest > 0 {
            let page = next.min(rest);
            rest = if next == MOST_PAGE_ROWS { 0 } else { rest - page };
            next = (next * 2).min(MOST_PAGE_ROWS);
        }
    }
    whole
}
