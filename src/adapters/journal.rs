//! The journal's adapters. One so far: a SQLite file on a local disk, shared by the processes of one host.

pub mod sqlite;

pub use sqlite::{Sharing, SqliteJournal};
