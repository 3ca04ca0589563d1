//! Values as Trino holds them, as far as a partition's key can decide a predicate before anything is read.
//!
//! Every operation answers `None` where the result is not surely what the server would compute (a type left out here, an error
//! at run time, a rounding rule): the caller then knows nothing and keeps the partition.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};

/// One SQL value. `Null` is SQL's NULL, which is known; not knowing is the absence of a `Value`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// NULL of any type.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// The integer types and `decimal`: `unscaled × 10^-scale`.
    Number(Number),
    /// `double` and `real`.
    Double(f64),
    /// `varchar`, and `char` with its padding taken off.
    Text(String),
    /// `date`.
    Date(Date),
    /// `timestamp` without zone.
    Timestamp(DateTime),
    /// `timestamp with time zone`, in UTC: Athena's sessions are.
    Instant(DateTime),
    /// `interval day to second`, in microseconds.
    Days(i64),
    /// `interval year to month`, in months.
    Months(i32),
    /// `row(…)`, for tuple comparisons.
    Row(Vec<Option<Value>>),
}

/// An exact number. Integer types have scale 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// The digits as a whole number.
    pub(super) unscaled: i128,
    /// How many of them stand behind the point.
    pub(super) scale: u8,
}

impl Number {
    /// A whole number.
    pub(super) fn whole(value: i128) -> Self {
        Self { unscaled: value, scale: 0 }
    }

    /// Reads `12`, `-3.50`, `.5`; no exponent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + part.len() == 0 || whole.len() + part.len() > 38 || !all(whole) || !all(part) {
            return None;
        }
        let unscaled: i128 = format!("{whole}{part}").parse().ok()?;
        Some(Self { unscaled: sign * unscaled, scale: u8::try_from(part.len()).ok()? })
    }

    /// Both numbers at the larger of the two scales.
    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        Some((self.at(scale)?, other.at(scale)?, scale))
    }

    fn at(self, scale: u8) -> Option<i128> {
        let factor = 10i128.checked_pow(u32::from(scale.checked_sub(self.scale)?))?;
        self.unscaled.checked_mul(factor)
    }

    /// The nearest double.
    #[allow(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    pub(super) fn to_f64(self) -> f64 {
        self.unscaled as f64 / 10f64.powi(i32::from(self.scale))
    }

    /// The whole number, if there is no fraction.
    pub(super) fn to_whole(self) -> Option<i128> {
        let factor = 10i128.checked_pow(u32::from(self.scale))?;
        (self.unscaled % factor == 0).then_some(self.unscaled / factor)
    }
}

/// The operators that compute a value of two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulus,
}

impl Value {
    /// A text value.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    pub(super) fn whole(value: i128) -> Self {
        Self::Number(Number::whole(value))
    }

    /// Whether this is NULL.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a `Text`.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number of a `Number` without a fraction.
    pub(super) fn as_whole(&self) -> Option<i128> {
        match self {
            Self::Number(number) => number.to_whole(),
            _ => None,
        }
    }

    /// The order of two values that are not NULL, after the coercions that the server applies. `None`: not comparable, or not
    /// surely so.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => {
                let (a, b, _) = a.aligned(*b)?;
                Some(a.cmp(&b))
            }
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Double(a), Self::Number(b)) => a.partial_cmp(&b.to_f64()),
            (Self::Number(a), Self::Double(b)) => a.to_f64().partial_cmp(b),
            // Trino orders varchar by bytes of UTF-8, as Rust does.
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Days(a), Self::Days(b)) => Some(a.cmp(b)),
            (Self::Months(a), Self::Months(b)) => Some(a.cmp(b)),
            (Self::Row(_), _) | (_, Self::Row(_)) => None,
            // date, timestamp and timestamp in UTC compare as the instant they name.
            _ => Some(self.moment()?.cmp(&other.moment()?)),
        }
    }

    /// A date at midnight, or a timestamp.
    fn moment(&self) -> Option<DateTime> {
        match self {
            Self::Date(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
            Self::Timestamp(time) | Self::Instant(time) => Some(*time),
            _ => None,
        }
    }

    /// `self = other` with SQL's NULL: `Null` if either is.
    pub(super) fn equals(&self, other: &Self) -> Option<Self> {
        if let (Self::Row(a), Self::Row(b)) = (self, other) {
            return rows_equal(a, b);
        }
        self.compared(other, Ordering::is_eq)
    }

    /// A comparison with SQL's NULL.
    pub(super) fn compared(&self, other: &Self, wanted: fn(Ordering) -> bool) -> Option<Self> {
        if self.is_null() || other.is_null() {
            return Some(Self::Null);
        }
        Some(Self::Boolean(wanted(self.order(other)?)))
    }

    /// Whether two values are distinct in the sense of `IS DISTINCT FROM`.
    pub(super) fn distinct(&self, other: &Self) -> Option<bool> {
        match (self.is_null(), other.is_null()) {
            (true, true) => Some(false),
            (true, false) | (false, true) => Some(true),
            (false, false) => Some(self.order(other)?.is_ne()),
        }
    }

    /// The result of an operator. Division of whole numbers truncates; of decimals it is left out, because its scale depends on
    /// declared precisions.
    pub(super) fn combined(&self, operator: Arithmetic, other: &Self) -> Option<Self> {
        use Arithmetic::{Add, Divide, Modulus, Multiply, Subtract};
        if self.is_null() || other.is_null() {
            return Some(Self::Null);
        }
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => {
                let (left, right, scale) = a.aligned(*b)?;
                let number = |unscaled: Option<i128>| Some(Self::Number(Number { unscaled: unscaled?, scale }));
                match operator {
                    Add => number(left.checked_add(right)),
                    Subtract => number(left.checked_sub(right)),
                    Modulus => number(left.checked_rem(right)),
                    Multiply => Some(Self::Number(Number {
                        unscaled: a.unscaled.checked_mul(b.unscaled)?,
                        scale: a.scale.checked_add(b.scale)?,
                    })),
                    Divide if a.scale == 0 && b.scale == 0 => number(left.checked_div(right)),
                    Divide => None,
                }
            }
            (Self::Double(_) | Self::Number(_), Self::Double(_) | Self::Number(_)) => {
                let (a, b) = (self.to_double()?, other.to_double()?);
                Some(Self::Double(match operator {
                    Add => a + b,
                    Subtract => a - b,
                    Multiply => a * b,
                    Divide => a / b,
                    Modulus => a % b,
                }))
            }
            (Self::Date(_) | Self::Timestamp(_) | Self::Instant(_), Self::Days(_) | Self::Months(_)) => match operator {
                Add => self.later(other, 1),
                Subtract => self.later(other, -1),
                _ => None,
            },
            (Self::Days(_) | Self::Months(_), Self::Date(_) | Self::Timestamp(_) | Self::Instant(_)) if operator == Add => {
                other.later(self, 1)
            }
            (Self::Days(a), Self::Days(b)) => match operator {
                Add => Some(Self::Days(a.checked_add(*b)?)),
                Subtract => Some(Self::Days(a.checked_sub(*b)?)),
                _ => None,
            },
            (Self::Days(a), Self::Number(b)) | (Self::Number(b), Self::Days(a)) if operator == Multiply => {
                Some(Self::Days(a.checked_mul(i64::try_from(b.to_whole()?).ok()?)?))
            }
            (Self::Months(a), Self::Number(b)) | (Self::Number(b), Self::Months(a)) if operator == Multiply => {
                Some(Self::Months(a.checked_mul(i32::try_from(b.to_whole()?).ok()?)?))
            }
            _ => None,
        }
    }

    fn to_double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Number(number) => Some(number.to_f64()),
            _ => None,
        }
    }

    /// This point in time plus (or minus) an interval. Months clamp to the last day, as the server's do.
    pub(super) fn later(&self, interval: &Self, sign: i64) -> Option<Self> {
        let span = match interval {
            Self::Days(micros) => jiff::Span::new().try_microseconds(micros.checked_mul(sign)?).ok()?,
            Self::Months(months) => jiff::Span::new().try_months(i64::from(*months).checked_mul(sign)?).ok()?,
            _ => return None,
        };
        let add = |time: DateTime| time.checked_add(span).ok();
        Some(match self {
            Self::Date(date) => {
                let moved = add(date.to_datetime(jiff::civil::Time::midnight()))?;
                // The server refuses hours on a date.
                if moved.time() != jiff::civil::Time::midnight() {
                    return None;
                }
                Self::Date(moved.date())
            }
            Self::Timestamp(time) => Self::Timestamp(add(*time)?),
            Self::Instant(time) => Self::Instant(add(*time)?),
            _ => return None,
        })
    }

    /// The value with its sign turned.
    pub(super) fn negated(&self) -> Option<Self> {
        match self {
            Self::Null => Some(Self::Null),
            Self::Number(n) => Some(Self::Number(Number { unscaled: n.unscaled.checked_neg()?, scale: n.scale })),
            Self::Double(value) => Some(Self::Double(-value)),
            Self::Days(micros) => Some(Self::Days(micros.checked_neg()?)),
            Self::Months(months) => Some(Self::Months(months.checked_neg()?)),
            _ => None,
        }
    }
}

fn rows_equal(a: &[Option<Value>], b: &[Option<Value>]) -> Option<Value> {
    if a.len() != b.len() {
        return None;
    }
    let parts: Vec<_> = a.iter().zip(b).map(|(a, b)| a.as_ref().zip(b.as_ref()).and_then(|(a, b)| a.equals(b))).collect();
    // The server looks into a row only when it knows all of it (measured: `(key, column) IN (…)` leaves out no partition).
    if parts.iter().any(Option::is_none) {
        return None;
    }
    if parts.contains(&Some(Value::Boolean(false))) {
        return Some(Value::Boolean(false));
    }
    Some(if parts.contains(&Some(Value::Null)) { Value::Null } else { Value::Boolean(true) })
}

/// SQL's NOT over "perhaps unknown".
pub(super) fn not(value: Option<Value>) -> Option<Value> {
    match value? {
        Value::Boolean(b) => Some(Value::Boolean(!b)),
        Value::Null => Some(Value::Null),
        _ => None,
    }
}

/// SQL's AND over "perhaps unknown": one false decides.
pub(super) fn and(left: Option<Value>, right: Option<Value>) -> Option<Value> {
    let is_false = |v: &Option<Value>| *v == Some(Value::Boolean(false));
    if is_false(&left) || is_false(&right) {
        return Some(Value::Boolean(false));
    }
    match (left?, right?) {
        (Value::Boolean(true), other) | (other, Value::Boolean(true)) => Some(other),
        (Value::Null, Value::Null) => Some(Value::Null),
        _ => None,
    }
}

/// SQL's OR over "perhaps unknown": one true decides.
pub(super) fn or(left: Option<Value>, right: Option<Value>) -> Option<Value> {
    not(and(not(left), not(right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Value {
        Value::Date(text.parse().unwrap())
    }

    #[test]
    fn order_coerces_like_the_server() {
        let cases = [
            (Value::whole(2), Value::Number(Number::parse("1.99").unwrap()), Ordering::Greater),
            (Value::whole(2), Value::Double(2.5), Ordering::Less),
            (Value::text("10"), Value::text("9"), Ordering::Less),
            (date("2026-11-20"), Value::Timestamp("2026-11-20T00:00:00".parse().unwrap()), Ordering::Equal),
        ];
        for (a, b, wanted) in cases {
            assert_eq!(a.order(&b), Some(wanted), "{a:?} {b:?}");
        }
        assert_eq!(Value::text("1").order(&Value::whole(1)), None);
    }

    #[test]
    fn arithmetic_moves_dates() {
        let week = Value::Days(7 * 86_400_000_000);
        assert_eq!(date("2026-11-20").combined(Arithmetic::Subtract, &week), Some(date("2026-11-13")));
        assert_eq!(date("2026-01-31").combined(Arithmetic::Add, &Value::Months(1)), Some(date("2026-02-28")));
        assert_eq!(date("2026-01-31").combined(Arithmetic::Add, &Value::Days(1)), None);
        assert_eq!(Value::whole(7).combined(Arithmetic::Divide, &Value::whole(2)), Some(Value::whole(3)));
        assert_eq!(Value::whole(7).combined(Arithmetic::Divide, &Value::whole(0)), None);
        assert_eq!(Value::Null.combined(Arithmetic::Add, &Value::whole(0)), Some(Value::Null));
    }

    #[test]
    fn logic_has_four_answers() {
        let (t, f, n, u) = (Some(Value::Boolean(true)), Some(Value::Boolean(false)), Some(Value::Null), None);
        assert_eq!(and(f.clone(), u.clone()), f);
        assert_eq!(and(t.clone(), u.clone()), u);
        assert_eq!(and(n.clone(), u.clone()), u);
        assert_eq!(and(t.clone(), n.clone()), n);
        assert_eq!(or(t.clone(), u.clone()), t);
        assert_eq!(or(f.clone(), u.clone()), u);
        assert_eq!(or(n.clone(), f.clone()), n);
        assert_eq!(not(n.clone()), n);
    }

    #[test]
    fn rows_compare_part_by_part() {
        let row = |parts: &[Option<Value>]| Value::Row(parts.to_vec());
        let (one, two) = (Some(Value::whole(1)), Some(Value::whole(2)));
        assert_eq!(row(&[one.clone(), None]).equals(&row(&[two.clone(), one.clone()])), None);
        assert_eq!(row(&[one.clone(), None]).equals(&row(&[one.clone(), one.clone()])), None);
        assert_eq!(row(&[one.clone(), Some(Value::Null)]).equals(&row(&[one.clone(), one.clone()])), Some(Value::Null));
        assert_eq!(row(&[one.clone(), two.clone()]).equals(&row(&[one, two])), Some(Value::Boolean(true)));
    }

    #[test]
    fn numbers_parse_strictly() {
        assert_eq!(Number::parse("-1.50"), Some(Number { unscaled: -150, scale: 2 }));
        assert_eq!(Number::parse(".5"), Some(Number { unscaled: 5, scale: 1 }));
        for bad in ["", ".", "1e3", "1 ", "--1", "１"] {
            assert_eq!(Number::parse(bad), None, "{bad}");
        }
    }
}
