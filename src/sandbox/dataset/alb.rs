//! `web.alb_logs`: what a load balancer in front of a shop's API writes.
//!
//! On ordinary days a few requests in ten thousand fail. On the days of the incident, from 13:52 to 15:20 UTC, requests for one
//! merchant's orders answer 502, and one order's checkout is retried all the time: its lock is held by a host that is gone.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::column::{bigint, constant, int, put, seconds, text, written, written_or_null};
use super::day::Day;
use super::ids::{self, INCIDENT_MERCHANT, KEYED_PER_DAY, MERCHANTS};
use super::noise::Noise;
use super::recipe::Recipe;

/// The client that asks far more often than the others.
pub const NOISY_CLIENT: &str = "198.18.77.23";

/// When the incident begins and ends, in milliseconds of the day.
const INCIDENT: std::ops::Range<i64> = (13 * 60 + 52) * 60_000..(15 * 60 + 20) * 60_000;

const TARGET_GROUP: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-api/73e2d6bc24d8a067";
const CERTIFICATE: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

const AGENTS: [&str; 12] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "okhttp/4.12.0",
    "ShopApp/7.14.2 (iOS 18.6; iPhone15,2)",
    "ShopApp/7.13.0 (Android 14; SM-S918B)",
    "Go-http-client/2.0",
    "axios/1.7.9",
    "curl/8.9.1",
    "ELB-HealthChecker/2.0",
];

const WORDS: [&str; 10] = ["shoes", "lamp", "desk", "coat", "tea", "bike", "rug", "phone", "tent", "bag"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Order,
    Checkout,
    Address,
    Catalog,
    Search,
    Login,
    Asset,
    Health,
}

/// One request, before it is spread over columns.
#[derive(Debug)]
struct Request {
    /// Milliseconds since 1970, and three more digits.
    at_ms: i64,
    at_us: u16,
    route: Route,
    merchant: Option<&'static str>,
    /// Index into [`Generator::orders`].
    order: Option<usize>,
    client: u64,
    noisy: bool,
    agent: usize,
    http1: bool,
    status: i32,
    from_target: bool,
    target: u8,
    request_ms: i32,
    target_ms: i32,
    response_ms: i32,
    received: i64,
    sent: i64,
    page: u64,
    noise: Noise,
}

/// Makes the rows of one partition, any range of them.
#[derive(Debug)]
pub(super) struct Generator {
    recipe: Recipe,
    day: Day,
    schema: SchemaRef,
    /// Ids and merchants of this day's orders, then of the day before's.
    orders: Vec<(String, &'static str)>,
}

impl Generator {
    pub(super) fn new(recipe: Recipe, day: Day, schema: SchemaRef) -> Self {
        let orders = [day, day.minus(1)]
            .into_iter()
            .flat_map(|day| (0..recipe.orders).map(move |index| ids::order(day, index)))
            .map(|order| (order.id, order.merchant))
            .collect();
        Self { recipe, day, schema, orders }
    }

    pub(super) fn batch(&self, rows: std::ops::Range<u32>) -> Result<RecordBatch, ArrowError> {
        let rows: Vec<Request> = rows.map(|index| self.request(index)).collect();
        let rows = rows.as_slice();
        RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                text(rows, |r| Some(if r.http1 { "https" } else { "h2" })),
                written(rows, |r, to| write_time(r.at_ms, r.at_us, to)),
                constant(rows, "app/shop-public/50dc6c495c0c9188"),
                written(rows, |r, to| r.write_client(to)),
                int(rows, |r| 1024 + i32::try_from(r.noise.clone().below(64_000)).unwrap_or(0)),
                written(rows, |r, to| put(to, format_args!("10.0.{}.{}", 16 + r.target % 3, 20 + r.target))),
                int(rows, |_| 8080),
                seconds(rows, |r| r.request_ms),
                seconds(rows, |r| r.target_ms),
                seconds(rows, |r| r.response_ms),
                int(rows, |r| r.status),
                written(rows, |r, to| r.write_target_status(to)),
                bigint(rows, |r| r.received),
                bigint(rows, |r| r.sent),
                text(rows, |r| Some(r.verb())),
                written(rows, |r, to| self.write_url(r, to)),
                text(rows, |r| Some(if r.http1 { "HTTP/1.1" } else { "HTTP/2.0" })),
                text(rows, |r| Some(if r.noisy { "python-requests/2.32.3" } else { AGENTS[r.agent] })),
                text(rows, |r| Some(if r.http1 { "ECDHE-RSA-AES128-GCM-SHA256" } else { "TLS_AES_128_GCM_SHA256" })),
                text(rows, |r| Some(if r.http1 { "TLSv1.2" } else { "TLSv1.3" })),
                constant(rows, TARGET_GROUP),
                written(rows, |r, to| {
                    put(to, format_args!("Root=1-{:08x}-", r.at_ms / 1000));
                    r.noise.clone().hex(24, to);
                }),
                constant(rows, "api.shop.example"),
                constant(rows, CERTIFICATE),
                text(rows, |r| Some(if r.route == Route::Asset { "20" } else { "10" })),
                written(rows, |r, to| {
                    write_time(r.at_ms - i64::from(r.request_ms.max(0) + r.target_ms.max(0)), r.at_us, to);
                }),
                constant(rows, "forward"),
                constant(rows, "-"),
                constant(rows, "-"),
                written(rows, |r, to| put(to, format_args!("10.0.{}.{}:8080", 16 + r.target % 3, 20 + r.target))),
                written(rows, |r, to| r.write_target_status(to)),
                text(rows, |r| Some(if r.noisy && r.page.is_multiple_of(9) { "Ambiguous" } else { "-" })),
                text(rows, |r| Some(if r.noisy && r.page.is_multiple_of(9) { "EmptyHeader" } else { "-" })),
                written(rows, |r, to| {
                    to.push_str("TID_");
                    // Connections carry several requests each.
                    Noise::of(&[5, r.client, r.page / 8]).hex(32, to);
                }),
                written_or_null(rows, |r, to| match r.order.and_then(|index| self.orders.get(index)) {
                    Some((id, _)) => {
                        to.push_str(id);
                        true
                    }
                    None => false,
                }),
                text(rows, |r| r.merchant),
            ],
        )
    }

    fn request(&self, index: u32) -> Request {
        let mut noise = Noise::of(&[2, u64::from(self.day.0.unsigned_abs()), u64::from(index)]);
        let in_day = moment(index, self.recipe.rows, &mut noise);
        let burning = self.recipe.incident && INCIDENT.contains(&in_day);
        let retry = burning && noise.below(100) < 9;
        let noisy = !retry && noise.below(100) < 4;
        let route = if retry {
            Route::Checkout
        } else if noisy {
            Route::Search
        } else {
            match noise.below(100) {
                0..24 => Route::Order,
                24..38 => Route::Checkout,
                38..42 => Route::Address,
                42..64 => Route::Catalog,
                64..78 => Route::Search,
                78..83 => Route::Login,
                83..93 => Route::Asset,
                _ => Route::Health,
            }
        };
        let has_order = matches!(route, Route::Order | Route::Checkout | Route::Address);
        let order = has_order.then(|| self.pick_order(retry, burning, &mut noise)).flatten();
        let merchant = match order.and_then(|index| self.orders.get(index)) {
            Some((_, merchant)) => Some(*merchant),
            None if matches!(route, Route::Catalog | Route::Search) => {
                usize::try_from(noise.skewed(MERCHANTS.len() as u64)).ok().and_then(|rank| MERCHANTS.get(rank)).copied()
            }
            None => None,
        };
        let status = status(retry, burning && merchant == Some(INCIDENT_MERCHANT) && has_order, noisy, &mut noise);
        let (received, sent) = (180 + noise.below(900), 320 + noise.skewed(60_000));
        let mut request = Request {
            at_ms: self.day.start().0 + in_day,
            at_us: u16::try_from(noise.below(1000)).unwrap_or(0),
            route,
            merchant,
            order,
            client: noise.skewed(6_000),
            noisy,
            agent: usize::try_from(noise.skewed(AGENTS.len() as u64 - 1)).unwrap_or(0),
            http1: noise.below(5) == 0,
            status,
            from_target: status != 502 || noise.below(10) < 3,
            target: u8::try_from(noise.below(12)).unwrap_or(0),
            request_ms: i32::try_from(noise.below(3)).unwrap_or(0),
            target_ms: 0,
            response_ms: i32::try_from(noise.below(2)).unwrap_or(0),
            received: i64::try_from(received).unwrap_or(0),
            sent: i64::try_from(sent).unwrap_or(0),
            page: noise.below(40),
            noise: Noise::of(&[3, noise.bits()]),
        };
        request.target_ms = target_ms(&request, self.recipe.incident, &mut noise);
        if !request.from_target {
            (request.target_ms, request.response_ms, request.sent) = (-1, -1, 277);
        }
        request
    }

    /// An order of this day or the day before; while it burns, often one of the incident's.
    fn pick_order(&self, retry: bool, burning: bool, noise: &mut Noise) -> Option<usize> {
        if retry {
            return Some(0);
        }
        let per_day = u64::from(self.recipe.orders);
        let index = if burning && noise.below(5) == 0 {
            // Every fourth keyed order is the incident merchant's.
            noise.below(u64::from(KEYED_PER_DAY.min(self.recipe.orders)) / 4) * 4
        } else {
            noise.below(per_day) + if noise.below(10) < 3 { per_day } else { 0 }
        };
        usize::try_from(index).ok().filter(|index| *index < self.orders.len())
    }

    fn write_url(&self, r: &Request, to: &mut String) {
        to.push_str("https://api.shop.example:443");
        let merchant = r.merchant.unwrap_or("-");
        let order = r.order.and_then(|index| self.orders.get(index)).map_or("-", |(id, _)| id.as_str());
        let word = usize::try_from(r.page).ok().and_then(|page| WORDS.get(page % WORDS.len())).copied().unwrap_or("-");
        match r.route {
            Route::Order => put(to, format_args!("/v2/merchants/{merchant}/orders/{order}")),
            Route::Checkout => {
                put(to, format_args!("/v2/merchants/{merchant}/orders/{order}/checkout?attempt={}", 1 + r.page % 7))
            }
            Route::Address => put(to, format_args!("/v2/merchants/{merchant}/orders/{order}/address")),
            Route::Catalog => put(to, format_args!("/v2/merchants/{merchant}/catalog?page={}", r.page)),
            Route::Search => put(to, format_args!("/v2/merchants/{merchant}/search?q={word}&page={}", r.page)),
            Route::Login => to.push_str("/v2/login"),
            Route::Asset => put(to, format_args!("/assets/app.{:06x}.js", r.page * 7_919)),
            Route::Health => to.push_str("/healthz"),
        }
    }
}

impl Request {
    fn verb(&self) -> &'static str {
        match self.route {
            Route::Checkout | Route::Login => "POST",
            Route::Address => "PUT",
            _ => "GET",
        }
    }

    /// Clients are in 198.18.0.0/15, which is set aside for benchmarks (RFC 2544): nobody's address.
    fn write_client(&self, to: &mut String) {
        if self.noisy {
            to.push_str(NOISY_CLIENT);
        } else {
            put(to, format_args!("198.{}.{}.{}", 18 + self.client % 2, self.client / 200 % 64, 1 + self.client % 200));
        }
    }

    fn write_target_status(&self, to: &mut String) {
        if self.from_target {
            put(to, format_args!("{}", self.status));
        } else {
            to.push('-');
        }
    }
}

/// The moment of row `index` of `rows` in milliseconds of the day: rows are in order of time, and most around noon.
#[allow(clippy::cast_possible_truncation)] // Below 86,400,000.
fn moment(index: u32, rows: u32, noise: &mut Noise) -> i64 {
    let turn = (f64::from(index) + noise.unit()) / f64::from(rows.max(1));
    let warped = turn + 0.55 * (turn * std::f64::consts::TAU).sin() / std::f64::consts::TAU;
    ((warped * 86_400_000.0) as i64).clamp(0, super::day::DAY_MILLIS - 1)
}

fn status(retry: bool, incident: bool, noisy: bool, noise: &mut Noise) -> i32 {
    let luck = noise.below(10_000);
    if retry {
        return if luck < 9_700 { 502 } else { 504 };
    }
    if incident && luck < 5_500 {
        return 502;
    }
    if noisy && luck < 2_500 {
        return 429;
    }
    match luck {
        0..6 => 502,
        6..8 => 504,
        8..16 => 500,
        16..76 => 404,
        76..106 => 401,
        106..130 => 304,
        130..400 => 201,
        _ => 200,
    }
}

/// How long the target took. Search became slow with the release that the incident's days run.
#[allow(clippy::cast_possible_truncation)] // Clamped.
fn target_ms(r: &Request, incident: bool, noise: &mut Noise) -> i32 {
    let typical = match r.route {
        Route::Order => 38.0,
        Route::Checkout => 180.0,
        Route::Address => 65.0,
        Route::Catalog => 24.0,
        Route::Search => {
            if incident {
                240.0
            } else {
                95.0
            }
        }
        Route::Login => 120.0,
        Route::Asset => 3.0,
        Route::Health => 1.0,
    };
    // Roughly log-normal: the sum of four even numbers is close to a bell.
    let bell = noise.unit() + noise.unit() + noise.unit() + noise.unit() - 2.0;
    let tail = if noise.below(200) == 0 { 8.0 } else { 1.0 };
    let stuck = if r.status == 504 { 60_000.0 } else { 0.0 };
    f64::max(typical * (bell * 1.1).exp() * tail, stuck).clamp(1.0, 60_000.0) as i32
}

/// `2026-11-20T13:52:07.123456Z`.
fn write_time(at_ms: i64, micros: u16, to: &mut String) {
    let day = Day(i32::try_from(at_ms.div_euclid(super::day::DAY_MILLIS)).unwrap_or(0));
    let ms = at_ms.rem_euclid(super::day::DAY_MILLIS);
    day.write_iso(to);
    put(to, format_args!("T{:02}:{:02}:{:02}.{:03}{micros:03}Z", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000));
}
