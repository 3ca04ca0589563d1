//! All integration tests, in one binary.

#[path = "suite/journal.rs"]
mod journal;
