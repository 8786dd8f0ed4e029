//! `pattern://rand`: a picture of new random pixels every time.
//!
//! Owns which bits of a format may be random; never makes the same picture twice on purpose.

use super::noise::Noise;
use super::{Filled, Pattern, options};
use crate::source::uri::{BadSource, SourceUri};
use std::time::Duration;
use streamem_wire::{Format, Layout, clock};

/// A camera that sees noise.
#[derive(Debug)]
pub(super) struct Rand {
    layout: Layout,
    period: Duration,
    noise: Noise,
    keep: u64,
    set: u64,
}

impl Rand {
    pub(super) fn open(uri: &SourceUri) -> Result<Rand, BadSource> {
        let (layout, period) = options::picture(uri)?;
        let (keep, set) = match layout.format {
            Format::Rgba | Format::Bgra => (u64::MAX, 0xff00_0000_ff00_0000),
            Format::P010 => (0xffc0_ffc0_ffc0_ffc0, 0),
            _ => (u64::MAX, 0),
        };
        Ok(Rand {
            layout,
            period,
            noise: Noise::new(),
            keep,
            set,
        })
    }
}

impl Pattern for Rand {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn fill(&mut self, slot: &mut [u8], _: u64, made_ns: u64, _: &mut Vec<u8>) -> Filled {
        self.noise.fill(slot, self.keep, self.set);
        Filled {
            used_bytes: slot.len(),
            source_clock: made_ns,
            clock_domain: clock::MONOTONIC,
            flags: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(text: &str) -> Vec<u8> {
        let mut rand = Rand::open(&text.parse().unwrap()).unwrap();
        let mut slot = vec![0; usize::try_from(rand.layout.bytes).unwrap()];
        rand.fill(&mut slot, 1, 1, &mut Vec::new());
        slot
    }

    #[test]
    fn pixels_are_opaque() {
        let pixels = picture("pattern://rand?size=33x5&format=bgra");
        assert!(pixels.iter().skip(3).step_by(4).all(|alpha| *alpha == 255));
    }

    #[test]
    fn ten_bit_samples_leave_the_low_six_bits_alone() {
        let samples = picture("pattern://rand?size=34x6&format=p010");
        assert!(samples.iter().step_by(2).all(|low| low & 0x3f == 0));
    }
}
