//! S3 over the generated dataset, as far as looking needs it: ListObjectsV2, HeadBucket, HeadObject and GetObject (also of a range),
//! path style, read only.

mod listing;
mod object;
mod request;

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::sync::watch;

use super::api::{ApiError, Caller, Context};
use super::dataset::LakeState;
use super::dataset::lake::Lake;
use super::dataset::schema::{LAKE_BUCKET, RESULTS_BUCKET};
use super::xml::element;
use crate::core::units::Timestamp;
use object::Object;
use request::{List, Range};

/// The service.
#[derive(Debug)]
pub struct S3 {
    region: String,
    lake: watch::Receiver<LakeState>,
    /// The sorted keys of the lake that was seen last.
    keys: Mutex<Option<(Arc<Lake>, Keys)>>,
}

type Keys = Arc<Vec<Arc<str>>>;

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl S3 {
    /// The bucket of `lake`, in one region.
    pub fn new(region: impl Into<String>, lake: watch::Receiver<LakeState>) -> Self {
        Self { region: region.into(), lake, keys: Mutex::default() }
    }

    /// Answers a request: the operation's name, and what came of it.
    pub(super) async fn call(self: &Arc<Self>, parts: &Parts, caller: &Caller) -> (&'static str, Result<Answer, ApiError>) {
        let Some((bucket, key)) = request::place(parts.uri.path()).filter(|(bucket, _)| !bucket.is_empty()) else {
            return ("", Err(not_here("The sandbox's S3 answers for objects below a bucket, in path style.")));
        };
        let parameters = request::parameters(parts.uri.query().unwrap_or_default());
        let operation = match (&parts.method, key.is_empty()) {
            (&Method::GET, true) => "ListObjectsV2",
            (&Method::HEAD, true) => "HeadBucket",
            (&Method::GET, false) => "GetObject",
            (&Method::HEAD, false) => "HeadObject",
            _ => {
                let message = "The specified method is not allowed against this resource.";
                return ("", Err(ApiError::new(405, "MethodNotAllowed", message)));
            }
        };
        let asked = Asked { service: Arc::clone(self), caller: caller.clone(), bucket, key };
        let parts = parts.clone();
        // Files are read on a thread that may wait for the disk.
        let work = move || asked.answer(operation, &parts, &parameters);
        let answered = tokio::task::spawn_blocking(work).await;
        (operation, answered.unwrap_or_else(|error| Err(ApiError::internal(error.to_string()))))
    }

    fn lake(&self) -> Result<(Arc<Lake>, Keys), ApiError> {
        let lake = match &*self.lake.borrow() {
            LakeState::Ready(lake) => Arc::clone(lake),
            LakeState::Making => {
                let message = "The sandbox's data is still being made; ask again in some seconds.";
                return Err(ApiError::new(503, "ServiceUnavailable", message));
            }
            LakeState::Failed(why) => return Err(ApiError::internal(format!("The sandbox's data could not be made: {why}"))),
        };
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, keys)) = known.as_ref().filter(|(seen, _)| Arc::ptr_eq(seen, &lake)) {
            return Ok((Arc::clone(seen), Arc::clone(keys)));
        }
        let files = lake.tables.iter().flat_map(|table| &table.partitions).flat_map(|partition| &partition.files);
        let mut keys: Vec<Arc<str>> = files.map(|file| Arc::from(file.key.as_str())).collect();
        keys.sort_unstable();
        let keys = Arc::new(keys);
        *known = Some((Arc::clone(&lake), Arc::clone(&keys)));
        Ok((lake, keys))
    }
}

/// One request.
struct Asked {
    service: Arc<S3>,
    caller: Caller,
    bucket: String,
    key: String,
}

impl Asked {
    fn answer(&self, operation: &str, parts: &Parts, parameters: &[(String, String)]) -> Result<Answer, ApiError> {
        match operation {
            "ListObjectsV2" => self.list(parameters),
            "HeadBucket" => {
                self.may_list(None)?;
                self.known_bucket()?;
                let mut headers = HeaderMap::new();
                put(&mut headers, "x-amz-bucket-region", &self.service.region);
                Ok(Answer { status: StatusCode::OK, headers, body: Bytes::new() })
            }
            _ => self.read(parts, operation == "HeadObject"),
        }
    }

    fn may_list(&self, prefix: Option<&str>) -> Result<(), ApiError> {
        let arn = format!("arn:aws:s3:::{}", self.bucket);
        self.caller.authorizer.check("s3:ListBucket", &arn, &Context::new().with("s3:prefix", prefix))
    }

    fn known_bucket(&self) -> Result<(), ApiError> {
        match self.bucket.as_str() {
            LAKE_BUCKET => Ok(()),
            RESULTS_BUCKET => Err(not_here("The sandbox gives results through Athena's GetQueryResults only.")),
            _ => Err(ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist")),
        }
    }

    fn list(&self, parameters: &[(String, String)]) -> Result<Answer, ApiError> {
        let list = List::read(parameters)?;
        self.may_list(list.prefix.as_deref())?;
        self.known_bucket()?;
        let (lake, keys) = self.service.lake()?;
        let page = listing::page(&keys, &list);
        let mut objects = Vec::with_capacity(page.keys.len());
        for key in page.keys.iter().filter_map(|index| keys.get(*index)) {
            // One that somebody removed is not listed.
            objects.extend(Object::at(&lake.root, key).map_err(|error| ApiError::internal(error.to_string()))?);
        }
        let mut headers = HeaderMap::new();
        put(&mut headers, "content-type", "application/xml");
        put(&mut headers, "x-amz-bucket-region", &self.service.region);
        let body = listing::render(&self.bucket, &list, &page, &objects);
        Ok(Answer { status: StatusCode::OK, headers, body: body.into() })
    }

    fn read(&self, parts: &Parts, head: bool) -> Result<Answer, ApiError> {
        let arn = format!("arn:aws:s3:::{}/{}", self.bucket, self.key);
        self.caller.authorizer.check("s3:GetObject", &arn, &Context::new())?;
        self.known_bucket()?;
        let (lake, keys) = self.service.lake()?;
        let key = keys.binary_search_by(|key| (**key).cmp(self.key.as_str())).ok().and_then(|index| keys.get(index));
        let object = match key {
            Some(key) => Object::at(&lake.root, key).map_err(|error| ApiError::internal(error.to_string()))?,
            None => None,
        };
        let Some(object) = object else {
            // Whoever may not list learns nothing of what is not there (API reference, GetObject, "Permissions").
            self.may_list(None)?;
            return Err(ApiError::new(404, "NoSuchKey", "The specified key does not exist."));
        };
        let mut headers = HeaderMap::new();
        put(&mut headers, "etag", &object.etag);
        put(&mut headers, "last-modified", &http_date(object.modified));
        put(&mut headers, "accept-ranges", "bytes");
        put(&mut headers, "content-type", "binary/octet-stream");
        let asked = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let named = |list: &str| list.split(',').any(|one| one.trim() == "*" || one.trim() == object.etag);
        if asked("if-match").is_some_and(|list| !named(list)) {
            let message = "At least one of the pre-conditions you specified did not hold";
            return Err(ApiError::new(412, "PreconditionFailed", message));
        }
        if asked("if-none-match").is_some_and(named) {
            return Ok(Answer { status: StatusCode::NOT_MODIFIED, headers, body: Bytes::new() });
        }
        let (status, first, length) = match request::range(parts, object.bytes) {
            Range::Whole => (StatusCode::OK, 0, object.bytes),
            Range::Part(first, last) => {
                put(&mut headers, "content-range", &format!("bytes {first}-{last}/{}", object.bytes));
                (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
            }
            Range::Outside => {
                let mut error = ApiError::new(416, "InvalidRange", "The requested range is not satisfiable");
                error.extra.insert("ActualObjectSize".to_owned(), object.bytes.to_string().into());
                return Err(error);
            }
        };
        put(&mut headers, "content-length", &length.to_string());
        let body = if head || length == 0 {
            Bytes::new()
        } else {
            object.read(first, first + length - 1).map_err(|error| ApiError::internal(error.to_string()))?.into()
        };
        Ok(Answer { status, headers, body })
    }
}

/// Something that S3 has and the sandbox does not.
fn not_here(message: &str) -> ApiError {
    ApiError::new(501, "NotImplemented", message)
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `Fri, 20 Nov 2026 08:15:00 GMT`.
fn http_date(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0).unwrap_or_default().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Answer {
    /// The response, without what every service's answer has.
    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The name under which S3 knows an error: the JSON services' names differ in some.
pub(super) fn error_of(error: ApiError) -> ApiError {
    match error.code.as_str() {
        "AccessDeniedException" => ApiError { status: 403, code: "AccessDenied".to_owned(), ..error },
        "InternalServerException" => ApiError { status: 500, code: "InternalError".to_owned(), ..error },
        _ => error,
    }
}

/// An error's body.
pub(super) fn error_body(error: &ApiError, request_id: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    element(&mut out, "Code", &error.code);
    element(&mut out, "Message", &error.message);
    for (name, value) in error.extra.iter() {
        element(&mut out, name, value.as_str().unwrap_or_default());
    }
    element(&mut out, "RequestId", request_id);
    out.push_str("</Error>");
    out
}
