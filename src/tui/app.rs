//! The loop: what is heard, told and due becomes messages; what the messages want is done; what changed is drawn.
//!
//! Nothing ticks when nothing changes. A frame is drawn at most every 33 ms, and less often when the terminal takes long to take
//! one; without a countdown on screen an idle app writes nothing and wakes for nothing.

mod doing;
mod signals;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::core::plan::OnDisconnect;
use crate::core::run::RunState;
use crate::core::units::Millis;
use crate::tui::desk::Desk;
use crate::tui::input::{Heard, Input, TtyInput};
use crate::tui::key::Key;
use crate::tui::keymap::Keymap;
use crate::tui::msg::{Effect, Moment, Msg, What};
use crate::tui::state::{Guard, Seat, State};
use crate::tui::terminal::{Terminal, Tty};
use crate::tui::theme::{Depth, Theme, ThemeError};
use crate::tui::update::{Resume, begin, update};
use crate::tui::view::view;
use doing::{Doing, Told};
use signals::{Heeded, Signals};

/// Thirty frames a second are more than a person reads.
const FRAME: Duration = Duration::from_millis(33);
/// Where a frame takes long to be written, fewer come through faster.
const SLOW_FRAME: Duration = Duration::from_millis(100);
const SLOW_WRITE: Duration = Duration::from_millis(50);
/// For this long after coming back, stopping and continuing signals are the echo of our own.
const ECHO: Duration = Duration::from_millis(500);
/// Messages taken before a frame is drawn; a flood must not keep the screen still.
const BATCH: usize = 256;

/// A hung-up terminal leaves its query this long for a `resume` to take over (DESIGN §4.7).
const HANG_UP_GRACE: Duration = Duration::from_secs(20);
/// A stop is waited for at most this long when the process was told to end (DESIGN §4.7).
const STOP_GRACE: Duration = Duration::from_millis(1800);

/// How the app is to run.
#[derive(Debug)]
pub struct Options {
    /// The terminal.
    pub tty: Tty,
    /// Who sits here, as far as that is known before the book is read.
    pub seat: Seat,
    /// The theme asked for.
    pub theme: String,
    /// The user's own themes: name and TOML text.
    pub themes: Vec<(String, String)>,
    /// How many colours.
    pub depth: Depth,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// The user's own keys, by command.
    pub keys: IndexMap<String, Vec<String>>,
    /// A run to open at the start.
    pub resume: Option<Resume>,
}

/// How the app ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The operator left.
    Left,
    /// The terminal hung up.
    HungUp,
    /// The process was told to end.
    Terminated,
}

/// What remains of the app.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub how: How,
    /// Runs to sum up on the normal screen: those that were closed here, then the one left open.
    pub runs: Vec<Arc<RunState>>,
}

/// Why the app could not run.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// No terminal, or one that cannot be set up.
    #[error("the terminal cannot be used")]
    Terminal(#[source] std::io::Error),
    /// The theme.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// A panic gave the terminal back.
    #[error("a bug ended the app")]
    Bug,
}

/// Runs the app until the operator leaves, the terminal goes, or the process is told to end.
///
/// # Errors
/// [`TuiError`]: the terminal or the theme cannot be used, or a panic.
pub async fn run(desk: Arc<dyn Desk>, options: Options) -> Result<Outcome, TuiError> {
    let Options { tty, mut seat, theme, themes, depth, ascii, keys, resume } = options;
    let (theme, theme_warnings) = Theme::load(&theme, &themes, depth, ascii)?;
    let (keymap, key_warnings) = Keymap::with(&keys);
    let own = themes.iter().map(|(name, _)| name.clone());
    seat.themes = own.chain(crate::tui::theme::built_in_names().map(str::to_owned)).collect();
    let signals = Signals::new().map_err(TuiError::Terminal)?;
    let terminal = Terminal::take(tty.output).map_err(TuiError::Terminal)?;
    let input = TtyInput::new(tty.input).map_err(TuiError::Terminal)?;
    let started = Instant::now();
    let size = terminal.size();
    let now = Moment { wall: desk.now(), steady: Millis(1) };
    let mut state = State::new(seat, keymap, now, (size.width, size.height));
    for warning in theme_warnings.into_iter().chain(key_warnings) {
        let notice = crate::tui::state::Notice { tone: crate::tui::state::Tone::Warn, text: warning, hint: None, at: now.steady };
        state.notices.push(notice);
    }
    let (tell, told) = mpsc::unbounded_channel();
    let doing = Doing::new(desk.clone(), tell);
    let look = Look { theme, themes, depth, ascii };
    let mut app = App {
        desk,
        terminal,
        input: Box::new(input),
        signals,
        state,
        look,
        doing,
        told,
        started,
        drawn: None,
        dirty: true,
        back: None,
    };
    // The first frame comes before anything is asked of disk or network.
    app.draw()?;
    let effects = begin(&mut app.state, resume);
    let how = match app.act(effects) {
        Some(how) => how,
        None => app.turns().await?,
    };
    Ok(app.end(how).await)
}

/// What is needed to change the theme.
struct Look {
    theme: Theme,
    themes: Vec<(String, String)>,
    depth: Depth,
    ascii: bool,
}

struct App {
    desk: Arc<dyn Desk>,
    terminal: Terminal,
    input: Box<dyn Input>,
    signals: Signals,
    state: State,
    look: Look,
    doing: Doing,
    told: mpsc::UnboundedReceiver<Told>,
    started: Instant,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    dirty: bool,
    /// When the process was last continued.
    back: Option<Instant>,
}

impl App {
    fn now(&self) -> Moment {
        // The zero of steady time is before the app's start, so that nothing ever happened at it.
        let steady = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Moment { wall: self.desk.now(), steady: Millis(steady) }
    }

    /// Takes one message; `Some` ends the app.
    fn take(&mut self, what: What) -> Option<How> {
        // That something can be seen now changes nothing that is seen.
        self.dirty |= !matches!(what, What::Shown);
        let at = self.now();
        let effects = update(&mut self.state, Msg { at, what });
        self.act(effects)
    }

    fn act(&mut self, effects: Vec<Effect>) -> Option<How> {
        for effect in effects {
            match effect {
                Effect::Exit => return Some(How::Left),
                Effect::Bell => self.terminal.ring(),
                Effect::Suspend => {
                    if let Some(how) = self.suspend() {
                        return Some(how);
                    }
                }
                Effect::Theme(name) => {
                    let loaded = Theme::load(&name, &self.look.themes, self.look.depth, self.look.ascii);
                    let answer =
                        loaded.map(|(theme, _)| self.look.theme = theme).map(|()| name).map_err(|error| error.to_string());
                    if let Some(how) = self.take(What::Themed(answer)) {
                        return Some(how);
                    }
                }
                other => self.doing.begin(other),
            }
        }
        None
    }

    /// Turns until something ends the app.
    async fn turns(&mut self) -> Result<How, TuiError> {
        loop {
            if self.terminal.is_lost() {
                return Err(TuiError::Bug);
            }
            if let Some(how) = self.settle()? {
                return Ok(how);
            }
            let writing = self.terminal.is_writing();
            let frame = self.frame_due().filter(|_| self.dirty && !writing);
            let tick = self.state.next_tick().map(|wait| Instant::now() + Duration::from_millis(wait.0));
            let ended = tokio::select! {
                heard = self.input.next() => self.hear(heard),
                Some(told) = self.told.recv() => self.hear_told(told),
                heeded = self.signals.next() => self.heed(heeded)?,
                takes = self.terminal.written(), if writing => if takes { None } else { Some(How::HungUp) },
                () = sleep_until(frame), if frame.is_some() => None,
                () = sleep_until(tick), if tick.is_some() => self.take(What::Tick),
            };
            let ended = ended.or_else(|| self.drain());
            if let Some(how) = ended {
                return Ok(how);
            }
        }
    }

    /// Takes what is there already, so that a held key is one frame, not thirty.
    fn drain(&mut self) -> Option<How> {
        for _ in 0..BATCH {
            let ended = if let Some(heard) = self.input.next().now_or_never() {
                self.hear(heard)
            } else if let Ok(told) = self.told.try_recv() {
                self.hear_told(told)
            } else {
                return None;
            };
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// Draws if it is time, and notes that what was drawn can be seen.
    fn settle(&mut self) -> Result<Option<How>, TuiError> {
        if self.dirty && !self.terminal.is_writing() && self.frame_due().is_none_or(|due| due <= Instant::now()) {
            self.draw()?;
        }
        if self.state.guard == Guard::Unseen && !self.dirty && !self.terminal.is_writing() {
            return Ok(self.take(What::Shown));
        }
        Ok(None)
    }

    fn frame_due(&self) -> Option<Instant> {
        let pace = if self.terminal.last_write() > SLOW_WRITE { SLOW_FRAME } else { FRAME };
        self.drawn.map(|drawn| drawn + pace)
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        let (state, theme) = (&self.state, &self.look.theme);
        let mut reach = 0;
        self.terminal.draw(|frame| reach = view(state, theme, frame)).map_err(TuiError::Terminal)?;
        self.state.reach = reach;
        self.drawn = Some(Instant::now());
        self.dirty = false;
        Ok(())
    }

    fn hear(&mut self, heard: Heard) -> Option<How> {
        match heard {
            Heard::Key(key) => self.take(What::Key(key)),
            Heard::Paste(text) => self.take(What::Paste(text)),
            Heard::Closed => Some(How::HungUp),
        }
    }

    fn hear_told(&mut self, told: Told) -> Option<How> {
        let what = self.doing.settle(told)?;
        self.take(what)
    }

    fn heed(&mut self, heeded: Heeded) -> Result<Option<How>, TuiError> {
        Ok(match heeded {
            Heeded::HangUp => Some(How::HungUp),
            Heeded::Terminate => Some(How::Terminated),
            Heeded::Interrupt => self.take(What::Key(Key::ctrl('c'))),
            Heeded::Resize => {
                // A terminal that does not tell its size any more is about to hang up.
                if self.terminal.measure().unwrap_or(false) {
                    let size = self.terminal.size();
                    self.take(What::Resized { width: size.width, height: size.height })
                } else {
                    None
                }
            }
            // The signals that stopped and continued us arrive once more as messages.
            Heeded::Suspend | Heeded::Continue if self.is_just_back() => None,
            Heeded::Suspend => self.suspend(),
            Heeded::Continue => self.come_back(),
        })
    }

    /// Gives the terminal back and stops the process until somebody continues it.
    fn suspend(&mut self) -> Option<How> {
        self.terminal.give_back_calmly();
        signals::stop_here();
        self.come_back()
    }

    fn is_just_back(&self) -> bool {
        self.back.is_some_and(|back| back.elapsed() < ECHO)
    }

    /// Time first, then the picture: what was true before the pause may not be true now.
    fn come_back(&mut self) -> Option<How> {
        // A shell may have changed the modes even if the terminal was never given back.
        self.terminal.give_back();
        if self.terminal.enter().is_err() {
            return Some(How::HungUp);
        }
        self.back = Some(Instant::now());
        let _ = self.terminal.measure();
        let size = self.terminal.size();
        self.take(What::Resumed).or_else(|| self.take(What::Resized { width: size.width, height: size.height }))
    }

    /// Gives the terminal back, then sees to what still runs.
    async fn end(mut self, how: How) -> Outcome {
        if how == How::Left {
            self.terminal.give_back_calmly();
        } else {
            self.terminal.give_back();
        }
        match how {
            How::Left => {}
            How::Terminated => {
                self.doing.abandon().await;
                self.until_nothing_runs(STOP_GRACE).await;
            }
            How::HungUp => {
                let keeps = |state: &State| {
                    let active = state.run.as_ref().and_then(|run| run.state.active());
                    active.is_some_and(|(request, _)| request.plan.on_disconnect == OnDisconnect::Keep)
                };
                // A `resume` elsewhere may take the run; only then is nothing stopped here.
                if !keeps(&self.state) && !self.until_nothing_runs(HANG_UP_GRACE).await {
                    self.doing.abandon().await;
                    self.until_nothing_runs(STOP_GRACE).await;
                }
            }
        }
        let reason = match how {
            How::Left => "left the terminal",
            How::HungUp => "the terminal hung up",
            How::Terminated => "the process was told to end",
        };
        self.doing.leave(reason).await;
        let mut runs = std::mem::take(&mut self.state.ended);
        if let Some(run) = &self.state.run {
            // What was noted when it ended is older than what is known of it now.
            runs.retain(|ended| ended.id != run.state.id);
            runs.push(Arc::clone(&run.state));
        }
        Outcome { how, runs }
    }

    /// Follows the run without a terminal until no query runs here; `false` when `limit` is over first.
    async fn until_nothing_runs(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let runs_here = self
                .state
                .run
                .as_ref()
                .is_some_and(|run| run.state.open_execution().is_some() && run.read_only.is_none() && !run.gone);
            if !runs_here {
                return true;
            }
            tokio::select! {
                Some(told) = self.told.recv() => {
                    self.hear_told(told);
                }
                () = tokio::time::sleep_until(deadline) => return false,
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
