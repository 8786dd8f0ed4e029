//! Requests to the grey cameras, the two depth cameras and the sensors of movement.
//!
//! Owns these bytes; never which stream is worth having.

use super::{POSED, Request, check_divisor, writer};
use crate::encoding::{Encoding, Pictures, Profile};
use crate::error::Refused;
use crate::setting::{OFFSET, OFFSET_BY_EXPOSURE};
use crate::stream::{GreyCamera, Sensor, Stream};
use serde::{Deserialize, Serialize};

/// How the time of a grey picture is moved to when it was exposed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TickOffset {
    /// This part of the exposure is added.
    pub of_exposure: f64,
    /// And so many ticks of 100 ns.
    pub ticks: i64,
}

impl Default for TickOffset {
    fn default() -> Self {
        Self {
            of_exposure: 0.0,
            ticks: -125_000,
        }
    }
}

/// A grey camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grey {
    /// Which.
    pub camera: GreyCamera,
    /// Where the rig was, with each picture.
    pub posed: bool,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How.
    pub encoding: Encoding,
    /// How its time is moved.
    pub offset: TickOffset,
}

impl Grey {
    /// Every picture, as HEVC, with poses.
    #[must_use]
    pub fn new(camera: GreyCamera) -> Self {
        Self {
            camera,
            posed: true,
            divisor: 1,
            encoding: Encoding::new(Profile::Hevc),
            offset: TickOffset::default(),
        }
    }

    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        check_divisor(self.divisor)?;
        let pictures = Pictures {
            width: 640,
            height: 480,
            fps: 30,
            times: 1,
        };
        if !self.offset.of_exposure.is_finite() {
            let what = "part of the exposure";
            return Err(Refused::NotFinite { what });
        }
        let offsets = [
            (OFFSET_BY_EXPOSURE, self.offset.of_exposure.to_bits()),
            (OFFSET, self.offset.ticks.cast_unsigned()),
        ];
        let mut writer = writer(if self.posed { POSED } else { 0 });
        writer.u8(self.divisor);
        self.encoding.write(&mut writer, pictures, &offsets)?;
        Ok(Request::packets(
            Stream::Grey(self.camera),
            self.posed,
            writer,
        ))
    }
}

/// How depth is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepthProfile {
    /// In one picture with the brightness (AHAT), or raw.
    Same,
    /// Packed by itself, almost without loss.
    Zdepth,
}

impl DepthProfile {
    pub(super) fn number(self) -> u8 {
        u8::from(self == Self::Zdepth)
    }
}

/// Depth for hands, with the brightness it was measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ahat {
    /// Where the rig was, with each picture.
    pub posed: bool,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How depth is sent.
    pub depth: DepthProfile,
    /// How the picture is: brightness, or both.
    pub encoding: Encoding,
}

impl Ahat {
    /// Every picture, with poses.
    #[must_use]
    pub fn new(depth: DepthProfile, profile: Profile) -> Self {
        Self {
            posed: true,
            divisor: 1,
            depth,
            encoding: Encoding::new(profile),
        }
    }

    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        check_divisor(self.divisor)?;
        let pictures = Pictures {
            width: 512,
            height: 512,
            fps: 45,
            times: if self.depth == DepthProfile::Same {
                16
            } else {
                1
            },
        };
        let mut writer = writer(if self.posed { POSED } else { 0 });
        writer.u8(self.divisor).u8(self.depth.number());
        self.encoding.write(&mut writer, pictures, &[])?;
        Ok(Request::packets(Stream::Ahat, self.posed, writer))
    }
}

/// How rows of a PNG are prepared: only its size depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PngFilter {
    /// The device's choice.
    Auto,
    /// Not at all.
    Plain,
    /// By the pixel before.
    Sub,
    /// By the row above.
    Up,
    /// By both.
    Average,
    /// By the likeliest of three.
    Paeth,
    /// Row by row.
    Adaptive,
}

/// Depth of the room, with the brightness it was measured by, as PNG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongThrow {
    /// Where the rig was, with each picture.
    pub posed: bool,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How it is packed.
    pub filter: PngFilter,
}

impl LongThrow {
    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        check_divisor(self.divisor)?;
        let filter = match self.filter {
            PngFilter::Auto => 0,
            PngFilter::Plain => 1,
            PngFilter::Sub => 2,
            PngFilter::Up => 3,
            PngFilter::Average => 4,
            PngFilter::Paeth => 5,
            PngFilter::Adaptive => 6,
        };
        let mut writer = writer(if self.posed { POSED } else { 0 });
        writer.u8(self.divisor).u32(filter);
        Ok(Request::packets(Stream::LongThrow, self.posed, writer))
    }
}

/// A sensor of movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imu {
    /// Which.
    pub sensor: Sensor,
    /// Where the rig was, with each batch.
    pub posed: bool,
}

impl Imu {
    /// Its batches.
    #[must_use]
    pub fn stream(&self) -> Request {
        let writer = writer(if self.posed { POSED } else { 0 });
        Request::packets(Stream::Imu(self.sensor), self.posed, writer)
    }
}
