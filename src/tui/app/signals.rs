//! Signals end the program, not the input stream: a stream of a dead terminal may say nothing at all.

use std::io;

use rustix::process::{Signal, getpgrp, getpid, kill_process, kill_process_group};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Within this a stopped process stands still, on a busy machine too. Time that passes while it is stopped counts.
const STOPPING: std::time::Duration = std::time::Duration::from_millis(250);

/// A signal that means something to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heeded {
    /// SIGHUP.
    HangUp,
    /// SIGTERM.
    Terminate,
    /// SIGINT, from another process: Ctrl-C is a key here.
    Interrupt,
    /// SIGWINCH.
    Resize,
    /// SIGTSTP, from another process: Ctrl-Z is a key here.
    Suspend,
    /// SIGCONT.
    Continue,
}

/// The signals that are heeded.
pub(super) struct Signals {
    hang_up: Stream,
    terminate: Stream,
    interrupt: Stream,
    resize: Stream,
    suspend: Stream,
    resumed: Stream,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            resize: signal(SignalKind::window_change())?,
            suspend: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            resumed: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Heeded {
        tokio::select! {
            biased;
            _ = self.hang_up.recv() => Heeded::HangUp,
            _ = self.terminate.recv() => Heeded::Terminate,
            _ = self.suspend.recv() => Heeded::Suspend,
            _ = self.resumed.recv() => Heeded::Continue,
            _ = self.interrupt.recv() => Heeded::Interrupt,
            _ = self.resize.recv() => Heeded::Resize,
        }
    }
}

/// Stops the process as Ctrl-Z in a terminal does: the others of the job first, with the signal they expect, then this one with
/// the one that cannot be caught. Returns when it is continued.
pub(super) fn stop_here() {
    let me = getpid();
    let group = getpgrp();
    if group != me {
        // Whoever started us in the same job (`cargo run`, a script) is to stop too, or the shell would not come back.
        let _ = kill_process_group(group, Signal::TSTP);
    }
    let _ = kill_process(me, Signal::STOP);
    // The stop may reach this thread after the call has returned; what comes next must come after the continuing.
    std::thread::sleep(STOPPING);
}
