//! Which attributes an expression names: enough of DynamoDB's expression language for `dynamodb:Attributes` and
//! `dynamodb:LeadingKeys`. Whatever looks unfamiliar is an error, and so a denial.

use serde_json::{Map, Value};

/// What an expression is for: it decides which words are not attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// ProjectionExpression.
    Projection,
    /// KeyConditionExpression, FilterExpression, ConditionExpression.
    Condition,
    /// UpdateExpression.
    Update,
}

impl Kind {
    fn symbols(self) -> &'static str {
        match self {
            Self::Projection => ",",
            Self::Condition => "(),=<>",
            Self::Update => "(),=+-",
        }
    }

    fn keywords(self) -> &'static [&'static str] {
        match self {
            Self::Projection => &[],
            Self::Condition => &["AND", "OR", "NOT", "BETWEEN", "IN"],
            Self::Update => &["SET", "REMOVE", "ADD", "DELETE"],
        }
    }
}

const FUNCTIONS: [&str; 8] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// An attribute: the first name of a path, with its placeholder resolved.
    Attribute(String),
    /// `:value`.
    Value(String),
    Function,
    Keyword,
    Symbol(char),
}

/// The top-level attributes that `text` names, in order, possibly more than once.
///
/// # Errors
/// What was not understood.
pub(super) fn attributes(kind: Kind, text: &str, names: &Map<String, Value>) -> Result<Vec<String>, String> {
    let tokens = tokens(kind, text, names)?;
    Ok(tokens.into_iter().filter_map(|token| if let Token::Attribute(name) = token { Some(name) } else { None }).collect())
}

/// The placeholder of the value that a key condition says `key` equals; `None` where it says anything else about it.
///
/// # Errors
/// What was not understood.
pub(super) fn equal_value(text: &str, key: &str, names: &Map<String, Value>) -> Result<Option<String>, String> {
    let tokens = tokens(Kind::Condition, text, names)?;
    let is_key = |token: &Token| matches!(token, Token::Attribute(name) if name == key);
    if tokens.iter().filter(|token| is_key(token)).count() != 1 {
        return Ok(None);
    }
    Ok(tokens.windows(3).find_map(|window| match window {
        [attribute, Token::Symbol('='), Token::Value(value)] if is_key(attribute) => Some(value.clone()),
        _ => None,
    }))
}

fn tokens(kind: Kind, text: &str, names: &Map<String, Value>) -> Result<Vec<Token>, String> {
    let mut scanner = Scanner { rest: text };
    let mut tokens = Vec::new();
    while let Some(c) = scanner.peek() {
        let token = match c {
            ' ' | '\t' | '\n' | '\r' => {
                scanner.skip(c);
                continue;
            }
            ':' => {
                scanner.skip(c);
                Token::Value(format!(":{}", scanner.word()?))
            }
            '#' => Token::Attribute(scanner.path(names)?),
            c if kind.symbols().contains(c) => {
                scanner.skip(c);
                Token::Symbol(c)
            }
            c if is_word_start(c) => scanner.named(kind, names)?,
            c => return Err(format!("the character {c:?} in an expression")),
        };
        tokens.push(token);
    }
    Ok(tokens)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    fn word(&mut self) -> Result<String, String> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err("an expression with an empty name".to_owned());
        }
        self.rest = rest;
        Ok(word.to_owned())
    }

    /// A keyword, a function's name, or a path.
    fn named(&mut self, kind: Kind, names: &Map<String, Value>) -> Result<Token, String> {
        let before = self.rest;
        let word = self.word()?;
        if kind.keywords().iter().any(|keyword| keyword.eq_ignore_ascii_case(&word)) {
            return Ok(Token::Keyword);
        }
        if self.rest.trim_start().starts_with('(') {
            let known = FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(&word));
            return if known { Ok(Token::Function) } else { Err(format!("the function {word}")) };
        }
        self.rest = before;
        Ok(Token::Attribute(self.path(names)?))
    }

    /// A document path; its first name.
    fn path(&mut self, names: &Map<String, Value>) -> Result<String, String> {
        let first = self.name(names)?;
        loop {
            match self.peek() {
                Some('.') => {
                    self.skip('.');
                    self.name(names)?;
                }
                Some('[') => {
                    let Some((index, rest)) = self.rest.get(1..).and_then(|tail| tail.split_once(']')) else {
                        return Err("an unclosed index".to_owned());
                    };
                    if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
                        return Err(format!("the index [{index}]"));
                    }
                    self.rest = rest;
                }
                _ => return Ok(first),
            }
        }
    }

    fn name(&mut self, names: &Map<String, Value>) -> Result<String, String> {
        if self.peek() != Some('#') {
            return match self.peek() {
                Some(c) if is_word_start(c) => self.word(),
                _ => Err("an incomplete path".to_owned()),
            };
        }
        self.skip('#');
        let placeholder = format!("#{}", self.word()?);
        let name = names.get(&placeholder).and_then(Value::as_str);
        name.map(str::to_owned).ok_or_else(|| format!("the undefined name {placeholder}"))
    }
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Map<String, Value> {
        serde_json::from_str(r##"{"#s":"state","#d":"a.b","#0":"zero"}"##).unwrap()
    }

    #[test]
    fn attributes_are_found() {
        for (kind, text, want) in [
            (Kind::Projection, "pk, sk,#s , card.number, items[0].price, #d", "pk sk state card items a.b"),
            (Kind::Projection, "#0", "zero"),
            (Kind::Projection, "SET, and", "SET and"),
            (Kind::Condition, "pk = :pk AND begins_with(sk, :p)", "pk sk"),
            (Kind::Condition, "#s IN (:a, :b) or not attribute_exists ( card.number )", "state card"),
            (Kind::Condition, "size(items) >= :n AND a BETWEEN :x AND :y AND b <> c", "items a b c"),
            (
                Kind::Update,
                "SET #s = :s, n = if_not_exists(m, :zero) + :one REMOVE card ADD hits :one DELETE tags :t",
                "state n m card hits tags",
            ),
            (Kind::Update, "SET l = list_append(l, :x), x.#s[3] = :v", "l l x"),
        ] {
            assert_eq!(attributes(kind, text, &names()).map(|found| found.join(" ")).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_unfamiliar_is_an_error() {
        for (kind, text) in [
            (Kind::Projection, "pk, \"card\""),
            (Kind::Projection, "pk.*"),
            (Kind::Projection, "pk, #unknown"),
            (Kind::Projection, "pk, #"),
            (Kind::Projection, "a["),
            (Kind::Projection, "a[x]"),
            (Kind::Projection, "a[]"),
            (Kind::Projection, "a."),
            (Kind::Projection, "9a"),
            (Kind::Projection, "größe"),
            (Kind::Projection, "card-number"),
            (Kind::Projection, "(card)"),
            (Kind::Condition, "card-number = :x"),
            (Kind::Condition, "a + b = :x"),
            (Kind::Condition, "search(card, :x)"),
            (Kind::Condition, "pk = : x"),
            (Kind::Condition, "pk = 'x'"),
            (Kind::Condition, "pk /* c */ = :x"),
        ] {
            assert!(attributes(kind, text, &names()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_partition_key_must_equal_one_value() {
        for (text, want) in [
            ("pk = :v", Some(":v")),
            ("(pk = :v) AND sk > :s", Some(":v")),
            ("sk BETWEEN :a AND :b AND pk=:v", Some(":v")),
            ("pk > :v", None),
            ("pk <= :v", None),
            (":v = pk", None),
            ("pk = :v OR pk = :w", None),
            ("sk = :v", None),
            ("begins_with(pk, :v)", None),
            ("pk = other", None),
        ] {
            assert_eq!(equal_value(text, "pk", &names()).unwrap().as_deref(), want, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_scanner(text in "\\PC{0,80}") {
            for kind in [Kind::Projection, Kind::Condition, Kind::Update] {
                let _ = attributes(kind, &text, &names());
            }
        }
    }
}
