//! Session policies: the part of IAM's policy language that tollgate's own policies use, evaluated as AWS does. Pure.
//!
//! Whatever is not understood (an operator, a condition key, an element, a policy variable) denies every request made under that
//! policy: a sandbox that allowed more than AWS would hide a mistake until production. What AWS itself refuses to take as a
//! policy is a [`PolicyError`], answered to AssumeRole as MalformedPolicyDocument.

mod condition;
mod context;
mod document;
mod node;
mod pattern;

pub use context::Context;
pub use document::PolicyError;

use crate::core::units::Timestamp;

use condition::Condition;
use pattern::Pattern;

/// What a policy says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// No statement allows it, or the policy is not understood.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// A session policy, read from its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    not_understood: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    allow: bool,
    actions: Actions,
    resources: Vec<Pattern>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Actions {
    Only(Vec<Pattern>),
    AllBut(Vec<Pattern>),
}

impl Policy {
    /// Reads a policy's JSON.
    ///
    /// # Errors
    /// What AWS would refuse as malformed: no JSON, a missing or wrong element, a resource that is no ARN.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        document::parse(text)
    }

    /// Judges one request. `now` is `aws:CurrentTime`. Every denial outweighs every allowance.
    pub fn decide(&self, action: &str, resource_arn: &str, context: &Context, now: Timestamp) -> Decision {
        if self.not_understood.is_some() {
            return Decision::ImplicitDeny;
        }
        let applies = |s: &&Statement| s.applies(action, resource_arn, context, now);
        if self.statements.iter().filter(|s| !s.allow).any(|s| applies(&s)) {
            Decision::ExplicitDeny
        } else if self.statements.iter().filter(|s| s.allow).any(|s| applies(&s)) {
            Decision::Allow
        } else {
            Decision::ImplicitDeny
        }
    }

    /// The first thing in this policy that the sandbox does not know, and that therefore denies everything.
    pub fn not_understood(&self) -> Option<&str> {
        self.not_understood.as_deref()
    }
}

impl Statement {
    fn applies(&self, action: &str, resource_arn: &str, context: &Context, now: Timestamp) -> bool {
        let named = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches_ignoring_case(action));
        let action_applies = match &self.actions {
            Actions::Only(patterns) => named(patterns),
            Actions::AllBut(patterns) => !named(patterns),
        };
        // An ARN pattern's wildcards end at its segment for an allowance; a denial takes the wider reading.
        let resource_applies = self
            .resources
            .iter()
            .any(|pattern| if self.allow { pattern.matches_arn(resource_arn) } else { pattern.matches(resource_arn) });
        action_applies && resource_applies && self.conditions.iter().all(|c| c.holds(context, now))
    }
}

#[cfg(test)]
mod tests;
