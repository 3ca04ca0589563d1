//! Adapters: the engine's ports on AWS, SQLite, files and the operating system. The only layer that names AWS types.

pub mod aws;
pub mod books;
pub mod catalog;
pub mod clock;
pub mod identity;
pub mod journal;
pub mod objects;
pub mod private;
pub mod spool;
pub mod watch;
