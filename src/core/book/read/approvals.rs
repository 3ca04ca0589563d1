//! Reading the approval rule.

use indexmap::IndexMap;

use super::super::reading::{Fields, Reading};
use super::super::yaml::Node;
use super::super::{Approvals, EscalationLevel, GroupName, PersonName, Placed};
use crate::core::text::visible;
use crate::core::units::Millis;

/// Keys of `approvals` in the book.
pub(in crate::core) const KEYS: &[&str] = &["need", "from", "allowed", "lapse", "use_within", "escalate"];

type Groups = IndexMap<GroupName, Vec<PersonName>>;

pub(super) fn approvals(reading: &mut Reading, node: &Node, groups: &Groups) -> Approvals {
    let mut approvals = Approvals::default();
    let Some(fields) = Fields::of(reading, node, "`approvals`", KEYS) else { return approvals };
    if let Some(need) = fields.get("need").and_then(|node| reading.whole(node, "`need`", 1, 20)) {
        approvals.need = u32::try_from(need).unwrap_or(u32::MAX);
    }
    approvals.from =
        fields.need(reading, "from", "`approvals`").map(|node| named(reading, node, "`from`", groups)).unwrap_or_default();
    approvals.allowed = match fields.get("allowed") {
        Some(node) => named(reading, node, "`allowed`", groups),
        None => approvals.from.clone(),
    };
    if let Some(lapse) = fields.get("lapse").and_then(|node| wait(reading, node, "`lapse`")) {
        approvals.lapse = lapse;
    }
    if let Some(use_within) = fields.get("use_within").and_then(|node| wait(reading, node, "`use_within`")) {
        approvals.use_within = use_within;
    }
    if let Some(node) = fields.get("escalate") {
        escalation(reading, node, groups, &mut approvals);
    }
    let could = super::super::people(groups, approvals.every_group()).len();
    if could < approvals.need as usize && could > 0 {
        let place = fields.key("need").unwrap_or(fields.place);
        let message = format!("`need` is {}, but only {} could vote", approvals.need, count(could));
        reading.wrong(place, message, "lower `need`, or add people to the groups of `from` and `escalate`");
    }
    approvals
}

/// `1 person`, `3 people`.
pub(in crate::core) fn count(people: usize) -> String {
    if people == 1 { "1 person".to_owned() } else { format!("{people} people") }
}

impl Approvals {
    /// The groups that may come to vote: those of `from`, then those of each escalation.
    pub(in crate::core) fn every_group(&self) -> impl Iterator<Item = &GroupName> {
        let later = self.escalate.iter().flat_map(|level| &level.to);
        self.from.iter().chain(later).map(|group| &group.value)
    }
}

/// A wait of at least 10 s: nobody answers sooner.
fn wait(reading: &mut Reading, node: &Node, what: &str) -> Option<Millis> {
    let wait = reading.duration(node, what)?;
    if wait < Millis::from_secs(10) {
        reading.wrong(&node.place, format!("{what} is {wait}"), "it is at least 10s: nobody answers sooner");
        return None;
    }
    Some(wait)
}

/// Groups that exist.
pub(in crate::core) fn named(reading: &mut Reading, node: &Node, what: &str, groups: &Groups) -> Vec<Placed<GroupName>> {
    let mut known = Vec::new();
    for name in reading.texts(node, what) {
        if groups.contains_key(name.as_str()) {
            known.push(Placed { value: GroupName(name.value), place: name.place });
        } else {
            let message = format!("{what}: there is no group `{}`", visible(&name));
            reading.unknown(&name.place, message, groups.keys().map(GroupName::as_str), &name);
        }
    }
    known
}

fn escalation(reading: &mut Reading, node: &Node, groups: &Groups, approvals: &mut Approvals) {
    for item in reading.list(node, "`escalate`").unwrap_or_default() {
        let Some(fields) = Fields::of(reading, item, "an escalation", &["after", "to"]) else { continue };
        let after = fields.need(reading, "after", "the escalation").and_then(|node| {
            let after = reading.duration(node, "`after`")?;
            Some(Placed { value: after, place: node.place.clone() })
        });
        let to = fields.need(reading, "to", "the escalation").map(|node| named(reading, node, "`to`", groups));
        let (Some(after), Some(to)) = (after, to) else { continue };
        if after.value >= approvals.lapse {
            let message = format!("`after` is {}, but the request lapses after {}", after.value, approvals.lapse);
            reading.wrong(&after.place, message, "escalate sooner, or raise `lapse`");
        } else if approvals.escalate.last().is_some_and(|last| last.after.value >= after.value) {
            let message = format!("`after` is {}, not later than the escalation before it", after.value);
            reading.wrong(&after.place, message, "write escalations in the order of their times");
        }
        approvals.escalate.push(EscalationLevel { after, to });
    }
}
