//! The sandbox's door, from outside: signatures, keys and their end, session policies, and its life as a process.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sts::error::ProvideErrorMetadata;
use serde_json::json;
use tollgate::core::units::{Millis, Timestamp};
use tollgate::sandbox::host::{Ending, HostError, Options};
use tollgate::sandbox::server::{probe, stop};
use tollgate::sandbox::state::{Endpoint, StateDir, StateError};
use tollgate::sandbox::sts::Trust;

use crate::sandbox_client::{Answer, Call, Echo, Keys, Sandbox, exchange, serve, serve_echo, start};

const ROLE: &str = "arn:aws:iam::123456789012:role/tollgate-shop-read";

fn shared(endpoint: &Endpoint, keys: &Keys) -> (Credentials, Region, String) {
    let credentials = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test");
    (credentials, Region::new(endpoint.keys.region.clone()), endpoint.url.clone())
}

fn sts(endpoint: &Endpoint, keys: &Keys) -> aws_sdk_sts::Client {
    let (credentials, region, url) = shared(endpoint, keys);
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(region)
        .endpoint_url(url)
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

fn dynamodb(endpoint: &Endpoint, keys: &Keys) -> aws_sdk_dynamodb::Client {
    let (credentials, region, url) = shared(endpoint, keys);
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(region)
        .endpoint_url(url)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

fn athena(endpoint: &Endpoint, keys: &Keys) -> aws_sdk_athena::Client {
    let (credentials, region, url) = shared(endpoint, keys);
    let config = aws_sdk_athena::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(region)
        .endpoint_url(url)
        .build();
    aws_sdk_athena::Client::from_conf(config)
}

/// A session with this policy, minted through the SDK.
async fn session(sandbox: &Sandbox, policy: &str) -> Keys {
    let endpoint = sandbox.running.endpoint();
    let request = sts(endpoint, &Keys::base(endpoint)).assume_role().role_arn(ROLE).role_session_name("tg-01RUN");
    let answer = request.policy(policy).duration_seconds(900).send().await.unwrap();
    let made = answer.credentials.unwrap();
    Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) }
}

/// A session minted at the service's time, whatever that is.
fn session_at(sandbox: &Sandbox) -> Keys {
    let endpoint = sandbox.running.endpoint();
    let form = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&RoleSessionName=tg-x&DurationSeconds=900";
    let answer = Call::sts(form, sandbox.clock.now()).send(endpoint, &Keys::base(endpoint));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let text = |name| answer.element(name);
    Keys { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: Some(text("SessionToken")) }
}

#[tokio::test]
async fn the_sdk_assumes_a_role_and_is_who_it_became() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let client = sts(endpoint, &Keys::base(endpoint));
    let me = client.get_caller_identity().send().await.unwrap();
    assert_eq!(me.arn(), Some("arn:aws:iam::123456789012:user/sandbox"));
    assert_eq!(me.account(), Some("123456789012"));

    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]});
    let tag = aws_sdk_sts::types::Tag::builder().key("tollgate:run").value("01RUN").build().unwrap();
    let request = client.assume_role().role_arn(ROLE).role_session_name("tg-01RUN").source_identity("ana").tags(tag);
    let before = Timestamp(sandbox.clock.now().0 / 1000 * 1000);
    let answer = request.policy(policy.to_string()).duration_seconds(900).send().await.unwrap();
    assert_eq!(answer.source_identity(), Some("ana"));
    assert!(answer.packed_policy_size().is_some_and(|percent| (1..10).contains(&percent)));
    let user = answer.assumed_role_user().unwrap();
    assert_eq!(user.arn(), "arn:aws:sts::123456789012:assumed-role/tollgate-shop-read/tg-01RUN");
    let made = answer.credentials().unwrap();
    let lives = Timestamp(made.expiration().to_millis().unwrap()).since(before);
    assert!(lives >= Millis::from_secs(900) && lives < Millis::from_secs(910), "{lives}");

    let keys = Keys {
        id: made.access_key_id().to_owned(),
        secret: made.secret_access_key().to_owned(),
        token: Some(made.session_token().to_owned()),
    };
    let me = sts(endpoint, &keys).get_caller_identity().send().await.unwrap();
    assert_eq!((me.arn(), me.user_id()), (Some(user.arn()), Some(user.assumed_role_id())));

    // The session may not assume a role: its policy does not say so. Nor may anybody change a source identity.
    let again = sts(endpoint, &keys).assume_role().role_arn(ROLE).role_session_name("tg-2").send().await.unwrap_err();
    assert_eq!(again.code(), Some("AccessDenied"));
    assert!(
        again.message().unwrap().contains("is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012")
    );

    let sessions = sandbox.running.sessions();
    assert_eq!((sessions.len(), sessions[0].tags.clone()), (1, vec![("tollgate:run".to_owned(), "01RUN".to_owned())]));
}

#[tokio::test]
async fn roles_trust_only_whom_they_name() {
    let sandbox = start(|options| options.trust = Trust { external_id: Some("tg-shop".to_owned()) });
    let endpoint = sandbox.running.endpoint();
    let client = sts(endpoint, &Keys::base(endpoint));
    let other = ROLE.replace("123456789012", "999999999999");
    for (role, id, works) in
        [(ROLE, Some("tg-shop"), true), (ROLE, Some("other"), false), (ROLE, None, false), (&other, Some("tg-shop"), false)]
    {
        let request = client.assume_role().role_arn(role).role_session_name("tg-1").set_external_id(id.map(str::to_owned));
        match request.send().await {
            Ok(_) => assert!(works, "{role} {id:?}"),
            Err(error) => {
                assert!(!works, "{role} {id:?}: {error:?}");
                assert_eq!(error.code(), Some("AccessDenied"));
                let words = format!(
                    "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: sts:AssumeRole on resource: {role}"
                );
                assert_eq!(error.message(), Some(words.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn a_source_identity_stays() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let client = sts(endpoint, &Keys::base(endpoint));
    let made = client.assume_role().role_arn(ROLE).role_session_name("tg-1").source_identity("ana").send().await.unwrap();
    let made = made.credentials.unwrap();
    let keys = Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) };
    let chained = sts(endpoint, &keys);
    let inherits = chained.assume_role().role_arn(ROLE).role_session_name("tg-2").send().await.unwrap();
    assert!(inherits.source_identity() == Some("ana"));
    let changes = chained.assume_role().role_arn(ROLE).role_session_name("tg-2").source_identity("max").send().await;
    assert!(changes.unwrap_err().message().unwrap().contains("sts:SetSourceIdentity"));
}

#[tokio::test]
async fn a_policy_too_long_or_malformed_makes_no_keys() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let client = sts(endpoint, &Keys::base(endpoint));
    for (policy, code) in
        [(" ".repeat(2_049), "ValidationError"), ("{\"Version\":\"2012-10-17\"}".to_owned(), "MalformedPolicyDocument")]
    {
        let request = client.assume_role().role_arn(ROLE).role_session_name("tg-1").policy(policy);
        assert_eq!(request.send().await.unwrap_err().code(), Some(code));
    }
    assert!(sandbox.running.sessions().is_empty());
}

#[tokio::test]
async fn a_session_reads_only_what_its_policy_names() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let base = dynamodb(endpoint, &Keys::base(endpoint));
    let page = base.scan().table_name("orders").filter_expression("attribute_exists(lock_owner) AND sk = :m");
    let page = page.expression_attribute_values(":m", AttributeValue::S("META".to_owned())).send().await.unwrap();
    let pk = page.items()[0]["pk"].as_s().unwrap().clone();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
         "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [pk], "dynamodb:Attributes": ["pk", "sk", "state", "lock_owner"]},
            "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}}]});
    let mine = dynamodb(endpoint, &session(&sandbox, &policy.to_string()).await);
    let get = |key: &str, projection: Option<&str>| {
        let request = mine.get_item().table_name("orders").key("pk", AttributeValue::S(key.to_owned()));
        let request =
            request.key("sk", AttributeValue::S("META".to_owned())).set_projection_expression(projection.map(str::to_owned));
        if projection.is_some_and(|text| text.contains("#s")) {
            request.expression_attribute_names("#s", "state")
        } else {
            request
        }
    };
    let found = get(&pk, Some("#s, lock_owner")).send().await.unwrap();
    assert!(found.item().unwrap()["lock_owner"].as_s().is_ok());
    for (key, projection) in [(pk.as_str(), None), (&pk, Some("card")), (&pk, Some("card.last4")), ("ORDER#other", Some("pk"))] {
        let error = get(key, projection).send().await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDeniedException"), "{key} {projection:?}");
        assert!(error.message().unwrap().ends_with("because no session policy allows the dynamodb:GetItem action"));
    }
    let query = mine.query().table_name("orders").key_condition_expression("pk = :p");
    let query = query.expression_attribute_values(":p", AttributeValue::S(pk.clone())).projection_expression("pk");
    assert_eq!(query.send().await.unwrap_err().code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn dynamodb_s_own_errors_come_through() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let client = dynamodb(endpoint, &Keys::base(endpoint));
    let missing = client.describe_table().table_name("nowhere").send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
    let put = client.put_item().table_name("orders").item("pk", AttributeValue::S("a".to_owned()));
    let put = put.item("sk", AttributeValue::S("b".to_owned())).condition_expression("attribute_exists(pk)");
    assert!(put.send().await.unwrap_err().into_service_error().is_conditional_check_failed_exception());
}

#[tokio::test]
async fn the_deadline_is_in_the_credential() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let workgroup = "arn:aws:athena:eu-central-1:123456789012:workgroup/tg-small";
    // T has passed, T + 2 min not yet.
    let deadline = sandbox.clock.now().minus(Millis::from_secs(10));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "athena:*", "Resource": workgroup},
        {"Effect": "Deny", "NotAction": ["athena:StopQueryExecution", "athena:GetQueryExecution"], "Resource": "*",
         "Condition": {"DateGreaterThan": {"aws:CurrentTime": deadline.to_string()}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"DateGreaterThan": {"aws:CurrentTime": deadline.plus(Millis::from_mins(2)).to_string()}}}]});
    let keys = session(&sandbox, &policy.to_string()).await;
    let call = |operation: &str| {
        let target = format!("AmazonAthena.{operation}");
        Call::json("athena", &target, &json!({"WorkGroup": "tg-small"}), sandbox.clock.now()).send(endpoint, &keys)
    };
    let denied =
        |answer: &Answer| (answer.status, answer.code(), answer.body.contains("with an explicit deny in a session policy"));
    assert_eq!(call("StopQueryExecution").status, 200);
    assert_eq!(denied(&call("StartQueryExecution")), (400, "AccessDeniedException".to_owned(), true));
    sandbox.clock.advance(Millis::from_mins(2));
    for operation in ["StopQueryExecution", "GetQueryExecution", "StartQueryExecution"] {
        assert_eq!(denied(&call(operation)), (400, "AccessDeniedException".to_owned(), true), "{operation}");
    }
    // Without a policy's leave, the SDK hears it as Athena's error.
    let other = athena(endpoint, &session(&sandbox, &policy.to_string()).await);
    let error = other.start_query_execution().query_string("SELECT 1").work_group("tg-large").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn keys_end() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    sandbox.clock.set_shift(-901_000);
    let keys = session_at(&sandbox);
    sandbox.clock.set_shift(0);
    let error = sts(endpoint, &keys).get_caller_identity().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ExpiredToken"));
    let error = dynamodb(endpoint, &keys).list_tables().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ExpiredTokenException"));
    assert_eq!(error.message(), Some("The security token included in the request is expired"));
    let error = athena(endpoint, &keys).start_query_execution().query_string("SELECT 1").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ExpiredTokenException"));

    // To the second.
    sandbox.clock.set_shift(-895_000);
    let keys = session_at(&sandbox);
    let call = || Call::sts("Action=GetCallerIdentity", sandbox.clock.now()).send(endpoint, &keys);
    assert_eq!(call().status, 200);
    sandbox.clock.advance(Millis::from_secs(902));
    assert_eq!((call().status, call().code().as_str()), (403, "ExpiredToken"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    for (shift, code) in
        [(0, None), (290_000, None), (-290_000, None), (310_000, Some(true)), (-310_000, Some(false)), (86_400_000, Some(true))]
    {
        sandbox.clock.set_shift(shift);
        let answer = sts(endpoint, &Keys::base(endpoint)).get_caller_identity().send().await;
        match code {
            None => assert!(answer.is_ok(), "{shift}: {answer:?}"),
            Some(is_past) => {
                let error = answer.unwrap_err();
                assert_eq!(error.code(), Some("SignatureDoesNotMatch"), "{shift}");
                let words = if is_past { "Signature expired" } else { "Signature not yet current" };
                assert!(error.message().unwrap().starts_with(words), "{shift}: {error:?}");
            }
        }
        // Every answer tells the service's time, so that a client can correct itself.
        let answer = Call::sts("Action=GetCallerIdentity", Timestamp(0)).send(endpoint, &Keys::base(endpoint));
        let date = answer.head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
        let told = jiff::fmt::rfc2822::parse(date).unwrap().timestamp().as_millisecond();
        assert!((told - sandbox.clock.now().0).abs() < 3_000, "{date}");
    }
    let error = dynamodb(endpoint, &Keys::base(endpoint)).list_tables().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
}

#[test]
fn what_was_changed_on_the_way_is_refused() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let base = Keys::base(endpoint);
    let session = session_at(&sandbox);
    type Tamper = fn(&mut Vec<(String, String)>, &mut String);
    fn set(headers: &mut [(String, String)], name: &str, change: impl Fn(&str) -> String) {
        let (_, value) = headers.iter_mut().find(|(known, _)| known == name).unwrap();
        *value = change(value);
    }
    let cases: Vec<(&str, &Keys, Tamper, u16, &str, &str)> = vec![
        ("untouched", &session, |_, _| {}, 200, "", ""),
        ("body", &base, |_, body| body.push(' '), 400, "InvalidSignatureException", "SignatureDoesNotMatch"),
        (
            "target",
            &base,
            |h, _| h.push(("x-amz-meta".into(), "x".into())),
            400,
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ),
        ("host", &base, |h, _| set(h, "host", |_| "evil".into()), 400, "InvalidSignatureException", "SignatureDoesNotMatch"),
        (
            "signature",
            &base,
            |h, _| set(h, "authorization", |a| a[..a.len() - 1].to_owned() + if a.ends_with('0') { "1" } else { "0" }),
            400,
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ),
        (
            "key",
            &base,
            |h, _| set(h, "authorization", |a| a.replace("AKIA", "AKIB")),
            400,
            "UnrecognizedClientException",
            "InvalidClientTokenId",
        ),
        (
            "token",
            &session,
            |h, _| set(h, "x-amz-security-token", |t| t[1..].to_owned()),
            400,
            "UnrecognizedClientException",
            "InvalidClientTokenId",
        ),
        (
            "no token",
            &session,
            |h, _| h.retain(|(n, _)| n != "x-amz-security-token"),
            400,
            "UnrecognizedClientException",
            "InvalidClientTokenId",
        ),
        (
            "unsigned",
            &base,
            |h, _| h.retain(|(n, _)| n != "authorization"),
            400,
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
        ),
        (
            "half",
            &base,
            |h, _| set(h, "authorization", |a| a[..60].to_owned()),
            400,
            "IncompleteSignatureException",
            "IncompleteSignature",
        ),
    ];
    for (what, keys, tamper, status, json_code, query_code) in cases {
        let now = sandbox.clock.now();
        let mut call = Call::json("athena", "AmazonAthena.GetQueryExecution", &json!({}), now);
        call.tamper = tamper;
        let answer = call.send(endpoint, keys);
        assert_eq!((answer.status, answer.code().as_str()), (status, json_code), "{what}: {}", answer.body);
        let mut call = Call::sts("Action=GetCallerIdentity", now);
        call.tamper = tamper;
        let answer = call.send(endpoint, keys);
        let status = if status == 200 || query_code.starts_with("Incomplete") { status } else { 403 };
        assert_eq!((answer.status, answer.code().as_str()), (status, query_code), "{what}: {}", answer.body);
    }
    // Another operation under the same signature.
    let mut call = Call::json("athena", "AmazonAthena.GetQueryExecution", &json!({}), sandbox.clock.now());
    call.tamper = |h, _| set(h, "x-amz-target", |_| "AmazonAthena.StartQueryExecution".into());
    assert_eq!(call.send(endpoint, &base).code(), "InvalidSignatureException");
}

#[test]
fn only_this_region_and_these_services() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let base = Keys::base(endpoint);
    let now = sandbox.clock.now();
    let mut call = Call::sts("Action=GetCallerIdentity", now);
    call.region = "us-east-1";
    let answer = call.send(endpoint, &base);
    assert_eq!(answer.code(), "SignatureDoesNotMatch");
    assert!(answer.body.contains("not 'us-east-1'"), "{}", answer.body);
    let answer = Call::json("kms", "TrentService.Decrypt", &json!({}), now).send(endpoint, &base);
    assert!(answer.code() == "UnknownOperationException" && answer.body.contains("kms"), "{}", answer.body);
    // A signature for one service does not open another.
    let answer = Call::json("athena", "DynamoDB_20120810.Scan", &json!({"TableName": "orders"}), now).send(endpoint, &base);
    assert_eq!(answer.code(), "UnknownOperationException");
    assert_eq!(Call::sts("Action=GetSessionToken", now).send(endpoint, &base).code(), "InvalidAction");
    let ledger = sandbox.running.ledger();
    let seen: Vec<(&str, &str, &str)> =
        ledger.iter().map(|e| (e.service.as_str(), e.operation.as_str(), e.outcome.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("kms", "", "UnknownOperationException"),
            ("athena", "", "UnknownOperationException"),
            ("sts", "GetSessionToken", "InvalidAction")
        ]
    );
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let Sandbox { running, clock, dir } = start(|_| {});
    let before = running.endpoint().clone();
    let keys = session_at(&Sandbox { running, clock: clock.clone(), dir: tempfile::tempdir().unwrap() });
    // The sandbox went with the value above; a new one in the same directory knows base keys, session and port.
    let running = serve(Options::new(dir.path().join("sandbox"))).unwrap();
    let endpoint = running.endpoint();
    assert_eq!((&endpoint.url, &endpoint.keys), (&before.url, &before.keys));
    assert_ne!(endpoint.listening.instance, before.listening.instance);
    let me = sts(endpoint, &keys).get_caller_identity().send().await.unwrap();
    assert!(me.arn().unwrap().ends_with("assumed-role/x/tg-x"));
}

#[tokio::test]
async fn it_is_probed_stopped_and_reset() {
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint().clone();
    let state = StateDir::find(&sandbox.dir.path().join("sandbox")).unwrap().unwrap();
    assert_eq!(state.endpoint().unwrap().as_ref(), Some(&endpoint));
    let status = probe(&endpoint).await.unwrap();
    assert_eq!((status.pid, status.data.ready, status.busy), (std::process::id(), true, false));

    // Who does not know the key file is neither believed nor obeyed.
    let mut stranger = endpoint.clone();
    stranger.keys.proof_key = tollgate::sandbox::secret::Secret::new("guess");
    assert_eq!(probe(&stranger).await, None);
    assert!(!stop(&stranger).await);
    let port = endpoint.listening.port;
    let plain = tokio::task::spawn_blocking(move || exchange(port, "POST /_tollgate/stop HTTP/1.1", &[], "")).await.unwrap();
    assert_eq!(plain.status, 403);

    // A second sandbox in the same directory is refused while the first runs.
    let refused = serve(Options::new(sandbox.dir.path().join("sandbox"))).unwrap_err();
    assert!(matches!(refused, HostError::State(StateError::InUse { .. })));
    assert!(refused.to_string().contains("tollgate sandbox stop"));
    assert!(matches!(state.reset(), Err(StateError::InUse { .. })));

    assert!(stop(&endpoint).await);
    assert_eq!(sandbox.running.ended().await, Ending::Asked);
    assert_eq!(probe(&endpoint).await, None);
    state.reset().unwrap();
    assert!(!sandbox.dir.path().join("sandbox").exists());
}

#[tokio::test]
async fn it_ends_when_nobody_comes() {
    let sandbox = start(|options| options.idle_end = Some(Duration::from_millis(50)));
    assert!(matches!(sandbox.running.ended().await, Ending::Idle(idle) if idle >= Duration::from_millis(50)));
}

#[tokio::test]
async fn it_does_not_end_while_a_query_runs() {
    let echo = Echo::default();
    let busy = echo.0.clone();
    busy.store(true, Ordering::SeqCst);
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path().join("sandbox"));
    options.idle_end = Some(Duration::from_millis(20));
    let running = serve_echo(options, echo).unwrap();
    let ended = tokio::time::timeout(Duration::from_millis(300), running.ended()).await;
    assert!(ended.is_err(), "{ended:?}");
    assert!(probe(running.endpoint()).await.unwrap().busy);
    busy.store(false, Ordering::SeqCst);
    assert!(matches!(running.ended().await, Ending::Idle(_)));
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path().join("sandbox"));
    options.port = Some(port);
    let error = serve(options).unwrap_err();
    assert!(matches!(error, HostError::PortTaken { .. }));
    assert!(error.to_string().contains(&port.to_string()) && error.to_string().contains("--port"), "{error}");
}
