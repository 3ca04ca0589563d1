//! What is heard from the terminal: keys, pastes, and that it is gone.
//!
//! A terminal also *answers*: colours, modes, versions, cursor positions, some of them seconds late. Answers are input too, and
//! must never become keys. [`ear::Ear`] takes the byte stream apart by ECMA-48's own grammar, so that an answer it does not know
//! is swallowed whole and can neither type nor block the keys behind it. (Measured: crossterm 0.29 types a late OSC 11 answer
//! as 23 keys and loses the keyboard after a mode report; termina 0.4 waits for ever after a secondary device attribute.)

mod ear;
mod tty;

use async_trait::async_trait;

pub use ear::Ear;
pub use tty::TtyInput;

use crate::tui::key::Key;

/// One thing heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A key.
    Key(Key),
    /// Pasted text: data, never keys.
    Paste(String),
    /// The terminal is gone; nothing will be heard again.
    Closed,
}

/// A source of input.
#[async_trait]
pub trait Input: Send {
    /// The next thing heard; waits for it. Cancelling loses nothing. After [`Heard::Closed`] it never returns.
    async fn next(&mut self) -> Heard;
}
