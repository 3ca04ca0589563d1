//! `security.cloudtrail_logs`: calls of AWS APIs by people, roles and services.
//!
//! One access key, [`LEAKED_KEY`], is used from an address where none of the others comes from, and is refused half the time.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::column::{constant, nothing, put, text, written, written_or_null};
use super::day::{DAY_MILLIS, Day};
use super::noise::Noise;
use super::recipe::Recipe;

/// The access key that someone else uses too; the AWS guides' own example of a second key.
pub const LEAKED_KEY: &str = "AKIAI44QH8DHBEXAMPLE";

const LEAKED_FROM: &str = "203.0.113.66";
const ACCOUNT: &str = "123456789012";

/// Who calls: user name or role, and whether it is a role.
const CALLERS: [(&str, bool); 14] = [
    ("shop-api", true),
    ("orders-worker", true),
    ("checkout-worker", true),
    ("etl-nightly", true),
    ("ci-deploy", true),
    ("metrics-agent", true),
    ("tollgate-shop-read", true),
    ("backup", true),
    ("ana", false),
    ("max", false),
    ("lea", false),
    ("ida", false),
    ("report-bot", false),
    ("terraform", false),
];

/// Who holds [`LEAKED_KEY`].
const LEAKED_USER: &str = "report-bot";

/// Service, call, whether it only reads, and its parameters with `#` for a number.
const CALLS: [(&str, &str, bool, &str); 16] = [
    ("s3.amazonaws.com", "GetObject", true, r##"{"bucketName":"shop-lake","key":"web/alb_logs/part-#.parquet"}"##),
    ("dynamodb.amazonaws.com", "GetItem", true, r##"{"tableName":"orders","key":"ORDER##"}"##),
    ("dynamodb.amazonaws.com", "UpdateItem", false, r##"{"tableName":"orders","key":"ORDER##"}"##),
    (
        "sts.amazonaws.com",
        "AssumeRole",
        true,
        r##"{"roleArn":"arn:aws:iam::123456789012:role/shop-api","roleSessionName":"s-#"}"##,
    ),
    ("kms.amazonaws.com", "Decrypt", true, r##"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::shop-lake/#"}}"##),
    ("secretsmanager.amazonaws.com", "GetSecretValue", true, r##"{"secretId":"shop/payments/#"}"##),
    ("ec2.amazonaws.com", "DescribeInstances", true, r##"{"instancesSet":{},"filterSet":{},"maxResults":#}"##),
    (
        "athena.amazonaws.com",
        "StartQueryExecution",
        false,
        r##"{"workGroup":"tg-small","queryString":"***","clientRequestToken":"#"}"##,
    ),
    ("athena.amazonaws.com", "GetQueryExecution", true, r##"{"queryExecutionId":"#"}"##),
    ("logs.amazonaws.com", "PutLogEvents", false, r##"{"logGroupName":"/shop/api","logStreamName":"i-#"}"##),
    ("iam.amazonaws.com", "ListUsers", true, r##"{"maxItems":#}"##),
    ("iam.amazonaws.com", "CreateAccessKey", false, r##"{"userName":"svc-#"}"##),
    ("s3.amazonaws.com", "ListBuckets", true, r##"{"Host":"s3.eu-central-1.amazonaws.com","page":#}"##),
    ("s3.amazonaws.com", "PutObject", false, r##"{"bucketName":"shop-results","key":"tollgate/#.csv"}"##),
    ("signin.amazonaws.com", "ConsoleLogin", false, r##"{"loginTo":"https://console.aws.amazon.com/#"}"##),
    (
        "sqs.amazonaws.com",
        "ReceiveMessage",
        true,
        r##"{"queueUrl":"https://sqs.eu-central-1.amazonaws.com/123456789012/orders-#"}"##,
    ),
];

/// What [`LEAKED_KEY`] tries from outside.
const PROBES: [usize; 6] = [5, 6, 10, 11, 12, 3];

const AGENTS: [&str; 5] = [
    "aws-sdk-java/2.31.4 ua/2.1 os/Linux lang/java#21.0.6 md/OpenJDK_64-Bit_Server_VM cfg/retry-mode#standard",
    "aws-sdk-go-v2/1.36.1 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#arm64",
    "Boto3/1.40.11 md/Botocore#1.40.11 ua/2.0 os/linux md/arch#x86_64 lang/python#3.12.9",
    "APN/1.0 HashiCorp/1.0 Terraform/1.12.2 aws-sdk-go-v2/1.36.1",
    "aws-cli/2.28.9 md/awscrt#0.27.6 ua/2.1 os/linux md/arch#x86_64",
];

#[derive(Debug)]
struct Event {
    at_ms: i64,
    caller: (&'static str, bool),
    leaked: bool,
    call: (&'static str, &'static str, bool, &'static str),
    denied: bool,
    agent: &'static str,
    host: u64,
    /// Session of a role: names its temporary key.
    session: u64,
    number: u64,
    noise: Noise,
}

/// Makes the rows `rows` of one day.
pub(super) fn batch(
    recipe: &Recipe,
    day: Day,
    schema: &SchemaRef,
    rows: std::ops::Range<u32>,
) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Event> = rows.map(|index| event(recipe.rows, day, index)).collect();
    let rows = rows.as_slice();
    RecordBatch::try_new(
        Arc::clone(schema),
        vec![
            constant(rows, "1.11"),
            identity(rows, schema)?,
            written(rows, |e, to| write_time(e.at_ms, to)),
            text(rows, |e| Some(e.call.0)),
            text(rows, |e| Some(e.call.1)),
            text(rows, |e| Some(if e.call.0.starts_with("iam") { "us-east-1" } else { "eu-central-1" })),
            written(rows, |e, to| {
                if e.leaked {
                    to.push_str(LEAKED_FROM);
                } else {
                    put(to, format_args!("10.0.{}.{}", e.host / 200, 1 + e.host % 200));
                }
            }),
            text(rows, |e| Some(e.agent)),
            text(rows, |e| e.denied.then_some("AccessDenied")),
            written_or_null(rows, |e, to| {
                let (service, call, ..) = e.call;
                let service = service.trim_end_matches(".amazonaws.com");
                e.denied && {
                    put(to, format_args!("User: {} is not authorized to perform: {service}:{call}", Arn(e)));
                    true
                }
            }),
            written(rows, |e, to| {
                let mut parts = e.call.3.splitn(2, '#');
                to.push_str(parts.next().unwrap_or_default());
                put(to, format_args!("{}", e.number));
                to.push_str(parts.next().unwrap_or_default());
            }),
            nothing(rows),
            written_or_null(rows, |e, to| {
                e.call.0 == "s3.amazonaws.com" && {
                    put(to, format_args!(r#"{{"SignatureVersion":"SigV4","bytesTransferredOut":{}}}"#, e.number % 100_000));
                    true
                }
            }),
            written(rows, |e, to| e.noise.clone().hex(16, to)),
            written(rows, |e, to| write_uuid(&mut Noise::of(&[9, e.number, u64::try_from(e.at_ms).unwrap_or(0)]), to)),
            text(rows, |e| Some(if e.call.2 { "true" } else { "false" })),
            resources(rows, schema)?,
            text(rows, |e| Some(if e.call.1 == "ConsoleLogin" { "AwsConsoleSignIn" } else { "AwsApiCall" })),
            text(rows, |e| e.call.0.starts_with("dynamodb").then_some("2012-08-10")),
            constant(rows, ACCOUNT),
            nothing(rows),
            nothing(rows),
            text(rows, |e| (e.caller.1 && !e.leaked).then_some("vpce-0a1b2c3d4e5f60718")),
            structure(
                schema.field_with_name("tlsdetails")?.data_type(),
                vec![
                    constant(rows, "TLSv1.3"),
                    constant(rows, "TLS_AES_128_GCM_SHA256"),
                    written(rows, |e, to| {
                        to.push_str(e.call.0.trim_end_matches(".amazonaws.com"));
                        to.push_str(".eu-central-1.amazonaws.com");
                    }),
                ],
            )?,
        ],
    )
}

fn event(of: u32, day: Day, index: u32) -> Event {
    let mut noise = Noise::of(&[8, u64::from(day.0.unsigned_abs()), u64::from(index)]);
    let at_ms =
        day.start().0 + i64::from(index) * DAY_MILLIS / i64::from(of.max(1)) + i64::try_from(noise.below(900)).unwrap_or(0);
    let leaked = noise.below(120) == 0;
    let (caller, call) = if leaked {
        ((LEAKED_USER, false), noise.one_of(&PROBES))
    } else {
        let rank = usize::try_from(noise.skewed(CALLERS.len() as u64)).unwrap_or(0);
        (CALLERS[rank], usize::try_from(noise.skewed(CALLS.len() as u64)).unwrap_or(0))
    };
    let call = CALLS[call];
    let denied = if leaked { noise.below(2) == 0 } else { noise.below(300) == 0 };
    let agent = if leaked { 4 } else { usize::try_from(noise.below(AGENTS.len() as u64)).unwrap_or(0) };
    Event {
        at_ms,
        caller,
        leaked,
        call,
        denied,
        agent: AGENTS[agent],
        host: noise.skewed(600),
        session: noise.below(6) + u64::from(day.0.unsigned_abs()) * 6,
        number: noise.below(10_000_000),
        noise,
    }
}

/// The caller's ARN, written out.
struct Arn<'a>(&'a Event);

impl std::fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, is_role) = self.0.caller;
        if is_role {
            write!(f, "arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s-{}", self.0.session)
        } else {
            write!(f, "arn:aws:iam::{ACCOUNT}:user/{name}")
        }
    }
}

fn write_key(e: &Event, to: &mut String) {
    let (name, is_role) = e.caller;
    if name == LEAKED_USER {
        to.push_str(LEAKED_KEY);
        return;
    }
    // Shaped like keys, and marked as examples so that no scanner takes them for real ones.
    to.push_str(if is_role { "ASIA" } else { "AKIA" });
    let mut noise = Noise::of(&[10, name.len() as u64, name.bytes().map(u64::from).sum(), if is_role { e.session } else { 0 }]);
    for _ in 0..9 {
        to.push(char::from(noise.one_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")));
    }
    to.push_str("EXAMPLE");
}

fn write_principal(e: &Event, to: &mut String) {
    let (name, is_role) = e.caller;
    put(to, format_args!("{}{:0>17}", if is_role { "AROA" } else { "AIDA" }, name.to_uppercase().replace('-', "")));
    if is_role {
        put(to, format_args!(":s-{}", e.session));
    }
}

fn identity(rows: &[Event], schema: &SchemaRef) -> Result<ArrayRef, ArrowError> {
    let ty = schema.field_with_name("useridentity")?.data_type();
    let context = child(ty, "sessioncontext")?;
    let attributes = structure(
        child(context, "attributes")?,
        vec![
            text(rows, |e| e.caller.1.then_some("false")),
            written_or_null(rows, |e, to| {
                e.caller.1 && {
                    write_time(e.at_ms - i64::try_from(e.session % 6).unwrap_or(0) * 600_000, to);
                    true
                }
            }),
        ],
    )?;
    let issuer = structure(
        child(context, "sessionissuer")?,
        vec![
            text(rows, |e| e.caller.1.then_some("Role")),
            text(rows, |e| e.caller.1.then_some("AROAEXAMPLE")),
            written_or_null(rows, |e, to| {
                e.caller.1 && {
                    put(to, format_args!("arn:aws:iam::{ACCOUNT}:role/{}", e.caller.0));
                    true
                }
            }),
            text(rows, |e| e.caller.1.then_some(ACCOUNT)),
            text(rows, |e| e.caller.1.then_some(e.caller.0)),
        ],
    )?;
    structure(
        ty,
        vec![
            text(rows, |e| Some(if e.caller.1 { "AssumedRole" } else { "IAMUser" })),
            written(rows, write_principal),
            written(rows, |e, to| put(to, format_args!("{}", Arn(e)))),
            constant(rows, ACCOUNT),
            text(rows, |e| (e.caller.0 == "backup").then_some("backup.amazonaws.com")),
            written(rows, write_key),
            text(rows, |e| (!e.caller.1).then_some(e.caller.0)),
            structure(context, vec![attributes, issuer])?,
        ],
    )
}

/// One resource for calls on S3 and KMS, none for the others.
fn resources(rows: &[Event], schema: &SchemaRef) -> Result<ArrayRef, ArrowError> {
    let DataType::List(item) = schema.field_with_name("resources")?.data_type() else {
        return Err(ArrowError::SchemaError("resources is not a list".to_owned()));
    };
    let has = |e: &&Event| matches!(e.call.0, "s3.amazonaws.com" | "kms.amazonaws.com");
    let lengths = rows.iter().map(|e| usize::from(has(&e)));
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    let named: Vec<&Event> = rows.iter().filter(has).collect();
    let values = structure(
        item.data_type(),
        vec![
            text(&named, |e| {
                Some(if e.call.0.starts_with("s3") {
                    "arn:aws:s3:::shop-lake"
                } else {
                    "arn:aws:kms:eu-central-1:123456789012:key/shop"
                })
            }),
            constant(&named, ACCOUNT),
            text(&named, |e| Some(if e.call.0.starts_with("s3") { "AWS::S3::Bucket" } else { "AWS::KMS::Key" })),
        ],
    )?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}

fn structure(ty: &DataType, columns: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = ty else {
        return Err(ArrowError::SchemaError(format!("{ty} is not a row")));
    };
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}

fn child<'a>(ty: &'a DataType, name: &str) -> Result<&'a DataType, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("no field {name}"));
    let DataType::Struct(fields) = ty else { return Err(missing()) };
    fields.find(name).map(|(_, field)| field.data_type()).ok_or_else(missing)
}

/// `2026-11-20T13:52:07Z`: CloudTrail has whole seconds.
fn write_time(at_ms: i64, to: &mut String) {
    let seconds = at_ms.div_euclid(1000);
    Day(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(0)).write_iso(to);
    let of_day = seconds.rem_euclid(86_400);
    put(to, format_args!("T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60));
}

fn write_uuid(noise: &mut Noise, to: &mut String) {
    for (i, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if i > 0 {
            to.push('-');
        }
        noise.hex(digits, to);
    }
}
