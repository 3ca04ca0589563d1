//! The Athena stand-in: Athena's API over DataFusion, on the sandbox's own files.
//!
//! It answers as Athena does where that is known (states, statistics, error texts, result shapes), and says so plainly where
//! its engine cannot do what Athena can. It only reads.

mod access;
mod catalog;
mod engine;
mod error;
mod execution;
mod function;
mod history;
mod metadata;
mod meter;
mod objects;
mod pace;
mod reader;
mod request;
mod result;
mod rewrite;
mod run;
mod service;
mod statement;
mod table;
mod text;
mod typing;
mod workgroup;

pub use pace::Pace;
pub use service::{Athena, AthenaError};
pub use workgroup::{AthenaConfig, WorkGroup};
