//! The sandbox: STS, Athena, Glue, S3 and DynamoDB endpoints on loopback, over real local data. Allowed imports: `core`.

pub mod api;
pub mod athena;
pub mod authorizer;
pub mod clock;
pub mod dataset;
pub mod dynamodb;
pub mod glue;
pub mod host;
pub mod policy;
pub mod s3;
pub mod secret;
pub mod server;
pub mod sessions;
pub mod shop;
pub mod signature;
pub mod state;
pub mod sts;
mod xml;
