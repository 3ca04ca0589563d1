//! `requests`: list, show, vote, cancel.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use serde_json::json;

use super::args::{Format, Global, RequestsCommand};
use super::assembly::{Assembled, assemble};
use super::error::{Error, ExitKind};
use super::show;
use crate::core::run::state::Request;
use crate::core::run::{Access, Command, RunState};
use crate::core::text::visible;
use crate::engine::{Engine, journal_refusal};

/// Digits of the digest that a person types at a terminal.
const TYPED: usize = 4;
/// Digits of the digest that a script must give.
const GIVEN: usize = 12;

/// `requests …`.
pub(super) async fn requests(global: &Global, command: Option<RequestsCommand>, format: Format) -> Result<(), Error> {
    let Assembled { engine, .. } = &assemble(global)?;
    match command.unwrap_or(RequestsCommand::List) {
        RequestsCommand::List => list(engine, format),
        RequestsCommand::Show { id } => {
            let (state, request) = find(engine, &id)?;
            show_request(engine, &state, &request, format)
        }
        RequestsCommand::Approve { id, digest, comment } => vote(engine, &id, digest, &comment, true).await,
        RequestsCommand::Deny { id, digest, comment } => vote(engine, &id, digest, &comment, false).await,
        RequestsCommand::Cancel { id } => {
            let (state, request) = find(engine, &id)?;
            let target = request_of(&state, &request)?.plan.target.clone();
            engine.known_on(&target).await?.append_to(&state.id, &Command::Cancel { request })?;
            show::say("the request is cancelled");
            Ok(())
        }
    }
}

fn list(engine: &Engine, format: Format) -> Result<(), Error> {
    let mut open = Vec::new();
    for run in engine.runs()? {
        let waiting = run.state.request().is_some_and(|r| matches!(r.access, Access::Waiting | Access::Approved { .. }));
        if waiting {
            open.push(run);
        }
    }
    if open.is_empty() && format == Format::Text {
        show::say(&format!("no open requests in {}", engine.ports().journal.path()));
        return Ok(());
    }
    for run in open {
        let Some(request) = run.state.request() else { continue };
        let mine = engine.may_vote(&run.state, request).is_ok();
        match format {
            Format::Json => show::data(
                &json!({"request": request.id, "run": run.state.id, "runbook": request.plan.runbook.id, "by": request.by.name,
                        "reason": request.reason, "incident": request.incident, "sent_at": request.sent_at,
                        "digest": request.digest, "standing": show::standing(&run.state, run.driven), "may_vote": mine})
                .to_string(),
            )?,
            Format::Text => show::data(&format!(
                "{}  {}  {}  {}  {}{}",
                show::short_id(&request.id),
                request.sent_at,
                visible(&request.by.name),
                request.plan.runbook.id,
                visible(&request.reason),
                if mine { "  (you may vote)" } else { "" },
            ))?,
        }
    }
    Ok(())
}

/// The run and the request that an id's end names; a run's id means its newest request.
fn find(engine: &Engine, id: &str) -> Result<(RunState, String), Error> {
    let run = engine.ports().journal.resolve(id).map_err(|error| Error::from(journal_refusal(error)))?;
    let state = engine.load(&run)?;
    let wanted = id.to_ascii_uppercase();
    let named = state.requests.iter().find(|request| request.id.ends_with(&wanted)).or_else(|| state.request());
    match named {
        Some(request) => {
            let request = request.id.clone();
            Ok((state, request))
        }
        None => Err(Error::usage(format!("run {} has no request", visible(id)))),
    }
}

fn request_of<'a>(state: &'a RunState, id: &str) -> Result<&'a Request, Error> {
    state.request_by_id(id).ok_or_else(|| Error::new(ExitKind::Failed, "the request is gone"))
}

fn show_request(engine: &Engine, state: &RunState, id: &str, format: Format) -> Result<(), Error> {
    let request = request_of(state, id)?;
    if format == Format::Json {
        let text = json!({"request": request.id, "run": state.id, "by": request.by, "reason": request.reason,
            "incident": request.incident, "sent_at": request.sent_at, "digest": request.digest,
            "standing": show::standing(state, false), "plan": request.plan})
        .to_string();
        return show::data(&text);
    }
    show::data(&format!("request  {} of run {}", request.id, state.id))?;
    show::data(&format!(
        "from     {} (uid {}) on {}, {}",
        visible(&request.by.name),
        request.by.uid,
        visible(&request.by.host),
        request.sent_at
    ))?;
    show::data(&format!("stands   {}", show::standing(state, false)))?;
    for line in book_differences(engine, state, request) {
        show::data(&line)?;
    }
    for line in show::plan_lines(&request.plan, &request.digest.short(), Some(state)) {
        show::data(&line)?;
    }
    for vote in &request.votes {
        let word = if vote.approve { "approved" } else { "denied" };
        show::data(&format!("vote     {} {word} {}: {}", visible(&vote.by.name), vote.at, visible(&vote.comment)))?;
    }
    Ok(())
}

/// What differs between the frozen book and the reviewer's own.
pub(super) fn book_differences(engine: &Engine, state: &RunState, request: &Request) -> Vec<String> {
    let Some(walk) = &state.walk else { return Vec::new() };
    let mut lines = Vec::new();
    if walk.book_sha256 != engine.shelf().book_sha256 {
        lines.push("DIFFERS  tollgate.yaml is not the one in your own book".to_owned());
    }
    match engine.shelf().runbooks.get(&request.plan.runbook.id) {
        None => lines.push(format!("DIFFERS  your own book has no runbook {}", request.plan.runbook.id)),
        Some(own) if own.sha256 != walk.runbook_sha256 => {
            lines.push(format!("DIFFERS  runbook {} is not the one in your own book", request.plan.runbook.id));
        }
        Some(_) => {}
    }
    lines
}

async fn vote(engine: &Engine, id: &str, digest: Option<String>, comment: &str, approve: bool) -> Result<(), Error> {
    let (state, request_id) = find(engine, id)?;
    let request = request_of(&state, &request_id)?;
    let engine = &engine.known_on(&request.plan.target).await?;
    let (given, least) = match digest {
        Some(digest) => (digest, if std::io::stdin().is_terminal() { TYPED } else { GIVEN }),
        None if !std::io::stdin().is_terminal() => {
            return Err(Error::new(ExitKind::Blocked, "a vote without a terminal must name the plan it means")
                .hint(format!("read it with `tollgate requests show {id}`, then give at least {GIVEN} digits with --digest")));
        }
        None => {
            engine.may_vote(&state, request)?;
            show_request(engine, &state, &request_id, Format::Text)?;
            let word = if approve { "approve" } else { "deny" };
            let _ = write!(std::io::stderr(), "to {word}, type the first four digits of the plan's digest: ");
            let _ = std::io::stderr().flush();
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            (line.trim().to_owned(), TYPED)
        }
    };
    if !request.digest.begins_with(&given, least) {
        return Err(Error::new(ExitKind::Access, "the digits are not those of this plan; nothing was voted")
            .hint(format!("read it again: tollgate requests show {id}")));
    }
    let after = engine.vote(&state.id, &request_id, &request.digest, approve, comment)?;
    let stands = show::standing(&after, false);
    show::say(&format!("{} {}: {stands}", engine.me().name, if approve { "approved" } else { "denied" }));
    Ok(())
}
