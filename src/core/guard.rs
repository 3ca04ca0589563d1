//! Guardrails: rules give findings, findings give a verdict. The types here are the JSON of `tollgate guard`, which other
//! programs rely on.

use serde::{Deserialize, Serialize};

mod case;
mod fix;
mod glob;
mod ground;
mod items;
mod judge;
mod judgement;
mod look;
mod report;
mod rule;
mod rules;
mod schema;
mod second_opinion;
mod service_plan;
mod statement;
#[cfg(test)]
mod testing;
mod world;

pub use ground::Ground;
pub use items::judge_dynamodb;
pub use judge::{judge_sql, judge_sql_on};
pub use judgement::*;
pub use look::needs;
pub use rule::Rule;
pub use schema::schema;
pub use service_plan::{EXPLAIN, PlanForm, ServicePlanError, ServiceScan, compare_service_plan, service_scans};
pub use world::{Param, Params, World};

/// What a book says should happen when a rule finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule is not run.
    Off,
    /// Shown; running wants a typed word.
    Warn,
    /// The statement does not run.
    Block,
}

/// The strictest of a statement's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing found, or nothing above `off`.
    Allow,
    /// At least one warning.
    Warn,
    /// At least one block.
    Block,
}
