//! Files of this machine.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::core::catalog::Format;
use crate::core::catalog::file::{Content, File, Listing};
use crate::engine::ports::{Clock, Depth, Objects, Place};

use super::{Ranged, orc, parquet};

/// Footers that one look reads at most; where there are more files, as many of them as this are spread over all of them.
pub(super) const MOST_FOOTERS: usize = 2_000;
/// Footers that are kept; beyond it the cache begins anew.
pub(super) const MOST_KEPT: usize = 20_000;
/// Folders below a place are followed this deep.
const DEPTH: u32 = 16;

/// Listings and footers of local files. Footers are kept by path, size and time of change.
#[derive(Debug)]
pub struct LocalObjects<C> {
    clock: C,
    kept: Mutex<HashMap<Key, Content>>,
}

type Key = (PathBuf, u64, Option<SystemTime>);

impl<C: Clock> LocalObjects<C> {
    /// With a clock for the listings' age.
    pub fn new(clock: C) -> Self {
        Self { clock, kept: Mutex::new(HashMap::new()) }
    }

    fn content(&self, found: &Found, format: Option<Format>) -> Content {
        let key = (found.path.clone(), found.bytes, found.changed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = kept.get(&key) {
            return content.clone();
        }
        let content = read(&found.path, found.bytes, format);
        // A file that could not be read now may be readable later.
        if !matches!(content, Content::Broken(_)) {
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            kept.insert(key, content.clone());
        }
        content
    }
}

impl<C: Clock> Objects for LocalObjects<C> {
    fn look(&self, places: &[Place]) -> Vec<Arc<Listing>> {
        let now = self.clock.now();
        let listed: Vec<Result<Vec<Found>, String>> = places.iter().map(list).collect();
        let wanted = |place: &Place| place.depth == Depth::Footers && has_footers(place.format);
        let files: usize =
            places.iter().zip(&listed).filter(|(place, _)| wanted(place)).map(|(_, found)| found.iter().flatten().count()).sum();
        let every = files.div_ceil(MOST_FOOTERS).max(1);
        let mut number = 0;
        let mut one = |place: &Place, found: Result<Vec<Found>, String>| match found {
            Err(why) => Listing { taken_at: Some(now), ..Listing::failed(why) },
            Ok(found) => {
                let files = found.into_iter().map(|found| {
                    number += 1;
                    let content = if wanted(place) && found.bytes > 0 && number % every == 0 {
                        self.content(&found, place.format)
                    } else {
                        Content::Unread
                    };
                    File { name: found.name, bytes: found.bytes, content }
                });
                Listing { taken_at: Some(now), files: files.collect(), failure: None }
            }
        };
        places.iter().zip(listed).map(|(place, found)| Arc::new(one(place, found))).collect()
    }
}

/// Whether files of this format say at their end what they hold.
pub(super) fn has_footers(format: Option<Format>) -> bool {
    matches!(format, Some(Format::Parquet | Format::Iceberg | Format::Orc))
}

/// A file as listed.
struct Found {
    path: PathBuf,
    name: String,
    bytes: u64,
    changed: Option<SystemTime>,
}

/// The path of a place on this machine; why there is none.
fn path(place: &Place) -> Result<PathBuf, String> {
    if let Some(rest) = place.location.strip_prefix("file://") {
        let decoded = percent_encoding::percent_decode_str(rest).decode_utf8();
        return decoded.map(|path| PathBuf::from(path.as_ref())).map_err(|_| "the location is not UTF-8".to_owned());
    }
    if let Some((scheme, _)) = place.location.split_once("://") {
        return Err(format!("{scheme}:// locations are not looked at from here"));
    }
    let relative = Path::new(&place.location);
    // A relative location may not climb out of the catalog's folder: the files there are none of the table's.
    if relative.is_relative() && relative.components().any(|part| part == std::path::Component::ParentDir) {
        return Err("the location leads out of the catalog file's folder".to_owned());
    }
    Ok(Path::new(&place.base).join(relative))
}

fn list(place: &Place) -> Result<Vec<Found>, String> {
    let root = path(place)?;
    let mut found = Vec::new();
    walk(&root, "", DEPTH, &mut found).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{} is not there", place.location),
        io::ErrorKind::PermissionDenied => format!("access to {} was denied", place.location),
        _ => format!("{} cannot be listed: {error}", place.location),
    })?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, depth: u32, into: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Hive takes these for the work of writers, not for data.
        if name.starts_with(['_', '.']) {
            continue;
        }
        let name = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if let Some(depth) = depth.checked_sub(1) {
                walk(&entry.path(), &format!("{name}/"), depth, into)?;
            }
            continue;
        }
        // A link is as long as what it points to; one that points nowhere is no file.
        let Ok(meta) = fs::metadata(entry.path()) else { continue };
        if meta.is_file() {
            into.push(Found { path: entry.path(), name, bytes: meta.len(), changed: meta.modified().ok() });
        }
    }
    Ok(())
}

fn read(path: &Path, bytes: u64, format: Option<Format>) -> Content {
    let opened = match fs::File::open(path) {
        Ok(file) => Opened { file, bytes },
        Err(error) => return Content::Broken(error.to_string()),
    };
    match format {
        Some(Format::Orc) => orc::read(&opened).map_or_else(Content::Broken, |orc| Content::Orc(Arc::new(orc))),
        _ => parquet::read(&opened).map_or_else(Content::Broken, |parquet| Content::Parquet(Arc::new(parquet))),
    }
}

struct Opened {
    file: fs::File,
    bytes: u64,
}

impl Ranged for Opened {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        if start.checked_add(length).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::units::{Millis, Timestamp};

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp(1)
        }

        fn boot(&self) -> Millis {
            Millis(0)
        }

        fn skew_ms(&self) -> Option<i64> {
            None
        }
    }

    fn look(base: &Path, location: &str) -> Arc<Listing> {
        let place = Place {
            location: location.to_owned(),
            base: base.to_string_lossy().into_owned(),
            format: Some(Format::Parquet),
            depth: Depth::Footers,
        };
        LocalObjects::new(Still).look(&[place]).remove(0)
    }

    #[test]
    fn hidden_names_are_left_out_and_bad_files_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("t");
        fs::create_dir_all(table.join("sub")).unwrap();
        for (name, bytes) in
            [("a.parquet", &b"not a parquet file"[..]), ("_x", b"1"), (".y", b"2"), ("empty", b""), ("sub/b.parquet", b"PAR1")]
        {
            fs::write(table.join(name), bytes).unwrap();
        }
        let listing = look(dir.path(), "t");
        let names: Vec<_> = listing.files.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(names, [("a.parquet", 18), ("empty", 0), ("sub/b.parquet", 4)]);
        assert!(matches!(listing.files[0].content, Content::Broken(_)));
        assert_eq!(listing.files[1].content, Content::Unread);
        assert!(matches!(listing.files[2].content, Content::Broken(_)));
    }

    #[test]
    fn a_place_that_cannot_be_listed_says_why() {
        let dir = tempfile::tempdir().unwrap();
        for (location, why) in [
            ("gone/", "gone/ is not there"),
            ("s3://b/x", "s3:// locations"),
            ("../x", "leads out of"),
            ("file:///no/such", "not there"),
        ] {
            let listing = look(dir.path(), location);
            assert!(listing.failure.as_ref().is_some_and(|said| said.contains(why)), "{location}: {:?}", listing.failure);
            assert!(listing.files.is_empty());
        }
    }
}
