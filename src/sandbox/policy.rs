//! Session policies: the part of IAM's policy language that tollgate's own policies use, evaluated as AWS does. Pure.
//!
//! Whatever is not understood (an operator, a condition key, an element) denies the whole request: a sandbox that allowed more
//! than AWS would hide a mistake until production.

mod context;

pub use context::Context;

use crate::core::units::Timestamp;

/// What a policy says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// A session policy, read from its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {}

impl Policy {
    /// Judges one request. `now` is `aws:CurrentTime`.
    pub fn decide(&self, _action: &str, _resource_arn: &str, _context: &Context, _now: Timestamp) -> Decision {
        Decision::ImplicitDeny
    }
}
