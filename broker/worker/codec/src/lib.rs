//! What was packed becomes pictures, depth and sound, in memory the caller gives.
//!
//! Owns FFmpeg's decoders and those of PNG and Zstandard; never reads or writes a file or a socket, never starts a
//! thread, and never chooses a slot.
//!
//! ```no_run
//! use streamem_codec::{Codec, VideoDecoder};
//!
//! # fn access_units() -> Vec<Vec<u8>> { Vec::new() }
//! let mut decoder = VideoDecoder::new(Codec::Hevc)?;
//! for (number, unit) in (0..).zip(access_units()) {
//!     // Without a target the decoder uses memory of its own.
//!     let picture = decoder.decode(&unit, number, &mut |_need| None)?;
//!     if let Some(picture) = picture {
//!         let brightness = picture.planes().planes[0].bytes;
//!         println!("{}: {}", picture.number, brightness[0]);
//!     }
//! }
//! # Ok::<(), streamem_codec::CodecError>(())
//! ```
//!
//! FFmpeg writes its complaints to nobody, in the whole process; what matters of them is in the errors.

mod error;
mod ffmpeg;
mod packed_depth;
mod place;
mod sound;
mod target;
mod video;

pub mod colour;
pub mod far_depth;

pub use error::{CodecError, Fault};
pub use packed_depth::DepthDecoder;
pub use place::Place;
pub use sound::{Rows, Sample, Samples, SoundDecoder};
pub use target::{Need, Planes, Target};
pub use video::{Codec, Picture, VideoDecoder};

/// The version of FFmpeg's libavcodec this runs with.
#[must_use]
pub fn libavcodec() -> String {
    let (major, minor, micro) = ffmpeg::version();
    format!("{major}.{minor}.{micro}")
}
