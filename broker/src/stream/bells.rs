//! Waking readers, by futex or eventfd.
//!
//! Owns the ring eventfds are written through, which is made when the first reader asks for one;
//! never waits for anybody it wakes.

use super::core::Seats;
use crate::engine::{EngineError, Ringer};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

/// What wakes the readers of a stream.
#[derive(Debug, Default)]
pub struct Bells {
    ringer: Mutex<Option<Ringer>>,
}

impl Bells {
    /// Has every reader that waits look at the ring.
    pub fn wake(&self, seats: &Seats) {
        for seat in seats.iter() {
            seat.wake();
        }
        if seats.iter().any(|seat| seat.eventfd.is_some())
            && let Err(error) = self.ring(seats)
        {
            tracing::warn!("readers that wait on an eventfd were not told: {error}");
        }
    }

    fn ring(&self, seats: &Seats) -> Result<(), EngineError> {
        let mut ringer = self.ringer.lock().unwrap_or_else(PoisonError::into_inner);
        let ringer = match &mut *ringer {
            Some(ringer) => ringer,
            none => none.insert(Ringer::open()?),
        };
        ringer.ring(seats.iter().filter_map(|seat| {
            let eventfd = seat.eventfd.as_ref()?;
            Some((seat.id.0, eventfd.as_fd()))
        }))
    }
}
