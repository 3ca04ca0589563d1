//! Filter expressions: DynamoDB's condition grammar with names written plainly (`#` placeholders are put in here), `:name` for
//! declared parameters, and constants (`'LOCKED'`, `3`, `true`), which DynamoDB itself does not have.

use std::fmt::Write as _;

/// The longest expression that DynamoDB takes (4 KB, its quotas).
const MOST_BYTES: usize = 4096;
/// The most nesting of parentheses and NOT.
const DEPTH: u32 = 32;

/// A filter, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The expression with `#n0` for names and `:v0` for values.
    pub expression: String,
    /// Names by placeholder, in order: `#n0` is the first.
    pub names: Vec<String>,
    /// Values by placeholder, in order: `:v0` is the first.
    pub values: Vec<FilterValue>,
    /// Document paths that it looks at, each once.
    pub paths: Vec<FilterPath>,
}

/// A document path: attribute, then the names on the way (list indexes are passed through).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterPath(pub Vec<String>);

/// A value in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterValue {
    /// A declared parameter.
    Param(String),
    /// A text constant.
    Text(String),
    /// A number constant, as written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
}

/// A filter that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong, in plain words.
    pub message: String,
    /// Where, in characters from 1.
    pub column: u32,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Param(String),
    Text(String),
    Number(String),
    Sign(&'static str),
    End,
}

/// Reads a filter expression.
///
/// # Errors
/// What is wrong and where: everything that the grammar does not have.
pub fn parse_filter(text: &str) -> Result<Filter, FilterError> {
    if text.len() > MOST_BYTES {
        return Err(FilterError {
            message: format!("a filter has at most {MOST_BYTES} bytes, this one {}", text.len()),
            column: 1,
        });
    }
    let tokens = tokens(text)?;
    let out = Filter { expression: String::new(), names: Vec::new(), values: Vec::new(), paths: Vec::new() };
    let mut reader = Reader { tokens: &tokens, at: 0, out };
    reader.either(DEPTH)?;
    match reader.peek() {
        Token::End => Ok(reader.out),
        _ => Err(reader.unexpected("AND, OR or the end")),
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, u32)>, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    let run = |from: usize, belongs: &dyn Fn(char) -> bool| -> String {
        chars.iter().skip(from).take_while(|c| belongs(**c)).collect()
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    while let Some(&c) = chars.get(at) {
        let column = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let error = |message: String| FilterError { message, column };
        let (token, length) = match c {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let name = run(at, &word);
                let length = name.len();
                (Token::Word(name), length)
            }
            ':' => {
                let name = run(at + 1, &word);
                if name.is_empty() {
                    return Err(error("`:` is not followed by a name".to_owned()));
                }
                let length = name.len() + 1;
                (Token::Param(name), length)
            }
            c if c.is_ascii_digit() || c == '-' => {
                let number = run(at, &|c| c.is_ascii_digit() || c == '-' || c == '.');
                let digits = number.strip_prefix('-').unwrap_or(&number);
                let parts: Vec<&str> = digits.split('.').collect();
                if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
                    return Err(error(format!("`{number}` is not a number")));
                }
                let length = number.len();
                (Token::Number(number), length)
            }
            '\'' | '"' => {
                let inside = run(at + 1, &|other| other != c);
                let length = inside.chars().count() + 2;
                if chars.get(at + length - 1) != Some(&c) {
                    return Err(error("the text has no closing quote".to_owned()));
                }
                (Token::Text(inside), length)
            }
            _ => {
                let two: String = chars.iter().skip(at).take(2).collect();
                let sign = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]"]
                    .into_iter()
                    .find(|sign| two.starts_with(sign))
                    .ok_or_else(|| {
                        error(format!("`{}` has no meaning in a filter", crate::core::text::visible(&c.to_string())))
                    })?;
                (Token::Sign(sign), sign.len())
            }
        };
        out.push((token, column));
        at += length;
    }
    out.push((Token::End, u32::try_from(chars.len() + 1).unwrap_or(u32::MAX)));
    Ok(out)
}

/// Words that cannot be attribute names here, because they would be ambiguous.
const KEYWORDS: [&str; 5] = ["AND", "OR", "NOT", "BETWEEN", "IN"];

struct Reader<'a> {
    tokens: &'a [(Token, u32)],
    at: usize,
    out: Filter,
}

impl Reader<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Token::Word(name) if name.eq_ignore_ascii_case(word));
        if is {
            self.at += 1;
        }
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(other) if *other == sign);
        if is {
            self.at += 1;
        }
        is
    }

    fn unexpected(&self, wanted: &str) -> FilterError {
        let column = self.tokens.get(self.at).map_or(1, |(_, column)| *column);
        let found = match self.peek() {
            Token::Word(text) | Token::Number(text) => format!("`{text}`"),
            Token::Param(name) => format!("`:{name}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        FilterError { message: format!("{wanted} was expected, not {found}"), column }
    }

    fn need(&mut self, sign: &str) -> Result<(), FilterError> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn put(&mut self, text: &str) {
        self.out.expression.push_str(text);
    }

    fn either(&mut self, depth: u32) -> Result<(), FilterError> {
        self.both(depth)?;
        while self.keyword("OR") {
            self.put(" OR ");
            self.both(depth)?;
        }
        Ok(())
    }

    fn both(&mut self, depth: u32) -> Result<(), FilterError> {
        self.one(depth)?;
        while self.keyword("AND") {
            self.put(" AND ");
            self.one(depth)?;
        }
        Ok(())
    }

    fn one(&mut self, depth: u32) -> Result<(), FilterError> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.unexpected("less nesting"))?;
        if self.keyword("NOT") {
            self.put("NOT ");
            return self.one(depth);
        }
        if self.sign("(") {
            self.put("(");
            self.either(depth)?;
            self.need(")")?;
            self.put(")");
            return Ok(());
        }
        if let Some(function) = self.function(&CONDITIONS) {
            return self.arguments(function);
        }
        self.operand()?;
        for sign in ["<>", "<=", ">=", "=", "<", ">"] {
            if self.sign(sign) {
                self.put(&format!(" {sign} "));
                return self.operand();
            }
        }
        if self.keyword("BETWEEN") {
            self.put(" BETWEEN ");
            self.operand()?;
            if !self.keyword("AND") {
                return Err(self.unexpected("AND"));
            }
            self.put(" AND ");
            return self.operand();
        }
        if self.keyword("IN") {
            self.need("(")?;
            self.put(" IN (");
            self.operand()?;
            while self.sign(",") {
                self.put(", ");
                self.operand()?;
            }
            self.need(")")?;
            self.put(")");
            return Ok(());
        }
        Err(self.unexpected("a comparison"))
    }

    /// The name of a function, if one follows with its parenthesis.
    fn function(&mut self, among: &[(&'static str, usize)]) -> Option<(&'static str, usize)> {
        let Token::Word(name) = self.peek() else { return None };
        let found = among.iter().find(|(function, _)| function == name).copied()?;
        if !matches!(self.tokens.get(self.at + 1), Some((Token::Sign("("), _))) {
            return None;
        }
        self.at += 2;
        Some(found)
    }

    fn arguments(&mut self, (name, count): (&'static str, usize)) -> Result<(), FilterError> {
        self.put(name);
        self.put("(");
        self.path()?;
        for _ in 1..count {
            self.need(",")?;
            self.put(", ");
            self.operand()?;
        }
        self.need(")")?;
        self.put(")");
        Ok(())
    }

    fn operand(&mut self) -> Result<(), FilterError> {
        let value = match self.peek() {
            Token::Param(name) => FilterValue::Param(name.clone()),
            Token::Text(text) => FilterValue::Text(text.clone()),
            Token::Number(number) => FilterValue::Number(number.clone()),
            Token::Word(word) if word == "true" || word == "false" => FilterValue::Bool(word == "true"),
            Token::Word(_) => {
                return match self.function(&[("size", 1)]) {
                    Some(function) => self.arguments(function),
                    None => self.path(),
                };
            }
            _ => return Err(self.unexpected("an attribute or a value")),
        };
        self.at += 1;
        let index = self.out.values.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.out.values.push(value);
            self.out.values.len() - 1
        });
        let _ = write!(self.out.expression, ":v{index}");
        Ok(())
    }

    fn name(&mut self) -> Result<String, FilterError> {
        let Token::Word(name) = self.peek() else { return Err(self.unexpected("an attribute")) };
        if KEYWORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            return Err(self.unexpected("an attribute"));
        }
        let name = name.clone();
        self.at += 1;
        let index = self.out.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.out.names.push(name.clone());
            self.out.names.len() - 1
        });
        let _ = write!(self.out.expression, "#n{index}");
        Ok(name)
    }

    fn path(&mut self) -> Result<(), FilterError> {
        let mut parts = vec![self.name()?];
        loop {
            if self.sign(".") {
                self.put(".");
                parts.push(self.name()?);
            } else if self.sign("[") {
                let Token::Number(index) = self.peek().clone() else { return Err(self.unexpected("a list index")) };
                if !index.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(self.unexpected("a list index"));
                }
                self.at += 1;
                self.need("]")?;
                self.put(&format!("[{index}]"));
            } else {
                break;
            }
        }
        let path = FilterPath(parts);
        if !self.out.paths.contains(&path) {
            self.out.paths.push(path);
        }
        Ok(())
    }
}

/// Functions that are conditions, with their number of arguments.
const CONDITIONS: [(&str, usize); 5] =
    [("attribute_exists", 1), ("attribute_not_exists", 1), ("attribute_type", 2), ("begins_with", 2), ("contains", 2)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_apart() {
        let cases = [
            ("state = :state", "#n0 = :v0", vec!["state"]),
            ("state = 'LOCKED' AND size(items) > 3", "#n0 = :v0 AND size(#n1) > :v1", vec!["state", "items"]),
            (
                "NOT (a.b[0].c <> :x OR begins_with(name, :x))",
                "NOT (#n0.#n1[0].#n2 <> :v0 OR begins_with(#n3, :v0))",
                vec!["a.b.c", "name"],
            ),
            ("t BETWEEN 1 AND -2.5 and ok = true", "#n0 BETWEEN :v0 AND :v1 AND #n1 = :v2", vec!["t", "ok"]),
            ("attribute_exists(size) AND s IN (:a, :b)", "attribute_exists(#n0) AND #n1 IN (:v0, :v1)", vec!["size", "s"]),
        ];
        for (text, expression, paths) in cases {
            let filter = parse_filter(text).unwrap();
            assert_eq!(filter.expression, expression, "{text}");
            assert_eq!(filter.paths.iter().map(|p| p.0.join(".")).collect::<Vec<_>>(), paths, "{text}");
        }
    }

    #[test]
    fn what_the_grammar_lacks_is_refused() {
        let deep = "(".repeat(100) + "a = :b" + &")".repeat(100);
        for (text, column) in [
            ("", 1),
            ("a", 2),
            ("a = ", 5),
            ("a = :b extra", 8),
            ("a = 'x", 5),
            ("#a = :b", 1),
            ("a = :b; DROP", 7),
            ("a[:b] = :c", 3),
            ("AND = :b", 1),
            ("contains(a)", 11),
            ("a = 1.2.3", 5),
            ("a IN ()", 7),
            (deep.as_str(), 33),
        ] {
            assert_eq!(parse_filter(text).map(|_| ()).map_err(|e| e.column), Err(column), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_filter_panics_and_no_name_is_lost(text in "[a-c:.'()=<>0-9 \\[\\]]{0,40}|.{0,40}") {
            if let Ok(filter) = parse_filter(&text) {
                for path in &filter.paths {
                    for name in &path.0 {
                        proptest::prop_assert!(filter.names.contains(name) && text.contains(name.as_str()));
                    }
                }
                proptest::prop_assert!(!filter.expression.contains('\''));
            }
        }
    }
}
