//! Lines of styled text. Whatever goes in is made visible first, so that no screen can forget it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::core::text::visible;
use crate::tui::theme::{Role, Theme};

/// More code points than this in one character on screen are counted instead of shown: a cell could hold kilobytes of them.
const MAX_MARKS: usize = 5;

/// A stretch of one line in one role. Its text holds nothing that a terminal could obey and nothing without width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    text: String,
    /// How it is meant.
    pub role: Role,
}

impl Piece {
    /// `text` on one line, made visible.
    pub fn new(role: Role, text: &str) -> Self {
        Self { text: shown(text).into_owned(), role }
    }

    /// The visible text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// `text` as it can stand in cells: hidden characters escaped, characters without width named, pile-ups of marks counted.
pub fn shown(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    if text.is_ascii() || text.graphemes(true).all(is_plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for grapheme in text.graphemes(true) {
        if is_plain(grapheme) {
            out.push_str(grapheme);
            continue;
        }
        let mut rest = grapheme.chars();
        if grapheme.width() > 0 {
            out.extend(rest.by_ref().take(MAX_MARKS));
        }
        let left: Vec<char> = rest.collect();
        match left.as_slice() {
            [] => {}
            few if few.len() <= 2 => few.iter().for_each(|c| out.push_str(&format!("<U+{:04X}>", *c as u32))),
            many => out.push_str(&format!("<{} marks>", many.len())),
        }
    }
    Cow::Owned(out)
}

fn is_plain(grapheme: &str) -> bool {
    grapheme.width() > 0 && grapheme.chars().count() <= MAX_MARKS
}

/// One line of styled text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rich {
    pieces: Vec<Piece>,
}

impl Rich {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line in one role.
    pub fn of(role: Role, text: &str) -> Self {
        Self::new().add(role, text)
    }

    /// A line of ordinary text.
    pub fn plain(text: &str) -> Self {
        Self::of(Role::Text, text)
    }

    /// The line with more text.
    #[must_use]
    pub fn add(mut self, role: Role, text: &str) -> Self {
        self.push(role, text);
        self
    }

    /// The line followed by another.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// More text.
    pub fn push(&mut self, role: Role, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece::new(role, text));
        }
    }

    /// Its pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// The text without roles.
    pub fn text(&self) -> String {
        self.pieces.iter().map(Piece::text).collect()
    }

    /// The line in another role throughout, for the selected row.
    #[must_use]
    pub fn in_role(mut self, role: Role) -> Self {
        self.pieces.iter_mut().for_each(|piece| piece.role = role);
        self
    }

    /// At most `width` columns; what is cut off is marked by `ellipsis`.
    #[must_use]
    pub fn cut(self, width: usize, ellipsis: &str) -> Self {
        if self.width() <= width {
            return self;
        }
        let room = width.saturating_sub(ellipsis.width());
        let (mut used, mut out) = (0, Self::new());
        let mut last = Role::Text;
        for piece in self.pieces {
            last = piece.role;
            let text = head(&piece.text, room - used);
            used += text.width();
            let whole = text.len() == piece.text.len();
            if !text.is_empty() {
                out.pieces.push(Piece { text: text.to_owned(), role: piece.role });
            }
            if !whole {
                break;
            }
        }
        if width >= ellipsis.width() {
            out.pieces.push(Piece { text: ellipsis.to_owned(), role: last });
        }
        out
    }

    /// Exactly `width` columns, filled with spaces on the right.
    #[must_use]
    pub fn left(self, width: usize, ellipsis: &str) -> Self {
        let mut line = self.cut(width, ellipsis);
        let gap = width.saturating_sub(line.width());
        let role = line.pieces.last().map_or(Role::Text, |piece| piece.role);
        line.push(role, &" ".repeat(gap));
        line
    }

    /// Exactly `width` columns, filled with spaces on the left.
    #[must_use]
    pub fn right(self, width: usize, ellipsis: &str) -> Self {
        let line = self.cut(width, ellipsis);
        let gap = width.saturating_sub(line.width());
        Self::of(Role::Text, &" ".repeat(gap)).join(line)
    }

    /// The line broken at spaces into lines of at most `width` columns; words that are longer are broken where they must be.
    /// Lines after the first begin with `indent` spaces.
    pub fn wrap(self, width: usize, indent: usize) -> Vec<Self> {
        let width = width.max(1);
        if self.width() <= width {
            return vec![self];
        }
        let indent = indent.min(width / 2);
        let (mut lines, mut line, mut used) = (Vec::new(), Self::new(), 0);
        let fresh = || Self::of(Role::Text, &" ".repeat(indent));
        let parts: Vec<(Role, &str)> = self
            .pieces
            .iter()
            .flat_map(|piece| piece.text.split_word_bounds_at_spaces().map(|word| (piece.role, word)))
            .collect();
        let mut within = false;
        for (at, (role, part)) in parts.iter().enumerate() {
            let mut word = *part;
            // A word may have several roles; it is broken only where it alone is too long.
            let wide = if within { 0 } else { word_width(parts.get(at..).unwrap_or(&[])) };
            within = !word.ends_with(' ');
            let start = if lines.is_empty() { 0 } else { indent };
            if used + wide > width && used > start {
                lines.push(std::mem::replace(&mut line, fresh()));
                used = indent;
            }
            while used + word.trim_end().width() > width {
                let part = head(word, width.saturating_sub(used).max(1));
                let part = if part.is_empty() { first(word) } else { part };
                line.pieces.push(Piece { text: part.to_owned(), role: *role });
                lines.push(std::mem::replace(&mut line, fresh()));
                used = indent;
                word = word.get(part.len()..).unwrap_or("");
            }
            let fits = head(word, width.saturating_sub(used));
            used += fits.width();
            if !fits.is_empty() {
                line.pieces.push(Piece { text: fits.to_owned(), role: *role });
            }
        }
        if used > indent || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Writes the line at `x`, `y`, cut at `width` columns. Gives the column after it.
    pub fn paint(&self, buffer: &mut Buffer, theme: &Theme, x: u16, y: u16, width: u16) -> u16 {
        let (mut at, end) = (x, x.saturating_add(width).min(buffer.area.right()));
        if y >= buffer.area.bottom() {
            return at;
        }
        for piece in &self.pieces {
            if at >= end {
                break;
            }
            (at, _) = buffer.set_stringn(at, y, &piece.text, usize::from(end - at), theme.style(piece.role));
        }
        at
    }
}

impl From<&str> for Rich {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

/// Writes `lines` from the top of `area`, beginning with line `skip`; what does not fit is left out.
pub fn paint_lines(lines: &[Rich], skip: usize, buffer: &mut Buffer, theme: &Theme, area: Rect) {
    for (line, y) in lines.iter().skip(skip).zip(area.y..area.bottom()) {
        line.paint(buffer, theme, area.x, y, area.width);
    }
}

/// Untrusted text of several lines, wrapped to `width`.
pub fn prose(role: Role, text: &str, width: usize) -> Vec<Rich> {
    text.trim_end()
        .split('\n')
        .flat_map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let indent = line.len() - line.trim_start_matches([' ', '-', '*']).len();
            Rich::of(role, line).wrap(width, indent)
        })
        .collect()
}

/// The prose of a runbook, wrapped to `width`: paragraphs flow, `**strong**` and `` `code` `` are styled, lists keep their items.
/// What is not closed stands as it is written.
pub fn marked(text: &str, width: usize) -> Vec<Rich> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut fresh = true;
    for line in text.trim_end().lines() {
        let words = line.trim();
        let item = item_indent(words);
        match (blocks.last_mut(), item) {
            _ if words.is_empty() => {
                blocks.push((0, String::new()));
                fresh = true;
                continue;
            }
            (Some((_, block)), None) if !fresh => {
                block.push(' ');
                block.push_str(words);
            }
            (_, item) => blocks.push((item.unwrap_or(0), words.to_owned())),
        }
        fresh = false;
    }
    blocks.into_iter().flat_map(|(indent, block)| inline(&block).wrap(width, indent)).collect()
}

/// How far the further lines of a list's item stand in; `None` for what is no item.
fn item_indent(line: &str) -> Option<usize> {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = line.get(digits..)?;
    match digits {
        0 if rest.starts_with("- ") || rest.starts_with("* ") => Some(2),
        1..=3 if rest.starts_with(". ") => Some(digits + 2),
        _ => None,
    }
}

/// One paragraph with its styled words.
fn inline(text: &str) -> Rich {
    let (mut line, mut rest) = (Rich::new(), text);
    while let Some(at) = rest.find(['*', '`']) {
        let (before, tail) = rest.split_at(at);
        let mark = if tail.starts_with('`') { "`" } else { "**" };
        let inner =
            tail.strip_prefix(mark).and_then(|inner| inner.split_once(mark)).filter(|(inner, _)| !inner.trim().is_empty());
        match inner {
            Some((inner, after)) => {
                let role = if mark == "`" { Role::Code } else { Role::Strong };
                line = line.add(Role::Text, before).add(role, inner);
                rest = after;
            }
            None => {
                let (this, after) = tail.split_at(1);
                line = line.add(Role::Text, before).add(Role::Text, this);
                rest = after;
            }
        }
    }
    line.add(Role::Text, rest)
}

/// The longest beginning of `text` that takes at most `width` columns, never breaking a character on screen.
fn head(text: &str, width: usize) -> &str {
    let (mut used, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > width {
            break;
        }
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or("")
}

fn first(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or("")
}

/// Columns of the word that `parts` begin with, up to its space.
fn word_width(parts: &[(Role, &str)]) -> usize {
    let end = parts.iter().position(|(_, part)| part.ends_with(' ')).map_or(parts.len(), |end| end + 1);
    let word = parts.get(..end).unwrap_or(parts);
    word.iter().map(|(_, part)| part.trim_end().width()).sum()
}

trait Words {
    fn split_word_bounds_at_spaces(&self) -> impl Iterator<Item = &str>;
}

impl Words for str {
    /// Words with the spaces after them.
    fn split_word_bounds_at_spaces(&self) -> impl Iterator<Item = &str> {
        let mut rest = self;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let word = rest.find(' ').unwrap_or(rest.len());
            let gap = rest.get(word..).map_or(0, |tail| tail.len() - tail.trim_start_matches(' ').len());
            let (head, tail) = rest.split_at(word + gap);
            rest = tail;
            Some(head)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Rich]) -> Vec<String> {
        lines.iter().map(Rich::text).collect()
    }

    #[test]
    fn wraps_at_spaces_and_breaks_long_words() {
        assert_eq!(texts(&Rich::plain("one two three").wrap(8, 0)), ["one two ", "three"]);
        assert_eq!(texts(&Rich::plain("abcdefghij").wrap(4, 0)), ["abcd", "efgh", "ij"]);
        assert_eq!(texts(&Rich::plain("- a longer item").wrap(10, 2)), ["- a longer", "  item"]);
        assert_eq!(texts(&Rich::plain("漢字漢字").wrap(3, 0)), ["漢", "字", "漢", "字"]);
        assert_eq!(texts(&Rich::plain("漢字").wrap(1, 0)), ["漢", "字"]);
        let call = Rich::of(Role::SqlName, "a, ").add(Role::SqlFunction, "chr").add(Role::SqlOperator, "(8) b");
        assert_eq!(texts(&call.wrap(8, 0)), ["a, ", "chr(8) b"]);
    }

    #[test]
    fn prose_flows_and_marks_words() {
        let text = "Look for `one` order\nthat **repeats**.\n\n- first\n  goes on\n- 2 * 3 ** 4\n12. last";
        let lines = marked(text, 40);
        assert_eq!(texts(&lines), ["Look for one order that repeats.", "", "- first goes on", "- 2 * 3 ** 4", "12. last"]);
        let role_of = |word: &str| lines[0].pieces().iter().find(|piece| piece.text() == word).map(|piece| piece.role);
        assert_eq!((role_of("one"), role_of("repeats")), (Some(Role::Code), Some(Role::Strong)));
        assert_eq!(texts(&marked("- one two three", 9)), ["- one two", "  three"]);
    }

    #[test]
    fn cuts_by_column() {
        assert_eq!(Rich::plain("abcdef").cut(4, "…").text(), "abc…");
        assert_eq!(Rich::plain("漢字漢字").cut(4, "…").text(), "漢…");
        assert_eq!(Rich::plain("ab").left(4, "…").text(), "ab  ");
        assert_eq!(Rich::plain("ab").right(4, "…").text(), "  ab");
        assert_eq!(Rich::plain("ab").cut(0, "…").text(), "");
    }

    #[test]
    fn nothing_vanishes() {
        assert_eq!(Rich::plain("a\u{1b}[31mb").text(), "a␛[31mb");
        assert_eq!(Rich::plain("\u{301}").text(), "<U+0301>");
        let pile = format!("e{}", "\u{301}".repeat(400));
        assert_eq!(Rich::plain(&pile).text(), format!("e{}<396 marks>", "\u{301}".repeat(4)));
    }

    proptest::proptest! {
        #[test]
        fn every_line_keeps_its_width(text in "\\PC{0,80}", width in 1usize..40) {
            for line in Rich::plain(&text).wrap(width, 2) {
                let single = line.text().trim().graphemes(true).count() <= 1;
                proptest::prop_assert!(line.width() <= width || single, "{:?}", line.text());
            }
            proptest::prop_assert!(Rich::plain(&text).cut(width, "…").width() <= width);
            proptest::prop_assert_eq!(Rich::plain(&text).left(width, "…").width(), width);
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(text in "[a-z漢 ]{0,80}", width in 2usize..40) {
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            let wrapped: String = texts(&Rich::plain(&text).wrap(width, 1)).concat();
            proptest::prop_assert_eq!(squeezed(&wrapped), squeezed(&text));
        }
    }
}
