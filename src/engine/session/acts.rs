//! Acts: doing one effect. Each runs as its own task and reports back; what must be durable is journaled before the task begins.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::{Done, Session};
use crate::core::plan::fill::{FillError, value_for};
use crate::core::plan::{AthenaPlan, DynamodbPlan, DynamodbRequest, DynamodbValue, Part, PlanAction, PlanTarget, SourceIdentity};
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::event::{ExecutionOutcome, MintPurpose, Service, ServiceFailure, StopReason};
use crate::core::run::state::Execution;
use crate::core::run::{Command, Effect, walk};
use crate::core::runbook::ParamValue;
use crate::core::session_policy;

use crate::core::units::Millis;
use crate::engine::evaluating;
use crate::engine::looking::service_refusal;
use crate::engine::ports::{FetchLimits, Keys, MintRequest, QueryPhase, QueryStatus, Rows, ServiceError, StartQuery};

/// The least that STS gives (AssumeRole, `DurationSeconds`).
const MINT_SECONDS: u32 = 900;
/// A clock this far from the services' mints nothing (DESIGN §4.12).
const SKEW_LIMIT_MS: i64 = 30_000;
/// A clock this near to the services' agrees with them (DESIGN §4.12).
const AGREED_MS: i64 = 2_000;
/// A clock this far behind the run's newest event mints nothing (DESIGN §4.12).
const BEHIND_LIMIT: Millis = Millis::from_secs(2);
/// Waits before a poll: short while a query is young, then longer, so that a long one costs few calls.
const POLLS_MS: [u64; 6] = [200, 300, 500, 700, 1000, 1500];

impl Session {
    /// Begins an effect.
    pub(super) fn begin(&mut self, id: String, effect: Effect) {
        match effect {
            Effect::Mint(purpose) => self.mint(id, purpose),
            Effect::Intend(step) => self.intend(&step),
            Effect::Start(execution) => self.start(id, &execution),
            Effect::Recover(execution) => self.recover(id, &execution),
            Effect::Poll(execution) => self.poll(id, &execution),
            Effect::Stop(execution, reason) => self.stop(id, &execution, reason),
            Effect::Fetch(execution) => self.fetch(id, &execution),
            Effect::Evaluate(step) => self.evaluate(&step),
            Effect::DropKeys(mint, reason) => {
                self.keys.remove(&mint);
                self.held.keys.remove(&mint);
                self.record(Command::Dropped { mint, reason: reason.to_owned() });
            }
        }
    }

    fn spawn(&mut self, id: String, task: impl Future<Output = Done> + Send + 'static) {
        self.in_flight.insert(id.clone());
        let done = self.done_tx.clone();
        tokio::spawn(async move {
            let outcome = task.await;
            // The session may have ended; then nobody is owed the answer.
            let _ = done.send((id, outcome));
        });
    }

    /// Waits before the same effect is looked at again, without losing the wish to do it.
    fn pause(&mut self, id: String, why: Refusal, wait: Duration) {
        self.spawn(id, async move {
            tokio::time::sleep(wait).await;
            Done::Later { why }
        });
    }

    fn mint(&mut self, id: String, purpose: MintPurpose) {
        if let Some(refusal) = self.clock_refusal() {
            if self.ports.clock.skew_ms().is_none() {
                self.ask_the_time(id, &purpose);
                return;
            }
            self.held.pending = None;
            self.pause(id, refusal, Duration::from_secs(10));
            return;
        }
        // What was refused once is refused again: only the operator's next try, or the janitor's patience, asks anew.
        if self.mint_failed(&purpose) && self.held.pending.is_none() {
            let why = Refusal::new(Kind::Access, "keys were refused; the run cannot go on with what it started");
            self.pause(id, why, Duration::from_secs(15));
            return;
        }
        let (policy, target) = match self.policy(&purpose) {
            Ok(found) => found,
            Err(refusal) => {
                self.held.pending = None;
                self.notice(refusal);
                return;
            }
        };
        let mint = Ulid::generate().to_string();
        let session_name = self.session_name();
        let intended = Command::Mint {
            mint: mint.clone(),
            purpose: purpose.clone(),
            session_name: session_name.clone(),
            policy_sha256: walk::sha256_hex(policy.as_bytes()),
        };
        if let Err(refusal) = self.follow(&intended) {
            self.held.pending = None;
            self.pause(id, refusal, Duration::from_secs(2));
            return;
        }
        self.busy(Some("getting keys"));
        let request = MintRequest {
            session_name,
            source_identity: (target.source_identity == SourceIdentity::Name).then(|| self.me.name.clone()),
            tags: vec![("tollgate-run".to_owned(), self.state.id.clone())],
            policy,
            seconds: MINT_SECONDS,
        };
        let ports = self.ports.clone();
        self.spawn(id, async move {
            match ports.tokens.assume(&target, &request).await {
                Ok(keys) => Done::Minted { mint, purpose, keys },
                Err(ServiceError::Refused(error)) => Done::Commands(vec![Command::MintFailed { mint, error }]),
                Err(ServiceError::NoCredentials { message, hint }) => {
                    let error = ServiceFailure { code: "NoCredentials".to_owned(), message: format!("{message}; {hint}") };
                    Done::Commands(vec![Command::MintFailed { mint, error }])
                }
                Err(ServiceError::NoAnswer(reason) | ServiceError::Temporary(reason)) => {
                    Done::Commands(vec![Command::MintUnknown { mint, reason }])
                }
            }
        });
    }

    /// No service has told its time yet: any answer brings it.
    fn ask_the_time(&mut self, id: String, purpose: &MintPurpose) {
        let request = match purpose {
            MintPurpose::Janitor(execution) => {
                self.state.execution(execution).and_then(|execution| self.state.request_by_id(&execution.request))
            }
            _ => self.state.active().map(|(request, _)| request),
        };
        let Some(target) = request.map(|request| request.plan.target.clone()) else { return };
        let ports = self.ports.clone();
        self.spawn(id, async move {
            let answer = ports.tokens.identity(&target).await;
            let why = match answer {
                Ok(_) => Refusal::new(Kind::Temporary, "this machine's clock was compared with the service's"),
                Err(error) => {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    service_refusal(error)
                }
            };
            Done::Later { why }
        });
    }

    /// Why this clock may not mint now.
    pub(super) fn clock_refusal(&self) -> Option<Refusal> {
        if let Some(skew) = self.ports.clock.skew_ms()
            && skew.abs() > SKEW_LIMIT_MS
        {
            let seconds = skew / 1000;
            return Some(
                Refusal::new(
                    Kind::Failed,
                    format!("this machine's clock is {seconds} s from the services' time: no keys are asked for"),
                )
                .hint("set the clock (NTP); deadlines would be wrong by as much"),
            );
        }
        let now = self.now();
        // A service that agrees with this clock says that it was the other one which ran ahead.
        let agreed = self.ports.clock.skew_ms().is_some_and(|skew| skew.abs() <= AGREED_MS);
        if !agreed && self.state.newest_at > now.plus(BEHIND_LIMIT) {
            let behind = self.state.newest_at.since(now);
            return Some(
                Refusal::new(
                    Kind::Failed,
                    format!("this machine's clock is {behind} behind the run's newest event: no keys are asked for"),
                )
                .hint("set the clock (NTP)"),
            );
        }
        None
    }

    fn policy(&self, purpose: &MintPurpose) -> Result<(String, PlanTarget), Refusal> {
        let bug = || Refusal::new(Kind::Bug, "a mint without a plan");
        match purpose {
            MintPurpose::Step(step) => {
                let (request, deadline) =
                    self.state.active().ok_or_else(|| Refusal::new(Kind::Access, "there is no access now"))?;
                let template = match &request.plan.step(step).ok_or_else(bug)?.action {
                    PlanAction::Athena(plan) => &plan.policy,
                    PlanAction::Dynamodb(plan) => &plan.policy,
                    _ => return Err(bug()),
                };
                let values = texts(self);
                let policy = session_policy::fill(template, deadline, &values)
                    .map_err(|error| Refusal::new(Kind::Failed, format!("step {step}: {error}")))?;
                Ok((policy, request.plan.target.clone()))
            }
            MintPurpose::Janitor(execution) => {
                let execution = self.state.execution(execution).ok_or_else(bug)?;
                let request = self.state.request_by_id(&execution.request).ok_or_else(bug)?;
                let target = request.plan.target.clone();
                let workgroup = match request.plan.step(&execution.step).map(|step| &step.action) {
                    Some(PlanAction::Athena(plan)) => plan.workgroup.clone(),
                    _ => return Err(bug()),
                };
                Ok((session_policy::janitor(&target.region, &target.account, &workgroup), target))
            }
            MintPurpose::Look => Err(bug()),
        }
    }

    /// `tg-<name>-<end of the run's id>`: what CloudTrail shows (STS allows `[\w+=,.@-]{2,64}`).
    fn session_name(&self) -> String {
        let name: String = self
            .me
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "+=,.@_-".contains(c) { c } else { '-' })
            .take(40)
            .collect();
        let tail: String = self.state.id.chars().skip(self.state.id.chars().count().saturating_sub(8)).collect();
        format!("tg-{name}-{tail}")
    }

    /// Journals the whole request; the next turn starts it.
    fn intend(&mut self, step: &str) {
        let execution = Ulid::generate().to_string();
        // 26 characters each, 160 random bits: nobody guesses another's token (StartQueryExecution wants 32 to 128).
        let token = format!("{}{}", Ulid::generate(), Ulid::generate());
        let made = self.statement(step);
        self.held.pending = None;
        self.held.progress = None;
        self.polls = 0;
        match made.and_then(|statement| self.follow(&Command::Intend { execution, token, statement })) {
            Ok(()) => self.busy(Some("starting")),
            Err(refusal) => {
                self.busy(None);
                self.notice(refusal);
            }
        }
    }

    /// The stored statement with its holes filled, and the marker.
    pub(super) fn statement(&self, step: &str) -> Result<String, Refusal> {
        let (request, _) = self.state.active().ok_or_else(|| Refusal::new(Kind::Access, "there is no access now"))?;
        let planned = request.plan.step(step).ok_or_else(|| Refusal::new(Kind::Bug, format!("step {step} is not planned")))?;
        let runbook = &self.state.walk.as_ref().ok_or_else(|| Refusal::new(Kind::Bug, "a run without its walk"))?.runbook;
        let values = crate::core::plan::build::typed(runbook, &self.values());
        match &planned.action {
            PlanAction::Athena(plan) => {
                let attempt = self.state.executions.iter().filter(|e| e.step == step).count() + 1;
                let sql = plan.filled(&values).map_err(|error| unfilled(&error))?;
                Ok(format!("{sql}\n-- tollgate {}/{step}/{attempt}", self.state.id))
            }
            PlanAction::Dynamodb(plan) => {
                let request = closed(plan, &values)?;
                serde_json::to_string(&request).map_err(|error| Refusal::new(Kind::Bug, error.to_string()))
            }
            _ => Err(Refusal::new(Kind::Bug, format!("step {step} executes nothing"))),
        }
    }

    fn execution(&self, id: &str) -> Option<(Execution, PlanTarget, Option<AthenaPlan>)> {
        let execution = self.state.execution(id)?.clone();
        let request = self.state.request_by_id(&execution.request)?;
        let plan = match &request.plan.step(&execution.step)?.action {
            PlanAction::Athena(plan) => Some((**plan).clone()),
            _ => None,
        };
        Some((execution, request.plan.target.clone(), plan))
    }

    /// Keys of the step or of the janitor for this execution.
    fn keys_of(&self, execution: &Execution) -> Option<Keys> {
        self.keys_for(|purpose| match purpose {
            MintPurpose::Step(step) => *step == execution.step,
            MintPurpose::Janitor(id) => *id == execution.id,
            MintPurpose::Look => false,
        })
        .cloned()
    }

    fn start(&mut self, id: String, execution_id: &str) {
        let Some((execution, target, plan)) = self.execution(execution_id) else { return };
        let Some(keys) = self.keys_of(&execution) else { return };
        let ports = self.ports.clone();
        if execution.service == Service::Dynamodb {
            self.busy(Some("reading"));
            self.spawn(id, read_items(ports, execution, target, keys));
            return;
        }
        let Some(plan) = plan else { return };
        self.spawn(id, async move {
            let query = StartQuery {
                statement: execution.statement.clone(),
                token: execution.token.clone(),
                catalog: plan.catalog.clone(),
                database: plan.database.clone(),
                workgroup: plan.workgroup.clone(),
                output: plan.output.clone(),
            };
            let checked = match plan.service_plan {
                true => super::service_plan::check(&ports, &target, &keys, &plan, &execution).await,
                false => Ok(()),
            };
            let started = match checked {
                Ok(()) => ports.warehouse.start(&target, &keys, &query).await,
                // Nothing was started: it may be asked again.
                Err(ServiceError::NoAnswer(what)) => Err(ServiceError::Temporary(what)),
                Err(error) => Err(error),
            };
            match started {
                Ok(query_id) => Done::Commands(vec![Command::Started { execution: execution.id, query_id, adopted: false }]),
                Err(ServiceError::Refused(error)) => Done::Commands(vec![not_sent(execution.id, error)]),
                Err(ServiceError::NoCredentials { message, .. }) => {
                    let error = ServiceFailure { code: "NoCredentials".to_owned(), message };
                    Done::Commands(vec![not_sent(execution.id, error)])
                }
                // The same request with the same token goes out again; it can only ever be one execution.
                Err(ServiceError::NoAnswer(what) | ServiceError::Temporary(what)) => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Done::Later { why: Refusal::new(Kind::Temporary, format!("the start was not answered: {what}")) }
                }
            }
        });
    }

    fn recover(&mut self, id: String, execution_id: &str) {
        let Some((execution, target, plan)) = self.execution(execution_id) else { return };
        if execution.service == Service::Dynamodb {
            let reason = "the read was under way when its process ended; whether it was charged is not known".to_owned();
            self.record(Command::Indeterminate { execution: execution.id, reason });
            return;
        }
        let (Some(plan), Some(keys)) = (plan, self.keys_of(&execution)) else { return };
        let marker = format!("-- tollgate {}/{}/{}", self.state.id, execution.step, execution.attempt);
        let ports = self.ports.clone();
        self.busy(Some("looking for a query that may have been started"));
        self.spawn(id, async move {
            let since = execution.intended_at.minus(Millis::from_mins(5));
            match ports.warehouse.find(&target, &keys, &plan.workgroup, &marker, since).await {
                Ok(Some(status)) => {
                    Done::Commands(vec![Command::Started { execution: execution.id, query_id: status.query_id, adopted: true }])
                }
                Ok(None) => Done::Commands(vec![Command::Indeterminate {
                    execution: execution.id,
                    reason: "its start was never acknowledged, and the workgroup does not list it".to_owned(),
                }]),
                Err(error) => {
                    tokio::time::sleep(Duration::from_secs(3)).await;
                    Done::Later { why: service_refusal(error) }
                }
            }
        });
    }

    fn poll(&mut self, id: String, execution_id: &str) {
        let Some((execution, target, _)) = self.execution(execution_id) else { return };
        let (Some(keys), Some(query_id)) = (self.keys_of(&execution), execution.query_id.clone()) else { return };
        let wait = POLLS_MS.get(self.polls as usize).copied().unwrap_or(2000);
        self.polls += 1;
        let (ports, cancel) = (self.ports.clone(), self.cancel.clone());
        let started = execution.started_at.unwrap_or(execution.intended_at);
        let clock = self.ports.clock.clone();
        self.spawn(id, async move {
            if sleep_or(&cancel, wait).await {
                return Done::Commands(Vec::new());
            }
            match ports.warehouse.status(&target, &keys, &query_id).await {
                Ok(status) => ended(&execution, &status, clock.now().since(started), None),
                Err(error) => Done::Later { why: service_refusal(error) },
            }
        });
    }

    fn stop(&mut self, id: String, execution_id: &str, reason: StopReason) {
        let Some((execution, target, _)) = self.execution(execution_id) else { return };
        // The journal may not have taken the start: then only this process knows the service's id.
        let known = self.held.started.as_ref().filter(|(id, _)| *id == execution.id).map(|(_, query_id)| query_id.clone());
        let (Some(keys), Some(query_id)) = (self.keys_of(&execution), execution.query_id.clone().or(known)) else { return };
        let ports = self.ports.clone();
        let started = execution.started_at.unwrap_or(execution.intended_at);
        let clock = self.ports.clock.clone();
        self.busy(Some("stopping"));
        self.spawn(id, async move {
            if let Err(error) = ports.warehouse.stop(&target, &keys, &query_id).await {
                // A query that has just ended cannot be stopped; its status says so.
                if !matches!(error, ServiceError::Refused(_)) {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    return Done::Later { why: service_refusal(error) };
                }
            }
            for wait in [50, 100, 200, 400, 800, 1600] {
                match ports.warehouse.status(&target, &keys, &query_id).await {
                    Ok(status) if matches!(status.phase, QueryPhase::Queued | QueryPhase::Running) => {
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                    Ok(status) => return ended(&execution, &status, clock.now().since(started), Some(reason)),
                    Err(error) => return Done::Later { why: service_refusal(error) },
                }
            }
            Done::Later { why: Refusal::new(Kind::Temporary, "the query was told to stop and still runs; it is told again") }
        });
    }

    fn fetch(&mut self, id: String, execution_id: &str) {
        let Some((execution, target, _)) = self.execution(execution_id) else { return };
        if execution.service == Service::Dynamodb {
            // Items come with the read itself; a process that died in between lost them.
            self.held.rows_lost.push(execution.id);
            return;
        }
        let (Some(keys), Some(query_id)) = (self.keys_of(&execution), execution.query_id.clone()) else { return };
        let ports = self.ports.clone();
        let run = self.state.id.clone();
        self.busy(Some("fetching rows"));
        self.spawn(id, async move {
            match ports.warehouse.rows(&target, &keys, &query_id, FetchLimits::default()).await {
                Ok(rows) => spooled(&ports, &run, execution.id, rows),
                Err(ServiceError::Temporary(what)) => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Done::Later { why: Refusal::new(Kind::Temporary, what) }
                }
                Err(error) => {
                    let why = service_refusal(error);
                    let why = Refusal { message: format!("the rows could not be fetched: {}", why.message), ..why };
                    Done::RowsLost { execution: execution.id, why }
                }
            }
        });
    }

    fn evaluate(&mut self, step: &str) {
        let Some(execution) = self.state.current_execution_of(step).cloned() else { return };
        let rows = self.rows_of(&execution.id);
        let outcome = evaluating::after(&self.state, step, rows.as_deref());
        let (expect, captures) = match outcome {
            Ok((expect, captures)) => (expect, Ok(captures)),
            Err(reason) => (None, Err(reason)),
        };
        self.record(Command::Evaluated { step: step.to_owned(), expect, captures });
    }

    /// Rows of an execution: held, or read back from the spool.
    pub(super) fn rows_of(&mut self, execution: &str) -> Option<Arc<Rows>> {
        if let Some(rows) = self.rows.get(execution) {
            return Some(rows.clone());
        }
        match self.ports.spool.read(&self.state.id, execution) {
            Ok(Some(rows)) => {
                let rows = Arc::new(rows);
                self.rows.insert(execution.to_owned(), rows.clone());
                Some(rows)
            }
            Ok(None) => None,
            Err(error) => {
                self.notice(Refusal::new(Kind::Failed, error.to_string()));
                None
            }
        }
    }
}

async fn sleep_or(cancel: &CancellationToken, millis: u64) -> bool {
    tokio::select! {
        () = cancel.cancelled() => true,
        () = tokio::time::sleep(Duration::from_millis(millis)) => false,
    }
}

fn not_sent(execution: String, error: ServiceFailure) -> Command {
    Command::Finished { execution, outcome: ExecutionOutcome::NotSent, cost: Some(0), elapsed_ms: 0, error: Some(error) }
}

/// What a status means for an execution; `asked` is why it was told to stop, if it was.
fn ended(execution: &Execution, status: &QueryStatus, elapsed: Millis, asked: Option<StopReason>) -> Done {
    let id = execution.id.clone();
    let elapsed_ms = status.elapsed_ms.unwrap_or(elapsed.0);
    let cost = status.bytes;
    let failure = status.failure.clone();
    let command = match status.phase {
        QueryPhase::Queued | QueryPhase::Running => {
            let phase = if status.phase == QueryPhase::Queued { "queued" } else { "running" };
            return Done::Progress { execution: id, phase: phase.to_owned(), bytes: status.bytes };
        }
        QueryPhase::Succeeded => {
            Command::Finished { execution: id, outcome: ExecutionOutcome::Succeeded, cost, elapsed_ms, error: None }
        }
        QueryPhase::Failed | QueryPhase::Cancelled => {
            let cutoff = failure.as_ref().is_some_and(|f| f.message.contains("Bytes scanned limit was exceeded"));
            match (status.phase, asked) {
                _ if cutoff => Command::Stopped { execution: id, reason: StopReason::HardStop, cost, elapsed_ms },
                (QueryPhase::Cancelled, reason) => {
                    Command::Stopped { execution: id, reason: reason.unwrap_or(StopReason::Asked), cost, elapsed_ms }
                }
                _ => Command::Finished { execution: id, outcome: ExecutionOutcome::Failed, cost, elapsed_ms, error: failure },
            }
        }
    };
    Done::Commands(vec![command])
}

fn spooled(ports: &crate::engine::Ports, run: &str, execution: String, rows: Rows) -> Done {
    let sha256 = match ports.spool.write(run, &execution, &rows) {
        Ok(sha256) => sha256,
        Err(error) => {
            let why = Refusal::new(Kind::Failed, format!("the rows could not be kept: {error}"));
            return Done::RowsLost { execution, why };
        }
    };
    let bytes = rows.rows.iter().flatten().flatten().map(String::len).sum::<usize>();
    let command = Command::Fetched {
        execution: execution.clone(),
        rows: rows.rows.len() as u64,
        bytes: bytes as u64,
        truncated: rows.truncated,
        columns: rows.columns.iter().map(|column| column.name.clone()).collect(),
        sha256,
    };
    Done::Fetched { execution, rows: Arc::new(rows), command }
}

async fn read_items(ports: Arc<crate::engine::Ports>, execution: Execution, target: PlanTarget, keys: Keys) -> Done {
    let request: DynamodbRequest = match serde_json::from_str(&execution.statement) {
        Ok(request) => request,
        Err(error) => {
            let failure = ServiceFailure { code: "Unreadable".to_owned(), message: error.to_string() };
            return Done::Commands(vec![not_sent(execution.id, failure)]);
        }
    };
    let begun = ports.clock.now();
    let read = ports.items.read(&target, &keys, &request, execution.ceiling, FetchLimits::default()).await;
    let elapsed_ms = ports.clock.now().since(begun).0;
    let id = execution.id.clone();
    match read {
        Ok(read) if read.stopped_by_ceiling => Done::Commands(vec![
            Command::Started { execution: id.clone(), query_id: execution.token, adopted: false },
            Command::Stopped { execution: id, reason: StopReason::Ceiling, cost: Some(read.cost), elapsed_ms },
        ]),
        Ok(read) => Done::ItemsRead {
            started: Command::Started { execution: id.clone(), query_id: execution.token, adopted: false },
            finished: Command::Finished {
                execution: id.clone(),
                outcome: ExecutionOutcome::Succeeded,
                cost: Some(read.cost),
                elapsed_ms,
                error: None,
            },
            execution: id,
            rows: read.rows,
        },
        Err(ServiceError::Refused(error)) => Done::Commands(vec![Command::Finished {
            execution: id,
            outcome: ExecutionOutcome::Failed,
            cost: Some(0),
            elapsed_ms,
            error: Some(error),
        }]),
        Err(ServiceError::NoCredentials { message, .. }) => {
            Done::Commands(vec![not_sent(id, ServiceFailure { code: "NoCredentials".to_owned(), message })])
        }
        Err(ServiceError::Temporary(message)) => {
            Done::Commands(vec![not_sent(id, ServiceFailure { code: "Temporary".to_owned(), message })])
        }
        Err(ServiceError::NoAnswer(what)) => Done::Commands(vec![Command::Indeterminate {
            execution: id,
            reason: format!("the read was not answered ({what}); whether it was charged is not known"),
        }]),
    }
}

impl Session {
    /// A read's items are kept before its end is journaled, so that a success always has its rows.
    pub(super) fn items_read(&mut self, started: Command, finished: Command, execution: String, rows: Rows) {
        let spooled = spooled(&self.ports, &self.state.id, execution, rows);
        self.record(started);
        self.record(finished);
        self.done("", spooled);
    }
}

/// Why a value could not be put into what was approved.
fn unfilled(error: &FillError) -> Refusal {
    match error {
        FillError::NoValue { .. } => Refusal::new(Kind::Failed, error.to_string()),
        FillError::Misfit { .. } => {
            Refusal::new(Kind::Failed, error.to_string()).hint("the approval holds for values of its type alone")
        }
        FillError::Bind(_) => Refusal::new(Kind::Blocked, error.to_string()).hint("ask again with another value"),
    }
}

/// The request with every hole filled.
fn closed(plan: &DynamodbPlan, values: &IndexMap<String, ParamValue>) -> Result<DynamodbRequest, Refusal> {
    let known = |name: &String| match plan.holes.get(name) {
        Some(hole) => value_for(name, hole, values).map_err(|error| unfilled(&error)),
        None => Err(Refusal::new(Kind::Bug, format!("`{name}` is no hole of the plan"))),
    };
    let mut request = plan.request.clone();
    let sort = request.sort.iter_mut().flat_map(|sort| sort.values.iter_mut());
    let filter = request.filter.iter_mut().flat_map(|filter| filter.values.values_mut());
    for value in request.key.values_mut().chain(sort).chain(filter) {
        *value = match &*value {
            DynamodbValue::Open(parts) => {
                let texts: Result<Vec<String>, Refusal> = parts
                    .iter()
                    .map(|part| match part {
                        Part::Text(text) => Ok(text.clone()),
                        Part::Hole(name) => known(name).map(ParamValue::text),
                    })
                    .collect();
                DynamodbValue::S(texts?.concat())
            }
            DynamodbValue::Hole(name) => known(name)?.dynamodb(),
            closed => closed.clone(),
        };
    }
    Ok(request)
}

/// Every value of the run as the text that policies and keys hold.
fn texts(session: &Session) -> IndexMap<String, String> {
    let Some(walk) = &session.state.walk else { return IndexMap::new() };
    let typed = crate::core::plan::build::typed(&walk.runbook, &session.values());
    typed.into_iter().map(|(name, value)| (name, value.text())).collect()
}
