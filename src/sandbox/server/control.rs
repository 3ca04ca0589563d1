//! `/_tollgate/…`: whether the sandbox lives, how far its data is, and how it is asked to end. Unsigned; whoever answers proves that
//! it can read the key file, and whoever asks for the end proves the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Door;
use super::answer::{Protocol, encode};
use crate::core::units::Timestamp;
use crate::sandbox::api::Progress;
use crate::sandbox::secret::{Secret, random_text};
use crate::sandbox::signature::hmac_sha256;
use crate::sandbox::state::Endpoint;

/// How long a probe waits: the sandbox is on the same machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the status answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its tollgate version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Which start this is.
    pub instance: String,
    /// Its time.
    pub now: Timestamp,
    /// Whether queries run.
    pub busy: bool,
    /// How far the data is.
    pub data: Progress,
    proof: String,
}

/// What the status tells and the stop needs.
#[derive(Debug)]
pub(in crate::sandbox) struct Control {
    /// This start.
    pub instance: String,
    /// What only readers of the key file know.
    pub proof_key: Secret,
    /// How far the data is.
    pub progress: watch::Receiver<Progress>,
    /// Set to end the sandbox.
    pub stop: watch::Sender<bool>,
}

/// Who is being served.
#[derive(Debug)]
pub(in crate::sandbox) struct Activity {
    serving: AtomicU64,
    last: Mutex<Instant>,
}

impl Activity {
    /// Nobody yet.
    pub(in crate::sandbox) fn new() -> Self {
        Self { serving: AtomicU64::new(0), last: Mutex::new(Instant::now()) }
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn begin(&self) -> Serving<'_> {
        self.serving.fetch_add(1, Ordering::SeqCst);
        Serving(self)
    }

    /// Counts now as a time of activity.
    pub(in crate::sandbox) fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nobody has been served.
    pub(in crate::sandbox) fn idle(&self) -> Duration {
        if self.serving.load(Ordering::SeqCst) > 0 {
            return Duration::ZERO;
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A request being served.
pub(super) struct Serving<'a>(&'a Activity);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.serving.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Proves knowledge of the key file for one purpose.
pub(in crate::sandbox) fn proof(key: &Secret, purpose: &str, nonce: &str) -> String {
    hex::encode(hmac_sha256(key.reveal().as_bytes(), format!("tollgate {purpose} {nonce}").as_bytes()))
}

/// Answers a control request.
pub(super) fn handle(door: &Door, parts: &Parts, now: Timestamp) -> Response {
    let control = &door.control;
    let (status, body) = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/_tollgate/status") => {
            let query = parts.uri.query().unwrap_or_default();
            let challenge = query.strip_prefix("challenge=").map(|text| percent_decode_str(text).decode_utf8_lossy());
            let status = Status {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                instance: control.instance.clone(),
                now,
                busy: door.busy(),
                data: control.progress.borrow().clone(),
                proof: proof(&control.proof_key, "status", &challenge.unwrap_or_default()),
            };
            (200, json!(status))
        }
        (&Method::POST, "/_tollgate/stop") => {
            let expected = proof(&control.proof_key, "stop", &control.instance);
            let given = parts.headers.get("x-tollgate-proof").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
            if bool::from(given.ct_eq(expected.as_bytes())) {
                control.stop.send_replace(true);
                (202, json!({"stopping": true}))
            } else {
                (403, json!({"error": "The proof does not fit this sandbox's key file."}))
            }
        }
        _ => (404, json!({"error": "There is GET /_tollgate/status and POST /_tollgate/stop."})),
    };
    encode(Protocol::Json, status, body.to_string(), now, "")
}

/// Asks whether the sandbox of this endpoint lives. `None`: nobody answers on its port, or somebody who cannot read its key file,
/// or not in time.
pub async fn probe(endpoint: &Endpoint) -> Option<Status> {
    let challenge = random_text(b"0123456789abcdef", 32);
    let request = format!("GET /_tollgate/status?challenge={challenge} HTTP/1.1");
    let (code, body) = ask(endpoint, &request).await?;
    let status: Status = serde_json::from_str(&body).ok()?;
    let expected = proof(&endpoint.keys.proof_key, "status", &challenge);
    (code == 200 && bool::from(status.proof.as_bytes().ct_eq(expected.as_bytes()))).then_some(status)
}

/// Asks the sandbox of this endpoint to end. Whether it was asked; it needs a moment to finish what it is serving.
pub async fn stop(endpoint: &Endpoint) -> bool {
    let Some(status) = probe(endpoint).await else { return false };
    let proof = proof(&endpoint.keys.proof_key, "stop", &status.instance);
    let request = format!("POST /_tollgate/stop HTTP/1.1\r\nx-tollgate-proof: {proof}\r\ncontent-length: 0");
    matches!(ask(endpoint, &request).await, Some((202, _)))
}

/// One request over a connection of its own; the status code and the body.
async fn ask(endpoint: &Endpoint, head: &str) -> Option<(u16, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", endpoint.listening.port)).await.ok()?;
        stream.write_all(format!("{head}\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        // A stranger on this port must not fill our memory.
        stream.take(64 * 1024).read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let code = head.split(' ').nth(1)?.parse().ok()?;
        Some((code, body.to_owned()))
    };
    tokio::time::timeout(PATIENCE, exchange).await.ok().flatten()
}
