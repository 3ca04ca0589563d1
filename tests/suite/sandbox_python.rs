//! Clients that nobody here wrote: boto3 (and PyAthena) hold scripted conversations with the sandbox. The scripts are in
//! `tests/python`; without Python, or without packages to install, they are skipped with a notice.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::sandbox_client::start;

/// A Python that has the pinned packages, in `target/`; or why there is none.
pub(crate) fn python() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = root.join("tests/python/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let venv = root.join("target/python-clients");
    let (python, stamp) = (venv.join("bin/python"), venv.join("installed.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "-r"];
    run(Command::new(&python).args(install).arg(&requirements))?;
    std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(output) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn boto3_holds_a_conversation() {
    let python = match python() {
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
