//! The messages.
//!
//! Owns their fields; what travels beside one is said there.

use crate::wish::Wish;
use serde::{Deserialize, Serialize};
use streamem_wire::StreamName;

/// What the broker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Fill this stream. Beside it: a socket to publish on.
    Fill {
        /// Which.
        stream: StreamName,
        /// How.
        wish: Box<Wish>,
    },
    /// Fill this stream no longer.
    Leave {
        /// Which.
        stream: StreamName,
    },
    /// Beside it: the connection to the device that was asked for.
    Connected {
        /// To which port of the device.
        port: u16,
    },
    /// The device cannot be reached at this port.
    Unreachable {
        /// Which.
        port: u16,
        /// Why, and what to do.
        why: String,
    },
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// It can begin.
    Ready {
        /// What keeps it in.
        walls: String,
    },
    /// Some walls could not be had. Said before it is ready.
    Missing {
        /// Which, why, and what to do.
        walls: String,
    },
    /// It is not stuck.
    Alive,
    /// It has left all streams, and has no connection to the device.
    Done,
    /// It wants a connection to the device.
    Connect {
        /// To which port.
        port: u16,
    },
    /// A stream has no frames now.
    Lost {
        /// Which.
        stream: StreamName,
        /// Why, and what to do.
        why: String,
    },
    /// A stream has frames.
    Live {
        /// Which.
        stream: StreamName,
    },
    /// How a stream does.
    Figures {
        /// Which.
        stream: StreamName,
        /// How.
        figures: Box<Figures>,
    },
    /// What the device says of a stream's camera. Beside it: a sealed memfd with all of it, as the device sent it.
    Calibration {
        /// Which stream.
        stream: StreamName,
        /// The part that is short.
        calibration: Box<Calibration>,
    },
    /// Something people should know.
    Trouble {
        /// Of which stream, if of one.
        stream: Option<StreamName>,
        /// What.
        what: String,
    },
}

/// How a stream does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
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
    /// Frames that were decoded elsewhere and copied, because the decoder held all slots.
    pub copied: u64,
    /// How far the capture times can be from the truth, as the device's clock is known here; none before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_ns: Option<u64>,
}

/// What is known of a camera or a sensor. Matrices are by rows, for points as rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// fx, fy, cx, cy in pixels: of the picture after it was undistorted, or of the colour camera's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrinsics: Option<[f32; 4]>,
    /// From the rig to the camera or sensor.
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
    /// Tables in the memfd: name, first byte, rows, columns; numbers of 32 bits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<(String, u64, u32, u32)>,
}
