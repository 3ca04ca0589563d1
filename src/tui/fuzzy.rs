//! Fuzzy matching: the letters of the pattern, in order, anywhere in the text.

/// How well `pattern` matches `text` (higher is better), and which characters matched; `None` when it does not. Case does not
/// count. An empty pattern matches everything alike.
pub fn score(pattern: &str, text: &str) -> Option<(i32, Vec<usize>)> {
    let folded: Vec<char> = text.chars().map(fold).collect();
    let wanted: Vec<char> = pattern.chars().filter(|c| !c.is_whitespace()).map(fold).collect();
    let hits = earliest(&wanted, &folded)?;
    let hits = tightened(&wanted, &folded, hits);
    let mut score = 0;
    let mut before: Option<usize> = None;
    for hit in &hits {
        let starts_word = hit.checked_sub(1).and_then(|at| folded.get(at)).is_none_or(|c| !c.is_alphanumeric());
        score += match before {
            Some(last) if last + 1 == *hit => 8,
            Some(last) => -i32::try_from((hit - last).min(8)).unwrap_or(8),
            None => -i32::try_from((*hit).min(8)).unwrap_or(8),
        };
        score += if starts_word { 10 } else { 0 };
        before = Some(*hit);
    }
    // Of two texts that match alike the shorter is meant.
    score -= i32::try_from(folded.len() / 16).unwrap_or(i32::MAX / 2).min(20);
    Some((score, hits))
}

fn fold(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn earliest(wanted: &[char], text: &[char]) -> Option<Vec<usize>> {
    let mut at = 0;
    wanted
        .iter()
        .map(|c| {
            let found = text.get(at..)?.iter().position(|other| other == c)? + at;
            at = found + 1;
            Some(found)
        })
        .collect()
}

/// From the last hit backwards every letter moves as far right as it can: hits come to stand together.
fn tightened(wanted: &[char], text: &[char], mut hits: Vec<usize>) -> Vec<usize> {
    let Some(mut end) = hits.last().map(|last| last + 1) else { return hits };
    for (hit, c) in hits.iter_mut().zip(wanted).rev() {
        if let Some(found) = text.get(..end).and_then(|head| head.iter().rposition(|other| other == c)) {
            *hit = found;
            end = found;
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(pattern: &str, texts: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<_> = texts.iter().filter_map(|text| Some((score(pattern, text)?.0, *text))).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn finds_in_order() {
        let texts = ["checkout-errors", "slow-endpoints", "noisy-client", "access-key"];
        assert_eq!(best("chk", &texts), ["checkout-errors"]);
        assert_eq!(best("ce", &texts), ["checkout-errors", "access-key", "noisy-client"]);
        assert_eq!(best("xyz", &texts), Vec::<&str>::new());
        assert_eq!(best("", &texts).len(), 4);
        assert_eq!(best("KEY", &texts), ["access-key"]);
        assert_eq!(score("out", "checkout").unwrap().1, [5, 6, 7]);
    }

    proptest::proptest! {
        #[test]
        fn hits_are_the_letters(pattern in "[a-c]{0,4}", text in "[a-d]{0,12}") {
            if let Some((_, hits)) = score(&pattern, &text) {
                let chars: Vec<char> = text.chars().collect();
                let spelled: String = hits.iter().map(|at| chars[*at]).collect();
                proptest::prop_assert_eq!(spelled, pattern);
                proptest::prop_assert!(hits.is_sorted());
            }
        }
    }
}
