//! Where something was written: file, line and column of the text it came from.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A range in a file of the book. Lines and columns count from 1; columns count characters, as editors do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, relative to the book's folder.
    pub file: Arc<str>,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// How many characters on that line; at least 1.
    pub width: u32,
}

impl fmt::Display for Place {
    /// `tollgate.yaml:31`: the form of `set_in` in findings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", crate::core::text::visible(&self.file), self.line)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A value that holds where nothing was written, too: then it has no place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was written; `None` for the default.
    pub set_in: Option<Place>,
}

impl<T> Setting<T> {
    /// The value that holds where nothing was written.
    pub fn default_of(value: T) -> Self {
        Self { value, set_in: None }
    }

    /// `tollgate.yaml:31`, or nothing for a default.
    pub fn set_in(&self) -> Option<String> {
        self.set_in.as_ref().map(Place::to_string)
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
