//! Trino's type names, read once and shown as each neighbour wants them: Arrow for the files, Hive for Glue and Athena's
//! metadata, Trino for `information_schema` and results.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// A type, as far as the sandbox's tables and results have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrinoType {
    /// `boolean`
    Boolean,
    /// `tinyint`
    Tinyint,
    /// `smallint`
    Smallint,
    /// `integer`
    Integer,
    /// `bigint`
    Bigint,
    /// `real`
    Real,
    /// `double`
    Double,
    /// `decimal(precision, scale)`
    Decimal(u8, i8),
    /// `varchar`
    Varchar,
    /// `varbinary`
    Varbinary,
    /// `date`
    Date,
    /// `time(3)`
    Time,
    /// `timestamp(3)`
    Timestamp,
    /// `timestamp(3) with time zone`
    TimestampWithZone,
    /// `interval day to second` and `interval year to month`
    Interval,
    /// `array(t)`
    Array(Box<TrinoType>),
    /// `map(k, v)`
    Map(Box<TrinoType>, Box<TrinoType>),
    /// `row(name t, …)`
    Row(Vec<(String, TrinoType)>),
    /// The type of a bare NULL.
    Unknown,
}

impl TrinoType {
    /// Reads a type's name. `None` for a type that the sandbox's tables do not use.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (head, inner) = match text.split_once('(') {
            Some((head, rest)) => (head.trim(), Some(rest.strip_suffix(')')?)),
            None => (text, None),
        };
        Some(match (head, inner) {
            ("boolean", None) => Self::Boolean,
            ("tinyint", None) => Self::Tinyint,
            ("smallint", None) => Self::Smallint,
            ("integer", None) => Self::Integer,
            ("bigint", None) => Self::Bigint,
            ("real", None) => Self::Real,
            ("double", None) => Self::Double,
            ("varchar", _) => Self::Varchar,
            ("varbinary", None) => Self::Varbinary,
            ("date", None) => Self::Date,
            ("timestamp", None | Some("3")) => Self::Timestamp,
            ("decimal", Some(inner)) => {
                let (precision, scale) = inner.split_once(',')?;
                Self::Decimal(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
            }
            ("array", Some(inner)) => Self::Array(Box::new(Self::parse(inner)?)),
            ("row", Some(inner)) => Self::Row(
                split_list(inner)
                    .into_iter()
                    .map(|field| {
                        let (name, ty) = field.trim().split_once(' ')?;
                        Some((name.to_owned(), Self::parse(ty)?))
                    })
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }

    /// The type of an Arrow array, as a result column shows it. `None` for what Trino has no name for.
    pub fn of_arrow(ty: &DataType) -> Option<Self> {
        Some(match ty {
            DataType::Null => Self::Unknown,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Tinyint,
            DataType::Int16 | DataType::UInt8 => Self::Smallint,
            DataType::Int32 | DataType::UInt16 => Self::Integer,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Self::Bigint,
            DataType::Float16 | DataType::Float32 => Self::Real,
            DataType::Float64 => Self::Double,
            DataType::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Varchar,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Self::Varbinary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampWithZone,
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::FixedSizeList(item, _) => {
                Self::Array(Box::new(Self::of_arrow(item.data_type())?))
            }
            DataType::Struct(fields) => Self::Row(
                fields
                    .iter()
                    .map(|field| Some((field.name().clone(), Self::of_arrow(field.data_type())?)))
                    .collect::<Option<_>>()?,
            ),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) => match fields.as_ref() {
                    [key, value] => {
                        Self::Map(Box::new(Self::of_arrow(key.data_type())?), Box::new(Self::of_arrow(value.data_type())?))
                    }
                    _ => return None,
                },
                _ => return None,
            },
            DataType::Dictionary(_, value) => Self::of_arrow(value)?,
            _ => return None,
        })
    }

    /// The Arrow type in which the files hold it.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Tinyint => DataType::Int8,
            Self::Smallint => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Varchar => DataType::Utf8,
            Self::Varbinary => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::TimestampWithZone => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::Interval => DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
            Self::Array(item) => DataType::List(Arc::new(Field::new_list_field(item.to_arrow(), true))),
            Self::Map(key, value) => DataType::Map(
                Arc::new(Field::new(
                    "entries",
                    DataType::Struct(
                        vec![Field::new("key", key.to_arrow(), false), Field::new("value", value.to_arrow(), true)].into(),
                    ),
                    false,
                )),
                false,
            ),
            Self::Row(fields) => {
                DataType::Struct(fields.iter().map(|(name, ty)| Field::new(name, ty.to_arrow(), true)).collect())
            }
            Self::Unknown => DataType::Null,
        }
    }

    /// The name that Glue and `GetTableMetadata` use: `string`, `struct<arn:string>`.
    pub fn to_hive(&self) -> String {
        match self {
            Self::Integer => "int".to_owned(),
            Self::Real => "float".to_owned(),
            Self::Varchar | Self::Unknown | Self::Interval | Self::Time => "string".to_owned(),
            Self::Varbinary => "binary".to_owned(),
            Self::Timestamp | Self::TimestampWithZone => "timestamp".to_owned(),
            Self::Array(item) => format!("array<{}>", item.to_hive()),
            Self::Map(key, value) => format!("map<{},{}>", key.to_hive(), value.to_hive()),
            Self::Row(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, ty)| format!("{name}:{}", ty.to_hive())).collect();
                format!("struct<{}>", fields.join(","))
            }
            other => other.to_string(),
        }
    }

    /// The name in a result's `ColumnInfo`, which leaves arguments out: `decimal`, `row`, `timestamp with time zone`.
    pub fn result_name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Tinyint => "tinyint",
            Self::Smallint => "smallint",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Real => "float",
            Self::Double => "double",
            Self::Decimal(..) => "decimal",
            Self::Varchar => "varchar",
            Self::Varbinary => "varbinary",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampWithZone => "timestamp with time zone",
            Self::Interval => "interval day to second",
            Self::Array(_) => "array",
            Self::Map(..) => "map",
            Self::Row(_) => "row",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TrinoType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Real => f.write_str("real"),
            Self::Time => f.write_str("time(3)"),
            Self::Timestamp => f.write_str("timestamp(3)"),
            Self::TimestampWithZone => f.write_str("timestamp(3) with time zone"),
            Self::Array(item) => write!(f, "array({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Row(fields) => {
                f.write_str("row(")?;
                for (i, (name, ty)) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{name} {ty}")?;
                }
                f.write_str(")")
            }
            other => f.write_str(other.result_name()),
        }
    }
}

/// Splits at commas that are not inside parentheses.
fn split_list(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::super::schema::TABLES;
    use super::*;

    #[test]
    fn every_column_type_is_understood_and_shown_again() {
        for table in TABLES {
            for column in table.columns.iter().chain(table.partition_keys) {
                let ty = TrinoType::parse(column.trino).unwrap_or_else(|| panic!("{}", column.trino));
                assert_eq!(ty.to_string(), column.trino, "{}", column.name);
                assert_eq!(TrinoType::of_arrow(&ty.to_arrow()), Some(ty));
            }
        }
    }

    #[test]
    fn hive_names() {
        for (trino, hive) in [
            ("varchar", "string"),
            ("integer", "int"),
            ("decimal(12,2)", "decimal(12,2)"),
            ("timestamp(3)", "timestamp"),
            ("array(row(a varchar, b decimal(3,1)))", "array<struct<a:string,b:decimal(3,1)>>"),
        ] {
            assert_eq!(TrinoType::parse(trino).unwrap().to_hive(), hive);
        }
        assert_eq!(TrinoType::parse("geometry"), None);
    }
}
