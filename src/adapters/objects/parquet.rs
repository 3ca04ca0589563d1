//! Footers of Parquet files, by the `parquet` crate.

use std::sync::Arc;

use parquet::DecodeResult;
use parquet::basic::{ConvertedType, Encoding, LogicalType, TimeUnit};
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

use crate::core::catalog::file::{Bound, Chunk, Group, Page, Pages, Parquet};

use super::{Ranged, tail};

/// What is read first: footers are rarely longer (Trino and we read the same tail).
const TAIL: u64 = 48 << 10;
/// Footers above this are not read.
const MOST_FOOTER: u64 = 64 << 20;
/// Page indexes above this are not read: the estimate then goes by whole chunks.
const MOST_INDEX: u64 = 64 << 20;
/// Smaller files are read whole whatever their pages hold, so their page indexes say nothing of use (`parquet.small-file-threshold`).
const SMALL_FILE: u64 = 3 << 20;
/// What Trino fetches of a Bloom filter before its bits (measured: 131136 for a filter of 131072).
const BLOOM_HEADER: u64 = 64;

/// Reads the footer of a file, and its page index where the file is larger than what is always read whole.
pub(super) fn read(file: &dyn Ranged) -> Result<Parquet, String> {
    let told = |error: &dyn std::fmt::Display| format!("its footer cannot be read: {error}");
    let end = tail(file, TAIL).map_err(|error| told(&error))?;
    let footer = match end.last_chunk::<8>() {
        Some([a, b, c, d, b'P', b'A', b'R', b'1']) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        Some([.., b'P', b'A', b'R', b'E']) => return Err("its footer is encrypted".to_owned()),
        _ => return Err("it does not end as a Parquet file does".to_owned()),
    };
    if footer == 0 || footer + 8 > file.bytes() || footer > MOST_FOOTER {
        return Err(format!("its footer cannot be {footer} bytes long"));
    }
    let bytes = if footer + 8 > TAIL { tail(file, footer + 8).map_err(|error| told(&error))? } else { end };
    let from = bytes.len().saturating_sub(usize::try_from(footer + 8).unwrap_or(usize::MAX));
    let metadata = bytes.get(from..bytes.len().saturating_sub(8)).unwrap_or_default();
    let metadata = ParquetMetaDataReader::decode_metadata(metadata).map_err(|error| told(&error))?;
    let metadata = with_indexes(file, metadata);
    facts(file, footer, &metadata)
}

/// With its page indexes, where they matter and can be read; without them the estimate is a little wider.
fn with_indexes(file: &dyn Ranged, metadata: ParquetMetaData) -> ParquetMetaData {
    let chunks = || metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let length = |length: Option<i32>| u64::try_from(length.unwrap_or(0)).unwrap_or(0);
    let bytes: u64 = chunks().map(|c| length(c.column_index_length()) + length(c.offset_index_length())).sum();
    if file.bytes() <= SMALL_FILE || bytes == 0 || bytes > MOST_INDEX {
        return metadata;
    }
    indexed(file, metadata.clone()).unwrap_or(metadata)
}

fn indexed(file: &dyn Ranged, metadata: ParquetMetaData) -> Option<ParquetMetaData> {
    let decoder = ParquetMetaDataPushDecoder::try_new_with_metadata(file.bytes(), metadata).ok()?;
    let mut decoder = decoder.with_page_index_policy(PageIndexPolicy::Optional);
    // One round asks for all that is missing; more than a few would be a loop.
    for _ in 0..4 {
        match decoder.try_decode().ok()? {
            DecodeResult::Data(metadata) => return Some(metadata),
            DecodeResult::Finished => return None,
            DecodeResult::NeedsData(ranges) => {
                for range in ranges {
                    let bytes = file.read(range.start, range.end.checked_sub(range.start)?).ok()?;
                    decoder.push_range(range, bytes.into()).ok()?;
                }
            }
        }
    }
    None
}

fn facts(file: &dyn Ranged, footer: u64, metadata: &ParquetMetaData) -> Result<Parquet, String> {
    let schema = metadata.file_metadata().schema_descr();
    let leaves: Vec<Vec<String>> =
        schema.columns().iter().map(|column| column.path().parts().iter().map(|part| part.to_lowercase()).collect()).collect();
    let mut groups = Vec::with_capacity(metadata.num_row_groups());
    for (number, group) in metadata.row_groups().iter().enumerate() {
        if group.num_columns() != leaves.len() {
            return Err("a row group has other columns than the file".to_owned());
        }
        let rows = u64::try_from(group.num_rows()).map_err(|_| "a row group has fewer than no rows".to_owned())?;
        let mut chunks = Vec::with_capacity(leaves.len());
        for (index, column) in group.columns().iter().enumerate() {
            let of = |column: usize| (number, column);
            let column_index = metadata.column_index().and_then(|all| all.get(of(index).0)?.get(index));
            let offset_index = metadata.offset_index().and_then(|all| all.get(of(index).0)?.get(index));
            chunks.push(chunk(file, column, column_index, offset_index)?);
        }
        groups.push(Group { rows, chunks });
    }
    Ok(Parquet { footer, leaves, groups })
}

fn chunk(
    file: &dyn Ranged,
    column: &ColumnChunkMetaData,
    column_index: Option<&ColumnIndexMetaData>,
    offset_index: Option<&OffsetIndexMetaData>,
) -> Result<Chunk, String> {
    let wrong = || "a column chunk lies outside the file".to_owned();
    let data = u64::try_from(column.data_page_offset()).map_err(|_| wrong())?;
    let bytes = u64::try_from(column.compressed_size()).map_err(|_| wrong())?;
    let dictionary = column.dictionary_page_offset().and_then(|at| u64::try_from(at).ok()).filter(|at| *at > 0 && *at < data);
    let start = dictionary.unwrap_or(data);
    if start.checked_add(bytes).is_none_or(|end| end > file.bytes()) {
        return Err(wrong());
    }
    let all_dictionary = column
        .page_encoding_stats_mask()
        .is_some_and(|mask| mask.is_only(Encoding::PLAIN_DICTIONARY) || mask.is_only(Encoding::RLE_DICTIONARY));
    let descriptor = column.column_descr();
    let statistics = column.statistics();
    let bloom = column.bloom_filter_offset().and_then(|at| {
        let at = u64::try_from(at).ok()?;
        let length = column.bloom_filter_length().and_then(|length| u64::try_from(length).ok()).map(bits);
        // Older writers do not say the length in the footer; it stands in the filter's own header.
        let length = length.or_else(|| stated(&file.read(at, 16).ok()?))?;
        Some(BLOOM_HEADER.saturating_add(length).min(file.bytes()))
    });
    Ok(Chunk {
        start,
        bytes,
        dictionary: dictionary.map(|at| data - at),
        all_dictionary,
        bloom,
        values: u64::try_from(column.num_values()).unwrap_or(0),
        nulls: statistics.and_then(Statistics::null_count_opt),
        range: statistics.and_then(|statistics| range(statistics, descriptor)),
        pages: pages(column, column_index, offset_index).map(Arc::new),
    })
}

/// The bits of a Bloom filter whose length with its header is given: they are a power of two (Parquet's specification).
fn bits(length: u64) -> u64 {
    if length.is_power_of_two() { length } else { length.checked_next_power_of_two().map_or(length, |next| next / 2) }
}

/// The length that a Bloom filter's header begins with: field 1 of a Thrift struct, a number in zigzag coding.
fn stated(header: &[u8]) -> Option<u64> {
    let (&0x15, rest) = header.split_first()? else { return None };
    let mut value = 0u64;
    for (byte, shift) in rest.iter().zip((0..35).step_by(7)) {
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (value & 1 == 0).then_some(value >> 1);
        }
    }
    None
}

fn pages(
    column: &ColumnChunkMetaData,
    column_index: Option<&ColumnIndexMetaData>,
    offset_index: Option<&OffsetIndexMetaData>,
) -> Option<Pages> {
    let span = |offset: Option<i64>, length: Option<i32>| Some((u64::try_from(offset?).ok()?, u64::try_from(length?).ok()?));
    let values = column_index?;
    let descriptor = column.column_descr();
    let locations = offset_index?.page_locations();
    if matches!(values, ColumnIndexMetaData::NONE) || usize::try_from(values.num_pages()).ok()? != locations.len() {
        return None;
    }
    let nulls = values.null_counts().filter(|nulls| nulls.len() == locations.len());
    let page = |(index, location): (usize, &parquet::file::page_index::offset_index::PageLocation)| {
        let all_null = values.is_null_page(index);
        Some(Page {
            first_row: u64::try_from(location.first_row_index).ok()?,
            start: u64::try_from(location.offset).ok()?,
            bytes: u64::try_from(location.compressed_page_size).ok()?,
            nulls: nulls.and_then(|nulls| u64::try_from(*nulls.get(index)?).ok()),
            all_null,
            range: if all_null { None } else { page_range(values, index, descriptor) },
        })
    };
    Some(Pages {
        column_index: span(column.column_index_offset(), column.column_index_length())?,
        offset_index: span(column.offset_index_offset(), column.offset_index_length())?,
        pages: locations.iter().enumerate().map(page).collect::<Option<_>>()?,
    })
}

fn page_range(index: &ColumnIndexMetaData, page: usize, column: &ColumnDescriptor) -> Option<(Bound, Bound)> {
    let sense = Sense::of(column);
    match index {
        ColumnIndexMetaData::BOOLEAN(v) => Some((Bound::Boolean(*v.min_value(page)?), Bound::Boolean(*v.max_value(page)?))),
        ColumnIndexMetaData::INT32(v) => sense.whole(i64::from(*v.min_value(page)?), i64::from(*v.max_value(page)?)),
        ColumnIndexMetaData::INT64(v) => sense.whole(*v.min_value(page)?, *v.max_value(page)?),
        ColumnIndexMetaData::FLOAT(v) => double(f64::from(*v.min_value(page)?), f64::from(*v.max_value(page)?)),
        ColumnIndexMetaData::DOUBLE(v) => double(*v.min_value(page)?, *v.max_value(page)?),
        ColumnIndexMetaData::BYTE_ARRAY(v) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(v) => {
            sense.bytes(v.min_value(page)?, v.max_value(page)?)
        }
        ColumnIndexMetaData::NONE | ColumnIndexMetaData::INT96(_) => None,
    }
}

fn range(statistics: &Statistics, column: &ColumnDescriptor) -> Option<(Bound, Bound)> {
    let sense = Sense::of(column);
    match statistics {
        Statistics::Boolean(v) => Some((Bound::Boolean(*v.min_opt()?), Bound::Boolean(*v.max_opt()?))),
        Statistics::Int32(v) => sense.whole(i64::from(*v.min_opt()?), i64::from(*v.max_opt()?)),
        Statistics::Int64(v) => sense.whole(*v.min_opt()?, *v.max_opt()?),
        Statistics::Float(v) => double(f64::from(*v.min_opt()?), f64::from(*v.max_opt()?)),
        Statistics::Double(v) => double(*v.min_opt()?, *v.max_opt()?),
        // The old fields order text by signed bytes, so they bound nothing.
        Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) if statistics.is_min_max_deprecated() => None,
        Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => {
            sense.bytes(statistics.min_bytes_opt()?, statistics.max_bytes_opt()?)
        }
        Statistics::Int96(_) => None,
    }
}

/// NaN bounds nothing; a zero may stand for either of the two.
fn double(min: f64, max: f64) -> Option<(Bound, Bound)> {
    (!min.is_nan() && !max.is_nan()).then(|| (Bound::Double(min.to_bits()), Bound::Double(max.to_bits())))
}

/// What the stored values mean.
#[derive(Clone, Copy)]
enum Sense {
    Plain,
    Text,
    Date,
    /// Units a second.
    Timestamp(i64),
    Decimal(u8),
    Other,
}

impl Sense {
    fn of(column: &ColumnDescriptor) -> Self {
        let scale = || u8::try_from(column.type_scale()).map_or(Self::Other, Self::Decimal);
        match column.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Self::Text,
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Decimal(_)) => scale(),
            Some(LogicalType::Timestamp(kind)) => Self::Timestamp(match kind.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            }),
            Some(LogicalType::Integer(kind)) if kind.is_signed => Self::Plain,
            Some(_) => Self::Other,
            None => match column.converted_type() {
                ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64 => Self::Plain,
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
                ConvertedType::DATE => Self::Date,
                ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp(1_000),
                ConvertedType::TIMESTAMP_MICROS => Self::Timestamp(1_000_000),
                ConvertedType::DECIMAL => scale(),
                _ => Self::Other,
            },
        }
    }

    fn whole(self, min: i64, max: i64) -> Option<(Bound, Bound)> {
        Some(match self {
            Self::Plain => (Bound::Whole(min), Bound::Whole(max)),
            Self::Date => (Bound::Date(i32::try_from(min).ok()?), Bound::Date(i32::try_from(max).ok()?)),
            Self::Decimal(scale) => (Bound::Decimal(i128::from(min), scale), Bound::Decimal(i128::from(max), scale)),
            Self::Timestamp(unit) if unit <= 1_000_000 => {
                let factor = 1_000_000 / unit;
                (Bound::Timestamp(min.checked_mul(factor)?), Bound::Timestamp(max.checked_mul(factor)?))
            }
            Self::Timestamp(unit) => {
                let factor = unit / 1_000_000;
                let up = max.div_euclid(factor) + i64::from(max.rem_euclid(factor) != 0);
                (Bound::Timestamp(min.div_euclid(factor)), Bound::Timestamp(up))
            }
            Self::Text | Self::Other => return None,
        })
    }

    fn bytes(self, min: &[u8], max: &[u8]) -> Option<(Bound, Bound)> {
        match self {
            Self::Text | Self::Plain => {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok().map(Bound::Text);
                Some((text(min)?, text(max)?))
            }
            Self::Decimal(scale) => Some((Bound::Decimal(big_endian(min)?, scale), Bound::Decimal(big_endian(max)?, scale))),
            _ => None,
        }
    }
}

/// A number in two's complement, the largest byte first.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let start = if first & 0x80 == 0 { 0i128 } else { -1 };
    Some(bytes.iter().fold(start, |number, byte| (number << 8) | i128::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Two row groups: numbers, texts with a NULL, dates in a struct.
    fn written() -> Vec<u8> {
        let schema = "message m { required int64 A; optional binary s (UTF8); required group g { required int32 d (DATE); } }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_bloom_filter_enabled(true).build();
        let mut out = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut out, schema, Arc::new(properties)).unwrap();
        for base in [0i64, 100] {
            let mut group = writer.next_row_group().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&[base, base + 5, base + 9], None, None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            let texts = [ByteArray::from("ab"), ByteArray::from("z")];
            column.typed::<ByteArrayType>().write_batch(&texts, Some(&[1, 0, 1]), None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int32Type>().write_batch(&[1, 2, 3], None, None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        writer.close().unwrap();
        out
    }

    #[test]
    fn a_footer_gives_columns_and_bounds() {
        let facts = read(&written()).unwrap();
        let paths: Vec<String> = facts.leaves.iter().map(|leaf| leaf.join(".")).collect();
        assert_eq!(paths, ["a", "s", "g.d"]);
        assert_eq!(facts.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [3, 3]);
        let last = &facts.groups[1].chunks;
        assert_eq!(last[0].range, Some((Bound::Whole(100), Bound::Whole(109))));
        assert_eq!(last[1].range, Some((Bound::Text("ab".into()), Bound::Text("z".into()))));
        assert_eq!((last[1].nulls, last[1].values), (Some(1), 3));
        assert_eq!(last[2].range, Some((Bound::Date(1), Bound::Date(3))));
        assert!(last.iter().all(|chunk| chunk.all_dictionary && chunk.dictionary.is_some_and(|d| d < chunk.bytes)));
        assert!(last.iter().all(|chunk| chunk.bloom.is_some_and(|bytes| bytes > BLOOM_HEADER)));
    }

    #[test]
    fn no_damage_is_more_than_an_error() {
        let whole = written();
        for length in 0..whole.len() {
            assert!(read(&whole[..length].to_vec()).is_err(), "cut at {length}");
        }
        let footer = usize::try_from(read(&whole).unwrap().footer).unwrap() + 8;
        for at in whole.len() - footer..whole.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                let _ = read(&damaged);
            }
        }
    }

    #[test]
    fn lengths_of_bloom_filters_are_powers_of_two() {
        assert_eq!((bits(131_072), bits(131_072 + 17), bits(32)), (131_072, 131_072, 32));
        assert_eq!(stated(&[0x15, 0x80, 0x80, 0x10, 0x1c]), Some(131_072));
        assert_eq!(stated(&[0x1c, 1]), None);
    }
}
