//! The operator's own credentials: the SDK's standard chain (environment, profile with SSO or a process, web identity, container,
//! instance), found once and kept until shortly before they expire.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_sdk_sts::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use tokio::sync::Mutex;

use super::answer::causes;
use crate::engine::ports::ServiceError;

/// How long the instance metadata service may take to answer. Off EC2 nobody answers, and nobody should wait for that.
const METADATA_WAIT: Duration = Duration::from_secs(1);

/// How long the whole chain may take; a credential process or SSO may be slow, an operator in an incident is not.
const CHAIN_WAIT: Duration = Duration::from_secs(20);

/// Credentials that expire sooner than this are asked for again.
const FRESH: Duration = Duration::from_secs(60);

/// The operator's credentials by region: a profile's own AssumeRole goes to the region's STS.
#[derive(Debug, Default)]
pub(super) struct Own {
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    chain: SharedCredentialsProvider,
    credentials: Option<Credentials>,
}

impl Own {
    /// The operator's credentials for calls in `region`.
    pub(super) async fn credentials(&self, region: &str) -> Result<Credentials, ServiceError> {
        // Held over the question, so that two steps at once ask (and open a browser, or prompt) once.
        let mut known = self.known.lock().await;
        if !known.contains_key(region) {
            let chain = SharedCredentialsProvider::new(chain(region).await);
            known.insert(region.to_owned(), Known { chain, credentials: None });
        }
        let Some(entry) = known.get_mut(region) else {
            return Err(ServiceError::Temporary("no credential chain".to_owned()));
        };
        if let Some(credentials) = entry.credentials.as_ref().filter(|credentials| fresh(credentials)) {
            return Ok(credentials.clone());
        }
        let asked = tokio::time::timeout(CHAIN_WAIT, entry.chain.provide_credentials()).await;
        let found = match asked {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(error)) => return Err(missing(&causes(&error), std::env::var("AWS_PROFILE").ok().as_deref())),
            Err(_) => {
                return Err(ServiceError::Temporary(format!(
                    "your AWS credentials were not given within {} s (a profile's process, SSO or container)",
                    CHAIN_WAIT.as_secs()
                )));
            }
        };
        entry.credentials = Some(found.clone());
        Ok(found)
    }

    /// Forgets what the service refused, so that a new sign-in is seen without a restart.
    pub(super) async fn forget(&self, region: &str) {
        self.known.lock().await.remove(region);
    }
}

fn fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry.duration_since(SystemTime::now()).is_ok_and(|left| left > FRESH))
}

async fn chain(region: &str) -> DefaultCredentialsChain {
    let metadata = aws_config::imds::Client::builder()
        .connect_timeout(METADATA_WAIT)
        .read_timeout(METADATA_WAIT)
        .operation_timeout(2 * METADATA_WAIT)
        .max_attempts(1)
        .build();
    // The region is given: else the chain would ask the metadata service for it, profile or not.
    DefaultCredentialsChain::builder().region(Region::new(region.to_owned())).imds_client(metadata).build().await
}

/// Why the chain gave nothing, and what to do about it. `causes` are the SDK's words.
fn missing(causes: &str, profile: Option<&str>) -> ServiceError {
    let words = causes.to_ascii_lowercase();
    if words.contains("dispatch failure") || words.contains("timed out") {
        return ServiceError::Temporary(format!("your AWS credentials cannot be asked for now ({causes})"));
    }
    let of_profile = profile.map_or_else(String::new, |profile| format!(" --profile {profile}"));
    let (message, hint) = if words.contains("sso") || words.contains("token is expired") || words.contains("token has expired") {
        (format!("your AWS sign-in is missing or has expired ({causes})"), format!("run `aws sso login{of_profile}`"))
    } else if words.contains("no providers in chain") {
        (
            "no AWS credentials were found (environment, profile, container, instance)".to_owned(),
            "set AWS_PROFILE, or run `aws configure sso`".to_owned(),
        )
    } else {
        (
            format!("your AWS credentials could not be loaded ({causes})"),
            format!("check `aws sts get-caller-identity{of_profile}`"),
        )
    };
    ServiceError::NoCredentials { message, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_decides_what_to_do() {
        let hint = |causes: &str, profile| match missing(causes, profile) {
            ServiceError::NoCredentials { hint, .. } => hint,
            other => format!("{other:?}"),
        };
        assert_eq!(hint("failed to load the cached SSO token", Some("dev")), "run `aws sso login --profile dev`");
        assert_eq!(hint("the cached token has expired", None), "run `aws sso login`");
        assert_eq!(hint("no providers in chain provided credentials", None), "set AWS_PROFILE, or run `aws configure sso`");
        assert_eq!(hint("external process exited with code 1", None), "check `aws sts get-caller-identity`");
        assert!(hint("sso: dispatch failure: io error", None).starts_with("Temporary"), "signing in again would not help");
    }
}
