//! `whoami`: who you are here, and how that is known.

use serde_json::json;

use super::args::{Format, Global};
use super::assembly::{Assembled, assemble};
use super::error::Error;
use super::show;
use crate::core::plan::Endpoint;
use crate::core::text::visible;
use crate::engine::looking;

/// Says it.
pub(super) async fn whoami(global: &Global, format: Format) -> Result<(), Error> {
    let Assembled { engine, state_dir, .. } = &assemble(global)?;
    let me = engine.me();
    let how = match &global.act_as {
        Some(_) => "by --as (sandbox only)",
        None => "by your login and the book's identities",
    };
    let book = &engine.shelf().book;
    let groups: Vec<String> = book
        .groups
        .iter()
        .filter(|(_, people)| people.iter().any(|person| person.as_str() == me.name))
        .map(|(group, _)| group.to_string())
        .collect();
    let mut targets = Vec::new();
    for (name, target) in &book.targets {
        let endpoint = engine.endpoint_of(target);
        let plan_target = looking::plan_target(book, name.as_str(), Some(&endpoint))?;
        let seen = match engine.identity(&plan_target).await {
            Ok(identity) => identity.arn,
            Err(refusal) => format!("not known: {refusal}"),
        };
        targets.push((name.to_string(), endpoint, seen));
    }
    if format == Format::Json {
        let targets: Vec<serde_json::Value> =
            targets.iter().map(|(name, endpoint, arn)| json!({"target": name, "endpoint": endpoint, "caller": arn})).collect();
        let text = json!({"name": me.name, "known": how, "uid": me.uid, "host": me.host, "groups": groups, "targets": targets,
            "state_dir": state_dir, "store": engine.ports().journal.path(), "mode": "UNENFORCED"});
        return show::data(&text.to_string());
    }
    show::data(&format!("{} ({how}), uid {} on {}", visible(&me.name), me.uid, visible(&me.host)))?;
    let groups = if groups.is_empty() { "none of this book's groups".to_owned() } else { groups.join(", ") };
    show::data(&format!("in {groups}"))?;
    for (name, endpoint, arn) in targets {
        let place = match endpoint {
            Endpoint::Aws => "AWS".to_owned(),
            Endpoint::Sandbox => "sandbox".to_owned(),
            Endpoint::Url(url) => format!("→ {}", visible(&url)),
        };
        show::data(&format!("on {name} ({place}): {}", visible(&arn)))?;
    }
    show::data(&format!("journal {}", visible(&engine.ports().journal.path())))?;
    show::data("UNENFORCED: whoever can write this journal can forge a vote, and your own rights may reach the data without it")
}
