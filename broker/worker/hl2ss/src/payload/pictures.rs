//! Grey pictures and depth.
//!
//! Owns where the parts lie; never decodes them.

use super::split;
use crate::bytes::Reader;
use crate::error::Malformed;
use crate::time::Ticks;

/// A picture of a grey camera, 640x480.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grey<'a> {
    /// Encoded (its luma is the picture), or raw rows of 640 bytes. Empty now and then: the encoder had nothing.
    pub picture: &'a [u8],
    /// When, by the sensor's own clock.
    pub sensor_ticks: Ticks,
    /// How long it was exposed.
    pub exposure_ns: u64,
    /// How much it was amplified.
    pub gain: u32,
}

impl<'a> Grey<'a> {
    /// How much lies behind the picture.
    pub const TRAILER: usize = 24;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is too short.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (what, wanted) = ("grey picture", "at least 24");
        let (picture, mut trailer) = split(what, wanted, payload, Self::TRAILER)?;
        let mut read = || {
            Some(Self {
                picture,
                sensor_ticks: Ticks::read(&mut trailer)?,
                exposure_ns: trailer.u64()?,
                gain: trailer.u32()?,
            })
        };
        read().ok_or(Malformed::Size {
            what,
            bytes: payload.len(),
            wanted,
        })
    }
}

/// A picture of the depth camera for hands, 512x512.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahat<'a> {
    /// Depth, where it is sent by itself; else empty.
    pub depth: &'a [u8],
    /// Brightness, and depth where it is not sent by itself. Empty now and then: the encoder had nothing.
    pub picture: &'a [u8],
    /// When, by the sensor's own clock.
    pub sensor_ticks: Ticks,
}

impl<'a> Ahat<'a> {
    /// How much lies before depth and picture.
    pub const HEAD: usize = 8;
    /// How much lies behind the picture.
    pub const TRAILER: usize = 8;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// Its parts do not fill it.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut read = || {
            let depth = usize::try_from(reader.u32()?).ok()?;
            let picture = usize::try_from(reader.u32()?).ok()?;
            let all = depth.checked_add(picture)?;
            if all.checked_add(Self::HEAD + Self::TRAILER)? != payload.len() {
                return None;
            }
            Some(Self {
                depth: reader.bytes(depth)?,
                picture: reader.bytes(picture)?,
                sensor_ticks: Ticks::read(&mut reader)?,
            })
        };
        read().ok_or(Malformed::Size {
            what: "picture of depth for hands",
            bytes: payload.len(),
            wanted: "16 and the two lengths it begins with",
        })
    }
}

/// A picture of the depth camera for the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongThrow<'a> {
    /// A PNG of 320x288, 8 bits, four channels. With red and blue exchanged its bytes are 288 rows of 320 depths,
    /// then as many of brightness, each 16 bits.
    pub png: &'a [u8],
    /// When, by the sensor's own clock.
    pub sensor_ticks: Ticks,
}

impl<'a> LongThrow<'a> {
    /// How much lies behind the picture.
    pub const TRAILER: usize = 8;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is too short.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (what, wanted) = ("picture of depth of the room", "at least 8");
        let (png, mut trailer) = split(what, wanted, payload, Self::TRAILER)?;
        let sensor_ticks = Ticks::read(&mut trailer).ok_or(Malformed::Size {
            what,
            bytes: payload.len(),
            wanted,
        })?;
        Ok(Self { png, sensor_ticks })
    }
}

/// A picture of a depth camera that was plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendedDepth<'a> {
    /// 16 bits for each pixel, perhaps with more behind, or packed.
    pub depth: &'a [u8],
    /// Pixels in a row, with what fills it up.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl<'a> ExtendedDepth<'a> {
    /// How much lies behind the picture.
    pub const TRAILER: usize = 4;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is too short.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (what, wanted) = ("picture of extended depth", "at least 4");
        let (depth, mut trailer) = split(what, wanted, payload, Self::TRAILER)?;
        let mut read = || {
            Some(Self {
                depth,
                width: trailer.u16()?,
                height: trailer.u16()?,
            })
        };
        read().ok_or(Malformed::Size {
            what,
            bytes: payload.len(),
            wanted,
        })
    }

    /// The pixels of a picture that is not packed; `None` if there are too few.
    #[must_use]
    pub fn raw(&self) -> Option<&'a [u8]> {
        let bytes = usize::from(self.width) * usize::from(self.height) * 2;
        self.depth.get(..bytes)
    }
}
