//! Adapters: the engine's ports on AWS, SQLite, files and the operating system. The only layer that names AWS types.

pub mod journal;
