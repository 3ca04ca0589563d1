//! The walk without a terminal, by the real binary on a real sandbox.

#[path = "walk/house.rs"]
mod house;

use std::time::Duration;

use serde_json::Value;

use house::{House, Ran};

/// Yesterday, whose data is complete whatever the hour.
const YESTERDAY: [&str; 2] = ["--input", "day=yesterday"];
const WHY: [&str; 4] = ["--reason", "the shop is down", "--incident", "INC-1"];

fn run<'a>(runbook: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", runbook, "--wait", "60s"], &WHY[..], more].concat()
}

fn kinds(ran: &Ran) -> Vec<String> {
    ran.events().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

/// Walks a runbook that lea approves.
fn approved(house: &House, words: &[&str]) -> Ran {
    let walk = house.begin("ana", words);
    house.vote("lea", "approve", &["--comment", "go on"]);
    walk.end()
}

#[test]
fn every_shipped_runbook_is_walked_to_its_end() {
    let house = House::open("--pace off");
    for (runbook, more) in [
        ("access-key-usage", &["--answer", "known=no"][..]),
        ("checkout-errors", &["--input", "day=yesterday", "--answer", "stuck=yes"]),
        ("checkout-errors", &["--input", "day=yesterday", "--answer", "stuck=no"]),
        ("checkout-errors", &["--input", "day=yesterday", "--input", "status=418"]),
        ("customer-impact", &[]),
        ("noisy-client", &["--input", "day=yesterday", "--input", "at_least=1", "--answer", "which=1"]),
        ("slow-endpoints", &["--answer", "which=1"]),
        ("stuck-orders", &["--answer", "which=1"]),
    ] {
        let ran = approved(&house, &[&run(runbook, more)[..], &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{runbook} {more:?}: {}", ran.said);
        let kinds = kinds(&ran);
        assert_eq!(kinds.first().map(String::as_str), Some("run.created"));
        assert!(kinds.iter().any(|kind| kind == "run.closed"), "{runbook}: {kinds:?}");
        assert_eq!(
            kinds.iter().filter(|kind| *kind == "mint.issued").count(),
            kinds.iter().filter(|kind| *kind == "keys.dropped").count(),
            "every key is dropped: {kinds:?}"
        );
        // stdout is exactly the journal.
        let run = ran.events()[0]["run"].as_str().unwrap().to_owned();
        let shown = house.run("ana", &["runs", "show", &run, "--format", "json"]);
        assert_eq!(shown.out, ran.out);
    }
    let verified = house.run("ana", &["runs", "verify"]);
    assert_eq!((verified.code, verified.out.lines().count()), (0, 8), "{}", verified.said);
}

#[test]
fn votes_and_their_ends() {
    let house = House::open("--pace off");
    let words = run("noisy-client", &YESTERDAY);
    // (who, what, more words, the exit code of the vote, of the walk)
    let walk = house.begin("ana", &words);
    let request = house.request();
    for (who, more, code, says) in [
        ("ana", &[][..], 3, "nobody approves their own request"),
        ("ida", &[], 3, "is not one of payments-leads"),
        ("nobody", &[], 3, "is not one of payments-leads"),
        ("lea", &["--digest", "000000000000"], 3, "nothing was voted"),
        ("lea", &["--digest", &request.digest[..8]], 3, "nothing was voted"),
    ] {
        let more = if more.is_empty() { vec!["--digest", &request.digest] } else { more.to_vec() };
        let vote = house.run(who, &[&["requests", "approve", &request.id][..], &more].concat());
        assert_eq!(vote.code, code, "{who}: {}", vote.said);
        assert!(vote.said.contains(says), "{who}: {}", vote.said);
    }
    let bare = house.run("lea", &["requests", "approve", &request.id]);
    assert_eq!(bare.code, 4, "{}", bare.said);
    let silent = house.run("lea", &["requests", "deny", &request.id, "--digest", &request.digest]);
    assert_eq!(silent.code, 2, "{}", silent.said);
    house.vote("lea", "deny", &["--comment", "not now"]);
    let ran = walk.end();
    assert_eq!(ran.code, 3, "{}", ran.said);
    assert!(ran.said.contains("lea denied the request: not now"), "{}", ran.said);

    let walk = house.begin("ana", &words);
    let request = house.request();
    assert_eq!(house.run("max", &["requests", "cancel", &request.id]).code, 3);
    assert_eq!(house.run("ana", &["requests", "cancel", &request.id]).code, 0);
    assert_eq!(walk.end().code, 3);
}

#[test]
fn waiting_ends_with_75_and_is_taken_up_again() {
    let house = House::open("--pace off");
    let words = ["run", "noisy-client", "--reason", "x", "--wait", "1s", "--input", "day=yesterday"];
    let ran = house.run("ana", &words);
    assert_eq!(ran.code, 75, "{}", ran.said);
    assert!(ran.said.contains("go on with: tollgate"), "{}", ran.said);
    let request = house.request();
    assert_eq!(house.run("lea", &["requests", "approve", &request.id, "--digest", &request.digest]).code, 0);
    // The run is found without naming it, and the unanswered choice leaves it open once more.
    let ran = house.run("ana", &["resume", "--wait", "30s"]);
    let ran = if ran.code == 4 { house.run("ana", &["resume", "--answer", "which=1"]) } else { ran };
    assert_eq!(ran.code, 0, "{}", ran.said);
    let ran = house.run("ana", &["resume"]);
    assert_eq!(ran.code, 2, "no open run is left: {}", ran.said);
}

#[test]
fn blocks_and_warnings_end_with_4() {
    let house = House::open("--pace off");
    house.own_book(
        "steps:\n  - { id: star, athena: { database: web, sql: \"SELECT * FROM alb_logs WHERE day = :day LIMIT 3\" } }",
        "warns",
    );
    house.own_book("steps:\n  - { id: pii, athena: { database: shop, sql: \"SELECT email FROM customers\" } }", "blocked");
    let ran = house.run("ana", &["run", "blocked", "--reason", "x"]);
    assert_eq!(ran.code, 4, "{}", ran.said);
    assert!(ran.said.contains("blocked-column") && ran.said.contains("was not sent"), "{}", ran.said);
    assert_eq!(house.run("ana", &["plan", "blocked"]).code, 4);

    let ran = approved(&house, &["run", "warns", "--reason", "x", "--wait", "60s"]);
    assert_eq!(ran.code, 4, "{}", ran.said);
    assert!(ran.said.contains("--accept-warn star"), "{}", ran.said);
    let out = house.path("out");
    let ran = house.run("ana", &["resume", "--accept-warn", "star", "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.said);
    let rows = std::fs::read_to_string(out.join("star.jsonl")).unwrap();
    assert_eq!(rows.lines().count(), 3);
    assert!(rows.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
}

#[test]
fn usage_ends_with_2() {
    let house = House::open("--pace off");
    for (words, says) in [
        (&["run", "checkout-eror", "--reason", "x"][..], "has no runbook"),
        (&["run", "checkout-errors", "--incident", "I", "--wait", "1s"], "needs a reason"),
        (&["run", "checkout-errors", "--reason", "x", "--wait", "1s"], "wants an incident"),
        (&["run", "checkout-errors", "--reason", "x", "--input", "status=abc"], "status"),
        (&["run", "checkout-errors", "--reason", "x", "--input", "stat=500"], "did you mean"),
        (&["run", "checkout-errors", "--reason", "x", "--incident", "I", "--duration", "2h"], "longer than"),
        (&["run", "checkout-errors", "--reason", "x", "--incident", "I", "--duration", "60s"], "too short"),
        (&["run", "checkout-errors", "--reason", "x", "--wait", "soon"], "--wait"),
        (&["resume", "ZZZZ"], "ends in ZZZZ"),
        (&["--book", "/nowhere", "runs"], "/nowhere"),
    ] {
        let ran = house.run("ana", words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.said);
        assert!(ran.said.contains(says), "{words:?}: {}", ran.said);
        assert!(ran.said.contains("error: "), "{words:?}: {}", ran.said);
    }
    let json = house.run("ana", &["run", "nothing", "--reason", "x", "--format", "json"]);
    let error: Value = serde_json::from_str(json.said.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
}

/// A query that lasts seconds: something to stop, to kill, and to come back to.
fn slow(house: &House) -> house::Walk {
    let walk = house.begin("ana", &[&run("noisy-client", &YESTERDAY)[..], &["--format", "json", "--answer", "which=1"]].concat());
    house.vote("lea", "approve", &[]);
    walk.sees("execution.started");
    walk
}

#[test]
fn a_second_terminal_stops_what_runs() {
    let house = House::open("--pace on");
    let walk = slow(&house);
    let stop = house.run("ana", &["stop"]);
    assert_eq!(stop.code, 0, "{}", stop.said);
    assert!(stop.said.contains("stopped"), "{}", stop.said);
    let ran = walk.end();
    assert_eq!(ran.code, 1, "{}", ran.said);
    assert!(kinds(&ran).contains(&"execution.stopped".to_owned()));
    let again = house.run("ana", &["stop"]);
    assert_eq!((again.code, again.said.contains("nothing runs")), (0, true));
    assert_eq!(house.run("ana", &["close"]).code, 0);
}

#[test]
fn a_killed_walk_is_taken_up_and_nothing_runs_twice() {
    let house = House::open("--pace on");
    let walk = slow(&house);
    let run = walk.run_id();
    walk.kill();
    let listed = house.run("ana", &["runs"]);
    assert!(listed.out.contains("ORPHANED"), "{}", listed.out);
    let ran = house.run("ana", &["resume", &run, "--answer", "which=1", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.said);
    let shown = house.run("ana", &["runs", "show", &run, "--format", "json"]);
    let events = shown.events();
    let intended: Vec<&Value> = events.iter().filter(|event| event["kind"] == "execution.intended").collect();
    let steps: std::collections::BTreeSet<&str> = intended.iter().map(|event| event["data"]["step"].as_str().unwrap()).collect();
    assert_eq!(intended.len(), steps.len(), "each step once");
    assert_eq!(house.run("ana", &["runs", "verify", &run]).code, 0);
}

#[test]
fn a_takeover_leaves_the_old_terminal_reading() {
    let house = House::open("--pace on");
    let walk = slow(&house);
    let run = walk.run_id();
    let refused = house.run("ana", &["resume", &run]);
    assert_eq!(refused.code, 1, "{}", refused.said);
    assert!(refused.said.contains("--takeover"), "{}", refused.said);
    let second = house.run("ana", &["resume", &run, "--takeover", "--answer", "which=1"]);
    assert_eq!(second.code, 0, "{}", second.said);
    let first = walk.end();
    assert_eq!(first.code, 1, "{}", first.said);
    assert!(first.said.contains("another terminal"), "{}", first.said);
}

#[test]
fn signals_stop_what_runs() {
    for (signal, code) in [(rustix::process::Signal::TERM, 143), (rustix::process::Signal::INT, 130)] {
        let house = House::open("--pace on");
        let walk = slow(&house);
        let asked = std::time::Instant::now();
        walk.signal(signal);
        let ran = walk.end();
        assert_eq!(ran.code, code, "{}", ran.said);
        assert!(asked.elapsed() < Duration::from_secs(4), "told to end, it ends");
        assert!(kinds(&ran).contains(&"execution.stopped".to_owned()), "{:?}", kinds(&ran));
    }
}

#[test]
fn a_changed_store_is_found() {
    let house = House::open("--pace off");
    let ran = approved(&house, &[&run("customer-impact", &[])[..], &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.said);
    let store = house.path("state/journal.db");
    let edit = |sql: &str| {
        let copy = rusqlite::Connection::open(&store).unwrap();
        copy.execute_batch("DROP TRIGGER IF EXISTS events_stay; DROP TRIGGER IF EXISTS events_keep;").unwrap();
        copy.execute_batch(sql).unwrap();
    };
    edit("UPDATE events SET json = replace(json, 'the shop is down', 'the shop is fine') WHERE seq = 2");
    let verified = house.run("ana", &["runs", "verify"]);
    assert_eq!(verified.code, 1, "{}", verified.said);
    assert!(verified.out.contains("event 2: edited"), "{}", verified.out);
    edit("DELETE FROM events WHERE seq = 5");
    let verified = house.run("ana", &["runs", "verify"]);
    assert!(verified.out.contains("event 5"), "{}", verified.out);
}
