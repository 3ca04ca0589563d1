//! `check`: every problem of a book. Every runbook is planned with its defaults; a blocked step is a problem, a warning is shown.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::json;

use super::args::{CheckArgs, CheckFormat, Global};
use super::assembly;
use super::error::Error;
use super::show;
use crate::adapters::books::{self, Loaded};
use crate::adapters::clock::wall_clock;
use crate::core::book::Problem;
use crate::core::guard::{Finding, Level, Rule};
use crate::core::plan::build::Making;
use crate::core::plan::{Person, Plan, PlanAction};
use crate::core::runbook::{ParamValue, Runbook, Today};
use crate::core::text::visible;
use crate::engine::ports::{Facts, Shelf, Shelved};

/// One thing that `check` reports.
struct Report {
    file: String,
    line: u32,
    column: u32,
    error: bool,
    rule: String,
    message: String,
    text: String,
    /// Neither a problem nor a warning: what the check could not look at.
    notice: bool,
}

/// `check`: 0 clean, 1 problems, 2 usage.
pub fn check(global: &Global, args: &CheckArgs) -> Result<u8, Error> {
    let dirs = if args.paths.is_empty() { vec![assembly::book_dir(global)?] } else { args.paths.clone() };
    let mut reports = Vec::new();
    let mut planned = 0;
    for dir in &dirs {
        if !dir.join("tollgate.yaml").is_file() {
            return Err(Error::usage(format!("{} is not a book: it has no tollgate.yaml", dir.display()))
                .hint("name the folder that holds tollgate.yaml"));
        }
        planned += check_book(global, dir, &mut reports)?;
    }
    let broken = reports.iter().filter(|report| report.error).count();
    match args.format {
        CheckFormat::Text => text(&reports, planned)?,
        CheckFormat::Json => {
            for report in &reports {
                show::data(
                    &json!({"file": report.file, "line": report.line, "column": report.column,
                            "severity": severity(report), "rule": report.rule, "message": report.message})
                    .to_string(),
                )?;
            }
        }
        CheckFormat::Sarif => show::data(&sarif(&reports).to_string())?,
    }
    Ok(if broken > 0 { 1 } else { 0 })
}

fn check_book(global: &Global, dir: &Path, reports: &mut Vec<Report>) -> Result<usize, Error> {
    let loaded = books::load(dir).map_err(|error| Error::usage("the book cannot be read").because(&error))?;
    reports.extend(loaded.problems.iter().map(|problem| of_problem(dir, problem)));
    let Loaded { shelf: Some(shelf), .. } = loaded else { return Ok(0) };
    let sandbox = super::sandbox::folder(&assembly::state_dir(global)?).join("data");
    let paths = books::catalog_paths(dir, &shelf.book, &sandbox);
    let facts = books::facts(&paths)?;
    let unsized_by: Option<&PathBuf> = paths.iter().find(|path| path.starts_with(&sandbox) && !path.exists());
    let mut unsized_steps = 0;
    for notice in &facts.notices {
        reports.push(Report {
            file: dir.join("tollgate.yaml").display().to_string(),
            line: 1,
            column: 1,
            error: false,
            rule: "catalog".to_owned(),
            message: notice.clone(),
            text: format!("notice: {}", visible(notice)),
            notice: true,
        });
    }
    for shelved in shelf.runbooks.values() {
        match plan(&shelf, shelved, &facts) {
            Ok(plan) => unsized_steps += report_plan(dir, &shelved.runbook, &plan, unsized_by.is_some(), reports),
            Err(message) => reports.push(of_runbook(dir, &shelved.runbook, 1, true, "plan", &message)),
        }
    }
    if unsized_steps > 0 {
        let message = format!(
            "{unsized_steps} steps were checked for everything but how much they read: the sandbox writes the sizes with its data, \
             which any run there makes"
        );
        let text = format!("notice: {message}");
        let file = dir.join("tollgate.yaml").display().to_string();
        reports.push(Report { file, line: 1, column: 1, error: false, rule: "catalog".to_owned(), message, text, notice: true });
    }
    Ok(shelf.runbooks.len())
}

/// The plan of a runbook with its defaults; an input without a default is a typed hole, judged over every value.
fn plan(shelf: &Shelf, shelved: &Shelved, facts: &Facts) -> Result<Plan, String> {
    let runbook = &shelved.runbook;
    let now = wall_clock();
    let today = Today::at(now, &shelf.book.timezone);
    let mut inputs: IndexMap<String, ParamValue> = IndexMap::new();
    for (name, input) in &runbook.inputs {
        if let Some(default) = &input.default {
            let value = input.param_type.parse(&default.value, &today).map_err(|why| format!("default of `{name}`: {why}"))?;
            inputs.insert(name.to_string(), value);
        }
    }
    let target = runbook.access.target.value.as_str();
    let endpoint = shelf.book.targets.get(target).map(|target| target.endpoint.clone());
    // Nobody in particular asks, so that no reviewer is left out.
    let requester = Person { name: "(check)".to_owned(), uid: u32::MAX, arn: None };
    let first = runbook.steps.first().map(|step| step.id.to_string()).unwrap_or_default();
    let making = Making {
        runbook,
        runbook_sha256: &shelved.sha256,
        book: &shelf.book,
        book_sha256: &shelf.book_sha256,
        book_commit: shelf.commit.as_deref(),
        book_dirty: shelf.dirty,
        catalog: &facts.catalog,
        facts_sha256: &facts.sha256,
        cutoffs: None,
        inputs: &inputs,
        open_inputs: true,
        captured: &IndexMap::new(),
        fixes: &IndexMap::new(),
        walk_from: &first,
        request: "01J00000000000000000000000",
        run: "01J00000000000000000000000",
        requester: &requester,
        reason: "check",
        incident: None,
        duration: None,
        endpoint: endpoint.as_ref().unwrap_or(&crate::core::plan::Endpoint::Aws),
        now,
        approved: None,
    };
    making.plan().map_err(|refusal| refusal.message)
}

/// `unsized`: the sandbox's facts are named and not here. What rests on them alone is not the book's problem. Gives the number of
/// steps whose size could not be judged.
fn report_plan(dir: &Path, runbook: &Runbook, plan: &Plan, no_sizes: bool, reports: &mut Vec<Report>) -> usize {
    let mut unsized_steps = 0;
    for step in &plan.steps {
        let written = runbook.step(&step.id);
        let unknown = matches!(&step.action, PlanAction::Athena(athena) if athena.estimate.is_none());
        for finding in step.findings() {
            if no_sizes && unknown && finding.rule == Rule::MaxScan {
                unsized_steps += 1;
                continue;
            }
            let line = written.map_or(1, |written| line_of(written, finding));
            reports.push(of_finding(dir, runbook, line, &step.id, finding));
        }
    }
    for finding in &plan.findings {
        // The ceiling of a step of unknown size is the limit itself; nothing follows from their sum.
        if unsized_steps > 0 && finding.rule == Rule::RunBudget {
            continue;
        }
        let line = runbook.access.target.place.line;
        reports.push(of_finding(dir, runbook, line, "", finding));
    }
    unsized_steps
}

/// The line of a finding in the runbook's file: its place in the statement, from where the statement begins.
fn line_of(step: &crate::core::runbook::Step, finding: &Finding) -> u32 {
    match (&step.kind, finding.span) {
        (crate::core::runbook::StepKind::Athena(athena), Some(span)) => {
            let at = athena.sql.place.line;
            // A block scalar's text begins on the line below its key; a plain one where it stands.
            let below = u32::from(athena.sql.value.contains('\n'));
            at + below + span.start.line - 1
        }
        (crate::core::runbook::StepKind::Athena(athena), None) => athena.sql.place.line,
        _ => step.place.line,
    }
}

fn of_finding(dir: &Path, runbook: &Runbook, line: u32, step: &str, finding: &Finding) -> Report {
    let set = finding.set_in.as_ref().map_or_else(String::new, |place| format!(" (set in {place})"));
    let who = if step.is_empty() { String::new() } else { format!("step {step}: ") };
    let message = format!("{who}{}{set}", finding.message);
    of_runbook(dir, runbook, line, finding.level == Level::Block, finding.rule.name(), &message)
}

fn of_runbook(dir: &Path, runbook: &Runbook, line: u32, error: bool, rule: &str, message: &str) -> Report {
    let file = dir.join(&*runbook.file).display().to_string();
    let word = if error { "error" } else { "warning" };
    let text = format!("{file}:{line}: {word}: {rule}: {}", visible(message));
    Report { file, line, column: 1, error, rule: rule.to_owned(), message: message.to_owned(), text, notice: false }
}

fn of_problem(dir: &Path, problem: &Problem) -> Report {
    Report {
        file: dir.join(&problem.file).display().to_string(),
        line: problem.line.max(1),
        column: problem.column.max(1),
        error: problem.is_error(),
        rule: "book".to_owned(),
        message: problem.message.clone(),
        text: problem.to_string(),
        notice: false,
    }
}

fn text(reports: &[Report], planned: usize) -> Result<(), Error> {
    for report in reports {
        for line in report.text.lines() {
            show::data(line)?;
        }
    }
    let errors = reports.iter().filter(|report| report.error).count();
    let warnings = reports.iter().filter(|report| !report.error && !report.notice).count();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    show::say(&format!(
        "{} planned, {}, {}",
        counted(planned, "runbook"),
        counted(errors, "problem"),
        counted(warnings, "warning")
    ));
    Ok(())
}

fn severity(report: &Report) -> &'static str {
    match (report.error, report.notice) {
        (true, _) => "error",
        (false, true) => "notice",
        (false, false) => "warning",
    }
}

/// SARIF 2.1.0 (OASIS), as code scanning reads it.
fn sarif(reports: &[Report]) -> serde_json::Value {
    let mut rules: Vec<&str> = reports.iter().map(|report| report.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<serde_json::Value> = reports
        .iter()
        .map(|report| {
            json!({
                "ruleId": report.rule,
                "level": if report.notice { "note" } else { severity(report) },
                "message": {"text": report.message},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": report.file},
                    "region": {"startLine": report.line, "startColumn": report.column},
                }}],
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tollgate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    })
}
