//! The buffer with the theme, and the few shapes that screens are made of.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::tui::field::Field;
use crate::tui::rich::{Rich, paint_lines};
use crate::tui::state::List;
use crate::tui::theme::{Glyphs, Role, Theme};

/// Where screens draw.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    /// Where the terminal's cursor is to stand.
    pub(super) cursor: Option<Position>,
    /// How far what can be scrolled can be scrolled.
    pub(super) reach: usize,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme, cursor: None, reach: 0 }
    }

    pub(super) fn glyphs(&self) -> &'a Glyphs {
        self.theme.glyphs()
    }

    /// Writes one line at `y`, from the left of `area`.
    pub(super) fn line(&mut self, area: Rect, y: u16, line: &Rich) {
        if y < area.bottom() {
            line.paint(self.buffer, self.theme, area.x, y, area.width);
        }
    }

    /// Writes one line with another at the right end; the left one gives way.
    pub(super) fn both(&mut self, area: Rect, y: u16, left: Rich, right: &Rich) {
        if y >= area.bottom() {
            return;
        }
        let width = usize::from(area.width);
        let room = width.saturating_sub(right.width() + 1);
        let ellipsis = self.glyphs().ellipsis;
        let left = left.cut(if right.is_empty() { width } else { room }, ellipsis);
        left.paint(self.buffer, self.theme, area.x, y, area.width);
        let at = area.right().saturating_sub(u16::try_from(right.width()).unwrap_or(u16::MAX)).max(area.x);
        right.paint(self.buffer, self.theme, at, y, area.right() - at);
    }

    /// Writes lines from the top; if they do not all fit, the last line says how many more there are.
    pub(super) fn lines(&mut self, area: Rect, lines: &[Rich], skip: usize) {
        let height = usize::from(area.height);
        let skip = skip.min(lines.len().saturating_sub(height.max(1)));
        paint_lines(lines, skip, self.buffer, self.theme, area);
        let below = lines.len().saturating_sub(skip + height);
        if below > 0 && height > 1 {
            let more = Rich::of(Role::Muted, &format!(" {} {below} more lines, pgdn ", self.glyphs().down));
            self.clear(Rect { y: area.bottom() - 1, height: 1, ..area });
            self.line(area, area.bottom() - 1, &more);
        }
    }

    /// The same for the pane that the keys scroll.
    pub(super) fn scrolled(&mut self, area: Rect, lines: &[Rich], skip: usize) {
        self.reach = lines.len().saturating_sub(usize::from(area.height).max(1));
        self.lines(area, lines, skip);
    }

    /// A rule across.
    pub(super) fn rule(&mut self, area: Rect, y: u16) {
        self.line(area, y, &Rich::of(Role::Rule, &self.glyphs().rule.repeat(usize::from(area.width))));
    }

    /// A rule down.
    pub(super) fn bar(&mut self, x: u16, y: u16, height: u16) {
        for y in y..y.saturating_add(height) {
            Rich::of(Role::Rule, self.glyphs().bar).paint(self.buffer, self.theme, x, y, 1);
        }
    }

    /// A list with the selected line marked by a pointer and its role.
    pub(super) fn list(&mut self, area: Rect, list: List, rows: &[Rich]) {
        let height = usize::from(area.height);
        let (top, selected) = (list.top(rows.len(), height), list.selected(rows.len()));
        let ellipsis = self.glyphs().ellipsis;
        for ((at, row), y) in rows.iter().enumerate().skip(top).zip(area.y..area.bottom()) {
            let mark = if at == selected { self.glyphs().pointer } else { " " };
            let row = Rich::of(Role::Text, mark).join(row.clone());
            let row = row.left(usize::from(area.width), ellipsis);
            self.line(area, y, &if at == selected { row.in_role(Role::Selected) } else { row });
        }
    }

    /// A field of `width` columns at `x`, with the cursor in it if it has the focus.
    pub(super) fn field(&mut self, field: &Field, at: Position, width: u16, focused: bool) {
        let role = if focused { Role::FieldFocus } else { Role::FieldValue };
        let (text, cursor) = field.window(role, usize::from(width));
        let line = Rich::of(Role::Muted, "[").join(text.left(usize::from(width), "")).add(Role::Muted, "]");
        line.paint(self.buffer, self.theme, at.x, at.y, width + 2);
        if focused {
            let x = at.x.saturating_add(1).saturating_add(u16::try_from(cursor).unwrap_or(0));
            self.cursor = Some(Position { x, y: at.y });
        }
    }

    /// Empties an area, for what lies over a screen.
    pub(super) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.buffer.cell_mut(Position { x, y }) {
                    cell.reset();
                    cell.set_style(self.theme.style(Role::Text));
                }
            }
        }
    }
}

/// `area` without its first `n` lines.
pub(super) fn below(area: Rect, n: u16) -> Rect {
    let n = n.min(area.height);
    Rect { y: area.y + n, height: area.height - n, ..area }
}

/// `area` without a column at each side.
pub(super) fn inset(area: Rect) -> Rect {
    let by = u16::from(area.width > 4);
    Rect { x: area.x + by, width: area.width - 2 * by, ..area }
}
