//! The walk of a query through our own Warehouse, against the sandbox's Athena over real files.

use indexmap::IndexMap;
use tollgate::core::plan::{Endpoint, PlanTarget};
use tollgate::core::session_policy::{self, AthenaScope};
use tollgate::core::units::{Millis, Timestamp};
use tollgate::engine::ports::{
    FetchLimits, Keys, MintRequest, QueryPhase, QueryStatus, Rights, StartQuery, TokenService as _, Warehouse as _,
};
use tollgate::sandbox::athena::Pace;
use tollgate::sandbox::dataset::{Day, Scale};
use tollgate::sandbox::host::{Options, Running};
use tollgate::sandbox::shop::{Shop, serve};

use super::sandbox::adapters_of;
use super::{Aws, mint, target, word};

const OUTPUT: &str = "s3://shop-results/tollgate/01JRUN/";

struct Lake {
    aws: Aws,
    target: PlanTarget,
    now: Timestamp,
    _running: Running,
    _dir: tempfile::TempDir,
}

impl Lake {
    fn open(pace: Pace) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(dir.path().join("sandbox"));
        let now = options.clock.now();
        let running = serve(options, Shop { scale: Scale::TINY, pace, data_dir: None }).unwrap();
        let (aws, _) = adapters_of(&running);
        Self { aws, target: target(Endpoint::Sandbox), now, _running: running, _dir: dir }
    }

    async fn keys(&self, policy: String) -> Keys {
        self.aws.assume(&self.target, &MintRequest { policy, ..mint() }).await.unwrap()
    }

    /// Keys of a mint for a step that reads the logs.
    async fn step(&self) -> Keys {
        let scope = AthenaScope {
            region: "eu-central-1",
            account: "123456789012",
            workgroup: "tg-small",
            tables: &[("web".to_owned(), "alb_logs".to_owned())],
            locations: &["s3://shop-lake/web/alb_logs/".to_owned()],
            output: OUTPUT,
            kms: &[],
            lake_formation: false,
        };
        let deadline = self.now.plus(Millis::from_mins(15));
        self.keys(session_policy::fill(&session_policy::athena(&scope), deadline, &IndexMap::new()).unwrap()).await
    }

    async fn janitor(&self) -> Keys {
        self.keys(session_policy::janitor("eu-central-1", "123456789012", "tg-small")).await
    }

    async fn until(&self, keys: &Keys, id: &str, done: impl Fn(&QueryStatus) -> bool) -> QueryStatus {
        // The adapters' own rate limit keeps this from spinning.
        for _ in 0..6_000 {
            let status = self.aws.status(&self.target, keys, id).await.unwrap();
            if done(&status) {
                return status;
            }
        }
        panic!("{id} never got there");
    }

    async fn ended(&self, keys: &Keys, id: &str) -> QueryStatus {
        self.until(keys, id, |status| !matches!(status.phase, QueryPhase::Queued | QueryPhase::Running)).await
    }
}

fn query(sql: &str, attempt: u32) -> StartQuery {
    StartQuery {
        statement: format!("{sql}\n-- tollgate 01JRUN/errors/{attempt}"),
        token: format!("{attempt:064}"),
        output: OUTPUT.into(),
        ..super::query()
    }
}

#[tokio::test]
async fn a_query_is_started_followed_fetched_and_found() {
    let lake = Lake::open(Pace::Off);
    let keys = lake.step().await;
    let group = lake.aws.workgroup(&lake.target, Rights::Minted(&keys), "tg-small").await.unwrap();
    assert!(group.enabled && group.cutoff == Some(100_000_000), "{group:?}");
    assert_eq!(lake.aws.workgroup(&lake.target, Rights::Own, "tg-small").await.unwrap(), group);

    let day = Day::of(lake.now).minus(1);
    let sql = format!("SELECT order_id, elb_status_code FROM alb_logs WHERE day = '{}' LIMIT 7", day);
    let id = lake.aws.start(&lake.target, &keys, &query(&sql, 1)).await.unwrap();
    assert_eq!(lake.aws.start(&lake.target, &keys, &query(&sql, 1)).await.unwrap(), id, "the same request is the same execution");
    let status = lake.ended(&keys, &id).await;
    assert_eq!((status.phase, &status.failure), (QueryPhase::Succeeded, &None));
    assert!(status.bytes.is_some_and(|bytes| bytes > 0) && status.elapsed_ms.is_some(), "{status:?}");
    let rows = lake.aws.rows(&lake.target, &keys, &id, FetchLimits::default()).await.unwrap();
    assert_eq!(rows.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["order_id", "elb_status_code"]);
    assert_eq!((rows.rows.len(), rows.truncated), (7, false));
    let few = lake.aws.rows(&lake.target, &keys, &id, FetchLimits { rows: 3, ..FetchLimits::default() }).await.unwrap();
    assert_eq!((few.rows.len(), few.truncated), (3, true));

    let failed = lake.aws.start(&lake.target, &keys, &query("SELECT nothing_such FROM alb_logs", 2)).await.unwrap();
    let failed = lake.ended(&keys, &failed).await;
    assert_eq!(failed.phase, QueryPhase::Failed);
    assert!(failed.failure.is_some_and(|failure| failure.code == "COLUMN_NOT_FOUND"), "named as Athena names it");

    // Whoever comes next finds it by its marker, with rights of their own and no more.
    let marker = |attempt: u32| format!("\n-- tollgate 01JRUN/errors/{attempt}");
    let janitor = lake.janitor().await;
    let found = lake.aws.find(&lake.target, &janitor, "tg-small", &marker(1), lake.now).await.unwrap();
    assert_eq!(found.map(|status| status.query_id), Some(id.clone()));
    assert_eq!(lake.aws.find(&lake.target, &janitor, "tg-small", &marker(3), lake.now).await.unwrap(), None);
    let nosy = lake.aws.find(&lake.target, &keys, "tg-small", &marker(1), lake.now).await;
    assert_eq!(word(&nosy), "refused AccessDeniedException", "a step's keys do not list");
    let rows = lake.aws.rows(&lake.target, &janitor, &id, FetchLimits::default()).await;
    assert_eq!(word(&rows), "refused AccessDeniedException", "a janitor does not read");
}

#[tokio::test]
async fn a_running_query_is_stopped_by_a_janitor() {
    let lake = Lake::open(Pace::Watchable);
    let keys = lake.step().await;
    let id = lake.aws.start(&lake.target, &keys, &query("SELECT * FROM alb_logs", 1)).await.unwrap();
    lake.until(&keys, &id, |status| status.phase == QueryPhase::Running).await;
    let janitor = lake.janitor().await;
    lake.aws.stop(&lake.target, &janitor, &id).await.unwrap();
    let status = lake.ended(&janitor, &id).await;
    assert_eq!(status.phase, QueryPhase::Cancelled);
    assert!(status.failure.is_some(), "{status:?}");
    lake.aws.stop(&lake.target, &janitor, &id).await.unwrap();
}
