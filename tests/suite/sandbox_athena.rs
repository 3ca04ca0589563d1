//! Athena in the sandbox, asked by the real SDK through the door.

use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_athena::error::ProvideErrorMetadata;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionContext, QueryExecutionState as State, ResultConfiguration};
use tollgate::core::session_policy::{self, AthenaScope};
use tollgate::core::units::{Millis, Timestamp};
use tollgate::sandbox::athena::Pace;
use tollgate::sandbox::clock::Clock;
use tollgate::sandbox::dataset::{Day, Scale, ids};
use tollgate::sandbox::host::{Options, Running};
use tollgate::sandbox::shop::{Shop, serve};

use crate::sandbox_client::Keys;

const OUTPUT: &str = "s3://shop-results/tollgate/01JRUN/";

/// A sandbox with the tiny data set.
struct Shopped {
    running: Running,
    clock: Clock,
    dir: tempfile::TempDir,
    today: Day,
}

fn open(pace: Pace) -> Shopped {
    let dir = tempfile::tempdir().unwrap();
    open_in(dir, pace)
}

fn open_in(dir: tempfile::TempDir, pace: Pace) -> Shopped {
    let clock = Clock::system();
    let today = Day::of(clock.now());
    let mut options = Options::new(dir.path().join("sandbox"));
    options.clock = clock.clone();
    let running = serve(options, Shop { scale: Scale::TINY, pace, data_dir: None }).unwrap();
    Shopped { running, clock, dir, today }
}

impl Shopped {
    fn client(&self) -> Client {
        self.client_with(&Keys::base(self.running.endpoint()))
    }

    fn client_with(&self, keys: &Keys) -> Client {
        let endpoint = self.running.endpoint();
        let config = aws_sdk_athena::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test"))
            .region(Region::new(endpoint.keys.region.clone()))
            .endpoint_url(endpoint.url.clone())
            .build();
        Client::from_conf(config)
    }

    /// A session whose policy allows one step on these tables, until `deadline`.
    async fn session(&self, tables: &[(&str, &str)], deadline: Timestamp) -> Client {
        let names: Vec<(String, String)> = tables.iter().map(|(d, t)| ((*d).to_owned(), (*t).to_owned())).collect();
        let locations: Vec<String> = tables.iter().map(|(d, t)| format!("s3://shop-lake/{d}/{t}/")).collect();
        let scope = AthenaScope {
            region: "eu-central-1",
            account: "123456789012",
            workgroup: "tg-small",
            tables: &names,
            locations: &locations,
            output: OUTPUT,
            kms: &[],
            lake_formation: false,
        };
        let policy = session_policy::fill(&session_policy::athena(&scope), deadline, &indexmap::IndexMap::new()).unwrap();
        let endpoint = self.running.endpoint();
        let base = Keys::base(endpoint);
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(&base.id, &base.secret, None, None, "test"))
            .region(Region::new(endpoint.keys.region.clone()))
            .endpoint_url(endpoint.url.clone())
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let role = "arn:aws:iam::123456789012:role/tollgate-shop-read";
        let made = sts.assume_role().role_arn(role).role_session_name("tg-01RUN").policy(policy).duration_seconds(900).send();
        let made = made.await.unwrap().credentials.unwrap();
        let keys = Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) };
        self.client_with(&keys)
    }
}

/// Starts a statement and gives its id.
async fn start(client: &Client, sql: &str) -> Result<String, (String, String)> {
    let request = client
        .start_query_execution()
        .query_string(sql)
        .work_group("tg-small")
        .query_execution_context(QueryExecutionContext::builder().catalog("AwsDataCatalog").database("web").build())
        .result_configuration(ResultConfiguration::builder().output_location(OUTPUT).build());
    let answer = request.send().await.map_err(told)?;
    Ok(answer.query_execution_id.unwrap())
}

/// An error's code and message.
fn told(error: impl ProvideErrorMetadata) -> (String, String) {
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

async fn get(client: &Client, id: &str) -> QueryExecution {
    client.get_query_execution().query_execution_id(id).send().await.unwrap().query_execution.unwrap()
}

fn state(execution: &QueryExecution) -> State {
    execution.status().unwrap().state().unwrap().clone()
}

fn reason(execution: &QueryExecution) -> &str {
    execution.status().unwrap().state_change_reason().unwrap_or_default()
}

/// Polls until `done`.
async fn until(client: &Client, id: &str, done: impl Fn(&QueryExecution) -> bool) -> QueryExecution {
    for _ in 0..3_000 {
        let execution = get(client, id).await;
        if done(&execution) {
            return execution;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} never got there");
}

async fn ended(client: &Client, id: &str) -> QueryExecution {
    until(client, id, |e| matches!(state(e), State::Succeeded | State::Failed | State::Cancelled)).await
}

async fn run(client: &Client, sql: &str) -> QueryExecution {
    let id = start(client, sql).await.unwrap();
    ended(client, &id).await
}

/// All rows, the header first.
async fn rows(client: &Client, id: &str, page: i32) -> Vec<Vec<Option<String>>> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let request = client.get_query_results().query_execution_id(id).max_results(page).set_next_token(token);
        let answer = request.send().await.unwrap();
        for row in answer.result_set().unwrap().rows() {
            all.push(row.data().iter().map(|d| d.var_char_value().map(str::to_owned)).collect());
        }
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_query_runs_and_its_rows_come_in_pages() {
    let shop = open(Pace::Off);
    let client = shop.client();
    let sql = format!(
        "SELECT order_id, merchant, count(*) AS hits, approx_percentile(target_processing_time, 0.5) FROM alb_logs \
         WHERE day = '{}' AND elb_status_code = 502 GROUP BY order_id, merchant ORDER BY hits DESC LIMIT 50\n-- tollgate 01J/2/1",
        shop.today
    );
    let execution = run(&client, &sql).await;
    assert_eq!(state(&execution), State::Succeeded, "{}", reason(&execution));
    assert_eq!(execution.query(), Some(sql.as_str()), "the marker stays");
    let id = execution.query_execution_id().unwrap();
    assert_eq!(execution.result_configuration().unwrap().output_location(), Some(format!("{OUTPUT}{id}.csv").as_str()));
    assert_eq!(execution.statement_type().unwrap().as_str(), "DML");
    let statistics = execution.statistics().unwrap();
    let scanned = statistics.data_scanned_in_bytes().unwrap();
    assert!(scanned > 0 && scanned < 100_000, "{scanned}");
    assert!(statistics.total_execution_time_in_millis().unwrap() >= statistics.engine_execution_time_in_millis().unwrap());
    let all = rows(&client, id, 1000).await;
    let header: Vec<Option<&str>> = all[0].iter().map(Option::as_deref).collect();
    assert_eq!(header, [Some("order_id"), Some("merchant"), Some("hits"), Some("_col3")]);
    assert_eq!(all[1][0].as_deref(), Some(ids::order(shop.today, 0).id.as_str()), "the stuck order is first");
    assert_eq!(rows(&client, id, 7).await, all, "pages of any size give the same");
    let answer = client.get_query_results().query_execution_id(id).send().await.unwrap();
    let columns = answer.result_set().unwrap().result_set_metadata().unwrap().column_info();
    assert_eq!(columns.iter().map(|c| c.r#type()).collect::<Vec<_>>(), ["varchar", "varchar", "bigint", "double"]);
    let statistics = client.get_query_runtime_statistics().query_execution_id(id).send().await.unwrap();
    let rows_read = statistics.query_runtime_statistics().unwrap().rows().unwrap();
    assert_eq!(rows_read.input_bytes(), Some(scanned));
    assert_eq!(rows_read.output_rows(), Some(i64::try_from(all.len() - 1).unwrap()));
    // The file is where the location says, below the state directory.
    let file = shop.dir.path().join(format!("sandbox/objects/shop-results/tollgate/01JRUN/{id}.csv"));
    assert!(std::fs::read_to_string(file).unwrap().starts_with("\"order_id\",\"merchant\",\"hits\",\"_col3\"\n"));
}

#[tokio::test]
async fn null_is_not_the_empty_string() {
    let shop = open(Pace::Off);
    let client = shop.client();
    let execution = run(&client, "SELECT CAST(NULL AS varchar) AS a, '' AS b, '\"' || chr(10) AS c").await;
    let all = rows(&client, execution.query_execution_id().unwrap(), 10).await;
    assert_eq!(all[1], [None, Some(String::new()), Some("\"\n".to_owned())]);
}

#[tokio::test]
async fn a_token_makes_a_request_once() {
    let shop = open(Pace::Off);
    let client = shop.client();
    let token = "0123456789abcdef0123456789abcdef";
    let ask = |sql: &str, token: &str, output: &str| {
        let request = client.start_query_execution().query_string(sql).client_request_token(token).work_group("tg-small");
        request.result_configuration(ResultConfiguration::builder().output_location(output).build()).send()
    };
    let id = ask("SELECT 1", token, OUTPUT).await.unwrap().query_execution_id;
    assert_eq!(ask("SELECT 1", token, OUTPUT).await.unwrap().query_execution_id, id);
    let (code, message) = ask("SELECT 2", token, OUTPUT).await.map_err(told).unwrap_err();
    assert_eq!((code.as_str(), message.as_str()), ("InvalidRequestException", "Idempotent parameters do not match"));
    assert!(ask("SELECT 1", token, "s3://shop-results/other/").await.is_err());
    ended(&client, &id.clone().unwrap()).await;
    assert_eq!(ask("SELECT 1", token, OUTPUT).await.unwrap().query_execution_id, id, "also when it has ended");
    let (_, message) = ask("SELECT 1", "short", OUTPUT).await.map_err(told).unwrap_err();
    assert!(message.contains("greater than or equal to 32"), "{message}");
    let listed = client.list_query_executions().work_group("tg-small").send().await.unwrap();
    assert_eq!(listed.query_execution_ids(), [id.unwrap()]);
}

#[tokio::test]
async fn refusals_at_once_and_failures_later() {
    let shop = open(Pace::Off);
    let client = shop.client();
    for (sql, message) in [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed. Got: SELECT 1; SELECT 2"),
        ("DROP TABLE web.alb_logs", "Queries of this type are not supported: DROP"),
        ("INSERT INTO shop.orders SELECT * FROM shop.orders", "Queries of this type are not supported: INSERT"),
    ] {
        let (code, told) = start(&client, sql).await.unwrap_err();
        assert_eq!(code, "InvalidRequestException", "{sql}");
        assert!(told.starts_with(message), "{sql}: {told}");
    }
    let (code, message) =
        client.start_query_execution().query_string("SELECT 1").work_group("nope").send().await.map_err(told).unwrap_err();
    assert_eq!((code.as_str(), message.as_str()), ("InvalidRequestException", "WorkGroup is not found."));
    let (_, message) =
        client.start_query_execution().query_string("SELECT 1").work_group("tg-small").send().await.map_err(told).unwrap_err();
    assert!(message.starts_with("No output location provided."), "{message}");
    for (sql, message) in [
        (
            "SELECT x FROM alb_logs",
            "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved or requester is not authorized to access requested resources",
        ),
        ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.web.nope' does not exist"),
        ("SELECT * FROM nope.x", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
        ("SELECT * FROM nope.web.alb_logs", "CATALOG_NOT_FOUND: line 1:15: Catalog 'nope' not found"),
        ("DESCRIBE nope", "FAILED: SemanticException [Error 10001]: Table not found web.nope"),
    ] {
        let execution = run(&client, sql).await;
        assert_eq!((state(&execution), reason(&execution)), (State::Failed, message), "{sql}");
        let error = execution.status().unwrap().athena_error().unwrap();
        assert_eq!(error.error_category(), Some(2));
        assert_eq!(error.error_message(), Some(message));
    }
    let (code, message) = client
        .get_query_execution()
        .query_execution_id("6f9619ff-8b86-4d11-b42d-00c04fc964ff")
        .send()
        .await
        .map_err(told)
        .unwrap_err();
    assert_eq!(code, "InvalidRequestException");
    assert_eq!(message, "QueryExecution 6f9619ff-8b86-4d11-b42d-00c04fc964ff was not found");
}

#[tokio::test]
async fn a_running_query_can_be_watched_and_stopped() {
    let shop = open(Pace::Watchable);
    let client = shop.client();
    let id = start(&client, "SELECT * FROM alb_logs").await.unwrap();
    let seen = until(&client, &id, |e| e.statistics().unwrap().data_scanned_in_bytes().unwrap_or(0) > 0).await;
    assert_eq!(state(&seen), State::Running);
    let (code, message) = client.get_query_results().query_execution_id(&id).send().await.map_err(told).unwrap_err();
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("InvalidRequestException", "Query has not yet finished. Current state: RUNNING")
    );
    let first = seen.statistics().unwrap().data_scanned_in_bytes().unwrap();
    let more = until(&client, &id, |e| e.statistics().unwrap().data_scanned_in_bytes().unwrap_or(0) > first).await;
    assert_eq!(state(&more), State::Running, "bytes move while it runs");
    client.stop_query_execution().query_execution_id(&id).send().await.unwrap();
    let stopped = get(&client, &id).await;
    assert_eq!((state(&stopped), reason(&stopped)), (State::Cancelled, "Query cancelled by user"));
    assert!(stopped.status().unwrap().athena_error().is_none());
    assert!(stopped.statistics().unwrap().data_scanned_in_bytes().unwrap() >= first);
    client.stop_query_execution().query_execution_id(&id).send().await.unwrap();
    let (_, message) = client.get_query_results().query_execution_id(&id).send().await.map_err(told).unwrap_err();
    assert_eq!(message, "Could not find results");
    let bytes = stopped.statistics().unwrap().data_scanned_in_bytes();
    assert_eq!(get(&client, &id).await.statistics().unwrap().data_scanned_in_bytes(), bytes, "nothing is read any more");
}

#[tokio::test]
async fn executions_outlive_the_sandbox() {
    let shop = open(Pace::Watchable);
    let client = shop.client();
    let done = run(&client, "SELECT 1 AS one").await;
    let running = start(&client, "SELECT * FROM alb_logs").await.unwrap();
    until(&client, &running, |e| state(e) == State::Running).await;
    let Shopped { running: host, dir, .. } = shop;
    drop(host);
    let shop = open_in(dir, Pace::Off);
    let client = shop.client();
    let lost = get(&client, &running).await;
    assert_eq!((state(&lost), reason(&lost)), (State::Failed, "The sandbox ended while this query was running."));
    let error = lost.status().unwrap().athena_error().unwrap();
    assert_eq!((error.error_category(), error.retryable()), (Some(1), true));
    let id = done.query_execution_id().unwrap();
    assert_eq!(state(&get(&client, id).await), State::Succeeded);
    assert_eq!(rows(&client, id, 10).await[1], [Some("1".to_owned())]);
    let listed = client.list_query_executions().work_group("tg-small").max_results(1).send().await.unwrap();
    assert_eq!(listed.query_execution_ids()[0], running, "newest first");
    let next = client.list_query_executions().work_group("tg-small").set_next_token(listed.next_token).send().await.unwrap();
    assert_eq!(next.query_execution_ids(), [id]);
    let batch = client.batch_get_query_execution().query_execution_ids(id).query_execution_ids("nope").send().await.unwrap();
    assert_eq!(batch.query_executions().len(), 1);
    assert_eq!(batch.unprocessed_query_execution_ids()[0].error_code(), Some("QUERY_EXECUTION_NOT_FOUND"));
}

#[tokio::test]
async fn a_session_reads_what_its_policy_names_and_nothing_else() {
    let shop = open(Pace::Off);
    let far = shop.clock.now().plus(Millis::from_mins(14));
    let client = shop.session(&[("web", "alb_logs")], far).await;
    let execution = run(&client, "SELECT count(DISTINCT merchant) FROM alb_logs").await;
    assert_eq!(state(&execution), State::Succeeded, "{}", reason(&execution));
    assert_eq!(rows(&client, execution.query_execution_id().unwrap(), 10).await.len(), 2);
    for (sql, part) in [
        (
            "SELECT * FROM shop.customers",
            "Insufficient permissions to execute the query. User: arn:aws:sts::123456789012:assumed-role/tollgate-shop-read/tg-01RUN is not authorized to perform: glue:GetDatabase on resource: arn:aws:glue:eu-central-1:123456789012:database/shop because no session policy allows the glue:GetDatabase action",
        ),
        (
            "SELECT 1 FROM alb_logs WHERE EXISTS (SELECT 1 FROM security.cloudtrail_logs)",
            "glue:GetDatabase on resource: arn:aws:glue:eu-central-1:123456789012:database/security",
        ),
        ("SELECT * FROM web.nope", "glue:GetTable on resource: arn:aws:glue:eu-central-1:123456789012:table/web/nope"),
        ("SELECT * FROM information_schema.tables", "glue:GetTables"),
        ("SHOW TABLES IN shop", "glue:GetTables"),
    ] {
        let execution = run(&client, sql).await;
        assert_eq!(state(&execution), State::Failed, "{sql}");
        assert!(reason(&execution).contains(part), "{sql}: {}", reason(&execution));
    }
    // Another workgroup, another place for results, another kind of request.
    let other = client.start_query_execution().query_string("SELECT 1").work_group("tg-large").send().await;
    assert_eq!(other.map_err(told).unwrap_err().0, "AccessDeniedException");
    let elsewhere = client
        .start_query_execution()
        .query_string("SELECT 1")
        .work_group("tg-small")
        .result_configuration(ResultConfiguration::builder().output_location("s3://shop-results/tollgate/OTHER/").build())
        .send()
        .await
        .unwrap();
    let execution = ended(&client, elsewhere.query_execution_id().unwrap()).await;
    assert!(
        reason(&execution).starts_with("Access denied when writing output to url: s3://shop-results/tollgate/OTHER/"),
        "{}",
        reason(&execution)
    );
    assert_eq!(client.list_work_groups().send().await.map_err(told).unwrap_err().0, "AccessDeniedException");
    // The result of another run, though in the same workgroup.
    let base = shop.client();
    let other = base.start_query_execution().query_string("SELECT 1").work_group("tg-small");
    let other =
        other.result_configuration(ResultConfiguration::builder().output_location("s3://shop-results/tollgate/OTHER/").build());
    let other = other.send().await.unwrap().query_execution_id.unwrap();
    ended(&base, &other).await;
    let (code, message) = client.get_query_results().query_execution_id(&other).send().await.map_err(told).unwrap_err();
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("s3:GetObject"), "{message}");
}

#[tokio::test]
async fn a_query_that_outlives_its_deadline_reads_no_more() {
    let shop = open(Pace::Watchable);
    let client = shop.session(&[("web", "alb_logs")], shop.clock.now().plus(Millis::from_secs(90))).await;
    let id = start(&client, "SELECT * FROM alb_logs").await.unwrap();
    until(&client, &id, |e| e.statistics().unwrap().data_scanned_in_bytes().unwrap_or(0) > 0).await;
    // Past T, before T + 2 min: looking and stopping are still allowed.
    shop.clock.advance(Millis::from_secs(100));
    let execution = ended(&client, &id).await;
    assert_eq!(state(&execution), State::Failed);
    assert!(
        reason(&execution).starts_with("Permission denied on S3 path: s3://shop-lake/web/alb_logs/"),
        "{}",
        reason(&execution)
    );
    assert_eq!(start(&client, "SELECT 1").await.unwrap_err().0, "AccessDeniedException");
    client.stop_query_execution().query_execution_id(&id).send().await.unwrap();
}

#[tokio::test]
async fn catalogs_and_workgroups_are_described() {
    let shop = open(Pace::Off);
    let client = shop.client();
    // Waits for the data.
    run(&client, "SELECT 1").await;
    let databases = client.list_databases().catalog_name("AwsDataCatalog").send().await.unwrap();
    assert_eq!(databases.database_list().iter().map(|d| d.name()).collect::<Vec<_>>(), ["default", "security", "shop", "web"]);
    let table = client.get_table_metadata().catalog_name("AwsDataCatalog").database_name("Web").table_name("ALB_logs");
    let table = table.send().await.unwrap().table_metadata.unwrap();
    assert_eq!((table.name(), table.table_type(), table.columns().len()), ("alb_logs", Some("EXTERNAL_TABLE"), 36));
    assert_eq!(table.columns()[10].r#type(), Some("int"));
    assert_eq!(table.partition_keys()[0].name(), "day");
    assert_eq!(table.parameters().unwrap()["location"], "s3://shop-lake/web/alb_logs/");
    let trail =
        client.get_table_metadata().catalog_name("AwsDataCatalog").database_name("security").table_name("cloudtrail_logs");
    let trail = trail.send().await.unwrap().table_metadata.unwrap();
    assert!(trail.columns()[1].r#type().unwrap().starts_with("struct<type:string,principalid:string,"));
    let listed =
        client.list_table_metadata().catalog_name("AwsDataCatalog").database_name("shop").max_results(1).send().await.unwrap();
    assert_eq!(listed.table_metadata_list()[0].name(), "customers");
    let next =
        client.list_table_metadata().catalog_name("AwsDataCatalog").database_name("shop").set_next_token(listed.next_token);
    assert_eq!(next.send().await.unwrap().table_metadata_list()[0].name(), "orders");
    let missing = client.get_table_metadata().catalog_name("AwsDataCatalog").database_name("web").table_name("nope");
    let (code, message) = missing.send().await.map_err(told).unwrap_err();
    assert_eq!(code, "MetadataException");
    assert!(message.contains("EntityNotFoundException"), "{message}");
    let group = client.get_work_group().work_group("tg-small").send().await.unwrap().work_group.unwrap();
    assert_eq!(group.configuration().unwrap().bytes_scanned_cutoff_per_query(), Some(100_000_000));
    let groups = client.list_work_groups().send().await.unwrap();
    assert_eq!(groups.work_groups().iter().filter_map(|g| g.name()).collect::<Vec<_>>(), ["primary", "tg-large", "tg-small"]);
    let catalogs = client.list_data_catalogs().send().await.unwrap();
    assert_eq!(catalogs.data_catalogs_summary()[0].catalog_name(), Some("AwsDataCatalog"));
}

#[tokio::test]
async fn show_describe_and_explain_answer_in_lines() {
    let shop = open(Pace::Off);
    let client = shop.client();
    let lines = async |sql: &str| {
        let execution = run(&client, sql).await;
        assert_eq!(state(&execution), State::Succeeded, "{sql}: {}", reason(&execution));
        let all = rows(&client, execution.query_execution_id().unwrap(), 2).await;
        all.into_iter().map(|row| row.into_iter().map(Option::unwrap).collect::<Vec<_>>().join("|")).collect::<Vec<_>>()
    };
    assert_eq!(lines("SHOW TABLES IN shop").await, ["customers", "orders"]);
    assert_eq!(lines("SHOW DATABASES").await, ["default", "security", "shop", "web"]);
    assert_eq!(lines("DESCRIBE shop.customers").await[5], "birthday|date|");
    assert_eq!(lines("SHOW PARTITIONS alb_logs").await.last().unwrap(), &shop.today.folder());
    assert_eq!(lines("SHOW COLUMNS IN shop.orders").await.last().unwrap(), "day");
    let plan = lines("EXPLAIN SELECT merchant FROM alb_logs WHERE day = '2026/11/20'").await;
    assert_eq!(plan[0], "Query Plan");
    assert!(plan.iter().any(|line| line.contains("TableScan: alb_logs")), "{plan:?}");
}
