//! Footers of ORC files (the ORC specification, version 1: file tail, postscript, footer, metadata).

use std::io::Read as _;
use std::ops::Range;

use crate::core::catalog::file::{Bound, Orc, OrcStatistics, Stripe};

use super::proto::{Field, Fields, Malformed, signed};
use super::{Ranged, tail};

/// What is read first.
const TAIL: u64 = 16 << 10;
/// Tails above this are not read, nor are sections that unpack to more.
const MOST: u64 = 64 << 20;

impl From<Malformed> for String {
    fn from(_: Malformed) -> Self {
        "its footer is malformed".to_owned()
    }
}

/// Reads the tail of a file.
pub(super) fn read(file: &dyn Ranged) -> Result<Orc, String> {
    let told = |error: std::io::Error| format!("its footer cannot be read: {error}");
    let end = tail(file, TAIL).map_err(told)?;
    let (length, rest) = end.split_last().ok_or("it is empty")?;
    let length = usize::from(*length);
    let script = rest.len().checked_sub(length).and_then(|from| rest.get(from..)).ok_or("its postscript is cut off")?;
    let script = Postscript::read(script)?;
    let sections = script.footer.checked_add(script.metadata).filter(|sum| *sum <= MOST).ok_or("its footer is too long")?;
    let whole = sections + u64::try_from(length).unwrap_or(0) + 1;
    if whole > file.bytes() {
        return Err("its footer is longer than the file".to_owned());
    }
    let bytes = tail(file, whole).map_err(told)?;
    let at = |from: u64, length: u64| {
        let from = usize::try_from(from).ok()?;
        bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)
    };
    let metadata = script.unpacked(at(0, script.metadata).ok_or("its metadata is cut off")?)?;
    let footer = script.unpacked(at(script.metadata, script.footer).ok_or("its footer is cut off")?)?;
    let (mut orc, kinds) = self::footer(&footer, whole)?;
    if let Ok(stripes) = stripe_statistics(&metadata, &kinds) {
        for (stripe, statistics) in orc.stripes.iter_mut().zip(stripes) {
            stripe.statistics = statistics;
        }
    }
    let outside = |s: &Stripe| {
        let end = [s.index, s.data, s.footer].iter().try_fold(s.start, |sum, length| sum.checked_add(*length));
        end.is_none_or(|end| end > file.bytes())
    };
    if orc.stripes.iter().any(outside) {
        return Err("a stripe lies outside the file".to_owned());
    }
    Ok(orc)
}

struct Postscript {
    footer: u64,
    compression: u64,
    metadata: u64,
}

impl Postscript {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut script = Self { footer: 0, compression: 0, metadata: 0 };
        let mut magic = false;
        for field in Fields::of(bytes) {
            match field? {
                (1, Field::Number(n)) => script.footer = n,
                (2, Field::Number(n)) => script.compression = n,
                (5, Field::Number(n)) => script.metadata = n,
                (8000, Field::Bytes(b"ORC")) => magic = true,
                _ => {}
            }
        }
        if magic { Ok(script) } else { Err("it does not end as an ORC file does".to_owned()) }
    }

    /// A section without its compression: blocks, each with a header of three bytes that says its length and whether it is as it was.
    fn unpacked(&self, mut section: &[u8]) -> Result<Vec<u8>, String> {
        if self.compression == 0 {
            return Ok(section.to_vec());
        }
        let mut out = Vec::new();
        while let Some(([a, b, c], rest)) = section.split_first_chunk::<3>() {
            let header = u32::from_le_bytes([*a, *b, *c, 0]);
            let length = usize::try_from(header >> 1).unwrap_or(usize::MAX);
            let (block, rest) = rest.split_at_checked(length).ok_or("a block of its footer is cut off")?;
            section = rest;
            let room = MOST.saturating_sub(u64::try_from(out.len()).unwrap_or(u64::MAX));
            if header & 1 == 1 {
                out.extend_from_slice(block);
            } else {
                self.unpack(block, room, &mut out)?;
            }
            if u64::try_from(out.len()).unwrap_or(u64::MAX) >= MOST {
                return Err("its footer unpacks to too much".to_owned());
            }
        }
        Ok(out)
    }

    fn unpack(&self, block: &[u8], room: u64, out: &mut Vec<u8>) -> Result<(), String> {
        let told = |error: std::io::Error| format!("its footer cannot be unpacked: {error}");
        match self.compression {
            1 => flate2::read::DeflateDecoder::new(block).take(room).read_to_end(out).map(drop).map_err(told),
            2 => {
                let length = snap::raw::decompress_len(block).map_err(|error| told(error.into()))?;
                if u64::try_from(length).unwrap_or(u64::MAX) > room {
                    return Err("its footer unpacks to too much".to_owned());
                }
                out.extend(snap::raw::Decoder::new().decompress_vec(block).map_err(|error| told(error.into()))?);
                Ok(())
            }
            5 => {
                let decoder = zstd::stream::read::Decoder::new(block).map_err(told)?;
                decoder.take(room).read_to_end(out).map(drop).map_err(told)
            }
            _ => Err("its footer is compressed by LZO or LZ4, which is not read here".to_owned()),
        }
    }
}

/// A type of the schema.
#[derive(Debug, Default)]
struct Kind {
    kind: u64,
    children: Vec<u64>,
    names: Vec<String>,
    scale: u8,
}

fn footer(bytes: &[u8], length: u64) -> Result<(Orc, Vec<Kind>), String> {
    let mut orc = Orc { footer: length, ..Orc::default() };
    let (mut kinds, mut statistics) = (Vec::new(), Vec::new());
    for field in Fields::of(bytes) {
        match field? {
            (3, Field::Bytes(bytes)) => orc.stripes.push(stripe(bytes)?),
            (4, Field::Bytes(bytes)) => kinds.push(kind(bytes)?),
            (6, Field::Number(rows)) => orc.rows = rows,
            (7, Field::Bytes(bytes)) => statistics.push(bytes),
            _ => {}
        }
    }
    let root = kinds.first().ok_or("it has no schema")?;
    for (place, (name, id)) in root.names.iter().zip(&root.children).enumerate() {
        // Column ids count depth first, so a column covers those up to the next one's.
        let from = usize::try_from(*id).map_err(|_| Malformed)?;
        let to = root.children.get(place + 1).map_or(kinds.len(), |next| usize::try_from(*next).unwrap_or(kinds.len()));
        orc.columns.push((name.to_lowercase(), Range { start: from, end: to.max(from) }));
    }
    orc.statistics = statistics.iter().zip(&kinds).map(|(bytes, kind)| column(bytes, kind)).collect::<Result<_, _>>()?;
    Ok((orc, kinds))
}

fn stripe(bytes: &[u8]) -> Result<Stripe, Malformed> {
    let mut stripe = Stripe::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(n)) => stripe.start = n,
            (2, Field::Number(n)) => stripe.index = n,
            (3, Field::Number(n)) => stripe.data = n,
            (4, Field::Number(n)) => stripe.footer = n,
            (5, Field::Number(n)) => stripe.rows = n,
            _ => {}
        }
    }
    Ok(stripe)
}

fn kind(bytes: &[u8]) -> Result<Kind, String> {
    let mut kind = Kind::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(n)) => kind.kind = n,
            (2, field) => kind.children.extend(field.numbers()?),
            (3, Field::Bytes(name)) => kind.names.push(String::from_utf8_lossy(name).into_owned()),
            (6, Field::Number(n)) => kind.scale = u8::try_from(n).unwrap_or(0),
            _ => {}
        }
    }
    Ok(kind)
}

/// For each stripe, what it holds of every column.
fn stripe_statistics(bytes: &[u8], kinds: &[Kind]) -> Result<Vec<Vec<OrcStatistics>>, Malformed> {
    let mut stripes = Vec::new();
    for field in Fields::of(bytes) {
        if let (1, Field::Bytes(stripe)) = field? {
            let columns: Vec<&[u8]> = Fields::of(stripe)
                .filter_map(|field| field.map(|(number, field)| field.as_bytes().filter(|_| number == 1)).transpose())
                .collect::<Result<_, _>>()?;
            stripes.push(columns.iter().zip(kinds).map(|(bytes, kind)| column(bytes, kind)).collect::<Result<_, _>>()?);
        }
    }
    Ok(stripes)
}

/// The statistics of a column. Bounds are kept only where the type says what they mean.
fn column(bytes: &[u8], kind: &Kind) -> Result<OrcStatistics, Malformed> {
    let mut statistics = OrcStatistics::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(n)) => statistics.values = Some(n),
            (10, Field::Number(n)) => statistics.has_null = Some(n != 0),
            (number @ 2..=9, Field::Bytes(bytes)) => statistics.range = range(number, bytes, kind)?,
            _ => {}
        }
    }
    Ok(statistics)
}

fn range(number: u64, bytes: &[u8], kind: &Kind) -> Result<Option<(Bound, Bound)>, Malformed> {
    let fields: Vec<(u64, Field<'_>)> = Fields::of(bytes).collect::<Result<_, _>>()?;
    let field = |wanted: u64| fields.iter().find(|(number, _)| *number == wanted).map(|(_, field)| *field);
    let both = |read: &dyn Fn(Field<'_>) -> Option<Bound>| Some((read(field(1)?)?, read(field(2)?)?));
    let text = |field: Field<'_>| String::from_utf8(field.as_bytes()?.to_vec()).ok();
    Ok(match number {
        2 => both(&|field| Some(Bound::Whole(signed(field.as_number()?)))),
        3 => both(&|field| match field {
            Field::Fixed(bits) => Some(Bound::Double(bits)),
            _ => None,
        }),
        4 => both(&|field| Some(Bound::Text(text(field)?))),
        6 => both(&|field| {
            let text = text(field)?;
            let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
            let missing = usize::from(kind.scale).checked_sub(part.len())?;
            let digits = format!("{whole}{part}{}", "0".repeat(missing));
            Some(Bound::Decimal(digits.parse().ok()?, kind.scale))
        }),
        7 => both(&|field| Some(Bound::Date(i32::try_from(signed(field.as_number()?)).ok()?))),
        // Older writers keep local time, which bounds nothing for us; `minimumUtc` and `maximumUtc` are in milliseconds.
        9 => {
            let utc = |number: u64| signed(field(number)?.as_number()?).checked_mul(1000);
            utc(3)
                .zip(utc(4).and_then(|most| most.checked_add(999)))
                .map(|(min, max)| (Bound::Timestamp(min), Bound::Timestamp(max)))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn number(mut value: u64, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn field(id: u64, value: u64, out: &mut Vec<u8>) {
        number(id << 3, out);
        number(value, out);
    }

    fn part(id: u64, bytes: &[u8], out: &mut Vec<u8>) {
        number(id << 3 | 2, out);
        number(bytes.len() as u64, out);
        out.extend(bytes);
    }

    fn message(build: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        build(&mut out);
        out
    }

    /// A column of whole numbers and one of texts, in one stripe of 10 rows, whose bytes are made up.
    fn file(compression: u64) -> Vec<u8> {
        let whole = |from: u64, to: u64| {
            let range = message(|out| {
                field(1, from << 1, out);
                field(2, to << 1, out);
            });
            message(|out| {
                field(1, 10, out);
                part(2, &range, out);
            })
        };
        let texts = message(|out| {
            field(1, 9, out);
            part(
                4,
                &message(|out| {
                    part(1, b"ab", out);
                    part(2, b"zz", out);
                }),
                out,
            );
            field(10, 1, out);
        });
        let statistics = [message(|out| field(1, 10, out)), whole(5, 9), texts];
        let metadata = message(|out| part(1, &message(|out| statistics.iter().for_each(|s| part(1, s, out))), out));
        let footer = message(|out| {
            part(
                3,
                &message(|out| [(1, 3), (2, 20), (3, 70), (4, 7), (5, 10)].iter().for_each(|(id, v)| field(*id, *v, out))),
                out,
            );
            part(
                4,
                &message(|out| {
                    field(1, 12, out);
                    part(2, &[1, 2], out);
                    part(3, b"ID", out);
                    part(3, b"name", out);
                }),
                out,
            );
            part(4, &message(|out| field(1, 4, out)), out);
            part(4, &message(|out| field(1, 7, out)), out);
            field(6, 10, out);
            statistics.iter().for_each(|s| part(7, s, out));
        });
        let packed = |section: Vec<u8>| {
            let block = match compression {
                0 => return section,
                1 => {
                    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                    encoder.write_all(&section).unwrap();
                    encoder.finish().unwrap()
                }
                2 => snap::raw::Encoder::new().compress_vec(&section).unwrap(),
                _ => zstd::stream::encode_all(section.as_slice(), 1).unwrap(),
            };
            let header = (block.len() as u32) << 1;
            [&header.to_le_bytes()[..3], &block].concat()
        };
        let (metadata, footer) = (packed(metadata), packed(footer));
        let script = message(|out| {
            field(1, footer.len() as u64, out);
            field(2, compression, out);
            field(5, metadata.len() as u64, out);
            part(8000, b"ORC", out);
        });
        let length = script.len() as u8;
        [b"ORC".to_vec(), vec![7; 97], metadata, footer, script, vec![length]].concat()
    }

    #[test]
    fn tails_are_read_whatever_packs_them() {
        for compression in [0, 1, 2, 5] {
            let orc = read(&file(compression)).unwrap();
            assert_eq!(orc.columns, [("id".to_owned(), 1..2), ("name".to_owned(), 2..3)]);
            assert_eq!(orc.rows, 10);
            let stripe = &orc.stripes[0];
            assert_eq!((stripe.start, stripe.index, stripe.data, stripe.footer, stripe.rows), (3, 20, 70, 7, 10));
            assert_eq!(stripe.statistics, orc.statistics);
            assert_eq!(orc.statistics[1].range, Some((Bound::Whole(5), Bound::Whole(9))));
            assert_eq!(orc.statistics[2].range, Some((Bound::Text("ab".into()), Bound::Text("zz".into()))));
            assert_eq!((orc.statistics[2].values, orc.statistics[2].has_null), (Some(9), Some(true)));
        }
    }

    #[test]
    fn no_damage_is_more_than_an_error() {
        for compression in [0, 1, 2, 5] {
            let whole = file(compression);
            for length in 0..whole.len() {
                assert!(read(&whole[..length].to_vec()).is_err(), "cut at {length}");
            }
            for at in 100..whole.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut damaged = whole.clone();
                    damaged[at] ^= flip;
                    let _ = read(&damaged);
                }
            }
        }
    }
}
