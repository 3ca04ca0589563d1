use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, uri: &str, headers: &[(&'static str, &str)], body: &str) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Self { method: method.parse().unwrap(), uri: uri.parse().unwrap(), headers: map, body: body.as_bytes().to_vec() }
    }

    fn verify(&self, secret: &str, now: &str, region: &str) -> Result<(), Rejection> {
        let signed = Signed { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body };
        Authorization::read(&self.headers)?.verify(signed, secret, now.parse().unwrap(), region)
    }
}

fn authorization(signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
    )
}

const NOW: &str = "2015-08-30T12:36:00Z";

/// The published SigV4 test suite: get-vanilla, get-vanilla-query-order-key-case, post-x-www-form-urlencoded,
/// get-header-value-trim, get-vanilla-empty-query-key.
#[test]
fn published_vectors() {
    let date = ("x-amz-date", "20150830T123600Z");
    let host = ("host", "example.amazonaws.com");
    for (method, uri, headers, body, signed, signature) in [
        ("GET", "/", vec![], "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            vec![],
            "",
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "/",
            vec![("content-type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "GET",
            "/",
            vec![("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "GET",
            "/?Param1=value1",
            vec![],
            "",
            "host;x-amz-date",
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
    ] {
        let authorization = authorization(signed, signature);
        let mut all = vec![host, date, ("authorization", authorization.as_str())];
        all.extend(headers);
        let request = Request::new(method, uri, &all, body);
        assert_eq!(request.verify(SECRET, NOW, "us-east-1"), Ok(()), "{uri} {signed}");
        assert!(matches!(request.verify("other", NOW, "us-east-1"), Err(Rejection::Mismatch(_))), "{uri} {signed}");
    }
}

const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

fn vanilla(change: impl FnOnce(&mut Request)) -> Result<(), Rejection> {
    vanilla_at(change, NOW)
}

fn vanilla_at(change: impl FnOnce(&mut Request), now: &str) -> Result<(), Rejection> {
    let headers = [
        ("host", "example.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
        ("authorization", &authorization("host;x-amz-date", VANILLA)),
    ];
    let mut request = Request::new("GET", "/", &headers, "");
    change(&mut request);
    request.verify(SECRET, now, "us-east-1")
}

#[test]
fn every_change_is_noticed() {
    assert_eq!(vanilla(|_| {}), Ok(()));
    type Change = fn(&mut Request);
    let changes: Vec<(&str, Change)> = vec![
        ("method", |r| r.method = Method::POST),
        ("path", |r| r.uri = "/x".parse().unwrap()),
        ("query", |r| r.uri = "/?a=b".parse().unwrap()),
        ("query that looks like a signature", |r| r.uri = "/?X-Amz-Signature=x".parse().unwrap()),
        ("body", |r| r.body = b"x".to_vec()),
        ("host", |r| drop(r.headers.insert("host", "evil.example".parse().unwrap()))),
        ("second host", |r| assert!(r.headers.append("host", "evil.example".parse().unwrap()))),
        ("date", |r| drop(r.headers.insert("x-amz-date", "20150830T123601Z".parse().unwrap()))),
        ("unsigned token", |r| drop(r.headers.insert("x-amz-security-token", "t".parse().unwrap()))),
        ("unsigned target", |r| drop(r.headers.insert("x-amz-target", "AmazonAthena.StopQueryExecution".parse().unwrap()))),
        ("payload hash", |r| drop(r.headers.insert("x-amz-content-sha256", "00".parse().unwrap()))),
    ];
    for (what, change) in changes {
        assert!(matches!(vanilla(change), Err(Rejection::Mismatch(_) | Rejection::Payload(_))), "{what}");
    }
}

#[test]
fn skew_is_worded_as_aws_does() {
    for ok in ["2015-08-30T12:31:00Z", "2015-08-30T12:41:00.999Z"] {
        assert_eq!(vanilla_at(|_| {}, ok), Ok(()), "{ok}");
    }
    assert_eq!(
        vanilla_at(|_| {}, "2015-08-30T12:41:01Z"),
        Err(Rejection::Skewed(
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)".to_owned()
        ))
    );
    assert_eq!(
        vanilla_at(|_| {}, "2015-08-30T12:30:59Z"),
        Err(Rejection::Skewed(
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
                .to_owned()
        ))
    );
}

/// A request for S3, signed over `signed` with the payload that `claimed` says.
fn s3(claimed: Option<&str>, body: &str, now: &str) -> Result<(), Rejection> {
    let mut headers = vec![("host", "127.0.0.1"), ("x-amz-date", "20150830T123600Z")];
    headers.extend(claimed.map(|hash| ("x-amz-content-sha256", hash)));
    let names: Vec<String> = ["host", "x-amz-content-sha256", "x-amz-date"]
        .into_iter()
        .filter(|name| claimed.is_some() || *name != "x-amz-content-sha256")
        .map(str::to_owned)
        .collect();
    let unsigned = Request::new("GET", "/shop-lake/day=2026%252F11/x?list-type=2&prefix=a%2Fb", &headers, body);
    let signed = Signed { method: &unsigned.method, uri: &unsigned.uri, headers: &unsigned.headers, body: body.as_bytes() };
    let hash = hex::encode(Sha256::digest(body));
    let canonical = canonical::request(signed, &names, claimed.unwrap_or(&hash), true);
    let scope = "20150830/us-east-1/s3/aws4_request";
    let text = format!("{ALGORITHM}\n20150830T123600Z\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut key = hmac_sha256(format!("AWS4{SECRET}").as_bytes(), b"20150830");
    for part in ["us-east-1", "s3", "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    let signature = hex::encode(hmac_sha256(&key, text.as_bytes()));
    let authorization = format!("{ALGORITHM} Credential=AKID/{scope}, SignedHeaders={}, Signature={signature}", names.join(";"));
    headers.push(("authorization", &authorization));
    Request::new("GET", "/shop-lake/day=2026%252F11/x?list-type=2&prefix=a%2Fb", &headers, body).verify(SECRET, now, "us-east-1")
}

#[test]
fn s3_wants_the_payloads_hash_and_is_more_patient() {
    let empty = hex::encode(Sha256::digest(""));
    assert_eq!(s3(Some(&empty), "", NOW), Ok(()));
    assert_eq!(s3(Some("UNSIGNED-PAYLOAD"), "anything", NOW), Ok(()));
    assert!(matches!(s3(None, "", NOW), Err(Rejection::Payload(words)) if words.starts_with("Missing")));
    assert!(matches!(s3(Some(&empty), "other", NOW), Err(Rejection::Payload(_))));
    assert_eq!(s3(Some(&empty), "", "2015-08-30T12:50:59Z"), Ok(()));
    assert!(matches!(s3(Some(&empty), "", "2015-08-30T12:51:01Z"), Err(Rejection::Skewed(words)) if words.contains("15 min")));
}

#[test]
fn scope_is_checked() {
    let set = |text: &'static str| move |r: &mut Request| drop(r.headers.insert("authorization", text.parse().unwrap()));
    let region = vanilla(set(
        "AWS4-HMAC-SHA256 Credential=A/20150830/eu-west-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
    ));
    assert!(matches!(region, Err(Rejection::Mismatch(m)) if m.contains("not 'eu-west-1'")));
    let day = vanilla(set(
        "AWS4-HMAC-SHA256 Credential=A/20150829/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
    ));
    assert!(matches!(day, Err(Rejection::Mismatch(m)) if m.contains("'20150829' != '20150830'")));
    let no_host = vanilla(set(
        "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/service/aws4_request, SignedHeaders=x-amz-date, Signature=0",
    ));
    assert!(matches!(no_host, Err(Rejection::Mismatch(m)) if m.contains("'Host'")));
}

#[test]
fn headers_that_cannot_be_read() {
    let headers = |authorization: &str| {
        let mut map = HeaderMap::new();
        map.insert("authorization", authorization.parse().unwrap());
        map.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
        Authorization::read(&map)
    };
    assert_eq!(Authorization::read(&HeaderMap::new()), Err(Rejection::Missing));
    for (text, words) in [
        ("Basic dXNlcjpwYXNz", "algorithm"),
        ("AWS4-ECDSA-P256-SHA256 Credential=x", "algorithm"),
        ("AWS4-HMAC-SHA256", "algorithm"),
        ("AWS4-HMAC-SHA256 Credential", "missing equal-sign"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", "'Signature'"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "5 slash-delimited"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0", "5 slash-delimited"),
    ] {
        assert!(matches!(headers(text), Err(Rejection::Incomplete(m)) if m.contains(words)), "{text}");
    }
    let mut no_date = HeaderMap::new();
    let text = "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0";
    no_date.insert("authorization", text.parse().unwrap());
    assert!(matches!(Authorization::read(&no_date), Err(Rejection::Incomplete(m)) if m.contains("X-Amz-Date")));
}
