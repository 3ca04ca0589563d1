//! The end of a walk, and runs that cannot be followed.

use ratatui::layout::Rect;

use super::canvas::{Canvas, inset};
use crate::core::run::event::Next;
use crate::tui::rich::Rich;
use crate::tui::state::{Run, State};
use crate::tui::summary;
use crate::tui::theme::Role;

pub(super) fn over(state: &State, run: &Run, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(2);
    let head = match (&run.state.finished, run.state.is_closed()) {
        (_, true) => Rich::of(Role::Ok, "CLOSED").add(Role::Text, ": access has ended and the keys are gone."),
        (Some(Next::Stop), false) => {
            Rich::of(Role::Warn, "THE WALK STOPPED HERE").add(Role::Text, ". :close ends the access and the run.")
        }
        _ => Rich::of(Role::Text, "The walk is at its end."),
    };
    let mut lines = head.wrap(width, 2);
    lines.push(Rich::new());
    for line in summary::lines(&run.state) {
        lines.extend(Rich::plain(&line).wrap(width, 2));
    }
    lines.push(Rich::new());
    let hint = if run.state.is_closed() {
        "Enter ends the app; esc goes back to the results, which stay readable until then."
    } else if run.may_ask_again(state.wall()) {
        "a asks again for the remaining steps; esc goes back to the results."
    } else {
        "Esc goes back to the results."
    };
    lines.extend(Rich::of(Role::Muted, hint).wrap(width, 0));
    lines.push(Rich::new());
    lines.extend(super::steps::lines(run, None, width, canvas.glyphs()));
    canvas.scrolled(inset(area), &lines, run.scroll);
}

pub(super) fn corrupt(reason: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines = Rich::of(Role::Block, "The journal of this run cannot be followed: ").add(Role::Text, reason).wrap(width, 2);
    lines.extend(
        Rich::plain("Nothing can be done with it here; `tollgate runs verify` says which event is wrong.").wrap(width, 2),
    );
    canvas.lines(inset(area), &lines, 0);
}
