//! Evidence: the hash chain over a run's events, and its verification.
//!
//! Each event carries the SHA-256 of its own RFC 8785 form (without `hash`) and the hash of the event before it. The journal
//! stores that canonical form with its `hash`, byte for byte, and beside the chain the run's head (how many events, the newest
//! hash). So an edit, a gap, a swap, a foreign event and a cut-off tail are each found and named. What a chain alone cannot show:
//! somebody who rewrites a tail *and* the head, having the right to write the store. That needs a witness elsewhere.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::core::run::{Actor, Event, EventBody};
use crate::core::units::Timestamp;

/// `prev` of a run's first event: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The largest integer that every reader of JSON agrees on, 2^53 − 1 (RFC 8785 §3.2.2.3 writes numbers as IEEE doubles).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// An event that cannot become evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A number whose canonical form would be another number: two different events would share one hash.
    #[error("`{at}` holds {number}, which canonical JSON cannot write exactly; integers beyond 2^53 must be text")]
    Inexact {
        /// Path of the number within the event, for example `data.inputs.id`.
        at: String,
        /// The number as it was.
        number: String,
    },
    /// The event cannot be written as JSON at all.
    #[error("the event cannot be written in canonical form")]
    Canonical(#[source] serde_json::Error),
}

/// Seals one event onto a chain whose newest hash is `prev` ([`GENESIS`] for the first).
pub fn seal(run: &str, seq: u64, at: Timestamp, actor: &Actor, body: EventBody, prev: &str) -> Result<Event, EvidenceError> {
    let mut event =
        Event { run: run.to_owned(), seq, at, actor: actor.clone(), body, prev: prev.to_owned(), hash: String::new() };
    let mut object = serde_json::to_value(&event).map_err(EvidenceError::Canonical)?;
    exact(&object, &mut String::new())?;
    if let Value::Object(map) = &mut object {
        map.shift_remove("hash");
    }
    event.hash = digest(&serde_json_canonicalizer::to_vec(&object).map_err(EvidenceError::Canonical)?);
    Ok(event)
}

/// The bytes that the journal stores: the RFC 8785 form of the whole event, `hash` included.
pub fn stored_form(event: &Event) -> Result<String, EvidenceError> {
    serde_json_canonicalizer::to_string(event).map_err(EvidenceError::Canonical)
}

/// One event as found in a store, not trusted.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The position that it is stored under.
    pub seq: u64,
    /// The stored bytes; not necessarily UTF-8 any more.
    pub json: &'a [u8],
}

/// What the store says the newest event of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its position; the number of events.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// A chain without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The run.
    pub run: String,
    /// How many events.
    pub events: u64,
    /// Hash of the newest; [`GENESIS`] when there are none.
    pub head: String,
}

/// One place where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The position concerned.
    pub seq: u64,
    /// What is wrong there.
    pub what: Damage,
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event {}: {}", self.seq, self.what)
    }
}

/// What is wrong with one position of a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes are not a JSON object with the fields of an event.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// The bytes are not those that were written, even where they mean the same.
    #[error("edited: not in the form it was written in")]
    Reformatted,
    /// The content does not have the hash that it states.
    #[error("edited: its content does not have the hash it states")]
    Edited,
    /// Well-formed by itself, but not the event that the next one, or the head, was chained to.
    #[error("replaced: {chained_by} was chained to another event")]
    Replaced {
        /// `event 5`, or `the head`.
        chained_by: String,
    },
    /// It states another position than the one it is stored under.
    #[error("moved: it says it is event {says}")]
    Moved {
        /// The position that it states.
        says: u64,
    },
    /// Nothing is stored under this position, up to `to`.
    #[error("dropped: nothing is stored here{}", up_to(.to))]
    Dropped {
        /// The last position of the gap, where it is longer than one.
        to: Option<u64>,
    },
    /// Positions from here to `to` were cut off the end: the head counts them.
    #[error("cut off: the run had events up to {to}")]
    CutOff {
        /// The newest position by the head.
        to: u64,
    },
    /// A second event is stored under this position.
    #[error("inserted: there is another event at this position")]
    Doubled,
    /// Stored after the newest event that the head knows.
    #[error("inserted: the run ends at event {newest}")]
    Inserted {
        /// The newest position by the head.
        newest: u64,
    },
    /// It belongs to another run.
    #[error("inserted: it belongs to run {run}")]
    Foreign {
        /// The run that it states.
        run: String,
    },
    /// The store has events but no head for this run.
    #[error("inserted: the store does not know this run")]
    NoHead,
}

/// Verifies one run as stored: `events` in order of their stored position, `head` as recorded beside them (`None`: not recorded).
/// Gives every break, in order.
pub fn verify(run: &str, events: &[Stored<'_>], head: Option<&Head>) -> Result<Verified, Vec<Break>> {
    let mut breaks = Vec::new();
    let mut expected = 1;
    // The hash that the next event must name, when the event before it can be believed.
    let mut before: Option<(u64, String)> = Some((0, GENESIS.to_owned()));
    let newest = head.map_or(u64::MAX, |head| head.seq);
    for stored in events {
        let seq = stored.seq;
        if seq < expected {
            breaks.push(Break { seq, what: Damage::Doubled });
            continue;
        }
        if seq > newest {
            breaks.push(Break { seq, what: Damage::Inserted { newest } });
            continue;
        }
        if seq > expected {
            let to = (seq > expected + 1).then_some(seq - 1);
            breaks.push(Break { seq: expected, what: Damage::Dropped { to } });
            before = None;
        }
        expected = seq + 1;
        let link = match read(run, stored) {
            Ok(link) => link,
            Err(what) => {
                breaks.push(Break { seq, what });
                before = None;
                continue;
            }
        };
        if let Some((at, hash)) = &before
            && *hash != link.prev
        {
            // The first event has nothing before it that could have been replaced: it is itself another one.
            let broken = if *at == 0 { seq } else { *at };
            breaks.push(Break { seq: broken, what: Damage::Replaced { chained_by: format!("event {seq}") } });
        }
        before = Some((seq, link.hash));
    }
    match head {
        None if !events.is_empty() => breaks.push(Break { seq: 1, what: Damage::NoHead }),
        Some(head) if head.seq >= expected => breaks.push(Break { seq: expected, what: Damage::CutOff { to: head.seq } }),
        Some(head) => {
            if let Some((seq, hash)) = &before
                && *hash != head.hash
            {
                breaks.push(Break { seq: *seq, what: Damage::Replaced { chained_by: "the head".to_owned() } });
            }
        }
        None => {}
    }
    if !breaks.is_empty() {
        breaks.sort_by_key(|found| found.seq);
        breaks.dedup();
        return Err(breaks);
    }
    let head = before.map_or_else(|| GENESIS.to_owned(), |(_, hash)| hash);
    Ok(Verified { run: run.to_owned(), events: expected - 1, head })
}

/// What the chain needs of one event that is whole in itself.
struct Link {
    prev: String,
    hash: String,
}

/// Checks one stored event by itself: its bytes, its hash, its run and its position.
fn read(run: &str, stored: &Stored<'_>) -> Result<Link, Damage> {
    let mut object: Value = serde_json::from_slice(stored.json).map_err(|e| Damage::Unreadable(e.to_string()))?;
    let canonical = serde_json_canonicalizer::to_vec(&object).map_err(|e| Damage::Unreadable(e.to_string()))?;
    let Value::Object(map) = &mut object else {
        return Err(Damage::Unreadable("not an object".to_owned()));
    };
    let missing = |name: &str| Damage::Unreadable(format!("`{name}` is missing"));
    let hash = match map.shift_remove("hash") {
        Some(Value::String(hash)) => hash,
        _ => return Err(missing("hash")),
    };
    let prev = map.get("prev").and_then(Value::as_str).ok_or_else(|| missing("prev"))?.to_owned();
    let says = map.get("seq").and_then(Value::as_u64).ok_or_else(|| missing("seq"))?;
    let of = map.get("run").and_then(Value::as_str).ok_or_else(|| missing("run"))?.to_owned();
    let content = serde_json_canonicalizer::to_vec(&object).map_err(|e| Damage::Unreadable(e.to_string()))?;
    if digest(&content) != hash {
        return Err(Damage::Edited);
    }
    if canonical != stored.json {
        return Err(Damage::Reformatted);
    }
    if of != run {
        return Err(Damage::Foreign { run: of });
    }
    if says != stored.seq {
        return Err(Damage::Moved { says });
    }
    Ok(Link { prev, hash })
}

/// Refuses integers that the canonical form would round.
fn exact(value: &Value, at: &mut String) -> Result<(), EvidenceError> {
    let length = at.len();
    match value {
        Value::Number(number) => {
            let inexact = match (number.as_u64(), number.as_i64()) {
                (Some(n), _) => n > MAX_INTEGER,
                (None, Some(n)) => n.unsigned_abs() > MAX_INTEGER,
                (None, None) => false,
            };
            if inexact {
                return Err(EvidenceError::Inexact { at: at.clone(), number: number.to_string() });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("[{index}]"));
                exact(item, at)?;
                at.truncate(length);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                if !at.is_empty() {
                    at.push('.');
                }
                at.push_str(name);
                exact(item, at)?;
                at.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Ok(())
}

/// ` up to event 7`, for a gap longer than one.
fn up_to(to: &Option<u64>) -> String {
    to.map_or_else(String::new, |to| format!(" up to event {to}"))
}

/// SHA-256 in lower-case hex.
fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const RUN: &str = "01JD0000000000000000000001";

    fn actor() -> Actor {
        Actor { name: "ana".into(), uid: 1000, arn: None, host: "bastion-1".into() }
    }

    /// A run of `texts` notes, sealed, in stored form, with its head.
    fn chain(run: &str, texts: &[&str]) -> (Vec<(u64, Vec<u8>)>, Head) {
        let mut prev = GENESIS.to_owned();
        let mut rows = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let seq = index as u64 + 1;
            let body = EventBody::NoteAdded { text: (*text).to_owned() };
            let event = seal(run, seq, Timestamp(1_763_625_600_000 + index as i64), &actor(), body, &prev).unwrap();
            prev = event.hash.clone();
            rows.push((seq, stored_form(&event).unwrap().into_bytes()));
        }
        let head = Head { seq: rows.len() as u64, hash: prev };
        (rows, head)
    }

    fn check(rows: &[(u64, Vec<u8>)], head: Option<&Head>) -> Result<Verified, Vec<Break>> {
        let stored: Vec<Stored<'_>> = rows.iter().map(|(seq, json)| Stored { seq: *seq, json }).collect();
        verify(RUN, &stored, head)
    }

    fn breaks(rows: &[(u64, Vec<u8>)], head: Option<&Head>) -> Vec<(u64, Damage)> {
        check(rows, head).unwrap_err().into_iter().map(|found| (found.seq, found.what)).collect()
    }

    #[test]
    fn a_whole_chain_verifies() {
        let (rows, head) = chain(RUN, &["one", "two", "three"]);
        let verified = check(&rows, Some(&head)).unwrap();
        assert_eq!(verified, Verified { run: RUN.into(), events: 3, head: head.hash });
        assert_eq!(check(&[], Some(&Head { seq: 0, hash: GENESIS.into() })).unwrap().events, 0);
    }

    /// The hash is the contract of CONTRACTS §3: another program computes it from the printed object.
    #[test]
    fn the_hash_is_the_contract() {
        let event = seal(RUN, 1, Timestamp(0), &actor(), EventBody::NoteAdded { text: "é\n".into() }, GENESIS).unwrap();
        let content = format!(
            "{{\"actor\":{{\"arn\":null,\"host\":\"bastion-1\",\"name\":\"ana\",\"uid\":1000}},\"at\":\"1970-01-01T00:00:00.000Z\",\
             \"data\":{{\"text\":\"é\\n\"}},\"kind\":\"note.added\",\"prev\":\"{GENESIS}\",\"run\":\"{RUN}\",\"seq\":1}}"
        );
        assert_eq!(event.hash, digest(content.as_bytes()));
        let back: Event = serde_json::from_str(&stored_form(&event).unwrap()).unwrap();
        assert_eq!(back, event);
    }

    #[test]
    fn each_damage_is_named_where_it_is() {
        let (rows, head) = chain(RUN, &["one", "two", "three", "four"]);
        let text = |row: usize| String::from_utf8(rows[row].1.clone()).unwrap();

        let mut edited = rows.clone();
        edited[1].1 = text(1).replace("two", "six").into_bytes();
        assert_eq!(breaks(&edited, Some(&head)), [(2, Damage::Edited)]);

        let mut reformatted = rows.clone();
        reformatted[1].1 = text(1).replace("\"seq\":2", "\"seq\": 2").into_bytes();
        assert_eq!(breaks(&reformatted, Some(&head)), [(2, Damage::Reformatted)]);

        let mut doubled = rows.clone();
        doubled[1].1 = text(1).replace("\"seq\":2", "\"seq\":9,\"seq\":2").into_bytes();
        assert_eq!(breaks(&doubled, Some(&head)), [(2, Damage::Reformatted)], "a second key of one name hides nothing");

        let mut dropped = rows.clone();
        dropped.remove(1);
        assert_eq!(breaks(&dropped, Some(&head)), [(2, Damage::Dropped { to: None })]);

        let holed = [rows[0].clone(), rows[3].clone()];
        assert_eq!(breaks(&holed, Some(&head)), [(2, Damage::Dropped { to: Some(3) })]);

        let mut closed_up = dropped.clone();
        closed_up[1].0 = 2;
        closed_up[2].0 = 3;
        assert_eq!(
            breaks(&closed_up, Some(&head)),
            [(2, Damage::Moved { says: 3 }), (3, Damage::Moved { says: 4 }), (4, Damage::CutOff { to: 4 })]
        );

        let mut swapped = rows.clone();
        swapped[1].1 = rows[2].1.clone();
        swapped[2].1 = rows[1].1.clone();
        assert_eq!(breaks(&swapped, Some(&head)), [(2, Damage::Moved { says: 3 }), (3, Damage::Moved { says: 2 })]);

        let cut = rows[..2].to_vec();
        assert_eq!(breaks(&cut, Some(&head)), [(3, Damage::CutOff { to: 4 })]);
        assert_eq!(breaks(&[], Some(&head)), [(1, Damage::CutOff { to: 4 })]);

        let (longer, _) = chain(RUN, &["one", "two", "three", "four", "five"]);
        assert_eq!(breaks(&longer, Some(&head)), [(5, Damage::Inserted { newest: 4 })]);
        assert_eq!(breaks(&rows, None), [(1, Damage::NoHead)]);

        let mut twice = rows.clone();
        twice.insert(2, rows[1].clone());
        assert_eq!(breaks(&twice, Some(&head)), [(2, Damage::Doubled)]);

        let mut foreign = rows.clone();
        foreign[2].1 = chain("01JD0000000000000000000002", &["one", "two", "three"]).0[2].1.clone();
        assert_eq!(breaks(&foreign, Some(&head)), [(3, Damage::Foreign { run: "01JD0000000000000000000002".into() })]);

        let mut garbage = rows.clone();
        garbage[0].1 = vec![0xff, 0xfe];
        assert!(matches!(breaks(&garbage, Some(&head)).as_slice(), [(1, Damage::Unreadable(_))]));
    }

    /// Somebody who edits and hashes anew breaks the link to the next event, or to the head.
    #[test]
    fn an_event_sealed_anew_is_found_by_its_neighbour() {
        let (rows, head) = chain(RUN, &["one", "two", "three"]);
        for seq in 1..=3_usize {
            let original: Event = serde_json::from_slice(&rows[seq - 1].1).unwrap();
            let body = EventBody::NoteAdded { text: "forged".into() };
            let forged = seal(RUN, seq as u64, original.at, &original.actor, body, &original.prev).unwrap();
            let mut rows = rows.clone();
            rows[seq - 1].1 = stored_form(&forged).unwrap().into_bytes();
            let by = if seq == 3 { "the head".to_owned() } else { format!("event {}", seq + 1) };
            assert_eq!(breaks(&rows, Some(&head)), [(seq as u64, Damage::Replaced { chained_by: by })]);
        }
        let (other, _) = chain(RUN, &["uno", "two", "three"]);
        let found = breaks(&other, Some(&head));
        assert_eq!(found, [(3, Damage::Replaced { chained_by: "the head".into() })], "a rewritten run ends elsewhere");
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        for (number, fits) in [
            (json!(9_007_199_254_740_991_u64), true),
            (json!(9_007_199_254_740_993_u64), false),
            (json!(-9_007_199_254_740_993_i64), false),
            (json!(u64::MAX), false),
            (json!(0.1), true),
        ] {
            let values = [("id".to_owned(), json!([{ "n": number }]))].into_iter().collect();
            let body = EventBody::CaptureTaken { step: "s".into(), values };
            let sealed = seal(RUN, 1, Timestamp(0), &actor(), body, GENESIS);
            match sealed {
                Ok(event) => {
                    assert!(fits, "{number}");
                    let back: Event = serde_json::from_str(&stored_form(&event).unwrap()).unwrap();
                    assert_eq!(back, event);
                }
                Err(error) => {
                    assert!(!fits, "{number}");
                    assert!(error.to_string().starts_with("`data.values.id[0].n` holds"), "{error}");
                }
            }
        }
    }

    proptest! {
        /// Stored bytes have one right form: no byte may change anywhere without being found at its own event.
        #[test]
        fn any_changed_byte_is_found(texts in prop::collection::vec(".{0,20}", 1..5), at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let (mut rows, head) = chain(RUN, &texts);
            prop_assert!(check(&rows, Some(&head)).is_ok());
            let mut offset = at.index(rows.iter().map(|(_, json)| json.len()).sum());
            let mut hit = 0;
            while offset >= rows[hit].1.len() {
                offset -= rows[hit].1.len();
                hit += 1;
            }
            rows[hit].1[offset] ^= mask;
            let found = breaks(&rows, Some(&head));
            prop_assert!(found.iter().any(|(seq, _)| *seq == hit as u64 + 1), "{found:?}");
        }

        /// Any subset of rows in any order, stored under any positions, is the run itself or broken.
        #[test]
        fn only_the_run_itself_verifies(picks in prop::collection::vec(0_usize..4, 0..6)) {
            let (rows, head) = chain(RUN, &["one", "two", "three", "four"]);
            let shuffled: Vec<(u64, Vec<u8>)> =
                picks.iter().enumerate().map(|(index, pick)| (index as u64 + 1, rows[*pick].1.clone())).collect();
            let whole = picks == [0, 1, 2, 3];
            prop_assert_eq!(check(&shuffled, Some(&head)).is_ok(), whole);
        }
    }
}
