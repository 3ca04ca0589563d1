//! `max-scan`: bytes. `expected` above `max_scan` blocks; only `high` above it warns; `expected` above `warn_scan` warns. An
//! estimate that is unknown does what `unknown_estimate` says, where there is a limit to compare with.
//!
//! Keys: `athena.max_scan`, `athena.warn_scan`, `athena.unknown_estimate` (block, warn).

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};
use crate::core::units::Bytes;

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let limits = &case.world.guardrails.athena;
    let level = case.level(Rule::MaxScan).value;
    if level == Level::Off {
        return;
    }
    let max = limits.max_scan.value.map(|max| (max, limits.max_scan.set_in()));
    let warn = limits.warn_scan.value.map(|warn| (warn, limits.warn_scan.set_in()));
    let Some(bytes) = case.scan.bytes else {
        let by_cost = limits.max_cost.value.is_some();
        if max.is_some() || warn.is_some() || by_cost {
            let unknown = &limits.unknown_estimate;
            let message = format!("nobody knows how much this would read: {}", case.scan.why);
            let set_in = unknown.set_in().or_else(|| max.or(warn).and_then(|(_, set_in)| set_in));
            findings.push(Finding::new(Rule::MaxScan, unknown.value.min(level), message).set_in(set_in));
        }
        return;
    };
    let (expected, high) = (Bytes(bytes.expected), Bytes(bytes.high));
    if let Some((max, set_in)) = max {
        if expected > max {
            let message = format!("{expected} expected is above the limit of {max} ({})", case.scan.why);
            findings.push(Finding::new(Rule::MaxScan, level, message).set_in(set_in));
            return;
        }
        if high > max {
            let message = format!("{expected} is expected, but it may be {high}, above the limit of {max} ({})", case.scan.why);
            findings.push(Finding::new(Rule::MaxScan, Level::Warn.min(level), message).set_in(set_in));
            return;
        }
    }
    if let Some((warn, set_in)) = warn.filter(|(warn, _)| expected > *warn) {
        let message = format!("{expected} expected is above the warning at {warn} ({})", case.scan.why);
        findings.push(Finding::new(Rule::MaxScan, Level::Warn.min(level), message).set_in(set_in));
    }
}
