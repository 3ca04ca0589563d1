//! What is seen. Drawing cannot change the state.

mod canvas;
mod choose;
mod end;
mod facts;
mod frame;
mod inputs;
mod lists;
mod over;
mod pick;
mod plan;
mod preview;
mod request;
mod results;
mod review;
mod running;
mod sql;
mod step;
mod steps;
mod waiting;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::state::{Screen, Stage, State};
use crate::tui::theme::{Glyphs, Theme};
use canvas::Canvas;

/// From this width on, the walk shows its steps on the left.
const STEPS_BESIDE: u16 = 110;
const STEPS_WIDTH: u16 = 30;

/// Draws everything. Gives how many lines the pane that the keys scroll has beyond what is seen of it.
pub fn view(state: &State, theme: &Theme, frame: &mut Frame<'_>) -> usize {
    let area = frame.area();
    let mut canvas = Canvas::new(frame.buffer_mut(), theme);
    let body = frame::draw(state, &mut canvas, area);
    screen(state, &mut canvas, body);
    if !state.overlays.is_empty() {
        canvas.cursor = None;
        over::draw(state, &mut canvas, body);
    }
    let (cursor, reach) = (canvas.cursor, canvas.reach);
    if theme.glyphs().is_ascii {
        for cell in &mut frame.buffer_mut().content {
            if !cell.symbol().is_ascii() {
                cell.set_symbol(Glyphs::in_ascii(cell.symbol()));
            }
        }
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    reach
}

fn screen(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    match state.screen() {
        Some(Screen::Pick(pick)) => pick::draw(state, pick, canvas, area),
        Some(Screen::Problems(list)) => lists::problems(state, *list, canvas, area),
        Some(Screen::Runs(list)) => lists::runs(state, *list, canvas, area),
        Some(Screen::Inbox(list)) => lists::inbox(state, *list, canvas, area),
        Some(Screen::Review(review)) => review::draw(state, review, canvas, area),
        Some(Screen::Inputs(inputs)) => inputs::draw(inputs, canvas, area),
        Some(Screen::Request(request)) => request::draw(state, request, canvas, area),
        Some(Screen::Run) => walk(state, canvas, area),
        None => {}
    }
}

fn walk(state: &State, canvas: &mut Canvas<'_>, mut area: Rect) {
    let Some(run) = &state.run else { return };
    let now = state.wall();
    let stage = run.stage(now);
    if stage.step().is_some() && area.width >= STEPS_BESIDE {
        let beside = Rect { width: STEPS_WIDTH, ..area };
        steps::beside(run, stage.step(), canvas, beside);
        canvas.bar(area.x + STEPS_WIDTH, area.y, area.height);
        area = Rect { x: area.x + STEPS_WIDTH + 1, width: area.width - STEPS_WIDTH - 1, ..area };
    }
    match &stage {
        Stage::Corrupt(reason) => end::corrupt(reason, canvas, area),
        Stage::Waiting | Stage::Approved => waiting::draw(state, run, canvas, area),
        Stage::Refused => waiting::refused(state, run, canvas, area),
        Stage::Ahead(id) => step::ahead(state, run, id, canvas, area),
        Stage::Note(id) => step::note(run, id, canvas, area),
        Stage::Confirm(id) => step::confirm(run, id, canvas, area),
        Stage::Choose(id) => choose::draw(run, id, canvas, area),
        Stage::Preview(id) => preview::draw(state, run, id, canvas, area),
        Stage::Running(id) => running::draw(state, run, id, canvas, area),
        Stage::Results(id, execution) => results::draw(run, id, execution, canvas, area),
        Stage::Outcome(id) => step::outcome(run, id, canvas, area),
        Stage::Over | Stage::Closed => end::over(state, run, canvas, area),
    }
}
