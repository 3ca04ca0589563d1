//! Facts of objects: sizes by listing, and the footers of Parquet and ORC files by ranged reads: of files of this machine, and of
//! objects in S3.

mod local;
mod orc;
mod parquet;
mod proto;
mod s3;

use std::io;

pub use local::LocalObjects;
pub use s3::S3Objects;

/// A file that can be read in ranges.
pub trait Ranged {
    /// Its size.
    fn bytes(&self) -> u64;

    /// `length` bytes from `start` on.
    ///
    /// # Errors
    /// As reading; also where the range is not inside the file.
    fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>>;
}

/// The end of a file: at most `length` bytes.
fn tail(file: &dyn Ranged, length: u64) -> io::Result<Vec<u8>> {
    let length = length.min(file.bytes());
    file.read(file.bytes() - length, length)
}

#[cfg(test)]
impl Ranged for Vec<u8> {
    fn bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let range = usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap();
        self.get(range).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
