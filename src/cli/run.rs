//! `run`, `resume`, and the app.

use std::io::IsTerminal as _;
use std::sync::Arc;

use super::app::AppDesk;
use super::args::{Format, Global, ResumeArgs, RunArgs};
use super::assembly::{Assembled, assemble, endpoint};
use super::config::{self, Config};
use super::error::{Error, ExitKind};
use super::show;
use super::walk::{Answers, walk};
use super::{asking, runs};
use crate::core::guard::Verdict;
use crate::core::plan::Endpoint;
use crate::core::text::visible;
use crate::tui::state::Seat;
use crate::tui::terminal::Tty;
use crate::tui::update::Resume;
use crate::tui::{self, How, Options, TuiError};

/// Why embedded mode is not enforced, in one line (DESIGN §4.11).
const UNENFORCED: &str = "this process holds the right itself, and whoever can write the journal could forge a vote";

/// `run`: the walk without a terminal.
pub(super) async fn run(global: &Global, args: RunArgs) -> Result<(), Error> {
    let answers = Answers::new(global, &args.walk)?;
    let Assembled { engine, .. } = &assemble(global)?;
    let draft = asking::draft(engine, &args.runbook, &args.ask)?;
    if let Some(shelved) = engine.shelf().runbooks.get(&args.runbook) {
        asking::steps_are_known(&shelved.runbook, &args.walk)?;
    }
    if draft.reason.trim().is_empty() {
        return Err(Error::usage("a request needs a reason").hint("say in one line why you need to look: `--reason …`"));
    }
    super::sandbox::wait_for_data(engine, global, &args.runbook).await?;
    let planned = engine.plan(&draft).await?;
    if planned.plan.verdict() == Verdict::Block {
        for line in show::plan_lines(&planned.plan, &planned.digest.short(), None) {
            show::say(&line);
        }
        return Err(Error::new(ExitKind::Blocked, "the plan is blocked and was not sent")
            .hint("each BLOCK above says where its rule is set"));
    }
    let opened = engine.create(&draft, &planned).await?;
    if args.walk.format != Some(Format::Json) {
        show::say(&format!("run {} · request {} · plan {}", planned.plan.run, planned.plan.request, planned.digest.short()));
        let mut others = global.clone();
        others.act_as = None;
        let line = show::command_line(&others, "requests show");
        show::say(&format!("they vote with: {line} {}", show::short_id(&planned.plan.request)));
    }
    walk(opened, &answers, 0).await
}

/// `resume`: the app, or with any of its flags (or without a terminal) the walk.
pub(super) async fn resume(global: &Global, config: &Config, args: ResumeArgs) -> Result<u8, Error> {
    let flags = &args.walk;
    let headless = !flags.answers.is_empty()
        || !flags.accept_warn.is_empty()
        || flags.wait.is_some()
        || flags.out.is_some()
        || flags.format.is_some()
        || !std::io::stdin().is_terminal()
        || !std::io::stdout().is_terminal();
    if !headless {
        return app(global, config, Some(Resume { run: args.id, takeover: args.takeover })).await;
    }
    let answers = Answers::new(global, flags)?;
    let Assembled { engine, .. } = &assemble(global)?;
    let run = runs::mine(engine, args.id.as_deref())?;
    let state = engine.load(&run)?;
    let opened = engine.open(&run, args.takeover).await?;
    show::say(&format!("run {} · {}", visible(&run), show::standing(&state, true)));
    walk(opened, &answers, state.seq).await.map(|()| 0)
}

/// The app. Gives the exit code: how the app ended, not how a run did.
pub(super) async fn app(global: &Global, config: &Config, resume: Option<Resume>) -> Result<u8, Error> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Error::usage("the app needs a terminal, and standard input or output is none")
            .hint("`tollgate run RUNBOOK …` walks without one"));
    }
    let facts = config::terminal();
    let options = Options {
        tty: Tty::stdio()?,
        seat: Seat {
            name: String::new(),
            unenforced: Some(UNENFORCED.to_owned()),
            endpoint: foreign(global),
            themes: Vec::new(),
        },
        theme: global.theme.clone().unwrap_or_else(|| "terminal".to_owned()),
        themes: config::own_themes(),
        depth: facts.depth().depth,
        ascii: global.ascii || !facts.is_utf8(),
        keys: config.keys.clone(),
        resume,
    };
    let outcome = tui::run(Arc::new(AppDesk::new(global.clone())), options).await.map_err(|error| match &error {
        TuiError::Terminal(_) => Error::new(ExitKind::Failed, error.to_string())
            .because(&error)
            .hint("`tollgate run RUNBOOK …` walks without a terminal"),
        TuiError::Theme(_) => Error::usage(error.to_string()).because(&error),
        TuiError::Bug => Error::new(ExitKind::Bug, error.to_string())
            .hint("`tollgate resume` takes an open run up again; please report what you did"),
    })?;
    if outcome.how != How::HungUp {
        for line in outcome.runs.iter().flat_map(|run| tui::summary::lines(run)) {
            show::data(&line)?;
        }
    }
    Ok(match outcome.how {
        How::Left => 0,
        How::HungUp => ExitKind::HungUp.code(),
        How::Terminated => ExitKind::Terminated.code(),
    })
}

/// The endpoint that targets on AWS would get, as the frame shows it.
fn foreign(global: &Global) -> Option<String> {
    match endpoint(global) {
        Some(Endpoint::Url(url)) => {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            Some(rest.split(['/', '?', '#']).next().unwrap_or(rest).rsplit('@').next().unwrap_or(rest).to_owned())
        }
        _ => None,
    }
}
