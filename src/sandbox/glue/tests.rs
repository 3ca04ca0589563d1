use std::sync::LazyLock;

use super::*;
use crate::sandbox::api::{Authorizer, Principal, Progress};
use crate::sandbox::clock::Clock;
use crate::sandbox::dataset::{self, Scale};
use crate::sandbox::policy::Policy;

static LAKE: LazyLock<Arc<Lake>> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap().keep();
    let (sender, _receiver) = watch::channel(Progress::default());
    Arc::new(dataset::generate(&root, &Scale::TINY, "2026-11-20T08:00:00Z".parse().unwrap(), &sender).unwrap())
});

async fn ask_as(policy: Option<&str>, operation: &str, body: Value) -> Result<Value, ApiError> {
    let glue = Glue::new("eu-central-1", watch::channel(LakeState::Ready(Arc::clone(&LAKE))).1);
    let principal =
        Principal { arn: "arn:aws:iam::123456789012:root".to_owned(), account: "123456789012".to_owned(), session: None };
    let clock = Clock::system();
    let policy = policy.map(|text| Arc::new(Policy::parse(text).unwrap()));
    let authorizer = Authorizer::new(principal.clone(), policy, clock.clone());
    glue.call(operation, body, Caller { principal, authorizer, now: clock.now() }).await
}

async fn ask(operation: &str, body: Value) -> Value {
    ask_as(None, operation, body).await.unwrap()
}

fn texts(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn databases_and_tables_come_in_pages() {
    let first = ask("GetDatabases", json!({ "MaxResults": 3 })).await;
    assert_eq!(texts(&first["DatabaseList"], "Name"), ["default", "security", "shop"]);
    let second = ask("GetDatabases", json!({ "MaxResults": 3, "NextToken": first["NextToken"] })).await;
    assert_eq!(texts(&second["DatabaseList"], "Name"), ["web"]);
    assert!(second.get("NextToken").is_none());

    let tables = ask("GetTables", json!({ "DatabaseName": "SHOP", "MaxResults": 1 })).await;
    assert_eq!(texts(&tables["TableList"], "Name"), ["customers"]);
    let tables = ask("GetTables", json!({ "DatabaseName": "shop", "MaxResults": 1, "NextToken": tables["NextToken"] })).await;
    assert_eq!(texts(&tables["TableList"], "Name"), ["orders"]);
    assert!(tables.get("NextToken").is_none());
    let tables = ask("GetTables", json!({ "DatabaseName": "shop", "Expression": "cust.*" })).await;
    assert_eq!(texts(&tables["TableList"], "Name"), ["customers"]);
    assert_eq!(ask("GetTables", json!({ "DatabaseName": "default" })).await, json!({ "TableList": [] }));
}

#[tokio::test]
async fn a_table_has_hive_types_and_statistics() {
    let table = ask("GetTable", json!({ "DatabaseName": "shop", "Name": "customers" })).await["Table"].clone();
    assert_eq!(table["StorageDescriptor"]["Location"], "s3://shop-lake/shop/customers/");
    assert_eq!(table["StorageDescriptor"]["Columns"][0], json!({ "Name": "customer_id", "Type": "string" }));
    let lake = LAKE.table("shop", "customers").unwrap();
    assert_eq!(table["Parameters"]["totalSize"], lake.partitions[0].bytes().to_string());
    let orders = ask("GetTable", json!({ "DatabaseName": "shop", "Name": "Orders" })).await["Table"].clone();
    assert_eq!(orders["PartitionKeys"], json!([{ "Name": "day", "Type": "string" }]));
    assert!(orders["Parameters"].get("totalSize").is_none());
}

#[tokio::test]
async fn partitions_are_filtered_before_they_are_paged() {
    let body = |more: Value| {
        let mut body = json!({ "DatabaseName": "web", "TableName": "alb_logs" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let days = |answer: &Value| -> Vec<String> {
        answer["Partitions"].as_array().unwrap().iter().map(|p| p["Values"][0].as_str().unwrap().to_owned()).collect()
    };
    let all = ask("GetPartitions", body(json!({}))).await;
    assert_eq!(days(&all), ["2026/11/18", "2026/11/19", "2026/11/20"]);
    let first = all["Partitions"][0].clone();
    assert_eq!(first["StorageDescriptor"]["Location"], "s3://shop-lake/web/alb_logs/day=2026%2F11%2F18/");
    assert_eq!(first["Parameters"]["numRows"], "300");
    assert!(first["StorageDescriptor"]["Columns"].is_array());

    let wanted = json!({ "Expression": "day >= '2026/11/19'", "MaxResults": 1, "ExcludeColumnSchema": true });
    let page = ask("GetPartitions", body(wanted.clone())).await;
    assert_eq!(days(&page), ["2026/11/19"]);
    assert!(page["Partitions"][0]["StorageDescriptor"].get("Columns").is_none());
    let mut next = wanted;
    next["NextToken"] = page["NextToken"].clone();
    let page = ask("GetPartitions", body(next)).await;
    assert_eq!((days(&page), page.get("NextToken")), (vec!["2026/11/20".to_owned()], None));

    let mut found = Vec::new();
    for segment in 0..2 {
        let segment = json!({ "SegmentNumber": segment, "TotalSegments": 2 });
        found.extend(days(&ask("GetPartitions", body(json!({ "Segment": segment }))).await));
    }
    found.sort();
    assert_eq!(found, days(&all));
    let keyless = ask("GetPartitions", json!({ "DatabaseName": "shop", "TableName": "customers" })).await;
    assert_eq!(keyless, json!({ "Partitions": [] }));
}

#[tokio::test]
async fn mistakes_have_glues_names() {
    let web = |more: Value| {
        let mut body = json!({ "DatabaseName": "web", "TableName": "alb_logs" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (operation, body, code) in [
        ("GetTable", json!({ "DatabaseName": "web" }), "ValidationException"),
        ("GetTable", json!({ "DatabaseName": "web", "Name": "nope" }), "EntityNotFoundException"),
        ("GetTables", json!({ "DatabaseName": "nope" }), "EntityNotFoundException"),
        ("GetDatabase", json!({ "Name": "nope" }), "EntityNotFoundException"),
        ("GetPartitions", web(json!({ "Expression": "hour = '1'" })), "InvalidInputException"),
        ("GetPartitions", web(json!({ "Expression": format!("day = '{}'", "x".repeat(2048)) })), "ValidationException"),
        ("GetPartitions", web(json!({ "MaxResults": 1001 })), "ValidationException"),
        ("GetPartitions", web(json!({ "NextToken": "x" })), "InvalidInputException"),
        ("GetPartitions", web(json!({ "Segment": { "SegmentNumber": 2, "TotalSegments": 2 } })), "InvalidInputException"),
        ("GetPartitions", web(json!({ "MaxResults": "many" })), "SerializationException"),
        ("GetTables", json!({ "DatabaseName": "web", "CatalogId": "999999999999" }), "AccessDeniedException"),
        ("DeleteTable", json!({}), "UnknownOperationException"),
    ] {
        let error = ask_as(None, operation, body.clone()).await.unwrap_err();
        assert_eq!(error.code, code, "{operation} {body}");
    }
    let making = Glue::new("eu-central-1", watch::channel(LakeState::Making).1);
    assert_eq!(making.lake().unwrap_err().status, 503);
}

#[tokio::test]
async fn every_resource_on_the_way_must_be_allowed() {
    let policy = |resources: &[&str]| {
        let arns: Vec<String> =
            resources.iter().map(|resource| format!("arn:aws:glue:eu-central-1:123456789012:{resource}")).collect();
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "glue:Get*", "Resource": arns}]}).to_string()
    };
    let whole = policy(&["catalog", "database/web", "table/web/alb_logs"]);
    let body = json!({ "DatabaseName": "web", "TableName": "alb_logs" });
    assert!(ask_as(Some(&whole), "GetPartitions", body.clone()).await.is_ok());
    for resources in [["catalog", "table/web/alb_logs"], ["catalog", "database/web"], ["database/web", "table/web/alb_logs"]] {
        let refused = ask_as(Some(&policy(&resources)), "GetPartitions", body.clone()).await.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException", "{resources:?}");
    }
    let other = ask_as(Some(&whole), "GetTable", json!({ "DatabaseName": "shop", "Name": "customers" })).await.unwrap_err();
    assert!(other.message.contains("glue:GetTable"), "{}", other.message);
    assert!(ask_as(Some(&whole), "GetDatabases", json!({})).await.is_err());
}
