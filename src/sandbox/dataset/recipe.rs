//! What a partition's files were made from. It is written into each file's footer, so that a later start knows without any
//! list of its own which files are there, whole, and of this version.

use super::day::Day;
use super::ids;
use super::scale::Scale;
use super::schema::{ALB_LOGS, CLOUDTRAIL_LOGS, CUSTOMERS, ORDERS, Table};

/// Raised whenever a generator changes, so that files of an older version are made anew.
pub(super) const VERSION: u32 = 1;

/// The key of the footer's entry.
pub(super) const FOOTER_KEY: &str = "tollgate.recipe";

/// After so many days a recent day is made anew as an old one, or daily use would fill the disk.
const THINNED_AFTER: u32 = 10;

/// Days, from today back, on which the incident happens.
const INCIDENT_DAYS: u32 = 2;

/// Which generator makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `web.alb_logs`
    Alb,
    /// `security.cloudtrail_logs`
    Trail,
    /// `shop.orders`
    Orders,
    /// `shop.customers`
    Customers,
}

impl Kind {
    /// All of them, in the order of [`super::schema::TABLES`].
    pub const ALL: [Self; 4] = [Self::Trail, Self::Customers, Self::Orders, Self::Alb];

    /// Its table.
    pub fn table(self) -> &'static Table {
        match self {
            Self::Alb => &ALB_LOGS,
            Self::Trail => &CLOUDTRAIL_LOGS,
            Self::Orders => &ORDERS,
            Self::Customers => &CUSTOMERS,
        }
    }

    /// What a row takes in a file, roughly: for the progress shown, nothing else.
    pub fn bytes_per_row(self) -> u64 {
        match self {
            Self::Alb => 114,
            Self::Trail => 98,
            Self::Orders => 40,
            Self::Customers => 60,
        }
    }
}

/// Everything that decides a partition's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recipe {
    /// The generator.
    pub kind: Kind,
    /// The partition; `None` for a table without partitions.
    pub day: Option<Day>,
    /// Rows of all files together.
    pub rows: u32,
    /// Files.
    pub files: u32,
    /// Rows of a row group.
    pub group: u32,
    /// Orders of a day, which the logs refer to.
    pub orders: u32,
    /// Whether 502s concentrate on one merchant.
    pub incident: bool,
}

impl Recipe {
    /// What to make for a day of the given age.
    pub(super) fn of_day(kind: Kind, day: Day, age: u32, scale: &Scale) -> Self {
        let recent = age < scale.recent_days;
        let (rows, files) = match (kind, recent) {
            (Kind::Alb, true) => (scale.alb_recent, scale.alb_files),
            (Kind::Alb, false) => (scale.alb_old, 1),
            (Kind::Trail, true) => (scale.trail_recent, 1),
            (Kind::Trail, false) => (scale.trail_old, 1),
            (Kind::Orders | Kind::Customers, _) => (scale.orders, 1),
        };
        let incident = kind == Kind::Alb && age < INCIDENT_DAYS;
        Self { kind, day: Some(day), rows, files, group: scale.group, orders: scale.orders, incident }
    }

    /// The customers, which have no partitions.
    pub(super) fn customers(scale: &Scale) -> Self {
        Self {
            kind: Kind::Customers,
            day: None,
            rows: ids::CUSTOMERS,
            files: 1,
            group: scale.group,
            orders: scale.orders,
            incident: false,
        }
    }

    /// Whether files that say `found` may stay for a day of this age: those of this recipe, and those that were made when the
    /// day was younger, until they are [`THINNED_AFTER`] days old.
    pub(super) fn accepts(&self, found: &str, age: u32, scale: &Scale) -> bool {
        if found == self.to_string() {
            return true;
        }
        let Some(day) = self.day else { return false };
        age <= THINNED_AFTER
            && (0..age.min(scale.recent_days)).any(|younger| Self::of_day(self.kind, day, younger, scale).to_string() == found)
    }

    /// Bytes that its files will take, roughly.
    pub(super) fn expected_bytes(&self) -> u64 {
        u64::from(self.rows) * self.kind.bytes_per_row()
    }
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = self.day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        write!(
            f,
            "v{VERSION} seed {:x} {} {day} rows {} files {} group {} orders {} incident {}",
            ids::SEED,
            self.kind.table().full_name(),
            self.rows,
            self.files,
            self.group,
            self.orders,
            self.incident
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_keeps_what_it_was_made_as_until_it_is_thinned() {
        let today = Day(20_777);
        let scale = Scale::SHIPPED;
        let made = Recipe::of_day(Kind::Alb, today, 0, &scale).to_string();
        for age in 0..=THINNED_AFTER {
            assert!(Recipe::of_day(Kind::Alb, today, age, &scale).accepts(&made, age, &scale), "{age}");
        }
        let age = THINNED_AFTER + 1;
        assert!(!Recipe::of_day(Kind::Alb, today, age, &scale).accepts(&made, age, &scale));
        // An old day never becomes a recent one, and another scale's files are not ours.
        let old = Recipe::of_day(Kind::Alb, today, 30, &scale).to_string();
        assert!(!Recipe::of_day(Kind::Alb, today, 0, &scale).accepts(&old, 0, &scale));
        assert!(!Recipe::of_day(Kind::Alb, today, 0, &Scale::TINY).accepts(&made, 0, &Scale::TINY));
    }
}
