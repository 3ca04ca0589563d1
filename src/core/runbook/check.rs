//! Checks across a runbook: names, the order in which they are filled, types of what executes, jumps, the target.

use indexmap::IndexMap;

use super::names::named;
use super::{AthenaStep, DynamodbStep, ItemValue, ParamType, Query, Runbook, Step, StepKind};
use crate::core::book::reading::{Reading, nearest};
use crate::core::book::{Book, ParamName, Place};
use crate::core::text::visible;

mod jumps;
mod paths;

/// Reports what is wrong across the runbook, and notes which parameters each statement names.
pub(super) fn check(reading: &mut Reading, runbook: &mut Runbook, book: Option<&Book>) {
    let names = Names::of(reading, runbook);
    let params: Vec<Option<Vec<ParamName>>> =
        runbook.steps.iter().enumerate().map(|(at, step)| step_names(reading, runbook, &names, at, step)).collect();
    for (step, params) in runbook.steps.iter_mut().zip(params) {
        match (&mut step.kind, params) {
            (StepKind::Athena(athena), Some(found)) => athena.params = found,
            (StepKind::Dynamodb(DynamodbStep::Query(query)), Some(found)) => query.params = found,
            _ => {}
        }
    }
    jumps::check(reading, runbook);
    if let Some(book) = book {
        target(reading, runbook, book);
    }
}

/// What gives a name its value.
struct Given {
    /// Position of the step that fills it; `None` for an input.
    at: Option<usize>,
    param_type: Option<ParamType>,
    /// An input that may be left out.
    optional: bool,
    place: Place,
}

/// Inputs, captures and choices by name.
struct Names(IndexMap<ParamName, Given>);

impl Names {
    fn of(reading: &mut Reading, runbook: &Runbook) -> Self {
        let mut names = IndexMap::new();
        for (name, input) in &runbook.inputs {
            let param_type = Some(input.param_type.clone());
            let optional = input.optional && input.default.is_none();
            names.insert(name.clone(), Given { at: None, param_type, optional, place: input.place.clone() });
        }
        for (at, step) in runbook.steps.iter().enumerate() {
            let captures = step.capture.iter().map(|(name, capture)| (name, &capture.param_type, &capture.place));
            let picked = match &step.kind {
                StepKind::Choose(choose) => Some(&choose.into),
                _ => None,
            };
            let picked = picked.into_iter().flatten().map(|(name, picked)| (name, &picked.param_type, &picked.place));
            for (name, param_type, place) in captures.chain(picked) {
                if let Some(known) = names.get(name) {
                    let known: &Given = known;
                    let message = format!("`{name}` is a name already, of line {}", known.place.line);
                    reading.wrong(place, message, "give each input, capture and choice a name of its own");
                } else {
                    let given = Given { at: Some(at), param_type: param_type.clone(), optional: false, place: place.clone() };
                    names.insert(name.clone(), given);
                }
            }
        }
        Self(names)
    }

    fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(ParamName::as_str)
    }
}

/// Checks every name that a step uses; gives the parameters that its statement or filter names.
fn step_names(reading: &mut Reading, runbook: &Runbook, names: &Names, at: usize, step: &Step) -> Option<Vec<ParamName>> {
    let walk = paths::Walk { runbook, names, at, step };
    if let Some(when) = &step.when {
        walk.expression(reading, when, paths::Seen::When);
    }
    if let Some(expect) = &step.expect {
        walk.expression(reading, expect, paths::Seen::Own);
    }
    for capture in step.capture.values() {
        walk.expression(reading, &capture.from, paths::Seen::Own);
    }
    if let Some(note) = &step.note {
        walk.prose(reading, note);
    }
    match &step.kind {
        StepKind::Note => None,
        StepKind::Confirm(confirm) => {
            walk.prose(reading, &confirm.question);
            None
        }
        StepKind::Choose(choose) => {
            walk.prose(reading, &choose.prompt);
            walk.expression(reading, &choose.from, paths::Seen::Rows);
            None
        }
        StepKind::Athena(athena) => Some(sql(reading, &walk, athena)),
        StepKind::Dynamodb(read) => dynamodb(reading, &walk, read),
    }
}

fn sql(reading: &mut Reading, walk: &paths::Walk<'_>, athena: &AthenaStep) -> Vec<ParamName> {
    params(reading, walk, &athena.sql.value, &athena.sql.place)
}

/// Declared `:name`s in order of first use; undeclared ones are reported where nothing else could be meant.
fn params(reading: &mut Reading, walk: &paths::Walk<'_>, text: &str, place: &Place) -> Vec<ParamName> {
    let mut params: Vec<ParamName> = Vec::new();
    let mut reported = Vec::new();
    for found in named(text) {
        let place = |reading: &Reading| reading.inside(place, text, found.offset, found.name.len() + 1);
        if walk.names.0.contains_key(found.name) {
            let name = ParamName::from(found.name);
            if !params.contains(&name) {
                let place = place(reading);
                walk.executes(reading, found.name, &place);
                params.push(name);
            }
        } else if found.certain && !reported.contains(&found.name) {
            reported.push(found.name);
            let place = place(reading);
            let message = format!("`:{}` is no input, capture or choice", found.name);
            let fix = match nearest(found.name, walk.names.keys()) {
                Some(near) => format!("did you mean `:{near}`?"),
                None => format!("declare it: inputs: {{ {}: {{ type: … }} }}", found.name),
            };
            reading.wrong(&place, message, fix);
        }
    }
    params
}

fn dynamodb(reading: &mut Reading, walk: &paths::Walk<'_>, read: &DynamodbStep) -> Option<Vec<ParamName>> {
    let key = match read {
        DynamodbStep::Get(get) => &get.key,
        DynamodbStep::Query(query) => &query.key,
    };
    for value in key.values() {
        item(reading, walk, value);
    }
    let DynamodbStep::Query(query) = read else { return None };
    for value in query.sort.iter().flat_map(|sort| &sort.values) {
        item(reading, walk, value);
    }
    Some(filter(reading, walk, query))
}

fn filter(reading: &mut Reading, walk: &paths::Walk<'_>, query: &Query) -> Vec<ParamName> {
    match &query.filter {
        Some(filter) => params(reading, walk, &filter.value, &filter.place),
        None => Vec::new(),
    }
}

/// A value of a key: only inputs, captures and choices, each with a type.
fn item(reading: &mut Reading, walk: &paths::Walk<'_>, value: &ItemValue) {
    let ItemValue::Text(template) = value else { return };
    for path in template.names() {
        let place = reading.find(&template.place, path).unwrap_or_else(|| template.place.clone());
        let name = path.strip_prefix("inputs.").unwrap_or(path);
        match walk.names.0.get(name) {
            Some(given) if given.param_type.as_ref().is_some_and(|param_type| !param_type.is_single()) => {
                reading.wrong(&place, format!("`{name}` is a list, which a key cannot hold"), "use an input of a single value");
            }
            Some(_) => walk.executes(reading, name, &place),
            None => {
                let message = format!("`{}` is no input, capture or choice", visible(path));
                reading.unknown(&place, message, walk.names.keys(), name);
            }
        }
    }
}

/// Steps must have where to run.
fn target(reading: &mut Reading, runbook: &Runbook, book: &Book) {
    let Some(target) = book.targets.get(runbook.access.target.as_str()) else { return };
    for step in &runbook.steps {
        let missing = match &step.kind {
            StepKind::Athena(_) if target.athena.is_none() => "athena",
            StepKind::Dynamodb(_) if !target.dynamodb => "dynamodb",
            _ => continue,
        };
        let message = format!("step `{}` needs {missing}, which target `{}` does not have", step.id, target.name.value);
        let fix = format!("choose another target, or give it {missing} in {}", target.name.place);
        reading.wrong(&step.place, message, fix);
    }
}
