//! What the front door (signatures, keys, session policies) and the services behind it say to each other.

use serde_json::Value;

/// Who signed a request, after its signature and key expiry were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The ARN that GetCallerIdentity would answer, for example `arn:aws:sts::123456789012:assumed-role/shop/tg-ana`.
    pub arn: String,
    /// The twelve digits of the account.
    pub account: String,
    /// The session name, if these are session credentials.
    pub session: Option<String>,
}

/// An error as an AWS JSON service reports it: `{"__type": code, "message": message}` with a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The exception's name, for example `InvalidRequestException`.
    pub code: String,
    /// AWS's words, as close as they are known.
    pub message: String,
    /// Further members of the error's body (`AthenaErrorCode` and the like).
    pub extra: serde_json::Map<String, Value>,
}

impl ApiError {
    /// An error with no further members.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), extra: serde_json::Map::new() }
    }
}
