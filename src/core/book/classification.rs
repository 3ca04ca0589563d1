//! Classification: which columns and attributes carry which tags.

use super::{Place, Placed};

/// Tags on columns and attributes, and the packs that bring more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classification {
    /// Patterns over columns, in the file's order.
    pub columns: Vec<ColumnTags>,
    /// Patterns over DynamoDB attributes, in the file's order.
    pub attributes: Vec<AttributeTags>,
    /// Shipped packs named (`gdpr`, `hipaa`, `pci`).
    pub packs: Vec<Placed<String>>,
}

/// Tags that one pattern gives. Names compare without case; `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnTags {
    /// As written: `shop.customers.email`, `*.*.ssn`, `shop.customers.profile.birthday`, `tpch.tiny.customer.phone`.
    pub pattern: String,
    /// Tags, lower case.
    pub tags: Vec<String>,
    /// Where the pattern stands.
    pub place: Place,
}

/// Tags that one pattern gives to attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeTags {
    /// Table, may hold `*` and `?`.
    pub table: String,
    /// Attribute, or path into maps (`card.number`), may hold `*` and `?`.
    pub attribute: String,
    /// Tags, lower case.
    pub tags: Vec<String>,
    /// Where the pattern stands.
    pub place: Place,
}
