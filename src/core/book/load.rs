//! Loading a whole book from files in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use sha2::{Digest as _, Sha256};

use super::{Book, Place, Problem, RunbookId, read_book};
use crate::core::catalog::{Catalog, read_catalog};
use crate::core::runbook::{Runbook, read_runbook};
use crate::core::text::visible;

/// The name of the file that makes a folder a book.
pub const BOOK_FILE: &str = "tollgate.yaml";

/// A file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, relative to the book's folder where it lies in it.
    pub name: String,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

impl SourceFile {
    /// SHA-256 of the bytes, in hex.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }
}

/// A catalog file as the adapter found it.
#[derive(Debug, Clone)]
pub enum CatalogFile {
    /// Its bytes, and the folder that relative locations are meant from.
    Found {
        /// The file.
        file: SourceFile,
        /// Its folder.
        base: String,
    },
    /// It is not there, or cannot be read: why, in plain words.
    Missing(String),
}

/// Which commit a book is at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// The commit, in full; `None` where the folder is under no version control.
    pub commit: Option<String>,
    /// Whether the folder differs from the commit.
    pub dirty: bool,
}

/// A book's files in memory, as an adapter collected them.
#[derive(Debug, Clone, Default)]
pub struct BookSource {
    /// `*.yaml` and `*.yml` of the folder, [`BOOK_FILE`] among them.
    pub files: Vec<SourceFile>,
    /// The catalog files that [`catalogs_of`] names, by that name.
    pub catalogs: BTreeMap<String, CatalogFile>,
    /// The commit.
    pub version: Version,
}

/// A book as far as it could be loaded.
#[derive(Debug, Clone)]
pub struct LoadedBook {
    /// The book; `None` where `tollgate.yaml` is missing or has an error.
    pub book: Option<Book>,
    /// `tollgate.yaml` itself, where it is there.
    pub file: Option<SourceFile>,
    /// Runbooks without an error, by id; empty where the book is `None`.
    pub runbooks: IndexMap<RunbookId, LoadedRunbook>,
    /// Facts of all catalog files together.
    pub catalog: Catalog,
    /// Every problem and notice, by file and line.
    pub problems: Vec<Problem>,
    /// The commit.
    pub version: Version,
}

/// A runbook with the bytes that it was read from, which a run stores.
#[derive(Debug, Clone)]
pub struct LoadedRunbook {
    /// The runbook.
    pub runbook: Runbook,
    /// Its file.
    pub file: SourceFile,
}

impl LoadedBook {
    /// Whether anything is wrong that keeps a file from being used.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// The catalog files that the book names, as written, for the adapter to read. Empty where the book cannot be read.
pub fn catalogs_of(files: &[SourceFile]) -> Vec<String> {
    let Some(file) = files.iter().find(|file| file.name == BOOK_FILE) else { return Vec::new() };
    let book = read_book(&file.name, &file.bytes).value;
    book.map(|book| book.catalog.into_iter().map(|file| file.value).collect()).unwrap_or_default()
}

/// Loads a book with its catalog: every problem of every file at once.
pub fn load(source: &BookSource) -> LoadedBook {
    let mut loaded = load_files(source);
    if let Some(book) = &loaded.book {
        loaded.catalog = catalog(source, book, &mut loaded.problems);
        sort(&mut loaded.problems);
    }
    loaded
}

/// Loads a book without the facts that its catalog files hold.
pub fn load_files(source: &BookSource) -> LoadedBook {
    let mut problems = Vec::new();
    let file = source.files.iter().find(|file| file.name == BOOK_FILE).cloned();
    let (mut draft, mut sound) = (None, false);
    match &file {
        Some(file) => {
            let read = read_book(&file.name, &file.bytes);
            sound = !read.problems.iter().any(Problem::is_error);
            problems.extend(read.problems);
            draft = read.value;
        }
        None => {
            let problem = Problem::of_file(BOOK_FILE, "the book has no tollgate.yaml");
            problems.push(problem.with_fix("name the book's folder with --book DIR, or write the file"));
        }
    }
    let runbooks = runbooks(source, draft.as_ref(), &mut problems);
    sort(&mut problems);
    let book = draft.filter(|_| sound);
    let runbooks = if book.is_some() { runbooks } else { IndexMap::new() };
    LoadedBook { book, file, runbooks, catalog: Catalog::default(), problems, version: source.version.clone() }
}

fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
}

fn runbooks(source: &BookSource, book: Option<&Book>, problems: &mut Vec<Problem>) -> IndexMap<RunbookId, LoadedRunbook> {
    let mut runbooks: IndexMap<RunbookId, LoadedRunbook> = IndexMap::new();
    for file in source.files.iter().filter(|file| file.name != BOOK_FILE) {
        if !is_runbook(&file.bytes) {
            problems.extend(stranger(file, book));
            continue;
        }
        let read = read_runbook(&file.name, &file.bytes, book);
        problems.extend(read.problems.iter().cloned());
        let Ok(runbook) = read.whole() else { continue };
        if let Some(other) = runbooks.get(&runbook.id) {
            let message = format!("runbook `{}` is in {} already", runbook.id, visible(&other.file.name));
            problems.push(Problem::of_file(&file.name, message).with_fix("remove one of the files"));
            continue;
        }
        runbooks.insert(runbook.id.clone(), LoadedRunbook { runbook, file: file.clone() });
    }
    runbooks.sort_keys();
    runbooks
}

/// What to say of a file that is no runbook. A typing error in the first key must not make a runbook vanish.
fn stranger(file: &SourceFile, book: Option<&Book>) -> Option<Problem> {
    let named = |name: &str| {
        book.is_some_and(|book| {
            book.catalog.iter().any(|file| file.value == name) || book.incidents.as_ref().is_some_and(|file| file.value == name)
        })
    };
    let key = first_key(&file.bytes);
    if named(&file.name) || key.as_deref() == Some("catalog") {
        return None;
    }
    let problem = Problem::of_file(&file.name, "its first key is not `runbook`, so it is not used as one");
    if key.is_some_and(|key| strsim::damerau_levenshtein(&key, "runbook") <= 2) {
        return Some(problem.with_fix("write `runbook: v1` as the first line"));
    }
    Some(problem.with_fix("begin it with `runbook: v1`, or keep it out of the book's folder").as_notice())
}

fn catalog(source: &BookSource, book: &Book, problems: &mut Vec<Problem>) -> Catalog {
    let mut catalog = Catalog::default();
    for name in &book.catalog {
        match source.catalogs.get(&name.value) {
            Some(CatalogFile::Found { file, base }) => {
                let read = read_catalog(&file.name, &file.bytes, base);
                problems.extend(read.problems.iter().cloned());
                if let Ok(facts) = read.whole() {
                    catalog.merge(facts);
                }
            }
            Some(CatalogFile::Missing(why)) => problems.push(skipped(&name.place, source, &name.value, why)),
            None => problems.push(skipped(&name.place, source, &name.value, "it was not looked for")),
        }
    }
    catalog
}

fn skipped(place: &Place, source: &BookSource, name: &str, why: &str) -> Problem {
    let text = source.files.iter().find(|file| file.name == *place.file).map(|file| String::from_utf8_lossy(&file.bytes));
    let message = format!("catalog file `{}` is skipped: {}", visible(name), visible(why));
    Problem::at(place, text.as_deref().unwrap_or(""), message)
        .with_fix("tables that only this file describes are unknown, so statements on them are blocked")
        .as_notice()
}

/// Whether the first key is `runbook:`; other YAML in the folder is somebody else's.
pub fn is_runbook(bytes: &[u8]) -> bool {
    first_key(bytes).as_deref() == Some("runbook")
}

/// Whether the first key is `catalog:`: facts, which may be far longer than what people write.
pub fn is_catalog(bytes: &[u8]) -> bool {
    first_key(bytes).as_deref() == Some("catalog")
}

fn first_key(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default());
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_start);
    let first = lines.find(|line| !(line.is_empty() || line.starts_with(['#', '%']) || line.starts_with("---")));
    first.and_then(|line| line.split_once(':')).map(|(key, _)| key.trim().trim_matches(['"', '\'', '{', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_says_what_a_file_is() {
        for (text, yes) in [
            ("runbook: v1\n", true),
            ("# comment\n\n---\n\"runbook\": v1", true),
            ("{runbook: v1}", true),
            ("runbooks: v1", false),
            ("tollgate: v1\nrunbook: v1", false),
            ("", false),
            ("- runbook: v1", false),
        ] {
            assert_eq!(is_runbook(text.as_bytes()), yes, "{text}");
        }
    }
}
