//! What a reader fetches of one partition, by model, from what a catalog knows of it: bytes, number of files, bytes by column.
//! Where somebody looked at the files themselves, [`super::files`] says it better.

use std::cell::Cell;

use super::domain::Domains;
use super::{Bounds, ScanModel};
use crate::core::catalog::{Format, Partition, Table};

/// Files up to this size are read whole by Trino's Parquet reader (`parquet.small-file-threshold`, measured: 3145728 counts
/// whole, 3145729 does not).
pub(super) const SMALL_FILE: u64 = 3 << 20;
/// The tail that Trino reads for a footer, once a split.
pub(super) const TAIL: u64 = 48 << 10;
/// Ranges closer than this are read as one, and the gap counts.
const MERGE_GAP: u64 = 1 << 20;
/// Merged ranges do not grow beyond this; longer chunks are read exactly.
const MERGE_LENGTH: u64 = 8 << 20;
/// Files longer than this are cut into splits of at least this size (`hive.max-initial-split-size`).
pub(super) const SPLIT: u64 = 32 << 20;
/// The same after the first splits of a scan (`hive.max-split-size`).
const LATER_SPLIT: u64 = 64 << 20;
/// How many splits are initial ones (`hive.max-initial-splits`).
const INITIAL_SPLITS: u64 = 200;
/// ORC files up to this size are read whole.
pub(super) const SMALL_ORC: u64 = 8 << 20;
/// A split of a text file ends with the line that crosses its end, read in steps of this size.
pub(super) const TEXT_STEP: u64 = 1 << 10;

/// What a scan wants of each partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Wanted {
    /// Columns of the files, each as its name and the struct fields on the way: `profile`, `profile.ssn`. Sorted.
    pub(super) columns: Vec<String>,
    /// The same as the files have them: fields of structs, but not what lies inside arrays and maps, which are read whole.
    pub(super) paths: Vec<Vec<String>>,
    /// Those among them that are certainly read.
    pub(super) sure: Vec<Vec<String>>,
    /// The columns of the files that predicates name, in the same way.
    pub(super) asked: Vec<Vec<String>>,
    /// What the predicates leave of the columns of the files.
    pub(super) domains: Domains,
    /// Whether something else may filter this scan at run time: another scan's rows, a subquery, the FILTER of an aggregate.
    pub(super) lent: bool,
    /// The columns by which that may be.
    pub(super) soft: Vec<Vec<String>>,
    /// Those among them for which single values are looked up.
    pub(super) paid: Vec<Vec<String>>,
    /// Whether something may stop or skip reading at run time: a predicate on a column of the files, a join, a LIMIT.
    pub(super) may_skip: bool,
    /// Whether reading may leave out whole partitions at run time, or stop early.
    pub(super) may_stop: bool,
    /// Whether it may stop because enough rows came; then at least one file is begun.
    pub(super) limited: bool,
    /// Whether a predicate may leave out more than is known: then only what cannot be spared is in `low`.
    pub(super) opaque: bool,
    /// Where predicates name files by `"$path"`: only these are read.
    pub(super) files: Option<Vec<String>>,
}

impl Wanted {
    /// Whether rows are left out by what stands in them.
    pub(super) fn filters(&self) -> bool {
        !self.asked.is_empty() || self.lent || self.opaque
    }

    /// The parts of a scan added up. Where it may stop early, it may read the cheapest part alone.
    pub(super) fn added(&self, parts: impl Iterator<Item = Bounds>) -> Bounds {
        let (mut sum, mut least) = (Bounds::exact(0), None::<u64>);
        for part in parts {
            sum = sum.plus(part);
            if part.high > 0 {
                least = Some(least.map_or(part.low, |least| least.min(part.low)));
            }
        }
        if self.limited { Bounds { low: sum.low.min(least.unwrap_or(0)), ..sum } } else { sum }
    }
}

/// How the files of a scan are cut: the first splits are shorter than those that follow.
#[derive(Debug, Default)]
pub(super) struct Splits {
    made: Cell<u64>,
}

impl Splits {
    /// The splits of a file that can be cut, each from one byte up to, but without, another.
    pub(super) fn cut(&self, bytes: u64) -> Vec<(u64, u64)> {
        let mut splits = Vec::new();
        let mut at = 0;
        while at < bytes {
            let limit = if self.made.get() < INITIAL_SPLITS { SPLIT } else { LATER_SPLIT };
            let rest = bytes - at;
            let length = if rest <= limit {
                rest
            } else if rest <= 2 * limit {
                rest / 2
            } else {
                limit
            };
            splits.push((at, at + length));
            at += length;
            self.made.set(self.made.get() + 1);
        }
        splits
    }
}

/// What is read of `partition` by what the catalog says of it; `None` if that is not enough.
pub(super) fn read(model: ScanModel, table: &Table, partition: &Partition, wanted: &Wanted) -> Option<Bounds> {
    let bytes = partition.bytes?.0;
    let bounds = match (table.format, model) {
        (Some(Format::Parquet | Format::Iceberg | Format::Orc), ScanModel::Chunks) => chunks(table, partition, bytes, wanted),
        (Some(Format::Parquet | Format::Iceberg), ScanModel::Trino) => parquet(table, partition, bytes, wanted),
        (Some(Format::Orc), ScanModel::Trino) => orc(table, partition, bytes, wanted),
        // A row format is read whole, whatever is asked of it; so is a format that nobody named.
        (Some(Format::Csv | Format::Json | Format::Text) | None, ScanModel::Chunks) => Bounds::exact(bytes),
        (Some(Format::Csv | Format::Json | Format::Text) | None, ScanModel::Trino) => {
            Bounds::new(bytes, bytes, bytes.saturating_add((bytes / SPLIT).saturating_mul(TEXT_STEP)))
        }
    };
    let row_format = matches!(table.format, Some(Format::Csv | Format::Json | Format::Text) | None);
    let low = if wanted.may_stop || wanted.limited || (wanted.may_skip && !row_format) { 0 } else { bounds.low };
    Some(Bounds::new(low, bounds.expected, bounds.high))
}

/// The chunks of the wanted columns, nothing else.
fn chunks(table: &Table, partition: &Partition, bytes: u64, wanted: &Wanted) -> Bounds {
    let sizes = sizes(table, partition, bytes);
    wanted.columns.iter().fold(Bounds::exact(0), |sum, column| sum.plus(sizes.of(column))).at_most(bytes)
}

/// Trino's Parquet reader. The catalog does not know row groups, so `expected` takes one row group a file, the columns in the
/// table's order; `high` is whole files with the tail of every split.
fn parquet(table: &Table, partition: &Partition, bytes: u64, wanted: &Wanted) -> Bounds {
    let files = partition.files.unwrap_or(1).max(1);
    let file = bytes / files;
    if bytes == 0 {
        return Bounds::exact(0);
    }
    let splits = files.saturating_add(bytes / SPLIT);
    // A footer longer than the tail is read again; its size is unknown here, so a sixteenth of the file stands for it.
    let high = bytes.saturating_add(splits.saturating_mul(TAIL)).saturating_add(bytes / 16);
    let chunks = chunks(table, partition, bytes, wanted);
    if file <= SMALL_FILE {
        // Files are not all as long as their mean.
        let low = if files == 1 { bytes } else { chunks.low };
        return Bounds::new(low, bytes, if files == 1 { bytes } else { high });
    }
    let per_file = merged(table, partition, file, files, wanted).saturating_add(TAIL.saturating_mul(file.div_ceil(SPLIT)));
    Bounds::new(chunks.low, per_file.min(file).saturating_mul(files), high)
}

/// The length of the wanted ranges of one file, with the gaps that the reader swallows.
fn merged(table: &Table, partition: &Partition, file: u64, files: u64, wanted: &Wanted) -> u64 {
    let sizes = sizes(table, partition, file.saturating_mul(files));
    let is_wanted = |name: &str| wanted.columns.iter().any(|want| want == name || want.split('.').next() == Some(name));
    let (mut total, mut current, mut at) = (0u64, None::<(u64, u64)>, 0u64);
    for column in &table.columns {
        let length = sizes.of(&column.name).expected / files;
        let end = at.saturating_add(length);
        if is_wanted(&column.name) && length > 0 {
            current = match current {
                Some((from, to)) if at - to <= MERGE_GAP && end - from <= MERGE_LENGTH => Some((from, end)),
                Some((from, to)) => {
                    total = total.saturating_add(to - from);
                    Some((at, end))
                }
                None => Some((at, end)),
            };
        }
        at = end;
    }
    total.saturating_add(current.map_or(0, |(from, to)| to - from))
}

/// Trino's ORC reader: small files and small stripes whole.
fn orc(table: &Table, partition: &Partition, bytes: u64, wanted: &Wanted) -> Bounds {
    let files = partition.files.unwrap_or(1).max(1);
    let low = if files == 1 && bytes <= SMALL_ORC { bytes } else { chunks(table, partition, bytes, wanted).low };
    let high = bytes.saturating_add(files.saturating_mul(TAIL)).saturating_add(bytes / 16);
    Bounds::new(low, bytes, if files == 1 && bytes <= SMALL_ORC { bytes } else { high })
}

/// How many bytes each column has.
struct Sizes<'a> {
    partition: &'a Partition,
    /// Bytes that no known column accounts for.
    rest: u64,
    /// How many columns share them.
    unknown: u64,
}

fn sizes<'a>(table: &Table, partition: &'a Partition, bytes: u64) -> Sizes<'a> {
    let known = |name: &str| partition.column_bytes.get(name).map(|b| b.0);
    let (sum, unknown) = table.columns.iter().fold((0u64, 0u64), |(sum, unknown), column| match known(&column.name) {
        Some(size) => (sum.saturating_add(size), unknown),
        None => (sum, unknown + 1),
    });
    Sizes { partition, rest: bytes.saturating_sub(sum), unknown: unknown.max(1) }
}

impl Sizes<'_> {
    /// A column or struct field. One whose size is not known has between nothing and all that is left over.
    fn of(&self, path: &str) -> Bounds {
        if let Some(size) = self.partition.column_bytes.get(path) {
            return Bounds::exact(size.0);
        }
        match path.split_once('.') {
            // A field is at most its column.
            Some((column, _)) => Bounds { low: 0, ..self.of(column) },
            None => Bounds::new(0, self.rest / self.unknown, self.rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::book::Setting;
    use crate::core::catalog::Column;
    use crate::core::units::Bytes;

    fn table(format: Option<Format>) -> Table {
        let column = |name: &str| Column { name: name.into(), column_type: "varchar".into(), tags: Setting::default() };
        Table {
            format,
            location: None,
            base: String::new(),
            columns: ["a", "b", "c"].map(column).into(),
            partition_keys: vec![],
            partitions: None,
            view: None,
            taken_at: None,
            listed_at: None,
            place: None,
        }
    }

    fn partition(files: u64, bytes: u64, columns: &[(&str, u64)]) -> Partition {
        Partition {
            files: Some(files),
            bytes: Some(Bytes(bytes)),
            column_bytes: columns.iter().map(|(name, size)| ((*name).to_owned(), Bytes(*size))).collect(),
            ..Partition::default()
        }
    }

    fn wanted(columns: &[&str]) -> Wanted {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        let paths: Vec<Vec<String>> = columns.iter().map(|c| c.split('.').map(str::to_owned).collect()).collect();
        Wanted { columns, sure: paths.clone(), paths, ..Wanted::default() }
    }

    #[test]
    fn chunks_are_the_columns() {
        let parquet = table(Some(Format::Parquet));
        let full = partition(1, 1000, &[("a", 100), ("b", 200), ("c", 690)]);
        let some = partition(1, 1000, &[("a", 100)]);
        let none = partition(1, 900, &[]);
        let cases = [
            (&full, vec!["a", "b"], (300, 300, 300)),
            (&full, vec![], (0, 0, 0)),
            (&some, vec!["a", "b"], (100, 550, 1000)),
            (&none, vec!["a"], (0, 300, 900)),
            (&none, vec!["a", "b", "c"], (0, 900, 900)),
            (&full, vec!["c.x"], (0, 690, 690)),
        ];
        for (partition, columns, (low, expected, high)) in cases {
            let bounds = read(ScanModel::Chunks, &parquet, partition, &wanted(&columns)).unwrap();
            assert_eq!(bounds, Bounds { low, expected, high }, "{columns:?}");
        }
    }

    #[test]
    fn row_formats_are_read_whole() {
        for format in [Some(Format::Csv), Some(Format::Json), Some(Format::Text), None] {
            let bounds = read(ScanModel::Chunks, &table(format), &partition(2, 1000, &[]), &wanted(&["a"])).unwrap();
            assert_eq!(bounds, Bounds::exact(1000));
        }
    }

    #[test]
    fn skipping_lowers_low_only() {
        let full = partition(1, 1000, &[("a", 100), ("b", 200), ("c", 690)]);
        let skip = Wanted { may_skip: true, ..wanted(&["a"]) };
        assert_eq!(
            read(ScanModel::Chunks, &table(Some(Format::Parquet)), &full, &skip),
            Some(Bounds { low: 0, expected: 100, high: 100 })
        );
        // A predicate does not save reading lines of text.
        assert_eq!(read(ScanModel::Chunks, &table(Some(Format::Csv)), &full, &skip), Some(Bounds::exact(1000)));
        let stop = Wanted { may_stop: true, ..wanted(&["a"]) };
        assert_eq!(
            read(ScanModel::Chunks, &table(Some(Format::Csv)), &full, &stop),
            Some(Bounds { low: 0, expected: 1000, high: 1000 })
        );
    }

    #[test]
    fn trino_reads_more() {
        let parquet = table(Some(Format::Parquet));
        let small = partition(1, SMALL_FILE, &[("a", 100), ("b", 200), ("c", 690)]);
        assert_eq!(read(ScanModel::Trino, &parquet, &small, &wanted(&["a"])), Some(Bounds::exact(SMALL_FILE)));
        // a, then a gap of 1 MiB, then c: one range; a gap of one byte more: two.
        let near = partition(1, 4 << 20, &[("a", 1000), ("b", 1 << 20), ("c", 1000)]);
        let far = partition(1, 4 << 20, &[("a", 1000), ("b", (1 << 20) + 1), ("c", 1000)]);
        let expected = |p| read(ScanModel::Trino, &parquet, p, &wanted(&["a", "c"])).map(|b| b.expected);
        assert_eq!(expected(&near), Some(TAIL + 2000 + (1 << 20)));
        assert_eq!(expected(&far), Some(TAIL + 2000));
        let unknown = Partition { bytes: None, ..near };
        assert_eq!(read(ScanModel::Trino, &parquet, &unknown, &wanted(&["a"])), None);
    }
}
