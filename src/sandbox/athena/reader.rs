//! Reads Parquet files for the engine, through the query's meter.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::meter::Meter;

/// Footers by key, with the size of the file they belong to: a file that was made anew has another one.
#[derive(Debug, Default)]
pub(super) struct Footers(Mutex<HashMap<String, (u64, Arc<ParquetMetaData>)>>);

impl Footers {
    fn get(&self, root: &Path, key: &str) -> ParquetResult<Arc<ParquetMetaData>> {
        let file = File::open(root.join(key)).map_err(external)?;
        let size = file.metadata().map_err(external)?.len();
        if let Some((known, footer)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key)
            && *known == size
        {
            return Ok(Arc::clone(footer));
        }
        let footer = Arc::new(ParquetMetaDataReader::new().parse_and_finish(&file)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), (size, Arc::clone(&footer)));
        Ok(footer)
    }
}

/// Makes readers for one query.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) root: PathBuf,
    pub(super) footers: Arc<Footers>,
    pub(super) meter: Arc<Meter>,
}

/// The key travels with the file: an object store's path would escape the `%` in it.
#[derive(Debug)]
pub(super) struct Key(pub(super) String);

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        _partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let key = file
            .extension::<Key>()
            .map(|key| key.0.clone())
            .ok_or_else(|| datafusion::common::internal_datafusion_err!("a file without a key"))?;
        Ok(Box::new(Reader {
            path: self.root.join(&key),
            root: self.root.clone(),
            key,
            footers: Arc::clone(&self.footers),
            meter: Arc::clone(&self.meter),
        }))
    }
}

struct Reader {
    root: PathBuf,
    path: PathBuf,
    key: String,
    footers: Arc<Footers>,
    meter: Arc<Meter>,
}

impl Reader {
    fn read(&self, range: &Range<u64>) -> ParquetResult<Bytes> {
        let mut file = File::open(&self.path).map_err(external)?;
        file.seek(SeekFrom::Start(range.start)).map_err(external)?;
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(|e| ParquetError::General(e.to_string()))?;
        let mut buffer = vec![0; length];
        file.read_exact(&mut buffer).map_err(external)?;
        Ok(buffer.into())
    }
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            self.meter.read(&self.key, range.end.saturating_sub(range.start)).await.map_err(external)?;
            self.read(&range)
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let mut parts = Vec::with_capacity(ranges.len());
            for range in ranges {
                // One after the other, so that the count moves while a row group is read.
                self.meter.read(&self.key, range.end.saturating_sub(range.start)).await.map_err(external)?;
                parts.push(self.read(&range)?);
            }
            Ok(parts)
        }
        .boxed()
    }

    fn get_metadata<'a>(&'a mut self, _: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        // Athena does not bill footers, so they are not metered.
        async move { self.footers.get(&self.root, &self.key) }.boxed()
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}
