//! What the front door (signatures, keys, session policies) and the services behind it say to each other.

use serde_json::{Map, Value};

use crate::core::units::Timestamp;

pub use super::authorizer::Authorizer;
pub use super::policy::Context;

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

/// A request that came through the door: who asks, what they may do, and when it arrived.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who signed.
    pub principal: Principal,
    /// What they may do. Services keep a copy for as long as they work for this caller: it judges by the time of each check, so
    /// that a query which outlives its session's deadline is refused what it asks for afterwards.
    pub authorizer: Authorizer,
    /// When the request arrived, by the sandbox's clock (which tests shift).
    pub now: Timestamp,
}

/// A service that speaks AWS's JSON protocol (`X-Amz-Target: Prefix.Operation`) behind the door.
///
/// The door has checked the signature and the keys, and nothing else: each operation asks [`Caller::authorizer`] itself, since
/// only the service knows the resource that a request touches.
#[async_trait::async_trait]
pub trait JsonService: Send + Sync {
    /// Answers one operation, named without the target's prefix (`StartQueryExecution`).
    ///
    /// # Errors
    /// What the client is to see; an operation that does not exist is [`ApiError::unknown_operation`].
    async fn call(&self, operation: &str, body: Value, caller: Caller) -> Result<Value, ApiError>;

    /// Whether work is going on for which the sandbox must not end by itself.
    fn busy(&self) -> bool;

    /// Ends what it is doing, before the process does.
    async fn shut_down(&self) {}
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
    pub extra: Box<Map<String, Value>>,
}

impl ApiError {
    /// An error with no further members.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), extra: Box::default() }
    }

    /// A refusal by the policies, as the JSON services name it.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new(400, "AccessDeniedException", message)
    }

    /// An operation that this service does not have, here.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::new(400, "UnknownOperationException", format!("The sandbox does not have the operation {operation}."))
    }

    /// Something broke in the sandbox itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalServerException", message)
    }
}

/// How far the sandbox's data has been generated; `/_tollgate/status` answers it, so that the app can show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// Bytes written so far, or found from an earlier start.
    pub done_bytes: u64,
    /// Bytes there will be, as far as known.
    pub total_bytes: u64,
    /// Days that are complete.
    pub done_days: u32,
    /// Days there will be.
    pub total_days: u32,
    /// Whether queries see all data.
    pub ready: bool,
    /// Why it went no further (disk full, unreadable directory), if it did not.
    pub error: Option<String>,
}
