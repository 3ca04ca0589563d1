//! Journal events: the single source of truth of a run, and its audit trail.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::plan::{Person, Plan};
use crate::core::units::Timestamp;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Actor {
    /// The name that groups use.
    pub name: String,
    /// Unix user id.
    pub uid: u32,
    /// GetCallerIdentity's ARN, where there is one.
    pub arn: Option<String>,
    /// Host name.
    pub host: String,
}

impl Actor {
    /// The person without the host.
    pub fn person(&self) -> Person {
        Person { name: self.name.clone(), uid: self.uid, arn: self.arn.clone() }
    }
}

/// One journal event, as stored, printed and verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Event {
    /// The run (ULID).
    pub run: String,
    /// Position in the run, from 1.
    pub seq: u64,
    /// When it was appended; for events that time causes, when they were due.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, as `kind` and `data`.
    #[serde(flatten)]
    pub body: EventBody,
    /// Hash of the event before; 64 zeros for the first.
    pub prev: String,
    /// SHA-256 over the RFC 8785 form of this object without `hash`.
    pub hash: String,
}

/// Why an execution was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Somebody asked.
    Asked,
    /// It read more than the approved ceiling.
    Ceiling,
    /// It would pass the run's budget.
    Budget,
    /// Access ends.
    Deadline,
    /// The approval was revoked.
    Revoked,
    /// The terminal went and nobody took over.
    Terminal,
    /// The workgroup's own cutoff.
    HardStop,
    /// Found running without a driver, past what was approved.
    Orphan,
}

/// What a mint is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MintPurpose {
    /// Executing this step.
    Step(String),
    /// Looking at facts before execution.
    Look,
    /// Stopping what runs without a driver.
    Janitor(String),
}

/// How an execution ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionOutcome {
    /// It succeeded.
    Succeeded,
    /// The service reported a failure.
    Failed,
    /// It was never sent: the service was not asked, or refused the request.
    NotSent,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Done as written.
    Done,
    /// Its execution, expectation or capture failed.
    Failed,
    /// Its execution was stopped.
    Stopped,
    /// The operator answered no.
    Declined,
}

/// Where the walk goes after a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// To this step.
    Step(String),
    /// To the end: the last step is done.
    End,
    /// The walk stops here because a step failed or was declined.
    Stop,
}

/// A service's failure as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServiceFailure {
    /// The service's error code, or ours for what never reached it.
    pub code: String,
    /// The service's words: untrusted.
    pub message: String,
}

/// What happened, as `kind` and `data` (CONTRACTS §3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", content = "data")]
#[allow(missing_docs, reason = "field names are the contract; the variants say what they mean")]
pub enum EventBody {
    /// The walk was frozen: runbook and book as they were.
    #[serde(rename = "run.created")]
    RunCreated {
        runbook: String,
        title: String,
        runbook_sha256: String,
        runbook_yaml: String,
        book: String,
        book_sha256: String,
        book_yaml: String,
        book_commit: Option<String>,
        book_dirty: bool,
        target: String,
        #[schemars(with = "std::collections::BTreeMap<String, Value>")]
        inputs: IndexMap<String, Value>,
        unenforced: bool,
    },
    /// Access was asked for, with the plan. `walk_from` is the step the new grant starts at.
    #[serde(rename = "request.sent")]
    RequestSent { request: String, digest: String, plan: Box<Plan>, reason: String, incident: Option<String>, walk_from: String },
    #[serde(rename = "request.escalated")]
    RequestEscalated { request: String, level: u32, to: Vec<String> },
    /// Nobody answered in time, or the approval was not used in time (`unused`).
    #[serde(rename = "request.lapsed")]
    RequestLapsed { request: String, unused: bool },
    #[serde(rename = "request.cancelled")]
    RequestCancelled { request: String },
    #[serde(rename = "request.approved")]
    RequestApproved { request: String, digest: String, by: Vec<String>, use_by: Timestamp },
    #[serde(rename = "request.denied")]
    RequestDenied { request: String, by: String },
    #[serde(rename = "vote.cast")]
    VoteCast { request: String, digest: String, approve: bool, comment: String },
    /// The grant's clock runs from here to `deadline`.
    #[serde(rename = "access.started")]
    AccessStarted { request: String, deadline: Timestamp },
    #[serde(rename = "mint.intended")]
    MintIntended { mint: String, request: String, purpose: MintPurpose, session_name: String, policy_sha256: String, epoch: u64 },
    /// STS answered. The key's id is public; the key is not here.
    #[serde(rename = "mint.issued")]
    MintIssued { mint: String, access_key_id: String, expires: Timestamp },
    #[serde(rename = "mint.failed")]
    MintFailed { mint: String, error: ServiceFailure },
    /// No answer: its keys were never ours.
    #[serde(rename = "mint.unknown")]
    MintUnknown { mint: String, reason: String },
    #[serde(rename = "step.entered")]
    StepEntered { step: String, visit: u32 },
    #[serde(rename = "step.skipped")]
    StepSkipped { step: String, reason: String, next: Next },
    #[serde(rename = "step.finished")]
    StepFinished { step: String, outcome: StepOutcome, reason: Option<String>, next: Next },
    #[serde(rename = "confirm.answered")]
    ConfirmAnswered { step: String, yes: bool },
    /// Values by the names of the step's `into`.
    #[serde(rename = "choice.made")]
    ChoiceMade {
        step: String,
        #[schemars(with = "std::collections::BTreeMap<String, Value>")]
        values: IndexMap<String, Value>,
    },
    #[serde(rename = "warning.accepted")]
    WarningAccepted { step: String, rules: Vec<String> },
    /// The whole request with its token, before the call.
    #[serde(rename = "execution.intended")]
    ExecutionIntended {
        execution: String,
        request: String,
        step: String,
        attempt: u32,
        epoch: u64,
        /// Client request token, for Athena.
        token: String,
        service: Service,
        /// The statement with its marker, or the DynamoDB request as JSON.
        statement: String,
        ceiling: u64,
        /// What the execution adds to the budget if its real cost never becomes known.
        reserved: u64,
    },
    #[serde(rename = "execution.started")]
    ExecutionStarted {
        execution: String,
        query_id: String,
        adopted: bool,
        /// When it was done, where the journal could not take it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Timestamp>,
    },
    /// `cost` is bytes, or thousandths of a read unit.
    #[serde(rename = "execution.finished")]
    ExecutionFinished {
        execution: String,
        outcome: ExecutionOutcome,
        cost: Option<u64>,
        elapsed_ms: u64,
        error: Option<ServiceFailure>,
        /// When it was done, where the journal could not take it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Timestamp>,
    },
    #[serde(rename = "execution.stopped")]
    ExecutionStopped {
        execution: String,
        reason: StopReason,
        cost: Option<u64>,
        elapsed_ms: u64,
        /// When it was done, where the journal could not take it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Timestamp>,
    },
    /// Sent or not, nobody can tell.
    #[serde(rename = "execution.indeterminate")]
    ExecutionIndeterminate { execution: String, reason: String },
    #[serde(rename = "rows.fetched")]
    RowsFetched { execution: String, rows: u64, bytes: u64, truncated: bool, columns: Vec<String>, sha256: String },
    /// Values by capture name, canonical JSON of their declared type.
    #[serde(rename = "capture.taken")]
    CaptureTaken {
        step: String,
        #[schemars(with = "std::collections::BTreeMap<String, Value>")]
        values: IndexMap<String, Value>,
    },
    /// The estimate made again before an execution.
    #[serde(rename = "estimate.made")]
    EstimateMade { step: String, low: Option<u64>, expected: Option<u64>, high: Option<u64>, evidence: String, verdict: String },
    /// What was approved and what is now differ; `voids` says whether only this step or the approval for the rest is void.
    #[serde(rename = "drift.found")]
    DriftFound { step: String, fields: Vec<DriftField>, voids: Voids },
    #[serde(rename = "fix.applied")]
    FixApplied { step: String, title: String, sql: String },
    #[serde(rename = "stop.asked")]
    StopAsked { execution: Option<String>, why: String },
    #[serde(rename = "keys.dropped")]
    KeysDropped {
        mint: String,
        reason: String,
        /// When it was done, where the journal could not take it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Timestamp>,
    },
    #[serde(rename = "note.added")]
    NoteAdded { text: String },
    #[serde(rename = "export.written")]
    ExportWritten { execution: String, format: String, file: String, rows: u64, sha256: String },
    #[serde(rename = "identity.switched")]
    IdentitySwitched { from: String, to: String },
    #[serde(rename = "driver.taken")]
    DriverTaken { epoch: u64, pid: u32, host: String, takeover: bool },
    #[serde(rename = "driver.left")]
    DriverLeft { epoch: u64, reason: String },
    #[serde(rename = "clock.corrected")]
    ClockCorrected { skew_ms: i64, source: String },
    #[serde(rename = "access.ended")]
    AccessEnded { request: String, reason: String },
    #[serde(rename = "access.revoked")]
    AccessRevoked { request: String, by: String },
    #[serde(rename = "run.closed")]
    RunClosed { reason: String },
    #[serde(rename = "run.cancelled")]
    RunCancelled { reason: String },
}

impl EventBody {
    /// The same event of an act that was done at `when`, before the journal could take it. Only what may be done without the
    /// journal (a query started, ended or stopped, keys dropped) keeps the time.
    #[must_use]
    pub fn happened(mut self, when: Timestamp) -> Self {
        match &mut self {
            Self::ExecutionStarted { happened_at, .. }
            | Self::ExecutionFinished { happened_at, .. }
            | Self::ExecutionStopped { happened_at, .. }
            | Self::KeysDropped { happened_at, .. } => *happened_at = Some(when),
            _ => {}
        }
        self
    }

    /// Whether this says what was done in the world, and so is noted where the journal cannot take it.
    pub fn is_act(&self) -> bool {
        matches!(
            self,
            Self::ExecutionStarted { .. }
                | Self::ExecutionFinished { .. }
                | Self::ExecutionStopped { .. }
                | Self::KeysDropped { .. }
        )
    }

    /// The kind as written in the journal.
    pub fn kind(&self) -> String {
        // serde owns the names; asking it keeps one list instead of two.
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }
}

/// Which service executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Athena; costs are bytes.
    Athena,
    /// DynamoDB; costs are thousandths of a read unit.
    Dynamodb,
}

/// One field that differs from the approved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DriftField {
    /// Path in the plan, for example `steps.errors.workgroup`.
    pub field: String,
    /// As approved.
    pub approved: String,
    /// As found now.
    pub now: String,
}

/// How far a drift reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Voids {
    /// This step only: its cost rose above the ceiling.
    Step,
    /// The approval for everything that is left.
    Approval,
}
