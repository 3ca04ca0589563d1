//! The `Expression` of GetPartitions: a condition on partition keys, in the part of SQL that Glue's API reference names
//! (`=`, `<>`, `<`, `<=`, `>`, `>=`, `LIKE`, `IN`, `BETWEEN`, `AND`, `OR`, `NOT`, parentheses).
//!
//! The sandbox's keys are strings, so every value is text in quotes; whatever else is written is refused, as Glue refuses what it
//! does not know.

/// A condition on the values of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Key by index, comparison, value.
    Compare(usize, Comparison, String),
    In(usize, Vec<String>),
    Like(usize, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How deep conditions may nest.
const DEPTH: u32 = 64;

impl Condition {
    /// Reads an expression over keys of these names.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, keys: &[&str]) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, keys, depth: 0 };
        let condition = parser.any()?;
        match parser.next() {
            None => Ok(condition),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    /// Whether a partition with these values, one a key, satisfies it.
    pub(super) fn holds(&self, values: &[&str]) -> bool {
        let value = |key: &usize| values.get(*key).copied().unwrap_or_default();
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(values)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(values)),
            Self::Not(part) => !part.holds(values),
            Self::Compare(key, comparison, with) => {
                let order = value(key).cmp(with.as_str());
                match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                }
            }
            Self::In(key, list) => list.iter().any(|one| one == value(key)),
            Self::Like(key, pattern) => like(pattern, value(key)),
        }
    }
}

/// `%` is any text, `_` any one character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Row by row: whether the first characters of the pattern match the first of the text.
    let mut row: Vec<bool> = vec![false; text.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut reached = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let here = row.get(index).copied().unwrap_or(false);
            let before = index.checked_sub(1).and_then(|b| Some((row.get(b).copied()?, *text.get(b)?)));
            reached |= here;
            *slot = match part {
                '%' => reached,
                '_' => before.is_some_and(|(matched, _)| matched),
                c => before.is_some_and(|(matched, found)| matched && found == c),
            };
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if let Some(sign) =
            ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","].into_iter().find(|sign| rest.starts_with(sign))
        {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if c == '\'' || c == '"' || c == '`' {
            let (body, after) = quoted(&rest[1..], c).ok_or("a quote is not closed")?;
            tokens.push(if c == '\'' { Token::Text(body) } else { Token::Word(body) });
            rest = after;
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            return Err(format!("unexpected character {c:?}"));
        }
    }
    Ok(tokens)
}

/// What stands before the closing quote, doubled quotes undoubled; and what follows it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut body = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(quote)?;
        body.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                body.push(quote);
                rest = more;
            }
            None => return Some((body, after)),
        }
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    keys: &'a [&'a str],
    depth: u32,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Takes a keyword, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.all()?];
        while self.word("OR") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.word("AND") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deeply".to_owned());
        }
        let condition = if self.word("NOT") {
            Condition::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let inner = self.any()?;
            if !self.sign(")") {
                return Err("a parenthesis is not closed".to_owned());
            }
            inner
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn predicate(&mut self) -> Result<Condition, String> {
        let key = match self.next() {
            Some(Token::Word(name)) => {
                let index = self.keys.iter().position(|key| key.eq_ignore_ascii_case(&name));
                index.ok_or_else(|| format!("{name} is not a partition key"))?
            }
            other => return Err(format!("a partition key was expected, not {other:?}")),
        };
        let negated = self.word("NOT");
        let condition = if self.word("IN") {
            Condition::In(key, self.list()?)
        } else if self.word("LIKE") {
            Condition::Like(key, self.text()?)
        } else if self.word("BETWEEN") {
            let least = Condition::Compare(key, Comparison::GreaterOrEqual, self.text()?);
            if !self.word("AND") {
                return Err("BETWEEN without AND".to_owned());
            }
            Condition::All(vec![least, Condition::Compare(key, Comparison::LessOrEqual, self.text()?)])
        } else {
            let comparison = match self.next() {
                Some(Token::Sign("=")) if !negated => Comparison::Equal,
                Some(Token::Sign("<>" | "!=")) if !negated => Comparison::NotEqual,
                Some(Token::Sign("<")) if !negated => Comparison::Less,
                Some(Token::Sign("<=")) if !negated => Comparison::LessOrEqual,
                Some(Token::Sign(">")) if !negated => Comparison::Greater,
                Some(Token::Sign(">=")) if !negated => Comparison::GreaterOrEqual,
                other => return Err(format!("a comparison was expected, not {other:?}")),
            };
            Condition::Compare(key, comparison, self.text()?)
        };
        Ok(if negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.sign("(") {
            return Err("IN without a list".to_owned());
        }
        let mut list = vec![self.text()?];
        while self.sign(",") {
            list.push(self.text()?);
        }
        if self.sign(")") { Ok(list) } else { Err("the list of IN is not closed".to_owned()) }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            other => Err(format!("text in quotes was expected, not {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_as_in_sql() {
        for (text, day, region, holds) in [
            ("day = '2026/11/20'", "2026/11/20", "eu", true),
            ("day='2026/11/20' and region <> 'eu'", "2026/11/20", "eu", false),
            ("day >= '2026/11/01' AND day < '2026/12/01'", "2026/11/20", "eu", true),
            ("day BETWEEN '2026/11/20' AND '2026/11/20'", "2026/11/20", "eu", true),
            ("day NOT BETWEEN '2026/11/20' AND '2026/11/21'", "2026/11/20", "eu", false),
            ("REGION IN ('us', 'eu')", "x", "eu", true),
            ("region not in ('us')", "x", "us", false),
            ("NOT (region = 'eu' OR region = 'us')", "x", "ap", true),
            ("region = 'us' OR region = 'eu' AND day = 'y'", "x", "us", true),
            ("day LIKE '2026/__/2%'", "2026/11/20", "", true),
            ("day LIKE '2026/__/2'", "2026/11/20", "", false),
            ("day LIKE '%'", "", "", true),
            ("\"day\" != 'it''s'", "it's", "", false),
            ("`day` <= 'b'", "b", "", true),
        ] {
            let condition = Condition::parse(text, &["day", "region"]).unwrap();
            assert_eq!(condition.holds(&[day, region]), holds, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let deep = format!("{}day = 'x'{}", "(".repeat(200), ")".repeat(200));
        for text in [
            "",
            "day",
            "day = 5",
            "day = x",
            "hour = '1'",
            "day = 'x",
            "day = 'x' AND",
            "day = 'x')",
            "(day = 'x'",
            "day IN ()",
            "day IN ('a'",
            "day BETWEEN 'a'",
            "day NOT = 'a'",
            "day = 'a'; x",
            "upper(day) = 'A'",
            deep.as_str(),
        ] {
            assert!(Condition::parse(text, &["day"]).is_err(), "{text}");
        }
    }
}
