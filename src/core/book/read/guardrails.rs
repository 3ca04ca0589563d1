//! Reading guardrails: the book's over the defaults, and a runbook's over the book's, which may only tighten.

use super::super::reading::{Fields, Reading, entries, nearest, said};
use super::super::yaml::Node;
use super::super::{AthenaLimits, ColumnName, Guardrails, NameRules, Place, Placed, Setting, StatementKind};
use crate::core::guard::{Level, Rule};
use crate::core::text::visible;
use crate::core::units::Bytes;

/// Keys of `guardrails`.
pub(in crate::core) const KEYS: &[&str] = &["blocked_tags", "influence", "count_of_blocked", "levels", "athena", "dynamodb"];
/// Keys of `guardrails.athena`.
pub(in crate::core) const ATHENA_KEYS: &[&str] = &[
    "max_scan",
    "warn_scan",
    "max_run_scan",
    "max_cost",
    "require_limit",
    "unknown_estimate",
    "require_partition",
    "tables",
    "functions",
    "statements",
];
/// Keys of `guardrails.dynamodb`.
pub(in crate::core) const DYNAMODB_KEYS: &[&str] = &["max_read_units", "scan", "writes"];

const LEVELS: [(&str, Level); 3] = [("off", Level::Off), ("warn", Level::Warn), ("block", Level::Block)];
const INFLUENCES: [(&str, Level); 3] = [("allow", Level::Off), ("warn", Level::Warn), ("block", Level::Block)];
const UNKNOWN: [(&str, Level); 2] = [("warn", Level::Warn), ("block", Level::Block)];
const COUNTS: [(&str, bool); 2] = [("allow", false), ("block", true)];
const KINDS: [(&str, StatementKind); 4] = [
    ("select", StatementKind::Select),
    ("show", StatementKind::Show),
    ("describe", StatementKind::Describe),
    ("explain", StatementKind::Explain),
];

/// Reads guardrails over `base`. With `tightening`, what is looser than `base` is a problem, and `base` holds.
pub(in crate::core) fn guardrails(reading: &mut Reading, node: &Node, base: &Guardrails, tightening: bool) -> Guardrails {
    let mut rules = base.clone();
    let Some(fields) = Fields::of(reading, node, "`guardrails`", KEYS) else { return rules };
    let over = Over { tightening };
    if let Some(node) = fields.get("blocked_tags") {
        let mut tags = if tightening { rules.blocked_tags.value.clone() } else { Vec::new() };
        for tag in reading.texts(node, "`blocked_tags`") {
            let tag = tag.to_lowercase();
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        rules.blocked_tags = set(tags, fields.key("blocked_tags"));
    }
    if let Some(level) = fields.get("influence").and_then(|node| reading.word(node, "`influence`", &INFLUENCES)) {
        over.level(reading, &fields, "influence", level, &mut rules.influence);
    }
    if let Some(blocked) = fields.get("count_of_blocked").and_then(|node| reading.word(node, "`count_of_blocked`", &COUNTS)) {
        over.yes(reading, &fields, "count_of_blocked", blocked, &mut rules.count_of_blocked);
    }
    if let Some(node) = fields.get("levels") {
        levels(reading, node, over, &mut rules);
    }
    if let Some(node) = fields.get("athena") {
        athena(reading, node, over, &mut rules);
    }
    if let Some(node) = fields.get("dynamodb")
        && let Some(fields) = Fields::of(reading, node, "`dynamodb`", DYNAMODB_KEYS)
    {
        let limits = &mut rules.dynamodb;
        if let Some(units) = fields.get("max_read_units").and_then(|node| reading.whole(node, "`max_read_units`", 1, u64::MAX)) {
            over.limit(reading, &fields, "max_read_units", units, &mut limits.max_read_units);
        }
        if let Some(level) = fields.get("scan").and_then(|node| reading.word(node, "`scan`", &INFLUENCES)) {
            over.level(reading, &fields, "scan", level, &mut limits.scan);
        }
        if let Some(node) = fields.get("writes")
            && reading.word(node, "`writes`", &[("block", Level::Block)]).is_some()
        {
            limits.writes = set(Level::Block, fields.key("writes"));
        }
    }
    rules
}

fn set<T>(value: T, place: Option<&Place>) -> Setting<T> {
    Setting { value, set_in: place.cloned() }
}

/// Writing over a base.
#[derive(Clone, Copy)]
struct Over {
    tightening: bool,
}

impl Over {
    /// A limit: less is tighter.
    fn limit<T: Ord + std::fmt::Display>(
        self,
        reading: &mut Reading,
        fields: &Fields<'_>,
        key: &str,
        value: T,
        setting: &mut Setting<Option<T>>,
    ) {
        if self.tightening
            && let Some(most) = &setting.value
            && value > *most
        {
            let message = format!("`{key}` is {value}, above the book's {most}{}", set_there(setting));
            return loosens(reading, fields, key, message, &most.to_string());
        }
        *setting = set(Some(value), fields.key(key));
    }

    /// A level: higher is tighter.
    fn level(self, reading: &mut Reading, fields: &Fields<'_>, key: &str, level: Level, setting: &mut Setting<Level>) {
        if self.tightening && level < setting.value {
            let message = format!("`{key}` is lower than the book has it{}", set_there(setting));
            return loosens(reading, fields, key, message, "what the book says");
        }
        *setting = set(level, fields.key(key));
    }

    /// A demand: yes is tighter.
    fn yes(self, reading: &mut Reading, fields: &Fields<'_>, key: &str, yes: bool, setting: &mut Setting<bool>) {
        if self.tightening && setting.value && !yes {
            let message = format!("`{key}` is looser than the book has it{}", set_there(setting));
            return loosens(reading, fields, key, message, "what the book says");
        }
        *setting = set(yes, fields.key(key));
    }
}

fn set_there<T>(setting: &Setting<T>) -> String {
    setting.set_in().map(|place| format!(" ({place})")).unwrap_or_default()
}

fn loosens(reading: &mut Reading, fields: &Fields<'_>, key: &str, message: String, most: &str) {
    let place = fields.key(key).unwrap_or(fields.place).clone();
    reading.wrong(&place, message, format!("a runbook may only tighten: remove the line, or go no further than {most}"));
}

fn levels(reading: &mut Reading, node: &Node, over: Over, rules: &mut Guardrails) {
    for (name, key, value) in entries(reading, node, "`levels`").unwrap_or_default() {
        let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.name() == name) else {
            let message = format!("there is no rule `{}`", visible(name));
            match nearest(name, Rule::ALL.iter().map(|rule| rule.name())) {
                Some(near) => reading.wrong(&key.place, message, format!("did you mean `{near}`?")),
                None => reading.wrong(&key.place, message, "`tollgate schema guard` lists the rules"),
            }
            continue;
        };
        let Some(level) = reading.word(value, &format!("the level of `{name}`"), &LEVELS) else { continue };
        if level < Level::Block && is_fixed(rule) {
            let message = format!("`{name}` always blocks");
            reading.wrong(&key.place, message, "remove the line: nobody can lower this rule");
            continue;
        }
        let now = rules.level(rule);
        if over.tightening && level < now.value {
            let message = format!("`{name}` is lower than the book has it{}", set_there(&now));
            reading.wrong(&key.place, message, "a runbook may only tighten: remove the line");
            continue;
        }
        rules.levels.insert(rule, set(level, Some(&key.place)));
    }
}

/// Rules that nobody can lower: CONTRACTS §1, and those that guard the run itself and not a statement.
fn is_fixed(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::NotAnalysed
            | Rule::Unsupported
            | Rule::StatementKind
            | Rule::TypeMismatch
            | Rule::SecondOpinion
            | Rule::ServicePlan
            | Rule::BlockedColumn
            | Rule::BlockedTable
            | Rule::BlockedAttribute
            | Rule::RunBudget
            | Rule::HardStop
            | Rule::SessionPolicy
            | Rule::NoReviewer
    )
}

fn athena(reading: &mut Reading, node: &Node, over: Over, rules: &mut Guardrails) {
    let Some(fields) = Fields::of(reading, node, "`athena`", ATHENA_KEYS) else { return };
    let limits = &mut rules.athena;
    sizes(reading, &fields, over, limits);
    if let Some(yes) = fields.get("require_limit").and_then(|node| reading.yes(node, "`require_limit`")) {
        over.yes(reading, &fields, "require_limit", yes, &mut limits.require_limit);
    }
    if let Some(level) = fields.get("unknown_estimate").and_then(|node| reading.word(node, "`unknown_estimate`", &UNKNOWN)) {
        over.level(reading, &fields, "unknown_estimate", level, &mut limits.unknown_estimate);
    }
    if let Some(node) = fields.get("require_partition") {
        for column in reading.texts(node, "`require_partition`") {
            match column_name(&column) {
                Some(value) if limits.require_partition.iter().any(|known| known.value == value) => {}
                Some(value) => limits.require_partition.push(Placed { value, place: column.place }),
                None => {
                    let message = format!("`{}` names no partition column", visible(&column));
                    reading.wrong(&column.place, message, "write database.table.column");
                }
            }
        }
    }
    if let Some(node) = fields.get("tables") {
        names(reading, node, "`tables`", &mut limits.tables);
    }
    if let Some(node) = fields.get("functions") {
        names(reading, node, "`functions`", &mut limits.functions);
    }
    if let Some(node) = fields.get("statements") {
        statements(reading, node, &fields, over, limits);
    }
    if limits.require_limit.value && limits.require_limit.set_in.is_some() {
        rules.levels.insert(Rule::Limit, Setting { value: Level::Block, set_in: limits.require_limit.set_in.clone() });
    }
}

fn sizes(reading: &mut Reading, fields: &Fields<'_>, over: Over, limits: &mut AthenaLimits) {
    let size = |reading: &mut Reading, key: &str, setting: &mut Setting<Option<Bytes>>| {
        let Some(node) = fields.get(key) else { return };
        match reading.size(node, &format!("`{key}`")) {
            Some(Bytes(0)) => reading.wrong(&node.place, format!("`{key}` is 0"), "a limit is more than nothing"),
            Some(value) => over.limit(reading, fields, key, value, setting),
            None => {}
        }
    };
    size(reading, "max_scan", &mut limits.max_scan);
    size(reading, "warn_scan", &mut limits.warn_scan);
    size(reading, "max_run_scan", &mut limits.max_run_scan);
    if let Some(cost) = fields.get("max_cost").and_then(|node| reading.money(node, "`max_cost`")) {
        over.limit(reading, fields, "max_cost", cost, &mut limits.max_cost);
    }
    let (warn, max) = (limits.warn_scan.value, limits.max_scan.value);
    if let (Some(place), Some(warn), Some(max)) = (fields.key("warn_scan"), warn, max)
        && warn >= max
    {
        let message = format!("`warn_scan` is {warn}, not below `max_scan` {max}: it would never be heard");
        reading.wrong(place, message, "lower `warn_scan`");
    }
}

fn statements(reading: &mut Reading, node: &Node, fields: &Fields<'_>, over: Over, limits: &mut AthenaLimits) {
    let mut kinds = Vec::new();
    for item in reading.list(node, "`statements`").unwrap_or_default() {
        let Some(kind) = reading.word(item, "a kind of statement", &KINDS) else { continue };
        if over.tightening && !limits.statements.contains(&kind) {
            let message = format!("{} is not allowed by the book{}", said(item), set_there(&limits.statements));
            reading.wrong(&item.place, message, "a runbook may only tighten: remove it");
        } else if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    limits.statements = set(kinds, fields.key("statements"));
}

fn names(reading: &mut Reading, node: &Node, what: &str, rules: &mut NameRules) {
    let Some(fields) = Fields::of(reading, node, what, &["allow", "deny"]) else { return };
    let lower = |names: Vec<Placed<String>>| {
        names.into_iter().map(|name| Placed { value: name.value.to_lowercase(), place: name.place }).collect::<Vec<_>>()
    };
    if let Some(node) = fields.get("allow") {
        let allow = lower(reading.texts(node, "`allow`"));
        // An empty list means all, as no list does.
        if !allow.is_empty() {
            rules.allow.push(allow);
        }
    }
    if let Some(node) = fields.get("deny") {
        rules.deny.extend(lower(reading.texts(node, "`deny`")));
    }
}

/// `db.table.column` or `catalog.db.table.column`.
fn column_name(text: &str) -> Option<ColumnName> {
    let (table, column) = text.rsplit_once('.')?;
    let parts = table.split('.').count();
    if !(2..=3).contains(&parts) || text.split('.').any(str::is_empty) {
        return None;
    }
    Some(ColumnName { table: table.to_lowercase(), column: column.to_lowercase() })
}
