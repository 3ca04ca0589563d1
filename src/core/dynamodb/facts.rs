//! Facts about DynamoDB tables, the optional `dynamodb:` section of a catalog file:
//!
//! ```yaml
//! dynamodb:
//!   orders:                              # names of tables and attributes keep their case
//!     key: { pk: S, sk: S }              # partition key first, then the sort key if there is one; S, N or B
//!     items: 20000                       # as DescribeTable says (about six hours old); optional
//!     bytes: 7340032
//!     attributes:                        # optional: what is known of other attributes
//!       - { name: state }
//!       - { name: card, tags: [financial] }
//!     complete: false                    # true: there are no other attributes than these and the keys
//!     indexes:
//!       by-state: { key: { state: S, updated_at: S }, projection: [lock_owner], items: 120, bytes: 40000 }
//!                                        # projection: all (the default) | keys | a list; local: true for an LSI
//! ```

use indexmap::IndexMap;

use crate::core::book::{Place, Setting};
use crate::core::units::{Bytes, Timestamp};

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Its primary key.
    pub key: Key,
    /// How many items, as DescribeTable last said.
    pub items: Option<u64>,
    /// How large all items are together, as DescribeTable last said.
    pub bytes: Option<Bytes>,
    /// Attributes that are known besides the keys.
    pub attributes: Vec<AttributeFacts>,
    /// Whether there are no other attributes than `attributes` and the keys of table and indexes.
    pub complete: bool,
    /// Secondary indexes by name.
    pub indexes: IndexMap<String, IndexFacts>,
    /// When these facts were taken.
    pub taken_at: Option<Timestamp>,
    /// Where they are written.
    pub place: Option<Place>,
}

/// A primary or index key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The partition key.
    pub partition: KeyAttribute,
    /// The sort key.
    pub sort: Option<KeyAttribute>,
}

impl Key {
    /// The names, partition key first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.partition).chain(&self.sort).map(|attribute| attribute.name.as_str())
    }
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name; case matters.
    pub name: String,
    /// Its type.
    pub kind: KeyKind,
}

/// Types that a key attribute may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `S`
    String,
    /// `N`
    Number,
    /// `B`
    Binary,
}

impl KeyKind {
    /// `S`, `N` or `B`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "S" => Some(Self::String),
            "N" => Some(Self::Number),
            "B" => Some(Self::Binary),
            _ => None,
        }
    }

    /// As a message names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Binary => "binary",
        }
    }
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeFacts {
    /// Its name; case matters.
    pub name: String,
    /// Tags, lower case, with where they were written.
    pub tags: Setting<Vec<String>>,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFacts {
    /// Its key.
    pub key: Key,
    /// What its entries hold besides the keys of index and table.
    pub projection: Projection,
    /// A local secondary index: same partition key as the table, strong reads, and what it lacks is fetched from the table.
    pub local: bool,
    /// How many entries.
    pub items: Option<u64>,
    /// How large they are together.
    pub bytes: Option<Bytes>,
}

/// What an index holds besides keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Projection {
    /// Whole items.
    #[default]
    All,
    /// Nothing.
    Keys,
    /// These attributes.
    Include(Vec<String>),
}

impl TableFacts {
    /// The mean size of an item in bytes; `None` where DescribeTable said nothing or 0 (a new table says 0 for hours).
    pub fn mean_item(&self) -> Option<u64> {
        mean(self.bytes, self.items)
    }
}

impl IndexFacts {
    /// The mean size of an entry in bytes.
    pub fn mean_item(&self) -> Option<u64> {
        mean(self.bytes, self.items)
    }

    /// Whether an entry holds this top-level attribute.
    pub fn holds(&self, table: &Key, attribute: &str) -> bool {
        self.key.names().chain(table.names()).any(|name| name == attribute)
            || match &self.projection {
                Projection::All => true,
                Projection::Keys => false,
                Projection::Include(names) => names.iter().any(|name| name == attribute),
            }
    }
}

fn mean(bytes: Option<Bytes>, items: Option<u64>) -> Option<u64> {
    let (bytes, items) = (bytes?.0, items?);
    (items > 0 && bytes > 0).then(|| bytes.div_ceil(items))
}
