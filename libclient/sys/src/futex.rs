//! Waiting on, and waking, a word in shared memory.
//!
//! Owns the cast from a 64-bit word to its low half, which is what the kernel looks at; never waits
//! without an end.
//!
//! # Safety
//!
//! The only unsafe operation is that cast. The half-word reference is handed to the kernel and read
//! by nobody else, so no two differently sized accesses are made from this program.
#![allow(unsafe_code)]

use rustix::io::Errno;
use rustix::thread::futex;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: the pointer is aligned for 8 bytes, valid for as long as `word` is, and on a
    // little-endian machine (checked by the wire crate) its first 4 bytes are the low half.
    unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody woke us, or the word was different already, or a signal came: look again.
    Look,
    /// The time is over.
    TimedOut,
}

/// Waits until the low half of `word` is no longer `expected` and somebody wakes, at most `time`.
pub fn wait(word: &AtomicU64, expected: u32, time: Duration) -> Result<Woken, Errno> {
    let limit = rustix::time::Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    match futex::wait(
        low_half(word),
        futex::Flags::empty(),
        expected,
        Some(&limit),
    ) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(Woken::Look),
        Err(Errno::TIMEDOUT) => Ok(Woken::TimedOut),
        Err(error) => Err(error),
    }
}

/// Wakes at most `count` of those who wait on the word.
pub fn wake(word: &AtomicU64, count: u32) -> Result<usize, Errno> {
    futex::wake(low_half(word), futex::Flags::empty(), count)
}
