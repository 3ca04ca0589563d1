//! Roles and what they look like. The only place in the program that names colours.
//!
//! A theme is a TOML file that maps roles to styles and may inherit from another. Screens ask for roles; a colour that the
//! terminal does not have is mapped down, never refused. Every state has a word besides its colour, so that the theme `mono`,
//! which has none, loses nothing.

mod colour;
mod glyphs;
mod read;
mod role;

use std::fmt;

use ratatui::style::Style;

pub use colour::{Depth, DepthReason, TermFacts};
pub use glyphs::Glyphs;
pub use read::{ThemeError, built_in_names};
pub use role::Role;

/// Styles by role, for one depth of colour, and the characters to draw with.
#[derive(Clone)]
pub struct Theme {
    name: String,
    styles: [Style; Role::ALL.len()],
    glyphs: Glyphs,
    depth: Depth,
}

impl Theme {
    /// The theme `name`: one of the user's `files` (name and TOML text), else a built-in one, for a terminal of `depth`.
    /// Without colour the theme is `mono`, whatever was asked for.
    ///
    /// # Errors
    /// When there is no such theme or it cannot be read.
    pub fn load(name: &str, files: &[(String, String)], depth: Depth, ascii: bool) -> Result<(Self, Vec<String>), ThemeError> {
        let (styles, warnings) = read::styles(if depth == Depth::None { "mono" } else { name }, files, depth)?;
        let glyphs = if ascii { Glyphs::ASCII } else { Glyphs::UNICODE };
        Ok((Self { name: name.to_owned(), styles, glyphs, depth }, warnings))
    }

    /// What `role` looks like.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The characters to draw with.
    pub fn glyphs(&self) -> &Glyphs {
        &self.glyphs
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many colours it uses.
    pub fn depth(&self) -> Depth {
        self.depth
    }
}

impl Default for Theme {
    /// `terminal`: the terminal's own 16 colours.
    fn default() -> Self {
        // The built-in files are read in a test; a broken one would look plain, not fail.
        let styles = read::styles("terminal", &[], Depth::Ansi16).map(|(styles, _)| styles);
        Self {
            name: "terminal".to_owned(),
            styles: styles.unwrap_or_else(|_| [Style::new(); Role::ALL.len()]),
            glyphs: Glyphs::UNICODE,
            depth: Depth::Ansi16,
        }
    }
}

impl fmt::Debug for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Theme").field("name", &self.name).field("depth", &self.depth).finish_non_exhaustive()
    }
}
