//! What can be wrong: with what somebody wishes, and with what came from the device.
//!
//! Owns the sentences; never decides whether to try again.

use crate::stream::Stream;
use crate::version::Version;

/// A wish the device would answer by closing the connection without a word, so it is not sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A number the device does not take.
    #[error("{what} is {value}, and the device takes {least} to {most} (choose one of these)")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// What it was.
        value: i64,
        /// The least that is taken.
        least: i64,
        /// The most that is taken.
        most: i64,
    },
    /// The front camera has no such mode.
    #[error(
        "the front camera has no {width}x{height} at {fps}/s (choose one of `VideoFormat::all`, such as 1920x1080 at 30/s)"
    )]
    NoSuchFormat {
        /// Pixels in a row.
        width: u16,
        /// Rows.
        height: u16,
        /// Pictures in a second.
        fps: u8,
    },
    /// The level is not one of the codec's.
    #[error(
        "level {level} is none of {codec} (leave it to the encoder, or choose one of {levels:?})"
    )]
    NoSuchLevel {
        /// The codec.
        codec: &'static str,
        /// What was asked for.
        level: u8,
        /// Those there are.
        levels: &'static [u8],
    },
    /// More of something than the request can count, or than is reasonable.
    #[error("{count} {what} are too many for one request (at most {most}; make several)")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Infinite, or no number at all.
    #[error("{what} is no finite number (give one)")]
    NotFinite {
        /// Which number.
        what: &'static str,
    },
    /// This stream does not have that.
    #[error("the {stream} has no {what} (ask another stream, or do without)")]
    NotOfThisStream {
        /// The stream.
        stream: Stream,
        /// What was asked for.
        what: &'static str,
    },
}

/// Bytes that cannot have come from a device in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A packet is announced with a length this stream cannot have.
    #[error(
        "the {stream} announces a payload of {bytes} bytes, which has {least} to {most} (close the connection: \
         what follows cannot be found; was the request sent to port {}?)", stream.port()
    )]
    Length {
        /// The stream.
        stream: Stream,
        /// What the header says.
        bytes: u32,
        /// The least it can be.
        least: u32,
        /// The most it can be.
        most: u32,
    },
    /// Too short, too long or not a multiple of what it is made of.
    #[error(
        "the {what} has {bytes} bytes and needs {wanted} (drop it; if it comes again, compare the versions)"
    )]
    Size {
        /// What was read.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it must be.
        wanted: &'static str,
    },
    /// A field has a value that means nothing.
    #[error(
        "the {what} says {value}, which means nothing (drop it; if it comes again, compare the versions)"
    )]
    Meaningless {
        /// What was read.
        what: &'static str,
        /// What it says.
        value: u64,
    },
    /// The list of devices is too long to be one.
    #[error(
        "the list of devices announces {bytes} bytes, more than the {most} one may have (close the connection)"
    )]
    LongList {
        /// What it announces.
        bytes: u32,
        /// What it may have.
        most: u32,
    },
    /// The list of devices is not UTF-16.
    #[error(
        "the list of devices is not text in UTF-16 (ask again; if that does not help, compare the versions)"
    )]
    NotText,
}

/// More bytes were placed than the packet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{placed} bytes were placed where {wanted} were wanted (receive no more than `wants` says)"
)]
pub struct Misplaced {
    /// How many were placed.
    pub placed: u32,
    /// How many of the payload were missing.
    pub wanted: u32,
}

/// Memory that is not as large as what belongs into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {what} has {bytes} bytes and needs {wanted} (give it so many)")]
pub struct WrongSize {
    /// Of what.
    pub what: &'static str,
    /// How many there are.
    pub bytes: usize,
    /// How many are needed.
    pub wanted: usize,
}

/// Why depth was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepthFault {
    /// What came from the device is to blame.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What it was to be written to is.
    #[error(transparent)]
    WrongSize(#[from] WrongSize),
}

/// A device whose protocol is older than the one spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the device has version {0}, whose packets differ (install {least} or newer on it)", least = Version::OLDEST)]
pub struct TooOld(pub Version);

/// `value`, if the device takes it.
pub(crate) fn within(
    what: &'static str,
    value: impl Into<i64>,
    least: i64,
    most: i64,
) -> Result<(), Refused> {
    let value = value.into();
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Refused::OutOfRange {
        what,
        value,
        least,
        most,
    })
}

/// The numbers, if they are finite.
pub(crate) fn finite(what: &'static str, values: &[f32]) -> Result<(), Refused> {
    if values.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(Refused::NotFinite { what })
    }
}
