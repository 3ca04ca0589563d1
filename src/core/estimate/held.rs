//! What footers say, as values that predicates can be compared with.

use jiff::civil::{Date, DateTime};

use super::domain::{Domain, Held, Overlap};
use super::value::{Number, Value};
use crate::core::catalog::file::{Bound, Chunk, OrcStatistics, Page};

/// A bound as a value; `None`: out of what dates can be.
fn value(bound: &Bound) -> Option<Value> {
    let epoch = Date::constant(1970, 1, 1);
    Some(match bound {
        Bound::Boolean(b) => Value::Boolean(*b),
        Bound::Whole(n) => Value::whole(i128::from(*n)),
        Bound::Double(bits) => Value::Double(f64::from_bits(*bits)),
        Bound::Decimal(unscaled, scale) => Value::Number(Number { unscaled: *unscaled, scale: *scale }),
        Bound::Text(text) => Value::text(text),
        Bound::Date(days) => Value::Date(epoch.checked_add(jiff::Span::new().try_days(*days).ok()?).ok()?),
        Bound::Timestamp(micros) => {
            let start: DateTime = epoch.to_datetime(jiff::civil::Time::midnight());
            Value::Timestamp(start.checked_add(jiff::Span::new().try_microseconds(*micros).ok()?).ok()?)
        }
    })
}

fn overlap(domain: &Domain, range: Option<&(Bound, Bound)>, nulls: bool, only_nulls: bool) -> Overlap {
    let range = range.and_then(|(min, max)| Some((value(min)?, value(max)?)));
    let range = range.as_ref().map(|(min, max)| (min, max));
    domain.overlap(Held { range, nulls, only_nulls })
}

/// How a predicate stands to a column chunk (Trino: `TupleDomainParquetPredicate.getDomain`): where the number of NULLs is not said,
/// there may be some.
pub(super) fn of_chunk(domain: &Domain, chunk: &Chunk) -> Overlap {
    let only_nulls = chunk.nulls.is_some_and(|nulls| nulls == chunk.values && nulls > 0);
    overlap(domain, chunk.range.as_ref(), chunk.nulls != Some(0), only_nulls)
}

/// How it stands to a data page.
pub(super) fn of_page(domain: &Domain, page: &Page) -> Overlap {
    overlap(domain, page.range.as_ref(), page.nulls != Some(0), page.all_null)
}

/// How it stands to a column of an ORC stripe or file with so many rows.
pub(super) fn of_orc(domain: &Domain, statistics: &OrcStatistics, rows: u64) -> Overlap {
    let only_nulls = statistics.values == Some(0) && rows > 0;
    let nulls = statistics.values.is_none_or(|values| values < rows) && statistics.has_null != Some(false);
    overlap(domain, statistics.range.as_ref(), nulls, only_nulls)
}
