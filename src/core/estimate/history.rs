//! How good estimates were so far: what was estimated against what was read, and what that says of the next one.

use super::{Bounds, ScanModel};

/// One execution that ended, as the journal has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The model of the estimate.
    pub model: ScanModel,
    /// What was estimated, in bytes.
    pub estimate: Bounds,
    /// What the service counted, in bytes.
    pub actual: u64,
    /// Whether it was stopped before its end: then `actual` says nothing of the estimate.
    pub stopped: bool,
}

/// Errors are relative to what was read, or to this where that is less: of small readings the fixed parts are most.
const FLOOR: u64 = 64 << 10;
/// Runs that count: the latest.
const LATEST: usize = 20;
/// Fewer runs than this calibrate nothing.
const ENOUGH: usize = 5;
/// Errors below this are not worth a correction, in thousandths.
const NEAR: u64 = 50;

/// What past runs of one statement, or one table, say of its estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// How many runs it rests on.
    pub runs: usize,
    /// The median of the errors of `expected`, in thousandths of what was read.
    pub median_error: u64,
    /// How many of the runs read what lay inside the bounds.
    pub inside: usize,
    /// The median of what was read to what was expected, in thousandths; `None` where nothing was ever expected.
    pub ratio: Option<u64>,
    /// The largest of them.
    pub worst_ratio: Option<u64>,
}

impl Calibration {
    /// Of runs in the order of time, newest last; those of `model` that came to their end count, at most the last twenty. `None`: there
    /// are none.
    pub fn of(runs: &[Run], model: ScanModel) -> Option<Self> {
        let counted: Vec<&Run> = runs.iter().rev().filter(|run| run.model == model && !run.stopped).take(LATEST).collect();
        if counted.is_empty() {
            return None;
        }
        let share = |part: u64, whole: u64| u64::try_from(u128::from(part) * 1000 / u128::from(whole.max(1))).unwrap_or(u64::MAX);
        let errors = counted.iter().map(|run| share(run.estimate.expected.abs_diff(run.actual), run.actual.max(FLOOR)));
        let ratios: Vec<u64> =
            counted.iter().filter(|run| run.estimate.expected > 0).map(|run| share(run.actual, run.estimate.expected)).collect();
        Some(Self {
            runs: counted.len(),
            median_error: median(errors.collect())?,
            inside: counted.iter().filter(|run| (run.estimate.low..=run.estimate.high).contains(&run.actual)).count(),
            worst_ratio: ratios.iter().max().copied(),
            ratio: median(ratios),
        })
    }

    /// In words: `last 20 runs: median error 1.2 %`.
    pub fn words(&self) -> String {
        let runs = if self.runs == 1 { "last run".to_owned() } else { format!("last {} runs", self.runs) };
        let mut words = format!("{runs}: median error {}.{} %", self.median_error / 10, self.median_error % 10);
        if self.inside < self.runs {
            words.push_str(&format!(", {} outside the bounds", self.runs - self.inside));
        }
        words
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Bounds as past runs correct them: `expected` moves by what runs read of what was expected, if they agree that it was wrong; `high` is
/// never lowered, and rises so that the worst of them would have been inside. `low` only falls: that runs read much says nothing of the next.
pub fn calibrated(bounds: Bounds, calibration: Option<&Calibration>) -> Bounds {
    let Some(calibration) = calibration.filter(|c| c.runs >= ENOUGH) else { return bounds };
    let times =
        |value: u64, thousandths: u64| u64::try_from(u128::from(value) * u128::from(thousandths) / 1000).unwrap_or(u64::MAX);
    let expected = match calibration.ratio {
        Some(ratio) if calibration.median_error > NEAR => times(bounds.expected, ratio),
        _ => bounds.expected,
    };
    let high = calibration.worst_ratio.map_or(bounds.high, |worst| bounds.high.max(times(bounds.expected, worst)));
    Bounds::new(bounds.low, expected, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(expected: u64, actual: u64) -> Run {
        Run {
            model: ScanModel::Chunks,
            estimate: Bounds { low: expected / 2, expected, high: expected * 2 },
            actual,
            stopped: false,
        }
    }

    const MB: u64 = 1_000_000;

    #[test]
    fn runs_are_told_in_words() {
        let runs: Vec<Run> = (0..30).map(|n| run(10 * MB, 10 * MB + n * 10_000)).collect();
        let calibration = Calibration::of(&runs, ScanModel::Chunks).unwrap();
        assert_eq!((calibration.runs, calibration.inside), (20, 20));
        assert_eq!(calibration.words(), "last 20 runs: median error 1.9 %");
        assert_eq!(Calibration::of(&runs, ScanModel::Trino), None);
        let stopped = [Run { stopped: true, ..run(MB, 5) }];
        assert_eq!(Calibration::of(&stopped, ScanModel::Chunks), None);
        let one = Calibration::of(&[run(MB, 9 * MB)], ScanModel::Chunks).unwrap();
        assert_eq!(one.words(), "last run: median error 88.8 %, 1 outside the bounds");
    }

    #[test]
    fn bounds_follow_what_was_read() {
        let bounds = Bounds { low: 5 * MB, expected: 10 * MB, high: 12 * MB };
        let of = |actuals: &[u64]| {
            let runs: Vec<Run> = actuals.iter().map(|actual| run(10 * MB, *actual)).collect();
            calibrated(bounds, Calibration::of(&runs, ScanModel::Chunks).as_ref())
        };
        // Good estimates stay, few runs say nothing.
        assert_eq!(of(&[10 * MB; 6]), bounds);
        assert_eq!(of(&[30 * MB; 4]), bounds);
        // Runs that read more raise, runs that read less lower, but never what may be read.
        assert_eq!(of(&[30 * MB; 6]), Bounds { low: 5 * MB, expected: 30 * MB, high: 30 * MB });
        assert_eq!(of(&[4 * MB; 6]), Bounds { low: 4 * MB, expected: 4 * MB, high: 12 * MB });
        // One that was off moves the bound alone.
        assert_eq!(of(&[10 * MB, 10 * MB, 10 * MB, 10 * MB, 10 * MB, 40 * MB]), Bounds { high: 40 * MB, ..bounds });
    }
}
