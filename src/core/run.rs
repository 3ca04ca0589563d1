//! The run: state, commands and events; `decide`, `apply`, `effects`; expiry arithmetic.
//!
//! `decide` turns a command into events or a refusal, `apply` folds events into the state, `effects` says what the world owes
//! the run now. All three are pure; the engine journals what `decide` returns before anything happens.

pub mod event;

pub use event::{Actor, Event, EventBody};
