//! `doctor`: what would go wrong, before it does; each with what to do.

use serde_json::json;

use super::args::{Format, Global};
use super::assembly::{self, Assembled};
use super::error::Error;
use super::show;
use crate::adapters::books;
use crate::core::plan::Endpoint;
use crate::core::text::visible;
use crate::engine::looking;
use crate::engine::ports::Rights;

/// How a finding of the doctor stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Bad,
}

struct Examined {
    what: String,
    state: State,
    found: String,
    todo: Option<String>,
}

#[derive(Default)]
struct Report(Vec<Examined>);

impl Report {
    fn ok(&mut self, what: &str, found: impl Into<String>) {
        self.add(what, State::Ok, found, None);
    }

    fn warn(&mut self, what: &str, found: impl Into<String>, todo: &str) {
        self.add(what, State::Warn, found, Some(todo));
    }

    fn bad(&mut self, what: &str, found: impl Into<String>, todo: &str) {
        self.add(what, State::Bad, found, Some(todo));
    }

    fn add(&mut self, what: &str, state: State, found: impl Into<String>, todo: Option<&str>) {
        self.0.push(Examined { what: what.to_owned(), state, found: found.into(), todo: todo.map(str::to_owned) });
    }

    fn error(&mut self, what: &str, error: &Error) {
        let found = std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect::<Vec<_>>().join(": ");
        let todo = error.hints.first().map_or("see docs/", String::as_str);
        self.bad(what, found, todo);
    }
}

/// Examines; exits 1 if something would go wrong.
pub(super) async fn doctor(global: &Global, format: Format) -> Result<u8, Error> {
    let mut report = Report::default();
    terminal(&mut report);
    match assembly::book_dir(global) {
        Ok(dir) => match books::load(&dir) {
            Ok(loaded) if loaded.shelf.is_some() => report.ok("book", format!("{} loads", dir.display())),
            Ok(loaded) => {
                let errors = loaded.problems.iter().filter(|problem| problem.is_error()).count();
                report.bad(
                    "book",
                    format!("{} has {errors} problems", dir.display()),
                    "`tollgate check` shows each with its fix",
                );
            }
            Err(error) => report.bad("book", error.to_string(), "name another folder with --book"),
        },
        Err(error) => report.error("book", &error),
    }
    match assembly::assemble(global) {
        Ok(assembled) => services(&assembled, &mut report).await,
        Err(error) => report.error("state", &error),
    }
    let bad = report.0.iter().any(|examined| examined.state == State::Bad);
    for examined in &report.0 {
        let word = match examined.state {
            State::Ok => "OK",
            State::Warn => "WARN",
            State::Bad => "BAD",
        };
        match format {
            Format::Json => show::data(
                &json!({"what": examined.what, "state": word.to_lowercase(), "found": examined.found, "todo": examined.todo})
                    .to_string(),
            )?,
            Format::Text => {
                show::data(&format!("{word:<5}{:<12} {}", examined.what, visible(&examined.found)))?;
                if let Some(todo) = &examined.todo {
                    show::data(&format!("{:18}→ {}", "", visible(todo)))?;
                }
            }
        }
    }
    Ok(u8::from(bad))
}

fn terminal(report: &mut Report) {
    let term = std::env::var("TERM").unwrap_or_default();
    match term.as_str() {
        "" | "dumb" => {
            report.warn("terminal", format!("TERM is `{term}`"), "the app needs a terminal; `tollgate run` works without")
        }
        _ => {
            let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
            let size =
                size.map_or_else(|_| "no terminal on stdout".to_owned(), |size| format!("{}x{}", size.ws_col, size.ws_row));
            report.ok("terminal", format!("{term}, {size}"));
        }
    }
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    match locale {
        Some(locale) if locale.to_ascii_lowercase().contains("utf") => report.ok("locale", locale),
        other => report.warn("locale", other.unwrap_or_else(|| "not set".to_owned()), "use --ascii, or a UTF-8 locale"),
    }
}

async fn services(assembled: &Assembled, report: &mut Report) {
    let engine = &assembled.engine;
    report.ok("state", assembled.state_dir.display().to_string());
    match engine.ports().journal.runs() {
        Ok(runs) => report.ok("journal", format!("{}, {} runs", engine.ports().journal.path(), runs.len())),
        Err(error) => report.bad("journal", error.to_string(), "is the disk full, or the file somebody else's?"),
    }
    match engine.runs() {
        Ok(runs) => {
            for run in runs.iter().filter(|run| run.state.open_execution().is_some() && !run.driven) {
                let id = show::short_id(&run.state.id);
                report.warn(
                    "orphan",
                    format!("run …{id} has a running query that nobody drives"),
                    &format!("`tollgate stop {id}`"),
                );
            }
        }
        Err(refusal) => report.bad("runs", refusal.to_string(), "`tollgate runs verify`"),
    }
    let book = &engine.shelf().book;
    for (name, target) in &book.targets {
        let endpoint = engine.endpoint_of(target);
        let Ok(plan_target) = looking::plan_target(book, name.as_str(), Some(&endpoint)) else { continue };
        let label = format!("{name}");
        match engine.identity(&plan_target).await {
            Ok(identity) if endpoint == Endpoint::Sandbox || identity.account == target.account => {
                report.ok(&label, format!("you are {}", identity.arn));
            }
            Ok(identity) => report.warn(
                &label,
                format!("you are in account {}, the target is in {}", identity.account, target.account),
                "the role's trust policy must name you across accounts",
            ),
            Err(refusal) => {
                let todo = refusal.hint.clone().unwrap_or_else(|| "look at your credentials".to_owned());
                report.bad(&label, refusal.message, &todo);
                continue;
            }
        }
        for group in target.athena.iter().flat_map(|athena| &athena.workgroups) {
            let what = format!("  {}", group.name.value);
            match engine.ports().warehouse.workgroup(&plan_target, Rights::Own, &group.name.value).await {
                Ok(facts) if facts.enabled && facts.cutoff == Some(group.cutoff.0) => {
                    report.ok(&what, format!("cutoff {}", group.cutoff));
                }
                Ok(facts) => {
                    let found = format!(
                        "{}, cutoff {}",
                        if facts.enabled { "enabled" } else { "disabled" },
                        facts.cutoff.map_or_else(|| "none".to_owned(), |bytes| crate::core::units::Bytes(bytes).to_string())
                    );
                    let todo = format!("enable it, and set its BytesScannedCutoffPerQuery to {}", group.cutoff.0);
                    report.bad(&what, found, &todo);
                }
                Err(error) => report.bad(&what, error.to_string(), "does it exist, and may you call athena:GetWorkGroup?"),
            }
        }
    }
    match engine.ports().clock.skew_ms() {
        Some(skew) if skew.abs() > 30_000 => {
            report.bad(
                "clock",
                format!("{} s from the services' time", skew / 1000),
                "set the clock (NTP): no keys are asked for",
            );
        }
        Some(skew) if skew.abs() > 2_000 => {
            report.warn("clock", format!("{} s from the services' time", skew / 1000), "set the clock (NTP)");
        }
        Some(skew) => report.ok("clock", format!("{skew} ms from the services' time")),
        None => report.warn("clock", "no service answered", "see above"),
    }
}
