//! The canonical request that both sides sign.

use axum::http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Signed;
use crate::core::units::Timestamp;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text whose hash is signed. S3 encodes its path once and keeps it as it is; all others encode it twice and normalise it.
pub(super) fn request(request: Signed<'_>, signed_headers: &[String], payload: &str, is_s3: bool) -> String {
    let headers: String = signed_headers.iter().map(|name| format!("{name}:{}\n", header_value(request.headers, name))).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        request.method,
        if is_s3 { s3_path(request.uri.path()) } else { path(request.uri.path()) },
        query(request.uri.query().unwrap_or_default()),
        signed_headers.join(";"),
    )
}

/// When the request says it was made: `X-Amz-Date`, else `Date`.
pub(super) fn request_date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let time = match text("x-amz-date") {
        Some(value) => basic_date(value),
        None => text("date")
            .and_then(|value| basic_date(value).or_else(|| jiff::fmt::rfc2822::parse(value).ok().map(|zoned| zoned.timestamp()))),
    };
    time.map(|time| Timestamp(time.as_millisecond()))
}

fn basic_date(value: &str) -> Option<jiff::Timestamp> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", value).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A header's values, trimmed, inner blanks collapsed, joined by commas.
fn header_value(headers: &HeaderMap, name: &str) -> String {
    let values = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    values.collect::<Vec<_>>().join(",")
}

fn path(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut out = String::new();
    for segment in &segments {
        out.push('/');
        out.extend(utf8_percent_encode(segment, RESERVED));
    }
    if out.is_empty() || raw.ends_with('/') {
        out.push('/');
    }
    out
}

fn s3_path(raw: &str) -> String {
    let segments = raw.split('/').map(recode);
    let path = segments.collect::<Vec<_>>().join("/");
    if path.is_empty() { "/".to_owned() } else { path }
}

fn query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recode(name), recode(value))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Decoded once and encoded in the one canonical way.
fn recode(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    percent_encoding::percent_encode(&bytes, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries() {
        for (raw, want) in [("/", "/"), ("", "/"), ("/a//b/../c/", "/a/c/"), ("/a%20b", "/a%2520b"), ("/..", "/")] {
            assert_eq!(path(raw), want, "{raw}");
        }
        for (raw, want) in [("/", "/"), ("/b//k", "/b//k"), ("/b/k%2f=", "/b/k%2F%3D"), ("/b/a..b/../c", "/b/a..b/../c")] {
            assert_eq!(s3_path(raw), want, "{raw}");
        }
        for (raw, want) in [
            ("", ""),
            ("b=2&a=1&a=0", "a=0&a=1&b=2"),
            ("prefix=web/alb&list-type=2", "list-type=2&prefix=web%2Falb"),
            ("acl", "acl="),
            ("a=%7e%2B", "a=~%2B"),
            ("A=1&a=2&-=3", "-=3&A=1&a=2"),
        ] {
            assert_eq!(query(raw), want, "{raw}");
        }
    }

    #[test]
    fn dates() {
        let of = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            request_date(&headers).map(|t| t.to_string())
        };
        assert_eq!(of("x-amz-date", "20150830T123600Z").as_deref(), Some("2015-08-30T12:36:00.000Z"));
        assert_eq!(of("date", "Sun, 30 Aug 2015 12:36:00 GMT").as_deref(), Some("2015-08-30T12:36:00.000Z"));
        assert_eq!(of("date", "20150830T123600Z").as_deref(), Some("2015-08-30T12:36:00.000Z"));
        assert_eq!(of("x-amz-date", "2015-08-30T12:36:00Z"), None);
        assert_eq!(of("x-amz-date", "20150830T123600"), None);
        assert_eq!(of("x-other", "20150830T123600Z"), None);
    }
}
