//! How the device shall encode sound.
//!
//! Owns rates and levels; never encodes or decodes.

use crate::bytes::Writer;
use serde::{Deserialize, Serialize};

/// Bytes in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AacRate {
    /// 12000.
    B12000,
    /// 16000.
    B16000,
    /// 20000.
    B20000,
    /// 24000.
    B24000,
}

/// Which AAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AacLevel {
    /// Plain, level 2.
    Plain2,
    /// Plain, level 4.
    Plain4,
    /// Plain, level 5.
    Plain5,
    /// High efficiency, level 2.
    He2,
    /// High efficiency, level 4.
    He4,
    /// High efficiency, level 5.
    He5,
    /// High efficiency version 2, level 2.
    HeV2L2,
    /// High efficiency version 2, level 3.
    HeV2L3,
    /// High efficiency version 2, level 4.
    HeV2L4,
    /// High efficiency version 2, level 5.
    HeV2L5,
}

impl AacLevel {
    const fn number(self) -> u8 {
        match self {
            Self::Plain2 => 0x29,
            Self::Plain4 => 0x2a,
            Self::Plain5 => 0x2b,
            Self::He2 => 0x2c,
            Self::He4 => 0x2e,
            Self::He5 => 0x2f,
            Self::HeV2L2 => 0x30,
            Self::HeV2L3 => 0x31,
            Self::HeV2L4 => 0x32,
            Self::HeV2L5 => 0x33,
        }
    }
}

/// AAC at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Aac {
    /// Bytes in a second.
    pub rate: AacRate,
    /// Which.
    pub level: AacLevel,
}

impl Default for Aac {
    fn default() -> Self {
        Self {
            rate: AacRate::B24000,
            level: AacLevel::Plain2,
        }
    }
}

const RAW: u8 = 255;

impl Aac {
    pub(crate) fn write(self, writer: &mut Writer) {
        let rate = match self.rate {
            AacRate::B12000 => 0,
            AacRate::B16000 => 1,
            AacRate::B20000 => 2,
            AacRate::B24000 => 3,
        };
        writer.u8(rate).u8(self.level.number());
    }
}

pub(crate) fn write_raw(writer: &mut Writer, level: u8) {
    writer.u8(RAW).u8(level);
}

/// What the microphone's level says of raw sound.
pub(crate) const RAW_STEREO: u8 = AacLevel::Plain2.number();
pub(crate) const RAW_ARRAY: u8 = AacLevel::Plain5.number();
