//! What happens next. Total, synchronous, without I/O or clock: time comes in the message.

mod answers;
mod forms;
mod keys;
mod perform;
mod walk;

use crate::core::run::command::Refusal;
use crate::tui::countdown::{Countdown, Urgency};
use crate::tui::msg::{Effect, Msg, What};
use crate::tui::state::{Guard, Loading, Notice, State, Tone};

pub(crate) use forms::has_fix;
pub(crate) use walk::{may_keep, runnable, sandbox_reviewer};

/// A run to open at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// Any unique end of its id; `None` is the only open one.
    pub run: Option<String>,
    /// Even from another process.
    pub takeover: bool,
}

/// Takes what happened; gives what is to be done.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let before = state.picture();
    let is_start = state.now == Default::default();
    // Steady time never goes back; a message that was made earlier and comes later must not turn it.
    state.now.wall = msg.at.wall;
    state.now.steady = state.now.steady.max(msg.at.steady);
    let mut effects = Vec::new();
    match msg.what {
        What::Key(key) => keys::key(state, key, &mut effects),
        What::Paste(text) => keys::paste(state, &text),
        What::Resized { width, height } => state.size = (width, height),
        What::Tick | What::Resumed => {}
        What::Shown => {
            if state.guard == Guard::Unseen {
                state.guard = Guard::Seen(state.now.steady);
            }
        }
        other => answers::answer(state, other, &mut effects),
    }
    ring(state, &mut effects);
    walk::want(state, &mut effects);
    if state.picture() != before || is_start {
        state.guard = Guard::Unseen;
        state.armed = None;
    }
    effects
}

/// What the app asks for at its start.
pub fn begin(state: &mut State, resume: Option<Resume>) -> Vec<Effect> {
    state.library = Loading::Pending(state.ticket());
    state.runs = Loading::Pending(state.ticket());
    let mut effects = vec![Effect::Library, Effect::Runs];
    if let Some(Resume { run, takeover }) = resume {
        let ticket = state.ticket();
        state.opening = Some(ticket);
        effects.push(Effect::Open { ticket, run, takeover });
    }
    effects
}

/// A bell and a notice at each threshold, once.
fn ring(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.wall();
    let Some(run) = &mut state.run else { return };
    let countdown = Countdown::of(&run.state, now);
    let Some((request, urgency)) = run.state.request().map(|request| (request.id.clone(), countdown.urgency(now))) else {
        return;
    };
    // With a second request the older grant is still the one that counts down.
    let request = run.state.active().map_or(request, |(active, _)| active.id.clone());
    let rung = match &run.rung {
        Some((rung_for, rung)) if *rung_for == request => *rung,
        // The first look at a grant: what it is already is no news.
        _ => {
            run.rung = Some((request, urgency));
            return;
        }
    };
    if urgency > rung && !run.state.is_closed() {
        run.rung = Some((request, urgency));
        effects.push(Effect::Bell);
        if let Some(text) = countdown.notice(urgency) {
            let tone = if urgency == Urgency::Soon { Tone::Warn } else { Tone::Alarm };
            say(state, tone, text);
        }
    }
}

/// A line above the hint bar.
fn say(state: &mut State, tone: Tone, text: impl Into<String>) {
    tell(state, Notice { tone, text: text.into(), hint: None, at: state.now.steady });
}

/// A refusal above the hint bar.
fn refuse(state: &mut State, refusal: Refusal) {
    tell(state, Notice { tone: Tone::Error, text: refusal.message, hint: refusal.hint, at: state.now.steady });
}

fn tell(state: &mut State, notice: Notice) {
    state.notices.retain(|other| other.text != notice.text);
    state.notices.push(notice);
    // More than three are not read; the oldest goes.
    if state.notices.len() > 3 {
        state.notices.remove(0);
    }
}
