//! Date and time functions.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, PrimitiveArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, TimeUnit, TimestampMillisecondType};
use datafusion::logical_expr::ScalarUDF;

use super::civil::{self, Part};
use super::column::{
    PLAIN, at, collect_strings, instants, integers, is_moment, is_text, is_whole, primitive, rows, string_at, strings,
};
use super::shim::{Shim, Types};

/// The functions of this file.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let mut all = vec![
        Shim::udf("tg_date_add", add_types, add),
        Shim::udf("tg_date_diff", diff_types, diff),
        Shim::udf("tg_date_trunc", trunc_types, trunc),
        Shim::udf("tg_date_format", format_types, format),
        Shim::udf("tg_date_parse", parse_types, parse),
        Shim::udf("tg_date", date_types, date),
        Shim::udf("tg_from_unixtime", from_unixtime_types, from_unixtime),
        Shim::udf("tg_to_unixtime", to_unixtime_types, to_unixtime),
        Shim::udf("tg_from_iso8601_timestamp", from_iso_types, from_iso),
        Shim::udf("tg_from_iso8601_date", from_iso_date_types, from_iso_date),
        Shim::udf("tg_to_iso8601", to_iso_types, to_iso),
    ];
    macro_rules! fields {
        ($($name:literal => $engine:literal),*) => {
            $(all.push(Shim::udf($engine, field_types, |args, _| field($name, args)));)*
        };
    }
    fields!(
        "year" => "tg_year", "quarter" => "tg_quarter", "month" => "tg_month", "week" => "tg_week",
        "year_of_week" => "tg_year_of_week", "day" => "tg_day", "day_of_week" => "tg_day_of_week",
        "day_of_year" => "tg_day_of_year", "hour" => "tg_hour", "minute" => "tg_minute", "second" => "tg_second",
        "millisecond" => "tg_millisecond"
    );
    all
}

fn zoned() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// The type in which a moment is worked with, and comes out: a date stays one, a zone stays.
fn moment(ty: &DataType) -> DataType {
    match ty {
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, Some(zone)) => DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::clone(zone))),
        _ => PLAIN,
    }
}

fn add_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [unit, n, of] if is_text(unit) && is_whole(n) && is_moment(of) => {
            Ok((vec![DataType::Utf8, DataType::Int64, moment(of)], moment(of)))
        }
        _ => Err("date_add(varchar, bigint, date | timestamp)".to_owned()),
    }
}

fn add(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let (units, counts, moments) = (strings(args, 0)?, integers(args, 1)?, instants(args, 2)?);
    let values = (0..rows(args)).map(|row| match (string_at(units, row), at(counts, row), at(&moments, row)) {
        (Some(unit), Some(n), Some(ms)) => {
            civil::add(Part::parse(unit)?, n, ms).map(Some).ok_or("timestamp out of range".to_owned())
        }
        _ => Ok(None),
    });
    finish(values, result)
}

fn diff_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [unit, from, to] if is_text(unit) && is_moment(from) && is_moment(to) => {
            Ok((vec![DataType::Utf8, moment(from), moment(to)], DataType::Int64))
        }
        _ => Err("date_diff(varchar, date | timestamp, date | timestamp)".to_owned()),
    }
}

fn diff(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (units, from, to) = (strings(args, 0)?, instants(args, 1)?, instants(args, 2)?);
    let values = (0..rows(args)).map(|row| match (string_at(units, row), at(&from, row), at(&to, row)) {
        (Some(unit), Some(from), Some(to)) => {
            civil::difference(Part::parse(unit)?, from, to).map(Some).ok_or("timestamp out of range".to_owned())
        }
        _ => Ok(None),
    });
    Ok(Arc::new(values.collect::<Result<Int64Array, String>>()?))
}

fn trunc_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [unit, of] if is_text(unit) && is_moment(of) => Ok((vec![DataType::Utf8, moment(of)], moment(of))),
        _ => Err("date_trunc(varchar, date | timestamp)".to_owned()),
    }
}

fn trunc(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let (units, moments) = (strings(args, 0)?, instants(args, 1)?);
    let values = (0..rows(args)).map(|row| match (string_at(units, row), at(&moments, row)) {
        (Some(unit), Some(ms)) => civil::truncate(Part::parse(unit)?, ms).map(Some).ok_or("timestamp out of range".to_owned()),
        _ => Ok(None),
    });
    finish(values, result)
}

/// Milliseconds as a date or a timestamp, as `result` says.
fn finish(values: impl Iterator<Item = Result<Option<i64>, String>>, result: &DataType) -> Result<ArrayRef, String> {
    let array: TimestampMillisecondArray = values.collect::<Result<_, _>>()?;
    Ok(match result {
        DataType::Date32 => Arc::new(to_dates(&array)),
        DataType::Timestamp(_, Some(zone)) => Arc::new(array.with_timezone(Arc::clone(zone))),
        _ => Arc::new(array),
    })
}

fn to_dates(array: &PrimitiveArray<TimestampMillisecondType>) -> Date32Array {
    array.unary::<_, Date32Type>(|ms| i32::try_from(ms.div_euclid(86_400_000)).unwrap_or(i32::MAX))
}

fn format_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [of, format] if is_moment(of) && is_text(format) => Ok((vec![moment(of), DataType::Utf8], DataType::Utf8)),
        _ => Err("date_format(timestamp, varchar)".to_owned()),
    }
}

fn format(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let (moments, formats) = (instants(args, 0)?, strings(args, 1)?);
    collect_strings((0..rows(args)).map(|row| match (at(&moments, row), string_at(formats, row)) {
        (Some(ms), Some(format)) => civil::format_mysql(format, ms).map(Some),
        _ => Ok(None),
    }))
}

fn parse_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text, format] if is_text(text) && is_text(format) => Ok((vec![DataType::Utf8, DataType::Utf8], PLAIN)),
        _ => Err("date_parse(varchar, varchar)".to_owned()),
    }
}

fn parse(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let (texts, formats) = (strings(args, 0)?, strings(args, 1)?);
    let values = (0..rows(args)).map(|row| match (string_at(texts, row), string_at(formats, row)) {
        (Some(text), Some(format)) => civil::parse_mysql(format, text).map(Some),
        _ => Ok(None),
    });
    finish(values, result)
}

fn date_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [of] if is_text(of) => Ok((vec![DataType::Utf8], DataType::Date32)),
        [of] if is_moment(of) => Ok((vec![moment(of)], DataType::Date32)),
        _ => Err("date(varchar | timestamp)".to_owned()),
    }
}

fn date(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    if let Ok(moments) = instants(args, 0) {
        return Ok(Arc::new(to_dates(&moments)));
    }
    let texts = strings(args, 0)?;
    finish(
        (0..rows(args)).map(|row| match string_at(texts, row) {
            Some(text) => iso_date(text).map(Some).ok_or_else(|| format!("Value cannot be cast to date: {text}")),
            None => Ok(None),
        }),
        &DataType::Date32,
    )
}

/// A bare date; a time after it is not one.
fn iso_date(text: &str) -> Option<i64> {
    if text.contains('T') { None } else { civil::from_iso8601(text.trim()) }
}

fn from_unixtime_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [seconds] if seconds.is_numeric() || *seconds == DataType::Null => Ok((vec![DataType::Float64], zoned())),
        _ => Err("from_unixtime(double)".to_owned()),
    }
}

#[allow(clippy::cast_possible_truncation)] // Saturates; what is out of range is refused where it is used.
fn from_unixtime(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let seconds = primitive::<Float64Type>(args, 0)?;
    finish((0..rows(args)).map(|row| Ok(at(seconds, row).map(|s| (s * 1000.0).round() as i64))), result)
}

fn to_unixtime_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [of] if is_moment(of) => Ok((vec![moment(of)], DataType::Float64)),
        _ => Err("to_unixtime(timestamp)".to_owned()),
    }
}

#[allow(clippy::cast_precision_loss)] // 53 bits hold every millisecond of the calendar.
fn to_unixtime(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    let moments = instants(args, 0)?;
    Ok(Arc::new((0..rows(args)).map(|row| at(&moments, row).map(|ms| ms as f64 / 1000.0)).collect::<Float64Array>()))
}

fn from_iso_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text] if is_text(text) => Ok((vec![DataType::Utf8], zoned())),
        _ => Err("from_iso8601_timestamp(varchar)".to_owned()),
    }
}

fn from_iso(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let texts = strings(args, 0)?;
    finish(
        (0..rows(args)).map(|row| match string_at(texts, row) {
            Some(text) => civil::from_iso8601(text).map(Some).ok_or_else(|| format!("Invalid format: \"{text}\"")),
            None => Ok(None),
        }),
        result,
    )
}

fn from_iso_date_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [text] if is_text(text) => Ok((vec![DataType::Utf8], DataType::Date32)),
        _ => Err("from_iso8601_date(varchar)".to_owned()),
    }
}

fn from_iso_date(args: &[ArrayRef], result: &DataType) -> Result<ArrayRef, String> {
    let texts = strings(args, 0)?;
    finish(
        (0..rows(args)).map(|row| match string_at(texts, row) {
            Some(text) => iso_date(text).map(Some).ok_or_else(|| format!("Invalid format: \"{text}\"")),
            None => Ok(None),
        }),
        result,
    )
}

fn to_iso_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [DataType::Date32 | DataType::Date64] => Ok((vec![DataType::Date32], DataType::Utf8)),
        [of] if is_moment(of) => Ok((vec![moment(of)], DataType::Utf8)),
        _ => Err("to_iso8601(date | timestamp)".to_owned()),
    }
}

fn to_iso(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, String> {
    if let Ok(dates) = primitive::<Date32Type>(args, 0) {
        return collect_strings(
            (0..rows(args))
                .map(|row| at(dates, row).map(|day| civil::format_mysql("%Y-%m-%d", i64::from(day) * 86_400_000)).transpose()),
        );
    }
    let moments = instants(args, 0)?;
    let zone = if moments.timezone().is_some() { "Z" } else { "" };
    collect_strings((0..rows(args)).map(|row| {
        at(&moments, row)
            .map(|ms| Ok(format!("{}.{:03}{zone}", civil::format_mysql("%Y-%m-%dT%T", ms)?, ms.rem_euclid(1000))))
            .transpose()
    }))
}

fn field_types(given: &[DataType]) -> Result<Types, String> {
    match given {
        [of] if is_moment(of) => Ok((vec![moment(of)], DataType::Int64)),
        _ => Err("a date or timestamp".to_owned()),
    }
}

fn field(name: &str, args: &[ArrayRef]) -> Result<ArrayRef, String> {
    let moments = instants(args, 0)?;
    Ok(Arc::new((0..moments.len()).map(|row| at(&moments, row).and_then(|ms| civil::field(name, ms))).collect::<Int64Array>()))
}
