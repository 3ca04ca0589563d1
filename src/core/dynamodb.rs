//! DynamoDB as the guard sees it: key schemas and indexes, filter expressions, access paths and what they read.

mod access;
mod facts;
mod filter;

pub use access::{Access, AccessError, Given, MOST_ITEM, PAGE, access};
pub use facts::{AttributeFacts, IndexFacts, Key, KeyAttribute, KeyKind, Projection, TableFacts};
pub use filter::{Filter, FilterError, FilterPath, FilterValue, parse_filter};
