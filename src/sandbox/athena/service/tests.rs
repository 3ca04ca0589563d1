use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use super::*;
use crate::core::units::Millis;
use crate::sandbox::api::{Authorizer, Principal, Progress};
use crate::sandbox::athena::pace::Pace;
use crate::sandbox::clock::Clock;
use crate::sandbox::dataset::lake::Lake;
use crate::sandbox::dataset::{self, Scale};

static LAKE: LazyLock<Arc<Lake>> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap().keep();
    let (sender, _receiver) = watch::channel(Progress::default());
    Arc::new(dataset::generate(&root, &Scale::TINY, "2026-11-20T08:00:00Z".parse().unwrap(), &sender).unwrap())
});

/// A service whose one workgroup reads up to `cutoff`.
fn open(dir: &Path, cutoff: Option<u64>, clock: &Clock, lake: watch::Receiver<LakeState>) -> Arc<Athena> {
    let mut config = AthenaConfig::new("eu-central-1", dir, clock.clone());
    config.pace = Pace::Off;
    let output = Some("s3://shop-results/x/".to_owned());
    config.workgroups = vec![WorkGroup { name: PRIMARY.to_owned(), cutoff, output, description: String::new() }];
    Arc::new(Athena::open(config, lake).unwrap())
}

fn ready() -> watch::Receiver<LakeState> {
    watch::channel(LakeState::Ready(Arc::clone(&LAKE))).1
}

async fn ask(athena: &Athena, operation: &str, body: Value) -> Result<Value, ApiError> {
    let principal =
        Principal { arn: "arn:aws:iam::123456789012:root".to_owned(), account: "123456789012".to_owned(), session: None };
    let clock = athena.shared.config.clock.clone();
    let authorizer = Authorizer::new(principal.clone(), None, clock.clone());
    athena.call(operation, body, Caller { principal, authorizer, now: clock.now() }).await
}

async fn start(athena: &Athena, sql: &str, token: &str) -> Result<String, ApiError> {
    let body = json!({ "QueryString": sql, "ClientRequestToken": format!("{token:0>32}"), "QueryExecutionContext": { "Database": "web" } });
    Ok(ask(athena, "StartQueryExecution", body).await?["QueryExecutionId"].as_str().unwrap().to_owned())
}

async fn get(athena: &Athena, id: &str) -> Value {
    ask(athena, "GetQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap()["QueryExecution"].clone()
}

async fn ended(athena: &Athena, id: &str) -> Value {
    for _ in 0..6_000 {
        let execution = get(athena, id).await;
        if !["QUEUED", "RUNNING"].contains(&execution["Status"]["State"].as_str().unwrap()) {
            return execution;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{id} never ended");
}

#[tokio::test]
async fn the_workgroups_limit_cancels_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let athena = open(dir.path(), Some(50_000), &Clock::system(), ready());
    let wide = start(&athena, "SELECT * FROM alb_logs", "1").await.unwrap();
    let wide = ended(&athena, &wide).await;
    assert_eq!(wide["Status"]["State"], "CANCELLED");
    assert_eq!(wide["Status"]["StateChangeReason"], "Bytes scanned limit was exceeded");
    assert_eq!(wide["Statistics"]["DataScannedInBytes"], 50_000);
    assert!(wide["Status"].get("AthenaError").is_none());
    let objects = dir.path().join("objects/shop-results/x");
    assert_eq!(std::fs::read_dir(objects).unwrap().count(), 0, "no part of a result is left");
    let narrow = start(&athena, "SELECT merchant FROM alb_logs WHERE day = '2026/11/20'", "2").await.unwrap();
    assert_eq!(ended(&athena, &narrow).await["Status"]["State"], "SUCCEEDED");
}

#[tokio::test]
async fn queries_wait_for_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let (tell, lake) = watch::channel(LakeState::Making);
    let athena = open(dir.path(), None, &Clock::system(), lake);
    let id = start(&athena, "SELECT count(*) FROM alb_logs", "1").await.unwrap();
    assert_eq!(get(&athena, &id).await["Status"]["State"], "QUEUED");
    assert!(athena.busy());
    tell.send_replace(LakeState::Ready(Arc::clone(&LAKE)));
    assert_eq!(ended(&athena, &id).await["Status"]["State"], "SUCCEEDED");
    tell.send_replace(LakeState::Failed("no space left".to_owned()));
    let id = start(&athena, "SELECT 1", "2").await.unwrap();
    let failed = ended(&athena, &id).await;
    assert_eq!(failed["Status"]["AthenaError"]["ErrorCategory"], 1);
    assert!(failed["Status"]["StateChangeReason"].as_str().unwrap().contains("no space left"));
    assert!(!athena.busy());
}

#[tokio::test]
async fn one_token_is_one_execution_however_many_ask_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let athena = open(dir.path(), None, &Clock::system(), ready());
    let asked: Vec<_> = (0..24)
        .map(|_| {
            let athena = Arc::clone(&athena);
            tokio::spawn(async move { start(&athena, "SELECT 1", "same").await.unwrap() })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in asked {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    let listed = ask(&athena, "ListQueryExecutions", json!({})).await.unwrap();
    assert_eq!(listed["QueryExecutionIds"].as_array().unwrap().len(), 1);
    assert!(listed.get("NextToken").is_none());
}

#[tokio::test]
async fn only_so_many_are_active() {
    let dir = tempfile::tempdir().unwrap();
    let (_tell, lake) = watch::channel(LakeState::Making);
    let athena = open(dir.path(), None, &Clock::system(), lake);
    for n in 0..MOST_ACTIVE {
        start(&athena, "SELECT 1", &n.to_string()).await.unwrap();
    }
    let error = start(&athena, "SELECT 1", "one more").await.unwrap_err();
    assert_eq!(error.code, "TooManyRequestsException");
    athena.shut_down().await;
    assert!(!athena.busy());
}

#[tokio::test]
async fn as_deep_as_it_is_read_it_is_run() {
    let dir = tempfile::tempdir().unwrap();
    let athena = open(dir.path(), None, &Clock::system(), ready());
    let chain =
        |n: usize| format!("SELECT count(*) FROM alb_logs WHERE elb_status_code = 502{}", " OR elb_status_code = 1".repeat(n));
    let id = start(&athena, &chain(390), "1").await.unwrap();
    let execution = ended(&athena, &id).await;
    assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{execution}");
    let error = start(&athena, &chain(400), "2").await.unwrap_err();
    assert_eq!(error.extra["AthenaErrorCode"], "MALFORMED_QUERY");
    let nested = format!("SELECT {}1{}", "abs(".repeat(90), ")".repeat(90));
    let id = start(&athena, &nested, "3").await.unwrap();
    assert_eq!(ended(&athena, &id).await["Status"]["State"], "SUCCEEDED");
}

#[tokio::test]
async fn old_executions_and_their_results_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let athena = open(dir.path(), None, &clock, ready());
    let old = start(&athena, "SELECT 1", "1").await.unwrap();
    ended(&athena, &old).await;
    clock.advance(Millis::from_mins(7 * 24 * 60 - 10));
    let young = start(&athena, "SELECT 1", "2").await.unwrap();
    ended(&athena, &young).await;
    drop(athena);
    clock.advance(Millis::from_mins(20));
    let athena = open(dir.path(), None, &clock, ready());
    let error = ask(&athena, "GetQueryExecution", json!({ "QueryExecutionId": old })).await.unwrap_err();
    assert_eq!(error.extra["AthenaErrorCode"], "QUERY_EXECUTION_NOT_FOUND");
    let results = dir.path().join("objects/shop-results/x");
    assert!(!results.join(format!("{old}.csv")).exists());
    assert!(results.join(format!("{young}.csv")).exists());
    assert!(results.join(format!("{young}.csv.metadata")).exists());
}

#[tokio::test]
async fn tokens_and_sizes_that_nobody_gave_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let athena = open(dir.path(), None, &Clock::system(), ready());
    let id = start(&athena, "SELECT merchant FROM alb_logs LIMIT 5", "1").await.unwrap();
    let other = start(&athena, "SELECT merchant FROM alb_logs LIMIT 5", "2").await.unwrap();
    ended(&athena, &id).await;
    ended(&athena, &other).await;
    let first = ask(&athena, "GetQueryResults", json!({ "QueryExecutionId": id, "MaxResults": 2 })).await.unwrap();
    let token = first["NextToken"].clone();
    for body in [
        json!({ "QueryExecutionId": other, "NextToken": token }),
        json!({ "QueryExecutionId": id, "NextToken": "x" }),
        json!({ "QueryExecutionId": id, "NextToken": format!("{id}.999999") }),
        json!({ "QueryExecutionId": id, "MaxResults": 1001 }),
        json!({ "QueryExecutionId": id, "MaxResults": 0 }),
        json!({}),
    ] {
        let error = ask(&athena, "GetQueryResults", body.clone()).await.unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (400, "InvalidRequestException"), "{body}");
    }
    for (operation, body, code) in [
        ("ListQueryExecutions", json!({ "NextToken": "x" }), "InvalidRequestException"),
        ("ListQueryExecutions", json!({ "MaxResults": 51 }), "InvalidRequestException"),
        ("BatchGetQueryExecution", json!({ "QueryExecutionIds": [] }), "InvalidRequestException"),
        ("StartQueryExecution", json!({ "QueryString": 5 }), "SerializationException"),
        ("StartQueryExecution", json!({ "ClientRequestToken": "x".repeat(40) }), "InvalidRequestException"),
        ("StartQueryExecution", json!({ "QueryString": "SELECT 1" }), "InvalidRequestException"),
        ("CreateWorkGroup", json!({}), "UnknownOperationException"),
        (
            "GetTableMetadata",
            json!({ "CatalogName": "other", "DatabaseName": "web", "TableName": "x" }),
            "InvalidRequestException",
        ),
    ] {
        let error = ask(&athena, operation, body.clone()).await.unwrap_err();
        assert_eq!(error.code, code, "{operation} {body}");
    }
}
