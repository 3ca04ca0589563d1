//! A one-line text field.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::key::{Code, Key};
use crate::tui::rich::{Rich, shown};
use crate::tui::theme::Role;

/// Longer text is refused: a reason or a filter is a line, not a document.
const MAX_BYTES: usize = 4096;

/// Text being typed, and where the cursor stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    text: String,
    /// Byte offset, always between two characters on screen.
    cursor: usize,
}

/// What a key did to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The text is another.
    Changed,
    /// Only the cursor moved.
    Moved,
    /// The key means nothing to a field.
    Ignored,
}

impl Field {
    /// A field holding `text`, the cursor at its end.
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self::of(text);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a key: characters, arrows, Home, End, Backspace, Delete, and the shell's Ctrl-U, Ctrl-W, Ctrl-K.
    pub fn key(&mut self, key: Key) -> Typed {
        if let Some(c) = key.typed() {
            return self.insert(c.encode_utf8(&mut [0; 4]));
        }
        if key.ctrl {
            return match key.code {
                Code::Char('u') => self.cut(0, self.cursor),
                Code::Char('k') => self.cut(self.cursor, self.text.len()),
                Code::Char('w') => self.cut(self.word_start(), self.cursor),
                _ => Typed::Ignored,
            };
        }
        if key.alt {
            return Typed::Ignored;
        }
        match key.code {
            Code::Left => self.move_to(self.before()),
            Code::Right => self.move_to(self.after()),
            Code::Home => self.move_to(0),
            Code::End => self.move_to(self.text.len()),
            Code::Backspace => self.cut(self.before(), self.cursor),
            Code::Delete => self.cut(self.cursor, self.after()),
            _ => Typed::Ignored,
        }
    }

    /// Takes pasted text.
    ///
    /// # Errors
    /// In plain words, when it is more than one line or too long; then nothing is taken.
    pub fn paste(&mut self, text: &str) -> Result<Typed, &'static str> {
        // One line end after the last character is what copying a line gives; only inner ones make it several lines.
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.contains(['\n', '\r']) {
            return Err("The paste has several lines; this field takes one.");
        }
        if self.text.len() + text.len() > MAX_BYTES {
            return Err("The paste is too long for this field.");
        }
        Ok(self.insert(text))
    }

    fn insert(&mut self, text: &str) -> Typed {
        if text.is_empty() || self.text.len() + text.len() > MAX_BYTES {
            return Typed::Ignored;
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        Typed::Changed
    }

    fn cut(&mut self, from: usize, to: usize) -> Typed {
        if from == to {
            return Typed::Moved;
        }
        self.text.replace_range(from..to, "");
        self.cursor = from;
        Typed::Changed
    }

    fn move_to(&mut self, cursor: usize) -> Typed {
        self.cursor = cursor;
        Typed::Moved
    }

    fn left(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or("")
    }

    fn right(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or("")
    }

    fn before(&self) -> usize {
        self.left().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.right().graphemes(true).next().map_or(self.cursor, |g| self.cursor + g.len())
    }

    fn word_start(&self) -> usize {
        let left = self.left().trim_end();
        left.rfind(' ').map_or(0, |at| at + 1)
    }

    /// The part of the text around the cursor that fits in `width` columns, and the cursor's column in it.
    pub fn window(&self, role: Role, width: usize) -> (Rich, usize) {
        let (left, right) = (shown(self.left()).into_owned(), shown(self.right()).into_owned());
        // One column stays free for the cursor behind the last character.
        let room = width.saturating_sub(1);
        let mut start = 0;
        let mut used = left.width();
        for grapheme in left.graphemes(true) {
            if used <= room {
                break;
            }
            used -= grapheme.width();
            start += grapheme.len();
        }
        let text = format!("{}{right}", left.get(start..).unwrap_or(""));
        (Rich::of(role, &text).cut(width, ""), used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(field: &mut Field, keys: &str) {
        for key in keys.split(' ') {
            field.key(key.parse().unwrap());
        }
    }

    #[test]
    fn edits_as_a_shell_does() {
        let mut field = Field::default();
        type_in(&mut field, "a b c left left X");
        assert_eq!(field.text(), "aXbc");
        type_in(&mut field, "del backspace end d space e");
        assert_eq!(field.text(), "acd e");
        type_in(&mut field, "ctrl-w");
        assert_eq!(field.text(), "acd ");
        type_in(&mut field, "home right ctrl-k");
        assert_eq!(field.text(), "a");
        type_in(&mut field, "ctrl-u");
        assert_eq!(field.text(), "");
        assert_eq!(field.key(Key::ctrl('x')), Typed::Ignored);
    }

    #[test]
    fn moves_by_characters_on_screen() {
        let mut field = Field::of("e\u{301}漢");
        type_in(&mut field, "left left backspace");
        assert_eq!(field.text(), "e\u{301}漢");
        type_in(&mut field, "del");
        assert_eq!(field.text(), "漢");
    }

    #[test]
    fn paste_is_one_line_of_data() {
        let mut field = Field::of("a");
        assert!(field.paste("b\nc").is_err());
        assert_eq!(field.paste("b\u{1b}[31m\n"), Ok(Typed::Changed));
        assert_eq!(field.text(), "ab\u{1b}[31m");
        assert_eq!(field.window(Role::Text, 20).0.text(), "ab␛[31m");
        assert!(field.paste(&"x".repeat(MAX_BYTES)).is_err());
    }

    #[test]
    fn the_cursor_stays_in_the_window() {
        let field = Field::of("abcdefghij");
        let (line, at) = field.window(Role::Text, 5);
        assert_eq!((line.text().as_str(), at), ("ghij", 4));
        let mut field = field;
        field.key(Key::plain(Code::Home));
        let (line, at) = field.window(Role::Text, 5);
        assert_eq!((line.text().as_str(), at), ("abcde", 0));
    }

    proptest::proptest! {
        #[test]
        fn no_sequence_of_keys_breaks_it(
            keys in proptest::collection::vec(
                proptest::sample::select(vec!["a", "漢", "\u{301}", "left", "right", "home", "end", "backspace", "del", "ctrl-w", "ctrl-k", "ctrl-u", "space"]),
                0..60,
            ),
            width in 1usize..12,
        ) {
            let mut field = Field::default();
            for key in keys {
                field.key(key.parse().unwrap());
                let (line, at) = field.window(Role::Text, width);
                proptest::prop_assert!(line.width() <= width && at <= width);
            }
        }
    }
}
