//! `iam`: the roles, trust policies and workgroups that the book needs, as JSON for an administrator to read and apply.

use serde_json::{Value, json};

use super::args::Global;
use super::error::{Error, ExitKind};
use super::{assembly, check, show};
use crate::adapters::books;
use crate::core::book::{Book, Target};
use crate::core::plan::{Plan, PlanAction};
use crate::core::session_policy::role::{self, Needs};
use crate::core::text::visible;
use crate::engine::ports::Facts;

/// Prints one document for all targets. Nothing is called and nothing is changed.
pub(super) fn iam(global: &Global) -> Result<(), Error> {
    let shelf = assembly::shelf(global)?;
    let facts =
        books::facts(&books::catalog_paths(&assembly::book_dir(global)?, &shelf.book, std::path::Path::new("/nonexistent")))?;
    let mut plans = Vec::new();
    for shelved in shelf.runbooks.values() {
        // A runbook that cannot be planned needs nothing yet; what it would need must not be guessed.
        match check::plan(&shelf, shelved, &facts) {
            Ok(plan) => plans.push(plan),
            Err(why) => show::say(&format!("left out: {}: {}", shelved.runbook.id, visible(&why))),
        }
    }
    let people: Vec<String> =
        shelf.book.identities.values().flatten().filter(|name| name.starts_with("arn:")).map(ToString::to_string).collect();
    let targets: Vec<Value> =
        shelf.book.targets.values().map(|target| document(&shelf.book, target, &plans, &facts, &people)).collect();
    let text = serde_json::to_string_pretty(&json!({ "targets": targets }))
        .map_err(|error| Error::new(ExitKind::Bug, error.to_string()))?;
    show::data(&text)?;
    for line in [
        "role: aws iam create-role --role-name NAME --max-session-duration 3600 --assume-role-policy-document TRUST",
        "      aws iam put-role-policy --role-name NAME --policy-name tollgate --policy-document PERMISSIONS",
        "operators: attach OPERATOR to those who walk; reviewers need nothing",
        "workgroups: aws athena create-work-group --cli-input-json WORKGROUP, once for each",
    ] {
        show::say(line);
    }
    Ok(())
}

fn document(book: &Book, target: &Target, plans: &[Plan], facts: &Facts, people: &[String]) -> Value {
    let name = target.name.value.as_str();
    let needs = needs(plans.iter().filter(|plan| plan.target.name == name), facts);
    let permissions = role::permissions(target, &needs);
    let characters = permissions.to_string().chars().count();
    if characters > role::LIMIT {
        show::say(&format!(
            "{name}: the permissions have {characters} characters, and IAM takes {}; split the target, or name prefixes by hand",
            role::LIMIT
        ));
    }
    if people.is_empty() {
        show::say(&format!(
            "{name}: book {} lists no ARN under `identities`, so the trust policy names the whole account",
            visible(book.name.raw())
        ));
    }
    json!({
        "target": name,
        "account": target.account,
        "region": target.region,
        "role": target.role,
        "trust_policy": role::trust(target, people),
        "permissions": permissions,
        "operator_policy": role::operator(target),
        "workgroups": role::workgroups(target),
    })
}

fn needs<'a>(plans: impl Iterator<Item = &'a Plan>, facts: &Facts) -> Needs {
    let mut needs = Needs::default();
    for action in plans.flat_map(|plan| &plan.steps).map(|step| &step.action) {
        match action {
            PlanAction::Athena(plan) => {
                for read in &plan.reads {
                    let parts: Vec<&str> = read.table.split('.').collect();
                    let (catalog, database, table) = match parts.as_slice() {
                        [catalog, database, table] => (*catalog, *database, *table),
                        [database, table] => (plan.catalog.as_str(), *database, *table),
                        _ => continue,
                    };
                    needs.tables.insert((database.to_owned(), table.to_owned()));
                    let known = facts.catalog.table(Some(catalog), &format!("{database}.{table}"));
                    needs.locations.extend(known.and_then(|table| table.location.clone()));
                }
            }
            PlanAction::Dynamodb(plan) => {
                let table = &plan.request.table;
                needs.items.insert(match &plan.request.index {
                    Some(index) => format!("{table}/index/{index}"),
                    None => table.clone(),
                });
            }
            _ => {}
        }
    }
    needs
}
