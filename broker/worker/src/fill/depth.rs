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
        let picture = match &mut self.pictures {
            None => None,
            Some(decoder) => {
                let picture = decoder.decode(parts.picture, said.number, &mut |_| None)?;
                let Some(picture) = picture else {
                    meter.empty();
                    return Ok(());
                };
                if [picture.width, picture.height] != [AHAT_SIDE; 2] {
                    return Err(FillError::Unfit(format!(
                        "the device sends depth of {}x{}, and this version knows {AHAT_SIDE}x{AHAT_SIDE}",
                        picture.width, picture.height
                    )));
                }
                said.is_damaged = picture.is_damaged;
                said.is_key = picture.is_key;
                Some(picture)
            }
        };
        if said.is_damaged {
            meter.damaged();
        }
        self.spare.resize(HALF, 0);
        for output in outputs.iter_mut() {
            if said.is_damaged && !output.wish.damaged {
                output.miss();
                continue;
            }
            let Some(mut granted) = output.take() else {
                continue;
            };
            let part = output.wish.part;
            let slot = output.bytes(&mut granted);
            let filled = match (self.profile, &picture) {
                (DepthProfile::Zdepth, _) if part == Part::Depth => self
                    .packed
                    .decode(parts.depth, [AHAT_SIDE; 2], slot)
                    .map_err(FillError::from),
                (DepthProfile::Zdepth, Some(picture)) => {
                    depth::ahat_brightness(plane(picture, 0), slot).map_err(FillError::from)
                }
                (DepthProfile::Same, Some(picture)) => {
                    let planes = [0, 1, 2].map(|which| plane(picture, which));
                    let (depth, brightness) = match part {
                        Part::Brightness => (&mut self.spare[..], slot),
                        _ => (slot, &mut self.spare[..]),
                    };
                    depth::ahat(planes, depth, brightness).map_err(FillError::from)
                }
                (DepthProfile::Zdepth, None) => copy(slot, parts.picture),
                (DepthProfile::Same, None) => {
                    let halves = parts.picture.split_at_checked(HALF);
                    let (depth, brightness) = halves.unwrap_or_default();
                    copy(
                        slot,
                        if part == Part::Brightness {
                            brightness
                        } else {
                            depth
                        },
                    )
                }
            };
            match filled {
                Ok(()) => output.submit(granted, said),
                Err(why) => {
                    output.give_back(granted);
                    return Err(why);
                }
            }
        }
        if self.decoder().is_some() {
            meter.decoded(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(())
    }
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
