//! What is in the payloads of packets.
//!
//! Owns taking them apart, without copying what is large; never decodes pictures or sound.

mod hands;
mod pictures;
mod sensors;
mod sound;
mod video;

pub use hands::{Eye, Eyes, HAND_JOINTS, Head, Joint, Ray, SpatialInput};
pub use pictures::{Ahat, ExtendedDepth, Grey, LongThrow};
pub use sensors::{Batch, Sample};
pub use sound::{Adts, array, stereo};
pub use video::{Focus, Video};

use crate::bytes::Reader;
use crate::error::Malformed;

/// The payload without its last `trailer` bytes, and those.
fn split<'a>(
    what: &'static str,
    wanted: &'static str,
    payload: &'a [u8],
    trailer: usize,
) -> Result<(&'a [u8], Reader<'a>), Malformed> {
    let bytes = payload.len();
    let parts = bytes
        .checked_sub(trailer)
        .and_then(|at| payload.split_at_checked(at));
    let (front, trailer) = parts.ok_or(Malformed::Size {
        what,
        bytes,
        wanted,
    })?;
    Ok((front, Reader::new(trailer)))
}
