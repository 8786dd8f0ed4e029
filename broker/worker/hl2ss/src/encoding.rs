//! How the device shall encode pictures.
//!
//! Owns codecs, levels and what is sent when nothing was chosen; never encodes or decodes.

use crate::bytes::Writer;
use crate::error::{Refused, within};
use crate::setting::{Setting, write_options};
use serde::{Deserialize, Serialize};

const H264_LEVELS: &[u8] = &[
    10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52,
];
const HEVC_LEVELS: &[u8] = &[30, 60, 63, 90, 93, 120, 123, 150, 153, 156, 180, 183, 186];
const LEVEL_OF_THE_ENCODER: u8 = 255;

/// The codec, and which of its tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Profile {
    /// H.264 with the least.
    H264Base,
    /// H.264 as usual.
    H264Main,
    /// H.264 with all.
    H264High,
    /// HEVC, 8 bits.
    Hevc,
    /// Not encoded.
    Raw,
}

impl Profile {
    const fn number(self) -> u8 {
        match self {
            Self::H264Base => 0,
            Self::H264Main => 1,
            Self::H264High => 2,
            Self::Hevc => 3,
            Self::Raw => 255,
        }
    }

    /// For one pixel of the picture so many bits are spent, times 12.
    const fn less(self) -> u64 {
        match self {
            Self::H264Base | Self::H264Main | Self::H264High => 75,
            Self::Hevc => 150,
            Self::Raw => 1,
        }
    }
}

/// How pictures are encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The codec.
    pub profile: Profile,
    /// A level of the codec; the encoder's own choice unless given.
    pub level: Option<u8>,
    /// Bits in a second; by size and rate of the pictures unless given.
    pub bitrate: Option<u32>,
    /// What else the encoder is told. A key frame comes every second unless [`Setting::Gop`] is among them.
    pub settings: Vec<Setting>,
}

impl Encoding {
    /// With this codec, and everything else as the device would have it.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            level: None,
            bitrate: None,
            settings: Vec::new(),
        }
    }

    pub(crate) fn write(
        &self,
        writer: &mut Writer,
        pictures: Pictures,
        beside: &[(u64, u64)],
    ) -> Result<(), Refused> {
        let bitrate = match self.bitrate {
            Some(bitrate) => bitrate,
            None => self.usual_bitrate(pictures),
        };
        within("bitrate", bitrate, 1, u32::MAX.into())?;
        let level = self.checked_level()?;
        writer.u8(self.profile.number()).u8(level).u32(bitrate);
        let raw = self.profile == Profile::Raw;
        let usual = Setting::Gop(if raw { 1 } else { pictures.fps.into() });
        let has_gop = self.settings.iter().any(|it| matches!(it, Setting::Gop(_)));
        let mut options: Vec<(u64, u64)> = Vec::new();
        options.extend((!has_gop).then_some(usual.pair()));
        options.extend(self.settings.iter().map(|setting| setting.pair()));
        options.extend(beside);
        write_options(writer, &options)
    }

    fn usual_bitrate(&self, pictures: Pictures) -> u32 {
        let pixels = u64::from(pictures.width) * u64::from(pictures.height);
        let bits = pixels * u64::from(pictures.fps) * 12 / self.profile.less();
        u32::try_from(bits * pictures.times).unwrap_or(u32::MAX)
    }

    fn checked_level(&self) -> Result<u8, Refused> {
        let Some(level) = self.level else {
            return Ok(LEVEL_OF_THE_ENCODER);
        };
        let (codec, levels) = match self.profile {
            Profile::H264Base | Profile::H264Main | Profile::H264High => ("H.264", H264_LEVELS),
            Profile::Hevc => ("HEVC", HEVC_LEVELS),
            Profile::Raw => ("raw pictures", &[][..]),
        };
        if levels.contains(&level) {
            return Ok(level);
        }
        Err(Refused::NoSuchLevel {
            codec,
            level,
            levels,
        })
    }
}

/// What there is to encode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pictures {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) fps: u8,
    /// How much more than a usual picture one holds.
    pub(crate) times: u64,
}
