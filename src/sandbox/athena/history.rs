//! Executions on disk, so that their ids outlive both the client and the sandbox.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::execution::{Execution, State};
use crate::core::units::{Millis, Timestamp};

/// How long finished executions are kept. Athena keeps 45 days; the results here lie on a laptop.
const KEPT: Millis = Millis(7 * 86_400_000);

/// Why the history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    /// SQLite refuses.
    #[error("the sandbox's executions cannot be kept: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row is not what this version writes.
    #[error("the sandbox's executions cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// What became of a new execution.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filed {
    /// It is new.
    New,
    /// Its token was used for the same request: that execution's id.
    Same(String),
    /// Its token was used for another request.
    Conflict,
}

/// The history.
#[derive(Debug)]
pub(super) struct History(Mutex<Connection>);

impl History {
    /// Opens or makes it, and forgets what is old; `forget` is told the output of each execution that goes.
    pub(super) fn open(path: &Path, now: Timestamp, forget: impl Fn(&Execution)) -> Result<Self, HistoryError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS executions (
                 seq INTEGER PRIMARY KEY AUTOINCREMENT,
                 id TEXT NOT NULL UNIQUE,
                 token TEXT NOT NULL UNIQUE,
                 request TEXT NOT NULL,
                 workgroup TEXT NOT NULL,
                 submitted INTEGER NOT NULL,
                 state TEXT NOT NULL,
                 body TEXT NOT NULL
             );
             CREATE INDEX IF NOT EXISTS by_workgroup ON executions (workgroup, seq);",
        )?;
        let history = Self(Mutex::new(connection));
        let before = now.minus(KEPT);
        for old in history.select("submitted < ?1", params![before.0])? {
            forget(&old);
        }
        history.lock().execute("DELETE FROM executions WHERE submitted < ?1", params![before.0])?;
        Ok(history)
    }

    /// Files a new execution, unless its token was used. `request` is what a repeated token is compared by.
    pub(super) fn file(&self, execution: &Execution, token: &str, request: &str) -> Result<Filed, HistoryError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let known: Option<(String, String)> = transaction
            .query_row("SELECT id, request FROM executions WHERE token = ?1", params![token], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if let Some((id, earlier)) = known {
            return Ok(if earlier == request { Filed::Same(id) } else { Filed::Conflict });
        }
        transaction.execute(
            "INSERT INTO executions (id, token, request, workgroup, submitted, state, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                execution.id,
                token,
                request,
                execution.workgroup,
                execution.submitted.0,
                execution.state.name(),
                serde_json::to_string(execution)?
            ],
        )?;
        transaction.commit()?;
        Ok(Filed::New)
    }

    /// Keeps an execution's new state. One that is final already stays as it is; whether it was changed.
    pub(super) fn update(&self, execution: &Execution) -> Result<bool, HistoryError> {
        let changed = self.lock().execute(
            "UPDATE executions SET state = ?2, body = ?3 WHERE id = ?1 AND state IN ('QUEUED', 'RUNNING')",
            params![execution.id, execution.state.name(), serde_json::to_string(execution)?],
        )?;
        Ok(changed > 0)
    }

    /// An execution by id.
    pub(super) fn get(&self, id: &str) -> Result<Option<Execution>, HistoryError> {
        Ok(self.select("id = ?1", params![id])?.pop())
    }

    /// Executions that had not ended.
    pub(super) fn unfinished(&self) -> Result<Vec<Execution>, HistoryError> {
        self.select("state IN (?1, ?2)", params![State::Queued.name(), State::Running.name()])
    }

    /// Ids of a workgroup's executions, newest first: `count` of them older than position `before`, with their positions.
    pub(super) fn list(&self, workgroup: &str, before: Option<i64>, count: usize) -> Result<Vec<(i64, String)>, HistoryError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare("SELECT seq, id FROM executions WHERE workgroup = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3")?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows =
            statement.query_map(params![workgroup, before.unwrap_or(i64::MAX), count], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn select(&self, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Execution>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("SELECT body FROM executions WHERE {condition} ORDER BY seq"))?;
        let bodies = statement.query_map(values, |row| row.get::<_, String>(0))?;
        bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
