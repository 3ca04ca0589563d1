//! Filling the holes of a stored statement when it runs: typed literals in their places, proved to say what the template says.

use indexmap::IndexMap;

use super::{AthenaPlan, Hole};
use crate::core::runbook::{ParamValue, ValueError};
use crate::core::sql::literal::{BindError, Binding, Bindings, bind};

/// Why a stored statement could not be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The step that gives the value has not done so.
    #[error("`{name}` has no value: step {step} has not given one")]
    NoValue {
        /// The parameter.
        name: String,
        /// The step that fills it.
        step: String,
    },
    /// The value is none of the hole's type.
    #[error("`{name}` does not fit the approved plan: {why}")]
    Misfit {
        /// The parameter.
        name: String,
        /// Why not, in plain words.
        why: ValueError,
    },
    /// The values cannot be put in, or would change what the statement says.
    #[error(transparent)]
    Bind(BindError),
}

/// The value for a hole, checked against the type that was approved.
///
/// # Errors
/// No value, or one of another type.
pub fn value_for<'v>(name: &str, hole: &Hole, values: &'v IndexMap<String, ParamValue>) -> Result<&'v ParamValue, FillError> {
    let value = values.get(name).ok_or_else(|| FillError::NoValue { name: name.to_owned(), step: hole.filled_by.clone() })?;
    hole.kind.check(value).map_err(|why| FillError::Misfit { name: name.to_owned(), why })?;
    Ok(value)
}

impl AthenaPlan {
    /// The stored statement with `values` in its holes: the text that is sent, but for the marker. A closed step's is the stored
    /// text, byte for byte. Values for which there is no hole are left alone.
    ///
    /// # Errors
    /// A hole without a value of its type, or a statement that would not say what the approved one says.
    pub fn filled(&self, values: &IndexMap<String, ParamValue>) -> Result<String, FillError> {
        if self.holes.is_empty() {
            return Ok(self.sql.clone());
        }
        let mut bindings = Bindings::new();
        for (name, hole) in &self.holes {
            bindings.insert(name.clone(), Binding::Value(value_for(name, hole, values)?.literal()));
        }
        let bound = bind(&self.sql, &bindings).map_err(FillError::Bind)?;
        Ok(bound.sql().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::estimate::Evidence;
    use crate::core::guard::Verdict;
    use crate::core::runbook::ParamType;

    fn plan(sql: &str, holes: &[(&str, ParamType)]) -> AthenaPlan {
        AthenaPlan {
            sql: sql.to_owned(),
            holes: holes
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), Hole { filled_by: "errors".to_owned(), kind: kind.clone() }))
                .collect(),
            catalog: "awsdatacatalog".to_owned(),
            database: "web".to_owned(),
            workgroup: "tg".to_owned(),
            hard_stop: 1,
            output: "s3://results/".to_owned(),
            ceiling: 1,
            max_scan: 1,
            max_executions: 1,
            verdict: Verdict::Allow,
            findings: Vec::new(),
            reads: Vec::new(),
            output_columns: Vec::new(),
            estimate: None,
            evidence: Evidence::Unknown,
            estimate_why: String::new(),
            facts_age_s: None,
            cost: None,
            currency: None,
            policy: String::new(),
            service_plan: false,
        }
    }

    fn text(max: u32) -> ParamType {
        ParamType::String { pattern: None, max: Some(max) }
    }

    fn int() -> ParamType {
        ParamType::Int { min: Some(400), max: Some(599) }
    }

    fn values(values: &[(&str, ParamValue)]) -> IndexMap<String, ParamValue> {
        values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn values_become_literals_in_their_places() {
        let plan = plan("SELECT a\nFROM t\nWHERE m = :worst AND c -:code > 1", &[("worst", text(64)), ("code", int())]);
        let given = values(&[
            ("worst", ParamValue::String("O'Brien' OR 1=1 --".to_owned())),
            ("code", ParamValue::Int(502)),
            ("other", ParamValue::Int(1)),
        ]);
        let filled = plan.filled(&given).unwrap();
        assert_eq!(filled, "SELECT a\nFROM t\nWHERE m = 'O''Brien'' OR 1=1 --' AND c -(502) > 1");
    }

    #[test]
    fn a_closed_statement_is_sent_as_it_is_stored() {
        let stored = "SELECT 'a' : b";
        assert_eq!(plan(stored, &[]).filled(&values(&[("b", ParamValue::Int(1))])).unwrap(), stored);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let plan = plan("SELECT a FROM t WHERE c = :code", &[("code", int())]);
        let missing = plan.filled(&values(&[])).unwrap_err();
        assert_eq!(missing.to_string(), "`code` has no value: step errors has not given one");
        for wrong in [ParamValue::Int(600), ParamValue::String("502".to_owned())] {
            let error = plan.filled(&values(&[("code", wrong.clone())])).unwrap_err();
            assert!(matches!(error, FillError::Misfit { .. }), "{wrong:?}: {error}");
        }
    }

    #[test]
    fn a_stored_statement_that_cannot_be_read_is_refused() {
        let error = plan("SELECT :code :code", &[("code", int())]).filled(&values(&[("code", ParamValue::Int(500))]));
        assert!(matches!(error, Err(FillError::Bind(_))), "{error:?}");
    }
}
