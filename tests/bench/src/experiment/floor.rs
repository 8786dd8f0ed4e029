//! The floor: what it costs to copy one frame, within one process.
//!
//! It owns nothing but two buffers. Whoever copies a frame pays this at least, once per copy.

use crate::clock::now_ns;
use crate::harness::picture::FRAME_BYTES;
use crate::samples::{Samples, Summary};
use std::hint::black_box;

const COPIES: usize = 300;

/// Copies a frame often and says how long one copy takes.
#[must_use]
pub fn memcpy() -> Summary {
    let from = vec![1_u8; FRAME_BYTES];
    let mut into = vec![0_u8; FRAME_BYTES];
    let durations: Samples = (0..COPIES)
        .map(|_| {
            let before = now_ns();
            into.copy_from_slice(black_box(&from));
            black_box(&mut into);
            now_ns() - before
        })
        .collect();
    durations.summary()
}
