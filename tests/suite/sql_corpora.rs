//! Reads the SQL corpora that `TOLLGATE_CORPORA` names, if it is set: what must be read, what must not, and the names found.
//! The statements are not part of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use tollgate::core::sql::kind::StatementKind;
use tollgate::core::sql::syntax::{Syntax, syntax};

/// A statement and what Trino's own grammar found in it, as written.
#[derive(Deserialize)]
struct Row {
    id: String,
    sql: String,
    #[serde(default)]
    tables: BTreeSet<String>,
    #[serde(default)]
    columns: BTreeSet<String>,
    #[serde(default)]
    functions: BTreeSet<String>,
    #[serde(default)]
    ctes: BTreeSet<String>,
}

/// The rows of one file; `None`, with a notice, where the corpora are not at hand.
fn corpus(name: &str) -> Option<Vec<Row>> {
    let Some(folder) = std::env::var_os("TOLLGATE_CORPORA") else {
        eprintln!("skipped: TOLLGATE_CORPORA is not set");
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A name without quotes, in lower case.
fn plain(name: &str) -> String {
    name.trim_matches('"').to_lowercase()
}

fn without(names: &BTreeSet<String>, ctes: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().filter(|name| !ctes.iter().any(|cte| plain(cte) == plain(name))).cloned().collect()
}

/// What differs between what was found and what the grammar found. Names of WITH queries are left out on both sides: the corpora
/// list references to them among the tables.
fn difference(row: &Row, found: &Syntax) -> Option<String> {
    let names = match found {
        Syntax::Parsed(names) => names,
        Syntax::Failed(failure) => return Some(format!("{:?}", failure.error)),
    };
    let tables = without(&names.tables.iter().cloned().collect(), &row.ctes);
    let expected = without(&row.tables, &row.ctes);
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    let mut out = String::new();
    for (what, ours, theirs) in [
        ("tables", tables, expected),
        ("columns", set(&names.columns), row.columns.clone()),
        ("functions", set(&names.functions), row.functions.clone()),
    ] {
        if ours != theirs {
            out.push_str(&format!("{what}: ours {ours:?}, grammar's {theirs:?}\n"));
        }
    }
    (!out.is_empty()).then_some(out)
}

fn names_are_right(file: &str, least_read: f64) {
    let Some(rows) = corpus(file) else { return };
    let mut read = 0usize;
    let mut wrong = Vec::new();
    for row in &rows {
        let found = syntax(&row.sql);
        let parsed = matches!(found, Syntax::Parsed(_));
        read += usize::from(parsed);
        if let Some(difference) = difference(row, &found)
            && (parsed || least_read >= 1.0 || std::env::var_os("TOLLGATE_SHOW").is_some())
        {
            wrong.push(format!("{}: {difference}  {}", row.id, row.sql.replace('\n', "\n  ")));
        }
    }
    let share = read as f64 / rows.len() as f64;
    eprintln!("{file}: {read} of {} read ({:.2} %), {} with other names", rows.len(), share * 100.0, wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(share >= least_read, "{share}");
}

#[test]
fn all_real_reads_are_read() {
    names_are_right("reads-real.jsonl", 1.0);
}

#[test]
fn reads_of_tests_are_read() {
    names_are_right("reads-tests.jsonl", 0.97);
}

#[test]
fn what_the_grammar_rejects_is_rejected() {
    let Some(rows) = corpus("reads-rejected.jsonl") else { return };
    let accepted: Vec<&Row> = rows.iter().filter(|row| matches!(syntax(&row.sql), Syntax::Parsed(_))).collect();
    eprintln!("reads-rejected.jsonl: {} of {} accepted", accepted.len(), rows.len());
    for row in &accepted {
        eprintln!("  {}: {}", row.id, row.sql.replace('\n', "\n    "));
    }
    assert!(accepted.len() < 100);
}

#[test]
fn other_statements_are_named_and_are_no_reads() {
    for file in ["other-valid.jsonl", "other-not-trino.jsonl"] {
        let Some(rows) = corpus(file) else { return };
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut reads = Vec::new();
        for row in &rows {
            let (kind, parsed) = match syntax(&row.sql) {
                Syntax::Parsed(names) => (names.statement, true),
                Syntax::Failed(failure) => (failure.statement, false),
            };
            *kinds.entry(kind.name()).or_default() += 1;
            let read = parsed && kind == StatementKind::Select;
            let unnamed = file == "other-valid.jsonl" && matches!(kind, StatementKind::Unknown | StatementKind::Select);
            if read || unnamed {
                reads.push(format!("{}: {kind}: {}", row.id, row.sql));
            }
        }
        eprintln!("{file}: {kinds:?}");
        assert!(reads.is_empty(), "{}", reads.join("\n"));
    }
}
