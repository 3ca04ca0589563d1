//! What went wrong with the store, in the journal's words: what happened, why, what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::engine::ports::JournalError;

/// SQLITE_READONLY_DBMOVED: the file under the path is another one now.
const READONLY_DBMOVED: i32 = 1032;

/// SQLITE_IOERR_SHMSIZE: the shared-memory file could not grow, which is a full disk.
const IOERR_SHMSIZE: i32 = 4874;

/// SQLITE_IOERR_CORRUPTFS.
const IOERR_CORRUPTFS: i32 = 8458;

/// Turns causes into [`JournalError`]s that name one store.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    path: PathBuf,
}

impl Fault {
    /// Errors about the store at `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The store's file, for messages.
    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// It may work later.
    pub(crate) fn temporary(&self, reason: impl Into<String>) -> JournalError {
        JournalError::Temporary { path: self.path(), reason: reason.into() }
    }

    /// It will not work until somebody changes something.
    pub(crate) fn unusable(&self, reason: impl Into<String>) -> JournalError {
        JournalError::Unusable { path: self.path(), reason: reason.into() }
    }

    /// SQLite's answer.
    pub(crate) fn of(&self, error: rusqlite::Error) -> JournalError {
        let rusqlite::Error::SqliteFailure(failure, text) = &error else {
            return self.unusable(error.to_string());
        };
        let text = text.clone().unwrap_or_else(|| failure.to_string());
        match (failure.code, failure.extended_code) {
            (_, READONLY_DBMOVED) => self.replaced(),
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
                self.temporary("another program holds its lock; try again, or end that program")
            }
            (ErrorCode::DiskFull, _) | (_, IOERR_SHMSIZE) => self.full(),
            (ErrorCode::ReadOnly, _) => self.read_only(),
            (_, IOERR_CORRUPTFS) | (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => self
                .unusable(format!("it is damaged ({text}); nothing was changed. Keep the file, and start with another --store")),
            (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied, _) => {
                self.temporary(format!("the disk does not answer as it should ({text})"))
            }
            _ => self.unusable(text),
        }
    }

    /// The operating system's answer about `about`.
    pub(crate) fn io(&self, about: &Path, error: &io::Error) -> JournalError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => self.full(),
            io::ErrorKind::ReadOnlyFilesystem => self.read_only(),
            io::ErrorKind::PermissionDenied => self.unusable(format!("{} is not open to you ({error})", about.display())),
            _ => self.temporary(format!("{}: {error}", about.display())),
        }
    }

    /// The disk has no room.
    pub(crate) fn full(&self) -> JournalError {
        self.temporary("the disk is full; nothing was changed. Free some space and try again")
    }

    /// The file may be read, not written.
    pub(crate) fn read_only(&self) -> JournalError {
        self.temporary("it is read-only here; nothing was changed. Make its file system writable, or use another --store")
    }

    /// The path leads to another file than the one opened.
    pub(crate) fn replaced(&self) -> JournalError {
        self.unusable("somebody put another file in its place since it was opened; start again, and ask who did")
    }
}
