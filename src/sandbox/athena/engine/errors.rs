//! The engine's errors in Athena's words.

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::super::error::Failure;
use super::super::text::type_name;
use super::super::typing::CODED;

/// What an error of the engine means to the client.
pub(super) fn failure(error: &DataFusionError) -> Failure {
    let place =
        error.diagnostic().and_then(|found| found.span).map(|span| Location { line: span.start.line, column: span.start.column });
    let failure = of_root(error.find_root());
    match place {
        Some(at) if failure.place.is_none() => failure.at(at),
        _ => failure,
    }
}

fn of_root(root: &DataFusionError) -> Failure {
    match root {
        DataFusionError::SchemaError(error, _) => of_schema(error),
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        DataFusionError::Plan(message) => of_plan(message),
        DataFusionError::Execution(message) => of_execution(message),
        DataFusionError::NotImplemented(message) => {
            Failure::new("NOT_SUPPORTED", format!("the sandbox's engine cannot do this: {}", first_line(message)))
        }
        DataFusionError::ResourcesExhausted(_) => {
            Failure::new("EXCEEDED_LOCAL_MEMORY_LIMIT", "Query exceeded per-node memory limit of 1GB in the sandbox")
        }
        DataFusionError::SQL(error, _) => Failure::new("SYNTAX_ERROR", error.to_string()),
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => of_root(inner),
        other => {
            let text = other.strip_backtrace();
            match divided_by_zero(&text) {
                Some(failure) => failure,
                None => Failure::system(format!("the sandbox's engine failed: {}", first_line(&text))),
            }
        }
    }
}

fn of_schema(error: &SchemaError) -> Failure {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            let name = field.flat_name().replace('"', "");
            Failure::new(
                "COLUMN_NOT_FOUND",
                format!("Column '{name}' cannot be resolved or requester is not authorized to access requested resources"),
            )
        }
        SchemaError::AmbiguousReference { field } => {
            Failure::new("AMBIGUOUS_NAME", format!("Column '{}' is ambiguous", field.name))
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            Failure::new("NOT_SUPPORTED", format!("the sandbox's engine needs distinct names; give '{name}' an alias"))
        }
    }
}

fn of_arrow(error: &ArrowError) -> Failure {
    match error {
        ArrowError::DivideByZero => Failure::new("DIVISION_BY_ZERO", "Division by zero"),
        ArrowError::CastError(message) | ArrowError::ParseError(message) => {
            Failure::new("INVALID_CAST_ARGUMENT", first_line(message))
        }
        ArrowError::ArithmeticOverflow(message) => Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", first_line(message)),
        other => {
            let text = other.to_string();
            divided_by_zero(&text).unwrap_or_else(|| Failure::system(first_line(&text)))
        }
    }
}

fn divided_by_zero(text: &str) -> Option<Failure> {
    text.to_lowercase().contains("divide by zero").then(|| Failure::new("DIVISION_BY_ZERO", "Division by zero"))
}

fn of_plan(message: &str) -> Failure {
    if let Some((code, rest)) = message.strip_prefix(CODED).and_then(|rest| rest.split_once(':')) {
        return Failure::new(code, rest);
    }
    let line = first_line(message);
    if let Some(mismatch) =
        line.strip_prefix("Cannot coerce arithmetic expression ").and_then(|rest| rest.split_once(" to valid"))
    {
        let words: Vec<String> =
            mismatch.0.split(' ').map(|word| word.parse().map_or_else(|_| word.to_owned(), |ty| type_name(&ty))).collect();
        return Failure::new("TYPE_MISMATCH", format!("Cannot apply operator: {}", words.join(" ")));
    }
    // "Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "…" must appear …"
    if line.contains("must be in GROUP BY") || line.contains("must appear in the GROUP BY") {
        let name = line.split('"').nth(1).unwrap_or("expression").rsplit('.').next().unwrap_or("expression").to_owned();
        return Failure::new(
            "EXPRESSION_NOT_AGGREGATE",
            format!("'{name}' must be an aggregate expression or appear in GROUP BY clause"),
        );
    }
    if line.contains("Unexpected parameters") {
        // The planner adds what it tried to coerce; only our own sentence is for the operator.
        let own = line.find("Unexpected parameters").and_then(|at| line.get(at..)).unwrap_or(&line);
        let own = own.split(" No function matches").next().unwrap_or(own);
        return Failure::new("FUNCTION_NOT_FOUND", own.trim_end_matches('.').to_owned());
    }
    if line.contains("number of columns") || line.contains("UNION queries have different number") {
        return Failure::new("TYPE_MISMATCH", line);
    }
    if line.contains("No function matches") || line.contains("failed to match any signature") || line.contains("coercion") {
        return Failure::new("FUNCTION_NOT_FOUND", line);
    }
    Failure::new("SYNTAX_ERROR", line)
}

fn of_execution(message: &str) -> Failure {
    let line = first_line(message);
    match line.split_once("INVALID_FUNCTION_ARGUMENT: ") {
        Some((_, rest)) => Failure::new("INVALID_FUNCTION_ARGUMENT", rest),
        None => divided_by_zero(&line).unwrap_or_else(|| Failure::new("GENERIC_USER_ERROR", line)),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
