//! The crash matrix: at which point a process dies, what it ran, who comes next; each cell has one end, and all of them hold what
//! the tool promises. The table in `docs/reliability.md` is written by this test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use tollgate::core::run::event::{ExecutionOutcome, StepOutcome, StopReason};
use tollgate::core::run::{EventBody, ExecutionState};

use tollgate::core::units::Millis;

use super::world::{Call, Point, Side, lock};
use super::*;

/// What runs when the process dies.
const WHATS: [(&str, &str, Query); 4] = [
    ("A query of a second", "query", Query::Short),
    ("A query that never ends", "query", Query::Endless),
    ("A query that fails", "query", Query::Fails),
    ("A DynamoDB read", "items", Query::Short),
];

/// Who comes next.
const NEXTS: [&str; 4] = ["`resume` at once", "`resume` after 3 min", "`stop`, then `close`", "nobody until after the deadline"];

struct End {
    words: String,
    passed: Vec<String>,
}

/// One cell: the process dies at `point` (`None`: it lives), then `next` comes.
fn cell(what: usize, point: Option<&Point>, next: usize) -> End {
    let (_, runbook, query) = WHATS[what];
    let dir = place();
    let path = dir.path();
    story(query, |world| async move {
        let fate = match point {
            Some(point) => Arc::new(Fate::at(point.clone())),
            None => lives(),
        };
        let lea = process(&world, path, "lea", lives());
        let first = {
            let (world, fate, lea) = (world.clone(), fate.clone(), lea.clone());
            let path = path.to_owned();
            tokio::spawn(async move {
                let ana = process(&world, &path, "ana", fate.clone());
                walk(&world, &fate, begin(&ana, runbook).await, &lea).await
            })
        };
        let abort = first.abort_handle();
        tokio::select! {
            biased;
            () = fate.death() => {}
            // A process that dies takes its frontend with it, however that finds out.
            state = first => assert!(point.is_some() || matches!(state, Ok(Ok(())))),
        }
        abort.abort();
        let passed = lock(&fate.passed).clone();
        if point.is_some() {
            assert!(fate.is_dead(), "the point was passed in the walk that lived");
        }
        let Some(run) = only_run(path) else { return End { words: "no run".into(), passed } };
        if point.is_some() {
            follow(&world, path, &lea, &run, next).await;
        }
        let words = judge(&world, path, &run);
        End { words, passed }
    })
}

async fn follow(world: &Arc<World>, path: &Path, lea: &Engine, run: &str, next: usize) {
    let fate = lives();
    let ana = process(world, path, "ana", fate.clone());
    match next {
        1 => world.pass(Millis::from_mins(3)),
        2 => {
            if ana.load(run).unwrap().open_execution().is_some() {
                ana.append_to(run, &Command::Stop { why: "asked".into() }).unwrap();
                let (handle, mut updates) = ana.open(run, true).await.unwrap();
                while ana.load(run).unwrap().open_execution().is_some() {
                    tokio::time::timeout(Duration::from_secs(60), updates.recv()).await.expect("it stops").unwrap();
                }
                handle.leave("stopped").await;
            }
            let (handle, _updates) = ana.open(run, true).await.unwrap();
            if !ana.load(run).unwrap().is_closed() {
                handle.command(Command::Close { reason: "closed".into() }).await.unwrap();
            }
            handle.leave("closed").await;
            return;
        }
        3 => world.pass(Millis::from_mins(40)),
        _ => {}
    }
    walk(world, &fate, ana.open(run, true).await.unwrap(), lea).await.unwrap();
}

/// What the tool promises, whatever died; and the cell's end in words.
fn judge(world: &World, dir: &Path, run: &str) -> String {
    let events = events(dir, run);
    let state = tollgate::core::run::fold_all(&events);
    assert_eq!(state.corrupt, None);
    assert!(state.is_closed(), "every run comes to its end: {:?}", state.request().map(|r| &r.access));
    assert!(state.open_execution().is_none());
    assert!(!world.runs(), "nothing runs on");
    // Nothing ran twice, and what the journal intended is all that ran.
    let started = lock(&world.started).len();
    assert!(started <= 1, "started {started} times");
    assert!(*lock(&world.items_read) <= 1);
    let intended = events.iter().filter(|event| matches!(event.body, EventBody::ExecutionIntended { .. })).count();
    assert!(intended <= 1 && started <= intended);
    // After the deadline T nothing was allowed but stopping and looking, after T + 2 min nothing but a janitor's calls.
    let deadline = state.requests.iter().find_map(|request| match request.access {
        Access::Active { deadline, .. } | Access::Ended { deadline, .. } => Some(deadline),
        _ => None,
    });
    let janitor =
        ["athena:StopQueryExecution", "athena:GetQueryExecution", "athena:ListQueryExecutions", "athena:BatchGetQueryExecution"];
    for Call { action, at } in lock(&world.calls).iter() {
        let deadline = deadline.expect("a call without access");
        assert!(*at <= deadline || janitor.contains(&action.as_str()), "{action} after the deadline");
    }
    // Keys that were issued were dropped or died with their process.
    let spool = tollgate::adapters::spool::FileSpool::open(dir).unwrap();
    assert!(tollgate::engine::ports::Notes::pending(&spool, run).unwrap().is_empty(), "nothing is left in the spool");
    let request = state.request().unwrap();
    let step = state.steps.get("look").unwrap();
    let mut words = match (&step.status, state.last_execution_of("look").map(|execution| &execution.state)) {
        (StepStatus::Finished { outcome: StepOutcome::Done, .. }, _) => "done".to_owned(),
        (_, Some(ExecutionState::Indeterminate { .. })) => "indeterminate".to_owned(),
        (_, Some(ExecutionState::Stopped { reason, .. })) => match reason {
            StopReason::Asked => "stopped as asked".to_owned(),
            StopReason::Deadline => "stopped at the deadline".to_owned(),
            other => format!("stopped: {other:?}"),
        },
        (_, Some(ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, .. })) => "not sent".to_owned(),
        (_, Some(ExecutionState::Finished { outcome: ExecutionOutcome::Failed, .. })) => "failed".to_owned(),
        (_, Some(ExecutionState::Finished { .. })) => "ran; rows not fetched".to_owned(),
        (_, Some(open)) => panic!("{open:?}"),
        (_, None) => match &request.access {
            Access::Lapsed { unused: true } => "approval lapsed".to_owned(),
            Access::Lapsed { unused: false } => "request lapsed".to_owned(),
            _ => "not run".to_owned(),
        },
    };
    if events.iter().any(|event| matches!(event.body, EventBody::ExecutionStarted { adopted: true, .. })) {
        words.push_str(", found by its marker");
    }
    words
}

fn points(what: usize) -> Vec<Point> {
    let lived = cell(what, None, 0);
    let both = |name: &String| [Side::Before, Side::After].map(|side| Point { name: name.clone(), side });
    lived.passed.iter().flat_map(both).collect()
}

/// Every cell of one kind of statement, several at a time.
fn cells(what: usize) -> BTreeMap<(usize, usize), String> {
    let points = points(what);
    let todo: Mutex<Vec<(usize, usize)>> =
        Mutex::new((0..points.len()).flat_map(|point| (0..NEXTS.len()).map(move |next| (point, next))).collect());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        // They wait more than they work.
        for _ in 0..24 {
            scope.spawn(|| {
                loop {
                    let Some((point, next)) = lock(&todo).pop() else { return };
                    let outcome = std::panic::catch_unwind(|| cell(what, Some(&points[point]), next).words);
                    let words = outcome.unwrap_or_else(|_| format!("BROKEN {:?} {}", points[point], NEXTS[next]));
                    lock(&done).insert((point, next), words);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn every_cell_has_its_end() {
    let mut page = String::new();
    let mut count = 0;
    for (what, (title, ..)) in WHATS.iter().enumerate() {
        let points = points(what);
        let ends = cells(what);
        count += ends.len();
        let _ =
            write!(page, "\n### {title}\n\n| the process dies | {} |\n|---|{}\n", NEXTS.join(" | "), "---|".repeat(NEXTS.len()));
        for (index, point) in points.iter().enumerate() {
            let side = if point.side == Side::Before { "before" } else { "after" };
            let row: Vec<&str> = (0..NEXTS.len()).map(|next| ends[&(index, next)].as_str()).collect();
            let _ = writeln!(page, "| {side} {} | {} |", point.name, row.join(" | "));
        }
    }
    assert!(!page.contains("BROKEN"), "{}", page.lines().filter(|line| line.contains("BROKEN")).collect::<Vec<_>>().join("\n"));
    assert!(count >= 120, "{count} cells");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let known = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = known.split_once("<!-- matrix -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end of matrix -->").unwrap();
    let now = format!("{head}<!-- matrix -->\n{count} cells.\n{page}\n<!-- end of matrix -->{tail}");
    if std::env::var_os("TOLLGATE_BLESS").is_some() {
        std::fs::write(&file, now).unwrap();
        return;
    }
    assert!(known == now, "the ends have changed; look at them with TOLLGATE_BLESS=1 and git diff docs/reliability.md");
}
