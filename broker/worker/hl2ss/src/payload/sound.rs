//! Blocks of sound.
//!
//! Owns how raw samples lie and what an AAC frame says of itself; never decodes one.

use crate::error::Malformed;

const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// An AAC frame with the header that makes it stand alone (ADTS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adts<'a> {
    /// Header and all: what a decoder of ADTS takes.
    pub frame: &'a [u8],
    /// Samples in a second and channel, as the header has it: high efficiency plays twice as many.
    pub rate: u32,
    /// How many channels; 0 where the frame says it inside.
    pub channels: u8,
}

impl<'a> Adts<'a> {
    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is not one frame, whole and nothing else.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let what = "AAC frame";
        let &[sync, marks, a, b, c, d, _, ..] = payload else {
            return Err(Malformed::Size {
                what,
                bytes: payload.len(),
                wanted: "at least 7",
            });
        };
        let mark = u64::from(sync) << 8 | u64::from(marks);
        if mark & 0xfff6 != 0xfff0 {
            return Err(Malformed::Meaningless { what, value: mark });
        }
        let index = a >> 2 & 0xf;
        let rate = RATES.get(usize::from(index));
        let rate = *rate.ok_or(Malformed::Meaningless {
            what: "rate of an AAC frame",
            value: index.into(),
        })?;
        let length = usize::from(b & 3) << 11 | usize::from(c) << 3 | usize::from(d >> 5);
        if length != payload.len() {
            return Err(Malformed::Size {
                what,
                bytes: payload.len(),
                wanted: "what its header says",
            });
        }
        Ok(Self {
            frame: payload,
            rate,
            channels: (a & 1) << 2 | b >> 6,
        })
    }
}

/// Raw sound of two channels, sample by sample: left, right.
///
/// # Errors
///
/// It is no whole number of samples.
pub fn stereo(payload: &[u8]) -> Result<impl ExactSizeIterator<Item = [i16; 2]>, Malformed> {
    let samples = whole::<4>(payload, "a multiple of 4")?;
    let sample = |[a, b, c, d]: &[u8; 4]| [[*a, *b], [*c, *d]].map(i16::from_le_bytes);
    Ok(samples.iter().map(sample))
}

/// Raw sound of the five microphones, sample by sample: top left, top centre, top right, bottom left, bottom right.
///
/// # Errors
///
/// It is no whole number of samples.
pub fn array(payload: &[u8]) -> Result<impl ExactSizeIterator<Item = [f32; 5]>, Malformed> {
    let samples = whole::<20>(payload, "a multiple of 20")?;
    Ok(samples.iter().map(|sample| {
        let mut channels = [0.0; 5];
        for (channel, four) in channels.iter_mut().zip(sample.as_chunks().0) {
            *channel = f32::from_le_bytes(*four);
        }
        channels
    }))
}

fn whole<'a, const N: usize>(
    payload: &'a [u8],
    wanted: &'static str,
) -> Result<&'a [[u8; N]], Malformed> {
    let (samples, rest) = payload.as_chunks();
    if rest.is_empty() {
        return Ok(samples);
    }
    Err(Malformed::Size {
        what: "block of raw sound",
        bytes: payload.len(),
        wanted,
    })
}
