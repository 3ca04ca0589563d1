//! Runs one execution from QUEUED to its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::tokenizer::Location;
use futures_util::StreamExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::catalog::{self, DEFAULT_DATABASE, INFORMATION_SCHEMA};
use super::engine::{Named, Planned};
use super::error::Failure;
use super::execution::{ColumnInfo, Execution, State};
use super::meter::{Meter, Stopped};
use super::result::{ResultError, ResultWriter, Row, write_text};
use super::service::Shared;
use super::statement::{Kind, Statement};
use super::text::{self, Style};
use crate::sandbox::api::Authorizer;
use crate::sandbox::dataset::LakeState;
use crate::sandbox::dataset::lake::{Lake, LakeTable};
use crate::sandbox::dataset::schema::{CATALOG, Column};
use crate::sandbox::dataset::trino::TrinoType;

/// Athena's default for statements that read.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// An execution that has not ended.
#[derive(Debug)]
pub(super) struct Running {
    execution: Mutex<Execution>,
    pub(super) cancel: CancellationToken,
    meter: OnceLock<Arc<Meter>>,
    submitted: Instant,
    started: OnceLock<Instant>,
    planning: AtomicU64,
}

impl Running {
    pub(super) fn new(execution: Execution) -> Self {
        Self {
            execution: Mutex::new(execution),
            cancel: CancellationToken::new(),
            meter: OnceLock::new(),
            submitted: Instant::now(),
            started: OnceLock::new(),
            planning: AtomicU64::new(0),
        }
    }

    /// The execution as it stands now.
    pub(super) fn snapshot(&self) -> Execution {
        let mut execution = self.lock().clone();
        if !execution.state.is_final() {
            self.take_stock(&mut execution);
        }
        execution
    }

    /// Writes what was read and how long it took so far.
    fn take_stock(&self, execution: &mut Execution) {
        execution.scanned = self.meter.get().map_or(0, |meter| meter.scanned());
        execution.times.planning = self.planning.load(Ordering::Relaxed);
        match self.started.get() {
            Some(started) => {
                execution.times.queued = millis(started.duration_since(self.submitted));
                execution.times.engine = millis(started.elapsed());
            }
            None => execution.times.queued = millis(self.submitted.elapsed()),
        }
    }

    /// Changes the execution, unless it has ended. Returns it as it is then.
    pub(super) fn change(&self, change: impl FnOnce(&mut Execution)) -> Option<Execution> {
        let mut execution = self.lock();
        if execution.state.is_final() {
            return None;
        }
        self.take_stock(&mut execution);
        change(&mut execution);
        Some(execution.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Execution> {
        self.execution.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What an execution needs besides itself.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) statement: Statement,
    pub(super) authorizer: Authorizer,
    pub(super) access: Access,
    /// The workgroup's cutoff.
    pub(super) limit: Option<u64>,
}

/// How it came out.
enum Outcome {
    Done {
        columns: Vec<ColumnInfo>,
        rows: u64,
        bytes: u64,
        writing: Duration,
    },
    Failed(Failure),
    /// The workgroup's limit; Athena calls that cancelled.
    Limit,
    Cancelled,
}

/// Drives `running` to its end.
pub(super) async fn run(shared: Arc<Shared>, running: Arc<Running>, order: Order) {
    let cancel = running.cancel.clone();
    let work = {
        let (shared, running) = (Arc::clone(&shared), Arc::clone(&running));
        // On a task of its own, so that a panic of the engine ends this execution and not the bookkeeping.
        tokio::spawn(async move {
            let cancel = running.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled() => Outcome::Cancelled,
                outcome = tokio::time::timeout(TIMEOUT, work(&shared, &running, order)) => match outcome {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(failure)) => Outcome::Failed(failure),
                    Err(_) => Outcome::Failed(Failure::plain("Query timeout")),
                },
            }
        })
    };
    let outcome = work.await.unwrap_or_else(|error| {
        if error.is_panic() {
            Outcome::Failed(Failure::system("the sandbox's engine broke on this statement"))
        } else {
            Outcome::Cancelled
        }
    });
    // Stopped meanwhile: whoever stopped it wrote the end.
    let outcome = if cancel.is_cancelled() { Outcome::Cancelled } else { outcome };
    shared.finish(&running, |execution| match outcome {
        Outcome::Done { columns, rows, bytes, writing } => {
            execution.state = State::Succeeded;
            execution.columns = columns;
            execution.rows = rows;
            execution.result_bytes = bytes;
            execution.times.writing = millis(writing);
            execution.times.engine = execution.times.engine.saturating_sub(millis(writing));
        }
        Outcome::Failed(failure) => {
            execution.state = State::Failed;
            execution.reason = Some(failure.reason());
            execution.failure = Some(failure);
        }
        Outcome::Limit => {
            execution.state = State::Cancelled;
            execution.reason = Some(Stopped::Limit.to_string());
        }
        Outcome::Cancelled => {
            execution.state = State::Cancelled;
            execution.reason = Some("Query cancelled by user".to_owned());
        }
    });
}

async fn work(shared: &Arc<Shared>, running: &Arc<Running>, order: Order) -> Result<Outcome, Failure> {
    tokio::time::sleep(shared.config.pace.queueing()).await;
    let lake = lake(shared).await?;
    let _slot = shared.slots.acquire().await.map_err(|_| Failure::system("the sandbox ends"))?;
    let started = *running.started.get_or_init(Instant::now);
    let Some(execution) = shared.keep(running, |execution| execution.state = State::Running) else {
        return Ok(Outcome::Cancelled);
    };
    order.access.output(&execution.output)?;
    let (query, explain) = match &order.statement.kind {
        Kind::Query(query) => (query, false),
        Kind::Explain(query) => (query, true),
        other => {
            let (columns, rows) = describe(other, &execution, &lake, &order.access)?;
            wait_until(started + shared.config.pace.at_least(0)).await;
            return write_lines(shared, &execution, columns, rows);
        }
    };
    let database = execution.database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
    let catalog = execution.catalog.clone().unwrap_or_else(|| CATALOG.to_owned());
    look_up(shared, query, &catalog, &database, &lake, &order.access)?;
    let meter = Arc::new(Meter::new(order.authorizer, order.limit, shared.config.pace));
    let meter = Arc::clone(running.meter.get_or_init(|| meter));
    let planned = shared.engine.plan(&order.statement, query, &database, &lake, &meter).await?;
    running.planning.store(millis(started.elapsed()), Ordering::Relaxed);
    if explain {
        let column = ColumnInfo::new("Query Plan", &TrinoType::Varchar);
        let lines = std::iter::once("Query Plan").chain(planned.text.lines()).chain(["", ""]);
        let rows = lines.map(|line| vec![Some(line.to_owned())]).collect();
        return write_lines(shared, &execution, vec![column], rows);
    }
    meter.expect(planned.expected_bytes);
    let outcome = read(shared, &execution, &planned, &meter, &order.access, started).await?;
    Ok(outcome)
}

/// Waits for the data of the first start.
async fn lake(shared: &Shared) -> Result<Arc<Lake>, Failure> {
    let mut lake = shared.lake.clone();
    let ready = lake.wait_for(|state| !matches!(state, LakeState::Making)).await;
    match ready.as_deref() {
        Ok(LakeState::Ready(lake)) => Ok(Arc::clone(lake)),
        Ok(LakeState::Failed(why)) => Err(Failure::system(format!("the sandbox's data could not be made: {why}"))),
        Ok(LakeState::Making) | Err(_) => Err(Failure::system("the sandbox's data was not made: it is ending")),
    }
}

async fn wait_until(at: Instant) {
    tokio::time::sleep_until(at).await;
}

/// Looks up every table that the query names, as Athena does before it plans.
fn look_up(shared: &Shared, query: &Query, catalog: &str, database: &str, lake: &Lake, access: &Access) -> Result<(), Failure> {
    for named in shared.engine.tables(query, catalog, database)? {
        if named.catalog != CATALOG.to_lowercase() {
            return Err(Failure::new("CATALOG_NOT_FOUND", format!("Catalog '{}' not found", named.catalog)).at(named.at));
        }
        access.table(&named)?;
        match found(lake, &named)? {
            Some(table) => access.files(table)?,
            None => continue,
        }
    }
    Ok(())
}

/// The table; `None` for one of `information_schema`.
fn found<'a>(lake: &'a Lake, named: &Named) -> Result<Option<&'a LakeTable>, Failure> {
    if named.database == INFORMATION_SCHEMA {
        return Ok(None);
    }
    if !catalog::databases(lake).contains(&named.database.as_str()) {
        return Err(Failure::new("SCHEMA_NOT_FOUND", format!("Schema '{}' does not exist", named.database)).at(named.at));
    }
    lake.table(&named.database, &named.table).map(Some).ok_or_else(|| {
        let name = format!("{}.{}.{}", named.catalog, named.database, named.table);
        Failure::new("TABLE_NOT_FOUND", format!("Table '{name}' does not exist")).at(named.at)
    })
}

/// Reads the query's rows into its result file.
async fn read(
    shared: &Shared,
    execution: &Execution,
    planned: &Planned,
    meter: &Meter,
    access: &Access,
    started: Instant,
) -> Result<Outcome, Failure> {
    let columns: Vec<ColumnInfo> = planned
        .columns
        .iter()
        .map(|(name, ty)| ColumnInfo::new(name.as_str(), &TrinoType::of_arrow(ty).unwrap_or(TrinoType::Varchar)))
        .collect();
    let path = shared.objects.prepare(&execution.output).map_err(|error| not_written(&ResultError::Io(error)))?;
    let mut writer = ResultWriter::create(path, &columns).map_err(|error| not_written(&error))?;
    let mut stream = planned.start()?;
    while let Some(batch) = stream.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                return match meter.stopped() {
                    Some(Stopped::Limit) => Ok(Outcome::Limit),
                    Some(denied) => Err(Failure::plain(denied.to_string())),
                    None => Err(Planned::failure(&error)),
                };
            }
        };
        for row in 0..batch.num_rows() {
            let row: Row = batch.columns().iter().map(|column| text::value(column, row, Style::Result)).collect();
            writer.row(&row).map_err(|error| not_written(&error))?;
        }
        // A batch may be large; others want the thread too.
        tokio::task::yield_now().await;
    }
    wait_until(started + shared.config.pace.at_least(planned.expected_bytes)).await;
    let writing = Instant::now();
    access.output(&execution.output)?;
    let rows = writer.rows();
    let bytes = writer.finish(&execution.id, &columns).map_err(|error| not_written(&error))?;
    Ok(Outcome::Done { columns, rows, bytes, writing: writing.elapsed() })
}

fn not_written(error: &ResultError) -> Failure {
    match error {
        ResultError::TooLarge => Failure::new("NOT_SUPPORTED", error.to_string()),
        ResultError::Io(_) => Failure::system(error.to_string()),
    }
}

fn write_lines(shared: &Shared, execution: &Execution, columns: Vec<ColumnInfo>, rows: Vec<Row>) -> Result<Outcome, Failure> {
    let writing = Instant::now();
    let path = shared.objects.prepare(&execution.output).map_err(|error| not_written(&ResultError::Io(error)))?;
    let bytes = write_text(&path, &execution.id, &columns, &rows).map_err(|error| not_written(&error))?;
    Ok(Outcome::Done { columns, rows: rows.len() as u64, bytes, writing: writing.elapsed() })
}

/// Answers SHOW and DESCRIBE from the catalog.
fn describe(kind: &Kind, execution: &Execution, lake: &Lake, access: &Access) -> Result<(Vec<ColumnInfo>, Vec<Row>), Failure> {
    let database = execution.database.as_deref().unwrap_or(DEFAULT_DATABASE).to_lowercase();
    let one = |name: &str, values: Vec<String>| {
        (vec![ColumnInfo::new(name, &TrinoType::Varchar)], values.into_iter().map(|value| vec![Some(value)]).collect())
    };
    Ok(match kind {
        Kind::ShowDatabases => {
            access.databases()?;
            one("database_name", catalog::databases(lake).into_iter().map(str::to_owned).collect())
        }
        Kind::ShowTables(named) => {
            let database = named.clone().unwrap_or(database);
            access.database(&database)?;
            if !catalog::databases(lake).contains(&database.as_str()) {
                return Err(missing(&format!("Database does not exist: {database}")));
            }
            let tables = lake.tables.iter().filter(|t| t.table.database == database);
            one("tab_name", tables.map(|t| t.table.name.to_owned()).collect())
        }
        Kind::ShowColumns(name) => {
            let table = named_table(name, &database, lake, access)?;
            one("field", all_columns(table).map(|column| column.name.to_owned()).collect())
        }
        Kind::ShowPartitions(name) => {
            let table = named_table(name, &database, lake, access)?;
            one("partition", table.partitions.iter().filter_map(|p| Some(p.day?.folder())).collect())
        }
        Kind::Describe(name) => {
            let table = named_table(name, &database, lake, access)?;
            let names = ["col_name", "data_type", "comment"];
            let columns = names.iter().map(|name| ColumnInfo::new(*name, &TrinoType::Varchar)).collect();
            let row = |column: &Column| {
                let hive = TrinoType::parse(column.trino).map_or_else(|| column.trino.to_owned(), |ty| ty.to_hive());
                vec![Some(column.name.to_owned()), Some(hive), Some(String::new())]
            };
            (columns, all_columns(table).map(row).collect())
        }
        Kind::Query(_) | Kind::Explain(_) => return Err(Failure::system("a query is not described")),
    })
}

fn all_columns(table: &LakeTable) -> impl Iterator<Item = &Column> {
    table.table.columns.iter().chain(table.table.partition_keys)
}

fn named_table<'a>(name: &[String], database: &str, lake: &'a Lake, access: &Access) -> Result<&'a LakeTable, Failure> {
    let (database, table) = match name {
        [table] => (database, table.as_str()),
        [database, table] | [_, database, table] => (database.as_str(), table.as_str()),
        _ => return Err(missing("Table not found")),
    };
    let at = Location { line: 0, column: 0 };
    let named = Named { catalog: CATALOG.to_lowercase(), database: database.to_owned(), table: table.to_owned(), at };
    access.table(&named)?;
    lake.table(database, table).ok_or_else(|| missing(&format!("Table not found {database}.{table}")))
}

/// Hive's words, since Athena answers these statements through it.
fn missing(what: &str) -> Failure {
    Failure::plain(format!("FAILED: SemanticException [Error 10001]: {what}"))
}
