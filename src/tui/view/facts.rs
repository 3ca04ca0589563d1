//! Small pieces of wording that several screens share.

use jiff::tz::TimeZone;

use crate::core::estimate::{Bounds, Evidence};
use crate::core::guard::{Level, Verdict};
use crate::core::plan::{ApprovalRule, PlanAction, PlanStep};
use crate::core::units::{Bytes, Micros, Millis, ReadUnits, Timestamp};
use crate::tui::rich::Rich;
use crate::tui::state::State;
use crate::tui::theme::Role;

/// A label in a column of its own, and what it labels.
pub(super) fn labelled(label: &str, width: usize, value: Rich) -> Rich {
    Rich::of(Role::Muted, &format!(" {label:<width$} ")).join(value)
}

/// The same, the value wrapped below itself.
pub(super) fn labelled_wrapped(label: &str, column: usize, value: Rich, width: usize) -> Vec<Rich> {
    let rest = width.saturating_sub(column + 2).max(8);
    let mut lines = value.wrap(rest, 0).into_iter();
    let first = labelled(label, column, lines.next().unwrap_or_default());
    std::iter::once(first).chain(lines.map(|line| labelled("", column, line))).collect()
}

/// `OK`, `WARN`, `BLOCK`, with its role.
pub(super) fn verdict(verdict: Verdict) -> (Role, &'static str) {
    match verdict {
        Verdict::Allow => (Role::Ok, "OK"),
        Verdict::Warn => (Role::Warn, "WARN"),
        Verdict::Block => (Role::Block, "BLOCK"),
    }
}

/// The word and role of a finding's level.
pub(super) fn level(level: Level) -> (Role, &'static str) {
    match level {
        Level::Off => (Role::Muted, "off"),
        Level::Warn => (Role::Warn, "WARN"),
        Level::Block => (Role::Block, "BLOCK"),
    }
}

/// What an estimate rests on.
pub(super) fn evidence(evidence: Evidence, age_s: Option<u64>) -> String {
    let word = match evidence {
        Evidence::Manifest => "manifest",
        Evidence::Footers => "footers",
        Evidence::Listed => "listed",
        Evidence::Catalog => "catalog",
        Evidence::History => "history",
        Evidence::Unknown => "unknown",
    };
    match age_s {
        Some(age) => format!("{word}, {} old", Millis::from_secs(age)),
        None => word.to_owned(),
    }
}

/// Bytes, or the word.
pub(super) fn bytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| Bytes(bytes).to_string())
}

/// Read units, or the word.
pub(super) fn read_units(units: Option<u64>) -> String {
    units.map_or_else(|| "unknown".to_owned(), |units| ReadUnits(units).to_string())
}

/// A cost in its currency, or the word.
pub(super) fn cost(micros: Option<u64>, currency: Option<&str>) -> String {
    match (micros, currency) {
        (None, _) => "price unknown".to_owned(),
        (Some(micros), None | Some("USD")) => Micros(micros).to_string(),
        (Some(micros), Some(other)) => format!("{} {other}", Micros(micros).to_string().trim_start_matches('$')),
    }
}

/// What a step expects, its ceiling, and whether that is unknown.
pub(super) fn expects(step: &PlanStep) -> Option<(String, String)> {
    match &step.action {
        PlanAction::Athena(plan) => Some((bytes(plan.estimate.map(|b| b.expected)), Bytes(plan.ceiling).to_string())),
        PlanAction::Dynamodb(plan) => Some((read_units(plan.estimate.map(|b| b.expected)), ReadUnits(plan.ceiling).to_string())),
        PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => None,
    }
}

/// `low 290 MB high 310 MB`, where they differ from the expected.
pub(super) fn spread(bounds: Bounds, show: impl Fn(u64) -> String) -> String {
    if bounds.low == bounds.expected && bounds.high == bounds.expected {
        return "exactly".to_owned();
    }
    format!("low {} high {}", show(bounds.low), show(bounds.high))
}

/// `1 of payments-leads`.
pub(super) fn approvers(rule: &ApprovalRule) -> String {
    format!("{} of {}", rule.need, rule.from.join(", "))
}

/// The time zone that the book means; UTC before it is loaded.
pub(super) fn zone(state: &State) -> TimeZone {
    let name = state.library.ready().and_then(|library| library.book.as_ref()).map(|book| book.timezone.clone());
    name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC)
}

/// `14:02:11`.
pub(super) fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.to_string(), |at| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string())
}

/// `today 14:02`, `yesterday 14:02`, `2026-11-18 14:02`.
pub(super) fn day_and_time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let zoned = |at: Timestamp| jiff::Timestamp::from_millisecond(at.0).ok().map(|at| at.to_zoned(zone.clone()));
    let (Some(at), Some(now)) = (zoned(at), zoned(now)) else { return at.to_string() };
    let clock = at.strftime("%H:%M");
    if at.date() == now.date() {
        format!("today {clock}")
    } else if now.date().yesterday().is_ok_and(|day| day == at.date()) {
        format!("yesterday {clock}")
    } else {
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// The last four characters of an id, as screens show it.
pub(super) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(4)..).unwrap_or(id)
}
