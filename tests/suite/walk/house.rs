//! One state directory with its sandbox, and processes of the binary in it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Waiting for anything longer than this is a failure.
const PATIENCE: Duration = Duration::from_secs(90);

/// A state directory, its sandbox, and the shipped book.
pub(super) struct House {
    dir: tempfile::TempDir,
    sandbox: String,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// Its exit code; -1 for a signal.
    pub code: i32,
    /// stdout.
    pub out: String,
    /// stderr.
    pub said: String,
}

impl Ran {
    /// The events on stdout.
    pub(super) fn events(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An open request.
pub(super) struct Request {
    /// Its id.
    pub id: String,
    /// The plan's digest.
    pub digest: String,
}

impl House {
    /// A house whose sandbox has this pace.
    pub(super) fn open(pace: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let house = Self { dir, sandbox: format!("--scale tiny {pace}") };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks"), &house.path("book"));
        house
    }

    /// A path in the house.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Adds a runbook with these steps to the book.
    pub(super) fn own_book(&self, steps: &str, id: &str) {
        let text = format!(
            "runbook: v1\nid: {id}\ntitle: {id}\ninputs:\n  day: {{ type: date, as: \"%Y/%m/%d\", default: yesterday }}\naccess: {{ target: shop-readonly }}\n{steps}\n"
        );
        std::fs::write(self.path("book").join(format!("{id}.yaml")), text).unwrap();
    }

    fn command(&self, who: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TOLLGATE_SANDBOX", &self.sandbox)
            .env("TOLLGATE_BOOK", self.path("book"))
            .arg("--state-dir")
            .arg(self.path("state"))
            .args(["--as", who])
            .args(words)
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(super) fn run(&self, who: &str, words: &[&str]) -> Ran {
        self.begin(who, words).end()
    }

    /// Begins a process.
    pub(super) fn begin(&self, who: &str, words: &[&str]) -> Walk {
        let mut child = self.command(who, words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let said = Lines::of(child.stderr.take().unwrap());
        Walk { child, out, said }
    }

    /// The one open request, once there is one.
    pub(super) fn request(&self) -> Request {
        let end = Instant::now() + PATIENCE;
        loop {
            let listed = self.run("lea", &["requests", "list", "--format", "json"]);
            if let Some(line) = listed.out.lines().next() {
                let found: Value = serde_json::from_str(line).unwrap();
                let text = |key: &str| found[key].as_str().unwrap().to_owned();
                return Request { id: text("request"), digest: text("digest") };
            }
            assert!(Instant::now() < end, "no request came: {}", listed.said);
        }
    }

    /// Votes on the one open request.
    pub(super) fn vote(&self, who: &str, vote: &str, more: &[&str]) {
        let request = self.request();
        let words = [&["requests", vote, &request.id, "--digest", &request.digest[..12]], more].concat();
        let voted = self.run(who, &words);
        assert_eq!(voted.code, 0, "{}", voted.said);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // The sandbox that this house started, and no other.
        let _ = self.command("ana", &["sandbox", "stop"]).output();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Lines of a pipe, as they come.
#[derive(Clone)]
struct Lines(Arc<(Mutex<(Vec<String>, bool)>, Condvar)>);

impl Lines {
    fn of(pipe: impl std::io::Read + Send + 'static) -> Self {
        let lines = Self(Arc::new((Mutex::new((Vec::new(), false)), Condvar::new())));
        let shared = lines.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            while reader.by_ref().read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                shared.0.0.lock().unwrap().0.push(text);
                shared.0.1.notify_all();
                line.clear();
            }
            shared.0.0.lock().unwrap().1 = true;
            shared.0.1.notify_all();
        });
        lines
    }

    fn wait(&self, holds: impl Fn(&[String], bool) -> bool) -> Option<String> {
        let (guard, timeout) =
            self.0.1.wait_timeout_while(self.0.0.lock().unwrap(), PATIENCE, |(lines, ended)| !holds(lines, *ended)).unwrap();
        (!timeout.timed_out()).then(|| guard.0.concat())
    }
}

/// A process under way.
pub(super) struct Walk {
    child: Child,
    out: Lines,
    said: Lines,
}

impl Walk {
    /// Waits until stdout has an event of this kind.
    pub(super) fn sees(&self, kind: &str) {
        let wanted = format!("\"kind\":\"{kind}\"");
        let found = self.out.wait(|lines, ended| ended || lines.iter().any(|line| line.contains(&wanted)));
        assert!(
            found.as_ref().is_some_and(|text| text.contains(&wanted)),
            "never {kind}: {}",
            self.said.wait(|_, _| true).unwrap_or_default()
        );
    }

    /// The run's id, from its first event.
    pub(super) fn run_id(&self) -> String {
        let text = self.out.wait(|lines, ended| ended || !lines.is_empty()).unwrap();
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        first["run"].as_str().unwrap().to_owned()
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another signal.
    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Ran {
        let end = Instant::now() + PATIENCE;
        // Both pipes end with the process.
        let out = self.out.wait(|_, ended| ended);
        let said = self.said.wait(|_, ended| ended);
        let (Some(out), Some(said)) = (out, said) else {
            let _ = self.child.kill();
            panic!("it does not end: {}", self.said.wait(|_, _| true).unwrap_or_default());
        };
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ran { code: status.code().unwrap_or(-1), out, said };
            }
            assert!(Instant::now() < end, "it closed its pipes and does not end");
            std::thread::yield_now();
        }
    }
}
