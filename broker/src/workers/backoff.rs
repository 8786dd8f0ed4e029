//! Waiting longer after each failure.
//!
//! Owns how long; never tries anything.

const SECOND_NS: u64 = 1_000_000_000;
/// It is tried again after 1, 2, 4, … seconds, at most this often doubled.
const DOUBLINGS_MAX: u32 = 5;
/// What lasted this long is forgiven its former failures.
const LASTED_NS: u64 = 60 * SECOND_NS;

/// When something may be tried again.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    until_ns: u64,
    failures: u32,
}

impl Backoff {
    /// It has failed at `now_ns`, after it had lasted for so long.
    pub(super) fn fail(&mut self, lasted_ns: u64, now_ns: u64) {
        if lasted_ns > LASTED_NS {
            self.failures = 0;
        }
        let wait_s = 1 << self.failures.min(DOUBLINGS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.until_ns = now_ns + wait_s * SECOND_NS;
    }

    /// Whether it may be tried again.
    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        self.until_ns <= now_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_waited_for_longer_until_one_lasted() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_over(0));
        let mut wait = |lasted_s: u64| {
            backoff.fail(lasted_s * SECOND_NS, 1000);
            (1..100).find(|s| backoff.is_over(1000 + s * SECOND_NS))
        };
        let waits: Vec<u64> = (0..8).filter_map(|_| wait(0)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32]);
        assert_eq!((wait(59), wait(61), wait(0)), (Some(32), Some(1), Some(2)));
    }
}
