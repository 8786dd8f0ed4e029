//! The ring of the two references: eight slots in one memfd, a control page, a hazard-pointer lease per consumer.
//!
//! It owns slots and leases and never wakes anybody: that is what the references differ in. It is as small as a
//! correct ring can be (no generations, no history, every participant trusted), which makes it the floor.
//!
//! # Safety
//!
//! Slices into memory that another process writes exist only under the lease protocol.
#![allow(unsafe_code)]

use crate::harness::ledger::CONSUMERS_MAX;
use crate::harness::picture::{FRAME_BYTES, read_stamp};
use crate::peer::Held;
use crate::shared::{Shareable, Shared};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

/// How many frames the ring holds.
pub const SLOTS: usize = 8;
const SLOT_BITS: u32 = 8;

/// What producer and consumers share beside the pixels.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Control {
    /// `sequence << 8 | slot` of the newest frame.
    head: AtomicU64,
    /// Changes with every publish; consumers of the futex reference wait here.
    pub word: AtomicU32,
    /// What each slot holds, 0 while it is written.
    sequences: [AtomicU64; SLOTS],
    /// `slot + 1` that each consumer holds, 0 none.
    leases: [Lease; CONSUMERS_MAX],
}

#[repr(C, align(64))]
#[derive(Debug)]
struct Lease(AtomicU64);

// SAFETY: made of atomics only, zero is the initial state.
unsafe impl Shareable for Control {}

/// One end of the ring.
#[derive(Debug)]
pub struct Ring {
    control: Shared,
    pixels: Shared,
}

impl Ring {
    /// A new ring with all pages touched.
    pub fn create() -> io::Result<Self> {
        let mut pixels = Shared::create("reference-pixels", FRAME_BYTES * SLOTS)?;
        pixels.bytes_mut().fill(0);
        Ok(Self {
            control: Shared::create("reference-control", size_of::<Control>())?,
            pixels,
        })
    }

    /// Joins the ring behind these descriptors.
    pub fn join(control: OwnedFd, pixels: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            control: Shared::map(control)?,
            pixels: Shared::map_read_only(pixels)?,
        })
    }

    /// The two descriptors, in the order [`Ring::join`] takes them.
    pub fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.control.as_fd(), self.pixels.as_fd()]
    }

    /// The control page.
    pub fn control(&self) -> &Control {
        self.control.view()
    }

    /// Finds a slot that nobody holds and that is not the newest; `None` when there is none.
    pub fn claim(&self) -> Option<usize> {
        let control = self.control();
        let newest = slot_of(control.head.load(Relaxed));
        (1..SLOTS)
            .map(|step| (newest + step) % SLOTS)
            .find(|&slot| {
                let before = control.sequences[slot].swap(0, Relaxed);
                fence(SeqCst);
                let held = control
                    .leases
                    .iter()
                    .any(|lease| lease.0.load(Relaxed) == slot as u64 + 1);
                if held {
                    control.sequences[slot].store(before, Release);
                }
                !held
            })
    }

    /// The pixels of a claimed slot.
    pub fn slot_mut(&mut self, slot: usize) -> &mut [u8] {
        &mut self.pixels.bytes_mut()[slot * FRAME_BYTES..(slot + 1) * FRAME_BYTES]
    }

    /// Makes the slot the newest frame; the wake word changes with it.
    pub fn publish(&self, slot: usize, sequence: u64) {
        let control = self.control();
        control.sequences[slot].store(sequence, Release);
        control
            .head
            .store(sequence << SLOT_BITS | slot as u64, Release);
        control.word.fetch_add(1, SeqCst);
    }

    /// Takes the newest frame if it is newer than `seen`, shows it to `look` under a lease, and returns its sequence.
    pub fn take(
        &self,
        consumer: usize,
        seen: u64,
        awake_ns: u64,
        look: &mut dyn FnMut(&Held<'_>),
    ) -> Option<u64> {
        let control = self.control();
        let lease = &control.leases[consumer].0;
        loop {
            let head = control.head.load(Acquire);
            let (sequence, slot) = (head >> SLOT_BITS, slot_of(head));
            if sequence <= seen {
                return None;
            }
            lease.store(slot as u64 + 1, Relaxed);
            fence(SeqCst);
            if control.sequences[slot].load(Acquire) == sequence {
                // SAFETY: the lease stands and the slot's sequence was confirmed after it, so the producer keeps off.
                let bytes = unsafe { self.pixels.stable(slot * FRAME_BYTES, FRAME_BYTES) };
                let published_ns = read_stamp(bytes)?.published_ns;
                look(&Held {
                    bytes,
                    sequence,
                    published_ns,
                    awake_ns: Some(awake_ns),
                });
                lease.store(0, Release);
                return Some(sequence);
            }
            lease.store(0, Release);
        }
    }
}

fn slot_of(head: u64) -> usize {
    (head & ((1 << SLOT_BITS) - 1)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::picture::{self, Checker, Painter, Stamp};

    fn publish(ring: &mut Ring, sequence: u64) -> usize {
        let slot = ring.claim().expect("a slot is free");
        Painter::new()
            .expect("a painter")
            .fill(ring.slot_mut(slot), sequence);
        picture::stamp(
            ring.slot_mut(slot),
            Stamp {
                sequence,
                published_ns: 1,
            },
        );
        ring.publish(slot, sequence);
        slot
    }

    #[test]
    fn a_held_slot_is_never_claimed() {
        let mut ring = Ring::create().expect("a memfd");
        let held_slot = publish(&mut ring, 1);
        let consumer = Ring::join(
            ring.control
                .as_fd()
                .try_clone_to_owned()
                .expect("a descriptor"),
            ring.pixels
                .as_fd()
                .try_clone_to_owned()
                .expect("a descriptor"),
        )
        .expect("a second mapping");
        let mut claimed = Vec::new();
        let mut checker = Checker::new().expect("a checker");
        let mut whole = false;
        let taken = consumer.take(0, 0, 0, &mut |held| {
            claimed = (2..40)
                .map(|sequence| publish(&mut ring, sequence))
                .collect();
            whole = checker.is_whole(held.bytes, held.sequence);
        });
        assert_eq!((taken, whole), (Some(1), true));
        assert!(!claimed.contains(&held_slot));
    }
}
