//! Which orders and customers exist. The Parquet tables and the DynamoDB table `orders` are both made from here, so that an
//! order found in the logs is found in DynamoDB too.

use super::day::{DAY_MILLIS, Day};
use super::noise::Noise;
use crate::core::units::Timestamp;

/// The seed of all of the sandbox's data.
pub const SEED: u64 = 0x7011_6a7e;

/// How many customers there are, at every scale: orders refer to them by number.
pub const CUSTOMERS: u32 = 8_000;

/// The merchant on which the incident's 502s concentrate.
pub const INCIDENT_MERCHANT: &str = "acme";

/// The host that holds the stuck order's lock, and is gone.
pub const GONE_HOST: &str = "checkout-worker-7c41";

/// Orders of a day that have an item in DynamoDB: these indices, from 0. Failing requests of recent days are about these.
pub const KEYED_PER_DAY: u32 = 60;

/// Days, back from today, whose orders have items in DynamoDB.
pub const KEYED_DAYS: u32 = 4;

/// The merchants, the busiest first.
pub const MERCHANTS: [&str; 40] = [
    "globex",
    "initech",
    "acme",
    "umbrella",
    "hooli",
    "stark",
    "wayne",
    "soylent",
    "tyrell",
    "cyberdyne",
    "wonka",
    "duff",
    "oceanic",
    "vandelay",
    "bluth",
    "dunder",
    "pied-piper",
    "massive",
    "gekko",
    "nakatomi",
    "sirius",
    "monarch",
    "virtucon",
    "zorg",
    "kruger",
    "rekall",
    "yoyodyne",
    "weyland",
    "aperture",
    "blackmesa",
    "octan",
    "spacely",
    "cogswell",
    "krusty",
    "gringotts",
    "olivander",
    "honeydukes",
    "flourish",
    "sterling",
    "prestige",
];

/// Base-36 digits, as ids are spelled.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `36^10`: how many order ids there can be.
const ORDER_IDS: u128 = 3_656_158_440_062_976;

/// Coprime to 36, so that numbers map to ids one to one; large, so that neighbours look unrelated.
const SPREAD: u128 = 2_718_281_828_459_045;

/// Where an order stands, in `shop.orders.status` and the item's `state`.
pub const STATUSES: [&str; 5] = ["delivered", "shipped", "paid", "cancelled", "refunded"];

/// The state of an order whose payment never came back.
pub const STUCK_STATUS: &str = "payment_pending";

/// One order, the same wherever it appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `ord_` and ten base-36 digits.
    pub id: String,
    /// The number of the customer, for [`customer_id`].
    pub customer: u32,
    /// One of [`MERCHANTS`].
    pub merchant: &'static str,
    /// The amount in hundredths of [`Order::currency`].
    pub cents: i64,
    /// ISO 4217.
    pub currency: &'static str,
    /// One of [`STATUSES`], or [`STUCK_STATUS`].
    pub status: &'static str,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The last four digits of the card.
    pub card: String,
    /// Whether [`GONE_HOST`] still holds its lock.
    pub is_stuck: bool,
}

/// The id of order `number`; different numbers have different ids.
pub fn order_id(number: u64) -> String {
    let mut rest = (u128::from(number) + 90_210) % ORDER_IDS * SPREAD % ORDER_IDS;
    let mut text = [b'0'; 10];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(rest % 36).unwrap_or(0)];
        rest /= 36;
    }
    let mut id = String::with_capacity(14);
    id.push_str("ord_");
    id.extend(text.iter().map(|b| char::from(*b)));
    id
}

/// The id of customer `number`: `cus_` and six digits.
pub fn customer_id(number: u32) -> String {
    format!("cus_{:06}", 100_000 + u64::from(number))
}

/// Order `index` of `day`. Index 0 is the stuck one: its lock holder is gone, and clients of [`INCIDENT_MERCHANT`] retry it.
pub fn order(day: Day, index: u32) -> Order {
    let number = u64::try_from(day.0).unwrap_or(0) * 1_000_000 + u64::from(index);
    let mut noise = Noise::of(&[1, number]);
    let is_stuck = index == 0;
    let rank = usize::try_from(noise.skewed(MERCHANTS.len() as u64)).unwrap_or(0);
    // Every fourth order that requests fail for is the incident's merchant's, or one order alone would carry the incident.
    let is_incident = is_stuck || (index < KEYED_PER_DAY && index.is_multiple_of(4));
    let merchant = if is_incident { INCIDENT_MERCHANT } else { MERCHANTS[rank] };
    let created = day.start().0 + i64::try_from(noise.below(DAY_MILLIS as u64)).unwrap_or(0);
    let created = if is_stuck { day.start().0 + 13 * 3_600_000 + 52 * 60_000 + 7_113 } else { created };
    let took = i64::try_from(noise.below(5_400_000)).unwrap_or(0);
    let took = if is_stuck { 1_480 } else { took };
    let status = STATUSES[usize::try_from(noise.skewed(STATUSES.len() as u64)).unwrap_or(0)];
    let currency = ["EUR", "EUR", "EUR", "EUR", "CHF", "GBP", "SEK", "PLN"][usize::try_from(noise.below(8)).unwrap_or(0)];
    Order {
        id: order_id(number),
        customer: u32::try_from(noise.skewed(u64::from(CUSTOMERS))).unwrap_or(0),
        merchant,
        cents: 499 + i64::try_from(noise.skewed(90_000)).unwrap_or(0),
        currency,
        status: if is_stuck { STUCK_STATUS } else { status },
        created_at: Timestamp(created),
        updated_at: Timestamp(created + took),
        card: format!("{:04}", noise.below(10_000)),
        is_stuck,
    }
}

/// The orders that have an item in the DynamoDB table `orders` (pk `ORDER#<id>`, sk `META`) when it is `today`. Later starts
/// put those of the new days beside the old ones.
pub fn keyed_orders(today: Day) -> impl Iterator<Item = Order> {
    (0..KEYED_DAYS).flat_map(move |age| (0..KEYED_PER_DAY).map(move |index| order(today.minus(age), index)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_distinct_and_well_formed() {
        let today = Day::of("2026-11-20T08:00:00Z".parse().unwrap());
        let mut seen = HashSet::new();
        for age in 0..60 {
            for index in 0..500 {
                let id = order(today.minus(age), index).id;
                assert_eq!(id.len(), 14);
                assert!(id.starts_with("ord_") && id[4..].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
                assert!(seen.insert(id));
            }
        }
    }

    #[test]
    fn ids_never_change() {
        // Screens, recorded walks and DynamoDB files on disk hold these.
        assert_eq!(order_id(0), "ord_cxjavmu0x6");
        assert_eq!(customer_id(17), "cus_100017");
    }

    #[test]
    fn the_stuck_order_is_the_incident() {
        let today = Day::of("2026-11-20T08:00:00Z".parse().unwrap());
        let keyed: Vec<Order> = keyed_orders(today).collect();
        assert_eq!(keyed.len(), 240);
        let stuck: Vec<&Order> = keyed.iter().filter(|o| o.is_stuck).collect();
        assert_eq!(stuck.len(), 4);
        assert!(stuck.iter().all(|o| o.merchant == INCIDENT_MERCHANT && o.status == STUCK_STATUS));
    }
}
