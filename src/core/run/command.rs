//! Commands: what frontends and the engine ask of a run, and the refusals they may get.

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::plan::{Plan, PlanDigest};
use crate::core::run::event::{DriftField, EventBody, ExecutionOutcome, MintPurpose, ServiceFailure, StopReason, Voids};
use crate::core::units::Timestamp;

/// What is asked of a run. The first group comes from people, the second from the engine about what the world did.
#[derive(Debug, Clone)]
pub enum Command {
    /// Send the request for this plan.
    Request {
        /// The plan that was shown.
        plan: Box<Plan>,
        /// Why.
        reason: String,
        /// The step that the new grant starts at.
        walk_from: String,
    },
    /// Replace a step's statement by an offered fix, before the request.
    Fix {
        /// The step.
        step: String,
        /// What the fix does.
        title: String,
        /// The whole statement after it.
        sql: String,
    },
    /// Take a waiting or unused request back.
    Cancel {
        /// Its id.
        request: String,
    },
    /// Vote on a request.
    Vote {
        /// Its id.
        request: String,
        /// The digest that was read.
        digest: PlanDigest,
        /// Approve or deny.
        approve: bool,
        /// Comment; required for a denial.
        comment: String,
    },
    /// Start the grant's clock.
    StartAccess,
    /// Enter the step at the cursor; `when` is its condition's value, `None` where it has none.
    Enter {
        /// Value of the condition.
        when: Option<bool>,
    },
    /// Finish a note step.
    Acknowledge,
    /// Answer a confirm.
    Answer {
        /// Yes or no.
        yes: bool,
    },
    /// Make a choice; the values were checked against the types of `into`.
    Choose {
        /// Values by name.
        values: IndexMap<String, Value>,
    },
    /// Accept the warnings of the step at the cursor, having typed the word.
    AcceptWarning,
    /// Execute the step at the cursor, on the estimate and comparison just made.
    Execute {
        /// What the repeated look found.
        check: Check,
    },
    /// Stop what runs.
    Stop {
        /// Why, in words.
        why: String,
    },
    /// After a failed step that stopped the walk: end the run's access and close it.
    Close {
        /// Why, in words.
        reason: String,
    },
    /// Leave a note in the journal.
    Note {
        /// The text.
        text: String,
    },
    /// A file was exported.
    Exported {
        /// The execution whose rows it holds.
        execution: String,
        /// `csv` or `jsonl`.
        format: String,
        /// Where.
        file: String,
        /// How many rows.
        rows: u64,
        /// SHA-256 of the file.
        sha256: String,
    },
    /// The sandbox's operator acts as somebody else.
    SwitchIdentity {
        /// The other name.
        to: String,
    },
    /// Withdraw access before its time.
    Revoke,

    /// Take the run.
    Drive {
        /// Process id.
        pid: u32,
        /// Host.
        host: String,
        /// Whether the old driver's lease was still alive.
        takeover: bool,
    },
    /// Give the run up.
    Leave {
        /// Why.
        reason: String,
    },
    /// Intend a mint.
    Mint {
        /// Its id (ULID).
        mint: String,
        /// For what.
        purpose: MintPurpose,
        /// `RoleSessionName`.
        session_name: String,
        /// SHA-256 of the filled session policy.
        policy_sha256: String,
    },
    /// STS answered.
    Minted {
        /// Its id.
        mint: String,
        /// Public id of the keys.
        access_key_id: String,
        /// When they expire.
        expires: Timestamp,
    },
    /// STS refused.
    MintFailed {
        /// Its id.
        mint: String,
        /// The refusal.
        error: ServiceFailure,
    },
    /// STS did not answer.
    MintUnknown {
        /// Its id.
        mint: String,
        /// What happened instead.
        reason: String,
    },
    /// Journal the whole request before the call.
    Intend {
        /// Its id (ULID).
        execution: String,
        /// Client request token.
        token: String,
        /// The statement with its marker, or the DynamoDB request as JSON.
        statement: String,
    },
    /// The service took it.
    Started {
        /// Which execution.
        execution: String,
        /// The service's id.
        query_id: String,
        /// Found by its marker instead of answered.
        adopted: bool,
    },
    /// It ended by itself.
    Finished {
        /// Which execution.
        execution: String,
        /// How.
        outcome: ExecutionOutcome,
        /// Bytes, or thousandths of a read unit.
        cost: Option<u64>,
        /// How long it took.
        elapsed_ms: u64,
        /// The service's failure.
        error: Option<ServiceFailure>,
    },
    /// It was stopped.
    Stopped {
        /// Which execution.
        execution: String,
        /// Why.
        reason: StopReason,
        /// Bytes, or thousandths of a read unit.
        cost: Option<u64>,
        /// How long it ran.
        elapsed_ms: u64,
    },
    /// Nobody can tell.
    Indeterminate {
        /// Which execution.
        execution: String,
        /// Why.
        reason: String,
    },
    /// Rows are in the spool.
    Fetched {
        /// Which execution.
        execution: String,
        /// How many.
        rows: u64,
        /// Bytes of cell text.
        bytes: u64,
        /// Whether there were more.
        truncated: bool,
        /// Column names.
        columns: Vec<String>,
        /// SHA-256 of the spool file.
        sha256: String,
    },
    /// `expect` and `capture` of the step at the cursor were evaluated.
    Evaluated {
        /// The step.
        step: String,
        /// Value of `expect`; `None` where it has none.
        expect: Option<bool>,
        /// Captured values, canonical JSON by name; an error ends the step by its `on_failure`.
        captures: Result<IndexMap<String, Value>, String>,
    },
    /// Keys are gone from this process.
    Dropped {
        /// Which mint.
        mint: String,
        /// Why.
        reason: String,
    },
    /// The clock was corrected by a service's time.
    ClockCorrected {
        /// Milliseconds that the service is ahead.
        skew_ms: i64,
        /// Which service.
        source: String,
    },
}

/// The command that says again what a noted act did; `None` for events that are not acts.
pub fn of_act(body: &EventBody) -> Option<Command> {
    Some(match body.clone() {
        EventBody::ExecutionStarted { execution, query_id, adopted, .. } => Command::Started { execution, query_id, adopted },
        EventBody::ExecutionFinished { execution, outcome, cost, elapsed_ms, error, .. } => {
            Command::Finished { execution, outcome, cost, elapsed_ms, error }
        }
        EventBody::ExecutionStopped { execution, reason, cost, elapsed_ms, .. } => {
            Command::Stopped { execution, reason, cost, elapsed_ms }
        }
        EventBody::KeysDropped { mint, reason, .. } => Command::Dropped { mint, reason },
        _ => return None,
    })
}

/// What the look before an execution found.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Low bound, bytes or thousandths of a read unit.
    pub low: Option<u64>,
    /// Expected.
    pub expected: Option<u64>,
    /// High bound.
    pub high: Option<u64>,
    /// What it rests on.
    pub evidence: String,
    /// The verdict of the statement as it would run now.
    pub verdict: String,
    /// Rules that warn, each to be accepted.
    pub warnings: Vec<String>,
    /// What differs from the approved plan.
    pub drift: Vec<DriftField>,
    /// How far the drift reaches; `None` without drift.
    pub voids: Option<Voids>,
}

/// Which exit code a refusal or failure belongs to (CONTRACTS §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 1: failed.
    Failed,
    /// 2: usage or invalid book.
    Usage,
    /// 3: access denied, lapsed or expired.
    Access,
    /// 4: blocked by a guardrail, or needs a human.
    Blocked,
    /// 75: temporary, try again.
    Temporary,
    /// 255: a bug.
    Bug,
}

/// A command that is not followed, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Its exit code.
    pub kind: Kind,
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
