//! The run: state, commands and events; `decide`, `apply`, `effects`; expiry arithmetic.
//!
//! `decide` turns a command into events or a refusal, `apply` folds events into the state, `effects` says what the world owes
//! the run now. All three are pure; the engine journals what `decide` returns before anything happens.

pub mod apply;
pub mod command;
pub mod decide;
pub mod effects;
pub mod event;
pub mod expiry;
pub mod schema;
pub mod state;
pub mod walk;

pub use apply::{apply, fold_all};
pub use command::{Command, Refusal};
pub use decide::decide;
pub use effects::{Effect, Held, effects};
pub use event::{Actor, Event, EventBody};
pub use state::{Access, ExecutionState, RunState, StepStatus};
