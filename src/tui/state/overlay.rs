//! What lies over a screen.

use super::List;
use crate::tui::field::Field;
use crate::tui::keymap::{Face, Verb};

/// What lies over a screen.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// The keys that work, filtered.
    Help {
        /// The filter.
        field: Field,
        /// The line on top.
        list: List,
    },
    /// Commands, runbooks, runs, columns, filtered.
    Palette {
        /// The filter.
        field: Field,
        /// The selected line.
        list: List,
    },
    /// Something to be typed.
    Prompt(Prompt),
    /// A question with two answers.
    Asked(Asked),
    /// A whole cell.
    Cell {
        /// Lines scrolled away.
        scroll: usize,
    },
    /// The steps.
    Steps(List),
    /// Values for the field in focus.
    Values {
        /// The selected line.
        list: List,
        /// The values.
        values: Vec<String>,
    },
}

/// A question with two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Leave while a query runs?
    Leave {
        /// To suspend instead of to end.
        suspend: bool,
    },
    /// Cancel the request?
    Cancel,
    /// Take a run over that another process drives?
    Take(String),
    /// Which format?
    Export,
}

/// Something to be typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What for.
    pub what: PromptFor,
    /// What is typed.
    pub field: Field,
    /// Why it was not taken.
    pub error: Option<String>,
}

/// What a prompt is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptFor {
    /// The word `run`, for a warning.
    Run,
    /// The first four digits of the plan, to approve it.
    Approve,
    /// Why, to deny it.
    Deny,
    /// A note for the journal.
    Note,
    /// What to search in the results.
    Search,
}

/// A line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaletteItem {
    /// A command.
    Verb(Verb),
    /// A runbook to open.
    Runbook(String),
    /// A run to open.
    Run(String),
    /// A column of the results to go to.
    Column(usize, String),
    /// A theme.
    Theme(String),
}

impl Overlay {
    /// What the keys mean something to.
    pub fn face(&self) -> Face {
        match self {
            Self::Help { .. } => Face::Help,
            Self::Palette { .. } => Face::Palette,
            Self::Prompt(_) => Face::Prompt,
            Self::Asked(Asked::Leave { .. }) => Face::LeaveAsk,
            Self::Asked(Asked::Cancel) => Face::CancelAsk,
            Self::Asked(Asked::Take(_)) => Face::TakeAsk,
            Self::Asked(Asked::Export) => Face::ExportAsk,
            Self::Cell { .. } => Face::Cell,
            Self::Steps(_) => Face::Steps,
            Self::Values { .. } => Face::Values,
        }
    }

    /// The field that takes the keys.
    pub fn field_mut(&mut self) -> Option<&mut Field> {
        match self {
            Self::Help { field, .. } | Self::Palette { field, .. } => Some(field),
            Self::Prompt(prompt) => Some(&mut prompt.field),
            Self::Asked(_) | Self::Cell { .. } | Self::Steps(_) | Self::Values { .. } => None,
        }
    }
}

impl Prompt {
    /// An empty prompt.
    pub fn new(what: PromptFor) -> Self {
        Self { what, field: Field::default(), error: None }
    }
}
