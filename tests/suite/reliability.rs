//! Nothing is lost, nothing runs twice, and access really ends: processes die at every point of a walk, and whoever comes next
//! brings it to its one end.

#[path = "reliability/lost.rs"]
mod lost;
#[path = "reliability/matrix.rs"]
mod matrix;
#[path = "reliability/world.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::core::run::command::Refusal;
use tollgate::core::run::event::Next;
use tollgate::core::run::{Access, Command, Event, RunState, StepStatus, expiry};
use tollgate::core::runbook::StepKind;
use tollgate::core::units::Timestamp;
use tollgate::engine::desk::{Draft, Update};
use tollgate::engine::ports::Journal as _;
use tollgate::engine::{Engine, Opened};

use world::{Fate, Query, World, process};

/// A place for one cell: memory where there is some, since nothing here is about the disk.
fn place() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let builder = tempfile::Builder::new();
    let dir = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    world::write_book(dir.path());
    dir
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// Tells a story in a world of its own.
fn story<F: Future>(query: Query, tell: impl FnOnce(Arc<World>) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tell(World::new(query, noon())).await })
}

fn draft(runbook: &str) -> Draft {
    Draft { runbook: runbook.into(), reason: "the shop is down".into(), ..Draft::default() }
}

async fn begin(engine: &Engine, runbook: &str) -> Opened {
    let draft = draft(runbook);
    let planned = engine.plan(&draft).await.unwrap();
    engine.create(&draft, &planned).await.unwrap()
}

/// The only run of the store, if there is one.
fn only_run(dir: &Path) -> Option<String> {
    let journal = SqliteJournal::open(&dir.join("journal.db"), Sharing::Private).unwrap();
    let runs = journal.runs().unwrap();
    assert!(runs.len() <= 1, "{runs:?}");
    runs.into_iter().next()
}

fn events(dir: &Path, run: &str) -> Vec<Event> {
    let journal = SqliteJournal::open(&dir.join("journal.db"), Sharing::Private).unwrap();
    assert!(journal.verify(run).unwrap().is_ok(), "the chain holds");
    journal.events(run).unwrap()
}

/// Walks to the end as a patient operator would; `lea` approves what waits. A query that never ends is waited for until access does.
async fn walk(world: &World, fate: &Fate, opened: Opened, lea: &Engine) -> Result<(), Refusal> {
    walk_at(world, fate, opened, lea, true).await
}

async fn walk_at(world: &World, fate: &Fate, opened: Opened, lea: &Engine, hasty: bool) -> Result<(), Refusal> {
    let (handle, mut updates) = opened;
    let mut state = Arc::new(RunState::default());
    let mut asked = None;
    loop {
        match tokio::time::timeout(Duration::from_secs(60), updates.recv()).await {
            Ok(Some(Update::State { state: now, .. })) => state = now,
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(()),
            Err(_) => panic!("nothing happens any more: {:?}", state.request().map(|request| &request.access)),
        }
        while let Ok(update) = updates.try_recv() {
            if let Update::State { state: now, .. } = update {
                state = now;
            }
        }
        if state.is_closed() {
            handle.leave("done").await;
            return Ok(());
        }
        let Some(request) = state.request() else { return Ok(()) };
        match &request.access {
            Access::Waiting => {
                let _ = lea.vote(&state.id, &request.id, &request.digest, true, "");
            }
            Access::Approved { .. } => handle.command(Command::StartAccess).await?,
            Access::Active { deadline, .. } if state.open_execution().is_some() => {
                if hasty && world.runs() && state.open_execution().is_some_and(|open| open.started_at.is_some()) {
                    world.pass(deadline.minus(expiry::STOP_BEFORE).since(world.now()));
                    fate.nudge();
                }
            }
            _ if state.open_execution().is_some() => {}
            Access::Active { .. } if state.finished != Some(Next::Stop) => {
                let Some(id) = state.cursor.clone() else { continue };
                let entered = state.steps.get(&id).is_some_and(|step| step.status == StepStatus::Entered);
                let kind = &state.walk.as_ref().unwrap().step(&id).unwrap().kind;
                match kind {
                    _ if !entered => handle.advance().await?,
                    StepKind::Note => handle.command(Command::Acknowledge).await?,
                    _ if state.current_execution_of(&id).is_none() && asked != Some(id.clone()) => {
                        asked = Some(id);
                        // A refusal, because it is too late, leaves the step where it is.
                        if handle.execute().await.is_err() {
                            let reason = "it cannot be executed any more".to_owned();
                            handle.command(Command::Close { reason }).await?;
                        }
                    }
                    _ => {}
                }
            }
            _ => handle.command(Command::Close { reason: "the operator closed it".into() }).await?,
        }
    }
}

fn lives() -> Arc<Fate> {
    Arc::new(Fate::default())
}
