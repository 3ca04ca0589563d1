//! tollgate: a terminal runbook executor for looking into production data during an incident.
//!
//! The layers, from the bottom: [`core`] is pure (no I/O, no clock, no async, no terminal, no AWS types); [`engine`] drives a
//! run and names what it needs of the world as ports; [`adapters`] are those ports on AWS, disk and network; [`sandbox`] answers
//! as AWS would, over local data; [`tui`] and [`cli`] are the two frontends. `tests/layers.rs` enforces who may import whom.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod adapters;
pub mod cli;
pub mod core;
pub mod engine;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod tui;
