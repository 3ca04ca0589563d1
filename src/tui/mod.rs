//! The terminal app: `update` and `view` over one state. Allowed imports: `engine`, `core`.

pub mod field;
pub mod input;
pub mod key;
pub mod rich;
pub mod terminal;
pub mod theme;
