//! Result objects: `s3://bucket/key` as files below the state directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The results' folder.
#[derive(Debug, Clone)]
pub(super) struct Objects(PathBuf);

/// A place for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// The bucket.
    pub(super) bucket: String,
    /// The prefix, without `/` at either end; empty for the whole bucket.
    pub(super) prefix: String,
}

impl Location {
    /// Reads `s3://bucket/prefix/`. `None` if it is none, or would leave its folder.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let bucket_ok = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
            && bucket.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !bucket.contains("..");
        let prefix = prefix.trim_end_matches('/');
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
        let prefix_ok = prefix.is_empty() || (prefix.len() <= 900 && prefix.split('/').all(part_ok));
        (bucket_ok && prefix_ok).then(|| Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// The key of an object in it.
    pub(super) fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// `s3://bucket/key` of an object in it.
    pub(super) fn uri(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(name))
    }
}

/// The ARN of `s3://bucket/key`.
pub(super) fn arn(uri: &str) -> String {
    format!("arn:aws:s3:::{}", uri.strip_prefix("s3://").unwrap_or(uri))
}

impl Objects {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("objects"))
    }

    /// The file of `s3://bucket/key`; `None` if that is no place of ours.
    pub(super) fn path(&self, uri: &str) -> Option<PathBuf> {
        let place = Location::parse(uri)?;
        (!place.prefix.is_empty()).then(|| self.0.join(place.bucket).join(place.prefix))
    }

    /// The file, its folders made.
    pub(super) fn prepare(&self, uri: &str) -> io::Result<PathBuf> {
        let path = self.path(uri).ok_or_else(|| io::Error::other(format!("{uri} is no place for results")))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(path)
    }

    /// Removes an execution's result and its metadata; folders that are empty then go too.
    pub(super) fn remove(&self, uri: &str) {
        let Some(path) = self.path(uri) else { return };
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(metadata_path(&path));
        let mut folder = path.parent();
        while let Some(up) = folder.filter(|up| **up != self.0 && fs::remove_dir(up).is_ok()) {
            folder = up.parent();
        }
    }
}

/// The companion of a result file.
pub(super) fn metadata_path(result: &Path) -> PathBuf {
    let mut name = result.file_name().unwrap_or_default().to_owned();
    name.push(".metadata");
    result.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_stay_in_their_folder() {
        let place = Location::parse("s3://shop-results/tollgate/01J/").unwrap();
        assert_eq!(place.uri("x.csv"), "s3://shop-results/tollgate/01J/x.csv");
        assert_eq!(arn(&place.uri("x.csv")), "arn:aws:s3:::shop-results/tollgate/01J/x.csv");
        assert_eq!(Location::parse("s3://shop-results").unwrap().uri("x"), "s3://shop-results/x");
        for bad in [
            "",
            "s3://",
            "file:///etc",
            "s3://shop-results/../x",
            "s3://../x",
            "s3://a/x",
            "s3://Shop/x",
            "s3://shop-results/a//b",
            "s3://shop-results/a/./b",
        ] {
            assert_eq!(Location::parse(bad), None, "{bad}");
        }
        let objects = Objects::new(Path::new("/state"));
        assert_eq!(objects.path("s3://shop-results/a/b.csv"), Some(PathBuf::from("/state/objects/shop-results/a/b.csv")));
        assert_eq!(objects.path("s3://shop-results/"), None);
    }

    #[test]
    fn removing_a_result_removes_its_empty_folders() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::new(dir.path());
        let uri = "s3://shop-results/tollgate/01J/x.csv";
        let path = objects.prepare(uri).unwrap();
        fs::write(&path, "x").unwrap();
        fs::write(metadata_path(&path), "x").unwrap();
        objects.remove(uri);
        assert!(!dir.path().join("objects/shop-results").exists());
        assert!(dir.path().join("objects").exists());
    }
}
