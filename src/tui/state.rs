//! Everything the app knows. One value; `update` changes it, `view` reads it.

mod inputs;
mod list;
mod overlay;
mod pick;
mod plan_pane;
mod request;
mod run;
mod table;

use std::sync::Arc;

use crate::core::run::RunState;
use crate::core::run::command::Refusal;
use crate::core::units::{Millis, Timestamp};
use crate::engine::desk::RunSummary;
use crate::tui::desk::{Library, Pending, Progress};
use crate::tui::keymap::{Face, Keymap};
use crate::tui::msg::{Moment, Ticket};

pub use inputs::{InputField, Inputs};
pub use list::List;
pub use overlay::{Asked, Overlay, PaletteItem, Prompt, PromptFor};
pub use pick::{Pick, Picked};
pub use plan_pane::PlanPane;
pub use request::{Request, RequestFocus};
pub use run::{Polled, Run, Stage};
pub use table::{Hit, Table};

/// For this long after a change of screen, keys that act are ignored: over a slow line one types before one sees.
pub const GUARD: Millis = Millis(300);

/// For this long the second press of a stopping key counts as the second.
pub const TWICE: Millis = Millis(3000);

/// Something that is being got.
#[derive(Debug, Clone, Default)]
pub enum Loading<T> {
    /// Nobody asked.
    #[default]
    Not,
    /// Asked.
    Pending(Ticket),
    /// Here it is.
    Ready(T),
    /// It cannot be had.
    Failed(Refusal),
}

impl<T> Loading<T> {
    /// It, if it is here.
    pub fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it was asked for and is not here yet.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Pending(_))
    }

    /// Takes the answer to `ticket`; an answer to an older question is dropped.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<T, Refusal>) -> bool {
        let current = matches!(self, Self::Pending(asked) if *asked == ticket);
        if current {
            *self = match answer {
                Ok(value) => Self::Ready(value),
                Err(refusal) => Self::Failed(refusal),
            };
        }
        current
    }
}

/// Who sits here, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seat {
    /// The name that groups use.
    pub name: String,
    /// Why nothing enforces the guardrails, in one line; `None` behind a gateway.
    pub unenforced: Option<String>,
    /// An endpoint that was found in the environment or on the command line: `host:port`.
    pub endpoint: Option<String>,
    /// Names of the themes that can be chosen.
    pub themes: Vec<String>,
}

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something happened.
    Info,
    /// Something to look at.
    Warn,
    /// Something bad happened that is nobody's mistake: a denial, the end of access.
    Alarm,
    /// Something did not work.
    Error,
}

/// A line above the hint bar that stands until a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How serious.
    pub tone: Tone,
    /// What happened, untrusted.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// When it came; a key that was on its way does not clear it.
    pub at: Millis,
}

/// A screen. The ones below come back with Esc as they were left.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are at most five of them")]
pub enum Screen {
    /// The list of runbooks; always at the bottom.
    Pick(Pick),
    /// Problems of the book.
    Problems(List),
    /// The runs.
    Runs(List),
    /// Requests to vote on.
    Inbox(List),
    /// One of them.
    Review(Box<Review>),
    /// The form.
    Inputs(Box<Inputs>),
    /// The plan before it is asked.
    Request(Box<Request>),
    /// The open run: waiting, walking, its end.
    Run,
}

/// A request as a reviewer reads it.
#[derive(Debug)]
pub struct Review {
    /// The request.
    pub pending: Pending,
    /// As whom, in the sandbox.
    pub as_name: Option<String>,
    /// Which step is shown.
    pub pane: PlanPane,
    /// A vote was sent and is not answered yet.
    pub voting: bool,
}

/// A key that wants to be pressed a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Armed {
    /// `s`: stop the query.
    Stop(Millis),
    /// Ctrl-C: stop the query, or leave.
    Interrupt(Millis),
}

/// Since when the present screen can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It was not drawn yet.
    Unseen,
    /// Drawn then.
    Seen(Millis),
}

/// Everything the app knows.
#[derive(Debug)]
pub struct State {
    /// When the last thing happened.
    pub now: Moment,
    /// Columns and lines.
    pub size: (u16, u16),
    /// Who sits here.
    pub seat: Seat,
    /// The book.
    pub library: Loading<Arc<Library>>,
    /// Background work.
    pub progress: Option<Progress>,
    /// The runs, as last listed.
    pub runs: Loading<Arc<Vec<RunSummary>>>,
    /// Requests to vote on, as last listed.
    pub inbox: Loading<Arc<Vec<Pending>>>,
    /// Screens, the one on top last; never empty.
    pub screens: Vec<Screen>,
    /// What lies over the screen, the one on top last.
    pub overlays: Vec<Overlay>,
    /// Lines above the hint bar.
    pub notices: Vec<Notice>,
    /// The open run.
    pub run: Option<Run>,
    /// A run is being created or opened.
    pub opening: Option<Ticket>,
    /// How far the pane on screen can be scrolled, as it was drawn last.
    pub reach: usize,
    /// The keys.
    pub keymap: Keymap,
    /// Since when the screen can be seen.
    pub guard: Guard,
    /// A stopping key was pressed once.
    pub armed: Option<Armed>,
    /// Runs that ended in this app, for the summary.
    pub ended: Vec<Arc<RunState>>,
    /// The last ticket given out.
    pub tickets: u64,
    /// The app is about to end.
    pub exiting: bool,
}

impl State {
    /// The app as it starts: nothing loaded, the list of runbooks on screen.
    pub fn new(seat: Seat, keymap: Keymap, now: Moment, size: (u16, u16)) -> Self {
        let mut notices = Vec::new();
        if let Some(why) = &seat.unenforced {
            notices.push(Notice { tone: Tone::Info, text: format!("UNENFORCED: {why}"), hint: None, at: now.steady });
        }
        Self {
            now,
            size,
            seat,
            library: Loading::Not,
            progress: None,
            runs: Loading::Not,
            inbox: Loading::Not,
            screens: vec![Screen::Pick(Pick::default())],
            overlays: Vec::new(),
            notices,
            run: None,
            opening: None,
            reach: 0,
            keymap,
            guard: Guard::Unseen,
            armed: None,
            ended: Vec::new(),
            tickets: 0,
            exiting: false,
        }
    }

    /// A number for a new question.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// The screen on top.
    pub fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// The time by which deadlines are meant.
    pub fn wall(&self) -> Timestamp {
        self.now.wall
    }

    /// What the keys mean something to now.
    pub fn face(&self) -> Face {
        match self.overlays.last() {
            Some(overlay) => overlay.face(),
            None => self.screen_face(),
        }
    }

    /// The same without what lies over the screen.
    pub fn screen_face(&self) -> Face {
        match self.screen() {
            None => Face::Pick,
            Some(Screen::Pick(pick)) if pick.typing => Face::PickFilter,
            Some(Screen::Pick(_)) => Face::Pick,
            Some(Screen::Problems(_)) => Face::Problems,
            Some(Screen::Runs(_)) => Face::Runs,
            Some(Screen::Inbox(_)) => Face::Inbox,
            Some(Screen::Review(_)) => Face::Review,
            Some(Screen::Inputs(_)) => Face::Inputs,
            Some(Screen::Request(request)) if request.focus == RequestFocus::Plan => Face::Request,
            Some(Screen::Request(_)) => Face::RequestField,
            Some(Screen::Run) => self.run.as_ref().map_or(Face::Closed, |run| run.stage(self.wall()).face()),
        }
    }

    /// What identifies the picture for the guard: it changes when something else can be acted upon.
    pub fn picture(&self) -> (Face, usize, String) {
        let what = match (self.overlays.last(), self.screen()) {
            (Some(_), _) => String::new(),
            (None, Some(Screen::Run)) => self.run.as_ref().map(|run| run.picture(self.wall())).unwrap_or_default(),
            (None, Some(Screen::Request(request))) => request.picture(),
            (None, Some(Screen::Review(review))) => review.pending.request.clone(),
            (None, _) => String::new(),
        };
        // A field of a form is the same picture as the form.
        let face = match self.face() {
            Face::RequestField => Face::Request,
            face => face,
        };
        (face, self.overlays.len(), what)
    }

    /// Whether keys that act count yet.
    pub fn is_guarded(&self) -> bool {
        match self.guard {
            Guard::Unseen => true,
            Guard::Seen(since) => self.now.steady.0.saturating_sub(since.0) < GUARD.0,
        }
    }

    /// The selected runbook's id on the first screen.
    pub fn pick(&self) -> Option<&Pick> {
        match self.screens.first() {
            Some(Screen::Pick(pick)) => Some(pick),
            _ => None,
        }
    }

    /// How long until the picture changes by itself; `None` when it does not.
    pub fn next_tick(&self) -> Option<Millis> {
        let run = self.run.as_ref()?;
        let countdown = crate::tui::countdown::Countdown::of(&run.state, self.wall()).next(self.wall());
        let started = run.state.open_execution().map(|execution| execution.started_at.unwrap_or(execution.intended_at));
        // One tick serves both: the elapsed time is shown at the countdown's beat.
        countdown.or(started.map(|started| Millis(1000 - self.wall().since(started).0 % 1000)))
    }
}
