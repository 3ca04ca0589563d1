//! Sizes that somebody wrote into a table's or partition's parameters: Hive and Spark when they wrote or analysed it, Glue's crawlers
//! when they came by. They are as old as that, and may be wrong.

use std::collections::BTreeMap;

use crate::core::units::Bytes;

/// Sizes by statistics; what is not said or cannot be is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Files.
    pub files: Option<u64>,
    /// All of them together.
    pub bytes: Option<Bytes>,
    /// Rows.
    pub rows: Option<u64>,
}

/// Reads parameters. Hive's names win over a crawler's; a negative number is Hive's "unknown", and no bytes at all with rows in
/// them is nobody's truth.
pub fn sizes(parameters: &BTreeMap<String, String>) -> Sizes {
    let number = |name: &str| parameters.get(name).and_then(|text| text.trim().parse::<u64>().ok());
    let files = number("numFiles").or_else(|| number("objectCount"));
    let rows = number("numRows").or_else(|| number("recordCount"));
    let bytes = number("totalSize").or_else(|| number("sizeKey"));
    let hollow = bytes == Some(0) && (rows.is_some_and(|rows| rows > 0) || files.is_some_and(|files| files > 0));
    Sizes { files, rows, bytes: bytes.filter(|_| !hollow).map(Bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_hive_and_of_crawlers() {
        let read = |pairs: &[(&str, &str)]| {
            let sizes = sizes(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
            (sizes.files, sizes.bytes.map(|bytes| bytes.0), sizes.rows)
        };
        for (pairs, want) in [
            (vec![], (None, None, None)),
            (
                vec![("numFiles", "4"), ("totalSize", "700"), ("numRows", "9"), ("rawDataSize", "5000")],
                (Some(4), Some(700), Some(9)),
            ),
            (vec![("objectCount", "2"), ("sizeKey", "300"), ("recordCount", "8")], (Some(2), Some(300), Some(8))),
            (vec![("totalSize", "700"), ("sizeKey", "300")], (None, Some(700), None)),
            (vec![("numRows", "-1"), ("totalSize", "7"), ("numFiles", "-1")], (None, Some(7), None)),
            (vec![("totalSize", "0"), ("numRows", "5")], (None, None, Some(5))),
            (vec![("totalSize", "0"), ("numFiles", "3")], (Some(3), None, None)),
            (vec![("totalSize", "0"), ("numFiles", "0")], (Some(0), Some(0), None)),
            (vec![("totalSize", "much"), ("sizeKey", "12")], (None, Some(12), None)),
        ] {
            assert_eq!(read(&pairs), want, "{pairs:?}");
        }
    }
}
