//! The walk without a terminal: the same engine, answered by flags. stdout is data, stderr narration; what no flag answers ends
//! it and leaves the run open.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::args::{Format, Global, WalkArgs};
use super::error::{Error, ExitKind};
use super::show;
use crate::core::plan::{OnDisconnect, PlanAction};
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::decide::stop_words;
use crate::core::run::event::{ExecutionOutcome, Next, StepOutcome, StopReason};
use crate::core::run::state::MintState;
use crate::core::run::{Access, Command, ExecutionState, RunState, StepStatus};
use crate::core::runbook::StepKind;
use crate::core::text::visible;
use crate::core::units::{Bytes, Millis, ReadUnits};
use crate::engine::Opened;
use crate::engine::desk::Update;
use crate::engine::exporting;
use crate::engine::ports::Rows;
use crate::engine::session::SessionHandle;

/// A hung-up terminal leaves this long for a `resume` to take over (DESIGN §4.7).
const HANG_UP_GRACE: Duration = Duration::from_secs(20);
/// A stop is waited for at most this long when the process was told to end (DESIGN §4.7).
const STOP_GRACE: Duration = Duration::from_millis(1800);

/// How a walk is answered.
pub(super) struct Answers {
    answers: HashMap<String, String>,
    accept: Vec<String>,
    wait: Option<Millis>,
    out: Option<PathBuf>,
    json: bool,
    /// The command that goes on, up to the run's id, with the options that lead to the same store.
    resume: String,
}

impl Answers {
    /// Reads the flags.
    pub(super) fn new(global: &Global, args: &WalkArgs) -> Result<Self, Error> {
        let mut answers = HashMap::new();
        for answer in &args.answers {
            let Some((step, value)) = answer.split_once('=') else {
                return Err(Error::usage(format!("`--answer {answer}` has no `=`")).hint("write `--answer STEP=yes`"));
            };
            answers.insert(step.to_owned(), value.to_owned());
        }
        let wait = match &args.wait {
            Some(text) => Some(text.parse::<Millis>().map_err(|error| Error::usage(format!("--wait: {error}")))?),
            None => None,
        };
        if let Some(dir) = &args.out {
            std::fs::create_dir_all(dir).map_err(|error| {
                Error::new(ExitKind::Usage, format!("--out {}: {error}", dir.display())).hint("name a folder that you may write")
            })?;
        }
        let json = args.format == Some(Format::Json);
        let resume = show::command_line(global, "resume");
        Ok(Self { answers, accept: args.accept_warn.clone(), wait, out: args.out.clone(), json, resume })
    }
}

/// Walks an opened run to its end, or to what no flag answers.
pub(super) async fn walk(opened: Opened, answers: &Answers, quiet_until: u64) -> Result<(), Error> {
    let (handle, updates) = opened;
    let mut walker = Walker {
        handle,
        updates,
        answers,
        state: Arc::new(RunState::default()),
        printed: quiet_until,
        rows_shown: Vec::new(),
        asked: None,
        waiting_since: None,
    };
    let outcome = walker.drive().await;
    let reason = if outcome.is_ok() { "the walk is done" } else { "the walk without a terminal ended" };
    walker.handle.leave(reason).await;
    walker.drain();
    outcome
}

struct Walker<'a> {
    handle: SessionHandle,
    updates: mpsc::UnboundedReceiver<Update>,
    answers: &'a Answers,
    state: Arc<RunState>,
    printed: u64,
    rows_shown: Vec<String>,
    /// The step and visit whose execution was asked for.
    asked: Option<(String, u32)>,
    waiting_since: Option<Instant>,
}

impl Walker<'_> {
    async fn drive(&mut self) -> Result<(), Error> {
        let signals =
            |kind| signal(kind).map_err(|error| Error::new(ExitKind::Failed, format!("signals cannot be heard: {error}")));
        let mut interrupt = signals(SignalKind::interrupt())?;
        let mut terminate = signals(SignalKind::terminate())?;
        let mut hang_up = signals(SignalKind::hangup())?;
        loop {
            self.drain();
            if let Some(outcome) = self.next().await? {
                return outcome;
            }
            let patience = self.patience();
            tokio::select! {
                update = self.updates.recv() => match update {
                    Some(update) => self.take(update)?,
                    None => return Err(Error::new(ExitKind::Bug, "the session ended by itself")),
                },
                _ = interrupt.recv() => return self.stopped_by(ExitKind::Interrupted, "interrupted").await,
                _ = terminate.recv() => return self.stopped_by(ExitKind::Terminated, "told to end").await,
                _ = hang_up.recv() => return self.hung_up().await,
                () = sleep_until(patience) => {
                    let hint = self.resume_line();
                    return Err(Error::new(ExitKind::Temporary, "nobody has voted yet").hint(hint));
                }
            }
        }
    }

    fn patience(&self) -> Option<Instant> {
        let wait = Duration::from_millis(self.answers.wait?.0);
        Some(self.waiting_since? + wait)
    }

    /// Takes every update that is there already, so that decisions see the newest state.
    fn drain(&mut self) {
        while let Ok(update) = self.updates.try_recv() {
            // What cannot be printed is told by the next one.
            let _ = self.take(update);
        }
    }

    fn take(&mut self, update: Update) -> Result<(), Error> {
        match update {
            Update::State { state, events } => {
                self.state = state;
                for event in events.iter().filter(|event| event.seq > self.printed) {
                    if self.answers.json {
                        let line = serde_json::to_string(event).map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?;
                        show::data(&line)?;
                    }
                    if let Some(sentence) = show::sentence(&event.body, &self.state) {
                        show::say(&sentence);
                    }
                }
                if let Some(last) = events.last() {
                    self.printed = self.printed.max(last.seq);
                }
            }
            Update::Progress { .. } | Update::Busy(_) => {}
            Update::Rows { execution, rows } => self.rows(&execution, &rows)?,
            Update::Notice(refusal) => self.notice(refusal)?,
            Update::ReadOnly { by } => {
                return Err(Error::new(ExitKind::Failed, format!("another terminal took the run over: {by}"))
                    .hint("`tollgate resume --takeover` takes it back"));
            }
        }
        Ok(())
    }

    /// Something went wrong that no command asked for. What waits for a step to start ends here unless it is tried again.
    fn notice(&mut self, refusal: Refusal) -> Result<(), Error> {
        let waits = self.asked.is_some() && self.state.open_execution().is_none();
        let here = self.state.cursor.as_ref().is_some_and(|id| self.asked.as_ref().is_some_and(|(asked, _)| asked == id));
        let ran = self.asked.as_ref().and_then(|(id, _)| self.state.last_execution_of(id)).is_some();
        if waits && here && !ran && refusal.kind != Kind::Temporary {
            return Err(Error::from(refusal).hint(self.resume_line()));
        }
        Error::from(refusal).print(&mut std::io::stderr(), false);
        Ok(())
    }

    /// Shows the rows of an execution, once.
    fn rows(&mut self, execution: &str, rows: &Rows) -> Result<(), Error> {
        if self.rows_shown.iter().any(|shown| shown == execution) {
            return Ok(());
        }
        self.rows_shown.push(execution.to_owned());
        let step = self.state.execution(execution).map_or_else(String::new, |e| e.step.clone());
        if let Some(dir) = &self.answers.out {
            let file = dir.join(format!("{step}.jsonl"));
            let bytes = exporting::json_lines(rows).map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?;
            write_new(&file, &bytes)?;
            show::say(&format!("{} rows of {} written to {}", rows.rows.len(), visible(&step), file.display()));
        }
        if !self.answers.json {
            show::table(rows)?;
        }
        Ok(())
    }

    /// Does the next thing; `Some` ends the walk.
    async fn next(&mut self) -> Result<Option<Result<(), Error>>, Error> {
        let state = self.state.clone();
        if let Some(reason) = &state.corrupt {
            return Err(Error::new(ExitKind::Failed, format!("the journal of this run cannot be followed: {reason}"))
                .hint("`tollgate runs verify` says which event is wrong; nothing was done"));
        }
        if state.is_closed() {
            show::say(&show::summary(&state));
            return Ok(Some(Ok(())));
        }
        let Some(request) = state.request() else {
            return Err(Error::new(ExitKind::Failed, "this run has no request").hint("close it: `tollgate close`"));
        };
        match &request.access {
            Access::Waiting => {
                self.waiting_since.get_or_insert_with(Instant::now);
                return Ok(None);
            }
            Access::Approved { .. } => {
                self.waiting_since = None;
                self.handle.command(Command::StartAccess).await?;
                return Ok(None);
            }
            Access::Denied { by } => {
                let comment = request.votes.last().map(|vote| vote.comment.clone()).unwrap_or_default();
                return Err(Error::new(ExitKind::Access, format!("{by} denied the request: {}", visible(&comment))));
            }
            Access::Lapsed { unused } => {
                let why = if *unused { "the approval was not used in time" } else { "nobody answered the request in time" };
                return Err(Error::new(ExitKind::Access, why).hint("ask again with `tollgate run`"));
            }
            Access::Cancelled => return Err(Error::new(ExitKind::Access, "the request was cancelled")),
            Access::Active { .. } | Access::Ended { .. } => {}
        }
        if state.open_execution().is_some() {
            return Ok(None);
        }
        if state.finished == Some(Next::Stop) {
            return self.stopped_walk(&state).await.map(Some);
        }
        if let Access::Ended { reason, .. } = &request.access {
            return Err(Error::new(ExitKind::Access, format!("access has ended: {reason}"))
                .hint("ask again for the remaining steps in the app: `tollgate resume`"));
        }
        let Some(id) = state.cursor.clone() else { return Ok(None) };
        let Some(step) = state.steps.get(&id) else { return Ok(None) };
        match step.status {
            StepStatus::Entered => self.step(&state, &id, step.visits).await,
            _ => {
                self.handle.advance().await?;
                Ok(None)
            }
        }
    }

    async fn step(&mut self, state: &RunState, id: &str, visit: u32) -> Result<Option<Result<(), Error>>, Error> {
        let Some(walk) = &state.walk else { return Ok(None) };
        let step = walk.step(id)?;
        // What was begun in this visit, by whomever, comes to its own end: rows and captures are under way.
        if step.kind.executes() && state.current_execution_of(id).is_some() {
            return Ok(None);
        }
        let first = self.asked.as_ref() != Some(&(id.to_owned(), visit));
        if first {
            let prose = self.handle.prose(id).await?;
            for line in prose.lines() {
                show::say(&format!("  {}", visible(line)));
            }
        }
        match &step.kind {
            StepKind::Note => self.handle.command(Command::Acknowledge).await?,
            StepKind::Confirm(_) => {
                let yes = match self.answers.answers.get(id).map(String::as_str) {
                    Some("yes") => true,
                    Some("no") => false,
                    Some(other) => {
                        return Err(self.unanswered(id, &format!("`{}` is neither yes nor no", visible(other)), "yes"));
                    }
                    None => return Err(self.unanswered(id, "it asks a question", "yes")),
                };
                self.handle.command(Command::Answer { yes }).await?;
            }
            StepKind::Choose(_) => self.choose(id).await?,
            StepKind::Athena(_) | StepKind::Dynamodb(_) if first => {
                self.asked = Some((id.to_owned(), visit));
                self.execute(id).await?;
            }
            StepKind::Athena(_) | StepKind::Dynamodb(_) => return self.not_executed(state, id),
        }
        Ok(None)
    }

    async fn choose(&mut self, id: &str) -> Result<(), Error> {
        let options = self.handle.options().await?;
        let Some(wanted) = self.answers.answers.get(id) else {
            for (index, option) in options.iter().enumerate().take(20) {
                show::say(&format!("  {} {}", index + 1, visible(&option.label)));
            }
            return Err(self.unanswered(id, "it wants a choice", "LABEL"));
        };
        let by_label = options.iter().find(|option| option.label == *wanted);
        let by_number = wanted.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
        let Some(option) = by_label.or(by_number) else {
            return Err(self.unanswered(id, &format!("`{}` is not among the choices", visible(wanted)), "LABEL"));
        };
        let values = option.values.clone().map_err(|why| Error::new(ExitKind::Failed, why))?;
        self.handle.command(Command::Choose { values }).await?;
        Ok(())
    }

    async fn execute(&mut self, id: &str) -> Result<(), Error> {
        let preview = self.handle.preview().await?;
        for line in show::step_lines(&preview.now) {
            show::say(&line);
        }
        if !preview.check.warnings.is_empty() && preview.check.voids.is_none() {
            if !self.answers.accept.iter().any(|step| step == id) {
                let rules = preview.check.warnings.join(", ");
                return Err(Error::new(ExitKind::Blocked, format!("step {id} warns ({rules}) and was not accepted"))
                    .hint(format!("{} --accept-warn {id}", self.resume_line())));
            }
            self.handle.command(Command::AcceptWarning).await?;
        }
        self.handle.execute().await?;
        Ok(())
    }

    /// The step was asked to execute and did not: keys were refused, or the service refused the start.
    fn not_executed(&self, state: &RunState, id: &str) -> Result<Option<Result<(), Error>>, Error> {
        if let Some(mint) = state.mints.last() {
            match &mint.state {
                MintState::Failed(error) => {
                    return Err(Error::new(ExitKind::Access, format!("keys were refused: {}: {}", error.code, error.message))
                        .hint("`tollgate doctor` looks at the trust policy; then: ")
                        .hint(self.resume_line()));
                }
                MintState::Unknown if state.driver.as_ref().is_some_and(|d| d.epoch == mint.epoch) => {
                    return Err(Error::new(ExitKind::Temporary, "STS did not answer").hint(self.resume_line()));
                }
                _ => {}
            }
        }
        let refused = state.last_execution_of(id).and_then(|execution| match &execution.state {
            ExecutionState::Finished { outcome: ExecutionOutcome::NotSent, error, .. } => Some(error.clone()),
            _ => None,
        });
        match refused {
            Some(error) => {
                let words = error.map_or_else(String::new, |e| format!(": {}: {}", e.code, e.message));
                Err(Error::new(ExitKind::Access, format!("the service refused step {id}{words}")).hint(self.resume_line()))
            }
            None => Ok(None),
        }
    }

    /// A step ended the walk: its reason decides the exit code.
    async fn stopped_walk(&mut self, state: &RunState) -> Result<Result<(), Error>, Error> {
        let id = state.cursor.clone().unwrap_or_default();
        let (outcome, reason) = match state.steps.get(&id).map(|step| &step.status) {
            Some(StepStatus::Finished { outcome, reason }) => (*outcome, reason.clone().unwrap_or_default()),
            _ => (StepOutcome::Failed, String::new()),
        };
        let stop = state.last_execution_of(&id).and_then(|execution| match &execution.state {
            ExecutionState::Stopped { reason, .. } => Some(*reason),
            _ => None,
        });
        let words = visible(&reason).into_owned();
        if let (StepOutcome::Stopped, Some(stop)) = (outcome, stop) {
            let kind = match stop {
                StopReason::Deadline | StopReason::Revoked => ExitKind::Access,
                StopReason::Ceiling | StopReason::Budget | StopReason::HardStop => ExitKind::Blocked,
                _ => ExitKind::Failed,
            };
            return Err(Error::new(kind, format!("step {id} was {}", stop_words(stop)))
                .hint("ask again for the remaining steps in the app: `tollgate resume`"));
        }
        // A step that ends the run ends its access too: nothing is left that these flags could do.
        let said = match outcome {
            StepOutcome::Declined => format!("step {id} was answered with no"),
            _ => format!("step {id} failed: {words}"),
        };
        self.handle.command(Command::Close { reason: said.clone() }).await?;
        self.drain();
        if outcome == StepOutcome::Declined {
            show::say(&show::summary(&self.state));
            return Ok(Ok(()));
        }
        Ok(Err(Error::new(ExitKind::Failed, said)))
    }

    fn unanswered(&self, step: &str, why: &str, example: &str) -> Error {
        Error::new(ExitKind::Blocked, format!("step {step} needs a human: {why}"))
            .hint(format!("{} --answer {step}={example}", self.resume_line()))
    }

    fn resume_line(&self) -> String {
        let id = show::short_id(&self.state.id);
        format!("the run stays open; go on with: {} {id}", self.answers.resume)
    }

    /// Stops what runs and leaves.
    async fn stopped_by(&mut self, kind: ExitKind, why: &str) -> Result<(), Error> {
        if self.state.open_execution().is_some() {
            show::say("stopping the query");
            let _ = self.handle.command(Command::Stop { why: why.to_owned() }).await;
            self.until_stopped(STOP_GRACE).await;
        }
        Err(Error::new(kind, why.to_owned()).hint(self.resume_line()))
    }

    async fn until_stopped(&mut self, grace: Duration) {
        let end = Instant::now() + grace;
        while self.state.open_execution().is_some() {
            tokio::select! {
                update = self.updates.recv() => match update {
                    Some(update) => { let _ = self.take(update); }
                    None => return,
                },
                () = tokio::time::sleep_until(end) => return,
            }
        }
    }

    /// The terminal is gone: a running query waits for a `resume` to take over, then it is stopped.
    async fn hung_up(&mut self) -> Result<(), Error> {
        let keep = self.state.request().is_some_and(|request| request.plan.on_disconnect == OnDisconnect::Keep);
        if self.state.open_execution().is_some() && !keep {
            let end = Instant::now() + HANG_UP_GRACE;
            while self.state.open_execution().is_some() {
                tokio::select! {
                    update = self.updates.recv() => match update {
                        Some(Update::ReadOnly { .. }) | None => break,
                        Some(Update::State { state, .. }) => self.state = state,
                        Some(_) => {}
                    },
                    () = tokio::time::sleep_until(end) => {
                        self.handle.abandon().await;
                        self.until_stopped(Duration::from_secs(5)).await;
                        break;
                    }
                }
            }
        }
        Err(Error::new(ExitKind::HungUp, "the terminal hung up"))
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn write_new(file: &std::path::Path, bytes: &[u8]) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "existing files are never overwritten; name another folder with --out",
            _ => "is the folder writable, and the disk not full?",
        };
        Error::new(ExitKind::Failed, format!("{}: {error}", file.display())).hint(hint)
    };
    let mut open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    open.write_all(bytes).and_then(|()| open.sync_all()).map_err(failed)
}

/// What a step's execution cost, in words.
pub(super) fn cost_words(plan: Option<&PlanAction>, cost: Option<u64>) -> String {
    match (plan, cost) {
        (Some(PlanAction::Dynamodb(_)), Some(cost)) => ReadUnits(cost).to_string(),
        (_, Some(cost)) => Bytes(cost).to_string(),
        (_, None) => "cost not reported".to_owned(),
    }
}
