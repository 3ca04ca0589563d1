//! The journal on one SQLite file: WAL, `synchronous=FULL`, every write in one `BEGIN IMMEDIATE` transaction behind a fair queue.

mod fault;
mod place;
mod queue;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::core::evidence::{self, Break, GENESIS, Head, Stored, Verified};
use crate::core::run::{Event, EventBody};
use crate::core::units::Timestamp;
use crate::engine::ports::{Append, Journal, JournalError, Lease};

use fault::Fault;
use place::FileId;
pub use place::Sharing;
use queue::Queue;

/// How long a writer waits for its turn before it says so. Nothing is written meanwhile, so nothing is done.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long SQLite itself waits for a program that writes without queueing.
const BUSY: Duration = Duration::from_secs(5);

/// How many candidates an ambiguous id names.
const CANDIDATES: usize = 5;

/// The journal on SQLite.
#[derive(Debug)]
pub struct SqliteJournal {
    path: PathBuf,
    file: FileId,
    fault: Fault,
    queue: Queue,
    patience: Duration,
    // Two connections, so that looking never waits for a write that waits for its turn.
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// What the store says a run's newest event and newest driver are.
struct Tip {
    seq: u64,
    hash: String,
    epoch: u64,
}

/// Event bytes by stored position.
pub type StoredEvents = Vec<(u64, Vec<u8>)>;

impl SqliteJournal {
    /// Opens the store at `path`, creating it where nothing is; refuses places and files whose permissions are too wide.
    pub fn open(path: &Path, sharing: Sharing) -> Result<Self, JournalError> {
        let path = place::prepare(path, sharing)?;
        let fault = Fault::new(&path);
        let queue = Queue::new(&path);
        let file = FileId::at(&path).map_err(|e| fault.io(&path, &e))?.ok_or_else(|| fault.replaced())?;
        let mut writer = connect(&path, &fault)?;
        if matches!(schema::kind(&writer, &fault)?, schema::Kind::Empty) {
            let _turn = queue.enter(PATIENCE, &fault)?;
            schema::create(&mut writer, &fault)?;
        }
        let reader = connect(&path, &fault)?;
        let journal =
            Self { path, file, fault, queue, patience: PATIENCE, writer: Mutex::new(writer), reader: Mutex::new(reader) };
        journal.in_place()?;
        Ok(journal)
    }

    /// The same journal, waiting at most `patience` for its turn to write.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A run as stored, for verification: bytes by position, and the recorded head (`None` when the store knows no such run).
    pub fn stored(&self, run: &str) -> Result<(StoredEvents, Option<Head>), JournalError> {
        let mut reader = self.reader();
        // One transaction, so that events and head are of one moment.
        let transaction = reader.transaction().map_err(|e| self.fault.of(e))?;
        let mut rows = Vec::new();
        {
            let mut statement = transaction
                .prepare_cached("SELECT seq, json FROM events WHERE run = ?1 ORDER BY seq, id")
                .map_err(|e| self.fault.of(e))?;
            let mut found = statement.query([run]).map_err(|e| self.fault.of(e))?;
            while let Some(row) = found.next().map_err(|e| self.fault.of(e))? {
                let json = match row.get_ref(1).map_err(|e| self.fault.of(e))? {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                    _ => Vec::new(),
                };
                rows.push((row.get(0).map_err(|e| self.fault.of(e))?, json));
            }
        }
        let head = tip(&transaction, run).map_err(|e| self.fault.of(e))?.map(|tip| Head { seq: tip.seq, hash: tip.hash });
        Ok((rows, head))
    }

    /// Verifies one run's chain against its recorded head.
    pub fn verify(&self, run: &str) -> Result<Result<Verified, Vec<Break>>, JournalError> {
        let (rows, head) = self.stored(run)?;
        let stored: Vec<Stored<'_>> = rows.iter().map(|(seq, json)| Stored { seq: *seq, json }).collect();
        Ok(evidence::verify(run, &stored, head.as_ref()))
    }

    /// Every run that the store has anything of, oldest first: also events that no run counts, and runs without events.
    pub fn known(&self) -> Result<Vec<String>, JournalError> {
        self.column(
            "SELECT run FROM (SELECT run, id FROM runs UNION ALL SELECT run, NULL FROM events) GROUP BY run ORDER BY min(id)",
            [],
        )
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the path still leads to the file that was opened: else appends would go where nobody reads.
    fn in_place(&self) -> Result<(), JournalError> {
        match FileId::at(&self.path) {
            Ok(Some(now)) if now == self.file => Ok(()),
            Ok(_) => Err(self.fault.replaced()),
            Err(error) => Err(self.fault.io(&self.path, &error)),
        }
    }

    /// Runs `write` in one transaction, when it is our turn; nothing stays of it unless it succeeds.
    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut writer = self.writer();
        let _turn = self.queue.enter(self.patience, &self.fault)?;
        self.in_place()?;
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| self.fault.of(e))?;
        let done = write(&transaction)?;
        transaction.commit().map_err(|e| self.fault.of(e))?;
        Ok(done)
    }

    /// One text column of all rows.
    fn column(&self, sql: &str, given: impl rusqlite::Params) -> Result<Vec<String>, JournalError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql).map_err(|e| self.fault.of(e))?;
        let found = statement.query_map(given, |row| row.get(0)).map_err(|e| self.fault.of(e))?;
        found.collect::<Result<_, _>>().map_err(|e| self.fault.of(e))
    }

    /// The newest event must be the one that the head names: a broken chain is not continued.
    fn unbroken(&self, transaction: &Transaction<'_>, run: &str, tip: &Tip) -> Result<(), JournalError> {
        let newest: Option<(u64, String)> = transaction
            .prepare_cached("SELECT seq, json FROM events WHERE run = ?1 ORDER BY seq DESC LIMIT 1")
            .and_then(|mut statement| statement.query_row([run], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(|e| self.fault.of(e))?;
        // Within the stored text this can only be the event's own hash: quotes inside a value are escaped.
        let named = format!("\"hash\":\"{}\"", tip.hash);
        match newest {
            Some((seq, json)) if seq == tip.seq && json.contains(&named) => Ok(()),
            None if tip.seq == 0 => Ok(()),
            _ => Err(self.fault.unusable(format!(
                "the chain of run {run} is broken at its end; nothing was changed. `tollgate runs verify {run}` says where"
            ))),
        }
    }
}

impl Journal for SqliteJournal {
    fn runs(&self) -> Result<Vec<String>, JournalError> {
        self.column("SELECT run FROM runs ORDER BY id DESC", [])
    }

    fn events(&self, run: &str) -> Result<Vec<Event>, JournalError> {
        let events = self.events_after(run, 0)?;
        if events.is_empty() {
            return Err(JournalError::Unknown(format!("there is no run {run} in {}", self.path())));
        }
        Ok(events)
    }

    fn events_after(&self, run: &str, seq: u64) -> Result<Vec<Event>, JournalError> {
        let texts = self.column("SELECT json FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq", params![run, seq])?;
        texts
            .iter()
            .map(|json| {
                serde_json::from_str(json).map_err(|error| {
                    self.fault.unusable(format!(
                        "an event of run {run} cannot be read ({error}); `tollgate runs verify {run}` says which"
                    ))
                })
            })
            .collect()
    }

    fn append(&self, append: &Append) -> Result<Vec<Event>, JournalError> {
        self.write(|transaction| {
            let stored = tip(transaction, &append.run).map_err(|e| self.fault.of(e))?;
            let mut tip = stored.unwrap_or_else(|| Tip { seq: 0, hash: GENESIS.to_owned(), epoch: 0 });
            if tip.seq != append.expected_seq {
                return Err(JournalError::Conflict { expected: append.expected_seq, found: tip.seq });
            }
            self.unbroken(transaction, &append.run, &tip)?;
            let mut sealed = Vec::with_capacity(append.events.len());
            for (at, body) in &append.events {
                if let EventBody::DriverTaken { epoch, .. } = body {
                    // A driver decided on an older state than the newest driver's: it never had the run.
                    if *epoch <= tip.epoch {
                        return Err(JournalError::EpochGone);
                    }
                    tip.epoch = *epoch;
                }
                if append.epoch.is_some_and(|epoch| epoch != tip.epoch) {
                    return Err(JournalError::EpochGone);
                }
                let event = evidence::seal(&append.run, tip.seq + 1, *at, &append.actor, body.clone(), &tip.hash)
                    .map_err(|error| self.fault.unusable(error.to_string()))?;
                self.insert(transaction, &event)?;
                tip.seq = event.seq;
                tip.hash.clone_from(&event.hash);
                sealed.push(event);
            }
            if sealed.is_empty() {
                return Ok(sealed);
            }
            transaction
                .prepare_cached(
                    "INSERT INTO runs (run, seq, hash, epoch) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (run) DO UPDATE SET seq = ?2, hash = ?3, epoch = ?4",
                )
                .and_then(|mut statement| statement.execute(params![append.run, tip.seq, tip.hash, tip.epoch]))
                .map_err(|e| self.fault.of(e))?;
            Ok(sealed)
        })
    }

    fn beat(&self, run: &str, lease: &Lease) -> Result<(), JournalError> {
        self.write(|transaction| {
            let Some(tip) = tip(transaction, run).map_err(|e| self.fault.of(e))? else {
                return Err(JournalError::Unknown(format!("there is no run {run} in {}", self.path())));
            };
            if tip.epoch != lease.epoch {
                return Err(JournalError::EpochGone);
            }
            transaction
                .prepare_cached("INSERT OR REPLACE INTO leases (run, epoch, pid, host, beat_at) VALUES (?1, ?2, ?3, ?4, ?5)")
                .and_then(|mut statement| statement.execute(params![run, lease.epoch, lease.pid, lease.host, lease.beat_at.0]))
                .map_err(|e| self.fault.of(e))?;
            Ok(())
        })
    }

    fn lease(&self, run: &str) -> Result<Option<Lease>, JournalError> {
        self.reader()
            .prepare_cached("SELECT epoch, pid, host, beat_at FROM leases WHERE run = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([run], |row| {
                        Ok(Lease { epoch: row.get(0)?, pid: row.get(1)?, host: row.get(2)?, beat_at: Timestamp(row.get(3)?) })
                    })
                    .optional()
            })
            .map_err(|e| self.fault.of(e))
    }

    fn release(&self, run: &str, epoch: u64) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM leases WHERE run = ?1 AND epoch = ?2")
                .and_then(|mut statement| statement.execute(params![run, epoch]))
                .map_err(|e| self.fault.of(e))?;
            Ok(())
        })
    }

    fn resolve(&self, suffix: &str) -> Result<String, JournalError> {
        // ULIDs are written in capitals; people type as they like.
        let end = suffix.trim().to_ascii_uppercase();
        if end.len() < 4 || !end.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(JournalError::Unknown(format!(
                "`{suffix}` is not the end of an id: give at least its last 4 characters"
            )));
        }
        let mut runs = self.column(
            "SELECT run FROM runs WHERE substr(run, -length(?1)) = ?1
             UNION SELECT run FROM requests WHERE substr(request, -length(?1)) = ?1 ORDER BY run DESC",
            [&end],
        )?;
        match (runs.len(), runs.pop()) {
            (1, Some(run)) => Ok(run),
            (0, _) => Err(JournalError::Unknown(format!("no run or request ends in {end}, in {}", self.path()))),
            (count, last) => {
                runs.extend(last);
                let shown = runs.iter().take(CANDIDATES).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if count > CANDIDATES { format!(" and {} more", count - CANDIDATES) } else { String::new() };
                Err(JournalError::Unknown(format!("{count} runs end in {end}: {shown}{more}; give more of the id")))
            }
        }
    }

    fn version(&self) -> Result<u64, JournalError> {
        self.in_place()?;
        self.reader()
            .prepare_cached("SELECT coalesce(max(id), 0) FROM events")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|e| self.fault.of(e))
    }

    fn path(&self) -> String {
        self.fault.path()
    }
}

impl SqliteJournal {
    fn insert(&self, transaction: &Transaction<'_>, event: &Event) -> Result<(), JournalError> {
        let json = evidence::stored_form(event).map_err(|error| self.fault.unusable(error.to_string()))?;
        transaction
            .prepare_cached("INSERT INTO events (run, seq, json) VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![event.run, event.seq, json]))
            .map_err(|e| self.fault.of(e))?;
        if let EventBody::RequestSent { request, .. } = &event.body {
            transaction
                .prepare_cached("INSERT INTO requests (request, run) VALUES (?1, ?2)")
                .and_then(|mut statement| statement.execute(params![request, event.run]))
                .map_err(|e| self.fault.of(e))?;
        }
        Ok(())
    }
}

/// The recorded end of a run.
fn tip(connection: &Connection, run: &str) -> rusqlite::Result<Option<Tip>> {
    connection
        .prepare_cached("SELECT seq, hash, epoch FROM runs WHERE run = ?1")?
        .query_row([run], |row| Ok(Tip { seq: row.get(0)?, hash: row.get(1)?, epoch: row.get(2)? }))
        .optional()
}

/// One connection: never creates the file, never follows a link, fsyncs every commit.
fn connect(path: &Path, fault: &Fault) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| fault.of(e))?;
    // SQLite opens what it may only read without a word.
    if connection.is_readonly("main").map_err(|e| fault.of(e))? {
        return Err(fault.read_only());
    }
    connection.busy_timeout(BUSY).map_err(|e| fault.of(e))?;
    connection.pragma_update(None, "synchronous", "full").map_err(|e| fault.of(e))?;
    // Views and triggers that somebody with the right to write added must not call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false).map_err(|e| fault.of(e))?;
    Ok(connection)
}
