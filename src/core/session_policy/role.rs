//! What an account needs before tollgate can work in it: the target's role with its trust policy, the rights of those who assume
//! it, and the workgroups whose cutoffs are the hard stops. A session policy only narrows, so the role must allow what any step may.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{s3_resources, workgroup_arn};
use crate::core::book::{AthenaTarget, Look, Target};
use crate::core::plan::SourceIdentity;

/// The most characters that a role's inline policies may have together (IAM quotas).
pub const LIMIT: usize = 10_240;

/// What the runbooks of one target touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// `(database, table)` of every table and view read.
    pub tables: BTreeSet<(String, String)>,
    /// `s3://` locations of their files.
    pub locations: BTreeSet<String>,
    /// DynamoDB tables, and `table/index/name` for every index.
    pub items: BTreeSet<String>,
}

/// Who may assume the role, and how: only under a session name, a tag and (unless inherited) a source identity that say which run it
/// is. `principals` are ARNs; without any the whole account is named, and its own policies decide.
pub fn trust(target: &Target, principals: &[String]) -> Value {
    let root = vec![format!("arn:aws:iam::{}:root", target.account)];
    let principals = if principals.is_empty() { &root } else { principals };
    let mut actions = vec!["sts:AssumeRole", "sts:TagSession"];
    let mut like = Map::new();
    like.insert("sts:RoleSessionName".to_owned(), json!("tg-*"));
    like.insert("aws:RequestTag/tollgate-run".to_owned(), json!("?*"));
    if target.source_identity == SourceIdentity::Name {
        actions.push("sts:SetSourceIdentity");
        like.insert("sts:SourceIdentity".to_owned(), json!("?*"));
    }
    let mut condition = Map::new();
    condition.insert("StringLike".to_owned(), Value::Object(like));
    if let Some(id) = &target.external_id {
        condition.insert("StringEquals".to_owned(), json!({"sts:ExternalId": id}));
    }
    policy(vec![
        json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Condition": Value::Object(condition)}),
    ])
}

/// What the role itself allows: everything that a session policy of these runbooks may name, and nothing that none does.
pub fn permissions(target: &Target, needs: &Needs) -> Value {
    let (region, account) = (&target.region, &target.account);
    let mut statements = Vec::new();
    let via = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}});
    if let Some(athena) = &target.athena {
        statements.push(json!({"Effect": "Allow",
            "Action": ["athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults",
                       "athena:GetWorkGroup", "athena:BatchGetQueryExecution", "athena:ListQueryExecutions"],
            "Resource": workgroups_of(target, athena)}));
        let glue = format!("arn:aws:glue:{region}:{account}:");
        let mut resources = vec![format!("{glue}catalog"), format!("{glue}database/default")];
        let databases: BTreeSet<&String> = needs.tables.iter().map(|(database, _)| database).collect();
        resources.extend(databases.iter().filter(|name| **name != "default").map(|name| format!("{glue}database/{name}")));
        resources.extend(needs.tables.iter().map(|(database, table)| format!("{glue}table/{database}/{table}")));
        statements.push(json!({"Effect": "Allow",
            "Action": ["glue:GetDatabase", "glue:GetTable", "glue:GetPartition*", "glue:BatchGetPartition"], "Resource": resources}));
        let locations: Vec<String> = needs.locations.iter().cloned().collect();
        let files = s3_resources(&locations);
        if target.lake_formation {
            statements.push(json!({"Effect": "Allow", "Action": "lakeformation:GetDataAccess", "Resource": "*"}));
        } else if !files.is_empty() {
            statements.push(json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": files, "Condition": via}));
        }
        statements.push(json!({"Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": s3_resources(std::slice::from_ref(&athena.output)), "Condition": via}));
    }
    if target.dynamodb && !needs.items.is_empty() {
        let arn = |table: &String| format!("arn:aws:dynamodb:{region}:{account}:table/{table}");
        let resources: Vec<String> = needs.items.iter().map(arn).collect();
        statements.push(json!({"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": resources}));
    }
    if !target.kms.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": target.kms}));
    }
    policy(statements)
}

/// What an operator needs with their own rights: to assume the role, to ask the workgroups for their cutoffs, and what the target's
/// `look` allows before approval.
pub fn operator(target: &Target) -> Value {
    let (region, account) = (&target.region, &target.account);
    let mut assume = vec!["sts:AssumeRole", "sts:TagSession"];
    if target.source_identity == SourceIdentity::Name {
        assume.push("sts:SetSourceIdentity");
    }
    let mut statements = vec![json!({"Effect": "Allow", "Action": assume, "Resource": target.role})];
    if let Some(athena) = &target.athena {
        statements.push(json!({"Effect": "Allow", "Action": "athena:GetWorkGroup", "Resource": workgroups_of(target, athena)}));
        if target.look != Look::None {
            statements.push(json!({"Effect": "Allow", "Action": ["glue:GetDatabase", "glue:GetTable", "glue:GetPartition*"],
                "Resource": format!("arn:aws:glue:{region}:{account}:*")}));
        }
    }
    policy(statements)
}

/// The workgroups as `aws athena create-work-group --cli-input-json` takes them. Results go where each run says, so the workgroup's
/// own settings do not override the client's; the cutoff holds either way.
pub fn workgroups(target: &Target) -> Vec<Value> {
    let groups = target.athena.iter().flat_map(|athena| &athena.workgroups);
    groups
        .map(|group| {
            json!({
                "Name": group.name.value,
                "Description": format!("tollgate: hard stop at {}", group.cutoff),
                "Configuration": {
                    "BytesScannedCutoffPerQuery": group.cutoff.0,
                    "EnforceWorkGroupConfiguration": false,
                    "PublishCloudWatchMetricsEnabled": true,
                    "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                },
            })
        })
        .collect()
}

fn workgroups_of(target: &Target, athena: &AthenaTarget) -> Vec<String> {
    athena.workgroups.iter().map(|group| workgroup_arn(&target.region, &target.account, &group.name.value)).collect()
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
