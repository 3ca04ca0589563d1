//! dynoxide, on threads of its own: each request has a large stack (a debug build overflowed the usual one on deeply nested
//! requests), and a panic costs one request, after which the database is opened anew.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use dynoxide::Database;
use tokio::sync::{Semaphore, oneshot};

use crate::sandbox::api::ApiError;

/// The stack of one request. Only pages that are touched cost memory.
const STACK: usize = 128 * 1024 * 1024;

/// Requests at a time; the database itself does one after the other.
const AT_ONCE: usize = 4;

/// The database and the right to work on it.
#[derive(Clone)]
pub(super) struct Engine {
    path: Arc<PathBuf>,
    database: Arc<RwLock<Database>>,
    permits: Arc<Semaphore>,
}

impl Engine {
    /// Opens the database at `path`, making it where it is missing.
    ///
    /// # Errors
    /// The database's own words.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        Ok(Self {
            path: Arc::new(path.to_owned()),
            database: Arc::new(RwLock::new(open(path)?)),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Runs `work` on a thread of its own.
    ///
    /// # Errors
    /// What `work` returns, or InternalServerError if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let internal = |message: String| ApiError::new(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", message);
        let permit = self.permits.clone().acquire_owned().await;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        let thread = std::thread::Builder::new().name("dynamodb".to_owned()).stack_size(STACK).spawn(move || {
            let _permit = permit;
            let result = work(&database);
            // Whoever asked may have gone away.
            let _ = answer.send(result);
        });
        thread.map_err(|error| internal(format!("no thread for the request: {error}")))?;
        match answered.await {
            Ok(result) => result,
            Err(_) => {
                let reopened = self.reopen();
                let state =
                    reopened.map_or_else(|error| format!("and did not come back: {error}"), |()| "and was restarted".to_owned());
                Err(internal(format!("The sandbox's DynamoDB broke on this request {state}.")))
            }
        }
    }

    fn reopen(&self) -> Result<(), String> {
        let database = open(&self.path)?;
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = database;
        Ok(())
    }
}

fn open(path: &Path) -> Result<Database, String> {
    let text = path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
    Database::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_request() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(&dir.path().join("dynamodb.db")).unwrap();
        let error = engine.run::<()>(|_| panic!("broken on purpose")).await.unwrap_err();
        assert_eq!((error.status, error.message.contains("was restarted")), (500, true), "{error}");
        let tables = engine.run(|database| Ok(database.table_count().unwrap())).await;
        assert_eq!(tables, Ok(0));
    }

    #[tokio::test]
    async fn stacks_are_large() {
        #[inline(never)]
        fn deep(level: usize) -> usize {
            let frame = std::hint::black_box([level; 512]);
            if level == 0 { frame.len() } else { deep(level - 1) + std::hint::black_box(&frame).len() }
        }
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(&dir.path().join("dynamodb.db")).unwrap();
        // 40 MiB of frames, where a thread has 2 MiB by default.
        assert_eq!(engine.run(|_| Ok(deep(10_000))).await, Ok(512 * 10_001));
    }
}
