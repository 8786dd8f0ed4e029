//! Depth of the room, and of a camera that was plugged in.
//!
//! Owns the picture both depth and brightness are taken from; never changes a distance.

use super::scratch::Scratch;
use super::{Fill, FillError, Taken};
use crate::meter::Meter;
use crate::output::Output;
use std::time::Instant;
use streamem_codec::{DepthDecoder, far_depth};
use streamem_hl2ss::payload::{ExtendedDepth, LongThrow};
use streamem_hl2ss::request::DepthProfile;
use streamem_orders::Part;

#[derive(Debug)]
enum Kind {
    /// A PNG with both.
    Room(Vec<u8>),
    /// Packed, of this size.
    Packed(Box<DepthDecoder>, (u16, u16)),
    /// Not packed, of this size.
    Plain((u16, u16)),
}

/// Depth of one port.
#[derive(Debug)]
pub(super) struct Far {
    kind: Kind,
    scratch: Scratch,
}

impl Far {
    fn of(kind: Kind) -> Far {
        let scratch = Scratch::default();
        Far { kind, scratch }
    }

    pub(super) fn room() -> Far {
        Far::of(Kind::Room(vec![0; far_depth::BYTES]))
    }

    pub(super) fn extended(profile: DepthProfile, size: (u16, u16)) -> Far {
        Far::of(match profile {
            DepthProfile::Zdepth => Kind::Packed(Box::new(DepthDecoder::new()), size),
            DepthProfile::Same => Kind::Plain(size),
        })
    }
}

impl Fill for Far {
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
        let payload = self.scratch.payload();
        let began = Instant::now();
        let picture = match &mut self.kind {
            Kind::Room(unpacked) => {
                let picture = LongThrow::of(payload)?;
                if picture.png.is_empty() {
                    meter.empty();
                    return Ok(());
                }
                far_depth::unpack(picture.png, unpacked)?;
                None
            }
            Kind::Packed(_, size) | Kind::Plain(size) => {
                Some((sized(ExtendedDepth::of(payload)?, *size)?, *size))
            }
        };
        for output in outputs {
            let Some(mut granted) = output.take() else {
                continue;
            };
            let part = output.wish.part;
            let slot = output.bytes(&mut granted);
            let filled = match (&mut self.kind, &picture) {
                (Kind::Room(unpacked), _) => {
                    let (depth, brightness) = unpacked.split_at(far_depth::BYTES / 2);
                    put(
                        slot,
                        if part == Part::Brightness {
                            brightness
                        } else {
                            depth
                        },
                    )
                }
                (Kind::Packed(decoder, _), Some((depth, size))) => decoder
                    .decode(depth.depth, [size.0, size.1].map(usize::from), slot)
                    .map_err(FillError::from),
                (_, Some((depth, _))) => put(slot, depth.raw().unwrap_or_default()),
                (_, None) => put(slot, &[]),
            };
            match filled {
                Ok(()) => output.submit(granted, &taken.said()),
                Err(why) => {
                    output.give_back(granted);
                    return Err(why);
                }
            }
        }
        if !matches!(self.kind, Kind::Plain(_)) {
            meter.decoded(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn leave(&mut self, _: &mut [Output]) {}

    fn decoder(&self) -> Option<String> {
        match self.kind {
            Kind::Room(_) => Some("png".to_owned()),
            Kind::Packed(..) => Some("zdepth".to_owned()),
            Kind::Plain(_) => None,
        }
    }
}

fn sized(picture: ExtendedDepth<'_>, size: (u16, u16)) -> Result<ExtendedDepth<'_>, FillError> {
    let (width, height) = (picture.width, picture.height);
    if (width, height) == size {
        return Ok(picture);
    }
    Err(FillError::Unfit(format!(
        "the device sends depth of {width}x{height} and {}x{} is configured: set size={width}x{height}",
        size.0, size.1
    )))
}

fn put(slot: &mut [u8], bytes: &[u8]) -> Result<(), FillError> {
    if slot.len() != bytes.len() {
        return Err(FillError::Size(streamem_hl2ss::WrongSize {
            what: "picture of depth",
            bytes: bytes.len(),
            wanted: slot.len(),
        }));
    }
    slot.copy_from_slice(bytes);
    Ok(())
}
