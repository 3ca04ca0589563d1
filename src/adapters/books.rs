//! Books on disk: the folder's files, its commit, and the catalog files that it names.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::core::book::{BOOK_FILE, Book, BookSource, LoadedRunbook, Problem, RunbookId, SourceFile, is_catalog, load_files};
use crate::core::catalog::{Catalog, read_catalog};
use crate::core::run::command::{Kind, Refusal};
use crate::engine::ports::{Facts, Shelf, Shelved};

/// Files above this are not read: nothing that a person wrote is longer (CONTRACTS §1 allows 256 KiB; the reader says so itself).
const MOST_WRITTEN: u64 = 1 << 20;
/// Files of facts above this are not read.
const MOST_FACTS: u64 = 256 << 20;

/// A folder that cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct BooksError {
    path: PathBuf,
    reason: String,
}

/// A folder as read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The book with its runbooks; `None` where a problem is an error.
    pub shelf: Option<Shelf>,
    /// The book alone, if it could be read, for commands that work beside broken runbooks.
    pub book: Option<Book>,
    /// Every problem, in the order of files.
    pub problems: Vec<Problem>,
}

/// Reads the book and every runbook of a folder, with all problems.
///
/// # Errors
/// [`BooksError`]: the folder or its `tollgate.yaml` cannot be read.
pub fn load(dir: &Path) -> Result<Loaded, BooksError> {
    // The book's own file first: without it there is nothing to say about the others.
    read(&dir.join(BOOK_FILE), MOST_WRITTEN)?;
    let mut files = Vec::new();
    let mut unread = Vec::new();
    for name in yaml_files(dir)? {
        let path = dir.join(&name);
        if is_facts(&path) {
            continue;
        }
        match read(&path, MOST_WRITTEN) {
            Ok(bytes) => files.push(SourceFile { name, bytes: bytes.into() }),
            Err(error) => unread.push(Problem::of_file(&name, error.reason)),
        }
    }
    let loaded = load_files(&BookSource { files, ..BookSource::default() });
    let mut problems = loaded.problems;
    problems.extend(unread);
    let sound = !problems.iter().any(Problem::is_error);
    let book_yaml = loaded.file.and_then(|file| String::from_utf8(file.bytes.to_vec()).ok());
    let shelf = match (&loaded.book, book_yaml) {
        (Some(book), Some(book_yaml)) if sound => {
            let (commit, dirty) = commit(dir);
            let runbooks = loaded.runbooks.into_iter().filter_map(|(id, loaded)| shelved(&id, loaded)).collect();
            Some(Shelf { book: book.clone(), book_sha256: hash(book_yaml.as_bytes()), book_yaml, commit, dirty, runbooks })
        }
        _ => None,
    };
    Ok(Loaded { shelf, book: loaded.book, problems })
}

fn shelved(id: &RunbookId, loaded: LoadedRunbook) -> Option<(String, Shelved)> {
    let yaml = String::from_utf8(loaded.file.bytes.to_vec()).ok()?;
    let sha256 = hash(yaml.as_bytes());
    Some((id.to_string(), Shelved { runbook: loaded.runbook, yaml, sha256 }))
}

/// The catalog files of a book: relative to its folder, `${sandbox}` for the sandbox's folder.
pub fn catalog_paths(dir: &Path, book: &Book, sandbox: &Path) -> Vec<PathBuf> {
    let sandbox = sandbox.to_string_lossy();
    book.catalog.iter().map(|file| dir.join(file.value.replace("${sandbox}", &sandbox))).collect()
}

/// Merges catalog files, later ones over earlier ones; a missing one is skipped with a notice.
///
/// # Errors
/// A [`Refusal`] where a file is there and cannot be used.
pub fn facts(paths: &[PathBuf]) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    let mut hasher = Sha256::new();
    let mut merged: Option<Catalog> = None;
    for path in paths {
        let shown = path.display().to_string();
        if !path.exists() {
            facts.notices.push(format!("{shown} is not there; its facts are missing"));
            continue;
        }
        let bytes = read(path, MOST_FACTS).map_err(|error| Refusal::new(Kind::Usage, error.to_string()))?;
        hasher.update(Sha256::digest(&bytes));
        let base = path.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        match read_catalog(&shown, &bytes, &base).whole() {
            Ok(catalog) => match &mut merged {
                Some(merged) => merged.merge(catalog),
                None => merged = Some(catalog),
            },
            Err(problems) => {
                let first = problems.iter().find(|problem| problem.is_error()).map(ToString::to_string).unwrap_or_default();
                return Err(Refusal::new(Kind::Usage, format!("the catalog {shown} cannot be used: {first}")));
            }
        }
    }
    if merged.is_none() {
        facts.notices.push("no catalog: nothing is known of any table; write a catalog.yaml beside tollgate.yaml".to_owned());
    }
    facts.catalog = merged.unwrap_or_default();
    facts.sha256 = hex::encode(hasher.finalize());
    Ok(facts)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, BooksError> {
    let fail = |reason: String| BooksError { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if size > most {
        return Err(fail(format!("it has {size} bytes, and at most {most} are read")));
    }
    std::fs::read(path).map_err(|error| fail(error.to_string()))
}

/// Names of `*.yaml` and `*.yml` in `dir` itself, sorted; hidden ones are an editor's.
fn yaml_files(dir: &Path) -> Result<Vec<String>, BooksError> {
    let fail = |error: std::io::Error| BooksError { path: dir.to_owned(), reason: error.to_string() };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        if (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a file says of itself that it holds catalog facts, so that it is no runbook.
fn is_facts(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = Vec::new();
    let Ok(file) = std::fs::File::open(path) else { return false };
    let _ = file.take(4096).read_to_end(&mut head);
    is_catalog(&head)
}

/// The commit of the folder's repository, and whether the folder differs from it. Not a repository, or no git: unversioned.
fn commit(dir: &Path) -> (Option<String>, bool) {
    let git = |args: &[&str]| -> Option<String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(dir)
            .args(args)
            // Nothing that a repository configures is to run here.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--verify", "HEAD"]) else { return (None, false) };
    let dirty = git(&["-c", "core.fsmonitor=false", "status", "--porcelain", "--", "."]).is_none_or(|status| !status.is_empty());
    (Some(commit), dirty)
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
