//! Requests to the colour camera in front.
//!
//! Owns these bytes, and those all cameras that must be started share; never when one is started.

use super::{Answer, CALIBRATION, CLOSE, NOTHING, OPEN, POSED, Request, check_divisor, writer};
use crate::bytes::Writer;
use crate::calibration::VIDEO_BYTES;
use crate::encoding::{Encoding, Pictures, Profile};
use crate::error::Refused;
use crate::format::VideoFormat;
use crate::mixed_reality::MixedReality;
use crate::setting::Acquisition;
use crate::stream::Stream;
use serde::{Deserialize, Serialize};

/// The colour camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// Start it with this connection, and not with one before.
    pub open: Option<MixedReality>,
    /// Stop it when this connection ends.
    pub close: bool,
    /// Where the camera was, with each picture.
    pub posed: bool,
    /// Size and rate.
    pub format: VideoFormat,
    /// One picture of so many is sent.
    pub divisor: u8,
    /// How.
    pub encoding: Encoding,
    /// What happens to pictures while the last is sent; the device's choice is to let them wait.
    pub acquisition: Option<Acquisition>,
}

impl Video {
    /// Every picture, as HEVC, with poses, from a camera that was started.
    #[must_use]
    pub fn new(format: VideoFormat) -> Self {
        Self {
            open: None,
            close: false,
            posed: true,
            format,
            divisor: 1,
            encoding: Encoding::new(Profile::Hevc),
            acquisition: None,
        }
    }

    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        self.format.check_front()?;
        let mut writer = self.begin(if self.posed { POSED } else { 0 })?;
        write_pictures(
            &mut writer,
            self.format,
            self.divisor,
            &self.encoding,
            self.acquisition.map(Acquisition::pair).as_slice(),
        )?;
        Ok(Request::packets(Stream::Video, self.posed, writer))
    }

    /// Its calibration in this format.
    ///
    /// # Errors
    ///
    /// The camera has no such format.
    pub fn calibration(&self) -> Result<Request, Refused> {
        self.format.check_front()?;
        let mut writer = self.begin(CALIBRATION)?;
        self.format.write(&mut writer);
        let answer = Answer::Calibration(VIDEO_BYTES);
        Ok(Request::new(Stream::Video, answer, writer))
    }

    /// Starts the camera. Another connection may then ask for pictures. [`stop`](super::stop) ends that.
    ///
    /// # Errors
    ///
    /// Something is no number.
    pub fn start(how: &MixedReality) -> Result<Request, Refused> {
        let mut writer = writer(NOTHING | OPEN);
        how.write(&mut writer)?;
        Ok(Request::new(Stream::Video, Answer::Nothing, writer))
    }

    fn begin(&self, mode: u8) -> Result<Writer, Refused> {
        let mut writer = writer(opening(mode, self.open.is_some(), self.close));
        if let Some(open) = &self.open {
            open.write(&mut writer)?;
        }
        Ok(writer)
    }
}

pub(super) fn opening(mode: u8, open: bool, close: bool) -> u8 {
    mode | if open { OPEN } else { 0 } | if close { CLOSE } else { 0 }
}

pub(super) fn write_pictures(
    writer: &mut Writer,
    format: VideoFormat,
    divisor: u8,
    encoding: &Encoding,
    options: &[(u64, u64)],
) -> Result<(), Refused> {
    check_divisor(divisor)?;
    format.write(writer);
    writer.u8(divisor);
    let pictures = Pictures {
        width: format.width,
        height: format.height,
        fps: format.fps,
        times: 1,
    };
    encoding.write(writer, pictures, options)
}
