//! Pictures of the colour camera, and of other cameras.
//!
//! Owns what is said of a picture behind it; never decodes it.

use super::split;
use crate::error::Malformed;

/// What the camera's focus is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Nothing yet.
    Unset,
    /// It was lost.
    Lost,
    /// It is being looked for.
    Searching,
    /// It was found.
    Focused,
    /// It was not found.
    Failed,
    /// Something this protocol does not name.
    Other(u32),
}

/// A picture, and what is said of it. Of other cameras only size and picture are known, and all else is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Video<'a> {
    /// Encoded, or raw: then two planes (NV12) of equal stride. Empty now and then: the encoder had nothing.
    pub picture: &'a [u8],
    /// In pixels.
    pub focal_length: [f32; 2],
    /// In pixels.
    pub principal_point: [f32; 2],
    /// How long it was exposed, in 100 ns.
    pub exposure_ticks: u64,
    /// Flags, and the value.
    pub exposure_compensation: [u64; 2],
    /// Where the lens is.
    pub lens_position: u32,
    /// What its focus is doing.
    pub focus: Focus,
    /// How sensitive the sensor was.
    pub iso_speed: u32,
    /// In kelvin.
    pub white_balance: u32,
    /// Two factors by which the sensor was amplified for it.
    pub iso_gains: [f32; 2],
    /// How much each colour was amplified for it.
    pub white_balance_gains: [f32; 3],
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl<'a> Video<'a> {
    /// How much lies behind the picture.
    pub const TRAILER: usize = 80;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is too short.
    pub fn of(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (what, wanted) = ("video picture", "at least 80");
        let (picture, mut trailer) = split(what, wanted, payload, Self::TRAILER)?;
        let mut read = || {
            Some(Self {
                picture,
                focal_length: trailer.f32s()?,
                principal_point: trailer.f32s()?,
                exposure_ticks: trailer.u64()?,
                exposure_compensation: [trailer.u64()?, trailer.u64()?],
                lens_position: trailer.u32()?,
                focus: Focus::of(trailer.u32()?),
                iso_speed: trailer.u32()?,
                white_balance: trailer.u32()?,
                iso_gains: trailer.f32s()?,
                white_balance_gains: trailer.f32s()?,
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

    /// How many bytes a row of a raw NV12 picture has; `None` if these bytes are no such picture of this size.
    #[must_use]
    pub fn raw_stride(&self) -> Option<usize> {
        let height = usize::from(self.height);
        let halves = self.picture.len().checked_mul(2)?;
        let stride = halves.checked_div(height * 3)?;
        let fits = stride * height * 3 == halves && stride >= usize::from(self.width);
        (fits && height.is_multiple_of(2)).then_some(stride)
    }
}

impl Focus {
    fn of(number: u32) -> Self {
        match number {
            0 => Self::Unset,
            1 => Self::Lost,
            2 => Self::Searching,
            3 => Self::Focused,
            4 => Self::Failed,
            other => Self::Other(other),
        }
    }
}
