//! Workgroups, and what the service is told when it starts.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::pace::Pace;
use crate::core::units::Timestamp;
use crate::sandbox::clock::Clock;

/// How the service runs.
#[derive(Debug, Clone)]
pub struct AthenaConfig {
    /// The region in its ARNs.
    pub region: String,
    /// Where executions and results are kept; private.
    pub state_dir: PathBuf,
    /// The workgroups. Nobody can make others.
    pub workgroups: Vec<WorkGroup>,
    /// How long queries take.
    pub pace: Pace,
    /// The service's time.
    pub clock: Clock,
}

impl AthenaConfig {
    /// With the shipped workgroups.
    pub fn new(region: impl Into<String>, state_dir: impl Into<PathBuf>, clock: Clock) -> Self {
        Self {
            region: region.into(),
            state_dir: state_dir.into(),
            workgroups: WorkGroup::shipped(),
            pace: Pace::default(),
            clock,
        }
    }
}

/// A workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkGroup {
    /// Its name.
    pub name: String,
    /// `BytesScannedCutoffPerQuery`, in bytes; Athena takes 10,000,000 and more.
    pub cutoff: Option<u64>,
    /// Where results go if the client does not say: `s3://bucket/prefix/`.
    pub output: Option<String>,
    /// For people.
    pub description: String,
}

impl WorkGroup {
    /// The workgroups of the shipped book, and `primary`, which every account has. The limits fit the sandbox's 250 MB of data,
    /// so that they can be seen at work.
    pub fn shipped() -> Vec<Self> {
        let group = |name: &str, cutoff, description: &str| Self {
            name: name.to_owned(),
            cutoff,
            output: None,
            description: description.to_owned(),
        };
        vec![
            group("primary", None, ""),
            group("tg-large", Some(1_000_000_000), "Approved wide queries"),
            group("tg-small", Some(100_000_000), "Everyday queries"),
        ]
    }

    /// As `GetWorkGroup` shows it.
    pub(super) fn describe(&self, created: Timestamp) -> Value {
        let mut configuration = json!({
            // A client's own output location counts, as each run writes below one of its own.
            "EnforceWorkGroupConfiguration": false,
            "PublishCloudWatchMetricsEnabled": false,
            "RequesterPaysEnabled": false,
            "EngineVersion": engine_version(),
            "EnableMinimumEncryptionConfiguration": false,
        });
        if let Some(cutoff) = self.cutoff {
            configuration["BytesScannedCutoffPerQuery"] = json!(cutoff);
        }
        configuration["ResultConfiguration"] = match &self.output {
            Some(output) => json!({ "OutputLocation": output }),
            None => json!({}),
        };
        json!({
            "Name": self.name,
            "State": "ENABLED",
            "Configuration": configuration,
            "Description": self.description,
            "CreationTime": seconds(created),
        })
    }

    /// As `ListWorkGroups` shows it.
    pub(super) fn summarize(&self, created: Timestamp) -> Value {
        json!({
            "Name": self.name,
            "State": "ENABLED",
            "Description": self.description,
            "CreationTime": seconds(created),
            "EngineVersion": engine_version(),
        })
    }
}

/// The engine that Athena's own documentation calls current; ours only stands in for it.
pub(super) fn engine_version() -> Value {
    json!({ "SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3" })
}

/// A time as the protocol has it: seconds with fractions.
#[allow(clippy::cast_precision_loss)] // Exact for milliseconds of the next 285,000 years.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}
