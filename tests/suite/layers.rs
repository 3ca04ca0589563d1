//! The layers of ARCHITECTURE.md: who may import whom, and what the pure core may not name.

use std::fs;
use std::path::{Path, PathBuf};

/// For each layer, the crate paths that it may import.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("core", &["core"]),
    ("engine", &["engine", "core"]),
    ("adapters", &["adapters", "engine::ports", "core"]),
    ("sandbox", &["sandbox", "core"]),
    ("tui", &["tui", "engine", "core"]),
    ("cli", &["cli", "tui", "engine", "adapters", "sandbox", "core"]),
];

/// What the core may not name: the outside world in any form.
const IMPURE: [&str; 16] = [
    "std::fs",
    "std::env",
    "std::process",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tokio::",
    "ratatui::",
    "crossterm::",
    "rusqlite::",
    "aws_",
];

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn layer_files(layer: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(layer), &mut files);
    assert!(!files.is_empty(), "no sources in {layer}");
    files
}

/// Code without comments and without what only tests compile, roughly: tests may do what they like.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if name == "tests.rs" || path.components().any(|part| part.as_os_str() == "tests") {
        return Vec::new();
    }
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = production.lines().enumerate();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(index, line)| (index + 1, line.to_owned())).collect()
}

#[test]
fn layers_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for (layer, allowed) in ALLOWED {
        for file in layer_files(layer) {
            for (number, line) in code(&file) {
                for (at, _) in line.match_indices("crate::") {
                    let rest = &line[at + "crate::".len()..];
                    let fits = allowed.iter().any(|path| {
                        rest.strip_prefix(path).is_some_and(|tail| !tail.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                    });
                    // `$crate::` and macros of other crates are not ours to judge.
                    if !fits && !line[..at].ends_with('$') {
                        wrong.push(format!("{}:{number}: {}", file.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden imports:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for file in layer_files("core") {
        for (number, line) in code(&file) {
            if IMPURE.iter().any(|word| line.contains(word)) || line.contains("async fn") {
                wrong.push(format!("{}:{number}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "the core names the outside world:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_theme_names_colours_and_only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for file in layer_files("tui") {
        if file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("theme")) {
            continue;
        }
        wrong.extend(
            code(&file)
                .into_iter()
                .filter(|(_, line)| line.contains("Color::"))
                .map(|(n, l)| format!("{}:{n}: {l}", file.display())),
        );
    }
    for layer in ["core", "engine", "adapters", "sandbox", "tui"] {
        for file in layer_files(layer) {
            let prints = |line: &str| line.contains("println!") || line.contains("print!(");
            wrong.extend(
                code(&file).into_iter().filter(|(_, line)| prints(line)).map(|(n, l)| format!("{}:{n}: {l}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
