//! `max-cost`: money for one statement, Athena's minimum of 10 MB included. `expected` above the limit blocks; only `high` above
//! it warns. Without a price per byte (capacity reservations) there is nothing to compare, and the message says so.
//!
//! Key: `athena.max_cost`, in the price's currency.

use crate::core::guard::case::Case;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let limit = &case.world.guardrails.athena.max_cost;
    let level = case.level(Rule::MaxCost).value;
    let Some(max) = limit.value.filter(|_| level > Level::Off) else { return };
    let mut push = |level: Level, message: String| {
        findings.push(Finding::new(Rule::MaxCost, level, message).set_in(limit.set_in()));
    };
    let Some(cost) = case.cost else {
        push(level, format!("the limit is {max} a statement, and the target has no price per byte to compare it with"));
        return;
    };
    // An unknown estimate is max-scan's finding.
    let Some(micros) = cost.micros else { return };
    let money = |micros: u64| crate::core::units::Micros(micros);
    if micros.expected > max.0 {
        push(level, format!("{} expected is above the limit of {max} a statement", money(micros.expected)));
    } else if micros.high > max.0 {
        push(
            Level::Warn.min(level),
            format!("{} is expected, but it may be {}, above the limit of {max}", money(micros.expected), money(micros.high)),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn money_is_limited() {
        let rules = "  athena: { max_cost: 0.001 }\n";
        check(
            "max-cost",
            rules,
            &[
                ("SELECT id FROM logs WHERE day = '2026/11/19'", &[]),
                ("SELECT id, path FROM logs", &["block"]),
                // The minimum of 10 MB is 50 millionths.
                ("SELECT city FROM shop.customers", &[]),
                ("SELECT 1", &[]),
            ],
        );
        check("max-cost", "  athena: { max_cost: 0.00001 }\n", &[("SELECT city FROM shop.customers", &["block"])]);
        check("max-cost", "", &[("SELECT id, path FROM logs", &[])]);
    }
}
