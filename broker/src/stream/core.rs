//! The part of a stream its source's thread and the loop share: memory, slot table, seats.
//!
//! Owns who gets which slot when; never waits for a reader. It is locked for a few hundred
//! nanoseconds at a time, and never while somebody is woken.

use super::memory::StreamMemory;
use super::seat::Seat;
use crate::pool::Claimed;
use crate::source::Filled;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Counters, Term};
use streamem_wire::{
    Newest, RingState, Sequence, Slot, SubscriptionId, header, lease, page, record,
};

/// Slots a source has in hand.
const FILLING: u32 = 1;

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Claimed,
    Frame(Sequence),
}

/// Everybody to be woken; taken under the lock, used outside it.
pub type Seats = Arc<Vec<Arc<Seat>>>;

/// A frame as its source hands it over.
#[derive(Debug)]
pub struct Frame {
    /// The slot it is in.
    pub claimed: Claimed,
    /// What the source says of it.
    pub filled: Filled,
    /// The source's frame counter.
    pub number: u64,
    /// When it was captured.
    pub captured_ns: u64,
    /// Frames before it for which no slot was there.
    pub no_slot: u64,
    /// Frames before it the source lost.
    pub by_source: u64,
}

/// The shared part.
#[derive(Debug)]
pub struct Core {
    memory: StreamMemory,
    contents: Vec<Content>,
    newest: Sequence,
    seats: Seats,
    counters: Counters,
    commits: bool,
    committed_slots: u32,
}

impl Core {
    /// A stream's shared part; goes on with what a former broker left in the ring.
    #[must_use]
    pub fn new(memory: StreamMemory, commits: bool) -> Core {
        let mut core = Core {
            contents: vec![Content::Nothing; memory.shape().slots],
            memory,
            newest: Sequence::NONE,
            seats: Seats::default(),
            counters: Counters::default(),
            commits,
            committed_slots: 0,
        };
        core.read_back();
        core
    }

    fn read_back(&mut self) {
        let ring = self.memory.view();
        let said = |at: usize| ring.header(at).load(Relaxed);
        self.newest = lease::newest(&ring).map_or(Sequence::NONE, |newest| newest.sequence);
        self.counters = Counters {
            published: said(header::PUBLISHED),
            dropped_no_slot: said(header::DROPPED_NO_SLOT),
            dropped_by_source: said(header::DROPPED_BY_SOURCE),
            held_at_reuse: said(header::HELD_AT_REUSE),
            refused_leases: said(header::REFUSED_LEASES),
        };
        for (index, content) in self.contents.iter_mut().enumerate() {
            let slot = Slot(u16::try_from(index).unwrap_or(u16::MAX));
            let sequence = ring
                .record(slot)
                .map_or(0, |words| words[record::SEQUENCE].load(Relaxed));
            if sequence != 0 {
                *content = Content::Frame(Sequence(sequence));
            }
        }
    }

    /// Goes on with other memory; readers are told to ask for it.
    pub fn renew(&mut self, memory: StreamMemory, commits: bool) {
        self.set_state(RingState::Retired);
        self.contents = vec![Content::Nothing; memory.shape().slots];
        self.memory = memory;
        self.commits = commits;
        self.committed_slots = 0;
        self.put_counters();
    }

    /// A slot that a source will not fill any more is free again.
    pub fn forget_claims(&mut self) {
        for content in &mut self.contents {
            if *content == Content::Claimed {
                *content = Content::Nothing;
            }
        }
    }

    /// Says what became of the stream. The caller wakes.
    pub fn set_state(&self, state: RingState) {
        self.memory
            .view()
            .header(header::STATE)
            .store(state as u64, Release);
        lease::before_wake();
    }

    /// Makes a frame the newest. Returns whom to wake; a frame for memory that is no longer current
    /// is dropped.
    pub fn publish(&mut self, frame: &Frame, side: &[u8]) -> Option<Seats> {
        if frame.claimed.generation() != self.memory.shape().generation {
            return None;
        }
        let slot = frame.claimed.slot();
        self.newest = self.newest.next();
        let stamp = lease::Stamp {
            captured_ns: frame.captured_ns,
            published_ns: monotonic_ns(),
            source_clock: frame.filled.source_clock,
            clock_domain: frame.filled.clock_domain,
            flags: frame.filled.flags,
            used_bytes: frame.filled.used_bytes as u64,
            source_sequence: frame.number,
        };
        let newest = Newest {
            sequence: self.newest,
            slot,
        };
        lease::publish(&self.memory.view(), newest, &stamp, side);
        lease::before_wake();
        self.contents[slot.index()] = Content::Frame(self.newest);
        self.counters.published += 1;
        self.counters.dropped_no_slot += frame.no_slot;
        self.counters.dropped_by_source += frame.by_source;
        self.put_counters();
        Some(Arc::clone(&self.seats))
    }

    /// The lowest slot that nobody needs: few slots are touched as long as few are held.
    pub fn claim(&mut self) -> Option<Claimed> {
        let ring = self.memory.view();
        let generation = self.memory.shape().generation;
        let kept = u64::from(self.kept());
        let active = usize::try_from(self.slots_needed()).unwrap_or(usize::MAX);
        for index in 0..active.min(self.contents.len()) {
            let slot = Slot(u16::try_from(index).ok()?);
            match self.contents[index] {
                Content::Claimed => continue,
                Content::Frame(sequence) if self.newest.since(sequence) < kept => continue,
                Content::Frame(_) | Content::Nothing => {}
            }
            let held = || self.seats.iter().any(|seat| seat.holds(generation, slot));
            if lease::reclaim(&ring, slot, held) {
                self.contents[index] = Content::Claimed;
                return Some(self.memory.claimed(slot));
            }
            self.counters.held_at_reuse += 1;
        }
        None
    }

    fn put_counters(&self) {
        let ring = self.memory.view();
        for (at, value) in [
            (header::PUBLISHED, self.counters.published),
            (header::DROPPED_NO_SLOT, self.counters.dropped_no_slot),
            (header::DROPPED_BY_SOURCE, self.counters.dropped_by_source),
            (header::HELD_AT_REUSE, self.counters.held_at_reuse),
        ] {
            ring.header(at).store(value, Relaxed);
        }
    }

    /// Adds up what readers say they were refused.
    pub fn count_refused(&mut self) {
        let said = self
            .seats
            .iter()
            .map(|seat| seat.view().word(page::REFUSED).load(Relaxed));
        self.counters.refused_leases = said.fold(0, u64::saturating_add);
        self.memory
            .view()
            .header(header::REFUSED_LEASES)
            .store(self.counters.refused_leases, Relaxed);
    }

    fn kept(&self) -> u32 {
        self.seats
            .iter()
            .map(|seat| seat.terms.depth)
            .max()
            .unwrap_or(1)
            .max(1)
    }

    fn leases(&self) -> u32 {
        self.seats.iter().map(|seat| seat.terms.leases).sum()
    }

    /// How many slots the promises made to readers need, reason by reason.
    #[must_use]
    pub fn sum(&self) -> Vec<Term> {
        let term = |reason: &str, slots| Term {
            reason: reason.to_owned(),
            slots,
        };
        vec![
            term("being filled", FILLING),
            term("the newest frames", self.kept()),
            term("leases readers may hold", self.leases()),
        ]
    }

    /// The sum of [`Core::sum`].
    #[must_use]
    pub fn slots_needed(&self) -> u32 {
        FILLING + self.kept() + self.leases()
    }

    /// What the sum would be with one more reader.
    #[must_use]
    pub fn slots_needed_with(&self, terms: super::Terms) -> u32 {
        FILLING + self.kept().max(terms.depth) + self.leases() + terms.leases
    }

    /// Bytes of the pool that are needed and were not committed in advance yet.
    pub fn take_commit(&mut self) -> Option<Range<u64>> {
        let needed = self.slots_needed();
        if !self.commits || needed <= self.committed_slots {
            return None;
        }
        let slot_bytes = self.memory.shape().slot_bytes as u64;
        let from = u64::from(std::mem::replace(&mut self.committed_slots, needed));
        Some(from * slot_bytes..u64::from(needed) * slot_bytes)
    }

    /// From now on this reader's leases count.
    pub fn join(&mut self, seat: Arc<Seat>) {
        Arc::make_mut(&mut self.seats).push(seat);
    }

    /// From now on they do not.
    pub fn leave(&mut self, id: SubscriptionId) {
        Arc::make_mut(&mut self.seats).retain(|seat| seat.id != id);
    }

    /// Everybody who reads.
    #[must_use]
    pub fn seats(&self) -> Seats {
        Arc::clone(&self.seats)
    }

    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &StreamMemory {
        &self.memory
    }

    /// The newest frame.
    #[must_use]
    pub fn newest(&self) -> Sequence {
        self.newest
    }

    /// Its counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
