//! The corpus of books: every valid file loads, every invalid one is refused in exactly these words.
//!
//! `TOLLGATE_BLESS=1` writes the `.expected` files anew; read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tollgate::core::book::{Book, BookSource, CatalogFile, Problem, SourceFile, load, read_book};
use tollgate::core::catalog::read_catalog;
use tollgate::core::runbook::{DynamodbStep, OnFailure, ParamType, Runbook, StepKind, read_runbook};
use tollgate::core::units::{Bytes, Millis};

fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/books").join(part)
}

/// Files of a folder with one of these extensions, sorted by name.
fn files(folder: &Path, extensions: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted)))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect::<Vec<_>>().join("\n")
}

fn book() -> Book {
    let bytes = fs::read(corpus("valid").join("tollgate.yaml")).unwrap();
    read_book("tollgate.yaml", &bytes).whole().unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

fn runbook(name: &str) -> Runbook {
    let bytes = fs::read(corpus("valid").join(name)).unwrap();
    read_runbook(name, &bytes, Some(&book())).whole().unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

#[test]
fn valid_books_load() {
    let source = BookSource {
        files: files(&corpus("valid"), &["yaml", "yml"])
            .into_iter()
            .map(|(name, bytes)| SourceFile { name, bytes: bytes.into() })
            .collect(),
        ..BookSource::default()
    };
    let loaded = load(&source);
    let errors: Vec<_> = loaded.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
    assert!(errors.is_empty(), "{}", shown(&errors));
    assert!(loaded.runbooks.len() == 4, "{:?}", loaded.runbooks.keys());
    assert!(loaded.problems.iter().any(|problem| problem.message.contains("${sandbox}/catalog.yaml")), "{:?}", loaded.problems);
}

#[test]
fn the_example_says_what_it_says() {
    let (book, runbook) = (book(), runbook("checkout-errors.yaml"));
    assert_eq!(book.people(&runbook.access.from), ["lea", "max"]);
    assert_eq!(book.guardrails.athena.max_scan.set_in().unwrap(), "tollgate.yaml:50");
    assert_eq!(runbook.guardrails.athena.max_scan.value, Some(Bytes(2_000_000_000)));
    assert_eq!(runbook.guardrails.athena.max_run_scan.value, Some(Bytes(100_000_000_000)));
    assert_eq!(runbook.guardrails.athena.max_scan.set_in().unwrap(), "checkout-errors.yaml:24");
    assert_eq!(runbook.access.duration, Millis::from_mins(15));
    assert!(runbook.access.incident_required);
    let target = &book.targets["shop-readonly"];
    assert_eq!(target.athena.as_ref().unwrap().workgroups[0].cutoff, Bytes(1_000_000_000));
    assert_eq!(target.price.dynamodb_read_million.unwrap().0, 125_000);
    let kinds: Vec<_> = runbook.steps.iter().map(|step| step.kind.word()).collect();
    assert_eq!(kinds, ["athena", "dynamodb", "confirm", "choose", "athena", "note"]);
    let StepKind::Athena(errors) = &runbook.steps[0].kind else { panic!() };
    assert_eq!(errors.params, ["day", "status"]);
    assert_eq!((errors.sql.place.line, errors.sql.place.column), (34, 9));
    assert!(matches!(&runbook.steps[0].on_failure, OnFailure::Goto(goto) if goto.step == "widen"));
    assert!(matches!(runbook.param_type("worst"), Some(ParamType::String { pattern: Some(_), .. })));
    assert!(matches!(&runbook.steps[1].kind, StepKind::Dynamodb(DynamodbStep::Get(get)) if get.project.len() == 5));
}

/// One file, one mistake: what is said of it is compared as a whole.
#[test]
fn invalid_files_are_refused_in_these_words() {
    let folder = corpus("invalid");
    let (book, bless) = (book(), std::env::var_os("TOLLGATE_BLESS").is_some());
    let mut differences = Vec::new();
    let cases = files(&folder, &["yaml"]);
    for (name, bytes) in &cases {
        let text = String::from_utf8_lossy(bytes);
        let problems = match text.lines().find(|line| !line.starts_with('#')).and_then(|line| line.split(':').next()) {
            Some("tollgate") => read_book(name, bytes).problems,
            Some("catalog") => read_catalog(name, bytes, "").problems,
            _ => read_runbook(name, bytes, Some(&book)).problems,
        };
        let said = shown(&problems);
        if problems.iter().filter(|problem| problem.is_error()).count() != 1 {
            differences.push(format!("{name}: one mistake was meant, this was found:\n{said}"));
        }
        let expected = folder.join(name).with_extension("expected");
        if bless {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&said) {
            differences.push(format!("{name}:\n{said}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(cases.len() >= 40, "{} cases", cases.len());
}

/// Nobody should have to guess what to do.
#[test]
fn every_problem_says_what_to_do() {
    for (name, bytes) in files(&corpus("invalid"), &["expected"]) {
        assert!(String::from_utf8(bytes).unwrap().contains("\n  fix: "), "{name}");
    }
}

/// Every cut of a valid file, and every line of it lost, gives problems or a value, never a panic.
#[test]
fn damaged_files_never_panic() {
    let book = book();
    for (name, bytes) in files(&corpus("valid"), &["yaml", "yml"]) {
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let without = (0..lines.len()).map(|lost| {
            let kept: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| *line).collect();
            kept.join("\n")
        });
        let cut = (0..text.len()).step_by(7).filter_map(|end| text.get(..end).map(str::to_owned));
        for damaged in without.chain(cut) {
            let problems = match name.as_str() {
                "tollgate.yaml" => read_book(&name, damaged.as_bytes()).problems,
                _ => read_runbook(&name, damaged.as_bytes(), Some(&book)).problems,
            };
            for problem in problems {
                assert!(problem.line as usize <= lines.len(), "{problem}");
                assert!(!problem.to_string().chars().any(|c| c.is_control() && c != '\n'), "{problem}");
            }
        }
    }
}

#[test]
fn a_catalog_that_is_there_is_read_and_a_missing_one_is_a_notice() {
    let facts = b"catalog: v1\nname: lake\ntables:\n  a.b: { columns: [{ name: Id, type: bigint }] }\n";
    let later = b"catalog: v1\nname: lake\ntables:\n  A.B: { columns: [{ name: other, type: bigint }] }\n";
    let yaml = b"tollgate: v1\nname: x\ncatalog: [one.yaml, two.yaml, three.yaml]\n";
    let file = |name: &str, bytes: &[u8]| SourceFile { name: name.to_owned(), bytes: Arc::from(bytes) };
    let found = |name: &str, bytes: &[u8]| CatalogFile::Found { file: file(name, bytes), base: String::new() };
    let source = BookSource {
        files: vec![file("tollgate.yaml", yaml)],
        catalogs: [
            ("one.yaml".to_owned(), found("one.yaml", facts)),
            ("two.yaml".to_owned(), found("two.yaml", later)),
            ("three.yaml".to_owned(), CatalogFile::Missing("there is no such file".to_owned())),
        ]
        .into(),
        ..BookSource::default()
    };
    let loaded = load(&source);
    assert!(!loaded.has_errors());
    assert_eq!(loaded.catalog.table(None, "a.B").unwrap().columns[0].name, "other");
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!((loaded.problems[0].line, loaded.problems[0].column), (3, 31));
}

fn shipped() -> tollgate::core::book::LoadedBook {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let files: Vec<SourceFile> =
        files(&folder, &["yaml"]).into_iter().map(|(name, bytes)| SourceFile { name, bytes: bytes.into() }).collect();
    let facts = files.iter().find(|file| file.name == "catalog.yaml").unwrap().clone();
    let catalogs = [("catalog.yaml".to_owned(), CatalogFile::Found { file: facts, base: String::new() })].into();
    load(&BookSource { files, catalogs, ..BookSource::default() })
}

#[test]
fn the_shipped_book_loads() {
    let loaded = shipped();
    assert!(!loaded.has_errors(), "{}", shown(&loaded.problems));
    assert!(loaded.runbooks.len() >= 5);
    for (id, runbook) in &loaded.runbooks {
        let runbook = &runbook.runbook;
        assert!(!runbook.summary.is_empty() && !runbook.owners.is_empty(), "{id} does not say what it is for, or who keeps it");
        // Guided: whoever reads a result at night is told what to look for.
        let mute = runbook.steps.iter().filter(|step| step.kind.executes() && step.note.is_none());
        assert_eq!(mute.map(|step| step.id.to_string()).collect::<Vec<_>>(), Vec::<String>::new(), "{id}");
        // Started with Enter alone, apart from the reason.
        assert!(runbook.inputs.values().all(|input| input.default.is_some() || input.optional), "{id}");
    }
}

/// The book's own copy of the schema must not grow apart from what the sandbox writes.
#[cfg(feature = "sandbox")]
#[test]
fn the_shipped_catalog_is_the_sandboxs() {
    use tollgate::sandbox::dataset::schema::{Column, TABLES};

    let catalog = shipped().catalog;
    assert_eq!(catalog.catalogs[&catalog.name].tables.len(), TABLES.len());
    let columns = |columns: &[Column]| {
        let tags = |column: &Column| column.tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        columns.iter().map(|column| (column.name.to_owned(), column.trino.to_owned(), tags(column))).collect::<Vec<_>>()
    };
    let found = |columns: &[tollgate::core::catalog::Column]| {
        columns.iter().map(|c| (c.name.clone(), c.column_type.clone(), c.tags.value.clone())).collect::<Vec<_>>()
    };
    for table in TABLES {
        let facts = catalog.table(None, &table.full_name()).unwrap_or_else(|| panic!("{} is missing", table.full_name()));
        assert_eq!(facts.location.as_deref(), Some(table.location().as_str()));
        assert_eq!(found(&facts.columns), columns(table.columns), "{}", table.full_name());
        assert_eq!(found(&facts.partition_keys), columns(table.partition_keys), "{}", table.full_name());
    }
}
