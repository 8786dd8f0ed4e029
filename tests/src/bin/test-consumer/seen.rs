//! What became visible in the frames, as counts.
//!
//! Owns the counting; never keeps a frame.

use serde_json::{Value, json};
use streamem::Frame;
use streamemd::source::pattern::bars;

/// A frame with what its bytes were when it was taken.
#[derive(Debug)]
pub struct Looked {
    frame: Frame,
    digest: u64,
}

/// What was seen so far.
#[derive(Debug)]
pub struct Seen {
    is_bars: bool,
    frames: u64,
    missed: u64,
    first: u64,
    last: u64,
    backwards: u64,
    miscounted: u64,
    torn: u64,
    changed: u64,
    looked_twice: u64,
    timeless: u64,
    address: u64,
}

impl Seen {
    /// Nothing yet; `is_bars` says that every byte can be foretold.
    pub fn new(is_bars: bool) -> Seen {
        Seen {
            is_bars,
            frames: 0,
            missed: 0,
            first: 0,
            last: 0,
            backwards: 0,
            miscounted: 0,
            torn: 0,
            changed: 0,
            looked_twice: 0,
            timeless: 0,
            address: 0,
        }
    }

    /// Looks at a frame that was just taken, and keeps what its bytes were.
    pub fn first_look(&mut self, frame: Frame) -> Looked {
        let sequence = frame.sequence();
        if self.frames == 0 {
            self.first = sequence;
        } else {
            let skipped = sequence.saturating_sub(self.last).saturating_sub(1);
            self.backwards += u64::from(sequence <= self.last);
            self.miscounted += u64::from(skipped != frame.missed());
            self.missed += skipped;
        }
        self.frames += 1;
        self.last = sequence;
        let now = streamem_sys::clock::monotonic_ns();
        let in_order = 0 < frame.captured_ns()
            && frame.captured_ns() <= frame.published_ns()
            && frame.published_ns() <= now;
        self.timeless += u64::from(!in_order);
        self.address = frame.bytes().as_ptr() as u64;
        self.torn += u64::from(self.is_torn(&frame));
        let digest = digest(frame.bytes());
        Looked { frame, digest }
    }

    /// Looks at it again, right before it is given back.
    pub fn second_look(&mut self, looked: &Looked) {
        let Looked {
            frame,
            digest: before,
        } = looked;
        self.looked_twice += 1;
        self.changed += u64::from(*before != digest(frame.bytes()));
        self.torn += u64::from(self.is_torn(frame));
    }

    /// Frames whose bytes changed between the two looks.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Everything as numbers.
    pub fn report(&self) -> Value {
        json!({
            "frames": self.frames,
            "missed": self.missed,
            "first": self.first,
            "last": self.last,
            "backwards": self.backwards,
            "miscounted": self.miscounted,
            "torn": self.torn,
            "changed": self.changed,
            "looked_twice": self.looked_twice,
            "timeless": self.timeless,
            "address": self.address,
        })
    }

    fn is_torn(&self, frame: &Frame) -> bool {
        self.is_bars && bars::check(frame.layout(), frame.bytes()).is_err()
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(0xcbf2_9ce4_8422_2325, |digest, word| {
        (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
