//! The frozen walk: thawing it from the stored bytes, and where it goes after each step.

use sha2::{Digest as _, Sha256};

use crate::core::book::{Book, Problem, read_book};
use crate::core::guard::{Finding, Level};
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::event::{Next, StepOutcome};
use crate::core::run::state::{RunState, Walk};
use crate::core::runbook::{OnFailure, Runbook, Step, StepKind, read_runbook};

/// SHA-256 of `bytes` in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The rules that warn among `findings`, by name, each once, in order.
pub fn warnings(findings: &[Finding]) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for finding in findings.iter().filter(|f| f.level == Level::Warn) {
        let name = finding.rule.name().to_owned();
        if !rules.contains(&name) {
            rules.push(name);
        }
    }
    rules
}

impl Walk {
    /// Thaws a walk from the bytes that `run.created` stored, which must still have the hashes written beside them.
    pub fn thaw(
        runbook: &str,
        runbook_yaml: &str,
        runbook_sha256: &str,
        book_yaml: &str,
        book_sha256: &str,
        book_commit: Option<String>,
        book_dirty: bool,
    ) -> Result<Self, String> {
        if sha256_hex(runbook_yaml.as_bytes()) != runbook_sha256 {
            return Err("the stored runbook does not match its hash".to_owned());
        }
        if sha256_hex(book_yaml.as_bytes()) != book_sha256 {
            return Err("the stored book does not match its hash".to_owned());
        }
        let (book, runbook) = frozen(runbook, runbook_yaml, book_yaml)?;
        Ok(Self {
            runbook,
            book,
            runbook_sha256: runbook_sha256.to_owned(),
            book_sha256: book_sha256.to_owned(),
            book_commit,
            book_dirty,
        })
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Result<&Step, Refusal> {
        self.runbook
            .steps
            .iter()
            .find(|step| step.id.as_str() == id)
            .ok_or_else(|| Refusal::new(Kind::Bug, format!("the frozen runbook has no step `{id}`")))
    }

    /// The step below this one, or the end.
    pub fn following(&self, id: &str) -> Next {
        let mut steps = self.runbook.steps.iter().skip_while(|step| step.id.as_str() != id).skip(1);
        steps.next().map_or(Next::End, |step| Next::Step(step.id.to_string()))
    }

    /// Where the walk goes after `id` ended with `outcome`, and the reason to record.
    pub fn after(
        &self,
        state: &RunState,
        id: &str,
        outcome: StepOutcome,
        reason: Option<String>,
    ) -> Result<(Next, Option<String>), Refusal> {
        let step = self.step(id)?;
        let route = match outcome {
            StepOutcome::Done => return Ok((self.following(id), reason)),
            StepOutcome::Stopped => return Ok((Next::Stop, reason)),
            StepOutcome::Failed => &step.on_failure,
            StepOutcome::Declined => match &step.kind {
                StepKind::Confirm(confirm) => &confirm.on_no,
                _ => &OnFailure::Stop,
            },
        };
        match route {
            OnFailure::Stop => Ok((Next::Stop, reason)),
            OnFailure::Continue => Ok((self.following(id), reason)),
            OnFailure::Goto(goto) => {
                let target = goto.step.as_str();
                let visits = state.steps.get(target).map_or(0, |s| s.visits);
                let allowed = self.runbook.max_visits(target);
                if visits >= allowed {
                    let full = format!("step {target} may be visited {allowed} times and was");
                    return Ok((Next::Stop, Some(reason.map_or(full.clone(), |r| format!("{r}; {full}")))));
                }
                Ok((Next::Step(target.to_owned()), reason))
            }
        }
    }
}

/// Book and runbook as they were; the same bytes that once were sound are read by the same reader.
fn frozen(runbook: &str, runbook_yaml: &str, book_yaml: &str) -> Result<(Book, Runbook), String> {
    let first = |problems: Vec<Problem>| {
        let error = problems.iter().find(|problem| problem.is_error());
        error.map_or_else(|| "it cannot be read".to_owned(), ToString::to_string)
    };
    let book = read_book("tollgate.yaml", book_yaml.as_bytes()).whole();
    let book = book.map_err(|problems| format!("the stored book cannot be used: {}", first(problems)))?;
    let file = format!("{runbook}.yaml");
    let runbook = read_runbook(&file, runbook_yaml.as_bytes(), Some(&book)).whole();
    let runbook = runbook.map_err(|problems| format!("the stored runbook cannot be used: {}", first(problems)))?;
    Ok((book, runbook))
}
