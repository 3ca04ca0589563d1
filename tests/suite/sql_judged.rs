//! Our reading of SQL against what a real Trino server said of the same statements. The judged statements are not part of this
//! repository: `TOLLGATE_CORPORA` names their folder; without it these tests say so and pass.

use std::path::PathBuf;

use tollgate::core::sql::coercion;
use tollgate::core::sql::functions::{self, Argument, Unbound};
use tollgate::core::sql::types::Type;

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("TOLLGATE_CORPORA is not set: the judged statements are left out");
    }
    folder
}

fn rows(folder: &std::path::Path, name: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn code<E>(error: Unbound<E>, not_found: &'static str) -> &'static str {
    match error {
        Unbound::NotFound => not_found,
        Unbound::Ambiguous => "AMBIGUOUS_FUNCTION_CALL",
        Unbound::NoType => "TYPE_NOT_FOUND",
        Unbound::Lambda(_) => "LAMBDA",
    }
}

fn operator(op: &str, left: &Type, right: &Type) -> Result<Type, &'static str> {
    match op {
        "=" | "<" => coercion::common_type(left, right)
            .filter(|common| if op == "=" { common.is_comparable() } else { common.is_orderable() })
            .map(|_| Type::Boolean)
            .ok_or("TYPE_MISMATCH"),
        "coalesce" => coercion::common_type(left, right).ok_or("TYPE_MISMATCH"),
        "cast" => coercion::casts(left, right).then(|| right.clone()).ok_or("TYPE_MISMATCH"),
        "||" => functions::function("concat")
            .unwrap()
            .bind::<()>(&[Argument::Value(left.clone()), Argument::Value(right.clone())], &mut |_, _| Err(()))
            .map(|bound| bound.result)
            .map_err(|error| code(error, "FUNCTION_NOT_FOUND")),
        _ => functions::operator(op, &[left.clone(), right.clone()])
            .map(|bound| bound.result)
            .map_err(|error| code(error, "TYPE_MISMATCH")),
    }
}

#[test]
fn operators_give_what_the_server_gives() {
    let Some(folder) = corpora() else { return };
    let (mut right, mut wrong) = (0, Vec::new());
    for row in rows(&folder, "operators.jsonl") {
        let text = |key: &str| row.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let (left, second) = (Type::parse(&text("left")).unwrap(), Type::parse(&text("right")).unwrap());
        let ours = operator(&text("op"), &left, &second).map(|kind| kind.to_string());
        let theirs = if text("type").is_empty() { Err(text("error")) } else { Ok(text("type")) };
        if ours.clone().map_err(str::to_owned) == theirs {
            right += 1;
        } else {
            wrong.push(format!("{left} {} {second}: ours {ours:?}, the server's {theirs:?}", text("op")));
        }
    }
    let all = right + wrong.len();
    eprintln!("operators: {right} of {all} as the server has them");
    for line in wrong.iter().take(40) {
        eprintln!("  {line}");
    }
    assert!(right * 1000 >= all * 995, "{right} of {all}");
}
