//! Remote configuration: questions and wishes on a port of their own, many on one connection.
//!
//! Owns the commands, their bytes and their replies; never keeps what was set.

mod camera;
mod reply;

pub use camera::{Distance, Exposure, Focus, FocusMode, FocusRange, Iso, Region, WhiteBalance};
pub use reply::Reply;

use crate::bytes::Writer;
use crate::error::{Refused, finite, within};
use crate::stream::{GreyCamera, Stream};
use crate::time::Ticks;

/// The TCP port commands are taken on.
pub const PORT: u16 = 3809;

/// The most points or times in one command, so that its reply stays small.
const ITEMS_MAX: usize = 1 << 16;

/// Which way points are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// From pixels to a plane at distance 1.
    ToUnitPlane,
    /// From there to pixels.
    ToPixels,
}

/// Which time is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// That of the packets.
    Ticks,
    /// The calendar's.
    Utc,
}

/// A question or a wish. Wishes have no reply, and those to the colour camera are ignored while it is not started,
/// or shared.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Which version the device has.
    Version,
    /// What must be added to its time to have the calendar's.
    UtcOffset,
    /// Whether a marker is shown.
    Marker(bool),
    /// Whether the colour camera is started.
    VideoStatus,
    /// How it focuses.
    Focus(Focus),
    /// Whether noise is taken out over several pictures.
    Denoise(bool),
    /// Which light it expects.
    WhiteBalance(WhiteBalance),
    /// The same in kelvin: 2300 to 7500, in steps of 25 (others are rounded down).
    WhiteBalanceKelvin(u32),
    /// How long it exposes.
    Exposure(Exposure),
    /// Whether the rate may fall for it.
    ExposurePriority(bool),
    /// How sensitive it is.
    Iso(Iso),
    /// Whether it expects light from behind.
    Backlight(bool),
    /// Which scene it expects: 0 automatic, or 2 to 12.
    Scene(u32),
    /// Whether the program on the device is flat when it next starts.
    Flat(bool),
    /// Whether eyes choose on the device.
    EyeSelection(bool),
    /// What the camera is optimised for, 0 to 6; 2 is latency.
    Optimise(u32),
    /// What it is used for, 0 to 2; 2 is video.
    PrimaryUse(u32),
    /// Whether its lens is kept steady.
    Stabilise(bool),
    /// High contrast, 0 to 2; 0 is without.
    Hdr(u32),
    /// What it looks at for focus and exposure.
    Region(Region),
    /// How urgent a stream is on the device, -2 to 2.
    Priority(Stream, i32),
    /// Whether the device says less.
    Quiet(bool),
    /// Points of a grey or depth camera, to or from a plane.
    MapPoints(Stream, Mapping, Vec<[f32; 2]>),
    /// Where the rig was at these times.
    RigPoses(Vec<Ticks>),
    /// What time it is.
    Now(Clock),
    /// How long spatial input waits for better values, in 100 ns.
    SamplingDelay(i64),
    /// Whether pictures wait before encoders that are made from now on.
    EncoderBuffering(bool),
    /// Whether they wait before they are read.
    ReaderBuffering(bool),
    /// Whether a grey camera's pictures are put in order.
    LoopControl(GreyCamera, bool),
}

impl Command {
    /// What to send.
    ///
    /// # Errors
    ///
    /// The device would close the connection, or not do it.
    pub fn bytes(&self) -> Result<Vec<u8>, Refused> {
        let mut writer = Writer::default();
        let w = &mut writer;
        match self {
            Self::Version => w.u8(0x00),
            Self::UtcOffset => w.u8(0x01),
            Self::Marker(on) => w.u8(0x02).u32((*on).into()),
            Self::VideoStatus => w.u8(0x03),
            Self::Focus(focus) => focus.write(w.u8(0x04))?,
            Self::Denoise(on) => w.u8(0x05).u32((*on).into()),
            Self::WhiteBalance(light) => w.u8(0x06).u32(light.number()),
            Self::WhiteBalanceKelvin(kelvin) => {
                within("white balance", *kelvin, 2300, 7500)?;
                w.u8(0x07).u32(kelvin / 25)
            }
            Self::Exposure(exposure) => exposure.write(w.u8(0x08))?,
            Self::ExposurePriority(on) => w.u8(0x09).u32((*on).into()),
            Self::Iso(iso) => iso.write(w.u8(0x0a))?,
            Self::Backlight(on) => w.u8(0x0b).u32((*on).into()),
            Self::Scene(scene) => {
                let least = if *scene == 0 { 0 } else { 2 };
                within("scene", *scene, least, 12)?;
                w.u8(0x0c).u32(*scene)
            }
            Self::Flat(on) => w.u8(0x0d).u32((*on).into()),
            Self::EyeSelection(on) => w.u8(0x0e).u32((*on).into()),
            Self::Optimise(what) => {
                within("optimisation", *what, 0, 6)?;
                w.u8(0x0f).u32(*what)
            }
            Self::PrimaryUse(what) => {
                within("primary use", *what, 0, 2)?;
                w.u8(0x10).u32(*what)
            }
            Self::Stabilise(on) => w.u8(0x11).u32((*on).into()),
            Self::Hdr(how) => {
                within("high contrast", *how, 0, 2)?;
                w.u8(0x12).u32(*how)
            }
            Self::Region(region) => region.write(w.u8(0x13))?,
            Self::Priority(stream, urgency) => {
                within("priority", *urgency, -2, 2)?;
                w.u8(0x14).u32(stream.port().into()).i32(*urgency)
            }
            Self::Quiet(on) => w.u8(0x15).u32((*on).into()),
            Self::MapPoints(stream, way, points) => map_points(w, *stream, *way, points)?,
            Self::RigPoses(times) => {
                w.u8(0x17).u32(count("times", times.len())?);
                times.iter().fold(w, |w, ticks| w.u64(ticks.0))
            }
            Self::Now(clock) => w.u8(0x18).u32(u32::from(*clock == Clock::Utc)),
            Self::SamplingDelay(ticks) => w.u8(0x19).u64(ticks.cast_unsigned()),
            Self::EncoderBuffering(on) => w.u8(0x20).u32((*on).into()),
            Self::ReaderBuffering(on) => w.u8(0x21).u32((*on).into()),
            Self::LoopControl(camera, on) => {
                let port = Stream::Grey(*camera).port();
                w.u8(0x22).u32(port.into()).u32((*on).into())
            }
        };
        Ok(writer.done())
    }
}

fn map_points<'a>(
    w: &'a mut Writer,
    stream: Stream,
    way: Mapping,
    points: &[[f32; 2]],
) -> Result<&'a mut Writer, Refused> {
    if !matches!(stream, Stream::Grey(_) | Stream::Ahat | Stream::LongThrow) {
        let what = "points that can be mapped";
        return Err(Refused::NotOfThisStream { stream, what });
    }
    finite("point", points.as_flattened())?;
    w.u8(0x16)
        .u32(stream.port().into())
        .u32(u32::from(way == Mapping::ToPixels))
        .u32(count("points", points.len())?);
    Ok(points.iter().fold(w, |w, [x, y]| w.f32(*x).f32(*y)))
}

fn count(what: &'static str, count: usize) -> Result<u32, Refused> {
    let too_many = Refused::TooMany {
        what,
        count,
        most: ITEMS_MAX,
    };
    if count > ITEMS_MAX {
        return Err(too_many);
    }
    u32::try_from(count).map_err(|_| too_many)
}
