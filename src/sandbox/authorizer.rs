//! Asks a session's policy whether an action may be done now.

use std::sync::Arc;

use super::api::{ApiError, Principal};
use super::clock::Clock;
use super::policy::{Context, Decision, Policy};

/// What one caller may do. Cheap to clone; every check is judged at the moment it is made.
#[derive(Debug, Clone)]
pub struct Authorizer {
    principal: Arc<Principal>,
    policy: Option<Arc<Policy>>,
    clock: Clock,
}

impl Authorizer {
    /// For a caller with the given session policy; without one (the sandbox's base keys, or a session that named none) all is
    /// allowed within the account.
    pub fn new(principal: Principal, policy: Option<Arc<Policy>>, clock: Clock) -> Self {
        Self { principal: Arc::new(principal), policy, clock }
    }

    /// Whether `action` (`athena:StartQueryExecution`) may be done on `resource_arn` now.
    ///
    /// `context` holds the request's condition keys; `aws:CurrentTime` is filled in here. A service that acts for the caller says
    /// so: `Context::new().called_via("athena.amazonaws.com")` with `glue:GetTable`, `s3:GetObject`, `s3:PutObject`.
    ///
    /// # Errors
    /// AWS's AccessDeniedException, naming the session policy as the reason.
    pub fn check(&self, action: &str, resource_arn: &str, context: &Context) -> Result<(), ApiError> {
        let because = if account_of(resource_arn).is_some_and(|account| account != self.principal.account) {
            format!("because no resource-based policy allows the {action} action")
        } else {
            let Some(policy) = &self.policy else { return Ok(()) };
            match policy.decide(action, resource_arn, context, self.clock.now()) {
                Decision::Allow => return Ok(()),
                Decision::ExplicitDeny => "with an explicit deny in a session policy".to_owned(),
                Decision::ImplicitDeny => format!("because no session policy allows the {action} action"),
            }
        };
        let arn = &self.principal.arn;
        Err(ApiError::access_denied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource_arn} {because}"
        )))
    }

    /// Whether a session policy restricts this caller.
    pub fn is_restricted(&self) -> bool {
        self.policy.is_some()
    }
}

/// The account field of an ARN; `None` where it has none (S3) or is no ARN.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}
