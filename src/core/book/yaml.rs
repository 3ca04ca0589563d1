//! YAML as a tree of nodes that know their places, so that a reader can go on after a problem and report all of them.
//!
//! The parser is serde-saphyr: spans, budgets against alias bombs, no `unsafe`. Serde alone would stop at the first problem.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};

use super::{Place, Problem};
use crate::core::text::visible;

/// Bounds on one file.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Nodes, those that aliases repeat included.
    pub nodes: usize,
    /// Nesting.
    pub depth: usize,
}

impl Limits {
    /// For what people write: `tollgate.yaml` and runbooks (CONTRACTS §1).
    pub(in crate::core) const WRITTEN: Self = Self { bytes: 256 * 1024, nodes: 50_000, depth: 32 };
    /// For catalog snapshots, which list every partition: 64 MiB and five million nodes, about 100,000 partitions of 40 columns.
    pub(in crate::core) const FACTS: Self = Self { bytes: 64 * 1024 * 1024, nodes: 5_000_000, depth: 32 };
}

/// Aliases may repeat at most this many nodes in one file: a few shared lists, never a bomb.
const MAX_REPEATED: usize = 10_000;

/// A node and its place.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::core) struct Node {
    /// What it is.
    pub value: Value,
    /// Where it begins; of an alias, where the alias stands; of a block (`|`), its first line that is not blank.
    pub place: Place,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::core) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the file's order, duplicates included.
    Map(Vec<(Node, Node)>),
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::core) struct Scalar {
    /// Its text: as written where plain, unescaped where quoted.
    pub text: String,
    /// What YAML takes it for.
    pub shape: Shape,
}

/// What YAML takes a scalar for. Quoted ones are always text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Shape {
    /// Text.
    Text,
    /// `true`, `false`.
    Bool,
    /// A whole number, decimal or not.
    Whole,
    /// A number with a point or an exponent.
    Real,
}

impl Node {
    /// For messages: `a list`, `text`, `a number`.
    pub(in crate::core) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Scalar(scalar) => match scalar.shape {
                Shape::Text => "text",
                Shape::Bool => "true or false",
                Shape::Whole | Shape::Real => "a number",
            },
        }
    }

    /// The scalar, if it is one.
    pub(in crate::core) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
}

/// Parses one document.
///
/// # Errors
/// The one problem that kept it from being read: syntax, a limit, or text that is not UTF-8.
pub(in crate::core) fn parse(file: &Arc<str>, bytes: &[u8], limits: Limits) -> Result<Node, Box<Problem>> {
    if bytes.len() > limits.bytes {
        let problem = Problem::of_file(file, format!("the file has {} bytes; {} are read", bytes.len(), limits.bytes));
        return Err(Box::new(problem.with_fix("split it, or move what is not needed elsewhere")));
    }
    let text = utf8(file, bytes)?;
    // A byte order mark is no part of the first line, and offsets below count without it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let budget = serde_saphyr::budget! {
        max_nodes: limits.nodes,
        max_events: limits.nodes.saturating_mul(2),
        max_depth: limits.depth,
        // Above the depth, so that the budget speaks and not the scanner.
        flow_nesting_limit: limits.depth * 2,
        max_documents: 1,
        max_aliases: 1_000,
        max_anchors: 1_000,
        max_merge_keys: 0,
        max_total_scalar_bytes: limits.bytes,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED, max_replay_stack_depth: 8 },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(Spanned { value: Raw::Null, .. }) => {
            let problem = Problem::of_file(file, "the file is empty");
            Err(Box::new(problem.with_fix("begin with `runbook: v1` or `tollgate: v1`")))
        }
        Ok(raw) => Ok(Grounding { file, text }.node(raw)),
        Err(error) => Err(Box::new(refusal(file, text, &error))),
    }
}

fn utf8<'a>(file: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Box<Problem>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let problem = Problem::of_file(file, format!("line {line} is not UTF-8 text"));
        Box::new(problem.with_fix("save the file as UTF-8"))
    })
}

/// What serde sees before the source is consulted.
enum Raw {
    Null,
    Text(String),
    Bool,
    Whole,
    Real,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;

        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a YAML node")
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Bool)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Whole)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Whole)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Real)
            }

            fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Raw, E> {
                Ok(Raw::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Raw::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Raw::Map(entries))
            }
        }

        deserializer.deserialize_any(RawVisitor)
    }
}

/// Turns what serde saw into nodes, with the text of plain scalars as written: `012` stays `012`.
struct Grounding<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Grounding<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let written = self.written(&raw.defined);
        let place = place(self.file, self.text, &raw.referenced);
        let plain = |shape| Value::Scalar(Scalar { text: written.trim().to_owned(), shape });
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar(Scalar { text, shape: Shape::Text }),
            Raw::Bool => plain(Shape::Bool),
            Raw::Whole => plain(Shape::Whole),
            // Leading zeros make a float of a whole number in YAML 1.2's eyes.
            Raw::Real if written.trim().trim_start_matches(['-', '+']).bytes().all(|b| b.is_ascii_digit()) => plain(Shape::Whole),
            Raw::Real => plain(Shape::Real),
            Raw::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => Value::Map(entries.into_iter().map(|(key, value)| (self.node(key), self.node(value))).collect()),
        };
        Node { value, place }
    }

    fn written(&self, location: &Location) -> &str {
        range(location).and_then(|(start, end)| self.text.get(start..end)).unwrap_or("")
    }
}

fn range(location: &Location) -> Option<(usize, usize)> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    Some((start, start.checked_add(usize::try_from(span.byte_len()?).ok()?)?))
}

/// The place of a location: its first line only, without trailing blanks.
fn place(file: &Arc<str>, text: &str, location: &Location) -> Place {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let first = range(location)
        .and_then(|(start, end)| text.get(start..end))
        .and_then(|written| written.lines().next())
        .map_or(1, |line| line.trim_end().chars().count());
    Place {
        file: Arc::clone(file),
        line: small(location.line()),
        column: small(location.column()),
        width: u32::try_from(first).unwrap_or(u32::MAX).max(1),
    }
}

/// What usually helps, by a part of the parser's message.
const SYNTAX_FIXES: [(&str, &str); 6] = [
    ("mapping values are not allowed", "text that holds `: ` needs quotes; a nested key needs a line of its own, indented"),
    ("unexpected character", "quote the text"),
    ("unclosed quote", "close the quote"),
    ("unclosed bracket", "close the bracket"),
    ("after single-quoted scalar", "write a quote inside of single quotes twice: `''`"),
    ("tab", "indent with spaces"),
];

/// The parser's refusal in our words, where ours say what to do.
fn refusal(file: &Arc<str>, text: &str, error: &serde_saphyr::Error) -> Problem {
    use serde_saphyr::Error as E;
    use serde_saphyr::budget::BudgetBreach as B;
    let mut error = error.without_snippet();
    // Of an alias, where it stands says more than what it repeats.
    let reference = error.locations().map(|locations| locations.reference_location);
    while let E::AliasError { error: inner, .. } = error {
        error = inner;
    }
    let at = |message: String| match reference.or(error.location()) {
        Some(location) if location.line() > 0 => Problem::at(&place(file, text, &location), text, message),
        _ => Problem::of_file(file, message),
    };
    match error {
        E::MultipleDocuments { .. } | E::Budget { breach: B::Documents { .. }, .. } => {
            at("the file holds a second document (`---`)".to_owned()).with_fix("put each runbook into a file of its own")
        }
        E::Budget { breach: B::Depth { .. }, .. } => at("the nesting is deeper than 32 levels".to_owned()).with_fix("flatten it"),
        E::MergeKeyNotAllowed { .. } | E::Budget { breach: B::MergeKeys { .. }, .. } => {
            at("merge keys (`<<`) are not read".to_owned()).with_fix("write the keys out")
        }
        E::AliasReplayLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::Budget { breach: B::Aliases { .. } | B::Anchors { .. } | B::AliasAnchorRatio { .. } | B::Nodes { .. }, .. }
        | E::Budget { breach: B::RecordedAnchorEvents { .. } | B::RecordedAnchorBytes { .. }, .. } => {
            at("aliases repeat more than a file may hold".to_owned()).with_fix("write the values out instead of using `*`")
        }
        E::RecursiveReferencesRequireWeakTypes { .. } => {
            at("the alias is inside of what it repeats".to_owned()).with_fix("write the values out instead of using `*`")
        }
        E::UnknownAnchor { .. } => {
            at("there is no anchor of that name before this alias".to_owned()).with_fix("text that begins with `*` needs quotes")
        }
        E::UnsupportedTag { tag, .. } => {
            at(format!("the tag `{}` is not read", visible(tag))).with_fix("remove the tag; quotes make text of anything")
        }
        E::Budget { .. } => at("the file is larger than what is read".to_owned()).with_fix("split it"),
        other => {
            let message = other.render();
            let message = message.lines().next().unwrap_or("the YAML cannot be read");
            let message = message.split(" at line ").next().unwrap_or(message).trim_end_matches(',');
            let problem = at(format!("not valid YAML: {}", visible(message)));
            match SYNTAX_FIXES.iter().find(|(part, _)| message.contains(part)) {
                Some((_, fix)) => problem.with_fix(*fix),
                None => problem.with_fix("a YAML checker of your editor shows the same"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Node, Box<Problem>> {
        parse(&Arc::from("t.yaml"), text.as_bytes(), Limits::WRITTEN)
    }

    fn scalar(text: &str) -> Scalar {
        of(text).unwrap().scalar().unwrap().clone()
    }

    #[test]
    fn plain_scalars_keep_their_text() {
        for (text, shape, shown) in [
            ("012345678901", Shape::Whole, "012345678901"),
            ("0x1F", Shape::Whole, "0x1F"),
            ("5.00", Shape::Real, "5.00"),
            ("no", Shape::Text, "no"),
            ("true", Shape::Bool, "true"),
            ("'502'", Shape::Text, "502"),
            ("\"a\\tb\"", Shape::Text, "a\tb"),
            ("2026-11-20", Shape::Text, "2026-11-20"),
            (".inf", Shape::Real, ".inf"),
        ] {
            let scalar = scalar(text);
            assert_eq!((scalar.shape, scalar.text.as_str()), (shape, shown), "{text}");
        }
    }

    #[test]
    fn places_count_characters() {
        let Value::Map(entries) = of("ключ: значение  # x\nb: |\n  two\n").unwrap().value else { panic!() };
        let (key, value) = (&entries[0].0.place, &entries[0].1.place);
        assert_eq!((key.line, key.column, key.width), (1, 1, 4));
        assert_eq!((value.line, value.column, value.width), (1, 7, 8));
        let block = &entries[1].1;
        assert_eq!((block.place.line, block.place.column, block.scalar().unwrap().text.as_str()), (3, 3, "two\n"));
    }

    #[test]
    fn duplicates_and_aliases_come_through() {
        let Value::Map(entries) = of("a: &x [1, 2]\na: *x\n").unwrap().value else { panic!() };
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].1.place.line, 2);
        let Value::List(items) = &entries[1].1.value else { panic!() };
        assert_eq!(items[1].scalar().unwrap().text, "2");
    }

    #[test]
    fn refusals_say_what_and_where() {
        for (text, line, column, message) in [
            ("a: [1, 2", 1, 4, "unclosed bracket"),
            ("a: 1\n b: 2", 2, 3, "mapping values are not allowed"),
            ("a: *nope", 1, 4, "no anchor of that name"),
            ("a: !!python/object x", 1, 20, "`!!python/object`"),
            ("--- a\n--- b", 2, 1, "second document"),
            ("<<: {a: 1}", 1, 1, "merge keys"),
            ("&a [*a]", 1, 5, "inside of what it repeats"),
            ("a: 'it's'", 1, 8, "not valid YAML"),
        ] {
            let problem = of(text).unwrap_err();
            assert_eq!((problem.line, problem.column), (line, column), "{text}: {problem}");
            assert!(problem.message.contains(message), "{text}: {problem}");
        }
    }

    #[test]
    fn limits_hold() {
        assert!(of(&("[".repeat(32) + &"]".repeat(32))).is_ok());
        assert!(of(&("[".repeat(33) + &"]".repeat(33))).unwrap_err().message.contains("32 levels"));
        let long = |bytes: usize| format!("a: 1 {}", "#".repeat(bytes - 5));
        assert!(of(&long(256 * 1024)).is_ok());
        assert!(of(&long(256 * 1024 + 1)).unwrap_err().message.contains("262144"));
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for n in 1..=9 {
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
        }
        assert!(of(&bomb).unwrap_err().message.contains("aliases repeat"));
        assert!(parse(&Arc::from("t"), b"a: \xff", Limits::WRITTEN).unwrap_err().message.contains("line 1 is not UTF-8"));
    }
}
