//! The cross-check with the service (`service_plan: on` in a target): before a statement is started, inside the grant, the service
//! is asked for its plan of it. EXPLAIN reads no data. What the plan scans must be among what was approved; it may only add refusals.

use std::sync::Arc;
use std::time::Duration;

use crate::core::guard::{EXPLAIN, PlanForm, compare_service_plan};
use crate::core::plan::{AthenaPlan, Endpoint, PlanTarget};
use crate::core::run::event::ServiceFailure;
use crate::core::run::state::Execution;
use crate::core::run::walk;
use crate::engine::Ports;
use crate::engine::ports::{FetchLimits, Keys, QueryPhase, ServiceError, StartQuery};

/// Waits before each look at the EXPLAIN: together a minute, after which the service is taken for slow and asked again later.
const WAITS_MS: [u64; 14] = [100, 200, 400, 800, 1500, 3000, 5000, 7000, 7000, 7000, 7000, 7000, 7000, 7000];

/// Asks for the plan of an execution's statement and compares it. The request has its own token, made of the execution's: asked
/// twice, it is one.
///
/// # Errors
/// The service's errors; [`ServiceError::Refused`] with the code `ServicePlan` where the plan reads more than was approved.
pub(super) async fn check(
    ports: &Arc<Ports>,
    target: &PlanTarget,
    keys: &Keys,
    plan: &AthenaPlan,
    execution: &Execution,
) -> Result<(), ServiceError> {
    // Without the marker: who looks for the execution by it must not find the EXPLAIN.
    let statement = execution.statement.rsplit_once("\n-- tollgate ").map_or(execution.statement.as_str(), |(sql, _)| sql);
    let query = StartQuery {
        statement: format!("{EXPLAIN}{statement}"),
        token: walk::sha256_hex(format!("service plan of {}", execution.token).as_bytes()),
        catalog: plan.catalog.clone(),
        database: plan.database.clone(),
        workgroup: plan.workgroup.clone(),
        output: plan.output.clone(),
    };
    let id = ports.warehouse.start(target, keys, &query).await?;
    for wait in WAITS_MS {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let status = ports.warehouse.status(target, keys, &id).await?;
        match status.phase {
            QueryPhase::Queued | QueryPhase::Running => {}
            QueryPhase::Succeeded => {
                let rows = ports.warehouse.rows(target, keys, &id, FetchLimits::default()).await?;
                let lines: Vec<&str> = rows.rows.iter().filter_map(|row| row.first()?.as_deref()).collect();
                let text = match lines.as_slice() {
                    ["Query Plan", rest @ ..] => rest.join("\n"),
                    all => all.join("\n"),
                };
                let form = if target.endpoint == Endpoint::Sandbox { PlanForm::Sandbox } else { PlanForm::Trino };
                let text = if rows.truncated { "" } else { text.as_str() };
                let findings = compare_service_plan(text, form, &plan.reads, &plan.catalog, &plan.database);
                return match findings.first() {
                    None => Ok(()),
                    Some(finding) => Err(refused(&finding.message)),
                };
            }
            QueryPhase::Failed | QueryPhase::Cancelled => {
                let why = status.failure.map_or_else(|| "it did not say why".to_owned(), |why| why.message);
                return Err(refused(&format!("the service gives no plan of this statement: {why}")));
            }
        }
    }
    Err(ServiceError::Temporary("the service's own plan is slow to come".to_owned()))
}

fn refused(message: &str) -> ServiceError {
    ServiceError::Refused(ServiceFailure { code: "ServicePlan".to_owned(), message: message.to_owned() })
}
