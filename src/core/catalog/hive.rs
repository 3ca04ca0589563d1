//! Hive's conventions, which Glue and Athena keep: partitions in paths, types, statistics, formats.

mod path;
mod statistics;
mod types;

pub use path::{DEFAULT_PARTITION, escaped, partition_path, read_path, unescaped};
pub use statistics::{Sizes, sizes};
pub use types::{format, trino_type};
