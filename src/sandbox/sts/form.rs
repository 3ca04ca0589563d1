//! `application/x-www-form-urlencoded`, as the query protocol has it: `Tags.member.1.Key=…`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// A form's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Form {
    parameters: BTreeMap<String, String>,
}

impl Form {
    /// Reads a body; `None` where it is not UTF-8 or names a parameter twice.
    pub(in crate::sandbox) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if parameters.insert(decode(name)?, decode(value)?).is_some() {
                return None;
            }
        }
        Some(Self { parameters })
    }

    /// A parameter's value.
    pub(in crate::sandbox) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// All names, for the service to notice those it does not know.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// The members of a list, in order: `NAME.member.1`, `NAME.member.2`, …, up to the first gap.
    pub(super) fn members<'a>(&'a self, name: &str) -> Vec<Member<'a>> {
        let mut members = Vec::new();
        for index in 1.. {
            let member = Member { form: self, prefix: format!("{name}.member.{index}") };
            if !self.parameters.keys().any(|key| *key == member.prefix || key.starts_with(&format!("{}.", member.prefix))) {
                break;
            }
            members.push(member);
        }
        members
    }
}

/// One member of a list.
pub(super) struct Member<'a> {
    form: &'a Form,
    prefix: String,
}

impl<'a> Member<'a> {
    /// A field of a structure.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        self.form.get(&format!("{}.{name}", self.prefix))
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let form = Form::read(
            b"Action=AssumeRole&Policy=%7B%22a%22%3A+1%7D&Tags.member.1.Key=k&Tags.member.1.Value=v%26w&Tags.member.3.Key=z&X",
        )
        .unwrap();
        assert_eq!(form.get("Policy"), Some("{\"a\": 1}"));
        assert_eq!(form.get("X"), Some(""));
        let tags: Vec<_> = form.members("Tags").iter().map(|m| (m.field("Key"), m.field("Value"))).collect();
        assert_eq!(tags, [(Some("k"), Some("v&w"))]);
        assert_eq!(Form::read(b"A=1&A=2"), None);
        assert_eq!(Form::read(b"A=%ff"), None);
        assert_eq!(Form::read(b""), Some(Form::default()));
    }
}
