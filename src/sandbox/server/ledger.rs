//! What was asked of the sandbox, by which keys, and how it answered: one JSON line each, as CloudTrail would have it. Tests count
//! here what a run really did, not in the run's own journal.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::core::units::Timestamp;

/// Bytes after which a new file is begun; the one before is kept.
const LIMIT: u64 = 8 * 1024 * 1024;

/// One request whose signature was good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it arrived, by the sandbox's clock.
    pub at: Timestamp,
    /// Whose keys.
    pub access_key_id: String,
    /// Whose name.
    pub principal: String,
    /// `sts`, `athena`, `dynamodb`.
    pub service: String,
    /// `StartQueryExecution`; empty where there was none.
    pub operation: String,
    /// `ok`, or the error's name.
    pub outcome: String,
}

/// The file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Ledger {
    /// Appends to the file at `path` from now on. A ledger that cannot be written stops no request: nothing rests on it.
    pub fn at(path: PathBuf) -> Self {
        let file = open(&path);
        Self { path, file: Mutex::new(file) }
    }

    /// Adds an entry.
    pub fn record(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_mut().map(|file| file.write_all(&line).and_then(|()| file.metadata()));
        match written {
            Some(Ok(metadata)) if metadata.len() >= LIMIT => {
                let _ = fs::rename(&self.path, older(&self.path));
                *file = open(&self.path);
            }
            Some(Err(error)) => tracing::warn!(%error, "cannot write the sandbox's ledger"),
            _ => {}
        }
    }

    /// The entries of this file and the one before it, the oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let lines = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let text = lines(&older(&self.path)) + &lines(&self.path);
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn open(path: &Path) -> Option<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok()
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("1.jsonl")
}
