//! `max-scan`: bytes. `expected` above `max_scan` blocks; only `high` above it warns; `expected` above `warn_scan` warns. An
//! estimate that is unknown does what `unknown_estimate` says, where there is a limit to compare with. A footer that cannot be read, or a
//! location that is gone, warns.
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
    for fault in &case.scan.faults {
        let message = format!("the facts about files are not sound, so the bounds are wider: {fault}");
        findings.push(Finding::new(Rule::MaxScan, Level::Warn.min(level), message));
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

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::{check, judge};

    #[test]
    fn bytes_are_limited() {
        let rules = "  athena: { max_scan: 100 MB, warn_scan: 50 MB }\n";
        check(
            "max-scan",
            rules,
            &[
                ("SELECT id FROM logs", &[]),
                ("SELECT path FROM logs WHERE day = '2026/11/19'", &["warn"]),
                ("SELECT path FROM logs", &["block"]),
                ("SELECT a.path FROM logs a JOIN shop.customers b USING (id) WHERE a.day = '2026/11/19'", &["warn"]),
                // Nobody knows the size of it.
                ("SELECT total FROM shop.orders", &["block"]),
            ],
        );
        let rules = "  athena: { max_scan: 100 MB, unknown_estimate: warn }\n";
        check("max-scan", rules, &[("SELECT total FROM shop.orders", &["warn"])]);
        check("max-scan", "", &[("SELECT total FROM shop.orders", &[])]);
    }

    #[test]
    fn a_later_start_is_offered_with_its_estimate() {
        let rules = "  athena: { max_scan: 1 GB, warn_scan: 130 MB }\n";
        let sql = "SELECT path\nFROM logs -- by day\nWHERE day >= '2026/11/17'";
        let judgement = judge(rules, sql);
        let fix = judgement.findings[0].fix.as_ref().unwrap();
        assert_eq!(fix.sql, "SELECT path\nFROM logs -- by day\nWHERE day >= '2026/11/19'");
        assert_eq!(fix.scan.unwrap().expected, 120_000_000);
    }
}
