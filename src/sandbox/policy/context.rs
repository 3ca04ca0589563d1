//! The condition keys of one request.

use std::collections::BTreeMap;

/// The request's condition keys with their values. Names compare without case, as in IAM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// No keys at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one key more; several values make it multivalued. A key with an empty list counts as absent.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if !values.is_empty() {
            self.keys.insert(key.to_ascii_lowercase(), values);
        }
        self
    }

    /// With `aws:CalledVia`: the services that act for the caller, first to last.
    #[must_use]
    pub fn called_via(self, service: &str) -> Self {
        self.with("aws:CalledVia", [service])
    }

    /// The values of a key; `None` where the request does not have it.
    pub fn values(&self, key: &str) -> Option<&[String]> {
        self.keys.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}
