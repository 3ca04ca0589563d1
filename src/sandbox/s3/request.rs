//! Reading S3's requests: path style, query parameters, ranges.

use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::sandbox::api::ApiError;

/// The most that a page of a listing holds (API reference, `max-keys`).
const MOST_KEYS: usize = 1000;

/// The bucket and the key of a path, decoded; the key is empty where the bucket itself is meant.
pub(super) fn place(path: &str) -> Option<(String, String)> {
    let (bucket, key) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.get(1..)?, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    Some((decoded(bucket)?, decoded(key)?))
}

/// The parameters of a query, decoded; `+` is a plus sign, as S3 reads it in a signed query.
pub(super) fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// `ListObjectsV2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    pub(super) prefix: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) start_after: Option<String>,
    pub(super) token: Option<String>,
    pub(super) most: usize,
    /// Whether keys are answered percent-encoded.
    pub(super) encoded: bool,
}

impl List {
    /// Reads a listing's parameters.
    ///
    /// # Errors
    /// `InvalidArgument`, or `NotImplemented` for a listing of the first version.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self, ApiError> {
        let get = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        if get("list-type").as_deref() != Some("2") {
            let words = "The sandbox's S3 lists with ListObjectsV2, and reads objects with GetObject and HeadObject.";
            return Err(ApiError::new(501, "NotImplemented", words));
        }
        let most = match get("max-keys").as_deref() {
            None | Some("") => MOST_KEYS,
            Some(text) => match text.parse::<i64>() {
                Ok(most) if most >= 0 => usize::try_from(most).unwrap_or(MOST_KEYS).min(MOST_KEYS),
                _ => return Err(argument("Provided max-keys not an integer or within integer range")),
            },
        };
        let encoded = match get("encoding-type").as_deref() {
            None => false,
            Some("url") => true,
            Some(_) => return Err(argument("Invalid Encoding Method specified in Request")),
        };
        let token = match get("continuation-token") {
            None => None,
            Some(token) => {
                let key = hex::decode(&token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                Some(key.ok_or_else(|| argument("The continuation token provided is incorrect"))?)
            }
        };
        let delimiter = get("delimiter").filter(|text| !text.is_empty());
        let start_after = get("start-after").filter(|text| !text.is_empty());
        Ok(Self { prefix: get("prefix"), delimiter, start_after, token, most, encoded })
    }
}

fn argument(message: &str) -> ApiError {
    ApiError::new(400, "InvalidArgument", message)
}

/// What part of an object of `size` bytes is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it; also where the header says nothing that could be understood (RFC 9110, 14.2).
    Whole,
    /// From the first byte to the last, both included.
    Part(u64, u64),
    /// Nothing of it: `InvalidRange`.
    Outside,
}

/// Reads the `Range` header.
pub(super) fn range(parts: &Parts, size: u64) -> Range {
    let header = parts.headers.get("range").and_then(|value| value.to_str().ok());
    header.map_or(Range::Whole, |text| range_of(text, size))
}

fn range_of(text: &str, size: u64) -> Range {
    // S3 takes one range a request; several are answered as none.
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else { return Range::Whole };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if last < first => Range::Whole,
        (Ok(first), last) if last.is_ok() || text.ends_with('-') => {
            if first >= size {
                return Range::Outside;
            }
            Range::Part(first, last.unwrap_or(u64::MAX).min(size - 1))
        }
        (Err(_), Ok(count)) if first.is_empty() => {
            if count == 0 || size == 0 {
                return Range::Outside;
            }
            Range::Part(size.saturating_sub(count), size - 1)
        }
        _ => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, size, range) in [
            ("bytes=0-9", 100, Range::Part(0, 9)),
            ("bytes=90-200", 100, Range::Part(90, 99)),
            ("bytes=99-", 100, Range::Part(99, 99)),
            ("bytes=-8", 100, Range::Part(92, 99)),
            ("bytes=-200", 100, Range::Part(0, 99)),
            ("bytes=100-", 100, Range::Outside),
            ("bytes=100-200", 100, Range::Outside),
            ("bytes=-0", 100, Range::Outside),
            ("bytes=0-0", 0, Range::Outside),
            ("bytes=9-0", 100, Range::Whole),
            ("bytes=0-1,5-6", 100, Range::Whole),
            ("bytes=x-", 100, Range::Whole),
            ("bytes=-", 100, Range::Whole),
            ("items=0-1", 100, Range::Whole),
        ] {
            assert_eq!(range_of(text, size), range, "{text}");
        }
    }

    #[test]
    fn paths_and_parameters_are_decoded_once() {
        let two = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(place("/shop-lake"), two("shop-lake", ""));
        assert_eq!(place("/shop-lake/"), two("shop-lake", ""));
        assert_eq!(place("/shop-lake/a/day=2026%252F11/x"), two("shop-lake", "a/day=2026%2F11/x"));
        assert_eq!(place("/b/%FF"), None);
        assert_eq!(
            parameters("list-type=2&prefix=a%2Fb+c&acl"),
            [
                ("list-type".to_owned(), "2".to_owned()),
                ("prefix".to_owned(), "a/b+c".to_owned()),
                ("acl".to_owned(), String::new())
            ]
        );
    }

    #[test]
    fn listings() {
        let read = |query: &str| List::read(&parameters(query)).map_err(|error| error.code);
        let list = read("list-type=2&prefix=web%2F&delimiter=%2F&max-keys=5000&encoding-type=url").unwrap();
        assert_eq!(
            (list.prefix.as_deref(), list.delimiter.as_deref(), list.most, list.encoded),
            (Some("web/"), Some("/"), 1000, true)
        );
        for (query, code) in [
            ("prefix=x", "NotImplemented"),
            ("list-type=2&max-keys=-1", "InvalidArgument"),
            ("list-type=2&max-keys=x", "InvalidArgument"),
            ("list-type=2&encoding-type=base64", "InvalidArgument"),
            ("list-type=2&continuation-token=zz", "InvalidArgument"),
        ] {
            assert_eq!(read(query), Err(code.to_owned()), "{query}");
        }
    }
}
