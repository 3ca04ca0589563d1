//! Drafts and plans from the command line.

use indexmap::IndexMap;

use super::args::{AskArgs, Format, Global, PlanArgs};
use super::assembly::{Assembled, assemble};
use super::error::{Error, ExitKind};
use super::show;
use crate::core::guard::Verdict;
use crate::core::runbook::Today;
use crate::core::text::visible;
use crate::core::units::Millis;
use crate::engine::Engine;
use crate::engine::desk::Draft;

/// A draft from the command line's words; every input is read as its type.
pub fn draft(engine: &Engine, runbook: &str, ask: &AskArgs) -> Result<Draft, Error> {
    let shelved = engine.shelf().runbooks.get(runbook);
    let Some(shelved) = shelved else {
        let known: Vec<&str> = engine.shelf().runbooks.keys().map(String::as_str).collect();
        return Err(Error::usage(format!("the book has no runbook `{}`", visible(runbook)))
            .hint(format!("it has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })));
    };
    let book = &engine.shelf().book;
    let today = Today::at(engine.ports().clock.now(), &book.timezone);
    let mut given: IndexMap<String, String> = IndexMap::new();
    for input in &ask.inputs {
        let Some((name, value)) = input.split_once('=') else {
            return Err(Error::usage(format!("`--input {}` has no `=`", visible(input))).hint("write `--input NAME=VALUE`"));
        };
        if given.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Error::usage(format!("input `{}` is given twice", visible(name))));
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
        let nearest = shelved.runbook.inputs.keys().min_by_key(|known| strsim::damerau_levenshtein(known.as_str(), name));
        let hint = nearest.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
        problems.push(format!("runbook {runbook} has no input `{}`{hint}", visible(name)));
    }
    if !problems.is_empty() {
        let mut error = Error::usage(format!("the inputs of {runbook} cannot be used"));
        error.causes = problems;
        return Err(error);
    }
    let duration = match &ask.duration {
        Some(text) => Some(text.parse::<Millis>().map_err(|error| Error::usage(format!("--duration: {error}")))?),
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

/// `plan`: what a request would hold; exits 4 when it is blocked.
pub async fn plan(global: &Global, args: PlanArgs) -> Result<u8, Error> {
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
