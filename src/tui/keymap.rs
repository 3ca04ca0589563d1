//! One table of commands: it finds the verb for a key, and feeds the hint bar, the help, the palette and the docs.

mod table;

use indexmap::IndexMap;

use crate::tui::key::{Code, Key};
pub use table::{Face, Row, TABLE, Verb};

/// The table with the user's own keys in it.
#[derive(Debug, Clone)]
pub struct Keymap {
    /// Rows of [`TABLE`] with the keys that hold.
    rows: Vec<(&'static Row, Vec<Key>)>,
}

/// Keys that never can be bound: flow control, suspending, the prefixes of tmux and screen, quitting, and interrupting.
const RESERVED: [Key; 7] =
    [Key::ctrl('s'), Key::ctrl('q'), Key::ctrl('z'), Key::ctrl('b'), Key::ctrl('a'), Key::ctrl('\\'), Key::ctrl('c')];

impl Default for Keymap {
    fn default() -> Self {
        let keys = |row: &'static Row| row.keys.iter().filter_map(|key| key.parse().ok()).collect();
        Self { rows: TABLE.iter().map(|row| (row, keys(row))).collect() }
    }
}

impl Keymap {
    /// The table with `own` keys by verb name (`config.toml`, section `keys`), and warnings about what was not taken.
    pub fn with(own: &IndexMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let (mut map, mut warnings) = (Self::default(), Vec::new());
        for (name, keys) in own {
            let Some(verb) = TABLE.iter().find(|row| row.verb.name() == name).map(|row| row.verb) else {
                let near = TABLE.iter().map(|row| row.verb.name()).min_by_key(|known| strsim::damerau_levenshtein(known, name));
                warnings.push(format!("keys: there is no command `{name}`; the nearest is `{}`", near.unwrap_or("")));
                continue;
            };
            let mut taken = Vec::new();
            for key in keys {
                match key.parse::<Key>() {
                    Ok(key) if RESERVED.contains(&key) => warnings.push(format!("keys: {key} cannot be bound")),
                    Ok(key) => taken.push(key),
                    Err(why) => warnings.push(format!("keys: {why}")),
                }
            }
            if !taken.is_empty() {
                map.rows.iter_mut().filter(|(row, _)| row.verb == verb).for_each(|(_, keys)| keys.clone_from(&taken));
            }
        }
        (map, warnings)
    }

    /// The row that `key` means on `face`. On faces where text is typed a key that types is text.
    pub fn find(&self, face: Face, key: Key) -> Option<&'static Row> {
        if face.is_typing() && key.typed().is_some() {
            return None;
        }
        self.rows.iter().find(|(row, keys)| row.faces.contains(&face) && keys.contains(&key)).map(|(row, _)| *row)
    }

    /// Rows that work on `face`, with the key to show.
    pub fn rows_of(&self, face: Face) -> impl Iterator<Item = (&'static Row, Key)> {
        self.rows.iter().filter(move |(row, _)| row.faces.contains(&face)).filter_map(move |(row, keys)| {
            let usable = |key: &&Key| !face.is_typing() || key.typed().is_none();
            keys.iter().find(usable).map(|key| (*row, *key))
        })
    }

    /// Rows that work on `face` and have no key: the palette alone offers them.
    pub fn keyless(&self, face: Face) -> impl Iterator<Item = &'static Row> {
        self.rows.iter().filter(move |(row, keys)| row.faces.contains(&face) && keys.is_empty()).map(|(row, _)| *row)
    }

    /// The key to show for `verb` on `face`.
    pub fn key_of(&self, face: Face, verb: Verb) -> Option<Key> {
        self.rows_of(face).find(|(row, _)| row.verb == verb).map(|(_, key)| key)
    }
}

/// Whether `key` interrupts.
pub fn is_interrupt(key: Key) -> bool {
    key == Key::ctrl('c')
}

/// Whether `key` suspends.
pub fn is_suspend(key: Key) -> bool {
    key == Key::ctrl('z')
}

/// Whether `key` is Escape, which goes back everywhere.
pub fn is_escape(key: Key) -> bool {
    key == Key::plain(Code::Esc)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_sound() {
        for face in Face::ALL {
            let mut seen = HashSet::new();
            for row in TABLE.iter().filter(|row| row.faces.contains(&face)) {
                for key in row.keys {
                    let key: Key = key.parse().unwrap();
                    assert!(!RESERVED.contains(&key), "{key} of {:?}", row.verb);
                    assert!(seen.insert(key), "{key} twice on {face:?}");
                }
            }
        }
        for row in TABLE {
            assert!(!row.help.is_empty() && row.help.ends_with('.'), "{:?}", row.verb);
        }
    }

    #[test]
    fn enter_is_never_the_dangerous_answer() {
        let dangerous = [Verb::Run, Verb::Approve, Verb::Deny, Verb::Stop, Verb::Cancel, Verb::Yes, Verb::No, Verb::Close];
        for row in TABLE.iter().filter(|row| dangerous.contains(&row.verb)) {
            assert!(!row.keys.contains(&"enter") && row.acts, "{:?}", row.verb);
        }
    }

    #[test]
    fn text_is_text_where_it_is_typed() {
        let map = Keymap::default();
        for face in Face::ALL.into_iter().filter(|face| face.is_typing()) {
            for c in "qsra:?/yn ".chars() {
                assert!(map.find(face, Key::char(c)).is_none(), "{c} on {face:?}");
            }
        }
        assert_eq!(map.find(Face::Pick, Key::char('q')).map(|row| row.verb), Some(Verb::Leave));
    }

    #[test]
    fn own_keys_are_checked() {
        let own = |name: &str, key: &str| IndexMap::from([(name.to_owned(), vec![key.to_owned()])]);
        let (map, warnings) = Keymap::with(&own("sort", "O"));
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(map.find(Face::Results, Key::char('O')).map(|row| row.verb), Some(Verb::Sort));
        assert_eq!(map.find(Face::Results, Key::char('o')).map(|row| row.verb), None);
        assert_eq!(Keymap::with(&own("sort", "ctrl-b")).1, ["keys: ctrl-b cannot be bound"]);
        assert_eq!(Keymap::with(&own("srt", "x")).1, ["keys: there is no command `srt`; the nearest is `sort`"]);
    }
}
