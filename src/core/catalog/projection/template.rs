//! `storage.location.template`: where a partition's files lie.

use super::{ProjectionError, invalid};

const PROPERTY: &str = "storage.location.template";

/// A location with keys in it; it ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// How many characters stand before the first key, whole folders only.
    root: usize,
    parts: Vec<Part>,
    /// Whether values stand in it as Hive escapes them.
    escaped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Key(usize),
}

impl Template {
    /// Reads a template; every key must be in it.
    pub(super) fn read(text: &str, keys: &[&str]) -> Result<Self, ProjectionError> {
        if !text.starts_with("s3://") {
            return Err(invalid(PROPERTY, text, "it must begin with s3://"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or_else(|| invalid(PROPERTY, text, "`${` is not closed"))?;
            let key = keys.iter().position(|key| key.eq_ignore_ascii_case(name));
            let key = key.ok_or_else(|| invalid(PROPERTY, text, "it names something that is no partition key"))?;
            push(&mut parts, before);
            parts.push(Part::Key(key));
            rest = tail;
        }
        push(&mut parts, rest);
        if let Some(missing) = (0..keys.len()).find(|key| !parts.contains(&Part::Key(*key))) {
            let name = keys.get(missing).copied().unwrap_or_default();
            return Err(invalid(PROPERTY, text, format!("`${{{name}}}` is not in it")));
        }
        Ok(Self::of(parts, false))
    }

    /// Hive's own path below a table's location: `key=value/`.
    pub(super) fn hive(location: &str, keys: &[&str]) -> Self {
        let mut parts = Vec::new();
        push(&mut parts, location.trim_end_matches('/'));
        for (index, key) in keys.iter().enumerate() {
            push(&mut parts, &format!("/{key}="));
            parts.push(Part::Key(index));
        }
        Self::of(parts, true)
    }

    fn of(mut parts: Vec<Part>, escaped: bool) -> Self {
        if !matches!(parts.last(), Some(Part::Text(text)) if text.ends_with('/')) {
            push(&mut parts, "/");
        }
        let root = match parts.first() {
            Some(Part::Text(text)) => text.rfind('/').map_or(0, |at| at + 1),
            _ => 0,
        };
        Self { root, parts, escaped }
    }

    pub(super) fn root(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text.get(..self.root).unwrap_or_default(),
            _ => "",
        }
    }

    /// Whether values stand in it as Hive escapes them.
    pub(super) fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// The location with these values, one a key, escaped already where they must be.
    pub(super) fn fill(&self, values: &[&str]) -> String {
        let mut place = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => place.push_str(text),
                Part::Key(key) => place.push_str(values.get(*key).copied().unwrap_or_default()),
            }
        }
        place
    }

    /// The values, one a key, of a location that begins `address`. `lengths` gives how much of a text a key may take.
    pub(super) fn split<'a>(&self, address: &'a str, lengths: &dyn Fn(usize, &str) -> Vec<usize>) -> Option<Vec<&'a str>> {
        let keys = self.parts.iter().filter_map(|part| if let Part::Key(key) = part { Some(key + 1) } else { None }).max()?;
        let mut found = vec![None; keys];
        self.walk(&self.parts, address, lengths, &mut found).then_some(())?;
        found.into_iter().collect()
    }

    fn walk<'a>(
        &self,
        parts: &[Part],
        rest: &'a str,
        lengths: &dyn Fn(usize, &str) -> Vec<usize>,
        found: &mut Vec<Option<&'a str>>,
    ) -> bool {
        let Some((part, others)) = parts.split_first() else { return true };
        match part {
            Part::Text(text) => rest.strip_prefix(text.as_str()).is_some_and(|rest| self.walk(others, rest, lengths, found)),
            Part::Key(key) => {
                let before = found.get(*key).copied().flatten();
                for length in lengths(*key, rest) {
                    let Some((value, tail)) = rest.split_at_checked(length) else { continue };
                    // A key that stands twice has one value.
                    if before.is_some_and(|before| before != value) {
                        continue;
                    }
                    if let Some(slot) = found.get_mut(*key) {
                        *slot = Some(value);
                    }
                    if self.walk(others, tail, lengths, found) {
                        return true;
                    }
                    if let Some(slot) = found.get_mut(*key) {
                        *slot = before;
                    }
                }
                false
            }
        }
    }
}

fn push(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}
