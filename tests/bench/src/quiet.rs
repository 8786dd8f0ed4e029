//! Was anybody else using the machine while we measured?
//!
//! It compares the busy time of all CPUs (stolen time included) with what our own processes used. It never stops
//! anybody: a disturbed round is repeated, and a run that stays disturbed says so.

use crate::clock::{now_ns, sleep};
use std::io;
use std::time::Duration;

const TICK_NS: u64 = 10_000_000;

/// The busy time of the machine at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    at_ns: u64,
    busy_ns: u64,
}

/// Above this share of one CPU, strangers are said to disturb.
const DISTURBED_PERCENT: f64 = 8.0;
/// How long to look whether the machine is quiet.
const LOOK: Duration = Duration::from_millis(400);

impl Moment {
    /// Reads `/proc/stat`.
    pub fn now() -> io::Result<Self> {
        let busy_ns = busy_ticks(&std::fs::read_to_string("/proc/stat")?) * TICK_NS;
        Ok(Self {
            at_ns: now_ns(),
            busy_ns,
        })
    }

    /// What others used since then, as a share of one CPU, if our own processes used `own_cpu_ns`.
    pub fn strangers_percent(self, own_cpu_ns: u64) -> io::Result<f64> {
        let now = Self::now()?;
        let others = (now.busy_ns - self.busy_ns).saturating_sub(own_cpu_ns);
        Ok(others as f64 * 100.0 / (now.at_ns - self.at_ns).max(1) as f64)
    }
}

/// The patience with strangers of a whole run: waiting for them and repeating what they disturbed.
#[derive(Debug)]
pub struct Patience {
    left: Duration,
}

impl Patience {
    /// So much in all.
    #[must_use]
    pub fn of(left: Duration) -> Self {
        Self { left }
    }

    /// Runs `round` while the machine is quiet; again if strangers disturbed it; without patience left as it comes.
    /// Returns the least disturbed round.
    pub fn least_disturbed<T>(
        &mut self,
        disturbed_percent: impl Fn(&T) -> f64,
        mut round: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        self.wait_for_quiet()?;
        let mut best = round()?;
        while disturbed_percent(&best) > DISTURBED_PERCENT && !self.left.is_zero() {
            let from_ns = now_ns();
            self.wait_for_quiet()?;
            let next = round()?;
            if disturbed_percent(&next) < disturbed_percent(&best) {
                best = next;
            }
            self.spend(from_ns);
        }
        Ok(best)
    }

    fn wait_for_quiet(&mut self) -> io::Result<()> {
        while !self.left.is_zero() {
            let moment = Moment::now()?;
            sleep(LOOK);
            if moment.strangers_percent(0)? < DISTURBED_PERCENT {
                break;
            }
            self.spend(moment.at_ns);
        }
        Ok(())
    }

    fn spend(&mut self, from_ns: u64) {
        self.left = self
            .left
            .saturating_sub(Duration::from_nanos(now_ns() - from_ns));
    }
}

/// Everything but idle and iowait of the first line: user, nice, system, irq, softirq, steal.
fn busy_ticks(stat: &str) -> u64 {
    let ticks: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    ticks
        .iter()
        .take(8)
        .enumerate()
        .filter(|(index, _)| *index != 3 && *index != 4)
        .map(|(_, ticks)| ticks)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_iowait_are_not_busy() {
        assert_eq!(
            busy_ticks("cpu  1 2 4 1000 1000 8 16 32 64 64\ncpu0 1"),
            1 + 2 + 4 + 8 + 16 + 32
        );
    }
}
