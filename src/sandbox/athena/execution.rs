//! One execution: what is kept of it, and how the API shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Failure;
use super::workgroup::{engine_version, seconds};
use crate::core::units::Timestamp;
use crate::sandbox::dataset::trino::TrinoType;

/// The state of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    /// As the API spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether it never changes again.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ColumnInfo {
    pub(super) name: String,
    /// `varchar`, `decimal`, `row`.
    pub(super) kind: String,
    pub(super) precision: u32,
    pub(super) scale: i32,
}

impl ColumnInfo {
    /// What Athena reports for a type: its digits, or the fixed numbers that it gives.
    pub(super) fn new(name: impl Into<String>, ty: &TrinoType) -> Self {
        let (precision, scale) = match ty {
            TrinoType::Tinyint => (3, 0),
            TrinoType::Smallint => (5, 0),
            TrinoType::Integer => (10, 0),
            TrinoType::Bigint => (19, 0),
            TrinoType::Real | TrinoType::Double => (17, 0),
            TrinoType::Decimal(precision, scale) => (u32::from(*precision), i32::from(*scale)),
            TrinoType::Varchar => (2_147_483_647, 0),
            TrinoType::Varbinary => (1_073_741_824, 0),
            TrinoType::Time | TrinoType::Timestamp | TrinoType::TimestampWithZone => (3, 0),
            _ => (0, 0),
        };
        Self { name: name.into(), kind: ty.result_name().to_owned(), precision, scale }
    }

    /// As `GetQueryResults` shows it.
    pub(super) fn describe(&self) -> Value {
        json!({
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.kind,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.kind == "varchar",
        })
    }
}

/// Milliseconds of an execution's parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Times {
    pub(super) queued: u64,
    pub(super) planning: u64,
    pub(super) engine: u64,
    pub(super) writing: u64,
}

impl Times {
    fn total(self) -> u64 {
        self.queued + self.engine + self.writing
    }
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) query: String,
    pub(super) workgroup: String,
    pub(super) catalog: Option<String>,
    pub(super) database: Option<String>,
    /// `s3://bucket/prefix/<id>.csv`
    pub(super) output: String,
    pub(super) statement_type: String,
    pub(super) substatement_type: String,
    pub(super) state: State,
    pub(super) submitted: Timestamp,
    pub(super) completed: Option<Timestamp>,
    /// `StateChangeReason`.
    pub(super) reason: Option<String>,
    pub(super) failure: Option<Failure>,
    pub(super) scanned: u64,
    pub(super) times: Times,
    pub(super) columns: Vec<ColumnInfo>,
    pub(super) rows: u64,
    pub(super) result_bytes: u64,
}

impl Execution {
    /// As `GetQueryExecution` shows it.
    pub(super) fn describe(&self) -> Value {
        let mut status = json!({ "State": self.state.name(), "SubmissionDateTime": seconds(self.submitted) });
        if let Some(completed) = self.completed {
            status["CompletionDateTime"] = json!(seconds(completed));
        }
        if let Some(reason) = &self.reason {
            status["StateChangeReason"] = json!(reason);
        }
        // Cancelled executions have none.
        if let Some(failure) = self.failure.as_ref().filter(|_| self.state == State::Failed) {
            status["AthenaError"] = json!({
                "ErrorCategory": failure.error_category(),
                "ErrorType": failure.error_type(),
                "Retryable": failure.error_category() == 1,
                "ErrorMessage": failure.reason(),
            });
        }
        let mut context = json!({});
        if let Some(database) = &self.database {
            context["Database"] = json!(database);
        }
        if let Some(catalog) = &self.catalog {
            context["Catalog"] = json!(catalog);
        }
        json!({
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "SubstatementType": self.substatement_type,
            "ResultConfiguration": { "OutputLocation": self.output },
            "ResultReuseConfiguration": { "ResultReuseByAgeConfiguration": { "Enabled": false } },
            "QueryExecutionContext": context,
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": self.times.engine,
                "DataScannedInBytes": self.scanned,
                "TotalExecutionTimeInMillis": self.times.total(),
                "QueryQueueTimeInMillis": self.times.queued,
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": self.times.planning,
                "ServiceProcessingTimeInMillis": self.times.writing,
                "ResultReuseInformation": { "ReusedPreviousResult": false },
            },
            "WorkGroup": self.workgroup,
            "EngineVersion": engine_version(),
        })
    }

    /// As `GetQueryRuntimeStatistics` shows it.
    pub(super) fn runtime_statistics(&self) -> Value {
        let mut statistics = json!({
            "Timeline": {
                "QueryQueueTimeInMillis": self.times.queued,
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": self.times.planning,
                "EngineExecutionTimeInMillis": self.times.engine,
                "ServiceProcessingTimeInMillis": self.times.writing,
                "TotalExecutionTimeInMillis": self.times.total(),
            },
        });
        if self.state == State::Succeeded {
            statistics["Rows"] = json!({ "InputBytes": self.scanned, "OutputBytes": self.result_bytes, "OutputRows": self.rows });
        }
        json!({ "QueryRuntimeStatistics": statistics })
    }
}
