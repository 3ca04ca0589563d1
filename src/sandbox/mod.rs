//! The sandbox: STS, Athena and DynamoDB endpoints on loopback, over real local data. Allowed imports: `core`.

pub mod api;
pub mod authorizer;
pub mod clock;
pub mod dataset;
pub mod policy;
