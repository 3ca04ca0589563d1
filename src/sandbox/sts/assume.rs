//! AssumeRole: its parameters, the role's trust, and the session it makes.

use super::form::Form;
use super::{Sts, Trust};
use crate::core::units::Millis;
use crate::sandbox::api::{ApiError, Context};
use crate::sandbox::policy::Policy;
use crate::sandbox::sessions::{Holder, Session, Wish};

/// The shortest and the longest session, and the default (API reference; the maximum is a role's default MaxSessionDuration).
const DURATIONS: (u64, u64, u64) = (900, 3_600, 3_600);

/// Characters of one inline session policy (API reference).
const POLICY_LIMIT: usize = 2_048;

/// Session tags of one session (API reference).
const TAG_LIMIT: usize = 50;

/// What AWS packs policy and tags into has a limit it does not publish. The sandbox counts plain bytes against this, so that a
/// policy of full length still fits beside the tags that tollgate sends.
const PACKED_LIMIT: usize = 4_096;

/// AssumeRole's parameters, each valid by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    role_arn: String,
    session_name: String,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Vec<(String, String)>,
    policy: Option<String>,
    duration: Millis,
}

/// A new session and what the answer tells besides.
#[derive(Debug, Clone)]
pub(super) struct Assumed {
    /// The session.
    pub session: Session,
    /// Its account.
    pub account: String,
    /// How much of the packed size policy and tags take; absent where there were none.
    pub packed_percent: Option<usize>,
}

impl Request {
    /// Reads and checks the parameters.
    ///
    /// # Errors
    /// ValidationError, MalformedPolicyDocument or PackedPolicyTooLarge, in AWS's words.
    pub(super) fn read(form: &Form) -> Result<Self, ApiError> {
        if let Some(name) = form.names().find(|name| !is_known(name)) {
            let message = format!("The sandbox's AssumeRole does not have the parameter {name}.");
            return Err(ApiError::new(400, "ValidationError", message));
        }
        let required = |name: &'static str, member: &'static str| {
            form.get(name).ok_or_else(|| constraint("null", member, "Member must not be null"))
        };
        let role_arn = required("RoleArn", "roleArn")?;
        if role_arn.len() < 20 || role_arn.len() > 2048 {
            return Err(constraint(role_arn, "roleArn", "Member must have length between 20 and 2048"));
        }
        let session_name = required("RoleSessionName", "roleSessionName")?;
        check_name(session_name, "roleSessionName")?;
        let source_identity = form.get("SourceIdentity");
        if let Some(source) = source_identity {
            check_name(source, "sourceIdentity")?;
            if source.starts_with("aws:") {
                return Err(constraint(source, "sourceIdentity", "Member must not begin with aws:"));
            }
        }
        let external_id = form.get("ExternalId");
        if external_id.is_some_and(|id| id.len() < 2 || id.len() > 1224) {
            return Err(constraint("…", "externalId", "Member must have length between 2 and 1224"));
        }
        let policy = form.get("Policy");
        if let Some(policy) = policy {
            check_policy(policy)?;
        }
        Ok(Self {
            role_arn: role_arn.to_owned(),
            session_name: session_name.to_owned(),
            external_id: external_id.map(str::to_owned),
            source_identity: source_identity.map(str::to_owned),
            tags: tags(form)?,
            policy: policy.map(str::to_owned),
            duration: duration(form.get("DurationSeconds"))?,
        })
    }

    /// Policy and tags in percent of what fits, rounded up.
    fn packed_percent(&self) -> Option<usize> {
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        let bytes = self.policy.as_deref().map_or(0, str::len) + tags;
        (bytes > 0).then(|| (bytes * 100).div_ceil(PACKED_LIMIT))
    }
}

/// Makes the session, if the role trusts this caller.
///
/// # Errors
/// AccessDenied, as AWS words it; PackedPolicyTooLarge; or that the keys could not be stored.
pub(super) fn assume(request: &Request, holder: &Holder, sts: &Sts<'_>) -> Result<Assumed, ApiError> {
    check_trust(request, holder, sts)?;
    let packed_percent = request.packed_percent();
    if let Some(percent) = packed_percent.filter(|percent| *percent > 100) {
        let message = format!("Packed size of session policy and tags consumes {percent}% of allotted space.");
        return Err(ApiError::new(400, "PackedPolicyTooLarge", message));
    }
    let wish = Wish {
        role_arn: request.role_arn.clone(),
        session_name: request.session_name.clone(),
        source_identity: request.source_identity.clone().or_else(|| holder.source_identity.clone()),
        tags: request.tags.clone(),
        policy: request.policy.clone(),
        duration: request.duration,
    };
    let issued = sts.keys.issue(wish, sts.clock.now());
    let session = issued.map_err(|error| ApiError::new(500, "InternalFailure", error.to_string()))?;
    Ok(Assumed { session, account: sts.keys.account().to_owned(), packed_percent })
}

fn check_trust(request: &Request, holder: &Holder, sts: &Sts<'_>) -> Result<(), ApiError> {
    let denied = |action: &str| {
        let message =
            format!("User: {} is not authorized to perform: {action} on resource: {}", holder.principal.arn, request.role_arn);
        ApiError::new(403, "AccessDenied", message)
    };
    let Trust { external_id } = sts.trust;
    let parts: Vec<&str> = request.role_arn.splitn(6, ':').collect();
    let is_ours = matches!(parts.as_slice(), ["arn", "aws", "iam", "", account, role]
        if *account == sts.keys.account() && role.strip_prefix("role/").is_some_and(is_role_name));
    if !is_ours || (external_id.is_some() && *external_id != request.external_id) {
        return Err(denied("sts:AssumeRole"));
    }
    let allowed = holder.authorizer(sts.clock).check("sts:AssumeRole", &request.role_arn, &Context::new());
    allowed.map_err(|error| ApiError::new(403, "AccessDenied", error.message))?;
    if holder.source_identity.is_some() && request.source_identity.is_some() && holder.source_identity != request.source_identity
    {
        return Err(denied("sts:SetSourceIdentity"));
    }
    Ok(())
}

fn is_known(name: &str) -> bool {
    const PLAIN: [&str; 8] =
        ["Action", "Version", "RoleArn", "RoleSessionName", "ExternalId", "SourceIdentity", "Policy", "DurationSeconds"];
    PLAIN.contains(&name) || name.starts_with("Tags.member.")
}

/// A role's path and name.
fn is_role_name(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b))
}

fn check_name(value: &str, member: &str) -> Result<(), ApiError> {
    if !(2..=64).contains(&value.len()) {
        let bound = if value.len() < 2 { "greater than or equal to 2" } else { "less than or equal to 64" };
        return Err(constraint(value, member, &format!("Member must have length {bound}")));
    }
    if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)) {
        let pattern = r"Member must satisfy regular expression pattern: [\w+=,.@-]*";
        return Err(constraint(value, member, pattern));
    }
    Ok(())
}

fn check_policy(policy: &str) -> Result<(), ApiError> {
    if policy.chars().count() > POLICY_LIMIT {
        let message = format!("Member must have length less than or equal to {POLICY_LIMIT}");
        return Err(constraint("…", "policy", &message));
    }
    if policy.is_empty() || !policy.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')) {
        let pattern = r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+";
        return Err(constraint("…", "policy", pattern));
    }
    Policy::parse(policy).map(drop).map_err(|error| ApiError::new(400, "MalformedPolicyDocument", error.to_string()))
}

fn duration(text: Option<&str>) -> Result<Millis, ApiError> {
    let (least, most, default) = DURATIONS;
    let Some(text) = text else { return Ok(Millis::from_secs(default)) };
    let bound = |words: &str| constraint(text, "durationSeconds", &format!("Member must have value {words}"));
    match text.parse::<u64>() {
        Err(_) => Err(ApiError::new(400, "MalformedInput", "DurationSeconds is not a number")),
        Ok(seconds) if seconds < least => Err(bound(&format!("greater than or equal to {least}"))),
        Ok(seconds) if seconds > 43_200 => Err(bound("less than or equal to 43200")),
        Ok(seconds) if seconds > most => {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            Err(ApiError::new(400, "ValidationError", message))
        }
        Ok(seconds) => Ok(Millis::from_secs(seconds)),
    }
}

fn tags(form: &Form) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    let members = form.members("Tags");
    if members.len() > TAG_LIMIT {
        return Err(constraint("…", "tags", &format!("Member must have length less than or equal to {TAG_LIMIT}")));
    }
    for member in members {
        let (key, value) = (member.field("Key").unwrap_or_default(), member.field("Value").unwrap_or_default());
        let is_tag = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c));
        if key.is_empty() || key.chars().count() > 128 || !is_tag(key) || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(constraint(key, "tags.1.member.key", "Member must be a tag key of 1 to 128 characters"));
        }
        if value.chars().count() > 256 || !is_tag(value) {
            return Err(constraint(value, "tags.1.member.value", "Member must be a tag value of at most 256 characters"));
        }
        if tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return Err(ApiError::new(
                400,
                "InvalidParameterValue",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}

fn constraint(value: &str, member: &str, rule: &str) -> ApiError {
    let message = format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}");
    ApiError::new(400, "ValidationError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Request, ApiError> {
        let mut parameters = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", "arn:aws:iam::123456789012:role/shop-read"),
            ("RoleSessionName", "tg-01RUN"),
        ];
        parameters.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        parameters.extend(changes.iter().filter(|(_, value)| *value != "-"));
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        Request::read(&Form::read(body.join("&").as_bytes()).unwrap())
    }

    #[test]
    fn parameters_are_checked() {
        let long_policy = format!("{{\"Statement\":{}}}", " ".repeat(2_048));
        for (changes, code, words) in [
            (vec![("RoleArn", "-")], "ValidationError", "'roleArn'"),
            (vec![("RoleArn", "short")], "ValidationError", "'roleArn'"),
            (vec![("RoleSessionName", "-")], "ValidationError", "'roleSessionName'"),
            (vec![("RoleSessionName", "a")], "ValidationError", "greater than or equal to 2"),
            (vec![("RoleSessionName", "has blank")], "ValidationError", "regular expression"),
            (vec![("SourceIdentity", "a")], "ValidationError", "'sourceIdentity'"),
            (vec![("DurationSeconds", "899")], "ValidationError", "greater than or equal to 900"),
            (vec![("DurationSeconds", "3601")], "ValidationError", "MaxSessionDuration"),
            (vec![("DurationSeconds", "43201")], "ValidationError", "43200"),
            (vec![("DurationSeconds", "-1")], "MalformedInput", "number"),
            (vec![("Policy", long_policy.as_str())], "ValidationError", "2048"),
            (vec![("Policy", "{")], "MalformedPolicyDocument", "invalid Json"),
            (vec![("Policy", "{\"Ȁ\":1}")], "ValidationError", "regular expression"),
            (vec![("Tags.member.1.Key", "aws:x")], "ValidationError", "tag key"),
            (vec![("Tags.member.1.Key", "a"), ("Tags.member.2.Key", "A")], "InvalidParameterValue", "Duplicate"),
            (vec![("SerialNumber", "x")], "ValidationError", "SerialNumber"),
            (vec![("PolicyArns.member.1.arn", "x")], "ValidationError", "PolicyArns"),
        ] {
            let error = read(&changes).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.contains(words)), (code, true), "{changes:?}: {error}");
        }
        assert_eq!(read(&[]).unwrap().duration, Millis::from_secs(3_600));
        assert_eq!(read(&[("DurationSeconds", "900")]).unwrap().duration, Millis::from_secs(900));
    }

    #[test]
    fn packed_size_counts_policy_and_tags() {
        assert_eq!(read(&[]).unwrap().packed_percent(), None);
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        assert_eq!(read(&[("Policy", policy)]).unwrap().packed_percent(), Some(2));
        let padded = format!("{policy}{}", " ".repeat(2_048 - policy.len()));
        assert_eq!(read(&[("Policy", &padded)]).unwrap().packed_percent(), Some(50));
    }
}
