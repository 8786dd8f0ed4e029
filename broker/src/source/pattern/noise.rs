//! Random bytes, many at a time.
//!
//! Owns the state of the generator, which is for pictures and sound; never a source of secrets.

use std::hash::{BuildHasher, RandomState};

const LANES: usize = 8;

/// Eight xorshift generators side by side, which a compiler turns into vector instructions.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    lanes: [u64; LANES],
}

impl Noise {
    /// A generator that begins somewhere else each time.
    pub(super) fn new() -> Noise {
        let seeds = RandomState::new();
        Noise {
            lanes: std::array::from_fn(|lane| seeds.hash_one(lane) | 1),
        }
    }

    fn step(&mut self) {
        for lane in &mut self.lanes {
            *lane ^= *lane << 13;
            *lane ^= *lane >> 7;
            *lane ^= *lane << 17;
        }
    }

    /// Fills `bytes` anew; of each 8 bytes only the bits in `keep` are random, those in `set` are
    /// one.
    pub(super) fn fill(&mut self, bytes: &mut [u8], keep: u64, set: u64) {
        let mut blocks = bytes.chunks_exact_mut(LANES * 8);
        for block in &mut blocks {
            self.step();
            for (word, lane) in block.chunks_exact_mut(8).zip(&self.lanes) {
                word.copy_from_slice(&(lane & keep | set).to_le_bytes());
            }
        }
        self.step();
        for (word, lane) in blocks.into_remainder().chunks_mut(8).zip(&self.lanes) {
            let fresh = (lane & keep | set).to_le_bytes();
            word.copy_from_slice(&fresh[..word.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_takes_many_values() {
        let mut noise = Noise::new();
        let mut seen = [[false; 256]; 75];
        let mut bytes = [0; 75];
        for _ in 0..2000 {
            noise.fill(&mut bytes, u64::MAX, 0);
            for (seen, byte) in seen.iter_mut().zip(bytes) {
                seen[usize::from(byte)] = true;
            }
        }
        for (place, seen) in seen.iter().enumerate() {
            let values = seen.iter().filter(|seen| **seen).count();
            assert!(values > 240, "byte {place} took {values} values");
        }
    }

    #[test]
    fn masked_bits_stay_as_they_are_told() {
        let mut bytes = [0; 100];
        Noise::new().fill(&mut bytes, 0x00ff_00ff_00ff_00ff, 0x8000_8000_8000_8000);
        assert!(bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0x80));
    }
}
