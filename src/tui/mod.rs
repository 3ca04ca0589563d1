//! The terminal app: `update` and `view` over one state. Allowed imports: `engine`, `core`.

pub mod app;
pub mod countdown;
pub mod desk;
pub mod field;
pub mod fuzzy;
pub mod input;
pub mod key;
pub mod keymap;
pub mod live;
pub mod msg;
pub mod rich;
pub mod state;
pub mod summary;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;

pub use app::{How, Options, Outcome, TuiError, run};
