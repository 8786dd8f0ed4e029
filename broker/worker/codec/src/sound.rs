//! Sound of AAC, each frame with its header.
//!
//! Owns how samples are written down; never keeps one.

use crate::error::CodecError;
use crate::ffmpeg::{Decoder, Frame, Which};

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// A float of 32 bits, from -1 to 1.
    F32,
    /// A whole number of 16 bits.
    S16,
}

impl Sample {
    /// Bytes of one.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::S16 => 2,
        }
    }
}

/// Where samples are put: a row for each channel.
#[derive(Debug)]
pub struct Rows<'a> {
    /// All rows.
    pub bytes: &'a mut [u8],
    /// Bytes from one to the next.
    pub stride: usize,
    /// What is in them.
    pub sample: Sample,
}

/// What was put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples {
    /// What was given with the frame.
    pub number: u64,
    /// Rows.
    pub channels: usize,
    /// Samples in each.
    pub samples: usize,
    /// Samples in a second.
    pub rate: u32,
    /// Whether it may sound otherwise than it should.
    pub is_damaged: bool,
}

/// A decoder of one stream, on the thread that calls it.
#[derive(Debug)]
pub struct SoundDecoder {
    decoder: Decoder,
}

impl SoundDecoder {
    /// One of AAC.
    ///
    /// # Errors
    ///
    /// FFmpeg was built without it, or there is no memory.
    pub fn aac() -> Result<Self, CodecError> {
        let opened = Decoder::open(Which::Aac).map_err(|fault| CodecError::NoDecoder {
            codec: "AAC",
            fault,
        });
        Ok(Self { decoder: opened? })
    }

    /// Takes in a frame with its header and writes what is heard. None: there was nothing in it.
    ///
    /// # Errors
    ///
    /// It is no such frame, or there is no room for so many channels or samples.
    pub fn decode(
        &mut self,
        unit: &[u8],
        number: u64,
        out: Rows<'_>,
    ) -> Result<Option<Samples>, CodecError> {
        if unit.is_empty() {
            return Ok(None);
        }
        let mut no_picture = |_| None;
        let sent = self.decoder.send(unit, number, &mut no_picture);
        let received = sent.and_then(|()| self.decoder.receive(&mut no_picture));
        let frame = received.map_err(|fault| CodecError::Undecodable {
            what: "sound",
            number,
            fault,
        })?;
        frame
            .map(|frame| write(&frame, out).map(|samples| Samples { number, ..samples }))
            .transpose()
    }

    /// Forgets what it heard.
    pub fn reset(&mut self) {
        self.decoder.flush();
    }
}

fn write(frame: &Frame, out: Rows<'_>) -> Result<Samples, CodecError> {
    let heard = frame.listen();
    let described = frame.describe();
    let row = heard.samples * out.sample.bytes();
    let wanted = out.stride * heard.channels.saturating_sub(1) + row;
    let bytes = out.bytes.len();
    let has_room = row <= out.stride && wanted <= bytes;
    if !has_room || !heard.is_float_in_rows {
        let wanted = wanted.max(row * heard.channels);
        let what = "a block of sound";
        return Err(CodecError::Room {
            what,
            wanted,
            bytes,
        });
    }
    let rows = out.bytes.chunks_mut(out.stride.max(1));
    for (channel, row) in rows.take(heard.channels).enumerate() {
        let samples = frame.row(channel);
        match out.sample {
            Sample::F32 => put(row, samples, f32::to_le_bytes),
            Sample::S16 => put(row, samples, |sample| sixteen_bits(sample).to_le_bytes()),
        }
    }
    Ok(Samples {
        number: described.number,
        channels: heard.channels,
        samples: heard.samples,
        rate: heard.rate,
        is_damaged: described.is_damaged,
    })
}

fn put<const BYTES: usize>(row: &mut [u8], samples: &[f32], of: impl Fn(f32) -> [u8; BYTES]) {
    for (bytes, sample) in row.as_chunks_mut().0.iter_mut().zip(samples) {
        *bytes = of(*sample);
    }
}

/// Rounded; what is too loud is as loud as can be.
fn sixteen_bits(sample: f32) -> i16 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "this cast keeps to the range by itself, and makes 0 of what is no number"
    )]
    let rounded = (sample * 32768.0).round_ties_even() as i16;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_rounded_and_keep_to_their_range() {
        let wanted = [
            (0.0, 0),
            (1.0, 32767),
            (-1.0, -32768),
            (2.0, 32767),
            (-7.0, -32768),
            (f32::NAN, 0),
            (0.5, 16384),
            (0.6 / 32768.0, 1),
            (-0.6 / 32768.0, -1),
        ];
        for (sample, number) in wanted {
            assert_eq!(sixteen_bits(sample), number, "{sample}");
        }
    }
}
