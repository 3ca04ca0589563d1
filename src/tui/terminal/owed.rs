//! What is owed to terminals that were taken, so that a panic or a signal can pay it from anywhere.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcsetattr};

struct Owed {
    id: u64,
    tty: OwnedFd,
    saved: Termios,
    leave: &'static [u8],
}

static OWED: Mutex<Vec<Owed>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A terminal that was taken and must be given back. Dropping it pays.
#[derive(Debug)]
pub(super) struct Debt(u64);

impl Debt {
    pub(super) fn new(tty: OwnedFd, saved: Termios, leave: &'static [u8]) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        OWED.lock().unwrap_or_else(PoisonError::into_inner).push(Owed { id, tty, saved, leave });
        Self(id)
    }

    /// Whether somebody else gave the terminal back: a panic.
    pub(super) fn is_paid(&self) -> bool {
        !OWED.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|owed| owed.id == self.0)
    }

    /// Gives the terminal back.
    pub(super) fn pay(self) {
        drop(self);
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        let owed = {
            let mut all = OWED.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().position(|owed| owed.id == self.0).map(|at| all.swap_remove(at))
        };
        // Nothing left means that a panic paid already.
        if let Some(owed) = owed {
            owed.pay();
        }
    }
}

impl Owed {
    fn pay(self) {
        // Late answers of the terminal must not be typed into the shell.
        let _ = tcflush(&self.tty, QueueSelector::IFlush);
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.saved);
        // Last, because a terminal that stands still blocks here; its modes are back by then.
        let mut rest = self.leave;
        while !rest.is_empty() {
            match rustix::io::write(&self.tty, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or(&[]),
                Err(rustix::io::Errno::INTR) => {}
                // The terminal is gone or takes nothing: nothing more can be done for it.
                Err(_) => break,
            }
        }
    }
}

/// Gives every terminal back that is still ours. Safe to call twice and from any thread.
pub fn restore_all() {
    let all = std::mem::take(&mut *OWED.lock().unwrap_or_else(PoisonError::into_inner));
    all.into_iter().for_each(Owed::pay);
}

/// A panic's message must be readable: the terminal is given back before it is printed.
pub(super) fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore_all();
            before(info);
        }));
    });
}
