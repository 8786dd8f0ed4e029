//! What one line says of a frame.
//!
//! Owns the words shared by `watch` and `view`; never touches the bytes.

use serde::Serialize;
use streamem::Frame;

/// A frame in a line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrameLine {
    /// Its number.
    pub sequence: u64,
    /// The source's own number.
    pub source_sequence: u64,
    /// When it was captured, CLOCK_MONOTONIC.
    pub captured_ns: u64,
    /// When it was published.
    pub published_ns: u64,
    /// How old it was when it was seen here.
    pub age_ns: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// Frames between the one before and this one.
    pub missed: u64,
    /// What the source says of it.
    pub flags: u32,
}

impl FrameLine {
    /// Of this frame, now.
    pub fn of(frame: &Frame) -> FrameLine {
        FrameLine {
            sequence: frame.sequence(),
            source_sequence: frame.source_sequence(),
            captured_ns: frame.captured_ns(),
            published_ns: frame.published_ns(),
            age_ns: u64::try_from(frame.age().as_nanos()).unwrap_or(u64::MAX),
            bytes: frame.bytes().len() as u64,
            missed: frame.missed(),
            flags: frame.flags(),
        }
    }
}
