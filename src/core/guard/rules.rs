//! The rules over analysed SQL, one file each.

mod blocked_column;
mod blocked_table;
mod cross_join;
mod function;
mod hidden_read;
mod limit;
mod max_cost;
mod max_scan;
mod order_without_limit;
mod partition_filter;
mod select_star;

use super::Finding;
use super::case::Case;

type Check = fn(&Case<'_>, &mut Vec<Finding>);

/// Every rule, in the order of reports.
const ALL: [Check; 11] = [
    blocked_column::check,
    blocked_table::check,
    function::check,
    partition_filter::check,
    max_scan::check,
    max_cost::check,
    cross_join::check,
    select_star::check,
    limit::check,
    order_without_limit::check,
    hidden_read::check,
];

/// Runs every rule over one statement.
pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for rule in ALL {
        rule(case, findings);
    }
}
