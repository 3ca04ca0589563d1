//! The journal between processes: killed ones, other people's, and disks that are full or read-only. The processes are this test
//! binary itself, run again to play [`play`].

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::adapters::spool::FileSpool;
use tollgate::core::run::EventBody;
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{Act, Journal as _, JournalError, Notes as _, Spool as _};

use super::{OTHER, RUN, append, note, open, private, reason};

/// Not a test of its own: the other tests run it in processes made for it.
#[test]
#[ignore = "run by other tests, in processes of their own"]
fn play() {
    let store = PathBuf::from(std::env::var_os("TOLLGATE_TEST_STORE").unwrap());
    match std::env::var("TOLLGATE_TEST_PART").unwrap().as_str() {
        "write" => write(&open(&store)),
        "share" => share(&store),
        "fill" => fill(&store),
        "read-only" => read_only(&store),
        other => panic!("no part {other}"),
    }
}

/// This binary, playing one part.
fn player(part: &str, store: &Path) -> Vec<String> {
    let me = std::env::current_exe().unwrap().display().to_string();
    let variables = [format!("TOLLGATE_TEST_PART={part}"), format!("TOLLGATE_TEST_STORE={}", store.display())];
    let play = ["--exact", "journal::processes::play", "--ignored", "--nocapture"].map(str::to_owned);
    ["/usr/bin/env".to_owned()].into_iter().chain(variables).chain([me]).chain(play).collect()
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Appends for ever, saying after each append what is now durable.
fn write(journal: &SqliteJournal) {
    loop {
        let seq = journal.events_after(RUN, 0).unwrap().len() as u64;
        match journal.append(&append(RUN, seq, None, vec![note(&std::process::id().to_string()); 2])) {
            Ok(events) => println!("ack {}", events[1].hash),
            Err(JournalError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Writers are killed at whatever they do; everything that one said was durable is there, whole, in one chain.
#[test]
fn killed_writers_lose_nothing() {
    const KILLS: usize = 24;
    let dir = private(0o700);
    let store = dir.path().join("journal.db");
    let start = || -> (Child, Box<dyn Iterator<Item = String>>) {
        let mut child =
            command(&player("write", &store)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acks = lines.filter_map(|line| line.split_once("ack ").map(|(_, hash)| hash.to_owned()));
        (child, Box::new(acks))
    };
    let mut acked = Vec::new();
    let mut writers: Vec<_> = (0..3).map(|_| start()).collect();
    for kill in 0..KILLS {
        let (mut child, mut acks) = writers.remove(0);
        // After so many acks it is somewhere in the middle of the next.
        let least = kill % 4;
        acked.extend(acks.by_ref().take(least));
        child.kill().unwrap();
        child.wait().unwrap();
        acked.extend(acks);
        writers.push(start());
    }
    for (mut child, acks) in writers {
        child.kill().unwrap();
        child.wait().unwrap();
        acked.extend(acks);
    }
    let journal = open(&store);
    let events = journal.events(RUN).unwrap();
    journal.verify(RUN).unwrap().unwrap();
    let kept: std::collections::HashSet<&str> = events.iter().map(|event| event.hash.as_str()).collect();
    assert!(acked.len() >= KILLS, "{} appends", acked.len());
    assert!(acked.iter().all(|hash| kept.contains(hash.as_str())));
    let author = |index: usize| match &events[index].body {
        EventBody::NoteAdded { text } => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(events.len() % 2, 0);
    assert!((0..events.len()).step_by(2).all(|index| author(index) == author(index + 1)), "no append is there by half");
}

/// Opens a shared store and appends to it; says how it went.
fn share(store: &Path) {
    let run = if std::env::var_os("TOLLGATE_TEST_OTHER").is_some() { OTHER } else { RUN };
    match SqliteJournal::open(store, Sharing::Shared) {
        Ok(journal) => {
            let outcome = journal.append(&append(run, 0, None, vec![note("mine")]));
            println!("outcome: {:?}", outcome.map(|events| events.len()));
            if run == RUN {
                // Stay until told, so that the others meet side files that are in use.
                std::io::stdin().read_line(&mut String::new()).unwrap();
            }
        }
        Err(error) => println!("outcome: {error}"),
    }
}

/// Two accounts of one group share a store; a third one gets nowhere near it.
#[test]
fn two_accounts_share_a_store() {
    const GROUP: u32 = 54_242;
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/setpriv").exists() {
        return println!("skipped: other accounts need root and setpriv");
    }
    let dir = private(0o711);
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    chown(&shared, None, Some(GROUP)).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o2770)).unwrap();
    let store = shared.join("journal.db");
    let account = |uid: u32, groups: &str, other: bool| {
        let mut words: Vec<String> =
            ["/usr/bin/setpriv", "--reuid", &uid.to_string(), "--regid", &uid.to_string()].map(str::to_owned).into();
        words.extend(if groups.is_empty() {
            vec!["--clear-groups".to_owned()]
        } else {
            vec!["--groups".to_owned(), groups.to_owned()]
        });
        words.extend(player("share", &store));
        let mut command = command(&words);
        if other {
            command.env("TOLLGATE_TEST_OTHER", "1");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let group = GROUP.to_string();
    let mut first = account(54_001, &group, false).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines().map_while(Result::ok);
    let Some(outcome) = lines.find_map(|line| line.split_once("outcome: ").map(|(_, outcome)| outcome.to_owned())) else {
        first.kill().unwrap();
        let output = first.wait_with_output().unwrap();
        return println!("skipped: other accounts cannot run this binary ({})", said(&output).trim());
    };
    assert_eq!(outcome, "Ok(1)");
    let second = account(54_002, &group, true).output().unwrap();
    assert!(said(&second).contains("outcome: Ok(1)"), "{}", said(&second));
    let third = account(54_003, "", true).output().unwrap();
    assert!(said(&third).contains("is not open to you"), "{}", said(&third));
    drop(first.stdin.take());
    first.wait().unwrap();

    let journal = SqliteJournal::open(&store, Sharing::Shared).unwrap();
    assert_eq!(journal.runs().unwrap(), [OTHER, RUN]);
    assert!(journal.verify(RUN).unwrap().is_ok() && journal.verify(OTHER).unwrap().is_ok());
}

/// On a small disk: what is durable stays when it is full, notes of acts still fit, and it goes on when there is room again.
fn fill(store: &Path) {
    let disk = store.parent().unwrap();
    let spool = FileSpool::open(disk).unwrap();
    spool.prepare(RUN).unwrap();
    let journal = open(store);
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; 256 << 10]).unwrap();
    let mut seq = 0;
    let refused = loop {
        match journal.append(&append(RUN, seq, None, vec![note(&"x".repeat(4000))])) {
            Ok(_) => seq += 1,
            Err(error) => break error,
        }
    };
    match refused {
        JournalError::Temporary { reason, .. } => assert!(reason.contains("the disk is full"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(seq > 0);
    let act = Act {
        happened_at: Timestamp(1),
        body: EventBody::KeysDropped { mint: "M".into(), reason: "deadline".into(), happened_at: None },
    };
    // The very last bytes go too.
    let mut last = fs::OpenOptions::new().append(true).open(&ballast).unwrap();
    while last.write_all(&[1]).is_ok() {}
    drop(last);
    spool.note(RUN, &act).unwrap();
    assert!(spool.export("rows.csv", b"x").unwrap_err().reason.contains("free some space"));
    assert!(spool.write(RUN, "EXEC", &tollgate::engine::ports::Rows::default()).is_err());
    assert_eq!(journal.events(RUN).unwrap().len() as u64, seq);
    journal.verify(RUN).unwrap().unwrap();

    fs::remove_file(&ballast).unwrap();
    journal.append(&append(RUN, seq, None, vec![note("room again")])).unwrap();
    drop(journal);
    let journal = open(store);
    journal.verify(RUN).unwrap().unwrap();
    assert_eq!(spool.pending(RUN).unwrap(), [act]);
    println!("filled after {seq}");
}

/// On a disk that became read-only: refused for now, in words.
fn read_only(store: &Path) {
    match SqliteJournal::open(store, Sharing::Private).unwrap_err() {
        JournalError::Temporary { reason, .. } => assert!(reason.contains("read-only"), "{reason}"),
        other => panic!("{other:?}"),
    }
    println!("refused");
}

#[test]
fn a_full_or_read_only_disk_loses_nothing() {
    // A mount namespace of our own gives us a disk to fill, without being root.
    let probe = Command::new("unshare").args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return println!("skipped: no disk of our own to fill here (unshare, mount)");
    }
    let dir = private(0o700);
    let store = dir.path().join("journal.db");
    let quoted = |words: Vec<String>| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let script = format!(
        "set -e; mount -t tmpfs -o size=2m,mode=700 tmpfs '{0}'; {1}; mount -o remount,ro '{0}'; {2}",
        dir.path().display(),
        quoted(player("fill", &store)),
        quoted(player("read-only", &store)),
    );
    let output = Command::new("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script]).output().unwrap();
    let said = said(&output);
    assert!(output.status.success() && said.contains("filled after ") && said.contains("refused"), "{said}");
}

#[test]
fn a_file_of_somebody_else_is_not_ours() {
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: giving a file away needs root");
    }
    let dir = private(0o700);
    let store = dir.path().join("journal.db");
    drop(open(&store));
    chown(&store, Some(54_001), None).unwrap();
    let refused = reason(SqliteJournal::open(&store, Sharing::Private).unwrap_err());
    assert!(refused.contains("belongs to somebody else (uid 54001)"), "{refused}");
}
