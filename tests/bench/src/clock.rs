//! Time as the measurements see it: CLOCK_MONOTONIC in nanoseconds, CPU time, and a metronome.
//!
//! It never reads the wall clock, so a run is not disturbed by its adjustments.

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// Nanoseconds of CLOCK_MONOTONIC.
#[must_use]
pub fn now_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// CPU time this process has used so far, all threads together.
#[must_use]
pub fn cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// CPU time this thread has used so far.
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Sleeps for `duration`, going on after signals.
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Ticks at a fixed rate without drifting: each tick is counted from the first one.
#[derive(Debug)]
pub struct Metronome {
    next_ns: u64,
    period_ns: u64,
}

impl Metronome {
    /// A metronome of `rate` ticks per second; its first tick is one period from now.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        let period_ns = 1_000_000_000 / u64::from(rate.max(1));
        Self {
            next_ns: now_ns() + period_ns,
            period_ns,
        }
    }

    /// Sleeps until the next tick. A tick that is already past returns at once.
    pub fn tick(&mut self) {
        let due = Timespec {
            tv_sec: (self.next_ns / 1_000_000_000).cast_signed(),
            tv_nsec: (self.next_ns % 1_000_000_000).cast_signed(),
        };
        while clock_nanosleep_absolute(ClockId::Monotonic, &due).is_err() {}
        self.next_ns += self.period_ns;
    }
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}
