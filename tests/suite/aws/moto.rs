//! The adapters against moto, which others wrote: STS and DynamoDB as it does them, Athena with results that it is given. What it
//! lacks (BatchGetQueryExecution, session policies) is held by the other tests.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use aws_sdk_dynamodb::types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tollgate::core::plan::{DynamodbOperation, DynamodbRequest, DynamodbValue, Endpoint, SortCondition};
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{
    FetchLimits, ItemStore as _, QueryPhase, Rights, ServiceError, StartQuery, TokenService as _, Warehouse as _,
};

use super::{aws_at, mint, patience, query, read_of, target, word};
use crate::python::python;

/// A moto server on a free port; it ends with the test.
pub(super) struct Moto {
    child: Child,
    pub(super) url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    pub(super) fn start() -> Result<Self, String> {
        let python = python("moto.txt", "python-moto")?;
        let mut command = Command::new(python.with_file_name("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let said = child.stderr.take().ok_or("moto says nothing")?;
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()));
        // Somebody must go on reading, or moto stops when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        match url {
            Some(url) => Ok(Self { child, url }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err("moto did not start".to_owned())
            }
        }
    }

    /// Tells moto what the next query of this account gives.
    async fn give(&self, rows: serde_json::Value) {
        let columns = json!([
            {"Name": "id", "Type": "varchar", "CatalogName": "c", "SchemaName": "s", "TableName": "t", "Label": "id", "Precision": 1,
             "Scale": 0, "Nullable": "UNKNOWN", "CaseSensitive": true},
        ]);
        let body =
            json!({"account_id": "123456789012", "region": "eu-central-1", "results": [{"rows": rows, "column_info": columns}]});
        let (body, host) = (body.to_string(), self.url.trim_start_matches("http://"));
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST /moto-api/static/athena/query-results HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

#[tokio::test]
async fn moto_understands_us() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => return println!("skipped: no moto here ({})", why.trim()),
    };
    let (aws, skew) = aws_at(&moto.url, patience());
    let target = target(Endpoint::Sandbox);

    assert_eq!(aws.identity(&target).await.unwrap().account, "123456789012");
    assert!(skew.get().is_some_and(|ms| ms.abs() < 5_000));
    let keys = aws.assume(&target, &mint()).await.unwrap();
    assert!(keys.access_key_id.starts_with("ASIA") && keys.expires > Timestamp(0));

    // Athena
    let group = aws.workgroup(&target, Rights::Minted(&keys), "primary").await.unwrap();
    assert!(group.enabled);
    let cells = |cells: &[Option<&str>]| {
        let data: Vec<_> =
            cells.iter().map(|cell| cell.map_or_else(|| json!({}), |text| json!({"VarCharValue": text}))).collect();
        json!({"Data": data})
    };
    moto.give(json!([cells(&[Some("id")]), cells(&[Some("")]), cells(&[None]), cells(&[Some("ord_1")])])).await;
    let start = StartQuery { workgroup: "primary".into(), ..query() };
    let id = aws.start(&target, &keys, &start).await.unwrap();
    let status = aws.status(&target, &keys, &id).await.unwrap();
    assert_eq!((status.query_id.as_str(), status.phase, status.failure), (id.as_str(), QueryPhase::Succeeded, None));
    let rows = aws.rows(&target, &keys, &id, FetchLimits::default()).await.unwrap();
    assert_eq!(rows.rows.iter().map(|row| row[0].as_deref()).collect::<Vec<_>>(), [Some(""), None, Some("ord_1")]);
    aws.stop(&target, &keys, &id).await.unwrap();
    let unknown = aws.status(&target, &keys, "00000000-0000-0000-0000-000000000000").await;
    assert!(matches!(unknown, Err(ServiceError::Refused(_) | ServiceError::NoAnswer(_))), "{unknown:?}");

    // DynamoDB
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("eu-central-1"))
        .endpoint_url(&moto.url)
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("AKIAX", "x", None, None, "test"))
        .build();
    let author = aws_sdk_dynamodb::Client::from_conf(config);
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap();
    let create = author.create_table().table_name("orders").billing_mode(BillingMode::PayPerRequest);
    let create = create.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
    create.attribute_definitions(text("pk")).attribute_definitions(text("sk")).send().await.unwrap();
    for number in 0..5 {
        let put = author.put_item().table_name("orders").item("pk", AttributeValue::S("ORDER#1".into()));
        let put = put.item("sk", AttributeValue::S(format!("EVENT#{number}"))).item("n", AttributeValue::N(number.to_string()));
        put.send().await.unwrap();
    }
    let query = DynamodbRequest {
        sort: Some(SortCondition {
            name: "sk".into(),
            operator: "between".into(),
            values: vec![DynamodbValue::S("EVENT#1".into()), DynamodbValue::S("EVENT#3".into())],
        }),
        project: vec!["sk".into(), "n".into()],
        ..read_of(DynamodbOperation::Query)
    };
    let read = aws.read(&target, &keys, &query, 1_000_000, FetchLimits::default()).await.unwrap();
    let cells: Vec<String> = read.rows.rows.into_iter().flatten().flatten().collect();
    assert_eq!(cells, ["EVENT#1", "1", "EVENT#2", "2", "EVENT#3", "3"]);
    assert!(read.cost > 0 && !read.rows.truncated);
    let mut get = read_of(DynamodbOperation::Get);
    get.key.insert("sk".into(), DynamodbValue::S("EVENT#4".into()));
    get.project = vec!["n".into()];
    let item = aws.read(&target, &keys, &get, 10_000, FetchLimits::default()).await.unwrap();
    assert_eq!(item.rows.rows, [[Some("4".to_owned())]]);
    get.table = "nowhere".into();
    let missing = aws.read(&target, &keys, &get, 10_000, FetchLimits::default()).await;
    assert_eq!(word(&missing), "refused ResourceNotFoundException");
}
