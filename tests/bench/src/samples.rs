//! A bag of measured durations and what one says about it: median, 99th percentile, largest.
//!
//! It keeps every sample, so percentiles are exact and runs can be merged.

use serde::Serialize;

/// Durations in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<u64>);

/// The summary of a bag, in microseconds; all zero when the bag is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// How many samples there were.
    pub count: usize,
    /// Median.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Largest.
    pub max_us: f64,
}

impl Samples {
    /// Adds one duration.
    pub fn push(&mut self, duration_ns: u64) {
        self.0.push(duration_ns);
    }

    /// The durations in the order they were added.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// Sorts and summarises.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |share: f64| micros(sorted[((sorted.len() - 1) as f64 * share).round() as usize]);
        match sorted.last() {
            None => Summary::default(),
            Some(&max) => Summary {
                count: sorted.len(),
                p50_us: at(0.5),
                p99_us: at(0.99),
                max_us: micros(max),
            },
        }
    }
}

impl Extend<u64> for Samples {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, durations: I) {
        self.0.extend(durations);
    }
}

impl FromIterator<u64> for Samples {
    fn from_iter<I: IntoIterator<Item = u64>>(durations: I) -> Self {
        Self(durations.into_iter().collect())
    }
}

/// The middle of some figures; zero when there are none.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn micros(duration_ns: u64) -> f64 {
    duration_ns as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_bag() {
        let samples: Samples = (1..=101).map(|micros| micros * 1000).collect();
        let summary = samples.summary();
        assert_eq!(
            (summary.p50_us, summary.p99_us, summary.max_us),
            (51.0, 100.0, 101.0)
        );
    }

    #[test]
    fn an_empty_bag_is_all_zero() {
        assert_eq!(Samples::default().summary(), Summary::default());
    }
}
