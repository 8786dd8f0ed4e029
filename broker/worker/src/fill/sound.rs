//! Sound: packets of any length become blocks of one length.
//!
//! Owns the block that is being filled; never changes how loud something is.

use super::scratch::Scratch;
use super::{Fill, FillError, Taken};
use crate::meter::Meter;
use crate::output::{Output, Said};
use std::time::Instant;
use streamem::{Format, Granted};
use streamem_codec::{CodecError, Rows, Sample, SoundDecoder};
use streamem_hl2ss::payload::{Adts, array, stereo};
use streamem_hl2ss::{Malformed, Ticks, request};
use streamem_orders::Ask;

const RATE: u64 = 48_000;
const TICKS_IN_A_SECOND: u64 = 10_000_000;
/// Samples of a packet of HE-AAC, which has twice as many as plain AAC.
const PACKET_SAMPLES_MAX: usize = 2048;
const CHANNELS_MAX: usize = 8;
/// Half of the shortest packet: so much a packet's time may be off, and nothing was lost.
const LEAP_TICKS: u64 = 80_000;

enum Kind {
    Aac(SoundDecoder),
    Stereo,
    Array,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Kind::Aac(_) => "Aac",
            Kind::Stereo => "Stereo",
            Kind::Array => "Array",
        })
    }
}

/// A block that is being filled.
#[derive(Debug)]
struct Block {
    output: u64,
    slot: Option<Granted>,
    filled: usize,
    said: Said,
}

/// Sound of one port.
#[derive(Debug)]
pub(super) struct Sound {
    kind: Kind,
    scratch: Scratch,
    /// Samples of one packet, a row for each channel.
    rows: Vec<Vec<f32>>,
    decoded: Vec<u8>,
    blocks: Vec<Block>,
}

impl Sound {
    pub(super) fn of(ask: &Ask) -> Result<Sound, CodecError> {
        let kind = match ask {
            Ask::Microphone(request::Microphone::RawStereo) => Kind::Stereo,
            Ask::Microphone(request::Microphone::RawArray) => Kind::Array,
            Ask::ExtendedAudio(audio) if matches!(audio.sound, request::ExtendedSound::Raw(_)) => {
                Kind::Stereo
            }
            _ => Kind::Aac(SoundDecoder::aac()?),
        };
        Ok(Sound {
            kind,
            scratch: Scratch::default(),
            rows: Vec::new(),
            decoded: Vec::new(),
            blocks: Vec::new(),
        })
    }

    /// Has a block for each stream, in the same order.
    fn follow(&mut self, outputs: &[Output]) {
        let mut before = std::mem::take(&mut self.blocks);
        self.blocks.extend(outputs.iter().map(|output| {
            let known = before.iter().position(|block| block.output == output.id);
            known.map_or_else(|| Block::of(output.id), |known| before.swap_remove(known))
        }));
    }

    /// Takes the packet apart, a row for each channel.
    fn hear(&mut self, number: u64, meter: &mut Meter) -> Result<(), FillError> {
        self.rows.clear();
        let payload = self.scratch.payload();
        match &mut self.kind {
            Kind::Stereo => {
                let samples: Vec<[i16; 2]> = stereo(payload)?.collect();
                let row = |channel: usize| {
                    let of_channel = samples.iter().filter_map(|sample| sample.get(channel));
                    of_channel
                        .map(|sample| f32::from(*sample) / 32768.0)
                        .collect()
                };
                self.rows.extend([row(0), row(1)]);
            }
            Kind::Array => {
                let samples: Vec<[f32; 5]> = array(payload)?.collect();
                self.rows.extend((0..5).map(|channel| {
                    let of_channel = samples.iter().filter_map(|sample| sample.get(channel));
                    of_channel.copied().collect()
                }));
            }
            Kind::Aac(decoder) => {
                let stride = PACKET_SAMPLES_MAX * 4;
                self.decoded.resize(stride * CHANNELS_MAX, 0);
                let began = Instant::now();
                let rows = Rows {
                    bytes: &mut self.decoded,
                    stride,
                    sample: Sample::F32,
                };
                let frame = Adts::of(payload)?;
                if u64::from(frame.rate) != RATE {
                    return Err(FillError::Unfit(format!(
                        "the device sends sound of {} samples a second, and {RATE} are known here: start its \
                         application again",
                        frame.rate
                    )));
                }
                let heard = decoder.decode(payload, number, rows)?;
                meter.decoded(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
                let Some(heard) = heard else {
                    return Ok(());
                };
                let rows = self.decoded.chunks(stride).take(heard.channels);
                self.rows.extend(rows.map(|row| {
                    let samples = row.as_chunks::<4>().0.iter().take(heard.samples);
                    samples.map(|four| f32::from_le_bytes(*four)).collect()
                }));
            }
        }
        Ok(())
    }
}

impl Fill for Sound {
    fn begin(&mut self, payload_bytes: usize, _: &mut [Output]) {
        self.scratch.begin(payload_bytes);
    }

    fn place<'a>(&'a mut self, at: usize, _: &'a mut [Output]) -> &'a mut [u8] {
        self.scratch.from(at)
    }

    fn end(
        &mut self,
        taken: Taken,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        if self.scratch.payload().is_empty() {
            meter.empty();
            return Ok(());
        }
        self.hear(taken.number, meter)?;
        self.follow(outputs);
        for (output, block) in outputs.iter_mut().zip(&mut self.blocks) {
            block.take(output, &self.rows, taken)?;
        }
        Ok(())
    }

    fn leave(&mut self, outputs: &mut [Output]) {
        for block in self.blocks.drain(..) {
            let mut own = outputs
                .iter_mut()
                .filter(|output| output.id == block.output);
            if let (Some(granted), Some(output)) = (block.slot, own.next()) {
                output.give_back(granted);
            }
        }
    }

    fn decoder(&self) -> Option<String> {
        let is_aac = matches!(self.kind, Kind::Aac(_));
        is_aac.then(|| format!("aac (libavcodec {})", streamem_codec::libavcodec()))
    }
}

impl Block {
    fn of(output: u64) -> Block {
        Block {
            output,
            slot: None,
            filled: 0,
            said: Said::default(),
        }
    }

    /// Takes samples in, and publishes what is full.
    fn take(
        &mut self,
        output: &mut Output,
        rows: &[Vec<f32>],
        taken: Taken,
    ) -> Result<(), FillError> {
        let plane = output.layout.planes.first();
        let (channels, stride) = plane.map_or((0, 0), |plane| (plane.rows, plane.stride));
        let channels = usize::try_from(channels).unwrap_or(0);
        let stride = usize::try_from(stride).unwrap_or(0);
        let is_float = output.wish.format == Format::F32;
        let whole = stride / if is_float { 4 } else { 2 };
        if rows.len() != channels {
            return Err(FillError::Malformed(Malformed::Meaningless {
                what: "number of channels of the sound",
                value: rows.len() as u64,
            }));
        }
        let all = rows.first().map_or(0, Vec::len);
        let mut at = 0;
        let since = self.filled as u64 * TICKS_IN_A_SECOND / RATE;
        let due = self.said.ticks.0.saturating_add(since);
        if due.abs_diff(taken.ticks.0) > LEAP_TICKS
            && let Some(granted) = self.slot.take()
        {
            // Samples are missing in between, and a block has none missing.
            output.give_back(granted);
            output.miss();
        }
        while at < all {
            if self.slot.is_none() {
                self.slot = output.take();
                self.filled = 0;
                self.said = taken.said();
                let later = at as u64 * TICKS_IN_A_SECOND / RATE;
                self.said.ticks = Ticks(taken.ticks.0.saturating_add(later));
                self.said.captured_ns = taken.captured_ns.saturating_add(later * Ticks::NS);
            }
            let count = (all - at).min(whole - self.filled);
            let Some(granted) = &mut self.slot else {
                return Ok(());
            };
            let slot = output.bytes(granted);
            for (row, samples) in slot.chunks_mut(stride.max(1)).zip(rows) {
                let samples = samples.get(at..at + count).unwrap_or_default();
                if is_float {
                    put(row, self.filled, samples, f32::to_le_bytes);
                } else {
                    put(row, self.filled, samples, |sample| {
                        rounded(sample).to_le_bytes()
                    });
                }
            }
            self.filled += count;
            at += count;
            if self.filled == whole
                && let Some(granted) = self.slot.take()
            {
                output.submit(granted, &self.said);
            }
        }
        Ok(())
    }
}

fn put<const N: usize>(row: &mut [u8], from: usize, samples: &[f32], of: impl Fn(f32) -> [u8; N]) {
    let places = row.as_chunks_mut().0.iter_mut().skip(from);
    for (place, sample) in places.zip(samples) {
        *place = of(*sample);
    }
}

fn rounded(sample: f32) -> i16 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "this cast keeps to the range by itself, and makes 0 of what is no number"
    )]
    let rounded = (sample * 32768.0).round_ties_even() as i16;
    rounded
}
