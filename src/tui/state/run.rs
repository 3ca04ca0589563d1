//! The open run as it is looked at.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{List, Loading, Table};
use crate::core::run::RunState;
use crate::core::run::command::Refusal;
use crate::core::run::event::ExecutionOutcome;
use crate::core::run::state::{Access, Execution, ExecutionState, StepState, StepStatus};
use crate::core::runbook::{Step, StepKind};
use crate::core::units::{Millis, Timestamp};
use crate::engine::desk::{ChoiceOption, Preview};
use crate::tui::countdown::Urgency;
use crate::tui::keymap::Face;

/// What the engine says of the running query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Which execution.
    pub execution: String,
    /// In the service's words.
    pub phase: String,
    /// Bytes so far, where the service reports them.
    pub bytes: Option<u64>,
}

/// The open run.
#[derive(Debug)]
pub struct Run {
    /// Its state.
    pub state: Arc<RunState>,
    /// The step on screen; `None` is the one at the cursor.
    pub focus: Option<String>,
    /// Steps that were on screen before, for Esc.
    pub trail: Vec<String>,
    /// The look at the step at the cursor.
    pub preview: Loading<Box<Preview>>,
    /// Which step that look is of.
    pub preview_of: String,
    /// Prose by step.
    pub prose: IndexMap<String, Result<String, Refusal>>,
    /// What may be chosen at the step at the cursor.
    pub options: Loading<Vec<ChoiceOption>>,
    /// The selected option.
    pub choice: List,
    /// Rows by execution.
    pub tables: IndexMap<String, Result<Table, Refusal>>,
    /// The running query, as last polled.
    pub polled: Option<Polled>,
    /// What takes a while, in words.
    pub busy: Option<String>,
    /// Somebody else drives it.
    pub read_only: Option<String>,
    /// The session has ended.
    pub gone: bool,
    /// Something was asked of the run and is not answered yet.
    pub asking: bool,
    /// Up to here the bell has rung, by request.
    pub rung: Option<(String, Urgency)>,
    /// Lines scrolled away in the pane on screen.
    pub scroll: usize,
}

/// What of the run is on screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its journal cannot be followed.
    Corrupt(String),
    /// Waiting for votes.
    Waiting,
    /// Approved, not started.
    Approved,
    /// Denied, lapsed or cancelled, and no other grant.
    Refused,
    /// A step that is not entered.
    Ahead(String),
    /// A note.
    Note(String),
    /// A question.
    Confirm(String),
    /// A choice.
    Choose(String),
    /// Before an execution.
    Preview(String),
    /// During one.
    Running(String),
    /// Rows of this execution of the step.
    Results(String, String),
    /// A step that ended otherwise.
    Outcome(String),
    /// The walk stopped or is done.
    Over,
    /// Closed before it came to a walk.
    Closed,
}

impl Stage {
    /// What the keys mean something to.
    pub fn face(&self) -> Face {
        match self {
            Self::Waiting => Face::Waiting,
            Self::Approved => Face::Approved,
            Self::Refused => Face::Refused,
            Self::Ahead(_) => Face::Ahead,
            Self::Note(_) => Face::Note,
            Self::Confirm(_) => Face::Confirm,
            Self::Choose(_) => Face::Choose,
            Self::Preview(_) => Face::Preview,
            Self::Running(_) => Face::Running,
            Self::Results(..) => Face::Results,
            Self::Outcome(_) => Face::Outcome,
            Self::Over => Face::Over,
            Self::Closed | Self::Corrupt(_) => Face::Closed,
        }
    }

    /// The step on screen.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Ahead(step)
            | Self::Note(step)
            | Self::Confirm(step)
            | Self::Choose(step)
            | Self::Preview(step)
            | Self::Running(step)
            | Self::Results(step, _)
            | Self::Outcome(step) => Some(step),
            _ => None,
        }
    }
}

impl Run {
    /// A run as it was opened.
    pub fn new(state: Arc<RunState>) -> Self {
        let mut run = Self {
            state,
            focus: None,
            trail: Vec::new(),
            preview: Loading::Not,
            preview_of: String::new(),
            prose: IndexMap::new(),
            options: Loading::Not,
            choice: List::default(),
            tables: IndexMap::new(),
            polled: None,
            busy: None,
            read_only: None,
            gone: false,
            asking: false,
            rung: None,
            scroll: 0,
        };
        // Coming back to a run whose next step was not entered: what was seen last is shown first.
        if run.cursor_state().is_none_or(|step| step.status == StepStatus::Pending) {
            run.focus = run.last_visited();
        }
        run
    }

    /// The state of the step at the cursor.
    pub fn cursor_state(&self) -> Option<&StepState> {
        self.state.steps.get(self.state.cursor.as_deref()?)
    }

    /// The step of the frozen runbook.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.state.walk.as_ref()?.runbook.step(id)
    }

    /// Its number from 1, and how many there are.
    pub fn number(&self, id: &str) -> Option<(usize, usize)> {
        let runbook = &self.state.walk.as_ref()?.runbook;
        Some((runbook.position(id)? + 1, runbook.steps.len()))
    }

    fn last_visited(&self) -> Option<String> {
        let over =
            |id: &&String| self.state.steps.get(*id).is_some_and(|step| matches!(step.status, StepStatus::Finished { .. }));
        // The newest execution says more than the order of the file: the walk may jump.
        let executed = self.state.executions.last().map(|execution| execution.step.clone());
        executed.or_else(|| self.state.steps.keys().rev().find(over).cloned())
    }

    /// The newest execution of a step that has rows or a failure to show.
    pub fn shown_execution(&self, step: &str) -> Option<&Execution> {
        self.state.last_execution_of(step)
    }

    /// The table of an execution.
    pub fn table(&self, execution: &str) -> Option<&Table> {
        self.tables.get(execution)?.as_ref().ok()
    }

    /// The table on screen.
    pub fn table_on_screen(&mut self, now: Timestamp) -> Option<&mut Table> {
        match self.stage(now) {
            Stage::Results(_, execution) => self.tables.get_mut(&execution)?.as_mut().ok(),
            _ => None,
        }
    }

    /// Whether the grant runs at `now`.
    pub fn has_access(&self, now: Timestamp) -> bool {
        self.state.active().is_some_and(|(_, deadline)| now < deadline)
    }

    /// Whether remaining steps may be asked for now: under ten minutes, after the end, or when the approval is void.
    pub fn may_ask_again(&self, now: Timestamp) -> bool {
        if self.state.is_closed() || self.state.rest_from().is_none() || self.is_waiting_besides() {
            return false;
        }
        match self.state.active() {
            Some((request, deadline)) => {
                deadline.since(now) < Millis::from_mins(10) || request.voided.is_some() || !request.voided_steps.is_empty()
            }
            None => true,
        }
    }

    /// Whether a request waits for votes or for its start while the walk goes on under an older grant.
    pub fn is_waiting_besides(&self) -> bool {
        matches!(self.state.request().map(|request| &request.access), Some(Access::Waiting | Access::Approved { .. }))
    }

    /// What is on screen.
    pub fn stage(&self, now: Timestamp) -> Stage {
        if let Some(reason) = &self.state.corrupt {
            return Stage::Corrupt(reason.clone());
        }
        if let Some(focus) = &self.focus
            && let Some(stage) = self.stage_of(focus)
        {
            return stage;
        }
        let was_active = |access: &Access| matches!(access, Access::Active { .. } | Access::Ended { .. });
        let walked = self.state.requests.iter().any(|request| was_active(&request.access));
        // A walk that stopped goes on with another grant only: what is asked for is then what there is to see.
        if !self.state.is_closed() && (!self.has_access(now) || self.state.finished.is_some()) {
            match self.state.request().map(|request| &request.access) {
                Some(Access::Waiting) => return Stage::Waiting,
                Some(Access::Approved { .. }) => return Stage::Approved,
                Some(Access::Denied { .. } | Access::Lapsed { .. } | Access::Cancelled) if !self.has_access(now) => {
                    return Stage::Refused;
                }
                _ => {}
            }
        }
        if self.state.is_closed() {
            return if walked { Stage::Over } else { Stage::Closed };
        }
        match &self.state.cursor {
            Some(cursor) if self.state.finished.is_none() => self.stage_of(cursor).unwrap_or(Stage::Over),
            _ => Stage::Over,
        }
    }

    fn stage_of(&self, id: &str) -> Option<Stage> {
        let (step, state) = (self.step(id)?, self.state.steps.get(id)?);
        let name = id.to_owned();
        if self.state.open_execution().is_some_and(|open| open.step == id) {
            return Some(Stage::Running(name));
        }
        let at_cursor = self.state.cursor.as_deref() == Some(id);
        Some(match &state.status {
            StepStatus::Entered if at_cursor => match &step.kind {
                StepKind::Note => Stage::Note(name),
                StepKind::Confirm(_) => Stage::Confirm(name),
                StepKind::Choose(_) => Stage::Choose(name),
                // A success is still being fetched or evaluated: its rows are what there is to see.
                StepKind::Athena(_) | StepKind::Dynamodb(_) => match self.state.last_execution_of(id) {
                    Some(execution) if self.is_settling(execution) => Stage::Running(name),
                    _ => Stage::Preview(name),
                },
            },
            StepStatus::Finished { .. } | StepStatus::Entered => match self.state.last_execution_of(id) {
                Some(execution) if execution.rows.is_some() => Stage::Results(name, execution.id.clone()),
                _ => Stage::Outcome(name),
            },
            StepStatus::Skipped { .. } => Stage::Outcome(name),
            StepStatus::Pending if at_cursor => Stage::Ahead(name),
            StepStatus::Pending => return None,
        })
    }

    /// Whether an execution has ended well and its rows or captures are still to come.
    fn is_settling(&self, execution: &Execution) -> bool {
        let succeeded = |execution: &Execution| {
            matches!(execution.state, ExecutionState::Finished { outcome: ExecutionOutcome::Succeeded, .. })
        };
        // A step that was entered again has more visits than successes until it is run again.
        let successes = self.state.executions.iter().filter(|other| other.step == execution.step && succeeded(other)).count();
        let visits = self.state.steps.get(&execution.step).map_or(0, |step| step.visits as usize);
        succeeded(execution) && successes >= visits && !self.gone
    }

    /// What identifies the picture for the guard.
    pub fn picture(&self, now: Timestamp) -> String {
        let stage = self.stage(now);
        let ready = match &stage {
            Stage::Preview(_) => self.preview.ready().map_or("looking", |_| "ready"),
            Stage::Choose(_) => self.options.ready().map_or("looking", |_| "ready"),
            _ => "",
        };
        format!("{stage:?} {ready}")
    }
}
