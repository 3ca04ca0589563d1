//! What time does to a run: deadlines, lapses, escalations, and when to look again. All arithmetic on expiry is here.

use crate::core::plan::Plan;
use crate::core::run::event::EventBody;
use crate::core::run::state::{Access, Request, RunState};
use crate::core::units::{Millis, Timestamp};

/// With less than this left nothing is started (DESIGN §4.4).
pub const LAST_START: Millis = Millis::from_secs(60);
/// This long before the deadline running queries are stopped (DESIGN §4.5).
pub const STOP_BEFORE: Millis = Millis::from_secs(30);
/// This long after the deadline the session policy denies even stopping (DESIGN §4.5).
pub const JANITOR_TAIL: Millis = Millis::from_mins(2);
/// The countdown is bold below this (SCREENS §0).
pub const LOUD: Millis = Millis::from_mins(10);
/// The countdown is reversed below this (SCREENS §0).
pub const LOUDEST: Millis = Millis::from_mins(2);

/// The events that time has caused by `now` and nobody has appended yet, each with the time it was due, in order.
pub fn due(state: &RunState, now: Timestamp) -> Vec<(Timestamp, EventBody)> {
    if state.is_closed() || state.corrupt.is_some() {
        return Vec::new();
    }
    let mut events: Vec<(Timestamp, EventBody)> = state.requests.iter().flat_map(|r| due_of(r, now)).collect();
    events.sort_by_key(|(at, _)| *at);
    events
}

fn due_of(request: &Request, now: Timestamp) -> Vec<(Timestamp, EventBody)> {
    let mut events = Vec::new();
    match request.access {
        Access::Waiting => {
            let lapses = lapses_at(&request.plan, request.sent_at);
            for (level, escalation) in request.plan.approval.escalation.iter().enumerate().skip(request.escalated as usize) {
                let at = request.sent_at.plus(Millis(escalation.after_ms));
                if at <= now && at < lapses {
                    let level = u32::try_from(level + 1).unwrap_or(u32::MAX);
                    let body = EventBody::RequestEscalated { request: request.id.clone(), level, to: escalation.to.clone() };
                    events.push((at, body));
                }
            }
            if lapses <= now {
                events.push((lapses, EventBody::RequestLapsed { request: request.id.clone(), unused: false }));
            }
        }
        Access::Approved { use_by, .. } if use_by <= now => {
            events.push((use_by, EventBody::RequestLapsed { request: request.id.clone(), unused: true }));
        }
        Access::Active { deadline, .. } if deadline <= now => {
            let reason = "its time is over".to_owned();
            events.push((deadline, EventBody::AccessEnded { request: request.id.clone(), reason }));
        }
        _ => {}
    }
    events
}

/// When an unanswered request lapses.
pub fn lapses_at(plan: &Plan, sent: Timestamp) -> Timestamp {
    sent.plus(Millis(plan.approval.lapse_ms))
}

/// When an unanswered request escalates next, and to whom; `None` when no level is left.
pub fn escalates_at(request: &Request) -> Option<(Timestamp, &[String])> {
    let next = request.plan.approval.escalation.get(request.escalated as usize)?;
    Some((request.sent_at.plus(Millis(next.after_ms)), &next.to))
}

/// The next point at which time alone changes something, after `now`.
pub fn next_change(state: &RunState, now: Timestamp) -> Option<Timestamp> {
    if state.is_closed() {
        return None;
    }
    let running = state.open_execution().is_some();
    let mut points: Vec<Timestamp> = Vec::new();
    for request in &state.requests {
        match request.access {
            Access::Waiting => {
                points.push(lapses_at(&request.plan, request.sent_at));
                points.extend(escalates_at(request).map(|(at, _)| at));
            }
            Access::Approved { use_by, .. } => points.push(use_by),
            Access::Active { deadline, .. } => {
                points.push(deadline);
                if running {
                    points.push(deadline.minus(STOP_BEFORE));
                }
            }
            _ => {}
        }
    }
    points.into_iter().filter(|at| *at > now).min()
}

/// The two instants that the session policy holds: T and T + 2 min.
pub fn policy_deadlines(deadline: Timestamp) -> (Timestamp, Timestamp) {
    (deadline, deadline.plus(JANITOR_TAIL))
}
