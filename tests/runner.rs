//! All integration tests, in one binary.

#[path = "suite/journal.rs"]
mod journal;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_client.rs"]
mod sandbox_client;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_door.rs"]
mod sandbox_door;
