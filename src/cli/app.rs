//! The app's desk: the engine, as the terminal app asks it. Nothing here is opened before the first frame is drawn.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::args::Global;
use super::assembly::{self, Assembled};
use super::error::Error;
use super::requests::book_differences;
use super::runs;
use crate::adapters::books;
use crate::adapters::clock::wall_clock;
use crate::core::plan::drift;
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::event::DriftField;
use crate::core::run::state::Request;
use crate::core::run::{Access, Command, RunState};
use crate::core::units::Timestamp;
use crate::engine::Engine;
use crate::engine::desk::{ChoiceOption, Draft, Planned, Preview, RunSummary};
use crate::engine::ports::Rows;
use crate::engine::session::{ExportFormat, SessionHandle};
use crate::tui::desk::{Ballot, Desk, Library, Opened, Pending, Progress, Session};

/// How often the sandbox is asked how far its data is.
const PROGRESS: Duration = Duration::from_millis(500);

/// The engine behind the app.
pub(super) struct AppDesk {
    global: Global,
    assembled: OnceCell<Assembled>,
}

impl AppDesk {
    /// For these options; opens nothing yet.
    pub(super) fn new(global: Global) -> Self {
        Self { global, assembled: OnceCell::new() }
    }

    async fn assembled(&self) -> Result<&Assembled, Refusal> {
        self.assembled
            .get_or_try_init(|| async { tokio::task::block_in_place(|| assembly::assemble(&self.global)) })
            .await
            .map_err(refusal)
    }

    async fn engine(&self, as_name: Option<&str>) -> Result<Engine, Refusal> {
        let engine = &self.assembled().await?.engine;
        Ok(match as_name {
            Some(name) => engine.acting_as(name),
            None => engine.clone(),
        })
    }
}

/// An edge error as the app shows it.
fn refusal(error: Error) -> Refusal {
    use super::error::ExitKind;
    let kind = match error.kind {
        ExitKind::Usage => Kind::Usage,
        ExitKind::Access => Kind::Access,
        ExitKind::Blocked => Kind::Blocked,
        ExitKind::Temporary => Kind::Temporary,
        ExitKind::Bug => Kind::Bug,
        _ => Kind::Failed,
    };
    let message = std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect::<Vec<_>>().join(": ");
    Refusal { kind, message, hint: error.hints.first().cloned() }
}

#[async_trait]
impl Desk for AppDesk {
    fn now(&self) -> Timestamp {
        let now = wall_clock();
        // Deadlines are the services' time (DESIGN §4.5); a difference that is known is counted in.
        let skew = self.assembled.get().and_then(|assembled| assembled.engine.ports().clock.skew_ms()).unwrap_or(0);
        if skew.abs() < 2_000 { now } else { Timestamp(now.0.saturating_add(skew)) }
    }

    async fn library(&self) -> Result<Library, Refusal> {
        tokio::task::block_in_place(|| {
            let dir = assembly::book_dir(&self.global).map_err(refusal)?;
            let loaded = books::load(&dir).map_err(|error| Refusal::new(Kind::Usage, error.to_string()))?;
            let mut problems = loaded.problems;
            problems.sort_by_key(|problem| !problem.is_error());
            let runbooks =
                loaded.shelf.map(|shelf| shelf.runbooks.into_values().map(|shelved| Arc::new(shelved.runbook)).collect());
            let me = assembly::name_here(&self.global, loaded.book.as_ref());
            Ok(Library { me, book: loaded.book.map(Arc::new), runbooks: runbooks.unwrap_or_default(), problems })
        })
    }

    #[cfg(feature = "sandbox")]
    async fn progress(&self) -> Option<Progress> {
        let engine = self.engine(None).await.ok()?;
        let sandbox = engine.shelf().book.targets.values().any(|t| t.endpoint == crate::core::plan::Endpoint::Sandbox);
        if !sandbox {
            return None;
        }
        let folder = super::sandbox::folder(&assembly::state_dir(&self.global).ok()?);
        let data = super::sandbox::progress(&folder).await.ok()?;
        if data.ready || data.error.is_some() {
            return None;
        }
        tokio::time::sleep(PROGRESS).await;
        let (done, total) = (u64::from(data.done_days), u64::from(data.total_days));
        Some(Progress { what: "sandbox data".to_owned(), done, total, unit: "days".to_owned() })
    }

    #[cfg(not(feature = "sandbox"))]
    async fn progress(&self) -> Option<Progress> {
        let _ = PROGRESS;
        None
    }

    async fn plan(&self, draft: &Draft) -> Result<Planned, Refusal> {
        let engine = self.engine(None).await?;
        super::sandbox::wait_quietly(&engine, &self.global, &draft.runbook).await.map_err(refusal)?;
        engine.plan(draft).await
    }

    async fn create(&self, draft: &Draft, planned: &Planned) -> Result<Opened, Refusal> {
        opened(self.engine(None).await?.create(draft, planned).await?)
    }

    async fn open(&self, run: Option<&str>, takeover: bool) -> Result<Opened, Refusal> {
        let engine = self.engine(None).await?;
        let run = runs::mine(&engine, run).map_err(refusal)?;
        opened(engine.open(&run, takeover).await?)
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, Refusal> {
        self.engine(None).await?.runs()
    }

    async fn inbox(&self, as_name: Option<&str>) -> Result<Vec<Pending>, Refusal> {
        let engine = self.engine(as_name).await?;
        let runs = engine.runs()?;
        let waiting = runs.iter().filter(|run| {
            let theirs = run.state.operator.as_ref().is_some_and(|operator| operator.name != engine.me().name);
            theirs && run.state.request().is_some_and(|request| request.access == Access::Waiting)
        });
        Ok(waiting.filter_map(|run| pending(&engine, &runs, &run.state)).collect())
    }

    async fn vote(&self, ballot: &Ballot) -> Result<(), Refusal> {
        let engine = self.engine(None).await?;
        if let Some(name) = &ballot.as_name {
            engine.append_to(&ballot.run, &Command::SwitchIdentity { to: name.clone() })?;
        }
        let voter = self.engine(ballot.as_name.as_deref()).await?;
        let outcome = voter.vote(&ballot.run, &ballot.request, &ballot.digest, ballot.approve, &ballot.comment);
        if ballot.as_name.is_some() {
            // The same person comes back whatever became of the vote; the record must not leave somebody else acting.
            voter.append_to(&ballot.run, &Command::SwitchIdentity { to: engine.me().name.clone() })?;
        }
        outcome.map(|_| ())
    }
}

fn pending(engine: &Engine, runs: &[RunSummary], state: &Arc<RunState>) -> Option<Pending> {
    let request = state.request()?;
    Some(Pending {
        state: state.clone(),
        request: request.id.clone(),
        since_last: since_last(runs, state, request),
        book_differs: book_differences(engine, state, request),
        incident: None,
        may_not: engine.may_vote(state, request).err().map(|refusal| refusal.message),
    })
}

/// What differs from the plan of this runbook that was approved last.
fn since_last(runs: &[RunSummary], state: &RunState, request: &Request) -> Option<Vec<DriftField>> {
    let approved = |other: &&Request| {
        other.plan.runbook.id == request.plan.runbook.id
            && other.id != request.id
            && matches!(other.access, Access::Approved { .. } | Access::Active { .. } | Access::Ended { .. })
    };
    let all = runs.iter().flat_map(|run| run.state.requests.iter());
    let last = all.filter(approved).filter(|other| other.sent_at < state.newest_at).max_by_key(|other| other.sent_at)?;
    // What is new with every request says nothing.
    let mut fields: Vec<DriftField> = drift::of_plan(&last.plan, &request.plan)
        .into_iter()
        .filter(|field| !matches!(field.field.as_str(), "request" | "run" | "reason"))
        .collect();
    for step in &request.plan.steps {
        if let Some(before) = last.plan.step(&step.id) {
            let (step_fields, _) = drift::of_step(before, step);
            fields.extend(step_fields.into_iter().filter(|f| !f.field.ends_with(".policy") && !f.field.ends_with(".output")));
        }
    }
    Some(fields)
}

/// A session as the app holds it.
struct AppSession(SessionHandle);

fn opened((handle, updates): crate::engine::Opened) -> Result<Opened, Refusal> {
    Ok(Opened { session: Arc::new(AppSession(handle)), updates })
}

#[async_trait]
impl Session for AppSession {
    fn run(&self) -> String {
        self.0.run().to_owned()
    }

    async fn command(&self, command: Command) -> Result<(), Refusal> {
        self.0.command(command).await
    }

    async fn advance(&self) -> Result<(), Refusal> {
        self.0.advance().await
    }

    async fn preview(&self) -> Result<Preview, Refusal> {
        self.0.preview().await
    }

    async fn execute(&self) -> Result<(), Refusal> {
        self.0.execute().await
    }

    async fn options(&self) -> Result<Vec<ChoiceOption>, Refusal> {
        self.0.options().await
    }

    async fn prose(&self, step: &str) -> Result<String, Refusal> {
        self.0.prose(step).await
    }

    async fn rows(&self, execution: &str) -> Result<Arc<Rows>, Refusal> {
        self.0.rows(execution).await
    }

    async fn export(&self, execution: &str, format: ExportFormat) -> Result<String, Refusal> {
        self.0.export(execution, format).await
    }

    async fn abandon(&self) {
        self.0.abandon().await;
    }

    async fn leave(&self, reason: &str) {
        self.0.leave(reason).await;
    }
}
