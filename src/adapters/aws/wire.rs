//! Signed requests to services for which no SDK is linked: Glue and S3, of which a few reads are needed.
//!
//! Measured when the SDKs were chosen: `aws-sdk-glue` costs about 200 seconds of compilation for four operations, `aws-sdk-s3` five
//! minutes, and `object_store`'s S3 brings a second HTTP client and a second TLS stack (reqwest, ring) beside the SDK's own. Signing,
//! connections, TLS, XML and credentials here are the SDK's own crates, which are linked anyway.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::fmt::rfc2822;
use tokio::sync::Semaphore;

use super::answer::{self, causes};
use super::config::{Aws, Call, Patience};
use crate::adapters::clock::wall_clock;
use crate::core::run::event::ServiceFailure;
use crate::core::units::Timestamp;
use crate::engine::ports::ServiceError;

/// Requests of this process that are on their way at the same time: enough to hide the network's latency, few enough for Glue's
/// quotas and a bastion's sockets.
const AT_ONCE: usize = 16;

/// The largest answer that is taken: a page of a listing has less than 1 MB, a footer a few.
const LARGEST: u64 = 64 << 20;

/// The connections.
#[derive(Debug)]
pub(super) struct Wire {
    tls: Connector,
    /// Plain HTTP to this host, past any proxy that the environment names.
    plain: Connector,
    slots: Semaphore,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// `glue` or `s3`: the signature's scope.
    pub(super) service: &'static str,
    pub(super) region: String,
    pub(super) method: &'static str,
    /// Whole, path and query encoded.
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// An answer, of any status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A header's value; names in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why an attempt gave nothing.
enum Lost {
    /// It may work another time.
    Again(ServiceError),
    /// It will not.
    For(ServiceError),
}

impl Wire {
    pub(super) fn new(patience: Patience) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(patience.connect).read_timeout(patience.read).build();
        let tls = Connector::builder()
            .connector_settings(settings.clone())
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build();
        let plain = Connector::builder().connector_settings(settings).build_http();
        Self { tls, plain, slots: Semaphore::new(AT_ONCE) }
    }
}

impl Aws {
    /// Sends a request with a call's credentials, again where that may help. An answer that says "no" is an answer; `named` gives the
    /// code and the message of such a one, as the service writes them.
    pub(super) async fn ask(
        &self,
        call: &Call,
        ask: &Ask,
        named: fn(&Answer) -> (Option<String>, String),
    ) -> Result<Answer, ServiceError> {
        let patience = self.patience();
        let trying = async {
            let mut pause = patience.backoff;
            for attempt in 1.. {
                let lost = match self.attempt(call, ask).await {
                    Ok(answer) if answer.is_good() || answer.status < 400 => return Ok(answer),
                    Ok(answer) => {
                        let (code, message) = named(&answer);
                        let error = answer::answered(call.whose, answer.status, code.as_deref(), &message);
                        let later = matches!(error, ServiceError::Temporary(_)) || answer.status >= 500;
                        if later { Lost::Again(error) } else { Lost::For(error) }
                    }
                    Err(lost) => lost,
                };
                match lost {
                    Lost::Again(_) if attempt < patience.attempts => tokio::time::sleep(drawn(pause)).await,
                    Lost::Again(error) | Lost::For(error) => return Err(error),
                }
                pause = pause.saturating_mul(2);
            }
            Err(ServiceError::NoAnswer("no attempt was made".to_owned()))
        };
        match tokio::time::timeout(patience.call, trying).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ServiceError::NoAnswer(format!("{} took too long", ask.service))),
        }
    }

    async fn attempt(&self, call: &Call, ask: &Ask) -> Result<Answer, Lost> {
        let request = signed(call, ask)
            .map_err(|why| Lost::For(ServiceError::Refused(ServiceFailure { code: "NotSent".to_owned(), message: why })))?;
        let wire = self.wire();
        let _slot = wire.slots.acquire().await;
        let connector = if super::config::loopback(&ask.url) { &wire.plain } else { &wire.tls };
        let mut response = connector.call(request).await.map_err(|error| {
            let text = causes(&error);
            Lost::Again(if answer::never_sent(&error) {
                ServiceError::Temporary(format!("no connection: {text}"))
            } else {
                ServiceError::NoAnswer(text)
            })
        })?;
        let headers: Vec<(String, String)> =
            response.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        if let Some(date) = header("date").and_then(|text| rfc2822::parse(text).ok()) {
            self.heard_date(Timestamp(date.timestamp().as_millisecond()));
        }
        let length = header("content-length").and_then(|text| text.parse::<u64>().ok());
        if ask.method != "HEAD" && length.is_some_and(|length| length > LARGEST) {
            return Err(Lost::For(ServiceError::NoAnswer("an answer larger than any that was asked for".to_owned())));
        }
        let status = response.status().as_u16();
        let read = ByteStream::new(response.take_body()).collect();
        let body = match tokio::time::timeout(self.patience().read, read).await {
            Ok(Ok(body)) => body.into_bytes().to_vec(),
            Ok(Err(error)) => return Err(Lost::Again(ServiceError::NoAnswer(causes(&error)))),
            Err(_) => return Err(Lost::Again(ServiceError::NoAnswer("the answer did not end".to_owned()))),
        };
        Ok(Answer { status, headers, body })
    }
}

/// A moment below `most`, so that many who were turned away do not come back together.
fn drawn(most: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    most.mul_f64(0.5 + f64::from(nanos % 1000) / 2000.0)
}

fn signed(call: &Call, ask: &Ask) -> Result<HttpRequest, String> {
    let identity = call.credentials.clone().into();
    let mut settings = SigningSettings::default();
    if ask.service == "s3" {
        // S3 takes the path as it stands, and wants the payload's hash as a header.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let skew = call.ear.skew_ms().unwrap_or(0);
    let now = wall_clock().0.saturating_add(skew).max(0);
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or(0));
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&ask.region)
        .name(ask.service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers = ask.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let body = SignableBody::Bytes(ask.body.as_bytes());
    let signable = SignableRequest::new(ask.method, ask.url.as_str(), headers, body).map_err(|error| causes(&error))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| causes(&error))?.into_parts();
    let mut request = HttpRequest::new(SdkBody::from(ask.body.as_str()));
    request.set_method(ask.method).map_err(|error| causes(&error))?;
    request.set_uri(ask.url.as_str()).map_err(|error| causes(&error))?;
    let own = ask.headers.iter().map(|(name, value)| (*name, value.clone()));
    let given = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
    for (name, value) in own {
        request.headers_mut().try_insert(name, value).map_err(|error| causes(&error))?;
    }
    for (name, value) in given {
        request.headers_mut().try_insert(name, value).map_err(|error| causes(&error))?;
    }
    request
        .headers_mut()
        .try_insert("user-agent", concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| causes(&error))?;
    Ok(request)
}

/// The domain of a region's services: China has its own (AWS, "Service endpoints").
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}
