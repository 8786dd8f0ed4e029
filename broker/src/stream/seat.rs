//! A reader's place at a stream: its lease page and what it is entitled to.
//!
//! Owns the page's memory; never trusts a word the client wrote there.

use super::bell::Bell;
use crate::pool::{Allocator, Memory, PoolError, Protection, Request};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::futex;
use streamem_wire::message::Mode;
use streamem_wire::{Generation, LEASE_PAGE_BYTES, LeasePage, Slot, SubscriptionId, lease, page};

/// What a reader asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Which frames.
    pub mode: Mode,
    /// How many of the last frames are kept for it.
    pub depth: u32,
    /// How many frames it may hold.
    pub leases: u32,
}

/// A place.
#[derive(Debug)]
pub struct Seat {
    /// The subscription.
    pub id: SubscriptionId,
    /// What it is entitled to.
    pub terms: Terms,
    /// Its page.
    pub page: Memory,
    /// Rung at every frame, if asked for.
    pub bell: Option<Bell>,
    /// It is the broker's own, which decodes what it reads.
    pub is_ours: bool,
}

impl Seat {
    /// A place with a fresh page.
    pub fn new(
        allocator: &dyn Allocator,
        id: SubscriptionId,
        terms: Terms,
        bell: Option<Bell>,
    ) -> Result<Seat, PoolError> {
        let page = allocator.allocate(&Request::plain(
            format!("streamem-lease-{id}"),
            LEASE_PAGE_BYTES,
            Protection::Shared,
        ))?;
        let seat = Seat {
            id,
            terms,
            page,
            bell,
            is_ours: false,
        };
        seat.view().write_header(id);
        Ok(seat)
    }

    /// A place for the broker itself.
    pub fn ours(
        allocator: &dyn Allocator,
        id: SubscriptionId,
        terms: Terms,
    ) -> Result<Seat, PoolError> {
        let seat = Seat::new(allocator, id, terms, None)?;
        Ok(Seat {
            is_ours: true,
            ..seat
        })
    }

    /// The page, to look into.
    #[must_use]
    pub fn view(&self) -> LeasePage<'_> {
        let leases = usize::try_from(self.terms.leases).unwrap_or(1);
        match LeasePage::new(self.page.map.words(), leases) {
            Ok(page) => page,
            Err(error) => unreachable!("the page was made for its leases: {error}"),
        }
    }

    /// Whether it holds this slot.
    #[must_use]
    pub fn holds(&self, generation: Generation, slot: Slot) -> bool {
        lease::holds(&self.view(), generation, slot)
    }

    /// How many lease words are taken.
    #[must_use]
    pub fn held(&self) -> u32 {
        let taken = self
            .view()
            .leases()
            .iter()
            .filter(|word| word.load(Relaxed) != 0)
            .count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    fn wants_a_wake(&self) -> bool {
        self.bell.is_some() || lease::is_waiting(&self.view())
    }

    /// Has it look at the ring if it waits.
    pub(super) fn wake(&self) {
        let view = self.view();
        if lease::must_wake(&view) {
            // Nobody waiting there any more is no error, and there is no other.
            let _woken = futex::wake(view.word(page::WAKE), 1);
        }
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

/// Everybody who reads a stream: taken under its lock, woken outside it.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Vec<Arc<Seat>>>);

impl Seats {
    /// Has those look at the ring who wait. Nobody is waited for.
    pub fn wake(&self) {
        // All pages are cold now. Looked at one after the other, with nothing in between, they are
        // fetched together; a call into the kernel between two of them would wait for each.
        let wanting = self.iter().filter(|seat| seat.wants_a_wake()).count();
        if wanting > 0 {
            self.iter().for_each(|seat| seat.wake());
        }
    }

    /// One more.
    pub fn push(&mut self, seat: Arc<Seat>) {
        Arc::make_mut(&mut self.0).push(seat);
    }

    /// One less.
    pub fn remove(&mut self, id: SubscriptionId) {
        Arc::make_mut(&mut self.0).retain(|seat| seat.id != id);
    }
}

impl Deref for Seats {
    type Target = [Arc<Seat>];

    fn deref(&self) -> &[Arc<Seat>] {
        &self.0
    }
}
