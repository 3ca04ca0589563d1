//! The terminal app on a pseudo-terminal, by keys alone, against the real sandbox.

#[path = "tui/docs.rs"]
mod docs;
#[path = "tui/hostile.rs"]
mod hostile;
#[path = "tui/pty.rs"]
mod pty;
#[path = "tui/screens.rs"]
mod screens;
#[path = "tui/terminal.rs"]
mod terminal;
#[path = "tui/walk.rs"]
mod walk;

use std::path::{Path, PathBuf};

/// Where the shipped book is.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")
}

/// A book of its own with these runbooks, on the shipped one's groups, targets and facts.
fn book(runbooks: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in ["tollgate.yaml", "catalog.yaml"] {
        std::fs::copy(shipped().join(file), dir.path().join(file)).unwrap();
    }
    for (id, yaml) in runbooks {
        std::fs::write(dir.path().join(format!("{id}.yaml")), yaml).unwrap();
    }
    dir
}

/// Every escape sequence and control character in `bytes` that is not one of ours.
fn foreign_sequences(bytes: &[u8]) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || *byte == 0x7f) {
        rest = &rest[at..];
        let length = match rest {
            // Raw mode writes neither; the summary after the app writes lines.
            [b'\r' | b'\n' | 0x07, ..] => 1,
            [0x1b, b'[', more @ ..] => {
                let end = more.iter().position(|byte| (0x40..=0x7e).contains(byte)).unwrap_or(more.len().saturating_sub(1));
                let sequence = String::from_utf8_lossy(&more[..=end.min(more.len() - 1)]).into_owned();
                let modes = ["?1049h", "?1049l", "?25h", "?25l", "?2004h", "?2004l", "?2026h", "?2026l", "2J"];
                let styled =
                    sequence.ends_with(['m', 'H']) && sequence.chars().rev().skip(1).all(|c| c.is_ascii_digit() || c == ';');
                if !styled && !modes.contains(&sequence.as_str()) {
                    found.push(format!("ESC [ {sequence}"));
                }
                end + 3
            }
            other => {
                found.push(format!("{:?}", String::from_utf8_lossy(&other[..other.len().min(12)])));
                1
            }
        };
        rest = rest.get(length..).unwrap_or(&[]);
    }
    // C1 controls are two bytes in UTF-8.
    let text = String::from_utf8_lossy(bytes);
    found.extend(text.chars().filter(|c| ('\u{80}'..='\u{9f}').contains(c)).map(|c| format!("U+{:04X}", c as u32)));
    found
}

#[test]
fn the_check_of_sequences_finds_foreign_ones() {
    assert!(foreign_sequences(b"\x1b[?1049h\x1b[2J\x1b[0m\x1b[12;3Habc\x1b[38;5;6m\x07").is_empty());
    for bytes in [&b"\x1b]0;title\x07"[..], b"\x1b[6n", b"\x1bP1$q\x1b\\", b"\x1b[?1000h", b"a\x08b", "\u{9b}31m".as_bytes()] {
        assert!(!foreign_sequences(bytes).is_empty(), "{bytes:?}");
    }
}
