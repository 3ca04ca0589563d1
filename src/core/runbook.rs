//! The runbook: steps, inputs, typed parameter values and the rules of the walk.

use std::sync::Arc;

use indexmap::IndexMap;

mod check;
mod decimal;
mod expression;
mod input;
mod names;
mod parse;
mod pattern;
pub(in crate::core) mod read;
mod scope;
mod step;
mod template;
mod value;

pub use decimal::Decimal;
pub use expression::{Expression, ExpressionError};
pub use input::{Input, ParamType};
pub use parse::Today;
pub use pattern::Pattern;
pub use read::{read_dynamodb, read_runbook};
pub use scope::{Scope, StepResult, result_rows};
pub use step::{
    AthenaStep, Capture, Choose, Confirm, DynamodbStep, GetItem, Goto, ItemValue, OnFailure, Picked, Query, Sort, SortOperator,
    Step, StepKind,
};
pub use template::{Part, Template};
pub use value::{ParamValue, SqlLiteral, ValueError};

use crate::core::book::{GroupName, Guardrails, ParamName, Place, Placed, RunbookId, StepId, TargetName};
use crate::core::plan::OnDisconnect;
use crate::core::text::Untrusted;
use crate::core::units::Millis;

/// One runbook, checked against its book.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its id.
    pub id: RunbookId,
    /// The file, relative to the book's folder.
    pub file: Arc<str>,
    /// Heading.
    pub title: Untrusted,
    /// What it is for.
    pub summary: Untrusted,
    /// Who keeps it.
    pub owners: Vec<Untrusted>,
    /// Words to find it by.
    pub tags: Vec<Untrusted>,
    /// Inputs, in the file's order.
    pub inputs: IndexMap<ParamName, Input>,
    /// What it asks for.
    pub access: Access,
    /// The guardrails that hold for it: the book's, tightened by its own.
    pub guardrails: Guardrails,
    /// Steps in order; at least one.
    pub steps: Vec<Step>,
}

/// The access that a runbook asks for, with what it left out filled in from the book.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The target.
    pub target: Placed<TargetName>,
    /// How long a grant lasts, unless the operator asks for less.
    pub duration: Millis,
    /// How many distinct people must approve.
    pub need: u32,
    /// Groups that vote from the start.
    pub from: Vec<GroupName>,
    /// Whether an incident must be named.
    pub incident_required: bool,
    /// What happens to a running query when the terminal is lost.
    pub on_disconnect: OnDisconnect,
}

impl Runbook {
    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Its position, from 0.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == *id)
    }

    /// The step after `id` in order.
    pub fn after(&self, id: &str) -> Option<&Step> {
        self.steps.get(self.position(id)? + 1)
    }

    /// How often the walk may visit step `id`: 1, or the most that a backward jump over it allows.
    pub fn max_visits(&self, id: &str) -> u32 {
        let Some(at) = self.position(id) else { return 1 };
        self.jumps()
            .filter_map(|(from, goto)| {
                let to = self.position(&goto.step)?;
                (to <= at && at <= from).then_some(self.jump_visits(goto)?)
            })
            .max()
            .unwrap_or(1)
    }

    /// How many times a backward jump lets each step in between be visited: what the jump says, else the step it leads to.
    pub fn jump_visits(&self, goto: &Goto) -> Option<u32> {
        goto.max_visits.or_else(|| self.step(&goto.step)?.max_visits)
    }

    /// Every jump with the position of its step.
    pub fn jumps(&self) -> impl Iterator<Item = (usize, &Goto)> {
        self.steps.iter().enumerate().flat_map(|(position, step)| {
            let on_no = match &step.kind {
                StepKind::Confirm(confirm) => Some(&confirm.on_no),
                _ => None,
            };
            [Some(&step.on_failure), on_no].into_iter().flatten().filter_map(move |way| match way {
                OnFailure::Goto(goto) => Some((position, goto)),
                OnFailure::Stop | OnFailure::Continue => None,
            })
        })
    }

    /// The type of an input, capture or choice; `None` where nothing of that name exists or a capture has no type.
    pub fn param_type(&self, name: &str) -> Option<&ParamType> {
        if let Some(input) = self.inputs.get(name) {
            return Some(&input.param_type);
        }
        self.filled_by(name).and_then(|(_, param_type, _)| param_type)
    }

    /// The step whose capture or choice gives `name`, with its type and place.
    pub fn filled_by(&self, name: &str) -> Option<(&StepId, Option<&ParamType>, &Place)> {
        self.steps.iter().find_map(|step| {
            if let Some(capture) = step.capture.get(name) {
                return Some((&step.id, capture.param_type.as_ref(), &capture.place));
            }
            match &step.kind {
                StepKind::Choose(choose) => {
                    choose.into.get(name).map(|picked| (&step.id, picked.param_type.as_ref(), &picked.place))
                }
                _ => None,
            }
        })
    }
}
