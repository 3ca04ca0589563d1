//! The DynamoDB part of a plan: a step's read with its known values in it, judged, with ceiling and session policy.

use indexmap::IndexMap;

use super::{Making, check_policy};
use crate::core::book::Target;
use crate::core::dynamodb::{FilterValue, parse_filter};
use crate::core::estimate;
use crate::core::guard::{self, Finding, Judgement, Level, Rule};
use crate::core::plan::{
    DynamodbOperation, DynamodbPlan, DynamodbRequest, DynamodbValue, FilterPlan, Part, PlanAction, SortCondition,
};
use crate::core::run::command::{Kind, Refusal};
use crate::core::runbook::{DynamodbStep, ItemValue, ParamType, Step};
use crate::core::session_policy;

/// The plan of one DynamoDB step.
pub(super) fn plan(making: &Making<'_>, target: &Target, step: &Step, read: &DynamodbStep) -> Result<DynamodbPlan, Refusal> {
    if !target.dynamodb {
        let message = format!("target {} has `dynamodb` switched off, and step {} needs it", target.name.value, step.id);
        return Err(Refusal::new(Kind::Usage, message));
    }
    let request = request(making, step, read)?;
    let names = params_of(read);
    let (params, holes) = making.params(names.iter().map(String::as_str));
    let judgement = guard::judge_dynamodb(&making.world(target), read, &params);
    let mut findings = judgement.findings.clone();
    let max = making.runbook.guardrails.dynamodb.max_read_units.value.unwrap_or(u64::MAX / 4000);
    let estimate = judgement.read.as_ref().and_then(|read| read.units);
    // Made again to be compared, a step keeps the ceiling that was approved.
    let approved = making.approved.and_then(|plan| plan.step(step.id.as_str())).and_then(|step| match &step.action {
        PlanAction::Dynamodb(plan) => Some(plan.ceiling),
        _ => None,
    });
    let keys = key_names(making, &request);
    let partition_key = keys.first().or_else(|| request.key.keys().next()).cloned().unwrap_or_default();
    let attributes = attributes(&request, &keys);
    let policy = session_policy::dynamodb(&target.region, &target.account, &request, &partition_key, &attributes);
    let longest: IndexMap<String, usize> = holes.iter().map(|(name, hole)| (name.clone(), longest(&hole.kind))).collect();
    check_policy(&policy, &longest, &mut findings);
    if request.key.is_empty() {
        findings.push(Finding::new(Rule::PartitionKey, Level::Block, "the read names no key".to_owned()));
    }
    Ok(DynamodbPlan {
        access_path: path_of(&request),
        ceiling: approved.unwrap_or_else(|| estimate::read_ceiling(estimate.map(|e| e.high), max)),
        max_executions: making.runbook.max_visits(step.id.as_str()),
        verdict: Judgement::verdict_of(&findings),
        findings,
        estimate,
        estimate_why: judgement.read.as_ref().map_or_else(|| "not estimated".to_owned(), |read| read.why.clone()),
        cost: judgement.cost.as_ref().and_then(|cost| cost.micros),
        currency: judgement.cost.as_ref().map(|cost| cost.currency.clone()),
        request,
        holes,
        policy,
    })
}

/// `Query on orders by pk and sk`: how the items are found.
fn path_of(request: &DynamodbRequest) -> String {
    let operation = match request.operation {
        DynamodbOperation::Get => "GetItem",
        DynamodbOperation::Query => "Query",
    };
    let index = request.index.as_ref().map_or_else(String::new, |index| format!(" index {index}"));
    let names = request.key.keys().chain(request.sort.as_ref().map(|sort| &sort.name));
    let keys = names.map(String::as_str).collect::<Vec<_>>().join(" and ");
    format!("{operation} on {}{index} by {}", request.table, if keys.is_empty() { "no key" } else { &keys })
}

fn request(making: &Making<'_>, step: &Step, read: &DynamodbStep) -> Result<DynamodbRequest, Refusal> {
    let values = |items: &IndexMap<String, ItemValue>| {
        items
            .iter()
            .map(|(name, item)| Ok((name.clone(), value(making, step, item)?)))
            .collect::<Result<IndexMap<_, _>, Refusal>>()
    };
    Ok(match read {
        DynamodbStep::Get(get) => DynamodbRequest {
            operation: DynamodbOperation::Get,
            table: get.table.value.clone(),
            index: None,
            key: values(&get.key)?,
            sort: None,
            filter: None,
            project: get.project.iter().map(|name| name.value.clone()).collect(),
            limit: None,
            descending: false,
            consistent: get.consistent,
        },
        DynamodbStep::Query(query) => DynamodbRequest {
            operation: DynamodbOperation::Query,
            table: query.table.value.clone(),
            index: query.index.as_ref().map(|index| index.value.clone()),
            key: values(&query.key)?,
            sort: match &query.sort {
                Some(sort) => Some(SortCondition {
                    name: sort.attribute.clone(),
                    operator: sort.operator.word().to_owned(),
                    values: sort.values.iter().map(|item| value(making, step, item)).collect::<Result<_, _>>()?,
                }),
                None => None,
            },
            filter: match &query.filter {
                Some(filter) => Some(filter_plan(making, step, &filter.value)?),
                None => None,
            },
            project: query.project.iter().map(|name| name.value.clone()).collect(),
            limit: query.limit,
            descending: query.descending,
            consistent: query.consistent,
        },
    })
}

/// A written value with what is known filled in and what is not left as a hole. Known values never become part of the template:
/// a `{{` inside a value is text.
fn value(making: &Making<'_>, step: &Step, item: &ItemValue) -> Result<DynamodbValue, Refusal> {
    let template = match item {
        ItemValue::Number(number) => return Ok(DynamodbValue::N(number.clone())),
        ItemValue::Bool(value) => return Ok(DynamodbValue::Bool(*value)),
        ItemValue::Text(template) => template,
    };
    if let Some(name) = item.lone_name() {
        return param(making, name).ok_or_else(|| unknown(step, name));
    }
    let mut parts: Vec<Part> = Vec::new();
    for part in &template.parts {
        let text = match part {
            crate::core::runbook::Part::Text(text) => text.clone(),
            crate::core::runbook::Part::Name(path) => {
                let name = path.strip_prefix("inputs.").unwrap_or(path);
                match making.known(name) {
                    Some(value) => value.text(),
                    None if making.runbook.param_type(name).is_some() => {
                        parts.push(Part::Hole(name.to_owned()));
                        continue;
                    }
                    None => return Err(unknown(step, path)),
                }
            }
        };
        match parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(&text),
            _ => parts.push(Part::Text(text)),
        }
    }
    Ok(match parts.as_slice() {
        [] => DynamodbValue::S(String::new()),
        [Part::Text(text)] => DynamodbValue::S(text.clone()),
        _ => DynamodbValue::Open(parts),
    })
}

fn unknown(step: &Step, name: &str) -> Refusal {
    let name = crate::core::text::visible(name);
    Refusal::new(Kind::Usage, format!("step {}: a DynamoDB value names `{name}`, which is no input, capture or choice", step.id))
}

/// A parameter's value, or its hole.
fn param(making: &Making<'_>, name: &str) -> Option<DynamodbValue> {
    match making.known(name) {
        Some(value) => Some(value.dynamodb()),
        None => making.runbook.param_type(name).map(|_| DynamodbValue::Hole(name.to_owned())),
    }
}

/// A written filter as DynamoDB takes it: placeholders, names and values apart.
fn filter_plan(making: &Making<'_>, step: &Step, written: &str) -> Result<FilterPlan, Refusal> {
    let filter = parse_filter(written)
        .map_err(|why| Refusal::new(Kind::Usage, format!("step {}: the filter cannot be used: {why}", step.id)))?;
    let names = filter.names.iter().enumerate().map(|(index, name)| (format!("#n{index}"), name.clone())).collect();
    let mut values = IndexMap::new();
    for (index, value) in filter.values.iter().enumerate() {
        let value = match value {
            FilterValue::Param(name) => param(making, name).ok_or_else(|| unknown(step, name))?,
            FilterValue::Text(text) => DynamodbValue::S(text.clone()),
            FilterValue::Number(number) => DynamodbValue::N(number.clone()),
            FilterValue::Bool(value) => DynamodbValue::Bool(*value),
        };
        values.insert(format!(":v{index}"), value);
    }
    Ok(FilterPlan { expression: filter.expression, names, values })
}

/// Names of the parameters that a read uses, each once.
fn params_of(read: &DynamodbStep) -> Vec<String> {
    let (key, sort, filter) = match read {
        DynamodbStep::Get(get) => (&get.key, None, [].as_slice()),
        DynamodbStep::Query(query) => (&query.key, query.sort.as_ref(), query.params.as_slice()),
    };
    let items = key.values().chain(sort.into_iter().flat_map(|sort| &sort.values));
    let mut names: Vec<String> =
        items.flat_map(ItemValue::names).map(|path| path.strip_prefix("inputs.").unwrap_or(path).to_owned()).collect();
    names.extend(filter.iter().map(ToString::to_string));
    names.sort();
    names.dedup();
    names
}

/// Key attributes of the table and of the index that is read, the partition key of what is read first; empty where the catalog
/// has no facts about the table.
fn key_names(making: &Making<'_>, request: &DynamodbRequest) -> Vec<String> {
    let Some(facts) = making.catalog.dynamodb.get(&request.table) else { return Vec::new() };
    let index = request.index.as_ref().and_then(|name| facts.indexes.get(name));
    let mut names: Vec<String> = Vec::new();
    for name in index.iter().flat_map(|index| index.key.names()).chain(facts.key.names()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Every attribute the step may touch: what it returns, its keys, what it filters on. Empty where it returns everything.
fn attributes(request: &DynamodbRequest, keys: &[String]) -> Vec<String> {
    if request.project.is_empty() {
        return Vec::new();
    }
    let top = |path: &String| path.split(['.', '[']).next().unwrap_or(path).to_owned();
    let mut names: Vec<String> = request.project.iter().map(top).collect();
    names.extend(request.key.keys().cloned());
    names.extend(keys.iter().cloned());
    names.extend(request.sort.iter().map(|sort| sort.name.clone()));
    names.extend(request.filter.iter().flat_map(|filter| filter.names.values().map(top)));
    names.sort();
    names.dedup();
    names
}

/// The most characters that a value of this type may have in a policy.
fn longest(kind: &ParamType) -> usize {
    match kind {
        ParamType::Int { .. } => 20,
        ParamType::Decimal { .. } => 40,
        ParamType::Bool => 5,
        ParamType::Date { .. } => 10,
        ParamType::Timestamp { .. } => 24,
        ParamType::Uuid => 36,
        ParamType::Enum { values } => values.iter().map(|value| value.chars().count()).max().unwrap_or(0),
        // A pattern bounds nothing that is cheap to know; the mint refuses what does not fit.
        ParamType::String { max, .. } => max.map_or(64, |max| max as usize),
        ParamType::List { .. } => session_policy::LIMIT,
    }
}
