//! Pictures of the colour camera, of grey cameras and of others.
//!
//! Owns the decoder and which picture lies where; never shows one that is not whole, unless that was wished for.

use super::scratch::Scratch;
use super::{Fill, FillError, Taken, paint, seen};
use crate::held::Held;
use crate::meter::Meter;
use crate::output::{Output, Said};
use std::collections::VecDeque;
use std::time::Instant;
use streamem::{Format, Granted};
use streamem_codec::{Codec, CodecError, Picture, Place, Planes, Target, VideoDecoder};
use streamem_hl2ss::access_unit::{self, is_key};
use streamem_hl2ss::payload::{Grey, Video};
use streamem_orders::{Ask, Placement};

/// Pictures of one port.
#[derive(Debug)]
pub(super) struct Pictures {
    is_grey: bool,
    size: [usize; 2],
    codec: Option<access_unit::Codec>,
    decoder: Option<VideoDecoder>,
    scratch: Scratch,
    /// The payload, but for what is said behind the picture, goes straight into this slot of the first stream.
    straight: Option<Granted>,
    /// Slots of the stream that is decoded into, which the decoder asked for.
    targets: Vec<Granted>,
    /// What was said of packets whose pictures have not come.
    waiting: VecDeque<Said>,
}

const RAW_GREY_BYTES: usize = 640 * 480;

/// So many pictures a decoder keeps back at most.
const WAITING_MAX: usize = 32;

/// A decoder of these pictures, if they need one.
pub(super) fn decoder_of(
    codec: Option<access_unit::Codec>,
) -> Result<Option<VideoDecoder>, CodecError> {
    let opened = codec.map(|codec| match codec {
        access_unit::Codec::H264 => VideoDecoder::new(Codec::H264),
        access_unit::Codec::Hevc => VideoDecoder::new(Codec::Hevc),
    });
    opened.transpose()
}

/// What decodes, for people.
pub(super) fn decoder_name(codec: access_unit::Codec) -> String {
    let name = match codec {
        access_unit::Codec::H264 => "h264",
        access_unit::Codec::Hevc => "h265",
    };
    format!(
        "{name} on the processor (libavcodec {})",
        streamem_codec::libavcodec()
    )
}

impl Pictures {
    pub(super) fn of(ask: &Ask) -> Result<Pictures, CodecError> {
        let codec = ask.codec();
        let (width, height, _) = ask.pictures().unwrap_or_default();
        let side = |side: u32| usize::try_from(side).unwrap_or(0);
        Ok(Pictures {
            is_grey: matches!(ask, Ask::Grey(_)),
            size: [side(width), side(height)],
            codec,
            decoder: decoder_of(codec)?,
            scratch: Scratch::default(),
            straight: None,
            targets: Vec::new(),
            waiting: VecDeque::new(),
        })
    }

    fn trailer(&self) -> usize {
        if self.is_grey {
            Grey::TRAILER
        } else {
            Video::TRAILER
        }
    }

    /// Whether the picture in a payload is a frame of this stream as it is.
    fn is_frame(&self, picture_bytes: usize, output: &Output) -> bool {
        let bytes = output.layout.bytes;
        match output.wish.format {
            Format::H264 | Format::H265 => picture_bytes as u64 <= bytes,
            Format::Nv12 => self.codec.is_none() && picture_bytes as u64 == bytes,
            Format::Gray8 if self.is_grey => {
                self.codec.is_none() && picture_bytes == RAW_GREY_BYTES
            }
            _ => false,
        }
    }

    /// What is said of the picture, and how long it is.
    fn said(&self, taken: Taken) -> Result<(Said, usize), FillError> {
        let payload = self.scratch.payload();
        let bytes = payload.len().saturating_sub(self.trailer());
        let mut said = taken.said();
        said.side = if self.is_grey {
            seen::grey(payload)?
        } else {
            seen::colours(payload, self.size, self.codec.is_none())?
        };
        Ok((said, bytes))
    }

    fn decode(
        &mut self,
        said: Said,
        picture_bytes: usize,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let unit = self
            .scratch
            .payload()
            .get(..picture_bytes)
            .unwrap_or_default();
        let in_place = outputs
            .iter()
            .position(|output| output.wish.is_decoded_in_place());
        let placement = Placement::of(narrow(self.size[0]), narrow(self.size[1]));
        let targets = &mut self.targets;
        let began = Instant::now();
        let number = said.number;
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(said);
        let decoded = decoder.decode(unit, number, &mut |_need| {
            let output = outputs.get_mut(in_place?)?;
            let granted = output.lend()?;
            let target = target(output, &granted, &placement);
            targets.push(granted);
            target
        });
        meter.decoded(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let shown = decoded
            .map_err(FillError::from)
            .and_then(|picture| self.show(picture, in_place, outputs, meter));
        // What was asked for and is not shown is free when the decoder has let it go.
        if let Some(output) = in_place.and_then(|place| outputs.get_mut(place)) {
            self.targets
                .drain(..)
                .for_each(|granted| output.give_back(granted));
        }
        shown
    }

    fn show(
        &mut self,
        picture: Option<Picture>,
        in_place: Option<usize>,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let Some(picture) = picture else {
            meter.empty();
            return Ok(());
        };
        // A picture may come out later than its packet, and what is said of it waits.
        let said = self
            .waiting
            .iter()
            .position(|said| said.number == picture.number);
        let Some(mut said) = said.and_then(|place| self.waiting.drain(..=place).next_back()) else {
            meter.empty();
            return Ok(());
        };
        let said = &mut said;
        if [picture.width, picture.height] != self.size {
            return Err(seen::unfit(self.size, [picture.width, picture.height]));
        }
        said.is_damaged = picture.is_damaged;
        said.is_key = picture.is_key;
        if picture.is_damaged {
            meter.damaged();
        }
        let target = picture.owner::<Held>().map(|held| held.index);
        for (place, output) in outputs.iter_mut().enumerate() {
            if output.wish.is_packets() {
                continue;
            }
            if picture.is_damaged && !output.wish.damaged {
                output.miss();
                continue;
            }
            let own = self
                .targets
                .iter()
                .position(|granted| Some(granted.index()) == target)
                .filter(|_| lies_as_said(&picture, output));
            if let (true, Some(own)) = (in_place == Some(place), own) {
                let granted = self.targets.swap_remove(own);
                said.used = in_place_bytes(output);
                output.submit(granted, said);
                continue;
            }
            let Some(mut granted) = output.take() else {
                continue;
            };
            if output.wish.is_decoded_in_place() {
                meter.copied();
            }
            let painted = paint::picture(&picture, self.is_grey, output, &mut granted);
            said.used = in_place_bytes(output);
            match painted {
                Ok(()) => output.submit(granted, said),
                Err(why) => {
                    output.give_back(granted);
                    return Err(why.into());
                }
            }
        }
        Ok(())
    }

    fn hand_on(
        &mut self,
        said: &mut Said,
        picture_bytes: usize,
        outputs: &mut [Output],
    ) -> Result<(), FillError> {
        let is_straight = self.straight.is_some();
        for (place, output) in outputs.iter_mut().enumerate() {
            let straight = if place == 0 {
                self.straight.take()
            } else {
                None
            };
            let is_raw = self.codec.is_none();
            if !is_raw && !output.wish.is_packets() {
                continue;
            }
            let mut granted = match straight {
                Some(granted) => granted,
                None => match output.take() {
                    Some(granted) => granted,
                    None => continue,
                },
            };
            let is_first = is_straight && place == 0;
            if !is_first {
                let picture = self
                    .scratch
                    .payload()
                    .get(..picture_bytes)
                    .unwrap_or_default();
                let filled = if is_raw {
                    paint::raw(picture, self.size, self.is_grey, output, &mut granted)
                } else {
                    paint::bytes(picture, output, &mut granted)
                };
                if let Err(why) = filled {
                    output.give_back(granted);
                    return Err(why.into());
                }
            }
            if let Some(codec) = self.codec {
                let unit = output.bytes(&mut granted).get(..picture_bytes);
                said.is_key = is_key(codec, unit.unwrap_or_default());
                said.used = Some(picture_bytes);
            }
            output.submit(granted, said);
        }
        Ok(())
    }
}

impl Fill for Pictures {
    fn begin(&mut self, payload_bytes: usize, outputs: &mut [Output]) {
        self.scratch.begin(payload_bytes);
        let picture_bytes = payload_bytes.saturating_sub(self.trailer());
        // One who got the picture straight could not share it with others.
        if let [only] = outputs
            && picture_bytes > 0
            && self.is_frame(picture_bytes, only)
        {
            self.straight = only.take();
        }
    }

    fn place<'a>(&'a mut self, at: usize, outputs: &'a mut [Output]) -> &'a mut [u8] {
        let picture_bytes = self.scratch.payload().len().saturating_sub(self.trailer());
        match (&mut self.straight, outputs) {
            (Some(granted), [only]) if at < picture_bytes => only
                .bytes(granted)
                .get_mut(at..picture_bytes)
                .unwrap_or_default(),
            _ => self.scratch.from(at),
        }
    }

    fn end(
        &mut self,
        taken: Taken,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let said = self.said(taken);
        let (mut said, picture_bytes) = match said {
            Ok(said) => said,
            Err(why) => {
                self.leave(outputs);
                return Err(why);
            }
        };
        if picture_bytes == 0 {
            meter.empty();
            return Ok(());
        }
        let handed = self.hand_on(&mut said, picture_bytes, outputs);
        if outputs.iter().all(|output| output.wish.is_packets()) {
            // Whoever wants pictures later has them from the next key frame on.
            self.decoder.iter_mut().for_each(VideoDecoder::broken);
            return handed;
        }
        handed.and(self.decode(said, picture_bytes, outputs, meter))
    }

    fn leave(&mut self, outputs: &mut [Output]) {
        if let (Some(granted), Some(first)) = (self.straight.take(), outputs.first_mut()) {
            first.give_back(granted);
        }
    }

    fn decoder(&self) -> Option<String> {
        self.codec.map(decoder_name)
    }
}

/// The slot as memory a decoder writes and looks at later.
fn target(output: &mut Output, granted: &Granted, placement: &Placement) -> Option<Target> {
    let place = |plane: usize| {
        let (offset, stride) = placement.planes[plane];
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Place {
            offset: number(offset),
            stride: number(stride),
        }
    };
    let planes = match output.wish.format {
        Format::I420 => Planes::All([place(0), place(1), place(2)]),
        _ => Planes::Brightness(place(0)),
    };
    output.target(granted, planes)
}

/// Whether nothing was cropped where planes begin.
fn lies_as_said(picture: &Picture, output: &Output) -> bool {
    let planes = output.layout.planes.iter().enumerate();
    planes.into_iter().all(|(which, plane)| {
        let place = picture.place(which);
        place.is_some_and(|place| place.offset as u64 == plane.offset)
    })
}

/// A picture that was decoded in place has more room than bytes that are seen.
fn in_place_bytes(output: &Output) -> Option<usize> {
    let end = output.layout.planes.iter().map(|plane| plane.end()).max()?;
    let end = usize::try_from(end).ok()?;
    output.wish.is_decoded_in_place().then_some(end)
}

fn narrow(side: usize) -> u32 {
    u32::try_from(side).unwrap_or(0)
}
