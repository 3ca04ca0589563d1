//! Turns a statement's tree into one that means the same to the engine.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, CastKind, DataType, DateTimeField, Expr, Ident, Query, SelectItem, SetExpr, Spanned, TimezoneInfo, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::error::Failure;
use super::function;
use super::statement::Statement;

/// A query, rewritten, with the names that its result columns get.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// For the planner.
    pub(super) query: Box<Query>,
    /// By position: the name to show. `None` where the planner's own name stands (columns of a `*`).
    pub(super) names: Option<Vec<String>>,
}

/// Rewrites a query.
///
/// # Errors
/// What Athena would refuse, and what only the sandbox cannot do, each with its place.
pub(super) fn rewrite(statement: &Statement, query: &Query) -> Result<Rewritten, Failure> {
    let mut query = Box::new(query.clone());
    if let ControlFlow::Break(failure) = query.visit(&mut Expressions) {
        return Err(failure);
    }
    let names = name_outputs(&mut query.body, statement);
    Ok(Rewritten { query, names })
}

/// The leftmost SELECT of a set operation names the columns.
fn leftmost(body: &mut SetExpr) -> Option<&mut ast::Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => leftmost(&mut query.body),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}

/// Gives unnamed outputs Athena's names (`_col0`), and duplicate ones a name of their own towards the planner, which insists
/// on it.
fn name_outputs(body: &mut SetExpr, statement: &Statement) -> Option<Vec<String>> {
    let select = leftmost(body)?;
    let mut names = Vec::with_capacity(select.projection.len());
    let mut seen = HashSet::new();
    for (index, item) in select.projection.iter_mut().enumerate() {
        let (expr, shown) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let shown = match &*expr {
                    Expr::Identifier(ident) => spelled(ident, statement),
                    Expr::CompoundIdentifier(parts) => parts.last().map_or_else(String::new, |ident| spelled(ident, statement)),
                    _ => format!("_col{index}"),
                };
                (expr.clone(), shown)
            }
            SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), spelled(alias, statement)),
            // After a `*` the positions are not known here; then the planner's names stand.
            _ => return None,
        };
        let fold = shown.to_lowercase();
        let column = matches!(&*item, SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)));
        if !seen.insert(fold.clone()) {
            *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', format!("tg_output_{index}")) };
        } else if !column {
            *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', fold) };
        }
        names.push(shown);
    }
    Some(names)
}

/// An identifier as it was written.
fn spelled(ident: &Ident, statement: &Statement) -> String {
    statement.spelled.get(&ident.span.start).cloned().unwrap_or_else(|| ident.value.clone())
}

struct Expressions;

impl VisitorMut for Expressions {
    type Break = Failure;

    // After its parts: an argument is rewritten before the call around it.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
        let at = expr.span().start;
        let taken = std::mem::replace(expr, Expr::Value(ast::Value::Null.into()));
        match one(taken, at) {
            Ok(rewritten) => {
                *expr = rewritten;
                ControlFlow::Continue(())
            }
            Err(failure) => ControlFlow::Break(failure),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<Failure> {
        let refused = match factor {
            ast::TableFactor::UNNEST { .. } => "UNNEST over a column in a join",
            ast::TableFactor::TableFunction { .. } | ast::TableFactor::Function { .. } => "table functions",
            ast::TableFactor::MatchRecognize { .. } => "MATCH_RECOGNIZE",
            ast::TableFactor::JsonTable { .. } => "JSON_TABLE",
            ast::TableFactor::Table { args: Some(_), .. } => "table functions",
            ast::TableFactor::Table { sample: Some(_), .. } => "TABLESAMPLE",
            ast::TableFactor::Table { version: Some(_), .. } => "time travel",
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(Failure::not_here(refused).at(factor.span().start))
    }
}

/// One expression whose parts are rewritten already.
fn one(expr: Expr, at: Location) -> Result<Expr, Failure> {
    Ok(match expr {
        Expr::Function(call) => function::rewrite(call)?,
        Expr::Cast { kind, expr, data_type, array, format } => {
            if matches!(kind, CastKind::DoubleColon) {
                return Err(Failure::new("SYNTAX_ERROR", "Athena has no '::'; write CAST(x AS type)").at(at));
            }
            cast(kind, expr, data_type, array, format, at)?
        }
        Expr::Extract { field, expr, .. } => extract(&field, *expr, at)?,
        Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
            let mut args = vec![*expr, *from];
            args.extend(substring_for.map(|length| *length));
            function::scalar("tg_substr", args)
        }
        Expr::ILike { .. } => return Err(Failure::new("SYNTAX_ERROR", "Athena has no ILIKE; compare lower(x)").at(at)),
        Expr::SimilarTo { .. } | Expr::RLike { .. } => {
            return Err(Failure::new("SYNTAX_ERROR", "Athena has no SIMILAR TO or RLIKE; use regexp_like").at(at));
        }
        Expr::Lambda(_) => return Err(Failure::not_here("lambda expressions").at(at)),
        Expr::Map(_) | Expr::Dictionary(_) | Expr::Struct { .. } | Expr::JsonAccess { .. } | Expr::MatchAgainst { .. } => {
            return Err(Failure::new("SYNTAX_ERROR", "Athena has no such expression").at(at));
        }
        Expr::TypedString(mut typed) => {
            typed.data_type = data_type(typed.data_type, at)?;
            Expr::TypedString(typed)
        }
        other => other,
    })
}

fn cast(
    kind: CastKind,
    expr: Box<Expr>,
    ty: DataType,
    array: bool,
    format: Option<ast::CastFormat>,
    at: Location,
) -> Result<Expr, Failure> {
    let length = match &ty {
        DataType::Varchar(Some(ast::CharacterLength::IntegerLength { length, .. })) => Some(*length),
        _ => None,
    };
    let data_type = data_type(ty, at)?;
    let cast = Expr::Cast { kind, expr, data_type, array, format };
    Ok(match length {
        // `CAST(x AS varchar(3))` cuts.
        Some(length) => function::scalar("tg_substr", vec![cast, number(1), number(length)]),
        None => cast,
    })
}

fn number(value: u64) -> Expr {
    Expr::Value(ast::Value::Number(value.to_string(), false).into())
}

/// Trino's type names that the planner knows by other names, or not at all.
fn data_type(ty: DataType, at: Location) -> Result<DataType, Failure> {
    Ok(match ty {
        DataType::Varchar(_) => DataType::Varchar(None),
        DataType::Timestamp(_, zone @ (TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)) => {
            let _ = zone;
            DataType::Timestamp(Some(3), TimezoneInfo::None)
        }
        DataType::Timestamp(_, _) => DataType::Timestamp(Some(3), TimezoneInfo::WithTimeZone),
        DataType::Varbinary(_) => DataType::Bytea,
        DataType::Char(_) | DataType::Character(_) => return Err(Failure::not_here("the type char").at(at)),
        DataType::JSON => return Err(Failure::not_here("the type json").at(at)),
        DataType::Text | DataType::String(_) => return Err(unknown_type(&ty, at)),
        DataType::Boolean
        | DataType::TinyInt(None)
        | DataType::SmallInt(None)
        | DataType::Integer(None)
        | DataType::Int(None)
        | DataType::BigInt(None)
        | DataType::Real
        | DataType::Double(_)
        | DataType::DoublePrecision
        | DataType::Decimal(_)
        | DataType::Date
        | DataType::Time(..) => ty,
        other => {
            let name = other.to_string().to_lowercase();
            let head = name.split(['(', '<', ' ']).next().unwrap_or_default().to_owned();
            if matches!(head.as_str(), "array" | "map" | "row" | "ipaddress" | "uuid" | "hyperloglog" | "interval") {
                return Err(Failure::not_here(&format!("casts to {head}")).at(at));
            }
            return Err(unknown_type(&other, at));
        }
    })
}

fn unknown_type(ty: &DataType, at: Location) -> Failure {
    Failure::new("TYPE_NOT_FOUND", format!("Unknown type: {}", ty.to_string().to_lowercase())).at(at)
}

fn extract(field: &DateTimeField, expr: Expr, at: Location) -> Result<Expr, Failure> {
    let name = match field {
        DateTimeField::Year => "tg_year",
        DateTimeField::Quarter => "tg_quarter",
        DateTimeField::Month => "tg_month",
        DateTimeField::Week(_) => "tg_week",
        DateTimeField::Day => "tg_day",
        DateTimeField::DayOfWeek | DateTimeField::Dow => "tg_day_of_week",
        DateTimeField::DayOfYear | DateTimeField::Doy => "tg_day_of_year",
        DateTimeField::Hour => "tg_hour",
        DateTimeField::Minute => "tg_minute",
        DateTimeField::Second => "tg_second",
        other => return Err(Failure::not_here(&format!("EXTRACT({other} FROM …)")).at(at)),
    };
    Ok(function::scalar(name, vec![expr]))
}
