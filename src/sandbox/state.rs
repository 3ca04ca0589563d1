//! The sandbox's state directory: who runs, on which port, with which keys. All of it is private to one user (0700, files 0600).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::secret::{Secret, random_text};
use crate::core::units::Timestamp;

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// An operation on a file failed.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read or change it.
    #[error("{path} may be read or changed by others (mode {mode:o}); run `chmod {fix:o} {path}`", path = .path.display())]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        fix: u32,
    },
    /// It belongs to somebody else, or is a symbolic link.
    #[error("{path} is not a directory or file of this user; choose another --state-dir", path = .path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
    },
    /// A file of it cannot be read.
    #[error("{path} is damaged ({why}); run `tollgate sandbox reset` to start afresh", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another sandbox works with this directory.
    #[error("a sandbox is running with {path} already; `tollgate sandbox stop` ends it", path = .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// The sandbox's own keys: what the operator has, before any role is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseKeys {
    /// `AKIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// Proves that whoever answers on the port can read this file, and that whoever asks it to end can too.
    pub proof_key: Secret,
    /// The sandbox's account.
    pub account: String,
    /// The sandbox's region.
    pub region: String,
}

/// Which process answers where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The process.
    pub pid: u32,
    /// Its tollgate version.
    pub version: String,
    /// New for every start.
    pub instance: String,
    /// Since when.
    pub started_at: Timestamp,
}

/// Where the sandbox answers, and the keys to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Who answers.
    pub listening: Listening,
    /// With which keys to sign.
    pub keys: BaseKeys,
}

/// A private directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    path: PathBuf,
}

/// The right to run a sandbox with this directory, for as long as it lives.
#[derive(Debug)]
pub struct StateLock {
    // The lock is the open file's; closing it (also by a crash) gives it back.
    _file: File,
}

/// A sandbox that ends answers no more some time before it gives its lock back.
const LAST_MOMENT: Duration = Duration::from_secs(1);

const KEYS: &str = "keys.json";
const LISTENING: &str = "port.json";
const LOCK: &str = "lock";

impl StateDir {
    /// Opens the directory, making it where it is missing.
    ///
    /// # Errors
    /// [`StateError`]: it cannot be made, belongs to somebody else, or others may look into it.
    pub fn create(path: &Path) -> Result<Self, StateError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| fail("create", path, source))?;
        check_ours(path, 0o700)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the directory; `None` where there is none.
    ///
    /// # Errors
    /// [`StateError`]: it belongs to somebody else, or others may look into it.
    pub fn find(path: &Path) -> Result<Option<Self>, StateError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(fail("read", path, source)),
            Ok(_) => check_ours(path, 0o700).map(|()| Some(Self { path: path.to_owned() })),
        }
    }

    /// The path of a file or folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the right to run a sandbox here. A sandbox that was just asked to end gets a moment to do so.
    ///
    /// # Errors
    /// [`StateError::InUse`] while another process has it.
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let patience = Instant::now() + LAST_MOMENT;
        loop {
            match self.try_lock() {
                Err(StateError::InUse { .. }) if Instant::now() < patience => std::thread::sleep(Duration::from_millis(20)),
                result => return result,
            }
        }
    }

    fn try_lock(&self) -> Result<StateLock, StateError> {
        let path = self.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| fail("open", &path, source))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(StateLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StateError::InUse { path: self.path.clone() }),
            Err(errno) => Err(fail("lock", &path, errno.into())),
        }
    }

    /// The keys of this directory; made on first use. Account and region of an earlier start are replaced by these.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be read, written or trusted.
    pub fn keys(&self, account: &str, region: &str, _lock: &StateLock) -> Result<BaseKeys, StateError> {
        let known: Option<BaseKeys> = self.read(KEYS)?;
        let keys = match known.clone() {
            Some(keys) => BaseKeys { account: account.to_owned(), region: region.to_owned(), ..keys },
            None => BaseKeys {
                access_key_id: access_key_id("AKIA"),
                secret_access_key: secret_access_key(),
                proof_key: secret_access_key(),
                account: account.to_owned(),
                region: region.to_owned(),
            },
        };
        if known.as_ref() != Some(&keys) {
            self.write(KEYS, &keys)?;
        }
        Ok(keys)
    }

    /// Says on which port this process answers from now on.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be written.
    pub fn announce(&self, listening: &Listening, _lock: &StateLock) -> Result<(), StateError> {
        self.write(LISTENING, listening)
    }

    /// The last start's port and process; it need not live any more.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be read or trusted.
    pub fn listening(&self) -> Result<Option<Listening>, StateError> {
        self.read(LISTENING)
    }

    /// Where the last start answered and with which keys; `None` before the first start. Whether it still lives is for
    /// [`super::server::probe`] to find out.
    ///
    /// # Errors
    /// [`StateError`]: a file cannot be read or trusted.
    pub fn endpoint(&self) -> Result<Option<Endpoint>, StateError> {
        let (Some(keys), Some(listening)) = (self.read::<BaseKeys>(KEYS)?, self.listening()?) else { return Ok(None) };
        Ok(Some(Endpoint { url: format!("http://127.0.0.1:{}", listening.port), listening, keys }))
    }

    /// Removes everything in this directory. Refused while a sandbox runs with it.
    ///
    /// # Errors
    /// [`StateError`]: in use, or something cannot be removed.
    pub fn reset(&self) -> Result<(), StateError> {
        let _lock = self.lock()?;
        fs::remove_dir_all(&self.path).map_err(|source| fail("remove", &self.path, source))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        let path = self.join(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(fail("read", &path, source)),
            Ok(_) => check_ours(&path, 0o600)?,
        }
        let text = fs::read(&path).map_err(|source| fail("read", &path, source))?;
        // Serde quotes what it found; a key file's content must not end up in an error.
        let damaged = |_| StateError::Damaged { path: path.clone(), why: "it is not the JSON that was written".to_owned() };
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let path = self.join(name);
        let write = || -> io::Result<()> {
            // A new file is 0600; the rename makes it appear whole or not at all.
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            serde_json::to_writer_pretty(&mut file, value)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| fail("write", &path, source))
    }
}

/// A new access key id: `prefix` and 16 characters, as AWS writes them.
pub(super) fn access_key_id(prefix: &str) -> String {
    format!("{prefix}{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
}

/// A new secret of 40 characters.
pub(super) fn secret_access_key() -> Secret {
    Secret::new(random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40))
}

/// Refuses what belongs to somebody else, is a symbolic link, or has more rights than `fix`.
pub(super) fn check_ours(path: &Path, fix: u32) -> Result<(), StateError> {
    let found = fs::symlink_metadata(path).map_err(|source| fail("read", path, source))?;
    if found.is_symlink() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(StateError::NotOurs { path: path.to_owned() });
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::TooOpen { path: path.to_owned(), mode, fix });
    }
    Ok(())
}

pub(super) fn fail(action: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn dir() -> (tempfile::TempDir, StateDir) {
        let temp = tempfile::tempdir().unwrap();
        let state = StateDir::create(&temp.path().join("sandbox")).unwrap();
        (temp, state)
    }

    fn listening() -> Listening {
        Listening {
            port: 4321,
            pid: 7,
            version: "0.1.0".to_owned(),
            instance: "i".to_owned(),
            started_at: "2026-11-20T08:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn keys_stay_and_are_private() {
        let (_temp, state) = dir();
        let lock = state.lock().unwrap();
        let keys = state.keys("123456789012", "eu-central-1", &lock).unwrap();
        assert_eq!(state.endpoint().unwrap(), None);
        state.announce(&listening(), &lock).unwrap();
        let endpoint = state.endpoint().unwrap().unwrap();
        assert_eq!((endpoint.url.as_str(), &endpoint.keys), ("http://127.0.0.1:4321", &keys));
        assert_eq!(state.keys("123456789012", "eu-central-1", &lock).unwrap(), keys);
        let moved = state.keys("123456789012", "us-east-1", &lock).unwrap();
        assert_eq!((moved.region.as_str(), &moved.access_key_id), ("us-east-1", &keys.access_key_id));
        for name in [KEYS, LISTENING, LOCK] {
            assert_eq!(fs::metadata(state.join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
        }
        let debug = format!("{endpoint:?}");
        assert!(!debug.contains(keys.secret_access_key.reveal()) && !debug.contains(keys.proof_key.reveal()));
    }

    #[test]
    fn one_sandbox_at_a_time() {
        let (_temp, state) = dir();
        let lock = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(StateError::InUse { .. })));
        assert!(matches!(state.reset(), Err(StateError::InUse { .. })));
        // One that is about to end is waited for.
        let ending = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(lock);
        });
        state.reset().unwrap();
        ending.join().unwrap();
        assert_eq!(StateDir::find(state.path()).unwrap(), None);
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let (_temp, state) = dir();
        let lock = state.lock().unwrap();
        state.keys("123456789012", "eu-central-1", &lock).unwrap();
        state.announce(&listening(), &lock).unwrap();
        fs::set_permissions(state.join(KEYS), PermissionsExt::from_mode(0o640)).unwrap();
        let error = state.endpoint().unwrap_err().to_string();
        assert!(error.contains("mode 640") && error.contains("chmod 600"), "{error}");
        fs::set_permissions(state.path(), PermissionsExt::from_mode(0o755)).unwrap();
        assert!(matches!(StateDir::create(state.path()), Err(StateError::TooOpen { fix: 0o700, .. })));
        assert!(matches!(StateDir::find(state.path()), Err(StateError::TooOpen { .. })));
    }

    #[test]
    fn links_and_damage_are_refused() {
        let (temp, state) = dir();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(state.path(), &link).unwrap();
        assert!(matches!(StateDir::find(&link), Err(StateError::NotOurs { .. })));
        let lock = state.lock().unwrap();
        state.announce(&listening(), &lock).unwrap();
        let keys = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(state.join(KEYS));
        keys.unwrap().write_all(b"{\"access_key_id\": \"AKIASECRETSECRET\"").unwrap();
        let error = state.endpoint().unwrap_err().to_string();
        assert!(error.contains("sandbox reset") && !error.contains("AKIASECRET"), "{error}");
    }
}
