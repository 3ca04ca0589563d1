//! `guard`: judge statements.

use super::args::Global;
use super::error::Error;

/// `guard`.
#[derive(Debug, clap::Args)]
pub struct GuardArgs {}

/// Judges.
pub fn command(_global: &Global, _args: GuardArgs) -> Result<u8, Error> {
    Err(Error::usage("not there"))
}
