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
