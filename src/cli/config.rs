//! `$XDG_CONFIG_HOME/tollgate/config.toml`, the user's own themes beside it, and what the environment says of the terminal.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;

use super::args::Global;
use super::error::Error;
use crate::tui::theme::TermFacts;

/// What a user may set once. Options and variables come before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The theme, as `--theme` names it.
    pub theme: Option<String>,
    /// The book, as `--book` names it.
    pub book: Option<PathBuf>,
    /// Keys by command: `stop = ["s", "x"]`.
    pub keys: IndexMap<String, Vec<String>>,
}

impl Config {
    /// Reads the user's file; none is an empty one.
    pub(super) fn load() -> Result<Self, Error> {
        folder().map_or_else(|| Ok(Self::default()), |folder| Self::read(&folder.join("config.toml")))
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |why: String| {
            Error::usage(format!("{} cannot be used: {why}", path.display()))
                .hint("it may set `theme`, `book` and a section `[keys]`; moving it away uses none")
        };
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|error| refuse(error.to_string().trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(refuse(error.to_string())),
        }
    }

    /// The options with what the file sets where they say nothing.
    pub(super) fn under(&self, mut global: Global) -> Global {
        global.theme = global.theme.or_else(|| self.theme.clone());
        global.book = global.book.or_else(|| self.book.clone());
        global
    }
}

/// `$XDG_CONFIG_HOME/tollgate`, else `~/.config/tollgate`. The XDG specification has a path that is not absolute ignored.
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(config.join("tollgate"))
}

/// The user's own themes: `themes/*.toml` beside the configuration, by name. One that cannot be read is not offered.
pub(super) fn own_themes() -> Vec<(String, String)> {
    let Some(Ok(entries)) = folder().map(|folder| std::fs::read_dir(folder.join("themes"))) else { return Vec::new() };
    let mut found: Vec<(String, String)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), std::fs::read_to_string(&path).ok()?)))
        .collect();
    found.sort();
    found
}

/// What the environment says of the terminal.
pub(super) fn terminal() -> TermFacts {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    TermFacts {
        no_color: variable("NO_COLOR"),
        clicolor_force: variable("CLICOLOR_FORCE"),
        term: variable("TERM"),
        colorterm: variable("COLORTERM"),
        locale: variable("LC_ALL").or_else(|| variable("LC_CTYPE")).or_else(|| variable("LANG")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn a_file_sets_theme_book_and_keys() {
        let config = read("theme = 'dark'\nbook = '/srv/book'\n[keys]\nstop = ['x']\n").unwrap();
        assert_eq!(config.theme.as_deref(), Some("dark"));
        assert_eq!(config.book.as_deref(), Some(Path::new("/srv/book")));
        assert_eq!(config.keys.get("stop"), Some(&vec!["x".to_owned()]));
        assert_eq!(Config::read(Path::new("/nonexistent/config.toml")).unwrap(), Config::default());
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_line() {
        for text in ["them = 'dark'", "theme = 3", "keys = 1", "theme ="] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains("config.toml") && error.message.contains("line 1"), "{error:?}");
        }
    }
}
