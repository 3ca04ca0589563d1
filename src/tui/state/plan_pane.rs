//! The plan as a list of steps with the selected one below: in the request, and in the review.

use super::List;
use crate::core::plan::Plan;

/// Which step of a plan is shown, and how far its pane is scrolled.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanPane {
    /// The selected step.
    pub list: List,
    /// Lines of the pane below that are scrolled away.
    pub scroll: usize,
}

impl PlanPane {
    /// The position of the selected step.
    pub fn selected(&self, plan: &Plan) -> usize {
        self.list.selected(plan.steps.len())
    }

    /// Selects another step; its pane begins at the top.
    pub fn step(&mut self, by: isize, plan: &Plan) {
        self.list.step(by, plan.steps.len());
        self.scroll = 0;
    }

    /// Scrolls the pane below, at most to `reach`.
    pub fn page(&mut self, by: isize, reach: usize) {
        self.scroll = self.scroll.saturating_add_signed(by).min(reach);
    }

    /// Selects the first step that is blocked, else the first that warns: what has to be read first.
    pub fn at_worst(plan: &Plan) -> Self {
        let worst = plan.steps.iter().map(|step| step.verdict()).max().flatten();
        let at = plan.steps.iter().position(|step| step.verdict() == worst && worst != Some(crate::core::guard::Verdict::Allow));
        Self { list: List::at(at.filter(|_| worst.is_some()).unwrap_or(0)), scroll: 0 }
    }
}
