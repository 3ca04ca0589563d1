//! The front door: one loopback port for all services. The service is that of the signature's scope; signature, key expiry,
//! date and region are checked here, everything else by the service itself.

mod answer;
mod control;
mod ledger;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;

use super::api::{ApiError, Caller, JsonService};
use super::clock::Clock;
use super::s3::{self, S3};
use super::sessions::{Holder, KeyRing};
use super::signature::{Authorization, Rejection, Signed};
use super::sts::{Form, Sts, Trust};
use crate::core::units::Timestamp;

use answer::{Protocol, encode, encode_error, request_id};
pub(super) use control::{Activity, Control};
pub use control::{Status, probe, stop};
pub use ledger::{Entry, Ledger};

/// The largest request (DynamoDB's own limit; the others take less).
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How long a client may take to send its body. One that stalls must not keep the sandbox from its idle end.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Everything the door needs to let somebody in and send him on.
pub(super) struct Door {
    /// The known keys.
    pub keys: KeyRing,
    /// Whom roles trust.
    pub trust: Trust,
    /// The service's time.
    pub clock: Clock,
    /// The one region.
    pub region: String,
    /// `AmazonAthena.*`.
    pub athena: Arc<dyn JsonService>,
    /// `DynamoDB_20120810.*`.
    pub dynamodb: Arc<dyn JsonService>,
    /// `AWSGlue.*`; `None` where there are no tables.
    pub glue: Option<Arc<dyn JsonService>>,
    /// The bucket of the tables' files, where there are any.
    pub s3: Option<Arc<S3>>,
    /// What was asked by whom.
    pub ledger: Ledger,
    /// Who is being served, and since when nobody is.
    pub activity: Activity,
    /// Status and stop.
    pub control: Control,
}

impl Door {
    /// Whether anything goes on that an idle end would cut short.
    pub(super) fn busy(&self) -> bool {
        self.athena.busy() || self.dynamodb.busy()
    }
}

/// The routes of the whole port.
pub(super) fn router(door: Arc<Door>) -> Router {
    Router::new().fallback(handle).with_state(door)
}

async fn handle(State(door): State<Arc<Door>>, request: Request) -> Response {
    let now = door.clock.now();
    let (parts, body) = request.into_parts();
    if parts.uri.path().starts_with("/_tollgate/") {
        return control::handle(&door, &parts, now);
    }
    let _serving = door.activity.begin();
    let request_id = request_id();
    let Ok(Ok(body)) = tokio::time::timeout(BODY_PATIENCE, axum::body::to_bytes(body, BODY_LIMIT)).await else {
        let words = "The request's body is larger than 16 MiB, cut off, or took longer than 30 seconds.";
        let error = ApiError::new(413, "RequestEntityTooLarge", words);
        return encode_error(Protocol::guess(&parts), &error, now, &request_id);
    };
    let (authorization, holder) = match door.authenticate(&parts, &body, now) {
        Ok(found) => found,
        Err(rejection) => {
            let protocol = Protocol::guess(&parts);
            return encode_error(protocol, &answer::rejected(protocol, &rejection), now, &request_id);
        }
    };
    let protocol = Protocol::of_service(&authorization.service);
    let visit = Visit { door: &door, parts: &parts, body: &body, holder: &holder, now, request_id: &request_id };
    let note = |operation: &str, refused: Option<&ApiError>| {
        door.ledger.record(&Entry {
            at: now,
            access_key_id: authorization.access_key_id.clone(),
            principal: holder.principal.arn.clone(),
            service: authorization.service.clone(),
            operation: operation.to_owned(),
            outcome: refused.map_or_else(|| "ok".to_owned(), |error| error.code.clone()),
        });
    };
    if let ("s3", Some(s3)) = (authorization.service.as_str(), &door.s3) {
        let (operation, answered) = s3.call(&parts, &visit.caller()).await;
        let answered = answered.map_err(s3::error_of);
        note(operation, answered.as_ref().err());
        return match answered {
            Ok(answer) => answer::stamped(answer.into_response(), now, &request_id),
            Err(error) => encode_error(protocol, &error, now, &request_id),
        };
    }
    let (operation, result) = match authorization.service.as_str() {
        _ if parts.uri.path() != "/" => (String::new(), Err(no_service(&format!("path {}", parts.uri.path())))),
        "sts" => visit.sts(),
        "athena" => visit.json("AmazonAthena.", &door.athena).await,
        "dynamodb" => visit.json("DynamoDB_20120810.", &door.dynamodb).await,
        "glue" => match &door.glue {
            Some(glue) => visit.json("AWSGlue.", glue).await,
            None => (String::new(), Err(no_service("service glue"))),
        },
        other => (String::new(), Err(no_service(&format!("service {other}")))),
    };
    note(&operation, result.as_ref().err());
    match result {
        Ok(body) => encode(protocol, 200, body, now, &request_id),
        Err(error) => encode_error(protocol, &error, now, &request_id),
    }
}

impl Door {
    /// Who signed this request.
    fn authenticate(&self, parts: &Parts, body: &[u8], now: Timestamp) -> Result<(Authorization, Holder), Rejection> {
        let authorization = Authorization::read(&parts.headers)?;
        let token = match parts.headers.get("x-amz-security-token") {
            Some(token) => Some(token.to_str().map_err(|_| Rejection::UnknownKey)?),
            None => None,
        };
        let holder = self.keys.find(&authorization.access_key_id, token)?;
        let signed = Signed { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body };
        authorization.verify(signed, holder.secret.reveal(), now, &self.region)?;
        if holder.expires_at.is_some_and(|end| now >= end) {
            return Err(Rejection::Expired);
        }
        Ok((authorization, holder))
    }
}

/// One request that was let in.
struct Visit<'a> {
    door: &'a Door,
    parts: &'a Parts,
    body: &'a Bytes,
    holder: &'a Holder,
    now: Timestamp,
    request_id: &'a str,
}

impl Visit<'_> {
    fn sts(&self) -> (String, Result<String, ApiError>) {
        let Some(form) = Form::read(self.body) else {
            let error = ApiError::new(400, "MalformedQueryString", "The request's form cannot be read.");
            return (String::new(), Err(error));
        };
        let sts = Sts { keys: &self.door.keys, trust: &self.door.trust, clock: &self.door.clock };
        let operation = form.get("Action").unwrap_or_default().to_owned();
        (operation, sts.call(&form, self.holder, self.request_id))
    }

    fn caller(&self) -> Caller {
        let authorizer = self.holder.authorizer(&self.door.clock);
        Caller { principal: self.holder.principal.clone(), authorizer, now: self.now }
    }

    async fn json(&self, prefix: &str, service: &Arc<dyn JsonService>) -> (String, Result<String, ApiError>) {
        let target = self.parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(operation) = target.strip_prefix(prefix) else {
            return (String::new(), Err(ApiError::unknown_operation(target)));
        };
        let body: Value = match serde_json::from_slice(self.body) {
            Ok(body @ Value::Object(_)) => body,
            _ => {
                let error = ApiError::new(400, "SerializationException", "The request's body is not a JSON object.");
                return (operation.to_owned(), Err(error));
            }
        };
        let answered = service.call(operation, body, self.caller()).await.map(|body| body.to_string());
        (operation.to_owned(), answered)
    }
}

fn no_service(what: &str) -> ApiError {
    let message =
        format!("The sandbox answers for sts, athena, glue and dynamodb on the path /, and for s3 below it; it has no {what}.");
    ApiError::new(400, "UnknownOperationException", message)
}
