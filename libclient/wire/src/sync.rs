//! Where the atomics come from: the standard library, or loom when the protocol is being model-checked.
//!
//! Owns that one switch; never wraps anything.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, fence};

pub(crate) use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
