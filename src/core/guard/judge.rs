//! Judging: a statement and a world in, a judgement out.

use super::{Finding, Judgement, Params, Rule, World};
use crate::core::runbook::DynamodbStep;

/// Judges one SQL statement with its parameters. Never fails: what cannot be read, resolved or estimated is a finding that
/// blocks.
pub fn judge_sql(world: &World<'_>, sql: &str, database: Option<&str>, params: &Params) -> Judgement {
    let _ = (world, sql, database, params);
    not_analysed("unknown")
}

/// Judges one DynamoDB read with its parameters.
pub fn judge_dynamodb(world: &World<'_>, step: &DynamodbStep, params: &Params) -> Judgement {
    let _ = (world, params);
    not_analysed(match step {
        DynamodbStep::Get(_) => "dynamodb-get",
        DynamodbStep::Query(_) => "dynamodb-query",
    })
}

fn not_analysed(statement: &str) -> Judgement {
    let rule = Rule::NotAnalysed;
    let findings = vec![Finding::new(rule, rule.default_level(), "the statement was not analysed, so it is not allowed")];
    Judgement {
        verdict: Judgement::verdict_of(&findings),
        statement: statement.to_owned(),
        analysed: false,
        findings,
        reads: Vec::new(),
        output: Vec::new(),
        filters_on: Vec::new(),
        scan: None,
        read: None,
        cost: None,
        canonical: None,
    }
}
