//! Reading arguments: each shim's types are chosen so that these casts cannot fail on what the planner coerced.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Int64Type, TimeUnit, TimestampMillisecondType};

/// A varchar argument.
pub(super) fn strings(args: &[ArrayRef], index: usize) -> Result<&StringArray, String> {
    args.get(index).and_then(|a| a.as_string_opt::<i32>()).ok_or_else(|| format!("argument {} is not a varchar", index + 1))
}

/// A bigint argument.
pub(super) fn integers(args: &[ArrayRef], index: usize) -> Result<&Int64Array, String> {
    primitive::<Int64Type>(args, index)
}

/// A date or timestamp argument, with or without zone, in milliseconds.
pub(super) fn instants(args: &[ArrayRef], index: usize) -> Result<TimestampMillisecondArray, String> {
    if let Ok(dates) = primitive::<Date32Type>(args, index) {
        return Ok(dates.unary(|day| i64::from(day) * 86_400_000));
    }
    primitive::<TimestampMillisecondType>(args, index).cloned()
}

/// An argument of a primitive type.
pub(super) fn primitive<T: ArrowPrimitiveType>(args: &[ArrayRef], index: usize) -> Result<&PrimitiveArray<T>, String> {
    args.get(index).and_then(|a| a.as_primitive_opt::<T>()).ok_or_else(|| format!("argument {} has another type", index + 1))
}

/// The value of row `row`, or `None` for NULL.
pub(super) fn string_at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// The value of row `row`, or `None` for NULL.
pub(super) fn at<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    array.is_valid(row).then(|| array.value(row))
}

/// How many rows the arguments have.
pub(super) fn rows(args: &[ArrayRef]) -> usize {
    args.first().map_or(0, |a| a.len())
}

/// A varchar column from one value a row.
pub(super) fn collect_strings<E>(values: impl Iterator<Item = Result<Option<String>, E>>) -> Result<ArrayRef, E> {
    let array: StringArray = values.collect::<Result<_, E>>()?;
    Ok(Arc::new(array))
}

/// `timestamp(3)`.
pub(super) const PLAIN: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// Whether a type is text, or NULL, which is anything.
pub(super) fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

/// Whether a type is a whole number, or NULL.
pub(super) fn is_whole(ty: &DataType) -> bool {
    ty.is_integer() || *ty == DataType::Null
}

/// Whether a type is a moment in time, or NULL.
pub(super) fn is_moment(ty: &DataType) -> bool {
    matches!(ty, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null)
}
