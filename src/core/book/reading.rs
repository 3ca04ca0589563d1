//! Reading nodes into values, collecting every problem on the way.

use std::sync::Arc;

use super::yaml::{Node, Scalar, Shape, Value};
use super::{Place, Placed, Problem};
use crate::core::text::visible;
use crate::core::units::{Bytes, Micros, Millis};

/// One file while it is read: its text for snippets, and the problems found so far.
pub(in crate::core) struct Reading {
    /// The file's name, relative to the book.
    pub file: Arc<str>,
    text: String,
    problems: Vec<Problem>,
}

impl Reading {
    /// Begins with a file's bytes; what is not UTF-8 is reported by the YAML parser.
    pub(in crate::core) fn new(file: Arc<str>, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        Self { file, text, problems: Vec::new() }
    }

    /// Reports a problem and what to do.
    pub(in crate::core) fn wrong(&mut self, place: &Place, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::at(place, &self.text, message).with_fix(fix));
    }

    /// Takes over a problem made elsewhere.
    pub(in crate::core) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether a problem was reported at this very place.
    pub(in crate::core) fn has(&self, place: &Place) -> bool {
        self.problems.iter().any(|problem| problem.line == place.line && problem.column == place.column)
    }

    /// The first `needle` at or after `place` in the file's text.
    pub(in crate::core) fn find(&self, place: &Place, needle: &str) -> Option<Place> {
        let lines = self.text.lines().enumerate().skip(place.line.saturating_sub(1) as usize);
        for (index, line) in lines {
            let from = if index + 1 == place.line as usize { place.column.saturating_sub(1) as usize } else { 0 };
            let start = line.char_indices().nth(from).map_or(line.len(), |(at, _)| at);
            if let Some(at) = line.get(start..).and_then(|rest| rest.find(needle)) {
                let before = line.get(..start + at).map_or(0, |text| text.chars().count());
                return Some(Place {
                    file: Arc::clone(&place.file),
                    line: u32::try_from(index + 1).unwrap_or(u32::MAX),
                    column: u32::try_from(before + 1).unwrap_or(u32::MAX),
                    width: u32::try_from(needle.chars().count()).unwrap_or(1),
                });
            }
        }
        None
    }

    /// The place of `width` bytes at `offset` of `text`, which begins at `place`. Where the file has the text otherwise (folded,
    /// escaped), the next place where it stands as it is, else the beginning.
    pub(in crate::core) fn inside(&self, place: &Place, text: &str, offset: usize, width: usize) -> Place {
        let needle = text.get(offset..offset + width).unwrap_or("");
        let before = text.get(..offset).unwrap_or("");
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count());
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut exact =
            Place { line: place.line.saturating_add(small(line)), width: small(needle.chars().count()), ..place.clone() };
        // A quote may stand before the text.
        for quote in [0, 1] {
            exact.column = place.column.saturating_add(small(column)).saturating_add(quote);
            if self.find(&exact, needle).is_some_and(|found| found == exact) {
                return exact;
            }
        }
        self.find(place, needle).unwrap_or_else(|| place.clone())
    }

    /// How many problems there are.
    pub(in crate::core) fn count(&self) -> usize {
        self.problems.len()
    }

    /// Every problem, in the order of the file.
    pub(in crate::core) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }

    /// A scalar of any shape as text. Reports lists, mappings and nothing.
    pub(in crate::core) fn scalar<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        if let Value::Scalar(scalar) = &node.value {
            return Some(scalar);
        }
        self.wrong(
            &node.place,
            format!("{what} is {}, not text", node.kind()),
            "write one text, in quotes if it holds `: ` or `#`",
        );
        None
    }

    /// Text that is not empty.
    pub(in crate::core) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        let scalar = self.scalar(node, what)?;
        if scalar.text.trim().is_empty() {
            self.wrong(&node.place, format!("{what} is empty"), "write something, or remove the line");
            return None;
        }
        Some(scalar.text.clone())
    }

    /// Text with its place.
    pub(in crate::core) fn placed(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        Some(Placed { value: self.text(node, what)?, place: node.place.clone() })
    }

    /// Text that must have been quoted where YAML would take it for a number: account ids and the like.
    pub(in crate::core) fn quoted(&mut self, node: &Node, what: &str) -> Option<String> {
        let scalar = self.scalar(node, what)?;
        if matches!(scalar.shape, Shape::Whole | Shape::Real) {
            let text = visible(&scalar.text).into_owned();
            self.wrong(
                &node.place,
                format!("{what} is a number; its digits are text, and leading zeros would be lost"),
                format!("quote it: \"{text}\""),
            );
            return None;
        }
        self.text(node, what)
    }

    /// `true` or `false`.
    pub(in crate::core) fn yes(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.scalar() {
            Some(Scalar { shape: Shape::Bool, text, .. }) => Some(text.eq_ignore_ascii_case("true")),
            _ => {
                self.wrong(&node.place, format!("{what} is {}", said(node)), "write true or false");
                None
            }
        }
    }

    /// A whole number between `least` and `most`.
    pub(in crate::core) fn whole(&mut self, node: &Node, what: &str, least: u64, most: u64) -> Option<u64> {
        let number = match node.scalar() {
            Some(Scalar { shape: Shape::Whole, text, .. }) => text.parse::<u64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if number >= least && number <= most => Some(number),
            _ => {
                let range = if most == u64::MAX { format!("of at least {least}") } else { format!("from {least} to {most}") };
                self.wrong(
                    &node.place,
                    format!("{what} is {}", said(node)),
                    format!("write a whole number {range}, without quotes"),
                );
                None
            }
        }
    }

    /// A size with its unit.
    pub(in crate::core) fn size(&mut self, node: &Node, what: &str) -> Option<Bytes> {
        self.unit(node, what, "50 GB")
    }

    /// A duration with its unit.
    pub(in crate::core) fn duration(&mut self, node: &Node, what: &str) -> Option<Millis> {
        self.unit(node, what, "15m")
    }

    fn unit<T: std::str::FromStr>(&mut self, node: &Node, what: &str, example: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let scalar = self.scalar(node, what)?;
        match scalar.text.parse::<T>() {
            Ok(value) => Some(value),
            Err(_) if scalar.shape != Shape::Text => {
                let message = format!("{what} is {}, without a unit", said(node));
                self.wrong(&node.place, message, format!("write the unit: `{example}`"));
                None
            }
            Err(reason) => {
                let message = format!("{what}: {}", visible(&reason.to_string()));
                self.wrong(&node.place, message, format!("write it as in `{example}`"));
                None
            }
        }
    }

    /// An amount of money as millionths, exact to six decimals.
    pub(in crate::core) fn money(&mut self, node: &Node, what: &str) -> Option<Micros> {
        let amount = match node.scalar() {
            Some(Scalar { shape: Shape::Whole | Shape::Real, text, .. }) => micros(text),
            _ => None,
        };
        if amount.is_none() {
            let fix = "write an amount such as 5.00, without quotes, with up to six decimals";
            self.wrong(&node.place, format!("{what} is {}", said(node)), fix);
        }
        amount
    }

    /// The items of a list. A lone scalar is not taken for a list of one.
    pub(in crate::core) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        let message = format!("{what} is {}, not a list", node.kind());
        match node.scalar() {
            Some(scalar) => self.wrong(&node.place, message, format!("write [{}]", visible(&scalar.text))),
            None => self.wrong(&node.place, message, "write [one, two]"),
        }
        None
    }

    /// A list of texts with their places.
    pub(in crate::core) fn texts(&mut self, node: &Node, what: &str) -> Vec<Placed<String>> {
        let each = format!("an item of {what}");
        let items = self.list(node, what).unwrap_or_default();
        items.iter().filter_map(|item| self.placed(item, &each)).collect()
    }

    /// One of a few words.
    pub(in crate::core) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let scalar = self.scalar(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == scalar.text) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let fix = match (nearest(&scalar.text, names.iter().copied()), names.as_slice()) {
            (Some(near), [_, _, ..]) => format!("did you mean `{near}`? It is one of {}", names.join(", ")),
            (_, [only]) => format!("only `{only}` is possible"),
            _ => format!("it is one of {}", names.join(", ")),
        };
        self.wrong(&node.place, format!("{what} is {}", said(node)), fix);
        None
    }

    /// Reports a name that nothing has, with the nearest one that something has.
    pub(in crate::core) fn unknown<'k>(
        &mut self,
        place: &Place,
        message: String,
        known: impl Iterator<Item = &'k str> + Clone,
        name: &str,
    ) {
        let fix = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{}`?", visible(near)),
            None => {
                let names: Vec<_> = known.take(12).map(|name| visible(name).into_owned()).collect();
                if names.is_empty() {
                    "nothing of that kind is declared: declare it, or remove it".to_owned()
                } else {
                    format!("known here: {}", names.join(", "))
                }
            }
        };
        self.wrong(place, message, fix);
    }
}

/// What a node says, for messages: `502`, or `a list`.
pub(in crate::core) fn said(node: &Node) -> String {
    match node.scalar() {
        Some(scalar) => {
            let text = visible(&scalar.text);
            let short: String = text.chars().take(40).collect();
            if short.len() < text.len() { format!("`{short}…`") } else { format!("`{text}`") }
        }
        None => node.kind().to_owned(),
    }
}

/// The known name that was probably meant: one slip away, or at least 70 % alike.
pub(in crate::core) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    known
        .map(|candidate| {
            (strsim::jaro_winkler(&name, &candidate.to_lowercase()), strsim::osa_distance(&name, candidate), candidate)
        })
        .filter(|(alike, edits, candidate)| {
            let length = candidate.chars().count();
            (*edits == 1 && length > 2) || (*alike > 0.7 && *edits <= length.max(3) / 2)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, _, candidate)| candidate)
}

fn micros(text: &str) -> Option<Micros> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{fraction:0<6}").parse().ok()?;
    Some(Micros(whole.checked_mul(1_000_000)?.checked_add(part)?))
}

/// A mapping whose keys are known.
pub(in crate::core) struct Fields<'n> {
    entries: Vec<(&'n str, &'n Node, &'n Node)>,
    empty: Vec<&'n str>,
    /// Where the mapping begins.
    pub place: &'n Place,
}

impl<'n> Fields<'n> {
    /// Takes a mapping apart. Reports what is not a mapping, keys that are not known, written twice, or without a value.
    pub(in crate::core) fn of(reading: &mut Reading, node: &'n Node, what: &str, known: &[&str]) -> Option<Self> {
        let pairs = entries(reading, node, what)?;
        let (mut kept, mut empty) = (Vec::new(), Vec::new());
        for (key, key_node, value) in pairs {
            if !known.contains(&key) {
                let message = format!("`{}` is not a key of {what}", visible(key));
                reading.unknown(&key_node.place, message, known.iter().copied(), key);
            } else if value.value == Value::Null {
                reading.wrong(&key_node.place, format!("`{key}` has no value"), "give it one, or remove the line");
                empty.push(key);
            } else {
                kept.push((key, key_node, value));
            }
        }
        Some(Self { entries: kept, empty, place: &node.place })
    }

    /// The value of a key.
    pub(in crate::core) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(name, _, _)| *name == key).map(|(_, _, value)| *value)
    }

    /// The place of a key.
    pub(in crate::core) fn key(&self, key: &str) -> Option<&'n Place> {
        self.entries.iter().find(|(name, _, _)| *name == key).map(|(_, node, _)| &node.place)
    }

    /// The value of a key, reported where it is missing.
    pub(in crate::core) fn need(&self, reading: &mut Reading, key: &str, what: &str) -> Option<&'n Node> {
        let value = self.get(key);
        // One that stands there without a value was reported already.
        if value.is_none() && !self.empty.contains(&key) {
            reading.wrong(self.place, format!("{what} has no `{key}`"), format!("add `{key}: …`"));
        }
        value
    }
}

/// The pairs of a mapping with free keys. Reports what is not a mapping, keys that are not text, keys written twice.
pub(in crate::core) fn entries<'n>(
    reading: &mut Reading,
    node: &'n Node,
    what: &str,
) -> Option<Vec<(&'n str, &'n Node, &'n Node)>> {
    let Value::Map(pairs) = &node.value else {
        reading.wrong(&node.place, format!("{what} is {}, not a mapping", node.kind()), "write keys and values: `key: value`");
        return None;
    };
    let mut seen: Vec<(&str, &Node, &Node)> = Vec::with_capacity(pairs.len());
    let mut names = std::collections::HashMap::with_capacity(pairs.len());
    for (key, value) in pairs {
        let Some(scalar) = key.scalar() else {
            reading.wrong(&key.place, format!("a key of {what} is {}, not text", key.kind()), "write a name");
            continue;
        };
        if let Some(first) = names.insert(scalar.text.as_str(), key.place.line) {
            let message = format!("`{}` is written twice; first on line {first}", visible(&scalar.text));
            reading.wrong(&key.place, message, "keep one of them");
            names.insert(scalar.text.as_str(), first);
            continue;
        }
        seen.push((&scalar.text, key, value));
    }
    Some(seen)
}
