//! Approval rules as written; `core::access` says whose vote counts.

use super::{GroupName, Placed};
use crate::core::units::Millis;

/// The book's approval rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How many distinct people must approve; at least 1.
    pub need: u32,
    /// Groups that vote from the start.
    pub from: Vec<Placed<GroupName>>,
    /// Groups that a runbook may choose from; the groups of `from` where nothing is written.
    pub allowed: Vec<Placed<GroupName>>,
    /// A request without a decision lapses after this.
    pub lapse: Millis,
    /// An approval that is not used lapses after this.
    pub use_within: Millis,
    /// Who is added when, by rising time.
    pub escalate: Vec<EscalationLevel>,
}

/// One level of escalation: after `after`, members of `to` may vote as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationLevel {
    /// Since the request was sent.
    pub after: Placed<Millis>,
    /// Groups that are added.
    pub to: Vec<Placed<GroupName>>,
}

impl Default for Approvals {
    /// One approval, from nobody: a book without the section cannot approve anything. Lapse 30 min, use within 15 min
    /// (DESIGN §4.4).
    fn default() -> Self {
        Self {
            need: 1,
            from: Vec::new(),
            allowed: Vec::new(),
            lapse: Millis::from_mins(30),
            use_within: Millis::from_mins(15),
            escalate: Vec::new(),
        }
    }
}

/// How long grants last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// Where neither the runbook nor the operator says.
    pub default: Millis,
    /// No grant is longer.
    pub max: Millis,
}

impl Durations {
    /// The least a grant may last (CONTRACTS §1).
    pub const LEAST: Millis = Millis::from_secs(90);
}

impl Default for Durations {
    /// 15 min and 1 h, as in CONTRACTS §1.
    fn default() -> Self {
        Self { default: Millis::from_mins(15), max: Millis::from_mins(60) }
    }
}
