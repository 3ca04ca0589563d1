//! Which type becomes which: implicit coercion and common types as Trino has them (`TypeCoercion` in its sources), and casts.

use std::sync::Arc;

use crate::core::sql::types::{RowField, Type};

/// The type that both coerce to, and whether the first coerces to the second as it stands. `None` where they have nothing in common.
fn compatibility(from: &Type, to: &Type) -> Option<(Type, bool)> {
    if from == to || *from == Type::Unknown {
        return Some((to.clone(), true));
    }
    if *to == Type::Unknown {
        return Some((from.clone(), false));
    }
    if from.base() == to.base() {
        let common = match (from, to) {
            (Type::Decimal(p1, s1), Type::Decimal(p2, s2)) => {
                let scale = *s1.max(s2);
                let whole = (p1 - s1).max(p2 - s2);
                Type::Decimal((whole + scale).min(38), scale)
            }
            (Type::Varchar(a), Type::Varchar(b)) => Type::Varchar(a.zip(*b).map(|(a, b)| a.max(b))),
            (Type::Char(a), Type::Char(b)) => Type::Char(*a.max(b)),
            (Type::Timestamp(a), Type::Timestamp(b)) => Type::Timestamp(*a.max(b)),
            (Type::TimestampTz(a), Type::TimestampTz(b)) => Type::TimestampTz(*a.max(b)),
            (Type::Time(a), Type::Time(b)) => Type::Time(*a.max(b)),
            (Type::TimeTz(a), Type::TimeTz(b)) => Type::TimeTz(*a.max(b)),
            (Type::Row(a), Type::Row(b)) => return rows(a, b),
            (Type::Array(a), Type::Array(b)) => {
                let (common, coercible) = compatibility(a, b)?;
                return Some((Type::array(common), coercible));
            }
            (Type::Map(a), Type::Map(b)) => {
                let (key, key_coercible) = compatibility(&a.0, &b.0)?;
                let (value, value_coercible) = compatibility(&a.1, &b.1)?;
                return Some((Type::map(key, value), key_coercible && value_coercible));
            }
            _ => return None,
        };
        let coercible = common == *to;
        return Some((common, coercible));
    }
    if let Some(coerced) = to_base(from, to.base()) {
        return compatibility(&coerced, to);
    }
    if let Some(coerced) = to_base(to, from.base()) {
        return compatibility(from, &coerced).map(|(common, _)| (common, false));
    }
    None
}

fn rows(from: &Arc<[RowField]>, to: &Arc<[RowField]>) -> Option<(Type, bool)> {
    if from.len() != to.len() {
        return None;
    }
    let mut coercible = true;
    let mut fields = Vec::with_capacity(from.len());
    for (a, b) in from.iter().zip(to.iter()) {
        let (kind, one) = compatibility(&a.kind, &b.kind)?;
        coercible &= one;
        fields.push(RowField { name: if a.name == b.name { a.name.clone() } else { None }, kind });
    }
    Some((Type::Row(fields.into()), coercible))
}

/// The narrowest type of base `base` that `from` coerces to.
pub(crate) fn to_base(from: &Type, base: &str) -> Option<Type> {
    if from.base() == base {
        return Some(from.clone());
    }
    let number = |digits: u8, wider: &[&str]| match base {
        "decimal" => Some(Type::Decimal(digits, 0)),
        _ if wider.contains(&base) => Type::named(base, &[]),
        _ => None,
    };
    match from {
        Type::Unknown => match base {
            "varchar" => Some(Type::Varchar(Some(0))),
            "char" => Some(Type::Char(0)),
            "decimal" => Some(Type::Decimal(1, 0)),
            "boolean"
            | "bigint"
            | "integer"
            | "double"
            | "real"
            | "varbinary"
            | "date"
            | "time"
            | "time with time zone"
            | "timestamp"
            | "timestamp with time zone"
            | "hyperloglog"
            | "setdigest"
            | "p4hyperloglog"
            | "json"
            | "interval year to month"
            | "interval day to second"
            | "joniregexp"
            | "jsonpath"
            | "color"
            | "codepoints" => Type::named(base, &[]),
            _ => None,
        },
        Type::Tinyint => number(3, &["smallint", "integer", "bigint", "real", "double"]),
        Type::Smallint => number(5, &["integer", "bigint", "real", "double"]),
        Type::Integer => number(10, &["bigint", "real", "double"]),
        Type::Bigint => number(19, &["real", "double"]),
        Type::Decimal(..) if matches!(base, "real" | "double") => Type::named(base, &[]),
        Type::Real if base == "double" => Some(Type::Double),
        Type::Date if base == "timestamp" => Some(Type::Timestamp(0)),
        Type::Date if base == "timestamp with time zone" => Some(Type::TimestampTz(0)),
        Type::Time(p) if base == "time with time zone" => Some(Type::TimeTz(*p)),
        Type::Timestamp(p) if base == "timestamp with time zone" => Some(Type::TimestampTz(*p)),
        Type::Varchar(length) if base == "char" => Some(Type::Char(length.unwrap_or(65_536).min(65_536))),
        Type::Varchar(_) | Type::Char(_) if matches!(base, "joniregexp" | "jsonpath" | "codepoints") => Type::named(base, &[]),
        Type::Opaque("p4hyperloglog") if base == "hyperloglog" => Some(Type::Opaque("hyperloglog")),
        _ => None,
    }
}

/// The type that values of both become where they meet: in CASE, COALESCE, UNION, comparisons. `None`: type mismatch.
pub fn common_type(first: &Type, second: &Type) -> Option<Type> {
    compatibility(first, second).map(|(common, _)| common)
}

/// Whether a value of `from` is taken where `to` is asked for.
pub fn coerces(from: &Type, to: &Type) -> bool {
    compatibility(from, to).is_some_and(|(_, coercible)| coercible)
}

/// Whether `CAST(from AS to)` exists.
pub fn casts(from: &Type, to: &Type) -> bool {
    use Type as T;
    if from == to || *from == T::Unknown {
        return true;
    }
    let number = |kind: &Type| kind.is_numeric();
    match (from, to) {
        (_, T::Unknown) | (T::Function(_), _) | (_, T::Function(_)) => false,
        (T::Array(a), T::Array(b)) => casts(a, b),
        (T::Map(a), T::Map(b)) => casts(&a.0, &b.0) && casts(&a.1, &b.1),
        (T::Row(a), T::Row(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| casts(&a.kind, &b.kind)),
        (T::Array(_) | T::Map(_) | T::Row(_), T::Json) => into_json(from),
        (T::Json, T::Array(_) | T::Map(_) | T::Row(_)) => out_of_json(to),
        (T::Array(_) | T::Map(_) | T::Row(_), _) | (_, T::Array(_) | T::Map(_) | T::Row(_)) => false,
        (T::Json, _) => matches!(to, T::Boolean | T::Varchar(_)) || number(to),
        (_, T::Json) => matches!(from, T::Boolean | T::Varchar(_) | T::Date | T::Timestamp(_)) || number(from),
        (T::Boolean, _) => matches!(to, T::Varchar(_)) || number(to),
        (_, T::Boolean) => matches!(from, T::Varchar(_)) || number(from),
        (T::Varchar(_), T::Char(_) | T::Varchar(_)) | (T::Char(_), T::Varchar(_) | T::Char(_)) => true,
        (T::Varchar(_), T::Opaque(name)) => matches!(*name, "joniregexp" | "jsonpath" | "codepoints" | "likepattern"),
        (T::Char(_), T::Opaque(name)) => matches!(*name, "joniregexp" | "jsonpath" | "codepoints"),
        (T::Varchar(_), _) => {
            number(to)
                || matches!(
                    to,
                    T::Date
                        | T::Time(_)
                        | T::TimeTz(_)
                        | T::Timestamp(_)
                        | T::TimestampTz(_)
                        | T::Varbinary
                        | T::Uuid
                        | T::IpAddress
                )
        }
        // These two are only cast to VARCHAR without a bound.
        (T::Uuid | T::IpAddress, T::Varchar(length)) => length.is_none(),
        (_, T::Varchar(_)) => {
            number(from)
                || matches!(
                    from,
                    T::Date | T::Time(_) | T::TimeTz(_) | T::Timestamp(_) | T::TimestampTz(_) | T::IntervalDay | T::IntervalYear
                )
        }
        _ if number(from) && number(to) => true,
        (T::Date, T::Timestamp(_) | T::TimestampTz(_)) => true,
        (T::Time(_) | T::TimeTz(_), T::Time(_) | T::TimeTz(_)) => true,
        (T::Time(_) | T::TimeTz(_), T::Timestamp(_) | T::TimestampTz(_)) => true,
        (T::Timestamp(_) | T::TimestampTz(_), T::Date | T::Time(_) | T::TimeTz(_) | T::Timestamp(_) | T::TimestampTz(_)) => true,
        (T::Varbinary, T::Uuid | T::IpAddress) | (T::Uuid | T::IpAddress, T::Varbinary) => true,
        (T::Varbinary, T::Opaque("hyperloglog" | "p4hyperloglog" | "setdigest" | "tdigest"))
        | (T::Opaque("hyperloglog" | "p4hyperloglog" | "setdigest" | "tdigest"), T::Varbinary) => true,
        (T::Varbinary, T::OpaqueOf("qdigest", _)) | (T::OpaqueOf("qdigest", _), T::Varbinary) => true,
        (T::Opaque("p4hyperloglog"), T::Opaque("hyperloglog")) | (T::Opaque("hyperloglog"), T::Opaque("p4hyperloglog")) => true,
        (T::Opaque("bingtile"), T::Bigint) | (T::Bigint, T::Opaque("bingtile")) => true,
        _ => false,
    }
}

/// Whether JSON can be made of it (`JsonUtil.canCastToJson`).
fn into_json(kind: &Type) -> bool {
    match kind {
        Type::Unknown | Type::Boolean | Type::Varchar(_) | Type::Json | Type::Timestamp(_) | Type::Date => true,
        Type::Array(element) => into_json(element),
        Type::Map(entry) => json_key(&entry.0) && into_json(&entry.1),
        Type::Row(fields) => fields.iter().all(|field| into_json(&field.kind)),
        _ => kind.is_numeric(),
    }
}

/// Whether it can be made of JSON (`JsonUtil.canCastFromJson`).
fn out_of_json(kind: &Type) -> bool {
    match kind {
        Type::Boolean | Type::Varchar(_) | Type::Json => true,
        Type::Array(element) => out_of_json(element),
        Type::Map(entry) => json_key(&entry.0) && out_of_json(&entry.1),
        Type::Row(fields) => fields.iter().all(|field| out_of_json(&field.kind)),
        _ => kind.is_numeric(),
    }
}

fn json_key(kind: &Type) -> bool {
    matches!(kind, Type::Unknown | Type::Boolean | Type::Varchar(_)) || kind.is_numeric()
}
