//! Clients that nobody here wrote: boto3 (and PyAthena) hold scripted conversations with the sandbox. The scripts are in
//! `tests/python`; without Python, or without packages to install, they are skipped with a notice.

use std::path::Path;
use std::process::Command;

use crate::python::python;
use crate::sandbox_client::start;

#[test]
fn boto3_holds_a_conversation() {
    let python = match python("requirements.txt", "python-clients") {
        Ok(python) => python,
        Err(why) => return println!("skipped: no Python with boto3 here ({})", why.trim()),
    };
    let sandbox = start(|_| {});
    let endpoint = sandbox.running.endpoint();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/door.py");
    let output = Command::new(python)
        .arg(script)
        .env_clear()
        .env("HOME", sandbox.dir.path())
        .env("AWS_ENDPOINT_URL", &endpoint.url)
        .env("AWS_REGION", &endpoint.keys.region)
        .env("AWS_DEFAULT_REGION", &endpoint.keys.region)
        .env("AWS_ACCESS_KEY_ID", &endpoint.keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", endpoint.keys.secret_access_key.reveal())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.ends_with("deadlines\n"), "{out}");
}
