//! A terminal for tests: a pseudo-terminal that `vt100` watches, and the program on it.
//!
//! Nothing here sleeps: every wait is for something on the screen, and ends with the screen in the message when it does not come.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Whatever is waited for comes within this, on a slow and busy machine too.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
/// A screen that has stood for this long takes keys that act: the app ignores them for 300 ms after each change.
const CALM: Duration = Duration::from_millis(450);
/// A key that changed nothing for this long was not taken; it is pressed again.
const AGAIN: Duration = Duration::from_secs(3);

/// The program on a terminal of its own.
pub(super) struct Pty {
    child: Child,
    keys: File,
    watched: Arc<(Mutex<Watched>, Condvar)>,
}

struct Watched {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// When the screen below its first line, which counts seconds, last changed.
    changed: Instant,
    body: String,
    closed: bool,
}

impl Pty {
    /// Starts `command` on a terminal of this size. The command is run by `setsid --ctty`, which makes the terminal its own.
    pub(super) fn start(columns: u16, lines: u16, command: &[&str], more: impl FnOnce(&mut Command)) -> Self {
        let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&control).unwrap();
        unlockpt(&control).unwrap();
        let name = ptsname(&control, Vec::new()).unwrap();
        let side: OwnedFd = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        tcsetwinsize(&side, Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let stdio = || Stdio::from(side.try_clone().unwrap());
        let mut setsid = Command::new("setsid");
        setsid.arg("--ctty").args(command).stdin(stdio()).stdout(stdio()).stderr(stdio());
        setsid.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").env_remove("COLORTERM");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("TOLLGATE_")) {
            setsid.env_remove(name);
        }
        more(&mut setsid);
        let child = setsid.spawn().expect("util-linux's `setsid` starts the program");
        drop(side);
        let watched = Watched {
            parser: vt100::Parser::new(lines.try_into().unwrap(), columns.try_into().unwrap(), 0),
            bytes: Vec::new(),
            changed: Instant::now(),
            body: String::new(),
            closed: false,
        };
        let watched = Arc::new((Mutex::new(watched), Condvar::new()));
        let keys = File::from(control);
        let (mut reads, watches) = (keys.try_clone().unwrap(), Arc::clone(&watched));
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 8192];
            loop {
                // The last descriptor of the other side closes: EIO.
                let count = reads.read(&mut buffer).unwrap_or(0);
                let mut watched = watches.0.lock().unwrap();
                if count == 0 {
                    watched.closed = true;
                } else {
                    watched.parser.process(&buffer[..count]);
                    watched.bytes.extend_from_slice(&buffer[..count]);
                    let body = below_first_line(watched.parser.screen());
                    if body != watched.body {
                        watched.body = body;
                        watched.changed = Instant::now();
                    }
                }
                watches.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, keys, watched }
    }

    /// The app with this state directory and book, on the small sandbox.
    pub(super) fn app(columns: u16, lines: u16, home: &Path, book: &Path, pace: &str, args: &[&str]) -> Self {
        let mut command =
            vec![env!("CARGO_BIN_EXE_tollgate"), "--state-dir", home.to_str().unwrap(), "--book", book.to_str().unwrap()];
        command.extend(args);
        Self::start(columns, lines, &command, |setsid| {
            setsid.env("TOLLGATE_SANDBOX", format!("--scale tiny --pace {pace}")).env("XDG_CONFIG_HOME", home.join("config"));
        })
    }

    /// The screen as text.
    pub(super) fn screen(&self) -> String {
        self.watched.0.lock().unwrap().parser.screen().contents()
    }

    /// Everything that was written so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.watched.0.lock().unwrap().bytes.clone()
    }

    /// Whether the alternate screen is shown.
    pub(super) fn is_alternate(&self) -> bool {
        self.watched.0.lock().unwrap().parser.screen().alternate_screen()
    }

    /// Waits until the terminal is given back.
    #[track_caller]
    pub(super) fn wait_given_back(&self) {
        let end = Instant::now() + PATIENCE;
        let mut watched = self.watched.0.lock().unwrap();
        while watched.parser.screen().alternate_screen() {
            let left = end.saturating_duration_since(Instant::now());
            let tail = String::from_utf8_lossy(&watched.bytes[watched.bytes.len().saturating_sub(200)..]).into_owned();
            assert!(!left.is_zero(), "the terminal is not given back; last came {tail:?}");
            watched = self.watched.1.wait_timeout(watched, left).unwrap().0;
        }
    }

    /// Waits until the screen satisfies `wanted`; `false` when `limit` is over first.
    pub(super) fn until(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let end = Instant::now() + limit;
        let mut watched = self.watched.0.lock().unwrap();
        loop {
            if wanted(&watched.parser.screen().contents()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || watched.closed {
                return false;
            }
            watched = self.watched.1.wait_timeout(watched, left).unwrap().0;
        }
    }

    /// Whether more than `before` bytes are written within `limit`.
    pub(super) fn writes_within(&self, limit: Duration, before: usize) -> bool {
        let end = Instant::now() + limit;
        let mut watched = self.watched.0.lock().unwrap();
        while watched.bytes.len() <= before {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            watched = self.watched.1.wait_timeout(watched, left).unwrap().0;
        }
        true
    }

    /// Waits for `text`.
    #[track_caller]
    pub(super) fn wait(&self, text: &str) {
        self.wait_for(text, PATIENCE);
    }

    /// Waits for `text` for at most `limit`.
    #[track_caller]
    pub(super) fn wait_for(&self, text: &str, limit: Duration) {
        assert!(self.until(limit, |screen| screen.contains(text)), "`{text}` did not come; the screen is:\n{}", self.screen());
    }

    /// Types, whatever is on the screen.
    pub(super) fn type_now(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen stands still, so that keys that act count.
    pub(super) fn settle(&self) {
        let end = Instant::now() + PATIENCE;
        let mut watched = self.watched.0.lock().unwrap();
        while Instant::now() < end && !watched.closed {
            let left = CALM.saturating_sub(watched.changed.elapsed());
            if left.is_zero() {
                return;
            }
            watched = self.watched.1.wait_timeout(watched, left).unwrap().0;
        }
    }

    /// Presses `keys` once the screen stands still, and waits for `text`. A key that came too early for the app is pressed again.
    #[track_caller]
    pub(super) fn press(&mut self, keys: &str, text: &str) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            self.settle();
            let before = self.watched.0.lock().unwrap().body.clone();
            self.type_now(keys);
            if self.until(AGAIN, |screen| screen.contains(text)) {
                return;
            }
            if self.watched.0.lock().unwrap().body != before {
                break;
            }
        }
        self.wait(text);
    }

    /// Enter through the fields of a request; the last one sends it.
    #[track_caller]
    pub(super) fn send_request(&mut self) {
        self.settle();
        self.type_now("\r\r");
        self.wait("enter send");
        self.press("\r", "Waiting for approval");
    }

    /// Presses `keys` again and again, as somebody in a hurry does, until `text` comes.
    #[track_caller]
    pub(super) fn hammer(&mut self, keys: &str, text: &str) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            self.type_now(keys);
            if self.until(Duration::from_millis(150), |screen| screen.contains(text)) {
                return;
            }
        }
        self.wait_for(text, Duration::ZERO);
    }

    /// The process's id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end, and for the last byte.
    #[track_caller]
    pub(super) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        while !self.watched.0.lock().unwrap().closed {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program does not end; the screen is:\n{}", self.screen());
            let watched = self.watched.0.lock().unwrap();
            if !watched.closed {
                let _ = self.watched.1.wait_timeout(watched, left).unwrap();
            }
        }
        self.child.wait().unwrap()
    }

    /// Ends it as `kill -9` does.
    pub(super) fn kill(mut self) {
        self.signal(rustix::process::Signal::KILL);
        assert_eq!(self.child.wait().unwrap().signal(), Some(9));
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn below_first_line(screen: &vt100::Screen) -> String {
    screen.contents().split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// A private state directory with a sandbox that ends with it.
pub(super) struct Home(tempfile::TempDir);

impl Home {
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        Self(home)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command of the program beside the app; gives what it printed.
    #[track_caller]
    pub(super) fn tollgate(&self, book: &Path, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.arg("--state-dir").arg(self.path()).arg("--book").arg(book).args(args).env_remove("TOLLGATE_SANDBOX");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Votes as lea on the one request that waits.
    #[track_caller]
    pub(super) fn vote(&self, book: &Path, approve: bool, comment: &str) {
        let listed = self.tollgate(book, &["--as", "lea", "requests", "list", "--format", "json"]);
        let waiting: Vec<serde_json::Value> = listed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|request: &serde_json::Value| request["may_vote"] == true)
            .collect();
        assert_eq!(waiting.len(), 1, "{listed}");
        let (id, digest) = (waiting[0]["request"].as_str().unwrap(), waiting[0]["digest"].as_str().unwrap());
        let verb = if approve { "approve" } else { "deny" };
        self.tollgate(book, &["--as", "lea", "requests", verb, id, "--digest", digest, "--comment", comment]);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        let _ = command.arg("--state-dir").arg(self.path()).args(["sandbox", "stop"]).stdout(Stdio::null()).status();
    }
}
