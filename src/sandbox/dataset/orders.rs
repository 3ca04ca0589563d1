//! `shop.orders` and `shop.customers`.

use std::sync::Arc;

use arrow::array::{Date32Array, Decimal128Array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::column::{int, put, text, timestamp, written};
use super::day::Day;
use super::ids::{self, Order};
use super::noise::Noise;
use super::recipe::Recipe;
use crate::core::units::Timestamp;

/// Makes the orders of one day, in order of time.
#[derive(Debug)]
pub(super) struct Orders {
    schema: SchemaRef,
    orders: Vec<Order>,
}

impl Orders {
    pub(super) fn new(recipe: Recipe, day: Day, schema: SchemaRef) -> Self {
        let mut orders: Vec<Order> = (0..recipe.rows).map(|index| ids::order(day, index)).collect();
        orders.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Self { schema, orders }
    }

    pub(super) fn batch(&self, rows: std::ops::Range<u32>) -> Result<RecordBatch, ArrowError> {
        let rows = rows.start as usize..(rows.end as usize).min(self.orders.len());
        let rows = self.orders.get(rows).unwrap_or_default();
        let amounts =
            Decimal128Array::from_iter_values(rows.iter().map(|o| i128::from(o.cents))).with_precision_and_scale(12, 2)?;
        let luck = |o: &Order, n: u64| Noise::of(&[6, u64::try_from(o.created_at.0).unwrap_or(0)]).below(n);
        RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                text(rows, |o| Some(&o.id)),
                written(rows, |o, to| to.push_str(&ids::customer_id(o.customer))),
                text(rows, |o| Some(o.merchant)),
                Arc::new(amounts),
                text(rows, |o| Some(o.currency)),
                text(rows, |o| Some(o.status)),
                int(rows, |o| 1 + i32::try_from(luck(o, 6)).unwrap_or(0)),
                text(rows, |o| Some(["web", "ios", "android", "web", "partner"][usize::try_from(luck(o, 5)).unwrap_or(0)])),
                timestamp(rows, |o| o.created_at),
                timestamp(rows, |o| o.updated_at),
            ],
        )
    }
}

const GIVEN: [&str; 24] = [
    "Amelie", "Bruno", "Carla", "Dario", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Leon", "Mira", "Nils",
    "Olga", "Paul", "Rosa", "Sven", "Tilda", "Umut", "Vera", "Wim", "Yara", "Zoe",
];
const FAMILY: [&str; 24] = [
    "Adler",
    "Bianchi",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Hoffmann",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novák",
    "Öztürk",
    "Petrov",
    "Quint",
    "Rossi",
    "Schäfer",
    "Tanaka",
    "Ueda",
    "Vogel",
    "Weber",
    "Zieliński",
];
const STREETS: [&str; 8] =
    ["Hauptstr.", "Rue Haute", "Via Roma", "Lindenweg", "Kirkegata", "Mill Lane", "Calle Mayor", "Parkallee"];
const CITIES: [(&str, &str, &str); 8] = [
    ("DE", "Berlin", "+49 30"),
    ("DE", "Köln", "+49 221"),
    ("FR", "Lyon", "+33 4"),
    ("IT", "Torino", "+39 011"),
    ("NO", "Bergen", "+47 55"),
    ("GB", "Leeds", "+44 113"),
    ("ES", "Sevilla", "+34 954"),
    ("CH", "Zürich", "+41 44"),
];

#[derive(Debug)]
struct Customer {
    number: u32,
    given: &'static str,
    family: &'static str,
    city: (&'static str, &'static str, &'static str),
    noise: Noise,
    tier: &'static str,
    birthday: i32,
    created_at: Timestamp,
}

/// The customers `rows`, who are nobody: every name, number and address is put together by chance.
pub(super) fn customers(schema: &SchemaRef, rows: std::ops::Range<u32>) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Customer> = rows.map(customer).collect();
    let rows = rows.as_slice();
    RecordBatch::try_new(
        Arc::clone(schema),
        vec![
            written(rows, |c, to| to.push_str(&ids::customer_id(c.number))),
            written(rows, |c, to| put(to, format_args!("{} {}", c.given, c.family))),
            written(rows, |c, to| {
                put(to, format_args!("{}.{}{}@mail.example", c.given.to_lowercase(), ascii(c.family), c.number));
            }),
            written(rows, |c, to| put(to, format_args!("{} {:07}", c.city.2, c.noise.clone().below(10_000_000)))),
            written(rows, |c, to| {
                let mut noise = c.noise.clone();
                let street = noise.one_of(&STREETS);
                put(to, format_args!("{street} {}, {:05} {}", 1 + noise.below(180), noise.below(99_999), c.city.1));
            }),
            Arc::new(Date32Array::from_iter_values(rows.iter().map(|c| c.birthday))),
            text(rows, |c| Some(c.city.0)),
            text(rows, |c| Some(c.tier)),
            timestamp(rows, |c| c.created_at),
        ],
    )
}

fn customer(number: u32) -> Customer {
    let mut noise = Noise::of(&[7, u64::from(number)]);
    // Four years of sign-ups before October 2026, and adults only.
    let created_at = 1_664_582_400_000 + i64::try_from(noise.below(126_230_400_000)).unwrap_or(0);
    Customer {
        number,
        given: noise.one_of(&GIVEN),
        family: noise.one_of(&FAMILY),
        city: noise.one_of(&CITIES),
        tier: ["free", "free", "free", "plus", "pro"][usize::try_from(noise.below(5)).unwrap_or(0)],
        birthday: -7_300 + i32::try_from(noise.below(20_000)).unwrap_or(0),
        created_at: Timestamp(created_at),
        noise,
    }
}

/// The letters of a name as they stand in an address of mail.
fn ascii(name: &str) -> String {
    name.chars()
        .map(|c| match c.to_lowercase().next().unwrap_or(c) {
            'á' | 'ä' => 'a',
            'í' => 'i',
            'ö' => 'o',
            'ü' => 'u',
            'ń' => 'n',
            other => other,
        })
        .filter(char::is_ascii)
        .collect()
}
