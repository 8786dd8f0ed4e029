//! The page all processes of the experiment share: the head, the words, and what each consumer measured.
//!
//! It owns the layout and never a policy. All fields are atomics.
//!
//! # Safety
//!
//! `Board` is promised to bear concurrent change by other processes.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, AtomicU64};
use streamem_bench::shared::Shareable;

/// The most consumers a run may have.
pub const CONSUMERS_MAX: usize = 128;
/// The most samples one consumer keeps.
pub const SAMPLES_MAX: usize = 4096;
/// How many publish times are kept.
pub const STAMPS: usize = 64;

/// The shared memory of one run.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Board {
    /// Sequence of the newest frame.
    pub head: AtomicU64,
    /// The word all consumers wait on, where the strategy has one.
    pub word: AtomicU32,
    /// How many consumers are attached.
    pub ready: AtomicU32,
    /// 1: the run is over.
    pub stop: AtomicU32,
    /// The CPU that the producer published from last.
    pub producer_cpu: AtomicU32,
    /// Frames up to here are warm-up.
    pub measure_from: AtomicU64,
    /// When frame `sequence % STAMPS` was about to be published.
    pub stamps: [AtomicU64; STAMPS],
    /// One page (and some) per consumer.
    pub desks: [Desk; CONSUMERS_MAX],
}

/// What belongs to one consumer.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Desk {
    /// The word this consumer waits on, where the strategy has one each.
    pub word: AtomicU32,
    /// How many samples are filled in.
    pub count: AtomicU32,
    /// How many of them were taken on the producer's CPU.
    pub beside: AtomicU32,
    /// Frames it never saw.
    pub lost: AtomicU64,
    /// CPU time it used since the end of the warm-up.
    pub cpu_ns: AtomicU64,
    /// From just before the publish call until this consumer has read the head.
    pub latency_ns: [AtomicU32; SAMPLES_MAX],
}

// SAFETY: made of atomics only, zero is the initial state.
unsafe impl Shareable for Board {}
