//! Reads the tables of functions and operators. They are part of the program; a line that cannot be read is left out, which a
//! test rules out.

use std::collections::HashMap;

use super::{Formula, Function, FunctionKind, Number, Overload, Sig, Variable};
use crate::core::sql::types::Type;

pub(super) fn table(text: &'static str) -> HashMap<String, Function> {
    let mut functions: HashMap<String, Function> = HashMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(signature) = line.strip_prefix(' ') {
            if let (Some(function), Some(overload)) = (functions.get_mut(&current), overload(signature)) {
                function.overloads.push(overload);
            }
        } else if let Some((name, kind)) = line.split_once(' ') {
            current = name.to_owned();
            let kind_of = match kind.trim_end_matches('!') {
                "a" => FunctionKind::Aggregate,
                "w" => FunctionKind::Window,
                _ => FunctionKind::Scalar,
            };
            functions
                .insert(current.clone(), Function { kind: kind_of, deterministic: !kind.ends_with('!'), overloads: Vec::new() });
        }
    }
    functions
}

/// `(array(T), T) bigint where T=`.
pub(super) fn overload(text: &str) -> Option<Overload> {
    let (signature, clauses) = text.split_once(" where ").map_or((text, ""), |(signature, clauses)| (signature, clauses));
    let mut out = Overload::default();
    let mut reader = Reader { rest: signature, into: &mut out };
    reader.symbol('(').then_some(())?;
    let mut arguments = Vec::new();
    let mut variadic = false;
    while !reader.symbol(')') {
        arguments.push(reader.sig()?);
        variadic |= reader.text("...");
        if !reader.symbol(',') {
            reader.symbol(')').then_some(())?;
            break;
        }
    }
    let result = reader.sig()?;
    reader.rest.trim().is_empty().then_some(())?;
    out.arguments = arguments;
    out.variadic = variadic;
    out.result = result;
    for clause in clauses.split("; ").filter(|clause| !clause.is_empty()) {
        let at = clause.find(['=', '<', '>'])?;
        let (name, rest) = clause.split_at(at);
        if let Some(variable) = out.variables.iter_mut().find(|variable| variable.name == name) {
            match rest {
                "=" => variable.comparable = true,
                "<" => variable.orderable = true,
                _ => variable.castable_to = Some(Type::parse(rest.strip_prefix('>')?)?),
            }
        } else {
            let index = number(&mut out, name);
            let mut reader = Reader { rest: rest.strip_prefix('=')?, into: &mut out };
            let formula = reader.sum()?;
            reader.rest.is_empty().then_some(())?;
            out.computed.push((index, formula));
        }
    }
    Some(out)
}

fn number(into: &mut Overload, name: &str) -> usize {
    into.numbers.iter().position(|known| known == name).unwrap_or_else(|| {
        into.numbers.push(name.to_owned());
        into.numbers.len() - 1
    })
}

struct Reader<'a, 'b> {
    rest: &'a str,
    into: &'b mut Overload,
}

impl<'a> Reader<'a, '_> {
    fn text(&mut self, wanted: &str) -> bool {
        self.rest.strip_prefix(wanted).map(|rest| self.rest = rest).is_some()
    }

    fn symbol(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.strip_prefix(wanted).map(|rest| self.rest = rest).is_some()
    }

    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sig(&mut self) -> Option<Sig> {
        let word = self.word();
        if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            let known = self.into.variables.iter().position(|variable| variable.name == word);
            return Some(Sig::Variable(known.unwrap_or_else(|| {
                self.into.variables.push(Variable { name: word.to_owned(), ..Variable::default() });
                self.into.variables.len() - 1
            })));
        }
        match word {
            "" => None,
            "varchar" | "char" | "decimal" | "timestamp" | "time" if self.symbol('(') => {
                let mut numbers = Vec::new();
                loop {
                    let word = self.word();
                    numbers.push(match word.parse() {
                        Ok(fixed) => Number::Fixed(fixed),
                        Err(_) if word.is_empty() => return None,
                        Err(_) => Number::Variable(number(self.into, word)),
                    });
                    if self.symbol(')') {
                        break;
                    }
                    self.symbol(',').then_some(())?;
                }
                let base = match (word, self.text(" with time zone")) {
                    ("varchar", false) => "varchar",
                    ("char", false) => "char",
                    ("decimal", false) => "decimal",
                    ("timestamp", false) => "timestamp",
                    ("timestamp", true) => "timestamp with time zone",
                    ("time", false) => "time",
                    ("time", true) => "time with time zone",
                    _ => return None,
                };
                let sig = Sig::Numbered(base, numbers);
                let fixed = super::solve::apply(&sig, &[], &[]);
                Some(fixed.map_or(sig, Sig::Plain))
            }
            "array" | "map" | "row" | "qdigest" | "classifier" | "function" => {
                self.symbol('(').then_some(())?;
                let mut parts = Vec::new();
                while !self.symbol(')') {
                    // Names of row fields (`x:integer`) say nothing about binding.
                    if let Some((_, rest)) = self.rest.split_once(':').filter(|(name, _)| name.chars().all(char::is_alphanumeric))
                    {
                        self.rest = rest;
                    }
                    parts.push(self.sig()?);
                    self.symbol(',');
                }
                let base = match word {
                    "array" => "array",
                    "map" => "map",
                    "row" => "row",
                    "qdigest" => "qdigest",
                    "classifier" => "classifier",
                    _ => return Some(Sig::Function(parts)),
                };
                Some(Sig::Nested(base, parts))
            }
            "interval" if self.text(" day to second") => Some(Sig::Plain(Type::IntervalDay)),
            "interval" if self.text(" year to month") => Some(Sig::Plain(Type::IntervalYear)),
            _ => Type::named(word, &[]).map(Sig::Plain),
        }
    }

    fn sum(&mut self) -> Option<Formula> {
        let mut left = self.product()?;
        loop {
            let op = if self.symbol('+') {
                '+'
            } else if self.symbol('-') {
                '-'
            } else {
                return Some(left);
            };
            left = Formula::Apply(op, Box::new((left, self.product()?)));
        }
    }

    fn product(&mut self) -> Option<Formula> {
        let mut left = self.factor()?;
        loop {
            let op = if self.symbol('*') {
                '*'
            } else if self.symbol('/') {
                '/'
            } else {
                return Some(left);
            };
            left = Formula::Apply(op, Box::new((left, self.factor()?)));
        }
    }

    fn factor(&mut self) -> Option<Formula> {
        if self.symbol('(') {
            let inner = self.sum()?;
            return self.symbol(')').then_some(inner);
        }
        let word = self.word();
        if let Ok(fixed) = word.parse() {
            return Some(Formula::Fixed(fixed));
        }
        if matches!(word, "min" | "max") && self.symbol('(') {
            let first = self.sum()?;
            self.symbol(',').then_some(())?;
            let second = self.sum()?;
            self.symbol(')').then_some(())?;
            return Some(Formula::Apply(if word == "min" { '<' } else { '>' }, Box::new((first, second))));
        }
        (!word.is_empty()).then(|| Formula::Variable(number(self.into, word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_read() {
        for text in [include_str!("../facts/functions.txt"), include_str!("../facts/operators.txt")] {
            for line in text.lines().filter(|line| line.starts_with(' ')) {
                assert!(overload(&line[1..]).is_some(), "{line}");
            }
        }
    }
}
