//! `run`, `resume`, and the app.

use std::io::IsTerminal as _;

use super::args::{Format, Global, ResumeArgs, RunArgs};
use super::assembly::{Assembled, assemble};
use super::error::{Error, ExitKind};
use super::show;
use super::walk::{Answers, walk};
use super::{asking, runs};
use crate::core::guard::Verdict;
use crate::core::text::visible;

/// `run`: the walk without a terminal.
pub async fn run(global: &Global, args: RunArgs) -> Result<(), Error> {
    let answers = Answers::new(&args.walk)?;
    let Assembled { engine, .. } = &assemble(global)?;
    let draft = asking::draft(engine, &args.runbook, &args.ask)?;
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
        show::say(&format!("they vote with: tollgate requests show {}", show::short_id(&planned.plan.request)));
    }
    walk(opened, &answers, 0).await
}

/// `resume`: the app, or with any of its flags (or without a terminal) the walk.
pub async fn resume(global: &Global, args: ResumeArgs) -> Result<(), Error> {
    let flags = &args.walk;
    let headless = !flags.answers.is_empty()
        || !flags.accept_warn.is_empty()
        || flags.wait.is_some()
        || flags.out.is_some()
        || flags.format.is_some()
        || !std::io::stdin().is_terminal()
        || !std::io::stdout().is_terminal();
    if !headless {
        return app(global, args.id, args.takeover).await;
    }
    let answers = Answers::new(flags)?;
    let Assembled { engine, .. } = &assemble(global)?;
    let run = runs::mine(engine, args.id.as_deref())?;
    let state = engine.load(&run)?;
    let opened = engine.open(&run, args.takeover).await?;
    show::say(&format!("run {} · {}", visible(&run), show::standing(&state, true)));
    walk(opened, &answers, state.seq).await
}

/// The app.
pub async fn app(global: &Global, run: Option<String>, takeover: bool) -> Result<(), Error> {
    let _ = (global, run, takeover);
    Err(Error::new(ExitKind::Bug, "the app is not wired yet"))
}
