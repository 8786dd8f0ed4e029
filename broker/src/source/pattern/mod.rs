//! Sources that make their frames up: test pictures, sound and motion without any device.
//!
//! Owns what every pattern can do and which there are; never waits, and never keeps a frame.

use crate::source::uri::{BadSource, SourceUri};
use std::time::Duration;
use streamem_wire::Layout;

pub mod bars;
mod digits;
mod imu;
mod noise;
mod options;
mod paint;
mod picture;
mod rand;
mod sound;

/// A source that fills one slot after the other.
pub trait Pattern: Send + std::fmt::Debug {
    /// How every frame lies.
    fn layout(&self) -> &Layout;

    /// From one frame to the next; zero is as fast as can be.
    fn period(&self) -> Duration;

    /// Writes frame `number` into `slot`, which has exactly the bytes of the layout, and appends its
    /// side-data to `side`.
    fn fill(&mut self, slot: &mut [u8], number: u64, made_ns: u64, side: &mut Vec<u8>) -> Filled;
}

/// What a slot was filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Bytes from the start of the slot that count.
    pub used_bytes: usize,
    /// The source's own clock.
    pub source_clock: u64,
    /// What that clock counts: one of [`streamem_wire::clock`].
    pub clock_domain: u32,
    /// See [`streamem_wire::flags`].
    pub flags: u32,
}

/// The kinds of pattern.
pub const KINDS: &[&str] = &["rand", "bars", "sine", "randmic", "imu"];

/// The pattern a URI names.
pub fn open(uri: &SourceUri) -> Result<Box<dyn Pattern>, BadSource> {
    Ok(match uri.kind() {
        "rand" => Box::new(rand::Rand::open(uri)?),
        "bars" => Box::new(bars::Bars::open(uri)?),
        "sine" => Box::new(sound::Sine::open(uri)?),
        "randmic" => Box::new(sound::RandMic::open(uri)?),
        "imu" => Box::new(imu::Imu::open(uri)?),
        _ => return Err(uri.no_such_kind(KINDS)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::{Format, Kind, SIDE_BYTES_MAX, SideData};

    fn opened(text: &str) -> Box<dyn Pattern> {
        open(&text.parse().unwrap()).unwrap()
    }

    fn refused(text: &str) -> String {
        let uri = text.parse::<SourceUri>().unwrap();
        open(&uri).unwrap_err().to_string()
    }

    fn fill(pattern: &mut dyn Pattern, number: u64) -> (Vec<u8>, Filled, Vec<u8>) {
        let mut slot = vec![0xaa; usize::try_from(pattern.layout().bytes).unwrap()];
        let mut side = Vec::new();
        let made_ns = 1_000_000_000 + number * 20_000_000;
        let filled = pattern.fill(&mut slot, number, made_ns, &mut side);
        (slot, filled, side)
    }

    #[test]
    fn every_kind_opens_without_parameters_and_fills_what_it_says() {
        for kind in KINDS {
            let mut pattern = opened(&format!("pattern://{kind}"));
            let (slot, filled, side) = fill(&mut *pattern, 1);
            assert!(
                filled.used_bytes > 0 && filled.used_bytes <= slot.len(),
                "{kind}"
            );
            assert!(side.len() <= SIDE_BYTES_MAX, "{kind}");
            assert!(pattern.layout().fits(pattern.layout().bytes), "{kind}");
            assert!(!pattern.period().is_zero(), "{kind}");
            assert_eq!(SideData::decode_all(&side).is_empty(), *kind != "bars");
        }
    }

    #[test]
    fn every_picture_format_is_filled_to_the_last_byte_and_changes() {
        let pictures = Format::ALL
            .iter()
            .filter(|format| format.kind() == Kind::Video);
        for format in pictures {
            for kind in ["rand", "bars"] {
                let mut pattern = opened(&format!("pattern://{kind}?size=66x34&format={format}"));
                let (first, filled, _) = fill(&mut *pattern, 1);
                let (second, ..) = fill(&mut *pattern, 2);
                assert_eq!(filled.used_bytes, first.len());
                assert_ne!(first, second, "{kind} {format}");
            }
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_streams_served_without_configuration() {
        let pattern = opened("pattern://rand");
        assert_eq!(pattern.layout().summary(), "1280x720 bgr24 30/s");
        assert_eq!(
            opened("pattern://randmic").layout().summary(),
            "2x1024 f32 46.88/s"
        );
    }

    #[test]
    fn a_rate_of_zero_is_as_fast_as_can_be() {
        let pattern = opened("pattern://rand?rate=0");
        assert!(pattern.period().is_zero());
        assert_eq!(
            opened("pattern://bars?rate=50").period(),
            Duration::from_millis(20)
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert!(refused("pattern://bras").contains("did you mean \"bars\"?"));
        assert!(refused("pattern://rand?rate=2000").contains("0.01 to 1000, or 0"));
        assert!(refused("pattern://rand?rate=-1").starts_with("rate=-1"));
        assert!(refused("pattern://rand?size=0x5").contains("0x5"));
        assert!(refused("pattern://rand?size=99999x99999").contains("16384"));
        assert!(refused("pattern://rand?size=3x3&format=nv12").contains("even sides"));
        assert!(refused("pattern://rand?format=h264").starts_with("format=h264"));
        assert!(refused("pattern://bars?size=39x100").contains("40x4"));
        assert!(refused("pattern://sine?freq=30000").contains("24000"));
        assert!(refused("pattern://sine?samples=16").contains("48"));
        assert!(refused("pattern://sine?channels=0").contains("channels=0"));
        assert!(refused("pattern://randmic?freq=440").contains("no parameter"));
        assert!(refused("pattern://imu?rate=0").starts_with("rate=0"));
        assert!(refused("pattern://imu?size=1x1").contains("no parameter"));
    }
}
