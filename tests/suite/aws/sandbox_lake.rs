//! Looking at the sandbox's catalog: the facts are those that the generator wrote down, and a look's own session policy gives no more
//! than the tables it names.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::runtime::Handle;
use tollgate::adapters::aws::Listed;
use tollgate::adapters::catalog::{Look, Wanted};
use tollgate::adapters::clock::SystemClock;
use tollgate::adapters::objects::S3Objects;
use tollgate::core::catalog::file::Content;
use tollgate::core::catalog::{Table, read_catalog, tally};
use tollgate::core::plan::Endpoint;
use tollgate::core::session_policy::{self, LookScope};
use tollgate::core::units::{Bytes, Millis};
use tollgate::engine::ports::{Clock as _, Depth, MintRequest, Objects as _, Place, Rights, TokenService as _};
use tollgate::sandbox::athena::Pace;
use tollgate::sandbox::dataset::Scale;
use tollgate::sandbox::host::Options;
use tollgate::sandbox::server::probe;
use tollgate::sandbox::shop::{Shop, serve};

use super::sandbox::adapters_of;
use super::{mint, target, word};

fn rows(table: &Table) -> Vec<(Vec<Option<String>>, Option<u64>, Option<u64>, Option<u64>)> {
    let all = table.partitions.iter().flatten();
    all.map(|p| (p.values.clone(), p.files, p.bytes.map(|bytes| bytes.0), p.rows)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_sees_what_the_generator_wrote_down() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let shop = Shop { scale: Scale::TINY, pace: Pace::Off, data_dir: Some(data.clone()) };
    let running = serve(Options::new(dir.path().join("sandbox")), shop).unwrap();
    for attempt in 0.. {
        if probe(running.endpoint()).await.is_some_and(|status| status.data.ready) {
            break;
        }
        assert!(attempt < 1_200, "the data was not ready within a minute");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (aws, _) = adapters_of(&running);
    let aws = Arc::new(aws);
    let target = target(Endpoint::Sandbox);
    let now = SystemClock::default().now();
    let written = std::fs::read(data.join("catalog.yaml")).unwrap();
    let written = read_catalog("catalog.yaml", &written, "").whole().unwrap();

    let look = Look { aws: &aws, target: &target, rights: Rights::Own, list: true, now };
    let looked = look.tables("AwsDataCatalog", &Wanted::default()).await.unwrap();
    assert_eq!(looked.notices, Vec::<String>::new());
    assert!(looked.files > 9);
    let facts = &looked.catalog.catalogs["awsdatacatalog"].tables;
    assert_eq!(facts.len(), 4);
    for (name, table) in facts {
        let same = written.table(None, name).unwrap();
        assert_eq!((table.format, &table.location), (same.format, &same.location), "{name}");
        let columns = |table: &Table| -> Vec<String> { table.all_columns().map(|column| column.name.clone()).collect() };
        assert_eq!(columns(table), columns(same), "{name}");
        let kinds = |table: &Table| -> Vec<_> {
            let parse = tollgate::core::sql::types::Type::parse;
            table.all_columns().map(|column| parse(&column.column_type)).collect()
        };
        assert_eq!(kinds(table), kinds(same), "{name}");
        let mut same_rows = rows(same);
        if table.partition_keys.is_empty() {
            // Rows of a table without partitions are its statistics', which a listing does not count.
            same_rows.iter_mut().for_each(|row| row.3 = None);
        }
        assert_eq!(rows(table), same_rows, "{name}");
    }

    // Footers of the objects say what the generator's own look at the files did.
    let objects = S3Objects::new(Arc::clone(&aws), target.clone(), None, SystemClock::default(), Handle::current());
    let alb = written.table(None, "web.alb_logs").unwrap();
    let places: Vec<Place> = alb
        .partitions
        .as_ref()
        .unwrap()
        .iter()
        .map(|partition| Place {
            location: tally::location(alb, partition).unwrap(),
            base: String::new(),
            format: alb.format,
            depth: Depth::Footers,
        })
        .collect();
    let before = running.ledger().len();
    let listings = objects.look(&places);
    for (listing, partition) in listings.iter().zip(alb.partitions.as_ref().unwrap()) {
        assert_eq!((listing.failure.as_deref(), Some(Bytes(listing.bytes()))), (None, partition.bytes));
        let mut merchants = 0;
        for file in &listing.files {
            let Content::Parquet(parquet) = &file.content else { panic!("{file:?}") };
            let leaf = parquet.leaves.iter().position(|leaf| leaf == &["merchant"]).unwrap();
            merchants += parquet.groups.iter().map(|group| group.chunks[leaf].bytes).sum::<u64>();
        }
        assert_eq!(Bytes(merchants), partition.column_bytes["merchant"]);
    }
    let files: usize = listings.iter().map(|listing| listing.files.len()).sum();
    assert_eq!(running.ledger().len() - before, places.len() + files, "one listing a place, one range a small footer");
    let again = objects.look(&places);
    assert_eq!(running.ledger().len() - before, 2 * places.len() + files, "footers are kept by their ETag");
    assert!(again.iter().zip(&listings).all(|(again, first)| again.files == first.files));
    let elsewhere = Place { location: "s3://nowhere/x".to_owned(), ..places[0].clone() };
    let failed = objects.look(&[elsewhere]);
    assert!(failed[0].failure.as_deref().unwrap().contains("NoSuchBucket"), "{failed:?}");

    // What a look may do once it was approved: the plan's tables, no objects, until the deadline.
    let scope = LookScope {
        region: "eu-central-1",
        account: "123456789012",
        tables: &[("web".to_owned(), "alb_logs".to_owned())],
        locations: &["s3://shop-lake/web/alb_logs/".to_owned()],
    };
    let policy = session_policy::fill(&session_policy::look(&scope), now.plus(Millis::from_mins(15)), &IndexMap::new()).unwrap();
    let keys = aws.assume(&target, &MintRequest { policy, ..mint() }).await.unwrap();
    let minted = Look { rights: Rights::Minted(&keys), ..look };
    let wanted =
        |database: &str, table: &str| Wanted { tables: vec![(database.to_owned(), table.to_owned())], ..Wanted::default() };
    let own = minted.tables("awsdatacatalog", &wanted("web", "alb_logs")).await.unwrap();
    assert_eq!(own.notices, Vec::<String>::new());
    assert_eq!(rows(own.catalog.table(None, "web.alb_logs").unwrap()), rows(written.table(None, "web.alb_logs").unwrap()));
    let other = minted.tables("awsdatacatalog", &wanted("shop", "customers")).await;
    assert_eq!(word(&other), "refused AccessDeniedException");
    assert_eq!(word(&minted.tables("awsdatacatalog", &Wanted::default()).await), "refused AccessDeniedException");
    let stray = aws.list(&target, Rights::Minted(&keys), "s3://shop-lake/shop/customers/", |_| {}).await;
    assert_eq!(word(&stray), "refused AccessDenied");

    // Ranges with the operator's own rights, none with the look's.
    let mut objects: Vec<Listed> = Vec::new();
    aws.list(&target, Rights::Own, "s3://shop-lake/web/alb_logs/", |object| objects.push(object)).await.unwrap();
    let first = objects.first().unwrap();
    let end = aws.range(&target, Rights::Own, first, first.bytes - 4, 4).await.unwrap();
    assert_eq!(end, b"PAR1");
    assert_eq!(word(&aws.range(&target, Rights::Own, first, first.bytes, 4).await), "refused InvalidRange");
    let changed = Listed { etag: "\"other\"".to_owned(), ..first.clone() };
    assert_eq!(word(&aws.range(&target, Rights::Own, &changed, 0, 4).await), "refused PreconditionFailed");
    assert_eq!(word(&aws.range(&target, Rights::Minted(&keys), first, 0, 4).await), "refused AccessDenied");
}
