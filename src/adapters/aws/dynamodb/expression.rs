//! Expressions of a read, with every name and value behind a placeholder: `#k` and `:k` for keys, `#p` for what is projected. The
//! filter brings its own, `#n` and `:v`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::core::plan::{DynamodbOperation, DynamodbRequest, DynamodbValue, SortCondition};

/// What a request needs besides table and key.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expressions {
    /// Of a query.
    pub(super) key: Option<String>,
    /// `None`: everything.
    pub(super) projection: Option<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

/// Builds them; says what cannot be sent.
pub(super) fn expressions(request: &DynamodbRequest) -> Result<Expressions, String> {
    let mut built = Expressions::default();
    if let Some(filter) = &request.filter {
        for (placeholder, name) in &filter.names {
            if !placeholder.starts_with("#n") {
                return Err(format!("the filter's placeholder {placeholder} is not its own"));
            }
            built.names.insert(placeholder.clone(), name.clone());
        }
        for (placeholder, given) in &filter.values {
            if !placeholder.starts_with(":v") {
                return Err(format!("the filter's placeholder {placeholder} is not its own"));
            }
            built.values.insert(placeholder.clone(), value(given));
        }
    }
    if request.operation == DynamodbOperation::Query {
        let mut parts = Vec::new();
        for (name, given) in &request.key {
            let (named, valued) = built.key_part(name, given);
            parts.push(format!("{named} = {valued}"));
        }
        if let Some(sort) = &request.sort {
            parts.push(built.sort_part(sort)?);
        }
        built.key = Some(parts.join(" AND "));
    }
    let mut paths = Vec::with_capacity(request.project.len());
    let mut known: HashMap<&str, String> = HashMap::new();
    for path in &request.project {
        let mut written = String::new();
        for (name, index) in steps(path).ok_or_else(|| format!("`{path}` is not an attribute's path"))? {
            let next = format!("#p{}", known.len());
            let placeholder = known.entry(name).or_insert(next);
            if !written.is_empty() {
                written.push('.');
            }
            written.push_str(placeholder);
            written.push_str(index);
        }
        if !paths.contains(&written) {
            paths.push(written);
        }
    }
    built.names.extend(known.into_iter().map(|(name, placeholder)| (placeholder, name.to_owned())));
    built.projection = (!paths.is_empty()).then(|| paths.join(", "));
    Ok(built)
}

impl Expressions {
    /// A placeholder for a key's name and one for a value.
    fn key_part(&mut self, name: &str, given: &DynamodbValue) -> (String, String) {
        let number = self.values.keys().filter(|placeholder| placeholder.starts_with(":k")).count();
        let (named, valued) = (format!("#k{number}"), format!(":k{number}"));
        self.names.insert(named.clone(), name.to_owned());
        self.values.insert(valued.clone(), value(given));
        (named, valued)
    }

    fn sort_part(&mut self, sort: &SortCondition) -> Result<String, String> {
        match (sort.operator.as_str(), sort.values.as_slice()) {
            (word @ ("eq" | "lt" | "le" | "gt" | "ge"), [one]) => {
                let (named, valued) = self.key_part(&sort.name, one);
                let sign = match word {
                    "lt" => "<",
                    "le" => "<=",
                    "gt" => ">",
                    "ge" => ">=",
                    _ => "=",
                };
                Ok(format!("{named} {sign} {valued}"))
            }
            ("begins_with", [one]) => {
                let (named, valued) = self.key_part(&sort.name, one);
                Ok(format!("begins_with({named}, {valued})"))
            }
            ("between", [from, to]) => {
                let (named, least) = self.key_part(&sort.name, from);
                let most = format!("{least}_to");
                self.values.insert(most.clone(), value(to));
                Ok(format!("{named} BETWEEN {least} AND {most}"))
            }
            (operator, values) => {
                Err(format!("`{operator}` with {} values is no condition on the sort key {}", values.len(), sort.name))
            }
        }
    }
}

/// A document path's names, each with the list indexes after it: `a.b[0][1]` is `(a, "")`, `(b, "[0][1]")`.
pub(super) fn steps(path: &str) -> Option<Vec<(&str, &str)>> {
    path.split('.')
        .map(|part| {
            let (name, index) = part.split_at(part.find('[').unwrap_or(part.len()));
            let inside = index.is_empty()
                || index
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'))
                    .is_some_and(|rest| rest.split("][").all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())));
            (!name.is_empty() && inside).then_some((name, index))
        })
        .collect()
}

/// A scalar as the SDK takes it.
pub(super) fn value(given: &DynamodbValue) -> AttributeValue {
    match given {
        DynamodbValue::S(text) => AttributeValue::S(text.clone()),
        DynamodbValue::N(number) => AttributeValue::N(number.clone()),
        DynamodbValue::Bool(bool) => AttributeValue::Bool(*bool),
        // Open requests are refused before they get here; NULL is no key, so that the service would refuse it as well.
        DynamodbValue::Open(_) | DynamodbValue::Hole(_) => AttributeValue::Null(true),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::core::plan::FilterPlan;

    pub(super) fn request(operation: DynamodbOperation, project: &[&str]) -> DynamodbRequest {
        DynamodbRequest {
            operation,
            table: "orders".into(),
            index: None,
            key: [("pk".to_owned(), DynamodbValue::S("ORDER#1 OR 1=1".into()))].into_iter().collect(),
            sort: None,
            filter: None,
            project: project.iter().map(|path| (*path).to_owned()).collect(),
            limit: None,
            descending: false,
            consistent: false,
        }
    }

    #[test]
    fn every_name_and_value_is_behind_a_placeholder() {
        let mut query = request(DynamodbOperation::Query, &["status", "a.status", "tags[0]", "status"]);
        query.sort = Some(SortCondition {
            name: "sk".into(),
            operator: "between".into(),
            values: vec![DynamodbValue::N("1".into()), DynamodbValue::N("2".into())],
        });
        query.filter = Some(FilterPlan {
            expression: "#n0 = :v0".into(),
            names: [("#n0".to_owned(), "size".to_owned())].into_iter().collect(),
            values: IndexMap::from([(":v0".to_owned(), DynamodbValue::Bool(true))]),
        });
        let built = expressions(&query).unwrap();
        assert_eq!(built.key.as_deref(), Some("#k0 = :k0 AND #k1 BETWEEN :k1 AND :k1_to"));
        assert_eq!(built.projection.as_deref(), Some("#p0, #p1.#p0, #p2[0]"));
        let names: std::collections::BTreeMap<_, _> = built.names.iter().map(|(p, n)| (p.as_str(), n.as_str())).collect();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            [("#k0", "pk"), ("#k1", "sk"), ("#n0", "size"), ("#p0", "status"), ("#p1", "a"), ("#p2", "tags")]
        );
        assert_eq!(built.values.len(), 4);
        assert_eq!(built.values.get(":k1_to"), Some(&AttributeValue::N("2".into())));

        let get = expressions(&request(DynamodbOperation::Get, &[])).unwrap();
        assert_eq!(get, Expressions::default());
    }

    #[test]
    fn what_is_no_expression_is_not_sent() {
        // Every word that a runbook may say is a condition that DynamoDB takes.
        for (word, _) in crate::core::runbook::SortOperator::ALL {
            let mut query = request(DynamodbOperation::Query, &[]);
            let values = vec![DynamodbValue::S("x".into()); if word == "between" { 2 } else { 1 }];
            query.sort = Some(SortCondition { name: "sk".into(), operator: word.into(), values });
            assert!(expressions(&query).is_ok(), "{word}");
        }
        for path in ["", "a..b", "a[x]", "[0]", "a[0", "a[]", "a[0]b"] {
            assert!(expressions(&request(DynamodbOperation::Get, &[path])).is_err(), "{path}");
        }
        for (operator, count) in [("between", 1), ("eq", 2), ("=", 1), ("<>", 1), ("= :k0 OR #k0 >", 1)] {
            let mut query = request(DynamodbOperation::Query, &[]);
            let values = vec![DynamodbValue::S("x".into()); count];
            query.sort = Some(SortCondition { name: "sk".into(), operator: operator.into(), values });
            assert!(expressions(&query).is_err(), "{operator}");
        }
        let mut query = request(DynamodbOperation::Query, &[]);
        let names = [("#k0".to_owned(), "other".to_owned())].into_iter().collect();
        query.filter = Some(FilterPlan { expression: "#k0 = :k0".into(), names, values: IndexMap::new() });
        assert!(expressions(&query).unwrap_err().contains("#k0"));
    }
}
