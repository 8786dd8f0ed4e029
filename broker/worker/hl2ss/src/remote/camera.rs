//! What the colour camera can be told while it runs.
//!
//! Owns the values it takes; never when they take effect.

use crate::bytes::Writer;
use crate::error::{Refused, finite, within};

/// When it focuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FocusMode {
    /// When it thinks so.
    Auto,
    /// Once.
    Single,
    /// Always.
    Continuous,
    /// Never: at the value given.
    Manual,
}

/// Where it looks for focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FocusRange {
    /// Everywhere.
    Full,
    /// Near.
    Macro,
    /// Not near.
    Normal,
}

/// Where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Far away.
    Infinity,
    /// As near as can be.
    Nearest,
}

/// How it focuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus {
    /// When.
    pub mode: FocusMode,
    /// Where it looks.
    pub range: FocusRange,
    /// Where it begins.
    pub distance: Distance,
    /// Where the lens is in [`FocusMode::Manual`]: 170 to 10000.
    pub value: u32,
    /// It gives up instead of trying something else.
    pub no_fallback: bool,
}

impl Focus {
    pub(super) fn write(self, writer: &mut Writer) -> Result<&mut Writer, Refused> {
        within("focus", self.value, 170, 10_000)?;
        let mode = match self.mode {
            FocusMode::Auto => 0,
            FocusMode::Single => 1,
            FocusMode::Continuous => 2,
            FocusMode::Manual => 3,
        };
        let range = match self.range {
            FocusRange::Full => 0,
            FocusRange::Macro => 1,
            FocusRange::Normal => 2,
        };
        let distance = match self.distance {
            Distance::Infinity => 0,
            Distance::Nearest => 2,
        };
        Ok(writer
            .u32(mode)
            .u32(range)
            .u32(distance)
            .u32(self.value)
            .u32(self.no_fallback.into()))
    }
}

/// Which light it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhiteBalance {
    /// It looks for itself.
    Auto,
    /// What is given in kelvin.
    Manual,
    /// Clouds.
    Cloudy,
    /// The sun.
    Daylight,
    /// A flash.
    Flash,
    /// Tubes.
    Fluorescent,
    /// Bulbs.
    Tungsten,
    /// Candles.
    Candlelight,
}

impl WhiteBalance {
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Auto => 0,
            Self::Manual => 1,
            Self::Cloudy => 2,
            Self::Daylight => 3,
            Self::Flash => 4,
            Self::Fluorescent => 5,
            Self::Tungsten => 6,
            Self::Candlelight => 7,
        }
    }
}

/// How long it exposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// As it thinks.
    Auto,
    /// So many microseconds: 100 to 66000.
    Micros(u32),
}

impl Exposure {
    pub(super) fn write(self, writer: &mut Writer) -> Result<&mut Writer, Refused> {
        let (auto, micros) = match self {
            Self::Auto => (1, 100),
            Self::Micros(micros) => (0, micros),
        };
        within("exposure", micros, 100, 66_000)?;
        Ok(writer.u32(auto).u32(micros))
    }
}

/// How sensitive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iso {
    /// As it thinks.
    Auto,
    /// So much: 100 to 3200.
    Speed(u32),
}

impl Iso {
    pub(super) fn write(self, writer: &mut Writer) -> Result<&mut Writer, Refused> {
        let (auto, speed) = match self {
            Self::Auto => (1, 100),
            Self::Speed(speed) => (0, speed),
        };
        within("ISO speed", speed, 100, 3200)?;
        Ok(writer.u32(auto).u32(speed))
    }
}

/// What it looks at for focus and exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Forget those of before.
    pub clear: bool,
    /// Add this one.
    pub set: bool,
    /// It counts for exposure.
    pub for_exposure: bool,
    /// It counts for focus.
    pub for_focus: bool,
    /// The place is in parts of the picture, not in pixels.
    pub normalised: bool,
    /// It is a face.
    pub face: bool,
    /// How much it counts, 0 to 127.
    pub weight: u8,
    /// x, y, width, height.
    pub place: [f32; 4],
}

impl Region {
    pub(super) fn write(self, writer: &mut Writer) -> Result<&mut Writer, Refused> {
        within("weight", self.weight, 0, 127)?;
        finite("place of the region", &self.place)?;
        let bit = |set: bool, bit: u32| u32::from(set) << bit;
        let flags = bit(self.clear, 12)
            | bit(self.set, 11)
            | bit(self.for_exposure, 10)
            | bit(self.for_focus, 9)
            | bit(self.normalised, 8)
            | bit(self.face, 7)
            | u32::from(self.weight);
        let [x, y, width, height] = self.place;
        Ok(writer.u32(flags).f32(x).f32(y).f32(width).f32(height))
    }
}
