//! What the device answers to commands.
//!
//! Owns how long each reply is, which is known before, and what it says.

use super::{Clock, Command};
use crate::bytes::Reader;
use crate::error::Malformed;
use crate::pose::Pose;
use crate::time::{Ticks, UtcOffset};
use crate::version::Version;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To a wish there is none.
    Nothing,
    /// The device's version.
    Version(Version),
    /// Added to the device's time it is the calendar's.
    UtcOffset(UtcOffset),
    /// Whether the colour camera is started.
    VideoStatus(bool),
    /// The points, in the order they were asked for.
    Points(Vec<[f32; 2]>),
    /// Where the rig was, in the order it was asked for; see [`Pose::is_located`].
    Poses(Vec<Pose>),
    /// The device's time.
    Ticks(Ticks),
    /// The calendar's: 100 ns since 1601.
    Utc(u64),
}

impl Command {
    /// How many bytes come back.
    #[must_use]
    pub fn reply_bytes(&self) -> usize {
        match self {
            Self::Version | Self::UtcOffset | Self::Now(_) => 8,
            Self::VideoStatus => 1,
            Self::MapPoints(_, _, points) => points.len().saturating_mul(8),
            Self::RigPoses(times) => times.len().saturating_mul(Pose::BYTES),
            _ => 0,
        }
    }

    /// What they say.
    ///
    /// # Errors
    ///
    /// They are too many, too few, or mean nothing.
    pub fn reply(&self, bytes: &[u8]) -> Result<Reply, Malformed> {
        let size = Malformed::Size {
            what: "reply to a command",
            bytes: bytes.len(),
            wanted: "as many as `reply_bytes` says",
        };
        if bytes.len() != self.reply_bytes() {
            return Err(size);
        }
        let mut reader = Reader::new(bytes);
        let reply = match self {
            Self::Version => Version::read(&mut reader).map(Reply::Version),
            Self::UtcOffset => reader.u64().map(UtcOffset).map(Reply::UtcOffset),
            Self::VideoStatus => match reader.u8() {
                Some(status @ 0..=1) => Some(Reply::VideoStatus(status == 1)),
                Some(value) => {
                    let what = "status of the colour camera";
                    let value = value.into();
                    return Err(Malformed::Meaningless { what, value });
                }
                None => None,
            },
            Self::MapPoints(_, _, points) => {
                let points = points.iter().map(|_| reader.f32s());
                points.collect::<Option<_>>().map(Reply::Points)
            }
            Self::RigPoses(times) => {
                let poses = times.iter().map(|_| Pose::read(&mut reader));
                poses.collect::<Option<_>>().map(Reply::Poses)
            }
            Self::Now(Clock::Ticks) => Ticks::read(&mut reader).map(Reply::Ticks),
            Self::Now(Clock::Utc) => reader.u64().map(Reply::Utc),
            _ => Some(Reply::Nothing),
        };
        reply.ok_or(size)
    }
}
