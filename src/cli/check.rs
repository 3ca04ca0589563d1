//! `check`: every problem of a book. Every runbook is planned with its defaults; a blocked step is a problem, a warning is shown.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::json;

use super::args::{CheckArgs, CheckFormat, Global};
use super::assembly;
use super::error::Error;
use super::show;
use crate::adapters::books;
use crate::adapters::clock::wall_clock;
use crate::core::book::{BOOK_FILE, Place, Problem};
use crate::core::guard::{Finding, Level, Rule};
use crate::core::plan::build::Making;
use crate::core::plan::{Person, Plan, PlanAction};
use crate::core::runbook::{ParamValue, Step, StepKind, Today};
use crate::core::text::visible;
use crate::engine::ports::{Facts, Shelf, Shelved};

/// In a catalog's name: the folder of the sandbox's data.
const SANDBOX: &str = "${sandbox}";

/// How much a report matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// A problem: `check` ends with 1.
    Error,
    /// Worth a look before a request is sent.
    Warning,
    /// What the check rests on.
    Note,
}

impl Weight {
    /// As SARIF and the JSON lines say it.
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "notice",
        }
    }
}

/// One thing that `check` reports.
struct Report {
    weight: Weight,
    rule: String,
    problem: Problem,
}

/// `check`: 0 clean, 1 problems, 2 usage.
pub(super) fn check(global: &Global, args: &CheckArgs) -> Result<u8, Error> {
    let paths = if args.paths.is_empty() { vec![assembly::book_dir(global)?] } else { args.paths.clone() };
    let sandbox = assembly::state_dir(global).ok().map(|state| super::sandbox::folder(&state).join("data"));
    let mut reports = Vec::new();
    let mut planned = 0;
    for path in &paths {
        let place = Asked::of(path)?;
        planned += check_book(&place, sandbox.as_deref(), &mut reports)?;
    }
    match args.format {
        CheckFormat::Text => text(&reports, planned)?,
        CheckFormat::Json => {
            for Report { weight, rule, problem } in &reports {
                let line = json!({"file": problem.file, "line": problem.line.max(1), "column": problem.column.max(1),
                    "severity": weight.word(), "rule": rule, "message": problem.message, "fix": problem.fix});
                show::data(&line.to_string())?;
            }
        }
        CheckFormat::Sarif => show::data(&sarif(&reports).to_string())?,
    }
    Ok(u8::from(reports.iter().any(|report| report.weight == Weight::Error)))
}

/// What one path of the command line asks for: a book, or one runbook of it.
struct Asked {
    dir: PathBuf,
    only: Option<String>,
}

impl Asked {
    fn of(path: &Path) -> Result<Self, Error> {
        let asked = if path.is_file() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            Self { dir: folder.to_owned(), only: name.filter(|name| name != BOOK_FILE) }
        } else {
            Self { dir: path.to_owned(), only: None }
        };
        if asked.dir.join(BOOK_FILE).is_file() {
            return Ok(asked);
        }
        let what = if path.exists() { "is not a book, or not in one" } else { "is not there" };
        Err(Error::usage(format!("{} {what}: there is no {}", path.display(), asked.dir.join(BOOK_FILE).display()))
            .hint("name the folder that holds tollgate.yaml, or a runbook in it"))
    }

    fn wants(&self, file: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == file || file == BOOK_FILE)
    }

    /// As the reader of the report finds the file from where they are.
    fn shown(&self, file: &str) -> String {
        self.dir.join(file).display().to_string()
    }
}

fn check_book(asked: &Asked, sandbox: Option<&Path>, reports: &mut Vec<Report>) -> Result<usize, Error> {
    let loaded = books::load(&asked.dir)
        .map_err(|error| Error::usage(format!("the book in {} cannot be read", asked.dir.display())).because(&error))?;
    let mut found = Vec::new();
    for problem in loaded.problems {
        let weight = if problem.is_error() { Weight::Error } else { Weight::Note };
        found.push(Report { weight, rule: "book".to_owned(), problem });
    }
    let mut planned = 0;
    if let Some(shelf) = loaded.shelf {
        let (facts, sized) = known(asked, sandbox, &shelf, &mut found)?;
        let mut not_sized = 0;
        for shelved in shelf.runbooks.values().filter(|shelved| asked.wants(&shelved.runbook.file)) {
            planned += 1;
            match plan(&shelf, shelved, &facts) {
                Ok(plan) => not_sized += report_plan(shelved, &plan, sized, &mut found),
                Err(message) => found.push(Report {
                    weight: Weight::Error,
                    rule: "plan".to_owned(),
                    problem: Problem::at(&shelved.runbook.access.target.place, &shelved.yaml, message),
                }),
            }
        }
        if not_sized > 0 {
            let message = format!(
                "{not_sized} steps were checked for everything but how much they read: the sandbox writes the sizes with its data, \
                 which any run there makes"
            );
            let problem = Problem::of_file(BOOK_FILE, message).as_notice();
            found.push(Report { weight: Weight::Note, rule: "catalog".to_owned(), problem });
        }
    }
    for mut report in found.into_iter().filter(|report| asked.wants(&report.problem.file)) {
        report.problem.file = visible(&asked.shown(&report.problem.file)).into_owned();
        reports.push(report);
    }
    Ok(planned)
}

/// The facts of the catalog files that are there, and whether the sandbox's are among them where the book names them; files that
/// are not there are noted where they are named.
fn known(asked: &Asked, sandbox: Option<&Path>, shelf: &Shelf, found: &mut Vec<Report>) -> Result<(Facts, bool), Error> {
    let mut paths = Vec::new();
    let mut sized = true;
    for file in &shelf.book.catalog {
        let of_sandbox = file.value.contains(SANDBOX);
        let path = match sandbox {
            Some(sandbox) => asked.dir.join(file.value.replace(SANDBOX, &sandbox.to_string_lossy())),
            None if of_sandbox => PathBuf::new(),
            None => asked.dir.join(&file.value),
        };
        if path.is_file() {
            paths.push(path);
            continue;
        }
        sized &= !of_sandbox;
        let (message, fix) = if of_sandbox {
            (
                "no sandbox has made data yet, so its facts are not used here",
                "nothing to do; sizes come from the other catalog files",
            )
        } else {
            ("this catalog file is not there, so its facts are not used", "write it, or take it out of `catalog`")
        };
        let problem = Problem::at(&file.place, &shelf.book_yaml, message).with_fix(fix).as_notice();
        found.push(Report { weight: Weight::Note, rule: "catalog".to_owned(), problem });
    }
    let facts = books::facts(&paths)?;
    if paths.is_empty() {
        let problem =
            Problem::of_file(BOOK_FILE, "no catalog: nothing is known of any table, so every statement on one is blocked")
                .with_fix("write a catalog.yaml (`tollgate schema catalog` says what it holds) and name it in `catalog: […]`")
                .as_notice();
        found.push(Report { weight: Weight::Note, rule: "catalog".to_owned(), problem });
    }
    Ok((facts, sized))
}

/// The plan of a runbook with its defaults; an input without a default is a typed hole, judged over every value.
pub(super) fn plan(shelf: &Shelf, shelved: &Shelved, facts: &Facts) -> Result<Plan, String> {
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

/// What rests on the sandbox's facts alone, where those are not here (`sized` is false), is not the book's problem. Gives the number
/// of steps whose size could not be judged.
fn report_plan(shelved: &Shelved, plan: &Plan, sized: bool, found: &mut Vec<Report>) -> usize {
    let runbook = &shelved.runbook;
    let mut not_sized = 0;
    for step in &plan.steps {
        let unknown = matches!(&step.action, PlanAction::Athena(athena) if athena.estimate.is_none());
        for finding in step.findings() {
            if !sized && unknown && finding.rule == Rule::MaxScan {
                not_sized += 1;
                continue;
            }
            let written = runbook.step(&step.id);
            let place = written.map_or_else(|| runbook.access.target.place.clone(), |s| place_of(&shelved.yaml, s, finding));
            found.push(of_finding(&shelved.yaml, &place, &format!("step {}: ", step.id), finding));
        }
    }
    for finding in &plan.findings {
        // The ceiling of a step of unknown size is the limit itself; nothing follows from their sum.
        if not_sized > 0 && finding.rule == Rule::RunBudget {
            continue;
        }
        found.push(of_finding(&shelved.yaml, &runbook.access.target.place, "", finding));
    }
    not_sized
}

/// Where a finding stands in the runbook's file: its place in the statement, counted from where the statement begins.
fn place_of(yaml: &str, step: &Step, finding: &Finding) -> Place {
    let StepKind::Athena(athena) = &step.kind else { return step.place.clone() };
    let begin = athena.sql.place.clone();
    let Some(span) = finding.span else { return begin };
    let (line, column) = (span.start.line, span.start.column);
    let width = if span.end.line == line { span.end.column.saturating_sub(column).max(1) } else { 1 };
    // The place is where the text begins; a quoted one begins after its quote.
    let written = yaml
        .lines()
        .nth(begin.line.saturating_sub(1) as usize)
        .and_then(|l| l.chars().nth(begin.column.saturating_sub(1) as usize));
    let quoted = u32::from(line == 1 && matches!(written, Some('"' | '\'')));
    Place { line: begin.line + line - 1, column: begin.column + quoted + column.saturating_sub(1), width, ..begin }
}

fn of_finding(yaml: &str, place: &Place, what: &str, finding: &Finding) -> Report {
    let set = finding.set_in.as_ref().map_or_else(String::new, |place| format!(" (set in {place})"));
    let mut problem = Problem::at(place, yaml, format!("{what}{}{set}", finding.message));
    if let Some(fix) = &finding.fix {
        problem = problem.with_fix(format!("{}: {}", fix.title, fix.sql.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    let weight = if finding.level == Level::Block { Weight::Error } else { Weight::Warning };
    Report { weight, rule: finding.rule.name().to_owned(), problem }
}

fn text(reports: &[Report], planned: usize) -> Result<(), Error> {
    for Report { weight, rule, problem } in reports {
        let mut said = problem.clone();
        said.message = format!("{}: {rule}: {}", weight.word(), visible(&problem.message));
        for line in said.to_string().lines() {
            show::data(line)?;
        }
    }
    let count = |weight| reports.iter().filter(|report| report.weight == weight).count();
    let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    show::say(&format!(
        "{} planned, {}, {}",
        many(planned, "runbook"),
        many(count(Weight::Error), "problem"),
        many(count(Weight::Warning), "warning"),
    ));
    Ok(())
}

/// SARIF 2.1.0 (OASIS), as code scanning reads it.
fn sarif(reports: &[Report]) -> serde_json::Value {
    let mut rules: Vec<&str> = reports.iter().map(|report| report.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<serde_json::Value> = reports
        .iter()
        .map(|Report { weight, rule, problem }| {
            json!({
                "ruleId": rule,
                "level": if *weight == Weight::Note { "note" } else { weight.word() },
                "message": {"text": problem.message},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": problem.file},
                    "region": {"startLine": problem.line.max(1), "startColumn": problem.column.max(1)},
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
