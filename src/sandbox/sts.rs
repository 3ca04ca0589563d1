//! STS: AssumeRole and GetCallerIdentity, over AWS's query protocol (a form in, XML out).

mod assume;
mod form;
mod xml;

use super::api::ApiError;
use super::clock::Clock;
use super::sessions::{Holder, KeyRing};

pub(super) use form::Form;
pub(super) use xml::error as error_body;

/// What the sandbox's one trust policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The external id that AssumeRole must carry; `None` takes any.
    pub external_id: Option<String>,
}

/// The service.
#[derive(Debug)]
pub(super) struct Sts<'a> {
    /// Where new keys go.
    pub keys: &'a KeyRing,
    /// Whom roles trust.
    pub trust: &'a Trust,
    /// The service's time.
    pub clock: &'a Clock,
}

impl Sts<'_> {
    /// Answers one request with its XML.
    ///
    /// # Errors
    /// What the client is to see, for [`error_body`].
    pub(super) fn call(&self, form: &Form, holder: &Holder, request_id: &str) -> Result<String, ApiError> {
        let action = form.get("Action").unwrap_or_default();
        if form.get("Version").is_some_and(|version| version != xml::VERSION) {
            return Err(no_such_action(action, form.get("Version").unwrap_or_default()));
        }
        match action {
            "AssumeRole" => {
                let request = assume::Request::read(form)?;
                let assumed = assume::assume(&request, holder, self)?;
                Ok(xml::assume_role(&assumed, request_id))
            }
            // AWS answers this whatever the policies say: it tells callers nothing but their own name.
            "GetCallerIdentity" => Ok(xml::caller_identity(holder, request_id)),
            other => Err(no_such_action(other, xml::VERSION)),
        }
    }
}

fn no_such_action(action: &str, version: &str) -> ApiError {
    ApiError::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}"))
}
