//! AWS Signature Version 4, verified as the services do: the canonical request rebuilt from what arrived, the key derived from
//! the secret and the scope, compared in constant time; then date, region and signed headers.
//!
//! Source of every rule: AWS, "Create a signed AWS API request"; the vectors in the tests are of that document.

mod canonical;
mod hmac;

use axum::http::{HeaderMap, Method, Uri};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::units::{Millis, Timestamp};

pub(super) use hmac::hmac_sha256;

/// How far a request's date may be from the service's, either way.
pub const MAX_SKEW: Millis = Millis::from_mins(5);

/// The same for S3 (API reference, `RequestTimeTooSkewed`).
pub const S3_MAX_SKEW: Millis = Millis::from_mins(15);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why a request was not let in. What a client sees of it depends on the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rejection {
    /// No Authorization header.
    Missing,
    /// An Authorization header that cannot be read, with AWS's words.
    Incomplete(String),
    /// No such access key, or another session token than this key was issued with.
    UnknownKey,
    /// The keys were good once.
    Expired,
    /// The signature or its scope is wrong, with AWS's words.
    Mismatch(String),
    /// The date is too far from the service's, with AWS's words.
    Skewed(String),
    /// The payload's hash is missing where it must be there, or is not that of the body.
    Payload(String),
}

/// A request as it arrived, body and all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    /// `POST`, `GET`.
    pub method: &'a Method,
    /// Path and query, as sent.
    pub uri: &'a Uri,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// What an Authorization header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorization {
    /// Whose key.
    pub access_key_id: String,
    /// The scope's day, `20261120`.
    day: String,
    /// The scope's region.
    pub region: String,
    /// The scope's service: `sts`, `athena`, `glue`, `s3`, `dynamodb`.
    pub service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads the Authorization header.
    ///
    /// # Errors
    /// [`Rejection::Missing`] or [`Rejection::Incomplete`].
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Rejection> {
        let Some(value) = headers.get("authorization") else { return Err(Rejection::Missing) };
        let value = value.to_str().map_err(|_| Rejection::Incomplete("Authorization header is not ASCII.".to_owned()))?;
        let Some(fields) = value.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' ')) else {
            return Err(Rejection::Incomplete(format!(
                "Unsupported AWS 'algorithm': the sandbox takes {ALGORITHM} in the Authorization header."
            )));
        };
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for field in fields.split(',').map(str::trim) {
            let Some((name, value)) = field.split_once('=') else {
                return Err(Rejection::Incomplete(format!(
                    "'{field}' not a valid key=value pair (missing equal-sign) in Authorization header."
                )));
            };
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => continue,
            };
            *slot = Some(value.to_owned());
        }
        let mut missing = String::new();
        for (name, present) in
            [("Credential", credential.is_some()), ("Signature", signature.is_some()), ("SignedHeaders", signed.is_some())]
        {
            if !present {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if !headers.contains_key("x-amz-date") && !headers.contains_key("date") {
            missing.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
        }
        let (Some(credential), Some(signed), Some(signature), true) = (credential, signed, signature, missing.is_empty()) else {
            return Err(Rejection::Incomplete(missing.trim_end().to_owned()));
        };
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, service, "aws4_request"] = parts.as_slice() else {
            return Err(Rejection::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self {
            access_key_id: (*access_key_id).to_owned(),
            day: (*day).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            signed_headers: signed.split(';').map(str::to_owned).collect(),
            signature,
        })
    }

    /// Verifies the request against `secret`, at the service's time and in its region.
    ///
    /// # Errors
    /// [`Rejection::Mismatch`], [`Rejection::Skewed`], [`Rejection::Payload`] or [`Rejection::Incomplete`].
    pub(super) fn verify(&self, request: Signed<'_>, secret: &str, now: Timestamp, region: &str) -> Result<(), Rejection> {
        self.check_signed_headers(request.headers)?;
        let date = canonical::request_date(request.headers)
            .ok_or_else(|| Rejection::Incomplete("Date must be in ISO-8601 'basic format'.".to_owned()))?;
        self.check_scope(date, region)?;
        check_skew(date, now, if self.service == "s3" { S3_MAX_SKEW } else { MAX_SKEW })?;
        let payload = self.payload_hash(request)?;
        let canonical = canonical::request(request, &self.signed_headers, &payload, self.service == "s3");
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{}", basic(date), hex::encode(Sha256::digest(canonical)));
        let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), self.day.as_bytes());
        for part in [self.region.as_str(), &self.service, "aws4_request"] {
            key = hmac_sha256(&key, part.as_bytes());
        }
        let expected = hex::encode(hmac_sha256(&key, text.as_bytes()));
        if bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            Ok(())
        } else {
            Err(Rejection::Mismatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                 Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ))
        }
    }

    /// `host` and every `x-amz-*` header must be signed, or they could be changed on the way.
    fn check_signed_headers(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let unsigned = |name: &str| !self.signed_headers.iter().any(|signed| signed == name);
        let bad = |name: &str| Err(Rejection::Mismatch(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
        if unsigned("host") {
            return bad("Host");
        }
        if !headers.contains_key("x-amz-date") && unsigned("date") {
            return bad("Date");
        }
        match headers.keys().map(|name| name.as_str()).find(|name| name.starts_with("x-amz-") && unsigned(name)) {
            Some(name) => bad(name),
            None => Ok(()),
        }
    }

    fn check_scope(&self, date: Timestamp, region: &str) -> Result<(), Rejection> {
        if self.region != region {
            let message = format!("Credential should be scoped to a valid region, not '{}'. ", self.region);
            return Err(Rejection::Mismatch(message));
        }
        let time = basic(date);
        if time.get(..8) != Some(self.day.as_str()) {
            return Err(Rejection::Mismatch(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{time}'.",
                self.day,
                time.get(..8).unwrap_or_default()
            )));
        }
        Ok(())
    }

    /// The payload hash that was signed; for all services but S3 it is always that of the body. S3 wants it as a header, and takes
    /// `UNSIGNED-PAYLOAD` for it.
    fn payload_hash(&self, request: Signed<'_>) -> Result<String, Rejection> {
        let actual = hex::encode(Sha256::digest(request.body));
        let claimed = request.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        match claimed {
            Some("UNSIGNED-PAYLOAD") if self.service == "s3" => Ok("UNSIGNED-PAYLOAD".to_owned()),
            None if self.service == "s3" => {
                Err(Rejection::Payload("Missing required header for this request: x-amz-content-sha256".to_owned()))
            }
            Some(claimed) if claimed != actual => {
                Err(Rejection::Payload("The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned()))
            }
            _ => Ok(actual),
        }
    }
}

fn check_skew(date: Timestamp, now: Timestamp, most: Millis) -> Result<(), Rejection> {
    let (oldest, newest) = (now.minus(most), now.plus(most));
    let minutes = most.0 / 60_000;
    let (date_text, now_text) = (basic(date), basic(now));
    // Dates have whole seconds: the newest second that may still be signed is the one that has begun.
    if date.0 < oldest.0.div_euclid(1000) * 1000 {
        let limit = basic(oldest);
        return Err(Rejection::Skewed(format!(
            "Signature expired: {date_text} is now earlier than {limit} ({now_text} - {minutes} min.)"
        )));
    }
    if date > newest {
        let limit = basic(newest);
        return Err(Rejection::Skewed(format!(
            "Signature not yet current: {date_text} is still later than {limit} ({now_text} + {minutes} min.)"
        )));
    }
    Ok(())
}

/// `20261120T081500Z`.
fn basic(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0).map_or_else(|_| String::new(), |t| t.strftime("%Y%m%dT%H%M%SZ").to_string())
}

#[cfg(test)]
mod tests;
