//! Clients that nobody here wrote: boto3 and PyAthena hold scripted conversations with the sandbox. The scripts are in
//! `tests/python`; without Python, or without packages to install, they are skipped with a notice.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tollgate::core::units::Timestamp;
use tollgate::sandbox::athena::Pace;
use tollgate::sandbox::clock::Clock;
use tollgate::sandbox::dataset::Scale;
use tollgate::sandbox::host::{Options, Running};
use tollgate::sandbox::server::probe;
use tollgate::sandbox::shop::{Shop, serve};

use crate::python::python;
use crate::sandbox_client::start;

/// Runs a script against the sandbox and asserts that it came to its last line.
fn converse(script: &str, running: &Running, home: &Path, last: &str, day: Timestamp) {
    let python = match python("requirements.txt", "python-clients") {
        Ok(python) => python,
        Err(why) => return println!("skipped: no Python with boto3 here ({})", why.trim()),
    };
    let endpoint = running.endpoint();
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script))
        .env_clear()
        .env("HOME", home)
        .env("AWS_ENDPOINT_URL", &endpoint.url)
        .env("AWS_REGION", &endpoint.keys.region)
        .env("AWS_DEFAULT_REGION", &endpoint.keys.region)
        .env("AWS_ACCESS_KEY_ID", &endpoint.keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", endpoint.keys.secret_access_key.reveal())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("DAY", day.to_string()[..10].replace('-', "/"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.ends_with(&format!("{last}\n")), "{out}");
}

#[test]
fn boto3_holds_a_conversation() {
    let sandbox = start(|_| {});
    converse("door.py", &sandbox.running, sandbox.dir.path(), "deadlines", sandbox.clock.now());
}

#[test]
fn boto3_reads_the_catalog_and_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop { scale: Scale::TINY, pace: Pace::Off, data_dir: None };
    let now = Clock::system().now();
    let running = serve(Options::new(dir.path().join("sandbox")), shop).unwrap();
    wait_for_data(&running);
    converse("lake.py", &running, dir.path(), "session policies", now);
}

/// Waits until the data is there: unlike queries, catalog and files do not wait for it.
fn wait_for_data(running: &Running) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..1_200 {
            if probe(running.endpoint()).await.is_some_and(|status| status.data.ready) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the data was not ready within a minute");
    });
}

#[test]
fn pyathena_holds_a_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop { scale: Scale::TINY, pace: Pace::Off, data_dir: None };
    let now = Clock::system().now();
    let running = serve(Options::new(dir.path().join("sandbox")), shop).unwrap();
    converse("athena.py", &running, dir.path(), "session policies", now);
}
