//! Clients: one per service and place, without credentials; each call brings its own, with its own ear.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{AppName, BehaviorVersion, Credentials, IdentityCache, Region, SharedHttpClient};
use futures_util::future::BoxFuture;

use super::answer::{Ear, Whose};
use super::limiter::Limiter;
use super::own::Own;
use super::s3::Buckets;
use super::wire::Wire;
use crate::adapters::clock::{Skew, wall_clock};
use crate::core::plan::{Endpoint, PlanTarget};
use crate::core::units::Timestamp;
use crate::engine::ports::{Keys, Rights, Secret, ServiceError};

/// Where the sandbox answers and with which keys, from its key file.
#[derive(Debug, Clone)]
pub struct SandboxAccess {
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// The key's public id.
    pub access_key_id: String,
    /// The secret key.
    pub secret: Secret,
}

/// Gives the sandbox's access, starting it where none answers. Asked before each call, so it should remember.
pub type SandboxEndpoint = Arc<dyn Fn() -> BoxFuture<'static, Result<SandboxAccess, ServiceError>> + Send + Sync>;

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, once connected.
    pub read: Duration,
    /// For one call with all its attempts.
    pub call: Duration,
    /// How often it is tried.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles from then on. (The SDK draws each wait at random below it.)
    pub backoff: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(10),
            call: Duration::from_secs(30),
            attempts: 3,
            backoff: Duration::from_millis(500),
        }
    }
}

/// Where a service is: region, and the endpoint where it is not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    region: String,
    url: Option<String>,
}

/// STS, Athena, DynamoDB, Glue and S3.
pub struct Aws {
    sandbox: SandboxEndpoint,
    skew: Arc<Skew>,
    patience: Patience,
    own: Own,
    // Athena's quotas are 20 and 100 calls a second per account and region (service limits); we take no more, all runs together.
    pub(super) starts: Limiter,
    pub(super) gets: Limiter,
    direct: SharedHttpClient,
    wire: OnceLock<Wire>,
    buckets: Buckets,
    sts: Mutex<HashMap<Place, aws_sdk_sts::Client>>,
    athena: Mutex<HashMap<Place, aws_sdk_athena::Client>>,
    dynamodb: Mutex<HashMap<Place, aws_sdk_dynamodb::Client>>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// One call's place, rights and ear.
pub(super) struct Call {
    pub(super) place: Place,
    pub(super) whose: Whose,
    pub(super) credentials: Credentials,
    pub(super) ear: Ear,
}

/// A client of one service, from the map of them.
macro_rules! client {
    ($aws:expr, $clients:expr, $service:ident, $place:expr) => {{
        let mut clients = $clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry($place.clone())
            .or_insert_with(|| {
                let mut config = $service::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new($place.region.clone()))
                    .retry_config($aws.patience.retries())
                    .timeout_config($aws.patience.timeouts())
                    .identity_cache(IdentityCache::no_cache());
                config.set_app_name(AppName::new("tollgate").ok());
                config.set_endpoint_url($place.url.clone());
                if $place.url.as_deref().is_some_and(loopback) {
                    config.set_http_client(Some($aws.direct.clone()));
                }
                $service::Client::from_conf(config.build())
            })
            .clone()
    }};
}

impl Aws {
    /// The services, as seen with `sandbox`'s access for sandbox targets; every answer's `Date` goes to `skew`.
    pub fn new(sandbox: SandboxEndpoint, skew: Arc<Skew>, patience: Patience) -> Self {
        Self {
            sandbox,
            skew,
            patience,
            own: Own::default(),
            starts: Limiter::new(20, 10),
            gets: Limiter::new(100, 20),
            // Plain HTTP to this host, past any proxy that the environment names.
            direct: aws_smithy_http_client::Builder::new().build_http(),
            wire: OnceLock::new(),
            buckets: Buckets::default(),
            sts: Mutex::default(),
            athena: Mutex::default(),
            dynamodb: Mutex::default(),
        }
    }

    /// What a call to `target` with `rights` needs.
    pub(super) async fn call(&self, target: &PlanTarget, rights: Rights<'_>) -> Result<Call, ServiceError> {
        let sandbox = match &target.endpoint {
            Endpoint::Sandbox => Some((self.sandbox)().await?),
            Endpoint::Aws | Endpoint::Url(_) => None,
        };
        let url = match &target.endpoint {
            Endpoint::Url(url) => Some(url.clone()),
            Endpoint::Aws | Endpoint::Sandbox => sandbox.as_ref().map(|access| access.url.clone()),
        };
        let (whose, credentials) = match (rights, sandbox) {
            (Rights::Minted(keys), _) => (Whose::Minted, minted(keys)),
            (Rights::Own, Some(access)) => {
                let secret = access.secret.expose();
                (Whose::KeyFile, Credentials::new(access.access_key_id, secret, None, None, "sandbox"))
            }
            (Rights::Own, None) => (Whose::Operator, self.own.credentials(&target.region).await?),
        };
        let place = Place { region: target.region.clone(), url };
        Ok(Call { place, whose, credentials, ear: Ear::new(Arc::clone(&self.skew)) })
    }

    /// After a call with the operator's own rights: credentials that were refused are not used again.
    pub(super) async fn learn<T>(&self, call: &Call, outcome: Result<T, ServiceError>) -> Result<T, ServiceError> {
        if call.whose == Whose::Operator && matches!(outcome, Err(ServiceError::NoCredentials { .. })) {
            self.own.forget(&call.place.region).await;
        }
        outcome
    }

    /// Connections for what has no SDK here; made when first asked for, since they read the system's certificates.
    pub(super) fn wire(&self) -> &Wire {
        self.wire.get_or_init(|| Wire::new(self.patience))
    }

    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Notes the time of an answer.
    pub(super) fn heard_date(&self, date: Timestamp) {
        self.skew.note(date, wall_clock());
    }

    pub(super) fn sts(&self, place: &Place) -> aws_sdk_sts::Client {
        client!(self, self.sts, aws_sdk_sts, place)
    }

    pub(super) fn athena(&self, place: &Place) -> aws_sdk_athena::Client {
        client!(self, self.athena, aws_sdk_athena, place)
    }

    pub(super) fn dynamodb(&self, place: &Place) -> aws_sdk_dynamodb::Client {
        client!(self, self.dynamodb, aws_sdk_dynamodb, place)
    }
}

impl Place {
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl Patience {
    fn retries(self) -> RetryConfig {
        RetryConfig::standard().with_max_attempts(self.attempts).with_initial_backoff(self.backoff)
    }

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .read_timeout(self.read)
            .operation_attempt_timeout(self.connect + self.read)
            .operation_timeout(self.call)
            .build()
    }
}

impl Call {
    pub(super) fn sts(&self) -> aws_sdk_sts::config::Builder {
        aws_sdk_sts::Config::builder().credentials_provider(self.credentials.clone()).interceptor(self.ear.clone())
    }

    pub(super) fn athena(&self) -> aws_sdk_athena::config::Builder {
        aws_sdk_athena::Config::builder().credentials_provider(self.credentials.clone()).interceptor(self.ear.clone())
    }

    pub(super) fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::Config::builder().credentials_provider(self.credentials.clone()).interceptor(self.ear.clone())
    }
}

/// Minted keys as the SDK takes them. Without their expiry: the service decides when they end, not this host's clock.
fn minted(keys: &Keys) -> Credentials {
    let token = Some(keys.token.expose().to_owned());
    Credentials::new(keys.access_key_id.clone(), keys.secret.expose(), token, None::<SystemTime>, "mint")
}

/// Whether a URL is plain HTTP to this host: no proxy is asked about that.
pub(super) fn loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_host_only() {
        for (url, is) in [
            ("http://127.0.0.1:4566", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:80/x", true),
            ("http://localhost:1/", true),
            ("https://localhost:1/", false),
            ("http://127.0.0.1.example.com", false),
            ("http://127.0.0.1@example.com", false),
            ("http://10.0.0.1:80", false),
            ("http://example.com/127.0.0.1", false),
        ] {
            assert_eq!(loopback(url), is, "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let keys = Keys {
            access_key_id: "ASIAEXAMPLE".into(),
            secret: Secret::new("sesame"),
            token: Secret::new("open"),
            expires: Timestamp(0),
        };
        let shown = format!("{keys:?} {:?}", minted(&keys));
        assert!(shown.contains("ASIAEXAMPLE") && !shown.contains("sesame") && !shown.contains("open"), "{shown}");
    }
}
