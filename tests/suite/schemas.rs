//! The JSON Schemas: what is shipped and what is printed fits them. The few keywords that they use are checked here.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tollgate::core::book::schema::{BOOK, CATALOG, RUNBOOK};
use tollgate::core::evidence::{GENESIS, seal};
use tollgate::core::run::{Actor, EventBody};

use super::shipped;

/// What does not fit, as `path: what`.
fn misfits(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        if schema == &json!(false) {
            found.push(format!("{path}: nothing is allowed here"));
        }
        return;
    };
    for (keyword, wanted) in schema {
        match keyword.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                misfits(root, root.pointer(pointer).unwrap(), value, path, found);
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                let fits = match wanted {
                    Value::String(name) => is(name),
                    names => names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap())),
                };
                if !fits {
                    found.push(format!("{path}: {value} is not {wanted}"));
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(value) => found.push(format!("{path}: {value} is none of {wanted}")),
            "const" if wanted != value => found.push(format!("{path}: {value} is not {wanted}")),
            "required" => {
                let missing = |key: &&Value| value.as_object().is_some_and(|object| !object.contains_key(key.as_str().unwrap()));
                found.extend(wanted.as_array().unwrap().iter().filter(missing).map(|key| format!("{path}: {key} is missing")));
            }
            "properties" => {
                for (key, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        misfits(root, schema, value, &format!("{path}.{key}"), found);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, value) in value.as_object().into_iter().flatten() {
                    if !known.is_some_and(|known| known.contains_key(key)) {
                        misfits(root, wanted, value, &format!("{path}.{key}"), found);
                    }
                }
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    misfits(root, wanted, value, &format!("{path}[{index}]"), found);
                }
            }
            "anyOf" | "oneOf" => {
                let fits = |schema: &&Value| {
                    let mut inside = Vec::new();
                    misfits(root, schema, value, path, &mut inside);
                    inside.is_empty()
                };
                let count = wanted.as_array().unwrap().iter().filter(fits).count();
                if count == 0 || (keyword == "oneOf" && count > 1) {
                    found.push(format!("{path}: fits {count} of {keyword}"));
                }
            }
            "allOf" => wanted.as_array().unwrap().iter().for_each(|schema| misfits(root, schema, value, path, found)),
            _ => {}
        }
    }
}

fn check(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    misfits(schema, schema, value, "$", &mut found);
    found
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn shipped_files_fit_their_schemas() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for folder in ["runbooks", "tests/books/valid"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let of = |key: &str| text.lines().any(|line| line.starts_with(&format!("{key}: v1")));
            let (name, schema) = match (of("tollgate"), of("runbook"), of("catalog")) {
                (true, _, _) => ("book", schema(BOOK)),
                (_, true, _) => ("runbook", schema(RUNBOOK)),
                (_, _, true) => ("catalog", schema(CATALOG)),
                _ => continue,
            };
            let value: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(check(&schema, &value), Vec::<String>::new(), "{}", path.display());
            if folder == "runbooks" {
                let line = format!("# yaml-language-server: $schema=../docs/schema/{name}.json");
                assert_eq!(text.lines().next(), Some(line.as_str()), "{}", path.display());
            }
            count += 1;
        }
    }
    assert!(count >= 12);
}

#[test]
fn schemas_refuse_what_does_not_fit() {
    let runbook = schema(RUNBOOK);
    for wrong in [
        json!({"runbook": "v2"}),
        json!({"runbook": "v1", "id": "x", "steeps": []}),
        json!({"runbook": "v1", "id": "x", "title": "x", "access": {"target": "t"}, "steps": [{"id": "a", "athena": "SELECT 1"}]}),
    ] {
        assert_ne!(check(&runbook, &wrong), Vec::<String>::new(), "{wrong}");
    }
}

#[test]
fn plans_and_events_fit_their_schemas() {
    let (shelf, facts) = (shipped::shelf(), shipped::own_facts());
    let of_plan = tollgate::core::plan::schema::schema();
    let of_event = tollgate::core::run::schema::schema();
    let actor = Actor { name: "ana".to_owned(), uid: 1000, arn: None, host: "bastion-1".to_owned() };
    for (id, inputs) in shelf
        .runbooks
        .keys()
        .map(|id| (id, [].as_slice()))
        .chain([(&"access-key-usage".to_owned(), [("since", "-30d")].as_slice())])
    {
        let plan = shipped::plan(&shelf, &facts, id, inputs);
        let digest = plan.digest().unwrap();
        let output = json!({"digest": digest, "plan": plan});
        assert_eq!(check(&of_plan, &output), Vec::<String>::new(), "{id}");
        let body = EventBody::RequestSent {
            request: plan.request.clone(),
            digest: digest.0,
            plan: Box::new(plan),
            reason: "a test".to_owned(),
            incident: None,
            walk_from: "now".to_owned(),
        };
        let event = seal("01J00000000000000000000000", 1, tollgate::core::units::Timestamp(0), &actor, body, GENESIS).unwrap();
        let event = serde_json::to_value(&event).unwrap();
        assert_eq!(check(&of_event, &event), Vec::<String>::new(), "{id}");
        let mut unknown = event.clone();
        unknown["kind"] = json!("request.dreamt");
        assert_ne!(check(&of_event, &unknown), Vec::<String>::new());
    }
}

/// Each kind of event that the contract names is in the schema, and no other.
#[test]
fn the_event_schema_has_every_kind() {
    let schema = tollgate::core::run::schema::schema();
    let kinds: Vec<&str> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|variant| variant["properties"]["kind"]["const"].as_str())
        .collect();
    for kind in "run.created request.sent request.escalated request.lapsed request.cancelled request.approved request.denied vote.cast \
                 access.started mint.intended mint.issued mint.failed mint.unknown step.entered step.skipped step.finished \
                 confirm.answered choice.made warning.accepted execution.intended execution.started execution.finished \
                 execution.stopped execution.indeterminate rows.fetched capture.taken estimate.made drift.found fix.applied stop.asked \
                 keys.dropped note.added export.written identity.switched driver.taken driver.left clock.corrected access.ended \
                 access.revoked run.closed run.cancelled"
        .split_whitespace()
    {
        assert!(kinds.contains(&kind), "{kind}");
    }
}
