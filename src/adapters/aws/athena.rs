//! Athena.

use async_trait::async_trait;
use aws_sdk_athena::types::{
    ColumnInfo, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row, WorkGroupState,
};

use super::answer::Kind;
use super::config::Aws;
use crate::core::plan::PlanTarget;
use crate::core::run::event::ServiceFailure;
use crate::core::units::{Millis, Timestamp};
use crate::engine::ports::{
    FetchLimits, Keys, QueryPhase, QueryStatus, Rights, RowColumn, Rows, ServiceError, StartQuery, Warehouse, WorkgroupFacts,
};

/// Rows a page: the most that GetQueryResults gives.
const PAGE: i32 = 1000;

/// Executions a page: the most that BatchGetQueryExecution takes.
const BATCH: i32 = 50;

/// How many pages of a workgroup's executions are looked through for a marker: 2,000 executions.
const PAGES_SEARCHED: usize = 40;

/// How far the service's submission time may lie before our intent: both clocks may be off by as much as we still mint with.
const SKEW: Millis = Millis::from_mins(1);

#[async_trait]
impl Warehouse for Aws {
    async fn workgroup(&self, target: &PlanTarget, rights: Rights<'_>, name: &str) -> Result<WorkgroupFacts, ServiceError> {
        let call = self.call(target, rights).await?;
        self.gets.turn().await;
        let asked =
            self.athena(&call.place).get_work_group().work_group(name).customize().config_override(call.athena()).send().await;
        let answer = self.learn(&call, asked.map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))).await?;
        let group = answer.work_group.ok_or_else(|| ServiceError::NoAnswer(format!("Athena described no workgroup {name}")))?;
        let config = group.configuration;
        let cutoff = config.as_ref().and_then(|config| config.bytes_scanned_cutoff_per_query);
        Ok(WorkgroupFacts {
            cutoff: cutoff.and_then(|bytes| u64::try_from(bytes).ok()),
            enforced: config.and_then(|config| config.enforce_work_group_configuration).unwrap_or(false),
            // A group without a state is one made before there were states: enabled (API reference, WorkGroup).
            enabled: group.state.is_none_or(|state| state == WorkGroupState::Enabled),
        })
    }

    async fn start(&self, target: &PlanTarget, keys: &Keys, query: &StartQuery) -> Result<String, ServiceError> {
        let call = self.call(target, Rights::Minted(keys)).await?;
        self.starts.turn().await;
        let asked = self
            .athena(&call.place)
            .start_query_execution()
            .query_string(&query.statement)
            .client_request_token(&query.token)
            .query_execution_context(QueryExecutionContext::builder().catalog(&query.catalog).database(&query.database).build())
            .work_group(&query.workgroup)
            .result_configuration(ResultConfiguration::builder().output_location(&query.output).build())
            .customize()
            .config_override(call.athena())
            .send()
            .await;
        let answer = asked.map_err(|e| call.ear.heard(Kind::Start, call.whose, e))?;
        answer.query_execution_id.ok_or_else(|| ServiceError::NoAnswer("Athena named no execution".to_owned()))
    }

    async fn status(&self, target: &PlanTarget, keys: &Keys, query_id: &str) -> Result<QueryStatus, ServiceError> {
        let call = self.call(target, Rights::Minted(keys)).await?;
        self.gets.turn().await;
        let asked = self
            .athena(&call.place)
            .get_query_execution()
            .query_execution_id(query_id)
            .customize()
            .config_override(call.athena())
            .send()
            .await;
        let answer = asked.map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
        let execution = answer.query_execution.as_ref().and_then(status_of);
        execution.ok_or_else(|| ServiceError::NoAnswer(format!("Athena gave no state of execution {query_id}")))
    }

    async fn stop(&self, target: &PlanTarget, keys: &Keys, query_id: &str) -> Result<(), ServiceError> {
        let call = self.call(target, Rights::Minted(keys)).await?;
        self.starts.turn().await;
        let asked = self
            .athena(&call.place)
            .stop_query_execution()
            .query_execution_id(query_id)
            .customize()
            .config_override(call.athena())
            .send()
            .await;
        asked.map(|_| ()).map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))
    }

    async fn rows(&self, target: &PlanTarget, keys: &Keys, query_id: &str, limits: FetchLimits) -> Result<Rows, ServiceError> {
        let mut taken = Taking::new(limits);
        let mut next = None;
        loop {
            let call = self.call(target, Rights::Minted(keys)).await?;
            self.gets.turn().await;
            let asked = self
                .athena(&call.place)
                .get_query_results()
                .query_execution_id(query_id)
                .max_results(PAGE)
                .set_next_token(next)
                .customize()
                .config_override(call.athena())
                .send()
                .await;
            let answer = asked.map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
            let page = answer.result_set.ok_or_else(|| ServiceError::NoAnswer("Athena gave no result set".to_owned()))?;
            let columns = page.result_set_metadata.and_then(|about| about.column_info).unwrap_or_default();
            taken.page(&columns, page.rows.unwrap_or_default());
            next = answer.next_token;
            if next.is_none() || taken.rows.truncated {
                return Ok(taken.rows);
            }
        }
    }

    async fn find(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        workgroup: &str,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<QueryStatus>, ServiceError> {
        let oldest = since.minus(SKEW);
        let mut next = None;
        for _ in 0..PAGES_SEARCHED {
            let call = self.call(target, Rights::Minted(keys)).await?;
            let client = self.athena(&call.place);
            self.gets.turn().await;
            let listed = client
                .list_query_executions()
                .work_group(workgroup)
                .max_results(BATCH)
                .set_next_token(next)
                .customize()
                .config_override(call.athena())
                .send()
                .await
                .map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
            let ids = listed.query_execution_ids.unwrap_or_default();
            if !ids.is_empty() {
                self.gets.turn().await;
                let batch = client
                    .batch_get_query_execution()
                    .set_query_execution_ids(Some(ids))
                    .customize()
                    .config_override(call.athena())
                    .send()
                    .await
                    .map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
                let executions = batch.query_executions.unwrap_or_default();
                if let Some(found) = executions.iter().find(|execution| ends_with(execution, marker)).and_then(status_of) {
                    return Ok(Some(found));
                }
                // One that was listed and not described could be ours: "not found" would be a guess.
                if let Some(unread) = batch.unprocessed_query_execution_ids.unwrap_or_default().first() {
                    let why = unread.error_message.as_deref().unwrap_or("no reason given");
                    return Err(ServiceError::Temporary(format!("Athena did not describe all executions: {why}")));
                }
                // Newest first; a whole page from before the intent means that there is no more to find.
                let before = |execution: &QueryExecution| submitted(execution).is_some_and(|at| at < oldest);
                if !executions.is_empty() && executions.iter().all(before) {
                    return Ok(None);
                }
            }
            next = listed.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
        Err(ServiceError::Temporary(format!(
            "more than {} executions of {workgroup} since then; look for `{}` in Athena's history",
            PAGES_SEARCHED * usize::try_from(BATCH).unwrap_or(0),
            marker.trim()
        )))
    }
}

/// Rows being taken, up to limits.
struct Taking {
    rows: Rows,
    limits: FetchLimits,
    bytes: usize,
    first: bool,
}

impl Taking {
    fn new(limits: FetchLimits) -> Self {
        Self { rows: Rows::default(), limits, bytes: 0, first: true }
    }

    fn page(&mut self, columns: &[ColumnInfo], rows: Vec<Row>) {
        let mut rows = rows.into_iter().map(|row| row.data.unwrap_or_default()).peekable();
        if std::mem::take(&mut self.first) {
            self.rows.columns =
                columns.iter().map(|column| RowColumn { name: column.name.clone(), kind: column.r#type.clone() }).collect();
            // The first row of the first page repeats the column names, for statements that were executed by the engine; SHOW
            // and DESCRIBE have no such row. (API reference, GetQueryResults.)
            let names = &self.rows.columns;
            if rows.peek().is_some_and(|row| {
                row.len() == names.len() && row.iter().zip(names).all(|(cell, name)| cell.var_char_value() == Some(&name.name))
            }) {
                rows.next();
            }
        }
        for row in rows {
            // NULL is a cell without a value; an empty string has one.
            let mut cells: Vec<Option<String>> = row.into_iter().map(|cell| cell.var_char_value).collect();
            cells.resize(self.rows.columns.len(), None);
            let bytes: usize = cells.iter().flatten().map(String::len).sum();
            if self.rows.rows.len() >= self.limits.rows || self.bytes.saturating_add(bytes) > self.limits.bytes {
                self.rows.truncated = true;
                return;
            }
            self.bytes += bytes;
            self.rows.rows.push(cells);
        }
    }
}

/// The state of an execution as described; `None` where no state is described that we know.
fn status_of(execution: &QueryExecution) -> Option<QueryStatus> {
    let status = execution.status.as_ref()?;
    let phase = match status.state.as_ref()? {
        QueryExecutionState::Queued => QueryPhase::Queued,
        QueryExecutionState::Running => QueryPhase::Running,
        QueryExecutionState::Succeeded => QueryPhase::Succeeded,
        QueryExecutionState::Failed => QueryPhase::Failed,
        QueryExecutionState::Cancelled => QueryPhase::Cancelled,
        _ => return None,
    };
    let ended = matches!(phase, QueryPhase::Succeeded | QueryPhase::Failed | QueryPhase::Cancelled);
    let statistics = execution.statistics.as_ref();
    let number = |given: Option<i64>| given.and_then(|n| u64::try_from(n).ok());
    // While it runs, a zero means that nothing is reported yet, not that nothing was read.
    let bytes = number(statistics.and_then(|s| s.data_scanned_in_bytes)).filter(|bytes| ended || *bytes > 0);
    let failure = matches!(phase, QueryPhase::Failed | QueryPhase::Cancelled).then(|| {
        let told = status.athena_error.as_ref().and_then(|error| error.error_message.clone());
        let reason = status.state_change_reason.clone().or(told).unwrap_or_else(|| "no reason given".to_owned());
        ServiceFailure { code: code_of(&reason, phase).to_owned(), message: reason }
    });
    Some(QueryStatus {
        query_id: execution.query_execution_id.clone()?,
        phase,
        bytes,
        elapsed_ms: number(statistics.and_then(|s| s.engine_execution_time_in_millis)),
        failure,
    })
}

/// The error's name, where the reason begins with one (`SYNTAX_ERROR: line 1:8: …`); else the state's.
fn code_of(reason: &str, phase: QueryPhase) -> &str {
    let name = reason.split_once(':').map(|(name, _)| name);
    let shouted = |name: &&str| name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    name.filter(shouted).unwrap_or(if phase == QueryPhase::Cancelled { "CANCELLED" } else { "FAILED" })
}

/// Whether the execution's statement ends with `marker`, whatever white space the service keeps around it.
fn ends_with(execution: &QueryExecution, marker: &str) -> bool {
    let marker = marker.trim();
    !marker.is_empty() && execution.query.as_deref().is_some_and(|query| query.trim_end().ends_with(marker))
}

fn submitted(execution: &QueryExecution) -> Option<Timestamp> {
    let at = execution.status.as_ref()?.submission_date_time.as_ref()?;
    at.to_millis().ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use aws_sdk_athena::types::Datum;

    use super::*;

    fn column(name: &str) -> ColumnInfo {
        ColumnInfo::builder().name(name).r#type("varchar").build().unwrap()
    }

    fn row(cells: &[Option<&str>]) -> Row {
        let cell = |cell: &Option<&str>| Datum::builder().set_var_char_value(cell.map(str::to_owned)).build();
        Row::builder().set_data(Some(cells.iter().map(cell).collect())).build()
    }

    fn take(limits: FetchLimits, pages: Vec<Vec<Row>>) -> Rows {
        let mut taken = Taking::new(limits);
        for page in pages {
            taken.page(&[column("a"), column("b")], page);
        }
        taken.rows
    }

    #[test]
    fn the_header_row_is_not_a_row() {
        let header = || row(&[Some("a"), Some("b")]);
        let rows = take(FetchLimits::default(), vec![vec![header(), header(), row(&[Some(""), None])], vec![header()]]);
        let text = |cells: &[Option<&str>]| cells.iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>();
        let same = text(&[Some("a"), Some("b")]);
        assert_eq!(rows.rows, [same.clone(), text(&[Some(""), None]), same], "only the first of the first page");
        let none = take(FetchLimits::default(), vec![vec![row(&[Some("a"), None]), row(&[Some("x")])]]);
        assert_eq!(none.rows, [text(&[Some("a"), None]), text(&[Some("x"), None])]);
        assert!(!none.truncated);
    }

    #[test]
    fn limits_cut_before_the_row_that_crosses_them() {
        let three = || vec![row(&[Some("xx"), Some("yy")]), row(&[Some("é"), None]), row(&[Some("z"), None])];
        for (rows, bytes, expected, truncated) in [
            (3, 100, 3, false),
            (2, 100, 2, true),
            (0, 100, 0, true),
            (3, 7, 3, false),
            (3, 6, 2, true),
            (3, 5, 1, true),
            (3, 0, 0, true),
        ] {
            let taken = take(FetchLimits { rows, bytes }, vec![three()]);
            assert_eq!((taken.rows.len(), taken.truncated), (expected, truncated), "{rows} rows, {bytes} bytes");
        }
    }

    #[test]
    fn failures_have_names() {
        for (reason, code) in [
            ("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", "SYNTAX_ERROR"),
            ("HIVE_CURSOR_ERROR: Failed to read ORC file: s3://b/k", "HIVE_CURSOR_ERROR"),
            ("Query exhausted resources at this scale factor", "FAILED"),
            ("Access Denied: s3", "FAILED"),
            ("I: x", "FAILED"),
            ("", "FAILED"),
        ] {
            assert_eq!(code_of(reason, QueryPhase::Failed), code, "{reason}");
        }
        assert_eq!(code_of("Bytes scanned limit was exceeded", QueryPhase::Cancelled), "CANCELLED");
    }

    #[test]
    fn a_marker_ends_the_statement() {
        let marker = "\n-- tollgate RUN/errors/1";
        for (query, is) in [
            ("SELECT 1\n-- tollgate RUN/errors/1", true),
            ("SELECT 1\r\n-- tollgate RUN/errors/1 \n", true),
            ("SELECT 1\n-- tollgate RUN/errors/11", false),
            ("-- tollgate RUN/errors/1\nSELECT 2", false),
            ("SELECT 1", false),
        ] {
            let execution = QueryExecution::builder().query(query).build();
            assert_eq!(ends_with(&execution, marker), is, "{query}");
        }
        assert!(!ends_with(&QueryExecution::builder().query("SELECT 1").build(), " \n"));
    }
}
