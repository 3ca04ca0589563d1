//! What can be prepared once and used for many statements: the names that statements can use, and the columns that are blocked.

use std::collections::HashMap;

use super::glob::{matches_part, matches_parts};
use super::world::World;
use crate::core::book::{Classification, ColumnTags, Guardrails};
use crate::core::catalog::{Catalog, Column, Table};
use crate::core::sql::types::Type;
use crate::core::sql::world::{self as names, StoredView, WorldColumn, WorldTable};

/// A world prepared for judging many statements.
#[derive(Debug, Clone)]
pub struct Ground {
    /// What statements can name.
    pub(super) names: names::World,
    blocked: HashMap<String, Vec<Blocked>>,
}

/// A blocked column or struct field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// The column, then the fields on the way; lower case. Elements of arrays and values of maps are passed through.
    pub(super) path: Vec<String>,
    /// Its tags that are blocked.
    pub(super) tags: Vec<String>,
    /// Where it got its first blocked tag.
    pub(super) set_in: Option<String>,
}

impl Ground {
    /// Prepares a world.
    pub fn new(world: &World<'_>) -> Self {
        Self::of(world.catalog, world.classification, world.guardrails)
    }

    fn of(catalog: &Catalog, classification: &Classification, guardrails: &Guardrails) -> Self {
        let patterns = Patterns::new(&classification.columns);
        let mut ground = Self { names: names::World::new(), blocked: HashMap::new() };
        for (data_catalog, data) in &catalog.catalogs {
            ground.names.add_catalog(data_catalog);
            for (name, table) in &data.tables {
                let Some((schema, short)) = name.split_once('.') else { continue };
                ground.names.add_table(data_catalog, schema, short, prepared(table));
                let blocked = blocked_of(&[data_catalog.as_str(), schema, short], table, &patterns, guardrails);
                if !blocked.is_empty() {
                    ground.blocked.insert(format!("{data_catalog}.{name}"), blocked);
                }
            }
        }
        ground
    }

    /// The blocked columns and fields of a table; the names are lower case.
    pub(super) fn blocked(&self, catalog: &str, schema: &str, name: &str) -> &[Blocked] {
        self.blocked.get(&format!("{catalog}.{schema}.{name}")).map_or(&[], Vec::as_slice)
    }

    /// Whether anything at all is blocked in the table that `"name$files"` and the like are about.
    pub(super) fn blocked_behind(&self, catalog: &str, schema: &str, name: &str) -> &[Blocked] {
        self.blocked(catalog, schema, name.split_once('$').map_or(name, |(table, _)| table))
    }
}

impl Blocked {
    /// Whether reading `path` reads this: the same, a field inside it, or a parent that holds it.
    pub(super) fn is_read_by(&self, path: &[String]) -> bool {
        self.path.iter().zip(path).all(|(a, b)| a == b)
    }
}

fn prepared(table: &Table) -> WorldTable {
    let column = |column: &Column| WorldColumn { name: column.name.as_str().into(), kind: Type::parse(&column.column_type) };
    WorldTable {
        columns: table.all_columns().map(column).collect(),
        partition_keys: table.partition_keys.len(),
        view: table.view.as_deref().map(StoredView::new),
    }
}

/// Patterns over columns, by their last part where that is a plain name: most are, and a table with a thousand columns should not
/// try every pattern on each.
struct Patterns<'a> {
    plain: HashMap<String, Vec<&'a ColumnTags>>,
    wild: Vec<&'a ColumnTags>,
}

impl<'a> Patterns<'a> {
    fn new(all: &'a [ColumnTags]) -> Self {
        let mut patterns = Self { plain: HashMap::new(), wild: Vec::new() };
        for tags in all {
            let last = tags.pattern.rsplit('.').next().unwrap_or_default().to_lowercase();
            if last.contains(['*', '?']) {
                patterns.wild.push(tags);
            } else {
                patterns.plain.entry(last).or_default().push(tags);
            }
        }
        patterns
    }

    fn of<'b>(&'b self, table: &'b [&'b str; 3], path: &'b [String]) -> impl Iterator<Item = &'a ColumnTags> + 'b {
        let last = path.last().map_or("", String::as_str);
        let plain = self.plain.get(last).into_iter().flatten();
        let wild = self
            .wild
            .iter()
            .filter(move |tags| tags.pattern.rsplit('.').next().is_some_and(|pattern| matches_part(pattern, last)));
        plain.chain(wild).copied().filter(move |tags| {
            // With and without the data catalog before it.
            [0, 1].into_iter().any(|skip| {
                let parts: Vec<&str> = table.iter().skip(skip).copied().chain(path.iter().map(String::as_str)).collect();
                matches_parts(&tags.pattern, parts.into_iter())
            })
        })
    }
}

fn blocked_of(table_name: &[&str; 3], table: &Table, patterns: &Patterns<'_>, guardrails: &Guardrails) -> Vec<Blocked> {
    let mut found = Vec::new();
    let is_blocked = |tag: &&String| guardrails.blocked_tags.value.contains(tag);
    for column in table.all_columns() {
        let mut paths = vec![vec![column.name.clone()]];
        if let Some(kind) = Type::parse(&column.column_type) {
            fields(&kind, &mut vec![column.name.clone()], &mut paths);
        }
        for path in paths {
            let mut tags: Vec<String> = Vec::new();
            let mut set_in = None;
            if path.len() == 1 {
                tags.extend(column.tags.value.iter().filter(is_blocked).cloned());
                if !tags.is_empty() {
                    set_in = column.tags.set_in();
                }
            }
            for pattern in patterns.of(table_name, &path) {
                for tag in pattern.tags.iter().filter(is_blocked) {
                    set_in = set_in.or_else(|| Some(pattern.place.to_string()));
                    if !tags.contains(tag) {
                        tags.push(tag.clone());
                    }
                }
            }
            if !tags.is_empty() {
                found.push(Blocked { path, tags, set_in });
            }
        }
    }
    found
}

/// The paths of all struct fields inside `kind`.
fn fields(kind: &Type, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match kind {
        Type::Row(row) => {
            for field in row.iter() {
                let Some(name) = &field.name else { continue };
                path.push(name.to_lowercase());
                found.push(path.clone());
                fields(&field.kind, path, found);
                path.pop();
            }
        }
        Type::Array(element) => fields(element, path, found),
        Type::Map(entry) => {
            fields(&entry.0, path, found);
            fields(&entry.1, path, found);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::book::{Place, Setting};
    use crate::core::catalog::DataCatalog;

    fn ground(column: (&str, &str), patterns: &[&str]) -> Vec<String> {
        let (name, kind) = column;
        let columns = vec![Column { name: name.into(), column_type: kind.into(), tags: Setting::default() }];
        let table = Table {
            format: None,
            location: None,
            base: String::new(),
            columns,
            partition_keys: vec![],
            partitions: None,
            view: None,
            taken_at: None,
            listed_at: None,
            place: None,
        };
        let data = DataCatalog { taken_at: None, tables: [("shop.customers".to_owned(), table)].into_iter().collect() };
        let catalog =
            Catalog { name: "lake".into(), catalogs: [("lake".to_owned(), data)].into_iter().collect(), ..Catalog::default() };
        let place = Place { file: "tollgate.yaml".into(), line: 31, column: 1, width: 1 };
        let columns = patterns
            .iter()
            .map(|pattern| ColumnTags { pattern: (*pattern).into(), tags: vec!["pii".into()], place: place.clone() })
            .collect();
        let classification = Classification { columns, ..Classification::default() };
        let mut guardrails = Guardrails::default();
        guardrails.blocked_tags.value = vec!["pii".into()];
        let ground = Ground::of(&catalog, &classification, &guardrails);
        ground.blocked("lake", "shop", "customers").iter().map(|blocked| blocked.path.join(".")).collect()
    }

    #[test]
    fn patterns_reach_columns_and_fields() {
        let profile = ("profile", "row(SSN varchar, tags array(row(ssn varchar)))");
        let cases: &[((&str, &str), &[&str], &[&str])] = &[
            (("email", "varchar"), &["shop.customers.email"], &["email"]),
            (("email", "varchar"), &["lake.shop.customers.email"], &["email"]),
            (("email", "varchar"), &["other.shop.customers.email"], &[]),
            (("email", "varchar"), &["*.*.e*", "*.*.email"], &["email"]),
            (profile, &["*.*.ssn"], &[]),
            (profile, &["shop.customers.profile.ssn"], &["profile.ssn"]),
            (profile, &["*.*.*.*.ssn"], &["profile.ssn", "profile.tags.ssn"]),
            (profile, &["*.*.profile"], &["profile"]),
        ];
        for (column, patterns, wanted) in cases {
            assert_eq!(ground(*column, patterns), *wanted, "{patterns:?}");
        }
    }

    #[test]
    fn parents_and_children_read_a_blocked_field() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let blocked = Blocked { path: path("profile.contact"), tags: vec![], set_in: None };
        for (read, wanted) in [
            ("profile", true),
            ("profile.contact", true),
            ("profile.contact.phone", true),
            ("profile.age", false),
            ("other", false),
        ] {
            assert_eq!(blocked.is_read_by(&path(read)), wanted, "{read}");
        }
    }
}
