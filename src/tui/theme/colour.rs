//! How many colours a terminal has, how that is known, and mapping down to them.

use ratatui::style::Color;

/// How many colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// None: bold, dim, underlined and reversed only.
    None,
    /// The terminal's own 16.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    True,
}

/// What the environment says of the terminal. Read by `cli`: the frontend itself knows no environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermFacts {
    /// `NO_COLOR`
    pub no_color: Option<String>,
    /// `CLICOLOR_FORCE`
    pub clicolor_force: Option<String>,
    /// `TERM`
    pub term: Option<String>,
    /// `COLORTERM`
    pub colorterm: Option<String>,
    /// `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: Option<String>,
}

/// A depth and, for `tollgate doctor`, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepthReason {
    /// How many colours.
    pub depth: Depth,
    /// In words.
    pub why: String,
}

/// Values of `TERM` that mean 24 bits; `COLORTERM` does not cross SSH, `TERM` does.
const TRUE_TERMS: [&str; 6] = ["xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm", "contour"];

impl TermFacts {
    /// How many colours to use. `NO_COLOR` wins over `CLICOLOR_FORCE` (no-color.org: any value that is not empty), then
    /// `COLORTERM`, then `TERM`.
    pub fn depth(&self) -> DepthReason {
        let set = |value: &Option<String>| value.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        let found = |depth, why: String| DepthReason { depth, why };
        let term = set(&self.term).unwrap_or_default();
        if set(&self.no_color).is_some() {
            return found(Depth::None, "NO_COLOR is set".to_owned());
        }
        let forced = set(&self.clicolor_force).is_some_and(|value| value != "0");
        if matches!(set(&self.colorterm).as_deref(), Some("truecolor" | "24bit")) {
            return found(Depth::True, "COLORTERM says 24 bits".to_owned());
        }
        if term.ends_with("-direct") || TRUE_TERMS.contains(&term.as_str()) {
            return found(Depth::True, format!("TERM is {term}"));
        }
        if term.contains("256color") {
            return found(Depth::Ansi256, format!("TERM is {term}; `SendEnv COLORTERM` in ssh_config would say more"));
        }
        if (term == "dumb" || term.ends_with("-m") || term.contains("mono") || term == "vt100") && !forced {
            return found(Depth::None, format!("TERM is {term}"));
        }
        let why = if forced { "CLICOLOR_FORCE is set" } else { "TERM says nothing of more" };
        found(Depth::Ansi16, why.to_owned())
    }

    /// Whether characters beyond ASCII can be expected to show: unknown counts as yes, a named locale without UTF-8 as no.
    pub fn is_utf8(&self) -> bool {
        match self.locale.as_deref() {
            None | Some("") => true,
            Some(locale) => {
                let lower = locale.to_ascii_lowercase();
                lower.contains("utf-8") || lower.contains("utf8")
            }
        }
    }
}

/// Names of the 16 colours in theme files.
const NAMED: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("grey", Color::Gray),
    ("dark-grey", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("white", Color::White),
];

/// What xterm shows for the 16; used only to find the nearest.
const ANSI16_RGB: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// Reads a colour of a theme file: a name, `#rrggbb`, or a number below 256.
pub(super) fn parse(text: &str) -> Result<Color, String> {
    if let Some((_, colour)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Ok(*colour);
    }
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if let Some(rgb) = hex {
        let [_, r, g, b] = rgb.to_be_bytes();
        return Ok(Color::Rgb(r, g, b));
    }
    if let Ok(index) = text.parse::<u8>() {
        return Ok(Color::Indexed(index));
    }
    Err(format!("`{text}` is not a colour; write a name such as bright-red, a number below 256, or #rrggbb"))
}

/// `colour` as a terminal of `depth` can show it.
pub(super) fn mapped(colour: Color, depth: Depth) -> Color {
    let rgb = match colour {
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Indexed(index) => indexed_rgb(index),
        named => return if depth == Depth::None { Color::Reset } else { named },
    };
    match depth {
        Depth::None => Color::Reset,
        Depth::True => colour,
        Depth::Ansi256 if matches!(colour, Color::Indexed(_)) => colour,
        Depth::Ansi256 => {
            let nearest = (16..=255u8).min_by_key(|index| distance(rgb, indexed_rgb(*index)));
            Color::Indexed(nearest.unwrap_or(7))
        }
        Depth::Ansi16 => ANSI16_RGB.iter().min_by_key(|(_, other)| distance(rgb, *other)).map_or(Color::Reset, |(c, _)| *c),
    }
}

/// The xterm palette: 16 named, a 6×6×6 cube, 24 greys.
fn indexed_rgb(index: u8) -> [u8; 3] {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |n: u8| STEPS.get(usize::from(n % 6)).copied().unwrap_or(0);
    match index {
        0..=15 => ANSI16_RGB.get(usize::from(index)).map_or([0; 3], |(_, rgb)| *rgb),
        16..=231 => {
            let n = index - 16;
            [step(n / 36), step(n / 6), step(n)]
        }
        grey => [8 + (grey - 232) * 10; 3],
    }
}

/// Distance in RGB, with green heavier and blue lighter, as eyes have it.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let weights = [3, 4, 2];
    a.iter().zip(b).zip(weights).map(|((a, b), w)| u32::from(a.abs_diff(b)).pow(2) * w).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(no_color: &str, force: &str, term: &str, colorterm: &str) -> Depth {
        let some = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
        TermFacts {
            no_color: some(no_color),
            clicolor_force: some(force),
            term: some(term),
            colorterm: some(colorterm),
            locale: None,
        }
        .depth()
        .depth
    }

    #[test]
    fn depth_follows_the_environment() {
        for (no_color, force, term, colorterm, depth) in [
            ("1", "1", "xterm-kitty", "truecolor", Depth::None),
            ("", "-", "xterm", "truecolor", Depth::True),
            ("-", "-", "xterm-kitty", "-", Depth::True),
            ("-", "-", "xterm-256color", "-", Depth::Ansi256),
            ("-", "-", "screen-256color", "", Depth::Ansi256),
            ("-", "-", "xterm", "-", Depth::Ansi16),
            ("-", "-", "-", "-", Depth::Ansi16),
            ("-", "-", "dumb", "-", Depth::None),
            ("-", "1", "dumb", "-", Depth::Ansi16),
            ("-", "0", "dumb", "-", Depth::None),
        ] {
            assert_eq!(facts(no_color, force, term, colorterm), depth, "{no_color} {force} {term} {colorterm}");
        }
    }

    #[test]
    fn colours_map_down() {
        assert_eq!(mapped(Color::Rgb(250, 5, 5), Depth::Ansi16), Color::LightRed);
        assert_eq!(mapped(Color::Rgb(250, 5, 5), Depth::Ansi256), Color::Indexed(196));
        assert_eq!(mapped(Color::Rgb(250, 5, 5), Depth::None), Color::Reset);
        assert_eq!(mapped(Color::Indexed(33), Depth::Ansi256), Color::Indexed(33));
        assert_eq!(mapped(Color::Green, Depth::None), Color::Reset);
        assert_eq!(mapped(Color::Rgb(1, 2, 3), Depth::True), Color::Rgb(1, 2, 3));
    }

    #[test]
    fn locale_decides_about_ascii() {
        for (locale, utf8) in
            [(None, true), (Some("C"), false), (Some("C.UTF-8"), true), (Some("de_DE.utf8"), true), (Some("POSIX"), false)]
        {
            let facts = TermFacts { locale: locale.map(str::to_owned), ..TermFacts::default() };
            assert_eq!(facts.is_utf8(), utf8, "{locale:?}");
        }
    }
}
