//! What became of a call: the services' clock from every answer, whether a lost attempt may have been carried out, and the
//! services' errors in the engine's words.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_sts::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::{BoxError, ConnectorError, ProvideErrorMetadata, SdkError};
use jiff::fmt::rfc2822;

use crate::adapters::clock::{Skew, wall_clock};
use crate::core::run::event::ServiceFailure;
use crate::core::units::Timestamp;
use crate::engine::ports::ServiceError;

/// Codes by which the services say "later": throttling and short unavailability. (The SDK's own list, botocore's
/// `_retry.json`, and Athena's `TooManyRequestsException`.)
const LATER: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "ServiceUnavailable",
];

/// Codes by which the services say that keys are not, or no longer, good.
const BAD_KEYS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidToken",
    "InvalidAccessKeyId",
    "AuthFailure",
];

/// Listens to the attempts of one call.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    skew: Arc<Skew>,
    /// Whether an attempt was lost after it may have reached the service.
    lost: Arc<AtomicBool>,
}

impl Ear {
    pub(super) fn new(skew: Arc<Skew>) -> Self {
        Self { skew, lost: Arc::default() }
    }

    /// How far the services' clock is ahead, as far as known.
    pub(super) fn skew_ms(&self) -> Option<i64> {
        self.skew.get()
    }
}

impl Intercept for Ear {
    fn name(&self) -> &'static str {
        "Ear"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(response) = context.response() {
            let date = response.headers().get("date").and_then(|text| rfc2822::parse(text).ok());
            if let Some(date) = date {
                self.skew.note(Timestamp(date.timestamp().as_millisecond()), wall_clock());
            }
        }
        let lost = match (context.output_or_error(), context.response()) {
            (Some(Ok(_)), _) | (None, _) => false,
            (Some(Err(_)), Some(response)) => unclear_status(response.status().as_u16()),
            (Some(Err(error)), None) => error.as_connector_error().is_none_or(|error| !never_sent(error)),
        };
        if lost {
            self.lost.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Whether an error with this status leaves open if the service did what was asked: one that failed in the middle may have (503 is
/// said before anything is done), and so may one that says all is well in words that nobody understands.
fn unclear_status(status: u16) -> bool {
    status < 400 || (status >= 500 && status != 503)
}

/// Whether the connection was never made, so that the service cannot have been asked.
pub(super) fn never_sent(error: &ConnectorError) -> bool {
    // The HTTP client's error types are private to the SDK; its words for this phase are not, and tests hold them.
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if text.contains("client error (Connect)") || text.contains("HTTP connect timeout") {
            return true;
        }
        next = error.source();
    }
    false
}

/// What is at stake if an attempt was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Asking twice is the same as asking once.
    Ask,
    /// Something starts.
    Start,
}

/// With whose rights a call went, for what to say when they are not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The operator's, from the standard chain.
    Operator,
    /// The sandbox's key file.
    KeyFile,
    /// Minted.
    Minted,
}

impl Ear {
    /// The error of a call, in the engine's words.
    pub(super) fn heard<E>(&self, kind: Kind, whose: Whose, error: SdkError<E>) -> ServiceError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let lost = self.lost.load(Ordering::Relaxed);
        let said = match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let error = context.err();
                let message = error.message().map_or_else(|| error.to_string(), str::to_owned);
                answered(whose, status, error.code(), &message)
            }
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) if never_sent(error) => ServiceError::Temporary(format!("no connection: {}", causes(error))),
                Some(error) => ServiceError::NoAnswer(causes(error)),
                None => ServiceError::NoAnswer("the connection failed".to_owned()),
            },
            SdkError::TimeoutError(_) => ServiceError::NoAnswer("the service took too long".to_owned()),
            SdkError::ResponseError(context) => {
                ServiceError::NoAnswer(format!("an answer that is not the service's (HTTP {})", context.raw().status().as_u16()))
            }
            // Built wrongly, so never sent.
            SdkError::ConstructionFailure(failure) => {
                let message = format!("{failure:?}");
                ServiceError::Refused(ServiceFailure { code: "NotSent".to_owned(), message })
            }
            other => ServiceError::NoAnswer(other.to_string()),
        };
        match said {
            // The last attempt says nothing about an earlier one that was lost.
            ServiceError::Temporary(text) if lost => ServiceError::NoAnswer(text),
            ServiceError::Refused(failure) if lost && kind == Kind::Start => {
                ServiceError::NoAnswer(format!("an attempt was lost, then {}: {}", failure.code, failure.message))
            }
            said => said,
        }
    }
}

/// An answer with an error, in the engine's words; `code` is the service's name of it.
pub(super) fn answered(whose: Whose, status: u16, code: Option<&str>, message: &str) -> ServiceError {
    // The services name their refusals; something that does not is a proxy, or worse.
    if code.is_none() && status != 429 && status != 503 {
        return ServiceError::NoAnswer(format!("an answer that is not the service's (HTTP {status})"));
    }
    let code = code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
    if unclear_status(status) {
        ServiceError::NoAnswer(format!("{code}: {message}"))
    } else if status == 429 || status == 503 || LATER.contains(&code.as_str()) {
        ServiceError::Temporary(format!("{code}: {message}"))
    } else if BAD_KEYS.contains(&code.as_str()) && whose != Whose::Minted {
        bad_keys(whose, &code, message)
    } else {
        ServiceError::Refused(ServiceFailure { code, message: message.to_owned() })
    }
}

fn bad_keys(whose: Whose, code: &str, message: &str) -> ServiceError {
    let (message, hint) = match whose {
        Whose::KeyFile => (
            format!("the sandbox does not know its own key file ({code}: {message})"),
            "run `tollgate sandbox stop` and try again",
        ),
        Whose::Operator | Whose::Minted => {
            (format!("your AWS credentials are not good any more ({code}: {message})"), "run `aws sso login`, or renew your keys")
        }
    };
    ServiceError::NoCredentials { message, hint: hint.to_owned() }
}

/// An error's causes in one line, each once.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}
