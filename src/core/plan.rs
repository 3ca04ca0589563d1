//! The plan: exactly what will run. Votes bind to its digest; the executor takes the stored plan and never renders again.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::core::estimate::{Bounds, Evidence};
use crate::core::guard::{Finding, Judgement, OutputColumn, TableRead, Verdict};
use crate::core::runbook::ParamType;

pub mod build;
pub mod drift;
pub mod fill;
pub mod schema;

/// The first line of what is hashed; it names the format and its version.
const DOMAIN: &str = "tollgate-plan-v1\n";

/// Version of the guard's rules; a plan judged by another version is judged again before it runs.
pub const GUARD_VERSION: u32 = 1;

/// SHA-256 of a plan's canonical form, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct PlanDigest(pub String);

impl PlanDigest {
    /// The first twelve digits in groups of four, as screens show it.
    pub fn short(&self) -> String {
        let head: Vec<char> = self.0.chars().take(12).collect();
        head.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// Whether `given` (hex, spaces ignored, any case) is the beginning of this digest, at least `least` digits long.
    pub fn begins_with(&self, given: &str, least: usize) -> bool {
        let given: String = given.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        given.len() >= least && self.0.starts_with(&given)
    }
}

/// A plan that cannot be canonicalised or read.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The plan holds something that RFC 8785 cannot write.
    #[error("the plan cannot be written in canonical form")]
    Canonical(#[source] serde_json::Error),
    /// Stored plan bytes that are not a plan of this version.
    #[error("the stored plan cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

/// Exactly what will run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The request this plan belongs to (ULID).
    pub request: String,
    /// The run (ULID); it also names the output prefix and the marker.
    pub run: String,
    /// Which runbook, by content.
    pub runbook: RunbookRef,
    /// Which book, by content and commit.
    pub book: BookRef,
    /// Where it runs.
    pub target: PlanTarget,
    /// Every step of the walk, in order.
    pub steps: Vec<PlanStep>,
    /// Inputs, canonical, in the runbook's order.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub inputs: IndexMap<String, String>,
    /// The run's budget: Σ ceiling × executions.
    pub budget: Budget,
    /// Findings about the plan as a whole: `run-budget`, `no-reviewer`.
    pub findings: Vec<Finding>,
    /// Who may approve.
    pub approval: ApprovalRule,
    /// Who asks.
    pub requester: Person,
    /// SHA-256 of the reason's bytes.
    pub reason_sha256: String,
    /// The incident named, if any.
    pub incident: Option<String>,
    /// How long access lasts once started, in milliseconds.
    pub duration_ms: u64,
    /// How long the approval waits to be used, in milliseconds.
    pub use_within_ms: u64,
    /// What happens to a running query when the terminal goes.
    pub on_disconnect: OnDisconnect,
    /// Version of the guard that judged.
    pub guard_version: u32,
    /// SHA-256 of the catalog facts that the estimates rest on. Facts may change without voiding an approval.
    pub facts_sha256: String,
}

/// A runbook by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunbookRef {
    /// Its id.
    pub id: String,
    /// Its title, untrusted prose.
    pub title: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// A book by content and commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BookRef {
    /// Its name.
    pub name: String,
    /// SHA-256 of `tollgate.yaml`.
    pub sha256: String,
    /// Commit id, `None` for `unversioned`.
    pub commit: Option<String>,
    /// Whether the work tree differed from that commit.
    pub dirty: bool,
}

impl BookRef {
    /// `4d1e0aa, clean`, `4d1e0aa, dirty` or `unversioned`.
    pub fn version(&self) -> String {
        match &self.commit {
            Some(commit) => {
                let short: String = commit.chars().take(7).collect();
                format!("{short}, {}", if self.dirty { "dirty" } else { "clean" })
            }
            None => "unversioned".to_owned(),
        }
    }
}

/// Where the service endpoints are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// AWS's own, by region.
    Aws,
    /// The embedded sandbox.
    Sandbox,
    /// Another URL: from the book, the command line or the environment.
    Url(String),
}

/// Where a plan runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanTarget {
    /// Its name in the book.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// AWS region.
    pub region: String,
    /// The role that mints assume.
    pub role: String,
    /// External id given with AssumeRole.
    pub external_id: Option<String>,
    /// The endpoint that the executor uses; it takes it from here alone.
    pub endpoint: Endpoint,
    /// Whether mints set the source identity to the operator's name.
    pub source_identity: SourceIdentity,
}

/// How a mint names its source identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceIdentity {
    /// The operator's name.
    Name,
    /// Whatever the caller already has; a caller that has one cannot set another.
    Inherit,
}

/// What happens to a running query when the terminal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDisconnect {
    /// It is stopped.
    Stop,
    /// It is left running until its ceiling, the deadline or the next driver.
    Keep,
}

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// Its id.
    pub id: String,
    /// Its title, untrusted prose.
    pub title: String,
    /// Its `when`, if it is conditional.
    pub when: Option<String>,
    /// What it does.
    pub action: PlanAction,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlanAction {
    /// Prose only.
    Note,
    /// A question to the operator.
    Confirm,
    /// A choice by the operator.
    Choose,
    /// A statement for Athena.
    Athena(Box<AthenaPlan>),
    /// A read of DynamoDB.
    Dynamodb(Box<DynamodbPlan>),
}

/// A statement for Athena, as it will be sent except for the marker's attempt number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AthenaPlan {
    /// The canonical statement; for an open step the template with its `:name` holes still in it.
    pub sql: String,
    /// The typed holes, by parameter name; empty for a closed step.
    #[schemars(with = "std::collections::BTreeMap<String, Hole>")]
    pub holes: IndexMap<String, Hole>,
    /// Data catalog.
    pub catalog: String,
    /// Database.
    pub database: String,
    /// Workgroup with its cutoff.
    pub workgroup: String,
    /// The workgroup's `BytesScannedCutoffPerQuery`: the hard stop, in bytes.
    pub hard_stop: u64,
    /// Where results go: `<output>/<run>/`.
    pub output: String,
    /// Where we stop it, in bytes.
    pub ceiling: u64,
    /// `max_scan` in force, in bytes, for the gauge.
    pub max_scan: u64,
    /// How often this step may run.
    pub max_executions: u32,
    /// What the guard said.
    pub verdict: Verdict,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// What it reads.
    pub reads: Vec<TableRead>,
    /// What comes out.
    pub output_columns: Vec<OutputColumn>,
    /// Bytes; `None` when unknown.
    pub estimate: Option<Bounds>,
    /// What the estimate rests on.
    pub evidence: Evidence,
    /// Why, in words.
    pub estimate_why: String,
    /// Age of the facts in seconds.
    pub facts_age_s: Option<u64>,
    /// Millionths of the currency; `None` when no price is known.
    pub cost: Option<Bounds>,
    /// ISO 4217 code of `cost`.
    pub currency: Option<String>,
    /// The session policy's template; its holes are the two instants.
    pub policy: String,
    /// Whether the service is asked for its own plan before it starts, and what that reads is compared with `reads`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_plan: bool,
}

/// A read of DynamoDB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DynamodbPlan {
    /// `GetItem` or `Query` with its arguments.
    pub request: DynamodbRequest,
    /// The typed holes, by parameter name.
    #[schemars(with = "std::collections::BTreeMap<String, Hole>")]
    pub holes: IndexMap<String, Hole>,
    /// Where we stop it, in thousandths of a read unit.
    pub ceiling: u64,
    /// How often this step may run.
    pub max_executions: u32,
    /// What the guard said.
    pub verdict: Verdict,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// In words: "Query on orders by pk, 1 page expected".
    pub access_path: String,
    /// Thousandths of a read unit; `None` when unknown.
    pub estimate: Option<Bounds>,
    /// Why, in words.
    pub estimate_why: String,
    /// Millionths of the currency; `None` when no price is known.
    pub cost: Option<Bounds>,
    /// ISO 4217 code of `cost`.
    pub currency: Option<String>,
    /// The session policy's template; its holes are the two instants and the step's.
    pub policy: String,
}

/// A DynamoDB read; its values may be open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DynamodbRequest {
    /// `get` or `query`.
    pub operation: DynamodbOperation,
    /// Table name.
    pub table: String,
    /// Index name, for a query.
    pub index: Option<String>,
    /// Key attributes: for `get` all of them, for `query` the partition key.
    #[schemars(with = "std::collections::BTreeMap<String, DynamodbValue>")]
    pub key: IndexMap<String, DynamodbValue>,
    /// Sort key condition, for a query.
    pub sort: Option<SortCondition>,
    /// Filter expression as written, for a query.
    pub filter: Option<FilterPlan>,
    /// Attributes returned; empty is never allowed where attributes are blocked.
    pub project: Vec<String>,
    /// At most this many items.
    pub limit: Option<u32>,
    /// Largest sort key first.
    #[serde(default)]
    pub descending: bool,
    /// Strongly consistent read.
    pub consistent: bool,
}

/// A filter with its names and values taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterPlan {
    /// Expression with `#n` and `:v` only.
    pub expression: String,
    /// Names by placeholder.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub names: IndexMap<String, String>,
    /// Values by placeholder.
    #[schemars(with = "std::collections::BTreeMap<String, DynamodbValue>")]
    pub values: IndexMap<String, DynamodbValue>,
}

/// Which read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DynamodbOperation {
    /// GetItem.
    Get,
    /// Query.
    Query,
}

/// A sort key condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortCondition {
    /// The sort key's name.
    pub name: String,
    /// One of `eq lt le gt ge between begins_with`.
    pub operator: String,
    /// One value, or two for `between`.
    pub values: Vec<DynamodbValue>,
}

/// A scalar key or filter value as DynamoDB types it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum DynamodbValue {
    /// A string with typed holes in it; closed before it is sent.
    #[serde(rename = "open")]
    Open(Vec<Part>),
    /// The value of one parameter, in its own type; closed before it is sent.
    #[serde(rename = "hole")]
    Hole(String),
    /// String.
    S(String),
    /// Number, as text.
    N(String),
    /// Boolean.
    #[serde(rename = "BOOL")]
    Bool(bool),
}

/// A piece of a string with holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// As it is.
    Text(String),
    /// The value of the parameter with this name.
    Hole(String),
}

/// A parameter whose value an earlier step gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hole {
    /// The step that fills it.
    pub filled_by: String,
    /// Its type.
    pub kind: ParamType,
}

/// The run's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Bytes.
    pub bytes: u64,
    /// Thousandths of a read unit.
    pub read_units: u64,
}

/// Who may approve, resolved to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// How many distinct people.
    pub need: u32,
    /// Groups named.
    pub from: Vec<String>,
    /// Their members, without the requester.
    pub reviewers: Vec<String>,
    /// Escalation: after so many milliseconds these groups may vote as well.
    pub escalation: Vec<Escalation>,
    /// When an unanswered request lapses, in milliseconds after it was sent.
    pub lapse_ms: u64,
}

/// One level of escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Milliseconds after the request was sent.
    pub after_ms: u64,
    /// Groups that may vote from then on.
    pub to: Vec<String>,
    /// Their members, without the requester.
    pub reviewers: Vec<String>,
}

/// A person as identified here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name that groups use.
    pub name: String,
    /// Unix user id.
    pub uid: u32,
    /// GetCallerIdentity's ARN, where there is one.
    pub arn: Option<String>,
}

impl DynamodbRequest {
    /// Whether a value still has a hole in it: such a request is never sent.
    pub fn is_open(&self) -> bool {
        let sort = self.sort.iter().flat_map(|sort| &sort.values);
        let filter = self.filter.iter().flat_map(|filter| filter.values.values());
        let mut values = self.key.values().chain(sort).chain(filter);
        values.any(|value| matches!(value, DynamodbValue::Open(_) | DynamodbValue::Hole(_)))
    }
}

impl Plan {
    /// RFC 8785 canonical JSON.
    pub fn canonical(&self) -> Result<String, PlanError> {
        serde_json_canonicalizer::to_string(self).map_err(PlanError::Canonical)
    }

    /// SHA-256 over `tollgate-plan-v1\n` and the canonical JSON.
    pub fn digest(&self) -> Result<PlanDigest, PlanError> {
        Ok(digest_of(&self.canonical()?))
    }

    /// Reads stored plan bytes.
    pub fn from_canonical(text: &str) -> Result<Self, PlanError> {
        serde_json::from_str(text).map_err(PlanError::Unreadable)
    }

    /// The strictest verdict of all steps.
    pub fn verdict(&self) -> Verdict {
        let steps = self.steps.iter().filter_map(PlanStep::verdict).max().unwrap_or(Verdict::Allow);
        steps.max(Judgement::verdict_of(&self.findings))
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&PlanStep> {
        self.steps.iter().find(|step| step.id == id)
    }
}

impl PlanStep {
    /// The guard's verdict; `None` for steps that execute nothing.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.action {
            PlanAction::Athena(plan) => Some(plan.verdict),
            PlanAction::Dynamodb(plan) => Some(plan.verdict),
            PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => None,
        }
    }

    /// How often it may run; 0 for steps that execute nothing.
    pub fn max_executions(&self) -> u32 {
        match &self.action {
            PlanAction::Athena(plan) => plan.max_executions,
            PlanAction::Dynamodb(plan) => plan.max_executions,
            PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => 0,
        }
    }

    /// The guard's findings.
    pub fn findings(&self) -> &[Finding] {
        match &self.action {
            PlanAction::Athena(plan) => &plan.findings,
            PlanAction::Dynamodb(plan) => &plan.findings,
            PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => &[],
        }
    }
}

/// The digest of canonical plan bytes.
pub fn digest_of(canonical: &str) -> PlanDigest {
    let mut hash = Sha256::new();
    hash.update(DOMAIN.as_bytes());
    hash.update(canonical.as_bytes());
    PlanDigest(hex::encode(hash.finalize()))
}
