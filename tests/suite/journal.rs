//! The journal on SQLite: compare-and-append, epochs, ids, places that may be trusted, damage that must be named.

#[path = "journal/damage.rs"]
mod damage;
#[path = "journal/places.rs"]
mod places;
#[path = "journal/processes.rs"]
mod processes;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;
use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::adapters::watch::StoreWatch;
use tollgate::core::plan::Plan;
use tollgate::core::run::{Actor, EventBody};
use tollgate::core::units::Timestamp;
use tollgate::engine::ports::{Append, Journal, JournalError, Lease};

const RUN: &str = "01JD000000000000000000AAAA";
const OTHER: &str = "01JD000000000000000000BBBB";

fn private(mode: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
    dir
}

fn open(path: &Path) -> SqliteJournal {
    SqliteJournal::open(path, Sharing::Private).unwrap()
}

fn note(text: &str) -> EventBody {
    EventBody::NoteAdded { text: text.to_owned() }
}

fn taken(epoch: u64) -> EventBody {
    EventBody::DriverTaken { epoch, pid: 1, host: "bastion-1".into(), takeover: false }
}

fn append(run: &str, expected_seq: u64, epoch: Option<u64>, events: Vec<EventBody>) -> Append {
    let actor = Actor { name: "ana".into(), uid: 1000, arn: None, host: "bastion-1".into() };
    Append {
        run: run.to_owned(),
        expected_seq,
        epoch,
        actor,
        events: events.into_iter().map(|body| (Timestamp(5), body)).collect(),
    }
}

fn reason(error: JournalError) -> String {
    match error {
        JournalError::Unusable { reason, .. } => reason,
        other => panic!("not refused for good: {other:?}"),
    }
}

#[test]
fn appends_are_decided_on_the_newest_event() {
    let dir = private(0o700);
    let journal = open(&dir.path().join("journal.db"));
    let first = journal.append(&append(RUN, 0, None, vec![note("one"), note("two")])).unwrap();
    assert_eq!(first.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(first[1].prev, first[0].hash);

    let stale = journal.append(&append(RUN, 1, None, vec![note("late")])).unwrap_err();
    assert!(matches!(stale, JournalError::Conflict { expected: 1, found: 2 }), "{stale}");
    let unborn = journal.append(&append(OTHER, 3, None, vec![note("late")])).unwrap_err();
    assert!(matches!(unborn, JournalError::Conflict { expected: 3, found: 0 }), "{unborn}");

    journal.append(&append(RUN, 2, None, vec![note("three")])).unwrap();
    journal.append(&append(OTHER, 0, None, vec![note("one")])).unwrap();
    assert_eq!(journal.events(RUN).unwrap().len(), 3);
    assert_eq!(journal.events(RUN).unwrap()[..2], first[..]);
    assert_eq!(journal.events_after(RUN, 2).unwrap()[0].body, note("three"));
    assert_eq!(journal.runs().unwrap(), [OTHER, RUN]);
    assert!(matches!(journal.events("nobody"), Err(JournalError::Unknown(_))));
    assert_eq!(journal.verify(RUN).unwrap().unwrap().events, 3);
}

/// A batch that fails in its middle leaves nothing behind.
#[test]
fn an_append_is_whole_or_nothing() {
    let dir = private(0o700);
    let journal = open(&dir.path().join("journal.db"));
    journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
    let version = journal.version().unwrap();
    let large = EventBody::ClockCorrected { skew_ms: i64::MAX, source: "test".into() };
    let refused = journal.append(&append(RUN, 1, None, vec![note("two"), large])).unwrap_err();
    assert!(reason(refused).contains("data.skew_ms"));
    assert_eq!(journal.events(RUN).unwrap().len(), 1);
    assert_eq!(journal.version().unwrap(), version);
    journal.append(&append(RUN, 1, None, vec![note("two")])).unwrap();
    assert!(journal.verify(RUN).unwrap().is_ok());
}

#[test]
fn only_the_newest_epoch_drives() {
    let dir = private(0o700);
    let journal = open(&dir.path().join("journal.db"));
    let gone = |append: Append| matches!(journal.append(&append), Err(JournalError::EpochGone));
    journal.append(&append(RUN, 0, Some(1), vec![taken(1), note("mine")])).unwrap();
    journal.append(&append(RUN, 2, Some(1), vec![note("still mine")])).unwrap();
    assert!(gone(append(RUN, 3, Some(1), vec![taken(1)])), "an epoch is taken once");
    assert!(gone(append(RUN, 3, Some(2), vec![note("early"), taken(2)])), "an epoch holds from its event on");

    journal.append(&append(RUN, 3, None, vec![taken(2)])).unwrap();
    assert!(gone(append(RUN, 4, Some(1), vec![note("I was first")])));
    journal.append(&append(RUN, 4, Some(2), vec![note("mine now")])).unwrap();
    journal.append(&append(RUN, 5, None, vec![note("anybody may add a note")])).unwrap();
    assert_eq!(journal.events(RUN).unwrap().len(), 6);

    let lease = |epoch| Lease { epoch, pid: 7, host: "bastion-1".into(), beat_at: Timestamp(99) };
    assert!(matches!(journal.beat(RUN, &lease(1)), Err(JournalError::EpochGone)), "a late beat of the old driver");
    assert_eq!(journal.lease(RUN).unwrap(), None);
    let version = journal.version().unwrap();
    journal.beat(RUN, &lease(2)).unwrap();
    assert_eq!(journal.lease(RUN).unwrap(), Some(lease(2)));
    assert_eq!(journal.version().unwrap(), version, "a beat is not an append");
    journal.release(RUN, 1).unwrap();
    assert_eq!(journal.lease(RUN).unwrap(), Some(lease(2)), "the old driver cannot give the new one's lease up");
    journal.release(RUN, 2).unwrap();
    assert_eq!(journal.lease(RUN).unwrap(), None);
}

#[test]
fn ids_resolve_by_their_end() {
    let dir = private(0o700);
    let journal = open(&dir.path().join("journal.db"));
    for run in ["01JD00000000000000000012ZZ", "01JD00000000000000000092ZZ", "01JD0000000000000000007Q4K"] {
        journal.append(&append(run, 0, None, vec![note("hello")])).unwrap();
    }
    assert_eq!(journal.resolve("7q4k").unwrap(), "01JD0000000000000000007Q4K");
    assert_eq!(journal.resolve("12ZZ").unwrap(), "01JD00000000000000000012ZZ");
    assert_eq!(journal.resolve("01JD00000000000000000092ZZ").unwrap(), "01JD00000000000000000092ZZ");
    for (end, says) in [
        ("Q4K", "at least its last 4"),
        ("%%%%", "at least its last 4"),
        ("", "at least its last 4"),
        ("XXXX", "no run or request ends in XXXX"),
        ("0007Q4KK", "no run or request"),
    ] {
        match journal.resolve(end) {
            Err(JournalError::Unknown(text)) => assert!(text.contains(says), "{end}: {text}"),
            other => panic!("{end}: {other:?}"),
        }
    }
    let long = journal.resolve("0000012ZZ").unwrap();
    assert_eq!(long, "01JD00000000000000000012ZZ");
    // Ambiguous: the last four characters of both.
    journal.append(&append("01JD00000000000000001112ZZ", 0, None, vec![note("hello")])).unwrap();
    match journal.resolve("12ZZ") {
        Err(JournalError::Unknown(text)) => assert!(text.starts_with("2 runs end in 12ZZ: 01JD"), "{text}"),
        other => panic!("{other:?}"),
    }
}

fn plan(run: &str, request: &str) -> Plan {
    let digest = "0".repeat(64);
    serde_json::from_value(json!({
        "request": request, "run": run,
        "runbook": {"id": "r", "title": "R", "sha256": digest},
        "book": {"name": "shop", "sha256": digest, "commit": null, "dirty": false},
        "target": {"name": "t", "account": "123456789012", "region": "eu-central-1", "role": "r", "external_id": null,
                   "endpoint": "sandbox", "source_identity": "name"},
        "steps": [], "inputs": {}, "budget": {"bytes": 0, "read_units": 0}, "findings": [],
        "approval": {"need": 1, "from": [], "reviewers": [], "escalation": [], "lapse_ms": 1},
        "requester": {"name": "ana", "uid": 1000, "arn": null},
        "reason_sha256": digest, "incident": null, "duration_ms": 900_000, "use_within_ms": 900_000, "on_disconnect": "stop",
        "guard_version": 1, "facts_sha256": digest,
    }))
    .unwrap()
}

#[test]
fn a_run_is_found_by_its_requests() {
    let dir = private(0o700);
    let journal = open(&dir.path().join("journal.db"));
    let ask = |request: &str| EventBody::RequestSent {
        request: request.into(),
        digest: "0".repeat(64),
        plan: Box::new(plan(RUN, request)),
        reason: "spike".into(),
        incident: None,
        walk_from: "errors".into(),
    };
    journal.append(&append(RUN, 0, None, vec![note("one"), ask("01JD0000000000000000007Q4K")])).unwrap();
    journal.append(&append(RUN, 2, None, vec![ask("01JD0000000000000000009M2C")])).unwrap();
    for end in ["7Q4K", "9m2c", "AAAA", "01JD0000000000000000009M2C"] {
        assert_eq!(journal.resolve(end).unwrap(), RUN, "{end}");
    }
    // An event of every shape comes back as it was sealed.
    let events = journal.events(RUN).unwrap();
    assert_eq!(events[1].body, ask("01JD0000000000000000007Q4K"));
    assert!(journal.verify(RUN).unwrap().is_ok());
    let again = journal.append(&append(OTHER, 0, None, vec![ask("01JD0000000000000000007Q4K")])).unwrap_err();
    assert!(matches!(again, JournalError::Unusable { .. }), "a request belongs to one run: {again}");
    assert_eq!(journal.runs().unwrap(), [RUN]);
}

/// Sixteen writers with connections of their own: every append lands once, in one chain, and readers see the version rise.
#[test]
fn sixteen_writers_lose_nothing() {
    const WRITERS: usize = 16;
    const EACH: usize = 6;
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let start = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                // Opening is part of the race: the first ones create the store.
                start.wait();
                let journal = open(path).with_patience(Duration::from_secs(60));
                for number in 0..EACH {
                    loop {
                        let seq = journal.events_after(RUN, 0).unwrap().len() as u64;
                        match journal.append(&append(RUN, seq, None, vec![note(&format!("{writer}/{number}"))])) {
                            Ok(_) => break,
                            Err(JournalError::Conflict { .. }) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            });
        }
    });
    let journal = open(&path);
    let mut texts: Vec<String> = journal
        .events(RUN)
        .unwrap()
        .into_iter()
        .map(|event| match event.body {
            EventBody::NoteAdded { text } => text,
            other => panic!("{other:?}"),
        })
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), WRITERS * EACH);
    assert_eq!(journal.verify(RUN).unwrap().unwrap().events, (WRITERS * EACH) as u64);
    assert_eq!(journal.version().unwrap(), (WRITERS * EACH) as u64);
}

#[test]
fn another_process_is_seen() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let (here, there) = (open(&path), open(&path));
    let before = here.version().unwrap();
    there.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
    assert_ne!(here.version().unwrap(), before);
    assert_eq!(here.events(RUN).unwrap().len(), 1);
}

/// The notice comes from the file system: well before the poll behind it, which is two seconds.
#[tokio::test]
async fn an_append_elsewhere_is_noticed() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let there = open(&path);
    let watch = StoreWatch::start(Arc::new(open(&path)));
    let mut versions = watch.versions();
    let asked = Instant::now();
    for seq in 0..3 {
        there.append(&append(RUN, seq, None, vec![note("one")])).unwrap();
        while *versions.borrow_and_update() != seq + 1 {
            tokio::time::timeout(Duration::from_secs(10), versions.changed()).await.unwrap().unwrap();
        }
    }
    assert!(asked.elapsed() < Duration::from_secs(2), "three appends took {:?}", asked.elapsed());
}

#[test]
fn a_writer_does_not_wait_for_ever() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let journal = open(&path).with_patience(Duration::from_millis(30));
    let held = fs::File::open(dir.path().join("journal.db-lock")).unwrap();
    held.lock().unwrap();
    match journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap_err() {
        JournalError::Temporary { reason, .. } => assert!(reason.contains("another tollgate"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(journal.runs().unwrap().is_empty(), "looking never waits");
    held.unlock().unwrap();
    let journal = journal.with_patience(Duration::from_secs(60));
    journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
}

/// What a model of one run expects of each append.
#[derive(Debug, Clone)]
enum Move {
    Append { journal: usize, behind: u64, count: usize, epoch: Option<u64> },
    Take { journal: usize, epoch: u64 },
    Reopen { journal: usize },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one =
        prop_oneof![
            (0_usize..2, 0_u64..3, 1_usize..4, prop::option::of(0_u64..4))
                .prop_map(|(journal, behind, count, epoch)| Move::Append { journal, behind, count, epoch }),
            (0_usize..2, 0_u64..5).prop_map(|(journal, epoch)| Move::Take { journal, epoch }),
            (0_usize..2).prop_map(|journal| Move::Reopen { journal }),
        ];
    prop::collection::vec(one, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two processes, any order of appends, take-overs and restarts: exactly the appends that were decided on the newest state
    /// and epoch land, and the chain holds.
    #[test]
    fn the_store_agrees_with_its_model(moves in moves()) {
        let dir = private(0o700);
        let path = dir.path().join("journal.db");
        let mut journals = [open(&path), open(&path)];
        let (mut seq, mut epoch) = (0_u64, 0_u64);
        for step in moves {
            match step {
                Move::Append { journal, behind, count, epoch: claimed } => {
                    let expected = seq.saturating_sub(behind);
                    let outcome = journals[journal].append(&append(RUN, expected, claimed, vec![note("x"); count]));
                    if expected != seq {
                        let conflict = matches!(outcome, Err(JournalError::Conflict { .. }));
                        prop_assert!(conflict, "{:?}", outcome);
                    } else if claimed.is_some_and(|claimed| claimed != epoch) {
                        let gone = matches!(outcome, Err(JournalError::EpochGone));
                        prop_assert!(gone, "{:?}", outcome);
                    } else {
                        prop_assert!(outcome.is_ok(), "{:?}", outcome);
                        seq += count as u64;
                    }
                }
                Move::Take { journal, epoch: wanted } => {
                    let outcome = journals[journal].append(&append(RUN, seq, None, vec![taken(wanted)]));
                    prop_assert_eq!(outcome.is_ok(), wanted > epoch);
                    if wanted > epoch {
                        epoch = wanted;
                        seq += 1;
                    }
                }
                Move::Reopen { journal } => journals[journal] = open(&path),
            }
            prop_assert_eq!(journals[0].version().unwrap(), seq);
        }
        prop_assert_eq!(journals[1].events_after(RUN, 0).unwrap().len() as u64, seq);
        if seq > 0 {
            prop_assert_eq!(journals[1].verify(RUN).unwrap().unwrap().events, seq);
        }
    }
}
