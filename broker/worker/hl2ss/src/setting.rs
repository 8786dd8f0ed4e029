//! What an encoder can be told beside codec, level and bitrate.
//!
//! Owns the keys; never what an encoder makes of the values: what it does not know it ignores.

use crate::bytes::Writer;
use crate::error::Refused;
use serde::{Deserialize, Serialize};

pub(crate) const OFFSET_BY_EXPOSURE: u64 = u64::MAX;
pub(crate) const OFFSET: u64 = u64::MAX - 1;
pub(crate) const ACQUISITION: u64 = u64::MAX - 2;
pub(crate) const STRIDE_MASK: u64 = u64::MAX - 3;
pub(crate) const MEDIA_INDEX: u64 = u64::MAX - 4;

/// One property of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    /// How the bitrate is kept.
    RateControl(u32),
    /// Quality instead of bitrate.
    Quality(u32),
    /// How it adapts.
    Adaptive(u32),
    /// The size of its buffer.
    BufferSize(u32),
    /// The most bits in a second.
    MostBitrate(u32),
    /// The mean of bits in a second.
    MeanBitrate(u32),
    /// Quality against speed.
    QualityOrSpeed(u32),
    /// Arithmetic coding.
    Cabac(bool),
    /// The number of the sequence's parameters.
    SequenceId(u32),
    /// Pictures that need a later one.
    BPictures(u32),
    /// Pictures from key frame to key frame.
    Gop(u32),
    /// How many threads encode.
    Threads(u32),
    /// What kind of picture it is.
    ContentType(u32),
    /// The quantiser.
    Quantiser(u64),
    /// A key frame now.
    ForceKeyFrame(u32),
    /// The least quantiser.
    LeastQuantiser(u32),
    /// No picture is held back.
    LowLatency(bool),
    /// The greatest quantiser.
    MostQuantiser(u32),
    /// What kind of picture is shown.
    DisplayContentType(u32),
}

impl Setting {
    pub(crate) fn pair(self) -> (u64, u64) {
        match self {
            Self::RateControl(value) => (0, value.into()),
            Self::Quality(value) => (1, value.into()),
            Self::Adaptive(value) => (2, value.into()),
            Self::BufferSize(value) => (3, value.into()),
            Self::MostBitrate(value) => (4, value.into()),
            Self::MeanBitrate(value) => (5, value.into()),
            Self::QualityOrSpeed(value) => (6, value.into()),
            Self::Cabac(value) => (7, value.into()),
            Self::SequenceId(value) => (8, value.into()),
            Self::BPictures(value) => (9, value.into()),
            Self::Gop(value) => (10, value.into()),
            Self::Threads(value) => (11, value.into()),
            Self::ContentType(value) => (12, value.into()),
            Self::Quantiser(value) => (13, value),
            Self::ForceKeyFrame(value) => (14, value.into()),
            Self::LeastQuantiser(value) => (15, value.into()),
            Self::LowLatency(value) => (16, value.into()),
            Self::MostQuantiser(value) => (17, value.into()),
            Self::DisplayContentType(value) => (18, value.into()),
        }
    }
}

/// How the colour camera hands pictures over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acquisition {
    /// A picture that comes while the last is still being sent is dropped.
    Realtime,
    /// It waits, and so does every later one.
    Buffered,
}

impl Acquisition {
    pub(crate) fn pair(self) -> (u64, u64) {
        (ACQUISITION, u64::from(self == Self::Buffered))
    }
}

pub(crate) fn write_options(writer: &mut Writer, options: &[(u64, u64)]) -> Result<(), Refused> {
    let count = u8::try_from(options.len()).map_err(|_| Refused::TooMany {
        what: "settings",
        count: options.len(),
        most: u8::MAX.into(),
    })?;
    writer.u8(count);
    for (key, value) in options {
        writer.u64(*key).u64(*value);
    }
    Ok(())
}
