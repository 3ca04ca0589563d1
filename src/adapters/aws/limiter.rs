//! A rate limit shared by all calls of one process: Athena counts calls per account and region, and throttled polling would slow
//! the stop of a query.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// At most so many calls a second, in bursts of at most so many (the generic cell rate algorithm).
#[derive(Debug)]
pub(super) struct Limiter {
    interval: Duration,
    burst: Duration,
    began: Instant,
    /// When the bucket would be empty again, since `began`.
    due: Mutex<Duration>,
}

impl Limiter {
    /// `per_second` calls a second, `burst` of them at once.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, burst: interval * burst.saturating_sub(1), began: Instant::now(), due: Mutex::new(Duration::ZERO) }
    }

    /// Waits until a call may be made. Calls are let through in the order in which they asked.
    pub(super) async fn turn(&self) {
        let wait = {
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let (wait, next) = admit(self.began.elapsed(), *due, self.interval, self.burst);
            *due = next;
            wait
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long a call at `now` waits, and when the bucket is then empty.
fn admit(now: Duration, due: Duration, interval: Duration, burst: Duration) -> (Duration, Duration) {
    let start = due.max(now);
    (start.saturating_sub(now).saturating_sub(burst), start.saturating_add(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the moments at which calls are asked for, no window of a second lets more through than the rate and one burst.
    #[test]
    fn no_second_has_more_than_the_rate() {
        let (interval, burst) = (Duration::from_millis(50), Duration::from_millis(50) * 4);
        let mut due = Duration::ZERO;
        let mut let_through = Vec::new();
        for call in 0_u64..200 {
            // Bunches of calls, with pauses in which the bucket empties.
            let now = Duration::from_millis(call / 40 * 5_000 + call % 7);
            let (wait, next) = admit(now, due, interval, burst);
            due = next;
            let_through.push(now + wait);
        }
        for (index, first) in let_through.iter().enumerate() {
            let within =
                let_through.iter().skip(index).filter(|at| **at >= *first && **at < *first + Duration::from_secs(1)).count();
            assert!(within <= 25, "{within} calls in the second after {first:?}");
        }
    }

    #[test]
    fn an_idle_limiter_lets_a_burst_through_at_once() {
        let limiter = Limiter::new(20, 5);
        let mut due = Duration::ZERO;
        let now = Duration::from_secs(100);
        let waits: Vec<Duration> = (0..6)
            .map(|_| {
                let (wait, next) = admit(now, due, limiter.interval, limiter.burst);
                due = next;
                wait
            })
            .collect();
        assert!(waits[..5].iter().all(Duration::is_zero), "{waits:?}");
        assert_eq!(waits[5], Duration::from_millis(50));
    }
}
