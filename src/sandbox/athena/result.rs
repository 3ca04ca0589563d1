//! Result files, as Athena writes them: every value in quotes, NULL as nothing at all; and pages out of them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::execution::ColumnInfo;
use super::objects::metadata_path;

/// The largest result that the sandbox keeps. Athena has no such limit, a laptop does.
const LARGEST: u64 = 256_000_000;

/// Why a result was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResultError {
    /// The disk refuses.
    #[error("the result cannot be written: {0}")]
    Io(#[from] io::Error),
    /// Too large for the sandbox.
    #[error("the sandbox keeps results of up to {} MB; Athena would write all of it. Add a LIMIT or aggregate", LARGEST / 1_000_000)]
    TooLarge,
}

/// A row: `None` is NULL.
pub(super) type Row = Vec<Option<String>>;

/// Writes one result. It has its name only when it is whole.
#[derive(Debug)]
pub(super) struct ResultWriter {
    making: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    rows: u64,
}

impl ResultWriter {
    /// Begins a CSV with its header.
    pub(super) fn create(path: PathBuf, columns: &[ColumnInfo]) -> Result<Self, ResultError> {
        let mut making = path.clone().into_os_string();
        making.push(".making");
        let making = PathBuf::from(making);
        let file = BufWriter::with_capacity(1 << 16, File::create(&making)?);
        let mut writer = Self { making, path, file, bytes: 0, rows: 0 };
        let header: Row = columns.iter().map(|column| Some(column.name.clone())).collect();
        writer.line(&header)?;
        Ok(writer)
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), ResultError> {
        self.rows += 1;
        self.line(row)
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn line(&mut self, row: &Row) -> Result<(), ResultError> {
        let mut line = String::with_capacity(row.len() * 16);
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                line.push(',');
            }
            if let Some(value) = value {
                line.push('"');
                line.push_str(&value.replace('"', "\"\""));
                line.push('"');
            }
        }
        line.push('\n');
        self.bytes += line.len() as u64;
        if self.bytes > LARGEST {
            return Err(ResultError::TooLarge);
        }
        Ok(self.file.write_all(line.as_bytes())?)
    }

    /// Gives the file its name, and writes the companion. How many bytes it has.
    pub(super) fn finish(mut self, id: &str, columns: &[ColumnInfo]) -> Result<u64, ResultError> {
        self.file.flush()?;
        fs::write(metadata_path(&self.path), metadata(id, columns))?;
        fs::rename(&self.making, &self.path)?;
        Ok(self.bytes)
    }
}

impl Drop for ResultWriter {
    fn drop(&mut self) {
        // Gone under this name if it was finished.
        let _ = fs::remove_file(&self.making);
    }
}

/// Writes the text of a SHOW, DESCRIBE or EXPLAIN: columns joined by tabs, no header, no line break at the end.
pub(super) fn write_text(path: &Path, id: &str, columns: &[ColumnInfo], rows: &[Row]) -> Result<u64, ResultError> {
    let lines: Vec<String> =
        rows.iter().map(|row| row.iter().map(|v| v.as_deref().unwrap_or_default()).collect::<Vec<_>>().join("\t")).collect();
    let text = lines.join("\n");
    fs::write(metadata_path(path), metadata(id, columns))?;
    fs::write(path, &text)?;
    Ok(text.len() as u64)
}

/// A page: rows, and where the next one begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    pub(super) next: Option<u64>,
}

/// Reads `count` rows (the header counts) of a CSV from `offset`.
pub(super) fn read_csv(path: &Path, offset: u64, count: usize) -> io::Result<Page> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if offset > size {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "beyond the end"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file);
    let mut at = offset;
    let mut rows = Vec::new();
    while rows.len() < count {
        let Some((row, bytes)) = read_row(&mut reader)? else { break };
        at += bytes;
        rows.push(row);
    }
    Ok(Page { rows, next: (at < size).then_some(at) })
}

/// One row, and how many bytes it takes. A line break inside quotes belongs to the value.
fn read_row(reader: &mut impl BufRead) -> io::Result<Option<(Row, u64)>> {
    let mut line = Vec::new();
    loop {
        let before = line.len();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        // Complete when the quotes are.
        if line.iter().filter(|b| **b == b'"').count().is_multiple_of(2) {
            break;
        }
        if line.len() == before {
            break;
        }
    }
    if line.is_empty() {
        return Ok(None);
    }
    let bytes = line.len() as u64;
    let text = String::from_utf8(line).map_err(io::Error::other)?;
    Ok(Some((parse_row(text.strip_suffix('\n').unwrap_or(&text)), bytes)))
}

fn parse_row(line: &str) -> Row {
    let mut row = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut value = String::new();
            let mut left = quoted;
            while let Some((part, tail)) = left.split_once('"') {
                value.push_str(part);
                match tail.strip_prefix('"') {
                    Some(more) => {
                        value.push('"');
                        left = more;
                    }
                    None => {
                        left = tail;
                        break;
                    }
                }
            }
            row.push(Some(value));
            rest = left;
        } else {
            row.push(None);
        }
        match rest.split_once(',') {
            Some((_, tail)) => rest = tail,
            None => return row,
        }
    }
}

/// Reads `count` rows of a text result from row `offset`.
pub(super) fn read_text(path: &Path, offset: u64, count: usize, columns: usize) -> io::Result<Page> {
    let text = fs::read_to_string(path)?;
    let lines: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split('\n').collect() };
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(lines.len());
    let end = start.saturating_add(count).min(lines.len());
    let rows = lines
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|line| line.splitn(columns.max(1), '\t').map(|value| Some(value.to_owned())).collect())
        .collect();
    Ok(Page { rows, next: (end < lines.len()).then_some(end as u64) })
}

/// The companion file: a protobuf of the columns, with the field numbers that JDBC drivers read (1 query id; 4 a column, in it
/// 1 catalog, 4 name, 5 label, 6 type, 7 precision, 8 scale, 9 nullable, 10 case).
fn metadata(id: &str, columns: &[ColumnInfo]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, id.as_bytes());
    for column in columns {
        let mut inner = Vec::new();
        put_bytes(&mut inner, 1, b"hive");
        put_bytes(&mut inner, 4, column.name.as_bytes());
        put_bytes(&mut inner, 5, column.name.as_bytes());
        put_bytes(&mut inner, 6, column.kind.as_bytes());
        put_number(&mut inner, 7, u64::from(column.precision));
        put_number(&mut inner, 8, u64::try_from(column.scale).unwrap_or(0));
        put_number(&mut inner, 9, 3);
        put_number(&mut inner, 10, u64::from(column.kind == "varchar"));
        put_bytes(&mut out, 4, &inner);
    }
    out
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::dataset::trino::TrinoType;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn what_is_written_is_read_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let columns = [ColumnInfo::new("a", &TrinoType::Varchar), ColumnInfo::new("b", &TrinoType::Bigint)];
        let rows: Vec<Row> = vec![
            vec![text("plain"), text("1")],
            vec![None, text("2")],
            vec![text(""), None],
            vec![text("say \"hi\", please"), text("3")],
            vec![text("two\nlines \"\n\""), text("4")],
            vec![None, None],
            vec![text("\""), text("5")],
        ];
        let mut writer = ResultWriter::create(path.clone(), &columns).unwrap();
        assert!(!path.exists());
        for row in &rows {
            writer.row(row).unwrap();
        }
        assert_eq!(writer.rows(), 7);
        let bytes = writer.finish("id", &columns).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
        assert!(fs::read_to_string(&path).unwrap().starts_with("\"a\",\"b\"\n\"plain\",\"1\"\n,\"2\"\n\"\",\n"));
        let mut read = Vec::new();
        let mut offset = Some(0);
        while let Some(at) = offset {
            let page = read_csv(&path, at, 3).unwrap();
            read.extend(page.rows);
            offset = page.next;
        }
        assert_eq!(read[0], vec![text("a"), text("b")]);
        assert_eq!(read[1..], rows);
        assert!(read_csv(&path, bytes + 1, 1).is_err());
        assert_eq!(read_csv(&path, bytes, 1).unwrap(), Page { rows: Vec::new(), next: None });
    }

    #[test]
    fn an_unfinished_result_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(ResultWriter::create(dir.path().join("x.csv"), &[]).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn text_results_have_no_header() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.txt");
        let columns = [ColumnInfo::new("c", &TrinoType::Varchar), ColumnInfo::new("d", &TrinoType::Varchar)];
        write_text(&path, "id", &columns, &[vec![text("a"), text("b")], vec![text("c"), None]]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\tb\nc\t");
        let page = read_text(&path, 0, 1, 2).unwrap();
        assert_eq!(page, Page { rows: vec![vec![text("a"), text("b")]], next: Some(1) });
        assert_eq!(read_text(&path, 1, 1, 2).unwrap().next, None);
    }
}
