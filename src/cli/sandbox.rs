//! The sandbox as a process: starting it when a target needs it, serving it in the foreground, stopping and resetting it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Global, SandboxArgs};
use super::error::{Error, ExitKind};
use crate::adapters::aws::SandboxEndpoint;
use crate::core::plan::Endpoint;
use crate::engine::Engine;
use crate::engine::ports::ServiceError;

#[cfg(feature = "sandbox")]
mod process;

/// The line that builds a binary which has it.
#[cfg(not(feature = "sandbox"))]
const BUILD: &str = "cargo build --release --features sandbox";

/// Where the sandbox's state lives.
pub(super) fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("sandbox")
}

/// Gives the sandbox's address and keys, starting it where none answers.
pub(super) fn endpoint(state_dir: &Path) -> SandboxEndpoint {
    let folder = folder(state_dir);
    #[cfg(feature = "sandbox")]
    {
        let starter = Arc::new(process::Starter::new(folder));
        Arc::new(move || {
            let starter = starter.clone();
            Box::pin(async move { starter.access().await })
        })
    }
    #[cfg(not(feature = "sandbox"))]
    Arc::new(move || {
        let place = folder.display().to_string();
        Box::pin(async move {
            Err(ServiceError::NoCredentials {
                message: format!("this binary was built without the sandbox, so it cannot serve {place}"),
                hint: format!("build one that has it: {BUILD}"),
            })
        })
    })
}

/// Waits until the sandbox has the data that a first request needs, telling how far it is. Does nothing for other targets.
pub(super) async fn wait_for_data(engine: &Engine, global: &Global, runbook: &str) -> Result<(), Error> {
    let Some(shelved) = engine.shelf().runbooks.get(runbook) else { return Ok(()) };
    let Ok(target) = engine.target_of(&shelved.runbook) else { return Ok(()) };
    if target.endpoint != Endpoint::Sandbox {
        return Ok(());
    }
    #[cfg(feature = "sandbox")]
    {
        process::wait_for_data(&folder(&super::assembly::state_dir(global)?)).await
    }
    #[cfg(not(feature = "sandbox"))]
    {
        let _ = global;
        Err(Error::new(ExitKind::Usage, "this binary was built without the sandbox")
            .hint(format!("build one that has it: {BUILD}")))
    }
}

/// Waits until the sandbox's files are there, telling how far they are.
pub(super) async fn wait_for_files(state_dir: &Path) -> Result<(), Error> {
    #[cfg(feature = "sandbox")]
    {
        process::wait_for_data(&folder(state_dir)).await
    }
    #[cfg(not(feature = "sandbox"))]
    {
        let _ = state_dir;
        Err(Error::new(ExitKind::Usage, "this binary was built without the sandbox")
            .hint(format!("build one that has it: {BUILD}")))
    }
}

/// The same without a word: the app shows the progress itself.
pub(super) async fn wait_quietly(engine: &Engine, global: &Global, runbook: &str) -> Result<(), Error> {
    #[cfg(feature = "sandbox")]
    {
        let Some(shelved) = engine.shelf().runbooks.get(runbook) else { return Ok(()) };
        let Ok(target) = engine.target_of(&shelved.runbook) else { return Ok(()) };
        if target.endpoint != Endpoint::Sandbox {
            return Ok(());
        }
        process::wait_for(&folder(&super::assembly::state_dir(global)?), |_| {}).await
    }
    #[cfg(not(feature = "sandbox"))]
    wait_for_data(engine, global, runbook).await
}

/// How far the data of the sandbox is.
#[cfg(feature = "sandbox")]
pub(super) async fn progress(folder: &Path) -> Result<crate::sandbox::api::Progress, Error> {
    process::progress(folder).await
}

/// `sandbox …`.
pub(super) async fn sandbox(global: &Global, args: SandboxArgs) -> Result<(), Error> {
    #[cfg(feature = "sandbox")]
    {
        let folder = match &args.data {
            Some(data) => data.clone(),
            None => folder(&super::assembly::state_dir(global)?),
        };
        process::command(&folder, &args).await
    }
    #[cfg(not(feature = "sandbox"))]
    {
        let _ = (global, args);
        Err(Error::new(ExitKind::Usage, "this binary was built without the sandbox")
            .hint(format!("build one that has it: {BUILD}")))
    }
}

#[cfg(feature = "sandbox")]
#[allow(unused_imports, reason = "the other build names them")]
use {ExitKind as _, ServiceError as _};
