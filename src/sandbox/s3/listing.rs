//! One page of a bucket's keys.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::object::Object;
use super::request::List;
use crate::sandbox::xml::element;

/// What `encoding-type=url` leaves as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// A page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Indices of keys.
    pub(super) keys: Vec<usize>,
    /// Prefixes that stand for all keys which begin with them.
    pub(super) prefixes: Vec<String>,
    /// The key or prefix after which the next page begins, if there is one.
    pub(super) next: Option<String>,
}

/// The page of sorted `keys` that a request asks for.
pub(super) fn page(keys: &[Arc<str>], list: &List) -> Page {
    let prefix = list.prefix.as_deref().unwrap_or_default();
    let after = list.token.as_deref().or(list.start_after.as_deref()).unwrap_or_default();
    // The token of a page that ended with a prefix stands for all its keys.
    let skipped = |key: &str| {
        key <= after
            || list.delimiter.as_deref().is_some_and(|end| list.token.is_some() && after.ends_with(end) && key.starts_with(after))
    };
    let mut page = Page::default();
    let mut last: Option<String> = None;
    let begin = keys.partition_point(|key| **key < *prefix.max(after));
    for (index, key) in keys.iter().enumerate().skip(begin) {
        if !key.starts_with(prefix) {
            break;
        }
        if skipped(key) {
            continue;
        }
        let rest = key.get(prefix.len()..).unwrap_or_default();
        let folder = list.delimiter.as_deref().and_then(|end| rest.find(end).map(|at| at + end.len()));
        let common = folder.and_then(|end| key.get(..prefix.len() + end)).map(str::to_owned);
        if common.is_some() && page.prefixes.last() == common.as_ref() {
            continue;
        }
        if page.keys.len() + page.prefixes.len() == list.most {
            page.next = last;
            return page;
        }
        last = Some(common.clone().unwrap_or_else(|| key.to_string()));
        match common {
            Some(prefix) => page.prefixes.push(prefix),
            None => page.keys.push(index),
        }
    }
    page
}

/// The answer to ListObjectsV2.
pub(super) fn render(bucket: &str, list: &List, page: &Page, objects: &[Object]) -> String {
    let shown = |text: &str| if list.encoded { utf8_percent_encode(text, KEPT).to_string() } else { text.to_owned() };
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    element(&mut out, "Name", bucket);
    element(&mut out, "Prefix", &shown(list.prefix.as_deref().unwrap_or_default()));
    if let Some(token) = &list.token {
        element(&mut out, "ContinuationToken", &hex::encode(token));
    }
    if let Some(after) = &list.start_after {
        element(&mut out, "StartAfter", &shown(after));
    }
    if let Some(delimiter) = &list.delimiter {
        element(&mut out, "Delimiter", &shown(delimiter));
    }
    if list.encoded {
        element(&mut out, "EncodingType", "url");
    }
    element(&mut out, "KeyCount", &(objects.len() + page.prefixes.len()).to_string());
    element(&mut out, "MaxKeys", &list.most.to_string());
    element(&mut out, "IsTruncated", if page.next.is_some() { "true" } else { "false" });
    if let Some(next) = &page.next {
        element(&mut out, "NextContinuationToken", &hex::encode(next));
    }
    for object in objects {
        out.push_str("<Contents>");
        element(&mut out, "Key", &shown(&object.key));
        element(&mut out, "LastModified", &object.modified.to_string());
        element(&mut out, "ETag", &object.etag);
        element(&mut out, "Size", &object.bytes.to_string());
        element(&mut out, "StorageClass", "STANDARD");
        out.push_str("</Contents>");
    }
    for prefix in &page.prefixes {
        out.push_str("<CommonPrefixes>");
        element(&mut out, "Prefix", &shown(prefix));
        out.push_str("</CommonPrefixes>");
    }
    out.push_str("</ListBucketResult>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(prefix: &str, delimiter: Option<&str>, most: usize) -> List {
        let prefix = Some(prefix.to_owned());
        List { prefix, delimiter: delimiter.map(str::to_owned), start_after: None, token: None, most, encoded: false }
    }

    /// All pages, keys and prefixes together.
    fn walk(keys: &[&str], mut list: List) -> Vec<Vec<String>> {
        let keys: Vec<Arc<str>> = keys.iter().map(|key| Arc::from(*key)).collect();
        let mut pages = Vec::new();
        loop {
            let page = page(&keys, &list);
            let names = page.keys.iter().map(|index| keys[*index].to_string());
            pages.push(names.chain(page.prefixes.iter().cloned()).collect());
            match page.next {
                Some(next) => list.token = Some(next),
                None => return pages,
            }
            assert!(pages.len() < 20);
        }
    }

    const KEYS: [&str; 6] = ["a/1", "a/2", "a/b/3", "a/b/4", "b/5", "c"];

    #[test]
    fn every_key_is_on_one_page() {
        for most in 1..8 {
            let pages = walk(&KEYS, list("", None, most));
            assert_eq!(pages.concat(), KEYS, "{most}");
            assert!(pages.iter().all(|page| page.len() <= most));
            assert_eq!(walk(&KEYS, list("a/", None, most)).concat(), KEYS[..4], "{most}");
        }
        assert_eq!(walk(&KEYS, list("nothing", None, 5)), [Vec::<String>::new()]);
    }

    #[test]
    fn a_delimiter_folds_keys_once_whatever_the_page() {
        for most in 1..4 {
            let mut all = walk(&KEYS, list("", Some("/"), most)).concat();
            all.sort();
            assert_eq!(all, ["a/", "b/", "c"], "{most}");
            let mut below = walk(&KEYS, list("a/", Some("/"), most)).concat();
            below.sort();
            assert_eq!(below, ["a/1", "a/2", "a/b/"], "{most}");
        }
    }

    #[test]
    fn a_listing_starts_after_a_key() {
        let keys: Vec<Arc<str>> = KEYS.iter().map(|key| Arc::from(*key)).collect();
        let list = List { start_after: Some("a/2".to_owned()), ..list("a/", None, 10) };
        assert_eq!(page(&keys, &list).keys, [2, 3]);
    }

    #[test]
    fn odd_keys_are_escaped_or_encoded() {
        let object = |key: &str| Object {
            key: Arc::from(key),
            path: Default::default(),
            bytes: 1,
            modified: "2026-11-20T08:00:00Z".parse().unwrap(),
            etag: "\"e\"".to_owned(),
        };
        let objects = [object("a&b/day=2026%2F11 <1>+")];
        let page = Page { keys: vec![0], ..Page::default() };
        let plain = render("b", &list("", None, 5), &page, &objects);
        assert!(plain.contains("<Key>a&amp;b/day=2026%2F11 &lt;1&gt;+</Key>"), "{plain}");
        let encoded = render("b", &List { encoded: true, ..list("", None, 5) }, &page, &objects);
        assert!(encoded.contains("<Key>a%26b/day%3D2026%252F11%20%3C1%3E%2B</Key>"), "{encoded}");
        assert!(encoded.contains("<LastModified>2026-11-20T08:00:00.000Z</LastModified>"), "{encoded}");
    }
}
