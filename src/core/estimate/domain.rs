//! The values that a predicate leaves of one column: ranges, and whether NULL is among them. By these a reader prunes row groups and
//! pages (Trino's `DomainTranslator` and `TupleDomain`; the rules are in docs/estimates.md).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::term::{Known, evaluate};
use super::value::Value;
use crate::core::sql::analysis::Term;
use crate::core::sql::types::Type;

/// A set of values of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Domain {
    /// In order, not overlapping.
    ranges: Vec<Range>,
    /// Whether NULL belongs to it.
    nulls: bool,
}

/// Values between two ends.
#[derive(Debug, Clone, PartialEq)]
struct Range {
    low: Option<End>,
    high: Option<End>,
}

/// An end of a range; none is no end.
#[derive(Debug, Clone, PartialEq)]
struct End {
    value: Value,
    inclusive: bool,
}

/// How a set of values stands to the values between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// Nothing in common.
    None,
    /// Something, perhaps.
    Some,
    /// All of them belong to the set.
    All,
}

/// What a footer says of a chunk, a page or a stripe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    /// Bounds of the values that are not NULL; `None` where nobody knows.
    pub(super) range: Option<(&'a Value, &'a Value)>,
    /// Whether there may be NULLs.
    pub(super) nulls: bool,
    /// Whether there is nothing else.
    pub(super) only_nulls: bool,
}

impl Domain {
    /// Every value, and NULL.
    pub(super) fn all() -> Self {
        Self { ranges: vec![Range { low: None, high: None }], nulls: true }
    }

    fn none() -> Self {
        Self { ranges: Vec::new(), nulls: false }
    }

    fn not_null() -> Self {
        Self { nulls: false, ..Self::all() }
    }

    fn only_null() -> Self {
        Self { nulls: true, ..Self::none() }
    }

    fn between(low: Option<(Value, bool)>, high: Option<(Value, bool)>) -> Self {
        let end = |end: Option<(Value, bool)>| end.map(|(value, inclusive)| End { value, inclusive });
        let range = Range { low: end(low), high: end(high) };
        Self { ranges: if range.is_empty() { Vec::new() } else { vec![range] }, nulls: false }
    }

    /// One value.
    pub(super) fn exactly(value: Value) -> Self {
        Self::between(Some((value.clone(), true)), Some((value, true)))
    }

    /// Whether it is a few single values, as a Bloom filter can be asked for.
    pub(super) fn is_discrete(&self) -> bool {
        let single = |range: &Range| match (&range.low, &range.high) {
            (Some(low), Some(high)) => low.value == high.value,
            _ => false,
        };
        !self.nulls && !self.ranges.is_empty() && self.ranges.iter().all(single)
    }

    /// The values that belong to both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        for a in &self.ranges {
            for b in &other.ranges {
                let range = Range { low: later(&a.low, &b.low, true).clone(), high: later(&a.high, &b.high, false).clone() };
                if !range.is_empty() {
                    ranges.push(range);
                }
            }
        }
        Self { ranges, nulls: self.nulls && other.nulls }
    }

    /// The values that belong to one of them.
    fn or(&self, other: &Self) -> Self {
        let mut ranges: Vec<Range> = self.ranges.iter().chain(&other.ranges).cloned().collect();
        ranges.sort_by(|a, b| lows(&a.low, &b.low));
        let mut merged: Vec<Range> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if last.reaches(&range) => {
                    last.high = match (&last.high, &range.high) {
                        (Some(a), Some(b)) if highs(a, b).is_lt() => Some(b.clone()),
                        (Some(_), Some(_)) => last.high.clone(),
                        _ => None,
                    };
                }
                _ => merged.push(range),
            }
        }
        Self { ranges: merged, nulls: self.nulls || other.nulls }
    }

    /// How it stands to what a footer says.
    pub(super) fn overlap(&self, held: Held<'_>) -> Overlap {
        let nulls = held.nulls || held.only_nulls;
        let values = if held.only_nulls {
            None
        } else {
            Some(match held.range {
                Some((min, max)) => self.overlap_range(min, max),
                None if self.ranges.is_empty() => Overlap::None,
                None if self.ranges.iter().any(|range| range.low.is_none() && range.high.is_none()) => Overlap::All,
                None => Overlap::Some,
            })
        };
        match (values, nulls && self.nulls, nulls && !self.nulls) {
            (Some(Overlap::None) | None, false, _) => Overlap::None,
            (Some(Overlap::All) | None, _, false) => Overlap::All,
            _ => Overlap::Some,
        }
    }

    fn overlap_range(&self, min: &Value, max: &Value) -> Overlap {
        let bounds = Range { low: Some(End::at(min)), high: Some(End::at(max)) };
        // What cannot be compared may overlap.
        let strange = |end: &Option<End>| end.as_ref().is_some_and(|end| end.value.order(min).is_none());
        if self.ranges.iter().any(|range| strange(&range.low) || strange(&range.high)) {
            return Overlap::Some;
        }
        if self.ranges.iter().any(|range| range.holds(&bounds)) {
            Overlap::All
        } else if self.and(&Self { ranges: vec![bounds], nulls: false }).ranges.is_empty() {
            Overlap::None
        } else {
            Overlap::Some
        }
    }
}

impl End {
    fn at(value: &Value) -> Self {
        Self { value: value.clone(), inclusive: true }
    }
}

impl Range {
    fn is_empty(&self) -> bool {
        let (Some(low), Some(high)) = (&self.low, &self.high) else { return false };
        match low.value.order(&high.value) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !(low.inclusive && high.inclusive),
            _ => false,
        }
    }

    /// Whether the other range, which does not begin before it, begins inside it or right behind it.
    fn reaches(&self, other: &Self) -> bool {
        match (&self.high, &other.low) {
            (None, _) | (_, None) => true,
            (Some(high), Some(low)) => match low.value.order(&high.value) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => low.inclusive || high.inclusive,
                _ => false,
            },
        }
    }

    fn holds(&self, other: &Self) -> bool {
        let low = self.low.is_none() || (other.low.is_some() && lows(&self.low, &other.low).is_le());
        let high = match (&self.high, &other.high) {
            (None, _) => true,
            (Some(own), Some(other)) => highs(own, other).is_ge(),
            (Some(_), None) => false,
        };
        low && high
    }
}

/// The order of two lower ends: none comes first, an inclusive one before an exclusive one of the same value.
fn lows(a: &Option<End>, b: &Option<End>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => a.value.order(&b.value).unwrap_or(Ordering::Equal).then(b.inclusive.cmp(&a.inclusive)),
    }
}

/// The order of two upper ends.
fn highs(a: &End, b: &End) -> Ordering {
    a.value.order(&b.value).unwrap_or(Ordering::Equal).then(a.inclusive.cmp(&b.inclusive))
}

/// The end that leaves less: the later of two lower ones, the earlier of two upper ones.
fn later<'a>(a: &'a Option<End>, b: &'a Option<End>, low: bool) -> &'a Option<End> {
    match (a, b) {
        (None, other) | (other, None) => other,
        (Some(x), Some(y)) => {
            let first = if low { lows(a, b).is_ge() } else { highs(x, y).is_le() };
            if first { a } else { b }
        }
    }
}

/// What predicates leave of each column; a column that is not here is not restricted.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Domains(BTreeMap<String, Domain>);

impl Domains {
    /// What conjuncts leave, each holding for every row.
    pub(super) fn of(conjuncts: &[Term], known: &dyn Known) -> Self {
        conjuncts.iter().fold(Self::default(), |all, term| all.and(Self::left(term, true, known, DEPTH)))
    }

    fn one(column: String, domain: Domain) -> Self {
        Self(BTreeMap::from([(column, domain)]))
    }

    /// Restricts a column further.
    pub(super) fn restrict(&mut self, column: &str, domain: &Domain) {
        let own = self.0.entry(column.to_owned()).or_insert_with(Domain::all);
        *own = own.and(domain);
    }

    /// The columns with what is left of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Domain)> {
        self.0.iter().map(|(column, domain)| (column.as_str(), domain))
    }

    fn and(mut self, other: Self) -> Self {
        for (column, domain) in other.0 {
            self.restrict(&column, &domain);
        }
        self
    }

    /// A column is restricted if both sides restrict it.
    fn or(self, mut other: Self) -> Self {
        let both = self.0.into_iter().filter_map(|(column, domain)| {
            let theirs = other.0.remove(&column)?;
            Some((column, domain.or(&theirs)))
        });
        Self(both.collect())
    }

    /// What `term` being `wanted` leaves.
    fn left(term: &Term, wanted: bool, known: &dyn Known, depth: u32) -> Self {
        let Some(depth) = depth.checked_sub(1) else { return Self::default() };
        let Term::Apply { name, arguments, .. } = term else {
            return match column(term) {
                Some(column) => Self::one(column, Domain::exactly(Value::Boolean(wanted))),
                None => Self::default(),
            };
        };
        let parts = || arguments.iter().map(|part| Self::left(part, wanted, known, depth));
        let compared = |operator: Operator| comparison(arguments, if wanted { operator } else { operator.opposite() }, known);
        match (name.as_str(), wanted) {
            ("and", true) | ("or", false) => parts().fold(Self::default(), Self::and),
            ("or", true) | ("and", false) => parts().reduce(Self::or).unwrap_or_default(),
            ("not", _) => arguments.first().map(|part| Self::left(part, !wanted, known, depth)).unwrap_or_default(),
            ("=", _) => compared(Operator::Equal),
            ("<>", _) => compared(Operator::Unequal),
            ("<", _) => compared(Operator::Less),
            ("<=", _) => compared(Operator::AtMost),
            (">", _) => compared(Operator::More),
            (">=", _) => compared(Operator::AtLeast),
            ("between", true) => match arguments.as_slice() {
                [value, low, high] => pair(value, Operator::AtLeast, low, known).and(pair(value, Operator::AtMost, high, known)),
                _ => Self::default(),
            },
            ("between", false) => match arguments.as_slice() {
                [value, low, high] => pair(value, Operator::Less, low, known).or(pair(value, Operator::More, high, known)),
                _ => Self::default(),
            },
            ("in", _) => match arguments.split_first() {
                Some((value, items)) if wanted => {
                    items.iter().map(|item| pair(value, Operator::Equal, item, known)).reduce(Self::or).unwrap_or_default()
                }
                Some((value, items)) => {
                    items.iter().fold(Self::default(), |all, item| all.and(pair(value, Operator::Unequal, item, known)))
                }
                None => Self::default(),
            },
            ("is null", _) => match arguments.first().and_then(column) {
                Some(column) => Self::one(column, if wanted { Domain::only_null() } else { Domain::not_null() }),
                None => Self::default(),
            },
            ("is distinct from", _) => match arguments.as_slice() {
                [value, other] => distinct(value, other, wanted, known),
                _ => Self::default(),
            },
            ("like", true) => like(arguments, known).unwrap_or_default(),
            _ => Self::default(),
        }
    }
}

/// The most nesting that is looked into.
const DEPTH: u32 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Operator {
    fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::More,
            Self::More => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    /// With its sides changed.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::More => Self::Less,
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }

    /// The values that stand so to those from `low` up to, but without, `next`; `None`: to the one value `low`.
    fn of(self, low: Value, next: Option<Value>) -> Domain {
        match self {
            Self::Equal => match next {
                Some(next) => Domain::between(Some((low, true)), Some((next, false))),
                None => Domain::exactly(low),
            },
            Self::Unequal => {
                let above = next.map_or((low.clone(), false), |next| (next, true));
                Domain::between(None, Some((low, false))).or(&Domain::between(Some(above), None))
            }
            Self::Less => Domain::between(None, Some((low, false))),
            Self::AtLeast => Domain::between(Some((low, true)), None),
            Self::AtMost => Domain::between(None, Some(next.map_or((low, true), |next| (next, false)))),
            Self::More => Domain::between(Some(next.map_or((low, false), |next| (next, true))), None),
        }
    }
}

/// The column that a term is: plain, or a field of one.
fn column(term: &Term) -> Option<String> {
    match term {
        Term::Column { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn comparison(arguments: &[Term], operator: Operator, known: &dyn Known) -> Domains {
    let [left, right] = arguments else { return Domains::default() };
    let first = pair(left, operator, right, known);
    if first.0.is_empty() { pair(right, operator.turned(), left, known) } else { first }
}

/// What `side operator constant` leaves.
fn pair(side: &Term, operator: Operator, constant: &Term, known: &dyn Known) -> Domains {
    let Some(value) = evaluate(constant, known) else { return Domains::default() };
    let Some((column, edge)) = unwrapped(side, &value, known) else { return Domains::default() };
    if value.is_null() {
        return Domains::one(column, Domain::none());
    }
    Domains::one(
        column,
        match edge {
            Edge::Same => operator.of(value, None),
            Edge::Span(low, next) => operator.of(low, Some(next)),
        },
    )
}

fn distinct(side: &Term, other: &Term, wanted: bool, known: &dyn Known) -> Domains {
    let Some(value) = evaluate(other, known) else { return Domains::default() };
    let Some((column, Edge::Same)) = unwrapped(side, &value, known) else { return Domains::default() };
    let domain = match (value.is_null(), wanted) {
        (true, true) => Domain::not_null(),
        (true, false) => Domain::only_null(),
        (false, true) => Operator::Unequal.of(value, None).or(&Domain::only_null()),
        (false, false) => Domain::exactly(value),
    };
    Domains::one(column, domain)
}

/// Which values of the column stand for the constant.
enum Edge {
    /// The same.
    Same,
    /// Those from the first up to, but without, the second.
    Span(Value, Value),
}

/// The column under casts and truncations that a server sees through (Trino: `UnwrapCastInComparison`,
/// `UnwrapDateTruncInComparison`, `UnwrapYearInComparison`), and which of its values give `value`.
fn unwrapped(side: &Term, value: &Value, known: &dyn Known) -> Option<(String, Edge)> {
    if let Some(column) = column(side) {
        return Some((column, Edge::Same));
    }
    let Term::Apply { name, arguments, kind, .. } = side else { return None };
    match (name.as_str(), arguments.as_slice()) {
        ("cast", [inner]) => {
            let from = inner.kind();
            let name = column(inner)?;
            if matches!((from, kind), (Type::Timestamp(_), Type::Date)) {
                return Some((name, day(value)?));
            }
            // Beyond this a double stands for several whole numbers.
            let exact = !matches!(value, Value::Double(v) if v.abs() > 9e15);
            (exact && widens(from, kind)).then_some((name, Edge::Same))
        }
        ("date", [inner]) if matches!(inner.kind(), Type::Timestamp(_)) => Some((column(inner)?, day(value)?)),
        ("date_trunc", [unit, inner]) => {
            let unit = evaluate(unit, known)?;
            let name = column(inner)?;
            let (start, next) = truncated(unit.as_text()?, value)?;
            // A constant that is not the beginning of its unit is left to the rows.
            (start == *value).then_some((name, Edge::Span(start, next)))
        }
        ("year", [inner]) => {
            let name = column(inner)?;
            let year = i16::try_from(value.as_whole()?).ok()?;
            let start = |year: i16| like_column(inner.kind(), jiff::civil::Date::new(year, 1, 1).ok()?);
            Some((name, Edge::Span(start(year)?, start(year.checked_add(1)?)?)))
        }
        _ => None,
    }
}

fn like_column(kind: &Type, date: jiff::civil::Date) -> Option<Value> {
    match kind {
        Type::Date => Some(Value::Date(date)),
        Type::Timestamp(_) => Some(Value::Timestamp(date.to_datetime(jiff::civil::Time::midnight()))),
        _ => None,
    }
}

/// The timestamps of a day.
fn day(value: &Value) -> Option<Edge> {
    let Value::Date(date) = value else { return value.is_null().then_some(Edge::Same) };
    let midnight = |date: jiff::civil::Date| Value::Timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    Some(Edge::Span(midnight(*date), midnight(date.tomorrow().ok()?)))
}

/// The unit of time that holds `value`: its beginning, and that of the next.
fn truncated(unit: &str, value: &Value) -> Option<(Value, Value)> {
    use super::value::Value::{Date, Timestamp};
    let time = match value {
        Date(date) => date.to_datetime(jiff::civil::Time::midnight()),
        Timestamp(time) => *time,
        _ => return None,
    };
    let hour = |hour: i8| Some(time.date().to_datetime(jiff::civil::Time::new(hour, 0, 0, 0).ok()?));
    let span = jiff::Span::new();
    let (start, span) = match unit.to_ascii_lowercase().as_str() {
        "hour" => (hour(time.hour())?, span.hours(1)),
        "day" => (hour(0)?, span.days(1)),
        "month" => (time.date().first_of_month().to_datetime(jiff::civil::Time::midnight()), span.months(1)),
        "year" => (jiff::civil::Date::new(time.year(), 1, 1).ok()?.to_datetime(jiff::civil::Time::midnight()), span.years(1)),
        _ => return None,
    };
    let next = start.checked_add(span).ok()?;
    Some(match value {
        Date(_) => (Date(start.date()), Date(next.date())),
        _ => (Timestamp(start), Timestamp(next)),
    })
}

/// Whether every value keeps its order and its identity under the cast.
fn widens(from: &Type, to: &Type) -> bool {
    let rank = |kind: &Type| match kind {
        Type::Tinyint => Some(0),
        Type::Smallint => Some(1),
        Type::Integer => Some(2),
        Type::Bigint => Some(3),
        _ => None,
    };
    match (rank(from), rank(to)) {
        (Some(a), Some(b)) => a <= b,
        (Some(_), None) => matches!(to, Type::Double | Type::Decimal(..)),
        _ => matches!((from, to), (Type::Varchar(_), Type::Varchar(None))),
    }
}

/// `LIKE 'abc%'`: from `abc` up to what follows all that begins so.
fn like(arguments: &[Term], known: &dyn Known) -> Option<Domains> {
    let (side, pattern) = match arguments {
        [side, pattern] => (side, pattern),
        _ => return None,
    };
    let column = column(side)?;
    let Value::Text(pattern) = evaluate(pattern, known)? else { return None };
    let (prefix, open) = match pattern.find(['%', '_']) {
        Some(at) => (pattern.get(..at)?.to_owned(), true),
        None => (pattern, false),
    };
    if !open {
        return Some(Domains::one(column, Domain::exactly(Value::Text(prefix))));
    }
    if prefix.is_empty() {
        return Some(Domains::one(column, Domain::not_null()));
    }
    let next = successor(&prefix).map(|next| (Value::Text(next), false));
    Some(Domains::one(column, Domain::between(Some((Value::Text(prefix), true)), next)))
}

/// The smallest text after all that begin with `prefix`.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
