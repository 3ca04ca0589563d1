//! STS: who we are, and mints.

use async_trait::async_trait;
use aws_sdk_sts::types::Tag;

use super::answer::Kind;
use super::config::Aws;
use crate::core::plan::PlanTarget;
use crate::core::run::event::ServiceFailure;
use crate::core::units::Timestamp;
use crate::engine::ports::{CallerIdentity, Keys, MintRequest, Rights, Secret, ServiceError, TokenService};

#[async_trait]
impl TokenService for Aws {
    async fn identity(&self, target: &PlanTarget) -> Result<CallerIdentity, ServiceError> {
        let call = self.call(target, Rights::Own).await?;
        let client = self.sts(&call.place);
        let asked = client.get_caller_identity().customize().config_override(call.sts()).send().await;
        let answer = self.learn(&call, asked.map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))).await?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account)) => Ok(CallerIdentity { arn, account }),
            _ => Err(ServiceError::NoAnswer("STS named neither ARN nor account".to_owned())),
        }
    }

    async fn assume(&self, target: &PlanTarget, mint: &MintRequest) -> Result<Keys, ServiceError> {
        let seconds = i32::try_from(mint.seconds).map_err(|_| not_sent("DurationSeconds is too large"))?;
        let mut tags = Vec::with_capacity(mint.tags.len());
        for (key, value) in &mint.tags {
            tags.push(Tag::builder().key(key).value(value).build().map_err(|e| not_sent(&e.to_string()))?);
        }
        let call = self.call(target, Rights::Own).await?;
        let asked = self
            .sts(&call.place)
            .assume_role()
            .role_arn(&target.role)
            .role_session_name(&mint.session_name)
            .duration_seconds(seconds)
            .policy(&mint.policy)
            .set_external_id(target.external_id.clone())
            .set_source_identity(mint.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .customize()
            .config_override(call.sts())
            .send()
            .await;
        let answer = self.learn(&call, asked.map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))).await?;
        let keys = answer.credentials.ok_or_else(|| ServiceError::NoAnswer("STS answered without credentials".to_owned()))?;
        let expires = keys.expiration.to_millis().map_err(|e| ServiceError::NoAnswer(e.to_string()))?;
        Ok(Keys {
            access_key_id: keys.access_key_id,
            secret: Secret::new(keys.secret_access_key),
            token: Secret::new(keys.session_token),
            expires: Timestamp(expires),
        })
    }
}

/// A request that cannot be made, so it was not.
fn not_sent(why: &str) -> ServiceError {
    ServiceError::Refused(ServiceFailure { code: "NotSent".to_owned(), message: why.to_owned() })
}
