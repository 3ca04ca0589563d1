//! The keys that the sandbox knows: its own, and those it issued to sessions. Issued keys outlive the process, as at AWS: they
//! are one JSON line each in `sessions.jsonl`.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::api::{Authorizer, Principal};
use super::clock::Clock;
use super::policy::Policy;
use super::secret::{Secret, random_text};
use super::signature::Rejection;
use super::state::{BaseKeys, StateError, access_key_id, check_ours, fail, secret_access_key};
use crate::core::units::{Millis, Timestamp};

/// How long expired keys are remembered, so that their holder hears that they expired rather than that they never were.
const REMEMBERED: Millis = Millis::from_mins(24 * 60);

/// What AssumeRole made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `ASIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// The token that must come with it.
    pub session_token: Secret,
    /// The role that was assumed.
    pub role_arn: String,
    /// The name that the caller chose.
    pub session_name: String,
    /// Who the caller said stands behind it.
    pub source_identity: Option<String>,
    /// Session tags, in the order given.
    pub tags: Vec<(String, String)>,
    /// The session policy, as sent.
    pub policy: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When its keys end.
    pub expires_at: Timestamp,
}

/// What a caller asks a new session to be.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// The role to assume.
    pub role_arn: String,
    /// The session's name.
    pub session_name: String,
    /// The source identity it will carry.
    pub source_identity: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Its policy, read before.
    pub policy: Option<String>,
    /// How long its keys live.
    pub duration: Millis,
}

/// Whose keys signed a request.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// The secret to verify with.
    pub secret: Secret,
    /// Who it is.
    pub principal: Principal,
    /// AWS's unique id of it (`AIDA…`, `AROA…:name`).
    pub user_id: String,
    /// When these keys end; the base keys never do.
    pub expires_at: Option<Timestamp>,
    /// The source identity it carries and cannot change.
    pub source_identity: Option<String>,
    policy: Option<Arc<Policy>>,
}

impl Holder {
    /// What this holder may do.
    pub(super) fn authorizer(&self, clock: &Clock) -> Authorizer {
        Authorizer::new(self.principal.clone(), self.policy.clone(), clock.clone())
    }
}

/// All keys.
#[derive(Debug)]
pub(super) struct KeyRing {
    base: BaseKeys,
    path: PathBuf,
    issued: Mutex<Issued>,
}

#[derive(Debug)]
struct Issued {
    file: File,
    sessions: HashMap<String, (Session, Option<Arc<Policy>>)>,
}

impl KeyRing {
    /// Opens the keys issued so far, forgetting those that expired long ago.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be read, written or trusted.
    pub(super) fn open(base: BaseKeys, path: &Path, now: Timestamp) -> Result<Self, StateError> {
        let mut sessions = HashMap::new();
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(fail("read", path, source)),
            Ok(_) => {
                check_ours(path, 0o600)?;
                let text = fs::read_to_string(path).map_err(|source| fail("read", path, source))?;
                // A crash while writing leaves half a line at most: its keys were never handed out.
                for session in text.lines().filter_map(|line| serde_json::from_str::<Session>(line).ok()) {
                    if now.since(session.expires_at) < REMEMBERED {
                        let policy = read_policy(session.policy.as_deref())?;
                        sessions.insert(session.access_key_id.clone(), (session, policy));
                    }
                }
            }
        }
        let rewritten = rewrite(path, &sessions).map_err(|source| fail("write", path, source))?;
        Ok(Self { base, path: path.to_owned(), issued: Mutex::new(Issued { file: rewritten, sessions }) })
    }

    /// The sandbox's account.
    pub(super) fn account(&self) -> &str {
        &self.base.account
    }

    /// Who holds these keys. Whether they expired, and whether the signature is right, is for the caller to check.
    ///
    /// # Errors
    /// [`Rejection::UnknownKey`]: no such key, or another token than it was issued with.
    pub(super) fn find(&self, access_key_id: &str, token: Option<&str>) -> Result<Holder, Rejection> {
        if access_key_id == self.base.access_key_id {
            return if token.is_none() { Ok(self.base_holder()) } else { Err(Rejection::UnknownKey) };
        }
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((session, policy)) = issued.sessions.get(access_key_id) else { return Err(Rejection::UnknownKey) };
        let expected = session.session_token.reveal().as_bytes();
        if !token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(expected))) {
            return Err(Rejection::UnknownKey);
        }
        Ok(session_holder(session, policy.clone(), &self.base.account))
    }

    /// Issues the keys of a new session. They are on disk before anybody has them.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be written.
    pub(super) fn issue(&self, wish: Wish, now: Timestamp) -> Result<Session, StateError> {
        let session = Session {
            access_key_id: access_key_id("ASIA"),
            secret_access_key: secret_access_key(),
            session_token: Secret::new(random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 356)),
            role_arn: wish.role_arn,
            session_name: wish.session_name,
            source_identity: wish.source_identity,
            tags: wish.tags,
            policy: wish.policy,
            issued_at: now,
            // STS answers whole seconds, and keeps to them.
            expires_at: Timestamp(now.plus(wish.duration).0.div_euclid(1000) * 1000),
        };
        let policy = read_policy(session.policy.as_deref())?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        append(&mut issued.file, &session).map_err(|source| fail("write", &self.path, source))?;
        issued.sessions.insert(session.access_key_id.clone(), (session.clone(), policy));
        Ok(session)
    }

    /// Every session known, the oldest first, without its secrets: what tests count against the journal.
    pub(super) fn sessions(&self) -> Vec<Session> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sessions: Vec<Session> = issued.sessions.values().map(|(session, _)| session.clone()).collect();
        sessions.sort_by(|a, b| (a.issued_at, &a.access_key_id).cmp(&(b.issued_at, &b.access_key_id)));
        for session in &mut sessions {
            session.secret_access_key = Secret::new("");
            session.session_token = Secret::new("");
        }
        sessions
    }

    fn base_holder(&self) -> Holder {
        Holder {
            secret: self.base.secret_access_key.clone(),
            principal: Principal {
                arn: format!("arn:aws:iam::{}:user/sandbox", self.base.account),
                account: self.base.account.clone(),
                session: None,
            },
            user_id: unique_id("AIDA", "user/sandbox"),
            expires_at: None,
            source_identity: None,
            policy: None,
        }
    }
}

/// The name by which a session of `role_arn` goes: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, without the role's path.
pub(super) fn session_arn(role_arn: &str, session_name: &str, account: &str) -> String {
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}")
}

/// `AROA…:name`: the role's unique id and the session's name.
pub(super) fn session_user_id(role_arn: &str, session_name: &str) -> String {
    format!("{}:{session_name}", unique_id("AROA", role_arn))
}

fn session_holder(session: &Session, policy: Option<Arc<Policy>>, account: &str) -> Holder {
    Holder {
        secret: session.secret_access_key.clone(),
        principal: Principal {
            arn: session_arn(&session.role_arn, &session.session_name, account),
            account: account.to_owned(),
            session: Some(session.session_name.clone()),
        },
        user_id: session_user_id(&session.role_arn, &session.session_name),
        expires_at: Some(session.expires_at),
        source_identity: session.source_identity.clone(),
        policy,
    }
}

/// A stable id of 21 characters for a name, in the form of IAM's unique ids.
fn unique_id(prefix: &str, name: &str) -> String {
    use sha2::{Digest, Sha256};
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(name.as_bytes());
    let tail = hash.iter().take(17).filter_map(|b| ALPHABET.get(usize::from(b & 31))).map(|b| char::from(*b));
    prefix.chars().chain(tail).collect()
}

/// A policy from this file was read once before it was written.
fn read_policy(text: Option<&str>) -> Result<Option<Arc<Policy>>, StateError> {
    let read = |text| Policy::parse(text).map(|policy| Some(Arc::new(policy)));
    text.map_or(Ok(None), read)
        .map_err(|error| StateError::Damaged { path: PathBuf::from("sessions.jsonl"), why: error.to_string() })
}

fn append(file: &mut File, session: &Session) -> io::Result<()> {
    let mut line = serde_json::to_vec(session)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Writes the file anew and leaves it open for appending.
fn rewrite(path: &Path, sessions: &HashMap<String, (Session, Option<Arc<Policy>>)>) -> io::Result<File> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut temp = tempfile::NamedTempFile::new_in(dir)?;
    for (session, _) in sessions.values() {
        append(temp.as_file_mut(), session)?;
    }
    temp.persist(path).map_err(|error| error.error)?;
    OpenOptions::new().append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(dir: &Path, now: Timestamp) -> KeyRing {
        let base = BaseKeys {
            access_key_id: "AKIABASE".to_owned(),
            secret_access_key: Secret::new("base-secret"),
            proof_key: Secret::new("proof"),
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        KeyRing::open(base, &dir.join("sessions.jsonl"), now).unwrap()
    }

    fn wish() -> Wish {
        Wish {
            role_arn: "arn:aws:iam::123456789012:role/path/shop-read".to_owned(),
            session_name: "tg-01RUN".to_owned(),
            source_identity: Some("ana".to_owned()),
            tags: vec![("tollgate:run".to_owned(), "01RUN".to_owned())],
            policy: Some(r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#.to_owned()),
            duration: Millis::from_mins(15),
        }
    }

    #[test]
    fn sessions_outlive_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-20T08:00:00.700Z".parse().unwrap();
        let session = ring(dir.path(), now).issue(wish(), now).unwrap();
        assert_eq!(session.expires_at.to_string(), "2026-11-20T08:15:00.000Z");
        let ring = ring(dir.path(), now.plus(Millis::from_mins(60)));
        let found = ring.find(&session.access_key_id, Some(session.session_token.reveal())).unwrap();
        assert_eq!(found.principal.arn, "arn:aws:sts::123456789012:assumed-role/shop-read/tg-01RUN");
        assert_eq!(found.expires_at, Some(session.expires_at));
        assert_eq!(found.secret, session.secret_access_key);
        assert!(found.authorizer(&Clock::system()).is_restricted());
        assert!(found.user_id.starts_with("AROA") && found.user_id.ends_with(":tg-01RUN"));
        assert_eq!(ring.sessions().len(), 1);
        let listed = format!("{:?}", ring.sessions());
        assert!(!listed.contains(session.secret_access_key.reveal()));
    }

    #[test]
    fn old_sessions_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let session = ring(dir.path(), now).issue(wish(), now).unwrap();
        let later = ring(dir.path(), now.plus(Millis::from_mins(48 * 60)));
        assert!(later.find(&session.access_key_id, Some(session.session_token.reveal())).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("sessions.jsonl")).unwrap(), "");
    }

    #[test]
    fn a_key_needs_its_own_token() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp(0);
        let ring = ring(dir.path(), now);
        let (one, two) = (ring.issue(wish(), now).unwrap(), ring.issue(wish(), now).unwrap());
        for (key, token) in [
            (one.access_key_id.as_str(), None),
            (&one.access_key_id, Some(two.session_token.reveal())),
            (&one.access_key_id, Some("")),
            ("AKIABASE", Some(one.session_token.reveal())),
            ("AKIAOTHER", None),
            ("", None),
        ] {
            assert_eq!(ring.find(key, token).unwrap_err(), Rejection::UnknownKey, "{key}");
        }
        assert_eq!(ring.find("AKIABASE", None).unwrap().principal.arn, "arn:aws:iam::123456789012:user/sandbox");
    }

    #[test]
    fn half_a_line_is_no_session() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.jsonl");
        let now = Timestamp(0);
        ring(dir.path(), now).issue(wish(), now).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{}", &text[..40])).unwrap();
        assert_eq!(ring(dir.path(), now).sessions().len(), 1);
    }
}
