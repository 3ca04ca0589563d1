//! The sandbox's own process, from outside: finding it, starting it detached, waiting for its data; and from inside: serving.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::adapters::aws::SandboxAccess;
use crate::cli::args::{SandboxArgs, SandboxCommand};
use crate::cli::error::{Error, ExitKind};
use crate::cli::show;
use crate::core::units::Bytes;
use crate::engine::ports::{Secret, ServiceError};
use crate::sandbox::api::Progress;
use crate::sandbox::athena::Pace;
use crate::sandbox::dataset::Scale;
use crate::sandbox::host::{Ending, HostError, Options};
use crate::sandbox::server::{Status, probe, stop};
use crate::sandbox::shop::{Shop, serve as serve_shop};
use crate::sandbox::state::{Endpoint, StateDir};

/// A started sandbox answers within this long, or says why not.
const START: Duration = Duration::from_secs(15);
/// An answer is trusted for this long before the sandbox is looked for again.
const TRUST: Duration = Duration::from_secs(30);
/// How often a waiting command looks.
const LOOK: Duration = Duration::from_millis(100);

/// Finds the sandbox of a folder, starting it where none answers.
pub(super) struct Starter {
    folder: PathBuf,
    known: Mutex<Option<(Instant, SandboxAccess)>>,
}

impl Starter {
    /// For the sandbox that lives in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// Where it answers and with which keys.
    pub(super) async fn access(&self) -> Result<SandboxAccess, ServiceError> {
        let mut known = self.known.lock().await;
        if let Some((at, access)) = known.as_ref()
            && at.elapsed() < TRUST
        {
            return Ok(access.clone());
        }
        let endpoint = ensure(&self.folder).await.map_err(|error| ServiceError::NoCredentials {
            message: error.message,
            hint: error.hints.first().cloned().unwrap_or_else(|| "`tollgate sandbox` in another terminal shows why".to_owned()),
        })?;
        let access = SandboxAccess {
            url: endpoint.url.clone(),
            access_key_id: endpoint.keys.access_key_id.clone(),
            secret: Secret::new(endpoint.keys.secret_access_key.reveal()),
        };
        *known = Some((Instant::now(), access.clone()));
        Ok(access)
    }
}

async fn answering(folder: &Path) -> Result<Option<(Endpoint, Status)>, Error> {
    let Some(dir) = StateDir::find(folder).map_err(|error| failed(&error))? else { return Ok(None) };
    let Some(endpoint) = dir.endpoint().map_err(|error| failed(&error))? else { return Ok(None) };
    Ok(probe(&endpoint).await.map(|status| (endpoint, status)))
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::new(ExitKind::Failed, "the sandbox cannot be used")
        .because(error)
        .hint("`tollgate sandbox status` says more; another folder can be named with --data or --state-dir")
}

/// The sandbox of this folder, started if none answers.
async fn ensure(folder: &Path) -> Result<Endpoint, Error> {
    if let Some((endpoint, _)) = answering(folder).await? {
        return Ok(endpoint);
    }
    StateDir::create(folder).map_err(|error| failed(&error))?;
    let program =
        std::env::current_exe().map_err(|error| Error::new(ExitKind::Failed, format!("where this program is: {error}")))?;
    let log = folder.join("log");
    let output = private_log(&log)?;
    let errors = output.try_clone()?;
    let mut command = std::process::Command::new(program);
    command
        .arg("sandbox")
        .arg("--data")
        .arg(folder)
        .args(std::env::var("TOLLGATE_SANDBOX").ok().iter().flat_map(|more| more.split_whitespace()).map(str::to_owned))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        // Its own group: Ctrl-C in this terminal is not meant for it.
        .process_group(0);
    // It is given nothing of ours that it does not need, credentials above all.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    let mut child =
        command.spawn().map_err(|error| Error::new(ExitKind::Failed, format!("the sandbox did not start: {error}")))?;
    let end = Instant::now() + START;
    while Instant::now() < end {
        if let Some((endpoint, _)) = answering(folder).await? {
            return Ok(endpoint);
        }
        if let Ok(Some(status)) = child.try_wait() {
            // Two starts at once: the other one holds the lock and will answer.
            sleep(LOOK).await;
            if let Some((endpoint, _)) = answering(folder).await? {
                return Ok(endpoint);
            }
            if no_space(folder) {
                return Err(Error::new(ExitKind::Temporary, format!("the disk of {} is full", folder.display()))
                    .hint("the sandbox needs about 250 MB: free some space, or name another place with --state-dir"));
            }
            let mut error = Error::new(ExitKind::Failed, format!("the sandbox ended at once ({status})"));
            error.causes = last_lines(&log);
            return Err(error.hint("`tollgate sandbox` in another terminal shows what it does"));
        }
        sleep(LOOK).await;
    }
    let mut error = Error::new(ExitKind::Temporary, format!("the sandbox does not answer after {} s", START.as_secs()));
    error.causes = last_lines(&log);
    Err(error.hint("try again; `tollgate sandbox` in another terminal shows what it does"))
}

/// Whether less than a megabyte is left where the sandbox lives.
fn no_space(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < 1 << 20)
}

fn private_log(path: &Path) -> Result<std::fs::File, Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::new(ExitKind::Failed, format!("{}: {error}", path.display())))
}

fn last_lines(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter().rev().take(4).rev().collect()
}

/// Waits until the data is there, telling how far it is.
pub(super) async fn wait_for_data(folder: &Path) -> Result<(), Error> {
    wait_for(folder, |data| {
        let (done, total) = (Bytes(data.done_bytes), Bytes(data.total_bytes));
        show::say(&format!("making the sandbox's data: {} of {} days, {done} of {total}", data.done_days, data.total_days));
    })
    .await
}

/// Waits until the data is there; `tell` hears of it once a second.
pub(super) async fn wait_for(folder: &Path, tell: impl Fn(&Progress)) -> Result<(), Error> {
    ensure(folder).await?;
    let mut told: Option<Instant> = None;
    loop {
        let Some((_, status)) = answering(folder).await? else {
            return Err(Error::new(ExitKind::Temporary, "the sandbox went away while it made its data").hint("try again"));
        };
        if let Some(why) = &status.data.error {
            return Err(Error::new(ExitKind::Failed, format!("the sandbox could not make its data: {why}"))
                .hint("free some space (about 250 MB), then try again"));
        }
        if status.data.ready {
            return Ok(());
        }
        if told.is_none_or(|at| at.elapsed() >= Duration::from_secs(1)) {
            told = Some(Instant::now());
            tell(&status.data);
        }
        sleep(LOOK).await;
    }
}

/// How far the data of an answering sandbox is; starts it where none answers.
pub(super) async fn progress(folder: &Path) -> Result<Progress, Error> {
    ensure(folder).await?;
    Ok(answering(folder).await?.map(|(_, status)| status.data).unwrap_or_default())
}

/// `sandbox …`.
pub(super) async fn command(folder: &Path, args: &SandboxArgs) -> Result<(), Error> {
    match args.command {
        None => serve(folder, args).await,
        Some(SandboxCommand::Status) => match answering(folder).await? {
            Some((endpoint, status)) => {
                let data = &status.data;
                show::data(&format!("answers at {} (process {}, version {})", endpoint.url, status.pid, status.version))?;
                show::data(&format!(
                    "data: {} of {} days, {}{}",
                    data.done_days,
                    data.total_days,
                    Bytes(data.done_bytes),
                    if data.ready { ", ready" } else { "" }
                ))
            }
            None => show::data("not running"),
        },
        Some(SandboxCommand::Stop) => match answering(folder).await? {
            Some((endpoint, _)) => {
                stop(&endpoint).await;
                let end = Instant::now() + Duration::from_secs(10);
                while Instant::now() < end && probe(&endpoint).await.is_some() {
                    sleep(LOOK).await;
                }
                show::data("stopped")
            }
            None => show::data("not running"),
        },
        Some(SandboxCommand::Reset) => {
            if let Some((endpoint, _)) = answering(folder).await? {
                stop(&endpoint).await;
                let end = Instant::now() + Duration::from_secs(10);
                while Instant::now() < end && probe(&endpoint).await.is_some() {
                    sleep(LOOK).await;
                }
            }
            match StateDir::find(folder).map_err(|error| failed(&error))? {
                Some(dir) => {
                    dir.reset().map_err(|error| failed(&error))?;
                    show::data("removed")
                }
                None => show::data("there was nothing to remove"),
            }
        }
    }
}

/// Serves in the foreground until told to end.
async fn serve(folder: &Path, args: &SandboxArgs) -> Result<(), Error> {
    if let Some((endpoint, status)) = answering(folder).await? {
        return Err(Error::new(
            ExitKind::Temporary,
            format!("a sandbox answers already at {} (process {})", endpoint.url, status.pid),
        )
        .hint("`tollgate sandbox stop` ends it"));
    }
    let mut options = Options::new(folder);
    options.port = args.port;
    let shop = Shop {
        data_dir: None,
        scale: if args.scale == "tiny" { Scale::TINY } else { Scale::SHIPPED },
        pace: if args.pace == "on" { Pace::Watchable } else { Pace::Off },
    };
    let running = serve_shop(options, shop).map_err(|error| match &error {
        HostError::PortTaken { .. } => Error::new(ExitKind::Temporary, error.to_string()),
        _ => failed(&error),
    })?;
    let endpoint = running.endpoint().clone();
    let mut out = std::io::stdout();
    let _ = writeln!(
        out,
        "export AWS_ENDPOINT_URL={}\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_REGION={}",
        endpoint.url,
        endpoint.keys.access_key_id,
        endpoint.keys.secret_access_key.reveal(),
        endpoint.keys.region
    );
    let _ = out.flush();
    let listen = |kind| signal(kind).map_err(|error| Error::new(ExitKind::Failed, format!("signals cannot be heard: {error}")));
    let (mut interrupt, mut terminate, mut hang_up) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    let ending = loop {
        tokio::select! {
            ending = running.ended() => break ending,
            _ = interrupt.recv() => running.stop(),
            _ = terminate.recv() => running.stop(),
            // Detached on purpose: the terminal that started it may go.
            _ = hang_up.recv() => {}
        }
    };
    // Dropping joins its thread, which must not happen on this runtime's threads.
    let _ = tokio::task::spawn_blocking(move || drop(running)).await;
    match ending {
        Ending::Asked => Ok(()),
        Ending::Idle(_) => {
            show::say("nothing was asked for a while: the sandbox ended");
            Ok(())
        }
        Ending::Failed(why) => Err(Error::new(ExitKind::Failed, format!("the sandbox failed: {why}"))),
    }
}
