//! Notes of acts that the journal could not take: one file a run, whose room is taken before it is needed, so that neither a full
//! disk nor a locked journal can keep a note out. Lines of JSON, then zeros up to the end of the room.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::engine::ports::{Act, Notes, SpoolError};

use super::{FileSpool, failed};

/// The file's name within its run's directory.
pub(super) const FILE: &str = "acts";

/// Room taken in advance, in bytes. An act is a few hundred; a run has few statements running at once.
const ROOM: u64 = 64 << 10;

impl Notes for FileSpool {
    fn prepare(&self, run: &str) -> Result<(), SpoolError> {
        let path = self.made_directory(run)?.join(FILE);
        open(&path).and_then(|file| take_room(&file)).map_err(|e| failed(&path, &e))
    }

    fn note(&self, run: &str, act: &Act) -> Result<(), SpoolError> {
        let path = self.made_directory(run)?.join(FILE);
        let write = || -> io::Result<()> {
            let mut line = serde_json::to_vec(act)?;
            line.push(b'\n');
            let mut file = open(&path)?;
            let end = written(&mut file)?.len() as u64;
            file.seek(SeekFrom::Start(end))?;
            file.write_all(&line)?;
            file.sync_all()
        };
        write().map_err(|e| failed(&path, &e))
    }

    fn pending(&self, run: &str) -> Result<Vec<Act>, SpoolError> {
        let path = self.run_directory(run)?.join(FILE);
        let bytes = match File::open(&path).and_then(|mut file| written(&mut file)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&path, &error)),
        };
        // A line that a crash cut off in the middle was never noted: it has no end.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes
            .get(..whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice(line).map_err(|error| SpoolError {
                    path: path.display().to_string(),
                    reason: format!("a note cannot be read ({error}); read it by hand, then move the file away"),
                })
            })
            .collect()
    }

    fn noted_runs(&self) -> Result<Vec<String>, SpoolError> {
        let mut runs = Vec::new();
        for directory in self.run_directories()? {
            let file = directory.join(FILE);
            let noted = holds_notes(&file).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(e) });
            if noted.map_err(|e| failed(&file, &e))? {
                runs.extend(directory.file_name().and_then(|name| name.to_str()).map(str::to_owned));
            }
        }
        Ok(runs)
    }

    fn imported(&self, run: &str) -> Result<(), SpoolError> {
        let path = self.run_directory(run)?.join(FILE);
        let clear = || -> io::Result<()> {
            let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            // Zeros, not a shorter file: the room stays taken for the next note.
            let zeros = vec![0; written(&mut file)?.len()];
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&zeros)?;
            file.sync_all()
        };
        clear().map_err(|e| failed(&path, &e))
    }
}

/// Whether there is anything in the notes at `path`.
pub(super) fn holds_notes(path: &Path) -> io::Result<bool> {
    let mut first = [0_u8];
    let count = File::open(path)?.read(&mut first)?;
    Ok(count == 1 && first != [0])
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Takes the room, durably; does nothing where it is taken.
fn take_room(file: &File) -> io::Result<()> {
    if file.metadata()?.len() >= ROOM {
        return Ok(());
    }
    // A file system without preallocation gets zeros written, which comes to the same.
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, ROOM) {
        Ok(()) => {}
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let mut end = file;
            let start = end.seek(SeekFrom::End(0))?;
            let missing = usize::try_from(ROOM.saturating_sub(start)).unwrap_or(0);
            end.write_all(&vec![0; missing])?;
        }
        Err(error) => return Err(error.into()),
    }
    file.sync_all()
}

/// What is written in the file, up to the zeros.
fn written(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::core::run::EventBody;
    use crate::core::units::Timestamp;
    use crate::engine::ports::Spool as _;

    fn act(text: &str) -> Act {
        Act {
            happened_at: Timestamp(7),
            body: EventBody::KeysDropped { mint: text.into(), reason: "deadline\n\0".into(), happened_at: None },
        }
    }

    fn spool() -> (tempfile::TempDir, FileSpool) {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let spool = FileSpool::open(dir.path()).unwrap();
        (dir, spool)
    }

    #[test]
    fn notes_wait_in_room_that_was_taken() {
        let (dir, spool) = spool();
        let path = dir.path().join("spool/RUN/acts");
        spool.prepare("RUN").unwrap();
        let about = fs::metadata(&path).unwrap();
        assert_eq!((about.len(), about.mode() & 0o777), (ROOM, 0o600));
        assert!(about.blocks() * 512 >= ROOM, "the room is really taken");
        assert!(spool.pending("RUN").unwrap().is_empty() && spool.noted_runs().unwrap().is_empty());

        spool.note("RUN", &act("one")).unwrap();
        spool.note("RUN", &act("two")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), ROOM, "a note takes no more");
        assert_eq!(spool.pending("RUN").unwrap(), [act("one"), act("two")]);
        assert_eq!(spool.noted_runs().unwrap(), ["RUN"]);

        spool.prepare("RUN").unwrap();
        assert_eq!(spool.pending("RUN").unwrap().len(), 2, "preparing again loses nothing");
        spool.imported("RUN").unwrap();
        assert!(spool.pending("RUN").unwrap().is_empty());
        spool.note("RUN", &act("three")).unwrap();
        assert_eq!(spool.pending("RUN").unwrap(), [act("three")]);
    }

    #[test]
    fn notes_outlive_the_run_until_they_are_imported() {
        let (dir, spool) = spool();
        spool.note("RUN", &act("one")).unwrap();
        spool.remove("RUN").unwrap();
        spool.sweep(SystemTime::now() + Duration::from_secs(48 * 3600)).unwrap();
        assert_eq!(spool.pending("RUN").unwrap(), [act("one")]);
        spool.imported("RUN").unwrap();
        spool.remove("RUN").unwrap();
        assert!(!dir.path().join("spool/RUN").exists());
        spool.imported("RUN").unwrap();
    }

    #[test]
    fn a_note_cut_off_was_never_noted() {
        let (dir, spool) = spool();
        spool.note("RUN", &act("one")).unwrap();
        let path = dir.path().join("spool/RUN/acts");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"happened_at\":\"2026-");
        fs::write(&path, &bytes).unwrap();
        assert_eq!(spool.pending("RUN").unwrap(), [act("one")]);
        // A broken line in the middle is something else: somebody must look.
        bytes.extend_from_slice(b"\n");
        fs::write(&path, &bytes).unwrap();
        assert!(spool.pending("RUN").unwrap_err().reason.contains("by hand"));
    }
}
