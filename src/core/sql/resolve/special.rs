//! Expressions with a syntax of their own: casts, TRIM, EXTRACT, CURRENT_…, GROUPING.

use super::pushed::Terms;
use super::value::{Cx, Fact, Reference, Value, key_of, mix, text_key};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::Constant;
use crate::core::sql::coercion::casts;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{
    Current, Expr, Ident, IntervalField, NormalForm, QualifiedName, TrimSide, TypeKind, TypeName, TypeParameter as Written,
};
use crate::core::sql::types::{RowField, Type, TypeParameter};

/// The type that is written; `None` if there is no such type.
pub(super) fn written_type(name: &TypeName) -> Option<Type> {
    match &name.kind {
        TypeKind::Row(fields) => {
            let fields = fields.iter().map(|field| {
                // Without quotes a field's name is in lower case.
                let name =
                    field.name.as_ref().map(|name| if name.quoted { name.text.clone() } else { name.folded().into_boxed_str() });
                Some(RowField { name, kind: written_type(&field.type_name)? })
            });
            fields.collect::<Option<Vec<_>>>().map(|fields| Type::Row(fields.into()))
        }
        TypeKind::Interval(fields) => match (fields.from, fields.to) {
            (IntervalField::Year, Some(IntervalField::Month)) => Some(Type::IntervalYear),
            (IntervalField::Day, Some(IntervalField::Second)) => Some(Type::IntervalDay),
            _ => None,
        },
        TypeKind::DateTime { timestamp, precision, zoned } => {
            let base = match (timestamp, zoned) {
                (true, true) => "timestamp with time zone",
                (true, false) => "timestamp",
                (false, true) => "time with time zone",
                (false, false) => "time",
            };
            let parameters = match precision.as_deref() {
                None => Vec::new(),
                Some(precision) => vec![parameter(precision)?],
            };
            Type::named(base, &parameters)
        }
        TypeKind::DoublePrecision => Some(Type::Double),
        TypeKind::Array(element) => written_type(element).map(Type::array),
        TypeKind::Map(key, value) => {
            let key = written_type(key)?;
            let value = written_type(value)?;
            Type::named("map", &[TypeParameter::Type(key), TypeParameter::Type(value)])
        }
        TypeKind::Generic { name, parameters } => {
            let parameters = parameters.iter().map(parameter).collect::<Option<Vec<_>>>()?;
            Type::named(&name.text, &parameters)
        }
    }
}

fn parameter(written: &Written) -> Option<TypeParameter> {
    match written {
        Written::Number(text, _) => text.parse().ok().map(TypeParameter::Number),
        Written::Type(name) => written_type(name).map(TypeParameter::Type),
    }
}

/// The type that is written, or the server's refusal at `span`.
pub(super) fn type_at(name: &TypeName, span: Span) -> Outcome<Type> {
    let unknown = || refusal("TYPE_MISMATCH", span, "there is no such type");
    written_type(name).filter(|kind| *kind != Type::Unknown).ok_or_else(unknown)
}

impl Resolver<'_> {
    pub(super) fn cast<'t>(&mut self, value: &'t Expr, name: &TypeName, safe: bool, span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        let kind = type_at(name, span)?;
        let value = self.value(value, cx)?;
        if !casts(&value.kind, &kind) {
            return Err(refusal("TYPE_MISMATCH", span, format!("{} cannot be cast to {kind}", value.kind)));
        }
        let word = if safe { "try_cast" } else { "cast" };
        let key = mix(key_of(word, [value.key]), text_key(&kind.to_string()));
        let terms = Terms::apply(word, &[&value.terms], &kind, true);
        let mut out = Value::new(kind, key).with_terms(terms);
        // Parts stay apart if the cast keeps them where they are.
        if parallel(&value.kind, &out.kind) {
            out.read = value.read;
            out.flow = value.flow;
        } else {
            out = out.flowing(self.sources(&value));
        }
        Ok(out)
    }

    pub(super) fn current(&mut self, what: Current, precision: Option<&str>, span: Span) -> Outcome<Value> {
        let digits: u8 = match precision {
            None => 3,
            Some(text) => text
                .parse()
                .ok()
                .filter(|digits| *digits <= 12)
                .ok_or_else(|| refusal("INVALID_ARGUMENTS", span, "the precision must be from 0 to 12"))?,
        };
        let (name, kind) = match what {
            Current::Date => ("current_date", Type::Date),
            Current::Time => ("current_time", Type::TimeTz(digits)),
            Current::Timestamp => ("current_timestamp", Type::TimestampTz(digits)),
            Current::LocalTime => ("localtime", Type::Time(digits)),
            Current::LocalTimestamp => ("localtimestamp", Type::Timestamp(digits)),
            Current::User => ("current_user", Type::VARCHAR),
            Current::Catalog => ("current_catalog", Type::VARCHAR),
            Current::Schema => ("current_schema", Type::VARCHAR),
            Current::Path => ("current_path", Type::VARCHAR),
        };
        self.called(name, span);
        let terms = Terms::apply(name, &[], &kind, false);
        Ok(Value::new(kind, key_of(name, [u64::from(digits)])).with_terms(terms))
    }

    pub(super) fn trim<'t>(
        &mut self,
        side: Option<TrimSide>,
        characters: Option<&'t Expr>,
        source: &'t Expr,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let name = match side {
            Some(TrimSide::Leading) => "ltrim",
            Some(TrimSide::Trailing) => "rtrim",
            Some(TrimSide::Both) | None => "trim",
        };
        let mut values = vec![self.value(source, cx)?];
        if let Some(characters) = characters {
            values.push(self.value(characters, cx)?);
        }
        self.apply_builtin(name, values, None)
    }

    pub(super) fn normalize<'t>(
        &mut self,
        source: &'t Expr,
        form: Option<NormalForm>,
        span: Span,
        cx: &Cx<'t>,
    ) -> Outcome<Value> {
        let form = match form {
            None | Some(NormalForm::Nfc) => "NFC",
            Some(NormalForm::Nfd) => "NFD",
            Some(NormalForm::Nfkd) => "NFKD",
            Some(NormalForm::Nfkc) => "NFKC",
        };
        let value = self.value(source, cx)?;
        let kind = Type::varchar(form.len() as u64);
        let form = Value::new(kind.clone(), text_key(form)).with_terms(Terms::constant(Constant::Text(form.to_owned()), kind));
        self.apply_builtin("normalize", vec![value, form], Some(span))
    }

    pub(super) fn extract<'t>(&mut self, field: &Ident, source: &'t Expr, cx: &Cx<'t>) -> Outcome<Value> {
        let name = field.folded();
        let value = self.value(source, cx)?;
        let kind = &value.kind;
        let day = matches!(kind, Type::Date | Type::Timestamp(_) | Type::TimestampTz(_));
        let fits = match name.as_str() {
            "year" | "month" => day || *kind == Type::IntervalYear,
            "day" => day || *kind == Type::IntervalDay,
            "quarter" | "week" | "day_of_month" | "day_of_week" | "dow" | "day_of_year" | "doy" | "year_of_week" | "yow" => day,
            "hour" | "minute" | "second" => {
                matches!(kind, Type::Timestamp(_) | Type::TimestampTz(_) | Type::Time(_) | Type::TimeTz(_) | Type::IntervalDay)
            }
            "timezone_minute" | "timezone_hour" => matches!(kind, Type::TimestampTz(_) | Type::TimeTz(_)),
            _ => return Err(refusal("SYNTAX_ERROR", field.span(), format!("invalid EXTRACT field: {}", field.text))),
        };
        if !fits {
            return Err(refusal("TYPE_MISMATCH", source.span, format!("{} cannot be extracted from {kind}", field.text)));
        }
        let terms = Terms::apply(&name, &[&value.terms], &Type::Bigint, true);
        let key = key_of("extract", [text_key(&name), value.key]);
        Ok(self.computed(Type::Bigint, key, &[&value]).with_terms(terms))
    }

    pub(super) fn grouping<'t>(&mut self, columns: &'t [QualifiedName], span: Span, cx: &Cx<'t>) -> Outcome<Value> {
        if columns.len() > 63 {
            return Err(refusal("TOO_MANY_ARGUMENTS", span, "GROUPING takes up to 63 columns"));
        }
        let mut key = text_key("grouping");
        for column in columns {
            let value = self.grouping_column(column, cx)?;
            // Which grouping set a row belongs to, not what the column holds.
            if let Some((read, span, how)) = value.read {
                self.read(read, span, how);
            }
            key = mix(key, value.key);
        }
        Ok(Value::new(if columns.len() <= 31 { Type::Integer } else { Type::Bigint }, key))
    }

    /// A column of GROUPING, which is a name and nothing else.
    fn grouping_column(&mut self, column: &QualifiedName, cx: &Cx<'_>) -> Outcome<Value> {
        let expr = Expr { kind: crate::core::sql::tree::ExprKind::Name(column.parts.clone()), span: column.span };
        let start = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        let value = self.name(&expr, &column.parts, cx)?;
        // The expression lives no longer than this call; its facts stay at the name in the tree.
        if let Some(fact) = self.facts.remove(&Self::address(&expr)) {
            self.facts.insert(Self::address(column), Fact { references: (start, start + 1), ..fact });
        }
        Ok(value)
    }

    /// The references made since `start`.
    pub(super) fn references_since(&self, start: usize) -> &[Reference] {
        self.references.get(start..).unwrap_or_default()
    }
}

/// Whether a cast keeps each part of a value at its place.
fn parallel(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Row(a), Type::Row(b)) => a.len() == b.len(),
        (Type::Array(a), Type::Array(b)) => !is_simple(a) && parallel(a, b),
        (Type::Map(a), Type::Map(b)) => !is_simple(&a.1) && parallel(&a.1, &b.1),
        _ => false,
    }
}

fn is_simple(kind: &Type) -> bool {
    !matches!(kind, Type::Row(_) | Type::Array(_) | Type::Map(_))
}
