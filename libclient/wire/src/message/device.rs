//! What is said of a device that sends frames over a network, and of its cameras.
//!
//! Owns the types; never measures anything.

use serde::{Deserialize, Serialize};

/// How a stream that comes over a network does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The version of the program on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether there is a connection now.
    pub connected: bool,
    /// How often there was one before.
    pub reconnects: u64,
    /// Bits that came in the last second.
    pub bits_per_second: u64,
    /// Packets that came in all.
    pub packets: u64,
    /// Packets without a picture, which encoders send now and then.
    pub empty: u64,
    /// Packets of which nothing could be made.
    pub damaged: u64,
    /// Frames that found no slot, or nobody to take them.
    pub dropped: u64,
    /// How much later or earlier than its own time tells a packet comes, as a mean.
    pub jitter_ns: u64,
    /// How long a frame takes from the last byte to being published, as a mean.
    pub publish_ns: u64,
    /// What decodes it, if something must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<String>,
    /// How long that takes, as a mean.
    pub decode_ns: u64,
    /// Frames that were decoded elsewhere and copied.
    pub copied: u64,
    /// How far the capture times can be from the truth; none before that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_ns: Option<u64>,
}

/// What is known of a camera or a sensor. Matrices are by rows, for points as rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// fx, fy, cx, cy in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrinsics: Option<[f32; 4]>,
    /// From the rig to the camera or sensor, 4 x 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extrinsics: Option<[f32; 16]>,
    /// Numbers in a metre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// Where measured distances begin again from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<f32>,
    /// Three factors of radial distortion, then two of tangential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distortion: Option<[f32; 5]>,
    /// The tables in the memfd.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
}

/// A table of 32-bit floats in the memfd beside a calibration, row by row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What it is of.
    pub name: String,
    /// Its first byte.
    pub offset: u64,
    /// How many rows it has.
    pub rows: u32,
    /// How many numbers each of them has.
    pub columns: u32,
}

/// The reply to `GetCalibration`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// None where there is none, or the device has not told it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The place of the memfd with the tables among the descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<u32>,
}
