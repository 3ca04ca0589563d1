//! A client for the sandbox that signs by itself, so that tests can sign at any time and break what they signed; and a sandbox to
//! talk to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tollgate::core::units::Timestamp;
use tollgate::sandbox::api::{ApiError, Caller, Context, JsonService, Progress};
use tollgate::sandbox::clock::Clock;
use tollgate::sandbox::host::{HostError, Options, Running, Services, serve_with};
use tollgate::sandbox::state::Endpoint;

/// An Athena that only asks whether it may: the door is what is tested here. It is busy while the flag says so.
#[derive(Default)]
pub(crate) struct Echo(pub(crate) Arc<AtomicBool>);

#[async_trait::async_trait]
impl JsonService for Echo {
    async fn call(&self, operation: &str, body: Value, caller: Caller) -> Result<Value, ApiError> {
        let workgroup = body.get("WorkGroup").and_then(Value::as_str).unwrap_or("primary");
        let arn = format!("arn:aws:athena:eu-central-1:{}:workgroup/{workgroup}", caller.principal.account);
        caller.authorizer.check(&format!("athena:{operation}"), &arn, &Context::new())?;
        Ok(json!({"QueryExecutionId": caller.principal.arn}))
    }

    fn busy(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A sandbox in a directory of its own.
pub(crate) struct Sandbox {
    pub(crate) running: Running,
    pub(crate) clock: Clock,
    pub(crate) dir: tempfile::TempDir,
}

/// Starts one, with options changed by `change`.
pub(crate) fn start(change: impl FnOnce(&mut Options)) -> Sandbox {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let mut options = Options::new(dir.path().join("sandbox"));
    options.clock = clock.clone();
    change(&mut options);
    Sandbox { running: serve(options).unwrap(), clock, dir }
}

/// Starts one with these options.
pub(crate) fn serve(options: Options) -> Result<Running, HostError> {
    serve_echo(options, Echo::default())
}

/// Starts one with this Athena.
pub(crate) fn serve_echo(options: Options, echo: Echo) -> Result<Running, HostError> {
    serve_with(options, |_, _| {
        let progress = Progress { ready: true, ..Progress::default() };
        Ok(Services { athena: Arc::new(echo), glue: None, s3: None, progress: watch::channel(progress).1 })
    })
}

/// Keys to sign with.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Keys {
    pub(crate) fn base(endpoint: &Endpoint) -> Self {
        let keys = &endpoint.keys;
        Self { id: keys.access_key_id.clone(), secret: keys.secret_access_key.reveal().to_owned(), token: None }
    }
}

/// A request, signed when it is sent.
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) region: &'static str,
    pub(crate) target: Option<String>,
    pub(crate) body: String,
    pub(crate) at: Timestamp,
    /// Changes the request after it was signed: header lines and body.
    pub(crate) tamper: fn(&mut Vec<(String, String)>, &mut String),
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The error's name in either protocol; empty where there is none.
    pub(crate) fn code(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        match json.get("__type").and_then(Value::as_str) {
            Some(kind) => kind.rsplit('#').next().unwrap().to_owned(),
            None => self.element("Code"),
        }
    }

    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> String {
        let tail = self.body.split_once(&format!("<{name}>")).map(|(_, tail)| tail);
        tail.and_then(|tail| tail.split_once("</")).map_or_else(String::new, |(text, _)| text.to_owned())
    }
}

impl Call {
    pub(crate) fn sts(form: &str, at: Timestamp) -> Self {
        let body = format!("{form}&Version=2011-06-15");
        Self { service: "sts", region: "eu-central-1", target: None, body, at, tamper: |_, _| {} }
    }

    pub(crate) fn json(service: &'static str, target: &str, body: &Value, at: Timestamp) -> Self {
        Self { service, region: "eu-central-1", target: Some(target.to_owned()), body: body.to_string(), at, tamper: |_, _| {} }
    }

    pub(crate) fn send(self, endpoint: &Endpoint, keys: &Keys) -> Answer {
        let date = basic(self.at);
        let mut headers =
            vec![("host".to_owned(), format!("127.0.0.1:{}", endpoint.listening.port)), ("x-amz-date".to_owned(), date.clone())];
        let kind = if self.target.is_some() { "application/x-amz-json-1.1" } else { "application/x-www-form-urlencoded" };
        headers.insert(0, ("content-type".to_owned(), kind.to_owned()));
        headers.extend(keys.token.iter().map(|token| ("x-amz-security-token".to_owned(), token.clone())));
        headers.extend(self.target.iter().map(|target| ("x-amz-target".to_owned(), target.clone())));
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{}\n{}", names.join(";"), hex::encode(Sha256::digest(self.body.as_bytes())));
        let scope = format!("{}/{}/{}/aws4_request", &date[..8], self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", keys.secret).into_bytes();
        for part in scope.split('/') {
            key = hmac(&key, part);
        }
        let signature = hex::encode(hmac(&key, &text));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}", keys.id, names.join(";"));
        headers.push(("authorization".to_owned(), authorization));
        let mut body = self.body;
        (self.tamper)(&mut headers, &mut body);
        exchange(endpoint.listening.port, "POST / HTTP/1.1", &headers, &body)
    }
}

/// Sends one request as it is.
pub(crate) fn exchange(port: u16, line: &str, headers: &[(String, String)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let host = if headers.iter().any(|(name, _)| name == "host") { "" } else { "host: 127.0.0.1\r\n" };
    let request = format!("{line}\r\n{host}{lines}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn basic(at: Timestamp) -> String {
    at.to_string()[..19].replace(['-', ':'], "") + "Z"
}
