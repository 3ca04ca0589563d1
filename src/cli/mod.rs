//! The command line: argv, output, exit codes, and the wiring of everything else. No rules live here.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

mod app;
pub mod args;
mod asking;
mod assembly;
mod catalog;
mod check;
mod config;
mod doctor;
pub mod error;
pub mod guard;
mod iam;
mod man;
mod requests;
mod run;
mod runs;
mod sandbox;
mod schema;
mod show;
mod skeleton;
mod walk;
mod whoami;

use args::{Cli, Command, Format};
use error::{Error, ExitKind};

/// Stack of the threads that parse and judge: deep statements are refused by depth, not by luck.
const STACK: usize = 8 * 1024 * 1024;

/// Runs the command line and returns the process's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows which of help, version and error this is, and where it goes.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let json = wants_json(cli.command.as_ref());
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            error.print(&mut std::io::stderr(), json);
            ExitCode::from(error.kind.code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, Error> {
    let Cli { global, command } = cli;
    // What needs neither runtime nor state comes first: it must work on a broken machine.
    match &command {
        Some(Command::Completions { shell }) => {
            // Into memory first: the generator panics where a pipe or a disk is full.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tollgate", &mut script);
            return show::data(String::from_utf8_lossy(&script).trim_end()).map(|()| 0);
        }
        Some(Command::Man) => {
            return man::print().map(|()| 0);
        }
        Some(Command::Schema { of }) => return schema::print(*of).map(|()| 0),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ExitKind::Failed, format!("the runtime did not start: {error}")))?;
    let outcome = runtime.block_on(async {
        match tokio::spawn(act(global, command)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Error::new(ExitKind::Bug, format!("a bug ended this command: {error}"))
                .hint("`tollgate resume` takes an open run up again; please report what you did")),
        }
    });
    // A reader blocked on a terminal that is gone must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    outcome
}

async fn act(global: args::Global, command: Option<Command>) -> Result<u8, Error> {
    assembly::start_log(&global)?;
    let config = config::Config::load()?;
    let global = config.under(global);
    match command {
        None => run::app(&global, &config, None).await,
        Some(Command::Run(args)) => run::run(&global, args).await.map(|()| 0),
        Some(Command::Plan(args)) => asking::plan(&global, args).await,
        Some(Command::Check(args)) => check::check(&global, &args),
        Some(Command::Guard(args)) => guard::command(&global, args),
        Some(Command::Requests { command, format }) => requests::requests(&global, command, format).await.map(|()| 0),
        Some(Command::Runs { command, format }) => runs::runs(&global, command, format).await,
        Some(Command::Resume(args)) => run::resume(&global, &config, args).await,
        Some(Command::Stop { id }) => runs::stop(&global, id).await.map(|()| 0),
        Some(Command::Close { id }) => runs::close(&global, id).await.map(|()| 0),
        Some(Command::Catalog { command }) => catalog::catalog(&global, command).await.map(|()| 0),
        Some(Command::New { runbook }) => skeleton::write(&global, &runbook).map(|()| 0),
        Some(Command::Whoami { format }) => whoami::whoami(&global, format).await.map(|()| 0),
        Some(Command::Doctor { format }) => doctor::doctor(&global, format).await,
        Some(Command::Iam) => iam::iam(&global).map(|()| 0),
        Some(Command::Sandbox(args)) => sandbox::sandbox(&global, args).await.map(|()| 0),
        Some(Command::Schema { .. } | Command::Completions { .. } | Command::Man) => Ok(0),
    }
}

fn wants_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Run(args)) => args.walk.format == Some(Format::Json),
        Some(Command::Resume(args)) => args.walk.format == Some(Format::Json),
        Some(Command::Plan(args)) => args.format == Format::Json,
        Some(Command::Check(args)) => args.format == args::CheckFormat::Json,
        Some(Command::Guard(args)) => args.format == guard::GuardFormat::Json,
        Some(Command::Requests { format, .. } | Command::Runs { format, .. }) => *format == Format::Json,
        Some(Command::Whoami { format } | Command::Doctor { format }) => *format == Format::Json,
        _ => false,
    }
}
