//! What holds for every estimate, over made-up files and scans.

use std::sync::Arc;

use proptest::prelude::*;

use super::domain::{Domain, Domains};
use super::files::read;
use super::model::{Splits, Wanted};
use super::value::Value;
use super::{Bounds, ScanModel};
use crate::core::book::Setting;
use crate::core::catalog::file::{Bound, Chunk, Content, File, Group, Listing, Parquet};
use crate::core::catalog::{Column, Format, Partition, Table};

const COLUMNS: [&str; 4] = ["a", "b", "c", "d"];

fn table() -> Table {
    let column = |name: &str| Column { name: name.into(), column_type: "bigint".into(), tags: Setting::default() };
    Table {
        format: Some(Format::Parquet),
        location: Some("t".into()),
        base: String::new(),
        columns: COLUMNS.map(column).into(),
        partition_keys: vec![],
        partitions: None,
        view: None,
        taken_at: None,
        listed_at: None,
        place: None,
    }
}

prop_compose! {
    fn chunk()(bytes in 1u64..2_000_000, dictionary in proptest::option::of(1u64..10_000), coded: bool,
               low in 0i64..100, width in 0i64..100, nulls in 0u64..3, said: bool, bloom in proptest::option::of(64u64..9_000)) -> Chunk {
        Chunk {
            start: 0,
            bytes,
            dictionary: dictionary.map(|d| d.min(bytes)),
            all_dictionary: coded,
            bloom,
            values: 10,
            nulls: Some(nulls),
            range: said.then_some((Bound::Whole(low), Bound::Whole(low + width))),
            pages: None,
        }
    }
}

/// Chunks one after the other, with gaps.
fn laid_out(groups: Vec<(u64, Vec<(Chunk, u64)>)>) -> (u64, Parquet) {
    let mut at = 4;
    let groups = groups
        .into_iter()
        .map(|(rows, chunks)| {
            let chunks = chunks.into_iter().map(|(chunk, gap)| {
                at += gap;
                let chunk = Chunk { start: at, ..chunk };
                at += chunk.bytes;
                chunk
            });
            Group { rows, chunks: chunks.collect() }
        })
        .collect();
    let footer = 500;
    let leaves = COLUMNS.map(|name| vec![name.to_owned()]).into();
    (at + footer + 8, Parquet { footer, leaves, groups })
}

prop_compose! {
    fn file()(groups in proptest::collection::vec(
        (0u64..30_000, proptest::collection::vec((chunk(), 0u64..2_000_000), COLUMNS.len())), 0..5), kind in 0..10) -> File {
        let (bytes, footer) = laid_out(groups);
        let content = match kind {
            0 => Content::Unread,
            1 => Content::Broken("cut off".into()),
            _ => Content::Parquet(Arc::new(footer)),
        };
        File { name: "f".into(), bytes: if kind == 2 { 0 } else { bytes }, content }
    }
}

prop_compose! {
    fn wanted()(columns in proptest::collection::btree_set(0..COLUMNS.len(), 0..4), filter in proptest::option::of((0..COLUMNS.len(), 0i64..200)),
                lent: bool, limited: bool) -> Wanted {
        let path = |column: usize| vec![COLUMNS[column].to_owned()];
        let mut all = columns;
        let mut domains = Domains::default();
        let mut asked = Vec::new();
        if let Some((column, value)) = filter {
            all.insert(column);
            asked.push(path(column));
            domains.restrict(COLUMNS[column], &Domain::exactly(Value::whole(i128::from(value))));
        }
        let paths: Vec<_> = all.iter().map(|c| path(*c)).collect();
        Wanted {
            columns: all.iter().map(|c| COLUMNS[*c].to_owned()).collect(),
            sure: paths.clone(),
            soft: if lent { paths.clone() } else { vec![] },
            paths,
            may_skip: !asked.is_empty() || lent,
            asked,
            domains,
            lent,
            limited,
            ..Wanted::default()
        }
    }
}

fn estimate(model: ScanModel, files: &[File], wanted: &Wanted) -> Bounds {
    let objects = Listing { files: files.to_vec(), ..Listing::default() };
    let partition = Partition { objects: Some(Arc::new(objects)), ..Partition::default() };
    read(model, &table(), &partition, wanted, &Splits::default()).bytes.unwrap()
}

proptest! {
    #[test]
    fn bounds_are_in_order_and_more_files_never_read_less(
        files in proptest::collection::vec(file(), 0..6), more in file(), wanted in wanted()
    ) {
        for model in [ScanModel::Trino, ScanModel::Chunks] {
            let before = estimate(model, &files, &wanted);
            prop_assert!(before.low <= before.expected && before.expected <= before.high, "{before:?}");
            // Files whose footers are known stand for themselves; unread ones follow the others.
            if files.iter().chain([&more]).all(|file| !matches!(file.content, Content::Unread)) {
                let mut all = files.clone();
                all.push(more.clone());
                let after = estimate(model, &all, &wanted);
                prop_assert!(after.expected >= before.expected && after.high >= before.high, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_limit_lowers_nothing_but_low(files in proptest::collection::vec(file(), 0..6), wanted in wanted()) {
        for model in [ScanModel::Trino, ScanModel::Chunks] {
            let whole = estimate(model, &files, &Wanted { limited: false, ..wanted.clone() });
            let limited = estimate(model, &files, &Wanted { limited: true, ..wanted.clone() });
            prop_assert_eq!((limited.expected, limited.high), (whole.expected, whole.high));
            prop_assert!(limited.low <= whole.low);
        }
    }

    #[test]
    fn what_may_be_filtered_at_run_time_lowers_nothing_but_low(files in proptest::collection::vec(file(), 0..6), wanted in wanted()) {
        let plain = Wanted { lent: false, soft: vec![], ..wanted.clone() };
        let lent = Wanted { lent: true, soft: wanted.paths.clone(), ..wanted };
        let (plain, lent) = (estimate(ScanModel::Trino, &files, &plain), estimate(ScanModel::Trino, &files, &lent));
        prop_assert_eq!(lent.expected, plain.expected);
        prop_assert!(lent.low <= plain.low && lent.high >= plain.high);
    }

    #[test]
    fn more_columns_never_read_less(files in proptest::collection::vec(file(), 0..4), wanted in wanted(), column in 0..COLUMNS.len()) {
        let mut more = wanted.clone();
        let path = vec![COLUMNS[column].to_owned()];
        if !more.paths.contains(&path) {
            more.paths.push(path.clone());
            more.sure.push(path);
        }
        // Of the chunks; merged reads may get shorter where a range becomes too long to be merged.
        let (few, many) = (estimate(ScanModel::Chunks, &files, &wanted), estimate(ScanModel::Chunks, &files, &more));
        let known = files.iter().all(|file| matches!(file.content, Content::Parquet(_)));
        prop_assert!(!known || many.expected >= few.expected);
    }
}
