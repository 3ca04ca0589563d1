//! S3: listings and ranges of objects. Only reads.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_smithy_xml::decode::{Document, try_data};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::config::{Aws, Call};
use super::wire::{Answer, Ask, domain};
use crate::core::plan::PlanTarget;
use crate::core::run::event::ServiceFailure;
use crate::engine::ports::{Rights, ServiceError};

/// Pages that one listing is followed: 5,000,000 objects.
const MOST_PAGES: usize = 5_000;

/// Everything but the unreserved characters of RFC 3986, and slashes.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The same for a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Storage classes whose objects Athena passes over: they must be restored before they can be read (Athena user guide, "Query
/// restored Amazon S3 Glacier objects").
const FROZEN: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Which region a bucket is in, where it is not the target's.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<String, String>>);

impl Buckets {
    fn region(&self, bucket: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    fn learn(&self, bucket: &str, region: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), region.to_owned());
    }
}

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `s3://bucket/key`
    pub address: String,
    /// Its size.
    pub bytes: u64,
    /// Changes when the object does; in quotes.
    pub etag: String,
}

/// The bucket and key of `s3://bucket/key`; `None` where it is no such address.
pub fn parts(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

impl Aws {
    /// All objects below `s3://bucket/prefix`, a page at a time, in the order of their keys.
    ///
    /// # Errors
    /// As S3 answers.
    pub async fn list(
        &self,
        target: &PlanTarget,
        rights: Rights<'_>,
        address: &str,
        mut each: impl FnMut(Listed) + Send,
    ) -> Result<(), ServiceError> {
        let (bucket, prefix) = parts(address).ok_or_else(|| no_place(address))?;
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            // Credentials may be renewed while a long listing goes on.
            let call = self.call(target, rights).await?;
            let mut query = format!("list-type=2&encoding-type=url&prefix={}", utf8_percent_encode(prefix, QUERY));
            if let Some(token) = &token {
                query.push_str(&format!("&continuation-token={}", utf8_percent_encode(token, QUERY)));
            }
            let asked = self.s3(&call, "GET", bucket, "", &query, Vec::new()).await;
            let answer = self.learn(&call, asked).await?;
            let page = read_page(&answer.body, bucket)
                .ok_or_else(|| ServiceError::NoAnswer("S3's listing cannot be read".to_owned()))?;
            page.objects.into_iter().for_each(&mut each);
            if page.next.is_none() {
                return Ok(());
            }
            token = page.next;
        }
        Err(ServiceError::Temporary(format!("{address} holds more objects than are listed ({MOST_PAGES} pages)")))
    }

    /// `length` bytes of an object from `start` on, if it still is what `etag` names.
    ///
    /// # Errors
    /// As S3 answers; `PreconditionFailed` where the object changed, `InvalidRange` where there is nothing at `start`.
    pub async fn range(
        &self,
        target: &PlanTarget,
        rights: Rights<'_>,
        object: &Listed,
        start: u64,
        length: u64,
    ) -> Result<Vec<u8>, ServiceError> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let (bucket, key) = parts(&object.address).ok_or_else(|| no_place(&object.address))?;
        let call = self.call(target, rights).await?;
        let range = format!("bytes={start}-{}", start.saturating_add(length - 1));
        let headers = vec![("range", range), ("if-match", object.etag.clone())];
        let asked = self.s3(&call, "GET", bucket, key, "", headers).await;
        let answer = self.learn(&call, asked).await?;
        if answer.status != 206 || u64::try_from(answer.body.len()).ok() != Some(length) {
            let got = answer.body.len();
            return Err(ServiceError::NoAnswer(format!(
                "S3 gave {got} bytes of {} where {length} were asked for",
                object.address
            )));
        }
        Ok(answer.body)
    }

    async fn s3(
        &self,
        call: &Call,
        method: &'static str,
        bucket: &str,
        key: &str,
        query: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<Answer, ServiceError> {
        let mut region = self.buckets().region(bucket).unwrap_or_else(|| call.place.region().to_owned());
        // A bucket may be in another region than the tables: S3 says in which, once.
        for _ in 0..2 {
            let url = url(call.place.url(), &region, bucket, key, query);
            let ask = Ask { service: "s3", region: region.clone(), method, url, headers: headers.clone(), body: String::new() };
            let answer = self.ask(call, &ask, named).await?;
            let elsewhere = answer.header("x-amz-bucket-region").filter(|there| *there != region).map(str::to_owned);
            match elsewhere {
                Some(there) if answer.status == 301 || answer.status == 307 => {
                    self.buckets().learn(bucket, &there);
                    region = there;
                }
                _ if answer.is_good() => return Ok(answer),
                _ => {
                    let (code, message) = named(&answer);
                    let code = code.unwrap_or_else(|| format!("HTTP {}", answer.status));
                    return Err(ServiceError::Refused(ServiceFailure { code, message }));
                }
            }
        }
        Err(ServiceError::NoAnswer(format!("S3 sends us from region to region for the bucket {bucket}")))
    }
}

fn no_place(address: &str) -> ServiceError {
    let message = format!("{address} is no address in S3");
    ServiceError::Refused(ServiceFailure { code: "NoSuchBucket".to_owned(), message })
}

/// Path style at an endpoint of the target's own, and for buckets whose name no certificate covers; else the bucket's own host.
fn url(endpoint: Option<&str>, region: &str, bucket: &str, key: &str, query: &str) -> String {
    let key = utf8_percent_encode(key, PATH);
    let place = match endpoint {
        Some(url) => format!("{}/{}/{key}", url.trim_end_matches('/'), utf8_percent_encode(bucket, PATH)),
        None if bucket.contains('.') => format!("https://s3.{region}.{}/{bucket}/{key}", domain(region)),
        None => format!("https://{bucket}.s3.{region}.{}/{key}", domain(region)),
    };
    if query.is_empty() { place } else { format!("{place}?{query}") }
}

/// The name of an error and its words: `<Error><Code>…</Code><Message>…`.
fn named(answer: &Answer) -> (Option<String>, String) {
    let (mut code, mut message) = (None, String::new());
    let text = String::from_utf8_lossy(&answer.body);
    let mut document = Document::new(&text);
    if let Ok(mut root) = document.root_element() {
        while let Some(mut tag) = root.next_tag() {
            match tag.start_el().local() {
                "Code" => code = try_data(&mut tag).ok().map(|text| text.into_owned()),
                "Message" => message = try_data(&mut tag).map(|text| text.into_owned()).unwrap_or_default(),
                _ => {}
            }
        }
    }
    // An answer to HEAD has no body.
    if code.is_none() && answer.header("x-amz-request-id").is_some() {
        code = match answer.status {
            301 => Some("PermanentRedirect".to_owned()),
            403 => Some("AccessDenied".to_owned()),
            404 => Some("NotFound".to_owned()),
            _ => None,
        };
    }
    (code, message)
}

struct Page {
    objects: Vec<Listed>,
    next: Option<String>,
}

fn read_page(body: &[u8], bucket: &str) -> Option<Page> {
    let text = std::str::from_utf8(body).ok()?;
    let mut document = Document::new(text);
    let mut root = document.root_element().ok()?;
    if root.start_el().local() != "ListBucketResult" {
        return None;
    }
    let (mut page, mut truncated) = (Page { objects: Vec::new(), next: None }, false);
    while let Some(mut tag) = root.next_tag() {
        match tag.start_el().local() {
            "Contents" => {
                let (mut key, mut bytes, mut etag, mut frozen) = (None, None, String::new(), false);
                while let Some(mut member) = tag.next_tag() {
                    match member.start_el().local() {
                        "Key" => key = try_data(&mut member).ok().map(|text| text.into_owned()),
                        "Size" => bytes = try_data(&mut member).ok()?.parse().ok(),
                        "ETag" => etag = try_data(&mut member).ok()?.into_owned(),
                        "StorageClass" => frozen = FROZEN.contains(&&*try_data(&mut member).ok()?),
                        _ => {}
                    }
                }
                let key = key?;
                // Keys come encoded, as asked for; `+` is a blank then.
                let key = percent_encoding::percent_decode_str(&key.replace('+', " ")).decode_utf8().ok()?.into_owned();
                if !frozen {
                    page.objects.push(Listed { address: format!("s3://{bucket}/{key}"), bytes: bytes?, etag });
                }
            }
            "IsTruncated" => truncated = try_data(&mut tag).ok()? == "true",
            "NextContinuationToken" => page.next = Some(try_data(&mut tag).ok()?.into_owned()),
            _ => {}
        }
    }
    // Cut off without saying how to go on: half a listing must not pass for a whole one.
    if truncated != page.next.is_some() {
        return None;
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_hosts_and_endpoints_have_paths() {
        let of = |endpoint, region, bucket| url(endpoint, region, bucket, "a/day=2026%2F11/x y", "");
        let key = "a/day%3D2026%252F11/x%20y";
        assert_eq!(of(None, "eu-central-1", "lake"), format!("https://lake.s3.eu-central-1.amazonaws.com/{key}"));
        assert_eq!(of(None, "eu-central-1", "my.lake"), format!("https://s3.eu-central-1.amazonaws.com/my.lake/{key}"));
        assert_eq!(of(None, "cn-north-1", "lake"), format!("https://lake.s3.cn-north-1.amazonaws.com.cn/{key}"));
        assert_eq!(of(Some("http://127.0.0.1:1/"), "eu-central-1", "lake"), format!("http://127.0.0.1:1/lake/{key}"));
        assert_eq!(url(None, "eu-west-1", "b", "", "list-type=2"), "https://b.s3.eu-west-1.amazonaws.com/?list-type=2");
    }

    #[test]
    fn half_a_listing_is_none() {
        let page = |inside: &str| read_page(format!("<ListBucketResult>{inside}</ListBucketResult>").as_bytes(), "lake");
        let one = "<Contents><Key>a/day%3D2026%252F11%2F20/x%201+2</Key><Size>7</Size><ETag>&quot;e&quot;</ETag></Contents>";
        let read = page(&format!("<IsTruncated>false</IsTruncated>{one}")).unwrap();
        let want = Listed { address: "s3://lake/a/day=2026%2F11/20/x 1 2".to_owned(), bytes: 7, etag: "\"e\"".to_owned() };
        assert_eq!((read.objects, read.next), (vec![want], None));
        let more = page("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>").unwrap();
        assert_eq!(more.next.as_deref(), Some("t"));
        let frozen = "<Contents><Key>a</Key><Size>7</Size><StorageClass>DEEP_ARCHIVE</StorageClass></Contents>";
        assert!(page(&format!("<IsTruncated>false</IsTruncated>{frozen}")).unwrap().objects.is_empty());
        for bad in [
            "<IsTruncated>true</IsTruncated>",
            "<Contents><Key>a</Key></Contents>",
            "<Contents><Size>1</Size></Contents>",
            "<Contents><Key>a</Key><Size>-1</Size></Contents>",
            "<Contents><Key>%FF</Key><Size>1</Size></Contents>",
        ] {
            assert!(page(bad).is_none(), "{bad}");
        }
        assert!(read_page(b"<html></html>", "lake").is_none());
        assert!(read_page(b"", "lake").is_none());
    }
}
