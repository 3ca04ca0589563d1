//! The two kinds of policy that tollgate mints, and what must not get past them.

use super::*;
use crate::core::plan::{DynamodbOperation, DynamodbRequest, DynamodbValue};
use crate::core::session_policy::{self, AthenaScope};

/// As minted for a step that reads one table.
fn athena() -> String {
    let scope = AthenaScope {
        region: "eu-central-1",
        account: "123456789012",
        workgroup: "tg-small",
        tables: &[("web".to_owned(), "alb_logs".to_owned())],
        locations: &["s3://shop-lake/web/alb_logs/".to_owned()],
        output: "s3://shop-results/tollgate/01RUN/",
        kms: &["arn:aws:kms:eu-central-1:123456789012:key/1234".to_owned()],
        lake_formation: false,
    };
    filled(&session_policy::athena(&scope))
}

/// As minted for a step that gets one item, or queries an index.
fn dynamodb(index: Option<&str>, key: &str, value: &str, attributes: &[&str]) -> String {
    let request = DynamodbRequest {
        operation: if index.is_some() { DynamodbOperation::Query } else { DynamodbOperation::Get },
        table: "orders".to_owned(),
        index: index.map(str::to_owned),
        key: [(key.to_owned(), DynamodbValue::S(value.to_owned()))].into_iter().collect(),
        sort: None,
        filter: None,
        project: attributes.iter().map(|name| (*name).to_owned()).collect(),
        limit: None,
        descending: false,
        consistent: false,
    };
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    filled(&session_policy::dynamodb("eu-central-1", "123456789012", &request, key, &attributes))
}

fn filled(template: &str) -> String {
    let policy = session_policy::fill(template, AT_T.parse().unwrap(), &indexmap::IndexMap::new()).unwrap();
    assert_eq!(Policy::parse(&policy).unwrap().not_understood(), None, "{policy}");
    policy
}

const BEFORE: &str = "2026-11-20T08:14:59.999Z";
const AT_T: &str = "2026-11-20T08:15:00Z";
const AFTER_T: &str = "2026-11-20T08:15:00.001Z";
const AFTER_STOP: &str = "2026-11-20T08:17:00.001Z";
const WORKGROUP: &str = "arn:aws:athena:eu-central-1:123456789012:workgroup/tg-small";

fn glue(path: &str) -> String {
    format!("arn:aws:glue:eu-central-1:123456789012:{path}")
}

fn via() -> Context {
    Context::new().called_via("athena.amazonaws.com")
}

fn none() -> Context {
    Context::new()
}

fn decide(policy: &str, action: &str, resource: &str, context: &Context, now: &str) -> Decision {
    Policy::parse(policy).unwrap().decide(action, resource, context, now.parse().unwrap())
}

#[test]
fn a_step_may_do_what_it_needs() {
    for (action, resource, context, now) in [
        ("athena:StartQueryExecution", WORKGROUP.to_owned(), none(), BEFORE),
        ("athena:startqueryexecution", WORKGROUP.to_owned(), none(), BEFORE),
        ("athena:StartQueryExecution", WORKGROUP.to_owned(), none(), AT_T),
        ("athena:GetQueryResults", WORKGROUP.to_owned(), none(), BEFORE),
        ("athena:StopQueryExecution", WORKGROUP.to_owned(), none(), AFTER_T),
        ("athena:GetQueryExecution", WORKGROUP.to_owned(), none(), AFTER_T),
        ("glue:GetTable", glue("table/web/alb_logs"), via(), BEFORE),
        ("glue:GetPartitions", glue("table/web/alb_logs"), via(), BEFORE),
        ("glue:GetDatabase", glue("database/default"), via(), BEFORE),
        ("s3:GetObject", "arn:aws:s3:::shop-lake/web/alb_logs/day=2026%2F11%2F20/a.parquet".to_owned(), via(), BEFORE),
        ("s3:ListBucket", "arn:aws:s3:::shop-lake".to_owned(), via(), BEFORE),
        ("s3:PutObject", "arn:aws:s3:::shop-results/tollgate/01RUN/q.csv".to_owned(), via(), BEFORE),
        (
            "s3:GetObject",
            "arn:aws:s3:::shop-lake/web/alb_logs/a".to_owned(),
            none().with("aws:CalledVia", ["x.amazonaws.com", "athena.amazonaws.com"]),
            BEFORE,
        ),
    ] {
        assert_eq!(decide(&athena(), action, &resource, &context, now), Decision::Allow, "{action} {resource} {now}");
    }
}

#[test]
fn an_athena_step_may_do_nothing_else() {
    use Decision::{ExplicitDeny, ImplicitDeny};
    let s3 = |path: &str| format!("arn:aws:s3:::{path}");
    let in_athena = |path: &str| format!("arn:aws:athena:eu-central-1:123456789012:{path}");
    let other = "arn:aws:athena:eu-central-1:999999999999:workgroup/tg-small".to_owned();
    let elsewhere = "arn:aws:athena:us-east-1:123456789012:workgroup/tg-small".to_owned();
    let own = WORKGROUP.to_owned();
    let cases: Vec<(&str, String, Context, &str, Decision)> = vec![
        ("athena:StartQueryExecution", in_athena("workgroup/tg-large"), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", in_athena("workgroup/tg-small-2"), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", in_athena("workgroup/TG-SMALL"), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", in_athena("datacatalog/tg-small"), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", other, none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", elsewhere, none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", "*".to_owned(), none(), BEFORE, ImplicitDeny),
        ("athena:UpdateWorkGroup", own.clone(), none(), BEFORE, ImplicitDeny),
        ("athena:ListQueryExecutions", own.clone(), none(), BEFORE, ImplicitDeny),
        ("athena:CreatePreparedStatement", own.clone(), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecutionX", own.clone(), none(), BEFORE, ImplicitDeny),
        ("glue:GetTable", glue("table/shop/customers"), via(), BEFORE, ImplicitDeny),
        ("glue:GetTable", glue("table/web/alb_logs_raw"), via(), BEFORE, ImplicitDeny),
        ("glue:GetTable", glue("table/web/alb_log"), via(), BEFORE, ImplicitDeny),
        ("glue:GetTable", glue("table/web2/alb_logs"), via(), BEFORE, ImplicitDeny),
        ("glue:GetDatabase", glue("database/shop"), via(), BEFORE, ImplicitDeny),
        ("glue:GetTables", glue("table/web/alb_logs"), via(), BEFORE, ImplicitDeny),
        ("glue:UpdateTable", glue("table/web/alb_logs"), via(), BEFORE, ImplicitDeny),
        ("glue:GetTable", glue("table/web/alb_logs").replace("123456789012", "999999999999"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake/web/alb_logs/a"), none(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake/web/alb_logs/a"), none().called_via("glue.amazonaws.com"), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake/web/alb_logs_raw/a"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake/web/alb_logs"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake/shop/customers/a"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-lake2/web/alb_logs/a"), via(), BEFORE, ImplicitDeny),
        ("s3:PutObject", s3("shop-lake/web/alb_logs/a"), via(), BEFORE, ImplicitDeny),
        ("s3:PutObject", s3("shop-results/tollgate/01OTHER/q.csv"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-results/tollgate/01OTHER/q.csv"), via(), BEFORE, ImplicitDeny),
        ("s3:PutObject", s3("shop-results/tollgate/01RUN2/q.csv"), via(), BEFORE, ImplicitDeny),
        ("s3:GetObject", s3("shop-results/tollgate/01RUN/q.csv"), none(), BEFORE, ImplicitDeny),
        ("s3:DeleteObject", s3("shop-results/tollgate/01RUN/q.csv"), via(), BEFORE, ImplicitDeny),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/other".to_owned(), none(), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:123456789012:table/orders".to_owned(), none(), BEFORE, ImplicitDeny),
        ("athena:StartQueryExecution", own.clone(), none(), AFTER_T, ExplicitDeny),
        ("athena:GetQueryResults", own.clone(), none(), AFTER_T, ExplicitDeny),
        ("glue:GetTable", glue("table/web/alb_logs"), via(), AFTER_T, ExplicitDeny),
        ("s3:GetObject", s3("shop-lake/web/alb_logs/a"), via(), AFTER_T, ExplicitDeny),
        ("athena:StopQueryExecution", in_athena("workgroup/tg-large"), none(), AFTER_T, ImplicitDeny),
        ("athena:StopQueryExecution", own.clone(), none(), AFTER_STOP, ExplicitDeny),
        ("athena:GetQueryExecution", own.clone(), none(), AFTER_STOP, ExplicitDeny),
        ("athena:StartQueryExecution", own, none(), "2027-01-01T00:00:00Z", ExplicitDeny),
    ];
    assert!(cases.len() >= 40);
    for (action, resource, context, now, want) in cases {
        assert_eq!(decide(&athena(), action, &resource, &context, now), want, "{action} {resource} {now}");
    }
}

#[test]
fn a_dynamodb_step_may_do_nothing_else() {
    use Decision::{Allow, ExplicitDeny, ImplicitDeny};
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    let index = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/index/by_merchant";
    let other = "arn:aws:dynamodb:eu-central-1:999999999999:table/orders";
    let item = |key: &str, attributes: &[&str]| {
        none().with("dynamodb:LeadingKeys", [key]).with("dynamodb:Attributes", attributes.iter().copied())
    };
    let mine = "ORDER#ord_0000000001";
    let get = dynamodb(None, "pk", mine, &["pk", "sk", "state", "lock_owner", "updated_at"]);
    for (action, resource, context, now, want) in [
        ("dynamodb:GetItem", table, item(mine, &["pk", "sk", "state"]), BEFORE, Allow),
        ("dynamodb:GetItem", table, item("ORDER#ord_0000000002", &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item("order#ord_0000000001", &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &["pk", "sk", "card"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &["*", "pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &[]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, none().with("dynamodb:Attributes", ["pk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, none(), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", index, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", other, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &["pk"]).with("dynamodb:LeadingKeys", [mine, "x"]), BEFORE, ImplicitDeny),
        ("dynamodb:BatchGetItem", table, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:Query", table, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:Scan", table, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:PutItem", table, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:PartiQLSelect", table, item(mine, &["pk", "sk"]), BEFORE, ImplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &["pk", "sk"]), AFTER_T, ExplicitDeny),
        ("dynamodb:GetItem", table, item(mine, &["pk", "sk"]), AFTER_STOP, ExplicitDeny),
    ] {
        assert_eq!(decide(&get, action, resource, &context, now), want, "{action} {resource} {context:?} {now}");
    }
    let query = dynamodb(Some("by_merchant"), "merchant", "acme", &["pk", "sk", "merchant", "state"]);
    let page = |key: &str, attributes: &[&str], select: &str| item(key, attributes).with("dynamodb:Select", [select]);
    for (resource, context, want) in [
        (index, page("acme", &["pk", "sk", "merchant"], "SPECIFIC_ATTRIBUTES"), Allow),
        (index, page("acme", &["pk", "sk", "merchant"], "ALL_ATTRIBUTES"), ImplicitDeny),
        (index, page("acme", &["pk", "sk", "merchant"], "COUNT"), ImplicitDeny),
        (index, item("acme", &["pk", "sk", "merchant"]), ImplicitDeny),
        (index, page("acme", &["pk", "sk", "card"], "SPECIFIC_ATTRIBUTES"), ImplicitDeny),
        (index, page("other", &["pk", "sk"], "SPECIFIC_ATTRIBUTES"), ImplicitDeny),
        (table, page("acme", &["pk", "sk"], "SPECIFIC_ATTRIBUTES"), ImplicitDeny),
    ] {
        assert_eq!(decide(&query, "dynamodb:Query", resource, &context, BEFORE), want, "{resource} {context:?}");
    }
    // A key that looks like one of IAM's variables stands for itself.
    let odd = dynamodb(None, "pk", "${aws:username}", &["pk", "sk"]);
    assert_eq!(decide(&odd, "dynamodb:GetItem", table, &item("${aws:username}", &["pk", "sk"]), BEFORE), Allow);
    assert_eq!(decide(&odd, "dynamodb:GetItem", table, &item("ana", &["pk", "sk"]), BEFORE), ImplicitDeny);
}

#[test]
fn a_janitor_only_looks_and_stops() {
    let janitor = session_policy::janitor("eu-central-1", "123456789012", "tg-small");
    for (action, allowed) in [
        ("athena:StopQueryExecution", true),
        ("athena:ListQueryExecutions", true),
        ("athena:BatchGetQueryExecution", true),
        ("athena:GetQueryExecution", true),
        ("athena:StartQueryExecution", false),
        ("athena:GetQueryResults", false),
    ] {
        let got = decide(&janitor, action, WORKGROUP, &none(), AFTER_STOP);
        assert_eq!(got == Decision::Allow, allowed, "{action}");
        assert_eq!(decide(&janitor, action, &WORKGROUP.replace("small", "large"), &none(), BEFORE), Decision::ImplicitDeny);
    }
}

/// A policy that allows everything but for one condition.
fn under(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}]}}"#
    )
}

#[test]
fn what_is_not_known_denies_everything() {
    for condition in [
        r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
        r#""StringEquals":{"aws:PrincipalTag/team":"x"}"#,
        r#""StringNotEquals":{"dynamodb:Select":"COUNT"}"#,
        r#""StringEqualsIfExists":{"dynamodb:Select":"COUNT"}"#,
        r#""StringEqualsIgnoreCase":{"dynamodb:Select":"COUNT"}"#,
        r#""ForAllValues:StringNotLike":{"dynamodb:Attributes":"x"}"#,
        r#""ForSomeValues:StringEquals":{"dynamodb:Attributes":"x"}"#,
        r#""StringEquals":{"dynamodb:Attributes":"pk"}"#,
        r#""ForAnyValue:StringEquals":{"dynamodb:Select":"COUNT"}"#,
        r#""DateGreaterThan":{"aws:CurrentTime":"yesterday"}"#,
        r#""DateGreaterThanEquals":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#,
        r#""DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#,
        r#""StringLike":{"aws:CurrentTime":"*"}"#,
        r#""Bool":{"dynamodb:Select":"true"}"#,
        r#""Bool":{"dynamodb:FullTableScan":"maybe"}"#,
        r#""Null":{"dynamodb:Attributes":"perhaps"}"#,
        r#""StringLike":{"dynamodb:Select":"${aws:username}"}"#,
    ] {
        let policy = Policy::parse(&under(condition)).unwrap();
        assert!(policy.not_understood().is_some(), "{condition}");
        let context = none().with("dynamodb:Select", ["COUNT"]).with("dynamodb:Attributes", ["pk"]);
        assert_eq!(policy.decide("glue:GetTable", "*", &context, Timestamp(0)), Decision::ImplicitDeny, "{condition}");
    }
    // One unknown statement spoils the allowance beside it: it might have been a denial.
    let spoiled = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::a"}]}"#;
    assert_eq!(decide(spoiled, "glue:GetTable", "*", &none(), BEFORE), Decision::ImplicitDeny);
}

#[test]
fn operators() {
    let some = none()
        .with("dynamodb:Select", ["COUNT"])
        .with("dynamodb:Attributes", ["pk", "sk"])
        .with("dynamodb:FullTableScan", ["false"])
        .with("s3:prefix", ["web/alb_logs/day=1"]);
    for (condition, context, want) in [
        (r#""StringEquals":{"dynamodb:Select":["X","COUNT"]}"#, &some, true),
        (r#""StringEquals":{"DynamoDB:SELECT":"COUNT"}"#, &some, true),
        (r#""StringEquals":{"dynamodb:Select":"count"}"#, &some, false),
        (r#""StringEquals":{"dynamodb:Select":"COU*"}"#, &some, false),
        (r#""StringLike":{"dynamodb:Select":"COU*"}"#, &some, true),
        (r#""StringLike":{"s3:prefix":"web/alb_logs/*"}"#, &some, true),
        (r#""StringLike":{"s3:prefix":"shop/*"}"#, &some, false),
        (r#""StringLike":{"s3:prefix":"*"}"#, &none(), false),
        (r#""ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","x"]}"#, &some, true),
        (r#""ForAllValues:StringEquals":{"dynamodb:Attributes":["pk"]}"#, &some, false),
        (r#""ForAllValues:StringEquals":{"dynamodb:Attributes":["pk"]}"#, &none(), true),
        (r#""ForAllValues:StringLike":{"dynamodb:Attributes":["?k"]}"#, &some, true),
        (r#""ForAnyValue:StringEquals":{"dynamodb:Attributes":["sk"]}"#, &some, true),
        (r#""ForAnyValue:StringEquals":{"dynamodb:Attributes":["x"]}"#, &some, false),
        (r#""ForAnyValue:StringEquals":{"dynamodb:Attributes":["sk"]}"#, &none(), false),
        (r#""ForAnyValue:StringLike":{"dynamodb:Attributes":"*"}"#, &none(), false),
        (r#""Null":{"dynamodb:Attributes":"false"}"#, &some, true),
        (r#""Null":{"dynamodb:Attributes":"true"}"#, &some, false),
        (r#""Null":{"dynamodb:Attributes":true}"#, &none(), true),
        (r#""Null":{"dynamodb:Attributes":"false"}"#, &none(), false),
        (r#""Null":{"aws:CurrentTime":"true"}"#, &none(), false),
        (r#""Bool":{"dynamodb:FullTableScan":"false"}"#, &some, true),
        (r#""Bool":{"dynamodb:FullTableScan":true}"#, &some, false),
        (r#""Bool":{"dynamodb:FullTableScan":"false"}"#, &none(), false),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2026-11-20T08:14:59Z"}"#, &none(), true),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2026-11-20T08:15:00Z"}"#, &none(), false),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2026-11-20T09:14:59+01:00"}"#, &none(), true),
        (r#""DateLessThan":{"aws:CurrentTime":"2026-11-20T08:15:00Z"}"#, &none(), true),
        (r#""DateLessThan":{"aws:CurrentTime":"1700000000"}"#, &none(), false),
        (r#""DateLessThan":{"aws:CurrentTime":1900000000}"#, &none(), true),
        (r#""StringEquals":{"dynamodb:Select":"COUNT"},"Null":{"s3:prefix":"true"}"#, &some, false),
        (r#""StringEquals":{"dynamodb:Select":[]}"#, &some, false),
    ] {
        let got = decide(&under(condition), "glue:GetTable", "*", context, BEFORE);
        assert_eq!(got == Decision::Allow, want, "{condition}");
    }
}

#[test]
fn malformed_policies_are_refused() {
    for (text, message) in [
        ("", "invalid Json"),
        ("{", "invalid Json"),
        ("[]", "Syntax errors"),
        (r#"{"Version":"2012-10-17"}"#, "Syntax errors"),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors"),
        (r#"{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#, "version"),
        (r#"{"Statement":[{"Action":"*","Resource":"*"}]}"#, "Effect"),
        (r#"{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}"#, "Syntax errors"),
        (r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#, "actions"),
        (r#"{"Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]}"#, "actions"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"GetItem","Resource":"*"}]}"#, "vendor"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#, "resources"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"orders"}]}"#, "ARN format"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3"}]}"#, "ARN format"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:*:::b"}]}"#, "ARN format"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","NotAction":"a:b","Resource":"*"}]}"#, "Syntax errors"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}"#, "principal"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Colour":"red"}]}"#, "Syntax errors"),
        (r#"{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#, "invalid Json"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":"x"}}]}"#, "Syntax errors"),
    ] {
        let error = Policy::parse(text).unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
}

proptest::proptest! {
    /// Whatever follows, a denial of everything is final, and an empty set of allowances allows nothing.
    #[test]
    fn denials_win(action in "[a-z0-9]{1,8}:[A-Za-z*?]{1,12}", resource in "arn:aws:[a-z0-9]{1,4}:[a-z0-9-]{0,6}:[0-9]{0,12}:[a-z/*?]{0,20}") {
        let deny = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":{action:?},"Resource":{resource:?}}}]}}"#
        );
        let policy = Policy::parse(&deny).unwrap();
        proptest::prop_assert_eq!(policy.decide(&action, &resource, &none(), Timestamp(0)), Decision::ExplicitDeny);
        let only = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{action:?},"Resource":{resource:?}}}]}}"#);
        let policy = Policy::parse(&only).unwrap();
        proptest::prop_assert_eq!(policy.decide(&action, &resource, &none(), Timestamp(0)), Decision::Allow);
        proptest::prop_assert_eq!(policy.decide("other:Action!", &resource, &none(), Timestamp(0)), Decision::ImplicitDeny);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _ = Policy::parse(&text);
    }
}
