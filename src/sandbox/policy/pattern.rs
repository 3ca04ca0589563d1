//! Texts with `*` and `?`, as actions, resources and StringLike have them.

/// A pattern: `*` stands for any run of characters, `?` for one. `${*}`, `${?}` and `${$}` are those characters themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    One,
    Many,
}

impl Pattern {
    /// Reads a pattern. With `variables` (policy version 2012-10-17) `${…}` is an escape.
    ///
    /// # Errors
    /// The name of a policy variable, which the sandbox does not know.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        for (part, wild) in unescape(text, variables)? {
            parts.push(match part {
                '*' if wild => Part::Many,
                '?' if wild => Part::One,
                c => Part::Char(c),
            });
        }
        Ok(Self { parts })
    }

    /// Whether the whole text matches, with case.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        wildcard(&self.parts, &text)
    }

    /// Whether the whole text matches, ASCII case apart, as actions compare.
    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().map(|c| c.to_ascii_lowercase()).collect();
        let parts: Vec<Part> = self
            .parts
            .iter()
            .map(|part| if let Part::Char(c) = part { Part::Char(c.to_ascii_lowercase()) } else { *part })
            .collect();
        wildcard(&parts, &text)
    }

    /// Whether an ARN matches: segment by segment, so that a `*` in one segment never swallows the next (IAM, "Using wildcards
    /// in resource ARNs"). A lone `*` matches everything.
    pub(super) fn matches_arn(&self, arn: &str) -> bool {
        if self.is_everything() {
            return true;
        }
        let text: Vec<char> = arn.chars().collect();
        let texts: Vec<&[char]> = text.splitn(6, |c| *c == ':').collect();
        let patterns: Vec<&[Part]> = self.segments();
        patterns.len() == texts.len() && patterns.iter().zip(texts).all(|(pattern, text)| wildcard(pattern, text))
    }

    /// Whether this is a lone `*`.
    pub(super) fn is_everything(&self) -> bool {
        self.parts == [Part::Many]
    }

    /// Whether this is `*` or has the six segments of an ARN, the first three without wildcards.
    pub(super) fn is_arn(&self) -> bool {
        let segments = self.segments();
        let literal = |segment: &[Part]| segment.iter().all(|part| matches!(part, Part::Char(_)));
        self.is_everything() || (segments.len() == 6 && segments.iter().take(3).all(|s| literal(s)) && self.matches_scheme())
    }

    fn matches_scheme(&self) -> bool {
        self.parts.iter().take(4).eq([Part::Char('a'), Part::Char('r'), Part::Char('n'), Part::Char(':')].iter())
    }

    fn segments(&self) -> Vec<&[Part]> {
        self.parts.splitn(6, |part| *part == Part::Char(':')).collect()
    }
}

/// A text without wildcards (StringEquals) with its escapes resolved.
///
/// # Errors
/// The name of a policy variable, which the sandbox does not know.
pub(super) fn plain(text: &str, variables: bool) -> Result<String, String> {
    Ok(unescape(text, variables)?.into_iter().map(|(c, _)| c).collect())
}

/// The characters with whether each may be a wildcard.
fn unescape(text: &str, variables: bool) -> Result<Vec<(char, bool)>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables && rest.starts_with("${") {
            let name = rest.get(2..).and_then(|tail| tail.split_once('}')).map(|(name, _)| name);
            let escaped = match name {
                Some("*") => '*',
                Some("?") => '?',
                Some("$") => '$',
                Some(name) => return Err(format!("policy variable ${{{name}}}")),
                None => return Err("unclosed `${`".to_owned()),
            };
            out.push((escaped, false));
            rest = rest.get(4..).unwrap_or_default();
        } else {
            out.push((c, true));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(out)
}

/// Greedy matching with one point to return to: linear in practice, never worse than pattern × text.
fn wildcard(pattern: &[Part], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Part::Many) => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(Part::One) => {
                p += 1;
                t += 1;
            }
            Some(Part::Char(c)) if text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = back else { return false };
                back = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|part| *part == Part::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, want) in [
            ("*", "", true),
            ("*", "anything:at/all", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbcd", false),
            ("a*b*c", "axbxbxc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("glue:GetPartition*", "glue:GetPartitions", true),
            ("glue:GetPartition*", "glue:BatchGetPartition", false),
            ("", "", true),
            ("", "a", false),
            ("é?", "éü", true),
            ("${*}", "*", true),
            ("${*}", "x", false),
            ("a${?}b", "a?b", true),
            ("a${?}b", "axb", false),
            ("${$}{x}", "${x}", true),
        ] {
            assert_eq!(Pattern::parse(pattern, true).unwrap().matches(text), want, "{pattern} / {text}");
        }
    }

    #[test]
    fn a_star_stays_in_its_segment() {
        for (pattern, arn, want) in [
            ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", true),
            ("arn:aws:glue:*:1:table/web/*", "arn:aws:glue:eu-central-1:1:table/web/alb", true),
            ("arn:aws:glue:*:1:table/web/*", "arn:aws:glue:eu-central-1:2:x:1:table/web/alb", false),
            ("arn:aws:athena:*:*:workgroup/*", "arn:aws:athena:r:1:datacatalog/x", false),
            ("*", "arn:aws:s3:::bucket", true),
        ] {
            assert_eq!(Pattern::parse(pattern, true).unwrap().matches_arn(arn), want, "{pattern} / {arn}");
        }
    }

    #[test]
    fn variables_are_not_known() {
        assert!(Pattern::parse("arn:aws:s3:::b/${aws:username}/*", true).unwrap_err().contains("aws:username"));
        assert!(Pattern::parse("a${", true).is_err());
        assert!(Pattern::parse("a${aws:username}", false).unwrap().matches("a${aws:username}"));
    }
}
