//! SQL as Trino reads it: lexer, tree, parser, literals, name resolution, lineage, highlight tokens.

pub mod analysis;
pub mod coercion;
pub mod kind;
pub mod resolve;
pub mod token;
pub mod tree;
pub mod types;
pub mod world;
