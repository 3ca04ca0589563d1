//! Values as text, the way Athena writes them into its result files.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::sandbox::dataset::trino::TrinoType;

/// Where the text goes: they differ in how floating-point numbers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A result: as Java prints numbers.
    Result,
    /// `CAST(x AS varchar)`: always with an exponent.
    Cast,
}

/// The name of an Arrow type in Trino's words.
pub(super) fn type_name(ty: &DataType) -> String {
    TrinoType::of_arrow(ty).map_or_else(|| ty.to_string(), |ty| ty.to_string())
}

/// The text of one value; `None` for NULL.
pub(super) fn value(array: &ArrayRef, row: usize, style: Style) -> Option<String> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return None;
    }
    let mut out = String::new();
    write(array, row, style, &mut out);
    Some(out)
}

fn write(array: &ArrayRef, row: usize, style: Style, out: &mut String) {
    macro_rules! number {
        ($ty:ty) => {
            out.push_str(&array.as_primitive::<$ty>().value(row).to_string())
        };
    }
    match array.data_type() {
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            out.push_str(&float(&format!("{value:e}"), f64::from(value), style));
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            out.push_str(&float(&format!("{value:e}"), value, style));
        }
        DataType::Decimal128(..) => out.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => binary(array.as_binary::<i32>().value(row), out),
        DataType::LargeBinary => binary(array.as_binary::<i64>().value(row), out),
        DataType::BinaryView => binary(array.as_binary_view().value(row), out),
        DataType::Date32 => date(i64::from(array.as_primitive::<Date32Type>().value(row)), out),
        DataType::Timestamp(unit, zone) => {
            timestamp(array, row, *unit, out);
            if let Some(zone) = zone {
                out.push(' ');
                out.push_str(if matches!(zone.as_ref(), "UTC" | "+00:00" | "Z") { "UTC" } else { zone });
            }
        }
        DataType::Struct(fields) => {
            let row_value = array.as_struct();
            out.push('{');
            for (index, (field, column)) in fields.iter().zip(row_value.columns()).enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(field.name());
                out.push('=');
                nested(column, row, style, out);
            }
            out.push('}');
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row), style, out),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), style, out),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row), style, out),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push('{');
            if let [keys, values] = entries.columns() {
                for entry in 0..entries.len() {
                    out.push_str(if entry > 0 { ", " } else { "" });
                    nested(keys, entry, style, out);
                    out.push('=');
                    nested(values, entry, style, out);
                }
            }
            out.push('}');
        }
        // Dictionaries, intervals and the like: rare, and Arrow's own text is readable.
        _ => match arrow::util::display::array_value_to_string(array, row) {
            Ok(text) => out.push_str(&text),
            Err(_) => out.push('?'),
        },
    }
}

fn nested(array: &ArrayRef, row: usize, style: Style, out: &mut String) {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        out.push_str("null");
    } else {
        write(array, row, style, out);
    }
}

fn list(items: &ArrayRef, style: Style, out: &mut String) {
    out.push('[');
    for index in 0..items.len() {
        out.push_str(if index > 0 { ", " } else { "" });
        nested(items, index, style, out);
    }
    out.push(']');
}

fn binary(bytes: &[u8], out: &mut String) {
    for (index, byte) in bytes.iter().enumerate() {
        out.push_str(if index > 0 { " " } else { "" });
        out.push_str(&format!("{byte:02x}"));
    }
}

fn date(days: i64, out: &mut String) {
    match jiff::Timestamp::from_second(days.saturating_mul(86_400)) {
        Ok(at) => out.push_str(&at.strftime("%Y-%m-%d").to_string()),
        Err(_) => out.push_str(&format!("{days} days")),
    }
}

/// `2026-11-20 13:52:07.113`: milliseconds, whatever the unit.
fn timestamp(array: &ArrayRef, row: usize, unit: TimeUnit, out: &mut String) {
    use arrow::datatypes::{TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType};
    let millis = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1000),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000),
    };
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => out.push_str(&format!("{}.{:03}", at.strftime("%Y-%m-%d %H:%M:%S"), millis.rem_euclid(1000))),
        Err(_) => out.push_str(&format!("{millis} ms")),
    }
}

/// A floating-point number as Java's `Double.toString` has it (`Result`), or with one digit before the point and an exponent
/// (`Cast`). `shortest` is Rust's shortest exponent form, whose digits are the same.
fn float(shortest: &str, value: f64, style: Style) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let scientific = || {
        let point = if mantissa.contains('.') { "" } else { ".0" };
        format!("{mantissa}{point}E{exponent}")
    };
    match style {
        Style::Cast => scientific(),
        Style::Result if value != 0.0 && !(-3..7).contains(&exponent) => scientific(),
        Style::Result => {
            let text = format!("{value}");
            // A float's own digits: as a double it would show more of them.
            let text = if mantissa.len() + 8 < text.len() { plain(mantissa, exponent) } else { text };
            if text.contains('.') { text } else { format!("{text}.0") }
        }
    }
}

/// Digits with the point moved by `exponent`, which is small.
fn plain(mantissa: &str, exponent: i32) -> String {
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        format!("{sign}{digits}{}", "0".repeat(whole - digits.len()))
    } else {
        let (left, right) = digits.split_at(whole);
        format!("{sign}{left}.{right}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float32Array, Float64Array, Int32Array, ListArray, StringArray, StructArray, TimestampNanosecondArray};
    use arrow::datatypes::Field;

    use super::*;

    fn first(array: impl Array + 'static, style: Style) -> Option<String> {
        value(&(Arc::new(array) as ArrayRef), 0, style)
    }

    #[test]
    fn doubles_look_as_in_java() {
        for (number, result, cast) in [
            (0.0, "0.0", "0.0E0"),
            (1.0, "1.0", "1.0E0"),
            (-12.5, "-12.5", "-1.25E1"),
            (0.001, "0.001", "1.0E-3"),
            (0.000_12, "1.2E-4", "1.2E-4"),
            (9_999_999.0, "9999999.0", "9.999999E6"),
            (10_000_000.0, "1.0E7", "1.0E7"),
            (123_456_789.125, "1.23456789125E8", "1.23456789125E8"),
            (f64::NAN, "NaN", "NaN"),
            (f64::NEG_INFINITY, "-Infinity", "-Infinity"),
        ] {
            assert_eq!(first(Float64Array::from(vec![number]), Style::Result).unwrap(), result);
            assert_eq!(first(Float64Array::from(vec![number]), Style::Cast).unwrap(), cast);
        }
        assert_eq!(first(Float32Array::from(vec![0.1_f32]), Style::Result).unwrap(), "0.1");
        assert_eq!(first(Float32Array::from(vec![-123.456_f32]), Style::Result).unwrap(), "-123.456");
    }

    #[test]
    fn nested_values_and_null() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
        assert_eq!(first(list, Style::Result).unwrap(), "[1, null]");
        let row = StructArray::from(vec![
            (Arc::new(Field::new("a", DataType::Int32, true)), Arc::new(Int32Array::from(vec![1])) as ArrayRef),
            (Arc::new(Field::new("b", DataType::Utf8, true)), Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef),
        ]);
        assert_eq!(first(row, Style::Result).unwrap(), "{a=1, b=null}");
        assert_eq!(first(StringArray::from(vec![None::<&str>]), Style::Result), None);
        assert_eq!(first(StringArray::from(vec![""]), Style::Result).unwrap(), "");
    }

    #[test]
    fn timestamps_have_milliseconds_and_a_zone() {
        let at = TimestampNanosecondArray::from(vec![1_795_182_727_123_456_789]);
        assert_eq!(first(at.clone(), Style::Result).unwrap(), "2026-11-20 13:52:07.123");
        assert_eq!(first(at.with_timezone("+00:00"), Style::Result).unwrap(), "2026-11-20 13:52:07.123 UTC");
    }
}
