//! The formats a frame can have, and what follows from each name alone.
//!
//! Owns the table of formats; never computes a size in bytes (see `layout`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! formats {
    ($($variant:ident $name:literal $fourcc:literal $doc:literal),* $(,)?) => {
        /// How the bytes of a frame are to be read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Format { $(#[doc = $doc] $variant),* }

        impl Format {
            /// All formats, in the order of the table.
            pub const ALL: &[Format] = &[$(Format::$variant),*];

            /// The name used in URIs, on the wire and by people.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Format::$variant => $name),* }
            }

            /// The four-character code: DRM's where the format is an image DRM knows, else V4L2's,
            /// else one of ours.
            #[must_use]
            pub fn fourcc(self) -> &'static str {
                match self { $(Format::$variant => $fourcc),* }
            }
        }
    };
}

formats! {
    Rgb24 "rgb24" "BG24" "bytes R, G, B",
    Bgr24 "bgr24" "RG24" "bytes B, G, R: what OpenCV expects",
    Rgba "rgba" "AB24" "bytes R, G, B, A",
    Bgra "bgra" "AR24" "bytes B, G, R, A",
    Gray8 "gray8" "R8  " "one byte of brightness",
    Gray16 "gray16" "R16 " "16-bit brightness",
    Depth16 "depth16" "Z16 " "16-bit distance",
    Yuyv "yuyv" "YUYV" "4:2:2 packed, bytes Y0, U, Y1, V",
    Uyvy "uyvy" "UYVY" "4:2:2 packed, bytes U, Y0, V, Y1",
    Nv12 "nv12" "NV12" "4:2:0, a Y plane and an interleaved UV plane",
    I420 "i420" "YU12" "4:2:0, planes Y, U, V",
    P010 "p010" "P010" "4:2:0 with 10 bits in the high part of 16, a Y plane and a UV plane",
    Mjpeg "mjpeg" "MJPG" "one JPEG image, as long as it happens to be",
    H264 "h264" "H264" "one H.264 access unit",
    H265 "h265" "HEVC" "one H.265 access unit",
    F32 "f32" "F32P" "audio, 32-bit float, one row for each channel",
    S16 "s16" "S16P" "audio, 16-bit, one row for each channel",
    Batch "batch" "BTCH" "records of named fields, such as IMU samples",
}

/// What sort of thing a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An uncompressed picture.
    Video,
    /// Compressed bytes of a picture.
    Packet,
    /// A block of audio samples.
    Audio,
    /// A batch of records.
    Batch,
}

impl Format {
    /// What sort of thing a frame of this format is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Format::Mjpeg | Format::H264 | Format::H265 => Kind::Packet,
            Format::F32 | Format::S16 => Kind::Audio,
            Format::Batch => Kind::Batch,
            _ => Kind::Video,
        }
    }

    /// The numpy name of one element.
    #[must_use]
    pub fn dtype(self) -> &'static str {
        match self {
            Format::Gray16 | Format::Depth16 | Format::P010 => "<u2",
            Format::F32 => "<f4",
            Format::S16 => "<i2",
            _ => "|u1",
        }
    }

    /// Bytes of one element.
    #[must_use]
    pub fn element_bytes(self) -> usize {
        match self {
            Format::Gray16 | Format::Depth16 | Format::P010 | Format::S16 => 2,
            Format::F32 => 4,
            _ => 1,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A name that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format; there are {list}", list = Format::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", "))]
pub struct NoSuchFormat(pub String);

impl FromStr for Format {
    type Err = NoSuchFormat;

    fn from_str(text: &str) -> Result<Format, NoSuchFormat> {
        let found = Format::ALL.iter().find(|format| format.name() == text);
        found.copied().ok_or_else(|| NoSuchFormat(text.to_owned()))
    }
}
