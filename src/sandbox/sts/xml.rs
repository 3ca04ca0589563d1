//! STS's answers.

use super::assume::Assumed;
use crate::core::units::Timestamp;
use crate::sandbox::api::ApiError;
use crate::sandbox::sessions::{Holder, session_arn, session_user_id};
use crate::sandbox::xml::element;

/// The API's version, part of every request and of the namespace of every answer.
pub(super) const VERSION: &str = "2011-06-15";

/// The answer to AssumeRole.
pub(super) fn assume_role(assumed: &Assumed, request_id: &str) -> String {
    let session = &assumed.session;
    let mut body = String::new();
    if let Some(source) = &session.source_identity {
        element(&mut body, "SourceIdentity", source);
    }
    body.push_str("<AssumedRoleUser>");
    element(&mut body, "AssumedRoleId", &session_user_id(&session.role_arn, &session.session_name));
    element(&mut body, "Arn", &session_arn(&session.role_arn, &session.session_name, &assumed.account));
    body.push_str("</AssumedRoleUser><Credentials>");
    element(&mut body, "AccessKeyId", &session.access_key_id);
    element(&mut body, "SecretAccessKey", session.secret_access_key.reveal());
    element(&mut body, "SessionToken", session.session_token.reveal());
    element(&mut body, "Expiration", &seconds(session.expires_at));
    body.push_str("</Credentials>");
    if let Some(percent) = assumed.packed_percent {
        element(&mut body, "PackedPolicySize", &percent.to_string());
    }
    answer("AssumeRole", &body, request_id)
}

/// The answer to GetCallerIdentity.
pub(super) fn caller_identity(holder: &Holder, request_id: &str) -> String {
    let mut body = String::new();
    element(&mut body, "Arn", &holder.principal.arn);
    element(&mut body, "UserId", &holder.user_id);
    element(&mut body, "Account", &holder.principal.account);
    answer("GetCallerIdentity", &body, request_id)
}

/// An error, of any kind.
pub(in crate::sandbox) fn error(error: &ApiError, request_id: &str) -> String {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut body = String::new();
    element(&mut body, "Type", kind);
    element(&mut body, "Code", &error.code);
    element(&mut body, "Message", &error.message);
    let mut id = String::new();
    element(&mut id, "RequestId", request_id);
    format!("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/{VERSION}/\"><Error>{body}</Error>{id}</ErrorResponse>\n")
}

fn answer(action: &str, body: &str, request_id: &str) -> String {
    let mut id = String::new();
    element(&mut id, "RequestId", request_id);
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/{VERSION}/\"><{action}Result>{body}</{action}Result>\
         <ResponseMetadata>{id}</ResponseMetadata></{action}Response>\n"
    )
}

fn seconds(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0).map_or_else(|_| time.to_string(), |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let body = error(&ApiError::new(400, "ValidationError", "a < b & c\u{1b}"), "r");
        assert!(body.contains("<Message>a &lt; b &amp; c\u{fffd}</Message>"), "{body}");
        assert!(body.contains("<Type>Sender</Type>"));
        assert!(error(&ApiError::new(500, "InternalFailure", ""), "r").contains("<Type>Receiver</Type>"));
    }
}
