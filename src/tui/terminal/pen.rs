//! The thread that writes frames.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::Notify;

/// Writes what it is given, in order, each with one `write` where the terminal takes it.
pub(super) struct Pen {
    jobs: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Jobs handed over and not yet written.
    open: AtomicUsize,
    /// Milliseconds that the last one took.
    took: AtomicU64,
    /// The terminal takes nothing any more.
    dead: std::sync::atomic::AtomicBool,
    done: Notify,
}

impl Pen {
    pub(super) fn new(tty: OwnedFd) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Vec<u8>>();
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        std::thread::Builder::new().name("frames".to_owned()).spawn(move || {
            for job in todo {
                let begun = Instant::now();
                if !mine.dead.load(Ordering::Acquire) && write_all(&tty, &job).is_err() {
                    mine.dead.store(true, Ordering::Release);
                }
                mine.took.store(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Release);
                mine.open.fetch_sub(1, Ordering::AcqRel);
                mine.done.notify_one();
            }
        })?;
        Ok(Self { jobs, shared })
    }

    pub(super) fn write(&self, bytes: Vec<u8>) {
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        if self.jobs.send(bytes).is_err() {
            self.shared.open.fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.shared.open.load(Ordering::Acquire) > 0
    }

    pub(super) fn last_write(&self) -> Duration {
        Duration::from_millis(self.shared.took.load(Ordering::Acquire))
    }

    /// Waits until nothing is being written; `false` when the terminal is dead.
    pub(super) async fn written(&self) -> bool {
        while self.is_busy() {
            self.shared.done.notified().await;
        }
        !self.shared.dead.load(Ordering::Acquire)
    }

    /// The same without a runtime, for at most `limit`.
    pub(super) fn wait_idle(&self, limit: Duration) {
        let begun = Instant::now();
        while self.is_busy() && begun.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn write_all(tty: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(tty, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or(&[]),
            Err(Errno::INTR) => {}
            // Somebody who shares the terminal made it non-blocking.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(tty, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
