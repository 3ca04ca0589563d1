//! The Athena stand-in: Athena's API over DataFusion, on the sandbox's own files.
//!
//! It answers as Athena does where that is known (states, statistics, error texts, result shapes), and says so plainly where
//! its engine cannot do what Athena can. It only reads.

mod catalog;
mod engine;
mod error;
mod function;
mod meter;
mod pace;
mod reader;
mod rewrite;
mod statement;
mod table;
mod text;
mod typing;

pub use pace::Pace;
