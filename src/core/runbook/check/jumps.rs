//! Jumps: they lead to a step, and a walk that goes backward has a person in it and an end.

use crate::core::book::reading::Reading;
use crate::core::runbook::{Runbook, StepKind};
use crate::core::text::visible;

pub(super) fn check(reading: &mut Reading, runbook: &Runbook) {
    for (from, goto) in runbook.jumps() {
        let Some(to) = runbook.position(&goto.step) else {
            let message = format!("`goto`: there is no step `{}`", visible(&goto.step));
            reading.unknown(&goto.place, message, runbook.steps.iter().map(|step| step.id.as_str()), &goto.step);
            continue;
        };
        if to > from {
            if goto.max_visits.is_some() {
                reading.wrong(&goto.place, "`max_visits` does nothing on a jump forward", "remove it");
            }
            continue;
        }
        let between = runbook.steps.get(to..=from).unwrap_or_default();
        if !between.iter().any(|step| matches!(step.kind, StepKind::Confirm(_))) {
            let message = format!("`goto` goes back to `{}`, and nobody is asked in between", goto.step);
            reading.wrong(&goto.place, message, "put a `confirm` step in between, or go forward");
        }
        if runbook.jump_visits(goto).is_none() {
            let message = format!("`goto` goes back to `{}` without `max_visits`", goto.step);
            reading.wrong(&goto.place, message, format!("write {{ goto: {}, max_visits: 3 }}", goto.step));
        }
    }
}
