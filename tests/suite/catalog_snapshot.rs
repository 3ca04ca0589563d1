//! `catalog snapshot` and `guard --look` as processes, against a sandbox that is one too.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tollgate::core::catalog::read_catalog;

/// A sandbox in the foreground, ended with the test.
struct Sandbox {
    child: Child,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Here {
    dir: tempfile::TempDir,
    _sandbox: Sandbox,
}

impl Here {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let book = dir.path().join("book");
        std::fs::create_dir(&book).unwrap();
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, book.join(path.file_name().unwrap())).unwrap();
        }
        let mut command = tollgate(dir.path());
        command.args(["sandbox", "--scale", "tiny", "--pace", "off"]).stdout(Stdio::null()).stderr(Stdio::null());
        let here = Self { _sandbox: Sandbox { child: command.spawn().unwrap() }, dir };
        for attempt in 0.. {
            let status = here.run(&["sandbox", "status"]);
            if String::from_utf8_lossy(&status.stdout).contains("ready") {
                return here;
            }
            assert!(attempt < 600, "the sandbox was not ready within a minute: {status:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        here
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tollgate(self.dir.path()).args(arguments).output().unwrap()
    }

    fn book(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("book").join(name)
    }
}

/// The program, with a state directory and the book below `dir`, and nothing of this environment.
fn tollgate(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.env_clear().env("HOME", dir).arg("--state-dir").arg(dir.join("state")).arg("--book").arg(dir.join("book"));
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_snapshot_of_the_sandbox_is_a_catalog_to_judge_by() {
    let here = Here::new();
    let before = read_catalog("c", &std::fs::read(here.book("catalog.yaml")).unwrap(), "").whole().unwrap();
    let made = here.run(&["catalog", "snapshot"]);
    assert!(made.status.success() && said(&made).contains("4 tables, 10 partitions"), "{}", said(&made));
    let text = std::fs::read(here.book("catalog.yaml")).unwrap();
    let after = read_catalog("catalog.yaml", &text, "").whole().unwrap();
    assert!(!before.dynamodb.is_empty() && after.dynamodb.keys().eq(before.dynamodb.keys()), "other sections are kept");
    let tags = |catalog: &tollgate::core::catalog::Catalog| {
        catalog.table(None, "shop.customers").unwrap().column("email").unwrap().tags.value.clone()
    };
    assert_eq!(tags(&after), tags(&before), "tags are kept");
    assert!(!tags(&after).is_empty());
    let logs = after.table(None, "web.alb_logs").unwrap();
    assert!(logs.partitions.as_ref().unwrap().iter().all(|one| one.bytes.is_some_and(|bytes| bytes.0 > 0)));

    // The same file may be looked behind: footers give what columns weigh, which no listing does.
    std::fs::write(here.dir.path().join("q.sql"), "SELECT order_id FROM web.alb_logs").unwrap();
    let (catalog, query) = (here.book("catalog.yaml"), here.dir.path().join("q.sql"));
    let guard = |look: &str| -> Value {
        let arguments = ["guard", "--format", "json", "--look", look, "--catalog"];
        let output = here.run(&[&arguments[..], &[catalog.to_str().unwrap(), "--sql", query.to_str().unwrap()]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)))
    };
    let (none, listed, footers) = (guard("none"), guard("metadata"), guard("footers"));
    assert_eq!((&none["scan"]["evidence"], &listed["scan"]["evidence"]), (&"catalog".into(), &"listed".into()), "{listed}");
    // The shipped target says nothing, which is `look: metadata`, and that is the most there is.
    assert_eq!(footers["scan"]["evidence"], "listed", "{footers}");
    let shipped = std::fs::read_to_string(here.book("tollgate.yaml")).unwrap();
    let open = shipped.replacen("    endpoint: sandbox", "    look: footers\n    endpoint: sandbox", 1);
    std::fs::write(here.book("tollgate.yaml"), &open).unwrap();
    let footers = guard("footers");
    assert_eq!(footers["scan"]["evidence"], "footers", "{footers}");
    let number = |judged: &Value, name: &str| judged["scan"][name].as_u64().unwrap_or_else(|| panic!("{judged}"));
    assert!(number(&footers, "high") < number(&listed, "high") / 2, "{footers} {listed}");

    let closed = open.replace("look: footers", "look: none");
    std::fs::write(here.book("tollgate.yaml"), closed).unwrap();
    let refused = here.run(&["catalog", "snapshot"]);
    assert!(refused.status.code() == Some(4) && said(&refused).contains("look: none"), "{}", said(&refused));
    assert_eq!(std::fs::read(here.book("catalog.yaml")).unwrap(), text, "nothing was written");
}
