//! `runs`, `stop`, `close`.

use std::time::Duration;

use serde_json::json;

use super::args::{Format, Global, RunsCommand};
use super::assembly::{Assembled, assemble};
use super::error::{Error, ExitKind};
use super::show;
use crate::core::run::{Command, RunState, StepStatus};
use crate::core::text::visible;
use crate::engine::desk::Update;
use crate::engine::{Engine, journal_refusal};

/// A live driver acts on a stop within this long, else the caller takes the run (DESIGN §2).
const DRIVER_ACTS: Duration = Duration::from_secs(2);

/// `runs …`.
pub(super) async fn runs(global: &Global, command: Option<RunsCommand>, format: Format) -> Result<u8, Error> {
    let assembled = assemble(global)?;
    let engine = &assembled.engine;
    match command.unwrap_or(RunsCommand::List) {
        RunsCommand::List => list(engine, format).map(|()| 0),
        RunsCommand::Show { id } => show_run(engine, &id, format).map(|()| 0),
        RunsCommand::Verify { id } => verify(&assembled, id.as_deref(), format),
    }
}

fn list(engine: &Engine, format: Format) -> Result<(), Error> {
    let runs = engine.runs()?;
    if runs.is_empty() && format == Format::Text {
        show::say(&format!("no runs in {}", engine.ports().journal.path()));
    }
    for run in runs {
        let state = &run.state;
        let runbook = state.walk.as_ref().map_or_else(String::new, |walk| walk.runbook.id.to_string());
        let who = state.operator.as_ref().map_or_else(String::new, |actor| actor.name.clone());
        let stands = show::standing(state, run.driven);
        match format {
            Format::Json => show::data(
                &json!({"run": state.id, "runbook": runbook, "by": who, "created_at": state.created_at, "standing": stands,
                        "driven": run.driven, "events": state.seq})
                .to_string(),
            )?,
            Format::Text => show::data(&format!(
                "{}  {}  {}  {runbook}  {stands}",
                show::short_id(&state.id),
                state.created_at,
                visible(&who)
            ))?,
        }
    }
    Ok(())
}

fn show_run(engine: &Engine, id: &str, format: Format) -> Result<(), Error> {
    let run = resolve(engine, id)?;
    let events = engine.ports().journal.events(&run).map_err(|error| Error::from(journal_refusal(error)))?;
    if format == Format::Json {
        for event in &events {
            show::data(&serde_json::to_string(event).map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?)?;
        }
        return Ok(());
    }
    let mut state = RunState::default();
    for event in &events {
        crate::core::run::apply(&mut state, event);
        let said = show::sentence(&event.body, &state).unwrap_or_default();
        let said = said.replace('\n', " ");
        show::data(&format!(
            "{:>4}  {}  {:<8} {:<24} {said}",
            event.seq,
            event.at,
            visible(&event.actor.name),
            event.body.kind()
        ))?;
    }
    for (id, step) in &state.steps {
        let word = match &step.status {
            StepStatus::Pending => "pending".to_owned(),
            StepStatus::Entered => "entered".to_owned(),
            StepStatus::Skipped { reason } => format!("skipped ({})", visible(reason)),
            StepStatus::Finished { outcome, reason } => {
                let why = reason.as_ref().map_or_else(String::new, |why| format!(" ({})", visible(why)));
                format!("{outcome:?}{why}").to_lowercase()
            }
        };
        show::data(&format!("      step {id}: {word}"))?;
    }
    if let Some(reason) = &state.corrupt {
        return Err(Error::new(ExitKind::Failed, format!("the journal of this run cannot be followed: {reason}")));
    }
    show::data(&format!("      {}", show::standing(&state, false)))
}

fn verify(assembled: &Assembled, id: Option<&str>, format: Format) -> Result<u8, Error> {
    let journal = &assembled.journal;
    let runs = match id {
        Some(id) => vec![resolve(&assembled.engine, id)?],
        None => journal.known().map_err(|error| Error::from(journal_refusal(error)))?,
    };
    let mut broken = 0;
    for run in &runs {
        match journal.verify(run).map_err(|error| Error::from(journal_refusal(error)))? {
            Ok(verified) => match format {
                Format::Json => {
                    show::data(&json!({"run": run, "ok": true, "events": verified.events, "head": verified.head}).to_string())?
                }
                Format::Text => show::data(&format!("{run}  OK  {} events  head {}", verified.events, verified.head))?,
            },
            Err(breaks) => {
                broken += 1;
                for broken in breaks {
                    match format {
                        Format::Json => show::data(
                            &json!({"run": run, "ok": false, "event": broken.seq, "what": broken.to_string()}).to_string(),
                        )?,
                        Format::Text => show::data(&format!("{run}  BROKEN  {}", visible(&broken.to_string())))?,
                    }
                }
            }
        }
    }
    if broken > 0 {
        return Err(Error::new(ExitKind::Failed, format!("{broken} of {} runs have a broken chain", runs.len()))
            .hint("somebody changed the store, or it was restored in part; the lines above say which events"));
    }
    if format == Format::Text {
        show::say(&format!("{} runs verified", runs.len()));
    }
    Ok(0)
}

fn resolve(engine: &Engine, id: &str) -> Result<String, Error> {
    engine.ports().journal.resolve(id).map_err(|error| Error::from(journal_refusal(error)))
}

/// The run named, or my only open one.
pub(super) fn mine(engine: &Engine, id: Option<&str>) -> Result<String, Error> {
    if let Some(id) = id {
        return resolve(engine, id);
    }
    let open: Vec<String> =
        engine.runs()?.iter().filter(|run| run.mine && !run.state.is_closed()).map(|run| run.state.id.clone()).collect();
    match open.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::usage(format!("{} has no open run", engine.me().name)).hint("`tollgate runs` lists all of them")),
        many => {
            let ids: Vec<String> = many.iter().map(|id| show::short_id(id)).collect();
            Err(Error::usage(format!("{} has {} open runs: {}", engine.me().name, many.len(), ids.join(", ")))
                .hint("name one by the end of its id"))
        }
    }
}

/// `stop`: asks the driver to stop; where none acts within two seconds, takes the run and stops it.
pub(super) async fn stop(global: &Global, id: Option<String>) -> Result<(), Error> {
    let Assembled { engine, .. } = &assemble(global)?;
    let run = match id {
        Some(id) => resolve(engine, &id)?,
        None => {
            let running: Vec<String> = engine
                .runs()?
                .iter()
                .filter(|run| run.state.open_execution().is_some())
                .map(|run| run.state.id.clone())
                .collect();
            match running.as_slice() {
                [] => {
                    show::say("nothing runs");
                    return Ok(());
                }
                [one] => one.clone(),
                _ => {
                    return Err(Error::usage("several runs have something running")
                        .hint("name one by the end of its id: `tollgate runs`"));
                }
            }
        }
    };
    if engine.load(&run)?.open_execution().is_none() {
        show::say("nothing runs");
        return Ok(());
    }
    let why = format!("asked by {}", engine.me().name);
    engine.append_to(&run, &Command::Stop { why })?;
    let end = tokio::time::Instant::now() + DRIVER_ACTS;
    let mut version = engine.ports().changed.clone();
    while tokio::time::Instant::now() < end {
        if engine.load(&run)?.open_execution().is_none() {
            show::say("stopped");
            return Ok(());
        }
        let _ = tokio::time::timeout(Duration::from_millis(100), version.changed()).await;
    }
    show::say("no terminal acted on it; taking the run over");
    take_and_stop(engine, &run).await
}

async fn take_and_stop(engine: &Engine, run: &str) -> Result<(), Error> {
    let (handle, mut updates) = engine.open(run, true).await?;
    let mut state = engine.load(run)?;
    let outcome = loop {
        if state.open_execution().is_none() {
            break Ok(());
        }
        match tokio::time::timeout(Duration::from_secs(30), updates.recv()).await {
            Ok(Some(Update::State { state: next, .. })) => state = (*next).clone(),
            Ok(Some(Update::Notice(refusal))) => Error::from(refusal).print(&mut std::io::stderr(), false),
            Ok(Some(Update::ReadOnly { by })) => break Err(Error::new(ExitKind::Failed, format!("{by} took the run meanwhile"))),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => {
                break Err(Error::new(ExitKind::Temporary, "it does not stop").hint("the workgroup's cutoff holds it; try again"));
            }
        }
    };
    handle.leave("stopped from another terminal").await;
    if outcome.is_ok() {
        show::say("stopped");
    }
    outcome
}

/// `close`: takes the run, stops what runs, ends its access.
pub(super) async fn close(global: &Global, id: Option<String>) -> Result<(), Error> {
    let Assembled { engine, .. } = &assemble(global)?;
    let run = mine(engine, id.as_deref())?;
    if engine.load(&run)?.is_closed() {
        show::say("it is closed already");
        return Ok(());
    }
    if engine.load(&run)?.open_execution().is_some() {
        engine.append_to(&run, &Command::Stop { why: "the run is being closed".to_owned() })?;
        take_and_stop(engine, &run).await?;
    }
    let (handle, _updates) = engine.open(&run, true).await?;
    let outcome = handle.command(Command::Close { reason: format!("closed by {}", engine.me().name) }).await;
    handle.leave("closed").await;
    outcome?;
    show::data(&show::summary(&engine.load(&run)?))
}
