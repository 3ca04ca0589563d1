//! Looking at catalogs: against a server that says what a script tells it, against the sandbox with and without a look's own session
//! policy, and against moto's Glue and S3, which others wrote.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tollgate::adapters::aws::{Listed, Patience};
use tollgate::adapters::catalog::{Look, Looked, Wanted};
use tollgate::core::catalog::{Format, Partition, Table, read_catalog, write_catalog};
use tollgate::core::plan::{Endpoint, PlanTarget};
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{Rights, ServiceError};

use super::moto::Moto;
use super::script::{Say, Script};
use super::{aws_at, patience, target, word};

fn now() -> Timestamp {
    "2026-11-20T08:15:00Z".parse().unwrap()
}

fn look<'a>(aws: &'a tollgate::adapters::aws::Aws, target: &'a PlanTarget, rights: Rights<'a>) -> Look<'a> {
    Look { aws, target, rights, list: true, now: now() }
}

fn table<'a>(looked: &'a Looked, name: &str) -> &'a Table {
    looked.catalog.table(None, name).unwrap_or_else(|| panic!("{name}: {looked:?}"))
}

fn sizes(table: &Table) -> Vec<String> {
    let one = |p: &Partition| {
        let values: Vec<&str> = p.values.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
        let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        format!("{} {} {}", values.join("|"), number(p.files), number(p.bytes.map(|bytes| bytes.0)))
    };
    table.partitions.as_ref().map(|all| all.iter().map(one).collect()).unwrap_or_default()
}

fn xml(status: u16, body: &str) -> Say {
    Say::Text(status, "content-type: application/xml\r\nx-amz-request-id: r", body.to_owned())
}

fn page(keys: &[(&str, u64)], next: Option<&str>) -> Say {
    let each: String = keys
        .iter()
        .map(|(key, bytes)| format!("<Contents><Key>{key}</Key><Size>{bytes}</Size><ETag>&quot;e&quot;</ETag></Contents>"))
        .collect();
    let next = next.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    let truncated = next.is_some();
    let next = next.unwrap_or_default();
    xml(200, &format!("<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{each}{next}</ListBucketResult>"))
}

#[tokio::test]
async fn what_is_lost_is_asked_again_and_what_is_refused_is_not() {
    let refused = |status, code: &str| xml(status, &format!("<Error><Code>{code}</Code><Message>because</Message></Error>"));
    let good = || page(&[("t/a", 3)], None);
    let table: Vec<(&str, Vec<Say>, &str, usize)> = vec![
        ("answers", vec![good()], "ok", 1),
        ("hangs up once", vec![Say::HangUp, good()], "ok", 2),
        ("is busy twice", vec![refused(503, "SlowDown"), refused(503, "SlowDown"), good()], "ok", 3),
        ("stays busy", vec![refused(503, "SlowDown"); 3], "later", 3),
        ("breaks", vec![refused(500, "InternalError"), good()], "ok", 2),
        ("refuses", vec![refused(403, "AccessDenied")], "refused AccessDenied", 1),
        ("has no such bucket", vec![refused(404, "NoSuchBucket")], "refused NoSuchBucket", 1),
        ("is a proxy", vec![Say::Text(403, "content-type: text/html", "<html>no".into())], "no answer", 1),
        ("is cut off", vec![page(&[("t/a", 3)], Some("more")), Say::HangUp, Say::HangUp, Say::HangUp], "no answer", 4),
        (
            "lies about its end",
            vec![xml(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")],
            "no answer",
            1,
        ),
        ("says nothing", vec![xml(200, "")], "no answer", 1),
    ];
    for (what, says, expected, requests) in table {
        let script = Script::of(says).await;
        let (aws, _) = aws_at(&script.url, patience());
        let mut found = Vec::new();
        let listed = aws.list(&target(Endpoint::Sandbox), Rights::Own, "s3://lake/t/", |object| found.push(object)).await;
        assert_eq!((word(&listed).as_str(), script.asked().len()), (expected, requests), "{what}: {listed:?}");
    }
    let silent = Script::of(vec![Say::Silence, Say::Silence]).await;
    let (aws, _) = aws_at(&silent.url, Patience { call: Duration::from_millis(200), ..patience() });
    let listed = aws.list(&target(Endpoint::Sandbox), Rights::Own, "s3://lake/t/", |_| {}).await;
    assert_eq!(word(&listed), "no answer");
}

#[tokio::test]
async fn pages_are_followed_and_requests_are_signed() {
    let script = Script::of(vec![page(&[("t/day%3D1/a", 3)], Some("a+b/c")), page(&[("t/day%3D2/b", 4)], None)]).await;
    let (aws, _) = aws_at(&script.url, patience());
    let mut found = Vec::new();
    aws.list(&target(Endpoint::Sandbox), Rights::Own, "s3://lake/t/", |object| found.push(object.address)).await.unwrap();
    assert_eq!(found, ["s3://lake/t/day=1/a", "s3://lake/t/day=2/b"]);
    let asked = script.asked();
    assert!(asked[0].0.starts_with("get /lake/?list-type=2&encoding-type=url&prefix=t%2f http/1.1"), "{}", asked[0].0);
    assert!(asked[1].0.contains("&continuation-token=a%2bb%2fc"), "{}", asked[1].0);
    assert!(asked[0].0.contains("x-amz-content-sha256: e3b0c442") && asked[0].0.contains("/eu-central-1/s3/aws4_request"));
}

#[tokio::test]
async fn a_bucket_of_another_region_is_asked_there() {
    let elsewhere = Say::Text(
        301,
        "content-type: application/xml\r\nx-amz-bucket-region: eu-west-1\r\nx-amz-request-id: r",
        "<Error><Code>PermanentRedirect</Code></Error>".into(),
    );
    let script = Script::of(vec![elsewhere, page(&[], None), page(&[], None)]).await;
    let (aws, _) = aws_at(&script.url, patience());
    for _ in 0..2 {
        aws.list(&target(Endpoint::Sandbox), Rights::Own, "s3://lake/t/", |_| {}).await.unwrap();
    }
    let regions: Vec<bool> = script.asked().iter().map(|(head, _)| head.contains("/eu-west-1/s3/aws4_request")).collect();
    assert_eq!(regions, [false, true, true], "the region is remembered");
}

#[tokio::test]
async fn a_range_is_what_was_asked_for_or_an_error() {
    let object = Listed { address: "s3://lake/t/day=2026%2F11/a".to_owned(), bytes: 10, etag: "\"e\"".to_owned() };
    let part = |status, body: &str| Say::Text(status, "x-amz-request-id: r", body.to_owned());
    for (says, expected) in [
        (vec![part(206, "cdef")], "ok"),
        (vec![part(206, "cde")], "no answer"),
        (vec![part(200, "abcdefghij")], "no answer"),
        (vec![xml(412, "<Error><Code>PreconditionFailed</Code></Error>")], "refused PreconditionFailed"),
        (vec![xml(416, "<Error><Code>InvalidRange</Code></Error>")], "refused InvalidRange"),
    ] {
        let script = Script::of(says).await;
        let (aws, _) = aws_at(&script.url, patience());
        let read = aws.range(&target(Endpoint::Sandbox), Rights::Own, &object, 2, 4).await;
        assert_eq!(word(&read), expected, "{read:?}");
        let head = &script.asked()[0].0;
        assert!(head.starts_with("get /lake/t/day%3d2026%252f11/a http/1.1") && head.contains("range: bytes=2-5"), "{head}");
        assert!(head.contains("if-match: \"e\""), "{head}");
    }
}

#[tokio::test]
async fn a_table_that_may_not_be_listed_keeps_its_statistics() {
    let glue = |body| Say::Json(200, body);
    let described = json!({ "Table": {
        "Name": "t", "DatabaseName": "web", "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{ "Name": "day", "Type": "string" }],
        "StorageDescriptor": { "Location": "s3://lake/t", "Columns": [{ "Name": "a", "Type": "int" }],
            "InputFormat": "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat" },
    }});
    let partitions = json!({ "Partitions": [
        { "Values": ["1"], "Parameters": { "totalSize": "70", "numFiles": "2", "numRows": "9" } },
        { "Values": ["__HIVE_DEFAULT_PARTITION__"], "StorageDescriptor": { "Location": "s3a://other/x/" } },
    ]});
    let denied = xml(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    let script = Script::of(vec![glue(described), glue(partitions), denied]).await;
    let (aws, _) = aws_at(&script.url, patience());
    let target = target(Endpoint::Sandbox);
    let wanted = Wanted { tables: vec![("web".to_owned(), "t".to_owned())], ..Wanted::default() };
    let looked = look(&aws, &target, Rights::Own).tables("AwsDataCatalog", &wanted).await.unwrap();
    assert_eq!(looked.catalog.name, "awsdatacatalog");
    let found = table(&looked, "web.t");
    assert_eq!((found.format, sizes(found)), (Some(Format::Orc), vec!["1 2 70".to_owned(), "NULL ? ?".to_owned()]));
    assert_eq!(found.partitions.as_ref().unwrap()[1].location.as_deref(), Some("s3://other/x/"));
    assert!(looked.notices[0].contains("cannot be listed (AccessDenied"), "{:?}", looked.notices);
    let first: serde_json::Value = serde_json::from_str(&script.asked()[0].1).unwrap();
    assert_eq!(first, json!({ "DatabaseName": "web", "Name": "t", "CatalogId": "123456789012" }));
}

/// Everything that a script authors at moto: see `tests/python/moto_lake.py`.
#[tokio::test]
async fn moto_shows_its_tables() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => return println!("skipped: no moto here ({})", why.trim()),
    };
    let python = crate::python::python("moto.txt", "python-moto").unwrap();
    let author = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/moto_lake.py");
    let mut command = Command::new(python);
    command.arg(author).env_clear().env("HOME", std::env::temp_dir()).env("AWS_ENDPOINT_URL", &moto.url);
    command.env("AWS_REGION", "eu-central-1").env("AWS_DEFAULT_REGION", "eu-central-1");
    let authored = command.env("AWS_ACCESS_KEY_ID", "AKIAX").env("AWS_SECRET_ACCESS_KEY", "x").output().unwrap();
    assert!(authored.status.success(), "{}", String::from_utf8_lossy(&authored.stderr));

    let (aws, _) = aws_at(&moto.url, patience());
    let target = target(Endpoint::Sandbox);
    let looked = look(&aws, &target, Rights::Own).tables("lake", &Wanted::default()).await.unwrap();
    let names: Vec<&String> = looked.catalog.catalogs["lake"].tables.keys().collect();
    assert_eq!(names, ["logs.devices", "logs.flat", "logs.hive", "logs.ice", "logs.lost", "logs.projected", "logs.v"]);

    let hive = table(&looked, "logs.hive");
    assert_eq!(sizes(hive), ["2026/11/19|eu 2 30", "2026/11/20|eu 1 7", "2026/11/20|us 0 0", "moved|eu 1 9"]);
    assert_eq!(hive.partitions.as_ref().unwrap()[3].location.as_deref(), Some("s3://elsewhere/moved/"));
    assert_eq!(sizes(table(&looked, "logs.flat")), [" 2 11"]);
    assert_eq!(sizes(table(&looked, "logs.projected")), ["2026/11/18|00 1 5", "2026/11/20|07 2 12"]);
    assert_eq!(sizes(table(&looked, "logs.devices")), ["d-1 1 4", "d-2 1 6"]);
    assert_eq!(table(&looked, "logs.ice").partitions, None);
    assert_eq!(table(&looked, "logs.lost").partitions, None);
    assert_eq!(table(&looked, "logs.v").view.as_deref(), Some("SELECT id FROM logs.flat"));
    let said = looked.notices.join("\n");
    for words in [
        "logs.ice: Iceberg keeps its own metadata: what a query reads is unknown, the table's total is 40 B",
        "logs.lost: its partition projection cannot be used: `projection.day.format` is missing",
        "logs.hive: 1 files (3 B) below its location belong to no partition",
        "logs.projected: 1 files (100 B) below its location belong to no partition",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }

    let one = look(&aws, &target, Rights::Own);
    let described = aws.table(&target, Rights::Own, "logs", "hive").await.unwrap().unwrap();
    let eu = aws.partitions(&target, Rights::Own, &described, Some("region = 'us'")).await.unwrap();
    assert_eq!(eu.len(), 1, "the expression goes to the service: {eu:?}");
    let gone = aws.table(&target, Rights::Own, "logs", "nothing").await.unwrap();
    assert!(gone.is_none());
    let wanted = Wanted { databases: vec!["nothing".to_owned()], ..Wanted::default() };
    let refused = one.tables("lake", &wanted).await;
    assert!(matches!(&refused, Err(ServiceError::Refused(failure)) if failure.code == "EntityNotFoundException"), "{refused:?}");

    let text = write_catalog(&looked.catalog, &looked.notices);
    let again = read_catalog("catalog.yaml", text.as_bytes(), "").whole().unwrap();
    assert_eq!(sizes(again.table(None, "logs.projected").unwrap()), sizes(table(&looked, "logs.projected")));
}
