//! The sandbox's life: start, serve, end when asked or when nobody comes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::api::{JsonService, Progress};
use super::clock::Clock;
use super::dataset::Day;
use super::dataset::ids::keyed_orders;
use super::dynamodb::DynamoDb;
use super::s3::S3;
use super::secret::random_text;
use super::server::{Activity, Control, Door, Entry, Ledger, router};
use super::sessions::{KeyRing, Session};
use super::state::{Endpoint, Listening, StateDir, StateError, StateLock};
use super::sts::Trust;

/// How long the sandbox waits for a request before it ends by itself.
const IDLE_END: Duration = Duration::from_secs(30 * 60);

/// How long requests that are being served may still take once the end was asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// The stack of the server's threads: debug builds of the query engine need more than the usual 2 MiB.
const STACK: usize = 16 * 1024 * 1024;

/// How a sandbox is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its private directory.
    pub state_dir: PathBuf,
    /// The port; without one that of the last start, if it is free, else any.
    pub port: Option<u16>,
    /// Its one account.
    pub account: String,
    /// Its one region.
    pub region: String,
    /// What its roles' trust asks for.
    pub trust: Trust,
    /// Its time.
    pub clock: Clock,
    /// After how long without requests and without running queries it ends; `None`: never.
    pub idle_end: Option<Duration>,
}

impl Options {
    /// The account, region and idle end that the shipped book expects.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            port: None,
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            trust: Trust::default(),
            clock: Clock::system(),
            idle_end: Some(IDLE_END),
        }
    }
}

/// What stands behind the door besides STS and DynamoDB.
pub struct Services {
    /// `AmazonAthena.*`.
    pub athena: Arc<dyn JsonService>,
    /// `AWSGlue.*`, if there are tables.
    pub glue: Option<Arc<dyn JsonService>>,
    /// The tables' files.
    pub s3: Option<Arc<S3>>,
    /// How far the data is.
    pub progress: watch::Receiver<Progress>,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its directory cannot be used, or another sandbox uses it.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another program has the port.
    #[error(
        "port {port} on 127.0.0.1 is taken by another program; choose another with --port, or leave it out to get a free one"
    )]
    PortTaken {
        /// Which.
        port: u16,
    },
    /// The port cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// Which; 0 is any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A service did not start.
    #[error("the sandbox's {service} did not start: {why}; `tollgate sandbox reset` removes its state")]
    Service {
        /// Which.
        service: &'static str,
        /// Why.
        why: String,
    },
    /// No thread or runtime for it.
    #[error("the system gives the sandbox no thread: {0}")]
    Thread(io::Error),
}

/// Why a sandbox ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to.
    Asked,
    /// Nobody came for so long.
    Idle(Duration),
    /// Its server broke.
    Failed(String),
}

/// A running sandbox. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    endpoint: Endpoint,
    door: Opaque,
    stop: watch::Sender<bool>,
    ending: watch::Receiver<Option<Ending>>,
    thread: Option<JoinHandle<()>>,
}

/// The door has nothing to show.
struct Opaque(Arc<Door>);

impl std::fmt::Debug for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door")
    }
}

impl Running {
    /// Where it answers, and the keys to talk to it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Every session it issued, the oldest first, without secrets.
    pub fn sessions(&self) -> Vec<Session> {
        self.door.0.keys.sessions()
    }

    /// Every request it answered.
    pub fn ledger(&self) -> Vec<Entry> {
        self.door.0.ledger.entries()
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Ending {
        let mut ending = self.ending.clone();
        let found = ending.wait_for(Option::is_some).await.map(|ending| ending.clone());
        // The sender is gone only with its thread.
        found.ok().flatten().unwrap_or_else(|| Ending::Failed("its thread broke".to_owned()))
    }

    /// Asks it to end, without waiting; [`Running::ended`] or dropping it waits.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was reported by its own hook.
            let _ = thread.join();
        }
    }
}

/// Starts a sandbox with the services that `build` makes of its directory, on threads of its own.
///
/// # Errors
/// [`HostError`]; nothing runs then.
pub fn serve_with(
    options: Options,
    build: impl FnOnce(&StateDir, &Runtime) -> Result<Services, HostError> + Send + 'static,
) -> Result<Running, HostError> {
    let (tell, told) = std::sync::mpsc::channel();
    let (ended, ending) = watch::channel(None);
    // All of it happens on this thread, since a runtime may be neither used nor dropped on a thread of another one.
    let life = move || {
        let started = match Started::start(&options, build) {
            Ok(started) => started,
            Err(error) => {
                let _ = tell.send(Err(error));
                return;
            }
        };
        let _ = tell.send(Ok((started.endpoint.clone(), started.door.clone())));
        ended.send_replace(Some(started.live(options.idle_end)));
    };
    let thread = std::thread::Builder::new().name("sandbox-host".to_owned()).spawn(life).map_err(HostError::Thread)?;
    let told = told.recv().map_err(|_| HostError::Thread(io::Error::other("its thread broke while starting")))?;
    let (endpoint, door) = told?;
    Ok(Running { endpoint, stop: door.control.stop.clone(), door: Opaque(door), ending, thread: Some(thread) })
}

/// Everything that a running sandbox owns.
struct Started {
    endpoint: Endpoint,
    door: Arc<Door>,
    listener: TcpListener,
    runtime: Runtime,
    _lock: StateLock,
}

impl Started {
    fn start(
        options: &Options,
        build: impl FnOnce(&StateDir, &Runtime) -> Result<Services, HostError>,
    ) -> Result<Self, HostError> {
        let state = StateDir::create(&options.state_dir)?;
        let lock = state.lock()?;
        let keys = state.keys(&options.account, &options.region, &lock)?;
        let listener = listen(options, &state)?;
        let port = listener.local_addr().map_err(|source| HostError::Listen { port: 0, source })?.port();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("sandbox")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(HostError::Thread)?;
        let dynamodb = open_dynamodb(options, &state, &runtime)?;
        let services = build(&state, &runtime)?;
        let listening = Listening {
            port,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: random_text(b"0123456789abcdef", 32),
            started_at: options.clock.now(),
        };
        let door = Door {
            keys: KeyRing::open(keys.clone(), &state.join("sessions.jsonl"), options.clock.now())?,
            trust: options.trust.clone(),
            clock: options.clock.clone(),
            region: options.region.clone(),
            athena: services.athena,
            glue: services.glue,
            s3: services.s3,
            dynamodb: Arc::new(dynamodb),
            ledger: Ledger::at(state.join("ledger.jsonl")),
            activity: Activity::new(),
            control: Control {
                instance: listening.instance.clone(),
                proof_key: keys.proof_key.clone(),
                progress: services.progress,
                stop: watch::channel(false).0,
            },
        };
        state.announce(&listening, &lock)?;
        let endpoint = Endpoint { url: format!("http://127.0.0.1:{port}"), listening, keys };
        Ok(Self { endpoint, door: Arc::new(door), listener, runtime, _lock: lock })
    }

    fn live(self, idle_end: Option<Duration>) -> Ending {
        let Self { door, listener, runtime, .. } = self;
        let how = runtime.block_on(live(listener, door.clone(), idle_end));
        runtime.block_on(door.athena.shut_down());
        runtime.shutdown_timeout(LAST_REQUESTS);
        how
    }
}

fn listen(options: &Options, state: &StateDir) -> Result<TcpListener, HostError> {
    let bind = |port: u16| {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    if let Some(port) = options.port {
        return bind(port).map_err(|source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => HostError::PortTaken { port },
            _ => HostError::Listen { port, source },
        });
    }
    // A plan names the endpoint it was made for, so a sandbox comes back where it was, if it can.
    let last = state.listening().ok().flatten().and_then(|last| bind(last.port).ok());
    last.map_or_else(|| bind(0), Ok).map_err(|source| HostError::Listen { port: 0, source })
}

fn open_dynamodb(options: &Options, state: &StateDir, runtime: &Runtime) -> Result<DynamoDb, HostError> {
    let broken = |why: String| HostError::Service { service: "DynamoDB", why };
    let dynamodb = DynamoDb::open(&state.join("dynamodb.db"), &options.account, &options.region).map_err(broken)?;
    let today = Day::of(options.clock.now());
    runtime.block_on(dynamodb.seed(keyed_orders(today))).map_err(|error| broken(error.to_string()))?;
    Ok(dynamodb)
}

/// Serves until the end is asked for or nobody has come for `idle_end`.
async fn live(listener: TcpListener, door: Arc<Door>, idle_end: Option<Duration>) -> Ending {
    let stop = &door.control.stop;
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return Ending::Failed(error.to_string()),
    };
    let mut asked = stop.subscribe();
    let asked = async move { asked.wait_for(|stop| *stop).await.map(drop) };
    let server = axum::serve(listener, router(door.clone())).with_graceful_shutdown(async move {
        let _ = asked.await;
    });
    let mut ended = stop.subscribe();
    let server = tokio::spawn(server.into_future());
    let how = tokio::select! {
        _ = ended.wait_for(|stop| *stop) => Ending::Asked,
        idle = nobody_comes(&door, idle_end) => Ending::Idle(idle),
    };
    stop.send_replace(true);
    match tokio::time::timeout(LAST_REQUESTS, server).await {
        Ok(Ok(Err(error))) => Ending::Failed(error.to_string()),
        Ok(Err(error)) => Ending::Failed(error.to_string()),
        // A client that holds its request open any longer loses it.
        Ok(Ok(Ok(()))) | Err(_) => how,
    }
}

async fn nobody_comes(door: &Door, idle_end: Option<Duration>) -> Duration {
    let Some(limit) = idle_end else { return std::future::pending().await };
    loop {
        if door.busy() {
            door.activity.touch();
        }
        let idle = door.activity.idle();
        if idle >= limit {
            return idle;
        }
        tokio::time::sleep((limit - idle).min(Duration::from_secs(30))).await;
    }
}
