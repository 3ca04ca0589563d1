//! Reading steps.

use indexmap::IndexMap;

use super::super::{
    AthenaStep, Capture, Choose, Confirm, Expression, Goto, OnFailure, ParamType, Picked, Step, StepKind, Template,
};
use super::input::param_type;
use super::{dynamodb, param_name};
use crate::core::book::reading::{Fields, Reading, entries, said};
use crate::core::book::yaml::{Node, Value};
use crate::core::book::{ParamName, Placed, StepId};
use crate::core::text::{Untrusted, visible};

/// Keys of a step.
pub(in crate::core) const KEYS: &[&str] = &[
    "id",
    "title",
    "note",
    "when",
    "athena",
    "dynamodb",
    "confirm",
    "choose",
    "approve",
    "expect",
    "on_failure",
    "on_no",
    "capture",
    "max_visits",
];
/// Keys of `athena` in a step.
pub(in crate::core) const ATHENA_KEYS: &[&str] = &["catalog", "database", "sql"];
/// Keys of `choose`.
pub(in crate::core) const CHOOSE_KEYS: &[&str] = &["prompt", "from", "label", "into"];
/// Keys of a capture.
pub(in crate::core) const CAPTURE_KEYS: &[&str] = &["from", "type", "as", "min", "max", "pattern", "values"];
/// Keys of a value in `into`.
pub(in crate::core) const PICKED_KEYS: &[&str] = &["column", "type", "as", "min", "max", "pattern", "values"];

const KINDS: [&str; 4] = ["athena", "dynamodb", "confirm", "choose"];

/// Steps of one runbook; a walk of more is a program.
const MAX_STEPS: usize = 200;

pub(super) fn steps(reading: &mut Reading, node: &Node) -> Vec<Step> {
    let items = reading.list(node, "`steps`").unwrap_or_default();
    if items.is_empty() && matches!(node.value, Value::List(_)) {
        reading.wrong(&node.place, "`steps` is empty", "write at least one step");
    }
    if let Some(first) = items.get(MAX_STEPS) {
        reading.wrong(&first.place, format!("there are more than {MAX_STEPS} steps"), "split the runbook");
    }
    let mut steps: Vec<Step> = Vec::new();
    for item in items.iter().take(MAX_STEPS) {
        let Some(step) = step(reading, item) else { continue };
        if let Some(first) = steps.iter().find(|known| known.id == step.id) {
            let message = format!("step `{}` is written twice; first on line {}", step.id, first.place.line);
            reading.wrong(&step.place, message, "give each step an id of its own");
            continue;
        }
        steps.push(step);
    }
    steps
}

fn step(reading: &mut Reading, node: &Node) -> Option<Step> {
    let fields = Fields::of(reading, node, "a step", KEYS)?;
    let id_node = fields.need(reading, "id", "the step");
    let id = id_node.and_then(|node| id(reading, node));
    let title = fields.get("title").and_then(|node| reading.text(node, "`title`"));
    let note = fields.get("note").and_then(|node| template(reading, node, "`note`"));
    let when = fields.get("when").and_then(|node| expression(reading, node, "`when`"));
    let expect = fields.get("expect").and_then(|node| expression(reading, node, "`expect`"));
    let capture = fields.get("capture").map(|node| captures(reading, node)).unwrap_or_default();
    let on_failure = fields.get("on_failure").and_then(|node| way(reading, node, "`on_failure`"));
    let max_visits = fields.get("max_visits").and_then(|node| visits(reading, node));
    let kind = kind(reading, &fields)?;
    fitting(reading, &fields, &kind);
    let place = id_node.map_or_else(|| node.place.clone(), |node| node.place.clone());
    let id = id?;
    Some(Step {
        title: Untrusted::new(title.unwrap_or_else(|| id.0.clone())),
        id,
        note,
        when,
        kind,
        expect,
        on_failure: on_failure.unwrap_or_default(),
        capture,
        max_visits,
        place,
    })
}

/// `[a-z][a-z0-9_-]{0,63}`: it stands in expressions and in the comment that marks a statement.
fn id(reading: &mut Reading, node: &Node) -> Option<StepId> {
    let text = reading.text(node, "`id`")?;
    let good = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    if good {
        return Some(StepId(text));
    }
    let message = format!("`id` is `{}`", visible(&text));
    reading.wrong(&node.place, message, "a step's id is 1 to 64 of a-z, 0-9, `_` and `-`, and begins with a letter");
    None
}

/// Exactly one kind; none of them with a note is a note.
fn kind(reading: &mut Reading, fields: &Fields<'_>) -> Option<StepKind> {
    if let Some(place) = fields.key("approve") {
        let message = "`approve` is reserved: a gate in the middle of the walk does not exist yet";
        reading.wrong(place, message, "ask with `confirm`, or split the runbook: each run has its own request");
        return None;
    }
    let present: Vec<&str> = KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
    match present.as_slice() {
        [] if fields.get("note").is_some() => Some(StepKind::Note),
        [] => {
            let message = "the step does nothing";
            reading.wrong(fields.place, message, "give it one of athena, dynamodb, confirm, choose, or a note");
            None
        }
        [kind] => {
            let node = fields.get(kind)?;
            match *kind {
                "athena" => athena(reading, node).map(StepKind::Athena),
                "dynamodb" => dynamodb::dynamodb(reading, node).map(StepKind::Dynamodb),
                "confirm" => {
                    let question = template(reading, node, "`confirm`")?;
                    let on_no = fields.get("on_no").and_then(|node| way(reading, node, "`on_no`")).unwrap_or_default();
                    Some(StepKind::Confirm(Confirm { question, on_no }))
                }
                _ => choose(reading, node).map(StepKind::Choose),
            }
        }
        [first, second, ..] => {
            let place = fields.key(second).unwrap_or(fields.place);
            reading.wrong(place, format!("the step has both `{first}` and `{second}`"), "make two steps of it");
            None
        }
    }
}

/// Keys that a kind has no use for would silently do nothing.
fn fitting(reading: &mut Reading, fields: &Fields<'_>, kind: &StepKind) {
    let word = kind.word();
    let mut only = |key: &str, fits: bool, kinds: &str| {
        if let (false, Some(place)) = (fits, fields.key(key)) {
            reading.wrong(place, format!("`{key}` does nothing in steps of kind {word}"), format!("it is for {kinds}"));
        }
    };
    only("on_no", matches!(kind, StepKind::Confirm(_)), "confirm");
    only("expect", kind.executes(), "athena and dynamodb");
    only("capture", kind.executes(), "athena and dynamodb");
    only("on_failure", kind.executes() || matches!(kind, StepKind::Choose(_)), "athena, dynamodb and choose");
}

pub(super) fn template(reading: &mut Reading, node: &Node, what: &str) -> Option<Template> {
    let text = reading.text(node, what)?;
    match Template::new(&text, node.place.clone()) {
        Ok(template) => Some(template),
        Err(reason) => {
            let place = reading.find(&node.place, "{{").or_else(|| reading.find(&node.place, "{%"));
            let place = place.unwrap_or_else(|| node.place.clone());
            reading.wrong(&place, format!("{what}: {reason}"), "write `{{ name }}` with an input, a capture or a choice");
            None
        }
    }
}

fn expression(reading: &mut Reading, node: &Node, what: &str) -> Option<Expression> {
    let text = reading.text(node, what)?;
    match Expression::new(&text, node.place.clone()) {
        Ok(expression) => Some(expression),
        Err(_) if text.contains("{{") => {
            let bare = text.replace("{{", "").replace("}}", "");
            let bare: String = visible(bare.trim()).chars().take(80).collect();
            let message = format!("{what} is an expression, which stands without `{{{{ }}}}`");
            reading.wrong(&node.place, message, format!("write {bare}"));
            None
        }
        Err(error) => {
            let fix = "expressions are as in `row_count > 0 and inputs.day is defined`";
            reading.wrong(&node.place, format!("{what}: {error}"), fix);
            None
        }
    }
}

/// `stop`, `continue`, or `{ goto: step, max_visits: 3 }`.
fn way(reading: &mut Reading, node: &Node, what: &str) -> Option<OnFailure> {
    if let Value::Map(_) = &node.value {
        let fields = Fields::of(reading, node, what, &["goto", "max_visits"])?;
        let goto = fields.need(reading, "goto", what)?;
        let step = reading.text(goto, "`goto`")?;
        let max_visits = fields.get("max_visits").and_then(|node| visits(reading, node));
        return Some(OnFailure::Goto(Goto { step: StepId(step), max_visits, place: goto.place.clone() }));
    }
    let text = reading.scalar(node, what)?.text.clone();
    match text.as_str() {
        "stop" => Some(OnFailure::Stop),
        "continue" => Some(OnFailure::Continue),
        other => {
            let message = format!("{what} is {}; it is stop, continue or {{ goto: step }}", said(node));
            reading.wrong(&node.place, message, format!("write {{ goto: {} }} to go to a step", visible(other)));
            None
        }
    }
}

fn visits(reading: &mut Reading, node: &Node) -> Option<u32> {
    u32::try_from(reading.whole(node, "`max_visits`", 2, 20)?).ok()
}

fn captures(reading: &mut Reading, node: &Node) -> IndexMap<ParamName, Capture> {
    let mut captures = IndexMap::new();
    for (name, key, value) in entries(reading, node, "`capture`").unwrap_or_default() {
        let Some(name) = param_name(reading, name, key) else { continue };
        let what = format!("capture `{name}`");
        let Some(fields) = Fields::of(reading, value, &what, CAPTURE_KEYS) else { continue };
        let param_type = optional_type(reading, &fields, &what);
        let from = fields.need(reading, "from", &what).and_then(|node| expression(reading, node, "`from`"));
        if let Some(from) = from {
            captures.insert(name, Capture { from, param_type, place: key.place.clone() });
        }
    }
    captures
}

fn optional_type(reading: &mut Reading, fields: &Fields<'_>, what: &str) -> Option<ParamType> {
    fields.get("type")?;
    param_type(reading, fields, what)
}

fn choose(reading: &mut Reading, node: &Node) -> Option<Choose> {
    let fields = Fields::of(reading, node, "`choose`", CHOOSE_KEYS)?;
    let prompt = fields.need(reading, "prompt", "`choose`").and_then(|node| template(reading, node, "`prompt`"));
    let from = fields.need(reading, "from", "`choose`").and_then(|node| expression(reading, node, "`from`"));
    let label = fields.need(reading, "label", "`choose`").and_then(|node| reading.text(node, "`label`"));
    let into_node = fields.need(reading, "into", "`choose`")?;
    let mut into = IndexMap::new();
    for (name, key, value) in entries(reading, into_node, "`into`").unwrap_or_default() {
        let Some(name) = param_name(reading, name, key) else { continue };
        let what = format!("choice `{name}`");
        let Some(fields) = Fields::of(reading, value, &what, PICKED_KEYS) else { continue };
        let column = fields.get("column").and_then(|node| reading.text(node, "`column`"));
        let param_type = optional_type(reading, &fields, &what);
        into.insert(name.clone(), Picked { column: column.unwrap_or(name.0), param_type, place: key.place.clone() });
    }
    Some(Choose { prompt: prompt?, from: from?, label: label?, into })
}

fn athena(reading: &mut Reading, node: &Node) -> Option<AthenaStep> {
    let fields = Fields::of(reading, node, "`athena`", ATHENA_KEYS)?;
    let catalog = fields.get("catalog").and_then(|node| reading.text(node, "`catalog`"));
    let database = fields.get("database").and_then(|node| reading.text(node, "`database`"));
    let sql_node = fields.need(reading, "sql", "`athena`")?;
    let text = reading.text(sql_node, "`sql`")?;
    if let Some(place) = ["{{", "{%"].iter().find_map(|open| text.contains(open).then(|| reading.find(&sql_node.place, open))) {
        let message = "`{{ }}` does not stand in SQL: text would be pasted into the statement";
        let fix = "write a typed parameter, `:name`; it becomes a literal";
        reading.wrong(&place.unwrap_or_else(|| sql_node.place.clone()), message, fix);
    }
    // Line n of the text is then line n below the place, also where the block begins with blank lines.
    let sql = text.trim_start_matches('\n').trim_end().to_owned();
    let sql = Placed { value: sql, place: sql_node.place.clone() };
    Some(AthenaStep { catalog, database, sql, params: Vec::new() })
}
