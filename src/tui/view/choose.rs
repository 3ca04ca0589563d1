//! A choice from an earlier result.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, inset};
use super::step;
use crate::tui::rich::Rich;
use crate::tui::state::{Loading, Run};
use crate::tui::theme::Role;

pub(super) fn draw(run: &Run, id: &str, canvas: &mut Canvas<'_>, area: Rect) {
    step::head(run, id, Rich::of(Role::Busy, "CHOICE"), canvas, area);
    let body = below(area, 2);
    let width = usize::from(inset(body).width);
    let prose = step::prose_of(run, id, width);
    let prose_height = u16::try_from(prose.len()).unwrap_or(u16::MAX).min(body.height / 2);
    canvas.lines(Rect { height: prose_height, ..inset(body) }, &prose, 0);
    let list = below(body, prose_height + 1);
    match &run.options {
        Loading::Not | Loading::Pending(_) => canvas.line(inset(list), list.y, &Rich::of(Role::Busy, "reading the rows")),
        Loading::Failed(refusal) => canvas.lines(inset(list), &super::pick::facts_of_refusal(refusal, width), 0),
        Loading::Ready(options) if options.is_empty() => {
            canvas.line(inset(list), list.y, &Rich::of(Role::Warn, "There is nothing to choose from."));
        }
        Loading::Ready(options) => {
            let rows: Vec<Rich> = options
                .iter()
                .map(|option| {
                    let line = Rich::of(Role::Text, " ").add(Role::Text, &option.label);
                    match &option.values {
                        Ok(_) => line,
                        Err(why) => line.add(Role::Block, &format!("  cannot be chosen: {why}")),
                    }
                })
                .collect();
            canvas.list(list, run.choice, &rows);
        }
    }
}
