//! The whole sandbox: the door, and behind it the shop's tables and orders.

use std::path::PathBuf;
use std::sync::Arc;

use super::athena::{Athena, AthenaConfig, Pace};
use super::dataset::{self, Scale};
use super::glue::Glue;
use super::host::{HostError, Options, Running, Services, serve_with};
use super::s3::S3;

/// What the shop is to be.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Where its files lie; `None`: the folder `data` of the sandbox's state directory.
    pub data_dir: Option<PathBuf>,
    /// How much there is.
    pub scale: Scale,
    /// How long queries take.
    pub pace: Pace,
}

impl Default for Shop {
    fn default() -> Self {
        Self { data_dir: None, scale: Scale::SHIPPED, pace: Pace::default() }
    }
}

/// Starts a sandbox with the shop behind its door. The data is made in the background; queries wait for it.
///
/// # Errors
/// [`HostError`]; nothing runs then.
pub fn serve(options: Options, shop: Shop) -> Result<Running, HostError> {
    let (region, clock) = (options.region.clone(), options.clock.clone());
    serve_with(options, move |state, _| {
        let broken = |why: String| HostError::Service { service: "Athena", why };
        let data_dir = shop.data_dir.unwrap_or_else(|| state.join("data"));
        let generation = dataset::start(data_dir, shop.scale, clock.now()).map_err(HostError::Thread)?;
        let glue = Glue::new(region.clone(), generation.lake.clone());
        let s3 = S3::new(region.clone(), generation.lake.clone());
        let mut config = AthenaConfig::new(region, state.path(), clock);
        config.pace = shop.pace;
        let athena = Athena::open(config, generation.lake).map_err(|error| broken(error.to_string()))?;
        Ok(Services {
            athena: Arc::new(athena),
            glue: Some(Arc::new(glue)),
            s3: Some(Arc::new(s3)),
            progress: generation.progress,
        })
    })
}
