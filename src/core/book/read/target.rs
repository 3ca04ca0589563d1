//! Reading targets.

use super::super::reading::{Fields, Reading, said};
use super::super::yaml::{Node, Shape};
use super::super::{AthenaTarget, Look, Placed, Price, Target, TargetName, WorkGroup};
use crate::core::estimate::ScanModel;
use crate::core::plan::{Endpoint, SourceIdentity};
use crate::core::text::visible;
use crate::core::units::Bytes;

/// Keys of a target.
pub(in crate::core) const KEYS: &[&str] = &[
    "account",
    "region",
    "role",
    "external_id",
    "endpoint",
    "look",
    "source_identity",
    "kms",
    "lake_formation",
    "athena",
    "dynamodb",
    "price",
];
/// Keys of `athena` in a target.
pub(in crate::core) const ATHENA_KEYS: &[&str] = &["catalog", "scan_model", "workgroups", "service_plan", "output"];
/// Keys of `price` in a target.
pub(in crate::core) const PRICE_KEYS: &[&str] = &["athena_tb", "dynamodb_read_million", "currency"];

/// The least that Athena takes as `BytesScannedCutoffPerQuery` (CreateWorkGroup): 10 MB.
const LEAST_CUTOFF: Bytes = Bytes(10 * Bytes::MB);

pub(super) fn target(reading: &mut Reading, name: &str, key: &Node, node: &Node) -> Option<Target> {
    let what = format!("target `{}`", visible(name));
    let fields = Fields::of(reading, node, &what, KEYS)?;
    let before = reading.count();
    let account = fields.need(reading, "account", &what).and_then(|node| account(reading, node));
    let region = fields.need(reading, "region", &what).and_then(|node| region(reading, node));
    let role = fields.need(reading, "role", &what).and_then(|node| role(reading, node, account.as_deref()));
    let target = Target {
        name: Placed { value: TargetName::from(name), place: key.place.clone() },
        account: account.unwrap_or_default(),
        region: region.unwrap_or_default(),
        role: role.unwrap_or_default(),
        external_id: fields.get("external_id").and_then(|node| reading.quoted(node, "`external_id`")),
        endpoint: fields.get("endpoint").and_then(|node| endpoint(reading, node)).unwrap_or(Endpoint::Aws),
        look: fields.get("look").and_then(|node| reading.word(node, "`look`", &LOOKS)).unwrap_or_default(),
        source_identity: fields
            .get("source_identity")
            .and_then(|node| reading.word(node, "`source_identity`", &SOURCE_IDENTITIES))
            .unwrap_or(SourceIdentity::Name),
        kms: fields.get("kms").map(|node| keys(reading, node)).unwrap_or_default(),
        lake_formation: fields.get("lake_formation").and_then(|node| reading.yes(node, "`lake_formation`")).unwrap_or(false),
        athena: fields.get("athena").and_then(|node| athena(reading, node)),
        dynamodb: fields.get("dynamodb").is_some_and(|node| dynamodb(reading, node)),
        price: fields.get("price").map_or_else(Price::default, |node| price(reading, node)),
    };
    if target.athena.is_none() && !target.dynamodb && before == reading.count() {
        let message = format!("{what} has neither `athena` nor `dynamodb`");
        reading.wrong(&key.place, message, "say where statements run: `athena: …` or `dynamodb: { enabled: true }`");
    }
    Some(target)
}

const LOOKS: [(&str, Look); 3] = [("none", Look::None), ("metadata", Look::Metadata), ("footers", Look::Footers)];
const SOURCE_IDENTITIES: [(&str, SourceIdentity); 2] = [("name", SourceIdentity::Name), ("inherit", SourceIdentity::Inherit)];
const MODELS: [(&str, ScanModel); 2] = [("chunks", ScanModel::Chunks), ("trino", ScanModel::Trino)];

fn account(reading: &mut Reading, node: &Node) -> Option<String> {
    let account = reading.quoted(node, "`account`")?;
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Some(account);
    }
    reading.wrong(&node.place, format!("`account` is {}", said(node)), "an account id has twelve digits, in quotes");
    None
}

fn region(reading: &mut Reading, node: &Node) -> Option<String> {
    let region = reading.text(node, "`region`")?;
    let parts: Vec<&str> = region.split('-').collect();
    let good = parts.len() >= 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        && region.ends_with(|c: char| c.is_ascii_digit());
    if good {
        return Some(region);
    }
    reading.wrong(&node.place, format!("`region` is {}", said(node)), "write a region such as eu-central-1");
    None
}

/// `arn:aws:iam::123456789012:role/…`, of the target's own account.
fn role(reading: &mut Reading, node: &Node, account: Option<&str>) -> Option<String> {
    let role = reading.text(node, "`role`")?;
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let [arn, partition, service, _, owner, resource] = parts.as_slice() else {
        reading.wrong(&node.place, format!("`role` is {}, not an ARN", said(node)), ROLE_EXAMPLE);
        return None;
    };
    if *arn != "arn" || !partition.starts_with("aws") || *service != "iam" || !resource.starts_with("role/") {
        reading.wrong(&node.place, format!("`role` is {}, not the ARN of a role", said(node)), ROLE_EXAMPLE);
        return None;
    }
    if let Some(account) = account
        && account != *owner
    {
        let message = format!("`role` is of account {}, the target of account {account}", visible(owner));
        reading.wrong(&node.place, message, "both are the account that owns the data");
        return None;
    }
    Some(role)
}

const ROLE_EXAMPLE: &str = "write it as in arn:aws:iam::123456789012:role/tollgate-shop-read";

fn endpoint(reading: &mut Reading, node: &Node) -> Option<Endpoint> {
    let text = reading.text(node, "`endpoint`")?;
    if text == "sandbox" {
        return Some(Endpoint::Sandbox);
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Some(Endpoint::Url(text)),
        _ => {
            let message = format!("`endpoint` is {}", said(node));
            reading.wrong(&node.place, message, "write `sandbox`, a URL such as http://127.0.0.1:4566, or nothing for AWS");
            None
        }
    }
}

fn keys(reading: &mut Reading, node: &Node) -> Vec<String> {
    let keys = reading.texts(node, "`kms`");
    for key in &keys {
        if !key.starts_with("arn:") || !key.contains(":kms:") {
            let message = format!("`{}` is not the ARN of a key", visible(key));
            reading.wrong(&key.place, message, "write it as in arn:aws:kms:eu-central-1:123456789012:key/…");
        }
    }
    keys.into_iter().map(|key| key.value).collect()
}

fn athena(reading: &mut Reading, node: &Node) -> Option<AthenaTarget> {
    let fields = Fields::of(reading, node, "`athena`", ATHENA_KEYS)?;
    let catalog = fields.get("catalog").and_then(|node| reading.text(node, "`catalog`"));
    let scan_model = fields.get("scan_model").and_then(|node| reading.word(node, "`scan_model`", &MODELS));
    let workgroups = fields.need(reading, "workgroups", "`athena`").map(|node| workgroups(reading, node)).unwrap_or_default();
    let output = fields.need(reading, "output", "`athena`").and_then(|node| output(reading, node));
    Some(AthenaTarget {
        catalog: catalog.unwrap_or_else(|| "AwsDataCatalog".to_owned()),
        scan_model: scan_model.unwrap_or_default(),
        workgroups,
        service_plan: fields.get("service_plan").is_some_and(|node| service_plan(reading, node)),
        output: output.unwrap_or_default(),
    })
}

/// `on` and `off`, or true and false: YAML 1.1 took them for the same.
fn service_plan(reading: &mut Reading, node: &Node) -> bool {
    if node.scalar().is_some_and(|scalar| scalar.shape == Shape::Bool) {
        return reading.yes(node, "`service_plan`").unwrap_or(false);
    }
    reading.word(node, "`service_plan`", &[("on", true), ("off", false)]).unwrap_or(false)
}

fn workgroups(reading: &mut Reading, node: &Node) -> Vec<WorkGroup> {
    let mut groups: Vec<WorkGroup> = Vec::new();
    let items = reading.list(node, "`workgroups`").unwrap_or_default();
    for item in items {
        let Some(fields) = Fields::of(reading, item, "a workgroup", &["name", "cutoff"]) else { continue };
        let name = fields.need(reading, "name", "the workgroup").and_then(|node| reading.placed(node, "`name`"));
        let cutoff = fields.need(reading, "cutoff", "the workgroup").and_then(|node| {
            let cutoff = reading.size(node, "`cutoff`")?;
            if cutoff < LEAST_CUTOFF {
                let message = format!("`cutoff` is {cutoff}; Athena takes no less than {LEAST_CUTOFF}");
                reading.wrong(&node.place, message, "write the cutoff that the workgroup has");
                return None;
            }
            Some(cutoff)
        });
        let (Some(name), Some(cutoff)) = (name, cutoff) else { continue };
        if groups.iter().any(|group| group.name.value == name.value) {
            reading.wrong(&name.place, format!("workgroup `{}` is written twice", visible(&name)), "keep one of them");
            continue;
        }
        groups.push(WorkGroup { name, cutoff });
    }
    if items.is_empty() && matches!(node.value, super::super::yaml::Value::List(_)) {
        let message = "`workgroups` is empty: nothing would be the hard stop of a statement";
        reading.wrong(&node.place, message, "write [{ name: tg-small, cutoff: 1 GB }]");
    }
    groups.sort_by_key(|group| group.cutoff);
    groups
}

/// `s3://bucket/prefix/`, with its closing slash.
fn output(reading: &mut Reading, node: &Node) -> Option<String> {
    let text = reading.text(node, "`output`")?;
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or(""));
    if bucket.is_none_or(str::is_empty) {
        reading.wrong(&node.place, format!("`output` is {}", said(node)), "write it as in s3://shop-results/tollgate/");
        return None;
    }
    Some(if text.ends_with('/') { text } else { format!("{text}/") })
}

fn dynamodb(reading: &mut Reading, node: &Node) -> bool {
    let Some(fields) = Fields::of(reading, node, "`dynamodb`", &["enabled"]) else { return false };
    fields.need(reading, "enabled", "`dynamodb`").and_then(|node| reading.yes(node, "`enabled`")).unwrap_or(false)
}

fn price(reading: &mut Reading, node: &Node) -> Price {
    let Some(fields) = Fields::of(reading, node, "`price`", PRICE_KEYS) else { return Price::default() };
    let athena_tb = fields.get("athena_tb").and_then(|node| reading.money(node, "`athena_tb`"));
    let dynamodb_read_million =
        fields.get("dynamodb_read_million").and_then(|node| reading.money(node, "`dynamodb_read_million`"));
    let currency = fields.get("currency").and_then(|node| {
        let currency = reading.text(node, "`currency`")?;
        if currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Some(currency);
        }
        reading.wrong(&node.place, format!("`currency` is {}", said(node)), "write its three letters: USD, EUR");
        None
    });
    Price { athena_tb, dynamodb_read_million, currency: currency.unwrap_or_else(|| "USD".to_owned()) }
}
