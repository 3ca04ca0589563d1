//! `new`: a commented skeleton that passes `check`.

use std::io::Write as _;

use super::args::Global;
use super::assembly;
use super::error::{Error, ExitKind};
use super::show;
use crate::core::text::visible;

/// Writes the skeleton of `runbook` into the book, never over an existing file.
pub(super) fn write(global: &Global, runbook: &str) -> Result<(), Error> {
    let fits = !runbook.is_empty()
        && runbook.len() <= 64
        && runbook.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !fits {
        return Err(Error::usage(format!("`{}` is not a runbook id", visible(runbook)))
            .hint("use lower-case letters, digits and dashes, at most 64"));
    }
    let shelf = assembly::shelf(global)?;
    let path = assembly::book_dir(global)?.join(format!("{runbook}.yaml"));
    let target = shelf.book.targets.keys().next().map_or("my-target", |name| name.as_str());
    // A group that this book lets a runbook choose; any would do where it says nothing.
    let approvals = &shelf.book.approvals;
    let mut groups = approvals.from.iter().chain(&approvals.allowed).map(|group| &group.value).chain(shelf.book.groups.keys());
    let group = groups.next().map_or("my-group", |name| name.as_str());
    let text = skeleton(runbook, target, group);
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::usage(format!("{} is there already, and is left as it is", path.display()))
            .hint("choose another id, or edit that file"),
        _ => Error::new(ExitKind::Failed, format!("{} cannot be written", path.display()))
            .because(&error)
            .hint("may you write in the book's folder?"),
    })?;
    show::data(&path.display().to_string())?;
    show::say("next: edit it, then `tollgate check`");
    Ok(())
}

fn skeleton(id: &str, target: &str, group: &str) -> String {
    let title = id.replace('-', " ");
    format!(
        r#"# What each key may hold: `tollgate schema runbook`.
runbook: v1
id: {id}                    # the file's name without .yaml
title: {title}
summary: One sentence that lets somebody choose this runbook at night.
owners: [{group}]

# Asked before access is requested; in SQL an input is `:name`, typed and never pasted as text.
inputs:
  day: {{ type: date, as: "%Y/%m/%d", default: today, help: UTC day to look at }}

access:
  target: {target}
  duration: 15m
  approvals: {{ need: 1, from: [{group}] }}

steps:
  - id: start
    title: Before you look
    note: |
      Say what to look for on {{{{ day }}}}, and when to stop looking.

  # - id: errors
  #   title: Which orders fail
  #   athena:
  #     database: web
  #     sql: |
  #       SELECT elb_status_code, count(*) AS hits
  #       FROM alb_logs
  #       WHERE day = :day
  #       GROUP BY elb_status_code
  #   expect: row_count > 0

  - id: done
    note: Post what you found in the incident channel.
"#
    )
}
