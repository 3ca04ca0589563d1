//! What was asked of the sandbox, by which keys, and how it answered: one JSON line each, as CloudTrail would have it. Tests count
//! here what a run really did, not in the run's own journal.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::core::units::Timestamp;

/// Bytes after which a new file is begun; the one before is kept. About 40,000 requests.
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
    limit: u64,
    file: Mutex<Option<File>>,
}

impl Ledger {
    /// Appends to the file at `path` from now on. A ledger that cannot be written stops no request: nothing rests on it.
    pub fn at(path: PathBuf) -> Self {
        let file = open(&path);
        Self { path, limit: LIMIT, file: Mutex::new(file) }
    }

    /// Adds an entry.
    pub fn record(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_mut().map(|file| file.write_all(&line).and_then(|()| file.metadata()));
        match written {
            Some(Ok(metadata)) if metadata.len() >= self.limit => {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: i64) -> Entry {
        Entry {
            at: Timestamp(n),
            access_key_id: "ASIAEXAMPLE".to_owned(),
            principal: "arn:aws:sts::123456789012:assumed-role/shop/tg-1".to_owned(),
            service: "athena".to_owned(),
            operation: "StartQueryExecution".to_owned(),
            outcome: "ok".to_owned(),
        }
    }

    #[test]
    fn it_goes_on_after_a_restart_and_stays_small() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        for n in 0..10 {
            let ledger = Ledger { limit: 1_000, ..Ledger::at(path.clone()) };
            ledger.record(&entry(n));
            assert_eq!(ledger.entries().last(), Some(&entry(n)));
        }
        let entries = Ledger::at(path.clone()).entries();
        assert!(entries.len() >= 5 && entries.windows(2).all(|pair| pair[0].at < pair[1].at), "{entries:?}");
        assert!(fs::metadata(&path).map_or(0, |found| found.len()) < 1_300);
    }

    #[test]
    fn without_a_place_it_stops_nothing() {
        let ledger = Ledger::at(PathBuf::from("/nonexistent/ledger.jsonl"));
        ledger.record(&entry(1));
        assert_eq!(ledger.entries(), []);
    }
}
