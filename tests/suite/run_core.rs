//! The run core under any sequence of commands: only legal transitions, nothing without a counted approval, no step more often
//! than it may, no budget passed, and a fold that always gives the same.

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::Value;
use tollgate::core::book::read_book;
use tollgate::core::catalog::read_catalog;
use tollgate::core::evidence::{self, GENESIS};
use tollgate::core::plan::build::Making;
use tollgate::core::plan::{Endpoint, Person, Plan, drift};
use tollgate::core::run::command::Check;
use tollgate::core::run::decide::decide;
use tollgate::core::run::event::{Actor, ExecutionOutcome, MintPurpose, Service, ServiceFailure, StopReason, Voids};
use tollgate::core::run::walk::sha256_hex;
use tollgate::core::run::{
    Access, Command, Effect, Event, EventBody, ExecutionState, Held, RunState, apply, effects, expiry, fold_all,
};
use tollgate::core::runbook::read_runbook;
use tollgate::core::units::{Millis, Timestamp};

const BOOK: &str = r#"tollgate: v1
name: shop
catalog: [catalog.yaml]
groups: { oncall: [ana, max], leads: [lea, max], managers: [ida] }
identities: { ana: [ana@shop.example] }
targets:
  shop:
    account: "123456789012"
    region: eu-central-1
    role: arn:aws:iam::123456789012:role/r
    endpoint: sandbox
    athena: { workgroups: [{ name: tg, cutoff: 1 GB }], output: s3://out/tg/ }
    dynamodb: { enabled: true }
guardrails: { athena: { max_scan: 500 MB, warn_scan: 200 MB, max_run_scan: 2 GB }, dynamodb: { max_read_units: 100 } }
approvals: { need: 1, from: [leads], lapse: 30m, use_within: 15m, escalate: [{ after: 5m, to: [managers] }] }
"#;

const RUNBOOK: &str = r#"runbook: v1
id: walk
title: Walk
inputs:
  day: { type: string, default: '2026/11/19' }
access: { target: shop, approvals: { need: 2, from: [leads] } }
steps:
  - { id: first, max_visits: 3, athena: { database: web, sql: "SELECT n, w FROM logs WHERE day = :day" }, capture: { worst: { from: "rows[0].w", type: string, max: 10 } } }
  - { id: again, confirm: "Is it enough?", on_no: { goto: first } }
  - { id: item, dynamodb: { get: { table: orders, key: { pk: "ORDER#{{ worst }}" }, project: [state] } }, on_failure: continue }
  - { id: last, when: "steps.item.row_count == 0", athena: { database: web, sql: "SELECT n FROM logs WHERE day = :day AND w = :worst" } }
  - { id: done, note: Tell them. }
"#;

const CATALOG: &str = r#"catalog: v1
name: awsdatacatalog
taken_at: 2026-11-20T08:00:00Z
tables:
  web.logs:
    format: parquet
    location: s3://lake/logs/
    columns: [{ name: n, type: bigint }, { name: w, type: varchar }]
    partition_keys: [{ name: day, type: varchar }]
    partitions: [{ values: ['2026/11/19'], files: 1, bytes: 1000000, rows: 1000, column_bytes: { n: 8000, w: 8000 } }]
dynamodb:
  orders: { key: { pk: S }, items: 1000, bytes: 200000, attributes: [{ name: state }] }
"#;

const RUN: &str = "01M7Z959ZX8HMQB3G2V9JVERFY";

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn actor(name: &str) -> Actor {
    Actor { name: name.to_owned(), uid: 0, arn: None, host: "here".into() }
}

fn plan(request: &str) -> Plan {
    let book = read_book("tollgate.yaml", BOOK.as_bytes()).whole().unwrap();
    let runbook = read_runbook("walk.yaml", RUNBOOK.as_bytes(), Some(&book)).whole().unwrap();
    let catalog = read_catalog("catalog.yaml", CATALOG.as_bytes(), "/").whole().unwrap();
    let inputs = [("day".to_owned(), tollgate::core::runbook::ParamValue::String("2026/11/19".into()))].into_iter().collect();
    let requester = Person { name: "ana".into(), uid: 0, arn: None };
    let making = Making {
        runbook: &runbook,
        runbook_sha256: &sha256_hex(RUNBOOK.as_bytes()),
        book: &book,
        book_sha256: &sha256_hex(BOOK.as_bytes()),
        book_commit: Some("abc"),
        book_dirty: false,
        catalog: &catalog,
        facts_sha256: "facts",
        cutoffs: None,
        inputs: &inputs,
        open_inputs: false,
        captured: &IndexMap::new(),
        fixes: &IndexMap::new(),
        walk_from: "first",
        request,
        run: RUN,
        requester: &requester,
        reason: "why",
        incident: Some("INC-1"),
        duration: None,
        endpoint: &Endpoint::Sandbox,
        now: noon(),
        approved: None,
    };
    let plan = making.plan().unwrap();
    let blocks: Vec<_> = plan.steps.iter().flat_map(|step| step.findings()).chain(&plan.findings).collect();
    assert_eq!(plan.verdict(), tollgate::core::guard::Verdict::Allow, "{blocks:?}");
    plan
}

/// A run with everything that was appended to it.
#[derive(Clone)]
struct Journal {
    events: Vec<Event>,
    state: RunState,
}

impl Journal {
    fn new() -> Self {
        let mut journal = Self { events: Vec::new(), state: RunState::default() };
        let created = EventBody::RunCreated {
            runbook: "walk".into(),
            title: "Walk".into(),
            runbook_sha256: sha256_hex(RUNBOOK.as_bytes()),
            runbook_yaml: RUNBOOK.into(),
            book: "shop".into(),
            book_sha256: sha256_hex(BOOK.as_bytes()),
            book_yaml: BOOK.into(),
            book_commit: Some("abc".into()),
            book_dirty: false,
            target: "shop".into(),
            inputs: [("day".to_owned(), Value::from("2026/11/19"))].into_iter().collect(),
            unenforced: true,
        };
        journal.append(noon(), "ana", created);
        journal
    }

    fn append(&mut self, at: Timestamp, who: &str, body: EventBody) {
        let prev = self.events.last().map_or(GENESIS, |event| event.hash.as_str());
        let event = evidence::seal(RUN, self.state.seq + 1, at, &actor(who), body, prev).unwrap();
        apply(&mut self.state, &event);
        self.events.push(event);
    }

    /// What time caused, then the command: as every process does it.
    fn follow(&mut self, who: &str, command: &Command, now: Timestamp) -> Result<Vec<EventBody>, String> {
        loop {
            let due = expiry::due(&self.state, now);
            if due.is_empty() {
                break;
            }
            for (at, body) in due {
                self.append(at, who, body);
            }
        }
        let bodies = decide(&self.state, command, &actor(who), now).map_err(|refusal| refusal.message)?;
        for body in &bodies {
            self.append(now, who, body.clone());
        }
        Ok(bodies)
    }
}

/// One move of somebody.
#[derive(Debug, Clone)]
enum Move {
    Wait(u64),
    Request,
    Cancel,
    Vote { who: &'static str, approve: bool, wrong: bool },
    Start,
    Drive(&'static str),
    Enter(bool),
    Acknowledge,
    Answer(bool),
    Execute { voids: Option<Voids>, verdict: &'static str },
    Intend,
    Started,
    Finished { outcome: ExecutionOutcome, cost: Option<u64> },
    Stopped(StopReason),
    Indeterminate,
    Evaluated { expect: bool, fails: bool },
    Mint,
    Minted,
    Refused,
    Stop,
    Revoke,
    Close,
    Leave,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => prop::sample::select(vec![1_u64, 20, 61, 300, 301, 840, 900, 1800]).prop_map(Move::Wait),
        4 => Just(Move::Request),
        1 => Just(Move::Cancel),
        12 => (prop::sample::select(vec!["lea", "max", "ida", "ana", "ana@shop.example", "eve"]), prop::bool::weighted(0.9), prop::bool::weighted(0.1))
            .prop_map(|(who, approve, wrong)| Move::Vote { who, approve, wrong }),
        8 => Just(Move::Start),
        2 => prop::sample::select(vec!["ana", "lea"]).prop_map(Move::Drive),
        10 => prop::bool::weighted(0.7).prop_map(Move::Enter),
        3 => Just(Move::Acknowledge),
        5 => prop::bool::weighted(0.3).prop_map(Move::Answer),
        8 => (prop::option::weighted(0.1, prop::sample::select(vec![Voids::Step, Voids::Approval])), prop::sample::select(vec!["allow", "allow", "allow", "block"]))
            .prop_map(|(voids, verdict)| Move::Execute { voids, verdict }),
        12 => Just(Move::Intend),
        8 => Just(Move::Started),
        10 => (prop::sample::select(vec![ExecutionOutcome::Succeeded, ExecutionOutcome::Succeeded, ExecutionOutcome::Failed, ExecutionOutcome::NotSent]), prop::option::of(0..1_000_000_u64))
            .prop_map(|(outcome, cost)| Move::Finished { outcome, cost }),
        2 => prop::sample::select(vec![StopReason::Asked, StopReason::Deadline, StopReason::Ceiling]).prop_map(Move::Stopped),
        1 => Just(Move::Indeterminate),
        10 => (prop::bool::weighted(0.9), prop::bool::weighted(0.1)).prop_map(|(expect, fails)| Move::Evaluated { expect, fails }),
        4 => Just(Move::Mint),
        4 => Just(Move::Minted),
        1 => Just(Move::Refused),
        1 => Just(Move::Stop),
        1 => Just(Move::Revoke),
        1 => Just(Move::Close),
        1 => Just(Move::Leave),
    ];
    prop::collection::vec(one, 1..120)
}

fn command(journal: &Journal, made: &Move, count: usize) -> Option<Command> {
    let state = &journal.state;
    let open = || state.open_execution().map_or("none".to_owned(), |open| open.id.clone());
    let mint = || state.mints.last().map_or("none".to_owned(), |mint| mint.id.clone());
    let step = || state.cursor.clone().unwrap_or_default();
    let request = || state.request().map_or("none".to_owned(), |request| request.id.clone());
    Some(match made {
        Move::Wait(_) => return None,
        Move::Request => Command::Request {
            plan: Box::new(plan(&format!("request-{count}"))),
            reason: "why".into(),
            walk_from: "first".into(),
        },
        Move::Cancel => Command::Cancel { request: request() },
        Move::Vote { approve, wrong, .. } => {
            let mut digest = state.request().map(|request| request.digest.clone())?;
            if *wrong {
                digest.0.replace_range(0..1, if digest.0.starts_with('0') { "1" } else { "0" });
            }
            Command::Vote { request: request(), digest, approve: *approve, comment: "so".into() }
        }
        Move::Start => Command::StartAccess,
        Move::Drive(_) => Command::Drive { pid: 1, host: "here".into(), takeover: false },
        Move::Enter(when) => Command::Enter { when: Some(*when) },
        Move::Acknowledge => Command::Acknowledge,
        Move::Answer(yes) => Command::Answer { yes: *yes },
        Move::Execute { voids, verdict } => {
            Command::Execute { check: Check { verdict: (*verdict).to_owned(), voids: *voids, ..Check::default() } }
        }
        Move::Intend => Command::Intend { execution: format!("execution-{count}"), token: "t".into(), statement: "s".into() },
        Move::Started => Command::Started { execution: open(), query_id: "q".into(), adopted: false },
        Move::Finished { outcome, cost } => {
            // What a service charges above the ceiling is not for the core to prevent.
            let ceiling = state.open_execution().map_or(0, |open| open.ceiling);
            Command::Finished {
                execution: open(),
                outcome: *outcome,
                cost: cost.map(|cost| cost.min(ceiling)),
                elapsed_ms: 1,
                error: None,
            }
        }
        Move::Stopped(reason) => Command::Stopped { execution: open(), reason: *reason, cost: None, elapsed_ms: 1 },
        Move::Indeterminate => Command::Indeterminate { execution: open(), reason: "nobody knows".into() },
        Move::Evaluated { expect, fails } => Command::Evaluated {
            step: step(),
            expect: Some(*expect),
            captures: if *fails { Err("it does not fit".into()) } else { Ok(IndexMap::new()) },
        },
        Move::Mint => Command::Mint {
            mint: format!("mint-{count}"),
            purpose: MintPurpose::Step(step()),
            session_name: "s".into(),
            policy_sha256: "p".into(),
        },
        Move::Minted => Command::Minted { mint: mint(), access_key_id: "ASIA".into(), expires: noon() },
        Move::Refused => {
            Command::MintFailed { mint: mint(), error: ServiceFailure { code: "AccessDenied".into(), message: "no".into() } }
        }
        Move::Stop => Command::Stop { why: "asked".into() },
        Move::Revoke => Command::Revoke,
        Move::Close => Command::Close { reason: "over".into() },
        Move::Leave => Command::Leave { reason: "gone".into() },
    })
}

fn word(access: &Access) -> &'static str {
    match access {
        Access::Waiting => "waiting",
        Access::Approved { .. } => "approved",
        Access::Active { .. } => "active",
        Access::Denied { .. } => "denied",
        Access::Lapsed { .. } => "lapsed",
        Access::Cancelled => "cancelled",
        Access::Ended { .. } => "ended",
    }
}

/// From where to where a request may go.
const LEGAL: [(&str, &str); 9] = [
    ("waiting", "approved"),
    ("waiting", "denied"),
    ("waiting", "lapsed"),
    ("waiting", "cancelled"),
    ("approved", "active"),
    ("approved", "lapsed"),
    ("approved", "cancelled"),
    ("active", "ended"),
    ("ended", "ended"),
];

/// Checks one event against the state before it.
fn check(before: &RunState, event: &Event, after: &RunState) -> Result<(), TestCaseError> {
    prop_assert!(after.corrupt.is_none(), "{:?}", after.corrupt);
    for (index, request) in after.requests.iter().enumerate() {
        let Some(old) = before.requests.get(index) else {
            prop_assert_eq!(word(&request.access), "waiting");
            continue;
        };
        let (from, to) = (word(&old.access), word(&request.access));
        prop_assert!(from == to || LEGAL.contains(&(from, to)), "{} to {}", from, to);
    }
    match &event.body {
        EventBody::RequestApproved { request, by, .. } => {
            let request = before.request_by_id(request).unwrap();
            let people: std::collections::BTreeSet<&String> = by.iter().collect();
            prop_assert!(people.len() >= request.plan.approval.need as usize);
            prop_assert!(people.iter().all(|name| !name.starts_with("ana") && *name != "eve"));
            prop_assert!(event.at < expiry::lapses_at(&request.plan, request.sent_at));
        }
        EventBody::AccessStarted { request, .. } => {
            let request = before.request_by_id(request).unwrap();
            let usable = matches!(request.access, Access::Approved { use_by, .. } if event.at < use_by);
            prop_assert!(usable, "access starts on an approval");
        }
        EventBody::ExecutionIntended { request, step, .. } => {
            let asked = before.request_by_id(request).unwrap();
            let live =
                matches!(asked.access, Access::Active { deadline, .. } if event.at < deadline.minus(Millis::from_secs(30)));
            prop_assert!(live, "{} executes", word(&asked.access));
            prop_assert!(asked.voided.is_none() && !asked.voided_steps.contains(step), "a void approval executes");
            prop_assert!(before.open_execution().is_none());
        }
        EventBody::MintIssued { mint, .. } => {
            let mint = before.mints.iter().find(|known| known.id == *mint).unwrap();
            prop_assert_eq!(mint.epoch, before.epoch, "keys of an earlier driver");
        }
        _ => {}
    }
    if before.is_closed() {
        let late =
            matches!(event.body, EventBody::KeysDropped { .. } | EventBody::DriverLeft { .. } | EventBody::NoteAdded { .. });
        prop_assert!(late, "{:?} after the end", event.body);
    }
    Ok(())
}

/// What holds of every state.
fn hold(state: &RunState) -> Result<(), TestCaseError> {
    for request in &state.requests {
        for step in &request.plan.steps {
            let ran = state
                .executions
                .iter()
                .filter(|e| e.request == request.id && e.step == step.id)
                .filter(|e| !matches!(e.state, ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, .. }))
                .count();
            prop_assert!(ran <= step.max_executions() as usize, "step {} ran {} times", step.id, ran);
        }
        for (service, budget) in
            [(Service::Athena, request.plan.budget.bytes), (Service::Dynamodb, request.plan.budget.read_units)]
        {
            let spent: u64 = state
                .executions
                .iter()
                .filter(|e| e.request == request.id && e.service == service)
                .map(|e| match &e.state {
                    ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, .. } => 0,
                    ExecutionState::Finished { cost, .. } | ExecutionState::Stopped { cost, .. } => cost.unwrap_or(e.reserved),
                    _ => e.reserved,
                })
                .sum();
            prop_assert!(spent <= budget, "{} of {}", spent, budget);
        }
        if matches!(request.access, Access::Denied { .. } | Access::Lapsed { .. } | Access::Cancelled | Access::Waiting) {
            prop_assert!(state.executions.iter().all(|e| e.request != request.id), "{} executed", word(&request.access));
            prop_assert!(state.mints.iter().all(|m| m.request != request.id), "{} minted", word(&request.access));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_rules_hold(moves in moves()) {
        let mut journal = Journal::new();
        let mut now = noon();
        let mut seen = journal.events.len();
        let mut before = journal.state.clone();
        for (count, made) in moves.iter().enumerate() {
            if let Move::Wait(seconds) = made {
                now = now.plus(Millis::from_secs(*seconds));
                continue;
            }
            let who = match made {
                Move::Vote { who, .. } | Move::Drive(who) => who,
                _ => "ana",
            };
            let Some(command) = command(&journal, made, count) else { continue };
            let _ = journal.follow(who, &command, now);
            let mut state = before.clone();
            for event in &journal.events[seen..] {
                let old = state.clone();
                apply(&mut state, event);
                check(&old, event, &state)?;
            }
            hold(&journal.state)?;
            seen = journal.events.len();
            before = journal.state.clone();
        }
        // Folding is deterministic, also after a way through text.
        let once = format!("{:?}", fold_all(&journal.events));
        prop_assert_eq!(&once, &format!("{:?}", journal.state));
        let text: Vec<String> = journal.events.iter().map(|event| evidence::stored_form(event).unwrap()).collect();
        let read: Vec<Event> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&once, &format!("{:?}", fold_all(&read)));
    }
}

/// A walk as it should go reaches every kind of step, so that the property above is about something.
#[test]
fn a_walk_goes_to_its_end() {
    let mut journal = Journal::new();
    let mut now = noon();
    let ok = |journal: &mut Journal, who: &str, made: Move, now: &mut Timestamp, count: usize| {
        *now = now.plus(Millis(10));
        let command = command(journal, &made, count).unwrap();
        journal.follow(who, &command, *now).unwrap_or_else(|why| panic!("{made:?}: {why}"))
    };
    let execute = [
        Move::Execute { voids: None, verdict: "allow" },
        Move::Intend,
        Move::Started,
        Move::Finished { outcome: ExecutionOutcome::Succeeded, cost: Some(10) },
        Move::Evaluated { expect: true, fails: false },
    ];
    let mut all = vec![("ana", Move::Request)];
    for who in ["lea", "max"] {
        all.push((who, Move::Vote { who, approve: true, wrong: false }));
    }
    all.extend([("ana", Move::Start), ("ana", Move::Drive("ana")), ("ana", Move::Enter(true))]);
    all.extend(execute.iter().map(|made| ("ana", made.clone())));
    all.extend([("ana", Move::Enter(true)), ("ana", Move::Answer(true)), ("ana", Move::Enter(true))]);
    all.extend(execute.iter().map(|made| ("ana", made.clone())));
    all.extend([("ana", Move::Enter(false)), ("ana", Move::Enter(true)), ("ana", Move::Acknowledge)]);
    for (count, (who, made)) in all.into_iter().enumerate() {
        ok(&mut journal, who, made, &mut now, count);
    }
    assert!(journal.state.is_closed(), "{:?}", journal.state.cursor);
}

/// A step that is visited again is executed again: what an earlier visit read is not taken for this one's.
#[test]
fn a_second_visit_is_owed_nothing_by_the_first() {
    let mut journal = Journal::new();
    let mut now = noon();
    let mut held = Held::default();
    let made = [
        ("ana", Move::Request),
        ("lea", Move::Vote { who: "lea", approve: true, wrong: false }),
        ("max", Move::Vote { who: "max", approve: true, wrong: false }),
        ("ana", Move::Start),
        ("ana", Move::Drive("ana")),
        ("ana", Move::Enter(true)),
        ("ana", Move::Execute { voids: None, verdict: "allow" }),
        ("ana", Move::Intend),
        ("ana", Move::Started),
        ("ana", Move::Finished { outcome: ExecutionOutcome::Succeeded, cost: Some(10) }),
        ("ana", Move::Evaluated { expect: true, fails: false }),
        ("ana", Move::Enter(true)),
        ("ana", Move::Answer(false)),
        ("ana", Move::Enter(true)),
    ];
    for (count, (who, made)) in made.iter().enumerate() {
        now = now.plus(Millis(10));
        let command = command(&journal, made, count).unwrap();
        journal.follow(who, &command, now).unwrap_or_else(|why| panic!("{made:?}: {why}"));
    }
    held.epoch = Some(journal.state.epoch);
    assert_eq!(journal.state.steps["first"].visits, 2);
    assert_eq!(effects(&journal.state, &held, now).0, [], "the operator executes it");
    held.pending = Some("first".into());
    assert_eq!(effects(&journal.state, &held, now).0, [Effect::Mint(MintPurpose::Step("first".into()))]);
}

/// Leaves of a plan that are not bound: what the facts say may change without voiding anything (DESIGN §4.1, §4.3), and what is
/// only said about them.
const UNBOUND: [&str; 11] = [
    "facts_sha256",
    "findings",
    "verdict",
    "partitions",
    "estimate",
    "evidence",
    "estimate_why",
    "facts_age_s",
    "cost",
    "access_path",
    "output_columns",
];

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{path}/{index}"), found)),
        _ => found.push(path.to_owned()),
    }
}

/// Another value of the same kind, that still reads as a plan.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![Value::from("x"), Value::from(7)],
        Value::Bool(yes) => vec![Value::Bool(!yes)],
        Value::Number(number) => vec![Value::from(number.as_u64().unwrap_or(0) + 1)],
        Value::String(text) => {
            let known =
                ["aws", "sandbox", "name", "inherit", "stop", "keep", "get", "query", "note", "confirm", "block", "allow"];
            let mut others: Vec<Value> = known.iter().filter(|word| *word != text).map(|word| Value::from(*word)).collect();
            others.insert(0, Value::from(format!("{text}x")));
            others
        }
        _ => Vec::new(),
    }
}

/// Every bound field of a plan: a vote on the one is no vote on the other, and the look before an execution calls it drift.
#[test]
fn every_bound_field_drifts() {
    let approved = plan("request-1");
    let digest = approved.digest().unwrap();
    let json = serde_json::to_value(&approved).unwrap();
    let mut paths = Vec::new();
    leaves(&json, "", &mut paths);
    let mut bound = 0;
    for path in &paths {
        let mut changed = None;
        for other in others(json.pointer(path).unwrap()) {
            let mut value = json.clone();
            *value.pointer_mut(path).unwrap() = other;
            if let Ok(plan) = serde_json::from_value::<Plan>(value) {
                changed = Some(plan);
                break;
            }
        }
        let Some(changed) = changed else { continue };
        if changed == approved {
            continue;
        }
        assert_ne!(changed.digest().unwrap(), digest, "{path} is not in the digest");
        if path.split('/').any(|part| UNBOUND.contains(&part)) {
            continue;
        }
        bound += 1;
        let mut fields = drift::of_plan(&approved, &changed);
        for step in &approved.steps {
            if let Some(now) = changed.step(&step.id) {
                fields.extend(drift::of_step(step, now).0);
            }
        }
        assert!(!fields.is_empty(), "{path} may change unseen");
    }
    assert!(bound >= 60, "{bound} of {} leaves", paths.len());
    // And the facts alone are no drift.
    let facts = Plan { facts_sha256: "other".into(), ..approved.clone() };
    assert!(drift::of_plan(&approved, &facts).is_empty());
}

/// What the service says of the workgroup is bound as well.
#[test]
fn a_changed_or_disabled_workgroup_drifts() {
    assert!(drift::of_workgroup("s", ("tg", 10), &Ok(10)).is_none());
    assert!(drift::of_workgroup("s", ("tg", 10), &Ok(11)).is_some());
    assert!(drift::of_workgroup("s", ("tg", 10), &Err("it is disabled".into())).is_some());
}
