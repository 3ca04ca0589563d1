//! Estimates: what a statement will cost, as low ≤ expected ≤ high, with what the numbers rest on. Unknown is `None` and the
//! word, never zero.

use serde::{Deserialize, Serialize};

mod cast;
mod domain;
mod files;
mod function;
mod held;
mod history;
mod hole;
#[cfg(test)]
mod laws;
mod model;
mod need;
mod orc;
mod parquet;
mod partitions;
mod period;
mod ranges;
mod scan;
mod term;
mod value;

use crate::core::units::{Bytes, Micros};

pub use history::{Calibration, Run, calibrated};
pub use need::{Need, needs};
pub(crate) use partitions::{periods_between, restricts};
pub use scan::{Session, estimate_scan};

/// What an estimate rests on, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Iceberg manifests: exact file and column sizes.
    Manifest,
    /// Footers of the files themselves.
    Footers,
    /// A listing of the objects, now.
    Listed,
    /// Sizes written in a catalog snapshot.
    Catalog,
    /// Earlier runs of the same statement over the same table.
    History,
    /// Nothing: the numbers are absent.
    Unknown,
}

/// Which reading model `expected` follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScanModel {
    /// The chunks of the columns read; no footers, no gaps (what Athena was seen to bill).
    #[default]
    Chunks,
    /// What a Trino server's reader fetches: whole small files, tails, merged ranges.
    Trino,
}

/// Three bounds on one quantity; low ≤ expected ≤ high is kept by [`Bounds::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Bounds {
    /// No less than this.
    pub low: u64,
    /// The best single guess.
    pub expected: u64,
    /// No more than this.
    pub high: u64,
}

impl Bounds {
    /// Bounds with the order enforced: `low` is lowered and `high` raised where they contradict `expected`.
    pub fn new(low: u64, expected: u64, high: u64) -> Self {
        Self { low: low.min(expected), expected, high: high.max(expected) }
    }

    /// Exactly this much.
    pub fn exact(value: u64) -> Self {
        Self { low: value, expected: value, high: value }
    }

    /// No bound above `most`.
    #[must_use]
    pub fn at_most(self, most: u64) -> Self {
        Self { low: self.low.min(most), expected: self.expected.min(most), high: self.high.min(most) }
    }

    /// Bound by bound, saturating.
    pub fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            expected: self.expected.saturating_add(other.expected),
            high: self.high.saturating_add(other.high),
        }
    }
}

/// Optional bounds as three keys that are `null` when unknown: an absent key would read as "not asked".
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Bounds;

    /// In bytes, or thousandths of a read unit; `null` when unknown.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    pub(super) struct Parts {
        low: Option<u64>,
        expected: Option<u64>,
        high: Option<u64>,
    }

    pub(super) fn serialize<S: Serializer>(bounds: &Option<Bounds>, serializer: S) -> Result<S::Ok, S::Error> {
        Parts { low: bounds.map(|b| b.low), expected: bounds.map(|b| b.expected), high: bounds.map(|b| b.high) }
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bounds>, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        Ok(match (parts.low, parts.expected, parts.high) {
            (Some(low), Some(expected), Some(high)) => Some(Bounds::new(low, expected, high)),
            _ => None,
        })
    }
}

/// What one statement reads from storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scan {
    /// Bytes; `None` when unknown.
    #[serde(flatten, with = "nullable")]
    #[schemars(with = "nullable::Parts")]
    pub bytes: Option<Bounds>,
    /// What this rests on.
    pub evidence: Evidence,
    /// Age of those facts in seconds, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// The model `expected` follows.
    pub model: ScanModel,
    /// What the other model would expect, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_model_expected: Option<u64>,
    /// In words: "7 of 60 days, 3 of 12 columns", or why it is unknown.
    pub why: String,
    /// What was wrong with the facts, so that the bounds are wider: a footer that cannot be read, a location that is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Per table scanned.
    pub tables: Vec<TableScan>,
}

/// What one table contributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TableScan {
    /// `db.table`, or three parts for another data catalog.
    pub table: String,
    /// Bytes; `None` when unknown.
    #[serde(flatten, with = "nullable")]
    #[schemars(with = "nullable::Parts")]
    pub bytes: Option<Bounds>,
    /// In words: "3 of 365 partitions, 2 of 12 columns".
    pub why: String,
}

/// What a DynamoDB step reads, in thousandths of a read unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReadCost {
    /// Thousandths of a read unit; `None` when unknown.
    #[serde(flatten, with = "nullable")]
    #[schemars(with = "nullable::Parts")]
    pub units: Option<Bounds>,
    /// The access path in words: "Query on orders by pk, 1 page expected".
    pub path: String,
    /// What the numbers rest on: "one item, 500 B on average, at most 400 KB".
    pub why: String,
}

/// The ceiling of a step in bytes (DESIGN §4.3): `min(max_scan, max(1.25 × high, warn_scan, 10 MB))`, rounded up to whole
/// megabytes; `max_scan` where the estimate is unknown and the book allows that.
pub fn ceiling(high: Option<u64>, warn_scan: Option<Bytes>, max_scan: Bytes) -> Bytes {
    let Some(high) = high else { return max_scan };
    let wanted = (high.saturating_add(high / 4)).max(warn_scan.map_or(0, |b| b.0)).max(10 * Bytes::MB);
    Bytes(wanted.min(max_scan.0)).ceil_mb()
}

/// The ceiling of a DynamoDB step in thousandths of a read unit: `min(max_read_units, max(1.25 × high, 10))`.
pub fn read_ceiling(high: Option<u64>, max_read_units: u64) -> u64 {
    let max = max_read_units.saturating_mul(1000);
    high.map_or(max, |high| max.min((high.saturating_add(high / 4)).max(10_000)))
}

/// Athena's smallest bill for one query: 10 MB (Athena pricing).
pub const ATHENA_MINIMUM: u64 = 10 * Bytes::MB;

/// What `bytes` cost at `per_tb` millionths of the currency per 10¹² bytes, with Athena's minimum of 10 MB a query and rounding
/// up to whole megabytes.
pub fn athena_cost(bytes: u64, per_tb: Micros) -> Micros {
    let billed = Bytes(bytes.max(ATHENA_MINIMUM)).ceil_mb().0;
    let micros = (u128::from(billed) * u128::from(per_tb.0)).div_ceil(1_000_000_000_000);
    Micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceiling_follows_the_formula() {
        let mb = |n| Bytes(n * Bytes::MB);
        assert_eq!(ceiling(Some(82_000_000), Some(mb(200)), mb(2000)), mb(200));
        assert_eq!(ceiling(Some(310_000_000), Some(mb(200)), mb(2000)), mb(388));
        assert_eq!(ceiling(Some(1), None, mb(2000)), mb(10));
        assert_eq!(ceiling(Some(1_900_000_000), None, mb(2000)), mb(2000));
        assert_eq!(ceiling(None, None, mb(2000)), mb(2000));
        assert_eq!(read_ceiling(Some(500), 5000), 10_000);
        assert_eq!(read_ceiling(None, 5000), 5_000_000);
    }

    #[test]
    fn unknown_is_null_and_never_absent() {
        let scan = TableScan { table: "web.alb_logs".into(), bytes: None, why: "no partitions in the catalog".into() };
        let json = serde_json::to_string(&scan).unwrap();
        assert_eq!(
            json,
            r#"{"table":"web.alb_logs","low":null,"expected":null,"high":null,"why":"no partitions in the catalog"}"#
        );
        assert_eq!(serde_json::from_str::<TableScan>(&json).unwrap(), scan);
        let known = TableScan { bytes: Some(Bounds::exact(7)), ..scan };
        assert_eq!(serde_json::from_str::<TableScan>(&serde_json::to_string(&known).unwrap()).unwrap(), known);
    }

    #[test]
    fn cost_has_the_minimum() {
        assert_eq!(athena_cost(0, Micros(5_000_000)), Micros(50));
        assert_eq!(athena_cost(1_000_000_000_000, Micros(5_000_000)), Micros(5_000_000));
    }
}
