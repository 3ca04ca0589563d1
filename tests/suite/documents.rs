//! The documents: their examples load, their commands exist, their links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use tollgate::cli::args::Cli;
use tollgate::core::book::{Problem, read_book};
use tollgate::core::catalog::read_catalog;
use tollgate::core::runbook::read_runbook;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document for people, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].iter().map(|name| root().join(name)).collect();
    let folder = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(folder.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// A fenced block: its language, the line it begins at, its text.
struct Fence {
    language: String,
    line: usize,
    text: String,
}

fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Fence { language: language.trim().to_owned(), line: index + 1, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(fence), None) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

fn all_fences(language: &str) -> Vec<(String, Fence)> {
    let documents = documents();
    let of = |(path, text): (PathBuf, String)| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        fences(&text).into_iter().map(move |fence| (name.clone(), fence))
    };
    documents.into_iter().flat_map(of).filter(|(_, fence)| fence.language == language).collect()
}

#[test]
fn yaml_examples_load() {
    let shipped = fs::read(root().join("runbooks/tollgate.yaml")).unwrap();
    let book = read_book("tollgate.yaml", &shipped).whole().unwrap();
    let mut wrong = Vec::new();
    let mut kinds = std::collections::BTreeSet::new();
    for (document, fence) in all_fences("yaml") {
        let bytes = fence.text.as_bytes();
        let kind = fence.text.split(':').next().unwrap_or_default().to_owned();
        let problems = match kind.as_str() {
            "tollgate" => read_book("tollgate.yaml", bytes).problems,
            "catalog" => read_catalog("catalog.yaml", bytes, "").problems,
            "runbook" => {
                let id = fence.text.lines().find_map(|line| line.strip_prefix("id:")).unwrap_or_default();
                let id = id.split('#').next().unwrap_or_default().trim();
                read_runbook(&format!("{id}.yaml"), bytes, Some(&book)).problems
            }
            _ => vec![Problem::of_file("", "begins with none of tollgate, catalog, runbook")],
        };
        kinds.insert(kind);
        wrong.extend(
            problems.iter().filter(|p| p.is_error()).map(|p| format!("{document}, example at line {}:\n{p}", fence.line)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["catalog", "runbook", "tollgate"], "an example of each is wanted");
}

#[test]
fn json_examples_are_json() {
    let examples = all_fences("json");
    assert!(examples.len() >= 3);
    for (document, fence) in examples {
        let read: Result<serde_json::Value, _> = serde_json::from_str(&fence.text);
        assert!(read.is_ok(), "{document}, example at line {}: {read:?}", fence.line);
    }
}

/// Words of a line of shell without its comment, as far as our examples need it: spaces and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted && words.last().is_some_and(String::is_empty) => break,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn commands_in_examples_exist() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (document, fence) in all_fences("sh") {
        for line in fence.text.lines().filter(|line| line.starts_with("tollgate")) {
            count += 1;
            if let Err(error) = Cli::try_parse_from(words(line)) {
                wrong.push(format!("{document}, example at line {}: `{line}`\n{error}", fence.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 20, "only {count} commands were found");
}

#[test]
fn commands_in_prose_exist() {
    use clap::CommandFactory as _;

    let command = Cli::command();
    let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let mut wrong = Vec::new();
    for (path, text) in documents() {
        for piece in text.split('`').skip(1).step_by(2) {
            let Some(rest) = piece.strip_prefix("tollgate ") else { continue };
            let word = rest.split_whitespace().next().unwrap_or_default();
            if word.starts_with(|c: char| c.is_ascii_lowercase()) && !known.contains(&word) {
                wrong.push(format!("{}: `{piece}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "no such commands:\n{}", wrong.join("\n"));
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.starts_with('#') {
                continue;
            }
            count += 1;
            let file = link.split('#').next().unwrap_or_default();
            if !path.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 8);
}

/// The table of shipped runbooks is the shipped runbooks.
#[test]
fn the_readme_names_every_shipped_runbook() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let files = fs::read_dir(root().join("runbooks")).unwrap().map(|entry| entry.unwrap().path());
    let ids = files.filter_map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        text.lines().any(|line| line.starts_with("runbook:")).then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
    });
    let missing: Vec<String> = ids.filter(|id| !readme.contains(&format!("| `{id}` |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
