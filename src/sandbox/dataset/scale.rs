//! How much data there is.

/// The amounts. A day is *recent* when it is written while it is one of the last few, else *old*; recent days are large files, so
/// that reading a column or a row group makes a difference, old ones small, so that two months fit on a laptop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Days up to and including today.
    pub days: u32,
    /// How many of them, from today back, are recent.
    pub recent_days: u32,
    /// Rows of `web.alb_logs` in a recent day.
    pub alb_recent: u32,
    /// Rows of `web.alb_logs` in an old day.
    pub alb_old: u32,
    /// Files of `web.alb_logs` in a recent day.
    pub alb_files: u32,
    /// Rows of `security.cloudtrail_logs` in a recent day.
    pub trail_recent: u32,
    /// Rows of `security.cloudtrail_logs` in an old day.
    pub trail_old: u32,
    /// Rows of `shop.orders` in any day.
    pub orders: u32,
    /// Rows of a Parquet row group.
    pub group: u32,
}

impl Scale {
    /// What the sandbox ships with: about 250 MB.
    pub const SHIPPED: Self = Self {
        days: 60,
        recent_days: 4,
        alb_recent: 250_000,
        alb_old: 10_000,
        alb_files: 2,
        trail_recent: 90_000,
        trail_old: 3_000,
        orders: 5_000,
        group: 16_384,
    };

    /// Three days with few rows, for tests: well below 1 MB, and several row groups all the same.
    pub const TINY: Self = Self {
        days: 3,
        recent_days: 2,
        alb_recent: 1_500,
        alb_old: 300,
        alb_files: 2,
        trail_recent: 300,
        trail_old: 60,
        orders: 120,
        group: 256,
    };
}
