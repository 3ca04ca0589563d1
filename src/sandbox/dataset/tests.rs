use std::fs;
use std::path::Path;

use tokio::sync::watch;

use super::lake::Lake;
use super::*;
use crate::core::units::Timestamp;
use crate::sandbox::api::Progress;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn made(root: &Path, now: &str) -> (Lake, Progress) {
    let (sender, receiver) = watch::channel(Progress::default());
    let lake = generate(root, &Scale::TINY, at(now), &sender).unwrap();
    let progress = receiver.borrow().clone();
    (lake, progress)
}

/// Every file with its bytes, by path.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(root).unwrap().display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_same_start_gives_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (lake, progress) = made(one.path(), "2026-11-20T08:00:00Z");
    made(two.path(), "2026-11-20T08:00:00Z");
    let (one, two) = (files(one.path()), files(two.path()));
    assert_eq!(one.iter().map(|f| &f.0).collect::<Vec<_>>(), two.iter().map(|f| &f.0).collect::<Vec<_>>());
    assert!(one == two);
    assert_eq!(one.len(), 1 + 1 + 3 * 3 + 2, "catalog, customers, three tables of three days, two of them with a second file");
    assert!(progress.ready && progress.error.is_none());
    assert_eq!((progress.done_days, progress.total_days), (3, 3));
    assert_eq!(progress.done_bytes, lake.bytes());
    // The facts are those of the files.
    let alb = lake.table("web", "alb_logs").unwrap();
    assert_eq!(alb.partitions.iter().map(|p| p.rows()).collect::<Vec<_>>(), [300, 1500, 1500]);
    for partition in &alb.partitions {
        let chunks: u64 = partition.column_bytes.iter().map(|c| c.1).sum();
        assert!(chunks > 0 && chunks < partition.bytes());
    }
}

#[test]
fn a_second_start_touches_nothing_and_a_later_day_is_added() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), "2026-11-20T08:00:00Z");
    let stamp = |name: &str| fs::metadata(dir.path().join(name)).unwrap().modified().unwrap();
    let kept = "web/alb_logs/day=2026%2F11%2F20/part-00000.parquet";
    let before = stamp(kept);
    made(dir.path(), "2026-11-20T23:59:59Z");
    assert_eq!(stamp(kept), before);
    let (lake, _) = made(dir.path(), "2026-11-21T00:00:00Z");
    assert_eq!(stamp(kept), before, "yesterday keeps what it had as today");
    let days = |lake: &Lake| {
        lake.table("shop", "orders").unwrap().partitions.iter().map(|p| p.day.unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(days(&lake), ["2026/11/19", "2026/11/20", "2026/11/21"]);
    assert!(!dir.path().join("shop/orders/day=2026%2F11%2F18").exists(), "the day that fell out of the window is gone");
}

#[test]
fn a_killed_start_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), "2026-11-20T08:00:00Z");
    let whole = files(dir.path());
    let folder = dir.path().join("web/alb_logs/day=2026%2F11%2F20");
    // A file cut short, a file missing, a file that was being written.
    let cut = folder.join("part-00000.parquet");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(dir.path().join("shop/orders/day=2026%2F11%2F19/part-00000.parquet")).unwrap();
    fs::write(dir.path().join("shop/customers/.making-part-00000.parquet"), b"PAR1").unwrap();
    fs::remove_file(dir.path().join("shop/customers/part-00000.parquet")).unwrap();
    fs::write(dir.path().join("shop/orders/notes.txt"), b"mine").unwrap();
    made(dir.path(), "2026-11-20T08:00:00Z");
    let mut again = files(dir.path());
    again.retain(|f| f.0 != "shop/orders/notes.txt");
    assert!(again == whole);
    assert!(dir.path().join("shop/orders/notes.txt").exists(), "what is not ours stays");
}

#[test]
fn another_scale_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), "2026-11-20T08:00:00Z");
    let (sender, _receiver) = watch::channel(Progress::default());
    let scale = Scale { alb_recent: 900, alb_files: 1, ..Scale::TINY };
    let lake = generate(dir.path(), &scale, at("2026-11-20T08:00:00Z"), &sender).unwrap();
    let alb = lake.table("web", "alb_logs").unwrap();
    assert_eq!(alb.partitions.iter().map(|p| (p.rows(), p.files.len())).collect::<Vec<_>>(), [(300, 1), (900, 1), (900, 1)]);
    assert!(!dir.path().join("web/alb_logs/day=2026%2F11%2F20/part-00001.parquet").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data");
    fs::write(&file, b"").unwrap();
    let (sender, receiver) = watch::channel(Progress::default());
    let error = generate(&file, &Scale::TINY, at("2026-11-20T08:00:00Z"), &sender).unwrap_err();
    assert!(error.report().starts_with("cannot write "), "{}", error.report());
    assert_eq!(receiver.borrow().error, Some(error.report()));
    assert!(!receiver.borrow().ready);
}

#[test]
fn the_catalog_is_yaml_with_every_fact() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, _) = made(dir.path(), "2026-11-20T08:00:00Z");
    let text = fs::read_to_string(dir.path().join(CATALOG_FILE)).unwrap();
    let yaml: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(yaml["catalog"], "v1");
    assert_eq!(yaml["taken_at"], "2026-11-20T08:00:00.000Z");
    let alb = &yaml["tables"]["web.alb_logs"];
    assert_eq!(alb["location"], "s3://shop-lake/web/alb_logs/");
    assert_eq!(alb["partition_keys"][0]["name"], "day");
    assert_eq!(alb["partitions"][2]["values"][0], "2026/11/20");
    assert_eq!(alb["partitions"][2]["files"], 2);
    let today = &lake.table("web", "alb_logs").unwrap().partitions[2];
    assert_eq!(alb["partitions"][2]["bytes"], today.bytes());
    assert_eq!(
        alb["partitions"][2]["column_bytes"]["order_id"],
        today.column_bytes.iter().find(|c| c.0 == "order_id").unwrap().1
    );
    let email = yaml["tables"]["shop.customers"]["columns"].as_array().unwrap().iter().find(|c| c["name"] == "email").unwrap();
    assert_eq!(email["tags"][0], "pii");
    assert_eq!(yaml["tables"]["shop.customers"]["partitions"][0]["values"].as_array().unwrap().len(), 0);
}

/// By command: what a user waits for. `cargo test --release --lib dataset -- --ignored --nocapture`
#[test]
#[ignore = "writes 250 MB"]
fn measure_the_shipped_scale() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, _receiver) = watch::channel(Progress::default());
    let start = std::time::Instant::now();
    let lake = generate(dir.path(), &Scale::SHIPPED, at("2026-11-20T08:00:00Z"), &sender).unwrap();
    println!("generated {} MB in {:?}", lake.bytes() / 1_000_000, start.elapsed());
    for table in &lake.tables {
        let bytes = |ps: &[lake::Partition]| ps.iter().map(lake::Partition::bytes).sum::<u64>();
        let last = table.partitions.last().unwrap();
        println!(
            "{:<26} {:>10} bytes, {:>8} rows, first {:>9}, last {:>9} = {:.0} per row, files {:?}",
            table.table.full_name(),
            bytes(&table.partitions),
            table.partitions.iter().map(lake::Partition::rows).sum::<u64>(),
            table.partitions[0].bytes(),
            last.bytes(),
            last.bytes() as f64 / last.rows() as f64,
            last.files.iter().map(|f| f.bytes).collect::<Vec<_>>(),
        );
        for (column, bytes) in &last.column_bytes {
            print!("{column} {} ", bytes / 1000);
        }
        println!("(kB)");
    }
    let start = std::time::Instant::now();
    generate(dir.path(), &Scale::SHIPPED, at("2026-11-20T09:00:00Z"), &sender).unwrap();
    println!(
        "second start {:?}, catalog {} kB",
        start.elapsed(),
        fs::metadata(dir.path().join(CATALOG_FILE)).unwrap().len() / 1000
    );
}
