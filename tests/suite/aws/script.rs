//! A server on loopback that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Clone)]
pub(super) enum Say {
    /// Status and JSON.
    Json(u16, Value),
    /// Status and text, with a further header line.
    Text(u16, &'static str, String),
    /// Nothing: the connection ends.
    HangUp,
    /// Nothing: the connection stays.
    Silence,
}

/// A server on loopback that answers one request after the other as told, and remembers what it was asked.
pub(super) struct Script {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Script {
    pub(super) async fn of(says: Vec<Say>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut says = VecDeque::from(says);
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                heard.lock().unwrap().push(request);
                let (status, header, body) = match says.pop_front().unwrap_or(Say::HangUp) {
                    Say::Json(status, body) => (status, "content-type: application/x-amz-json-1.1", body.to_string()),
                    Say::Text(status, header, body) => (status, header, body),
                    Say::HangUp => continue,
                    Say::Silence => {
                        silent.push(stream);
                        continue;
                    }
                };
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n{header}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, asked }
    }

    /// Heads and bodies of the requests so far.
    pub(super) fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// The JSON bodies of the requests so far.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.asked().into_iter().map(|(_, body)| serde_json::from_str(&body).unwrap()).collect()
    }
}

/// One request: head and body.
async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(chunk.get(..count)?);
        let text = String::from_utf8(bytes.clone()).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        if body.len() >= length {
            return Some((head, body.to_owned()));
        }
    }
}

/// An endpoint where nobody listens.
pub(super) async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
