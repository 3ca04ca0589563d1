//! Which names an expression, a template or a statement may use where.

use super::Names;
use crate::core::book::Place;
use crate::core::book::reading::{Reading, nearest};
use crate::core::runbook::{Expression, Runbook, Step, Template};
use crate::core::text::visible;

/// What an expression sees besides inputs, captures and earlier steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing: the step has not run.
    When,
    /// The step's own result.
    Own,
    /// Rows of earlier steps.
    Rows,
}

/// One step while its names are checked.
pub(super) struct Walk<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) names: &'a Names,
    /// Position of the step.
    pub(super) at: usize,
    pub(super) step: &'a Step,
}

const OWN: [&str; 3] = ["row_count", "rows", "outcome"];

impl Walk<'_> {
    /// Checks the paths of an expression.
    pub(super) fn expression(&self, reading: &mut Reading, expression: &Expression, seen: Seen) {
        for path in expression.variables() {
            let place = reading.find(&expression.place, &path).filter(|place| place.line <= expression.place.line + 8);
            let place = place.unwrap_or_else(|| expression.place.clone());
            let parts: Vec<&str> = path.split('.').collect();
            match parts.as_slice() {
                ["inputs", name, ..] => self.input(reading, name, &place, |input| {
                    seen == Seen::When && (expression.proves(input) || expression.only_asks_for(input))
                }),
                ["inputs"] => reading.wrong(&place, "`inputs` stands alone", "name one of them: `inputs.name`"),
                ["steps", id, rest @ ..] => self.earlier(reading, id, rest.first().copied(), &place, seen),
                ["steps"] => reading.wrong(&place, "`steps` stands alone", "name one of them: `steps.id.row_count`"),
                [own, ..] if OWN.contains(own) => {
                    if seen != Seen::Own {
                        let message = format!("`{own}` stands bare only in `expect` and `capture` of its own step");
                        reading.wrong(&place, message, format!("write `steps.<id>.{own}` of an earlier step"));
                    }
                }
                [name, ..] => self.bare(reading, name, &place, seen),
                [] => {}
            }
        }
    }

    /// Checks the names of prose.
    pub(super) fn prose(&self, reading: &mut Reading, template: &Template) {
        for path in template.names() {
            let place = reading.find(&template.place, path).unwrap_or_else(|| template.place.clone());
            let parts: Vec<&str> = path.split('.').collect();
            match parts.as_slice() {
                ["steps", id, field] => self.earlier(reading, id, Some(field), &place, Seen::When),
                ["inputs", name] => self.input(reading, name, &place, |_| false),
                [name] if self.runbook.inputs.contains_key(*name) => self.input(reading, name, &place, |_| false),
                [name] if self.names.0.contains_key(*name) => self.filled(reading, name, &place),
                _ => {
                    let message = format!("`{}` is no input, capture or choice", visible(path));
                    reading.unknown(&place, message, self.names.keys(), path);
                }
            }
        }
    }

    /// Checks a declared name that is sent to a service: it has a type, is filled before, and is there.
    pub(super) fn executes(&self, reading: &mut Reading, name: &str, place: &Place) {
        let Some(given) = self.names.0.get(name) else { return };
        if given.at.is_none() {
            return self.input(reading, name, place, |_| false);
        }
        self.filled(reading, name, place);
        if given.param_type.is_none() {
            let message = format!("`{name}` has no type, but this step executes with it");
            let fix = format!("on line {}, add a type: `type: string, pattern: '…'`", given.place.line);
            reading.wrong(place, message, fix);
        }
    }

    /// An input exists; one that may be left out is used only where the step's `when` proves that it is there.
    fn input(&self, reading: &mut Reading, name: &str, place: &Place, excused: impl Fn(&str) -> bool) {
        let Some(input) = self.runbook.inputs.get(name) else {
            let message = format!("there is no input `{}`", visible(name));
            return reading.unknown(place, message, self.runbook.inputs.keys().map(|name| name.as_str()), name);
        };
        let proved = self.step.when.as_ref().is_some_and(|when| when.proves(name));
        let optional = self.names.0.get(input.name.as_str()).is_some_and(|given| given.optional);
        if optional && !proved && !excused(name) {
            let message = format!("input `{name}` may be left out, and nothing proves that it is there");
            reading.wrong(place, message, format!("add `when: inputs.{name} is defined` to the step, or give it a default"));
        }
    }

    /// A capture or choice is filled by an earlier step.
    fn filled(&self, reading: &mut Reading, name: &str, place: &Place) {
        let at = self.names.0.get(name).and_then(|given| given.at);
        if let Some(at) = at
            && at >= self.at
        {
            let filler = self.runbook.steps.get(at).map(|step| step.id.to_string()).unwrap_or_default();
            let message = format!("`{name}` is filled by step `{filler}`, which comes no earlier");
            reading.wrong(place, message, format!("move this step below `{filler}`"));
        }
    }
    fn bare(&self, reading: &mut Reading, name: &str, place: &Place, seen: Seen) {
        match self.names.0.get(name) {
            Some(given) if given.at.is_none() => {
                reading.wrong(place, format!("`{name}` is an input"), format!("write `inputs.{name}`"));
            }
            Some(_) => self.filled(reading, name, place),
            None => {
                let message = format!("`{}` is no capture or choice", visible(name));
                let own = OWN.into_iter().filter(|_| seen == Seen::Own);
                reading.unknown(place, message, own.chain(self.names.keys()), name);
            }
        }
    }

    /// An earlier step, and what can be seen of it.
    fn earlier(&self, reading: &mut Reading, id: &str, field: Option<&str>, place: &Place, seen: Seen) {
        let ids = self.runbook.steps.iter().map(|step| step.id.as_str());
        let Some(at) = self.runbook.position(id) else {
            let message = format!("there is no step `{}`", visible(id));
            return reading.unknown(place, message, ids, id);
        };
        if at >= self.at {
            let message = format!("step `{id}` comes no earlier than this one");
            return reading.wrong(place, message, "refer to a step above");
        }
        let executes = self.runbook.steps.get(at).is_some_and(|step| step.kind.executes());
        match field {
            Some("outcome") => {}
            Some("row_count") if executes => {}
            Some("rows") if executes && seen == Seen::Rows => {}
            Some(field @ ("row_count" | "rows")) if !executes => {
                let message = format!("step `{id}` fetches no rows, so it has no `{field}`");
                reading.wrong(place, message, "refer to an athena or dynamodb step");
            }
            Some("rows") => {
                let message = "rows of an earlier step are seen in `choose.from` alone";
                reading.wrong(place, message, "take what you need with a `capture` of that step");
            }
            Some(field) => {
                let message = format!("a step has no `{}`", visible(field));
                match nearest(field, OWN.iter().copied()) {
                    Some(near) => reading.wrong(place, message, format!("did you mean `{near}`?")),
                    None => reading.wrong(place, message, "it has row_count and outcome"),
                }
            }
            None => reading.wrong(place, format!("`steps.{id}` stands alone"), format!("write `steps.{id}.row_count`")),
        }
    }
}
