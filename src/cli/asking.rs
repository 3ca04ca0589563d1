//! Drafts and plans from the command line.

use indexmap::IndexMap;

use super::args::{AskArgs, Format, Global, PlanArgs, WalkArgs};
use super::assembly::{Assembled, assemble};
use super::error::{Error, ExitKind};
use super::show;
use crate::core::guard::Verdict;
use crate::core::runbook::{Runbook, Today};
use crate::core::text::visible;
use crate::core::units::Millis;
use crate::engine::Engine;
use crate::engine::desk::Draft;

/// A draft from the command line's words; every input is read as its type.
pub(super) fn draft(engine: &Engine, runbook: &str, ask: &AskArgs) -> Result<Draft, Error> {
    let shelved = engine.shelf().runbooks.get(runbook);
    let Some(shelved) = shelved else {
        let known: Vec<&str> = engine.shelf().runbooks.keys().map(String::as_str).collect();
        let error = Error::usage(format!("the book has no runbook `{}`", visible(runbook)));
        let error = match nearest(runbook, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        };
        return Err(error.hint(format!("it has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })));
    };
    let book = &engine.shelf().book;
    let today = Today::at(engine.ports().clock.now(), &book.timezone);
    let mut given: IndexMap<String, String> = IndexMap::new();
    for input in &ask.inputs {
        let Some((name, value)) = input.split_once('=') else {
            return Err(Error::usage(format!("`--input {}` has no `=`", visible(input))).hint("write `--input NAME=VALUE`"));
        };
        if given.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Error::usage(format!("input `{}` is given twice", visible(name))).hint("give each input once"));
        }
    }
    let mut inputs = IndexMap::new();
    let mut problems = Vec::new();
    for (name, input) in &shelved.runbook.inputs {
        let text = match (given.shift_remove(name.as_str()), &input.default) {
            (Some(text), _) => text,
            (None, Some(default)) => default.value.clone(),
            (None, None) if input.optional => continue,
            (None, None) => {
                problems.push(format!("input `{name}` ({}) is missing: --input {name}=…", input.param_type.word()));
                continue;
            }
        };
        match input.param_type.parse(&text, &today) {
            Ok(value) => {
                inputs.insert(name.to_string(), value);
            }
            Err(why) => problems.push(format!("input `{name}`: {why}")),
        }
    }
    for name in given.keys() {
        let near = nearest(name, shelved.runbook.inputs.keys().map(|known| known.as_str()));
        let hint = near.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
        problems.push(format!("runbook {runbook} has no input `{}`{hint}", visible(name)));
    }
    if !problems.is_empty() {
        let mut error = Error::usage(format!("the inputs of {runbook} cannot be used"));
        error.causes = problems;
        let asks: Vec<String> = shelved
            .runbook
            .inputs
            .iter()
            .map(|(name, input)| {
                let help = visible(input.help.raw()).into_owned();
                format!("{name} ({}){}{help}", input.param_type.word(), if help.is_empty() { "" } else { ": " })
            })
            .collect();
        return Err(error.hint(if asks.is_empty() {
            format!("{runbook} asks for nothing: leave --input out")
        } else {
            format!("it asks for {}", asks.join("; "))
        }));
    }
    let duration =
        match &ask.duration {
            Some(text) => Some(text.parse::<Millis>().map_err(|error| {
                Error::usage(format!("--duration: {error}")).hint("leave it out for the runbook's own duration")
            })?),
            None => None,
        };
    Ok(Draft {
        runbook: runbook.to_owned(),
        inputs,
        reason: ask.reason.clone().unwrap_or_default(),
        incident: ask.incident.clone(),
        duration,
        fixes: IndexMap::new(),
        again: None,
    })
}

/// Steps that the flags of a walk name must be in the runbook: a typing error would otherwise show when somebody has voted already.
pub(super) fn steps_are_known(runbook: &Runbook, args: &WalkArgs) -> Result<(), Error> {
    let answered = args.answers.iter().filter_map(|answer| answer.split_once('=')).map(|(step, _)| (step, "--answer"));
    let accepted = args.accept_warn.iter().map(|step| (step.as_str(), "--accept-warn"));
    for (step, flag) in answered.chain(accepted) {
        if runbook.step(step).is_none() {
            let ids: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
            let near = nearest(step, ids.iter().copied()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Error::usage(format!("{flag}: runbook {} has no step `{}`{near}", runbook.id, visible(step)))
                .hint(format!("its steps are {}", ids.join(", "))));
        }
    }
    Ok(())
}

/// The known word that a typing error most likely meant.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(known, word), known)).min()?;
    (near.0 <= 1 + word.chars().count() / 4).then_some(near.1)
}

/// `plan`: what a request would hold; exits 4 when it is blocked.
pub(super) async fn plan(global: &Global, args: PlanArgs) -> Result<u8, Error> {
    let Assembled { engine, .. } = &assemble(global)?;
    super::sandbox::wait_for_data(engine, global, &args.runbook).await?;
    let draft = draft(engine, &args.runbook, &args.ask)?;
    let planned = engine.plan(&draft).await?;
    for notice in &planned.notices {
        show::say(&visible(notice));
    }
    let blocked = planned.plan.verdict() == Verdict::Block;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string(&serde_json::json!({ "digest": planned.digest, "plan": planned.plan }))
                .map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?;
            show::data(&text)?;
        }
        Format::Text => {
            for line in show::plan_lines(&planned.plan, &planned.digest.short(), None) {
                show::data(&line)?;
            }
        }
    }
    Ok(if blocked { ExitKind::Blocked.code() } else { 0 })
}
