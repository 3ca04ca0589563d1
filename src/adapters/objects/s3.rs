//! Objects in S3: listings, and footers by ranged reads, each kept by its object's ETag.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::local::{MOST_FOOTERS, MOST_KEPT, has_footers};
use super::{Ranged, orc, parquet};
use crate::adapters::aws::{Aws, Listed};
use crate::core::catalog::Format;
use crate::core::catalog::file::{Content, File, Listing};
use crate::core::plan::PlanTarget;
use crate::engine::ports::{Clock, Depth, Keys, Objects, Place, Rights, ServiceError};

/// Places and footers that are read at the same time.
const AT_ONCE: usize = 8;

/// What is fetched of a file's end at once: most footers fit, so that one request reads them.
const TAIL: u64 = 64 << 10;

/// Listings and footers in S3, as a target's rights allow.
pub struct S3Objects<C> {
    aws: Arc<Aws>,
    target: PlanTarget,
    /// Minted keys; without them the operator's own rights count.
    keys: Option<Keys>,
    clock: C,
    /// Where requests are driven; not a runtime whose only thread asks.
    runtime: Handle,
    kept: Mutex<HashMap<(String, String), Content>>,
}

impl<C> std::fmt::Debug for S3Objects<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Objects").field("target", &self.target.name).finish_non_exhaustive()
    }
}

impl<C: Clock> S3Objects<C> {
    /// With the operator's own rights, or with `keys`.
    pub fn new(aws: Arc<Aws>, target: PlanTarget, keys: Option<Keys>, clock: C, runtime: Handle) -> Self {
        Self { aws, target, keys, clock, runtime, kept: Mutex::default() }
    }

    fn rights(&self) -> Rights<'_> {
        self.keys.as_ref().map_or(Rights::Own, Rights::Minted)
    }

    /// The data files below a place, by name.
    fn list(&self, place: &Place) -> Result<Vec<(String, Listed)>, String> {
        if !place.location.starts_with("s3://") {
            return Err(format!("{} is not in S3", place.location));
        }
        let root = if place.location.ends_with('/') { place.location.clone() } else { format!("{}/", place.location) };
        let mut found: Vec<(String, Listed)> = Vec::new();
        let listing = self.aws.list(&self.target, self.rights(), &root, |object| {
            let name = object.address.strip_prefix(&root).unwrap_or_default().to_owned();
            // Folders' own markers, and what Hive takes for the work of writers.
            if !name.ends_with('/') && !name.is_empty() && !name.split('/').any(|part| part.starts_with(['_', '.'])) {
                found.push((name, object));
            }
        });
        match self.runtime.block_on(listing) {
            Ok(()) => Ok(found),
            Err(ServiceError::Refused(failure)) => {
                Err(format!("access to {root} was refused ({}: {})", failure.code, failure.message))
            }
            Err(error) => Err(format!("{root} could not be listed: {error}")),
        }
    }

    fn content(&self, object: &Listed, format: Option<Format>) -> Content {
        let key = (object.address.clone(), object.etag.clone());
        if let Some(content) = self.kept().get(&key) {
            return content.clone();
        }
        let remote = Remote { objects: self, object, tail: Mutex::default() };
        let content = match format {
            Some(Format::Orc) => orc::read(&remote).map_or_else(Content::Broken, |orc| Content::Orc(Arc::new(orc))),
            _ => parquet::read(&remote).map_or_else(Content::Broken, |parquet| Content::Parquet(Arc::new(parquet))),
        };
        // What could not be read now may be readable later.
        if !matches!(content, Content::Broken(_)) {
            let mut kept = self.kept();
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            kept.insert(key, content.clone());
        }
        content
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Content>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clock> Objects for S3Objects<C> {
    fn look(&self, places: &[Place]) -> Vec<Arc<Listing>> {
        let now = self.clock.now();
        let listed = together(places, |place| self.list(place));
        let wanted = |place: &Place| place.depth == Depth::Footers && has_footers(place.format);
        let open: Vec<(usize, usize)> = places
            .iter()
            .zip(&listed)
            .enumerate()
            .filter(|(_, (place, _))| wanted(place))
            .flat_map(|(index, (_, found))| (0..found.as_ref().map_or(0, Vec::len)).map(move |file| (index, file)))
            .collect();
        // Where there are more files than are read, those that are lie evenly among all.
        let every = open.len().div_ceil(MOST_FOOTERS).max(1);
        let sampled: Vec<(usize, usize)> = open.into_iter().step_by(every).collect();
        let contents = together(&sampled, |(index, file)| {
            let object = listed.get(*index).and_then(|found| found.as_ref().ok()?.get(*file));
            let format = places.get(*index).and_then(|place| place.format);
            match object {
                Some((_, object)) if object.bytes > 0 => self.content(object, format),
                _ => Content::Unread,
            }
        });
        let mut contents: HashMap<(usize, usize), Content> = sampled.into_iter().zip(contents).collect();
        let one = |(index, found): (usize, Result<Vec<(String, Listed)>, String>)| {
            Arc::new(match found {
                Err(why) => Listing { taken_at: Some(now), ..Listing::failed(why) },
                Ok(found) => {
                    let files = found.into_iter().enumerate().map(|(file, (name, object))| {
                        let content = contents.remove(&(index, file)).unwrap_or(Content::Unread);
                        File { name, bytes: object.bytes, content }
                    });
                    Listing { taken_at: Some(now), files: files.collect(), failure: None }
                }
            })
        };
        listed.into_iter().enumerate().map(one).collect()
    }
}

/// Does `work` for each item on a few threads of its own; the results in the items' order. (The port is asked from threads that may
/// belong to the runtime, which must not wait for it themselves.)
fn together<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// An object read in ranges; its end is fetched once.
struct Remote<'a, C> {
    objects: &'a S3Objects<C>,
    object: &'a Listed,
    tail: Mutex<Option<Vec<u8>>>,
}

impl<C: Clock> Remote<'_, C> {
    fn fetch(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let objects = self.objects;
        let reading = objects.aws.range(&objects.target, objects.rights(), self.object, start, length);
        objects.runtime.block_on(reading).map_err(io::Error::other)
    }
}

impl<C: Clock> Ranged for Remote<'_, C> {
    fn bytes(&self) -> u64 {
        self.object.bytes
    }

    fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let end = start.checked_add(length).filter(|end| *end <= self.object.bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
        let kept = self.object.bytes.saturating_sub(TAIL);
        if start < kept {
            return self.fetch(start, length);
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match &*tail {
            Some(bytes) => bytes,
            None => tail.insert(self.fetch(kept, self.object.bytes - kept)?),
        };
        let at = |position: u64| usize::try_from(position - kept).map_err(|_| io::ErrorKind::InvalidInput);
        bytes.get(at(start)?..at(end)?).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
