//! Whose vote counts: groups, identities, and the rule that a requester never does.

use crate::core::book::Book;
use crate::core::plan::{ApprovalRule, Person};

/// Why somebody may not vote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVote {
    /// The requester, by name, alias, uid or ARN.
    #[error("{0} asked for it, and nobody approves their own request")]
    Requester(String),
    /// Not in any group that may vote now.
    #[error("{name} is not one of {}", groups(.from))]
    NotReviewer {
        /// Who.
        name: String,
        /// The groups that may.
        from: Vec<String>,
    },
}

/// Whether `voter` may vote on what `requester` asked, with `escalated` levels open. The names were resolved when the plan was
/// made; `book` brings the identities that count as one person. In the sandbox people share one uid and one key, so there only
/// names count.
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
    let levels = rule.escalation.iter().take(escalated as usize);
    let mut named = rule.reviewers.iter().chain(levels.clone().flat_map(|level| level.reviewers.iter()));
    if named.any(|reviewer| same_name(book, reviewer, &voter.name)) {
        return Ok(());
    }
    let from = rule.from.iter().chain(levels.flat_map(|level| level.to.iter())).cloned().collect();
    Err(NoVote::NotReviewer { name: voter.name.clone(), from })
}

/// Whether two records are one human being: same name or alias, or (outside the sandbox) same uid or ARN.
pub fn same_person(book: &Book, a: &Person, b: &Person, sandbox: bool) -> bool {
    if same_name(book, &a.name, &b.name) {
        return true;
    }
    if sandbox {
        return false;
    }
    if a.uid == b.uid {
        return true;
    }
    match (&a.arn, &b.arn) {
        (Some(a), Some(b)) => same_name(book, a, b),
        _ => false,
    }
}

fn same_name(book: &Book, a: &str, b: &str) -> bool {
    a == b || canonical(book, a) == canonical(book, b)
}

/// The name under which `identities` lists this alias, or the alias itself.
fn canonical<'a>(book: &'a Book, alias: &'a str) -> &'a str {
    book.identities
        .iter()
        .find(|(name, aliases)| name.as_str() == alias || aliases.iter().any(|other| other == alias))
        .map_or(alias, |(name, _)| name.as_str())
}

fn groups(from: &[String]) -> String {
    if from.is_empty() { "anybody who may vote".to_owned() } else { from.join(", ") }
}
