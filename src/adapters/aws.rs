//! The AWS ports: STS, Athena and DynamoDB on their SDKs, Glue and S3 over signed requests. No AWS type leaves this module.
//!
//! Where a call goes is the plan's target alone: region and endpoint are set on each client, so that neither a profile nor an
//! `AWS_*` variable can send it elsewhere. With whose rights it goes is the caller's: the operator's own come from the SDK's
//! standard chain (for the sandbox: from its key file, and from nothing else), minted keys come with the call and stay with it.

mod answer;
mod athena;
mod config;
mod dynamodb;
mod glue;
mod limiter;
mod own;
mod s3;
mod sts;
mod wire;

pub use config::{Aws, Patience, SandboxAccess, SandboxEndpoint};
pub use glue::{Described, Layout};
pub use s3::{Listed, parts as s3_parts};
