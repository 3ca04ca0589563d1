//! Our reading of SQL against what a real Trino server said of the same statements. The judged statements are not part of this
//! repository: `TOLLGATE_CORPORA` names their folder; without it these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tollgate::core::sql::analysis::{Analysis, ColumnId, TableId};
use tollgate::core::sql::coercion;
use tollgate::core::sql::functions::{self, Argument, Unbound};
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, StoredView, World, WorldColumn, WorldTable};

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("TOLLGATE_CORPORA is not set: the judged statements are left out");
    }
    folder
}

fn rows(folder: &Path, name: &str) -> Vec<Value> {
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

/// The catalogs of the corpora as one world.
fn world(folder: &Path, files: &[&str]) -> World {
    let mut world = World::new();
    for file in files {
        let text = std::fs::read_to_string(folder.join("catalogs").join(format!("{file}.yaml"))).unwrap();
        let catalog: Value = serde_saphyr::from_str(&text).unwrap();
        let name = catalog["name"].as_str().unwrap();
        world.add_catalog(name);
        for (table, facts) in catalog["tables"].as_object().unwrap() {
            let (schema, table) = table.split_once('.').unwrap();
            let columns = |key: &str| -> Vec<WorldColumn> {
                let listed = facts[key].as_array().cloned().unwrap_or_default();
                listed
                    .iter()
                    .map(|column| WorldColumn {
                        name: column["name"].as_str().unwrap().to_lowercase().into(),
                        kind: Type::parse(column["type"].as_str().unwrap()),
                    })
                    .collect()
            };
            let keys = columns("partition_keys");
            let mut all = columns("columns");
            let partition_keys = keys.len();
            all.extend(keys);
            for column in &all {
                assert!(column.kind.is_some(), "{schema}.{table}.{}", column.name);
            }
            let view = facts["view"].as_str().map(StoredView::new);
            world.add_table(name, schema, table, WorldTable { columns: all, partition_keys, view });
        }
    }
    world
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_default()
}

fn session(row: &Value) -> Session {
    Session { catalog: text(row, "catalog").to_owned(), schema: Some(text(row, "database").to_owned()), parameters: Vec::new() }
}

/// The outcome for one statement: what it is, or the error with line and column.
fn judge(world: &World, row: &Value) -> Result<Analysis, (String, Option<(u32, u32)>, String)> {
    let sql = text(row, "sql");
    let parsed = parse(sql).map_err(|error| {
        ("SYNTAX_ERROR".to_owned(), Some((error.position.line, error.position.column)), error.reason.to_string())
    })?;
    analyse(&parsed.statement, world, &session(row)).map_err(|error| {
        let place = error.span.map(|span| {
            let position = parsed.tokens.location(span);
            (position.line, position.column)
        });
        (error.code.to_owned(), place, error.message)
    })
}

/// Names of tables as the corpora have them: two parts in the statement's own catalog.
fn table_name(analysis: &Analysis, table: TableId, catalog: &str) -> String {
    let table = &analysis.tables[table.0 as usize];
    if table.catalog == catalog {
        format!("{}.{}", table.schema, table.name)
    } else {
        format!("{}.{}.{}", table.catalog, table.schema, table.name)
    }
}

/// Columns read by table, fields counted as their columns.
fn reads(analysis: &Analysis, catalog: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (index, _) in analysis.tables.iter().enumerate() {
        reads.entry(table_name(analysis, TableId(index as u32), catalog)).or_default();
    }
    for column in analysis.columns.iter().filter(|column| column.read) {
        reads.entry(table_name(analysis, column.table, catalog)).or_default().insert(column.path[0].clone());
    }
    reads
}

fn source_name(analysis: &Analysis, column: ColumnId, catalog: &str) -> String {
    let column = &analysis.columns[column.0 as usize];
    format!("{}.{}", table_name(analysis, column.table, catalog), column.path[0])
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().map(|list| list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()).unwrap_or_default()
}

/// Prints the first few of each kind of difference; `TOLLGATE_SHOW` says how many.
fn show(title: &str, lines: &[String]) {
    let count = std::env::var("TOLLGATE_SHOW").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    eprintln!("  {title}: {}", lines.len());
    for line in lines.iter().take(count) {
        eprintln!("    {}", line.replace('\n', " "));
    }
}

/// What was counted of the statements of one source.
#[derive(Default)]
struct Tally {
    statements: usize,
    analysed: usize,
    fewer: usize,
    more: usize,
    names: usize,
    kinds: usize,
    sources: usize,
}

/// The source of a statement: its id up to the last colon, without what kind of change was made.
fn origin(row: &Value) -> String {
    let id = text(row, "id");
    id.rsplit_once(':').map_or(id, |(origin, _)| origin).to_owned()
}

fn print_table(title: &str, heads: &[&str], lines: &[(String, Vec<usize>)]) {
    eprintln!("{title}");
    eprintln!("| {:<24} | {} |", "source", heads.join(" | "));
    let mut totals = vec![0; heads.len()];
    for (origin, counts) in lines {
        let cells: Vec<String> =
            counts.iter().zip(heads).map(|(count, head)| format!("{count:>width$}", width = head.len())).collect();
        eprintln!("| {origin:<24} | {} |", cells.join(" | "));
        for (total, count) in totals.iter_mut().zip(counts) {
            *total += count;
        }
    }
    let cells: Vec<String> =
        totals.iter().zip(heads).map(|(count, head)| format!("{count:>width$}", width = head.len())).collect();
    eprintln!("| {:<24} | {} |", "all", cells.join(" | "));
}

const WORLD: [&str; 6] = ["tpch", "tpcds", "system", "lake", "tests", "tpchstd"];

#[test]
fn statements_say_what_the_server_says() {
    let Some(folder) = corpora() else { return };
    let world = world(&folder, &WORLD);
    let rows = rows(&folder, "analyzed.jsonl");
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut all, mut analysed) = (0, 0);
    let (mut refused, mut fewer, mut more, mut names, mut kinds, mut sources) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let newer = row["newer"].as_bool() == Some(true);
        all += usize::from(!newer);
        let tally = tallies.entry(origin(row)).or_default();
        tally.statements += usize::from(!newer);
        let catalog = text(row, "catalog");
        let head = || format!("{} [{}]: {}", text(row, "id"), catalog, text(row, "sql"));
        let analysis = match judge(&world, row) {
            Ok(analysis) => analysis,
            Err((code, place, message)) => {
                if !newer {
                    refused.push(format!("{code} {place:?} {message} | {}", head()));
                }
                continue;
            }
        };
        analysed += usize::from(!newer);
        tally.analysed += usize::from(!newer);
        let ours = reads(&analysis, catalog);
        let mut missing = Vec::new();
        let mut extra = Vec::new();
        for (table, columns) in row["reads"].as_object().unwrap() {
            let theirs = strings(columns);
            match ours.get(table) {
                None => missing.push(table.clone()),
                Some(own) => {
                    missing.extend(theirs.difference(own).map(|column| format!("{table}.{column}")));
                    extra.extend(own.difference(&theirs).map(|column| format!("{table}.{column}")));
                }
            }
        }
        extra.extend(ours.keys().filter(|table| row["reads"].get(table.as_str()).is_none()).cloned());
        tally.fewer += usize::from(!missing.is_empty());
        tally.more += usize::from(!extra.is_empty());
        if !missing.is_empty() {
            fewer.push(format!("{missing:?} | {}", head()));
        }
        if !extra.is_empty() {
            more.push(format!("{extra:?} | {}", head()));
        }
        let output = row["output"].as_array().unwrap();
        // The server invents `_col0`, `_col1`, …
        let their_names: Vec<Option<String>> = output
            .iter()
            .enumerate()
            .map(|(index, column)| column["name"].as_str().map(str::to_lowercase).filter(|name| *name != format!("_col{index}")))
            .collect();
        let our_names: Vec<Option<String>> =
            analysis.output.iter().map(|column| column.name.as_deref().map(str::to_lowercase)).collect();
        if their_names != our_names {
            tally.names += 1;
            names.push(format!("{our_names:?} not {their_names:?} | {}", head()));
            continue;
        }
        let (kinds_before, sources_before) = (kinds.len(), sources.len());
        for (index, (column, own)) in output.iter().zip(&analysis.output).enumerate() {
            if own.kind.to_string().to_lowercase() != text(column, "type").to_lowercase() {
                kinds.push(format!("{index}: {} not {} | {}", own.kind, text(column, "type"), head()));
            }
        }
        let decides: BTreeSet<String> =
            analysis.influences.iter().map(|influence| source_name(&analysis, influence.column, catalog)).collect();
        for (index, (theirs, own)) in row["sources"].as_array().unwrap().iter().zip(&analysis.output).enumerate() {
            let own: BTreeSet<String> = own
                .sources
                .iter()
                .map(|source| source_name(&analysis, source.column, catalog))
                .chain(decides.iter().cloned())
                .collect();
            let missing: Vec<String> = strings(theirs).difference(&own).cloned().collect();
            if !missing.is_empty() {
                sources.push(format!("{index}: {missing:?} | {}", head()));
            }
        }
        let flowing: BTreeSet<String> = analysis
            .output
            .iter()
            .flat_map(|output| &output.sources)
            .map(|source| source_name(&analysis, source.column, catalog))
            .collect();
        let unseen: Vec<String> = strings(&row["filters_on"])
            .into_iter()
            .filter(|column| !decides.contains(column) && !flowing.contains(column))
            .collect();
        if !unseen.is_empty() {
            sources.push(format!("filters_on {unseen:?} | {}", head()));
        }
        tally.kinds += usize::from(kinds.len() > kinds_before);
        tally.sources += usize::from(sources.len() > sources_before);
    }
    let lines: Vec<(String, Vec<usize>)> = tallies
        .into_iter()
        .map(|(origin, t)| (origin, vec![t.statements, t.analysed, t.fewer, t.more, t.names, t.kinds, t.sources]))
        .collect();
    let heads = ["statements", "analysed", "reads fewer", "reads more", "other names", "other types", "fewer sources"];
    print_table("analyzed.jsonl", &heads, &lines);
    eprintln!("analysed: {analysed} of {all}");
    show("refused", &refused);
    show("reads fewer", &fewer);
    show("reads more", &more);
    show("other output names", &names);
    show("other types", &kinds);
    show("fewer sources", &sources);
    assert!(analysed * 100 >= all * 99, "{analysed} of {all}");
    assert!(fewer.is_empty() && names.is_empty() && sources.is_empty());
}

#[test]
fn misnamed_statements_are_refused_as_the_server_refuses_them() {
    let Some(folder) = corpora() else { return };
    let world = world(&folder, &WORLD);
    let rows = rows(&folder, "misnamed.jsonl");
    let mut tallies: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let (mut accepted, mut code, mut place) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let before = (accepted.len(), code.len(), place.len());
        let head = || format!("{} [{}]: {}", text(row, "id"), text(row, "spoilt"), text(row, "sql"));
        let error = &row["error"];
        match judge(&world, row) {
            Ok(_) => accepted.push(format!("{} {} | {}", text(error, "code"), text(error, "message"), head())),
            Err((own, at, message)) => {
                let theirs =
                    error["line"].as_u64().zip(error["column"].as_u64()).map(|(line, column)| (line as u32, column as u32));
                if own != text(error, "code") {
                    code.push(format!(
                        "{own} ({message}) not {} {theirs:?} {} | {}",
                        text(error, "code"),
                        text(error, "message"),
                        head()
                    ));
                } else if at != theirs {
                    place.push(format!("{at:?} not {theirs:?} {own} {} | {}", text(error, "message"), head()));
                }
            }
        }
        let spoilt = if text(row, "spoilt").is_empty() { "as they are" } else { text(row, "spoilt") };
        let tally = tallies.entry(spoilt.to_owned()).or_insert_with(|| vec![0; 4]);
        let now = [1, accepted.len() - before.0, code.len() - before.1, place.len() - before.2];
        for (sum, one) in tally.iter_mut().zip(now) {
            *sum += one;
        }
    }
    let all = rows.len();
    let lines: Vec<(String, Vec<usize>)> = tallies.into_iter().collect();
    print_table("misnamed.jsonl, by what was spoilt", &["statements", "accepted", "other code", "other place"], &lines);
    eprintln!(
        "misnamed: {} of {all} refused, {} with the same code, {} at the same place",
        all - accepted.len(),
        all - accepted.len() - code.len(),
        all - accepted.len() - code.len() - place.len()
    );
    show("accepted", &accepted);
    show("other code", &code);
    show("other place", &place);
    assert!(accepted.is_empty());
    assert!((all - code.len()) * 100 >= all * 95 && (all - code.len() - place.len()) * 100 >= all * 90);
}

#[test]
fn every_word_is_an_alias_or_is_reserved() {
    let Some(folder) = corpora() else { return };
    let words: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("keywords.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut all = 0;
    for (key, free) in [("reserved", false), ("nonreserved", true)] {
        for word in words[key].as_array().unwrap() {
            let word = word.as_str().unwrap();
            all += 1;
            if parse(&format!("SELECT 1 AS {word}")).is_ok() != free {
                wrong.push(word.to_owned());
            }
        }
    }
    eprintln!("keywords: {} of {all} as the server has them", all - wrong.len());
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn attacks_on_people_are_seen_or_refused() {
    let Some(folder) = corpora() else { return };
    let wide = world(&folder, &["people-wide"]);
    let attacks: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(folder.join("attacks.json")).unwrap()).unwrap();
    let (mut seen, mut refused, mut missed) = (0, Vec::new(), Vec::new());
    for attack in &attacks {
        let row = serde_json::json!({ "sql": attack["sql"], "catalog": "awsdatacatalog", "database": "db" });
        match judge(&wide, &row) {
            Err((code, _, message)) => refused.push(format!("{code} {message} | {}", text(attack, "sql"))),
            Ok(analysis) => {
                let wanted = if text(attack, "name") == "keyword_name_user" { "user" } else { "ssn" };
                let counts = |column: ColumnId| analysis.columns[column.0 as usize].path.iter().any(|part| part == wanted);
                let found = analysis.output.iter().flat_map(|output| &output.sources).any(|source| counts(source.column))
                    || analysis.influences.iter().any(|influence| counts(influence.column));
                if found {
                    seen += 1;
                } else {
                    missed.push(text(attack, "sql").to_owned());
                }
            }
        }
    }
    eprintln!("attacks: {seen} of {} seen, {} refused", attacks.len(), refused.len());
    show("refused", &refused);
    show("missed", &missed);
    assert!(missed.is_empty());
    assert!(seen * 100 >= attacks.len() * 75);
}

#[test]
fn lineage_is_exact() {
    let Some(folder) = corpora() else { return };
    let people = world(&folder, &["people"]);
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("lineage.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let cases = cases["cases"].as_array().unwrap();
    for case in cases {
        let row = serde_json::json!({ "sql": case["sql"], "catalog": "awsdatacatalog", "database": "db" });
        let analysis = match judge(&people, &row) {
            Ok(analysis) => analysis,
            Err(error) => {
                if !case["out"].is_null() {
                    wrong.push(format!("{error:?} | {}", text(case, "sql")));
                }
                continue;
            }
        };
        let is_ssn = |column: ColumnId| {
            let column = &analysis.columns[column.0 as usize];
            analysis.tables[column.table.0 as usize].name == "people" && column.path == ["ssn"]
        };
        let out: Vec<u64> = analysis
            .output
            .iter()
            .enumerate()
            .filter(|(_, output)| output.sources.iter().any(|source| is_ssn(source.column)))
            .map(|(index, _)| index as u64)
            .collect();
        let wanted: Option<Vec<u64>> = case["out"].as_array().map(|list| list.iter().filter_map(Value::as_u64).collect());
        let infers = analysis.influences.iter().any(|influence| is_ssn(influence.column));
        // The label is about influence alone where the column also flows, except for set operations.
        let alone = infers && out.is_empty();
        let missed = case["infer"].as_bool().is_some_and(|infer| if infer { !infers } else { alone });
        if wanted.is_some_and(|wanted| wanted != out) || missed {
            wrong.push(format!("{out:?} {infers}, not {} {} | {}", case["out"], case["infer"], text(case, "sql")));
        }
    }
    eprintln!("lineage: {} of {} exact", cases.len() - wrong.len(), cases.len());
    show("wrong", &wrong);
    assert!(wrong.is_empty());
}
