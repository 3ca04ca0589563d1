//! The plan before it is asked: what it holds, and the fields that complete it.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Loading, PlanPane};
use crate::core::runbook::{ParamValue, Runbook};
use crate::core::units::Millis;
use crate::engine::desk::{Draft, Planned};
use crate::tui::field::Field;
use crate::tui::msg::Ticket;

/// What takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFocus {
    /// The steps.
    Plan,
    /// Why.
    Reason,
    /// The incident.
    Incident,
    /// How long.
    Duration,
}

impl RequestFocus {
    /// In the order of Tab.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Reason, Self::Incident, Self::Duration];
}

/// The screen.
#[derive(Debug)]
pub struct Request {
    /// Which runbook.
    pub runbook: Arc<Runbook>,
    /// Its inputs.
    pub inputs: IndexMap<String, ParamValue>,
    /// For asking again: the run.
    pub again: Option<String>,
    /// Fixes applied, by step: title and statement.
    pub fixes: IndexMap<String, (String, String)>,
    /// What takes the keys.
    pub focus: RequestFocus,
    /// Why.
    pub reason: Field,
    /// The incident.
    pub incident: Field,
    /// How long.
    pub duration: Field,
    /// The plan for what was typed when it was made.
    pub planned: Loading<Arc<Planned>>,
    /// The plan shown while a new one is made.
    pub shown: Option<Arc<Planned>>,
    /// What the plan, or the question for it, was made of.
    pub made_of: Option<Made>,
    /// Which step is shown.
    pub pane: PlanPane,
    /// Sending was asked for: the next plan that says the same is sent.
    pub send_next: bool,
    /// The request was sent and is not answered yet.
    pub sending: Option<Ticket>,
    /// Sending was tried: empty fields say that they are missing.
    pub tried: bool,
}

/// What a plan is made of besides runbook and inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    reason: String,
    incident: String,
    duration: Option<Millis>,
    fixes: Vec<String>,
}

impl Request {
    /// The screen for a runbook and its inputs; `again` for the remaining steps of a run.
    pub fn new(runbook: Arc<Runbook>, inputs: IndexMap<String, ParamValue>, again: Option<String>) -> Self {
        let duration = Field::of(runbook.access.duration.to_string());
        Self {
            runbook,
            inputs,
            again,
            fixes: IndexMap::new(),
            // What is typed goes on as words, whatever was read before; up and down select steps from here too.
            focus: RequestFocus::Reason,
            reason: Field::default(),
            incident: Field::default(),
            duration,
            planned: Loading::Not,
            shown: None,
            made_of: None,
            pane: PlanPane::default(),
            send_next: false,
            sending: None,
            tried: false,
        }
    }

    /// What is typed, as the engine takes it.
    pub fn draft(&self) -> Draft {
        let incident = self.incident.text().trim();
        Draft {
            runbook: self.runbook.id.to_string(),
            inputs: self.inputs.clone(),
            reason: self.reason.text().trim().to_owned(),
            incident: (!incident.is_empty()).then(|| incident.to_owned()),
            duration: self.duration().ok(),
            fixes: self.fixes.iter().map(|(step, (_, sql))| (step.clone(), sql.clone())).collect(),
            again: self.again.clone(),
        }
    }

    /// What a plan would be made of now.
    pub fn made_of_now(&self) -> Made {
        Made {
            reason: self.reason.text().trim().to_owned(),
            incident: self.incident.text().trim().to_owned(),
            duration: self.duration().ok(),
            fixes: self.fixes.keys().cloned().collect(),
        }
    }

    /// How long, or why not.
    pub fn duration(&self) -> Result<Millis, String> {
        let duration: Millis = self.duration.text().trim().parse().map_err(|error: crate::core::units::UnitError| error.0)?;
        let most = self.runbook.access.duration;
        if duration > most {
            return Err(format!("{duration} is above {most}, the runbook's duration"));
        }
        if duration < crate::core::book::Durations::LEAST {
            return Err(format!("{duration} is below {}", crate::core::book::Durations::LEAST));
        }
        Ok(duration)
    }

    /// What keeps it from being sent, and the field where that is mended.
    pub fn missing(&self) -> Option<(RequestFocus, String)> {
        if self.reason.text().trim().is_empty() {
            return Some((RequestFocus::Reason, "a request needs a reason".to_owned()));
        }
        if self.runbook.access.incident_required && self.incident.text().trim().is_empty() {
            return Some((RequestFocus::Incident, "this runbook needs an incident".to_owned()));
        }
        self.duration().err().map(|why| (RequestFocus::Duration, why))
    }

    /// The field that takes the keys.
    pub fn field(&self) -> Option<&Field> {
        match self.focus {
            RequestFocus::Plan => None,
            RequestFocus::Reason => Some(&self.reason),
            RequestFocus::Incident => Some(&self.incident),
            RequestFocus::Duration => Some(&self.duration),
        }
    }

    /// The same, to change it.
    pub fn field_mut(&mut self) -> Option<&mut Field> {
        match self.focus {
            RequestFocus::Plan => None,
            RequestFocus::Reason => Some(&mut self.reason),
            RequestFocus::Incident => Some(&mut self.incident),
            RequestFocus::Duration => Some(&mut self.duration),
        }
    }

    /// What identifies the picture for the guard: the first plan, or one with another verdict, is another picture; one that
    /// only carries what was just typed is not.
    pub fn picture(&self) -> String {
        self.shown.as_ref().map(|planned| format!("{:?}", planned.plan.verdict())).unwrap_or_default()
    }
}
