//! Requests for what the device knows of its wearer.
//!
//! Owns these bytes, few as they are; never what comes back.

use super::Request;
use crate::bytes::Writer;
use crate::stream::Stream;
use serde::{Deserialize, Serialize};

/// Head, eyes and hands. They come without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpatialInput;

impl SpatialInput {
    /// Nothing to send.
    #[must_use]
    pub fn stream(self) -> Request {
        Request::packets(Stream::SpatialInput, false, Writer::default())
    }
}

/// The eyes, so often in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Eyes {
    /// 30 times.
    Fps30,
    /// 60 times.
    Fps60,
    /// 90 times.
    Fps90,
}

impl Eyes {
    /// Always with poses.
    #[must_use]
    pub fn stream(self) -> Request {
        let mut writer = Writer::default();
        writer.u8(match self {
            Self::Fps30 => 30,
            Self::Fps60 => 60,
            Self::Fps90 => 90,
        });
        Request::packets(Stream::Eyes, true, writer)
    }
}
