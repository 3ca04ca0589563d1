//! Facts about the files of a partition: what a listing and the files' own footers say. Adapters read them; nothing of the rows is
//! kept but the minima and maxima that footers hold.

use std::sync::Arc;

use crate::core::units::Timestamp;

/// The files of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// When it was listed; the files' footers are no older than this or belong to files that have not changed since.
    pub taken_at: Option<Timestamp>,
    /// The files that a Hive table reads: names that begin with `_` or `.` are left out already, empty files are not.
    pub files: Vec<File>,
    /// Why there are no files here, where listing failed: the location is missing, or access was denied.
    pub failure: Option<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the partition's location.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What was read of it.
    pub content: Content,
}

/// What is known of a file besides its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing was looked at: not allowed, or one of many of which only some were sampled.
    Unread,
    /// It was looked at, and is not what it should be: why.
    Broken(String),
    /// The footer of a Parquet file.
    Parquet(Arc<Parquet>),
    /// The footer of an ORC file.
    Orc(Arc<Orc>),
}

/// The footer of a Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parquet {
    /// Length of the metadata at the end, without the 8 bytes after it.
    pub footer: u64,
    /// The leaf columns in the file's order: the column, then the fields on the way, lower case (`tags`, `list`, `element`).
    pub leaves: Vec<Vec<String>>,
    /// The row groups in order.
    pub groups: Vec<Group>,
}

/// A row group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Rows.
    pub rows: u64,
    /// One chunk for each leaf, in the same order.
    pub chunks: Vec<Chunk>,
}

/// The column chunk of a leaf in a row group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// Where it begins: the dictionary page, or the first data page.
    pub start: u64,
    /// Its compressed length, pages' headers included.
    pub bytes: u64,
    /// Length of the dictionary page, if there is one before the data.
    pub dictionary: Option<u64>,
    /// Whether every data page is coded by the dictionary.
    pub all_dictionary: bool,
    /// What reading its Bloom filter fetches.
    pub bloom: Option<u64>,
    /// Values, NULLs among them.
    pub values: u64,
    /// How many are NULL, if the footer says.
    pub nulls: Option<u64>,
    /// Bounds on the values that are not NULL, if the footer says.
    pub range: Option<(Bound, Bound)>,
    /// The page index, if there is one.
    pub pages: Option<Arc<Pages>>,
}

/// The page index of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pages {
    /// Offset and length of the column index.
    pub column_index: (u64, u64),
    /// Offset and length of the offset index.
    pub offset_index: (u64, u64),
    /// The data pages in order.
    pub pages: Vec<Page>,
}

/// A data page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The row of the group that it begins with.
    pub first_row: u64,
    /// Where it begins.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
    /// How many values are NULL, if the index says.
    pub nulls: Option<u64>,
    /// Whether all are.
    pub all_null: bool,
    /// Bounds on the others.
    pub range: Option<(Bound, Bound)>,
}

/// The footer of an ORC file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orc {
    /// Length of metadata, footer and postscript, with the byte that ends the file.
    pub footer: u64,
    /// Rows of the file.
    pub rows: u64,
    /// The columns of the root struct, lower case, with the column ids that each covers.
    pub columns: Vec<(String, std::ops::Range<usize>)>,
    /// The stripes in order.
    pub stripes: Vec<Stripe>,
    /// For each column id, what the file holds.
    pub statistics: Vec<OrcStatistics>,
}

/// A stripe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stripe {
    /// Where it begins.
    pub start: u64,
    /// Length of its row indexes.
    pub index: u64,
    /// Length of its data.
    pub data: u64,
    /// Length of its footer.
    pub footer: u64,
    /// Rows.
    pub rows: u64,
    /// For each column id; empty if the file does not say.
    pub statistics: Vec<OrcStatistics>,
}

/// What an ORC file says of a column in a stripe or in the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrcStatistics {
    /// Values that are not NULL, if said.
    pub values: Option<u64>,
    /// Whether there are NULLs, if said.
    pub has_null: Option<bool>,
    /// Bounds, if said.
    pub range: Option<(Bound, Bound)>,
}

/// A value as a footer holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// `boolean`
    Boolean(bool),
    /// An integer type.
    Whole(i64),
    /// `double` or `real`, by its bits.
    Double(u64),
    /// `decimal`: the digits and how many stand behind the point.
    Decimal(i128, u8),
    /// `varchar`
    Text(String),
    /// `date`: days since 1970-01-01.
    Date(i32),
    /// `timestamp`: microseconds since 1970-01-01, rounded to the outside of the range.
    Timestamp(i64),
}

impl Listing {
    /// A listing that failed.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { failure: Some(why.into()), ..Self::default() }
    }

    /// All files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }
}
