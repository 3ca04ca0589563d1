//! SQL as Trino reads it: lexer, tree, parser, literals, name resolution, lineage, highlight tokens.

pub mod analysis;
pub mod coercion;
pub mod emit;
pub mod functions;
pub mod highlight;
pub mod keyword;
pub mod kind;
pub mod lexer;
pub mod literal;
pub mod parser;
pub mod resolve;
pub mod syntax;
pub mod syntax_error;
pub mod token;
pub mod tree;
pub mod types;
pub mod world;
