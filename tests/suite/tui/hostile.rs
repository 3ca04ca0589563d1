//! Text that wants to command the terminal, in every place where text from outside is shown. What reaches the terminal are our
//! own sequences and nothing else, and what was hidden is seen.

use super::pty::{Home, Pty};
use super::{book, foreign_sequences};

/// A title to be set, a clipboard to be written, a screen to be cleared, a C1 control, an override of direction, a zero-width space.
const RUNBOOK: &str = r#"
runbook: v1
id: hostile
title: "T\e]0;owned\a\x9b2J\u202Eltit"
summary: "S\e[2J\u200bum"
owners: ["o\e]52;c;b3duZWQ=\a"]
tags: ["g\e[31m"]
inputs:
  day: { type: date, as: "%Y/%m/%d", default: yesterday }
  word: { type: string, max: 40, optional: true, help: "H\e[6n\u2066elp" }
access: { target: shop-readonly, approvals: { need: 1, from: [payments-leads] } }
steps:
  - id: rows
    title: "R\eP$q\e\\ows"
    note: "N\e]8;;http://example\e\\ote **b\e[7mold**"
    athena:
      database: web
      sql: |
        SELECT 'x' || chr(27) || ']0;owned' || chr(7) || chr(155) || '2J' AS "c[H", chr(8238) || 'rtl' AS turned
        FROM alb_logs WHERE day = :day LIMIT 1
  - id: ask
    title: Ask
    confirm: "Q\e[5n\u00aduestion"
"#;

#[test]
fn nothing_from_outside_commands_the_terminal() {
    let (home, dir) = (Home::new(), book(&[("hostile", RUNBOOK)]));
    let book = dir.path();
    let mut pty = Pty::app(80, 24, home.path(), book, "off", &["--as", "ana"]);
    pty.wait("1 of 1");
    pty.wait("<U+202E>");
    pty.press("\r", "inputs");
    pty.wait("<U+2066>");
    pty.type_now("\t");
    // Pasted escapes are shown in the field, not obeyed.
    pty.type_now("\x1b[200~w\u{9b}x\x1b]0;owned\x07\u{202e}y\x1b[201~");
    pty.wait("<U+202E>y");
    pty.press("\x15", "H");
    pty.press("\r", "a request needs a reason");
    pty.type_now("why\x1b[200~ \u{9b}31m\u{202e}z\x1b[201~");
    pty.wait("<U+202E>z");
    pty.send_request();
    home.vote(book, true, "c\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}d");
    pty.wait("APPROVED");
    pty.wait("<U+202E>d");
    pty.press("\r", "1 of 2");
    pty.wait("OK");
    pty.press("r", "1 row");
    pty.wait("<U+202E>rtl");
    pty.wait("␛]0;owned");
    pty.press(" ", "row 1 of 1");
    pty.press("\x1b", "1 row ");
    pty.press("\r", "<U+00AD>uestion");
    pty.press("b", "Steps");
    pty.press("\x1b", "QUESTION");
    pty.press(":", "Command, runbook, run, column");
    pty.type_now("close");
    pty.press("\r", "CLOSED");
    pty.type_now("\r");
    pty.press("\r", "hostile closed");
    pty.end();
    assert_eq!(foreign_sequences(&pty.bytes()), Vec::<String>::new());
    // Text that is written beside the app goes through the same door.
    for args in [&["runs", "list"][..], &["requests", "list"]] {
        assert_eq!(foreign_sequences(home.tollgate(book, args).as_bytes()), Vec::<String>::new());
    }
}
