//! Depth for hands, and the brightness it was measured by.
//!
//! Owns the ways they are packed together; never fills in what was lost on the way.

use super::pictures::{decoder_name, decoder_of};
use super::scratch::Scratch;
use super::{Fill, FillError, Taken};
use crate::meter::Meter;
use crate::output::{Output, Said};
use std::time::Instant;
use streamem::Granted;
use streamem_codec::{CodecError, DepthDecoder, Picture, VideoDecoder};
use streamem_hl2ss::access_unit::Codec;
use streamem_hl2ss::depth::{self, AHAT_SIDE, Plane};
use streamem_hl2ss::payload::Ahat;
use streamem_hl2ss::request::{self, DepthProfile};
use streamem_orders::{Ask, Part};

/// Bytes of depth, and of brightness.
const HALF: usize = AHAT_SIDE * AHAT_SIDE * 2;

/// Depth for hands.
#[derive(Debug)]
pub(super) struct Depth {
    profile: DepthProfile,
    codec: Option<Codec>,
    pictures: Option<VideoDecoder>,
    packed: DepthDecoder,
    scratch: Scratch,
    /// The slots raw depth and raw brightness go straight into, by stream.
    straight: Vec<Option<Granted>>,
    /// What nobody reads, but comes with what somebody does.
    spare: Vec<u8>,
}

impl Depth {
    pub(super) fn of(ahat: &request::Ahat, ask: &Ask) -> Result<Depth, CodecError> {
        let codec = ask.codec();
        Ok(Depth {
            profile: ahat.depth,
            codec,
            pictures: decoder_of(codec)?,
            packed: DepthDecoder::new(),
            scratch: Scratch::default(),
            straight: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// Whether both come raw, one behind the other.
    fn is_raw(&self, payload_bytes: usize) -> bool {
        let raw = self.profile == DepthProfile::Same && self.codec.is_none();
        raw && payload_bytes == Ahat::HEAD + 2 * HALF + Ahat::TRAILER
    }

    fn fill(
        &mut self,
        said: &mut Said,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let parts = Ahat::of(self.scratch.payload())?;
        if parts.picture.is_empty() {
            meter.empty();
            return Ok(());
        }
        let began = Instant::now();
        let is_alone = |output: &Output| {
            self.profile == DepthProfile::Zdepth && output.wish.part == Part::Depth
        };
        let (alone, beside): (Vec<&mut Output>, Vec<&mut Output>) =
            outputs.iter_mut().partition(|output| is_alone(output));
        // Depth that is packed by itself does not depend on what became of the picture.
        let mut filled = Ok(());
        for output in alone {
            let packed = &mut self.packed;
            filled = filled.and(put(output, said, |slot| {
                Ok(packed.decode(parts.depth, [AHAT_SIDE; 2], slot)?)
            }));
        }
        let picture = match &mut self.pictures {
            Some(decoder) if beside.is_empty() => {
                decoder.broken();
                None
            }
            Some(decoder) => decoder.decode(parts.picture, said.number, &mut |_| None)?,
            None => None,
        };
        if let Some(picture) = &picture {
            check(picture)?;
            said.is_damaged = picture.is_damaged;
            said.is_key = picture.is_key;
        }
        if said.is_damaged {
            meter.damaged();
        }
        let spare = &mut self.spare;
        spare.resize(HALF, 0);
        let (profile, is_raw) = (self.profile, self.codec.is_none());
        for output in beside {
            if said.is_damaged && !output.wish.damaged || picture.is_none() && !is_raw {
                output.miss();
                continue;
            }
            let is_depth = output.wish.part == Part::Depth;
            filled = filled.and(put(output, said, |slot| match (profile, &picture) {
                (DepthProfile::Zdepth, Some(picture)) => {
                    Ok(depth::ahat_brightness(plane(picture, 0), slot)?)
                }
                (DepthProfile::Zdepth, None) => copy(slot, parts.picture),
                (DepthProfile::Same, Some(picture)) => {
                    let planes = [0, 1, 2].map(|which| plane(picture, which));
                    if is_depth {
                        Ok(depth::ahat(planes, slot, spare)?)
                    } else {
                        Ok(depth::ahat(planes, spare, slot)?)
                    }
                }
                (DepthProfile::Same, None) => {
                    let (depth, brightness) =
                        parts.picture.split_at_checked(HALF).unwrap_or_default();
                    copy(slot, if is_depth { depth } else { brightness })
                }
            }));
        }
        if self.decoder().is_some() {
            meter.decoded(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        filled
    }
}

/// Fills a slot and publishes it.
fn put(
    output: &mut Output,
    said: &Said,
    fill: impl FnOnce(&mut [u8]) -> Result<(), FillError>,
) -> Result<(), FillError> {
    let Some(mut granted) = output.take() else {
        return Ok(());
    };
    match fill(output.bytes(&mut granted)) {
        Ok(()) => {
            output.submit(granted, said);
            Ok(())
        }
        Err(why) => {
            output.give_back(granted);
            Err(why)
        }
    }
}

fn check(picture: &Picture) -> Result<(), FillError> {
    if [picture.width, picture.height] == [AHAT_SIDE; 2] {
        return Ok(());
    }
    Err(FillError::Unfit(format!(
        "the device sends depth of {}x{}, and {AHAT_SIDE}x{AHAT_SIDE} is known here: install the version of its \
         application that README names",
        picture.width, picture.height
    )))
}

impl Fill for Depth {
    fn begin(&mut self, payload_bytes: usize, outputs: &mut [Output]) {
        self.scratch.begin(payload_bytes);
        let depths = outputs
            .iter()
            .filter(|output| output.wish.part == Part::Depth)
            .count();
        let are_two = depths < 2 && outputs.len() - depths < 2;
        if self.is_raw(payload_bytes) && are_two {
            self.straight = outputs.iter_mut().map(Output::take).collect();
        }
    }

    fn place<'a>(&'a mut self, at: usize, outputs: &'a mut [Output]) -> &'a mut [u8] {
        let (part, begins) = match at {
            at if at < Ahat::HEAD => {
                return self
                    .scratch
                    .from(at)
                    .get_mut(..Ahat::HEAD - at)
                    .unwrap_or_default();
            }
            at if at < Ahat::HEAD + HALF => (Part::Depth, Ahat::HEAD),
            at if at < Ahat::HEAD + 2 * HALF => (Part::Brightness, Ahat::HEAD + HALF),
            _ => return self.scratch.from(at),
        };
        if self.straight.is_empty() {
            return self.scratch.from(at);
        }
        let taken = outputs.iter_mut().zip(&mut self.straight);
        let mut of_part = taken.filter(|(output, _)| output.wish.part == part);
        match of_part.next() {
            Some((output, Some(granted))) => output
                .bytes(granted)
                .get_mut(at - begins..)
                .unwrap_or_default(),
            _ => self
                .scratch
                .from(at)
                .get_mut(..begins + HALF - at)
                .unwrap_or_default(),
        }
    }

    fn end(
        &mut self,
        taken: Taken,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let mut said = taken.said();
        if self.straight.is_empty() {
            return self.fill(&mut said, outputs, meter);
        }
        let parts = Ahat::of(self.scratch.payload());
        if let Err(why) = parts {
            self.leave(outputs);
            return Err(why.into());
        }
        for (output, granted) in outputs.iter_mut().zip(self.straight.drain(..)) {
            if let Some(granted) = granted {
                output.submit(granted, &said);
            }
        }
        Ok(())
    }

    fn leave(&mut self, outputs: &mut [Output]) {
        for (output, granted) in outputs.iter_mut().zip(self.straight.drain(..)) {
            if let Some(granted) = granted {
                output.give_back(granted);
            }
        }
    }

    fn decoder(&self) -> Option<String> {
        let packed = (self.profile == DepthProfile::Zdepth).then(|| "zdepth".to_owned());
        let pictures = self.codec.map(decoder_name);
        let all: Vec<String> = packed.into_iter().chain(pictures).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

fn plane(picture: &Picture, which: usize) -> Plane<'_> {
    let plane = picture.planes().planes[which];
    Plane {
        bytes: plane.bytes,
        stride: plane.stride,
    }
}

fn copy(slot: &mut [u8], bytes: &[u8]) -> Result<(), FillError> {
    if slot.len() != bytes.len() {
        return Err(FillError::Size(streamem_hl2ss::WrongSize {
            what: "picture of depth for hands",
            bytes: bytes.len(),
            wanted: slot.len(),
        }));
    }
    slot.copy_from_slice(bytes);
    Ok(())
}
