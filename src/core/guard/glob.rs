//! Names with `*` and `?`, compared without case, part by part: `*` never crosses a dot.

/// Whether `pattern` matches a name given as its parts: `*.*.ssn` matches `["shop", "customers", "ssn"]`.
pub(crate) fn matches_parts<'a>(pattern: &str, parts: impl ExactSizeIterator<Item = &'a str>) -> bool {
    pattern.split('.').count() == parts.len() && pattern.split('.').zip(parts).all(|(pattern, part)| matches_part(pattern, part))
}

/// Whether one part matches.
pub(crate) fn matches_part(pattern: &str, text: &str) -> bool {
    let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (pattern, text) = (fold(pattern), fold(text));
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_their_part() {
        let cases = [
            ("*.*.ssn", "shop.customers.ssn", true),
            ("*.*.ssn", "shop.customers.profile.ssn", false),
            ("shop.*.e?ail", "SHOP.customers.Email", true),
            ("*.*.*phone*", "a.b.home_phone_2", true),
            ("*.*.*phone*", "a.b.phon", false),
            ("shop", "shop.customers", false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, wanted) in cases {
            let parts: Vec<&str> = name.split('.').collect();
            assert_eq!(matches_parts(pattern, parts.into_iter()), wanted, "{pattern} {name}");
        }
    }
}
