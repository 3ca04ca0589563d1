//! What the app needs of the engine, as two traits: everything it can ask before there is a run, and one run.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::core::book::{Book, Problem};
use crate::core::plan::PlanDigest;
use crate::core::run::command::Refusal;
use crate::core::run::event::DriftField;
use crate::core::run::{Command, RunState};
use crate::core::runbook::Runbook;
use crate::core::units::Timestamp;
use crate::engine::desk::{ChoiceOption, Draft, Planned, Preview, RunSummary, Update};
use crate::engine::ports::Rows;
use crate::engine::session::ExportFormat;

/// The book as it was loaded: what can be used of it, and every problem.
#[derive(Debug, Clone)]
pub struct Library {
    /// The name by which the operator is known here.
    pub me: String,
    /// What `tollgate.yaml` says; `None` when it cannot be used.
    pub book: Option<Arc<Book>>,
    /// Runbooks without errors, by file name.
    pub runbooks: Vec<Arc<Runbook>>,
    /// Problems, errors first.
    pub problems: Vec<Problem>,
}

/// Work in the background that the operator may want to know of: the sandbox making its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done: `sandbox data`.
    pub what: String,
    /// How much of it is done, of `total`, in `unit`s.
    pub done: u64,
    /// How much there is to do.
    pub total: u64,
    /// `days`, `MB`.
    pub unit: String,
}

/// A request that waits for votes, as a reviewer needs it.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The run that asks.
    pub state: Arc<RunState>,
    /// The request in it.
    pub request: String,
    /// What differs from the last approved plan of this runbook; `None` where there is none.
    pub since_last: Option<Vec<DriftField>>,
    /// What differs between the frozen book and the reviewer's own, in words.
    pub book_differs: Vec<String>,
    /// The incident's state and title, where the book has a source of incidents.
    pub incident: Option<String>,
    /// Why this person's vote would not count; `None` when it does.
    pub may_not: Option<String>,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The run.
    pub run: String,
    /// The request in it.
    pub request: String,
    /// The digest of the plan that was read.
    pub digest: PlanDigest,
    /// Approve or deny.
    pub approve: bool,
    /// Comment; required for a denial.
    pub comment: String,
    /// In the sandbox: as whom.
    pub as_name: Option<String>,
}

/// A run that was opened.
pub struct Opened {
    /// For asking.
    pub session: Arc<dyn Session>,
    /// What it tells; the first update is the state as it is. The end of the channel is the end of the session.
    pub updates: mpsc::UnboundedReceiver<Update>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("run", &self.session.run()).finish_non_exhaustive()
    }
}

/// Everything that can be asked before there is a run.
#[async_trait]
pub trait Desk: Send + Sync {
    /// The time by which deadlines are meant: the wall clock, corrected by the services' when they are known to differ.
    fn now(&self) -> Timestamp;

    /// The book. May read the disk, never the network.
    async fn library(&self) -> Result<Library, Refusal>;

    /// How background work goes: returns at each change, `None` when there is none or it is over.
    async fn progress(&self) -> Option<Progress>;

    /// What a request would hold. Sends nothing.
    async fn plan(&self, draft: &Draft) -> Result<Planned, Refusal>;

    /// Creates the run and sends the request for the plan that was shown.
    async fn create(&self, draft: &Draft, planned: &Planned) -> Result<Opened, Refusal>;

    /// Opens a run by any unique end of its id and drives it, with `takeover` even from another process of this person. Without
    /// an id it is the only open run of this person.
    async fn open(&self, run: Option<&str>, takeover: bool) -> Result<Opened, Refusal>;

    /// Runs of the store.
    async fn runs(&self) -> Result<Vec<RunSummary>, Refusal>;

    /// Requests of others that wait for votes; `as_name` (sandbox only) asks as somebody else.
    async fn inbox(&self, as_name: Option<&str>) -> Result<Vec<Pending>, Refusal>;

    /// Casts a vote.
    async fn vote(&self, ballot: &Ballot) -> Result<(), Refusal>;
}

/// One run that was opened.
#[async_trait]
pub trait Session: Send + Sync {
    /// The run's id.
    fn run(&self) -> String;

    /// Follows a command of a person.
    async fn command(&self, command: Command) -> Result<(), Refusal>;

    /// Goes to the next step that is to be entered, skipping those whose `when` is false.
    async fn advance(&self) -> Result<(), Refusal>;

    /// Looks again at the step at the cursor.
    async fn preview(&self) -> Result<Preview, Refusal>;

    /// Looks again, and executes the step at the cursor on what was found.
    async fn execute(&self) -> Result<(), Refusal>;

    /// What may be chosen at the step at the cursor.
    async fn options(&self) -> Result<Vec<ChoiceOption>, Refusal>;

    /// The step's prose with its values in it: its note, question or prompt.
    async fn prose(&self, step: &str) -> Result<String, Refusal>;

    /// Rows of an execution.
    async fn rows(&self, execution: &str) -> Result<Arc<Rows>, Refusal>;

    /// Writes rows to a new private file; gives its path.
    async fn export(&self, execution: &str, format: ExportFormat) -> Result<String, Refusal>;

    /// The terminal is gone for good: what runs is stopped.
    async fn abandon(&self);

    /// Gives the run up; a query that runs goes on.
    async fn leave(&self, reason: &str);
}
