//! Pages that are made from the program. `TOLLGATE_BLESS=1` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tollgate::tui::keymap::{Face, TABLE};

use super::pty::{Home, Pty};
use super::shipped;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// `PickFilter` as words: `pick filter`.
fn words(face: Face) -> String {
    let mut words = String::new();
    for c in format!("{face:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

fn page() -> String {
    let mut page = "# Keys\n\nMade from the key table of the app, which also feeds its hint bar, its help (`?`) and its palette (`:`). The bottom line\n\
                    of every screen shows what works there now. The names in the second column are those of the section `[keys]` in\n\
                    `config.toml`. Ctrl-C twice stops the query, or leaves where none runs; Ctrl-Z suspends.\n"
        .to_owned();
    for face in Face::ALL {
        let rows: Vec<_> = TABLE.iter().filter(|row| row.faces.contains(&face)).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {}\n\n| key | command | what it does |\n|---|---|---|\n", words(face));
        for row in rows {
            let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = if keys.is_empty() { "(palette)".to_owned() } else { keys.join(" ") };
            let _ = writeln!(page, "| {keys} | {} | {} |", row.verb.name(), row.help.replace('|', "\\|"));
        }
    }
    page
}

#[test]
fn the_page_of_keys_is_the_key_table() {
    let path = docs().join("keys.md");
    if std::env::var_os("TOLLGATE_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page(), "TOLLGATE_BLESS=1 writes docs/keys.md anew");
}

/// Writes `docs/screens/*.txt`: a walk through the shipped book on the sandbox, as the terminal shows it at 80x24.
///
/// `cargo test --test runner tui::docs::write_the_screens -- --ignored`
#[test]
#[ignore = "writes docs/screens; run it when screens have changed"]
fn write_the_screens() {
    let (home, book) = (Home::new(), shipped());
    let folder = docs().join("screens");
    std::fs::create_dir_all(&folder).unwrap();
    let keep = |pty: &Pty, name: &str| {
        pty.settle();
        let lines: Vec<String> = pty.screen().lines().map(|line| line.trim_end().to_owned()).collect();
        std::fs::write(folder.join(format!("{name}.txt")), lines.join("\n") + "\n").unwrap();
    };
    let mut pty = Pty::app(80, 24, home.path(), &book, "on", &[]);
    pty.wait("checkout-errors");
    pty.press("j", "▸ checkout-errors");
    keep(&pty, "pick");
    pty.press("\r", "› inputs");
    keep(&pty, "inputs");
    pty.type_now("\t");
    pty.press("\r", "a request needs a reason");
    pty.type_now("spike since 14:00, checkout alerts");
    pty.settle();
    pty.type_now("\r");
    pty.settle();
    pty.type_now("INC-42\r");
    pty.wait("enter send");
    keep(&pty, "request");
    pty.press("\r", "Waiting for approval");
    keep(&pty, "waiting");
    pty.press("v", "review as lea");
    keep(&pty, "review");
    pty.press("\x1b", "Waiting for approval");
    home.vote(&book, true, "go");
    pty.wait("APPROVED");
    keep(&pty, "approved");
    pty.press("\r", "1 of 8");
    pty.wait("OK");
    keep(&pty, "preview");
    pty.press("r", "RUNNING 1 s");
    let lines: Vec<String> = pty.screen().lines().map(|line| line.trim_end().to_owned()).collect();
    std::fs::write(folder.join("running.txt"), lines.join("\n") + "\n").unwrap();
    pty.wait(" rows ");
    keep(&pty, "results");
    pty.press("b", "Steps");
    keep(&pty, "steps");
    pty.press("\x1b", "enter go on");
    pty.press(":", "Command, runbook");
    keep(&pty, "palette");
    pty.type_now("close");
    pty.press("\r", "CLOSED");
    keep(&pty, "closed");
    pty.press("\r", "checkout-errors closed");
    pty.end();
    keep(&pty, "summary");
}
