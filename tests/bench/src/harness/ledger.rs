//! The ledger: one shared memory area in which the harness says what to do and every participant writes what it saw.
//!
//! It owns the layout, all of it little-endian u64 so that the Python peers can read it with nothing but
//! `memoryview.cast`. The harness alone writes the phase; a participant writes only to its own desk.
//!
//! # Safety
//!
//! `Ledger` is promised to bear concurrent change by other processes.
#![allow(unsafe_code)]

use crate::shared::Shareable;
use std::mem::offset_of;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The most consumers one run may have; desk 0 is the producer's.
pub const CONSUMERS_MAX: usize = 127;
/// The most samples a desk keeps of each kind.
pub const SAMPLES_MAX: usize = 4096;

/// What everybody should be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum Phase {
    /// Starting up and finding each other.
    Attach = 0,
    /// Frames flow, nothing is written down.
    Warm = 1,
    /// Frames flow and are written down.
    Measure = 2,
    /// Frames flow, nothing is written down; the harness looks at memory.
    Look = 3,
    /// Everybody ends.
    Stop = 4,
}

/// The whole area.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Ledger {
    phase: AtomicU64,
    /// Frames per second; 0 as fast as possible.
    pub rate: AtomicU64,
    /// How many consumers there are.
    pub consumers: AtomicU64,
    /// 1: consumers compare every byte of a frame.
    pub verify: AtomicU64,
    /// Desk number of the consumer that naps while it holds a frame; 0 nobody.
    pub napper: AtomicU64,
    /// One desk per participant.
    pub desks: [Desk; CONSUMERS_MAX + 1],
}

/// What one participant writes down.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Desk {
    /// 1: attached and working.
    pub ready: AtomicU64,
    /// Frames published or received while measuring.
    pub frames: AtomicU64,
    /// Frames that were published and never seen here (consumer), or that could not be published (producer).
    pub lost: AtomicU64,
    /// Frames whose bytes did not belong together.
    pub torn: AtomicU64,
    /// Frames that changed while they were held.
    pub changed: AtomicU64,
    /// Longest time between two frames.
    pub gap_ns: AtomicU64,
    /// How many naps were taken.
    pub naps: AtomicU64,
    /// From the first to the last measured frame.
    pub span_ns: AtomicU64,
    /// How far the sequence came from the first to the last measured frame.
    pub passed: AtomicU64,
    /// Producer: duration of publish calls. Consumer: from just before the publish call until the frame is held.
    pub first: Column,
    /// Consumer: from the end of the wait until the frame is held, where a peer can tell.
    pub second: Column,
}

/// Samples of one kind.
#[repr(C)]
#[derive(Debug)]
pub struct Column {
    count: AtomicU64,
    values: [AtomicU64; SAMPLES_MAX],
}

// The Python peers count on these places.
const _: () = assert!(offset_of!(Ledger, desks) == 4096);
const _: () = assert!(size_of::<Desk>() == 69_632);
const _: () = assert!(offset_of!(Desk, first) == 72);
const _: () = assert!(size_of::<Column>() == 8 + 8 * SAMPLES_MAX);

// SAFETY: made of atomics only, zero is the initial state.
unsafe impl Shareable for Ledger {}

impl Ledger {
    /// What to do now.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Acquire) {
            0 => Phase::Attach,
            1 => Phase::Warm,
            2 => Phase::Measure,
            3 => Phase::Look,
            _ => Phase::Stop,
        }
    }

    /// Says what to do.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u64, Release);
    }

    /// The producer's desk.
    pub fn producer(&self) -> &Desk {
        &self.desks[0]
    }

    /// The desks of the consumers that take part.
    pub fn consumers(&self) -> &[Desk] {
        &self.desks[1..=self.consumers.load(Acquire) as usize]
    }
}

impl Column {
    /// Adds a sample; once full, further samples are dropped.
    pub fn push(&self, value: u64) {
        let count = self.count.load(Relaxed);
        if let Some(place) = self.values.get(count as usize) {
            place.store(value, Relaxed);
            self.count.store(count + 1, Release);
        }
    }

    /// All samples so far.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let count = (self.count.load(Acquire) as usize).min(SAMPLES_MAX);
        self.values[..count].iter().map(|value| value.load(Relaxed))
    }
}
