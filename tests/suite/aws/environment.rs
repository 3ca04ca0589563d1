//! Whose credentials are used is decided by the environment for AWS targets, and never by it for the sandbox.

use std::time::Instant;

use tollgate::adapters::aws::Patience;
use tollgate::core::plan::Endpoint;
use tollgate::engine::ports::{ServiceError, TokenService as _};

use super::script::{Say, Script};
use super::{aws_at, patience, target, word};

/// Not a test of its own: [`environments_decide_whose_credentials_are_used`] runs it in processes with environments made for it.
#[tokio::test]
#[ignore = "run by another test, in an environment made for it"]
async fn asks_who_it_is() {
    let url = std::env::var("TOLLGATE_TEST_URL").unwrap();
    let (aws, _) = aws_at(&url, Patience { attempts: 1, ..patience() });
    let endpoint = if std::env::var_os("TOLLGATE_TEST_SANDBOX").is_some() { Endpoint::Sandbox } else { Endpoint::Url(url) };
    let began = Instant::now();
    let outcome = aws.identity(&target(endpoint)).await;
    println!("outcome: {} after {} s", word(&outcome), began.elapsed().as_secs());
    if let Err(ServiceError::NoCredentials { message, .. }) = outcome {
        println!("message: {message}");
    }
}

type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, Option<&'a str>);

/// The operator's credentials come from the standard chain and from nothing else; the sandbox's from its key file and from nothing
/// else; and neither an endpoint variable nor a proxy leads astray what the plan and the loopback address say.
#[tokio::test]
async fn environments_decide_whose_credentials_are_used() {
    const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ana</Arn>\
        <UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let sso = "[profile dev]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session s]\n\
        sso_region = eu-central-1\nsso_start_url = https://example.invalid/start\n";
    let old_sso = "[profile dev]\nsso_account_id = 123456789012\nsso_role_name = r\nsso_region = eu-central-1\n\
        sso_start_url = https://example.invalid/start\n";
    let process = "[profile dev]\ncredential_process = /bin/false\n";
    let own: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIAOWN"), ("AWS_SECRET_ACCESS_KEY", "own-secret")];
    let dev: &[(&str, &str)] = &[("AWS_PROFILE", "dev")];
    let astray: &[(&str, &str)] = &[
        ("AWS_ACCESS_KEY_ID", "AKIAOWN"),
        ("AWS_SECRET_ACCESS_KEY", "own-secret"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("AWS_REGION", "us-east-1"),
    ];
    let sandbox: Vec<(&str, &str)> = [astray, &[("TOLLGATE_TEST_SANDBOX", "1"), ("AWS_PROFILE", "dev")]].concat();
    let nobody: &[(&str, &str)] = &[("AWS_EC2_METADATA_DISABLED", "true")];
    // 192.0.2.1 is TEST-NET-1 (RFC 5737): nobody answers there, as nobody answers for metadata off EC2.
    let off_ec2: &[(&str, &str)] = &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1")];
    // (the case, the configuration file, variables, the outcome, what the request's head then holds)
    let table: [Case<'_>; 8] = [
        ("keys in the environment", "", own, "ok", Some("credential=akiaown/")),
        ("variables that lead astray", "", astray, "ok", Some("/eu-central-1/sts/")),
        ("the sandbox", sso, &sandbox, "ok", Some("credential=akiasandbox/")),
        ("no keys", "", nobody, "credentials: set AWS_PROFILE, or run `aws configure sso`", None),
        ("no keys, off EC2", "", off_ec2, "credentials: ", None),
        ("signed out", sso, dev, "credentials: run `aws sso login --profile dev`", None),
        ("signed out, the old way", old_sso, dev, "credentials: run `aws sso login --profile dev`", None),
        ("a process that fails", process, dev, "credentials: check `aws sts get-caller-identity --profile dev`", None),
    ];
    for (case, config, variables, outcome, signed) in table {
        let script = Script::of(vec![Say::Text(200, "content-type: text/xml", WHO.to_owned())]).await;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), config).unwrap();
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "aws::environment::asks_who_it_is", "--ignored", "--nocapture"]).env_clear();
        child.env("HOME", home.path()).env("AWS_CONFIG_FILE", home.path().join("config")).env("TOLLGATE_TEST_URL", &script.url);
        child.envs(variables.iter().copied());
        let output = child.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = said.lines().find_map(|line| line.split_once("outcome: ")).map(|(_, found)| found.to_owned());
        let found = found.unwrap_or_else(|| panic!("{case}: {said}"));
        assert!(found.starts_with(outcome), "{case}: {found}\n{said}");
        let seconds: u64 = found.rsplit(' ').nth(1).unwrap().parse().unwrap();
        assert!(seconds <= 5, "{case}: nobody waits {seconds} s to hear that there are no credentials");
        match signed {
            Some(part) => assert!(script.asked()[0].0.contains(part), "{case}: {}", script.asked()[0].0),
            None => assert!(script.asked().is_empty(), "{case}"),
        }
        assert!(!said.contains("own-secret"), "{case}");
        println!("{case}: {said}");
    }
}
