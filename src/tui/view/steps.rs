//! The steps of the walk: what was asked, answered, run and skipped.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::step;
use crate::tui::rich::Rich;
use crate::tui::state::Run;
use crate::tui::theme::{Glyphs, Role};

/// One line a step; `shown` is marked.
pub(super) fn lines(run: &Run, shown: Option<&str>, width: usize, glyphs: &Glyphs) -> Vec<Rich> {
    run.state
        .steps
        .iter()
        .enumerate()
        .map(|(at, (id, state))| {
            let (role, word, reason) = step::word_of(&state.status);
            let at_cursor = run.state.cursor.as_ref() == Some(id) && !run.state.is_closed();
            let (role, word) = if at_cursor && word == "ahead" { (Role::Busy, "next") } else { (role, word) };
            let mark = if shown == Some(id.as_str()) { glyphs.pointer } else { " " };
            let said = step::answer_of(run, id).or(reason).unwrap_or_default();
            Rich::of(Role::Key, mark)
                .join(Rich::of(role, word).left(8, ""))
                .add(Role::Muted, &format!("{} ", at + 1))
                .add(Role::Text, id)
                .add(Role::Muted, &format!("  {said}"))
                .cut(width, glyphs.ellipsis)
        })
        .collect()
}

/// At the left of a wide screen.
pub(super) fn beside(run: &Run, shown: Option<&str>, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.line(area, area.y, &Rich::of(Role::Heading, " Steps"));
    let lines = lines(run, shown, usize::from(area.width), canvas.glyphs());
    canvas.lines(Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, &lines, 0);
}
