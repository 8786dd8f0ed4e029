//! Size and rate of the pictures of the colour camera.
//!
//! Owns the list of those there are; never which is best.

use crate::bytes::Writer;
use crate::error::{Refused, within};
use serde::{Deserialize, Serialize};

const SIZES: [(u16, u16, &[u8]); 10] = [
    (1952, 1100, &[60, 30, 15]),
    (1504, 846, &[60, 30, 15, 5]),
    (1920, 1080, &[30, 15]),
    (1280, 720, &[30, 15]),
    (640, 360, &[30, 15]),
    (760, 428, &[30, 15]),
    (960, 540, &[30, 15]),
    (1128, 636, &[30, 15]),
    (424, 240, &[30, 15]),
    (500, 282, &[30, 15]),
];

/// Size and rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VideoFormat {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Pictures in a second.
    pub fps: u8,
}

impl VideoFormat {
    /// This size at this rate.
    #[must_use]
    pub const fn new(width: u16, height: u16, fps: u8) -> Self {
        Self { width, height, fps }
    }

    /// Those of the camera in front.
    pub fn all() -> impl Iterator<Item = Self> {
        SIZES.iter().flat_map(|(width, height, rates)| {
            rates.iter().map(|fps| Self::new(*width, *height, *fps))
        })
    }

    pub(crate) fn check_front(self) -> Result<(), Refused> {
        if Self::all().any(|format| format == self) {
            return Ok(());
        }
        Err(Refused::NoSuchFormat {
            width: self.width,
            height: self.height,
            fps: self.fps,
        })
    }

    pub(crate) fn check_any(self) -> Result<(), Refused> {
        within("width", self.width, 1, u16::MAX.into())?;
        within("height", self.height, 1, u16::MAX.into())?;
        within("rate", self.fps, 1, u8::MAX.into())
    }

    pub(crate) fn write(self, writer: &mut Writer) {
        writer.u16(self.width).u16(self.height).u8(self.fps);
    }
}
