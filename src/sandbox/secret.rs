//! Texts that must not be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret: it is written to 0600 files and compared, never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever signs with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// `length` random characters out of `alphabet` (of at most 256), from the operating system's generator.
pub(super) fn random_text(alphabet: &[u8], length: usize) -> String {
    let limit = 256 - 256 % alphabet.len().max(1);
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        rand::fill(&mut bytes);
        // Bytes past the last whole multiple would favour the first characters.
        let fair = bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < limit);
        text.extend(fair.filter_map(|b| alphabet.get(b % alphabet.len())).map(|b| char::from(*b)).take(length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", Secret::new("wJalrXUtnFEMI")), "Secret(redacted)");
    }

    #[test]
    fn random_texts_differ_and_keep_to_the_alphabet() {
        let text = random_text(b"ABC", 200);
        assert_eq!(text.len(), 200);
        assert!(text.bytes().all(|b| b"ABC".contains(&b)));
        assert_ne!(text, random_text(b"ABC", 200));
    }
}
