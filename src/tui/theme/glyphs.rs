//! The characters that screens are drawn with.

/// Characters to draw with; each is one column wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether only ASCII may be written.
    pub is_ascii: bool,
    /// Horizontal rule.
    pub rule: &'static str,
    /// Vertical separator.
    pub bar: &'static str,
    /// Filled part of a gauge.
    pub full: &'static str,
    /// Rest of a gauge.
    pub rest: &'static str,
    /// NULL.
    pub null: &'static str,
    /// The selected row.
    pub pointer: &'static str,
    /// Between the parts of a path.
    pub crumb: &'static str,
    /// Between facts.
    pub dot: &'static str,
    /// Where something was cut off.
    pub ellipsis: &'static str,
    /// Comes from.
    pub from: &'static str,
    /// Goes to.
    pub to: &'static str,
    /// Sorted rising.
    pub up: &'static str,
    /// Sorted falling.
    pub down: &'static str,
    /// Under text that a finding is about.
    pub underline: &'static str,
    /// A step that executes nothing.
    pub none: &'static str,
}

impl Glyphs {
    /// For terminals that show UTF-8.
    pub const UNICODE: Self = Self {
        is_ascii: false,
        rule: "─",
        bar: "│",
        full: "█",
        rest: "░",
        null: "∅",
        pointer: "▸",
        crumb: "›",
        dot: "·",
        ellipsis: "…",
        from: "←",
        to: "→",
        up: "↑",
        down: "↓",
        underline: "~",
        none: "·",
    };

    /// For those that do not. The ellipsis stays one column, so that widths are the same in both.
    pub const ASCII: Self = Self {
        is_ascii: true,
        rule: "-",
        bar: "|",
        full: "#",
        rest: ".",
        null: "0",
        pointer: ">",
        crumb: ">",
        dot: "-",
        ellipsis: "~",
        from: "<",
        to: ">",
        up: "^",
        down: "v",
        underline: "~",
        none: "-",
    };

    /// What stands for `symbol` where only ASCII may be written: our own characters have a twin, others become `?`.
    pub fn in_ascii(symbol: &str) -> &'static str {
        let (own, ascii) = (Self::UNICODE.list(), Self::ASCII.list());
        if let Some((_, twin)) = own.iter().zip(ascii).find(|(glyph, _)| **glyph == symbol) {
            return twin;
        }
        match symbol {
            "’" | "‘" => "'",
            "“" | "”" => "\"",
            "–" | "—" => "-",
            "×" => "x",
            "≥" => ">",
            "≤" => "<",
            _ => "?",
        }
    }

    fn list(&self) -> [&'static str; 14] {
        [
            self.rule,
            self.bar,
            self.full,
            self.rest,
            self.null,
            self.pointer,
            self.crumb,
            self.dot,
            self.ellipsis,
            self.from,
            self.to,
            self.up,
            self.down,
            self.none,
        ]
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn every_glyph_is_one_column() {
        for glyph in Glyphs::UNICODE.list().into_iter().chain(Glyphs::ASCII.list()) {
            assert_eq!(glyph.width(), 1, "{glyph}");
        }
        assert!(Glyphs::ASCII.list().iter().all(|glyph| glyph.is_ascii()));
    }
}
