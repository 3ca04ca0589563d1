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
                Decision::ImplicitDeny => match policy.not_understood() {
                    // Not AWS's words: the author must learn that it is the sandbox that cannot judge this policy.
                    Some(what) => {
                        format!("because no session policy allows the {action} action (the sandbox does not know {what})")
                    }
                    None => format!("because no session policy allows the {action} action"),
                },
            }
        };
        Err(self.refusal(action, resource_arn, &because))
    }

    /// A refusal in AWS's words; `because` is its end.
    pub(super) fn refusal(&self, action: &str, resource_arn: &str, because: &str) -> ApiError {
        let arn = &self.principal.arn;
        ApiError::access_denied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource_arn} {because}"
        ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::units::Millis;

    fn authorizer(policy: Option<&str>, clock: &Clock) -> Authorizer {
        let principal = Principal {
            arn: "arn:aws:sts::123456789012:assumed-role/shop/tg-ana".to_owned(),
            account: "123456789012".to_owned(),
            session: Some("tg-ana".to_owned()),
        };
        Authorizer::new(principal, policy.map(|text| Arc::new(Policy::parse(text).unwrap())), clock.clone())
    }

    const WORKGROUP: &str = "arn:aws:athena:eu-central-1:123456789012:workgroup/tg-small";

    #[test]
    fn words_are_those_of_aws() {
        let clock = Clock::system();
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"athena:GetQueryExecution","Resource":"{WORKGROUP}"}},
                {{"Effect":"Deny","Action":"athena:StopQueryExecution","Resource":"*"}}]}}"#
        );
        let authorizer = authorizer(Some(&policy), &clock);
        let message = |action| authorizer.check(action, WORKGROUP, &Context::new()).unwrap_err().message;
        assert_eq!(authorizer.check("athena:GetQueryExecution", WORKGROUP, &Context::new()), Ok(()));
        assert_eq!(
            message("athena:StartQueryExecution"),
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/shop/tg-ana is not authorized to perform: \
                 athena:StartQueryExecution on resource: {WORKGROUP} because no session policy allows the \
                 athena:StartQueryExecution action"
            )
        );
        assert!(message("athena:StopQueryExecution").ends_with("with an explicit deny in a session policy"));
    }

    #[test]
    fn another_account_is_refused_even_without_a_policy() {
        let authorizer = authorizer(None, &Clock::system());
        let other = "arn:aws:dynamodb:eu-central-1:999999999999:table/orders";
        assert!(authorizer.check("dynamodb:GetItem", other, &Context::new()).is_err());
        assert_eq!(authorizer.check("s3:GetObject", "arn:aws:s3:::shop-lake/web/x", &Context::new()), Ok(()));
    }

    #[test]
    fn a_copy_is_refused_once_the_deadline_has_passed() {
        let clock = Clock::system();
        let deadline = clock.now().plus(Millis::from_mins(5));
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                {{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"DateGreaterThan":{{"aws:CurrentTime":"{deadline}"}}}}}}]}}"#
        );
        let kept = authorizer(Some(&policy), &clock);
        assert_eq!(kept.check("athena:StartQueryExecution", WORKGROUP, &Context::new()), Ok(()));
        clock.advance(Millis::from_mins(6));
        assert!(kept.check("athena:StartQueryExecution", WORKGROUP, &Context::new()).is_err());
    }

    #[test]
    fn the_author_learns_what_is_not_known() {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
            "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#;
        let error = authorizer(Some(policy), &Clock::system()).check("glue:GetTable", "*", &Context::new()).unwrap_err();
        assert!(error.message.contains("aws:SourceIp"), "{}", error.message);
    }
}
