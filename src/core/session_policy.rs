//! The session policy of one mint: only what its step needs, and two denials that end it (DESIGN §4.5).
//!
//! A template's only holes are the two instants and the step's typed holes; [`fill`] closes them at the mint. A hole is a JSON
//! object with the one member `tollgate`, where IAM's own grammar has only strings: no value can look like one.

pub mod role;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::core::plan::{DynamodbOperation, DynamodbRequest, DynamodbValue, Part};
use crate::core::run::expiry;
use crate::core::units::Timestamp;

/// The most characters that an inline session policy may have (STS AssumeRole, `Policy`).
pub const LIMIT: usize = 2048;

const HOLE: &str = "tollgate";
const DEADLINE: &str = "deadline";
const DEADLINE_TAIL: &str = "deadline + 2m";
/// As long as any filled instant: `2026-11-20T14:32:00Z`.
const INSTANT: &str = "0000-00-00T00:00:00Z";

/// A policy that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than STS takes.
    #[error("its session policy has {characters} characters, and STS takes {LIMIT}")]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// A value outside the alphabet of policies (U+0020 to U+00FF).
    #[error("`{value}` cannot stand in a session policy: STS takes only characters from U+0020 to U+00FF")]
    Alphabet {
        /// The value.
        value: String,
    },
    /// A hole that nothing fills.
    #[error("the session policy needs a value for `{name}`")]
    Missing {
        /// Name of the hole.
        name: String,
    },
    /// The template is not what this version writes.
    #[error("the stored session policy cannot be read")]
    Unreadable,
}

/// What an Athena step touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AthenaScope<'a> {
    /// AWS region.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// Workgroup.
    pub workgroup: &'a str,
    /// `(database, table)` of every table and view read.
    pub tables: &'a [(String, String)],
    /// `s3://` locations of their files; others are left out, as nothing but S3 is named by policies.
    pub locations: &'a [String],
    /// The run's own result prefix, `s3://bucket/prefix/<run>/`.
    pub output: &'a str,
    /// Keys that data and results need.
    pub kms: &'a [String],
    /// Whether data access goes through Lake Formation.
    pub lake_formation: bool,
}

/// The template for one Athena step.
pub fn athena(scope: &AthenaScope<'_>) -> String {
    let AthenaScope { region, account, workgroup, .. } = scope;
    let glue = format!("arn:aws:glue:{region}:{account}:");
    let mut glue_resources = vec![format!("{glue}catalog"), format!("{glue}database/default")];
    let mut databases: Vec<&str> = scope.tables.iter().map(|(database, _)| database.as_str()).collect();
    databases.sort_unstable();
    databases.dedup();
    glue_resources.extend(databases.iter().filter(|d| **d != "default").map(|d| format!("{glue}database/{d}")));
    glue_resources.extend(scope.tables.iter().map(|(database, table)| format!("{glue}table/{database}/{table}")));
    let via_athena = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}});
    let mut statements = vec![
        json!({
            "Effect": "Allow",
            "Action": ["athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution",
                       "athena:GetQueryResults", "athena:GetWorkGroup"],
            "Resource": workgroup_arn(region, account, workgroup),
        }),
        json!({"Effect": "Allow", "Action": ["glue:GetDatabase", "glue:GetTable", "glue:GetPartition*", "glue:BatchGetPartition"],
               "Resource": glue_resources}),
    ];
    if scope.lake_formation {
        statements.push(json!({"Effect": "Allow", "Action": "lakeformation:GetDataAccess", "Resource": "*"}));
    } else {
        let resources = s3_resources(scope.locations);
        if !resources.is_empty() {
            statements.push(json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
                                   "Resource": resources, "Condition": via_athena}));
        }
    }
    statements.push(json!({"Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket", "s3:GetBucketLocation"],
        "Resource": s3_resources(&[scope.output.to_owned()]), "Condition": via_athena}));
    if !scope.kms.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": scope.kms}));
    }
    finish(statements)
}

/// What a look touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookScope<'a> {
    /// AWS region.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// `(database, table)` of every table and view of the plan.
    pub tables: &'a [(String, String)],
    /// `s3://` locations of their files.
    pub locations: &'a [String],
}

/// The template for a look at the plan's tables (DESIGN §4.9): what Glue says of them, and listings below their locations; no object.
pub fn look(scope: &LookScope<'_>) -> String {
    let LookScope { region, account, .. } = scope;
    let mut statements = vec![json!({
        "Effect": "Allow", "Action": ["glue:GetTable", "glue:GetPartitions"],
        "Resource": glue_resources(region, account, scope.tables),
    })];
    // A listing is of a bucket; which part of it may be seen is the prefix's to say. One statement a bucket, or the prefixes of one
    // would open the other.
    let mut buckets: IndexMap<String, Vec<String>> = IndexMap::new();
    for location in scope.locations {
        let Some(rest) = location.strip_prefix("s3://") else { continue };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { "*".to_owned() } else { format!("{}/*", literal(prefix)) };
        let prefixes = buckets.entry(bucket.to_owned()).or_default();
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    for (bucket, prefixes) in buckets {
        statements.push(json!({
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}"),
            "Condition": {"StringLike": {"s3:prefix": prefixes}},
        }));
    }
    finish(statements)
}

fn glue_resources(region: &str, account: &str, tables: &[(String, String)]) -> Vec<String> {
    let glue = format!("arn:aws:glue:{region}:{account}:");
    let mut databases: Vec<&str> = tables.iter().map(|(database, _)| database.as_str()).collect();
    databases.sort_unstable();
    databases.dedup();
    let mut resources = vec![format!("{glue}catalog")];
    resources.extend(databases.iter().map(|database| format!("{glue}database/{database}")));
    resources.extend(tables.iter().map(|(database, table)| format!("{glue}table/{database}/{table}")));
    resources
}

/// The template for one DynamoDB step. `attributes` are all names that the step may touch, key attributes of table and index
/// included; empty where nothing is blocked and everything may be read.
pub fn dynamodb(region: &str, account: &str, request: &DynamodbRequest, partition_key: &str, attributes: &[String]) -> String {
    let table = format!("arn:aws:dynamodb:{region}:{account}:table/{}", request.table);
    let resource = match &request.index {
        Some(index) => format!("{table}/index/{index}"),
        None => table,
    };
    let action = match request.operation {
        DynamodbOperation::Get => "dynamodb:GetItem",
        DynamodbOperation::Query => "dynamodb:Query",
    };
    let leading = request.key.get(partition_key).map(|value| match value {
        DynamodbValue::S(text) | DynamodbValue::N(text) => json!(literal(text)),
        DynamodbValue::Bool(value) => json!(value.to_string()),
        DynamodbValue::Open(parts) => json!({HOLE: parts}),
        DynamodbValue::Hole(name) => json!({HOLE: [Part::Hole(name.clone())]}),
    });
    let mut all = Map::new();
    let mut null = Map::new();
    if let Some(leading) = leading {
        all.insert("dynamodb:LeadingKeys".to_owned(), json!([leading]));
        null.insert("dynamodb:LeadingKeys".to_owned(), json!("false"));
    }
    let mut condition = Map::new();
    if !attributes.is_empty() {
        all.insert("dynamodb:Attributes".to_owned(), json!(attributes));
        null.insert("dynamodb:Attributes".to_owned(), json!("false"));
        if request.operation == DynamodbOperation::Query {
            condition.insert("StringEquals".to_owned(), json!({"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}));
        }
    }
    // ForAllValues is true of an absent key, so each is paired with Null (IAM user guide, multivalued context keys).
    condition.insert("ForAllValues:StringEquals".to_owned(), Value::Object(all));
    condition.insert("Null".to_owned(), Value::Object(null));
    finish(vec![json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition})])
}

/// The policy of a janitor: look at and stop executions of one workgroup, nothing else. It has no deadline, since it is used
/// after one; its keys live for the least that STS gives.
pub fn janitor(region: &str, account: &str, workgroup: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["athena:StopQueryExecution", "athena:GetQueryExecution", "athena:BatchGetQueryExecution",
                   "athena:ListQueryExecutions"],
        "Resource": workgroup_arn(region, account, workgroup),
    }]})
    .to_string()
}

/// Closes a template's holes. Values go in as JSON string content with IAM's own variables disarmed; the result is parsed and
/// written again, so that it cannot have grown a statement.
pub fn fill(template: &str, deadline: Timestamp, values: &IndexMap<String, String>) -> Result<String, PolicyError> {
    let (end, tail) = expiry::policy_deadlines(deadline);
    let mut policy: Value = serde_json::from_str(template).map_err(|_| PolicyError::Unreadable)?;
    close(&mut policy, &instant(end), &instant(tail), values)?;
    let text = policy.to_string();
    check(&text)?;
    Ok(text)
}

/// Whether STS takes the template once it is filled with the longest value that each hole may have.
pub fn check_template(template: &str, longest: &IndexMap<String, usize>) -> Result<usize, PolicyError> {
    let values = longest.iter().map(|(name, length)| (name.clone(), "x".repeat((*length).min(LIMIT)))).collect();
    Ok(fill(template, Timestamp(0), &values)?.chars().count())
}

fn finish(mut statements: Vec<Value>) -> String {
    statements
        .push(json!({"Effect": "Deny", "NotAction": ["athena:StopQueryExecution", "athena:GetQueryExecution"], "Resource": "*",
                           "Condition": {"DateGreaterThan": {"aws:CurrentTime": {HOLE: DEADLINE}}}}));
    statements.push(json!({"Effect": "Deny", "Action": "*", "Resource": "*",
                           "Condition": {"DateGreaterThan": {"aws:CurrentTime": {HOLE: DEADLINE_TAIL}}}}));
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn close(value: &mut Value, end: &str, tail: &str, values: &IndexMap<String, String>) -> Result<(), PolicyError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| close(item, end, tail, values))?,
        Value::Object(members) => match members.get(HOLE) {
            Some(Value::String(which)) if which == DEADLINE => *value = json!(end),
            Some(Value::String(which)) if which == DEADLINE_TAIL => *value = json!(tail),
            Some(parts) => {
                let parts: Vec<Part> = serde_json::from_value(parts.clone()).map_err(|_| PolicyError::Unreadable)?;
                *value = json!(joined(&parts, values)?);
            }
            None => members.values_mut().try_for_each(|item| close(item, end, tail, values))?,
        },
        _ => {}
    }
    Ok(())
}

fn joined(parts: &[Part], values: &IndexMap<String, String>) -> Result<String, PolicyError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Hole(name) => {
                text.push_str(values.get(name).ok_or_else(|| PolicyError::Missing { name: name.clone() })?);
            }
        }
    }
    Ok(literal(&text))
}

/// A key value as policy text that matches only itself. `${` would begin one of IAM's variables; `${$}` is a dollar sign.
fn literal(text: &str) -> String {
    text.replace("${", "${$}{")
}

fn check(text: &str) -> Result<(), PolicyError> {
    if let Some(bad) = text.chars().find(|c| !('\u{20}'..='\u{ff}').contains(c)) {
        return Err(PolicyError::Alphabet { value: crate::core::text::visible(&bad.to_string()).into_owned() });
    }
    let characters = text.chars().count();
    if characters > LIMIT { Err(PolicyError::TooLong { characters }) } else { Ok(()) }
}

/// Whole seconds, rounded down: access never outlives the deadline by a fraction.
fn instant(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| INSTANT.to_owned(), |time| format!("{time:.0}"))
}

fn workgroup_arn(region: &str, account: &str, workgroup: &str) -> String {
    format!("arn:aws:athena:{region}:{account}:workgroup/{workgroup}")
}

fn s3_resources(locations: &[String]) -> Vec<String> {
    let mut resources: Vec<String> = Vec::new();
    for location in locations {
        let Some(rest) = location.strip_prefix("s3://") else { continue };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let objects =
            if prefix.is_empty() { format!("arn:aws:s3:::{bucket}/*") } else { format!("arn:aws:s3:::{bucket}/{prefix}/*") };
        for resource in [format!("arn:aws:s3:::{bucket}"), objects] {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
    }
    resources
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLE_TEXT: &str = "{\"tollgate\":";

    fn tables(n: usize) -> (Vec<(String, String)>, Vec<String>) {
        let names: Vec<(String, String)> = (0..n).map(|i| ("shop".to_owned(), format!("table_{i}"))).collect();
        let places = (0..n).map(|i| format!("s3://shop-lake/shop/table_{i}/")).collect();
        (names, places)
    }

    fn template(n: usize) -> String {
        let (names, places) = tables(n);
        athena(&AthenaScope {
            region: "eu-central-1",
            account: "123456789012",
            workgroup: "tg-small",
            tables: &names,
            locations: &places,
            output: "s3://shop-results/tollgate/01J9ZZZZZZZZZZZZZZZZZZZZZZ/",
            kms: &[],
            lake_formation: false,
        })
    }

    #[test]
    fn one_table_fits_and_many_do_not() {
        assert!(check_template(&template(1), &IndexMap::new()).unwrap() < 1600);
        assert!(matches!(check_template(&template(9), &IndexMap::new()), Err(PolicyError::TooLong { .. })));
    }

    #[test]
    fn a_look_lists_below_its_tables_and_reads_nothing() {
        let (names, mut places) = tables(2);
        places.push("s3://other/".to_owned());
        places.push("file:///etc".to_owned());
        let scope = LookScope { region: "eu-central-1", account: "123456789012", tables: &names, locations: &places };
        let filled = fill(&look(&scope), Timestamp(0), &IndexMap::new()).unwrap();
        let policy: Value = serde_json::from_str(&filled).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 5, "{filled}");
        assert_eq!(statements[1]["Condition"]["StringLike"]["s3:prefix"], json!(["shop/table_0/*", "shop/table_1/*"]));
        assert_eq!(
            (&statements[2]["Resource"], &statements[2]["Condition"]["StringLike"]["s3:prefix"]),
            (&json!("arn:aws:s3:::other"), &json!(["*"]))
        );
        assert!(!filled.contains("GetObject") && !filled.contains("file"), "{filled}");
    }

    #[test]
    fn both_denials_hold_whole_seconds_rounded_down() {
        let deadline: Timestamp = "2026-11-20T14:32:00.900Z".parse().unwrap();
        let filled = fill(&template(1), deadline, &IndexMap::new()).unwrap();
        assert!(filled.contains(r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-11-20T14:32:00Z"}}"#), "{filled}");
        assert!(filled.contains(r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-11-20T14:34:00Z"}}"#), "{filled}");
        assert!(!filled.contains(HOLE_TEXT));
        assert_eq!(filled.chars().count(), check_template(&template(1), &IndexMap::new()).unwrap());
    }

    fn get() -> DynamodbRequest {
        DynamodbRequest {
            operation: DynamodbOperation::Get,
            table: "orders".into(),
            index: None,
            key: [("pk".to_owned(), DynamodbValue::Open(vec![Part::Text("ORDER#".into()), Part::Hole("worst".into())]))]
                .into_iter()
                .collect(),
            sort: None,
            filter: None,
            project: vec![],
            limit: None,
            descending: false,
            consistent: false,
        }
    }

    #[test]
    fn a_value_cannot_leave_its_string_or_name_a_variable() {
        let template = dynamodb("eu-central-1", "123456789012", &get(), "pk", &["pk".into(), "sk".into()]);
        for hostile in ["\"],\"Effect\":\"Allow\"", "${aws:username}", "{{ worst }}", "{\"tollgate\":\"deadline\"}"] {
            let values = [("worst".to_owned(), hostile.to_owned())].into_iter().collect();
            let filled = fill(&template, Timestamp(0), &values).unwrap();
            let parsed: Value = serde_json::from_str(&filled).unwrap();
            assert_eq!(parsed["Statement"].as_array().unwrap().len(), 3);
            let key =
                parsed["Statement"][0]["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"][0].as_str().unwrap();
            assert_eq!(key, format!("ORDER#{}", hostile.replace("${", "${$}{")));
            assert_eq!(parsed["Statement"][0]["Condition"]["Null"]["dynamodb:LeadingKeys"], "false");
        }
        let wide = [("worst".to_owned(), "漢".to_owned())].into_iter().collect();
        assert!(matches!(fill(&template, Timestamp(0), &wide), Err(PolicyError::Alphabet { .. })));
        assert!(matches!(fill(&template, Timestamp(0), &IndexMap::new()), Err(PolicyError::Missing { .. })));
    }
}
