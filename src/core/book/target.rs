//! Targets: named places to run.

use super::{Placed, TargetName};
use crate::core::estimate::ScanModel;
use crate::core::plan::{Endpoint, SourceIdentity};
use crate::core::units::{Bytes, Micros};

/// A named place to run: account, region, role, workgroups. A runbook names a target, never an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: Placed<TargetName>,
    /// Twelve digits.
    pub account: String,
    /// Region.
    pub region: String,
    /// Role to assume.
    pub role: String,
    /// External id, if the role's trust policy asks for one.
    pub external_id: Option<String>,
    /// Where its services answer.
    pub endpoint: Endpoint,
    /// What the operator's own rights may add to the catalog before approval.
    pub look: Look,
    /// How the source identity is set.
    pub source_identity: SourceIdentity,
    /// Key ARNs that data and results need.
    pub kms: Vec<String>,
    /// Whether Lake Formation guards the tables (then sessions need `lakeformation:GetDataAccess`).
    pub lake_formation: bool,
    /// Athena, where the target has it.
    pub athena: Option<AthenaTarget>,
    /// Whether DynamoDB steps may run here.
    pub dynamodb: bool,
    /// What things cost here.
    pub price: Price,
}

/// What may be looked at with the operator's own rights before approval (DESIGN §4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Look {
    /// Nothing: the catalog snapshot alone.
    None,
    /// Glue and listing.
    #[default]
    Metadata,
    /// Footers of files too, never of tables with blocked columns.
    Footers,
}

/// Athena at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AthenaTarget {
    /// Data catalog of two-part names; `AwsDataCatalog` where nothing is written.
    pub catalog: String,
    /// Which reading model `expected` follows.
    pub scan_model: ScanModel,
    /// Workgroups by rising cutoff, at least one.
    pub workgroups: Vec<WorkGroup>,
    /// Whether `EXPLAIN` is asked inside the grant before each execution.
    pub service_plan: bool,
    /// `s3://bucket/prefix/`; each run writes below `<output>/<run>/`.
    pub output: String,
}

/// A workgroup and the cutoff that it is expected to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkGroup {
    /// Its name.
    pub name: Placed<String>,
    /// `BytesScannedCutoffPerQuery`: the hard stop.
    pub cutoff: Bytes,
}

/// What reading costs. Athena on capacity reservations has no price per byte: then `athena_tb` is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Millionths of the currency per 10¹² bytes scanned.
    pub athena_tb: Option<Micros>,
    /// Millionths of the currency per million DynamoDB read units.
    pub dynamodb_read_million: Option<Micros>,
    /// ISO 4217 code; `USD` where nothing is written.
    pub currency: String,
}

impl Default for Price {
    /// No price is known: costs are not shown.
    fn default() -> Self {
        Self { athena_tb: None, dynamodb_read_million: None, currency: "USD".to_owned() }
    }
}
