//! Ranges of bytes as Trino's Parquet reader fetches them: near ones as one, and what lies between them counts.

/// Ranges closer than this are read as one (`parquet.max-merge-distance`; measured: a gap of 1048576 is read, of 1048577 is not).
pub(super) const MERGE_GAP: u64 = 1 << 20;
/// Merged ranges do not grow beyond this (`parquet.max-buffer-size`; measured: 8388608 is one read, 8388609 two).
pub(super) const MERGE_LENGTH: u64 = 8 << 20;

/// A wanted range: where it begins, its length, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish<T> {
    pub(super) start: u64,
    pub(super) bytes: u64,
    pub(super) of: T,
}

/// What is fetched in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetch<T> {
    /// Length, gaps included.
    pub(super) bytes: u64,
    /// What it serves.
    pub(super) of: Vec<T>,
}

/// The wishes in order, merged greedily.
pub(super) fn fetches<T>(mut wishes: Vec<Wish<T>>) -> Vec<Fetch<T>> {
    wishes.retain(|wish| wish.bytes > 0);
    wishes.sort_by_key(|wish| wish.start);
    let mut out: Vec<(u64, u64, Vec<T>)> = Vec::new();
    for wish in wishes {
        let end = wish.start.saturating_add(wish.bytes);
        match out.last_mut() {
            Some((from, to, of))
                if wish.start.saturating_sub(*to) <= MERGE_GAP && end.max(*to).saturating_sub(*from) <= MERGE_LENGTH =>
            {
                *to = end.max(*to);
                of.push(wish.of);
            }
            _ => out.push((wish.start, end, vec![wish.of])),
        }
    }
    out.into_iter().map(|(from, to, of)| Fetch { bytes: to - from, of }).collect()
}

/// The length of the wishes merged.
pub(super) fn fetched(wishes: impl Iterator<Item = (u64, u64)>) -> u64 {
    fetches(wishes.map(|(start, bytes)| Wish { start, bytes, of: () }).collect())
        .iter()
        .fold(0, |sum, fetch| sum.saturating_add(fetch.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_up_to_a_mebibyte_are_read() {
        const MIB: u64 = 1 << 20;
        let cases: [(&[(u64, u64)], u64); 7] = [
            (&[(4, 10), (14 + MIB, 10)], MIB + 20),
            (&[(4, 10), (15 + MIB, 10)], 20),
            (&[(0, 8 * MIB - 1), (8 * MIB - 1, 1)], 8 * MIB),
            (&[(0, 8 * MIB - 1), (8 * MIB, 1)], 8 * MIB),
            (&[(0, 9 * MIB), (9 * MIB, 5)], 9 * MIB + 5),
            (&[(100, 5), (0, 5), (50, 0)], 105),
            (&[], 0),
        ];
        for (wishes, bytes) in cases {
            assert_eq!(fetched(wishes.iter().copied()), bytes, "{wishes:?}");
        }
    }
}
