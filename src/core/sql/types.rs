//! Trino's types: how they are written, shown, compared and ordered.

use std::fmt;
use std::sync::Arc;

/// A Trino type. Cheap to clone: nested types are shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are Trino's")]
pub enum Type {
    /// The type of NULL.
    #[default]
    Unknown,
    Boolean,
    Tinyint,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    /// Precision 1 to 38, scale 0 to precision.
    Decimal(u8, u8),
    /// Longest length in code points; `None` is unbounded.
    Varchar(Option<u32>),
    /// Length in code points, 0 to 65,536.
    Char(u32),
    Varbinary,
    Date,
    /// Digits of the fraction of a second, 0 to 12.
    Time(u8),
    TimeTz(u8),
    Timestamp(u8),
    TimestampTz(u8),
    IntervalDay,
    IntervalYear,
    Json,
    Uuid,
    IpAddress,
    Array(Arc<Type>),
    /// Key and value.
    Map(Arc<(Type, Type)>),
    Row(Arc<[RowField]>),
    /// A lambda: arguments, then the result.
    Function(Arc<[Type]>),
    /// A type without parameters that SQL cannot look into: `hyperloglog`, `geometry`, `joniregexp`, …
    Opaque(&'static str),
    /// The same with a type parameter: `qdigest(double)`, `classifier(bigint)`.
    OpaqueOf(&'static str, Arc<Type>),
}

/// A field of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowField {
    /// As written; `None` in `row(integer)`. Compared without case when it is looked up.
    pub name: Option<Box<str>>,
    /// Its type.
    pub kind: Type,
}

/// Opaque types without parameters that a statement may name or that functions give.
const OPAQUE: [&str; 17] = [
    "hyperloglog",
    "p4hyperloglog",
    "setdigest",
    "tdigest",
    "geometry",
    "sphericalgeography",
    "bingtile",
    "kdbtree",
    "color",
    "codepoints",
    "joniregexp",
    "likepattern",
    "jsonpath",
    "json2016",
    "jsonpath2016",
    "regressor",
    "model",
];

/// The most nesting that a written type may have.
const DEPTH: usize = 64;

impl Type {
    /// VARCHAR without a bound.
    pub const VARCHAR: Self = Self::Varchar(None);

    /// An array of `element`.
    pub fn array(element: Self) -> Self {
        Self::Array(Arc::new(element))
    }

    /// A map.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// A row of unnamed fields.
    pub fn anonymous_row(kinds: impl IntoIterator<Item = Self>) -> Self {
        Self::Row(kinds.into_iter().map(|kind| RowField { name: None, kind }).collect())
    }

    /// A varchar of at most `length` code points; lengths from 2³¹-1 on are unbounded, as in Trino.
    pub fn varchar(length: u64) -> Self {
        Self::Varchar(u32::try_from(length).ok().filter(|length| *length < i32::MAX as u32))
    }

    /// The name without parameters, which decides on coercion: `varchar`, `timestamp with time zone`.
    pub fn base(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Boolean => "boolean",
            Self::Tinyint => "tinyint",
            Self::Smallint => "smallint",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Real => "real",
            Self::Double => "double",
            Self::Decimal(..) => "decimal",
            Self::Varchar(_) => "varchar",
            Self::Char(_) => "char",
            Self::Varbinary => "varbinary",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::TimeTz(_) => "time with time zone",
            Self::Timestamp(_) => "timestamp",
            Self::TimestampTz(_) => "timestamp with time zone",
            Self::IntervalDay => "interval day to second",
            Self::IntervalYear => "interval year to month",
            Self::Json => "json",
            Self::Uuid => "uuid",
            Self::IpAddress => "ipaddress",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Row(_) => "row",
            Self::Function(_) => "function",
            Self::Opaque(name) | Self::OpaqueOf(name, _) => name,
        }
    }

    /// Whether `=` is defined between values of it.
    pub fn is_comparable(&self) -> bool {
        match self {
            Self::Array(element) => element.is_comparable(),
            Self::Map(entry) => entry.0.is_comparable() && entry.1.is_comparable(),
            Self::Row(fields) => fields.iter().all(|field| field.kind.is_comparable()),
            Self::Function(_) | Self::OpaqueOf(..) => false,
            Self::Opaque(name) => matches!(*name, "bingtile" | "color"),
            _ => true,
        }
    }

    /// Whether `<` is defined between values of it.
    pub fn is_orderable(&self) -> bool {
        match self {
            Self::Array(element) => element.is_orderable(),
            Self::Row(fields) => fields.iter().all(|field| field.kind.is_orderable()),
            Self::Map(_) | Self::Json | Self::Function(_) | Self::OpaqueOf(..) | Self::Opaque(_) => false,
            _ => true,
        }
    }

    /// Numbers, exact or not.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Self::Real | Self::Double | Self::Decimal(..))
    }

    /// Whole numbers of the four integer types.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Tinyint | Self::Smallint | Self::Integer | Self::Bigint)
    }

    /// Exact numbers without a fraction: the integer types and decimals of scale 0.
    pub fn is_whole(&self) -> bool {
        self.is_integer() || matches!(self, Self::Decimal(_, 0))
    }

    /// Dates, times and timestamps; intervals too, as Trino's frames count them.
    pub fn is_datetime(&self) -> bool {
        matches!(
            self,
            Self::Date
                | Self::Time(_)
                | Self::TimeTz(_)
                | Self::Timestamp(_)
                | Self::TimestampTz(_)
                | Self::IntervalDay
                | Self::IntervalYear
        )
    }

    /// VARCHAR or CHAR.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Varchar(_) | Self::Char(_))
    }

    /// Types inside this one, in order: element, key and value, fields.
    pub fn parameters(&self) -> Vec<&Self> {
        match self {
            Self::Array(element) | Self::OpaqueOf(_, element) => vec![element],
            Self::Map(entry) => vec![&entry.0, &entry.1],
            Self::Row(fields) => fields.iter().map(|field| &field.kind).collect(),
            Self::Function(parts) => parts.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The type of a name with parameters, as a statement or a catalog writes it; `None` if there is no such type.
    pub fn named(name: &str, parameters: &[TypeParameter]) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let number = |most: u64| match parameters {
            [TypeParameter::Number(n)] if *n <= most => Some(*n),
            _ => None,
        };
        let fraction = || match parameters {
            [] => Some(3),
            _ => number(12).and_then(|n| u8::try_from(n).ok()),
        };
        let kinds = || {
            parameters
                .iter()
                .map(|parameter| match parameter {
                    TypeParameter::Type(kind) => Some(kind.clone()),
                    TypeParameter::Number(_) => None,
                })
                .collect::<Option<Vec<_>>>()
        };
        let plain = |kind: Self| parameters.is_empty().then_some(kind);
        match lower.as_str() {
            "unknown" => plain(Self::Unknown),
            "boolean" => plain(Self::Boolean),
            "tinyint" => plain(Self::Tinyint),
            "smallint" => plain(Self::Smallint),
            "integer" | "int" => plain(Self::Integer),
            "bigint" => plain(Self::Bigint),
            "real" => plain(Self::Real),
            "double" | "double precision" => plain(Self::Double),
            "varbinary" => plain(Self::Varbinary),
            "date" => plain(Self::Date),
            "json" => plain(Self::Json),
            "uuid" => plain(Self::Uuid),
            "ipaddress" => plain(Self::IpAddress),
            "interval day to second" => plain(Self::IntervalDay),
            "interval year to month" => plain(Self::IntervalYear),
            "time" => fraction().map(Self::Time),
            "time with time zone" => fraction().map(Self::TimeTz),
            "timestamp" => fraction().map(Self::Timestamp),
            "timestamp with time zone" => fraction().map(Self::TimestampTz),
            "varchar" if parameters.is_empty() => Some(Self::VARCHAR),
            "varchar" => number(i32::MAX as u64).map(Self::varchar),
            "char" if parameters.is_empty() => Some(Self::Char(1)),
            "char" => number(65_536).and_then(|n| u32::try_from(n).ok()).map(Self::Char),
            "decimal" => match parameters {
                [] => Some(Self::Decimal(38, 0)),
                [TypeParameter::Number(precision @ 1..=38)] => u8::try_from(*precision).ok().map(|p| Self::Decimal(p, 0)),
                [TypeParameter::Number(precision @ 1..=38), TypeParameter::Number(scale)] if scale <= precision => {
                    Some(Self::Decimal(u8::try_from(*precision).ok()?, u8::try_from(*scale).ok()?))
                }
                _ => None,
            },
            "array" => match kinds()?.as_slice() {
                [element] => Some(Self::array(element.clone())),
                _ => None,
            },
            "map" => match kinds()?.as_slice() {
                [key, value] if key.is_comparable() => Some(Self::map(key.clone(), value.clone())),
                _ => None,
            },
            "row" => kinds().filter(|kinds| !kinds.is_empty()).map(Self::anonymous_row),
            "qdigest" | "classifier" => match kinds()?.as_slice() {
                [kind] => Some(Self::OpaqueOf(if lower == "qdigest" { "qdigest" } else { "classifier" }, Arc::new(kind.clone()))),
                _ => None,
            },
            _ => OPAQUE.iter().find(|name| **name == lower).and_then(|name| plain(Self::Opaque(name))),
        }
    }

    /// Reads a type as a catalog writes it. Besides Trino's own forms those of Hive are read: `string`, `binary`, `float`,
    /// `array<…>`, `map<…,…>`, `struct<a:int>`.
    ///
    /// # Errors
    /// `None` when it is no type.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text, depth: 0 };
        let kind = reader.kind()?;
        reader.space();
        reader.rest.is_empty().then_some(kind)
    }
}

/// What stands in the parentheses of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeParameter {
    /// A length, precision or scale.
    Number(u64),
    /// An inner type.
    Type(Type),
}

impl fmt::Display for Type {
    /// As the server shows it; field names stand without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Varchar(Some(length)) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Time(p) => write!(f, "time({p})"),
            Self::TimeTz(p) => write!(f, "time({p}) with time zone"),
            Self::Timestamp(p) => write!(f, "timestamp({p})"),
            Self::TimestampTz(p) => write!(f, "timestamp({p}) with time zone"),
            Self::Array(element) => write!(f, "array({element})"),
            Self::Map(entry) => write!(f, "map({}, {})", entry.0, entry.1),
            Self::OpaqueOf(name, kind) => write!(f, "{name}({kind})"),
            Self::Opaque("hyperloglog") => f.write_str("HyperLogLog"),
            Self::Opaque("p4hyperloglog") => f.write_str("P4HyperLogLog"),
            Self::Opaque("setdigest") => f.write_str("SetDigest"),
            Self::Opaque("geometry") => f.write_str("Geometry"),
            Self::Opaque("sphericalgeography") => f.write_str("SphericalGeography"),
            Self::Opaque("bingtile") => f.write_str("BingTile"),
            Self::Opaque("kdbtree") => f.write_str("KdbTree"),
            Self::Row(fields) => {
                f.write_str("row(")?;
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    if let Some(name) = &field.name {
                        write!(f, "{name} ")?;
                    }
                    write!(f, "{}", field.kind)?;
                }
                f.write_str(")")
            }
            Self::Function(parts) => {
                f.write_str("function(")?;
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{part}")?;
                }
                f.write_str(")")
            }
            _ => f.write_str(self.base()),
        }
    }
}

/// Reads written types.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.space();
        self.rest.strip_prefix(symbol).map(|rest| self.rest = rest).is_some()
    }

    fn word(&mut self) -> &'a str {
        self.space();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn words(&mut self, wanted: &[&str]) -> bool {
        let before = self.rest;
        if wanted.iter().all(|wanted| self.word().eq_ignore_ascii_case(wanted)) {
            return true;
        }
        self.rest = before;
        false
    }

    fn quoted(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut chars = self.rest.strip_prefix('"')?.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            if c != '"' {
                name.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
                chars.next();
                name.push('"');
            } else {
                self.rest = self.rest.get(index + 2..)?;
                return Some(name);
            }
        }
        None
    }

    fn kind(&mut self) -> Option<Type> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let kind = self.kind_inside();
        self.depth -= 1;
        kind
    }

    fn kind_inside(&mut self) -> Option<Type> {
        let name = self.word().to_ascii_lowercase();
        match name.as_str() {
            "" => None,
            "row" if self.take('(') => self.fields(')', false),
            "struct" if self.take('<') => self.fields('>', true),
            "interval" if self.words(&["day", "to", "second"]) => Some(Type::IntervalDay),
            "interval" if self.words(&["year", "to", "month"]) => Some(Type::IntervalYear),
            "double" => {
                self.words(&["precision"]);
                Some(Type::Double)
            }
            "string" => Some(Type::VARCHAR),
            "binary" => Some(Type::Varbinary),
            "float" => Some(Type::Real),
            "time" | "timestamp" => {
                let parameters = self.parameters()?;
                let zoned = self.words(&["with", "time", "zone"]);
                if !zoned {
                    self.words(&["without", "time", "zone"]);
                }
                Type::named(&if zoned { format!("{name} with time zone") } else { name }, &parameters)
            }
            _ => {
                let parameters = self.parameters()?;
                Type::named(&name, &parameters)
            }
        }
    }

    fn parameters(&mut self) -> Option<Vec<TypeParameter>> {
        let mut parameters = Vec::new();
        let close = if self.take('(') {
            ')'
        } else if self.take('<') {
            '>'
        } else {
            return Some(parameters);
        };
        loop {
            self.space();
            if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
                parameters.push(TypeParameter::Number(self.word().parse().ok()?));
            } else {
                parameters.push(TypeParameter::Type(self.kind()?));
            }
            if self.take(close) {
                return Some(parameters);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn fields(&mut self, close: char, colon: bool) -> Option<Type> {
        let mut fields = Vec::new();
        loop {
            fields.push(if colon { self.field_with_colon()? } else { self.field(close)? });
            if self.take(close) {
                return Some(Type::Row(fields.into()));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// `name:type`.
    fn field_with_colon(&mut self) -> Option<RowField> {
        let name = self.word();
        self.take(':').then_some(())?;
        Some(RowField { name: Some(name.into()), kind: self.kind()? })
    }

    /// `name type`, or a type alone. The server shows names without quotes, so that a name may be several words.
    fn field(&mut self, close: char) -> Option<RowField> {
        self.space();
        let before = self.rest;
        if self.rest.starts_with('"') {
            let name = self.quoted()?;
            return Some(RowField { name: Some(name.into()), kind: self.kind()? });
        }
        for words in 1..=4 {
            self.rest = before;
            for _ in 0..words {
                self.word();
            }
            let name = before.get(..before.len() - self.rest.len()).unwrap_or_default();
            if let Some(kind) = self.kind().filter(|_| !name.is_empty())
                && !self.ends_badly(close)
            {
                return Some(RowField { name: Some(name.into()), kind });
            }
        }
        self.rest = before;
        Some(RowField { name: None, kind: self.kind()? })
    }

    fn ends_badly(&mut self, close: char) -> bool {
        self.space();
        !(self.rest.starts_with(close) || self.rest.starts_with(','))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_types_come_back_as_shown() {
        for text in [
            "bigint",
            "decimal(10,2)",
            "varchar",
            "varchar(5)",
            "char(3)",
            "timestamp(3)",
            "timestamp(6) with time zone",
            "time(0) with time zone",
            "interval day to second",
            "array(row(kind varchar, phone varchar))",
            "map(varchar, array(integer))",
            "row(a integer, b row(c double, date))",
            "row(integer, varchar(3))",
            "row(date date, timestamp timestamp(3))",
            "row(foo bar integer)",
            "row(interval day to second)",
            "qdigest(double)",
            "HyperLogLog",
        ] {
            assert_eq!(Type::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text), "{text}");
        }
    }

    #[test]
    fn other_spellings_are_read() {
        assert_eq!(Type::parse("STRING"), Some(Type::VARCHAR));
        assert_eq!(Type::parse("int"), Some(Type::Integer));
        assert_eq!(Type::parse("timestamp"), Some(Type::Timestamp(3)));
        assert_eq!(
            Type::parse("struct<a:int,b:array<string>>").map(|k| k.to_string()).unwrap(),
            "row(a integer, b array(varchar))"
        );
        assert_eq!(Type::parse("map<string,bigint>").map(|k| k.to_string()).unwrap(), "map(varchar, bigint)");
        assert_eq!(Type::parse("row(\"A b\" integer)").map(|k| k.to_string()).unwrap(), "row(A b integer)");
        assert_eq!(Type::parse("varchar(2147483647)"), Some(Type::VARCHAR));
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "",
            "nope",
            "decimal(39)",
            "decimal(3,4)",
            "array",
            "array(int",
            "map(int)",
            "varchar(x)",
            "timestamp(13)",
            "row()",
            "int)",
        ] {
            assert_eq!(Type::parse(text), None, "{text}");
        }
        assert_eq!(Type::parse(&"array(".repeat(100_000)), None);
    }
}
