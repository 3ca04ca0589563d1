//! Athena's operations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use super::access::Access;
use super::engine::Engine;
use super::error::{Category, Failure};
use super::execution::{Execution, State, Times};
use super::history::{Filed, History, HistoryError};
use super::metadata;
use super::objects::{Location, Objects};
use super::request::{self, Batch, List, One, Start, bad_token, invalid, invalid_input, required};
use super::result::{self, Page};
use super::run::{self, Order, Running};
use super::statement::Statement;
use super::workgroup::{AthenaConfig, WorkGroup};
use crate::core::units::Timestamp;
use crate::sandbox::api::{ApiError, Caller, Context, JsonService};
use crate::sandbox::dataset::LakeState;
use crate::sandbox::secret::random_text;

/// Executions that run at the same time; others are QUEUED.
const SLOTS: usize = 4;

/// Executions that may wait and run together, as Athena's quota of active queries.
const MOST_ACTIVE: usize = 50;

/// Threads for queries: the server has its own, so that a poll is answered while a query computes.
const THREADS: usize = 2;

/// The planner recurses deeply, above all in a debug build.
const STACK: usize = 64 << 20;

/// The workgroup of requests that name none.
const PRIMARY: &str = "primary";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum AthenaError {
    /// The history of executions.
    #[error("{0}")]
    History(String),
    /// The query engine.
    #[error("the query engine did not start: {0}")]
    Engine(String),
    /// Its threads.
    #[error("no threads for queries: {0}")]
    Threads(#[from] std::io::Error),
}

/// The Athena stand-in.
#[derive(Debug)]
pub struct Athena {
    shared: Arc<Shared>,
    /// Taken when it ends.
    runtime: Mutex<Option<Runtime>>,
}

/// What executions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: AthenaConfig,
    pub(super) engine: Engine,
    pub(super) objects: Objects,
    pub(super) lake: watch::Receiver<LakeState>,
    pub(super) slots: Semaphore,
    history: History,
    running: Mutex<HashMap<String, Arc<Running>>>,
    opened: Timestamp,
}

impl Athena {
    /// Opens the service over its state directory. Executions that an earlier process left unfinished have failed.
    ///
    /// # Errors
    /// [`AthenaError`]: the state directory or the engine cannot be used.
    pub fn open(config: AthenaConfig, lake: watch::Receiver<LakeState>) -> Result<Self, AthenaError> {
        let broken = |error: HistoryError| AthenaError::History(error.to_string());
        let now = config.clock.now();
        let objects = Objects::new(&config.state_dir);
        let history =
            History::open(&config.state_dir.join("athena.db"), now, |old| objects.remove(&old.output)).map_err(broken)?;
        for mut lost in history.unfinished().map_err(broken)? {
            end_with(&mut lost, now, "The sandbox ended while this query was running.");
            history.update(&lost).map_err(broken)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("sandbox-query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()?;
        let shared = Shared {
            engine: Engine::new().map_err(|failure| AthenaError::Engine(failure.reason()))?,
            objects,
            lake,
            slots: Semaphore::new(SLOTS),
            history,
            running: Mutex::default(),
            opened: now,
            config,
        };
        Ok(Self { shared: Arc::new(shared), runtime: Mutex::new(Some(runtime)) })
    }

    fn start(&self, request: &Start, caller: &Caller) -> Result<Value, ApiError> {
        let shared = &self.shared;
        let query = request.query()?;
        let token = request.token()?;
        let group = shared.workgroup(request.work_group.as_deref().unwrap_or(PRIMARY), "StartQueryExecution", caller)?;
        if !request.execution_parameters.is_empty() {
            return Err(invalid_input(
                "the sandbox does not take ExecutionParameters; Athena does. Put the values into the statement",
            ));
        }
        let requested = request.result_configuration.clone().unwrap_or_default().output_location;
        let output = requested.clone().or_else(|| group.output.clone()).ok_or_else(|| {
            invalid_input(
                "No output location provided. You did not provide an output location for  your query results. Either specify an S3 \
                 bucket location or enable Athena managed query results in your workgroup settings.",
            )
        })?;
        let place = Location::parse(&output).ok_or_else(|| invalid_input("outputLocation is not a valid S3 path."))?;
        let statement = Statement::read(query).map_err(|refusal| invalid("MALFORMED_QUERY", refusal.to_string()))?;
        let context = request.query_execution_context.clone().unwrap_or_default();
        let (statement_type, substatement_type) = statement.kind.types();
        let id = uuid();
        let extension = if substatement_type == "SELECT" { "csv" } else { "txt" };
        let execution = Execution {
            output: place.uri(&format!("{id}.{extension}")),
            id,
            query: query.to_owned(),
            workgroup: group.name.clone(),
            catalog: context.catalog.as_ref().map(|name| name.to_lowercase()),
            database: context.database.as_ref().map(|name| name.to_lowercase()),
            statement_type: statement_type.to_owned(),
            substatement_type: substatement_type.to_owned(),
            state: State::Queued,
            submitted: caller.now,
            completed: None,
            reason: None,
            failure: None,
            scanned: 0,
            times: Times::default(),
            columns: Vec::new(),
            rows: 0,
            result_bytes: 0,
        };
        // What Athena was seen to compare when a token comes again.
        let compared = json!([query, context.database, requested]).to_string();
        if shared.active() >= MOST_ACTIVE {
            let mut error = ApiError::new(
                400,
                "TooManyRequestsException",
                "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of concurrent queries submitted by this account.",
            );
            error.extra.insert("Reason".to_owned(), json!("CONCURRENT_QUERY_LIMIT_EXCEEDED"));
            return Err(error);
        }
        match shared.history.file(&execution, token, &compared).map_err(internal)? {
            Filed::Same(id) => return Ok(json!({ "QueryExecutionId": id })),
            Filed::Conflict => return Err(invalid("IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match")),
            Filed::New => {}
        }
        let id = execution.id.clone();
        let order = Order {
            statement,
            authorizer: caller.authorizer.clone(),
            access: Access::new(caller.authorizer.clone(), &shared.config.region, &caller.principal.account),
            limit: group.cutoff,
        };
        let running = Arc::new(Running::new(execution));
        shared.lock().insert(id.clone(), Arc::clone(&running));
        let work = run::run(Arc::clone(shared), running, order);
        match self.runtime.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(runtime) => drop(runtime.spawn(work)),
            None => return Err(ApiError::internal("the sandbox is ending")),
        }
        Ok(json!({ "QueryExecutionId": id }))
    }

    fn stop(&self, request: One, caller: &Caller) -> Result<Value, ApiError> {
        let execution = self.shared.find(request.query_execution_id, "StopQueryExecution", caller)?;
        // One that has ended stays as it is, and the request succeeds.
        self.shared.cancel(&execution.id);
        Ok(json!({}))
    }

    fn results(&self, request: One, caller: &Caller) -> Result<Value, ApiError> {
        let size = request::page_size(request.max_results, 1, 1000)?;
        let execution = self.shared.find(request.query_execution_id, "GetQueryResults", caller)?;
        match execution.state {
            State::Succeeded => {}
            State::Cancelled => return Err(invalid("RESULT_NOT_FOUND", "Could not find results")),
            State::Failed => {
                return Err(invalid(
                    "INVALID_QUERY_EXECUTION_STATE",
                    "Query did not finish successfully. Final query state: FAILED",
                ));
            }
            state => {
                return Err(invalid(
                    "INVALID_QUERY_EXECUTION_STATE",
                    format!("Query has not yet finished. Current state: {}", state.name()),
                ));
            }
        }
        if request.query_result_type.as_deref().is_some_and(|kind| kind != "DATA_ROWS") {
            return Err(invalid_input("the sandbox gives DATA_ROWS only"));
        }
        let access = Access::new(caller.authorizer.clone(), &self.shared.config.region, &caller.principal.account);
        access.result(&execution.output)?;
        let offset = match &request.next_token {
            None => 0,
            Some(token) => {
                let offset = token.strip_prefix(&format!("{}.", execution.id)).and_then(|offset| offset.parse().ok());
                offset.ok_or_else(bad_token)?
            }
        };
        let path = self.shared.objects.path(&execution.output);
        let path = path.ok_or_else(|| invalid("RESULT_NOT_FOUND", "Could not find results"))?;
        let page = if execution.substatement_type == "SELECT" {
            result::read_csv(&path, offset, size)
        } else {
            result::read_text(&path, offset, size, execution.columns.len())
        };
        let page = page.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => invalid("RESULT_NOT_FOUND", "Could not find results"),
            std::io::ErrorKind::InvalidInput => bad_token(),
            _ => ApiError::internal(error.to_string()),
        })?;
        Ok(show_page(&execution, page))
    }

    fn batch(&self, request: &Batch, caller: &Caller) -> Result<Value, ApiError> {
        if request.query_execution_ids.is_empty() || request.query_execution_ids.len() > 50 {
            return Err(constraint_ids());
        }
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for id in &request.query_execution_ids {
            match self.shared.find(Some(id.clone()), "BatchGetQueryExecution", caller) {
                Ok(execution) => found.push(execution.describe()),
                Err(error) if error.code == "AccessDeniedException" => return Err(error),
                Err(error) => missing.push(json!({
                    "QueryExecutionId": id,
                    "ErrorCode": error.extra.get("AthenaErrorCode").cloned().unwrap_or_else(|| json!(error.code)),
                    "ErrorMessage": error.message,
                })),
            }
        }
        Ok(json!({ "QueryExecutions": found, "UnprocessedQueryExecutionIds": missing }))
    }

    fn list(&self, request: &List, caller: &Caller) -> Result<Value, ApiError> {
        let size = request::page_size(request.max_results, 0, 50)?;
        let group = self.shared.workgroup(request.work_group.as_deref().unwrap_or(PRIMARY), "ListQueryExecutions", caller)?;
        let before = match &request.next_token {
            None => None,
            Some(token) => Some(token.parse().map_err(|_| bad_token())?),
        };
        let mut ids = self.shared.history.list(&group.name, before, size + 1).map_err(internal)?;
        let more = ids.len() > size;
        ids.truncate(size);
        let mut answer = json!({ "QueryExecutionIds": ids.iter().map(|(_, id)| id).collect::<Vec<_>>() });
        if let Some((last, _)) = ids.last().filter(|_| more) {
            answer["NextToken"] = json!(last.to_string());
        }
        Ok(answer)
    }

    fn workgroups(&self, request: &List, caller: &Caller) -> Result<Value, ApiError> {
        caller.authorizer.check("athena:ListWorkGroups", "*", &Context::new())?;
        let size = request::page_size(request.max_results, 1, 50)?;
        let mut groups: Vec<&WorkGroup> = self.shared.config.workgroups.iter().collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        let all = groups.into_iter().map(|group| group.summarize(self.shared.opened)).collect();
        let (groups, next) = request::page(all, request.next_token.as_deref(), size)?;
        Ok(with_token(json!({ "WorkGroups": groups }), next))
    }
}

#[async_trait]
impl JsonService for Athena {
    async fn call(&self, operation: &str, body: Value, caller: Caller) -> Result<Value, ApiError> {
        let shared = &self.shared;
        match operation {
            "StartQueryExecution" => self.start(&request::read(body)?, &caller),
            "StopQueryExecution" => self.stop(request::read(body)?, &caller),
            "GetQueryExecution" => {
                let request: One = request::read(body)?;
                let execution = shared.find(request.query_execution_id, operation, &caller)?;
                Ok(json!({ "QueryExecution": execution.describe() }))
            }
            "GetQueryRuntimeStatistics" => {
                let request: One = request::read(body)?;
                Ok(shared.find(request.query_execution_id, operation, &caller)?.runtime_statistics())
            }
            "GetQueryResults" => self.results(request::read(body)?, &caller),
            "BatchGetQueryExecution" => self.batch(&request::read(body)?, &caller),
            "ListQueryExecutions" => self.list(&request::read(body)?, &caller),
            "GetWorkGroup" => {
                let request: List = request::read(body)?;
                let name = required("workGroup", request.work_group)?;
                let group = shared.workgroup(&name, operation, &caller)?;
                Ok(json!({ "WorkGroup": group.describe(shared.opened) }))
            }
            "ListWorkGroups" => self.workgroups(&request::read(body)?, &caller),
            other => metadata::call(shared, other, body, &caller),
        }
    }

    fn busy(&self) -> bool {
        self.shared.active() > 0
    }

    async fn shut_down(&self) {
        let running: Vec<Arc<Running>> = self.shared.lock().values().cloned().collect();
        for running in running {
            let now = self.shared.config.clock.now();
            self.shared.finish(&running, |execution| end_with(execution, now, "The sandbox ended while this query was running."));
            running.cancel.cancel();
        }
        self.end_runtime();
    }
}

impl Athena {
    fn end_runtime(&self) {
        // Not joined: this may be called on a thread of another runtime, which must not block.
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Athena {
    fn drop(&mut self) {
        self.end_runtime();
    }
}

impl Shared {
    /// How many executions have not ended.
    fn active(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workgroup, if it exists and the caller may do `operation` in it.
    fn workgroup(&self, name: &str, operation: &str, caller: &Caller) -> Result<&WorkGroup, ApiError> {
        let arn = format!("arn:aws:athena:{}:{}:workgroup/{name}", self.config.region, caller.principal.account);
        caller.authorizer.check(&format!("athena:{operation}"), &arn, &Context::new())?;
        self.config.workgroups.iter().find(|group| group.name == name).ok_or_else(|| invalid_input("WorkGroup is not found."))
    }

    /// The execution, if it exists and the caller may do `operation` in its workgroup.
    fn find(&self, id: Option<String>, operation: &str, caller: &Caller) -> Result<Execution, ApiError> {
        let id = required("queryExecutionId", id)?;
        let running = self.lock().get(&id).cloned();
        let execution = match running {
            Some(running) => Some(running.snapshot()),
            None => self.history.get(&id).map_err(internal)?,
        };
        let missing = || invalid("QUERY_EXECUTION_NOT_FOUND", format!("QueryExecution {id} was not found"));
        let execution = execution.ok_or_else(missing)?;
        self.workgroup(&execution.workgroup, operation, caller)?;
        Ok(execution)
    }

    /// Keeps a change of an execution that has not ended. `None` if it has, or if it cannot be kept.
    pub(super) fn keep(&self, running: &Running, change: impl FnOnce(&mut Execution)) -> Option<Execution> {
        let execution = running.change(change)?;
        // A history that cannot be written leaves the execution as it was for a later start: unfinished, so failed.
        self.history.update(&execution).ok()?;
        Some(execution)
    }

    /// Ends an execution, unless it has ended.
    pub(super) fn finish(&self, running: &Running, change: impl FnOnce(&mut Execution)) {
        let now = self.config.clock.now();
        let ended = running.change(|execution| {
            change(execution);
            execution.completed = Some(now);
        });
        let Some(execution) = ended else { return };
        if self.history.update(&execution).is_ok() {
            self.lock().remove(&execution.id);
        }
    }

    /// Stops an execution at once; its task notices when it next waits.
    fn cancel(&self, id: &str) {
        let running = self.lock().get(id).cloned();
        if let Some(running) = running {
            running.cancel.cancel();
            self.finish(&running, |execution| {
                execution.state = State::Cancelled;
                execution.reason = Some("Query cancelled by user".to_owned());
            });
        }
    }
}

/// Marks an execution as lost.
fn end_with(execution: &mut Execution, now: Timestamp, why: &str) {
    let failure = Failure { category: Category::System, ..Failure::plain(why) };
    execution.state = State::Failed;
    execution.completed = Some(now);
    execution.reason = Some(failure.reason());
    execution.failure = Some(failure);
}

fn show_page(execution: &Execution, page: Page) -> Value {
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|row| {
            let data = row.into_iter().map(|value| value.map_or_else(|| json!({}), |value| json!({ "VarCharValue": value })));
            json!({ "Data": data.collect::<Vec<_>>() })
        })
        .collect();
    let columns: Vec<Value> = execution.columns.iter().map(super::execution::ColumnInfo::describe).collect();
    let answer = json!({
        "UpdateCount": 0,
        "ResultSet": { "Rows": rows, "ResultSetMetadata": { "ColumnInfo": columns } },
    });
    with_token(answer, page.next.map(|offset| format!("{}.{offset}", execution.id)))
}

/// Adds the token of the next page, if there is one.
pub(super) fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    answer
}

fn constraint_ids() -> ApiError {
    request::constraint("queryExecutionIds", "Member must have length between 1 and 50")
}

fn internal(error: HistoryError) -> ApiError {
    ApiError::internal(error.to_string())
}

/// An id in the shape of Athena's: a version 4 UUID.
fn uuid() -> String {
    let hex = random_text(b"0123456789abcdef", 30);
    let variant = random_text(b"89ab", 1);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}-{}-4{}-{variant}{}-{}", part(0..8), part(8..12), part(12..15), part(15..18), part(18..30))
}

#[cfg(test)]
mod tests;
