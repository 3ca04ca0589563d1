//! A session: one process's hold on one run. It decides commands, journals the events before anything happens, does what the
//! run is owed through the ports, and tells its frontend. Several sessions may read a run; the newest epoch alone drives it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::core::run::command::{Kind, Refusal};
use crate::core::run::event::{Actor, EventBody, MintPurpose};
use crate::core::run::state::MintState;
use crate::core::run::{Command, Event, ExecutionState, Held, RunState, apply, decide, effects, expiry};
use crate::core::units::{Millis, Timestamp};
use crate::engine::desk::{ChoiceOption, Preview, Update};
use crate::engine::ports::{Act, Append, JournalError, Keys, Lease, Rows};
use crate::engine::{Ports, looking};

mod acts;
mod asks;
mod service_plan;

/// Heartbeat of a driver (DESIGN §4.7).
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A lease without a heartbeat for this long is dead (DESIGN §4.7).
pub const LEASE: Millis = Millis::from_secs(15);
/// Behind the file watch: how often the journal is asked whether somebody appended (DESIGN §2).
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long an outcome that the journal could not take waits before it is offered again.
const REWRITE: Duration = Duration::from_millis(500);

/// What a frontend asks of a session.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Follow a command.
    Do(Command, oneshot::Sender<Result<(), Refusal>>),
    /// Go to the next step that is to be entered, skipping those whose `when` is false.
    Advance(oneshot::Sender<Result<(), Refusal>>),
    /// Look again at the step at the cursor.
    Preview(oneshot::Sender<Result<Preview, Refusal>>),
    /// Look again, and execute the step at the cursor on what was found.
    Execute(oneshot::Sender<Result<(), Refusal>>),
    /// What may be chosen at the step at the cursor.
    Options(oneshot::Sender<Result<Vec<ChoiceOption>, Refusal>>),
    /// The step's prose with its values in it.
    Prose(String, oneshot::Sender<Result<String, Refusal>>),
    /// Rows of an execution.
    Rows(String, oneshot::Sender<Result<Arc<Rows>, Refusal>>),
    /// Write rows to a new private file.
    Export(String, ExportFormat, oneshot::Sender<Result<String, Refusal>>),
    /// The terminal is gone for good: stop what runs.
    Abandon,
    /// Give the run up and end.
    Leave(String, oneshot::Sender<()>),
}

/// How rows are written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated, RFC 4180, cells that a spreadsheet would run are quoted as text.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl ExportFormat {
    /// The file's extension, also journaled.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// A frontend's end of a session.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    run: String,
    asks: mpsc::Sender<Ask>,
}

impl SessionHandle {
    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Follows a command.
    pub async fn command(&self, command: Command) -> Result<(), Refusal> {
        self.ask(|reply| Ask::Do(command, reply)).await?
    }

    /// Goes to the next step that is to be entered, skipping those whose `when` is false.
    pub async fn advance(&self) -> Result<(), Refusal> {
        self.ask(Ask::Advance).await?
    }

    /// Looks again at the step at the cursor.
    pub async fn preview(&self) -> Result<Preview, Refusal> {
        self.ask(Ask::Preview).await?
    }

    /// Looks again, and executes the step at the cursor on what was found.
    pub async fn execute(&self) -> Result<(), Refusal> {
        self.ask(Ask::Execute).await?
    }

    /// What may be chosen at the step at the cursor.
    pub async fn options(&self) -> Result<Vec<ChoiceOption>, Refusal> {
        self.ask(Ask::Options).await?
    }

    /// The step's prose with its values in it.
    pub async fn prose(&self, step: &str) -> Result<String, Refusal> {
        self.ask(|reply| Ask::Prose(step.to_owned(), reply)).await?
    }

    /// Rows of an execution.
    pub async fn rows(&self, execution: &str) -> Result<Arc<Rows>, Refusal> {
        self.ask(|reply| Ask::Rows(execution.to_owned(), reply)).await?
    }

    /// Writes rows to a new private file; gives its path.
    pub async fn export(&self, execution: &str, format: ExportFormat) -> Result<String, Refusal> {
        self.ask(|reply| Ask::Export(execution.to_owned(), format, reply)).await?
    }

    /// Says that the terminal is gone for good: what runs is stopped.
    pub async fn abandon(&self) {
        let _ = self.asks.send(Ask::Abandon).await;
    }

    /// Gives the run up and ends the session.
    pub async fn leave(&self, reason: &str) {
        let _ = self.ask(|reply| Ask::Leave(reason.to_owned(), reply)).await;
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Refusal> {
        let gone = || Refusal::new(Kind::Bug, "the session has ended").hint("`tollgate resume` takes the run up again");
        let (reply, answer) = oneshot::channel();
        self.asks.send(make(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

/// What an effect's task reports back.
#[derive(Debug)]
enum Done {
    /// It ended; these commands say what happened.
    Commands(Vec<Command>),
    /// STS answered.
    Minted { mint: String, purpose: MintPurpose, keys: Keys },
    /// A poll came back without an end.
    Progress { execution: String, phase: String, bytes: Option<u64> },
    /// Rows came.
    Fetched { execution: String, rows: Arc<Rows>, command: Command },
    /// Rows cannot be had any more.
    RowsLost { execution: String, why: Refusal },
    /// A look before an execution ended.
    Looked { execute: bool, preview: Result<Preview, Refusal>, reply: LookReply },
    /// Items came, with the end of their read.
    ItemsRead { started: Command, finished: Command, execution: String, rows: Rows },
    /// It could not be done now; it is tried again after a while.
    Later { why: Refusal },
}

#[derive(Debug)]
enum LookReply {
    Preview(oneshot::Sender<Result<Preview, Refusal>>),
    Execute(oneshot::Sender<Result<(), Refusal>>),
}

/// The actor behind a [`SessionHandle`].
pub(crate) struct Session {
    ports: Arc<Ports>,
    me: Actor,
    state: RunState,
    held: Held,
    keys: BTreeMap<String, Keys>,
    rows: BTreeMap<String, Arc<Rows>>,
    in_flight: HashSet<String>,
    polls: u32,
    /// Outcomes that the journal could not take yet, with the time they came at.
    unwritten: VecDeque<(Timestamp, Command)>,
    /// Set by a journal that could not be read or written, until it can again.
    lost: bool,
    asks: mpsc::Receiver<Ask>,
    done: mpsc::UnboundedReceiver<(String, Done)>,
    done_tx: mpsc::UnboundedSender<(String, Done)>,
    updates: mpsc::UnboundedSender<Update>,
    changed: watch::Receiver<u64>,
    cancel: CancellationToken,
    version: u64,
    last_beat: Instant,
    last_write: Instant,
}

impl Session {
    /// Opens a run from its journaled events, without driving it yet.
    pub(crate) fn open(ports: Arc<Ports>, me: Actor, events: &[Event]) -> (Self, SessionHandle, mpsc::UnboundedReceiver<Update>) {
        let (asks_tx, asks) = mpsc::channel(16);
        let (done_tx, done) = mpsc::unbounded_channel();
        let (updates, updates_rx) = mpsc::unbounded_channel();
        let state = crate::core::run::fold_all(events);
        let handle = SessionHandle { run: state.id.clone(), asks: asks_tx };
        let changed = ports.changed.clone();
        let session = Self {
            ports,
            me,
            state,
            held: Held::default(),
            keys: BTreeMap::new(),
            rows: BTreeMap::new(),
            in_flight: HashSet::new(),
            polls: 0,
            unwritten: VecDeque::new(),
            lost: false,
            asks,
            done,
            done_tx,
            updates,
            changed,
            cancel: CancellationToken::new(),
            version: 0,
            last_beat: Instant::now(),
            last_write: Instant::now(),
        };
        let _ = session.updates.send(Update::State { state: Arc::new(session.state.clone()), events: events.to_vec() });
        (session, handle, updates_rx)
    }

    /// Takes the run: from here on this session drives it.
    pub(crate) fn drive(&mut self, takeover: bool) -> Result<(), Refusal> {
        // Room for what the journal may not be able to take later; without it nothing is begun.
        self.ports.notes.prepare(&self.state.id).map_err(|error| {
            Refusal::new(Kind::Temporary, format!("the private spool has no room: {error}"))
                .hint("free some space; what is done while the journal cannot be written must be noted there")
        })?;
        let (pid, host) = (std::process::id(), self.me.host.clone());
        self.follow(&Command::Drive { pid, host, takeover })?;
        self.held.epoch = Some(self.state.epoch);
        self.beat();
        Ok(())
    }

    /// Runs until the frontend leaves.
    pub(crate) async fn run(mut self) {
        loop {
            self.turn();
            let wake = self.wake();
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(Ask::Leave(reason, reply)) => {
                        self.leave(&reason);
                        let _ = reply.send(());
                        return;
                    }
                    Some(ask) => self.answer(ask),
                    None => {
                        self.leave("the terminal ended");
                        return;
                    }
                },
                Some((id, done)) = self.done.recv() => self.done(&id, done),
                () = changed(&mut self.changed) => self.look_again(),
                () = tokio::time::sleep_until(wake) => self.look_again(),
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Follows a command: catches up, appends what time caused, decides, journals, folds.
    fn follow(&mut self, command: &Command) -> Result<(), Refusal> {
        self.follow_late(command, None)
    }

    /// Follows a command about what happened at another time than now.
    fn follow_late(&mut self, command: &Command, happened: Option<Timestamp>) -> Result<(), Refusal> {
        loop {
            self.catch_up()?;
            self.append_due()?;
            let now = self.now();
            let bodies = decide(&self.state, command, &self.me, now)?;
            if bodies.is_empty() {
                return Ok(());
            }
            let epoch = match command {
                Command::Drive { .. } | Command::Vote { .. } | Command::Cancel { .. } | Command::Request { .. } => None,
                Command::Note { .. } | Command::Exported { .. } | Command::SwitchIdentity { .. } | Command::Stop { .. } => None,
                _ => self.held.epoch,
            };
            if epoch.is_none() && needs_driver(command) {
                return Err(Refusal::new(Kind::Failed, "this terminal does not drive the run")
                    .hint("`tollgate resume --takeover` takes it"));
            }
            let late = |body: EventBody| match happened {
                Some(at) => body.happened(at),
                None => body,
            };
            let events = bodies.into_iter().map(|body| (now, late(body))).collect();
            match self.append(events, epoch) {
                Ok(()) => return Ok(()),
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(self.journal_refusal(error)),
            }
        }
    }

    fn append_due(&mut self) -> Result<(), Refusal> {
        loop {
            let due = expiry::due(&self.state, self.now());
            if due.is_empty() {
                return Ok(());
            }
            match self.append(due, None) {
                Ok(()) => {}
                Err(JournalError::Conflict { .. }) => self.catch_up()?,
                Err(error) => return Err(self.journal_refusal(error)),
            }
        }
    }

    fn append(&mut self, events: Vec<(Timestamp, EventBody)>, epoch: Option<u64>) -> Result<(), JournalError> {
        let append = Append { run: self.state.id.clone(), expected_seq: self.state.seq, epoch, actor: self.me.clone(), events };
        let events = self.ports.journal.append(&append)?;
        self.lost = false;
        self.held.journal_lost = false;
        self.fold(events);
        Ok(())
    }

    fn catch_up(&mut self) -> Result<(), Refusal> {
        match self.ports.journal.events_after(&self.state.id, self.state.seq) {
            Ok(events) => {
                if !events.is_empty() {
                    self.fold(events);
                }
                Ok(())
            }
            Err(error) => Err(self.journal_refusal(error)),
        }
    }

    fn fold(&mut self, events: Vec<Event>) {
        for event in &events {
            apply(&mut self.state, event);
        }
        let open = self.state.open_execution().map(|open| open.id.clone());
        self.held.noted.retain(|id| Some(id) == open.as_ref());
        if self
            .held
            .started
            .as_ref()
            .is_some_and(|(id, _)| self.state.execution(id).is_none_or(|execution| execution.state != ExecutionState::Intended))
        {
            self.held.started = None;
        }
        if let Some(epoch) = self.held.epoch
            && self.state.epoch > epoch
        {
            self.lose_epoch();
        }
        let _ = self.updates.send(Update::State { state: Arc::new(self.state.clone()), events });
    }

    /// Another terminal drives: drop the keys, stop nothing, only read.
    fn lose_epoch(&mut self) {
        self.held.epoch = None;
        self.held.keys.clear();
        self.held.pending = None;
        self.keys.clear();
        self.unwritten.clear();
        self.cancel.cancel();
        self.cancel = CancellationToken::new();
        let by = self.state.driver.as_ref().map_or_else(String::new, |d| format!("process {} on {}", d.pid, d.host));
        let _ = self.updates.send(Update::ReadOnly { by });
    }

    fn journal_refusal(&mut self, error: JournalError) -> Refusal {
        match &error {
            JournalError::EpochGone => {
                self.lose_epoch();
                Refusal::new(Kind::Failed, error.to_string()).hint("`tollgate resume --takeover` takes it back")
            }
            JournalError::Temporary { .. } => {
                self.lost = true;
                self.held.journal_lost = self.state.open_execution().is_some();
                Refusal::new(Kind::Temporary, error.to_string()).hint("nothing was done; try again")
            }
            _ => {
                self.lost = true;
                self.held.journal_lost = self.state.open_execution().is_some();
                Refusal::new(Kind::Failed, error.to_string()).hint("`tollgate doctor` looks at the store")
            }
        }
    }

    /// Does what the run is owed now.
    fn turn(&mut self) {
        self.write_unwritten();
        // A journal that waits for its lock must not hold up what needs no journal: stopping and dropping go first.
        if !self.held.journal_lost
            && let Err(refusal) = self.append_due()
        {
            self.notice(refusal);
        }
        let (owed, _) = effects(&self.state, &self.held, self.now());
        for effect in owed {
            let id = effect.id();
            if self.in_flight.contains(&id) {
                continue;
            }
            self.begin(id, effect);
        }
        if self.held.epoch.is_some() && self.last_beat.elapsed() >= HEARTBEAT {
            self.beat();
        }
    }

    fn beat(&mut self) {
        let Some(epoch) = self.held.epoch else { return };
        let lease = Lease { epoch, pid: std::process::id(), host: self.me.host.clone(), beat_at: self.now() };
        let beaten = self.ports.journal.beat(&self.state.id, &lease);
        self.last_beat = Instant::now();
        // The lease lapses, which is what a lost journal should do; what runs is stopped.
        if let Err(error) = beaten {
            let refusal = self.journal_refusal(error);
            self.notice(refusal);
        }
    }

    fn wake(&self) -> Instant {
        let now = Instant::now();
        let mut wake = now + LOOK_AGAIN;
        if self.state.is_closed() && self.in_flight.is_empty() {
            wake = now + Duration::from_secs(3600);
        }
        if self.held.epoch.is_some() && !self.state.is_closed() {
            wake = wake.min(self.last_beat + HEARTBEAT);
        }
        if !self.unwritten.is_empty() {
            wake = wake.min(self.last_write + REWRITE);
        }
        let wall = self.now();
        if let (_, Some(at)) = effects(&self.state, &self.held, wall) {
            wake = wake.min(now + Duration::from_millis(at.since(wall).0.saturating_add(5)));
        }
        wake
    }

    /// Somebody may have appended.
    fn look_again(&mut self) {
        match self.ports.journal.version() {
            Ok(version) if version == self.version => {}
            Ok(version) => {
                self.version = version;
                if let Err(refusal) = self.catch_up() {
                    self.notice(refusal);
                }
            }
            Err(error) => {
                let refusal = self.journal_refusal(error);
                self.notice(refusal);
            }
        }
    }

    /// An outcome must reach the journal; until it does, it waits here and what runs is stopped.
    fn record(&mut self, command: Command) {
        // A poll may come back with an end after a stop was recorded, and the other way round: the first is the one that counts.
        if let Command::Finished { execution, .. } | Command::Stopped { execution, .. } = &command
            && self.state.execution(execution).is_some_and(|known| !known.is_open())
        {
            return;
        }
        // What waits goes first: the order of outcomes is part of what happened.
        if !self.unwritten.is_empty() {
            self.keep(command);
            return;
        }
        self.lost = false;
        if let Err(refusal) = self.follow(&command) {
            if self.lost {
                self.keep(command);
            }
            self.notice(refusal);
        }
    }

    /// Keeps an outcome that the journal cannot take: noted in the spool, should this process end before the journal is back.
    fn keep(&mut self, command: Command) {
        let now = self.now();
        match &command {
            Command::Started { execution, query_id, .. } => self.held.started = Some((execution.clone(), query_id.clone())),
            Command::Stopped { execution, .. } | Command::Finished { execution, .. } => self.held.noted.push(execution.clone()),
            _ => {}
        }
        for body in decide(&self.state, &command, &self.me, now).unwrap_or_default() {
            if body.is_act()
                && let Err(error) = self.ports.notes.note(&self.state.id, &Act { happened_at: now, body })
            {
                self.notice(Refusal::new(Kind::Failed, format!("an act could not be noted either: {error}")));
            }
        }
        self.unwritten.push_back((now, command));
        self.last_write = Instant::now();
    }

    fn write_unwritten(&mut self) {
        if self.unwritten.is_empty() || self.last_write.elapsed() < REWRITE {
            return;
        }
        self.last_write = Instant::now();
        while let Some((at, command)) = self.unwritten.pop_front() {
            self.lost = false;
            if let Err(refusal) = self.follow_late(&command, Some(at)) {
                if self.lost {
                    self.unwritten.push_front((at, command));
                    self.last_write = Instant::now();
                    return;
                }
                self.notice(refusal);
            }
        }
        if let Err(error) = self.ports.notes.imported(&self.state.id) {
            self.notice(Refusal::new(Kind::Failed, error.to_string()));
        }
    }

    fn notice(&self, refusal: Refusal) {
        let _ = self.updates.send(Update::Notice(refusal));
    }

    fn busy(&self, what: Option<&str>) {
        let _ = self.updates.send(Update::Busy(what.map(str::to_owned)));
    }

    fn done(&mut self, id: &str, done: Done) {
        self.in_flight.remove(id);
        match done {
            Done::Commands(commands) => {
                for command in commands {
                    if matches!(command, Command::MintFailed { .. } | Command::MintUnknown { .. }) {
                        self.held.pending = None;
                        self.busy(None);
                    }
                    self.record(command);
                }
            }
            Done::Minted { mint, purpose, keys } => self.minted(mint, purpose, keys),
            Done::Progress { execution, phase, bytes } => {
                self.held.progress = bytes;
                self.busy(None);
                let _ = self.updates.send(Update::Progress { execution, phase, bytes });
            }
            Done::Fetched { execution, rows, command } => {
                self.record(command);
                self.rows.insert(execution.clone(), rows.clone());
                self.busy(None);
                let _ = self.updates.send(Update::Rows { execution, rows });
            }
            Done::RowsLost { execution, why } => {
                self.held.rows_lost.push(execution);
                self.busy(None);
                self.notice(why);
            }
            Done::Looked { execute, preview, reply } => self.looked(execute, preview, reply),
            Done::ItemsRead { started, finished, execution, rows } => self.items_read(started, finished, execution, rows),
            Done::Later { why } => self.notice(why),
        }
    }

    /// Keys came. If the journal does not take the mint, they are dropped at once: they were never ours.
    fn minted(&mut self, mint: String, purpose: MintPurpose, keys: Keys) {
        let command = Command::Minted { mint: mint.clone(), access_key_id: keys.access_key_id.clone(), expires: keys.expires };
        if let Err(refusal) = self.follow(&command) {
            self.held.pending = None;
            self.busy(None);
            self.notice(refusal);
            return;
        }
        if self.held.epoch.is_none() {
            return;
        }
        // The answer brought the service's time: keys asked for under a wrong deadline are not used.
        if let Some(refusal) = self.clock_refusal() {
            self.held.pending = None;
            self.busy(None);
            self.record(Command::Dropped { mint, reason: "the clock is wrong".to_owned() });
            self.notice(refusal);
            return;
        }
        self.held.keys.insert(mint.clone(), (purpose, keys.expires));
        self.keys.insert(mint, keys);
    }

    fn leave(&mut self, reason: &str) {
        self.cancel.cancel();
        let mints: Vec<String> = self.keys.keys().cloned().collect();
        self.keys.clear();
        self.held.keys.clear();
        if self.held.epoch.is_none() {
            return;
        }
        for mint in mints {
            self.record(Command::Dropped { mint, reason: reason.to_owned() });
        }
        if let Some(epoch) = self.held.epoch {
            self.record(Command::Leave { reason: reason.to_owned() });
            let _ = self.ports.journal.release(&self.state.id, epoch);
        }
    }

    /// Keys for the purpose, if this process holds usable ones.
    fn keys_for(&self, fits: impl Fn(&MintPurpose) -> bool) -> Option<&Keys> {
        let now = self.now();
        self.held
            .keys
            .iter()
            .filter(|(_, (purpose, expires))| fits(purpose) && now < *expires)
            .max_by_key(|(_, (_, expires))| *expires)
            .and_then(|(mint, _)| self.keys.get(mint))
    }

    /// Whether the newest mint for this purpose failed in this epoch: then it is the operator's turn.
    fn mint_failed(&self, purpose: &MintPurpose) -> bool {
        self.state
            .mints
            .iter()
            .rev()
            .find(|mint| mint.purpose == *purpose && mint.epoch == self.state.epoch)
            .is_some_and(|mint| matches!(mint.state, MintState::Failed(_)))
    }

    /// Values of all inputs and captures, as text for holes.
    fn values(&self) -> IndexMap<String, serde_json::Value> {
        looking::values(&self.state)
    }
}

/// Waits for an append by anybody. A watch that ended never answers: the slow look behind it goes on.
async fn changed(version: &mut watch::Receiver<u64>) {
    if version.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn needs_driver(command: &Command) -> bool {
    !matches!(
        command,
        Command::Request { .. }
            | Command::Cancel { .. }
            | Command::Vote { .. }
            | Command::Note { .. }
            | Command::Exported { .. }
            | Command::SwitchIdentity { .. }
            | Command::Drive { .. }
            | Command::Stop { .. }
    )
}
