//! The AWS adapters in conversation: with a server that says what a script tells it, and with the sandbox.

#[path = "aws/environment.rs"]
mod environment;
#[path = "aws/lake.rs"]
mod lake;
#[path = "aws/moto.rs"]
mod moto;
#[cfg(feature = "sandbox")]
#[path = "aws/sandbox.rs"]
mod sandbox;
#[cfg(feature = "sandbox")]
#[path = "aws/sandbox_lake.rs"]
mod sandbox_lake;
#[path = "aws/script.rs"]
mod script;
#[cfg(feature = "sandbox")]
#[path = "aws/walk.rs"]
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate::adapters::aws::{Aws, Patience, SandboxAccess, SandboxEndpoint};
use tollgate::adapters::clock::Skew;
use tollgate::core::plan::{
    DynamodbOperation, DynamodbRequest, DynamodbValue, Endpoint, FilterPlan, PlanTarget, SortCondition, SourceIdentity,
};
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{
    FetchLimits, ItemStore as _, Keys, MintRequest, QueryPhase, QueryStatus, Rights, Secret, ServiceError, StartQuery,
    TokenService as _, Warehouse as _, WorkgroupFacts,
};

use script::{Say, Script, nowhere};

fn patience() -> Patience {
    Patience { backoff: Duration::from_millis(1), ..Patience::default() }
}

/// The adapters, with a sandbox at `url`.
fn aws_at(url: &str, patience: Patience) -> (Aws, Arc<Skew>) {
    let access =
        SandboxAccess { url: url.to_owned(), access_key_id: "AKIASANDBOX".into(), secret: Secret::new("sandbox-secret") };
    let sandbox: SandboxEndpoint = Arc::new(move || {
        let access = access.clone();
        Box::pin(async move { Ok(access) })
    });
    let skew = Arc::new(Skew::default());
    (Aws::new(sandbox, Arc::clone(&skew), patience), skew)
}

fn target(endpoint: Endpoint) -> PlanTarget {
    PlanTarget {
        name: "shop-readonly".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        role: "arn:aws:iam::123456789012:role/tollgate-shop-read".into(),
        external_id: Some("tg-shop".into()),
        endpoint,
        source_identity: SourceIdentity::Name,
    }
}

fn at(url: &str) -> PlanTarget {
    target(Endpoint::Url(url.to_owned()))
}

fn keys() -> Keys {
    Keys {
        access_key_id: "ASIAMINTED".into(),
        secret: Secret::new("minted-secret"),
        token: Secret::new("minted-token"),
        // Long past: whether keys are good is the service's to say.
        expires: Timestamp(0),
    }
}

fn query() -> StartQuery {
    StartQuery {
        statement: "SELECT 1\n-- tollgate RUN/errors/1".into(),
        token: "t".repeat(64),
        catalog: "AwsDataCatalog".into(),
        database: "web".into(),
        workgroup: "tg-small".into(),
        output: "s3://shop-results/tollgate/RUN/".into(),
    }
}

fn refusal(code: &str) -> Say {
    Say::Json(400, json!({"__type": code, "message": "because"}))
}

/// `refused CODE`, `no answer`, `later`, or `ok`.
fn word<T>(outcome: &Result<T, ServiceError>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(ServiceError::Refused(failure)) => format!("refused {}", failure.code),
        Err(ServiceError::NoAnswer(_)) => "no answer".to_owned(),
        Err(ServiceError::Temporary(_)) => "later".to_owned(),
        Err(ServiceError::NoCredentials { hint, .. }) => format!("credentials: {hint}"),
    }
}

/// What came of a call decides whether it may be made again: a start that may have happened is never called refused or late.
#[tokio::test]
async fn outcomes_are_told_apart() {
    let started = || Say::Json(200, json!({"QueryExecutionId": "q-1"}));
    let throttled = || refusal("ThrottlingException");
    let broken = |status| Say::Json(status, json!({"__type": "InternalServerException", "message": "oops"}));
    let html = |status| Say::Text(status, "content-type: text/html", "<html>a proxy</html>".into());
    // (what the service does, of a start, of a question)
    let table: Vec<(&str, Vec<Say>, &str, &str)> = vec![
        ("answers", vec![started()], "ok", "no answer"),
        ("refuses", vec![refusal("AccessDeniedException")], "refused AccessDeniedException", "refused AccessDeniedException"),
        (
            "keys expired",
            vec![refusal("ExpiredTokenException")],
            "refused ExpiredTokenException",
            "refused ExpiredTokenException",
        ),
        (
            "bad request",
            vec![refusal("InvalidRequestException")],
            "refused InvalidRequestException",
            "refused InvalidRequestException",
        ),
        ("throttles", vec![throttled(), throttled(), throttled()], "later", "later"),
        ("throttles, then answers", vec![throttled(), started()], "ok", "no answer"),
        ("too many", vec![refusal("TooManyRequestsException"); 3], "later", "later"),
        ("unavailable", vec![broken(503), broken(503), broken(503)], "later", "later"),
        ("breaks", vec![broken(500), broken(500), broken(500)], "no answer", "no answer"),
        ("hangs up", vec![Say::HangUp, Say::HangUp, Say::HangUp], "no answer", "no answer"),
        ("hangs up, then answers", vec![Say::HangUp, started()], "ok", "no answer"),
        ("hangs up, then throttles", vec![Say::HangUp, throttled(), throttled()], "no answer", "no answer"),
        ("breaks, then unavailable", vec![broken(500), broken(503), broken(503)], "no answer", "no answer"),
        (
            "hangs up, then refuses",
            vec![Say::HangUp, refusal("AccessDeniedException")],
            "no answer",
            "refused AccessDeniedException",
        ),
        ("is not the service", vec![html(200)], "no answer", "no answer"),
        ("is not the service either", vec![html(407)], "no answer", "no answer"),
        ("is a busy proxy", vec![html(503), html(503), html(503)], "later", "later"),
    ];
    for (case, says, start, ask) in table {
        let script = Script::of(says.clone()).await;
        let (aws, _) = aws_at("http://127.0.0.1:1", patience());
        let outcome = aws.start(&at(&script.url), &keys(), &query()).await;
        assert_eq!(word(&outcome), start, "start, {case}: {outcome:?}");
        if let Ok(id) = outcome {
            assert_eq!(id, "q-1");
        }
        let asked = script.asked();
        assert!(asked.iter().all(|(_, body)| *body == asked[0].1), "{case}: every attempt asks the same, with the same token");

        let script = Script::of(says).await;
        let outcome = aws.status(&at(&script.url), &keys(), "q-1").await;
        assert_eq!(word(&outcome), ask, "status, {case}: {outcome:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_not_an_unanswered_call() {
    let (aws, _) = aws_at("http://127.0.0.1:1", patience());
    let outcome = aws.start(&at(&nowhere().await), &keys(), &query()).await;
    assert_eq!(word(&outcome), "later", "{outcome:?}");
    let Err(ServiceError::Temporary(text)) = outcome else { panic!() };
    assert!(text.contains("no connection") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn silence_ends_within_patience() {
    let short = Duration::from_millis(60);
    let patience = Patience { read: short, connect: short, attempts: 2, ..patience() };
    let script = Script::of(vec![Say::Silence, Say::Silence]).await;
    let (aws, _) = aws_at("http://127.0.0.1:1", patience);
    let began = Instant::now();
    let outcome = aws.start(&at(&script.url), &keys(), &query()).await;
    assert_eq!(word(&outcome), "no answer", "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(5));

    // Nobody is at the sandbox's door, and it says so itself.
    let sandbox: SandboxEndpoint =
        Arc::new(|| Box::pin(async { Err(ServiceError::Temporary("the sandbox did not start".into())) }));
    let aws = Aws::new(sandbox, Arc::default(), patience);
    assert_eq!(word(&aws.identity(&target(Endpoint::Sandbox)).await), "later");
}

#[tokio::test]
async fn a_start_says_everything_and_is_signed_with_the_mint() {
    let script = Script::of(vec![Say::Json(200, json!({"QueryExecutionId": "q-1"}))]).await;
    let (aws, _) = aws_at("http://127.0.0.1:1", patience());
    aws.start(&at(&script.url), &keys(), &query()).await.unwrap();
    let (head, body) = script.asked().remove(0);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "QueryString": "SELECT 1\n-- tollgate RUN/errors/1",
            "ClientRequestToken": "t".repeat(64),
            "QueryExecutionContext": {"Catalog": "AwsDataCatalog", "Database": "web"},
            "WorkGroup": "tg-small",
            "ResultConfiguration": {"OutputLocation": "s3://shop-results/tollgate/RUN/"},
        })
    );
    assert!(head.contains("credential=asiaminted/") && head.contains("/eu-central-1/athena/aws4_request"), "{head}");
    assert!(head.contains("x-amz-security-token: minted-token") && head.contains("app/tollgate"), "{head}");
    assert!(!head.contains("minted-secret"), "{head}");
}

#[tokio::test]
async fn the_services_clock_is_heard_in_every_answer() {
    let dated = |date: &'static str| Say::Text(200, date, json!({"QueryExecutionId": "q"}).to_string());
    let script = Script::of(vec![
        dated("date: Thu, 01 Jan 2099 00:00:00 GMT"),
        Say::Text(400, "date: Mon, 01 Jan 2001 00:00:00 GMT", json!({"__type": "AccessDeniedException"}).to_string()),
        dated("date: yesterday"),
    ])
    .await;
    let (aws, skew) = aws_at("http://127.0.0.1:1", patience());
    assert_eq!(skew.get(), None);
    let target = at(&script.url);
    aws.start(&target, &keys(), &query()).await.unwrap();
    assert!(skew.get().is_some_and(|ms| ms > 1_000_000_000_000), "{:?}", skew.get());
    aws.start(&target, &keys(), &query()).await.unwrap_err();
    let behind = skew.get();
    assert!(behind.is_some_and(|ms| ms < -100_000_000_000), "{behind:?}");
    aws.start(&target, &keys(), &query()).await.unwrap();
    assert_eq!(skew.get(), behind, "a date that cannot be read says nothing");
}

const CREDENTIALS: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIANEW</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
    <Expiration>2026-11-20T08:15:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

fn mint() -> MintRequest {
    MintRequest {
        session_name: "tg-01RUN".into(),
        source_identity: Some("ana".into()),
        tags: vec![("tollgate:run".into(), "01RUN".into()), ("tollgate:step".into(), "errors".into())],
        policy: "{\"Version\":\"2012-10-17\"}".into(),
        seconds: 900,
    }
}

#[tokio::test]
async fn a_mint_says_who_why_and_how_long() {
    let xml = |status, body: &str| Say::Text(status, "content-type: text/xml", body.to_owned());
    let denied =
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
    let expired = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>";
    let script = Script::of(vec![xml(200, CREDENTIALS), xml(403, denied), xml(403, expired)]).await;
    let (aws, _) = aws_at(&script.url, patience());
    let target = target(Endpoint::Sandbox);
    let keys = aws.assume(&target, &mint()).await.unwrap();
    assert_eq!((keys.access_key_id.as_str(), keys.secret.expose(), keys.token.expose()), ("ASIANEW", "s", "t"));
    assert_eq!(keys.expires, "2026-11-20T08:15:00Z".parse().unwrap());
    let (head, body) = script.asked().remove(0);
    assert!(head.contains("credential=akiasandbox/") && !head.contains("x-amz-security-token"), "the key file's: {head}");
    for part in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftollgate-shop-read",
        "RoleSessionName=tg-01RUN",
        "DurationSeconds=900",
        "ExternalId=tg-shop",
        "SourceIdentity=ana",
        "Policy=%7B%22Version%22%3A%222012-10-17%22%7D",
        "Tags.member.1.Key=tollgate%3Arun",
        "Tags.member.2.Value=errors",
    ] {
        assert!(body.split('&').any(|given| given == part), "{part} in {body}");
    }
    assert_eq!(word(&aws.assume(&target, &mint()).await), "refused AccessDenied");
    assert_eq!(word(&aws.assume(&target, &mint()).await), "credentials: run `tollgate sandbox stop` and try again");
}

/// What a writer of logs was given.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Secrets are in no log (the SDK's own kept at warnings, as the command line does) and in no error.
#[tokio::test]
async fn secrets_are_in_no_log_and_no_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("warn,tollgate=trace"))
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::warn!("the log works");
    let xml =
        Say::Text(200, "content-type: text/xml", CREDENTIALS.replace("<SecretAccessKey>s<", "<SecretAccessKey>new-secret<"));
    let script =
        Script::of(vec![xml.clone(), Say::HangUp, Say::HangUp, Say::HangUp, refusal("AccessDeniedException"), Say::HangUp]).await;
    let (aws, _) = aws_at(&script.url, patience());
    let target = target(Endpoint::Sandbox);
    let mut shown = format!("{:?} {:?}", aws.assume(&target, &mint()).await, aws);
    for _ in 0..2 {
        shown += &format!("{:?}", aws.start(&target, &keys(), &query()).await);
    }
    shown += &format!("{:?}", aws.assume(&target, &mint()).await);
    shown += &String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("the log works") && shown.contains("ASIANEW") && shown.contains("AccessDeniedException"), "{shown}");
    for secret in ["sandbox-secret", "minted-secret", "minted-token", "new-secret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn workgroups_are_read_as_they_are() {
    let group =
        |config: Value| Say::Json(200, json!({"WorkGroup": {"Name": "tg-small", "State": "ENABLED", "Configuration": config}}));
    let script = Script::of(vec![
        group(json!({"BytesScannedCutoffPerQuery": 1_000_000_000, "EnforceWorkGroupConfiguration": true})),
        Say::Json(200, json!({"WorkGroup": {"Name": "tg-small", "State": "DISABLED"}})),
    ])
    .await;
    let (aws, _) = aws_at(&script.url, patience());
    let target = target(Endpoint::Sandbox);
    let facts = aws.workgroup(&target, Rights::Own, "tg-small").await.unwrap();
    assert_eq!(facts, WorkgroupFacts { cutoff: Some(1_000_000_000), enforced: true, enabled: true });
    let facts = aws.workgroup(&target, Rights::Minted(&keys()), "tg-small").await.unwrap();
    assert_eq!(facts, WorkgroupFacts { cutoff: None, enforced: false, enabled: false });
    let heads: Vec<String> = script.asked().into_iter().map(|(head, _)| head).collect();
    assert!(heads[0].contains("credential=akiasandbox/") && heads[1].contains("credential=asiaminted/"));
}

fn execution(id: &str, query: &str, state: &str, submitted: i64, statistics: Value) -> Value {
    json!({
        "QueryExecutionId": id, "Query": query, "Statistics": statistics,
        "Status": {"State": state, "SubmissionDateTime": submitted, "StateChangeReason": "SYNTAX_ERROR: line 1:8: no"},
    })
}

#[tokio::test]
async fn states_are_told_as_reported() {
    let state = |state: &str, statistics: Value| {
        Say::Json(200, json!({"QueryExecution": execution("q-1", "SELECT 1", state, 0, statistics)}))
    };
    let numbers = json!({"DataScannedInBytes": 42, "EngineExecutionTimeInMillis": 7});
    let nothing = json!({"DataScannedInBytes": 0});
    let script = Script::of(vec![
        state("QUEUED", json!({})),
        state("RUNNING", nothing.clone()),
        state("RUNNING", numbers.clone()),
        state("SUCCEEDED", nothing),
        state("FAILED", numbers),
        state("DREAMING", json!({})),
    ])
    .await;
    let (aws, _) = aws_at("http://127.0.0.1:1", patience());
    let mut seen = Vec::new();
    for _ in 0..5 {
        let QueryStatus { phase, bytes, elapsed_ms, failure, .. } = aws.status(&at(&script.url), &keys(), "q-1").await.unwrap();
        seen.push((phase, bytes, elapsed_ms, failure.map(|failure| failure.code)));
    }
    assert_eq!(
        seen,
        [
            (QueryPhase::Queued, None, None, None),
            (QueryPhase::Running, None, None, None),
            (QueryPhase::Running, Some(42), Some(7), None),
            (QueryPhase::Succeeded, Some(0), None, None),
            (QueryPhase::Failed, Some(42), Some(7), Some("SYNTAX_ERROR".to_owned())),
        ]
    );
    assert_eq!(word(&aws.status(&at(&script.url), &keys(), "q-1").await), "no answer", "a state nobody knows");
}

#[tokio::test]
async fn rows_come_page_by_page_until_the_limit() {
    let cells = |cells: &[Option<&str>]| {
        let data: Vec<Value> =
            cells.iter().map(|cell| cell.map_or_else(|| json!({}), |text| json!({"VarCharValue": text}))).collect();
        json!({"Data": data})
    };
    let page = |rows: Vec<Value>, next: Option<&str>| {
        let columns = json!([{"Name": "id", "Type": "varchar"}, {"Name": "hits", "Type": "bigint"}]);
        let mut page = json!({"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}}});
        if let Some(next) = next {
            page["NextToken"] = json!(next);
        }
        Say::Json(200, page)
    };
    let header = cells(&[Some("id"), Some("hits")]);
    let (one, two, three) = (cells(&[Some(""), None]), cells(&[Some("b"), Some("2")]), cells(&[Some("c"), Some("3")]));
    let says = || vec![page(vec![header.clone(), one.clone()], Some("more")), page(vec![two.clone(), three.clone()], None)];
    let script = Script::of([says(), says()].concat()).await;
    let (aws, _) = aws_at("http://127.0.0.1:1", patience());
    let rows = aws.rows(&at(&script.url), &keys(), "q-1", FetchLimits::default()).await.unwrap();
    assert_eq!(rows.columns.iter().map(|column| column.kind.as_str()).collect::<Vec<_>>(), ["varchar", "bigint"]);
    assert_eq!(rows.rows[0], [Some(String::new()), None], "empty is not NULL");
    assert_eq!((rows.rows.len(), rows.truncated), (3, false));
    assert_eq!(script.bodies()[1]["NextToken"], "more");

    let limits = FetchLimits { rows: 2, ..FetchLimits::default() };
    let rows = aws.rows(&at(&script.url), &keys(), "q-1", limits).await.unwrap();
    assert_eq!((rows.rows.len(), rows.truncated), (2, true));
}

#[tokio::test]
async fn an_execution_is_found_by_its_marker() {
    let list = |ids: &[&str], next: Option<&str>| {
        let mut page = json!({"QueryExecutionIds": ids});
        if let Some(next) = next {
            page["NextToken"] = json!(next);
        }
        Say::Json(200, page)
    };
    let batch =
        |executions: Vec<Value>| Say::Json(200, json!({"QueryExecutions": executions, "UnprocessedQueryExecutionIds": []}));
    let ours = || execution("q-7", "SELECT 1\n-- tollgate RUN/errors/1", "RUNNING", 1000, json!({}));
    let other = |id: &str, at: i64| execution(id, "SELECT 1\n-- tollgate RUN/errors/2", "RUNNING", at, json!({}));
    let find = async |says: Vec<Say>| {
        let script = Script::of(says).await;
        let (aws, _) = aws_at("http://127.0.0.1:1", patience());
        let since = Timestamp(1_000_000);
        let found = aws.find(&at(&script.url), &keys(), "tg-small", "\n-- tollgate RUN/errors/1", since).await;
        (found.map(|found| found.map(|status| status.query_id)), script.bodies())
    };

    let (found, asked) =
        find(vec![list(&["q-9"], Some("more")), batch(vec![other("q-9", 1000)]), list(&["q-7"], None), batch(vec![ours()])])
            .await;
    assert_eq!(found.unwrap().as_deref(), Some("q-7"));
    assert_eq!((&asked[0]["WorkGroup"], &asked[2]["NextToken"]), (&json!("tg-small"), &json!("more")));

    let (found, _) = find(vec![list(&["q-9"], None), batch(vec![other("q-9", 1000)])]).await;
    assert_eq!(found.unwrap(), None);
    let (found, _) = find(vec![list(&[], None)]).await;
    assert_eq!(found.unwrap(), None);
    // A page from before the intent ends the search: 1000 s is the intent, a minute of skew is allowed for.
    let (found, asked) = find(vec![list(&["q-9"], Some("more")), batch(vec![other("q-9", 939)])]).await;
    assert_eq!((found.unwrap(), asked.len()), (None, 2));

    let unread =
        json!({"QueryExecutions": [], "UnprocessedQueryExecutionIds": [{"QueryExecutionId": "q-9", "ErrorMessage": "busy"}]});
    let (found, _) = find(vec![list(&["q-9"], None), Say::Json(200, unread)]).await;
    assert_eq!(word(&found), "later", "what was not described could be ours");
}

fn read_of(operation: DynamodbOperation) -> DynamodbRequest {
    DynamodbRequest {
        operation,
        table: "orders".into(),
        index: None,
        key: [("pk".to_owned(), DynamodbValue::S("ORDER#1".into()))].into_iter().collect(),
        sort: None,
        filter: None,
        project: vec!["pk".into(), "state".into()],
        limit: None,
        descending: false,
        consistent: false,
    }
}

#[tokio::test]
async fn a_query_is_braked_by_its_ceiling() {
    let page = |ids: &[&str], units: f64, more: bool| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"pk": {"S": id}})).collect();
        let mut page =
            json!({"Items": items, "Count": ids.len(), "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": units}});
        if more {
            page["LastEvaluatedKey"] = json!({"pk": {"S": "k"}});
        }
        Say::Json(200, page)
    };
    let read = async |says: Vec<Say>, request: DynamodbRequest, ceiling: u64| {
        let script = Script::of(says).await;
        let (aws, _) = aws_at("http://127.0.0.1:1", patience());
        let read = aws.read(&at(&script.url), &keys(), &request, ceiling, FetchLimits::default()).await;
        (read, script.bodies())
    };
    let query = || read_of(DynamodbOperation::Query);

    let pages = vec![page(&["a"], 0.5, true), page(&["b"], 128.5, true), page(&["c"], 0.5, false)];
    let (all, asked) = read(pages.clone(), query(), 1_000_000).await;
    let all = all.unwrap();
    assert_eq!((all.rows.rows.len(), all.cost, all.stopped_by_ceiling, all.rows.truncated), (3, 129_500, false, false));
    assert_eq!(asked[1]["ExclusiveStartKey"], json!({"pk": {"S": "k"}}));
    assert_eq!(
        (&asked[0]["KeyConditionExpression"], &asked[0]["ProjectionExpression"], &asked[0]["Select"]),
        (&json!("#k0 = :k0"), &json!("#p0, #p1"), &json!("SPECIFIC_ATTRIBUTES"))
    );
    assert_eq!((&asked[0]["ReturnConsumedCapacity"], asked[0].get("Limit")), (&json!("INDEXES"), None));

    let (braked, asked) = read(pages, query(), 129_000).await;
    let braked = braked.unwrap();
    assert_eq!((braked.rows.rows.len(), braked.cost, braked.stopped_by_ceiling, braked.rows.truncated), (2, 129_000, true, true));
    assert_eq!(asked.len(), 2);

    // The last page may pass the ceiling: there is nothing left to brake.
    let (last, _) = read(vec![page(&["a"], 9.0, false)], query(), 1_000).await;
    assert!(!last.unwrap().stopped_by_ceiling);

    let limited = DynamodbRequest { limit: Some(3), ..query() };
    let (read_limited, asked) =
        read(vec![page(&["a", "b"], 0.5, true), page(&["c"], 0.5, true)], limited.clone(), 1_000_000).await;
    assert_eq!((read_limited.unwrap().rows.rows.len(), &asked[0]["Limit"], &asked[1]["Limit"]), (3, &json!(3), &json!(1)));
    let filter = FilterPlan {
        expression: "#n0 = :v0".into(),
        names: [("#n0".to_owned(), "state".to_owned())].into_iter().collect(),
        values: [(":v0".to_owned(), DynamodbValue::S("LOCKED".into()))].into_iter().collect(),
    };
    let filtered = DynamodbRequest { filter: Some(filter), ..limited };
    let (read_filtered, asked) =
        read(vec![page(&[], 0.5, true), page(&["a", "b", "c", "d"], 0.5, true)], filtered, 1_000_000).await;
    assert_eq!((read_filtered.unwrap().rows.rows.len(), asked[0].get("Limit")), (3, None), "a limit counts what is returned");

    let unmeasured = Say::Json(200, json!({"Items": [], "Count": 0}));
    let (unmeasured, _) = read(vec![unmeasured], query(), 1_000_000).await;
    assert_eq!(word(&unmeasured), "refused NoConsumedCapacity");
}

#[tokio::test]
async fn an_item_is_one_row() {
    let capacity = json!({"TableName": "orders", "CapacityUnits": 0.5});
    let script = Script::of(vec![
        Say::Json(200, json!({"Item": {"pk": {"S": "ORDER#1"}, "state": {"NULL": true}}, "ConsumedCapacity": capacity})),
        Say::Json(200, json!({"ConsumedCapacity": capacity})),
        refusal("ResourceNotFoundException"),
    ])
    .await;
    let (aws, _) = aws_at("http://127.0.0.1:1", patience());
    let mut get = read_of(DynamodbOperation::Get);
    get.key.insert("sk".into(), DynamodbValue::N("7".into()));
    get.consistent = true;
    let limits = FetchLimits::default();
    let item = aws.read(&at(&script.url), &keys(), &get, 10_000, limits).await.unwrap();
    assert_eq!(item.rows.rows, [[Some("ORDER#1".to_owned()), None]]);
    assert_eq!((item.cost, item.stopped_by_ceiling), (500, false));
    let asked = &script.bodies()[0];
    assert_eq!(asked["Key"], json!({"pk": {"S": "ORDER#1"}, "sk": {"N": "7"}}));
    assert_eq!((&asked["ConsistentRead"], asked.get("Limit")), (&json!(true), None));

    let none = aws.read(&at(&script.url), &keys(), &get, 10_000, limits).await.unwrap();
    assert_eq!((none.rows.rows.len(), none.rows.columns.len()), (0, 2));
    assert_eq!(word(&aws.read(&at(&script.url), &keys(), &get, 10_000, limits).await), "refused ResourceNotFoundException");

    let sort = Some(SortCondition { name: "sk".into(), operator: "like".into(), values: vec![] });
    let wrong = DynamodbRequest { sort, ..read_of(DynamodbOperation::Query) };
    assert_eq!(word(&aws.read(&at(&script.url), &keys(), &wrong, 10_000, limits).await), "refused NotSent");
    assert_eq!(script.asked().len(), 3);
}
