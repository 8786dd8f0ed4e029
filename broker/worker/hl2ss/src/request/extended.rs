//! Requests to cameras that are not the device's own.
//!
//! Owns these bytes; never which cameras there are: the list of devices says that.

use super::video::{opening, write_pictures};
use super::{
    Answer, CALIBRATION, DepthProfile, NOTHING, OPEN, POSED, Request, check_divisor, writer,
};
use crate::encoding::Encoding;
use crate::error::{Refused, within};
use crate::format::VideoFormat;
use crate::mixed_reality::Hardware;
use crate::setting::{Acquisition, MEDIA_INDEX, STRIDE_MASK, write_options};
use crate::stream::Stream;
use serde::{Deserialize, Serialize};

/// What rows are aligned to unless something else is asked for.
const USUAL_STRIDE_MASK: u32 = 0x3f;

/// Another camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtendedVideo {
    /// Start it with this connection, and not with one before.
    pub open: Option<Hardware>,
    /// Stop it when this connection ends.
    pub close: bool,
    /// Where the rig was, with each picture.
    pub posed: bool,
    /// Size and rate: one of those in the list of devices.
    pub format: VideoFormat,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How.
    pub encoding: Encoding,
    /// What happens to pictures while the last is sent.
    pub acquisition: Option<Acquisition>,
    /// The bits of a row's length that are filled up to 0.
    pub stride_mask: Option<u32>,
}

impl ExtendedVideo {
    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        self.format.check_any()?;
        let mode = if self.posed { POSED } else { 0 };
        let mut writer = writer(opening(mode, self.open.is_some(), self.close));
        if let Some(hardware) = self.open {
            hardware.write(&mut writer);
        }
        let mut options = Vec::new();
        options.extend(self.acquisition.map(Acquisition::pair));
        options.extend(self.stride_mask.map(|mask| (STRIDE_MASK, mask.into())));
        write_pictures(
            &mut writer,
            self.format,
            self.divisor,
            &self.encoding,
            &options,
        )?;
        Ok(Request::packets(Stream::ExtendedVideo, self.posed, writer))
    }

    /// Starts a camera.
    #[must_use]
    pub fn start(hardware: Hardware) -> Request {
        start(Stream::ExtendedVideo, hardware)
    }

    /// Which cameras there are.
    #[must_use]
    pub fn devices() -> Request {
        Request::new(Stream::ExtendedVideo, Answer::Devices, writer(CALIBRATION))
    }
}

/// A depth camera that was plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedDepth {
    /// Start it with this connection, and not with one before.
    pub open: Option<Hardware>,
    /// Stop it when this connection ends.
    pub close: bool,
    /// Where the rig was, with each picture.
    pub posed: bool,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How.
    pub depth: DepthProfile,
    /// Which of the camera's formats.
    pub media_index: u32,
    /// The bits of a row's length that are filled up to 0.
    pub stride_mask: Option<u32>,
}

impl ExtendedDepth {
    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        check_divisor(self.divisor)?;
        within(
            "number of the camera's format",
            self.media_index,
            0,
            i64::from(u32::MAX) - 1,
        )?;
        let mode = if self.posed { POSED } else { 0 };
        let mut writer = writer(opening(mode, self.open.is_some(), self.close));
        if let Some(hardware) = self.open {
            hardware.write(&mut writer);
        }
        writer.u8(self.divisor).u8(self.depth.number());
        let mask = self.stride_mask.unwrap_or(USUAL_STRIDE_MASK);
        let options = [
            (MEDIA_INDEX, self.media_index.into()),
            (STRIDE_MASK, mask.into()),
        ];
        write_options(&mut writer, &options)?;
        Ok(Request::packets(Stream::ExtendedDepth, self.posed, writer))
    }

    /// Starts a camera.
    #[must_use]
    pub fn start(hardware: Hardware) -> Request {
        start(Stream::ExtendedDepth, hardware)
    }
}

fn start(stream: Stream, hardware: Hardware) -> Request {
    let mut writer = writer(NOTHING | OPEN);
    hardware.write(&mut writer);
    Request::new(stream, Answer::Nothing, writer)
}
