//! Files that are no journal, and journals that somebody changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::core::evidence::{Break, Damage};
use tollgate::engine::ports::{Journal as _, JournalError};

use super::{RUN, append, note, open, private, reason};

fn breaks(journal: &SqliteJournal, run: &str) -> Vec<(u64, Damage)> {
    journal.verify(run).unwrap().unwrap_err().into_iter().map(|Break { seq, what }| (seq, what)).collect()
}

/// A file at `path` that `make` has filled, 0600.
fn file_with(make: impl FnOnce(&Path)) -> (tempfile::TempDir, PathBuf) {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    make(&path);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    (dir, path)
}

#[test]
fn files_that_are_no_journal_are_refused_untouched() {
    type Make = fn(&Path);
    let table: [(&str, Make, &str); 4] = [
        ("text", |path| fs::write(path, "dear diary, ".repeat(100)).unwrap(), "damaged"),
        (
            "another database",
            |path| Connection::open(path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap(),
            "another program",
        ),
        (
            "another application",
            |path| Connection::open(path).unwrap().execute_batch("PRAGMA application_id = 7; PRAGMA user_version = 1").unwrap(),
            "another program",
        ),
        (
            "a newer journal",
            |path| {
                drop(open(path));
                Connection::open(path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
            },
            "a newer tollgate wrote it (format 2, this one knows 1)",
        ),
    ];
    for (case, make, says) in table {
        let (_dir, path) = file_with(make);
        let before = fs::read(&path).unwrap();
        let refused = reason(SqliteJournal::open(&path, Sharing::Private).unwrap_err());
        assert!(refused.contains(says), "{case}: {refused}");
        assert_eq!(fs::read(&path).unwrap(), before, "{case} was changed");
    }
}

#[test]
fn a_replaced_store_is_refused() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let journal = open(&path);
    journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
    fs::rename(&path, dir.path().join("old.db")).unwrap();
    for refused in [journal.version().unwrap_err(), journal.append(&append(RUN, 1, None, vec![note("two")])).unwrap_err()] {
        assert!(reason(refused).contains("put another file in its place"));
    }
    fs::write(&path, "").unwrap();
    assert!(reason(journal.version().unwrap_err()).contains("put another file in its place"));
}

/// Somebody with the right to write the file, a database shell and a plan.
fn tamper(path: &Path, sql: &str) {
    let shell = Connection::open(path).unwrap();
    shell.execute_batch("DROP TRIGGER IF EXISTS events_stay; DROP TRIGGER IF EXISTS events_keep").unwrap();
    shell.execute_batch(sql).unwrap();
}

#[test]
fn the_store_itself_refuses_changes_to_events() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    open(&path).append(&append(RUN, 0, None, vec![note("one")])).unwrap();
    let shell = Connection::open(&path).unwrap();
    for sql in ["UPDATE events SET json = ''", "DELETE FROM events"] {
        assert!(shell.execute_batch(sql).unwrap_err().to_string().contains("events are never"), "{sql}");
    }
}

#[test]
fn tampering_is_named_and_not_continued() {
    let cut = |to| Damage::CutOff { to };
    let by_head = || Damage::Replaced { chained_by: "the head".into() };
    // (what somebody did, the first break, where they would have us go on, whether an append goes on: damage before the end is
    // for whoever verifies)
    let table = [
        ("UPDATE events SET json = replace(json, 'two', 'six') WHERE seq = 2", (2, Damage::Edited), 3, true),
        ("DELETE FROM events WHERE seq = 2", (2, Damage::Dropped { to: None }), 3, true),
        ("DELETE FROM events WHERE seq = 3", (3, cut(3)), 3, false),
        ("DELETE FROM events", (1, cut(3)), 3, false),
        ("DELETE FROM runs", (1, Damage::NoHead), 0, false),
        ("UPDATE runs SET hash = 'ff'", (3, by_head()), 3, false),
        ("UPDATE runs SET seq = 2", (2, by_head()), 2, false),
        (
            "INSERT INTO events (run, seq, json) SELECT run, 4, json FROM events WHERE seq = 3",
            (4, Damage::Inserted { newest: 3 }),
            3,
            false,
        ),
        ("UPDATE events SET json = cast(x'ff' AS TEXT) WHERE seq = 1", (1, Damage::Unreadable(String::new())), 3, true),
    ];
    for (sql, expected, at, goes_on) in table {
        let dir = private(0o700);
        let path = dir.path().join("journal.db");
        let journal = open(&path);
        journal.append(&append(RUN, 0, None, vec![note("one"), note("two"), note("three")])).unwrap();
        tamper(&path, sql);
        let found = breaks(&journal, RUN);
        let same = match (&found[0].1, &expected.1) {
            (Damage::Unreadable(_), Damage::Unreadable(_)) => true,
            (found, expected) => found == expected,
        };
        assert!(found[0].0 == expected.0 && same, "{sql}: {found:?}");
        assert_eq!(journal.known().unwrap(), [RUN], "{sql}");
        match journal.append(&append(RUN, at, None, vec![note("more")])) {
            Ok(_) => assert!(goes_on, "{sql}: went on"),
            Err(error) => assert!(!goes_on && reason(error).contains("is broken"), "{sql}"),
        }
    }
}

#[test]
fn damaged_pages_are_an_error_and_not_a_crash() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let journal = open(&path);
    for seq in 0..40 {
        journal.append(&append(RUN, seq, None, vec![note(&"x".repeat(500))])).unwrap();
    }
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let mut found = 0;
    for page in 0..whole.len() / 4096 {
        let mut broken = whole.clone();
        for byte in &mut broken[page * 4096..page * 4096 + 64] {
            *byte ^= 0xa5;
        }
        fs::write(&path, &broken).unwrap();
        let outcome = SqliteJournal::open(&path, Sharing::Private).and_then(|journal| journal.verify(RUN));
        match outcome {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => found += 1,
            Err(JournalError::Unusable { .. }) => found += 1,
            Err(other) => panic!("page {page}: {other}"),
        }
    }
    assert!(found > 0);
}
