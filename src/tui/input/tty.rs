//! Reading the terminal on a thread of its own.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use async_trait::async_trait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::{Ear, Heard, Input};

/// Things heard and not yet taken. More stay in the kernel's queue: a flood slows its sender, not us.
const QUEUE: usize = 1024;

/// Input from a terminal. Dropping it ends its thread.
#[derive(Debug)]
pub struct TtyInput {
    heard: mpsc::Receiver<Heard>,
    /// Closing this end wakes the thread.
    _stop: UnixStream,
}

impl TtyInput {
    /// Begins to read `tty`, which must be in raw mode.
    ///
    /// # Errors
    /// When no thread or socket can be had.
    pub fn new(tty: OwnedFd) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let (tell, heard) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || listen(&tty, &stopped, &tell))?;
        Ok(Self { heard, _stop: stop })
    }
}

#[async_trait]
impl Input for TtyInput {
    async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

fn listen(tty: &OwnedFd, stopped: &UnixStream, tell: &mpsc::Sender<Heard>) {
    let (mut ear, mut bytes, mut out) = (Ear::default(), [0_u8; 4096], Vec::new());
    loop {
        let come = wait(tty, stopped, ear.patience());
        match come {
            Come::Bytes => match rustix::io::read(tty, &mut bytes) {
                Ok(0) => break,
                Ok(count) => ear.hear(bytes.get(..count).unwrap_or(&[]), &mut out),
                Err(Errno::INTR | Errno::AGAIN) => {}
                // EIO: the terminal hung up.
                Err(_) => break,
            },
            Come::Silence => ear.silence(&mut out),
            Come::Again => {}
            Come::Closed => break,
            Come::Stopped => return,
        }
        for heard in out.drain(..) {
            if tell.blocking_send(heard).is_err() {
                return;
            }
        }
    }
    // Nobody listens any more: that is as good as told.
    let _ = tell.blocking_send(Heard::Closed);
}

enum Come {
    Bytes,
    Silence,
    Again,
    Closed,
    Stopped,
}

fn wait(tty: &OwnedFd, stopped: &UnixStream, patience: Option<Duration>) -> Come {
    let mut fds =
        [PollFd::from_borrowed_fd(tty.as_fd(), PollFlags::IN), PollFd::from_borrowed_fd(stopped.as_fd(), PollFlags::IN)];
    let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
    match poll(&mut fds, timeout.as_ref()) {
        Ok(0) => Come::Silence,
        Ok(_) => {
            let [tty, stopped] = &fds;
            if !stopped.revents().is_empty() {
                Come::Stopped
            } else if tty.revents().contains(PollFlags::IN) {
                Come::Bytes
            } else {
                Come::Closed
            }
        }
        Err(Errno::INTR) => Come::Again,
        Err(_) => Come::Closed,
    }
}
