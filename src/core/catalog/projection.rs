//! Partition projection, as Athena evaluates it: partitions that stand in no catalog, but follow from a table's properties. Pure; the
//! moment of `NOW` comes in.
//!
//! Source of the rules: Athena user guide, "Supported types for partition projection" and "Set up partition projection"; where it is
//! silent (bounds cut to the format's precision, values of keys of type `date`, escaping without a template), Trino's own
//! implementation of the same properties (`io.trino.plugin.hive.projection`).

mod date;
mod template;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::hive::{escaped, unescaped};
use super::{Column, Partition};
use crate::core::text::visible;
use crate::core::units::Timestamp;
use date::Dates;
use template::Template;

/// The most values of one key that are worked out. A table of seconds over years would need more; nothing is said about it then.
pub const MOST_VALUES: usize = 200_000;

/// Properties that cannot be used. Athena would refuse queries on such a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// A property that must be there is not.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A property that says nothing usable.
    #[error("`{property}` is `{value}`: {why}")]
    Invalid {
        /// Which.
        property: String,
        /// What it says, made visible.
        value: String,
        /// What is wrong.
        why: String,
    },
    /// Too many values to work out.
    #[error("`{key}` has more than {MOST_VALUES} values")]
    TooMany {
        /// The partition key.
        key: String,
    },
}

/// How the partitions of a table are projected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    keys: Vec<(String, Rule)>,
    template: Template,
}

/// The values of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Enum(Vec<String>),
    Integer {
        least: i64,
        most: i64,
        step: i64,
        digits: usize,
    },
    Date(Dates),
    /// Whatever a query says.
    Injected,
}

/// A projection at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projected {
    keys: Vec<Values>,
    template: Template,
}

/// The values of one key at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// As locations have them, with the partition's own values.
    Listed {
        by_place: IndexMap<String, String>,
        /// The lengths of the former, longest first.
        lengths: Vec<usize>,
    },
    /// Any text without a slash.
    Any,
}

/// The properties of a table, and whose they are in messages.
struct Properties<'a> {
    all: &'a BTreeMap<String, String>,
}

impl Properties<'_> {
    /// Names of properties compare without case, as those of columns do.
    fn get(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, ProjectionError> {
        self.get(name).ok_or_else(|| ProjectionError::Missing(name.to_owned()))
    }
}

fn invalid(property: &str, value: &str, why: impl Into<String>) -> ProjectionError {
    ProjectionError::Invalid { property: property.to_owned(), value: visible(value).into_owned(), why: why.into() }
}

impl Projection {
    /// Reads a table's properties. `None` where `projection.enabled` does not say `true`, or nothing is partitioned.
    ///
    /// # Errors
    /// [`ProjectionError`]: a property is missing or wrong.
    pub fn read(properties: &BTreeMap<String, String>, keys: &[Column], location: &str) -> Result<Option<Self>, ProjectionError> {
        let properties = Properties { all: properties };
        let enabled = properties.get("projection.enabled").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        if !enabled || keys.is_empty() {
            return Ok(None);
        }
        let rules = keys.iter().map(|key| Ok((key.name.clone(), rule(&properties, key)?))).collect::<Result<_, _>>()?;
        let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        let template = match properties.get("storage.location.template") {
            Some(text) => Template::read(text, &names)?,
            None => Template::hive(location, &names),
        };
        Ok(Some(Self { keys: rules, template }))
    }

    /// The partitions' values at `now`.
    ///
    /// # Errors
    /// [`ProjectionError::TooMany`], or a range that begins after its end at this moment.
    pub fn at(&self, now: Timestamp) -> Result<Projected, ProjectionError> {
        let escape = self.template.is_escaped();
        let keys = self.keys.iter().map(|(key, rule)| rule.values(key, now, escape)).collect::<Result<_, _>>()?;
        Ok(Projected { keys, template: self.template.clone() })
    }

    /// Whether some key takes whatever a query says.
    pub fn is_injected(&self) -> bool {
        self.keys.iter().any(|(_, rule)| *rule == Rule::Injected)
    }
}

fn rule(properties: &Properties<'_>, key: &Column) -> Result<Rule, ProjectionError> {
    let name = |tail: &str| format!("projection.{}.{tail}", key.name);
    let kind = properties.need(&name("type"))?;
    match kind.trim().to_ascii_lowercase().as_str() {
        "enum" => {
            // White space is part of a value.
            let values = properties.need(&name("values"))?;
            Ok(Rule::Enum(values.split(',').map(str::to_owned).collect()))
        }
        "integer" => {
            let (property, text) = (name("range"), properties.need(&name("range"))?);
            let bounds = two(text).and_then(|(least, most)| Some((least.parse::<i64>().ok()?, most.parse::<i64>().ok()?)));
            let (least, most) = bounds
                .filter(|(least, most)| least <= most)
                .ok_or_else(|| invalid(&property, text, "it must be two whole numbers, the smaller first"))?;
            let step = positive(properties, &name("interval"))?.unwrap_or(1);
            let digits = positive(properties, &name("digits"))?.unwrap_or(0);
            Ok(Rule::Integer { least, most, step, digits: usize::try_from(digits.min(32)).unwrap_or(0) })
        }
        "date" => {
            let (range, format) = (properties.need(&name("range"))?, properties.need(&name("format"))?);
            let step = positive(properties, &name("interval"))?;
            let unit = properties.get(&name("interval.unit"));
            Dates::read(&key.name, &key.column_type, range, format, step, unit).map(Rule::Date)
        }
        "injected" => Ok(Rule::Injected),
        _ => Err(invalid(&name("type"), kind, "it must be enum, integer, date or injected")),
    }
}

/// Two texts with a comma between; white space around them does not count.
fn two(text: &str) -> Option<(&str, &str)> {
    let (first, second) = text.split_once(',')?;
    (!second.contains(',')).then_some((first.trim(), second.trim()))
}

fn positive(properties: &Properties<'_>, name: &str) -> Result<Option<i64>, ProjectionError> {
    let Some(text) = properties.get(name) else { return Ok(None) };
    let number = text.trim().parse::<i64>().ok().filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| invalid(name, text, "it must be a whole number above zero"))
}

impl Rule {
    fn values(&self, key: &str, now: Timestamp, escape: bool) -> Result<Values, ProjectionError> {
        let too_many = || ProjectionError::TooMany { key: key.to_owned() };
        let pairs: Vec<(String, String)> = match self {
            Self::Injected => return Ok(Values::Any),
            Self::Enum(values) => values.iter().map(|value| (value.clone(), value.clone())).collect(),
            Self::Integer { least, most, step, digits } => {
                if i128::from(*most) - i128::from(*least) >= i128::from(*step) * MOST_VALUES as i128 {
                    return Err(too_many());
                }
                std::iter::successors(Some(*least), |value| value.checked_add(*step))
                    .take_while(|value| value <= most)
                    .map(|value| padded(value, *digits))
                    .map(|text| (text.clone(), text))
                    .collect()
            }
            Self::Date(dates) => dates.values(now, MOST_VALUES)?.ok_or_else(too_many)?,
        };
        let written = |place: String| if escape { escaped(&place) } else { place };
        let by_place: IndexMap<String, String> = pairs.into_iter().map(|(place, value)| (written(place), value)).collect();
        let mut lengths: Vec<usize> = by_place.keys().map(String::len).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        Ok(Values::Listed { by_place, lengths })
    }
}

/// At least so many characters, the sign among them, as Java's `%03d` has it.
fn padded(value: i64, digits: usize) -> String {
    format!("{value:0digits$}")
}

impl Projected {
    /// How many partitions there are; `None` where a key is injected, or nobody could count them.
    pub fn count(&self) -> Option<u64> {
        self.keys.iter().try_fold(1_u64, |product, values| match values {
            Values::Listed { by_place, .. } => product.checked_mul(u64::try_from(by_place.len()).ok()?),
            Values::Any => None,
        })
    }

    /// All partitions with their locations, the last key running fastest; `None` where a key is injected or there are more than
    /// `most`.
    pub fn partitions(&self, most: u64) -> Option<Vec<Partition>> {
        if self.count()? > most {
            return None;
        }
        let mut rows: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for values in &self.keys {
            let Values::Listed { by_place, .. } = values else { return None };
            rows = rows
                .iter()
                .flat_map(|row| {
                    by_place.iter().map(|(place, value)| row.iter().copied().chain([(place.as_str(), value.as_str())]).collect())
                })
                .collect();
        }
        let one = |row: &Vec<(&str, &str)>| Partition {
            values: row.iter().map(|(_, value)| Some((*value).to_owned())).collect(),
            location: Some(self.template.fill(&row.iter().map(|(place, _)| *place).collect::<Vec<_>>())),
            ..Partition::default()
        };
        Some(rows.iter().map(one).collect())
    }

    /// The location below which all partitions lie: the template up to its first key, whole folders only.
    pub fn root(&self) -> &str {
        self.template.root()
    }

    /// The partition that an object belongs to, by its `s3://` address: its values and its location. `None` where the projection has
    /// no such partition: Athena does not read the object then.
    pub fn partition_of(&self, address: &str) -> Option<(Vec<String>, String)> {
        let places = self.template.split(address, &|key, rest| match self.keys.get(key) {
            Some(Values::Listed { by_place, lengths }) => {
                let fits = |length: &&usize| rest.get(..**length).is_some_and(|text| by_place.contains_key(text));
                lengths.iter().filter(fits).copied().collect()
            }
            Some(Values::Any) => {
                let end = rest.find('/').unwrap_or(rest.len());
                // The longest first: a value holds all that is not part of the template.
                (1..=end).rev().filter(|at| rest.is_char_boundary(*at)).collect()
            }
            None => Vec::new(),
        })?;
        let values = self.keys.iter().zip(&places).map(|(values, place)| match values {
            Values::Listed { by_place, .. } => by_place.get(*place).cloned(),
            Values::Any if self.template.is_escaped() => Some(unescaped(place)),
            Values::Any => Some((*place).to_owned()),
        });
        Some((values.collect::<Option<_>>()?, self.template.fill(&places)))
    }
}
