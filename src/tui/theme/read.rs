//! Reading theme files.

use std::collections::BTreeMap;

use ratatui::style::{Modifier, Style};
use serde::Deserialize;

use super::colour::{Depth, mapped, parse};
use super::role::Role;

/// The shipped themes.
const BUILT_IN: [(&str, &str); 5] = [
    ("terminal", include_str!("../../../themes/terminal.toml")),
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

/// Deeper inheritance is a circle or a mistake.
const MAX_DEPTH: usize = 8;

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No theme of that name.
    #[error("there is no theme `{name}`; there are {known}")]
    Unknown {
        /// The name asked for, escaped.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Not TOML, or not a theme.
    #[error("theme `{name}`: {reason}")]
    Unreadable {
        /// The theme.
        name: String,
        /// What is wrong, with its line.
        reason: String,
    },
    /// Inherits from itself.
    #[error("theme `{0}` inherits from itself")]
    Circle(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, Look>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    reverse: bool,
}

/// Names of the shipped themes.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// Styles by role, and warnings about keys that mean nothing.
pub(super) fn styles(
    name: &str,
    files: &[(String, String)],
    depth: Depth,
) -> Result<([Style; Role::ALL.len()], Vec<String>), ThemeError> {
    let mut looks: BTreeMap<String, Style> = BTreeMap::new();
    let mut warnings = Vec::new();
    let mut next = Some(name.to_owned());
    let mut chain = 0;
    while let Some(name) = next.take() {
        chain += 1;
        if chain > MAX_DEPTH {
            return Err(ThemeError::Circle(name));
        }
        let file = load(&name, files)?;
        for (key, look) in &file.roles {
            if !is_known(key) {
                warnings.push(unknown_role(&name, key));
            }
            // The inheriting theme was read first and wins.
            if !looks.contains_key(key) {
                let style = style(look, &file.palette, depth)
                    .map_err(|reason| ThemeError::Unreadable { name: name.clone(), reason: format!("{key}: {reason}") })?;
                looks.insert(key.clone(), style);
            }
        }
        next = file.inherits;
    }
    let resolved = Role::ALL.map(|role| {
        let mut key = role.name();
        loop {
            match (looks.get(key), key.rsplit_once('.')) {
                (Some(style), _) => break *style,
                (None, Some((parent, _))) => key = parent,
                (None, None) => break looks.get("text").copied().unwrap_or_default(),
            }
        }
    });
    Ok((resolved, warnings))
}

fn load(name: &str, files: &[(String, String)]) -> Result<File, ThemeError> {
    let own = files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str());
    let built_in = || BUILT_IN.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
    let Some(text) = own.or_else(built_in) else {
        let own = files.iter().map(|(name, _)| name.clone());
        let known: Vec<String> = own.chain(built_in_names().map(str::to_owned)).collect();
        return Err(ThemeError::Unknown { name: crate::core::text::visible(name).into_owned(), known: known.join(", ") });
    };
    toml::from_str(text).map_err(|error| ThemeError::Unreadable { name: name.to_owned(), reason: error.to_string() })
}

fn style(look: &Look, palette: &BTreeMap<String, String>, depth: Depth) -> Result<Style, String> {
    let colour = |name: &Option<String>| {
        let Some(name) = name else { return Ok(None) };
        let written = palette.get(name).unwrap_or(name);
        parse(written).map(|colour| Some(mapped(colour, depth)))
    };
    let mut style = Style::new();
    style.fg = colour(&look.fg)?;
    style.bg = colour(&look.bg)?;
    for (wanted, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ] {
        if wanted {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

/// A role, or a part of roles' names before a dot.
fn is_known(key: &str) -> bool {
    Role::ALL.iter().any(|role| role.name() == key || role.name().strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn unknown_role(theme: &str, key: &str) -> String {
    let near = Role::ALL.iter().map(|role| role.name()).min_by_key(|name| strsim::damerau_levenshtein(name, key)).unwrap_or("");
    format!("theme `{theme}`: there is no role `{}`; the nearest is `{near}`", crate::core::text::visible(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_themes_are_clean_in_every_depth() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
                let (_, warnings) = styles(name, &[], depth).unwrap();
                assert_eq!(warnings, Vec::<String>::new(), "{name}");
            }
        }
    }

    #[test]
    fn without_colour_states_still_differ() {
        let (styles, _) = styles("mono", &[], Depth::None).unwrap();
        let of = |role: Role| styles[role as usize];
        for style in styles {
            assert!(style.fg.is_none() && style.bg.is_none());
        }
        for (a, b) in [(Role::Calm, Role::Soon), (Role::Soon, Role::Last), (Role::Text, Role::Selected), (Role::Ok, Role::Block)]
        {
            assert_ne!(of(a), of(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn files_inherit_and_are_checked() {
        let file = |text: &str| vec![("mine".to_owned(), text.to_owned())];
        let mine = file("inherits = \"mono\"\n[palette]\nalarm = \"#ff0000\"\n[roles]\n\"state.block\" = { fg = \"alarm\" }\n");
        let (styles_of_mine, warnings) = styles("mine", &mine, Depth::Ansi16).unwrap();
        assert_eq!(styles_of_mine[Role::Block as usize].fg, Some(ratatui::style::Color::LightRed));
        assert!(warnings.is_empty());
        let (_, warnings) = styles("mine", &file("[roles]\n\"state.bloc\" = { bold = true }\n"), Depth::True).unwrap();
        assert_eq!(warnings, ["theme `mine`: there is no role `state.bloc`; the nearest is `state.block`"]);
        assert!(matches!(styles("mine", &file("inherits = \"mine\""), Depth::True), Err(ThemeError::Circle(_))));
        assert!(matches!(styles("none", &[], Depth::True), Err(ThemeError::Unknown { .. })));
        let bad = styles("mine", &file("[roles]\ntext = { fg = \"pinkish\" }"), Depth::True).unwrap_err();
        assert_eq!(
            bad.to_string(),
            "theme `mine`: text: `pinkish` is not a colour; write a name such as bright-red, a number below 256, or #rrggbb"
        );
    }
}
