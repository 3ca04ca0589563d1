//! Reading what access a runbook asks for; it may only tighten the book's rule.

use super::super::Access;
use crate::core::book::reading::{Fields, Reading, said};
use crate::core::book::yaml::Node;
use crate::core::book::{Approvals, Book, Durations, GroupName, Place, Placed, TargetName, count};
use crate::core::plan::OnDisconnect;
use crate::core::text::visible;
use crate::core::units::Millis;

/// Keys of `access`.
pub(in crate::core) const KEYS: &[&str] = &["target", "duration", "approvals", "incident", "on_disconnect"];
/// Keys of `access.approvals`.
pub(in crate::core) const APPROVAL_KEYS: &[&str] = &["need", "from"];

impl Access {
    /// What stands in where a runbook has no readable `access`; such a runbook is never used.
    pub(super) fn nowhere() -> Self {
        Self {
            target: Placed { value: TargetName::default(), place: Place { file: "".into(), line: 0, column: 0, width: 1 } },
            duration: Durations::LEAST,
            need: 1,
            from: Vec::new(),
            incident_required: false,
            on_disconnect: OnDisconnect::Stop,
        }
    }
}

pub(super) fn access(reading: &mut Reading, node: &Node, book: Option<&Book>) -> Option<Access> {
    let fields = Fields::of(reading, node, "`access`", KEYS)?;
    let target = fields.need(reading, "target", "`access`").and_then(|node| target(reading, node, book));
    let durations = book.map_or_else(Durations::default, |book| book.duration);
    let duration = fields.get("duration").and_then(|node| duration(reading, node, durations, book.is_some()));
    let rule = book.map_or_else(Approvals::default, |book| book.approvals.clone());
    let mut need = rule.need;
    let mut from: Vec<GroupName> = rule.from.iter().map(|group| group.value.clone()).collect();
    if let Some(node) = fields.get("approvals")
        && let Some(approvals) = Fields::of(reading, node, "`approvals`", APPROVAL_KEYS)
    {
        if let Some(number) = approvals.get("need").and_then(|node| more(reading, node, rule.need)) {
            need = number;
        }
        if let Some(node) = approvals.get("from") {
            from = groups(reading, node, book);
        }
        enough(reading, &approvals, need, &from, book);
    }
    let incident =
        fields.get("incident").and_then(|node| reading.word(node, "`incident`", &[("required", true), ("optional", false)]));
    let on_disconnect = fields
        .get("on_disconnect")
        .and_then(|node| reading.word(node, "`on_disconnect`", &[("stop", OnDisconnect::Stop), ("keep", OnDisconnect::Keep)]));
    Some(Access {
        target: target?,
        duration: duration.unwrap_or(durations.default),
        need,
        from,
        incident_required: incident.unwrap_or(false),
        on_disconnect: on_disconnect.unwrap_or(OnDisconnect::Stop),
    })
}

fn target(reading: &mut Reading, node: &Node, book: Option<&Book>) -> Option<Placed<TargetName>> {
    let name = reading.placed(node, "`target`")?;
    if let Some(book) = book
        && !book.targets.contains_key(name.as_str())
    {
        let message = format!("there is no target `{}`", visible(&name));
        reading.unknown(&node.place, message, book.targets.keys().map(TargetName::as_str), &name);
    }
    Some(Placed { value: TargetName(name.value), place: name.place })
}

fn duration(reading: &mut Reading, node: &Node, durations: Durations, known: bool) -> Option<Millis> {
    let duration = reading.duration(node, "`duration`")?;
    if duration < Durations::LEAST {
        let fix = format!("a grant lasts at least {}: write more, or remove the line", Durations::LEAST);
        reading.wrong(&node.place, format!("`duration` is {duration}"), fix);
        return None;
    }
    if known && duration > durations.max {
        let message = format!("`duration` is {duration}, above the book's {}", durations.max);
        reading.wrong(&node.place, message, "a runbook may only tighten: lower it");
        return None;
    }
    Some(duration)
}

/// At least the book's number.
fn more(reading: &mut Reading, node: &Node, least: u32) -> Option<u32> {
    let number = u32::try_from(reading.whole(node, "`need`", 1, 20)?).ok()?;
    if number < least {
        let message = format!("`need` is {}, below the book's {least}", said(node));
        reading.wrong(&node.place, message, "a runbook may only tighten: raise it, or remove the line");
        return None;
    }
    Some(number)
}

/// Groups that the book allows to be chosen.
fn groups(reading: &mut Reading, node: &Node, book: Option<&Book>) -> Vec<GroupName> {
    let names = reading.texts(node, "`from`");
    let mut groups = Vec::new();
    for name in names {
        if let Some(book) = book {
            let allowed = &book.approvals.allowed;
            if !book.groups.contains_key(name.as_str()) {
                let message = format!("`from`: there is no group `{}`", visible(&name));
                reading.unknown(&name.place, message, book.groups.keys().map(GroupName::as_str), &name);
                continue;
            }
            if !allowed.iter().any(|group| group.value == *name.as_str()) {
                let message = format!("`from`: the book does not allow `{}` to be chosen", visible(&name));
                let allowed: Vec<_> = allowed.iter().map(|group| group.value.to_string()).collect();
                reading.wrong(&name.place, message, format!("choose from {}", allowed.join(", ")));
                continue;
            }
        }
        groups.push(GroupName(name.value));
    }
    groups
}

/// A vote that could never pass is better found here than during an incident.
fn enough(reading: &mut Reading, fields: &Fields<'_>, need: u32, from: &[GroupName], book: Option<&Book>) {
    let Some(book) = book else { return };
    let later = book.approvals.escalate.iter().flat_map(|level| &level.to).map(|group| &group.value);
    let could = book.people(from.iter().chain(later)).len();
    if could > 0 && could < need as usize {
        let place = fields.key("need").unwrap_or(fields.place).clone();
        let message = format!("{need} approvals are needed, but only {} could vote", count(could));
        reading.wrong(&place, message, "lower `need`, or choose larger groups");
    }
}
