//! Keys and pastes.

use super::{perform, say};
use crate::core::run::Command;
use crate::tui::field::Typed;
use crate::tui::key::{Code, Key};
use crate::tui::keymap::{Face, Verb, is_interrupt, is_suspend};
use crate::tui::msg::{Ask, Effect};
use crate::tui::state::{Armed, Asked, GUARD, Overlay, Screen, State, TWICE, Tone};

/// Takes a key.
pub(super) fn key(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    if is_interrupt(key) {
        return interrupt(state, effects);
    }
    // A key clears the lines that could be read before it was pressed.
    let now = state.now.steady;
    state.notices.retain(|notice| now.0.saturating_sub(notice.at.0) < GUARD.0);
    let armed = state.armed.take();
    if is_suspend(key) {
        return suspend(state, effects);
    }
    let face = state.face();
    if let Some(row) = state.keymap.find(face, key) {
        if row.acts && state.is_guarded() {
            return;
        }
        if row.verb == Verb::Stop {
            return stop(state, armed, effects);
        }
        return perform::perform(state, row.verb, effects);
    }
    if face.is_typing() && !(face == Face::Prompt && state.is_guarded()) {
        typed(state, key, effects);
    }
}

/// Takes pasted text: data for a field, never keys.
pub(super) fn paste(state: &mut State, text: &str) {
    let outcome = match field(state) {
        Some(field) => field.paste(text).map(|_| true),
        None => Ok(false),
    };
    match outcome {
        Ok(true) => changed(state),
        Ok(false) => say(state, Tone::Warn, "Nothing was pasted: there is no field here."),
        Err(why) => say(state, Tone::Warn, why),
    }
}

fn typed(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    let Some(field) = field(state) else { return };
    match field.key(key) {
        Typed::Changed => changed(state),
        Typed::Moved => {}
        // Left and right beyond a field mean nothing; Enter and Tab are in the table.
        Typed::Ignored if key == Key::plain(Code::Enter) => perform::perform(state, Verb::Accept, effects),
        Typed::Ignored => {}
    }
}

/// The field that takes the keys.
fn field(state: &mut State) -> Option<&mut crate::tui::field::Field> {
    if let Some(overlay) = state.overlays.last_mut() {
        return overlay.field_mut();
    }
    match state.screens.last_mut()? {
        Screen::Pick(pick) if pick.typing => Some(&mut pick.filter),
        Screen::Inputs(inputs) => {
            let focus = inputs.focus;
            inputs.fields.get_mut(focus).map(|field| &mut field.field)
        }
        Screen::Request(request) => request.field_mut(),
        _ => None,
    }
}

/// A field was changed: what depends on it follows.
fn changed(state: &mut State) {
    match state.overlays.last_mut() {
        Some(Overlay::Help { list, .. } | Overlay::Palette { list, .. }) => return *list = Default::default(),
        Some(Overlay::Prompt(prompt)) => return prompt.error = None,
        Some(_) => return,
        None => {}
    }
    match state.screens.last_mut() {
        Some(Screen::Pick(pick)) => (pick.list, pick.scroll) = Default::default(),
        Some(Screen::Inputs(inputs)) => inputs.judge(),
        _ => {}
    }
}

/// `s`, then `s` again: stops the query.
fn stop(state: &mut State, armed: Option<Armed>, effects: &mut Vec<Effect>) {
    let now = state.now.steady;
    match armed {
        Some(Armed::Stop(first)) if now.0.saturating_sub(first.0) < TWICE.0 => stop_now(state, effects),
        _ => {
            state.armed = Some(Armed::Stop(now));
            say(state, Tone::Warn, "Press s again to stop the query.");
        }
    }
}

/// Ctrl-C twice: stops the query, or leaves when none runs. It works on every screen.
fn interrupt(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.now.steady;
    let querying = is_querying(state);
    match state.armed {
        Some(Armed::Interrupt(first)) if now.0.saturating_sub(first.0) < TWICE.0 => {
            state.armed = None;
            if querying {
                stop_now(state, effects);
            } else {
                perform::leave(state, effects);
            }
        }
        _ => {
            state.armed = Some(Armed::Interrupt(now));
            let what = if querying { "stop the query" } else { "leave" };
            say(state, Tone::Warn, format!("Press Ctrl-C again to {what}."));
        }
    }
}

pub(super) fn stop_now(state: &mut State, effects: &mut Vec<Effect>) {
    effects.push(Effect::Ask(vec![Ask::Command(Command::Stop { why: "asked in the terminal".to_owned() })]));
    say(state, Tone::Info, "Stopping the query.");
}

/// Whether this app's run has a query running that this app can stop.
pub(super) fn is_querying(state: &State) -> bool {
    state.run.as_ref().is_some_and(|run| run.state.open_execution().is_some() && run.read_only.is_none() && !run.gone)
}

fn suspend(state: &mut State, effects: &mut Vec<Effect>) {
    if is_querying(state) {
        state.overlays.push(Overlay::Asked(Asked::Leave { suspend: true }));
    } else {
        effects.push(Effect::Suspend);
    }
}
