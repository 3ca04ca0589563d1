//! Watching the store for appends by other processes: the file system's own notices, and a slow poll behind them, since notices
//! can be lost (queues overflow, some file systems send none).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::engine::ports::Journal;

/// How often the store is asked whatever the notices say. Idle, this is all that wakes the process.
const POLL: Duration = Duration::from_secs(2);

/// A notice of a write comes before its transaction can be seen: SQLite syncs the log first and then publishes it in shared memory,
/// which sends no notice. So a store that has not changed yet is asked again after these.
const AFTER_NOTICE: [Duration; 5] = [
    Duration::from_millis(2),
    Duration::from_millis(8),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
];

/// A running watch; it ends when this is dropped.
#[derive(Debug)]
pub struct StoreWatch {
    version: watch::Receiver<u64>,
    task: JoinHandle<()>,
    // Notices stop when it is dropped; `None` where the file system gives none.
    _notices: Option<RecommendedWatcher>,
}

impl StoreWatch {
    /// Watches `journal`, from within a tokio runtime.
    pub fn start(journal: Arc<dyn Journal>) -> Self {
        let noticed = Arc::new(Notify::new());
        let notices = notices(Path::new(&journal.path()), Arc::clone(&noticed)).ok();
        let (sender, version) = watch::channel(journal.version().unwrap_or(0));
        let task = tokio::spawn(follow(journal, noticed, sender));
        Self { version, task, _notices: notices }
    }

    /// A receiver of the journal's version: it is marked changed whenever any process has appended.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.version.clone()
    }
}

impl Drop for StoreWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends each new version. A store that does not answer now is asked again at the next notice or poll.
async fn follow(journal: Arc<dyn Journal>, noticed: Arc<Notify>, sender: watch::Sender<u64>) {
    while !sender.is_closed() {
        // Whichever comes first; a notice during the questions below is kept by `Notify` for the next round.
        let was_noticed = tokio::time::timeout(POLL, noticed.notified()).await.is_ok();
        for wait in std::iter::once(Duration::ZERO).chain(AFTER_NOTICE) {
            tokio::time::sleep(wait).await;
            let journal = Arc::clone(&journal);
            let Ok(Ok(version)) = tokio::task::spawn_blocking(move || journal.version()).await else { break };
            if sender.send_if_modified(|known| std::mem::replace(known, version) != version) || !was_noticed {
                break;
            }
        }
    }
}

/// Notices of writes to the store's file or its write-ahead log.
fn notices(store: &Path, noticed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut log = store.as_os_str().to_owned();
    log.push("-wal");
    let files = [store.to_owned(), PathBuf::from(log)];
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let relevant = match &event {
            // Reading the store is noticed as well; only writing matters.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => false,
            Ok(event) => event.need_rescan() || event.paths.iter().any(|path| files.contains(path)),
            Err(_) => true,
        };
        if relevant {
            noticed.notify_one();
        }
    })?;
    // The directory, not the files: SQLite removes the log and makes another one.
    watcher.watch(store.parent().unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
