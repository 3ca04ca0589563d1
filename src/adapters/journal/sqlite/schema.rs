//! The store's tables and how a file is known to be a journal.

use rusqlite::{Connection, TransactionBehavior};

use crate::engine::ports::JournalError;

use super::fault::Fault;

/// SQLite's `application_id` of a journal: `TGJ1` in ASCII.
const APPLICATION: i32 = 0x5447_4a31;

/// The version of the tables. A file with a larger one was written by a newer tollgate and is refused.
pub(crate) const VERSION: i32 = 1;

/// Events are text in their sealed form, never touched again: the triggers catch mistakes, the chain catches intent.
/// `runs` holds each run's head and the epoch of its newest driver; `requests` finds a run by its request's id.
const TABLES: &str = "
CREATE TABLE runs (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  run   TEXT NOT NULL UNIQUE,
  seq   INTEGER NOT NULL,
  hash  TEXT NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
  id   INTEGER PRIMARY KEY AUTOINCREMENT,
  run  TEXT NOT NULL,
  seq  INTEGER NOT NULL,
  json TEXT NOT NULL,
  UNIQUE (run, seq)
) STRICT;
CREATE TABLE requests (
  request TEXT PRIMARY KEY,
  run     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leases (
  run     TEXT PRIMARY KEY,
  epoch   INTEGER NOT NULL,
  pid     INTEGER NOT NULL,
  host    TEXT NOT NULL,
  beat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_keep BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
";

/// What kind of file this is.
pub(crate) enum Kind {
    /// Nothing was written yet.
    Empty,
    /// A journal of this version.
    Journal,
}

/// Looks at the file's header. A newer journal and another program's file are refused; neither is touched.
pub(crate) fn kind(connection: &Connection, fault: &Fault) -> Result<Kind, JournalError> {
    let number = |name: &str| -> Result<i32, JournalError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|e| fault.of(e))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application == 0 && version == 0 {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(|e| fault.of(e))?;
        return if tables == 0 { Ok(Kind::Empty) } else { Err(fault.unusable("it is another program's SQLite file")) };
    }
    if application != APPLICATION {
        return Err(fault.unusable("it is another program's SQLite file"));
    }
    if version > VERSION {
        return Err(fault.unusable(format!(
            "a newer tollgate wrote it (format {version}, this one knows {VERSION}); use that version, nothing was changed"
        )));
    }
    if version < VERSION {
        return Err(fault.unusable(format!("its format {version} is not known; nothing was changed")));
    }
    Ok(Kind::Journal)
}

/// Makes an empty file a journal, in one transaction; somebody else may have done so meanwhile.
pub(crate) fn create(connection: &mut Connection, fault: &Fault) -> Result<(), JournalError> {
    // WAL is a property of the file: readers then never wait for a writer. It cannot be switched inside a transaction.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(|e| fault.of(e))?;
    if mode != "wal" {
        return Err(fault.unusable(format!("SQLite keeps it in `{mode}` mode; it needs a local disk that allows shared memory")));
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| fault.of(e))?;
    if matches!(kind(&transaction, fault)?, Kind::Empty) {
        transaction.execute_batch(TABLES).map_err(|e| fault.of(e))?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(|e| fault.of(e))?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(|e| fault.of(e))?;
    }
    transaction.commit().map_err(|e| fault.of(e))
}
