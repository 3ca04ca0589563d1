//! A world that outlives processes: services over a clock that the story sets forward, a real journal and a real spool, and ports that
//! die at a chosen point.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tollgate::adapters::books;
use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::adapters::spool::FileSpool;
use tollgate::core::book::Book;
use tollgate::core::plan::{DynamodbRequest, PlanTarget};
use tollgate::core::run::command::Refusal;
use tollgate::core::run::event::{Actor, ServiceFailure};
use tollgate::core::run::{Event, EventBody};
use tollgate::core::units::{Millis, Timestamp};
use tollgate::engine::ports::*;
use tollgate::engine::{Engine, Ports};
use tollgate::sandbox::policy::{Context, Decision, Policy};

/// How the one query of the runbook goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// It is done when it is first asked about.
    Short,
    /// It takes longer than any access lasts.
    Endless,
    /// The service has failed it when it is first asked about.
    Fails,
}

/// One execution as the service knows it.
#[derive(Debug, Clone)]
pub(super) struct Started {
    /// The service's id.
    pub id: String,
    token: String,
    statement: String,
    begun: Timestamp,
    stopped: Option<Timestamp>,
}

/// One call that a service allowed.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// `athena:StartQueryExecution`.
    pub action: String,
    /// When.
    pub at: Timestamp,
}

struct Minted {
    policy: Policy,
    expires: Timestamp,
}

/// The services, with what they saw.
pub(super) struct World {
    began: Instant,
    base: Timestamp,
    ahead: AtomicU64,
    query: Query,
    /// Every execution ever started.
    pub started: Mutex<Vec<Started>>,
    /// How often items were read.
    pub items_read: Mutex<u32>,
    /// Every allowed call with minted keys.
    pub calls: Mutex<Vec<Call>>,
    /// Every call that a session policy or an expiry refused.
    pub refused: Mutex<Vec<Call>>,
    minted: Mutex<BTreeMap<String, Minted>>,
}

const ACCOUNT: &str = "arn:aws:athena:eu-central-1:123456789012:workgroup/tg-small";

impl World {
    /// A new world at `base`.
    pub(super) fn new(query: Query, base: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            base,
            ahead: AtomicU64::new(0),
            query,
            started: Mutex::default(),
            items_read: Mutex::default(),
            calls: Mutex::default(),
            refused: Mutex::default(),
            minted: Mutex::default(),
        })
    }

    /// The services' time.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        self.base.plus(Millis(elapsed + self.ahead.load(Ordering::SeqCst)))
    }

    /// Time goes by.
    pub(super) fn pass(&self, time: Millis) {
        self.ahead.fetch_add(time.0, Ordering::SeqCst);
    }

    fn allowed(&self, keys: &Keys, action: &str, resource: &str, context: &Context) -> Result<(), ServiceError> {
        let now = self.now();
        let minted = lock(&self.minted);
        let refuse = |code: &str| {
            lock(&self.refused).push(Call { action: action.to_owned(), at: now });
            Err(ServiceError::Refused(ServiceFailure { code: code.to_owned(), message: action.to_owned() }))
        };
        let Some(mint) = minted.get(&keys.access_key_id).filter(|mint| now < mint.expires) else {
            return refuse("ExpiredTokenException");
        };
        if mint.policy.decide(action, resource, context, now) != Decision::Allow {
            return refuse("AccessDeniedException");
        }
        lock(&self.calls).push(Call { action: action.to_owned(), at: now });
        Ok(())
    }

    fn phase(&self, query: &Started) -> (QueryPhase, Option<ServiceFailure>) {
        if query.stopped.is_some() {
            return (QueryPhase::Cancelled, None);
        }
        match self.query {
            Query::Endless => (QueryPhase::Running, None),
            Query::Short => (QueryPhase::Succeeded, None),
            Query::Fails => {
                let failure = ServiceFailure { code: "GENERIC_INTERNAL_ERROR".into(), message: "the service broke".into() };
                (QueryPhase::Failed, Some(failure))
            }
        }
    }

    fn status(&self, query: &Started) -> QueryStatus {
        let (phase, failure) = self.phase(query);
        QueryStatus { query_id: query.id.clone(), phase, bytes: Some(1_000), elapsed_ms: Some(1_000), failure }
    }

    /// Whether anything runs at the service now.
    pub(super) fn runs(&self) -> bool {
        // Only what never ends can run on.
        self.query == Query::Endless && lock(&self.started).iter().any(|query| query.stopped.is_none())
    }
}

/// The mutex's content, whatever died while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Before or after what the point names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Before,
    After,
}

/// Where a process dies: the first time that it comes there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    /// `journal: mint.intended`, `call: AssumeRole`, `spool: rows`.
    pub name: String,
    /// Before or after it.
    pub side: Side,
}

/// What a process's ports do beside their work.
pub(super) struct Fate {
    /// Where it dies.
    pub dies: Option<Point>,
    dead: AtomicBool,
    died: Notify,
    /// Points passed, in order, each once.
    pub passed: Mutex<Vec<String>>,
    /// The journal refuses to be written: `locked`, say.
    pub no_journal: Mutex<Option<&'static str>>,
    changed: watch::Sender<u64>,
}

impl Default for Fate {
    fn default() -> Self {
        Self {
            dies: None,
            dead: AtomicBool::default(),
            died: Notify::default(),
            passed: Mutex::default(),
            no_journal: Mutex::default(),
            changed: watch::channel(0).0,
        }
    }
}

impl Fate {
    /// Dies there.
    pub(super) fn at(point: Point) -> Self {
        Self { dies: Some(point), ..Self::default() }
    }

    /// Kills it now: from here on every port is silent.
    pub(super) fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_waiters();
        self.died.notify_one();
    }

    /// Makes it look again, as the store's watch would.
    pub(super) fn nudge(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Whether it is dead.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Returns when it has died.
    pub(super) async fn death(&self) {
        while !self.is_dead() {
            self.died.notified().await;
        }
    }

    fn comes_to(&self, name: &str, side: Side) {
        if side == Side::Before {
            let mut passed = lock(&self.passed);
            if !passed.iter().any(|known| known == name) {
                passed.push(name.to_owned());
            }
        }
        if self.dies.as_ref().is_some_and(|point| point.name == name && point.side == side) {
            self.kill();
        }
    }

    /// In a call that cannot wait: a dead process unwinds, and its task with it.
    fn sync<T>(&self, name: &str, act: impl FnOnce() -> T) -> T {
        self.comes_to(name, Side::Before);
        self.must_live();
        let done = act();
        self.comes_to(name, Side::After);
        self.must_live();
        done
    }

    fn must_live(&self) {
        if self.is_dead() {
            std::panic::resume_unwind(Box::new("this process was killed"));
        }
    }

    /// In a call that can: a dead process never goes on.
    async fn call<T>(&self, name: &str, act: impl FnOnce() -> T) -> T {
        self.comes_to(name, Side::Before);
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        // A call takes a moment, so that what happens meanwhile can happen.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        let done = act();
        self.comes_to(name, Side::After);
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        done
    }
}

/// One process's ports.
struct Process {
    world: Arc<World>,
    fate: Arc<Fate>,
    journal: SqliteJournal,
    spool: FileSpool,
    catalog: PathBuf,
}

#[derive(Clone)]
struct Port(Arc<Process>);

impl Port {
    fn keyed(&self, keys: &Keys, action: &str) -> Result<(), ServiceError> {
        self.0.world.allowed(keys, action, ACCOUNT, &Context::new())
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        self.0.world.now()
    }

    fn boot(&self) -> Millis {
        self.0.world.now().since(Timestamp(0))
    }

    fn skew_ms(&self) -> Option<i64> {
        Some(0)
    }
}

impl Port {
    fn written(&self) -> Result<(), JournalError> {
        match *lock(&self.0.fate.no_journal) {
            Some(reason) => Err(JournalError::Temporary { path: self.0.journal.path(), reason: reason.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Journal for Port {
    fn runs(&self) -> Result<Vec<String>, JournalError> {
        self.0.journal.runs()
    }

    fn events(&self, run: &str) -> Result<Vec<Event>, JournalError> {
        self.0.journal.events(run)
    }

    fn events_after(&self, run: &str, seq: u64) -> Result<Vec<Event>, JournalError> {
        self.0.fate.must_live();
        self.0.journal.events_after(run, seq)
    }

    fn append(&self, append: &Append) -> Result<Vec<Event>, JournalError> {
        // An append is named by what it is about: the act, where there is one, else its first event.
        let bodies = append.events.iter().map(|(_, body)| body);
        let named = bodies.clone().find(|body| !matches!(body, EventBody::EstimateMade { .. })).or_else(|| bodies.clone().next());
        let name = format!("journal: {}", named.map(EventBody::kind).unwrap_or_default());
        let done = self.0.fate.sync(&name, || self.written().and_then(|()| self.0.journal.append(append)));
        self.0.fate.nudge();
        done
    }

    fn beat(&self, run: &str, lease: &Lease) -> Result<(), JournalError> {
        self.0.fate.must_live();
        self.written()?;
        self.0.journal.beat(run, lease)
    }

    fn lease(&self, run: &str) -> Result<Option<Lease>, JournalError> {
        self.0.journal.lease(run)
    }

    fn release(&self, run: &str, epoch: u64) -> Result<(), JournalError> {
        self.0.fate.must_live();
        self.written()?;
        self.0.journal.release(run, epoch)
    }

    fn resolve(&self, suffix: &str) -> Result<String, JournalError> {
        self.0.journal.resolve(suffix)
    }

    fn version(&self) -> Result<u64, JournalError> {
        self.0.fate.must_live();
        self.0.journal.version()
    }

    fn path(&self) -> String {
        self.0.journal.path()
    }
}

#[async_trait]
impl TokenService for Port {
    async fn identity(&self, _target: &PlanTarget) -> Result<CallerIdentity, ServiceError> {
        Ok(CallerIdentity { arn: "arn:aws:iam::123456789012:user/ana".into(), account: "123456789012".into() })
    }

    async fn assume(&self, _target: &PlanTarget, mint: &MintRequest) -> Result<Keys, ServiceError> {
        let world = self.0.world.clone();
        let mint = mint.clone();
        self.0
            .fate
            .call("call: AssumeRole", || {
                let policy = Policy::parse(&mint.policy).unwrap();
                let expires = world.now().plus(Millis::from_secs(u64::from(mint.seconds)));
                let mut minted = lock(&world.minted);
                let id = format!("ASIA{:016}", minted.len());
                minted.insert(id.clone(), Minted { policy, expires });
                Ok(Keys { access_key_id: id, secret: Secret::new("s"), token: Secret::new("t"), expires })
            })
            .await
    }
}

#[async_trait]
impl Warehouse for Port {
    async fn workgroup(&self, _: &PlanTarget, _: Rights<'_>, _: &str) -> Result<WorkgroupFacts, ServiceError> {
        Ok(WorkgroupFacts { cutoff: Some(1_000_000_000), enforced: true, enabled: true })
    }

    async fn start(&self, _: &PlanTarget, keys: &Keys, query: &StartQuery) -> Result<String, ServiceError> {
        let world = self.0.world.clone();
        self.0
            .fate
            .call("call: StartQueryExecution", || {
                self.keyed(keys, "athena:StartQueryExecution")?;
                let mut started = lock(&world.started);
                // The same token is the same execution (Athena, ClientRequestToken).
                if let Some(known) = started.iter().find(|known| known.token == query.token) {
                    assert_eq!(known.statement, query.statement, "a token is sent again with its own statement");
                    return Ok(known.id.clone());
                }
                let id = format!("query-{}", started.len() + 1);
                started.push(Started {
                    id: id.clone(),
                    token: query.token.clone(),
                    statement: query.statement.clone(),
                    begun: world.now(),
                    stopped: None,
                });
                Ok(id)
            })
            .await
    }

    async fn status(&self, _: &PlanTarget, keys: &Keys, query_id: &str) -> Result<QueryStatus, ServiceError> {
        let world = self.0.world.clone();
        self.0
            .fate
            .call("call: GetQueryExecution", || {
                self.keyed(keys, "athena:GetQueryExecution")?;
                let started = lock(&world.started);
                Ok(world.status(started.iter().find(|query| query.id == query_id).unwrap()))
            })
            .await
    }

    async fn stop(&self, _: &PlanTarget, keys: &Keys, query_id: &str) -> Result<(), ServiceError> {
        let world = self.0.world.clone();
        self.0
            .fate
            .call("call: StopQueryExecution", || {
                self.keyed(keys, "athena:StopQueryExecution")?;
                let now = world.now();
                let mut started = lock(&world.started);
                let query = started.iter_mut().find(|query| query.id == query_id).unwrap();
                if world.phase(query).0 == QueryPhase::Running {
                    query.stopped = Some(now);
                }
                Ok(())
            })
            .await
    }

    async fn rows(&self, _: &PlanTarget, keys: &Keys, _: &str, _: FetchLimits) -> Result<Rows, ServiceError> {
        self.0
            .fate
            .call("call: GetQueryResults", || {
                self.keyed(keys, "athena:GetQueryResults")?;
                Ok(one_row())
            })
            .await
    }

    async fn find(
        &self,
        _: &PlanTarget,
        keys: &Keys,
        _: &str,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<QueryStatus>, ServiceError> {
        let world = self.0.world.clone();
        self.0
            .fate
            .call("call: ListQueryExecutions", || {
                self.keyed(keys, "athena:ListQueryExecutions")?;
                self.keyed(keys, "athena:BatchGetQueryExecution")?;
                let started = lock(&world.started);
                let found = started.iter().find(|query| query.statement.ends_with(marker) && query.begun >= since);
                Ok(found.map(|query| world.status(query)))
            })
            .await
    }
}

#[async_trait]
impl ItemStore for Port {
    async fn read(
        &self,
        _: &PlanTarget,
        keys: &Keys,
        request: &DynamodbRequest,
        _: u64,
        _: FetchLimits,
    ) -> Result<ItemRead, ServiceError> {
        let world = self.0.world.clone();
        self.0
            .fate
            .call("call: GetItem", || {
                let context = Context::new()
                    .with("dynamodb:LeadingKeys", ["ORDER#1"])
                    .with("dynamodb:Attributes", request.project.iter().chain(request.key.keys()).cloned())
                    .with("dynamodb:Select", ["SPECIFIC_ATTRIBUTES"]);
                let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
                world.allowed(keys, "dynamodb:GetItem", table, &context)?;
                *lock(&world.items_read) += 1;
                Ok(ItemRead { rows: one_row(), cost: 500, stopped_by_ceiling: false })
            })
            .await
    }
}

fn one_row() -> Rows {
    let columns = vec![RowColumn { name: "n".into(), kind: "bigint".into() }];
    Rows { columns, rows: vec![vec![Some("7".into())]], truncated: false }
}

impl Spool for Port {
    fn write(&self, run: &str, execution: &str, rows: &Rows) -> Result<String, SpoolError> {
        self.0.fate.sync("spool: rows", || self.0.spool.write(run, execution, rows))
    }

    fn read(&self, run: &str, execution: &str) -> Result<Option<Rows>, SpoolError> {
        self.0.spool.read(run, execution)
    }

    fn remove(&self, run: &str) -> Result<(), SpoolError> {
        self.0.spool.remove(run)
    }

    fn export(&self, name: &str, bytes: &[u8]) -> Result<String, SpoolError> {
        self.0.spool.export(name, bytes)
    }
}

impl Notes for Port {
    fn prepare(&self, run: &str) -> Result<(), SpoolError> {
        self.0.fate.sync("spool: room", || self.0.spool.prepare(run))
    }

    fn note(&self, run: &str, act: &Act) -> Result<(), SpoolError> {
        self.0.fate.sync("spool: note", || self.0.spool.note(run, act))
    }

    fn pending(&self, run: &str) -> Result<Vec<Act>, SpoolError> {
        self.0.spool.pending(run)
    }

    fn noted_runs(&self) -> Result<Vec<String>, SpoolError> {
        self.0.spool.noted_runs()
    }

    fn imported(&self, run: &str) -> Result<(), SpoolError> {
        self.0.fate.sync("spool: imported", || self.0.spool.imported(run))
    }
}

impl FactSource for Port {
    fn load(&self, _: &Book, _: &str) -> Result<Facts, Refusal> {
        books::facts(std::slice::from_ref(&self.0.catalog))
    }
}

/// A process of `name` in this world, over the store and spool in `dir`.
pub(super) fn process(world: &Arc<World>, dir: &Path, name: &str, fate: Arc<Fate>) -> Engine {
    let journal = SqliteJournal::open(&dir.join("journal.db"), Sharing::Private).unwrap();
    let spool = FileSpool::open(dir).unwrap();
    // Every cell has the same book; loading asks git, which costs more than a whole walk.
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    let shelf = SHELF.get_or_init(|| {
        let loaded = books::load(&dir.join("book")).unwrap();
        loaded.shelf.unwrap_or_else(|| panic!("{:?}", loaded.problems))
    });
    let changes = fate.changed.subscribe();
    let catalog = dir.join("book/catalog.yaml");
    let port = Port(Arc::new(Process { world: world.clone(), fate, journal, spool, catalog }));
    let port = Arc::new(port);
    let ports = Ports {
        journal: port.clone(),
        clock: port.clone(),
        tokens: port.clone(),
        warehouse: port.clone(),
        items: port.clone(),
        spool: port.clone(),
        notes: port.clone(),
        facts: port,
        alive: |_| true,
        changed: changes,
    };
    let me = Actor { name: name.to_owned(), uid: 1000, arn: None, host: "here".into() };
    Engine::new(Arc::new(ports), Arc::new(shelf.clone()), me, None)
}

const BOOK: &str = r#"tollgate: v1
name: shop
catalog: [catalog.yaml]
groups:
  oncall: [ana]
  leads: [lea]
targets:
  shop:
    account: "123456789012"
    region: eu-central-1
    role: arn:aws:iam::123456789012:role/tollgate-shop-read
    endpoint: sandbox
    athena:
      workgroups: [{ name: tg-small, cutoff: 1 GB }]
      output: s3://shop-results/tollgate/
    dynamodb: { enabled: true }
guardrails:
  athena: { max_scan: 500 MB, warn_scan: 200 MB, max_run_scan: 1 GB }
  dynamodb: { max_read_units: 100 }
approvals: { need: 1, from: [leads], lapse: 30m, use_within: 15m }
duration: { default: 15m, max: 1h }
"#;

const CATALOG: &str = r#"catalog: v1
name: awsdatacatalog
taken_at: 2026-11-20T08:00:00Z
tables:
  web.alb_logs:
    format: parquet
    location: s3://shop-lake/web/alb_logs/
    columns: [{ name: n, type: bigint }]
    partition_keys: [{ name: day, type: varchar }]
    partitions: [{ values: ['2026/11/19'], files: 1, bytes: 1000000, rows: 1000, column_bytes: { n: 8000 } }]
dynamodb:
  orders: { key: { pk: S, sk: S }, items: 1000, bytes: 200000, attributes: [{ name: state }] }
"#;

/// The book of the matrix: one statement of each service, and a note at the end.
pub(super) fn write_book(dir: &Path) {
    let book = dir.join("book");
    std::fs::create_dir(&book).unwrap();
    std::fs::write(book.join("tollgate.yaml"), BOOK).unwrap();
    std::fs::write(book.join("catalog.yaml"), CATALOG).unwrap();
    let runbook = |id: &str, step: &str| {
        let text = format!(
            "runbook: v1\nid: {id}\ntitle: One step\naccess: {{ target: shop }}\nsteps:\n  - id: look\n{step}\n  - id: done\n    note: Tell them.\n"
        );
        std::fs::write(book.join(format!("{id}.yaml")), text).unwrap();
    };
    runbook("query", "    athena: { database: web, sql: \"SELECT n FROM alb_logs WHERE day = '2026/11/19'\" }");
    runbook("items", "    dynamodb: { get: { table: orders, key: { pk: \"ORDER#1\", sk: META }, project: [state] } }");
}
