//! Why something could not be decoded.
//!
//! Owns the sentences; never decides what follows from it.

use streamem_hl2ss::{DepthFault, Malformed};

/// What a library says about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub(crate) String);

/// There is no picture, no depth or no sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The library has no such decoder, or no memory.
    #[error(
        "FFmpeg opens no decoder of {codec}: {fault}; install the distribution's libavcodec, which has one"
    )]
    NoDecoder {
        /// Of what.
        codec: &'static str,
        /// What FFmpeg says.
        fault: Fault,
    },
    /// The bytes are not what they should be.
    #[error(
        "{what} {number} cannot be decoded: {fault}; if that happens often, look after the connection and the sender"
    )]
    Undecodable {
        /// A picture or sound.
        what: &'static str,
        /// Which.
        number: u64,
        /// What the library says.
        fault: Fault,
    },
    /// It is a kind of picture nobody here can use.
    #[error(
        "picture {number} has not 8 bits and colours that are halved both ways; have the sender encode 4:2:0 with 8 bits"
    )]
    Kind {
        /// Which.
        number: u64,
    },
    /// It is another size than there is room for.
    #[error(
        "{what} takes {wanted} bytes where there is room for {bytes}; configure the stream as large as what is sent"
    )]
    Room {
        /// What has no room.
        what: &'static str,
        /// How much it takes.
        wanted: usize,
        /// How much there is.
        bytes: usize,
    },
    /// It is no picture of far depth.
    #[error(
        "the PNG is no picture of far depth: {0}; use a version of the app on the headset that sends 320x288 pixels of 4 bytes"
    )]
    Png(String),
    /// A frame of Zstandard is none, or becomes longer or shorter than was said.
    #[error(
        "a part of packed depth cannot be unpacked: {0}; if that happens often, look after the connection and the sender"
    )]
    Packed(Fault),
    /// Packed depth is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Packed depth cannot be unpacked.
    #[error(transparent)]
    Depth(#[from] DepthFault),
}
