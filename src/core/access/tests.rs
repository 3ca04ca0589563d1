use proptest::prelude::*;

use super::*;
use crate::core::book::read_book;

const YAML: &[u8] = b"tollgate: v1
name: x
groups:
  oncall: [ana, max]
  leads: [lea, max]
  managers: [ida]
identities:
  ana: ['arn:aws:iam::123456789012:user/ana', ana@shop.example]
  lea: ['arn:aws:iam::123456789012:user/lea']
approvals:
  need: 1
  from: [leads]
  escalate: [{ after: 5m, to: [managers] }, { after: 10m, to: [oncall] }]
";

fn book() -> Book {
    read_book("tollgate.yaml", YAML).whole().unwrap()
}

fn person(name: &str, uid: u32, arn: Option<&str>) -> Person {
    Person { name: name.to_owned(), uid, arn: arn.map(str::to_owned) }
}

fn leads(need: u32, requester: &Person) -> ApprovalRule {
    rule(&book(), need, &["leads".into()], requester, false)
}

const ANA: &str = "arn:aws:iam::123456789012:user/ana";
const LEA: &str = "arn:aws:iam::123456789012:user/lea";

#[test]
fn a_requester_never_counts() {
    let book = book();
    for (requester, voter, sandbox) in [
        (person("max", 1, None), person("max", 2, None), false),
        (person("max", 1, None), person("max", 1, None), true),
        // Another name of the same person.
        (person("ana", 1, None), person("ana@shop.example", 2, None), false),
        (person(ANA, 1, Some(ANA)), person("ana", 2, None), true),
        // The same account on the host, the same principal at AWS.
        (person("ana", 1, None), person("max", 1, None), false),
        (person("ana", 1, Some("arn:x")), person("max", 2, Some("arn:x")), false),
        // A principal that the book knows as the requester's.
        (person("ana", 1, None), person("max", 2, Some(ANA)), false),
        (person("bo", 1, Some(LEA)), person("lea", 2, None), false),
    ] {
        let rule = rule(&book, 1, &["leads".into(), "oncall".into()], &requester, sandbox);
        let answer = may_vote(&rule, &book, &requester, &voter, 2, sandbox);
        assert!(matches!(answer, Err(NoVote::Requester(_))), "{requester:?} {voter:?}: {answer:?}");
    }
    // In the sandbox one account plays everybody.
    let (ana, lea) = (person("ana", 1, Some("arn:x")), person("lea", 1, Some("arn:x")));
    assert_eq!(may_vote(&leads(1, &ana), &book, &ana, &lea, 0, true), Ok(()));
}

#[test]
fn open_levels_may_vote() {
    let (book, bo) = (book(), person("bo", 1, None));
    let rule = leads(1, &bo);
    let ida = person("ida", 2, None);
    for (open, ida_may) in [(0, false), (1, true), (2, true), (9, true)] {
        assert_eq!(may_vote(&rule, &book, &bo, &ida, open, false).is_ok(), ida_may, "{open}");
    }
    let refused = may_vote(&rule, &book, &bo, &ida, 0, false).unwrap_err();
    assert_eq!(refused.to_string(), "ida is not one of leads");
}

#[test]
fn an_arn_alone_makes_no_reviewer() {
    let (book, bo) = (book(), person("bo", 1, None));
    let shared = person("stranger", 2, Some(LEA));
    assert!(may_vote(&leads(1, &bo), &book, &bo, &shared, 0, false).is_err());
    let known = person(LEA, 2, Some(LEA));
    assert!(may_vote(&leads(1, &bo), &book, &bo, &known, 0, false).is_ok());
}

#[test]
fn two_names_are_one_vote() {
    let (book, bo) = (book(), person("bo", 1, None));
    let (lea, other, max) = (person("lea", 2, None), person(LEA, 3, None), person("max", 4, None));
    let rule = leads(2, &bo);
    let votes = [(&lea, true), (&other, true)];
    assert_eq!(standing(&rule, &book, &bo, votes, 0, false), Standing::Open { have: 1, need: 2 });
    let votes = [(&lea, true), (&other, true), (&max, true)];
    assert_eq!(standing(&rule, &book, &bo, votes, 0, false), Standing::Approved(vec!["lea".into(), "max".into()]));
    let votes = [(&lea, true), (&max, false)];
    assert_eq!(standing(&rule, &book, &bo, votes, 0, false), Standing::Denied("max".into()));
}

#[test]
fn who_could_ever_vote() {
    let book = book();
    let max = person("max", 1, None);
    let rule = leads(2, &max);
    assert_eq!(everybody(&rule, &book).into_iter().collect::<Vec<_>>(), ["ana", "ida", "lea"]);
    assert!(can_be_approved(&rule, &book));
    assert!(!can_be_approved(&leads(4, &max), &book));
}

fn anybody() -> impl Strategy<Value = Person> {
    let names = prop::sample::select(vec!["ana", "max", "lea", "ida", "bo", ANA, LEA, "ana@shop.example"]);
    let arns = prop::sample::select(vec![None, Some(ANA), Some(LEA), Some("arn:other")]);
    (names, 0..4_u32, arns).prop_map(|(name, uid, arn)| person(name, uid, arn))
}

proptest! {
    /// Whatever votes are cast: an approval has as many distinct people as are needed, each a reviewer, none the requester.
    #[test]
    fn approvals_are_real(
        requester in anybody(),
        votes in prop::collection::vec((anybody(), any::<bool>()), 0..8),
        need in 1..4_u32,
        escalated in 0..4_u32,
        sandbox in any::<bool>(),
    ) {
        let book = book();
        let rule = rule(&book, need, &["leads".into()], &requester, sandbox);
        let cast = votes.iter().map(|(person, approves)| (person, *approves));
        match standing(&rule, &book, &requester, cast, escalated, sandbox) {
            Standing::Approved(by) => {
                prop_assert_eq!(by.len(), need as usize);
                let people: Vec<&Person> = by
                    .iter()
                    .filter_map(|name| votes.iter().find(|(person, yes)| *yes && person.name == *name).map(|(person, _)| person))
                    .collect();
                for (at, person) in people.iter().enumerate() {
                    let name = canonical(&book, &person.name);
                    prop_assert!(name != canonical(&book, &requester.name));
                    prop_assert!(["lea", "max", "ida", "ana"].contains(&name));
                    let others = people.iter().take(at).map(|other| canonical(&book, &other.name));
                    prop_assert!(others.clone().all(|other| other != name));
                }
            }
            Standing::Denied(by) => {
                prop_assert!(votes.iter().any(|(person, yes)| !yes && person.name == by));
            }
            Standing::Open { have, need: wanted } => prop_assert!(have < wanted),
        }
    }

    /// Being one person does not depend on the order of asking.
    #[test]
    fn sameness_is_symmetric(a in anybody(), b in anybody(), sandbox in any::<bool>()) {
        prop_assert_eq!(same_person(&book(), &a, &b, sandbox), same_person(&book(), &b, &a, sandbox));
        prop_assert!(same_person(&book(), &a, &a, sandbox));
    }

    /// More open levels never take a vote away.
    #[test]
    fn escalation_only_adds(requester in anybody(), voter in anybody(), level in 0..3_u32, sandbox in any::<bool>()) {
        let book = book();
        let rule = rule(&book, 1, &["leads".into()], &requester, sandbox);
        if may_vote(&rule, &book, &requester, &voter, level, sandbox).is_ok() {
            prop_assert!(may_vote(&rule, &book, &requester, &voter, level + 1, sandbox).is_ok());
        }
    }
}
