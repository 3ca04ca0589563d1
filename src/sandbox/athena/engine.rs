//! Plans statements with DataFusion, and turns its errors into Athena's.

mod errors;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::TableReference;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{self, Query, Spanned, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::catalog::{self, DEFAULT_DATABASE};
use super::error::Failure;
use super::function;
use super::meter::Meter;
use super::reader::{Footers, Readers};
use super::rewrite::rewrite;
use super::statement::{Statement, name_parts};
use super::typing;
use crate::sandbox::dataset::lake::Lake;
use crate::sandbox::dataset::schema::CATALOG;

/// What a query may hold in memory; a laptop has more, and the sandbox is not alone on it.
const MEMORY: usize = 1 << 30;

/// Plans and runs queries.
#[derive(Debug)]
pub(super) struct Engine {
    base: SessionState,
    to_varchar: Arc<ScalarUDF>,
    footers: Arc<Footers>,
}

/// A table that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Lower case.
    pub(super) catalog: String,
    /// Lower case.
    pub(super) database: String,
    /// Lower case.
    pub(super) table: String,
    /// Where it stands first.
    pub(super) at: Location,
}

/// A query ready to run.
#[derive(Debug)]
pub(super) struct Planned {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    /// Names and types of the result's columns.
    pub(super) columns: Vec<(String, arrow::datatypes::DataType)>,
    /// Bytes that it will read at most.
    pub(super) expected_bytes: u64,
    /// The engine's plan as text, for EXPLAIN.
    pub(super) text: String,
}

impl Planned {
    /// Starts it. Dropping the stream stops it.
    pub(super) fn start(&self) -> Result<SendableRecordBatchStream, Failure> {
        execute_stream(Arc::clone(&self.plan), Arc::clone(&self.context)).map_err(|error| errors::failure(&error))
    }

    /// What an error of the stream means.
    pub(super) fn failure(error: &datafusion::error::DataFusionError) -> Failure {
        errors::failure(error)
    }
}

impl Engine {
    /// An engine with Athena's functions.
    ///
    /// # Errors
    /// If the engine cannot be set up: a defect, or no temporary folder.
    pub(super) fn new() -> Result<Self, Failure> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4);
        let mut config = SessionConfig::new()
            .with_target_partitions(threads)
            .with_information_schema(false)
            .with_default_catalog_and_schema(CATALOG.to_lowercase(), DEFAULT_DATABASE)
            .with_create_default_catalog_and_schema(false);
        let options = config.options_mut();
        // As Trino: NULLs last in both directions, unless the statement says otherwise.
        options.sql_parser.default_null_ordering = "nulls_last".to_owned();
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.execution.parquet.schema_force_view_types = false;
        options.execution.time_zone = Some("UTC".to_owned());
        let runtime: RuntimeEnv = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(MEMORY)))
            .build()
            .map_err(|error| errors::failure(&error))?;
        let mut base =
            SessionStateBuilder::new_with_default_features().with_config(config).with_runtime_env(Arc::new(runtime)).build();
        let shims = function::shims();
        let to_varchar = shims.iter().find(|udf| udf.name() == function::TO_VARCHAR).cloned();
        let to_varchar = to_varchar.ok_or_else(|| Failure::system("a function is missing"))?;
        for shim in shims {
            use datafusion::logical_expr::registry::FunctionRegistry;
            base.register_udf(shim).map_err(|error| errors::failure(&error))?;
        }
        Ok(Self { base, to_varchar, footers: Arc::default() })
    }

    /// The tables that a query names, apart from its own CTEs, with short names completed by `database`.
    pub(super) fn tables(&self, query: &Query, catalog: &str, database: &str) -> Result<Vec<Named>, Failure> {
        let mut places = Places::default();
        let _ = query.visit(&mut places);
        let statement = EngineStatement::Statement(Box::new(ast::Statement::Query(Box::new(query.clone()))));
        let references = self.base.resolve_table_references(&statement).map_err(|error| errors::failure(&error))?;
        Ok(references
            .into_iter()
            .map(|reference| {
                let at = places.0.get(&reference.to_string().to_lowercase()).copied().unwrap_or(Location { line: 0, column: 0 });
                let (catalog, database, table) = match &reference {
                    TableReference::Bare { table } => (catalog, database, table.as_ref()),
                    TableReference::Partial { schema, table } => (catalog, schema.as_ref(), table.as_ref()),
                    TableReference::Full { catalog, schema, table } => (catalog.as_ref(), schema.as_ref(), table.as_ref()),
                };
                Named { catalog: catalog.to_lowercase(), database: database.to_lowercase(), table: table.to_lowercase(), at }
            })
            .collect())
    }

    /// Plans a query.
    ///
    /// # Errors
    /// What Athena would say about it.
    pub(super) async fn plan(
        &self,
        statement: &Statement,
        query: &Query,
        database: &str,
        lake: &Arc<Lake>,
        meter: &Arc<Meter>,
    ) -> Result<Planned, Failure> {
        let rewritten = rewrite(statement, query)?;
        let expected = Arc::new(AtomicU64::new(0));
        let readers = Arc::new(Readers { root: lake.root.clone(), footers: Arc::clone(&self.footers), meter: Arc::clone(meter) });
        let catalogs = MemoryCatalogProviderList::new();
        let provider = catalog::provider(lake, &readers, &expected).map_err(|error| errors::failure(&error))?;
        catalogs.register_catalog(CATALOG.to_lowercase(), provider);
        let config = self.base.config().clone().with_default_catalog_and_schema(CATALOG.to_lowercase(), database.to_lowercase());
        let mut state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_config(config)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        // `now()` and `current_date` are the moment of planning, everywhere in the statement.
        state.mark_start_execution();
        let planned = async {
            let statement = EngineStatement::Statement(Box::new(ast::Statement::Query(rewritten.query)));
            let plan = state.statement_to_plan(statement).await?;
            let plan = typing::apply(plan, &self.to_varchar)?;
            let plan = state.optimize(&plan)?;
            let text = plan.display_indent().to_string();
            let physical = state.query_planner().create_physical_plan(&plan, &state).await?;
            Ok::<_, datafusion::error::DataFusionError>((plan, text, physical))
        };
        let (logical, text, plan) = planned.await.map_err(|error| errors::failure(&error))?;
        if !reads_only(&logical) {
            return Err(Failure::new("NOT_SUPPORTED", "the sandbox only reads"));
        }
        let schema = plan.schema();
        let shown = rewritten.names.filter(|names| names.len() == schema.fields().len());
        let columns = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let name = shown.as_ref().and_then(|names| names.get(index)).cloned().unwrap_or_else(|| field.name().clone());
                (name, field.data_type().clone())
            })
            .collect();
        Ok(Planned { context: state.task_ctx(), plan, columns, expected_bytes: expected.load(Ordering::Relaxed), text })
    }
}

/// The second lock on the door: no node of a plan writes.
fn reads_only(plan: &LogicalPlan) -> bool {
    use datafusion::common::tree_node::TreeNode;
    let writes = plan.exists(|node| {
        Ok(matches!(node, LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) | LogicalPlan::Copy(_) | LogicalPlan::Statement(_)))
    });
    matches!(writes, Ok(false))
}

/// Where each relation's name stands first.
#[derive(Default)]
struct Places(HashMap<String, Location>);

impl Visitor for Places {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &ast::ObjectName) -> ControlFlow<()> {
        self.0.entry(name_parts(name).join(".")).or_insert_with(|| name.span().start);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
