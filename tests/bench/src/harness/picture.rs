//! The test picture with a stamp: the first bytes carry sequence and publish time.
//!
//! It owns how a frame is filled and checked, the same for every peer that is not a script.

use std::io;
use streamemd::source::{self, Pattern};

/// 1920 x 1080 rgb24.
pub const FRAME_BYTES: usize = 6_220_800;
/// How many bytes the stamp takes at the start of a frame.
pub const STAMP_BYTES: usize = 64;

/// What the first bytes of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Counts up from 1.
    pub sequence: u64,
    /// CLOCK_MONOTONIC just before the publish call.
    pub published_ns: u64,
}

/// Paints frames: the broker's own test picture, so that every producer writes the same bytes at the same cost.
#[derive(Debug)]
pub struct Painter {
    pattern: Box<dyn Pattern>,
    side: Vec<u8>,
}

impl Painter {
    /// A painter of 1080p rgb24.
    pub fn new() -> io::Result<Self> {
        let uri = "pattern://bars?size=1920x1080&format=rgb24"
            .parse()
            .map_err(io::Error::other)?;
        let pattern = source::pattern::open(&uri).map_err(io::Error::other)?;
        Ok(Self {
            pattern,
            side: Vec::new(),
        })
    }

    /// Writes all pixels.
    pub fn fill(&mut self, frame: &mut [u8], sequence: u64) {
        self.side.clear();
        self.pattern.fill(frame, sequence, sequence, &mut self.side);
    }
}

/// Paints frames once more to compare them with those that came.
#[derive(Debug)]
pub struct Checker {
    painter: Painter,
    expected: Vec<u8>,
}

impl Checker {
    /// A checker of 1080p rgb24.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            painter: Painter::new()?,
            expected: vec![0; FRAME_BYTES],
        })
    }

    /// Whether all pixels (everything but the stamp) belong to the frame of that sequence.
    pub fn is_whole(&mut self, frame: &[u8], sequence: u64) -> bool {
        self.painter.fill(&mut self.expected, sequence);
        frame.get(STAMP_BYTES..) == self.expected.get(STAMP_BYTES..)
    }
}

/// Writes the stamp.
pub fn stamp(frame: &mut [u8], stamp: Stamp) {
    frame[..8].copy_from_slice(&stamp.sequence.to_le_bytes());
    frame[8..16].copy_from_slice(&stamp.published_ns.to_le_bytes());
}

/// Reads the stamp; `None` when the frame is too short to have one.
#[must_use]
pub fn read_stamp(frame: &[u8]) -> Option<Stamp> {
    let (sequence, rest) = frame.split_first_chunk::<8>()?;
    let (published, _) = rest.split_first_chunk::<8>()?;
    Some(Stamp {
        sequence: u64::from_le_bytes(*sequence),
        published_ns: u64::from_le_bytes(*published),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_foreign_byte_is_seen() {
        let mut frame = vec![0; FRAME_BYTES];
        Painter::new().expect("a painter").fill(&mut frame, 7);
        let mut checker = Checker::new().expect("a checker");
        assert!(checker.is_whole(&frame, 7));
        assert!(!checker.is_whole(&frame, 8));
        frame[STAMP_BYTES + 9_000] ^= 1;
        assert!(!checker.is_whole(&frame, 7));
    }

    #[test]
    fn a_stamp_comes_back() {
        let mut frame = [0; STAMP_BYTES];
        let written = Stamp {
            sequence: 3,
            published_ns: 4,
        };
        stamp(&mut frame, written);
        assert_eq!(read_stamp(&frame), Some(written));
        assert_eq!(read_stamp(&frame[..9]), None);
    }
}
