//! What the guard says: findings, and everything else about one statement.

use serde::{Deserialize, Serialize};

use super::{Level, Rule, Verdict};
use crate::core::estimate::{Bounds, ReadCost, Scan};

/// A position in a statement: line from 1, column from 1, counted in characters as Trino counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A stretch of a statement; `end` is the position after the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Just after it.
    pub end: Position,
}

/// How a blocked column is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Its values reach an output column.
    Flows,
    /// It changes which rows come, or their order or grouping.
    Influences,
}

/// A rewrite that removes a finding; it was judged again before being offered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fix {
    /// What it does, as a button says it.
    pub title: String,
    /// The whole statement after it.
    pub sql: String,
    /// Bytes that it would read; absent where that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Bounds>,
}

/// One rule's remark on a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How strict the book is about it.
    pub level: Level,
    /// Trino's error name, for `not-analysed`, `unsupported` and `type-mismatch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was found, in plain words.
    pub message: String,
    /// What it is about: a column, a table, a function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// For blocked columns: flows or influences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// `file:line` where the rule, limit or tag was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_in: Option<String>,
    /// Where in the statement as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Where in the canonical statement, if that is another text than the one given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_span: Option<Span>,
    /// A way out, if one is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Finding {
    /// A finding with only rule, level and message.
    pub fn new(rule: Rule, level: Level, message: impl Into<String>) -> Self {
        Self {
            rule,
            level,
            code: None,
            message: message.into(),
            subject: None,
            why: None,
            set_in: None,
            span: None,
            sent_span: None,
            fix: None,
        }
    }
}

/// A table that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TableRead {
    /// `db.table`, or three parts for another data catalog.
    pub table: String,
    /// Every column named, expanded or compared; sorted, lower case; a struct field is `profile.ssn`.
    pub columns: Vec<String>,
    /// How many partitions the statement's predicates leave; absent when the table has none or they are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsMatched>,
}

/// Partitions left by pruning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PartitionsMatched {
    /// Left.
    pub matched: u64,
    /// In all.
    pub total: u64,
}

/// One output column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OutputColumn {
    /// Its name; `None` where the server invents one.
    pub name: Option<String>,
    /// Its Trino type, where it was inferred.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The columns whose values flow into it, as `db.table.column`.
    pub sources: Vec<String>,
}

/// Money: millionths of a currency inside, as the plan holds them; plain numbers of that currency in JSON, `null` when unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "CostJson", into = "CostJson")]
#[schemars(with = "CostJson")]
pub struct Cost {
    /// Millionths of the currency; `None` when unknown.
    pub micros: Option<Bounds>,
    /// ISO 4217 code.
    pub currency: String,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Cost")]
struct CostJson {
    low: Option<f64>,
    expected: Option<f64>,
    high: Option<f64>,
    currency: String,
}

#[allow(clippy::cast_precision_loss, reason = "a cost of more than 2^53 millionths is not shown to the millionth")]
impl From<Cost> for CostJson {
    fn from(cost: Cost) -> Self {
        let money = |pick: fn(Bounds) -> u64| cost.micros.map(|bounds| pick(bounds) as f64 / 1e6);
        Self { low: money(|b| b.low), expected: money(|b| b.expected), high: money(|b| b.high), currency: cost.currency }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to integer casts saturate")]
impl From<CostJson> for Cost {
    fn from(json: CostJson) -> Self {
        let micros = |money: f64| (money * 1e6).round() as u64;
        let bounds = match (json.low, json.expected, json.high) {
            (Some(low), Some(expected), Some(high)) => Some(Bounds::new(micros(low), micros(expected), micros(high))),
            _ => None,
        };
        Self { micros: bounds, currency: json.currency }
    }
}

/// Everything the guard says of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judgement {
    /// The strictest finding.
    pub verdict: Verdict,
    /// Kind of statement: `select`, `show`, `insert`, `dynamodb-get`, …
    pub statement: String,
    /// Whether it was read and resolved completely.
    pub analysed: bool,
    /// Remarks, in the order of their place in the statement.
    pub findings: Vec<Finding>,
    /// Tables and columns read.
    pub reads: Vec<TableRead>,
    /// Output columns with their sources.
    pub output: Vec<OutputColumn>,
    /// Columns that influence without flowing.
    pub filters_on: Vec<String>,
    /// Bytes, for SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// Read units, for DynamoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadCost>,
    /// Money, where a price is known; its numbers are `null` where the estimate is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The statement as it would be sent: re-emitted from its own tokens, comments dropped. Absent when it was not analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
}

impl Judgement {
    /// The verdict that `findings` give.
    pub fn verdict_of(findings: &[Finding]) -> Verdict {
        findings.iter().fold(Verdict::Allow, |verdict, finding| {
            verdict.max(match finding.level {
                Level::Off => Verdict::Allow,
                Level::Warn => Verdict::Warn,
                Level::Block => Verdict::Block,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_plain_numbers_or_null() {
        let cost = Cost { micros: Some(Bounds { low: 50, expected: 1_600, high: 2_500_000 }), currency: "USD".into() };
        let json = serde_json::to_string(&cost).unwrap();
        assert_eq!(json, r#"{"low":0.00005,"expected":0.0016,"high":2.5,"currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Cost>(&json).unwrap(), cost);
        let unknown = Cost { micros: None, currency: "USD".into() };
        let json = serde_json::to_string(&unknown).unwrap();
        assert_eq!(json, r#"{"low":null,"expected":null,"high":null,"currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Cost>(&json).unwrap(), unknown);
    }
}
