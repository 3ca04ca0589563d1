//! Untrusted text and the one door through which it becomes visible.
//!
//! Results, reasons, names, errors and YAML titles come from outside. [`Untrusted`] has no `Display`; [`Untrusted::visible`] is
//! the only way to show it. It escapes instead of stripping: a reviewer must see that something was there.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Text from outside. It cannot be displayed except through [`Untrusted::visible`] and [`Untrusted::visible_lines`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Marks `text` as coming from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text on one line, every invisible or commanding character escaped (newline as `⏎`, tab as `⇥`).
    pub fn visible(&self) -> Cow<'_, str> {
        visible(&self.0)
    }

    /// The text split at line ends, each line escaped.
    pub fn visible_lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('\n').map(|line| visible(line.strip_suffix('\r').unwrap_or(line)))
    }

    /// The bytes as they came, for digests, comparison and storage; never for a screen.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.visible())
    }
}

/// `text` with every character that is invisible or that a terminal could obey replaced by something one can see.
/// The result holds no control character and no line break; text without any such character is borrowed.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

/// Whether [`visible`] would replace `c`.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_format(c)
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push('⏎'),
        '\t' => out.push('⇥'),
        '\u{7f}' => out.push('␡'),
        c if (c as u32) < 0x20 => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
        c if is_hidden(c) => {
            out.push_str("<U+");
            out.push_str(&format!("{:04X}", c as u32));
            out.push('>');
        }
        c => out.push(c),
    }
}

/// Characters that print nothing or reorder what is printed: Bidi_Control, zero width, line and paragraph separators, soft
/// hyphen, fillers, variation selectors beyond VS16, tags, private and non-characters (Unicode 16 general category Cf and kin).
fn is_format(c: char) -> bool {
    matches!(c as u32,
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0E | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFB | 0x0600..=0x0605 | 0x06DD | 0x070F | 0x0890 | 0x0891 | 0x08E2 | 0x110BD | 0x110CD
        | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF | 0xE000..=0xF8FF
        | 0xF0000..=0x10FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_pictures() {
        assert_eq!(visible("a\x1b[31mred\x07\u{9b}31m\u{202e}rtl"), "a␛[31mred␇<U+009B>31m<U+202E>rtl");
        assert_eq!(visible("one\ntwo\t\r"), "one⏎two⇥␍");
        assert!(matches!(visible("plain ünï 漢字"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_hidden_survives(text in "\\PC*|.*|[\\x00-\\x{10ffff}]*") {
            let shown = visible(&text).into_owned();
            proptest::prop_assert!(!shown.chars().any(is_hidden));
            proptest::prop_assert_eq!(visible(&shown).into_owned(), shown);
        }
    }
}
