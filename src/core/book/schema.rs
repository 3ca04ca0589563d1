//! JSON Schemas of the files that people write, for editors and `tollgate schema`. They say what a key may hold; what only makes
//! sense together (a target that exists, a default of its type) is checked while reading.

/// Of `tollgate.yaml`.
pub const BOOK: &str = include_str!("../../../docs/schema/book.json");
/// Of a runbook.
pub const RUNBOOK: &str = include_str!("../../../docs/schema/runbook.json");
/// Of a catalog file.
pub const CATALOG: &str = include_str!("../../../docs/schema/catalog.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::core::book::read as book;
    use crate::core::catalog::read as catalog;
    use crate::core::guard::Rule;
    use crate::core::runbook::read as runbook;

    fn keys(schema: &str, pointer: &str) -> BTreeSet<String> {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let at = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in the schema"));
        assert_eq!(at.pointer("/additionalProperties"), Some(&Value::Bool(false)), "{pointer} lets other keys pass");
        at.pointer("/properties").unwrap().as_object().unwrap().keys().cloned().collect()
    }

    /// A key that the reader knows and the schema does not would be underlined in every editor; the other way round it would be
    /// offered and then refused.
    #[test]
    fn schemas_and_readers_know_the_same_keys() {
        let step = "/properties/steps/items";
        let (get, query) = ("/properties/dynamodb/properties/get", "/properties/dynamodb/properties/query");
        let target = "/properties/targets/additionalProperties";
        let dynamodb = "/properties/dynamodb/additionalProperties";
        for (schema, pointer, known) in [
            (super::RUNBOOK, String::new(), runbook::KEYS),
            (super::RUNBOOK, "/properties/inputs/additionalProperties".into(), runbook::INPUT_KEYS),
            (super::RUNBOOK, "/properties/access".into(), runbook::ACCESS_KEYS),
            (super::RUNBOOK, "/properties/access/properties/approvals".into(), runbook::APPROVAL_KEYS),
            (super::RUNBOOK, "/properties/guardrails".into(), book::GUARDRAIL_KEYS),
            (super::RUNBOOK, "/properties/guardrails/properties/athena".into(), book::ATHENA_LIMIT_KEYS),
            (super::RUNBOOK, "/properties/guardrails/properties/dynamodb".into(), book::DYNAMODB_LIMIT_KEYS),
            (super::RUNBOOK, step.into(), runbook::STEP_KEYS),
            (super::RUNBOOK, format!("{step}/properties/athena"), runbook::ATHENA_KEYS),
            (super::RUNBOOK, format!("{step}{get}"), runbook::GET_KEYS),
            (super::RUNBOOK, format!("{step}{query}"), runbook::QUERY_KEYS),
            (super::RUNBOOK, format!("{step}/properties/choose"), runbook::CHOOSE_KEYS),
            (super::RUNBOOK, format!("{step}/properties/choose/properties/into/additionalProperties"), runbook::PICKED_KEYS),
            (super::RUNBOOK, format!("{step}/properties/capture/additionalProperties"), runbook::CAPTURE_KEYS),
            (super::BOOK, String::new(), book::KEYS),
            (super::BOOK, target.into(), book::TARGET_KEYS),
            (super::BOOK, format!("{target}/properties/athena"), book::TARGET_ATHENA_KEYS),
            (super::BOOK, format!("{target}/properties/price"), book::PRICE_KEYS),
            (super::BOOK, "/properties/classification".into(), book::CLASSIFICATION_KEYS),
            (super::BOOK, "/properties/guardrails".into(), book::GUARDRAIL_KEYS),
            (super::BOOK, "/properties/guardrails/properties/athena".into(), book::ATHENA_LIMIT_KEYS),
            (super::BOOK, "/properties/guardrails/properties/dynamodb".into(), book::DYNAMODB_LIMIT_KEYS),
            (super::BOOK, "/properties/approvals".into(), book::APPROVAL_KEYS),
            (super::CATALOG, String::new(), catalog::KEYS),
            (super::CATALOG, "/definitions/table".into(), catalog::TABLE_KEYS),
            (super::CATALOG, "/definitions/table/properties/columns/items".into(), catalog::COLUMN_KEYS),
            (super::CATALOG, "/definitions/table/properties/partitions/items".into(), catalog::PARTITION_KEYS),
            (super::CATALOG, dynamodb.into(), catalog::DYNAMODB_TABLE_KEYS),
            (super::CATALOG, format!("{dynamodb}/properties/indexes/additionalProperties"), catalog::INDEX_KEYS),
            (super::CATALOG, format!("{dynamodb}/properties/attributes/items"), catalog::ATTRIBUTE_KEYS),
        ] {
            let known: BTreeSet<String> = known.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(keys(schema, &pointer), known, "{pointer}");
        }
    }

    #[test]
    fn schemas_and_readers_know_the_same_words() {
        let words = |schema: &str, pointer: &str| -> BTreeSet<String> {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let words = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_array().unwrap();
            words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let own = |names: &mut dyn Iterator<Item = &'static str>| names.map(str::to_owned).collect::<BTreeSet<String>>();
        let types = words(super::RUNBOOK, "/properties/inputs/additionalProperties/properties/type/enum");
        assert_eq!(types, own(&mut runbook::TYPES.iter().map(|(word, _)| *word)));
        for schema in [super::RUNBOOK, super::BOOK] {
            let rules = words(schema, "/properties/guardrails/properties/levels/propertyNames/enum");
            assert_eq!(rules, own(&mut Rule::ALL.iter().map(|rule| rule.name())));
        }
        assert_eq!(
            words(super::CATALOG, "/definitions/table/properties/format/enum"),
            own(&mut catalog::FORMATS.iter().map(|f| f.0))
        );
        let packs = words(super::BOOK, "/properties/classification/properties/packs/items/enum");
        assert_eq!(packs, own(&mut crate::core::book::packs::NAMES.into_iter()));
    }
}
