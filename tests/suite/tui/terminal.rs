//! What the terminal sends, and what it is given back.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::pty::{Home, Pty};
use super::{foreign_sequences, shipped};

/// Answers that a terminal may send seconds late: background colour, mode, colour scheme, version.
const LATE: &str = "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?2026;2$y\x1b[?997;1n\x1bP>|XTerm(390)\x1b\\";

#[test]
fn late_answers_are_no_keys() {
    let home = Home::new();
    let mut pty = Pty::app(80, 24, home.path(), &shipped(), "off", &[]);
    pty.wait("checkout-errors");
    // On the list every letter of an answer would be a command, in the filter a letter.
    pty.type_now(LATE);
    pty.press("/", "enter take");
    pty.type_now(&format!("{LATE}q{LATE}"));
    pty.wait("/q");
    pty.press("\r", "/ filter");
    let line = pty.screen().lines().find(|line| line.contains("/q")).unwrap_or_default().to_owned();
    assert!(line.trim_start().starts_with("/q  "), "{line}");
    // One `q` and nothing else: the app ends as it does when it is left.
    pty.settle();
    pty.type_now(&format!("{LATE}q"));
    assert_eq!(pty.end().code(), Some(0));
    assert!(!pty.is_alternate());
}

#[test]
fn pasted_text_is_data() {
    let home = Home::new();
    let mut pty = Pty::app(80, 24, home.path(), &shipped(), "off", &[]);
    pty.wait("checkout-errors");
    pty.type_now("\x1b[200~q\rq\x1b[201~");
    pty.wait("there is no field here");
    pty.press("/", "enter take");
    pty.type_now("\x1b[200~noisy\x1b[201~");
    pty.wait("/noisy");
    pty.wait("▸ noisy-client");
}

#[test]
fn signals_give_the_terminal_back() {
    let home = Home::new();
    for (signal, code, within) in [(Signal::TERM, 143, 2_000), (Signal::HUP, 129, 2_000)] {
        let mut pty = Pty::app(80, 24, home.path(), &shipped(), "off", &[]);
        pty.wait("checkout-errors");
        let begun = Instant::now();
        pty.signal(signal);
        assert_eq!(pty.end().code(), Some(code));
        assert!(begun.elapsed() < Duration::from_millis(within), "{signal:?} took {:?}", begun.elapsed());
        assert!(!pty.is_alternate());
        let bytes = pty.bytes();
        assert!(bytes.ends_with(b"\x1b[?2004l\x1b[?25h\x1b[?1049l"), "{:?}", String::from_utf8_lossy(&bytes[bytes.len() - 60..]));
        assert_eq!(foreign_sequences(&bytes), Vec::<String>::new());
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_takes_it_again() {
    let home = Home::new();
    let mut pty = Pty::app(80, 24, home.path(), &shipped(), "off", &[]);
    pty.wait("checkout-errors");
    pty.settle();
    pty.type_now("\x1a");
    let stat = format!("/proc/{}/stat", pty.id());
    let stopped = || std::fs::read_to_string(&stat).unwrap().rsplit(')').next().unwrap().trim_start().starts_with('T');
    let end = Instant::now() + super::pty::PATIENCE;
    while !stopped() {
        assert!(Instant::now() < end, "it does not stop: {}", std::fs::read_to_string(&stat).unwrap());
        std::thread::yield_now();
    }
    pty.wait_given_back();
    pty.signal(Signal::CONT);
    assert!(pty.until(super::pty::PATIENCE, |screen| screen.contains("checkout-errors")));
    assert!(pty.is_alternate());
    pty.settle();
    pty.type_now("q");
    assert_eq!(pty.end().code(), Some(0));
}

/// Not a test of its own: [`a_panic_can_be_read`] runs it on a terminal.
#[test]
#[ignore = "run by another test, on a terminal of its own"]
fn panics_with_the_terminal() {
    use std::os::fd::AsFd as _;
    let output = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
    let mut terminal = tollgate::tui::terminal::Terminal::take(output).unwrap();
    terminal.draw(|frame| frame.render_widget("before it", frame.area())).unwrap();
    std::thread::spawn(|| panic!("for the test")).join().unwrap_err();
    assert!(terminal.is_lost());
}

#[test]
fn a_panic_can_be_read() {
    let me = std::env::current_exe().unwrap();
    let play = ["--exact", "tui::terminal::panics_with_the_terminal", "--ignored", "--nocapture"];
    let mut command = vec![me.to_str().unwrap()];
    command.extend(play);
    let mut pty = Pty::start(80, 24, &command, |_| {});
    pty.end();
    assert!(!pty.is_alternate());
    assert!(pty.screen().contains("for the test"), "{}", pty.screen());
    let bytes = pty.bytes();
    let at = |wanted: &[u8]| bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    assert!(at(b"\x1b[?1049l") < at(b"for the test"));
}

#[test]
fn nothing_happens_when_nothing_happens() {
    let home = Home::new();
    let mut pty = Pty::app(120, 40, home.path(), &shipped(), "off", &[]);
    pty.wait("checkout-errors");
    // Once the data is there and the first notice is gone, nothing changes by itself.
    pty.press("j", "▸ checkout-errors");
    let ready = || home.tollgate(&shipped(), &["sandbox", "status"]).contains("ready");
    let end = Instant::now() + super::pty::PATIENCE;
    while !ready() {
        assert!(Instant::now() < end);
    }
    let quiet = |_: usize| !pty.writes_within(Duration::from_secs(3), pty.bytes().len());
    assert!((0..5).any(quiet), "an idle app writes on and on");
    // A frame is one write, wrapped whole.
    let frames = pty.bytes();
    let count = |wanted: &[u8]| frames.windows(wanted.len()).filter(|window| *window == wanted).count();
    assert_eq!(count(b"\x1b[?2026h"), count(b"\x1b[?2026l"));
    assert!(count(b"\x1b[?2026h") < 40);
}
