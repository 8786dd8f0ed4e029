//! The part of a stream its source's thread and the loop share: memory, slot table, seats.
//!
//! Owns who gets which slot when; never waits for a reader. It is locked for a few hundred
//! nanoseconds at a time, and never while somebody is woken.

use super::figures::Figures;
use super::memory::StreamMemory;
use super::seat::{Seat, Seats};
use crate::pool::Claimed;
use crate::source::Filled;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::Counters;
use streamem_wire::{
    Generation, Newest, RingState, Sequence, Slot, SubscriptionId, header, lease, page, record,
};

/// Slots a source has in hand that makes one frame after the other.
pub const ONE_IN_HAND: u32 = 1;

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Claimed,
    Frame(Sequence),
}

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
    /// Frames before it the source lost.
    pub by_source: u64,
}

/// The shared part.
#[derive(Debug)]
pub struct Core {
    memory: Arc<StreamMemory>,
    contents: Vec<Content>,
    source: u64,
    in_hand: u32,
    newest: Sequence,
    seats: Seats,
    counters: Counters,
    commits: bool,
    committed_slots: u32,
    refused_by_leavers: u64,
}

impl Core {
    /// A stream's shared part; goes on with what a former broker left in the ring.
    #[must_use]
    pub fn new(memory: StreamMemory, commits: bool) -> Core {
        let mut core = Core {
            contents: vec![Content::Nothing; memory.shape().slots],
            memory: Arc::new(memory),
            source: 0,
            in_hand: ONE_IN_HAND,
            newest: Sequence::NONE,
            seats: Seats::default(),
            counters: Counters::default(),
            commits,
            committed_slots: 0,
            refused_by_leavers: 0,
        };
        core.read_back();
        core
    }

    fn read_back(&mut self) {
        let ring = self.memory.view();
        let said = |at: usize| ring.header(at).load(Relaxed);
        // A ring that was renewed has no frame yet, but the numbers go on.
        let head = lease::newest(&ring).map_or(Sequence::NONE, |newest| newest.sequence);
        self.newest = head.max(Sequence(said(header::PUBLISHED)));
        self.counters = Counters {
            published: said(header::PUBLISHED),
            dropped_no_slot: said(header::DROPPED_NO_SLOT),
            dropped_by_source: said(header::DROPPED_BY_SOURCE),
            held_at_reuse: said(header::HELD_AT_REUSE),
            refused_leases: said(header::REFUSED_LEASES),
        };
        self.refused_by_leavers = self.counters.refused_leases;
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

    /// Goes on with other memory, which no source fills before it begins; readers are told to ask for it.
    pub fn renew(&mut self, memory: StreamMemory, commits: bool) {
        self.set_state(RingState::Retired);
        self.source = 0;
        self.contents = vec![Content::Nothing; memory.shape().slots];
        self.memory = Arc::new(memory);
        self.commits = commits;
        self.committed_slots = 0;
        self.put_readers();
        self.put_counters();
    }

    /// From now on this source fills it, with so many slots in hand, and no other: what one before it
    /// still has in hand is neither taken back nor published.
    pub fn begin(&mut self, source: u64, in_hand: u32) {
        self.source = source;
        self.in_hand = in_hand;
        for content in &mut self.contents {
            if *content == Content::Claimed {
                *content = Content::Nothing;
            }
        }
    }

    /// Slots its source has in hand.
    #[must_use]
    pub fn in_hand(&self) -> u32 {
        self.in_hand
    }

    /// Says what became of the stream. The caller wakes.
    pub fn set_state(&self, state: RingState) {
        self.memory
            .view()
            .header(header::STATE)
            .store(state as u64, Release);
        lease::before_wake();
    }

    /// Makes a frame the newest. Returns whom to wake; a frame for memory, or of a source, that is no
    /// longer current is dropped.
    pub fn publish(&mut self, source: u64, frame: &Frame, side: &[u8]) -> Option<Seats> {
        if source != self.source || frame.claimed.generation() != self.memory.shape().generation {
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
        self.counters.dropped_by_source += frame.by_source;
        self.put_counters();
        Some(self.seats.clone())
    }

    /// The lowest slot that nobody needs: few slots are touched as long as few are held.
    pub fn claim(&mut self, source: u64) -> Option<Claimed> {
        if source != self.source {
            return None;
        }
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

    /// A frame was not made because no slot was there.
    pub fn drop_frame(&mut self, source: u64) {
        if source == self.source {
            self.counters.dropped_no_slot += 1;
            self.put_counters();
        }
    }

    /// The source lost frames, and no frame comes with which it could be said.
    pub fn lose_frames(&mut self, source: u64, lost: u64) {
        if source == self.source {
            self.counters.dropped_by_source += lost;
            self.put_counters();
        }
    }

    /// Takes every frame back, since whoever comes next would be given an old one for a new one. Nobody
    /// reads it, and no source fills it.
    pub fn withdraw(&mut self) {
        let ring = self.memory.view();
        lease::withdraw(&ring);
        for (index, content) in self.contents.iter_mut().enumerate() {
            let slot = Slot(u16::try_from(index).unwrap_or(u16::MAX));
            if *content != Content::Nothing && lease::reclaim(&ring, slot, || false) {
                *content = Content::Nothing;
            }
        }
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

    fn put_readers(&self) {
        // A broker that takes over from this one decodes anew, and finds no page of ours.
        let readers = self.seats.iter().filter(|seat| !seat.is_ours).count();
        self.memory
            .view()
            .header(header::READERS)
            .store(readers as u64, Relaxed);
    }

    /// What a description needs, at one moment: it is made of it after the lock is given back.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            memory: Arc::clone(&self.memory),
            newest: self.newest,
            counters: self.counters,
            filling: self.in_hand,
            kept: self.kept(),
            leases: self.leases(),
            decoding: self.leases_of(|seat| seat.is_ours),
            refused_by_leavers: self.refused_by_leavers,
            seats: self.seats.clone(),
        }
    }

    /// Says what readers were refused, as [`Figures`] add it up.
    pub fn put_refused(&mut self, refused: u64) {
        self.counters.refused_leases = refused;
        let ring = self.memory.view();
        ring.header(header::REFUSED_LEASES).store(refused, Relaxed);
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
        self.leases_of(|_| true)
    }

    fn leases_of(&self, is_meant: impl Fn(&Seat) -> bool) -> u32 {
        let meant = self.seats.iter().filter(|seat| is_meant(seat));
        meant.map(|seat| seat.terms.leases).sum()
    }

    /// How many slots the promises made to readers need.
    #[must_use]
    pub fn slots_needed(&self) -> u32 {
        self.in_hand + self.kept() + self.leases()
    }

    /// What the sum would be with one more reader.
    #[must_use]
    pub fn slots_needed_with(&self, terms: super::Terms) -> u32 {
        self.in_hand + self.kept().max(terms.depth) + self.leases() + terms.leases
    }

    /// The next slot of the pool that is needed and was not committed in advance yet. One at a time,
    /// so that a frame is never late because of many.
    #[must_use]
    pub fn next_commit(&self) -> Option<Range<u64>> {
        if !self.commits || self.committed_slots >= self.slots_needed() {
            return None;
        }
        let slot_bytes = self.memory.shape().slot_bytes as u64;
        let from = u64::from(self.committed_slots) * slot_bytes;
        Some(from..from + slot_bytes)
    }

    /// What the sum would be with another source.
    #[must_use]
    pub fn slots_needed_by(&self, in_hand: u32) -> u32 {
        in_hand + self.kept() + self.leases()
    }

    /// The slot of [`Core::next_commit`] is committed, unless the memory is another by now.
    pub fn committed(&mut self, generation: Generation) {
        if generation == self.memory.shape().generation {
            self.committed_slots += 1;
        }
    }

    /// From now on this reader's leases count.
    pub fn join(&mut self, seat: Arc<Seat>) {
        self.seats.push(seat);
        self.put_readers();
    }

    /// From now on they do not.
    pub fn leave(&mut self, id: SubscriptionId) {
        let leavers = self.seats.iter().filter(|seat| seat.id == id);
        self.refused_by_leavers += leavers.map(|seat| refused(seat)).sum::<u64>();
        self.seats.remove(id);
        self.put_readers();
    }

    /// The newest frame.
    #[must_use]
    pub fn newest(&self) -> Sequence {
        self.newest
    }

    /// Everybody who reads.
    #[must_use]
    pub fn seats(&self) -> Seats {
        self.seats.clone()
    }

    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<StreamMemory> {
        &self.memory
    }
}

/// What a reader says it was refused; no reader can make a number of it that hides those of others.
pub(super) fn refused(seat: &Seat) -> u64 {
    seat.view()
        .word(page::REFUSED)
        .load(Relaxed)
        .min(u64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
