//! What is read of one ORC file whose footer is known. Each rule is in docs/estimates.md with its measurement.

use super::Bounds;
use super::domain::Overlap;
use super::held::of_orc;
use super::model::{SMALL_ORC, Wanted};
use super::ranges::fetched;
use crate::core::catalog::file::{Orc, OrcStatistics, Stripe};

/// The tail that is read for the footer.
const TAIL: u64 = 16 << 10;

/// Whether statistics leave something.
fn left(file: &Orc, wanted: &Wanted, statistics: &[OrcStatistics], rows: u64) -> bool {
    rows > 0
        && wanted.domains.iter().all(|(column, domain)| {
            // Fields of structs are not looked at.
            let id = file.columns.iter().find(|(name, _)| name == column).map(|(_, ids)| ids.start);
            id.and_then(|id| statistics.get(id)).is_none_or(|held| of_orc(domain, held, rows) != Overlap::None)
        })
}

/// The stripes that statistics leave.
fn stripes<'a>(file: &'a Orc, wanted: &'a Wanted) -> Vec<&'a Stripe> {
    if !left(file, wanted, &file.statistics, file.rows) {
        return Vec::new();
    }
    file.stripes.iter().filter(|stripe| left(file, wanted, &stripe.statistics, stripe.rows)).collect()
}

/// What Trino's reader fetches of a file.
pub(super) fn trino(bytes: u64, file: &Orc, wanted: &Wanted) -> Bounds {
    let stripes = stripes(file, wanted);
    if stripes.is_empty() {
        return Bounds::exact(0);
    }
    let filters = wanted.filters();
    // Row indexes and Bloom filters inside a stripe may still leave it out.
    if bytes <= SMALL_ORC {
        return Bounds::new(if filters { 0 } else { bytes }, bytes, bytes);
    }
    let tail = TAIL.saturating_add(if file.footer > TAIL { file.footer } else { 0 });
    let whole = |stripe: &&Stripe| (stripe.start, stripe.index.saturating_add(stripe.data).saturating_add(stripe.footer));
    if stripes.iter().all(|stripe| whole(stripe).1 <= SMALL_ORC) {
        let all = tail.saturating_add(fetched(stripes.iter().map(whole)));
        let first = stripes.first().map_or(0, |stripe| whole(stripe).1);
        let low = match (filters, wanted.limited) {
            (true, _) => 0,
            (false, true) => tail.saturating_add(first),
            (false, false) => all,
        };
        return Bounds::new(low, all, all);
    }
    // The lengths of streams stand in the stripes' own footers, which nobody reads here: the columns share a stripe evenly.
    let share = share(file, wanted);
    let part = |bytes: u64| u64::try_from(u128::from(bytes) * u128::from(share.0) / u128::from(share.1.max(1))).unwrap_or(bytes);
    let sum = |of: &dyn Fn(&Stripe) -> u64| stripes.iter().fold(0u64, |sum, stripe| sum.saturating_add(of(stripe)));
    let footers = sum(&|stripe| stripe.footer);
    let expected = tail.saturating_add(footers).saturating_add(sum(&|stripe| part(stripe.data)));
    let high = tail.saturating_add(sum(&|stripe| whole(&stripe).1));
    Bounds::new(if filters { 0 } else { tail.min(expected) }, expected, high)
}

/// The wanted part of the stripes that statistics leave.
pub(super) fn chunks(file: &Orc, wanted: &Wanted) -> Bounds {
    let share = share(file, wanted);
    let part = |bytes: u64| u64::try_from(u128::from(bytes) * u128::from(share.0) / u128::from(share.1.max(1))).unwrap_or(bytes);
    let expected = stripes(file, wanted).iter().fold(0u64, |sum, stripe| sum.saturating_add(part(stripe.data)));
    let all = file.stripes.iter().fold(0u64, |sum, stripe| {
        let whole = stripe.data.saturating_add(stripe.index).saturating_add(stripe.footer);
        sum.saturating_add(if share.0 == 0 { 0 } else { whole })
    });
    Bounds::new(if share.0 == share.1 && !wanted.filters() { expected } else { 0 }, expected, all)
}

/// How many of the columns are wanted, those inside others counted one by one.
fn share(file: &Orc, wanted: &Wanted) -> (u64, u64) {
    let width = |ids: &std::ops::Range<usize>| u64::try_from(ids.len()).unwrap_or(0);
    let is_wanted = |name: &str| wanted.paths.iter().any(|path| path.first().is_some_and(|first| first == name));
    let columns = || file.columns.iter();
    (columns().filter(|(name, _)| is_wanted(name)).map(|(_, ids)| width(ids)).sum(), columns().map(|(_, ids)| width(ids)).sum())
}
