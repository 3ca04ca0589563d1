//! Assembly: the engine with its ports, for one command.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::args::Global;
use super::error::{Error, ExitKind};
use crate::adapters::aws::{Aws, Patience};
use crate::adapters::books;
use crate::adapters::clock::{Skew, SystemClock};
use crate::adapters::identity;
use crate::adapters::journal::{Sharing, SqliteJournal};
use crate::adapters::spool::FileSpool;
use crate::adapters::watch::StoreWatch;
use crate::core::book::Book;
use crate::core::plan::Endpoint;
use crate::core::run::command::Refusal;
use crate::core::run::event::Actor;
use crate::core::text::visible;
use crate::engine::ports::{FactSource, Facts, Lease, Shelf};
use crate::engine::steady::SteadyClock;
use crate::engine::{Engine, Ports};

/// A write that has not had its turn after this long counts as a lost journal: 16 writers at once need a tenth of it, and what
/// runs must be stopped well before its deadline.
const PATIENCE: Duration = Duration::from_secs(4);

/// Everything that a command which touches runs needs; dropping it ends the watch of the store.
pub(super) struct Assembled {
    /// The engine.
    pub engine: Engine,
    /// The journal itself, for verification.
    pub journal: Arc<SqliteJournal>,
    /// The private state directory.
    pub state_dir: PathBuf,
    _watch: StoreWatch,
}

/// The folder of the book: `--book`, `$TOLLGATE_BOOK`, `./runbooks`, `.`.
pub(super) fn book_dir(global: &Global) -> Result<PathBuf, Error> {
    if let Some(dir) = &global.book {
        return Ok(dir.clone());
    }
    for candidate in ["runbooks", "."] {
        let dir = PathBuf::from(candidate);
        if dir.join("tollgate.yaml").is_file() {
            return Ok(dir);
        }
    }
    Err(Error::new(ExitKind::Usage, "there is no book here: neither ./runbooks nor . has a tollgate.yaml")
        .hint("name one with `--book DIR` or $TOLLGATE_BOOK"))
}

/// The private state directory.
pub(super) fn state_dir(global: &Global) -> Result<PathBuf, Error> {
    identity::state_dir(global.state_dir.as_deref()).map_err(|error| {
        Error::new(ExitKind::Failed, "the private state directory cannot be used")
            .because(&error)
            .hint("name another one with --state-dir, or with $XDG_STATE_HOME")
    })
}

/// The book of a folder; a book with problems is refused with all of them.
pub(super) fn shelf(global: &Global) -> Result<Shelf, Error> {
    let dir = book_dir(global)?;
    let loaded = books::load(&dir).map_err(|error| {
        Error::new(ExitKind::Usage, format!("the book in {} cannot be read", dir.display()))
            .because(&error)
            .hint("name the folder that holds tollgate.yaml with --book, or with $TOLLGATE_BOOK")
    })?;
    if let Some(shelf) = loaded.shelf {
        return Ok(shelf);
    }
    let problems: Vec<String> = loaded.problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    let count = problems.len();
    let mut error = Error::new(
        ExitKind::Usage,
        format!("the book in {} has {count} problem{}", dir.display(), if count == 1 { "" } else { "s" }),
    );
    error.causes = problems;
    Err(error.hint("`tollgate check` shows them, and what only shows when a runbook is planned"))
}

/// Builds the engine.
pub(super) fn assemble(global: &Global) -> Result<Assembled, Error> {
    let shelf = shelf(global)?;
    assemble_with(global, shelf)
}

/// Builds the engine over a loaded book.
pub(super) fn assemble_with(global: &Global, shelf: Shelf) -> Result<Assembled, Error> {
    let state_dir = state_dir(global)?;
    let journal = Arc::new(open_journal(global, &shelf.book, &state_dir)?);
    let skew = Arc::new(Skew::default());
    let clock = Arc::new(SteadyClock::new(Arc::new(SystemClock::new(skew.clone()))));
    let aws = Arc::new(Aws::new(super::sandbox::endpoint(&state_dir), skew, Patience::default()));
    let spool =
        FileSpool::open(&state_dir).map_err(|error| Error::new(ExitKind::Failed, "the spool cannot be used").because(&error))?;
    // Rows are kept for a day at most, whoever left them.
    let _ = spool.sweep(std::time::SystemTime::now());
    let spool = Arc::new(spool);
    let watch = StoreWatch::start(journal.clone());
    let facts =
        BookFacts { dir: book_dir(global)?, sandbox: super::sandbox::folder(&state_dir).join("data"), known: Mutex::default() };
    let ports = Ports {
        journal: journal.clone(),
        clock,
        tokens: aws.clone(),
        warehouse: aws.clone(),
        items: aws,
        spool: spool.clone(),
        notes: spool,
        facts: Arc::new(facts),
        alive,
        changed: watch.versions(),
    };
    let me = actor(global, &shelf)?;
    let endpoint = endpoint(global);
    if let Some(Endpoint::Url(url)) = &endpoint {
        super::args::endpoint_url(url).map_err(|why| {
            Error::usage(format!("`{}` is not an endpoint: {why}", visible(url))).hint("set or unset $AWS_ENDPOINT_URL")
        })?;
    }
    let engine = Engine::new(Arc::new(ports), Arc::new(shelf), me, endpoint);
    Ok(Assembled { engine, journal, state_dir, _watch: watch })
}

fn open_journal(global: &Global, book: &Book, state_dir: &Path) -> Result<SqliteJournal, Error> {
    let (path, sharing) = match (&global.store, &book.store) {
        (Some(path), _) => (path.clone(), sharing_of(path, book)),
        (None, Some(path)) => (PathBuf::from(path), Sharing::Shared),
        (None, None) => (state_dir.join("journal.db"), Sharing::Private),
    };
    let journal = SqliteJournal::open(&path, sharing).map(|journal| journal.with_patience(PATIENCE));
    journal.map_err(|error| Error::from(crate::engine::journal_refusal(error)))
}

/// A store named by hand is shared if the book says so, or if its directory is one that a group shares (set-group-id, writable).
fn sharing_of(path: &Path, book: &Book) -> Sharing {
    use std::os::unix::fs::MetadataExt as _;
    let named = book.store.as_deref().is_some_and(|store| Path::new(store) == path);
    let shared = path.parent().and_then(|dir| std::fs::metadata(dir).ok()).is_some_and(|dir| dir.mode() & 0o2070 == 0o2070);
    if named || shared { Sharing::Shared } else { Sharing::Private }
}

/// Who acts: `--as` where every target is a sandbox, else the login name.
fn actor(global: &Global, shelf: &Shelf) -> Result<Actor, Error> {
    let host = identity::host_name();
    let uid = identity::uid();
    if global.act_as.is_some() && !is_sandbox_only(&shelf.book) {
        return Err(Error::usage("--as works only in the sandbox, and this book has targets that are not")
            .hint("outside the sandbox your name comes from your credentials or your login"));
    }
    Ok(Actor { name: name_here(global, Some(&shelf.book)), uid, arn: None, host })
}

fn is_sandbox_only(book: &Book) -> bool {
    book.targets.values().all(|target| target.endpoint == Endpoint::Sandbox)
}

/// The name by which this person is known to a book; the login name where there is none.
pub(super) fn name_here(global: &Global, book: Option<&Book>) -> String {
    match (book, &global.act_as) {
        (None, _) => identity::login_name(),
        (Some(book), Some(name)) if is_sandbox_only(book) => name.clone(),
        (Some(book), _) => known_name(book),
    }
}

/// The login name through `identities`; in a sandbox-only book, where nobody has an account, the first member of the first group
/// stands in for a login that the book does not know.
fn known_name(book: &Book) -> String {
    let login = identity::login_name();
    if let Some((name, _)) = book.identities.iter().find(|(name, aliases)| name.as_str() == login || aliases.contains(&login)) {
        return name.to_string();
    }
    let known = book.groups.values().flatten().any(|person| person.as_str() == login);
    if known || !is_sandbox_only(book) {
        return login;
    }
    book.groups.values().flatten().next().map_or(login, ToString::to_string)
}

/// The endpoint of the command line or of the SDK's own variable, for targets on AWS.
pub(super) fn endpoint(global: &Global) -> Option<Endpoint> {
    let from_environment = || std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
    global.endpoint_url.clone().or_else(from_environment).map(Endpoint::Url)
}

/// Whether a lease's process still lives, as far as this host can tell.
fn alive(lease: &Lease) -> bool {
    if lease.host != identity::host_name() {
        return true;
    }
    let pid = i32::try_from(lease.pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// Catalog facts of a book's files. Read again only when a file changed.
struct BookFacts {
    dir: PathBuf,
    sandbox: PathBuf,
    known: Mutex<Option<(Vec<(PathBuf, Option<std::time::SystemTime>)>, Facts)>>,
}

impl FactSource for BookFacts {
    fn load(&self, book: &Book, _book_sha256: &str) -> Result<Facts, Refusal> {
        let paths: Vec<PathBuf> = books::catalog_paths(&self.dir, book, &self.sandbox);
        let stamps: Vec<(PathBuf, Option<std::time::SystemTime>)> =
            paths.iter().map(|path| (path.clone(), std::fs::metadata(path).and_then(|meta| meta.modified()).ok())).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, facts)) = known.as_ref()
            && *seen == stamps
        {
            return Ok(facts.clone());
        }
        let facts = books::facts(&paths)?;
        *known = Some((stamps, facts.clone()));
        Ok(facts)
    }
}

/// Starts the log, if one was asked for. The SDK's own events stay at warnings: at debug they would hold headers.
pub(super) fn start_log(global: &Global) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let Some(path) = &global.log else { return Ok(()) };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::usage(format!("--log {}: {error}", path.display())).hint("name a file that you may write"))?;
    let filter = EnvFilter::new("warn,tollgate=debug");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(Mutex::new(file)).with_ansi(false).init();
    Ok(())
}
