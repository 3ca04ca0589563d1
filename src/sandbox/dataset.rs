//! The sandbox's data: hive-partitioned Parquet files, generated from one seed, the same on every machine.
//!
//! [`schema`] says which tables there are, [`ids`] which orders and customers exist. Everything here is a pure function of the
//! seed, the day and the scale; only the writer touches the disk.

mod alb;
mod catalog_file;
mod column;
pub mod day;
mod file;
mod generate;
pub mod ids;
pub mod lake;
pub mod noise;
mod orders;
mod recipe;
mod scale;
pub mod schema;
mod trail;
pub mod trino;

pub use alb::NOISY_CLIENT;
pub use catalog_file::FILE_NAME as CATALOG_FILE;
pub use day::Day;
pub use file::{DatasetError, file_schema};
pub use generate::{Generation, LakeState, generate, start};
pub use lake::Lake;
pub use recipe::Kind;
pub use scale::Scale;
pub use trail::LEAKED_KEY;

#[cfg(test)]
mod tests;
