//! Files that are private to this person: fetched rows and exports, and (in `acts`) notes of what the journal could not take.
//!
//! `<state>/spool/<run>/<execution>.jsonl` holds the rows of one execution: a header line, then one JSON array a row. They go with
//! the run, or after 24 hours. `<state>/exports/` is the operator's own: nothing there is ever overwritten or removed.

mod acts;

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::private::{self, PrivateError};
use crate::engine::ports::{RowColumn, Rows, Spool, SpoolError};

/// How long rows of a run that nobody ended are kept (CONTRACTS §6).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How many exports of one name there may be.
const SAME_NAME: u32 = 10_000;

/// The private spool below one state directory.
#[derive(Debug, Clone)]
pub struct FileSpool {
    spool: PathBuf,
    exports: PathBuf,
}

/// The first line of a spool file.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    columns: Vec<RowColumn>,
    rows: usize,
    truncated: bool,
}

impl FileSpool {
    /// The spool below `state`, which is already private.
    pub fn open(state: &Path) -> Result<Self, PrivateError> {
        Ok(Self { spool: private::directory(&state.join("spool"))?, exports: private::directory(&state.join("exports"))? })
    }

    /// Removes rows that were written more than 24 hours before `now`, and run directories left empty. Notes of acts stay until
    /// they are imported.
    pub fn sweep(&self, now: SystemTime) -> Result<(), SpoolError> {
        for run in self.run_directories()? {
            let old = |file: &Path| {
                let written = fs::metadata(file).and_then(|about| about.modified()).unwrap_or(now);
                now.duration_since(written).is_ok_and(|age| age > KEPT)
            };
            self.clear(&run, old)?;
        }
        Ok(())
    }

    /// Directories of runs.
    fn run_directories(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let list = || -> io::Result<Vec<PathBuf>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.spool)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    found.push(entry.path());
                }
            }
            found.sort();
            Ok(found)
        };
        list().map_err(|e| failed(&self.spool, &e))
    }

    /// Removes those files of one run that `gone` says, except notes that are not imported; and the directory when it is empty.
    fn clear(&self, run: &Path, gone: impl Fn(&Path) -> bool) -> Result<(), SpoolError> {
        let clear = || -> io::Result<()> {
            let mut left = false;
            for entry in fs::read_dir(run)? {
                let file = entry?.path();
                let notes = file.file_name().is_some_and(|name| name == acts::FILE);
                if (notes && acts::holds_notes(&file)?) || !gone(&file) {
                    left = true;
                } else {
                    fs::remove_file(&file)?;
                }
            }
            if !left {
                fs::remove_dir(run)?;
            }
            Ok(())
        };
        match clear() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(run, &error)),
            _ => Ok(()),
        }
    }

    /// The directory of one run.
    fn run_directory(&self, run: &str) -> Result<PathBuf, SpoolError> {
        checked(run).map(|name| self.spool.join(name))
    }

    /// The directory of one run, there.
    fn made_directory(&self, run: &str) -> Result<PathBuf, SpoolError> {
        let directory = self.run_directory(run)?;
        private::directory(&directory).map_err(|e| SpoolError { path: e.path, reason: e.reason })
    }
}

impl Spool for FileSpool {
    fn write(&self, run: &str, execution: &str, rows: &Rows) -> Result<String, SpoolError> {
        let directory = self.made_directory(run)?;
        let path = directory.join(format!("{}.jsonl", checked(execution)?));
        let draft = directory.join(format!("{}.draft-{}", checked(execution)?, ulid::Ulid::generate()));
        let write = || -> io::Result<String> {
            let mut file = Hashing { file: BufWriter::new(private::new_file(&draft)?), hash: Sha256::new() };
            let header = Header { columns: rows.columns.clone(), rows: rows.rows.len(), truncated: rows.truncated };
            file.line(&header)?;
            for row in &rows.rows {
                file.line(row)?;
            }
            file.file.flush()?;
            file.file.get_ref().sync_all()?;
            // A reader sees the old rows or the new ones, whole.
            fs::rename(&draft, &path)?;
            private::sync_directory(&directory)?;
            Ok(hex::encode(file.hash.finalize()))
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&draft);
            failed(&path, &error)
        })
    }

    fn read(&self, run: &str, execution: &str) -> Result<Option<Rows>, SpoolError> {
        let path = self.run_directory(run)?.join(format!("{}.jsonl", checked(execution)?));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let damaged =
            || SpoolError { path: path.display().to_string(), reason: "these are not rows as they were written".into() };
        let mut lines = BufReader::new(file).lines();
        let first = lines.next().ok_or_else(damaged)?.map_err(|e| failed(&path, &e))?;
        let header: Header = serde_json::from_str(&first).map_err(|_| damaged())?;
        let mut rows = Vec::new();
        for line in lines {
            let row: Vec<Option<String>> = serde_json::from_str(&line.map_err(|e| failed(&path, &e))?).map_err(|_| damaged())?;
            if row.len() != header.columns.len() {
                return Err(damaged());
            }
            rows.push(row);
        }
        if rows.len() != header.rows {
            return Err(damaged());
        }
        Ok(Some(Rows { columns: header.columns, rows, truncated: header.truncated }))
    }

    fn remove(&self, run: &str) -> Result<(), SpoolError> {
        self.clear(&self.run_directory(run)?, |_| true)
    }

    fn export(&self, name: &str, bytes: &[u8]) -> Result<String, SpoolError> {
        let name = checked_file_name(name)?;
        let (stem, ending) = name.rsplit_once('.').map_or((name, String::new()), |(stem, ending)| (stem, format!(".{ending}")));
        for number in 1..=SAME_NAME {
            let path = match number {
                1 => self.exports.join(name),
                n => self.exports.join(format!("{stem}-{n}{ending}")),
            };
            let write = || -> io::Result<()> {
                let mut file = private::new_file(&path)?;
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                if written.is_err() {
                    let _ = fs::remove_file(&path);
                }
                written?;
                private::sync_directory(&self.exports)
            };
            match write() {
                Ok(()) => return Ok(path.display().to_string()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&path, &error)),
            }
        }
        let path = self.exports.join(name).display().to_string();
        Err(SpoolError { path, reason: format!("there are {SAME_NAME} exports of this name; move some away") })
    }
}

/// A file that is hashed as it is written.
struct Hashing {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)
    }
}

/// Ids become file names: nothing but letters, digits, `-` and `_`.
fn checked(id: &str) -> Result<&str, SpoolError> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits { Ok(id) } else { Err(SpoolError { path: format!("{id:?}"), reason: "not an id".to_owned() }) }
}

/// A plain file name, no path and nothing hidden.
fn checked_file_name(name: &str) -> Result<&str, SpoolError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let fits = (1..=128).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.');
    let reason = "an export's name has letters, digits, `-`, `_` and `.`, and does not begin with a dot";
    if fits { Ok(name) } else { Err(SpoolError { path: format!("{name:?}"), reason: reason.to_owned() }) }
}

fn failed(path: &Path, error: &io::Error) -> SpoolError {
    let PrivateError { path, reason } = PrivateError::io(path, error);
    SpoolError { path, reason }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn rows(cells: &[&[Option<&str>]]) -> Rows {
        let column = |name: &str| RowColumn { name: name.into(), kind: "varchar".into() };
        let rows = cells.iter().map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect()).collect();
        Rows { columns: vec![column("a\u{202e}"), column("b")], rows, truncated: true }
    }

    fn spool() -> (tempfile::TempDir, FileSpool) {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let spool = FileSpool::open(dir.path()).unwrap();
        (dir, spool)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let (dir, spool) = spool();
        let written = rows(&[&[Some(""), None], &[Some("line\nbreak \u{1b}[31m"), Some("∅")]]);
        let hash = spool.write("RUN", "EXEC", &written).unwrap();
        let path = dir.path().join("spool/RUN/EXEC.jsonl");
        assert_eq!(hash, hex::encode(Sha256::digest(fs::read(&path).unwrap())));
        assert_eq!((mode(&path), mode(&dir.path().join("spool/RUN"))), (0o600, 0o700));
        assert_eq!(spool.read("RUN", "EXEC").unwrap(), Some(written));
        assert_eq!(spool.read("RUN", "OTHER").unwrap(), None);

        let fewer = rows(&[]);
        spool.write("RUN", "EXEC", &fewer).unwrap();
        assert_eq!(spool.read("RUN", "EXEC").unwrap(), Some(fewer));
        assert_eq!(fs::read_dir(dir.path().join("spool/RUN")).unwrap().count(), 1, "no draft is left");

        spool.remove("RUN").unwrap();
        spool.remove("RUN").unwrap();
        assert_eq!(spool.read("RUN", "EXEC").unwrap(), None);
        assert!(!dir.path().join("spool/RUN").exists());
    }

    #[test]
    fn damaged_rows_are_an_error() {
        let (dir, spool) = spool();
        spool.write("RUN", "EXEC", &rows(&[&[None, None], &[None, None]])).unwrap();
        let path = dir.path().join("spool/RUN/EXEC.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        let cut = whole.rsplit_once('[').unwrap().0.to_owned();
        for text in ["", "{}", "not json", &cut, &whole.replacen("[null,null]", "[null]", 1), &format!("{whole}[null,null]\n")] {
            fs::write(&path, text).unwrap();
            assert!(spool.read("RUN", "EXEC").unwrap_err().reason.contains("not rows"), "{text}");
        }
    }

    #[test]
    fn names_stay_inside() {
        let (_dir, spool) = spool();
        for bad in ["", "..", "a/b", "a\0", "a.b", &"x".repeat(65)] {
            assert!(spool.write(bad, "EXEC", &rows(&[])).is_err(), "{bad:?}");
            assert!(spool.read("RUN", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "..", ".hidden", "a/b.csv", "a\u{202e}.csv", "-\n"] {
            assert!(spool.export(bad, b"x").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn exports_never_overwrite() {
        let (dir, spool) = spool();
        let first = spool.export("rows.csv", b"one").unwrap();
        let second = spool.export("rows.csv", b"two").unwrap();
        assert!(first.ends_with("exports/rows.csv") && second.ends_with("exports/rows-2.csv"), "{first} {second}");
        assert_eq!(fs::read(&first).unwrap(), b"one");
        assert_eq!(mode(&dir.path().join("exports/rows-2.csv")), 0o600);
    }

    #[test]
    fn a_sweep_takes_what_is_a_day_old() {
        let (dir, spool) = spool();
        spool.write("OLD", "EXEC", &rows(&[])).unwrap();
        spool.export("rows.csv", b"one").unwrap();
        let hours = |n: u64| SystemTime::now() + Duration::from_secs(n * 3600);
        spool.sweep(hours(23)).unwrap();
        assert!(spool.read("OLD", "EXEC").unwrap().is_some());
        spool.sweep(hours(25)).unwrap();
        assert!(spool.read("OLD", "EXEC").unwrap().is_none());
        assert!(!dir.path().join("spool/OLD").exists());
        assert!(dir.path().join("exports/rows.csv").exists());
    }
}
