//! What is read of one partition, by model, from its files.

use super::model::{self, SMALL_FILE, SPLIT, Splits, TAIL, TEXT_STEP, Wanted};
use super::{Bounds, Evidence, ScanModel, orc, parquet};
use crate::core::catalog::file::{Content, File};
use crate::core::catalog::place::location;
use crate::core::catalog::{Format, Partition, Table};
use crate::core::units::Bytes;

/// Bytes of lines that a reader of text takes at a time, at the least.
const LINES: u64 = 512 << 10;
/// An unread file this small may have no rows at all, and then nothing of it counts.
const PERHAPS_EMPTY: u64 = 64 << 10;

/// What is read, and what that rests on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// Bytes; `None` if too little is known.
    pub(super) bytes: Option<Bounds>,
    /// The weakest of the facts used.
    pub(super) evidence: Evidence,
    /// What was wrong with the facts: the bounds are wider for it.
    pub(super) faults: Vec<String>,
}

/// What is read of `partition`, by its files where somebody looked at them, else by what the catalog says.
pub(super) fn read(scan: ScanModel, table: &Table, partition: &Partition, wanted: &Wanted, splits: &Splits) -> Reading {
    let by_catalog = || model::read(scan, table, partition, wanted);
    let Some(listing) = &partition.objects else {
        return Reading { bytes: by_catalog(), evidence: Evidence::Catalog, faults: Vec::new() };
    };
    if let Some(failure) = &listing.failure {
        // What the catalog says may be wrong either way.
        let bytes = by_catalog().map(|bounds| Bounds { low: 0, high: bounds.high.saturating_add(bounds.high / 4), ..bounds });
        return Reading { bytes, evidence: Evidence::Catalog, faults: vec![failure.clone()] };
    }
    let mut reading = Reading { bytes: None, evidence: Evidence::Footers, faults: Vec::new() };
    let folder = folder(table, partition);
    let is_named = |file: &&File| {
        let Some(named) = &wanted.files else { return true };
        named.iter().any(|path| path.strip_suffix(file.name.as_str()).is_some_and(|before| before.ends_with(&folder)))
    };
    let files: Vec<&File> = listing.files.iter().filter(is_named).collect();
    let known: Vec<Option<Bounds>> = files.iter().map(|file| by_footer(scan, table, file, wanted, splits)).collect();
    let sample = Sample::of(&files, &known);
    let parts: Vec<Bounds> = files
        .iter()
        .zip(known)
        .map(|(file, known)| {
            known.unwrap_or_else(|| {
                reading.evidence = Evidence::Listed;
                if let Content::Broken(why) = &file.content {
                    reading.faults.push(format!("{}: {why}", file.name));
                }
                by_size(scan, table, file, wanted, &sample)
            })
        })
        .collect();
    reading.bytes = Some(wanted.added(parts.into_iter()));
    reading
}

/// How the path of a partition's folder ends.
fn folder(table: &Table, partition: &Partition) -> String {
    let place = location(table, partition).unwrap_or_default();
    let own = table.location.as_deref().and_then(|root| place.strip_prefix(root)).unwrap_or(&place);
    format!("{}/", own.trim_matches('/')).trim_start_matches('/').to_owned()
}

/// What is read of a file whose content is known, or does not matter.
fn by_footer(scan: ScanModel, table: &Table, file: &File, wanted: &Wanted, splits: &Splits) -> Option<Bounds> {
    if file.bytes == 0 {
        return Some(Bounds::exact(0));
    }
    match (&file.content, scan) {
        (Content::Parquet(footer), ScanModel::Trino) => Some(parquet::trino(file.bytes, footer, wanted, splits)),
        (Content::Parquet(footer), ScanModel::Chunks) => Some(parquet::chunks(footer, wanted)),
        (Content::Orc(footer), ScanModel::Trino) => Some(orc::trino(file.bytes, footer, wanted)),
        (Content::Orc(footer), ScanModel::Chunks) => Some(orc::chunks(footer, wanted)),
        (Content::Unread, _) if is_rows(table.format) => Some(rows(scan, file, wanted, splits)),
        (Content::Unread | Content::Broken(_), _) => None,
    }
}

fn is_rows(format: Option<Format>) -> bool {
    matches!(format, Some(Format::Csv | Format::Json | Format::Text) | None)
}

/// Whether a reader must take a file of lines as a whole: compressed ones cannot be entered in the middle.
fn is_packed(name: &str) -> bool {
    let suffix = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    ["gz", "gzip", "zst", "zstd", "snappy", "lz4", "lzo", "deflate", "bz2"].contains(&suffix.as_str())
}

/// A file of lines: all of it, and the line that crosses each cut twice.
fn rows(scan: ScanModel, file: &File, wanted: &Wanted, splits: &Splits) -> Bounds {
    let cuts =
        if is_packed(&file.name) || scan == ScanModel::Chunks { 0 } else { splits.cut(file.bytes).len().saturating_sub(1) };
    let cuts = u64::try_from(cuts).unwrap_or(u64::MAX);
    let low = if wanted.limited { file.bytes.min(LINES) } else { file.bytes };
    let more = cuts.saturating_mul(TEXT_STEP);
    Bounds::new(low, file.bytes.saturating_add(more / 2), file.bytes.saturating_add(more))
}

/// What the files that were read say of those that were not.
struct Sample {
    bytes: u64,
    read: Bounds,
}

impl Sample {
    fn of(files: &[&File], known: &[Option<Bounds>]) -> Self {
        let mut sample = Self { bytes: 0, read: Bounds::exact(0) };
        for (file, bounds) in files.iter().zip(known) {
            if let Some(bounds) = bounds {
                sample.bytes = sample.bytes.saturating_add(file.bytes);
                sample.read = sample.read.plus(*bounds);
            }
        }
        sample
    }

    fn share(&self, bytes: u64) -> Option<u64> {
        let share = u128::from(self.read.expected) * u128::from(bytes) / u128::from(Some(self.bytes).filter(|b| *b > 0)?);
        u64::try_from(share).ok()
    }
}

/// What is read of a file of which only the size is known.
fn by_size(scan: ScanModel, table: &Table, file: &File, wanted: &Wanted, sample: &Sample) -> Bounds {
    let broken = matches!(file.content, Content::Broken(_));
    let whole = file.bytes.saturating_add(file.bytes / 16).saturating_add(TAIL.saturating_mul(file.bytes.div_ceil(SPLIT)));
    if scan == ScanModel::Trino && file.bytes <= SMALL_FILE {
        let sure = !broken && !wanted.filters() && file.bytes > PERHAPS_EMPTY;
        return Bounds::new(if sure { file.bytes } else { 0 }, file.bytes, file.bytes);
    }
    if broken {
        return Bounds::new(0, file.bytes, whole);
    }
    if let Some(share) = sample.share(file.bytes) {
        return Bounds::new(0, share.min(whole), whole);
    }
    let alone = Partition { files: Some(1), bytes: Some(Bytes(file.bytes)), ..Partition::default() };
    model::read(scan, table, &alone, wanted).map_or(Bounds::new(0, file.bytes, whole), |bounds| Bounds {
        low: 0,
        expected: bounds.expected,
        high: bounds.high.max(bounds.expected),
    })
}
