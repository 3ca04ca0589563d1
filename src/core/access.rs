//! Who may request and who may vote: groups, reviewer chains, the rule that a requester never counts.
//!
//! Pure: people come in as records of name, uid and ARN. When a level opens is [`crate::core::run::expiry`]'s to say.

use std::collections::BTreeSet;

use crate::core::book::{Book, GroupName};
use crate::core::plan::{ApprovalRule, Escalation, Person};
use crate::core::text::visible;

/// Why somebody may not vote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVote {
    /// The requester, by name, alias, uid or ARN.
    #[error("{} asked for it, and nobody approves their own request", visible(.0))]
    Requester(String),
    /// Not in any group that may vote now.
    #[error("{} is not one of {}", visible(.name), listed(.from))]
    NotReviewer {
        /// Who.
        name: String,
        /// The groups that may.
        from: Vec<String>,
    },
    /// One human being has one vote.
    #[error("{} has voted already", visible(.0))]
    Again(String),
}

fn listed(groups: &[String]) -> String {
    if groups.is_empty() { "those who may vote: nobody is named".to_owned() } else { visible(&groups.join(", ")).into_owned() }
}

/// How a request's votes stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not decided: so many approvals of so many needed.
    Open {
        /// Distinct people who approved.
        have: u32,
        /// How many are needed.
        need: u32,
    },
    /// Approved by these.
    Approved(Vec<String>),
    /// Denied by this person; one denial is enough.
    Denied(String),
}

/// Whether two records are one human being: same name or alias, or same ARN; outside of the sandbox also same uid. In the
/// sandbox people share one uid and one key, so there only names and aliases count.
pub fn same_person(book: &Book, a: &Person, b: &Person, sandbox: bool) -> bool {
    let names = |person: &Person| {
        let known = [Some(&person.name), person.arn.as_ref().filter(|_| !sandbox)];
        known.into_iter().flatten().map(|name| canonical(book, name).to_owned()).collect::<BTreeSet<String>>()
    };
    !names(a).is_disjoint(&names(b)) || (!sandbox && a.uid == b.uid)
}

/// The name under which `identities` lists this alias, or the alias itself.
fn canonical<'a>(book: &'a Book, alias: &'a str) -> &'a str {
    book.person(alias).map_or(alias, |name| name.as_str())
}

/// Whether `voter` may vote on what `requester` asked, with `escalated` levels open. The people of the rule were named when the
/// plan was made; `book` brings the identities that count as one person.
///
/// # Errors
/// [`NoVote`]: why the vote would not count.
pub fn may_vote(
    rule: &ApprovalRule,
    book: &Book,
    requester: &Person,
    voter: &Person,
    escalated: u32,
    sandbox: bool,
) -> Result<(), NoVote> {
    if same_person(book, requester, voter, sandbox) {
        return Err(NoVote::Requester(voter.name.clone()));
    }
    let open = || rule.escalation.iter().take(escalated as usize);
    let mut named = rule.reviewers.iter().chain(open().flat_map(|level| &level.reviewers));
    // Only the name that the person goes by makes a reviewer: an ARN may be a role that many share.
    if named.any(|reviewer| canonical(book, reviewer) == canonical(book, &voter.name)) {
        return Ok(());
    }
    let from = rule.from.iter().chain(open().flat_map(|level| &level.to)).cloned().collect();
    Err(NoVote::NotReviewer { name: voter.name.clone(), from })
}

/// Whether `voter` is someone who has voted already.
///
/// # Errors
/// [`NoVote::Again`].
pub fn votes_first<'a>(
    book: &Book,
    voter: &Person,
    voted: impl IntoIterator<Item = &'a Person>,
    sandbox: bool,
) -> Result<(), NoVote> {
    match voted.into_iter().any(|other| same_person(book, other, voter, sandbox)) {
        true => Err(NoVote::Again(voter.name.clone())),
        false => Ok(()),
    }
}

/// What votes decide, in the order in which they were cast. Votes that do not count (the requester's, a stranger's, the second
/// of one person) are passed over; so are votes after the decision.
pub fn standing<'a>(
    rule: &ApprovalRule,
    book: &Book,
    requester: &Person,
    votes: impl IntoIterator<Item = (&'a Person, bool)>,
    escalated: u32,
    sandbox: bool,
) -> Standing {
    let need = rule.need.max(1);
    let mut approved: Vec<&Person> = Vec::new();
    for (voter, approves) in votes {
        if may_vote(rule, book, requester, voter, escalated, sandbox).is_err() {
            continue;
        }
        if !approves {
            return Standing::Denied(voter.name.clone());
        }
        if votes_first(book, voter, approved.iter().copied(), sandbox).is_ok() {
            approved.push(voter);
        }
        if approved.len() >= need as usize {
            return Standing::Approved(approved.into_iter().map(|person| person.name.clone()).collect());
        }
    }
    Standing::Open { have: u32::try_from(approved.len()).unwrap_or(u32::MAX), need }
}

/// The rule of one request: the groups resolved to people, without the requester.
pub fn rule(book: &Book, need: u32, from: &[GroupName], requester: &Person, sandbox: bool) -> ApprovalRule {
    let reviewers = |groups: &[GroupName]| {
        let people = book.people(groups).into_iter().filter(|name| {
            // Groups know names alone; a uid that nobody has keeps the comparison to names.
            let member = Person { name: name.to_string(), uid: u32::MAX, arn: None };
            let asks = Person { uid: u32::MAX - 1, ..requester.clone() };
            !same_person(book, &asks, &member, sandbox)
        });
        people.map(|name| name.0.clone()).collect::<Vec<_>>()
    };
    let names = |groups: &[GroupName]| groups.iter().map(|group| group.0.clone()).collect::<Vec<_>>();
    let levels = book.approvals.escalate.iter().map(|level| {
        let to: Vec<GroupName> = level.to.iter().map(|group| group.value.clone()).collect();
        Escalation { after_ms: level.after.value.0, reviewers: reviewers(&to), to: names(&to) }
    });
    ApprovalRule {
        need,
        reviewers: reviewers(from),
        from: names(from),
        escalation: levels.collect(),
        lapse_ms: book.approvals.lapse.0,
    }
}

/// Everybody who could vote, now or after escalation, by the name they go by.
pub fn everybody<'a>(rule: &'a ApprovalRule, book: &'a Book) -> BTreeSet<&'a str> {
    let later = rule.escalation.iter().flat_map(|level| &level.reviewers);
    rule.reviewers.iter().chain(later).map(|name| canonical(book, name)).collect()
}

/// Whether enough people could vote for the request ever to be approved.
pub fn can_be_approved(rule: &ApprovalRule, book: &Book) -> bool {
    everybody(rule, book).len() >= rule.need.max(1) as usize
}

#[cfg(test)]
mod tests;
