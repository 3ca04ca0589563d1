use std::sync::Arc;

use super::*;
use crate::core::units::Timestamp;
use crate::sandbox::api::Principal;
use crate::sandbox::clock::Clock;
use crate::sandbox::dataset::Day;
use crate::sandbox::dataset::ids::{GONE_HOST, keyed_orders};
use crate::sandbox::policy::Policy;

fn today() -> Day {
    Day::of("2026-11-20T08:00:00Z".parse().unwrap())
}

fn caller(policy: Option<&str>) -> Caller {
    let principal = Principal {
        arn: "arn:aws:sts::123456789012:assumed-role/shop/tg-1".to_owned(),
        account: "123456789012".to_owned(),
        session: Some("tg-1".to_owned()),
    };
    let policy = policy.map(|text| Arc::new(Policy::parse(text).unwrap()));
    let authorizer = Authorizer::new(principal.clone(), policy, Clock::system());
    Caller { principal, authorizer, now: Timestamp(0) }
}

async fn seeded() -> (tempfile::TempDir, DynamoDb) {
    let dir = tempfile::tempdir().unwrap();
    let service = DynamoDb::open(&dir.path().join("dynamodb.db"), "123456789012", "eu-central-1").unwrap();
    service.seed(keyed_orders(today())).await.unwrap();
    (dir, service)
}

#[tokio::test]
async fn the_stuck_order_is_there_and_stays() {
    let (_dir, service) = seeded().await;
    let stuck = keyed_orders(today()).find(|order| order.is_stuck).unwrap();
    let key = json!({"pk": {"S": format!("ORDER#{}", stuck.id)}, "sk": {"S": "META"}});
    let get = json!({"TableName": "orders", "Key": key, "ProjectionExpression": "#s, lock_owner, merchant",
                     "ExpressionAttributeNames": {"#s": "state"}});
    let found = service.call("GetItem", get.clone(), caller(None)).await.unwrap();
    assert_eq!(
        found["Item"],
        json!({"state": {"S": "payment_pending"}, "lock_owner": {"S": GONE_HOST}, "merchant": {"S": "acme"}})
    );

    // A later start adds what is missing and leaves what people changed.
    let update = json!({"TableName": "orders", "Key": key, "UpdateExpression": "REMOVE lock_owner"});
    service.call("UpdateItem", update, caller(None)).await.unwrap();
    service.seed(keyed_orders(today())).await.unwrap();
    let found = service.call("GetItem", get, caller(None)).await.unwrap();
    assert_eq!(found["Item"].get("lock_owner"), None);

    let query = json!({"TableName": "orders", "IndexName": "by_merchant", "KeyConditionExpression": "merchant = :m",
                       "ExpressionAttributeValues": {":m": {"S": "acme"}}});
    let found = service.call("Query", query, caller(None)).await.unwrap();
    assert!(found["Count"].as_u64().unwrap() >= 60, "{found}");
}

#[tokio::test]
async fn a_policy_is_asked_before_anything_is_done() {
    let (_dir, service) = seeded().await;
    let order = keyed_orders(today()).next().unwrap();
    let pk = format!("ORDER#{}", order.id);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:DeleteItem"],
        "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [pk], "dynamodb:Attributes": ["pk", "sk", "state"]},
            "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"}}}]})
    .to_string();
    let key = json!({"pk": {"S": pk}, "sk": {"S": "META"}});
    let get = |extra: Value| {
        let mut request = json!({"TableName": "orders", "Key": key});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        service.call("GetItem", request, caller(Some(&policy)))
    };
    assert!(get(json!({"ProjectionExpression": "pk, sk"})).await.unwrap()["Item"].is_object());
    for refused in [json!({}), json!({"ProjectionExpression": "card"}), json!({"AttributesToGet": ["pk"]})] {
        let error = get(refused.clone()).await.unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (400, "AccessDeniedException"), "{refused}");
    }
    // Two deletes in one transaction, the second of another key: nothing is deleted.
    let other = json!({"pk": {"S": "ORDER#ord_other00000"}, "sk": {"S": "META"}});
    let delete = |key: &Value| json!({"Delete": {"TableName": "orders", "Key": key}});
    let transaction = json!({"TransactItems": [delete(&key), delete(&other)]});
    let error = service.call("TransactWriteItems", transaction, caller(Some(&policy))).await.unwrap_err();
    assert_eq!(error.code, "AccessDeniedException");
    assert!(get(json!({"ProjectionExpression": "pk"})).await.unwrap()["Item"].is_object());
    let error = service.call("Scan", json!({"TableName": "orders"}), caller(Some(&policy))).await.unwrap_err();
    assert!(
        error.message.contains("dynamodb:Scan on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/orders"),
        "{error}"
    );
    let statement = json!({"Statement": "SELECT * FROM orders"});
    let error = service.call("ExecuteStatement", statement, caller(Some(&policy))).await.unwrap_err();
    assert!(error.message.contains("cannot judge"), "{error}");
}

#[tokio::test]
async fn errors_have_the_service_s_names() {
    let (_dir, service) = seeded().await;
    let long = format!("SELECT * FROM orders WHERE pk = '{}'", "x".repeat(9_000));
    for (operation, body, code) in [
        ("GetItem", json!({"TableName": "nowhere", "Key": {"pk": {"S": "a"}}}), "ResourceNotFoundException"),
        ("GetItem", json!({"TableName": "orders", "Key": {"pk": {"S": "a"}}}), "ValidationException"),
        ("GetItem", json!({"Key": {"pk": {"S": "a"}}}), "ValidationException"),
        ("GetItem", json!({"TableName": 5, "Key": {}}), "SerializationException"),
        ("Frobnicate", json!({}), "UnknownOperationException"),
        ("ExecuteStatement", json!({"Statement": long}), "ValidationException"),
        (
            "PutItem",
            json!({"TableName": "orders", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConditionExpression": "attribute_exists(pk)"}),
            "ConditionalCheckFailedException",
        ),
    ] {
        let error = service.call(operation, body.clone(), caller(None)).await.unwrap_err();
        assert_eq!(error.status, 400);
        assert!(error.code.ends_with(&format!("#{code}")), "{operation} {body}: {error}");
        assert!(!error.message.is_empty() && !error.message.contains("VALIDATION:"), "{error}");
    }
}

/// Requests that overflow the usual stack of a debug build, or come close.
#[tokio::test]
async fn deep_requests_break_nothing() {
    let (_dir, service) = seeded().await;
    let scan = |filter: String| {
        ("Scan", json!({"TableName": "orders", "FilterExpression": filter, "ExpressionAttributeValues": {":x": {"S": "a"}}}))
    };
    let select = |filter: String| ("ExecuteStatement", json!({"Statement": format!("SELECT pk FROM orders WHERE {filter}")}));
    let mut nested = json!({"S": "x"});
    for _ in 0..60 {
        nested = json!({"M": {"a": {"L": [nested]}}});
    }
    let around = |open: &str, times: usize, core: &str, close: &str| open.repeat(times) + core + &close.repeat(times);
    let requests = [
        scan(around("(", 2_000, "a = :x", ")")),
        scan(around("NOT ", 1_000, "a = :x", "")),
        scan(around("a = :x OR ", 400, "a = :x", "")),
        scan(around("a = :x AND (", 300, "a = :x", ")")),
        scan(around("a.", 2_000, "a = :x", "")),
        scan(around("size(", 800, "a", ")") + " = :x"),
        scan(around("(", 5_000, "a = :x", ")")),
        select(around("(", 3_900, "a = 'x'", ")")),
        select(around("NOT ", 2_000, "a = 'x'", "")),
        select("a = ".to_owned() + &around("[", 3_900, "1", "]")),
        select("a = ".to_owned() + &around("{'a':", 1_300, "1", "}")),
        select("a = 'x' OR ".repeat(700) + "a = 'x'"),
        ("PutItem", json!({"TableName": "orders", "Item": {"pk": {"S": "deep"}, "sk": {"S": "deep"}, "a": nested}})),
        ("Scan", json!({"TableName": "orders", "ProjectionExpression": around("a[0].", 800, "a", "")})),
    ];
    for (operation, body) in requests {
        let answer = service.call(operation, body.clone(), caller(None)).await;
        if let Err(error) = answer {
            assert!(error.status == 400, "{operation} {}: {error}", &body.to_string()[..120]);
        }
    }
    assert!(service.call("ListTables", json!({}), caller(None)).await.is_ok());
}

/// Requests that DynamoDB refuses, replayed where the corpus is: none may break the service or be taken for its fault.
#[tokio::test]
async fn refused_requests_are_refused() {
    let Some(root) = std::env::var_os("TOLLGATE_CORPORA") else {
        println!("skipped: TOLLGATE_CORPORA is not set");
        return;
    };
    let root = Path::new(&root).join("ground-truth-dynamodb");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let service = DynamoDb::open(&dir.path().join("dynamodb.db"), "123456789012", "eu-central-1").unwrap();
    let tables: Value = serde_json::from_str(&read("tables.json")).unwrap();
    for table in tables.as_array().or_else(|| tables["tables"].as_array()).unwrap() {
        service.call("CreateTable", table["create"].clone(), caller(None)).await.unwrap();
    }
    let (mut refused, mut taken) = (0, 0);
    for line in read("invalid.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if case["error"].is_null() {
            continue;
        }
        match service.call(case["op"].as_str().unwrap(), case["request"].clone(), caller(None)).await {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(error.status, 400, "{line}: {error}");
                refused += 1;
            }
        }
    }
    println!("{refused} refused, {taken} taken that DynamoDB Local refuses");
    assert!(refused > 280 && taken < 40, "{refused} refused, {taken} taken");
}
