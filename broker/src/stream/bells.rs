//! Waking readers, by futex or eventfd.
//!
//! Owns the ring eventfds are written through, which is made when the first reader asks for one;
//! never waits for anybody it wakes.

use super::core::Seats;
use super::seat::Seat;
use crate::engine::{EngineError, Ringer};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
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

    /// Lets go of the eventfd of a reader that leaves.
    pub fn forget(&self, seat: &Seat) {
        let reader = seat.id;
        // Stored under the lock, so that a list taken before is not rung after this.
        let mut ringer = self.ringer.lock().unwrap_or_else(PoisonError::into_inner);
        seat.left.store(true, Relaxed);
        if let Some(ringer) = &mut *ringer
            && let Err(error) = ringer.forget(reader.0)
        {
            tracing::warn!("the eventfd of subscription {reader} is kept: {error}");
        }
    }

    fn ring(&self, seats: &Seats) -> Result<(), EngineError> {
        let mut ringer = self.ringer.lock().unwrap_or_else(PoisonError::into_inner);
        let ringer = match &mut *ringer {
            Some(ringer) => ringer,
            none => none.insert(Ringer::open()?),
        };
        let present = seats.iter().filter(|seat| !seat.left.load(Relaxed));
        ringer.ring(present.filter_map(|seat| {
            let eventfd = seat.eventfd.as_ref()?;
            Some((seat.id.0, eventfd.as_fd()))
        }))
    }
}
