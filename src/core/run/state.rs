//! The state that a run's events fold into.

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::book::Book;
use crate::core::plan::{Person, Plan, PlanDigest};
use crate::core::run::event::{
    Actor, ExecutionOutcome, MintPurpose, Next, Service, ServiceFailure, StepOutcome, StopReason, Voids,
};
use crate::core::runbook::Runbook;
use crate::core::units::{Millis, Timestamp};

/// Everything known about one run.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// The run (ULID); empty before the first event.
    pub id: String,
    /// Who created it.
    pub operator: Option<Actor>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The frozen walk; `None` before `run.created`, or when its bytes cannot be read (then `corrupt` says why).
    pub walk: Option<Walk>,
    /// Inputs, canonical JSON by name.
    pub inputs: IndexMap<String, Value>,
    /// Requests, oldest first.
    pub requests: Vec<Request>,
    /// Step states by id, in the runbook's order.
    pub steps: IndexMap<String, StepState>,
    /// The step that the walk stands at; `None` at the end or before access.
    pub cursor: Option<String>,
    /// Set when the walk cannot go on: the end, or a step that stopped it.
    pub finished: Option<Next>,
    /// Executions, oldest first.
    pub executions: Vec<Execution>,
    /// Mints, oldest first.
    pub mints: Vec<Mint>,
    /// Captures and choices by name.
    pub captures: IndexMap<String, Value>,
    /// Statements that a fix replaced, by step.
    pub fixed: IndexMap<String, String>,
    /// Charged to the budget so far: bytes.
    pub spent_bytes: u64,
    /// Charged to the budget so far: thousandths of a read unit.
    pub spent_read_units: u64,
    /// The driver, if one holds the run.
    pub driver: Option<Driver>,
    /// Highest epoch ever taken; 0 before the first.
    pub epoch: u64,
    /// Exports written.
    pub exports: u32,
    /// Notes the operator added.
    pub notes: Vec<(Timestamp, String)>,
    /// When and why it was closed or cancelled.
    pub closed: Option<(Timestamp, String)>,
    /// Sequence number of the newest event.
    pub seq: u64,
    /// Hash of the newest event.
    pub head: String,
    /// Time of the newest event.
    pub newest_at: Timestamp,
    /// Why the events cannot be folded, if they cannot. A corrupt run refuses every command.
    pub corrupt: Option<String>,
}

/// The frozen walk.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The runbook as parsed from the stored bytes.
    pub runbook: Runbook,
    /// The book as parsed from the stored bytes.
    pub book: Book,
    /// SHA-256 of the runbook's bytes.
    pub runbook_sha256: String,
    /// SHA-256 of `tollgate.yaml`.
    pub book_sha256: String,
    /// Commit of the book.
    pub book_commit: Option<String>,
    /// Whether the book's work tree was dirty.
    pub book_dirty: bool,
}

/// One ask for access.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id (ULID).
    pub id: String,
    /// Digest of the plan.
    pub digest: PlanDigest,
    /// The stored plan.
    pub plan: Plan,
    /// Why, untrusted.
    pub reason: String,
    /// The incident, untrusted.
    pub incident: Option<String>,
    /// The step its grant starts at.
    pub walk_from: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Who sent it.
    pub by: Actor,
    /// Votes that were cast, whether they count or not.
    pub votes: Vec<Vote>,
    /// How many escalation levels are open.
    pub escalated: u32,
    /// How it stands.
    pub access: Access,
    /// Whether drift voided the approval for the rest.
    pub voided: Option<String>,
    /// Steps voided by cost alone.
    pub voided_steps: Vec<String>,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Waiting for votes.
    Waiting,
    /// Approved, not yet started; lapses at `use_by`.
    Approved {
        /// Until when it can be started.
        use_by: Timestamp,
        /// Names of those whose votes decided.
        by: Vec<String>,
    },
    /// The grant runs until `deadline`.
    Active {
        /// When access was started.
        started: Timestamp,
        /// When it ends.
        deadline: Timestamp,
    },
    /// Denied.
    Denied {
        /// By whom.
        by: String,
    },
    /// Not answered or not used in time.
    Lapsed {
        /// Whether it was approved but not used.
        unused: bool,
    },
    /// Taken back by the requester.
    Cancelled,
    /// The grant is over.
    Ended {
        /// When.
        at: Timestamp,
        /// The deadline it had.
        deadline: Timestamp,
        /// Why.
        reason: String,
    },
}

/// One vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Approve or deny.
    pub approve: bool,
    /// Comment, untrusted.
    pub comment: String,
}

/// Where a step stands.
#[derive(Debug, Clone, Default)]
pub struct StepState {
    /// Times entered.
    pub visits: u32,
    /// Executions intended, of any outcome but `NotSent`.
    pub executions: u32,
    /// The execution of this visit, once there is one: an earlier visit's says nothing about this one.
    pub current: Option<String>,
    /// How it stands.
    pub status: StepStatus,
    /// Rules whose warnings were accepted for the next execution.
    pub accepted: Vec<String>,
    /// Rows of its last successful execution.
    pub row_count: Option<u64>,
    /// The answer of a confirm.
    pub answer: Option<bool>,
    /// Latest drift found.
    pub drift: Option<Voids>,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StepStatus {
    /// Not reached.
    #[default]
    Pending,
    /// The walk stands here.
    Entered,
    /// Its `when` was false.
    Skipped {
        /// Why, in words.
        reason: String,
    },
    /// Over.
    Finished {
        /// How.
        outcome: StepOutcome,
        /// Why, where it did not simply end.
        reason: Option<String>,
    },
}

/// One statement sent, or about to be.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Its id (ULID).
    pub id: String,
    /// The request under which it runs.
    pub request: String,
    /// The step.
    pub step: String,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Epoch of the driver that intended it.
    pub epoch: u64,
    /// Client request token.
    pub token: String,
    /// Which service.
    pub service: Service,
    /// What is sent.
    pub statement: String,
    /// Where we stop it: bytes or thousandths of a read unit.
    pub ceiling: u64,
    /// Charged to the budget until the real cost is known.
    pub reserved: u64,
    /// When it was intended.
    pub intended_at: Timestamp,
    /// The service's id, once known.
    pub query_id: Option<String>,
    /// When it was started, once known.
    pub started_at: Option<Timestamp>,
    /// Somebody asked to stop it.
    pub stop_asked: Option<String>,
    /// How it stands.
    pub state: ExecutionState,
    /// Rows fetched into the spool.
    pub rows: Option<FetchedRows>,
}

/// How an execution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionState {
    /// Journaled, not known to be started.
    Intended,
    /// The service has it.
    Running,
    /// It ended by itself.
    Finished {
        /// How.
        outcome: ExecutionOutcome,
        /// What it cost.
        cost: Option<u64>,
        /// How long it took.
        elapsed: Millis,
        /// The service's failure.
        error: Option<ServiceFailure>,
    },
    /// It was stopped.
    Stopped {
        /// Why.
        reason: StopReason,
        /// What it cost.
        cost: Option<u64>,
        /// How long it ran.
        elapsed: Millis,
    },
    /// Nobody can tell.
    Indeterminate {
        /// Why.
        reason: String,
    },
}

/// Rows in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRows {
    /// How many.
    pub rows: u64,
    /// Column names.
    pub columns: Vec<String>,
    /// Whether there were more.
    pub truncated: bool,
    /// SHA-256 of the spool file.
    pub sha256: String,
}

/// One AssumeRole.
#[derive(Debug, Clone)]
pub struct Mint {
    /// Its id (ULID).
    pub id: String,
    /// Under which request.
    pub request: String,
    /// For what.
    pub purpose: MintPurpose,
    /// Epoch of the driver that intended it.
    pub epoch: u64,
    /// When it was intended.
    pub intended_at: Timestamp,
    /// How it stands.
    pub state: MintState,
}

/// How a mint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MintState {
    /// Journaled, no answer yet.
    Intended,
    /// Keys came.
    Issued {
        /// The public part.
        access_key_id: String,
        /// When STS says they expire.
        expires: Timestamp,
    },
    /// Refused.
    Failed(ServiceFailure),
    /// No answer; never ours.
    Unknown,
    /// Dropped.
    Dropped,
}

/// The process that drives the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// Its epoch.
    pub epoch: u64,
    /// Its process id.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Who runs it.
    pub person: Person,
    /// Since when.
    pub since: Timestamp,
}

impl RunState {
    /// The step at which a request for the rest of the walk begins: the cursor, or the walk's beginning while no access was ever
    /// started; `None` when nothing is left.
    pub fn rest_from(&self) -> Option<&str> {
        let first = || self.request().map(|request| request.walk_from.as_str());
        self.cursor.as_deref().or_else(|| if self.finished.is_none() { first() } else { None })
    }

    /// The newest request.
    pub fn request(&self) -> Option<&Request> {
        self.requests.last()
    }

    /// The request with this id.
    pub fn request_by_id(&self, id: &str) -> Option<&Request> {
        self.requests.iter().find(|request| request.id == id)
    }

    /// The request whose grant is active, with its deadline. While a second grant is being asked for, the old one stays.
    pub fn active(&self) -> Option<(&Request, Timestamp)> {
        self.requests.iter().rev().find_map(|request| match request.access {
            Access::Active { deadline, .. } => Some((request, deadline)),
            _ => None,
        })
    }

    /// The execution that is not over, if any: there is never more than one.
    pub fn open_execution(&self) -> Option<&Execution> {
        self.executions.iter().rev().find(|execution| execution.is_open())
    }

    /// The execution with this id.
    pub fn execution(&self, id: &str) -> Option<&Execution> {
        self.executions.iter().find(|execution| execution.id == id)
    }

    /// The execution of a step in its present visit.
    pub fn current_execution_of(&self, step: &str) -> Option<&Execution> {
        self.execution(self.steps.get(step)?.current.as_deref()?)
    }

    /// The newest execution of a step.
    pub fn last_execution_of(&self, step: &str) -> Option<&Execution> {
        self.executions.iter().rev().find(|execution| execution.step == step)
    }

    /// Whether nothing more can happen in this run.
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }
}

impl Execution {
    /// Whether it is intended or running.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ExecutionState::Intended | ExecutionState::Running)
    }
}
