//! Patterns of string parameters.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A regular expression that the whole text must match, whether or not it is written with `^` and `$`.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    whole: Regex,
}

/// Compiled programs above this are refused: a pattern is a shape, not a program.
const MAX_PROGRAM: usize = 1 << 20;

impl Pattern {
    /// Compiles `written`.
    ///
    /// # Errors
    /// In one line, what is wrong with it.
    pub fn new(written: &str) -> Result<Self, String> {
        let build = |text: &str| RegexBuilder::new(text).size_limit(MAX_PROGRAM).build();
        // Alone first: `a)(b` would compile inside the group below.
        build(written).map_err(|error| last_line(&error))?;
        let whole = build(&format!("\\A(?:{written})\\z")).map_err(|error| last_line(&error))?;
        Ok(Self { written: written.to_owned(), whole })
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.written)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
