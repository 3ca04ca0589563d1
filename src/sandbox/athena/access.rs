//! What Athena asks other services for in the caller's name: Glue for tables, S3 for files and results.

use super::catalog::{DEFAULT_DATABASE, INFORMATION_SCHEMA};
use super::engine::Named;
use super::error::Failure;
use super::objects::{Location, arn};
use crate::sandbox::api::{ApiError, Authorizer, Context};
use crate::sandbox::dataset::lake::LakeTable;
use crate::sandbox::dataset::schema::LAKE_BUCKET;
use crate::sandbox::secret::random_text;

/// The rights of one caller, in one region.
#[derive(Debug, Clone)]
pub(super) struct Access {
    authorizer: Authorizer,
    /// `arn:aws:glue:region:account:`
    glue: String,
}

impl Access {
    pub(super) fn new(authorizer: Authorizer, region: &str, account: &str) -> Self {
        Self { authorizer, glue: format!("arn:aws:glue:{region}:{account}:") }
    }

    /// Whether the caller may do `action` when Athena does it.
    fn through_athena(&self, action: &str, resource: &str) -> Result<(), ApiError> {
        self.authorizer.check(action, resource, &Context::new().called_via("athena.amazonaws.com"))
    }

    /// Glue's answer as Athena passes it on.
    fn glue(&self, action: &str, resources: &[String]) -> Result<(), Failure> {
        for resource in resources {
            self.through_athena(action, &format!("{}{resource}", self.glue)).map_err(|refused| {
                Failure::plain(format!(
                    "Insufficient permissions to execute the query. {} (Service: AWSGlue; Status Code: 400; Error Code: \
                     AccessDeniedException; Request ID: {}; Proxy: null)",
                    refused.message,
                    random_text(b"0123456789abcdef", 32)
                ))
            })?;
        }
        Ok(())
    }

    /// Looking a table up: the catalog, its database and itself. Athena looks `default` up too.
    pub(super) fn table(&self, table: &Named) -> Result<(), Failure> {
        let catalog = "catalog".to_owned();
        let database = |name: &str| format!("database/{name}");
        self.glue("glue:GetDatabase", &[catalog.clone(), database(DEFAULT_DATABASE)])?;
        if table.database == INFORMATION_SCHEMA {
            return self.glue("glue:GetTables", &[catalog]);
        }
        let name = format!("table/{}/{}", table.database, table.table);
        self.glue("glue:GetDatabase", &[catalog.clone(), database(&table.database)])?;
        self.glue("glue:GetTable", &[catalog, database(&table.database), name])
    }

    /// A database's tables, for SHOW TABLES and ListTableMetadata.
    pub(super) fn database(&self, name: &str) -> Result<(), Failure> {
        self.glue("glue:GetTables", &["catalog".to_owned(), format!("database/{name}"), format!("table/{name}/*")])
    }

    /// All databases.
    pub(super) fn databases(&self) -> Result<(), Failure> {
        self.glue("glue:GetDatabases", &["catalog".to_owned()])
    }

    /// The partitions and the files of a table that is there. Files are asked for again at each read.
    pub(super) fn files(&self, table: &LakeTable) -> Result<(), Failure> {
        let (database, name) = (table.table.database, table.table.name);
        if !table.table.partition_keys.is_empty() {
            let resources = ["catalog".to_owned(), format!("database/{database}"), format!("table/{database}/{name}")];
            self.glue("glue:GetPartitions", &resources)?;
        }
        let location = table.table.location();
        let denied = || Failure::new("", format!("Permission denied on S3 path: {location}"));
        let listing = Context::new().called_via("athena.amazonaws.com").with("s3:prefix", [table.table.prefix()]);
        let bucket = format!("arn:aws:s3:::{LAKE_BUCKET}");
        self.authorizer.check("s3:ListBucket", &bucket, &listing).map_err(|_| denied())?;
        if let Some(file) = table.partitions.last().and_then(|p| p.files.first()) {
            self.through_athena("s3:GetObject", &format!("{bucket}/{}", file.key)).map_err(|_| denied())?;
        }
        Ok(())
    }

    /// Writing the result.
    pub(super) fn output(&self, uri: &str) -> Result<(), Failure> {
        let denied = || {
            Failure::plain(format!(
                "Access denied when writing output to url: {uri} . Please ensure you are allowed to access the S3 bucket. If you \
                 are encrypting query results with KMS key, please ensure you are allowed to access your KMS key"
            ))
        };
        let bucket = Location::parse(uri).map(|place| format!("arn:aws:s3:::{}", place.bucket)).ok_or_else(denied)?;
        self.through_athena("s3:GetBucketLocation", &bucket).map_err(|_| denied())?;
        self.through_athena("s3:PutObject", &arn(uri)).map_err(|_| denied())
    }

    /// Reading the result back, for GetQueryResults.
    pub(super) fn result(&self, uri: &str) -> Result<(), ApiError> {
        self.through_athena("s3:GetObject", &arn(uri))
    }
}
