//! `key=value` in paths.

use std::fmt::Write as _;

/// The value of the partition whose key is NULL or empty (Hive, `hive.exec.default.partition.name`).
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A name or value as Hive writes it into a path (`FileUtils.escapePathName` of Apache Hive).
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            let _ = write!(out, "%{:02X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// What [`escaped`] wrote; `%` that begins no escape stays.
pub fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A partition's path below its table: `day=2026%2F11%2F20/region=eu/`.
pub fn partition_path<'a>(keys: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    keys.into_iter().fold(String::new(), |mut path, (key, value)| {
        let _ = write!(path, "{}={}/", escaped(key), escaped(value.unwrap_or(DEFAULT_PARTITION)));
        path
    })
}

/// The values that a path below a table's location gives its keys, and how long the part of it is that names them. `None` where the
/// path does not name every key, in their order, a folder each. Names compare without case.
pub fn read_path(path: &str, keys: &[&str]) -> Option<(Vec<Option<String>>, usize)> {
    let mut values = Vec::with_capacity(keys.len());
    let mut at = 0;
    for key in keys {
        let (folder, _) = path.get(at..)?.split_once('/')?;
        let (name, value) = folder.split_once('=')?;
        if !unescaped(name).eq_ignore_ascii_case(key) {
            return None;
        }
        values.push((value != DEFAULT_PARTITION).then(|| unescaped(value)));
        at += folder.len() + 1;
    }
    Some((values, at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_as_hive_writes_them() {
        let path = partition_path([("day", Some("2026/11/20")), ("region", None), ("who", Some("a=b ü"))]);
        assert_eq!(path, "day=2026%2F11%2F20/region=__HIVE_DEFAULT_PARTITION__/who=a%3Db ü/");
        let (values, length) = read_path(&format!("{path}part-0.parquet"), &["day", "region", "who"]).unwrap();
        assert_eq!(values, [Some("2026/11/20".to_owned()), None, Some("a=b ü".to_owned())]);
        assert_eq!(length, path.len());
    }

    #[test]
    fn paths_of_no_partition() {
        for path in ["", "day=1", "part-0.parquet", "hour=1/x", "day/x", "day=1/x", "region=eu/day=1/x"] {
            assert_eq!(read_path(path, &["day", "region"]), None, "{path}");
        }
        assert_eq!(read_path("DAY=1/x", &["day"]).unwrap().0, [Some("1".to_owned())]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in "\\PC{1,20}") {
            let path = partition_path([("k", Some(value.as_str()))]);
            prop_assert_eq!(read_path(&path, &["k"]).unwrap(), (vec![Some(value)], path.len()));
        }
    }
}
