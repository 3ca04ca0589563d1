//! Arrow columns from rows: one closure a column, so that a table reads as its list of columns.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray, StringBuilder, TimestampMillisecondArray};

use crate::core::units::Timestamp;

/// A varchar column whose values exist already.
pub(super) fn text<'a, T>(rows: &'a [T], of: impl Fn(&'a T) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<StringArray>())
}

/// A varchar column with the same value everywhere.
pub(super) fn constant<T>(rows: &[T], value: &str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows.len())))
}

/// A varchar column of nulls.
pub(super) fn nothing<T>(rows: &[T]) -> ArrayRef {
    Arc::new(rows.iter().map(|_| None::<&str>).collect::<StringArray>())
}

/// A varchar column whose values are written into one buffer; a closure that writes nothing gives the empty string.
pub(super) fn written<T>(rows: &[T], of: impl Fn(&T, &mut String)) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 24);
    let mut value = String::with_capacity(96);
    for row in rows {
        value.clear();
        of(row, &mut value);
        builder.append_value(&value);
    }
    Arc::new(builder.finish())
}

/// As [`written`]; `false` from the closure gives NULL.
pub(super) fn written_or_null<T>(rows: &[T], of: impl Fn(&T, &mut String) -> bool) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 24);
    let mut value = String::with_capacity(96);
    for row in rows {
        value.clear();
        let is_some = of(row, &mut value);
        builder.append_option(is_some.then_some(&value));
    }
    Arc::new(builder.finish())
}

/// An integer column.
pub(super) fn int<T>(rows: &[T], of: impl Fn(&T) -> i32) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(of(row))).collect::<Int32Array>())
}

/// A bigint column.
pub(super) fn bigint<T>(rows: &[T], of: impl Fn(&T) -> i64) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(of(row))).collect::<Int64Array>())
}

/// A double column of seconds, from milliseconds; negative stays as it is, as the load balancer writes -1 for "never".
pub(super) fn seconds<T>(rows: &[T], of: impl Fn(&T) -> i32) -> ArrayRef {
    let seconds = |ms: i32| if ms < 0 { f64::from(ms) } else { f64::from(ms) / 1000.0 };
    Arc::new(rows.iter().map(|row| Some(seconds(of(row)))).collect::<Float64Array>())
}

/// A timestamp column.
pub(super) fn timestamp<T>(rows: &[T], of: impl Fn(&T) -> Timestamp) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(of(row).0)).collect::<TimestampMillisecondArray>())
}

/// Writes to a string, which cannot fail.
pub(super) fn put(to: &mut String, args: std::fmt::Arguments<'_>) {
    let _ = to.write_fmt(args);
}
