//! Bad input to the binary: what happened, why, what to do, and the documented exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary in a folder of its own, with nothing of this machine's environment that it would look at.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .args(words)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TOLLGATE_SANDBOX", "--scale tiny --pace off")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::of(self.command(words).output().unwrap())
    }

    /// The same on a copy of the shipped book, with its own files changed by `change`.
    fn on_book(&self, change: impl FnOnce(&Path), words: &[&str]) -> Said {
        let book = self.path("book");
        let _ = fs::remove_dir_all(&book);
        fs::create_dir(&book).unwrap();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, book.join(path.file_name().unwrap())).unwrap();
        }
        change(&book);
        let mut all = vec!["--book", "book"];
        all.extend(words);
        self.run(&all)
    }
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code, words that must be said, and that it says what to do.
    #[track_caller]
    fn ends(&self, code: i32, words: &[&str]) {
        let Self { out, err, .. } = self;
        assert_eq!(self.code, code, "stdout: {out}\nstderr: {err}");
        for word in words {
            assert!(err.contains(word), "`{word}` is not in:\n{err}");
        }
        let ways = ["hint: ", "fix: ", "Usage: ", "--help", "write for example"];
        assert!(ways.iter().any(|way| err.contains(way)), "it does not say what to do:\n{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

fn replace(book: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(book.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(book.join(file), text.replace(from, to)).unwrap();
}

#[test]
fn a_broken_book() {
    let desk = Desk::new();
    let plan = ["plan", "noisy-client"];
    desk.on_book(|book| fs::write(book.join("tollgate.yaml"), "tollgate: v1\nname: [x\n").unwrap(), &plan)
        .ends(2, &["tollgate.yaml:2:7", "not valid YAML", "close the bracket"]);
    desk.on_book(|book| replace(book, "noisy-client.yaml", "target: shop-readonly", "target: shop-readony"), &plan)
        .ends(2, &["noisy-client.yaml:14:11", "there is no target `shop-readony`", "did you mean `shop-readonly`?"]);
    desk.on_book(|book| replace(book, "noisy-client.yaml", "runbook: v1", "runbok: v1"), &plan)
        .ends(2, &["its first key is not `runbook`", "runbook: v1"]);
    desk.on_book(|book| fs::remove_file(book.join("tollgate.yaml")).unwrap(), &plan).ends(2, &["tollgate.yaml", "--book"]);
    desk.on_book(|book| fs::write(book.join("catalog.yaml"), "catalog: v1\nname: 3\ntables: x\n").unwrap(), &["check"])
        .ends(2, &["catalog.yaml:3:9", "cannot be used"]);
    desk.run(&plan).ends(2, &["there is no book here", "--book DIR"]);
    desk.run(&["--book", "nowhere", "plan", "x"]).ends(2, &["nowhere", "--book"]);
    desk.run(&["check", "nowhere"]).ends(2, &["nowhere is not there"]);
}

#[test]
fn wrong_words() {
    let desk = Desk::new();
    let same = |_: &Path| {};
    desk.on_book(same, &["plan", "noisy-clien"]).ends(2, &["no runbook `noisy-clien`", "did you mean `noisy-client`?"]);
    desk.on_book(same, &["plan", "noisy-client", "--input", "dy=today"]).ends(2, &["no input `dy`; did you mean `day`?"]);
    desk.on_book(same, &["plan", "noisy-client", "--input", "at_least=zero"])
        .ends(2, &["zero is not a whole number", "at_least (int)"]);
    desk.on_book(same, &["plan", "noisy-client", "--input", "at_least=0"]).ends(2, &["`at_least`", "0 is below 1"]);
    desk.on_book(same, &["plan", "noisy-client", "--input", "day"]).ends(2, &["has no `=`"]);
    desk.on_book(same, &["run", "noisy-client"]).ends(2, &["needs a reason", "--reason"]);
    desk.on_book(same, &["run", "noisy-client", "--reason", "x", "--duration", "5"]).ends(2, &["has no unit"]);
    desk.on_book(same, &["run", "noisy-client", "--reason", "x", "--wait", "soon"]).ends(2, &["`soon` is not a duration"]);
    desk.on_book(same, &["run", "noisy-client", "--reason", "x", "--answer", "wich=1"])
        .ends(2, &["no step `wich`", "did you mean `which`?"]);
    desk.on_book(same, &["run", "noisy-client", "--reason", "x", "--accept-warn", "nope"])
        .ends(2, &["no step `nope`", "talkers"]);
    desk.on_book(same, &["--endpoint-url", "nonsense", "plan", "noisy-client"]).ends(2, &["http://"]);
    desk.on_book(same, &["requests", "show", "ZZZZ"]).ends(2, &["no run or request ends in ZZZZ", "tollgate runs"]);
    desk.on_book(same, &["runs", "show", "1"]).ends(2, &["at least its last 4 characters"]);
    desk.on_book(same, &["new", "Bad_Name"]).ends(2, &["not a runbook id"]);
    desk.on_book(same, &["new", "noisy-client"]).ends(2, &["is there already"]);
    desk.on_book(same, &[]).ends(2, &["the app needs a terminal"]);
    desk.run(&["schema", "poem"]).ends(2, &["runbook, book, catalog, guard, plan, event"]);
}

#[test]
fn places_that_cannot_be_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = Desk::new();
    let same = |_: &Path| {};
    let open = desk.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    desk.on_book(same, &["--state-dir", "open", "runs"]).ends(1, &["others may enter it", "chmod 700"]);
    fs::write(desk.path("file"), "").unwrap();
    desk.on_book(same, &["--state-dir", "file", "runs"]).ends(1, &["private state directory"]);
    let private = desk.path("private");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(private.join("other.db"), "this is no journal, and must stay as it is").unwrap();
    fs::set_permissions(private.join("other.db"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.on_book(same, &["--store", "private/other.db", "runs"]).ends(1, &["damaged", "--store"]);
    assert_eq!(fs::read_to_string(private.join("other.db")).unwrap(), "this is no journal, and must stay as it is");
    desk.on_book(same, &["--log", "nowhere/log", "runs"]).ends(2, &["--log"]);
}

/// A full disk under stdout is said, and is not a panic.
#[test]
fn a_full_disk_under_stdout() {
    let desk = Desk::new();
    for words in [["man", ""], ["completions", "bash"], ["schema", "plan"]] {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let said = Said::of(desk.command(&words).stdout(full).output().unwrap());
        assert!(said.code == 1 || said.code == 75, "{}: {}", said.code, said.err);
        assert!(said.err.contains("error: stdout cannot be written"), "{}", said.err);
    }
}

#[test]
fn targets_on_aws_that_do_not_answer() {
    let desk = Desk::new();
    let on_aws = |book: &Path| {
        replace(book, "tollgate.yaml", "    endpoint: sandbox # without this line the same book runs on AWS\n", "");
    };
    let run = ["run", "noisy-client", "--reason", "x", "--wait", "1s"];
    // No credentials at all: nothing is sent, and nobody waits for a metadata service.
    desk.on_book(on_aws, &run).ends(3, &["credentials"]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let book = desk.path("book");
    let output = desk
        .command(&["--book", book.to_str().unwrap(), "--endpoint-url", &format!("http://{closed}")])
        .args(run)
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .output()
        .unwrap();
    Said::of(output).ends(75, &["no connection"]);
    desk.on_book(on_aws, &["--as", "lea", "runs"]).ends(2, &["--as works only in the sandbox"]);
}

/// A store that another program holds: nothing is done, and it can be tried again.
#[cfg(feature = "sandbox")]
#[test]
fn a_locked_store() {
    let desk = Desk::new();
    desk.on_book(|_| {}, &["runs"]);
    let journal = desk.path(".local/state/tollgate/journal.db");
    let other = rusqlite::Connection::open(&journal).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    desk.on_book(|_| {}, &["run", "noisy-client", "--reason", "x", "--wait", "1s"]).ends(75, &["another program holds its lock"]);
    drop(other);
    let said = desk.on_book(|_| {}, &["runs", "--format", "json"]);
    assert_eq!((said.code, said.out.trim()), (0, ""), "nothing was kept of it");
    let _ = desk.run(&["--book", "book", "sandbox", "stop"]);
}

#[cfg(feature = "sandbox")]
#[test]
fn a_port_that_is_taken() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = desk.run(&["sandbox", "--port", &port]);
    assert_eq!(said.code, 75, "{}", said.err);
    assert!(said.err.contains("is taken by another program; choose another with --port"), "{}", said.err);
}

/// The build for bastions names the one that has it.
#[cfg(not(feature = "sandbox"))]
#[test]
fn without_the_sandbox() {
    let desk = Desk::new();
    desk.on_book(|_| {}, &["plan", "noisy-client"])
        .ends(2, &["built without the sandbox", "cargo build --release --features sandbox"]);
    desk.run(&["sandbox"]).ends(2, &["built without the sandbox"]);
}

#[test]
fn check_judges_the_shipped_book_anywhere() {
    let desk = Desk::new();
    let said = desk.on_book(|_| {}, &["check"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.err.contains("6 runbooks planned, 0 problems, 0 warnings"), "{}", said.err);
    assert!(said.out.contains("notice: catalog: no sandbox has made data yet"), "{}", said.out);
}

#[test]
fn check_points_at_the_word_that_is_wrong() {
    let desk = Desk::new();
    let wrong = "runbook: v1\nid: bad\ntitle: Bad\naccess: { target: shop-readonly }\nsteps:\n  - id: one\n    athena:\n      \
                 database: shop\n      sql: |\n        SELECT customer_id,\n               email\n        FROM customers\n";
    let add = |book: &Path| fs::write(book.join("bad.yml"), wrong).unwrap();
    let said = desk.on_book(add, &["check"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("bad.yml:11:16: error: blocked-column: step one: "), "{}", said.out);
    assert!(said.out.contains("  11 |                email\n     |                ^^^^^\n"), "{}", said.out);
    // One runbook alone; the others' problems are not its own.
    let alone = desk.on_book(add, &["check", "book/noisy-client.yaml"]);
    assert_eq!(alone.code, 0, "{}{}", alone.out, alone.err);
    let json = desk.on_book(add, &["check", "book/bad.yml", "--format", "json"]);
    let lines: Vec<serde_json::Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["severity"] == "error" && line["line"] == 11 && line["column"] == 16), "{}", json.out);
    let sarif: serde_json::Value = serde_json::from_str(&desk.on_book(add, &["check", "--format", "sarif"]).out).unwrap();
    let levels: Vec<&str> = sarif["runs"][0]["results"].as_array().unwrap().iter().filter_map(|r| r["level"].as_str()).collect();
    assert!(levels.contains(&"error") && levels.contains(&"note"), "{levels:?}");
}

#[test]
fn a_new_runbook_passes_check() {
    let desk = Desk::new();
    let made = desk.on_book(|_| {}, &["new", "disk-full"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let text = fs::read_to_string(desk.path("book/disk-full.yaml")).unwrap();
    // What is commented out must be right as well: people take the marks away.
    let whole: String = text
        .lines()
        .map(|line| if line.starts_with("  # ") || line.starts_with("  #  ") { line.replacen("# ", "", 1) } else { line.to_owned() } + "\n")
        .collect();
    assert_ne!(whole, text);
    let checked = desk.run(&["check", "book/disk-full.yaml"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    fs::write(desk.path("book/disk-full.yaml"), whole).unwrap();
    let checked = desk.run(&["check", "book/disk-full.yaml"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
}

#[test]
fn every_help_says_something_for_every_option() {
    use clap::CommandFactory as _;

    fn walk(command: &clap::Command, path: &str, mute: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_about().is_none() && command.get_long_about().is_none() {
            mute.push(path.clone());
        }
        for argument in command.get_arguments().filter(|argument| argument.get_help().is_none()) {
            mute.push(format!("{path} {}", argument.get_id()));
        }
        command.get_subcommands().for_each(|below| walk(below, &path, mute));
    }
    let mut mute = Vec::new();
    walk(&tollgate::cli::args::Cli::command(), "", &mut mute);
    assert!(mute.is_empty(), "no help for:\n{}", mute.join("\n"));
}

#[test]
fn the_manual_and_completions_have_every_command() {
    let desk = Desk::new();
    let (man, bash) = (desk.run(&["man"]), desk.run(&["completions", "bash"]));
    assert_eq!((man.code, bash.code), (0, 0));
    for command in [
        "run", "plan", "check", "guard", "requests", "runs", "resume", "stop", "close", "new", "whoami", "doctor", "sandbox",
        "schema",
    ] {
        assert!(man.out.contains(&format!(".SH \"TOLLGATE {}\"", command.to_uppercase())), "{command} is not in the manual");
        assert!(
            bash.out.contains(&format!("tollgate__subcmd__{command}")) || bash.out.contains(&format!("tollgate__{command}")),
            "{command}"
        );
    }
    assert!(man.out.contains("EXIT CODES"));
}
