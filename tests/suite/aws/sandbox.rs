//! The adapters against the sandbox: real signatures, our own session policies, a real table.

use std::sync::Arc;

use super::{mint, patience, read_of, target, word};
use indexmap::IndexMap;
use tollgate::adapters::aws::{Aws, SandboxAccess, SandboxEndpoint};
use tollgate::adapters::clock::Skew;
use tollgate::core::plan::{DynamodbOperation, DynamodbRequest, DynamodbValue, Endpoint, SortCondition};
use tollgate::core::session_policy;
use tollgate::core::units::Millis;
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{
    FetchLimits, ItemStore as _, Keys, MintRequest, Rights, Secret, TokenService as _, Warehouse as _,
};
use tollgate::sandbox::dataset::Day;
use tollgate::sandbox::dataset::ids::keyed_orders;
use tollgate::sandbox::host::Running;

use crate::sandbox_client::{Sandbox, start};

fn adapters(sandbox: &Sandbox) -> (Aws, Arc<Skew>) {
    adapters_of(&sandbox.running)
}

pub(super) fn adapters_of(running: &Running) -> (Aws, Arc<Skew>) {
    let endpoint = running.endpoint();
    let access = SandboxAccess {
        url: endpoint.url.clone(),
        access_key_id: endpoint.keys.access_key_id.clone(),
        secret: Secret::new(endpoint.keys.secret_access_key.reveal()),
    };
    let door: SandboxEndpoint = Arc::new(move || {
        let access = access.clone();
        Box::pin(async move { Ok(access) })
    });
    let skew = Arc::new(Skew::default());
    (Aws::new(door, Arc::clone(&skew), patience()), skew)
}

fn get(order: &str, project: &[&str]) -> DynamodbRequest {
    let key = [("pk", format!("ORDER#{order}")), ("sk", "META".to_owned())];
    DynamodbRequest {
        key: key.into_iter().map(|(name, value)| (name.to_owned(), DynamodbValue::S(value))).collect(),
        project: project.iter().map(|name| (*name).to_owned()).collect(),
        ..read_of(DynamodbOperation::Get)
    }
}

fn policy(request: &DynamodbRequest, attributes: &[&str], deadline: Timestamp) -> String {
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    let template = session_policy::dynamodb("eu-central-1", "123456789012", request, "pk", &attributes);
    session_policy::fill(&template, deadline, &IndexMap::new()).unwrap()
}

#[tokio::test]
async fn a_mint_reads_what_its_policy_names_and_no_more() {
    let sandbox = start(|_| {});
    let (aws, skew) = adapters(&sandbox);
    let target = target(Endpoint::Sandbox);
    let identity = aws.identity(&target).await.unwrap();
    assert_eq!((identity.arn.as_str(), identity.account.as_str()), ("arn:aws:iam::123456789012:user/sandbox", "123456789012"));
    assert_eq!(skew.get(), Some(0));

    let now = sandbox.clock.now();
    let order = keyed_orders(Day::of(now)).next().unwrap().id;
    let attributes = ["pk", "sk", "state", "merchant"];
    let read = get(&order, &attributes);
    let limits = FetchLimits::default();
    let mint_for = |deadline| MintRequest { policy: policy(&read, &attributes, deadline), ..mint() };
    let keys = aws.assume(&target, &mint_for(now.plus(Millis::from_mins(15)))).await.unwrap();
    assert!(keys.expires.since(now) > Millis::from_secs(890));

    let found = aws.read(&target, &keys, &read, 10_000, limits).await.unwrap();
    assert_eq!(found.rows.rows[0][..2], [Some(format!("ORDER#{order}")), Some("META".to_owned())]);
    assert!(found.cost >= 500 && !found.stopped_by_ceiling, "{}", found.cost);
    for (case, wrong) in [("an attribute", get(&order, &["pk", "card"])), ("a key", get("ord_0000000000", &attributes))] {
        assert_eq!(word(&aws.read(&target, &keys, &wrong, 10_000, limits).await), "refused AccessDeniedException", "{case}");
    }
    assert_eq!(word(&aws.workgroup(&target, Rights::Minted(&keys), "tg-small").await), "refused AccessDeniedException");

    let late = aws.assume(&target, &mint_for(now.minus(Millis::from_mins(1)))).await.unwrap();
    assert_eq!(word(&aws.read(&target, &late, &read, 10_000, limits).await), "refused AccessDeniedException", "the deadline");

    let forged = Keys { secret: Secret::new("x"), ..keys };
    assert!(word(&aws.read(&target, &forged, &read, 10_000, limits).await).starts_with("refused "));
}

#[tokio::test]
async fn a_query_reads_an_orders_items() {
    let sandbox = start(|_| {});
    let (aws, _) = adapters(&sandbox);
    let target = target(Endpoint::Sandbox);
    let now = sandbox.clock.now();
    let order = keyed_orders(Day::of(now)).next().unwrap().id;
    let query = DynamodbRequest {
        key: [("pk".to_owned(), DynamodbValue::S(format!("ORDER#{order}")))].into_iter().collect(),
        sort: Some(SortCondition {
            name: "sk".into(),
            operator: "begins_with".into(),
            values: vec![DynamodbValue::S("EVENT#".into())],
        }),
        project: vec!["sk".into()],
        ..read_of(DynamodbOperation::Query)
    };
    let mint = MintRequest { policy: policy(&query, &["pk", "sk"], now.plus(Millis::from_mins(15))), ..mint() };
    let keys = aws.assume(&target, &mint).await.unwrap();
    let all = aws.read(&target, &keys, &query, 1_000_000, FetchLimits::default()).await.unwrap();
    assert!(all.rows.rows.len() >= 2, "{:?}", all.rows);
    assert!(all.rows.rows.iter().flatten().flatten().all(|sk| sk.starts_with("EVENT#")), "{:?}", all.rows);
    let one = DynamodbRequest { limit: Some(1), ..query };
    assert_eq!(aws.read(&target, &keys, &one, 1_000_000, FetchLimits::default()).await.unwrap().rows.rows.len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_is_heard() {
    let sandbox = start(|_| {});
    let (aws, skew) = adapters(&sandbox);
    for shift in [120_000_i64, -90_000] {
        sandbox.clock.set_shift(shift);
        aws.identity(&target(Endpoint::Sandbox)).await.unwrap();
        let heard = skew.get().unwrap();
        assert!((heard - shift).abs() < 5_000, "{heard} for {shift}");
    }
}
