//! A reader inside the broker: takes the newest frame of another stream, as clients do.
//!
//! Owns a seat at that stream for as long as it lives; holds a lease only while it copies a frame, and never
//! holds two.

use crate::stream::{Core, Seat, StreamMemory, lock};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use streamem_sys::futex;
use streamem_wire::lease::{self, Stamp};
use streamem_wire::{RingState, Sequence, header, page};

/// Longest sleep at a time, so that one nobody needs any more ends soon.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// How often a source that is faster is given in to before it is waited for.
const ROUNDS: usize = 8;

/// A frame, copied.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// Its bytes. A publisher could change those in the slot while they are looked at, so they are copied
    /// first; compressed they are few.
    pub(super) bytes: Vec<u8>,
    /// What the ring says of it.
    pub(super) stamp: Stamp,
    /// Its side-data.
    pub(super) side: Vec<u8>,
    /// Its number.
    pub(super) sequence: Sequence,
    /// Frames since the last one that were not taken.
    pub(super) passed_over: u64,
}

#[derive(Debug)]
pub(in crate::stream) struct Follower {
    core: Arc<Mutex<Core>>,
    memory: Arc<StreamMemory>,
    seat: Arc<Seat>,
    last: Arc<Last>,
}

/// The frame that was taken last, by a follower or one before it.
#[derive(Debug, Default)]
pub(in crate::stream) struct Last(AtomicU64);

impl Last {
    fn get(&self) -> Option<Sequence> {
        let sequence = Sequence(self.0.load(Relaxed));
        (sequence != Sequence::NONE).then_some(sequence)
    }

    fn set(&self, sequence: Sequence) {
        self.0.store(sequence.0, Relaxed);
    }
}

impl Follower {
    /// Takes this seat, which was admitted, and leaves it in the end. Goes on after the last frame.
    pub(in crate::stream) fn new(
        core: Arc<Mutex<Core>>,
        memory: Arc<StreamMemory>,
        seat: Arc<Seat>,
        last: Arc<Last>,
    ) -> Follower {
        lock(&core).join(Arc::clone(&seat));
        Follower {
            core,
            memory,
            seat,
            last,
        }
    }

    /// Where it sits.
    pub(super) fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }

    /// Whether frames can still come.
    pub(super) fn may_go_on(&self) -> bool {
        let state = self.memory.view().header(header::STATE).load(Acquire);
        let over = [RingState::Retired, RingState::Ended];
        over.iter().all(|over| state != *over as u64)
    }

    /// Takes the newest frame, unless it was taken before.
    pub(super) fn take(&self, packet: &mut Packet) -> bool {
        let (ring, page) = (self.memory.view(), self.seat.view());
        let place = &page.leases()[0];
        for _ in 0..ROUNDS {
            let Some(newest) = lease::newest(&ring) else {
                return false;
            };
            let last = self.last.get();
            if last == Some(newest.sequence) {
                return false;
            }
            if lease::lease(&ring, place, newest).is_err() {
                let refused = page.word(page::REFUSED);
                refused.store(refused.load(Relaxed) + 1, Relaxed);
                continue;
            }
            packet.stamp = lease::stamp(&ring, newest.slot);
            packet.side = lease::side_data(&ring, newest.slot);
            let slot_bytes = self.memory.shape().slot_bytes;
            let from = newest.slot.index() * slot_bytes;
            let used_bytes = usize::try_from(packet.stamp.used_bytes).unwrap_or(0);
            self.copy(from, used_bytes, &mut packet.bytes);
            lease::release(place);
            packet.passed_over =
                last.map_or(0, |last| newest.sequence.since(last).saturating_sub(1));
            packet.sequence = newest.sequence;
            self.last.set(newest.sequence);
            return true;
        }
        false
    }

    /// Word by word, since others may write there.
    fn copy(&self, from: usize, length: usize, into: &mut Vec<u8>) {
        into.clear();
        let Some(pool) = self.memory.pool.made() else {
            return;
        };
        let words = pool.map.words();
        let words = words.get(from / 8..(from + length).div_ceil(8));
        let words = words.unwrap_or_default();
        into.resize(words.len() * 8, 0);
        for (bytes, word) in into.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
        into.truncate(length);
    }

    /// Sleeps until there may be something new, unless `is_over`.
    pub(super) fn wait(&self, is_over: impl Fn() -> bool) {
        let (ring, page) = (self.memory.view(), self.seat.view());
        let expected = lease::announce_wait(&page);
        let newest = lease::newest(&ring).map(|newest| newest.sequence);
        let is_new = newest.is_some() && newest != self.last.get();
        if !is_new && self.may_go_on() && !is_over() {
            // Whatever ends the wait, the next thing is to look.
            let _woken = futex::wait(page.word(page::WAKE), expected, SLEEP_MAX);
        }
        lease::end_wait(&page);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        lock(&self.core).leave(self.seat.id);
    }
}
