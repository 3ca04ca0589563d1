//! Answers and errors in each protocol's form.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::core::units::Timestamp;
use crate::sandbox::api::ApiError;
use crate::sandbox::s3;
use crate::sandbox::secret::random_text;
use crate::sandbox::signature::Rejection;
use crate::sandbox::sts;

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A form in, XML out (STS).
    Query,
    /// JSON 1.1 (Athena, Glue).
    Json,
    /// JSON 1.0, with namespaces before its errors' names (DynamoDB).
    NamespacedJson,
    /// Objects by path, errors in XML (S3).
    Rest,
}

impl Protocol {
    /// The protocol of a signature's scope.
    pub(super) fn of_service(service: &str) -> Self {
        match service {
            "sts" => Self::Query,
            "dynamodb" => Self::NamespacedJson,
            "s3" => Self::Rest,
            _ => Self::Json,
        }
    }

    /// What a request that was not let in seems to speak.
    pub(super) fn guess(parts: &Parts) -> Self {
        match parts.headers.get("x-amz-target").map(HeaderValue::as_bytes) {
            None if parts.uri.path() != "/" || parts.headers.contains_key("x-amz-content-sha256") => Self::Rest,
            None => Self::Query,
            Some(target) if target.starts_with(b"DynamoDB") => Self::NamespacedJson,
            Some(_) => Self::Json,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Query => "text/xml",
            Self::Rest => "application/xml",
            Self::Json => "application/x-amz-json-1.1",
            Self::NamespacedJson => "application/x-amz-json-1.0",
        }
    }
}

/// What a rejected client is told.
pub(super) fn rejected(protocol: Protocol, rejection: &Rejection) -> ApiError {
    let unknown = "The security token included in the request is invalid.";
    let expired = "The security token included in the request is expired";
    if protocol == Protocol::Rest {
        return rejected_by_s3(rejection);
    }
    if protocol == Protocol::Query {
        let (status, code, message) = match rejection {
            Rejection::Missing => (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
            Rejection::Incomplete(words) => (400, "IncompleteSignature", words.as_str()),
            Rejection::UnknownKey => (403, "InvalidClientTokenId", unknown),
            Rejection::Expired => (403, "ExpiredToken", expired),
            Rejection::Mismatch(words) | Rejection::Skewed(words) | Rejection::Payload(words) => {
                (403, "SignatureDoesNotMatch", words.as_str())
            }
        };
        return ApiError::new(status, code, message);
    }
    let (code, message) = match rejection {
        Rejection::Missing => ("MissingAuthenticationTokenException", "Request is missing Authentication Token"),
        Rejection::Incomplete(words) => ("IncompleteSignatureException", words.as_str()),
        Rejection::UnknownKey => ("UnrecognizedClientException", unknown),
        Rejection::Expired => ("ExpiredTokenException", expired),
        Rejection::Mismatch(words) | Rejection::Skewed(words) | Rejection::Payload(words) => {
            ("InvalidSignatureException", words.as_str())
        }
    };
    ApiError::new(400, code, message)
}

/// The same in S3's names (API reference, "Error responses").
fn rejected_by_s3(rejection: &Rejection) -> ApiError {
    let (status, code, message) = match rejection {
        Rejection::Missing => (403, "AccessDenied", "Access Denied"),
        Rejection::Incomplete(words) => (400, "AuthorizationHeaderMalformed", words.as_str()),
        Rejection::UnknownKey => (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        Rejection::Expired => (400, "ExpiredToken", "The provided token has expired."),
        Rejection::Mismatch(words) => (403, "SignatureDoesNotMatch", words.as_str()),
        Rejection::Skewed(_) => {
            (403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        }
        Rejection::Payload(words) if words.starts_with("Missing") => (400, "InvalidRequest", words.as_str()),
        Rejection::Payload(words) => (400, "XAmzContentSHA256Mismatch", words.as_str()),
    };
    ApiError::new(status, code, message)
}

/// A response. `Date` is the sandbox's time, from which clients correct their clocks.
pub(super) fn encode(protocol: Protocol, status: u16, body: String, now: Timestamp, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(protocol.content_type()));
    stamped(response, now, request_id)
}

/// A response with what every answer has: the service's time and the request's id.
pub(super) fn stamped(mut response: Response, now: Timestamp, request_id: &str) -> Response {
    for (name, value) in
        [("date", http_date(now)), ("x-amzn-requestid", request_id.to_owned()), ("x-amz-request-id", request_id.to_owned())]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// An error's response.
pub(super) fn encode_error(protocol: Protocol, error: &ApiError, now: Timestamp, request_id: &str) -> Response {
    let body = match protocol {
        Protocol::Query => sts::error_body(error, request_id),
        Protocol::Rest => s3::error_body(error, request_id),
        Protocol::Json | Protocol::NamespacedJson => {
            let namespaced = protocol == Protocol::NamespacedJson && !error.code.contains('#');
            let kind = if namespaced { format!("com.amazon.coral.service#{}", error.code) } else { error.code.clone() };
            let mut members = Map::new();
            members.insert("__type".to_owned(), Value::String(kind));
            members.insert("message".to_owned(), Value::String(error.message.clone()));
            members.extend(error.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
            Value::Object(members).to_string()
        }
    };
    encode(protocol, error.status, body, now, request_id)
}

/// A request id in the usual form.
pub(super) fn request_id() -> String {
    let part = |length| random_text(b"0123456789abcdef", length);
    [part(8), part(4), part(4), part(4), part(12)].join("-")
}

/// `Fri, 20 Nov 2026 08:15:00 GMT`.
pub(super) fn http_date(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.0).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
