//! Whether a thread is stuck.
//!
//! Owns since when it is at work on one packet; never ends anything.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;

/// Of one thread.
#[derive(Debug, Default)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// Work on a packet begins.
    pub fn begin(&self) {
        self.0.store(monotonic_ns(), Relaxed);
    }

    /// It is done.
    pub fn end(&self) {
        self.0.store(0, Relaxed);
    }

    /// How long it has been at it.
    pub fn busy(&self) -> Duration {
        match self.0.load(Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_nanos(monotonic_ns().saturating_sub(since)),
        }
    }
}
