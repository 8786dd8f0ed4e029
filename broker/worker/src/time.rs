//! The device's time, as it is known here.
//!
//! Owns the estimate all streams of the device share; never asks the device, which `remote` does.

use std::sync::{Mutex, PoisonError};
use streamem_hl2ss::Ticks;
use streamem_hl2ss::clock::{Estimate, Exchange, Follower, Learned};

/// Shared by all threads.
#[derive(Debug, Default)]
pub struct DeviceTime(Mutex<Follower>);

impl DeviceTime {
    /// Learns from a question and its answer.
    pub fn learn(&self, exchange: Exchange) -> Learned {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .learn(exchange)
    }

    /// What that is here; nothing before the device was asked.
    pub fn here(&self, ticks: Ticks) -> Option<Estimate> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .here(ticks)
    }
}
