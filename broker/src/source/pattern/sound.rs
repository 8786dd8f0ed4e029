//! `pattern://sine` and `pattern://randmic`: blocks of sound, one row for each channel.
//!
//! Owns the samples; the clock is the index of a block's first sample, never a time.

use super::noise::Noise;
use super::options::{self, Sound};
use super::{Filled, Pattern};
use crate::source::uri::{BadSource, SourceUri};
use std::f64::consts::TAU;
use std::time::Duration;
use streamem_wire::{Format, Layout, clock};

const AMPLITUDE: f64 = 0.5;

impl Sound {
    fn first_sample(&self, number: u64) -> u64 {
        number.wrapping_mul(u64::from(self.samples))
    }

    fn filled(&self, used_bytes: usize, number: u64) -> Filled {
        Filled {
            used_bytes,
            source_clock: self.first_sample(number),
            clock_domain: clock::SAMPLES,
            flags: 0,
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the level is within -1..1, and a float cast saturates"
)]
fn write_sample(format: Format, bytes: &mut [u8], level: f64) {
    match format {
        Format::S16 => {
            let sample = (level * f64::from(i16::MAX)).round() as i16;
            bytes.copy_from_slice(&sample.to_le_bytes());
        }
        _ => bytes.copy_from_slice(&(level as f32).to_le_bytes()),
    }
}

/// A tone without a break between blocks; each channel is a quarter turn behind the one before.
#[derive(Debug)]
pub(super) struct Sine {
    sound: Sound,
}

impl Sine {
    pub(super) fn open(uri: &SourceUri) -> Result<Sine, BadSource> {
        let sound = options::sound(uri, true)?;
        Ok(Sine { sound })
    }
}

impl Pattern for Sine {
    fn layout(&self) -> &Layout {
        &self.sound.layout
    }

    fn period(&self) -> Duration {
        self.sound.period
    }

    fn fill(&mut self, slot: &mut [u8], number: u64, _: u64, _: &mut Vec<u8>) -> Filled {
        let format = self.sound.layout.format;
        let turns_per_sample = self.sound.freq / f64::from(self.sound.sample_rate);
        let turns_before = (self.sound.first_sample(number) as f64 * turns_per_sample).fract();
        let row_bytes = self.sound.samples as usize * format.element_bytes();
        let mut channel_turns = 0.0;
        for row in slot.chunks_exact_mut(row_bytes) {
            let mut samples = 0.0;
            for sample in row.chunks_exact_mut(format.element_bytes()) {
                let turns = turns_before + channel_turns + samples * turns_per_sample;
                write_sample(format, sample, AMPLITUDE * (turns * TAU).sin());
                samples += 1.0;
            }
            channel_turns -= 0.25;
        }
        self.sound.filled(slot.len(), number)
    }
}

/// A microphone that hears noise.
#[derive(Debug)]
pub(super) struct RandMic {
    sound: Sound,
    noise: Noise,
}

impl RandMic {
    pub(super) fn open(uri: &SourceUri) -> Result<RandMic, BadSource> {
        Ok(RandMic {
            sound: options::sound(uri, false)?,
            noise: Noise::new(),
        })
    }
}

impl Pattern for RandMic {
    fn layout(&self) -> &Layout {
        &self.sound.layout
    }

    fn period(&self) -> Duration {
        self.sound.period
    }

    fn fill(&mut self, slot: &mut [u8], number: u64, _: u64, _: &mut Vec<u8>) -> Filled {
        if self.sound.layout.format == Format::F32 {
            // 23 random bits below the exponent of 2 are a number from 2 to 4.
            self.noise
                .fill(slot, 0x007f_ffff_007f_ffff, 0x4000_0000_4000_0000);
            for bytes in slot.as_chunks_mut::<4>().0 {
                *bytes = (f32::from_le_bytes(*bytes) - 3.0).to_le_bytes();
            }
        } else {
            self.noise.fill(slot, u64::MAX, 0);
        }
        self.sound.filled(slot.len(), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(pattern: &mut dyn Pattern, number: u64) -> Vec<f32> {
        let mut slot = vec![0; usize::try_from(pattern.layout().bytes).unwrap()];
        pattern.fill(&mut slot, number, 0, &mut Vec::new());
        let float = pattern.layout().format == Format::F32;
        if float {
            let samples = slot.as_chunks::<4>().0.iter();
            samples.map(|bytes| f32::from_le_bytes(*bytes)).collect()
        } else {
            let samples = slot.as_chunks::<2>().0.iter();
            samples
                .map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32767.0)
                .collect()
        }
    }

    #[test]
    fn the_tone_goes_on_across_blocks_in_both_formats() {
        for format in ["f32", "s16"] {
            let text = format!("pattern://sine?samples=100&freq=997&channels=2&format={format}");
            let mut sine = Sine::open(&text.parse().unwrap()).unwrap();
            let mut left = Vec::new();
            for number in 7..10 {
                left.extend_from_slice(&block(&mut sine, number)[..100]);
            }
            for (index, sample) in left.iter().enumerate() {
                let turns = (700.0 + index as f64) * 997.0 / 48_000.0;
                let expected = 0.5 * (turns * TAU).sin();
                assert!(
                    (f64::from(*sample) - expected).abs() < 1e-4,
                    "{format} {index}"
                );
            }
        }
    }

    #[test]
    fn channels_differ_and_the_clock_counts_samples() {
        let uri = "pattern://sine?channels=3&samples=256".parse().unwrap();
        let mut sine = Sine::open(&uri).unwrap();
        let samples = block(&mut sine, 1);
        assert_eq!(samples.len(), 768);
        assert_ne!(samples[..256], samples[256..512]);
        let mut slot = vec![0; 768 * 4];
        let filled = sine.fill(&mut slot, 5, 0, &mut Vec::new());
        assert_eq!(
            (filled.source_clock, filled.clock_domain),
            (1280, clock::SAMPLES)
        );
    }

    #[test]
    fn a_block_lasts_as_long_as_its_samples() {
        let sine = Sine::open(&"pattern://sine?samples=4800".parse().unwrap()).unwrap();
        assert_eq!(sine.period(), Duration::from_millis(100));
        assert_eq!(sine.layout().rate, 10.0);
    }

    #[test]
    fn noise_stays_within_full_scale_and_reaches_far() {
        let mut mic = RandMic::open(&"pattern://randmic".parse().unwrap()).unwrap();
        let samples = block(&mut mic, 0);
        assert_eq!(samples.len(), 2048);
        assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        assert!(samples.iter().any(|sample| *sample > 0.9));
        assert!(samples.iter().any(|sample| *sample < -0.9));
        assert_ne!(samples, block(&mut mic, 1));
    }
}
