//! Directories and files that belong to one person: 0700 and 0600, of one's own, never where others could put something else in
//! their place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A place that is not private, or cannot be made so.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct PrivateError {
    /// The directory or file.
    pub path: String,
    /// Why, and what to do.
    pub reason: String,
}

impl PrivateError {
    /// About `path`.
    pub fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.display().to_string(), reason: reason.into() }
    }

    /// The operating system's answer about `path`, with what to do.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and try again",
            io::ErrorKind::PermissionDenied => "; use another place with --state-dir",
            io::ErrorKind::ReadOnlyFilesystem => "; use another place with --state-dir",
            _ => "",
        };
        Self::new(path, format!("{error}{advice}"))
    }
}

/// The real path of a private directory at `path`, made (0700, with what is missing above it) if it is not there.
pub fn directory(path: &Path) -> Result<PathBuf, PrivateError> {
    if !path.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| PrivateError::io(path, &e))?;
    }
    let directory = fs::canonicalize(path).map_err(|e| PrivateError::io(path, &e))?;
    let about = fs::metadata(&directory).map_err(|e| PrivateError::io(&directory, &e))?;
    if !about.is_dir() {
        return Err(PrivateError::new(&directory, "it is not a directory; move it away, or use another place"));
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(PrivateError::new(&directory, format!("it belongs to somebody else (uid {})", about.uid())));
    }
    if about.mode() & 0o077 != 0 {
        let reason = format!("others may enter it; run `chmod 700 {}`", directory.display());
        return Err(PrivateError::new(&directory, reason));
    }
    match exposed_above(&directory) {
        Ok(None) => Ok(directory),
        Ok(Some(above)) => {
            let above = above.display();
            let reason = format!("everybody may write to {above}, above it; run `chmod o-w {above}`, or use another place");
            Err(PrivateError::new(&directory, reason))
        }
        Err(error) => Err(PrivateError::io(&directory, &error)),
    }
}

/// The nearest directory above `path` in which everybody may rename what is not theirs: world-writable without the sticky bit.
pub fn exposed_above(path: &Path) -> io::Result<Option<PathBuf>> {
    for above in path.ancestors().skip(1) {
        let mode = fs::metadata(above)?.mode();
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Ok(Some(above.to_owned()));
        }
    }
    Ok(None)
}

/// Opens a file for writing that was not there before, 0600.
pub fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes what was created, renamed or removed in `directory` durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
