//! Parameters in SQL text: where `:name` may stand for one.

/// A `:name` in SQL, outside of strings, quoted identifiers and comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Named<'a> {
    /// Without the colon.
    pub name: &'a str,
    /// Byte offset of the colon.
    pub offset: usize,
    /// Whether nothing else could be meant. Trino has a colon in `'key' : value` and in `varchar::chr(65)`, too.
    pub certain: bool,
}

/// Every `:name` in `sql`, in order. This is no lexer: what is unclear is left to the parser of the statement.
pub(in crate::core) fn named(sql: &str) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    // The last character that is neither blank nor comment: a value cannot follow a string or a closing bracket.
    let mut before = None;
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '-' if rest.starts_with("--") => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            ':' => {
                let name = word(rest.get(1..).unwrap_or(""));
                // Directly after a word, `:` belongs to it.
                let adjacent = sql.get(..at).and_then(|text| text.chars().next_back()).is_some_and(|c| c == ':' || is_word(c));
                if !name.is_empty() && !adjacent {
                    let certain = !matches!(before, Some('\'' | '"' | '`' | ')' | ']' | ':'));
                    found.push(Named { name, offset: at, certain });
                }
                1 + if adjacent { 0 } else { name.len() }
            }
            _ => first.len_utf8(),
        };
        let skipped = first.is_whitespace() || (first == '-' && length > 1) || (first == '/' && length > 1);
        if !skipped {
            before = Some(first);
        }
        at += length.max(1);
    }
    found
}

/// The length of a quoted text; a doubled quote does not end it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    rest.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> &str {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return "";
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_where_they_can_stand() {
        for (sql, names) in [
            ("WHERE day = :day AND s IN :statuses", vec!["day", "statuses"]),
            ("WHERE (:a)+:b*-:c", vec!["a", "b", "c"]),
            ("':no' \":no\" -- :no\n/* :no */ :yes", vec!["yes"]),
            ("'it''s :no' :yes", vec!["yes"]),
            ("varchar::chr(65)", vec![]),
            ("a:b", vec![]),
            ("JSON_OBJECT('k' : v)", vec![]),
            (":1 : x", vec![]),
            ("'unclosed :no", vec![]),
        ] {
            let found: Vec<_> = named(sql).into_iter().map(|named| named.name).collect();
            assert_eq!(found, names, "{sql}");
        }
        assert!(named("x = :a").iter().all(|named| named.certain));
        assert!(!named("JSON_OBJECT('k' :v)").iter().any(|named| named.certain));
        assert!(named("x = --\n :a").iter().all(|named| named.certain));
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(sql in "(:|'|\"|--|/\\*|\\*/|\n|a|_|é|\\)| ){0,30}") {
            for named in named(&sql) {
                proptest::prop_assert_eq!(&sql[named.offset..=named.offset], ":");
            }
        }
    }
}
