//! The sandbox's data: hive-partitioned Parquet files, generated from one seed, the same on every machine.
//!
//! [`schema`] says which tables there are, [`ids`] which orders and customers exist. Everything here is a pure function of the
//! seed, the day and the scale; only the writer touches the disk.

pub mod day;
pub mod ids;
pub mod noise;
pub mod schema;

pub use day::Day;
