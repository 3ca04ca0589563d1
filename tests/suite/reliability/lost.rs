//! The journal is lost while a query runs: it is stopped without it, noted in the spool, and imported by whoever comes next.

use tollgate::core::run::{EventBody, ExecutionState};
use tollgate::engine::ports::Notes as _;

use super::world::lock;
use super::*;

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

/// Walks without letting time pass.
async fn still(world: &World, fate: &Fate, opened: Opened, lea: &Engine) {
    let _ = walk_at(world, fate, opened, lea, false).await;
}

/// Which outcomes the journal could not take, by when it was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// While the query runs.
    Running,
    /// Between the service's answer to the start and its event.
    Starting,
}

fn lose(when: Lost, back: bool) {
    let dir = place();
    let path = dir.path();
    story(Query::Endless, |world| async move {
        let fate = lives();
        let lea = process(&world, path, "lea", lives());
        let ana = process(&world, path, "ana", fate.clone());
        let opened = begin(&ana, "query").await;
        let run = opened.0.run().to_owned();
        let walking = tokio::spawn({
            let (world, fate, lea) = (world.clone(), fate.clone(), lea.clone());
            async move { still(&world, &fate, opened, &lea).await }
        });
        match when {
            Lost::Running => {
                let lea = lea.clone();
                let run = run.clone();
                until("it runs", || {
                    lea.load(&run).unwrap().open_execution().is_some_and(|open| open.state == ExecutionState::Running)
                })
                .await;
            }
            Lost::Starting => until("it starts", || !lock(&world.started).is_empty()).await,
        }
        *lock(&fate.no_journal) = Some("database is locked");
        until("it is stopped", || !world.runs()).await;
        let spool = tollgate::adapters::spool::FileSpool::open(path).unwrap();
        until("it is noted", || spool.pending(&run).unwrap().iter().any(|act| act.body.kind() == "execution.stopped")).await;
        let noted = spool.pending(&run).unwrap();
        if back {
            *lock(&fate.no_journal) = None;
            walking.await.unwrap();
        } else {
            fate.kill();
            walking.abort();
            *lock(&fate.no_journal) = None;
            let next = process(&world, path, "ana", lives());
            // A list is enough: whoever starts next brings the notes in.
            assert!(next.runs().unwrap().iter().all(|run| run.state.open_execution().is_none()));
            walk(&world, &lives(), next.open(&run, true).await.unwrap(), &lea).await.unwrap();
        }
        let events = events(path, &run);
        let stopped: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::ExecutionStopped { happened_at, .. } => Some((*happened_at, event.at)),
                _ => None,
            })
            .collect();
        let [(Some(happened), at)] = stopped.as_slice() else { panic!("{stopped:?}") };
        assert!(happened <= at);
        assert!(noted.iter().any(|act| act.happened_at == *happened), "the time of the act is kept");
        assert_eq!(lock(&world.started).len(), 1);
        assert!(spool.pending(&run).unwrap().is_empty(), "imported once");
        let state = tollgate::core::run::fold_all(&events);
        assert!(state.is_closed() && state.corrupt.is_none());
    });
}

#[test]
fn a_running_query_is_stopped_without_the_journal() {
    lose(Lost::Running, false);
    lose(Lost::Running, true);
}

#[test]
fn a_query_whose_start_was_not_journaled_is_stopped_too() {
    lose(Lost::Starting, false);
    lose(Lost::Starting, true);
}
