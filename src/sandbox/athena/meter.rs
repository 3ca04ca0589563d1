//! Every read of a query's data goes through its meter: it asks whether the caller still may, counts, holds the workgroup's
//! limit, and sets the pace.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use crate::sandbox::api::{Authorizer, Context};
use crate::sandbox::dataset::schema::LAKE_BUCKET;

/// What stops a read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stopped {
    /// The caller may not read this object, or not any more.
    #[error("Permission denied on S3 path: {path}")]
    Denied {
        /// `s3://bucket/key`.
        path: String,
    },
    /// More than the workgroup's `BytesScannedCutoffPerQuery`.
    #[error("Bytes scanned limit was exceeded")]
    Limit,
}

/// One query's reads.
#[derive(Debug)]
pub(super) struct Meter {
    scanned: AtomicU64,
    over: AtomicBool,
    limit: Option<u64>,
    authorizer: Authorizer,
    pace: Pace,
    /// When the next byte may be read, and how long it takes.
    schedule: Mutex<Schedule>,
    denied: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Schedule {
    free_at: Option<Instant>,
    nanos_per_kilobyte: u64,
}

impl Meter {
    pub(super) fn new(authorizer: Authorizer, limit: Option<u64>, pace: Pace) -> Self {
        Self {
            scanned: AtomicU64::new(0),
            over: AtomicBool::new(false),
            limit,
            authorizer,
            pace,
            schedule: Mutex::default(),
            denied: Mutex::default(),
        }
    }

    /// Bytes read so far.
    pub(super) fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// Why reads were refused, if they were: the engine wraps errors, this keeps the reason.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        if self.over.load(Ordering::Relaxed) {
            return Some(Stopped::Limit);
        }
        let denied = self.denied.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        denied.clone().map(|path| Stopped::Denied { path })
    }

    /// Sets the pace for a query that is going to read `bytes`.
    pub(super) fn expect(&self, bytes: u64) {
        let mut schedule = self.lock();
        let whole = self.pace.reading(bytes).as_nanos();
        schedule.nanos_per_kilobyte = u64::try_from(whole * 1000 / u128::from(bytes.max(1))).unwrap_or(u64::MAX);
    }

    /// Asks for the read of `bytes` of the object `key`, and waits until it is its turn.
    ///
    /// # Errors
    /// [`Stopped`]; the bytes are counted when the limit is what stops.
    pub(super) async fn read(&self, key: &str, bytes: u64) -> Result<(), Stopped> {
        self.may_read(key)?;
        let before = self.scanned.fetch_add(bytes, Ordering::Relaxed);
        if let Some(limit) = self.limit
            && before.saturating_add(bytes) > limit
        {
            // Athena stops at exactly the limit.
            self.scanned.store(limit, Ordering::Relaxed);
            self.over.store(true, Ordering::Relaxed);
            return Err(Stopped::Limit);
        }
        if let Some(at) = self.turn(bytes) {
            tokio::time::sleep_until(at).await;
        }
        Ok(())
    }

    fn may_read(&self, key: &str) -> Result<(), Stopped> {
        let context = Context::new().called_via("athena.amazonaws.com");
        self.authorizer.check("s3:GetObject", &format!("arn:aws:s3:::{LAKE_BUCKET}/{key}"), &context).map_err(|_| {
            let path = format!("s3://{LAKE_BUCKET}/{key}");
            *self.denied.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(path.clone());
            Stopped::Denied { path }
        })
    }

    /// Reserves the time that `bytes` take, after what others reserved.
    fn turn(&self, bytes: u64) -> Option<Instant> {
        let mut schedule = self.lock();
        if schedule.nanos_per_kilobyte == 0 {
            return None;
        }
        let now = Instant::now();
        let took = Duration::from_nanos(bytes.saturating_mul(schedule.nanos_per_kilobyte) / 1000);
        let start = schedule.free_at.map_or(now, |at| at.max(now));
        schedule.free_at = Some(start + took);
        schedule.free_at
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
