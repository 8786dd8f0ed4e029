//! A stream's numbers at one moment, and what is told of them.
//!
//! Owns adding them up and putting them into words, without the lock the source takes to publish.

use super::core::refused;
use super::memory::StreamMemory;
use super::seat::Seats;
use std::sync::Arc;
use streamem_wire::Sequence;
use streamem_wire::message::{Counters, Term};

/// The numbers.
#[derive(Debug)]
pub struct Figures {
    /// The memory that is current.
    pub memory: Arc<StreamMemory>,
    /// The newest frame.
    pub newest: Sequence,
    /// The counters; what readers were refused is newer in [`Figures::refused`].
    pub counters: Counters,
    /// Slots a source has in hand.
    pub filling: u32,
    /// Newest frames that are kept.
    pub kept: u32,
    /// Leases readers may hold, and the broker where it decodes.
    pub leases: u32,
    /// Those of the broker.
    pub decoding: u32,
    /// What readers were refused that have left.
    pub refused_by_leavers: u64,
    /// Everybody who reads.
    pub seats: Seats,
}

impl Figures {
    /// How many slots the promises made to readers need, reason by reason.
    #[must_use]
    pub fn sum(&self) -> Vec<Term> {
        let term = |reason: &str, slots| Term {
            reason: reason.to_owned(),
            slots,
        };
        let mut sum = vec![
            term("being filled", self.filling),
            term("the newest frames", self.kept),
            term("leases readers may hold", self.leases - self.decoding),
        ];
        if self.decoding > 0 {
            sum.push(term("being decoded into other streams", self.decoding));
        }
        sum
    }

    /// The sum of [`Figures::sum`].
    #[must_use]
    pub fn slots_needed(&self) -> u32 {
        self.filling + self.kept + self.leases
    }

    /// Slots there are.
    #[must_use]
    pub fn slots_max(&self) -> u32 {
        u32::try_from(self.memory.shape().slots).unwrap_or(u32::MAX)
    }

    /// What readers say they were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let present: u64 = self.seats.iter().map(|seat| refused(seat)).sum();
        self.refused_by_leavers + present
    }
}
