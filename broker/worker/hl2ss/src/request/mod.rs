//! What is said to the device at the beginning of a connection, stream by stream.
//!
//! Owns the bytes and what will answer them. What the device would refuse without a word is refused here, with one;
//! never sends anything.

mod extended;
mod research;
mod sensing;
mod sound;
mod video;

pub use extended::{ExtendedDepth, ExtendedVideo};
pub use research::{Ahat, DepthProfile, Grey, Imu, LongThrow, PngFilter, TickOffset};
pub use sensing::{Eyes, SpatialInput};
pub use sound::{Capture, ExtendedAudio, ExtendedSound, Microphone, Mixer, PassThrough};
pub use video::Video;

use crate::bytes::Writer;
use crate::error::{Refused, within};
use crate::stream::Stream;

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Packets without end: see [`Packets`](crate::Packets).
    Packets {
        /// Each ends with a pose.
        posed: bool,
    },
    /// A calibration of so many bytes, then the connection is closed: see [`calibration`](mod@crate::calibration).
    Calibration(usize),
    /// A list of devices, then the connection is closed: see [`devices`](crate::devices).
    Devices,
    /// Nothing. Close the connection when it is sent, and ask [`Command::VideoStatus`](crate::Command::VideoStatus)
    /// what came of it.
    Nothing,
}

/// The bytes to send first, and what they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    stream: Stream,
    answer: Answer,
    bytes: Vec<u8>,
}

impl Request {
    /// The stream, and so the port it is sent to.
    #[must_use]
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// What comes back.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// What to send. Empty where the device sends without being asked.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn new(stream: Stream, answer: Answer, writer: Writer) -> Self {
        Self {
            stream,
            answer,
            bytes: writer.done(),
        }
    }

    fn packets(stream: Stream, posed: bool, writer: Writer) -> Self {
        Self::new(stream, Answer::Packets { posed }, writer)
    }
}

const POSED: u8 = 1;
const CALIBRATION: u8 = 2;
const NOTHING: u8 = 3;
const OPEN: u8 = 4;
const CLOSE: u8 = 8;

fn writer(mode: u8) -> Writer {
    let mut writer = Writer::default();
    writer.u8(mode);
    writer
}

fn check_divisor(divisor: u8) -> Result<(), Refused> {
    within("divisor", divisor, 1, u8::MAX.into())
}

/// The calibration of a camera or sensor. That of the personal video depends on its size:
/// see [`Video::calibration`].
///
/// # Errors
///
/// The stream has none, or none without a size.
pub fn calibration(stream: Stream) -> Result<Request, Refused> {
    let bytes = match (stream, stream.calibration_bytes()) {
        (_, None) => {
            let what = "calibration";
            return Err(Refused::NotOfThisStream { stream, what });
        }
        (Stream::Video, _) => {
            let what = "calibration without a size";
            return Err(Refused::NotOfThisStream { stream, what });
        }
        (_, Some(bytes)) => bytes,
    };
    let answer = Answer::Calibration(bytes);
    Ok(Request::new(stream, answer, writer(CALIBRATION)))
}

/// A stream that needs it is stopped for everybody.
///
/// # Errors
///
/// The stream needs no start, and so has no end.
pub fn stop(stream: Stream) -> Result<Request, Refused> {
    if !stream.needs_start() {
        let what = "start and stop";
        return Err(Refused::NotOfThisStream { stream, what });
    }
    Ok(Request::new(
        stream,
        Answer::Nothing,
        writer(NOTHING | CLOSE),
    ))
}
