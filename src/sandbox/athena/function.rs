//! Athena's functions: which the engine has, which are rewritten or registered here, and which the sandbox must refuse.

mod civil;
mod column;
mod convert;
mod json;
mod shim;
mod time;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Value,
};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use super::error::Failure;

pub(super) use convert::TO_VARCHAR;

/// The functions registered with the engine.
pub(super) fn shims() -> Vec<Arc<ScalarUDF>> {
    let mut all = time::all();
    all.extend(words::all());
    all.extend(convert::all());
    all
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The engine's function of this name means the same.
    As(&'static str),
    /// An aggregate or window function of this name.
    Aggregate(&'static str),
    /// Written otherwise.
    Rewritten(fn(Function) -> Result<Expr, String>),
}

/// The functions that work here. The first name is Athena's.
const KNOWN: &[(&str, Fate)] = &[
    ("abs", Fate::As("abs")),
    ("acos", Fate::As("acos")),
    ("approx_distinct", Fate::Aggregate("approx_distinct")),
    ("approx_percentile", Fate::Rewritten(approx_percentile)),
    ("arbitrary", Fate::Aggregate("any_value")),
    ("any_value", Fate::Aggregate("any_value")),
    ("array_agg", Fate::Aggregate("array_agg")),
    ("array_distinct", Fate::As("array_distinct")),
    ("array_except", Fate::As("array_except")),
    ("array_intersect", Fate::As("array_intersect")),
    ("array_join", Fate::As("array_to_string")),
    ("array_max", Fate::As("array_max")),
    ("array_min", Fate::As("array_min")),
    ("array_remove", Fate::As("array_remove_all")),
    ("array_sort", Fate::As("array_sort")),
    ("array_union", Fate::As("array_union")),
    ("asin", Fate::As("asin")),
    ("atan", Fate::As("atan")),
    ("atan2", Fate::As("atan2")),
    ("avg", Fate::Aggregate("avg")),
    ("bool_and", Fate::Aggregate("bool_and")),
    ("bool_or", Fate::Aggregate("bool_or")),
    ("cardinality", Fate::As("cardinality")),
    ("cbrt", Fate::As("cbrt")),
    ("ceil", Fate::As("ceil")),
    ("ceiling", Fate::As("ceil")),
    ("chr", Fate::As("chr")),
    ("coalesce", Fate::As("coalesce")),
    ("concat", Fate::Rewritten(concat)),
    ("contains", Fate::As("array_has")),
    ("corr", Fate::Aggregate("corr")),
    ("cos", Fate::As("cos")),
    ("cosh", Fate::As("cosh")),
    ("count", Fate::Aggregate("count")),
    ("count_if", Fate::Rewritten(count_if)),
    ("covar_pop", Fate::Aggregate("covar_pop")),
    ("covar_samp", Fate::Aggregate("covar_samp")),
    ("cume_dist", Fate::Aggregate("cume_dist")),
    ("current_date", Fate::As("current_date")),
    ("current_timestamp", Fate::As("now")),
    ("date", Fate::As("tg_date")),
    ("date_add", Fate::As("tg_date_add")),
    ("date_diff", Fate::As("tg_date_diff")),
    ("date_format", Fate::As("tg_date_format")),
    ("date_parse", Fate::As("tg_date_parse")),
    ("date_trunc", Fate::As("tg_date_trunc")),
    ("day", Fate::As("tg_day")),
    ("day_of_month", Fate::As("tg_day")),
    ("day_of_week", Fate::As("tg_day_of_week")),
    ("day_of_year", Fate::As("tg_day_of_year")),
    ("degrees", Fate::As("degrees")),
    ("dense_rank", Fate::Aggregate("dense_rank")),
    ("dow", Fate::As("tg_day_of_week")),
    ("doy", Fate::As("tg_day_of_year")),
    ("element_at", Fate::As("array_element")),
    ("every", Fate::Aggregate("bool_and")),
    ("exp", Fate::As("exp")),
    ("first_value", Fate::Aggregate("first_value")),
    ("flatten", Fate::As("flatten")),
    ("floor", Fate::As("floor")),
    ("from_iso8601_date", Fate::As("tg_from_iso8601_date")),
    ("from_iso8601_timestamp", Fate::As("tg_from_iso8601_timestamp")),
    ("from_unixtime", Fate::As("tg_from_unixtime")),
    ("greatest", Fate::Rewritten(greatest)),
    ("grouping", Fate::Aggregate("grouping")),
    ("hour", Fate::As("tg_hour")),
    ("if", Fate::Rewritten(if_else)),
    ("is_nan", Fate::As("isnan")),
    ("json_array_length", Fate::As("tg_json_array_length")),
    ("json_extract_scalar", Fate::As("tg_json_extract_scalar")),
    ("lag", Fate::Aggregate("lag")),
    ("last_value", Fate::Aggregate("last_value")),
    ("lead", Fate::Aggregate("lead")),
    ("least", Fate::Rewritten(least)),
    ("length", Fate::As("character_length")),
    ("levenshtein_distance", Fate::As("levenshtein")),
    ("ln", Fate::As("ln")),
    ("localtimestamp", Fate::Rewritten(localtimestamp)),
    ("log", Fate::As("log")),
    ("log10", Fate::As("log10")),
    ("log2", Fate::As("log2")),
    ("lower", Fate::As("lower")),
    ("lpad", Fate::As("lpad")),
    ("ltrim", Fate::As("ltrim")),
    ("max", Fate::Aggregate("max")),
    ("max_by", Fate::Rewritten(max_by)),
    ("millisecond", Fate::As("tg_millisecond")),
    ("min", Fate::Aggregate("min")),
    ("min_by", Fate::Rewritten(min_by)),
    ("minute", Fate::As("tg_minute")),
    ("mod", Fate::Rewritten(modulo)),
    ("month", Fate::As("tg_month")),
    ("now", Fate::As("now")),
    ("nth_value", Fate::Aggregate("nth_value")),
    ("ntile", Fate::Aggregate("ntile")),
    ("nullif", Fate::As("nullif")),
    ("percent_rank", Fate::Aggregate("percent_rank")),
    ("pi", Fate::As("pi")),
    ("pow", Fate::As("power")),
    ("power", Fate::As("power")),
    ("quarter", Fate::As("tg_quarter")),
    ("radians", Fate::As("radians")),
    ("rand", Fate::As("random")),
    ("random", Fate::As("random")),
    ("rank", Fate::Aggregate("rank")),
    ("regexp_count", Fate::As("tg_regexp_count")),
    ("regexp_extract", Fate::As("tg_regexp_extract")),
    ("regexp_like", Fate::As("tg_regexp_like")),
    ("regexp_replace", Fate::As("tg_regexp_replace")),
    ("replace", Fate::Rewritten(replace)),
    ("reverse", Fate::As("reverse")),
    ("round", Fate::As("round")),
    ("row_number", Fate::Aggregate("row_number")),
    ("rpad", Fate::As("rpad")),
    ("rtrim", Fate::As("rtrim")),
    ("second", Fate::As("tg_second")),
    ("sign", Fate::As("signum")),
    ("sin", Fate::As("sin")),
    ("sinh", Fate::As("sinh")),
    ("split", Fate::As("string_to_array")),
    ("split_part", Fate::As("tg_split_part")),
    ("sqrt", Fate::As("sqrt")),
    ("starts_with", Fate::As("starts_with")),
    ("stddev", Fate::Aggregate("stddev")),
    ("stddev_pop", Fate::Aggregate("stddev_pop")),
    ("stddev_samp", Fate::Aggregate("stddev")),
    ("strpos", Fate::As("strpos")),
    ("substr", Fate::As("tg_substr")),
    ("substring", Fate::As("tg_substr")),
    ("sum", Fate::Aggregate("sum")),
    ("tan", Fate::As("tan")),
    ("tanh", Fate::As("tanh")),
    ("to_iso8601", Fate::As("tg_to_iso8601")),
    ("to_unixtime", Fate::As("tg_to_unixtime")),
    ("translate", Fate::As("translate")),
    ("trim", Fate::As("btrim")),
    ("truncate", Fate::As("trunc")),
    ("upper", Fate::As("upper")),
    ("url_decode", Fate::As("tg_url_decode")),
    ("url_extract_host", Fate::As("tg_url_extract_host")),
    ("url_extract_parameter", Fate::As("tg_url_extract_parameter")),
    ("url_extract_path", Fate::As("tg_url_extract_path")),
    ("url_extract_query", Fate::As("tg_url_extract_query")),
    ("var_pop", Fate::Aggregate("var_pop")),
    ("var_samp", Fate::Aggregate("var")),
    ("variance", Fate::Aggregate("var")),
    ("week", Fate::As("tg_week")),
    ("week_of_year", Fate::As("tg_week")),
    ("year", Fate::As("tg_year")),
    ("year_of_week", Fate::As("tg_year_of_week")),
    ("yow", Fate::As("tg_year_of_week")),
];

static FATES: LazyLock<HashMap<&str, Fate>> = LazyLock::new(|| KNOWN.iter().copied().collect());

/// Trino's functions by name, to tell "Athena has it and the sandbox does not" from "there is no such function".
static TRINOS: LazyLock<HashMap<&str, ()>> = LazyLock::new(|| {
    include_str!("../../core/sql/facts/functions.txt")
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        .filter_map(|line| Some((line.split_whitespace().next()?, ())))
        .collect()
});

/// Rewrites one call into what the engine has.
///
/// # Errors
/// `FUNCTION_NOT_FOUND` as Athena words it, or an honest word where only the sandbox lacks it.
pub(super) fn rewrite(function: Function) -> Result<Expr, Failure> {
    let at = place(&function.name);
    let name = match function.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_lowercase()).unwrap_or_default(),
        _ => function.name.to_string().to_lowercase(),
    };
    let Some(fate) = FATES.get(name.as_str()) else {
        return Err(if TRINOS.contains_key(name.as_str()) || is_special(&name) {
            Failure::not_here(&format!("the function {name}")).at(at)
        } else {
            Failure::new("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered")).at(at)
        });
    };
    let renamed = |mut function: Function, to: &str| {
        function.name = ObjectName::from(vec![Ident::with_span(name_span(&function.name), to)]);
        Expr::Function(function)
    };
    match fate {
        Fate::As(to) => {
            let plain = function.filter.is_none() && function.over.is_none() && function.within_group.is_empty();
            if !plain {
                return Err(Failure::new("FUNCTION_NOT_AGGREGATE", format!("Function '{name}' is not an aggregate")).at(at));
            }
            Ok(renamed(function, to))
        }
        Fate::Aggregate(to) => Ok(renamed(function, to)),
        Fate::Rewritten(how) => how(function).map_err(|message| Failure::new("INVALID_FUNCTION_ARGUMENT", message).at(at)),
    }
}

/// What looks like a function and has syntax of its own, so that it is in no list of functions.
fn is_special(name: &str) -> bool {
    matches!(
        name,
        "try"
            | "current_user"
            | "current_catalog"
            | "current_schema"
            | "current_time"
            | "localtime"
            | "json_query"
            | "json_value"
            | "json_exists"
            | "json_object"
            | "json_array"
            | "normalize"
            | "row"
            | "unnest"
            | "format"
            | "listagg"
    )
}

fn name_span(name: &ObjectName) -> Span {
    name.0.first().and_then(|part| part.as_ident()).map_or_else(Span::empty, |i| i.span)
}

fn place(name: &ObjectName) -> Location {
    name_span(name).start
}

/// The plain arguments of a call.
fn arguments(function: &mut Function) -> Result<Vec<Expr>, String> {
    match std::mem::replace(&mut function.args, FunctionArguments::None) {
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => list
            .args
            .into_iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
                other => Err(format!("unexpected argument {other}")),
            })
            .collect(),
        FunctionArguments::None => Ok(Vec::new()),
        _ => Err("unexpected arguments".to_owned()),
    }
}

/// The same call of another function.
fn call(mut function: Function, name: &str, args: Vec<Expr>) -> Expr {
    function.name = ObjectName::from(vec![Ident::with_span(name_span(&function.name), name)]);
    function.args = list(args);
    Expr::Function(function)
}

fn list(args: Vec<Expr>) -> FunctionArguments {
    FunctionArguments::List(FunctionArgumentList {
        duplicate_treatment: None,
        args: args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect(),
        clauses: Vec::new(),
    })
}

/// A call of a scalar function.
pub(super) fn scalar(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: list(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn case(condition: Expr, then: Expr, other: Option<Expr>) -> Expr {
    Expr::Case {
        case_token: ast::helpers::attached_token::AttachedToken::empty(),
        end_token: ast::helpers::attached_token::AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: then }],
        else_result: other.map(Box::new),
    }
}

fn if_else(mut function: Function) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?.into_iter();
    match (args.next(), args.next(), args.next(), args.next()) {
        (Some(condition), Some(then), other, None) => Ok(Expr::Nested(Box::new(case(condition, then, other)))),
        _ => Err("Invalid number of arguments for 'if' function".to_owned()),
    }
}

/// `count(CASE WHEN c THEN 1 END)`, which works with FILTER and OVER too.
fn count_if(mut function: Function) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?.into_iter();
    match (args.next(), args.next()) {
        (Some(condition), None) => {
            let one = Expr::Value(Value::Number("1".to_owned(), false).into());
            Ok(call(function, "count", vec![case(condition, one, None)]))
        }
        _ => Err("count_if(boolean) takes one argument".to_owned()),
    }
}

/// The engine has one percentile at a time; an array of them becomes an array of calls.
fn approx_percentile(mut function: Function) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?.into_iter();
    match (args.next(), args.next(), args.next()) {
        (Some(of), Some(Expr::Array(percentiles)), None) => {
            let each = percentiles
                .elem
                .into_iter()
                .map(|p| call(function.clone(), "approx_percentile_cont", vec![of.clone(), p]))
                .collect();
            Ok(scalar("make_array", each))
        }
        (Some(of), Some(percentile), None) => Ok(call(function, "approx_percentile_cont", vec![of, percentile])),
        _ => Err("the sandbox's approx_percentile takes a value and a percentile; Athena's takes weights and an accuracy too"
            .to_owned()),
    }
}

/// `a || b`: NULL if any is, as Trino's concat has it.
fn concat(mut function: Function) -> Result<Expr, String> {
    let args = arguments(&mut function)?;
    if args.len() < 2 {
        return Err("There must be two or more concatenation arguments".to_owned());
    }
    let joined = args.into_iter().map(nested).reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::StringConcat,
        right: Box::new(right),
    });
    joined.map(nested).ok_or_else(|| "no arguments".to_owned())
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

/// The engine skips NULLs, Trino gives NULL if any argument is.
fn extreme(mut function: Function, name: &str) -> Result<Expr, String> {
    let args = arguments(&mut function)?;
    let any_null = args
        .iter()
        .cloned()
        .map(|arg| Expr::IsNull(Box::new(nested(arg))))
        .reduce(|left, right| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Or, right: Box::new(right) })
        .ok_or_else(|| format!("{name} needs at least one argument"))?;
    Ok(nested(case(any_null, null(), Some(scalar(name, args)))))
}

fn greatest(function: Function) -> Result<Expr, String> {
    extreme(function, "greatest")
}

fn least(function: Function) -> Result<Expr, String> {
    extreme(function, "least")
}

fn modulo(mut function: Function) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?.into_iter();
    match (args.next(), args.next(), args.next()) {
        (Some(left), Some(right), None) => Ok(nested(Expr::BinaryOp {
            left: Box::new(nested(left)),
            op: BinaryOperator::Modulo,
            right: Box::new(nested(right)),
        })),
        _ => Err("mod(n, m) takes two arguments".to_owned()),
    }
}

/// Without a replacement the text is removed.
fn replace(mut function: Function) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?;
    if args.len() == 2 {
        args.push(Expr::Value(Value::SingleQuotedString(String::new()).into()));
    }
    Ok(call(function, "replace", args))
}

fn localtimestamp(_: Function) -> Result<Expr, String> {
    Ok(Expr::Cast {
        kind: ast::CastKind::Cast,
        expr: Box::new(scalar("now", Vec::new())),
        data_type: ast::DataType::Timestamp(Some(3), ast::TimezoneInfo::None),
        array: false,
        format: None,
    })
}

fn max_by(function: Function) -> Result<Expr, String> {
    by(function, false)
}

fn min_by(function: Function) -> Result<Expr, String> {
    by(function, true)
}

/// The value of the row with the greatest (or least) key: the first one, ordered by the key.
fn by(mut function: Function, ascending: bool) -> Result<Expr, String> {
    let mut args = arguments(&mut function)?.into_iter();
    let (Some(value), Some(key), None) = (args.next(), args.next(), args.next()) else {
        return Err("the sandbox's max_by and min_by take a value and a key; Athena's take a count too".to_owned());
    };
    if function.over.is_some() {
        return Err("the sandbox has no max_by or min_by over a window; Athena does".to_owned());
    }
    let order = ast::OrderByExpr {
        expr: key,
        options: ast::OrderByOptions { asc: Some(ascending), nulls_first: Some(false) },
        with_fill: None,
    };
    let mut renamed = call(function, "first_value", vec![value]);
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut renamed {
        list.clauses.push(ast::FunctionArgumentClause::OrderBy(vec![order]));
    }
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_one_of_trinos() {
        for (name, _) in KNOWN {
            let special = ["if", "coalesce", "nullif", "current_timestamp", "localtimestamp", "grouping"].contains(name);
            assert!(special || TRINOS.contains_key(name), "{name} is no function of Trino's");
        }
        assert_eq!(FATES.len(), KNOWN.len(), "a name stands twice");
    }
}
