//! What depends on types: casts that round or print otherwise in Trino, decimals' scales, and operators between types that
//! Trino refuses to mix. Runs over the plan before the engine's own coercions hide who was what.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, Diagnostic, Result, Span};
use datafusion::functions::math;
use datafusion::logical_expr::expr::{AggregateFunction, InList, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Aggregate, Between, BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, Projection, ScalarUDF, TryCast,
};

use super::text::type_name;

/// The prefix of errors that carry Trino's error name.
pub(super) const CODED: &str = "tollgate:";

/// Applies Trino's typing to a plan.
///
/// # Errors
/// `TYPE_MISMATCH`, with the place of a column involved where there is one.
pub(super) fn apply(plan: LogicalPlan, to_varchar: &Arc<ScalarUDF>) -> Result<LogicalPlan> {
    let typed = plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        let names = NamePreserver::new(&plan);
        let plan = plan
            .map_expressions(|expr| {
                let saved = names.save(&expr);
                let rewritten = expr.transform_up(|expr| one(expr, &schema, to_varchar))?;
                Ok(rewritten.update_data(|expr| saved.restore(expr)))
            })?
            .map_data(LogicalPlan::recompute_schema)?;
        plan.transform_data(|plan| match plan {
            LogicalPlan::Aggregate(aggregate) => averages(aggregate),
            other => Ok(Transformed::no(other)),
        })
    })?;
    Ok(typed.data)
}

fn one(expr: Expr, schema: &DFSchema, to_varchar: &Arc<ScalarUDF>) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr: of, field }) => {
            let cast = |of: Box<Expr>| Expr::Cast(Cast::new_from_field(of, Arc::clone(&field)));
            Ok(convert(of, field.data_type(), schema, to_varchar, cast))
        }
        Expr::TryCast(TryCast { expr: of, field }) => {
            let cast = |of: Box<Expr>| Expr::TryCast(TryCast::new(of, field.data_type().clone()));
            Ok(convert(of, field.data_type(), schema, to_varchar, cast))
        }
        Expr::BinaryExpr(binary) => operator(binary, schema),
        Expr::Between(between) => {
            let Between { expr, low, high, .. } = &between;
            comparable(expr, low, "<=", schema)?;
            comparable(expr, high, "<=", schema)?;
            Ok(Transformed::no(Expr::Between(between)))
        }
        Expr::InList(list) => {
            let InList { expr, list: items, .. } = &list;
            for item in items {
                comparable(expr, item, "=", schema)?;
            }
            Ok(Transformed::no(Expr::InList(list)))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// Casts: to varchar as Trino prints, to whole numbers rounded and not cut.
fn convert(
    of: Box<Expr>,
    to: &DataType,
    schema: &DFSchema,
    to_varchar: &Arc<ScalarUDF>,
    cast: impl Fn(Box<Expr>) -> Expr,
) -> Transformed<Expr> {
    let from = of.get_type(schema).unwrap_or(DataType::Null);
    if *to == DataType::Utf8 && !is_text(&from) && from != DataType::Null {
        return Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(to_varchar), vec![*of])));
    }
    let fractional = from.is_floating() || matches!(from, DataType::Decimal128(_, scale) if scale > 0);
    if to.is_integer() && fractional {
        let rounded = Expr::ScalarFunction(ScalarFunction::new_udf(math::round(), vec![*of]));
        return Transformed::yes(cast(Box::new(rounded)));
    }
    Transformed::no(cast(of))
}

fn operator(binary: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let BinaryExpr { left, op, right } = &binary;
    if op.supports_propagation() || matches!(op, Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom) {
        comparable(left, right, &op.to_string(), schema)?;
    }
    let (a, b) = (kind_of(left, schema), kind_of(right, schema));
    let arithmetic = matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo);
    if arithmetic && (a == Kind::Text || b == Kind::Text || a == Kind::Boolean || b == Kind::Boolean) {
        return Err(mismatch(left, &op.to_string(), right, schema));
    }
    if *op == Operator::StringConcat && [a, b].iter().any(|k| !matches!(k, Kind::Text | Kind::Unknown)) {
        return Err(mismatch(left, "||", right, schema));
    }
    if *op == Operator::Divide
        && let (Some((p1, s1)), Some((p2, s2))) = (decimal(left, schema), decimal(right, schema))
        && (is_decimal(left, schema) || is_decimal(right, schema))
    {
        // Trino keeps the larger scale; the engine adds digits.
        let scale = s1.max(s2);
        let precision = i16::from(p1) + i16::from(s2) + i16::from((s2 - s1).max(0));
        let precision = u8::try_from(precision.clamp(1, 38)).unwrap_or(38);
        let _ = p2;
        let rounded = Cast::new(Box::new(Expr::BinaryExpr(binary)), DataType::Decimal128(precision, scale));
        return Ok(Transformed::yes(Expr::Cast(rounded)));
    }
    Ok(Transformed::no(Expr::BinaryExpr(binary)))
}

/// A decimal's precision and scale; whole numbers are decimals of their own width.
fn decimal(expr: &Expr, schema: &DFSchema) -> Option<(u8, i8)> {
    match expr.get_type(schema).ok()? {
        DataType::Decimal128(precision, scale) => Some((precision, scale)),
        DataType::Int64 => Some((19, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int8 => Some((3, 0)),
        _ => None,
    }
}

fn is_decimal(expr: &Expr, schema: &DFSchema) -> bool {
    matches!(expr.get_type(schema), Ok(DataType::Decimal128(..)))
}

/// What may be compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Moment,
    /// NULL, nested types, and what the planner has no type for yet.
    Unknown,
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn kind_of(expr: &Expr, schema: &DFSchema) -> Kind {
    match expr.get_type(schema) {
        Ok(ty) if is_text(&ty) => Kind::Text,
        Ok(ty) if ty.is_numeric() => Kind::Number,
        Ok(DataType::Boolean) => Kind::Boolean,
        Ok(DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) => Kind::Moment,
        _ => Kind::Unknown,
    }
}

fn comparable(left: &Expr, right: &Expr, op: &str, schema: &DFSchema) -> Result<()> {
    let (a, b) = (kind_of(left, schema), kind_of(right, schema));
    if a == Kind::Unknown || b == Kind::Unknown || a == b { Ok(()) } else { Err(mismatch(left, op, right, schema)) }
}

fn mismatch(left: &Expr, op: &str, right: &Expr, schema: &DFSchema) -> DataFusionError {
    let name = |expr: &Expr| expr.get_type(schema).map_or_else(|_| "unknown".to_owned(), |ty| type_name(&ty));
    let error = DataFusionError::Plan(format!("{CODED}TYPE_MISMATCH:Cannot apply operator: {} {op} {}", name(left), name(right)));
    let span = place(left).or_else(|| place(right));
    error.with_diagnostic(Diagnostic::new_error("type mismatch", span))
}

/// Where a column in an expression was written.
fn place(expr: &Expr) -> Option<Span> {
    let mut found = None;
    let _ = expr.apply(|expr| {
        if let Expr::Column(Column { spans, .. }) = expr {
            found = found.or_else(|| spans.first());
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    found
}

/// `avg` of a decimal keeps its type in Trino; the engine adds digits. The rounding stands above the aggregation.
fn averages(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let schema = Arc::clone(aggregate.input.schema());
    let groups = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let wanted: Vec<Option<DataType>> = aggregate.aggr_expr.iter().map(|expr| average_type(expr, &schema)).collect();
    if wanted.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let columns = aggregate.schema.columns();
    let exprs: Vec<Expr> = columns
        .into_iter()
        .enumerate()
        .map(|(index, column)| match index.checked_sub(groups).and_then(|i| wanted.get(i)).and_then(Option::as_ref) {
            Some(ty) => {
                let name = column.name.clone();
                let relation = column.relation.clone();
                Expr::Cast(Cast::new(Box::new(Expr::Column(column)), ty.clone())).alias_qualified(relation, name)
            }
            None => Expr::Column(column),
        })
        .collect();
    let input = Arc::new(LogicalPlan::Aggregate(aggregate));
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(exprs, input)?)))
}

/// The type of an `avg` over a decimal.
fn average_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    match expr {
        Expr::Alias(alias) => average_type(&alias.expr, schema),
        Expr::AggregateFunction(AggregateFunction { func, params }) if func.name() == "avg" => {
            match params.args.first()?.get_type(schema).ok()? {
                ty @ DataType::Decimal128(..) => Some(ty),
                _ => None,
            }
        }
        _ => None,
    }
}
