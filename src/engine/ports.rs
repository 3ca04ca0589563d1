//! What the engine needs of the world. Adapters implement these; nothing else touches AWS, disk or network.

use std::fmt;

use async_trait::async_trait;
use indexmap::IndexMap;

use crate::core::book::Book;
use crate::core::catalog::Catalog;
use crate::core::plan::{DynamodbRequest, PlanTarget};
use crate::core::run::command::Refusal;
use crate::core::run::event::ServiceFailure;
use crate::core::run::{Actor, Event, EventBody};
use crate::core::runbook::Runbook;
use crate::core::units::{Millis, Timestamp};

/// The points in time that everything else is measured against.
pub trait Clock: Send + Sync {
    /// Wall-clock time, UTC, corrected by nothing.
    fn now(&self) -> Timestamp;

    /// Time since boot, counting sleep: it never jumps.
    fn boot(&self) -> Millis;

    /// Milliseconds that the services' `Date` headers were ahead of [`Clock::now`] at the latest answer; `None` before any.
    fn skew_ms(&self) -> Option<i64>;
}

/// Why the journal did not answer as hoped.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Somebody else appended first; load again and decide again.
    #[error("the run has moved on: expected event {expected}, the journal is at {found}")]
    Conflict {
        /// Sequence number that the append was decided on.
        expected: u64,
        /// The journal's.
        found: u64,
    },
    /// The appending driver's epoch is no longer the newest.
    #[error("another terminal drives this run now")]
    EpochGone,
    /// No run of that id, or more than one.
    #[error("{0}")]
    Unknown(String),
    /// Locked, full or not reachable for now.
    #[error("the journal {path} cannot be written now: {reason}")]
    Temporary {
        /// The store's file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Not a journal, a newer journal, or a broken one.
    #[error("the journal {path} cannot be used: {reason}")]
    Unusable {
        /// The store's file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// One append, decided on the run as it stood at `expected_seq`.
#[derive(Debug, Clone)]
pub struct Append {
    /// The run.
    pub run: String,
    /// Sequence number of the newest event that was folded; 0 for a new run.
    pub expected_seq: u64,
    /// The driver's epoch, checked in the same transaction; `None` for what anybody may append.
    pub epoch: Option<u64>,
    /// Who.
    pub actor: Actor,
    /// What, each with its time.
    pub events: Vec<(Timestamp, EventBody)>,
}

/// The lease of a run's driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The driver's epoch.
    pub epoch: u64,
    /// Its process id.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Its last heartbeat.
    pub beat_at: Timestamp,
}

/// The journal: append-only, hash-chained, shared between processes of one host.
pub trait Journal: Send + Sync {
    /// Ids of all runs, newest first.
    fn runs(&self) -> Result<Vec<String>, JournalError>;

    /// All events of a run, in order. The chain is not verified here.
    fn events(&self, run: &str) -> Result<Vec<Event>, JournalError>;

    /// Events of a run after `seq`.
    fn events_after(&self, run: &str, seq: u64) -> Result<Vec<Event>, JournalError>;

    /// Appends durably in one transaction, or changes nothing.
    fn append(&self, append: &Append) -> Result<Vec<Event>, JournalError>;

    /// Notes that the driver with `epoch` is alive. Does nothing to the chain.
    fn beat(&self, run: &str, lease: &Lease) -> Result<(), JournalError>;

    /// The lease as last beaten; `None` where nobody ever drove or the driver left.
    fn lease(&self, run: &str) -> Result<Option<Lease>, JournalError>;

    /// Gives the lease up.
    fn release(&self, run: &str, epoch: u64) -> Result<(), JournalError>;

    /// The full run id for any unique end of at least 4 characters of a run's or request's id.
    fn resolve(&self, suffix: &str) -> Result<String, JournalError>;

    /// A number that changes when any process appended; cheap enough to ask often.
    fn version(&self) -> Result<u64, JournalError>;

    /// The store's file, for messages.
    fn path(&self) -> String;
}

/// Text that must not be seen: no Debug, no Display, dropped without trace in logs.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Session credentials from one mint.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The public id.
    pub access_key_id: String,
    /// The secret key.
    pub secret: Secret,
    /// The session token.
    pub token: Secret,
    /// When STS says they expire.
    pub expires: Timestamp,
}

/// With whose rights a call is made.
#[derive(Debug, Clone, Copy)]
pub enum Rights<'a> {
    /// The operator's own (for the sandbox: its key file).
    Own,
    /// Minted keys.
    Minted(&'a Keys),
}

/// A service that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It refused, definitely.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(ServiceFailure),
    /// No answer: whether it happened is not known.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Throttled or briefly unavailable, after all retries; it did not happen.
    #[error("{0}")]
    Temporary(String),
    /// The operator's own credentials are missing or expired.
    #[error("{message}")]
    NoCredentials {
        /// What is missing.
        message: String,
        /// What to do, for example ``run `aws sso login` ``.
        hint: String,
    },
}

/// Who the services say we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// ARN.
    pub arn: String,
    /// Account.
    pub account: String,
}

/// One AssumeRole.
#[derive(Debug, Clone)]
pub struct MintRequest {
    /// `RoleSessionName`.
    pub session_name: String,
    /// `SourceIdentity`; `None` to inherit.
    pub source_identity: Option<String>,
    /// Session tags.
    pub tags: Vec<(String, String)>,
    /// The session policy, filled.
    pub policy: String,
    /// `DurationSeconds`; at least 900 (STS).
    pub seconds: u32,
}

/// STS.
#[async_trait]
pub trait TokenService: Send + Sync {
    /// GetCallerIdentity with the operator's own rights.
    async fn identity(&self, target: &PlanTarget) -> Result<CallerIdentity, ServiceError>;

    /// AssumeRole on the target's role.
    async fn assume(&self, target: &PlanTarget, mint: &MintRequest) -> Result<Keys, ServiceError>;
}

/// A workgroup as GetWorkGroup tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkgroupFacts {
    /// `BytesScannedCutoffPerQuery`.
    pub cutoff: Option<u64>,
    /// Whether the workgroup's settings override the client's.
    pub enforced: bool,
    /// Whether it is enabled.
    pub enabled: bool,
}

/// StartQueryExecution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartQuery {
    /// The statement with its marker.
    pub statement: String,
    /// Client request token: the same token gives the same execution.
    pub token: String,
    /// Data catalog.
    pub catalog: String,
    /// Database.
    pub database: String,
    /// Workgroup.
    pub workgroup: String,
    /// Where results go.
    pub output: String,
}

/// The state of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryPhase {
    /// Waiting for its turn.
    Queued,
    /// Running.
    Running,
    /// Done.
    Succeeded,
    /// Failed.
    Failed,
    /// Stopped.
    Cancelled,
}

/// GetQueryExecution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryStatus {
    /// The service's id.
    pub query_id: String,
    /// State.
    pub phase: QueryPhase,
    /// Bytes scanned so far, where the service reports them.
    pub bytes: Option<u64>,
    /// Milliseconds of engine time, where reported.
    pub elapsed_ms: Option<u64>,
    /// Why it failed or was cancelled.
    pub failure: Option<ServiceFailure>,
}

/// Rows as fetched: text as the service renders it, `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// Column names and types.
    pub columns: Vec<RowColumn>,
    /// Cells, row by row.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether the service had more than was taken.
    pub truncated: bool,
}

/// One column of fetched rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowColumn {
    /// Its name, untrusted.
    pub name: String,
    /// The service's type name.
    pub kind: String,
}

/// At most this much is fetched (DESIGN §4.5).
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes of cell text.
    pub bytes: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { rows: 10_000, bytes: 64 << 20 }
    }
}

/// Athena.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// GetWorkGroup.
    async fn workgroup(&self, target: &PlanTarget, rights: Rights<'_>, name: &str) -> Result<WorkgroupFacts, ServiceError>;

    /// StartQueryExecution; gives the service's id.
    async fn start(&self, target: &PlanTarget, keys: &Keys, query: &StartQuery) -> Result<String, ServiceError>;

    /// GetQueryExecution.
    async fn status(&self, target: &PlanTarget, keys: &Keys, query_id: &str) -> Result<QueryStatus, ServiceError>;

    /// StopQueryExecution.
    async fn stop(&self, target: &PlanTarget, keys: &Keys, query_id: &str) -> Result<(), ServiceError>;

    /// GetQueryResults, all pages up to `limits`.
    async fn rows(&self, target: &PlanTarget, keys: &Keys, query_id: &str, limits: FetchLimits) -> Result<Rows, ServiceError>;

    /// The execution in `workgroup` whose statement ends with `marker`, looked for among those submitted since `since`.
    async fn find(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        workgroup: &str,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<QueryStatus>, ServiceError>;
}

/// What one DynamoDB read gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRead {
    /// Items as rows, columns as projected.
    pub rows: Rows,
    /// Thousandths of a read unit consumed.
    pub cost: u64,
    /// Whether it ended because `ceiling` was reached.
    pub stopped_by_ceiling: bool,
}

/// DynamoDB.
#[async_trait]
pub trait ItemStore: Send + Sync {
    /// GetItem, or Query page by page until its limit or until `ceiling` thousandths of a read unit are consumed.
    async fn read(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        request: &DynamodbRequest,
        ceiling: u64,
        limits: FetchLimits,
    ) -> Result<ItemRead, ServiceError>;
}

/// Files that are private to this person: fetched rows, exports, and notes of what the journal could not take.
pub trait Spool: Send + Sync {
    /// Writes rows (0600); gives the SHA-256 of the file.
    fn write(&self, run: &str, execution: &str, rows: &Rows) -> Result<String, SpoolError>;

    /// Reads rows back; `None` when they are gone.
    fn read(&self, run: &str, execution: &str) -> Result<Option<Rows>, SpoolError>;

    /// Removes a run's files.
    fn remove(&self, run: &str) -> Result<(), SpoolError>;

    /// Writes a new file below the exports folder (0600, never over an existing one); gives its path.
    fn export(&self, name: &str, bytes: &[u8]) -> Result<String, SpoolError>;
}

/// A private file that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct SpoolError {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What was done while the journal could not be written: queries stopped, keys dropped. Imported when it can be again.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Act {
    /// When it was done.
    pub happened_at: Timestamp,
    /// The event that the journal would have taken.
    #[serde(flatten)]
    pub body: EventBody,
}

/// Notes of acts in files whose room was taken before it was needed, so that a full disk cannot keep a note out.
pub trait Notes: Send + Sync {
    /// Takes the room for a run's notes; whoever drives calls it before the run's first act.
    fn prepare(&self, run: &str) -> Result<(), SpoolError>;

    /// Notes an act durably, without taking more room than was prepared (where nothing was, it takes it now).
    fn note(&self, run: &str, act: &Act) -> Result<(), SpoolError>;

    /// Acts of a run that are not imported yet, in order.
    fn pending(&self, run: &str) -> Result<Vec<Act>, SpoolError>;

    /// Runs that have such acts.
    fn noted_runs(&self) -> Result<Vec<String>, SpoolError>;

    /// Forgets a run's acts; call it after they are in the journal.
    fn imported(&self, run: &str) -> Result<(), SpoolError>;
}

/// Catalog facts as loaded, with their hash.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The merged catalog.
    pub catalog: Catalog,
    /// SHA-256 of the files it came from.
    pub sha256: String,
    /// What was skipped, in words.
    pub notices: Vec<String>,
}

/// Where catalog facts come from.
pub trait FactSource: Send + Sync {
    /// The facts that this book names.
    fn load(&self, book: &Book, book_sha256: &str) -> Result<Facts, Refusal>;
}

/// A book with its runbooks, as loaded from one folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The book.
    pub book: Book,
    /// The bytes of `tollgate.yaml`.
    pub book_yaml: String,
    /// SHA-256 of them.
    pub book_sha256: String,
    /// Commit of the folder, `None` for `unversioned`.
    pub commit: Option<String>,
    /// Whether the work tree differed.
    pub dirty: bool,
    /// Runbooks by id.
    pub runbooks: IndexMap<String, Shelved>,
}

/// One runbook on the shelf.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// The runbook.
    pub runbook: Runbook,
    /// The bytes of its file.
    pub yaml: String,
    /// SHA-256 of them.
    pub sha256: String,
}

/// How closely files are looked at (DESIGN §4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// Names and sizes.
    Listing,
    /// The footers too, which hold minima and maxima of columns.
    Footers,
}

/// A place where files lie.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// `s3://…`, `file:///…`, or relative to `base`.
    pub location: String,
    /// Folder of the catalog file.
    pub base: String,
    /// How the files are written, if known.
    pub format: Option<crate::core::catalog::Format>,
    /// How closely to look.
    pub depth: Depth,
}

/// Facts of objects: sizes and footers.
pub trait Objects: Send + Sync {
    /// What lies at each of `places`, in their order. A place that cannot be listed is a listing with its failure; a footer that cannot
    /// be read is a file that says so: nothing is left out silently.
    fn look(&self, places: &[Place]) -> Vec<std::sync::Arc<crate::core::catalog::file::Listing>>;
}
