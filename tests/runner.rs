//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[path = "suite/aws.rs"]
mod aws;
#[path = "suite/books.rs"]
mod books;
#[cfg(feature = "sandbox")]
#[path = "suite/catalog_snapshot.rs"]
mod catalog_snapshot;
#[path = "suite/commands.rs"]
mod commands;
#[path = "suite/documents.rs"]
mod documents;
#[path = "suite/estimate.rs"]
mod estimate;
#[path = "suite/guard.rs"]
mod guard;
#[path = "suite/guard_corpora.rs"]
mod guard_corpora;
#[path = "suite/journal.rs"]
mod journal;
#[path = "suite/layers.rs"]
mod layers;
#[path = "suite/licences.rs"]
mod licences;
#[path = "suite/python.rs"]
mod python;
#[cfg(feature = "sandbox")]
#[path = "suite/reliability.rs"]
mod reliability;
#[path = "suite/run_core.rs"]
mod run_core;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_athena.rs"]
mod sandbox_athena;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_client.rs"]
mod sandbox_client;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_door.rs"]
mod sandbox_door;
#[cfg(feature = "sandbox")]
#[path = "suite/sandbox_python.rs"]
mod sandbox_python;
#[path = "suite/schemas.rs"]
mod schemas;
#[path = "suite/shipped.rs"]
mod shipped;
#[path = "suite/sql_corpora.rs"]
mod sql_corpora;
#[path = "suite/sql_generated.rs"]
mod sql_generated;
#[path = "suite/sql_hostile.rs"]
mod sql_hostile;
#[path = "suite/sql_judged.rs"]
mod sql_judged;
#[path = "suite/sql_resolution.rs"]
mod sql_resolution;
#[cfg(all(feature = "sandbox", target_os = "linux"))]
#[path = "suite/tui.rs"]
mod tui;
#[cfg(feature = "sandbox")]
#[path = "suite/walk.rs"]
mod walk;
