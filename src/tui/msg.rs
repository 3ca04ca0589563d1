//! What happens to the app ([`Msg`]) and what the app wants done ([`Effect`]). All of it is data.

use std::sync::Arc;

use crate::core::run::Command;
use crate::core::run::command::Refusal;
use crate::core::units::{Millis, Timestamp};
use crate::engine::desk::{ChoiceOption, Draft, Planned, Preview, RunSummary, Update};
use crate::engine::ports::Rows;
use crate::engine::session::ExportFormat;
use crate::tui::desk::{Ballot, Library, Pending, Progress};
use crate::tui::key::Key;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// By the clock that deadlines are meant by.
    pub wall: Timestamp,
    /// By a clock that never jumps; its zero is arbitrary.
    pub steady: Millis,
}

/// The number of a question. An answer to any but the newest question of its kind is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Debug)]
pub struct Msg {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug)]
pub enum What {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The terminal has this size now.
    Resized {
        /// Columns.
        width: u16,
        /// Lines.
        height: u16,
    },
    /// Time passed.
    Tick,
    /// What the last change of screen brought can be seen now.
    Shown,
    /// The process is back after it was suspended.
    Resumed,
    /// The book.
    Library(Result<Library, Refusal>),
    /// Background work; `None` when it is over.
    Progress(Option<Progress>),
    /// A plan.
    Planned(Ticket, Result<Arc<Planned>, Refusal>),
    /// A run was created or opened; its updates follow.
    Opened(Ticket, Result<String, Refusal>),
    /// The runs of the store.
    Runs(Result<Vec<RunSummary>, Refusal>),
    /// The requests that wait.
    Inbox(Ticket, Result<Vec<Pending>, Refusal>),
    /// A vote was cast, or not.
    Voted(Result<(), Refusal>),
    /// The run tells something.
    Update(Box<Update>),
    /// The run's session has ended.
    SessionEnded,
    /// What was asked of the run was done, or why not.
    Done(Result<(), Refusal>),
    /// A look before an execution.
    Preview(Ticket, String, Result<Box<Preview>, Refusal>),
    /// A step's prose.
    Prose(String, Result<String, Refusal>),
    /// What may be chosen.
    Options(Ticket, Result<Vec<ChoiceOption>, Refusal>),
    /// Rows of an execution.
    Rows(String, Result<Arc<Rows>, Refusal>),
    /// An export was written to this path.
    Exported(Result<String, Refusal>),
    /// The theme was changed, or why not.
    Themed(Result<String, String>),
}

/// One thing asked of the run.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Follow a command.
    Command(Command),
    /// Go on to the next step.
    Advance,
    /// Execute the step at the cursor.
    Execute,
}

/// Something to be done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Load the book.
    Library,
    /// Make a plan.
    Plan(Ticket, Box<Draft>),
    /// Create a run for this plan.
    Create(Ticket, Box<Draft>, Arc<Planned>),
    /// Open a run.
    Open {
        /// The question's number.
        ticket: Ticket,
        /// The run; `None` is the only open one.
        run: Option<String>,
        /// Even from another process.
        takeover: bool,
    },
    /// List the runs.
    Runs,
    /// List the requests that wait.
    Inbox {
        /// The question's number.
        ticket: Ticket,
        /// As whom, in the sandbox.
        as_name: Option<String>,
    },
    /// Cast a vote.
    Vote(Ballot),
    /// Ask these of the run, in order, until one is refused.
    Ask(Vec<Ask>),
    /// Look at the step at the cursor.
    Preview(Ticket, String),
    /// Get a step's prose.
    Prose(String),
    /// Get what may be chosen.
    Options(Ticket),
    /// Get rows.
    Rows(String),
    /// Write rows to a file.
    Export(String, ExportFormat),
    /// Give the open run up.
    Leave(String),
    /// Use another theme.
    Theme(String),
    /// Ring the bell.
    Bell,
    /// Give the terminal back and suspend the process.
    Suspend,
    /// End the app.
    Exit,
}
