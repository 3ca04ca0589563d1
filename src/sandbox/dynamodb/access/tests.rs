use serde_json::json;

use super::*;

fn orders(table: &str) -> Option<TableKeys> {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    (table == "orders").then(|| TableKeys {
        table: list(&["pk", "sk"]),
        indexes: HashMap::from([("by_merchant".to_owned(), list(&["merchant", "updated_at"]))]),
    })
}

fn judge(operation: &str, body: &Value) -> Result<Vec<Check>, Unclear> {
    let place = Place { prefix: "arn:aws:dynamodb:eu-central-1:123456789012".to_owned(), keys: &orders };
    checks(operation, body, &place)
}

/// `action resource | key=values …` for each check.
fn shown(operation: &str, body: &Value) -> Vec<String> {
    let keys = ["LeadingKeys", "Attributes", "Select", "ReturnValues", "ReturnConsumedCapacity", "EnclosingOperation"];
    let show = |check: &Check| {
        let values =
            |key: &str| check.context.values(&format!("dynamodb:{key}")).map(|values| format!("{key}={}", values.join(",")));
        let context: Vec<String> = keys.iter().filter_map(|key| values(key)).collect();
        format!("{} {} | {}", check.action, check.resource.rsplit(':').next().unwrap(), context.join(" "))
    };
    judge(operation, body).unwrap().iter().map(show).collect()
}

#[test]
fn items_by_key() {
    let key = json!({"pk": {"S": "ORDER#1"}, "sk": {"S": "META"}});
    assert_eq!(
        shown(
            "GetItem",
            &json!({"TableName": "orders", "Key": key, "ProjectionExpression": "#s, pk", "ExpressionAttributeNames": {"#s": "state"}})
        ),
        ["dynamodb:GetItem table/orders | LeadingKeys=ORDER#1 Attributes=pk,sk,state"]
    );
    assert_eq!(
        shown("GetItem", &json!({"TableName": "orders", "Key": key, "ReturnConsumedCapacity": "TOTAL"})),
        ["dynamodb:GetItem table/orders | LeadingKeys=ORDER#1 Attributes=*,pk,sk ReturnConsumedCapacity=TOTAL"]
    );
    assert_eq!(
        shown(
            "BatchGetItem",
            &json!({"RequestItems": {"orders": {"Keys": [key, {"pk": {"N": "7"}, "sk": {"S": "x"}}], "ProjectionExpression": "pk"}}})
        ),
        ["dynamodb:BatchGetItem table/orders | LeadingKeys=ORDER#1,7 Attributes=pk,sk"]
    );
    assert_eq!(
        shown(
            "TransactGetItems",
            &json!({"TransactItems": [{"Get": {"TableName": "orders", "Key": key, "ProjectionExpression": "pk"}}]})
        ),
        ["dynamodb:GetItem table/orders | LeadingKeys=ORDER#1 Attributes=pk,sk EnclosingOperation=TransactGetItems"]
    );
}

#[test]
fn writes() {
    let key = json!({"pk": {"S": "ORDER#1"}, "sk": {"S": "META"}});
    assert_eq!(
        shown(
            "UpdateItem",
            &json!({"TableName": "orders", "Key": key, "UpdateExpression": "REMOVE lock_owner", "ConditionExpression": "lock_owner = :o",
                    "ExpressionAttributeValues": {":o": {"S": "x"}}, "ReturnValues": "ALL_OLD"})
        ),
        ["dynamodb:UpdateItem table/orders | LeadingKeys=ORDER#1 Attributes=lock_owner,pk,sk ReturnValues=ALL_OLD"]
    );
    assert_eq!(
        shown("PutItem", &json!({"TableName": "orders", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "card": {"S": "c"}}})),
        ["dynamodb:PutItem table/orders | LeadingKeys=a Attributes=card,pk,sk"]
    );
    assert_eq!(
        shown(
            "DeleteItem",
            &json!({"TableName": "orders", "Key": key, "ConditionExpression": "attribute_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        ),
        ["dynamodb:DeleteItem table/orders | LeadingKeys=ORDER#1 Attributes=*,pk,sk"]
    );
    assert_eq!(
        shown(
            "TransactWriteItems",
            &json!({"TransactItems": [
                {"ConditionCheck": {"TableName": "orders", "Key": key, "ConditionExpression": "attribute_exists(card)"}},
                {"Delete": {"TableName": "orders", "Key": key}}]})
        ),
        [
            "dynamodb:ConditionCheckItem table/orders | LeadingKeys=ORDER#1 Attributes=card,pk,sk EnclosingOperation=TransactWriteItems",
            "dynamodb:DeleteItem table/orders | LeadingKeys=ORDER#1 Attributes=pk,sk EnclosingOperation=TransactWriteItems",
        ]
    );
    assert_eq!(
        shown("BatchWriteItem", &json!({"RequestItems": {"orders": [{"DeleteRequest": {"Key": key}}]}})),
        ["dynamodb:BatchWriteItem table/orders | LeadingKeys=ORDER#1 Attributes=pk,sk"]
    );
}

#[test]
fn pages() {
    let values = json!({":p": {"S": "ORDER#1"}, ":m": {"S": "acme"}});
    assert_eq!(
        shown(
            "Query",
            &json!({"TableName": "orders", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": values,
                    "ProjectionExpression": "state", "Select": "SPECIFIC_ATTRIBUTES"})
        ),
        ["dynamodb:Query table/orders | LeadingKeys=ORDER#1 Attributes=pk,sk,state Select=SPECIFIC_ATTRIBUTES"]
    );
    assert_eq!(
        shown(
            "Query",
            &json!({"TableName": "orders", "IndexName": "by_merchant", "KeyConditionExpression": "merchant = :m",
                    "FilterExpression": "card = :c", "ExpressionAttributeValues": values, "Select": "COUNT"})
        ),
        [
            "dynamodb:Query table/orders/index/by_merchant | LeadingKeys=acme Attributes=card,merchant,pk,sk,updated_at Select=COUNT"
        ]
    );
    for (body, want) in [
        // No projection, no Select: all attributes.
        (
            json!({"TableName": "orders", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": values}),
            "dynamodb:Query table/orders | LeadingKeys=ORDER#1 Attributes=*,pk,sk",
        ),
        // A condition on the wrong key names no leading key.
        (
            json!({"TableName": "orders", "KeyConditionExpression": "merchant = :m", "ExpressionAttributeValues": values, "Select": "COUNT"}),
            "dynamodb:Query table/orders | Attributes=merchant,pk,sk Select=COUNT",
        ),
        (
            json!({"TableName": "orders", "KeyConditionExpression": "pk = :none", "Select": "COUNT"}),
            "dynamodb:Query table/orders | Attributes=pk,sk Select=COUNT",
        ),
    ] {
        assert_eq!(shown("Query", &body), [want]);
    }
    assert_eq!(
        shown("Scan", &json!({"TableName": "orders", "Limit": 5, "ProjectionExpression": "pk"})),
        ["dynamodb:Scan table/orders | Attributes=pk,sk"]
    );
}

#[test]
fn what_is_not_understood() {
    let key = json!({"pk": {"S": "a"}, "sk": {"S": "b"}});
    for (operation, body, why) in [
        ("ExecuteStatement", json!({"Statement": "SELECT * FROM orders"}), "operation ExecuteStatement"),
        ("UpdateTable", json!({"TableName": "orders"}), "operation UpdateTable"),
        ("GetItem", json!({"TableName": "orders", "Key": key, "AttributesToGet": ["card"]}), "AttributesToGet"),
        ("GetItem", json!({"TableName": "orders", "Key": key, "Novelty": 1}), "Novelty"),
        ("GetItem", json!({"TableName": "arn:aws:dynamodb:eu-central-1:999999999999:table/orders", "Key": key}), "by its name"),
        ("GetItem", json!({"Key": key}), "without a table"),
        ("GetItem", json!({"TableName": "orders", "Key": {"sk": {"S": "b"}}}), "partition key"),
        ("GetItem", json!({"TableName": "orders", "Key": {"pk": {"S": "a", "N": "1"}}}), "type"),
        ("GetItem", json!({"TableName": "orders", "Key": {"pk": {"BOOL": true}}}), "type"),
        ("GetItem", json!({"TableName": "orders", "Key": [key]}), "no object"),
        ("GetItem", json!({"TableName": "orders", "Key": key, "ProjectionExpression": 1}), "no string"),
        ("GetItem", json!({"TableName": "orders", "Key": key, "ProjectionExpression": "#card"}), "#card"),
        ("GetItem", json!({"TableName": "nowhere", "Key": key}), "partition key"),
        ("Query", json!({"TableName": "orders", "KeyConditions": {}}), "KeyConditions"),
        ("Query", json!({"TableName": "orders", "KeyConditionExpression": "pk = :p AND (", "IndexName": "a/b"}), "by its name"),
        ("BatchGetItem", json!({"RequestItems": {"orders": {"Keys": [key], "AttributesToGet": ["card"]}}}), "AttributesToGet"),
        ("BatchGetItem", json!({"RequestItems": []}), "no object"),
        ("TransactWriteItems", json!({"TransactItems": [{"Get": {"TableName": "orders", "Key": key}}]}), "member Get"),
        ("TransactWriteItems", json!({"TransactItems": [{"Put": {}, "Delete": {}}]}), "more than one"),
        ("GetItem", json!([]), "no object"),
    ] {
        let error = judge(operation, &body).unwrap_err();
        assert!(error.why.contains(why), "{operation} {body}: {}", error.why);
        assert_eq!(error.action, format!("dynamodb:{operation}"));
    }
}
