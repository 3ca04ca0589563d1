//! One scalar function of Athena's that the engine lacks, or has with another meaning.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// What a function is given and gives: argument types after coercion, and the type of the result.
pub(super) type Types = (Vec<DataType>, DataType);

/// A function over whole columns. Names are unique, so a shim is its name.
#[derive(Debug)]
pub(super) struct Shim {
    /// The engine's name, `tg_…`: the statement is rewritten to it, so that nothing of the engine's own is shadowed.
    name: &'static str,
    /// Chooses the types by those of the arguments; the error text is for the operator.
    types: fn(&[DataType]) -> Result<Types, String>,
    body: fn(&[ArrayRef], &DataType) -> Result<ArrayRef, String>,
    signature: Signature,
}

impl Shim {
    pub(super) fn udf(
        name: &'static str,
        types: fn(&[DataType]) -> Result<Types, String>,
        body: fn(&[ArrayRef], &DataType) -> Result<ArrayRef, String>,
    ) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, types, body, signature }))
    }

    /// The name as Athena has it.
    fn shown(&self) -> &'static str {
        self.name.trim_start_matches("tg_")
    }

    fn choose(&self, given: &[DataType]) -> Result<Types> {
        (self.types)(given).map_err(|wanted| {
            let given: Vec<String> = given.iter().map(super::super::text::type_name).collect();
            DataFusionError::Plan(format!(
                "Unexpected parameters ({}) for function {}. Expected: {wanted}",
                given.join(", "),
                self.shown()
            ))
        })
    }
}

impl PartialEq for Shim {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Shim {}

impl std::hash::Hash for Shim {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Shim {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(self.choose(given)?.1)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(self.choose(given)?.0)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = if constant {
            args.args.iter().map(|arg| arg.to_array(1)).collect::<Result<Vec<_>>>()?
        } else {
            args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?
        };
        let array = (self.body)(&arrays, args.return_field.data_type())
            .map_err(|message| DataFusionError::Execution(format!("INVALID_FUNCTION_ARGUMENT: {message}")))?;
        if constant {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}
