//! The engine: the one service. Commands in, events out; drives runs through its ports. Allowed imports: `core`.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::{mpsc, watch};
use ulid::Ulid;

use crate::core::access;
use crate::core::plan::build::{Making, typed};
use crate::core::plan::{Endpoint, PlanDigest, PlanTarget};
use crate::core::run::command::{self, Kind, Refusal};
use crate::core::run::event::Actor;
use crate::core::run::state::Request;
use crate::core::run::{Access, Command, EventBody, RunState, decide, expiry, fold_all};
use crate::core::runbook::Runbook;
use crate::core::units::Timestamp;
use crate::engine::desk::{Draft, Planned, RunSummary, Update};
use crate::engine::ports::{
    Append, CallerIdentity, Clock, FactSource, ItemStore, Journal, JournalError, Lease, Notes, ServiceError, Shelf, Spool,
    SpoolError, TokenService, Warehouse,
};
use crate::engine::session::{LEASE, Session, SessionHandle};

pub mod desk;
pub mod evaluating;
pub mod exporting;
pub mod looking;
pub mod ports;
pub mod session;
pub mod steady;

/// Everything outside, as the engine uses it.
pub struct Ports {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// STS.
    pub tokens: Arc<dyn TokenService>,
    /// Athena.
    pub warehouse: Arc<dyn Warehouse>,
    /// DynamoDB.
    pub items: Arc<dyn ItemStore>,
    /// Private files.
    pub spool: Arc<dyn Spool>,
    /// Notes of what the journal could not take.
    pub notes: Arc<dyn Notes>,
    /// Catalog facts.
    pub facts: Arc<dyn FactSource>,
    /// Whether the process of a lease on this host still lives.
    pub alive: fn(&Lease) -> bool,
    /// The journal's version; marked changed when some process appended.
    pub changed: watch::Receiver<u64>,
}

/// The engine, as one person's process has it.
#[derive(Clone)]
pub struct Engine {
    ports: Arc<Ports>,
    shelf: Arc<Shelf>,
    me: Actor,
    /// The endpoint given on the command line or found in the environment, for targets on AWS.
    endpoint: Option<Endpoint>,
}

/// A session's handle with the stream of what it tells.
pub type Opened = (SessionHandle, mpsc::UnboundedReceiver<Update>);

impl Engine {
    /// An engine over these ports, this shelf, for this person.
    pub fn new(ports: Arc<Ports>, shelf: Arc<Shelf>, me: Actor, endpoint: Option<Endpoint>) -> Self {
        Self { ports, shelf, me, endpoint }
    }

    /// Who acts.
    pub fn me(&self) -> &Actor {
        &self.me
    }

    /// The book and its runbooks.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The ports.
    pub fn ports(&self) -> &Arc<Ports> {
        &self.ports
    }

    /// The same engine acting as somebody else: the sandbox's other people.
    #[must_use]
    pub fn acting_as(&self, name: &str) -> Self {
        let me = Actor { name: name.to_owned(), ..self.me.clone() };
        Self { me, ..self.clone() }
    }

    /// The same engine under the name that the services know this person by on `target`: their ARN through `identities`, else the
    /// name this engine has (DESIGN §4.11). The sandbox's people share one key, so there it changes nothing. Somebody without
    /// credentials of their own (a reviewer) keeps their name.
    pub async fn known_on(&self, target: &PlanTarget) -> Result<Self, Refusal> {
        if target.endpoint == Endpoint::Sandbox {
            return Ok(self.clone());
        }
        match self.ports.tokens.identity(target).await {
            Ok(identity) => Ok(self.with_arn(identity.arn)),
            Err(ServiceError::NoCredentials { .. }) => Ok(self.clone()),
            Err(error) => Err(looking::service_refusal(error)),
        }
    }

    fn with_arn(&self, arn: String) -> Self {
        let name = self.shelf.book.person(&arn).map_or_else(|| self.me.name.clone(), ToString::to_string);
        Self { me: Actor { name, arn: Some(arn), ..self.me.clone() }, ..self.clone() }
    }

    /// Whether this person created the run: outside of the sandbox the same account on the same host is the same person.
    fn created(&self, state: &RunState) -> bool {
        let sandbox = state.request().is_none_or(|request| request.plan.target.endpoint == Endpoint::Sandbox);
        state.operator.as_ref().is_some_and(|operator| {
            operator.name == self.me.name || (!sandbox && operator.uid == self.me.uid && operator.host == self.me.host)
        })
    }

    /// The endpoint that a target's plan gets: the sandbox stays the sandbox, whatever the environment says.
    pub fn endpoint_of(&self, target: &crate::core::book::Target) -> Endpoint {
        match (&target.endpoint, &self.endpoint) {
            (Endpoint::Aws, Some(other)) => other.clone(),
            (own, _) => own.clone(),
        }
    }

    /// The target of a runbook, as its plan would have it.
    pub fn target_of(&self, runbook: &Runbook) -> Result<PlanTarget, Refusal> {
        let name = runbook.access.target.value.as_str();
        let target = self.shelf.book.targets.get(name);
        let endpoint = target.map(|target| self.endpoint_of(target));
        looking::plan_target(&self.shelf.book, name, endpoint.as_ref())
    }

    /// Who the services say we are, on a target.
    pub async fn identity(&self, target: &PlanTarget) -> Result<CallerIdentity, Refusal> {
        self.ports.tokens.identity(target).await.map_err(looking::service_refusal)
    }

    /// Makes a plan of a draft on current facts; sends nothing.
    pub async fn plan(&self, draft: &Draft) -> Result<Planned, Refusal> {
        let again = match &draft.again {
            Some(run) => Some(self.load(run)?),
            None => None,
        };
        let shelved = self.shelf.runbooks.get(&draft.runbook);
        let frozen = again.as_ref().and_then(|state| state.walk.as_ref());
        // Asking again continues the frozen walk; only a new run reads the folder.
        let (runbook, runbook_sha256, book, book_sha256, commit, dirty) = match (frozen, shelved) {
            (Some(walk), _) => (
                &walk.runbook,
                walk.runbook_sha256.as_str(),
                &walk.book,
                walk.book_sha256.as_str(),
                walk.book_commit.as_deref(),
                walk.book_dirty,
            ),
            (None, Some(shelved)) => (
                &shelved.runbook,
                shelved.sha256.as_str(),
                &self.shelf.book,
                self.shelf.book_sha256.as_str(),
                self.shelf.commit.as_deref(),
                self.shelf.dirty,
            ),
            (None, None) => return Err(self.unknown_runbook(&draft.runbook)),
        };
        let name = runbook.access.target.value.as_str();
        let target =
            book.targets.get(name).ok_or_else(|| Refusal::new(Kind::Usage, format!("the book has no target `{name}`")))?;
        let endpoint = self.endpoint_of(target);
        let plan_target = looking::plan_target(book, name, Some(&endpoint))?;
        let facts = self.ports.facts.load(book, book_sha256)?;
        let cutoffs = looking::cutoffs(&self.ports, book, &plan_target).await?;
        let requester = match endpoint {
            Endpoint::Sandbox => self.me.person(),
            _ => self.with_arn(self.identity(&plan_target).await?.arn).me.person(),
        };
        let (inputs, captured, walk_from, run) = match &again {
            Some(state) => {
                let from = state
                    .rest_from()
                    .map(str::to_owned)
                    .ok_or_else(|| Refusal::new(Kind::Failed, "nothing is left to ask for: the walk is at its end"))?;
                (typed(runbook, &state.inputs), typed(runbook, &state.captures), from, state.id.clone())
            }
            None => {
                let first = runbook.steps.first().map(|step| step.id.to_string()).unwrap_or_default();
                (draft.inputs.clone(), IndexMap::new(), first, Ulid::generate().to_string())
            }
        };
        let mut fixes = again.as_ref().map_or_else(IndexMap::new, |state| state.fixed.clone());
        fixes.extend(draft.fixes.clone());
        let request = Ulid::generate().to_string();
        let making = Making {
            runbook,
            runbook_sha256,
            book,
            book_sha256,
            book_commit: commit,
            book_dirty: dirty,
            catalog: &facts.catalog,
            facts_sha256: &facts.sha256,
            cutoffs: Some(&cutoffs),
            inputs: &inputs,
            open_inputs: false,
            captured: &captured,
            fixes: &fixes,
            walk_from: &walk_from,
            request: &request,
            run: &run,
            requester: &requester,
            reason: &draft.reason,
            incident: draft.incident.as_deref(),
            duration: draft.duration,
            endpoint: &endpoint,
            now: self.ports.clock.now(),
            approved: None,
        };
        let plan = making.plan()?;
        let digest = plan.digest().map_err(|error| Refusal::new(Kind::Bug, error.to_string()))?;
        Ok(Planned { plan, digest, walk_from, notices: facts.notices })
    }

    fn unknown_runbook(&self, id: &str) -> Refusal {
        let shown = crate::core::text::visible(id);
        let nearest = self.shelf.runbooks.keys().min_by_key(|known| strsim::damerau_levenshtein(known, id));
        let refusal = Refusal::new(Kind::Usage, format!("the book has no runbook `{shown}`"));
        match nearest {
            Some(known) => refusal.hint(format!("did you mean `{known}`? `tollgate` alone lists them")),
            None => refusal.hint("the book has no runbooks; `tollgate new` writes one"),
        }
    }

    /// Whether a draft's incident is missing though the runbook wants one.
    fn incident_missing(&self, draft: &Draft) -> bool {
        let wants = self.shelf.runbooks.get(&draft.runbook).is_some_and(|shelved| shelved.runbook.access.incident_required);
        wants && draft.incident.as_deref().is_none_or(|incident| incident.trim().is_empty())
    }

    /// Journals a new run with its request, and drives it.
    pub async fn create(&self, draft: &Draft, planned: &Planned) -> Result<Opened, Refusal> {
        if self.incident_missing(draft) {
            return Err(Refusal::new(Kind::Usage, format!("runbook {} wants an incident", draft.runbook))
                .hint("name it with `--incident`"));
        }
        let shelved = self.shelf.runbooks.get(&draft.runbook).ok_or_else(|| self.unknown_runbook(&draft.runbook))?;
        let run = planned.plan.run.clone();
        let now = self.ports.clock.now();
        let mut events = vec![EventBody::RunCreated {
            runbook: draft.runbook.clone(),
            title: shelved.runbook.title.raw().to_owned(),
            runbook_sha256: shelved.sha256.clone(),
            runbook_yaml: shelved.yaml.clone(),
            book: self.shelf.book.name.raw().to_owned(),
            book_sha256: self.shelf.book_sha256.clone(),
            book_yaml: self.shelf.book_yaml.clone(),
            book_commit: self.shelf.commit.clone(),
            book_dirty: self.shelf.dirty,
            target: planned.plan.target.name.clone(),
            inputs: looking::journaled(&draft.inputs),
            unenforced: true,
        }];
        for (step, sql) in &draft.fixes {
            let title = "the operator applied an offered fix".to_owned();
            events.push(EventBody::FixApplied { step: step.clone(), title, sql: sql.clone() });
        }
        // The request is decided on the state that these events make, so that nothing is journaled that would be refused.
        let mut state = RunState::default();
        let requester = planned.plan.requester.clone();
        let me = Actor { name: requester.name, arn: requester.arn, ..self.me.clone() };
        for (index, body) in events.iter().enumerate() {
            let event = crate::core::run::Event {
                run: run.clone(),
                seq: index as u64 + 1,
                at: now,
                actor: me.clone(),
                body: body.clone(),
                prev: String::new(),
                hash: String::new(),
            };
            crate::core::run::apply(&mut state, &event);
        }
        let send = Command::Request {
            plan: Box::new(planned.plan.clone()),
            reason: draft.reason.clone(),
            walk_from: planned.walk_from.clone(),
        };
        events.extend(decide(&state, &send, &me, now)?);
        let events = events.into_iter().map(|body| (now, body)).collect();
        let append = Append { run: run.clone(), expected_seq: 0, epoch: None, actor: me, events };
        self.ports.journal.append(&append).map_err(journal_refusal)?;
        self.open(&run, true).await
    }

    /// Opens a run of mine and drives it. A run that another live process drives is refused unless `takeover`.
    pub async fn open(&self, run: &str, takeover: bool) -> Result<Opened, Refusal> {
        self.import(run)?;
        let events = self.ports.journal.events(run).map_err(journal_refusal)?;
        let state = fold_all(&events);
        let lease = self.ports.journal.lease(run).map_err(journal_refusal)?;
        let now = self.ports.clock.now();
        let live = lease.filter(|lease| now.since(lease.beat_at) < LEASE && (self.ports.alive)(lease));
        if let (Some(lease), false) = (&live, takeover) {
            return Err(Refusal::new(Kind::Failed, format!("process {} on {} drives this run", lease.pid, lease.host))
                .hint("`tollgate resume --takeover` takes it at once"));
        }
        let me = match state.request() {
            Some(request) => self.known_on(&request.plan.target).await?.me,
            None => self.me.clone(),
        };
        let (mut session, handle, updates) = Session::open(self.ports.clone(), me, &events);
        if !state.is_closed() {
            session.drive(live.is_some())?;
        }
        tokio::spawn(session.run());
        Ok((handle, updates))
    }

    /// A run's state now, with what time caused appended.
    pub fn load(&self, run: &str) -> Result<RunState, Refusal> {
        for _ in 0..8 {
            let state = fold_all(&self.ports.journal.events(run).map_err(journal_refusal)?);
            let due = expiry::due(&state, self.ports.clock.now());
            if due.is_empty() {
                return Ok(state);
            }
            let append =
                Append { run: run.to_owned(), expected_seq: state.seq, epoch: None, actor: self.me.clone(), events: due };
            match self.ports.journal.append(&append) {
                Ok(_) | Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(journal_refusal(error)),
            }
        }
        Err(Refusal::new(Kind::Temporary, "the run keeps changing").hint("try again"))
    }

    /// Brings what was noted while the journal could not be written into it. The notes are this person's own, in their private
    /// spool; a run of somebody else's name (the sandbox's other people share a spool) is left to them.
    fn import(&self, run: &str) -> Result<(), Refusal> {
        let acts = self.ports.notes.pending(run).map_err(spool_refusal)?;
        if acts.is_empty() {
            return Ok(());
        }
        for act in acts {
            // Several processes may import at once: a conflict is decided again, and what is journaled already is not twice.
            loop {
                let state = self.load(run)?;
                if !self.created(&state) {
                    return Ok(());
                }
                let Some(command) = command::of_act(&act.body) else { break };
                let now = self.ports.clock.now();
                let Ok(bodies) = decide(&state, &command, &self.me, now) else { break };
                if bodies.is_empty() {
                    break;
                }
                let events = bodies.into_iter().map(|body| (now, body.happened(act.happened_at))).collect();
                let append = Append { run: run.to_owned(), expected_seq: state.seq, epoch: None, actor: self.me.clone(), events };
                match self.ports.journal.append(&append) {
                    Ok(_) => break,
                    Err(JournalError::Conflict { .. }) => {}
                    Err(error) => return Err(journal_refusal(error)),
                }
            }
        }
        self.ports.notes.imported(run).map_err(spool_refusal)
    }

    /// All runs, orphaned and waiting first, then newest first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, Refusal> {
        let now = self.ports.clock.now();
        for run in self.ports.notes.noted_runs().map_err(spool_refusal)? {
            self.import(&run)?;
        }
        let mut found = Vec::new();
        for run in self.ports.journal.runs().map_err(journal_refusal)? {
            let state = self.load(&run)?;
            let lease = self.ports.journal.lease(&run).map_err(journal_refusal)?;
            let driven = lease.is_some_and(|lease| now.since(lease.beat_at) < LEASE && (self.ports.alive)(&lease));
            let mine = self.created(&state);
            found.push(RunSummary { state: Arc::new(state), mine, driven, at: now });
        }
        found.sort_by_key(|summary| (rank(summary), std::cmp::Reverse(summary.state.created_at)));
        Ok(found)
    }

    /// Requests that wait for votes and that I may vote on now.
    pub fn inbox(&self) -> Result<Vec<RunSummary>, Refusal> {
        let runs = self.runs()?;
        Ok(runs
            .into_iter()
            .filter(|run| run.state.request().is_some_and(|request| self.may_vote(&run.state, request).is_ok()))
            .collect())
    }

    /// Whether my vote would count on this request, by the frozen book and by my own.
    pub fn may_vote(&self, state: &RunState, request: &Request) -> Result<(), Refusal> {
        let refuse = |why: String| Refusal::new(Kind::Access, format!("this vote does not count: {why}"));
        if request.access != Access::Waiting {
            return Err(refuse("the request is not waiting any more".to_owned()));
        }
        let sandbox = request.plan.target.endpoint == Endpoint::Sandbox;
        let frozen = state.walk.as_ref().ok_or_else(|| refuse("the run has no first event".to_owned()))?;
        let (by, me) = (request.by.person(), self.me.person());
        access::may_vote(&request.plan.approval, &frozen.book, &by, &me, request.escalated, sandbox)
            .map_err(|why| refuse(why.to_string()))?;
        let mut groups: Vec<&String> = request.plan.approval.from.iter().collect();
        groups.extend(request.plan.approval.escalation.iter().take(request.escalated as usize).flat_map(|level| &level.to));
        let mine = &self.shelf.book;
        let member = groups.iter().filter_map(|group| mine.groups.get(group.as_str())).flatten().any(|person| {
            let other = crate::core::plan::Person { name: person.to_string(), uid: u32::MAX, arn: None };
            access::same_person(mine, &me, &other, true)
        });
        if !member {
            let names: Vec<&str> = groups.iter().map(|group| group.as_str()).collect();
            return Err(refuse(format!("by your own book {} is not one of {}", self.me.name, names.join(", "))));
        }
        Ok(())
    }

    /// Votes on a request.
    pub fn vote(&self, run: &str, request: &str, digest: &PlanDigest, approve: bool, comment: &str) -> Result<RunState, Refusal> {
        let state = self.load(run)?;
        let found =
            state.request_by_id(request).ok_or_else(|| Refusal::new(Kind::Failed, format!("there is no request {request}")))?;
        self.may_vote(&state, found)?;
        let command = Command::Vote { request: request.to_owned(), digest: digest.clone(), approve, comment: comment.to_owned() };
        self.append_to(run, &command)
    }

    /// Follows a command that anybody may append, without driving the run.
    pub fn append_to(&self, run: &str, command: &Command) -> Result<RunState, Refusal> {
        loop {
            let state = self.load(run)?;
            let now: Timestamp = self.ports.clock.now();
            let bodies = decide(&state, command, &self.me, now)?;
            if bodies.is_empty() {
                return Ok(state);
            }
            let events = bodies.into_iter().map(|body| (now, body)).collect();
            let append = Append { run: run.to_owned(), expected_seq: state.seq, epoch: None, actor: self.me.clone(), events };
            match self.ports.journal.append(&append) {
                Ok(_) => return self.load(run),
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(journal_refusal(error)),
            }
        }
    }
}

/// Orphaned runs first, then those that wait for somebody, then mine.
fn rank(summary: &RunSummary) -> u8 {
    let state = &summary.state;
    let orphan = state.open_execution().is_some() && !summary.driven;
    let waiting = state.request().is_some_and(|r| matches!(r.access, Access::Waiting | Access::Approved { .. }));
    match (orphan, waiting, state.is_closed(), summary.mine) {
        (true, _, _, _) => 0,
        (_, true, false, _) => 1,
        (_, _, false, true) => 2,
        (_, _, false, false) => 3,
        (_, _, true, _) => 4,
    }
}

/// A private file's error as a refusal.
fn spool_refusal(error: SpoolError) -> Refusal {
    Refusal::new(Kind::Temporary, error.to_string()).hint("is the disk full, or the state directory somebody else's?")
}

/// A journal's error as a refusal.
pub fn journal_refusal(error: JournalError) -> Refusal {
    let message = error.to_string();
    match error {
        JournalError::Temporary { .. } => Refusal::new(Kind::Temporary, message).hint("nothing was done; try again"),
        JournalError::Conflict { .. } => Refusal::new(Kind::Temporary, message).hint("try again"),
        JournalError::EpochGone => Refusal::new(Kind::Failed, message).hint("`tollgate resume --takeover` takes it back"),
        JournalError::Unknown(_) => Refusal::new(Kind::Usage, message).hint("`tollgate runs` lists them"),
        JournalError::Unusable { .. } => Refusal::new(Kind::Failed, message).hint("`tollgate doctor` looks at the store"),
    }
}
