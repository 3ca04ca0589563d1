//! The objects: files of the dataset.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::core::units::Timestamp;

/// One object as its file is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: Arc<str>,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) modified: Timestamp,
    /// In quotes. Not the MD5 of the content (S3 promises that of few objects): it changes when the file does, which is all that
    /// a client may rely on.
    pub(super) etag: String,
}

impl Object {
    /// Looks at the file of a key below `root`. `None` where there is no such file.
    pub(super) fn at(root: &Path, key: &Arc<str>) -> io::Result<Option<Self>> {
        let path = root.join(&**key);
        let found = match fs::metadata(&path) {
            Ok(found) if found.is_file() => found,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // S3 knows whole seconds.
        let modified = Timestamp(found.mtime().saturating_mul(1000));
        let state = format!("{key}\n{}\n{}\n{}", found.len(), found.mtime(), found.mtime_nsec());
        let hash = hex::encode(Sha256::digest(state));
        let etag = format!("\"{}\"", hash.get(..32).unwrap_or_default());
        Ok(Some(Self { key: Arc::clone(key), path, bytes: found.len(), modified, etag }))
    }

    /// Its bytes from `first` to `last`, both included.
    pub(super) fn read(&self, first: u64, last: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(last - first + 1).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut bytes = vec![0; length];
        File::open(&self.path)?.read_exact_at(&mut bytes, first)?;
        Ok(bytes)
    }
}
