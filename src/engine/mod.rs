//! The engine: the one service. Commands in, events out; drives a run through its ports. Allowed imports: `core`.

pub mod desk;
pub mod ports;
